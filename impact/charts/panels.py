"""Many securities around common dates: a heat map of one session each, and lines around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.series import Panel
from impact.charts.style import (
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
    Page,
    Words,
    drawing,
    key,
    mark_entry,
    page,
    percent_axis,
    points,
    round_ticks,
    wrapped,
)
from impact.text.formats import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

#: Standard deviations at which the colours of a heat map end.
FULL = 5.0

#: Sizes of a heat map and of a small picture with lines, in pixels.
NAMES, TALL, FLAT, APART = 290, 104, 48, 20
CELL, ENDS = 490, 176


# -- heat map ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """Rows of a heat map that belong together; all frames have securities as rows.

    Attributes
    ----------
    z : DataFrame
        What the colour shows, standard deviations.
    text : DataFrame of str
        What is written in the cell.
    apart : DataFrame of bool
        Which cells are hatched and framed.
    """

    z: pd.DataFrame
    text: pd.DataFrame
    apart: pd.DataFrame


def heat_map(
    words: Words,
    heads: dict[str, Panel],
    common: Cells,
    cells: Cells,
    foot: tuple[str, Sequence[str]],
    meaning: str,
) -> Figure:
    """Draw a table of coloured cells: one column a session, one row a security.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    heads : dict of event -> Panel
        Columns from left to right; `heading` is a date, `note` the words under it.
    common : Cells
        The one row on top, set apart from the others.
    cells : Cells
        The rows below.
    foot : pair of str and texts
        Name and texts of a last row without colour.
    meaning : str
        What hatched cells are.
    """
    rows = len(cells.z)
    with drawing():
        probe = page(words, 100)
        pitch = (WIDTH - 2 * MARGIN - NAMES) / len(heads)
        notes = {
            event: wrapped(probe, panel.note, SMALL, pitch - 4) for event, panel in heads.items()
        }
        lines = max(note.count("\n") + 1 for note in notes.values())
        over = 116 + 27 * lines
        grid = TALL + APART + FLAT * rows
        sheet = page(words, over + grid + 48 + 130)
        kinds = [kind for kind in MARKS if kind in {panel.kind for panel in heads.values()}]
        key(sheet, sheet.top - 6, [mark_entry(kind) for kind in kinds])
        for place, (event, panel) in enumerate(heads.items()):
            middle = MARGIN + NAMES + (place + 0.5) * pitch
            _head(sheet, middle, panel, notes[event])
        left, top = MARGIN + NAMES, sheet.top + over
        ax = sheet.axes(left, top, WIDTH - MARGIN - left, grid)
        ax.set(xlim=(0, WIDTH - MARGIN - left), ylim=(grid, 0))
        ax.set_axis_off()
        for part, start, tall in ((common, 0, TALL), (cells, TALL + APART, FLAT)):
            _cells(ax, part, start, tall, pitch)
            for row, name in enumerate(part.z.index):
                sheet.text(
                    MARGIN,
                    top + start + (row + 0.5) * tall,
                    name,
                    SMALL,
                    va="center_baseline" if "\n" not in name else "center",
                    weight="bold" if part is common else "normal",
                )
        below = top + grid + 26
        sheet.text(MARGIN, below, foot[0], SMALL, va="center_baseline", color=MUTED)
        for place, text in enumerate(foot[1]):
            sheet.text(
                left + (place + 0.5) * pitch,
                below,
                text,
                SMALL,
                ha="center",
                va="center_baseline",
                color=MUTED,
            )
        _scale(sheet, top + grid + 76, meaning)
    return sheet.figure


def _head(sheet: Page, middle: float, panel: Panel, note: str) -> None:
    from matplotlib.lines import Line2D

    mark = MARKS[panel.kind]
    sheet.figure.add_artist(
        Line2D(
            [middle / WIDTH],
            [1 - (sheet.top + 52) / sheet.height],
            marker=mark.marker,
            color=mark.colour,
            markersize=points(17),
            linestyle="",
        )
    )
    sheet.text(
        middle, sheet.top + 68, panel.heading, SMALL, ha="center", weight="bold", color=mark.colour
    )
    sheet.text(middle, sheet.top + 98, note, SMALL, ha="center", color=MUTED)


def _colours() -> Colormap:
    """From vermilion through white to blue: the two hues that keep apart for everyone."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = (MARKS["escalation"].colour, GROUND, MARKS["easing"].colour)
    return LinearSegmentedColormap.from_list("behind_ahead", ends)


def _cells(ax: Axes, part: Cells, start: float, tall: float, pitch: float) -> None:
    from matplotlib.patches import Rectangle

    colours = _colours()
    for (row, column), z in np.ndenumerate(part.z.to_numpy()):
        share = float(np.clip(z / FULL, -1, 1))
        ground = colours((share + 1) / 2)
        x, y = column * pitch, start + row * tall
        apart = bool(part.apart.iat[row, column])
        ax.add_patch(
            Rectangle((x, y), pitch, tall, facecolor=ground, edgecolor=GROUND, linewidth=points(3))
        )
        ink = max((INK, GROUND), key=lambda letters: _contrast(letters, ground))
        kw = {"color": ink}
        if apart:
            inner = ((x + 3, y + 3), pitch - 6, tall - 6)
            ax.add_patch(
                Rectangle(*inner, facecolor="none", edgecolor=INK, linewidth=points(4), zorder=2)
            )
            ax.add_patch(
                Rectangle(
                    *inner, facecolor="none", hatch="///", edgecolor=ink, linewidth=0, zorder=1.5
                )
            )
            plate = {"facecolor": GROUND, "edgecolor": "none", "pad": points(4)}
            kw = {"color": INK, "weight": "bold", "bbox": plate}
        ax.text(
            x + pitch / 2,
            y + tall / 2,
            part.text.iat[row, column],
            ha="center",
            va="center",
            fontsize=points(SMALL),
            linespacing=1.3,
            zorder=3,
            **kw,
        )


def _contrast(letters, ground) -> float:
    """Ratio of the luminances of two colours, as the web's accessibility guidelines define it."""
    from matplotlib.colors import to_rgb

    rgb = np.array([to_rgb(letters), to_rgb(ground)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ [0.2126, 0.7152, 0.0722])
    return float((light + 0.05) / (dark + 0.05))


def _scale(sheet: Page, top: float, meaning: str) -> None:
    """Explain the colours and the hatch in one line under the table."""
    from matplotlib.patches import Rectangle

    left, width = MARGIN + NAMES, 380
    sheet.text(MARGIN, top + 14, "Colour: z, eve's variance", SMALL, va="center_baseline")
    ax = sheet.axes(left, top, width, 28)
    ax.imshow(
        np.linspace(0, 1, 256)[None, :], cmap=_colours(), aspect="auto", extent=(-FULL, FULL, 0, 1)
    )
    ticks = np.array([-4, -2, 0, 2, 4])
    ax.set_xticks(ticks, [number(tick, 0, signed=True) for tick in ticks])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    box = sheet.axes(left + width + 50, top, 64, 28)
    box.set_axis_off()
    box.set(xlim=(0, 64), ylim=(0, 28))
    box.add_patch(
        Rectangle((0, 0), 64, 28, facecolor="none", hatch="///", edgecolor=INK, linewidth=points(4))
    )
    room = WIDTH - MARGIN - (left + width + 130)
    sheet.text(left + width + 130, top - 2, wrapped(sheet, meaning, SMALL, room), SMALL)


# -- lines around events -------------------------------------------------------------------------


def line_panels(words: Words, paths: pd.DataFrame, panels: dict[str, Panel]) -> Figure:
    """Draw the paths of many securities around events, naming those that stand out.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    paths : DataFrame
        One row an event, security and relative session: `event`, `name`, `relative_session`,
        `path` (decimal fraction), `stands_out` (bool).
    panels : dict of event -> Panel
        In the order in which they are drawn, three in a row; a row shares its scale.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with drawing():
        sheet = page(words, rows * CELL + 50)
        pitch = (WIDTH - 2 * MARGIN - 90 + 20) / columns
        events = list(panels)
        for row in range(rows):
            members = events[row * columns : (row + 1) * columns]
            limits = _limits(paths.loc[paths["event"].isin(members), "path"])
            for column, event in enumerate(members):
                left, top = MARGIN + 90 + column * pitch, sheet.top + row * CELL
                panel = panels[event]
                heading = wrapped(sheet, panel.heading, LABEL, pitch - 30, weight="bold")
                sheet.text(left, top + 50, heading, LABEL, weight="bold", va="baseline", color=INK)
                sheet.text(left, top + 84, panel.note, SMALL, va="baseline", color=MUTED)
                ax = sheet.axes(left, top + 106, pitch - 20 - ENDS, 310)
                _lines(ax, paths[paths["event"] == event], limits, column == 0)
        ahead, behind = MARKS["easing"].colour, MARKS["escalation"].colour
        dot = {"marker": "o", "markersize": points(13), "linestyle": ""}
        key(
            sheet,
            sheet.top + rows * CELL + 6,
            [
                ({"color": ahead}, "ahead of the portfolio"),
                ({"color": behind}, "behind it"),
                ({"color": INK, **dot}, "stands out, sessions 0 to here"),
                ({"color": STONE, "linewidth": points(3)}, "sectors that never stand out"),
            ],
        )
    return sheet.figure


def _limits(path: pd.Series) -> tuple[float, float]:
    low, high = path.min(), path.max()
    room = 0.08 * (high - low)
    return low - room, high + room


def _lines(ax: Axes, paths: pd.DataFrame, limits: tuple[float, float], labelled: bool) -> None:
    wide = paths.pivot_table(index="relative_session", columns="name", values="path")
    apart = paths.pivot_table(index="relative_session", columns="name", values="stands_out") == 1
    days = wide.index.to_numpy()
    ax.set(xlim=(days[0] - 0.3, days[-1] + 0.3), ylim=limits)
    ticks = round_ticks(*limits, 5)
    percent_axis(ax.yaxis, ticks)
    if not labelled:
        ax.set_yticklabels([""] * len(ticks))
    ax.set_xticks(days, [number(day, 0, signed=True) if day % 5 == 0 else "" for day in days])
    ax.spines["left"].set_visible(False)
    ax.axhline(0, color=MUTED, linewidth=points(2), zorder=1.5)
    ax.axvline(-1, color=RULE, linewidth=points(1.5), zorder=1)
    named = wide.columns[apart.any()]
    ax.plot(days, wide.drop(columns=named), color=STONE, linewidth=points(2.5), zorder=2)
    ends = []
    for name in named:
        marked = apart[name].to_numpy()
        path = wide[name].to_numpy()
        colour = MARKS["easing" if path[marked][-1] >= 0 else "escalation"].colour
        ax.plot(days, path, color=colour, linewidth=points(4), zorder=3)
        ax.plot(
            days[marked],
            path[marked],
            "o",
            color=colour,
            markersize=points(13),
            zorder=4,
            markeredgecolor=GROUND,
            markeredgewidth=points(1.5),
        )
        ends.append((path[-1], name, colour))
    _end_labels(ax, days[-1], ends)


def _end_labels(ax: Axes, last: float, ends: list[tuple[float, str, str]]) -> None:
    """Name lines at their right ends, moved apart where they would touch."""
    bounds, back = ax.get_window_extent(), ax.transData.inverted()
    if not ends:
        at = back.transform((bounds.x1 + 16, (bounds.y0 + bounds.y1) / 2))
        ax.text(
            *at,
            "none\nstands out",
            va="center",
            fontsize=points(SMALL),
            color=MUTED,
            linespacing=1.25,
        )
        return
    ends = sorted(ends)
    wanted = [ax.transData.transform((last, value))[1] for value, _, _ in ends]
    for (value, name, colour), middle in zip(ends, _spread(wanted, 27), strict=True):
        x, y = ax.transData.transform((last, value))
        start = bounds.x1 + 22
        lead = back.transform([(x, y), (start - 4, middle)])
        ax.plot(
            *lead.T,
            color=colour,
            linewidth=points(1.5),
            clip_on=False,
            zorder=2.5,
            scalex=False,
            scaley=False,
        )
        ax.text(
            *back.transform((start, middle)),
            name,
            va="center_baseline",
            fontsize=points(SMALL),
            color=colour,
        )


def _spread(wanted: Sequence[float], step: float) -> np.ndarray:
    """Heights in the same order at least `step` apart, as near to those wanted as that allows.

    Groups that touch are centred on the mean of what they want.
    """
    groups: list[list[float]] = []
    for height in wanted:
        groups.append([height])
        while len(groups) > 1 and _low(groups[-1], step) < _high(groups[-2], step) + step:
            groups[-2:] = [groups[-2] + groups[-1]]
    return np.concatenate([_low(group, step) + step * np.arange(len(group)) for group in groups])


def _low(group: Sequence[float], step: float) -> float:
    return float(np.mean(group)) - step * (len(group) - 1) / 2


def _high(group: Sequence[float], step: float) -> float:
    return float(np.mean(group)) + step * (len(group) - 1) / 2
