"""Every day of trading at a glance: its move, its p, and what could have been found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impact.cards.card import MONTH
from impact.cards.hours import moved
from impact.inference.conditional import detectable, equal_tails
from impact.inference.tests import LEVEL
from impact.text.formats import iso, p_phrase, percent
from impact.volatility.forecast import refits
from impact.volatility.garch import FIT_SESSIONS


def every_day(returns: pd.Series, since: pd.Timestamp) -> pd.DataFrame:
    """Test every session from `since` against the variance of the evening before, as its card does.

    `returns` are log returns, none missing, with 2,000 before the month of `since`.
    """
    first = int(returns.index.searchsorted(since))
    enough = returns.iloc[max(0, first - FIT_SESSIONS - MONTH) :]
    rows = []
    for month in refits(enough):
        for row in range(month.first, month.begin + len(month.z)):
            if enough.index[row] >= since:
                known, value = month.forecast(row), float(enough.iloc[row])
                draws = known.sigma * known.past_z
                p = equal_tails(draws, value - known.mean)
                rows.append((np.expm1(value), known.sigma, p, detectable(draws)))
    return pd.DataFrame(
        rows, enough.index[-len(rows) :], ["change", "sigma", "p", "smallest_detectable"]
    )


def as_json(days: pd.DataFrame, news: Mapping[pd.Timestamp, Sequence[tuple[str, str]]]) -> str:
    """Return what the picker says of each day: words and numbers as a reader sees them.

    `news` holds, by session, id and label of each announcement that has a page.
    """
    told = {
        iso(day): [
            moved(row.change),
            percent(row.sigma, signed=False),
            p_phrase(row.p),
            int(row.p < LEVEL),
            percent(row.smallest_detectable, signed=False),
        ]
        for day, row in zip(days.index, days.itertuples(), strict=True)
    }
    named = {iso(day): list(pages) for day, pages in news.items()}
    # In a page, "</" would end the script that holds the text.
    text = json.dumps({"days": told, "news": named}, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c")
