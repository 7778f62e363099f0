"""fetch_prices: live, else the cache, else the committed history, and the result says which."""

import logging

import numpy as np
import pandas as pd
import pytest
from replica import Reply, bars, error, yahoo_on_loopback

from impact.errors import BadData, DateError, NoData, Offline, RateLimited, Refused
from impact.market.calendar import nyse_sessions
from impact.market.prices import SECTORS, load_prices, load_vix
from impact.market.yahoo import fetch_prices, quotes, refresh
from impact.market.yahoo.cache import refresh_lock
from impact.market.yahoo.fetch import CACHED, COMMITTED, LIVE, _fetch
from impact.market.yahoo.merge import changed_sessions, complete
from impact.market.yahoo.quotes import last_finished

START = "2026-03-02"
EVE = pd.Timestamp("2026-11-19 17:00", tz="America/New_York")
NOW = pd.Timestamp("2026-11-20 17:00", tz="America/New_York")
SESSIONS = nyse_sessions(START, "2026-11-24")
FINISHED = nyse_sessions(START, "2026-11-20")
RATE_LIMIT = Reply("Too Many Requests", 429)


def walk(level: float, seed: int = 1, days=SESSIONS) -> pd.Series:
    steps = np.random.default_rng(seed).normal(0, 0.01, len(days))
    return pd.Series((level * np.exp(steps.cumsum())).round(2), days)


NDX, SPY = walk(25_000.0), walk(600.0, seed=2)


@pytest.fixture
def yahoo(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path / "cache"))
    with yahoo_on_loopback(tmp_path / "yahoo") as replica:
        replica.rows = {"^NDX": bars(NDX), "SPY": bars(SPY, 0.9 * SPY)}
        replica.meta["SPY"] = {"instrumentType": "ETF"}
        yield replica


def ask(yahoo, tickers="^NDX", start=START, end=None, *, now=NOW, **options):
    return _fetch(tickers, start, end, now=now, client=yahoo.client(), **options)


def same(found: pd.Series, expected: pd.Series) -> None:
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12)


def limited(yahoo) -> None:
    yahoo.script = lambda asked: RATE_LIMIT if asked.symbol else None


# -- what comes back -----------------------------------------------------------------------------


def test_one_ticker_is_a_series_and_says_where_it_is_from(yahoo):
    closes = ask(yahoo)
    same(closes, NDX[FINISHED])
    assert (closes.name, closes.index.name, closes.index.tz) == ("^NDX", "date", None)
    attrs = closes.attrs
    assert (attrs["source"], attrs["sessions_behind"], attrs["notes"]) == (LIVE, 0, ())
    assert attrs["last_session"] == FINISHED[-1] and len(attrs["hash"]) == 12


def test_several_tickers_are_a_table_with_nan_where_one_has_no_close(yahoo):
    yahoo.rows["SPY"] = yahoo.rows["SPY"][100:]
    table = ask(yahoo, ["^NDX", "SPY", "^ndx"], progress=True)
    assert list(table.columns) == ["^NDX", "SPY"]
    same(table["^NDX"], NDX[FINISHED])
    assert table["SPY"].isna().sum() == 100
    same(table["SPY"].dropna(), 0.9 * SPY[FINISHED[100:]])


def test_a_list_of_one_is_a_table(yahoo):
    assert list(ask(yahoo, ["^NDX"]).columns) == ["^NDX"]


def test_a_fund_is_adjusted_and_an_index_is_not(yahoo):
    yahoo.rows["^NDX"] = bars(NDX, 0.5 * NDX)
    same(ask(yahoo), NDX[FINISHED])
    same(ask(yahoo, "SPY"), 0.9 * SPY[FINISHED])


def test_live_and_cached_answers_are_the_same_table(yahoo):
    live, cached = ask(yahoo), ask(yahoo)
    assert (live.attrs["source"], cached.attrs["source"]) == (LIVE, CACHED)
    pd.testing.assert_series_equal(live, cached, check_exact=True, check_freq=False)
    assert live.attrs["hash"] == cached.attrs["hash"]


def test_dates_are_included_at_both_ends(yahoo):
    part = ask(yahoo, start="2026-06-01", end="2026-06-05")
    same(part, NDX["2026-06-01":"2026-06-05"])


def test_an_index_on_chicago_time_is_read_by_its_dates(yahoo):
    yahoo.meta["^NDX"] = {"exchangeTimezoneName": "America/Chicago"}
    same(ask(yahoo), NDX[FINISHED])


def test_the_whole_history_since_1927_without_the_saturdays(yahoo, monkeypatch):
    days = nyse_sessions("1927-12-30", "2026-11-20")
    old = load_prices("^GSPC")
    days = days[days.day_of_week < 5]
    closes = walk(20.0, seed=3, days=days)
    # Made up before 1999 and after August 2026, committed between: the two must agree.
    closes *= old.iloc[0] / closes[old.index[0]]
    after = closes.index > old.index[-1]
    closes[after] *= old.iloc[-1] / closes[old.index[-1]]
    closes[old.index] = old
    yahoo.rows["^GSPC"] = bars(closes)
    found = ask(yahoo, "^GSPC", "1927-12-30", cache=False)
    same(found, closes)
    assert int(yahoo.charts_asked()[0]["period1"]) < 0


# -- when Yahoo is asked -------------------------------------------------------------------------


def test_yahoo_is_asked_once_for_each_finished_session(yahoo):
    ask(yahoo, now=EVE)
    ask(yahoo, now=EVE + pd.Timedelta(hours=10))
    ask(yahoo, now=NOW - pd.Timedelta(minutes=1))  # an hour after the close has not passed
    assert len(yahoo.charts_asked()) == 1
    ask(yahoo, now=NOW)
    assert len(yahoo.charts_asked()) == 2


def test_a_lost_session_is_not_asked_for_again_before_the_next_one(yahoo):
    yahoo.rows["^NDX"] = bars(NDX[:"2026-11-19"])
    first = ask(yahoo)
    assert first.attrs["sessions_behind"] == 1
    assert first.attrs["notes"] == ("^NDX: it has no later close",)
    assert ask(yahoo).attrs["sessions_behind"] == 1
    assert len(yahoo.charts_asked()) == 1


def test_an_index_is_brought_up_to_date_by_its_last_sessions(yahoo):
    ask(yahoo, now=EVE)
    same(ask(yahoo), NDX[FINISHED])
    first, second = yahoo.charts_asked()
    assert int(second["period1"]) - int(first["period1"]) > 200 * 86_400


def test_a_fund_is_fetched_whole_and_may_be_rescaled_by_a_dividend(yahoo):
    ask(yahoo, "SPY", now=EVE)
    yahoo.rows["SPY"] = bars(SPY, 0.9 * 0.997 * SPY)
    closes = ask(yahoo, "SPY")
    same(closes, 0.9 * 0.997 * SPY[FINISHED])
    assert closes.attrs["source"] == LIVE


def test_an_earlier_start_fetches_the_whole_and_keeps_it(yahoo):
    ask(yahoo, start="2026-06-01")
    same(ask(yahoo), NDX[FINISHED])
    same(ask(yahoo, start="2026-06-01"), NDX["2026-06-01":"2026-11-20"])
    assert len(yahoo.charts_asked()) == 2


def test_without_a_cache_yahoo_is_asked_each_time_and_nothing_is_kept(yahoo, tmp_path):
    for _ in range(2):
        assert ask(yahoo, cache=False).attrs["source"] == LIVE
    assert len(yahoo.charts_asked()) == 2
    assert not (tmp_path / "cache").exists()


def test_offline_asks_nobody(yahoo):
    ask(yahoo, now=EVE)
    yahoo.asked.clear()
    closes = ask(yahoo, offline=True)
    assert (closes.attrs["source"], closes.attrs["sessions_behind"]) == (CACHED, 1)
    with pytest.raises(Offline, match="offline=True"):
        ask(yahoo, "SPY", offline=True)
    assert yahoo.asked == []


# -- what counts as final ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-11-20 12:00", "2026-11-19"),  # a partial bar
        ("2026-11-20 16:59", "2026-11-19"),
        ("2026-11-20 17:00", "2026-11-20"),
        ("2026-11-22 12:00", "2026-11-20"),  # a Sunday
        ("2026-11-27 13:59", "2026-11-25"),  # the half day after Thanksgiving
        ("2026-11-27 14:00", "2026-11-27"),
    ],
)
def test_a_close_is_final_an_hour_after_the_end_of_trading(now, last):
    sessions = nyse_sessions("2026-11-02", "2026-11-30")
    now = pd.Timestamp(now, tz="America/New_York")
    assert last_finished(sessions, now) == pd.Timestamp(last)
    assert last_finished(sessions, now.tz_convert("Asia/Tokyo")) == pd.Timestamp(last)


def test_the_partial_bar_of_today_is_cut(yahoo):
    noon = pd.Timestamp("2026-11-20 12:00", tz="America/New_York")
    partial = NDX[:"2026-11-20"].copy()
    partial.iloc[-1] *= 1.02
    yahoo.rows["^NDX"] = bars(partial)
    same(ask(yahoo, now=noon), NDX[:"2026-11-19"])
    yahoo.rows["^NDX"] = bars(NDX)
    same(ask(yahoo), NDX[FINISHED])


# -- closes that change --------------------------------------------------------------------------


def test_a_restated_close_keeps_the_old_and_says_so(yahoo):
    before = ask(yahoo, now=EVE)
    yahoo.rows["^NDX"] = bars(NDX.where(NDX.index != "2026-11-18", 1.01 * NDX))
    closes = ask(yahoo)
    same(closes, before)
    assert closes.attrs["source"] == CACHED
    assert "restated 1 close of '^NDX', the first on 2026-11-18" in closes.attrs["notes"][0]
    assert len(yahoo.charts_asked()) == 3  # the last sessions, then the whole


def test_a_restated_fund_is_found_by_its_returns(yahoo):
    before = ask(yahoo, "SPY", now=EVE)
    later = SPY.index >= "2026-11-18"
    yahoo.rows["SPY"] = bars(SPY, (0.9 * SPY).where(~later, 0.905 * SPY))
    closes = ask(yahoo, "SPY")
    same(closes, before)
    assert "restated" in closes.attrs["notes"][0]


def test_noise_below_the_tolerance_is_not_a_change(yahoo):
    ask(yahoo, now=EVE)
    yahoo.rows["^NDX"] = bars(NDX * 1.0001)
    assert ask(yahoo).attrs["source"] == LIVE


def test_live_closes_that_contradict_the_committed_ones_are_refused(yahoo):
    committed = load_prices("^GSPC")["2026-03-02":]
    wrong = committed.where(committed.index != "2026-05-04", 1.01 * committed)
    yahoo.rows["^GSPC"] = bars(wrong)
    closes = ask(yahoo, "^GSPC")
    assert closes.attrs["source"] == COMMITTED
    assert "make data" in closes.attrs["notes"][0]
    same(closes, committed)


def test_the_last_close_of_the_eve_is_found_wrong_the_day_after(yahoo):
    """A slip within the limits passes once; the overlap finds it."""
    slip = NDX[:"2026-11-19"].copy()
    slip.iloc[-1] *= 1.01
    yahoo.rows["^NDX"] = bars(slip)
    ask(yahoo, now=EVE)
    yahoo.rows["^NDX"] = bars(NDX)
    assert "restated" in ask(yahoo).attrs["notes"][0]


@pytest.mark.parametrize(
    ("ticker", "jump", "refused"),
    [
        ("^GSPC", 1.28, False),
        ("^GSPC", 1.32, True),
        ("XLK", 1.45, False),
        ("XLK", 1.55, True),
        ("^VIX", 2.6, False),
        ("^VIX", 2.8, True),
    ],
)
def test_each_ticker_has_its_largest_believable_jump(yahoo, ticker, jump, refused):
    closes = pd.Series(20.0, SESSIONS[SESSIONS >= "2026-09-01"])
    closes[closes.index >= "2026-11-19"] *= jump
    yahoo.rows[ticker] = bars(closes, 0.9 * closes)
    if refused:
        with pytest.raises(BadData, match="jump from"):
            ask(yahoo, ticker, "2026-09-01", cache=False)
    else:
        assert ask(yahoo, ticker, "2026-09-01", cache=False).attrs["source"] == LIVE


# -- merging -------------------------------------------------------------------------------------


def test_changes_are_found_as_a_slow_loop_finds_them():
    rng = np.random.default_rng(4)
    old = walk(50.0, seed=5)
    new = old * np.exp(rng.normal(0, 2e-4, len(old)))
    slow = [day for day in old.index if abs(np.log(new[day] / old[day])) > 2e-4 + 0.005 / old[day]]
    found = changed_sessions(new, old, adjusted=False, rounding=0.005)
    assert 0 < len(slow) < len(old) and list(found) == slow


def test_a_rescaled_copy_has_no_changed_return():
    old = walk(50.0, seed=5)
    assert changed_sessions(0.7 * old, old, adjusted=True).empty
    assert len(changed_sessions(0.7 * old, old, adjusted=False)) == len(old)


def test_old_closes_fill_gaps_at_the_level_of_the_new():
    old = walk(50.0, seed=5)
    new = (0.7 * old).drop([SESSIONS[5], SESSIONS[-1]])
    closes, notes = complete("SPY", new, old, SESSIONS, adjusted=True)
    same(closes, 0.7 * old)
    assert "2 closes" in notes[0]


def test_old_closes_that_do_not_reach_the_new_are_left_out():
    old = walk(50.0, seed=5)
    closes, notes = complete("SPY", old[100:], old[:90], SESSIONS, adjusted=False)
    same(closes, old[100:])
    assert notes == []


def test_without_a_common_session_adjusted_levels_cannot_be_joined():
    old = walk(50.0, seed=5)
    closes, _ = complete("SPY", 0.7 * old[100:], old[:100], SESSIONS, adjusted=True)
    same(closes, 0.7 * old[100:])


def test_held_closes_are_never_given_up_for_earlier_ones():
    old = walk(50.0, seed=5)
    with pytest.raises(BadData, match="ask for what lies after it"):
        complete("SPY", old[:170].drop(SESSIONS[160]), old[170:], SESSIONS, adjusted=False)


# -- falling back --------------------------------------------------------------------------------


def test_committed_history_stands_in_where_nothing_is_cached(yahoo, caplog):
    limited(yahoo)
    closes = ask(yahoo, "^GSPC", "1927-12-30")
    same(closes, load_prices("^GSPC"))
    assert closes.attrs["source"] == COMMITTED
    behind = nyse_sessions("2026-09-01", "2026-11-20")
    assert closes.attrs["sessions_behind"] == len(behind)
    assert caplog.messages[-1] == (
        "^GSPC: used committed history (4 January 1999 to 31 August 2026, "
        f"{len(behind)} sessions behind) because Yahoo Finance asked to be left alone for a while: "
        "wait until 17:30 in New York"
    )


def test_the_committed_volatility_index_stands_in_too(yahoo):
    limited(yahoo)
    same(ask(yahoo, "^VIX", "2019-01-02"), load_vix()["2019-01-02":])


def test_what_reaches_back_far_enough_comes_first(yahoo):
    limited(yahoo)
    found = ask(yahoo, "^GSPC", "2026-08-03")
    same(found, load_prices("^GSPC")["2026-08-03":])


def test_nothing_after_the_committed_history_is_an_error_that_says_so(yahoo):
    limited(yahoo)
    with pytest.raises(RateLimited, match="no closes of '\\^GSPC' are stored"):
        ask(yahoo, "^GSPC", "2026-10-01")


def test_one_refusal_stops_the_questions_for_the_others(yahoo, caplog):
    limited(yahoo)
    table = ask(yahoo, "sectors", "2025-01-02", progress=True)
    assert list(table.columns) == list(SECTORS)
    assert {params["interval"] for params in yahoo.charts_asked()} == {"1d"}
    assert len({asked.symbol for asked in yahoo.asked if asked.symbol}) == 1
    # One sentence for all eleven.
    assert len([text for text in caplog.messages if "used committed history" in text]) == 1


def test_one_unknown_ticker_does_not_stop_the_others(yahoo):
    yahoo.rows["XLK"] = bars(SPY)  # committed too
    del yahoo.rows["SPY"]
    with pytest.raises(NoData, match="No data found"):
        ask(yahoo, ["^NDX", "SPY"])
    assert any(asked.symbol == "SPY" for asked in yahoo.asked)


def test_each_source_is_named_when_they_differ(yahoo):
    ask(yahoo, now=EVE)
    limited(yahoo)
    table = ask(yahoo, ["^NDX", "^GSPC"], "2026-03-02")
    assert table.attrs["source"] == f"{CACHED}: ^NDX; {COMMITTED}: ^GSPC"


def test_a_broken_cache_counts_as_none_and_is_spoken_of(yahoo, tmp_path, caplog):
    ask(yahoo)
    next((tmp_path / "cache").glob("*.csv")).write_text("date,close\n")
    closes = ask(yahoo)
    same(closes, NDX[FINISHED])
    assert closes.attrs["source"] == LIVE
    assert "are left aside" in closes.attrs["notes"][0] and "are left aside" in caplog.text
    assert ask(yahoo).attrs["notes"] == ()


# -- being left alone ----------------------------------------------------------------------------


def test_after_a_rate_limit_yahoo_is_left_alone_for_half_an_hour(yahoo):
    limited(yahoo)
    with pytest.raises(RateLimited):
        ask(yahoo)
    yahoo.script = None
    yahoo.asked.clear()
    for minutes in (1, 29):
        with pytest.raises(RateLimited, match="wait until 17:30"):
            ask(yahoo, now=NOW + pd.Timedelta(minutes=minutes))
    assert yahoo.asked == []
    same(ask(yahoo, now=NOW + pd.Timedelta(minutes=30)), NDX[FINISHED])


def test_an_answer_ends_the_doubling_of_the_wait(yahoo):
    limited(yahoo)
    with pytest.raises(RateLimited, match="wait until 17:30"):
        ask(yahoo)
    yahoo.script = None
    ask(yahoo, now=NOW + pd.Timedelta(hours=1))
    limited(yahoo)
    with pytest.raises(RateLimited, match="wait until 19:30"):
        ask(yahoo, "SPY", now=NOW + pd.Timedelta(hours=2))


def test_a_rate_limit_is_not_retried(yahoo):
    limited(yahoo)
    with pytest.raises(RateLimited):
        ask(yahoo)
    assert len(yahoo.charts_asked()) == 2  # yfinance itself asks once more at once


@pytest.mark.parametrize(
    ("reply", "kind", "attempts"),
    [
        (Reply("<html>"), Refused, 3),
        (Reply(cut=True), Offline, 3),
        (
            Reply(error("Not Found", "No data found"), 404),
            NoData,
            2,
        ),  # one attempt of yfinance is two
    ],
)
def test_only_what_a_second_question_can_mend_is_asked_again(yahoo, reply, kind, attempts):
    yahoo.script = lambda asked: reply if asked.symbol else None
    with pytest.raises(kind):
        ask(yahoo)
    assert len(yahoo.charts_asked()) == attempts


def test_while_another_process_asks_what_is_held_is_used(yahoo, tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "PATIENCE", 0.1)
    ask(yahoo, now=EVE)
    with refresh_lock(tmp_path / "cache", "^NDX", seconds=0):
        closes = ask(yahoo)
    assert (closes.attrs["source"], closes.attrs["sessions_behind"]) == (CACHED, 1)
    with (
        refresh_lock(tmp_path / "cache", "SPY", seconds=0),
        pytest.raises(Refused, match="another process"),
    ):
        ask(yahoo, "SPY")


def test_the_time_limits_let_an_attempt_end_within_fifteen_seconds():
    assert quotes.ATTEMPT_SECONDS < 15
    assert quotes.CONNECT_SECONDS + quotes.ANSWER_SECONDS < quotes.ATTEMPT_SECONDS
    assert quotes.TOTAL_SECONDS == 40 and quotes.ATTEMPTS == 3


def test_more_than_a_hundred_years_are_not_asked_for(yahoo):
    later = pd.Timestamp("2029-03-02 18:00", tz="America/New_York")
    ask(yahoo, start="1927-12-30", now=later, cache=False)
    asked = yahoo.charts_asked()[0]
    assert int(asked["period2"]) - int(asked["period1"]) < 100 * 365.25 * 86_400


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (([],), NoData, "no ticker was given"),
        (("",), NoData, "is no ticker"),
        (("A B",), NoData, "is no ticker"),
        ((None,), NoData, "is no ticker"),
        ((5,), NoData, "is no ticker"),
        ((["^GSPC", 5],), NoData, "5 is no ticker"),
        (("^GSPC", "02/05/2025"), DateError, "2025-05-02"),
        (("^GSPC", None), DateError, "is not a date"),
        (("^GSPC", "2025-01-02", "soon"), DateError, "is not an ISO date"),
        (("^GSPC", "2025-01-02", "2024-01-02"), DateError, "swap them"),
        (("^GSPC", "2099-01-02"), NoData, "no session"),
        (("^GSPC", "2025-01-04", "2025-01-05"), NoData, "no session"),
        (("^GSPC", "1850-01-01", "1850-02-01"), NoData, "no session"),
    ],
)
def test_bad_input_is_named(arguments, kind, says):
    with pytest.raises(kind, match=says):
        fetch_prices(*arguments, offline=True, cache=False)


def test_good_news_is_not_shouted(yahoo, caplog):
    with caplog.at_level(logging.INFO, logger="impact"):
        ask(yahoo)
    assert [record.levelname for record in caplog.records if record.name == "impact"] == ["INFO"]
