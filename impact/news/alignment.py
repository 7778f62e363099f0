"""From announcements to the rows of the returns: the session of each, and what else happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DateError
from impact.market.calendar import Market, MarketLike, market_of
from impact.market.checks import check_index
from impact.market.placement import missing_around, place
from impact.market.windows import Window, as_window
from impact.news.events import read_events
from impact.news.surroundings import mixed, other_news, others, release_words
from impact.text.formats import counted, iso

#: Reasons that say the news came out when the session of its date was over.
_AFTER_CLOSE = ("after the close", "early close")


def align(
    events: Any,
    sessions: pd.DatetimeIndex,
    *,
    window: Window | Sequence[int] = (-5, 5),
    market: MarketLike = None,
) -> pd.DataFrame:
    """Find the session of each announcement, and flag what else happened there.

    Parameters
    ----------
    events : DataFrame or what `as_events` reads
        Announcements.
    sessions : DatetimeIndex, shape (T,)
        Rows of the returns: tz-naive, sorted, none twice.
    window : Window or pair of int, default (-5, 5)
        Event window, in sessions, within which other sessions' announcements are neighbours.
    market : str or (zone, close), optional
        Whose clock closes the rows: an exchange of pandas_market_calendars ("XETR", "XTKS"),
        "24/7" (a day ends at 00:00 UTC), or a time zone and a close ("Europe/Berlin", "17:30").
        Left out, rows that all are sessions of the NYSE are the NYSE's; on any others dates are
        placed, clock times are refused, and nothing is said of what else happened.

    Returns
    -------
    DataFrame, shape (events, columns)
        Every column that was given, and

        - ``session``: the session whose close could first reflect the announcement (NaT if it is
          no row: an announcement never slides to a later one);
        - ``moved``: why it is not the announcement's own date ("" if it is); ``after_close``:
          whether it came out when that date's session was over; ``date_only``;
        - ``shared_with``, ``neighbours``: ids of the other included announcements of news in the
          committed catalogue, in the same session and in other sessions of the window;
        - ``mixed``: the session holds escalation and easing, or an announcement of both;
        - ``releases``: "", "CPI, FOMC" and so on, or "not checked";
        - ``dropped``: why the event is not to be studied ("" if it is): its session, or another in
          its window, is no row.

    Raises
    ------
    DateError
        If dates that did not come from a catalogue all lie outside `sessions`; beside others one
        is dropped, and so is an id that is none, which has a row of its own.
    EventError, ReturnsError, WindowError
        If the events, the sessions or the window cannot be read.

    Examples
    --------
    >>> sessions = pd.bdate_range("2025-04-28", "2025-05-09")
    >>> aligned = align(["2025-05-02"], sessions, window=(-1, 1))
    >>> aligned["shared_with"].item(), aligned["releases"].item()
    (('mofcom-evaluating', 'wsj-fentanyl-overture'), 'payrolls')
    """
    window = as_window(window)
    check_index(sessions, "sessions")
    frame, unknown = read_events(events)
    clock = market_of(sessions, market)
    placed = _place(frame, sessions, clock)
    position = sessions.get_indexer(placed["session"])
    dropped = _dropped(frame, placed, sessions)
    around = missing_around(position, sessions, window, clock)
    dropped = np.where(dropped == "", around, dropped)
    news = other_news(sessions, clock)
    shared, near = others(frame.index, position, window, news)
    found = {
        "session": placed["session"].to_numpy(),
        "moved": placed["moved"].array,
        "after_close": placed["moved"].isin(_AFTER_CLOSE).to_numpy(bool),
        "date_only": placed["date_only"].to_numpy(bool),
        "neighbours": near,
        "shared_with": shared,
        "mixed": mixed(frame, position, dropped, news),
        "releases": release_words(position, sessions, clock),
        "dropped": dropped,
    }
    for name in ("moved", "releases", "dropped"):
        found[name] = pd.array(found[name], dtype="str")
    given = {name: frame[name] for name in frame if name not in ("from_catalogue", "session")}
    aligned = pd.DataFrame(given | found, frame.index)
    aligned.attrs = dict(frame.attrs)
    return _with_unknown(aligned, unknown) if unknown else aligned


def _with_unknown(aligned: pd.DataFrame, unknown: dict[str, str]) -> pd.DataFrame:
    """Add a dropped row for each id that is none."""
    names = pd.Index(unknown, name="id", dtype="str")
    more = aligned.iloc[[0] * len(unknown)].set_axis(names)
    for name in more:
        texts = pd.api.types.is_string_dtype(more[name])
        more[name] = "" if texts else more[name].dtype.type(0) if more[name].dtype == bool else None
    more = more.assign(label=names, dropped=list(unknown.values())).astype(aligned.dtypes)
    joined = pd.concat([aligned, more])
    joined.attrs = dict(aligned.attrs)
    return joined


def _place(frame: pd.DataFrame, sessions: pd.DatetimeIndex, market: Market) -> pd.DataFrame:
    if "session" not in frame:
        return place(frame["announced_at"], sessions, market)
    strange = sessions.get_indexer(frame["session"]) < 0
    lost = np.full(len(frame), "", dtype=object)
    lost[strange] = [
        f"session {iso(day)} is not a row of the returns ({_span(sessions)}): call the column "
        "announced_at to have it placed"
        for day in frame.loc[strange, "session"]
    ]
    if strange.all() and len(frame):
        raise DateError(f"event {frame.index[0]!r}: {lost[0]}")
    session = frame["session"].mask(strange) if strange.any() else frame["session"]
    return pd.DataFrame({"session": session, "moved": "", "date_only": True, "lost": lost})


def _span(sessions: pd.DatetimeIndex) -> str:
    return f"{iso(sessions[0])} to {iso(sessions[-1])}"


def _dropped(frame: pd.DataFrame, placed: pd.DataFrame, sessions: pd.DatetimeIndex) -> np.ndarray:
    """Why an event is left out; where the caller's own dates leave none, DateError instead."""
    catalogue = frame["from_catalogue"].to_numpy(bool)
    reasons = placed["lost"].to_numpy(object).copy()
    outside = np.isin(reasons, ["before", "after"])
    reasons[reasons == "before"] = f"before the first session {iso(sessions[0])}"
    reasons[reasons == "after"] = f"after the last session {iso(sessions[-1])}"
    if (outside & ~catalogue).all() and len(frame):
        more = f" (and {counted(len(frame) - 1, 'more')})" if len(frame) > 1 else ""
        raise DateError(
            f"{frame['announced_at'].iloc[0]} of event {frame.index[0]!r}{more} lies outside "
            f"the returns, which run from {_span(sessions)}: bring longer returns"
        )
    if catalogue.any():
        reasons[catalogue & ~frame["news"].to_numpy(bool)] = "puts known news into force"
    return reasons
