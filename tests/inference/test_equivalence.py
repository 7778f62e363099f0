"""Two one-sided tests, against another package and by simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from impact.errors import InferenceError
from impact.inference.equivalence import equivalence_power, equivalence_test


def test_it_is_statsmodels_tost_and_scipy_interval():
    values = np.random.default_rng(0).normal(0.002, 0.01, 14)
    got = equivalence_test(values, 0.01)
    assert got.p_value == pytest.approx(DescrStatsW(values).ttost_mean(-0.01, 0.01)[0], rel=1e-10)
    assert got.distribution == "Student t with 13 degrees of freedom" and got.n == 14
    assert got.null == "the mean lies 1.00% or more from zero"
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (got.detail["ci_low"], got.detail["ci_high"]) == pytest.approx((low, high), rel=1e-10)


def test_an_effect_on_the_margin_is_called_none_at_most_as_often_as_the_level_says():
    rng = np.random.default_rng(1)
    at_margin = [equivalence_test(rng.normal(0.01, 0.01, 25), 0.01).p_value for _ in range(2_000)]
    none = [equivalence_test(rng.normal(0, 0.01, 25), 0.01).p_value for _ in range(200)]
    assert 0.035 < np.mean(np.array(at_margin) <= 0.05) < 0.065
    assert np.mean(np.array(none) <= 0.05) > 0.9


@pytest.mark.parametrize(("n", "margin"), [(17, 2.1), (17, 3.0), (40, 2.5), (8, 4.0)])
def test_its_power_is_the_share_of_samples_without_an_effect_that_it_calls_none(n, margin):
    samples = np.random.default_rng(2).standard_normal((20_000, n))
    means, errors = samples.mean(axis=1), samples.std(axis=1, ddof=1) / np.sqrt(n)
    inside = margin / np.sqrt(n) - stats.t.ppf(0.95, n - 1) * errors
    rate = (np.abs(means) < inside).mean()
    assert equivalence_power(n, 1.0, margin) == pytest.approx(rate, abs=0.012)


def test_it_prints_its_power():
    values = np.random.default_rng(0).normal(0.002, 0.01, 17)
    got = equivalence_test(values, 0.005)
    error = values.std(ddof=1) / np.sqrt(17)
    assert got.detail["power"] == equivalence_power(17, error, 0.005)
    share = f"{100 * got.detail['power']:.0f}%"
    said = "the test finds that there is nothing in"
    assert f"With 17 sessions as spread out as these, {said} {share} of cases" in repr(got)
    assert got.table["power"].item() == got.detail["power"]


def test_too_few_sessions_are_refused():
    with pytest.raises(InferenceError, match="7 sessions gets no verdict"):
        equivalence_test(np.linspace(-0.01, 0.02, 7), 0.01)


@pytest.mark.parametrize(("n", "std_error", "level"), [(8, 0.004, 0.05), (17, 0.003, 0.01)])
def test_its_power_is_that_of_simulated_samples_without_an_effect(n, std_error, level):
    rng = np.random.default_rng(4)
    samples = rng.normal(0, std_error * np.sqrt(n), (40_000, n))
    error = samples.std(axis=1, ddof=1) / np.sqrt(n)
    p = stats.t.cdf((np.abs(samples.mean(axis=1)) - 0.01) / error, n - 1)
    found = (p <= level).mean()
    assert equivalence_power(n, std_error, 0.01, level) == pytest.approx(found, abs=0.008)
    assert 0.1 < found < 0.9
