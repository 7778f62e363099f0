"""The journal table of a study: intervals of any confidence, several windows, stars."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from impact.errors import InferenceError, WindowError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.conditional import conditional_tests
from impact.inference.equal_tails import equal_tails, inverted
from impact.study.event_study import event_study

WINDOWS = [(0, 0), (0, 1), (-1, 5)]


@pytest.fixture(scope="module")
def returns():
    days = pd.bdate_range("2015-01-01", periods=1_500)
    return pd.Series(0.01 * np.random.default_rng(3).standard_t(5, 1_500), days, name="X")


@pytest.fixture(scope="module")
def study(returns) -> AbnormalReturns:
    return event_study(returns, {"a": returns.index[1_200], "b": returns.index[1_400]})


def test_intervals_of_another_confidence_are_those_of_both_tests(study, returns):
    car, usual = study.car(0, level=0.9), study.car(0)
    reach = stats.t.ppf(0.95, car["dof"]) * car["std_error"]
    np.testing.assert_allclose(car["ci_high_textbook"] - car["estimate"], reach)
    for row, day in zip(car.itertuples(), (1_200, 1_400), strict=True):
        found = conditional_tests(returns, first=day, last=day, level=0.9)[0]["detail"]
        assert row.ci_low_conditional == found["ci_low"] > usual.loc[row.Index].ci_low_conditional
        assert row.ci_high_conditional == found["ci_high"]
    assert (car["smallest_detectable"] == usual["smallest_detectable"]).all()


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_an_interval_holds_what_its_test_does_not_reject(level):
    draws = np.random.default_rng(5).standard_normal(999)
    low, high = inverted(draws, 0.7, level)
    for effect in np.linspace(-3, 4, 701):
        kept = equal_tails(draws, 0.7 - effect) > 1 - level + 1e-12
        assert kept == (low <= effect <= high) or min(abs(effect - low), abs(effect - high)) < 1e-9


def test_the_summary_shows_the_interval_that_is_asked_for(study):
    shown = study.summary(level=0.9)
    assert [column.group for column in shown.columns[-2:]] == ["90% interval"] * 2
    assert shown.frame["ci_low_conditional"].to_list() == (
        study.car(0, level=0.9)["ci_low_conditional"].to_list()
    )


def test_several_windows_stand_beside_each_other(study):
    shown = study.summary(windows=WINDOWS, stars=True)
    for window in WINDOWS:
        car = study.car(*window)
        name = f"({window[0]}, {window[1]})"
        assert shown.frame[f"estimate {name}"].to_list() == car["estimate"].to_list()
        assert shown.frame[f"p {name}"].to_list() == car["p_conditional"].to_list()
    assert {column.group for column in shown.columns[2:]} == {"(0, 0)", "(0, 1)", "(-1, 5)"}


def test_a_row_without_a_return_in_one_window_stays_in_the_others(returns):
    table = returns.to_frame("A").assign(B=returns.to_numpy()[::-1])
    table.iloc[1_201, 1] = np.nan
    study = event_study(table, [table.index[1_200]], volatility=None)
    shown = study.summary(windows=[(0, 0), (1, 1)])
    assert shown.frame["security"].to_list() == ["A", "B"]
    assert shown.frame["estimate (1, 1)"].isna().to_list() == [False, True]
    assert "No return in the window: B" in str(shown)


@pytest.mark.parametrize("windows", [[], [(0, 0), (0, 0)], [(1, 0)], [(0, 9)], [3], [(0, "x")]])
def test_windows_that_cannot_be_shown_are_refused(study, windows):
    with pytest.raises(WindowError):
        study.summary(windows=windows)


@pytest.mark.parametrize("level", [0, 1, 90, "0.9", True, np.nan])
def test_what_is_no_confidence_is_refused(study, level):
    with pytest.raises(InferenceError, match="is not a confidence level: give a share such as"):
        study.summary(level=level)
    with pytest.raises(InferenceError, match="is not a confidence"):
        study.car(0, level=level)


def test_a_level_of_several_windows_is_refused(study):
    with pytest.raises(InferenceError, match="level= is for one window"):
        study.summary(windows=WINDOWS, level=0.9)
