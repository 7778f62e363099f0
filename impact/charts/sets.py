"""Charts of many sessions at once: one row each, or all of them as a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import Box, halo
from impact.charts.style import (
    GROUND,
    INK,
    LABEL,
    MARGIN,
    MARKS,
    MUTED,
    PAPER,
    RULE,
    SMALL,
    STONE,
    WIDTH,
    Page,
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
from impact.text.formats import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# -- many sessions, one row each -----------------------------------------------------------------


def forest(words: Words, rows: pd.DataFrame) -> Figure:
    """Draw one estimate with two intervals for each session, from top to bottom.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    rows : DataFrame
        `session`, `text`, `beside` (what else happened), `kind` (key of `MARKS`), `confounded`
        (bool), `outside` (bool), `estimate` and the bounds `ci_low_textbook`,
        `ci_high_textbook`, `ci_low_conditional`, `ci_high_conditional`.
    """
    step = 37
    with drawing():
        sheet = page(words, 96 + step * len(rows) + 40)
        kinds = [kind for kind in MARKS if kind in set(rows["kind"])]
        key(
            sheet,
            sheet.top - 4,
            [mark_entry(kind) for kind in kinds]
            + [({"marker": "o", "markerfacecolor": GROUND, "color": MUTED}, "hollow: confounded")],
        )
        key(
            sheet,
            sheet.top + 34,
            [
                ({"color": INK, "linewidth": points(8)}, "95% interval, variance of the eve"),
                ({"color": MUTED, "linewidth": points(2)}, "95% interval, constant variance"),
                ({}, "bold: the thick interval leaves out zero"),
            ],
        )
        left, right = 600, 240
        ax = sheet.axes(left, sheet.top + 96, WIDTH - left - right, step * len(rows))
        bounds = rows.filter(regex="^ci_")
        low, high = bounds.min().min(), bounds.max().max()
        ax.set_xlim(low - 0.01, high + 0.01)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        percent_axis(ax.xaxis, round_ticks(low, high, 7))
        ax.tick_params(axis="x", labeltop=True, labelbottom=True, length=0)
        ax.set_yticks([])
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.axvline(0, color=MUTED, linewidth=points(2.5), zorder=1.5)
        for place, row in enumerate(rows.itertuples()):
            _forest_row(sheet, ax, place, row, sheet.top + 96 + step * (place + 0.5))
        _month_rules(ax, rows["session"])
    return sheet.figure


def _forest_row(sheet: Page, ax: Axes, place: int, row, middle: float) -> None:
    mark = MARKS[row.kind]
    ax.plot(
        [row.ci_low_textbook, row.ci_high_textbook],
        [place, place],
        color=MUTED,
        linewidth=points(2),
        zorder=2,
    )
    ax.plot(
        [row.ci_low_conditional, row.ci_high_conditional],
        [place, place],
        color=mark.colour,
        linewidth=points(8),
        alpha=0.55,
        zorder=3,
    )
    ax.plot(
        row.estimate,
        place,
        mark.marker,
        color=mark.colour,
        markersize=points(17),
        zorder=4,
        markerfacecolor=GROUND if row.confounded else mark.colour,
        markeredgewidth=points(3.5),
    )
    weight = "bold" if row.outside else "normal"
    day = f"{row.session.day} {row.session:%b}"
    sheet.text(MARGIN + 74, middle, day, SMALL, va="center_baseline", ha="right", weight=weight)
    sheet.text(MARGIN + 92, middle, row.text, SMALL, va="center_baseline", weight=weight)
    sheet.text(
        584,
        middle,
        percent(row.estimate, 1),
        SMALL,
        va="center_baseline",
        ha="right",
        weight=weight,
        color=mark.colour,
    )
    sheet.text(WIDTH - 222, middle, row.beside, SMALL, va="center_baseline", color=MUTED)


def _month_rules(ax: Axes, sessions: pd.Series) -> None:
    months = sessions.dt.month.to_numpy()
    for place in np.flatnonzero(np.diff(months)) + 0.5:
        ax.axhline(
            place,
            color=RULE,
            linewidth=points(1.5),
            zorder=0.5,
            clip_on=False,
            xmin=-0.72,
            xmax=1.25,
        )


# -- a distribution with marked sessions ---------------------------------------------------------


def marked_distribution(
    words: Words, z: pd.Series, marks: pd.DataFrame, reach: tuple[float, str], unit: str
) -> Figure:
    """Draw the distribution of past values, marking some of them.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    z : Series
        All values by session.
    marks : DataFrame
        `value`, `text`, `kind` of each marked session.
    reach : pair of float and str
        Half-width of a range around zero, and what it says.
    unit : str
        What the horizontal axis measures.
    """
    with drawing():
        sheet = page(words, 940)
        ax = sheet.axes(MARGIN + 70, sheet.top + 20, WIDTH - 2 * MARGIN - 70, 800)
        low, high = np.floor(z.min() - 0.25), np.ceil(z.max() + 0.25)
        counts, _, bars = ax.hist(
            z,
            bins=np.arange(low, high + 0.2, 0.2),
            color=STONE,
            edgecolor=GROUND,
            linewidth=points(2),
            zorder=2,
        )
        # Room on the right for the text of a pin in that tail.
        ax.set_xlim(low, high + 1)
        ax.set_ylim(0, 1.34 * counts.max())
        ticks = np.arange(low, high + 1)
        ax.set_xticks(ticks, [number(tick, 0, signed=True) for tick in ticks])
        levels = round_ticks(0, counts.max(), 5)
        ax.set_yticks(levels, [number(level, 0) for level in levels])
        ax.grid(True, axis="y", color=RULE, linewidth=points(1.5))
        ax.set_axisbelow(True)
        ax.spines["left"].set_visible(False)
        far = z[z.abs() > 3]
        ax.plot(
            far,
            np.full(len(far), -0.022 * ax.get_ylim()[1]),
            "|",
            color=MUTED,
            clip_on=False,
            markersize=points(20),
            markeredgewidth=points(2),
        )
        ax.tick_params(axis="x", pad=points(34), length=0)
        sheet.text(MARGIN, sheet.top - 16, "sessions", SMALL, color=MUTED)
        sheet.text(WIDTH / 2, sheet.top + 892, unit, SMALL, color=MUTED, ha="center")
        _range(ax, reach)
        _marks(
            ax, marks, [Box(*bar.get_window_extent().extents) for bar in bars if bar.get_height()]
        )
    return sheet.figure


def _range(ax: Axes, reach: tuple[float, str]) -> None:
    half, text = reach
    ax.axvspan(-half, half, color=PAPER, zorder=0)
    top = ax.get_ylim()[1]
    ax.annotate(
        "",
        (-half, 0.87 * top),
        (half, 0.87 * top),
        zorder=1,
        arrowprops={"arrowstyle": "<->", "color": MUTED, "linewidth": points(2.5)},
    )
    ax.text(
        0,
        0.885 * top,
        text,
        ha="center",
        va="bottom",
        fontsize=points(SMALL),
        color=MUTED,
        linespacing=1.25,
    )


def _marks(ax: Axes, marks: pd.DataFrame, bars: Sequence[Box]) -> None:
    """Pins with texts, each as low as the bars and the other texts allow."""
    taken, bounds = list(bars), ax.get_window_extent()
    top = ax.get_ylim()[1]
    for mark in marks.sort_values("value", key=abs, ascending=False).itertuples():
        look = MARKS[mark.kind]
        text = ax.text(
            mark.value,
            0,
            mark.text,
            va="center",
            linespacing=1.25,
            zorder=6,
            fontsize=points(LABEL),
            color=look.colour,
            path_effects=halo(),
        )
        _, _, width, tall = extent(text)
        for height, side in product(np.arange(0.16, 0.84, 0.02) * top, (1, -1)):
            x, y = ax.transData.transform((mark.value, height))
            start = x + 22 if side > 0 else x - 22 - width
            box = Box(start, y - tall / 2, start + width, y + tall / 2)
            inside = bounds.x0 <= box.left and box.right <= bounds.x1
            if inside and not any(box.meets(other) for other in taken):
                break
        taken += [box, Box(x - 12, bounds.y0, x + 12, y + 12)]
        text.set_position((ax.transData.inverted().transform((start, y))[0], height))
        ax.plot(
            [mark.value, mark.value], [0, height], color=look.colour, linewidth=points(4), zorder=3
        )
        ax.plot(mark.value, height, look.marker, color=look.colour, markersize=points(20), zorder=4)
