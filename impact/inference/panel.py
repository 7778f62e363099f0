"""Parametric tests of the mean abnormal return of a panel.

In the formulas i runs over the n pairs of event and security that have at least one return in the
window; CAR_i is the sum of the abnormal returns that there are, s_i² the residual variance with
dof_i degrees of freedom, C_i the exact variance of CAR_i over s_i² (k + c'(X'X)⁻¹c with c the sum
of the regressors over the k sessions), SCAR_i = CAR_i/(s_i √C_i). AAR_t is the mean over the n_t
pairs with a return of session t alone. Standard deviations divide by n - 1. Returns are decimal
fractions. A test that cannot be computed raises `InferenceError`: without a return in the window,
with fewer values than a spread needs, or if those do not differ.

Examples
--------
>>> import impact
>>> sectors = impact.log_returns(impact.load_prices("sectors"))
>>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
>>> bmp(study, 0, 1).n
11
>>> kp_bmp(study, 0, 1).distribution
'Student t with 10 degrees of freedom'
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from impact.inference.correlation import clustering, own_share
from impact.inference.tests import (
    CheckedReturns,
    Found,
    check_option,
    normal_p,
    student_or_normal,
    student_p,
    sums_by_session,
    window_test,
)


@window_test("Brown and Warner (1980)")
def cross_sectional_t(sample: CheckedReturns, *, distribution: str = "t") -> Found:
    """Test the mean CAR against its spread over securities: t = √n mean(CAR) / sd(CAR).

    Parameters
    ----------
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    References
    ----------
    Brown and Warner (1980), Measuring security price performance, J. Financial Economics 8.
    """
    t, n = sample.mean_over_error(sample.cars(2), "CARs")
    return student_or_normal(distribution, t, n - 1, n)


@window_test(
    "Campbell, Lo and MacKinlay (1997)",
    "the {} of the equal-weighted portfolio is zero in expectation",
    of_portfolio=True,
)
def portfolio_t(sample: CheckedReturns) -> Found:
    """Test one common date with the exact prediction t of the equal-weighted portfolio.

    t = CAR_p / (s_p √C_p), t(dof_p): the model is estimated on the mean return of the columns.
    Cross-sectional correlation is inside s_p; variance that the event induces is not.

    Raises
    ------
    InferenceError
        With several dates (then use ``cross_sectional_t(study.portfolio())``) or no return.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, chapter 4.
    """
    if len(sample.car) != 1:
        raise sample.refusal(
            f"tests one date and the study has {len(sample.car)}: pick one with "
            "study['id'], or use cross_sectional_t(study.portfolio())"
        )
    return student_p(sample.scars(1)[0], sample.dof[0], 1)


@window_test("Brown and Warner (1985)")
def crude_dependence_t(sample: CheckedReturns, *, distribution: str = "t") -> Found:
    """Test ΣAAR_t against the spread of the average residual over the estimation window.

    t = Σ_w AAR_t / (√k sd(AAR over estimation)), t(L - 1) with L the estimation sessions that
    have an average and k the tested ones that do. There is no correction for forecast error.

    Parameters
    ----------
    distribution : {"t", "normal"}
        t(L - 1) or its limit.

    References
    ----------
    Brown and Warner (1985), Using daily stock returns, J. Financial Economics 14.
    """
    aar = _averages([sample.ar_of_one[:, sample.inside]])
    past = _averages(part for _, part, _ in sample.fits.estimation_chunks())
    if not len(aar) or len(past) < 2:
        raise sample.refusal(f"needs a return in {sample.tested} and two estimation sessions")
    spread = sample.spread(past, "average residuals", sample.s.max())
    t = aar.sum() / (np.sqrt(len(aar)) * spread)
    return student_or_normal(distribution, t, len(past) - 1, (sample.days > 0).sum())


@window_test("Brown and Warner (1980)")
def brown_warner_1980(sample: CheckedReturns, *, distribution: str = "t") -> Found:
    """Test ΣAAR_t with the residual spreads of the securities, taken as independent.

    t = Σ_w AAR_t / √(Σ_w Σ_{i in t} sd_i² / n_t²), with sd_i that of security i's residuals and
    the inner sum over the securities with a return in session t; t(mean L_i - 1).

    Parameters
    ----------
    distribution : {"t", "normal"}
        t or its limit.

    References
    ----------
    Brown and Warner (1980), Measuring security price performance, J. Financial Economics 8.
    """
    n = len(sample.cars(1))
    values = sample.ar_of_one[:, sample.inside]
    here = ~np.isnan(values)
    if not here.any():
        raise sample.refusal(f"needs a return of one session in {sample.tested}")
    aar, present = _averages([values]), here.sum(axis=0)
    parts = [np.nanvar(part, axis=1, ddof=1) for _, part, _ in sample.fits.estimation_chunks()]
    variance = np.concatenate(parts)
    by_session = (variance[:, None] * here).sum(axis=0) / np.fmax(present, 1) ** 2
    t = aar.sum() / np.sqrt(by_session.sum())
    return student_or_normal(distribution, t, sample.n_estimation.mean() - 1, n)


@window_test("Patell (1976)")
def patell(sample: CheckedReturns, *, days: str = "dependent") -> Found:
    """Test the sum of standardised CARs: z = ΣSCAR_i / √(Σ dof_i/(dof_i - 2)).

    Parameters
    ----------
    days : {"dependent", "independent"}
        With the exact covariance of the prediction errors of a window's sessions, or as in 1976
        without it: z = Σ_i Σ_t SAR_it / √(k_i dof_i/(dof_i - 2)) / √n; one session has none.

    Raises
    ------
    InferenceError
        Without a return in the window, or with dof_i of two or less.

    References
    ----------
    Patell (1976), Corporate forecasts of earnings per share, J. Accounting Research 14;
    Campbell, Lo and MacKinlay (1997), chapter 4, for the exact covariance.
    """
    return normal_p(*_patell_z(sample, days))


@window_test("Boehmer, Musumeci and Poulsen (1991)")
def bmp(sample: CheckedReturns, *, distribution: str = "t") -> Found:
    """Test the mean SCAR against its spread over securities: t = √n mean(SCAR) / sd(SCAR).

    Variance that the event induces does not disturb it; correlation across securities does.

    Parameters
    ----------
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    References
    ----------
    Boehmer, Musumeci and Poulsen (1991), Event-study methodology under conditions of
    event-induced variance, J. Financial Economics 30.
    """
    t, n = sample.mean_over_error(sample.scars(2), "SCARs")
    return student_or_normal(distribution, t, n - 1, n)


@window_test("Kolari and Pynnönen (2010)")
def kp_patell(
    sample: CheckedReturns, *, correlation: str = "event-time", truncate: bool = False
) -> Found:
    """Patell's test adjusted for correlation across securities: z / √(1 + (n - 1) r̄), normal.

    Parameters
    ----------
    correlation : {"event-time", "calendar"}
        How residuals are matched for r̄, see `mean_correlation`.
    truncate : bool
        Replace a negative r̄ by zero.

    Raises
    ------
    InferenceError
        As `patell`, and if 1 + (n - 1) r̄ is not positive.

    References
    ----------
    Kolari and Pynnönen (2010), Review of Financial Studies 23.
    """
    z, n = _patell_z(sample, "dependent")
    _, inflation = clustering(sample, n, correlation, truncate)
    return normal_p(z / np.sqrt(inflation), n)


@window_test("Kolari and Pynnönen (2010)")
def kp_bmp(
    sample: CheckedReturns,
    *,
    correlation: str = "event-time",
    truncate: bool = False,
    distribution: str = "t",
) -> Found:
    """The BMP test adjusted for correlation: t √((1 - r̄) / (1 + (n - 1) r̄)), t(n - 1).

    Parameters
    ----------
    correlation : {"event-time", "calendar"}
        How residuals are matched for r̄, see `mean_correlation`.
    truncate : bool
        Replace a negative r̄ by zero.
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    Raises
    ------
    InferenceError
        As `bmp`, and if 1 + (n - 1) r̄ or 1 - r̄ is not positive.

    References
    ----------
    Kolari and Pynnönen (2010), Review of Financial Studies 23.
    """
    t, n = sample.mean_over_error(sample.scars(2), "SCARs")
    mean, inflation = clustering(sample, n, correlation, truncate)
    adjusted = t * np.sqrt(own_share(sample, mean) / inflation)
    return student_or_normal(distribution, adjusted, n - 1, n)


@window_test("Hall (1992)")
def hall(sample: CheckedReturns, *, form: str = "hall", distribution: str = "t") -> Found:
    """Skewness-adjusted cross-sectional test of the mean CAR.

    With S = mean/sd: √n (S + g S²/3 + g² S³/27 + g/(6n)), g = n/((n-1)(n-2)) Σ((x - mean)/sd)³.

    Parameters
    ----------
    form : {"hall", "johnson"}
        As above, or √n (S + g S²/3 + g/(6n)) with g = mean(((x - mean)/sd)³).
    distribution : {"t", "normal"}
        t(n - 1), or its limit: that rejects 6.6% of true nulls at 5% with 20 normal CARs, t 5.2%.

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, J. Royal Statistical Society B 54;
    Johnson (1978) in the form of Lyon, Barber and Tsai (1999), J. of Finance 54.
    """
    check_option("form", form, ("hall", "johnson"))
    values = sample.cars(3)
    n, spread = len(values), sample.spread(values, "CARs")
    ratio, cubes = values.mean() / spread, (((values - values.mean()) / spread) ** 3).sum()
    if form == "hall":
        skew = n / ((n - 1) * (n - 2)) * cubes
        cubic = skew**2 * ratio**3 / 27
    else:
        skew, cubic = cubes / n, 0.0
    statistic = np.sqrt(n) * (ratio + skew * ratio**2 / 3 + cubic + skew / (6 * n))
    found = student_or_normal(distribution, statistic, n - 1, n)
    return found if form == "hall" else found | {"reference": "Johnson (1978)"}


def _patell_z(sample: CheckedReturns, days: str) -> tuple[float, int]:
    check_option("days", days, ("dependent", "independent"))
    values, used = sample.scars(1), sample.days > 0
    dof = sample.dof[used]
    if (dof <= 2).any():
        raise sample.refusal(
            f"needs more than two residual degrees of freedom and a fit has {dof.min()}: "
            "lengthen the estimation window"
        )
    variance = dof / (dof - 2)
    if days == "dependent":
        return values.sum() / np.sqrt(variance.sum()), len(values)
    sums = np.where(sample.inside_pairs, sample.sar, 0.0).sum(axis=1)[used]
    return (sums / np.sqrt(sample.days[used] * variance)).sum() / np.sqrt(len(sums)), len(sums)


def _averages(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Means over all rows of some arrays, of the columns that hold a number."""
    sums, present = sums_by_session(parts)
    return sums[present > 0] / present[present > 0]
