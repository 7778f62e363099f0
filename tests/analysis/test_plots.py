"""The pictures of further questions show the numbers of their results."""

import matplotlib.figure
import numpy as np
import pytest
from pictures import assert_words_are_clear

from impact.analysis.dose import dose_response
from impact.analysis.regression import event_regression
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.study.event_study import event_study


@pytest.fixture(scope="module")
def returns():
    return log_returns(load_prices(start="2023-01-01"))


@pytest.mark.parametrize("volatility", ["ewma", None])
def test_a_regression_draws_its_effects(returns, volatility):
    days = {"Liberation Day": "2025-04-03", "Pause": "2025-04-09"}
    joint = event_regression(returns, days, volatility=volatility)
    shown = "estimate" if volatility is None else "estimate_conditional"
    figure = joint.plot()
    assert_words_are_clear(figure)
    np.testing.assert_allclose(figure.axes[0].lines[-1].get_xdata(), joint.table[shown])
    mine = matplotlib.figure.Figure()
    assert joint.plot(ax=mine.subplots()) is mine


def test_a_dose_response_draws_its_line_and_its_points(returns):
    events = load_events(since="2025-02-25", until="2025-10-31")
    dose = dose_response(event_study(returns, events, volatility="ewma"), "china_dose_pp")
    figure = dose.plot()
    assert_words_are_clear(figure)
    lines = figure.axes[0].lines
    x = lines[0].get_xdata()
    drawn = [line.get_ydata() for line in lines if len(line.get_xdata()) == len(x)]
    wanted = [dose.line(x)["estimate"].to_numpy()]
    wanted += [row.intercept + row.slope * x for row in dose.leave_one_out.itertuples()]
    for path in wanted:
        assert any(np.allclose(path, other, atol=1e-12) for other in drawn)
    dots = {
        (line.get_xdata()[0], line.get_ydata()[0]) for line in lines if len(line.get_xdata()) == 1
    }
    assert dots == set(zip(dose.points["dose"], dose.points["estimate"], strict=True))
    mine = matplotlib.figure.Figure()
    assert dose.plot(ax=mine.subplots()) is mine
