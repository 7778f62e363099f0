"""Cards: the words follow the numbers, for every event of the catalogue."""

from __future__ import annotations

import html
import re

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from catalogue_cards import card
from pictures import assert_words_are_clear, texts_of

from impact.cards import sentences
from impact.cards.card import event_card
from impact.errors import DateError, EventError, HistoryError, ReturnsError, TableError
from impact.inference.size import THIRDS, share_as_small
from impact.inference.yardsticks import yardsticks
from impact.market.calendar import nyse_sessions
from impact.market.prices import load_prices
from impact.market.returns import log_returns, simple_returns
from impact.news.catalogue import load_events
from impact.text.formats import interval

CATALOGUE = load_events(included=None)
USABLE = CATALOGUE[CATALOGUE["news"]]
NAMED = (
    "ieepa-fentanyl-orders",
    "ninety-day-pause",
    "china-145-clarified",
    "wsj-fentanyl-overture",
    "mofcom-evaluating",
    "geneva-truce",
)


def test_2_may_is_told_in_parts_in_place_of_what_cannot_be_separated():
    words = card("wsj-fentanyl-overture").sentence
    assert words.startswith("The S&P 500 rose 1.47% on Friday 2 May 2025\n\nThe news: “WSJ")
    assert "+1.44%" in words and words.index("1.47%") < words.index("1.44%")
    assert "the minute is not known" in words and "cannot separate" not in words
    told = [
        "While trading was closed SPY moved +0.62%; “MOFCOM ‘evaluating’ talks” came out between "
        "20:00 and 22:55.",
        "From 08:30 to 09:00 SPY moved +0.74%, from 09:00 to 09:30 −0.07%, during trading +0.34%.",
        "Payrolls (177 thousand; 138 expected) came out at 08:30; “Fentanyl overture (WSJ)” came "
        "out between 08:55 and 15:59.\n\nThe rest of the day: The other hours add −0.18% (log "
        "changes). What each piece of news did within its part cannot be known.",
    ]
    assert f"The parts of the day: {' '.join(told)}\n" in words
    assert "From 20:00 on Thursday to 04:30 on Friday" in card("mofcom-evaluating").sentence
    assert "not unusual at the 5% level" in words
    assert "A smaller effect could have gone unnoticed" in words
    assert "WSJ: Chinese security chief" in words


def test_9_april_is_unusual_by_every_yardstick_and_says_it_was_chosen():
    words = card("ninety-day-pause").sentence
    assert "rose 9.52%" in words and "The move was unusual at the 5% level" in words
    assert "chosen after it had happened" in words and "points both ways" in words
    assert "closed SPY moved +1.37%, from 04:05 to 08:30 −2.08%. “China 84% retaliation”" in words
    assert "In the half hour after 13:18 the S&P 500 (fund SPY) rose 5.62%." in words
    assert "moves of 10.92% or more, the test of those minutes 2.95%." in words


def test_10_april_shows_where_the_textbook_disagrees():
    words = card("china-145-clarified").sentence
    assert "The textbook t-test" in words and "does not agree: p = 7e-5" in words
    assert "consumer prices (2.4% on the year; 2.5 expected) came out at 08:30" in words
    assert "In the half hour after about 10:30" in words and "If that minute is right, " in words


def test_a_weekend_announcement_says_why_the_session_is_monday():
    words = card("ieepa-fentanyl-orders").sentence
    assert words.startswith("The S&P 500 fell 0.76% on Monday 3 February 2025\n")
    assert "Saturday 1 February 2025 at 17:42 New York time, with the exchange closed" in words


@pytest.mark.parametrize("event", NAMED)
def test_numbers_of_the_sentences_are_those_of_the_study(event):
    made = card(event)
    row = made.study.car(0).iloc[0]
    close = load_prices()
    session = row["session"]
    change = close[session] / close.shift(1)[session] - 1
    assert f"{abs(change):.2%}" in made.sentence
    assert f"{abs(row['estimate']):.2%}" in made.sentence
    assert f"{row['sigma_conditional']:.2%} a day" in made.sentence
    assert f"moves of {row['smallest_detectable']:.2%} or more" in made.sentence
    hours = made.facts["hours"]
    assert f"{abs(hours.row['simple_change']):.2%}" in made.sentence
    if hours.row["part"] == "trading":
        assert f"test of those minutes {hours.row['smallest_detectable']:.2%}" in made.sentence
    tested = row[["p_textbook", "p_conditional", "p_conditional_t"]]
    assert made.table.frame["p"].iloc[:3].tolist() == tested.tolist()
    found = yardsticks(made.study)["p_value"]
    assert made.table.frame["p"].iloc[3:].tolist() == found.iloc[1:].tolist()
    fits = interval(row["ci_low_conditional"], row["ci_high_conditional"])
    assert f"nything from {fits} fits this day (95% interval)" in made.sentence


@pytest.mark.parametrize("event", USABLE.index)
def test_no_event_of_the_catalogue_gives_an_awkward_card(event):
    words = card(event).sentence
    assert not re.search(r"\bnan\b|\bNone\b|NaT|not available|\d{4}-\d\d-\d\d", words)
    assert not re.search(r"  | ,|,,|;;|\.\.| \.|\(\)|; \.|“”", words)
    assert not re.search(r"\b(\w+) \1\b", words.lower()), words
    assert not re.search(r"\b1 (days|sessions)\b", words)
    assert words.endswith(".")
    assert len(sentences.headline(card(event).facts).split()) < 15
    groups = sentences.paragraphs(card(event).facts)
    said = [one for group in groups.values() for one in group]
    assert not [one for one in said if len(one.split()) > 30]
    assert len(said) == len(set(said)) and 6 <= len(said) <= 24
    assert all(1 <= len(group) <= 3 for group in groups.values())
    assert not [label for label in groups if label.endswith("(continued)")]
    # Causes are not claimed: these verbs would.
    assert not re.search(r"\b(caused by|because of the announcement|due to|drove|lifted)\b", words)


def test_a_large_p_never_reads_as_no_effect():
    for event in USABLE.index:
        made = card(event)
        if not made.facts["p_conditional"] >= 0.05:
            assert "chosen after it had happened" in made.sentence
            assert "gone unnoticed" not in made.sentence
            small = made.facts["smallest_detectable"] > abs(made.facts["estimate"])
            assert small == ("tends to overstate" in made.sentence)
        elif made.facts["smallest_detectable"] > abs(made.facts["estimate"]):
            assert "A smaller effect could have gone unnoticed" in made.sentence
        assert "no effect" not in made.sentence


def test_everyone_gets_a_card_from_news_and_nobody_from_its_execution():
    for event in CATALOGUE.index[~CATALOGUE["news"]]:
        with pytest.raises(EventError, match="known news"):
            event_card(event)
    with pytest.raises(EventError, match="before the first session"):
        event_card("nixon-import-surcharge-1971", log_returns(load_prices()))


def test_wrong_input_gets_one_clear_sentence():
    with pytest.raises(EventError, match="nearest are 'liberation-day'"):
        event_card("liberation")
    with pytest.raises(DateError, match="2025-05-02 or 2025-02-05"):
        event_card("02/05/2025")
    with pytest.raises(DateError, match="outside"):
        event_card("2030-01-02")
    with pytest.raises(EventError, match="one event, not 2"):
        event_card(["2025-01-02", "2025-02-03"])
    two = log_returns(load_prices(["XLK", "XLF"]))
    with pytest.raises(ReturnsError, match="one series"):
        event_card("geneva-truce", two)
    with pytest.raises(ReturnsError, match="look like prices"):
        event_card("geneva-truce", load_prices())
    with pytest.raises(HistoryError):
        event_card("geneva-truce", log_returns(load_prices(start="2025-01-02")))


def test_dates_of_ones_own():
    made = event_card({"my label": "2025-06-05"})
    assert "“my label”" in made.sentence and made.event == "my label"
    assert "the hour is not known" in made.sentence and "Its hour is not known" in made.sentence
    assert "“Trump-Xi call” came out at 10:46" in made.sentence
    bare = event_card("2025-06-05").sentence
    assert bare.startswith("The S&P 500 fell 0.53% on Thursday 5 June 2025\n\nHow unusual: When")
    weekend = event_card("2025-06-07").sentence
    assert "could reflect news on Saturday 7 June 2025, with the exchange closed" in weekend
    late = event_card({"late": "2025-06-05T17:30:00-04:00"}).sentence
    assert "% on Friday 6 June 2025\n" in late and "after the close" in late
    assert "In the half hour after 17:30 the S&P 500 (fund SPY)" in late
    assert "21:30" not in event_card({"utc": "2025-06-05T21:30:00+00:00"}).sentence


def test_the_simple_change_is_the_same_whatever_the_returns():
    prices = load_prices()
    log = event_card("geneva-truce", log_returns(prices))
    simple = event_card("geneva-truce", simple_returns(prices))
    assert log.facts["simple_change"] == pytest.approx(simple.facts["simple_change"], rel=1e-12)
    assert "rose 3.26%" in log.sentence and "the simple return less" in simple.sentence
    assert np.isnan(log.facts["p_implied"]) and "VIX" not in log.sentence


def test_a_short_history_is_said():
    made = event_card("geneva-truce", log_returns(load_prices("XLK", start="2024-01-02")))
    assert re.match(r"XLK rose [\d.]+% on Monday 12 May 2025\n", made.sentence)
    assert "EWMA" in str(made.table) and "exponentially weighted" in str(made.table)
    assert "exponentially" not in str(card("geneva-truce").table)


def test_without_a_forecast_only_the_textbook_test_speaks():
    facts = card("geneva-truce").facts.copy()
    facts[["p_conditional", "p_conditional_t", "p_implied", "smallest_detectable"]] = np.nan
    facts["yardsticks"] = facts["yardsticks"].assign(p_value=np.nan)
    facts["forecast_notes"] = ["the fit failed"]
    words = " ".join(one for group in sentences.paragraphs(facts).values() for one in group)
    assert "There is no forecast of the volatility of that day (the fit failed)." in words
    assert "Only the textbook t-test is left" in words
    assert "too short" not in words and "not available" not in words and "nan" not in words
    assert "test of one close" not in words and "chosen after" in words


def test_where_no_variance_is_known_a_card_has_the_textbook_test_alone():
    """The month begins 249 returns after the first, and the estimation window fits."""
    days = nyse_sessions("2019-01-14", "2020-03-30")
    values = 0.01 * np.random.default_rng(0).standard_normal(len(days))
    made = event_card("2020-01-29", pd.Series(values, days, name="Z"))
    assert "Only the textbook t-test is left" in made.sentence
    text = str(made.table)
    assert "textbook t" in text and "past sessions" not in text
    assert "etectable" not in text and "needs 250 returns before the month" in text
    assert "95% from" in made.table._repr_html_()
    words = " ".join(each.get_text() for each in texts_of(made.plot()))
    assert "Abnormal return of that day" in words and "95% interval" not in words


def test_an_event_near_the_end_of_the_prices_has_a_card():
    assert event_card("canada-countertariffs").study.abnormal.shape[1] < 11


def test_a_card_is_frozen_pure_and_leaves_its_input_alone():
    returns = log_returns(load_prices())
    before, attrs = returns.copy(), dict(returns.attrs)
    one, two = event_card("geneva-truce", returns), event_card("geneva-truce", returns)
    assert one.sentence == two.sentence and one._repr_html_() == two._repr_html_()
    pd.testing.assert_series_equal(returns, before)
    assert returns.attrs == attrs
    assert repr(one).split() == one.sentence.split() and repr(one).count("\n\n") >= 4
    assert max(map(len, repr(one).splitlines())) <= 95
    with pytest.raises(AttributeError):
        one.sentence = "better"


def test_a_page_shows_the_headline_bold_and_the_rest_in_paragraphs():
    made = card("wsj-fentanyl-overture")
    page = made._repr_html_()
    told = re.sub(r"<table.*", "", page, flags=re.S)
    told = re.findall(r"<p style[^>]*>(.*?)</p>", told)
    assert told[0] == "<b>The S&amp;P 500 rose 1.47% on Friday 2 May 2025</b>"
    assert all(re.match(r"<b>[^<]+:</b> \S", paragraph) for paragraph in told[1:])
    words = [html.unescape(re.sub(r"<[^>]+>", "", paragraph)) for paragraph in told]
    assert words == made.sentence.split("\n\n")


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.9, "most days"), (0.4, "1 in 2 days"), (0.2, "1 in 5 days")],
)
def test_p_values_in_days(p, words):
    assert words in " ".join(sentences._how_often(p, THIRDS[0]))


@pytest.mark.parametrize("third", THIRDS)
@pytest.mark.parametrize("p", [0.05, 0.011, 0.003, 0.002])
def test_a_small_p_is_told_in_the_days_on_which_it_was_counted(p, third):
    share = share_as_small(p, third)
    words = "; ".join(sentences._how_often(p, third))
    if share < 0.0025:
        assert words.endswith("on no more than 1 in 500 days")
        return
    (days,) = re.findall(r"about 1 in (\d+) days", words)
    assert int(days) == pytest.approx(1 / share, rel=0.05)
    assert ("p alone" in words) == (share >= 1.5 * p)


def test_days_grow_rarer_as_p_falls():
    for third in THIRDS:
        told = [
            sentences._how_often(p, third)[0]
            for p in (0.3, 0.099, 0.05, 0.02, 0.0101, 0.0099, 0.004)
        ]
        days = [int(re.search(r"1 in (\d+)", words)[1]) for words in told]
        assert days == sorted(days)


def test_a_card_draws_the_path_of_its_event():
    card = event_card("geneva-truce")
    figure = card.plot()
    assert_words_are_clear(figure)
    path = card.study.abnormal.iloc[0].cumsum()
    drawn = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_xdata()) == 11]
    assert any(np.allclose(line, path - path[-1], atol=1e-12) for line in drawn)
    mine = matplotlib.figure.Figure()
    assert card.plot(ax=mine.subplots()) is mine


# -- whose session -------------------------------------------------------------------------------

WEEKDAYS = pd.bdate_range("2023-01-02", "2025-12-31")


def made_up(name, rows=WEEKDAYS):
    return pd.Series(np.random.default_rng(2).normal(0, 0.01, len(rows)), rows, name=name)


@pytest.mark.parametrize("name", [None, "", " "])
def test_a_series_without_a_name_is_called_the_series(name):
    made = event_card("2025-04-09", made_up(name))
    assert made.sentence.startswith("The series fell ") or made.sentence.startswith(
        "The series rose "
    )
    assert "what the series did on that day" in " ".join(made.sentence.split())
    assert "the series" in str(made.study.summary()).splitlines()[0]


@pytest.mark.parametrize(
    ("series", "market", "announced", "day", "words"),
    [
        (
            made_up("DAX"),
            "XETR",
            "2025-04-09T13:18",
            "on Thursday 10 April 2025",
            "“pause” came out on Wednesday 9 April 2025 at 13:18 New York time, 19:18 in Berlin, "
            "after the close. This was the first XETR session whose close could reflect it.",
        ),
        (
            made_up("N225"),
            "XTKS",
            "2025-04-02T16:10",
            "on Thursday 3 April 2025",
            "“pause” came out on Wednesday 2 April 2025 at 16:10 New York time, 05:10 on 3 April "
            "2025 in Tokyo. This was the first XTKS session whose close could reflect it.",
        ),
        (
            made_up("BTC", pd.date_range("2023-01-01", "2025-12-31")),
            "24/7",
            "2025-10-10T16:57",
            "on Friday 10 October 2025",
            "“pause” came out that day at 16:57 New York time, 20:57 UTC. This was the first day "
            "(ending at 00:00 UTC) whose close could reflect it.",
        ),
        (
            made_up("EGX30"),
            ("Africa/Cairo", "14:30"),
            "2025-04-09T13:18",
            "on Thursday 10 April 2025",
            "“pause” came out on Wednesday 9 April 2025 at 13:18 New York time, 19:18 in Cairo, "
            "after the close. This was the first session (closing at 14:30 in Cairo) whose close "
            "could reflect it.",
        ),
    ],
)
def test_a_card_names_the_market_whose_clock_decided(series, market, announced, day, words):
    made = event_card({"pause": announced}, series, market=market)
    headline = made.sentence.partition("\n")[0]
    assert re.fullmatch(rf"{series.name} (rose|fell) [\d.]+% {day}", headline)
    assert words in made.sentence
    assert f"There are no five-minute prices of {series.name} for that day here" in made.sentence
    assert "sessions of" in str(made.table)


@pytest.mark.parametrize("market", [None, "XETR"])
def test_where_no_clock_decided_the_day_is_that_of_the_date(market):
    words = event_card({"pause": "2025-04-10"}, made_up("DAX"), market=market).sentence
    assert words.startswith("DAX ") and "% on Thursday 10 April 2025\n" in words
    assert "“pause” came out that day; the hour is not known." in words
    assert "first" not in words
    assert ("not known whose clock closes these returns" in words) == (market is None)
    assert ("90-day pause" in words) == (market is not None)


def test_without_a_market_a_weekend_is_told_without_a_clock():
    words = event_card({"pause": "2025-04-05"}, made_up("DAX")).sentence
    assert "% on Monday 7 April 2025\n" in words
    assert "This was the first day with a return after it." in words
    assert "“pause” is dated Saturday 5 April 2025, with the exchange closed." in words
    holiday = event_card({"pause": "2025-04-18"}, made_up("DAX"), market="XETR").sentence
    assert "% on Tuesday 22 April 2025\n" in holiday
    assert "This was the first XETR session whose close could reflect it." in holiday
    assert "“pause” came out on Friday 18 April 2025, with the exchange closed." in holiday


def test_the_notes_of_the_study_stand_under_the_card():
    series = made_up("DAX")
    series["2025-03-03"] = np.log(1 / 3)
    table = str(event_card({"pause": "2025-04-10"}, series, market="XETR").table)
    assert "DAX on 2025-03-03 (−66.7%, near 3 for 1)" in table
    assert "rows are not sessions of XETR" in table


def test_nyse_is_named_where_its_clock_decides():
    assert "the first NYSE session whose close could reflect" in card("ninety-day-pause").sentence
    assert "NYSE" not in card("wsj-fentanyl-overture").sentence
    assert event_card("90-day pause, China 125%").sentence == card("ninety-day-pause").sentence


@pytest.mark.parametrize("session", ["2025-04-03", "2025-04-04"])
def test_a_session_without_a_return_of_its_own_has_no_card(session):
    prices = load_prices("XLK", start="2015-01-01").to_frame()
    prices.loc["2025-04-03"] = np.nan
    refused = r"XLK' is not a return|XLK has no return of"
    with pytest.raises((EventError, ReturnsError), match=refused):
        event_card(session, log_returns(prices))


# -- four forecasts of volatility -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ("2025-05-12", "p runs from 0.004 (GJR-GARCH) to 0.074 (EWMA). By the one we use"),
        ("2025-04-04", "p runs from 0.003 (VIX) to 0.054 (GJR-GARCH). By the one we use"),
        (
            "2025-04-09",
            "The move was unusual at the 5% level (z = +2.52, p = 0.010), whichever of four",
        ),
        ("2025-05-02", "p = 0.310), whichever of four volatility forecasts is used."),
    ],
)
def test_the_range_is_told_where_the_forecasts_disagree(session, words):
    assert words in card(session).sentence


def test_no_card_calls_a_day_unusual_that_a_forecast_does_not_without_the_range():
    for event in USABLE.index:
        made = card(event)
        p = made.facts["yardsticks"]["p_value"].dropna()
        both = (p < 0.05).any() and (p >= 0.05).any()
        assert both == ("depends on how volatility is forecast" in made.sentence)


def test_a_release_that_was_told_is_not_told_again():
    told = {"payrolls": "payroll", "CPI": "CPI", "FOMC": "FOMC"}
    for event in USABLE.index:
        facts = card(event).facts
        noted = " ".join(sentences.paragraphs(facts).get("Also noted around that day", []))
        for release in facts["releases"].split(", "):
            assert told.get(release, "no release") not in noted, event
    words = card("wsj-fentanyl-overture").sentence
    assert words.count("ayrolls") == 1
    assert "Also noted around that day: Apple and Amazon results of 1 May; ninth straight" in words


# -- before 1999 ----------------------------------------------------------------------------------

CLOSES = load_prices(start="1927-12-30")


@pytest.mark.parametrize(
    ("event", "session", "before", "says"),
    [
        (
            "1930-06-16",
            "1930-06-16",
            "1930-06-14",
            "The S&P 500 fell 5.69% on Monday 16 June 1930\n",
        ),
        (
            "smoot-hawley-approval-1930",
            "1930-06-16",
            "1930-06-14",
            "The news: “Hoover says that he will sign",
        ),
        (
            "1930-06-14",
            "1930-06-14",
            "1930-06-13",
            "The S&P 500 fell 2.07% on Saturday 14 June 1930\n",
        ),
        (
            "1930-06-15",
            "1930-06-16",
            "1930-06-14",
            "news on Sunday 15 June 1930, with the exchange",
        ),
        ("1971-08-16", "1971-08-16", "1971-08-13", "% on Monday 16 August 1971\n"),
        (
            "nixon-import-surcharge-1971",
            "1971-08-16",
            "1971-08-13",
            "came out on Sunday 15 August 1971, with the exchange closed.",
        ),
    ],
)
def test_a_card_of_another_century_takes_the_history_it_needs(event, session, before, says):
    made = event_card(event)
    change = CLOSES[session] / CLOSES[before] - 1
    assert made.facts["session"] == pd.Timestamp(session)
    assert made.facts["simple_change"] == pytest.approx(change, rel=1e-12)
    assert f"{abs(change):.2%}" in made.sentence and says in made.sentence
    assert "releases were not checked" in made.sentence and "by the VIX" not in made.sentence
    assert "no five-minute prices" in made.sentence
    assert "VIX, Student t" not in str(made.table)
    early = session < "1957"
    assert ("the index held 90 stocks" in str(made.table)) == early
    # Two and a half years before June 1930 are too few for GARCH.
    p = made.facts["yardsticks"]["p_value"]
    assert p.notna().to_list() == ([False, False, True, False] if early else [True] * 3 + [False])
    assert ("EWMA, past sessions" in str(made.table)) and (
        "whichever of three" in made.sentence
    ) == (not early)


@pytest.mark.parametrize("day", ["1999-06-15", "2001-09-17", "2006-12-15", "2007-02-27"])
def test_the_history_of_a_card_is_all_there_is_or_all_it_needs(day):
    made = event_card(day)
    whole = log_returns(load_prices(start="1927-12-30"))
    long = event_card(day, whole)
    assert made.facts["p_conditional"] == long.facts["p_conditional"]
    assert made.facts["sigma_conditional"] == long.facts["sigma_conditional"]
    assert np.isfinite(made.facts["p_implied"])


# -- what is never said ---------------------------------------------------------------------------


def test_nothing_misleading_is_said_of_any_event():
    for event in USABLE.index:
        made = card(event)
        words = made.sentence
        # A large p: what range fits, never that nothing is known or that there was nothing.
        assert not re.search(
            r"says nothing|no (sign|evidence) of|had no|did not (move|react)", words
        )
        assert (
            np.isnan(made.facts["smallest_detectable"]) or "fits this day (95% interval)" in words
        )
        # Ranks by volatility are not ranks by size.
        assert not re.search(r"as far|that far", words)
        # A reader's day, except where the clock of an exchange makes it a session.
        assert not re.search(r"(?<!NYSE )\bsessions?\b", words), words


def test_a_card_is_a_page_that_can_be_sent(tmp_path):
    card = event_card("liberation-day")
    card.report(tmp_path / "card.html")
    page = (tmp_path / "card.html").read_text("utf-8")
    headline, *others = card.sentence.split("\n\n")
    for words in (headline, *others, card.table.signature):
        assert html.escape(words) in page
    assert "data:image/svg+xml;base64," in page and "<script" not in page
    with pytest.raises(TableError, match=r"ends with \.html"):
        card.report(tmp_path / "card.pdf")


def test_a_long_paragraph_goes_on_in_another_one():
    facts = card("wsj-fentanyl-overture").facts.copy()
    facts["hours"], facts["others"] = None, ["One", "Two", 'The "third"', "Four"]
    groups = sentences.paragraphs(facts)
    assert [len(group) for label, group in groups.items() if "else happened" in label] == [3, 2]
    assert groups["What else happened (continued)"][0] == "It reflects “Four” too."
    assert "It reflects “The ‘third’” too." in groups["What else happened"]
