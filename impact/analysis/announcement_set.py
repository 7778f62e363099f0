"""Announcements with an exact minute as a set: would any other days have done the same?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.analysis.window_ranks import ranked_windows
from impact.errors import InferenceError
from impact.inference.event_sets import rank_p
from impact.inference.tests import LEVEL
from impact.market.bars import Bar
from impact.market.clock_time import OPEN
from impact.volatility.clock import ClockVariance


@dataclass(frozen=True)
class Observation:
    """A window after one announcement, or after several that share it.

    Attributes
    ----------
    begin : Bar
    bars : int
    """

    begin: Bar
    bars: int


def set_test_table(known: ClockVariance, observations: Sequence[Observation]) -> pd.DataFrame:
    """Compare a set of windows with the same clock times of all other days.

    Parameters
    ----------
    known : ClockVariance
    observations : sequence of Observation
        Each with a p of its own.

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
    known: ClockVariance, observations: Sequence[Observation]
) -> tuple[np.ndarray, np.ndarray]:
    """z and p of every observation at every shift, shape (1 + shifts, n); row 0 is the set."""
    early = np.isfinite(known.grid.log_price[:, :OPEN]).any(axis=1)
    tested = np.arange(len(early)) >= known.tested_from
    circles = [np.flatnonzero(tested & (early == early[one.begin.row])) for one in observations]
    shifts = np.arange(max(map(len, circles)))
    at_home = [(shifts % len(circle) == 0) & (shifts > 0) for circle in circles]
    shifts = shifts[~np.any(at_home, axis=0)]
    z, p = (np.full((len(shifts), len(observations)), np.nan) for _ in range(2))
    for i, (one, circle) in enumerate(zip(observations, circles, strict=True)):
        ranks = ranked_windows(known, one.bars)
        rows = circle[(circle.searchsorted(one.begin.row) + shifts) % len(circle)]
        column = one.begin.column
        same = ranks.windows.part[rows, column] == ranks.windows.part[one.begin]
        same &= ranks.reference[rows, column]
        z[:, i] = np.where(same, ranks.windows.z[rows, column], np.nan)
        p[:, i] = np.where(same, ranks.p[rows, column], np.nan)
    empty = np.isnan(z).all(axis=1)
    return z[~empty], p[~empty]
