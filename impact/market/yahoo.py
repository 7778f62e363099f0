"""Live prices: what Yahoo Finance answers, checked row by row, and something honest in reserve.

yfinance asks. The answer is read here as it was sent, because yfinance drops the second row of a
day, and passes on holes and rows of another ticker, without a word.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pandas as pd

from impact.errors import (
    BadData,
    DataFileError,
    DateError,
    FetchError,
    NoData,
    Offline,
    RateLimited,
    Refused,
)
from impact.market import prices
from impact.market.calendar import NYSE, exchange
from impact.market.files import cache_directory
from impact.market.instants import NEW_YORK, parse_date
from impact.market.prices import INDEX, SECTORS, VIX
from impact.market.yahoo_answers import Noted, closes_of_answer, whole
from impact.text.files import write_atomically
from impact.text.formats import counted, date, iso, list_of
from impact.text.progress import with_bar

LIVE, CACHED, COMMITTED = "Yahoo Finance", "cache of Yahoo Finance", "committed history"

#: Seconds for all that one call asks; the first cookie gets so many, each further one half of it.
SECONDS, COOKIE_SECONDS = 10.0, 2.0
#: The present by the clock of this computer.
present = functools.partial(pd.Timestamp.now, NEW_YORK)
#: A close counts as final this long after the end of its session.
SETTLING = pd.Timedelta(minutes=60)
#: The first close of the index that Yahoo has, and the longest span that it sends at once.
_START, LONGEST = "1927-12-30", pd.Timedelta(days=36_500)
FIRST = pd.Timestamp(_START)
#: Closes of the index before hold typing errors.
SOUND = pd.Timestamp("1976-01-01")

_CHART = "https://query2.finance.yahoo.com/v8/finance/chart/"
#: What curl means by its number, and what to do.
_CURL = {
    5: ("the proxy did not let us through", "correct HTTPS_PROXY"),
    6: ("its name is not known here", "check the network; behind a proxy, set HTTPS_PROXY"),
    7: ("connection refused", "check the network; behind a proxy, set HTTPS_PROXY"),
    28: ("no answer in time", "try again later, or check the network"),
    60: ("its certificate is not trusted", "set REQUESTS_CA_BUNDLE to that of your network"),
    77: ("no file to check its certificate", "correct the path in REQUESTS_CA_BUNDLE"),
}
#: What reading an answer of another shape can raise.
_SHAPE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_TURN = threading.Lock()  # the settings of yfinance are those of the process
CSV = {"date_format": "%Y-%m-%d", "lineterminator": "\n"}
_Read = TypeVar("_Read")
_NOTHING = pd.Series(dtype=float, index=pd.DatetimeIndex([], dtype="M8[us]", name="date"))


def fetch_prices(
    tickers: str | Sequence[str],
    start: Any = _START,
    end: Any = None,
    *,
    market: str = NYSE,
    cache: bool = True,
    offline: bool = False,
) -> pd.Series | pd.DataFrame:
    """Fetch daily closes up to the last finished session.

    Yahoo Finance is asked at every call, for less than 15 seconds. When it cannot be reached, or
    sends what cannot be right, its last good answer takes its place, or the history that comes with
    this package: what has most of the dates. One sentence on the ``impact`` logger says so. Between
    the first and the last row stands every session of the market (of the NYSE none on Saturdays,
    which Yahoo lacks) and no other day.

    Parameters
    ----------
    tickers : str or sequence of str
        As Yahoo Finance writes them: "^GSPC", "BRK-B", "SAP.DE"; "sectors" stands for the eleven
        funds.
    start, end : str, date or Timestamp, optional
        First and last date, both included, ISO form; by default all there is.
    market : str
        The exchange that all of them trade on, by its name in pandas_market_calendars ("XETR",
        "XTKS"), or "24/7". Closes are in its currency.
    cache : bool
        Keep answers in ``IMPACT_CACHE_DIR``, or in the user's cache folder, for want of others.
    offline : bool
        Leave Yahoo alone.

    Returns
    -------
    Series or DataFrame
        Closes by session (tz-naive midnight, index ``date``), a Series for one ticker, a DataFrame
        for several, NaN where one has no close; adjusted for dividends and splits unless they are
        an index. ``attrs``: ``source``, ``hash``, ``last_session``, ``sessions_behind``, ``notes``.

    Raises
    ------
    FetchError, DateError
        When there is neither a live answer nor a stored one; when a date cannot be read.

    Examples
    --------
    >>> closes = fetch_prices("^GSPC", "2025-04-08", "2025-04-09", offline=True, cache=False)
    >>> closes.tolist(), closes.attrs["source"]
    ([4982.77, 5456.9], 'committed history')
    """
    if not isinstance(market, str):
        raise DateError(f"market={market!r} has no calendar: name an exchange, such as 'XETR'")
    names, market = tickers_of(tickers), exchange(market).name
    sessions = finished_sessions(present(), market)
    wanted = _wanted(sessions, start, end, market)
    error: FetchError | None = Offline("offline=True keeps Yahoo Finance out") if offline else None
    client = None if offline else new_client(time.monotonic() + SECONDS)
    folder = cache_directory()
    found = []
    for name in with_bar(names, "Yahoo Finance"):
        # What keeps us from one ticker keeps us from the next.
        excuse = error if isinstance(error, Offline | RateLimited) else None
        # The prefix keeps Windows from reading a ticker such as CON as a device.
        path = folder / f"close-{quote(name, safe='')}.csv" if cache else None
        closes, error = _find(name, wanted, sessions, path, client, excuse, market)
        found.append(closes)
    for said in dict.fromkeys(one.attrs["said"] for one in found):
        told = list_of(str(one.name) for one in found if one.attrs["said"] == said)
        level = logging.INFO if said.endswith("up to date)") else logging.WARNING
        logging.getLogger("impact").log(level, "%s: %s", told, said)
    alone = isinstance(tickers, str) and len(found) == 1
    closes = found[0].copy() if alone else pd.concat(found, axis=1, sort=True)
    sources = {one.attrs["source"] for one in found}
    parts = (f"{one.name}: {one.attrs['source']}" for one in found)
    closes.attrs = {
        "source": sources.pop() if len(sources) == 1 else "; ".join(parts),
        "hash": hashlib.sha256(closes.to_csv(**CSV).encode()).hexdigest()[:12],
        "last_session": min(one.index[-1] for one in found),
        "sessions_behind": max(one.attrs["behind"] for one in found),
        "notes": tuple(f"{one.name}: {note}" for one in found for note in one.attrs["notes"]),
    }
    return closes


def tickers_of(tickers: str | Sequence[str]) -> list[str]:
    """Return tickers in capitals, each once."""
    if isinstance(tickers, str):
        tickers = [*SECTORS] if tickers == "sectors" else [tickers]
    names = list(tickers) if isinstance(tickers, Iterable) else [tickers]
    for name in names or [""]:
        # ASCII only: the capital of "ſ" is "S", another ticker.
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9^.=&_-]+", name):
            raise NoData(
                f"{name!r} is not a ticker: write it as Yahoo Finance does, '^GSPC' or 'SPY'"
            )
    return list(dict.fromkeys(name.upper() for name in names))


def _wanted(sessions: pd.DatetimeIndex, start: Any, end: Any, market: str) -> pd.DatetimeIndex:
    """Return those of the finished sessions that lie between two dates."""
    known = exchange(market).known
    first = sessions[0] if start == _START else known(parse_date(start))
    last = max(first, sessions[-1]) if end is None else known(parse_date(end))
    if last < first:
        raise DateError(f"end={iso(last)} comes before start={iso(first)}: swap them")
    asked = (sessions >= first) & (sessions <= last)
    wanted = sessions[asked & (sessions >= sessions[-1] - LONGEST)]
    if wanted.empty:
        raise NoData(
            f"no session from {iso(first)} to {iso(last)} is finished: ask for other dates"
        )
    return wanted


def finished_sessions(now: pd.Timestamp, market: str = NYSE) -> pd.DatetimeIndex:
    """Return every session that Yahoo can have a final close of: an hour after the end of trading.

    >>> early = pd.Timestamp("2024-11-29 14:00", tz=NEW_YORK)  # trading ended at 13:00
    >>> [iso(finished_sessions(early - pd.Timedelta(minutes=late))[-1]) for late in (0, 1)]
    ['2024-11-29', '2024-11-27']
    """
    found = exchange(market)
    assert found.closes is not None
    over = found.closes + SETTLING <= now.tz_convert("UTC").tz_localize(None)
    # Yahoo has no Saturdays of the NYSE.
    there = (found.sessions >= FIRST) & ((found.sessions.day_of_week < 5) | (market != NYSE))
    return found.sessions[over & there].rename("date")


def _find(
    ticker: str,
    wanted: pd.DatetimeIndex,
    sessions: pd.DatetimeIndex,
    path: Path | None,
    client: Any,
    error: FetchError | None,
    market: str,
) -> tuple[pd.Series, FetchError | None]:
    """Return the closes of a ticker, their source in ``attrs``, and what kept us from live ones."""
    kept, notes = _read_kept(path, ticker, sessions) if path else (_NOTHING, ())
    live = _NOTHING
    if error is None:
        try:
            # Never for less than is kept, so that what is kept does not shrink.
            answer, _ = ask(ticker, min([wanted[0], *kept.index[:1]]), client, market)
            live, lacks = whole(ticker, answer, sessions)
            notes += lacks
        except FetchError as caught:
            error = caught
    span = f"{iso(live.index[0])} to {iso(live.index[-1])}" if len(live) else ""
    held = {LIVE: live, CACHED: kept, COMMITTED: _committed(ticker, market)}
    places = {name: part for name in held if len(part := held[name][wanted[0] : wanted[-1]])}
    if not places:
        error = error or NoData(f"Yahoo Finance has {span}: ask for dates in between")
        why = [str(error), *notes, f"no closes of {ticker!r} are stored to take their place"]
        raise type(error)("; ".join(why)) from error
    # What reaches back furthest, and of that what reaches the latest session.
    best = min(places, key=lambda name: (places[name].index[0], -places[name].index[-1].value))
    closes = places[best].rename(ticker)
    if best != LIVE:
        notes = (str(error or f"Yahoo Finance sent {span} only: ask for that"), *notes)
    elif ticker == INDEX and closes.index[0] < SOUND:
        notes += ("its closes before 1976 hold typing errors, prefer those of load_prices",)
    elif closes.index[0] > wanted[0] > FIRST:
        notes += ("it has no earlier close",)
    if best == LIVE and path:
        try:
            write_atomically(path, live.rename("close").to_csv(**CSV))
        except DataFileError as failed:
            notes += (f"it could not be kept: {failed}",)
    behind = int((wanted > closes.index[-1]).sum())
    state = f"{counted(behind, 'session')} behind" if behind else "up to date"
    used = f"used {best} ({date(closes.index[0])} to {date(closes.index[-1])}, {state})"
    said = "; ".join([used, *notes])
    closes.attrs = {"source": best, "notes": notes, "behind": behind, "said": said}
    return closes, error


def _committed(ticker: str, market: str) -> pd.Series:
    """Return the closes that come with this package; none when it does not have the ticker."""
    if market != NYSE or ticker not in (INDEX, VIX, *SECTORS):
        return _NOTHING
    return prices.load_vix() if ticker == VIX else prices.load_prices(ticker, start=FIRST).dropna()


def _read_kept(path: Path, ticker: str, sessions: pd.DatetimeIndex) -> Noted:
    """Return the last good answer; a file that does not hold one is spoken of."""
    with contextlib.suppress(OSError, BadData, *_SHAPE):
        if not path.exists():
            return _NOTHING, ()
        table = pd.read_csv(path, index_col=0, parse_dates=[0], date_format="%Y-%m-%d")
        closes, lacks = whole(ticker, table["close"].astype(float)[: sessions[-1]], sessions)
        if not lacks:
            return closes, ()
    return _NOTHING, (f"{path} is left aside, it does not hold closes by session",)


def new_client(give_up_at: float, **options: Any) -> Any:
    """Return a connection to Yahoo whose waits end then, by the monotonic clock of this process."""
    from curl_cffi import CurlECode, requests
    from yfinance.data import YfData

    class Client(requests.Session):
        cookie_seconds, status, sent_at = COOKIE_SECONDS, 0, ""

        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            chart, left = url.startswith(_CHART), self.give_up_at - time.monotonic()
            # yfinance would wait for half a minute for each cookie.
            kwargs["timeout"] = left if chart else min(left, self.cookie_seconds)
            if kwargs["timeout"] < 0.01:  # to curl, no milliseconds are for ever
                raise requests.exceptions.Timeout("no time is left", CurlECode.OPERATION_TIMEDOUT)
            self.cookie_seconds /= 1 if chart else 2
            response = super().request(method, url, *args, **kwargs)
            if chart:
                self.status, self.sent_at = response.status_code, response.headers.get("Date", "")
            return response

    client: Any = Client(impersonate="chrome", **options)
    client.give_up_at = give_up_at
    # One of our own: YfData() is shared by the process, and its file of cookies by all processes.
    client.yahoo = data = type.__call__(YfData, session=client)
    data._load_cookie_curlCffi = lambda: len(client.cookies.jar) > 0
    data._save_cookie_curlCffi = lambda: True
    # Nor does it sign a form of consent in the name of the user.
    data._get_cookie_csrf = data._is_this_consent_url = lambda asked: False
    return client


def ask(
    ticker: str, start: pd.Timestamp, client: Any, market: str = NYSE
) -> tuple[pd.Series, bool]:
    """Ask Yahoo for the final closes of a ticker from a date, and whether they are adjusted.

    They are as they were sent: `whole` checks them. Raises one of the kinds of `FetchError`.
    """
    start = max(start, present().tz_localize(None).normalize() - LONGEST)
    params = {"interval": "1d", "includePrePost": "false", "events": "div,splits"}
    since = start.tz_localize(exchange(market).zone)
    read = functools.partial(closes_of_answer, market=market)
    (closes, adjusted), now = answered(ticker, since, params, client, read)
    last = finished_sessions(now, market)[-1]
    return closes[(closes.index >= start) & (closes.index <= last)], adjusted


def answered(
    ticker: str,
    start: pd.Timestamp,
    params: dict[str, Any],
    client: Any,
    read: Callable[[str, Any, int], _Read],
) -> tuple[_Read, pd.Timestamp]:
    """Ask Yahoo for a chart from an instant on; return what `read` makes of it, and the present.

    Raises one of the kinds of `FetchError`.
    """
    from curl_cffi import CurlError
    from yfinance.config import YfConfig
    from yfinance.exceptions import YFException, YFRateLimitError

    now, client.status = present(), 0
    span = {"period1": start, "period2": now + pd.Timedelta(days=2)}
    params = {name: int(instant.timestamp()) for name, instant in span.items()} | params
    logger, network = logging.getLogger("yfinance"), YfConfig.network
    with _TURN:
        before = logger.disabled, network.retries
        logger.disabled, network.retries = True, 1  # it asks again once, in silence
        try:
            response = client.yahoo.get(_CHART + quote(ticker, safe=""), params)
            found = read(ticker, json.loads(response.content), client.status)
        except YFRateLimitError as error:
            raise RateLimited("Yahoo Finance asked to be left alone: wait half an hour") from error
        except (YFException, CurlError, OSError, *_SHAPE) as error:
            raise _named(error, client.status) from error
        finally:
            logger.disabled, network.retries = before
    with contextlib.suppress(ValueError):  # a clock that is ahead is set right by Yahoo's
        now = min(now, pd.to_datetime(parsedate_to_datetime(client.sent_at), utc=True))
    return found, now


def _named(error: Exception, status: int) -> FetchError:
    """Return our error for one of yfinance, curl or the reading, after an answer or none."""
    if status >= 400:
        return Refused(f"Yahoo Finance is out of order (error {status}): try again later")
    if not isinstance(error, OSError):
        what = f"something other than prices ({type(error).__name__}), perhaps a login page"
        return Refused(f"Yahoo Finance answered with {what}: try again later")
    code = 5 if re.search(r"\bCONNECT\b|proxy", str(error)) else int(getattr(error, "code", 0) or 0)
    what, fix = _CURL.get(code, (f"the connection was cut, error {code}", "try again later"))
    return Offline(f"Yahoo Finance cannot be reached ({what}): {fix}")
