"""Five-minute prices: read, checked, and laid out as sessions by clock time.

A bar is labelled by its end, in New York time: the price of 09:35 is the last one before 09:35.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from impact.errors import BarsError
from impact.market.bar_rules import check_label, check_regular, check_rows, check_values
from impact.market.calendar import nyse_sessions, session_closes
from impact.market.clock_time import CLOSE, COLUMNS, FIRST_MINUTE, MINUTES, OPEN
from impact.market.files import data_hash, data_path
from impact.market.instants import NEW_YORK
from impact.market.prices import INDEX, SECTORS, load_prices
from impact.text.files import decoded, read_whole
from impact.text.formats import iso, percent

_FILE = "spy_5min.csv"
_SPY = "SPY"
_HEADER = ["time", "close"]
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")

#: Daily changes of the bars may differ by this much, in the median, from the committed closes of
#: the same security (SPY and the index: .0003); so many changes in common are needed to say so.
_APART, _ENOUGH = 0.0015, 20


def load_bars(path: str | Path | None = None, *, security: str = _SPY) -> pd.Series:
    """Return five-minute prices, checked; no network.

    Parameters
    ----------
    path : str or Path, optional
        A CSV of your own with the columns ``time`` and ``close``: the end of the five minutes
        (New York time, or with an offset) and the last price. Sessions need every bar of regular
        hours, 09:35 to 16:00 (13:00 where trading ends early); prices from 04:05 to 20:00 are
        taken where they are, and a price at 09:30 alone before them is the opening one. By
        default the committed prices of SPY, October 2024 to April 2026.
    security : str, default "SPY"
        Whose prices they are. Those of SPY and of the eleven sector funds are compared with the
        committed daily closes, from twenty sessions on.

    Returns
    -------
    Series, shape (bars,)
        US dollars, named after the security, indexed by ``time``, tz-aware (New York).
        ``attrs`` holds ``source``, ``hash`` and ``security``.

    Raises
    ------
    BarsError
        If the file cannot be read, or its bars break a rule: another length, labelled by their
        start, in another time zone, twice, out of order, outside trading hours, a missing
        regular bar, a wild jump, another security than the one named, or daily prices.
    DataFileError
        If the committed file has changed.

    Examples
    --------
    >>> bars = load_bars()
    >>> len(bars), float(bars["2025-04-09 13:15"]), float(bars["2025-04-09 13:50"])
    (56868, 502.41, 530.67)
    """
    if path is None:
        if security != _SPY:
            raise BarsError(
                f"the committed bars are of SPY, not of {security!r}: give the path of your own"
            )
        return _committed(data_hash(_FILE)).copy()
    if not isinstance(path, str | Path):
        raise BarsError(f"path={path!r} is not a path: name a CSV of five-minute prices")
    return _read(Path(path), security)


@functools.cache
def _committed(digest: str) -> pd.Series:
    """Return the committed bars; the key makes a changed file read again."""
    bars = _read(data_path(_FILE), _SPY)
    bars.attrs = {"source": f"SPY, five-minute prices: data/{_FILE}", "hash": digest}
    bars.attrs["security"] = _SPY
    return bars


# -- the grid ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class BarGrid:
    """Five-minute prices as sessions by clock time.

    Attributes
    ----------
    sessions : DatetimeIndex, shape (n,)
        tz-naive midnights.
    log_price : ndarray, shape (n, 192)
        Columns are the bars that end at 04:05, 04:10, ..., 20:00. NaN before a session's first
        price and after its last; between them a bar without a trade carries the price before it.
    close : ndarray of int, shape (n,)
        Column of the bar that ends when regular trading ends: 16:00, or 13:00 on half days.
    """

    sessions: pd.DatetimeIndex
    log_price: np.ndarray
    close: np.ndarray

    @functools.cached_property
    def _bars(self) -> tuple[np.ndarray, np.ndarray]:
        """Flat position of every bar that exists, and when it ended (New York wall clock)."""
        flat = np.flatnonzero(np.isfinite(self.log_price))
        row, column = np.divmod(flat, COLUMNS)
        minutes = (FIRST_MINUTE + MINUTES * column).astype("timedelta64[m]")
        return flat, self.sessions.to_numpy().astype("datetime64[us]")[row] + minutes

    @functools.cached_property
    def half_day(self) -> np.ndarray:
        """Whether trading ended early, shape (n,)."""
        return self.close < CLOSE

    @functools.cached_property
    def first(self) -> np.ndarray:
        """Column of each session's first bar, shape (n,)."""
        return np.isfinite(self.log_price).argmax(axis=1)

    @functools.cached_property
    def last(self) -> np.ndarray:
        """Column of each session's last bar, shape (n,)."""
        return COLUMNS - 1 - np.isfinite(self.log_price[:, ::-1]).argmax(axis=1)

    @functools.cached_property
    def follows(self) -> np.ndarray:
        """Whether each session but the first came next on the exchange, shape (n - 1,)."""
        every = nyse_sessions(self.sessions[0], self.sessions[-1])
        return np.diff(every.get_indexer(self.sessions)) == 1

    def last_bar(self, wall: pd.Timestamp) -> Bar | None:
        """Return the last bar that ended at or before a New York wall-clock time."""
        flat, ends = self._bars
        found = int(ends.searchsorted(np.datetime64(wall), side="right")) - 1
        return Bar(*map(int, divmod(flat[found], COLUMNS))) if found >= 0 else None

    def first_bar(self, wall: pd.Timestamp) -> Bar | None:
        """Return the first bar that ended at or after a New York wall-clock time."""
        flat, ends = self._bars
        found = int(ends.searchsorted(np.datetime64(wall)))
        return Bar(*map(int, divmod(flat[found], COLUMNS))) if found < len(flat) else None

    def time(self, bar: Bar) -> pd.Timestamp:
        """Return when a bar ended, in New York time."""
        minutes = pd.Timedelta(minutes=FIRST_MINUTE + MINUTES * bar.column)
        return (self.sessions[bar.row] + minutes).tz_localize(NEW_YORK)

    def price(self, bar: Bar) -> float:
        """Return the log price at the end of a bar."""
        return float(self.log_price[bar.row, bar.column])

    def regular_hours(self) -> BarGrid:
        """Return the grid without what lies before 09:30 or after the close.

        The price of 09:30 stays where every session has one.
        """
        column = np.arange(COLUMNS)
        opening = OPEN if np.isfinite(self.log_price[:, OPEN]).all() else OPEN + 1
        regular = (column >= opening) & (column <= self.close[:, None])
        return replace(self, log_price=np.where(regular, self.log_price, np.nan))


class Bar(NamedTuple):
    """Where a bar stands in a grid."""

    row: int
    column: int


def bar_grid(bars: pd.Series) -> BarGrid:
    """Check five-minute prices and lay them out as sessions by clock time.

    The prices have a tz-aware index, the ends of their bars. BarsError as for `load_bars`.

    Examples
    --------
    >>> grid = bar_grid(load_bars()["2025-05-01":"2025-05-02"])
    >>> grid.log_price.shape, grid.time(Bar(0, 0)).isoformat()
    ((2, 192), '2025-05-01T04:05:00-04:00')
    """
    if not isinstance(bars, pd.Series):
        raise BarsError(
            f"bars must be a Series of prices by time, not {type(bars).__name__}: use load_bars()"
        )
    if not isinstance(bars.index, pd.DatetimeIndex):
        raise BarsError("bars must be indexed by the time at which each bar ends: use load_bars()")
    if bars.index.tz is None:
        raise BarsError(
            "the times of the bars have no time zone: use .tz_localize('America/New_York'), or "
            "'UTC' if they are in UTC"
        )
    wall = bars.index.tz_convert(NEW_YORK).tz_localize(None)
    return _grid(wall, bars.to_numpy(), security_of(bars))


def security_of(bars: pd.Series) -> str:
    """Return whose prices they are: what `load_bars` wrote down, or the name of the series."""
    return str(bars.attrs.get("security", bars.name))


def bars_hash(bars: pd.Series) -> str:
    """Return the hash that `load_bars` wrote down, or one of the times and prices."""
    if "hash" in bars.attrs:
        return bars.attrs["hash"]
    content = bars.index.asi8.tobytes() + bars.to_numpy(float).tobytes()
    return hashlib.sha256(content).hexdigest()[:12]


def _grid(wall: pd.DatetimeIndex, values: np.ndarray, security: str) -> BarGrid:
    check_rows(wall)
    days = wall.normalize()
    sessions = days.unique()
    row = sessions.get_indexer(days)
    minutes = ((wall - days) // pd.Timedelta(minutes=1)).to_numpy()
    column = (minutes - FIRST_MINUTE) // MINUTES
    there = np.zeros((len(sessions), COLUMNS), dtype=bool)
    there[row, column] = True
    closes = session_closes(sessions)
    close = ((60 * closes.hour + closes.minute).to_numpy() - FIRST_MINUTE) // MINUTES
    check_regular(sessions, there, close)
    prices = check_values(wall, values)
    log_price = np.full(there.shape, np.nan)
    log_price[row, column] = np.log(prices)
    check_label(log_price)
    # Inside a session a bar without a trade carries the price before it.
    carried = pd.DataFrame(log_price).ffill(axis=1, limit_area="inside").to_numpy()
    grid = BarGrid(sessions, carried, close)
    _check_security(grid, security)
    return grid


def _check_security(grid: BarGrid, security: str) -> None:
    """Refuse prices whose daily changes are not those of the security that they are said to be."""
    if security != _SPY and security not in SECTORS:
        return
    committed = load_prices(INDEX if security == _SPY else security)
    last = grid.log_price[np.arange(len(grid.sessions)), grid.close]
    ours = pd.Series(last, grid.sessions)
    both = ours.index.intersection(committed.index)
    apart = (ours[both].diff() - np.log(committed[both]).diff()).abs().dropna()
    if len(apart) >= _ENOUGH and (typical := float(apart.median())) > _APART:
        raise BarsError(
            f"these are not prices of {security}: their daily changes differ from its closes by "
            f"{percent(typical, signed=False)} in the median, as on {iso(apart.idxmax())}: "
            "name the security that they are of, as in load_bars(path, security='QQQ')"
        )


# -- a file --------------------------------------------------------------------------------------


def _read(path: Path, security: str) -> pd.Series:
    content = read_whole(path, BarsError)
    table = _table(path.name, decoded(content, path.name, BarsError))
    wall = _wall(table["time"], path.name)
    prices = pd.to_numeric(table["close"], errors="coerce")
    if prices.isna().any():
        row = int(prices.isna().argmax())
        raise BarsError(
            f"{path.name} line {row + 2} ({table['time'][row]}): {table['close'][row]!r} is not a "
            "price: give a number with a decimal point"
        )
    try:
        _grid(wall, prices.to_numpy(float), security)
    except BarsError as error:
        raise BarsError(f"{path.name}: {error}") from None
    bars = pd.Series(prices.to_numpy(float), wall.tz_localize(NEW_YORK), name=security)
    digest = hashlib.sha256(content).hexdigest()[:12]
    bars.attrs = {"source": path.name, "hash": digest, "security": security}
    return bars


def _table(name: str, text: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    except ValueError as error:
        raise BarsError(f"{name} is not a CSV of time,close: {error}") from None
    if list(table.columns) != _HEADER or table.empty:
        found = ",".join(map(str, table.columns))
        raise BarsError(
            f"{name} has {len(table):,} rows under the header {found!r}: make the header "
            f"{','.join(_HEADER)!r}, one row a bar"
        )
    return table


def _wall(texts: pd.Series, name: str) -> pd.DatetimeIndex:
    """Return New York wall-clock times; refuse texts that are none, and zones that are mixed."""
    zoned = texts.str.contains(_OFFSET).to_numpy(bool)
    alike = texts.where(zoned == zoned[0], "")
    times = pd.to_datetime(alike, format="ISO8601", errors="coerce", utc=bool(zoned[0]))
    if (bad := times.isna()).any():
        row = int(bad.argmax())
        raise BarsError(
            f"{name} line {row + 2}: {texts[row]!r} is not a time like 2025-05-02T09:35 (New York "
            "time) or 2025-05-02T09:35-04:00, all in one form: write it so"
        )
    index = pd.DatetimeIndex(times, name="time").as_unit("us")
    return index.tz_convert(NEW_YORK).tz_localize(None) if index.tz else index
