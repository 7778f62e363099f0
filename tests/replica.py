"""Loopback replica of the parts of Yahoo Finance that yfinance 1.7 talks to.

One TLS server answers for every Yahoo host name; a CONNECT proxy in front of it sends any
host:443 there. A connection is pointed at it by ``proxies`` and ``verify``, or a process by
HTTPS_PROXY and REQUESTS_CA_BUNDLE; yfinance itself runs as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import json
import pathlib
import select
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import stamina
import trustme

from impact.market.yahoo.quotes import _yfinance, new_client

NEW_YORK = ZoneInfo("America/New_York")
HOSTS = (
    "fc.yahoo.com",
    "query1.finance.yahoo.com",
    "query2.finance.yahoo.com",
    "finance.yahoo.com",
    "guce.yahoo.com",
    "consent.yahoo.com",
)
COOKIE = "A3=d=replica; Domain=.yahoo.com; Path=/; Max-Age=31557600; Secure"


@dataclass
class Reply:
    """What to send: a body (bytes, text, or an object for JSON) and how to go wrong with it."""

    body: Any = b""
    status: int = 200
    kind: str = "application/json"
    headers: tuple = ()
    declared_length: int | None = None
    stalls: bool = False
    cut: bool = False
    drip: float = 0.0

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@dataclass
class Asked:
    """One request; `n` counts those to the same host and path."""

    host: str
    path: str
    symbol: str | None
    params: dict
    n: int


def stamp(day: dt.date) -> int:
    """Return the opening of a session in seconds, as Yahoo stamps its bars."""
    return int(dt.datetime.combine(day, dt.time(9, 30), NEW_YORK).timestamp())


def bars(closes: pd.Series, adjusted: pd.Series | None = None) -> list[tuple]:
    """Return Yahoo bars (stamp, open, high, low, close, volume, adjusted close)."""
    adjusted = closes if adjusted is None else adjusted
    return [
        (stamp(day.date()), c, c, c, c, 1000, a)
        for day, c, a in zip(closes.index, closes.tolist(), adjusted.tolist(), strict=True)
    ]


def chart(symbol: str, rows: Iterable[tuple], **meta: Any) -> dict:
    """Return the JSON of a chart answer."""
    rows = list(rows)
    quote = {
        name: [row[i] for row in rows]
        for i, name in enumerate(("open", "high", "low", "close", "volume"), start=1)
    }
    facts = {
        "currency": "USD",
        "symbol": symbol,
        "instrumentType": "INDEX",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": ["1d", "5d", "1mo", "max"],
    }
    result = {
        "meta": {**facts, **meta},
        "timestamp": [row[0] for row in rows],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [row[6] for row in rows]}]},
    }
    return {"chart": {"result": [result], "error": None}}


def error(code: str, description: str, root: str = "chart") -> dict:
    """Return the JSON of an error answer."""
    return {root: {"result": None, "error": {"code": code, "description": description}}}


@contextlib.contextmanager
def yahoo_on_loopback(folder: pathlib.Path) -> Iterator[Replica]:
    """Run a replica for one test: yfinance remembers nothing, retries do not wait."""
    _forget()
    replica = Replica(folder)
    try:
        with stamina.set_testing(True, attempts=3):
            yield replica
    finally:
        replica.close()


def _forget() -> None:
    """Make yfinance forget its cookie, its crumb and what it was answered."""
    _yfinance()
    from yfinance.cache import get_cookie_cache
    from yfinance.data import YfData

    get_cookie_cache().store("curlCffi", None)
    data = YfData()
    data.cache_get.cache_clear()
    data._cookie = data._crumb = None
    data._cookie_strategy = "basic"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the game."""


class Replica:
    """Yahoo on the loopback.

    Attributes
    ----------
    rows : dict
        Bars by ticker.
    meta : dict
        Facts by ticker that differ from those of an index.
    script : callable or None
        ``script(asked) -> Reply | None``: the fault.
    asked : list of Asked
        Every request so far.
    tunnel : str
        What the proxy answers to CONNECT.
    """

    def __init__(self, folder: pathlib.Path):
        self.rows: dict[str, list[tuple]] = {}
        self.meta: dict[str, dict] = {}
        self.script: Callable[[Asked], Reply | None] | None = None
        self.asked: list[Asked] = []
        self.tunnel = "200 ok"
        self._closing = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        self.ca_path = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS, "127.0.0.1").configure_cert(context)
        self._tls = self._tls_server(context)
        self._proxy = self._proxy_server()
        for server in (self._tls, self._proxy):
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
            ).start()
        self.proxy_url = f"http://127.0.0.1:{self._proxy.server_address[1]}"

    def client(self) -> Any:
        """Return a connection to here."""
        return new_client(verify=str(self.ca_path), proxies={"https": self.proxy_url})

    def environment(self) -> dict[str, str]:
        """Return the variables that point a process here."""
        authority = str(self.ca_path)
        return {
            "HTTPS_PROXY": self.proxy_url,
            "https_proxy": self.proxy_url,
            "CURL_CA_BUNDLE": authority,
            "REQUESTS_CA_BUNDLE": authority,
            "NO_PROXY": "",
            "no_proxy": "",
        }

    def charts_asked(self) -> list[dict]:
        """Return the parameters of each request for prices."""
        return [asked.params for asked in self.asked if asked.symbol]

    def close(self) -> None:
        """Stop both servers."""
        self._closing.set()
        for server in (self._tls, self._proxy):
            server.shutdown()
            server.server_close()

    def _tls_server(self, context: ssl.SSLContext) -> _Server:
        replica = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                replica._serve(self)

            do_POST = do_GET

        class Server(_Server):
            def get_request(self) -> tuple:
                connection, address = super().get_request()
                wrapped = context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                return wrapped, address

        return Server(("127.0.0.1", 0), Handler)

    def _proxy_server(self) -> socketserver.ThreadingTCPServer:
        replica = self

        class Tunnel(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                    pass
                self.wfile.write(f"HTTP/1.1 {replica.tunnel}\r\n\r\n".encode())
                if replica.tunnel.startswith("200"):
                    with socket.create_connection(replica._tls.server_address) as up:
                        up.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        _carry(self.connection, up)

        class Proxy(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away is part of the game."""

        return Proxy(("127.0.0.1", 0), Tunnel)

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        host = (handler.headers.get("Host") or "").split(":")[0]
        url = urlsplit(handler.path)
        params = {key: values[0] for key, values in parse_qs(url.query).items()}
        is_chart = url.path.startswith("/v8/finance/chart/")
        symbol = unquote(url.path.rsplit("/", 1)[1]) if is_chart else None
        n = 1 + sum(1 for one in self.asked if (one.host, one.path) == (host, url.path))
        asked = Asked(host, url.path, symbol, params, n)
        self.asked.append(asked)
        reply = self.script(asked) if self.script else None
        reply = reply or self.healthy(asked)
        if reply.stalls:
            self._closing.wait()
        _send(handler, reply)

    def healthy(self, asked: Asked) -> Reply:
        """Return the answer to a request when nothing is wrong."""
        if asked.host == "fc.yahoo.com":
            return Reply("", 404, "text/html", (("Set-Cookie", COOKIE),))
        if asked.path == "/v1/test/getcrumb":
            return Reply("replicaCrumb", kind="text/plain")
        if asked.symbol is None:
            return Reply("<html>replica</html>", 404, "text/html")
        if asked.symbol not in self.rows:
            return Reply(error("Not Found", "No data found, symbol may be delisted"), 404)
        if "period1" not in asked.params:
            rows = self.rows[asked.symbol][-1:]
        else:
            first, end = int(asked.params["period1"]), int(asked.params["period2"])
            rows = [row for row in self.rows[asked.symbol] if first <= row[0] < end]
        answer = chart(asked.symbol, rows, **self.meta.get(asked.symbol, {}))
        if not rows:
            result = answer["chart"]["result"][0]
            del result["timestamp"]
            result["indicators"] = {"quote": [{}], "adjclose": [{}]}
        return Reply(answer)


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until a side hangs up."""
    pair = [one, other]
    while True:
        ready, _, _ = select.select(pair, [], [], 120)
        if not ready:
            return
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            pair[1 - pair.index(side)].sendall(data)


def _send(handler: http.server.BaseHTTPRequestHandler, reply: Reply) -> None:
    if reply.cut:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return
    body = reply.content()
    try:
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.kind)
        handler.send_header("Content-Length", str(reply.declared_length or len(body)))
        for key, value in reply.headers:
            handler.send_header(key, value)
        handler.end_headers()
        if reply.drip:
            for i in range(0, len(body), 50):
                handler.wfile.write(body[i : i + 50])
                handler.wfile.flush()
                time.sleep(reply.drip)
        else:
            handler.wfile.write(body)
            handler.wfile.flush()
    except OSError:
        handler.close_connection = True
    if reply.declared_length:
        handler.close_connection = True
