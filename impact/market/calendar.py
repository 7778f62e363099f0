"""From the time of an announcement to the session whose close could first reflect it.

The New York Stock Exchange's sessions and closing times come from pandas_market_calendars, which
knows the Saturday sessions until 1952, early closes and one-off closures. A session is a tz-naive
midnight label; an instant is New York time.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from impact.errors import DateError
from impact.market.dates import NEW_YORK, parse_announced_at, parse_date, wall_times
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
    moment, date_only = parse_announced_at(announced_at)
    wall = moment.tz_localize(None)
    _known_to_calendar(wall.normalize())
    days = pd.DatetimeIndex([wall.normalize()])
    after, _ = _after_close(days, wall - days, np.array([not date_only]))
    return _next_sessions(_first_days(days, after))[0]


def place(announced_at: Sequence[Any], sessions: pd.DatetimeIndex) -> pd.DataFrame:
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
        When a time cannot be read, or `sessions` is not a sorted index of dates.

    Examples
    --------
    >>> rows = nyse_sessions("2025-01-02", "2025-12-31")
    >>> place(["2025-04-02T16:00", "2025-02-01"], rows)[["session", "moved"]]
         session            moved
    0 2025-04-03  after the close
    1 2025-02-03          weekend
    """
    _check_rows(sessions)
    rows = sessions.as_unit("us")
    wall, date_only = wall_times(announced_at)
    days = wall.normalize()
    after, early = _after_close(days, wall - days, ~date_only)
    position = rows.searchsorted(_first_days(days, after))
    found = position < len(rows)
    if len(rows):
        found &= days >= rows[0]
    padded = rows.append(pd.DatetimeIndex([pd.NaT], dtype=rows.dtype))
    session = padded[np.where(found, position, len(rows))]
    return pd.DataFrame(
        {
            "announced_at": np.asarray(announced_at, dtype=object),
            "session": session,
            "moved": pd.array(_reasons(days, session, after, early), dtype="str"),
            "date_only": date_only,
        }
    )


def _check_rows(sessions: pd.DatetimeIndex) -> None:
    if not isinstance(sessions, pd.DatetimeIndex) or sessions.tz is not None:
        raise DateError(
            "sessions must be a DatetimeIndex of tz-naive midnights: give returns.index"
        )
    if not (sessions.is_monotonic_increasing and sessions.is_unique):
        raise DateError("sessions must increase without duplicates: sort the returns by date")
    if (sessions != sessions.normalize()).any():
        raise DateError("sessions must be midnights: use returns.index.normalize()")


def _after_close(
    days: pd.DatetimeIndex, time_of_day: pd.TimedeltaIndex, timed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each time lies at or after the close of its date, and that close is an early one."""
    after, early = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    if not timed.any():
        return after, early
    _known_to_calendar(days[timed].min())
    _known_to_calendar(days[timed].max())
    calendar = _calendar()
    row = calendar.sessions.get_indexer(days)
    after = timed & (row >= 0) & np.asarray(time_of_day >= calendar.closes[row])
    return after, after & calendar.early[row]


def _first_days(days: pd.DatetimeIndex, after: np.ndarray) -> pd.DatetimeIndex:
    """First dates, sessions or not, whose close could reflect announcements on `days`."""
    return days.where(~after, days + _DAY)


def _next_sessions(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """First NYSE session on or after each day."""
    sessions = _calendar().sessions
    row = sessions.searchsorted(days)
    return sessions[np.minimum(row, len(sessions) - 1)]


def _reasons(
    days: pd.DatetimeIndex, session: pd.DatetimeIndex, after: np.ndarray, early: np.ndarray
) -> np.ndarray:
    """Why a session is not the date of the announcement."""
    reasons = np.full(len(days), "", dtype=object)
    moved = np.asarray(session.notna() & (session != days))
    if not moved.any():
        return reasons
    days, session, after, early = days[moved], session[moved], after[moved], early[moved]
    is_session = days.isin(_calendar().sessions)
    weekend = np.asarray(days.day_of_week >= _SATURDAY)
    # Rows may follow a calendar with more days than the exchange's; only fewer need a word.
    lacking = np.asarray(session > _next_sessions(_first_days(days, after)))
    reasons[moved] = np.select(
        [lacking, early, after, ~is_session & weekend, ~is_session],
        ["no row", "early close", "after the close", "weekend", "holiday"],
        default="",
    )
    return reasons
