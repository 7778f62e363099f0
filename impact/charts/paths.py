"""Paths around events: small multiples, one panel an event, and the average of many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import NOTHING, around, letters, move, place, points_along
from impact.charts.page import (
    BAND,
    INK,
    LABEL,
    MARGIN,
    MUTED,
    WIDTH,
    Entry,
    Mark,
    Page,
    Words,
    amount_axis,
    check_axes,
    drawing,
    extent,
    number_axis,
    page,
    round_ticks,
    stroke,
    symbol,
    wrapped,
)
from impact.text.formats import amount, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The look of an event of no kind in particular.
PLAIN = Mark("session 0", INK, "o")

#: Height of a small picture with its heading, where there are several rows and where there is one.
CELL, ALONE = 360, 500

#: Where the value of a line may stand, the best first: in steps aside, and away from zero.
_ASIDE = np.array([0, 1, -1, 0, -1, 1, 1, 0, 0, 1, -1])
_UP = np.array([1, 1, 1, -1, 0, 0, -1, 2, -2, 2, 2])

#: Room for the numbers of an axis, and between two pictures, in pixels.
INDENT, GAP = 90, 40


@dataclass(frozen=True)
class Panel:
    """One small picture: its heading, the line under it, and the look of its event."""

    heading: str
    note: str
    mark: Mark = PLAIN


@dataclass(frozen=True)
class SmallPictures:
    """A grid of small pictures under their headings, and the place of its key.

    Parameters
    ----------
    panels : mapping of event -> Panel
        In the order in which they are drawn.
    columns : int
    cell, gap, aside : int
        Height of a row with its headings, room between two pictures, and room that each leaves
        free on its right; pixels.
    coloured : bool
        Whether a heading has the colour of its event.
    """

    panels: Mapping[str, Panel]
    columns: int
    cell: int
    gap: int = GAP
    aside: int = 0
    coloured: bool = True

    @property
    def tall(self) -> int:
        """Height of all rows in pixels."""
        return -(-len(self.panels) // self.columns) * self.cell

    @property
    def height(self) -> int:
        """Height of all rows, and of the key where it stands under them."""
        return self.tall + (0 if self._free else 100)

    @property
    def _free(self) -> int:
        """How many pictures there is room for at the end of the last row, if for the key."""
        free = -len(self.panels) % self.columns
        return free if free * WIDTH / self.columns > 500 else 0

    @property
    def _pitch(self) -> float:
        return (WIDTH - 2 * MARGIN - INDENT + self.gap) / self.columns

    def rows(self, sheet: Page, top: float) -> Iterator[dict[str, Axes]]:
        """Make the axes row by row, the first at `top`; only the first of a row has labels."""
        events, wide = list(self.panels), self._pitch - self.gap
        for start in range(0, len(events), self.columns):
            axes = {}
            for column, event in enumerate(events[start : start + self.columns]):
                panel, left = self.panels[event], MARGIN + INDENT + column * self._pitch
                colour = panel.mark.colour if self.coloured else INK
                heading = wrapped(sheet, panel.heading, LABEL, wide, even=True, weight="bold")
                sheet.heading(left, top + 40, heading, va="baseline", color=colour)
                sheet.note(left, top + 74, panel.note, va="baseline")
                ax = sheet.axes(left, top + 94, wide - self.aside, self.cell - 178)
                ax.tick_params(axis="y", labelleft=column == 0)
                axes[event] = ax
            yield axes
            top += self.cell

    def explain(self, sheet: Page, top: float, entries: Sequence[Entry]) -> None:
        """Explain the pictures beside their last row or, where it is full, under it."""
        below = top + self.tall
        if not self._free:
            sheet.key(below + 10, entries)
            return
        left = MARGIN + INDENT + 24 + (self.columns - self._free) * self._pitch
        top = below - self.cell + 22
        sheet.heading(left, top, "How to read it")
        for line, entry in enumerate(entries):
            sheet.key(top + 44 + 38 * line, [entry], left)
        scale = "Each row of pictures has its own scale."
        sheet.note(left, top + 50 + 38 * len(entries), scale)


@drawing()
def path_panels(
    words: Words,
    paths: pd.DataFrame,
    panels: Mapping[str, Panel],
    *,
    marks: Sequence[Mark] = (PLAIN,),
    ax: Axes | None = None,
) -> Figure:
    """Draw cumulative abnormal returns around events as small multiples.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    paths : DataFrame
        One row an event and relative session: `event`, `relative_session`, `path`, and the bands
        `textbook_low`, `textbook_high` and, if there are any, `conditional_low`,
        `conditional_high`. Decimal fractions.
    panels : mapping of event -> Panel
        In the order in which they are drawn; panels in one row share their scale.
    marks : sequence of Mark
        What the key explains, in this order.
    ax : Axes, optional
        Where to draw the only panel, without the page around it.
    """
    grouped = dict(list(paths.groupby("event", sort=False)))
    events = list(panels)
    check_axes(ax, len(events))
    if ax is not None:
        limits = limits_of(grouped.values())
        _path(ax, grouped[events[0]], panels[events[0]].mark, limits, words.unit)
        return ax.figure
    grid = SmallPictures(panels, min(3, len(events)), CELL if len(events) > 3 else ALONE)
    sheet = page(words, grid.height)
    for row in grid.rows(sheet, sheet.top):
        limits = limits_of(grouped[event] for event in row)
        for event, panel in row.items():
            _path(panel, grouped[event], panels[event].mark, limits, words.unit)
    sheet.note(sheet.left + INDENT, sheet.top + grid.tall - 36, "sessions from the event")
    drawn = _path_entries("conditional_low" in paths, words.unit)
    grid.explain(sheet, sheet.top, [*drawn, *(kind_entry(PLAIN, mark) for mark in marks)])
    return sheet.figure


def limits_of(paths: Iterable[pd.DataFrame]) -> tuple[float, float]:
    """Return the lower and upper end of an axis that holds some paths and their bands."""
    drawn = np.vstack([path.filter(regex="^path$|_low$|_high$") for path in paths])
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    room = 0.08 * (high - low)
    return low - room, high + 2 * room


def _path(ax: Axes, path: pd.DataFrame, mark: Mark, limits: tuple[float, float], unit: str) -> None:
    path = path.set_index("relative_session")
    x, y = path.index.to_numpy(), path["path"].to_numpy()
    session_axes(ax, x, limits, unit=unit)
    days = [number(day, 0, signed=True) if day == -1 or day % 5 == 0 else "" for day in x]
    ax.set_xticks(x, days)
    bands = path.filter(regex="_(low|high)$")
    fan = pd.concat([bands.loc[[-1]].fillna(0.0), bands.loc[0:]])
    if "conditional_low" in fan:
        low, high = fan["conditional_low"], fan["conditional_high"]
        ax.fill_between(fan.index, low, high, color=BAND, linewidth=0, zorder=1)
    edges = [fan["textbook_low"], fan["textbook_high"]]
    for edge in edges:
        ax.plot(edge.index, edge, **stroke(MUTED, 2.5, 2), dashes=(3, 2))
    ax.plot(x, y, **stroke(mark.colour, 5, 3))
    symbol(ax, 0, path.loc[0, "path"], mark, 20)
    lines = np.concatenate([points_along(ax, edge.index.to_numpy(), edge) for edge in edges])
    name_value(ax, path["path"], 0, lines=lines, unit=unit)


def session_axes(
    ax: Axes, days: np.ndarray, limits: tuple[float, float], *, room: float = 0.4, unit: str = ""
) -> None:
    """Set up axes for returns around session 0."""
    ax.set(xlim=(days[0] - room, days[-1] + room), ylim=limits)
    amount_axis(ax.yaxis, round_ticks(*limits, 5), unit)
    ax.axhline(0, **stroke(MUTED, 2, 1.5))


def name_value(
    ax: Axes,
    path: pd.Series,
    at: int,
    taken: np.ndarray = NOTHING,
    *,
    lines: np.ndarray = NOTHING,
    unit: str = "",
) -> None:
    """Write the value of a line near it, wherever there is room, off other lines if it can be."""
    look = {"va": "center", "weight": "bold", **letters(INK, 5, LABEL)}
    text = ax.text(at, path[at], amount(path[at], unit), **look)
    x, y = ax.transData.transform((at, path[at]))
    _, _, width, tall = extent(text)
    up, aside = tall / 2 + 20, width / 2 + 20
    up = up if path[at] >= 0 else -up
    boxes = around(text, x - width / 2 + aside * _ASIDE, y + up * _UP, 2, 1)
    line = points_along(ax, path.index.to_numpy(), path.to_numpy())
    move(text, boxes[place(boxes, np.concatenate([line, taken]), lines=lines)], 2)


def _path_entries(conditional: bool, unit: str) -> list[Entry]:
    what = "change" if unit else "return"
    entries: list[Entry] = [({"color": INK}, f"cumulative abnormal {what}")]
    if conditional:
        entries.append((stroke(BAND, 26), "95% range without news"))
    return [*entries, ({**stroke(MUTED, 3), "dashes": (2, 1.2)}, "the same, constant variance")]


def kind_entry(plain: Mark, mark: Mark) -> Entry:
    """Explain the look of a kind of event by what the plain look stands for."""
    look, word = mark.entry
    return look, word if mark == plain else f"{plain.word}: {word}"


@drawing()
def average_path(words: Words, table: pd.DataFrame, *, ax: Axes | None = None) -> Figure:
    """Draw an average cumulative path with its 95% interval, and zero.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    table : DataFrame
        Index = relative session; `estimate`, `ci_low`, `ci_high`, decimal fractions.
    ax : Axes, optional
        Where to draw, without the page around it.
    """
    check_axes(ax)
    if ax is None:
        sheet = page(words, 700)
        ax = sheet.across(90, sheet.top, 620)
        sheet.note(sheet.left + 90, sheet.top + 664, "sessions from the event")
    x = table.index.to_numpy()
    values = table[["estimate", "ci_low", "ci_high"]]
    low, high = min(values.min().min(), 0.0), max(values.max().max(), 0.0)
    room = 0.08 * (high - low)
    ax.set(xlim=(x[0] - 0.4, x[-1] + 0.4), ylim=(low - room, high + room))
    amount_axis(ax.yaxis, round_ticks(low - room, high + room), words.unit, 1)
    number_axis(ax.xaxis, x)
    ax.fill_between(x, values["ci_low"], values["ci_high"], color=BAND, linewidth=0)
    ax.axhline(0, **stroke(MUTED, 2))
    ax.plot(x, values["estimate"], **stroke(INK, 5))
    return ax.figure
