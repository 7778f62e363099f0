"""The abnormal return of every day of tariff news in 2025, with two intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.page import (
    GROUND,
    INK,
    MARGIN,
    MUTED,
    RULE,
    WIDTH,
    Page,
    Words,
    drawing,
    key,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
)
from impact.figures.common import (
    MARKS,
    and_more,
    core_labels,
    kind_of,
    marks_of,
    model_of,
    news_study,
    short_day,
    source,
)
from impact.inference.size import sizes
from impact.news.catalogue import load_events
from impact.text.formats import date, out_of, p_phrase, percent, spelt

#: Where the year of the news ends.
NEXT_YEAR = "2026-01-01"

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

#: Height of a row, and where the picture begins and ends beside the words, in pixels.
ROW, LEFT, RIGHT = 37, 600, 240


def data() -> pd.DataFrame:
    """Return one row a session, by date."""
    study = news_study()
    in_year = (study.alignment["session"] < NEXT_YEAR).to_numpy()
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
            "beside": [
                ", ".join(filter(None, [unit.releases, "both ways" if unit.mixed else ""]))
                for unit in units
            ],
        }
    )
    rows["confounded"] = rows["beside"] != ""
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
        "(hollow): news of both directions or a macro release in the session; +1: one more "
        "announcement. p: binomial, days taken as independent, at the measured size of the test.",
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


@drawing()
def draw(data: pd.DataFrame) -> Figure:
    """Draw one estimate with two intervals for each session, from top to bottom."""
    tall = ROW * len(data)
    sheet = page(words(data), 96 + tall + 40)
    hollow = {"marker": "o", "markerfacecolor": GROUND, "color": MUTED}
    entries = [mark.entry for mark in marks_of(data["kind"])]
    key(sheet, sheet.top - 4, [*entries, (hollow, "hollow: confounded")])
    intervals = [
        (stroke(INK, 8), "95% interval, variance of the evening before"),
        (stroke(MUTED, 2), "95% interval, constant variance"),
        ({}, "bold: the thick interval leaves out zero"),
    ]
    key(sheet, sheet.top + 34, intervals)
    ax = sheet.axes(LEFT, sheet.top + 96, WIDTH - LEFT - RIGHT, tall)
    bounds = data.filter(regex="^ci_")
    low, high = bounds.min().min(), bounds.max().max()
    ax.set(xlim=(low - 0.01, high + 0.01), ylim=(len(data) - 0.5, -0.5))
    percent_axis(ax.xaxis, round_ticks(low, high, 7))
    ax.tick_params(axis="x", labeltop=True, labelbottom=True, length=0)
    ax.set_yticks([])
    ax.spines["bottom"].set_visible(False)
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))
    for place, row in enumerate(data.itertuples()):
        _row(sheet, ax, place, row)
    months = data["session"].dt.month.to_numpy()
    for place in np.flatnonzero(np.diff(months)) + 0.5:
        ax.axhline(place, xmin=-0.72, xmax=1.25, clip_on=False, **stroke(RULE, 1.5, 0.5))
    return sheet.figure


def _row(sheet: Page, ax: Axes, place: int, row: Any) -> None:
    mark = MARKS[row.kind]
    thin, thick = stroke(MUTED, 2, 2), {**stroke(mark.colour, 8, 3), "alpha": 0.55}
    ax.plot([row.ci_low_textbook, row.ci_high_textbook], [place, place], **thin)
    ax.plot([row.ci_low_conditional, row.ci_high_conditional], [place, place], **thick)
    ax.plot(
        row.estimate,
        place,
        mark.marker,
        color=mark.colour,
        markersize=points(17),
        zorder=4,
        markerfacecolor=GROUND if row.confounded else mark.colour,
        markeredgewidth=points(3.5),
    )
    middle = sheet.top + 96 + ROW * (place + 0.5)
    weight = "bold" if row.outside else "normal"
    moved = {"ha": "right", "weight": weight, "color": mark.colour}
    sheet.row(MARGIN + 74, middle, short_day(row.session), ha="right", weight=weight)
    sheet.row(MARGIN + 92, middle, row.text, weight=weight)
    sheet.row(584, middle, percent(row.estimate, 1), **moved)
    sheet.row(WIDTH - 222, middle, row.beside, color=MUTED)
