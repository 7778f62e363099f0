"""Charts of how far a test can be trusted: its size, its power, and other ways to have done it."""

from __future__ import annotations

from collections.abc import Sequence
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
from impact.text.formats import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Rejection rates at 5% that pass as 5%.
NEAR = (0.035, 0.065)


# -- size ----------------------------------------------------------------------------------------


def size_rows(words: Words, rows: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> Figure:
    """Draw rejection rates of several tests side by side for several groups of sessions.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    rows : DataFrame
        One row a test, groups of rows by `kind` in order; `text`, `knows` (bool: whether the
        test knows the variance of the eve) and for each group g `rate_g` and `error_g`.
    columns : sequence of pair of str
        Group and its heading, from left to right.
    """
    step, left, gap = 58, 520, 36
    kinds = rows["kind"].drop_duplicates().to_list()
    body = 84 + step * (len(rows) + len(kinds)) + 150
    with drawing():
        sheet = page(words, body)
        places = _places(rows["kind"])
        width = (WIDTH - MARGIN - left - gap * (len(columns) - 1)) / len(columns)
        top, height = sheet.top + 66, step * (len(rows) + len(kinds))
        _size_names(sheet, rows, places, top, step)
        rates = rows.filter(regex="^rate_").to_numpy()
        errors = rows.filter(regex="^error_").to_numpy()
        high = (rates + 1.96 * errors).max() * 1.1
        for number, (group, heading) in enumerate(columns):
            box = left + number * (width + gap)
            sheet.text(box, sheet.top + 4, heading, LABEL, weight="bold")
            ax = sheet.axes(box, top, width, height)
            ax.set_xlim(0, high)
            ax.set_ylim(max(places) + 0.6, min(places) - 1.4)
            _size_panel(ax, rows, places, group)
        sheet.text(
            left,
            top + height + 50,
            "share of sessions on which the test rejects at 5%",
            SMALL,
            color=MUTED,
        )
        key(
            sheet,
            sheet.bottom - 36,
            [
                ({"marker": "o", "color": INK}, "knows the variance of the eve"),
                (
                    {"marker": "o", "markerfacecolor": GROUND, "color": MUTED},
                    "takes the variance as constant",
                ),
                ({"color": MUTED, "linewidth": points(4)}, "95% Monte Carlo interval"),
            ],
        )
    return sheet.figure


def _places(kinds: pd.Series) -> list[int]:
    """Rows from top to bottom, with an empty one above each kind but the first."""
    return (np.arange(len(kinds)) + (kinds != kinds.shift()).cumsum().to_numpy() - 1).tolist()


def _size_names(sheet: Page, rows: pd.DataFrame, places, top: float, step: float) -> None:
    for place, row in zip(places, rows.itertuples(), strict=True):
        middle = top + step * (place + 1.4)
        sheet.text(MARGIN + 24, middle, row.text, SMALL, va="center_baseline")
    for kind, group in rows.groupby("kind", sort=False):
        first = places[rows.index.get_loc(group.index[0])]
        sheet.text(
            MARGIN,
            top + step * (first + 0.55),
            kind,
            SMALL,
            va="center_baseline",
            weight="bold",
            color=MUTED,
        )


def _size_panel(ax: Axes, rows: pd.DataFrame, places, group: str) -> None:
    ax.axvspan(*NEAR, color=BAND, zorder=0)
    ax.axvline(0.05, color=INK, linewidth=points(3), zorder=1)
    percent_axis(ax.xaxis, [0, 0.05, 0.10, 0.15], signed=False)
    ax.set_yticks([])
    ax.tick_params(axis="x", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        rate, error = row[f"rate_{group}"], row[f"error_{group}"]
        colour = INK if row["knows"] else MUTED
        ax.plot(
            [max(rate - 1.96 * error, 0), rate + 1.96 * error],
            [place, place],
            color=colour,
            linewidth=points(4),
            zorder=2,
        )
        ax.plot(
            rate,
            place,
            "o",
            color=colour,
            markersize=points(17),
            zorder=3,
            markerfacecolor=INK if row["knows"] else GROUND,
            markeredgewidth=points(4),
        )
        ax.text(
            rate,
            place - 0.26,
            percent(rate, 1, signed=False),
            ha="center",
            va="bottom",
            fontsize=points(SMALL),
            color=colour,
            path_effects=halo(),
            zorder=4,
        )


# -- power ---------------------------------------------------------------------------------------


def detectable_moves(
    words: Words, sessions: pd.DataFrame, medians: pd.DataFrame, marks: pd.DataFrame
) -> Figure:
    """Draw the smallest detectable move of many sessions against the volatility before them.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    sessions : DataFrame
        `volatility` (a year, decimal fraction) and `detectable` (decimal fraction).
    medians : DataFrame
        One row a group: `low`, `high` (its volatility), `detectable` (its median), `text`.
    marks : DataFrame
        `volatility`, `detectable`, `move` (its size), `text`, `kind` (key of `MARKS`).
    """
    with drawing():
        sheet = page(words, 1010)
        ax = sheet.axes(MARGIN + 80, sheet.top + 44, WIDTH - 2 * MARGIN - 80, 810)
        _detectable_axes(ax, sessions, marks)
        ax.plot(
            sessions["volatility"],
            sessions["detectable"],
            "o",
            color=STONE,
            zorder=1,
            markersize=points(8),
            markeredgewidth=0,
        )
        _moved(ax, sessions, marks, _median_lines(ax, medians))
        sheet.text(
            MARGIN,
            sheet.top,
            "smallest move that is found with 80% (one session)",
            SMALL,
            color=MUTED,
        )
        sheet.text(
            WIDTH / 2,
            sheet.top + 906,
            "volatility of the 22 sessions before, a year",
            SMALL,
            color=MUTED,
            ha="center",
        )
        key(
            sheet,
            sheet.bottom - 30,
            [
                ({"marker": "o", "color": STONE, "markersize": points(10)}, "a session"),
                ({"color": INK, "linewidth": points(6)}, "median of a third of the sessions"),
                mark_entry("escalation"),
                mark_entry("easing"),
                (
                    {"marker": "o", "markerfacecolor": GROUND, "color": MUTED},
                    "what would have been found",
                ),
            ],
        )
    return sheet.figure


def _detectable_axes(ax: Axes, sessions: pd.DataFrame, marks: pd.DataFrame) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    high = max(sessions["detectable"].max(), marks["move"].max())
    ax.set_xlim(0.95 * sessions["volatility"].min(), 1.05 * sessions["volatility"].max())
    # Room above the dots for the words of the thirds.
    ax.set_ylim(0.9 * min(sessions["detectable"].min(), marks["move"].min()), 1.9 * high)
    percent_axis(ax.xaxis, (0.05, 0.1, 0.2, 0.4, 0.8), signed=False)
    percent_axis(ax.yaxis, (0.01, 0.02, 0.04, 0.08, 0.16), signed=False)
    ax.minorticks_off()
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="x", length=0)


def _median_lines(ax: Axes, medians: pd.DataFrame) -> list[Box]:
    """Draw the median of each third; return the room that the lines take."""
    top, taken = ax.get_ylim()[1], []
    for row in medians.itertuples():
        ax.plot([row.low, row.high], [row.detectable] * 2, color=INK, linewidth=points(6), zorder=3)
        ax.text(
            np.sqrt(row.low * row.high),
            0.94 * top,
            row.text,
            ha="center",
            va="top",
            fontsize=points(SMALL),
            color=INK,
            path_effects=halo(),
            linespacing=1.25,
            zorder=5,
        )
        ends = ax.transData.transform([(row.low, row.detectable), (row.high, row.detectable)])
        taken.append(Box(*(ends[0] - 6), *(ends[1] + 6)))
    for edge in medians["high"].iloc[:-1]:
        ax.axvline(edge, color=MUTED, linewidth=points(2.5), linestyle=(0, (4, 4)), zorder=0.5)
    return taken


def _moved(ax: Axes, sessions: pd.DataFrame, marks: pd.DataFrame, taken: list[Box]) -> None:
    """Each event's move joined to its smallest detectable one, with words over few dots."""
    bounds, taken, texts = ax.get_window_extent(), list(taken), []
    dots = ax.transData.transform(sessions[["volatility", "detectable"]]).T
    for mark in marks.itertuples():
        look = MARKS[mark.kind]
        ax.plot(
            [mark.volatility] * 2,
            [mark.detectable, mark.move],
            color=look.colour,
            linewidth=points(3),
            zorder=5,
        )
        ax.plot(
            mark.volatility,
            mark.detectable,
            "o",
            color=MUTED,
            markerfacecolor=GROUND,
            markersize=points(17),
            markeredgewidth=points(4),
            zorder=6,
        )
        ax.plot(
            mark.volatility,
            mark.move,
            look.marker,
            color=look.colour,
            zorder=6,
            markersize=points(20),
        )
        x, ends = ax.transData.transform(
            [(mark.volatility, mark.detectable), (mark.volatility, mark.move)]
        ).T
        taken.append(Box(x[0] - 14, ends.min() - 14, x[0] + 14, ends.max() + 14))
        text = ax.text(
            0,
            0,
            mark.text,
            va="center",
            fontsize=points(SMALL),
            color=look.colour,
            linespacing=1.2,
            path_effects=halo(),
            zorder=7,
        )
        texts.append((text, x[0], ends[1]))
    for text, x, y in texts:
        box = _roomiest(text, x, y, bounds, taken, dots)
        taken.append(box)
        middle = (box.bottom + box.top) / 2
        place = ax.transData.inverted()
        text.set_position(place.transform((box.left, middle)))
        if abs(middle - y) > box.top - box.bottom:
            edge = box.left - 8 if box.left > x else box.right + 8
            ends = place.transform([(x, y), (edge, middle)])
            ax.plot(*ends.T, color=text.get_color(), linewidth=points(2), zorder=4)


def _roomiest(text, x: float, y: float, bounds, taken: Sequence[Box], dots: np.ndarray) -> Box:
    """Return the place beside a point that is near it and covers few dots."""
    _, _, width, tall = extent(text)
    places = [
        Box(start, y + drop - tall / 2, start + width, y + drop + tall / 2)
        for drop in sorted(range(-150, 151, 25), key=abs)
        for start in (x + 24, x - 24 - width)
    ]
    free = [
        box
        for box in places
        if bounds.x0 <= box.left
        and box.right <= bounds.x1
        and box.bottom >= bounds.y0
        and not any(box.meets(other) for other in taken)
    ]
    return min(free, key=lambda box: _covered(box, dots) + abs((box.bottom + box.top) / 2 - y) / 6)


def _covered(box: Box, dots: np.ndarray) -> int:
    x, y = dots
    inside = (x > box.left) & (x < box.right) & (y > box.bottom) & (y < box.top)
    return int(np.count_nonzero(inside))


# -- every way to have done it -------------------------------------------------------------------


def specification_plot(words: Words, table: pd.DataFrame, options: pd.DataFrame) -> Figure:
    """Draw the estimates of all specifications by rising size, above the choices behind each.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    table : DataFrame
        One row a specification, sorted: `estimate`, `p_value`, and a column for each choice.
    options : DataFrame
        `choice`, `option` (as text), `estimate` (median), from top to bottom.
    """
    options = options[options.groupby("choice")["option"].transform("size") > 1]
    places = _places(options["choice"])
    step, left, right, tall = 30, 400, 130, 400
    height = step * (max(places) + 1)
    with drawing():
        sheet = page(words, 44 + tall + 56 + height + 72)
        width = WIDTH - left - right
        found = (table["p_value"] <= 0.05).to_numpy()
        top = sheet.axes(left, sheet.top + 44, width, tall)
        _estimates(top, table["estimate"].to_numpy(), found)
        sheet.text(MARGIN, sheet.top, "mean cumulative abnormal return", SMALL, color=MUTED)
        under = sheet.top + 44 + tall + 56
        sheet.text(WIDTH - MARGIN, under - 40, "median", SMALL, color=MUTED, ha="right")
        below = sheet.axes(left, under, width, height)
        below.set_xlim(*top.get_xlim())
        below.set_ylim(max(places) + 0.5, -0.5)
        below.set_axis_off()
        for place, row in zip(places, options.itertuples(), strict=True):
            uses = (table[row.choice].astype("str") == row.option).to_numpy()
            _ticks(below, place, np.flatnonzero(uses & ~found), STONE)
            _ticks(below, place, np.flatnonzero(uses & found), INK)
            middle = under + step * (place + 0.5)
            sheet.text(left - 16, middle, row.option, SMALL, va="center_baseline", ha="right")
            sheet.text(
                WIDTH - MARGIN,
                middle,
                percent(row.estimate, 1),
                SMALL,
                ha="right",
                va="center_baseline",
                color=MUTED,
            )
        for choice, group in options.groupby("choice", sort=False):
            first = under + step * (places[options.index.get_loc(group.index[0])] + 0.5)
            sheet.text(
                MARGIN, first, choice, SMALL, va="center_baseline", weight="bold", color=MUTED
            )
        key(
            sheet,
            sheet.bottom - 30,
            [
                ({"marker": "o", "color": INK}, "p ≤ 5% among the shifted sets"),
                ({"marker": "o", "color": STONE}, "p > 5%"),
            ],
        )
    return sheet.figure


def _estimates(ax: Axes, estimates: np.ndarray, found: np.ndarray) -> None:
    place = np.arange(len(estimates))
    reach = max(np.abs(estimates).max(), 1e-6)
    ax.set_xlim(-0.01 * len(place), 1.01 * len(place))
    ax.set_ylim(min(estimates.min(), 0) - 0.08 * reach, max(estimates.max(), 0) + 0.08 * reach)
    percent_axis(ax.yaxis, round_ticks(*ax.get_ylim(), 6), 1)
    ax.set_xticks([])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.axhline(0, color=MUTED, linewidth=points(3), zorder=1)
    for chosen, colour in ((~found, STONE), (found, INK)):
        ax.plot(
            place[chosen],
            estimates[chosen],
            "o",
            color=colour,
            markersize=points(9),
            markeredgewidth=0,
            zorder=3,
        )


def _ticks(ax: Axes, place: int, at: np.ndarray, colour: str) -> None:
    ax.plot(
        at,
        np.full(len(at), place),
        "|",
        color=colour,
        markersize=points(22),
        markeredgewidth=points(1.2),
    )
