"""event_regression(): events whose windows overlap, estimated in one equation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from impact.analysis.coefficients import (
    Coefficients,
    has_usable_size,
    is_collinear,
    is_fitted_alone,
)
from impact.analysis.dummies import ranked, summed
from impact.charts.effects import effects, leaving_out_zero
from impact.charts.page import Words
from impact.errors import HistoryError, InferenceError, ModelError, ReturnsError
from impact.estimation.observations import dropped_rows
from impact.inference.size import in_words
from impact.market.checks import check_numbers, on_rows
from impact.market.instants import parse_announced_at
from impact.market.returns import check_returns, split_like
from impact.market.windows import Window, as_window
from impact.news.alignment import align
from impact.news.security_names import with_securities
from impact.text.formats import counted, iso, list_of, number
from impact.text.result import count_left_out, left_out, signed
from impact.text.table import KNOWN, Column
from impact.volatility.forecast import conditional_z

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Robust standard errors of a dummy rest on its own sessions; below this many they are refused
#: (one session) or get few degrees of freedom.
FEW_SESSIONS = 20


@dataclass(frozen=True, eq=False, repr=False)
class EventRegression(Coefficients):
    """One regression of the returns on the event windows of all events.

    `params` and the other names of statsmodels are those of the unweighted regression, summed
    over the window.

    Attributes
    ----------
    table : DataFrame
        Index = first id of each dummy: its `label`, `announcements` (all ids merged into it),
        `sessions`, `estimate` (cumulative effect over the window, decimal), `std_error`,
        `statistic`, `p_value`, `ci_low`, `ci_high` (95%), and with the suffix ``_conditional`` the
        same given the variance of the evening before.
    dropped : DataFrame
        event, security, reason.
    signature : str
    nobs : int
        Sessions in the unweighted regression.
    dof : Series
        Degrees of freedom of its t, by dummy.
    ols, weighted : statsmodels results
        The regressions underneath; coefficients there are per session. `weighted` has the
        weights 1/σ²_t; None without a variance model.
    window : Window
    notes : tuple of str
        How the events were read, and returns that look like unadjusted splits.
    """

    ols: Any
    weighted: Any
    window: Window
    notes: tuple[str, ...] = ()

    @property
    def rsquared(self) -> float:
        """Share of the variance that the unweighted regression explains."""
        return float(self.ols.rsquared)

    def __repr__(self) -> str:
        return (
            f"EventRegression: {counted(len(self.table), 'dummy', 'dummies')} over "
            f"{counted(self.nobs, 'session')}, window {self.window}, "
            f"{len(self.dropped)} dropped"
        )

    def _title(self) -> str:
        return "Effects of the events, estimated jointly"

    def _columns(self) -> tuple[Column, ...]:
        shown = (KNOWN["std_error"], KNOWN["statistic"], KNOWN["p_value"])
        conditional = (KNOWN["estimate"], *shown) if self.weighted is not None else ()
        return (
            KNOWN["event"],
            Column("sessions", "sessions"),
            KNOWN["estimate"],
            *(replace(column, group="classical") for column in shown),
            *(
                replace(column, name=f"{column.name}_conditional", group="conditional")
                for column in conditional
            ),
        )

    def _notes(self) -> tuple[str, ...]:
        said = [f"{counted(self.nobs, 'session')}; R² {number(self.rsquared)}."]
        if self.window.length == 1 and (size := in_words("prediction_t")):
            said.append(f"Classical: {size}.")
        if self.weighted is not None:
            said.append(
                "Conditional: z by the variance of the evening before, ranked among past z."
                if self.window.length == 1
                else "Conditional: weighted least squares by the variance of the evening before."
            )
        return (*said, *self.notes)

    def plot(self, ax: Axes | None = None) -> Figure:
        """Draw each effect with its 95% interval.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.
        """
        weighted = self.weighted is not None
        suffix = "_conditional" if weighted else ""
        how = "by the variance of the evening before" if weighted else "by a constant variance"
        shown = self.table[[f"{name}{suffix}" for name in ("estimate", "ci_low", "ci_high")]]
        told = zip(self.table["label"], self.table["announcements"].map(len) - 1, strict=True)
        names = [f"{label} +{n}" if n else label for label, n in told]
        table = shown.set_axis(["estimate", "ci_low", "ci_high"], axis=1).assign(text=names)
        words = Words(
            leaving_out_zero(table, "effects"),
            f"Effects of the events, estimated jointly; cumulative over the window {self.window}, "
            f"in %, with 95% intervals, {how}.",
            self.signature,
        )
        return effects(words, table, ax=ax)


def event_regression(
    returns: pd.Series,
    events: Any,
    *,
    window: Window | tuple[int, int] = (0, 0),
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
        Regressors by session, finite numbers (or yes and no) for every session of the sample.
    volatility : {"gjr", "garch", "ewma"} or None
        Variance model; σ comes from the returns with the events in, never from residuals of this
        regression. None leaves the conditional columns out.
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
    With one dummy for a window of k sessions the cumulative effect is k β_k, and its classical t
    pools the variance inside the windows; it equals the exact prediction t of `event_study` for
    k = 1.

    Conditional, k = 1: a dummy of one session has leverage one, so its weighted t is its z under
    normal tails. The z is ranked among past z instead, and `std_error_conditional`,
    `statistic_conditional` and `p_value_conditional` are the σ, z and p of `event_study` and
    `event_card`. With controls the estimate is the coefficient of the weighted regression, and the
    error of the controls' coefficients widens the draws. Conditional, k > 1: weighted least squares
    with the weights 1/σ²_t and Student's t.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999) for the ranks.
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
    aligned = align(events, returns.index, window=window)
    aligned = with_securities(aligned, pd.Index([sample.name]))
    dummies, members, dropped = _dummies(aligned, sample, window)
    design = _design(dummies, controls)
    ols = _unweighted(sample, design, dummies, covariance)
    dof = _dof(ols, dummies, covariance)
    labels = dict(zip(aligned.index.astype(str), aligned["label"], strict=True))
    table = _table(dummies, members, labels, summed(ols, dummies, dof))
    weighted = None
    if volatility is not None:
        sigma = conditional_z(returns, model=volatility)["sigma"].reindex(sample.index)
        weighted = _weighted(sample, design, dummies, sigma)
        conditional = (
            ranked(returns, dummies, volatility, None if controls is None else weighted)
            if window.length == 1
            else summed(weighted, dummies, weighted.df_resid)
        )
        table = table.join(conditional.add_suffix("_conditional"))
    return EventRegression(
        table=table,
        dropped=dropped,
        signature=signed(
            f"one regression over {counted(len(sample), 'session')} from {iso(sample.index[0])} "
            f"to {iso(sample.index[-1])}",
            f"window {window}",
            counted(dummies.shape[1], "dummy", "dummies"),
            f"{covariance} standard errors",
            "" if controls is None else f"controls {list_of(controls.columns)}",
            "" if volatility is None else f"conditional variance {volatility}",
            prices=returns,
            events=[aligned],
        ),
        nobs=len(sample),
        dof=dof,
        ols=ols,
        weighted=weighted,
        window=window,
        notes=(
            *aligned.attrs.get("notes", ()),
            *filter(None, [split_like(sample.to_frame(), sample.attrs.get("returns", "log"))]),
        ),
    )


def _from(returns: pd.Series, since: str | pd.Timestamp) -> pd.Series:
    instant, _ = parse_announced_at(since)
    sample = returns.loc[iso(instant) :]
    if sample.empty:
        raise ReturnsError(
            f"since={since} lies after the last return, {iso(returns.index[-1])}: give an earlier "
            "date"
        )
    return sample


def _dummies(
    aligned: pd.DataFrame, sample: pd.Series, window: Window
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]], pd.DataFrame]:
    """Columns of zeros and ones by event, identical ones merged; their ids; what has none."""
    index = sample.index
    span = f"{iso(index[0])} to {iso(index[-1])}"
    position = index.get_indexer(pd.DatetimeIndex(aligned["session"]))
    security = aligned.get("security", pd.Series("", aligned.index)).fillna("").to_numpy(object)
    reasons = aligned["dropped"].to_numpy(object).copy()
    outside = (position + window.start < 0) | (position + window.end >= len(index))
    reasons[(reasons == "") & (outside | (position < 0))] = (
        f"its window {window} leaves the sample {span}"
    )
    kept = reasons == ""
    dropped = dropped_rows(aligned.index[~kept], reasons[~kept], security[~kept])
    count_left_out(dropped, int(kept.sum()))
    if not kept.any():
        raise InferenceError(f"no event lies in the sample {span}. {left_out(dropped)}".rstrip())
    held = pd.DataFrame({"at": position[kept], "event": aligned.index[kept].astype(str)})
    members = {ids.iloc[0]: tuple(ids) for _, ids in held.groupby("at", sort=False)["event"]}
    starts = held["at"].drop_duplicates().to_numpy() + window.start
    since_start = np.arange(len(index))[:, None] - starts
    inside = (since_start >= 0) & (since_start < window.length)
    return pd.DataFrame(inside.astype(float), index, list(members)), members, dropped


def _design(dummies: pd.DataFrame, controls: pd.DataFrame | None) -> pd.DataFrame:
    if "const" in dummies:
        raise InferenceError(
            "an event cannot be called 'const', the name of the constant: rename it"
        )
    design = dummies.copy()
    design.insert(0, "const", 1.0)
    if controls is not None:
        design = design.join(_along(controls, design))
    _check_rank(design)
    return design


def _along(controls: pd.DataFrame, design: pd.DataFrame) -> pd.DataFrame:
    """The controls on the sessions of the regression, every one of them there."""
    names = controls.columns
    if (taken := names.isin(design.columns) | names.duplicated()).any():
        raise ModelError(
            f"controls: the name {names[taken][0]!r} is that of an event, of the constant or of "
            "another control: rename the column"
        )
    # Yes and no are one and zero.
    counted_as = controls.astype(
        {name: "Float64" for name in names if is_bool_dtype(controls[name])}
    )
    values = check_numbers(counted_as, "controls", ModelError)
    along = values.reindex(design.index)
    bad = ~np.isfinite(along).all(axis=1)
    if bad.any():
        raise ModelError(
            f"controls have no value on {iso(design.index[bad][0])} "
            f"({counted(int(bad.sum()), 'such session')}): shorten the sample with since=, or "
            f"fill them; a session without controls cannot be called controlled for"
        )
    for name in names:
        if not has_usable_size(along[name].to_numpy()):
            raise ModelError(f"the control {name!r} is too large or small: scale it")
    return along


def _check_rank(design: pd.DataFrame) -> None:
    if len(design) <= design.shape[1] or is_collinear(design.to_numpy()):
        raise ModelError(
            "the constant, the event dummies and the controls are collinear: drop a control, or "
            "bring sessions without an event"
        )


def _unweighted(
    sample: pd.Series, design: pd.DataFrame, dummies: pd.DataFrame, covariance: str
) -> Any:
    import statsmodels.api as sm

    model = sm.OLS(sample.to_numpy(), design)
    if covariance == "classical":
        return model.fit()
    if covariance != "HC3":
        raise InferenceError(f"covariance={covariance!r} is not known: say 'classical' or 'HC3'")
    sessions = dummies.sum()
    if (sessions == 1).any():
        raise InferenceError(
            f"HC3 is not valid for {sessions.index[sessions == 1][0]!r}: a dummy of one session "
            f"fits it perfectly, its residual is zero and the robust variance collapses; use "
            f"covariance='classical'"
        )
    if (alone := is_fitted_alone(design.to_numpy())).any():
        raise InferenceError(
            f"HC3 is not valid: a control fits {iso(design.index[alone][0])} alone, so its "
            "residual is zero; use covariance='classical' or leave the control out"
        )
    return model.fit(cov_type="HC3", use_t=True)


def _weighted(
    sample: pd.Series, design: pd.DataFrame, dummies: pd.DataFrame, sigma: pd.Series
) -> Any:
    import statsmodels.api as sm

    known = sigma.notna().to_numpy()
    if dummies[~known].any(axis=None):
        raise HistoryError(
            f"the conditional variance starts on {iso(sigma.dropna().index[0])}, after the first "
            f"event of the sample: give a longer history or volatility=None"
        )
    _check_rank(design[known])
    weights = 1 / sigma[known].to_numpy() ** 2
    return sm.WLS(sample[known].to_numpy(), design[known], weights=weights).fit()


def _dof(ols: Any, dummies: pd.DataFrame, covariance: str) -> pd.Series:
    """Degrees of freedom of each dummy: under HC3 a short one has those of its own sessions."""
    sessions = dummies.sum().rename_axis("event")
    dof = pd.Series(float(ols.df_resid), sessions.index)
    return dof.where((sessions >= FEW_SESSIONS) | (covariance != "HC3"), sessions - 1.0)


def _table(
    dummies: pd.DataFrame,
    members: dict[str, tuple[str, ...]],
    labels: dict[str, str],
    effects: pd.DataFrame,
) -> pd.DataFrame:
    about = {
        "label": [labels[name] for name in members],
        "announcements": list(members.values()),
        "sessions": dummies.sum().astype(int),
    }
    return pd.DataFrame(about).join(effects).rename_axis("event")
