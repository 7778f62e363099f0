"""Reaction against dose: the planted slope, the size of its test, and what is left out."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from history import index_returns

from impact.analysis.dose import dose_response, dosed_sessions, sign_flip_p
from impact.errors import InferenceError
from impact.news.catalogue import load_events
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2015-01-01", periods=1_400, name="date")


def planted(slope=-0.0003, *, noise=0.003, seed=0):
    """A study of twelve doses whose sessions move by slope times dose."""
    rng = np.random.default_rng(seed)
    returns = pd.Series(rng.normal(0, noise, len(DAYS)), DAYS)
    doses = np.array([10, 20, -10, 40, -60, 5, 80, -100, 30, 15, -25, 60.0])
    sessions = DAYS[500 + 60 * np.arange(len(doses))]
    returns[sessions] += slope * doses
    events = pd.DataFrame({"session": sessions, "china_dose_pp": doses})
    return event_study(returns, events, volatility="ewma"), doses


def test_a_planted_slope_is_recovered_and_identified():
    slopes, covered = [], []
    for seed in range(24):
        dose = dose_response(planted(seed=seed)[0], draws=9)
        slopes.append(dose.slope)
        covered.append(dose.ci_low <= -0.0003 <= dose.ci_high)
    error = np.std(slopes, ddof=1) / np.sqrt(len(slopes))
    assert abs(np.mean(slopes) + 0.0003) < 3 * error
    assert np.mean(covered) > 0.85
    strong = dose_response(planted(slope=-0.001)[0], side="less")
    assert strong.identified and strong.p_value < 0.01


def test_slope_and_error_are_weighted_least_squares_with_hc3():
    dose = dose_response(planted(seed=3)[0])
    x = sm.add_constant(dose.points["dose"].to_numpy())
    fit = sm.WLS(dose.points["estimate"].to_numpy(), x, weights=1 / dose.points["sigma"] ** 2).fit()
    robust = fit.get_robustcov_results("HC3")
    assert dose.slope == pytest.approx(fit.params[1], rel=1e-10)
    assert dose.intercept == pytest.approx(fit.params[0], rel=1e-10)
    assert dose.std_error == pytest.approx(robust.bse[1], rel=1e-10)
    assert (dose.ci_low, dose.ci_high) == pytest.approx(tuple(robust.conf_int()[1]), rel=1e-8)


def test_leave_one_out_is_the_slope_without_the_session():
    dose = dose_response(planted(seed=4)[0], draws=9)
    for event in dose.points.index[:3]:
        rest = dose.points.drop(event)
        x = sm.add_constant(rest["dose"].to_numpy())
        fit = sm.WLS(rest["estimate"].to_numpy(), x, weights=1 / rest["sigma"] ** 2).fit()
        assert dose.leave_one_out.loc[event].to_list() == pytest.approx(fit.params[::-1], rel=1e-9)
    line = dose.line([0.0, 10.0])
    assert line["estimate"].to_list() == pytest.approx(
        [dose.intercept, dose.intercept + 10 * dose.slope]
    )
    slopes = (line.loc[10.0] - line.loc[0.0]) / 10
    assert (slopes["ci_low"], slopes["ci_high"]) == pytest.approx((dose.ci_low, dose.ci_high))


def slow_sign_flip(x, y, weights, side):
    """Every pattern of signs in turn, each a regression of its own."""
    centre = np.average(y, weights=weights)
    design = sm.add_constant(x)
    values = []
    for signs in itertools.product((1.0, -1.0), repeat=len(x)):
        flipped = centre + np.array(signs) * (y - centre)
        fit = sm.WLS(flipped, design, weights=weights).fit(cov_type="HC3")
        values.append(fit.params[1] / fit.bse[1])
    values = np.array(values)
    extreme = {"two-sided": np.abs(values), "greater": values, "less": -values}[side]
    return np.mean(extreme >= extreme[0] - 1e-9)


@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
def test_sign_flips_equal_the_slow_loop(side):
    rng = np.random.default_rng(6)
    x, weights = rng.normal(0, 30, 7), rng.uniform(0.5, 2, 7)
    y = -0.0002 * x + rng.normal(0, 0.01, 7)
    assert sign_flip_p(x, y, weights, side=side) == slow_sign_flip(x, y, weights, side)


def permutation_p(x, y, draws, rng):
    """Doses shuffled over the sessions: what a simple test would do."""
    shuffled = rng.permuted(np.tile(x, (draws, 1)), axis=1)
    slopes = np.abs(np.vstack([x, shuffled]) @ (y - y.mean()))
    return (slopes >= slopes[0]).mean()


def test_p_keeps_its_size_when_noise_grows_with_the_dose_and_a_permutation_does_not():
    rng = np.random.default_rng(7)
    flips, shuffles = [], []
    x = np.array([2, 3, 4, 5, 5, 8, 10, 10, 20, 34, 50, 41, 60, 80, 100, -100, -115, -10.0])
    for _ in range(1_000):
        y = rng.normal(0, 0.002 + 0.0004 * np.abs(x))
        flips.append(sign_flip_p(x, y, np.ones(len(x)), draws=299, rng=rng) <= 0.05)
        shuffles.append(permutation_p(x, y, 299, rng) <= 0.05)
    assert 0.03 <= np.mean(flips) <= 0.065
    assert np.mean(shuffles) > 0.15


def test_the_catalogue_leaves_out_what_is_mixed_shared_or_without_a_dose():
    returns = index_returns()
    events = load_events(since="2025-02-01", until="2025-05-31")
    study = event_study(returns, events, volatility="ewma")
    points, excluded = dosed_sessions(study)
    # 3 February and 9 April hold both directions, 7 April a false headline.
    assert points["dose"].to_dict() == {
        "march-4-confirmed": 10.0,
        "liberation-day": 34.0,
        "geneva-truce": -115.0,
    }
    reasons = excluded.set_index("event")["reason"]
    assert reasons[
        "extra-50-threat-china"
        if "extra-50-threat-china" in reasons.index
        else "false-pause-headline"
    ].startswith("announcements of both")
    assert len(points) + len(excluded) == len(study.alignment)
    with pytest.raises(InferenceError, match=r"3 sessions with a dose.*at least 4"):
        dose_response(study)


def test_what_has_no_variance_or_no_dose_is_refused():
    study, _ = planted()
    with pytest.raises(InferenceError, match="no column 'mexico_dose'"):
        dose_response(study, "mexico_dose")
    plain = event_study(
        study.returns, study.alignment[["session", "china_dose_pp"]], volatility=None
    )
    with pytest.raises(InferenceError, match="volatility='gjr'"):
        dose_response(plain)


def test_the_same_seed_gives_the_same_p():
    rng = np.random.default_rng(8)
    x, y = rng.normal(0, 30, 20), rng.normal(0, 0.01, 20)
    first = sign_flip_p(x, y, np.ones(20), rng=3)
    assert first == sign_flip_p(x, y, np.ones(20), rng=3)
    assert first != sign_flip_p(x, y, np.ones(20), rng=4)


def test_it_shows_itself():
    dose = dose_response(planted(seed=9)[0])
    text = repr(dose.summary())
    assert dose.verdict in text.replace("\n", " ") and "conditional variance ewma" in text
    assert "<table" in dose._repr_html_()
    assert repr(dose) == f"DoseResponse: {dose.verdict}"
    assert ("not identified" in dose.verdict) is not dose.identified
