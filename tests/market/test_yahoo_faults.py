"""Everything that can go wrong with Yahoo Finance ends in exact rows or in one typed error.

yfinance runs as it is, against a replica of Yahoo on the loopback. Each fault meets an empty
cache and one that was filled the evening before.
"""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replica import Asked, Replica, Reply, bars, error, stamp, yahoo_on_loopback

from impact.errors import BadData, FetchError, NoData, Offline, RateLimited, Refused
from impact.market.calendar import nyse_sessions
from impact.market.yahoo import quotes
from impact.market.yahoo.fetch import CACHED, LIVE, _fetch

START = "2026-03-02"
EVE = pd.Timestamp("2026-11-19 17:00", tz="America/New_York")
NOW = pd.Timestamp("2026-11-20 17:00", tz="America/New_York")
SESSIONS = nyse_sessions(START, "2026-11-20")
INDEX, FUND = "^NDX", "SPY"


def walk(level: float) -> pd.Series:
    steps = np.random.default_rng(1).normal(0, 0.01, len(SESSIONS))
    return pd.Series((level * np.exp(steps.cumsum())).round(2), SESSIONS)


TRUTH = {INDEX: walk(25_000.0), FUND: walk(600.0)}
#: The fund pays twice: earlier closes are adjusted down.
FACTOR = pd.Series(1.0, SESSIONS).where(SESSIONS >= "2026-09-18", 0.997)
FACTOR[SESSIONS < "2026-06-19"] *= 0.997
ADJUSTED = TRUTH[FUND] * FACTOR
DIVIDENDS = {
    day: {"amount": 1.8, "date": stamp(pd.Timestamp(day).date())}
    for day in ("2026-06-19", "2026-09-18")  # the first is a holiday: Yahoo has no bar for it
}

Script = Callable[[Replica, Asked], Reply | None]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and how it ends.

    Attributes
    ----------
    script : callable
        What the replica answers in place of the right answer.
    cold : exception class or int
        How it ends for who holds nothing: the error, or the number of last closes that lack.
    warm : int or None
        For who holds the closes of the evening before: the number of last closes that lack, or
        None when these closes are used as they are.
    says : str
        Part of the sentence.
    client : callable
        Makes the connection.
    hasty : bool
        Whether to shorten the time limits, for servers that never answer.
    """

    script: Script | None
    cold: type[FetchError] | int
    warm: int | None = None
    says: str = ""
    ticker: str = INDEX
    client: Callable[[Replica], Any] = Replica.client
    hasty: bool = False


# -- ways to go wrong ----------------------------------------------------------------------------


def answer(*args: Any, **kwargs: Any) -> Script:
    """Every request for prices gets this answer."""
    reply = Reply(*args, **kwargs)
    return lambda yahoo, asked: reply if asked.symbol else None


def once(*args: Any, **kwargs: Any) -> Script:
    """The first request for prices gets this answer, later ones the right one."""
    reply = Reply(*args, **kwargs)
    return lambda yahoo, asked: reply if asked.symbol and asked.n == 1 else None


def elsewhere(part: str, **kwargs: Any) -> Script:
    """Requests whose address holds `part` get this answer."""
    reply = Reply(**kwargs)
    return lambda yahoo, asked: reply if part in asked.host + asked.path else None


def edited(change: Callable[[dict], Any]) -> Script:
    """Answers are right but for this change of the result."""

    def script(yahoo: Replica, asked: Asked) -> Reply | None:
        if not asked.symbol:
            return None
        reply = yahoo.healthy(asked)
        change(reply.body["chart"]["result"][0])
        return reply

    return script


def cell(column: str, row: int, value: Any) -> Script:
    def change(result: dict) -> None:
        block = result["indicators"]["adjclose" if column == "adjclose" else "quote"]
        if row < len(block[0][column]):
            block[0][column][row] = value

    return edited(change)


def columns(result: dict) -> list[list]:
    quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]
    return [result["timestamp"], *quote.values(), *adjusted.values()]


def whole_row(act: Callable[[list], Any]) -> Script:
    """Do the same to each column, timestamps included."""
    return edited(lambda result: [act(column) for column in columns(result)])


def blank(*names: str, row: int) -> Script:
    def change(result: dict) -> None:
        for name in names:
            result["indicators"]["quote"][0][name][row] = None

    return edited(change)


def blank_row(row: int) -> Script:
    def change(result: dict) -> None:
        for column in columns(result)[1:]:
            column[row] = None

    return edited(change)


def blank_all(result: dict) -> None:
    for column in columns(result)[1:]:
        column[:] = [None] * len(column)


def stamps(change: Callable[[list], list]) -> Script:
    return edited(lambda result: result.update(timestamp=change(result["timestamp"])))


def fact(name: str, value: Any) -> Script:
    return edited(lambda result: result["meta"].update({name: value}))


def without(name: str) -> Script:
    return edited(lambda result: result["meta"].pop(name))


def copied(day: str, *, seconds: int = 60) -> Script:
    """A further row for `day`, so much after the opening, with another close."""

    def change(result: dict) -> None:
        new = stamp(pd.Timestamp(day).date()) + seconds
        place = sum(old < new for old in result["timestamp"])
        for column in columns(result):
            column.insert(place, column[-1])
        result["timestamp"][place] = new
        result["indicators"]["quote"][0]["close"][place] *= 1.01

    return edited(change)


def cut_json(yahoo: Replica, asked: Asked) -> Reply | None:
    return Reply(json.dumps(yahoo.healthy(asked).body)[:-40]) if asked.symbol else None


def short_body(yahoo: Replica, asked: Asked) -> Reply | None:
    return Reply(yahoo.healthy(asked).body, declared_length=10**6) if asked.symbol else None


def dripping(yahoo: Replica, asked: Asked) -> Reply | None:
    return Reply(yahoo.healthy(asked).body, drip=0.05) if asked.symbol else None


def everywhere(yahoo: Replica, asked: Asked) -> Reply:
    return Reply(stalls=True)


def in_plain_closes(result: dict) -> None:
    del result["indicators"]["adjclose"]


def empty_range(result: dict) -> None:
    del result["timestamp"]
    result["indicators"] = {"quote": [{}], "adjclose": [{}]}


def elsewhere_in_time(result: dict) -> None:
    """Stamps at midnight UTC fall on the evening before in New York."""
    result["timestamp"] = [t - t % 86_400 for t in result["timestamp"]]


def monthly(yahoo: Replica, asked: Asked) -> Reply | None:
    if not asked.symbol:
        return None
    reply = yahoo.healthy(asked)
    result = reply.body["chart"]["result"][0]
    result["meta"]["dataGranularity"] = "1mo"
    for column in columns(result):
        column[:] = column[::21]
    return reply


# -- ways not to get through ---------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def rewriting(old: str, new: str) -> Callable[[Replica], Any]:
    """A connection that asks another host."""

    def client(yahoo: Replica) -> Any:
        class Astray(type(quotes.new_client())):
            def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
                return super().request(method, url.replace(old, new), *args, **kwargs)

        return Astray(impersonate="chrome")

    return client


def through_proxy(address: str) -> Callable[[Replica], Any]:
    return lambda yahoo: quotes.new_client(proxies={"https": address})


def without_certificate(yahoo: Replica) -> Any:
    return quotes.new_client(proxies={"https": yahoo.proxy_url})


def rejecting_proxy(yahoo: Replica) -> Any:
    yahoo.tunnel = "407 Proxy Authentication Required"
    return yahoo.client()


HTML = "<html><body>Please log in to this network</body></html>"
CRUMB = error("Unauthorized", "Invalid Crumb", root="finance")
UNKNOWN = error("Not Found", "No data found, symbol may be delisted")
BROKEN = error("Internal Server Error", "the data are away for a while")

FAULTS = {
    # No way to Yahoo.
    "the name is not known": Fault(
        None,
        Offline,
        says="its name is not known here",
        client=rewriting("yahoo.com", "yahoo.invalid"),
    ),
    "the connection is refused": Fault(
        None,
        Offline,
        says="connection refused",
        client=lambda yahoo: rewriting("query2.finance.yahoo.com", f"127.0.0.1:{closed_port()}")(
            yahoo
        ),
    ),
    "the proxy is not there": Fault(
        None, Offline, says="the proxy", client=through_proxy(f"http://127.0.0.1:{closed_port()}")
    ),
    "the proxy's name is not known": Fault(
        None, Offline, says="the proxy", client=through_proxy("http://proxy.invalid:3128")
    ),
    "the proxy wants a password": Fault(None, Offline, says="the proxy", client=rejecting_proxy),
    "the certificate is unknown": Fault(
        None, Offline, says="REQUESTS_CA_BUNDLE", client=without_certificate
    ),
    "nobody answers": Fault(everywhere, Offline, says="no answer in time", hasty=True),
    "the cookie host stalls": Fault(elsewhere("fc.yahoo", stalls=True), 0, 0, hasty=True),
    "the crumb host stalls": Fault(elsewhere("getcrumb", stalls=True), 0, 0, hasty=True),
    "the prices stall": Fault(answer(stalls=True), Offline, says="no answer in time", hasty=True),
    "the prices drip": Fault(dripping, Offline, says="no answer in time", hasty=True),
    "the connection is cut": Fault(answer(cut=True), Offline, says="the connection was cut"),
    "the connection is cut once": Fault(once(cut=True), 0, 0),
    "the body is short": Fault(short_body, Offline, says="the connection was cut"),
    # Yahoo does not want to.
    "429 for ever": Fault(answer("Too Many Requests", 429), RateLimited, says="wait until 17:30"),
    "429 once": Fault(once("Too Many Requests", 429), 0, 0),
    "429 on the crumb": Fault(elsewhere("getcrumb", body="Too Many Requests", status=429), 0, 0),
    "401 once": Fault(once(CRUMB, 401), 0, 0),
    "401 for ever": Fault(answer(CRUMB, 401), Refused, says="without prices"),
    "404 with a reason": Fault(answer(UNKNOWN, 404), NoData, says="No data found"),
    "404 with HTML": Fault(answer(HTML, 404), Refused),
    "403 with HTML": Fault(answer(HTML, 403), Refused),
    "500 with HTML": Fault(answer(HTML, 500), Refused),
    "500 with HTML once": Fault(once(HTML, 500), 0, 0),
    "503 with HTML": Fault(answer(HTML, 503), Refused),
    "999 with HTML": Fault(answer(HTML, 999), Refused),
    "500 with a reason": Fault(answer(BROKEN, 500), NoData, says="the data are away"),
    "500 without a body": Fault(answer("", 500), Refused),
    "200 with HTML, a captive portal": Fault(answer(HTML), Refused, says="login page"),
    "200 with HTML once": Fault(once(HTML), 0, 0),
    "a page that asks for consent": Fault(
        answer("", 302, headers=(("Location", "https://consent.yahoo.com/v2/x"),)), Refused
    ),
    "will be right back": Fault(answer("Will be right back..."), Refused),
    "a certificate file that is not there": Fault(
        None,
        Offline,
        says="REQUESTS_CA_BUNDLE",
        client=lambda yahoo: quotes.new_client(
            verify="no-such-file.pem", proxies={"https": yahoo.proxy_url}
        ),
    ),
    # JSON that holds no prices.
    "an empty body": Fault(answer(""), Refused),
    "cut JSON": Fault(cut_json, Refused),
    "null": Fault(answer("null"), Refused, says="without prices"),
    "an empty list": Fault(answer([]), Refused, says="without prices"),
    "an empty object": Fault(answer({}), Refused, says="without prices"),
    "chart is null": Fault(answer({"chart": None}), Refused, says="without prices"),
    "result is null": Fault(answer({"chart": {"result": None, "error": None}}), Refused),
    "result is empty": Fault(answer({"chart": {"result": [], "error": None}}), Refused),
    "the quotes are empty": Fault(edited(empty_range), Refused, says="without prices"),
    # JSON of another shape.
    "no timestamps": Fault(edited(lambda result: result.pop("timestamp")), Refused, says="shape"),
    "no volumes": Fault(
        edited(lambda result: result["indicators"]["quote"][0].pop("volume")), Refused, says="shape"
    ),
    "no closes": Fault(
        edited(lambda result: result["indicators"]["quote"][0].pop("close")), Refused, says="shape"
    ),
    "adjusted closes without their key": Fault(
        edited(lambda result: result["indicators"].update(adjclose=[{}])), Refused, says="shape"
    ),
    "columns of unequal length": Fault(
        edited(lambda result: result["indicators"]["quote"][0]["close"].pop()),
        Refused,
        says="shape",
    ),
    "no time zone": Fault(without("exchangeTimezoneName"), Refused, says="shape"),
    "no currency": Fault(without("currency"), Refused, says="shape"),
    "no type": Fault(without("instrumentType"), Refused, says="shape"),
    "a time zone that does not exist": Fault(
        fact("exchangeTimezoneName", "Mars/Olympus"), Refused, says="shape"
    ),
    "stamps in milliseconds": Fault(
        stamps(lambda stamps: [1000 * t for t in stamps]), Refused, says="shape"
    ),
    "a close that is an object": Fault(cell("close", -3, {"raw": 1}), Refused, says="shape"),
    "a close that is a word": Fault(cell("close", -3, "n/a"), Refused, says="shape"),
    # Rows that lack.
    "null as last close": Fault(cell("close", -1, None), 1, 1),
    "null close some days ago": Fault(cell("close", -3, None), 3, 0),
    "null as last open, high, low and close": Fault(
        blank("open", "high", "low", "close", row=-1), 1, 1
    ),
    "null open, high, low and close some days ago": Fault(
        blank("open", "high", "low", "close", row=-3), 3, 0
    ),
    "null all over the last row": Fault(blank_row(-1), 1, 1),
    "null all over a row some days ago": Fault(blank_row(-3), 3, 0),
    "the last session is absent": Fault(whole_row(lambda column: column.pop()), 1, 1),
    "a session some days ago is absent": Fault(whole_row(lambda column: column.pop(-3)), 3, 0),
    "null close half a year ago": Fault(cell("close", 20, None), BadData, 0, says="ask for"),
    "nothing but null": Fault(edited(blank_all), BadData, says="without a single price"),
    "null volume": Fault(cell("volume", -3, None), 0, 0),
    "null as last adjusted close": Fault(cell("adjclose", -1, None), 1, 1, ticker=FUND),
    "null adjusted close some days ago": Fault(cell("adjclose", -3, None), 3, 0, ticker=FUND),
    # Rows too many, or out of place.
    "a second row for the last day": Fault(copied("2026-11-20", seconds=-60), 0, 0),
    "a second row inside": Fault(copied("2026-11-18"), 0, 0),
    "unordered rows": Fault(whole_row(lambda column: column.reverse()), 0, 0),
    "a Saturday row": Fault(copied("2026-11-14"), BadData, says="2026-11-14"),
    "a row on a holiday": Fault(copied("2026-09-07"), BadData, 0, says="2026-09-07"),
    "two rows after the end": Fault(
        whole_row(lambda column: column.extend([column[-1], column[-1]])), 0, 0
    ),
    "a row before the start": Fault(copied("2026-02-27"), 0, 0),
    "null timestamp": Fault(
        stamps(lambda stamps: [*stamps[:-3], None, *stamps[-2:]]), BadData, says="date"
    ),
    "stamps at midnight UTC": Fault(edited(elsewhere_in_time), BadData, says="without trading"),
    "dividend on a day without a bar": Fault(
        edited(lambda result: result.update(events={"dividends": DIVIDENDS})), 0, 0, ticker=FUND
    ),
    # Values that cannot be.
    "negative close": Fault(cell("close", -3, -24_000.0), BadData, says="-24000.0"),
    "zero close": Fault(cell("close", -3, 0.0), BadData, says="sent 0.0"),
    "infinite close": Fault(cell("close", -3, float("inf")), BadData, says="sent inf"),
    "NaN close": Fault(cell("close", -3, float("nan")), 3, 0),
    "close a hundred times too large": Fault(cell("close", -3, 2.5e6), BadData, says="jump"),
    "close a hundred times too small": Fault(cell("close", -3, 250.0), BadData, says="jump"),
    "a number in quotation marks": Fault(cell("close", -1, str(TRUTH[INDEX]["2026-11-20"])), 0, 0),
    "an infinite adjusted close": Fault(
        cell("adjclose", -3, float("inf")), BadData, says="sent inf", ticker=FUND
    ),
    # An answer to another question.
    "another symbol": Fault(fact("symbol", "AAPL"), BadData, says="'AAPL'"),
    "another granularity": Fault(monthly, BadData, says="'1mo'"),
    "another time zone": Fault(
        fact("exchangeTimezoneName", "Asia/Tokyo"), BadData, says="'Asia/Tokyo'"
    ),
    "another currency": Fault(fact("currency", "JPY"), BadData, says="'JPY'"),
    "no adjusted closes, of an index": Fault(edited(in_plain_closes), 0, 0),
    "no adjusted closes, of a fund": Fault(
        edited(in_plain_closes), BadData, says="adjusted", ticker=FUND
    ),
}


# -- the test ------------------------------------------------------------------------------------


@pytest.fixture
def yahoo(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path / "filled"))
    with yahoo_on_loopback(tmp_path / "yahoo") as replica:
        replica.rows[INDEX] = bars(TRUTH[INDEX])
        replica.rows[FUND] = bars(TRUTH[FUND], ADJUSTED)
        replica.meta[FUND] = {"instrumentType": "ETF"}
        yield replica


def truth(ticker: str, lacking: int = 0) -> pd.Series:
    closes = TRUTH[INDEX] if ticker == INDEX else ADJUSTED
    return closes[: len(closes) - lacking]


def same(found: pd.Series, expected: pd.Series) -> None:
    pd.testing.assert_series_equal(
        found, expected, check_names=False, check_freq=False, rtol=1e-12, check_index_type=False
    )


def content(folder) -> dict[str, bytes]:
    names = (path for path in folder.iterdir() if path.suffix in (".json", ".csv", ".tmp"))
    return {path.name: path.read_bytes() for path in names if path.name != "cool-down.json"}


def break_it(yahoo: Replica, fault: Fault, monkeypatch) -> None:
    if fault.hasty:
        for name, seconds in (("COOKIE", 0.3), ("CONNECT", 0.5), ("ANSWER", 0.5), ("ATTEMPT", 2.0)):
            monkeypatch.setattr(quotes, f"{name}_SECONDS", seconds)
    yahoo.asked.clear()
    if fault.script is not None:
        yahoo.script = lambda asked: fault.script(yahoo, asked)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_without_a_cache(name, yahoo, tmp_path, monkeypatch):
    fault = FAULTS[name]
    break_it(yahoo, fault, monkeypatch)
    began = time.monotonic()
    arguments = {"now": NOW, "client": fault.client(yahoo)}
    if isinstance(fault.cold, int):
        closes = _fetch(fault.ticker, START, None, **arguments)
        same(closes, truth(fault.ticker, fault.cold))
        assert closes.attrs["source"] == LIVE
        assert closes.attrs["sessions_behind"] == fault.cold
        assert bool(closes.attrs["notes"]) == bool(fault.cold)
    else:
        with pytest.raises(fault.cold) as caught:
            _fetch(fault.ticker, START, None, **arguments)
        assert type(caught.value) is fault.cold
        sentence(str(caught.value), fault.says)
        assert content(tmp_path / "filled") == {}
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("name", FAULTS)
def test_fault_with_a_cache(name, yahoo, tmp_path, monkeypatch, caplog):
    fault = FAULTS[name]
    before = _fetch(fault.ticker, START, None, now=EVE, client=yahoo.client())
    assert before.attrs["source"] == LIVE
    kept = content(tmp_path / "filled")
    break_it(yahoo, fault, monkeypatch)
    began = time.monotonic()
    closes = _fetch(fault.ticker, START, None, now=NOW, client=fault.client(yahoo))
    assert time.monotonic() - began < 15
    if fault.warm is None:
        same(closes, truth(fault.ticker, 1))
        assert closes.attrs["source"] == CACHED
        assert closes.attrs["sessions_behind"] == 1
        assert content(tmp_path / "filled") == kept
        sentence(caplog.messages[-1], fault.says)
    else:
        same(closes, truth(fault.ticker, fault.warm))
        assert closes.attrs["source"] == LIVE
        # What was kept is what was given, and is read again without a question.
        yahoo.asked.clear()
        same(_fetch(fault.ticker, START, None, now=NOW), closes)
        assert yahoo.asked == []


def sentence(text: str, part: str) -> None:
    """One line for people: what happened and what to do, not what yfinance made of it."""
    assert part in text
    assert "\n" not in text and not text.endswith(".")
    assert "delisted; " not in text and "$" not in text
    assert ": " in text
