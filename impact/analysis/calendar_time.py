"""Calendar-time portfolios: hold every security that had an event of late, session by session.

The mean return of the securities with a recent event is one series, so their correlation is in
its variance: the answer to overlapping firm events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import InferenceError, ModelError
from impact.estimation.models import design
from impact.market.returns import check_returns
from impact.market.windows import Window, as_window
from impact.news.alignment import align
from impact.news.events import as_events
from impact.text.formats import counted, iso, number, p_value

#: How the errors may be computed.
COVARIANCES = ("newey-west", "HC1", "HC3")


@dataclass(frozen=True, eq=False, repr=False)
class CalendarTimePortfolio:
    """The portfolio of securities with a recent event, and its regression.

    Attributes
    ----------
    returns : Series
        Equal-weighted mean return (in excess of the risk-free rate, if one was given) of each
        session that holds enough securities, decimal fractions.
    members : Series of int
        Securities held in each session of the returns.
    coefficients : DataFrame
        Index "alpha" and the factors; `estimate`, `std_error`, `statistic`, `p_value`, `ci_low`,
        `ci_high` (95%), from t(n - K). `alpha` is the mean abnormal return a session.
    n, dof : int
        Sessions held; n less the coefficients.
    window : Window
        Sessions after its event for which a security is held.
    covariance : str
        How the errors were computed, in words.
    dropped : DataFrame
        event, reason.
    """

    returns: pd.Series
    members: pd.Series
    coefficients: pd.DataFrame
    n: int
    dof: int
    window: Window
    covariance: str
    dropped: pd.DataFrame

    def __repr__(self) -> str:
        alpha = self.coefficients.loc["alpha"]
        return (
            f"CalendarTimePortfolio: alpha {number(1e4 * alpha['estimate'], 1, signed=True)} basis "
            f"points a session ({number(1e4 * alpha['std_error'], 1)}), p = "
            f"{p_value(alpha['p_value'])}; sessions {self.window} after an event, "
            f"{counted(self.n, 'session')}, {self.covariance}"
        )


def calendar_time_portfolio(
    returns: pd.DataFrame,
    events,
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
        Decimal returns by session, NaN where missing.
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
    ReturnsError, EventError, DateError, WindowError
        As in `event_study`.

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
    >>> found.n, int(found.members.max())
    (30, 2)
    """
    window = as_window(window)
    returns = check_returns(returns)
    if covariance not in COVARIANCES:
        known = " or ".join(map(repr, COVARIANCES))
        raise InferenceError(f"covariance={covariance!r} is not known: say {known}")
    model = "constant-mean" if factors is None else "factors"
    kind = returns.attrs.get("returns")
    layout = design(model, returns.index, factors=factors, risk_free=risk_free, kind=kind)
    held, dropped = _held(returns, events, window)
    values = returns.to_numpy(float)
    held &= ~np.isnan(values)
    members = held.sum(axis=1)
    use = members >= max(min_securities, 1)
    mean = np.where(held, values, 0.0).sum(axis=1)[use] / members[use]
    if layout.subtracted is not None:
        mean = mean - layout.subtracted[use]
    regressors = np.column_stack([np.ones(use.sum()), layout.regressors[:, use].T])
    index = returns.index[use]
    _check_regression(index, np.column_stack([mean, regressors]), layout.names)
    fitted, words = _fit(mean, regressors, covariance, lags)
    low, high = fitted.conf_int().T
    coefficients = pd.DataFrame(
        {
            "estimate": fitted.params,
            "std_error": fitted.bse,
            "statistic": fitted.tvalues,
            "p_value": fitted.pvalues,
            "ci_low": low,
            "ci_high": high,
        },
        index=pd.Index(["alpha", *layout.names], name="coefficient"),
    )
    return CalendarTimePortfolio(
        pd.Series(mean, index, name="portfolio"),
        pd.Series(members, returns.index, name="members"),
        coefficients,
        len(mean),
        int(fitted.df_resid),
        window,
        words,
        dropped,
    )


def _held(returns: pd.DataFrame, events, window: Window) -> tuple[np.ndarray, pd.DataFrame]:
    """Which securities are held in which sessions, and the events that could not be used."""
    aligned = align(as_events(events), returns.index)
    reasons = aligned["dropped"].to_numpy(object)
    columns = returns.columns.astype(str)
    if "security" in aligned:
        named = aligned["security"].fillna("").to_numpy(object)
    else:
        named = np.full(len(aligned), "", dtype=object)
    unknown = (named != "") & (columns.get_indexer(named) < 0) & (reasons == "")
    for i in np.flatnonzero(unknown):
        reasons[i] = f"security {named[i]!r} is not a column of the returns"
    good = reasons == ""
    dropped = pd.DataFrame({"event": aligned.index[~good], "reason": reasons[~good]}).astype("str")
    row = returns.index.get_indexer(pd.DatetimeIndex(aligned["session"][good]))
    column = columns.get_indexer(named[good])
    # An event enters at its first session and leaves after its last; its running sum is held.
    change = np.zeros((len(returns) + 1, len(columns)), dtype=int)
    first = np.clip(row + window.start, 0, len(returns))
    last = np.clip(row + window.end + 1, 0, len(returns))
    every = column < 0
    np.add.at(change, (first[~every], column[~every]), 1)
    np.add.at(change, (last[~every], column[~every]), -1)
    np.add.at(change, first[every], 1)
    np.add.at(change, last[every], -1)
    return np.cumsum(change[:-1], axis=0) > 0, dropped


def _check_regression(index: pd.DatetimeIndex, values: np.ndarray, names: Sequence[str]) -> None:
    sessions, columns = values.shape
    if sessions <= columns:
        raise InferenceError(
            f"the portfolio holds securities in {counted(sessions, 'session')}, too few for "
            f"{counted(columns - 1, 'coefficient')}: bring more events or a longer window"
        )
    for name, column in zip(("portfolio or risk-free rate", "", *names), values.T, strict=True):
        if not np.isfinite(column).all():
            day = iso(index[~np.isfinite(column)][0])
            raise ModelError(f"{name} has no value on {day}, a session that is held: fill it")
    scaled = values[:, 1:] / np.fmax(np.linalg.norm(values[:, 1:], axis=0), np.finfo(float).tiny)
    if np.linalg.matrix_rank(scaled, tol=1e-8) < columns - 1:
        raise ModelError("the factors are collinear or constant in the sessions that are held")


def _fit(mean: np.ndarray, regressors: np.ndarray, covariance: str, lags: int | None):
    import statsmodels.api as sm

    model = sm.OLS(mean, regressors)
    if covariance != "newey-west":
        return model.fit(cov_type=covariance, use_t=True), f"{covariance} errors"
    lags = int(4 * (len(mean) / 100) ** (2 / 9)) if lags is None else lags
    if not 0 <= lags < len(mean):
        raise InferenceError(f"lags={lags} does not fit {counted(len(mean), 'session')}")
    options = {"maxlags": lags, "use_correction": True}
    fitted = model.fit(cov_type="HAC", cov_kwds=options, use_t=True)
    return fitted, f"Newey-West errors with {counted(lags, 'lag')}"
