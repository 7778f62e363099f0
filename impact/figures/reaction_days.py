"""The abnormal return of every day of tariff news in 2025, with two intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.labels import around, letters, move, place, points_along
from impact.charts.page import (
    GROUND,
    INK,
    MUTED,
    RULE,
    Page,
    Words,
    extent,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
)
from impact.figures.common import and_more, core_labels, model_of, news_study, short_day, source
from impact.inference.size import sizes
from impact.news.catalogue import load_events
from impact.news.kinds import MARKS, kind_of, marks_of
from impact.text.formats import date, out_of, p_phrase, percent, spelt

#: What is drawn of each session, and written into the table.
COLUMNS = (
    "estimate",
    "ci_low_textbook",
    "ci_high_textbook",
    "p_textbook",
    "sigma_conditional",
    "ci_low_conditional",
    "ci_high_conditional",
    "p_conditional",
    "smallest_detectable",
)

#: Height of a row, room between the columns, over the first row and under the last, in pixels.
ROW, GAP, OVER, UNDER = 37, 36, 168, 46

#: Where the words and the picture of a row begin, and where its number ends, within a column.
NAME, MOVED, LEFT = 92, 524, 536


def data() -> pd.DataFrame:
    """Return one row a session, by date."""
    study = news_study()
    in_year = (study.alignment["session"] < "2026-01-01").to_numpy()
    study = study.take(np.flatnonzero(in_year[study.fits.unit]))
    car, labels = study.car(0), load_events()["label"]
    units = list(study.alignment.itertuples())
    rows = pd.DataFrame(
        {
            "session": car["session"],
            "text": [
                and_more([*core_labels(unit.announcements), labels[unit.announcements[0]]][0], unit)
                for unit in units
            ],
            "announcements": ["; ".join(unit.announcements) for unit in units],
            "kind": [kind_of(unit.direction, unit.mixed) for unit in units],
            "releases": [unit.releases for unit in units],
            "confounded": [bool(unit.releases) or unit.mixed for unit in units],
        }
    )
    rows["outside"] = _leaves_out_zero(car, "conditional")
    return rows.join(car[list(COLUMNS)]).sort_values("session")


def _leaves_out_zero(rows: pd.DataFrame, method: str) -> pd.Series:
    return (rows[f"ci_low_{method}"] > 0) | (rows[f"ci_high_{method}"] < 0)


def title(data: pd.DataFrame) -> str:
    """Count the days that left their range, beside what chance would give."""
    n, known = len(data), int(data["outside"].sum())
    constant = int(_leaves_out_zero(data, "textbook").sum())
    rate = chance_of_one()
    chance, p = spelt(round(rate * n)), p_phrase(scipy.stats.binom.sf(known - 1, n, rate))
    if known <= rate * n:
        return (
            f"On only {out_of(known, n)} days of tariff news in 2025 the S&P 500 left its usual "
            f"range, no more often than by chance ({chance}); an average day's, on {constant}"
        )
    return (
        f"On {out_of(known, n)} days of tariff news in 2025 the S&P 500 left its usual range "
        f"(chance alone gives {chance}; {p}); it left an average day's range on {constant}"
    )


def chance_of_one() -> float:
    """How often the headline test rejects at 5% where nothing is known to have happened."""
    measured = sizes("conditional_fhs", "gjr")
    return 0.05 if measured is None else float(measured.mean())


def words(data: pd.DataFrame) -> Words:
    """Return what is written around the picture."""
    confounded = int(data["confounded"].sum())
    return Words(
        title(data),
        f"Abnormal log return of session 0, in %, with 95% intervals; n = {len(data)} sessions "
        f"with included announcements, {model_of(news_study())}. {confounded} are confounded "
        "(hollow): news both ways, or a macro release (named). One more announcement: +1. "
        "p: binomial, days taken as independent, at the measured size of the test.",
        source("reaction-days", "events.csv", "macro_releases.csv"),
    )


def table(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as they are drawn."""
    return data


def alt(data: pd.DataFrame) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{date(row.session)}, {row.text}: {percent(row.estimate)}"
        for row in data[data["outside"]].itertuples()
    )
    return (
        f"{title(data)}. One row for each of {len(data)} sessions from "
        f"{date(data['session'].iloc[0])} to {date(data['session'].iloc[-1])}. Outside their "
        f"conditional interval: {told or 'none'}."
    )


# -- the picture ---------------------------------------------------------------------------------


def draw(data: pd.DataFrame) -> Figure:
    """Draw one estimate with two intervals for each session, down two columns."""
    half = half_way(data["session"])
    columns = [part for part in (data[:half], data[half:]) if len(part)]
    longest = max(map(len, columns))
    sheet = page(words(data), OVER + ROW * longest + UNDER)
    hollow = {"marker": "o", "markerfacecolor": GROUND, "color": MUTED}
    entries = [mark.entry for mark in marks_of(data["kind"])]
    sheet.key(sheet.top - 4, [*entries, (hollow, "hollow: confounded")])
    intervals = [
        (stroke(INK, 8), "95% interval, variance of the evening before"),
        (stroke(MUTED, 2), "95% interval, constant variance"),
    ]
    sheet.key(sheet.top + 34, intervals)
    said = "Bold: the thick interval leaves out zero."
    scales = " Each column has its own scale."
    sheet.note(sheet.left, sheet.top + 76, said + scales * (len(columns) > 1))
    pitch = (sheet.right - sheet.left + GAP) / 2
    for number, part in enumerate(columns):
        _column(sheet, sheet.left + number * pitch, pitch - GAP, part)
    return sheet.figure


def half_way(sessions: pd.Series) -> int:
    """Return the row nearest to the middle with which a month begins, or that of the middle.

    Examples
    --------
    >>> half_way(pd.to_datetime(pd.Series(["2025-05-02", "2025-05-12", "2025-06-02"])))
    2
    """
    begins = np.flatnonzero(np.diff(sessions.dt.month)) + 1
    half = (len(sessions) + 1) // 2
    return int(begins[np.abs(begins - half).argmin()]) if len(begins) else half


def _column(sheet: Page, left: float, width: float, rows: pd.DataFrame) -> None:
    ax = sheet.axes(left + LEFT, sheet.top + OVER, width - LEFT, ROW * len(rows))
    bounds = rows.filter(regex="^ci_")
    low, high = bounds.min().min(), bounds.max().max()
    room = 0.04 * (high - low)
    ax.set(xlim=(low - room, high + 3 * room), ylim=(len(rows) - 0.5, -0.5), yticks=[])
    percent_axis(ax.xaxis, round_ticks(low, high, 3))
    ax.tick_params(axis="x", labeltop=True, labelbottom=True, length=0)
    ax.spines["bottom"].set_visible(False)
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))
    for level, row in enumerate(rows.itertuples()):
        _row(ax, level, row)
        _words(sheet, left, sheet.top + OVER + ROW * (level + 0.5), row)
    over = -LEFT / (width - LEFT)
    for edge in np.flatnonzero(np.diff(rows["session"].dt.month)) + 0.5:
        ax.axhline(edge, xmin=over, clip_on=False, **stroke(RULE, 1.5, 0.5))


def _row(ax: Axes, level: int, row: Any) -> None:
    mark = MARKS[row.kind]
    constant = row.ci_low_textbook, row.ci_high_textbook
    known = row.ci_low_conditional, row.ci_high_conditional
    ax.plot(constant, [level] * 2, **stroke(MUTED, 2, 2))
    ax.plot(known, [level] * 2, **stroke(mark.colour, 8, 3), alpha=0.55)
    face = GROUND if row.confounded else mark.colour
    look = {**mark.sized(15), "markerfacecolor": face, "markeredgewidth": points(3)}
    ax.plot(row.estimate, level, zorder=4, **look)
    if row.releases:
        _release(ax, level, row.releases, np.array([*constant, *known]))


def _release(ax: Axes, level: int, releases: str, reach: np.ndarray) -> None:
    """Name the releases of a session on the side that its intervals leave free."""
    text = ax.text(0, level, releases, **letters(MUTED, 2.5))
    bounds = np.array(ax.get_window_extent().extents)
    middle = ax.transData.transform((0, level))[1]
    width = extent(text)[2]
    boxes = around(text, np.array([bounds[2] - width, bounds[0] + 8]), middle, 4)
    line = points_along(ax, np.array([reach.min(), reach.max()]), np.full(2, level))
    move(text, boxes[place(boxes, line)], 4)
    text.set_va("center_baseline")


def _words(sheet: Page, left: float, middle: float, row: Any) -> None:
    weight = "bold" if row.outside else "normal"
    moved = {"ha": "right", "weight": weight, "color": MARKS[row.kind].colour}
    sheet.row(left + NAME - 14, middle, short_day(row.session), ha="right")
    sheet.row(left + NAME, middle, row.text)
    sheet.row(left + MOVED, middle, percent(row.estimate, 1), **moved)
