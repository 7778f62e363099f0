"""Where in the day a move happened, and what was announced and released then."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.analysis.reaction import CLOSED
from impact.analysis.window_ranks import known_variance, ranked_windows
from impact.charts.day_picture import day_picture
from impact.charts.page import INK, MUTED, Mark, Words
from impact.errors import DateError
from impact.market.bars import Bar, BarGrid, bars_hash, load_bars, security_of
from impact.market.clock_time import MINUTES, OPEN, clock, column_at
from impact.market.instants import NEW_YORK, parse_date
from impact.news.catalogue import load_events
from impact.news.events import as_events
from impact.news.kinds import MARKS, kind_of
from impact.news.minutes import (
    APPROXIMATE,
    BOUNDED,
    announcement_minutes,
    release_minutes,
    release_words,
)
from impact.text import formats
from impact.text.result import Result, signed
from impact.text.table import Column
from impact.volatility.clock import ClockVariance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVENING = "evening before"

RELEASE = "economic release"

#: How what has no direction looks.
_RELEASED, _OTHER = Mark(RELEASE, MUTED, "s"), Mark("announcement", INK, "o")

OPENING = pd.Timedelta(hours=9, minutes=30)

#: What the picture of a day shows, and how.
PICTURE_SAYS = (
    "Log price above the close before, in %, every five minutes, New York time. Above: the move of "
    "each part; the parts add up. Closed hours are narrowed, the half hours before 09:30 widened"
)

#: Columns at which the hours before 09:30 are cut: releases come at 08:30.
_PRE_OPEN = (column_at(8 * 60 + 30), column_at(9 * 60))
_HALF_HOUR = 30 // MINUTES

_COLUMNS = (
    Column("part", "part", is_text=True),
    Column("move", "move", formats.percent),
    Column("z", "z", formats.number),
    Column("announcements", "announced", lambda ids: ", ".join(ids), is_text=True),
    Column("possible", "perhaps announced", lambda ids: ", ".join(ids), is_text=True),
    Column("releases", "released", lambda words: "; ".join(words), is_text=True),
)


@dataclass(frozen=True, eq=False, repr=False)
class Day(Result):
    """The change from one close to the next, cut into the parts of the day.

    Attributes
    ----------
    table : DataFrame
        Index `part`: "evening before", "closed hours", the hours before 09:30 cut at 08:30 and
        09:00, and the half hours of trading; only the parts that the bars reach. `from`, `to`:
        ends of the bars between which a part is measured; `move`: log return, decimal fraction,
        the parts add up to `change`; `z`: move over the σ known before the part, NaN while
        trading is closed; `announcements`: ids of those that came out in this part; `possible`:
        ids of those that may have (their minute is not known); `releases`: macro releases, with
        what had been expected.
    dropped : DataFrame
        event, reason: announcements of that day whose hour is not known.
    signature : str
    session : Timestamp
    price : Series
        Log price above that of the close before, by the end of each bar, New York wall clock.
    news : DataFrame
        What came out between the closes, in order: `clock` and `text`: when, and what, in words;
        `direction`: that of the announcement, empty where none is known;
        `earliest`, `latest`: when, the same where the minute is known; `release`: whether it is a
        macro release. Index: id, or the release.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    session: pd.Timestamp
    price: pd.Series
    news: pd.DataFrame
    _security: str

    @property
    def change(self) -> float:
        """Log return from the close before to the close."""
        return float(self.table["move"].sum())

    @property
    def brief(self) -> pd.DataFrame:
        """The parts with all half hours of trading as one.

        Index = part; `begin`, `end`: New York wall clock; `move`; `closed`: whether nobody could
        trade.
        """
        wall = self.table[["from", "to"]].apply(lambda times: times.dt.tz_localize(None))
        trading = wall["from"] >= self.session + OPENING
        name = f"{wall.loc[trading, 'from'].iloc[0]:%H:%M}-{wall['to'].iloc[-1]:%H:%M}"
        parts = wall.assign(move=self.table["move"])
        grouped = parts.groupby(parts.index.where(~trading, name).rename("part"), sort=False)
        brief = grouped.agg(begin=("from", "first"), end=("to", "last"), move=("move", "sum"))
        return brief.assign(closed=brief.index == CLOSED)

    def plot(self, *, ax: Axes | None = None) -> Figure:
        """Draw the price from close to close, what came out when, and what each part did.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw the price, without the page around it.
        """
        brief = self.brief
        name = brief["move"].abs().idxmax()
        words = Words(
            f"{self._security} {formats.percent(self.change)} on {formats.date(self.session)}; "
            f"largest part: {name}, {formats.percent(brief.loc[name, 'move'])}",
            f"{PICTURE_SAYS}.",
            self.signature,
        )
        return day_picture(words, self.price, brief, self.drawn_news(), ax=ax)

    def drawn_news(self) -> pd.DataFrame:
        """Return `news` with its looks, as `impact.charts.day_picture.day_picture` takes it.

        Examples
        --------
        >>> day("2025-05-02").drawn_news()["kind"].to_list()
        ['easing or talks', 'economic release', 'easing or talks']
        """
        known = {**MARKS, "plain": _OTHER}
        looks = [
            _RELEASED if row.release else known[kind_of(row.direction)]
            for row in self.news.itertuples()
        ]
        columns = {"kind": "word", "colour": "colour", "marker": "marker"}
        return self.news.assign(
            **{name: [getattr(look, part) for look in looks] for name, part in columns.items()}
        )

    def _title(self) -> str:
        return f"{self._security} on {formats.date(self.session)}, from close to close"

    def _columns(self) -> tuple[Column, ...]:
        return _COLUMNS

    def _notes(self) -> tuple[str, ...]:
        return (
            f"The parts add up to {formats.percent(self.change)} (log return). z: the move over "
            "the σ of its clock time and the last hours; where a release came out it is no test.",
        )


def day(date: Any, *, bars: pd.Series | None = None, events: Any = None) -> Day:
    """Cut the change of one session into the parts of the day, with what came out in each.

    Parameters
    ----------
    date : str, date or Timestamp
        A session, ISO form.
    bars : Series, optional
        Five-minute prices; `load_bars()` by default.
    events : optional
        Announcements, as `intraday_study` takes them; `load_events()` by default.

    Returns
    -------
    Day

    Raises
    ------
    DateError
        If the bars have no such session, or not the one before it.
    BarsError, HistoryError, EventError
        As `intraday_study`.

    Examples
    --------
    >>> second_of_may = day("2025-05-02")
    >>> row = second_of_may.table.loc["08:30-09:00"]
    >>> round(float(row["move"]), 4), row["releases"]
    (0.0074, ('payrolls (177 thousand; 138 expected)',))
    >>> round(second_of_may.change, 4)
    0.0145
    """
    prices = load_bars() if bars is None else bars
    known = known_variance(prices)
    session = parse_date(date)
    row = _row(known.grid, session)
    frame = as_events(load_events() if events is None else events)
    if frame["from_catalogue"].all():
        frame = frame[frame["news"]]
    minutes = announcement_minutes(frame)
    rows = [_part(known, *cut, minutes) for cut in _cuts(known.grid, row)]
    dropped = _unplaced(frame, minutes, known.grid.sessions[row - 1], session)
    signature = signed(
        f"five-minute prices of {formats.iso(session)}", f"data {bars_hash(prices)}", events=[frame]
    )
    table = pd.DataFrame(rows).set_index("part")
    ends = table["from"].iloc[0], table["to"].iloc[-1]
    return Day(
        table,
        dropped,
        signature,
        session,
        _price(prices, *ends),
        _news(frame, minutes, *(end.tz_localize(None) for end in ends)),
        security_of(prices),
    )


def _row(grid: BarGrid, session: pd.Timestamp) -> int:
    sessions = grid.sessions
    span = f"{formats.iso(sessions[0])} to {formats.iso(sessions[-1])}"
    if session not in sessions:
        raise DateError(
            f"there are no bars of {session:%A}, {formats.date(session)}: give a session "
            f"of {span}, or bars that hold it"
        )
    row = int(sessions.get_loc(session))
    if not row or not grid.follows[row - 1]:
        raise DateError(
            f"the bars do not hold the session before {formats.iso(session)}: its change is not "
            f"known; they run from {span}"
        )
    return row


def _cuts(grid: BarGrid, row: int) -> list[tuple[str, Bar, Bar]]:
    """Name, first and last bar of every part, from the close before to the close."""
    before = row - 1
    closed = Bar(before, int(grid.close[before]))
    last, first = Bar(before, int(grid.last[before])), Bar(row, int(grid.first[row]))
    parts = [(EVENING, closed, last)] if last != closed else []
    parts.append((CLOSED, last, first))
    close = int(grid.close[row])
    edges = [*_PRE_OPEN, *range(OPEN, close, _HALF_HOUR), close]
    columns = [first.column, *(edge for edge in edges if edge > first.column)]
    for begin, end in itertools.pairwise(columns):
        parts.append((f"{clock(begin)}-{clock(end)}", Bar(row, begin), Bar(row, end)))
    return parts


def _part(
    known: ClockVariance, name: str, begin: Bar, end: Bar, minutes: pd.DataFrame
) -> dict[str, Any]:
    grid = known.grid
    since, until = grid.time(begin), grid.time(end)
    sure, perhaps = _announced(minutes, since.tz_localize(None), until.tz_localize(None))
    z = np.nan
    if begin.row == end.row:
        z = float(ranked_windows(known, end.column - begin.column).windows.z[begin])
    return {
        "part": name,
        "from": since,
        "to": until,
        "move": grid.price(end) - grid.price(begin),
        "z": z,
        "announcements": sure,
        "possible": perhaps,
        "releases": tuple(_released(since.tz_localize(None), until.tz_localize(None))["text"]),
    }


def _announced(
    minutes: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of what came out from `since` to before `until`, and of what may have."""
    reaches = _reaches(minutes, since, until)
    inside = (minutes["earliest"] >= since) & (minutes["latest"] < until)
    sure = inside & (minutes["minute"] != APPROXIMATE)
    return tuple(minutes.index[sure]), tuple(minutes.index[reaches & ~sure])


def _reaches(minutes: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    """Which announcements came out, or may have come out, from `since` to before `until`."""
    return (minutes["earliest"] < until) & (minutes["latest"] >= since)


def _released(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    """The releases from `since` to before `until`, in words."""
    releases = release_minutes()
    out = releases[(releases["at"] >= since) & (releases["at"] < until)]
    return out.assign(text=[release_words(one.release, one.at) for one in out.itertuples()])


def _price(bars: pd.Series, since: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    """Log price above that of the close before."""
    price = np.log(bars[since:until])
    wall = price.index.tz_convert(NEW_YORK).tz_localize(None)
    return pd.Series((price - price.iloc[0]).to_numpy(), wall, name="move")


def _news(
    events: pd.DataFrame, minutes: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp
) -> pd.DataFrame:
    """What came out, or may have come out, between two closes."""
    told = minutes[_reaches(minutes, since, until)].assign(release=False)
    told["clock"] = [_when(row) for row in told.itertuples()]
    told["text"] = events["label"].loc[told.index]
    known = events.get("direction", pd.Series("", events.index))
    told["direction"] = known.loc[told.index].fillna("")
    out = _released(since, until).set_index("release")
    released = out.assign(
        earliest=out["at"],
        latest=out["at"],
        clock=out["at"].dt.strftime("at %H:%M"),
        release=True,
        direction="",
    )
    columns = ["clock", "text", "direction", "earliest", "latest", "release"]
    news = pd.concat([told[columns], released[columns]]).sort_values("earliest", kind="stable")
    return news.assign(
        earliest=news["earliest"].clip(since, until), latest=news["latest"].clip(since, until)
    )


def _when(row: Any) -> str:
    """When an announcement came out, in words that follow "came out"."""
    if row.minute == BOUNDED:
        return f"between {row.earliest:%H:%M} and {row.latest:%H:%M}"
    return f"{'about' if row.minute == APPROXIMATE else 'at'} {row.at:%H:%M}"


def _unplaced(
    frame: pd.DataFrame, minutes: pd.DataFrame, before: pd.Timestamp, session: pd.Timestamp
) -> pd.DataFrame:
    """Announcements after one session and up to the next whose hour is not known."""
    unknown = frame[minutes["minute"] == ""]
    days = pd.to_datetime(unknown["announced_at"].str[:10])
    ids = unknown.index[(days > before) & (days <= session)]
    return pd.DataFrame({"event": ids, "reason": "its hour is not known"}, dtype="str")
