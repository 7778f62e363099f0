"""What a regression says of the dummies of events: sums over windows, ranks of single sessions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from impact.analysis.coefficients import coefficients
from impact.inference.conditional import conditional_tests
from impact.inference.tests import Found


def summed(fit: Any, dummies: pd.DataFrame, dof: float | pd.Series) -> pd.DataFrame:
    """Return effects summed over the window: the dummy's coefficient times its sessions.

    `fit` is the statsmodels results of a design that holds the K dummies, columns of 0 and 1.
    Returned are the columns of `coefficients`.
    """
    sessions = dummies.sum().astype(int)
    effects, errors = (value[dummies.columns] * sessions for value in (fit.params, fit.bse))
    return coefficients(effects, errors, dof, dummies.columns)


def ranked(
    returns: pd.Series, dummies: pd.DataFrame, model: str, controlled: Any = None
) -> pd.DataFrame:
    """Test dummies of one session each by the rank of z among past z, as `event_study` does.

    `controlled` is a regression weighted by 1/σ²_t on the dummies and controls, whose coefficients
    are then the estimates. Returned are the columns of `summed`, less the mean of the fit.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999).
    """
    rows: dict[str, dict[str, float]] = {}
    for name, session in dummies.idxmax().items():
        at = returns.index.get_loc(session)
        options: Found = {"first": at, "last": at, "model": model}
        if controlled is not None:
            # With leverage one, Var(coefficient) / s² is σ² and what the others' errors add.
            row = controlled.model.exog_names.index(name)
            unscaled = controlled.normalized_cov_params.to_numpy()[row, row]
            sigma = conditional_tests(returns, **options)[0]["detail"]["sigma"]
            options |= {
                "estimate": float(controlled.params[name]),
                "error": max(float(unscaled) - sigma**2, 0.0),
            }
        found, _ = conditional_tests(returns, **options)
        detail = found["detail"]
        rows[str(name)] = {
            "estimate": detail["estimate"],
            "std_error": detail["sigma"],
            "statistic": found["statistic"],
            "p_value": found["p_value"],
            "ci_low": detail["ci_low"],
            "ci_high": detail["ci_high"],
        }
    return pd.DataFrame.from_dict(rows, orient="index")
