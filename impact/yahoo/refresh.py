"""Bring the closes of one ticker up to date: ask, compare with what we hold, complete, keep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impact.dates import NEW_YORK
from impact.errors import BadData, DataFileError, FetchError, RateLimited, Refused
from impact.formats import iso
from impact.prices import INDEX, SECTORS, VIX, load_prices, load_vix
from impact.sessions import nyse_sessions
from impact.yahoo.cache import (
    Stored,
    cool_down_until,
    end_cool_down,
    read_cache,
    record_path,
    refresh_lock,
    start_cool_down,
    write_cache,
)
from impact.yahoo.quotes import Quotes, ask_yahoo, last_finished

#: An index is brought up to date from this many sessions before the last close we hold.
OVERLAP = 10
#: Yahoo's first close of the S&P 500, the oldest it has.
FIRST_DAY = pd.Timestamp("1927-12-30")
#: How long a process waits for another one that fetches the same ticker, in seconds.
PATIENCE = 15.0

#: Relative difference below which two copies of a close are the same close.
AGREEMENT = 2e-4
#: Half a cent: committed closes are rounded to cents.
ROUNDING = 0.005
#: A hole this recent, in sessions, is Yahoo being late; an older one will not be filled any more.
LATE = 63

_NO_CLOSES = pd.Series(dtype="float64", index=pd.DatetimeIndex([]))


@dataclass(frozen=True)
class Request:
    """What was asked of `fetch_prices`, when, and through which connection.

    Attributes
    ----------
    start, wanted : Timestamp
        First date that was asked for, and the last finished session that was.
    sessions : DatetimeIndex
        Every session that Yahoo carries, to the last finished one.
    now : Timestamp
        The present, with a time zone.
    folder : Path
        Folder of the cache.
    cache : bool
        Whether the cache may be read and written.
    client : curl_cffi session or None
        The connection; None for the one that the process shares.
    excuse : FetchError or None
        Why Yahoo is not to be asked.
    """

    start: pd.Timestamp
    wanted: pd.Timestamp
    sessions: pd.DatetimeIndex
    now: pd.Timestamp
    folder: Path
    cache: bool = True
    client: Any = None
    excuse: FetchError | None = None

    @property
    def finished(self) -> pd.Timestamp:
        """The last session whose close is final."""
        return self.sessions[-1]


def finished_sessions(now: pd.Timestamp) -> pd.DatetimeIndex:
    """Return every session that Yahoo carries, from 1927 to the last one whose close is final.

    Parameters
    ----------
    now : Timestamp
        The present, with a time zone.
    """
    today = now.tz_convert(NEW_YORK).tz_localize(None).normalize()
    sessions = nyse_sessions(FIRST_DAY, today)
    # Yahoo does not carry the Saturday sessions that New York had until 1952.
    sessions = sessions[sessions.day_of_week < 5]
    return sessions[sessions <= last_finished(sessions, now)]


def committed_closes(ticker: str) -> pd.Series | None:
    """Return the closes that come with this package, or None when it has none of the ticker.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.

    Examples
    --------
    >>> len(committed_closes("^GSPC")), committed_closes("SPY") is None
    (6957, True)
    """
    if ticker == VIX:
        return load_vix()
    return load_prices(ticker) if ticker in (INDEX, *SECTORS) else None


def changes(
    new: pd.Series, old: pd.Series, *, adjusted: bool, rounding: float = 0.0
) -> pd.DatetimeIndex:
    """Return the sessions whose old close the new ones contradict.

    Parameters
    ----------
    new, old : Series
        Closes by session, of one ticker.
    adjusted : bool
        Compare returns: every dividend rescales the levels of adjusted closes.
    rounding : float
        Largest rounding error of `old`, in dollars or index points.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-04-08", "2025-04-09"])
    >>> old, new = pd.Series([4982.77, 5456.90], days), pd.Series([4982.77, 5465.90], days)
    >>> [f"{day:%d %B}" for day in changes(new, old, adjusted=False)]
    ['09 April']
    """
    both = new.index.intersection(old.index)
    new, old = new[both], old[both]
    allowed = AGREEMENT + rounding / old
    difference = np.log(new / old)
    if adjusted:
        difference = difference.diff()
        allowed = allowed + rounding / old.shift()
    return both[difference.abs() > allowed]


def complete(
    ticker: str,
    new: pd.Series,
    old: pd.Series,
    sessions: pd.DatetimeIndex,
    *,
    adjusted: bool,
) -> tuple[pd.Series, list[str]]:
    """Fill what the new closes lack from the old ones, and end before a hole that is left.

    Parameters
    ----------
    ticker : str
        For the messages.
    new, old : Series
        Closes by session, in agreement. Old ones without a session in common with the new are
        of no use.
    sessions : DatetimeIndex
        Every session up to the last finished one.
    adjusted : bool
        Bring the old levels to those of the new closes.

    Returns
    -------
    closes : Series
        Without a gap.
    notes : list of str
        What was filled or left out, one sentence each.

    Raises
    ------
    BadData
        When a session is missing that Yahoo will not deliver any more.
    """
    notes = []
    closes = new
    if len(new.index.intersection(old.index)):
        lacking = old.index.difference(new.index)
        inner = lacking[lacking > new.index[0]]
        if len(inner):
            notes.append(f"Yahoo Finance lacks {_days(inner)}; taken from what we hold")
        held = _on_level(old, new, adjusted)[lacking]
        closes = pd.concat([new, held]).sort_index()
    expected = sessions[(sessions >= closes.index[0]) & (sessions <= closes.index[-1])]
    holes = expected.difference(closes.index)
    if len(holes):
        if holes[0] < sessions[-LATE:][0]:
            raise BadData(
                f"Yahoo Finance lacks {_days(holes)} of {ticker!r}; ask for what lies after it: "
                f"start={iso(holes[-1] + pd.Timedelta(days=1))!r}"
            )
        notes.append(f"Yahoo Finance lacks {_days(holes)}; the closes end before")
        closes = closes[: holes[0] - pd.Timedelta(days=1)]
    return closes.rename_axis("date").rename(ticker), notes


def _on_level(old: pd.Series, new: pd.Series, adjusted: bool) -> pd.Series:
    """Return old closes at the level of the new ones: the ratio at the nearest common session."""
    if not adjusted:
        return old
    ratio = (new / old).dropna()
    return old * ratio.reindex(old.index, method="ffill").bfill()


def _days(days: pd.DatetimeIndex) -> str:
    if len(days) == 1:
        return f"the close of {iso(days[0])}"
    return f"{len(days)} closes from {iso(days[0])} to {iso(days[-1])}"


def held_in_cache(ticker: str, request: Request) -> tuple[Stored | None, list[str]]:
    """Return what the cache holds of a ticker; a broken file counts as none, and is spoken of.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    request : Request
        Names the folder, and whether it may be used.

    Returns
    -------
    stored : Stored or None
    notes : list of str
        What a person should know.
    """
    if not request.cache:
        return None, []
    try:
        return read_cache(request.folder, ticker), []
    except (DataFileError, OSError) as error:
        return None, [str(error)]


def up_to_date(stored: Stored, request: Request) -> bool:
    """Return whether Yahoo was asked for all this since the last session finished.

    Parameters
    ----------
    stored : Stored
        What is held of the ticker.
    request : Request
        What is wanted.
    """
    return stored.since <= request.start and (
        stored.closes.index[-1] >= request.wanted or stored.session >= request.finished
    )


def refreshed(
    ticker: str, request: Request, stored: Stored | None
) -> tuple[pd.Series, list[str]]:
    """Ask Yahoo, complete the answer from what we hold, and keep it.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    request : Request
        What is wanted.
    stored : Stored or None
        What the cache holds of the ticker.

    Returns
    -------
    closes : Series
        Without a gap.
    notes : list of str
        What a person should know.

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        When there is no good answer; the cache is then as it was.
    """
    if request.excuse is not None:
        raise request.excuse
    with _turn(ticker, request, stored) as mine:
        if not mine:
            raise Refused("another process is asking Yahoo Finance for it at this moment")
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


def _asked(
    ticker: str, request: Request, stored: Stored | None
) -> tuple[pd.Series, list[str]]:
    """Ask Yahoo for what is missing, else for everything; compare, complete, keep."""
    since = min(request.start, stored.since) if stored else request.start
    old, rounding = (stored.closes, 0.0) if stored else (_committed_since(ticker, since), ROUNDING)
    quotes = _recent(ticker, request, stored)
    if quotes is None:
        quotes = ask(ticker, since, request)
        changed = changes(quotes.closes, old, adjusted=quotes.adjusted, rounding=rounding)
        if len(changed):
            raise BadData(_restated(ticker, request, quotes, old, changed[0], stored))
    closes, notes = complete(
        ticker, quotes.closes, old, request.sessions, adjusted=quotes.adjusted
    )
    if request.cache:
        notes += _kept(
            ticker, request, Stored(closes, quotes.instrument, since, request.finished)
        )
    return closes, notes


def _committed_since(ticker: str, since: pd.Timestamp) -> pd.Series:
    committed = committed_closes(ticker)
    return _NO_CLOSES if committed is None else committed[since:]


def _recent(ticker: str, request: Request, stored: Stored | None) -> Quotes | None:
    """Return the last sessions of an index, if they join what we hold; else None."""
    if stored is None or stored.instrument != "INDEX" or stored.since > request.start:
        return None
    if len(stored.closes) < OVERLAP:
        return None
    quotes = ask(ticker, stored.closes.index[-OVERLAP], request)
    joins = quotes.closes.index[0] <= stored.closes.index[-1]
    agrees = changes(quotes.closes, stored.closes, adjusted=False).empty
    return quotes if joins and agrees else None


def ask(ticker: str, since: pd.Timestamp, request: Request) -> Quotes:
    """Ask Yahoo for the closes of a ticker, and remember when it wants to be left alone.

    Parameters
    ----------
    ticker : str
        Ticker as Yahoo writes it.
    since : Timestamp
        First date wanted.
    request : Request
        Time, connection, folder of the cool-down.

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        As `ask_yahoo`; RateLimited also while an earlier cool-down lasts.
    """
    until = cool_down_until(request.folder, request.now)
    if until is not None:
        raise RateLimited(
            f"Yahoo Finance asked to be left alone: it is not asked again before {_clock(until)}"
        )
    try:
        quotes = ask_yahoo(
            ticker, since, now=request.now, sessions=request.sessions, client=request.client
        )
    except RateLimited as error:
        # Where nothing can be written nothing is remembered, and the next call asks again.
        with contextlib.suppress(OSError):
            until = start_cool_down(request.folder, request.now)
        if until is None:
            raise
        raise RateLimited(f"{error}: it is not asked again before {_clock(until)}") from error
    with contextlib.suppress(OSError):
        end_cool_down(request.folder)
    return quotes


def _clock(moment: pd.Timestamp) -> str:
    return f"{moment.tz_convert(NEW_YORK):%H:%M} New York time"


def _restated(
    ticker: str,
    request: Request,
    quotes: Quotes,
    old: pd.Series,
    day: pd.Timestamp,
    stored: Stored | None,
) -> str:
    way_out = (
        f"to take the new ones, delete {record_path(request.folder, ticker)}"
        if stored
        else "make data shows the differences"
    )
    return (
        f"Yahoo Finance has restated its closes: {old[day]:.2f} on {iso(day)} is "
        f"{quotes.closes[day]:.2f} now; {way_out}"
    )


def _kept(ticker: str, request: Request, stored: Stored) -> list[str]:
    """Write to the cache; a disk that is full costs the copy, not the answer."""
    try:
        write_cache(request.folder, ticker, stored, request.now)
    except OSError as error:
        return [f"it could not be kept in {request.folder}: {error.strerror or error}"]
    return []


