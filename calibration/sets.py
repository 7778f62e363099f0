"""Sets of events on one series: which tests keep their size when events raise the variance?

Sets of real standardised returns of the index are drawn at random, so nothing happened on them;
then their deviations from the mean are enlarged. The mean stays zero: a test that rejects more
often than its level takes variance for effect. Sets whose sessions come in clusters also get
effects that a cluster shares: they are zero on average, and a test that rejects more often takes
neighbours for independent observations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from calibration.rates import blocks_of, replicated_rows
from impact.hypotheses.register import load_register
from impact.inference.cluster_test import clusters_t
from impact.inference.clusters import APART
from impact.inference.event_sets import extremity, rank_p, shift_statistics

#: Sessions in a set; factors on the variance of its sessions; independent sets of each.
SIZES, FACTORS, REPLICATIONS = (8, 15, 30), (1.0, 2.0, 3.0), 2_000

#: Sessions over which a set is spread: any of the sample, or one year of news.
SPREADS = {"anywhere": None, "within a year": 252}

#: Shifts of sets that raise the mean of their sessions, in σ, for power.
EFFECTS = (0.5, 1.0)

#: Sessions of each cluster: as the China escalations of 2025, and as those of 2018 and 2019.
CLUSTERED = ((3, 5, 2), (1, 2, 1, 2, 1, 1, 1, 2, 3, 2))

#: Standard deviation, in σ, of the effect that the sessions of a cluster share; the fall whose
#: power is measured.
SHARED, FALL = 1.0, -1.0

#: Independent sets of each: more than of the others, because 5% of three clusters is asked.
CLUSTERED_REPLICATIONS = 5_000


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
        tests, group = ("shift_mean", "shift_studentised"), f"{size} sessions {name}"
        parts += _rows(tests, drawn, None, variance=factor, effect=effect, group=group)
    return pd.concat(parts, ignore_index=True)


def _rows(
    tests: Sequence[str], drawn: np.ndarray, blocks: np.ndarray | None, **about: object
) -> list[pd.DataFrame]:
    """Rates of two tests from their p and the mean z of each set, shape (sets, 3)."""
    about |= {"model": "gjr", "window": "(0, 0)"}
    about["experiment"] = "set-power" if about["effect"] else "set"
    return [
        replicated_rows(drawn[:, column], drawn[:, 2] > 0, blocks, test=test, **about)
        for column, test in enumerate(tests)
    ]


# -- sets in clusters ----------------------------------------------------------------------------


def draw_clusters(total: int, sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the positions of clusters of so many sessions, every other one, far from each other."""
    slot = 2 * max(sizes) + APART
    # Every set has a grid of its own, so that a cluster can begin at any session.
    offset = rng.integers(slot)
    starts = offset + slot * rng.choice((total - offset) // slot, len(sizes), replace=False)
    return [start + 2 * np.arange(size) for start, size in zip(starts, sizes, strict=True)]


def clustered_p_values(
    z: np.ndarray,
    sizes: Sequence[int],
    factor: float,
    effect: float,
    shared: float,
    rng: np.random.Generator,
) -> tuple[tuple[float, float, float], np.ndarray]:
    """Return the p of `cluster_test` and of the shifts on one random set, its mean z, and rows."""
    drawn = draw_clusters(len(z), sizes, rng)
    changed = induced(z, np.concatenate(drawn), factor, effect)
    for positions in drawn:
        changed[positions] += shared * rng.standard_normal()
    positions = np.concatenate(drawn)
    mean, studentised = shift_statistics(changed, positions)
    by_shift = rank_p(extremity(studentised, "two-sided"))
    return (clusters_t(changed, [positions])[1], by_shift, float(mean[0])), positions


def clustered_rates(
    z: np.ndarray, sizes: Sequence[int], *, seed: int = 0, replications: int = REPLICATIONS
) -> pd.DataFrame:
    """Rejection rates of `cluster_test` and of circular shifts for sets in clusters.

    Parameters
    ----------
    z : ndarray, shape (T,)
        Conditional z of the index.
    sizes : sequence of int
        Sessions of each cluster.
    seed, replications : int
        As in `set_rates`.

    Returns
    -------
    DataFrame
        Experiment "set" under the null by variance factor, without and with an effect that the
        sessions of a cluster share; "set-power" for a mean of `FALL`, also with every p
        multiplied by the number of hypotheses of the register, as Holm does for the smallest.
        Errors count that sets share the sessions of one series.
    """
    count, claims = len(sizes), len(load_register())
    name = f"{sum(sizes)} sessions in {count} clusters"
    designs = [(factor, 0.0, shared) for factor in FACTORS for shared in (0.0, SHARED)]
    designs.append((1.0, FALL, 0.0))
    parts = []
    for number, (factor, effect, shared) in enumerate(designs):
        drawn, places = zip(
            *(
                clustered_p_values(
                    z,
                    sizes,
                    factor,
                    effect,
                    shared,
                    np.random.default_rng([seed, 1_000 + count, number, i]),
                )
                for i in range(replications)
            ),
            strict=True,
        )
        blocks = blocks_of(np.array(places), len(z))
        counted = {f"{name}, shared effects" if shared else name: 1}
        if effect:
            counted[f"{name}, first of {claims}"] = claims
        for group, times in counted.items():
            values = np.array(drawn) * [times, times, 1]
            tests = ("cluster_t", "shift_studentised")
            parts += _rows(tests, values, blocks, variance=factor, effect=effect, group=group)
    return pd.concat(parts, ignore_index=True)
