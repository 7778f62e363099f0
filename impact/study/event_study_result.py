"""EventStudy: the frozen result of event_study(), with its tables and displays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.errors import EventError, HistoryError, ModelError
from impact.estimation.least_squares import (
    Estimates,
    Pairs,
    Panel,
    estimate,
    residuals_and_leverage,
)
from impact.estimation.models import Design
from impact.estimation.observations import Units, dropped_rows
from impact.estimation.sample import Sample
from impact.market.windows import Window, tested_window
from impact.news.alignment import closest_ids
from impact.study import average, cumulative, diagnostics, event_paths, groups, tests_table
from impact.study.tables import study_table
from impact.text.formats import counted, list_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What a study was asked for, apart from its data."""

    estimation: Window
    window: Window
    min_observations: int
    exclude_neighbours: bool
    volatility: str | None
    kind: str
    seed: int


@dataclass(frozen=True, eq=False, repr=False)
class EventStudy:
    """Result of `event_study`; frozen, all tables labelled.

    Attributes
    ----------
    abnormal : DataFrame, rows (event[, security]) x columns relative session
        Abnormal returns (prediction errors), decimal fractions; NaN where a return is missing.
    fit : DataFrame
        Parameters, `residual_variance`, `dof` and `observations` of each row.
    alignment : DataFrame
        One row a unit: label, announcements, announced_at, session, why it moved, neighbours,
        macro releases.
    dropped : DataFrame
        event, security, reason of everything left out.
    returns : DataFrame
        The returns studied, sessions x securities.
    settings : Settings
        Windows, kind of returns, variance model, seed.
    """

    abnormal: pd.DataFrame
    fit: pd.DataFrame
    alignment: pd.DataFrame
    dropped: pd.DataFrame
    returns: pd.DataFrame
    settings: Settings
    panel: Panel
    estimates: Estimates
    pairs: Pairs
    unit: np.ndarray
    implied: pd.Series | None = None

    @property
    def layout(self) -> Design:
        """The normal-return model along the rows of the returns."""
        return self.panel.layout

    # -- what it is ------------------------------------------------------------------------------

    @property
    def is_one_series(self) -> bool:
        """Whether every event was studied on one and the same series."""
        return self.returns.shape[1] == 1

    @property
    def has_common_dates(self) -> bool:
        """Whether the study is a panel in which securities share their sessions."""
        return not self.is_one_series and len(np.unique(self.pairs.position)) < len(self.pairs)

    def __len__(self) -> int:
        return len(self.abnormal)

    def __repr__(self) -> str:
        columns = self.returns.shape[1]
        return (
            f"EventStudy: {counted(len(self.alignment), 'unit')} on "
            f"{counted(columns, 'series', 'series')}, {self.layout.name}, "
            f"estimation {self.settings.estimation}, window {self.settings.window}, "
            f"{len(self.dropped)} dropped"
        )

    def __getitem__(self, event: str) -> EventStudy:
        """Return the study of one unit, found by the id of any of its announcements.

        Raises
        ------
        EventError
            If the id is unknown (the nearest are named) or was dropped (the reason is given).
        """
        for row, members in enumerate(self.alignment["announcements"]):
            if event in members:
                return self.take(np.flatnonzero(self.unit == row))
        for _, row in self.dropped[self.dropped["event"] == str(event)].iterrows():
            raise EventError(f"{event!r} is not in this study: {row['reason']}")
        known = [name for members in self.alignment["announcements"] for name in members]
        raise EventError(
            f"{event!r} is not an event of this study: the nearest are "
            f"{list_of(map(repr, closest_ids(event, known)), 'or')}"
        )

    def take(self, rows: np.ndarray) -> EventStudy:
        """Return the study of some of its rows (positions in `abnormal`)."""
        units, unit = np.unique(self.unit[rows], return_inverse=True)
        return replace(
            self,
            abnormal=self.abnormal.iloc[rows],
            fit=self.fit.iloc[rows],
            alignment=self.alignment.iloc[units],
            estimates=self.estimates.take(rows),
            pairs=self.pairs[rows],
            unit=unit,
        )

    # -- tables by relative session --------------------------------------------------------------

    @cached_property
    def std_error(self) -> pd.DataFrame:
        """Standard error of each abnormal return, forecast error included."""
        observed = self.abnormal.notna().to_numpy()
        columns = [
            self.estimates.variance_factor(self.regressors, observed & (offsets == day))
            for offsets in [self.settings.window.offsets]
            for day in offsets
        ]
        errors = np.sqrt(np.column_stack(columns)) * self.estimates.residual_std[:, None]
        return self._like_abnormal(np.where(observed, errors, np.nan))

    @cached_property
    def standardised(self) -> pd.DataFrame:
        """Standardised abnormal returns: `abnormal` / `std_error`."""
        return self.abnormal / self.std_error

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Estimation residuals, rows as `abnormal`, columns relative session."""
        values, _ = self.residuals_and_leverage
        return pd.DataFrame(
            values,
            index=self.abnormal.index,
            columns=pd.Index(self.settings.estimation.offsets, name="relative_session"),
        )

    @cached_property
    def regressors(self) -> np.ndarray:
        """Regressors in the event window, shape (R, M, W)."""
        return self.panel.regressors_in(self.pairs, self.settings.window)

    @cached_property
    def residuals_and_leverage(self) -> tuple[np.ndarray, np.ndarray]:
        """Estimation residuals and leverages, each of shape (M, L)."""
        return residuals_and_leverage(self.panel, self.pairs, self.settings.estimation)

    def _like_abnormal(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.abnormal.index, columns=self.abnormal.columns)

    # -- windows ---------------------------------------------------------------------------------

    def sample(self, start: int, end: int | None = None) -> Sample:
        """Return everything a test needs of the window (start, end), as arrays.

        Raises
        ------
        WindowError
            If the window is reversed or reaches outside the study's event window.
        """
        tested = tested_window(start, end, self.settings.window)
        return Sample(self, tested)

    def car(self, start: int, end: int | None = None) -> pd.DataFrame:
        """Cumulative abnormal returns of every row over the window (start, end).

        Parameters
        ----------
        start, end : int
            Relative sessions, both included; `end` defaults to `start`.

        Returns
        -------
        DataFrame
            See `impact.study.cumulative.car_table`.

        Raises
        ------
        WindowError
            If the window is reversed or reaches outside the study's event window.
        """
        return cumulative.car_table(self, start, end)

    def bhar(self, start: int, end: int | None = None) -> pd.DataFrame:
        """Buy-and-hold abnormal returns over (start, end): compounded actual minus normal.

        See `impact.study.cumulative.bhar_table`.

        Raises
        ------
        WindowError
            If the window is reversed or reaches outside the study's event window.
        """
        return cumulative.bhar_table(self, start, end)

    def aar(self) -> pd.DataFrame:
        """Average abnormal return of each relative session, with 95% intervals.

        See `impact.study.average.average_path`.
        """
        return average.average_path(self, cumulative=False)

    def caar(self, start: int | None = None) -> pd.DataFrame:
        """Cumulative average abnormal return from `start` to each later session.

        See `impact.study.average.average_path`.
        """
        return average.average_path(self, cumulative=True, start=start)

    def portfolio(self) -> EventStudy:
        """Study the equal-weighted portfolio of the columns as one series.

        Securities that share their dates are one observation: their common move is this
        portfolio's, tested conditionally.

        Raises
        ------
        ModelError
            If the study has firm events, whose securities do not share their dates.
        """
        if self.is_one_series:
            return self
        if (np.bincount(self.unit) < 2).any():
            raise ModelError(
                "a portfolio of all columns needs events that apply to every column: "
                "leave `security` out of the events"
            )
        return _with_returns(self, self.returns.mean(axis=1).to_frame("portfolio"))

    def tests(
        self, start: int = 0, end: int | None = None, *, induced_variance: bool = True
    ) -> pd.DataFrame:
        """Every test of the window, with what is valid for this design and why.

        Parameters
        ----------
        start, end : int
            Tested window, relative sessions, both included; `end` defaults to `start`.
        induced_variance : bool
            Whether the events may raise the variance of the returns, as news does; tests that
            do not stand it are then not valid.

        Returns
        -------
        DataFrame
            Index = name; `statistic`, `p_value`, `n`, `null`, `valid` ("yes", "no", "not known"
            or "in calm markets"), `because`, and `size`: how often it rejects at 5% when there is
            nothing to find, where that was measured. A test that does not fit has no number.
        """
        return tests_table.tests_table(self, start, end, induced_variance=induced_variance)

    def diagnostics(self) -> pd.DataFrame:
        """What the estimation residuals of each row say about the tests.

        See `impact.study.diagnostics.diagnostics_table`.
        """
        return diagnostics.diagnostics_table(self)

    def compare(self, by, start: int = 0, end: int | None = None) -> groups.GroupComparison:
        """Compare the mean CARs of groups of events or securities.

        See `impact.study.groups.compare_groups`.
        """
        return groups.compare_groups(self, by, start, end)

    # -- display ---------------------------------------------------------------------------------

    def signature(self, start: int | None = None, end: int | None = None) -> str:
        """One line that says what a table of this study was computed with."""
        settings = self.settings
        tested = settings.window
        if start is not None:
            tested = Window(start, start if end is None else end)
        parts = [
            self.layout.name,
            f"estimation {settings.estimation}",
            f"window {tested}",
            f"{settings.kind} returns",
            counted(len(self.alignment), "unit"),
        ]
        if self.is_one_series and settings.volatility is not None:
            parts.append(f"conditional variance {settings.volatility}")
        if "hash" in self.returns.attrs:
            parts.append(f"data {self.returns.attrs['hash']}")
        return "; ".join(parts)

    def to_frame(self) -> pd.DataFrame:
        """Return the study in tidy form: one row a pair and relative session."""
        tidy = pd.DataFrame(
            {
                "abnormal": self.abnormal.stack(future_stack=True),
                "std_error": self.std_error.stack(future_stack=True),
                "standardised": self.standardised.stack(future_stack=True),
            }
        ).reset_index()
        sessions = self.returns.index[
            (self.pairs.position[:, None] + self.settings.window.offsets).ravel()
        ]
        tidy.insert(tidy.columns.get_loc("relative_session") + 1, "session", sessions)
        return tidy

    def summary(self, start: int = 0, end: int | None = None):
        """Return the table of `car` in the look of a journal."""
        return study_table(self, start, end)

    def plot(self, event: str | None = None, *, ax: Axes | None = None) -> Figure:
        """Draw the cumulative paths of the units with their bands.

        Parameters
        ----------
        event : str, optional
            Draw this unit only.
        ax : matplotlib Axes, optional
            Where to draw a picture of one panel, without the page around it.
        """
        return event_paths.study_paths(self if event is None else self[event], ax=ax)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def neighbour_sessions(securities, pairs: Pairs, settings: Settings) -> np.ndarray | None:
    """Sessions 0..1 of every event, by security, shape (T, N); None when they may stay."""
    if not settings.exclude_neighbours:
        return None
    excluded = np.zeros(securities.shape, dtype=bool)
    for offset in (0, 1):
        rows = np.minimum(pairs.position + offset, len(securities) - 1)
        excluded[rows, pairs.column] = True
    return excluded


def assemble(securities, panel, units, estimates, settings, implied) -> EventStudy:
    reasons = _why_not(estimates, settings, panel.layout)
    usable = reasons == ""
    names = securities.columns.astype("str").to_numpy()[units.pairs.column]
    ids = units.table.index.to_numpy()[units.unit]
    dropped = units.dropped
    if not usable.all():
        refused = dropped_rows(ids[~usable], reasons[~usable], names[~usable])
        dropped = pd.concat([dropped, refused], ignore_index=True)
    if not usable.any():
        raise HistoryError(nothing_left(dropped))
    kept, unit = np.unique(units.unit[usable], return_inverse=True)
    estimates = estimates.take(np.flatnonzero(usable))
    if securities.shape[1] == 1:
        index = pd.Index(ids[usable], name="event")
    else:
        index = pd.MultiIndex.from_arrays([ids[usable], names[usable]], names=["event", "security"])
    columns = pd.Index(settings.window.offsets, name="relative_session")
    fit = pd.DataFrame(estimates.parameters, index=index, columns=list(panel.layout.parameters))
    fit["residual_variance"] = estimates.residual_std**2
    fit["dof"], fit["observations"] = estimates.dof, estimates.observations
    return EventStudy(
        abnormal=pd.DataFrame(estimates.abnormal, index=index, columns=columns),
        fit=fit,
        alignment=units.table.iloc[kept],
        dropped=dropped,
        returns=securities,
        settings=settings,
        panel=panel,
        estimates=estimates,
        pairs=units.pairs[np.flatnonzero(usable)],
        unit=unit,
        implied=implied,
    )


def _why_not(estimates: Estimates, settings: Settings, layout: Design) -> np.ndarray:
    """Why a pair cannot be used; "" where it can."""
    reasons = np.full(len(estimates.observations), "", dtype=object)
    few = estimates.observations < max(settings.min_observations, 1)
    for i in np.flatnonzero(few):
        reasons[i] = (
            f"{counted(estimates.observations[i], 'return')} in the estimation window "
            f"{settings.estimation}, min_observations={settings.min_observations}"
        )
    no_dof = ~few & (estimates.dof <= 0)
    reasons[no_dof] = "fewer observations than parameters"
    singular = ~few & ~no_dof & ~np.isfinite(estimates.parameters).all(axis=1)
    reasons[singular] = (
        f"the regressors ({', '.join(layout.names)}) are collinear or constant in the "
        f"estimation window"
    )
    still = ~few & ~no_dof & ~singular & ~(estimates.residual_std > 0)
    reasons[still] = "no variance is left in the estimation window"
    gone = (reasons == "") & np.isnan(estimates.abnormal).all(axis=1)
    reasons[gone] = "no return in the event window"
    return reasons


def nothing_left(dropped: pd.DataFrame) -> str:
    if dropped.empty:
        return "there is no event to study: the list of events is empty"
    reasons = dropped.drop_duplicates("reason")["reason"].to_list()
    shown = "; ".join(reasons[:3]) + ("; …" if len(reasons) > 3 else "")
    return f"no event can be studied ({counted(len(dropped), 'dropped event')}): {shown}"


def _with_returns(study: EventStudy, returns: pd.DataFrame) -> EventStudy:
    """Repeat a study's units on other returns of the same sessions, as one series."""
    returns.attrs = dict(study.returns.attrs)
    first = np.unique(study.unit, return_index=True)[1]
    pairs = Pairs(study.pairs.position[first], np.zeros(len(first), dtype=int))
    excluded = study.panel.excluded
    panel = Panel(
        returns.to_numpy(float),
        study.layout,
        None if excluded is None else excluded.any(axis=0)[:, None],
    )
    settings = study.settings
    estimates = estimate(
        panel, pairs, settings.estimation, settings.window, settings.min_observations
    )
    units = Units(study.alignment, pairs, np.arange(len(first)), dropped_rows([], []))
    return assemble(returns, panel, units, estimates, settings, None)
