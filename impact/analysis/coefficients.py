"""Coefficients of a regression: one frame for all analyses, with the names of statsmodels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from impact.charts.effects import scaled_effects
from impact.charts.page import Words
from impact.errors import InferenceError
from impact.text.formats import number, p_phrase
from impact.text.result import Result
from impact.text.table import KNOWN, Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Digits of a coefficient that tables show.
_DIGITS = 4

#: An error smaller than this share of its coefficient is rounding: nothing is left over.
_ROUNDING = 1e-12

#: Sizes of regressors whose squares and products are numbers.
_USABLE = (1e-100, 1e100)

#: Columns of length one with a smaller singular value are collinear.
_COLLINEAR = 1e-8

#: A row with a larger leverage is fitted by a coefficient of its own; HC3 divides by one minus it.
_FULL_LEVERAGE = 1 - 1e-9


def coefficients(
    estimate: ArrayLike, std_error: ArrayLike, dof: ArrayLike, index: pd.Index
) -> pd.DataFrame:
    """Lay out K fitted coefficients: estimates, errors, t, p and 95% intervals.

    Student's t has `dof` degrees of freedom, one number or one for each. InferenceError where an
    error is zero, but for rounding, or not a number: the regression leaves nothing over.

    Returns
    -------
    DataFrame, shape (K, 6)
        `estimate`, `std_error`, `statistic`, `p_value` (two-sided), `ci_low`, `ci_high` (95%).

    Examples
    --------
    >>> coefficients([0.02], [0.01], 20, pd.Index(["alpha"])).round(4)
           estimate  std_error  statistic  p_value  ci_low  ci_high
    alpha      0.02       0.01        2.0   0.0593 -0.0009   0.0409
    """
    estimate, std_error = np.asarray(estimate, float), np.asarray(std_error, float)
    if not (good := std_error > _ROUNDING * np.abs(estimate)).all():
        raise InferenceError(
            f"{index[~good][0]!r} has no standard error: nothing is left over by the regression; "
            "bring more rows, or fewer coefficients"
        )
    statistic, reach = estimate / std_error, scipy.special.stdtrit(dof, 0.975) * std_error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": 2 * scipy.special.stdtr(dof, -np.abs(statistic)),
            "ci_low": estimate - reach,
            "ci_high": estimate + reach,
        },
        index=index,
    )


def has_usable_size(values: np.ndarray) -> bool:
    """Return whether a regression can hold a column of such numbers; missing ones are passed over.

    Examples
    --------
    >>> has_usable_size(np.array([0.0, -3.1, np.nan])), has_usable_size(np.array([1e300]))
    (True, False)
    """
    size = np.abs(values[~np.isnan(values)]).max(initial=0.0)
    return bool(size == 0 or _USABLE[0] < size < _USABLE[1])


def is_collinear(design: np.ndarray) -> bool:
    """Return whether a column of the regressors is a combination of others, whatever their units.

    Examples
    --------
    >>> is_collinear(np.array([[1.0, 2e-9], [1.0, 2e-9], [1.0, 2e-9]]))
    True
    """
    scaled = design / np.fmax(np.linalg.norm(design, axis=0), np.finfo(float).tiny)
    return bool(np.linalg.matrix_rank(scaled, tol=_COLLINEAR) < design.shape[1])


def is_fitted_alone(design: np.ndarray) -> np.ndarray:
    """Return which rows have leverage one: their residual is zero whatever happened there.

    Examples
    --------
    >>> is_fitted_alone(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    array([False, False,  True])
    """
    return np.square(np.linalg.qr(design)[0]).sum(axis=1) > _FULL_LEVERAGE


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients(Result):
    """A result whose table holds the coefficients of a regression, a row each.

    `params`, `bse`, `tvalues`, `pvalues`, `conf_int` and `nobs` (and `rsquared` where it is there)
    are what they are in statsmodels: Series, or a frame with the columns 0 and 1, by name of the
    coefficient. The package maketables sets such results side by side: ``ETable([one, other])``.

    Attributes
    ----------
    table : DataFrame
        At least what `coefficients` gives.
    nobs : int
        Rows of the regression.
    dof : float, or Series by coefficient
        Degrees of freedom of the t of each coefficient.
    warning : str
        Why the table has estimates alone; "" where it has all.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    nobs: int
    dof: float | pd.Series
    warning = ""

    def _named(self, column: str) -> pd.Series:
        if column not in self.table:
            raise InferenceError(f"there are estimates alone, and no errors or p: {self.warning}")
        return self.table[column].rename(None)

    @property
    def params(self) -> pd.Series:
        """Estimates."""
        return self.table["estimate"].rename(None)

    @property
    def bse(self) -> pd.Series:
        """Standard errors."""
        return self._named("std_error")

    @property
    def tvalues(self) -> pd.Series:
        """Estimates over their standard errors."""
        return self._named("statistic")

    @property
    def pvalues(self) -> pd.Series:
        """p-values, as the table has them."""
        return self._named("p_value")

    @property
    def endog_names(self) -> str:
        """What is explained, by the name that maketables asks statsmodels for."""
        return self._title()

    def conf_int(self, level: float = 0.95, *, alpha: float | None = None) -> pd.DataFrame:
        """Return the interval of each coefficient, from Student's t.

        Parameters
        ----------
        level : float
            Share of such intervals that hold the truth.
        alpha : float, optional
            1 less `level`, in place of it: statsmodels, and packages that read it, ask so.

        Returns
        -------
        DataFrame, shape (K, 2)
            Columns 0 (lower bound) and 1 (upper bound), as in statsmodels.

        Raises
        ------
        InferenceError
            If `level` or `alpha` does not lie between 0 and 1.
        """
        name, share = ("level", level) if alpha is None else ("alpha", alpha)
        if not isinstance(share, float) or not 0 < share < 1:
            raise InferenceError(f"{name}={share!r} is not between 0 and 1: 95% is level=0.95")
        found = self._interval(share if alpha is None else 1 - share)
        return pd.DataFrame(found, self.table.index)

    def _interval(self, level: float) -> np.ndarray:
        """Interval of each coefficient, shape (K, 2)."""
        reach = scipy.special.stdtrit(self.dof, (1 + level) / 2) * self.bse
        return np.column_stack([self.params - reach, self.params + reach])

    def plot(self, ax: Axes | None = None) -> Figure:
        """Draw the coefficients with their 95% intervals, each in its own standard errors.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; without it a page of its own, signed.
        """
        what = "Estimates divided by their standard errors, with 95% intervals."
        table = self.table.assign(std_error=self.bse)
        told = zip(table.index, table["estimate"], table["p_value"], strict=True)
        drawn = (
            table[["ci_low", "ci_high"]]
            .div(table["std_error"], axis=0)
            .assign(
                estimate=table["statistic"],
                text=[f"{name}: {_shown(value)}, {p_phrase(p)}" for name, value, p in told],
            )
        )
        return scaled_effects(Words(self._title(), what, self.signature), drawn, ax=ax)

    def _columns(self) -> tuple[Column, ...]:
        name = str(self.table.index.name)
        shown = (
            *(Column(shown, KNOWN[shown].heading, _shown) for shown in ("estimate", "std_error")),
            KNOWN["statistic"],
            KNOWN["p_value"],
            *(Column(shown, KNOWN[shown].heading, _shown) for shown in ("ci_low", "ci_high")),
        )
        there = tuple(column for column in shown if column.name in self.table)
        return (Column(name, name, is_text=True), *there)


def _shown(value: Any) -> str:
    """A coefficient of any size, to four digits that count."""
    size = 0 if value == 0 else int(np.floor(np.log10(abs(value))))
    return number(value, min(max(_DIGITS - 1 - size, 0), 10))
