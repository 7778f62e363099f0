"""dose_response(): the reaction of a series against the size of what was announced."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import is_any_real_numeric_dtype, is_bool_dtype, is_string_dtype

from impact.analysis.coefficients import (
    Coefficients,
    coefficients,
    has_usable_size,
    is_fitted_alone,
)
from impact.charts.effects import dose_line
from impact.charts.page import Words
from impact.errors import InferenceError
from impact.estimation.observations import dropped_rows
from impact.inference.event_sets import extremity
from impact.inference.tests import check_study
from impact.study.arguments import generator, whole
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, interval, list_of, number, p_phrase, percent
from impact.text.result import count_left_out, signed
from impact.text.table import KNOWN, Column, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Up to this many sessions all sign patterns are enumerated; beyond, they are drawn.
ALL_SIGNS = 14

#: Two coefficients and an error need one point more than these.
FEWEST = 4


@dataclass(frozen=True, eq=False, repr=False)
class DoseResponse(Coefficients):
    """Slope of the reaction on the dose, with its fragility.

    Attributes
    ----------
    table : DataFrame
        Index "constant" and "dose" (decimal return per unit of the dose); `estimate`, `std_error`
        (HC3, weighted), `statistic`, `ci_low`, `ci_high` (95%, t with n - 2 degrees of freedom),
        and `p_value`: of the dose by sign-flips with the studentised slope, of the constant by t.
    dropped : DataFrame
        event, security, reason of every event left out, here or by the study.
    signature : str
    nobs, dof : int
        Sessions; two fewer.
    dose : str
        Column of the events that holds the doses.
    side : str
        Which slopes speak against the null of none.
    points : DataFrame
        label, session, dose, estimate, sigma by unit.
    leave_one_out : DataFrame
        `intercept` and `slope` without each session.
    """

    dose: str
    side: str
    points: pd.DataFrame
    leave_one_out: pd.DataFrame

    @property
    def identified(self) -> bool:
        """False when the interval or the leave-one-out range of the slope holds zero."""
        low, high = self.table.loc["dose", ["ci_low", "ci_high"]]
        without = self.leave_one_out["slope"]
        return bool(low * high > 0 and without.min() * without.max() > 0)

    @property
    def step(self) -> float:
        """A change of the dose that is common among these sessions: a power of ten."""
        sizes = self.points["dose"].abs()
        return float(10.0 ** np.round(np.log10(sizes[sizes > 0].median())))

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        slope = self.step * self.table.loc["dose", ["estimate", "ci_low", "ci_high"]]
        low, high = self.step * self.leave_one_out["slope"].agg(["min", "max"])
        text = (
            f"{percent(slope['estimate'])} for each {self.step:g} of {self.dose} "
            f"(95% interval {interval(slope['ci_low'], slope['ci_high'])}, "
            f"{p_phrase(self.pvalues['dose'])}, {counted(self.nobs, 'session')}; leaving one "
            f"session out moves it between {percent(low)} and {percent(high)})"
        )
        return text if self.identified else f"not identified: {text}"

    def line(self, doses: ArrayLike) -> pd.DataFrame:
        """Return the line, and the two lines with the bounds of the slope, at some doses.

        Parameters
        ----------
        doses : array, shape (k,)

        Returns
        -------
        DataFrame
            Index = dose; `estimate`, `ci_low`, `ci_high`. All three pass through the weighted
            mean of the sessions, so the bounds are those of the slope and not of the level.
        """
        try:
            doses = np.asarray(doses, float)
        except (TypeError, ValueError):
            raise InferenceError(f"doses={doses!r} are no numbers: give an array of them") from None
        slope = self.table.loc["dose"]
        middle = np.average(self.points["dose"], weights=1 / self.points["sigma"] ** 2)
        level = self.params["constant"] + slope["estimate"] * middle
        names = ("estimate", "ci_low", "ci_high")
        lines = {name: level + slope[name] * (doses - middle) for name in names}
        return pd.DataFrame(lines, index=pd.Index(doses, name="dose"))

    def sessions(self) -> Table:
        """Return the sessions with their doses, and the slope without each of them."""

        def change(value: Any) -> str:
            return percent(self.step * value)

        def dose(value: Any) -> str:
            return number(value, 1, signed=True)

        frame = self.points.assign(slope_without=self.leave_one_out["slope"]).reset_index()
        columns = (
            KNOWN["label"],
            KNOWN["session"],
            Column("dose", self.dose, dose),
            KNOWN["estimate"],
            KNOWN["sigma"],
            Column("slope_without", f"slope without it, for {self.step:g}", change),
        )
        return Table(frame, self._title(), columns, self.summary().notes, self.signature)

    def __repr__(self) -> str:
        return f"DoseResponse: {self.verdict}"

    def _title(self) -> str:
        return f"Reaction against {self.dose}"

    def _notes(self) -> tuple[str, ...]:
        return (
            f"Slope: {self.verdict}.",
            "HC3 errors, weighted by the variance known the evening before; p of the dose by "
            "flipping signs.",
        )

    def plot(self, ax: Axes | None = None) -> Figure:
        """Draw the reactions against the doses, with the line and the bounds of its slope.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.
        """
        title, rest = self.verdict.removesuffix(")").split(" (", 1)
        what = f"Abnormal return in %, against {self.dose}; {rest}."
        words = Words(f"Slope {title}", what, self.signature)
        line = self.line(np.array([0.0, 1.0]))
        return dose_line(words, self.points, line, self.leave_one_out, unit=self.dose, ax=ax)


def dose_response(
    study: EventStudy,
    dose: str,
    *,
    start: int = 0,
    end: int | None = None,
    side: str = "two-sided",
    draws: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> DoseResponse:
    """Regress the reaction of each session on the dose announced in it.

    Parameters
    ----------
    study : EventStudy
        One series with a conditional variance.
    dose : str
        Column of the events, and so of the study's alignment, that holds the size of what was
        announced; the committed catalogue has ``china_dose_pp``, the change of the tariff rate on
        China in percentage points. Doses of different counterparties are never added.
    start, end : int
        Relative sessions that are summed.
    side : {"two-sided", "greater", "less"}
        "less": the null is rejected by a negative slope.
    draws : int
        Sign patterns drawn when there are too many to enumerate (more than 14 sessions).
    rng : int or Generator

    Returns
    -------
    DoseResponse

    Raises
    ------
    InferenceError
        If the study has several series or no conditional variance, or no column `dose` of
        numbers; if fewer than 4 sessions have a dose of their own, or all but one have the same.

    Notes
    -----
    Sessions that hold an announcement without a dose, or announcements in both directions, are
    left out and listed. Weighted least squares with 1/σ²; p flips the signs of the residuals of
    the model without slope and ranks the studentised slope, because permuting doses rejects a
    true null far too often when the noise grows with the dose.

    References
    ----------
    Davidson and Flachaire (2008), The wild bootstrap, tamed at last.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> events = impact.load_events(since="2025-02-25", until="2025-10-31")
    >>> study = impact.event_study(returns, events, volatility="ewma")
    >>> dose_response(study, "china_dose_pp").points["dose"].to_list()
    [10.0, 34.0, -115.0, -10.0]
    """
    points, dropped = dosed_sessions(study, dose, start=start, end=end)
    _check_doses(points["dose"], dose)
    x, y = (points[name].to_numpy(float) for name in ("dose", "estimate"))
    weights = 1 / points["sigma"].to_numpy(float) ** 2
    estimates, errors = _weighted_line(x, y[None, :], weights)
    index = pd.Index(["constant", "dose"], name="coefficient")
    table = coefficients(estimates[0], errors[0], len(x) - 2, index)
    table.loc["dose", "p_value"] = sign_flip_p(x, y, weights, side=side, draws=draws, rng=rng)
    without = [
        _weighted_line(np.delete(x, i), np.delete(y, i)[None, :], np.delete(weights, i))[0][0]
        for i in range(len(x))
    ]
    return DoseResponse(
        table=table,
        dropped=dropped,
        signature=signed(
            study.signed(start, end),
            f"dose {dose}",
            f"{counted(len(x), 'session')} with one",
            events=[study.alignment],
        ),
        nobs=len(x),
        dof=len(x) - 2,
        dose=dose,
        side=side,
        points=points,
        leave_one_out=pd.DataFrame(without, points.index, ["intercept", "slope"]),
    )


def dosed_sessions(
    study: EventStudy, dose: str, *, start: int = 0, end: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sessions that hold one dose and nothing else, and why the others do not.

    The points are indexed by event: `label`, `session`, `dose`, `estimate` (decimal), `sigma`. What
    was dropped by the study comes first. InferenceError if the study has several series or no
    conditional variance, or no column `dose` of finite numbers.
    """
    check_study(study)
    if not study.is_one_series or study.settings.volatility is None:
        raise InferenceError(
            "dose_response takes one series with a conditional variance and the study has "
            f"{counted(study.returns.shape[1], 'series', 'series')}, volatility="
            f"{study.settings.volatility!r}: run event_study on one column with volatility='gjr'"
        )
    if study.unit:
        raise InferenceError(f"dose_response knows no changes in {study.unit}: use cross_section")
    car, units = study.car(start, end), study.alignment
    doses = _doses(units, dose)
    reasons = pd.Series("", index=car.index, dtype="object")
    reasons[car["sigma_conditional"].isna()] = "no conditional variance"
    shared = units["announcements"].map(len) + units["shared_with"].map(len) > 1
    reasons[shared] = "shares its session with an announcement without a dose of its own"
    reasons[units["mixed"].to_numpy(bool)] = "announcements of both directions in the session"
    reasons[doses.isna()] = "no dose of its own"
    kept = reasons == ""
    points = pd.DataFrame(
        {
            "label": units["label"],
            "session": units["session"],
            "dose": doses,
            "estimate": car["estimate"],
            "sigma": car["sigma_conditional"],
        }
    )
    here = dropped_rows(reasons.index[~kept], reasons[~kept])
    dropped = pd.concat([study.dropped, here], ignore_index=True)
    return points[kept], count_left_out(dropped, int(kept.sum()))


def _doses(units: pd.DataFrame, dose: str) -> pd.Series:
    if not isinstance(dose, str) or dose not in units:
        known = [repr(name) for name in units if is_any_real_numeric_dtype(units[name])]
        raise InferenceError(
            f"the events of the study have no column {dose!r}; columns of numbers: "
            f"{list_of(known) or 'none'}. Add the column to the events before event_study()"
        )
    values = wrong = units[dose]
    if is_string_dtype(values):
        # load_events(path) keeps a column of one's own as text.
        values = pd.to_numeric(values, errors="coerce")
        wrong = wrong[values.isna() & (wrong.fillna("").str.strip() != "")]
    elif is_any_real_numeric_dtype(values) or is_bool_dtype(values):
        wrong = wrong.iloc[:0]
    if len(wrong):
        raise InferenceError(
            f"the column {dose!r} of the events holds {wrong.iloc[0]!r}, not numbers: use "
            "pd.to_numeric on it before event_study()"
        )
    doses = pd.Series(values.to_numpy(float, na_value=np.nan), units.index)
    if (endless := np.isinf(doses)).any():
        raise InferenceError(
            f"the dose of {doses.index[endless][0]!r} is infinite: correct it, or leave it empty"
        )
    if not has_usable_size(doses.to_numpy()):
        raise InferenceError(f"the doses of {dose!r} are too large or small: scale them")
    return doses


def _check_doses(doses: pd.Series, dose: str) -> None:
    if len(doses) < FEWEST:
        raise InferenceError(
            f"{counted(len(doses), 'session')} with a dose of {dose!r} of its own: "
            f"at least {FEWEST} are needed for a slope and its error"
        )
    if doses.nunique() < 2:
        raise InferenceError(
            f"every session has the same dose of {dose!r}, {doses.iloc[0]:g}: a slope needs doses "
            "that differ"
        )
    design = np.column_stack([np.ones(len(doses)), doses])
    if (alone := is_fitted_alone(design)).any():
        raise InferenceError(
            f"{doses.index[alone][0]!r} alone has another dose of {dose!r} than the rest: the "
            "slope would be its reaction and have no error; bring doses that differ"
        )


def _weighted_line(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Constant and slope of rows of y on x, and their HC3 errors, each of shape (rows, 2)."""
    share = weights / weights.sum()
    centred = x - share @ x
    spread = share @ centred**2
    slope = share * centred / spread
    # What each y adds to the constant and to the slope.
    pull = np.column_stack([share - (share @ x) * slope, slope])
    estimates = y @ pull
    residuals = y - estimates[:, :1] - estimates[:, 1:] * x
    leverage = share * (1 + centred**2 / spread)
    errors = np.sqrt((residuals / (1 - leverage)) ** 2 @ pull**2)
    return estimates, errors


def sign_flip_p(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    side: str = "two-sided",
    draws: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> float:
    """p of a zero slope by flipping the signs of the residuals of the model without slope.

    It is the share of patterns, the observed one included, with a studentised slope as extreme as
    the observed: of all 2ⁿ patterns up to n = 14, of so many `draws` beyond.
    """
    n, draws, rng = len(x), whole("draws", draws, 1), generator(rng)
    if n <= ALL_SIGNS:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        signs = np.vstack([np.ones(n), rng.choice((1.0, -1.0), size=(draws, n))])
    centre = np.average(y, weights=weights)
    estimates, errors = _weighted_line(x, centre + signs * (y - centre), weights)
    statistic = extremity(estimates[:, 1] / errors[:, 1], side)
    # Patterns that are equal but for rounding count as equal.
    return float((statistic >= statistic[0] - 1e-12 * abs(statistic[0])).mean())
