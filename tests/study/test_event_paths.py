"""Paths around events: running sums from the eve, bands that agree with the intervals, pictures."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.page import png
from impact.errors import FigureError, InferenceError
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.kinds import MARKS
from impact.study.event_paths import event_paths
from impact.study.event_study import event_study
from impact.text.formats import out_of, percent

DAYS = {"Liberation Day": "2025-04-03", "Pause": "2025-04-09", "China called": "2025-05-02"}


@pytest.fixture(scope="module")
def returns():
    return log_returns(load_prices(start="2023-01-01"))


@pytest.fixture(scope="module")
def study(returns):
    return event_study(returns, DAYS, volatility="ewma")


@pytest.fixture(scope="module")
def panel(returns):
    two = pd.DataFrame({"a": returns, "b": returns * 0.5})
    return event_study(two, DAYS, volatility=None)


def test_a_path_is_the_running_sum_of_abnormal_returns_from_the_eve(study):
    paths = event_paths(study)
    for event, path in paths.groupby("event"):
        levels = np.concatenate([[0.0], np.cumsum(study.abnormal.loc[event].to_numpy())])
        # levels[5] is the close of the eve: five abnormal returns lie before session 0.
        expected = levels[1:] - levels[5]
        np.testing.assert_allclose(path["path"], expected, atol=1e-15)
        assert path["relative_session"].to_list() == list(range(-5, 6))


def test_the_path_leaves_the_band_exactly_where_the_interval_leaves_zero_out(study):
    paths = event_paths(study).set_index(["event", "relative_session"])
    for end in range(6):
        car = study.car(0, end)
        for method in ("textbook", "conditional"):
            zero_out = (car[f"ci_low_{method}"] > 0) | (car[f"ci_high_{method}"] < 0)
            at = paths.xs(end, level="relative_session").loc[car.index]
            outside = (at["path"] < at[f"{method}_low"]) | (at["path"] > at[f"{method}_high"])
            assert outside.to_list() == zero_out.to_list()


def test_the_textbook_band_is_symmetric_and_widens(study):
    paths = event_paths(study)
    after = paths[paths["relative_session"] >= 0]
    np.testing.assert_allclose(after["textbook_low"], -after["textbook_high"])
    assert (after.groupby("event")["textbook_high"].diff().dropna() > 0).all()


def test_paths_of_a_panel_are_refused(panel):
    with pytest.raises(InferenceError, match="one series"):
        event_paths(panel)


# -- pictures of a study -------------------------------------------------------------------------


def test_a_study_of_few_units_has_one_panel_each(study):
    figure = study.plot()
    assert len(figure.axes) == 3
    drawn = figure.axes[0].lines
    path = event_paths(study).query("event == 'Liberation Day'")["path"].to_numpy()
    assert any(np.array_equal(line.get_ydata(), path) for line in drawn)
    assert_words_are_clear(figure)


@pytest.mark.parametrize("volatility", ["ewma", None])
def test_one_unit(returns, volatility):
    one = event_study(returns, {"China called": "2025-05-02"}, volatility=volatility)
    assert_words_are_clear(one.plot())


def test_the_title_counts_the_paths_that_leave_their_range(study, returns):
    paths = event_paths(study).query("relative_session == 0").set_index("label")
    out = (paths["path"] < paths["conditional_low"]) | (paths["path"] > paths["conditional_high"])
    title = study.plot().texts[0].get_text().replace("\n", " ")
    assert f": {out_of(int(out.sum()), 3)} reactions" in title
    for label, left in out.items():
        title = study[label].plot().texts[0].get_text().replace("\n", " ")
        assert title.endswith(f"{'outside' if left else 'inside'} its 95% range")
        assert percent(paths.loc[label, "path"]) in title


def test_a_date_without_a_name_is_written_once_and_news_has_the_hue_of_its_kind(returns):
    plain = event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None).plot()
    assert "2025-04-03" not in _said(plain) and _said(plain).count("3 April 2025") == 1
    assert {line.get_marker() for ax in plain.axes for line in ax.lines} == {"None", "o"}
    known = event_study(returns, ["liberation-day", "geneva-truce"], volatility=None).plot()
    for ax, kind in zip(known.axes, ("escalation", "easing"), strict=True):
        (mark,) = [line for line in ax.lines if line.get_marker() == MARKS[kind].marker]
        assert mark.get_color() == MARKS[kind].colour


def test_a_panel_is_drawn_as_its_average_path(panel):
    figure = panel.plot()
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 11)
    np.testing.assert_allclose(line.get_ydata(), panel.caar()["estimate"])
    assert_words_are_clear(figure)


def test_an_average_of_overlapping_windows_has_no_interval(returns):
    days = returns.loc["2024"].index[10:90:6]
    study = event_study(returns, list(days), volatility=None)
    assert len(study) > 12 and "withheld" not in study.caar(0)
    overlap = study.caar()
    bounds = overlap[["std_error", "statistic", "p_value", "ci_low", "ci_high"]]
    assert bounds.loc[:0].notna().all(axis=None) and bounds.loc[1:].isna().all(axis=None)
    assert (
        overlap["withheld"].str.startswith("windows overlap").to_list() == [False] * 6 + [True] * 5
    )
    assert overlap["estimate"].notna().all() and study.aar().notna().all(axis=None)
    figure = study.plot()
    assert any("No interval: the windows of the events overlap" in words for words in _said(figure))
    assert not any(path.vertices.size for path in figure.axes[0].collections[0].get_paths())
    assert_words_are_clear(figure)


def _said(figure):
    return [text.get_text() for text in texts_of(figure)]


def test_one_event_goes_into_the_axes_that_somebody_brings(study, panel):
    mine = matplotlib.figure.Figure()
    left, right = mine.subplots(1, 2)
    assert study.plot("Pause", ax=left) is panel.plot(ax=right) is mine
    path = event_paths(study["Pause"])["path"].to_numpy()
    assert any(np.array_equal(line.get_ydata(), path) for line in left.lines)
    with pytest.raises(FigureError, match="3 panels"):
        study.plot(ax=left)


def test_drawing_leaves_other_peoples_settings_alone(study):
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "pink"}):
        mine = png(study.plot())
        assert matplotlib.rcParams["font.size"] == 31
    assert png(study.plot()) == mine
