"""Charts of groups of sessions: against placebos, against a dose, against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import Box, halo
from impact.charts.style import (
    BAND,
    GROUND,
    INK,
    LABEL,
    MARGIN,
    MARKS,
    MUTED,
    RULE,
    SMALL,
    STONE,
    WIDTH,
    Words,
    drawing,
    extent,
    key,
    mark_entry,
    page,
    percent_axis,
    points,
    round_ticks,
)
from impact.text.formats import counted, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from impact.analysis.dose import DoseResponse
    from impact.analysis.regression import EventRegression


# -- sets against all circular shifts ------------------------------------------------------------


def placebo_panels(
    words: Words, bars: pd.DataFrame, sets: pd.DataFrame, columns: Mapping[str, str]
) -> Figure:
    """Draw what sets of events did among all circular shifts of themselves.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    bars : DataFrame
        `set`, `statistic`, `low`, `high` (edges), `shifts` (how many fell between them).
    sets : DataFrame
        One row a set and statistic: `set`, `heading`, `kind`, `statistic`, `value`, `told`.
    columns : mapping
        Statistic -> what the column of pictures measures.
    """
    rows = list(sets["set"].drop_duplicates())
    wide, tall, step = 720, 300, 430
    with drawing():
        sheet = page(words, step * len(rows) + 80)
        for place, (statistic, what) in enumerate(columns.items()):
            left = MARGIN + place * (WIDTH - 2 * MARGIN - wide)
            sheet.text(left, sheet.top, what, SMALL, color=MUTED)
            reach = bars.loc[bars["statistic"] == statistic, ["low", "high"]].abs().max().max()
            for row, name in enumerate(rows):
                top = sheet.top + 74 + step * row
                drawn = bars[(bars["set"] == name) & (bars["statistic"] == statistic)]
                fact = sets[(sets["set"] == name) & (sets["statistic"] == statistic)].iloc[0]
                sheet.text(left, top, fact["heading"], LABEL, weight="bold")
                ax = sheet.axes(left, top + 36, wide, tall)
                _placebo(ax, drawn, fact, reach)
    return sheet.figure


def _placebo(ax: Axes, bars: pd.DataFrame, fact: pd.Series, reach: float) -> None:
    mark = MARKS[fact["kind"]]
    ax.bar(
        bars["low"],
        bars["shifts"],
        width=bars["high"] - bars["low"],
        align="edge",
        color=STONE,
        edgecolor=GROUND,
        linewidth=points(1.5),
        zorder=2,
    )
    top = 1.5 * bars["shifts"].max()
    ax.set_xlim(-reach, reach)
    ax.set_ylim(0, top)
    ticks = round_ticks(-reach, reach, 6)
    ax.set_xticks(ticks, [number(tick, 0 if reach > 3 else 1, signed=True) for tick in ticks])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    value = fact["value"]
    ax.plot([value, value], [0, 0.74 * top], color=mark.colour, linewidth=points(5), zorder=3)
    ax.plot(value, 0.74 * top, mark.marker, color=mark.colour, markersize=points(20), zorder=4)
    ax.text(
        value + (-1 if value > 0 else 1) * 0.05 * reach,
        0.86 * top,
        fact["told"],
        zorder=5,
        ha="right" if value > 0 else "left",
        va="center",
        fontsize=points(SMALL),
        color=mark.colour,
        linespacing=1.25,
        path_effects=halo(),
    )


# -- reaction against dose -----------------------------------------------------------------------


def dose_line(words: Words, dose: DoseResponse, aside: pd.DataFrame | None = None) -> Figure:
    """Draw reactions against doses with the line, its bounds and its fragility.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    dose : DoseResponse
    aside : DataFrame, optional
        Sessions left out that have a dose: `dose`, `estimate`, `label`.
    """
    with drawing():
        sheet = page(words, 1010)
        entries = [
            (mark_entry("escalation")[0], "tariff raised"),
            (mark_entry("easing")[0], "lowered"),
            ({"color": BAND, "linewidth": points(26)}, "95% interval of the slope"),
            ({"color": MUTED, "linewidth": points(2)}, "slope without one session"),
        ]
        key(sheet, sheet.top - 4, entries)
        if aside is not None and len(aside):
            hollow = {"marker": "o", "markerfacecolor": GROUND, "color": MUTED, "linestyle": ""}
            key(
                sheet,
                sheet.top + 34,
                [(hollow, "left out: news of both directions, or other news, in the session")],
            )
        ax = sheet.axes(MARGIN + 90, sheet.top + 90, WIDTH - 2 * MARGIN - 90, 790)
        others = pd.DataFrame(columns=["dose", "estimate", "label"]) if aside is None else aside
        _dose_axes(ax, dose, others)
        sheet.text(
            MARGIN + 90 + (WIDTH - 2 * MARGIN - 90) / 2,
            sheet.top + 950,
            "change of the announced tariff rate, percentage points",
            SMALL,
            color=MUTED,
            ha="center",
        )
    return sheet.figure


def _dose_axes(ax: Axes, dose: DoseResponse, aside: pd.DataFrame) -> None:
    drawn = [*dose.points["dose"], *aside["dose"], 0.0]
    room = 0.10 * (max(drawn) - min(drawn))
    x = np.linspace(min(drawn) - room, max(drawn) + room, 60)
    moves = [*dose.points["estimate"], *aside["estimate"], 0.0]
    pad = 0.12 * (max(moves) - min(moves))
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(min(moves) - pad, max(moves) + pad)
    percent_axis(ax.yaxis, round_ticks(*ax.get_ylim(), 6))
    ticks = round_ticks(x[0], x[-1], 7)
    ax.set_xticks(ticks, [number(tick, 0, signed=True) for tick in ticks])
    ax.spines["left"].set_visible(False)
    line = dose.line(x)
    ax.fill_between(
        x,
        line[["ci_low", "ci_high"]].min(axis=1),
        line[["ci_low", "ci_high"]].max(axis=1),
        color=BAND,
        linewidth=0,
        zorder=1,
    )
    for row in dose.leave_one_out.itertuples():
        ax.plot(x, row.intercept + row.slope * x, color=MUTED, linewidth=points(2), zorder=2)
    ax.plot(x, line["estimate"], color=INK, linewidth=points(5), zorder=2.5)
    ax.axhline(0, color=MUTED, linewidth=points(2), zorder=1.5)
    ax.axvline(0, color=RULE, linewidth=points(2), zorder=1.2)
    texts = []
    for row in aside.itertuples():
        ax.plot(
            row.dose,
            row.estimate,
            "o",
            color=MUTED,
            markerfacecolor=GROUND,
            zorder=3,
            markersize=points(18),
            markeredgewidth=points(3),
        )
        texts.append((row.dose, row.estimate, row.label, MUTED))
    for row in dose.points.itertuples():
        mark = MARKS["escalation" if row.dose > 0 else "easing"]
        ax.plot(
            row.dose,
            row.estimate,
            mark.marker,
            color=mark.colour,
            zorder=4,
            markersize=points(22),
            markeredgecolor=GROUND,
            markeredgewidth=points(2),
        )
        texts.append(
            (row.dose, row.estimate, f"{row.label} {percent(row.estimate, 1)}", mark.colour)
        )
    _scatter_labels(ax, texts)


def _scatter_labels(ax: Axes, texts: Sequence[tuple[float, float, str, str]]) -> None:
    """Write a label beside each point, where no point and no other label is."""
    bounds = ax.get_window_extent()
    pixels = ax.transData.transform([(x, y) for x, y, _, _ in texts])
    taken = [Box(x - 14, y - 14, x + 14, y + 14) for x, y in pixels]
    for (x, y), (_, _, words, colour) in zip(pixels, texts, strict=True):
        text = ax.text(
            0,
            0,
            words,
            fontsize=points(SMALL),
            color=colour,
            va="center",
            zorder=6,
            path_effects=halo(),
        )
        _, _, width, tall = extent(text)
        boxes = [
            Box(start, y + up - tall / 2 - 2, start + width, y + up + tall / 2 + 2)
            for up in (0, 30, -30, 60, -60, 90, -90)
            for start in (x + 22, x - 22 - width, x - width / 2)
            if abs(up) >= 30 or start != x - width / 2
        ]
        inside = [box for box in boxes if bounds.x0 <= box.left and box.right <= bounds.x1]
        free = [box for box in inside if not any(box.meets(other) for other in taken)]
        best = (free or inside or boxes)[0]
        taken.append(best)
        middle = (best.bottom + best.top) / 2
        if abs(middle - y) > tall:
            near = min(max(x, best.left), best.right)
            edge = best.bottom if middle > y else best.top
            ax.plot(
                *ax.transData.inverted().transform([(x, y), (near, edge)]).T,
                color=colour,
                linewidth=points(1.5),
                zorder=2.8,
            )
        text.set_position(ax.transData.inverted().transform((best.left, middle)))


# -- groups against each other -------------------------------------------------------------------


def group_strips(
    words: Words, dots: pd.DataFrame, means: pd.DataFrame, measures: Mapping[str, str]
) -> Figure:
    """Draw every session of some groups as a dot, with the mean of each group.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    dots : DataFrame
        `group`, `label` (shown for the lowest and the highest), and one column a measure.
    means : DataFrame
        One row a group and measure: `group`, `measure`, `estimate`, `ci_low`, `ci_high`, `told`.
    measures : mapping
        Column -> what a picture measures; a column named ``estimate`` is drawn in percent.
    """
    groups = list(means["group"].drop_duplicates())
    tall = 165 * len(groups)
    with drawing():
        sheet = page(words, (tall + 150) * len(measures) + 20)
        key(
            sheet,
            sheet.top - 4,
            [
                (mark_entry("escalation")[0], "one session"),
                ({"color": INK, "linewidth": points(8)}, "mean with its 95% interval"),
            ],
        )
        for place, (measure, what) in enumerate(measures.items()):
            top = sheet.top + 50 + (tall + 150) * place
            sheet.text(MARGIN, top, what, LABEL, weight="bold")
            ax = sheet.axes(MARGIN + 210, top + 40, WIDTH - 2 * MARGIN - 210, tall)
            _strip_axes(ax, dots[measure], len(groups), measure == "estimate")
            for row, group in enumerate(groups):
                _strip(ax, row, dots[dots["group"] == group], measure)
                fact = means[(means["group"] == group) & (means["measure"] == measure)].iloc[0]
                _strip_mean(ax, row, fact)
                sheet.text(MARGIN, top + 40 + 165 * (row + 0.5), group, LABEL, va="center")
    return sheet.figure


def _strip_axes(ax: Axes, values: pd.Series, rows: int, in_percent: bool) -> None:
    low, high = min(values.min(), 0), max(values.max(), 0)
    room = 0.06 * (high - low)
    ax.set_xlim(low - room, high + room)
    ax.set_ylim(rows - 0.5, -0.5)
    ticks = round_ticks(low - room, high + room, 7)
    if in_percent:
        percent_axis(ax.xaxis, ticks)
    else:
        ax.set_xticks(ticks, [number(tick, 0, signed=True) for tick in ticks])
        ax.grid(True, axis="x", color=RULE, linewidth=points(1.5))
    ax.set_axisbelow(True)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=MUTED, linewidth=points(2.5), zorder=1.5)


def _strip(ax: Axes, row: int, dots: pd.DataFrame, measure: str) -> None:
    mark = MARKS["escalation"]
    ordered = dots.sort_values(measure)
    # Neighbours in value stand at three heights, so that none hides another.
    heights = row + np.resize([0.0, -0.12, 0.12], len(ordered))
    ax.plot(
        ordered[measure],
        heights,
        mark.marker,
        color=mark.colour,
        markersize=points(17),
        markeredgecolor=GROUND,
        markeredgewidth=points(2),
        zorder=3,
    )
    for place in (0, -1):
        value, below = ordered[measure].iloc[place], row + 0.36
        ax.plot(
            [value, value],
            [heights[place] + 0.05, below - 0.07],
            color=mark.colour,
            linewidth=points(1.5),
            zorder=2,
        )
        ax.annotate(
            ordered["label"].iloc[place],
            (value, below),
            (-8 if place == 0 else 8, 0),
            textcoords="offset pixels",
            va="center",
            ha="right" if place else "left",
            fontsize=points(SMALL),
            color=mark.colour,
            path_effects=halo(),
            zorder=4,
        )


def _strip_mean(ax: Axes, row: int, fact: pd.Series) -> None:
    height = row - 0.32
    ax.plot(
        [fact["ci_low"], fact["ci_high"]],
        [height, height],
        color=INK,
        linewidth=points(8),
        zorder=3,
    )
    ax.plot(
        fact["estimate"],
        height,
        "D",
        color=INK,
        markeredgecolor=GROUND,
        zorder=4,
        markersize=points(18),
        markeredgewidth=points(2.5),
    )
    ax.annotate(
        fact["told"],
        (fact["ci_high"], height),
        (16, 0),
        va="center",
        textcoords="offset pixels",
        fontsize=points(SMALL),
        path_effects=halo(),
        zorder=5,
    )


# -- effects of one regression -------------------------------------------------------------------


def regression_effects(joint: EventRegression) -> Figure:
    """Draw the effects of an event regression with their 95% intervals, one row each."""
    suffix = "_conditional" if joint.weighted is not None else ""
    table = joint.table
    columns = [f"{name}{suffix}" for name in ("estimate", "ci_low", "ci_high")]
    step = 40
    how = "weighted by the variance of the eve" if suffix else "constant variance"
    words = Words(
        f"Effects of {counted(len(table), 'event dummy', 'event dummies')}, estimated jointly",
        f"Cumulated over the window {joint.window}, in %, with 95% intervals, {how}.",
        joint.signature,
    )
    with drawing():
        sheet = page(words, step * len(table) + 70)
        ax = sheet.axes(MARGIN + 480, sheet.top, WIDTH - 2 * MARGIN - 480, step * len(table))
        low, high = table[columns].min().min(), table[columns].max().max()
        room = 0.05 * (high - low)
        ax.set_xlim(low - room, high + room)
        ax.set_ylim(len(table) - 0.5, -0.5)
        percent_axis(ax.xaxis, round_ticks(low, high, 6))
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=MUTED, linewidth=points(2.5))
        places = np.arange(len(table))
        ax.hlines(places, table[columns[1]], table[columns[2]], color=MUTED, linewidth=points(6))
        ax.plot(table[columns[0]], places, "o", color=INK, markersize=points(16))
        for place, (name, row) in enumerate(table.iterrows()):
            more = len(row["announcements"]) - 1
            middle, words = sheet.top + step * (place + 0.5), f"{name}{f' +{more}' if more else ''}"
            sheet.text(MARGIN, middle, words, SMALL, va="center_baseline")
            sheet.text(
                MARGIN + 464,
                middle,
                percent(row[columns[0]]),
                SMALL,
                ha="right",
                va="center_baseline",
            )
    return sheet.figure
