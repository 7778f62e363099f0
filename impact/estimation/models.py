"""Normal-return models: what is subtracted, whether there is a constant, which regressors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from impact.errors import ModelError
from impact.estimation.spans import alone
from impact.market.checks import on_rows
from impact.market.returns import TRADE_TO_TRADE
from impact.text.formats import list_of


@runtime_checkable
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
    regressors : ndarray, shape (K, T), or (K, N, T) where each security has its own
        One row per regressor (market or factors), decimal fractions; NaN where there is none.
    names : tuple of str
        The K regressors' names.
    subtracted : ndarray, shape (T,) or (N, T), or None
        Taken off the returns before the fit: the risk-free rate, or the market itself in the
        market-adjusted model.
    user : NormalReturnModel or None
        A user's model; the constant is then its own business.
    trade_to_trade : bool
        Whether a regressor after missing ones is the move since the last.
    """

    name: str
    constant: bool
    regressors: np.ndarray
    names: tuple[str, ...] = ()
    subtracted: np.ndarray | None = None
    user: NormalReturnModel | None = None
    trade_to_trade: bool = False

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

    def by_row(self, values: np.ndarray) -> np.ndarray:
        """Values of `regressors` or `subtracted` that are moves of their own row alone."""
        return alone(values) if self.trade_to_trade else values

    @property
    def arguments(self) -> dict[str, np.ndarray]:
        """What the model takes from outside the returns, by the name for messages."""
        taken = {}
        if self.subtracted is not None:
            market = self.name == "market-adjusted"
            taken["market" if market else "risk-free rate"] = self.subtracted
        return taken | dict(zip(self.names, self.regressors, strict=True))

    def averaged(self, held: np.ndarray) -> Design:
        """Return the design of the equal-weighted portfolio of what is `held`, shape (N, T)."""
        count = np.fmax(held.sum(axis=0), 1)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.where(held, values, 0.0).sum(axis=-2) / count

        rows, taken = self.regressors, self.subtracted
        return replace(
            self,
            regressors=rows if rows.ndim == 2 else mean(rows),
            subtracted=taken if taken is None or taken.ndim == 1 else mean(taken),
        )


def design(
    model: str | NormalReturnModel,
    index: pd.DatetimeIndex,
    *,
    benchmark: pd.Series | pd.DataFrame | None = None,
    factors: pd.DataFrame | None = None,
    risk_free: pd.Series | None = None,
    securities: pd.Index | None = None,
    kind: str | None = None,
) -> Design:
    """Lay a model out along `index`, the sessions of the returns.

    The models are those of `impact.event_study`. With "raw" nothing is normal: the abnormal return
    is the return itself, and its variance the mean square of the estimation window. The risk-free
    return is taken off the returns and off the benchmark; factors are taken to be excess returns
    already, as the Fama-French files have them. A benchmark with several columns must name every
    one of the `securities`; what says that it is of another `kind` than the returns is refused.
    """
    own = None if isinstance(model, str) else model
    if own is not None and not hasattr(own, "fit"):
        raise ModelError(f"model={model!r} has no fit(returns, regressors) method")
    if own is not None and benchmark is not None:
        raise ModelError("a model of your own does not use benchmark=: give it as factors=")
    if isinstance(model, str):
        _check_ingredients(model, benchmark, factors, risk_free)
    free = None
    if risk_free is not None:
        free = _one_column("risk_free", on_rows(risk_free, "risk_free", index, "rate"))
    rows = np.empty((0, len(index)))
    names: tuple[str, ...] = ()
    spanning = False
    if factors is not None:
        if isinstance(factors, pd.Series):
            factors = factors.to_frame()
        table = on_rows(factors, "factors", index, kind=kind)
        rows, names = table.to_numpy().T, tuple(map(str, table.columns))
        if rate := next((name for name in names if name.casefold() in _RATES), None):
            raise ModelError(
                f"factors: column {rate!r} is a rate, no factor: give "
                f"factors.drop(columns={rate!r}) and risk_free=factors[{rate!r}]"
            )
        if "alpha" in names:
            raise ModelError("factors: 'alpha' is what the constant is called: rename that column")
        spanning = _is_trade_to_trade(table)
    if own is not None:
        return Design(type(own).__name__, False, rows, names, free, own, spanning)
    if model in _PLAIN:
        return Design(*_PLAIN[model], rows)
    if model == "factors":
        return Design(f"factors {', '.join(names)}", True, rows, names, free, None, spanning)
    table = on_rows(benchmark, "benchmark", index, kind=kind)
    market, spanning = _market(table, securities), _is_trade_to_trade(table)
    if model == "market-adjusted":
        return Design("market-adjusted", False, rows, (), market, None, spanning)
    excess = market if free is None else market - free
    return Design("market model", True, excess[None], ("market",), free, None, spanning)


def _is_trade_to_trade(table: pd.DataFrame) -> bool:
    return table.attrs.get("gaps") == TRADE_TO_TRADE


def _one_column(name: str, table: pd.DataFrame) -> np.ndarray:
    if table.shape[1] > 1:
        raise ModelError(f"{name}= has {table.shape[1]} columns: give one, as a Series")
    return table.to_numpy()[:, 0]


def _market(table: pd.DataFrame, securities: pd.Index | None) -> np.ndarray:
    """The one benchmark, shape (T,), or one row a security, shape (N, T)."""
    if table.shape[1] == 1 or securities is None:
        return _one_column("benchmark", table)
    row = table.columns.astype("str").get_indexer(securities.astype("str"))
    if (row < 0).any():
        missing = list_of([repr(name) for name in securities[row < 0][:3]])
        raise ModelError(
            f"benchmark= has several columns and none for {missing}: give one column for every "
            "security, under its name, or one Series for all"
        )
    return table.to_numpy().T[row]


#: What a table of factors calls the risk-free rate that stands in it.
_RATES = ("risk_free", "risk free", "rf")

#: Models that need no more than the returns: their name in a signature, and whether they have a
#: constant.
_PLAIN = {"constant-mean": ("constant mean", True), "raw": ("raw returns", False)}

_NEEDS = {
    "constant-mean": (),
    "raw": (),
    "market-adjusted": ("benchmark",),
    "market": ("benchmark",),
    "factors": ("factors",),
}


def _check_ingredients(
    model: str,
    benchmark: pd.Series | pd.DataFrame | None,
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
