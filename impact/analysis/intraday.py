"""The hour of the news: how far prices moved in the half hour after each announcement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.analysis.announcement_set import Observation, set_test_table
from impact.analysis.price_path import PATH_SAYS, price_path
from impact.analysis.reaction import TO_CLOSE, LeftOut, Stretch, reaction, stretch
from impact.analysis.window_ranks import known_variance
from impact.charts.minute_paths import PLAIN, MinutePanel, minute_paths
from impact.charts.page import Words
from impact.errors import EventError, InferenceError, WindowError
from impact.market.bars import bars_hash, security_of
from impact.market.clock_time import MINUTES
from impact.news.events import read_events, unknown_id_error
from impact.news.minutes import BOUNDED, EXACT, announcement_minutes, known_minutes, release_minutes
from impact.news.security_names import as_spelt
from impact.study.arguments import is_whole
from impact.text import formats
from impact.text.formats import counted, iso, list_of
from impact.text.result import Result, count_left_out, left_out, signed
from impact.text.table import KNOWN, SIGMA, Column, percentage
from impact.volatility.clock import HALF_LIVES, ClockVariance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Columns of the table, in order.
_TABLE = (
    "announced_at",
    "from",
    "to",
    "move",
    "simple_change",
    "sigma",
    "z",
    "p_value",
    "ci_low",
    "ci_high",
    "smallest_detectable",
    "part",
    "minute",
    "hour_before_move",
    "hour_before_p",
    "others",
    "note",
)

_LONGEST_WINDOW = 120


def _time(value: pd.Timestamp) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


_COLUMNS = (
    Column("from", "from", _time, is_text=True),
    Column("to", "to", _time, is_text=True),
    Column("move", "move", formats.percent),
    Column("sigma", SIGMA, percentage),
    Column("z", "z", formats.number),
    KNOWN["p_value"],
    KNOWN["ci_low"],
    KNOWN["ci_high"],
    KNOWN["smallest_detectable"],
    Column("part", "part", is_text=True),
    Column("minute", "minute", is_text=True),
    Column("note", "note", is_text=True),
)


@dataclass(frozen=True, eq=False, repr=False)
class IntradayStudy(Result):
    """How far prices moved after each announcement, and how unusual that was for the hour.

    Attributes
    ----------
    table : DataFrame
        One row an announcement, index ``id`` (and ``window`` where several were asked for):

        - `announced_at`: as given; `from`, `to`: ends of the bars whose prices are compared;
        - `move`: log return, decimal fraction; `simple_change`; `sigma`: its standard deviation
          as known before; `z`; `p_value`: rank of z among the same windows of other days, NaN
          where no test is valid; `ci_low`, `ci_high`: 95% interval of the effect;
          `smallest_detectable`: the effect found with 80% power at 5%. Of a bounded
          announcement the p is that of its largest window, and the effect found is one within a
          window; the interval is that of the whole stretch, up to two hours;
        - `part`: "pre-open", "trading", "after hours", "across 09:30", "across the close" or
          "closed hours"; `minute`: "exact", "bounded" or "approximate";
        - `hour_before_move`, `hour_before_p`: the 60 minutes before `from`;
        - `others`: other announcements of the catalogue, and releases, that came or may have
          come within the window; `note`: what else a reader must know.
    dropped : DataFrame
        event, reason.
    signature : str
    windows : tuple of int or "close"
        Minutes after the announcement.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    windows: tuple[int | str, ...]
    _known: ClockVariance = field(repr=False)
    _stretches: dict[tuple[str, int | str], Stretch] = field(repr=False)
    _security: str = field(repr=False)
    _events: pd.DataFrame = field(repr=False)

    def _title(self) -> str:
        minutes = [str(window) for window in self.windows if window != TO_CLOSE]
        ends = [f"{list_of(minutes, 'or')} minutes later"] if minutes else []
        ends += ["the close"] if TO_CLOSE in self.windows else []
        return f"{self._security} from each announcement to {list_of(ends, 'or')}"

    def _columns(self) -> tuple[Column, ...]:
        names = [Column(name, str(name), is_text=True) for name in self.table.index.names]
        return (*names, *_COLUMNS)

    def _notes(self) -> tuple[str, ...]:
        return (
            "σ: clock pattern times the level of the last hours, known before the window; p: "
            "equal-tailed rank of z among the same windows of all other days.",
            *self._events.attrs.get("notes", ()),
        )

    def path(self, event: str) -> pd.DataFrame:
        """Return the move around an announcement, every five minutes.

        Parameters
        ----------
        event : str
            Id of an announcement whose window lies inside one session.

        Returns
        -------
        DataFrame
            Index `minute`: minutes from the last price before the announcement, -60 to +180, as
            far as the session has bars. `time`; `move`: log price above that of minute 0; `low`,
            `high`: band that holds 95% of what the same windows did on other days, NaN where no
            test is valid.

        Raises
        ------
        EventError
            If the id is unknown or was dropped.
        InferenceError
            If trading was closed when it came out.
        """
        return price_path(self._known, self._stretch(event).begin)

    def plot(self, event: str, *, ax: Axes | None = None) -> Figure:
        """Draw the move around an announcement with its band, as `path` gives it.

        Parameters
        ----------
        event : str
            Id of an announcement whose window lies inside one session.
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.

        Raises
        ------
        EventError, InferenceError
            As `path`.
        """
        found = self._stretch(event)
        begin, end = (self._known.grid.time(bar) for bar in (found.begin, found.end))
        move = self._known.grid.price(found.end) - self._known.grid.price(found.begin)
        words = Words(
            f"{self._security} {formats.percent(move)} from {begin:%H:%M} to {end:%H:%M} on "
            f"{formats.date(begin)}",
            f"{self._events.loc[event, 'label']}. {PATH_SAYS}.",
            self.signature,
        )
        measured = MINUTES * found.bars
        panel = MinutePanel(self._events.loc[event, "label"], formats.date(begin), PLAIN, measured)
        return minute_paths(words, self.drawn_path(event), {event: panel}, ax=ax)

    def drawn_path(self, event: str) -> pd.DataFrame:
        """Return `path` as `impact.charts.minute_paths.minute_paths` takes it."""
        names = {"move": "path", "low": "band_low", "high": "band_high"}
        return self.path(event).reset_index().rename(columns=names).assign(event=event)

    def _stretch(self, event: str) -> Stretch:
        for window in self.windows:
            if (event, window) in self._stretches:
                found = self._stretches[event, window]
                break
        else:
            for row in self.dropped[self.dropped["event"] == str(event)].itertuples():
                raise EventError(f"{event!r} is not in this study: {row.reason}")
            raise unknown_id_error(event, list(dict.fromkeys(name for name, _ in self._stretches)))
        if found.closed:
            raise InferenceError(
                f"trading was closed when {event!r} came out, or before its window was over: "
                "there is no path; see its row of the table"
            )
        return found

    def set_test(self) -> pd.DataFrame:
        """Compare the exact announcements, as a set, with the same clock times of other days.

        Two announcements within one window are one observation; approximate and bounded minutes
        are in no set.

        Returns
        -------
        DataFrame
            See `impact.analysis.announcement_set.set_test_table`; with several windows one such
            frame for each, below one another.

        Raises
        ------
        InferenceError
            If no announcement has an exact minute and a p.
        """
        minutes = [window for window in self.windows if window != TO_CLOSE]
        frames = [set_test_table(self._known, self._observations(window)) for window in minutes]
        if not frames:
            raise InferenceError("windows to the close have no p: ask for a window in minutes")
        if len(self.windows) == 1:
            return frames[0]
        return pd.concat(frames, keys=minutes, names=["window"])

    def _observations(self, window: int | str) -> list[Observation]:
        table = self.table
        if len(self.windows) > 1:
            table = table.xs(window, level="window")
        usable = table[
            (table["minute"] == EXACT) & table["sigma"].notna() & table["p_value"].notna()
        ]
        found, until = [], None
        for event, row in usable.sort_values("from", kind="stable").iterrows():
            if until is None or row["from"] >= until:
                where = self._stretches[str(event), window]
                found.append(Observation(where.begin, where.bars))
                until = row["to"]
        return found


def intraday_study(
    bars: pd.Series, events: Any, *, window: int | str | Sequence[int | str] = 30
) -> IntradayStudy:
    """Measure how far prices moved in the minutes after each announcement.

    Parameters
    ----------
    bars : Series
        Five-minute prices, as `load_bars` returns them; at least 52 sessions.
    events : DataFrame or what `impact.event_study` takes
        Announcements with their time of day: `load_events()`, a dict label -> time, a frame with
        ``announced_at`` and, where the minute is not exact, ``time_basis``, ``not_before``,
        ``not_after``.
    window : int, "close", or several of them
        Minutes after the announcement, 5 to 120 in steps of five; "close" measures to the next
        close of regular trading, without a p.

    Returns
    -------
    IntradayStudy

    Raises
    ------
    BarsError, HistoryError
        If the bars break a rule of `load_bars`, or are too few.
    EventError, DateError
        If the events cannot be read, or none of them can be measured.
    WindowError
        If `window` is none of these.

    Notes
    -----
    Exact minutes: from the last bar that ended at or before the announcement to the first that
    ended `window` minutes or more after it. Bounded ones (``not_before`` and ``not_after``): the
    move over the stretch plus the window; its p is that of the largest window in it, ranked among
    the largest of the same stretch on other days. Other approximate ones: as if the minute were
    right. While trading is closed: the whole night, ranked among all nights. There is no p across
    09:30 or the close, in the half hour after a release (90 minutes for the Fed), or before there
    are 51 sessions.

    References
    ----------
    Lee and Mykland (2008), Review of Financial Studies 21, for moves over a volatility known
    before them; see `impact.volatility.clock` for that.

    Examples
    --------
    >>> from impact.market.bars import load_bars
    >>> study = intraday_study(load_bars(), {"the pause": "2025-04-09T13:18:40"})
    >>> row = study.table.loc["the pause"]
    >>> round(float(row["simple_change"]), 3), row["part"], bool(row["p_value"] < 0.01)
    (0.056, 'trading', True)
    """
    windows = _windows(window)
    known = known_variance(bars)
    frame, unknown = read_events(events)
    minutes = announcement_minutes(frame)
    security = security_of(bars)
    frame, _ = as_spelt(frame, pd.Index([security]))
    reasons = _left_out(frame, minutes, security)
    rows, stretches = [], {}
    for when, announced_at in zip(minutes.itertuples(), frame["announced_at"], strict=True):
        for each in windows if when.Index not in reasons else ():
            where = _place(known, when, each)
            if isinstance(where, LeftOut):
                reasons.setdefault(when.Index, where.reason)
                continue
            stretches[when.Index, each] = where
            cells = reaction(known, where, when.minute, each)
            about = {"id": when.Index, "window": each, "announced_at": announced_at}
            rows.append(cells | about | {"minute": when.minute})
    reasons |= unknown
    dropped = pd.DataFrame(
        [(event, reasons[event]) for event in [*frame.index, *unknown] if event in reasons],
        columns=["event", "reason"],
        dtype="str",
    )
    if not rows:
        raise EventError(f"none of the announcements can be measured. {left_out(dropped)}")
    count_left_out(dropped, len({row["id"] for row in rows}))
    table = _table(rows, minutes, several=len(windows) > 1)
    signature = _signature(bars, known, frame, windows, len({row["id"] for row in rows}))
    return IntradayStudy(table, dropped, signature, windows, known, stretches, security, frame)


def _windows(window: Any) -> tuple[int | str, ...]:
    given = [window] if isinstance(window, str) or not isinstance(window, Sequence) else window
    for each in given:
        if each != TO_CLOSE and not _is_minutes(each):
            raise WindowError(
                f"window={each!r}: give minutes from {MINUTES} to {_LONGEST_WINDOW} in steps of "
                f"{MINUTES}, or {TO_CLOSE!r}"
            )
    if not given or len(set(given)) < len(given):
        raise WindowError(f"window={window!r}: give at least one window, each once")
    return tuple(each if each == TO_CLOSE else int(each) for each in given)


def _is_minutes(value: Any) -> bool:
    return is_whole(value) and MINUTES <= value <= _LONGEST_WINDOW and value % MINUTES == 0


def _left_out(frame: pd.DataFrame, minutes: pd.DataFrame, security: str) -> dict[str, str]:
    """Why an announcement cannot be measured, whatever the bars."""
    known = ~frame["news"] if frame["from_catalogue"].all() else []
    other = ~frame["security"].isin(["", security]) if "security" in frame else []
    return {
        **dict.fromkeys(frame.index[minutes["minute"] == ""], "its hour is not known"),
        **dict.fromkeys(frame.index[other], f"concerns another security than {security}"),
        **dict.fromkeys(frame.index[known], "puts known news into force"),
    }


def _place(known: ClockVariance, when: Any, window: int | str) -> Stretch | LeftOut:
    if when.minute == BOUNDED:
        return stretch(known.grid, when.earliest, when.latest, window)
    return stretch(known.grid, when.at, when.at, window)


def _table(rows: list[dict[str, Any]], minutes: pd.DataFrame, *, several: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table["others"] = _others(table, minutes)
    table = table.set_index(["id", "window"] if several else "id")
    return table[list(_TABLE)]


def _others(table: pd.DataFrame, own: pd.DataFrame) -> list[tuple[str, ...]]:
    """Other announcements that came, or may have come, within each window, and releases."""
    known = known_minutes()
    known = pd.concat([own, known[~known.index.isin(own.index)]])
    ids, earliest, latest = (
        known.index,
        *(known[name].to_numpy() for name in ("earliest", "latest")),
    )
    releases = release_minutes()
    out, said = (
        releases["at"].to_numpy(),
        releases["release"] + releases["at"].dt.strftime(" %H:%M"),
    )
    found = []
    for event, *ends in zip(table["id"], table["from"], table["to"], strict=True):
        begin, end = (np.datetime64(time.tz_localize(None)) for time in ends)
        near = ids[(earliest < end) & (latest >= begin)]
        found.append((*near[near != event], *said[(out >= begin) & (out < end)]))
    return found


def _signature(
    bars: pd.Series,
    known: ClockVariance,
    events: pd.DataFrame,
    windows: tuple[int | str, ...],
    n: int,
) -> str:
    sessions = known.grid.sessions
    minutes = list_of(str(each) if each == TO_CLOSE else f"{each} minutes" for each in windows)
    return signed(
        f"five-minute prices {iso(sessions[0])} to {iso(sessions[-1])}",
        f"window {minutes}",
        counted(n, "announcement"),
        f"clock pattern x averages of {list_of(map(str, HALF_LIVES))} bars",
        f"data {bars_hash(bars)}",
        events=[events],
    )
