"""What every table by session must be: rows that are daily sessions, numbers, and their units.

The one check of rows and the one check of units: whatever stands by session (prices, returns,
benchmark, factors, risk-free rate, controls, volatility index) goes through them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_any_real_numeric_dtype

from impact.errors import ImpactError, ReturnsError
from impact.market.row_labels import (
    check_labels,
    has_shifted_labels,
    without_time,
    without_zone,
)
from impact.text.formats import iso, list_of, percent

#: Rows that lie further apart than this, on the median, are no daily sessions.
_DAILY = 4
_BARS = {8: "weekly", 35: "monthly", 100: "quarterly", 1e9: "yearly"}

#: Prices of one security on one day, as data services call them; the first that is there counts.
_CLOSES = ("Adj Close", "Close")
_FIELDS = {*_CLOSES, "Open", "High", "Low", "Volume", "Dividends", "Stock Splits", "Capital Gains"}
_CANDLE = {"Open", "High", "Low", "Close"}

#: No market moves by a tenth every other day, nor by a half in a sample of any length: a median
#: |return| above the first (given enough returns) or the second is a price or a percentage.
_LARGE, _HUGE, _ENOUGH = 0.1, 0.5, 20
#: Levels move from one session to the next by less than this share of their own spread.
_NEAR = 0.5
#: The squares of larger values are no numbers any more.
_ENDLESS = 1e100
#: A risk-free rate above this a session is 65% a year; below this many points no volatility lies.
_RATE, _POINTS = 0.002, 2.0


# -- rows ----------------------------------------------------------------------------------------


def check_index(index: Any, name: str, error: type[ImpactError] = ReturnsError) -> None:
    """Raise unless `index` holds daily sessions: tz-naive midnights that increase, at least one.

    `name` is what the message calls it: the argument, or the file; `error` is what is raised, as
    only a file has a class of its own.

    Examples
    --------
    >>> check_index(pd.DatetimeIndex(["2025-05-02", "2025-05-01"]), "returns")
    Traceback (most recent call last):
    impact.errors.ReturnsError: returns: 2025-05-01 comes after 2025-05-02: use .sort_index()
    """
    if not isinstance(index, pd.DatetimeIndex):
        first = next(iter(index), index) if np.ndim(index) else index
        table = isinstance(index, pd.Series | pd.DataFrame)
        periods = isinstance(index, pd.PeriodIndex)
        raise error(
            f"{name}: the index starts with {first!r} and is not a DatetimeIndex: "
            f"{'give its .index' if table else 'use pd.to_datetime on the dates'}"
            f"{', or .to_timestamp() on daily periods' if periods else ''}"
        )
    if index.empty:
        raise error(f"{name}: there is no session: give at least one")
    if index.hasnans:
        raise error(f"{name}: row {int(index.isna().argmax())} of the index is NaT: give a date")
    if index.tz is not None:
        raise error(f"{name}: the index has time zone {index.tz}: use {without_zone(index)}")
    day = pd.Timedelta(days=1) // pd.Timedelta(1, index.unit)
    if (odd := index.asi8 % day != 0).any():
        raise error(f"{name}: {index[odd][0]} has a time of day: use .index{without_time(index)}")
    apart = np.diff(index.asi8) // day
    if (apart <= 0).any():
        if index.has_duplicates:
            twice = index[index.duplicated()][0]
            raise error(f"{name}: {iso(twice)} stands twice: delete one of its rows")
        row = int((apart < 0).argmax())
        late, early = iso(index[row]), iso(index[row + 1])
        raise error(f"{name}: {early} comes after {late}: use .sort_index()")
    _check_daily(index, apart, name, error)


def _check_daily(
    index: pd.DatetimeIndex, days: np.ndarray, name: str, error: type[ImpactError]
) -> None:
    # Of many rows the median is over the bar only where half of them are.
    if len(index) < 4 or np.count_nonzero(days > _DAILY) < len(days) / 2:
        return
    if (apart := float(np.median(days))) > _DAILY:
        bars = next(word for longest, word in _BARS.items() if apart < longest)
        raise error(
            f"{name}: the rows are {apart:g} days apart ({iso(index[0])}, {iso(index[1])}, …), so "
            f"these are {bars} bars, in which one announcement cannot be separated from the others "
            "of its bar: give daily sessions"
        )


# -- numbers -------------------------------------------------------------------------------------


def check_numbers(table: Any, name: str, error: type[ImpactError] = ReturnsError) -> pd.DataFrame:
    """Return a table by session as one of floats, NaN where a value is missing.

    Real numbers of any dtype; each column of a DataFrame has a name of its own and holds a value.
    Columns in two levels, field and ticker in either order as yfinance gives them, are read as the
    closes, named by ticker. `check_index` is asked first.

    Examples
    --------
    >>> check_numbers(pd.Series([1, 2], pd.to_datetime(["2025-05-01", "2025-05-02"])), "prices")
                  0
    2025-05-01  1.0
    2025-05-02  2.0
    """
    if not isinstance(table, pd.Series | pd.DataFrame):
        raise error(f"{name} must be a pandas Series or DataFrame, not {type(table).__name__}")
    check_index(table.index, name, error)
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    if frame.empty:
        raise error(f"{name}: there is no column: give at least one")
    frame = closes_of(frame, name, error)
    if isinstance(table, pd.DataFrame) and frame.columns.hasnans:
        raise error(
            f"{name}: column {int(frame.columns.isna().argmax()) + 1} has no name: give one"
        )
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise error(f"{name}: column {twice!r} stands twice: rename or drop one")
    for dtype in set(frame.dtypes):
        if not is_any_real_numeric_dtype(dtype):
            position = int((frame.dtypes == dtype).to_numpy().argmax())
            raise error(
                f"{name}: column {frame.columns[position]!r} holds {frame.iat[0, position]!r}, "
                "not numbers: use pd.to_numeric"
            )
    values = frame.to_numpy(dtype=float, na_value=np.nan)
    if (blank := np.isnan(values).all(axis=0)).any():
        column = frame.columns[int(blank.argmax())]
        raise error(f"{name}: column {column!r} holds no value: drop it")
    numbers = pd.DataFrame(values, frame.index, frame.columns, copy=False)
    numbers.attrs = dict(table.attrs)
    return numbers


def closes_of(
    frame: pd.DataFrame,
    name: str,
    error: type[ImpactError] = ReturnsError,
    *,
    drop_level: bool = True,
) -> pd.DataFrame:
    """Return the closes of a table whose columns are field and ticker, in either order.

    A table with plain columns is returned as it is.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_product([["Close", "Volume"], ["SPY"]])
    >>> closes_of(pd.DataFrame([[586.0, 1e8]], columns=columns), "prices").columns.to_list()
    ['SPY']
    """
    columns = frame.columns
    if columns.nlevels == 1:
        read = {str(column).strip().title().replace("_", " "): column for column in columns}
        close = next((read[field] for field in _CLOSES if field in read), None)
        fields = set(read)
        if close is not None and len(fields) > 1 and (fields <= _FIELDS or fields >= _CANDLE):
            raise error(
                f"{name}: the columns {list_of(map(str, columns))} are of one security: use "
                f"{name}[{close!r}]"
            )
        return frame
    for level in range(columns.nlevels if columns.nlevels == 2 else 0):
        held = set(columns.get_level_values(level))
        field = next((field for field in _CLOSES if field in held), None)
        if field is not None and held <= _FIELDS:
            return frame.xs(field, axis=1, level=level, drop_level=drop_level)
    raise error(
        f"{name}: the columns have {columns.nlevels} levels, such as {columns[0]!r}, of which none "
        f"is that of fields with a Close: give one level, the securities, with "
        f"{name}.droplevel(<level>, axis=1)"
    )


def refuse_values(
    frame: pd.DataFrame,
    bad: np.ndarray,
    name: str,
    reason: str,
    error: type[ImpactError] = ReturnsError,
) -> None:
    """Raise at the first bad value of a table of `check_numbers`, with its date and column."""
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise error(
            f"{name}: {frame.iat[row, column]:g} on {iso(frame.index[row])} in column "
            f"{frame.columns[column]!r} {reason}"
        )


# -- units ---------------------------------------------------------------------------------------


def check_units(
    frame: pd.DataFrame, name: str, unit: str = "return", kind: str | None = None
) -> None:
    """Raise unless the values of `check_numbers` are in the unit that their argument has.

    Parameters
    ----------
    frame : DataFrame, shape (T, N)
    name : str
        What the message calls it.
    unit : {"return", "control", "rate", "points"}
        Decimal returns; the same, or a yes and no in 1 and 0; a decimal rate a session; a
        volatility index in percent a year.
    kind : {"log", "simple", "change"}, optional
        Simple returns of -100% and less are refused; of changes only levels are.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> check_units(pd.DataFrame({"rf": [0.017, 0.017]}, days), "risk_free", "rate")
    Traceback (most recent call last):
    impact.errors.ReturnsError: risk_free: 0.017 on 2025-05-01 in column 'rf' is 1.7% in one
    session: give the rate of one session as a decimal fraction (5% a year is 0.0002)
    """
    values = frame.to_numpy()
    size = np.abs(values)
    # One mean of all finds what is infinite and what is missing: most tables hold neither.
    with np.errstate(over="ignore"):
        mean = size.mean(axis=0)
        if not np.isfinite(mean).all():
            infinite = np.isinf(values)
            refuse_values(frame, infinite, name, "is not a number: drop that session or correct it")
            mean = np.nanmean(size, axis=0)
        if (mean > _ENDLESS).any() and unit != "control":
            refuse_values(frame, size > _ENDLESS, name, "is too large for a return: correct it")
    if kind == "change" and unit in ("return", "control"):
        _refuse_levels(frame, name)
        return
    if unit == "points":
        fix = "is not a volatility: give the index in points, all positive"
        refuse_values(frame, values <= 0, name, fix)
        if np.nanmedian(values) < _POINTS:
            raise ReturnsError(
                f"{name}: this looks like a fraction ({_example(frame, 0)}): multiply by 100, "
                "a volatility index is in points"
            )
        return
    if unit == "rate":
        if (bad := size > _RATE).any():
            words = percent(float(size[bad][0]), 1, signed=False)
            fix = "give the rate of one session as a decimal fraction (5% a year is 0.0002)"
            refuse_values(frame, bad, name, f"is {words} in one session: {fix}")
        return
    # A median is at most twice the mean (Markov), so most columns need no sorting.
    large = np.flatnonzero(mean > _LARGE / 2)
    _check_size(frame, name, large, switches=unit == "control")
    if kind == "simple" and unit == "return":
        fix = "put the return there, or leave it empty if the figure stands for a missing one"
        what = f"is a simple return of -100% or less, which no price gives: {fix}"
        refuse_values(frame, values <= -1, name, what)


def _refuse_levels(frame: pd.DataFrame, name: str) -> None:
    """Tell levels from their changes: those keep their sign and lie near the value before."""
    for column, values in frame.items():
        one = values.dropna()
        if len(one) < _ENOUGH:
            continue
        near = one.diff().abs().median() < _NEAR * (one - one.median()).abs().median()
        if near or one.min() > 0 or one.max() < 0:
            raise ReturnsError(
                f"{name}: these look like levels, not changes ({_example(frame[[column]], 0)}): "
                "use .diff().dropna()"
            )


def _check_size(frame: pd.DataFrame, name: str, columns: np.ndarray, *, switches: bool) -> None:
    """Tell prices and percentages from decimal returns by the size of the typical value."""
    for column in columns:
        one = frame.to_numpy()[:, column]
        enough = np.isfinite(one).sum() >= _ENOUGH
        if np.nanmedian(np.abs(one)) <= (_LARGE if enough else _HUGE):
            continue
        if switches and np.isin(one[np.isfinite(one)], (0, 1)).all():
            continue
        example = _example(frame, int(column))
        what, fix = "percentages", "divide by 100, returns are decimal fractions"
        if name == "returns":
            fix += "; changes of a yield or an index are for event_study(kind='change')"
        if np.nanmin(one) > 0:
            what, fix = "prices", "use log_returns(prices)"
        raise ReturnsError(f"{name}: these look like {what} ({example}): {fix}")


def _example(frame: pd.DataFrame, column: int) -> str:
    row = int(np.isfinite(frame.to_numpy()[:, column]).argmax())
    value = frame.iat[row, column]
    return f"{frame.columns[column]} is {value:g} on {iso(frame.index[row])}"


def on_rows(
    values: Any,
    name: str,
    rows: pd.DatetimeIndex,
    unit: str = "return",
    kind: str | None = None,
) -> pd.DataFrame:
    """Return an argument that stands beside the returns, checked, on the rows of the returns.

    It may have any span, and is NaN in rows that have no value. `unit` is as for `check_units`;
    `kind` is that of the returns, and values that say that they are of another one are refused.
    ReturnsError if the rows, the numbers or the unit are wrong.
    """
    if unit == "control" and isinstance(values, pd.Series | pd.DataFrame):
        # A yes and no counts as 1 and 0.
        frame = pd.DataFrame(values)
        values = frame.astype(dict.fromkeys(frame.select_dtypes("bool").columns, float))
    frame = check_numbers(values, name)
    same_rows = frame.index.equals(rows)
    if not same_rows and not has_shifted_labels(rows):
        check_labels(frame.index, name)
    said = frame.attrs.get("returns")
    if kind and said and said != kind and unit == "return":
        fix = f"make both with {kind}_returns() or with {said}_returns()"
        if kind == "change":
            fix = "give changes there too, as levels.diff() makes them"
        raise ReturnsError(f"{name} holds {said} returns and the returns are {kind} ones: {fix}")
    check_units(frame, name, unit, said or kind)
    return frame if same_rows else frame.reindex(rows)
