"""One event on one series, tested against the variance known the evening before.

Plain functions of arrays: nothing here knows what an event study is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from impact.errors import InferenceError, ReturnsError, WindowError
from impact.volatility.forecast import Forecast, variance_forecast

#: Level of the intervals and of the test whose power gives `smallest_detectable`; that power.
LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True)
class ConditionalTest:
    """One window tested against the variance known on its eve.

    Attributes
    ----------
    car : float
        Σ (r - mu) over the window, mu the fitted mean; decimal fraction.
    sigma : float
        Forecast standard deviation of the window's sum.
    z : float
        car / sigma.
    p_fhs : float
        Filtered historical simulation, equal tails.
    ci_low, ci_high : float
        95% interval of the effect: what `p_fhs` does not reject.
    p_t, ci_t_low, ci_t_high : float
        The same with Student-t innovations.
    smallest_detectable : float
        Size of the effect that the 5% test by `p_fhs` finds in 80% of cases, in its harder
        direction.
    mean, nu : float
        Fitted mean and degrees of freedom.
    n : int
        Past innovations that were ranked or drawn from.
    model, note : str
    """

    car: float
    sigma: float
    z: float
    p_fhs: float
    ci_low: float
    ci_high: float
    p_t: float
    ci_t_low: float
    ci_t_high: float
    smallest_detectable: float
    mean: float
    nu: float
    n: int
    model: str
    note: str


def conditional_test(
    returns: np.ndarray,
    *,
    fit_end: int,
    first: int,
    last: int,
    model: str = "gjr",
    seed: int = 0,
    paths: int = 10_000,
) -> ConditionalTest:
    """Test that the returns of a window sum to what their mean and eve's variance allow.

    Parameters
    ----------
    returns : ndarray, shape (T,)
        Decimal returns or abnormal returns; the fit removes their own mean.
    fit_end : int
        Parameters are fitted on the last 2,000 of ``returns[:fit_end]``: the first session of
        the event window, so that they see nothing of it.
    first, last : int
        Positions of the tested sessions, both included; the eve is ``first - 1``.
    model : {"gjr", "garch", "ewma"}
    seed : int
        Of windows of two or more sessions; one session needs no random numbers. The generator
        depends on (seed, first, last) alone, whatever else is tested.
    paths : int
        Simulated paths.

    Raises
    ------
    WindowError
        If the window is reversed or leaves the returns, or begins before `fit_end`.
    HistoryError, ReturnsError, VolatilityError
        As `impact.volatility.garch.fit_variance`.
    InferenceError
        If `seed` is negative or `paths` not positive.

    Notes
    -----
    One session: z = (r - mu) / σ is ranked among the last 1,000 past z, and p_t is from the
    Student t scaled to unit variance. Windows: past z (or Student-t draws) are drawn with
    replacement and run forward from the eve through the variance equation, and Σ (r - mu) is
    ranked among the simulated sums. Equal tails: p = min(1, 2 min(1 + #{x* >= x},
    1 + #{x* <= x}) / (B + 1)). The interval inverts that test. With q the quantiles under the
    null, a rise is found with 80% from q_.975 - q_.2 and a fall from q_.8 - q_.025;
    `smallest_detectable` is the larger.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for portfolios of
    derivative securities.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(0).standard_t(6, 1_500)
    >>> returns[1_400] = 0.09
    >>> test = conditional_test(returns, fit_end=1_395, first=1_400, last=1_400)
    >>> test.p_fhs < 0.01, test.ci_low > 0
    (True, True)
    """
    values = np.asarray(returns, float)
    if not 0 < fit_end <= first <= last < len(values):
        raise WindowError(
            f"first={first}, last={last} and fit_end={fit_end} do not fit {len(values):,} "
            "returns: 0 < fit_end <= first <= last < their number"
        )
    if seed < 0 or paths < 1:
        raise InferenceError(f"seed={seed} and paths={paths}: give a seed from 0 and paths from 1")
    window = values[first : last + 1]
    if not np.isfinite(window).all():
        raise ReturnsError("a return of the tested window is missing: test a window without gaps")
    known = variance_forecast(values, fit_end, first - 1, model=model)
    car = float((window - known.mean).sum())
    if len(window) == 1:
        sums, p_t, reach = known.sigma * known.past_z, *_student(car, known)
        low_t, high_t = car - reach, car + reach
    else:
        sums, sums_t = simulated_sums(
            known, len(window), np.random.default_rng([seed, first, last]), paths
        )
        p_t = equal_tails(sums_t, car)
        low_t, high_t = inverted(sums_t, car)
    sigma = float(np.sqrt(known.fit.variances(known.sigma, len(window)).sum()))
    low, high = inverted(sums, car)
    return ConditionalTest(
        car=car,
        sigma=sigma,
        z=car / sigma,
        p_fhs=equal_tails(sums, car),
        ci_low=low,
        ci_high=high,
        p_t=p_t,
        ci_t_low=low_t,
        ci_t_high=high_t,
        smallest_detectable=detectable(sums),
        mean=known.mean,
        nu=known.nu,
        n=len(known.past_z),
        model=known.model,
        note=known.note,
    )


def simulated_sums(
    known: Forecast, k: int, rng: np.random.Generator, paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of k demeaned returns simulated from the eve, by past z and by Student-t draws.

    Returns
    -------
    tuple of ndarray, each of shape (paths,)
    """
    drawn = rng.choice(known.past_z, (paths, k))
    student = rng.standard_t(known.nu, (paths, k)) * np.sqrt((known.nu - 2) / known.nu)
    by_past = known.fit.simulate(known.sigma, drawn).sum(axis=1)
    return by_past, known.fit.simulate(known.sigma, student).sum(axis=1)


def student_p(z: float | np.ndarray, nu: float | np.ndarray) -> float | np.ndarray:
    """Two-sided p of z under the Student t scaled to unit variance.

    Examples
    --------
    >>> round(float(student_p(3.164, 5.745)), 4)
    0.0085
    """
    return 2 * stdtr(nu, -np.abs(z) * np.sqrt(nu / (nu - 2)))


def _student(car: float, known: Forecast) -> tuple[float, float]:
    quantile = stdtrit(known.nu, 1 - LEVEL / 2) * np.sqrt((known.nu - 2) / known.nu)
    return float(student_p(car / known.sigma, known.nu)), float(quantile * known.sigma)


def equal_tails(draws: np.ndarray, value: float) -> float:
    """Two-sided p of `value` among draws from the null: twice the smaller tail, at most 1.

    Examples
    --------
    >>> equal_tails(np.arange(99.0), 98.5)
    0.02
    """
    smaller = min(np.count_nonzero(draws >= value), np.count_nonzero(draws <= value))
    return min(1.0, float(2 * (1 + smaller) / (len(draws) + 1)))


def _critical(draws: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value whose `equal_tails` p exceeds the level; infinite if none."""
    # p > level holds with at least `inside` draws on the value or beyond, on either side.
    inside = int(np.floor(LEVEL / 2 * (len(draws) + 1)))
    if not inside:
        return -np.inf, np.inf
    ordered = np.sort(draws)
    return float(ordered[inside - 1]), float(ordered[-inside])


def inverted(draws: np.ndarray, value: float) -> tuple[float, float]:
    """Effects d for which ``equal_tails(draws, value - d)`` exceeds 5%: the ends of the interval.

    Examples
    --------
    >>> inverted(np.arange(-50.0, 51.0), 100.0)
    (51.0, 149.0)
    """
    low, high = _critical(draws)
    return value - high, value - low


def detectable(draws: np.ndarray) -> float:
    """Effect that the 5% equal-tailed test finds with 80% in its harder direction.

    See `conditional_test`; `draws` come from the null.
    """
    low, high = _critical(draws)
    rise = high - np.quantile(draws, 1 - POWER)
    fall = np.quantile(draws, POWER) - low
    return float(max(rise, fall))
