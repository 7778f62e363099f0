"""Two copies of the closes of one ticker: where they differ, and one without gaps from both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import BadData
from impact.text.formats import counted, iso

#: Relative difference below which two copies of a close are the same close.
AGREEMENT = 2e-4
#: A hole this recent, in sessions, is Yahoo being late; an older one will not be filled any more.
LATE = 63


def changed_sessions(
    new: pd.Series, old: pd.Series, *, adjusted: bool, rounding: float = 0.0
) -> pd.DatetimeIndex:
    """Return the sessions whose old close the new ones contradict.

    Parameters
    ----------
    new, old : Series
        Closes by session, of one ticker.
    adjusted : bool
        Compare returns: every dividend rescales the levels of adjusted closes.
    rounding : float
        Largest rounding error of `old`, in dollars or index points.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-04-08", "2025-04-09"])
    >>> old, new = pd.Series([4982.77, 5456.90], days), pd.Series([4982.77, 5465.90], days)
    >>> [iso(day) for day in changed_sessions(new, old, adjusted=False)]
    ['2025-04-09']
    """
    both = new.index.intersection(old.index)
    new, old = new[both], old[both]
    difference = np.log(new / old)
    rounded = rounding / old
    if adjusted:
        difference, rounded = difference.diff().iloc[1:], rounded.rolling(2).sum().iloc[1:]
    return difference.index[difference.abs() > AGREEMENT + rounded]


def complete(
    ticker: str,
    new: pd.Series,
    old: pd.Series | None,
    sessions: pd.DatetimeIndex,
    *,
    adjusted: bool,
    late: int = LATE,
) -> tuple[pd.Series, list[str]]:
    """Fill what the new closes lack from the old ones, and end before a hole that is left.

    Parameters
    ----------
    ticker : str
        For the messages.
    new, old : Series
        Closes by session, in agreement.
    sessions : DatetimeIndex
        Every session up to the last finished one.
    adjusted : bool
        Bring the old levels to those of the new closes.
    late : int
        How recent a hole may be, in sessions.

    Returns
    -------
    closes : Series
        Without a gap.
    notes : list of str
        What was filled or left out.

    Raises
    ------
    BadData
        When a session is missing that Yahoo will not deliver any more.
    """
    notes = []
    closes = new
    if old is not None:
        held = _on_level(old, new, adjusted)
        held = held[held.index.difference(new.index)]
        inner = held.index[held.index > new.index[0]]
        if len(inner):
            notes.append(f"Yahoo Finance lacks {_days(inner)}, taken from what we hold")
        closes = pd.concat([new, held]).sort_index()
    expected = sessions[(sessions >= closes.index[0]) & (sessions <= closes.index[-1])]
    holes = expected.difference(closes.index)
    # Old closes that do not reach the new ones are of no use.
    apart = holes[holes < new.index[0]]
    if len(apart):
        closes, holes = closes[closes.index > apart[-1]], holes[len(apart) :]
    if len(holes):
        # Closes that we hold are never given up for earlier ones.
        if holes[0] < sessions[-late:][0] or (old is not None and holes[0] < old.index[-1]):
            raise BadData(
                f"Yahoo Finance lacks {_days(holes)} of {ticker!r}: ask for what lies after it, "
                f"start={iso(holes[-1] + pd.Timedelta(days=1))!r}"
            )
        notes.append(f"Yahoo Finance lacks {_days(holes)}, so the closes end before")
        closes = closes[closes.index < holes[0]]
    return closes.rename_axis("date").rename(ticker), notes


def _on_level(old: pd.Series, new: pd.Series, adjusted: bool) -> pd.Series:
    """Return old closes at the level of the new ones: the ratio at the nearest common session."""
    if not adjusted:
        return old
    ratio = (new / old).dropna()
    if ratio.empty:
        return old.iloc[:0]
    return old * ratio.reindex(old.index, method="ffill").bfill()


def _days(days: pd.DatetimeIndex) -> str:
    if len(days) == 1:
        return f"the close of {iso(days[0])}"
    return f"{counted(len(days), 'close')} from {iso(days[0])} to {iso(days[-1])}"
