"""The share of the news in half hours: is a planted one in its interval, and what choice does.

The half hours of the announcements of the catalogue are moved to sessions without any, at the
same clock times, so that nothing came with news; then effects are planted in them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from calibration.news import LAWS, ODDS, REPLICATIONS, miss_rows, missed, rate_row
from calibration.rates import COLUMNS
from impact.analysis.announcement_set import moved_rows
from impact.analysis.intraday import intraday_study
from impact.analysis.news_share_minutes import compared
from impact.analysis.news_variance import CUT, clock_share_of
from impact.market.bars import load_bars
from impact.news.catalogue import load_events

#: How the rows call what was measured.
HALF_HOUR = "30 minutes"

#: Ratios of the variance that are planted: that of the catalogue is near the last.
RATIOS = (2.0, 5.0, 10.0)


def minutes_rows(*, seed: int = 0, replications: int = REPLICATIONS) -> pd.DataFrame:
    """Run all experiments on the committed bars and announcements, as `news_rows` on days."""
    half_hours = compared(intraday_study(load_bars(), load_events()))
    z, rows = np.where(half_hours.others[:, None], half_hours.z, np.nan), half_hours.rows
    name = f"{len(rows)} half hours"

    def repeated(one: Callable, count: int, *about: object) -> np.ndarray:
        rng = np.random.default_rng([seed, len(rows)])
        return np.array([one(z, rows, rng, *about) for _ in range(count)], float)

    found = []
    for law, draw in LAWS.items():
        for ratio in RATIOS:
            drawn = repeated(planted, 2 * replications, ratio, draw)
            group = f"{name}, {law.replace('on one day', 'in one window')}"
            found += miss_rows(group, ratio, drawn, HALF_HOUR)
    none = repeated(planted, 4 * replications, 1.0, LAWS["normal effects"])
    found.append(rate_row("news-share", "news_share", name, none[:, 3], 1.0, 0.0, HALF_HOUR))
    for odds in ODDS:
        drawn = repeated(chosen, replications, odds)
        ratio = float(np.median(drawn[:, 0]))
        found.append(
            rate_row("news-choice", "news_share", name, drawn[:, 1], ratio, odds, HALF_HOUR)
        )
    return pd.DataFrame(found)[list(COLUMNS)]


def planted(
    z: np.ndarray, rows: np.ndarray, rng: np.random.Generator, ratio: float, law: Callable
) -> list[float]:
    """Plant effects in half hours: whether share and ranges miss, as `news.missed`; p <= 5%.

    Parameters
    ----------
    z : ndarray, shape (T, n)
        Of every session at the clock time of each window; NaN where nothing can be planted.
    rows : ndarray of int, shape (n,)
        Sessions of the windows of the catalogue, in order.
    """
    # Which clock time falls on which of the days is drawn, and where the set begins.
    moved = z[:, rng.permutation(len(rows))]
    circles = [np.flatnonzero(np.isfinite(column)) for column in moved.T]
    at = rng.choice(moved_rows(circles, rows))
    order = np.argsort(at, kind="stable")
    moved, at, each = moved[:, order], at[order], np.arange(len(at))
    effect = np.sqrt(ratio - 1) * np.nanstd(z) * law(at, rng)
    moved[at, each] += effect
    others = ~np.isin(np.arange(len(z)), at) & np.isfinite(z).any(axis=1)
    found = clock_share_of(np.minimum(moved**2, CUT), at, others)
    return [*missed(effect, moved[at, each], found, ratio), found.p_value <= 0.05]


def chosen(z: np.ndarray, rows: np.ndarray, rng: np.random.Generator, odds: float) -> list[float]:
    """Choose a session for each clock time, the largest tenth of moves with these odds."""
    cut = np.nanquantile(np.abs(z), 0.9, axis=0)
    weight = np.where(np.abs(z) >= cut, odds, 1.0)
    key = np.where(np.isfinite(z), rng.exponential(size=z.shape) / weight, np.inf)
    at = key.argmin(axis=0)
    order = np.argsort(at, kind="stable")
    others = ~np.isin(np.arange(len(z)), at) & np.isfinite(z).any(axis=1)
    found = clock_share_of(np.minimum(z[:, order] ** 2, CUT), at[order], others)
    return [found.statistic, found.p_value <= 0.05]
