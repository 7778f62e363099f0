"""What happened while nobody could trade: the move over closed hours among all other nights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.inference.equal_tails import equal_tails
from impact.market.bars import Bar, BarGrid
from impact.market.clock_time import COLUMNS, OPEN
from impact.news.minutes import release_minutes
from impact.volatility.clock import ClockVariance

_OPENING = pd.Timedelta(hours=9, minutes=30)

#: Where a session begins before 09:30, its night is measured to this many bars after the first:
#: 04:30 where that is 04:05.
_FIRST_BARS = 5


@dataclass(frozen=True, eq=False)
class Night:
    """The move over closed hours, ranked among all other nights.

    Attributes
    ----------
    move : float
        Log return.
    draws : ndarray
        Moves of the other nights, in the volatility of this one.
    rank : int
        How many nights moved as much, this one among them, allowing for volatility.
    """

    move: float
    draws: np.ndarray
    rank: int

    @property
    def nights(self) -> int:
        """Number of nights, this one among them."""
        return len(self.draws) + 1

    @property
    def p_value(self) -> float:
        """Equal-tailed p; two over the number of nights is the smallest."""
        return equal_tails(self.draws, self.move)


def night_bars(grid: BarGrid, row: int) -> tuple[Bar, Bar]:
    """Return the bars between which the night after a session is measured."""
    first = int(grid.first[row + 1])
    end = first if first >= OPEN else first + _FIRST_BARS
    return Bar(row, int(grid.last[row])), Bar(row + 1, end)


def night(known: ClockVariance, row: int) -> Night | None:
    """Rank the move over the night after a session among all other nights.

    The next session of the exchange must be in the bars. None where the volatility before the night
    is not known yet, or a macro release came in it.

    Notes
    -----
    Each night's move is divided by the level known at its last bar, and by the root mean square of
    its kind: nights over a weekend or a holiday are a kind of their own. Where the session before
    has no trading after the close, all nights are measured from the close; where the one after has
    none before 09:30, all are measured to its first bar. A night with a macro release is not
    tested, and no other is ranked among such nights.
    """
    grid = known.grid
    moves, begins = _moves(grid, row)
    rows = np.arange(len(moves))
    unit = np.sqrt(known.level.ravel()[rows * COLUMNS + begins + 1])
    ranked = np.isfinite(moves / unit) & grid.follows
    ranked &= (rows + 1 >= known.tested_from) & ~_released(grid, row)
    if not ranked[row] or ranked.sum() == 1:
        return None
    long = np.diff(grid.sessions.to_numpy()) > np.timedelta64(1, "D")
    for kind in (long & ranked, ~long & ranked):
        unit[kind] *= np.sqrt(np.mean((moves[kind] / unit[kind]) ** 2)) if kind.any() else 1
    z = moves / unit
    others = z[ranked & (rows != row)]
    rank = 1 + int(np.count_nonzero(np.abs(others) >= abs(z[row])))
    return Night(float(moves[row]), others * unit[row], rank)


def _moves(grid: BarGrid, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Move over each night, measured as the one after `row` is; the column where each begins."""
    first, last, rows = grid.first, grid.last, np.arange(len(grid.sessions))
    evening, early = last > grid.close, first < OPEN
    begins = np.where(evening, last, 0) if evening[row] else grid.close
    ends = (
        np.where(early, first + _FIRST_BARS, 0)
        if early[row + 1]
        else np.full_like(rows, first[row + 1])
    )
    price = np.column_stack([np.full(len(rows), np.nan), grid.log_price[:, 1:]])  # 0: no such bar
    return price[rows[1:], ends[1:]] - price[rows[:-1], begins[:-1]], begins[:-1]


def has_release(grid: BarGrid, row: int) -> bool:
    """Whether a macro release came in the night after a session."""
    return bool(_released(grid, row)[row])


def _released(grid: BarGrid, row: int) -> np.ndarray:
    """Nights with a macro release before 09:30, where the one after `row` is measured to then."""
    if grid.first[row + 1] < OPEN:
        return np.zeros(len(grid.sessions) - 1, dtype=bool)
    at = release_minutes()["at"]
    early = at.dt.normalize()[at - at.dt.normalize() < _OPENING]
    return grid.sessions[1:].isin(early)
