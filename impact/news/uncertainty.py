"""How much newspapers write of trade-policy uncertainty, day by day, and on which days most.

`load_uncertainty` never touches the network. `uncertainty_days` is a set of events that no author
of a catalogue chose; newspapers write more after falls of the market, though.
"""

from __future__ import annotations

import functools
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DataFileError, EventError
from impact.market.calendar import nyse_sessions
from impact.market.checks import check_numbers, refuse_values
from impact.market.daily_table import between, read_daily_table
from impact.market.files import data_hash, data_path
from impact.news.catalogue import load_events
from impact.text.formats import iso, list_of

_FILE = "tpu.csv"

#: What a day may be chosen by: the index, or its rise since the day before.
RANKED_BY = ("level", "rise")


def load_uncertainty(*, start: Any = None, end: Any = None) -> pd.Series:
    """Return the committed daily index of US trade-policy uncertainty; no network.

    Parameters
    ----------
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form; 2017-01-01 to 2026-06-18 by default.

    Returns
    -------
    Series, shape (days,)
        Named "tpu", one value a calendar day, weekends and holidays included: how often
        newspapers wrote of uncertainty and trade policy together, as an index. Single days vary
        by chance; an average over a week or a month says more. The level rose in March 2020
        without trade news to match: compare days of one period. ``attrs`` holds ``source`` and
        ``hash``.

    Raises
    ------
    DataFileError
        When the file breaks one of its rules.
    DateError
        When a date cannot be read or no day lies between the two.

    References
    ----------
    Baker, Bloom and Davis (2016), Measuring economic policy uncertainty.

    Examples
    --------
    >>> uncertainty = load_uncertainty(start="2025-04-01", end="2025-04-30")
    >>> len(uncertainty), bool(uncertainty.mean() > load_uncertainty(end="2017-12-31").mean())
    (30, True)
    """
    return between(_uncertainty(data_hash(_FILE)), start, end)


@functools.cache
def _uncertainty(digest: str) -> pd.Series:
    """Return the index of the committed file; the key makes a changed one read again."""
    table = check_numbers(read_daily_table(data_path(_FILE), ["tpu"]), _FILE, DataFileError)
    days = pd.date_range(table.index[0], table.index[-1])
    if len(missing := days.difference(table.index)):
        raise DataFileError(f"{_FILE}: the day {iso(missing[0])} is missing: add its row")
    bad = ~(np.isfinite(table.to_numpy()) & (table.to_numpy() >= 0))
    refuse_values(table, bad, _FILE, "is not a count of articles as an index", DataFileError)
    index = table["tpu"]
    index.attrs = {
        "source": f"trade policy uncertainty of Baker, Bloom and Davis: data/{_FILE}",
        "hash": digest,
    }
    return index


def uncertainty_days(
    n: int = 50, *, of: str = "level", start: Any = None, end: Any = None
) -> pd.DataFrame:
    """Return the days on which newspapers wrote most of trade-policy uncertainty, as events.

    Parameters
    ----------
    n : int
        Days wanted.
    of : {"level", "rise"}
        Days on which the index was highest, or rose most since the day before.
    start, end : str, date or Timestamp, optional
        As `load_uncertainty`.

    Returns
    -------
    DataFrame, shape (n, 5)
        In order of time, indexed by ``id``, as `event_study` takes it: ``session``, ``label``,
        ``newspapers`` (their day), ``tpu`` (the index, or its rise) and
        ``catalogue``, the ids of announcements of news made on that day or the day before, joined
        by ``;``. Days before one session share it.

    Raises
    ------
    EventError
        When `of` is not known, or `n` is no whole number from 1 to the number of days.
    DataFileError, DateError
        As `load_uncertainty`.

    Notes
    -----
    The session is the first after the day, never the day itself. A newspaper of Tuesday morning
    writes about Monday, and about Monday's market: a day of falling prices fills it, so the move
    of that day would be chosen by itself. The next session opens when all of the day is printed,
    and its move had no part in the choice. The price of this is that much of the news is in the
    market by then: no move there does not say that the announcements had none.

    Weekends count: few articles appear on them, so their index varies most by chance.

    Examples
    --------
    >>> days = uncertainty_days(2, start="2025-04-01", end="2025-04-30")
    >>> days["session"].dt.strftime("%d %B").to_list()
    ['07 April', '07 April']
    """
    if not isinstance(of, str) or of not in RANKED_BY:
        raise EventError(f"of={of!r} is not known: use {list_of(map(repr, RANKED_BY), 'or')}")
    days = load_uncertainty(start=start, end=end).index
    index = load_uncertainty()
    ranked = (index if of == "level" else index.diff())[days].dropna()
    if isinstance(n, bool) or not isinstance(n, Integral) or not 1 <= n <= len(ranked):
        raise EventError(f"n={n!r}: give a whole number of days from 1 to {len(ranked):,}")
    # Of equal days the earlier one.
    days = ranked.sort_values(ascending=False, kind="stable").index[:n].sort_values()
    sessions = nyse_sessions(days[0], days[-1] + pd.Timedelta(days=14))
    names = [f"uncertainty-{of}-{iso(day)}" for day in days]
    return pd.DataFrame(
        {
            "session": sessions[sessions.searchsorted(days, side="right")],
            "label": [f"{of} of {iso(day)}" for day in days],
            "newspapers": days,
            "tpu": ranked[days].to_numpy(),
            "catalogue": _announced(days),
        },
        index=pd.Index(names, name="id"),
    )


def _announced(days: pd.DatetimeIndex) -> list[str]:
    """Ids of the catalogue's news on each day or the day before."""
    events = load_events()
    events = events[events["news"]]
    made = pd.to_datetime(events["announced_at"].str[:10]).to_numpy()
    return [
        ";".join(events.index[(made == day) | (made == day - pd.Timedelta(days=1))]) for day in days
    ]
