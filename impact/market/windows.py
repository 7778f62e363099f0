"""Estimation and event windows: inclusive session offsets relative to the reaction session.

Session 0 is the reaction session. ``Window(-5, 5)`` holds eleven sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from impact.errors import WindowError

_TESTED = "tested window"


@dataclass(frozen=True, order=True)
class Window:
    """A run of relative sessions, both ends included.

    Examples
    --------
    >>> Window(-5, 5).length, str(Window(0, 1))
    (11, '(0, 1)')
    """

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of sessions in the window."""
        return self.end - self.start + 1

    @property
    def offsets(self) -> np.ndarray:
        """Relative sessions of the window, shape (length,)."""
        return np.arange(self.start, self.end + 1)

    def holds(self, other: Window) -> bool:
        """Whether every session of `other` lies in this window."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"({self.start}, {self.end})"


def as_window(bounds: Window | Sequence[int], name: str = "window") -> Window:
    """Read a pair of integers as a window.

    WindowError if `bounds` is not two whole numbers, or the first lies after the second.

    Examples
    --------
    >>> as_window((-260, -11), "estimation").length
    250
    """
    window = _two_numbers(bounds, name)
    if window.start > window.end:
        turned = f"({window.end}, {window.start})"
        if name == _TESTED:
            raise WindowError(f"the tested window {window} is reversed: write {turned[1:-1]}")
        raise WindowError(f"{name}={window} is reversed: write {name}={turned}")
    return window


def _two_numbers(bounds: Window | Sequence[int], name: str) -> Window:
    if isinstance(bounds, Window):
        return bounds
    try:
        start, end = bounds
        whole = float(start).is_integer() and float(end).is_integer()
        whole &= not isinstance(start, str | bool) and not isinstance(end, str | bool)
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise WindowError(f"{name}={bounds!r} is not two whole numbers: write {name}=(-5, 5)")
    return Window(int(start), int(end))


def study_windows(
    estimation: Window | Sequence[int], window: Window | Sequence[int]
) -> tuple[Window, Window]:
    """Read the two windows of a study and check that the first ends before the second begins.

    WindowError if a window is malformed, or the two overlap or stand in the wrong order; what is
    advised can be written as it stands.

    Examples
    --------
    >>> study_windows((250, 30), (-5, 5))
    Traceback (most recent call last):
    impact.errors.WindowError: estimation=(250, 30) is reversed: write estimation=(-250, -30),
    sessions before the event
    """
    window = as_window(window, "window")
    past = _two_numbers(estimation, "estimation")
    if past.start > past.end:
        wrong = "is reversed"
    elif past.end >= window.start:
        wrong = f"does not end before window={window} begins"
    else:
        return past, window
    start, end = sorted((-abs(past.start), -abs(past.end)))
    end = min(end, window.start - 1)
    start = start if start < end else end - 249
    raise WindowError(
        f"estimation={past} {wrong}: write estimation=({start}, {end}), sessions before the event"
    )


def tested_window(start: int, end: int | None, within: Window) -> Window:
    """Read the window of a test and check that the study's event window holds it.

    WindowError if the tested window is reversed or reaches outside `within`.
    """
    tested = as_window((start, start if end is None else end), _TESTED)
    if not within.holds(tested):
        raise WindowError(
            f"the tested window {tested} reaches outside the study's window={within}: "
            f"run the study with window=({min(tested.start, within.start)}, "
            f"{max(tested.end, within.end)})"
        )
    return tested
