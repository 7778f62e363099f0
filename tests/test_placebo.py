"""Circular shifts and label permutations, against slow loops and simulations with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from impact.errors import InferenceError, ReturnsError
from impact.inference.placebo import (
    difference_test,
    shift_test,
    welch_t,
    window_z,
)


def series(values) -> pd.Series:
    return pd.Series(values, pd.bdate_range("2010-01-01", periods=len(values)))


def slow_shift_p(z, positions, statistic, extreme):
    """The obvious loop: move every event by s sessions, wrap round, count."""
    observed = extreme(statistic([z[p] for p in positions]))
    larger = 0
    for shift in range(1, len(z)):
        moved = [z[(p + shift) % len(z)] for p in positions]
        larger += extreme(statistic(moved)) >= observed
    return (1 + larger) / len(z)


@pytest.mark.parametrize(
    ("side", "extreme"),
    [("two-sided", abs), ("greater", lambda v: v), ("less", lambda v: -v)],
)
def test_shift_test_equals_the_slow_loop(side, extreme):
    rng = np.random.default_rng(3)
    z = rng.standard_t(5, 300)
    positions = np.sort(rng.choice(300, 12, replace=False))
    result = shift_test(series(z), series(z).index[positions], side=side)
    assert result.p_mean == slow_shift_p(z, positions, np.mean, extreme)
    one_sample = slow_shift_p(z, positions, lambda v: stats.ttest_1samp(v, 0).statistic, extreme)
    assert result.p_studentised == one_sample
    assert result.studentised == pytest.approx(stats.ttest_1samp(z[positions], 0).statistic)


def test_the_identity_is_left_out_and_p_is_never_zero():
    z = np.zeros(200)
    z[10:20] = 5 + np.arange(10) / 10
    result = shift_test(series(z + np.linspace(0, 1e-3, 200)), series(z).index[10:20])
    assert len(result.shifted_mean) == 199
    assert result.p_mean == 1 / 200


def test_no_verdict_below_eight_sessions():
    z = series(np.random.default_rng(0).normal(size=100))
    with pytest.raises(InferenceError, match="7 sessions gets no verdict"):
        shift_test(z, z.index[:7])
    assert shift_test(z, z.index[:8]).n == 8


@pytest.mark.parametrize(
    ("sessions", "message"),
    [
        (["2010-01-04"] * 9, "given twice"),
        (pd.date_range("2009-12-01", periods=9), "has no conditional z"),
    ],
)
def test_bad_sessions_are_named(sessions, message):
    z = series(np.random.default_rng(0).normal(size=100))
    with pytest.raises(InferenceError, match=message):
        shift_test(z, pd.DatetimeIndex(sessions))


def test_missing_z_is_refused():
    z = series(np.random.default_rng(0).normal(size=100))
    z.iloc[5] = np.nan
    with pytest.raises(ReturnsError, match="missing on"):
        shift_test(z, z.index[10:20])


def test_unknown_side_lists_the_known():
    z = series(np.random.default_rng(0).normal(size=100))
    with pytest.raises(InferenceError, match="'greater' or 'less'"):
        shift_test(z, z.index[10:20], side="up")


def test_p_is_uniform_on_garch_returns_and_small_with_a_planted_effect():
    """500 simulated studies: z from a GARCH filter with the true parameters."""
    rng = np.random.default_rng(11)
    p, planted = [], []
    for _ in range(500):
        shocks = rng.standard_t(6, 700) / np.sqrt(1.5)
        z = series(shocks)
        sessions = z.index[np.sort(rng.choice(700, 20, replace=False))]
        p.append(shift_test(z, sessions).p_studentised)
        moved = z.copy()
        moved[sessions] += 1.0
        planted.append(shift_test(moved, sessions).p_studentised)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(planted) < 0.05) > 0.9


def test_tripled_variance_fools_the_mean_but_not_the_studentised_mean():
    rng = np.random.default_rng(5)
    mean, studentised = [], []
    for _ in range(600):
        z = series(rng.standard_t(6, 800) / np.sqrt(1.5))
        sessions = z.index[np.sort(rng.choice(800, 20, replace=False))]
        z[sessions] *= np.sqrt(3)
        result = shift_test(z, sessions)
        mean.append(result.p_mean < 0.05)
        studentised.append(result.p_studentised < 0.05)
    assert np.mean(mean) > 0.15
    assert 0.03 < np.mean(studentised) < 0.07


def test_window_z_sums_moves_over_the_sigma_of_the_eve():
    z = pd.DataFrame({"z": [1.0, 2.0, 3.0, 4.0], "sigma": [0.1, 0.2, 0.4, 0.8]},
                     index=pd.bdate_range("2020-01-01", periods=4))  # fmt: skip
    got = window_z(z, -1, 1)
    first = (1 * 0.1 + 2 * 0.2 + 3 * 0.4) / (0.1 * np.sqrt(3))
    second = (2 * 0.2 + 3 * 0.4 + 4 * 0.8) / (0.2 * np.sqrt(3))
    np.testing.assert_allclose(got.to_numpy(), [first, second])
    assert list(got.index) == list(z.index[1:3])
    np.testing.assert_allclose(window_z(z), z["z"])


def test_welch_t_is_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 15), rng.normal(0, 3, 9)
    assert welch_t(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).statistic)


def test_difference_keeps_its_size_with_unequal_variances_and_finds_a_difference():
    rng = np.random.default_rng(2)
    null, moved = [], []
    for i in range(300):
        a, b = rng.normal(0, 1, 12), rng.normal(0, 2, 20)
        null.append(difference_test(a, b, permutations=299, rng=i).p_value < 0.05)
        moved.append(difference_test(a + 2.5, b, permutations=299, rng=i).p_value < 0.05)
    assert 0.02 < np.mean(null) < 0.09
    assert np.mean(moved) > 0.9


def test_difference_side_and_seed():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 12), rng.normal(0, 1, 12)
    greater = difference_test(a, b, side="greater", rng=1)
    assert greater == difference_test(a, b, side="greater", rng=1)
    assert greater.p_value < 0.1 < difference_test(a, b, side="less", rng=1).p_value
    with pytest.raises(InferenceError, match="3 sessions gets no verdict"):
        difference_test(a[:3], b)
