"""Paths within the day: what prices did in the minutes around announcements, with their bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import points_along
from impact.charts.page import (
    BAND,
    INK,
    MUTED,
    Entry,
    Mark,
    Words,
    check_axes,
    drawing,
    number_axis,
    page,
    percent_axis,
    round_ticks,
    stroke,
    symbol,
)
from impact.charts.paths import INDENT, Panel, SmallPictures, kind_entry, limits_of, name_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The look of an announcement of no kind in particular.
PLAIN = Mark("move at the end of the window", INK, "o")

#: Columns of small pictures, height of one with its heading, and of a picture alone.
COLUMNS, CELL, ALONE = 4, 416, 640

#: Room between two small pictures.
GAP = 84

_ENTRIES: Sequence[Entry] = (
    ({"color": INK}, "price, every five minutes"),
    (stroke(BAND, 26), "95% of the same minutes on other days"),
    ({**stroke(MUTED, 3), "dashes": (2, 1.2)}, "last price before"),
)
_ACROSS = "minutes from the last price before the announcement"


@dataclass(frozen=True)
class MinutePanel(Panel):
    """A `Panel` whose move is measured from minute 0 to this minute."""

    measured: int = 30


@drawing()
def minute_paths(
    words: Words,
    paths: pd.DataFrame,
    panels: Mapping[str, MinutePanel],
    *,
    marks: Sequence[Mark] = (),
    ax: Axes | None = None,
) -> Figure:
    """Draw what prices did in the minutes around announcements.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    paths : DataFrame
        One row an event and minute: `event`, `minute` (from the last price before the
        announcement), `path` (move from that price), `band_low`, `band_high` (NaN where no band
        is known). Decimal fractions.
    panels : mapping of event -> MinutePanel
        In the order in which they are drawn; panels in one row share their scale.
    marks : sequence of Mark
        What the key explains besides.
    ax : Axes, optional
        Where to draw the only panel, without the page around it.
    """
    grouped = {event: path.set_index("minute") for event, path in paths.groupby("event")}
    check_axes(ax, len(panels))
    if len(panels) == 1:
        ((event, panel),) = panels.items()
        if ax is None:
            sheet = page(words, ALONE + 164)
            ax = sheet.across(90, sheet.top, ALONE)
            sheet.note(sheet.left + 90, sheet.top + ALONE + 54, _ACROSS)
            sheet.key(sheet.top + ALONE + 96, [*_ENTRIES, kind_entry(PLAIN, panel.mark)])
        _panel(ax, grouped[event], panel, limits_of([grouped[event]]), step=30)
        return ax.figure
    grid = SmallPictures(panels, COLUMNS, CELL, GAP)
    sheet = page(words, grid.height)
    for row in grid.rows(sheet, sheet.top):
        limits = limits_of(grouped[event] for event in row)
        for event, ax in row.items():
            _panel(ax, grouped[event], panels[event], limits)
    sheet.note(sheet.left + INDENT, sheet.top + grid.tall - 34, _ACROSS)
    grid.explain(sheet, sheet.top, [*_ENTRIES, *(mark.entry for mark in marks)])
    return sheet.figure


def _panel(
    ax: Axes,
    path: pd.DataFrame,
    panel: MinutePanel,
    limits: tuple[float, float],
    step: int = 60,
) -> None:
    first, last = path.index[0], path.index[-1]
    ax.set(xlim=(first - 4, last + 4), ylim=limits)
    percent_axis(ax.yaxis, round_ticks(*limits, 5), 1)
    number_axis(ax.xaxis, np.arange(-(-first // step) * step, last + 1, step))
    band = path[["band_low", "band_high"]]
    ax.fill_between(path.index, *band.to_numpy().T, color=BAND, linewidth=0, zorder=1)
    ax.axhline(0, **stroke(MUTED, 2, 1.5))
    ax.axvline(0, **stroke(MUTED, 2, 1.5), dashes=(3, 2))
    ax.plot(path.index, path["path"], **stroke(panel.mark.colour, 4, 3))
    if panel.measured in path.index:
        symbol(ax, panel.measured, path["path"][panel.measured], panel.mark, 18)
        announced = points_along(ax, np.zeros(2), np.array(limits))
        name_value(ax, path["path"], panel.measured, announced)
