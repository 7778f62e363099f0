"""The gallery: every picture of `figures/` with its finding, its words and its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from impact.errors import ReportError
from impact.report.markup import Page, heading, image, link, page, raw
from impact.text.document import folded, paragraphs

#: What is offered of each picture.
KINDS = ("png", "svg", "csv")


def told(name: str, figures: Path) -> tuple[str, str]:
    """Return the finding of a picture, and what else its alternative text says."""
    try:
        alt = (figures / f"{name}.txt").read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise ReportError(f"{figures}/{name}.txt is missing: run make figures first") from problem
    finding, _, rest = alt.partition(". ")
    return finding, rest


def picture(name: str, figures: Path, folder: str = "") -> str:
    """Return one picture as HTML, its caption the finding, with links to its files."""
    finding, rest = told(name, figures)
    files = ", ".join(link(f"{folder}{name}.{kind}", kind.upper()) for kind in KINDS)
    words = folded("The picture in words", paragraphs([rest]))
    caption = f"The picture and the numbers behind it: {files}"
    size = _size((figures / f"{name}.png").read_bytes())
    return image(f"{folder}{name}.png", f"{finding}. {rest}", caption, size) + words


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the first lines of a PNG."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def gallery(names: Sequence[str], figures: Path) -> Iterator[Page]:
    """Yield the page of all pictures."""
    parts = [
        f"{heading(told(name, figures)[0], 2)}\n\n{raw(picture(name, figures))}" for name in names
    ]
    yield PurePosixPath("figures/index.md"), page("# Figures", *parts)


def gallery_files(names: Sequence[str], figures: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the files that the page links to."""
    for name in names:
        for kind in KINDS:
            path = PurePosixPath("figures", f"{name}.{kind}")
            yield path, (figures / path.name).read_bytes()
