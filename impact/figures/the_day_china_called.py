"""Where in 2 May 2025 the S&P 500 moved, and what was announced and released then."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from impact.analysis.day import PICTURE_SAYS, Day, day
from impact.analysis.reaction import CLOSED
from impact.charts.day_picture import day_picture
from impact.charts.page import Words
from impact.figures.common import BARS, source
from impact.text.formats import date, list_of, percent


def data() -> Day:
    """Cut the day into its parts."""
    return day("2025-05-02")


def title(data: Day) -> str:
    """Say what came overnight and what after the jobs report."""
    moves = data.brief["move"]
    night, jobs = moves[CLOSED], moves["08:30-09:00"]
    change = f"{percent(data.change)} on {date(data.session)}"
    if min(night, jobs) > 0 and night + jobs > data.change / 2 > 0:
        return (
            f"Of the S&P 500's {change}, {percent(night)} came overnight, when China spoke, and "
            f"{percent(jobs)} in the half hour after the jobs report"
        )
    return (
        f"The S&P 500 moved {change}: {percent(night)} overnight, when China spoke, and "
        f"{percent(jobs)} in the half hour after the jobs report"
    )


def words(data: Day) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        f"{PICTURE_SAYS}. The fund SPY, which holds the index; one day, {len(data.brief)} parts.",
        source(
            "the-day-china-called",
            "events.csv",
            "macro_releases.csv",
            "macro_surprises.csv",
            prices=BARS,
        ),
    )


def draw(data: Day) -> Figure:
    """Draw the day with each announcement in the hue of its kind."""
    return day_picture(words(data), data.price, data.brief, data.drawn_news())


def table(data: Day) -> pd.DataFrame:
    """Return the parts, then the news, then the price; New York time."""
    parts = data.brief.reset_index(names="name").assign(what="part")
    news = data.news.rename(columns={"earliest": "begin", "latest": "end", "text": "name"})
    price = pd.DataFrame({"begin": data.price.index, "end": data.price.index, "name": ""})
    price["move"] = data.price.to_numpy()
    rows = pd.concat(
        [parts, news.assign(what="news", move=np.nan), price.assign(what="price")],
        ignore_index=True,
    )
    clock = {name: rows[name].dt.strftime("%Y-%m-%d %H:%M") for name in ("begin", "end")}
    return rows.assign(**clock)[["what", "name", "begin", "end", "move"]]


def alt(data: Day) -> str:
    """Tell the picture."""
    parts = list_of(f"{name} {percent(move)}" for name, move in data.brief["move"].items())
    news = "; ".join(data.news["text"] + ", " + data.news["clock"])
    return (
        f"{title(data)}. A line of five-minute prices from the close before to the close, with "
        f"the move of each part above it: {parts}. Below, what came out when, New York time: "
        f"{news}. Where only bounds of the time are known, the picture is shaded."
    )
