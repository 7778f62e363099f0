"""Why some reacted more: CARs regressed on characteristics of firms, sectors or events."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api.types import is_any_real_numeric_dtype, is_bool_dtype

from impact.analysis.coefficients import (
    Coefficients,
    coefficients,
    has_usable_size,
    is_collinear,
    is_fitted_alone,
)
from impact.errors import HistoryError, InferenceError
from impact.estimation.observations import dropped_rows
from impact.inference.measured_sizes import slope_in_words
from impact.inference.slope import MIN_SECURITIES, RankedSlopes, ranked_slopes
from impact.inference.tests import check_study, check_switches
from impact.market.windows import Window
from impact.study.event_study_result import EventStudy
from impact.study.groups import names_of_rows
from impact.text.formats import counted, list_of, number
from impact.text.result import count_left_out, signed

#: Names that a characteristic cannot have: the column of the CARs, the row of the intercept.
_TAKEN = ("car", "constant")


@dataclass(frozen=True, eq=False, repr=False)
class CrossSection(Coefficients):
    """A regression of CARs on characteristics.

    Attributes
    ----------
    table : DataFrame
        Index "constant" and the characteristics; `estimate`, and unless there is a `warning`
        `std_error`, `statistic`, `p_value`, `ci_low`, `ci_high` (95%): of HC3 and t(n - K) where
        the rows have sessions of their own, ranked among earlier slopes on one date.
    dropped : DataFrame
        event, security, reason of every row left out, here or by the study.
    signature : str
    nobs : int
        Rows in the regression.
    dof : int
    rsquared : float
    window : Window
        Sessions that are summed.
    points : DataFrame
        `car` and the characteristics of each row used.
    method : str
        Where errors and p-values come from.
    warning : str
        Why there are estimates alone; "" where there are errors and p-values.
    ranked : RankedSlopes or None
        The slopes of earlier sessions, on one date.
    size : str
        How often such a p rejects where nothing happened, "" where that was not measured.
    unit : str
        What the CARs are in, where they are no returns.
    """

    rsquared: float
    window: Window
    points: pd.DataFrame
    method: str
    warning: str = ""
    ranked: RankedSlopes | None = field(default=None, compare=False)
    size: str = ""
    unit: str = ""

    def _interval(self, level: float) -> np.ndarray:
        return super()._interval(level) if self.ranked is None else self.ranked.interval(level)

    def _title(self) -> str:
        return f"CAR {self.window} on {list_of(self.points.columns[1:])}"

    def _notes(self) -> tuple[str, ...]:
        fit = f"{self.method}; {counted(self.nobs, 'row')}; R² {number(self.rsquared)}."
        if self.ranked is None:
            return fit, f"No p: {self.warning}." if self.warning else ""
        how = (
            "Each slope is measured in its own volatility of the evening before and by how far "
            f"the securities moved that day, then ranked among {len(self.ranked.past)} earlier "
            "ones."
        )
        return fit, how, self.size


def cross_section(
    study: EventStudy,
    characteristics: pd.DataFrame,
    start: int = 0,
    end: int | None = None,
    *,
    gls: bool = False,
) -> CrossSection:
    """Regress the CARs of a study on characteristics.

    Parameters
    ----------
    study : EventStudy
    characteristics : DataFrame
        Numbers, one column a characteristic; indexed by security, by id or label of the event, or
        by (event, security).
    start, end : int
        Relative sessions that are summed, both included.
    gls : bool
        On one date: weight the securities by the inverse covariance of their abnormal returns
        before.

    Returns
    -------
    CrossSection

    Raises
    ------
    InferenceError
        If the characteristics name nothing in the study, are no finite numbers or have a name
        that is taken, there are too few rows (five securities on one date), the columns are
        collinear, one is constant, or one row is fitted by a column of its own.

    Notes
    -----
    HC3 allows for variances that differ by row, not for correlation between the rows of one
    session: on days without news it rejects far too often. So it is used only where no tested
    windows overlap. On one date the slopes are ranked among those of earlier sessions
    (`impact.inference.slope.ranked_slopes`). Elsewhere there is no p.

    References
    ----------
    MacKinnon and White (1985), J. of Econometrics 29; on clustered dates Sefcik and Thompson
    (1986), J. of Accounting Research 24.

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
    >>> spread = pd.DataFrame({"volatility": sectors.loc[:"2025-03"].std()})
    >>> found = cross_section(study, spread)
    >>> found.params.round(2).to_dict()
    {'constant': 0.08, 'volatility': -8.57}
    >>> found.method
    'Ordinary least squares, ranked among 500 earlier sessions'
    """
    check_study(study)
    check_switches(gls=gls)
    sample = study.over(start, end)
    rows = _matched(study, _numbers(characteristics))
    rows.insert(0, "car", sample.car)
    position, window = sample.position, sample.tested
    why = sample.left_out
    if one_date := len(study) > 1 and len(np.unique(position)) == 1:
        partial = (why == "") & (sample.days < window.length) | (sample.sessions > sample.days)
        why[partial] = "no return of one session in every session of the window"
    missing = rows.isna().any(axis=1).to_numpy() | (why != "")
    points = rows[~missing]
    design = np.column_stack([np.ones(len(points)), points.iloc[:, 1:]])
    _check_design(design, points, one_date)
    if gls and not one_date:
        raise InferenceError("gls=True weights the securities of one date: pick it by study['id']")
    ranked, warning = None, _clustered(position[~missing], window) if not one_date else ""
    if one_date:
        try:
            used = study.take(np.flatnonzero(~missing))
            ranked = ranked_slopes(used, design, start, end, gls=gls)
        except HistoryError as error:
            if gls:
                raise
            warning = str(error)
    index = pd.Index(["constant", *characteristics.columns], name="characteristic")
    car = points["car"].to_numpy()
    method, table, rsquared = _fitted(car, design, ranked, gls, warning, index)
    return CrossSection(
        table=table,
        dropped=_dropped(study, rows, missing, why),
        signature=signed(
            study.signed(start, end), method, counted(len(points), "row"), events=[study.alignment]
        ),
        nobs=len(points),
        dof=len(points) - design.shape[1],
        rsquared=rsquared,
        window=window,
        warning=warning,
        points=points,
        method=method,
        ranked=ranked,
        size=_measured(study, gls) if ranked else "",
        unit=study.unit,
    )


def _fitted(
    car: np.ndarray,
    design: np.ndarray,
    ranked: RankedSlopes | None,
    gls: bool,
    warning: str,
    index: pd.Index,
) -> tuple[str, pd.DataFrame, float]:
    """Where the errors come from, the table of coefficients, R²."""
    import statsmodels.api as sm

    fitted = sm.OLS(car, design).fit(use_t=True)
    rsquared = float(fitted.rsquared)
    if ranked is not None:
        least = "generalised" if gls else "ordinary"
        method = f"{least} least squares, ranked among {len(ranked.past)} earlier sessions"
        left = car - design @ ranked.estimate
        return method.capitalize(), ranked.table(index), float(1 - left.var() / car.var())
    if warning:
        return "Least squares", pd.DataFrame({"estimate": fitted.params}, index), rsquared
    robust = fitted.get_robustcov_results("HC3", use_t=True)
    table = coefficients(robust.params, robust.bse, robust.df_resid, index)
    return "HC3 standard errors", table, rsquared


def _measured(study: EventStudy, gls: bool) -> str:
    """How often such a p rejects by chance, where that was measured."""
    model = study.layout.name.removesuffix(" model").replace(" ", "-")
    return slope_in_words("ranked_slope_gls" if gls else "ranked_slope", model)


def _numbers(characteristics: pd.DataFrame) -> pd.DataFrame:
    """The characteristics as floats, by the text of their names; NaN where they are missing."""
    if not isinstance(characteristics, pd.DataFrame) or characteristics.empty:
        raise InferenceError("characteristics= must be a DataFrame with at least one column")
    names = characteristics.columns
    if names.nlevels > 1:
        raise InferenceError(
            f"the characteristics have {names.nlevels} levels of columns: keep one, as "
            "characteristics.droplevel(0, axis=1) does"
        )
    if not names.is_unique or names.isin(_TAKEN).any():
        wrong = names[names.duplicated() | names.isin(_TAKEN)][0]
        raise InferenceError(
            f"a characteristic cannot be called {wrong!r}: the name is taken, or stands twice; "
            "rename it"
        )
    columns = {}
    for name, values in characteristics.items():
        if not (is_any_real_numeric_dtype(values) or is_bool_dtype(values)):
            raise InferenceError(f"the characteristic {name!r} is not a number: use 0 and 1")
        columns[name] = values.to_numpy(float, na_value=np.nan)
        if (endless := np.isinf(columns[name])).any():
            raise InferenceError(
                f"the characteristic {name!r} of {values.index[endless][0]!r} is infinite: "
                "correct it, or leave it empty"
            )
        if not has_usable_size(columns[name]):
            raise InferenceError(f"the characteristic {name!r} is too large or small: scale it")
    index = characteristics.index
    if (again := index.map(str).duplicated()).any():
        twice = index[again][0]
        raise InferenceError(f"the characteristics have {twice!r} twice: keep one row each")
    return pd.DataFrame(columns, index if index.nlevels > 1 else index.astype(str))


def _matched(study: EventStudy, characteristics: pd.DataFrame) -> pd.DataFrame:
    """Characteristics of each row of the study, NaN where it has none."""
    names = names_of_rows(study)
    keys = [pd.Index(names[kind]) for kind in ("security", "event", "label")]
    if characteristics.index.nlevels > 1:
        keys = [pd.MultiIndex.from_arrays([names["event"], names["security"]])]
    for key in keys:
        if characteristics.index.isin(key).any():
            return characteristics.reindex(key).set_axis(study.fit.index)
    raise InferenceError(
        f"the characteristics are of {list_of(map(repr, characteristics.index[:3]))}, which "
        "are neither securities nor events of the study"
    )


def _dropped(
    study: EventStudy, rows: pd.DataFrame, missing: np.ndarray, left_out: np.ndarray
) -> pd.DataFrame:
    reasons = [
        why or f"no {list_of(row.index[row.isna()])}"
        for (_, row), why in zip(rows[missing].iterrows(), left_out[missing], strict=True)
    ]
    names = names_of_rows(study)
    here = dropped_rows(names["event"][missing], reasons, names["security"][missing])
    dropped = pd.concat([study.dropped, here], ignore_index=True)
    return count_left_out(dropped, int((~missing).sum()))


def _check_design(design: np.ndarray, points: pd.DataFrame, one_date: bool) -> None:
    rows, columns = design.shape
    if rows <= columns:
        raise InferenceError(
            f"{counted(rows, 'row')} for {counted(columns, 'coefficient')}: bring more events or "
            "securities, or fewer characteristics"
        )
    if one_date and rows < MIN_SECURITIES:
        raise InferenceError(
            f"{counted(rows, 'security', 'securities')} on one date: a slope across them says "
            f"nothing; bring at least {MIN_SECURITIES} that have every characteristic"
        )
    if is_collinear(design):
        given = points.iloc[:, 1:]
        same = given.columns[(given == given.iloc[0]).all()]
        if len(same):
            raise InferenceError(
                f"the characteristic {same[0]!r} is {number(given[same[0]].iloc[0], 4)} of every "
                "row that is used: leave it out, or bring rows that differ"
            )
        names = list_of(map(repr, given.columns))
        raise InferenceError(f"{names} are collinear: leave one out")
    if not one_date and (alone := is_fitted_alone(design)).any():
        raise InferenceError(
            f"{points.index[alone][0]!r} alone has its value of a characteristic, so HC3 has no "
            "error for it: leave that row or characteristic out"
        )


def _clustered(position: np.ndarray, tested: Window) -> str:
    """Why the rows are not independent; "" where no tested windows overlap."""
    sessions = np.unique(position)
    if len(sessions) < len(position):
        return (
            f"{counted(len(position), 'row')} share {counted(len(sessions), 'session')}, and "
            "abnormal returns of one session are correlated. Take one date, as study['id'], and "
            "the slope is ranked among earlier ones"
        )
    if (np.diff(sessions) < tested.length).any():
        return (
            "tested windows overlap, so the rows are not independent. Take a shorter window, or "
            "events that lie further apart"
        )
    return ""
