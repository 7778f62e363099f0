"""What prices did in the minutes around one of them, and what other days did in those minutes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.analysis.window_ranks import ranked_windows
from impact.inference.equal_tails import inverted
from impact.market.bars import Bar
from impact.market.clock_time import COLUMNS, MINUTES
from impact.volatility.clock import ClockVariance

#: The path is shown from this many bars before to this many after.
_BEFORE, _AFTER = 12, 36

#: What the picture of a path shows.
PATH_SAYS = (
    "Log price above the last one before the announcement, in %. Grey: what 95% of the same "
    "minutes on other days did, in the volatility known then; no grey where no test is valid"
)


def price_path(known: ClockVariance, begin: Bar) -> pd.DataFrame:
    """Return the move around the end of a bar, every five minutes: see `IntradayStudy.path`."""
    grid = known.grid
    price = grid.log_price[begin.row]
    shown = np.arange(max(0, begin.column - _BEFORE), min(COLUMNS, begin.column + _AFTER + 1))
    shown = shown[np.isfinite(price[shown])]
    bands = [_band(known, begin, int(column)) for column in shown]
    return pd.DataFrame(
        {
            "time": [grid.time(Bar(begin.row, int(column))) for column in shown],
            "move": price[shown] - price[begin.column],
            "low": [low for low, _ in bands],
            "high": [high for _, high in bands],
        },
        index=pd.Index(MINUTES * (shown - begin.column), name="minute"),
    )


def _band(known: ClockVariance, begin: Bar, column: int) -> tuple[float, float]:
    """What the move between a bar and the first price would be in 95% of cases."""
    if column == begin.column:
        return 0.0, 0.0
    at = Bar(begin.row, min(begin.column, column))
    ranks = ranked_windows(known, abs(column - begin.column))
    if not ranks.reference[at]:
        return np.nan, np.nan
    draws = float(ranks.windows.sigma[at]) * ranks.others(at)
    ends = inverted(draws, 0.0)
    if not np.isfinite(ends[0]):  # too few other windows to rank among
        return np.nan, np.nan
    # Before the announcement a price above that of minute 0 is a fall.
    return ends if column < begin.column else (-ends[1], -ends[0])
