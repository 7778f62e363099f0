"""event_regression(): events whose windows overlap, estimated in one equation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from impact.errors import HistoryError, InferenceError, ModelError, ReturnsError
from impact.market.checks import on_rows
from impact.market.instants import parse_announced_at
from impact.market.returns import check_returns
from impact.market.windows import Window, as_window
from impact.news.alignment import align
from impact.news.events import as_events
from impact.text.formats import counted, iso, list_of
from impact.volatility.forecast import conditional_z

#: Robust standard errors of a dummy rest on its own sessions; below this many they are refused
#: (one session) or get few degrees of freedom.
FEW_SESSIONS = 20


@dataclass(frozen=True, eq=False)
class EventRegression:
    """One regression of the returns on the event windows of all events.

    Attributes
    ----------
    table : DataFrame
        Index = first id of each dummy: `announcements` (all ids merged into it), `sessions`,
        `estimate` (cumulated effect over the window, decimal), `std_error`, `statistic`,
        `p_value`, `ci_low`, `ci_high` (95%), and the same from weighted least squares with the
        suffix ``_conditional``.
    dropped : DataFrame
        event, reason.
    ols, weighted : statsmodels results
        The regressions underneath; coefficients there are per session.
    window : Window
    signature : str
        What it was computed with.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    ols: Any
    weighted: Any
    window: Window
    signature: str

    def __repr__(self) -> str:
        return (
            f"EventRegression: {counted(len(self.table), 'dummy', 'dummies')} over "
            f"{counted(int(self.ols.nobs), 'session')}, window {self.window}, "
            f"{len(self.dropped)} dropped"
        )

    def summary(self):
        """Return the effects of the events in the look of a journal."""
        from impact.text.table import KNOWN, Column, Table

        shown = (KNOWN["std_error"], KNOWN["statistic"], KNOWN["p_value"])
        columns = [
            KNOWN["event"],
            Column("sessions", "sessions"),
            KNOWN["estimate"],
            *(replace(column, group="classical") for column in shown),
        ]
        if self.weighted is not None:
            columns += [
                replace(column, name=f"{column.name}_conditional", group="conditional")
                for column in (KNOWN["estimate"], *shown)
            ]
        notes = ("Conditional: weighted least squares by the variance known on the eve.",)
        return Table(
            self.table.reset_index(),
            "Effects of the events, estimated jointly",
            tuple(columns),
            notes if self.weighted is not None else (),
            self.signature,
        )

    def plot(self):
        """Draw each effect with its 95% interval."""
        from impact.charts.groups import regression_effects

        return regression_effects(self)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def event_regression(
    returns: pd.Series,
    events,
    *,
    window: tuple[int, int] = (0, 0),
    controls: pd.DataFrame | None = None,
    volatility: str | None = "gjr",
    since: str | pd.Timestamp | None = None,
    covariance: str = "classical",
) -> EventRegression:
    """Estimate all events jointly: R_t = α + Σ β_k D_kt + γ'C_t + ε_t.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    events
        As in `event_study`.
    window : pair of int
        Sessions of each event's dummy, relative to its reaction session, both included.
    controls : DataFrame, optional
        Regressors by session, for every session of the sample.
    volatility : {"gjr", "garch", "ewma"} or None
        Variance model of the weights 1/σ²_t; σ comes from the returns with the events in, never
        from residuals of this regression. None leaves the weighted regression out.
    since : str or Timestamp, optional
        First session of the regression; earlier returns only feed the variance.
    covariance : {"classical", "HC3"}
        Of the unweighted regression. HC3 is refused where a dummy has one session, whose
        residual is zero; with fewer than 20 its t has m - 1 degrees of freedom.

    Returns
    -------
    EventRegression

    Raises
    ------
    ReturnsError, ModelError, InferenceError, DateError, HistoryError
        Controls with gaps, HC3 on one-session dummies, no event in the sample, a date that cannot
        be read or lies after the returns, events before the conditional variance starts.

    Notes
    -----
    Announcements whose dummies are the same column are merged into one row that names them all.
    With one dummy for a window of k sessions the
    cumulated effect is k β_k, and its classical t pools the variance inside the windows; it
    equals the exact prediction t of `event_study` for k = 1.

    References
    ----------
    Binder (1985), On the use of the multivariate regression model in event studies.
    MacKinnon and White (1985) for HC3.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> joint = event_regression(returns, ["2025-04-03", "2025-04-04"], window=(0, 1),
    ...                          volatility=None, since="2024-04-01")
    >>> joint.table["sessions"].to_list()
    [2, 2]
    """
    if not isinstance(returns, pd.Series):
        raise ReturnsError("event_regression takes one series of returns: pick a column")
    returns = check_returns(returns)
    if controls is not None:
        controls = on_rows(controls, "controls", returns.index, "control")
    window = as_window(window)
    sample = returns if since is None else _from(returns, since)
    aligned = align(as_events(events), returns.index, window=(window.start, window.end))
    dummies, members, dropped = _dummies(aligned, sample.index, window)
    design = _design(dummies, controls, sample.index)
    import statsmodels.api as sm

    ols = sm.OLS(sample.to_numpy(), design)
    ols = ols.fit() if covariance == "classical" else _robust(ols, dummies, covariance)
    weighted = None
    if volatility is not None:
        sigma = conditional_z(returns, model=volatility)["sigma"].reindex(sample.index)
        weighted = _weighted(sample, design, sigma)
    table = _table(dummies, members, ols, weighted, covariance)
    signature = _signature(sample, window, controls, volatility, covariance)
    return EventRegression(table, dropped, ols, weighted, window, signature)


def _from(returns: pd.Series, since) -> pd.Series:
    instant, _ = parse_announced_at(since)
    sample = returns.loc[iso(instant) :]
    if sample.empty:
        raise ReturnsError(
            f"since={since} lies after the last return, {iso(returns.index[-1])}: give an earlier "
            "date"
        )
    return sample


def _signature(sample, window, controls, volatility, covariance) -> str:
    parts = [
        f"one regression over {counted(len(sample), 'session')} from {iso(sample.index[0])} to "
        f"{iso(sample.index[-1])}",
        f"window {window}",
        f"{covariance} standard errors",
    ]
    if controls is not None:
        parts.append(f"controls {list_of(controls.columns)}")
    if volatility is not None:
        parts.append(f"conditional variance {volatility}")
    if "hash" in sample.attrs:
        parts.append(f"data {sample.attrs['hash']}")
    return "; ".join(parts)


def _dummies(aligned: pd.DataFrame, index: pd.DatetimeIndex, window: Window):
    """Columns of zeros and ones by event, identical ones merged."""
    position = index.get_indexer(pd.DatetimeIndex(aligned["session"]))
    reasons = aligned["dropped"].astype("object").to_numpy().copy()
    outside = (position + window.start < 0) | (position + window.end >= len(index))
    reasons[(reasons == "") & (outside | (position < 0))] = (
        f"its window {window} leaves the sample {iso(index[0])} to {iso(index[-1])}"
    )
    dropped = pd.DataFrame({"event": aligned.index, "reason": reasons})
    dropped = dropped[dropped["reason"] != ""].reset_index(drop=True)
    kept = np.flatnonzero(reasons == "")
    if not len(kept):
        raise InferenceError(f"no event lies in the sample {iso(index[0])} to {iso(index[-1])}")
    members: dict[str, tuple[str, ...]] = {}
    first_at: dict[int, str] = {}
    columns = {}
    for i in kept:
        name = str(aligned.index[i])
        same = first_at.setdefault(int(position[i]), name)
        members[same] = (*members.get(same, ()), name)
        if same == name:
            column = np.zeros(len(index))
            column[position[i] + window.start : position[i] + window.end + 1] = 1.0
            columns[name] = column
    return pd.DataFrame(columns, index=index), members, dropped


def _design(dummies, controls, index) -> pd.DataFrame:
    design = dummies.copy()
    design.insert(0, "const", 1.0)
    if controls is not None:
        along = controls.reindex(index)
        bad = along.isna().any(axis=1)
        if bad.any():
            raise ModelError(
                f"controls have no value on {iso(index[bad][0])} "
                f"({counted(int(bad.sum()), 'such session')}): shorten the sample with since=, or "
                f"fill them; a session without controls cannot be called controlled for"
            )
        design = design.join(along.astype(float))
    if np.linalg.matrix_rank(design.to_numpy()) < design.shape[1]:
        raise ModelError(
            "the constant, the event dummies and the controls are collinear: drop a control, or "
            "bring sessions without an event"
        )
    return design


def _robust(model, dummies: pd.DataFrame, covariance: str):
    if covariance != "HC3":
        raise InferenceError(f"covariance={covariance!r} is not known: say 'classical' or 'HC3'")
    sessions = dummies.sum()
    if (sessions == 1).any():
        raise InferenceError(
            f"HC3 is not valid for {sessions.index[sessions == 1][0]!r}: a dummy of one session "
            f"fits it perfectly, its residual is zero and the robust variance collapses; use "
            f"covariance='classical'"
        )
    return model.fit(cov_type="HC3", use_t=True)


def _weighted(sample: pd.Series, design: pd.DataFrame, sigma: pd.Series):
    import statsmodels.api as sm

    known = sigma.notna().to_numpy()
    lost = design.loc[~known, [c for c in design if design[c].sum() > 0]].drop(columns="const")
    if (lost != 0).any(axis=None):
        raise HistoryError(
            f"the conditional variance starts on {iso(sigma.dropna().index[0])}, after the first "
            f"event of the sample: give a longer history or volatility=None"
        )
    weights = 1 / sigma[known].to_numpy() ** 2
    return sm.WLS(sample[known].to_numpy(), design[known], weights=weights).fit()


def _table(dummies, members, ols, weighted, covariance) -> pd.DataFrame:
    names = list(dummies.columns)
    sessions = dummies.sum().astype(int)
    table = pd.DataFrame(
        {"announcements": [members[name] for name in names], "sessions": sessions},
        index=pd.Index(names, name="event"),
    )
    dof = np.full(len(names), float(ols.df_resid))
    if covariance == "HC3":
        dof = np.where(sessions < FEW_SESSIONS, sessions - 1.0, dof)
    for suffix, fit, freedom in (("", ols, dof), ("_conditional", weighted, None)):
        if fit is None:
            continue
        freedom = np.full(len(names), float(fit.df_resid)) if freedom is None else freedom
        estimate, error = fit.params[names] * sessions, fit.bse[names] * sessions
        reach = stdtrit(freedom, 0.975) * error
        table[f"estimate{suffix}"], table[f"std_error{suffix}"] = estimate, error
        table[f"statistic{suffix}"] = estimate / error
        table[f"p_value{suffix}"] = 2 * stdtr(freedom, -(estimate / error).abs())
        table[f"ci_low{suffix}"], table[f"ci_high{suffix}"] = estimate - reach, estimate + reach
    return table
