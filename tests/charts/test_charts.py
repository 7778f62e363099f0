"""Charts: what is drawn stands where the numbers say, and no words collide."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact import charts
from impact.charts import sets as charts_sets
from impact.charts import style
from impact.errors import InferenceError
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.study.event_paths import event_paths
from impact.study.event_study import event_study

WORDS = style.Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")
DAYS = {"Liberation Day": "2025-04-03", "Pause": "2025-04-09", "China called": "2025-05-02"}


@pytest.fixture(scope="module")
def returns():
    return log_returns(load_prices(start="2023-01-01"))


@pytest.fixture(scope="module")
def study(returns):
    return event_study(returns, DAYS, volatility="ewma")


# -- paths ---------------------------------------------------------------------------------------


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


def test_paths_of_a_panel_are_refused(returns):
    two = pd.DataFrame({"a": returns, "b": returns * 0.5})
    panel = event_study(two, DAYS, volatility=None)
    with pytest.raises(InferenceError, match="one series"):
        event_paths(panel)


# -- pictures of a study -------------------------------------------------------------------------


def test_a_study_of_few_units_has_one_panel_each(study):
    figure = charts.study_paths(study)
    assert len(figure.axes) == 3
    drawn = figure.axes[0].lines
    path = event_paths(study).query("event == 'Liberation Day'")["path"].to_numpy()
    assert any(np.array_equal(line.get_ydata(), path) for line in drawn)
    assert_words_are_clear(figure)


@pytest.mark.parametrize("volatility", ["ewma", None])
def test_one_unit(returns, volatility):
    one = event_study(returns, {"China called": "2025-05-02"}, volatility=volatility)
    assert_words_are_clear(charts.study_paths(one))


def test_a_panel_is_drawn_as_its_average_path(returns):
    two = pd.DataFrame({"a": returns, "b": returns * 0.5})
    panel = event_study(two, DAYS, volatility=None)
    figure = charts.study_paths(panel)
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 11)
    np.testing.assert_allclose(line.get_ydata(), panel.caar()["estimate"])
    assert_words_are_clear(figure)


def test_a_notebook_gets_a_png(study):
    assert charts.study_paths(study)._repr_png_().startswith(b"\x89PNG")


# -- the other charts ----------------------------------------------------------------------------


def _forest_rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    estimate = rng.normal(0, 0.02, n)
    return pd.DataFrame(
        {
            "session": pd.bdate_range("2025-01-27", periods=n, freq="6B"),
            "text": ["A label of twenty-eight chars"[:28]] * n,
            "beside": ["payrolls, both ways"] * n,
            "kind": [list(style.MARKS)[i % 4] for i in range(n)],
            "confounded": rng.random(n) > 0.5,
            "outside": rng.random(n) > 0.5,
            "estimate": estimate,
            "ci_low_textbook": estimate - 0.02,
            "ci_high_textbook": estimate + 0.02,
            "ci_low_conditional": estimate - 0.03,
            "ci_high_conditional": estimate + 0.01,
        }
    )


@pytest.mark.parametrize("n", [1, 8, 60])
def test_forest_draws_one_marker_a_row_at_its_estimate(n):
    rows = _forest_rows(n)
    figure = charts_sets.forest(WORDS, rows)
    markers = {style.MARKS[kind].marker for kind in style.MARKS}
    drawn = [line for line in figure.axes[0].lines if line.get_marker() in markers]
    assert [line.get_xdata()[0] for line in drawn] == rows["estimate"].to_list()
    hollow = [line.get_markerfacecolor() == style.GROUND for line in drawn]
    assert hollow == rows["confounded"].to_list()
    assert_words_are_clear(figure)


@pytest.mark.parametrize("values", [(0.9, 2.5, -5.1), (0.1, 0.2, 0.15), (-3.9, -4.0, 3.9)])
def test_distribution_counts_every_value_and_keeps_its_texts_apart(values):
    z = pd.Series(np.random.default_rng(1).standard_t(5, 4000).clip(-6, 6))
    marks = pd.DataFrame(
        {
            "value": values,
            "kind": ["easing", "both", "escalation"],
            "text": [f"{value}: a label\nof two lines" for value in values],
        }
    )
    figure = charts_sets.marked_distribution(WORDS, z, marks, (2.9, "a range"), "z")
    assert sum(bar.get_height() for bar in figure.axes[0].containers[0]) == len(z)
    assert_words_are_clear(figure)


def test_index_and_rate_labels_stay_clear_when_events_crowd():
    days = pd.bdate_range("2024-12-02", "2026-08-31")
    rng = np.random.default_rng(3)
    closes = pd.Series(6000 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days)))), days)
    events = pd.DataFrame(
        {
            "session": days[[80, 81, 82, 83, 84, 85, -2]],
            "text": [f"{i} A label of medium length  +1.0%" for i in range(7)],
            "kind": ["escalation", "easing"] * 3 + ["neither"],
        }
    )
    rate = pd.Series([0.0, 0.5, 0.2], pd.DatetimeIndex(["2025-01-20", "2025-04-05", "2026-02-01"]))
    figure = charts.index_and_rate(WORDS, closes, events, rate, ("the index", "the rate"))
    assert_words_are_clear(figure)
    assert set(events["text"]) <= {text.get_text() for text in texts_of(figure)}


def test_long_words_are_wrapped_into_the_page():
    words = style.Words("A very long title " * 12, "and a long subtitle " * 20, "source " * 60)
    assert_words_are_clear(style.page(words, 200).figure)


# -- style ---------------------------------------------------------------------------------------


def test_kinds_differ_by_marker_and_the_hues_stay_apart_without_colour_vision():
    shown = [style.MARKS[kind] for kind in ("escalation", "easing", "both", "neither", "plain")]
    assert len({mark.marker for mark in shown}) == len(shown)
    # Machado, Oliveira and Fernandes (2009), severity 1: protanopia, deuteranopia, tritanopia.
    simulated = {
        "protan": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deutan": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "tritan": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }
    warm, cool = (_rgb(style.MARKS[kind].colour) for kind in ("escalation", "easing"))
    for name, matrix in simulated.items():
        apart = np.linalg.norm(np.array(matrix) @ (warm - cool))
        assert apart > 0.3, name


def test_letters_have_contrast_on_white():
    colours = [style.INK, style.MUTED, *(mark.colour for mark in style.MARKS.values())]
    for colour in colours:
        linear = _rgb(colour)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        # WCAG 2 asks for 4.5, for letters of any size.
        assert 1.05 / (luminance + 0.05) >= 4.5, colour


def _rgb(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_drawing_leaves_other_peoples_settings_alone(study):
    import matplotlib

    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "pink"}):
        mine = style.png(charts.study_paths(study))
        assert matplotlib.rcParams["font.size"] == 31
    assert style.png(charts.study_paths(study)) == mine
