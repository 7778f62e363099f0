"""The smallest move that can be found: in one close, and in half an hour of trading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.analysis.window_ranks import TESTED, known_variance, ranked_windows
from impact.charts.labels import letters
from impact.charts.page import INK, LABEL, RULE, STONE, Words, page, percent_axis, points, stroke
from impact.figures.common import by_third, index_returns, source, volatility_before
from impact.inference.equal_tails import POWER, detectable
from impact.market.bars import Bar, load_bars
from impact.market.clock_time import MINUTES
from impact.study.event_study import event_study
from impact.text.formats import counted, date, iso, percent

#: What is compared: the column, and how it is called.
WAYS = {"close": "one close", "half_hour": "half an hour"}

#: Between these quantiles lie eight sessions in ten.
ENDS = {"low": 0.1, "high": 0.9}


@dataclass(frozen=True)
class Smallest:
    """A row a session, and a row a third with the median of each way."""

    sessions: pd.DataFrame
    medians: pd.DataFrame


def data() -> Smallest:
    """Compute both smallest moves on every session that has bars."""
    half_hour = _half_hours()
    days = half_hour.index
    study = event_study(index_returns(), [iso(day) for day in days])
    close = study.car(0).set_index("session")["smallest_detectable"]
    sessions = pd.DataFrame(
        {"volatility": volatility_before()[days], "close": close[days], "half_hour": half_hour}
    )
    groups = by_third(sessions)
    medians = groups[list(WAYS)].median()
    medians[["n", "min", "max"]] = groups["volatility"].agg(["size", "min", "max"])
    for end, share in ENDS.items():
        medians[[f"{way}_{end}" for way in WAYS]] = groups[list(WAYS)].quantile(share)
    return Smallest(sessions, medians.reset_index())


def _half_hours() -> pd.Series:
    """Median of the smallest move over the half hours of trading of each session."""
    known = known_variance(load_bars())
    ranks = ranked_windows(known, 30 // MINUTES)
    tested = ranks.reference & (ranks.windows.part == TESTED.index("trading"))
    rows = np.flatnonzero(tested.any(axis=1))
    found = [
        detectable(ranks.others(Bar(int(row), int(tested[row].argmax()))))
        * np.median(ranks.windows.sigma[row, tested[row]])
        for row in rows
    ]
    return pd.Series(found, known.grid.sessions[rows])


def title(data: Smallest) -> str:
    """Compare the two in calm and in turbulent markets."""
    calm, _, turbulent = (
        {
            way: percent(row[way], digits, signed=False)
            for way, digits in (("close", 1), ("half_hour", 2))
        }
        for _, row in data.medians.iterrows()
    )
    smaller = (data.medians["half_hour"] < data.medians["close"]).all()
    return (
        f"Since 2025 half an hour shows {'' if smaller else 'no '}smaller moves than one close: "
        f"{calm['half_hour']} against {calm['close']} in calm markets, {turbulent['half_hour']} "
        f"against {turbulent['close']} in turbulent ones"
    )


def words(data: Smallest) -> Words:
    """Return what is written around the picture."""
    first, last = (date(data.sessions.index[end]) for end in (0, -1))
    return Words(
        title(data),
        f"Move that the 5% test finds in {percent(POWER, 0, signed=False)} of cases, in the harder "
        "direction: one close of the S&P 500, or the median half hour of trading of the fund SPY; "
        f"{counted(len(data.sessions), 'session')}, {first} to {last}, by the volatility of the "
        "month before.",
        source("how-small-a-move", "spy_5min.csv", "macro_releases.csv"),
    )


def table(data: Smallest) -> pd.DataFrame:
    """Return the sessions."""
    return data.sessions.reset_index(names="session")


def alt(data: Smallest) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{row.heading}: one close {percent(row.close, 2, signed=False)}, half an hour "
        f"{percent(row.half_hour, 2, signed=False)}"
        for row in data.medians.itertuples()
    )
    return (
        f"{title(data)}. One row for each third of the sessions, by the volatility of the 22 "
        f"before, on a logarithmic scale of moves: {told}."
    )


# -- the picture ---------------------------------------------------------------------------------

#: Height of the row of a third, and how far in the data begin, in pixels.
ROW, INDENT = 170, 372


def draw(data: Smallest) -> Figure:
    """Draw both smallest moves of each third on one scale."""
    tall = ROW * len(data.medians)
    sheet = page(words(data), tall + 150)
    ax = sheet.across(INDENT, sheet.top, tall)
    _axis(ax, data.medians)
    dot = {"color": INK, "markersize": points(20)}
    for place, row in enumerate(data.medians.itertuples()):
        middle = sheet.top + ROW * (place + 0.5)
        sheet.heading(sheet.left, middle - 26, row.heading, va="center")
        span = " to ".join(percent(end, 1, signed=False) for end in (row.min, row.max))
        sheet.note(sheet.left, middle - 4, f"volatility {span} a year\n{row.n} sessions")
        for way, name in WAYS.items():
            value = getattr(row, way)
            low, high = (getattr(row, f"{way}_{end}") for end in ENDS)
            ax.plot([low, high], [place] * 2, **stroke(STONE, 8, 2))
            ax.plot(value, place, "o", **dot, zorder=3)
            told = f"{name} {percent(value, 2, signed=False)}"
            ax.text(value, place - 0.14, told, ha="center", **letters(INK, 5, LABEL))
    centre = (sheet.left + INDENT + sheet.right) / 2
    sheet.note(centre, sheet.top + tall + 50, "smallest move", ha="center")
    median = {"marker": "o", **dot}, "median of the sessions"
    sheet.key(sheet.bottom - 30, [median, (stroke(STONE, 8), "eight sessions in ten")])
    return sheet.figure


def _axis(ax: Axes, medians: pd.DataFrame) -> None:
    reach = medians[[f"{way}_{end}" for way in WAYS for end in ENDS]]
    ax.set(xscale="log", ylim=(len(medians) - 0.5, -0.5), yticks=[])
    ax.set_xlim(0.8 * reach.min().min(), 1.25 * reach.max().max())
    percent_axis(ax.xaxis, (0.002, 0.005, 0.01, 0.02, 0.05), 1, signed=False)
    ax.minorticks_off()
    for edge in range(1, len(medians)):
        ax.axhline(edge - 0.5, **stroke(RULE, 2, 0.5))
