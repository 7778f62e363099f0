"""Joint regressions: overlapping event windows in one equation, and reaction against dose."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from impact.alignment import align, as_events
from impact.errors import HistoryError, InferenceError, ModelError, ReturnsError
from impact.formats import counted, interval, iso, p_phrase, percent
from impact.prices import check_returns
from impact.volatility import conditional_z
from impact.windows import Window, as_window

#: Robust standard errors of a dummy rest on its own sessions; below this many they are refused
#: (one session) or get few degrees of freedom.
FEW_SESSIONS = 20

#: Up to this many sessions all sign patterns are enumerated; beyond, they are drawn.
ALL_SIGNS = 14


@dataclass(frozen=True, eq=False)
class EventRegression:
    """One regression of the returns on the event windows of all events.

    Attributes
    ----------
    table : DataFrame
        Index = first id of each dummy: `announcements` (all ids merged into it), `sessions`,
        `estimate` (cumulated effect over the window, decimal), `std_error`, `statistic`,
        `p_value` (classical), and the same from weighted least squares with the suffix
        ``_conditional``.
    dropped : DataFrame
        event, reason.
    ols, weighted : statsmodels results
        The regressions underneath; coefficients there are per session.
    window : Window
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    ols: Any
    weighted: Any
    window: Window


def event_regression(
    returns: pd.Series,
    events,
    *,
    window: tuple[int, int] = (0, 0),
    controls: pd.DataFrame | None = None,
    volatility: str | None = "gjr",
    since: str | None = None,
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
    since : str, optional
        First session of the regression; earlier returns only feed the variance.
    covariance : {"classical", "HC3"}
        Of the unweighted regression. HC3 is refused where a dummy has one session, whose
        residual is zero; with fewer than 20 its t has m - 1 degrees of freedom.

    Returns
    -------
    EventRegression

    Raises
    ------
    ReturnsError, ModelError, InferenceError
        Controls with gaps, HC3 on one-session dummies, no event in the sample.

    Notes
    -----
    Announcements whose dummies are the same column, or are a linear combination of the others,
    are merged into one row that names them all. With one dummy for a window of k sessions the
    cumulated effect is k β_k, and its classical t pools the variance inside the windows; it
    equals the exact prediction t of `event_study` for k = 1.

    References
    ----------
    Binder (1985), On the use of the multivariate regression model in event studies.
    MacKinnon and White (1985) for HC3.
    """
    if not isinstance(returns, pd.Series):
        raise ReturnsError("event_regression takes one series of returns: pick a column")
    check_returns(returns)
    window = as_window(window)
    sample = returns if since is None else returns.loc[since:]
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
    return EventRegression(table, dropped, ols, weighted, window)


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
    return _independent(pd.DataFrame(columns, index=index), members), members, dropped


def _independent(dummies: pd.DataFrame, members: dict) -> pd.DataFrame:
    """Merge a dummy that the earlier ones already span into the one it overlaps most."""
    keep: list[str] = []
    for name in dummies:
        trial = dummies[[*keep, name]].to_numpy()
        if np.linalg.matrix_rank(trial) == trial.shape[1]:
            keep.append(name)
            continue
        overlap = dummies[keep].T @ dummies[name]
        members[overlap.idxmax()] += members.pop(name)
    return dummies[keep]


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
        raise ModelError("the controls are collinear with the event dummies: drop a control")
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
    table["estimate"] = ols.params[names] * sessions
    table["std_error"] = ols.bse[names] * sessions
    table["statistic"] = table["estimate"] / table["std_error"]
    table["p_value"] = 2 * stdtr(dof, -table["statistic"].abs())
    if weighted is not None:
        table["estimate_conditional"] = weighted.params[names] * sessions
        table["std_error_conditional"] = weighted.bse[names] * sessions
        table["statistic_conditional"] = weighted.tvalues[names]
        table["p_value_conditional"] = weighted.pvalues[names]
    return table


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """Slope of the reaction on the dose, with its fragility.

    Attributes
    ----------
    slope : float
        Decimal return per percentage point of tariff.
    intercept : float
    std_error : float
        Of the slope, heteroskedasticity-robust (HC3, weighted).
    ci_low, ci_high : float
        95% interval, t with n - 2 degrees of freedom.
    p_value : float
        Restricted sign-flip with studentised slope.
    leave_one_out : Series
        Slope without each session.
    identified : bool
        False when the interval or the leave-one-out range holds zero.
    points : DataFrame
        dose, estimate, sigma by unit.
    excluded : DataFrame
        event, reason.
    """

    slope: float
    intercept: float
    std_error: float
    ci_low: float
    ci_high: float
    p_value: float
    leave_one_out: pd.Series
    identified: bool
    points: pd.DataFrame
    excluded: pd.DataFrame

    @property
    def n(self) -> int:
        """Number of sessions."""
        return len(self.points)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        per_ten = percent(10 * self.slope)
        low, high = 10 * self.leave_one_out.min(), 10 * self.leave_one_out.max()
        text = (
            f"{per_ten} for each 10 percentage points of tariff "
            f"(95% interval {interval(10 * self.ci_low, 10 * self.ci_high)}, "
            f"{p_phrase(self.p_value)}, {counted(self.n, 'session')}; leaving one session out "
            f"moves it between {percent(low)} and {percent(high)})"
        )
        return text if self.identified else f"not identified: {text}"

    def __repr__(self) -> str:
        return f"DoseResponse: {self.verdict}"


def dose_response(
    study, dose: str = "china_dose_pp", *, start: int = 0, end: int | None = None,
    draws: int = 9_999, rng: int | np.random.Generator = 0,
) -> DoseResponse:  # fmt: skip
    """Regress the reaction of each session on the dose announced in it.

    Parameters
    ----------
    study : EventStudy
        One series with a conditional variance.
    dose : str
        Column of the study's alignment: the change of one counterparty's tariff rate in
        percentage points. Doses of different counterparties are never added.
    start, end : int
        Relative sessions that are cumulated.
    draws : int
        Sign patterns drawn when there are too many to enumerate (more than 14 sessions).
    rng : int or Generator

    Raises
    ------
    InferenceError
        If fewer than 4 sessions have a dose of their own.

    Notes
    -----
    Sessions that hold an announcement without a dose, or announcements in both directions, are
    left out and listed. Weighted least squares with 1/σ²; p flips the signs of the residuals of
    the model without slope and ranks the studentised slope, because permuting doses rejects a
    true null far too often when the noise grows with the dose.

    References
    ----------
    Davidson and Flachaire (2008), The wild bootstrap, tamed at last.
    """
    car = study.car(start, end)
    points, excluded = _dosed(study, car, dose)
    if len(points) < 4:
        raise InferenceError(
            f"{counted(len(points), 'session')} with a dose of {dose!r} of its own: "
            f"at least 4 are needed for a slope and its error"
        )
    x = points["dose"].to_numpy(float)
    y = points["estimate"].to_numpy(float)
    weights = 1 / points["sigma"].to_numpy(float) ** 2
    slope, intercept, error = _weighted_line(x, y[None, :], weights)
    reach = stdtrit(len(x) - 2, 0.975) * error[0]
    one_out = pd.Series(
        [_weighted_line(np.delete(x, i), np.delete(y, i)[None, :], np.delete(weights, i))[0][0]
         for i in range(len(x))], index=points.index, name="slope",
    )  # fmt: skip
    low, high = slope[0] - reach, slope[0] + reach
    identified = low * high > 0 and one_out.min() * one_out.max() > 0
    return DoseResponse(
        slope=float(slope[0]), intercept=float(intercept[0]), std_error=float(error[0]),
        ci_low=float(low), ci_high=float(high), p_value=sign_flip_p(x, y, weights, draws, rng),
        leave_one_out=one_out, identified=bool(identified), points=points, excluded=excluded,
    )  # fmt: skip


def _dosed(study, car: pd.DataFrame, dose: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    units = study.alignment.loc[car.index]
    if dose not in units:
        raise InferenceError(f"the events have no column {dose!r}: give one to load_events()")
    if "sigma_conditional" not in car:
        raise InferenceError("dose_response needs a study of one series with volatility='gjr'")
    reasons = pd.Series("", index=car.index, dtype="object")
    reasons[car["sigma_conditional"].isna()] = "no conditional variance"
    shared = units["announcements"].map(len) + units["shared_with"].map(len) > 1
    reasons[shared] = "shares its session with an announcement without a dose of its own"
    reasons[units["mixed"].to_numpy(bool)] = "announcements of both directions in the session"
    reasons[units[dose].isna()] = "no dose of its own"
    kept = reasons == ""
    points = pd.DataFrame(
        {
            "label": units["label"], "session": units["session"], "dose": units[dose],
            "estimate": car["estimate"], "sigma": car["sigma_conditional"],
        }
    )  # fmt: skip
    excluded = reasons[~kept].rename("reason").rename_axis("event").reset_index()
    return points[kept], excluded


def _weighted_line(x: np.ndarray, y: np.ndarray, weights: np.ndarray):
    """Slope, intercept and HC3 error of rows of y on x, shape (rows,)."""
    share = weights / weights.sum()
    centred = x - share @ x
    spread = share @ centred**2
    slope = (y * share * centred).sum(axis=1) / spread
    intercept = y @ share - slope * (share @ x)
    residuals = y - intercept[:, None] - slope[:, None] * x
    leverage = share * (1 + centred**2 / spread)
    errors = (share * centred * residuals / (1 - leverage)) ** 2
    return slope, intercept, np.sqrt(errors.sum(axis=1)) / spread


def sign_flip_p(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, draws: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> float:  # fmt: skip
    """p of a zero slope by flipping the signs of the residuals of the model without slope.

    Parameters
    ----------
    x, y, weights : ndarray, shape (n,)
    draws : int
        Patterns drawn when n > 14; otherwise all 2ⁿ are used.
    rng : int or Generator

    Returns
    -------
    float
        Share of patterns whose studentised slope is at least as large as observed, the observed
        one included.
    """
    n = len(x)
    if n <= ALL_SIGNS:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        drawn = np.random.default_rng(rng).choice((1.0, -1.0), size=(draws, n))
        signs = np.vstack([np.ones(n), drawn])
    centre = np.average(y, weights=weights)
    slope, _, error = _weighted_line(x, centre + signs * (y - centre), weights)
    statistic = np.abs(slope / error)
    return float((statistic >= statistic[0] * (1 - 1e-12)).mean())
