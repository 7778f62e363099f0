"""What moves in time: an index with its events, and paths around events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.charts.labels import Label, label_beside, label_steps, lead_labels
from impact.charts.style import (
    BAND,
    GROUND,
    INK,
    LABEL,
    MARGIN,
    MARKS,
    MUTED,
    RULE,
    SMALL,
    WIDTH,
    Mark,
    Page,
    Words,
    drawing,
    key,
    mark_entry,
    page,
    percent_axis,
    points,
    round_ticks,
    wrapped,
)
from impact.study.event_paths import event_paths
from impact.text.formats import counted, date, interval, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from impact.study.event_study_result import EventStudy

#: More units than this are drawn as their average.
MOST_PANELS = 12

#: Height of a small picture with its heading, in pixels.
CELL = 490


# -- an index and a rate on one time axis --------------------------------------------------------


def index_and_rate(
    words: Words, closes: pd.Series, events: pd.DataFrame, rate: pd.Series, names: tuple[str, str]
) -> Figure:
    """Draw an index with labelled events, and below it a rate that moves in steps.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    closes : Series
        Index level by session.
    events : DataFrame
        One row a label: `session`, `text`, `kind` (key of `MARKS`).
    rate : Series
        Rate by the date on which it starts, decimal fraction.
    names : pair of str
        What the two panels show.
    """
    with drawing():
        sheet = page(words, 1180)
        left, width = MARGIN + 84, WIDTH - 2 * MARGIN - 84
        sheet.text(MARGIN, sheet.top, names[0], LABEL, weight="bold")
        top = sheet.axes(left, sheet.top + 44, width, 690)
        sheet.text(MARGIN, sheet.top + 776, names[1], LABEL, weight="bold")
        bottom = sheet.axes(left, sheet.top + 816, width, 250)
        _index(top, closes, events)
        _steps(bottom, rate, closes.index[0], closes.index[-1])
        kinds = [kind for kind in MARKS if kind in set(events["kind"])]
        key(sheet, sheet.top + 1150, [mark_entry(kind) for kind in kinds])
    return sheet.figure


def _index(ax: Axes, closes: pd.Series, events: pd.DataFrame) -> None:
    days = _days(closes.index)
    _time_axis(ax, closes.index[0], closes.index[-1], named=False)
    low, high = closes.min(), closes.max()
    ax.set_ylim(low - 0.07 * (high - low), high + 0.08 * (high - low))
    ticks = round_ticks(low, high, 5)
    ax.set_yticks(ticks, [number(tick, 0) for tick in ticks])
    ax.grid(True, axis="y", color=RULE, linewidth=points(1.5))
    ax.plot(days, closes.to_numpy(), color=INK, linewidth=points(4))
    labels = []
    for session, group in events.groupby("session", sort=True):
        mark = MARKS[group["kind"].iloc[0]]
        x, y = _days(pd.DatetimeIndex([session]))[0], closes[session]
        ax.plot(
            x,
            y,
            mark.marker,
            color=mark.colour,
            markersize=points(17),
            markeredgecolor=GROUND,
            markeredgewidth=points(2),
            zorder=4,
        )
        above = group["kind"].iloc[0] in ("escalation", "both")
        labels.append(Label(x, y, "\n".join(group["text"]), mark.colour, above))
    lead_labels(ax, labels, (days, closes.to_numpy()))


def _steps(ax: Axes, rate: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> None:
    _time_axis(ax, start, end, named=True)
    changes = np.append(True, np.diff(rate.to_numpy()) != 0)
    days, values = _days(rate.index[changes]), rate.to_numpy()[changes]
    first, last = _days(pd.DatetimeIndex([start, end]))
    days[0] = first
    ax.set_ylim(-0.04 * values.max(), 1.22 * values.max())
    percent_axis(ax.yaxis, [0, 0.5, 1.0, 1.5], signed=False)
    ax.grid(False, axis="x")
    ax.step([*days, last], [*values, values[-1]], where="post", color=INK, linewidth=points(4.5))
    texts = [
        percent(value, 0 if round(1000 * value) % 10 == 0 else 1, signed=False) for value in values
    ]
    label_steps(ax, days, values, texts, last)


def _days(index: pd.DatetimeIndex) -> np.ndarray:
    from matplotlib.dates import date2num

    return date2num(index.to_numpy())


def _time_axis(ax: Axes, start: pd.Timestamp, end: pd.Timestamp, *, named: bool) -> None:
    first, last = _days(pd.DatetimeIndex([start, end]))
    ax.set_xlim(first, last + 0.01 * (last - first))
    months = pd.date_range(start, end, freq="MS")
    quarters = months[months.month % 3 == 1]
    names = [f"{day:%b}\n{day:%Y}" if day.month == 1 else f"{day:%b}" for day in quarters]
    ax.set_xticks(_days(quarters), names if named else [""] * len(quarters))
    ax.spines["left"].set_visible(False)


# -- paths around events -------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """One small picture: its heading, the line under it, and the kind of its event."""

    heading: str
    note: str
    kind: str


def path_panels(words: Words, paths: pd.DataFrame, panels: dict[str, Panel]) -> Figure:
    """Draw cumulated abnormal returns around events as small multiples.

    Parameters
    ----------
    words : Words
        Title, subtitle, source.
    paths : DataFrame
        As `impact.study.event_paths.event_paths` returns it.
    panels : dict of event -> Panel
        In the order in which they are drawn; panels in one row share their scale.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with drawing():
        key_row = len(panels) % columns == 0 or columns < 3
        sheet = page(words, rows * CELL + (60 if key_row else 0))
        cell = (WIDTH - 2 * MARGIN - 90 + 40) / columns
        grouped = dict(list(paths.groupby("event", sort=False)))
        events = list(panels)
        for row in range(rows):
            members = events[row * columns : (row + 1) * columns]
            limits = _shared_limits([grouped[event] for event in members])
            for column, event in enumerate(members):
                left, top = MARGIN + 90 + column * cell, sheet.top + row * CELL
                _path_heading(sheet, left, top, cell - 40, panels[event])
                ax = sheet.axes(left, top + 106, cell - 40, 310)
                _path(ax, grouped[event], MARKS[panels[event].kind], limits, column == 0)
        kinds = [kind for kind in MARKS if kind in {panel.kind for panel in panels.values()}]
        entries = [*_path_entries("conditional_low" in paths), *map(_session_entry, kinds)]
        if key_row:
            key(sheet, sheet.top + rows * CELL + 10, entries)
        else:
            used = MARGIN + 90 + (len(panels) % columns) * cell + 30
            _path_key(sheet, used, sheet.top + (rows - 1) * CELL + 50, entries)
    return sheet.figure


def _path_heading(sheet: Page, left: float, top: float, width: float, panel: Panel) -> None:
    heading = wrapped(sheet, panel.heading, LABEL, width, weight="bold")
    sheet.text(
        left, top + 50, heading, LABEL, weight="bold", va="baseline", color=MARKS[panel.kind].colour
    )
    sheet.text(left, top + 84, panel.note, SMALL, va="baseline", color=MUTED)


def _shared_limits(paths: Sequence[pd.DataFrame]) -> tuple[float, float]:
    drawn = [frame.filter(regex="^path$|_low$|_high$").to_numpy() for frame in paths]
    low = min(np.nanmin(values) for values in drawn)
    high = max(np.nanmax(values) for values in drawn)
    room = 0.08 * (high - low)
    return low - room, high + 2 * room


def _path(ax: Axes, path: pd.DataFrame, mark: Mark, limits, labelled: bool) -> None:
    path = path.set_index("relative_session")
    x, y = path.index.to_numpy(), path["path"].to_numpy()
    ax.set_xlim(x[0] - 0.4, x[-1] + 0.4)
    ax.set_ylim(*limits)
    ticks = round_ticks(*limits, 5)
    percent_axis(ax.yaxis, ticks)
    if not labelled:
        ax.set_yticklabels([""] * len(ticks))
    ax.set_xticks(
        x,
        ["eve" if day == -1 else number(day, 0, signed=True) if day % 5 == 0 else "" for day in x],
    )
    ax.spines["left"].set_visible(False)
    fan = pd.concat(
        [
            path.loc[[-1]].filter(regex="_(low|high)$").fillna(0.0),
            path.loc[0:].filter(regex="_(low|high)$"),
        ]
    )
    if "conditional_low" in fan:
        ax.fill_between(
            fan.index,
            fan["conditional_low"],
            fan["conditional_high"],
            color=BAND,
            linewidth=0,
            zorder=1,
        )
    for side in ("textbook_low", "textbook_high"):
        ax.plot(fan.index, fan[side], color=MUTED, linewidth=points(2.5), zorder=2, dashes=(3, 2))
    ax.axhline(0, color=MUTED, linewidth=points(2), zorder=1.5)
    ax.plot(x, y, color=mark.colour, linewidth=points(5), zorder=3)
    ax.plot(
        0,
        path.loc[0, "path"],
        mark.marker,
        color=mark.colour,
        markersize=points(20),
        zorder=4,
        markeredgecolor=GROUND,
        markeredgewidth=points(2),
    )
    at = (0, path.loc[0, "path"])
    label_beside(
        ax,
        percent(at[1]),
        at,
        np.column_stack([x, y]),
        weight="bold",
        fontsize=points(LABEL),
        zorder=5,
    )


def _path_entries(conditional: bool) -> list[tuple[dict, str]]:
    entries = [({"color": INK}, "cumulated abnormal return")]
    if conditional:
        band = {"color": BAND, "linewidth": points(26)}
        entries.append((band, "95% range without news, eve's variance"))
    dashes = {"color": MUTED, "dashes": (2, 1.2), "linewidth": points(3)}
    return [*entries, (dashes, "the same, constant variance")]


def _session_entry(kind: str) -> tuple[dict, str]:
    look, word = mark_entry(kind)
    return look, word if kind == "plain" else f"session 0: {word}"


def _path_key(sheet: Page, left: float, top: float, entries) -> None:
    sheet.text(left, top, "How to read it", LABEL, weight="bold")
    for place, entry in enumerate(entries):
        key(sheet, top + 50 + 42 * place, [entry], left)
    sheet.text(
        left,
        top + 56 + 42 * len(entries),
        "Each row of pictures has its own scale.",
        SMALL,
        color=MUTED,
    )


def average_path(words: Words, table: pd.DataFrame) -> Figure:
    """Draw an average cumulated path with its interval, as `EventStudy.caar` returns it."""
    with drawing():
        sheet = page(words, 700)
        ax = sheet.axes(MARGIN + 90, sheet.top, WIDTH - 2 * MARGIN - 90, 620)
        x = table.index.to_numpy()
        values = table[["estimate", "ci_low", "ci_high"]]
        low, high = values.min().min(), values.max().max()
        room = 0.08 * (high - low)
        ax.set_xlim(x[0] - 0.4, x[-1] + 0.4)
        ax.set_ylim(low - room, high + room)
        percent_axis(ax.yaxis, round_ticks(low - room, high + room), 1)
        ax.set_xticks(x, [number(day, 0, signed=True) for day in x])
        ax.spines["left"].set_visible(False)
        ax.fill_between(x, values["ci_low"], values["ci_high"], color=BAND, linewidth=0)
        ax.axhline(0, color=MUTED, linewidth=points(2))
        ax.plot(x, values["estimate"], color=INK, linewidth=points(5))
    return sheet.figure


def study_paths(study: EventStudy) -> Figure:
    """Draw a study: a panel for each unit of one series, else the average path."""
    source = study.signature
    if not study.is_one_series or len(study) > MOST_PANELS:
        table = study.caar()
        title = f"Cumulative average abnormal return of {counted(len(study.alignment), 'unit')}"
        what = f"95% interval: {table.attrs['method']}. Sessions relative to the reaction session."
        return average_path(Words(title, what, source), table)
    paths = event_paths(study)
    units = study.units
    panels = {
        event: Panel(unit.label, date(unit.session), "plain")
        for event, unit in zip(study.abnormal.index, units.itertuples(), strict=True)
    }
    title = f"Cumulative abnormal returns around {counted(len(study), 'session')}"
    return path_panels(Words(title, "From the close on the eve, in %.", source), paths, panels)


def card_plot(card) -> Figure:
    """Draw the path around the one event of an `impact.cards.card.Card`."""
    row = card.study.car(0).iloc[0]
    title = f"{percent(row['estimate'])} abnormal return on {date(row['session'])}"
    low, high = [row.get(f"ci_{side}_conditional", np.nan) for side in ("low", "high")]
    what = f"{row['label']}. Cumulative abnormal return from the close on the eve, in %."
    if np.isfinite(low):
        what += f" 95% interval of session 0: {interval(low, high)}."
    paths = event_paths(card.study)
    panel = Panel(row["label"], date(row["session"]), "plain")
    return path_panels(
        Words(title, what, card.study.signature), paths, {card.study.abnormal.index[0]: panel}
    )
