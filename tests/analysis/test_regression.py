"""The joint regression: the event study where it must be, the truth where windows overlap."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from impact.analysis.regression import event_regression
from impact.errors import DateError, HistoryError, InferenceError, ModelError, ReturnsError
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2015-01-01", periods=1_400, name="date")


def series(seed=0, sigma=0.01) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(0.0004, sigma, len(DAYS)), DAYS)


# -- where it must equal the event study ---------------------------------------------------------


def test_one_session_equals_the_event_study_on_the_same_estimation_sample():
    returns = series()
    at = 700
    study = event_study(
        returns, {"news": DAYS[at]}, estimation=(-250, -1), window=(0, 0), volatility=None
    )
    expected = study.car(0).iloc[0]
    joint = event_regression(returns.iloc[at - 250 : at + 1], {"news": DAYS[at]}, volatility=None)
    got = joint.table.loc["news"]
    assert got["estimate"] == pytest.approx(expected["estimate"], rel=1e-10)
    assert got["std_error"] == pytest.approx(expected["std_error"], rel=1e-10)
    assert got["p_value"] == pytest.approx(expected["p_textbook"], rel=1e-10)
    assert got["ci_low"] == pytest.approx(expected["ci_low_textbook"], rel=1e-10)
    assert joint.ols.df_resid == expected["dof"]


def test_a_window_equals_the_event_study_in_its_estimate_alone():
    returns = series(1)
    at = 600
    study = event_study(
        returns, {"news": DAYS[at]}, estimation=(-250, -3), window=(-2, 4), volatility=None
    )
    expected = study.car(-2, 4).iloc[0]
    sample = returns.iloc[at - 250 : at + 5]
    joint = event_regression(sample, {"news": DAYS[at]}, window=(-2, 4), volatility=None)
    got = joint.table.loc["news"]
    assert got["estimate"] == pytest.approx(expected["estimate"], rel=1e-10)
    # One dummy for seven sessions pools the variance inside the window, the study does not.
    assert got["std_error"] != pytest.approx(expected["std_error"], rel=1e-3)


def test_events_apart_equal_dummies_by_hand():
    returns = series(2)
    events = {"a": DAYS[300], "b": DAYS[900]}
    design = np.zeros((len(DAYS), 3))
    design[:, 0] = 1
    design[300:303, 1] = design[900:903, 2] = 1
    by_hand = np.linalg.lstsq(design, returns.to_numpy(), rcond=None)[0]
    joint = event_regression(returns, events, window=(0, 2), volatility=None)
    np.testing.assert_allclose(joint.table["estimate"], 3 * by_hand[1:], rtol=1e-10)


# -- where windows overlap -----------------------------------------------------------------------


def test_overlapping_windows_are_told_apart_and_the_event_study_cannot():
    first, second = {}, {}
    for seed in range(40):
        returns = series(100 + seed, sigma=0.004)
        returns.iloc[1000:1006] += 0.006
        returns.iloc[1003:1009] += -0.010
        events = {"rise": DAYS[1000], "fall": DAYS[1003]}
        joint = event_regression(returns, events, window=(0, 5), volatility=None)
        study = event_study(returns, events, window=(0, 5), volatility=None)
        first[seed] = joint.table["estimate"]
        second[seed] = study.car(0, 5)["estimate"]
    joint, apart = pd.DataFrame(first), pd.DataFrame(second)
    error = joint.std(axis=1) / np.sqrt(joint.shape[1])
    assert abs(joint.loc["rise"].mean() - 0.036) < 3 * error["rise"]
    assert abs(joint.loc["fall"].mean() + 0.060) < 3 * error["fall"]
    # The study books the three shared sessions to both: -0.030 and +0.018 too much.
    assert apart.loc["rise"].mean() == pytest.approx(0.006, abs=0.004)
    assert apart.loc["fall"].mean() == pytest.approx(-0.042, abs=0.004)


def test_announcements_of_one_session_are_one_dummy_that_names_them():
    events = {"a": DAYS[900], "b": DAYS[900], "c": DAYS[950]}
    joint = event_regression(series(), events, volatility=None)
    assert joint.table["announcements"].to_dict() == {"a": ("a", "b"), "c": ("c",)}


def test_a_control_that_is_one_event_is_refused():
    returns = series()
    control = pd.DataFrame({"release": (DAYS[900] == DAYS).astype(float)}, DAYS)
    with pytest.raises(ModelError, match="collinear: drop a control"):
        event_regression(returns, {"a": DAYS[900]}, controls=control, volatility=None)
    with pytest.raises(ModelError, match="sessions without an event"):
        event_regression(
            returns.iloc[:3], {"a": DAYS[0], "b": DAYS[1], "c": DAYS[2]}, volatility=None
        )


# -- covariance ----------------------------------------------------------------------------------


def test_hc3_is_refused_for_a_dummy_of_one_session():
    with pytest.raises(InferenceError, match=r"not valid for 'a'.*covariance='classical'"):
        event_regression(series(), {"a": DAYS[900]}, volatility=None, covariance="HC3")


def test_an_unknown_covariance_lists_the_known():
    with pytest.raises(InferenceError, match="'classical' or 'HC3'"):
        event_regression(series(), {"a": DAYS[900]}, volatility=None, covariance="HAC")


def test_hc3_is_statsmodels_with_few_degrees_of_freedom_for_a_short_dummy():
    returns = series(3)
    events = {"short": DAYS[900], "long": DAYS[1100]}
    design = np.column_stack([np.ones(len(DAYS)), np.zeros((len(DAYS), 2))])
    design[900:905, 1] = design[1100:1105, 2] = 1
    fit = sm.OLS(returns.to_numpy(), design).fit(cov_type="HC3", use_t=True)
    joint = event_regression(returns, events, window=(0, 4), volatility=None, covariance="HC3")
    np.testing.assert_allclose(joint.table["std_error"], 5 * fit.bse[1:], rtol=1e-10)
    expected = 2 * stats.t(4).sf(np.abs(fit.params[1:] / fit.bse[1:]))
    np.testing.assert_allclose(joint.table["p_value"], expected, rtol=1e-10)


# -- weights -------------------------------------------------------------------------------------


def test_the_weighted_regression_uses_the_variance_with_the_events_in():
    returns = series(4)
    returns.iloc[1000] = -0.15
    events = {"crash": DAYS[1000], "after": DAYS[1002]}
    joint = event_regression(returns, events, volatility="ewma", since=DAYS[300])
    calm = returns.copy()
    calm.iloc[1000] = 0.0
    quiet = event_regression(calm, events, volatility="ewma", since=DAYS[300])
    errors = [fit.table["std_error_conditional"] for fit in (joint, quiet)]
    # A crash two sessions before raises the eve's variance, and changes nothing on its own day.
    assert errors[0]["after"] > 3 * errors[1]["after"]
    assert errors[0]["crash"] == pytest.approx(errors[1]["crash"], rel=0.05)


def test_events_before_the_variance_starts_are_refused():
    with pytest.raises(HistoryError, match="volatility=None"):
        event_regression(series(), {"a": DAYS[100]}, volatility="ewma")


# -- input ---------------------------------------------------------------------------------------


def test_controls_with_a_gap_are_refused_and_with_none_partial_them_out():
    returns = series(5)
    control = pd.DataFrame({"release": np.tile([1.0, 0, 0, 0, 0, 0, 0], 200)}, DAYS)
    moved = returns + 0.02 * control["release"]
    plain = event_regression(returns, {"a": DAYS[700]}, controls=control, volatility=None)
    with_release = event_regression(moved, {"a": DAYS[700]}, controls=control, volatility=None)
    assert with_release.table.loc["a", "estimate"] == pytest.approx(
        plain.table.loc["a", "estimate"], abs=1e-12
    )
    assert with_release.ols.params["release"] == pytest.approx(
        plain.ols.params["release"] + 0.02, abs=1e-12
    )
    with pytest.raises(ModelError, match=f"no value on {DAYS[800]:%Y-%m-%d}"):
        event_regression(returns, {"a": DAYS[700]}, controls=control.drop(DAYS[800]))


def test_a_panel_and_an_empty_sample_are_refused():
    returns = series()
    with pytest.raises(ReturnsError, match="pick a column"):
        event_regression(returns.to_frame(), {"a": DAYS[900]})
    with pytest.raises(InferenceError, match="no event lies in the sample"):
        event_regression(returns, {"a": DAYS[100]}, since=DAYS[200], volatility=None)


def test_a_first_session_that_cannot_be_is_refused():
    with pytest.raises(ReturnsError, match="since=2035-01-01 lies after the last return"):
        event_regression(series(), {"a": DAYS[900]}, since="2035-01-01", volatility=None)
    with pytest.raises(DateError):
        event_regression(series(), {"a": DAYS[900]}, since="01/02/2016", volatility=None)


def test_an_event_whose_window_leaves_the_sample_is_listed():
    events = {"a": DAYS[900], "late": DAYS[-1]}
    joint = event_regression(series(), events, window=(0, 2), volatility=None)
    assert joint.dropped["event"].to_list() == ["late"]
    assert "leaves the sample" in joint.dropped["reason"].item()


# -- display -------------------------------------------------------------------------------------


def test_it_shows_itself():
    joint = event_regression(
        series(), {"a": DAYS[900], "b": DAYS[1200]}, volatility="ewma", since=DAYS[300]
    )
    text = repr(joint.summary())
    assert "conditional variance ewma" in text and "1,100 sessions" in text
    assert f"{100 * joint.table.loc['a', 'estimate']:+.2f}%".replace("-", "\N{MINUS SIGN}") in text
    assert "<table" in joint._repr_html_()
    assert repr(joint) == (
        "EventRegression: 2 dummies over 1,100 sessions, window (0, 0), 0 dropped"
    )
