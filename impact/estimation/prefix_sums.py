"""Sums over any window of rows as differences of running sums: a million fits read no window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impact.estimation.pairs import Pairs
from impact.market.windows import Window

#: A sum of squares below this share of the running one has lost more digits than tests may see.
_CANCELLED = 2e-3


@dataclass(frozen=True)
class Moments:
    """Moments of the returns and regressors in the window of M pairs, about their means there.

    `mean`, that of the returns, is zero without a constant. `centre` and `moment`, (M, R), are the
    means of the regressors and their products with the returns; `cross`, (M, R, R), are their
    products with one another. Residual squares below `cancelled` are too inexact.
    """

    mean: np.ndarray
    squares: np.ndarray
    centre: np.ndarray
    moment: np.ndarray
    cross: np.ndarray
    cancelled: np.ndarray


class PrefixSums:
    """Running sums of complete returns (N, T), and of regressors (R, T) of all securities alike.

    All is centred before it is summed, so that less cancels. `constant` says that the mean is
    estimated.
    """

    def __init__(self, returns: np.ndarray, regressors: np.ndarray, constant: bool):
        self.constant = constant
        self.level = returns.mean(axis=1)
        self.centre = regressors.mean(axis=1)
        y, x = returns - self.level[:, None], regressors - self.centre[:, None]
        self.returns, self.squares = running_sums(y), running_sums(y * y)
        self.products = [running_sums(y * row) for row in x]
        self.regressors, self.cross = running_sums(x), running_sums(x[:, None] * x[None])

    def moments(self, pairs: Pairs, window: Window) -> Moments:
        """Return the moments of each pair in a window."""
        n, low, high = self._ends(pairs, window)
        length = window.length
        total, squares = (sums[n, high] - sums[n, low] for sums in (self.returns, self.squares))
        moment = np.empty((len(pairs), len(self.centre)))
        for r, sums in enumerate(self.products):
            moment[:, r] = sums[n, high] - sums[n, low]
        sum_x = (self.regressors[:, high] - self.regressors[:, low]).T
        cross = np.moveaxis(self.cross[:, :, high] - self.cross[:, :, low], 2, 0)
        level, mean = self.level[n], np.zeros(len(pairs))
        if self.constant:
            mean = total / length
            squares = squares - total * mean
            moment -= sum_x * mean[:, None]
            cross = cross - sum_x[:, :, None] * sum_x[:, None] / length
            mean += level
        else:
            squares = squares + level * (2 * total + length * level)
        return Moments(
            mean,
            squares,
            sum_x / length + self.centre,
            moment,
            cross,
            _CANCELLED * self.squares[n, high],
        )

    def regressors_over(self, pairs: Pairs, window: Window) -> np.ndarray:
        """Return the sums of the regressors in a window, shape (M, R)."""
        _, low, high = self._ends(pairs, window)
        sums = (self.regressors[:, high] - self.regressors[:, low]).T
        return sums + window.length * self.centre

    def car(self, pairs: Pairs, window: Window, parameters: np.ndarray) -> np.ndarray:
        """Return the sums of the prediction errors in a window, shape (M,)."""
        n, low, high = self._ends(pairs, window)
        total = self.returns[n, high] - self.returns[n, low] + window.length * self.level[n]
        if self.constant:
            total -= window.length * parameters[:, 0]
            over = self.regressors_over(pairs, window)
            total -= np.einsum("mr,mr->m", parameters[:, 1:], over)
        return total

    def _ends(self, pairs: Pairs, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return pairs.column, pairs.position + window.start, pairs.position + window.end + 1


def running_sums(values: np.ndarray) -> np.ndarray:
    """Sums along the last axis, from zero on; of what is true, its number."""
    shape = (*values.shape[:-1], values.shape[-1] + 1)
    sums = np.zeros(shape, np.result_type(values, int))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums
