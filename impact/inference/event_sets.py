"""Sets of events on one series: could any other sessions have done the same?

One series of conditional z serves events and placebos alike. The whole set of events is moved
round the sample (circular shifts), which keeps the spacing of the events and the dependence of
the series. Differences between two groups of events are tested by permuting the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from impact.errors import InferenceError, ReturnsError
from impact.text.formats import counted, number, p_value

#: No verdict is given on fewer sessions.
MIN_SESSIONS = 8

#: Which values of a statistic speak against the null, by the name of the side.
SIDES = ("two-sided", "greater", "less")


def extremity(statistic: np.ndarray, side: str) -> np.ndarray:
    """Turn statistics so that larger values speak against the null on that side.

    Raises
    ------
    InferenceError
        If `side` is not "two-sided", "greater" or "less".
    """
    if side not in SIDES:
        raise InferenceError(f"side={side!r} is not known: say 'two-sided', 'greater' or 'less'")
    if side == "two-sided":
        return np.abs(statistic)
    return statistic if side == "greater" else -statistic


def window_z(z: pd.DataFrame, start: int = 0, end: int = 0) -> pd.Series:
    """Conditional z of the window (start, end) around every session.

    Parameters
    ----------
    z : DataFrame
        Columns `z` and `sigma` by session, as `conditional_z` gives them.
    start, end : int
        Relative sessions, both included.

    Returns
    -------
    Series
        Σ (r - μ) / (σ √k) with σ of the window's first session, labelled by session 0; sessions
        whose window leaves the sample are left out.
    """
    length = end - start + 1
    if length < 1:
        raise InferenceError(f"the window ({start}, {end}) is reversed")
    moves = (z["z"] * z["sigma"]).rolling(length).sum().shift(-end)
    sigma = z["sigma"].shift(-start)
    return (moves / (sigma * np.sqrt(length))).dropna().rename("z")


@dataclass(frozen=True, eq=False)
class ShiftTest:
    """A set of events against all circular shifts of itself.

    Attributes
    ----------
    mean, studentised : float
        Mean z of the events; mean over its own standard error.
    p_mean : float
        p of "these sessions are like any other": also small when only their variance is larger.
    p_studentised : float
        p of "their mean is zero, whatever their variance": verdicts rest on this one.
    n : int
        Sessions in the set.
    side : str
    shifted_mean, shifted_studentised : ndarray, shape (B,)
        The same statistics at every shift but the identity.
    """

    mean: float
    studentised: float
    p_mean: float
    p_studentised: float
    n: int
    side: str
    shifted_mean: np.ndarray
    shifted_studentised: np.ndarray

    def __repr__(self) -> str:
        return (
            f"ShiftTest: mean z {number(self.mean)} over {counted(self.n, 'session')}, "
            f"{counted(len(self.shifted_mean), 'shift')}, {self.side}; "
            f"null 'like any other session' p = {p_value(self.p_mean)}; "
            f"null 'mean zero' p = {p_value(self.p_studentised)}"
        )


def shift_statistics(z: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and studentised mean of a set at every circular shift; row 0 is the set itself.

    Parameters
    ----------
    z : ndarray, shape (T,)
    positions : ndarray of int, shape (n,)

    Returns
    -------
    mean, studentised : ndarray, shape (T,)
    """
    twice = np.concatenate([z, z])
    shifted = np.lib.stride_tricks.sliding_window_view(twice, len(z))[positions, :]
    mean = shifted.mean(axis=0)
    error = shifted.std(axis=0, ddof=1) / np.sqrt(len(positions))
    return mean, mean / error


def shift_test(
    z: pd.Series, sessions: Sequence[pd.Timestamp], *, side: str = "two-sided"
) -> ShiftTest:
    """Rank a set of events among all circular shifts of itself.

    Parameters
    ----------
    z : Series
        Conditional z of every session, none missing.
    sessions : sequence of Timestamp
        Event sessions, each once.
    side : {"two-sided", "greater", "less"}

    Raises
    ------
    InferenceError
        If there are fewer than 8 sessions, or one is repeated or not in `z`.

    Notes
    -----
    p = (1 + #{shifts at least as extreme}) / (B + 1) over all B shifts but the identity, so it
    is never zero.

    Examples
    --------
    >>> z = pd.Series(np.sin(np.arange(500.0)), pd.bdate_range("2020-01-01", periods=500))
    >>> shift_test(z, z.index[::50]).n
    10
    """
    positions = locate(z, sessions)
    if len(positions) < MIN_SESSIONS:
        raise InferenceError(
            f"a set of {counted(len(positions), 'session')} gets no verdict: "
            f"at least {MIN_SESSIONS} are needed"
        )
    mean, studentised = shift_statistics(z.to_numpy(float), positions)
    return ShiftTest(
        mean=float(mean[0]),
        studentised=float(studentised[0]),
        p_mean=rank_p(extremity(mean, side)),
        p_studentised=rank_p(extremity(studentised, side)),
        n=len(positions),
        side=side,
        shifted_mean=mean[1:],
        shifted_studentised=studentised[1:],
    )


def locate(z: pd.Series, sessions: Sequence[pd.Timestamp]) -> np.ndarray:
    """Positions of `sessions` in `z`.

    Raises
    ------
    ReturnsError
        If `z` has a missing value.
    InferenceError
        If a session is repeated or not in `z`.
    """
    if z.isna().any():
        raise ReturnsError(f"z is missing on {z.index[z.isna()][0]:%Y-%m-%d}: drop that session")
    sessions = pd.DatetimeIndex(sessions)
    positions = z.index.get_indexer(sessions)
    if (positions < 0).any():
        raise InferenceError(
            f"session {sessions[positions < 0][0]:%Y-%m-%d} has no conditional z: the series "
            f"runs from {z.index[0]:%Y-%m-%d} to {z.index[-1]:%Y-%m-%d}"
        )
    if len(np.unique(positions)) < len(positions):
        raise InferenceError(
            f"session {sessions[sessions.duplicated()][0]:%Y-%m-%d} is given twice: announcements "
            f"that share a session are one unit"
        )
    return positions


def rank_p(statistic: np.ndarray) -> float:
    """p of the first value among all: (1 + #{others at least as large}) / (B + 1)."""
    others = statistic[1:]
    # Shifts that give the same sums in another order may differ in the last bits.
    bar = statistic[0] - 1e-12 * max(1.0, abs(statistic[0]))
    return float((1 + np.count_nonzero(others >= bar)) / (len(others) + 1))


@dataclass(frozen=True)
class DifferenceTest:
    """Two groups of events compared.

    Attributes
    ----------
    difference : float
        Mean of the first group minus mean of the second.
    welch_t : float
        The difference over its standard error, group variances apart.
    p_value : float
        Of "their means are equal, whatever their variances": Welch's t among relabellings.
    p_mean : float
        Of "their labels do not matter": the difference itself among relabellings.
    n_first, n_second : int
    side : str
    permuted : ndarray, shape (B,)
        Welch's t of every relabelling.
    """

    difference: float
    welch_t: float
    p_value: float
    p_mean: float
    n_first: int
    n_second: int
    side: str
    permuted: np.ndarray = field(compare=False, repr=False)


def difference_test(
    first: np.ndarray,
    second: np.ndarray,
    *,
    side: str = "two-sided",
    permutations: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> DifferenceTest:
    """Compare two groups of sessions by Welch's t, calibrated by permuting their labels.

    Parameters
    ----------
    first, second : ndarray, shape (n1,), (n2,)
        Conditional z of each group's sessions.
    side : {"two-sided", "greater", "less"}
        "greater": the first group's mean is larger.
    permutations : int
        Number of relabellings.
    rng : int or Generator

    Raises
    ------
    InferenceError
        If a group has fewer than 8 sessions.

    References
    ----------
    Janssen (1997), Studentized permutation tests for non-i.i.d. hypotheses: the studentised
    form keeps its size when the variances differ.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    for group in (first, second):
        if len(group) < MIN_SESSIONS:
            raise InferenceError(
                f"a group of {counted(len(group), 'session')} gets no verdict: "
                f"at least {MIN_SESSIONS} are needed"
            )
    pooled = np.concatenate([first, second])
    labels = np.tile(np.arange(len(pooled)), (permutations, 1))
    shuffled = np.random.default_rng(rng).permuted(labels, axis=1)
    drawn = pooled[np.vstack([np.arange(len(pooled)), shuffled])]
    one, other = drawn[:, : len(first)], drawn[:, len(first) :]
    statistic, difference = welch_t(one, other), one.mean(axis=1) - other.mean(axis=1)
    return DifferenceTest(
        difference=float(difference[0]),
        welch_t=float(statistic[0]),
        p_value=rank_p(extremity(statistic, side)),
        p_mean=rank_p(extremity(difference, side)),
        n_first=len(first),
        n_second=len(second),
        side=side,
        permuted=statistic[1:],
    )


def welch_t(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Welch's t of rows of two samples."""
    error = first.var(axis=-1, ddof=1) / first.shape[-1]
    error = error + second.var(axis=-1, ddof=1) / second.shape[-1]
    return (first.mean(axis=-1) - second.mean(axis=-1)) / np.sqrt(error)
