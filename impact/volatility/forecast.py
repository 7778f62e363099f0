"""The variance of the next session as it was known the evening before.

One rule for a single session and for a whole series: parameters are fitted again at the first
session of each month on returns before it, and the variance is filtered on all returns up to the
evening before. All numbers are decimal fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from numbers import Integral

import numpy as np
import pandas as pd

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.market.returns import TRADE_TO_TRADE
from impact.text.formats import iso
from impact.text.progress import with_bar
from impact.volatility.fitting import refit_rows
from impact.volatility.garch import (
    DECAY,
    FIT_SESSIONS,
    MIN_SESSIONS,
    VarianceFit,
    check_finite,
    check_model,
    fit_variance,
)
from impact.volatility.kept import kept

#: Past standardised innovations that an event is ranked among or simulated from.
PAST_SESSIONS = 1_000

#: The name by which notes say that the variance is an exponentially weighted average.
EWMA = f"EWMA {DECAY}"


@dataclass(frozen=True, eq=False)
class Forecast:
    """What was known the evening before a session about its variance.

    Attributes
    ----------
    sigma : float
        Standard deviation of the session's return, decimal fraction.
    mean : float
        Its mean: the fitted constant.
    nu : float
        Degrees of freedom of the Student t.
    past_z : ndarray, shape (m,)
        The last 1,000 standardised innovations before it (fewer where there are fewer).
    model : {"gjr", "garch", "ewma"}
        The model that was fitted: "ewma" where the history is too short for another.
    note : str
        What a reader should know about the fit, or "".
    fit : VarianceFit
    """

    sigma: float
    mean: float
    nu: float
    past_z: np.ndarray
    model: str
    note: str
    fit: VarianceFit


@dataclass(frozen=True, eq=False)
class Refit:
    """The parameters of one month and what they make of the returns.

    Attributes
    ----------
    begin, first : int
        First row of the returns that is filtered, and first row that these parameters serve.
    sigma, z : ndarray, shapes (n + 1,) and (n,)
        One-step-ahead σ and standardised return of the rows from `begin`; the last σ is that of
        the session after them.
    """

    begin: int
    first: int
    fit: VarianceFit
    note: str
    sigma: np.ndarray
    z: np.ndarray

    @property
    def served(self) -> slice:
        """Where the rows that are served stand in `sigma` and `z`."""
        return slice(self.first - self.begin, len(self.z))

    def forecast(self, row: int) -> Forecast:
        """Return what was known the evening before a row that is served."""
        at = row - self.begin
        past = self.z[:at]
        past = past[np.isfinite(past)][-PAST_SESSIONS:]
        fit = self.fit
        return Forecast(float(self.sigma[at]), fit.mu, fit.nu, past, fit.model, self.note, fit)


def variance_forecast(returns: pd.Series, position: int, *, model: str = "gjr") -> Forecast:
    """Forecast the variance of one session from what was known the evening before.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session. The months of the refits are those of its dates. NaN is
        allowed where ``attrs["gaps"]`` says "trade-to-trade": the next return is then that of
        all sessions since the last price.
    position : int
        Position of the session; its own return and later ones are not looked at.
    model : {"gjr", "garch", "ewma"}

    Returns
    -------
    Forecast
        With the parameters and the σ of the session's row of `conditional_z`.

    Raises
    ------
    WindowError
        If the position lies outside the returns.
    HistoryError
        If fewer than 250 returns came before the session's month.
    ReturnsError
        If the returns are no series by session, or one that is needed is missing.
    VolatilityError
        If no fit up to that month succeeded.

    Notes
    -----
    The parameters are fitted at the first session of the month, on the last 2,000 of the returns
    before it. With 250 to 999 of them EWMA 0.94 takes the place of a GARCH model; a fit that
    fails leaves the parameters of the month before in force. `note` says either.

    Examples
    --------
    >>> days = pd.bdate_range("2020-01-01", periods=1_500, name="date")
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_t(6, 1_500), days)
    >>> known = variance_forecast(returns, 1_404)
    >>> known.model, len(known.past_z), 0.005 < known.sigma < 0.02
    ('gjr', 1000, True)
    """
    check_model(model)
    values, months = _by_month(returns)
    if not isinstance(position, Integral) or not 0 <= position < len(values):
        raise WindowError(f"position={position!r} is not a row of the {len(values):,} returns")
    begun = months[months <= position]
    gaps = returns.attrs.get("gaps") == TRADE_TO_TRADE
    return _refit(returns.index, values, begun, position, model, gaps).forecast(position)


def refits(
    returns: pd.Series,
    *,
    model: str = "gjr",
    since: str | pd.Timestamp | None = None,
) -> list[Refit]:
    """Fit the variance at the first session of each month, as `variance_forecast` does.

    There is one a month, from the first that begins after 1,000 returns ("ewma": 250) and has a
    fit; months that end before `since` are left out. HistoryError if no month begins after so many
    returns, ReturnsError if one is missing, VolatilityError if no fit succeeds.
    """
    check_model(model)
    values, months = _by_month(returns)
    check_finite(values)
    ends = np.append(months[1:], len(values))
    least = MIN_SESSIONS[model]
    wanted = 0 if since is None else returns.index.searchsorted(pd.Timestamp(since))
    served = np.flatnonzero((months >= least) & (ends > wanted))
    if not len(served):
        raise HistoryError(
            f"conditional z with {model!r} starts in a month with {least:,} returns before it, "
            f"and there are {len(values):,}: give a longer history"
        )
    found: list[Refit] = []
    for month in with_bar(served, "conditional variance"):
        try:
            found.append(_refit(returns.index, values, months[: month + 1], ends[month], model))
        except VolatilityError:
            if month == served[-1]:
                raise
    return found


@kept
def conditional_z(
    returns: pd.Series,
    *,
    model: str = "gjr",
    since: str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return every session's return in units of the σ known the evening before.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session, none missing.
    model : {"gjr", "garch", "ewma"}
    since : str or Timestamp, optional
        Months that end before this date are left out.

    Returns
    -------
    DataFrame
        Columns `z` = (r - mu) / σ, `sigma`, `nu`, for every session from the first month that
        begins after 1,000 returns ("ewma": 250) and has a fit. ``.attrs["notes"]`` lists what the
        fits have to say, by date.

    Raises
    ------
    HistoryError
        If no month begins after so many returns.
    ReturnsError
        If the returns are no series by session, or one is missing.
    VolatilityError
        If no fit succeeds.

    Examples
    --------
    >>> days = pd.bdate_range("2020-01-01", periods=300, name="date")
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_t(6, 300), days)
    >>> conditional_z(returns, model="ewma").shape
    (38, 3)
    """
    months = refits(returns, model=model, since=since)
    z = [month.z[month.served] for month in months]
    sessions = [len(part) for part in z]
    frame = pd.DataFrame(
        {
            "z": np.concatenate(z),
            "sigma": np.concatenate([month.sigma[month.served] for month in months]),
            "nu": np.repeat([month.fit.nu for month in months], sessions),
        },
        returns.index[months[0].first :],
    )
    frame.attrs["notes"] = _notes(returns.index, months)
    return frame


def _notes(index: pd.DatetimeIndex, months: list[Refit]) -> list[str]:
    """Notes of the months, each once for months in a row that say the same."""
    found = []
    for note, run in groupby(months, key=lambda month: month.note):
        same = list(run)
        if note:
            last = index[same[-1].begin + len(same[-1].z) - 1]
            found.append(f"{iso(index[same[0].first])} to {iso(last)}: {note}")
    return found


def _by_month(returns: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Values, and the row of the first session of each month."""
    if not isinstance(returns, pd.Series):
        raise ReturnsError(
            f"the variance is refitted every month, so the returns must be a Series by session, "
            f"not {type(returns).__name__}"
        )
    return returns.to_numpy(float), refit_rows(returns.index, 1)


def _refit(
    index: pd.DatetimeIndex,
    values: np.ndarray,
    months: np.ndarray,
    end: int,
    model: str,
    gaps: bool = False,
) -> Refit:
    """Fit at the last of the months, or else at the one before, and filter up to a row."""
    failure = None
    for first in months[::-1]:
        begin = max(first - FIT_SESSIONS, 0)
        past = by_session(values[begin:first]) if gaps else values[begin:first]
        fitted = model if len(past) >= MIN_SESSIONS[model] else "ewma"
        if len(past) < MIN_SESSIONS[fitted]:
            break
        try:
            fit = fit_variance(past, model=fitted)
        except VolatilityError as error:
            failure = failure or error
            continue
        notes = [fit.note]
        if failure is not None:
            kept = f" ({EWMA})" if fitted != model else ""
            notes.append(f"the parameters of {iso(index[first])}{kept} are kept: {failure}")
        elif fitted != model:
            notes.append(
                f"fewer than {MIN_SESSIONS[model]:,} returns came before the month, so the "
                f"variance is an exponentially weighted average ({EWMA}), not a GARCH model"
            )
        if not gaps:
            check_finite(values[begin:end])
        sigma, z = fit.standardise(values[begin:end])
        note = "; ".join(filter(None, notes))
        return Refit(begin, int(months[-1]), fit, note, sigma, z)
    raise failure or HistoryError(
        f"a variance forecast needs {MIN_SESSIONS['ewma']} returns before the month of "
        f"{iso(index[months[-1]])} and there are {months[-1]:,}: give a longer history"
    )


def by_session(values: np.ndarray) -> np.ndarray:
    """Close gaps up; the move across k sessions is divided by √k, to be of the size of one's.

    A gap that the first row lies in goes with the move that ends it.

    Examples
    --------
    >>> by_session(np.array([0.01, np.nan, np.nan, np.nan, 0.04]))
    array([0.01, 0.02])
    """
    there = np.flatnonzero(np.isfinite(values))
    sizes = values[there] / np.sqrt(np.diff(there, prepend=-1))
    return sizes[np.isnan(values[:1]).sum() :]
