"""An exhibit: a picture, the numbers behind it and its text; how it is made, and how written.

Each figure is a module of this room, named as its files with ``-`` for ``_``. It has::

    data()         what is computed, once
    title(data)    the finding, with a sentence for the opposite finding beside it
    words(data)    title, subtitle and source
    draw(data)     the picture, called inside `drawing()`
    table(data)    the numbers behind it, one row a thing drawn
    alt(data)      what the picture shows, for those who do not see it; it opens with the title

NAME.csv holds the numbers, NAME.txt the alternative text, NAME.svg and NAME.png the picture. Files
that say the same are left as they are, byte for byte: another machine's arithmetic is no change.
The PNG carries the checksums of the numbers and of the drawing that it belongs to.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.page import drawing, png, svg
from impact.text.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Keys of the texts inside a PNG.
TABLE_KEY, DRAWING_KEY, ALT_KEY = "impact-csv-sha256", "impact-svg-sha256", "Description"

#: Numbers that agree this well are the same: compilers and processors differ further down.
RTOL, ATOL = 1e-5, 1e-9

#: Drawings that agree to so many points are the same: a fraction of a pixel.
NEAR = 0.05

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One named figure.

    Attributes
    ----------
    name : str
        Name of its files.
    figure : matplotlib.figure.Figure
        The picture.
    table : DataFrame
        The numbers behind it, one row a thing drawn; the index is not written.
    alt : str
        What the picture shows, for those who do not see it.
    """

    name: str
    figure: Figure
    table: pd.DataFrame
    alt: str


def make_exhibit(name: str) -> Exhibit:
    """Compute and draw a figure, by the name of its files."""
    module = import_module(f"impact.figures.{name.replace('-', '_')}")
    data = module.data()
    with drawing():
        figure = module.draw(data)
    return Exhibit(name, figure, module.table(data), module.alt(data))


def write_exhibit(exhibit: Exhibit, directory: Path) -> bool:
    """Write NAME.csv, .txt, .svg and .png where they differ; return whether any did.

    Parameters
    ----------
    exhibit : Exhibit
    directory : Path
        Made if it is not there.

    Raises
    ------
    DataFileError
        If a file cannot be written; the old one is then as it was.
    """
    paths = {end: directory / f"{exhibit.name}.{end}" for end in ("csv", "txt", "svg", "png")}
    table = _kept(paths["csv"], as_csv(exhibit.table), same_table)
    drawn = _kept(paths["svg"], svg(exhibit.figure, Description=exhibit.alt), same_drawing)
    texts = {
        TABLE_KEY: checksum(table),
        DRAWING_KEY: checksum(drawn),
        ALT_KEY: exhibit.alt,
    }
    contents = {"csv": table, "txt": exhibit.alt + "\n", "svg": drawn}
    written = [write_if_changed(paths[end], content.encode()) for end, content in contents.items()]
    if png_texts(paths["png"]) != texts:
        written.append(write_if_changed(paths["png"], png(exhibit.figure, **texts)))
    return any(written)


def write_table(path: Path, table: pd.DataFrame) -> bool:
    """Write numbers without a picture where they differ; return whether they did."""
    return write_if_changed(path, _kept(path, as_csv(table), same_table).encode())


def as_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, numbers to eight significant digits."""
    return table.to_csv(
        index=False, float_format="%.8g", date_format="%Y-%m-%d", lineterminator="\n"
    )


def same_table(one: str, other: str) -> bool:
    """Whether two CSV texts hold the same words and, to a relative 1e-5, the same numbers.

    Examples
    --------
    >>> same_table("a,b\\nx,1.0000001\\n", "a,b\\nx,1\\n"), same_table("a\\n1\\n", "a\\n2\\n")
    (True, False)
    """
    if not one or not other:
        return one == other
    try:
        left, right = (pd.read_csv(io.StringIO(text)) for text in (one, other))
        pd.testing.assert_frame_equal(
            left, right, check_dtype=False, check_exact=False, rtol=RTOL, atol=ATOL
        )
    except (pd.errors.ParserError, AssertionError):  # the former: a file that is no table
        return False
    return True


def same_drawing(one: str, other: str) -> bool:
    """Whether two SVG texts draw the same, to a fraction of a pixel.

    Examples
    --------
    >>> same_drawing("<path d='M 1.00001 2'/>", "<path d='M 1 2'/>")
    True
    >>> same_drawing("<path d='M 1 2'/>", "<path d='M 1 3'/>")
    False
    """
    if _NUMBER.sub("", one) != _NUMBER.sub("", other):
        return False
    ours, theirs = (np.array(_NUMBER.findall(text), dtype=float) for text in (one, other))
    return bool(np.allclose(ours, theirs, rtol=0, atol=NEAR))


def checksum(text: str) -> str:
    """Return the sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def png_texts(path: Path) -> dict[str, str]:
    """Return the texts stored in a PNG file by key; none if there is no such picture."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return dict(getattr(picture, "text", {}))
    except OSError:  # missing or broken: it will be written anew
        return {}


def _kept(path: Path, new: str, same: Callable[[str, str], bool]) -> str:
    """The committed text where it says the same."""
    old = path.read_bytes().decode(errors="replace") if path.exists() else ""
    return old if old == new or same(old, new) else new


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all, if its content differs; return whether it did.

    Raises
    ------
    DataFileError
        If it cannot be written; the old file is then as it was.
    """
    if path.exists() and path.read_bytes() == content:
        return False
    write_atomically(path, content)
    return True
