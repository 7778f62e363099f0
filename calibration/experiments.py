"""The experiments on the real history: one common sample, its groups, size and power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from calibration.rates import BLOCK, RARE, outcome_rows, resampling_weights
from calibration.single import (
    MODELS,
    WINDOWS,
    Outcome,
    conditional_outcomes,
    implied_outcomes,
    sample_rows,
    series_z,
    unconditional_outcomes,
)
from impact.inference.size import thirds, trailing_volatility
from impact.news.surroundings import releases_on
from impact.volatility.garch import FIT_SESSIONS

#: What is added to session 0 for power: falls and rises of 0.5, 1, 2 and 3%.
EFFECTS = (-0.03, -0.02, -0.01, -0.005, 0.005, 0.01, 0.02, 0.03)

#: Every fifth session serves for power.
STEP = 5

#: A session moved by more than so many σ is a shock.
SHOCK = 3.0

#: A move of the session before that counts as large, as a fraction; what its group is called.
LARGE, AFTER_LARGE = 0.04, "after a move over 4%"


@dataclass(frozen=True, eq=False)
class Sample:
    """The common sample, and what was known of each session the evening before.

    Attributes
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    implied : Series
        The volatility index in points.
    z : ndarray, shape (T - FIT_SESSIONS,)
        Conditional z of the rows from `FIT_SESSIONS` on.
    rows : ndarray of int, shape (n,)
        Rows of session 0.
    """

    returns: pd.Series
    implied: pd.Series
    z: np.ndarray
    rows: np.ndarray

    def thin(self, step: int) -> Sample:
        """Return every so many sessions of the sample."""
        return Sample(self.returns, self.implied, self.z, self.rows[::step])

    def by_volatility(self, window: tuple[int, int]) -> dict[str, np.ndarray]:
        """All sessions, and thirds by the volatility of the 22 before the window."""
        spread = trailing_volatility(self.returns.to_numpy(float))[self.rows + window[0]]
        return {"all": np.ones(len(self.rows), dtype=bool), **thirds(spread, "volatility")}

    def by_day(self, window: tuple[int, int]) -> dict[str, np.ndarray]:
        """As `by_volatility`, thirds by the volatility index before the window, and some days.

        The days are those after a shock or a large move, and those with a macro release.
        """
        # The first session of the sample has no z before it, and no shock.
        before = self.rows + window[0] - 1 - FIT_SESSIONS
        after = (before >= 0) & (np.abs(self.z[np.maximum(before, 0)]) > SHOCK)
        moved = np.abs(self.returns.to_numpy(float))[self.rows + window[0] - 1] > LARGE
        points = self.implied.reindex(self.returns.index).to_numpy(float)
        by_index = thirds(points[self.rows + window[0] - 1], "VIX")
        released = releases_on(self.returns.index[self.rows])
        release = ~released.isin(["", "not checked"]).to_numpy()
        days = {
            "after |z| > 3": after,
            AFTER_LARGE: moved,
            "macro release": release,
        }
        return self.by_volatility(window) | by_index | days


def common_sample(returns: pd.Series, implied: pd.Series) -> Sample:
    """Return the sample on which every test and every window has what it needs."""
    z = series_z(returns)
    return Sample(returns, implied, z, sample_rows(len(returns)))


def outcome_jobs(sample: Sample, seed: int) -> list[Callable[[], list[Outcome]]]:
    """Work that gives the outcomes of every test without effect, in independent parts."""
    returns, rows = sample.returns, sample.rows
    return [
        *(
            partial(conditional_outcomes, returns, model, rows, window, seed=seed)
            for model in MODELS
            for window in WINDOWS[::-1]
        ),
        *(partial(unconditional_outcomes, returns, rows, window) for window in WINDOWS),
        partial(implied_outcomes, returns, sample.implied, rows),
    ]


def power_jobs(sample: Sample) -> list[Callable[[], list[Outcome]]]:
    """As `outcome_jobs` for one session, with each of the effects; `sample` thinned already."""
    returns, rows, one = sample.returns, sample.rows, (0, 0)
    return [
        *(partial(conditional_outcomes, returns, model, rows, one, EFFECTS) for model in MODELS),
        # One study a session and effect is slow enough to be shared out.
        *(partial(unconditional_outcomes, returns, rows, one, [x]) for x in EFFECTS),
        partial(implied_outcomes, returns, sample.implied, rows, EFFECTS),
    ]


def size_rows(sample: Sample, outcomes: Sequence[Outcome], seed: int) -> pd.DataFrame:
    """Rejection rates without effect, by group; and how often the headline's smallest p occurs."""
    weights = resampling_weights(len(sample.rows), BLOCK, seed)
    days = {window: sample.by_day(window) for window in WINDOWS}
    parts = [outcome_rows(outcomes, days, "size", weights)]
    if rare := [one for one in outcomes if (one.test, one.window) == ("conditional_fhs", (0, 0))]:
        by_third = {(0, 0): sample.by_volatility((0, 0))}
        parts.append(outcome_rows(rare, by_third, "size", weights, RARE))
    return pd.concat(parts, ignore_index=True)


def power_rows(sample: Sample, outcomes: Sequence[Outcome], seed: int) -> pd.DataFrame:
    """Rejection rates with effects, by third; of the 5% two-sided test: the effect has a sign."""
    rows = outcome_rows(
        outcomes,
        {(0, 0): sample.by_volatility((0, 0))},
        "power",
        resampling_weights(len(sample.rows), BLOCK // STEP, seed),
    )
    return rows[rows["level"] == 0.05].reset_index(drop=True)
