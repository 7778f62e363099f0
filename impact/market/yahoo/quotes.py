"""One question to Yahoo Finance: ask through yfinance, name what went wrong, check the answer.

yfinance hides errors, keeps bad answers, waits up to 70 seconds, and passes on holes and wrong
rows without a word. Here an answer is a series of checked closes or one typed error.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import logging
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import BadData, FetchError, NoData, Offline, RateLimited, Refused
from impact.market.calendar import session_close
from impact.market.instants import NEW_YORK
from impact.market.prices import ETF_JUMP, INDEX, INDEX_JUMP, SECTORS, VIX, VIX_JUMP
from impact.text.formats import iso

# Seconds. A whole attempt ends in time to answer a person within 15 seconds.
COOKIE_SECONDS = 2.0
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 7.0
ATTEMPT_SECONDS = 12.0
#: All attempts together.
TOTAL_SECONDS = 40.0
ATTEMPTS = 3

#: A close counts as final this long after the end of its session.
SETTLING = pd.Timedelta(minutes=60)

#: Yahoo refuses to send more than 100 years of days at once.
LONGEST = pd.Timedelta(days=36_500)

#: Funds that pay a dividend every quarter.
_PAYING = (*SECTORS, "SPY")
#: Largest believable |log change| from one close to the next. Single companies and funds with
#: leverage move more than these; 1.6 is a five-fold change and still finds a misplaced decimal
#: point.
JUMPS = {INDEX: INDEX_JUMP, VIX: VIX_JUMP, **dict.fromkeys(_PAYING, ETF_JUMP)}
ANY_JUMP = 1.6

_ZONES = (NEW_YORK, "America/Chicago")
# Connection cut half-way: HTTP/2 error, short body, broken handshake, empty reply, send, receive.
_CUT = {16, 18, 35, 52, 55, 56, 92}
_PROXY_ERRORS = {5, 97}
#: What curl says of a proxy under codes that stand for other things too.
_PROXY_WORDS = ("CONNECT tunnel failed", "over proxy")
_CURL_WORDS = {
    6: "its name is not known here",
    7: "connection refused",
    28: "no answer in time",
    77: "the file in REQUESTS_CA_BUNDLE cannot be read",
}
#: What yfinance raises when the JSON is not built as it expects.
_SHAPE_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
)


@dataclass(frozen=True)
class Quotes:
    """Checked closes of one ticker, final sessions only; sessions that Yahoo lost are absent.

    Attributes
    ----------
    closes : Series
        Index: the close. Everything else: the close adjusted for dividends and splits.
    instrument : str
        What Yahoo calls it: INDEX, ETF, EQUITY.
    """

    closes: pd.Series
    instrument: str

    @property
    def adjusted(self) -> bool:
        """Whether the levels change with every dividend, so that only returns compare."""
        return self.instrument != "INDEX"


def last_finished(sessions: pd.DatetimeIndex, now: pd.Timestamp) -> pd.Timestamp:
    """Return the last session whose close is final: an hour after the end of trading.

    Parameters
    ----------
    sessions : DatetimeIndex
        NYSE sessions up to today or later.
    now : Timestamp
        The present, with a time zone.
    """
    begun = sessions[sessions <= now.tz_convert(NEW_YORK).tz_localize(None)]
    for session in reversed(begun):
        if session_close(session) + SETTLING <= now:
            return session
    raise NoData(f"no session was finished at {now:%Y-%m-%d %H:%M}; set the clock of this computer")


def ask_yahoo(
    ticker: str,
    start: pd.Timestamp,
    *,
    now: pd.Timestamp,
    sessions: pd.DatetimeIndex,
    client: Any = None,
) -> Quotes:
    """Ask Yahoo for the closes of a ticker, from a date to the last finished session.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    start : Timestamp
        First date wanted; Yahoo gives 100 years at most.
    now : Timestamp
        The present, with a time zone.
    sessions : DatetimeIndex
        NYSE sessions from `start` or earlier to the last finished one.
    client : curl_cffi session, optional
        What `new_client` made; by default one for the whole process.

    Returns
    -------
    Quotes
        Checked closes.

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        One sentence each.
    """
    import stamina

    start = max(start, now.tz_localize(None).normalize() - LONGEST)
    for attempt in stamina.retry_context(
        on=_worth_retrying, attempts=ATTEMPTS, timeout=TOTAL_SECONDS, wait_initial=1.0
    ):
        with attempt:
            frame, meta = _ask_once(ticker, start, now, client)
    return _checked(ticker, frame, meta, sessions[sessions >= start])


def _worth_retrying(error: Exception) -> bool:
    """Only what a second question can mend: a strange answer, a cut connection."""
    import peewee

    if isinstance(error, Refused):
        return not isinstance(error.__cause__, peewee.PeeweeException)
    cause = error.__cause__
    return isinstance(error, Offline) and cause.code in _CUT and not _blames_proxy(cause)


def _blames_proxy(error: Any) -> bool:
    return error.code in _PROXY_ERRORS or any(words in str(error) for words in _PROXY_WORDS)


def new_client(**options: Any) -> Any:
    """Return a connection for yfinance that never waits longer than the limits above.

    Parameters
    ----------
    **options
        For ``curl_cffi.requests.Session``: ``verify``, ``proxies``.

    Notes
    -----
    yfinance waits 30 seconds for each of its cookie and crumb requests, whatever ``timeout`` says;
    they are optional, so they get two seconds.
    """
    from curl_cffi import requests

    class PatientClient(requests.Session):
        give_up_at = float("inf")

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            left = self.give_up_at - time.monotonic()
            if left <= 0:
                raise requests.exceptions.Timeout("the time for this attempt is over", 28)
            if "/v8/finance/chart/" in url:
                connect = min(CONNECT_SECONDS, left / 2)
                kwargs["timeout"] = (connect, min(ANSWER_SECONDS, left - connect))
            else:
                kwargs["timeout"] = min(COOKIE_SECONDS, left)
            return super().request(method, url, *args, **kwargs)

    return PatientClient(impersonate="chrome", **options)


# yfinance keeps cookies and a crumb for the process; they belong to one connection.
_shared_client = functools.cache(new_client)


@functools.cache
def _yfinance() -> Any:
    """Return yfinance, with its own sqlite files in a private folder of this process.

    In the user's cache folder they can be locked by another process or broken by a crash.
    """
    # yfinance shows its own deprecation warnings to everybody; whoever imports it here did not ask.
    with warnings.catch_warnings():
        import yfinance

    folder = tempfile.mkdtemp(prefix="impact-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)
    for name in ("yfinance", "stamina"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    return yfinance


@contextlib.contextmanager
def _errors_raised(yfinance: Any) -> Iterator[None]:
    """Make yfinance raise, and leave the user's own setting as it was."""
    before = yfinance.config.debug.hide_exceptions
    yfinance.config.debug.hide_exceptions = False
    try:
        yield
    finally:
        yfinance.config.debug.hide_exceptions = before


def _ask_once(
    ticker: str, start: pd.Timestamp, now: pd.Timestamp, client: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the frame and the facts of one answer, or raise what went wrong by its name."""
    yfinance = _yfinance()
    import peewee
    from yfinance.exceptions import YFException

    try:
        return _history(yfinance, ticker, start, now, client or _shared_client())
    except YFException as error:
        raise _from_yfinance(ticker, error) from error
    except peewee.PeeweeException as error:
        raise Refused(
            "yfinance cannot use its own cache: restart Python, and delete the folder py-yfinance "
            "in your cache folder if that does not help"
        ) from error
    except OSError as error:
        raise _from_connection(error) from error
    except json.JSONDecodeError as error:
        raise Refused(
            "Yahoo Finance answered with something other than prices: it is out of order, or a "
            "login page of this network stands in between"
        ) from error
    except _SHAPE_ERRORS as error:
        raise Refused(
            "Yahoo Finance sent an answer of another shape than usual "
            f"({type(error).__name__}): try again later, or update yfinance"
        ) from error


def _history(
    yfinance: Any, ticker: str, start: pd.Timestamp, now: pd.Timestamp, client: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    from yfinance.cache import get_tz_cache
    from yfinance.data import YfData

    client.give_up_at = time.monotonic() + ATTEMPT_SECONDS
    with _errors_raised(yfinance):
        asked = yfinance.Ticker(ticker, session=client)
        # yfinance keeps bad answers as well as good ones, and would answer a retry with them.
        YfData().cache_get.cache_clear()
        # Known beforehand, this saves a request that fails in ways of its own.
        get_tz_cache().store(ticker, NEW_YORK)
        frame = asked.history(
            start=iso(start),
            end=iso(now.tz_convert(NEW_YORK) + pd.Timedelta(days=2)),
            interval="1d",
            auto_adjust=False,
            actions=False,
            keepna=True,
            timeout=CONNECT_SECONDS + ANSWER_SECONDS,
        )
        facts = ("symbol", "currency", "dataGranularity", "exchangeTimezoneName", "instrumentType")
        return frame, {fact: asked.history_metadata.get(fact) for fact in facts}


def _from_yfinance(ticker: str, error: Exception) -> FetchError:
    """Return our error for one of yfinance's own."""
    from yfinance.exceptions import YFPricesMissingError, YFRateLimitError, YFTzMissingError

    if isinstance(error, YFRateLimitError):
        return RateLimited("Yahoo Finance asked to be left alone for a while")
    reason = getattr(error, "yahoo_reason", None)
    if isinstance(error, YFTzMissingError) or (isinstance(error, YFPricesMissingError) and reason):
        said = f" (it says: {reason})" if reason else ""
        return NoData(
            f"Yahoo Finance has no prices for {ticker!r}{said}: check how it writes the ticker: "
            "^GSPC, BRK-B"
        )
    return Refused(f"Yahoo Finance sent an answer without prices for {ticker!r}: try again later")


def _from_connection(error: OSError) -> FetchError:
    """Return our error for a connection that failed."""
    from curl_cffi.requests.exceptions import HTTPError, RequestException

    if isinstance(error, HTTPError):
        return Refused(f"Yahoo Finance refused to answer ({error}): try again later")
    if not isinstance(error, RequestException):
        return Refused(f"this computer could not ask Yahoo Finance: {error}")
    code = int(error.code or 0)
    if code == 60:
        return Offline(
            "the connection to Yahoo Finance is signed by an authority that this computer does not "
            "know: set REQUESTS_CA_BUNDLE to the certificate file of your network"
        )
    if _blames_proxy(error):
        what = "the proxy did not let us through"
    elif code in _CUT:
        what = "the connection was cut"
    else:
        what = _CURL_WORDS.get(code, f"connection error {code}")
    return Offline(
        f"Yahoo Finance cannot be reached ({what}): check the network; behind a proxy, set "
        "HTTPS_PROXY"
    )


def _checked(
    ticker: str, frame: pd.DataFrame, meta: dict[str, Any], sessions: pd.DatetimeIndex
) -> Quotes:
    """Return the closes of an answer that passes every check, or raise BadData."""
    _check_facts(ticker, meta)
    instrument = str(meta["instrumentType"])
    if frame.empty:
        raise _bad(f"rows without a single price for {ticker!r}")
    if frame.index.hasnans:
        raise _bad(f"a row without a date for {ticker!r}")
    closes = frame["Close" if instrument == "INDEX" else "Adj Close"].astype("float64")
    closes = closes.set_axis(frame.index.tz_localize(None).as_unit("us").normalize())
    closes = closes.rename_axis("date").rename(ticker)
    if not (closes.index.is_unique and closes.index.is_monotonic_increasing):
        raise _bad(f"the rows of {ticker!r} twice or out of order")
    # Today's row is there before the day is over, and looks like any other.
    closes = closes[(closes.index >= sessions[0]) & (closes.index <= sessions[-1])]
    extra = closes.index.difference(sessions)
    if len(extra):
        raise _bad(f"a close of {ticker!r} for {iso(extra[0])}, a day without trading")
    closes = closes.dropna()
    if closes.empty:
        raise _bad(f"rows without a single price for {ticker!r}")
    _check_values(ticker, closes)
    _check_adjusted(ticker, frame, instrument)
    return Quotes(closes, instrument)


def _bad(what: str) -> BadData:
    return BadData(f"Yahoo Finance sent {what}: try again later")


def _check_facts(ticker: str, meta: dict[str, Any]) -> None:
    """Refuse an answer to another question: yfinance looks at none of this."""
    expected = {
        "symbol": (ticker,),
        "dataGranularity": ("1d",),
        "exchangeTimezoneName": _ZONES,
        "currency": ("USD",),
    }
    for fact, allowed in expected.items():
        if meta[fact] not in allowed:
            raise BadData(
                f"Yahoo Finance answered for {ticker!r} with {fact} {meta[fact]!r} in place of "
                f"{allowed[0]!r}: only daily prices of US markets can be checked here"
            )


def _check_values(ticker: str, closes: pd.Series) -> None:
    impossible = closes[~(np.isfinite(closes) & (closes > 0))]
    if len(impossible):
        raise _bad(f"{impossible.iloc[0]} as close of {ticker!r} on {iso(impossible.index[0])}")
    jumps = np.log(closes).diff().abs()
    limit = JUMPS.get(ticker, ANY_JUMP)
    if jumps.max() > limit:
        day = jumps.idxmax()
        before, after = closes[:day].iloc[-2:]
        raise _bad(f"closes of {ticker!r} that jump from {before:.2f} to {after:.2f} on {iso(day)}")


def _check_adjusted(ticker: str, frame: pd.DataFrame, instrument: str) -> None:
    """Refuse a fund that pays every quarter but shows no dividend in its adjusted closes.

    yfinance fills in plain closes when Yahoo leaves the adjusted ones out.
    """
    pays = instrument == "ETF" and ticker in _PAYING
    if pays and len(frame) > 100 and (frame["Adj Close"] == frame["Close"]).all():
        raise _bad(f"{ticker!r} without closes adjusted for dividends")
