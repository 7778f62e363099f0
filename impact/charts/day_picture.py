"""One day from close to close: the price, what each part of it did, and what came out when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.charts.page import (
    BAND,
    GROUND,
    INK,
    LABEL,
    MUTED,
    RULE,
    STONE,
    WIDTH,
    Entry,
    Mark,
    Page,
    Words,
    check_axes,
    drawing,
    extent,
    page,
    percent_axis,
    points,
    round_ticks,
    stroke,
)
from impact.text.formats import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Closed hours are drawn as wide as so many hours, and no part is narrower than so many.
CLOSED_HOURS, LEAST_HOURS = 3.0, 2.7

#: Heights in pixels: the moves of the parts, the price, a row of news.
_ABOVE, _PRICE, _ROW = 96, 520, 44

#: Labels of the axis are so many hours apart.
_APART = 1.1


#: From times to where they stand from left to right.
_Scale = Callable[[Iterable[Any]], np.ndarray]


def _scale(parts: pd.DataFrame) -> _Scale:
    """Return where times stand from left to right: straight within each part."""
    hours = ((parts["end"] - parts["begin"]) / pd.Timedelta(hours=1)).clip(lower=LEAST_HOURS)
    wide = np.where(parts["closed"], CLOSED_HOURS, hours)
    edges, places = _seconds(_edges(parts)), np.concatenate([[0], np.cumsum(wide)])
    return lambda times: np.interp(_seconds(times), edges, places)


def _seconds(times: Iterable[Any]) -> np.ndarray:
    return pd.DatetimeIndex(times).as_unit("s").asi8.astype(float)


def _edges(parts: pd.DataFrame) -> list[pd.Timestamp]:
    return [*parts["begin"], parts["end"].iloc[-1]]


@drawing()
def day_picture(
    words: Words,
    price: pd.Series,
    parts: pd.DataFrame,
    news: pd.DataFrame,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Draw one day from the close before to the close.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    price : Series
        Log price above that of the close before, by the end of each bar; decimal fractions.
    parts : DataFrame
        Index = name; `begin`, `end`, `move` (decimal fraction), `closed` (whether nobody could
        trade). Closed hours are narrowed, short parts widened.
    news : DataFrame
        In the order of the rows below the price: `text` and `clock` (what came out when),
        `earliest`, `latest` (the same where the minute is known), `kind` (the word that the key
        explains), its `colour` and `marker`.
    ax : Axes, optional
        Where to draw the price alone, without the page around it.
    """
    check_axes(ax)
    scale = _scale(parts)
    if ax is not None:
        _draw_price(ax, price, parts, news, scale)
        return ax.figure
    strip = _ABOVE + _PRICE + 92
    sheet = page(words, strip + _ROW * len(news) + 60)
    ax = sheet.across(90, sheet.top + _ABOVE, _PRICE)
    _draw_price(ax, price, parts, news, scale)
    _name_parts(sheet, ax, parts, scale)
    for row, one in enumerate(news.itertuples()):
        _news_row(sheet, ax, one, sheet.top + strip + _ROW * (row + 0.5), scale)
    sheet.key(sheet.bottom - 30, _entries(news))
    return sheet.figure


def _entries(news: pd.DataFrame) -> list[Entry]:
    looks = news.drop_duplicates("kind")
    entries = [Mark(look.kind, look.colour, look.marker).entry for look in looks.itertuples()]
    if (news["latest"] > news["earliest"]).any():
        entries.append((stroke(BAND, 26), "came out in here, minute not known"))
    return [*entries, ({**stroke(STONE, 4), "dashes": (1.5, 1.5)}, "trading closed")]


def _draw_price(
    ax: Axes, price: pd.Series, parts: pd.DataFrame, news: pd.DataFrame, scale: _Scale
) -> None:
    low, high = min(0.0, price.min()), max(0.0, price.max())
    room = 0.1 * (high - low)
    _, *inner, last = scale(_edges(parts))
    ax.set(xlim=(0, last), ylim=(low - room, high + room))
    percent_axis(ax.yaxis, round_ticks(low - room, high + room), 1)
    ax.axhline(0, **stroke(MUTED, 2, 1.5))
    for edge in inner:
        ax.axvline(edge, **stroke(RULE, 2.5, 0.8), dashes=(3, 3))
    for row in news.itertuples():
        begin, end = scale([row.earliest, row.latest])
        if end > begin:
            ax.axvspan(begin, end, color=BAND, linewidth=0, zorder=0.4)
        else:
            ax.axvline(begin, dashes=(4, 2), **stroke(row.colour, 3, 1.6))
    for part in parts.itertuples():
        inside = price[(price.index >= part.begin) & (price.index <= part.end)]
        look = stroke(STONE, 4, 3) | {"dashes": (1.5, 1.5)} if part.closed else stroke(INK, 4, 3)
        ax.plot(scale(inside.index), inside, **look)
    _clock_axis(ax, parts, scale)


def _clock_axis(ax: Axes, parts: pd.DataFrame, scale: _Scale) -> None:
    """Label the ends of the parts, then every second hour of trading where there is room.

    The first label of each day has its date below it.
    """
    open_hours = parts[~parts["closed"]]
    every = [
        hour
        for part in open_hours.itertuples()
        for hour in pd.date_range(part.begin.ceil("2h"), part.end, freq="2h")
    ]
    ticks: dict[float, pd.Timestamp] = {}
    for time in [*_edges(parts), *every]:
        (at,) = scale([time])
        if all(abs(at - other) >= _APART for other in ticks):
            ticks[at] = time
    places = sorted(ticks)
    days = [ticks[at].date() for at in places]
    dated = [day not in days[:number] for number, day in enumerate(days)]
    labels = [
        f"{ticks[at]:%H:%M}" + (f"\n{ticks[at].day} {ticks[at]:%b}" if first else "")
        for at, first in zip(places, dated, strict=True)
    ]
    ax.set_xticks(places, labels, linespacing=1.3)


def _name_parts(sheet: Page, ax: Axes, parts: pd.DataFrame, scale: _Scale) -> None:
    """Write the move of each part above it; the largest is bold."""
    edges = _pixels(ax, scale(_edges(parts)))
    largest = parts["move"].abs().max()
    for begin, end, part in zip(edges[:-1], edges[1:], parts.itertuples(), strict=True):
        middle, strong = (begin + end) / 2, abs(part.move) == largest
        look = {"ha": "center", "weight": "bold" if strong else "normal"}
        sheet.text(middle, sheet.top + 22, percent(part.move), LABEL, va="baseline", **look)
        sheet.note(middle, sheet.top + 52, part.Index, ha="center", va="baseline")
        colour = INK if strong else STONE
        sheet.line([begin + 4, end - 4], sheet.top + 76, **stroke(colour, 5))


def _pixels(ax: Axes, places: np.ndarray) -> np.ndarray:
    """From places of the axis to those of the page, from left to right."""
    return ax.transData.transform(np.column_stack([places, 0 * places]))[:, 0]


def _news_row(sheet: Page, ax: Axes, row: Any, middle: float, scale: _Scale) -> None:
    """Draw when one piece of news came out, with its words on the side where there is room."""
    begin, end = _pixels(ax, scale([row.earliest, row.latest]))
    sheet.line([begin - 4, end + 4], middle, **stroke(row.colour, 14))
    text = sheet.row(end + 20, middle, f"{row.text}, {row.clock}")
    if end + 20 + extent(text)[2] > sheet.right:
        text.set(x=(begin - 20) / WIDTH, ha="right")
        end = begin
    look = {"marker": row.marker, "color": row.colour, "markersize": points(20)}
    sheet.line([end], middle, markeredgecolor=GROUND, **look)
