"""Why some reacted more: CARs regressed on characteristics of firms, sectors or events."""

from __future__ import annotations

from dataclasses import dataclass

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
from impact.errors import InferenceError
from impact.estimation.observations import dropped_rows
from impact.market.windows import Window
from impact.study.arguments import as_study
from impact.study.event_study_result import EventStudy
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
        Index "constant" and the characteristics; `estimate`, `std_error` (HC3), `statistic`,
        `p_value`, `ci_low`, `ci_high` (95%), from t(n - K).
    dropped : DataFrame
        event, security, reason of every row left out, here or by the study.
    signature : str
    nobs : int
        Rows in the regression.
    dof : int
    r_squared : float
    window : Window
        Sessions that are summed.
    warning : str
        What the errors do not allow for; "" if dates do not cluster.
    points : DataFrame
        `car` and the characteristics of each row used.
    unit : str
        What the CARs are in, where they are no returns.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    nobs: int
    dof: int
    r_squared: float
    window: Window
    warning: str
    points: pd.DataFrame
    unit: str = ""

    def _title(self) -> str:
        return f"CAR {self.window} on {list_of(self.points.columns[1:])}"

    def _notes(self) -> tuple[str, ...]:
        fit = f"HC3 standard errors; {counted(self.nobs, 'row')}; R² {number(self.r_squared)}."
        return fit, f"Warning: {self.warning}." if self.warning else ""


def cross_section(
    study: EventStudy, characteristics: pd.DataFrame, start: int = 0, end: int | None = None
) -> CrossSection:
    """Regress the CARs of a study on characteristics, with HC3 errors.

    Parameters
    ----------
    study : EventStudy
    characteristics : DataFrame
        Numbers, one column a characteristic; indexed by security, by id or label of the event, or
        by (event, security).
    start, end : int
        Relative sessions that are summed, both included.

    Returns
    -------
    CrossSection

    Raises
    ------
    InferenceError
        If the characteristics name nothing in the study, are no finite numbers or have a name
        that is taken, there are too few rows, the columns are collinear, or one row is fitted by
        a column of its own.

    Notes
    -----
    HC3 allows for variances that differ by row, not for correlation between the rows of one
    session, which `warning` points out.

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
    >>> found.warning.split(":")[0]
    '11 rows share 1 session'
    """
    import statsmodels.api as sm

    sample = as_study(study).over(start, end)
    rows = _matched(study, _numbers(characteristics))
    rows.insert(0, "car", sample.car)
    missing = rows.isna().any(axis=1).to_numpy()
    points = rows[~missing]
    design = np.column_stack([np.ones(len(points)), points.iloc[:, 1:]])
    _check_design(design, points)
    fitted = sm.OLS(points["car"].to_numpy(), design).fit(cov_type="HC3", use_t=True)
    index = pd.Index(["constant", *characteristics.columns], name="characteristic")
    return CrossSection(
        table=coefficients(fitted.params, fitted.bse, fitted.df_resid, index),
        dropped=_dropped(study, rows, missing, sample.left_out),
        signature=signed(
            study.signed(start, end),
            "HC3 standard errors",
            counted(len(points), "row"),
            events=[study.alignment],
        ),
        nobs=len(points),
        dof=int(fitted.df_resid),
        r_squared=float(fitted.rsquared),
        window=sample.tested,
        warning=_warning(sample.position[~missing], sample.tested),
        points=points,
        unit=study.unit,
    )


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
    events, securities = _names(study)
    labels = study.units["label"]
    keys: list[pd.Index] = [pd.Index(securities), pd.Index(events), pd.Index(labels)]
    if characteristics.index.nlevels > 1:
        keys = [pd.MultiIndex.from_arrays([events, securities])]
    for key in keys:
        if characteristics.index.isin(key).any():
            return characteristics.reindex(key).set_axis(study.fit.index)
    raise InferenceError(
        f"the characteristics are of {list_of(map(repr, characteristics.index[:3]))}, which "
        "are neither securities nor events of the study"
    )


def _names(study: EventStudy) -> tuple[np.ndarray, np.ndarray]:
    """Event and security of each row of the study."""
    securities = study.returns.columns.astype(str).to_numpy()
    return study.alignment.index.to_numpy()[study.fits.unit], securities[study.fits.pairs.column]


def _dropped(
    study: EventStudy, rows: pd.DataFrame, missing: np.ndarray, left_out: np.ndarray
) -> pd.DataFrame:
    reasons = [
        why or f"no {list_of(row.index[row.isna()])}"
        for (_, row), why in zip(rows[missing].iterrows(), left_out[missing], strict=True)
    ]
    events, securities = _names(study)
    here = dropped_rows(events[missing], reasons, securities[missing])
    dropped = pd.concat([study.dropped, here], ignore_index=True)
    return count_left_out(dropped, int((~missing).sum()))


def _check_design(design: np.ndarray, points: pd.DataFrame) -> None:
    rows, columns = design.shape
    if rows <= columns:
        raise InferenceError(
            f"{counted(rows, 'row')} for {counted(columns, 'coefficient')}: bring more events or "
            "securities, or fewer characteristics"
        )
    if is_collinear(design):
        names = list_of(map(repr, points.columns[1:]))
        raise InferenceError(f"{names} are collinear, or one is constant: leave one out")
    if (alone := is_fitted_alone(design)).any():
        raise InferenceError(
            f"{points.index[alone][0]!r} alone has its value of a characteristic, so HC3 has no "
            "error for it: leave that row or characteristic out"
        )


def _warning(position: np.ndarray, tested: Window) -> str:
    sessions = np.unique(position)
    if len(sessions) < len(position):
        return (
            f"{counted(len(position), 'row')} share {counted(len(sessions), 'session')}: abnormal "
            "returns of one session are correlated and HC3 errors do not allow for it, so they "
            "are too small"
        )
    if (np.diff(sessions) < tested.length).any():
        return "tested windows overlap: HC3 errors take the rows as independent"
    return ""
