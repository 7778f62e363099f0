"""How unusual a move is for its clock time: its rank among the same windows of all other days."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.inference.equal_tails import POWER
from impact.inference.tests import LEVEL
from impact.market.bars import Bar, BarGrid, bar_grid, security_of
from impact.market.clock_time import COLUMNS, FIRST_MINUTE, MINUTES
from impact.market.files import data_hash
from impact.news.minutes import release_minutes
from impact.volatility.clock import PARTS, ClockVariance, Windows, clock_variance, windows

#: Parts of the day in which the test keeps its size: pre-open, trading, after hours.
TESTED = PARTS[:3]

#: Minutes after a release in which no window is tested or ranked among.
_DISTURBED = {"FOMC": 90}
_DISTURBED_USUALLY = 30


@dataclass(frozen=True, eq=False)
class _Past:
    """Reference z of one part of the day in increasing order, and the session of each."""

    z: np.ndarray
    day: np.ndarray

    @functools.cached_property
    def _own(self) -> np.ndarray:
        """By session, how many are not above each z of that session."""
        return np.sort(self.day * (len(self.z) + 1) + self.z.searchsorted(self.z, side="right"))

    def at_or_below(self, values: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Count the z of other days that are not above each value."""
        # A value's count among all orders it among its own day's, so both are looked up at once.
        count, first = self.z.searchsorted(values, side="right"), row * (len(self.z) + 1)
        of_own_day = self._own.searchsorted(first + count, side="right")
        return count - (of_own_day - self._own.searchsorted(first))


@dataclass(frozen=True, eq=False)
class RankedWindows:
    """Every window of one length, ranked by z among those of other days in its part of the day.

    Arrays have the shape of `Windows`.

    Attributes
    ----------
    windows : Windows
    reference : ndarray of bool
        Windows that others are ranked among: known variance, a tested part of the day, no macro
        release.
    """

    windows: Windows
    reference: np.ndarray

    @functools.cached_property
    def rank(self) -> np.ndarray:
        """Equal-tailed p of every window of a tested part, those over a release too."""
        z, part = self.windows.z, self.windows.part
        rank = np.full(z.shape, np.nan)
        for number in range(len(TESTED)):
            there = np.isfinite(z) & (part == number)
            rank[there] = self.rank_p(z[there], np.nonzero(there)[0], number)
        return rank

    def rank_p(self, values: np.ndarray, row: np.ndarray, part: int) -> np.ndarray:
        """Rank values of z, whatever they are, among the reference windows of other days.

        `row` is the session of each value, whose own windows do not count; `part` a position in
        `TESTED`. The p are those of `ranked_windows`; NaN where no other day has such a window.
        """
        rising, falling = self._by_part[part]
        own = np.bincount(rising.day, minlength=len(self.reference))
        others = len(rising.z) - own[row]
        low, high = rising.at_or_below(values, row), falling.at_or_below(-values, row)
        p = 2 * (np.minimum(low, high) + 1) / (others + 1)
        columns = (self.reference & (self.windows.part == part)).any(axis=0).sum()
        fit = (columns + self.windows.bars - 1) // self.windows.bars
        floor = 2 / (((own > 0).sum() - (own[row] > 0)) * fit + 1)
        return np.where(others > 0, np.clip(np.maximum(p, floor), None, 1), np.nan)

    @functools.cached_property
    def p(self) -> np.ndarray:
        """The p-values that are shown: NaN where the test is not valid."""
        return np.where(self.reference, self.rank, np.nan)

    @functools.cached_property
    def _by_part(self) -> list[tuple[_Past, _Past]]:
        """Reference z of each part, and the same with the other sign."""
        parts = []
        for number in range(len(TESTED)):
            row, column = np.nonzero(self.reference & (self.windows.part == number))
            z = self.windows.z[row, column]
            order = np.argsort(z, kind="stable")
            rising = z[order], row[order]
            parts.append((_Past(*rising), _Past(-rising[0][::-1], rising[1][::-1])))
        return parts

    def like(self, bar: Bar) -> np.ndarray:
        """Which sessions have a reference window at the clock time and in the part of `bar`'s."""
        here = self.windows.part[:, bar.column] == self.windows.part[bar]
        return here & self.reference[:, bar.column]

    def others(self, bar: Bar) -> np.ndarray:
        """Reference z of all other days in the part of the window that begins at `bar`, sorted."""
        past = self._by_part[self.windows.part[bar]][0]
        return past.z[past.day != bar.row]


def known_variance(bars: pd.Series) -> ClockVariance:
    """Check five-minute prices and estimate their variance; the same bars are read once.

    BarsError or HistoryError if they break a rule of `load_bars`, or are too few.
    """
    if not isinstance(bars, pd.Series):
        bar_grid(bars)  # it says what is wrong
    return _estimated(_Bars(bars), data_hash("macro_releases.csv"))


class _Bars:
    """Bars that are equal where their times, prices and security are."""

    def __init__(self, bars: pd.Series) -> None:
        self.bars = bars
        parts = bars.index, bars
        self.key = (
            *(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes() for part in parts),
            str(bars.index.dtype),
            security_of(bars),
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bars) and self.key == other.key


@functools.lru_cache(maxsize=4)
def _estimated(bars: _Bars, releases: str) -> ClockVariance:
    """The second argument is the hash of the releases, which decide what is ranked."""
    return clock_variance(bar_grid(bars.bars))


#: A path looks at 48 lengths, a study at some twenty.
@functools.lru_cache(maxsize=64)
def ranked_windows(known: ClockVariance, bars: int) -> RankedWindows:
    """Rank every window of so many bars.

    Notes
    -----
    p = 2 (1 + the smaller of #{z* <= z}, #{z* >= z}) / (n + 1) over the n windows z* of the same
    length and part of the day on all other days, and never below 2 / (m + 1), with m = other days x
    windows of that length that fit into the part without overlap.
    """
    found = windows(known, bars)
    there = np.isfinite(found.z) & (found.part < len(TESTED))
    return RankedWindows(found, there & ~_disturbed(known.grid, bars))


def _disturbed(grid: BarGrid, bars: int) -> np.ndarray:
    """Windows that overlap a macro release or the half hour (the Fed: 90 minutes) after it."""
    releases = release_minutes()
    days = releases["at"].dt.normalize()
    row = grid.sessions.get_indexer(days)
    minute = ((releases["at"] - days) / pd.Timedelta(minutes=1)).to_numpy()
    lasts = releases["release"].map(_DISTURBED).fillna(_DISTURBED_USUALLY).to_numpy()
    begin = FIRST_MINUTE + MINUTES * np.arange(COLUMNS - bars)
    over = (begin < (minute + lasts)[:, None]) & (begin + MINUTES * bars > minute[:, None])
    found = np.zeros((len(grid.sessions), len(begin)), dtype=bool)
    np.logical_or.at(found, row[row >= 0], over[row >= 0])
    return found


@dataclass(frozen=True)
class LargestWindow:
    """The largest window of a stretch, ranked among the largest of the same stretch on other days.

    Attributes
    ----------
    begin : Bar
        Where the window begins.
    z : float
    p_value : float
    detectable : float
        Size of a move within one window that is found in 80% of cases; decimal fraction.
    """

    begin: Bar
    z: float
    p_value: float
    detectable: float


def largest_window(found: RankedWindows, begin: Bar, end: Bar) -> LargestWindow | None:
    """Test the largest window inside a stretch of one session, between the ends of two bars.

    None where a window of the stretch has no p of its own.

    Notes
    -----
    p = (1 + the other days whose largest |z| over the same clock times is as large) / (1 + other
    days); days on which a window of the stretch is missing or lies over a release do not count.
    """
    columns = slice(begin.column, end.column - found.windows.bars + 1)
    complete = found.reference[:, columns].all(axis=1)
    same = (found.windows.part[:, columns] == found.windows.part[begin]).all(axis=1)
    usable = complete & same
    others = np.flatnonzero(usable)
    others = others[others != begin.row]
    if not usable[begin.row] or not len(others):
        return None
    size = np.abs(found.windows.z[:, columns])
    first = int(size[begin.row].argmax())
    largest = size[others].max(axis=1)
    p = (1 + np.count_nonzero(largest >= size[begin.row, first])) / (1 + len(others))
    at = Bar(begin.row, begin.column + first)
    critical = np.sort(largest)[-max(1, int(LEVEL * (len(others) + 1)))]
    low, high = np.quantile(found.others(begin), [1 - POWER, POWER])
    sigma = float(found.windows.sigma[begin.row, columns].mean())
    return LargestWindow(
        at, float(found.windows.z[at]), float(p), sigma * (critical + max(-low, high))
    )
