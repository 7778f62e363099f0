"""The China escalations of 2018 and 2019 beside those of 2025."""

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
    INK,
    LABEL,
    MUTED,
    Mark,
    Words,
    number_axis,
    page,
    percent_axis,
    points,
    round_ticks,
    rules,
    stroke,
    symbol,
)
from impact.figures.common import MAIN, index_returns, judged, source, verdict, verdicts
from impact.hypotheses.evaluation import mean_interval
from impact.hypotheses.verdicts import CHANCE, SUPPORTED, chance
from impact.inference.clusters import clusters
from impact.news.kinds import MARKS
from impact.text.formats import date, interval, number, p_phrase, percent
from impact.volatility.forecast import conditional_z

#: The hypotheses on each group, and on their difference.
THEN, NOW, BOTH = "china-escalation-2018-2019", "china-escalation-2025", "china-then-and-now-differ"

#: Column -> what a picture measures.
MEASURES = {
    "estimate": "Abnormal log return, in %",
    "z": "The same in standard deviations known the evening before",
}

#: Height of a group, in pixels.
ROW = 165


@dataclass(frozen=True)
class Groups:
    """A row a session, a row a mean with its interval, and what the register says."""

    dots: pd.DataFrame
    means: pd.DataFrame
    then: pd.Series
    now: pd.Series
    both: pd.Series


def data() -> Groups:
    """Standardise the sessions of both groups and average them."""
    series = conditional_z(index_returns())
    now, then = verdicts().groups[BOTH, MAIN]
    parts = [
        series.loc[group.sessions, ["z"]].assign(
            group=name,
            announcements=group.labels,
            estimate=(series["z"] * series["sigma"])[group.sessions],
            cluster=clusters(series.index.get_indexer(group.sessions)),
        )
        for name, group in (("2018 and 2019", then), ("2025", now))
    ]
    dots = pd.concat(parts).rename_axis("session").reset_index()
    means = [
        (group, measure, *mean_interval([part[measure].to_numpy()], [part["cluster"].to_numpy()]))
        for measure in MEASURES
        for group, part in dots.groupby("group", sort=False)
    ]
    columns = ["group", "measure", "estimate", "ci_low", "ci_high"]
    rows = (verdict(name) for name in (THEN, NOW, BOTH))
    return Groups(dots, pd.DataFrame(means, columns=columns), *rows)


def title(data: Groups) -> str:
    """Say what became of the three hypotheses."""
    then, now, both = data.then, data.now, data.both
    if then["verdict"] == now["verdict"] == SUPPORTED:
        first = "The index fell on China escalations in 2018 and 2019 as in 2025"
    elif then["verdict"] == now["verdict"]:
        first = f"The fall on China escalations {judged(then)}, in 2018-19 as in 2025"
    else:
        first = (
            f"The fall on China escalations {judged(then)} for 2018-19, and {judged(now)} for 2025"
        )
    if both["verdict"] == CHANCE:
        return f"{first}; a difference {CHANCE}"
    return f"{first}; that the two differ {judged(both)}"


def words(data: Groups) -> Words:
    """Return what is written around the picture."""
    row = data.both
    return Words(
        title(data),
        f"Return of the S&P 500 less its mean, in the sessions with China escalations or "
        f"retaliation and no news of the other direction: {row['n_against']} in 2018 and 2019, "
        f"{row['n']} in 2025. Sessions fewer than six apart are one cluster: "
        f"{row['clusters_against']} and {row['clusters']} of them. Difference of the mean z of "
        f"clusters: {p_phrase(row['p_value'])} (t). A difference of one σ would be found "
        f"{chance(row['power'])} of the time, after correction {chance(row['power_holm'])}. "
        "Variance known the evening before: "
        "GJR-GARCH, refit every month.",
        source("then-and-now", "events.csv", "hypotheses.csv"),
    )


def table(data: Groups) -> pd.DataFrame:
    """Return the sessions."""
    return data.dots[["session", "group", "announcements", "estimate", "z"]]


def alt(data: Groups) -> str:
    """Tell the picture."""
    spans = [
        f"{len(part)} from {date(part['session'].min())} to {date(part['session'].max())}"
        for _, part in data.dots.groupby("group", sort=False)
    ]
    told = " ".join(
        f"{fact.group}, mean {'return' if fact.measure == 'estimate' else 'z'} {_mean(fact)}, 95% "
        f"interval {_bounds(fact)}."
        for fact in data.means.itertuples()
    )
    return (
        f"{title(data)}. Two pictures of the same sessions as dots, {' and '.join(spans)}. {told}"
    )


def _mean(fact: Any) -> str:
    show = percent if fact.measure == "estimate" else number
    return show(fact.estimate, signed=True)


def _bounds(fact: Any) -> str:
    if fact.measure == "estimate":
        return interval(fact.ci_low, fact.ci_high)
    return f"{number(fact.ci_low, signed=True)} to {number(fact.ci_high, signed=True)}"


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Groups) -> Figure:
    """Draw every session as a dot, with the mean of each group, once in each measure."""
    groups = list(data.dots.groupby("group", sort=False))
    tall, dot = ROW * len(groups), MARKS["escalation"]
    sheet = page(words(data), (tall + 150) * len(MEASURES) + 20)
    mean = stroke(INK, 8), "mean with its 95% interval"
    sheet.key(sheet.top - 4, [(dot.entry[0], "one session"), mean])
    for place, (measure, what) in enumerate(MEASURES.items()):
        top = sheet.top + 50 + (tall + 150) * place
        sheet.heading(sheet.left, top, what)
        ax = sheet.across(210, top + 40, tall)
        _axes(ax, data.dots[measure], len(groups), in_percent=measure == "estimate")
        means = data.means[data.means["measure"] == measure]
        for row, ((group, dots), fact) in enumerate(zip(groups, means.itertuples(), strict=True)):
            _strip(ax, row, dots, measure, dot)
            _interval(ax, row - 0.32, fact)
            sheet.text(sheet.left, top + 40 + ROW * (row + 0.5), group, LABEL, va="center")
    return sheet.figure


def _axes(ax: Axes, values: pd.Series, rows: int, *, in_percent: bool) -> None:
    low, high = min(values.min(), 0), max(values.max(), 0)
    room = 0.06 * (high - low)
    ax.set(xlim=(low - room, high + room), ylim=(rows - 0.5, -0.5), yticks=[])
    ticks = round_ticks(low - room, high + room, 7)
    if in_percent:
        percent_axis(ax.xaxis, ticks)
    else:
        number_axis(ax.xaxis, ticks)
        rules(ax.xaxis)
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))


def _strip(ax: Axes, row: int, dots: pd.DataFrame, measure: str, mark: Mark) -> None:
    ordered = dots.sort_values(measure)
    # Neighbours in value stand at three heights, so that none hides another.
    heights = row + np.resize([0.0, -0.12, 0.12], len(ordered))
    symbol(ax, ordered[measure], heights, mark, zorder=3)
    lead, look = stroke(mark.colour, 1.5, 2), letters(mark.colour, 4)
    for place, aside, align in ((0, -8, "left"), (-1, 8, "right")):
        value, below = ordered[measure].iloc[place], row + 0.36
        ax.plot([value, value], [heights[place] + 0.05, below - 0.07], **lead)
        first = ordered["announcements"].iloc[place].split("; ")[0]
        name = f"{first}, {ordered['session'].iloc[place]:%b %Y}"
        at: dict[str, Any] = {"xytext": (aside, 0), "textcoords": "offset pixels"}
        at |= {"va": "center", "ha": align}
        # The zero line stops where a name stands.
        at["bbox"] = {"facecolor": GROUND, "edgecolor": "none", "pad": 2}
        ax.annotate(name, (value, below), **at, **look)


def _interval(ax: Axes, height: float, fact: Any) -> None:
    ax.plot([fact.ci_low, fact.ci_high], [height, height], **stroke(INK, 8, 3))
    mean = Mark(_mean(fact), INK, "D")
    symbol(ax, fact.estimate, height, mark=mean, size=18, markeredgewidth=points(2.5))
    # To the left: to the right it would run through zero.
    at = {"xytext": (-16, 0), "textcoords": "offset pixels", "va": "center", "ha": "right"}
    ax.annotate(mean.word, (fact.ci_low, height), **at, **letters(INK, 5))
