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
import scipy

from impact.errors import InferenceError
from impact.inference.clusters import clusters
from impact.inference.event_sets import rank_p
from impact.inference.tests import LEVEL
from impact.market.windows import Window
from impact.text.formats import counted, list_of

#: A choice that turns no larger share of answers decides nothing.
_SELDOM = 0.05

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
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Put a set and its shifts through S specifications of one subset and kind of returns.

    Returned are a table of the set itself, a row each (`CHOICES`, `n`, `clusters`, `estimate`, the
    mean CAR); and t of `impact.inference.cluster_test` of the set and of each shift, and its
    two-sided p, both of shape (S, B + 1).
    """
    past = cache(events.past)
    own, *_ = events.at.T
    numbers = clusters(own)
    sizes = np.bincount(numbers)
    # A row a cluster: the share of its sessions' sum that it counts with.
    weights = (numbers == np.arange(len(sizes))[:, None]) / np.sqrt(sizes)[:, None]
    rows, statistics = [], []
    for one in specifications:
        car, z = one.car_and_z(events, past(one.length, one.gap, one.neighbours))
        values = weights @ z
        statistics.append(values.mean(axis=0) / (values.std(axis=0, ddof=1) / np.sqrt(len(values))))
        facts = {"window": str(one.window), "n": len(z), "clusters": len(sizes)}
        rows.append(vars(one) | facts | {"estimate": car[:, 0].mean()})
    t = np.array(statistics)
    return pd.DataFrame(rows), t, 2 * scipy.special.stdtr(len(sizes) - 1, -np.abs(t))


def judged(
    table: pd.DataFrame, statistics: np.ndarray, p_values: np.ndarray
) -> tuple[pd.DataFrame, pd.Series]:
    """Rank all specifications together among those of the shifts.

    Returned are the table with `statistic` and `p_value`, and p of all together: by the share with
    p <= 5% in the more frequent direction, and by the median p.
    """
    table = table.assign(statistic=statistics[:, 0], p_value=p_values[:, 0])
    small = p_values <= LEVEL
    share = np.maximum(*((small & (np.sign(statistics) == way)).mean(axis=0) for way in (-1, 1)))
    joint = {"share significant": rank_p(share), "median p": rank_p(-np.median(p_values, axis=0))}
    table = table[[*CHOICES, "n", "clusters", "estimate", "statistic", "p_value"]]
    return table, pd.Series(joint, name="p")


def by_choice(table: pd.DataFrame) -> pd.DataFrame:
    """What each choice of several options changes, all others as they are.

    See `SpecificationCurve`; what decides turns more than one in twenty of the answers.
    """
    found = {}
    for choice in CHOICES:
        options = table[choice].astype("str").unique()
        if len(options) > 1:
            others = table.groupby([name for name in CHOICES if name != choice], sort=False)
            small = (table["p_value"] <= LEVEL).groupby(others.ngroup())
            moves = others["estimate"].max() - others["estimate"].min()
            turns = (small.max() != small.min()).mean()
            found[choice] = (list_of(options), moves.median(), turns, turns > _SELDOM)
    columns = ["options", "moves", "turns", "decides"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("choice")


def by_question(table: pd.DataFrame) -> pd.DataFrame:
    """What each question, a subset in a window, gets for answers: see `SpecificationCurve`."""
    found = table.groupby(["subset", "window"], sort=False).agg(
        n=("n", "first"),
        clusters=("clusters", "first"),
        estimate=("estimate", "median"),
        low=("estimate", "min"),
        high=("estimate", "max"),
        p_low=("p_value", "min"),
        p_high=("p_value", "max"),
    )
    return found.reset_index()
