"""How often tests reject by chance, in words, for slopes, overlaps, short histories and others.

Read from ``data/calibration.csv``, like `impact.inference.size`; "" where nothing was measured.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.inference.size import (
    LARGEST,
    LARGEST_IN_PERCENT,
    ONE_SESSION,
    SOME_DAY,
    THIRDS,
    group_rates,
    load_calibration,
)
from impact.inference.tests import LEVEL
from impact.market.windows import Window
from impact.text.formats import list_of, number
from impact.volatility.forecast import PAST_SESSIONS


def by_third_in_words(rates: pd.Series) -> str:
    """Name the rates of the three thirds: "5.2, 4.9 and 5.5%".

    Examples
    --------
    >>> by_third_in_words(pd.Series([0.05, 0.051, 0.06], list(THIRDS)))
    '5.0, 5.1 and 6.0%'
    """
    return f"{list_of(number(100 * rates[third], 1) for third in THIRDS)}%"


def _thirds_of(rates: pd.Series, what: str) -> str:
    """The rates of what is named, by third; "" where one of them was not measured."""
    named = {f"{what}, {third}": third for third in THIRDS}
    if not set(named) <= set(rates.index):
        return ""
    return by_third_in_words(rates[list(named)].rename(named))


def slope_in_words(test: str, model: str) -> str:
    """Say how often the ranked slope of one date rejects where nothing happened, and HC3.

    The test is "ranked_slope" or "ranked_slope_gls", the model "constant-mean" or "market".

    Examples
    --------
    >>> slope_in_words("ranked_slope", "no model")
    ''
    """
    said = []
    for panel in ("sectors", "firms"):
        rates, robust = (group_rates(f"slope-{panel}", name, model) for name in (test, "hc3"))
        if len(rates) and len(robust):
            said.append(
                f"{by_third_in_words(rates)} for {panel} (HC3 errors: "
                f"{number(100 * robust['all'], 1)}% of all)"
            )
    if not said:
        return ""
    return (
        "At 5% it rejects on this share of calm, middle and turbulent sessions without news: "
        f"{list_of(said)}."
    )


def overlap_in_words(sessions: int) -> str:
    """Say how often the t of an average of overlapping windows of that length rejects by chance.

    Examples
    --------
    >>> overlap_in_words(1_000)
    ''
    """
    rates = group_rates("overlap", "caar", window=Window(0, sessions - 1))
    if rates.empty:
        return ""
    said = list_of(f"{number(100 * rate, 0)}% with {group}" for group, rate in rates.items())
    return f"Moved elsewhere in history, at 5% it rejects too often: {said}."


def firm_events_in_words(test: str) -> str:
    """Say how often a test of a cross-section rejects sets of real firms by chance.

    Examples
    --------
    >>> firm_events_in_words("relative_max")
    ''
    """
    shown = _thirds_of(group_rates("firm-events", test, "market"), "20 firms")
    if not shown:
        return ""
    return f"and {shown} of sets of 20 real firms in calm, middle and turbulent markets"


def short_in_words(test: str, before: int) -> str:
    """Say how often a conditional test rejects by chance with few returns before the event.

    Examples
    --------
    >>> short_in_words("conditional_fhs", 1_000)
    ''
    """
    if before >= PAST_SESSIONS:
        return ""
    history = "250 to 499 returns" if before < 500 else "500 to 999 returns"
    shown = _thirds_of(group_rates("size-short", test, "ewma"), f"firms, {history}")
    if not shown:
        return ""
    return (
        f"at 5% it rejects {shown} of calm, middle and turbulent sessions of firms with {history} "
        "before"
    )


def too_short_for_t(before: int) -> str:
    """Why so many returns before an event give no Student t p; "" where they do.

    Tails are estimated badly from few returns, and the exponential average that stands in for a
    GARCH model is too calm in calm markets.

    Examples
    --------
    >>> too_short_for_t(1_000), too_short_for_t(400).split(":")[0]
    ('', 'no Student t p with fewer than 1,000 returns before')
    """
    if before >= PAST_SESSIONS:
        return ""
    size = short_in_words("conditional_t", before)
    why = size or "it rejects too often in calm markets"
    return f"no Student t p with fewer than {PAST_SESSIONS:,} returns before: {why}"


#: What the samples of "who-was-hit" hold, in words.
_HELD = {
    "sectors": "the sector funds",
    "sectors among themselves": "the sector funds",
    "firms": "large US firms",
}


def hit_in_words(sample: str, window: Window = ONE_SESSION) -> str:
    """Say how often `relative_max` rejects sessions of a sample, by the market's move.

    The sample is one of `_HELD`: against the S&P 500, or each against the average of the others.

    Examples
    --------
    >>> hit_in_words("sectors", Window(-3, 3))
    ''
    """
    found = _hit_rates(sample, window)
    groups = [f"{third.split()[0]} market move" for third in THIRDS]
    if not {*groups, LARGEST} <= set(found.index):
        return ""
    farthest = [
        f"{number(100 * found['rate'][group], 1)}% of the {found['n'][group]:,.0f} with the "
        f"largest moves in {unit}"
        for group, unit in ((LARGEST, "standard deviations"), (LARGEST_IN_PERCENT, "percent"))
        if group in found.index
    ]
    by_third = list_of(number(100 * found.loc[group, "rate"], 1) for group in groups)
    chosen = (
        "; to rank among the 100 nearest was chosen on these sessions" if sample != "firms" else ""
    )
    return (
        f"at 5% the test rejects {by_third}% of sessions of {_HELD[sample]} with small, middle and "
        f"large market moves, {list_of(farthest)}{chosen}"
    )


def some_day_rate() -> float:
    """Return how often a sector stands out in a window up to some of the five days after.

    Examples
    --------
    >>> bool(some_day_rate() > 0.25)
    False
    """
    found = _hit_rates("sectors", Window(0, 5))
    return float(found.loc[SOME_DAY, "rate"]) if SOME_DAY in found.index else np.nan


def _hit_rates(sample: str, window: Window) -> pd.DataFrame:
    """Sizes at 5% of "who-was-hit" and their n, by group of a sample."""
    table = load_calibration("who-was-hit")
    table = table[(table["level"] == LEVEL) & (table["window"] == str(window))]
    own = table[table["group"].str.startswith(f"{sample}: ")].set_index("group")[["rate", "n"]]
    return own.set_axis(own.index.str.removeprefix(f"{sample}: "))


#: Odds on the largest tenth of days that are named beside a share.
_ODDS = (8.0, 12.0)


def choice_in_words(minutes: int | None = None) -> str:
    """Say what choosing days, or windows, by their moves does to the share of the news.

    Examples
    --------
    >>> choice_in_words(7)
    ''
    >>> choice_in_words() == "" or choice_in_words().startswith("With no news at all")
    True
    """
    table = _of_window("news-choice", minutes)
    ratios = table.loc[table["effect"].isin(_ODDS), "variance"]
    if ratios.empty:
        return ""
    least, most = (number(odds, 0) for odds in _ODDS)
    low, high = (number(float(ratio), 1) for ratio in (ratios.min(), ratios.max()))
    return (
        f"With no news at all, where the tenth of {'windows' if minutes else 'days'} with the "
        f"largest moves is {least} to {most} times as likely to be listed, the ratio is {low} to "
        f"{high}."
    )


def _of_window(experiment: str, minutes: int | None) -> pd.DataFrame:
    """The rows of an experiment on days, or on windows of so many minutes."""
    table = load_calibration(experiment)
    return table[table["window"] == (f"{minutes} minutes" if minutes else str(ONE_SESSION))]


#: The planted ratio at which the misses of the interval of a share are named: of days, of minutes.
_PLANTED, _PLANTED_IN_MINUTES = 3.0, 10.0


def share_misses_in_words(minutes: int | None = None) -> str:
    """Say how often the 95% interval of a share misses the law behind days, or minutes, like ours.

    Examples
    --------
    >>> share_misses_in_words(7)
    ''
    >>> share_misses_in_words() == "" or "95% interval" in share_misses_in_words()
    True
    """
    ratio = _PLANTED_IN_MINUTES if minutes else _PLANTED
    table = _of_window("news-share", minutes)
    table = table[(table["test"] == "share interval") & (table["variance"] == ratio)]
    law = table["group"].map(lambda group: group.partition(", ")[2])
    spans = [
        f"{_span(rates)}% with {name}"
        for name, rates in table[law != ""].groupby(law, sort=False)["rate"]
    ]
    if not spans:
        return ""
    like = (
        "half hours at the times of our announcements"
        if minutes
        else "days spaced like those of 2025 and of 2018-19"
    )
    those = ("windows", "minutes after news") if minutes else ("sessions", "days with news")
    return (
        f"In simulations of a known share, on {like}, the 95% interval misses it in "
        f"{list_of(spans)}, not in 5%. So the interval is too narrow where a few {those[0]} carry "
        f"the variance, and it is about these {those[0]} rather than all {those[1]}."
    )


def _span(rates: pd.Series) -> str:
    low, high = (number(100 * float(rate), 0) for rate in (rates.min(), rates.max()))
    return low if low == high else f"{low} to {high}"
