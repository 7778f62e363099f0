"""Verdicts on sets of events on one series: clusters of sessions are the observations.

Sessions that follow each other closely share effects, so that ten sessions in three clusters say
as much as three observations do. Circular shifts take what a cluster shares for evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import scipy

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.clusters import APART, clusters
from impact.inference.event_sets import enough_sessions, locate, set_of, welch_t
from impact.inference.tests import LEVEL, HypothesisTest
from impact.text.formats import counted, list_of

#: No verdict is given on fewer clusters.
MIN_CLUSTERS = 3

#: Sets drawn for the power of a test.
_DRAWS = 10_000


def cluster_test(
    z: pd.Series,
    sessions: Sequence[pd.Timestamp],
    against: Sequence[pd.Timestamp] | None = None,
) -> HypothesisTest:
    """Test the mean conditional z of a set of sessions, or its difference from that of another set.

    InferenceError if a set has fewer than 8 sessions or 3 clusters, or a session repeated or not in
    `z`; ReturnsError if `z` has a missing value.

    Returns
    -------
    HypothesisTest
        Two-sided. ``detail["sizes"]`` holds the sessions of each cluster, one array a set.

    Notes
    -----
    One set: t of the G values Σ z / √n_g, a cluster's sum over the root of its sessions, on G - 1
    degrees of freedom. Two sets: Welch's t of the clusters' means, on min(G₁, G₂) - 1. Both hold
    for clusters of any, and unequal, variance. Clusters of the one set that lie beside clusters of
    the other are taken as independent of them, which is cautious where they share effects.

    References
    ----------
    Ibragimov and Müller (2010), t-statistic based correlation and heterogeneity robust inference,
    J. Business and Economic Statistics 28; (2016), Inference with few heterogeneous clusters,
    Review of Economics and Statistics 98, for two sets.

    Examples
    --------
    >>> z = pd.Series(np.sin(np.arange(500.0)), pd.bdate_range("2020-01-01", periods=500))
    >>> test = cluster_test(z, z.index[::50])
    >>> test.n, test.distribution
    (10, 'Student t (9) on 10 clusters')
    """
    sets = [locate(z, sessions), *([] if against is None else [locate(z, against)])]
    for positions in sets:
        enough_sessions(len(positions))
        enough_clusters(positions)
    statistic, p, sizes = clusters_t(z.to_numpy(float), sets)
    groups = [len(one) for one in sizes]
    return HypothesisTest(
        name="cluster_t" if against is None else "cluster_difference",
        null="the mean standardised return of these sessions is zero"
        if against is None
        else "the mean standardised returns of the two sets are equal",
        statistic=statistic,
        p_value=p,
        distribution=f"Student t ({min(groups) - 1}) on {list_of(map(str, groups))} clusters",
        n=sum(map(len, sets)),
        reference="Ibragimov and Müller (2010)" if against is None else "Ibragimov, Müller (2016)",
        detail={"sizes": sizes},
    )


def cluster_t(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Test that the mean of the study's sessions is zero: t of clusters of sessions.

    Raises
    ------
    InferenceError
        If there are fewer than 8 sessions or 3 clusters, several series, no variance model, or a
        window longer than six sessions, which reaches into the next cluster.
    HistoryError
        If an event lies before the conditional variance begins.

    References
    ----------
    Ibragimov and Müller (2010), J. Business and Economic Statistics 28.
    """
    z, sessions, about = set_of(study, start, end, "cluster_t")
    if (length := study.over(start, end).tested.length) > APART:
        raise InferenceError(
            f"windows of {length} sessions reach from one cluster into the next: test at most "
            f"{APART}"
        )
    return replace(cluster_test(z, sessions), **about)


def enough_clusters(positions: np.ndarray) -> None:
    """Check that a set has enough clusters for a verdict; InferenceError where it has not."""
    number = len(np.unique(clusters(positions)))
    if number < MIN_CLUSTERS:
        raise InferenceError(
            f"the set of {counted(len(positions), 'session')} falls into "
            f"{counted(number, 'cluster')} of sessions fewer than six apart: no verdict on fewer "
            f"than {MIN_CLUSTERS}"
        )


def without_each(z: pd.Series, *sets: Sequence[pd.Timestamp]) -> np.ndarray:
    """Return the p of `cluster_test` without each session of the sets in turn, shape (n,).

    It is 1 where fewer than 3 clusters are left.

    Examples
    --------
    >>> z = pd.Series(np.sin(np.arange(500.0)), pd.bdate_range("2020-01-01", periods=500))
    >>> without_each(z, z.index[::50]).shape
    (10,)
    """
    values, placed = z.to_numpy(float), [locate(z, one) for one in sets]
    found = []
    for number, positions in enumerate(placed):
        for i in range(len(positions)):
            left = [*placed]
            left[number] = np.delete(positions, i)
            few = any(len(np.unique(clusters(one))) < MIN_CLUSTERS for one in left)
            found.append(1.0 if few else clusters_t(values, left)[1])
    return np.array(found)


def power(sizes: Sequence[np.ndarray], level: float = LEVEL, effect: float = 1.0) -> float:
    """How often `cluster_test` finds a mean of so many σ, where sessions are independent.

    `sizes` holds the sessions of each cluster of one or two sets; the mean z of the first is
    `effect`, with a variance of one. A two-sided p up to `level` is a finding. The share is of
    10,000 normal samples, the same on every call; it is an upper bound where clusters share effects
    or news raises the variance.

    Examples
    --------
    >>> few, many = (power([np.full(clusters, 3)]) for clusters in (3, 12))
    >>> few < 0.5 < 0.99 < many
    True
    """
    rng = np.random.default_rng(0)
    drawn = [
        (effect if number == 0 else 0.0) + rng.standard_normal((_DRAWS, len(one))) / np.sqrt(one)
        for number, one in enumerate(sizes)
    ]
    return float(np.mean(_p(_t(drawn, sizes), sizes) <= level))


def cluster_means(z: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean z and number of sessions of each cluster of a set, in order of time.

    Examples
    --------
    >>> [values.tolist() for values in cluster_means(np.arange(20.0), np.array([2, 4, 15]))]
    [[3.0, 15.0], [2, 1]]
    """
    numbers = clusters(positions)
    sizes = np.bincount(numbers)
    return np.bincount(numbers, z[positions]) / sizes, sizes


def clusters_t(z: np.ndarray, sets: Sequence[np.ndarray]) -> tuple[float, float, list[np.ndarray]]:
    """Return t, its two-sided p and the sizes of the clusters of one or two sets of rows of z.

    Examples
    --------
    >>> t, p, sizes = clusters_t(np.arange(40.0) - 19.5, [np.array([2, 4, 18, 30])])
    >>> round(t, 2), round(p, 2), sizes[0].tolist()
    (-0.48, 0.68, [2, 1, 1])
    """
    means, sizes = zip(*(cluster_means(z, positions) for positions in sets), strict=True)
    statistic = _t(means, sizes)
    return float(statistic), float(_p(statistic, sizes)), list(sizes)


def _t(means: Sequence[np.ndarray], sizes: Sequence[np.ndarray]) -> np.ndarray:
    """t of clusters' means, shape (..., G): of one set weighted by √n_g, of two Welch's."""
    if len(means) > 1:
        return welch_t(*means)
    values = means[0] * np.sqrt(sizes[0])
    return values.mean(axis=-1) / np.sqrt(values.var(axis=-1, ddof=1) / values.shape[-1])


def _p(statistic: np.ndarray, sizes: Sequence[np.ndarray]) -> np.ndarray:
    dof = min(len(one) for one in sizes) - 1
    return 2 * scipy.special.stdtr(dof, -np.abs(statistic))
