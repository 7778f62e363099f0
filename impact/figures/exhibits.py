"""An exhibit: a picture, the numbers behind it and its text; and how the three are written.

NAME.csv holds the numbers, NAME.txt the alternative text, NAME.png the picture. The picture
carries the checksum of its CSV and a stamp of numbers, text and drawing code; it is written
again only when the stamp changes, so a rerun leaves every byte as it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.style import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Keys of the texts inside a PNG.
TABLE_KEY, STAMP_KEY, ALT_KEY = "impact-csv-sha256", "impact-stamp", "Description"

#: Numbers that agree this well are the same: compilers and processors differ further down.
RTOL, ATOL = 1e-5, 1e-9

#: Modules that decide how every picture looks.
_DRAWING = (
    "impact.charts.style",
    "impact.charts.labels",
    "impact.charts.series",
    "impact.charts.sets",
    "impact.charts.panels",
    "impact.charts.groups",
    "impact.charts.trust",
)


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

    def csv(self) -> str:
        """Return the table as CSV, numbers to eight significant digits."""
        return self.table.to_csv(
            index=False, float_format="%.8g", date_format="%Y-%m-%d", lineterminator="\n"
        )


def write_exhibit(exhibit: Exhibit, directory: Path, *, code: str) -> bool:
    """Write NAME.csv, NAME.txt and NAME.png where they differ; return whether they did.

    Parameters
    ----------
    exhibit : Exhibit
    directory : Path
        Made if it is not there.
    code : str
        Module that makes the exhibit; its source is part of the stamp.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = {end: directory / f"{exhibit.name}.{end}" for end in ("csv", "txt", "png")}
    table = _kept(paths["csv"], exhibit.csv())
    alt = exhibit.alt + "\n"
    current = stamp(table, alt, code)
    old = png_texts(paths["png"]) if paths["png"].exists() else {}
    same = old.get(STAMP_KEY) == current
    if same and _text_of(paths["csv"]) == table and _text_of(paths["txt"]) == alt:
        return False
    texts = {TABLE_KEY: checksum(table), STAMP_KEY: current, ALT_KEY: exhibit.alt}
    _replace(paths["csv"], table.encode())
    _replace(paths["txt"], alt.encode())
    _replace(paths["png"], png(exhibit.figure, **texts))
    return True


def write_table(path: Path, table: str) -> bool:
    """Write numbers without a picture where they differ; return whether they did."""
    kept = _kept(path, table)
    if _text_of(path) == kept:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, kept.encode())
    return True


def same_table(one: str, other: str) -> bool:
    """Whether two CSV texts hold the same words and, to a relative 1e-5, the same numbers.

    Examples
    --------
    >>> same_table("a,b\\nx,1.0000001\\n", "a,b\\nx,1\\n"), same_table("a\\n1\\n", "a\\n2\\n")
    (True, False)
    """
    if not one or not other:
        return one == other
    left, right = (pd.read_csv(io.StringIO(text)) for text in (one, other))
    if list(left) != list(right) or len(left) != len(right):
        return False
    for name in left:
        a, b = left[name], right[name]
        if not all(pd.api.types.is_numeric_dtype(column) for column in (a, b)):
            if not a.astype("str").equals(b.astype("str")):
                return False
        elif not np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True):
            return False
    return True


def checksum(text: str) -> str:
    """Return the sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def png_texts(path: Path) -> dict[str, str]:
    """Return the texts stored in a PNG file by key."""
    content, texts, at = path.read_bytes(), {}, 8
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"tEXt":
            name, _, text = body.partition(b"\0")
            texts[name.decode("latin-1")] = text.decode("latin-1")
        elif kind == b"iTXt":
            name, _, rest = body.partition(b"\0")
            packed, text = rest[0], rest[2:].split(b"\0", 2)[2]
            texts[name.decode("latin-1")] = (zlib.decompress(text) if packed else text).decode()
    return texts


def _kept(path: Path, table: str) -> str:
    """The committed numbers where they say the same: another machine must not change a file."""
    old = _text_of(path)
    try:
        return old if same_table(old, table) else table
    except pd.errors.ParserError:  # a file that is no table is no reason not to write one
        return table


def _text_of(path: Path) -> str:
    return path.read_bytes().decode() if path.exists() else ""


def stamp(table: str, alt: str, code: str) -> str:
    """Return the checksum of all that decides a picture: numbers, words and drawing code."""
    sources = [
        Path(sys.modules[name].__file__).read_text(encoding="utf-8") for name in (*_DRAWING, code)
    ]
    return checksum("".join(map(checksum, (table, alt, *sources))))


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    if path.exists() and path.read_bytes() == content:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
