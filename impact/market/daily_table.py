"""A committed table of numbers by date: read cell by cell, and cut to the dates asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.instants import parse_date, read_instants
from impact.text.formats import counted, iso

Rows = TypeVar("Rows", pd.Series, pd.DataFrame)


def read_daily_table(
    path: str | Path, columns: Sequence[str], *, blanks: bool = False
) -> pd.DataFrame:
    """Read a CSV of numbers by date: "date", then `columns`, in this order.

    With `blanks` a cell may be blank; it is NaN then. DataFileError when the file cannot be read,
    or a cell of it; names the line, the value and the fix.
    """
    path = Path(path)
    rows = _rows(path, ["date", *columns])
    if blanks:
        rows = [[day, *(cell or "nan" for cell in cells)] for day, *cells in rows]
    try:
        days, date_only = read_instants([row[0] for row in rows])
        values = [list(map(float, row[1:])) for row in rows]
    except (DateError, ValueError):
        raise _first_wrong(path.name, rows) from None
    if not date_only.all():
        raise _first_wrong(path.name, rows)
    return pd.DataFrame(values, days.rename("date"), list(columns), dtype=float)


def _rows(path: Path, header: list[str]) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataFileError(f"{path} cannot be read ({error.strerror}): restore it") from None
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"{path.name} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from None
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows == [header]:
        raise DataFileError(f"{path.name} is empty: restore it")
    if rows[0] != header:
        raise DataFileError(
            f"{path.name}: the header is {','.join(rows[0])!r}: make it {','.join(header)!r}"
        )
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataFileError(
                f"{path.name} line {line} has {counted(len(row), 'value')}: give {len(header)}"
            )
    return rows[1:]


def _first_wrong(name: str, rows: list[list[str]]) -> DataFileError:
    """Return what is wrong with the first row that cannot be read."""
    for line, (day, *cells) in enumerate(rows, start=2):
        try:
            parse_date(day)
        except DateError as error:
            return DataFileError(f"{name} line {line}: {error}")
        for cell in cells:
            try:
                float(cell)
            except ValueError:
                return DataFileError(
                    f"{name} line {line} ({day}): {cell!r} is not a number: "
                    "write it with a decimal point"
                )
    raise AssertionError(f"{name}: every row can be read")


def between(table: Rows, start: Any, end: Any) -> Rows:
    """Return the rows of a table by date from `start` to `end`, both included, None for all.

    DateError when a date cannot be read, the two are reversed, or no row lies between them.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> between(pd.Series([5604.14, 5686.67], days), "2025-05-02", None).to_list()
    [5686.67]
    """
    first = None if start is None else parse_date(start)
    last = None if end is None else parse_date(end)
    if first is not None and last is not None and last < first:
        raise DateError(f"end={iso(last)} comes before start={iso(first)}: swap them")
    part = table.loc[first:last]
    if part.empty:
        wanted = [f"from {iso(first)}"] if first is not None else []
        wanted += [f"to {iso(last)}"] if last is not None else []
        raise DateError(
            f"there is no row {' '.join(wanted)}: the rows run from {iso(table.index[0])} to "
            f"{iso(table.index[-1])}"
        )
    part.attrs = dict(table.attrs)
    return part
