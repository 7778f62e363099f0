"""One event on one series, tested as if the variance were constant.

The sample quantile, the conformal and the single-event placebo test reject too often in turbulent
times, so they are never shown without their size by volatility. Plain functions of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impact.errors import HistoryError, InferenceError, WindowError
from impact.inference.conditional import equal_tails
from impact.text.formats import counted

#: Fewest estimation residuals and fewest placebos: with fewer, two tails of 2.5% are empty.
MIN_RANKED = 40


@dataclass(frozen=True)
class RankedTest:
    """A statistic and where it stands among others.

    Attributes
    ----------
    statistic : float
    p_value : float
    n : int
        Values that it was ranked among.
    """

    statistic: float
    p_value: float
    n: int


def sample_quantile_test(residuals: np.ndarray, ar: np.ndarray) -> RankedTest:
    """Rank a window's abnormal return among the estimation residuals.

    Parameters
    ----------
    residuals : ndarray, shape (L,)
        Abnormal returns of the estimation window.
    ar : ndarray, shape (k,)
        Abnormal returns of the tested window; a number is one session.

    Returns
    -------
    RankedTest
        `statistic` is the sum of `ar`.

    Raises
    ------
    InferenceError
        If fewer than 40 sums of k residuals can be formed, or a value is missing.

    Notes
    -----
    For k sessions the sum is ranked among the L - k + 1 overlapping k-session sums of residuals;
    these are dependent, so p is rough beyond a few sessions. Equal tails as in
    `impact.inference.conditional.equal_tails`.

    References
    ----------
    Gelbach, Helland and Klick (2013), Valid inference in single-firm, single-event studies.

    Examples
    --------
    >>> sample_quantile_test(np.arange(-49.5, 49.6), 60.0).p_value  # doctest: +ELLIPSIS
    0.0198...
    """
    ar, residuals = np.atleast_1d(np.asarray(ar, float)), np.asarray(residuals, float)
    _check_values(residuals, ar)
    k = len(ar)
    if len(residuals) - k + 1 < MIN_RANKED:
        raise InferenceError(
            f"the sample quantile test needs {MIN_RANKED} sums of {counted(k, 'residual')} and "
            f"{len(residuals)} residuals do not give them: lengthen the estimation window"
        )
    sums = np.convolve(residuals, np.ones(k), mode="valid")
    return RankedTest(float(ar.sum()), equal_tails(sums, ar.sum()), len(sums))


def conformal_test(estimation: np.ndarray, window: np.ndarray) -> RankedTest:
    """Rank a window's mean-adjusted return among all cyclic shifts of the data.

    Parameters
    ----------
    estimation : ndarray, shape (L,)
        Returns of the estimation window.
    window : ndarray, shape (k,)
        Returns of the tested window; joined to the end of the estimation window as if no
        session lay between.

    Returns
    -------
    RankedTest
        `statistic` is |Σ u| / √k with u the returns less their mean over all L + k sessions, as
        the null imposes; p = #{shifts with a statistic at least as large} / (L + k), the
        unshifted one counted.

    Raises
    ------
    InferenceError
        If there are fewer than 40 sessions in all, or a value is missing.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021), An exact and robust conformal inference method for
    counterfactual and synthetic controls (moving-block permutations).

    Examples
    --------
    >>> conformal_test(np.tile([-1.0, 1.0], 50), np.array([9.0])).p_value  # doctest: +ELLIPSIS
    0.0099...
    """
    window, estimation = np.atleast_1d(np.asarray(window, float)), np.asarray(estimation, float)
    _check_values(estimation, window)
    joined = np.concatenate([estimation, window])
    if len(joined) < MIN_RANKED:
        raise InferenceError(
            f"the conformal test needs {MIN_RANKED} sessions and there are {len(joined)}: "
            "lengthen the estimation window"
        )
    k = len(window)
    centred = joined - joined.mean()
    around = np.concatenate([centred, centred[: k - 1]])
    statistic = np.abs(np.convolve(around, np.ones(k), mode="valid")) / np.sqrt(k)
    # The tested window itself starts at L; equal sums may differ in the last bits.
    own = statistic[len(estimation)]
    count = np.count_nonzero(statistic >= own - 1e-12 * max(own, 1e-12))
    return RankedTest(float(own), float(count / len(joined)), len(joined))


def placebo_test(
    returns: np.ndarray, position: int, k: int = 1, *, estimation: tuple[int, int] = (-260, -11)
) -> RankedTest:
    """Rank |z| of a window among the same quantity of all earlier windows.

    Parameters
    ----------
    returns : ndarray, shape (T,)
        Decimal returns, none missing up to the window's end.
    position : int
        First session of the window.
    k : int
        Sessions in the window.
    estimation : pair of int
        Estimation window relative to `position`, both included.

    Returns
    -------
    RankedTest
        `statistic` is z = CAR / (s √(k + k²/L)), with mean and s from its own estimation window;
        p = (1 + #{|z*| >= |z|}) / (B + 1) over the B sessions that have a full estimation window
        and whose own window ends before `position`.

    Raises
    ------
    WindowError
        If a window is reversed, overlaps the other or leaves the returns.
    HistoryError
        If there are fewer than 40 placebos.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(0).standard_normal(800)
    >>> returns[700] = 0.08
    >>> placebo_test(returns, 700).n
    440
    """
    start, end = estimation
    values = np.asarray(returns, float)
    if k < 1 or not start < end < 0 or not 0 <= position <= len(values) - k:
        raise WindowError(
            f"position={position}, k={k} and estimation={estimation} do not fit "
            f"{len(values):,} returns: the estimation window comes first, then k >= 1 sessions"
        )
    placebos = np.arange(-start, position - k + 1)
    if len(placebos) < MIN_RANKED:
        raise HistoryError(
            f"the placebo test needs {MIN_RANKED} earlier windows with an estimation window each, "
            f"{-start + k - 1 + MIN_RANKED:,} sessions in all, and {position:,} are available"
        )
    values = values[: position + k]
    _check_values(values)
    z = _window_z(values, np.append(placebos, position), k, start, end)
    others, own = z[:-1], z[-1]
    if not np.isfinite(own):
        raise InferenceError("the returns of the estimation window do not vary: z is not defined")
    others = np.abs(others[np.isfinite(others)])
    count = np.count_nonzero(others >= abs(own))
    return RankedTest(float(own), float((1 + count) / (len(others) + 1)), len(others))


def _window_z(values: np.ndarray, at: np.ndarray, k: int, start: int, end: int) -> np.ndarray:
    """z of the k sessions from each position, by cumulative sums."""
    # Centred first: the sums of squares then keep their digits.
    values = values - values.mean()
    total = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    length = end - start + 1
    mean = (total[at + end + 1] - total[at + start]) / length
    spread = squares[at + end + 1] - squares[at + start] - length * mean**2
    # What cancellation leaves of a constant stretch is no variance.
    spread[spread <= 1e-13 * squares[-1]] = np.nan
    error = np.sqrt(spread / (length - 1) * (k + k**2 / length))
    return (total[at + k] - total[at] - k * mean) / error


def _check_values(*arrays: np.ndarray) -> None:
    for values in arrays:
        if not np.isfinite(values).all():
            missing = np.count_nonzero(~np.isfinite(values))
            raise InferenceError(
                f"{counted(missing, 'return')} of {len(values):,} missing or infinite: "
                "this test needs every return"
            )
