"""The committed history of prices: `load_prices` and `load_vix` never touch the network.

The rules for closes and the step to returns stand in `closes` and `returns`; what people use of
them can be had from here too.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.closes import check_closes, read_closes
from impact.market.dates import parse_date
from impact.market.files import data_hash, data_path
from impact.market.returns import check_returns, log_returns, simple_returns
from impact.text.formats import iso, list_of

__all__ = [
    "SECTORS",
    "check_closes",
    "check_returns",
    "load_prices",
    "load_vix",
    "log_returns",
    "read_closes",
    "simple_returns",
]

INDEX, VIX = "^GSPC", "^VIX"
SECTORS = ("XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE", "XLU", "XLV", "XLY")

#: Largest believable |log change| from one close to the next. The index fell by .229 on
#: 19 October 1987; the VIX doubled on 5 February 2018.
INDEX_JUMP, ETF_JUMP, VIX_JUMP = 0.26, 0.40, 1.0
VIX_LEVELS = (5.0, 150.0)

#: Closes that two sources give for one session may differ by this much, in index points.
_OVERLAP = 0.001


def load_prices(
    tickers: str | Sequence[str] = INDEX, *, start: Any = None, end: Any = None
) -> pd.Series | pd.DataFrame:
    """Return committed daily closes; no network.

    Parameters
    ----------
    tickers : str or sequence of str
        "^GSPC" (S&P 500 index, from 1999), one of the eleven sector funds (XLB ... XLY,
        2024-2025, adjusted for dividends), several of them, or "sectors" for all eleven.
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form.

    Returns
    -------
    Series, shape (T,), or DataFrame, shape (T, tickers)
        One ticker gives a Series named after it; several a DataFrame over their common sessions.
        ``attrs`` holds ``source`` and ``hash`` (of the committed file).

    Raises
    ------
    DataFileError
        When a ticker is not among the committed ones, or a file breaks one of its rules.
    DateError
        When a date cannot be read or no close lies between the two.

    Examples
    --------
    >>> prices = load_prices()
    >>> len(prices), float(prices["2025-05-02"])
    (6957, 5686.67)
    >>> list(load_prices(["XLK", "XLF"], start="2025-01-02").columns)
    ['XLK', 'XLF']
    """
    names = _tickers(tickers)
    if isinstance(tickers, str) and tickers != "sectors":
        return _between(_closes(names[0]), start, end)
    parts = [_closes(name) for name in names]
    closes = pd.concat(parts, axis=1, join="inner")
    for key, separator in (("source", "; "), ("hash", "+")):
        closes.attrs[key] = separator.join(dict.fromkeys(part.attrs[key] for part in parts))
    return _between(closes, start, end)


def load_vix(*, start: Any = None, end: Any = None) -> pd.Series:
    """Return committed daily closes of the Cboe volatility index from 2014; no network.

    Parameters
    ----------
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form.

    Returns
    -------
    Series, shape (T,)
        Annualised volatility in percent, named "^VIX"; ``attrs`` as for `load_prices`.

    Raises
    ------
    DataFileError
        When a file breaks one of its rules.
    DateError
        When a date cannot be read or no close lies between the two.

    Examples
    --------
    >>> float(load_vix()["2025-04-08"])
    52.33
    """
    return _between(_vix(data_hash("vix.csv")), start, end)


def _tickers(tickers: str | Sequence[str]) -> list[str]:
    if isinstance(tickers, str):
        names = list(SECTORS) if tickers == "sectors" else [tickers]
    else:
        try:
            names = list(tickers)
        except TypeError:
            names = [tickers]
    if not names or len(set(map(str, names))) < len(names):
        raise DataFileError(f"tickers={tickers!r} must name at least one ticker, each once")
    for name in names:
        if name == VIX:
            raise DataFileError("'^VIX' is a volatility, not a price: use load_vix()")
        if name != INDEX and name not in SECTORS:
            raise DataFileError(
                f"there are no committed prices of {name!r}: use "
                f"{list_of([INDEX, *SECTORS], 'or')}, or fetch_prices for live ones"
            )
    return names


def _closes(name: str) -> pd.Series:
    if name == INDEX:
        return _index(data_hash("sp500.csv"))
    return _sectors(data_hash("sectors.csv"))[name]


# The digest is the key of these caches: a data file that changed is read again.


@functools.cache
def _index(digest: str) -> pd.Series:
    path = data_path("sp500.csv")
    recent = read_closes(path, ["close"], jump=INDEX_JUMP)["close"]
    closes = _joined(_shipped_by_arch("sp500", "Adj Close"), recent, path.name, INDEX_JUMP)
    closes.attrs = {
        "source": "S&P 500 index, daily closes: arch.data.sp500 to 2017, then data/sp500.csv",
        "hash": digest,
    }
    return closes.rename(INDEX)


@functools.cache
def _vix(digest: str) -> pd.Series:
    path = data_path("vix.csv")
    recent = read_closes(path, ["close"], jump=VIX_JUMP, limits=VIX_LEVELS)["close"]
    closes = _joined(_shipped_by_arch("vix", "vix"), recent, path.name, VIX_JUMP)
    closes.attrs = {
        "source": "Cboe volatility index, daily closes: arch.data.vix to 2018, then data/vix.csv",
        "hash": digest,
    }
    return closes.rename(VIX)


@functools.cache
def _sectors(digest: str) -> pd.DataFrame:
    closes = read_closes(data_path("sectors.csv"), SECTORS, jump=ETF_JUMP)
    closes.attrs = {
        "source": "Select Sector SPDR funds, closes adjusted for dividends: data/sectors.csv",
        "hash": digest,
    }
    return closes


def _shipped_by_arch(name: str, column: str) -> pd.Series:
    """Closes that the arch package ships, read without the second that importing arch takes."""
    package = importlib.util.find_spec("arch")
    path = Path(package.origin).parent / "data" / name / f"{name}.csv.gz"
    closes = pd.read_csv(path, index_col="Date", parse_dates=["Date"], na_values=".")[column]
    return closes.dropna().rename_axis("date")


def _joined(older: pd.Series, recent: pd.Series, name: str, jump: float) -> pd.Series:
    """Put `older` closes in front of `recent` ones, once their overlap agrees."""
    both = older.index.intersection(recent.index)
    apart = (older[both] - recent[both]).abs()
    if both.empty or not (apart <= _OVERLAP).all():
        day = recent.index[0] if both.empty else apart.idxmax()
        raise DataFileError(
            f"{name}: {recent[day]} on {iso(day)} is not the {older.get(day, 'close')} that the "
            "arch package ships: restore the file, or the arch version in constraints.txt"
        )
    closes = pd.concat([older[older.index < recent.index[0]], recent])
    closes.index = closes.index.as_unit("us").rename("date")
    check_closes(closes, name=f"arch.data and {name}", jump=jump)
    return closes


def _between(closes: pd.Series | pd.DataFrame, start: Any, end: Any) -> pd.Series | pd.DataFrame:
    first = closes.index[0] if start is None else parse_date(start)
    last = closes.index[-1] if end is None else parse_date(end)
    if start is not None and end is not None and last < first:
        raise DateError(f"end={iso(last)} comes before start={iso(first)}: swap them")
    part = closes.loc[first:last]
    if part.empty:
        raise DateError(
            f"there is no close from {iso(first)} to {iso(last)}: the prices run from "
            f"{iso(closes.index[0])} to {iso(closes.index[-1])}"
        )
    part.attrs = dict(closes.attrs)
    return part
