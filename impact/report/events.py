"""The pages of the announcements: a table of all, and one page for each with its card."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from impact.analysis.day import Day
from impact.analysis.intraday import intraday_study
from impact.cards.card import Card, event_card
from impact.charts.page import svg
from impact.errors import EventError
from impact.inference.tests import LEVEL
from impact.market.bars import load_bars
from impact.report.markup import Page, heading, image, link, page, raw
from impact.text.document import paragraphs, whole_table
from impact.text.formats import date, iso, list_of, number, p_value, percent


@dataclass(frozen=True, eq=False)
class Told:
    """One announcement with its card, or the reason why there is none."""

    event: pd.Series
    card: Card | None
    reason: str = ""

    @property
    def name(self) -> str:
        """Id of the announcement."""
        return str(self.event.name)

    @property
    def session(self) -> pd.Timestamp | None:
        """The session that could react first."""
        return self.card.facts["session"] if self.card else None

    @property
    def day(self) -> Day | None:
        """That session in five-minute prices, where there are any."""
        hours = self.card.facts["hours"] if self.card else None
        return hours.day if hours else None

    @property
    def drawing(self) -> PurePosixPath:
        """Where its picture is: announcements of one session share the picture of the day."""
        name = iso(self.session) if self.day and self.session is not None else self.name
        return PurePosixPath("events", "pictures", f"{name}.svg")


def told(event: pd.Series) -> Told:
    """Make the card of one row of the catalogue."""
    try:
        return Told(event, event_card(event.name))
    except EventError as problem:
        return Told(event, None, str(problem))


# -- one page ------------------------------------------------------------------------------------


def event_page(one: Told) -> str:
    """Return the source of one announcement's page."""
    event = one.event
    parts = [heading(event["label"]), raw(_lead(event))]
    if one.card is None:
        parts += ["## No measurement", raw(paragraphs([f"{one.reason}."]))]
    else:
        drawn = image(f"pictures/{one.drawing.name}", _alt(one, one.card))
        headline, others = _words(one.card)
        parts += ["## What prices did", raw(headline + drawn + others)]
        parts += ["## The tests", raw(whole_table(one.card.table))]
        parts += _half_hour(one)
        if one.day is not None:
            parts += ["## The day in parts", raw(whole_table(one.day.summary()))]
    return page(*parts, "## Where this is from", raw(_source(event)), orphan=True)


def _lead(event: pd.Series) -> str:
    return (
        paragraphs([event["title"], event["summary"]])
        + f"<p>{html.escape('; '.join(_facts(event)))}. {link('index.html', 'All events')}</p>"
    )


def _facts(event: pd.Series) -> list[str]:
    said = [f"Announced {_when(event)}", event["direction"]]
    said.append("partner " + list_of(_partners(event)))
    before, after = event["rate_before"], event["rate_after"]
    if not (np.isnan(before) or np.isnan(after)):
        said.append(
            f"additional duty {percent(before, 0, signed=False)} before, "
            f"{percent(after, 0, signed=False)} after"
        )
    if not event["included"]:
        said.append("a candidate that was left out of the main selection")
    return said


def _partners(event: pd.Series) -> list[str]:
    return event["counterparty"].replace("ALL", "all countries").split(";")


def _when(event: pd.Series) -> str:
    told = event["announced_at"]
    if len(told) == len("2025-05-02"):
        return f"{date(told)}, hour not known"
    about = "about " if event["time_basis"] == "approximate" else ""
    return f"{date(told[:10])}, {about}{told[11:16]} New York time"


def _words(card: Card) -> tuple[str, str]:
    """Headline, and what stands below it with its labels in bold."""
    headline, *others = card.sentence.split("\n\n")
    below = re.sub(r"<p>([^:.<]+:)", r"<p><b>\1</b>", paragraphs(others))
    return f"<p><b>{html.escape(headline)}</b></p>", below


def _half_hour(one: Told) -> list[str]:
    hours = one.card.facts["hours"] if one.card else None
    if hours is None or hours.row is None:
        return []
    measured = intraday_study(load_bars(), one.name).summary()
    return ["## Around the minute of the news", raw(whole_table(measured))]


def _alt(one: Told, card: Card) -> str:
    if one.day is not None:
        moves = one.day.brief["move"]
        parts = list_of(f"{name} {percent(move)}" for name, move in moves.items())
        news = "; ".join(one.day.news["text"] + ", " + one.day.news["clock"])
        return (
            f"Price of SPY every five minutes to the close of {date(one.session)}, with the move "
            f"of each part: {parts}. Below, what came out when, New York time: {news or 'nothing'}."
        )
    facts = card.facts
    return (
        f"Cumulative abnormal return of the S&P 500 around {date(one.session)}, with a 95% band; "
        f"{percent(facts['estimate'])} in the session itself."
    )


def _source(event: pd.Series) -> str:
    said = f"{event['primary_source']}, confidence {event['confidence']}"
    noted = f" Other news around it: {event['confounders']}." if event["confounders"] else ""
    return (
        f"<p>{link(event['source_url'], event['source_title'])} ({html.escape(said)})."
        f"{html.escape(noted)} Row <code>{html.escape(str(event.name))}</code> of "
        "<code>data/events.csv</code>.</p>"
    )


def drawing_of(day: Day | None, card: Card) -> str:
    """Return the picture of an announcement's day, or else of the days around it."""
    drawn = svg(card.plot() if day is None else day.plot())
    for long, short in _SHORTER.items():
        drawn = re.sub(long, short, drawn)
    return drawn


#: Says the same in half of the bytes. A length needs no more than a hundredth of a point; what is
#: below one may be the scale of the letters and stays.
_SHORTER: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"\b[1-9]\d*\.\d{3,}": lambda length: f"{float(length[0]):.2f}",
    r'transform="translate\(([-\d.]+) 0\)"': r'x="\1"',
    "DejaVuSans-": "d",
    r"<!-- .*? -->": "",
    r"\s*\n\s*": " ",
}


# -- all of them ---------------------------------------------------------------------------------

_HEADS = ("date", "event", "move", "p", "direction", "partner", "first day")


def event_pages(all_told: list[Told], picker: str) -> Iterator[Page]:
    """Yield the page of all announcements and the page of each."""
    yield (
        PurePosixPath("events/index.md"),
        page(
            "# Events",
            "## Any day",
            raw(picker),
            "## All announcements",
            raw(f"{_in_total(all_told)}\n{_table(all_told)}"),
        ),
    )
    for one in all_told:
        yield PurePosixPath("events", f"{one.name}.md"), event_page(one)


def _in_total(all_told: list[Told]) -> str:
    p = {one.session: one.card.facts.get("p_conditional", np.nan) for one in all_told if one.card}
    tested = pd.Series(p, dtype=float).dropna()
    small = int((tested < LEVEL).sum())
    return paragraphs(
        [
            f"{len(all_told)} announcements; {len(tested)} days could be tested. On {small} "
            f"of them p is below 5%; chance alone would give {number(len(tested) * LEVEL, 1)}. "
            "Move: change of the S&P 500 on the first day that could react. p: how often a move "
            "at least this extreme happens when the market is that nervous. One close mixes all "
            "news of its day."
        ]
    )


def _table(all_told: list[Told]) -> str:
    heads = "".join(
        f'<th scope="col"><button type="button">{name}</button></th>' for name in _HEADS
    )
    rows = "\n".join(f"<tr>{_cells(one)}</tr>" for one in all_told)
    return (
        '<p class="search"><label for="find">Search</label> '
        '<input id="find" type="search" placeholder="words, a partner, a month: 2025-05"> '
        '<output id="count" for="find"></output></p>\n'
        '<div class="wide" tabindex="0" role="region" aria-label="All announcements">'
        f'<table id="event-table"><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(one: Told) -> str:
    event = one.event
    move = one.card.facts["simple_change"] if one.card else np.nan
    p = one.card.facts.get("p_conditional", np.nan) if one.card else np.nan
    session = iso(one.session) if one.session is not None else ""
    shown = (
        ("", html.escape(event["announced_at"][:10])),
        ("", link(f"{one.name}.html", event["label"])),
        (_key(move), percent(move) if np.isfinite(move) else ""),
        (_key(p), p_value(p) if np.isfinite(p) else ""),
        ("", html.escape(event["direction"])),
        ("", html.escape(", ".join(_partners(event)))),
        ("", session),
    )
    return "".join(f"<td{key}>{cell}</td>" for key, cell in shown)


def _key(value: float) -> str:
    """What a number is sorted by; what is not there comes last."""
    return f' class="number" data-key="{value if np.isfinite(value) else np.inf:.10g}"'
