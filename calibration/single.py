"""One event on one series: the p-value of every test on every session of a real history.

Nothing happened on most sessions, so a test at 5% should reject on 5% of them (Brown and Warner
1985). Variance models are fitted again every quarter, on the returns before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.inference.conditional import equal_tails, simulated_sums, unit_student_p
from impact.inference.tests import student_p
from impact.inference.unconditional import (
    among_cyclic_shifts,
    among_earlier_windows,
    among_residuals,
)
from impact.volatility.forecast import PAST_SESSIONS, Forecast
from impact.volatility.garch import FIT_SESSIONS, VARIANCE_MODELS, VarianceFit, fit_variance
from impact.volatility.vix import implied_z

#: Sessions between two fits of a variance model: a quarter.
REFIT = 63

#: Tested windows, relative sessions; the estimation window of the tests of constant variance.
WINDOWS = ((0, 0), (0, 1), (-1, 1), (0, 5))
ESTIMATION = (-260, -11)

#: Simulated paths of a window of two sessions or more.
PATHS = 2_000

#: Sessions whose spread sorts the sample.
TRAILING = 22


@dataclass(frozen=True, eq=False)
class Outcome:
    """The p-values of one test on one sample.

    Attributes
    ----------
    test, model : str
        Name of the test as in `EventStudy.tests`; its variance model or "".
    window : pair of int
    effect : float
        What was added to the return of session 0, decimal fraction.
    p : ndarray, shape (n,)
        Two-sided; NaN where the test is not available.
    rise : ndarray of bool, shape (n,)
        Whether the window's sum lies above what was expected.
    """

    test: str
    model: str
    window: tuple[int, int]
    effect: float
    p: np.ndarray
    rise: np.ndarray


@dataclass(frozen=True, eq=False)
class Refit:
    """One variance fit and the sessions it serves.

    Attributes
    ----------
    first, last : int
        Rows served, both included: the fit saw only returns before `first`.
    begin : int
        First row of the fitted sample.
    fit : VarianceFit
    sigma : ndarray
        One-step-ahead σ of the rows from `begin` to `last`.
    z : ndarray
        Their standardised returns.
    """

    first: int
    last: int
    begin: int
    fit: VarianceFit
    sigma: np.ndarray
    z: np.ndarray

    def forecast(self, row: int) -> Forecast:
        """Return what `impact.volatility.forecast.variance_forecast` knows on the eve of a row."""
        at = row - self.begin
        past = self.z[max(0, at - PAST_SESSIONS) : at]
        return Forecast(
            float(self.sigma[at]),
            self.fit.mu,
            self.fit.nu,
            past,
            self.fit.model,
            self.fit.note,
            self.fit,
        )


def refits(
    values: np.ndarray, model: str, first: int = FIT_SESSIONS, every: int = REFIT
) -> list[Refit]:
    """Fit a variance model again every so many sessions, from row `first` to the end."""
    found: list[Refit] = []
    for at in range(first, len(values), every):
        begin = at - FIT_SESSIONS
        fit = fit_variance(values[begin:at], model=model)
        block = values[begin : at + every]
        sigma = fit.filter(block)[:-1]
        last = begin + len(block) - 1
        found.append(Refit(at, last, begin, fit, sigma, (block - fit.mu) / sigma))
    return found


def series_z(fits: Sequence[Refit]) -> np.ndarray:
    """Standardised returns of all rows that some fits serve, each known from its eve."""
    return np.concatenate([fit.z[fit.first - fit.begin :] for fit in fits])


def sample_rows(total: int) -> np.ndarray:
    """Rows of session 0 on which every test and every window has what it needs."""
    before, after = (min(start for start, _ in WINDOWS), max(end for _, end in WINDOWS))
    return np.arange(FIT_SESSIONS - before, total - after)


def trailing_volatility(values: np.ndarray) -> np.ndarray:
    """Standard deviation of the 22 returns before each row, shape (T,); NaN at the start."""
    return pd.Series(values).rolling(TRAILING).std().shift(1).to_numpy()


# -- tests that take the variance as constant ----------------------------------------------------


def unconditional_outcomes(
    values: np.ndarray,
    rows: np.ndarray,
    window: tuple[int, int],
    effects: Sequence[float] = (0.0,),
) -> list[Outcome]:
    """Test every row by each of the four tests of constant variance.

    Parameters
    ----------
    values : ndarray, shape (T,)
        Decimal returns.
    rows : ndarray of int, shape (n,)
        Rows of session 0.
    window : pair of int
    effects : sequence of float
        Added to the return of session 0, one at a time.
    """
    return [
        Outcome(name, "", window, effect, *_by_row(test, values, rows, window, effect))
        for name, test in _UNCONDITIONAL.items()
        for effect in effects
    ]


def _by_row(test: Callable, values, rows, window, effect) -> tuple[np.ndarray, np.ndarray]:
    p, rise = np.empty(len(rows)), np.empty(len(rows), dtype=bool)
    for i, row in enumerate(rows):
        estimation = values[row + ESTIMATION[0] : row + ESTIMATION[1] + 1]
        first, k = row + window[0], window[1] - window[0] + 1
        history = values[: first + k]
        if effect:
            history = history.copy()
            history[row] += effect
        p[i] = test(history, estimation, first, k, row)
        rise[i] = (history[first:] - estimation.mean()).sum() > 0
    return p, rise


def _prediction_t(history, estimation, first, k, row) -> float:
    length = len(estimation)
    error = estimation.std(ddof=1) * np.sqrt(k + k**2 / length)
    t = (history[first:].sum() - k * estimation.mean()) / error
    return student_p(t, length - 1, length)["p_value"]


def _sample_quantile(history, estimation, first, k, row) -> float:
    mean = estimation.mean()
    return among_residuals(estimation - mean, history[first:] - mean)["p_value"]


def _conformal(history, estimation, first, k, row) -> float:
    return among_cyclic_shifts(estimation, history[first:])["p_value"]


def _placebo(history, estimation, first, k, row) -> float:
    ends = (ESTIMATION[0] + row - first, ESTIMATION[1] + row - first)
    return among_earlier_windows(history, first, k, estimation=ends)["p_value"]


_UNCONDITIONAL = {
    "prediction_t": _prediction_t,
    "sample_quantile": _sample_quantile,
    "conformal": _conformal,
    "placebo_session": _placebo,
}


# -- tests that know the variance of the eve -----------------------------------------------------


def conditional_outcomes(
    values: np.ndarray,
    fits: Sequence[Refit],
    rows: np.ndarray,
    window: tuple[int, int],
    effects: Sequence[float] = (0.0,),
    *,
    seed: int = 0,
    paths: int = PATHS,
) -> list[Outcome]:
    """Test every row against the variance known on the eve of its window.

    Parameters
    ----------
    values, rows, window, effects
        As for `unconditional_outcomes`.
    fits : sequence of Refit
        Of one variance model; every window begins on a row that one of them serves.
    seed, paths : int
        Of windows of two sessions or more, as in `impact.inference.conditional.conditional_tests`.

    Returns
    -------
    list of Outcome
        "conditional_t" and "conditional_fhs" for each effect.
    """
    k = window[1] - window[0] + 1
    starts = [fit.first for fit in fits]
    p = np.empty((2, len(effects), len(rows)))
    moves = np.empty((len(effects), len(rows)))
    for i, first in enumerate(rows + window[0]):
        known = fits[np.searchsorted(starts, first, side="right") - 1].forecast(first)
        moves[:, i] = (values[first : first + k] - known.mean).sum() + np.asarray(effects)
        p[:, :, i] = _conditional_p(known, moves[:, i], first, k, seed, paths)
    model = fits[0].fit.model
    return [
        Outcome(name, model, window, effect, p[row, column], moves[column] > 0)
        for row, name in enumerate(("conditional_t", "conditional_fhs"))
        for column, effect in enumerate(effects)
    ]


def _conditional_p(known: Forecast, moves: np.ndarray, first: int, k: int, seed: int, paths: int):
    if k == 1:
        sums = known.sigma * known.past_z
        return unit_student_p(moves / known.sigma, known.nu), [equal_tails(sums, x) for x in moves]
    generator = np.random.default_rng([seed, first, first + k - 1])
    sums, student = simulated_sums(known, k, generator, paths)
    return [equal_tails(student, x) for x in moves], [equal_tails(sums, x) for x in moves]


def implied_outcomes(
    returns: pd.Series, implied: pd.Series, rows: np.ndarray, effects: Sequence[float] = (0.0,)
) -> list[Outcome]:
    """Test session 0 of every row against the volatility index of its eve.

    Rows without enough of the index before them have no p.
    """
    found = implied_z(returns, implied).reindex(returns.index[rows])
    z, sigma, nu = (found[name].to_numpy() for name in ("z", "sigma", "nu"))
    shifted = [z + effect / sigma for effect in effects]
    return [
        Outcome("implied_t", "vix", (0, 0), effect, unit_student_p(moved, nu), moved > 0)
        for effect, moved in zip(effects, shifted, strict=True)
    ]


#: Variance models whose conditional tests are calibrated.
MODELS = VARIANCE_MODELS
