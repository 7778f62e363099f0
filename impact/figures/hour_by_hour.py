"""What the S&P 500 did from an hour before to three hours after the best-timed announcements."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from impact.charts.minute_paths import MinutePanel, minute_paths
from impact.charts.page import Words
from impact.figures.common import BARS, hour_study, source, timed
from impact.news.kinds import MARKS, marks_of
from impact.text.formats import date, percent, spelt

#: So many announcements are drawn.
SHOWN = 10


@dataclass(frozen=True)
class Hours:
    """Rows of `timed` from calm to nervous, their paths, and how many there were to choose from."""

    rows: pd.DataFrame
    paths: pd.DataFrame
    of: int


def data() -> Hours:
    """Take the announcements that can be followed longest; how far prices moved plays no part."""
    study, rows = hour_study(), timed()
    paths = {event: study.drawn_path(event) for event in rows.index[rows["hour_before_p"].notna()]}
    known = pd.Series({event: path["band_low"].notna().sum() for event, path in paths.items()})
    best = known.sort_values(ascending=False, kind="stable").index[:SHOWN]
    chosen = rows.loc[best].sort_values("sigma")
    drawn = pd.concat([paths[event] for event in chosen.index], ignore_index=True)
    return Hours(chosen, drawn, len(rows))


def outside(rows: pd.DataFrame) -> pd.Series:
    """Whether the half hour left what 95% of other days do."""
    return (rows["ci_low"] > 0) | (rows["ci_high"] < 0)


def title(data: Hours) -> str:
    """Count the half hours that left their range."""
    n, count = len(data.rows), int(outside(data.rows).sum())
    chance = "; chance gives one in twenty" if count > 1 else ", as chance would have it"
    return (
        f"Half an hour after {spelt(n)} well-timed announcements the S&P 500 was outside its usual "
        f"range in {spelt(count)} case{'' if count == 1 else 's'}{chance}"
    )


def words(data: Hours) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Log price of the fund SPY above the last one before the announcement, in %, from 60 "
        f"minutes before to 180 after. The {len(data.rows)} of {data.of} announcements with an "
        "exact minute that can be followed longest, from calm to nervous markets.",
        source("hour-by-hour", "events.csv", "macro_releases.csv", prices=BARS),
    )


def draw(data: Hours) -> Figure:
    """Draw a panel for each announcement."""
    measured = (data.rows["to"] - data.rows["from"]) / pd.Timedelta(minutes=1)
    panels = {
        row.Index: MinutePanel(
            row.label, when(row.announced_at), MARKS[row.kind], int(measured[row.Index])
        )
        for row in data.rows.itertuples()
    }
    marks = marks_of(data.rows["kind"])
    return minute_paths(words(data), data.paths, panels, marks=marks)


def when(announced_at: str) -> str:
    """Return the day and the minute of an announcement."""
    time = pd.Timestamp(announced_at)
    return f"{date(time)}, {time:%H:%M}"


def table(data: Hours) -> pd.DataFrame:
    """Return the paths with their bands."""
    return data.paths.assign(time=data.paths["time"].dt.strftime("%Y-%m-%d %H:%M"))


def alt(data: Hours) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{row.label} ({when(row.announced_at)}): {percent(row.move)}, "
        f"{'outside' if out else 'inside'} the band"
        for row, out in zip(data.rows.itertuples(), outside(data.rows), strict=True)
    )
    return (
        f"{title(data)}. One small picture for each, with a grey band of what 95% of the same "
        f"minutes on other days did. At the end of the half hour: {told}."
    )
