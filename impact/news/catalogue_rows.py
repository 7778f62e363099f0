"""The rows of a file of events, CSV or Excel, as texts with the line on which each begins."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

from impact.errors import DataFileError, EventError
from impact.market.own_files import EXCEL, workbook_cells
from impact.text.files import decoded, read_whole

Rows = list[tuple[int, list[str]]]


def read_rows(path: Path) -> tuple[bytes, Rows]:
    """Return the bytes of a file of events and its rows, header first, empty rows left out.

    The file is a CSV in UTF-8, or an .xlsx workbook, of which the first sheet is read.
    """
    content = read_whole(path, EventError, "the catalogue ")
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise EventError(f"{path.name} is of the old Excel format: save it as .xlsx or CSV")
    rows = _of_workbook(path, content) if suffix in EXCEL else _of_csv(path.name, content)
    return content, [(line, fields) for line, fields in rows if any(fields)]


def _of_csv(name: str, content: bytes) -> Rows:
    text = decoded(content, name, EventError)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, line = [], 1
    try:
        for fields in reader:
            rows.append((line, [field.strip() for field in fields]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise EventError(f"line {line} of {name} is not CSV: {error}") from error
    return rows


def _of_workbook(path: Path, content: bytes) -> Rows:
    try:
        cells = workbook_cells(path, content)
    except DataFileError as error:
        raise EventError(str(error)) from None
    width = max(map(len, cells), default=0)
    rows = [[_as_text(cell) for cell in row] for row in cells]
    return [(line, row + [""] * (width - len(row))) for line, row in enumerate(rows, start=1)]


def _as_text(cell: Any) -> str:
    """A cell of a spreadsheet as a CSV would hold it.

    Examples
    --------
    >>> _as_text(dt.datetime(2025, 4, 2, 16, 5)), _as_text(10107.0), _as_text(True), _as_text(None)
    ('2025-04-02T16:05:00', '10107', 'yes', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, dt.datetime):
        return cell.isoformat()
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell).strip()
