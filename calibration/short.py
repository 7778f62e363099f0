"""Short histories and fat tails: the tests of one session where parameters say little.

Histories of 1,000 sessions cut out of the index, of firms, of funds and of a simulated asset that
trades every day of the week. The first 250 returns of each start the variance, which with so few
is an exponential average; the others are tested.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from calibration.others import ALL
from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from impact.inference.conditional import unit_student_p
from impact.inference.equal_tails import equal_tails
from impact.inference.size import thirds, trailing_volatility
from impact.market.prices import INDEX, load_prices
from impact.market.returns import log_returns
from impact.volatility.forecast import refits
from impact.volatility.garch import MIN_SESSIONS

#: Sessions of a short history; what a session is called by the number of returns before it.
LENGTH = MIN_SESSIONS["gjr"]
HISTORIES = {"250 to 499 returns": slice(0, 500), "500 to 999 returns": slice(500, LENGTH)}

#: What the histories are cut out of.
PANELS = {"index": INDEX, "firms": "firms", "funds": "funds"}

#: Days, degrees of freedom and GARCH(1,1) of the simulated asset: tails so fat that the fourth
#: moment does not exist, as those of coins.
DAYS, NU, GARCH = 20_000, 3.0, (0.02, 0.09, 0.90)

SIMULATED = "an asset with fat tails, seven days a week"


def short_jobs(last: str, seed: int) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the p of each series; see `short_rows`."""
    series = {
        panel: pd.DataFrame(load_prices(name, start=ALL, end=last))
        for panel, name in PANELS.items()
    }
    jobs = [
        partial(tested, panel, log_returns(prices[column].dropna()), LENGTH)
        for panel, prices in series.items()
        for column in prices
    ]
    asset = simulated_asset(np.random.default_rng(seed))
    return [*jobs, partial(tested, SIMULATED, asset, LENGTH), partial(tested, SIMULATED, asset)]


def simulated_asset(rng: np.random.Generator, days: int = DAYS) -> pd.Series:
    """Return returns of every calendar day with Student t shocks and a GARCH(1,1)."""
    shocks = rng.standard_t(NU, days) * np.sqrt((NU - 2) / NU)
    omega, alpha, beta = GARCH
    variance, moves = 1.0, np.empty(days)
    for t, shock in enumerate(shocks):
        moves[t] = np.sqrt(variance) * shock
        variance = omega + alpha * moves[t] ** 2 + beta * variance
    return pd.Series(0.03 * moves, pd.date_range("1970-01-01", periods=days, name="date"))


def tested(panel: str, returns: pd.Series, length: int | None = None) -> pd.DataFrame:
    """p of both conditional tests on each session of histories of so many, or of the whole."""
    model, each = ("ewma", length) if length else ("gjr", len(returns))
    rows, days = [], []
    for begin in range(0, len(returns) - each + 1, each):
        history = returns.iloc[begin : begin + each]
        for month in refits(history, model=model):
            for at in range(month.served.start, month.served.stop):
                z, past = month.z[at], month.forecast(month.begin + at).past_z
                p = equal_tails(past, z), float(unit_student_p(z, month.fit.nu))
                rows.append((*p, z > 0, len(past)))
                days.append(history.index[month.begin + at])
    frame = pd.DataFrame(rows, days, ["conditional_fhs", "conditional_t", "rise", "before"])
    spread = pd.Series(trailing_volatility(returns.to_numpy(float)), returns.index)
    return frame.assign(panel=panel, model=model, spread=spread[frame.index])


def short_rows(found: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Rejection rates by test, panel and third of volatility, sessions of one date together."""
    parts = []
    for (panel, model), sample in pd.concat(found).groupby(["panel", "model"], sort=False):
        session, dates = pd.factorize(sample.index, sort=True)
        weights = resampling_weights(len(dates), BLOCK, seed)
        before, groups = sample["before"].to_numpy(), {}
        for history, of in HISTORIES.items() if model == "ewma" else [("all", slice(0, None))]:
            part = (before >= of.start) & (before < (of.stop or np.inf))
            named = thirds(sample["spread"].to_numpy()[part], "volatility")
            for third, rows in ({"all": np.ones(part.sum(), dtype=bool)} | named).items():
                groups[f"{panel}, {history}, {third}"] = np.flatnonzero(part)[rows]
        for test in ("conditional_fhs", "conditional_t"):
            tests = Pooled(session, sample[test].to_numpy(float), sample["rise"].to_numpy(bool))
            parts.append(
                pooled_rows(
                    tests,
                    groups,
                    weights,
                    experiment="size-short",
                    test=test,
                    model=model,
                    window=window_name((0, 0)),
                )
            )
    return pd.concat(parts, ignore_index=True)
