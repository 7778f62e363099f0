"""Circular shifts and label permutations, against slow loops and simulations with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import impact
from impact.errors import HistoryError, InferenceError, ReturnsError
from impact.inference.event_sets import (
    difference_test,
    extremity,
    rank_p,
    shift_statistics,
    shift_test,
    welch_t,
    window_z,
)
from impact.inference.multiplicity import romano_wolf
from impact.volatility.forecast import conditional_z


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


def test_shift_test_equals_the_slow_loop():
    rng = np.random.default_rng(3)
    z = rng.standard_t(5, 300)
    positions = np.sort(rng.choice(300, 12, replace=False))
    sessions = series(z).index[positions]
    by_mean = shift_test(series(z), sessions, studentised=False)
    assert by_mean.p_value == slow_shift_p(z, positions, np.mean, abs)
    assert by_mean.statistic == pytest.approx(z[positions].mean())
    result = shift_test(series(z), sessions)
    one_sample = slow_shift_p(z, positions, lambda v: stats.ttest_1samp(v, 0).statistic, abs)
    assert result.p_value == one_sample
    assert result.statistic == pytest.approx(stats.ttest_1samp(z[positions], 0).statistic)
    assert (result.n, result.alternative) == (12, "two-sided")
    assert "whatever their variance" in result.null and "any other" in by_mean.null


def test_a_difference_by_shifts_moves_both_sets_together():
    rng = np.random.default_rng(4)
    z = rng.standard_t(5, 250)
    one, two = np.split(rng.choice(250, 22, replace=False), [9])
    days = series(z).index
    result = shift_test(series(z), days[one], days[two])
    observed = stats.ttest_ind(z[one], z[two], equal_var=False).statistic
    moved = [np.roll(z, -shift) for shift in range(1, 250)]
    drawn = [stats.ttest_ind(m[one], m[two], equal_var=False).statistic for m in moved]
    assert result.statistic == pytest.approx(observed)
    assert result.p_value == (1 + sum(np.abs(drawn) >= abs(observed))) / 250
    assert result.n == 22 and "two sets are equal" in result.null


def test_the_identity_is_left_out_and_p_is_never_zero():
    z = np.zeros(200)
    z[10:20] = 5 + np.arange(10) / 10
    moved = series(z + np.linspace(0, 1e-3, 200))
    result = shift_test(moved, moved.index[10:20], studentised=False)
    assert len(result.detail["draws"]) == 199
    assert result.p_value == 1 / 200


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
    with pytest.raises(InferenceError, match="'greater' or 'less'"):
        extremity(np.zeros(3), "up")


def garch_z(rng, studies: int, sessions: int) -> np.ndarray:
    """Returns of GARCH(1,1) processes in units of an EWMA variance, so not quite independent."""
    shocks = rng.standard_t(6, (sessions + 100, studies)) / np.sqrt(1.5)
    z, variance, forecast = np.empty_like(shocks), np.ones(studies), np.ones(studies)
    for t, shock in enumerate(shocks):
        moved = np.sqrt(variance) * shock
        z[t] = moved / np.sqrt(forecast)
        variance = 0.03 + 0.10 * moved**2 + 0.87 * variance
        forecast = 0.94 * forecast + 0.06 * moved**2
    return z[100:].T


@pytest.fixture(scope="module")
def studies():
    """500 pairs of a series and of twenty event sessions, some of them in clusters."""
    rng = np.random.default_rng(11)
    z = garch_z(rng, 500, 700)
    starts = [rng.choice(175, 20, replace=False) * 4 for _ in z]
    return [(one, np.sort(s - s // 8 * 3 % 4)) for one, s in zip(z, starts, strict=True)]


def test_p_is_uniform_on_garch_returns(studies):
    for studentised in (False, True):
        p = [
            shift_test(series(z), series(z).index[at], studentised=studentised).p_value
            for z, at in studies
        ]
        assert stats.kstest(p, "uniform").pvalue > 0.01


def test_a_planted_effect_is_found(studies):
    found = []
    for z, at in studies[:200]:
        moved = series(z)
        moved.iloc[at] += 1.0
        found.append(shift_test(moved, moved.index[at]).p_value < 0.05)
    assert np.mean(found) > 0.9


def rejections(variance: float, count: int = 3_000) -> tuple[float, float]:
    """How often the mean and the studentised mean reject at 5% a set without effect."""
    rng = np.random.default_rng(5)
    mean = studentised = 0
    for _ in range(count):
        z = rng.standard_t(6, 500) / np.sqrt(1.5)
        at = rng.choice(500, 20, replace=False)
        z[at] *= np.sqrt(variance)
        statistics = shift_statistics(z, at)
        mean += rank_p(np.abs(statistics[0])) <= 0.05
        studentised += rank_p(np.abs(statistics[1])) <= 0.05
    return mean / count, studentised / count


@pytest.mark.parametrize("variance", [1.0, 2.0, 3.0])
def test_the_studentised_mean_keeps_its_size_whatever_the_variance_of_the_events(variance):
    mean, studentised = rejections(variance)
    assert 0.04 <= studentised <= 0.065
    # The plain mean rejects the more often, the larger the variance that news brings.
    assert (0.04 <= mean <= 0.065) if variance == 1 else mean > 0.05 * variance


@pytest.mark.parametrize("variance", [1.0, 2.0, 3.0])
def test_romano_wolf_on_shifts_keeps_the_family_wise_error_and_is_no_larger_than_holm(variance):
    rng = np.random.default_rng(9)
    wrong, count = 0, 1_200
    for _ in range(count):
        z = rng.standard_t(6, 400) / np.sqrt(1.5)
        at = rng.choice(400, 30, replace=False)
        z[at] *= np.sqrt(variance)
        # Sets that overlap, as all announcements and those of one country do.
        sets = (at, at[:10], at[8:20], at[20:])
        draws = pd.DataFrame({i: np.abs(shift_statistics(z, s)[1]) for i, s in enumerate(sets)})
        corrected = romano_wolf(draws)
        p = np.array([rank_p(draws[i].to_numpy()) for i in draws])
        order = np.argsort(p)
        holm = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
        assert (corrected.to_numpy()[order] <= holm + 1e-12).all()
        wrong += corrected.min() <= 0.05
    assert wrong / count <= 0.065


def test_window_z_sums_moves_over_the_sigma_of_the_eve():
    z = pd.DataFrame(
        {"z": [1.0, 2.0, 3.0, 4.0], "sigma": [0.1, 0.2, 0.4, 0.8]},
        index=pd.bdate_range("2020-01-01", periods=4),
    )
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


def test_each_side_has_its_own_tail():
    values = np.array([-2.0, 1.0])
    assert extremity(values, "greater").tolist() == [-2.0, 1.0]
    assert extremity(values, "less").tolist() == [2.0, -1.0]
    assert extremity(values, "two-sided").tolist() == [2.0, 1.0]


def test_an_event_before_the_first_forecast_of_variance_is_named():
    returns = 0.01 * series(np.random.default_rng(6).standard_normal(700))
    rows = [100, *range(400, 680, 30)]
    options = {"estimation": (-60, -11), "min_observations": 40, "volatility": "ewma"}
    later = impact.event_study(returns, returns.index[rows[1:]], **options)
    assert impact.inference.shift_mean(later).n == len(rows) - 1
    # The first session with a forecast is there.
    begins = conditional_z(returns, model="ewma").index[0]
    first = impact.event_study(returns, [begins, *returns.index[rows[2:]]], **options)
    assert impact.inference.shift_mean(first).n == len(rows) - 1
    early = impact.event_study(returns, returns.index[[100, 130, *rows[1:]]], **options)
    day = f"{returns.index[100]:%Y-%m-%d}"
    with pytest.raises(HistoryError, match=f"begins on .*, after the event of {day}: leave"):
        impact.inference.shift_mean(early)


def test_left_out_a_window_is_the_session_and_the_relabellings_those_of_seed_0():
    returns = 0.01 * series(np.random.default_rng(6).standard_normal(700))
    days = returns.index[range(400, 680, 30)]
    options = {"estimation": (-60, -11), "min_observations": 40, "volatility": "ewma"}
    study = impact.event_study(returns, days, **options)
    for test in (impact.inference.shift_mean, impact.inference.shift_studentised):
        assert test(study).p_value == test(study, 0, 0).p_value != test(study, 0, 1).p_value
    a, b = np.random.default_rng(4).standard_normal((2, 12))
    assert difference_test(a, b).p_value == difference_test(a, b, permutations=9_999, rng=0).p_value


def test_a_seed_gives_the_same_relabellings():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 12), rng.normal(0, 1, 12)
    one, again = (difference_test(a, b, rng=1) for _ in range(2))
    assert one == again
    np.testing.assert_array_equal(one.detail["draws"], again.detail["draws"])
    assert one.statistic == pytest.approx(stats.ttest_ind(a, b, equal_var=False).statistic)
    draws = np.abs(one.detail["draws"])
    assert len(draws) == 9_999 and one.n == 24
    assert one.p_value == (1 + np.count_nonzero(draws >= abs(one.statistic) - 1e-9)) / 10_000
    with pytest.raises(InferenceError, match="3 sessions gets no verdict"):
        difference_test(a[:3], b)


def test_the_p_of_a_difference_is_that_of_scipys_permutations():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 2, 14)
    got = difference_test(a, b, permutations=20_000)
    exact = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.abs(stats.ttest_ind(x, y, axis=axis, equal_var=False).statistic),
        vectorized=True,
        alternative="greater",
        n_resamples=20_000,
        rng=1,
    )
    assert got.p_value == pytest.approx(exact.pvalue, abs=0.01)
    assert abs(got.statistic) == pytest.approx(exact.statistic)
