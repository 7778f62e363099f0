"""What prices did after one announcement: between which bars, how far, and how unusual that was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from impact.analysis.nights import has_release, night, night_bars
from impact.analysis.weak_spots import LARGE, after_a_large_move, weak_spots
from impact.analysis.window_ranks import TESTED, RankedWindows, largest_window, ranked_windows
from impact.inference.equal_tails import detectable, inverted
from impact.market.bars import Bar, BarGrid
from impact.market.calendar import nyse_sessions
from impact.market.clock_time import MINUTES, OPEN, clock
from impact.news.minutes import APPROXIMATE, BOUNDED
from impact.news.surroundings import covered_spans
from impact.text.formats import iso, number, ordinal
from impact.volatility.clock import PARTS, ClockVariance

#: A window that ends with the session instead of after so many minutes.
TO_CLOSE = "close"

CLOSED = "closed hours"

#: The longest window whose interval is given, in bars: two hours and the five minutes to which they
#: are rounded up. Longer ones were not measured.
_LONGEST = 25

#: What came out with the last price of a session could not move it any more.
_INSTANT = pd.Timedelta(microseconds=1)

_HOUR, _HALF_HOUR = 60 // MINUTES, 30 // MINUTES

#: Notes that others put into sentences.
IF_RIGHT = "if the minute is right within 30"
OF_ALL_NIGHTS = "allowing for how nervous the market was"
NO_P = "no p: "

#: Cells that stay empty where there is no test.
_OF_A_TEST = ("sigma", "z", "p_value", "ci_low", "ci_high", "smallest_detectable")

_NO_P = {
    PARTS[3]: "no p: none is reliable across the opening",
    PARTS[4]: "no p: none is reliable across the close",
}
_RELEASE = "no p: a macro release moves prices in this window"
_NOT_KNOWN = "no σ and no p: 51 earlier sessions with these hours are needed"
_ALONE = "no p: there is no other day to rank it among"
_NOT_CHECKED = "macro releases of this day are not known"
_TOUCHES = "no p: trading is closed for a part of this stretch"
_UNTESTED = "no p: windows to the close are not tested"


@dataclass(frozen=True)
class Stretch:
    """The prices between which an announcement is measured.

    Attributes
    ----------
    begin, end : Bar
        From the end of one bar to the end of another.
    closed : bool
        Whether trading is closed for a part of it.
    night : bool
        Whether the announcement came out while trading was closed: the whole night is measured.
    """

    begin: Bar
    end: Bar
    closed: bool = False
    night: bool = False

    @property
    def bars(self) -> int:
        """Length of a stretch inside one session, in bars."""
        return self.end.column - self.begin.column


def stretch(
    grid: BarGrid, earliest: pd.Timestamp, latest: pd.Timestamp, window: int | str
) -> Stretch | str:
    """Find the prices between which an announcement is measured, or say why it is not.

    From the last bar that ended at or before it (or its lower bound, New York wall clock) to the
    first that ended `window` minutes or more after it (or its upper bound). What came out while
    trading was closed is measured over the night.
    """
    begin = grid.last_bar(earliest)
    if begin is None:
        return f"before the bars, which begin on {iso(grid.sessions[0])}"
    last = iso(grid.sessions[-1])
    over = (
        f"its window ends after the bars, whose last session is {last}"
        if latest.normalize() == grid.sessions[-1]
        else f"after the bars, which end on {last}"
    )
    if window == TO_CLOSE:
        end = _close_after(grid, latest)
    else:
        end = grid.first_bar(latest + pd.Timedelta(minutes=int(window)))
    if end is None:
        return over
    if not grid.follows[begin.row : end.row].all():
        return f"no bars of the session {iso(_missing(grid, begin, end))}"
    if begin.row == end.row:
        return Stretch(begin, end)
    opens = Bar(begin.row + 1, int(grid.first[begin.row + 1]))
    night = begin.column == grid.last[begin.row] and grid.first_bar(latest + _INSTANT) == opens
    if night and window != TO_CLOSE:
        return Stretch(*night_bars(grid, begin.row), closed=True, night=True)
    return Stretch(begin, end, closed=True)


def _close_after(grid: BarGrid, wall: pd.Timestamp) -> Bar | None:
    """The first close of regular trading after a time."""
    bar = grid.first_bar(wall + _INSTANT)
    if bar is None:
        return None
    row = bar.row + (bar.column > grid.close[bar.row])
    return Bar(row, int(grid.close[row])) if row < len(grid.sessions) else None


def _missing(grid: BarGrid, begin: Bar, end: Bar) -> pd.Timestamp:
    """The first session of the exchange between two bars that the grid does not have."""
    every = nyse_sessions(grid.sessions[begin.row], grid.sessions[end.row])
    return every[~every.isin(grid.sessions)][0]


@dataclass
class _Row:
    """The cells of one announcement, filled one after the other."""

    cells: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def reaction(
    known: ClockVariance, where: Stretch, minute: str, window: int | str
) -> dict[str, Any]:
    """Measure one announcement: cells of a row of `IntradayStudy.table`.

    `minute` is one of the kinds of `impact.news.minutes`, `window` that given to `stretch`.
    """
    row = _Row()
    grid = known.grid
    move = grid.price(where.end) - grid.price(where.begin)
    row.cells = {
        "from": grid.time(where.begin),
        "to": grid.time(where.end),
        "move": move,
        "simple_change": float(np.expm1(move)),
        **dict.fromkeys(_OF_A_TEST, np.nan),
        "part": CLOSED,
        "minute": minute,
        "hour_before_move": np.nan,
        "hour_before_p": np.nan,
    }
    if minute == APPROXIMATE:
        row.notes.append(IF_RIGHT)
    if where.night:
        _fill_night(row, known, where)
    elif where.closed:
        row.notes.append(_UNTESTED if window == TO_CLOSE else _TOUCHES)
    else:
        _fill_window(row, known, where, None if window == TO_CLOSE else int(window), minute)
    if not where.night:
        _fill_before(row, known, where.begin, 0 if window == TO_CLOSE else int(window))
    days = (grid.sessions[where.begin.row], grid.sessions[where.end.row])
    if not any(first <= min(days) and max(days) <= last for first, last in covered_spans()):
        row.notes.append(_NOT_CHECKED)
    return row.cells | {"note": "; ".join(row.notes)}


def _fill_night(row: _Row, known: ClockVariance, where: Stretch) -> None:
    found = night(known, where.begin.row)
    if found is None:
        released = has_release(known.grid, where.begin.row)
        row.notes.append(_RELEASE if released else _NOT_KNOWN)
        return
    low, high = inverted(found.draws, found.move)
    row.cells |= {
        "p_value": found.p_value,
        "ci_low": low,
        "ci_high": high,
        "smallest_detectable": detectable(found.draws),
    }
    place = "" if found.rank == 1 else f"{ordinal(found.rank)} "
    row.notes.append(
        f"the {place}largest of {found.nights} nights, {OF_ALL_NIGHTS}; "
        "it includes everything since the last price"
    )


def _fill_window(
    row: _Row, known: ClockVariance, where: Stretch, minutes: int | None, minute: str
) -> None:
    """Fill in what a stretch inside one session shows; `minutes` is None to the close."""
    ranks = ranked_windows(known, where.bars)
    part = PARTS[ranks.windows.part[where.begin]]
    row.cells["part"] = part
    if minutes is None:
        row.notes.append(_UNTESTED)
        return
    sigma = float(ranks.windows.sigma[where.begin])
    row.cells |= {"sigma": sigma, "z": float(ranks.windows.z[where.begin])}
    valid = bool(ranks.reference[where.begin])
    draws = sigma * ranks.others(where.begin) if valid else np.array([])
    if len(draws) and where.bars <= _LONGEST:
        row.cells["ci_low"], row.cells["ci_high"] = inverted(draws, row.cells["move"])
    if not valid:
        row.notes.append(_why_not(sigma, part))
    elif not len(draws):
        row.notes.append(_ALONE)
    elif minute == BOUNDED:
        _fill_largest(row, ranked_windows(known, minutes // MINUTES), where)
    else:
        row.cells["p_value"] = float(ranks.p[where.begin])
        row.cells["smallest_detectable"] = detectable(draws)
        early = bool(known.grid.first[where.begin.row] < OPEN)
        row.notes += weak_spots(ranks, where.begin, minutes, early=early)


def _why_not(sigma: float, part: str) -> str:
    if not np.isfinite(sigma):
        return _NOT_KNOWN
    return _RELEASE if part in TESTED else _NO_P[part]


def _fill_largest(row: _Row, ranks: RankedWindows, where: Stretch) -> None:
    found = largest_window(ranks, where.begin, where.end)
    if found is None:
        row.notes.append(_ALONE)
        return
    row.cells |= {"p_value": found.p_value, "smallest_detectable": found.detectable}
    begin, end = found.begin.column, found.begin.column + ranks.windows.bars
    row.notes.append(
        f"p is that of its largest {MINUTES * ranks.windows.bars} minutes, {clock(begin)} to "
        f"{clock(end)} (z = {number(found.z, 1, signed=True)})"
    )


def _fill_before(row: _Row, known: ClockVariance, begin: Bar, minutes: int) -> None:
    """Fill in the hour before, and say if the half hour before was already large."""
    for bars in (_HOUR, _HALF_HOUR):
        at = Bar(begin.row, begin.column - bars)
        if at.column < 0:
            continue
        ranks = ranked_windows(known, bars)
        if bars == _HOUR:
            row.cells["hour_before_move"] = float(ranks.windows.move[at])
            row.cells["hour_before_p"] = float(ranks.p[at])
        elif abs(ranks.windows.z[at]) > LARGE:
            tested = bool(np.isfinite(row.cells["p_value"]))
            row.notes.append(after_a_large_move(minutes, tested=tested))
