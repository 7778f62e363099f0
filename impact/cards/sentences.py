"""What a card says: plain English, every number from the facts of one event.

The facts are a row of ``study.car(0)`` with what `impact.cards.card.event_card` puts beside it.
The sentences say what a series did in the first session that could react to the news. They never
say that the announcement caused it, and never read a large p as "no effect".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.cards.hours import found_within_the_day, in_parts, moved, quoted, the_hour
from impact.cards.share import came_with_news
from impact.inference.size import THIRDS, share_as_small
from impact.inference.tests import LEVEL
from impact.inference.yardsticks import disagree
from impact.market.instants import NEW_YORK
from impact.news.minutes import BOUNDED
from impact.news.surroundings import NOT_CHECKED
from impact.text import formats

_RELEASES = {
    "payrolls": "the monthly jobs report (payrolls)",
    "CPI": "the consumer price report (CPI)",
    "FOMC": "the Federal Reserve's rate decision (FOMC)",
}
#: Words of a catalogue's note that tell a release again.
_TOLD = {
    "payrolls": ("payroll", "jobs report"),
    "CPI": ("CPI", "consumer price"),
    "FOMC": ("FOMC",),
}
_MARKETS = dict(zip(THIRDS, ("calm", "middling", "turbulent"), strict=True))

#: Labels of what else is known of a day.
_ELSE, _NOTED = "What else happened", "Also noted around that day"

#: The largest p whose share of days was counted, and how far above p a share is explained.
_MEASURED, _APART = 0.1, 1.5

#: Words that a list has in one sentence, and sentences of a paragraph.
_SHORT, _MOST = 25, 3

_MOVED = {
    "after the close": ", after the close",
    "early close": ", after an early close",
    "weekend": ", with the exchange closed",
    "holiday": ", with the exchange closed",
}


def headline(facts: pd.Series) -> str:
    """Return what moved, and when, in under 15 words."""
    what = f"{_the_series(facts)} {moved(facts['simple_change'])} on {_day(facts['session'])}"
    return _begun(what)


def paragraphs(facts: pd.Series) -> dict[str, list[str]]:
    """Return what can be said below the headline: sentences, by the label of their paragraph."""
    guess, basis = came_with_news(facts)
    groups = {
        "The news": [*_which_news(facts), *_which_way(facts)],
        "How unusual": _how_unusual(facts),
        "Tests that disagree": _who_disagrees(facts),
        "The hour": the_hour(facts["hours"], _the_series(facts)),
        **_within_the_day(facts),
        "What could have been missed": _what_could_be_found(facts),
        "How much came with news": guess,
        "What it is not": _what_it_is_not(facts),
        "The yardstick": [_abnormal(facts), *_forecast_before(facts)],
        "What the guess rests on": basis,
    }
    return {
        f"{label} (continued)" if begin else label: [
            f"{_begun(one)}." for one in group[begin : begin + _MOST]
        ]
        for label, group in groups.items()
        for begin in range(0, len(group), _MOST)
    }


def _begun(sentence: str) -> str:
    """Begin with a capital, unless the first word is a name that does not."""
    return f"{sentence[0].upper()}{sentence[1:]}"


def _which_news(facts: pd.Series) -> list[str]:
    """What came out when, and why that day: by the clock of the market where it decides."""
    named = facts["title"] not in (facts["announced_at"], facts["announced_at"][:10])
    shifted = facts["moved"]
    if not named and not shifted:
        return []
    news = quoted(facts["title"]) if named else "news"
    if facts["date_only"] and not shifted:
        bounded = facts["hours"] is not None and facts["hours"].minute["minute"] == BOUNDED
        return [f"{news} came out that day; the {'minute' if bounded else 'hour'} is not known"]
    when = f"{_when(facts)}{_MOVED.get(shifted, '')}"
    if not facts["market"]:
        dated = when.removeprefix("on ")
        return [f"{news} is dated {dated}", "this was the first day with a return after it"]
    which = f"this was the first {_session_of(facts['market'])} whose close could reflect"
    return [f"{news} came out {when}", f"{which} it"] if named else [f"{which} news {when}"]


def _session_of(market: str) -> str:
    zone, _, close = market.partition(" ")
    if close:
        return f"session (closing at {close} in {_city(zone)})"
    return "day (ending at 00:00 UTC)" if market == "24/7" else f"{market} session"


def _when(facts: pd.Series) -> str:
    """Day and hour in New York, and in the zone of another market."""
    announced = _in_new_york(facts["announced_at"])
    same = announced.date() == facts["session"].date()
    when = "that day" if same else f"on {_day(announced)}"
    if facts["date_only"]:
        return when
    when += f" {'about' if facts['approximate'] else 'at'} {announced:%H:%M} New York time"
    if facts["zone"] == NEW_YORK:
        return when
    local = announced.tz_convert(facts["zone"])
    day = "" if local.date() == announced.date() else f" on {formats.date(local)}"
    where = "UTC" if facts["zone"] == "UTC" else f"in {_city(facts['zone'])}"
    return f"{when}, {local:%H:%M}{day} {where}"


def _city(zone: str) -> str:
    """Name the city of a time zone.

    Examples
    --------
    >>> _city("Asia/Hong_Kong")
    'Hong Kong'
    """
    return zone.rpartition("/")[2].replace("_", " ")


def _day(day: pd.Timestamp) -> str:
    return f"{day.day_name()} {formats.date(day)}"


def _in_new_york(announced_at: str) -> pd.Timestamp:
    """Read the clock; an ISO text without an offset is New York time."""
    instant = pd.Timestamp(announced_at)
    return instant.tz_localize(NEW_YORK) if instant.tz is None else instant.tz_convert(NEW_YORK)


def _how_unusual(facts: pd.Series) -> list[str]:
    """How often so extreme a move happens, and the verdict."""
    p = _conditional(facts)
    if p is not None:
        return [*_how_often(p, facts["third"]), *_verdict(facts, p)]
    numbers = f"t = {formats.number(facts['statistic'])}, {formats.p_phrase(facts['p_textbook'])}"
    why = "; ".join(facts["forecast_notes"])
    return [
        f"there is no forecast of the volatility of that day ({why})",
        "only the textbook t-test is left, which does not know how nervous the market was "
        f"({numbers})",
    ]


def _verdict(facts: pd.Series, p: float) -> list[str]:
    """Whether the move is unusual, or that this depends on the forecast of volatility."""
    found = facts["yardsticks"].dropna(subset="p_value")
    verdict = "unusual" if p < LEVEL else "not unusual"
    z = formats.number(facts["z_conditional"], signed=True)
    numbers = f"z = {z}, {formats.p_phrase(p)}"
    if not disagree(found):
        several = f", whichever of {formats.spelt(len(found))} volatility forecasts is used"
        whichever = several if len(found) > 1 else ""
        return [f"the move was {verdict} at the 5% level ({numbers}){whichever}"]
    ends = found["p_value"].sort_values().iloc[[0, -1]]
    least, most = (f"{formats.p_value(end)} ({name})" for name, end in ends.items())
    return [
        "whether the move was unusual at the 5% level depends on how volatility is forecast: p "
        f"runs from {least} to {most}",
        f"by the one we use, {found.index[0]}, it was {verdict} ({numbers})",
    ]


def _abnormal(facts: pd.Series) -> str:
    less = f"the {facts['kind']} return less its mean over {facts['observations']} earlier days"
    return f"the abnormal return ({less}) was {formats.percent(facts['estimate'])}"


def _forecast_before(facts: pd.Series) -> list[str]:
    if _conditional(facts) is None:
        return []
    sigma = formats.percent(facts["sigma_conditional"], signed=False)
    return [f"the volatility forecast the evening before was {sigma} a day"]


def _conditional(facts: pd.Series) -> float | None:
    p = facts.get("p_conditional", np.nan)
    return float(p) if np.isfinite(p) else None


def _how_often(p: float, third: str) -> list[str]:
    """Turn a p-value into days; a small one into those on which so small a p was counted.

    Examples
    --------
    >>> [_how_often(p, THIRDS[1])[0].partition("happens ")[2] for p in (0.8, 0.356, 0.012)]
    ['on most days', 'on about 1 in 3 days', 'on about 1 in 85 days']
    """
    share = share_as_small(p, third) if p <= _MEASURED else p
    if p > 2 / 3:
        often = "on most days"
    elif share < 0.0025:
        # A thousand past sessions, in two tails, cannot show anything rarer.
        often = "on no more than 1 in 500 days"
    else:
        often = f"on about 1 in {_days(share)} days"
    extreme = "a move at least this extreme, up or down, happens"
    said = [f"when the market is this nervous, {extreme} {often}"]
    if share >= _APART * p:
        said.append(
            f"that was counted in {_MARKETS[third]} markets; p alone would say 1 in {_days(p)}"
        )
    return said


def _days(share: float) -> int:
    days = 1 / share
    step = 1 if days < 20 else 5 if days < 100 else 10
    return max(2, round(days / step) * step)


def _who_disagrees(facts: pd.Series) -> list[str]:
    """Tests on the other side of 5%."""
    p = _conditional(facts)
    if p is None:
        return []
    others = [
        (
            facts["p_textbook"],
            "the textbook t-test, whose yardstick is the average volatility of "
            f"{facts['observations']} earlier days "
            f"({formats.percent(facts['sigma_textbook'], signed=False)} a day),",
        ),
        (facts["p_conditional_t"], "a Student t in place of past days"),
    ]
    return [
        f"{how} does not agree: {formats.p_phrase(other)}"
        for other, how in others
        if np.isfinite(other) and (other < LEVEL) != (p < LEVEL)
    ]


def _within_the_day(facts: pd.Series) -> dict[str, list[str]]:
    """What the parts of a day tell apart that holds several pieces of news, and what else was."""
    hours, noted = facts["hours"], _also_noted(_noted(facts))
    shared = facts["others"] or facts["releases"] not in ("", NOT_CHECKED)
    if hours is None or hours.day is None or not shared:
        return _what_else(facts, noted)
    parts, rest = in_parts(hours.day, hours.security)
    return {"The parts of the day": parts, "The rest of the day": rest, _NOTED: noted}


def _also_noted(notes: list[str]) -> list[str]:
    """Other news of the catalogue's note: as few sentences as are short."""
    said = notes[:1]
    for note in notes[1:]:
        longer = f"{said[-1]}; {note}"
        said = [*said[:-1], longer] if len(longer.split()) <= _SHORT else [*said, note]
    return said


def _noted(facts: pd.Series) -> list[str]:
    """Return the catalogue's notes without what the releases of the day have told."""
    told = [word.lower() for name in _released(facts) for word in _TOLD.get(name, ())]
    notes = [note for note in facts["confounders"].split("; ") if note]
    return [note for note in notes if not any(word in note.lower() for word in told)]


def _released(facts: pd.Series) -> list[str]:
    words = facts["releases"]
    return [] if words in ("", NOT_CHECKED) else words.split(", ")


def _what_else(facts: pd.Series, noted: list[str]) -> dict[str, list[str]]:
    """Other news that one close cannot separate from this."""
    held = [quoted(title) for title in facts["others"]]
    if not facts["market"] and not noted:
        unchecked = (
            "what else was announced for that day was not checked, as it is not known whose clock "
            "closes these returns"
        )
        return {_ELSE: [unchecked, "daily closes could not separate it"]}
    checked = facts["releases"] != NOT_CHECKED
    held += [_RELEASES.get(name, name) for name in _released(facts)]
    said = [f"the same close also reflects {held[0]}"] if held else []
    said += [f"it reflects {other} too" for other in held[1:]]
    if not held and not noted:
        macro = ", and no CPI, payrolls or FOMC release fell on it" if checked else ""
        said.append(f"the catalogue has no other announcement for that day{macro}")
        said.append("daily closes cannot say what else moved prices that day")
    if not checked:
        said.append("CPI, payrolls and FOMC releases were not checked")
    apart = ["daily closes cannot separate what each did"]
    if noted:
        return {_ELSE: said, _NOTED: [*noted, *apart]}
    return {_ELSE: [*said, *apart] if held else said}


def _which_way(facts: pd.Series) -> list[str]:
    if not facts["mixed"]:
        return []
    if facts["direction"] == "mixed":
        return ["the announcement itself points both ways"]
    return ["the announcements of that day do not all point the same way"]


def _what_could_be_found(facts: pd.Series) -> list[str]:
    p, smallest = _conditional(facts), facts.get("smallest_detectable", np.nan)
    if p is None or not np.isfinite(smallest):
        return []
    size = formats.percent(smallest, signed=False)
    ends = (formats.percent(facts[f"ci_{end}_conditional"]) for end in ("low", "high"))
    fits = "anything from {} to {} fits this day (95% interval)".format(*ends)
    hour = found_within_the_day(facts["hours"], _the_series(facts))
    if abs(facts["estimate"]) >= smallest:
        detects = f"the test of one close detects moves of {size} or more four times in five"
        return [detects + hour, fits]
    only = f"the test of one close reliably detects only moves of {size} or more"
    if p < LEVEL:
        overstated = "a smaller move that passes the test tends to overstate the effect"
        return [only + hour, overstated, fits]
    return [only + hour, f"a smaller effect could have gone unnoticed: {fits}"]


def _what_it_is_not(facts: pd.Series) -> list[str]:
    p = _conditional(facts)
    if (facts["p_textbook"] if p is None else p) < LEVEL:
        return [
            "the event was chosen after it had happened, which makes a small p look stronger than "
            "it is",
            "the numbers show an association, not a cause",
        ]
    return [f"the numbers show what {_the_series(facts)} did on that day, not what caused it"]


def _the_series(facts: pd.Series) -> str:
    return f"the {facts['series']}" if facts["series"] == "S&P 500" else facts["series"]
