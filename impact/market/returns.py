"""Returns from prices, and the check that what was given are returns.

A return is a decimal fraction, logarithmic or simple; the function's name and
``.attrs["returns"]`` say which. ``.attrs["gaps"]`` says that a return after missing prices is the
whole move since the last one.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from impact.errors import ReturnsError
from impact.market.checks import check_numbers, check_units, closes_of, refuse_values
from impact.text.formats import iso, percent, some_of

#: What ``.attrs["gaps"]`` says of returns from price to price, whatever lies between.
TRADE_TO_TRADE = "trade-to-trade"

#: A log return of this size is that of a 5-for-3 split; so many of them are named.
_JUMP, _NAMED = 0.5, 3
_SPLITS = (2, 3, 4, 5, 10, 20, 50, 100)
_LARGEST = 20.0


def log_returns(prices: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return log(P_t / P_t-1), the first session dropped.

    Parameters
    ----------
    prices : Series, shape (T,), or DataFrame, shape (T, securities)
        Positive prices by session. A DataFrame may have missing ones: a return is NaN where the
        price is, and the move since the last price stands where a price returns. Of columns in
        two levels, field and ticker in either order as yfinance gives them, the closes are taken.

    Returns
    -------
    Series, shape (T - 1,), or DataFrame, shape (T - 1, securities)
        Decimal fractions. ``attrs["gaps"]`` is "trade-to-trade": a study then knows that the
        return after a gap is that of several sessions.

    Raises
    ------
    ReturnsError
        When a price is zero, negative, infinite, no number or (Series) missing, or the index is
        not one of increasing tz-naive dates.

    References
    ----------
    Maynes and Rumsey (1993), Conducting event studies with thinly traded stocks, J. Banking and
    Finance 17.

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
    reason = "is not a positive price: correct it"
    if isinstance(prices, pd.Series):
        reason += ", or give prices.to_frame() with that cell empty: its next return spans the gap"
    refuse_values(frame, bad, "prices", reason)
    if len(frame) < 2:
        raise ReturnsError(f"prices: one session, {iso(frame.index[0])}, gives no return: add more")
    levels = pd.DataFrame(np.log(values) if kind == "log" else values)
    now, before = levels.to_numpy()[1:], levels.ffill().to_numpy()[:-1]
    with np.errstate(over="ignore"):
        change = now - before if kind == "log" else now / before - 1
    result = pd.DataFrame(change, frame.index[1:], frame.columns)
    refuse_values(result, np.isinf(change), "prices", "is their change: correct the price")
    result.attrs = {**prices.attrs, "returns": kind, "gaps": TRADE_TO_TRADE}
    if isinstance(prices, pd.Series):
        return _as_series(result, prices.name)
    if prices.columns.nlevels > 1:
        result.columns = closes_of(prices, "prices", drop_level=False).columns
    return result


def check_returns(
    returns: pd.Series | pd.DataFrame, kind: str | None = None
) -> pd.Series | pd.DataFrame:
    """Return decimal returns by session as floats, with their ``attrs``; raise where they are none.

    A DataFrame may have missing returns, a Series none. Columns in two levels, field and ticker,
    become the tickers. `kind` is by default what ``attrs["returns"]`` says; simple returns are
    above -100%. ReturnsError when they are prices or percentages, hold infinities or anything but
    numbers, or the index is not one of daily sessions; names the value and the fix.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> prices = pd.Series([5604.14, 5686.67], index=days, name="^GSPC")
    >>> check_returns(log_returns(prices)).size
    1
    >>> check_returns(prices)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    impact.errors.ReturnsError: returns: these look like prices (^GSPC is 5604.14 on 2025-05-01)
    """
    frame = check_numbers(returns, "returns")
    if isinstance(returns, pd.Series):
        missing = np.isnan(frame.to_numpy())
        fix = "is not a return: drop that session or correct its price"
        refuse_values(frame, missing, "returns", fix)
    check_units(frame, "returns", kind=kind or frame.attrs.get("returns"))
    if isinstance(returns, pd.DataFrame):
        return frame
    return _as_series(frame, None if returns.name is None else frame.columns[0])


def _as_series(frame: pd.DataFrame, name: Hashable) -> pd.Series:
    series = frame.iloc[:, 0].rename(name)
    series.attrs = dict(frame.attrs)
    return series


def split_like(frame: pd.DataFrame, kind: str) -> str:
    """Say which returns of that kind look like a split that was not adjusted; "" where none does.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-05-01", "2025-05-02"])
    >>> split_like(pd.DataFrame({"A": [0.01, -1.38]}, days), "log")
    'Prices moved as by an unadjusted split: A on 2025-05-02 (−74.8%, near 4 for 1).'
    """
    values = frame.to_numpy()
    low, high = (-_JUMP, _JUMP) if kind == "log" else (np.expm1(-_JUMP), np.expm1(_JUMP))
    # Almost no table holds any: its two extremes say so at once.
    if not values.size or not (
        np.fmin.reduce(values, None) < low or np.fmax.reduce(values, None) > high
    ):
        return ""
    found = np.argwhere((values < low) | (values > high))
    named = []
    for row, column in found[:_NAMED]:
        move = values[row, column] if kind == "log" else np.log1p(values[row, column])
        near = next((n for n in _SPLITS if abs(abs(move) - np.log(n)) < 0.05), None)
        words = percent(float(np.expm1(min(move, _LARGEST))), 1)
        if near:
            words += f", near {near} for 1" if move < 0 else f", near 1 for {near}"
        named.append(f"{frame.columns[column]} on {iso(frame.index[row])} ({words})")
    return f"Prices moved as by an unadjusted split: {some_of(named, len(found))}."
