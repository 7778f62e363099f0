"""What the fits of this room share: when they are made, how they are searched and remembered."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import VolatilityError
from impact.market.checks import check_index

#: Answers that one function remembers, the oldest go first; an answer is a few numbers.
REMEMBERED = 65_536


def refit_rows(index: pd.DatetimeIndex, months: int) -> np.ndarray:
    """Rows of the first session of each month (1) or calendar quarter (3).

    Examples
    --------
    >>> refit_rows(pd.DatetimeIndex(["2025-03-31", "2025-04-01", "2025-04-02"]), 1).tolist()
    [0, 1]
    """
    check_index(index, "returns")
    number = index.to_numpy().astype("datetime64[M]").astype(int) // months
    return np.flatnonzero(np.r_[True, number[1:] != number[:-1]])


def descend(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    steps: int = 500,
) -> tuple[float, np.ndarray, float]:
    """Minimise a loss with a known gradient between bounds, in so many steps.

    ``loss(x)`` gives a value and its gradient; coordinates should be of such units that steps of
    one are long. Returned are the lowest value, where it is, and the largest slope there of a
    coordinate that no bound holds: a minimum has next to none.

    Notes
    -----
    Projected quasi-Newton steps (BFGS on the coordinates that no bound holds) with a line search
    by interpolation. SciPy has such searches, but they run through BLAS: the last bits of their
    answers change with its number of threads, which wait for one another longer than they work.

    References
    ----------
    Bertsekas (1982), Projected Newton methods for optimization problems with simple constraints;
    Nocedal and Wright (2006), Numerical optimization, chapters 3 and 6.

    Examples
    --------
    >>> low, high = np.zeros(2), np.array([2.0, 9.0])
    >>> _, x, slope = descend(lambda x: (((x - 3) ** 2).sum(), 2 * (x - 3)), low, low, high)
    >>> x.round(6).tolist(), bool(slope < 1e-6)
    ([2.0, 3.0], True)
    """
    # A trial that floating-point numbers cannot hold is not taken, and says nothing.
    with np.errstate(all="ignore"):
        x, (value, slope) = start, loss(start)
        inverse, held, idle = np.eye(len(x)), np.zeros(len(x), dtype=bool), 0
        for _ in range(steps):
            was, held = held, ((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0))
            changed = held != was
            inverse[changed, :] = inverse[:, changed] = 0.0
            inverse[changed, changed] = 1.0
            free = np.where(held, 0.0, slope)
            if not np.abs(free).max() > 1e-9 or idle > 2:
                break
            there = _step(loss, x, value, slope, -(inverse * free).sum(axis=1), low, high)
            if there is None:
                break
            moved = np.where(held, 0.0, there[0] - x)
            inverse = _learn(inverse, moved, np.where(held, 0.0, there[2] - slope))
            idle = idle + 1 if value - there[1] < 1e-15 else 0
            x, value, slope = there
    return value, x, float(np.abs(free).max())


def _step(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    value: float,
    slope: np.ndarray,
    direction: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Go along a direction until the loss falls enough: position, value and slope there."""
    rate = (slope * direction).sum()
    length = min(1.0, 2.0 / np.abs(direction).max())
    while length > 1e-12:
        there = np.clip(x + length * direction, low, high)
        reached, its_slope = loss(there)
        if reached <= value + 1e-4 * (slope * (there - x)).sum():
            return there, reached, its_slope
        bend = reached - value - rate * length
        best = -0.5 * rate * length**2 / bend if bend > 0 else 0.0
        length = min(max(best, 0.1 * length), 0.5 * length)
    return None


def _learn(inverse: np.ndarray, moved: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Update the inverse curvature by how far the slope turned on the way (BFGS)."""
    turn = (moved * turned).sum()
    if not turn > 1e-10 * np.sqrt((moved**2).sum() * (turned**2).sum()):
        return inverse
    across = (inverse * turned).sum(axis=1)
    both = across[:, None] * moved
    gain = (1 + (turned * across).sum() / turn) / turn
    return inverse + gain * moved[:, None] * moved - (both + both.T) / turn


def remembered(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the answers of a function of arrays by a hash of their values.

    A VolatilityError is an answer too: what could not be fitted once is not tried again.

    Examples
    --------
    >>> calls = []
    >>> total = remembered(lambda values: calls.append(1) or float(values.sum()))
    >>> total(np.ones(3)), total(np.ones(3)), len(calls)
    (3.0, 3.0, 1)
    """
    known: dict[tuple, Any] = {}
    lock = threading.Lock()

    @functools.wraps(compute)
    def answer(*args: Any) -> Any:
        key = tuple(_digest(arg) if isinstance(arg, np.ndarray) else arg for arg in args)
        found = known.get(key)
        if found is None:
            try:
                found = compute(*args)
            except VolatilityError as error:
                found = error.args
            with lock:
                known[key] = found
                if len(known) > REMEMBERED:
                    del known[next(iter(known))]
        if isinstance(found, tuple):
            raise VolatilityError(*found)
        return found

    return answer


def _digest(values: np.ndarray) -> bytes:
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()
