"""The rules that five-minute prices must pass, each with the slip that it finds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import BarsError
from impact.market.calendar import nyse_sessions
from impact.market.clock_time import COLUMNS, FIRST_MINUTE, MINUTES, OPEN, clock
from impact.text.formats import iso

#: Largest believable |log change| from one price to the next.
_JUMP = 0.40

#: Sessions with a price at 09:25 that are needed to say how the bars are labelled.
_ENOUGH = 20

#: Bars of an hour: fewer that are missing are no other time zone.
_HOUR = 60 // MINUTES

_START = "labelled by their start: add five minutes to every time"
_ZONE = "in another time zone: write the offset behind each time, as in 2025-05-02T13:35+00:00"


def check_rows(wall: pd.DatetimeIndex) -> None:
    """Raise unless these are increasing ends of five minutes in New York trading hours, tz-naive.

    BarsError at the first rule broken; names the time and the fix.
    """
    if len(wall) == 0:
        raise BarsError("there are no bars: give at least one session")
    if wall.hasnans:
        raise BarsError(f"row {int(wall.isna().argmax()) + 1} of the bars has no time: give it one")
    days = wall.normalize()
    if len(days.unique()) == len(wall):
        raise BarsError(
            f"there is one price a day ({wall[0]}): these are daily prices, for event_study; "
            "intraday_study needs one every five minutes"
        )
    if wall.has_duplicates:
        twice = wall[wall.duplicated()][0]
        raise BarsError(
            f"{twice} stands twice: delete one of its rows (was the hour at the end of "
            "daylight-saving time kept twice?)"
        )
    if not wall.is_monotonic_increasing:
        row = int((np.diff(wall.asi8) < 0).argmax())
        raise BarsError(f"{wall[row + 1]} comes after {wall[row]}: sort the bars by time")
    minutes = (wall - days) / pd.Timedelta(minutes=1)
    _check_length(wall, days, minutes.to_numpy())
    _check_hours(wall, minutes.to_numpy())
    _check_days(days.unique())


def _check_length(wall: pd.DatetimeIndex, days: pd.DatetimeIndex, minutes: np.ndarray) -> None:
    if (odd := minutes % MINUTES != 0).any():
        raise BarsError(
            f"{wall[odd][0]} does not end five minutes: give bars of five minutes, as with "
            ".resample('5min', label='right', closed='right').last()"
        )
    apart = np.diff(minutes)[np.diff(days.asi8) == 0]
    if (usual := int(np.median(apart))) != MINUTES:
        raise BarsError(f"the bars are {usual} minutes long: give bars of five minutes")


def _check_hours(wall: pd.DatetimeIndex, minutes: np.ndarray) -> None:
    last = FIRST_MINUTE + MINUTES * (COLUMNS - 1)
    outside = (minutes < FIRST_MINUTE) | (minutes > last)
    if not outside.any():
        return
    reason = _START if (minutes[outside] == FIRST_MINUTE - MINUTES).all() else _ZONE
    raise BarsError(
        f"{wall[outside][0]} lies outside 04:05 to 20:00, the hours in which bars end in New York: "
        f"the bars may be {reason}"
    )


def _check_days(days: pd.DatetimeIndex) -> None:
    extra = days[~days.isin(nyse_sessions(days[0], days[-1]))]
    if len(extra):
        raise BarsError(
            f"{iso(extra[0])}, a {extra[0]:%A}, is not a session of the New York Stock Exchange: "
            "delete its rows"
        )


def check_regular(sessions: pd.DatetimeIndex, there: np.ndarray, close: np.ndarray) -> None:
    """Raise unless every session has each bar of regular hours.

    `there` says which bars have a price, shape (n, 192), `close` is the column of the last regular
    bar of each session. BarsError with the bar that is missing, or the reason why many are.
    """
    column = np.arange(COLUMNS)
    missing = ~there & (column > OPEN) & (column <= close[:, None])
    if not missing.any():
        return
    row, first = np.argwhere(missing)[0]
    bars = np.flatnonzero(there[row])
    wanted = np.arange(OPEN + 1, close[row] + 1)
    run = f"the bars of {iso(sessions[row])} run from {clock(bars[0])} to {clock(bars[-1])}"
    if bars[-1] == close[row] - 1 and np.isin(wanted - 1, bars).all():
        raise BarsError(f"{run}: they may be {_START}")
    hours = _HOUR * np.arange(-12, 13)[:, None]
    if missing[row].sum() >= _HOUR and np.isin(wanted + hours, bars).all(axis=1).any():
        raise BarsError(f"{run}: they may be {_ZONE}")
    raise BarsError(
        f"the bar {iso(sessions[row])} {clock(first)} is missing ({run}): add it, or leave out the "
        "session"
    )


def check_label(log_price: np.ndarray) -> None:
    """Raise if the bars are labelled by their start: trading then seems to begin before 09:30.

    The five minutes after 09:30 move prices by far more than those before it. Log prices have shape
    (n, 192), NaN where there was no trade.
    """
    squares = np.diff(log_price[:, OPEN - 2 : OPEN + 2], axis=1) ** 2
    squares = squares[np.isfinite(squares).all(axis=1)]
    if len(squares) < _ENOUGH:
        return
    earlier, before, after = np.median(squares, axis=0)
    if before > after and before > 2 * earlier:
        raise BarsError(
            f"prices move more in the bar {clock(OPEN)} than in {clock(OPEN + 1)}, with which "
            f"trading begins: the bars may be {_START}"
        )


def check_values(wall: pd.DatetimeIndex, values: np.ndarray) -> np.ndarray:
    """Return prices as floats; BarsError unless they are positive and do not jump wildly."""
    try:
        prices = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise BarsError("the bars hold something other than numbers: use pd.to_numeric") from None
    if (bad := ~(np.isfinite(prices) & (prices > 0))).any():
        row = int(bad.argmax())
        raise BarsError(
            f"the price {prices[row]:g} at {wall[row]} is not a positive number: correct it, or "
            "leave out the bar where there was no trade"
        )
    change = np.abs(np.diff(np.log(prices)))
    if (wild := change > _JUMP).any():
        row = int(wild.argmax())
        raise BarsError(
            f"the price {prices[row + 1]:g} at {wall[row + 1]} follows {prices[row]:g}, a log "
            f"change beyond ±{_JUMP:g}: correct it (was there a split?)"
        )
    return prices
