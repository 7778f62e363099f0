"""The variance that option prices implied the evening before, calibrated to what followed.

A volatility index is a biased forecast, and not by a constant. Its logarithm is therefore
regressed into σ by Student-t quasi-likelihood, on earlier sessions only, once per calendar
quarter. All returns are decimal fractions; the index is in points (percent a year).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Integral

import numpy as np
import pandas as pd
import scipy

from impact.errors import HistoryError, VolatilityError, WindowError
from impact.market.checks import on_rows
from impact.text.formats import iso
from impact.volatility.fitting import descend, refit_rows, remembered
from impact.volatility.garch import MIN_NU, check_varies

#: Earlier sessions with an index value that the calibration needs.
MIN_PAIRS = 1_000

#: Bounds of level, slope and log(nu - 2); those of the slope hold every market we know of.
_LOW = np.array([-np.inf, 0.0, np.log(MIN_NU - 2)])
_HIGH = np.array([np.inf, 3.0, np.log(500.0)])


@dataclass(frozen=True)
class ImpliedForecast:
    """σ of one session from the index the evening before.

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
    note : str
        What a reader should know about the calibration, or "".
    """

    sigma: float
    mean: float
    nu: float
    intercept: float
    slope: float
    index_value: float
    index_session: pd.Timestamp
    n: int
    note: str


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
    after_vix_close: bool = False,
) -> ImpliedForecast:
    """Forecast the variance of one session from the volatility index of the evening before.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    implied : Series
        The volatility index in points, by session (`load_vix`).
    position : int
        Position in `returns` of the session; the calibration ends before its calendar quarter.
    after_vix_close : bool
        True where the news came out from 16:00 the day before: the index closes at 16:15 and may
        hold it, so the close of the session before is taken, and the calibration uses the same lag.

    Raises
    ------
    VolatilityError
        If the index has no value on that day, or the optimiser fails.
    HistoryError
        If fewer than 1,000 earlier sessions have a value.
    WindowError
        If `position` lies outside the returns.

    Notes
    -----
    r_t = m + σ_t z_t with z_t Student t of unit variance and log σ_t = a + b log(V_t-1 /
    (100 √252)); m is the mean of the calibration's returns, and a, b, nu maximise the likelihood.
    """
    lag = 2 if after_vix_close else 1
    if not isinstance(position, Integral) or not lag <= position < len(returns):
        raise WindowError(
            f"position={position!r} is not a session of {len(returns):,} returns with {lag} before "
            "it"
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
    quarters = refit_rows(returns.index, 3)
    begun = quarters[quarters <= position]
    fit, note = _in_force(returns.index, returns.to_numpy(float), points, begun, lag)
    return ImpliedForecast(
        sigma=float(fit.sigma(value)),
        index_value=float(value),
        index_session=day,
        note=note,
        **asdict(fit),
    )


def implied_z(returns: pd.Series, implied: pd.Series) -> pd.DataFrame:
    """Return every session's return in units of the σ that the index implied before.

    The columns are `z`, `sigma` and `nu`, as `implied_forecast` has them for each session that has
    an index value the evening before and 1,000 pairs before its quarter; ``.attrs["notes"]`` lists
    what the calibrations have to say, by date. HistoryError if there is no such quarter,
    VolatilityError if no calibration succeeds.
    """
    values, points = returns.to_numpy(float), _on_sessions(returns, implied)
    have = np.r_[0, np.cumsum(np.isfinite(values[1:]) & np.isfinite(points[:-1]))]
    quarters = refit_rows(returns.index, 3)
    ends = np.append(quarters[1:], len(values))
    served = np.flatnonzero(have[np.maximum(quarters - 1, 0)] >= MIN_PAIRS)
    if not len(served):
        raise HistoryError(_too_few(int(have[max(quarters[-1] - 1, 0)])))
    parts: list[pd.DataFrame] = []
    notes = []
    for quarter in served:
        rows = np.arange(quarters[quarter], ends[quarter])
        try:
            fit, note = _in_force(returns.index, values, points, quarters[: quarter + 1], 1)
        except VolatilityError:
            if quarter == served[-1] and not parts:
                raise
            continue
        sigma = fit.sigma(points[rows - 1])
        columns = {"z": (values[rows] - fit.mean) / sigma, "sigma": sigma, "nu": fit.nu}
        parts.append(pd.DataFrame(columns, index=returns.index[rows]).dropna())
        if note:
            notes.append(f"{iso(returns.index[rows[0]])} to {iso(returns.index[rows[-1]])}: {note}")
    frame = pd.concat(parts)
    frame.attrs["notes"] = notes
    return frame


def _in_force(
    index: pd.DatetimeIndex, values: np.ndarray, points: np.ndarray, quarters: np.ndarray, lag: int
) -> tuple[_Calibration, str]:
    """Calibrate at the last of the quarters, or else at the one before; say which."""
    failure = None
    for begin in quarters[::-1]:
        now, before = values[lag:begin], points[: max(begin - lag, 0)]
        use = np.isfinite(now) & np.isfinite(before)
        if use.sum() < MIN_PAIRS:
            break
        try:
            fit = _calibrate(now[use], _log_daily(before[use]))
        except VolatilityError as error:
            failure = failure or error
            continue
        note = f"the calibration of {iso(index[begin])} is kept: {failure}" if failure else ""
        return fit, note
    raise failure or HistoryError(_too_few(int(use.sum())))


def _log_daily(points: np.ndarray) -> np.ndarray:
    return np.log(points / (100 * np.sqrt(252)))


def _on_sessions(returns: pd.Series, implied: pd.Series) -> np.ndarray:
    return on_rows(implied, "implied", returns.index, "points").to_numpy()[:, 0]


def _too_few(n: int) -> str:
    return (
        f"an implied variance needs {MIN_PAIRS:,} earlier sessions with a volatility index and "
        f"there are {n:,}: choose a later event or give a longer index"
    )


@remembered
def _calibrate(returns: np.ndarray, log_index: np.ndarray) -> _Calibration:
    """Fit on pairs of a return and the logarithm of the index before it."""
    check_varies(returns)
    mean, centre = returns.mean(), log_index.mean()
    shocks, index = returns - mean, log_index - centre
    size = np.log(np.median(np.abs(shocks)) / 0.6745)
    for slope, nu in ((1.0, 8.0), (0.5, 4.0), (1.5, 30.0)):
        start = np.array([size, slope, np.log(nu - 2)])
        _, found, left = descend(lambda theta: _loss(theta, shocks, index), start, _LOW, _HIGH)
        level, slope, log_nu = found.tolist()
        if left < 1e-4 and _LOW[1] < slope < _HIGH[1] and log_nu > _LOW[2]:
            nu = 2 + np.exp(log_nu)
            return _Calibration(
                float(mean), float(level - slope * centre), slope, float(nu), len(returns)
            )
    raise VolatilityError(
        f"the volatility index could not be calibrated on {len(returns):,} sessions (slope "
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
    gammaln, psi = scipy.special.gammaln, scipy.special.psi
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(np.pi * spare)
    loss = -constant + np.mean(log_sigma + (nu + 1) / 2 * tail)
    score = 1 - (nu + 1) * square / (spare + square)
    by_nu = (
        0.5 * (psi((nu + 1) / 2) - psi(nu / 2) - 1 / spare)
        - 0.5 * tail.mean()
        + (nu + 1) / 2 * np.mean(square / (spare + square)) / spare
    )
    return loss, np.array([score.mean(), np.mean(score * log_index), -by_nu * spare])
