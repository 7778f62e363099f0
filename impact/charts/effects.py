"""Effects with their intervals: one a row, or against a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import around, letters, move, place, points_along, points_on
from impact.charts.page import (
    BAND,
    COOL,
    GROUND,
    INK,
    MUTED,
    RULE,
    WARM,
    Entry,
    Mark,
    Words,
    amount_axis,
    check_axes,
    drawing,
    extent,
    number_axis,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
    symbol,
)
from impact.text.formats import amount, out_of, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: How doses above and below zero look, unless somebody says what they are.
RISE, FALL = Mark("dose above zero", WARM, "v"), Mark("dose below zero", COOL, "^")

#: Height of a row of effects, in pixels.
ROW = 40


@drawing()
def effects(words: Words, table: pd.DataFrame, *, ax: Axes | None = None) -> Figure:
    """Draw effects with their 95% intervals, one row each from top to bottom.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    table : DataFrame
        `text` (name of the row), `estimate`, `ci_low`, `ci_high`; decimal fractions.
    ax : Axes, optional
        Where to draw, without the page around it; the names are then labels of its axis.
    """
    check_axes(ax)
    tall, rows = ROW * len(table), np.arange(len(table))
    if ax is None:
        sheet = page(words, tall + 70)
        middles = sheet.top + ROW * (rows + 0.5)
        names = [sheet.row(sheet.left, *row) for row in zip(middles, table["text"], strict=True)]
        widest = max(extent(name)[2] for name in names)
        right = max(340, widest) + 130
        for middle, value in zip(middles, table["estimate"], strict=True):
            sheet.row(sheet.left + right, middle, amount(value, words.unit), ha="right")
        ax = sheet.across(right + 16, sheet.top, tall)
        ax.set_yticks([])
    else:
        ax.set_yticks(rows, table["text"])
    low, high = table["ci_low"].min(), table["ci_high"].max()
    room = 0.05 * (high - low)
    ax.set_xlim(low - room, high + room)
    amount_axis(ax.xaxis, round_ticks(low, high), words.unit)
    _intervals(ax, table)
    return ax.figure


@drawing()
def scaled_effects(words: Words, table: pd.DataFrame, *, ax: Axes | None = None) -> Figure:
    """Draw effects of different units, each in its own standard errors.

    Parameters
    ----------
    words, ax
        As for `effects`.
    table : DataFrame
        `text` (name of the row), `estimate`, `ci_low`, `ci_high`, in standard errors.
    """
    check_axes(ax)
    if ax is None:
        tall = 64 * len(table)
        sheet = page(words, tall + 60)
        ax = sheet.across(560, sheet.top, tall)
    _intervals(ax, table)
    ax.set_yticks(np.arange(len(table)), table["text"])
    ax.spines["left"].set_visible(False)
    return ax.figure


def leaving_out_zero(table: pd.DataFrame, what: str) -> str:
    """Say of how many effects the interval leaves out zero, as a title.

    Examples
    --------
    >>> leaving_out_zero(pd.DataFrame({"ci_low": [-1, 1], "ci_high": [1, 2]}), "effects")
    'One of two effects has an interval that leaves out zero'
    """
    count = int(((table["ci_low"] > 0) | (table["ci_high"] < 0)).sum())
    told = out_of(count, len(table))
    has = "has an interval that leaves" if count < 2 else "have intervals that leave"
    return f"{told[0].upper()}{told[1:]} {what} {has} out zero"


def _intervals(ax: Axes, table: pd.DataFrame) -> None:
    rows = np.arange(len(table))
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.axvline(0, **stroke(MUTED, 2.5))
    ax.hlines(rows, table["ci_low"], table["ci_high"], **stroke(MUTED, 6))
    ax.plot(table["estimate"], rows, "o", color=INK, markersize=points(16))


@drawing()
def dose_line(
    words: Words,
    doses: pd.DataFrame,
    line: pd.DataFrame,
    without: pd.DataFrame,
    *,
    unit: str = "dose",
    marks: tuple[Mark, Mark] = (RISE, FALL),
    aside: tuple[str, pd.DataFrame] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw reactions against doses, with the line, its bounds and its fragility.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    doses : DataFrame
        One row an event: `dose`, `estimate` (decimal fraction), `label`.
    line : DataFrame
        Index = any two doses; `estimate` and, for the bounds of the slope, `ci_low`, `ci_high`
        there. All three are straight and drawn through the whole picture.
    without : DataFrame
        `slope` and `intercept` of the line without each of the events.
    unit : str
        What a dose is.
    marks : pair of Mark
        The looks of doses above and below zero.
    aside : pair of str and DataFrame, optional
        Events that the line leaves out: why, and `dose`, `estimate`, `label`.
    ax : Axes, optional
        Where to draw, without the page around it.
    """
    check_axes(ax)
    why, others = aside or ("", doses.iloc[:0])
    if ax is None:
        sheet = page(words, 1010)
        sheet.key(sheet.top - 4, _dose_entries(marks))
        if len(others):
            hollow = {"marker": "o", "markerfacecolor": GROUND, "color": MUTED, "linestyle": ""}
            sheet.key(sheet.top + 34, [(hollow, why)])
        ax = sheet.across(90, sheet.top + 90, 790)
        sheet.note((sheet.left + 90 + sheet.right) / 2, sheet.top + 950, unit, ha="center")
    drawn = pd.concat([others[["dose", "estimate"]], doses[["dose", "estimate"]]])
    low, high = drawn.clip(upper=0).min(), drawn.clip(lower=0).max()
    reach = high - low
    x = np.linspace(low["dose"] - 0.10 * reach["dose"], high["dose"] + 0.10 * reach["dose"], 60)
    pad = 0.12 * reach["estimate"]
    ax.set(xlim=(x[0], x[-1]), ylim=(low["estimate"] - pad, high["estimate"] + pad))
    percent_axis(ax.yaxis, round_ticks(*ax.get_ylim()))
    number_axis(ax.xaxis, round_ticks(x[0], x[-1], 7))
    _lines(ax, x, line, without)
    _name(ax, drawn, _scatter(ax, doses, others, marks))
    return ax.figure


def _dose_entries(marks: tuple[Mark, Mark]) -> list[Entry]:
    return [
        *(mark.entry for mark in marks),
        (stroke(INK, 5), "slope"),
        ({**stroke(MUTED, 2.5), "dashes": (3, 3)}, "its 95% interval"),
        (stroke(BAND, 4), "slope without one session"),
    ]


def _lines(ax: Axes, x: np.ndarray, line: pd.DataFrame, without: pd.DataFrame) -> None:
    (first, *_, last), ends = line.index, line.iloc[[0, -1]].to_numpy()
    share = (x[:, None] - first) / (last - first)
    through = pd.DataFrame(ends[0] + share * (ends[1] - ends[0]), x, line.columns)
    bounds = through[["ci_low", "ci_high"]]
    for bound in (bounds.min(axis=1), bounds.max(axis=1)):
        ax.plot(x, bound, **stroke(MUTED, 2.5, 1.5), dashes=(3, 3))
    for row in without.itertuples():
        ax.plot(x, row.intercept + row.slope * x, **stroke(BAND, 4, 1.4))
    ax.plot(x, through["estimate"], **stroke(INK, 5, 2.5))
    ax.axhline(0, **stroke(MUTED, 2, 1.5))
    ax.axvline(0, **stroke(RULE, 2, 1.2))


def _scatter(
    ax: Axes, doses: pd.DataFrame, others: pd.DataFrame, marks: tuple[Mark, Mark]
) -> list[Mark]:
    """Draw the other points, then the doses; return what to write beside each."""
    named, (rise, fall) = [], marks
    for row in others.itertuples():
        hollow = {"markerfacecolor": GROUND, "markeredgecolor": MUTED, "zorder": 3}
        aside = Mark(row.label, MUTED, "o")
        symbol(ax, row.dose, row.estimate, aside, 18, markeredgewidth=points(3), **hollow)
        named.append(aside)
    for row in doses.itertuples():
        look = rise if row.dose > 0 else fall
        symbol(ax, row.dose, row.estimate, look, 22)
        named.append(replace(look, word=f"{row.label} {percent(row.estimate, 1)}"))
    return named


def _name(ax: Axes, drawn: pd.DataFrame, marks: Sequence[Mark]) -> None:
    """Write the word of each mark beside its point, where no point and no other word is."""
    dots = points_on(ax, drawn["dose"], drawn["estimate"])
    taken = dots + np.array([-14, -14, 14, 14])
    long = [line.get_data() for line in ax.lines if len(line.get_xdata()) > 2]
    zero = np.array(ax.get_xlim()), np.zeros(2)
    lines = np.concatenate([points_along(ax, *line) for line in (*long, zero)])
    bounds = np.array(ax.get_window_extent().extents)
    for mark, (x, y, *_) in zip(marks, dots, strict=True):
        text = ax.text(0, 0, mark.word, va="center", **letters(mark.colour, 6))
        _, _, width, tall = extent(text)
        steps = [
            (start, up)
            for up in (0, 30, -30, 60, -60, 90, -90, 120, -120)
            for start in (22, -22 - width, *([-width / 2] if up else []))
        ]
        boxes = around(text, x + [start for start, _ in steps], y + [up for _, up in steps], 0, 2)
        box = boxes[place(boxes, taken, bounds, lines)]
        move(text, box)
        taken = np.vstack([taken, box])
        middle = box[1::2].mean()
        if abs(middle - y) > tall:
            near = min(max(x, box[0]), box[2])
            edge = box[1] if middle > y else box[3]
            ends = ax.transData.inverted().transform([(x, y), (near, edge)]).T
            ax.plot(*ends, **stroke(mark.colour, 1.5, 2.8))
