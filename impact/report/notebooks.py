"""Notebooks of the site: run from top to bottom, kept as long as nothing changes, code folded."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from impact.errors import ReportError
from impact.report.markup import Page, page
from impact.text.files import write_atomically

#: nbformat's NotebookNode, which takes seconds to import.
NotebookNode = Any

#: How the paragraphs of a first cell begin that are for those who open the notebook itself.
_ASIDES = ("*If `import impact` fails", "*With its results")
_PNG = "image/png"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def executed(path: Path) -> NotebookNode:
    """Return a notebook with its outputs.

    ReportError if a cell fails, or says anything on standard error: a warning is a defect.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
        # The kernel warns that loopback is not encrypted; what a cell prints is unaffected.
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        # No bar over what takes long: nobody watches, and it would stay in the page.
        asyncio.run(client.async_execute(env={**os.environ, "TQDM_DISABLE": "1"}))
    except CellExecutionError as problem:
        raise ReportError(f"{path.name} stops: {problem.ename}: {problem.evalue}") from problem
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ReportError(f"{path.name}, cell {number} warns: {output.text}")
    return notebook


def notebook_list(paths: Sequence[Path]) -> Page:
    """The page that lists the notebooks."""
    toc = "\n".join(["```{toctree}", ":maxdepth: 1", "", *(path.stem for path in paths), "```"])
    lead = "Run from top to bottom when this site was made; the code is folded."
    return PurePosixPath("notebooks/index.md"), page("# Notebooks", lead, toc)


def notebook_page(path: Path, kept: Path, inputs: str) -> Page:
    """One notebook, executed, its code folded; from the folder `kept` if it was run before.

    `inputs` stands for all that its outputs depend on beside its own text.
    """
    import nbformat

    digest = hashlib.sha256(path.read_bytes() + inputs.encode()).hexdigest()
    held = kept / f"{path.stem}-{digest[:16]}.ipynb"
    if not held.exists():
        write_atomically(held, nbformat.writes(_folded(executed(path))), ReportError)
    return PurePosixPath("notebooks", path.name), held.read_text(encoding="utf-8")


def _folded(notebook: NotebookNode) -> NotebookNode:
    first = notebook.cells[0]
    # How to run it, and where this page is: whoever reads it here knows.
    first.source = "\n\n".join(
        part for part in first.source.split("\n\n") if not part.startswith(_ASIDES)
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata["tags"] = ["hide-input"]
            cell.metadata["mystnb"] = {"image": {"alt": _told(cell.outputs)}}
            # A bar over what takes long would fetch the scripts of widgets from elsewhere.
            cell.outputs = [out for out in cell.outputs if _WIDGET not in out.get("data", {})]
            for held in (output.get("data", {}) for output in cell.outputs):
                if _PNG in held:
                    held[_PNG] = b64encode(_lighter(b64decode(held[_PNG]))).decode()
    notebook.metadata.pop("widgets", None)
    return notebook


def _told(outputs: Sequence[NotebookNode]) -> str:
    """What the pictures of a cell say of themselves."""
    said = [output.get("data", {}).get("text/plain", "") for output in outputs]
    return "; ".join(told[1] for text in said if (told := re.match("<Picture: (.*)>", text)))


def _lighter(png: bytes) -> bytes:
    """Return a picture in 256 colours: the eye sees no difference, and a third of it is left."""
    from PIL import Image

    held = io.BytesIO()
    drawn = Image.open(io.BytesIO(png)).convert("RGB")
    few = drawn.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(held, "PNG", optimize=True)
    return held.getvalue()
