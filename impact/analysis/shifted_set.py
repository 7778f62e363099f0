"""Specifications of a set of events, under every shift of the set, and judged together.

A set of n events is moved round the sample B times; every array has a row for each event and a
column for each shift, the first of which is the set itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from impact.errors import InferenceError
from impact.inference.event_sets import extremity, rank_p
from impact.market.windows import Window
from impact.text.formats import counted

#: Two-sided level at which a specification counts as significant.
LEVEL = 0.05

#: What cancellation leaves of a stretch that does not vary, as a share of all squares.
_ROUNDING = 1e-13


class Past(NamedTuple):
    """Estimation windows: number, sum and sum of squares of returns; (n, 1), (n, B + 1) twice."""

    observations: np.ndarray
    total: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True, eq=False)
class ShiftedSet:
    """A set of n events on one series, itself and moved round the sample B times.

    Attributes
    ----------
    values : ndarray, shape (T,)
        Decimal returns.
    at : ndarray of int, shape (n, B + 1)
        Rows of session 0; the first column is the set itself.
    sigma : mapping
        Yardstick -> σ known the evening before, shape (T,).
    """

    values: np.ndarray
    at: np.ndarray
    sigma: Mapping[str, np.ndarray]

    @cached_property
    def _sums(self) -> np.ndarray:
        """Running sums of the returns and of their squares, shape (2, T + 1)."""
        powers = np.stack([self.values, self.values**2])
        return np.pad(np.cumsum(powers, axis=1), ((0, 0), (1, 0)))

    def moves(self, window: Window) -> np.ndarray:
        """Sum of the returns of a window, shape (n, B + 1)."""
        total = self._sums[0]
        return total[self.at + window.end + 1] - total[self.at + window.start]

    def past(self, length: int, gap: int, neighbours: str) -> Past:
        """Estimation windows of `length` sessions that end `gap` sessions before session 0."""
        before = self.at - gap
        total, squares = (sums[before] - sums[before - length] for sums in self._sums)
        count = np.full((len(self.at), 1), float(length))
        if neighbours == "out":
            rows = self.at[:, 0]
            for i, row in enumerate(rows):
                near = np.unique(np.delete(rows, i)[:, None] + [0, 1]) - row
                near = near[(near >= -gap - length) & (near <= -gap - 1)]
                out = self.values[self.at[i] + near[:, None]]
                total[i] -= out.sum(axis=0)
                squares[i] -= (out**2).sum(axis=0)
                count[i] -= len(near)
        rounding = _ROUNDING * self._sums[1, -1]
        if count.min() < 2 or (squares - total**2 / count <= rounding).any():
            raise InferenceError(
                f"the returns do not vary in an estimation window of {counted(length, 'session')}, "
                "of the set or of a shift of it: choose longer windows, or returns that move"
            )
        return Past(count, total, squares)


@dataclass(frozen=True)
class Specification:
    """One option of every choice."""

    subset: str
    returns: str
    window: Window
    length: int
    gap: int
    mean: str
    neighbours: str
    variance: str

    def car_and_z(self, events: ShiftedSet, past: Past) -> tuple[np.ndarray, np.ndarray]:
        """CAR and CAR over its error of each event under each shift, both of shape (n, B + 1)."""
        k, fitted = self.window.length, int(self.mean == "constant-mean")
        centre = past.total / past.observations if fitted else np.zeros_like(past.total)
        car = events.moves(self.window) - k * centre
        if self.variance == "constant":
            squares = past.squares - fitted * past.observations * centre**2
            spread = np.sqrt(squares / (past.observations - fitted))
            return car, car / (spread * np.sqrt(k + fitted * k**2 / past.observations))
        sigma = events.sigma[self.variance][events.at + self.window.start]
        return car, car / (sigma * np.sqrt(k))


#: The choices, in the order of the table.
CHOICES = tuple(field.name for field in fields(Specification))


def evaluate(
    events: ShiftedSet, specifications: Sequence[Specification]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Put a set and its shifts through specifications of one subset and kind of returns.

    Returns
    -------
    table : DataFrame
        One row a specification: `CHOICES`, `n`, `estimate` (mean CAR of the set itself).
    statistics : ndarray, shape (specifications, B + 1)
        √n mean(z)/sd(z) of the set and of each shift.
    """
    past = cache(events.past)
    rows, statistics = [], []
    for one in specifications:
        car, z = one.car_and_z(events, past(one.length, one.gap, one.neighbours))
        statistics.append(z.mean(axis=0) / (z.std(axis=0, ddof=1) / np.sqrt(len(z))))
        facts = {"window": str(one.window), "n": len(z), "estimate": car[:, 0].mean()}
        rows.append(vars(one) | facts)
    return pd.DataFrame(rows), np.array(statistics)


def judged(
    table: pd.DataFrame, statistics: np.ndarray
) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Rank the statistics of all specifications, each and together, among those of the shifts.

    Returns
    -------
    table : DataFrame
        With `statistic` and `p_value`.
    shares : Series
        Of specifications by the sign of the estimate, and of those with p <= 5%.
    joint : Series
        p of all together: by the share with p <= 5% in the more frequent direction, and by the
        median statistic.
    """
    size = extremity(statistics, "two-sided")
    table = table.assign(statistic=statistics[:, 0], p_value=[rank_p(row) for row in size])
    # p of every shift among all: how many statistics are at least as large.
    ordered = np.sort(size, axis=1)
    below = np.stack(
        [
            np.searchsorted(row, values, side="left")
            for row, values in zip(ordered, size, strict=True)
        ]
    )
    significant = (size.shape[1] - below) / size.shape[1] <= LEVEL
    by_shift = np.maximum(
        (significant & (statistics < 0)).mean(axis=0), (significant & (statistics > 0)).mean(axis=0)
    )
    middle = np.abs(np.median(statistics, axis=0))
    estimate, small = table["estimate"], table["p_value"] <= LEVEL
    shares = {
        "below zero": (estimate < 0).mean(),
        "above zero": (estimate > 0).mean(),
        "below zero, p <= 5%": ((table["statistic"] < 0) & small).mean(),
        "above zero, p <= 5%": ((table["statistic"] > 0) & small).mean(),
    }
    joint = {"share significant": rank_p(by_shift), "median statistic": rank_p(middle)}
    table = table[[*CHOICES, "n", "estimate", "statistic", "p_value"]]
    return table, pd.Series(shares, name="share"), pd.Series(joint, name="p")
