"""What every table by session must be: rows that are sessions, values that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_any_real_numeric_dtype

from impact.errors import ImpactError, ReturnsError
from impact.text.formats import iso


def check_index(index: Any, name: str, error: type[ImpactError] = ReturnsError) -> None:
    """Raise unless `index` holds sessions: tz-naive midnights that increase, at least one.

    Parameters
    ----------
    index : DatetimeIndex, shape (T,)
    name : str
        What the message calls it: the argument, or the file.
    error : type, default ReturnsError
        What is raised; only a file has a class of its own, DataFileError.

    Examples
    --------
    >>> check_index(pd.DatetimeIndex(["2025-05-02", "2025-05-01"]), "returns")
    Traceback (most recent call last):
    impact.errors.ReturnsError: returns: 2025-05-01 comes after 2025-05-02: use .sort_index()
    """
    if not isinstance(index, pd.DatetimeIndex):
        first = next(iter(index), index) if np.ndim(index) else index
        table = isinstance(index, pd.Series | pd.DataFrame)
        raise error(
            f"{name}: the index starts with {first!r} and is no DatetimeIndex: "
            f"{'give its .index' if table else 'use pd.to_datetime on the dates'}"
        )
    if index.empty:
        raise error(f"{name}: there is no session: give at least one")
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


def check_numbers(table: Any, name: str, error: type[ImpactError] = ReturnsError) -> pd.DataFrame:
    """Return a table by session as one of floats, NaN where a value is missing.

    Parameters
    ----------
    table : Series, shape (T,), or DataFrame, shape (T, N)
        Indexed by session; real numbers of any dtype. Each column of a DataFrame has a name of
        its own and holds a value.
    name, error
        As for `check_index`, which is asked first.

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
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise error(f"{name}: column {twice!r} stands twice: rename or drop one")
    for position, dtype in enumerate(frame.dtypes):
        if not is_any_real_numeric_dtype(dtype):
            raise error(
                f"{name}: column {frame.columns[position]!r} holds {frame.iat[0, position]!r}, "
                "not numbers: use pd.to_numeric"
            )
    values = frame.to_numpy(dtype=float, na_value=np.nan)
    if frame is table and (blank := np.isnan(values).all(axis=0)).any():
        column = frame.columns[int(blank.argmax())]
        raise error(f"{name}: column {column!r} holds no value: drop it")
    return pd.DataFrame(values, frame.index, frame.columns, copy=False)


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
