"""Bring the closes of one ticker up to date: ask, compare with what we hold, complete, keep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from impact.errors import (
    BadData,
    DataFileError,
    DateError,
    FetchError,
    NoData,
    RateLimited,
    Refused,
)
from impact.market.calendar import nyse_sessions
from impact.market.instants import NEW_YORK
from impact.market.prices import INDEX, SECTORS, VIX, load_prices, load_vix
from impact.market.yahoo.cache import (
    Stored,
    cache_folder,
    cool_down_until,
    end_cool_down,
    read_cache,
    record_path,
    refresh_lock,
    start_cool_down,
    write_cache,
)
from impact.market.yahoo.merge import changed_sessions, complete
from impact.market.yahoo.quotes import Quotes, ask_yahoo, last_finished
from impact.text.formats import counted, iso

#: The first close of the index that Yahoo has.
FIRST = pd.Timestamp("1927-12-30")
#: An index is brought up to date from this many sessions before the last close we hold.
OVERLAP = 10
#: How long a process waits for another one that fetches the same ticker, in seconds.
PATIENCE = 15.0
#: Half a cent: committed closes are rounded to cents.
ROUNDING = 0.005


@dataclass(frozen=True)
class Request:
    """What was asked for, and when.

    Attributes
    ----------
    start, wanted : Timestamp
        First date and last session asked for.
    sessions : DatetimeIndex
        Every session that Yahoo can have a close of, up to the last finished one.
    now : Timestamp
        The present, in New York time.
    folder : Path
        Folder of the cache.
    cache : bool
        Whether to use and to fill the cache.
    client : curl_cffi session or None
        The connection; None for the one of the process.
    excuse : FetchError or None
        Why Yahoo is not to be asked.
    """

    start: pd.Timestamp
    wanted: pd.Timestamp
    sessions: pd.DatetimeIndex
    now: pd.Timestamp
    folder: Path
    cache: bool
    client: Any = None
    excuse: FetchError | None = None

    @property
    def finished(self) -> pd.Timestamp:
        """The last session whose close is final."""
        return self.sessions[-1]


def new_request(
    start: pd.Timestamp,
    end: pd.Timestamp | None,
    *,
    now: pd.Timestamp,
    cache: bool,
    client: Any = None,
    excuse: FetchError | None = None,
) -> Request:
    """Return a request for the sessions between two dates that are finished by now.

    Parameters
    ----------
    start, end : Timestamp
        First and last date, both included; `end` None for the last finished session.
    now, cache, client, excuse
        See `Request`.

    Raises
    ------
    DateError
        When `end` comes before `start`.
    NoData
        When no session between the two is finished.
    """
    if end is not None and end < start:
        raise DateError(f"end={iso(end)} comes before start={iso(start)}: swap them")
    now = now.tz_convert(NEW_YORK)
    today = now.tz_localize(None).normalize()
    sessions = nyse_sessions(FIRST, max(today, FIRST))
    # Yahoo does not carry the Saturday sessions that New York had until 1952.
    sessions = sessions[sessions.day_of_week < 5]
    sessions = sessions[sessions <= last_finished(sessions, now)]
    wanted = sessions[(sessions >= start) & (sessions <= (today if end is None else end))]
    if wanted.empty:
        until = "" if end is None else f" to {iso(end)}"
        raise NoData(
            f"there is no session from {iso(start)}{until} that is finished: the sessions run from "
            f"{iso(sessions[0])} to {iso(sessions[-1])}"
        )
    return Request(start, wanted[-1], sessions, now, cache_folder(), cache, client, excuse)


# -- what we hold --------------------------------------------------------------------------------


def committed_closes(ticker: str) -> pd.Series | None:
    """Return the closes that come with this package, or None when it has none of the ticker.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.

    Examples
    --------
    >>> committed_closes("^GSPC").index[0], committed_closes("SPY") is None
    (Timestamp('1999-01-04 00:00:00'), True)
    """
    if ticker == VIX:
        return load_vix()
    return load_prices(ticker) if ticker == INDEX or ticker in SECTORS else None


def held_in_cache(ticker: str, request: Request) -> tuple[Stored | None, list[str]]:
    """Return what the cache holds; a broken file counts as none, and is spoken of.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    request : Request
    """
    if not request.cache:
        return None, []
    try:
        return read_cache(request.folder, ticker), []
    except DataFileError as error:
        return None, [str(error)]
    except OSError as error:
        return None, [f"the cache in {request.folder} cannot be read: {error.strerror}"]


def up_to_date(stored: Stored, request: Request) -> bool:
    """Whether Yahoo has nothing that was asked for and is not held: it is asked once a session."""
    return stored.since <= request.start and (
        stored.closes.index[-1] >= request.wanted or stored.session >= request.finished
    )


# -- asking --------------------------------------------------------------------------------------


def ask_politely(ticker: str, since: pd.Timestamp, request: Request) -> Quotes:
    """Ask Yahoo unless it wants to be left alone, and remember whether it does.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    since : Timestamp
        First date wanted.
    request : Request

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        See `ask_yahoo`.
    """
    until = cool_down_until(request.folder, request.now)
    if until is not None:
        raise RateLimited(
            f"Yahoo Finance asked to be left alone: wait until {until:%H:%M} in New York"
        )
    try:
        quotes = ask_yahoo(
            ticker, since, now=request.now, sessions=request.sessions, client=request.client
        )
    except RateLimited as error:
        # Where nothing can be written, nothing is remembered: the next call asks again.
        with contextlib.suppress(OSError):
            until = start_cool_down(request.folder, request.now)
        wait = "wait half an hour" if until is None else f"wait until {until:%H:%M} in New York"
        raise RateLimited(f"{error}: {wait}") from error
    with contextlib.suppress(OSError):
        end_cool_down(request.folder)
    return quotes


def refreshed(ticker: str, request: Request, stored: Stored | None) -> tuple[pd.Series, list[str]]:
    """Ask Yahoo, complete the answer from what we hold, and keep it.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    request : Request
    stored : Stored or None
        What the cache holds.

    Returns
    -------
    closes : Series
        Without a gap.
    notes : list of str
        What a person should know about them.

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        When the closes cannot be had or cannot be right; the cache is then as it was.
    """
    if request.excuse is not None:
        raise request.excuse
    with _turn(ticker, request, stored) as mine:
        if not mine:
            raise Refused("another process is asking Yahoo Finance at this moment: try again")
        if stored is None:
            # The process that we waited for may have fetched it.
            stored, _ = held_in_cache(ticker, request)
            if stored is not None and up_to_date(stored, request):
                return stored.closes, []
        return _asked(ticker, request, stored)


@contextlib.contextmanager
def _turn(ticker: str, request: Request, stored: Stored | None) -> Iterator[bool]:
    """Hold the right to refresh a ticker. Who holds closes does not wait for it."""
    with contextlib.ExitStack() as stack:
        mine = True
        if request.cache:
            seconds = PATIENCE if stored is None else 0.0
            # A folder that cannot be written has no cache to protect either.
            with contextlib.suppress(OSError):
                mine = stack.enter_context(refresh_lock(request.folder, ticker, seconds=seconds))
        yield mine


def _asked(ticker: str, request: Request, stored: Stored | None) -> tuple[pd.Series, list[str]]:
    """Ask Yahoo for what is missing, else for everything; compare, complete, keep."""
    committed = committed_closes(ticker)
    old = committed if stored is None else stored.closes
    # What is stored may have been completed from committed closes.
    rounding = 0.0 if committed is None else ROUNDING
    since = request.start if stored is None else min(request.start, stored.since)
    quotes = _recent(ticker, request, stored, rounding)
    if quotes is None:
        quotes = ask_politely(ticker, since, request)
        if old is not None:
            _refuse_changes(ticker, request, quotes, old, rounding, stored is not None)
    closes, notes = complete(ticker, quotes.closes, old, request.sessions, adjusted=quotes.adjusted)
    if stored is not None and len(stored.closes.index.difference(closes.index)):
        raise BadData(
            f"Yahoo Finance sent closes of {ticker!r} from {iso(quotes.closes.index[0])} on only, "
            f"which do not join those held to {iso(stored.closes.index[-1])}: try again later"
        )
    if request.cache:
        notes += _kept(ticker, request, Stored(closes, quotes.instrument, since, request.finished))
    return closes, notes


def _recent(ticker: str, request: Request, stored: Stored | None, rounding: float) -> Quotes | None:
    """Return the last sessions of an index, if they join what we hold; else None."""
    if stored is None or stored.instrument != "INDEX" or stored.since > request.start:
        return None
    if len(stored.closes) < OVERLAP:
        return None
    quotes = ask_politely(ticker, stored.closes.index[-OVERLAP], request)
    joins = quotes.closes.index[0] <= stored.closes.index[-1]
    changed = changed_sessions(quotes.closes, stored.closes, adjusted=False, rounding=rounding)
    return quotes if joins and changed.empty else None


def _refuse_changes(
    ticker: str, request: Request, quotes: Quotes, old: pd.Series, rounding: float, cached: bool
) -> None:
    """Raise BadData when Yahoo contradicts what we hold: one of the two is wrong."""
    changed = changed_sessions(quotes.closes, old, adjusted=quotes.adjusted, rounding=rounding)
    if changed.empty:
        return
    day = changed[0]
    way_out = (
        f"to take the new ones, delete {record_path(request.folder, ticker)}"
        if cached
        else "make data shows the differences"
    )
    raise BadData(
        f"Yahoo Finance has restated {counted(len(changed), 'close')} of {ticker!r}, the first on "
        f"{iso(day)} ({old[day]:.2f} then, {quotes.closes[day]:.2f} now): {way_out}"
    )


def _kept(ticker: str, request: Request, stored: Stored) -> list[str]:
    """Write to the cache; a disk that is full costs the copy, not the answer."""
    try:
        write_cache(request.folder, ticker, stored, request.now)
    except OSError as error:
        return [f"it could not be kept in {request.folder}: {error.strerror or error}"]
    return []
