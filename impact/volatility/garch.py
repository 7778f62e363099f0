"""Variance models fitted by maximum likelihood: GJR-GARCH, GARCH and exponential weights.

All numbers are decimal fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd
from pandas.api.types import is_any_real_numeric_dtype

from impact.errors import HistoryError, ReturnsError, VolatilityError
from impact.text.formats import list_of
from impact.volatility.fitting import remembered
from impact.volatility.likelihood import DECAY, carried, most_likely

#: Variance models by name; the first is the default.
VARIANCE_MODELS = ("gjr", "garch", "ewma")

#: Returns that parameters are fitted on, and the fewest that are accepted.
FIT_SESSIONS = 2_000
MIN_SESSIONS = {"gjr": 1_000, "garch": 1_000, "ewma": 250}

#: Below this many degrees of freedom the unit-variance Student t has next to no variance left.
MIN_NU = 2.1


@dataclass(frozen=True)
class VarianceFit:
    """Parameters of r_t = mu + σ_t z_t, z_t Student t(nu) scaled to unit variance.

    σ²_t+1 = omega + (alpha + gamma·1[e_t < 0]) e_t² + beta σ²_t with e_t = r_t - mu.

    Attributes
    ----------
    model : {"gjr", "garch", "ewma"}
    mu, omega, alpha, gamma, beta, nu : float
        For decimal returns. "garch" has gamma = 0; "ewma" has alpha = .06, beta = .94, omega = 0.
    start : float
        Variance that stands for the past at the first observation of the sample.
    n : int
        Returns in the sample.
    note : str
        What a reader should know about the fit, or "".
    """

    model: str
    mu: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    nu: float
    start: float
    n: int
    note: str = ""

    @property
    def persistence(self) -> float:
        """Weight of today's variance in tomorrow's: alpha + gamma/2 + beta."""
        return self.alpha + self.gamma / 2 + self.beta

    def filter(self, returns: np.ndarray) -> np.ndarray:
        """Return the one-step-ahead σ of each return and of the session after them.

        Parameters
        ----------
        returns : ndarray, shape (n,)
            Decimal returns from the first observation of the fitted sample onwards.

        Returns
        -------
        ndarray, shape (n + 1,)
            Element t uses ``returns[:t]`` only.
        """
        shocks = np.asarray(returns, float) - self.mu
        drive = np.empty(len(shocks) + 1)
        drive[0] = self.omega + self.persistence * self.start
        drive[1:] = self.omega + (self.alpha + self.gamma * (shocks < 0)) * shocks**2
        return np.sqrt(carried(drive, self.beta))

    def standardise(self, returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the one-step-ahead σ as `filter` does, and the standardised returns.

        Parameters
        ----------
        returns : ndarray, shape (n,)
            As for `filter`. NaN is a session without a price, whose square is taken to be its
            expectation; the next return is the move of all sessions since the last price.

        Returns
        -------
        ndarray, shape (n + 1,), and ndarray, shape (n,)
            z is (r - k mu) / √(Σ σ²) over the k sessions of the return; NaN where there is none,
            and at the end of a gap that the first row lies in.
        """
        values = np.asarray(returns, float)
        missing = np.isnan(values)
        if not missing.any():
            sigma = self.filter(values)
            return sigma, (values - self.mu) / sigma[:-1]
        variances, z = np.empty(len(values) + 1), np.full(len(values), np.nan)
        variances[0] = self.omega + self.persistence * self.start
        total, sessions, begun = 0.0, 0, not missing[0]
        for t, value in enumerate(values.tolist()):
            total, sessions = total + variances[t], sessions + 1
            news = (self.alpha + self.gamma / 2) * variances[t]
            if not missing[t]:
                if begun:
                    z[t] = (value - sessions * self.mu) / np.sqrt(total)
                    news = (self.alpha + self.gamma * (z[t] < 0)) * z[t] ** 2 * variances[t]
                total, sessions, begun = 0.0, 0, True
            variances[t + 1] = self.omega + news + self.beta * variances[t]
        return np.sqrt(variances), z

    def simulate(self, sigma_next: float, innovations: np.ndarray) -> np.ndarray:
        """Run the variance forward from the evening before and return demeaned returns.

        Parameters
        ----------
        sigma_next : float
            σ of the first simulated session.
        innovations : ndarray, shape (paths, k)
            Standardised innovations.

        Returns
        -------
        ndarray, shape (paths, k)
        """
        shocks = np.empty_like(innovations, dtype=float)
        variance = np.full(len(innovations), float(sigma_next) ** 2)
        for step in range(innovations.shape[1]):
            shock = np.sqrt(variance) * innovations[:, step]
            shocks[:, step] = shock
            news = (self.alpha + self.gamma * (shock < 0)) * shock**2
            variance = self.omega + news + self.beta * variance
        return shocks

    def variances(self, sigma_next: float, k: int) -> np.ndarray:
        """Forecast variances of the next k sessions, shape (k,)."""
        ahead = np.empty(k)
        ahead[0] = sigma_next**2
        for step in range(1, k):
            ahead[step] = self.omega + self.persistence * ahead[step - 1]
        return ahead


def fit_variance(
    returns: pd.Series | np.ndarray, *, model: str = "gjr", last: int | None = FIT_SESSIONS
) -> VarianceFit:
    """Fit a variance model by maximum likelihood.

    Parameters
    ----------
    returns : Series or ndarray, shape (T,)
        Decimal returns; nothing after them is known to the fit.
    model : {"gjr", "garch", "ewma"}
    last : int or None
        Fit on the last so many of them; None takes all.

    Raises
    ------
    HistoryError
        With fewer than 1,000 returns ("ewma": 250).
    ReturnsError
        If a return is missing or infinite, or they are no series of numbers.
    VolatilityError
        If `model` or `last` cannot be used, more than half of the returns are one number, or no
        search finds a maximum.

    Notes
    -----
    Constant mean, Student-t innovations of unit variance. The variance before the first return
    is the exponentially weighted one of the first 75. An optimum on a border of the parameters
    is kept; the fit's `note` says so at that of stationarity and that of the heaviest tails. Fits
    are remembered by a hash of the returns.

    References
    ----------
    Bollerslev (1987); Glosten, Jagannathan and Runkle (1993); RiskMetrics (1996).

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(0).standard_t(6, 1_500)
    >>> fit = fit_variance(returns, model="garch")
    >>> fit.n, fit.persistence <= 1
    (1500, True)
    """
    check_model(model)
    given = np.asarray(returns)
    if given.ndim != 1 or not is_any_real_numeric_dtype(getattr(returns, "dtype", given.dtype)):
        raise ReturnsError("a variance model is fitted on one series of numbers: give such returns")
    if not (last is None or (isinstance(last, Integral) and last > 0)):
        raise VolatilityError(f"last={last!r} is no number of returns: give one from 1, or None")
    values = np.asarray(returns, float)
    values = values if last is None else values[-last:]
    if len(values) < MIN_SESSIONS[model]:
        raise HistoryError(
            f"the variance model {model!r} needs {MIN_SESSIONS[model]:,} returns and there are "
            f"{len(values):,}: give a longer history"
            + ("" if model == "ewma" else " or take 'ewma', which needs 250")
        )
    check_finite(values)
    check_varies(values)
    return _fit(values, model)


def check_model(model: str) -> None:
    """Raise VolatilityError unless `model` is one of VARIANCE_MODELS."""
    if model not in VARIANCE_MODELS:
        known = list_of(map(repr, VARIANCE_MODELS), "or")
        raise VolatilityError(f"the variance model {model!r} is not known: use {known}")


def check_finite(values: np.ndarray) -> None:
    """Raise ReturnsError if a return is missing or infinite."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ReturnsError(
            f"a variance model needs every return, and {len(bad):,} of {len(values):,} are missing "
            "or infinite: leave those sessions out first"
        )


def check_varies(values: np.ndarray) -> None:
    """Raise VolatilityError if more than half of the returns are one number."""
    middle = np.median(values)
    if np.median(np.abs(values - middle)) <= 1e-9 * np.abs(values).max():
        raise VolatilityError(
            f"more than half of the {len(values):,} returns before the event are {middle:g}: "
            "a series that does not vary has no variance model"
        )


@remembered
def _fit(values: np.ndarray, model: str) -> VarianceFit:
    # Middle and typical size of most returns: a wild one does not move them.
    middle = np.median(values)
    scale = np.median(np.abs(values - middle)) / 0.6745
    returns = (values - middle) / scale
    shocks = returns[:75] - returns.mean()
    weights = DECAY ** np.arange(len(shocks))
    start = float((weights * shocks**2).sum() / weights.sum())
    found = most_likely(returns, model, start)
    if found is None or not returns.min() < found[0] < returns.max():
        raise VolatilityError(
            f"the variance model {model!r} could not be fitted on {len(values):,} returns from "
            "any starting values: check the returns, or take another model"
        )
    mu, omega, alpha, gamma, beta, nu = found.tolist()
    notes = []
    if model != "ewma" and alpha + gamma / 2 + beta > 0.9999:
        notes.append("the fitted variance is on the border of stationarity")
    if nu < MIN_NU:
        notes.append("the tails are as heavy as a Student t allows, so σ overstates a usual day")
    return VarianceFit(
        model,
        float(middle + mu * scale),
        float(omega * scale**2),
        alpha,
        gamma,
        beta,
        nu,
        float(start * scale**2),
        len(values),
        "; ".join(notes),
    )
