"""Variance models fitted by maximum likelihood: GJR-GARCH, GARCH and exponential weights.

The arch package fits the parameters; filtering and simulating are linear recursions of our own,
which its numbers confirm. All numbers are decimal fractions.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import HistoryError, ReturnsError, VolatilityError
from impact.text.formats import list_of

#: Variance models by name; the first is the default.
VARIANCE_MODELS = ("gjr", "garch", "ewma")

#: Returns that parameters are fitted on, and the fewest that are accepted.
FIT_SESSIONS = 2_000
MIN_SESSIONS = {"gjr": 1_000, "garch": 1_000, "ewma": 250}

#: Weight of yesterday's variance in "ewma" (RiskMetrics, daily).
DECAY = 0.94

#: Below this many degrees of freedom the unit-variance Student t has next to no variance left.
MIN_NU = 2.1

#: Tolerances of the optimiser: the first makes the answer independent of where it started.
_TIGHT, _USUAL = 1e-9, 1e-6

#: Other starting values (alpha, gamma, beta, nu), tried when the optimiser fails.
_OTHER_STARTS = ((0.05, 0.06, 0.90, 8.0), (0.10, 0.10, 0.75, 5.0), (0.02, 0.04, 0.95, 12.0))


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
        from scipy.signal import lfilter

        shocks = np.asarray(returns, float) - self.mu
        drive = np.empty(len(shocks) + 1)
        drive[0] = self.omega + self.persistence * self.start
        drive[1:] = self.omega + (self.alpha + self.gamma * (shocks < 0)) * shocks**2
        return np.sqrt(lfilter([1.0], [1.0, -self.beta], drive))

    def simulate(self, sigma_next: float, innovations: np.ndarray) -> np.ndarray:
        """Run the variance forward from the eve and return demeaned returns.

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
    returns: pd.Series | np.ndarray,
    *,
    model: str = "gjr",
    last: int | None = FIT_SESSIONS,
    near: VarianceFit | None = None,
) -> VarianceFit:
    """Fit a variance model by maximum likelihood.

    Parameters
    ----------
    returns : Series or ndarray, shape (T,)
        Decimal returns; nothing after them is known to the fit.
    model : {"gjr", "garch", "ewma"}
    last : int or None
        Fit on the last so many of them; None takes all.
    near : VarianceFit, optional
        Parameters to start from, such as those of a month ago.

    Raises
    ------
    HistoryError
        With fewer than 1,000 returns ("ewma": 250).
    ReturnsError
        If a return is missing or infinite.
    VolatilityError
        If more than half of the returns are one number, or no starting values lead to a
        stationary optimum.

    Notes
    -----
    Constant mean, Student-t innovations. If the optimiser fails it is started again from other
    values; the fit's `note` says so. An optimum on the border of stationarity is kept and noted.

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
    values = np.asarray(returns, float)
    values = values if last is None else values[-last:]
    if len(values) < MIN_SESSIONS[model]:
        raise HistoryError(
            f"the variance model {model!r} needs {MIN_SESSIONS[model]:,} returns before the event "
            f"window and there are {len(values):,}: give a longer history"
            + ("" if model == "ewma" else " or take 'ewma', which needs 250")
        )
    check_finite(values)
    check_varies(values)
    if near is not None:
        return _fit(values, model, near)
    return _fit_cached(values.tobytes(), model)


@functools.lru_cache(maxsize=1024)
def _fit_cached(sample: bytes, model: str) -> VarianceFit:
    return _fit(np.frombuffer(sample), model, None)


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


def _fit(values: np.ndarray, model: str, near: VarianceFit | None) -> VarianceFit:
    from arch.univariate import GARCH, ConstantMean, EWMAVariance, StudentsT

    # Returns of unit variance, so that the optimiser's steps suit any series.
    scale = values.std()
    process = EWMAVariance(DECAY) if model == "ewma" else GARCH(1, int(model == "gjr"), 1)
    arch_model = ConstantMean(
        values / scale, volatility=process, distribution=StudentsT(), rescale=False
    )
    for attempt, (start, tolerance) in enumerate(_starts(model, near, scale)):
        # arch changes the global warning filters while it fits.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            result = arch_model.fit(
                disp="off", show_warning=False, starting_values=start, tol=tolerance
            )
        fit = _read(result, model, scale, values, retried=attempt > (near is not None))
        inside = values.min() < fit.mu < values.max()
        if result.convergence_flag == 0 and inside and _is_usable(fit):
            return fit
    raise VolatilityError(
        f"the variance model {model!r} could not be fitted on {len(values):,} returns from any "
        f"starting values (last: persistence {fit.persistence:.4g}, degrees of freedom "
        f"{fit.nu:.4g}): check the returns, or take another model"
    )


def _starts(
    model: str, near: VarianceFit | None, scale: float
) -> Iterator[tuple[np.ndarray | None, float]]:
    """Starting values, None meaning arch's own, with the optimiser's tolerance."""
    if near is not None:
        # Strictly inside the constraints, where a border optimum would be refused as a start.
        alpha, beta = max(near.alpha, 1e-3), max(near.beta, 1e-3)
        gamma = max(near.gamma, 1e-3 - alpha)
        shrink = min(1.0, 0.998 / (alpha + gamma / 2 + beta))
        omega = min(max(near.omega / scale**2, 1e-5), 1.0)
        variance = (omega, alpha * shrink, gamma * shrink, beta * shrink)
        yield _vector(model, near.mu / scale, *variance, min(max(near.nu, 2.5), 300.0)), _TIGHT
    yield None, _TIGHT
    for alpha, gamma, beta, nu in _OTHER_STARTS:
        omega = 1 - alpha - gamma / 2 - beta
        yield _vector(model, 0.0, omega, alpha, gamma, beta, nu), _USUAL


def _vector(
    model: str, mu: float, omega: float, alpha: float, gamma: float, beta: float, nu: float
) -> np.ndarray:
    if model == "ewma":
        return np.array([mu, nu])
    if model == "garch":
        return np.array([mu, omega, alpha, beta, nu])
    return np.array([mu, omega, alpha, gamma, beta, nu])


def _read(
    result: Any, model: str, scale: float, values: np.ndarray, *, retried: bool
) -> VarianceFit:
    found = dict(result.params)
    if model == "ewma":
        found |= {"omega": 0.0, "alpha[1]": 1 - DECAY, "beta[1]": DECAY}
    alpha, gamma, beta = found["alpha[1]"], found.get("gamma[1]", 0.0), found["beta[1]"]
    notes = ["the optimiser converged from other starting values only"] if retried else []
    if model != "ewma" and alpha + gamma / 2 + beta > 0.9999:
        notes.append("the fitted variance is on the border of stationarity")
    shocks = values[:75] - values.mean()
    weights = DECAY ** np.arange(len(shocks))
    return VarianceFit(
        model,
        float(found["mu"] * scale),
        float(found["omega"] * scale**2),
        float(alpha),
        float(gamma),
        float(beta),
        float(found["nu"]),
        # arch's backcast: the variance before the first session, from the first 75.
        float(weights @ shocks**2 / weights.sum()),
        len(values),
        "; ".join(notes),
    )


def _is_usable(fit: VarianceFit) -> bool:
    numbers = (fit.mu, fit.omega, fit.alpha, fit.gamma, fit.beta, fit.nu)
    positive = fit.omega > 0 or fit.model == "ewma"
    stationary = fit.persistence <= 1 + 1e-6
    return bool(np.isfinite(numbers).all() and positive and stationary and fit.nu > MIN_NU)
