"""Averages over overlapping windows of one series: how often the textbook t rejects by chance.

The sessions of a real set of events are moved together to every other place in the history of the
index, so nothing happened on them, and their windows overlap as those of the real set do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from calibration.single import ESTIMATION
from impact.inference.event_sets import shift_statistics
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.alignment import align
from impact.news.catalogue import load_events

#: Windows that are summed.
WINDOWS = ((0, 0), (0, 1), (0, 5), (0, 10))

#: The years whose sessions with announcements are moved.
SETS = {"sessions of 2018-19": (2018, 2019), "sessions of 2025": (2025, 2025)}


def overlap_rows(last: str, seed: int) -> pd.DataFrame:
    """Rejection rates of the t-test that takes the CARs of a set as independent, by window."""
    returns = log_returns(load_prices(end=last))
    session = align(load_events(), returns.index, market="NYSE")["session"].dropna()
    days = pd.DatetimeIndex(session.unique())
    # The abnormal return of a constant mean, as the estimation window before gives it.
    length = ESTIMATION[1] - ESTIMATION[0] + 1
    abnormal = (returns - returns.rolling(length).mean().shift(-ESTIMATION[1])).dropna()
    weights = resampling_weights(len(abnormal), BLOCK, seed)
    parts = []
    for group, (first, year) in SETS.items():
        chosen = days[(days.year >= first) & (days.year <= year)]
        positions = np.sort(abnormal.index.get_indexer(chosen))
        for window in WINDOWS:
            # Sums round the end of the sample, as the sets are moved round it.
            rows = np.arange(len(abnormal))[:, None] + np.arange(window[1] + 1)
            cars = abnormal.to_numpy()[rows % len(abnormal)].sum(axis=1)
            _, t = shift_statistics(cars, positions)
            p = 2 * special.stdtr(len(positions) - 1, -np.abs(t))
            parts.append(
                pooled_rows(
                    Pooled(np.arange(len(t)), p, t > 0),
                    {group: slice(None)},
                    weights,
                    experiment="overlap",
                    test="caar",
                    window=window_name(window),
                )
            )
    return pd.concat(parts, ignore_index=True)
