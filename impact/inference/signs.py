"""Sign and signed-rank tests of the cumulative abnormal returns of a panel.

n counts the pairs of event and security with at least one return in the window, w those whose CAR
is above zero. A test that cannot be computed raises `InferenceError`: without a return in the
window, or if no CAR differs from zero.

Examples
--------
>>> import impact
>>> sectors = impact.log_returns(impact.load_prices("sectors"))
>>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
>>> wilcoxon(study, 0).n
11
>>> sign(study, 0, exact=True).distribution
'binomial, 11 draws at 0.5'
"""

from __future__ import annotations

import numpy as np
import scipy

from impact.inference.tests import (
    CheckedReturns,
    Found,
    check_option,
    normal_p,
    tails_p,
    window_test,
)
from impact.text.formats import percent

#: Up to this many CARs the signed-rank distribution is enumerated.
EXACT_LIMIT = 200


@window_test("Brown and Warner (1980)", "the {} is as often positive as not")
def sign(sample: CheckedReturns, *, exact: bool = False) -> Found:
    """Test the share of positive CARs against one half: z = (w - n/2)/√(n/4).

    Parameters
    ----------
    exact : bool
        Binomial p-values for w instead of the normal ones for z.

    References
    ----------
    Brown and Warner (1980), J. Financial Economics 8.
    """
    n, positive = _counted(sample)
    if not exact:
        return normal_p((positive - n / 2) / np.sqrt(n / 4), n)
    # At one half P(w or more) is P(n - w or fewer).
    greater, less = scipy.special.bdtr([n - positive, positive], n, 0.5).tolist()
    return tails_p(positive, greater, less, f"binomial, {n} draws at 0.5", n)


@window_test("Cowan (1992)")
def generalised_sign(sample: CheckedReturns, *, pooled: bool = False) -> Found:
    """Test the share of positive CARs against that of the estimation window.

    z = (w - n p)/√(n p (1 - p)), normal, with p the mean over the study's pairs of the share of
    positive residuals.

    Parameters
    ----------
    pooled : bool
        p over all residuals together instead; differs if some are missing.

    Raises
    ------
    InferenceError
        Without a return in the window, or if all residuals have one sign.

    References
    ----------
    Cowan (1992), Nonparametric event study tests, Review of Quantitative Finance and
    Accounting 2.
    """
    n, positive = _counted(sample)
    counts = [
        ((part > 0).sum(axis=1), (~np.isnan(part)).sum(axis=1))
        for _, part, _ in sample.fits.estimation_chunks()
    ]
    positive_residuals, residuals = map(np.concatenate, zip(*counts, strict=True))
    shares = positive_residuals / residuals
    p = float(positive_residuals.sum() / residuals.sum() if pooled else shares.mean())
    if not 0 < p < 1:
        raise sample.refusal("is not defined: all residuals have the same sign")
    share = percent(p, 1, signed=False)
    null = f"the {sample.what} is as often positive as the residuals are ({share})"
    return normal_p((positive - n * p) / np.sqrt(n * p * (1 - p)), n) | {"null": null}


def _counted(sample: CheckedReturns) -> tuple[int, int]:
    values = sample.cars(1)
    return len(values), int((values > 0).sum())


@window_test("Wilcoxon (1945)", "the {} is symmetric about zero")
def wilcoxon(sample: CheckedReturns, *, method: str = "auto") -> Found:
    """Signed-rank test of the CARs; those of exactly zero are left out.

    W⁺ is the sum of the ranks of |CAR| over positive CARs, equal ones sharing their mean rank.

    Parameters
    ----------
    method : {"auto", "exact", "normal"}
        Exact p-values of W⁺ given the ranks, equal ones included; or those of
        z = (W⁺ - n(n+1)/4)/√(n(n+1)(2n+1)/24 - Σ(t³ - t)/48), t the sizes of groups of equal
        |CAR|, with no continuity correction. "auto" is exact up to 200 CARs.

    References
    ----------
    Wilcoxon (1945), Individual comparisons by ranking methods, Biometrics Bulletin 1.
    """
    from scipy.stats import rankdata

    check_option("method", method, ("auto", "exact", "normal"))
    values = sample.cars(1)
    values = values[values != 0]
    n = len(values)
    if not n:
        raise sample.refusal("ranks the CARs that differ from zero, and there are none")
    ranks = rankdata(np.abs(values))
    total = float(ranks[values > 0].sum())
    if method == "exact" or (method == "auto" and n <= EXACT_LIMIT):
        return tails_p(total, *_signed_rank_tails(ranks, total), "exact, signed ranks", n)
    # Σ ranks² / 4 is the variance with equal ranks taken into account.
    return normal_p((total - n * (n + 1) / 4) / np.sqrt(np.square(ranks).sum() / 4), n)


def _signed_rank_tails(ranks: np.ndarray, total: float) -> tuple[float, float]:
    """P(W⁺ >= total) and P(W⁺ <= total) when each sign is a fair coin."""
    # Mean ranks are multiples of one half: doubled, they count as whole numbers.
    doubled = np.rint(2 * ranks).astype(int)
    chance = np.zeros(doubled.sum() + 1)
    chance[0] = 1.0
    for rank in doubled:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    at = round(2 * total)
    return float(chance[at:].sum()), float(chance[: at + 1].sum())
