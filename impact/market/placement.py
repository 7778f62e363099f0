"""From the time of an announcement to the session whose close could first reflect it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DateError
from impact.market.calendar import (
    NYSE,
    Market,
    MarketLike,
    exchange,
    likely_exchanges,
    market_of,
)
from impact.market.checks import check_index
from impact.market.instants import zoned_instants
from impact.market.windows import Window
from impact.text.formats import iso

_SATURDAY = 5

#: No exchange that lacks a calendar here is taken to have been shut for longer than over Easter.
_LONGEST_CLOSURE = pd.Timedelta(days=5)


def reaction_session(announced_at: Any, market: str = NYSE) -> pd.Timestamp:
    """Return the first session of a market whose close could reflect an announcement.

    That is the session that is open at the time or opens next; at or after a session's close,
    the next one. A bare date means during that day's session, or the next one if there is none.

    Parameters
    ----------
    announced_at : str, date, datetime, Timestamp or datetime64
        See `impact.market.instants.parse_announced_at`; without a time zone New York time.
    market : str, default "NYSE"
        An exchange of pandas_market_calendars such as "XETR" or "XTKS", or "24/7", whose days end
        at 00:00 UTC.

    Raises
    ------
    DateError
        When the time cannot be read, or lies outside the calendar; when there is no such market.

    Examples
    --------
    >>> reaction_session("2025-04-02T16:00")
    Timestamp('2025-04-03 00:00:00')
    >>> reaction_session("2025-04-09T13:18")
    Timestamp('2025-04-09 00:00:00')
    >>> reaction_session("2025-04-09T13:18", market="XETR")
    Timestamp('2025-04-10 00:00:00')
    >>> reaction_session("2025-02-01")
    Timestamp('2025-02-03 00:00:00')
    """
    if not isinstance(market, str):
        raise DateError(
            f"market={market!r} has no calendar: name an exchange, or use align(), whose rows are "
            "the sessions"
        )
    found = exchange(market)
    day, row = found.reaction(*zoned_instants([announced_at]))
    found.known(day[0])
    return found.sessions[min(row[0], len(found.sessions) - 1)]


def place(announced_at: Any, sessions: pd.DatetimeIndex, market: MarketLike = None) -> pd.DataFrame:
    """Return the row of the returns in which each announcement could first show.

    An announcement never slides to a later row than its session: where the rows lack that session
    it has none. `sessions` are the rows: increasing tz-naive midnights; see `market_of` for the
    market. DateError when a time cannot be read, or has a clock and the market is not known;
    ReturnsError when the rows are no daily sessions of one market.

    Returns
    -------
    DataFrame, shape (n, 5)
        `announced_at` as given; `session`, NaT for none; `moved`, why the session is not the date
        itself: "after the close", "early close", "weekend", "holiday", or ""; `date_only`;
        `lost`, why there is no session: "before", "after" (outside the rows), a sentence, or "".

    Examples
    --------
    >>> from impact.market.calendar import nyse_sessions
    >>> rows = nyse_sessions("2025-01-02", "2025-12-31")
    >>> place(["2025-04-02T16:00", "2025-02-01"], rows)[["session", "moved"]]
         session            moved
    0 2025-04-03  after the close
    1 2025-02-03          weekend
    """
    check_index(sessions, "sessions")
    clock, rows = market_of(sessions, market), sessions.as_unit("us")
    instants, date_only = zoned_instants(announced_at)
    if clock.closes is None and not date_only.all():
        _refuse_clock(np.asarray(announced_at, dtype=object)[~date_only][0], rows)
    day, row = clock.reaction(instants, date_only)
    if (inside := (day >= rows[0]) & (day <= rows[-1])).any():
        clock.known(day[inside].min())
        clock.known(day[inside].max())
    labels = clock.sessions.append(pd.DatetimeIndex([pd.NaT], dtype=clock.sessions.dtype))
    due = labels[row]
    lost = np.where(day < rows[0], "before", np.where(~(due <= rows[-1]), "after", ""))
    lost = lost.astype(object)
    _add_missing(lost, due, day, rows, clock)
    session = due.where(lost == "")
    return pd.DataFrame(
        {
            "announced_at": np.asarray(announced_at, dtype=object),
            "session": session,
            "moved": pd.array(_reasons(day, session, clock), dtype="str"),
            "date_only": date_only,
            "lost": pd.array(lost, dtype="str"),
        }
    )


def _refuse_clock(announced_at: Any, rows: pd.DatetimeIndex) -> None:
    strange = rows[exchange(NYSE).sessions.get_indexer(rows) < 0][0]
    raise DateError(
        f"{announced_at} has a time of day, and whose clock closes the rows is not known: "
        f"{iso(strange)} is not a session of the NYSE. Say it with market= ("
        f"{likely_exchanges(rows)}), or give the date alone"
    )


def _add_missing(
    lost: np.ndarray,
    due: pd.DatetimeIndex,
    day: pd.DatetimeIndex,
    rows: pd.DatetimeIndex,
    clock: Market,
) -> None:
    """Say of an announcement between the first and the last row why its session is none of them."""
    inside = lost == ""
    if clock.has_calendar:
        for i in np.flatnonzero(inside & (rows.get_indexer(due) < 0)):
            lost[i] = f"its session {iso(due[i])} is not a row of the returns"
        return
    # Without a calendar a row may only be passed over on days of the week that never are rows.
    begin = day.where(~(day.isin(rows) & (due > day)), day + pd.Timedelta(days=1))
    dates = begin.to_numpy().astype("M8[D]"), due.to_numpy().astype("M8[D]")
    traded = np.bincount(rows.day_of_week, minlength=7) > 0
    passed = np.zeros(len(lost), dtype=int)
    passed[inside] = np.busday_count(dates[0][inside], dates[1][inside], weekmask=traded.tolist())
    for i in np.flatnonzero(passed > 0):
        lost[i] = (
            f"{iso(begin[i])}, a {begin[i]:%A}, is not a row of the returns: if its exchange was "
            "shut that day, name it with market="
        )


def _reasons(day: pd.DatetimeIndex, session: pd.DatetimeIndex, clock: Market) -> np.ndarray:
    """Why a session is not the date of the announcement."""
    reasons = np.full(len(session), "", dtype=object)
    moved = np.asarray(session.notna() & (session != day))
    if moved.any():
        row = clock.sessions.get_indexer(day[moved])
        reasons[moved] = np.select(
            [(row >= 0) & clock.early[row], row >= 0, day[moved].day_of_week >= _SATURDAY],
            ["early close", "after the close", "weekend"],
            default="holiday",
        )
    return reasons


def missing_around(
    position: np.ndarray, rows: pd.DatetimeIndex, window: Window, market: Market
) -> np.ndarray:
    """Say which session the rows lack between the close before a window and its end.

    `position` is the row of each event's session, -1 for none; the window is in rows. "" where the
    rows are complete; a return next to a missing session spans several.
    """
    reasons = np.full(len(position), "", dtype=object)
    rows = rows.as_unit("us")
    if market.has_calendar:
        span = market.sessions[(market.sessions > rows[0]) & (market.sessions < rows[-1])]
        lacking = span[:0] if span.equals(rows[1:-1]) else span[rows.get_indexer(span) < 0]
    else:
        lacking = rows[1:][np.diff(rows) > _LONGEST_CLOSURE]
    if not len(lacking):
        return reasons
    first = np.clip(position + window.start - 1, 0, len(rows) - 1)
    last = np.clip(position + window.end, 0, len(rows) - 1)
    low = lacking.searchsorted(rows[first], side="right")
    high = lacking.searchsorted(rows[last], side="right")
    for i in np.flatnonzero((position >= 0) & (high > low)):
        day = lacking[low[i]]
        if market.has_calendar:
            reasons[i] = (
                f"the session {iso(day)}, in or just before its window {window}, is not a row of "
                "the returns"
            )
        else:
            before = rows[rows.get_loc(day) - 1]
            reasons[i] = (
                f"the returns have no row from {iso(before)} to {iso(day)}, in or just before its "
                f"window {window}: if its exchange was shut, name it with market="
            )
    return reasons
