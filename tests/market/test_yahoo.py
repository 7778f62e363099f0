"""fetch_prices: live, else the last good answer, else the committed history; and it says which."""

import functools
import logging
import os
import subprocess
import sys
import time

import pandas as pd
import pytest
import yfinance.data
from replica import CENTURY, INDEX, SESSIONS, START, TODAY, bars, reply, same, yahoo_on_loopback

from impact.errors import BadData, DateError, NoData, Offline, RateLimited
from impact.market import yahoo
from impact.market.calendar import market_of, nyse_sessions
from impact.market.prices import SECTORS, load_prices, load_vix
from impact.market.yahoo import CACHED, COMMITTED, LIVE, fetch_prices

new_york = functools.partial(pd.Timestamp, tz="America/New_York")
FETCH = "import impact; print(impact.fetch_prices('^NDX', '2026-03-02').tail(1))"


@pytest.fixture
def replica(tmp_path):
    with yahoo_on_loopback(tmp_path) as replica:
        yield replica


def test_closes_say_where_they_are_from(replica, caplog):
    caplog.set_level(logging.INFO)
    network, logger = yfinance.config.network, logging.getLogger("yfinance")
    settings = lambda: (yfinance.data.YfData()._session, network.retries, logger.disabled)
    before = settings()
    closes = fetch_prices("^ndx", START)
    same(closes, INDEX)
    assert (closes.name, closes.index.name, closes.index.tz) == ("^NDX", "date", None)
    attrs = closes.attrs
    assert (attrs["source"], attrs["sessions_behind"], attrs["notes"]) == (LIVE, 0, ())
    assert attrs["last_session"] == pd.Timestamp(TODAY) and len(attrs["hash"]) == 12
    assert [(record.name, record.levelname) for record in caplog.records] == [("impact", "INFO")]
    replica.rows["SPY"] = bars(INDEX[9:], 0.9 * INDEX[9:])
    table = fetch_prices(["^NDX", "SPY", "^ndx"], START, "2026-03-31")
    same(table["^NDX"], INDEX[:"2026-03-31"])
    same(table.pop("SPY").dropna(), 0.9 * INDEX[9:][:"2026-03-31"])
    assert list(table) == ["^NDX"] and table.attrs["notes"] == ("SPY: it has no earlier close",)
    replica.script = lambda asked: reply("Too Many Requests", 429)
    pd.testing.assert_series_equal(fetch_prices("^NDX", START), closes, check_exact=True)
    assert settings() == before


def test_a_century_has_a_warning_and_more_is_not_asked_for(replica):
    replica.rows["^GSPC"] = bars(CENTURY)
    replica.meta["^GSPC"] = {"exchangeTimezoneName": "America/Chicago"}
    found = fetch_prices("^GSPC")
    same(found, CENTURY[:TODAY])
    assert "before 1976 hold typing errors" in found.attrs["notes"][0]
    replica.now = new_york("2029-03-02 18:00")
    assert fetch_prices("^GSPC").attrs["source"] == LIVE
    assert replica.charts()[-1].end - replica.charts()[-1].first < 100 * 365.25 * 86_400


def test_each_ticker_has_its_largest_believable_jump():
    for ticker, most in {"^GSPC": 1.29, "XLK": 1.49, "^VIX": 2.7, "^NDX": 4.9}.items():
        closes = pd.Series(20.0, SESSIONS[-9:])
        closes.iloc[-1] *= most
        same(yahoo.whole(ticker, closes, SESSIONS)[0], closes)
        closes.iloc[-1] *= 1.04
        with pytest.raises(BadData, match="that jump, "):
            yahoo.whole(ticker, closes, SESSIONS)


def test_what_is_kept_is_no_authority_over_a_later_answer_but_does_not_shrink(replica):
    replica.rows["^NDX"] = bars(INDEX.where(INDEX.index < TODAY, 6004.5))
    assert fetch_prices("^NDX", START).iloc[-1] == 6004.5
    replica.rows["^NDX"] = bars(INDEX)
    same(fetch_prices("^NDX", START), INDEX)
    fetch_prices("^NDX", "2026-11-02")
    replica.rows["^NDX"] = bars(INDEX)[-3:]
    closes = fetch_prices("^NDX", START)
    same(closes, INDEX)
    assert "sent 2026-11-18 to 2026-11-20 only: ask for that" in closes.attrs["notes"][0]


@pytest.mark.parametrize("ahead", ["2026-11-20 17:30", "2026-11-23 09:00", "2027-11-20 17:00"])
def test_a_clock_that_was_ahead_takes_no_partial_close_and_freezes_nothing(replica, ahead):
    then, replica.now, replica.sent_at = replica.now, new_york(ahead), new_york("2026-11-20 12:00")
    same(fetch_prices("^NDX", START), INDEX[:-1])
    replica.now, replica.sent_at = then, None
    same(fetch_prices("^NDX", START), INDEX)


def test_without_a_cache_nothing_is_kept_and_offline_asks_nobody(replica):
    fetch_prices("^NDX", START, cache=False)
    assert not replica.folder.exists()
    fetch_prices("^NDX", START)
    replica.asked.clear()
    assert fetch_prices("^NDX", START, offline=True).attrs["source"] == CACHED
    with pytest.raises(Offline, match="offline=True keeps"):
        fetch_prices("^NDX", START, offline=True, cache=False)
    assert replica.asked == []


def test_a_file_without_closes_or_a_folder_that_cannot_be_made_is_spoken_of(replica):
    replica.folder.mkdir()
    path = replica.folder / "close-%5ENDX.csv"
    whole = INDEX.rename("close").to_csv(index_label="date", date_format="%Y-%m-%d")
    holed = whole.replace(whole.splitlines(keepends=True)[-3], "")
    wrong = "", "date,close\n", "a\n1\n", "date,close\nsoon,1\n", "date,close\n2026,\0", holed
    for text in wrong:
        path.write_text(text)
        assert "left aside, it does not hold" in fetch_prices("^NDX", START).attrs["notes"][0]
        assert fetch_prices("^NDX", START).attrs["notes"] == ()
    replica.folder.rename(replica.folder.with_name("elsewhere"))
    replica.folder.write_text("a file stands in the way")
    assert "it could not be kept: " in fetch_prices("^NDX", START).attrs["notes"][-1]


def test_committed_history_stands_in_and_one_sentence_says_so(replica, caplog):
    fetch_prices("^NDX", START)
    replica.script = lambda asked: reply("no", 429) if asked.symbol else None
    closes = fetch_prices("^GSPC", "1999-01-04")
    same(closes, load_prices("^GSPC", start="1999-01-04"))
    behind = len(nyse_sessions(closes.index[-1], TODAY)) - 1
    assert caplog.messages == [
        f"^GSPC: used committed history (4 January 1999 to {yahoo.date(closes.index[-1])}, "
        f"{behind} sessions behind); Yahoo Finance asked to be left alone: wait half an hour"
    ]
    same(fetch_prices("^VIX", "2019-01-02"), load_vix()["2019-01-02":])
    source = fetch_prices(["^NDX", "^GSPC"], START).attrs["source"]
    assert source == f"^NDX: {CACHED}; ^GSPC: {COMMITTED}"
    with pytest.raises(RateLimited, match=r"left alone.*; no closes of '\^GSPC' are stored"):
        fetch_prices("^GSPC", "2026-10-01")
    replica.asked.clear()
    assert list(fetch_prices("sectors", "2025-01-02").columns) == list(SECTORS)
    assert [one.symbol for one in replica.charts()] == ["XLB"] * 2  # yfinance asks twice


def test_a_dozen_tickers_end_within_fifteen_seconds_when_nobody_answers(replica, monkeypatch):
    monkeypatch.setattr("yfinance.data._time", time)
    replica.script = lambda asked: reply(delay=99)
    began = time.monotonic()
    table = fetch_prices([*SECTORS, "^GSPC"], "2025-01-02")
    assert time.monotonic() - began < 15
    assert table.attrs["source"] == COMMITTED and "no answer in time" in table.attrs["notes"][0]


def test_two_processes_at_once_get_and_keep_the_same(replica, tmp_path):
    broken = tmp_path / "py-yfinance"  # what others left of yfinance's files
    broken.mkdir()
    (broken / "cookies.db").write_bytes(b"no database at all, " * 500)
    environment = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), replica.authority)
    environment |= dict.fromkeys(("HTTPS_PROXY", "https_proxy"), replica.url) | {"NO_PROXY": ""}
    given = {"env": os.environ | environment | {"XDG_CACHE_HOME": str(tmp_path)}}
    given |= {"stdout": -1, "stderr": -1, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", FETCH], **given) for _ in range(2)]
    said = [one.communicate(timeout=60) for one in both]
    assert said[0] == said[1] and str(INDEX.iloc[-1]) in said[0][0]
    assert said[0][1].startswith("^NDX: used Yahoo Finance (2 March 2026 to 20 November 2026, ")
    assert said[0][1].count("\n") == 1 and len(replica.charts()) == 2
    (kept,) = replica.folder.iterdir()
    same(pd.read_csv(kept, index_col=0, parse_dates=True)["close"], INDEX)


def test_bad_input_is_named():
    for given in ([], "", "A B", "ſ", "../x", None, 5, ["^GSPC", 5]):
        with pytest.raises(NoData, match="is not a ticker: write it as Yahoo Finance does"):
            fetch_prices(given, offline=True)
    for kind, says, *dates in [
        (DateError, "2025-05-02", "02/05/2025"),
        (DateError, "is not a date", None),
        (DateError, "is not an ISO date", "2025-01-02", "soon"),
        (DateError, "swap them", "2025-01-02", "2024-01-02"),
        (DateError, "outside the NYSE calendar", "1850-01-01", "1850-02-01"),
        (NoData, "no session", "2099-01-02"),
        (NoData, "no session", "2025-01-04", "2025-01-05"),
        (NoData, "no session", "1890-01-02", "1890-02-03"),
    ]:
        with pytest.raises(kind, match=says):
            fetch_prices("^GSPC", *dates, offline=True)


# -- other markets -------------------------------------------------------------------------------

#: Ticker, exchange, its zone, when its days begin there, and the moment at which we ask.
ABROAD = {
    "Frankfurt": ("SAP.DE", "XETR", "Europe/Berlin", 9, "2026-11-20 12:31"),
    "Tokyo": ("7203.T", "XTKS", "Asia/Tokyo", 9, "2026-11-20 02:31"),
    "bitcoin": ("BTC-USD", "24/7", "UTC", 0, "2026-11-20 20:01"),
}


@pytest.mark.parametrize("case", ABROAD)
def test_a_ticker_of_another_exchange_has_its_sessions_and_its_clock(replica, case):
    ticker, market, zone, opens, now = ABROAD[case]
    days = market_of(pd.DatetimeIndex(["2026-10-01"]), market).sessions
    days = days[(days >= "2026-10-01") & (days <= "2026-11-20")]
    stamps = (days + pd.Timedelta(hours=opens)).tz_localize(zone).as_unit("s").asi8.tolist()
    replica.rows[ticker] = [[stamp, 100.0 + i, 100.0 + i] for i, stamp in enumerate(stamps)]
    replica.meta[ticker] = {
        "exchangeTimezoneName": zone,
        "currency": "EUR",
        "instrumentType": "EQUITY",
    }
    replica.now = new_york(now)
    closes = fetch_prices(ticker, "2026-10-01", market=market)
    last = {"Frankfurt": "2026-11-20", "Tokyo": "2026-11-20", "bitcoin": "2026-11-20"}[case]
    assert list(closes.index) == list(days[days <= last]) and closes.attrs["source"] == LIVE
    assert closes.tolist() == [100.0 + i for i in range(len(closes))]
    replica.now = new_york(now) - pd.Timedelta(minutes=62)
    assert len(fetch_prices(ticker, "2026-10-01", market=market)) == len(closes) - 1
    with pytest.raises(BadData, match="only daily prices of US markets can be checked here, anoth"):
        fetch_prices(ticker, "2026-10-01", cache=False)


def test_a_hole_by_the_calendar_of_the_exchange_is_found(replica):
    days = market_of(pd.DatetimeIndex(["2026-03-02"]), "XETR").sessions
    days = days[(days >= "2026-03-02") & (days <= "2026-11-20")].drop("2026-05-04")
    stamps = (days + pd.Timedelta(hours=9)).tz_localize("Europe/Berlin").as_unit("s").asi8
    replica.rows["SAP.DE"] = [[int(stamp), 100.0, 100.0] for stamp in stamps]
    replica.meta["SAP.DE"] = {"exchangeTimezoneName": "Europe/Berlin", "instrumentType": "EQUITY"}
    with pytest.raises(BadData, match="lacks the close of 2026-05-04 of 'SAP"):
        fetch_prices("SAP.DE", START, market="XETR")


@pytest.mark.parametrize(
    ("market", "message"),
    [
        ("XETRA", "market='XETRA' is not an exchange"),
        (("Europe/Berlin", "17:30"), "has no calendar: name an exchange"),
        (None, "has no calendar"),
    ],
)
def test_a_market_without_a_calendar_is_refused(replica, market, message):
    with pytest.raises(DateError, match=message):
        fetch_prices("SAP.DE", market=market)


def test_the_committed_history_is_of_new_york_alone(replica):
    with pytest.raises(Offline, match="no closes of '\\^GSPC' are stored"):
        fetch_prices("^GSPC", market="XETR", offline=True, cache=False)
