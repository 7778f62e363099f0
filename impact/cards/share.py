"""How much of one move came with news, if its day was like the other news days of its year."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from impact.analysis.news_share import news_share
from impact.analysis.news_share_result import WITHOUT_LARGEST, NewsShare
from impact.analysis.news_variance import shrunken
from impact.errors import HistoryError, InferenceError
from impact.inference.tests import LEVEL
from impact.market.files import data_hash
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.text import formats
from impact.volatility.forecast import EWMA

_INDEX = "S&P 500"


def came_with_news(facts: pd.Series) -> tuple[list[str], list[str]]:
    """Say what part of the abnormal return of the index came with news, and what that rests on.

    Both are empty where nothing can be said.
    """
    sigma = facts.get("sigma_conditional", np.nan)
    forecast = np.isfinite(sigma) and not any(EWMA in note for note in facts["forecast_notes"])
    if not forecast or facts["series"] != _INDEX or facts["kind"] != "log":
        return [], []
    session = facts["session"]
    found = _nearest(session)
    if found is None or not found.conf_int()[1]:
        return [], []
    year = found.period[0].year
    best, low, high = (
        formats.percent(float(part[0]), 1)
        for part in shrunken(np.array([facts["estimate"]]), np.array([sigma]), found.test)
    )
    day = f"{session.day} {session:%B}" + (f" {session.year}" if session.year != year else "")
    other = "other " if session in set(found.table["session"]) else ""
    guess = [
        f"if {day} was like the {other}news days of {year}, our best guess is that {best} came "
        f"with news of any kind; anything from {low} to {high} fits"
    ]
    if found.could_be_none:
        guess.append(
            "it could be none: news days did not clearly vary more than other days "
            f"({formats.p_phrase(found.p_value)})"
        )
    guess.append(
        "the list of those days was made by people who knew the moves, which can make the guess "
        "too large"
    )
    return guess, [_rests_on(found, year)]


def _rests_on(found: NewsShare, year: int) -> str:
    """The share behind a guess, and what is left of it without the largest days."""
    without = found.checks.loc[WITHOUT_LARGEST]
    less = f"; {WITHOUT_LARGEST}, {_part(without['share'])}"
    if not (without["ci_low"] > 0 and without["p_value"] <= LEVEL):
        less += ", which could be none" if without["share"] else ""
    return (
        f"we estimate that {_part(found.share)} of the variance on the {found.nobs} news days of "
        f"{year} came with news{'' if pd.isna(without['share']) else less}"
    )


def _part(share: float) -> str:
    return formats.percent(float(share), 0, signed=False)


def _nearest(session: pd.Timestamp) -> NewsShare | None:
    """The share in the year of a session, or else in the one before or after, the nearer first."""
    year, near = session.year, 1 if session.month > 6 else -1
    for each in (year, year + near, year - near):
        found = _of_year(each, data_hash("events.csv"), data_hash("sp500.csv"))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=16)
def _of_year(year: int, events: str, prices: str) -> NewsShare | None:
    """None where the catalogue has too little news in a year; hashes stand for the files."""
    first, last = f"{year}-01-01", f"{year}-12-31"
    # News of the last days of a year moves the first session of the next one.
    news = load_events(since=f"{year - 1}-12-15", until=last)
    if not len(news):
        return None
    try:
        study = event_study(log_returns(load_prices()), news, window=(0, 0))
        return news_share(study, since=first, until=last)
    except (HistoryError, InferenceError):
        return None
