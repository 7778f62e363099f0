"""What a test needs of a study, as plain arrays over its M pairs of event and security."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from impact.market.windows import Window

if TYPE_CHECKING:
    from impact.study.event_study_result import EventStudy


@dataclass(frozen=True, eq=False)
class Sample:
    """The window `tested` of a study, as arrays; computed when first asked for.

    Attributes
    ----------
    study : EventStudy
    tested : Window
    """

    study: EventStudy
    tested: Window

    @property
    def ar(self) -> np.ndarray:
        """Abnormal returns over the whole event window, shape (M, W); NaN = missing."""
        return self.study.abnormal.to_numpy()

    @property
    def window_offsets(self) -> np.ndarray:
        """Relative sessions of the event window, shape (W,)."""
        return self.study.settings.window.offsets

    @cached_property
    def inside(self) -> np.ndarray:
        """Which sessions of the event window are tested, shape (W,)."""
        offsets = self.window_offsets
        return (offsets >= self.tested.start) & (offsets <= self.tested.end)

    @cached_property
    def inside_pairs(self) -> np.ndarray:
        """Tested sessions with a return, shape (M, W)."""
        return self.inside & ~np.isnan(self.ar)

    @cached_property
    def days(self) -> np.ndarray:
        """Number k_i of tested sessions with a return, shape (M,)."""
        return self.inside_pairs.sum(axis=1)

    @cached_property
    def car(self) -> np.ndarray:
        """Sum of the abnormal returns in the tested window, shape (M,); NaN where days = 0."""
        total = np.where(self.inside_pairs, self.ar, 0.0).sum(axis=1)
        return np.where(self.days > 0, total, np.nan)

    @cached_property
    def c(self) -> np.ndarray:
        """Var(CAR) / s², shape (M,): k + c'(X'X)⁻¹c."""
        return self.study.estimates.variance_factor(self.study.regressors, self.inside_pairs)

    @property
    def s(self) -> np.ndarray:
        """Residual standard deviation of the estimation window, shape (M,)."""
        return self.study.estimates.residual_std

    @property
    def dof(self) -> np.ndarray:
        """Degrees of freedom of `s`, shape (M,)."""
        return self.study.estimates.dof

    @property
    def n_estimation(self) -> np.ndarray:
        """Returns in the estimation window, shape (M,)."""
        return self.study.estimates.observations

    @cached_property
    def scar(self) -> np.ndarray:
        """Standardised CAR, car / (s sqrt(c)), shape (M,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.car / (self.s * np.sqrt(self.c))

    @property
    def sar(self) -> np.ndarray:
        """Standardised abnormal return of each session, shape (M, W)."""
        return self.study.standardised.to_numpy()

    @property
    def estimation_ar(self) -> np.ndarray:
        """Estimation residuals, shape (M, L); NaN = missing."""
        return self.study.residuals_and_leverage[0]

    @property
    def leverage(self) -> np.ndarray:
        """Leverage of each estimation session, shape (M, L)."""
        return self.study.residuals_and_leverage[1]

    @property
    def position(self) -> np.ndarray:
        """Row of session 0 in the returns, shape (M,)."""
        return self.study.pairs.position

    @property
    def security(self) -> np.ndarray:
        """Column of the security in the returns, shape (M,)."""
        return self.study.pairs.column

    @property
    def event(self) -> np.ndarray:
        """Number of the unit, shape (M,)."""
        return self.study.unit

    @property
    def kind(self) -> str:
        """``"log"`` or ``"simple"``."""
        return self.study.settings.kind

    @property
    def series_count(self) -> int:
        """Number of distinct securities."""
        return len(np.unique(self.security))

    @property
    def event_count(self) -> int:
        """Number of units."""
        return len(self.study.alignment)
