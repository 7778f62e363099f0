"""Live prices: Yahoo Finance, else the cache, else the committed history; the result says which.

`impact.market.prices` never touches the network; this module does, and falls back to it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from impact.errors import FetchError, NoData, Offline, RateLimited
from impact.market.instants import NEW_YORK, parse_date
from impact.market.prices import SECTORS
from impact.market.yahoo.cache import Stored, closes_csv
from impact.market.yahoo.refresh import (
    Request,
    committed_closes,
    held_in_cache,
    new_request,
    refreshed,
    up_to_date,
)
from impact.text.formats import counted, date, iso, list_of

LIVE = "Yahoo Finance"
CACHED = "cache of Yahoo Finance"
COMMITTED = "committed history"

_log = logging.getLogger("impact")


@dataclass(frozen=True)
class _Found:
    """Closes of one ticker, where they come from, and what a person should know about them."""

    closes: pd.Series
    source: str
    notes: tuple[str, ...] = ()
    error: FetchError | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return (str(self.error), *self.notes) if self.error else self.notes


def fetch_prices(
    tickers: str | Sequence[str],
    start: Any = "1927-12-30",
    end: Any = None,
    *,
    cache: bool = True,
    offline: bool = False,
    progress: bool = True,
) -> pd.Series | pd.DataFrame:
    """Fetch daily closes of US tickers up to the last finished session.

    Yahoo Finance is asked at most once for each ticker and finished session. When it cannot be
    reached, or answers with prices that cannot be right, the last good answer takes its place,
    and where there is none the history that comes with this package; one sentence on the
    ``impact`` logger says so. Every row is a NYSE session and no session is left out.

    Parameters
    ----------
    tickers : str or sequence of str
        As Yahoo Finance writes them: ``"^GSPC"``, ``"SPY"``, ``"BRK-B"``; ``"sectors"`` stands for
        the eleven sector funds.
    start, end : str, date or Timestamp, optional
        First and last date, both included, ISO form; by default all there is.
    cache : bool
        Keep answers on disk (folder: ``IMPACT_CACHE_DIR``, or the user's cache folder) and use
        them. False asks Yahoo now and keeps nothing.
    offline : bool
        Do not ask Yahoo.
    progress : bool
        Show a bar when there are several tickers.

    Returns
    -------
    Series or DataFrame
        Closes by session (tz-naive midnight, index ``date``): a Series for one ticker, a DataFrame
        for several, NaN where a ticker has no close. Of an index the close; of everything else
        the close adjusted for dividends and splits. ``attrs`` holds ``source``, ``hash``,
        ``last_session``, ``sessions_behind`` and ``notes``.

    Raises
    ------
    Offline, RateLimited, Refused, NoData, BadData
        When there is neither a live answer nor a stored one; all are `FetchError`.
    DateError
        When a date cannot be read, or `end` comes before `start`.

    Examples
    --------
    >>> closes = fetch_prices("^GSPC", "2025-04-08", "2025-04-09", offline=True, cache=False)
    >>> closes.tolist()
    [4982.77, 5456.9]
    >>> closes.attrs["source"]
    'committed history'
    """
    return _fetch(
        tickers,
        start,
        end,
        cache=cache,
        offline=offline,
        progress=progress,
        now=pd.Timestamp.now(NEW_YORK),
    )


def _fetch(
    tickers: str | Sequence[str],
    start: Any,
    end: Any,
    *,
    now: pd.Timestamp,
    cache: bool = True,
    offline: bool = False,
    progress: bool = False,
    client: Any = None,
) -> pd.Series | pd.DataFrame:
    """Do what `fetch_prices` says, at a given time and through a given connection."""
    names = _names(tickers)
    request = new_request(
        parse_date(start),
        None if end is None else parse_date(end),
        now=now,
        cache=cache,
        client=client,
        excuse=Offline("offline=True keeps Yahoo Finance out") if offline else None,
    )
    found: dict[str, _Found] = {}
    for name in _with_bar(names, progress):
        found[name] = _find(name, request)
        # What keeps us from one ticker keeps us from the next.
        if isinstance(found[name].error, Offline | RateLimited):
            request = replace(request, excuse=found[name].error)
    _say(found, request)
    columns = [one.closes for one in found.values()]
    alone = isinstance(tickers, str) and len(columns) == 1
    closes = columns[0].copy() if alone else pd.concat(columns, axis=1, sort=True)
    closes.attrs = _signature(closes, found, request)
    return closes


def _names(tickers: str | Sequence[str]) -> list[str]:
    """Return tickers in capitals, each once."""
    if isinstance(tickers, str):
        tickers = SECTORS if tickers == "sectors" else [tickers]
    names = list(tickers) if isinstance(tickers, Iterable) else [tickers]
    for name in names:
        if not isinstance(name, str) or len(name.split()) != 1:
            raise NoData(f"{name!r} is no ticker: write it as Yahoo Finance does, '^GSPC' or 'SPY'")
    if not names:
        raise NoData("no ticker was given: write for example fetch_prices('^GSPC')")
    return list(dict.fromkeys(name.strip().upper() for name in names))


def _with_bar(names: list[str], progress: bool) -> Iterable[str]:
    if not progress or len(names) == 1:
        return names
    from tqdm.auto import tqdm

    return tqdm(names, desc="Yahoo Finance", unit="ticker")


def _find(ticker: str, request: Request) -> _Found:
    """Return the closes of a ticker from the best place that has them."""
    stored, notes = held_in_cache(ticker, request)
    if stored is not None and up_to_date(stored, request):
        return _cut(ticker, _Found(stored.closes, CACHED, tuple(notes)), request)
    try:
        closes, said = refreshed(ticker, request, stored)
    except FetchError as error:
        return _fallen_back(ticker, request, stored, notes, error)
    return _cut(ticker, _Found(closes, LIVE, (*notes, *said)), request)


def _cut(ticker: str, found: _Found, request: Request) -> _Found:
    """Return the dates that were asked for."""
    closes = found.closes[request.start : request.wanted]
    if closes.empty:
        raise NoData(
            f"Yahoo Finance has {ticker!r} from {iso(found.closes.index[0])} to "
            f"{iso(found.closes.index[-1])}: ask for dates between the two, not "
            f"{iso(request.start)} to {iso(request.wanted)}"
        )
    late = closes.index[-1] < request.wanted and not found.notes
    return replace(found, closes=closes, notes=("it has no later close",) if late else found.notes)


def _fallen_back(
    ticker: str,
    request: Request,
    stored: Stored | None,
    notes: list[str],
    error: FetchError,
) -> _Found:
    """Return the best closes that we hold, or raise what kept us from better ones."""
    held = []
    if stored is not None:
        held.append((CACHED, stored.closes, min(stored.since, stored.closes.index[0])))
    committed = committed_closes(ticker)
    if committed is not None:
        held.append((COMMITTED, committed, committed.index[0]))
    # The cache first; but what does not reach back far enough comes last, the longest first.
    held.sort(key=lambda one: max(one[2], request.start))
    for source, closes, _ in held:
        closes = closes[request.start : request.wanted]
        if len(closes):
            return _Found(closes, source, tuple(notes), error)
    raise type(error)(
        f"{'; '.join([str(error), *notes])}; no closes of {ticker!r} are stored to take their place"
    ) from error


# -- saying what was used ------------------------------------------------------------------------


def _behind(closes: pd.Series, request: Request) -> int:
    sessions = request.sessions
    return int(((sessions > closes.index[-1]) & (sessions <= request.wanted)).sum())


def _say(found: dict[str, _Found], request: Request) -> None:
    """Say in one sentence for all tickers that share it what a person should know."""
    sentences: dict[tuple[str, int], list[str]] = {}
    for ticker, one in found.items():
        level = logging.WARNING if one.reasons else logging.INFO
        sentences.setdefault((_sentence(one, request), level), []).append(ticker)
    for (sentence, level), tickers in sentences.items():
        _log.log(level, "%s: %s", list_of(tickers), sentence)


def _sentence(found: _Found, request: Request) -> str:
    first, last = date(found.closes.index[0]), date(found.closes.index[-1])
    behind = _behind(found.closes, request)
    state = f"{counted(behind, 'session')} behind" if behind else "up to date"
    used = f"used {found.source} ({first} to {last}, {state})"
    if not found.reasons:
        return used
    return f"{used}{' because ' if found.error else ': '}{'; '.join(found.reasons)}"


def _signature(
    closes: pd.Series | pd.DataFrame, found: dict[str, _Found], request: Request
) -> dict[str, Any]:
    """Return where the closes come from, for their ``attrs``."""
    sources: dict[str, list[str]] = {}
    for ticker, one in found.items():
        sources.setdefault(one.source, []).append(ticker)
    parts = [f"{source}: {', '.join(tickers)}" for source, tickers in sources.items()]
    return {
        "source": next(iter(sources)) if len(sources) == 1 else "; ".join(parts),
        "hash": hashlib.sha256(closes_csv(closes)).hexdigest()[:12],
        "last_session": min(one.closes.index[-1] for one in found.values()),
        "sessions_behind": max(_behind(one.closes, request) for one in found.values()),
        "notes": tuple(
            f"{ticker}: {note}" for ticker, one in found.items() for note in one.reasons
        ),
    }
