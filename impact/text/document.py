"""A page of its own: headings, tables and pictures in one file that needs nothing else."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from impact.errors import TableError
from impact.text.files import as_path, write_atomically
from impact.text.table import Table
from impact.text.typeset import as_html

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 68rem; padding: 1rem; }
p, li { max-width: 70ch; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; } .wide table { font-size: .85rem; white-space: nowrap; }
.wide td[style*="left"] { max-width: 46ch; white-space: normal; }
details { margin-top: 1.5rem; } summary { cursor: pointer; }
figure { margin: 0; } img { background: #fff; height: auto; max-width: 100%; }
@media print {
  body { max-width: none; } h2 { break-after: avoid; } figure { break-inside: avoid; }
}
"""


@dataclass(frozen=True)
class Part:
    """A heading and what stands under it, as HTML."""

    heading: str
    body: str


def paragraphs(lines: Iterable[str]) -> str:
    """Return lines of text as HTML paragraphs.

    Examples
    --------
    >>> paragraphs(["A & B"])
    '<p>A &amp; B</p>'
    """
    return "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)


def whole_table(table: Table) -> str:
    """Return every row of a table as HTML, without its title, which the heading says."""
    shown = as_html(replace(table.sheet(), title=""))
    named = f'role="region" aria-label="{html.escape(table.title)}"'
    return f'<div class="wide" tabindex="0" {named}>{shown}</div>'


def folded(heading: str, body: str) -> str:
    """Return HTML that opens at a click on its heading."""
    return f"<details><summary>{html.escape(heading)}</summary>\n{body}\n</details>"


def picture(svg: str, alt: str) -> str:
    """Return a drawing as an image inside the page, with its alternative text."""
    held = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{held}"
    return f'<figure><img src="{source}" alt="{html.escape(alt)}"></figure>'


def write_page(path: str | Path, title: str, lead: Iterable[str], parts: Iterable[Part]) -> None:
    """Write a page that can be sent, whole or not at all, or raise TableError."""
    path = as_path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise TableError(f"{str(path)!r} is not a page: give it a name that ends with .html")
    write_atomically(path, document(title, lead, parts), TableError)


def document(title: str, lead: Iterable[str], parts: Iterable[Part]) -> str:
    """Return a page that can be sent: no script, no request, light and dark, fit for print."""
    body = "\n".join(
        f"<section>\n<h2>{html.escape(part.heading)}</h2>\n{part.body}\n</section>"
        for part in parts
        if part.body
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{paragraphs(lead)}\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )
