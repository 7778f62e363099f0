"""What an answer of Yahoo Finance must be: of the ticker and market asked for, and right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from impact.errors import BadData, NoData
from impact.market import prices
from impact.market.calendar import NYSE, exchange
from impact.market.instants import NEW_YORK
from impact.market.prices import INDEX, SECTORS, VIX
from impact.text.formats import iso

#: A hole this recent, in sessions, is Yahoo being late; an older one will not be filled any more.
LATE = 63
#: Largest believable |log change| from one close to the next; of others it is a five-fold change.
JUMPS: dict[str, float] = dict.fromkeys((*SECTORS, "SPY"), prices.ETF_JUMP)
JUMPS |= {INDEX: prices.INDEX_JUMP, VIX: prices.VIX_JUMP}

_FIX = "can be checked here, another exchange is named with market="
_FACTS = ("symbol", "dataGranularity", "currency", "exchangeTimezoneName")

#: Closes, and notes for a person.
Noted = tuple[pd.Series, tuple[str, ...]]


def bad(what: str) -> BadData:
    """Return the error for an answer that cannot be right."""
    return BadData(f"Yahoo Finance sent {what}: try again later")


def result_of(
    ticker: str, body: Any, status: int, interval: str, market: str = NYSE
) -> tuple[Any, np.ndarray]:
    """Return the result in an answer and its stamps in seconds, if they are what was asked for."""
    if body["chart"]["error"] and status in (200, 400, 404):
        reason = " ".join(str(body["chart"]["error"]["description"])[:200].split())
        raise NoData(f"Yahoo Finance has no prices for {ticker!r} (it says: {reason}): correct it")
    result = body["chart"]["result"][0]
    facts = [result["meta"][fact] for fact in _FACTS]
    home = market == NYSE
    zones = (NEW_YORK, "America/Chicago") if home else (exchange(market).zone,)
    if facts not in ([ticker, interval, "USD" if home else facts[2], zone] for zone in zones):
        got = f"Yahoo Finance answered for {ticker!r} with {facts}"
        kind = "daily prices" if interval == "1d" else "five-minute prices"
        raise BadData(f"{got}: only {kind} of {'US markets' if home else market} {_FIX}")
    seconds = np.array(result["timestamp"], dtype=float)
    # A day at midnight can be the one before; milliseconds are the year 50,000, slow to place.
    # Tokyo opens at midnight by the clock of Greenwich, and so do days that never end.
    midnight = (seconds % 86_400 == 0) & (interval == "1d") & home
    if not ((np.abs(seconds) < 2**32) & ~midnight).all():
        raise bad(f"a row of {ticker!r} stamped with a time that cannot be")
    return result, seconds.astype("int64")


def closes_of_answer(ticker: str, body: Any, status: int, market: str) -> tuple[pd.Series, bool]:
    """Return the closes in an answer by day, and whether they are adjusted for dividends."""
    result, seconds = result_of(ticker, body, status, "1d", market)
    meta, quotes = result["meta"], result["indicators"]
    days = pd.to_datetime(seconds, unit="s", utc=True).tz_convert(meta["exchangeTimezoneName"])
    days = days.tz_localize(None).normalize().as_unit("us").rename("date")
    adjusted = meta["instrumentType"] != "INDEX"
    sent = quotes["adjclose"][0]["adjclose"] if adjusted else quotes["quote"][0]["close"]
    return pd.Series(np.array(sent, dtype=float), days, name=ticker).dropna(), adjusted


def whole(ticker: str, closes: pd.Series, sessions: pd.DatetimeIndex) -> Noted:
    """Return closes in order that pass every check, and a note where they end before a hole.

    BadData when a day has two closes or is not a session of `sessions` (all up to the last finished
    one), when a close cannot be right, or when one lacks that is not recent.
    """
    if closes.empty:
        raise bad(f"rows without a single price for {ticker!r}")
    closes = closes.sort_index(kind="stable")
    extra = closes.index.difference(sessions)
    if len(extra):
        raise bad(f"a close of {ticker!r} for {iso(extra[0])}, a day without trading")
    low, high = prices.VIX_LEVELS if ticker == VIX else (0, np.inf)
    odd = closes[~((closes > low) & (closes < high))]
    if len(odd):
        raise bad(f"{odd.iloc[0]} as close of {ticker!r} on {iso(odd.index[0])}")
    again = closes.index.duplicated()
    # Two rows of one day hold the same close, but for the noise of single precision.
    limit = np.where(again, 1e-6, JUMPS.get(ticker, 1.61))
    wild = np.log(closes).diff().abs().to_numpy() > limit
    if wild.any():
        row = int(wild.argmax())
        pair = "{:.2f} and then {:.2f}".format(*closes.iloc[[row - 1, row]])
        what = "for one day, " if again[row] else "that jump, "
        raise bad(f"closes of {ticker!r} {what}{pair} on {iso(closes.index[row])}")
    closes = closes[~again]
    span = sessions[(sessions >= closes.index[0]) & (sessions <= closes.index[-1])]
    holes = span.difference(closes.index)
    if holes.empty:
        return closes, ()
    lacks = f"Yahoo Finance lacks the close of {iso(holes[0])}"
    if holes[0] < sessions[-LATE:][0]:
        raise BadData(f"{lacks} of {ticker!r}: ask for what lies after {iso(holes[-1])}")
    return closes[closes.index < holes[0]], (f"{lacks}, so the closes end before",)
