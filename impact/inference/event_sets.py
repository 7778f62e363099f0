"""Sets of events on one series: could any other sessions have done the same?

One series of conditional z serves events and placebos alike. The whole set of events is moved
round the sample (circular shifts), which keeps the spacing of the events and the dependence of
the series. Groups of a study of one's own are compared by permuting the labels.

Shifts come with two nulls. Studentised, that the mean is zero, whatever the variance. By the plain
mean, that these sessions are like any other: also small when only the variance is larger. Neither
counts what sessions of one week share: verdicts rest on `impact.inference.cluster_test`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, ReturnsError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.tests import HypothesisTest, check_study, origin
from impact.text.formats import counted, iso
from impact.volatility.forecast import conditional_z

#: No verdict is given on fewer sessions.
MIN_SESSIONS = 8

#: Which values of a statistic speak against the null, by the name of the side.
SIDES = ("two-sided", "greater", "less")


def extremity(statistic: np.ndarray, side: str) -> np.ndarray:
    """Turn statistics so that larger values speak against the null on one of `SIDES`.

    InferenceError if the side is none of them.
    """
    if side not in SIDES:
        raise InferenceError(f"side={side!r} is not known: say 'two-sided', 'greater' or 'less'")
    if side == "two-sided":
        return np.abs(statistic)
    return statistic if side == "greater" else -statistic


def window_z(z: pd.DataFrame, start: int = 0, end: int = 0) -> pd.Series:
    """Conditional z of the window (start, end) around every session, labelled by session 0.

    It is Σ (r - μ) / (σ √k) with σ of the window's first session, from the columns `z` and `sigma`
    of `conditional_z`; sessions whose window leaves the sample are left out.
    """
    length = end - start + 1
    moves = (z["z"] * z["sigma"]).rolling(length).sum().shift(-end)
    sigma = z["sigma"].shift(-start)
    return (moves / (sigma * np.sqrt(length))).dropna().rename("z")


def shift_statistics(z: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and studentised mean of a set at every circular shift; row 0 is the set itself."""
    mean, error = _shifts(z, positions)
    return mean, mean / error


def _shifts(z: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of a set at every circular shift, and its standard error."""
    twice = np.concatenate([z, z])
    shifted = np.lib.stride_tricks.sliding_window_view(twice, len(z))[positions, :]
    return shifted.mean(axis=0), shifted.std(axis=0, ddof=1) / np.sqrt(len(positions))


def shift_test(
    z: pd.Series,
    sessions: Sequence[pd.Timestamp],
    against: Sequence[pd.Timestamp] | None = None,
    *,
    studentised: bool = True,
) -> HypothesisTest:
    """Rank the conditional z of a set, or its difference from another's, among all circular shifts.

    Two sets are shifted together. What is ranked is the mean z over its own standard error (of two
    sets Welch's t), or else the mean z itself. InferenceError if there are fewer than 8 sessions,
    or one is repeated or not in `z`.

    Returns
    -------
    HypothesisTest
        Two-sided; ``detail["draws"]`` holds the statistic at every shift but the identity, shape
        (T - 1,).

    Notes
    -----
    p = (1 + #{shifts at least as extreme}) / (B + 1) over all B shifts but the identity, so it is
    never zero. Shifts take what neighbouring sessions of a set share for evidence: verdicts rest on
    `impact.inference.cluster_test`.

    References
    ----------
    MacKinnon and Webb (2020), Randomization inference for difference-in-differences with few
    treated clusters, J. Econometrics 218.

    Examples
    --------
    >>> z = pd.Series(np.sin(np.arange(500.0)), pd.bdate_range("2020-01-01", periods=500))
    >>> shift_test(z, z.index[::50]).n
    10
    """
    sets = [locate(z, one) for one in (sessions, against) if one is not None]
    for positions in sets:
        enough_sessions(len(positions))
    mean, error = zip(*(_shifts(z.to_numpy(float), positions) for positions in sets), strict=True)
    statistic = mean[0] - sum(mean[1:])
    if studentised:
        statistic = statistic / np.sqrt(sum(np.square(error)))
    null = "these sessions are like any other"
    if studentised:
        null = "the mean standardised return of these sessions is zero, whatever their variance"
    if against is not None:
        null = "the mean standardised returns of the two sets are equal"
    return HypothesisTest(
        name="shift_studentised" if studentised else "shift_mean",
        null=null,
        statistic=float(statistic[0]),
        p_value=rank_p(np.abs(statistic)),
        distribution=f"{counted(len(z) - 1, 'circular shift')} of the set",
        n=sum(map(len, sets)),
        reference="MacKinnon and Webb (2020)",
        detail={"draws": statistic[1:]},
    )


def enough_sessions(n: int, noun: str = "set") -> None:
    """Check that a set has the 8 sessions that a verdict needs; InferenceError where it has not."""
    if n < MIN_SESSIONS:
        raise InferenceError(
            f"a {noun} of {counted(n, 'session')} gets no verdict: "
            f"at least {MIN_SESSIONS} are needed"
        )


def locate(z: pd.Series, sessions: Sequence[pd.Timestamp]) -> np.ndarray:
    """Positions of `sessions` in `z`.

    ReturnsError if `z` has a missing value, InferenceError if a session is repeated or not in `z`.
    """
    if z.isna().any():
        raise ReturnsError(f"z is missing on {z.index[z.isna()][0]:%Y-%m-%d}: drop that session")
    days = pd.DatetimeIndex(sessions)
    positions = z.index.get_indexer(days)
    if (positions < 0).any():
        raise InferenceError(
            f"session {days[positions < 0][0]:%Y-%m-%d} has no conditional z: the series "
            f"runs from {z.index[0]:%Y-%m-%d} to {z.index[-1]:%Y-%m-%d}"
        )
    if len(np.unique(positions)) < len(positions):
        raise InferenceError(
            f"session {days[days.duplicated()][0]:%Y-%m-%d} is given twice: announcements "
            f"that share a session are one unit"
        )
    return positions


def rank_p(statistic: np.ndarray) -> float:
    """p of the first value among all: (1 + #{others at least as large}) / (B + 1)."""
    others = statistic[1:]
    # Shifts that give the same sums in another order may differ in the last bits.
    bar = statistic[0] - 1e-12 * max(1.0, abs(statistic[0]))
    return float((1 + np.count_nonzero(others >= bar)) / (len(others) + 1))


def difference_test(
    first: np.ndarray,
    second: np.ndarray,
    *,
    permutations: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> HypothesisTest:
    """Compare the conditional z of two groups of sessions by permuting their labels, studentised.

    InferenceError if a group has fewer than 8 sessions.

    Returns
    -------
    HypothesisTest
        Two-sided; `n` counts both groups, ``detail`` each of them; ``detail["draws"]`` holds
        Welch's t of every relabelling, shape (permutations,).

    References
    ----------
    Janssen (1997), Studentized permutation tests for non-i.i.d. hypotheses: the studentised form
    keeps its size when the variances differ.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    for group in (first, second):
        enough_sessions(len(group), "group")
    pooled = np.concatenate([first, second])
    labels = np.tile(np.arange(len(pooled)), (permutations, 1))
    shuffled = np.random.default_rng(rng).permuted(labels, axis=1)
    drawn = pooled[np.vstack([np.arange(len(pooled)), shuffled])]
    one, other = drawn[:, : len(first)], drawn[:, len(first) :]
    statistic = welch_t(one, other)
    return HypothesisTest(
        name="difference_studentised",
        null="the mean standardised returns of the two groups are equal, whatever their variances",
        statistic=float(statistic[0]),
        p_value=rank_p(np.abs(statistic)),
        distribution=f"{counted(permutations, 'relabelling')} of the sessions",
        n=len(pooled),
        reference="Janssen (1997)",
        detail={"n_first": len(first), "n_second": len(second), "draws": statistic[1:]},
    )


def welch_t(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Welch's t of rows of two samples."""
    error = first.var(axis=-1, ddof=1) / first.shape[-1]
    error = error + second.var(axis=-1, ddof=1) / second.shape[-1]
    return (first.mean(axis=-1) - second.mean(axis=-1)) / np.sqrt(error)


# -- a study -------------------------------------------------------------------------------------


def shift_mean(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Test that the study's sessions are like any other: mean z against all circular shifts.

    It is also small when only their variance is larger; see `shift_studentised`.

    Raises
    ------
    InferenceError
        If there are fewer than 8 sessions, several series, or no variance model.
    HistoryError
        If an event lies before the conditional variance begins.

    References
    ----------
    MacKinnon and Webb (2020), J. Econometrics 218.
    """
    return _shift(study, start, end, "shift_mean", studentised=False)


def shift_studentised(
    study: AbnormalReturns, start: int = 0, end: int | None = None
) -> HypothesisTest:
    """Test that the mean of the study's sessions is zero, whatever their variance.

    The mean z over its own standard error is ranked among all circular shifts of the set.

    Raises
    ------
    InferenceError, HistoryError
        As `shift_mean`.

    References
    ----------
    MacKinnon and Webb (2020), J. Econometrics 218.
    """
    return _shift(study, start, end, "shift_studentised", studentised=True)


def _shift(
    study: AbnormalReturns, start: int, end: int | None, name: str, *, studentised: bool
) -> HypothesisTest:
    z, sessions, about = set_of(study, start, end, name)
    return replace(shift_test(z, sessions, studentised=studentised), **about)


def set_of(
    study: AbnormalReturns, start: int, end: int | None, name: str
) -> tuple[pd.Series, pd.DatetimeIndex, dict[str, Any]]:
    """Return the conditional z of a study's window, its sessions, and what a test says of both.

    InferenceError and HistoryError as `shift_mean`.
    """
    check_study(study)
    if not study.is_one_series or study.settings.volatility is None:
        raise InferenceError(
            f"{name} needs one series and a variance model: take study.portfolio(), or run the "
            "study with volatility='gjr'"
        )
    tested = study.over(start, end).tested
    series = conditional_z(study.returns.iloc[:, 0], model=study.settings.volatility)
    z = window_z(series, tested.start, tested.end)
    sessions = pd.DatetimeIndex(study.alignment["session"])
    early = sessions[sessions < z.index[0]]
    if len(early):
        raise HistoryError(
            f"the conditional variance begins on {iso(z.index[0])}, after the event of "
            f"{iso(early[0])}: leave that event out or bring a longer history"
        )
    return z, sessions, origin(study, tested)
