"""The rules that a table of daily closes must pass, from a file or in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

from impact.errors import DataFileError, DateError, ImpactError
from impact.market.calendar import nyse_sessions
from impact.market.dates import parse_date
from impact.text.formats import counted, iso


def read_closes(
    path: str | Path,
    columns: Sequence[str],
    *,
    jump: float,
    limits: tuple[float, float] | None = None,
    sessions: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """Read a CSV of closes (date, then `columns`) and check it with `check_closes`.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        Names that must follow "date" in the header, in this order.
    jump, limits, sessions
        As in `check_closes`.

    Returns
    -------
    DataFrame, shape (T, columns)

    Raises
    ------
    DataFileError
        When the file cannot be read or breaks a rule; names file, line or date, value and fix.
    """
    path = Path(path)
    rows = _rows(path, ["date", *columns])
    dates = [row[0] for row in rows]
    days = pd.to_datetime(pd.Series(dates, dtype="str"), format="%Y-%m-%d", errors="coerce")
    readable = days.notna().to_numpy() & np.array([len(text) == 10 for text in dates])
    if not readable.all():
        row = int(readable.argmin())
        _refuse_date(path.name, row + 2, dates[row])
    try:
        values = np.array([row[1:] for row in rows], dtype=float)
    except ValueError:
        values = np.array([_numbers(path.name, i + 2, row) for i, row in enumerate(rows)])
    index = pd.DatetimeIndex(days, name="date").as_unit("us")
    closes = pd.DataFrame(values, index=index, columns=list(columns))
    check_closes(closes, name=path.name, jump=jump, limits=limits, sessions=sessions)
    return closes


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


def _refuse_date(name: str, line: int, text: str) -> NoReturn:
    try:
        parse_date(text)
    except DateError as error:
        raise DataFileError(f"{name} line {line}: {error}") from None
    raise DataFileError(f"{name} line {line}: {text!r} is not a date: write it like '2025-05-02'")


def _numbers(name: str, line: int, row: list[str]) -> list[float]:
    try:
        return [float(text) for text in row[1:]]
    except ValueError:
        raise DataFileError(
            f"{name} line {line} ({row[0]}): {','.join(row[1:])!r} is not a close: "
            "give numbers with a decimal point"
        ) from None


def check_closes(
    closes: pd.Series | pd.DataFrame,
    *,
    name: str,
    jump: float,
    limits: tuple[float, float] | None = None,
    sessions: pd.DatetimeIndex | None = None,
) -> None:
    """Raise when daily closes break a rule: exactly the sessions, positive, no wild jump.

    Parameters
    ----------
    closes : Series, shape (T,), or DataFrame, shape (T, securities)
        Indexed by session.
    name : str
        What the message calls them, such as the file.
    jump : float
        Largest |log change| allowed from one close to the next.
    limits : tuple of float, optional
        Lowest and highest level allowed.
    sessions : DatetimeIndex, optional
        Sessions that the index must equal; every NYSE session of its span by default.

    Raises
    ------
    DataFileError
        At the first rule broken; names the date, the value and the fix.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-04-07", "2025-04-08", "2025-04-09"])
    >>> closes = pd.Series([5062.25, 4982.77, 5456.90], index=days)
    >>> check_closes(closes, name="my closes", jump=0.26)
    >>> check_closes(closes.drop(days[1]), name="my closes", jump=0.26)
    Traceback (most recent call last):
    impact.errors.DataFileError: my closes: the session 2025-04-08 is missing: add its close
    """
    check_index(closes, name, DataFileError)
    _check_sessions(closes.index, name, sessions)
    frame = closes.to_frame() if isinstance(closes, pd.Series) else closes
    values = numeric(frame, name, DataFileError)
    _first_bad(frame, ~(np.isfinite(values) & (values > 0)), name, "is not a positive number")
    if limits is not None:
        low, high = limits
        bad = (values < low) | (values > high)
        _first_bad(frame, bad, name, f"lies outside {low:g} to {high:g}")
    change = np.diff(np.log(values), axis=0, prepend=np.log(values[:1]))
    bad = np.abs(change) > jump
    if bad.any():
        row, column = np.argwhere(bad)[0]
        reason = f"follows {values[row - 1, column]:g}, a log change beyond ±{jump:g}"
        _first_bad(frame, bad, name, reason)


def _check_sessions(index: pd.DatetimeIndex, name: str, sessions: pd.DatetimeIndex | None) -> None:
    if sessions is None:
        sessions = nyse_sessions(index[0], index[-1])
    extra = index[~index.isin(sessions)]
    if len(extra):
        raise DataFileError(
            f"{name}: {iso(extra[0])}, a {extra[0]:%A}, is no session: delete its row"
        )
    missing = sessions[~sessions.isin(index)]
    if len(missing):
        more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        raise DataFileError(
            f"{name}: the session {iso(missing[0])}{more} is missing: add its close"
        )


def _first_bad(frame: pd.DataFrame, bad: np.ndarray, name: str, reason: str) -> None:
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataFileError(
            f"{name}: {frame.columns[column]} {frame.iat[row, column]:g} on "
            f"{iso(frame.index[row])} {reason}: put the published close there"
        )


def check_index(table: pd.Series | pd.DataFrame, name: str, error: type[ImpactError]) -> None:
    """Raise `error` unless `table` is indexed by increasing tz-naive midnights."""
    if not isinstance(table, pd.Series | pd.DataFrame):
        raise error(f"{name} must be a pandas Series or DataFrame, not {type(table).__name__}")
    if table.size == 0:
        raise error(f"{name}: the table is empty: give at least one session")
    index = table.index
    if not isinstance(index, pd.DatetimeIndex):
        raise error(
            f"{name}: the index starts with {index[0]!r} and is no DatetimeIndex: "
            "use pd.to_datetime on the dates"
        )
    if index.tz is not None:
        raise error(f"{name}: the index has time zone {index.tz}: use .tz_localize(None)")
    if index.hasnans:
        raise error(f"{name}: row {int(index.isna().argmax())} of the index is NaT: give a date")
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise error(f"{name}: {iso(twice)} stands twice: delete one of its rows")
    if not index.is_monotonic_increasing:
        row = int((np.diff(index.asi8) < 0).argmax())
        raise error(
            f"{name}: {iso(index[row + 1])} comes after {iso(index[row])}: use .sort_index()"
        )
    if (odd := index != index.normalize()).any():
        raise error(f"{name}: {index[odd][0]} has a time of day: use .index.normalize()")


def numeric(frame: pd.DataFrame, name: str, error: type[ImpactError]) -> np.ndarray:
    """Return the values as floats, NaN where missing; raise `error` at other columns."""
    for position, dtype in enumerate(frame.dtypes):
        real = is_numeric_dtype(dtype) and not (is_bool_dtype(dtype) or is_complex_dtype(dtype))
        if not real:
            raise error(
                f"{name}: column {frame.columns[position]!r} holds {frame.iat[0, position]!r}, "
                "not numbers: use pd.to_numeric"
            )
    return frame.to_numpy(dtype=float, na_value=np.nan)
