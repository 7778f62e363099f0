"""Returns and regressors of the window of any pair of event and security, in one read."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from impact.estimation.models import Design
from impact.estimation.pairs import Pairs
from impact.estimation.prefix_sums import PrefixSums, running_sums
from impact.estimation.spans import RunningSums, Spans
from impact.market.windows import Window


class Panel:
    """Returns and design laid out so that a pair's window is one contiguous read.

    Parameters
    ----------
    returns : ndarray, shape (T, N)
        Decimal returns, NaN where missing.
    layout : Design
        The normal-return model along the same T rows; where it lacks a regressor the return
        counts as missing.
    estimation : Window
        In rows, or with `spans` in sessions of the security's own exchange.
    excluded : ndarray of bool, shape (T, N), or None
        Sessions left out of estimation windows (other events' sessions).
    spans : Spans or None
        Where returns cover more than their own row. A user's model has no use for those.
    compounded : bool
        Whether returns over several rows compound, as simple ones do, or add up.
    """

    def __init__(
        self,
        returns: np.ndarray,
        layout: Design,
        estimation: Window,
        excluded: np.ndarray | None,
        spans: Spans | None,
        compounded: bool,
    ):
        taken, rows = layout.subtracted, layout.by_row(layout.regressors)
        adjusted = returns.T if taken is None else returns.T - layout.by_row(taken)
        # A session without a regressor is one without a return: zero stands in for neither.
        absent = ~np.isfinite(rows).all(axis=0)
        self.regressors = rows
        if absent.any():
            adjusted = np.where(absent, np.nan, adjusted)
            self.regressors = np.where(absent, 0.0, rows)
        self.by_security = np.ascontiguousarray(adjusted)
        self.layout = layout
        self.excluded = None if excluded is None else np.ascontiguousarray(excluded.T)
        self.estimation, self.spans, self.compounded = estimation, spans, compounded
        self._open: np.ndarray | None = None
        self._sums: RunningSums | None = None
        self._taken: RunningSums | None = None
        if spans is not None:
            self._bridge(returns.T, spans)

    def _bridge(self, returns: np.ndarray, spans: Spans) -> None:
        """Take off each return over several rows what belongs to all of them."""
        layout = self.layout
        column, row = np.nonzero(spans.rows > 1)
        rows = spans.rows[column, row]
        moves = returns[column, row]
        kind = (self.compounded, layout.trade_to_trade)
        self._sums = RunningSums(layout.regressors, *kind)
        absent = ~np.isfinite(self._sums.over(column, row, rows)).all(axis=0)
        if layout.subtracted is not None:
            self._taken = RunningSums(layout.subtracted[None], *kind)
            moves = moves - self._taken.over(column, row, rows)[0]
        self.by_security = self.by_security.copy()
        self.by_security[column, row] = np.where(absent, np.nan, moves)
        if layout.user is not None:
            self.by_security[column, row] = np.nan
            self.spans = None
        elif not spans.own.all():
            # Own sessions before each row.
            self._open = running_sums(spans.own)
        if self.excluded is not None:
            before = running_sums(self.excluded)
            touched = before[column, row + 1] > before[column, row + 1 - rows]
            self.excluded[column, row] = touched

    @cached_property
    def sums(self) -> PrefixSums | None:
        """Running sums by security; None unless every return is there and of its own row."""
        layout = self.layout
        plain = layout.user is None and self.regressors.ndim == 2 and self.excluded is None
        if not plain or self.spans is not None or np.isnan(self.by_security).any():
            return None
        return PrefixSums(self.by_security, self.regressors, layout.constant)

    def returns_in(self, pairs: Pairs, window: Window) -> np.ndarray:
        """Returns of each pair in `window`, shape (M, W)."""
        return _blocks(self.by_security, window)[pairs.column, pairs.position + window.start]

    def regressors_in(self, pairs: Pairs, window: Window) -> np.ndarray:
        """Regressors of each pair in `window`, shape (R, M, W)."""
        return self._over(self.regressors, self._sums, pairs, window)

    def subtracted_in(self, pairs: Pairs, window: Window) -> np.ndarray:
        """What was taken off the returns of each pair in `window`, shape (M, W) or ()."""
        taken = self.layout.subtracted
        if taken is None:
            return np.zeros(())
        return self._over(self.layout.by_row(taken)[None], self._taken, pairs, window)[0]

    def _over(
        self, values: np.ndarray, sums: RunningSums | None, pairs: Pairs, window: Window
    ) -> np.ndarray:
        """Values (R, T) or (R, N, T) of each pair in `window`, summed over what a return spans."""
        blocks, at = _blocks(values, window), pairs.position + window.start
        found = blocks[:, pairs.column, at] if blocks.ndim == 4 else blocks[:, at]
        if self.spans is None or sums is None:
            return found
        rows = _blocks(self.spans.rows, window)[pairs.column, at]
        pair, day = np.nonzero(rows > 1)
        place = (pairs.column[pair], at[pair] + day, rows[pair, day])
        found[:, pair, day] = np.nan_to_num(sums.over(*place))
        return found

    def sessions_in(self, pairs: Pairs, window: Window) -> np.ndarray | None:
        """Sessions that each return in `window` covers, shape (M, W); None where all cover one."""
        if self.spans is None:
            return None
        found = _blocks(self.spans.sessions, window)[pairs.column, pairs.position + window.start]
        return found if (found > 1).any() else None

    def own_in(self, pairs: Pairs, window: Window) -> np.ndarray | None:
        """Which rows of `window` are sessions of the security, shape (M, W); None for all."""
        if self.spans is None:
            return None
        return _blocks(self.spans.own, window)[pairs.column, pairs.position + window.start]

    def past(self, pairs: Pairs) -> Window:
        """Rows that hold the estimation window of every pair.

        Days on which its exchange was shut are not sessions of it: the rows begin so much earlier,
        as far as there are any.
        """
        asked = self.estimation
        if self._open is None:
            return asked
        last = self._open[pairs.column, pairs.position] + asked.start + 1
        first = np.zeros(len(pairs), dtype=int)
        for column in np.unique(pairs.column):
            here = pairs.column == column
            first[here] = self._open[column, 1:].searchsorted(last[here])
        begin = pairs.position + asked.start
        earlier = min(int((begin - first).max()), int(begin.min()))
        return Window(asked.start - earlier, asked.end)

    def estimation_returns(self, pairs: Pairs, window: Window) -> np.ndarray:
        """As `returns_in` of `past`, with excluded sessions and those not asked for missing."""
        returns, at = self.returns_in(pairs, window), pairs.position + window.start
        if self._open is not None:
            before = _blocks(self._open[:, :-1], window)[pairs.column, at]
            place = before - self._open[pairs.column, pairs.position][:, None]
            returns[(place < self.estimation.start) | (place > self.estimation.end)] = np.nan
        if self.excluded is not None:
            out = _blocks(self.excluded, window)[pairs.column, at]
            returns[out] = np.nan
        return returns


def _blocks(rows: np.ndarray, window: Window) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(rows, window.length, axis=-1)
