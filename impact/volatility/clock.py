"""The variance of the next minutes as it was known before them: the time of day and the last hours.

Trading is busier at 09:35 than at 13:00 and busier in a nervous week than in a calm one. The
variance of a window is the share that its clock time has of a session's squares, times the level
of the last hours, times a scale by part of the day. All numbers are decimal fractions.

References
----------
Taylor and Xu (1997), J. Empirical Finance 4, for the clock pattern; RiskMetrics (1996) for
exponential weights; Engle and Sokalska (2012), J. Financial Econometrics 10, for the product of a
clock pattern and slower components.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import HistoryError
from impact.market.bars import BarGrid
from impact.market.clock_time import COLUMNS, OPEN

#: Sessions behind the first clock pattern, and behind the first scale.
PATTERN_SESSIONS, SCALE_SESSIONS = 30, 20

#: Half-lives of the two averages that make the level, in bars.
HALF_LIVES = (6, 96)

#: Parts of the day, in the order of `Windows.part`. No test keeps its size in the last two.
PARTS = ("pre-open", "trading", "after hours", "across 09:30", "across the close")

#: Squares are cut at these quantiles of the past before they are averaged.
_PATTERN_CUT, _SCALE_CUT = 0.99, 0.995


@dataclass(frozen=True, eq=False)
class ClockVariance:
    """What was known of the variance of each bar.

    Attributes
    ----------
    grid : BarGrid
        The prices; regular hours alone where fewer than 30 sessions are whole.
    share : ndarray, shape (n, 192)
        Each bar's share of a whole session's variance, from earlier sessions; the shares of a
        session sum to one. NaN before there are 30 sessions.
    level : ndarray, shape (n, 192)
        Variance of a whole session at the pace of the last hours, known before the bar.
    first : int
        First session whose level owes nothing to itself.
    """

    grid: BarGrid
    share: np.ndarray
    level: np.ndarray
    first: int

    @property
    def tested_from(self) -> int:
        """First session whose windows can have a scale, and so a σ."""
        return self.first + SCALE_SESSIONS


@dataclass(frozen=True, eq=False)
class Windows:
    """Every window of so many bars that lies inside a session.

    Arrays have the shape (n, 192 - bars); column a is the window from the end of bar a to the
    end of bar ``a + bars``. NaN where a bar is not there, or the variance was not yet known.

    A move is a log return, and `sigma` its standard deviation, known before the window's first
    bar; `level` is σ² over the window's clock share: how nervous the market was, by part of the
    day; `part` is a position in `PARTS`.
    """

    bars: int
    move: np.ndarray
    sigma: np.ndarray
    level: np.ndarray
    part: np.ndarray

    @functools.cached_property
    def z(self) -> np.ndarray:
        """Moves in units of σ."""
        return self.move / self.sigma


def clock_variance(grid: BarGrid) -> ClockVariance:
    """Estimate the clock pattern and the level of every session from what came before.

    HistoryError if there are fewer than 32 sessions, or prices did not move in the first of them.

    Notes
    -----
    Pattern: each bar's share of its session's sum of squares, averaged over all earlier whole
    sessions, squares cut at their 99th percentile by bar, smoothed over three bars. Level:
    squares over pattern in exponential averages with half-lives of 6 and 96 bars; the geometric
    mean of the two. The gap from one session to the next is part of neither.

    Examples
    --------
    >>> from impact.market.bars import bar_grid, load_bars
    >>> known = clock_variance(bar_grid(load_bars()[:"2025-01-31"]))
    >>> known.first, round(float(np.nansum(known.share[40])), 12)
    (31, 1.0)
    """
    there = np.isfinite(grid.log_price)
    # Sessions with every bar from 04:05 to 20:00; those, and half days that start at 04:05.
    whole = there.all(axis=1)
    counted = whole | (there[:, 0] & grid.half_day)
    if counted.sum() < PATTERN_SESSIONS:
        grid = grid.regular_hours()
        whole, counted = ~grid.half_day, np.ones(len(grid.sessions), dtype=bool)
    before = np.cumsum(counted) - counted
    begins = int(np.searchsorted(before, PATTERN_SESSIONS))
    if begins + 1 >= len(grid.sessions) or not whole[:begins].any():
        raise HistoryError(
            f"the clock pattern needs {PATTERN_SESSIONS} sessions before the first one that is "
            f"measured, and the bars have {len(grid.sessions):,}: bring more"
        )
    squares = np.full(grid.log_price.shape, np.nan)
    squares[:, 1:] = np.diff(grid.log_price, axis=1) ** 2
    share = _pattern(squares, whole & (np.nansum(squares, axis=1) > 0), begins)
    standard = (squares / share).ravel()
    start = np.nanmean(standard[begins * COLUMNS : (begins + 1) * COLUMNS])
    if not start > 0:
        raise HistoryError(
            f"prices do not move on {grid.sessions[begins]:%Y-%m-%d}: a series that does not vary "
            "has no variance"
        )
    averages = [_average(standard, half_life, start) for half_life in HALF_LIVES]
    level = np.sqrt(np.multiply(*averages)).reshape(share.shape)
    return ClockVariance(grid, share, level, begins + 1)


def _pattern(squares: np.ndarray, whole: np.ndarray, begins: int) -> np.ndarray:
    """Shares of each session's bars, known before it."""
    with np.errstate(invalid="ignore"):
        share = squares / np.nansum(squares, axis=1, keepdims=True)
    past = share[whole]
    bars = np.isfinite(past).all(axis=0)
    known = np.full(squares.shape, np.nan)
    seen = np.cumsum(whole) - whole
    for count in np.unique(seen[begins:]):
        earlier = past[:count, bars]
        cut = np.quantile(earlier, _PATTERN_CUT, axis=0)
        mean = np.minimum(earlier, cut).mean(axis=0)
        smooth = np.convolve(np.pad(mean, 1, mode="edge"), np.ones(3) / 3, "valid")
        rows = np.flatnonzero(seen == count)
        known[np.ix_(rows[rows >= begins], bars)] = smooth / smooth.sum()
    return known


def _average(values: np.ndarray, half_life: int, start: float) -> np.ndarray:
    """Exponential average of the values before each one; missing ones are passed over."""
    known = pd.Series(np.concatenate([[start], values[:-1]]))
    return known.ewm(halflife=half_life, adjust=False, ignore_na=True).mean().to_numpy()


def windows(known: ClockVariance, bars: int) -> Windows:
    """Return every window of so many bars, 1 to 191, with the variance known before it.

    Examples
    --------
    >>> from impact.market.bars import bar_grid, load_bars
    >>> half_hours = windows(clock_variance(bar_grid(load_bars())), 6)
    >>> session = list(half_hours.sigma[:, 0] > 0).index(True)
    >>> load_bars().index.normalize().unique()[session].date().isoformat()
    '2025-01-08'
    """
    price, close = known.grid.log_price, known.grid.close[:, None]
    move = price[:, bars:] - price[:, :-bars]
    pace = known.level[:, 1 : COLUMNS - bars + 1]
    base = np.where(np.isfinite(move), _sums(known.share[:, 1:], bars) * pace, np.nan)
    base[: known.first] = np.nan
    base[~(base > 0)] = np.nan
    begin = np.arange(COLUMNS - bars)
    end = begin + bars
    part = np.select(
        [end <= OPEN, (begin >= OPEN) & (end <= close), begin >= close, begin < OPEN],
        range(4),
        default=4,
    ).astype(np.int8)
    scale = _scales(move**2 / base, part)
    return Windows(bars, move, np.sqrt(base * scale), pace * scale, part)


def _sums(values: np.ndarray, bars: int) -> np.ndarray:
    """Sums over every run of so many columns; NaN where one of them is."""
    there = np.isfinite(values)
    parts = (np.where(there, values, 0), there)
    runs = [np.cumsum(np.pad(part, ((0, 0), (1, 0))), axis=1) for part in parts]
    total, count = (run[:, bars:] - run[:, :-bars] for run in runs)
    return np.where(count == bars, total, np.nan)


def _scales(ratio: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Mean ratio of all earlier sessions in the same part of the day, cut at a quantile.

    A ratio is that of a squared move to its share and level; NaN where there is no window.
    """
    scale = np.full(ratio.shape, np.nan)
    for number in range(len(PARTS)):
        held = np.isfinite(ratio) & (part == number)
        means = _expanding_means([values[rows] for values, rows in zip(ratio, held, strict=True)])
        scale = np.where(part == number, means[:, None], scale)
    return scale


def _expanding_means(sessions: list[np.ndarray]) -> np.ndarray:
    """Mean of all values of earlier sessions, cut at their 99.5th percentile; NaN until 20 had any.

    Only the largest values matter to the quantile and the cut, so only they are kept in order.
    """
    kept = int((1 - _SCALE_CUT) * sum(map(len, sessions))) + 2
    means = np.full(len(sessions), np.nan)
    top, total, count, seen = np.empty(0), 0.0, 0, 0
    for row, values in enumerate(sessions):
        if seen >= SCALE_SESSIONS:
            place = _SCALE_CUT * (count - 1)
            low, high = top[[int(place) - count, min(int(place) + 1, count - 1) - count]]
            cut = low + (place - int(place)) * (high - low)
            above = top[top > cut]
            means[row] = (total - above.sum() + cut * len(above)) / count
        if len(values):
            top = np.sort(np.concatenate([top, values]))[-kept:]
            total, count, seen = total + values.sum(), count + len(values), seen + 1
    return means
