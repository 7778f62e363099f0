"""Every way to have done it: a curve of estimates above the choices behind each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.page import (
    INK,
    MARGIN,
    MUTED,
    STONE,
    WIDTH,
    Words,
    drawing,
    key,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
)
from impact.text.formats import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Height of one option, and the box of the curve, in pixels.
ROW, LEFT, RIGHT, TALL = 30, 400, 130, 400


@drawing()
def estimate_curve(
    words: Words, table: pd.DataFrame, options: pd.DataFrame, test: str = ""
) -> Figure:
    """Draw the estimates of all specifications by rising size, above the choices behind each.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    table : DataFrame
        One row a specification, sorted: `estimate` (decimal fraction), `p_value`, and a column
        for each choice.
    options : DataFrame
        `choice`, `option` (as text), `estimate` (median), from top to bottom.
    test : str
        What the p-values are, after "p ≤ 5%" in the key.
    """
    options = options[options.groupby("choice")["option"].transform("size") > 1]
    rows = rows_in_groups(options["choice"])
    height = ROW * (max(rows) + 1)
    found = (table["p_value"] <= 0.05).to_numpy()
    sheet = page(words, 44 + TALL + 56 + height + 72)
    width, under = WIDTH - LEFT - RIGHT, sheet.top + 44 + TALL + 56
    sheet.note(MARGIN, sheet.top, "mean cumulative abnormal return")
    sheet.note(WIDTH - MARGIN, under - 40, "median", ha="right")
    above = sheet.axes(LEFT, sheet.top + 44, width, TALL)
    _estimates(above, table["estimate"].to_numpy(), found)
    below = sheet.axes(LEFT, under, width, height)
    below.set(xlim=above.get_xlim(), ylim=(max(rows) + 0.5, -0.5))
    below.set_axis_off()
    started = set()
    for row, option in zip(rows, options.itertuples(), strict=True):
        uses = (table[option.choice].astype("str") == option.option).to_numpy()
        for chosen, colour in ((uses & ~found, STONE), (uses & found, INK)):
            _ticks(below, np.flatnonzero(chosen), row, colour)
        middle = under + ROW * (row + 0.5)
        if option.choice not in started:
            sheet.row(MARGIN, middle, option.choice, weight="bold", color=MUTED)
            started.add(option.choice)
        sheet.row(LEFT - 16, middle, option.option, ha="right")
        sheet.row(WIDTH - MARGIN, middle, percent(option.estimate, 1), ha="right", color=MUTED)
    entries = ((INK, f"p ≤ 5% {test}".strip()), (STONE, "p > 5%"))
    key(sheet, sheet.bottom - 30, [({"marker": "o", "color": hue}, word) for hue, word in entries])
    return sheet.figure


def _ticks(ax: Axes, at: np.ndarray, row: int, colour: str) -> None:
    """Draw a tick for each specification: one path, which takes less room than its many ticks."""
    x = np.column_stack([at, at, np.full(len(at), np.nan)]).ravel()
    y = np.tile([row - 11 / ROW, row + 11 / ROW, np.nan], len(at))
    ax.plot(x, y, **stroke(colour, 1.2), snap=True)


def rows_in_groups(groups: pd.Series) -> list[int]:
    """Return the rows of a list from top to bottom, one left empty above each group but the first.

    Examples
    --------
    >>> rows_in_groups(pd.Series(["a", "a", "b"]))
    [0, 1, 3]
    """
    return (np.arange(len(groups)) + (groups != groups.shift()).cumsum().to_numpy() - 1).tolist()


def _estimates(ax: Axes, estimates: np.ndarray, found: np.ndarray) -> None:
    place = np.arange(len(estimates))
    reach = max(np.abs(estimates).max(), 1e-6)
    ax.set_xlim(-0.01 * len(place), 1.01 * len(place))
    ax.set_ylim(min(estimates.min(), 0) - 0.08 * reach, max(estimates.max(), 0) + 0.08 * reach)
    percent_axis(ax.yaxis, round_ticks(*ax.get_ylim()), 1)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.axhline(0, **stroke(MUTED, 3, 1))
    for chosen, colour in ((~found, STONE), (found, INK)):
        look = {"markersize": points(9), "markeredgewidth": 0, "zorder": 3}
        ax.plot(place[chosen], estimates[chosen], "o", color=colour, **look)
