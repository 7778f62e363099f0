"""Make prediction_t.csv: the prediction t of series S, the regressions that equal it, and others.

All are tests of the same CAR under a constant mean return. The first three methods are the exact
test, written in three ways. The other six are not: they are kept so that nobody takes them for it.
"""

import math

import numpy as np
import pandas as pd
from answers import ESTIMATION, EVENT, HERE, SINGLE_DAYS, Window, label, two_sided, write

EVENT_ROW = 300
WINDOWS: list[Window] = [*SINGLE_DAYS, (0, 1), (-1, 1), (-5, 5), (0, 5), (-5, -1)]

INVALID = "INVALID: a dummied observation has residual 0, so the sandwich drops its variance"
NOTES = {
    "prediction_t": "CAR/(s*sqrt(k+k^2/L)), s ddof=1 on estimation rows 90..289",
    "ols_k_dummies_sum": "const + one dummy per event day, H0 sum(delta)=0, rows est+window",
    "ols_11_dummies_sum_subwindow": "all 11 event days dummied; sum of the dummies in the window",
    "ols_single_dummy": "one 0/1 dummy for the whole window: pooled s, dof L+k-2; "
    "coefficient column is k*delta",
    "ols_k_dummies_sum_gap_rows_in_estimation": "NOT equal: the 5 gap rows enter the estimation "
    "sample, L=205",
    "ols_k_dummies_HC0": INVALID,
    "ols_k_dummies_HC1": INVALID,
    "naive_no_forecast_term": "CAR/(s*sqrt(k)), ignores k^2/L",
    "naive_ddof0": "s with ddof=0",
}
#: Of the other methods the file holds no effect and no standard error, only their ratio.
WITH_EFFECT = ("prediction_t", "ols_k_dummies_sum", "ols_single_dummy")

#: Effect, standard error, degrees of freedom.
Answer = tuple[float, float, int]


def days(window: Window) -> list[int]:
    return list(range(window[0], window[1] + 1))


def sum_of_dummies(
    returns: pd.Series, past: list[int], dummied: list[int], tested: list[int]
) -> dict[str, Answer]:
    """Regress on a constant and one dummy for each day of `dummied`; test the sum of `tested`.

    The standard error is the ordinary one, or White's, without (HC0) and with (HC1) the factor
    for the number of coefficients.
    """
    rows = past + dummied
    y = returns.loc[rows].to_numpy()
    X = np.array([[1.0] + [float(row == day) for day in dummied] for row in rows])
    summed = np.array([0.0] + [float(day in tested) for day in dummied])

    inverse = np.linalg.inv(X.T @ X)
    coefficients = inverse @ X.T @ y
    residuals = y - X @ coefficients
    dof = len(rows) - len(coefficients)
    ordinary = inverse * (residuals @ residuals) / dof
    white = inverse @ X.T @ np.diag(residuals**2) @ X @ inverse

    effect = summed @ coefficients
    variance = {"ordinary": ordinary, "HC0": white, "HC1": white * len(rows) / dof}
    return {
        kind: (effect, math.sqrt(summed @ matrix @ summed), dof)
        for kind, matrix in variance.items()
    }


def one_dummy(outside: pd.Series, inside: pd.Series) -> Answer:
    """k times the coefficient of one dummy for all days inside.

    This is the t test of two samples with a common variance.
    """
    L, k = len(outside), len(inside)
    squares = ((outside - outside.mean()) ** 2).sum() + ((inside - inside.mean()) ** 2).sum()
    pooled = math.sqrt(squares / (L + k - 2))
    error = pooled * math.sqrt(1 / L + 1 / k)
    return k * (inside.mean() - outside.mean()), k * error, L + k - 2


def methods(returns: pd.Series, window: Window) -> dict[str, Answer]:
    past, tested = days(ESTIMATION), days(window)
    past_and_gap = days((ESTIMATION[0], EVENT[0] - 1))
    outside, inside = returns.loc[past], returns.loc[tested]
    L, k = len(past), len(tested)
    car, s = (inside - outside.mean()).sum(), outside.std(ddof=1)

    each_day = sum_of_dummies(returns, past, tested, tested)
    all_days = sum_of_dummies(returns, past, days(EVENT), tested)
    with_gap = sum_of_dummies(returns, past_and_gap, tested, tested)
    return {
        "prediction_t": (car, s * math.sqrt(k + k**2 / L), L - 1),
        "ols_k_dummies_sum": each_day["ordinary"],
        "ols_11_dummies_sum_subwindow": all_days["ordinary"],
        "ols_single_dummy": one_dummy(outside, inside),
        "ols_k_dummies_sum_gap_rows_in_estimation": with_gap["ordinary"],
        "ols_k_dummies_HC0": each_day["HC0"],
        "ols_k_dummies_HC1": each_day["HC1"],
        "naive_no_forecast_term": (car, s * math.sqrt(k), L - 1),
        "naive_ddof0": (car, outside.std(ddof=0) * math.sqrt(k + k**2 / L), L - 1),
    }


def main() -> None:
    returns = pd.read_csv(HERE / "series_S.csv", index_col="row")["ret"]
    returns = returns.set_axis(returns.index - EVENT_ROW)
    table = []
    for window in WINDOWS:
        for method, (effect, se, dof) in methods(returns, window).items():
            shown = method in WITH_EFFECT
            table.append(
                {
                    "series": "S",
                    "method": method,
                    "window": label(window),
                    "effect": effect if shown else math.nan,
                    "se": se if shown else math.nan,
                    "t": effect / se,
                    "dof": dof,
                    "p_value": two_sided(effect / se, f"t({dof})"),
                    "note": NOTES[method],
                }
            )
    write(pd.DataFrame(table), "prediction_t.csv")


if __name__ == "__main__":
    main()
