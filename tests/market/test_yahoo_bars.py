"""fetch_bars: exact bars by their end, or one error of ours; against a replica on the loopback."""

import logging

import numpy as np
import pandas as pd
import pytest
from replica import SESSIONS, TODAY, reply, yahoo_on_loopback

import impact
from impact.errors import BadData, BarsError, NoData, Offline, RateLimited, Refused
from impact.market.yahoo_bars import fetch_bars

DAYS = SESSIONS[SESSIONS <= TODAY][-45:]
CLOCK = pd.timedelta_range("4h", "19h55min", freq="5min")
ENDS = (DAYS.to_numpy()[:, None] + CLOCK.to_numpy() + np.timedelta64(5, "m")).ravel()
STEPS = np.random.default_rng(0).normal(0, 0.0004, len(ENDS))
BARS = pd.Series(
    (700 * np.exp(STEPS.cumsum())).round(2),
    pd.DatetimeIndex(ENDS, name="time").tz_localize("America/New_York").as_unit("us"),
    name="SPY",
)
FIRST = pd.Timestamp(f"{TODAY} 17:00", tz="America/New_York") - pd.Timedelta(days=59)


def rows(bars):
    """Rows as Yahoo sends them: stamps are starts of bars, in seconds."""
    starts = (bars.index - pd.Timedelta(minutes=5)).tz_convert("UTC").as_unit("s").asi8
    return [[int(at), price, price] for at, price in zip(starts, bars, strict=True)]


def start_of(text):
    return int(pd.Timestamp(text, tz="America/New_York").timestamp())


@pytest.fixture
def replica(tmp_path):
    with yahoo_on_loopback(tmp_path) as replica:
        replica.rows["SPY"] = rows(BARS)
        replica.meta["SPY"] = {"instrumentType": "ETF", "dataGranularity": "5m"}
        yield replica


def whole(until):
    """What should come: whole sessions since the day after the one that was asked for."""
    day = BARS.index.tz_localize(None).normalize()
    until = pd.Timestamp(until, tz="America/New_York")
    return BARS[(day > FIRST.tz_localize(None).normalize()) & (until >= BARS.index)]


def test_bars_stand_at_their_end_and_say_where_they_are_from(replica, caplog):
    caplog.set_level(logging.INFO)
    bars = fetch_bars("spy")
    expected = whole(f"{TODAY} 17:00")
    assert bars.index.equals(expected.index) and bars.tolist() == expected.tolist()
    assert f"{bars.index[0]:%H:%M}" == "04:05" and str(bars.index.tz) == "America/New_York"
    assert bars.attrs["source"] == "Yahoo Finance" and bars.attrs["security"] == "SPY"
    assert len(bars.attrs["hash"]) == 12 and bars.attrs["notes"] == ()
    assert caplog.messages == ["SPY: used Yahoo Finance (23 September 2026 to 20 November 2026)"]
    (asked,) = replica.charts()
    assert start_of(TODAY) - 59 * 86_400 < asked.first < start_of(TODAY) - 58 * 86_400


@pytest.mark.parametrize(
    ("now", "last"), [("16:00", "16:00"), ("16:02", "16:00"), ("20:30", "20:00")]
)
def test_the_bar_that_is_not_finished_does_not_come(replica, now, last):
    replica.now = pd.Timestamp(f"{TODAY} {now}", tz="America/New_York")
    assert f"{fetch_bars('SPY').index[-1]:%H:%M}" == last


def test_the_session_that_is_trading_comes_once_it_is_over(replica, caplog):
    replica.now = pd.Timestamp(f"{TODAY} 12:01", tz="America/New_York")
    bars = fetch_bars("SPY")
    assert bars.tolist() == whole("2026-11-19 20:00").tolist()
    assert bars.attrs["notes"] == (f"the session of {TODAY} is not over",)
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.parametrize("stamp", [f"{TODAY} 16:51:07", f"{TODAY} 16:54:59"])
def test_the_price_of_this_moment_is_no_bar(replica, stamp):
    replica.edit_rows = lambda sent: sent.__setitem__(
        slice(None),
        [row for row in sent if row[0] < start_of(stamp)] + [[start_of(stamp), 1.0, 1.0]],
    )
    replica.now = pd.Timestamp(f"{TODAY} 18:00", tz="America/New_York")
    bars = fetch_bars("SPY")
    assert f"{bars.index[-1]:%H:%M}" == "16:55" and bars.min() > 500


def test_the_price_at_the_end_of_trading_is_no_bar(replica):
    end = start_of(f"{TODAY} 20:00")
    replica.edit_rows = lambda sent: sent.append([end, 1.0, 1.0])
    replica.now = pd.Timestamp(f"{TODAY} 21:00", tz="America/New_York")
    assert fetch_bars("SPY").tolist() == whole(f"{TODAY} 20:00").tolist()


def test_a_session_that_lacks_a_regular_bar_is_left_out_and_named(replica):
    hole = start_of("2026-11-11 10:35")
    for empty in ([hole, None, None], None):
        replica.edit_rows = lambda sent, empty=empty: sent.__setitem__(
            slice(None),
            [empty if row[0] == hole else row for row in sent if empty or row[0] != hole],
        )
        bars = fetch_bars("SPY")
        assert bars.attrs["notes"] == (
            "2026-11-11 is left out, it lacks regular bars (191 bars came)",
        )
        assert "2026-11-11" not in set(bars.index.strftime("%Y-%m-%d"))


def test_a_bar_without_a_trade_outside_regular_hours_is_no_fault(replica):
    quiet = {start_of("2026-11-11 05:10"), start_of("2026-11-11 18:20")}
    replica.edit_rows = lambda sent: sent.__setitem__(
        slice(None), [row for row in sent if row[0] not in quiet]
    )
    bars = fetch_bars("SPY")
    assert len(bars) == len(whole(f"{TODAY} 17:00")) - 2 and bars.attrs["notes"] == ()


def _edited(change):
    return {"edit_rows": change}


def _meta(**facts):
    return {"edit_result": lambda result: result["meta"].update(facts)}


def _every(price):
    return _edited(lambda sent: [row.__setitem__(1, price) for row in sent])


FAULTS = {
    "daily prices": (_meta(dataGranularity="1d"), BadData, "only five-minute prices"),
    "another symbol": (_meta(symbol="QQQ"), BadData, "answered for 'SPY' with .*QQQ"),
    "another currency": (_meta(currency="EUR"), BadData, "'EUR'"),
    "another zone": (_meta(exchangeTimezoneName="Asia/Tokyo"), BadData, "Asia/Tokyo"),
    "a bar twice": (
        _edited(lambda sent: sent.insert(400, [sent[400][0], 701.0, 701.0])),
        BadData,
        "stands twice",
    ),
    "another length": (
        _edited(lambda sent: sent.insert(400, [sent[400][0] + 60, 7e2, 7e2])),
        BadData,
        "does not end five",
    ),
    "a bar of the night": (
        _edited(lambda sent: sent.insert(400, [start_of("2026-11-11 02:00"), 7e2, 7e2])),
        BadData,
        "outside 04:05 to 20:00",
    ),
    "a bar of a Sunday": (
        _edited(lambda sent: sent.insert(400, [start_of("2026-11-15 12:00"), 7e2, 7e2])),
        BadData,
        "a Sunday, is not a session",
    ),
    "milliseconds": (
        _edited(lambda sent: [row.__setitem__(0, 1000 * row[0]) for row in sent]),
        BadData,
        "a time that cannot be",
    ),
    "negative prices": (_every(-5.0), BadData, "not a positive number"),
    "a wild price": (_edited(lambda sent: sent[900].__setitem__(1, 70.0)), BadData, "follows"),
    "no price": (_every(None), BadData, "no finished bar"),
    "no rows": (_edited(lambda sent: sent.clear()), BadData, "no finished bar"),
    "regular bars lacking everywhere": (
        _edited(
            lambda sent: sent.__setitem__(slice(None), [r for r in sent if r[0] % 86_400 != 55_800])
        ),
        BadData,
        "lacks regular bars of 'SPY' in every session",
    ),
    "a shape of its own": (
        {"edit_result": lambda result: result.pop("indicators")},
        Refused,
        "something other than prices",
    ),
    "429": (
        {"script": lambda asked: reply("no", 429) if asked.symbol else None},
        RateLimited,
        "half an hour",
    ),
    "500": (
        {"script": lambda asked: reply("no", 500) if asked.symbol else None},
        Refused,
        "error 500",
    ),
    "cut": (
        {"script": lambda asked: reply(cut=True) if asked.symbol else None},
        Offline,
        "connection was cut",
    ),
    "unknown": (
        {
            "script": lambda asked: (
                reply({"chart": {"result": None, "error": {"description": "No data found"}}}, 404)
                if asked.symbol
                else None
            )
        },
        NoData,
        "it says: No data found",
    ),
}


@pytest.mark.parametrize(("fault", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_every_fault_is_one_error_of_ours(replica, fault, error, message):
    for name, change in fault.items():
        setattr(replica, name, change)
    with pytest.raises(error, match=message):
        fetch_bars("SPY")


@pytest.mark.parametrize("ticker", ["sectors", ["SPY", "QQQ"], "", "S&P 500", None])
def test_one_ticker_is_asked_for(replica, ticker):
    with pytest.raises(NoData, match="not a ticker"):
        fetch_bars(ticker)
    assert replica.asked == []


def test_another_interval_is_refused_before_anybody_is_asked(replica):
    with pytest.raises(BarsError, match="interval='1m'"):
        fetch_bars("SPY", "1m")
    assert replica.asked == []


def test_behind_the_committed_bars_they_are_studied(replica):
    both = pd.concat([impact.load_bars(), fetch_bars("SPY")])
    study = impact.intraday_study(both, {"x": "2026-11-12T11:00", "gap": "2026-07-01T11:00"})
    row = study.table.loc["x"]
    assert np.isfinite(row["p_value"]) and row["note"] == "macro releases of this day are not known"
    assert study.dropped["reason"].to_list() == ["no bars of the session 2026-04-22"]
