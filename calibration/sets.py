"""Sets of events on one series: do circular shifts keep their size when events raise the variance?

Sets of real standardised returns of the index are drawn at random, so nothing happened on them;
then their deviations from the mean are enlarged. The mean stays zero: a test that rejects more
often than its level takes variance for effect.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.rates import replicated_rows
from impact.inference.event_sets import extremity, rank_p, shift_statistics

#: Sessions in a set; factors on the variance of its sessions; independent sets of each.
SIZES, FACTORS, REPLICATIONS = (8, 15, 30), (1.0, 2.0, 3.0), 2_000

#: Sessions over which a set is spread: any of the sample, or one year of news.
SPREADS = {"anywhere": None, "within a year": 252}

#: Shifts of sets that raise the mean of their sessions, in σ, for power.
EFFECTS = (0.5, 1.0)


def draw_set(total: int, size: int, spread: int | None, rng: np.random.Generator) -> np.ndarray:
    """Draw the positions of a set of `size` sessions, each once, from a stretch of `spread`."""
    if spread is None:
        return rng.choice(total, size, replace=False)
    return rng.integers(total - spread + 1) + rng.choice(spread, size, replace=False)


def induced(z: np.ndarray, positions: np.ndarray, factor: float, effect: float = 0.0) -> np.ndarray:
    """Return z with the variance of some sessions multiplied and `effect` added to them."""
    centre = z.mean()
    changed = z.copy()
    changed[positions] = centre + np.sqrt(factor) * (z[positions] - centre) + effect
    return changed


def set_p_values(
    z: np.ndarray,
    size: int,
    spread: int | None,
    factor: float,
    effect: float,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return the two p-values of one random set, by mean z and studentised, and its mean z."""
    positions = draw_set(len(z), size, spread, rng)
    shifted = shift_statistics(induced(z, positions, factor, effect), positions)
    by_mean, studentised = (rank_p(extremity(statistic, "two-sided")) for statistic in shifted)
    return by_mean, studentised, float(shifted[0][0])


def set_rates(
    z: np.ndarray, size: int, *, seed: int = 0, replications: int = REPLICATIONS
) -> pd.DataFrame:
    """Rejection rates of both circular-shift tests for sets of one size.

    Parameters
    ----------
    z : ndarray, shape (T,)
        Conditional z of the index.
    size : int
        Sessions in a set.
    seed, replications : int
        Set number i of a design is drawn by a generator that depends on (seed, design, i) alone.

    Returns
    -------
    DataFrame
        Experiment "set" under the null by spread and variance factor, and "set-power" by effect
        (in σ), as `calibration.rates.COLUMNS`.
    """
    designs = [(name, factor, 0.0) for name in SPREADS for factor in FACTORS]
    designs += [("anywhere", factor, effect) for factor in (1.0, 3.0) for effect in EFFECTS]
    parts = []
    for number, (name, factor, effect) in enumerate(designs):
        drawn = np.array(
            [
                set_p_values(
                    z,
                    size,
                    SPREADS[name],
                    factor,
                    effect,
                    np.random.default_rng([seed, size, number, i]),
                )
                for i in range(replications)
            ]
        )
        for column, test in enumerate(("shift_mean", "shift_studentised")):
            rows = replicated_rows(
                drawn[:, column],
                drawn[:, 2] > 0,
                test=test,
                model="gjr",
                window="(0, 0)",
                experiment="set-power" if effect else "set",
                variance=factor,
                effect=effect,
                group=f"{size} sessions {name}",
            )
            parts.append(rows)
    return pd.concat(parts, ignore_index=True)
