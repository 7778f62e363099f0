"""The register, its pictures and the notebooks say the same of a claim."""

import html
import re

import numpy as np
import pytest
from run_notebooks import NOTEBOOKS, executed

from impact.figures import placebo, specification_curve, then_and_now
from impact.figures.common import judged, verdict
from impact.hypotheses.verdicts import evaluate_register
from impact.text.formats import p_phrase, p_value

NAMES = ("china-escalation-2025", "china-easing-2025", "china-escalation-2018-2019")


def said(notebook: str) -> str:
    """Return all that a reader of a notebook sees, without its pictures."""
    cells = executed(NOTEBOOKS / f"{notebook}.ipynb").cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}) for output in outputs]
    texts = [data.get("text/html") or data.get("text/plain", "") for data in shown]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", " ".join(texts))).split())


def row_of(text: str, words: str) -> str:
    """Return what stands behind some words, about a line of a table."""
    begin = text.index(words) + len(words)
    return text[begin : begin + 120]


@pytest.fixture(scope="module")
def table():
    return evaluate_register().table.xs("included", level="rows")


def test_pictures_take_the_verdict_from_the_register(table):
    for name in NAMES:
        held, own = verdict(name), table.loc[name]
        for column in ("p_value", "p_holm", "verdict", "n", "clusters", "power"):
            assert held[column] == own[column], (name, column)
    up = table.loc["china-escalation-2025"]
    shown = placebo.data()
    facts = shown.sets.set_index("set")
    for name in NAMES[:2]:
        assert facts.loc[name, "p_value"] == table.loc[name, "p_value"]
        assert facts.loc[name, "p_holm"] == table.loc[name, "p_holm"]
    told = (
        placebo.title(shown) + placebo.words(shown).subtitle,
        specification_curve.words(specification_curve.data()).subtitle,
        then_and_now.title(then_and_now.data()),
    )
    for text in told:
        assert judged(up).removeprefix("is ").removeprefix("found ") in text
    for text in told[:2]:
        assert p_phrase(up["p_value"]) in text and p_phrase(up["p_holm"]) in text


def test_notebooks_print_the_verdict_of_the_register(table):
    chance = said("05-could-it-be-chance")
    # The list of claims comes first, the verdicts on them after it.
    chance = chance[chance.index("The register of hypotheses, included announcements") :]
    for name in table.index:
        row = table.loc[name]
        shown = row_of(chance, row["claim"])
        assert row["verdict"] in shown, name
        for column in ("p_value", "p_holm"):
            there = "–" if np.isnan(row[column]) else p_value(row[column])
            assert there in shown, (name, column)
    then = said("07-then-and-now")
    for name in ("china-then-and-now-differ", *NAMES[::2]):
        shown = row_of(then[then.index("Then and now") :], f"{name} included")
        assert table.loc[name, "verdict"] in shown and p_value(table.loc[name, "p_holm"]) in shown
    assert not re.search(r"(?<!two )one-sided|undone_by\b", chance + then)
