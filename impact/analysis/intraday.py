"""The hour of the news: how far prices moved in the half hour after each announcement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from impact.analysis.intraday_result import IntradayStudy
from impact.analysis.reaction import TO_CLOSE, reaction, stretch
from impact.analysis.window_ranks import known_variance
from impact.errors import EventError, WindowError
from impact.market.bars import bars_hash, security_of
from impact.market.clock_time import MINUTES
from impact.news.events import read_events
from impact.news.minutes import BOUNDED, announcement_minutes, known_minutes, release_minutes
from impact.news.security_names import as_spelt
from impact.study.arguments import is_whole
from impact.text.formats import counted, iso, list_of
from impact.text.result import count_left_out, left_out, signed
from impact.volatility.clock import HALF_LIVES, ClockVariance

_LONGEST_WINDOW = 120


def intraday_study(
    bars: pd.Series, events: Any, *, window: int | str | Sequence[int | str] = 30
) -> IntradayStudy:
    """Measure how far prices moved in the minutes after each announcement.

    Parameters
    ----------
    bars : Series
        Five-minute prices, as `load_bars` returns them; at least 52 sessions.
    events : DataFrame or what `impact.event_study` takes
        Announcements with their time of day: `load_events()`, a dict label -> time, a frame with
        ``announced_at`` and, where the minute is not exact, ``time_basis``, ``not_before``,
        ``not_after``.
    window : int, "close", or several of them
        Minutes after the announcement, 5 to 120 in steps of five; "close" measures to the next
        close of regular trading, without a p.

    Returns
    -------
    IntradayStudy

    Raises
    ------
    BarsError, HistoryError
        If the bars break a rule of `load_bars`, or are too few.
    EventError, DateError
        If the events cannot be read, or none of them can be measured.
    WindowError
        If `window` is none of these.

    Notes
    -----
    Exact minutes: from the last bar that ended at or before the announcement to the first that
    ended `window` minutes or more after it. Bounded ones (``not_before`` and ``not_after``): the
    move over the stretch plus the window; its p is that of the largest window in it, ranked among
    the largest of the same stretch on other days. Other approximate ones: as if the minute were
    right. While trading is closed: the whole night, ranked among all nights. There is no p across
    09:30 or the close, in the half hour after a release (90 minutes for the Fed), or before there
    are 51 sessions.

    References
    ----------
    Lee and Mykland (2008), Review of Financial Studies 21, for moves over a volatility known
    before them; see `impact.volatility.clock` for that.

    Examples
    --------
    >>> from impact.market.bars import load_bars
    >>> study = intraday_study(load_bars(), {"the pause": "2025-04-09T13:18:40"})
    >>> row = study.table.loc["the pause"]
    >>> round(float(row["simple_change"]), 3), row["part"], bool(row["p_value"] < 0.01)
    (0.056, 'trading', True)
    """
    windows = _windows(window)
    known = known_variance(bars)
    frame, unknown = read_events(events)
    minutes = announcement_minutes(frame)
    security = security_of(bars)
    frame, _ = as_spelt(frame, pd.Index([security]))
    reasons = _left_out(frame, minutes, security)
    rows, stretches = [], {}
    for when, announced_at in zip(minutes.itertuples(), frame["announced_at"], strict=True):
        for each in windows if when.Index not in reasons else ():
            bounded = when.minute == BOUNDED
            ends = (when.earliest, when.latest) if bounded else (when.at, when.at)
            where = stretch(known.grid, *ends, each)
            if isinstance(where, str):
                reasons.setdefault(when.Index, where)
                continue
            stretches[when.Index, each] = where
            about = {"id": when.Index, "window": each, "announced_at": announced_at}
            rows.append(about | reaction(known, where, when.minute, each))
    reasons |= unknown
    dropped = pd.DataFrame(
        [(event, reasons[event]) for event in [*frame.index, *unknown] if event in reasons],
        columns=["event", "reason"],
        dtype="str",
    )
    if not rows:
        raise EventError(f"none of the announcements can be measured. {left_out(dropped)}")
    measured = len({row["id"] for row in rows})
    count_left_out(dropped, measured)
    table = _table(rows, minutes, several=len(windows) > 1)
    signature = _signature(bars, known, frame, windows, measured)
    return IntradayStudy(table, dropped, signature, windows, known, stretches, security, frame)


def _windows(window: Any) -> tuple[int | str, ...]:
    given = [window] if isinstance(window, str) or not isinstance(window, Sequence) else window
    for each in given:
        if each != TO_CLOSE and not _is_minutes(each):
            raise WindowError(
                f"window={each!r}: give minutes from {MINUTES} to {_LONGEST_WINDOW} in steps of "
                f"{MINUTES}, or {TO_CLOSE!r}"
            )
    if not given or len(set(given)) < len(given):
        raise WindowError(f"window={window!r}: give at least one window, each once")
    return tuple(each if each == TO_CLOSE else int(each) for each in given)


def _is_minutes(value: Any) -> bool:
    return is_whole(value) and MINUTES <= value <= _LONGEST_WINDOW and value % MINUTES == 0


def _left_out(frame: pd.DataFrame, minutes: pd.DataFrame, security: str) -> dict[str, str]:
    """Why an announcement cannot be measured, whatever the bars."""
    known = ~frame["news"] if frame["from_catalogue"].all() else []
    other = ~frame["security"].isin(["", security]) if "security" in frame else []
    return {
        **dict.fromkeys(frame.index[minutes["minute"] == ""], "its hour is not known"),
        **dict.fromkeys(frame.index[other], f"concerns another security than {security}"),
        **dict.fromkeys(frame.index[known], "puts known news into force"),
    }


def _table(rows: list[dict[str, Any]], minutes: pd.DataFrame, *, several: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.insert(table.columns.get_loc("note"), "others", _others(table, minutes))
    table = table.set_index(["id", "window"])
    return table if several else table.droplevel("window")


def _others(table: pd.DataFrame, own: pd.DataFrame) -> list[tuple[str, ...]]:
    """Other announcements that came, or may have come, within each window, and releases."""
    known = known_minutes()
    known = pd.concat([own, known[~known.index.isin(own.index)]])
    ids, earliest, latest = (
        known.index,
        *(known[name].to_numpy() for name in ("earliest", "latest")),
    )
    releases = release_minutes()
    out, said = (
        releases["at"].to_numpy(),
        releases["release"] + releases["at"].dt.strftime(" %H:%M"),
    )
    found = []
    for event, *ends in zip(table["id"], table["from"], table["to"], strict=True):
        begin, end = (np.datetime64(time.tz_localize(None)) for time in ends)
        near = ids[(earliest < end) & (latest >= begin)]
        found.append((*near[near != event], *said[(out >= begin) & (out < end)]))
    return found


def _signature(
    bars: pd.Series,
    known: ClockVariance,
    events: pd.DataFrame,
    windows: tuple[int | str, ...],
    n: int,
) -> str:
    sessions = known.grid.sessions
    minutes = list_of(str(each) if each == TO_CLOSE else f"{each} minutes" for each in windows)
    return signed(
        f"five-minute prices {iso(sessions[0])} to {iso(sessions[-1])}",
        f"window {minutes}",
        counted(n, "announcement"),
        f"clock pattern x averages of {list_of(map(str, HALF_LIVES))} bars",
        f"data {bars_hash(bars)}",
        events=[events],
    )
