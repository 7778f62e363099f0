"""Twenty years of standardised moves, three days of 2025 marked, each p by four forecasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.labels import around, letters, move, place
from impact.charts.page import (
    GROUND,
    LABEL,
    MUTED,
    PAPER,
    STONE,
    Page,
    Words,
    extent,
    number_axis,
    page,
    points,
    round_ticks,
    rules,
    stroke,
)
from impact.figures.common import CHINA_CALLED, core_sessions, index_returns, short_day, source
from impact.inference.tests import LEVEL
from impact.inference.yardsticks import yardsticks
from impact.market.prices import load_prices, load_vix
from impact.market.returns import simple_returns
from impact.news.kinds import MARKS
from impact.study.event_study import event_study
from impact.text.formats import counted, date, number, p_value, percent
from impact.volatility.forecast import conditional_z

#: The marked sessions, that of the title first.
SHOWN = (CHINA_CALLED, "ninety-day-pause", "massive-increase-post")
YEARS = 20

#: The markers of the four forecasts of volatility, the usual one first.
MARKERS = ("o", "s", "D", "^")


@dataclass(frozen=True)
class Unusual:
    """All z by session, the marked ones with p by each forecast, and what the first had to reach.

    `p` has a row for each mark, and a column for each forecast of volatility.
    """

    z: pd.Series
    marks: pd.DataFrame
    p: pd.DataFrame
    smallest_detectable: float
    sigma: float

    @property
    def reach(self) -> float:
        """The smallest detectable move, in standard deviations."""
        return self.smallest_detectable / self.sigma


def data() -> Unusual:
    """Rank the marked sessions among all."""
    z = conditional_z(index_returns())["z"].dropna()
    z = z[z.index > z.index[-1] - pd.DateOffset(years=YEARS)]
    shown = core_sessions(SHOWN)
    marks = shown[["session", "estimate", "kind"]].assign(value=z[shown["session"]].to_numpy())
    marks["as_far"] = [int((z * np.sign(value) >= abs(value)).sum()) for value in marks["value"]]
    moves = simple_returns(load_prices())[z.index]
    marks["in_percent"] = [
        float((moves * np.sign(row.value) >= abs(moves[row.session])).mean())
        for row in marks.itertuples()
    ]
    marks["text"] = [
        f"{date(row.session)}: {percent(row.estimate)}\nz = {number(row.value, 2, signed=True)}, "
        f"as {'high' if row.value >= 0 else 'low'}\non {_rank(row.as_far, len(z))}"
        for row in marks.itertuples()
    ]
    p = [
        yardsticks(event_study(index_returns(), [name], implied=load_vix()))["p_value"]
        for name in SHOWN
    ]
    by_forecast = pd.DataFrame(p).set_axis(marks.index)
    return Unusual(
        z, marks, by_forecast, *shown[["smallest_detectable", "sigma_conditional"]].iloc[0]
    )


def _rank(as_far: int, n: int) -> str:
    if as_far >= 0.01 * n:
        return f"{percent(as_far / n, 0, signed=False)} of days"
    return f"{as_far} of {counted(n, 'day')}"


def title(data: Unusual) -> str:
    """Say how often the index moved as far as on 2 May, by its volatility and in percent."""
    called, n = data.marks.iloc[0], len(data.z)
    day, rank = date(called["session"]), _rank(called["as_far"], n)
    moved = "rise" if called["value"] >= 0 else "fall"
    if called["as_far"] > 0.025 * n:
        size = percent(called["in_percent"], 1, signed=False)
        return (
            f"For the volatility of its time, {day} was an ordinary day: by that measure {rank} "
            f"saw as large a {moved}; in percent, {size} did"
        )
    return (
        f"Even for the volatility of its time, {day} was unusual: by that measure only {rank} in "
        f"{YEARS} years saw as large a {moved}"
    )


def words(data: Unusual) -> Words:
    """Return what is written around the picture."""
    z = data.z
    return Words(
        title(data),
        "Log return of the S&P 500 less its mean, in standard deviations forecast the evening "
        f"before (GJR-GARCH, refit every month); {counted(len(z), 'day')} from "
        f"{date(z.index[0])} to {date(z.index[-1])}. Ticks below: days beyond ±3.",
        source("how-unusual-2-may", "events.csv"),
    )


def table(data: Unusual) -> pd.DataFrame:
    """Return every z."""
    table = data.z.rename("z").rename_axis("session").reset_index()
    table["marked"] = table["session"].isin(data.marks["session"])
    called = table["session"] == data.marks["session"].iloc[0]
    table["smallest_detectable_z"] = np.where(called, data.reach, np.nan)
    # The same p on every row of a marked session, none elsewhere.
    p = data.p.set_axis([f"p by {name}" for name in data.p], axis=1)
    return table.join(p.set_axis(data.marks["session"]), on="session")


def alt(data: Unusual) -> str:
    """Tell the picture."""
    z, marks = data.z, data.marks
    told = "; ".join(text.replace("\n", " ") for text in marks["text"])
    return (
        f"{title(data)}. Histogram of {counted(len(z), 'standardised move')} between "
        f"{number(z.min(), 1)} and {number(z.max(), 1)}, {counted(len(marks), 'day')} marked: "
        f"{told}. p by each forecast of volatility: {_ps(data)}. The smallest move that a test "
        "would find four times in five on "
        f"{date(marks['session'].iloc[0])} was {percent(data.smallest_detectable, signed=False)}, "
        f"or {number(data.reach, 1)} standard deviations."
    )


def _ps(data: Unusual) -> str:
    return "; ".join(
        f"{date(session)}, " + ", ".join(f"{name} {p_value(p)}" for name, p in row.items())
        for session, (_, row) in zip(data.marks["session"], data.p.iterrows(), strict=True)
    )


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Unusual) -> Figure:
    """Draw the histogram, the range that would not be found, and the marked sessions."""
    sheet = page(words(data), 1260)
    sheet.note(sheet.left, sheet.top - 16, "days")
    unit = "z, standard deviations"
    sheet.note((sheet.left + sheet.right) / 2, sheet.top + 892, unit, ha="center")
    ax = sheet.across(70, sheet.top + 20, 800)
    z = data.z
    low, high = np.floor(z.min() - 0.25), np.ceil(z.max() + 0.25)
    look = {"color": STONE, "edgecolor": GROUND, "linewidth": points(2), "zorder": 2}
    counts, _, bars = ax.hist(z, bins=np.arange(low, high + 0.2, 0.2), **look)
    # Room on the right for the text of a pin in that tail.
    ax.set(xlim=(low, high + 1), ylim=(0, 1.34 * counts.max()))
    number_axis(ax.xaxis, np.arange(low, high + 1))
    number_axis(ax.yaxis, round_ticks(0, counts.max(), 5), signed=False)
    rules(ax.yaxis)
    far = z[z.abs() > 3]
    ticks = {"markersize": points(20), "markeredgewidth": points(2), "clip_on": False}
    ax.plot(far, np.full(len(far), -0.022 * ax.get_ylim()[1]), "|", color=MUTED, **ticks)
    ax.tick_params(axis="x", pad=points(34), length=0)
    _range(ax, data)
    drawn = [bar.get_window_extent().extents for bar in bars if bar.get_height()]
    _pins(ax, data.marks, np.array(drawn))
    _forecasts(sheet, data)
    return sheet.figure


def _forecasts(sheet: Page, data: Unusual) -> None:
    """One row a marked day: its p by each forecast of volatility, and the line at 5%."""
    top = sheet.top + 960
    sheet.heading(sheet.left, top, "p of the three days, by four forecasts of volatility")
    look = {"color": MUTED, "markerfacecolor": GROUND, "markeredgewidth": points(3)}
    entries = [({**look, "marker": mark}, name) for mark, name in zip(MARKERS, data.p, strict=True)]
    sheet.key(top + 44, entries)
    ax = sheet.axes(sheet.left + 210, top + 84, sheet.right - sheet.left - 520, 174)
    ax.set(xscale="log", xlim=(0.001, 1.15), ylim=(len(data.p) - 0.5, -0.5), yticks=[])
    ticks = [0.001, 0.01, LEVEL, 0.2, 1]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.axvline(LEVEL, **stroke(MUTED, 2.5, 1.5))
    for level, mark in enumerate(data.marks.itertuples()):
        row = data.p.iloc[level]
        colour = MARKS[mark.kind].colour
        for marker, p, aside in zip(MARKERS, row, apart(row), strict=True):
            style = {**look, "color": colour, "markersize": points(17), "zorder": 4}
            ax.plot(p, level + 0.26 * aside, marker, **style)
        middle = top + 84 + 174 * (level + 0.5) / len(data.p)
        sheet.row(sheet.left, middle, date(mark.session), color=colour)
        ends = f"{p_value(row.min())} to {p_value(row.max())}"
        sheet.row(sheet.right, middle, ends, ha="right", color=colour)


def apart(values: pd.Series) -> np.ndarray:
    """Return how far to move each of some symbols off its line, so that none hides another.

    Examples
    --------
    >>> apart(pd.Series([0.002, 0.01, 0.002])).tolist()
    [-0.5, 0.0, 0.5]
    """
    near = values.round(3)
    among = near.groupby(near)
    return (among.cumcount() - (among.transform("size") - 1) / 2).to_numpy()


def _range(ax: Axes, data: Unusual) -> None:
    half, day = data.reach, short_day(data.marks["session"].iloc[0])
    size = percent(data.smallest_detectable, 1, signed=False)
    told = f"On {day} a move had to reach ±{size}\nto be found 4 times in 5"
    ax.axvspan(-half, half, color=PAPER, zorder=0)
    top = ax.get_ylim()[1]
    arrow = {"arrowstyle": "<->", "color": MUTED, "linewidth": points(2.5)}
    ax.annotate("", (-half, 0.87 * top), (half, 0.87 * top), zorder=1, arrowprops=arrow)
    look = {"color": MUTED, "linespacing": 1.25}
    ax.text(0, 0.885 * top, told, ha="center", va="bottom", **look)


def _pins(ax: Axes, marks: pd.DataFrame, taken: np.ndarray) -> None:
    """Pins with texts, each as low as the bars and the other texts allow."""
    bounds = np.array(ax.get_window_extent().extents)
    heights = np.arange(0.16, 0.84, 0.02) * ax.get_ylim()[1]
    for mark in marks.sort_values("value", key=abs, ascending=False).itertuples():
        look, pin = MARKS[mark.kind], mark.value
        style = {"va": "center", "linespacing": 1.25, **letters(look.colour, 6, LABEL)}
        text = ax.text(pin, 0, mark.text, **style)
        x, levels = ax.transData.transform([(pin, height) for height in heights]).T
        # At each height to the right of the pin, then to the left.
        sides = np.column_stack([x + 22, x - 22 - extent(text)[2]]).ravel()
        boxes = around(text, sides, np.repeat(levels, 2))
        best = place(boxes, taken, bounds)
        move(text, boxes[best])
        height, level = heights[best // 2], levels[best // 2]
        taken = np.vstack([taken, boxes[best], (x[0] - 12, bounds[1], x[0] + 12, level + 12)])
        ax.plot([pin, pin], [0, height], **stroke(look.colour, 4, 3))
        ax.plot(pin, height, **look.sized(20), zorder=4)
