"""From the rows of the catalogue to the sessions of a group, every step counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import EventError
from impact.hypotheses.register import POINTS
from impact.market.files import data_hash
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.uncertainty import load_uncertainty, uncertainty_days
from impact.text.formats import list_of

#: The three ways to read the catalogue.
ROW_SETS = ("included", "all", "documented")

#: Sources that do not depend on what a newspaper thought worth printing.
PRIMARY = ("document", "presidential post")


@dataclass(frozen=True, eq=False)
class Group:
    """Sessions in which announcements of one kind could first be reflected.

    Attributes
    ----------
    sessions : DatetimeIndex
        Each once, increasing.
    labels : Series
        The group's announcements by session, joined by ``; ``.
    funnel : Series
        What is left of the catalogue after each step; the first six steps count announcements,
        the others sessions.
    """

    sessions: pd.DatetimeIndex
    labels: pd.Series
    funnel: pd.Series

    def __len__(self) -> int:
        return len(self.sessions)


def catalogue_rows(rows: str, **filters: Any) -> pd.DataFrame:
    """Select announcements from one of the three readings of the catalogue, and by `load_events`.

    "included" is the main selection, "all" has the candidates left out of it too, "documented" is
    the part of the main selection that rests on a document or a presidential post. EventError if
    the reading or a filter is not known.

    Examples
    --------
    >>> len(catalogue_rows("all"))
    156
    """
    if rows not in ROW_SETS:
        raise EventError(f"rows={rows!r} is not known: use {list_of(map(repr, ROW_SETS), 'or')}")
    events = load_events(included=None if rows == "all" else True, **filters)
    return events[events["primary_source"].isin(PRIMARY)] if rows == "documented" else events


def select_group(
    sessions: pd.DatetimeIndex,
    rows: str,
    filters: Mapping[str, Any],
    *,
    taken_back: bool = False,
    one_way: bool = True,
    length: int = 1,
) -> Group:
    """Find the sessions of a group of announcements that all point the same way.

    `sessions` have a value each; `filters` are as `load_events` takes them, ``direction`` among
    them where one way is asked for. `taken_back` keeps announcements of a rate that a later one put
    back, see `is_taken_back`; `one_way` leaves out sessions whose news points more than one way. A
    session that lies in the window of an earlier one, of `length` sessions, is left out, so that
    windows do not overlap.

    Notes
    -----
    A session that also holds an announcement that points another way is in no group. Whether it
    does is judged by the main selection, or by all rows where all are studied; for documented rows
    also by those that rest on the press.

    Examples
    --------
    >>> days = pd.bdate_range("2025-05-01", "2025-05-23")
    >>> group = select_group(days, "included", {"direction": "talks", "since": "2025-05-01"})
    >>> [f"{day:%d %B}" for day in group.sessions]
    ['02 May', '07 May']
    """
    key = data_hash("events.csv"), sessions.as_unit("us").asi8.tobytes()
    pool = _placed(*key)
    read = catalogue_rows(rows)
    group = catalogue_rows(rows, **filters)
    kept = pool.loc[group.index]
    counts = {
        "catalogue": len(pool),
        "read": len(read),
        "of the group": len(group),
    }
    if taken_back:
        kept = kept[is_taken_back(kept, pool).to_numpy()]
    counts["taken back where asked"] = len(kept)
    kept = kept[kept["news"]]
    counts["news"] = len(kept)
    kept = kept[kept["dropped"] == ""]
    counts["in the sample"] = len(kept)
    days = pd.DatetimeIndex(np.sort(kept["session"].unique()))
    counts["sessions"] = len(days)
    if one_way:
        days = days[days.isin(_one_way(*key, rows == "all"))]
    counts["one direction"] = len(days)
    days = days[_apart(sessions.get_indexer(days), length)]
    counts["windows apart"] = len(days)
    inside = kept[kept["session"].isin(days)]
    labels = inside.groupby("session")["label"].agg("; ".join)
    return Group(days, labels, pd.Series(counts, name="left"))


def uncertain_group(sessions: pd.DatetimeIndex, source: str, since: str, until: str) -> Group:
    """Find the sessions after the fifty days of most uncertainty; no reading changes them.

    The source is "uncertainty-level" or "uncertainty-rise"; `since` and `until` are the first and
    last day of the index, "" for all.

    Examples
    --------
    >>> days = pd.bdate_range("2017-01-01", "2026-08-31")
    >>> len(uncertain_group(days, "uncertainty-level", "", ""))
    38
    """
    span: dict[str, Any] = {"start": since or None, "end": until or None}
    days = uncertainty_days(of=source.removeprefix("uncertainty-"), **span)
    inside = days[days["session"].isin(sessions)]
    labels = inside.groupby("session")["label"].agg("; ".join)
    steps = ("of the group", "taken back where asked", "news")
    counts = dict.fromkeys(("catalogue", "read"), len(load_uncertainty(**span)))
    counts |= dict.fromkeys(steps, len(days)) | {"in the sample": len(inside)}
    counts |= dict.fromkeys(("sessions", "one direction", "windows apart"), len(labels))
    return Group(pd.DatetimeIndex(labels.index), labels, pd.Series(counts, name="left"))


@lru_cache(maxsize=8)
def _placed(digest: str, sessions: bytes) -> pd.DataFrame:
    """Place the whole catalogue, once for each index of sessions; a changed file is read again."""
    days = pd.DatetimeIndex(np.frombuffer(sessions, "M8[us]"))
    return align(catalogue_rows("all"), days)


@lru_cache(maxsize=16)
def _one_way(digest: str, sessions: bytes, candidates: bool) -> pd.DatetimeIndex:
    """Return the sessions whose news all points the same way, by all rows or the included ones."""
    pool = _placed(digest, sessions)
    news = pool[pool["news"] & (pool["dropped"] == "") & (pool["included"] | candidates)]
    ways = news["direction"].map(POINTS).groupby(news["session"]).agg(set)
    return ways.index[[len(way) == 1 and "both" not in way for way in ways]]


def _apart(positions: np.ndarray, length: int) -> np.ndarray:
    """Whether each session starts after the window of the last one that was kept."""
    keep, free = np.zeros(len(positions), dtype=bool), -1
    for i, position in enumerate(positions):
        if position >= free:
            keep[i], free = True, position + length
    return keep


def is_taken_back(events: pd.DataFrame, catalogue: pd.DataFrame) -> pd.Series:
    """Whether a later de-escalation put each announced rate back to where it was, or lower.

    Rates are those of the first counterparty, of which a later row of the catalogue has to start
    from the announced rate.

    Examples
    --------
    >>> events = load_events()
    >>> is_taken_back(events.loc[["eu-50-threat", "liberation-day"]], events).to_list()
    [True, False]
    """
    easing = catalogue[catalogue["direction"] == "de-escalation"]
    first = easing["counterparty"].str.split(";").str[0]
    # Rows carry New York times, so their first ten characters compare as dates do.
    return pd.Series(
        [
            bool(
                (
                    (first == event.counterparty.split(";")[0])
                    & (easing["announced_at"].str[:10] >= event.announced_at[:10])
                    & np.isclose(easing["rate_before"], event.rate_after)
                    & (easing["rate_after"] <= event.rate_before)
                ).any()
            )
            for event in events.itertuples()
        ],
        index=events.index,
    )
