"""Where a fit stops being one: regressors that tell the same, and regressors that stand still."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import HistoryError
from impact.study.event_study import event_study

ROWS, EVENT = 150, 120
WINDOW = slice(EVENT - 100, EVENT - 9)


def fitted(factors):
    """Loadings of a series on factors, of the study and of a QR decomposition."""
    days = pd.bdate_range("2020-01-01", periods=ROWS)
    noise = 0.01 * np.random.default_rng(1).standard_normal(ROWS)
    returns = pd.DataFrame({"S": noise + factors[:, 0]}, days)
    study = event_study(
        returns,
        [days[EVENT]],
        model="factors",
        factors=pd.DataFrame(factors, days, [f"f{i}" for i in range(factors.shape[1])]),
        estimation=(-100, -10),
        window=(-1, 1),
        min_observations=30,
        volatility=None,
        kind="simple",
    )
    design = np.column_stack([np.ones(91), factors[WINDOW]])
    expected = np.linalg.lstsq(design, returns["S"].to_numpy()[WINDOW], rcond=None)[0]
    return study.fit[["alpha", "f0", "f1"]].iloc[0].to_numpy(), expected


def correlated(gap):
    """Two factors with a correlation of 1 - gap in the estimation window, to the last digits."""
    one, other = np.random.default_rng(0).standard_normal((2, ROWS))
    for values in (one, other):
        values -= values[WINDOW].mean()
    other -= (other[WINDOW] @ one[WINDOW]) / (one[WINDOW] @ one[WINDOW]) * one
    one /= np.linalg.norm(one[WINDOW])
    other /= np.linalg.norm(other[WINDOW])
    rho = 1 - gap
    return 0.1 * np.column_stack([one, rho * one + np.sqrt(1 - rho**2) * other])


def test_factors_are_collinear_where_their_correlation_is_within_1e_10_of_one():
    found, expected = fitted(correlated(2e-10))
    assert found == pytest.approx(expected, rel=1e-4)
    with pytest.raises(HistoryError, match="collinear or constant"):
        fitted(correlated(5e-11))


def test_a_factor_is_constant_where_it_varies_by_a_millionth_of_a_millionth():
    beside, noise = np.random.default_rng(2).standard_normal((2, ROWS))
    for size in (1e-9, 1e-11):
        found, expected = fitted(0.01 * np.column_stack([beside, 1 + size * noise]))
        assert found[1] == pytest.approx(expected[1], rel=1e-3)
    with pytest.raises(HistoryError, match="collinear or constant"):
        fitted(0.01 * np.column_stack([beside, 1 + 1e-13 * noise]))


class Parameters:
    """A model of one's own with so many parameters, by which every return is abnormal."""

    def __init__(self, parameters):
        self.parameters = parameters

    def fit(self, returns, regressors):
        self.dof = len(returns) - self.parameters
        return self

    def predict(self, regressors):
        return np.zeros(len(regressors))

    def prediction_covariance(self, regressors):
        return np.eye(len(regressors))


def test_a_model_of_one_s_own_needs_more_returns_than_parameters():
    days = pd.bdate_range("2020-01-01", periods=60)
    returns = pd.Series(0.01 * np.random.default_rng(0).standard_normal(60), days)
    asked = {"estimation": (-30, -1), "window": (0, 0), "min_observations": 30, "volatility": None}
    study = lambda parameters: event_study(
        returns, [days[40]], model=Parameters(parameters), kind="simple", **asked
    )
    one_left = np.sqrt(np.square(returns.iloc[10:40]).sum())
    assert study(29).over(0).s.item() == pytest.approx(one_left, rel=1e-12)
    for parameters in (30, 31):
        with pytest.raises(HistoryError, match="fewer observations than parameters"):
            study(parameters)


def test_a_rate_that_is_missing_leaves_out_its_own_session_alone():
    days = pd.bdate_range("2020-01-01", periods=60)
    returns = pd.Series(0.01 * np.random.default_rng(0).standard_normal(60), days)
    rate = pd.Series(0.0001, days)
    rate.iloc[20] = np.nan
    study = event_study(
        returns,
        [days[40]],
        model=Parameters(1),
        risk_free=rate,
        estimation=(-30, -1),
        window=(0, 0),
        min_observations=20,
        volatility=None,
        kind="simple",
    )
    assert study.fit["observations"].item() == 29
    assert np.flatnonzero(study.residuals.iloc[0].isna()).tolist() == [10]
