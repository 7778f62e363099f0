"""The choices of a specification curve: the options of each, read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import EventError, ModelError, ReturnsError, WindowError
from impact.market.windows import Window, as_window
from impact.study.arguments import is_whole
from impact.text.formats import counted, iso, list_of

KINDS = ("log", "simple")


def options(name: str, values: Any) -> list:
    """Read the options of one choice, at least one, each once; ModelError where they are not so.

    Examples
    --------
    >>> options("gaps", ())
    Traceback (most recent call last):
    impact.errors.ModelError: gaps has no option, so there is no specification: give one or more
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ModelError(f"{name}={values!r} is not a list of options: write {name}=[{values!r}]")
    listed = list(values)
    if not listed:
        raise ModelError(f"{name} has no option, so there is no specification: give one or more")
    if len({repr(value) for value in listed}) < len(listed):
        raise ModelError(f"{name}: {list_of(listed)} holds an option twice: give each once")
    return listed


def known(name: str, values: Any, accepted: Sequence[str]) -> list[str]:
    """Read options that must be among those accepted; ModelError where one is not."""
    for value in (listed := options(name, values)):
        if value not in accepted:
            raise ModelError(
                f"{name}: {value!r} is not known: use {list_of(map(repr, accepted), 'or')}"
            )
    return listed


def sizes(name: str, values: Any, least: int) -> list[int]:
    """Read numbers of sessions; WindowError where one is too small or not whole."""
    listed = options(name, values)
    if not all(is_whole(value) and value >= least for value in listed):
        raise WindowError(
            f"{name}={tuple(listed)}: an estimation window has two sessions or more and ends "
            "before session 0, so give whole numbers"
        )
    return listed


def tested_windows(values: Any, gap: int) -> list[Window]:
    """Read windows that begin after a gap; WindowError where one does not or is none."""
    listed = options("windows", values)
    if not all(isinstance(bounds, Sequence | Window) for bounds in listed):
        raise WindowError(f"windows={values!r} is not a list of windows: write windows=[(0, 1)]")
    windows = options("windows", [as_window(bounds) for bounds in listed])
    for window in windows:
        if -window.start > gap:
            raise WindowError(
                f"the window {window} begins before the gap of {counted(gap, 'session')} ends: "
                "shorten it or widen the gap"
            )
    return windows


def returns_by_kind(returns: pd.Series, kind: str | None) -> dict[str, np.ndarray]:
    """Return the returns of both kinds; ReturnsError where what was given does not have both."""
    if not isinstance(returns, pd.Series):
        raise ReturnsError("specification_curve takes one series of returns: pick a column")
    if kind not in (None, *KINDS):
        raise ModelError(f"kind={kind!r} is not known: use 'log' or 'simple'")
    marked = returns.attrs.get("returns", kind or "log")
    if kind not in (None, marked):
        raise ReturnsError(f"kind={kind!r}, but these are {marked} returns: leave kind= out")
    values = returns.to_numpy(float)
    if marked == "log":
        return {"log": values, "simple": np.expm1(values)}
    if (lost := values <= -1).any():
        raise ReturnsError(
            f"the simple return of {iso(returns.index[lost][0])} is {values[lost][0]:g}: one of "
            "-100% or less has no log return; correct it"
        )
    return {"log": np.log1p(values), "simple": values}


def by_subset(events: Any) -> Mapping[str, Any]:
    """Return events by the name of their subset; EventError where only some are catalogues."""
    values = events.values() if isinstance(events, Mapping) else ()
    frames = [isinstance(members, pd.DataFrame) for members in values]
    if any(frames) and not all(frames):
        raise EventError(
            "events= is a dict of which some values are catalogues and some are not: give a "
            "DataFrame for each subset, or one date for each label"
        )
    return events if any(frames) else {"all": events}
