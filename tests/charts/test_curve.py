"""Questions with the range of their answers: every bar stands where it belongs."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.curve import P_LOW, question_ranges
from impact.charts.page import INK, MUTED, STONE, Words

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")


def asked(windows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(windows)
    names = [(f"set {i}", f"(0, {k})") for i in range(2) for k in range(windows)]
    estimate = rng.normal(-0.01, 0.02, len(names))
    reach = rng.uniform(0.001, 0.005, len(names))
    p_low = np.resize([0.0001, 0.02, 0.3], len(names))
    questions = pd.DataFrame(names, columns=["subset", "window"]).assign(
        n=12,
        neighbours=np.arange(len(names)),
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        p_low=p_low,
        p_high=np.resize([0.01, 0.3, 0.4], len(names)),
    )
    choices = pd.DataFrame(
        {
            "options": ["one and two", "120 and 250"],
            "moves": [0.012, 0.0001],
            "turns": [0.4, 0.0],
            "decides": [True, False],
        },
        index=["subset", "length"],
    )
    return questions, choices


def bars(ax) -> list:
    return [
        line for line in ax.lines if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2
    ]


@pytest.mark.parametrize("windows", [1, 3])
def test_bars_are_those_of_the_table_by_window(windows):
    questions, choices = asked(windows)
    figure = question_ranges(WORDS, questions, choices)
    assert_words_are_clear(figure)
    estimates, p_values = figure.axes
    ordered = questions.sort_values("window", kind="stable")
    drawn = [line for line in bars(estimates) if line.get_color() in (INK, MUTED, STONE)]
    rows = [line.get_ydata()[0] for line in drawn]
    assert rows == [3 * window + row for window in range(windows) for row in range(2)]
    for line, one in zip(drawn, ordered.itertuples(), strict=True):
        assert line.get_xdata() == pytest.approx([one.low, one.high])
        colour = INK if one.p_high <= 0.05 else MUTED if one.p_low <= 0.05 else STONE
        assert line.get_color() == colour
    for line, one in zip(bars(p_values), ordered.itertuples(), strict=True):
        assert line.get_xdata() == pytest.approx([max(one.p_low, P_LOW), one.p_high])


def test_choices_that_decide_stand_apart_from_those_that_do_not():
    questions, choices = asked(2)
    words = [text.get_text() for text in texts_of(question_ranges(WORDS, questions, choices))]
    assert words.index("These choices decide") < words.index("subset")
    assert words.index("subset") < words.index("These change next to nothing")
    assert words.index("These change next to nothing") < words.index("length")
    assert "1.20 points" in words and "40%" in words and "3 of 12" in words and "none" in words
    only = question_ranges(WORDS, questions, choices[~choices["decides"]])
    assert_words_are_clear(only)
    assert "These choices decide" not in {text.get_text() for text in texts_of(only)}
    assert_words_are_clear(question_ranges(WORDS, questions, choices.iloc[:0]))
