"""What the estimation residuals say about the tests: normal tails, autocorrelation, variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from impact.estimation.abnormal import AbnormalReturns
from impact.inference.tests import LEVEL

#: Lags of the Ljung-Box test and of the ARCH-LM test: two weeks and one.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 5

#: With fewer residuals the three asymptotic tests say nothing.
MIN_RESIDUALS = 50

#: So many rows are tested at once.
_BATCH = 256

#: Statistic and p-value of each test, in the order of the columns.
_TESTS = ("jarque_bera", "p_jarque_bera", "ljung_box", "p_ljung_box", "arch_lm", "p_arch_lm")

#: What a rejection means for the reader, in the order of importance.
_SENTENCES = {
    "p_arch_lm": "variance clusters: prefer the conditional test",
    "p_ljung_box": "residuals are autocorrelated: the error of a sum over sessions is off",
    "p_jarque_bera": "tails are not normal: prefer a rank test or simulated quantiles",
}


def diagnostics_table(study: AbnormalReturns) -> pd.DataFrame:
    """Test the estimation residuals of each row.

    Returns
    -------
    DataFrame
        Index as ``study.abnormal``; `residuals` (their number), `jarque_bera`, `p_jarque_bera`
        (chi-square, 2), `ljung_box`, `p_ljung_box` (10 lags), `arch_lm`, `p_arch_lm` (5 lags),
        and `verdict`, a sentence for each p below 5%. Rows with fewer than 50 residuals have no
        tests and say so. Missing sessions are closed up. With many rows some reject by chance: at
        5%, one in twenty.

    References
    ----------
    Jarque and Bera (1980), Economics Letters 6; Ljung and Box (1978), Biometrika 65;
    Engle (1982), Econometrica 50.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> study = impact.event_study(returns, ["2025-05-02"], volatility=None)
    >>> diagnostics_table(study)["verdict"].item().split(";")[0]
    'variance clusters: prefer the conditional test'
    """
    values = study.residuals.to_numpy()
    count = (~np.isnan(values)).sum(axis=1)
    table = pd.DataFrame({"residuals": count}, study.fit.index)
    found = np.full((len(values), len(_TESTS)), np.nan)
    for n in np.unique(count[count >= MIN_RESIDUALS]):
        rows = np.flatnonzero(count == n)
        for some in np.array_split(rows, -(-len(rows) // _BATCH)):
            # Row by row, so that missing sessions are closed up.
            residuals = values[some][~np.isnan(values[some])].reshape(len(some), n)
            with np.errstate(invalid="ignore", divide="ignore"):
                found[some] = _tested(residuals)
    table[list(_TESTS)] = found
    table["verdict"] = [_verdict(row, n) for row, n in zip(found, count.tolist(), strict=True)]
    table.attrs["signature"] = study.signature
    return table


def _verdict(tests: np.ndarray, n: int) -> str:
    if n < MIN_RESIDUALS:
        return f"too few residuals to tell: {n}, at least {MIN_RESIDUALS} needed"
    said = [sentence for name, sentence in _SENTENCES.items() if tests[_TESTS.index(name)] < LEVEL]
    return "; ".join(said) or "nothing against independent normal residuals"


def _tested(residuals: np.ndarray) -> np.ndarray:
    """The six numbers of `_TESTS` of each row of residuals, shape (m, 6)."""
    n = residuals.shape[1]
    # The tests know no unit; squares of very small returns would be no numbers.
    residuals = residuals / residuals.std(axis=1, keepdims=True)
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    second, third, fourth = ((centred**power).mean(axis=1) for power in (2, 3, 4))
    normal = n / 6 * (third**2 / second**3 + (fourth / second**2 - 3) ** 2 / 4)
    box = np.zeros(len(residuals))
    for lag in range(1, LJUNG_BOX_LAGS + 1):
        covariance = (centred[:, lag:] * centred[:, :-lag]).sum(axis=1)
        box += n * (n + 2) / (n - lag) * (covariance / (n * second)) ** 2
    arch = _lagrange_multiplier(residuals**2)
    tests = [normal, box, arch]
    tails = map(scipy.special.chdtrc, (2, LJUNG_BOX_LAGS, ARCH_LAGS), tests)
    return np.column_stack([column for pair in zip(tests, tails, strict=True) for column in pair])


def _lagrange_multiplier(squares: np.ndarray) -> np.ndarray:
    """(n - lags) R² of each row of squares on its own lags and a constant."""
    windows = np.lib.stride_tricks.sliding_window_view(squares, ARCH_LAGS + 1, axis=1)
    windows = windows - windows.mean(axis=1, keepdims=True)
    past, now = windows[..., :-1], windows[..., -1]
    cross = np.einsum("mtk,mtj->mkj", past, past)
    moment = np.einsum("mtk,mt->mk", past, now)
    explained = np.einsum("mk,mkj,mj->m", moment, np.linalg.pinv(cross, hermitian=True), moment)
    return windows.shape[1] * explained / np.square(now).sum(axis=1)
