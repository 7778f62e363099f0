"""How often "who was hit" names a security where none was: every session is an event.

On sector funds, against the S&P 500 and against the average of the others, and on single firms;
by the size of the market's move, which is where residuals are largest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from impact.inference.size import LARGEST, thirds
from impact.inference.who_was_hit import relative_moves
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.study.event_study import event_study

#: Before the first price of every file.
ALL = "1927-12-30"

#: Samples, with the prices, and whether the S&P 500 is the market.
SAMPLES = {
    "sectors": ("sectors", True),
    "sectors among themselves": ("sectors", False),
    "firms": ("firms", True),
}

#: The session of the news, and the longest window of the notebook.
WINDOWS = ((0, 0), (0, 5))

#: The share of sessions on which the market moved farthest.
SHARE = 0.05


def hit_jobs(last: str) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the p of every session of each sample and window."""
    return [partial(tested, name, last, window) for name in SAMPLES for window in WINDOWS]


def tested(sample: str, last: str, window: tuple[int, int]) -> pd.DataFrame:
    """Return p of the largest move of every session that has the history, and the market's z."""
    name, has_market = SAMPLES[sample]
    returns = log_returns(load_prices(name, start=ALL, end=last))
    market = {}
    if has_market:
        benchmark = log_returns(load_prices(start=ALL, end=last)).reindex(returns.index)
        market = {"model": "market", "benchmark": benchmark}
    sessions = pd.DataFrame({"session": returns.index[260 : len(returns) - window[1]]})
    study = event_study(returns, sessions, window=window, **market)
    moves = relative_moves(study, *window)
    found = pd.DataFrame({"p": moves.p_max, "market_z": moves.market_z}).dropna()
    return found.assign(sample=sample, window=window_name(window))


def hit_rows(found: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Rejection rates by the size of the market's move from what `hit_jobs` gave."""
    parts = []
    for frame in found:
        size = frame["market_z"].abs().to_numpy()
        farthest = size >= np.quantile(size, 1 - SHARE)
        groups = {"all": np.ones(len(size), dtype=bool), **thirds(size, "market move")}
        tests = Pooled(
            np.arange(len(size)), frame["p"].to_numpy(), (frame["market_z"] > 0).to_numpy()
        )
        sample, window = frame["sample"].iloc[0], frame["window"].iloc[0]
        rows = pooled_rows(
            tests,
            {
                f"{sample}: {group}": which
                for group, which in (groups | {LARGEST: farthest}).items()
            },
            resampling_weights(len(size), BLOCK, seed),
            experiment="who-was-hit",
            test="relative_max",
            model="gjr",
            window=window,
        )
        parts.append(rows[rows["tail"] == "two-sided"])
    return pd.concat(parts, ignore_index=True)
