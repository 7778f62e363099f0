"""The contact sheet: ``figures/README.md``, every picture small, as a code host shows it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

#: Pictures in a row, and the width of one in pixels.
COLUMNS, WIDTH = 3, 280

_ABOVE = """# Figures

Each picture opens at full size; beside it are its drawing (SVG), the numbers behind it (CSV) and
what it shows in words. `make figures` draws them and writes this page. `hypotheses.csv` holds the
verdicts.
"""


def contact_sheet(names: Sequence[str], directory: Path) -> str:
    """Return the page: a table of the pictures that are there, each with its finding.

    Parameters
    ----------
    names : sequence of str
        Names of the figures, in order.
    directory : Path
        Where their files are.
    """
    cells = [_cell(name, directory) for name in names if (directory / f"{name}.txt").exists()]
    starts = range(0, len(cells), COLUMNS)
    rows = [f"| {' | '.join(cells[at : at + COLUMNS])} |" for at in starts]
    return "\n".join([_ABOVE, "| " * COLUMNS + "|", "|---" * COLUMNS + "|", *rows, ""])


def _cell(name: str, directory: Path) -> str:
    finding = (directory / f"{name}.txt").read_text(encoding="utf-8").partition(". ")[0]
    said = escape(finding).replace("|", "&#124;").replace("$", "&#36;")
    small = f'<a href="{name}.png"><img src="{name}.png" width="{WIDTH}" alt="{said}"></a>'
    files = {"svg": "SVG", "csv": "CSV", "txt": "in words"}
    links = ", ".join(f"[{word}]({name}.{end})" for end, word in files.items())
    return f"{small}<br>**{said}.** {links}"
