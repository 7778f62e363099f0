"""What a card says: plain English, every number from the facts of one event.

The sentences say what a series did in the first session that could react to the news. They never
say that the announcement caused it, and never read a large p as "no effect".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.cards.hours import in_parts, moved, the_hour
from impact.cards.share import came_with_news
from impact.inference.tests import LEVEL
from impact.market.instants import NEW_YORK
from impact.news.minutes import BOUNDED
from impact.news.surroundings import NOT_CHECKED
from impact.text import formats

_RELEASES = {
    "payrolls": "the monthly jobs report (payrolls)",
    "CPI": "the consumer price report (CPI)",
    "FOMC": "the Federal Reserve's rate decision (FOMC)",
}
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
        f"{facts['observations']} earlier sessions) was {formats.percent(facts['estimate'])}",
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
            "there is no forecast of the volatility of that session "
            f"({'; '.join(facts['forecast_notes'])})",
            "only the textbook t-test is left, which does not know how nervous the market was "
            f"(t = {formats.number(facts['statistic'])}, {formats.p_phrase(facts['p_textbook'])})",
        ]
    vix = facts["p_implied"]
    beside = f"; by the VIX {formats.p_phrase(vix)}" if np.isfinite(vix) else ""
    verdict = "unusual" if p < LEVEL else "not unusual"
    return [
        "the volatility forecast the evening before was "
        f"{formats.percent(facts['sigma_conditional'], signed=False)} a day",
        "when the market is this nervous, a move at least this extreme, up or down, happens "
        f"{_one_in(p)}",
        f"that is {verdict} at the 5% level (z = "
        f"{formats.number(facts['z_conditional'], signed=True)}, {formats.p_phrase(p)}{beside})",
    ]


def _conditional(facts: pd.Series) -> float | None:
    p = facts.get("p_conditional", np.nan)
    return float(p) if np.isfinite(p) else None


def _one_in(p: float) -> str:
    """Turn a p-value into days.

    Examples
    --------
    >>> _one_in(0.8), _one_in(0.356), _one_in(0.012)
    ('on most days', 'on about 1 in 3 days', 'on about 1 in 85 days')
    """
    if p > 2 / 3:
        return "on most days"
    if p < 0.0025:
        # A thousand past sessions, in two tails, cannot show anything rarer.
        return "on no more than 1 in 500 days"
    days = 1 / p
    step = 1 if days < 20 else 5 if days < 100 else 10
    return f"on about 1 in {max(2, round(days / step) * step)} days"


def _who_disagrees(facts: pd.Series) -> list[str]:
    p = _conditional(facts)
    if p is None:
        return []
    others = [
        (
            facts["p_textbook"],
            "by the textbook t-test, whose yardstick is the average volatility of "
            f"{facts['observations']} earlier sessions "
            f"({formats.percent(facts['sigma_textbook'], signed=False)} a day),",
        ),
        (facts["p_conditional_t"], "with a Student t in place of past sessions"),
        (facts["p_implied"], "with the volatility that the VIX implied"),
    ]
    dissent = [
        f"{how} {formats.p_phrase(other)}"
        for other, how in others
        if np.isfinite(other) and (other < LEVEL) != (p < LEVEL)
    ]
    return ["not every yardstick agrees with that", *dissent] if dissent else []


def _within_the_day(facts: pd.Series) -> list[str]:
    """What five-minute prices show, and what else happened; parts of the day tell news apart."""
    hours, smallest = facts["hours"], facts.get("smallest_detectable", np.nan)
    said = the_hour(hours, _the_series(facts), smallest)
    shared = facts["others"] or facts["releases"] not in ("", NOT_CHECKED)
    noted = facts["confounders"]
    if hours is None or hours.day is None or not shared:
        return [*said, *_what_else(facts)]
    return [
        *said,
        *in_parts(hours.day, hours.security),
        *([_which_way(facts)] if facts["mixed"] else []),
        *([f"other news was noted around it: {noted}"] if noted else []),
    ]


def _what_else(facts: pd.Series) -> list[str]:
    held = [f"“{title}”" for title in facts["others"]]
    noted = facts["confounders"]
    if not facts["market"] and not noted:
        return [
            "what else was announced for that day was not checked, as it is not known whose clock "
            "closes these returns",
            "daily closes could not separate it",
        ]
    checked = facts["releases"] != NOT_CHECKED
    names = facts["releases"].split(", ") if checked and facts["releases"] else []
    held += [_RELEASES.get(name, name) for name in names]
    said = [_which_way(facts)] if facts["mixed"] else []
    if held:
        shares = "shares" if len(held) == 1 else "share"
        said.append(
            f"daily closes cannot separate this news from {formats.list_of(held)}, which {shares} "
            "the session"
        )
    elif not noted:
        macro = ", and no CPI, payrolls or FOMC release fell in it" if checked else ""
        said.append(f"the catalogue has no other announcement for that session{macro}")
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
    return "The announcements of that session do not all point the same way"


def _what_could_be_found(facts: pd.Series) -> list[str]:
    p, smallest = _conditional(facts), facts.get("smallest_detectable", np.nan)
    if p is None or not np.isfinite(smallest):
        return []
    size = formats.percent(smallest, signed=False)
    if abs(facts["estimate"]) >= smallest:
        return [f"the test of one close detects moves of {size} or more four times in five"]
    only = f"the test of one close reliably detects only moves of {size} or more"
    if p < LEVEL:
        return [only, "one that passes the test at a smaller size tends to overstate the effect"]
    return [only, "a smaller effect could have gone unnoticed"]


def _what_it_is_not(facts: pd.Series) -> list[str]:
    p = _conditional(facts)
    if (facts["p_textbook"] if p is None else p) < LEVEL:
        return [
            "the event was chosen after it had happened, which makes a small p look stronger than "
            "it is",
            "the numbers show an association, not a cause",
        ]
    return [f"the numbers show what {_the_series(facts)} did in that session, not what caused it"]


def _the_series(facts: pd.Series) -> str:
    return f"the {facts['series']}" if facts["series"] == "S&P 500" else facts["series"]
