"""What five-minute prices add to a card, for every announcement that they hold."""

from __future__ import annotations

import functools
import re

import numpy as np
import pandas as pd
import pytest
from catalogue_cards import card

import impact
from impact.cards.card import event_card
from impact.errors import BarsError, HistoryError
from impact.news.catalogue import load_events
from impact.text.formats import percent

CATALOGUE = load_events()
INSIDE = CATALOGUE[
    CATALOGUE["news"] & CATALOGUE["announced_at"].between("2025-01-10", "2026-04-20")
]


@functools.cache
def studied():
    return impact.intraday_study(impact.load_bars(), CATALOGUE).table


@pytest.mark.parametrize("event", INSIDE.index)
def test_the_move_around_the_news_is_that_of_the_intraday_study(event):
    words = card(event).sentence
    if event not in studied().index:
        assert "Its hour is not known, so no half hour can be measured." in words
        return
    row = studied().loc[event]
    size = percent(abs(row["simple_change"]), signed=False)
    verb = "rose" if row["simple_change"] > 0 else "fell"
    ended = "ended unchanged" if size == "0.00%" else f"{verb} {size}"
    assert f"the S&P 500 (fund SPY) {ended}." in words
    if np.isnan(row["p_value"]):
        assert "No test is made: " in words and "test of those minutes" not in words
    elif row["part"] == "closed hours":
        assert re.search(r"That is the (\d+(st|nd|rd|th) )?largest of \d+ nights", words)
    else:
        verdict = "unusual" if row["p_value"] < 0.05 else "not unusual"
        assert f"hat is {verdict} for the time of day" in words
    approximate = row["minute"] == "approximate"
    within = row["part"] != "closed hours" and not np.isnan(row["p_value"])
    assert ("If that minute is right" in words) == (approximate and within)


@pytest.mark.parametrize("event", INSIDE.index)
def test_all_that_shares_the_session_is_named_in_its_part(event):
    made = card(event)
    shared = made.study.alignment["announcements"].iloc[0]
    released = made.study.alignment["releases"].iloc[0]
    if len(shared) == 1 and not made.facts["others"] and not released:
        assert "The other hours add" not in made.sentence
        return
    for other in made.facts["others"]:
        (name,) = CATALOGUE.index[CATALOGUE["title"] == other]
        bare = CATALOGUE["label"][name].replace('"', "")
        assert f"“{bare}”" in re.sub("[‘’]", "", made.sentence)
    told = made.sentence.split("The parts of the day: ")[1].split("What each piece")[0]
    bare = re.sub(r"“.*?”|\(.*?\)", "", told)
    moves = [float(move.replace("−", "-")) for move in re.findall(r"([+−]?[\d.]+)%", bare)]
    found = made.facts["hours"].day
    assert sum(moves) == pytest.approx(100 * found.change, abs=0.005 * len(moves))
    # Each part that may hold something by the table of the day, trading as one, and the rest.
    columns = ["announcements", "possible", "releases"]
    holds = found.table[columns].map(len).sum(axis=1) > 0
    opened = found.session + pd.Timedelta("09:30:00")
    trading = found.table["from"].dt.tz_localize(None) >= opened
    assert len(moves) == holds[~trading].sum() + holds[trading].any() + 1
    assert "within its part cannot be known." in made.sentence


def test_news_that_several_parts_may_hold_is_told_with_all_of_them():
    words = card("china-84-retaliation").sentence
    assert (
        "While trading was closed SPY moved +1.37%, from 04:05 to 08:30 −2.08%. “China 84% "
        "retaliation” came out between 02:48 and 07:25. During trading SPY" in words
    )
    words = card("cafc-stay").sentence
    assert (
        "In the evening before SPY moved +1.50%; “Trade court ruling” came out about 19:00" in words
    )


def test_without_bars_a_sentence_says_why_a_close_is_blunt():
    blunt = "for that day here. One close mixes all that happened since the close before."
    words = card("aug-1-300bn-tweet-2019").sentence
    assert f"There are no five-minute prices of the S&P 500 {blunt}" in words
    fund = impact.log_returns(impact.load_prices("XLK"))
    assert (
        f"There are no five-minute prices of XLK {blunt}"
        in event_card("ninety-day-pause", fund).sentence
    )


def test_what_a_close_would_have_found_is_set_beside_bars_of_the_same_security_alone():
    bars, fund = impact.load_bars(), impact.log_returns(impact.load_prices("XLK"))
    index = impact.log_returns(impact.load_prices())
    for returns, name, compared in (
        (index, "SPY", True),
        (fund, "SPY", False),
        (fund.rename("MINE"), "MINE", True),
        (index, "MINE", False),
    ):
        own = bars.rename(name)
        own.attrs = {}
        words = event_card("ninety-day-pause", returns, bars=own).sentence
        assert "In the half hour after 13:18" in words
        assert ("% or more, the test of those minutes " in words) == compared


def test_bars_of_ones_own_and_their_first_day():
    bars = impact.load_bars()
    own = bars["2025-01-02":].rename("FUND")
    own.attrs = {}
    spy = impact.log_returns(impact.load_prices())
    words = event_card("ninety-day-pause", spy, bars=own).sentence
    assert "In the half hour after 13:18 FUND rose 5.62%." in words
    assert "During trading FUND moved +9.65%" in words
    late = bars["2025-02-03":]
    first = event_card({"x": "2025-02-03T12:00"}, bars=late)
    assert first.facts["hours"].day is None and "In the half hour after 12:00" in first.sentence
    night = event_card("ieepa-fentanyl-orders", bars=late).sentence
    assert "The five-minute prices do not hold it, so no half hour can be measured." in night
    assert "aily closes cannot separate" in night


def test_bars_that_are_none_are_refused():
    with pytest.raises(BarsError, match="use load_bars"):
        event_card("geneva-truce", bars=[500.0, 501.0])
    with pytest.raises(HistoryError, match="bring more"):
        event_card("geneva-truce", bars=impact.load_bars()["2025-05-01":"2025-05-20"])


def test_a_move_of_nothing_is_not_a_rise():
    flat = impact.load_bars()["2024-10-24":"2025-06-30"].copy()
    flat.loc["2025-06-17 11:00":"2025-06-17 11:35"] = flat["2025-06-17 11:00"]
    made = event_card({"x": "2025-06-17T11:02"}, bars=flat)
    assert "In the half hour after 11:02 the S&P 500 (fund SPY) ended unchanged." in made.sentence
    assert pd.notna(made.facts["hours"].row["p_value"])
