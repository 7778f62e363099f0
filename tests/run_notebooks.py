"""Run notebooks from top to bottom and save them as HTML: ``python tests/run_notebooks.py DIR``.

An error stops the run, and so does anything on standard error: a warning is a defect.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from impact.report import notebooks

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

#: A notebook that has run, once a process.
executed = functools.cache(notebooks.executed)


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
