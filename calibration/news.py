"""The share of the news: does its range hold what was planted, and what does choice alone do?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from calibration.rates import COLUMNS
from impact.analysis.news_share import news_share_of, shrunken

#: News sessions and sessions of a period, as in 2025 and in 2018-19; ratios that are planted.
PERIODS = {"59 of 250 sessions": (59, 250), "27 of 502 sessions": (27, 502)}
RATIOS, ODDS, REPLICATIONS = (2.0, 3.0, 5.0), (1.0, 5.0, 8.0, 12.0, 20.0), 500


def planted(z: np.ndarray, at: np.ndarray, ratio: float, rng: np.random.Generator) -> list[float]:
    """Plant effects; whether the share, and what part of ranges (all, |z| > 2), miss the truth."""
    effect = np.sqrt(ratio - 1) * z.std() * rng.standard_normal(len(at))
    moved = z.copy()
    moved[at] += effect
    found = news_share_of(moved, at)
    _, low, high = shrunken(moved[at], np.ones(len(at)), found)
    miss, large = (effect < low) | (effect > high), np.abs(moved[at]) > 2
    share = found.detail["ci_low"] <= 1 - 1 / ratio <= found.detail["ci_high"]
    return [not share, miss.mean(), miss[large].mean() if large.any() else np.nan]


def chosen(z: np.ndarray, n: int, odds: float, rng: np.random.Generator) -> list[float]:
    """Choose n sessions, the largest tenth with these odds: the ratio, and whether p <= 5%."""
    weight = np.where(np.abs(z) >= np.quantile(np.abs(z), 0.9), odds, 1.0)
    at = np.sort(np.argsort(rng.exponential(size=len(z)) / weight)[:n])
    found = news_share_of(z, at)
    return [found.statistic, found.p_value <= 0.05]


def news_rows(z: np.ndarray, *, seed: int = 0, replications: int = REPLICATIONS) -> pd.DataFrame:
    """Run both experiments on past conditional z, shape (T,), without news of their own."""
    rows = []
    for group, (n, length) in PERIODS.items():

        def repeat(one: Callable, length: int = length) -> np.ndarray:
            rng = np.random.default_rng([seed, length])
            starts = rng.integers(len(z) - length + 1, size=replications)
            return np.array([one(z[at : at + length], rng) for at in starts], float)

        for ratio in RATIOS:
            drawn = repeat(
                lambda part, rng, n=n, ratio=ratio: planted(
                    part, np.sort(rng.choice(len(part), n, replace=False)), ratio, rng
                )
            )
            names = ("share interval", "range", "range, |z| > 2")
            rows += [
                _row("news-share", test, group, values[np.isfinite(values)], ratio, 0.0)
                for test, values in zip(names, drawn.T, strict=True)
            ]
        for odds in ODDS:
            drawn = repeat(lambda part, rng, n=n, odds=odds: chosen(part, n, odds, rng))
            ratio = float(np.median(drawn[:, 0]))
            rows.append(_row("news-choice", "news_share", group, drawn[:, 1], ratio, odds))
    return pd.DataFrame(rows)[list(COLUMNS)]


def _row(
    experiment: str, test: str, group: str, miss: np.ndarray, ratio: float, odds: float
) -> dict:
    return {
        "experiment": experiment,
        "test": test,
        "model": "gjr",
        "window": "(0, 0)",
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
