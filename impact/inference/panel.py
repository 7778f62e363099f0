"""Parametric tests of the mean abnormal return of a panel.

Every test takes a study and a window of relative sessions, both ends included (`end` defaults to
`start`), and returns a `HypothesisTest`; it computes always, also where `impact.inference.validity`
calls it not valid. In the formulas i runs over the n pairs of event and security that have at
least one return in the window; CAR_i is the sum of the abnormal returns that there are, s_i² the
residual variance with dof_i degrees of freedom, C_i the exact variance of CAR_i over s_i²
(k + c'(X'X)⁻¹c with c the sum of the regressors over the k sessions), SCAR_i = CAR_i/(s_i √C_i).
AAR_t is the mean over the n_t pairs with a return in session t. Standard deviations divide by
n - 1. Returns are decimal fractions. A test that cannot be computed raises `InferenceError`.

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

import numpy as np

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import WindowReturns
from impact.inference.correlation import clustering
from impact.inference.inputs import (
    average_by_session,
    cars,
    mean_null,
    mean_over_error,
    scars,
    varying,
    what,
)
from impact.inference.tests import (
    HypothesisTest,
    check_option,
    normal_p,
    student_or_normal,
    student_p,
)


def cross_sectional_t(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, distribution: str = "t"
) -> HypothesisTest:
    """Test the mean CAR against its spread over securities: t = √n mean(CAR) / sd(CAR).

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    Raises
    ------
    InferenceError
        With fewer than two CARs, or if they do not differ.

    References
    ----------
    Brown and Warner (1980), Measuring security price performance, J. Financial Economics 8.
    """
    sample = study.over(start, end)
    t, n = mean_over_error("cross_sectional_t", cars(sample, "cross_sectional_t", 2))
    return HypothesisTest(
        name="cross_sectional_t",
        null=mean_null(sample),
        n=n,
        reference="Brown and Warner (1980)",
        **student_or_normal(distribution, t, n - 1),
    )


def portfolio_t(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Test one common date with the exact prediction t of the equal-weighted portfolio.

    t = CAR_p / (s_p √C_p), t(dof_p): the model is estimated on the mean return of the columns.
    Cross-sectional correlation is inside s_p; variance that the event induces is not.

    Parameters
    ----------
    study : AbnormalReturns
        Of one event that applies to every column.
    start, end : int
        Tested window.

    Raises
    ------
    InferenceError
        With several dates (then use ``cross_sectional_t(study.portfolio())``) or no return.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, chapter 4.
    """
    portfolio = study.portfolio()
    sample = portfolio.over(start, end)
    if len(sample.car) != 1:
        raise InferenceError(
            f"portfolio_t tests one date and the study has {len(sample.car)}: pick one with "
            "study['id'], or use cross_sectional_t(study.portfolio())"
        )
    t = scars(sample, "portfolio_t", 1)
    return HypothesisTest(
        name="portfolio_t",
        n=1,
        null=f"the {what(sample)} of the equal-weighted portfolio is zero in expectation",
        reference="Campbell, Lo and MacKinlay (1997)",
        **student_p(t[0], sample.dof[0]),
    )


def crude_dependence_t(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, distribution: str = "t"
) -> HypothesisTest:
    """Test ΣAAR_t against the spread of the average residual over the estimation window.

    t = Σ_w AAR_t / (√k sd(AAR over estimation)), t(L - 1) with L the estimation sessions that
    have an average. There is no correction for forecast error.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window, k sessions of which have a return.
    distribution : {"t", "normal"}
        t(L - 1) or its limit.

    Raises
    ------
    InferenceError
        Without a return in the window, or if the average residual does not vary.

    References
    ----------
    Brown and Warner (1985), Using daily stock returns, J. Financial Economics 14.
    """
    sample = study.over(start, end)
    aar = average_by_session(sample.ar[:, sample.inside])
    past = average_by_session(sample.estimation_ar)
    if not len(aar) or len(past) < 2:
        raise InferenceError(
            f"crude_dependence_t needs a return in {sample.tested} and two estimation sessions"
        )
    spread = varying("crude_dependence_t", past, "average residuals", sample.s.max())
    t = aar.sum() / (np.sqrt(len(aar)) * spread)
    return HypothesisTest(
        name="crude_dependence_t",
        null=mean_null(sample),
        n=int((sample.days > 0).sum()),
        reference="Brown and Warner (1985)",
        **student_or_normal(distribution, t, len(past) - 1),
    )


def brown_warner_1980(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, distribution: str = "t"
) -> HypothesisTest:
    """Test ΣAAR_t with the residual spreads of the securities, taken as independent.

    t = Σ_w AAR_t / √(Σ_w Σ_{i in t} sd_i² / n_t²), with sd_i that of security i's residuals and
    the inner sum over the securities with a return in session t; t(mean L_i - 1).

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
    distribution : {"t", "normal"}
        t or its limit.

    Raises
    ------
    InferenceError
        Without a return in the window.

    References
    ----------
    Brown and Warner (1980), Measuring security price performance, J. Financial Economics 8.
    """
    sample = study.over(start, end)
    n = len(cars(sample, "brown_warner_1980", 1))
    here = sample.inside_pairs[:, sample.inside]
    aar = average_by_session(sample.ar[:, sample.inside])
    present = here.sum(axis=0)
    variance = np.nanvar(sample.estimation_ar, axis=1, ddof=1)
    by_session = (variance[:, None] * here).sum(axis=0) / np.fmax(present, 1) ** 2
    t = aar.sum() / np.sqrt(by_session.sum())
    return HypothesisTest(
        name="brown_warner_1980",
        null=mean_null(sample),
        n=n,
        reference="Brown and Warner (1980)",
        **student_or_normal(distribution, t, sample.n_estimation.mean() - 1),
    )


def patell(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, days: str = "dependent"
) -> HypothesisTest:
    """Test the sum of standardised CARs: z = ΣSCAR_i / √(Σ dof_i/(dof_i - 2)).

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
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
    sample = study.over(start, end)
    z, n = _patell_z(sample, "patell", days)
    return HypothesisTest(
        name="patell", null=mean_null(sample), n=n, reference="Patell (1976)", **normal_p(z)
    )


def bmp(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, distribution: str = "t"
) -> HypothesisTest:
    """Test the mean SCAR against its spread over securities: t = √n mean(SCAR) / sd(SCAR).

    Variance that the event induces does not disturb it; correlation across securities does.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    Raises
    ------
    InferenceError
        With fewer than two SCARs, or if they do not differ.

    References
    ----------
    Boehmer, Musumeci and Poulsen (1991), Event-study methodology under conditions of
    event-induced variance, J. Financial Economics 30.
    """
    sample = study.over(start, end)
    t, n = mean_over_error("bmp", scars(sample, "bmp", 2))
    return HypothesisTest(
        name="bmp",
        null=mean_null(sample),
        n=n,
        reference="Boehmer, Musumeci and Poulsen (1991)",
        **student_or_normal(distribution, t, n - 1),
    )


def kp_patell(
    study: AbnormalReturns,
    start: int = 0,
    end: int | None = None,
    *,
    correlation: str = "event-time",
    truncate: bool = False,
) -> HypothesisTest:
    """Patell's test adjusted for correlation across securities: z / √(1 + (n - 1) r̄), normal.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
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
    sample = study.over(start, end)
    z, n = _patell_z(sample, "kp_patell", "dependent")
    _, inflation = clustering(sample, "kp_patell", n, correlation, truncate)
    return HypothesisTest(
        name="kp_patell",
        null=mean_null(sample),
        n=n,
        reference="Kolari and Pynnönen (2010)",
        **normal_p(z / np.sqrt(inflation)),
    )


def kp_bmp(
    study: AbnormalReturns,
    start: int = 0,
    end: int | None = None,
    *,
    correlation: str = "event-time",
    truncate: bool = False,
    distribution: str = "t",
) -> HypothesisTest:
    """The BMP test adjusted for correlation: t √((1 - r̄) / (1 + (n - 1) r̄)), t(n - 1).

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
    correlation : {"event-time", "calendar"}
        How residuals are matched for r̄, see `mean_correlation`.
    truncate : bool
        Replace a negative r̄ by zero.
    distribution : {"t", "normal"}
        t(n - 1) or its limit.

    Raises
    ------
    InferenceError
        As `bmp`, and if 1 + (n - 1) r̄ is not positive.

    References
    ----------
    Kolari and Pynnönen (2010), Review of Financial Studies 23.
    """
    sample = study.over(start, end)
    t, n = mean_over_error("kp_bmp", scars(sample, "kp_bmp", 2))
    mean, inflation = clustering(sample, "kp_bmp", n, correlation, truncate)
    t *= np.sqrt(max(1 - mean, 0.0) / inflation)
    return HypothesisTest(
        name="kp_bmp",
        null=mean_null(sample),
        n=n,
        reference="Kolari and Pynnönen (2010)",
        **student_or_normal(distribution, t, n - 1),
    )


def hall(
    study: AbnormalReturns,
    start: int = 0,
    end: int | None = None,
    *,
    form: str = "hall",
    distribution: str = "normal",
) -> HypothesisTest:
    """Skewness-adjusted cross-sectional test of the mean CAR.

    With S = mean/sd: √n (S + g S²/3 + g² S³/27 + g/(6n)), g = n/((n-1)(n-2)) Σ((x - mean)/sd)³.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window.
    form : {"hall", "johnson"}
        As above, or √n (S + g S²/3 + g/(6n)) with g = mean(((x - mean)/sd)³).
    distribution : {"normal", "t"}
        Normal, or t(n - 1), which is closer for a few securities.

    Raises
    ------
    InferenceError
        With fewer than three CARs, or if they do not differ.

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, J. Royal Statistical Society B 54;
    Johnson (1978) in the form of Lyon, Barber and Tsai (1999), J. of Finance 54.
    """
    check_option("form", form, ("hall", "johnson"))
    sample = study.over(start, end)
    values = cars(sample, "hall", 3)
    n, spread = len(values), varying("hall", values, "CARs")
    ratio, cubes = values.mean() / spread, (((values - values.mean()) / spread) ** 3).sum()
    if form == "hall":
        skew = n / ((n - 1) * (n - 2)) * cubes
        cubic = skew**2 * ratio**3 / 27
    else:
        skew, cubic = cubes / n, 0.0
    statistic = np.sqrt(n) * (ratio + skew * ratio**2 / 3 + cubic + skew / (6 * n))
    return HypothesisTest(
        name="hall",
        null=mean_null(sample),
        n=n,
        reference="Hall (1992)" if form == "hall" else "Johnson (1978)",
        **student_or_normal(distribution, statistic, n - 1),
    )


def _patell_z(sample: WindowReturns, name: str, days: str) -> tuple[float, int]:
    check_option("days", days, ("dependent", "independent"))
    values, used = scars(sample, name, 1), sample.days > 0
    dof = sample.dof[used]
    if (dof <= 2).any():
        raise InferenceError(
            f"{name} needs more than two residual degrees of freedom and a fit has {dof.min()}: "
            "lengthen the estimation window"
        )
    variance = dof / (dof - 2)
    if days == "dependent":
        return values.sum() / np.sqrt(variance.sum()), len(values)
    sums = np.where(sample.inside_pairs, sample.sar, 0.0).sum(axis=1)[used]
    return (sums / np.sqrt(sample.days[used] * variance)).sum() / np.sqrt(len(sums)), len(sums)
