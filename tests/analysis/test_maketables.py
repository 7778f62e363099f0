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
        given = found.__maketables_coef_table__
        for name, values in zip(
            ("b", "se", "t", "p"),
            (found.params, found.bse, found.tvalues, found.pvalues),
            strict=True,
        ):
            assert given[name].to_list() == values.to_list()
        for value in (*found.params, found.rsquared):
            assert f"{abs(value):.3f}" in text
    assert re.search(r"\b30\b.*\b30\b", text) and "size" in text


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
