"""Run notebooks from top to bottom and save them as HTML: ``python tests/run_notebooks.py DIR``.

An error stops the run, and so does anything on standard error: a warning is a defect.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def executed(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with its outputs; raise where a cell fails or warns."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
        # The kernel warns that loopback is not encrypted; what a cell prints is unaffected.
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    client.execute()
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise RuntimeError(f"{path.name}, cell {number} warns: {output.text}")
    return notebook


def main(directory: str) -> int:
    """Run every notebook and write it as HTML into `directory`."""
    from nbconvert import HTMLExporter

    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page, _ = HTMLExporter().from_notebook_node(executed(path))
        (target / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print(target / f"{path.stem}.html", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
