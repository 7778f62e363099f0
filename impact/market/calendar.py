"""From the time of an announcement to the session whose close could first reflect it.

The New York Stock Exchange's sessions and closing times come from pandas_market_calendars, which
knows the Saturday sessions until 1952, early closes and one-off closures. A session is a tz-naive
midnight label.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from impact.errors import DateError
from impact.market.checks import check_index
from impact.market.instants import NEW_YORK, parse_date, read_instants
from impact.text.formats import date as in_words
from impact.text.formats import iso

#: Span in which the sessions of the exchange are known or foreseen.
_FIRST, _LAST = pd.Timestamp("1885-01-01"), pd.Timestamp("2100-12-31")
_DAY = pd.Timedelta(days=1)
_SATURDAY = 5
_SATURDAY_CLOSE = pd.Timedelta(hours=12)


# -- the calendar of the exchange ----------------------------------------------------------------


class _Calendar(NamedTuple):
    sessions: pd.DatetimeIndex
    closes: pd.TimedeltaIndex  # from midnight, New York time
    early: np.ndarray


@functools.cache
def _calendar() -> _Calendar:
    import pandas_market_calendars

    nyse = pandas_market_calendars.get_calendar("NYSE")
    sessions = nyse.valid_days(_FIRST, _LAST, tz=None).as_unit("us")
    usual = np.empty(len(sessions), dtype="timedelta64[us]")
    for since, close in nyse.regular_market_times["market_close"]:
        start = 0 if since is None else sessions.searchsorted(pd.Timestamp(since))
        usual[start:] = pd.Timedelta(hours=close.hour, minutes=close.minute)
    usual[sessions.day_of_week == _SATURDAY] = _SATURDAY_CLOSE
    special = nyse.special_dates("market_close", _FIRST, _LAST, filter_holidays=False)
    special = special[special.index.isin(sessions)].dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    closes = usual.copy()
    closes[sessions.get_indexer(special.index)] = (special - special.index).to_numpy()
    return _Calendar(sessions, pd.TimedeltaIndex(closes), closes < usual)


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
    start, end = _known_to_calendar(parse_date(start)), _known_to_calendar(parse_date(end))
    if end < start:
        raise DateError(f"end={iso(end)} comes before start={iso(start)}: swap them")
    sessions = _calendar().sessions
    first, last = sessions.searchsorted(start), sessions.searchsorted(end, side="right")
    return sessions[first:last].rename("date")


def session_close(session: Any) -> pd.Timestamp:
    """Return when trading ends in a session: usually 16:00 New York time, 13:00 on early closes.

    Earlier decades closed earlier (15:00 until 1952, then 15:30; noon on Saturdays).

    Parameters
    ----------
    session : str, date or Timestamp
        Label of a session of the New York Stock Exchange.

    Returns
    -------
    Timestamp
        With time zone America/New_York.

    Raises
    ------
    DateError
        When the exchange has no session on that date.

    Examples
    --------
    >>> session_close("2024-11-29").isoformat()
    '2024-11-29T13:00:00-05:00'
    """
    day = _known_to_calendar(parse_date(session))
    calendar = _calendar()
    row = calendar.sessions.searchsorted(day)
    if row == len(calendar.sessions) or calendar.sessions[row] != day:
        raise DateError(f"the NYSE has no session on {day:%A}, {in_words(day)}: give a trading day")
    return (day + calendar.closes[row]).tz_localize(NEW_YORK)


def _known_to_calendar(day: pd.Timestamp) -> pd.Timestamp:
    if _FIRST <= day <= _LAST:
        return day
    raise DateError(
        f"{iso(day)} lies outside the NYSE calendar: give a date from {iso(_FIRST)} to {iso(_LAST)}"
    )


# -- placing announcements -----------------------------------------------------------------------


def reaction_session(announced_at: Any) -> pd.Timestamp:
    """Return the first NYSE session whose close could reflect an announcement.

    That is the session that is open at the time or opens next; at or after a session's close,
    the next one. A bare date means during that day's session, or the next one if there is none.

    Parameters
    ----------
    announced_at : str, date, datetime, Timestamp or datetime64
        See `parse_announced_at`.

    Raises
    ------
    DateError
        When the time cannot be read, or lies outside 1885-2100.

    Examples
    --------
    >>> reaction_session("2025-04-02T16:00")
    Timestamp('2025-04-03 00:00:00')
    >>> reaction_session("2025-04-09T13:18")
    Timestamp('2025-04-09 00:00:00')
    >>> reaction_session("2025-02-01")
    Timestamp('2025-02-03 00:00:00')
    """
    read = _read([announced_at])
    _known_to_calendar(read.day[0])
    return _next_sessions(read.first)[0]


def first_days(announced_at: Any) -> pd.DatetimeIndex:
    """Return the first day, session or not, whose close could reflect each announcement.

    That is the part of the placement that does not depend on the rows of the returns.

    Examples
    --------
    >>> [str(day.date()) for day in first_days(["2025-02-01", "2025-04-02T16:00"])]
    ['2025-02-01', '2025-04-03']
    """
    return _read(announced_at).first


def place(announced_at: Any, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the row of the returns in which each announcement could first show.

    An instant at or after the NYSE close of its date goes to the first row after that date,
    any other to the first row on or after it; so does a bare date.

    Parameters
    ----------
    announced_at : sequence of str, date, Timestamp or datetime64, shape (n,)
        See `parse_announced_at`. An index of dates is read at once.
    sessions : DatetimeIndex, shape (T,)
        Rows of the returns: increasing tz-naive midnights of any calendar.

    Returns
    -------
    DataFrame, shape (n, 4)
        `announced_at` as given; `session` (NaT when the date lies before the first row or
        nothing follows it); `moved`, why the session is not the date itself: "after the close",
        "early close", "weekend", "holiday", "no row" (the rows lack the NYSE session), or "";
        `date_only`.

    Raises
    ------
    DateError
        When a time cannot be read.
    ReturnsError
        When `sessions` is not an index of increasing tz-naive midnights.

    Examples
    --------
    >>> rows = nyse_sessions("2025-01-02", "2025-12-31")
    >>> place(["2025-04-02T16:00", "2025-02-01"], rows)[["session", "moved"]]
         session            moved
    0 2025-04-03  after the close
    1 2025-02-03          weekend
    """
    check_index(sessions, "sessions")
    read, rows = _read(announced_at), sessions.as_unit("us")
    position = rows.searchsorted(read.first)
    found = (position < len(rows)) & (read.day >= rows[0])
    padded = rows.append(pd.DatetimeIndex([pd.NaT], dtype=rows.dtype))
    session = padded[np.where(found, position, len(rows))]
    return pd.DataFrame(
        {
            "announced_at": np.asarray(announced_at, dtype=object),
            "session": session,
            "moved": pd.array(_reasons(read, session), dtype="str"),
            "date_only": read.date_only,
        }
    )


class _Read(NamedTuple):
    day: pd.DatetimeIndex  # New York date of the announcement
    first: pd.DatetimeIndex  # first date, session or not, whose close could reflect it
    early: np.ndarray  # whether it came after an early close
    date_only: np.ndarray


def _read(announced_at: Any) -> _Read:
    wall, date_only = read_instants(announced_at)
    day = wall.normalize()
    after, early = np.zeros(len(day), dtype=bool), np.zeros(len(day), dtype=bool)
    if not date_only.all():
        calendar = _calendar()
        _known_to_calendar(day[~date_only].min())
        _known_to_calendar(day[~date_only].max())
        row = calendar.sessions.get_indexer(day)
        after = ~date_only & (row >= 0) & np.asarray(wall - day >= calendar.closes[row])
        early = after & calendar.early[row]
    return _Read(day, day.where(~after, day + _DAY), early, date_only)


def _next_sessions(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """First NYSE session on or after each day."""
    sessions = _calendar().sessions
    row = sessions.searchsorted(days)
    return sessions[np.minimum(row, len(sessions) - 1)]


def _reasons(read: _Read, session: pd.DatetimeIndex) -> np.ndarray:
    """Why a session is not the date of the announcement."""
    reasons = np.full(len(session), "", dtype=object)
    moved = np.asarray(session.notna() & (session != read.day))
    if moved.any():
        day, first, early = read.day[moved], read.first[moved], read.early[moved]
        shut = ~day.isin(_calendar().sessions)
        # Rows may follow a calendar with more days than the exchange's; only fewer need a word.
        lacking = np.asarray(session[moved] > _next_sessions(first))
        reasons[moved] = np.select(
            [lacking, early, first != day, shut & (day.day_of_week >= _SATURDAY), shut],
            ["no row", "early close", "after the close", "weekend", "holiday"],
            default="",
        )
    return reasons
