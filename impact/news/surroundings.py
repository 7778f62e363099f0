"""What else happened in a session: other announcements of the catalogue, and macro releases.

The flags come from the whole committed catalogue and from the file of macro releases, whatever
was selected: a selection by country must not make a mixed session look one-sided.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from impact.market.calendar import Market, MarketLike, market_of
from impact.market.checks import check_index
from impact.market.files import data_hash, data_path
from impact.market.instants import zoned_instants
from impact.market.windows import Window
from impact.news.catalogue import EASING, ESCALATION, load_events

NOT_CHECKED = "not checked"

_CATALOGUE = "events.csv"
_RELEASES = "macro_releases.csv"
#: Three kinds of monthly and six-weekly releases never leave a longer gap: the longest one that
#: is covered, in the shutdown autumn of 2025, has 37 days. The file skips March 2020 to 2023.
_LONGEST_GAP = pd.Timedelta(days=60)


class _Known(NamedTuple):
    """Included announcements of news: ids, directions and instants, and which are bare dates."""

    ids: np.ndarray
    directions: np.ndarray
    instants: pd.DatetimeIndex
    date_only: np.ndarray


@lru_cache(maxsize=2)
def _known(digest: str) -> _Known:
    """Return what the flags need of the committed catalogue; the key is the file's hash."""
    catalogue = load_events()
    catalogue = catalogue[catalogue["news"]]
    return _Known(
        catalogue.index.to_numpy(object),
        catalogue["direction"].to_numpy(object),
        *zoned_instants(catalogue["announced_at"]),
    )


@lru_cache(maxsize=16)
def _due(name: str, digest: str, market: Market) -> tuple[np.ndarray, np.ndarray]:
    """Day of each row of a file, and the session that reflects it first; NaT for none."""
    if name == _CATALOGUE:
        instants, date_only = _known(digest)[2:]
    else:
        instants = _releases(digest)[0].index
        date_only = np.zeros(len(instants), dtype=bool)
    day, first = market.reaction(instants, date_only)
    due = market.sessions.to_numpy("M8[us]")[np.minimum(first, len(market.sessions) - 1)]
    due[first == len(market.sessions)] = np.datetime64("NaT", "us")
    return day.to_numpy("M8[us]"), due


def _rows(name: str, digest: str, sessions: pd.DatetimeIndex, market: Market) -> np.ndarray:
    """Row of the session that reflects each row of a file first; -1 for none."""
    day, due = _due(name, digest, market)
    labels = sessions.to_numpy("M8[us]")
    at = np.minimum(labels.searchsorted(due), len(labels) - 1)
    return np.where((day >= labels[0]) & (labels[at] == due), at, -1)


class OtherNews(NamedTuple):
    """Included announcements of news, in the order of the rows that reflect them first."""

    ids: np.ndarray
    directions: np.ndarray
    rows: np.ndarray


def other_news(sessions: pd.DatetimeIndex, market: Market) -> OtherNews:
    """Find the rows of the catalogue's news; nothing is found where the clock is not known."""
    digest = data_hash(_CATALOGUE)
    known = _known(digest)
    if market.closes is None:
        return OtherNews(known.ids[:0], known.directions[:0], np.empty(0, dtype=int))
    rows = _rows(_CATALOGUE, digest, sessions, market)
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    return OtherNews(known.ids[order], known.directions[order], rows[order])


def others(
    ids: pd.Index, position: np.ndarray, window: Window, news: OtherNews
) -> tuple[pd.Series, pd.Series]:
    """Return tuples of ids of the news in each event's session, and in others of its window.

    `ids` are the events' own, which are left out; `position` is the row of each event's session,
    -1 for none.
    """
    names, rows = news.ids, news.rows
    low = rows.searchsorted(position + window.start)
    high = rows.searchsorted(position + window.end, side="right")
    first, last = rows.searchsorted(position), rows.searchsorted(position, side="right")
    shared, near = [()] * len(ids), [()] * len(ids)
    for i in np.flatnonzero((position >= 0) & ((high > low) | (last > first))):
        own = ids[i]
        shared[i] = tuple(name for name in names[first[i] : last[i]] if name != own)
        before = names[low[i] : min(first[i], high[i])]
        after = names[max(last[i], low[i]) : high[i]]
        near[i] = (*before, *after)
    return pd.Series(shared, ids, dtype=object), pd.Series(near, ids, dtype=object)


def mixed(
    frame: pd.DataFrame, position: np.ndarray, dropped: np.ndarray, news: OtherNews
) -> np.ndarray:
    """Return whether the directions in each event's session go both ways.

    The session's announcements are those of the catalogue, and of the events those that are
    studied with it (`dropped` is ""), for the same security. `position` is the row of each event's
    session, -1 for none.
    """
    both = []
    for words in ((*ESCALATION, "mixed"), (*EASING, "mixed")):
        flag = np.isin(position, news.rows[np.isin(news.directions, words)])
        if "direction" in frame:
            own = frame["direction"].isin(words) & (dropped == "")
            keys = [position, *([frame["security"]] if "security" in frame else [])]
            flag = flag | own.groupby(keys).transform("any").to_numpy(bool)
            flag |= frame["direction"].isin(words).to_numpy(bool)
        both.append(flag)
    return both[0] & both[1]


@lru_cache(maxsize=2)
def _releases(digest: str) -> tuple[pd.Series, tuple[tuple[pd.Timestamp, pd.Timestamp], ...]]:
    """Return the releases by their instants, and the spans of New York dates that they cover."""
    table = pd.read_csv(data_path(_RELEASES), dtype="str").sort_values("released_at", kind="stable")
    instants, _ = zoned_instants(table["released_at"])
    days = instants.tz_localize(None).normalize()
    gaps = np.flatnonzero(np.diff(days) > _LONGEST_GAP)
    firsts, lasts = [0, *(gaps + 1)], [*gaps, len(days) - 1]
    spans = tuple((days[a], days[b]) for a, b in zip(firsts, lasts, strict=True))
    return pd.Series(table["release"].to_numpy(), index=instants, dtype="str"), spans


def macro_releases() -> pd.Series:
    """Return the macro releases of the committed file by their New York times, in order."""
    return _releases(data_hash(_RELEASES))[0]


def covered_spans() -> tuple[tuple[pd.Timestamp, pd.Timestamp], ...]:
    """Return the spans of dates, both ends included, in which macro releases are known.

    A stretch of more than 60 days without any release ends a span: the file skips it.

    Examples
    --------
    >>> [f"{first:%Y-%m-%d} {last:%Y-%m-%d}" for first, last in covered_spans()]
    ['2018-01-05 2020-02-07', '2024-01-05 2026-08-12']
    """
    return _releases(data_hash(_RELEASES))[1]


def releases_on(sessions: pd.DatetimeIndex, market: MarketLike = None) -> pd.Series:
    """Return the macro releases that each session is the first to reflect.

    "", "payrolls", "CPI, FOMC" in the order of their hours, or "not checked" outside
    `covered_spans` and where no market's clock is known.

    Examples
    --------
    >>> releases_on(pd.bdate_range("2025-04-30", "2025-05-05")).to_list()
    ['', '', 'payrolls', '']
    """
    check_index(sessions, "sessions")
    words = release_words(np.arange(len(sessions)), sessions, market_of(sessions, market))
    return pd.Series(words, index=sessions, dtype="str", name="releases")


def release_words(position: np.ndarray, sessions: pd.DatetimeIndex, clock: Market) -> np.ndarray:
    """Return what `releases_on` does, for some rows of checked sessions; -1 is none of them."""
    digest = data_hash(_RELEASES)
    releases, spans = _releases(digest)
    words = np.full(len(position), NOT_CHECKED, dtype=object)
    if clock.closes is None:
        return words
    for span in spans:
        first, end = sessions.searchsorted(span[0]), sessions.searchsorted(span[1], side="right")
        words[(first <= position) & (position < end)] = ""
    rows = _rows(_RELEASES, digest, sessions, clock)
    for i in np.flatnonzero((rows >= 0) & np.isin(rows, position)):
        here = np.flatnonzero((position == rows[i]) & (words != NOT_CHECKED))
        if len(here):
            words[here] = f"{words[here[0]]}, {releases.iloc[i]}".removeprefix(", ")
    return words
