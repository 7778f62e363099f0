"""The committed history of prices, and the rules that daily closes must pass.

`load_prices` and `load_vix` never touch the network.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.calendar import nyse_sessions
from impact.market.checks import check_numbers, refuse_values
from impact.market.files import data_hash, data_path
from impact.market.instants import parse_date, read_instants
from impact.market.own_files import is_own_file, own_prices
from impact.text.formats import counted, iso, list_of

INDEX, VIX = "^GSPC", "^VIX"
SECTORS = ("XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE", "XLU", "XLV", "XLY")

#: Largest believable |log change| from one close to the next. The index fell by .229 on
#: 19 October 1987; the VIX doubled on 5 February 2018.
INDEX_JUMP, ETF_JUMP, VIX_JUMP = 0.26, 0.40, 1.0
VIX_LEVELS = (5.0, 150.0)

#: Closes that two sources give for one session may differ by this much, in index points.
_OVERLAP = 0.001


def load_prices(
    tickers: str | Path | Sequence[str] = INDEX, *, start: Any = None, end: Any = None
) -> pd.Series | pd.DataFrame:
    """Return committed daily closes; no network.

    Parameters
    ----------
    tickers : str, Path or sequence of str
        "^GSPC" (S&P 500 index, from 1999), one of the eleven sector funds (XLB ... XLY,
        2024-2025, adjusted for dividends), several of them, or "sectors" for all eleven; or a
        CSV or Excel file of your own (Excel needs the extra ``office``), see
        `impact.market.own_files.own_prices`.
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
    if is_own_file(tickers):
        return _between(own_prices(tickers), start, end)
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


def _tickers(tickers: Any) -> list[str]:
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
    path = distribution("arch").locate_file(f"arch/data/{name}/{name}.csv.gz")
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


# -- the rules of closes ------------------------------------------------------------------------


def read_closes(
    path: str | Path,
    columns: Sequence[str],
    *,
    jump: float,
    limits: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Read a CSV of closes (date, then `columns`) and check it with `check_closes`.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        Names that must follow "date" in the header, in this order.
    jump, limits
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
    try:
        days, date_only = read_instants([row[0] for row in rows])
        values = np.array([row[1:] for row in rows], dtype=float)
    except (DateError, ValueError):
        raise _first_wrong(path.name, rows) from None
    if not date_only.all():
        raise _first_wrong(path.name, rows)
    closes = pd.DataFrame(values, days.rename("date"), list(columns))
    check_closes(closes, name=path.name, jump=jump, limits=limits)
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


def _first_wrong(name: str, rows: list[list[str]]) -> DataFileError:
    """Return what is wrong with the first row that cannot be read."""
    for line, (day, *closes) in enumerate(rows, start=2):
        try:
            parse_date(day)
            np.array(closes, dtype=float)
        except DateError as error:
            return DataFileError(f"{name} line {line}: {error}")
        except ValueError:
            break
    return DataFileError(
        f"{name} line {line} ({day}): {','.join(closes)!r} is not a close: "
        "give numbers with a decimal point"
    )


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
    frame = check_numbers(closes, name, DataFileError)
    _check_sessions(frame.index, name, sessions)
    values = frame.to_numpy()

    def refuse(bad: np.ndarray, reason: str) -> None:
        fix = f"{reason}: put the published close there"
        refuse_values(frame, bad, name, fix, DataFileError)

    refuse(~(np.isfinite(values) & (values > 0)), "is not a positive number")
    if limits is not None:
        low, high = limits
        refuse((values < low) | (values > high), f"lies outside {low:g} to {high:g}")
    bad = np.abs(np.diff(np.log(values), axis=0, prepend=np.nan)) > jump
    if bad.any():
        row, column = np.argwhere(bad)[0]
        refuse(bad, f"follows {values[row - 1, column]:g}, a log change beyond ±{jump:g}")


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
