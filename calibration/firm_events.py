"""Tests of a cross-section on real firms, each on a session of its own, by the market's variance.

Sets of firms and sessions are drawn at random, so nothing happened on them. A test that takes the
variance of the estimation window for that of the event rejects too often where it has risen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from calibration.panels import PANEL_TESTS
from calibration.rates import replicated_rows, window_name
from calibration.single import ESTIMATION
from impact.inference.size import thirds, trailing_volatility
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.study.event_study import event_study

#: Firm events in a set, and sets in each group.
SIZES, REPLICATIONS = (20, 50), 1_000

#: The tests whose spread comes from the firms.
TESTS = {
    name: test
    for name, test in PANEL_TESTS.items()
    if name not in ("portfolio_t", "crude_dependence_t")
}

#: Sets of one calendar quarter, a quarter of which were as turbulent.
TURBULENT = "one turbulent quarter"


def firm_event_jobs(
    last: str, seed: int, replications: int = REPLICATIONS
) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the rows of one size of sets and group of sessions each."""
    returns = log_returns(load_prices("firms", end=last))
    market = log_returns(load_prices(end=last)).reindex(returns.index)
    rows = np.arange(-ESTIMATION[0], len(returns))
    spread = trailing_volatility(market.to_numpy())[rows]
    groups = {name: [rows[third]] for name, third in thirds(spread, "volatility").items()}
    by_quarter = list(pd.Series(rows).groupby(returns.index[rows].to_period("Q")))
    quarters = [part.to_numpy() for _, part in by_quarter if len(part) >= max(SIZES)]
    variances = [market.iloc[quarter].var() for quarter in quarters]
    calmest = np.quantile(variances, 0.75)
    groups[TURBULENT] = [
        quarter for quarter, spread in zip(quarters, variances, strict=True) if spread > calmest
    ]
    return [
        partial(firm_event_rows, returns, market, stretches, group, size, seed, replications)
        for size in SIZES
        for group, stretches in groups.items()
    ]


def firm_event_rows(
    returns: pd.DataFrame,
    market: pd.Series,
    stretches: list[np.ndarray],
    group: str,
    size: int,
    seed: int,
    replications: int,
) -> pd.DataFrame:
    """Rejection rates of every test on sets of so many firms, a session each of one stretch."""
    rng = np.random.default_rng([seed, size, len(stretches), int(stretches[0][0])])
    names = returns.columns.to_numpy()
    drawn = np.full((replications, 2, len(TESTS)), np.nan)
    for i in range(replications):
        rows = stretches[rng.integers(len(stretches))]
        events = pd.DataFrame(
            {
                "session": returns.index[np.sort(rng.choice(rows, size, replace=False))],
                "security": rng.choice(names, size),
            }
        )
        study = event_study(
            returns,
            events,
            model="market",
            benchmark=market,
            estimation=ESTIMATION,
            window=(0, 0),
            volatility=None,
        )
        for column, test in enumerate(TESTS.values()):
            found = test(study, 0)
            greater, less = np.array([found.p_greater, found.p_less], float)
            drawn[i, :, column] = found.p_value, greater < less
    return pd.concat(
        [
            replicated_rows(
                drawn[:, 0, column],
                drawn[:, 1, column] == 1,
                experiment="firm-events",
                test=name,
                model="market",
                window=window_name((0, 0)),
                group=f"{size} firms, {group}",
            )
            for column, name in enumerate(TESTS)
        ],
        ignore_index=True,
    )
