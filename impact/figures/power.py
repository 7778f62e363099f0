"""The smallest move that the headline test finds, by volatility."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from impact.charts.labels import around, letters, met, move, place, points_along
from impact.charts.page import (
    GROUND,
    INK,
    MUTED,
    STONE,
    Words,
    extent,
    page,
    percent_axis,
    points,
    stroke,
)
from impact.figures.common import (
    CHINA_CALLED,
    by_third,
    core_labels,
    core_sessions,
    index_returns,
    source,
    volatility_before,
)
from impact.inference.equal_tails import POWER, detectable
from impact.news.kinds import MARKS
from impact.text.formats import date, list_of, percent
from impact.volatility.forecast import PAST_SESSIONS, conditional_z

#: Core events whose moves are shown beside the smallest detectable one.
SHOWN = ("liberation-day", CHINA_CALLED, "massive-increase-post")


@dataclass(frozen=True)
class Power:
    """A row a session, a row a third with its median, a row a marked event."""

    sessions: pd.DataFrame
    medians: pd.DataFrame
    marks: pd.DataFrame


def data() -> Power:
    """Compute the smallest detectable move on every fifth session."""
    z = conditional_z(index_returns())
    values, sigma = z["z"].to_numpy(), z["sigma"].to_numpy()
    rows = np.arange(PAST_SESSIONS, len(z), 5)
    found = [sigma[row] * detectable(values[row - PAST_SESSIONS : row]) for row in rows]
    days = z.index[rows]
    sessions = pd.DataFrame({"volatility": volatility_before()[days], "detectable": found}, days)
    medians = by_third(sessions).agg(
        low=("volatility", "min"), high=("volatility", "max"), detectable=("detectable", "median")
    )
    return Power(sessions, medians.reset_index(), _marks())


def _marks() -> pd.DataFrame:
    rows = core_sessions(SHOWN).rename(columns={"smallest_detectable": "detectable"})
    return rows.assign(
        event=SHOWN,
        label=[list_of(core_labels(names)) for names in rows["announcements"]],
        volatility=volatility_before()[rows["session"]].to_numpy(),
        move=rows["estimate"].abs(),
    )


def title(data: Power) -> str:
    """Say what is found in calm and in turbulent markets, and whether 2 May was enough."""
    calm, turbulent = (
        percent(move, 1, signed=False) for move in data.medians["detectable"].iloc[[0, -1]]
    )
    called = data.marks.set_index("event").loc[CHINA_CALLED]
    moved = percent(called["move"], 1, signed=False)
    verdict = "was too small to tell" if called["move"] < called["detectable"] else "was enough"
    return (
        f"In calm markets the test detects a {calm} move four times in five, in turbulent ones "
        f"{turbulent}; the {moved} of {date(called['session'])} {verdict}"
    )


def words(data: Power) -> Words:
    """Return what is written around the picture."""
    first, last = (date(data.sessions.index[end]) for end in (0, -1))
    return Words(
        title(data),
        f"The move of one session that the 5% test finds in {percent(POWER, 0, signed=False)} of "
        f"cases, in its harder direction, on every fifth session of the S&P 500 from {first} to "
        f"{last}; GJR-GARCH variance of the evening before, past shocks. An announcement whose "
        "move is smaller than that can be real without being found.",
        source("power", "events.csv"),
    )


def table(data: Power) -> pd.DataFrame:
    """Return the sessions, then the marked events."""
    dots = data.sessions.reset_index(names="session").assign(event="", move=np.nan)
    named = data.marks[["session", "volatility", "detectable", "event", "move"]]
    return pd.concat([dots, named], ignore_index=True)


def alt(data: Power) -> str:
    """Tell the picture."""
    by_third = ", ".join(
        f"{row.heading} {percent(row.detectable, 1, signed=False)}"
        for row in data.medians.itertuples()
    )
    told = "; ".join(
        f"{date(row.session)}, {row.label}: moved by {percent(row.move, 1, signed=False)}, "
        f"smallest detectable {percent(row.detectable, 1, signed=False)}"
        for row in data.marks.itertuples()
    )
    return (
        f"{title(data)}. One dot a session: the smallest detectable move against the volatility "
        f"of the 22 sessions before, both on logarithmic scales; the dots rise from left to right. "
        f"Medians by third: {by_third}. Marked events: {told}."
    )


# -- the picture ---------------------------------------------------------------------------------

_HOLLOW = {"marker": "o", "color": MUTED, "markerfacecolor": GROUND}


def draw(data: Power) -> Figure:
    """Draw a dot a session, the medians, and the marked moves."""
    sheet = page(words(data), 1010)
    what = "size of the move of one session, up or down"
    across = "volatility of the 22 sessions before, a year"
    sheet.note(sheet.left, sheet.top, what)
    sheet.note((sheet.left + sheet.right) / 2, sheet.top + 906, across, ha="center")
    ax = sheet.across(80, sheet.top + 44, 810)
    _axes(ax, data.sessions, data.marks)
    dots = {"color": STONE, "markersize": points(8), "markeredgewidth": 0, "zorder": 1}
    ax.plot(data.sessions["volatility"], data.sessions["detectable"], "o", **dots)
    _name_moves(ax, data, _median_lines(ax, data.medians))
    entries = [
        ({"marker": "o", "color": STONE, "markersize": points(10)}, "a session"),
        (stroke(INK, 6), "median of a third of the sessions"),
        MARKS["escalation"].entry,
        MARKS["easing"].entry,
        (_HOLLOW, "smallest detectable move"),
    ]
    sheet.key(sheet.bottom - 30, entries)
    return sheet.figure


def _axes(ax: Axes, sessions: pd.DataFrame, marks: pd.DataFrame) -> None:
    ax.set(xscale="log", yscale="log")
    low = min(sessions["detectable"].min(), marks["move"].min())
    high = max(sessions["detectable"].max(), marks["move"].max())
    ax.set_xlim(0.95 * sessions["volatility"].min(), 1.05 * sessions["volatility"].max())
    # Room above the dots for the words of the thirds.
    ax.set_ylim(0.9 * low, 1.9 * high)
    percent_axis(ax.xaxis, (0.05, 0.1, 0.2, 0.4, 0.8), signed=False)
    percent_axis(ax.yaxis, (0.01, 0.02, 0.04, 0.08, 0.16), signed=False)
    ax.minorticks_off()
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)


def _median_lines(ax: Axes, medians: pd.DataFrame) -> np.ndarray:
    """Draw the median of each third; return the room that the lines take."""
    top, taken = ax.get_ylim()[1], []
    look = {"ha": "center", "va": "top", "linespacing": 1.25, **letters(INK, 5)}
    for row in medians.itertuples():
        ax.plot([row.low, row.high], [row.detectable] * 2, **stroke(INK, 6, 3))
        told = f"{row.heading}\nmedian {percent(row.detectable, 1, signed=False)}"
        middle = np.sqrt(row.low * row.high)
        ax.text(middle, 0.94 * top, told, **look)
        ends = ax.transData.transform([(row.low, row.detectable), (row.high, row.detectable)])
        taken.append([*(ends[0] - 6), *(ends[1] + 6)])
    for edge in medians["high"].iloc[:-1]:
        ax.axvline(edge, linestyle=(0, (4, 4)), **stroke(MUTED, 2.5, 0.5))
        taken += [*points_along(ax, np.array([edge] * 2), np.array(ax.get_ylim()))]
    return np.array(taken)


def _name_moves(ax: Axes, data: Power, taken: np.ndarray) -> None:
    """Join each event's move to its smallest detectable one, with words over few dots."""
    dots = ax.transData.transform(data.sessions[["volatility", "detectable"]])
    named = []
    for mark in data.marks.itertuples():
        look, at = MARKS[mark.kind], [mark.volatility] * 2
        ends = [mark.detectable, mark.move]
        ax.plot(at, ends, **stroke(look.colour, 3, 5))
        circle = {**_HOLLOW, "markersize": points(17), "markeredgewidth": points(4)}
        ax.plot(at[0], ends[0], zorder=6, **circle)
        ax.plot(at[1], ends[1], **look.sized(20), zorder=6)
        found = percent(mark.detectable, 1, signed=False)
        told = [date(mark.session), *textwrap.wrap(mark.label, 28)]
        told.append(f"moved {percent(mark.estimate, 1)}, found from {found}")
        style = {"va": "center", "linespacing": 1.2, **letters(look.colour, 7)}
        text = ax.text(0, 0, "\n".join(told), **style)
        drawn = ax.transData.transform(np.column_stack([at, ends]))
        taken = np.vstack([taken, [*(drawn.min(axis=0) - 14), *(drawn.max(axis=0) + 14)]])
        named.append((text, drawn[1]))
    for text, at in named:
        box = _roomiest(text, at, taken, dots)
        move(text, box, 14)
        taken = np.vstack([taken, box])
        middle = box[1::2].mean()
        if abs(middle - at[1]) > box[3] - box[1]:
            near = min(max(at[0], box[0] + 14), box[2] - 14)
            edge = box[1] + 6 if middle > at[1] else box[3] - 6
            lead = ax.transData.inverted().transform([at, (near, edge)]).T
            ax.plot(*lead, **stroke(text.get_color(), 2, 4))


def _roomiest(text: Text, at: np.ndarray, taken: np.ndarray, dots: np.ndarray) -> np.ndarray:
    """Return the place beside a point that is near it and covers few dots."""
    steps = np.arange(-400, 401, 20)
    aside, drop = (grid.ravel() for grid in np.meshgrid(steps, steps))
    boxes = around(text, at[0] + aside - extent(text)[2] / 2, at[1] + drop, 14, 8)
    covered = met(boxes, np.tile(dots, 2))
    order = np.argsort(20 * covered + np.hypot(aside, drop), kind="stable")
    bounds = np.array(text.axes.get_window_extent().extents)
    return boxes[order][place(boxes[order], taken, bounds)]
