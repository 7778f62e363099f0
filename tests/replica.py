"""Loopback replica of the parts of Yahoo Finance that yfinance talks to.

An HTTPS proxy that answers for every host by itself. A connection is pointed at it by ``proxies``
and ``verify``, a process by its environment; yfinance and curl run as they are.
"""

import contextlib
import http.server
import json
import os
import ssl
import threading
import time
from types import SimpleNamespace
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pandas as pd
import trustme

from impact.market import yahoo
from impact.market.calendar import nyse_sessions

HOSTS = [f"{name}.yahoo.com" for name in ("fc", "query1.finance", "query2.finance", "guce")]
COOKIE = ("Set-Cookie", "A3=d=replica; Domain=.yahoo.com; Path=/; Max-Age=31557600; Secure")
NEW_CLIENT, NEW_YORK = yahoo.new_client, "America/New_York"

START, TODAY = "2026-03-02", "2026-11-20"
SESSIONS = nyse_sessions("1927-12-30", "2026-11-24")
SESSIONS = SESSIONS[SESSIONS.day_of_week < 5]
CENTURY = pd.Series(5000 + 40 * np.sin(np.arange(len(SESSIONS))), SESSIONS).round(2)
#: An index, and a fund that paid in September: its earlier closes are adjusted down.
INDEX = CENTURY[START:TODAY].rename("^NDX")
FUND = INDEX.rename("SPY").where(INDEX.index >= "2026-09-18", 0.997 * INDEX)


def reply(body="", status=200, headers=(), length=None, delay=0.0, drip=0.0, cut=False):
    """Return what to send: a body (bytes, text, an object for JSON) and how to go wrong with it."""
    return SimpleNamespace(**locals())


def stamps(days):
    """Return the openings of sessions in seconds, as Yahoo stamps its bars."""
    openings = pd.DatetimeIndex(days) + pd.Timedelta(hours=9.5)
    return openings.tz_localize(NEW_YORK).as_unit("s").asi8.tolist()


def bars(closes, adjusted=None):
    """Return rows: lists of stamp, close, adjusted close."""
    both = closes.tolist(), (closes if adjusted is None else adjusted).tolist()
    return [list(row) for row in zip(stamps(closes.index), *both, strict=True)]


def chart(symbol, rows, **meta):
    """Return the JSON of an answer with prices."""
    days, closes, adjusted = ([row[i] for row in rows] for i in range(3))
    facts = {"symbol": symbol, "currency": "USD", "instrumentType": "INDEX"} | meta
    result = {
        "meta": {"dataGranularity": "1d", "exchangeTimezoneName": NEW_YORK} | facts,
        "timestamp": days,
        "indicators": {"quote": [{"close": closes}], "adjclose": [{"adjclose": adjusted}]},
    }
    return {"chart": {"result": [result], "error": None}}


class Replica(http.server.ThreadingHTTPServer):
    """Yahoo: rows and odd facts by ticker, a fault to play, what was asked, and the time.

    ``script(asked)`` may return a `reply` in place of the right one, `edit_rows` and `edit_result`
    spoil that. `now` is the present for us, and in the head of answers unless `sent_at` is given.
    """

    daemon_threads = True

    def __init__(self, folder, now):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rows = {"^NDX": bars(CENTURY[START:]), "SPY": bars(INDEX, FUND)}
        self.meta, self.asked, self.folder = {"SPY": {"instrumentType": "ETF"}}, [], folder / "kept"
        self.script = self.edit_rows = self.edit_result = lambda given: None
        self.now, self.sent_at, self.tunnel = pd.Timestamp(now, tz=NEW_YORK), None, 200
        self.options = {}
        self.closing = threading.Event()
        authority, self.authority = trustme.CA(), str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.authority)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.context)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def client(self, give_up_at):
        usual = {"verify": self.authority, "proxies": {"https": self.url}}
        return NEW_CLIENT(give_up_at, **usual | self.options)

    def charts(self):
        return [asked for asked in self.asked if asked.symbol]

    def healthy(self, asked):
        """Return the answer to a request when nothing is wrong."""
        if asked.symbol is None:
            return reply("crumb", headers=(COOKIE,))
        rows = [list(row) for row in self.rows[asked.symbol] if asked.first <= row[0] < asked.end]
        self.edit_rows(rows)
        answer = chart(asked.symbol, rows, **self.meta.get(asked.symbol, {}))
        self.edit_result(answer["chart"]["result"][0])
        return reply(answer)

    handle_error = mock.Mock()  # a client that goes away is part of the game


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def do_CONNECT(self):
        self.send_response_only(self.server.tunnel)
        self.end_headers()
        if self.server.tunnel == 200:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
            self.setup()

    def do_GET(self):
        host, url, replica = self.headers["Host"], urlsplit(self.path), self.server
        asked = SimpleNamespace(host=host, path=url.path, symbol=None)
        asked.n = 1 + sum((one.host, one.path) == (host, url.path) for one in replica.asked)
        if "/chart/" in url.path:
            span = parse_qs(url.query)
            asked.symbol = unquote(url.path.rpartition("/chart/")[2])
            asked.first, asked.end = (int(span[f"period{i}"][0]) for i in (1, 2))
        replica.asked.append(asked)
        answer = replica.script(asked) or replica.healthy(asked)
        replica.closing.wait(answer.delay)
        self.close_connection = answer.cut or bool(answer.length)
        if not answer.cut:
            self.send(**vars(answer))

    def send(self, body, status, headers, length, drip, **_):
        body = body if isinstance(body, bytes | str) else json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for header in (("Content-Length", str(length or len(body))), *headers):
            self.send_header(*header)
        self.end_headers()
        for part in np.array_split(np.frombuffer(body, "u1"), 200 if drip else 1):
            self.wfile.write(part.tobytes())
            time.sleep(drip)

    def finish(self):
        super().finish()
        self.request.close()

    def date_time_string(self, timestamp=None):
        sent_at = (self.server.sent_at or self.server.now).tz_convert("UTC")
        return f"{sent_at:%a, %d %b %Y %H:%M:%S} GMT"

    log_message = mock.Mock()


@contextlib.contextmanager
def yahoo_on_loopback(folder, now=f"{TODAY} 17:00"):
    """Run a replica for one test, at a time in New York; every connection leads there."""
    with (
        Replica(folder, now) as replica,
        mock.patch.dict(os.environ, IMPACT_CACHE_DIR=str(replica.folder)),
        mock.patch.object(yahoo, "new_client", lambda *end: replica.client(*end)),
        mock.patch.object(yahoo, "present", side_effect=lambda: replica.now),
        mock.patch("yfinance.data._time"),  # no second is waited before a retry
    ):
        threading.Thread(target=replica.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield replica
        finally:
            replica.closing.set()
            replica.shutdown()


def same(found, expected):
    """The same sessions and the same closes."""
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12)
