"""A normal-return model of one's own: what it says is checked before it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from impact.errors import ModelError
from impact.estimation.models import FittedNormalReturn, NormalReturnModel

#: A covariance with a smaller share of its largest eigenvalue has a direction without variance.
_SINGULAR = 1e-12


def own_fit(
    model: NormalReturnModel, returns: np.ndarray, regressors: np.ndarray
) -> tuple[FittedNormalReturn, int]:
    """Return what the model fits to the returns of one estimation window, and its dof."""
    fitted = model.fit(returns, regressors)
    if not isinstance(fitted, FittedNormalReturn):
        raise ModelError(
            f"fit() of the model returned a {type(fitted).__name__}: it must have dof, "
            "predict(regressors) and prediction_covariance(regressors)"
        )
    dof = float(_numbers(fitted.dof, "dof", len(returns), ()))
    if not dof.is_integer():
        raise ModelError(f"dof of the model is {fitted.dof!r}: give a whole number")
    return fitted, int(dof)


def predicted(fitted: FittedNormalReturn, regressors: np.ndarray) -> np.ndarray:
    """Return the normal return of each row of `regressors`, one where these are there."""
    rows = len(regressors)
    normal = _numbers(fitted.predict(regressors), "predict()", rows, (rows,))
    return _complete(normal, "predict()", regressors)


def error_covariance(fitted: FittedNormalReturn, regressors: np.ndarray) -> np.ndarray:
    """Return the covariance of the prediction errors of the rows of `regressors`, shape (n, n).

    ModelError if it is none: a return, or a sum of returns, would be known without error.
    """
    what, rows = "prediction_covariance()", len(regressors)
    found = _numbers(fitted.prediction_covariance(regressors), what, rows, (rows, rows))
    there = _there(regressors)
    known = _complete(found[:, there], what, regressors)[there]
    size = np.linalg.eigvalsh(known)
    if len(size) and size[0] <= _SINGULAR * size[-1]:
        raise ModelError(
            f"{what} of the model is no covariance of returns (its smallest eigenvalue is "
            f"{size[0]:.3g}, its largest {size[-1]:.3g}): include the variance of each return"
        )
    return found


def _numbers(given: Any, what: str, rows: int, shape: tuple[int, ...]) -> np.ndarray:
    """What the model gave, as numbers of that shape."""
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ModelError(f"{what} of the model is {given!r:.60}: give numbers") from None
    if array.shape != shape:
        raise ModelError(f"{what} of the model gives {array.shape} for {rows} rows: give {shape}")
    return array


def _there(regressors: np.ndarray) -> np.ndarray:
    return np.isfinite(regressors).all(axis=1)


def _complete(values: np.ndarray, what: str, regressors: np.ndarray) -> np.ndarray:
    """Values by row, where each row whose regressors are there has numbers."""
    if not np.isfinite(values[_there(regressors)]).all():
        raise ModelError(f"{what} of the model gives values that are not finite: give numbers")
    return values
