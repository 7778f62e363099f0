"""Live five-minute prices: what Yahoo Finance has of the last sixty days, checked bar by bar."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import BadData, BarsError, NoData
from impact.market import yahoo
from impact.market.bars import bar_grid, bars_hash
from impact.market.calendar import nyse_sessions, session_closes
from impact.market.clock_time import MINUTES
from impact.market.instants import NEW_YORK
from impact.market.yahoo_answers import bad, result_of
from impact.text.formats import counted, date, iso

#: Yahoo keeps bars of five minutes for sixty days; the last one is short of them by some hours.
_REACH = pd.Timedelta(days=59)
_BAR = pd.Timedelta(minutes=MINUTES)


def fetch_bars(ticker: str, interval: str = "5m") -> pd.Series:
    """Fetch the five-minute prices of the last sixty days, extended hours included.

    Yahoo Finance is asked at every call, for less than 15 seconds. Its bars are stamped with their
    start; here they stand at their end. Sixty days are some forty sessions, and a p needs 51
    before it: keep what you fetch, and put it behind what you have with `pandas.concat`.

    Parameters
    ----------
    ticker : str
        As Yahoo Finance writes it, such as "SPY".
    interval : {"5m"}
        Length of a bar.

    Returns
    -------
    Series, shape (bars,)
        US dollars, as `load_bars` returns them; the session that is trading comes once it is over,
        sessions that lack a regular bar not at all. ``attrs``: ``source``, ``hash``, ``security``,
        ``notes``.

    Raises
    ------
    BarsError
        If another interval is asked for.
    FetchError
        When Yahoo Finance cannot be reached, has no such bars, or sends what cannot be right.

    Examples
    --------
    >>> fetch_bars("SPY", "1h")
    Traceback (most recent call last):
    impact.errors.BarsError: interval='1h': intraday_study reads bars of five minutes, '5m'
    """
    if interval != "5m":
        raise BarsError(f"interval={interval!r}: intraday_study reads bars of five minutes, '5m'")
    if not isinstance(ticker, str) or ticker == "sectors":
        raise NoData(f"{ticker!r} is not a ticker: give one, such as 'SPY'")
    (name,) = yahoo.tickers_of(ticker)
    client = yahoo.new_client(time.monotonic() + yahoo.SECONDS)
    params = {"interval": interval, "includePrePost": "true", "events": "div,splits"}
    start = yahoo.present() - _REACH
    bars, now = yahoo.answered(name, start, params, client, _read)
    bars, notes = _whole(name, bars, now.tz_convert(NEW_YORK))
    bars.attrs = {"source": yahoo.LIVE, "security": name, "notes": notes}
    bars.attrs["hash"] = bars_hash(bars)
    span = f"{date(bars.index[0])} to {date(bars.index[-1])}"
    said = "; ".join([f"used {yahoo.LIVE} ({span})", *notes])
    logging.getLogger("impact").log(
        logging.WARNING if notes else logging.INFO, "%s: %s", name, said
    )
    return bars


def _read(ticker: str, body: Any, status: int) -> pd.Series:
    """Return the prices in an answer by the end of their bar."""
    result, seconds = result_of(ticker, body, status, "5m")
    starts = pd.to_datetime(seconds, unit="s", utc=True).tz_convert(NEW_YORK).as_unit("us")
    sent = np.array(result["indicators"]["quote"][0]["close"], dtype=float)
    return pd.Series(sent, (starts + _BAR).rename("time"), name=ticker).dropna()


def _whole(ticker: str, bars: pd.Series, now: pd.Timestamp) -> tuple[pd.Series, tuple[str, ...]]:
    """Return the bars of whole sessions, and notes on what is left out."""
    bars = bars.sort_index(kind="stable")
    bars = bars[bars.index <= now]
    # Behind the bars stands the last price, stamped with its second or the end of trading.
    if len(bars) and (bars.index[-1] - _BAR) not in _starts(bars.index[-1]):
        bars = bars.iloc[:-1]
    if bars.empty:
        raise bad(f"no finished bar of {ticker!r}")
    day = bars.index.tz_localize(None).normalize()
    lacking: dict[pd.Timestamp, pd.Timestamp] = {}
    sessions = nyse_sessions(day[0], day[-1])
    for session, close in zip(sessions, session_closes(sessions), strict=True):
        opening = session.tz_localize(NEW_YORK) + pd.Timedelta(hours=9, minutes=30)
        regular = pd.date_range(opening + _BAR, close, freq=_BAR)
        if not regular.isin(bars.index).all():
            lacking[session] = close
    notes = tuple(_lack(*one, bars, now) for one in lacking.items() if one[0] != day[0])
    whole = bars[~day.isin([*lacking])]
    if len(lacking) == len(sessions):
        raise BadData(f"Yahoo Finance lacks regular bars of {ticker!r} in every session: {notes}")
    try:
        bar_grid(whole)
    except BarsError as error:
        raise bad(f"bars of {ticker!r} that cannot be right ({error})") from None
    return whole, notes


def _starts(instant: pd.Timestamp) -> pd.DatetimeIndex:
    """When bars of a day can start: 04:00 to 19:55."""
    midnight = instant.tz_localize(None).normalize()
    clock = pd.timedelta_range("4h", "19h55min", freq=_BAR)
    return (midnight + clock).tz_localize(NEW_YORK)


def _lack(session: pd.Timestamp, close: pd.Timestamp, bars: pd.Series, now: pd.Timestamp) -> str:
    if close > now:
        return f"the session of {iso(session)} is not over"
    own = bars[bars.index.tz_localize(None).normalize() == session]
    return f"{iso(session)} is left out, it lacks regular bars ({counted(len(own), 'bar')} came)"
