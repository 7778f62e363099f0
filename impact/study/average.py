"""Averages over events: AAR and CAAR with an interval that fits the design, and compounding.

Securities that share a session are one observation, so averages are first taken within a unit
and the spread is measured over units. A single unit has no spread: its interval is the exact
prediction interval of its equal-weighted portfolio.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from impact.estimation.abnormal import AbnormalReturns
from impact.market.windows import tested_window


def compounded(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that compounds rows of returns of that kind into a simple return.

    Examples
    --------
    >>> compounded("simple")(np.array([[0.1, 0.1]]))
    array([0.21])
    """
    if kind == "log":
        return lambda returns: np.expm1(returns.sum(axis=1))
    return lambda returns: np.prod(1 + returns, axis=1) - 1


def average_path(
    study: AbnormalReturns, *, cumulative: bool, start: int | None = None
) -> pd.DataFrame:
    """Average abnormal return by relative session, or cumulated from `start`.

    Parameters
    ----------
    study : AbnormalReturns
    cumulative : bool
        False for AAR, True for CAAR (the mean of each row's sum of non-missing returns).
    start : int, optional
        First session of the sums; the start of the event window by default.

    Returns
    -------
    DataFrame
        Index relative session; `estimate`, `std_error`, `statistic`, `dof`, `p_value`,
        `ci_low`, `ci_high` (95%), `n` (units). ``.attrs["method"]`` says where the interval
        comes from: the spread over units (t with n - 1 dof; it takes them as independent), or
        for one unit the exact prediction error.
    """
    window = study.settings.window
    first = window.start if start is None else start
    first = tested_window(first, window.end, window).start
    days = range(first, window.end + 1)
    if len(study.alignment) == 1:
        rows = [_one_unit(study, first if cumulative else day, day) for day in days]
        method = "exact prediction error of the one unit"
    else:
        rows = [_over_units(study, first if cumulative else day, day) for day in days]
        method = "spread over units, taken as independent"
    names = ["estimate", "std_error", "dof", "n"]
    table = pd.DataFrame(rows, columns=names, index=pd.Index(days, name="relative_session"))
    table["statistic"] = table["estimate"] / table["std_error"]
    table["p_value"] = 2 * stdtr(table["dof"], -table["statistic"].abs())
    reach = stdtrit(table["dof"], 0.975) * table["std_error"]
    table["ci_low"], table["ci_high"] = table["estimate"] - reach, table["estimate"] + reach
    table["n"] = table["n"].astype(int)
    table.attrs.update(method=method, signature=study.signed(first, window.end))
    order = ["estimate", "std_error", "statistic", "dof", "p_value", "ci_low", "ci_high", "n"]
    return table[order]


def _one_unit(study: AbnormalReturns, start: int, end: int) -> tuple[float, float, float, int]:
    one = study.portfolio().over(start, end)
    return one.car[0], one.std_error[0], one.dof[0], 1


def _over_units(study: AbnormalReturns, start: int, end: int) -> tuple[float, float, float, int]:
    sample = study.over(start, end)
    cars = pd.Series(sample.car).groupby(sample.event).mean().dropna()
    n = len(cars)
    return cars.mean(), cars.std(ddof=1) / np.sqrt(n), n - 1, n
