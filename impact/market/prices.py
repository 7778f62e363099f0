"""The committed history of prices, and the rules that daily closes must pass.

`load_prices`, `load_vix` and `firms_about` never touch the network.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.calendar import nyse_sessions
from impact.market.checks import check_numbers, refuse_values
from impact.market.daily_table import between, read_daily_table
from impact.market.files import data_hash, data_path
from impact.market.instants import parse_date
from impact.market.own_files import is_own_file, own_prices
from impact.text.formats import iso, list_of
from impact.text.nearest import suggested

INDEX, VIX = "^GSPC", "^VIX"

#: What each of the eleven sector funds holds.
SECTORS = {
    "XLB": "Materials",
    "XLC": "Communication",
    "XLE": "Energy",
    "XLF": "Financials",
    "XLI": "Industrials",
    "XLK": "Technology",
    "XLP": "Consumer staples",
    "XLRE": "Real estate",
    "XLU": "Utilities",
    "XLV": "Health care",
    "XLY": "Consumer discretionary",
}
FUNDS = ("GLD", "TLT", "MCHI", "FXI", "EEM", "EFA")

#: Largest believable |log change| from one close to the next. The index fell by .229 on
#: 19 October 1987, Netflix by .433 on 20 April 2022; the VIX doubled on 5 February 2018.
INDEX_JUMP, ETF_JUMP, FIRM_JUMP, VIX_JUMP = 0.26, 0.40, 0.50, 1.0
VIX_LEVELS = (5.0, 150.0)


class _File(NamedTuple):
    """A committed file of closes: what it holds, and the rules of its rows."""

    name: str
    says: str
    jump: float
    start: str | None = None  # first session, unless an earlier one is asked for
    limits: tuple[float, float] | None = None
    blanks: bool = False
    absent: pd.DatetimeIndex | None = None


_ABOUT = "firms_about.csv"
_FUND_CLOSES = "closes adjusted for dividends"
_FILES = {
    INDEX: _File("sp500.csv", "S&P 500 index, daily closes", INDEX_JUMP, "1999-01-04"),
    VIX: _File(
        "vix.csv",
        "Cboe volatility index, daily closes",
        VIX_JUMP,
        limits=VIX_LEVELS,
        absent=pd.DatetimeIndex(["1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"]),
    ),
    # From the first session on which all eleven have a close.
    "sectors": _File(
        "sectors.csv",
        f"Select Sector SPDR funds, {_FUND_CLOSES}",
        ETF_JUMP,
        "2018-06-19",
        blanks=True,
    ),
    "funds": _File("funds.csv", f"exchange-traded funds, {_FUND_CLOSES}", ETF_JUMP, blanks=True),
    "firms": _File(
        "firms.csv",
        f"99 large US firms, members of June 2026, {_FUND_CLOSES}",
        FIRM_JUMP,
        blanks=True,
    ),
}
TABLES = ("sectors", "funds", "firms")


def load_prices(
    tickers: str | Path | Sequence[str] = INDEX, *, start: Any = None, end: Any = None
) -> pd.Series | pd.DataFrame:
    """Return committed daily closes; no network.

    Parameters
    ----------
    tickers : str, Path or sequence of str
        "^GSPC", the S&P 500 index (before March 1957 the S&P 90), in points; or closes in US
        dollars adjusted for dividends and splits: "sectors", the eleven Select Sector SPDR funds
        (XLB ... XLY); "funds" (GLD, TLT, MCHI, FXI, EEM, EFA); "firms", 99 large US firms that
        were in the index in June 2026, so survivors (see `firms_about`). One ticker of a table
        can be asked for alone, and several names together. Or a CSV or Excel file of your own
        (Excel needs the extra ``office``), see `impact.market.own_files.own_prices`.
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form. Without `start` the index begins on 1999-01-04 and
        "sectors" on 2018-06-19, the first session on which all eleven have a close;
        ``start="1927-12-30"`` (``"2005-01-03"`` for the sectors) gives all.

    Returns
    -------
    Series, shape (T,), or DataFrame, shape (T, tickers)
        One ticker gives a Series named after it, from its first close to its last; all else a
        DataFrame over the sessions that every file has. There a column is NaN before its fund
        existed and where no close was found. Until 1952 Saturdays are sessions. ``attrs`` holds
        ``source`` and ``hash`` (of the committed files); those of "sectors" also ``names``, what
        each fund holds.

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
    >>> len(load_prices(start="1927-12-30"))
    25868
    >>> load_prices(["XLK", "GLD"], start="2025-01-02").columns.to_list()
    ['XLK', 'GLD']
    >>> load_prices("sectors").attrs["names"]["XLE"]
    'Energy'
    """
    if is_own_file(tickers):
        return between(own_prices(tickers), start, end)
    parts = [_part(name, table, start, end) for name, table in _asked(tickers)]
    if isinstance(tickers, str) and tickers not in TABLES:
        return between(parts[0].iloc[:, 0].dropna(), start, end)
    closes = pd.concat(parts, axis=1, join="inner").dropna(how="all")
    for key, separator in (("source", "; "), ("hash", "+")):
        closes.attrs[key] = separator.join(dict.fromkeys(part.attrs[key] for part in parts))
    if tickers == "sectors":
        closes.attrs["names"] = dict(SECTORS)
    return between(closes, start, end)


def load_vix(*, start: Any = None, end: Any = None) -> pd.Series:
    """Return committed daily closes of the Cboe volatility index from 1990; no network.

    Parameters
    ----------
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form.

    Returns
    -------
    Series, shape (T,)
        Annualised volatility in percent, named "^VIX"; ``attrs`` as for `load_prices`. Cboe
        published no value on four sessions (1991-03-01, 1997-01-31, 1997-11-26, 1999-12-31):
        they are no rows.

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
    return between(_closes(VIX, data_hash(_FILES[VIX].name))[VIX], start, end)


def firms_about() -> pd.DataFrame:
    """Return what is known of the firms of ``load_prices("firms")``.

    Returns
    -------
    DataFrame, shape (99, 4)
        Indexed by `ticker`: `name`, `sector`, `industry`, and `china_escalation_ar_2018_2019`,
        the mean abnormal return (decimal) on 19 escalations of the trade conflict with China in
        2018 and 2019, NaN for a firm that was not listed then. The firms are members of the S&P
        500 of June 2026: those that were bought, shrank or failed before are not among them.

    Raises
    ------
    DataFileError
        When the file has changed.

    Examples
    --------
    >>> firms_about().loc["NVDA", "sector"]
    'Information Technology'
    """
    return _about(data_hash(_ABOUT)).copy()


def _asked(tickers: Any) -> list[tuple[str, str]]:
    """The tickers and tables asked for, none twice, each with the file that has it."""
    if isinstance(tickers, str) or not hasattr(tickers, "__iter__"):
        tickers = [tickers]
    asked: list[tuple[str, str]] = []
    columns: list[str] = []
    for name in tickers:
        if name == VIX:
            raise DataFileError("'^VIX' is a volatility, not a price: use load_vix()")
        table = _table_of(name)
        if table is None:
            known = [INDEX, *SECTORS, *FUNDS, *firms_about().index]
            raise DataFileError(
                f"there are no committed prices of {name!r}: {suggested(name, known)}; "
                f"use {list_of(map(repr, TABLES), 'or')} for a table, "
                "or fetch_prices for live ones"
            )
        asked.append((name, table))
        columns += _columns(table) if name == table else [name]
    if not columns or len(set(columns)) < len(columns):
        raise DataFileError(f"tickers={tickers!r} must name at least one ticker, each once")
    return asked


def _columns(table: str) -> list[str]:
    """The tickers in a file of closes, in its order."""
    known = {INDEX: [INDEX], VIX: [VIX], "sectors": SECTORS, "funds": FUNDS}
    return list(known[table] if table in known else firms_about().index)


def _table_of(name: Any) -> str | None:
    """The file of closes that has this name, or holds the ticker of this name."""
    return next((table for table in _FILES if name == table or name in _columns(table)), None)


def _part(name: str, table: str, start: Any, end: Any) -> pd.DataFrame:
    """Closes of one ticker or table, from its usual start where no other one is asked for."""
    file = _FILES[table]
    closes = _closes(table, data_hash(file.name))
    part = closes if name == table else closes[[name]]
    if start is None and name == table and file.start is not None:
        if end is not None and parse_date(end) < pd.Timestamp(file.start):
            raise DateError(
                f"end={iso(parse_date(end))} comes before {file.start}, where {name!r} begins "
                f"unless start= says otherwise: give start='{iso(closes.index[0])}' or later"
            )
        part = part.loc[file.start :]
    part.attrs = dict(closes.attrs)
    return part


# The digest is the key of these caches: a data file that changed is read again.


@functools.cache
def _closes(table: str, digest: str) -> pd.DataFrame:
    file = _FILES[table]
    closes = read_committed(table, data_path(file.name))
    closes.attrs = {"source": f"{file.says}: data/{file.name}", "hash": digest}
    return closes


@functools.cache
def _about(digest: str) -> pd.DataFrame:
    about = pd.read_csv(data_path(_ABOUT), index_col="ticker")
    about.attrs = {"source": f"99 large US firms: data/{_ABOUT}", "hash": digest}
    return about


# -- the rules of closes ------------------------------------------------------------------------


def read_committed(table: str, path: Path) -> pd.DataFrame:
    """Read what shall be a committed file of closes, by its rules: see `read_closes`."""
    file, columns = _FILES[table], _columns(table)
    closes = read_closes(
        path,
        ["close"] if columns == [table] else columns,
        jump=file.jump,
        limits=file.limits,
        blanks=file.blanks,
        absent=file.absent,
    )
    return closes.set_axis(columns, axis=1)


def read_closes(
    path: str | Path,
    columns: Sequence[str],
    *,
    jump: float,
    limits: tuple[float, float] | None = None,
    blanks: bool = False,
    absent: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """Read a CSV of closes (date, then `columns`) and check it with `check_closes`.

    `absent` are NYSE sessions that have no row. DataFileError when the file cannot be read or
    breaks a rule; names file, line or date, value and fix.
    """
    path = Path(path)
    closes = read_daily_table(path, columns, blanks=blanks)
    sessions = None
    if absent is not None:
        sessions = nyse_sessions(closes.index.min(), closes.index.max()).difference(absent)
    check_closes(closes, name=path.name, jump=jump, limits=limits, sessions=sessions, blanks=blanks)
    return closes


def check_closes(
    closes: pd.Series | pd.DataFrame,
    *,
    name: str,
    jump: float,
    limits: tuple[float, float] | None = None,
    sessions: pd.DatetimeIndex | None = None,
    blanks: bool = False,
) -> None:
    """Raise when daily closes break a rule: exactly the sessions, positive, no wild jump.

    `jump` is the largest |log change| allowed from one close to the next, `limits` the lowest and
    highest level. `sessions` are those that the index must equal, every NYSE session of its span by
    default. With `blanks` a security may have no close before its first and after its last one.
    DataFileError at the first rule broken; names the date, the value and the fix.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-04-07", "2025-04-08", "2025-04-09"])
    >>> closes = pd.Series([5062.25, 4982.77, 5456.90], index=days)
    >>> check_closes(closes, name="my closes", jump=0.26)
    >>> check_closes(closes.drop(days[1]), name="my closes", jump=0.26)
    Traceback (most recent call last):
    impact.errors.DataFileError: my closes: the session 2025-04-08 is missing: add its row
    """
    frame = check_numbers(closes, name, DataFileError)
    check_sessions(frame.index, name, sessions)
    values = frame.to_numpy()

    def refuse(bad: np.ndarray, reason: str) -> None:
        fix = f"{reason}: put the published close there"
        refuse_values(frame, bad, name, fix, DataFileError)

    good = np.isfinite(values) & (values > 0)
    if blanks:
        begun = np.maximum.accumulate(good)
        begun &= np.maximum.accumulate(good[::-1])[::-1]
        good |= np.isnan(values) & ~begun
    refuse(~good, "is not a positive number")
    if limits is not None:
        low, high = limits
        refuse((values < low) | (values > high), f"lies outside {low:g} to {high:g}")
    bad = np.abs(np.diff(np.log(values), axis=0, prepend=np.nan)) > jump
    if bad.any():
        row, column = np.argwhere(bad)[0]
        refuse(bad, f"follows {values[row - 1, column]:g}, a log change beyond ±{jump:g}")


def check_sessions(
    index: pd.DatetimeIndex, name: str, sessions: pd.DatetimeIndex | None = None
) -> None:
    """Raise unless an index is exactly `sessions`, by default every NYSE session of its span."""
    if sessions is None:
        sessions = nyse_sessions(index[0], index[-1])
    extra = index[~index.isin(sessions)]
    if len(extra):
        raise DataFileError(
            f"{name}: {iso(extra[0])}, a {extra[0]:%A}, is not a session: delete its row"
        )
    missing = sessions[~sessions.isin(index)]
    if len(missing):
        more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        raise DataFileError(f"{name}: the session {iso(missing[0])}{more} is missing: add its row")
