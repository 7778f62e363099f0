"""One event on one series, tested as if the variance were constant.

These tests reject too often in turbulent times, so they are never shown without their size by
volatility. A study of several units or series, too few sessions to rank among and, for `conformal`
and `placebo_session`, a model that is not the constant mean raise `InferenceError`. The formulas
below them are functions of arrays.

Examples
--------
>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> study = impact.event_study(returns, ["2025-05-02"])
>>> prediction_t(study).distribution
'Student t with 249 degrees of freedom'
>>> conformal(study).n
251
"""

from __future__ import annotations

import numpy as np

from impact.errors import HistoryError, InferenceError, WindowError
from impact.inference.equal_tails import equal_tails
from impact.inference.tests import CheckedReturns, Found, student_p, window_test
from impact.text.formats import counted

#: Fewest estimation residuals and fewest placebos: with fewer, two tails of 2.5% are empty.
MIN_RANKED = 40

_LIKE_ANY = "the {} is like any other"


@window_test("Campbell, Lo and MacKinlay (1997)", "the {} is zero in expectation", one_event=True)
def prediction_t(sample: CheckedReturns) -> Found:
    """Exact prediction t of one event: CAR / (s √C), t with the model's degrees of freedom.

    The variance is that of the estimation window: exact for normal returns of constant variance.

    References
    ----------
    Salkever (1976); Campbell, Lo and MacKinlay (1997), chapter 4.
    """
    return student_p(sample.scar[0], sample.dof[0], sample.n_estimation[0])


@window_test("Gelbach, Helland and Klick (2013)", _LIKE_ANY, one_event=True)
def sample_quantile(sample: CheckedReturns) -> Found:
    """Rank the window's sum among the estimation residuals, equal tails.

    For k sessions it is ranked among the L - k + 1 overlapping k-session sums of residuals; these
    are dependent, so p is rough beyond a few sessions.

    References
    ----------
    Gelbach, Helland and Klick (2013), Valid inference in single-firm, single-event studies.
    """
    residuals = sample.estimation_ar[0]
    return among_residuals(residuals[np.isfinite(residuals)], sample.ar[0, sample.inside])


@window_test("Chernozhukov, Wüthrich and Zhu (2021)", _LIKE_ANY, one_event=True)
def conformal(sample: CheckedReturns) -> Found:
    """Rank the window among all cyclic shifts of estimation window and window.

    The statistic is |Σ u| / √k with u the returns less their mean over all L + k sessions, as the
    null imposes; p = #{shifts with a statistic at least as large} / (L + k), the unshifted one
    counted. The window is joined to the end of the estimation window as if no session lay between.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021), An exact and robust conformal inference method for
    counterfactual and synthetic controls (moving-block permutations).
    """
    _need_constant_mean(sample, "re-estimates a mean")
    fits = sample.fits
    past = fits.panel.estimation_returns(fits.pairs, fits.past)[0]
    if (span := fits.panel.sessions_in(fits.pairs, fits.past)) is not None:
        past = past[span[0] == 1]
    return among_cyclic_shifts(
        past[np.isfinite(past)], fits.panel.returns_in(fits.pairs, sample.tested)[0]
    )


@window_test("Gelbach, Helland and Klick (2013)", _LIKE_ANY, one_event=True)
def placebo_session(sample: CheckedReturns) -> Found:
    """Rank |z| of the window among all earlier windows, each with its own estimation window.

    z = CAR / (s √(k + k²/L)); p = (1 + #{|z*| >= |z|}) / (B + 1) over the B windows that have a
    full estimation window and end before the tested one.

    Raises
    ------
    InferenceError
        If the study has several units or series, or its model is not the constant mean.
    HistoryError
        If there are too few earlier windows.

    References
    ----------
    Gelbach, Helland and Klick (2013), Valid inference in single-firm, single-event studies.
    """
    _need_constant_mean(sample, "standardises by a mean")
    tested, estimation = sample.tested, sample.fits.settings.estimation
    history = sample.study.history(0)
    first = sample.study.returns.index[int(sample.position[0]) + tested.start]
    position, values = int(history.index.searchsorted(first)), history.to_numpy()
    gaps = np.flatnonzero(np.isnan(values[:position]))
    # The return that ends a gap is none of one session either.
    begin = gaps[-1] + 2 if len(gaps) else 0
    return among_earlier_windows(
        values[begin:],
        position - begin,
        int(sample.asked[0]),
        estimation=(estimation.start - tested.start, estimation.end - tested.start),
    )


def _need_constant_mean(sample: CheckedReturns, reason: str) -> None:
    layout = sample.study.layout
    if layout.name != "constant mean":
        raise sample.refusal(f"{reason}: use model='constant-mean'")


# -- formulas of arrays --------------------------------------------------------------------------


def among_residuals(residuals: np.ndarray, ar: np.ndarray | float) -> Found:
    """Rank the abnormal returns of a window among estimation residuals: see `sample_quantile`.

    InferenceError if fewer than 40 sums of k residuals can be formed, or a value is missing.

    Examples
    --------
    >>> among_residuals(np.arange(-49.5, 49.6), 60.0)["p_value"]  # doctest: +ELLIPSIS
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
    return _ranked(ar.sum(), equal_tails(sums, ar.sum()), len(sums), "estimation residuals")


def among_cyclic_shifts(estimation: np.ndarray, window: np.ndarray) -> Found:
    """Rank a window's mean-adjusted return among all cyclic shifts: see `conformal`.

    InferenceError if there are fewer than 40 sessions in all, or a value is missing.

    Examples
    --------
    >>> among_cyclic_shifts(np.tile([-1.0, 1.0], 50), [9.0])["p_value"]  # doctest: +ELLIPSIS
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
    return _ranked(own, count / len(joined), len(joined), "cyclic shifts")


def among_earlier_windows(
    returns: np.ndarray, position: int, k: int = 1, *, estimation: tuple[int, int] = (-260, -11)
) -> Found:
    """Rank |z| of a window among the same quantity of earlier windows: see `placebo_session`.

    The window has k sessions from `position` on; returns are decimal, none missing up to its end.
    `estimation` is the estimation window relative to `position`. WindowError if a window is
    reversed, overlaps the other or leaves the returns; HistoryError if there are fewer than 40
    placebos.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(0).standard_normal(800)
    >>> returns[700] = 0.08
    >>> among_earlier_windows(returns, 700)["n"]
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
    return _ranked(own, (1 + count) / (len(others) + 1), len(others), "earlier windows")


def _ranked(statistic: float, p: float, n: int, among: str) -> Found:
    return {
        "statistic": float(statistic),
        "p_value": float(p),
        "n": n,
        "distribution": f"rank among {among}",
    }


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
        missing = int(np.count_nonzero(~np.isfinite(values)))
        if missing:
            raise InferenceError(
                f"{counted(missing, 'return')} of {len(values):,} missing or infinite: "
                "this test needs every return"
            )
