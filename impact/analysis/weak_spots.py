"""Where the intraday test errs more often than it says; the rates are those of the calibration."""

from __future__ import annotations

import numpy as np

from impact.analysis.window_ranks import TESTED, RankedWindows
from impact.inference.size import KEPT, THIRDS, intraday_size
from impact.inference.tests import LEVEL
from impact.market.bars import Bar
from impact.market.clock_time import MINUTES, OPEN, column_at
from impact.text.formats import percent

#: A half hour before the window that moved by more σ than this is pointed out.
LARGE = 3.0

ALREADY_MOVING = "the market was already moving"

_HALF_HOUR, _TEN = 30 // MINUTES, column_at(10 * 60)


def weak_spots(ranks: RankedWindows, begin: Bar, minutes: int, *, early: bool) -> list[str]:
    """Say in which way the time of a tested window, or the market before it, weakens its p.

    The window begins at `begin` and was asked for by its length in minutes; `early` says whether
    there was trading before 09:30 on that day.
    """
    said = []
    if OPEN <= begin.column < OPEN + _HALF_HOUR:
        group = f"starts 09:30 to 09:55, {'' if early else 'no '}pre-open trading"
        said.append(f"in the first half hour of trading this test {rejects(group, minutes)}")
    if begin.column == _TEN:
        rate = rejects("starts 10:00", minutes)
        said.append(f"other releases come at 10:00, when this test {rate}")
    group = _third(ranks, begin)
    size = intraday_size(group, minutes)
    if size is not None and not KEPT[0] <= size <= KEPT[1]:
        said.append(f"{group}: this test {rejects(group, minutes)}")
    return said


def after_a_large_move(minutes: int, *, tested: bool) -> str:
    """Say what a large move in the half hour before means for a p."""
    if not tested:
        return ALREADY_MOVING
    rate = rejects(f"after |z| > {LARGE:g} in the half hour before", minutes)
    return f"{ALREADY_MOVING}, and this test then {rate}"


def rejects(group: str, minutes: int) -> str:
    """Say how often the test rejects where there is nothing to find."""
    size = intraday_size(group, minutes)
    if size is None:
        return f"rejects more often than {percent(LEVEL, 0, signed=False)}"
    found, nominal = (percent(rate, 0, signed=False) for rate in (size, LEVEL))
    return f"rejects {found}, not {nominal}"


def _third(ranks: RankedWindows, begin: Bar) -> str:
    """The group of the calibration to which a window belongs: part and third of the level."""
    windows, part = ranks.windows, ranks.windows.part[begin]
    levels = windows.level[ranks.reference & (windows.part == part)]
    share = np.mean(levels < windows.level[begin])
    return f"{TESTED[part]}, {THIRDS[int(min(3 * share, 2))]}"
