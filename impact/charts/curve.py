"""Every way to have done it: questions with the range of their answers, and what decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.charts.page import (
    INK,
    MUTED,
    STONE,
    Mark,
    Words,
    drawing,
    page,
    percent_axis,
    round_ticks,
    rules,
    stroke,
    symbol,
)
from impact.text.formats import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Height of a row, in pixels; where the boxes of the estimates and of the p begin, their width.
ROW, LEFTS, WIDE = 40, (430, 1010), 400

#: Ends of the axis of p, and what is written on it.
P_LOW, P_TICKS = 0.001, (0.001, 0.01, 0.05, 0.2, 1)


@drawing()
def question_ranges(words: Words, questions: pd.DataFrame, choices: pd.DataFrame) -> Figure:
    """Draw the range of answers to each question, above what each other choice changes.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    questions : DataFrame
        A row each: `window`, `subset` (text), `n`, `neighbours` (counts), `estimate`, `low`,
        `high` (decimal fractions), `p_low`, `p_high`; those of one window together.
    choices : DataFrame
        By name: `options` (text), `moves` (decimal fraction), `turns` (share of answers) and
        `decides`.
    """
    ordered = questions.sort_values("window", key=lambda at: pd.factorize(at)[0], kind="stable")
    rows = np.array(rows_in_groups(ordered["window"]))
    tall = ROW * (rows.max() + 1)
    lists = [part for _, part in choices.groupby(~choices["decides"])]
    under = sum(ROW * len(part) + 60 for part in lists)
    sheet = page(words, 50 + tall + 130 + under)
    top = sheet.top + 50
    boxes = [sheet.axes(left, top, WIDE, tall) for left in LEFTS]
    for left, what in zip((sheet.left, *LEFTS), ("window, events", "mean CAR", "p"), strict=True):
        sheet.row(left, sheet.top + 12, what, color=MUTED)
    sheet.row(sheet.right, sheet.top + 12, "with other news", ha="right", color=MUTED)
    colours = [_colour(row) for row in ordered.itertuples()]
    _ranges(boxes[0], rows, ordered[["low", "estimate", "high"]].to_numpy(), colours)
    _p_ranges(boxes[1], rows, ordered[["p_low", "p_high"]].to_numpy(), colours)
    begins = ~ordered["window"].duplicated()
    for row, one, first in zip(rows, ordered.itertuples(), begins, strict=True):
        middle = top + ROW * (row + 0.5)
        if first:
            sheet.row(sheet.left, middle, one.window, weight="bold", color=MUTED)
        sheet.row(sheet.left + 90, middle, f"{one.subset} ({one.n})")
        near = f"{one.neighbours} of {one.n}" if one.neighbours else "none"
        sheet.row(sheet.right, middle, near, ha="right", color=MUTED)
    top += tall + 74
    said = {INK: "p ≤ 5% under every other choice", MUTED: "under some", STONE: "under none"}
    sheet.key(top, [(stroke(hue, 14), word) for hue, word in said.items()])
    top += 56
    ends = sheet.right - 300, sheet.right
    for part in lists:
        decide = part["decides"].all()
        head = "These choices decide" if decide else "These change next to nothing"
        sheet.heading(sheet.left, top, head)
        if part is lists[0]:
            for right, what in zip(ends, ("moves the mean by", "turns answers at 5%"), strict=True):
                sheet.row(right, top + 14, what, ha="right", color=MUTED)
        for place, one in enumerate(part.itertuples()):
            middle = top + 34 + ROW * (place + 0.5)
            sheet.row(sheet.left, middle, one.Index, weight="bold", color=MUTED)
            sheet.row(sheet.left + 170, middle, one.options)
            told = f"{number(100 * one.moves)} points", percent(one.turns, 0, signed=False)
            for right, what in zip(ends, told, strict=True):
                sheet.row(right, middle, what, ha="right", color=MUTED)
        top += ROW * len(part) + 60
    return sheet.figure


def _colour(question: Any) -> str:
    if question.p_high <= 0.05:
        return INK
    return MUTED if question.p_low <= 0.05 else STONE


def _ranges(ax: Axes, rows: np.ndarray, values: np.ndarray, colours: list[str]) -> None:
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    room = 0.08 * (high - low)
    ax.set(xlim=(low - room, high + room), ylim=(rows.max() + 0.5, -0.5), yticks=[])
    percent_axis(ax.xaxis, round_ticks(low - room, high + room, 4), 1)
    rules(ax.xaxis)
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))
    for row, (left, middle, right), colour in zip(rows, values, colours, strict=True):
        ax.plot([left, right], [row, row], **stroke(colour, 14, 2))
        symbol(ax, middle, row, Mark("median", colour, "D"))


def _p_ranges(ax: Axes, rows: np.ndarray, values: np.ndarray, colours: list[str]) -> None:
    ax.set(xscale="log", xlim=(P_LOW, 1), ylim=(rows.max() + 0.5, -0.5), yticks=[])
    ax.set_xticks(P_TICKS, map(str, P_TICKS))
    ax.minorticks_off()
    rules(ax.xaxis)
    ax.axvline(0.05, **stroke(INK, 2.5, 1.5))
    for row, (left, right), colour in zip(rows, np.maximum(values, P_LOW), colours, strict=True):
        # A range of one value is still a mark.
        ax.plot([left, max(right, 1.06 * left)], [row, row], **stroke(colour, 14, 2))


def rows_in_groups(groups: pd.Series) -> list[int]:
    """Return the rows of a list from top to bottom, one left empty above each group but the first.

    Examples
    --------
    >>> rows_in_groups(pd.Series(["a", "a", "b"]))
    [0, 1, 3]
    """
    return (np.arange(len(groups)) + (groups != groups.shift()).cumsum().to_numpy() - 1).tolist()
