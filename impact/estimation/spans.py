"""How many sessions a return spans, where it is the move since the last price.

A return over k sessions has k times the mean and k times the variance of one session, and the
market moved on every row that lies between its two prices. Days on which an exchange is shut
are rows between, and no sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.estimation.prefix_sums import running_sums
from impact.market.calendar import NYSE, Market, exchange
from impact.market.returns import TRADE_TO_TRADE
from impact.text.formats import iso, some_of

#: So many securities are named in a note.
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Spans:
    """What lies between the two prices of each return.

    Attributes
    ----------
    sessions : ndarray of int, shape (N, T)
        The security's own sessions that a return covers; 1 where there is no return, and for the
        first of a column.
    rows : ndarray of int, shape (N, T)
        The rows that it covers, own sessions or not.
    own : ndarray of bool, shape (N, T)
        Which rows are sessions of the security.
    """

    sessions: np.ndarray
    rows: np.ndarray
    own: np.ndarray

    @classmethod
    def between(cls, there: np.ndarray, own: np.ndarray) -> Spans | None:
        """Return the spans of returns that are `there`; None where each covers its own row.

        Examples
        --------
        >>> there = np.array([[True, False, False, True]])
        >>> Spans.between(there, np.array([[True, True, False, True]])).sessions
        array([[1, 1, 1, 2]])
        """
        row = np.arange(there.shape[1])
        last = np.maximum.accumulate(np.where(there, row, -1), axis=1)
        before = np.pad(last[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        later = there & (before >= 0)
        rows = np.where(later, row - before, 1)
        if (rows == 1).all():
            return None
        own = own | there
        count = np.cumsum(own, axis=1)
        earlier = np.take_along_axis(count, np.maximum(before, 0), axis=1)
        return cls(np.where(later, count - earlier, 1), rows, own)


def read_spans(returns: pd.DataFrame, market: Market) -> Spans | None:
    """Read the spans of returns that say that they are trade-to-trade.

    The rows are sessions of the market. Where that is not known, the sessions of a column whose
    priced rows all are sessions of the NYSE are the NYSE's; of any other all rows are. None where
    no return spans more than its row, or where that cannot be known.
    """
    if returns.attrs.get("gaps") != TRADE_TO_TRADE or not (missing := _missing(returns)).any():
        return None
    return Spans.between(~missing, _own_sessions(~missing, returns.index, market))


def _missing(returns: pd.DataFrame) -> np.ndarray:
    return np.isnan(returns.to_numpy(float)).T


def _own_sessions(there: np.ndarray, rows: pd.DatetimeIndex, market: Market) -> np.ndarray:
    """Which rows are sessions of each security, shape (N, T)."""
    if market.has_calendar:
        return np.broadcast_to(_are_sessions(rows, market), there.shape)
    if market.name:
        return np.ones_like(there)
    nyse = _are_sessions(rows, exchange(NYSE))
    return nyse | (there & ~nyse).any(axis=1, keepdims=True)


def _are_sessions(rows: pd.DatetimeIndex, market: Market) -> np.ndarray:
    return market.sessions.get_indexer(rows.as_unit("us")) >= 0


def gap_notes(
    returns: pd.DataFrame, market: Market, needed: np.ndarray, *, own_model: bool
) -> list[str]:
    """Say what is not known, or lost, of the gaps in the rows that a study needs.

    A model of one's own (`own_model`) takes one session at a time.
    """
    there: np.ndarray = ~_missing(returns)
    marked = returns.attrs.get("gaps") == TRADE_TO_TRADE
    if there[:, needed].all() or (marked and market.name and not own_model):
        return []
    later = np.flip(np.maximum.accumulate(np.flip(there, 1), axis=1), 1)
    inside = ~there & np.maximum.accumulate(there, axis=1) & later & needed
    if marked and not own_model:
        inside &= _own_sessions(there, returns.index, market).all(axis=1, keepdims=True)
    column = np.flatnonzero(inside.any(axis=1))
    if not len(column):
        return []
    named = some_of([str(name) for name in returns.columns[column[:_NAMED]]], len(column))
    who = f"{named} (first: {iso(returns.index[inside.any(axis=0).argmax()])})"
    if not marked:
        lost = "a move across a gap may be lost: log_returns(prices) keeps it"
        return [f"Returns are missing inside {who}, and {lost}."]
    if own_model:
        return [f"Left out, as a model of your own takes one session a return: gaps of {who}."]
    return [
        f"Every row without a price counts as a session of {who}: if its exchange was shut, "
        "name it with market=."
    ]


def average_return(returns: pd.DataFrame, spans: Spans | None) -> tuple[pd.Series, Spans | None]:
    """Mean of the returns that there are by row, and what it spans.

    In a session in which a security's price is missing the others stand for it; when it comes
    back their mean is taken off its move. So the mean sums to what all securities did.
    """
    if spans is None:
        return returns.mean(axis=1), None
    values = returns.to_numpy(float).T.copy()
    there = ~np.isnan(values)
    column, row = np.nonzero(spans.sessions > 1)
    others = pd.DataFrame(np.where(spans.sessions > 1, np.nan, values)).mean().fillna(0.0)
    stood_in = np.where(spans.own & ~there, others.to_numpy(), 0.0)
    sums = RunningSums(stood_in[None], False, False)
    values[column, row] -= sums.over(column, row, spans.rows[column, row])[0]
    mean = pd.Series(pd.DataFrame(values).mean().to_numpy(), returns.index)
    traded = mean.notna().to_numpy()[None]
    return mean, Spans.between(traded, spans.own.max(axis=0, keepdims=True))


def alone(values: np.ndarray) -> np.ndarray:
    """Values by row along the last axis, NaN where one is the move since an earlier row.

    Examples
    --------
    >>> alone(np.array([0.01, np.nan, 0.03, 0.04]))
    array([0.01,  nan,  nan, 0.04])
    """
    there = np.isfinite(values)
    after_gap = np.zeros_like(there)
    after_gap[..., 1:] = ~there[..., :-1] & np.maximum.accumulate(there, axis=-1)[..., :-1]
    return np.where(after_gap, np.nan, values)


class RunningSums:
    """Sums over runs of rows of what stands by row: a market's returns, factors, a rate.

    Parameters
    ----------
    values : ndarray, shape (R, T), or (R, N, T) where each security has its own
        NaN where there is none.
    compounded : bool
        Simple returns are compounded.
    trade_to_trade : bool
        Whether a value after missing ones is the move since the last: a run is then known if
        the values at its end and on the row before it are; otherwise all must be.
    """

    def __init__(self, values: np.ndarray, compounded: bool, trade_to_trade: bool):
        self.compounded, self.trade_to_trade = compounded, trade_to_trade
        self.known = np.isfinite(values)
        filled = np.where(self.known, values, 0.0)
        self.total = running_sums(np.log1p(filled) if compounded else filled)
        self.missing = running_sums(~self.known)

    def over(self, column: np.ndarray, row: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Sums over `rows` rows that end at `row`, shape (R, n); NaN where not known."""

        def at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
            return values[:, place] if values.ndim == 2 else values[:, column, place]

        total = at(self.total, row + 1) - at(self.total, row + 1 - rows)
        if self.trade_to_trade:
            known = at(self.known, row) & at(self.known, row - rows)
        else:
            known = at(self.missing, row + 1) == at(self.missing, row + 1 - rows)
        return np.where(known, np.expm1(total) if self.compounded else total, np.nan)
