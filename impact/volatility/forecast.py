"""The variance of the next session as it was known the evening before.

Parameters are fitted on returns that end before the event window and never see later ones; the
variance itself is then filtered on all returns up to the eve. All numbers are decimal fractions.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import HistoryError, VolatilityError, WindowError
from impact.text.formats import iso
from impact.volatility.garch import (
    FIT_SESSIONS,
    MIN_SESSIONS,
    VARIANCE_MODELS,
    VarianceFit,
    check_finite,
    check_model,
    fit_variance,
)

__all__ = [
    "VARIANCE_MODELS",
    "Forecast",
    "VarianceFit",
    "conditional_z",
    "fit_variance",
    "variance_forecast",
]

#: Past standardised innovations that an event is ranked among or simulated from.
PAST_SESSIONS = 1_000


@dataclass(frozen=True, eq=False)
class Forecast:
    """What was known on the eve of a session about its variance.

    Attributes
    ----------
    sigma : float
        Standard deviation of the next session's return, decimal fraction.
    mean : float
        Its mean: the fitted constant.
    nu : float
        Degrees of freedom of the Student t.
    past_z : ndarray, shape (m,)
        The last 1,000 standardised innovations up to the eve (fewer where there are fewer).
    model, note : str
    fit : VarianceFit
    """

    sigma: float
    mean: float
    nu: float
    past_z: np.ndarray
    model: str
    note: str
    fit: VarianceFit


def variance_forecast(
    returns: pd.Series | np.ndarray, fit_end: int, eve: int, *, model: str = "gjr"
) -> Forecast:
    """Forecast the variance of session ``eve + 1`` from what was known on the eve.

    Parameters
    ----------
    returns : Series or ndarray, shape (T,)
        Decimal returns, by position.
    fit_end : int
        Parameters are fitted on the last 2,000 of ``returns[:fit_end]``; with `fit_end` the first
        session of the event window they see nothing of it.
    eve : int
        Position of the eve: the variance is filtered on returns up to and including this one.
    model : {"gjr", "garch", "ewma"}

    Raises
    ------
    WindowError
        If `fit_end` lies after the eve's next session, or the eve outside the returns.
    HistoryError, ReturnsError, VolatilityError
        As `fit_variance`.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(0).standard_t(6, 1_500)
    >>> known = variance_forecast(returns, 1_400, 1_404)
    >>> len(known.past_z), 0.005 < known.sigma < 0.02
    (1000, True)
    """
    values = np.asarray(returns, float)
    if not 0 <= fit_end <= eve + 1 <= len(values):
        raise WindowError(
            f"fit_end={fit_end} and eve={eve} do not fit {len(values):,} returns: "
            "0 <= fit_end <= eve + 1 <= their number"
        )
    fit = fit_variance(values[:fit_end], model=model)
    seen = values[fit_end - fit.n : eve + 1]
    check_finite(seen)
    sigma = fit.filter(seen)
    z = ((seen - fit.mu) / sigma[:-1])[-PAST_SESSIONS:]
    return Forecast(float(sigma[-1]), fit.mu, fit.nu, z, model, fit.note, fit)


def conditional_z(
    returns: pd.Series, *, model: str = "gjr", refit: int = 21, progress: bool = False
) -> pd.DataFrame:
    """Return every session's return in units of the σ known the evening before.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session, none missing.
    model : {"gjr", "garch", "ewma"}
    refit : int
        Sessions between two fits; each sees the (up to) 2,000 returns before it, none after.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        Columns `z` = (r - mu) / σ, `sigma`, `nu`, for every session after the first 1,000
        ("ewma": 250). ``.attrs["notes"]`` lists what the fits have to say, by date.

    Raises
    ------
    HistoryError, ReturnsError, VolatilityError
        As `fit_variance`; a failed fit names its session.

    Examples
    --------
    >>> days = pd.bdate_range("2020-01-01", periods=300, name="date")
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_t(6, 300), days)
    >>> conditional_z(returns, model="ewma").shape
    (50, 3)
    """
    check_model(model)
    if not isinstance(refit, int | np.integer) or refit < 1:
        raise VolatilityError(f"refit={refit!r} is not a number of sessions: give 1 or more")
    values = returns.to_numpy(float)
    check_finite(values)
    first = MIN_SESSIONS[model]
    if len(values) <= first:
        raise HistoryError(
            f"conditional z with {model!r} starts after {first:,} returns and there are "
            f"{len(values):,}: give a longer history"
        )
    columns, notes = _z_series(values.tobytes(), model, int(refit), progress)
    frame = pd.DataFrame(columns.copy(), returns.index[first:], ["z", "sigma", "nu"])
    frame.attrs["notes"] = [f"{iso(returns.index[at])}: {note}" for at, note in notes]
    return frame


# Several figures and tests need the same series within one process.
@functools.lru_cache(maxsize=16)
def _z_series(
    returns: bytes, model: str, refit: int, progress: bool
) -> tuple[np.ndarray, tuple[tuple[int, str], ...]]:
    values = np.frombuffer(returns)
    first = MIN_SESSIONS[model]
    columns = np.empty((len(values) - first, 3))
    notes, fit = [], None
    for at in _with_bar(range(first, len(values), refit), progress):
        begin = max(0, at - FIT_SESSIONS)
        try:
            fit = fit_variance(values[begin:at], model=model, near=fit)
        except VolatilityError as error:
            raise VolatilityError(f"before return number {at + 1:,}: {error}") from error
        if fit.note:
            notes.append((at, fit.note))
        block = values[begin : at + refit]
        sigma = fit.filter(block)[at - begin : -1]
        z = (values[at : at + refit] - fit.mu) / sigma
        columns[at - first : at - first + len(z)] = np.column_stack(
            [z, sigma, np.full(len(z), fit.nu)]
        )
    return columns, tuple(notes)


def _with_bar(steps: range, progress: bool) -> Iterable[int]:
    if not progress:
        return steps
    from tqdm.auto import tqdm

    return tqdm(steps, desc="conditional variance", unit="fit")
