"""Another package sets our regressions side by side."""

import re

import maketables
import numpy as np
import pandas as pd
import pytest

from impact.analysis.calendar_time import calendar_time_portfolio
from impact.analysis.cross_section import cross_section
from impact.analysis.regression import event_regression
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2018-01-01", periods=900, name="date")


@pytest.fixture(scope="module")
def firms():
    draws = 0.01 * np.random.default_rng(7).standard_normal((900, 30))
    return pd.DataFrame(draws, DAYS, [f"F{i:02d}" for i in range(30)])


def shown(*results):
    html = maketables.ETable(list(results)).make(type="html")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_two_cross_sections_stand_side_by_side(firms):
    events = pd.DataFrame({"session": DAYS[320 + 15 * np.arange(30)], "security": firms.columns})
    study = event_study(firms, events, volatility=None, window=(-1, 1))
    size = pd.DataFrame({"size": np.linspace(-1, 1, 30)}, firms.columns)
    one, other = cross_section(study, size), cross_section(study, size, 0, 1)
    text = shown(one, other)
    for found in (one, other):
        for value in (*found.params, found.rsquared):
            assert f"{abs(value):.3f}" in text
    assert re.search(r"\b30\b.*\b30\b", text) and "size" in text


def taken(found):
    """What the package takes of a result, under our names."""
    given = maketables.get_extractor(found).coef_table(found)
    names = {"b": "estimate", "se": "std_error", "t": "statistic", "p": "p_value"}
    return given.rename(columns=names | {"ci95l": "ci_low", "ci95u": "ci_high"})


def test_what_is_taken_is_what_our_table_has_also_with_few_degrees_of_freedom(firms):
    """The package makes normal intervals of its own where ours cannot be asked for."""
    few = event_regression(firms["F00"][:12], [DAYS[5]], volatility=None)
    size = pd.DataFrame({"size": np.linspace(-1, 1, 30)}, firms.columns)
    ranked = cross_section(event_study(firms, [DAYS[800]], volatility=None), size)
    for found, head in (
        (few, "Effects of the events, estimated jointly"),
        (ranked, "CAR (0, 0) on size"),
    ):
        ours = found.table[["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]]
        same = taken(found)
        np.testing.assert_allclose(same[ours.columns], ours, rtol=1e-12)
        np.testing.assert_allclose(same[["ci90l", "ci90u"]], found.conf_int(0.9), rtol=1e-12)
        assert head in shown(found)


def test_event_regressions_and_calendar_portfolios_have_their_n_and_share(firms):
    joint = event_regression(firms["F00"], [DAYS[400], DAYS[500]], volatility=None)
    events = pd.DataFrame({"session": DAYS[320 + 15 * np.arange(30)], "security": firms.columns})
    held = calendar_time_portfolio(firms, events, min_securities=1)
    assert joint.rsquared == joint.ols.rsquared and 0 <= held.rsquared <= 1
    for found in (joint, held):
        text = shown(found)
        assert f"{found.nobs:,}" in text or str(found.nobs) in text
        assert f"{found.rsquared:.3f}" in text
        assert f"R² {found.rsquared:.2f}" in str(found.summary())
