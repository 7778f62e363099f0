"""Four forecasts of volatility: each p is that of a study of its own."""

import history
import numpy as np
import pandas as pd
import pytest

from impact import inference
from impact.errors import InferenceError
from impact.inference.conditional_columns import conditional_columns
from impact.inference.yardsticks import disagree, yardsticks
from impact.market.prices import load_prices, load_vix
from impact.market.returns import log_returns
from impact.market.windows import Window
from impact.study.event_study import event_study
from impact.volatility.vix import implied_forecast

MODELS = {"gjr": "GJR-GARCH", "garch": "GARCH", "ewma": "EWMA"}


def study_of(day, model="gjr", **options):
    return event_study(history.index_returns(), [day], volatility=model, **options)


@pytest.mark.parametrize("day", ["2025-04-04", "2025-04-09", "2025-05-12"])
@pytest.mark.parametrize("of", ["gjr", "ewma"])
def test_each_is_the_test_of_a_study_with_that_forecast(day, of):
    found = yardsticks(study_of(day, of, implied=load_vix()))
    assert found.index.to_list() == [*MODELS.values(), "VIX"]
    for model, name in MODELS.items():
        alone = inference.conditional_fhs(study_of(day, model))
        assert found.loc[name, "p_value"] == alone.p_value
        assert found.loc[name, "statistic"] == alone.statistic
        assert found.loc[name, "sigma"] == alone.detail["sigma"]
    implied = inference.implied_t(study_of(day, implied=load_vix()))
    assert found.loc["VIX", "p_value"] == implied.p_value


@pytest.mark.parametrize(
    ("day", "low", "high", "both"),
    [
        ("2025-04-04", 0.003, 0.054, True),
        ("2025-04-09", 0.002, 0.021, False),
        ("2025-04-10", 0.08, 0.42, False),
        ("2025-05-12", 0.004, 0.074, True),
    ],
)
def test_the_ranges_of_2025(day, low, high, both):
    found = yardsticks(study_of(day, implied=load_vix()))
    assert found["p_value"].min() == pytest.approx(low, abs=0.001)
    assert found["p_value"].max() == pytest.approx(high, abs=0.003)
    assert disagree(found) == both


def test_five_percent_itself_is_on_the_side_of_those_above():
    for p, expected in (([0.05, 0.2], False), ([0.0499, 0.05], True), ([0.01, 0.04], False)):
        assert disagree(pd.DataFrame({"p_value": p})) == expected


def test_a_forecast_that_is_not_there_has_no_p_and_says_why():
    returns = history.index_returns()
    short = event_study(returns["2024-01-01":], ["2025-05-02"])
    found = yardsticks(short)
    assert found["p_value"].notna().to_list() == [False, False, True, False]
    assert "exponentially weighted" in found.loc["GARCH", "note"]
    assert "implied=" in found.loc["VIX", "note"]
    early = event_study(
        log_returns(load_prices(start="1970-01-01", end="1989-12-29")),
        ["1987-10-19"],
        implied=load_vix(),
    )
    found = yardsticks(early)
    assert found["p_value"].notna().to_list() == [True, True, True, False]
    assert "no value on 1987-10-16" in found.loc["VIX", "note"]


def test_where_no_forecast_can_be_made_each_says_why():
    recent = history.index_returns()["2025-01-01":]
    study = event_study(recent, ["2025-05-02"], estimation=(-60, -11), min_observations=40)
    found = yardsticks(study)
    assert found["p_value"].isna().all()
    for name in MODELS.values():
        assert "250" in found.loc[name, "note"], name


def test_a_window_has_no_implied_volatility_and_several_events_no_yardsticks():
    study = study_of("2025-05-02", implied=load_vix())
    found = yardsticks(study, 0, 2)
    assert np.isnan(found.loc["VIX", "p_value"]) and found["p_value"].iloc[:3].notna().all()
    assert (
        found.loc["EWMA", "p_value"]
        == inference.conditional_fhs(study_of("2025-05-02", "ewma"), 0, 2).p_value
    )
    both = event_study(history.index_returns(), ["2025-05-02", "2025-05-12"])
    with pytest.raises(InferenceError, match="has 2 rows"):
        yardsticks(both)
    for without, window in ((study_of("2025-05-02"), (0,)), (study, (0, 1))):
        with pytest.raises(InferenceError, match=r"implied_t tests one session .* implied="):
            inference.implied_t(without, *window)
    plain = study_of("2025-05-02", model=None)
    for test in (inference.conditional_fhs, inference.conditional_t):
        with pytest.raises(InferenceError, match="needs a variance model"):
            test(plain)


@pytest.mark.parametrize(
    ("time", "session", "late"),
    [("2025-05-01T16:30", 0, True), ("2025-05-01T16:30", 1, False), ("2025-05-02T12:00", 0, False)],
)
def test_the_index_of_an_evening_that_may_hold_the_news_is_not_taken(time, session, late):
    study = study_of(time, implied=load_vix())
    at = history.row("2025-05-02") + session
    known = implied_forecast(history.index_returns(), load_vix(), at, after_vix_close=late)
    found = inference.implied_t(study, session)
    assert found.detail["sigma"] == known.sigma and found.n == known.n
    z = (history.index_returns().iloc[at] - known.mean) / known.sigma
    assert found.statistic == pytest.approx(z, rel=1e-12)
    table = ["sigma_implied", "z_implied", "p_implied"]
    row = conditional_columns(study, Window(session, session))[table].iloc[0]
    assert row.to_list() == [known.sigma, found.statistic, found.p_value]
    assert conditional_columns(study, Window(0, 1))[table].isna().all(axis=None)


class Zero:
    """A model of one's own, by which every return is abnormal."""

    def fit(self, returns, regressors):
        return ZeroFitted(len(returns))


class ZeroFitted:
    def __init__(self, dof):
        self.dof = dof

    def predict(self, regressors):
        return np.zeros(len(regressors))

    def prediction_covariance(self, regressors):
        return 1e-4 * np.eye(len(regressors))


def test_a_model_of_one_s_own_and_a_missing_price_have_no_yardstick_and_each_says_why():
    returns = history.index_returns()["2024-01-01":]
    prices = load_prices()["2015-01-01":].to_frame()
    prices.loc["2025-05-02"] = np.nan
    gap = event_study(log_returns(prices), ["2025-05-02"], implied=load_vix())
    own = event_study(returns, ["2025-05-02"], model=Zero())
    for study, session, why, of_the_index in (
        (own, 0, "says nothing of sessions outside", "implied="),
        (gap, 0, "return of the tested window is missing", "tested session is missing"),
        (gap, 1, "return of the tested window is missing", "tested session spans several"),
    ):
        found = yardsticks(study, session)
        assert found[["sigma", "statistic", "p_value"]].isna().all(axis=None)
        assert found.dtypes.iloc[:3].map(pd.api.types.is_float_dtype).all()
        assert found["note"].iloc[:3].str.contains(why).all()
        assert of_the_index in found.loc["VIX", "note"]
