"""What the estimation residuals say about the tests: normal tails, autocorrelation, variance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.estimation.abnormal import AbnormalReturns

#: Lags of the Ljung-Box test and of the ARCH-LM test: two weeks and one.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 5

#: With fewer residuals the three asymptotic tests say nothing.
MIN_RESIDUALS = 50

#: What a rejection means for the reader, in the order of importance.
_SENTENCES = {
    "p_arch_lm": "variance clusters: prefer the conditional test",
    "p_ljung_box": "residuals are autocorrelated: the error of a sum over sessions is off",
    "p_jarque_bera": "tails are not normal: prefer a rank test or simulated quantiles",
}


def diagnostics_table(study: AbnormalReturns, *, level: float = 0.05) -> pd.DataFrame:
    """Test the estimation residuals of each row.

    Parameters
    ----------
    study : AbnormalReturns
    level : float
        Below this p-value a test adds its sentence to the verdict.

    Returns
    -------
    DataFrame
        Index as ``study.abnormal``; `residuals` (their number), `jarque_bera`, `p_jarque_bera`
        (chi-square, 2), `ljung_box`, `p_ljung_box` (10 lags), `arch_lm`, `p_arch_lm` (5 lags),
        and `verdict`, a sentence. Rows with fewer than 50 residuals have no tests and say so.
        Missing sessions are closed up. With many rows some reject by chance: at 5%, one in
        twenty.

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
    rows = [_row(values[~np.isnan(values)], level) for values in study.residuals.to_numpy()]
    table = pd.DataFrame(rows, index=study.abnormal.index)
    table.attrs["signature"] = study.signature
    return table


def _row(residuals: np.ndarray, level: float) -> dict:
    from statsmodels.stats.diagnostic import acorr_ljungbox, acorr_lm
    from statsmodels.stats.stattools import jarque_bera

    names = [
        f"{prefix}{name}"
        for name in ("jarque_bera", "ljung_box", "arch_lm")
        for prefix in ("", "p_")
    ]
    if len(residuals) < MIN_RESIDUALS:
        verdict = f"too few residuals to tell: {len(residuals)}, at least {MIN_RESIDUALS} needed"
        return {"residuals": len(residuals)} | dict.fromkeys(names, np.nan) | {"verdict": verdict}
    # The tests know no unit; squares of very small returns would be no numbers.
    residuals = residuals / residuals.std()
    box = acorr_ljungbox(residuals, lags=[LJUNG_BOX_LAGS]).iloc[0]
    arch = acorr_lm(residuals**2, nlags=ARCH_LAGS, result_object=True)
    found = [*jarque_bera(residuals)[:2], box["lb_stat"], box["lb_pvalue"], *arch[:2]]
    tests = dict(zip(names, map(float, found), strict=True))
    said = [sentence for name, sentence in _SENTENCES.items() if tests[name] < level]
    verdict = "; ".join(said) or "nothing against independent normal residuals"
    return {"residuals": len(residuals)} | tests | {"verdict": verdict}
