"""The China announcements of 2025 in clusters, and among all circular shifts of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.labels import letters
from impact.charts.page import (
    GROUND,
    INK,
    MUTED,
    STONE,
    Mark,
    Words,
    number_axis,
    page,
    points,
    round_ticks,
    rules,
    stroke,
    symbol,
)
from impact.figures.common import MAIN, index_returns, judged, short_day, source, verdict, verdicts
from impact.hypotheses.verdicts import SUPPORTED
from impact.inference.cluster_test import cluster_means
from impact.inference.clusters import clusters
from impact.inference.tests import LEVEL
from impact.news.kinds import MARKS
from impact.text.formats import counted, number, p_phrase, percent
from impact.volatility.forecast import conditional_z

#: Hypothesis -> the kind of its sessions, and what they are.
SETS = {
    "china-escalation-2025": ("escalation", "China escalations"),
    "china-easing-2025": ("easing", "China de-escalations and talks"),
}


@dataclass(frozen=True)
class Sets:
    """Clusters, how many shifts fell into each bar, and what the register says of each set.

    `wider` is what it says of the escalations with the candidates of the catalogue.
    """

    groups: pd.DataFrame
    bars: pd.DataFrame
    sets: pd.DataFrame
    escalation: pd.Series
    easing: pd.Series
    wider: pd.Series


def data() -> Sets:
    """Take clusters and shifts of both sets from the tests of the register."""
    z = conditional_z(index_returns())["z"]
    groups, bars, sets = [], [], []
    for name, (kind, what) in SETS.items():
        row, (group,) = verdict(name), verdicts().groups[name, MAIN]
        groups.append(_clusters(z, group.sessions).assign(set=name))
        test: Any = verdicts().tests[name, MAIN]["p_shift"]
        shifted = test.detail["draws"]
        counts, edges = np.histogram(shifted, bins=41)
        held = {"low": edges[:-1], "high": edges[1:], "shifts": counts, "set": name}
        bars.append(pd.DataFrame(held))
        facts = row[
            ["n", "clusters", "p_value", "p_holm", "p_shift", "p_without_one", "power_holm"]
        ]
        sets.append(
            {
                "set": name,
                "heading": f"{what} of 2025: {counted(row['n'], 'day')} in "
                f"{counted(row['clusters'], 'cluster')}",
                "kind": kind,
                **facts,
                "shift_statistic": test.statistic,
                "as_far": int((np.abs(shifted) >= abs(test.statistic)).sum()),
            }
        )
    frames = (pd.concat(groups, ignore_index=True), pd.concat(bars, ignore_index=True))
    wider = verdict(next(iter(SETS)), "all")
    escalation, easing = map(verdict, SETS)
    return Sets(*frames, pd.DataFrame(sets), escalation, easing, wider)


def _clusters(z: pd.Series, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """A row a cluster: its first and last session, their number, and the sum over its root."""
    positions = z.index.get_indexer(sessions)
    means, sizes = cluster_means(z.to_numpy(), positions)
    spans = pd.Series(sessions).groupby(clusters(positions)).agg(["first", "last"])
    return spans.assign(sessions=sizes, value=means * np.sqrt(sizes))


def title(data: Sets) -> str:
    """Say what became of both hypotheses."""
    up = data.escalation
    first = f"The fall on China escalations of 2025 {judged(up)}"
    if up["verdict"] == SUPPORTED:
        first = "The index fell more on China escalations of 2025 than chance would explain"
    return f"{first}; the rise on de-escalations {judged(data.easing)}"


def words(data: Sets) -> Words:
    """Return what is written around the picture."""
    up = data.escalation
    return Words(
        title(data),
        "Conditional z of the S&P 500 (GJR-GARCH, refit every month). Sessions fewer than six "
        "apart are one cluster: its z summed, over the root of their number. Escalations: "
        f"{p_phrase(up['p_value'])}, corrected {p_phrase(up['p_holm'])}; with the candidates too "
        f"{p_phrase(data.wider['p_value'])}; without one session up to "
        f"{number(up['p_without_one'], 2)}. A mean of one σ would be found "
        f"{percent(up['power'], 0, signed=False)} of the time, after correction "
        f"{percent(up['power_holm'], 0, signed=False)}. "
        "Sessions with news of both directions are in neither set. Chosen after the events.",
        source("placebo", "events.csv", "hypotheses.csv"),
    )


def table(data: Sets) -> pd.DataFrame:
    """Return the clusters and the bars, each with its set beside it."""
    facts = data.sets.drop(columns=["heading", "kind"])
    rows = pd.concat([data.groups, data.bars], keys=["cluster", "shifts"], names=["row", None])
    return rows.reset_index("row").merge(facts, on="set")


def alt(data: Sets) -> str:
    """Tell the picture."""
    told = []
    for fact in data.sets.itertuples():
        groups = data.groups[data.groups["set"] == fact.set]
        values = "; ".join(
            f"{_span(row)} {number(row.value, 1, signed=True)}" for row in groups.itertuples()
        )
        told.append(
            f"{fact.heading}. Clusters: {values}; {p_phrase(fact.p_value)}, corrected "
            f"{p_phrase(fact.p_holm)}. Mean over its error "
            f"{number(fact.shift_statistic, 2, signed=True)}, as far on {fact.as_far:,} shifts "
            f"({p_phrase(fact.p_shift)}), which does not decide."
        )
    return (
        f"{title(data)}. For each set its clusters as dots with their mean and its 95% interval, "
        f"beside a histogram of shifted sets; every p two-sided. {' '.join(told)}"
    )


def _span(row: Any) -> str:
    days = short_day(row.first)
    if row.last != row.first:
        same = row.first.month == row.last.month
        days = f"{row.first.day if same else days} to {short_day(row.last)}"
    return f"{days} ({row.sessions})"


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Sets) -> Figure:
    """Draw a row for each set: its clusters, and the shifts beside them."""
    wide, tall, step, names = 720, 330, 470, 230
    sheet = page(words(data), step * len(SETS) + 70)
    right = sheet.right - wide
    sheet.note(sheet.left, sheet.top, "Decides: clusters of sessions, and their mean")
    sheet.note(right, sheet.top, "Beside it: the mean over its error, among shifts")
    reach = data.bars[["low", "high"]].abs().max().max()
    parts = dict(list(data.groups.groupby("set")))
    drawn = [edge for part in parts.values() for edge in (*part["value"], *_bounds(part["value"]))]
    far = 1.1 * max(map(abs, drawn))
    for place, fact in enumerate(data.sets.itertuples()):
        top = sheet.top + 70 + step * place
        sheet.heading(sheet.left, top, fact.heading)
        groups = parts[fact.set]
        ax = sheet.axes(sheet.left + names, top + 40, wide - names, tall)
        _draw_clusters(ax, groups, MARKS[fact.kind], far)
        lines = [*map(_span, groups.itertuples()), "mean"]
        for line, text in enumerate(lines):
            middle = top + 40 + tall * (line + 0.5) / len(lines)
            sheet.row(sheet.left, middle, text, color=INK if text == "mean" else MUTED)
        ax = sheet.axes(right, top + 40, wide, tall)
        _histogram(ax, data.bars[data.bars["set"] == fact.set], fact, reach)
    return sheet.figure


def _bounds(values: pd.Series) -> tuple[float, float]:
    """95% interval of the mean of clusters: it leaves zero out where p is below 5%."""
    reach = scipy.special.stdtrit(len(values) - 1, 1 - LEVEL / 2)
    error = reach * values.std() / np.sqrt(len(values))
    return values.mean() - error, values.mean() + error


def _draw_clusters(ax: Axes, groups: pd.DataFrame, mark: Mark, far: float) -> None:
    values, last = groups["value"], len(groups)
    ax.set(xlim=(-far, far), ylim=(last + 0.5, -0.5), yticks=[])
    number_axis(ax.xaxis, round_ticks(-far, far, 6))
    rules(ax.xaxis)
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))
    symbol(ax, values, np.arange(last), mark, zorder=3)
    ax.plot(_bounds(values), [last, last], **stroke(INK, 8, 3))
    symbol(ax, values.mean(), last, Mark("mean", INK, "D"), size=18, markeredgewidth=points(2.5))


def _histogram(ax: Axes, bars: pd.DataFrame, fact: Any, reach: float) -> None:
    mark, value = MARKS[fact.kind], fact.shift_statistic
    look = {"color": STONE, "edgecolor": GROUND, "linewidth": points(1.5), "zorder": 2}
    ax.bar(bars["low"], bars["shifts"], bars["high"] - bars["low"], align="edge", **look)
    top = 1.5 * bars["shifts"].max()
    ax.set(xlim=(-reach, reach), ylim=(0, top), yticks=[])
    number_axis(ax.xaxis, round_ticks(-reach, reach, 6))
    ax.plot([value, value], [0, 0.74 * top], **stroke(mark.colour, 5, 3))
    ax.plot(value, 0.74 * top, **mark.sized(20), zorder=4)
    told = (
        f"{number(value, 2, signed=True)}\nas far on {fact.as_far:,} of "
        f"{bars['shifts'].sum():,}\nshifts, {p_phrase(fact.p_shift)}"
    )
    side, aside = ("right", -0.05) if value > 0 else ("left", 0.05)
    look = {"ha": side, "va": "center", "linespacing": 1.25, **letters(mark.colour, 5)}
    ax.text(value + aside * reach, 0.86 * top, told, **look)
