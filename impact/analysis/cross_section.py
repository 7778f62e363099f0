"""Why some reacted more: CARs regressed on characteristics of firms, sectors or events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import InferenceError
from impact.market.windows import Window
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, list_of, number, p_value

#: A row with a larger leverage is fitted alone, and HC3 divides by one minus it.
FULL_LEVERAGE = 1 - 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class CrossSection:
    """A regression of CARs on characteristics.

    Attributes
    ----------
    coefficients : DataFrame
        Index "constant" and the characteristics; `estimate`, `std_error` (HC3), `statistic`,
        `p_value`, `ci_low`, `ci_high` (95%), from t(n - K).
    n : int
        Rows in the regression.
    dof : int
    r_squared : float
    window : Window
        Sessions that are cumulated.
    warning : str
        What the errors do not allow for; "" if dates do not cluster.
    points : DataFrame
        `car` and the characteristics of each row used.
    left_out : DataFrame
        event, security, reason.
    """

    coefficients: pd.DataFrame
    n: int
    dof: int
    r_squared: float
    window: Window
    warning: str
    points: pd.DataFrame
    left_out: pd.DataFrame

    def __repr__(self) -> str:
        lines = [
            f"{name}: {number(row['estimate'], 4, signed=True)} "
            f"({number(row['std_error'], 4)}), p = {p_value(row['p_value'])}"
            for name, row in self.coefficients.iterrows()
        ]
        head = f"CAR {self.window} on characteristics, HC3, n = {self.n:,}, R² {self.r_squared:.2f}"
        return "\n".join([head, *lines, *([f"warning: {self.warning}"] if self.warning else [])])


def cross_section(
    study: EventStudy, characteristics: pd.DataFrame, start: int = 0, end: int | None = None
) -> CrossSection:
    """Regress the CARs of a study on characteristics, with HC3 errors.

    Parameters
    ----------
    study : EventStudy
    characteristics : DataFrame
        Numbers, one column a characteristic; indexed by security, by event id, or by
        (event, security).
    start, end : int
        Relative sessions that are cumulated, both included.

    Returns
    -------
    CrossSection

    Raises
    ------
    InferenceError
        If the characteristics name nothing in the study or are no numbers, there are too few
        rows, the columns are collinear, or one row is fitted by a column of its own.

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
    >>> cross_section(study, spread).warning.split(":")[0]
    '11 rows share 1 session'
    """
    import statsmodels.api as sm

    sample = study.over(start, end)
    table = _matched(study, characteristics)
    table.insert(0, "car", sample.car)
    missing = table.isna().any(axis=1).to_numpy()
    left_out = _left_out(study, table, missing)
    points = table[~missing]
    design = np.column_stack([np.ones(len(points)), points.iloc[:, 1:]])
    _check_design(design, points)
    fitted = sm.OLS(points["car"].to_numpy(), design).fit(cov_type="HC3", use_t=True)
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
        index=pd.Index(["constant", *characteristics.columns], name="characteristic"),
    )
    return CrossSection(
        coefficients,
        len(points),
        int(fitted.df_resid),
        float(fitted.rsquared),
        sample.tested,
        _warning(sample.position[~missing], sample.tested),
        points,
        left_out,
    )


def _matched(study: EventStudy, characteristics: pd.DataFrame) -> pd.DataFrame:
    """Characteristics of each row of the study, NaN where it has none."""
    if not isinstance(characteristics, pd.DataFrame) or characteristics.empty:
        raise InferenceError("characteristics= must be a DataFrame with at least one column")
    for name, dtype in characteristics.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise InferenceError(f"the characteristic {name!r} is not a number: use 0 and 1")
    if not characteristics.index.is_unique:
        twice = characteristics.index[characteristics.index.duplicated()][0]
        raise InferenceError(f"the characteristics have {twice!r} twice: keep one row each")
    events = study.alignment.index.to_numpy()[study.fits.unit]
    securities = study.returns.columns.astype(str).to_numpy()[study.fits.pairs.column]
    keys = [securities, events]
    if isinstance(characteristics.index, pd.MultiIndex):
        keys = [pd.MultiIndex.from_arrays([events, securities])]
    for key in keys:
        if characteristics.index.isin(key).any():
            return characteristics.astype(float).reindex(key).set_axis(study.abnormal.index)
    raise InferenceError(
        f"the characteristics are of {list_of(list(map(repr, characteristics.index[:3])))}, which "
        "are neither securities nor events of the study"
    )


def _left_out(study: EventStudy, table: pd.DataFrame, missing: np.ndarray) -> pd.DataFrame:
    reasons = [
        "no return in the window"
        if np.isnan(row["car"])
        else f"no {list_of(list(row.index[row.isna()]))}"
        for _, row in table[missing].iterrows()
    ]
    return pd.DataFrame(
        {
            "event": study.alignment.index.to_numpy()[study.fits.unit][missing],
            "security": study.returns.columns.to_numpy()[study.fits.pairs.column][missing],
            "reason": reasons,
        }
    )


def _check_design(design: np.ndarray, points: pd.DataFrame) -> None:
    rows, columns = design.shape
    if rows <= columns:
        raise InferenceError(
            f"{counted(rows, 'row')} for {counted(columns, 'coefficient')}: bring more events or "
            "securities, or fewer characteristics"
        )
    scaled = design / np.fmax(np.linalg.norm(design, axis=0), np.finfo(float).tiny)
    if np.linalg.matrix_rank(scaled, tol=1e-8) < columns:
        names = list_of(list(map(repr, points.columns[1:])))
        raise InferenceError(f"{names} are collinear, or one is constant: leave one out")
    leverage = np.square(np.linalg.qr(scaled)[0]).sum(axis=1)
    if (alone := leverage > FULL_LEVERAGE).any():
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
