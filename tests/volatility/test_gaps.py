"""The variance where prices are missing, and the conditional test across them."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

import impact
from impact.errors import HistoryError, ReturnsError
from impact.inference.conditional import conditional_tests
from impact.volatility.forecast import variance_forecast
from impact.volatility.garch import VarianceFit

FIT = VarianceFit("gjr", 0.0004, 2e-6, 0.03, 0.1, 0.9, 6.0, 1.2e-4, 2_000)
CLOSES = impact.load_prices("sectors")["XLK"]


def slow(fit, returns):
    """Variances and z with one session at a time, its square or what is expected of it."""
    variance = fit.omega + (fit.alpha + fit.gamma / 2 + fit.beta) * fit.start
    variances, z, waiting = [variance], [], []
    for value in returns:
        waiting.append(variance)
        if math.isnan(value):
            z.append(math.nan)
            variance = fit.omega + (fit.alpha + fit.gamma / 2) * variance + fit.beta * variance
        else:
            z.append((value - len(waiting) * fit.mu) / math.sqrt(sum(waiting)))
            # The last session's part of the whole shock.
            square = z[-1] ** 2 * variance
            weight = fit.alpha + (fit.gamma if z[-1] < 0 else 0.0)
            variance = fit.omega + weight * square + fit.beta * variance
            waiting = []
        variances.append(variance)
    return np.sqrt(variances), np.array(z)


def with_holes(values, *holes):
    """Trade-to-trade returns of the same path with prices missing."""
    level = np.cumsum(values)
    level[list(holes)] = np.nan
    before = pd.Series(level).ffill().shift(fill_value=0.0).to_numpy()
    return level - before


@pytest.mark.parametrize("holes", [(), (5,), (7, 8, 9, 30), (1, 3, 5, 58, 59)])
def test_a_missing_day_has_its_expected_square_and_a_span_the_sum_of_variances(holes):
    values = with_holes(0.012 * np.random.default_rng(0).standard_t(5, 60), *holes)
    sigma, z = FIT.standardise(values)
    expected_sigma, expected_z = slow(FIT, values)
    np.testing.assert_allclose(sigma, expected_sigma, rtol=1e-13)
    np.testing.assert_allclose(z, expected_z, rtol=1e-12)
    if not holes:
        np.testing.assert_array_equal(sigma, FIT.filter(values))
    else:
        first = holes[0]
        run = 3 if holes == (7, 8, 9, 30) else 1
        ahead = FIT.variances(sigma[first], run + 1)
        np.testing.assert_allclose(sigma[first : first + run + 1] ** 2, ahead, rtol=1e-13)


def test_a_sample_that_begins_in_a_gap_has_no_z_at_its_end():
    values = 0.01 * np.random.default_rng(1).standard_normal(20)
    values[:2] = np.nan
    sigma, z = FIT.standardise(values)
    assert np.isnan(z[:3]).all() and np.isfinite(z[3:]).all() and np.isfinite(sigma).all()


def test_across_a_gap_z_keeps_unit_variance_where_the_truth_is_known():
    fit, paths = dataclasses.replace(FIT, mu=0.0), 4_000
    draws = np.random.default_rng(2).standard_normal((paths, 30))
    start = math.sqrt(fit.omega + fit.persistence * fit.start)
    moves = fit.simulate(start, draws)
    found = [fit.standardise(with_holes(path, 20, 21, 22)) for path in moves]
    z = np.array([z[23] for _, z in found])
    assert abs((z**2).mean() - 1) < 4 * (z**2).std() / math.sqrt(paths)
    following = np.array([sigma[23] ** 2 for sigma, _ in found])
    square = moves[:, 23] ** 2
    apart = following - square
    assert abs(apart.mean()) < 4 * apart.std() / math.sqrt(paths)


def returns_of(prices):
    series = impact.log_returns(prices.to_frame())["XLK"]
    series.attrs["gaps"] = "trade-to-trade"
    return series


def test_forecasts_read_gaps_of_trade_to_trade_returns_alone():
    gap = CLOSES.copy()
    gap.loc["2025-03-20":"2025-03-24"] = np.nan
    whole, returns = returns_of(CLOSES), returns_of(gap)
    at = returns.index.get_loc("2025-04-03")
    complete, known = variance_forecast(whole, at), variance_forecast(returns, at)
    # Three squares in March are what was expected of them; the fit is that of the month.
    assert known.sigma != complete.sigma and abs(known.sigma / complete.sigma - 1) < 0.1
    assert np.isfinite(known.past_z).all() and len(known.past_z) == 1_000
    unmarked = returns.copy()
    unmarked.attrs.clear()
    with pytest.raises(ReturnsError, match="leave those sessions out first"):
        variance_forecast(unmarked, at)


def test_sessions_without_a_price_do_not_count_as_history():
    gap = CLOSES.iloc[:420].copy()
    gap.iloc[100:300] = np.nan
    returns = returns_of(gap)
    with pytest.raises(HistoryError, match="250 returns"):
        variance_forecast(returns, 400)


STUDY = {"events": ["2025-04-03"]}


def test_the_conditional_test_of_a_window_with_a_gap_is_that_of_the_whole_window():
    gap = CLOSES.to_frame()
    gap.loc["2025-04-03"] = np.nan
    complete = impact.event_study(impact.log_returns(CLOSES.to_frame()), **STUDY)
    study = impact.event_study(impact.log_returns(gap), **STUDY)
    for window in [(-1, 2), (0, 1), (-5, 5)]:
        pd.testing.assert_frame_equal(
            study.car(*window), complete.car(*window), rtol=1e-11, check_exact=False
        )
    assert study.tests(0, 1).loc["conditional_fhs", "p_value"] == pytest.approx(
        study.car(0, 1)["p_conditional"].item()
    )
    assert study.car(0).empty and study.car(1).empty
    later = study.car(2)["sigma_conditional"].item()
    assert later != complete.car(2)["sigma_conditional"].item()
    # The placebo begins after the gap, and a test that needs each session says so.
    assert "missing" in study.tests(0, 1).loc["sample_quantile", "because"]


def test_a_row_on_which_the_exchange_was_shut_is_no_session_of_the_history():
    prices = CLOSES.to_frame()
    holiday = pd.Timestamp("2025-01-20")
    rows = prices.index.union([holiday])
    complete = impact.event_study(impact.log_returns(prices), **STUDY)
    study = impact.event_study(impact.log_returns(prices.reindex(rows)), **STUDY)
    for name in ("sigma_conditional", "p_conditional", "p_conditional_t"):
        assert study.car(0)[name].item() == complete.car(0)[name].item()


def test_a_move_that_the_model_cannot_use_is_no_gap_of_prices():
    """Where the factor is missing the return is lost: the history begins after it."""
    prices = CLOSES.to_frame()
    prices.loc["2024-06-03"] = np.nan
    returns = impact.log_returns(prices)
    index = impact.log_returns(impact.load_prices()).reindex(returns.index).to_frame("market")
    index.attrs.clear()
    asked = STUDY | {"model": "factors"}
    early, event = index.copy(), index.copy()
    early.loc["2019-03-05"] = np.nan
    event.loc["2025-04-03"] = np.nan
    found = impact.event_study(returns, factors=early, **asked).car(0)
    begun = impact.event_study(returns.loc["2019-03-06":], factors=index, **asked).car(0)
    for name in ("sigma_conditional", "p_conditional"):
        np.testing.assert_allclose(found[name], begun[name], rtol=1e-12)
    partial = impact.event_study(returns, factors=event, **asked).car(0, 1)
    assert partial["days"].to_list() == [1] and partial["p_conditional"].isna().all()


def test_a_window_that_a_gap_crosses_is_refused():
    gap = CLOSES.copy()
    gap.loc["2025-04-03"] = np.nan
    returns = returns_of(gap)
    at = returns.index.get_loc("2025-04-03")
    for first, last in [(at - 1, at), (at + 1, at + 2), (at, at)]:
        with pytest.raises(ReturnsError, match="tested window is missing"):
            conditional_tests(returns, first=first, last=last)
    assert conditional_tests(returns, first=at, last=at + 1)[0]["p_value"] < 0.05


def test_the_volatility_index_is_not_asked_about_several_sessions():
    prices = impact.load_prices().loc["2015":].to_frame()
    prices.loc["2025-04-03"] = np.nan
    study = impact.event_study(
        impact.log_returns(prices), ["2025-04-04"], implied=impact.load_vix(), volatility="ewma"
    )
    assert study.car(0).empty
    assert any("spans several" in note for note in study.car(0).attrs["notes"])
    assert study.car(1)["p_implied"].notna().all()
