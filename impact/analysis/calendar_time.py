"""Calendar-time portfolios: hold every security that had an event of late, session by session.

The mean return of the securities with a recent event is one series, so their correlation is in
its variance: the answer to overlapping firm events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from impact.analysis.coefficients import (
    Coefficients,
    coefficients,
    has_usable_size,
    is_collinear,
    is_fitted_alone,
)
from impact.errors import InferenceError, ModelError, ReturnsError
from impact.estimation.models import design
from impact.estimation.observations import Units, form_units
from impact.estimation.spans import read_spans
from impact.market.calendar import market_of
from impact.market.returns import check_returns, split_like
from impact.market.windows import Window, as_window
from impact.news.alignment import align
from impact.news.security_names import with_securities
from impact.study.arguments import whole
from impact.text.formats import counted, iso, list_of, number, some_of
from impact.text.result import count_left_out, left_out, signed

#: So many securities are named in a note.
_NAMED = 3

#: How the errors may be computed.
COVARIANCES = ("newey-west", "HC1", "HC3")


@dataclass(frozen=True, eq=False, repr=False)
class CalendarTimePortfolio(Coefficients):
    """The portfolio of securities with a recent event, and its regression.

    Attributes
    ----------
    table : DataFrame
        Index "alpha" and the factors; `estimate`, `std_error`, `statistic`, `p_value`, `ci_low`,
        `ci_high` (95%), from t(n - K). `alpha` is the mean abnormal return a session.
    dropped : DataFrame
        event, security, reason.
    signature : str
    nobs, dof : int
    rsquared : float
        Sessions held; these less the coefficients.
    returns : Series
        Equal-weighted mean return (in excess of the risk-free rate, if one was given) of each
        session that holds enough securities, decimal fractions.
    members : Series of int
        Securities held in each session of the returns.
    window : Window
        Sessions after its event for which a security is held.
    covariance : str
        How the errors were computed, in words.
    notes : tuple of str
        How the events were read, in sentences.
    """

    rsquared: float
    returns: pd.Series
    members: pd.Series
    window: Window
    covariance: str
    notes: tuple[str, ...] = ()

    def _title(self) -> str:
        return f"Calendar-time portfolio, held in sessions {self.window} after an event"

    def _notes(self) -> tuple[str, ...]:
        alpha = number(1e4 * self.params["alpha"], 1, signed=True)
        held = counted(self.nobs, "session")
        alpha = f"Alpha: {alpha} basis points a session; {self.covariance}, {held}, "
        alpha += f"R² {number(self.rsquared)}."
        return alpha, *self.notes


def calendar_time_portfolio(
    returns: pd.DataFrame,
    events: Any,
    *,
    window: tuple[int, int] = (1, 20),
    factors: pd.DataFrame | None = None,
    risk_free: pd.Series | None = None,
    covariance: str = "newey-west",
    lags: int | None = None,
    min_securities: int = 1,
) -> CalendarTimePortfolio:
    """Regress the mean return of the securities with a recent event on a constant or factors.

    Parameters
    ----------
    returns : DataFrame, shape (T, N)
        Decimal returns by session, NaN where missing. A return that spans several sessions is
        left out: the portfolio has one a session.
    events : DataFrame, Series, dict or list
        As in `event_study`; an event without `security` applies to every column.
    window : pair of int
        Relative sessions in which a security is held, both included; with several events it is
        held once.
    factors : DataFrame, optional
        Factor returns by session; without them alpha is the mean return.
    risk_free : Series, optional
        Taken off the portfolio; needs `factors`.
    covariance : {"newey-west", "HC1", "HC3"}
        Errors robust to autocorrelation, or to heteroscedasticity alone. Sessions without a
        portfolio are closed up.
    lags : int, optional
        Of Newey-West; the whole part of 4 (n/100)^(2/9) by default.
    min_securities : int
        Sessions that hold fewer are left out.

    Returns
    -------
    CalendarTimePortfolio

    Raises
    ------
    InferenceError
        If fewer sessions are held than the regression needs, or an option is unknown.
    ModelError
        If a factor is missing in a session that is held, or factors are collinear there.
    ReturnsError
        If the returns are no table of securities; else, as EventError, DateError and
        WindowError, as in `event_study`.

    References
    ----------
    Jaffe (1974), J. of Business 47; Mandelker (1974), J. Financial Economics 1; Fama (1998),
    J. Financial Economics 49; Newey and West (1987), Econometrica 55.

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> events = pd.DataFrame({"session": sectors.index[[50, 60]], "security": sectors.columns[:2]})
    >>> found = calendar_time_portfolio(sectors, events, window=(0, 19))
    >>> found.nobs, int(found.members.max())
    (30, 2)
    """
    held_in = as_window(window)
    if isinstance(returns, pd.Series):
        raise ReturnsError(
            "calendar_time_portfolio takes a table of returns, one column a security: use "
            "returns.to_frame()"
        )
    returns = check_returns(returns)
    if covariance not in COVARIANCES:
        known = list_of(map(repr, COVARIANCES), "or")
        raise InferenceError(f"covariance={covariance!r} is not known: say {known}")
    model = "constant-mean" if factors is None else "factors"
    kind = returns.attrs.get("returns")
    layout = design(model, returns.index, factors=factors, risk_free=risk_free, kind=kind)
    aligned = with_securities(align(events, returns.index), returns.columns)
    # Sessions 0 alone have to lie in the returns: a portfolio is held as long as they last.
    units = form_units(aligned, returns, Window(0, 0), Window(0, 0))
    values, held = returns.to_numpy(float), _held(units, returns.shape, held_in)
    notes = aligned.attrs.get("notes", ())
    if (spans := read_spans(returns, market_of(returns.index))) is not None:
        long = spans.sessions.T > 1
        notes = (*notes, *_said_of_spans(held & long & ~np.isnan(values), returns.columns))
        values = np.where(long, np.nan, values)
    held &= ~np.isnan(values)
    split = split_like(returns.where(held), kind or "log")
    notes = (*notes, *([split] if split else []))
    members = held.sum(axis=1)
    use = members >= whole("min_securities", min_securities, 1)
    mean = np.where(held, values, 0.0).sum(axis=1)[use] / members[use]
    if layout.subtracted is not None:
        mean = mean - layout.subtracted[use]
    regressors = np.column_stack([np.ones(use.sum()), layout.regressors[:, use].T])
    index = returns.index[use]
    _check_sessions(len(index), regressors.shape[1], units.dropped)
    _check_regressors(index, np.column_stack([mean, regressors]), layout.names)
    fitted, words = _fit(mean, regressors, covariance, lags)
    names = pd.Index(["alpha", *layout.names], name="coefficient")
    return CalendarTimePortfolio(
        table=coefficients(fitted.params, fitted.bse, fitted.df_resid, names),
        dropped=count_left_out(units.dropped, len(aligned) - len(units.dropped)),
        signature=signed(
            f"mean return on {list_of(['a constant', *layout.names])}",
            f"window {held_in}",
            counted(len(units.table), "unit"),
            f"{counted(len(mean), 'session')} from {iso(index[0])} to {iso(index[-1])}",
            words,
            prices=returns,
            events=[aligned],
        ),
        nobs=len(mean),
        dof=int(fitted.df_resid),
        rsquared=max(float(fitted.rsquared), 0.0),
        returns=pd.Series(mean, index, name="portfolio"),
        members=pd.Series(members, returns.index, name="members"),
        window=held_in,
        covariance=words,
        notes=notes,
    )


def _held(units: Units, shape: tuple[int, int], window: Window) -> np.ndarray:
    """Which securities are held in which sessions."""
    # An event enters at its first session and leaves after its last; its running sum is held.
    sessions, securities = shape
    change = np.zeros((sessions + 1, securities), dtype=int)
    pairs = units.pairs
    first = np.clip(pairs.position + window.start, 0, sessions)
    last = np.clip(pairs.position + window.end + 1, 0, sessions)
    np.add.at(change, (first, pairs.column), 1)
    np.add.at(change, (last, pairs.column), -1)
    return np.cumsum(change[:-1], axis=0) > 0


def _said_of_spans(long: np.ndarray, columns: pd.Index) -> list[str]:
    """Say which securities are held in a return across several sessions, which is left out."""
    if not long.any():
        return []
    names = columns[long.any(axis=0)]
    some = some_of([str(name) for name in names[:_NAMED]], len(names))
    return [f"Left out: {counted(int(long.sum()), 'return')} across several sessions, of {some}."]


def _check_sessions(sessions: int, columns: int, dropped: pd.DataFrame) -> None:
    if sessions <= columns:
        raise InferenceError(
            f"the portfolio holds securities in {counted(sessions, 'session')}, too few for "
            f"{counted(columns, 'coefficient')}: bring more events or a longer window. "
            f"{left_out(dropped)}".rstrip()
        )


def _check_regressors(index: pd.DatetimeIndex, values: np.ndarray, names: Sequence[str]) -> None:
    for name, column in zip(("portfolio or risk-free rate", "", *names), values.T, strict=True):
        if not np.isfinite(column).all():
            day = iso(index[~np.isfinite(column)][0])
            raise ModelError(f"{name} has no value on {day}, a session that is held: fill it")
        if not has_usable_size(column):
            raise ModelError(f"{name} is too large or small: correct or scale it")
    if is_collinear(values[:, 1:]):
        raise ModelError("the factors are collinear or constant in the sessions that are held")


def _fit(
    mean: np.ndarray, regressors: np.ndarray, covariance: str, lags: int | None
) -> tuple[Any, str]:
    """The statsmodels fit, and its errors in words."""
    import statsmodels.api as sm

    model = sm.OLS(mean, regressors)
    if covariance == "HC3" and is_fitted_alone(regressors).any():
        raise InferenceError(
            "HC3 is not valid: a factor fits one session alone, so its residual is zero; use "
            "covariance='newey-west'"
        )
    if covariance != "newey-west":
        if lags is not None:
            raise InferenceError(f"lags={lags} has no effect on covariance={covariance!r}: drop it")
        return model.fit(cov_type=covariance, use_t=True), f"{covariance} errors"
    lags = int(4 * (len(mean) / 100) ** (2 / 9)) if lags is None else whole("lags", lags, 0)
    if lags >= len(mean):
        raise InferenceError(f"lags={lags} does not fit {counted(len(mean), 'session')}")
    options = {"maxlags": lags, "use_correction": True}
    fitted = model.fit(cov_type="HAC", cov_kwds=options, use_t=True)
    return fitted, f"Newey-West errors with {counted(lags, 'lag')}"
