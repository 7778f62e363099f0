"""The intraday test where nothing is supposed to have happened, and with planted moves.

Every window of SPY's five-minute prices is tested as `impact.intraday_study` tests one, by part
of the day and by how nervous the market was. What does not keep its size is measured too, under
names of its own. Windows of one session are drawn together for the errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from calibration.rates import Pooled, pooled_rows, resampling_weights
from impact.analysis.nights import night
from impact.analysis.window_ranks import (
    TESTED,
    RankedWindows,
    known_variance,
    largest_window,
    ranked_windows,
)
from impact.inference.equal_tails import equal_tails
from impact.inference.size import thirds
from impact.market.bars import Bar, load_bars
from impact.market.clock_time import CLOSE, MINUTES, OPEN, column_at
from impact.news.minutes import release_minutes
from impact.volatility.clock import PARTS, ClockVariance

#: Windows that are measured, in bars: 5, 30, 60 and 120 minutes.
WINDOWS = (1, 6, 12, 24)

#: Planted moves, as fractions, and the jump of the stretches, in σ of its half hour.
EFFECTS, JUMP = (0.001, 0.002, 0.003, 0.005, 0.01), 4.0

#: A stretch whose minute is not known, in bars; half an hour.
STRETCH, HALF_HOUR = 24, 6

#: Stretches are taken from every so many sessions.
EVERY = 4

#: Sessions in a block of the bootstrap.
BLOCK = 5

#: A half hour before that moved by more σ than this.
LARGE = 3.0


def intraday_rows(bars: pd.Series | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Measure how often the intraday tests reject.

    Parameters
    ----------
    bars : Series, optional
        Five-minute prices; `load_bars()` by default.
    seed : int
        Of the bootstrap of sessions, and of where jumps are planted.

    Returns
    -------
    DataFrame
        Columns `calibration.rates.COLUMNS`. Experiments "intraday" (size by part of the
        day and third of the level), "intraday-miss" (where it is not kept) and "intraday-power".
    """
    known = known_variance(load_bars() if bars is None else bars)
    weights = resampling_weights(len(known.grid.sessions), BLOCK, seed)
    parts = [
        *_sizes(known, weights),
        *_misses(known, weights),
        *_nights(known, weights),
        *_power(known, weights),
        *_stretches(known, weights, np.random.default_rng(seed)),
    ]
    return pd.concat(parts, ignore_index=True)


def _sizes(known: ClockVariance, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    for bars in WINDOWS:
        ranks = ranked_windows(known, bars)
        for part, name in enumerate(TESTED):
            held = ranks.reference & (ranks.windows.part == part)
            tested = _tested(ranks, held, ranks.p)
            yield _rows(tested, {name: slice(None), **_by_level(ranks, held, name)}, weights, bars)


def _tested(ranks: RankedWindows, held: np.ndarray, p: np.ndarray) -> Pooled:
    return Pooled(np.nonzero(held)[0], p[held], ranks.windows.move[held] > 0)


def _by_level(ranks: RankedWindows, held: np.ndarray, name: str) -> dict[str, np.ndarray]:
    cut = thirds(ranks.windows.level[held], "volatility")
    return {f"{name}, {third}": chosen for third, chosen in cut.items()}


def _misses(known: ClockVariance, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    """Half hours in which the test errs more often than it says."""
    ranks = ranked_windows(known, HALF_HOUR)
    found = ranks.windows
    begin = np.broadcast_to(np.arange(found.z.shape[1]), found.z.shape)
    early = np.isfinite(known.grid.log_price[:, :OPEN]).any(axis=1)[:, None]
    opening = ranks.reference & (begin >= OPEN) & (begin < OPEN + HALF_HOUR)
    before = np.full(found.z.shape, np.nan)
    before[:, HALF_HOUR:] = found.z[:, :-HALF_HOUR]
    groups = {
        "starts 09:30 to 09:55, pre-open trading": opening & early,
        "starts 09:30 to 09:55, no pre-open trading": opening & ~early,
        f"after |z| > {LARGE:g} in the half hour before": ranks.reference
        & (np.abs(before) > LARGE),
        "starts 10:00": ranks.reference & (begin == column_at(10 * 60)),
    }
    for name, held in groups.items():
        yield _rows(_tested(ranks, held, ranks.p), {name: slice(None)}, weights, miss=True)
    yield from _over_releases(known, ranks, begin, weights)
    yield from _across(known, weights)
    yield from _earlier_days(ranks, weights)


def _over_releases(
    known: ClockVariance, ranks: RankedWindows, begin: np.ndarray, weights: np.ndarray
) -> Iterator[pd.DataFrame]:
    """The p that is not shown: over a release, after it, and after the Fed's decision."""
    releases = release_minutes()
    day = releases["at"].dt.normalize()
    fed = known.grid.sessions.isin(day[releases["release"] == "FOMC"])[:, None]
    other = known.grid.sessions.isin(day[releases["release"] != "FOMC"])[:, None]
    there = np.isfinite(ranks.rank)
    half, late = column_at(8 * 60 + 30), column_at(14 * 60 + 25)
    groups = {
        "over a release at 08:30": other & (begin > half - HALF_HOUR) & (begin <= half),
        "starts 08:35 to 08:55 after a release": other
        & (begin > half)
        & (begin < half + HALF_HOUR),
        "starts 14:25 to 14:45 on days of the Fed": fed & (begin >= late) & (begin <= late + 4),
    }
    for name, held in groups.items():
        yield _rows(
            _tested(ranks, there & held, ranks.rank), {name: slice(None)}, weights, miss=True
        )


def _across(known: ClockVariance, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    """Half hours across 09:30, ranked among each other: no p is shown for them."""
    ranks = ranked_windows(known, HALF_HOUR)
    held = np.isfinite(ranks.windows.z) & (ranks.windows.part == PARTS.index("across 09:30"))
    row, z = np.nonzero(held)[0], ranks.windows.z[held]
    p = np.array([equal_tails(z[row != day], value) for day, value in zip(row, z, strict=True)])
    tested = Pooled(row, p, z > 0)
    yield _rows(tested, _by_level(ranks, held, "across 09:30"), weights, miss=True)


def _earlier_days(ranks: RankedWindows, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    """Ranked among earlier days alone, from the hundredth session on."""
    for part, name in enumerate(TESTED):
        held = ranks.reference & (ranks.windows.part == part)
        row, z = np.nonzero(held)[0], ranks.windows.z[held]
        late = np.flatnonzero(row >= np.unique(row)[0] + 50)
        p = np.full(len(z), np.nan)
        for day in np.unique(row[late]):
            past, own = np.sort(z[row < day]), row == day
            low = past.searchsorted(z[own], side="right")
            high = len(past) - past.searchsorted(z[own])
            p[own] = np.minimum(1, 2 * (np.minimum(low, high) + 1) / (len(past) + 1))
        tested = Pooled(row[late], p[late], z[late] > 0)
        yield _rows(tested, {f"{name}, ranked among earlier days": slice(None)}, weights, miss=True)


def _nights(known: ClockVariance, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    """Nights by the level before them, where there is trading from 04:05 and in regular hours."""
    for grid, name in (
        (known.grid, "20:00 to 04:30"),
        (known.grid.regular_hours(), "16:00 to 09:30"),
    ):
        same = ClockVariance(grid, known.share, known.level, known.first)
        rows = range(len(grid.sessions) - 1)
        wide = name.startswith("20")
        tested = [
            (row, found)
            for row in rows
            if (not wide or grid.first[row + 1] < OPEN) and (found := night(same, row)) is not None
        ]
        days = np.array([row for row, _ in tested])
        p = np.array([found.p_value for _, found in tested])
        rise = np.array([found.move > 0 for _, found in tested])
        level = same.level[days, grid.last[days]]
        groups = {name: slice(None)} | {
            f"{name}, {third}": chosen for third, chosen in thirds(level, "volatility").items()
        }
        yield _rows(Pooled(days, p, rise), groups, weights, test="night_rank", window="night")


def _power(known: ClockVariance, weights: np.ndarray) -> Iterator[pd.DataFrame]:
    ranks = ranked_windows(known, HALF_HOUR)
    for part, name in enumerate(TESTED):
        held = ranks.reference & (ranks.windows.part == part)
        row, z, sigma = np.nonzero(held)[0], ranks.windows.z[held], ranks.windows.sigma[held]
        groups = _by_level(ranks, held, name)
        for effect in (sign * size for size in EFFECTS for sign in (-1, 1)):
            p = ranks.rank_p(z + effect / sigma, row, part)
            tested = Pooled(row, p, z + effect / sigma > 0)
            yield _rows(tested, groups, weights, effect=effect)


def _stretches(
    known: ClockVariance, weights: np.ndarray, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Two hours of trading whose minute is not known: size, and power against one jump."""
    halves, whole = ranked_windows(known, HALF_HOUR), ranked_windows(known, STRETCH)
    begins = range(OPEN + HALF_HOUR, CLOSE - STRETCH, HALF_HOUR)
    rows = range(known.tested_from, len(known.grid.sessions), EVERY)
    for jump in (0.0, JUMP):
        found: dict[str, list[tuple[int, float, bool]]] = {}
        for begin in (Bar(row, column) for row in rows for column in begins):
            if not whole.reference[begin]:
                continue
            news = Bar(begin.row, begin.column + int(rng.integers(STRETCH - HALF_HOUR + 1)))
            move = jump * halves.windows.sigma[news]
            for test, p, rise in _one_stretch(halves, whole, begin, news, float(move)):
                found.setdefault(test, []).append((begin.row, p, rise))
        group = {f"two hours of trading, a jump of {jump:g} sigma in it": slice(None)}
        for test, outcomes in found.items():
            tested = Pooled(*map(np.array, zip(*outcomes, strict=True)))
            yield _rows(tested, group, weights, STRETCH, test=test, effect=jump)


def _one_stretch(
    halves: RankedWindows, whole: RankedWindows, begin: Bar, news: Bar, jump: float
) -> Iterator[tuple[str, float, bool]]:
    """p of a stretch with a jump after `news`: by its largest half hour, whole, minute known."""
    moved = halves.windows.move.copy()
    moved[news.row, max(0, news.column - HALF_HOUR + 1) : news.column + 1] += jump
    changed = (
        RankedWindows(replace(halves.windows, move=moved), halves.reference) if jump else halves
    )
    end = Bar(begin.row, begin.column + STRETCH)
    if (largest := largest_window(changed, begin, end)) is not None:
        yield "largest_window", largest.p_value, largest.z > 0
    for name, ranks, at in (("whole stretch", whole, begin), ("minute known", halves, news)):
        z = ranks.windows.z[at] + jump / ranks.windows.sigma[at]
        p = ranks.rank_p(np.array([z]), np.array([at.row]), int(ranks.windows.part[at]))[0]
        if ranks.reference[at]:
            yield f"window_rank, {name}", float(p), bool(z > 0)


def _rows(
    tested: Pooled,
    groups: Mapping[str, np.ndarray | slice],
    weights: np.ndarray,
    bars: int = HALF_HOUR,
    *,
    test: str = "window_rank",
    window: str = "",
    effect: float = 0.0,
    miss: bool = False,
) -> pd.DataFrame:
    """Rejection rates by group, with errors from drawing blocks of sessions."""
    table = pooled_rows(
        tested,
        groups,
        weights,
        experiment="intraday-miss" if miss else "intraday-power" if effect else "intraday",
        test=test,
        model="clock",
        window=window or f"{MINUTES * bars} minutes",
        effect=effect,
    )
    return table[(table["level"] == 0.05) & (table["tail"] == "two-sided")] if effect else table
