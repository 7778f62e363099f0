"""Everything that can go wrong with Yahoo Finance ends in exact rows or in one error of ours.

yfinance and curl run as they are, against a replica of Yahoo on the loopback. Each fault meets
somebody who has nothing in reserve, then somebody who holds the closes of the evening before.
"""

import json
import re
import socket
import time
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from curl_cffi import requests
from replica import FUND, INDEX, START, TODAY, bars, reply, same, stamps, yahoo_on_loopback

from impact.errors import BadData, NoData, Offline, RateLimited, Refused
from impact.market import yahoo
from impact.text.files import write_atomically

# -- ways to go wrong: what to change about the replica ------------------------------------------


def sent(*content, part="/chart/", times=10**6, **options):
    """Requests to an address like `part` get this answer, the first few or all of them."""
    answer = reply(*content, **options)

    def script(asked):
        return answer if re.search(part, asked.host + asked.path) and asked.n <= times else None

    return {"script": script}


#: Right but for what this does to the rows: lists of stamp, close, adjusted close.
rows = lambda change: {"edit_rows": change}
meta = lambda fact, odd: {"edit_result": lambda result: result["meta"].update({fact: odd})}


def value(row, value, columns=slice(1, 3)):
    """Another value in place of the closes of a row."""
    return rows(lambda rows: rows[row].__setitem__(columns, [value] * len(rows[row][columns])))


def stamped(change, copies=1):
    return rows(lambda rows: rows.__setitem__(ALL, [[change(t), *c] for t, *c in copies * rows]))


def copied(day, seconds=60, factor=1.2):
    """A further row for `day`, so much after the opening, with another close."""

    def change(rows):
        (new,) = stamps([pd.Timestamp(day) + pd.Timedelta(seconds=seconds)])
        place = sum(row[0] < new for row in rows)
        _, *closes = rows[max(place - (seconds > 0), 0)]
        rows.insert(place, [new, *(factor * close for close in closes)])

    return rows(change)


def without(*path):
    def change(result):
        for key in path[:-1]:
            result = result[key]
        del result[path[-1]]

    return {"edit_result": change}


def failing(code):
    """Curl fails with this number before anything is sent."""
    error = requests.exceptions.ConnectionError("as curl says it", code)
    client = mock.Mock(yahoo=mock.Mock(get=mock.Mock(side_effect=error)))
    return {"client": lambda give_up_at: client}


with socket.create_server(("127.0.0.1", 0)) as server:
    CLOSED = "127.0.0.1:{1}".format(*server.getsockname())
CUT, LATER = '{"chart": {"result": [{"meta": {"currency": "USD", "sym', "Will be right back..."
HTML, LIMIT, CONSENT = "<html>log in</html>", "Too Many Requests", "https://guce.yahoo.com/x"
EVENTS = {"dividends": {"1": {"amount": 1.8, "date": stamps(["2026-06-19"])[0]}}}
DIVIDEND = {"edit_result": lambda result: result.update(events=EVENTS)}
CRUMB = {"finance": {"result": None, "error": {"description": "Invalid Crumb"}}}
REASON = {"chart": {"result": None, "error": {"description": "No data\nfound"}}}
OTHER, LATE, TIME = "something other than prices", "no answer in time", "a time that cannot be"
NO_PRICE = BadData, "without a single price"
ALL, QUOTE, PAID = slice(None), ("indicators", "quote", 0), ("indicators", "adjclose", 0)

#: How it ends: the error and a part of its sentence, or how many of the last closes lack.
FAULTS = {
    # No way to Yahoo.
    "the name is not known": (failing(6), Offline, "its name is not known here"),
    "the connection is refused": (failing(7), Offline, "connection refused"),
    "no proxy": ({"options": {"proxies": {"https": CLOSED}}}, Offline, "the proxy did"),
    "an unknown proxy": ({"options": {"proxies": {"https": "x.invalid"}}}, Offline, "the proxy"),
    "the proxy wants a password": ({"tunnel": 407}, Offline, "correct HTTPS_PROXY"),
    "an unknown certificate": ({"options": {"verify": True}}, Offline, "set REQUESTS_CA_BUNDLE"),
    "no certificate file": ({"options": {"verify": "no"}}, Offline, "path in REQUESTS_CA_BUNDLE"),
    "nobody answers": (sent(part="", delay=99), Offline, LATE),
    "the cookie host stalls": (sent(part="fc.yahoo", delay=99), 0),
    "the crumb host stalls": (sent(part="crumb", delay=99), 0),
    "the prices stall": (sent(delay=99), Offline, LATE),
    "the prices drip": (sent(" " * 9_999, drip=0.05), Offline, LATE),
    "the connection is cut": (sent(cut=True), Offline, "the connection was cut"),
    "the connection is cut once": (sent(cut=True, times=1), 0),
    "the body is short": (sent(HTML, length=10**6), Offline, "the connection was cut"),
    # Yahoo does not want to.
    "429 for ever": (sent(LIMIT, 429), RateLimited, "wait half an hour"),
    "429 once": (sent(LIMIT, 429, times=1), 0),
    "429 on the crumb": (sent(LIMIT, 429, part="crumb"), 0),
    "401 once": (sent(CRUMB, 401, times=1), 0),
    "401 for ever": (sent(CRUMB, 401), Refused, "out of order (error 401)"),
    "404 with a reason": (sent(REASON, 404), NoData, "it says: No data found"),
    "500 with a reason": (sent(REASON, 500), Refused, "out of order (error 500)"),
    "500 without a body": (sent("", 500), Refused, "out of order (error 500)"),
    "500 with HTML once": (sent(HTML, 500, times=1), 0),
    "500 that is slow": (sent(HTML, 500, delay=0.5), Refused, "out of order (error 500)"),
    "a page that asks for consent": (sent("", 302, (("Location", CONSENT),)), Refused, OTHER),
    "consent in broken markup": (sent("<html><![x[", part="fc|crumb|guce"), 0),
    # Rows that lack.
    "null as last close": (value(-1, None), 1),
    "null close some days ago": (value(-3, None), 3),
    "NaN close some days ago": (value(-3, float("nan")), 3),
    "the last session is absent": (rows(lambda rows: rows.pop()), 1),
    "a session some days ago is absent": (rows(lambda rows: rows.pop(-3)), 3),
    "null close half a year ago": (value(20, None), BadData, "ask for what lies after 2026-03-30"),
    "nothing but null": (rows(lambda rows: [row.__setitem__(1, None) for row in rows]), *NO_PRICE),
    "no rows": (rows(lambda rows: rows.clear()), *NO_PRICE),
    # Rows too many, or out of place.
    "another row before the last": (copied(TODAY, -60), BadData, "for one day"),
    "another row after the last": (copied(TODAY, 9000), BadData, "for one day"),
    "another row before one inside": (copied("2026-11-18", -60), BadData, "for one day"),
    "another row after one inside": (copied("2026-11-18"), BadData, "for one day"),
    "the same row twice": (copied("2026-11-18", factor=1.0), 0),
    "unordered rows": (rows(lambda rows: rows.reverse()), 0),
    "a Saturday row": (copied("2026-11-14"), BadData, "2026-11-14, a day without trading"),
    "a row on a holiday": (copied("2026-09-07"), BadData, "2026-09-07, a day without trading"),
    "a row after the last session": (copied("2026-11-23"), 0),
    "a row before the start": (copied("2026-02-27"), 0),
    "null timestamp": (value(-3, None, slice(1)), BadData, TIME),
    "stamps at midnight UTC": (stamped(lambda t: t - t % 86_400), BadData, TIME),
    "stamps in milliseconds": (stamped(lambda t: 1000 * t, copies=200), BadData, TIME),
    "dividend on a day without a bar": (DIVIDEND, 0),
    # Values that cannot be.
    "negative close": (value(-3, -24_000.0), BadData, "sent -24000.0 as close"),
    "zero close": (value(-3, 0.0), BadData, "sent 0.0 as close"),
    "infinite close": (value(-3, float("inf")), BadData, "sent inf as close"),
    "a close a hundred times too large": (value(-3, 6e5), BadData, "that jump"),
    "a close a hundred times too small": (value(-3, 6.0), BadData, "that jump"),
    "a close that is an object": (value(-3, {"raw": 1}), Refused, OTHER),
    "a close that is a list": (value(-3, [1.0]), Refused, OTHER),
    "a close that is a word": (value(-3, "n/a"), Refused, OTHER),
    "a number in quotation marks": (value(-1, str(INDEX.iloc[-1])), 0),
    # JSON of another shape.
    "columns of unequal length": (without(*QUOTE, "close", -1), Refused, OTHER),
    "empty quotes": ({"edit_result": lambda result: result.update(indicators={})}, Refused, OTHER),
    "no adjusted closes": (without("indicators", "adjclose"), 0),
    "adjusted closes without a key": (without(*PAID, "adjclose"), 0),
    # A fund.
    "SPY: null as last adjusted close": (value(-1, None, slice(2, 3)), 1),
    "SPY: null adjusted close inside": (value(-3, None, slice(2, 3)), 3),
    "SPY: infinite adjusted close": (value(-3, np.inf, slice(2, 3)), BadData, "sent inf as close"),
    "SPY: no adjusted closes": (without("indicators", "adjclose"), Refused, OTHER),
    "SPY: adjusted closes without a key": (without(*PAID, "adjclose"), Refused, OTHER),
}
for status in (403, 404, 500, 503, 999):
    FAULTS[f"{status} with HTML"] = (sent(HTML, status), Refused, f"out of order (error {status})")
for text in (HTML, CUT, LATER, b"\xff\x00", "[" * 10**5, "null", "[]", "{}", "7", ""):
    FAULTS[f"{text[:9]!r} for JSON"] = (sent(text), Refused, OTHER)
for chart in (None, [], {}, {"error": None, "result": None}, {"error": None, "result": []}):
    FAULTS[f"chart is {chart}"] = (sent(json.dumps({"chart": chart})), Refused, OTHER)
for key, odd in {"symbol": "AAPL", "dataGranularity": "1mo", "currency": "JPY"}.items():
    FAULTS[f"{key} {odd}"] = (meta(key, odd), BadData, f"{odd!r}")
for zone in ("Asia/Tokyo", "Mars"):
    FAULTS[f"on the time of {zone}"] = (meta("exchangeTimezoneName", zone), BadData, f"{zone!r}")
META = [("meta", key) for key in ("exchangeTimezoneName", "currency", "instrumentType", "symbol")]
for path in (*META, ("meta",), ("timestamp",), ("indicators",), (*QUOTE, "close")):
    FAULTS[f"no {path[-1]}"] = (without(*path), Refused, OTHER)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_in_exact_rows_or_in_one_sentence(name, tmp_path, monkeypatch, caplog):
    fault, end, says = (*FAULTS[name], "")[:3]
    truth = FUND if name.startswith("SPY") else INDEX
    monkeypatch.setattr(yahoo, "COOKIE_SECONDS", 0.3)
    if says == LATE or "slow" in name:
        monkeypatch.setattr(yahoo, "SECONDS", 0.8)
    caplog.set_level(0)
    began = time.monotonic()
    with yahoo_on_loopback(tmp_path) as replica:
        replica.rows["^NDX"] = bars(INDEX)
        vars(replica).update(fault)
        kept = replica.folder / f"close-{yahoo.quote(truth.name)}.csv"
        if isinstance(end, int):
            closes = yahoo.fetch_prices(truth.name, START)
            same(closes, truth[: len(truth) - end])
            assert (closes.attrs["source"], closes.attrs["sessions_behind"]) == (yahoo.LIVE, end)
        else:
            with pytest.raises(end) as caught:
                yahoo.fetch_prices(truth.name, START)
            check(str(caught.value), says)
            assert not kept.exists()
        assert len([asked for asked in replica.asked if asked.symbol]) <= 2
        write_atomically(kept, truth[:-1].rename("close").to_csv())
        replica.asked.clear()
        closes = yahoo.fetch_prices(truth.name, START)
    assert time.monotonic() - began < 15
    live = end in (0, 1)
    same(closes, truth[: len(truth) - end] if live else truth[:-1])
    assert closes.attrs["source"] == (yahoo.LIVE if live else yahoo.CACHED)
    same(pd.read_csv(kept, index_col=0, parse_dates=True)["close"], closes)
    check(caplog.messages[-1], says)
    assert {record.name for record in caplog.records} == {"impact"}


def check(sentence, part):
    """One line for people: what happened and what to do, not what yfinance made of it."""
    assert part in sentence and ": " in sentence and "\n" not in sentence
    assert "delisted" not in sentence and "$" not in sentence
