"""The mean reaction to the China escalations of 2025: which choices decide what is found."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from impact.analysis.specification import SpecificationCurve, specification_curve
from impact.charts.curve import question_ranges
from impact.charts.page import Words
from impact.figures.common import index_returns, source, verdict
from impact.hypotheses.selection import select_group
from impact.inference.tests import LEVEL
from impact.inference.yardsticks import NAMES
from impact.news.catalogue import load_events
from impact.text.formats import counted, list_of, out_of, p_phrase, p_value, percent

#: The claim of the register on these escalations.
HYPOTHESIS = "china-escalation-2025"

#: Choice -> what the title calls it.
CALLED = {
    "subset": "days",
    "returns": "log or simple returns",
    "window": "window",
    "length": "the length of the past",
    "gap": "the gap before",
    "neighbours": "what to do with neighbours",
    "mean": "the mean",
    "variance": "yardstick",
}

#: Choice -> how its options are told.
SAID = {
    "length": "{} days of the past",
    "gap": "{} days between that past and the event",
    "neighbours": "days of other events left in that past, and left out",
    "variance": "{} variance",
}

#: The escalations.
CHINA: dict[str, Any] = {
    "counterparty": "CN",
    "direction": ["escalation", "retaliation"],
    "since": "2025-01-01",
    "until": "2025-12-31",
}


def data() -> SpecificationCurve:
    """Estimate the mean CAR under every specification."""
    returns = index_returns()
    one_way, wider = (
        pd.DataFrame({"session": select_group(returns.index, rows, CHINA).sessions})
        for rows in ("included", "all")
    )
    subsets = {
        "one direction only": one_way,
        "candidates too": wider,
        "mixed sessions too": load_events(**CHINA),
    }
    return specification_curve(returns, subsets, variances=("constant", "gjr", "ewma"))


def title(data: SpecificationCurve) -> str:
    """Say what decides, and how many questions pass."""
    deciding = [CALLED[name] for name in data.choices.index[data.choices["decides"]]]
    first = f"{list_of(deciding)} decide the answer" if deciding else "no choice changes the answer"
    passed = int((data.questions["p_high"] <= LEVEL).sum())
    return (
        f"China escalations of 2025: {first}; {out_of(passed, len(data))} questions "
        f"{'passes' if passed < 2 else 'pass'} 5% whatever else is chosen"
    )


def words(data: SpecificationCurve) -> Words:
    """Return what is written around the picture."""
    register = verdict(HYPOTHESIS)
    return Words(
        title(data),
        f"Mean cumulative abnormal return of the S&P 500 on US escalations against China or "
        f"Chinese retaliation in 2025: {data.asked}, each under every other choice. p: t of "
        f"clusters of sessions fewer than six apart; all together {_joint(data)}, among "
        f"{counted(data.shifts, 'circular shift')} of the set. The verdict is the register's: "
        f"{register['verdict']} ({p_phrase(register['p_value'])}, corrected "
        f"{p_phrase(register['p_holm'])}). Chosen after the events.",
        source("specification-curve", "events.csv", "hypotheses.csv"),
    )


def _joint(data: SpecificationCurve) -> str:
    return f"joint {p_phrase(data.joint['share significant'])}"


def draw(data: SpecificationCurve) -> Figure:
    """Draw the questions above the choices."""
    told = [_told(row.Index, row.options) for row in data.choices.itertuples()]
    names = {"subset": "events", "variance": "yardstick"}
    choices = data.choices.assign(options=told).rename(index=names)
    return question_ranges(words(data), data.questions, choices)


def _told(choice: str, options: str) -> str:
    """Say what the options of a choice are, without the names that code gives them."""
    options = SAID.get(choice, "{}").format(options).replace("-mean", "")
    return " ".join(NAMES.get(word, word) for word in options.split())


def table(data: SpecificationCurve) -> pd.DataFrame:
    """Return the answers to each question under every other choice."""
    return data.table


def alt(data: SpecificationCurve) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{row.subset} in {row.window}: {percent(row.low, 1)} to {percent(row.high, 1)}, p "
        f"{p_value(row.p_low)} to {p_value(row.p_high)}, other news in {row.neighbours} of "
        f"{row.n} windows"
        for row in data.questions.itertuples()
    )
    return (
        f"{title(data)}. {_joint(data).capitalize()}. Bars of the range of answers to each "
        f"question, beside bars of the range of their p. {told}. {' '.join(data.changed())} The "
        f"register's verdict: {verdict(HYPOTHESIS)['verdict']}."
    )
