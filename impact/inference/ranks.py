"""Rank tests of the abnormal returns of a panel.

Missing returns are left out: M_i is the number of returns that are ranked for pair i, n_t the
number of pairs with a return in session t, d the number of tested sessions with any. Equal values
share their mean rank; a return that spans k sessions is ranked over √k. The scale of a statistic is
the mean square over the T ranked sessions, not the variance about their mean. A test that cannot be
computed raises `InferenceError`: without a return in the window, or if what it ranks does not
differ.

Examples
--------
>>> import impact
>>> sectors = impact.log_returns(impact.load_prices("sectors"))
>>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
>>> corrado(study, 0).distribution
'standard normal'
>>> grank_t(study, 0, 1).distribution
'Student t with 249 degrees of freedom'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from impact.inference.correlation import correlation_of, own_share
from impact.inference.tests import (
    CheckedReturns,
    Found,
    check_option,
    normal_p,
    student_p,
    sums_by_session,
    window_test,
)
from impact.text.formats import number

#: What is left of the degrees of freedom below this is rounding: there are none.
_ROUNDING = 1e-9

_NULL = "the {} is drawn as those of the estimation window are"


@window_test("Corrado (1989)", _NULL)
def corrado(sample: CheckedReturns, *, ranking: str = "event window") -> Found:
    """Corrado's rank test: z = Σ_w D_t / √d / √(Σ_t D_t²/T), normal.

    D_t is the mean over pairs of K_it - (M_i + 1)/2, with K_it the rank of AR_it.

    Parameters
    ----------
    ranking : {"event window", "tested window"}
        What is ranked besides the estimation window: the whole event window, or the tested
        sessions alone.

    References
    ----------
    Corrado (1989), A nonparametric test for abnormal security-price performance, J. Financial
    Economics 23.
    """

    def centred(values: np.ndarray) -> np.ndarray:
        ranks, size = _ranks(values)
        return ranks - (size[:, None] + 1) / 2

    total, present, tested = _summed(sample, ranking, centred)
    return _normal(sample, _scaled(sample, total / np.fmax(present, 1), present, tested))


@window_test("Corrado and Zivney (1992)", _NULL)
def corrado_zivney(
    sample: CheckedReturns, *, scores: str = "rank", ranking: str = "event window"
) -> Found:
    """Corrado and Zivney's test: z = Σ_w Z_t / √d / √(Σ_t Z_t²/T), Z_t = Σ_i U_it / √n_t, normal.

    Parameters
    ----------
    scores : {"rank", "sign"}
        U = K/(1 + M) - 1/2, or the sign of the return less its median over the ranked sessions.
    ranking : {"event window", "tested window"}
        As in `corrado`.

    References
    ----------
    Corrado and Zivney (1992), The specification and power of the sign test in event study
    hypothesis tests using daily stock returns, J. Financial and Quantitative Analysis 27.
    """
    check_option("scores", scores, ("rank", "sign"))
    score = _uniform if scores == "rank" else lambda values: np.sign(values - _median(values))
    total, present, tested = _summed(sample, ranking, score)
    return _normal(sample, _scaled(sample, total / np.sqrt(np.fmax(present, 1)), present, tested))


@window_test("Cowan (1992)", _NULL)
def cowan_rank(
    sample: CheckedReturns, *, ranking: str = "event window", weighted: bool = False
) -> Found:
    """Rank test of a window as Cowan has it: z = √d Ū_w / √(Σ_t Ū_t²/T), normal.

    U = K/(1 + M) - 1/2; Ū_w is the mean over all security-sessions of the window, Ū_t the mean of
    session t.

    Parameters
    ----------
    ranking : {"event window", "tested window"}
        As in `corrado`.
    weighted : bool
        Weight Ū_t² by n_t/N, so that sessions with few returns count less.

    References
    ----------
    Cowan (1992), Nonparametric event study tests, Review of Quantitative Finance and
    Accounting 2; weights as in Campbell and Wasley (1993), J. Financial Economics 33.
    """
    total, present, tested = _summed(sample, ranking, _uniform)
    _need_return(sample, present, tested)
    average = total / np.fmax(present, 1)
    weight = present / len(sample.car) if weighted else 1.0
    scale = np.sqrt((weight * average**2).sum() / (present > 0).sum())
    days = (present[tested] > 0).sum()
    z = np.sqrt(days) * total[tested].sum() / present[tested].sum() / _positive(sample, scale)
    return _normal(sample, z)


@window_test("Kolari and Pynnönen (2011)", _NULL)
def grank_t(
    sample: CheckedReturns,
    *,
    standardisation: str = "residual",
    correlation_adjusted: bool = True,
    correlation: str = "event-time",
) -> Found:
    """Generalised rank t: the whole window is one return among those of the estimation window.

    SCAR*_i = SCAR_i/sd(SCAR) is ranked with the L standardised estimation residuals;
    U = K/(M + 1) - 1/2, Z = Ū_0 / √(Σ_t (n_t/N) Ū_t²/T), T = L + 1;
    t = Z √((T - 2)/(T - 1 - Z²)), t(T - 2). All N pairs of the study count in the scale, also
    those without a return in the window.

    Parameters
    ----------
    standardisation : {"residual", "prediction", "studentised"}
        Estimation residuals over s, over s√(1 + h) or over s√(1 - h), h the leverage.
    correlation_adjusted : bool
        Divide sd(SCAR) by √(1 - r̄): correlated securities scatter less than their variance says.
    correlation : {"event-time", "calendar"}
        How r̄ is matched, see `mean_correlation`; it is truncated at zero.

    References
    ----------
    Kolari and Pynnönen (2011), Nonparametric rank tests for event studies, J. Empirical
    Finance 18.
    """
    mean = correlation_of(sample, correlation, True) if correlation_adjusted else 0.0
    total, present = sums_by_session(_generalised_ranks(sample, standardisation, mean))
    average = total / np.fmax(present, 1)
    sessions = int((present > 0).sum())
    scale = np.sqrt((present / len(sample.car) * average**2).sum() / sessions)
    z = average[-1] / _positive(sample, scale)
    remainder = sessions - 1 - z**2
    if sessions < 3 or remainder < _ROUNDING:
        raise sample.refusal(
            f"has {sessions} ranked sessions and Z = {number(z)}, which leaves no degrees "
            "of freedom: lengthen the estimation window"
        )
    return student_p(z * np.sqrt((sessions - 2) / remainder), sessions - 2, present[-1])


@window_test("Kolari and Pynnönen (2011)", _NULL)
def grank_z(sample: CheckedReturns, *, standardisation: str = "residual") -> Found:
    """Generalised rank z for independent securities: ΣU_i0 / √(Σ (M_i - 1)/(12 (M_i + 1))).

    U_i0 is the rank score of SCAR*_i as in `grank_t`; normal.

    Parameters
    ----------
    standardisation : {"residual", "prediction", "studentised"}
        As in `grank_t`.

    References
    ----------
    Kolari and Pynnönen (2011), J. Empirical Finance 18.
    """
    total, variance = 0.0, 0.0
    for score in _generalised_ranks(sample, standardisation, 0.0):
        used = score[~np.isnan(score[:, -1])]
        size = (~np.isnan(used)).sum(axis=1)
        total += used[:, -1].sum()
        variance += ((size - 1) / (12 * (size + 1))).sum()
    return _normal(sample, total / np.sqrt(variance))


def _generalised_ranks(
    sample: CheckedReturns, standardisation: str, mean_correlation: float
) -> Iterator[np.ndarray]:
    """Scores of estimation residuals and, in the last column, of SCAR*, some pairs at a time."""
    check_option("standardisation", standardisation, ("residual", "prediction", "studentised"))
    values, used = sample.scars(2), sample.days > 0
    spread = sample.spread(values, "SCARs") / np.sqrt(own_share(sample, mean_correlation))
    last = np.where(used, sample.scar / spread, np.nan)
    sign = {"residual": 0, "prediction": 1, "studentised": -1}[standardisation]
    for chunk, residuals, leverage in sample.fits.estimation_chunks():
        scaled = residuals / sample.s[chunk, None] / np.sqrt(1 + sign * leverage)
        yield _uniform(np.column_stack([scaled, last[chunk]]))


def _summed(
    sample: CheckedReturns, ranking: str, score: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of the scores of each ranked session, their numbers n_t, and which are tested."""
    check_option("ranking", ranking, ("event window", "tested window"))
    ar, inside = sample.ar_of_session, sample.inside
    if ranking == "tested window":
        ar, inside = ar[:, inside], inside[inside]
    chunks = sample.fits.estimation_chunks()
    total, present = sums_by_session(score(np.hstack([past, ar[at]])) for at, past, _ in chunks)
    tested = np.zeros(len(total), dtype=bool)
    tested[len(total) - len(inside) :] = inside
    return total, present, tested


def _ranks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks along rows, NaN where missing, and the number ranked in each row."""
    from scipy.stats import rankdata

    missing = np.isnan(values)
    # Missing values rank last, above everything that is there, and are then blanked.
    ranks = rankdata(np.where(missing, np.inf, values), axis=1)
    return np.where(missing, np.nan, ranks), (~missing).sum(axis=1)


def _uniform(values: np.ndarray) -> np.ndarray:
    """Scores K/(M + 1) - 1/2 along rows."""
    ranks, size = _ranks(values)
    return ranks / (size[:, None] + 1) - 0.5


def _median(values: np.ndarray) -> np.ndarray:
    """Medians of rows, shape (M, 1); NaN for an empty row."""
    ordered = np.sort(values, axis=1)
    size = (~np.isnan(values)).sum(axis=1)
    rows = np.arange(len(values))
    middle = ordered[rows, np.maximum(size - 1, 0) // 2] + ordered[rows, size // 2]
    return middle[:, None] / 2


def _scaled(
    sample: CheckedReturns, by_session: np.ndarray, present: np.ndarray, tested: np.ndarray
) -> float:
    """Sum over the tested sessions, over √d and the root mean square over all sessions."""
    _need_return(sample, present, tested)
    scale = np.sqrt(np.square(by_session).sum() / (present > 0).sum())
    days = (present[tested] > 0).sum()
    return by_session[tested].sum() / np.sqrt(days) / _positive(sample, scale)


def _need_return(sample: CheckedReturns, present: np.ndarray, tested: np.ndarray) -> None:
    if not present[tested].any():
        raise sample.refusal(f"needs a return in sessions {sample.tested}: all are missing")


def _positive(sample: CheckedReturns, scale: float) -> float:
    if not scale > 1e-15:
        raise sample.refusal("divides by the spread of the rank scores, and it is zero")
    return scale


def _normal(sample: CheckedReturns, z: float) -> Found:
    return normal_p(z, (sample.days > 0).sum())
