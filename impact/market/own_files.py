"""A person's own file of closes, CSV or Excel: one security, several side by side, or a list."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.checks import check_numbers, refuse_values
from impact.market.instants import midnights_as_dates, parse_date
from impact.text.files import decoded, read_whole
from impact.text.formats import counted, list_of, written_number

EXCEL = (".xlsx", ".xlsm")
_SUFFIXES = (".csv", ".txt", *EXCEL, ".xls")

#: What people and data services call the columns of such a file, in lower case.
_DATES = ("date", "session", "day", "datetime", "timestamp")
_CLOSES = ("adj close", "adj_close", "adjusted close", "close", "price", "last")
_SECURITIES = ("ticker", "symbol", "security", "permno", "isin")
_BESIDE = {
    *_CLOSES,
    *("open", "high", "low", "volume", "vol.", "change %", "dividends", "stock splits"),
    "capital gains",
}


def is_own_file(name: Any) -> TypeGuard[str | Path]:
    """Whether `load_prices` was given the path of a file.

    Examples
    --------
    >>> is_own_file("my/prices.csv"), is_own_file("^GSPC")
    (True, False)
    """
    return isinstance(name, Path) or (isinstance(name, str) and name.lower().endswith(_SUFFIXES))


class _Row(NamedTuple):
    line: int
    cells: list[Any]  # texts; numbers and dates where a spreadsheet has them; "" for blank


def own_prices(path: str | Path) -> pd.Series | pd.DataFrame:
    """Read closes by session from a file of one's own.

    The file is a CSV in UTF-8, or the first sheet of an .xlsx workbook, with a header. One column
    is called date; beside it stand a close (or price, with what else a data service has of one
    security), or one column of closes for each security, or ticker and close in one list. In any
    order of rows; dates in ISO form or with a written month.

    A Series for one security, named after the file where its column is called close, else a
    DataFrame; ``attrs`` holds ``source`` and ``hash``. DataFileError when the file cannot be read,
    or breaks a rule of prices; names the line and the fix.
    """
    path = Path(path)
    if path.suffix.lower() == ".xls":
        raise DataFileError(f"{path.name} is of the old Excel format: save it as .xlsx or CSV")
    content = read_whole(path, DataFileError)
    header, rows = _sheet(path, content) if path.suffix.lower() in EXCEL else _csv(path, content)
    names = [str(name).strip() for name in header]
    lower = [name.lower() for name in names]
    when = _first(lower, _DATES)
    if when is None:
        raise DataFileError(
            f"{path.name} has no column 'date'; its header is {', '.join(names)}: call one so"
        )
    days = _days(path.name, [row.line for row in rows], [row.cells[when] for row in rows])
    security, close = _first(lower, _SECURITIES), _first(lower, _CLOSES)
    closes: pd.Series | pd.DataFrame
    if security is not None:
        closes = _from_list(path.name, rows, days, security, close)
    elif close is not None:
        _check_fields(path.name, names, when, close)
        closes = pd.Series(_numbers(path.name, rows, close), days, name=path.stem)
    else:
        found = {names[i]: _numbers(path.name, rows, i) for i in range(len(names)) if i != when}
        _check_names(path.name, names)
        closes = pd.DataFrame(found, days)
        if closes.shape[1] == 1:
            closes = closes.iloc[:, 0]
    closes = closes.sort_index(kind="stable").rename_axis("date")
    closes.attrs = {"source": path.name, "hash": hashlib.sha256(content).hexdigest()[:12]}
    _check_prices(closes, path.name)
    return closes


# -- reading -------------------------------------------------------------------------------------


def _csv(path: Path, content: bytes) -> tuple[list[Any], list[_Row]]:
    text = decoded(content, path.name, DataFileError)
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = [_Row(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    if rows and len(rows[0].cells) == 1 and ";" in rows[0].cells[0]:
        raise DataFileError(
            f"{path.name} separates its columns by semicolons: use commas, and a point for decimals"
        )
    return _header_and_rows(path.name, rows)


def _sheet(path: Path, content: bytes) -> tuple[list[Any], list[_Row]]:
    rows = [
        _Row(line, ["" if cell is None else cell for cell in row])
        for line, row in enumerate(workbook_cells(path, content), start=1)
    ]
    return _header_and_rows(path.name, rows)


def workbook_cells(path: Path, content: bytes) -> list[tuple[Any, ...]]:
    """Return the cells of the first sheet of an Excel workbook, row by row; None for a blank.

    DataFileError if openpyxl is not installed, or the file is no workbook.
    """
    try:
        import openpyxl
    except ImportError:
        raise DataFileError(
            f"{path.name}: Excel files need openpyxl: pip install 'tariff-impact[office]', or save "
            "the sheet as CSV"
        ) from None
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataFileError(
            f"{path.name} is not an Excel workbook ({error}): save it anew"
        ) from None
    return list(book.worksheets[0].iter_rows(values_only=True))


def _header_and_rows(name: str, rows: list[_Row]) -> tuple[list[Any], list[_Row]]:
    """The header and the rows below it, without empty rows and columns."""
    rows = [row for row in rows if any(cell != "" for cell in row.cells)]
    if len(rows) < 2:
        raise DataFileError(f"{name} is empty: it needs a header and a row for each session")
    header, *rows = rows
    width = len(header.cells)
    for row in rows:
        if any(cell != "" for cell in row.cells[width:]):
            raise DataFileError(
                f"{name} line {row.line} has {counted(len(row.cells), 'value')} where the header "
                f"has {width}: write numbers without commas for thousands"
            )
    rows = [_Row(row.line, [*row.cells[:width], *[""] * (width - len(row.cells))]) for row in rows]
    used = [
        i for i in range(width) if header.cells[i] != "" or any(row.cells[i] != "" for row in rows)
    ]
    # An index that pandas wrote without a name is the date.
    heads = ["date" if header.cells[i] == "" and i == 0 else header.cells[i] for i in used]
    return heads, [_Row(row.line, [row.cells[i] for i in used]) for row in rows]


def _first(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Position of the first of `names` that the header has."""
    return next((header.index(name) for name in names if name in header), None)


def _days(name: str, lines: list[int], cells: list[Any]) -> pd.DatetimeIndex:
    texts = midnights_as_dates(pd.Series(cells, dtype=object))
    days = []
    for line, cell in zip(lines, texts, strict=True):
        try:
            days.append(parse_date(cell))
        except DateError as error:
            raise DataFileError(f"{name} line {line}: {error}") from None
    return pd.DatetimeIndex(days, dtype="M8[us]")


def _numbers(name: str, rows: list[_Row], column: int) -> np.ndarray:
    return np.array([_number(name, row.line, row.cells[column]) for row in rows])


def _number(name: str, line: int, cell: Any) -> float:
    if cell == "":
        return np.nan
    try:
        if isinstance(cell, bool | dt.date):
            raise ValueError
        return written_number(cell) if isinstance(cell, str) else float(cell)
    except ValueError:
        raise DataFileError(
            f"{name} line {line}: {cell!r} is not a price: write it with a decimal point and no "
            "comma for thousands; where there is none delete the row, or leave the cell empty in a "
            "table of several securities"
        ) from None


# -- shapes --------------------------------------------------------------------------------------


def _check_fields(name: str, names: list[str], when: int, close: int) -> None:
    other = [n for i, n in enumerate(names) if i != when and n.lower() not in _BESIDE]
    if other:
        raise DataFileError(
            f"{name} has a column {names[close]!r} beside {list_of(map(repr, other[:3]))}: keep "
            "the date and the closes of one security, or name each column after its security"
        )


def _check_names(name: str, names: list[str]) -> None:
    if "" in names:
        raise DataFileError(f"column {names.index('') + 1} of {name} has no name in the header")
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise DataFileError(f"{name} has two columns {twice!r}: keep one")


def _from_list(
    name: str, rows: list[_Row], days: pd.DatetimeIndex, security: int, close: int | None
) -> pd.DataFrame:
    if close is None:
        raise DataFileError(f"{name} lists securities and has no column 'close': call one so")
    labels = [str(row.cells[security]).strip() for row in rows]
    table = pd.DataFrame(
        {"day": days, "security": labels, "close": _numbers(name, rows, close)},
    )
    if (blank := table["security"] == "").any():
        raise DataFileError(f"{name} line {rows[int(blank.argmax())].line} names no security")
    if (twice := table.duplicated(["day", "security"])).any():
        i = int(twice.argmax())
        raise DataFileError(
            f"{name} line {rows[i].line}: {labels[i]} has a second close on {days[i]:%Y-%m-%d}: "
            "delete one"
        )
    wide = table.pivot_table("close", "day", "security", aggfunc="first", dropna=False)
    return wide.rename_axis(columns=None)


def _check_prices(closes: pd.Series | pd.DataFrame, name: str) -> None:
    frame = check_numbers(closes, name, DataFileError)
    values = frame.to_numpy()
    bad = ~(np.isfinite(values) & (values > 0))
    if isinstance(closes, pd.DataFrame):
        bad &= ~np.isnan(values)
    reason = "is not a positive price: correct it, or delete the row"
    refuse_values(frame, bad, name, reason, DataFileError)
