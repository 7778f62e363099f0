"""The share of the news: does its range hold what was planted, and what does choice alone do?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from calibration.rates import COLUMNS
from impact.analysis.news_variance import news_share_of, shrunken
from impact.inference.clusters import clusters
from impact.inference.tests import HypothesisTest
from impact.market.prices import load_prices
from impact.news.alignment import align
from impact.news.catalogue import load_events

#: News sessions and sessions of a period, as in 2025 and in 2018-19; ratios that are planted.
PERIODS = {"59 of 250 sessions": (59, 250), "27 of 502 sessions": (27, 502)}
RATIOS, ODDS, REPLICATIONS = (2.0, 3.0, 5.0), (1.0, 5.0, 8.0, 12.0, 20.0), 500

#: First and last day of the same periods, for the real spacing of their news sessions.
DAYS = dict(zip(PERIODS, (("2025-01-01", "2025-12-31"), ("2018-01-01", "2019-12-31")), strict=True))

#: Chance of an effect on a news session, where most of them have none.
RARE = 0.1


def _normal(at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(len(at))


def _heavy(at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(3, len(at)) / np.sqrt(3)


def _rare(at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _normal(at, rng) * (rng.random(len(at)) < RARE) / np.sqrt(RARE)


def _shared_scale(at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    group = clusters(at)
    return _normal(at, rng) * np.sqrt(rng.chisquare(1, group[-1] + 1))[group]


#: Laws of the planted effects, each of mean 0 and variance 1, beside the normal one.
LAWS: dict[str, Callable] = {
    "normal effects": _normal,
    "effects of t(3)": _heavy,
    "effects on one day in ten": _rare,
    "a scale that clusters share": _shared_scale,
}


def planted(
    z: np.ndarray,
    at: np.ndarray,
    ratio: float,
    rng: np.random.Generator,
    law: Callable = _normal,
) -> list[float]:
    """Plant effects; whether the share, and what part of ranges (all, |z| > 2), miss the truth.

    The true share is that of the law, which all sets are drawn from.
    """
    effect = np.sqrt(ratio - 1) * z.std() * law(at, rng)
    moved = z.copy()
    moved[at] += effect
    return missed(effect, moved[at], news_share_of(moved, at), ratio)


def missed(
    effect: np.ndarray, moved: np.ndarray, found: HypothesisTest, ratio: float
) -> list[float]:
    """Whether the share, and what part of the ranges (all, |z| > 2), miss what was planted."""
    _, low, high = shrunken(moved, np.ones(len(moved)), found)
    miss, large = (effect < low) | (effect > high), np.abs(moved) > 2
    share = found.detail["ci_low"] <= 1 - 1 / ratio <= found.detail["ci_high"]
    return [not share, miss.mean(), miss[large].mean() if large.any() else np.nan]


def chosen(z: np.ndarray, n: int, odds: float, rng: np.random.Generator) -> list[float]:
    """Choose n sessions, the largest tenth with these odds: the ratio, and whether p <= 5%."""
    weight = np.where(np.abs(z) >= np.quantile(np.abs(z), 0.9), odds, 1.0)
    at = np.sort(np.argsort(rng.exponential(size=len(z)) / weight)[:n])
    found = news_share_of(z, at)
    return [found.statistic, found.p_value <= 0.05]


def news_rows(z: np.ndarray, *, seed: int = 0, replications: int = REPLICATIONS) -> pd.DataFrame:
    """Run all experiments on past conditional z, shape (T,), without news of their own.

    Groups that name a law of the effects have the spacing of the real news sessions of their
    period; in the others news sessions are drawn at random, and effects are normal.
    """
    rows = []
    for group, (n, length) in PERIODS.items():
        repeat = partial(_repeated, z=z, length=length, seed=seed, count=replications)
        for ratio in RATIOS:
            rows += miss_rows(
                group,
                ratio,
                repeat(
                    lambda part, rng, n=n, ratio=ratio: planted(
                        part, np.sort(rng.choice(len(part), n, replace=False)), ratio, rng
                    )
                ),
            )
        for odds in ODDS:
            drawn = repeat(lambda part, rng, n=n, odds=odds: chosen(part, n, odds, rng))
            ratio = float(np.median(drawn[:, 0]))
            rows.append(rate_row("news-choice", "news_share", group, drawn[:, 1], ratio, odds))
    return pd.concat([pd.DataFrame(rows)[list(COLUMNS)], law_rows(z, seed, replications)])


def law_rows(z: np.ndarray, seed: int, replications: int) -> pd.DataFrame:
    """Plant effects of several laws with the real spacing of the news sessions."""
    rows = []
    for name, days in DAYS.items():
        at, length = real_spacing(*days)
        repeat = partial(_repeated, z=z, length=length, seed=seed, count=4 * replications)
        for law, draw in LAWS.items():
            for ratio in RATIOS:
                one = partial(_planted_at, at=at, ratio=ratio, law=draw)
                rows += miss_rows(f"{name}, {law}", ratio, repeat(one))
    return pd.DataFrame(rows)[list(COLUMNS)]


def _planted_at(
    z: np.ndarray, rng: np.random.Generator, at: np.ndarray, ratio: float, law: Callable
) -> list[float]:
    return planted(z, at, ratio, rng, law)


def real_spacing(first: str, last: str) -> tuple[np.ndarray, int]:
    """Return the rows of the news sessions of a period among its sessions, and their number."""
    sessions = load_prices(end=last).loc[first:].index
    news = load_events(since=f"{int(first[:4]) - 1}-12-15", until=last)
    placed = align(news, sessions)
    at = sessions.get_indexer(pd.DatetimeIndex(placed.loc[placed["news"], "session"].dropna()))
    return np.unique(at[at >= 0]), len(sessions)


def _repeated(one: Callable, z: np.ndarray, length: int, seed: int, count: int) -> np.ndarray:
    """Run an experiment on stretches of z, which are the same for every experiment."""
    rng = np.random.default_rng([seed, length])
    starts = rng.integers(len(z) - length + 1, size=count)
    return np.array([one(z[at : at + length], rng) for at in starts], float)


def miss_rows(group: str, ratio: float, drawn: np.ndarray, window: str = "(0, 0)") -> list[dict]:
    """Rows of `missed` over replications, shape (replications, 3 or more)."""
    names = ("share interval", "range", "range, |z| > 2")
    return [
        rate_row("news-share", test, group, values[np.isfinite(values)], ratio, 0.0, window)
        for test, values in zip(names, drawn.T[:3], strict=True)
    ]


def rate_row(
    experiment: str,
    test: str,
    group: str,
    miss: np.ndarray,
    ratio: float,
    odds: float,
    window: str = "(0, 0)",
) -> dict:
    """One row of the table."""
    return {
        "experiment": experiment,
        "test": test,
        "model": "gjr" if window == "(0, 0)" else "clock",
        "window": window,
        "group": group,
        "variance": ratio,
        "effect": odds,
        "level": 0.05,
        "tail": "two-sided",
        "rate": miss.mean(),
        "error": miss.std() / np.sqrt(len(miss)),
        "n": len(miss),
        "note": "",
    }
