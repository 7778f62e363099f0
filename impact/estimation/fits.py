"""The fits behind abnormal returns, and the arrays that a test needs of one window.

All arrays run over M pairs of event and security.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from impact.estimation.least_squares import Estimates, residuals_and_leverage
from impact.estimation.pairs import Pairs
from impact.estimation.panel_windows import Panel
from impact.estimation.prefix_sums import PrefixSums
from impact.market.windows import Window

#: Residuals are kept up to so many (4 MiB), and of more pairs made when a test needs them.
KEPT_NUMBERS = 2**19

#: Why a row is left out where the first return of the window spans sessions before it.
BEGINS_INSIDE = "its first return is partly of sessions before the window"


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
    market: str
    unit: str
    n_jobs: int

    @property
    def what(self) -> str:
        """What is studied: "log returns", "changes in points"."""
        return f"changes in {self.unit}" if self.unit else f"{self.kind} returns"


@dataclass(frozen=True, eq=False)
class Fits:
    """A normal-return model fitted to M pairs, where they stand, and what was asked for.

    `unit` is the number of each pair's unit, shape (M,); the rows `past` hold the estimation
    windows.
    """

    panel: Panel
    estimates: Estimates
    pairs: Pairs
    unit: np.ndarray
    settings: Settings
    past: Window

    def take(self, rows: np.ndarray) -> Fits:
        """Return the fits of some pairs, their units numbered anew."""
        unit = np.unique(self.unit[rows], return_inverse=True)[1]
        return replace(self, estimates=self.estimates.take(rows), pairs=self.pairs[rows], unit=unit)

    @cached_property
    def abnormal(self) -> np.ndarray:
        """Prediction errors in the event window, shape (M, W); NaN where the return is missing."""
        found, window = self.estimates.abnormal, self.settings.window
        if found is not None:
            return found
        errors = self.panel.returns_in(self.pairs, window)
        parameters = self.estimates.parameters
        errors -= parameters[:, :1] if self.estimates.constant else 0.0
        for r, regressor in enumerate(self.regressors):
            errors -= parameters[:, r + 1, None] * regressor
        return errors

    @cached_property
    def regressors(self) -> np.ndarray:
        """Regressors in the event window, shape (R, M, W)."""
        return self.panel.regressors_in(self.pairs, self.settings.window)

    @cached_property
    def own(self) -> np.ndarray | None:
        """Which rows of the event window are sessions of the security, shape (M, W); None: all."""
        return self.panel.own_in(self.pairs, self.settings.window)

    @cached_property
    def residuals_and_leverage(self) -> tuple[np.ndarray, np.ndarray]:
        """Estimation residuals and leverages, each of shape (M, L)."""
        return residuals_and_leverage(self.panel, self.pairs, self.past)

    def estimation_chunks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield some pairs at a time, with their estimation residuals and leverages.

        Those of many pairs are computed anew each time: kept, they would fill the memory.
        """
        length = self.past.length
        whole = len(self.pairs) * length <= KEPT_NUMBERS or "residuals_and_leverage" in vars(self)
        for chunk in self.pairs.chunks(length):
            if whole:
                residuals, leverage = self.residuals_and_leverage
                yield chunk, residuals[chunk], leverage[chunk]
            else:
                yield chunk, *residuals_and_leverage(self.panel, self.pairs[chunk], self.past)

    @cached_property
    def std_error(self) -> np.ndarray:
        """Standard error of each abnormal return, forecast error included, shape (M, W)."""
        observed = ~np.isnan(self.abnormal)
        offsets = self.settings.window.offsets
        factors = [
            self.estimates.variance_factor(self.regressors, observed & (offsets == day))
            for day in offsets
        ]
        errors = np.sqrt(np.column_stack(factors)) * self.estimates.residual_std[:, None]
        return np.where(observed, errors, np.nan)


@dataclass(frozen=True, eq=False)
class WindowReturns:
    """Abnormal returns of the window `tested`, as arrays; computed when first asked for."""

    fits: Fits
    tested: Window

    @property
    def sums(self) -> PrefixSums | None:
        """Running sums of the panel where the fits come from them."""
        return self.fits.panel.sums if self.fits.estimates.abnormal is None else None

    @cached_property
    def ar(self) -> np.ndarray:
        """Abnormal returns over the whole event window, shape (M, W); NaN = missing.

        Also NaN in the tested window where that begins inside a span.
        """
        values = self.fits.abnormal
        if not self.begins_inside.any():
            return values
        return np.where(self.begins_inside[:, None] & self.inside, np.nan, values)

    @cached_property
    def ar_of_session(self) -> np.ndarray:
        """As `ar`, returns that span several sessions divided by the root of their number."""
        span = self.fits.estimates.span
        return self.ar if span is None else self.ar / np.sqrt(span)

    @cached_property
    def ar_of_one(self) -> np.ndarray:
        """As `ar`, NaN where a return spans several sessions."""
        span = self.fits.estimates.span
        return self.ar if span is None else np.where(span > 1, np.nan, self.ar)

    @cached_property
    def begins_inside(self) -> np.ndarray:
        """Pairs whose first return in the tested window is partly of sessions before it, (M,)."""
        span, own = self.fits.estimates.span, self.fits.own
        if span is None or own is None:
            return np.zeros(len(self.fits.pairs), dtype=bool)
        there = self.inside & ~np.isnan(self.fits.abnormal)
        first = there.argmax(axis=1)
        until = self.inside & own & (np.arange(len(self.inside)) <= first[:, None])
        pair = np.arange(len(first))
        return there.any(axis=1) & (span[pair, first] > until.sum(axis=1))

    @cached_property
    def inside(self) -> np.ndarray:
        """Which sessions of the event window are tested, shape (W,)."""
        offsets = self.fits.settings.window.offsets
        return (offsets >= self.tested.start) & (offsets <= self.tested.end)

    @cached_property
    def inside_pairs(self) -> np.ndarray:
        """Tested sessions with a return, shape (M, W)."""
        return self.inside & ~np.isnan(self.ar)

    @cached_property
    def days(self) -> np.ndarray:
        """Number k_i of tested sessions with a return, shape (M,)."""
        if self.sums is not None:
            return np.full(len(self.fits.pairs), self.tested.length)
        return self.inside_pairs.sum(axis=1)

    @cached_property
    def sessions(self) -> np.ndarray:
        """Sessions that those returns cover, shape (M,)."""
        span = self.fits.estimates.span
        return self.days if span is None else (self.inside_pairs * span).sum(axis=1)

    @cached_property
    def asked(self) -> np.ndarray:
        """Sessions of the tested window on which the security's exchange was open, shape (M,)."""
        own = self.fits.own
        if own is None:
            return np.full(len(self.days), self.tested.length)
        return (own & self.inside).sum(axis=1)

    @property
    def left_out(self) -> np.ndarray:
        """Why a pair has no return in the window, shape (M,); "" where it has one."""
        why = np.where(self.begins_inside, BEGINS_INSIDE, "no return in the window")
        return np.where(self.days > 0, "", why).astype(object)

    @cached_property
    def car(self) -> np.ndarray:
        """Sum of the abnormal returns in the tested window, shape (M,); NaN where days = 0."""
        if self.sums is not None:
            estimates = self.fits.estimates
            return self.sums.car(self.fits.pairs, self.tested, estimates.parameters)
        total = np.where(self.inside_pairs, self.ar, 0.0).sum(axis=1)
        return np.where(self.days > 0, total, np.nan)

    @cached_property
    def c(self) -> np.ndarray:
        """Var(CAR) / s², shape (M,): S + c'(X'WX)⁻¹c."""
        if self.sums is not None:
            total = self.sums.regressors_over(self.fits.pairs, self.tested)
            return self.fits.estimates.factor_of(self.days, total)
        return self.fits.estimates.variance_factor(self.fits.regressors, self.inside_pairs)

    @property
    def s(self) -> np.ndarray:
        """Residual standard deviation of the estimation window, shape (M,)."""
        return self.fits.estimates.residual_std

    @property
    def dof(self) -> np.ndarray:
        """Degrees of freedom of `s`, shape (M,)."""
        return self.fits.estimates.dof

    @property
    def n_estimation(self) -> np.ndarray:
        """Returns in the estimation window, shape (M,)."""
        return self.fits.estimates.observations

    @property
    def std_error(self) -> np.ndarray:
        """Standard error of `car`, s √C, shape (M,)."""
        return self.s * np.sqrt(self.c)

    @cached_property
    def scar(self) -> np.ndarray:
        """Standardised CAR, car / (s √C), shape (M,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.car / self.std_error

    @property
    def sar(self) -> np.ndarray:
        """Standardised abnormal return of each session, shape (M, W)."""
        return self.ar / self.fits.std_error

    @property
    def estimation_ar(self) -> np.ndarray:
        """Estimation residuals, each of the size of one session's, shape (M, L); NaN = missing."""
        return self.fits.residuals_and_leverage[0]

    @property
    def position(self) -> np.ndarray:
        """Row of session 0 in the returns, shape (M,)."""
        return self.fits.pairs.position
