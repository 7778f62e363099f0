"""A table of coloured cells: one column an event, one row a series, unusual cells in a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from impact.charts.page import (
    COOL,
    GROUND,
    INK,
    MUTED,
    SMALL,
    WARM,
    Mark,
    Page,
    Words,
    drawing,
    number_axis,
    page,
    points,
    wrapped,
)
from impact.charts.paths import Panel

#: Standard deviations at which the colours end.
FULL = 5.0

#: Sizes in pixels: the names of the rows, the first row, the gap under it, the words over a column.
NAMES, TALL, APART, HEAD = 290, 104, 20, 20


@drawing()
def cell_table(
    words: Words,
    heads: Mapping[str, Panel],
    cells: pd.DataFrame,
    *,
    flat: int,
    meaning: str,
    marks: Sequence[Mark] = (),
    below: tuple[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw a row that is set apart on top, and rows under it.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    heads : mapping of event -> Panel
        What stands over each column, in order.
    cells : DataFrame
        One row a cell: `event`, `name` (that of its row; the first is set apart), `z` (what the
        colour shows), `written`, and whether it is `framed`.
    flat : int
        Height of a row under the first in pixels.
    meaning : str
        What a frame says.
    marks : sequence of Mark
        Looks that the key explains.
    below : (str, sequence of str), optional
        Name and words of a line under the columns.
    """
    probe = page(words, 100)
    pitch = (probe.right - probe.left - NAMES) / len(heads)
    notes = [wrapped(probe, head.note, HEAD, pitch - 4, even=True) for head in heads.values()]
    over = 116 + 27 * max(note.count("\n") + 1 for note in notes)
    rows = list(cells.groupby("name", sort=False))
    grid = TALL + APART + flat * (len(rows) - 1)
    line = 48 if below else 0
    sheet = page(words, over + grid + line + 130)
    sheet.key(sheet.top - 6, [mark.entry for mark in marks])
    top = sheet.top + over
    ax = sheet.across(NAMES, top, grid)
    ax.set(xlim=(0, pitch * len(heads)), ylim=(grid, 0))
    ax.set_axis_off()
    sheet.text(sheet.left, top + TALL / 2, rows[0][0], va="center", weight="bold")
    for row, (name, part) in enumerate(rows):
        start, tall = (TALL + APART + (row - 1) * flat, flat) if row else (0, TALL)
        if row:
            sheet.row(sheet.left, top + start + flat / 2, name)
        _row(ax, part, list(heads), pitch, start, tall)
    middles = [sheet.left + NAMES + (place + 0.5) * pitch for place in range(len(heads))]
    for middle, head, note in zip(middles, heads.values(), notes, strict=True):
        _column(sheet, middle, head, note)
    if below:
        name, texts = below
        sheet.row(sheet.left, top + grid + 26, name, color=MUTED)
        for middle, text in zip(middles, texts, strict=True):
            sheet.row(middle, top + grid + 26, text, ha="center", color=MUTED)
    _scale(sheet, top + grid + line + 28, meaning)
    return sheet.figure


def _column(sheet: Page, middle: float, head: Panel, note: str) -> None:
    sheet.line([middle], sheet.top + 52, **head.mark.sized(17))
    bold: dict[str, Any] = {"ha": "center", "weight": "bold", "color": head.mark.colour}
    sheet.text(middle, sheet.top + 68, head.heading, **bold)
    sheet.text(middle, sheet.top + 98, note, HEAD, ha="center", color=MUTED)


def colours() -> Colormap:
    """From vermilion through white to blue: the two hues that keep apart for everyone."""
    return LinearSegmentedColormap.from_list("behind_ahead", (WARM, GROUND, COOL))


def _row(
    ax: Axes, cells: pd.DataFrame, events: list[str], pitch: float, y: float, tall: float
) -> None:
    scale = colours()
    for cell in cells.itertuples():
        ground = scale((float(np.clip(cell.z / FULL, -1, 1)) + 1) / 2)
        x = events.index(cell.event) * pitch
        look = {"facecolor": ground, "edgecolor": GROUND, "linewidth": points(3)}
        ax.add_patch(Rectangle((x, y), pitch, tall, **look))
        if cell.framed:
            inner = {"xy": (x + 3, y + 3), "width": pitch - 6, "height": tall - 6}
            frame = {"edgecolor": INK, "linewidth": points(6), "zorder": 2}
            ax.add_patch(Rectangle(**inner, facecolor="none", **frame))
        ink = max((INK, GROUND), key=partial(contrast, ground))
        middle = {"ha": "center", "va": "center", "linespacing": 1.3, "zorder": 3}
        at = x + pitch / 2, y + tall / 2
        ax.text(*at, cell.written, color=ink, **middle)


def contrast(one: Any, other: Any) -> float:
    """Ratio of the luminances of two colours, as the web's accessibility guidelines define it."""
    rgb = np.array([to_rgb(one), to_rgb(other)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ [0.2126, 0.7152, 0.0722])
    return float((light + 0.05) / (dark + 0.05))


def _scale(sheet: Page, top: float, meaning: str) -> None:
    """Explain the colours and the frame in one line under the table."""
    left, width = sheet.left + NAMES, 380
    sheet.row(sheet.left, top + 14, "Colour: z")
    ax = sheet.axes(left, top, width, 28)
    shades = np.linspace(0, 1, 256)[None, :]
    ax.imshow(shades, cmap=colours(), aspect="auto", extent=(-FULL, FULL, 0, 1))
    number_axis(ax.xaxis, [-4, -2, 0, 2, 4])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    box = sheet.axes(left + width + 50, top, 64, 28)
    box.set_axis_off()
    box.set(xlim=(0, 64), ylim=(0, 28))
    box.add_patch(Rectangle((0, 0), 64, 28, facecolor="none", edgecolor=INK, linewidth=points(6)))
    room = sheet.right - (left + width + 130)
    sheet.text(left + width + 130, top - 2, wrapped(sheet, meaning, SMALL, room))
