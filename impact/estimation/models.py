"""Normal-return models: what is subtracted, whether there is a constant, which regressors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from impact.errors import ModelError


class FittedNormalReturn(Protocol):
    """What a user model's ``fit`` returns."""

    dof: int

    def predict(self, regressors: np.ndarray) -> np.ndarray:
        """Normal returns for the rows of `regressors`, shape (n,)."""

    def prediction_covariance(self, regressors: np.ndarray) -> np.ndarray:
        """Covariance of the prediction errors of those rows, shape (n, n)."""


class NormalReturnModel(Protocol):
    """A normal-return model of your own: pass an object with this one method as ``model=``.

    ``fit(returns, regressors)`` gets the L returns of one estimation window (shape (L,), decimal
    fractions) and the L rows of ``factors`` (shape (L, K); K may be 0). It returns an object with
    ``dof`` (residual degrees of freedom), ``predict(regressors)`` (shape (n,)) and
    ``prediction_covariance(regressors)`` (shape (n, n): the covariance of actual minus
    predicted, including the variance of the actual return). It is called once a pair, so it is
    slower than the built-in models.
    """

    def fit(self, returns: np.ndarray, regressors: np.ndarray) -> FittedNormalReturn:
        """Fit one estimation window."""


@dataclass(frozen=True)
class Design:
    """A normal-return model laid out along the rows of the returns.

    Parameters
    ----------
    name : str
        What the tables call the model.
    constant : bool
        Whether the regression has an intercept.
    regressors : ndarray, shape (K, T)
        One row per regressor (market or factors), decimal fractions.
    names : tuple of str
        The K regressors' names.
    subtracted : ndarray, shape (T,) or None
        Taken off the returns before the fit: the risk-free rate, or the market itself in the
        market-adjusted model.
    user : NormalReturnModel or None
        A user's model; the constant is then its own business.
    """

    name: str
    constant: bool
    regressors: np.ndarray
    names: tuple[str, ...] = ()
    subtracted: np.ndarray | None = None
    user: NormalReturnModel | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in the order of `Estimates.parameters`."""
        if self.user is not None:
            return ()
        slopes = ("beta",) if self.names == ("market",) else self.names
        return ("alpha", *slopes) if self.constant else ()

    @property
    def size(self) -> int:
        """Number K of parameters."""
        return len(self.parameters)


def design(
    model: str | NormalReturnModel,
    index: pd.DatetimeIndex,
    *,
    benchmark: pd.Series | None = None,
    factors: pd.DataFrame | None = None,
    risk_free: pd.Series | None = None,
) -> Design:
    """Lay a model out along `index`.

    Parameters
    ----------
    model : {"constant-mean", "market-adjusted", "market", "factors"} or NormalReturnModel
        The normal-return model.
    index : DatetimeIndex, length T
        Sessions of the returns.
    benchmark : Series, optional
        Market returns by session, for the two market models.
    factors : DataFrame, optional
        Factor returns by session, one column a factor.
    risk_free : Series, optional
        Risk-free return by session; taken off the returns and off the benchmark. Factors are
        taken to be excess returns already, as the Fama-French files have them.

    Raises
    ------
    ModelError
        If the model is unknown, or lacks what it needs, or is given what it does not use.
    """
    free = None if risk_free is None else _along("risk_free", risk_free, index)
    none = np.empty((0, len(index)))
    if not isinstance(model, str):
        if not hasattr(model, "fit"):
            raise ModelError(f"model={model!r} has no fit(returns, regressors) method")
        if benchmark is not None:
            raise ModelError("a model of your own does not use benchmark=: give it as factors=")
        rows = none if factors is None else _along("factors", factors, index).T
        names = () if factors is None else tuple(map(str, factors.columns))
        return Design(type(model).__name__, False, rows, names, free, model)
    _check_ingredients(model, benchmark, factors, risk_free)
    if model == "constant-mean":
        return Design("constant mean", True, none)
    if model == "factors" and factors is not None:
        rows, names = _along("factors", factors, index).T, tuple(map(str, factors.columns))
        return Design(f"factors {', '.join(names)}", True, rows, names, free)
    market = _along("benchmark", benchmark, index)
    if model == "market-adjusted":
        return Design("market-adjusted", False, none, (), market)
    excess = market if free is None else market - free
    return Design("market model", True, excess[None, :], ("market",), free)


_NEEDS = {
    "constant-mean": (),
    "market-adjusted": ("benchmark",),
    "market": ("benchmark",),
    "factors": ("factors",),
}


def _check_ingredients(
    model: str,
    benchmark: pd.Series | None,
    factors: pd.DataFrame | None,
    risk_free: pd.Series | None,
) -> None:
    if model not in _NEEDS:
        known = ", ".join(repr(name) for name in _NEEDS)
        raise ModelError(f"model={model!r} is not known: use {known}, or an object with fit()")
    given = {"benchmark": benchmark, "factors": factors}
    for name, value in given.items():
        if name in _NEEDS[model] and value is None:
            raise ModelError(f"model={model!r} needs {name}=")
        if name not in _NEEDS[model] and value is not None:
            fits = "market" if name == "benchmark" else "factors"
            raise ModelError(
                f"model={model!r} does not use {name}=: leave it out, or say model={fits!r}"
            )
    if risk_free is not None and model not in ("market", "factors"):
        raise ModelError(f"model={model!r} does not use risk_free=: leave it out")


def _along(name: str, values: pd.Series | pd.DataFrame, index: pd.DatetimeIndex) -> np.ndarray:
    """Values on the rows of `index`, NaN where there are none."""
    kind = pd.DataFrame if name == "factors" else pd.Series
    if not isinstance(values, kind):
        raise ModelError(
            f"{name}= is a {type(values).__name__}: give a {kind.__name__} with an index of dates"
        )
    if not values.index.is_unique:
        twice = values.index[values.index.duplicated()][0]
        raise ModelError(f"{name}= has {twice} twice: keep one row a session")
    if not all(map(is_numeric_dtype, pd.DataFrame(values).dtypes)):
        raise ModelError(f"{name}= holds something other than numbers: use pd.to_numeric")
    return values.reindex(index).to_numpy(dtype=float, na_value=np.nan)
