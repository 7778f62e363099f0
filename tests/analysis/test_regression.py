"""The joint regression: the event study where it must be, the truth where windows overlap."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from history import index_returns
from scipy import stats

from impact.analysis.regression import event_regression
from impact.cards.card import event_card
from impact.errors import DateError, HistoryError, InferenceError, ModelError, ReturnsError
from impact.inference.size import sizes
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.volatility.forecast import conditional_z

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


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.to_frame().assign(control="a"), "column 'control' holds 'a', not numbers"),
        (lambda x: pd.concat([x, x.iloc[-1:]]).to_frame(), "2020-05-13 stands twice"),
        (lambda x: x.where(x.index != DAYS[5], np.inf).to_frame(), "inf on 2015-01-08"),
        (lambda x: x.tz_localize("UTC").to_frame(), "time zone UTC"),
        (lambda x: x.set_axis(x.index.strftime("%Y-%m-%d")).to_frame(), "not a DatetimeIndex"),
        (lambda x: x.set_axis(x.index + pd.Timedelta(hours=16)).to_frame(), "time of day"),
        (lambda x: x.rename("a").to_frame(), "the name 'a' is that of an event"),
        (lambda x: x.rename("const").to_frame(), "the name 'const' is that of an event"),
        (lambda x: pd.concat([x, x**2], axis=1), "controls: .*'control'"),
        (lambda x: pd.concat({"a": x.to_frame()}, axis=1), "the columns have 2 levels"),
        (lambda x: 1e300 * x.to_frame(), "look like percentages"),
        (lambda x: 100 * x.to_frame(), "look like p"),
        (lambda x: x.to_frame()[[]], "give at least one"),
    ],
)
def test_controls_that_are_none_are_refused_in_our_words(change, message):
    control = pd.Series(0.01 * np.sin(np.arange(len(DAYS))), DAYS, name="control")
    with pytest.raises((ModelError, ReturnsError), match=message):
        event_regression(series(), {"a": DAYS[900]}, controls=change(control), volatility=None)


def test_yes_or_no_is_a_control():
    release = pd.DataFrame({"release": np.arange(1_400) % 21 == 3}, DAYS)
    options = {"events": {"a": DAYS[900]}, "volatility": None}
    yes = event_regression(series(), controls=release, **options)
    one = event_regression(series(), controls=release.astype(float), **options)
    pd.testing.assert_frame_equal(yes.table, one.table)


def test_a_control_before_the_variance_starts_is_no_event():
    control = pd.DataFrame({"release": np.tile([1.0, 0, 0, 0, 0, 0, 0], 200)}, DAYS)
    joint = event_regression(series(), {"a": DAYS[900]}, controls=control, volatility="ewma")
    sigma = conditional_z(series(), model="ewma")["sigma"].to_numpy()
    known = slice(-len(sigma), None)
    design = np.column_stack([np.ones(1_400), DAYS[900] == DAYS, control["release"]])[known]
    by_hand = np.linalg.lstsq(
        design / sigma[:, None], series().to_numpy()[known] / sigma, rcond=None
    )[0]
    assert joint.table.loc["a", "estimate_conditional"] == pytest.approx(by_hand[1], rel=1e-9)
    early = pd.DataFrame({"release": (np.arange(1_400) == 100) * 1.0}, DAYS)
    with pytest.raises(ModelError, match="collinear"):
        event_regression(series(), {"a": DAYS[900]}, controls=early, volatility="ewma")


def test_hc3_is_refused_where_a_control_fits_a_session_alone():
    control = pd.DataFrame({"release": (DAYS[800] == DAYS).astype(float)}, DAYS)
    options = {"window": (0, 4), "volatility": None, "covariance": "HC3"}
    with pytest.raises(InferenceError, match=f"a control fits {DAYS[800]:%Y-%m-%d} alone"):
        event_regression(series(), {"a": DAYS[900]}, controls=control, **options)


def test_an_event_of_another_security_is_listed():
    events = pd.DataFrame(
        {
            "id": ["all", "own", "other"],
            "session": DAYS[[900, 950, 990]],
            "security": ["", "X", "Y"],
        }
    )
    joint = event_regression(series().rename("X"), events, volatility=None)
    assert list(joint.table.index) == ["all", "own"]
    assert joint.dropped.to_numpy().tolist() == [
        ["other", "Y", "security 'Y' is not a column of the returns: the nearest is 'X'"]
    ]
    with pytest.raises(InferenceError, match=r"no event lies in.*Left out: 1 of 1 \(other Y"):
        event_regression(series().rename("X"), events.iloc[2:], volatility=None)


def test_the_name_of_the_constant_is_no_event():
    with pytest.raises(InferenceError, match="cannot be called 'const'"):
        event_regression(series(), {"const": DAYS[900]}, volatility=None)


# -- what economists type ------------------------------------------------------------------------


def test_the_names_of_statsmodels_are_those_of_the_cumulated_effects():
    events = {"a": DAYS[900], "b": DAYS[1200]}
    joint = event_regression(series(6), events, window=(0, 2), volatility="ewma")
    fit = joint.ols
    for own, theirs in (("params", fit.params), ("bse", fit.bse)):
        np.testing.assert_allclose(getattr(joint, own), 3 * theirs[["a", "b"]], rtol=1e-12)
    np.testing.assert_allclose(joint.tvalues, fit.tvalues[["a", "b"]], rtol=1e-12)
    np.testing.assert_allclose(joint.pvalues, fit.pvalues[["a", "b"]], rtol=1e-10)
    np.testing.assert_allclose(joint.conf_int(0.9), 3 * fit.conf_int(0.1).loc[["a", "b"]])
    assert joint.nobs == fit.nobs == 1_400
    weighted = joint.weighted.conf_int().loc[["a", "b"]]
    shown = joint.table[["ci_low_conditional", "ci_high_conditional"]]
    np.testing.assert_allclose(shown, 3 * weighted, rtol=1e-10)


def test_a_short_dummy_has_few_degrees_of_freedom_at_every_level():
    events = {"short": DAYS[900]}
    joint = event_regression(
        series(3), events, window=(0, 4), volatility=None, covariance="HC3", since=DAYS[300]
    )
    estimate, error = joint.params["short"], joint.bse["short"]
    expected = estimate + stats.t.ppf([0.05, 0.95], 4) * error
    np.testing.assert_allclose(joint.conf_int(0.9).loc["short"], expected, rtol=1e-12)


# -- display -------------------------------------------------------------------------------------


def test_it_shows_itself():
    joint = event_regression(
        series(), {"a": DAYS[900], "b": DAYS[1200]}, volatility="ewma", since=DAYS[300]
    )
    text = repr(joint.summary())
    assert "conditional variance ewma" in text and "1,100 sessions" in text
    assert f"{100 * joint.table.loc['a', 'estimate']:+.2f}%".replace("-", "\N{MINUS SIGN}") in text
    assert "<table" in joint._repr_html_() and r"\toprule" in joint.to_latex()
    assert f"{joint.params['a']}," in joint.to_csv()
    assert repr(joint) == (
        "EventRegression: 2 dummies over 1,100 sessions, window (0, 0), 0 dropped"
    )


def test_what_is_left_out_and_where_the_data_come_from_stand_below():
    events = load_events(counterparty="CN", since="2025-04-01", until="2025-04-14")
    returns = index_returns()
    returns.attrs["hash"] = "0123456789ab"
    joint = event_regression(returns, events, volatility=None, since="2024-04-01")
    text = repr(joint.summary())
    assert f"Left out: {len(joint.dropped)} of " in text and "puts known news into force" in text
    assert text.endswith(f"data 0123456789ab; catalogue {events.attrs['hash']}")


def test_a_return_like_an_unadjusted_split_and_how_the_events_were_read_are_said():
    returns = log_returns(load_prices("XLK"))["2023":"2025"]
    returns["2024-03-05"] -= np.log(4)
    events = pd.DataFrame({"date": ["2025-04-03"], "ticker": ["QQQ"]})
    found = event_regression(returns, events, volatility=None)
    said = str(found.summary())
    assert "Prices moved as by an unadjusted split: XLK on 2024-03-05 (−" in said
    assert "column 'date' was read as 'announced_at'" in said
    assert "Column 'ticker' of the events names no column: each event is read as one of XLK" in said
    quiet = event_regression(returns, events, volatility=None, since="2024-04-01")
    assert "split" not in str(quiet.summary())


# -- conditional p -------------------------------------------------------------------------------

CARDS = ("liberation-day", "ninety-day-pause", "mofcom-evaluating", "massive-increase-post")


@pytest.mark.parametrize("event", CARDS)
def test_a_dummy_of_one_session_has_the_p_of_the_card(event):
    joint = event_regression(index_returns(), list(CARDS), since="2024-01-02")
    facts = event_card(event).facts
    got = joint.table.loc[event]
    for own, its in (
        ("std_error", "sigma"),
        ("statistic", "z"),
        ("p_value", "p"),
        ("ci_low", "ci_low"),
        ("ci_high", "ci_high"),
    ):
        assert got[f"{own}_conditional"] == facts[f"{its}_conditional"]


def test_normal_tails_would_make_10_october_a_matter_of_millions_of_days():
    joint = event_regression(index_returns(), ["2025-10-10"], since="2024-01-02")
    assert joint.weighted.pvalues.iloc[1] < 1e-6
    assert joint.table["p_value_conditional"].item() == pytest.approx(2 / 1_001)


def test_a_dummy_of_one_session_has_leverage_one_whatever_the_weights():
    joint = event_regression(series(7), {"a": DAYS[1100]}, volatility="ewma")
    for fit in (joint.ols, joint.weighted):
        at = fit.model.exog[:, 1].argmax()
        leverage = fit.model.wexog @ np.linalg.pinv(fit.model.wexog)
        assert leverage[at, at] == pytest.approx(1)
        assert abs(np.asarray(fit.resid)[at]) < 1e-12


def test_controls_move_the_estimate_and_widen_the_draws_by_their_errors():
    returns = series(5)
    control = pd.DataFrame({"release": np.tile([1.0, 0, 0, 0, 0, 0, 0], 200)}, DAYS)
    moved = returns + 0.02 * control["release"]
    events = {"a": DAYS[700]}  # the control is one there
    plain = event_regression(moved, events, volatility="ewma").table.loc["a"]
    joint = event_regression(moved, events, controls=control, volatility="ewma")
    got = joint.table.loc["a"]
    assert plain["estimate_conditional"] - got["estimate_conditional"] > 0.015
    # Var = σ² (1 + h) with h the leverage that the session would have without its dummy.
    sigma = conditional_z(moved, model="ewma")["sigma"]
    known = sigma.index
    design = np.column_stack([np.ones(len(known)), control.loc[known]])
    there = known != DAYS[700]
    cross = design[there].T @ (design[there] / sigma.to_numpy()[there, None] ** 2)
    x = np.array([1.0, 1.0])
    expected = sigma[DAYS[700]] ** 2 + x @ np.linalg.solve(cross, x)
    assert got["std_error_conditional"] ** 2 == pytest.approx(expected, rel=1e-9)
    ratio = got["estimate_conditional"] / got["std_error_conditional"]
    assert got["statistic_conditional"] == pytest.approx(ratio, rel=1e-12)


def test_a_window_of_several_sessions_keeps_the_weights():
    joint = event_regression(series(6), {"a": DAYS[900]}, window=(0, 2), volatility="ewma")
    weighted = joint.weighted
    got = joint.table.loc["a"]
    assert got["p_value_conditional"] == pytest.approx(weighted.pvalues["a"], rel=1e-10)
    assert "weighted least squares" in str(joint.summary())


def test_the_classical_p_stands_with_its_size():
    text = str(event_regression(series(), {"a": DAYS[900]}, volatility="ewma").summary())
    rates = sizes("prediction_t")
    assert f"{100 * rates['high volatility']:.1f}% of calm, middle and turbulent" in text
    assert "ranked among past z" in text


@pytest.mark.parametrize("covariance", ["HC0", "HC1", "HC2", "HAC", "cluster"])
def test_other_robust_errors_are_not_offered(covariance):
    with pytest.raises(InferenceError, match=f"{covariance}' is not known"):
        event_regression(series(), {"a": DAYS[900]}, volatility=None, covariance=covariance)
