"""The shifted sets say what the register says, and draw what its tests hold."""

from dataclasses import replace

import pytest
from pictures import texts_of
from scipy import stats

from impact.figures import placebo
from impact.figures.common import judged, verdict, verdicts
from impact.hypotheses.verdicts import CHANCE, SUPPORTED
from impact.text.formats import p_phrase


@pytest.fixture(scope="module")
def drawn(made):
    return made("placebo").table


def test_every_shift_is_in_a_bar(drawn):
    counted = drawn[drawn["row"] == "shifts"].groupby("set")["shifts"].sum()
    for name, total in counted.items():
        assert total == len(verdicts().tests[name, "included"]["p_shift"].detail["draws"])


def test_the_clusters_are_those_whose_t_is_the_verdicts_p(drawn):
    for name, rows in drawn[drawn["row"] == "cluster"].groupby("set"):
        row = verdict(name)
        assert len(rows) == row["clusters"] and rows["sessions"].sum() == row["n"]
        assert stats.ttest_1samp(rows["value"], 0).pvalue == pytest.approx(row["p_value"])
        low, high = placebo._bounds(rows["value"].to_numpy())
        assert (low > 0 or high < 0) == (row["p_value"] < 0.05)


def test_the_p_are_those_of_the_register_and_only_one_decides(drawn, made):
    words = " ".join(text.get_text() for text in texts_of(made("placebo").figure))
    for row in drawn[drawn["row"] == "shifts"].drop_duplicates("set").itertuples():
        held = verdict(row.set)
        for name in ("p_value", "p_holm", "p_shift", "p_without_one"):
            assert getattr(row, name) == held[name]
        total = drawn.loc[(drawn["row"] == "shifts") & (drawn["set"] == row.set), "shifts"].sum()
        # Two-sided p counts itself: (1 + as far) / (1 + shifts).
        assert row.p_shift == pytest.approx((1 + row.as_far) / (1 + total))
        assert p_phrase(row.p_shift) in words
    assert judged(verdict("china-escalation-2025")) in placebo.title(placebo.data())


def test_titles_follow_the_verdicts():
    data = placebo.data()
    up, down = data.escalation.copy(), data.easing.copy()
    data = replace(data, escalation=up, easing=down)
    up["verdict"], down["verdict"] = SUPPORTED, CHANCE
    told = placebo.title(data)
    assert "more on China escalations of 2025 than chance would explain" in told
    assert told.endswith(CHANCE)
    assert f"corrected {p_phrase(up['p_holm'])}" in placebo.words(data).subtitle
    up["verdict"] = CHANCE
    assert placebo.title(data).count(CHANCE) == 2
    down["verdict"] = SUPPORTED
    assert placebo.title(data).endswith("is supported")


def test_the_p_with_the_candidates_is_said():
    wider = verdicts().table.loc[("china-escalation-2025", "all"), "p_value"]
    told = placebo.words(placebo.data()).subtitle
    assert wider > 0.05 > verdict("china-escalation-2025")["p_value"]
    assert f"with the candidates too {p_phrase(wider)}" in told
