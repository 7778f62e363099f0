"""The S&P 500 with the core events, above the additional tariff on China."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.text import Text

from impact.charts.labels import NOTHING, around, clear, move, place, points_along, points_on
from impact.charts.page import (
    INK,
    LABEL,
    RULE,
    Words,
    extent,
    number_axis,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
    symbol,
)
from impact.figures.common import core_events, core_kind, core_study, short_day, source
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import simple_returns
from impact.news.kinds import MARKS, marks_of
from impact.text.formats import counted, date, list_of, number, percent, spelt


@dataclass(frozen=True)
class Timeline:
    """Closes; the tariff by the day on which it starts; core events with their sessions."""

    closes: pd.Series
    rate: pd.Series
    events: pd.DataFrame
    liberation: pd.Timestamp


def data() -> Timeline:
    """Read the closes, the tariff and the core events, each at its reaction session."""
    study, catalogue = core_study(), core_events()
    moves = simple_returns(load_prices())
    events = pd.DataFrame(
        {
            "session": unit.session,
            "event": name,
            "kind": core_kind(unit),
            "label": catalogue.loc[name, "label"],
            "change": moves[unit.session],
        }
        for unit in study.alignment.itertuples()
        for name in unit.announcements
        if name in catalogue.index
    )
    first = ~events["session"].duplicated()
    events["text"] = [
        f"{short_day(row.session)}  {row.label}" + (f"  {percent(row.change, 1)}" if lead else "")
        for row, lead in zip(events.itertuples(), first, strict=True)
    ]
    liberation = study["liberation-day"].alignment["session"].iloc[0]
    rates = pd.read_csv(data_path("tariff_rates.csv"), index_col="effective_from", parse_dates=True)
    rate = rates.loc[rates["counterparty"] == "CN", "total"]
    return Timeline(load_prices()["2024-12-01":], rate, events, liberation)


def title(data: Timeline) -> str:
    """Say how far the index fell after Liberation Day, and when it was back where it was."""
    closes = data.closes
    before, later = closes[: data.liberation].index[-2], closes[data.liberation :]
    back = later.index[(later >= closes[before]).to_numpy()]
    until = back[0] if len(back) else later.index[-1]
    bottom = later[:until].idxmin()
    if bottom == until and len(back):
        return f"The S&P 500 never closed below its level of {date(before)}, before Liberation Day"
    fall = percent(1 - closes[bottom] / closes[before], 1, signed=False)
    days = len(later[:bottom])
    span = "day" if days == 1 else f"{spelt(days)} days"
    start = f"The S&P 500 fell {fall} in the {span} after Liberation Day"
    level = percent(data.rate[:until].iloc[-1], 0, signed=False)
    if not len(back):
        return f"{start} and had not recovered by {date(until)}"
    return f"{start}; it had recovered by {date(until)}, with the tariff on China at {level}"


def words(data: Timeline) -> Words:
    """Return what is written around the picture."""
    days = data.closes.index
    return Words(
        title(data),
        f"Daily closes from {date(days[0])} to {date(days[-1])} and "
        f"{counted(len(data.events), 'core event')}, each at the first close that could reflect "
        "it, with the simple change of the index that day, whatever its cause.",
        source("timeline", "events.csv", "tariff_rates.csv"),
    )


def table(data: Timeline) -> pd.DataFrame:
    """Return closes, tariff and core events by day."""
    closes, rate, events = data.closes, data.rate, data.events
    days = closes.index.union(rate.index[rate.index >= closes.index[0]]).rename("date")
    table = pd.DataFrame({"close": closes.reindex(days)})
    table["tariff_on_china"] = rate.reindex(days, method="ffill").fillna(0.0)
    labels = events.groupby("session")["label"].agg("; ".join)
    table["core_events"] = labels.reindex(days).fillna("")
    table["simple_change"] = events.groupby("session")["change"].first().reindex(days)
    return table.reset_index()


def alt(data: Timeline) -> str:
    """Tell the picture."""
    closes, rate = data.closes, data.rate
    told = "; ".join(
        f"{date(session)}: {list_of(group['label'])}, {percent(group['change'].iloc[0])}"
        for session, group in data.events.groupby("session")
    )
    steps = "; ".join(
        f"{percent(value, 1, signed=False).replace('.0%', '%')} from {date(day)}"
        for day, value in rate[rate.diff() != 0].items()
        if day >= closes.index[0]
    )
    return (
        f"{title(data)}. Line of S&P 500 closes from {date(closes.index[0])} to "
        f"{date(closes.index[-1])}, between {number(closes.min(), 0)} and "
        f"{number(closes.max(), 0)}, with the core events and the change of the index in the "
        f"first session that could react: {told}. Below it the additional US tariff on China "
        f"in force: {steps}."
    )


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Timeline) -> Figure:
    """Draw the index with labelled events, and below it the tariff that moves in steps."""
    sheet = page(words(data), 1234)
    sheet.heading(sheet.left, sheet.top, "S&P 500, daily close")
    rate = "Additional US tariff on goods from China, in force"
    sheet.heading(sheet.left, sheet.top + 830, rate)
    _index(sheet.across(84, sheet.top + 44, 690), data.closes, data.events)
    _steps(sheet.across(84, sheet.top + 870, 250), data.rate, data.closes.index)
    sheet.key(sheet.top + 1204, [mark.entry for mark in marks_of(data.events["kind"])])
    return sheet.figure


def _index(ax: Axes, closes: pd.Series, events: pd.DataFrame) -> None:
    days = date2num(closes.index)
    _time_axis(ax, closes.index)
    low, high = closes.min(), closes.max()
    ax.set_ylim(low - 0.07 * (high - low), high + 0.08 * (high - low))
    number_axis(ax.yaxis, round_ticks(low, high, 5), signed=False)
    ax.grid(True, axis="y", **stroke(RULE, 1.5))
    ax.plot(days, closes.to_numpy(), **stroke(INK, 4))
    curve = points_on(ax, days, closes.to_numpy())
    texts = leads = NOTHING
    labels = [
        ((date2num(session), closes[session]), group["kind"].iloc[0], "\n".join(group["text"]))
        for session, group in events.groupby("session")
    ]
    for at, kind, _ in labels:
        symbol(ax, *at, MARKS[kind])
    # From right to left, so that leads never cross a text.
    for (x, y), kind, name in reversed(labels):
        colour, up = MARKS[kind].colour, 1 if kind in ("escalation", "both") else -1
        text = ax.text(x, y, name, va="center", color=colour, linespacing=1.2)
        box, lead = _led(text, ax.transData.transform((x, y)), up, curve, texts, leads)
        move(text, box, 6)
        ends = [y, text.get_position()[1]]
        ax.plot([x, x], ends, **stroke(colour, 1.5, 1.5))
        texts, leads = np.vstack([texts, box]), np.vstack([leads, lead])


def _led(
    text: Text,
    at: np.ndarray,
    up: int,
    curve: np.ndarray,
    texts: np.ndarray,
    leads: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the box of a text and that of its lead: on its side of the point, as near as is free.

    Where its side is full, the text takes the other.
    """
    (x, y), width = at, extent(text)[2]
    bounds = np.array(text.axes.get_window_extent().extents)
    far = np.arange(34, 1200, 4)
    middles = y + up * np.concatenate([far, -far])
    left = x - width - 8 if x + width + 10 > bounds[2] else x + 8
    boxes = around(text, left, middles, 6, 4)
    ends = np.sort(np.column_stack([y + 14 * np.sign(middles - y), middles]))
    led = np.insert(ends, [0, 1], x, axis=1) + np.array([-3, 0, 3, 0])
    # First the places that a lead reaches without crossing a text.
    order = np.argsort(~clear(led, texts), kind="stable")
    best = order[place(boxes[order], np.vstack([curve, texts, leads]), bounds)]
    return boxes[best], led[best]


def _steps(ax: Axes, rate: pd.Series, sessions: pd.DatetimeIndex) -> None:
    _time_axis(ax, sessions)
    changed = rate[rate.diff() != 0]
    days, values = date2num(changed.index), changed.to_numpy()
    days[0], end = date2num(sessions[[0, -1]])
    ax.set_ylim(-0.04 * values.max(), 1.22 * values.max())
    percent_axis(ax.yaxis, [0, 0.5, 1.0, 1.5], signed=False)
    edges = np.append(days, end)
    ax.step(edges, [*values, values[-1]], where="post", **stroke(INK, 4.5))
    line = points_along(ax, np.repeat(edges, 2)[1:-1], np.repeat(values, 2))
    taken = NOTHING
    # The longest step first; above its middle, left of its riser, below it. To the right a number
    # would stand under the next step and read as its height: a step without room has none.
    for i in np.argsort(-np.diff(edges), kind="stable"):
        digits = 0 if round(1000 * values[i]) % 10 == 0 else 1
        name = percent(values[i], digits, signed=False)
        text = ax.text(days[i], values[i], name, fontsize=points(LABEL), weight="bold", va="center")
        left, right = ax.transData.transform([(edge, 0) for edge in edges[i : i + 2]])[:, 0]
        level = ax.transData.transform((0, values[i]))[1]
        _, _, width, tall = extent(text)
        above, beside = (left + right - width) / 2, left - width - 10
        heights = level + (tall / 2 + 6) * np.array([1, 0, -1, 1])
        boxes = around(text, np.array([above, beside, above, beside]), heights, 2, 1)
        if not clear(boxes, np.vstack([line, taken])).any():
            text.remove()
            continue
        box = boxes[place(boxes, np.vstack([line, taken]))]
        move(text, box, 2)
        taken = np.vstack([taken, box])


def _time_axis(ax: Axes, days: pd.DatetimeIndex) -> None:
    first, last = date2num(days[[0, -1]])
    ax.set_xlim(first, last + 0.01 * (last - first))
    quarters = pd.date_range(days[0], days[-1], freq="QS")
    names = [f"{day:%b}\n{day:%Y}" if day.month == 1 else f"{day:%b}" for day in quarters]
    ax.set_xticks(date2num(quarters), names)
