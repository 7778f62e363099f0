"""Announcements with an exact minute as a set: would any other days have done the same?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impact.analysis.reaction import Stretch
from impact.analysis.window_ranks import ranked_windows
from impact.errors import InferenceError
from impact.inference.event_sets import rank_p
from impact.inference.tests import LEVEL
from impact.market.clock_time import OPEN
from impact.volatility.clock import ClockVariance


def observations(
    table: pd.DataFrame, where: Mapping[str, Stretch], minutes: Sequence[str]
) -> tuple[dict[str, Stretch], dict[str, str]]:
    """Choose the announcements that a set counts: timed, with a p, the first of each window.

    `table` is that of an `IntradayStudy` with one window, and `minutes` are the kinds of minutes
    that count. Returned are their prices by id, in order of time, and why the others do not count.
    """
    found, reasons, until, first = {}, {}, None, ""
    for event, row in table.sort_values("from", kind="stable").iterrows():
        name = str(event)
        if row["minute"] not in minutes:
            reasons[name] = f"its minute is {row['minute']}"
        elif pd.isna(row["sigma"]):
            reasons[name] = "trading is closed in its window, or no variance is known"
        elif pd.isna(row["p_value"]):
            reasons[name] = row["note"].split(";")[0]
        elif until is not None and row["from"] < until:
            reasons[name] = f"in the window of {first}"
        else:
            found[name] = where[name]
            until, first = row["to"], name
    return found, reasons


def set_test_table(known: ClockVariance, observations: Sequence[Stretch]) -> pd.DataFrame:
    """Compare a set of windows with the same clock times of all other days.

    Returns
    -------
    DataFrame
        Rows "p_below_5" (how many p are at or below 5%) and "mean_abs_z"; columns `statistic`,
        `expected` (mean over the shifts), `p_value` (share of shifts with as large a statistic,
        this position among them), `n`, `shifts`, `null`.

    Raises
    ------
    InferenceError
        If there are no observations.

    Notes
    -----
    All positions are moved by the same number of sessions, in a circle, at the same clock times;
    sessions with extended hours and sessions without form a circle each. A window that has no p
    at its new place is left out there, and the count is scaled up to n.
    """
    if not observations:
        raise InferenceError("no announcement has an exact minute and a p: a set needs one")
    z, p = _shifted(known, observations)
    n = z.shape[1]
    rejected = np.nanmean(np.where(np.isnan(p), np.nan, p <= LEVEL), axis=1) * n
    size = np.nanmean(np.abs(z), axis=1)
    return pd.DataFrame(
        {
            "statistic": [float(values[0]) for values in (rejected, size)],
            "expected": [float(values[1:].mean()) for values in (rejected, size)],
            "p_value": [rank_p(values) for values in (rejected, size)],
            "n": n,
            "shifts": len(z) - 1,
            "null": "these windows are like those at the same clock times on other days",
        },
        index=pd.Index(["p_below_5", "mean_abs_z"], name="test"),
    )


def _shifted(
    known: ClockVariance, observations: Sequence[Stretch]
) -> tuple[np.ndarray, np.ndarray]:
    """z and p of every observation at every shift, shape (1 + shifts, n); row 0 is the set."""
    early = np.isfinite(known.grid.log_price[:, :OPEN]).any(axis=1)
    tested = np.arange(len(early)) >= known.tested_from
    circles = [np.flatnonzero(tested & (early == early[one.begin.row])) for one in observations]
    moved = moved_rows(circles, np.array([one.begin.row for one in observations]))
    z, p = (np.full(moved.shape, np.nan) for _ in range(2))
    for i, (one, rows) in enumerate(zip(observations, moved.T, strict=True)):
        ranks = ranked_windows(known, one.bars)
        like = ranks.like(one.begin)[rows]
        z[:, i] = np.where(like, ranks.windows.z[rows, one.begin.column], np.nan)
        p[:, i] = np.where(like, ranks.p[rows, one.begin.column], np.nan)
    empty = np.isnan(z).all(axis=1)
    return z[~empty], p[~empty]


def moved_rows(circles: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Move a set by the same number of places, each member round a circle of its own.

    A circle holds the rows that a member can take, in order; `rows` is where the n members are.
    Returned is an array of shape (shifts, n), whose row 0 is the set itself; shifts that bring a
    member home to its place are left out.

    Examples
    --------
    >>> moved_rows([np.array([0, 2, 5]), np.arange(4)], np.array([5, 1])).tolist()
    [[5, 1], [0, 2], [2, 3]]
    """
    shifts = np.arange(max(map(len, circles)))
    home = [(shifts % len(circle) == 0) & (shifts > 0) for circle in circles]
    shifts = shifts[~np.any(home, axis=0)]
    moved = [
        circle[(circle.searchsorted(row) + shifts) % len(circle)]
        for circle, row in zip(circles, rows, strict=True)
    ]
    return np.stack(moved, axis=1)
