"""Who was hit: the move of eleven sector funds in the core sessions, together and apart.

On one date eleven sectors are one observation of the common move, so their average, the
equal-weighted portfolio, is tested first; then what each sector did beyond its beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from impact.charts.page import (
    COOL,
    GROUND,
    INK,
    MARGIN,
    MUTED,
    SMALL,
    WARM,
    WIDTH,
    Page,
    Words,
    drawing,
    key,
    number_axis,
    page,
    points,
    wrapped,
)
from impact.charts.paths import Panel
from impact.figures.common import (
    LEVEL,
    MARKS,
    SECTORS,
    and_more,
    core_kind,
    core_labels,
    model_of,
    sector_moves,
    sector_study,
    short_day,
    source,
)
from impact.inference.who_was_hit import NEAREST, RelativeMoves
from impact.text.formats import counted, date, list_of, number, p_phrase, p_value, percent

#: Standard deviations at which the colours end.
FULL = 5.0

#: Sizes in pixels: the names of the rows, the portfolio's row, a sector's row, the gap between.
NAMES, TALL, FLAT, APART = 290, 104, 48, 20


@dataclass(frozen=True)
class Reactions:
    """Column heads by event, the portfolio's CAR, the moves beyond beta, and rows in order."""

    heads: dict[str, Panel]
    sessions: pd.Series
    car: pd.DataFrame
    moves: RelativeMoves
    order: pd.Index


def data() -> Reactions:
    """Test the portfolio, then each sector beyond its beta."""
    study, moves = sector_study(), sector_moves()
    car = study.portfolio().car(0).set_axis(study.alignment.index)
    heads = {unit.Index: _head(unit) for unit in study.alignment.itertuples()}
    widest = moves.z.loc[moves.p_max.idxmin()]
    order = widest.sort_values(ascending=False, kind="stable").index
    return Reactions(heads, study.alignment["session"], car, moves, order)


def _head(unit: Any) -> Panel:
    note = and_more(core_labels(unit.announcements)[0], unit)
    if unit.releases:
        note += f"\nwith {unit.releases}"
    return Panel(short_day(unit.session), note, MARKS[core_kind(unit)])


def title(data: Reactions) -> str:
    """Say on how many sessions a sector stood out, and which on the most unusual of them."""
    p, most = data.moves.p_max, data.moves.p_max.idxmin()
    found, n, day = int((p <= LEVEL).sum()), len(p), date(data.sessions[most])
    if not found:
        name = SECTORS[data.moves.p_adjusted.loc[most].idxmin()].lower()
        return (
            f"On none of {n} core days does a sector stand out beyond its beta; nearest to it "
            f"comes {name} on {day} ({p_phrase(p[most])})"
        )
    return (
        f"Sectors stand out beyond their betas on {found} of {n} core days (by chance: "
        f"{number(LEVEL * n, 1)}); most on {day}: {_sides(data.moves, most)}"
    )


def _sides(moves: RelativeMoves, event: str) -> str:
    """Say which sectors stand out ahead of their share of the market's move and which behind."""
    z = moves.z.loc[event, (moves.p_adjusted.loc[event] <= LEVEL).to_numpy()]
    parts = []
    for side, where in ((z[z > 0], "ahead"), (z[z < 0], "behind")):
        if len(side):
            names = side.sort_values(key=abs, ascending=False).index.map(SECTORS)
            parts.append(f"{list_of(name.lower() for name in names)} {where}")
    return ", ".join(parts)


def words(data: Reactions) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Top row: abnormal log return of the equal-weighted portfolio of eleven sector funds in "
        f"session 0 ({model_of(sector_study())}) and its conditional p. Below: log return of each "
        "sector less alpha and beta times the S&P 500's, in %, coloured by z, its size in standard "
        "deviations known the evening before (GJR-GARCH; the error of beta counted). "
        f"n = {counted(len(data.car), 'session')} of core events; closes since "
        f"{date(sector_study().returns.index[0])}.",
        source("sector-reactions", "events.csv", "macro_releases.csv", prices="sectors"),
    )


def table(data: Reactions) -> pd.DataFrame:
    """One row a session and security: the portfolio, then the sectors as they are drawn."""
    columns = {"estimate": "estimate", "z_conditional": "z", "p_conditional": "p"}
    common = data.car[list(columns)].rename(columns=columns)
    common.insert(0, "security", "portfolio")
    common.insert(1, "sector", "equal-weighted average")
    moves = data.moves
    single = [
        pd.DataFrame(
            {
                "security": name,
                "sector": SECTORS[name],
                "estimate": moves.estimate[name],
                "z": moves.z[name],
                "p": moves.p_adjusted[name],
            }
        )
        for name in data.order
    ]
    table = pd.concat([common, *single]).rename_axis("event").reset_index()
    table.insert(1, "session", table["event"].map(data.sessions))
    table["stands_out"] = table["p"] <= LEVEL
    return table.sort_values("session", kind="stable", ignore_index=True)


def alt(data: Reactions) -> str:
    """Tell the picture."""
    told = []
    for event, head in data.heads.items():
        row = data.car.loc[event]
        sides = _sides(data.moves, event) or "no sector stands out"
        note = head.note.replace("\n", ", ")
        told.append(
            f"{head.heading}, {note}: portfolio {percent(row['estimate'])} "
            f"({p_phrase(row['p_conditional'])}), {sides} "
            f"(maximum test {p_phrase(data.moves.p_max[event])})"
        )
    return (
        f"{title(data)}. Table of coloured cells, one column a core session, the portfolio on top "
        "and eleven sectors below, blue ahead of what beta explains, vermilion behind. "
        f"{'; '.join(told)}."
    )


# -- the picture ---------------------------------------------------------------------------------


#: What the colour shows (z), what is written, and which cells are framed.
Cells = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def portfolio_cells(car: pd.DataFrame) -> Cells:
    """Return the row of the portfolio, set apart on top."""
    p = car["p_conditional"]
    written = [
        f"{percent(move, 1)}\np {p_phrase(its_p).removeprefix('p ')}"
        for move, its_p in zip(car["estimate"], p, strict=True)
    ]
    rows = car["z_conditional"], pd.Series(written, car.index), p <= LEVEL
    return tuple(row.to_frame().T for row in rows)


def sector_cells(moves: RelativeMoves, order: pd.Index) -> Cells:
    """Return the rows of the sectors."""
    written = moves.estimate.map(lambda move: percent(move, 1))
    return tuple(frame[order].T for frame in (moves.z, written, moves.p_adjusted <= LEVEL))


@drawing()
def draw(data: Reactions) -> Figure:
    """Draw a table of coloured cells: one column a session, one row a security."""
    pitch = (WIDTH - 2 * MARGIN - NAMES) / len(data.heads)
    about = words(data)
    probe = page(about, 100)
    notes = [wrapped(probe, head.note, SMALL, pitch - 4) for head in data.heads.values()]
    over = 116 + 27 * max(note.count("\n") + 1 for note in notes)
    grid = TALL + APART + FLAT * len(data.order)
    sheet = page(about, over + grid + 48 + 130)
    shown = {head.mark for head in data.heads.values()}
    key(sheet, sheet.top - 6, [mark.entry for mark in MARKS.values() if mark in shown])
    left, top = MARGIN + NAMES, sheet.top + over
    ax = sheet.axes(left, top, WIDTH - MARGIN - left, grid)
    ax.set(xlim=(0, WIDTH - MARGIN - left), ylim=(grid, 0))
    ax.set_axis_off()
    name = "Portfolio of the eleven\nand its conditional p"
    sheet.text(MARGIN, top + TALL / 2, name, va="center", weight="bold")
    _cells(ax, portfolio_cells(data.car), 0, TALL, pitch)
    _cells(ax, sector_cells(data.moves, data.order), TALL + APART, FLAT, pitch)
    for row, security in enumerate(data.order):
        sheet.row(MARGIN, top + TALL + APART + (row + 0.5) * FLAT, SECTORS[security])
    below = top + grid + 26
    sheet.row(MARGIN, below, "p of the largest move", color=MUTED)
    heads = zip(data.heads.values(), notes, data.moves.p_max, strict=True)
    for place, (head, note, p) in enumerate(heads):
        middle = left + (place + 0.5) * pitch
        _column(sheet, middle, head, note)
        sheet.row(middle, below, p_value(p), ha="center", color=MUTED)
    _scale(sheet, top + grid + 76, int(data.moves.pool.min()))
    return sheet.figure


def _column(sheet: Page, middle: float, head: Panel, note: str) -> None:
    colour, high = head.mark.colour, 1 - (sheet.top + 52) / sheet.height
    look = {"marker": head.mark.marker, "markersize": points(17), "linestyle": ""}
    sheet.figure.add_artist(Line2D([middle / WIDTH], [high], color=colour, **look))
    bold: dict[str, Any] = {"ha": "center", "weight": "bold", "color": colour}
    sheet.text(middle, sheet.top + 68, head.heading, **bold)
    sheet.note(middle, sheet.top + 98, note, ha="center")


def colours() -> Colormap:
    """From vermilion through white to blue: the two hues that keep apart for everyone."""
    return LinearSegmentedColormap.from_list("behind_ahead", (WARM, GROUND, COOL))


def _cells(ax: Axes, cells: Cells, start: float, tall: float, pitch: float) -> None:
    scale, (shades, written, apart) = colours(), cells
    for (row, column), z in np.ndenumerate(shades.to_numpy(float)):
        ground = scale((float(np.clip(z / FULL, -1, 1)) + 1) / 2)
        x, y = column * pitch, start + row * tall
        cell = {"facecolor": ground, "edgecolor": GROUND, "linewidth": points(3)}
        ax.add_patch(Rectangle((x, y), pitch, tall, **cell))
        ink = max((INK, GROUND), key=partial(contrast, ground))
        look: dict[str, Any] = {"color": ink}
        if apart.iat[row, column]:
            inner = {"xy": (x + 3, y + 3), "width": pitch - 6, "height": tall - 6}
            frame = {"edgecolor": INK, "linewidth": points(6), "zorder": 2}
            ax.add_patch(Rectangle(**inner, facecolor="none", **frame))
        ax.text(
            x + pitch / 2,
            y + tall / 2,
            written.iat[row, column],
            ha="center",
            va="center",
            fontsize=points(SMALL),
            linespacing=1.3,
            zorder=3,
            **look,
        )


def contrast(one: Any, other: Any) -> float:
    """Ratio of the luminances of two colours, as the web's accessibility guidelines define it."""
    rgb = np.array([to_rgb(one), to_rgb(other)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ [0.2126, 0.7152, 0.0722])
    return float((light + 0.05) / (dark + 0.05))


def _scale(sheet: Page, top: float, pool: int) -> None:
    """Explain the colours and the frame in one line under the table."""
    left, width = MARGIN + NAMES, 380
    sheet.row(MARGIN, top + 14, "Colour: z")
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
    meaning = (
        f"p at most {number(LEVEL)}; for sectors the step-down maximum test over all eleven, among "
        f"the {NEAREST} of {pool:,} or more earlier sessions with the nearest market move"
    )
    room = WIDTH - MARGIN - (left + width + 130)
    sheet.text(left + width + 130, top - 2, wrapped(sheet, meaning, SMALL, room))
