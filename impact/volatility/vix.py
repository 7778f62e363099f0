"""The variance that option prices implied the evening before, calibrated to what followed.

A volatility index is a biased forecast, and not by a constant. Its logarithm is therefore
regressed into σ by Student-t quasi-likelihood, on earlier sessions only, once per calendar
quarter. All returns are decimal fractions; the index is in points (percent a year).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln, psi

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.text.formats import iso
from impact.volatility.garch import MIN_NU, check_varies

#: Earlier sessions with an index value that the calibration needs.
MIN_PAIRS = 1_000

#: Bounds of the slope and of log(nu - 2); the first hold every market we know of.
_SLOPE = (0.0, 3.0)
_LOG_NU = (np.log(MIN_NU - 2), np.log(500.0))


@dataclass(frozen=True)
class ImpliedForecast:
    """σ of one session from the index on its eve.

    Attributes
    ----------
    sigma, mean, nu : float
        Standard deviation and mean of the session's return; Student t scaled to unit variance.
    intercept, slope : float
        log σ = intercept + slope · log(index / (100 √252)).
    index_value : float
        The index, in points.
    index_session : Timestamp
        The session whose close it is.
    n : int
        Sessions in the calibration.
    """

    sigma: float
    mean: float
    nu: float
    intercept: float
    slope: float
    index_value: float
    index_session: pd.Timestamp
    n: int


@dataclass(frozen=True)
class _Calibration:
    mean: float
    intercept: float
    slope: float
    nu: float
    n: int

    def sigma(self, points: np.ndarray) -> np.ndarray:
        return np.exp(self.intercept + self.slope * _log_daily(points))


def implied_forecast(
    returns: pd.Series,
    implied: pd.Series,
    position: int,
    *,
    fit_end: int | None = None,
    after_vix_close: bool = False,
) -> ImpliedForecast:
    """Forecast the variance of one session from the volatility index of its eve.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    implied : Series
        The volatility index in points, by session (`load_vix`).
    position : int
        Position in `returns` of the session; its eve is the session before.
    fit_end : int, optional
        First session of the event window: the calibration ends before it, and before the
        calendar quarter of `position`, whichever is earlier. `position` by default.
    after_vix_close : bool
        True where the news came out from 16:00 on the eve: the index closes at 16:15 and may hold
        it, so the close of the session before is taken, and the calibration uses the same lag.

    Raises
    ------
    VolatilityError
        If the index has no value on that day, or the optimiser fails.
    HistoryError
        If fewer than 1,000 earlier sessions have a value.
    WindowError
        If `position` or `fit_end` lies outside the returns.

    Notes
    -----
    r_t = m + σ_t z_t with z_t Student t of unit variance and log σ_t = a + b log(V_t-1 /
    (100 √252)); m is the mean of the calibration's returns, and a, b, nu maximise the likelihood.
    """
    fit_end = position if fit_end is None else fit_end
    lag = 2 if after_vix_close else 1
    if not 0 <= fit_end <= position < len(returns) or position < lag:
        raise WindowError(
            f"position={position} and fit_end={fit_end} do not fit {len(returns):,} returns"
        )
    points = _on_sessions(returns, implied)
    day = returns.index[position - lag]
    value = points[position - lag]
    if np.isnan(value):
        span = implied.dropna().index
        raise VolatilityError(
            f"the volatility index has no value on {iso(day)} (it runs from {iso(span[0])} to "
            f"{iso(span[-1])}), so no implied variance is available for "
            f"{iso(returns.index[position])}"
        )
    quarter = returns.index.to_period("Q")
    end = min(fit_end, int(quarter.searchsorted(quarter[position])))
    fit = _calibrate(returns.to_numpy(float)[:end], points, lag)
    return ImpliedForecast(
        float(fit.sigma(value)),
        fit.mean,
        fit.nu,
        fit.intercept,
        fit.slope,
        float(value),
        day,
        fit.n,
    )


def implied_z(returns: pd.Series, implied: pd.Series) -> pd.DataFrame:
    """Return every session's return in units of the implied σ of its eve.

    Parameters
    ----------
    returns, implied : Series
        As for `implied_forecast`.

    Returns
    -------
    DataFrame
        Columns `z`, `sigma`, `nu`; recalibrated at the start of each calendar quarter on all
        earlier sessions. Sessions without an index value on their eve are left out.

    Raises
    ------
    HistoryError
        If no quarter starts after 1,000 sessions that have an index value on their eve.
    VolatilityError
        If the optimiser fails.
    """
    values, points = returns.to_numpy(float), _on_sessions(returns, implied)
    have = np.r_[0, np.cumsum(np.isfinite(values[1:]) & np.isfinite(points[:-1]))]
    quarter = returns.index.to_period("Q")
    parts = []
    for begin in np.flatnonzero(np.r_[False, quarter[1:] != quarter[:-1]]):
        if have[begin - 1] < MIN_PAIRS:
            continue
        fit = _calibrate(values[:begin], points, 1)
        rows = np.arange(begin, quarter.searchsorted(quarter[begin], side="right"))
        sigma = fit.sigma(points[rows - 1])
        z = (values[rows] - fit.mean) / sigma
        columns = {"z": z, "sigma": sigma, "nu": fit.nu}
        parts.append(pd.DataFrame(columns, index=returns.index[rows]).dropna())
    if not parts:
        raise HistoryError(_too_few(int(have[-1])))
    return pd.concat(parts)


def _log_daily(points: np.ndarray) -> np.ndarray:
    return np.log(points / (100 * np.sqrt(252)))


def _on_sessions(returns: pd.Series, implied: pd.Series) -> np.ndarray:
    known = implied.dropna()
    if not (known > 0).all():
        day = known.index[~(known > 0)][0]
        raise ReturnsError(
            f"the volatility index is {known[day]:g} on {iso(day)}: it must be positive points"
        )
    return implied.reindex(returns.index).to_numpy(float)


def _too_few(n: int) -> str:
    return (
        f"an implied variance needs {MIN_PAIRS:,} earlier sessions with a volatility index and "
        f"there are {n:,}: choose a later event or give a longer index"
    )


def _calibrate(values: np.ndarray, points: np.ndarray, lag: int) -> _Calibration:
    """Fit on ``values``, each with the index `lag` sessions before."""
    from scipy.optimize import minimize

    now, before = values[lag:], points[: max(len(values) - lag, 0)]
    use = np.isfinite(now) & np.isfinite(before)
    now, before = now[use], _log_daily(before[use])
    if len(now) < MIN_PAIRS:
        raise HistoryError(_too_few(len(now)))
    check_varies(now)
    mean, centre = now.mean(), before.mean()
    args = (now - mean, before - centre)
    bounds = [(None, None), _SLOPE, _LOG_NU]
    for slope, nu in ((1.0, 8.0), (0.5, 4.0), (1.5, 30.0)):
        start = np.array([np.log(now.std()), slope, np.log(nu - 2)])
        found = minimize(
            _loss,
            start,
            args,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-14, "gtol": 1e-8},
        )
        level, slope, log_nu = found.x
        inside = _SLOPE[0] < slope < _SLOPE[1] and log_nu > _LOG_NU[0]
        if found.success and np.isfinite(found.fun) and inside:
            nu = 2 + np.exp(log_nu)
            return _Calibration(
                float(mean), float(level - slope * centre), float(slope), float(nu), len(now)
            )
    raise VolatilityError(
        f"the volatility index could not be calibrated on {len(now):,} sessions (slope "
        f"{slope:.3g}): is it the index of this series?"
    )


def _loss(theta: np.ndarray, shocks: np.ndarray, log_index: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood and its gradient in (level, slope, log(nu - 2))."""
    level, slope, log_nu = theta
    spare = np.exp(log_nu)
    nu = spare + 2
    log_sigma = level + slope * log_index
    square = (shocks * np.exp(-log_sigma)) ** 2
    tail = np.log1p(square / spare)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(np.pi * spare)
    loss = -constant + np.mean(log_sigma + (nu + 1) / 2 * tail)
    score = 1 - (nu + 1) * square / (spare + square)
    by_nu = (
        0.5 * (psi((nu + 1) / 2) - psi(nu / 2) - 1 / spare)
        - 0.5 * tail.mean()
        + (nu + 1) / 2 * np.mean(square / (spare + square)) / spare
    )
    return loss, np.array([score.mean(), np.mean(score * log_index), -by_nu * spare])
