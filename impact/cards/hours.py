"""What five-minute prices add to a card: the half hour of the news, and the parts of its day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from impact.analysis.day import EVENING, Day, day
from impact.analysis.intraday import intraday_study
from impact.analysis.reaction import CLOSED, IF_RIGHT, NO_P, OF_ALL_NIGHTS
from impact.analysis.window_ranks import known_variance
from impact.errors import DateError, EventError
from impact.inference.tests import LEVEL
from impact.market.bars import security_of
from impact.news.catalogue import load_events
from impact.news.minutes import BOUNDED, announcement_minutes
from impact.text import formats

_SPY = "the S&P 500 (fund SPY)"

#: The beginning of a sentence about a part of the day; other parts are told by the clock.
_PARTS = {EVENING: "in the evening before", CLOSED: "while trading was closed"}


@dataclass(frozen=True, eq=False)
class Hours:
    """One event in the five-minute prices of a security.

    Attributes
    ----------
    minute : Series
        The row of `impact.news.minutes.announcement_minutes`.
    row : Series or None
        The row of `impact.intraday_study`; None where the event cannot be measured.
    day : Day or None
        Its session in parts; None where the session before is not in the bars.
    """

    security: str
    minute: pd.Series
    row: pd.Series | None
    day: Day | None


def hours_of(event: pd.DataFrame, session: pd.Timestamp, bars: pd.Series) -> Hours | None:
    """Look an event up in five-minute prices; None where they do not hold its session."""
    if session not in known_variance(bars).grid.sessions:
        return None
    security = security_of(bars)
    try:
        row = intraday_study(bars, event).table.iloc[0]
    except EventError:  # its hour is not known, or the bars lack what lies before the session
        row = None
    try:
        parts = day(session, bars=bars)
    except DateError:  # the bars begin with this session
        parts = None
    return Hours(security, announcement_minutes(event).iloc[0], row, parts)


# -- the half hour -------------------------------------------------------------------------------


def the_hour(hours: Hours | None, series: str) -> list[str]:
    """Say what prices did when the news came out, or why that cannot be said."""
    if hours is None:
        return [
            f"there are no five-minute prices of {series} for that day here",
            "one close mixes all that happened since the close before",
        ]
    if hours.row is None:
        known = hours.minute["minute"] != ""
        why = "the five-minute prices do not hold it" if known else "its hour is not known"
        return [f"{why}, so no half hour can be measured"]
    row = hours.row
    who = _SPY if hours.security == "SPY" else hours.security
    said = [f"{_when(row, hours.minute)} {who} {moved(row['simple_change'])}"]
    if pd.notna(row["p_value"]) and row["part"] != CLOSED:
        right = "if that minute is right, " if IF_RIGHT in row["note"] else ""
        verdict = "unusual" if row["p_value"] < LEVEL else "not unusual"
        said.append(
            f"{right}that is {verdict} for the time of day and for how nervous the market was "
            f"({formats.p_phrase(row['p_value'])})"
        )
    return said + [_noted(note) for note in row["note"].split("; ") if note not in ("", IF_RIGHT)]


def found_within_the_day(hours: Hours | None, series: str) -> str:
    """Say how small a move five-minute prices of the same security show; "" where they do not."""
    if hours is None or hours.row is None:
        return ""
    row = hours.row
    same = series in (hours.security, "the S&P 500" if hours.security == "SPY" else "")
    if not same or pd.isna(row["p_value"]) or row["part"] == CLOSED:
        return ""
    return (
        f", the test of those minutes {formats.percent(row['smallest_detectable'], signed=False)}"
    )


def _when(row: pd.Series, minute: pd.Series) -> str:
    begin, end = row["from"], row["to"]
    if row["part"] == CLOSED:
        return f"from {_clock_and_day(begin)} to {_clock_and_day(end)}, around the news,"
    if minute["minute"] == BOUNDED:
        return (
            f"the news came out between {minute['earliest']:%H:%M} and {minute['latest']:%H:%M}; "
            f"from {begin:%H:%M} to {end:%H:%M}"
        )
    about = "about " if IF_RIGHT in row["note"] else ""
    return f"in the half hour after {about}{minute['at']:%H:%M}"


def _clock_and_day(time: pd.Timestamp) -> str:
    return f"{time:%H:%M} on {time.day_name()}"


def moved(change: float) -> str:
    """Say how far prices moved, up or down.

    Examples
    --------
    >>> moved(0.0147), moved(-0.0271), moved(0.00001)
    ('rose 1.47%', 'fell 2.71%', 'ended unchanged')
    """
    size = formats.percent(abs(change), signed=False)
    if size == formats.percent(0.0):
        return "ended unchanged"
    return f"{'rose' if change > 0 else 'fell'} {size}"


def quoted(words: str) -> str:
    """Put words between quotation marks, those within them between single ones.

    Examples
    --------
    >>> quoted('"Deal is done" post')
    '“‘Deal is done’ post”'
    """
    within = re.sub('"(.*?)"', r"‘\1’", words)
    return f"“{within}”"


def _noted(note: str) -> str:
    """A note of the table as a sentence."""
    if note.startswith(NO_P):
        return f"no test is made: {note.removeprefix(NO_P)}"
    if OF_ALL_NIGHTS in note:
        return f"that is {note}"
    return f"the {note}" if note.startswith("p is") else note


# -- the parts of the day ------------------------------------------------------------------------


def in_parts(found: Day, security: str) -> tuple[list[str], list[str]]:
    """Say what the parts of the day did in which something came out, and what stays unknown."""
    brief = found.brief
    told: list[tuple[range, list[str]]] = []
    reaches = [_reach(brief, news) for news in found.news.itertuples()]
    for reach, text in sorted(reaches, key=lambda found: found[0].start):
        # News that may have come out in the same part is told with that part, once.
        if told and reach.start < told[-1][0].stop:
            before, texts = told.pop()
            reach, texts = range(before.start, max(before.stop, reach.stop)), [*texts, text]
        else:
            texts = [text]
        told.append((reach, texts))
    said = []
    for reach, texts in told:
        first, *others = (
            (_part(brief, brief.index[i]), formats.percent(brief["move"].iloc[i])) for i in reach
        )
        moves = ", ".join(
            [f"{first[0]} {security} moved {first[1]}"] + [" ".join(other) for other in others]
        )
        news = "; ".join(texts)
        said += [moves, news] if others else [f"{moves}; {news}"]
    labels = load_events(included=None)["label"]
    unknown = [f"{quoted(labels[event])} has no known hour" for event in found.dropped["event"]]
    rest = brief["move"].drop(brief.index[[i for reach, _ in told for i in reach]])
    return said, [
        *unknown,
        f"the other hours add {formats.percent(rest.sum())} (log changes)",
        "what each piece of news did within its part cannot be known",
    ]


def _reach(brief: pd.DataFrame, news: Any) -> tuple[range, str]:
    """The parts in which a piece of news may have come out, by position, and its words."""
    what = news.text if news.release else quoted(news.text)
    first, last = brief["begin"].searchsorted([news.earliest, news.latest], side="right") - 1
    return range(max(first, 0), last + 1), f"{what} came out {news.clock}"


def _part(brief: pd.DataFrame, name: str) -> str:
    if name in _PARTS:
        return _PARTS[name]
    if name == brief.index[-1]:
        return "during trading"
    return f"from {brief.loc[name, 'begin']:%H:%M} to {brief.loc[name, 'end']:%H:%M}"
