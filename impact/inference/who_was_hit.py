"""Who was hit: securities on common dates, each against the equal-weighted portfolio.

Eleven sectors on one date are one observation of the common move, so the sectors are compared
with each other: each one's return minus the portfolio's, standardised by its own variance as
known the evening before. The largest of these is ranked among all other sessions, which keeps
the sectors' correlation and needs no normal distribution; the step-down form then says which
sectors stand out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.observations import dropped_rows
from impact.inference.tests import CheckedReturns, Found, window_test
from impact.market.windows import Window, tested_window
from impact.text.formats import counted, number, p_value
from impact.text.result import Result, count_left_out
from impact.text.table import KNOWN, Column

#: Decay of the exponentially weighted variance (RiskMetrics, daily).
DECAY = 0.94

#: Sessions that start the variance; with decay 0.94 the start has lost 97% of its weight by then.
BURN_IN = 60

#: Fewest other sessions to rank an event among.
MIN_POOL = 200

#: Relative returns that never exceed this are rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class RelativeMoves(Result):
    """Moves of each security relative to the portfolio, by unit.

    Attributes
    ----------
    estimate : DataFrame, units x securities
        Cumulative return minus the portfolio's, decimal fractions; NaN where the security is not
        there.
    z : DataFrame, units x securities
        `estimate` over its own conditional standard deviation.
    p_adjusted : DataFrame, units x securities
        Step-down maximum p-values: each allows for all securities of its unit.
    p_max : Series
        p of the largest |z| of each unit: the test that no security stands out.
    pool : Series
        Number of other sessions that each unit was ranked among.
    window : Window
        Relative sessions that were summed.
    dropped : DataFrame
        event, security, reason of everything that was left out.
    signature : str
        What it was computed with.
    """

    estimate: pd.DataFrame
    z: pd.DataFrame
    p_adjusted: pd.DataFrame
    p_max: pd.Series
    pool: pd.Series
    window: Window
    dropped: pd.DataFrame
    signature: str
    unit: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """`estimate`, `z` and `p_adjusted`, one row an event and security."""
        named = {name: getattr(self, name).stack() for name in ("estimate", "z", "p_adjusted")}
        return pd.DataFrame(named).rename_axis(["event", "security"]).dropna()

    def __repr__(self) -> str:
        events, securities = self.z.shape
        shown = counted(securities, "security", "securities")
        return f"RelativeMoves: {shown} at {counted(events, 'event')}"

    def _title(self) -> str:
        what = "Change" if self.unit else "Return"
        return f"{what} less that of the portfolio, sessions {self.window}"

    def _columns(self) -> tuple[Column, ...]:
        return (
            KNOWN["event"],
            KNOWN["security"],
            KNOWN["estimate"],
            Column("z", "z", number),
            Column("p_adjusted", "p, for all securities", p_value),
        )


def relative_moves(study: AbnormalReturns, start: int = 0, end: int | None = None) -> RelativeMoves:
    """Test which securities moved apart from the portfolio on common dates.

    Parameters
    ----------
    study : AbnormalReturns
        A panel with common dates.
    start, end : int
        Relative sessions that are summed, both included.

    Raises
    ------
    InferenceError
        If the study is one series or has firm events, fewer than two securities are there at an
        event, or one always moves as the portfolio does.
    HistoryError
        If fewer than 200 other sessions can be ranked.

    Notes
    -----
    d_jt is the return of security j minus the mean over securities; its variance before is
    σ²_jt = 0.94 σ²_j,t-1 + 0.06 d²_j,t-1. For a window of k sessions z = Σ d / (σ √k), σ from
    the evening before. p = (1 + #{other sessions with a larger maximum}) / (B + 1); other
    sessions are all whose windows do not overlap the tested one. The moves of one session sum to
    zero: a security that falls by δ lifts each of the other N - 1 by δ/N against the portfolio.

    Securities are compared with those that are there: each with a return in every session of the
    window and in 60 before it. Others are listed in `dropped`. Sessions in which one of those
    compared has no return, or one of several sessions, are passed over.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, algorithm 2.8 (step-down max).

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> moves = relative_moves(impact.event_study(sectors, ["2025-04-03"], volatility="ewma"))
    >>> apart = moves.p_adjusted.iloc[0]
    >>> apart.index[apart < 0.05].to_list()
    ['XLE', 'XLI', 'XLP', 'XLU', 'XLV']
    """
    if not isinstance(study, AbnormalReturns):
        raise InferenceError(f"study= is a {type(study).__name__}: give what event_study() returns")
    if study.is_one_series or not study.has_common_dates:
        raise InferenceError(
            "relative moves need securities that share their event dates: give event_study() a "
            "table of securities and events without `security`"
        )
    tested = tested_window(start, end, study.settings.window)
    values, spans = study.returns.to_numpy(float), study.fits.panel.spans
    if spans is not None:
        values = np.where(spans.sessions.T > 1, np.nan, values)
    pairs, unit = study.fits.pairs, study.fits.unit
    first = pairs.position[np.unique(unit, return_index=True)[1]] + tested.start
    studied = np.zeros((len(first), values.shape[1]), dtype=bool)
    studied[unit, pairs.column] = True
    there = studied & _is_there(values, first, tested.length)
    estimate, z, adjusted = (np.full(there.shape, np.nan) for _ in range(3))
    pool = np.zeros(len(first), dtype=int)
    for columns in np.unique(there, axis=0):
        which = np.flatnonzero((there == columns).all(axis=1))
        relative = _relative(values[:, columns], study.returns.columns[columns])
        moves, scaled = _window_z(relative, tested.length)
        for i in which:
            adjusted[i, columns], pool[i] = _step_down(scaled, first[i], tested.length)
        cells = np.ix_(which, columns)
        estimate[cells], z[cells] = moves[first[which]], scaled[first[which]]
    units, names = study.alignment.index, study.returns.columns
    row, column = np.nonzero(studied & ~there)
    absent = dropped_rows(
        units[row],
        f"no return of one session in sessions {tested}, or too few in the {BURN_IN} before",
        names.astype("str")[column],
    )
    dropped = study.dropped
    if len(absent):
        dropped = pd.concat([dropped, absent], ignore_index=True)
        count_left_out(dropped, int(there.sum()), study.rows_of_an_event)
    return RelativeMoves(
        estimate=pd.DataFrame(estimate, units, names),
        z=pd.DataFrame(z, units, names),
        p_adjusted=pd.DataFrame(adjusted, units, names),
        p_max=pd.Series(np.nanmin(adjusted, axis=1), units, name="p_max"),
        pool=pd.Series(pool, units, name="pool"),
        window=tested,
        dropped=dropped,
        signature=study.signed(tested.start, tested.end),
        unit=study.settings.unit,
    )


def _is_there(values: np.ndarray, first: np.ndarray, length: int) -> np.ndarray:
    """Which securities have a return in each window, and enough before it, (units, securities)."""
    known = np.vstack([np.zeros(values.shape[1]), np.cumsum(np.isfinite(values), axis=0)])
    inside = known[first + length] - known[first] == length
    # Where no security has a history, the step down says what is missing.
    begun = known[first] >= np.minimum(BURN_IN, known[first].max(axis=1, keepdims=True))
    return inside & begun


def _relative(values: np.ndarray, names: pd.Index) -> np.ndarray:
    """Returns less those of the portfolio; NaN in sessions in which one of them is missing."""
    if len(names) < 2:
        raise InferenceError(
            "relative moves compare securities, and at an event "
            f"{' and '.join(map(repr, names)) or 'none'} alone is there: bring more columns"
        )
    relative = values - values.mean(axis=1, keepdims=True)
    alike = ~(np.abs(relative) > ROUNDING).any(axis=0)
    if alike.any():
        raise InferenceError(
            f"{names[alike][0]!r} always moves as the average of all securities, so it "
            "cannot move apart from it: drop the column"
        )
    return relative


@window_test(
    "Westfall and Young (1993)", "no security moves apart from the equal-weighted portfolio"
)
def relative_max(sample: CheckedReturns) -> Found:
    """Test that no security moved apart from the portfolio, for the one unit of a study.

    See `relative_moves`, which also says which securities.

    Raises
    ------
    InferenceError
        If the study has more than one unit; pick one with ``study["id"]``.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing.
    """
    if len(sample.study.alignment) != 1:
        raise sample.refusal("tests one session: pick the event with study['id']")
    moves = relative_moves(sample.study, sample.tested.start, sample.tested.end)
    return {
        "statistic": float(moves.z.abs().to_numpy().max()),
        "p_value": float(moves.p_max.iloc[0]),
        "distribution": f"largest |z| of {counted(int(moves.pool.iloc[0]), 'other session')}",
        "n": moves.z.shape[1],
    }


def _window_z(relative: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Summed moves and their z by first session, shape (T, N); NaN where not defined."""
    sessions, columns = relative.shape
    variance = np.full((sessions, columns), np.nan)
    known = np.flatnonzero(np.isfinite(relative).all(axis=1))
    if len(known) > BURN_IN:
        # A session that is passed over moves no variance; that of the next one stands there.
        held = np.full((len(known) - BURN_IN, columns), np.nan)
        held[0] = (relative[known[:BURN_IN]] ** 2).mean(axis=0)
        for t, row in enumerate(known[BURN_IN:-1], start=1):
            held[t] = DECAY * held[t - 1] + (1 - DECAY) * relative[row] ** 2
        variance[known[BURN_IN:]] = held
    moves = np.full((sessions, columns), np.nan)
    filled = np.nan_to_num(relative)
    total = np.vstack([np.zeros(columns), np.cumsum(filled, axis=0)])
    moves[: sessions - length + 1] = total[length:] - total[:-length]
    gaps = np.cumsum(np.r_[0, np.isnan(relative).any(axis=1)])
    moves[: sessions - length + 1][gaps[length:] > gaps[:-length]] = np.nan
    return moves, moves / np.sqrt(length * variance)


def _step_down(z: np.ndarray, row: int, length: int) -> tuple[np.ndarray, int]:
    """Step-down maximum p-values of the securities in one window, and the number of others."""
    others = np.isfinite(z).all(axis=1)
    others[max(row - length + 1, 0) : row + length] = False
    pool = np.abs(z[others])
    if len(pool) < MIN_POOL or not np.isfinite(z[row]).all():
        raise HistoryError(
            f"a relative test ranks the session among at least {MIN_POOL} others and needs "
            f"{BURN_IN} sessions before it; {counted(len(pool), 'other session')} can be ranked: "
            "give event_study() a longer history of returns"
        )
    size = np.abs(z[row])
    order = np.argsort(-size)
    # Largest |z| among this security and all smaller ones, for every other session.
    remaining = np.maximum.accumulate(pool[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (remaining >= size[order]).sum(axis=0)) / (len(pool) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted, len(pool)
