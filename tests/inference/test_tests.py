"""What every test has in common: its p-values, how it shows itself, and what it refuses."""

import csv
import inspect
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from panels import panel, reference_study
from scipy import stats

from impact import inference
from impact.errors import InferenceError
from impact.inference.event_sets import shift_test
from impact.inference.tests import normal_p, student_p
from impact.inference.validity import TESTS
from impact.study.event_study import event_study


@pytest.mark.parametrize("value", [-2.3, 0.0, 0.7, 9.0])
def test_p_values_are_those_of_scipy(value):
    for found, law in ((normal_p(value, 5), stats.norm), (student_p(value, 7.5, 5), stats.t(7.5))):
        assert found["p_value"] == pytest.approx(2 * law.sf(abs(value)), rel=1e-10)
        assert found["p_greater"] == pytest.approx(law.sf(value), rel=1e-10)
        assert found["p_less"] == pytest.approx(law.cdf(value), rel=1e-10)
    assert student_p(value, 7.5, 5)["distribution"] == "Student t with 7.5 degrees of freedom"


@pytest.fixture
def found():
    return inference.bmp(reference_study("B", "market_model"), 0, 1)


def test_a_test_shows_itself_like_every_result(found):
    shown = (str(found), str(found.summary()), found._repr_html_(), found.to_latex())
    for text in shown:
        assert "bmp" in text and "Boehmer, Musumeci and Poulsen (1991)" in text
        assert "the mean cumulative abnormal return of sessions 0 to 1 is zero" in text
        assert f"{abs(found.statistic):.2f}" in text and "two-sided" in text
    (row,) = csv.DictReader(io.StringIO(found.to_csv()))
    assert float(row["statistic"]) == pytest.approx(found.statistic, rel=1e-9)
    assert float(row["p_less"]) == pytest.approx(found.p_less, rel=1e-9)
    assert row["null"] == found.null and row["signature"] == found.signature
    assert found.to_frame()["p_value"].to_list() == [found.p_value]


def test_numbers_of_the_detail_are_in_the_table_and_arrays_are_not():
    z = pd.Series(np.sin(np.arange(300.0)), pd.bdate_range("2020-01-01", periods=300))
    test = shift_test(z, z.index[::30])
    assert "draws" not in test.to_frame() and len(test.detail["draws"]) == 299
    assert "p (less)" in str(replace(test, alternative="less"))
    assert "p (two-sided)" in str(test) and "p_greater" not in test.to_frame()
    known = replace(test, detail={"sigma": 0.0123})
    assert known.to_frame()["sigma"].item() == 0.0123 and "1.23%" in str(known)


def test_a_test_says_what_the_study_left_out(found):
    assert found.dropped.empty and "Left out" not in str(found)
    firms, _, pairs = panel("B")
    securities, rows = zip(*pairs, strict=True)
    sessions = firms.index[[*rows[:-1], 3]]
    events = pd.DataFrame({"session": sessions, "security": securities})
    study = event_study(firms, events, estimation=(-210, -11), volatility=None, kind="simple")
    fewer = inference.sign(study)
    assert len(fewer.dropped) == 1 and "Left out: 1" in str(fewer)
    assert fewer.signature == study.signed(0)


def test_every_test_takes_a_study_a_window_and_options_by_keyword():
    for name, test in TESTS.items():
        parameters = list(inspect.signature(test).parameters.values())
        assert [each.name for each in parameters[:3]] == ["study", "start", "end"], name
        assert all(each.kind is each.KEYWORD_ONLY for each in parameters[3:]), name
        assert inspect.signature(test).return_annotation == "HypothesisTest", name
        assert "References" in test.__doc__, name


def test_options_that_are_not_known_list_those_that_are():
    study = reference_study("B", "market_model")
    with pytest.raises(InferenceError, match="distribution='z' is not known: say 't' or 'normal'"):
        inference.hall(study, distribution="z")
    with pytest.raises(TypeError, match="scale"):
        inference.bmp(study, 0, scale=2)


def test_an_option_of_yes_or_no_takes_nothing_else():
    study = reference_study("B", "market_model")
    for test, option in (
        (inference.sign, "exact"),
        (inference.kp_bmp, "truncate"),
        (inference.generalised_sign, "pooled"),
        (inference.grank_t, "correlation_adjusted"),
        (inference.mean_correlation, "truncate"),
        (lambda study, **given: study.car(0, **given), "conditional"),
        (lambda study, **given: study.tests(0, **given), "induced_variance"),
    ):
        with pytest.raises(InferenceError, match=f"{option}='no' is not known: say True or False"):
            test(study, **{option: "no"})


@pytest.mark.parametrize("name", [name for name in inference.__all__ if name.islower()])
@pytest.mark.parametrize("wrong", [None, pd.DataFrame({"X": [0.01]}), "study"])
def test_what_is_no_study_is_refused_by_every_test(name, wrong):
    with pytest.raises(InferenceError, match=r"study= is a .*: give what event_study"):
        getattr(inference, name)(wrong)


@pytest.mark.parametrize("name", ["prediction_t", "conditional_fhs", "conformal", "implied_t"])
def test_a_test_of_one_event_refuses_a_panel_by_its_name(name):
    with pytest.raises(InferenceError, match=f"{name} tests one event on one series; .* 40 series"):
        getattr(inference, name)(reference_study("B", "market_model"))


def test_a_return_that_is_missing_in_the_window_is_named():
    days = pd.bdate_range("2020-01-01", periods=400)
    values = 0.01 * np.random.default_rng(0).standard_normal((400, 1))
    returns = pd.DataFrame(values, days, ["S"])
    returns.iloc[351] = np.nan
    study = event_study(returns, [returns.index[350]], volatility=None)
    assert inference.prediction_t(study, 0).n == 250
    with pytest.raises(InferenceError, match=r"prediction_t: a return of sessions \(0, 1\)"):
        inference.prediction_t(study, 0, 1)
