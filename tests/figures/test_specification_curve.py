"""The picture of all choices counts its table, and says the register's verdict."""

from dataclasses import replace

import pytest
from pictures import texts_of

from impact.figures import specification_curve
from impact.figures.common import verdict
from impact.text.formats import out_of, p_phrase


@pytest.fixture(scope="module")
def curve():
    return specification_curve.data()


def test_the_title_counts_questions_and_names_what_decides(curve, made):
    told = specification_curve.title(curve)
    passed = sum(
        (part["p_value"] <= 0.05).all() for _, part in curve.table.groupby(["subset", "window"])
    )
    assert len(curve) == 9 and out_of(passed, 9) in told
    assert "2025: days, window and yardstick decide" in told and "gap" not in told
    words = " ".join(text.get_text() for text in texts_of(made("specification-curve").figure))
    everything = words + made("specification-curve").alt
    assert "1,296" not in everything and "specifications" not in everything
    title = max(texts_of(made("specification-curve").figure), key=lambda text: text.get_fontsize())
    assert title.get_text().count("\n") <= 1


def test_a_curve_on_which_nothing_decides_and_one_passes_says_so(curve):
    questions = curve.questions.copy()
    questions["p_high"] = [0.04, *[0.5] * 8]
    calm = replace(curve, questions=questions, choices=curve.choices.assign(decides=False))
    assert (
        "no choice changes the answer; one of nine questions passes 5%"
        in specification_curve.title(calm)
    )


def test_it_says_the_verdict_of_the_register(curve):
    row = verdict(specification_curve.HYPOTHESIS)
    subtitle = specification_curve.words(curve).subtitle
    for said in (row["verdict"], p_phrase(row["p_value"]), p_phrase(row["p_holm"])):
        assert said in subtitle
    assert row["verdict"] in specification_curve.alt(curve)


def test_a_window_of_several_days_says_how_often_it_holds_other_news(curve, made):
    held = curve.questions.set_index(["subset", "window"])["neighbours"]
    assert (held.xs("(0, 0)", level="window") == 0).all()
    # Read off the catalogue: of the ten sessions only 27 February and 9 October have a quiet day
    # after them.
    assert held["one direction only", "(0, 1)"] == 8
    words = {text.get_text() for text in texts_of(made("specification-curve").figure)}
    assert {"with other news", "8 of 10"} <= words
