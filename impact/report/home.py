"""The first page: the question, the answer, how sure it is, and where the numbers are from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from impact.analysis.day import day
from impact.cards.card import event_card
from impact.figures.common import verdicts
from impact.inference.tests import LEVEL
from impact.market.bars import load_bars
from impact.market.prices import load_prices
from impact.news.catalogue import load_events
from impact.report.gallery import picture
from impact.report.markup import Page, contents, escaped, page, raw
from impact.text.document import folded, whole_table
from impact.text.formats import counted, date, interval, p_phrase, percent

_CALL = "wsj-fentanyl-overture"
_PICTURE = "the-day-china-called"

#: What a reader wants first of a claim; the other columns and the notes open at a click.
_SHOWN = ("claim", "verdict", "p_holm")


def home_page(chapters: Sequence[str], figures: Path) -> Iterator[Page]:
    """Yield the first page, with the chapters in the side bar."""
    yield (
        PurePosixPath("index.md"),
        page(
            "# How much did tariff news move the S&P 500?",
            "\n\n".join(_answer()),
            raw(picture(_PICTURE, figures, "figures/")),
            "[The page of that day](events/wsj-fentanyl-overture.md) has the tests behind these "
            "sentences; [Events](events/index.md) has every announcement, and any other day.",
            "## What can be said of many announcements",
            "Each claim was written down with its rule and tested; the p-values are corrected for "
            "the number of claims. What could be chance is not thereby shown to be nothing.",
            raw(_verdicts()),
            "## Where the data come from",
            "\n".join(f"- {line}" for line in _sources()),
            contents(chapters),
        ),
    )


def _answer() -> list[str]:
    card = event_card(_CALL)
    facts, held = card.facts, day(card.facts["session"])
    parts = {name: percent(move) for name, move in held.brief["move"].items()}
    release = held.brief.loc["08:30-09:00"]
    trading = held.brief.index[-1]
    rest = held.brief["move"].drop(["closed hours", "08:30-09:00", trading]).sum()
    p = facts["p_conditional"]
    usual = "is unusual" if p < LEVEL else "is not unusual"
    fits = interval(facts["ci_low_conditional"], facts["ci_high_conditional"])
    return [
        f"On {date(facts['session'])} China said that it was “evaluating” talks, a newspaper "
        f"reported a question about fentanyl, the April jobs report came out, and the S&P 500 "
        f"closed **{percent(facts['simple_change'])}**.",
        f"For a market as nervous as it was the evening before, such a move {usual} at the 5% "
        f"level ({p_phrase(p)}): any effect of that day's news from {fits} fits the close.",
        f"Five-minute prices show more: {parts['closed hours']} overnight, when the ministry "
        f"spoke, {percent(release['move'])} in the half hour after the jobs report, and "
        f"{parts[trading]} from the opening to the close; the other hours add {percent(rest)}. "
        f"The newspaper's story came out {held.news.loc[_CALL, 'clock']}.",
    ]


def _verdicts() -> str:
    whole = verdicts().summary()
    columns = tuple(column for name in _SHOWN for column in whole.columns if column.name == name)
    short = replace(whole, columns=columns, notes=whole.notes[:1], signature="")
    return whole_table(short) + folded("All numbers, and how they are made", whole_table(whole))


def _sources() -> list[str]:
    prices, bars, events = load_prices(), load_bars(), load_events(included=None)
    return [
        f"{escaped(prices.attrs['source'])}: {counted(len(prices), 'day')} from "
        f"{date(prices.index[0])} to {date(prices.index[-1])} ({prices.attrs['hash']})",
        f"{escaped(bars.attrs['source'])}: {date(bars.index[0])} to {date(bars.index[-1])} "
        f"({bars.attrs['hash']})",
        f"{counted(len(events), 'announcement')}, each with its source: data/events.csv "
        f"({events.attrs['hash']})",
        "[All files](data.md), who published them, how they were checked, and their terms",
    ]
