"""The mean reaction to the China escalations of 2025, judged in every reasonable way."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from impact.analysis import specification
from impact.analysis.specification import LEVEL, SpecificationCurve
from impact.charts.curve import estimate_curve
from impact.charts.page import Words
from impact.figures.common import index_returns, source
from impact.hypotheses.selection import select_group
from impact.news.catalogue import load_events
from impact.text.formats import counted, list_of, p_phrase, percent

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
    return specification.specification_curve(
        returns, subsets, variances=("constant", "gjr", "ewma")
    )


def title(data: SpecificationCurve) -> str:
    """Say how many specifications agree, and what all of them together are worth."""
    side = "below" if data.shares["below zero"] >= data.shares["above zero"] else "above"
    word = "negative" if side == "below" else "positive"
    share = percent(data.shares[f"{side} zero"], 0, signed=False)
    found = percent(data.shares[f"{side} zero, p <= 5%"], 0, signed=False)
    p = data.joint["share significant"]
    verdict = "more than chance gives" if p <= LEVEL else "not enough to rule out chance"
    return (
        f"The reaction to the China escalations of 2025 is {word} in {share} of "
        f"{counted(len(data), 'specification')} and passes 5% in {found}: {verdict} "
        f"(joint {p_phrase(p)})"
    )


def words(data: SpecificationCurve) -> Words:
    """Return what is written around the picture."""
    sizes = data.table["n"]
    return Words(
        title(data),
        f"Mean cumulative abnormal return of the S&P 500 over {sizes.min()} to {sizes.max()} "
        "sessions with US escalations against China or Chinese retaliation in 2025, under "
        f"{counted(len(data), 'specification')} from left to right by rising estimate. p: "
        f"studentised mean among {counted(data.shifts, 'circular shift')} of the set."
        f"{_never(data)} Chosen after the events.",
        source("specification-curve", "events.csv"),
    )


def _never(curve: SpecificationCurve) -> str:
    """Name the options with which no specification passes 5%."""
    never = [
        f"{choice} “{option}”"
        for choice in curve.options["choice"].unique()
        for option, p in curve.table.groupby(choice)["p_value"].min().items()
        if p > LEVEL
    ]
    return f" None passes with {list_of(never, 'or')}." if never else ""


def draw(data: SpecificationCurve) -> Figure:
    """Draw the estimates above the choices."""
    return estimate_curve(words(data), data.table, data.options, "among the shifted sets")


def table(data: SpecificationCurve) -> pd.DataFrame:
    """Return the specifications."""
    return data.table


def alt(data: SpecificationCurve) -> str:
    """Tell the picture."""
    low, high = data.table["estimate"].iloc[[0, -1]]
    told = "; ".join(
        f"{choice}: "
        + ", ".join(f"{row.option} {percent(row.estimate, 1)}" for row in group.itertuples())
        for choice, group in data.options.groupby("choice", sort=False)
    )
    by_median = p_phrase(data.joint["median statistic"])
    return (
        f"{title(data)}. Dots of mean cumulative abnormal returns rising from {percent(low, 1)} "
        f"to {percent(high, 1)}, above one row of ticks for each option of each choice. Median "
        f"estimate by option: {told}. By the median statistic the joint {by_median}."
    )
