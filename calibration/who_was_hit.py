"""How often "who was hit" names a security where none was: every session is an event.

On sector funds, against the S&P 500 and against the average of the others, and on single firms;
by the size of the market's move, which is where residuals are largest: in its own standard
deviations, which the test matches on, and in percent. And how often some window that ends in the
five days after names one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from impact.inference.size import LARGEST, LARGEST_IN_PERCENT, SOME_DAY, thirds
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

#: The windows of the paths of the sectors that end in the days after, and their sample.
AFTER, OF_PATHS = tuple((0, day) for day in range(1, 6)), "sectors"

#: The share of sessions on which the market moved farthest.
SHARE = 0.05


def hit_jobs(last: str) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the p of every session of each sample and window."""
    return [
        *(partial(tested, name, last, window) for name in SAMPLES for window in WINDOWS),
        partial(tested, OF_PATHS, last, *AFTER),
    ]


def tested(sample: str, last: str, *windows: tuple[int, int]) -> pd.DataFrame:
    """Return p of the largest move of every session that has the history, and the market's move.

    Of several windows p is the smallest, and `window` names the last.
    """
    name, has_market = SAMPLES[sample]
    returns = log_returns(load_prices(name, start=ALL, end=last))
    market, common = {}, returns.mean(axis=1)
    if has_market:
        common = log_returns(load_prices(start=ALL, end=last)).reindex(returns.index)
        market = {"model": "market", "benchmark": common}
    start, end = windows[-1]
    sessions = returns.index[260 : len(returns) - end]
    study = event_study(returns, pd.DataFrame({"session": sessions}), window=(start, end), **market)
    moves = [relative_moves(study, *window) for window in windows]
    length = end - start + 1
    sums = common.rolling(length).sum().shift(-end)
    found = pd.DataFrame(
        {
            "p": pd.concat([each.p_max for each in moves], axis=1).min(axis=1, skipna=False),
            "market_z": moves[-1].market_z,
            "market": sums[study.alignment["session"]].to_numpy(),
        }
    ).dropna()
    return found.assign(sample=sample, window=window_name(windows[-1]), windows=len(windows))


def hit_rows(found: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Rejection rates by the size of the market's move from what `hit_jobs` gave."""
    parts = []
    for frame in found:
        sample, window = frame["sample"].iloc[0], frame["window"].iloc[0]
        tests = Pooled(
            np.arange(len(frame)), frame["p"].to_numpy(), (frame["market_z"] > 0).to_numpy()
        )
        rows = pooled_rows(
            tests,
            {f"{sample}: {group}": which for group, which in _groups(frame).items()},
            resampling_weights(len(frame), BLOCK, seed),
            experiment="who-was-hit",
            test="relative_max",
            model="gjr",
            window=window,
        )
        parts.append(rows[rows["tail"] == "two-sided"])
    return pd.concat(parts, ignore_index=True)


def _groups(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which sessions are counted together."""
    everything = np.ones(len(frame), dtype=bool)
    if frame["windows"].iloc[0] > 1:
        return {SOME_DAY: everything}
    z, move = (frame[name].abs().to_numpy() for name in ("market_z", "market"))
    return {
        "all": everything,
        **thirds(z, "market move"),
        LARGEST: z >= np.quantile(z, 1 - SHARE),
        LARGEST_IN_PERCENT: move >= np.quantile(move, 1 - SHARE),
    }
