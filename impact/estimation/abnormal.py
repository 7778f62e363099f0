"""AbnormalReturns: what every test reads. Data and fits, no tests of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from impact.errors import EventError, HistoryError, ModelError, VolatilityError
from impact.estimation.fits import Fits, Settings, WindowReturns
from impact.estimation.least_squares import Estimates, estimate, slopes
from impact.estimation.models import Design
from impact.estimation.observations import Units, dropped_rows
from impact.estimation.pairs import Pairs
from impact.estimation.panel_windows import Panel
from impact.estimation.spans import average_return
from impact.market.calendar import NYSE
from impact.market.returns import TRADE_TO_TRADE
from impact.market.windows import Window, tested_window
from impact.text.formats import counted, iso
from impact.text.nearest import suggested
from impact.text.result import signed


@dataclass(frozen=True, eq=False, repr=False)
class AbnormalReturns:
    """Abnormal returns of M pairs of event and security; frozen, all tables labelled.

    Attributes
    ----------
    fit : DataFrame, rows (event[, security])
        Parameters, `residual_variance`, `dof` and `observations` of each row.
    alignment : DataFrame
        One row a unit: label, announcements, session, why it moved, neighbours, and every other
        column of the events.
    dropped : DataFrame
        event, security, reason of everything left out.
    returns : DataFrame
        The returns studied, sessions x securities.
    fits : Fits
        The engine's arrays behind the tables.
    implied : Series or None
        The volatility index in points.
    notes : tuple of str
        What a reader of its tables must know of the data, in sentences.
    """

    fit: pd.DataFrame
    alignment: pd.DataFrame
    dropped: pd.DataFrame
    returns: pd.DataFrame
    fits: Fits
    implied: pd.Series | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def estimated(
        cls,
        returns: pd.DataFrame,
        panel: Panel,
        units: Units,
        settings: Settings,
        implied: pd.Series | None = None,
        notes: tuple[str, ...] = (),
    ) -> Self:
        """Fit the panel's model to every pair; those that cannot be used are dropped.

        HistoryError, which gives the reasons, if none is left.
        """
        past = panel.past(units.pairs)
        fitted = estimate(panel, units.pairs, past, settings.window, settings.min_observations)
        reasons = _why_not(fitted, settings, panel.layout)
        usable = np.flatnonzero(reasons == "")
        names = returns.columns.astype("str").to_numpy()[units.pairs.column]
        ids = units.table.index.to_numpy()[units.unit]
        dropped = units.dropped
        if len(usable) < len(reasons):
            refused = reasons != ""
            more = dropped_rows(ids[refused], reasons[refused], names[refused])
            dropped = pd.concat([dropped, more], ignore_index=True)
        if not len(usable):
            raise HistoryError(nothing_left(dropped))
        kept, unit = np.unique(units.unit[usable], return_inverse=True)
        fitted = fitted.take(usable)
        index = _labels(ids[usable], names[usable], returns.shape[1])
        named = dict(zip(panel.layout.parameters, fitted.parameters.T, strict=True))
        named |= {"residual_variance": fitted.residual_std**2, "dof": fitted.dof}
        fit = pd.DataFrame(named | {"observations": fitted.observations}, index)
        return cls(
            fit=fit,
            alignment=units.table.iloc[kept],
            dropped=dropped,
            returns=returns,
            fits=Fits(panel, fitted, units.pairs[usable], unit, settings, past),
            implied=implied,
            notes=notes,
        )

    # -- what it is ------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """Windows, kind of returns, variance model, seed."""
        return self.fits.settings

    @property
    def layout(self) -> Design:
        """The normal-return model along the rows of the returns."""
        return self.fits.panel.layout

    @property
    def units(self) -> pd.DataFrame:
        """The row of `alignment` of each row of `abnormal`."""
        return self.alignment.iloc[self.fits.unit]

    @property
    def is_one_series(self) -> bool:
        """Whether every event was studied on one and the same series."""
        return self.returns.shape[1] == 1

    @property
    def has_common_dates(self) -> bool:
        """Whether the study is a panel in which securities share their sessions."""
        pairs = self.fits.pairs
        return not self.is_one_series and len(np.unique(pairs.position)) < len(pairs)

    @property
    def rows_of_an_event(self) -> int:
        """Rows of an event of all columns; one where securities have dates of their own."""
        return self.returns.shape[1] if self.has_common_dates else 1

    def __len__(self) -> int:
        return len(self.fit)

    def __repr__(self) -> str:
        columns = self.returns.shape[1]
        return (
            f"{type(self).__name__}: {counted(len(self.alignment), 'unit')} on "
            f"{counted(columns, 'series', 'series')}, {self.layout.name}, "
            f"estimation {self.settings.estimation}, window {self.settings.window}, "
            f"{len(self.dropped)} dropped"
        )

    @property
    def signature(self) -> str:
        """One line: model, windows, kind and span of the returns, units, variance, hashes."""
        return self.signed(self.settings.window.start, self.settings.window.end)

    def signed(self, start: int, end: int | None = None, *, conditional: bool | None = None) -> str:
        """Return the signature of a table of the window (start, end).

        It names the variance model where the table is conditional: by default that of one series.
        """
        settings, sessions = self.settings, self.returns.index
        parts = [
            self.layout.name,
            f"estimation {settings.estimation}",
            f"window {Window(start, start if end is None else end)}",
            f"{settings.what} {iso(sessions[0])} to {iso(sessions[-1])}",
            counted(len(self.alignment), "unit"),
        ]
        if settings.market != NYSE:
            parts.append(f"sessions of {settings.market or 'no market that was named'}")
        conditional = self.is_one_series if conditional is None else conditional
        if conditional and settings.volatility is not None:
            parts.append(f"conditional variance {settings.volatility}")
        return signed(*parts, prices=self.returns, events=[self.alignment])

    # -- parts of it -----------------------------------------------------------------------------

    def __getitem__(self, event: str) -> Self:
        """Return the part of one unit, found by the id or label of any of its announcements.

        EventError if the id is unknown (the nearest are named) or was dropped (with the reason).
        """
        if not isinstance(event, str):
            raise EventError(f"an event is named by the text of its id or label, not by {event!r}")
        units = zip(self.alignment["announcements"], self.alignment["label"], strict=True)
        for row, (members, label) in enumerate(units):
            if event in members or event in (label, *label.split("; ")):
                return self.take(np.flatnonzero(self.fits.unit == row))
        for reason in self.dropped.loc[self.dropped["event"] == event, "reason"]:
            raise EventError(f"{event!r} is not in this study: {reason}")
        known = [name for members in self.alignment["announcements"] for name in members]
        raise EventError(f"{event!r} is not an event of this study: {suggested(event, known)}")

    def take(self, rows: np.ndarray) -> Self:
        """Return the part that holds some of its rows (positions in `abnormal`)."""
        return replace(
            self,
            fit=self.fit.iloc[rows],
            alignment=self.alignment.iloc[np.unique(self.fits.unit[rows])],
            fits=self.fits.take(rows),
        )

    def portfolio(self) -> Self:
        """Study the equal-weighted portfolio of the columns as one series.

        Securities that share their dates are one observation: their common move is this
        portfolio's, tested conditionally. ModelError if the study has firm events, whose securities
        do not share their dates.
        """
        if self.is_one_series:
            return self
        fits = self.fits
        if (np.bincount(fits.unit) < 2).any():
            raise ModelError(
                "a portfolio of all columns needs events that apply to every column: "
                "leave `security` out of the events"
            )
        mean, spans = average_return(self.returns, fits.panel.spans)
        returns = mean.to_frame("portfolio")
        returns.attrs = dict(self.returns.attrs)
        first = np.unique(fits.unit, return_index=True)[1]
        pairs = Pairs(fits.pairs.position[first], np.zeros(len(first), dtype=int))
        near = fits.panel.excluded
        excluded = None if near is None else np.atleast_2d(near.any(axis=0)).T
        layout = self.layout.averaged(self.returns.notna().to_numpy().T)
        kept = (self.settings.estimation, excluded, spans, fits.panel.compounded)
        panel = Panel(returns.to_numpy(float), layout, *kept)
        units = Units(self.alignment, pairs, np.arange(len(first)), dropped_rows([], []))
        return self.estimated(returns, panel, units, self.settings, notes=self.notes)

    # -- numbers ---------------------------------------------------------------------------------

    def over(self, start: int, end: int | None = None) -> WindowReturns:
        """Return everything a test needs of the window (start, end), as arrays."""
        return WindowReturns(self.fits, tested_window(start, end, self.settings.window))

    @cached_property
    def abnormal(self) -> pd.DataFrame:
        """Abnormal returns (prediction errors), rows (event[, security]) x relative sessions.

        Decimal fractions, NaN where a return is missing. After missing prices it is that of all
        sessions since the last one.
        """
        columns = pd.Index(self.settings.window.offsets, name="relative_session")
        return pd.DataFrame(self.fits.abnormal, self.fit.index, columns)

    @cached_property
    def std_error(self) -> pd.DataFrame:
        """Standard error of each abnormal return, forecast error included."""
        errors = self.fits.std_error
        return pd.DataFrame(errors, index=self.fit.index, columns=self.abnormal.columns)

    @cached_property
    def standardised(self) -> pd.DataFrame:
        """Standardised abnormal returns: `abnormal` / `std_error`."""
        return self.abnormal / self.std_error

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Estimation residuals, rows as `abnormal`, columns relative session."""
        values, _ = self.fits.residuals_and_leverage
        offsets = pd.Index(self.fits.past.offsets, name="relative_session")
        return pd.DataFrame(values, index=self.fit.index, columns=offsets)

    def history(self, row: int, fitted: slice | None = None) -> pd.Series:
        """Return returns less what the fitted model explains, by session of a row's security.

        The loadings are fitted on the rows `fitted` of the returns, by default those of the
        estimation window. The series begins after the last gap before the event window, or, of
        returns that are trade-to-trade, with the first one, NaN in gaps. The mean stays in: a
        variance model has one of its own.
        """
        layout, pairs, panel = self.layout, self.fits.pairs, self.fits.panel
        if layout.user is not None:
            raise VolatilityError(
                f"the model {layout.name} says nothing of sessions outside its windows, so there "
                "is not a history of abnormal returns to forecast a variance from"
            )
        column, every = pairs[row : row + 1], Window(0, len(self.returns) - 1)
        values = panel.by_security[column.column[0]]
        window, at = self.settings.window, int(column.position[0])
        lost = ~np.isfinite(values)
        if panel.spans is not None:
            # The move across a missing price comes later; one that the model cannot use does not.
            priced = self.returns.iloc[:, column.column[0]].notna().to_numpy()
            lost &= priced | ~np.maximum.accumulate(priced)
        before = np.flatnonzero(lost[: at + window.start])
        begin = int(before[-1]) + 1 if len(before) else 0
        if layout.names:
            whole = Pairs(np.zeros(1, dtype=int), column.column)
            regressors = panel.regressors_in(whole, every)[:, 0]
            loadings = self.fits.estimates.parameters[row, 1:]
            if fitted is not None:
                known = slice(max(fitted.start, begin), fitted.stop)
                loadings = slopes(values[known], regressors[:, known])
            values = values - np.einsum("r,rt->t", loadings, regressors)
        history = pd.Series(values, self.returns.index).iloc[begin:]
        if panel.spans is not None:
            history = history[panel.spans.own[column.column[0], begin:]]
            if not lost[at + window.start : at + window.end + 1].any():
                history.attrs["gaps"] = TRADE_TO_TRADE
        return history


def _labels(ids: np.ndarray, securities: np.ndarray, columns: int) -> pd.Index:
    if columns == 1:
        return pd.Index(ids, name="event")
    return pd.MultiIndex.from_arrays([ids, securities], names=["event", "security"])


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
    if estimates.abnormal is not None:
        gone = (reasons == "") & np.isnan(estimates.abnormal).all(axis=1)
        reasons[gone] = "no return in the event window"
    return reasons


def nothing_left(dropped: pd.DataFrame) -> str:
    """Say why no event can be studied."""
    if dropped.empty:
        return "there is no event to study: the list of events is empty"
    reasons = dropped.drop_duplicates("reason")["reason"].to_list()
    shown = "; ".join(reasons[:3]) + ("; …" if len(reasons) > 3 else "")
    return f"no event can be studied ({counted(len(dropped), 'dropped event')}): {shown}"
