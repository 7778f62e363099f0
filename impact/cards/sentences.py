"""What a card says: plain English, every number from the facts of one event.

The sentences say what a series did in the first session that could react to the news. They never
say that the announcement caused it, and never read a large p as "no effect".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.cards.hours import in_parts, moved, the_hour
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
_COUNTS = {2: "two", 3: "three", 4: "four"}

#: The largest p whose share of days was counted, and how far above p a share is explained.
_MEASURED, _APART = 0.1, 1.5

_MOVED = {
    "after the close": ", after the close",
    "early close": ", after an early close",
    "weekend": ", when the exchange was closed",
    "holiday": ", when the exchange was closed",
}


def paragraphs(facts: pd.Series) -> list[list[str]]:
    """Return what can be said of one event: sentences, in groups; the first is the headline.

    Parameters
    ----------
    facts : Series
        A row of ``study.car(0)`` with what `impact.cards.card.event_card` puts beside it.
    """
    groups = [
        _what_moved(facts),
        [*_how_unusual(facts), *_who_disagrees(facts)],
        _within_the_day(facts),
        [*_what_could_be_found(facts), *came_with_news(facts), *_what_it_is_not(facts)],
    ]
    return [[f"{said[0].upper()}{said[1:]}." for said in group] for group in groups]


def sentences(facts: pd.Series) -> list[str]:
    """Return the sentences of `paragraphs`, one after the other."""
    return [sentence for group in paragraphs(facts) for sentence in group]


def _what_moved(facts: pd.Series) -> list[str]:
    why = _why_that_session(facts)
    return [
        f"on {_day(facts['session'])} {_the_series(facts)} {moved(facts['simple_change'])}",
        *([f"that was {why}"] if why else []),
        f"the abnormal return (the {facts['kind']} return less its mean over "
        f"{facts['observations']} earlier days) was {formats.percent(facts['estimate'])}",
    ]


def _why_that_session(facts: pd.Series) -> str:
    """Why this day: by the clock of the market where it decides, else by the date alone."""
    named = facts["title"] not in (facts["announced_at"], facts["announced_at"][:10])
    shifted = facts["moved"]
    if not named and not shifted:
        return ""
    news = f"the news “{facts['title']}”" if named else "news"
    if facts["date_only"] and not shifted:
        bounded = facts["hours"] is not None and facts["hours"].minute["minute"] == BOUNDED
        return f"the day of {news} ({'minute' if bounded else 'hour'} not known)"
    when = f"{_when(facts)}{_MOVED.get(shifted, '')}"
    if not facts["market"]:
        return f"the first day with a return after {news} (dated {when.removeprefix('on ')})"
    which = f"the first {_session_of(facts['market'])} whose close could reflect {news}"
    return f"{which} (announced {when})" if named else f"{which} {when}"


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
    p = _conditional(facts)
    if p is None:
        return [
            "there is no forecast of the volatility of that day "
            f"({'; '.join(facts['forecast_notes'])})",
            "only the textbook t-test is left, which does not know how nervous the market was "
            f"(t = {formats.number(facts['statistic'])}, {formats.p_phrase(facts['p_textbook'])})",
        ]
    return [
        "the volatility forecast the evening before was "
        f"{formats.percent(facts['sigma_conditional'], signed=False)} a day",
        *_how_often(p, facts["third"]),
        *_verdict(facts, p),
    ]


def _verdict(facts: pd.Series, p: float) -> list[str]:
    """Whether the move is unusual, or that this depends on the forecast of volatility."""
    found = facts["yardsticks"].dropna(subset="p_value")
    verdict = "unusual" if p < LEVEL else "not unusual"
    z = formats.number(facts["z_conditional"], signed=True)
    numbers = f"z = {z}, {formats.p_phrase(p)}"
    if not disagree(found):
        count = _COUNTS.get(len(found), "")
        whichever = f", whichever of {count} forecasts of volatility is taken" if count else ""
        return [f"that is {verdict} at the 5% level ({numbers}){whichever}"]
    ends = found["p_value"].sort_values().iloc[[0, -1]]
    least, most = (f"{formats.p_value(end)} ({name})" for name, end in ends.items())
    return [
        "whether that is unusual at the 5% level depends on how volatility is forecast: p runs "
        f"from {least} to {most}",
        f"by our usual forecast, {found.index[0]}, it is {verdict} ({numbers})",
    ]


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
    said = [
        "when the market is this nervous, a move at least this extreme, up or down, happens "
        + often
    ]
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
    p = _conditional(facts)
    if p is None:
        return []
    others = [
        (
            facts["p_textbook"],
            "by the textbook t-test, whose yardstick is the average volatility of "
            f"{facts['observations']} earlier days "
            f"({formats.percent(facts['sigma_textbook'], signed=False)} a day),",
        ),
        (facts["p_conditional_t"], "with a Student t in place of past days"),
    ]
    dissent = [
        f"{how} {formats.p_phrase(other)}"
        for other, how in others
        if np.isfinite(other) and (other < LEVEL) != (p < LEVEL)
    ]
    return ["not every test agrees with that", *dissent] if dissent else []


def _within_the_day(facts: pd.Series) -> list[str]:
    """What five-minute prices show, and what else happened; parts of the day tell news apart."""
    hours, smallest = facts["hours"], facts.get("smallest_detectable", np.nan)
    said = the_hour(hours, _the_series(facts), smallest)
    shared = facts["others"] or facts["releases"] not in ("", NOT_CHECKED)
    noted = _noted(facts)
    if hours is None or hours.day is None or not shared:
        return [*said, *_what_else(facts)]
    return [
        *said,
        *in_parts(hours.day, hours.security),
        *([_which_way(facts)] if facts["mixed"] else []),
        *([f"other news was noted around it: {noted}"] if noted else []),
    ]


def _noted(facts: pd.Series) -> str:
    """Return the catalogue's note without what the releases of the day have told."""
    told = [word.lower() for name in _released(facts) for word in _TOLD.get(name, ())]
    notes = facts["confounders"].split("; ")
    return "; ".join(note for note in notes if not any(word in note.lower() for word in told))


def _released(facts: pd.Series) -> list[str]:
    words = facts["releases"]
    return [] if words in ("", NOT_CHECKED) else words.split(", ")


def _what_else(facts: pd.Series) -> list[str]:
    held = [f"“{title}”" for title in facts["others"]]
    noted = _noted(facts)
    if not facts["market"] and not noted:
        return [
            "what else was announced for that day was not checked, as it is not known whose clock "
            "closes these returns",
            "daily closes could not separate it",
        ]
    checked = facts["releases"] != NOT_CHECKED
    held += [_RELEASES.get(name, name) for name in _released(facts)]
    said = [_which_way(facts)] if facts["mixed"] else []
    if held:
        shares = "shares" if len(held) == 1 else "share"
        said.append(
            f"daily closes cannot separate this news from {formats.list_of(held)}, which {shares} "
            "the day"
        )
    elif not noted:
        macro = ", and no CPI, payrolls or FOMC release fell on it" if checked else ""
        said.append(f"the catalogue has no other announcement for that day{macro}")
        said.append("what else moved prices that day, daily closes cannot say")
    if noted:
        also = "nor can they separate it" if held else "daily closes cannot separate this news"
        said.append(f"{also} from other news noted around it: {noted}")
    if not checked:
        said.append("CPI, payrolls and FOMC releases were not checked")
    return said


def _which_way(facts: pd.Series) -> str:
    if facts["direction"] == "mixed":
        return "The announcement itself points both ways"
    return "The announcements of that day do not all point the same way"


def _what_could_be_found(facts: pd.Series) -> list[str]:
    p, smallest = _conditional(facts), facts.get("smallest_detectable", np.nan)
    if p is None or not np.isfinite(smallest):
        return []
    size = formats.percent(smallest, signed=False)
    ends = (formats.percent(facts[f"ci_{end}_conditional"]) for end in ("low", "high"))
    fits = "anything from {} to {} fits this day, nothing beyond (95% interval)".format(*ends)
    if abs(facts["estimate"]) >= smallest:
        return [f"the test of one close detects moves of {size} or more four times in five", fits]
    only = f"the test of one close reliably detects only moves of {size} or more"
    if p < LEVEL:
        overstated = "one that passes the test at a smaller size tends to overstate the effect"
        return [only, overstated, fits]
    return [only, f"a smaller effect could have gone unnoticed: {fits}"]


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
