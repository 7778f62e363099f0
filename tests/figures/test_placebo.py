"""The shifted sets say what the register says, and draw what its tests hold."""

from dataclasses import replace

import pytest
from pictures import texts_of

from impact.figures import placebo
from impact.figures.common import verdict, verdicts
from impact.hypotheses.verdicts import CHANCE, SUPPORTED
from impact.text.formats import p_phrase


@pytest.fixture(scope="module")
def bars(made):
    return made("placebo").table


def test_every_shift_is_in_a_bar(bars):
    counted = bars.groupby(["set", "statistic"])["shifts"].sum()
    for (name, statistic), total in counted.items():
        null = {"mean": "p_mean", "studentised": "p_value"}[statistic]
        assert total == len(verdicts().tests[name, "included"][null].detail["draws"])


def test_the_marks_and_p_are_those_of_the_register(bars, made):
    words = " ".join(text.get_text() for text in texts_of(made("placebo").figure))
    for row in bars.drop_duplicates(["set", "statistic"]).itertuples():
        name = {"mean": "p_mean", "studentised": "p_value"}[row.statistic]
        assert row.p == verdict(row.set)[name]
        # One-sided p counts itself: (1 + as far) / (1 + shifts).
        total = bars.query("set == @row.set and statistic == @row.statistic")
        assert row.p == pytest.approx((1 + row.as_far) / (1 + total["shifts"].sum()))
        assert p_phrase(row.p) in words


def test_titles_follow_the_verdicts():
    data = placebo.data()
    up, down = data.escalation.copy(), data.easing.copy()
    data = replace(data, escalation=up, easing=down)
    up["verdict"], down["verdict"] = SUPPORTED, CHANCE
    told = placebo.title(data)
    assert "more on China escalations of 2025 than chance would explain" in told
    assert told.endswith(CHANCE)
    assert f"corrected, {p_phrase(up['p_holm'])}" in placebo.words(data).subtitle
    up["verdict"] = CHANCE
    assert placebo.title(data).count(CHANCE) == 2
    down["verdict"] = SUPPORTED
    assert placebo.title(data).endswith("is supported")
