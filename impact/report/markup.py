"""How words and HTML are put into a source of the site."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

#: A page or a file of the site: its path below the root, and what it holds.
Page = tuple[PurePosixPath, str]

#: No text that is put between them holds so many in a row.
_FENCE = "`" * 12


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, whatever signs it holds.

    Examples
    --------
    >>> print(escaped("<b>5%</b> & $1"))
    \\<b\\>5\\%\\<\\/b\\> \\& \\$1
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def heading(text: str, level: int = 1) -> str:
    """Return a heading of any words."""
    return f"{'#' * level} {escaped(text)}"


def raw(markup: str) -> str:
    """Return HTML that is put into the page as it is."""
    return f"{_FENCE}{{raw}} html\n{markup}\n{_FENCE}"


def page(*parts: str, orphan: bool = False) -> str:
    """Return the parts as one source; an orphan is listed in no table of contents."""
    front = ["---\norphan: true\n---"] if orphan else []
    return "\n\n".join([*front, *(part for part in parts if part)]) + "\n"


def contents(names: Iterable[str]) -> str:
    """Return a table of contents that the side bar shows and the page does not."""
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])


def link(address: str, words: str) -> str:
    """Return a link as HTML; an address that is no page, such as a script, leaves the words.

    Examples
    --------
    >>> link("https://e.org/a?b&c", "A & B"), link("javascript:alert(1)", "<b>")
    ('<a href="https://e.org/a?b&amp;c">A &amp; B</a>', '&lt;b&gt;')
    """
    if re.match(r"\s*(?!https?:)[^/?#]*:", address, re.I):
        return html.escape(words)
    return f'<a href="{html.escape(address)}">{html.escape(words)}</a>'


def image(address: str, alt: str, caption: str = "", size: tuple[int, int] | None = None) -> str:
    """Return a picture that opens in full at a click, with its alternative text.

    Where its width and height are given, the page leaves room before it is loaded.
    """
    alone = html.escape(f"{alt} (opens the picture)")
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    room = ' width="{}" height="{}"'.format(*size) if size else ""
    return (
        f'<figure class="picture"><a href="{html.escape(address)}">'
        f'<img src="{html.escape(address)}" alt="{alone}"{room} loading="lazy"></a>{below}</figure>'
    )
