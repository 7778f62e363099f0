"""Clusters of sessions as observations, against scipy, loops and simulations with known truth."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns
from scipy import stats

from impact.errors import InferenceError, ReturnsError
from impact.inference.cluster_test import (
    cluster_t,
    cluster_test,
    clusters_t,
    power,
    without_each,
)
from impact.inference.event_sets import rank_p, shift_statistics, window_z
from impact.study.event_study import event_study
from impact.volatility.forecast import conditional_z

#: Rows of clusters: of three, one, two, one, and three sessions.
ROWS = np.array([20, 22, 27, 60, 100, 105, 180, 300, 301, 302])


def series(values) -> pd.Series:
    return pd.Series(values, pd.bdate_range("2010-01-01", periods=len(values)))


@pytest.fixture(scope="module")
def z():
    return series(np.random.default_rng(2).standard_t(5, 400))


def test_one_set_is_scipys_t_of_the_scaled_sums(z):
    groups = ([20, 22, 27], [60], [100, 105], [180], [300, 301, 302])
    sums = [z.iloc[list(rows)].sum() / len(rows) ** 0.5 for rows in groups]
    expected = stats.ttest_1samp(sums, 0)
    found = cluster_test(z, z.index[ROWS[::-1]])
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    assert found.detail["sizes"][0].tolist() == [3, 1, 2, 1, 3]
    assert (found.n, found.name) == (10, "cluster_t")
    assert found.distribution == "Student t (4) on 5 clusters"
    assert "Ibragimov and Müller (2010)" in str(found)


def test_two_sets_are_welchs_t_of_the_means_with_the_fewer_degrees_of_freedom(z):
    against = np.array([5, 40, 41, 140, 145, 150, 155, 230, 340, 341])
    one = [z.iloc[rows].mean() for rows in ([20, 22, 27], [60], [100, 105], [180], [300, 301, 302])]
    two = [z.iloc[r].mean() for r in ([5], [40, 41], [140, 145, 150, 155], [230], [340, 341])]
    t = stats.ttest_ind(one, two, equal_var=False).statistic
    found = cluster_test(z, z.index[ROWS], z.index[against])
    assert found.statistic == pytest.approx(t, rel=1e-12)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), 4), rel=1e-12)
    assert found.n == 20 and found.distribution == "Student t (4) on 5 and 5 clusters"


def test_without_each_is_brute_force(z):
    against = np.array([5, 40, 41, 140, 145, 150, 155, 230])
    one = without_each(z, z.index[ROWS])
    for i, p in enumerate(one):
        left = np.delete(ROWS, i)
        groups = np.split(left, np.flatnonzero(np.diff(left) >= 6) + 1)
        sums = [z.iloc[rows].sum() / len(rows) ** 0.5 for rows in groups]
        assert p == pytest.approx(stats.ttest_1samp(sums, 0).pvalue, rel=1e-10)
    both = without_each(z, z.index[ROWS], z.index[against])
    assert len(both) == 18
    last = clusters_t(z.to_numpy(), [ROWS, against[:-1]])[1]
    assert both[-1] == pytest.approx(last)


def test_a_session_that_held_a_chain_together_leaves_two_clusters(z):
    """Rows 10, 15, 20 are one cluster; without the middle one they are two."""
    rows = np.array([10, 15, 20, 100, 101, 102, 200, 201])
    left = clusters_t(z.to_numpy(), [np.delete(rows, 1)])
    assert left[2][0].tolist() == [1, 1, 3, 2]
    assert without_each(z, z.index[rows])[1] == pytest.approx(left[1])


def test_a_deletion_that_leaves_two_clusters_leaves_no_evidence(z):
    rows = np.array([10, 11, 12, 13, 100, 101, 102, 200])
    assert without_each(z, z.index[rows])[-1] == 1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (range(0, 70, 10), "a set of 7 sessions gets no verdict: at least 8 are needed"),
        ([*range(8), 100], "9 sessions falls into 2 clusters of sessions fewer than six apart: no"),
        ([3] * 9, "given twice"),
    ],
)
def test_too_few_sessions_and_clusters_are_refused_in_words(z, rows, words):
    good = z.index[ROWS]
    for sets in ([z.index[list(rows)]], [good, z.index[list(rows)]]):
        with pytest.raises(InferenceError, match=words):
            cluster_test(z, *sets)


def test_missing_z_is_refused(z):
    with pytest.raises(ReturnsError, match="missing on"):
        cluster_test(z.where(z.index != z.index[20]), z.index[ROWS])


def shared_effects(rng, sizes=(3, 5, 2), total=500):
    """A series and the rows of a set whose clusters share effects that are zero on average."""
    z = rng.standard_t(6, total) / np.sqrt(1.5)
    starts = 40 * rng.choice(total // 40, len(sizes), replace=False)
    clusters = [start + 2 * np.arange(n) for start, n in zip(starts, sizes, strict=True)]
    for rows in clusters:
        z[rows] += rng.standard_normal()
    return z, np.concatenate(clusters)


def test_it_keeps_its_size_where_clusters_share_effects_and_shifts_do_not():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(2_000):
        z, rows = shared_effects(rng)
        shifts = rank_p(np.abs(shift_statistics(z, rows)[1]))
        found.append((clusters_t(z, [rows])[1], shifts))
    by_cluster, by_shift = (np.array(found) <= 0.05).mean(axis=0)
    assert 0.035 < by_cluster < 0.065
    assert by_shift > 0.18


def test_two_sets_keep_their_size_where_their_common_mean_is_not_zero():
    """Sums over the root of their sessions would have unequal means; the means have not."""
    rng = np.random.default_rng(9)
    p = []
    for _ in range(4_000):
        z = rng.standard_normal(400) + 1.5
        one = np.concatenate([start + np.arange(4) for start in (0, 40, 80, 120)])
        two = np.arange(200, 400, 10)
        p.append(clusters_t(z, [one, two])[1])
    # Fewer degrees of freedom than Welch's make it cautious.
    assert (np.array(p) <= 0.05).mean() < 0.06


def test_power_of_one_and_two_sets_is_that_of_a_simulation():
    rng = np.random.default_rng(5)
    one, two = np.array([3, 5, 2, 1]), np.array([1, 1, 4, 2, 2])
    first = [rng.normal(0.8, 1 / np.sqrt(n), 20_000) for n in one]
    second = [rng.normal(0, 1 / np.sqrt(n), 20_000) for n in two]
    t = stats.ttest_ind(first, second, equal_var=False).statistic
    found = (2 * stats.t.sf(np.abs(t), 3) <= 0.05).mean()
    assert power([one, two], effect=0.8) == pytest.approx(found, abs=0.015)
    p = stats.ttest_1samp(np.array(first) * np.sqrt(one)[:, None], 0).pvalue
    assert power([one], 0.01, 0.8) == pytest.approx((p <= 0.01).mean(), abs=0.015)
    assert power([one], effect=0.0) == pytest.approx(0.05, abs=0.01)


def test_a_study_of_a_set_gives_the_same_number_and_refuses_long_windows():
    returns = index_returns()["2003":]
    days = ["2025-02-27", "2025-03-03", "2025-03-04", "2025-04-03", "2025-04-04", "2025-04-08"]
    days += ["2025-04-10", "2025-04-11", "2025-10-09", "2025-10-10"]
    study = event_study(returns, days)
    z = window_z(conditional_z(returns), 0, 1)
    assert cluster_t(study, 0, 1).p_value == cluster_test(z, pd.DatetimeIndex(days)).p_value
    assert cluster_t(study, 0, 1).signature == study.signed(0, 1)
    assert study.tests().loc["cluster_t", "p_value"] == cluster_t(study).p_value
    assert 0 < cluster_t(study, 0, 5).p_value < 1
    with pytest.raises(InferenceError, match="windows of 7 sessions reach from one cluster into"):
        cluster_t(event_study(returns, days, window=(-5, 7)), 0, 6)
    with pytest.raises(InferenceError, match="cluster_t needs one series and a variance model"):
        cluster_t(event_study(returns, days, volatility=None))
