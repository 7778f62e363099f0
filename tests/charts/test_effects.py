"""Effects in rows and against doses: drawn where the numbers say, no words over each other."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.effects import FALL, RISE, dose_line, effects
from impact.charts.page import COOL, WARM, Mark, Words

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")


def table_of(n: int) -> pd.DataFrame:
    estimate = np.random.default_rng(n).normal(0, 0.02, n)
    bounds = {"ci_low": estimate - 0.03, "ci_high": estimate + 0.02}
    return pd.DataFrame(
        {"text": [f"Event {i} +1" for i in range(n)], "estimate": estimate} | bounds
    )


def doses_of(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    dose = rng.choice([-115, -30, -10, 2.5, 5, 10, 10, 34, 104], n)
    labels = [f"A label of some length {i}" for i in range(n)]
    return pd.DataFrame({"dose": dose, "estimate": rng.normal(0, 0.02, n), "label": labels})


def line_of(doses, slope=-0.0005, intercept=0.001):
    at = np.array(doses, float)
    lines = {"estimate": slope, "ci_low": 2 * slope, "ci_high": -slope}
    return pd.DataFrame({name: intercept + each * at for name, each in lines.items()}, at)


WITHOUT = pd.DataFrame({"slope": [-0.0004, 0.0002], "intercept": [0.0, 0.002]})


@pytest.mark.parametrize("n", [1, 4, 30])
def test_effects_have_a_row_each(n):
    table = table_of(n)
    figure = effects(WORDS, table)
    assert_words_are_clear(figure)
    np.testing.assert_array_equal(figure.axes[0].lines[-1].get_xdata(), table["estimate"])
    (bars,) = figure.axes[0].collections
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_array_equal(ends, table[["ci_low", "ci_high"]])
    words = [text.get_text() for text in texts_of(figure)]
    assert set(table["text"]) <= set(words)


@pytest.mark.parametrize("seed", range(6))
def test_labels_of_doses_stay_apart(seed):
    doses = doses_of(9, seed)
    aside = doses_of(3, seed + 100).assign(label=["left out", "left out too", "and this"])
    figure = dose_line(WORDS, doses, line_of([0, 1]), WITHOUT, aside=("left out", aside))
    assert_words_are_clear(figure)
    assert set(aside["label"]) <= {text.get_text() for text in texts_of(figure)}


def test_points_stand_at_their_doses_with_the_look_of_their_sign():
    doses = doses_of(7)
    up, down = Mark("up", WARM, "s"), Mark("down", COOL, "D")
    for marks in ((RISE, FALL), (up, down)):
        figure = dose_line(WORDS, doses, line_of([0, 1]), WITHOUT, marks=marks)
        for mark, chosen in zip(marks, (doses["dose"] > 0, doses["dose"] < 0), strict=True):
            drawn = [line for line in figure.axes[0].lines if line.get_marker() == mark.marker]
            assert [line.get_xdata()[0] for line in drawn] == doses.loc[chosen, "dose"].to_list()
            assert {line.get_color() for line in drawn} == {mark.colour}
        words = {text.get_text() for text in texts_of(figure)}
        assert {mark.word for mark in marks} <= words


@pytest.mark.parametrize("at", [[0, 1], [-50, 200], [3, 40, 41]])
def test_the_line_is_drawn_through_the_whole_picture_wherever_it_was_given(at):
    (ax,) = dose_line(WORDS, doses_of(7), line_of(at), WITHOUT).axes
    thick = max(ax.lines, key=lambda line: line.get_linewidth() * (line.get_linestyle() == "-"))
    x, y = thick.get_data()
    assert (x[0], x[-1]) == ax.get_xlim()
    np.testing.assert_allclose(y, 0.001 - 0.0005 * x, atol=1e-15)


def test_both_go_into_the_axes_that_somebody_brings():
    mine = matplotlib.figure.Figure()
    left, right = mine.subplots(1, 2)
    table = table_of(3)
    assert effects(WORDS, table, ax=left) is mine
    assert [text.get_text() for text in left.get_yticklabels()] == table["text"].to_list()
    assert dose_line(WORDS, doses_of(5), line_of([0, 1]), WITHOUT, ax=right) is mine
    assert right.lines and mine.texts == []
