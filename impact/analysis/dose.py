"""dose_response(): the reaction of the index against the size of the tariff that was announced."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from impact.charts.effects import dose_line
from impact.charts.page import Words
from impact.errors import InferenceError
from impact.inference.event_sets import extremity
from impact.text.formats import counted, interval, p_phrase, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Up to this many sessions all sign patterns are enumerated; beyond, they are drawn.
ALL_SIGNS = 14

#: Two coefficients and an error need one point more than these.
FEWEST = 4


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
    side : str
        Which slopes speak against the null of none.
    leave_one_out : DataFrame
        `slope` and `intercept` without each session.
    identified : bool
        False when the interval or the leave-one-out range holds zero.
    points : DataFrame
        dose, estimate, sigma by unit.
    excluded : DataFrame
        event, reason.
    signature : str
        What it was computed with.
    """

    slope: float
    intercept: float
    std_error: float
    ci_low: float
    ci_high: float
    p_value: float
    side: str
    leave_one_out: pd.DataFrame
    identified: bool
    points: pd.DataFrame
    excluded: pd.DataFrame
    signature: str

    @property
    def n(self) -> int:
        """Number of sessions."""
        return len(self.points)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        per_ten = percent(10 * self.slope)
        low, high = 10 * self.leave_one_out["slope"].agg(["min", "max"])
        text = (
            f"{per_ten} for each 10 percentage points of tariff "
            f"(95% interval {interval(10 * self.ci_low, 10 * self.ci_high)}, "
            f"{p_phrase(self.p_value)}, {counted(self.n, 'session')}; leaving one session out "
            f"moves it between {percent(low)} and {percent(high)})"
        )
        return text if self.identified else f"not identified: {text}"

    def line(self, doses: np.ndarray) -> pd.DataFrame:
        """Return the line, and the two lines with the bounds of the slope, at some doses.

        Parameters
        ----------
        doses : ndarray, shape (k,)

        Returns
        -------
        DataFrame
            Index = dose; `estimate`, `ci_low`, `ci_high`. All three pass through the weighted
            mean of the sessions, so the bounds are those of the slope and not of the level.
        """
        doses = np.asarray(doses, float)
        middle = np.average(self.points["dose"], weights=1 / self.points["sigma"] ** 2)
        level = self.intercept + self.slope * middle
        slopes = {"estimate": self.slope, "ci_low": self.ci_low, "ci_high": self.ci_high}
        lines = {name: level + slope * (doses - middle) for name, slope in slopes.items()}
        return pd.DataFrame(lines, index=pd.Index(doses, name="dose"))

    def __repr__(self) -> str:
        return f"DoseResponse: {self.verdict}"

    def summary(self):
        """Return the sessions with their doses, and the slope without each of them."""
        from impact.text.formats import number
        from impact.text.table import KNOWN, Column, Table

        def change(value: float) -> str:
            return percent(10 * value)

        frame = self.points.assign(slope_without=self.leave_one_out["slope"]).reset_index()
        columns = (
            KNOWN["label"],
            KNOWN["session"],
            Column("dose", "dose, points", lambda dose: number(dose, 1, signed=True)),
            KNOWN["estimate"],
            KNOWN["sigma"],
            Column("slope_without", "slope without it, for 10 points", change),
        )
        left_out = counted(len(self.excluded), "unit")
        notes = (f"Slope: {self.verdict}.", f"{left_out} without a dose of its own left out.")
        return Table(frame, "Reaction against dose", columns, notes, self.signature)

    def plot(self, *, ax: Axes | None = None) -> Figure:
        """Draw the reactions against the doses, with the line and the bounds of its slope.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.
        """
        words = Words(f"Slope {self.verdict}", "Abnormal return in %, by dose.", self.signature)
        line = self.line(np.array([0.0, 1.0]))
        return dose_line(words, self.points, line, self.leave_one_out, ax=ax)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def dose_response(
    study,
    dose: str = "china_dose_pp",
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
        Column of the study's alignment: the change of one counterparty's tariff rate in
        percentage points. Doses of different counterparties are never added.
    start, end : int
        Relative sessions that are cumulated.
    side : {"two-sided", "greater", "less"}
        "less": the null is rejected by a negative slope.
    draws : int
        Sign patterns drawn when there are too many to enumerate (more than 14 sessions).
    rng : int or Generator

    Raises
    ------
    InferenceError
        If the study has no conditional variance or no column `dose`, or if fewer than 4 sessions
        have a dose of their own.

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
    >>> dose_response(study).points["dose"].to_list()
    [10.0, 34.0, -115.0, -10.0]
    """
    points, excluded = dosed_sessions(study, dose, start=start, end=end)
    if len(points) < FEWEST:
        raise InferenceError(
            f"{counted(len(points), 'session')} with a dose of {dose!r} of its own: "
            f"at least {FEWEST} are needed for a slope and its error"
        )
    x = points["dose"].to_numpy(float)
    y = points["estimate"].to_numpy(float)
    weights = 1 / points["sigma"].to_numpy(float) ** 2
    slope, intercept, error = _weighted_line(x, y[None, :], weights)
    reach = stdtrit(len(x) - 2, 0.975) * error[0]
    without = [
        _weighted_line(np.delete(x, i), np.delete(y, i)[None, :], np.delete(weights, i))[:2]
        for i in range(len(x))
    ]
    one_out = pd.DataFrame(
        np.array(without)[:, :, 0], index=points.index, columns=["slope", "intercept"]
    )
    low, high = slope[0] - reach, slope[0] + reach
    identified = low * high > 0 and one_out["slope"].min() * one_out["slope"].max() > 0
    return DoseResponse(
        slope=float(slope[0]),
        intercept=float(intercept[0]),
        std_error=float(error[0]),
        ci_low=float(low),
        ci_high=float(high),
        side=side,
        p_value=sign_flip_p(x, y, weights, side=side, draws=draws, rng=rng),
        leave_one_out=one_out,
        identified=bool(identified),
        points=points,
        excluded=excluded,
        signature=study.signature(start, end),
    )


def dosed_sessions(
    study, dose: str = "china_dose_pp", *, start: int = 0, end: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sessions that hold one dose and nothing else, and why the others do not.

    Parameters
    ----------
    study, dose, start, end
        As in `dose_response`.

    Returns
    -------
    points : DataFrame
        Index = event; label, session, dose, estimate (decimal), sigma.
    excluded : DataFrame
        event, reason.

    Raises
    ------
    InferenceError
        If the study has no conditional variance or no column `dose`.
    """
    car = study.car(start, end)
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
            "label": units["label"],
            "session": units["session"],
            "dose": units[dose],
            "estimate": car["estimate"],
            "sigma": car["sigma_conditional"],
        }
    )
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
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    side: str = "two-sided",
    draws: int = 9_999,
    rng: int | np.random.Generator = 0,
) -> float:
    """p of a zero slope by flipping the signs of the residuals of the model without slope.

    Parameters
    ----------
    x, y, weights : ndarray, shape (n,)
    side : {"two-sided", "greater", "less"}
    draws : int
        Patterns drawn when n > 14; otherwise all 2ⁿ are used.
    rng : int or Generator

    Returns
    -------
    float
        Share of patterns whose studentised slope is at least as extreme as the observed one,
        itself included.
    """
    n = len(x)
    if n <= ALL_SIGNS:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    else:
        drawn = np.random.default_rng(rng).choice((1.0, -1.0), size=(draws, n))
        signs = np.vstack([np.ones(n), drawn])
    centre = np.average(y, weights=weights)
    slope, _, error = _weighted_line(x, centre + signs * (y - centre), weights)
    statistic = extremity(slope / error, side)
    # Patterns that are equal but for rounding count as equal.
    return float((statistic >= statistic[0] - 1e-12 * abs(statistic[0])).mean())
