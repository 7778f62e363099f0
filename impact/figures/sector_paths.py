"""The cumulative moves of eleven sector funds beyond their betas, around the core sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from impact.charts.page import COOL, RULE, STONE, WARM, Mark, Words, page, points, stroke, symbol
from impact.charts.paths import INDENT, Panel, SmallPictures, session_axes
from impact.figures.common import sector_moves, sector_study, session_panel, source
from impact.inference.measured_sizes import some_day_rate
from impact.inference.ranked_moves import NEAREST
from impact.inference.tests import LEVEL
from impact.market.prices import SECTORS
from impact.text.formats import counted, list_of, number, out_of, percent, spelt

#: Names for the end of a line.
SHORT = {"Consumer staples": "Staples", "Consumer discretionary": "Discretionary"}

BEFORE, LAST = -1, 5

#: Heights of pictures with names and of small ones without, headings included, and how many of
#: these there are in a row; pixels.
TALL, FLAT, COLUMNS = 400, 318, 4

#: Room for the names at the ends of the lines, in pixels, and the height of one.
ENDS, STEP = 190, 30


@dataclass(frozen=True)
class Paths:
    """One row an event, sector and relative session, and what is written over each panel."""

    paths: pd.DataFrame
    panels: dict[str, Panel]
    pool: int


def data() -> Paths:
    """Compute the paths; p from session 0 on, zero before it."""
    study, parts = sector_study(), []
    for day in range(study.settings.window.start, LAST + 1):
        if day > BEFORE:
            moves = sector_moves(0, day)
            path, p = moves.estimate, moves.p_adjusted
        else:
            # Earlier: minus what was still to come.
            path = -sector_moves(min(day + 1, BEFORE), BEFORE).estimate * (day < BEFORE)
            p = path * np.nan
        long = pd.DataFrame({"path": path.stack(), "p_adjusted": p.stack()})
        parts.append(long.assign(relative_session=day))
    paths = pd.concat(parts).rename_axis(["event", "security"]).reset_index()
    paths.insert(1, "session", paths["event"].map(study.alignment["session"]))
    paths.insert(3, "sector", paths["security"].map(SECTORS))
    paths["stands_out"] = paths["p_adjusted"] <= LEVEL
    paths = paths.sort_values(["session", "security", "relative_session"], ignore_index=True)
    panels = {unit.Index: session_panel(unit) for unit in study.alignment.itertuples()}
    # The last of the moves is that of the whole window.
    return Paths(paths, panels, int(moves.pool.min()))


def title(data: Paths) -> str:
    """Count the sectors that stood out in session 0, and those that still did at the end."""
    found = data.paths[data.paths["stands_out"]].groupby("relative_session")
    pairs = {day: set(zip(rows["event"], rows["security"], strict=True)) for day, rows in found}
    first = pairs.get(0, set())
    n, still = len(first), len(first & pairs.get(LAST, set()))
    if not n:
        later, of = len(_later(data)), len(data.panels)
        more = f"; counting the days after, some did in {out_of(later, of)}" if later else ""
        return f"No sector stood out beyond its beta on the day of a core event{more}"
    moves = f"{spelt(n)} sector move{'' if n == 1 else 's'}"
    start = f"Of {moves} that stood out on the day of a core event"
    kept = "all" if still == n else spelt(still) if still else "none"
    return f"{start}, {kept} also did so over that day and the next {LAST}"


def _later(data: Paths) -> pd.Index:
    """Events with a triangle on some of the days after."""
    after = data.paths["stands_out"] & (data.paths["relative_session"] > 0)
    return data.paths.loc[after, "event"].unique()


def _by_chance(data: Paths) -> str:
    """Say in how many events a triangle is due by chance, and in how many there is one."""
    n, rate, found = len(data.panels), some_day_rate(), _later(data)
    days = list_of(data.panels[event].note for event in found)
    here = f"; here {len(found)} has" if len(found) == 1 else f"; here {len(found)} have"
    one = f"By chance alone {number(LEVEL * n, 1)} of the {n} would have one on any one day"
    if np.isfinite(rate):
        some = f", {number(rate * n, 1)} on some of days 1 to {LAST} ({percent(rate, 1)[1:]})"
        one = f"{one}{some}"
    return f"{one}{here}{f' ({days})' if days else ''}."


def words(data: Paths) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Cumulative log return of eleven sector funds less alpha and beta times the S&P 500's, in "
        f"%, from the close before; n = {counted(len(data.panels), 'core session')}. Triangles: "
        "the move to there stands out at 5%, by the step-down maximum test over the eleven, among "
        f"the {NEAREST} of at least {data.pool:,} earlier windows nearest in the market's move, in "
        "standard deviations (GJR-GARCH variance of the evening before, times the number of "
        f"sessions). {_by_chance(data)}",
        source("sector-paths", "events.csv", "macro_releases.csv", prices="sectors"),
    )


def table(data: Paths) -> pd.DataFrame:
    """Return the paths."""
    return data.paths


def alt(data: Paths) -> str:
    """Tell the picture."""
    parts = data.paths.groupby("event", sort=False)
    told = [_sentence(data.panels[event], part) for event, part in parts]
    return " ".join([f"{title(data)}.", *told])


def _sentence(panel: Panel, paths: pd.DataFrame) -> str:
    by_day = paths.pivot_table(index="sector", columns="relative_session", values="path")
    apart = paths.loc[paths["stands_out"]].groupby("sector")["relative_session"].agg(list)
    told = [
        f"{name} {percent(by_day.loc[name, 0])} in the session, {percent(by_day.loc[name, LAST])} "
        f"after {LAST} (stands out over sessions 0 to {list_of(days)})"
        for name, days in apart.items()
    ]
    said = "; ".join(told) or (
        f"no sector stands out, between {percent(by_day[0].min())} and "
        f"{percent(by_day[0].max())} in the session"
    )
    return f"{panel.heading} ({panel.note}): {said}."


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Paths) -> Figure:
    """Draw a panel for each session, naming the sectors that stand out."""
    paths = data.paths
    apart = set(paths.loc[paths["stands_out"], "event"])
    named = {event: panel for event, panel in data.panels.items() if event in apart}
    others = {event: panel for event, panel in data.panels.items() if event not in apart}
    large = SmallPictures(named, min(3, len(named)) or 1, TALL, aside=ENDS, coloured=False)
    small = SmallPictures(others, COLUMNS, FLAT, coloured=False)
    sheet = page(words(data), large.tall + small.height)
    below = sheet.top + large.tall
    for row in (*large.rows(sheet, sheet.top), *small.rows(sheet, below)):
        _row(paths, row)
    entries = [
        Mark("sessions 0 to here stand out: ahead of its share of the market", COOL, "^").entry,
        Mark("the same: behind it", WARM, "v").entry,
        (stroke(STONE, 3), "sectors that never stand out"),
    ]
    sheet.note(sheet.left + INDENT, below + small.tall - 40, "sessions from the event")
    small.explain(sheet, below, entries)
    return sheet.figure


def _row(paths: pd.DataFrame, row: Mapping[str, Axes]) -> None:
    drawn = paths.loc[paths["event"].isin(row), "path"]
    room = 0.08 * (drawn.max() - drawn.min())
    limits = drawn.min() - room, drawn.max() + room
    for event, ax in row.items():
        _lines(ax, paths[paths["event"] == event], limits)


def _lines(ax: Axes, paths: pd.DataFrame, limits: tuple[float, float]) -> None:
    paths = paths.assign(name=paths["sector"].replace(SHORT))
    wide = paths.pivot_table(index="relative_session", columns="name", values="path")
    apart = paths.pivot_table(index="relative_session", columns="name", values="stands_out") == 1
    days = wide.index.to_numpy()
    session_axes(ax, days, limits, room=0.3)
    ax.set_xticks(days, [number(day, 0, signed=True) if day % 5 == 0 else "" for day in days])
    ax.axvline(-1, **stroke(RULE, 1.5, 1))
    named = wide.columns[apart.any()]
    ax.plot(days, wide.drop(columns=named), **stroke(STONE, 2.5, 2))
    ends = []
    for name in named:
        marked, path = apart[name].to_numpy(), wide[name].to_numpy()
        colour = COOL if path[marked][-1] >= 0 else WARM
        ax.plot(days, path, **stroke(colour, 4, 3))
        dots = Mark(name, colour, "^" if colour == COOL else "v")
        symbol(ax, days[marked], path[marked], dots, 17, markeredgewidth=points(1.5))
        ends.append((path[-1], dots))
    _name_ends(ax, days[-1], sorted(ends, key=lambda end: end[0]))


def _name_ends(ax: Axes, last: float, ends: Sequence[tuple[float, Mark]]) -> None:
    """Name lines at their right ends, from the lowest up, moved apart where they would touch."""
    bounds, back = ax.get_window_extent(), ax.transData.inverted()
    wanted = [ax.transData.transform((last, value)) for value, _ in ends]
    for (x, y), middle, (_, line) in zip(wanted, spread([y for _, y in wanted]), ends, strict=True):
        start = bounds.x1 + 22
        lead = back.transform([(x, y), (start - 4, middle)]).T
        free = {"clip_on": False, "scalex": False, "scaley": False}
        ax.plot(*lead, **stroke(line.colour, 1.5, 2.5), **free)
        at = back.transform((start, middle))
        ax.text(*at, line.word, va="center_baseline", color=line.colour)


def spread(wanted: Sequence[float], step: float = STEP) -> np.ndarray:
    """Heights in the same order at least `step` apart, as near to those wanted as that allows.

    Examples
    --------
    >>> spread([0, 100, 110], 20).tolist()
    [0.0, 95.0, 115.0]
    """
    steps = step * np.arange(len(wanted))
    return isotonic_regression(np.asarray(wanted) - steps).x + steps
