"""Live prices beside those that are held: which ones are joined, kept, or given up for others."""

import numpy as np
import pandas as pd
import pytest
from replica import Reply, bars, yahoo_on_loopback

from impact.errors import NoData
from impact.market.calendar import nyse_sessions
from impact.market.prices import SECTORS, load_prices
from impact.market.yahoo.cache import record_path
from impact.market.yahoo.fetch import COMMITTED, LIVE, _fetch

START = "2026-06-01"
SESSIONS = nyse_sessions(START, "2026-11-25")
CLOSES = pd.Series(6000 + 40 * np.sin(np.arange(len(SESSIONS))), SESSIONS).round(2)
TODAY = pd.Timestamp("2026-11-24")
EVENING = pd.Timestamp("2026-11-24 18:00", tz="America/New_York")
TOMORROW = EVENING + pd.Timedelta(days=1)
DAMAGED = Reply("<html>", 503, "text/html")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def yahoo(tmp_path, folder):
    with yahoo_on_loopback(tmp_path / "replica") as replica:
        replica.rows["^IDX"] = bars(CLOSES)
        replica.rows["SPY"] = bars(CLOSES / 10, 0.99 * CLOSES / 10)
        replica.meta["SPY"] = {"instrumentType": "ETF"}
        yield replica


@pytest.fixture
def fetch(yahoo):
    client = yahoo.client()

    def fetch(tickers="^IDX", start=START, end=None, *, now=EVENING, **options):
        return _fetch(tickers, start, end, now=now, client=client, **options)

    yield fetch
    client.close()


def same(found, expected):
    pd.testing.assert_series_equal(found, expected, check_names=False, check_freq=False)


def committed(yahoo, *, until="2026-11-25"):
    """Make the replica publish the committed index and a made-up path after it."""
    closes = load_prices()
    days = nyse_sessions(closes.index[-1], until)[1:]
    path = closes.iloc[-1] * np.exp(0.01 * np.sin(np.arange(len(days))))
    closes = pd.concat([closes, pd.Series(path, days).round(2)])
    yahoo.rows["^GSPC"] = bars(closes)
    return closes


def test_what_begins_after_the_committed_history_comes_live(yahoo, fetch):
    closes = committed(yahoo)
    prices = fetch("^GSPC", "2026-10-01")
    same(prices, closes["2026-10-01":TODAY])
    assert prices.attrs["source"] == LIVE


def test_a_session_that_yahoo_lost_comes_from_the_committed_history(yahoo, fetch):
    closes = committed(yahoo)
    yahoo.rows["^GSPC"] = bars(closes.drop(pd.Timestamp("2020-03-16")))
    prices = fetch("^GSPC", "2018-01-02")
    same(prices, closes["2018-01-02":TODAY])
    assert "lacks the close of 2020-03-16, taken from" in prices.attrs["notes"][0]


def test_closes_that_contradict_the_committed_history_are_not_taken(yahoo, fetch):
    closes = committed(yahoo)
    closes["2020-03-16"] *= 1.002
    yahoo.rows["^GSPC"] = bars(closes)
    prices = fetch("^GSPC", "2018-01-02")
    same(prices, load_prices(start="2018-01-02"))
    assert "restated 1 close of '^GSPC', the first on 2020-03-16" in prices.attrs["notes"][0]
    assert "make data" in prices.attrs["notes"][0]


def test_committed_history_reaches_back_further_than_a_short_cache(yahoo, fetch):
    committed(yahoo)
    fetch("^GSPC", "2026-10-01")
    yahoo.script = lambda asked: DAMAGED
    prices = fetch("^GSPC", "2020-01-02", now=TOMORROW)
    same(prices, load_prices(start="2020-01-02"))
    assert prices.attrs["source"] == COMMITTED


def test_deleting_the_file_that_was_named_takes_the_new_closes(yahoo, fetch, folder):
    fetch()
    yahoo.rows["^IDX"] = bars(1.01 * CLOSES)
    note = fetch(now=TOMORROW).attrs["notes"][0]
    path = record_path(folder, "^IDX")
    assert note.endswith(f"to take the new ones, delete {path}")
    path.unlink()
    same(fetch(now=TOMORROW), 1.01 * CLOSES)


def test_the_cache_never_shrinks(yahoo, fetch):
    fetch("SPY")
    yahoo.rows["SPY"] = yahoo.rows["SPY"][-1:]
    same(fetch("SPY", now=TOMORROW), 0.99 * CLOSES[:TODAY] / 10)
    yahoo.rows["SPY"] = bars(CLOSES / 10, 0.99 * CLOSES / 10)[-5:]
    same(fetch("SPY", now=TOMORROW), 0.99 * CLOSES / 10)


def test_dates_before_a_ticker_began_are_named(yahoo, fetch):
    yahoo.rows["^IDX"] = bars(CLOSES["2026-10-01":])
    with pytest.raises(NoData, match="has '\\^IDX' from 2026-10-01 to"):
        fetch(end="2026-07-01")


def test_sectors_are_the_eleven_funds(yahoo, fetch):
    for fund in SECTORS:
        yahoo.rows[fund], yahoo.meta[fund] = yahoo.rows["SPY"], yahoo.meta["SPY"]
    assert tuple(fetch("sectors").columns) == SECTORS
