"""The China announcements of 2025 among all circular shifts of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.labels import letters
from impact.charts.page import (
    GROUND,
    MARGIN,
    STONE,
    WIDTH,
    Words,
    drawing,
    number_axis,
    page,
    points,
    round_ticks,
    stroke,
)
from impact.figures.common import MAIN, MARKS, judged, source, verdict, verdicts
from impact.hypotheses.verdicts import SUPPORTED
from impact.text.formats import counted, number, p_phrase

#: Hypothesis -> the kind of its sessions, and what they are.
SETS = {
    "china-escalation-2025": ("escalation", "China escalations"),
    "china-easing-2025": ("easing", "China de-escalations and talks"),
}

#: Statistic -> what a column of pictures measures.
NULLS = {
    "mean": "mean z; null: these sessions are like any other",
    "studentised": "mean z over its standard error; null: their mean is zero",
}


@dataclass(frozen=True)
class Shifts:
    """How many shifts fell into each bar, and where each real set lies."""

    bars: pd.DataFrame
    sets: pd.DataFrame
    escalation: pd.Series
    easing: pd.Series


def data() -> Shifts:
    """Count the shifts that went as far as the real sets."""
    bars, sets = [], []
    for name, (kind, what) in SETS.items():
        tests, row = verdicts().tests[name, MAIN], verdict(name)
        for statistic, null in (("mean", "p_mean"), ("studentised", "p_value")):
            test: Any = tests[null]
            shifted, value = test.detail["draws"], test.statistic
            beyond = shifted <= value if test.alternative == "less" else shifted >= value
            counts, edges = np.histogram(shifted, bins=41)
            of = {"set": name, "statistic": statistic}
            bars.append(
                pd.DataFrame({**of, "low": edges[:-1], "high": edges[1:], "shifts": counts})
            )
            sets.append(
                {
                    **of,
                    "heading": f"{what} of 2025, {counted(row['n'], 'session')}",
                    "kind": kind,
                    "value": value,
                    "p": row[null],
                    "p_holm": row["p_holm"] if statistic == "studentised" else np.nan,
                    "shifts": len(shifted),
                    "as_far": int(beyond.sum()),
                }
            )
    both = pd.concat(bars, ignore_index=True), pd.DataFrame(sets)
    return Shifts(*both, *(verdict(name) for name in SETS))


def title(data: Shifts) -> str:
    """Say what became of both hypotheses."""
    up = data.escalation
    first = f"That the index fell on China escalations of 2025 {judged(up)}"
    if up["verdict"] == SUPPORTED:
        first = "The index fell more on China escalations of 2025 than chance would explain"
    return f"{first}; its rise on de-escalations {judged(data.easing)}"


def words(data: Shifts) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Conditional z of the S&P 500 (GJR-GARCH, refit every month) averaged over the "
        f"sessions of a set, among {data.sets['shifts'].iloc[0]:,} circular shifts of the whole "
        f"set. One-sided p; for the escalations, corrected, {p_phrase(data.escalation['p_holm'])}. "
        "Sessions with news of both directions are in neither set. All of it was chosen after the "
        "events.",
        source("placebo", "events.csv", "hypotheses.csv"),
    )


def table(data: Shifts) -> pd.DataFrame:
    """Return the bars, each with the real set beside it."""
    facts = data.sets[["set", "statistic", "value", "p", "p_holm", "as_far"]]
    return data.bars.merge(facts, on=["set", "statistic"])


def alt(data: Shifts) -> str:
    """Tell the picture."""
    told = " ".join(
        f"{row.heading}, {NULLS[row.statistic]}: {number(row.value, 2, signed=True)}, "
        f"as far on {row.as_far:,} of {row.shifts:,} shifts, {p_phrase(row.p)}."
        for row in data.sets.itertuples()
    )
    return (
        f"{title(data)}. Four histograms of shifted sets, with the real set marked; p one-sided, "
        f"sessions with news of both directions left out. {told}"
    )


# -- the picture ---------------------------------------------------------------------------------


@drawing()
def draw(data: Shifts) -> Figure:
    """Draw a row of histograms for each set, a column for each statistic."""
    wide, tall, step = 720, 300, 430
    sheet = page(words(data), step * len(SETS) + 80)
    lefts = dict(zip(NULLS, (MARGIN, WIDTH - MARGIN - wide), strict=True))
    for statistic, left in lefts.items():
        sheet.note(left, sheet.top, NULLS[statistic])
    bars = dict(list(data.bars.groupby(["set", "statistic"])))
    reach = data.bars[["low", "high"]].abs().max(axis=1).groupby(data.bars["statistic"]).max()
    for place, fact in enumerate(data.sets.itertuples()):
        left, top = lefts[fact.statistic], sheet.top + 74 + step * (place // len(NULLS))
        sheet.heading(left, top, fact.heading)
        ax = sheet.axes(left, top + 36, wide, tall)
        _histogram(ax, bars[fact.set, fact.statistic], fact, reach[fact.statistic])
    return sheet.figure


def _histogram(ax: Axes, bars: pd.DataFrame, fact: Any, reach: float) -> None:
    mark, value = MARKS[fact.kind], fact.value
    look = {"color": STONE, "edgecolor": GROUND, "linewidth": points(1.5), "zorder": 2}
    ax.bar(bars["low"], bars["shifts"], bars["high"] - bars["low"], align="edge", **look)
    top = 1.5 * bars["shifts"].max()
    ax.set(xlim=(-reach, reach), ylim=(0, top))
    number_axis(ax.xaxis, round_ticks(-reach, reach, 6), 0 if reach > 3 else 1)
    ax.set_yticks([])
    ax.plot([value, value], [0, 0.74 * top], **stroke(mark.colour, 5, 3))
    ax.plot(value, 0.74 * top, mark.marker, color=mark.colour, markersize=points(20), zorder=4)
    told = (
        f"{number(value, 2, signed=True)}\nas far on {fact.as_far:,} of {fact.shifts:,} "
        f"shifts\n{p_phrase(fact.p)}"
    )
    side, aside = ("right", -0.05) if value > 0 else ("left", 0.05)
    look = {"ha": side, "va": "center", "linespacing": 1.25, **letters(mark.colour, 5)}
    ax.text(value + aside * reach, 0.86 * top, told, **look)
