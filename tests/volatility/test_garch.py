"""Variance models against the arch package, slow recursions and inputs that must fail."""

import history
import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from arch.univariate import ConstantMean, EWMAVariance, StudentsT

from impact.errors import HistoryError, ReturnsError, VolatilityError
from impact.volatility import garch, likelihood
from impact.volatility.garch import VARIANCE_MODELS, VarianceFit, fit_variance

PERCENT = 100.0


def arch_reference(sample: np.ndarray, model: str):
    """The arch package's own model of percentage returns."""
    if model == "ewma":
        return ConstantMean(
            PERCENT * sample,
            volatility=EWMAVariance(0.94),
            distribution=StudentsT(),
            rescale=False,
        )
    return arch_model(
        PERCENT * sample,
        mean="Constant",
        p=1,
        o=int(model == "gjr"),
        q=1,
        dist="t",
        rescale=False,
    )


def in_percent(fit: VarianceFit) -> np.ndarray:
    vector = {
        "gjr": [fit.omega * PERCENT**2, fit.alpha, fit.gamma, fit.beta],
        "garch": [fit.omega * PERCENT**2, fit.alpha, fit.beta],
        "ewma": [],
    }[fit.model]
    return np.array([fit.mu * PERCENT, *vector, fit.nu])


@pytest.mark.parametrize("model", VARIANCE_MODELS)
@pytest.mark.parametrize("day", ["2008-10-15", "2025-04-09"])
def test_filter_and_forecasts_equal_arch_at_the_same_parameters(model, day):
    at = history.row(day)
    sample = history.index_returns().to_numpy()[at - 2_000 : at]
    fit = fit_variance(sample, model=model)
    fixed = arch_reference(sample, model).fix(in_percent(fit))
    sigma = fit.filter(sample)
    np.testing.assert_allclose(sigma[:-1] * PERCENT, fixed.conditional_volatility, rtol=1e-10)
    ahead = fixed.forecast(horizon=6, reindex=False).variance.to_numpy()[-1]
    np.testing.assert_allclose(fit.variances(sigma[-1], 6) * PERCENT**2, ahead, rtol=1e-10)


def test_parameters_come_back_from_a_simulated_path():
    fit = fit_variance(history.garch_path(8_000, seed=3), model="gjr", last=None)
    assert fit.n == 8_000
    np.testing.assert_allclose(
        [fit.alpha, fit.gamma, fit.beta, fit.nu], [0.05, 0.10, 0.88, 6.0], rtol=0.35
    )
    assert fit.persistence == pytest.approx(0.98, abs=0.015)


def test_simulation_equals_the_slow_recursion_and_its_variance_the_forecast():
    fit = fit_variance(history.garch_path(2_000, seed=1), model="gjr")
    rng = np.random.default_rng(0)
    z = rng.standard_normal((200_000, 4))
    shocks = fit.simulate(0.02, z)
    variance = 0.02**2
    for step in range(4):
        shock = np.sqrt(variance) * z[0, step]
        assert shocks[0, step] == pytest.approx(shock, rel=1e-12)
        leverage = fit.alpha + (fit.gamma if shock < 0 else 0.0)
        variance = fit.omega + leverage * shock**2 + fit.beta * variance
    np.testing.assert_allclose(shocks.var(axis=0), fit.variances(0.02, 4), rtol=0.02)


def test_fit_sees_the_last_observations_only():
    returns = history.garch_path(2_500, seed=2)
    changed = returns.copy()
    changed[:500] *= 10
    assert fit_variance(changed) == fit_variance(returns)


def test_ewma_works_from_250_and_garch_from_1000():
    returns = history.garch_path(999, seed=4)
    assert fit_variance(returns[:250], model="ewma").n == 250
    with pytest.raises(HistoryError, match=r"needs 250 returns .* there are 249"):
        fit_variance(returns[:249], model="ewma")
    for model in ("gjr", "garch"):
        with pytest.raises(HistoryError, match=r"needs 1,000 returns .* there are 999"):
            fit_variance(returns, model=model)


@pytest.mark.parametrize("model", VARIANCE_MODELS)
@pytest.mark.parametrize("value", [0.0, 0.001])
def test_constant_returns_are_refused(model, value):
    with pytest.raises(VolatilityError, match="does not vary"):
        fit_variance(np.full(1_500, value), model=model)


@pytest.mark.parametrize("model", VARIANCE_MODELS)
@pytest.mark.parametrize("moves", [1, 700])
def test_returns_that_are_mostly_zero_are_refused(model, moves):
    returns = np.zeros(1_500)
    returns[:moves] = history.garch_path(moves, seed=8)
    with pytest.raises(VolatilityError, match="more than half of the 1,500 returns"):
        fit_variance(returns, model=model)


@pytest.mark.parametrize("found", [None, np.array([1e6, 0.02, 0.05, 0.1, 0.88, 6.0])])
def test_what_no_search_finds_is_refused_and_not_searched_again(monkeypatch, found):
    calls = []
    monkeypatch.setattr(garch, "most_likely", lambda *args: calls.append(args) or found)
    returns = history.garch_path(1_200, seed=20 + (found is None))
    for _ in range(2):
        with pytest.raises(VolatilityError, match=r"'gjr' could not be fitted on 1,200 returns"):
            fit_variance(returns)
    assert len(calls) == 1


def test_a_search_that_stops_on_a_slope_is_no_fit(monkeypatch):
    original = likelihood.descend
    monkeypatch.setattr(likelihood, "descend", lambda *args: (*original(*args)[:2], 1e-3))
    with pytest.raises(VolatilityError, match="could not be fitted"):
        fit_variance(history.garch_path(1_200, seed=31))


def test_a_fit_is_remembered_and_belongs_to_its_returns(monkeypatch):
    returns = history.garch_path(2_000, seed=30)
    first = fit_variance(returns)
    monkeypatch.setattr(garch, "most_likely", lambda *args: pytest.fail("fitted again"))
    assert fit_variance(returns.copy()) is first
    with pytest.raises(pytest.fail.Exception):
        fit_variance(returns[::-1])


def test_borders_are_noted():
    rng = np.random.default_rng(0)
    heavy = fit_variance(0.01 * rng.standard_t(1.5, 1_500), model="garch")
    assert heavy.nu < 2.1 and "as heavy as a Student t allows" in heavy.note
    rising = 0.005 * np.exp(np.arange(2_000) / 800) * rng.standard_normal(2_000)
    assert "border of stationarity" in fit_variance(rising, model="garch").note
    assert fit_variance(history.garch_path(1_500, seed=5)).note == ""


@pytest.mark.parametrize("model", VARIANCE_MODELS)
@pytest.mark.parametrize("sparse", [0.2, 0.45])
def test_sparse_and_wild_returns_have_a_finite_stationary_fit(model, sparse):
    returns = history.garch_path(1_500, seed=9)
    returns[np.random.default_rng(3).random(1_500) < sparse] = 0.0
    for wild in (0.0, 0.5, -4.0):
        returns[700] = wild
        fit = fit_variance(returns, model=model)
        assert fit.omega >= 0 and min(fit.alpha, fit.beta, fit.alpha + fit.gamma) >= 0
        assert fit.persistence <= 1 + 1e-12 and 2.05 <= fit.nu <= 500
        sigma = fit.filter(returns)
        assert np.isfinite(sigma).all() and (sigma > 0).all()


@pytest.mark.parametrize(
    "wrong", [None, 0.01, "returns", pd.DataFrame({"a": [0.01], "b": [0.02]}), pd.Series(["0.01"])]
)
def test_what_is_no_series_of_numbers_is_refused(wrong):
    with pytest.raises(ReturnsError, match="fitted on one series of numbers"):
        fit_variance(wrong)


@pytest.mark.parametrize("wrong", [0, -5, 1_200.5, "1200"])
def test_a_number_of_returns_that_is_none_is_refused(wrong):
    with pytest.raises(VolatilityError, match=f"last={wrong!r} is no number of returns"):
        fit_variance(np.sin(np.arange(1_300.0)), last=wrong)


def test_missing_returns_and_unknown_models_are_named():
    returns = history.garch_path(1_200, seed=7)
    returns[30:32] = np.nan
    with pytest.raises(ReturnsError, match="2 of 1,200 are missing"):
        fit_variance(returns)
    with pytest.raises(VolatilityError, match="'arma' is not known"):
        fit_variance(returns, model="arma")
