"""Returns from prices, and the check that what was given are returns.

A return is a decimal fraction, logarithmic or simple; the function's name and
``.attrs["returns"]`` say which.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import ReturnsError
from impact.market.checks import check_numbers, refuse_values
from impact.text.formats import iso

#: No market moves by a tenth every other day, nor by a half in a sample of any length: a median
#: |return| above the first (given enough returns) or the second is a price or a percentage.
_LARGE, _HUGE, _ENOUGH = 0.1, 0.5, 20


def log_returns(prices: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return log(P_t / P_t-1), the first session dropped.

    Parameters
    ----------
    prices : Series, shape (T,), or DataFrame, shape (T, securities)
        Positive prices by session. A DataFrame may have missing ones: a return is NaN where
        either of its two prices is.

    Returns
    -------
    Series, shape (T - 1,), or DataFrame, shape (T - 1, securities)
        Decimal fractions.

    Raises
    ------
    ReturnsError
        When a price is zero, negative, infinite, no number or (Series) missing, or the index is
        not one of increasing tz-naive dates.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> returns = log_returns(pd.Series([5604.14, 5686.67], index=days))
    >>> round(float(returns["2025-05-02"]), 6)
    0.014619
    """
    return _returns(prices, "log")


def simple_returns(prices: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return P_t / P_t-1 - 1, the first session dropped: the change that the press reports.

    Parameters
    ----------
    prices : Series, shape (T,), or DataFrame, shape (T, securities)
        As for `log_returns`.

    Returns
    -------
    Series, shape (T - 1,), or DataFrame, shape (T - 1, securities)
        Decimal fractions.

    Raises
    ------
    ReturnsError
        As for `log_returns`.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> changes = simple_returns(pd.Series([5604.14, 5686.67], index=days))
    >>> round(float(changes["2025-05-02"]), 6)
    0.014727
    """
    return _returns(prices, "simple")


def _returns(prices: pd.Series | pd.DataFrame, kind: str) -> pd.Series | pd.DataFrame:
    frame = check_numbers(prices, "prices")
    values = frame.to_numpy()
    bad = ~(np.isfinite(values) & (values > 0))
    if isinstance(prices, pd.DataFrame):
        bad &= ~np.isnan(values)
    reason = "is not a positive price: correct it or drop the session"
    refuse_values(frame, bad, "prices", reason)
    if len(frame) < 2:
        raise ReturnsError(f"prices: one session, {iso(frame.index[0])}, gives no return: add more")
    change = np.diff(np.log(values), axis=0) if kind == "log" else values[1:] / values[:-1] - 1
    result = pd.DataFrame(change, frame.index[1:], frame.columns)
    if isinstance(prices, pd.Series):
        result = result.iloc[:, 0].rename(prices.name)
    result.attrs = {**prices.attrs, "returns": kind}
    return result


def check_returns(returns: pd.Series | pd.DataFrame) -> None:
    """Raise unless these are decimal returns by session.

    Parameters
    ----------
    returns : Series, shape (T,), or DataFrame, shape (T, securities)
        Decimal fractions. A DataFrame may have missing returns, a Series none.

    Raises
    ------
    ReturnsError
        When they are prices or percentages, hold infinities or anything but numbers, or the
        index is not one of increasing tz-naive dates; names the value and the fix.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> prices = pd.Series([5604.14, 5686.67], index=days, name="^GSPC")
    >>> check_returns(log_returns(prices))
    >>> check_returns(prices)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    impact.errors.ReturnsError: returns: these look like prices (^GSPC is 5604.14 on 2025-05-01)
    """
    frame = check_numbers(returns, "returns")
    values = frame.to_numpy()
    bad = np.isinf(values)
    if isinstance(returns, pd.Series):
        bad |= np.isnan(values)
    reason = "is no return: drop that session or correct its price"
    refuse_values(frame, bad, "returns", reason)
    _check_size(frame, values)


def _check_size(frame: pd.DataFrame, values: np.ndarray) -> None:
    """Tell prices and percentages from decimal returns by the size of the typical value."""
    size = np.abs(values)
    # A median is at most twice the mean (Markov), so most columns need no sorting.
    for column in np.flatnonzero(np.nanmean(size, axis=0) > _LARGE / 2):
        enough = np.isfinite(size[:, column]).sum() >= _ENOUGH
        if np.nanmedian(size[:, column]) <= (_LARGE if enough else _HUGE):
            continue
        row = int(np.isfinite(values[:, column]).argmax())
        example = f"{frame.columns[column]} is {values[row, column]:g} on {iso(frame.index[row])}"
        if np.nanmin(values[:, column]) > 0:
            raise ReturnsError(
                f"returns: these look like prices ({example}): use log_returns(prices)"
            )
        raise ReturnsError(
            f"returns: these look like percentages ({example}): divide by 100, "
            "returns are decimal fractions"
        )
