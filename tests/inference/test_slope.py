"""Ranked slopes: made again by slow loops, their size on panels with known truth, 3 April 2025."""

import types

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls
from statsmodels.regression.linear_model import GLS

from calibration import slopes
from calibration.slopes import SECTORS, hc3, simulated_panel
from impact.errors import HistoryError, InferenceError
from impact.inference import slope
from impact.inference.slope import ranked_slopes, shrunk_covariance
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.study.event_study import event_study


def study_of(returns, day, market=None, **options):
    model = "constant-mean" if market is None else "market"
    options = {"window": (-2, 2), "volatility": None, "kind": "log", **options}
    return event_study(returns, [day], model=model, benchmark=market, **options)


@pytest.fixture(scope="module")
def made():
    return simulated_panel(np.random.default_rng(3), 900, 12)


@pytest.fixture(scope="module")
def firms():
    returns = log_returns(load_prices("firms"))
    about = pd.read_csv(data_path("firms_about.csv"), index_col="ticker")
    exposure = about["china_escalation_ar_2018_2019"].reindex(returns.columns).dropna()
    return returns[exposure.index], exposure


def slow(returns, market, row, trait, length):
    """Session by session: p, slope and its deviation."""
    values, index = returns.to_numpy(), market.to_numpy()
    past = slice(row - 260, row - 10)
    x = np.column_stack([np.ones(250), index[past]])
    loadings = np.linalg.lstsq(x, values[past], rcond=None)[0]
    begin = row - 560 - length + 1
    slopes, common = [], []
    for t in range(begin, row + length):
        ar = values[t] - loadings[0] - loadings[1] * index[t]
        apart = trait - trait.mean()
        slopes.append(apart @ ar / (apart @ apart))
        common.append(values[t].mean())
    common = np.array(common) - np.mean(common[:-length])
    held = []
    for series in (np.array(slopes), common):
        variance, found = np.mean(series[:60] ** 2), []
        for t in range(60, len(series) - length + 1):
            found.append((series[t : t + length].sum() / np.sqrt(length * variance), variance))
            variance = 0.94 * variance + 0.06 * series[t] ** 2
        held.append([*found[: len(found) - length], found[-1]])
    z, moved = (np.array([one for one, _ in part]) for part in held)
    design = np.column_stack([np.ones(len(z)), np.abs(moved)])
    a, b = nnls(design[:-1], np.abs(z[:-1]))[0]
    scale = np.maximum((a + b * np.abs(moved)) / np.abs(z[:-1]).mean(), 0.1)
    mean = index[past].mean()
    total = (index[row : row + length] - mean).sum()
    wide = length + length**2 / 250 + total**2 / ((index[past] - mean) ** 2).sum()
    error = np.sqrt(held[0][-1][1]) * scale[-1] * np.sqrt(wide)
    estimate = sum(slopes[-length:])
    pool = (z / scale)[:-1]
    ahead = min((pool >= estimate / error).sum(), (pool <= estimate / error).sum())
    return min(1, 2 * (1 + ahead) / (len(pool) + 1)), estimate, error


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("row", [640, 700, 771])
def test_it_is_the_slow_loop(made, row, length):
    returns, market, traits = made
    study = study_of(returns, returns.index[row], market)
    design = np.column_stack([np.ones(12), traits["noise"]])
    found = ranked_slopes(study, design, 0, length - 1).table(pd.RangeIndex(2)).loc[1]
    p, estimate, error = slow(returns, market, row, traits["noise"], length)
    assert found["estimate"] == pytest.approx(estimate, rel=1e-9)
    assert found["std_error"] == pytest.approx(error, rel=1e-9)
    assert found["p_value"] == pytest.approx(p, rel=1e-12)


def test_the_interval_holds_what_the_test_does_not_reject(made):
    returns, market, traits = made
    row, trait = 700, traits["near a factor"]
    design = np.column_stack([np.ones(12), trait])
    ranked = ranked_slopes(study_of(returns, returns.index[row], market), design)
    (_, (low, high)), (_, (lower, higher)) = ranked.interval(), ranked.interval(0.99)
    assert lower < low < ranked.estimate[1] < high < higher
    for effect, rejected in ((low - 1e-6, True), (low + 1e-6, False), (high + 1e-6, True)):
        shifted = returns.copy()
        shifted.iloc[row] -= effect * (trait - trait.mean())
        again = ranked_slopes(study_of(shifted, returns.index[row], market), design)
        assert (again.table(pd.RangeIndex(2))["p_value"][1] <= 0.05) == rejected


def test_what_is_expected_by_the_market_is_never_less_than_a_tenth_of_the_average():
    market = np.array([1.0, 2.0, 3.0, 4.0, 0.01, 0.0])
    size = np.array([2.0, 4.0, 6.0, 8.0, 0.02, 5.0])  # twice the market's, but for the tested one
    expected = np.maximum(2 * market / size[:-1].mean(), 0.1)
    np.testing.assert_allclose(slope._scale(size, market), expected, rtol=1e-12)


def test_generalised_slopes_are_those_of_statsmodels(made):
    returns, market, traits = made
    study = study_of(returns, returns.index[700], market)
    design = np.column_stack([np.ones(12), traits["noise"]])
    found = ranked_slopes(study, design, gls=True)
    past = slice(140, 700)
    beta = study.fit[["alpha", "beta"]].to_numpy()
    abnormal = returns.to_numpy()[past] - beta[:, 0] - np.outer(market.to_numpy()[past], beta[:, 1])
    fitted = GLS(study.over(0).car, design, shrunk_covariance(abnormal)).fit()
    assert found.estimate == pytest.approx(fitted.params, rel=1e-8)


def test_the_covariance_is_shrunk_as_much_as_its_correlations_are_noisy():
    values = np.random.default_rng(0).standard_normal((40, 5)) * np.arange(1, 6)
    z = (values - values.mean(0)) / values.std(0, ddof=1)
    noise, size = 0.0, 0.0
    for i in range(5):
        for j in range(5):
            w = z[:, i] * z[:, j]
            if i != j:
                noise += 40 / 39**3 * ((w - w.mean()) ** 2).sum()
                size += (40 / 39 * w.mean()) ** 2
    plain, shrunk = np.cov(values.T), shrunk_covariance(values)
    assert np.diag(shrunk) == pytest.approx(np.diag(plain), rel=1e-12)
    assert shrunk[0, 1] / plain[0, 1] == pytest.approx(max(1 - noise / size, 0), abs=1e-9)
    twice = shrunk_covariance(np.column_stack([values[:, 0], values[:, 0], values[:, 1]]))
    assert np.linalg.cond(twice) < 1e4


@pytest.mark.parametrize("model", slopes.MODELS)
def test_on_simulated_factors_it_keeps_its_size_and_hc3_does_not(model):
    returns, market, traits = simulated_panel(np.random.default_rng(11), 1_500, 25)
    near = {"near a factor": traits["near a factor"]}
    found = slopes.tested("simulated", returns, market, near, model)
    rates = found.assign(rejects=found["p"] <= 0.05).groupby("test")["rejects"].mean()
    assert 0.03 < rates["ranked_slope"] < 0.075
    assert 0.03 < rates["ranked_slope_gls"] < 0.075
    assert rates["hc3"] > 0.1


def test_an_effect_of_the_characteristic_is_found_and_sharper_with_the_covariance(made):
    returns, market, traits = made
    trait, row = traits["noise"], 700
    design = np.column_stack([np.ones(12), trait])
    shifted = returns.copy()
    shifted.iloc[row] += 0.02 * trait
    plain, weighted = (
        ranked_slopes(study_of(shifted, returns.index[row], market), design, gls=gls)
        for gls in (False, True)
    )
    for found in (plain, weighted):
        low, high = found.interval()[1]
        assert 0 < low < 0.02 < high
    assert weighted.std_error[1] < plain.std_error[1]


def test_the_exposure_of_2018_orders_the_firms_on_3_april_2025(firms):
    returns, exposure = firms
    market = log_returns(load_prices(start="2020-12-31"))
    study = study_of(returns, "2025-04-03", market)
    design = np.column_stack([np.ones(len(exposure)), exposure])
    for gls in (False, True):
        assert ranked_slopes(study, design, gls=gls).table(pd.RangeIndex(2))["p_value"][1] < 0.02
    ranks = pd.DataFrame(study.residuals.to_numpy().T, columns=exposure.index).corrwith(
        exposure, axis=1, method="spearman"
    )
    event = study.abnormal.droplevel(0)[0].corr(exposure, method="spearman")
    assert event == pytest.approx(0.497, abs=0.001)
    assert -0.35 < ranks.quantile(0.05) < -0.2 and 0.2 < ranks.quantile(0.95) < 0.35


def test_hc3_rejects_far_too_often_on_real_sectors():
    returns = log_returns(load_prices("sectors")[SECTORS]).loc["2023-12":"2025"]
    trait = np.column_stack([np.ones(9), [1, 1, 1, 1, 1, 0, 0, 0, 1]])
    days = returns.loc["2025"]
    p = [
        hc3((row - returns.loc[:day].iloc[-261:-11].mean()).to_numpy(), trait)[1]
        for day, row in days.iterrows()
    ]
    assert 0.1 < np.mean(np.array(p) <= 0.05) < 0.3


def test_sessions_in_which_a_security_has_no_return_are_passed_over(made):
    returns, _, traits = made
    design = np.column_stack([np.ones(12), traits["noise"]])
    holes = returns.copy()
    holes.iloc[[300, 301, 450], 3] = np.nan
    found = ranked_slopes(study_of(holes, returns.index[700]), design)
    assert found.past.shape == (497, 2) and np.isfinite(found.past).all()
    holes.iloc[:500, 3] = np.nan
    with pytest.raises(HistoryError, match=r"there are 200: leave out what is short, first 'S03'"):
        ranked_slopes(study_of(holes, returns.index[700], min_observations=100), design)


def test_what_cannot_be_ranked_is_refused_in_words(made):
    returns, _, traits = made
    design = np.column_stack([np.ones(12), traits["noise"]])
    gap = returns.copy()
    gap.iloc[701, 2] = np.nan
    with pytest.raises(InferenceError, match="a return of the tested window is missing"):
        ranked_slopes(study_of(gap, returns.index[700]), design, 0, 1)


# -- earlier sessions that do not count ----------------------------------------------------------


def random_panel():
    days = pd.bdate_range("2018-01-01", periods=900)
    returns = 0.01 * np.random.default_rng(5).standard_normal((900, 8))
    return pd.DataFrame(returns, days, [f"S{i}" for i in range(8)]), np.column_stack(
        [np.ones(8), np.arange(8.0)]
    )


@pytest.mark.parametrize("left_out", [True, False])
def test_sessions_of_other_events_are_no_earlier_ones_where_they_are_left_out(left_out):
    returns, design = random_panel()
    wild = returns.copy()
    wild.iloc[400:402] += 0.2 * np.linspace(-1, 1, 8)
    found = [
        ranked_slopes(
            event_study(
                table,
                {"one": returns.index[800], "other": returns.index[400]},
                volatility=None,
                exclude_neighbours=left_out,
            )["one"],
            design,
        )
        for table in (returns, wild)
    ]
    assert np.array_equal(found[0].past, found[1].past) is left_out
    assert np.array_equal(found[0].std_error, found[1].std_error) is left_out


def test_a_session_in_which_a_return_spans_two_is_no_earlier_one():
    returns, design = random_panel()
    returns.iloc[[0]] = np.nan
    found = []
    for move in (0.0, 0.3):
        prices = 100 * np.exp(returns.fillna(0).cumsum())
        prices.iloc[401:, 7] *= np.exp(move)
        prices.iloc[400, 7] = np.nan
        study = event_study(log_returns(prices), [returns.index[800]], volatility=None)
        found.append(ranked_slopes(study, design))
    np.testing.assert_allclose(found[0].past, found[1].past, rtol=1e-9)
    np.testing.assert_allclose(found[0].std_error, found[1].std_error, rtol=1e-9)


def test_a_model_of_ones_own_says_nothing_of_earlier_sessions():
    class Nothing:
        def fit(self, returns, regressors):
            return types.SimpleNamespace(
                dof=len(returns),
                predict=lambda rows: np.zeros(len(rows)),
                prediction_covariance=lambda rows: returns.var() * np.eye(len(rows)),
            )

    returns, design = random_panel()
    study = event_study(returns, [returns.index[800]], model=Nothing(), volatility=None)
    with pytest.raises(HistoryError, match="the model Nothing says nothing of sessions outside"):
        ranked_slopes(study, design)
