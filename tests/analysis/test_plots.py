"""The pictures of further questions show the numbers of their results."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

from impact.analysis.dose import dose_response
from impact.analysis.intraday import intraday_study
from impact.analysis.regression import event_regression
from impact.errors import EventError, InferenceError
from impact.market.bars import load_bars
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.news.kinds import MARKS, kind_of
from impact.study.event_study import event_study
from impact.text.formats import out_of, percent


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


def test_a_regression_names_its_events_as_people_do_and_counts_them_in_its_title():
    returns = log_returns(load_prices(start="2018-01-01"))
    joint = event_regression(returns, load_events(tags="core", until="2025-06-01"))
    words = [text.get_text().replace("\n", " ") for text in joint.plot().texts]
    assert "Liberation Day" in words and 'MOFCOM "evaluating" talks +1' in words
    assert not set(joint.table.index) & set(words)
    low, high = (joint.table[f"ci_{side}_conditional"] for side in ("low", "high"))
    away = sum(a > 0 or b < 0 for a, b in zip(low, high, strict=True))
    assert words[0].startswith(f"{out_of(away, len(joint.table)).capitalize()} effects")


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


@pytest.mark.parametrize("event", ["ninety-day-pause", "liberation-day", "japan-deal"])
def test_an_announcement_draws_the_minutes_around_it(event):
    study = intraday_study(load_bars(), load_events(since="2025-04-01", until="2025-07-31"))
    figure, row, path = study.plot(event), study.table.loc[event], study.path(event)
    assert_words_are_clear(figure)
    (ax,) = figure.axes
    assert any(np.array_equal(line.get_ydata(), path["move"]) for line in ax.lines)
    look = MARKS[kind_of(load_events().loc[event, "direction"])]
    (line,) = [line for line in ax.lines if line.get_marker() == look.marker]
    dot = line.get_xydata()[0]
    assert line.get_color() == look.colour
    assert dot[0] == (row["to"] - row["from"]) / pd.Timedelta(minutes=1)
    assert dot[1] == pytest.approx(row["move"])
    assert f"{row['from']:%H:%M} to {row['to']:%H:%M}" in figure.texts[0].get_text()
    assert percent(row["move"]) in figure.texts[0].get_text()
    mine = matplotlib.figure.Figure()
    assert study.plot(event, ax=mine.subplots()) is mine


def test_what_has_no_path_has_no_picture():
    study = intraday_study(load_bars(), load_events(since="2025-05-01", until="2025-05-31"))
    with pytest.raises(InferenceError, match="trading was closed when 'geneva-truce' came out"):
        study.plot("geneva-truce")
    with pytest.raises(EventError, match="nearest are 'uk-deal'"):
        study.plot("uk-deel")
