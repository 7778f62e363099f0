"""Variance models against the arch package, slow recursions and inputs that must fail."""

import history
import numpy as np
import pytest
from arch import arch_model
from arch.univariate import ConstantMean, EWMAVariance, StudentsT

from impact.errors import HistoryError, ReturnsError, VolatilityError
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


@pytest.mark.parametrize("model", VARIANCE_MODELS)
def test_likelihood_is_at_least_that_of_arch_on_its_own(model):
    sample = history.index_returns().to_numpy()[-2_000:]
    fit = fit_variance(sample, model=model)
    reference = arch_reference(sample, model)
    theirs = reference.fit(disp="off").loglikelihood
    assert reference.fix(in_percent(fit)).loglikelihood > theirs - 1e-4


def test_parameters_come_back_from_a_simulated_path():
    fit = fit_variance(history.garch_path(8_000, seed=3), model="gjr", last=None)
    assert fit.n == 8_000
    np.testing.assert_allclose(
        [fit.alpha, fit.gamma, fit.beta, fit.nu], [0.05, 0.10, 0.88, 6.0], rtol=0.35
    )
    assert fit.persistence == pytest.approx(0.98, abs=0.015)


def test_a_start_nearby_leads_to_the_same_optimum():
    returns = history.index_returns().to_numpy()
    for model in VARIANCE_MODELS:
        earlier = fit_variance(returns[2_000:4_000], model=model)
        cold = fit_variance(returns[2_100:4_100], model=model)
        warm = fit_variance(returns[2_100:4_100], model=model, near=earlier)
        assert warm.filter(returns[2_100:4_100])[-1] == pytest.approx(
            cold.filter(returns[2_100:4_100])[-1], rel=2e-3
        )


@pytest.mark.parametrize("model", VARIANCE_MODELS)
def test_a_rescaled_series_has_rescaled_variance(model):
    sample = history.garch_path(1_500, seed=5)
    sigma = fit_variance(sample, model=model).filter(sample)
    tiny = fit_variance(sample / 512, model=model).filter(sample / 512)
    np.testing.assert_allclose(tiny * 512, sigma, rtol=1e-6)


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


def test_an_optimum_outside_the_returns_is_not_taken(monkeypatch):
    original = ConstantMean.fit

    def runs_away(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        result._params[0] = 1e6
        return result

    monkeypatch.setattr(ConstantMean, "fit", runs_away)
    with pytest.raises(VolatilityError, match="any starting values"):
        fit_variance(history.garch_path(1_202, seed=6), model="ewma")


def test_a_failed_optimiser_is_started_again_and_reported(monkeypatch):
    returns = history.garch_path(1_200, seed=6)
    original, calls = ConstantMean.fit, []

    def first_fails(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        calls.append(kwargs["starting_values"])
        if len(calls) == 1:
            result._optim_output.status = 9
        return result

    monkeypatch.setattr(ConstantMean, "fit", first_fails)
    fit = fit_variance(returns, model="garch")
    assert len(calls) == 2 and calls[1] is not None
    assert fit.note == "the optimiser converged from other starting values only"


def test_an_optimiser_that_never_converges_is_an_error(monkeypatch):
    original = ConstantMean.fit

    def fails(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        result._optim_output.status = 9
        return result

    monkeypatch.setattr(ConstantMean, "fit", fails)
    with pytest.raises(VolatilityError, match="any starting values"):
        fit_variance(history.garch_path(1_201, seed=6), model="gjr")


def test_missing_returns_and_unknown_models_are_named():
    returns = history.garch_path(1_200, seed=7)
    returns[30:32] = np.nan
    with pytest.raises(ReturnsError, match="2 of 1,200 are missing"):
        fit_variance(returns)
    with pytest.raises(VolatilityError, match="'arma' is not known"):
        fit_variance(returns, model="arma")
