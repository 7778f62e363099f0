"""From p-values to rejection rates with their Monte Carlo errors, in long form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from calibration.single import Outcome

#: Columns of the table, in order.
COLUMNS = (
    "experiment",
    "test",
    "model",
    "window",
    "group",
    "variance",
    "effect",
    "level",
    "tail",
    "rate",
    "error",
    "n",
    "note",
)

#: What is counted: nominal size, which rejections, and the two-sided level that they pass.
Ways = tuple[tuple[float, str, float], ...]
COUNTED: Ways = (
    (0.01, "two-sided", 0.01),
    (0.05, "two-sided", 0.05),
    (0.10, "two-sided", 0.10),
    (0.025, "upper", 0.05),
    (0.025, "lower", 0.05),
)

#: The smallest p that a thousand past sessions can give: cards say how often it occurs.
RARE: Ways = ((0.002, "two-sided", 0.002),)

#: Sessions in a block of the bootstrap, and resamples.
BLOCK, RESAMPLES = 63, 500


def resampling_weights(n: int, block: int, seed: int) -> np.ndarray:
    """How often each of n sessions is drawn in each resample of circular blocks, shape (B, n).

    References
    ----------
    Politis and Romano (1992), A circular block-resampling procedure for stationary data.
    """
    generator = np.random.default_rng(seed)
    starts = generator.integers(n, size=(RESAMPLES, -(-n // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :n] % n
    return np.stack([np.bincount(row, minlength=n) for row in rows]).astype(float)


def rejections(p: np.ndarray, rise: np.ndarray, ways: Ways = COUNTED) -> np.ndarray:
    """Which p-values reject in each of the ways, shape (ways, n)."""
    side = {"two-sided": np.ones_like(rise), "upper": rise, "lower": ~rise}
    return np.stack([(p <= bar) & side[tail] for _, tail, bar in ways])


def outcome_rows(
    outcomes: Sequence[Outcome],
    groups: Mapping[tuple[int, int], Mapping[str, np.ndarray]],
    experiment: str,
    weights: np.ndarray,
    ways: Ways = COUNTED,
) -> pd.DataFrame:
    """Rejection rates of some outcomes by group, with block-bootstrap errors.

    Parameters
    ----------
    outcomes : sequence of Outcome
        All on one sample of n sessions.
    groups : mapping
        Window -> name of a group -> bool, shape (n,).
    experiment : str
    weights : ndarray, shape (B, n)
        From `resampling_weights`.
    ways : tuple
        Which rejections are counted, as `COUNTED`.

    Returns
    -------
    DataFrame
        With the columns `COLUMNS`.
    """
    session = np.arange(weights.shape[1])
    parts = [
        pooled_rows(
            Pooled(session, outcome.p, outcome.rise),
            groups[outcome.window],
            weights,
            ways,
            experiment=experiment,
            test=outcome.test,
            model=outcome.model,
            window=window_name(outcome.window),
            effect=outcome.effect,
        )
        for outcome in outcomes
    ]
    return pd.concat(parts, ignore_index=True)


class Pooled(NamedTuple):
    """Tests that may share sessions: the session of each, p, and whether the sum rose.

    Each is of shape (m,); a session is its number among those that the bootstrap draws.
    """

    session: np.ndarray
    p: np.ndarray
    rise: np.ndarray


def pooled_rows(
    tests: Pooled,
    groups: Mapping[str, np.ndarray | slice],
    weights: np.ndarray,
    ways: Ways = COUNTED,
    **about: Any,
) -> pd.DataFrame:
    """Rejection rates by group, where the tests of one session are drawn together.

    Parameters
    ----------
    tests : Pooled
        m tests on n sessions.
    groups : mapping
        Name -> bool, shape (m,), a slice or positions; a group without a test has no row.
    weights : ndarray, shape (B, n)
        From `resampling_weights`.
    ways : tuple
        As for `outcome_rows`.
    about
        Further columns of `COLUMNS`.

    Returns
    -------
    DataFrame
        With the columns `COLUMNS`.
    """
    parts = []
    for group, chosen in groups.items():
        session, p, rise = (values[chosen] for values in tests)
        if not len(p):
            continue
        # One column for the tests, one a way for those that reject.
        counted = [np.ones(len(p)), *rejections(p, rise, ways)]
        counts = np.stack([np.bincount(session, one, weights.shape[1]) for one in counted], 1)
        drawn = weights @ counts
        with np.errstate(invalid="ignore"):
            resampled = drawn[:, 1:] / drawn[:, :1]
        rate, error = counts[:, 1:].sum(0) / len(p), np.nanstd(resampled, axis=0, ddof=1)
        parts.append(_rows(rate, error, ways, group=group, n=len(p), **about))
    return pd.concat(parts, ignore_index=True)


def replicated_rows(
    p: np.ndarray, rise: np.ndarray, blocks: np.ndarray | None = None, **about: Any
) -> pd.DataFrame:
    """Rejection rates over replications, with binomial errors or, in addition, that of the series.

    Parameters
    ----------
    p : ndarray, shape (n,)
        NaN where a replication has no p; such replications are left out.
    rise : ndarray of bool, shape (n,)
    blocks : ndarray of bool, shape (n, B), optional
        By `blocks_of`, where replications are sets of sessions of one series; independent
        replications without it.
    about
        Further columns of `COLUMNS`.
    """
    there = np.isfinite(p)
    rejected = rejections(p[there], rise[there])
    rate = rejected.mean(axis=1)
    variance = rate * (1 - rate) / there.sum()
    if blocks is not None:
        variance += series_variance(rejected, blocks[there])
    return _rows(rate, np.sqrt(variance), COUNTED, n=int(there.sum()), **about)


def blocks_of(positions: np.ndarray, total: int) -> np.ndarray:
    """Which blocks of 63 sessions each set has sessions in, shape (n, B); positions (n, size)."""
    blocks = np.zeros((len(positions), -(-total // BLOCK)), dtype=bool)
    np.put_along_axis(blocks, positions // BLOCK, True, axis=1)
    return blocks


def series_variance(rejected: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Variance of rejection rates that comes from the one series that all sets are drawn from.

    Parameters
    ----------
    rejected : ndarray of bool, shape (ways, n)
    blocks : ndarray of bool, shape (n, B)

    Returns
    -------
    ndarray, shape (ways,)

    Notes
    -----
    The jackknife over blocks: the rate among the sets without a session in each. A set is left
    out once for every block that it has a session in, and its own binomial variance is counted
    as often; that is taken off, down to zero.

    References
    ----------
    Efron and Stein (1981), Annals of Statistics 9.
    """
    apart = ~blocks
    without = rejected.astype(float) @ apart / apart.sum(axis=0)
    rate = rejected.mean(axis=1)
    jackknife = (blocks.shape[1] - 1) * without.var(axis=1)
    own = blocks.sum(axis=1).mean() * rate * (1 - rate) / len(blocks)
    return np.maximum(jackknife - own, 0.0)


def window_name(window: tuple[int, int]) -> str:
    """Return a window as ``(0, 1)``."""
    return f"({window[0]}, {window[1]})"


def _rows(rate: np.ndarray, error: np.ndarray, ways: Ways, **about: Any) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "level": [level for level, _, _ in ways],
            "tail": [tail for _, tail, _ in ways],
            "rate": rate,
            "error": error,
        }
    )
    filled = {"model": "", "variance": 1.0, "effect": 0.0, "note": ""} | about
    return rows.assign(**filled)[list(COLUMNS)]
