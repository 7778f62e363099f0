"""The half hour after each announcement whose minute is known, beside the day that followed."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.page import MUTED, Page, Words, page, percent_axis, round_ticks, stroke
from impact.figures.common import news_study, short_day, source, timed
from impact.news.kinds import MARKS, marks_of
from impact.text.formats import date, out_of, percent, spelt

#: What is measured: the beginning of its columns, and how it is called.
SPANS = {"half_hour": "the half hour after", "day": "the whole day"}


def data() -> pd.DataFrame:
    """Return one row an announcement, by time."""
    rows = timed()
    car = news_study().car(0).explode("announcements").set_index("announcements")
    days = car.loc[rows.index]
    times = pd.to_datetime(rows["announced_at"].str[:16])
    found = pd.DataFrame({"announced": times, "label": rows["label"], "kind": rows["kind"]})
    found["session"] = days["session"]
    for end, ours, theirs in (
        ("", "move", "estimate"),
        ("_low", "ci_low", "ci_low_conditional"),
        ("_high", "ci_high", "ci_high_conditional"),
        ("_p", "p_value", "p_conditional"),
    ):
        found[f"half_hour{end}"], found[f"day{end}"] = rows[ours], days[theirs]
    return found.sort_values("announced").reset_index(names="event")


def outside(rows: pd.DataFrame, span: str) -> pd.Series:
    """Whether the interval leaves out zero."""
    return (rows[f"{span}_low"] > 0) | (rows[f"{span}_high"] < 0)


def title(data: pd.DataFrame) -> str:
    """Count what stands out, in the half hour and over the day, and compare the intervals."""
    halves = int(outside(data, "half_hour").sum())
    days = data.drop_duplicates("session")
    whole = int(outside(days, "day").sum())
    wide = {span: data[f"{span}_high"] - data[f"{span}_low"] for span in SPANS}
    ratio = spelt(round(float((wide["day"] / wide["half_hour"]).median())))
    only = "only " if 0 < whole < halves else ""
    return (
        f"The half hour stands out after {out_of(halves, len(data))} announcements, the whole day "
        f"on {only}{out_of(whole, len(days))}; the day's interval is {ratio} times as wide"
    )


def words(data: pd.DataFrame) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Left: log change of the fund SPY in the half hour; right: abnormal log return of the "
        "S&P 500 on the day that could react first. In %, with 95% intervals that know the "
        f"volatility; n = {len(data)} announcements since 2025 with an exact, testable minute.",
        source("half-hours", "spy_5min.csv", "events.csv", "macro_releases.csv"),
    )


def table(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as they are drawn."""
    return data.assign(announced=data["announced"].dt.strftime("%Y-%m-%d %H:%M"))


def alt(data: pd.DataFrame) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{row.label} ({date(row.announced)}, {row.announced:%H:%M}): {percent(row.half_hour)} in "
        f"the half hour, {percent(row.day)} on the day"
        for row in data[outside(data, "half_hour")].itertuples()
    )
    return (
        f"{title(data)}. One row for each announcement, with two intervals side by side. The half "
        f"hour's interval leaves out zero after: {told or 'none'}."
    )


# -- the picture ---------------------------------------------------------------------------------

#: Height of a row; for both spans where the number ends and the axis begins and ends, in pixels.
ROW = 40
PLACES = {"half_hour": (716, 734, 1080), "day": (1190, 1208, 1560)}


def draw(data: pd.DataFrame) -> Figure:
    """Draw one row for each announcement, the half hour on the left, the day on the right."""
    tall = ROW * len(data)
    sheet = page(words(data), 50 + tall + 130)
    top = sheet.top + 50
    for span, (_, left, right) in PLACES.items():
        sheet.heading(left, sheet.top + 24, SPANS[span], va="baseline")
        ax = sheet.axes(left, top, right - left, tall)
        _axis(ax, data, span)
        for place, row in enumerate(data.itertuples()):
            _interval(ax, place, row, span)
    rows = data.assign(**{f"{span}_outside": outside(data, span) for span in SPANS})
    for place, row in enumerate(rows.itertuples()):
        _text(sheet, top + ROW * (place + 0.5), row)
    note = "The two scales differ. Bold: the interval leaves out zero."
    sheet.note(sheet.left, top + tall + 56, note)
    sheet.key(sheet.bottom - 30, [mark.entry for mark in marks_of(data["kind"])])
    return sheet.figure


def _axis(ax: Axes, data: pd.DataFrame, span: str) -> None:
    low, high = data[f"{span}_low"].min(), data[f"{span}_high"].max()
    room = 0.04 * (high - low)
    ax.set(xlim=(low - room, high + room), ylim=(len(data) - 0.5, -0.5), yticks=[])
    percent_axis(ax.xaxis, round_ticks(low, high, 5))
    ax.axvline(0, **stroke(MUTED, 2.5, 1.5))


def _interval(ax: Axes, place: int, row: Any, span: str) -> None:
    mark = MARKS[row.kind]
    ends = [getattr(row, f"{span}_low"), getattr(row, f"{span}_high")]
    ax.plot(ends, [place] * 2, **stroke(mark.colour, 7, 2), alpha=0.5)
    ax.plot(getattr(row, span), place, **mark.sized(15), zorder=4)


def _text(sheet: Page, middle: float, row: Any) -> None:
    when = f"{short_day(row.announced)} {row.announced:%Y, %H:%M}"
    sheet.row(sheet.left, middle, when, color=MUTED)
    sheet.row(286, middle, row.label)
    for span, (right, *_) in PLACES.items():
        weight = "bold" if getattr(row, f"{span}_outside") else "normal"
        sheet.row(right, middle, percent(getattr(row, span), 2), ha="right", weight=weight)
