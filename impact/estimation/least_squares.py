"""Least-squares fits of a normal-return model for every event and security at once.

M pairs of (event, security) are fitted, each on its own estimation window, with no loop over
pairs; missing returns are left out pair by pair. The variance of a window of prediction errors
is exact: ``Var(CAR) = s² (S + c'(X'WX)⁻¹c)`` with c the sum of the regressors over its S sessions.
A return that spans k sessions is fitted as their mean, with weight k (see `spans`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from impact.estimation.models import FittedNormalReturn
from impact.estimation.own_model import error_covariance, own_fit, predicted
from impact.estimation.pairs import Pairs
from impact.estimation.panel_windows import Panel
from impact.estimation.prefix_sums import PrefixSums
from impact.market.windows import Window

#: Fits of fewer returns are made from the returns themselves.
MANY = 2**22

#: Regressors whose correlation matrix has a smaller eigenvalue are collinear.
SINGULAR = 1e-10

#: A regressor that varies less than this share of its sum of squares is a constant.
CONSTANT = 1e-24


@dataclass(frozen=True)
class Estimates:
    """Least-squares fits of M pairs, as arrays.

    Attributes
    ----------
    parameters : ndarray, shape (M, K)
    residual_std : ndarray, shape (M,)
        s = sqrt(e'e / dof).
    observations, dof : ndarray of int, shape (M,)
        L_i sessions with a return; L_i - K.
    centre : ndarray, shape (M, R)
        Means of the R regressors over the estimation window.
    inverse : ndarray, shape (M, R, R)
        Inverse of their centred cross products.
    constant : bool
        Whether there is an intercept.
    abnormal : ndarray, shape (M, W), or None
        Prediction errors in the event window; NaN where the return is missing. None where the
        fits come from running sums: they are then computed when asked for.
    covariance : ndarray, shape (M, W, W) or None
        Covariance of the prediction errors over s², for user models only.
    weight : ndarray, shape (M,) or None
        Sessions that the L_i returns cover; None where each covers one.
    span : ndarray of int, shape (M, W) or None
        Sessions that each return of the event window covers.
    """

    parameters: np.ndarray
    residual_std: np.ndarray
    observations: np.ndarray
    dof: np.ndarray
    centre: np.ndarray
    inverse: np.ndarray
    constant: bool
    abnormal: np.ndarray | None
    covariance: np.ndarray | None = None
    weight: np.ndarray | None = None
    span: np.ndarray | None = None

    def take(self, pairs: np.ndarray) -> Estimates:
        """Return the fits of some pairs."""
        arrays = {name: rows for name, rows in vars(self).items() if isinstance(rows, np.ndarray)}
        picked: dict[str, Any] = {name: rows[pairs] for name, rows in arrays.items()}
        return replace(self, **picked)

    def variance_factor(self, regressors: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Var(sum of prediction errors) / s² of the sessions `inside`, (M, W), shape (M,).

        `regressors` are those of the event window, shape (R, M, W).
        """
        if self.covariance is not None:
            weights = inside.astype(float)
            return np.einsum("mi,mij,mj->m", weights, self.covariance, weights)
        days = (inside if self.span is None else inside * self.span).sum(axis=1)
        return self.factor_of(days, np.einsum("rmw,mw->mr", regressors, inside))

    def factor_of(self, days: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Var / s² of sums over so many sessions, in which regressors sum to `total` (M, R)."""
        factor = days.astype(float)
        if self.constant:
            factor = factor + days**2 / (self.observations if self.weight is None else self.weight)
        if total.shape[1]:
            apart = total - days[:, None] * self.centre
            factor = factor + np.einsum("mr,mrs,ms->m", apart, self.inverse, apart)
        return factor


def estimate(
    panel: Panel, pairs: Pairs, estimation: Window, window: Window, at_least: int = 1
) -> Estimates:
    """Fit the panel's model for every pair and predict its event window.

    Pairs that cannot be estimated (too few observations, collinear regressors, no variance) have a
    NaN `residual_std`. A user's model is not asked to fit fewer returns than `at_least`.
    """
    if panel.layout.user is not None:
        return _estimate_user(panel, pairs, estimation, window, at_least)
    many = len(pairs) * estimation.length > max(MANY, 8 * panel.by_security.size)
    if many and (sums := panel.sums) is not None:
        return _estimate_from_sums(panel, sums, pairs, estimation, window)
    parts = [
        _estimate_chunk(panel, pairs[chunk], estimation, window)
        for chunk in pairs.chunks(estimation.length)
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Estimates(constant=panel.layout.constant, **joined)


def _estimate_from_sums(
    panel: Panel, sums: PrefixSums, pairs: Pairs, estimation: Window, window: Window
) -> Estimates:
    """Fit every pair from running sums; where those cancel, from the returns themselves."""
    length, dof = estimation.length, estimation.length - panel.layout.size
    moments = sums.moments(pairs, estimation)
    found, inverse = _solved(moments.cross, moments.moment, length * moments.centre**2)
    squares = moments.squares - np.einsum("mr,mr->m", found, moments.moment)
    alpha = moments.mean - np.einsum("mr,mr->m", found, moments.centre)
    with np.errstate(invalid="ignore", divide="ignore"):
        std = np.sqrt(squares / dof if dof > 0 else np.full(len(pairs), np.nan))
    estimates = Estimates(
        parameters=np.column_stack([alpha, found]) if panel.layout.constant else found[:, :0],
        residual_std=std,
        observations=np.full(len(pairs), length),
        dof=np.full(len(pairs), dof),
        centre=moments.centre,
        inverse=inverse,
        constant=panel.layout.constant,
        abnormal=None,
    )
    doubt = np.flatnonzero(~(squares > moments.cancelled))
    for chunk in pairs[doubt].chunks(length):
        rows = doubt[chunk]
        again = _estimate_chunk(panel, pairs[rows], estimation, window)
        for name in ("parameters", "residual_std", "centre", "inverse"):
            getattr(estimates, name)[rows] = again[name]
    return estimates


def _estimate_chunk(panel: Panel, pairs: Pairs, estimation: Window, window: Window) -> dict:
    layout = panel.layout
    fit = _least_squares(panel, pairs, estimation)
    slopes, centre = fit["slopes"], fit["centre"]
    found = panel.sessions_in(pairs, window)
    span = np.ones((1, 1), dtype=int) if found is None else found
    ahead = panel.returns_in(pairs, window) - span * fit["mean"][:, None]
    for r, regressor in enumerate(panel.regressors_in(pairs, window)):
        ahead -= slopes[:, r, None] * (regressor - span * centre[:, r, None])
    dof = fit["observations"] - layout.size
    squares = np.einsum("ml,ml->m", fit["residuals"], fit["residuals"])
    with np.errstate(invalid="ignore", divide="ignore"):
        std = np.sqrt(squares / np.where(dof > 0, dof, np.nan))
    # A security that its model explains to rounding has no variance to standardise by.
    std[squares <= 1e-24 * fit["total"]] = np.nan
    alpha = fit["mean"] - np.einsum("mr,mr->m", slopes, centre)
    parameters = np.column_stack([alpha, slopes]) if layout.constant else slopes[:, :0]
    estimates = {
        "parameters": parameters,
        "residual_std": std,
        "observations": fit["observations"],
        "dof": dof,
        "centre": centre,
        "inverse": fit["inverse"],
        "abnormal": ahead,
    }
    if panel.spans is not None:
        estimates |= {"weight": fit["weight"], "span": np.broadcast_to(span, ahead.shape)}
    return estimates


def _least_squares(panel: Panel, pairs: Pairs, estimation: Window) -> dict:
    """Centred normal equations of every pair; missing returns get weight zero.

    Residuals and centred regressors are those of a session's mean times the root of its weight.
    """
    # Both are copies of the panel's rows, and are centred in place: new memory costs time.
    returns = panel.estimation_returns(pairs, estimation)
    regressors = panel.regressors_in(pairs, estimation)
    total = np.einsum("ml,ml->m", returns, returns)
    observed = None
    if np.isnan(total).any():
        observed = ~np.isnan(returns)
        returns = np.where(observed, returns, 0.0)
        total = np.einsum("ml,ml->m", returns, returns)
        observations = observed.sum(axis=1)
        regressors = regressors * observed
    else:
        observations = np.full(len(pairs), estimation.length)
    weight, scale = observations, observed
    if (span := panel.sessions_in(pairs, estimation)) is not None:
        seen = span if observed is None else span * observed
        weight, scale = seen.sum(axis=1), np.sqrt(seen)
        returns, regressors = returns / span, regressors / span
    count = np.maximum(weight, 1)
    if panel.layout.constant:
        weighted = (returns, regressors) if span is None else (returns * seen, regressors * seen)
        mean = weighted[0].sum(axis=1) / count
        returns -= mean[:, None]
        centre = (weighted[1].sum(axis=2) / count).T
        regressors -= centre.T[:, :, None]
    else:
        mean = np.zeros(len(pairs))
        centre = np.zeros((len(pairs), len(regressors)))
    if scale is not None:
        returns *= scale
        regressors *= scale
    slopes, inverse = _solve(regressors, returns, count[:, None] * centre**2)
    for r, regressor in enumerate(regressors):
        returns -= slopes[:, r, None] * regressor
    return {
        "mean": mean,
        "slopes": slopes,
        "centre": centre,
        "inverse": inverse,
        "total": total,
        "residuals": returns,
        "centred": regressors,
        "observations": observations,
        "observed": observed,
        "weight": weight,
        "span": span,
    }


def _solve(
    centred: np.ndarray, residuals: np.ndarray, level: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (M, R) and inverse cross products (M, R, R); NaN where they are collinear.

    `level` is what centring took off the sums of squares, shape (M, R).
    """
    count = len(centred)
    if not count:
        pairs = len(residuals)
        return np.empty((pairs, 0)), np.empty((pairs, 0, 0))
    if count == 1:
        cross = np.einsum("ml,ml->m", centred[0], centred[0])[:, None, None]
    else:
        cross = np.einsum("rml,sml->mrs", centred, centred, optimize=True)
    return _solved(cross, np.einsum("rml,ml->mr", centred, residuals), level)


def _solved(
    cross: np.ndarray, moment: np.ndarray, level: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and inverses from the products; NaN where they are collinear."""
    if not cross.shape[1]:
        return moment, cross
    scale = np.sqrt(np.einsum("mrr->mr", cross))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = cross / (scale[:, :, None] * scale[:, None, :])
    # What centring leaves of a constant regressor is rounding, and no variation.
    varies = scale**2 > CONSTANT * level
    good = np.isfinite(correlation).all(axis=(1, 2)) & varies.all(axis=1)
    good[good] = np.linalg.eigvalsh(correlation[good])[:, 0] > SINGULAR
    inverse = np.full_like(cross, np.nan)
    inverse[good] = np.linalg.inv(cross[good])
    return np.einsum("mrs,ms->mr", inverse, moment), inverse


def slopes(returns: np.ndarray, regressors: np.ndarray) -> np.ndarray:
    """Loadings of one series on regressors (R, T) beside a constant; missing returns are skipped.

    Examples
    --------
    >>> slopes(np.array([1.0, np.nan, 5.0, 7.0]), np.array([[0.0, 1.0, 2.0, 3.0]]))
    array([2.])
    """
    known = np.isfinite(returns)
    if not known.any():
        return np.zeros(len(regressors))
    y, x = returns[known], regressors[:, known]
    x = x - x.mean(axis=1, keepdims=True)
    cross = np.einsum("rt,st->rs", x, x)
    return np.linalg.pinv(cross, hermitian=True) @ np.einsum("rt,t->r", x, y)


def residuals_and_leverage(
    panel: Panel, pairs: Pairs, estimation: Window
) -> tuple[np.ndarray, np.ndarray]:
    """Estimation residuals and leverages of every pair, each of shape (M, L).

    Both are NaN where a return is missing. The residual of a return over k sessions is divided by
    √k: it has the variance of one. A user model's leverages are not known and are zero.
    """
    residuals = np.empty((len(pairs), estimation.length))
    leverage = np.zeros_like(residuals)
    if panel.layout.user is not None:
        for i in range(len(pairs)):
            residuals[i] = _fit_user(panel, pairs[i : i + 1], estimation)[2]
        return residuals, leverage
    for chunk in pairs.chunks(estimation.length):
        fit = _least_squares(panel, pairs[chunk], estimation)
        residuals[chunk] = fit["residuals"]
        if panel.layout.constant:
            span = 1 if fit["span"] is None else fit["span"]
            leverage[chunk] = span / fit["weight"][:, None]
        if len(fit["centred"]):
            leverage[chunk] += np.einsum(
                "rml,mrs,sml->ml", fit["centred"], fit["inverse"], fit["centred"], optimize=True
            )
        if fit["observed"] is not None:
            residuals[chunk][~fit["observed"]] = np.nan
            leverage[chunk][~fit["observed"]] = np.nan
    return residuals, leverage


def _estimate_user(
    panel: Panel, pairs: Pairs, estimation: Window, window: Window, at_least: int
) -> Estimates:
    size, length = len(pairs), window.length
    std, dof, count = np.full(size, np.nan), np.zeros(size, int), np.zeros(size, int)
    abnormal, covariance = np.full((size, length), np.nan), np.zeros((size, length, length))
    for i in range(size):
        one = pairs[i : i + 1]
        count[i] = (~np.isnan(panel.estimation_returns(one, estimation))).sum()
        if count[i] < max(at_least, 1):
            continue
        fitted, dof[i], residuals = _fit_user(panel, one, estimation)
        regressors = panel.regressors_in(one, window)[:, 0].T
        abnormal[i] = panel.returns_in(one, window)[0] - predicted(fitted, regressors)
        squares = np.nansum(residuals**2)
        if dof[i] > 0 and squares > 0:
            std[i] = np.sqrt(squares / dof[i])
            covariance[i] = error_covariance(fitted, regressors) / std[i] ** 2
    regressor_count = len(panel.layout.regressors)
    return Estimates(
        np.empty((size, 0)),
        std,
        count,
        dof,
        np.zeros((size, regressor_count)),
        np.zeros((size, regressor_count, regressor_count)),
        False,
        abnormal,
        covariance,
    )


def _fit_user(
    panel: Panel, one: Pairs, estimation: Window
) -> tuple[FittedNormalReturn, int, np.ndarray]:
    """A user's fit of one pair, its dof, and its residuals, NaN where a return is missing."""
    returns = panel.estimation_returns(one, estimation)[0]
    regressors = panel.regressors_in(one, estimation)[:, 0].T
    observed = ~np.isnan(returns)
    assert panel.layout.user is not None
    fitted, dof = own_fit(panel.layout.user, returns[observed], regressors[observed])
    returns[observed] -= predicted(fitted, regressors[observed])
    return fitted, dof, returns
