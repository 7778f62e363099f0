"""The conditional test: known values, uniform p, intervals that agree with p, and what it sees."""

from types import SimpleNamespace

import history
import numpy as np
import pytest
from scipy import stats

from impact import inference
from impact.errors import HistoryError, InferenceError, ReturnsError, WindowError
from impact.inference.conditional import conditional_tests, simulated_sums, unit_student_p
from impact.inference.conditional_columns import conditional_columns
from impact.inference.equal_tails import detectable, equal_tails, inverted
from impact.inference.tests import LEVEL
from impact.market.windows import Window
from impact.study.event_study import event_study
from impact.volatility.forecast import Forecast, VarianceFit, conditional_z, variance_forecast

TRUE = VarianceFit("gjr", 0.0003, 2e-6, 0.05, 0.10, 0.88, 6.0, 1e-4, 2_000)


def found_in(returns, **options):
    """What both tests find, by one name each."""
    fhs, t = conditional_tests(returns, **options)
    assert (fhs["statistic"], fhs["n"]) == (t["statistic"], t["n"])
    return SimpleNamespace(
        **fhs["detail"],
        z=fhs["statistic"],
        p_fhs=fhs["p_value"],
        p_t=t["p_value"],
        ci_t_low=t["detail"]["ci_low"],
        ci_t_high=t["detail"]["ci_high"],
    )


def on(day: str, model: str, last: int = 0, **options):
    at = history.row(day)
    return found_in(history.index_returns(), first=at, last=at + last, model=model, **options)


@pytest.mark.parametrize(
    ("day", "sigma", "p"),
    [("2025-04-09", 2.84, 0.0085), ("2025-04-10", 4.47, 0.356), ("2025-05-02", 1.64, 0.346)],
)
def test_garch_facts(day, sigma, p):
    test = on(day, "garch")
    assert 100 * test.sigma == pytest.approx(sigma, abs=0.008)
    assert test.p_t == pytest.approx(p, rel=3e-3)


def test_gjr_facts():
    assert on("2025-04-09", "gjr").p_t == pytest.approx(0.022, abs=0.001)
    assert on("2025-04-10", "gjr").p_t == pytest.approx(0.25, abs=0.005)
    assert on("2025-05-12", "gjr").p_fhs == pytest.approx(4 / 1_001)
    assert on("2025-10-10", "gjr").p_fhs == pytest.approx(2 / 1_001)


def test_ninth_april_is_ranked_by_hand():
    # Four of the 1,000 past GJR z are larger, 10 November 2022 (3.2) the largest of them.
    at = history.row("2025-04-09")
    returns = history.index_returns()
    known = variance_forecast(returns, at)
    z = (returns.iloc[at] - known.mean) / known.sigma
    larger = sum(past >= z for past in known.past_z)
    assert larger == 4
    assert on("2025-04-09", "gjr").p_fhs == pytest.approx(2 * (1 + larger) / 1_001)


def test_one_session_by_hand():
    test = on("2025-05-02", "gjr")
    at = history.row("2025-05-02")
    known = variance_forecast(history.index_returns(), at)
    move = history.index_returns().iloc[at]
    assert test.estimate == pytest.approx(move - known.mean, rel=1e-12)
    assert test.z == pytest.approx(test.estimate / known.sigma, rel=1e-12)
    scale = known.sigma * np.sqrt((known.nu - 2) / known.nu)
    law = stats.t(known.nu, scale=scale)
    assert test.p_t == pytest.approx(2 * law.sf(abs(test.estimate)), rel=1e-10)
    np.testing.assert_allclose(
        [test.ci_t_low, test.ci_t_high], test.estimate + law.ppf([0.025, 0.975]), rtol=1e-10
    )


def test_one_session_needs_no_random_numbers_and_windows_only_their_own():
    assert on("2025-05-02", "gjr", seed=1) == on("2025-05-02", "gjr", seed=2)
    first = on("2025-05-02", "gjr", 2, seed=1)
    on("2025-05-12", "gjr", 2, seed=1)
    assert on("2025-05-02", "gjr", 2, seed=1) == first
    assert on("2025-05-02", "gjr", 2, seed=2).ci_low != first.ci_low


def test_simulation_of_one_session_agrees_with_its_closed_form():
    at = history.row("2025-05-02")
    known = variance_forecast(history.index_returns(), at)
    by_past, by_t = simulated_sums(known, 1, np.random.default_rng(0), 400_000)
    exact = on("2025-05-02", "gjr")
    assert equal_tails(by_past, exact.estimate) == pytest.approx(exact.p_fhs, abs=0.006)
    assert equal_tails(by_t, exact.estimate) == pytest.approx(exact.p_t, abs=0.006)
    np.testing.assert_allclose(
        inverted(by_t, exact.estimate), (exact.ci_t_low, exact.ci_t_high), rtol=0.02
    )
    assert detectable(by_past) == pytest.approx(exact.smallest_detectable, rel=0.02)


def test_sigma_of_a_window_is_the_spread_of_its_simulated_sums():
    at = history.row("2025-05-02")
    known = variance_forecast(history.index_returns(), at)
    _, by_t = simulated_sums(known, 6, np.random.default_rng(0), 300_000)
    assert on("2025-05-02", "gjr", 5).sigma == pytest.approx(by_t.std(), rel=0.02)


@pytest.mark.parametrize("last", [0, 2])
@pytest.mark.parametrize("day", ["2025-04-03", "2025-04-09", "2025-05-02", "2025-10-10"])
def test_interval_holds_what_the_test_does_not_reject(day, last):
    at, options = history.row(day), {"paths": 4_000}
    test = on(day, "gjr", last, **options)
    assert test.ci_low < test.estimate < test.ci_high
    assert (test.p_fhs > 0.05) == (test.ci_low <= 0 <= test.ci_high)
    width = test.ci_high - test.ci_low
    for effect, kept in [
        (test.ci_low + 1e-9, True),
        (test.ci_high - 1e-9, True),
        (test.ci_low - 0.03 * width, False),
        (test.ci_high + 0.03 * width, False),
    ]:
        moved = history.index_returns().copy()
        moved.iloc[at] -= effect
        p = found_in(moved, first=at, last=at + last, model="gjr", **options).p_fhs
        assert (p > 0.05) == kept


@pytest.mark.parametrize("count", [40, 199, 1_000, 1_999])
def test_inversion_is_exact_for_any_number_of_draws(count):
    draws = np.random.default_rng(count).standard_normal(count)
    low, high = inverted(draws, 0.7)
    step = 1e-9
    assert equal_tails(draws, 0.7 - (low + step)) > 0.05 >= equal_tails(draws, 0.7 - (low - step))
    assert equal_tails(draws, 0.7 - (high - step)) > 0.05
    assert equal_tails(draws, 0.7 - (high + step)) <= 0.05


def test_too_few_draws_reject_nothing():
    assert inverted(np.arange(20.0), 3.0) == (-np.inf, np.inf)


def test_smallest_detectable_is_found_in_four_of_five_cases():
    draws = np.random.default_rng(5).gamma(3.0, size=200_000) - 3.0
    size = detectable(draws)
    fresh = np.random.default_rng(6).gamma(3.0, size=100_000) - 3.0
    low, high = np.quantile(draws, [0.025, 0.975])
    rises, falls = np.mean(fresh + size > high), np.mean(fresh - size < low)
    assert min(rises, falls) == pytest.approx(0.8, abs=0.01)


def test_p_is_uniform_on_simulated_garch(monkeypatch):
    """400 events on one path, one and two sessions long, with the parameters known."""
    monkeypatch.setattr("impact.volatility.forecast.fit_variance", lambda *args, **kwargs: TRUE)
    path = history.dated(history.garch_path(2_150 + 400 * 8, seed=21), "1990-01-01")
    for length in (1, 2):
        tests = [
            found_in(path, first=at, last=at + length - 1, paths=1_000)
            for at in range(2_150, len(path) - length, 8)
        ]
        for name in ("p_fhs", "p_t"):
            p = [getattr(test, name) for test in tests]
            assert len(p) >= 399
            assert stats.kstest(p, "uniform").pvalue > 0.05, (length, name)


def test_rejection_with_fitted_parameters_stays_near_5_percent():
    z = conditional_z(history.dated(history.garch_path(3_400, seed=22)), model="garch")
    p = unit_student_p(z["z"].to_numpy(), z["nu"].to_numpy())
    assert len(p) > 2_370 and np.mean(p < 0.05) == pytest.approx(0.05, abs=0.012)


def test_what_lies_after_the_window_changes_nothing_and_the_eve_does():
    returns = history.index_returns()
    at = history.row("2025-05-02")
    options = {"first": at, "last": at + 1}
    plain = found_in(returns, **options)
    after, before = returns.copy(), returns.copy()
    after.iloc[at + 2] = -0.3
    before.iloc[at - 1] = -0.08
    assert found_in(after, **options) == plain
    shocked = found_in(before, **options)
    assert shocked.sigma > 2 * plain.sigma
    assert (shocked.mean, shocked.nu) == (plain.mean, plain.nu)


def test_a_cluster_is_one_sum_from_its_eve():
    two, four = on("2025-04-03", "garch", 1), on("2025-04-03", "garch", 4)
    returns = history.index_returns()["2025-04-03":"2025-04-09"]
    assert two.estimate == pytest.approx(returns.iloc[:2].sum() - 2 * two.mean, rel=1e-12)
    assert four.estimate == pytest.approx(returns.sum() - 5 * four.mean, rel=1e-12)
    assert two.p_fhs < 0.01 < four.p_fhs


def test_a_planted_effect_is_found():
    path = history.dated(history.garch_path(2_300, seed=23))
    base = found_in(path, first=2_200, last=2_201)
    for sign in (-1, 1):
        moved = path.copy()
        moved.iloc[2_200] += sign * 3 * base.smallest_detectable
        assert found_in(moved, first=2_200, last=2_201).p_fhs < 0.01


def test_bad_input_is_named():
    path = history.dated(history.garch_path(1_300, seed=24))
    for options in (
        {"first": 0, "last": 0},
        {"first": 1_200, "last": 1_199},
        {"first": 1_200, "last": 1_300},
    ):
        with pytest.raises(WindowError, match="do not fit 1,300 returns"):
            found_in(path, **options)
    window = {"first": 1_200, "last": 1_201}
    assert found_in(path, **window, paths=1).p_fhs == 1.0
    assert found_in(path, **window) == found_in(path, **window, seed=0, paths=10_000)
    with pytest.raises(HistoryError, match="needs 250 returns"):
        found_in(path, first=1, last=1)
    with pytest.raises(HistoryError, match="needs 250 returns"):
        found_in(path, first=245, last=245)
    with pytest.raises(ReturnsError, match="must be a Series by session"):
        found_in(path.to_numpy(), first=1_200, last=1_200)
    holed = path.copy()
    holed.iloc[1_201] = np.nan
    with pytest.raises(ReturnsError, match="tested window"):
        found_in(holed, **window)
    holed = path.copy()
    holed.iloc[1_198] = np.nan
    with pytest.raises(ReturnsError, match="are missing"):
        found_in(holed, **window)


def test_each_tests_one_event_on_one_series():
    both = event_study(history.index_returns(), ["2025-05-02", "2025-05-12"])
    for name in ("conditional_fhs", "conditional_t", "portfolio_conditional", "implied_t"):
        with pytest.raises(InferenceError, match=f"{name} tests one event on one series"):
            getattr(inference, name)(both)


def test_draws_are_of_the_forecast_they_are_given():
    known = Forecast(0.01, 0.0, 6.0, np.array([2.0]), "gjr", "", TRUE)
    by_past, _ = simulated_sums(known, 2, np.random.default_rng(0), 3)
    second = np.sqrt(2e-6 + 0.05 * 0.02**2 + 0.88 * 0.01**2)
    np.testing.assert_allclose(by_past, 0.02 + 2 * second, rtol=1e-12)
    assert LEVEL == 0.05


def test_the_two_tests_of_a_study_and_its_table_share_one_forecast(monkeypatch):
    asked = []

    def counted(*args, **kwargs):
        asked.append(args)
        return variance_forecast(*args, **kwargs)

    monkeypatch.setattr("impact.inference.conditional.variance_forecast", counted)
    study = event_study(history.index_returns(), ["2025-05-02", "2025-05-12"])
    one = study[study.alignment.index[0]]
    fhs, t = inference.conditional_fhs(one, 0, 2), inference.conditional_t(one, 0, 2)
    row = conditional_columns(one, Window(0, 2)).iloc[0]
    assert len(asked) == 1
    assert (row["p_conditional"], row["p_conditional_t"]) == (fhs.p_value, t.p_value)
    inference.conditional_fhs(one, 0)
    conditional_columns(study, Window(0, 2))
    # Another window, and the two rows of another study, are forecasts of their own.
    assert len(asked) == 4
