"""The sessions of a market, and when each of them ends.

Sessions and closing times come from pandas_market_calendars, which knows early closes, one-off
closures and the Saturday sessions of New York until 1952. A session is a tz-naive midnight label.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from impact.errors import DateError, ReturnsError
from impact.market.instants import NEW_YORK, parse_date
from impact.market.row_labels import check_labels, has_shifted_labels
from impact.text.formats import counted, iso, list_of
from impact.text.formats import date as in_words
from impact.text.nearest import suggestion

NYSE = "NYSE"

#: Spans in which the sessions of New York, and of other markets, are known or foreseen.
_NYSE_SPAN = (pd.Timestamp("1885-01-01"), pd.Timestamp("2100-12-31"))
_SPAN = (pd.Timestamp("1990-01-01"), pd.Timestamp("2050-12-31"))
_SATURDAY = 5
_SATURDAY_CLOSE = pd.Timedelta(hours=12)

#: The calendar by ISO code is the better one where there are two: HKEX has no half days, JPX false
#: sessions before 1999. Before 1970 it is NYSE that is right, and XNYS is not.
_BETTER = {
    "ASX": "XASX",
    "B3": "BVMF",
    "BMF": "BVMF",
    "BSE": "XBOM",
    "HKEX": "XHKG",
    "JPX": "XTKS",
    "LSE": "XLON",
    "NASDAQ": NYSE,
    "NSE": "XNSE",
    "OSE": "XOSL",
    "SIX": "XSWX",
    "SSE": "XSHG",
    "TASE": "XTAE",
    "TSX": "XTSE",
    "XNYS": NYSE,
}

#: Rows that no market is named for are compared with these.
_WELL_KNOWN = (*("XETR", "XLON", "XPAR", "XSWX", "XTKS", "XHKG", "XSHG", "XTSE", "XASX", "24/7"),)
#: Tel Aviv's week began on a Sunday, and no other exchange keeps its holidays, which the calendar
#: by ISO code lacks.
_SUNDAYS = "TASE"

#: A larger share of rows that are not sessions of a market belongs to another one; with weekend
#: rows of an exchange that was not named, less is allowed.
_STRANGE, _STRANGE_SUNDAYS = 0.1, 0.02


@dataclass(frozen=True, eq=False)
class Market:
    """The sessions of one market.

    Attributes
    ----------
    name : str
        "NYSE", "XETR", "24/7" or "Europe/Berlin 17:30"; "" where rows belong to no known market.
    zone : str
        Time zone of its days.
    sessions : DatetimeIndex, shape (S,)
        From a calendar; the rows themselves for a market that has none.
    closes : DatetimeIndex, shape (S,), or None
        When each session ends, tz-naive UTC; None where it is not known.
    early : ndarray of bool, shape (S,)
        Whether it ends earlier than usual.
    has_calendar : bool
        Whether a session that is no row is known to be missing.
    """

    name: str
    zone: str
    sessions: pd.DatetimeIndex
    closes: pd.DatetimeIndex | None
    early: np.ndarray
    has_calendar: bool

    def known(self, day: pd.Timestamp) -> pd.Timestamp:
        """Return a date that lies within the calendar."""
        first, last = _NYSE_SPAN if self.name == NYSE else _SPAN
        if self.has_calendar and not first <= day <= last:
            raise DateError(
                f"{iso(day)} lies outside the {self.name} calendar: give a date from {iso(first)} "
                f"to {iso(last)}"
            )
        return day

    def reaction(
        self, instants: pd.DatetimeIndex, date_only: np.ndarray
    ) -> tuple[pd.DatetimeIndex, np.ndarray]:
        """Return the day of each announcement, and the first session that could reflect it.

        Instants are in New York time, as `zoned_instants` reads them, with `date_only` where they
        are bare dates; the others need `closes`. Returned are dates in the zone of the market, and
        rows of `sessions`: the first that ends after an instant, or the first on or after a date;
        one past the last for none.
        """
        day = instants.tz_localize(None).normalize()
        row = self.sessions.searchsorted(day)
        if date_only.all():
            return day, row
        assert self.closes is not None
        universal = instants.tz_convert("UTC").tz_localize(None)
        local = instants.tz_convert(self.zone).tz_localize(None).normalize()
        after = self.closes.searchsorted(universal, side="right")
        return day.where(date_only, local), np.where(date_only, row, after)


#: What an argument ``market=`` may be.
MarketLike = str | tuple[str, str] | Market | None


# -- calendars of exchanges ----------------------------------------------------------------------


def exchange(name: str) -> Market:
    """Return the sessions of an exchange of pandas_market_calendars, or of "24/7".

    A session of "24/7" ends at 00:00 UTC. DateError when there is no such exchange; the nearest are
    named.

    Examples
    --------
    >>> xetra = exchange("XETR")
    >>> xetra.zone, str(xetra.closes[xetra.sessions.get_loc("2024-12-30")])
    ('Europe/Berlin', '2024-12-30 13:00:00')
    """
    known = _names()
    found = known.get(name.lower())
    if found is None:
        nearest = suggestion(name, known.values())
        raise DateError(
            f"market={name!r} is not an exchange of pandas_market_calendars: the nearest are "
            f"{nearest}; or give its time zone and close, ('Europe/Berlin', '17:30')"
        )
    return _exchange(_BETTER.get(found, found))


@functools.cache
def _names() -> dict[str, str]:
    import pandas_market_calendars

    names = [*pandas_market_calendars.get_calendar_names(), *_BETTER]
    return {name.lower(): name for name in names}


@functools.cache
def _exchange(name: str) -> Market:
    import pandas_market_calendars

    first, last = _NYSE_SPAN if name == NYSE else _SPAN
    with warnings.catch_warnings():
        # Not ours: calendars warn of pandas' changes, and Seoul's of its old lunch break.
        warnings.simplefilter("ignore")
        calendar = pandas_market_calendars.get_calendar(name)
        try:
            sessions = calendar.valid_days(first, last, tz=None).as_unit("us")
            special = calendar.special_dates("market_close", first, last, filter_holidays=False)
            usual_closes = calendar.regular_market_times["market_close"]
        except (NotImplementedError, KeyError):
            raise DateError(
                f"pandas_market_calendars names {name!r} and has no calendar for it: give its time "
                "zone and close, as market=('Europe/Berlin', '17:30')"
            ) from None
    zone = str(calendar.tz)
    usual = np.empty(len(sessions), dtype="timedelta64[us]")
    for since, close, *days_later in usual_closes:
        start = 0 if since is None else sessions.searchsorted(pd.Timestamp(since))
        usual[start:] = _from_midnight(close) + pd.Timedelta(days=sum(days_later))
    if name == NYSE:
        usual[sessions.day_of_week == _SATURDAY] = _SATURDAY_CLOSE
    closes = usual.copy()
    special = special[special.index.isin(sessions)]
    if len(special):
        local = special.dt.tz_convert(zone).dt.tz_localize(None)
        closes[sessions.get_indexer(special.index)] = (local - local.index).to_numpy()
    return Market(name, zone, sessions, _utc(sessions + closes, zone), closes < usual, True)


def _from_midnight(clock: time) -> pd.Timedelta:
    return pd.Timedelta(hours=clock.hour, minutes=clock.minute)


def _utc(wall: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    """Wall-clock times as UTC; of an hour that comes twice the second."""
    twice = np.zeros(len(wall), dtype=bool)
    local = wall.tz_localize(zone, ambiguous=twice, nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None)


def nyse_sessions(start: Any, end: Any) -> pd.DatetimeIndex:
    """Return every session of the New York Stock Exchange from `start` to `end`, both included.

    Parameters
    ----------
    start, end : str, date or Timestamp
        ISO dates from 1885 to 2100. Future sessions follow today's holiday rules.

    Returns
    -------
    DatetimeIndex
        tz-naive midnights, named "date". Saturday sessions until 1952 are among them.

    Raises
    ------
    DateError
        When a date cannot be read, lies outside 1885-2100, or `end` comes before `start`.

    Examples
    --------
    >>> [str(session.date()) for session in nyse_sessions("2025-01-08", "2025-01-10")]
    ['2025-01-08', '2025-01-10']
    >>> len(nyse_sessions("2026-01-01", "2026-12-31"))
    251
    """
    nyse = exchange(NYSE)
    start, end = nyse.known(parse_date(start)), nyse.known(parse_date(end))
    if end < start:
        raise DateError(f"end={iso(end)} comes before start={iso(start)}: swap them")
    first = nyse.sessions.searchsorted(start)
    last = nyse.sessions.searchsorted(end, side="right")
    return nyse.sessions[first:last].rename("date")


def session_closes(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return when trading ends in sessions of the New York Stock Exchange, in its time zone.

    That is usually at 16:00, on early closes at 13:00. Earlier decades closed earlier (15:00 until
    1952, then 15:30; noon on Saturdays). DateError when there is no session on a date.

    Examples
    --------
    >>> session_closes(pd.to_datetime(["2024-11-27", "2024-11-29"])).hour.to_list()
    [16, 13]
    """
    nyse = exchange(NYSE)
    row = nyse.sessions.get_indexer(sessions)
    if (row < 0).any():
        day = sessions[row < 0][0]
        raise DateError(f"the NYSE has no session on {day:%A}, {in_words(day)}: give a trading day")
    assert nyse.closes is not None
    return nyse.closes[row].tz_localize("UTC").tz_convert(NEW_YORK)


# -- the market that rows belong to --------------------------------------------------------------


def market_of(rows: pd.DatetimeIndex, market: MarketLike = None, name: str = "sessions") -> Market:
    """Return the market whose sessions the rows are: increasing tz-naive midnights.

    The market is an exchange of pandas_market_calendars; "24/7", whose days end at 00:00 UTC; or a
    time zone and the time at which every row closes, as ("Europe/Berlin", "17:30"). Left out, rows
    that all are sessions of the NYSE are those of the NYSE; any others are of no known market, on
    which dates can be placed and clock times cannot. `name` is what a message calls the rows.

    DateError when there is no such market; ReturnsError when a tenth of the rows are not sessions
    of the market that is named, or weekend rows show that the labels are another zone's midnights.

    Examples
    --------
    >>> rows = pd.bdate_range("2025-04-01", "2025-04-30")
    >>> market_of(rows.drop("2025-04-18")).name, market_of(rows).name
    ('NYSE', '')
    >>> market_of(rows, ("Europe/Berlin", "17:30")).name
    'Europe/Berlin 17:30'
    """
    if isinstance(market, Market):
        return market
    rows = rows.as_unit("us")
    no_early = np.zeros(len(rows), dtype=bool)
    if isinstance(market, str):
        return _named(rows, exchange(market), name)
    if market is not None:
        zone, clock = _zone_and_close(market)
        closes = _utc(rows + _from_midnight(clock), zone)
        return Market(f"{zone} {clock:%H:%M}", zone, rows, closes, no_early, False)
    if (nyse := exchange(NYSE)).sessions.get_indexer(rows).min() >= 0:
        return nyse
    if has_shifted_labels(rows):
        strange = _exchange(_SUNDAYS).sessions.get_indexer(rows) < 0
        if strange.mean() > _STRANGE_SUNDAYS:
            check_labels(rows, name)
    return Market("", NEW_YORK, rows, None, no_early, False)


def _named(rows: pd.DatetimeIndex, market: Market, name: str) -> Market:
    strange = rows[(market.sessions.get_indexer(rows) < 0) & (rows >= market.sessions[0])]
    if len(strange) > _STRANGE * len(rows):
        check_labels(rows, name)
        raise ReturnsError(
            f"{name}: {counted(len(strange), 'row')} of {len(rows):,}, such as {iso(strange[0])}, "
            f"a {strange[0]:%A}, are not sessions of market={market.name!r}: drop them, or name "
            "the market that they belong to"
        )
    return market


def _zone_and_close(market: Any) -> tuple[str, time]:
    try:
        zone, close = market
        clock = close if isinstance(close, time) else time.fromisoformat(close)
        return ZoneInfo(zone).key, clock
    except (TypeError, ValueError, ZoneInfoNotFoundError, OSError):
        raise DateError(
            f"market={market!r} is not a market: give an exchange such as 'XETR', '24/7', or a "
            "time zone and a close such as ('Europe/Berlin', '17:30')"
        ) from None


def likely_exchanges(rows: pd.DatetimeIndex) -> str:
    """Say which exchanges' sessions lie nearest to the rows of the last two years.

    Examples
    --------
    >>> likely_exchanges(pd.date_range("2025-01-01", "2025-06-30"))
    "their nearest is '24/7'"
    >>> likely_exchanges(pd.bdate_range("2025-01-01", "2025-06-30"))
    "they hold every weekday, holidays too: name that of the prices, such as 'NYSE' or 'XETR'"
    """
    recent = rows[rows >= rows[-1] - pd.Timedelta(days=730)].as_unit("us")
    apart = {}
    for name in _WELL_KNOWN:
        sessions = exchange(name).sessions
        span = sessions[(sessions >= recent[0]) & (sessions <= recent[-1])]
        apart[name] = len(span.symmetric_difference(recent))
    best = min(apart.values())
    if best and recent.equals(pd.bdate_range(recent[0], recent[-1], unit="us")):
        known = "name that of the prices, such as 'NYSE' or 'XETR'"
        return f"they hold every weekday, holidays too: {known}"
    near = [name for name in sorted(apart, key=apart.__getitem__) if apart[name] <= best + 4]
    return f"their nearest is {list_of(map(repr, near[:3]), 'or')}"
