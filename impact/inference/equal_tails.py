"""A value among draws from the null, both tails alike: its p, the interval, what could be found."""

from __future__ import annotations

import numpy as np

from impact.inference.tests import LEVEL

#: Confidence of intervals where no other is asked for.
CONFIDENCE = 1 - LEVEL

#: Power at which an effect counts as one that the test finds.
POWER = 0.8


def equal_tails(draws: np.ndarray, value: float) -> float:
    """Two-sided p of `value` among draws from the null: twice the smaller tail, at most 1.

    Examples
    --------
    >>> equal_tails(np.arange(99.0), 98.5)
    0.02
    """
    smaller = min(np.count_nonzero(draws >= value), np.count_nonzero(draws <= value))
    return min(1.0, float(2 * (1 + smaller) / (len(draws) + 1)))


def _critical(draws: np.ndarray, level: float = CONFIDENCE) -> tuple[float, float]:
    """Smallest and largest value whose `equal_tails` p exceeds 1 - level; infinite if none."""
    # p > 1 - level holds with at least `inside` draws on the value or beyond, on either side. In
    # floating point 1 - 0.9 is less than 0.1: half an ulp must not cost a draw.
    inside = int(np.floor(round((1 - level) / 2 * (len(draws) + 1), 9)))
    if not inside:
        return -np.inf, np.inf
    ordered = np.sort(draws)
    return float(ordered[inside - 1]), float(ordered[-inside])


def inverted(draws: np.ndarray, value: float, level: float = CONFIDENCE) -> tuple[float, float]:
    """Effects d for which ``equal_tails(draws, value - d)`` exceeds 1 - level: an interval's ends.

    Examples
    --------
    >>> inverted(np.arange(-50.0, 51.0), 100.0)
    (51.0, 149.0)
    """
    low, high = _critical(draws, level)
    return value - high, value - low


def detectable(draws: np.ndarray) -> float:
    """Effect that the 5% equal-tailed test finds with 80% in its harder direction.

    With q the quantiles of the draws from the null, a rise is found with 80% from q_.975 - q_.2
    and a fall from q_.8 - q_.025; this is the larger.

    Examples
    --------
    >>> detectable(np.arange(-500.0, 501.0))
    776.0
    """
    low, high = _critical(draws)
    rise = high - np.quantile(draws, 1 - POWER)
    fall = np.quantile(draws, POWER) - low
    return float(max(rise, fall))
