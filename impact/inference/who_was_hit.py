"""Who was hit, beyond beta: securities on common dates, each against its usual share of the market.

In a fall the securities with high betas fall most, and that is no news. So each one's return is
compared with alpha and beta times the market's, and divided by its own standard deviation as known
the evening before. The largest of these is ranked among the earlier sessions whose market moves, in
their own standard deviations, were nearest in size: it keeps the correlation of the securities and
needs no normal distribution, and residuals are larger when the market moves far. The step-down form
says which securities stand out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.observations import dropped_rows
from impact.inference.beyond_beta import BURN_IN, BeyondBeta
from impact.inference.ranked_moves import BENCHMARK, NEAREST, NUMBERS, POOLS, RelativeMoves
from impact.inference.tests import CheckedReturns, Found, check_study, window_test
from impact.market.windows import Window, tested_window
from impact.text.formats import counted, iso
from impact.text.result import count_left_out

#: Fewest earlier sessions to choose those from.
MIN_POOL = 200


def relative_moves(study: AbnormalReturns, start: int = 0, end: int | None = None) -> RelativeMoves:
    """Test which securities moved on common dates by more than their beta explains.

    Parameters
    ----------
    study : AbnormalReturns
        A panel with common dates. The market is its benchmark (``model="market"`` or
        "market-adjusted"); with any other model it is the equal-weighted average, and for each
        security that of the others. Variances are by its volatility model ("gjr" without one).
    start, end : int
        Relative sessions that are summed, both included.

    Raises
    ------
    InferenceError
        If the study is one series or has firm events, fewer than two securities are there at an
        event, the market stands still in an estimation window, or a security is constant or a
        multiple of the market.
    HistoryError
        If no event has the history: an estimation window, 250 sessions for the variance and 200
        to rank the event among.

    Notes
    -----
    u = Σ r - kα - βΣm over the k sessions of the window; α and β by least squares in the study's
    estimation window before each session, those of the past too. Its variance is k σ² for the
    residual, σ from the evening before (see `impact.volatility.forecast.conditional_z`), plus that
    of what was taken off, s² (k²/L + (Σm - k m̄)²/Sxx); z = u over its root. Of the earlier
    sessions whose windows do not overlap the tested one, the 100 with a market z nearest in
    size are kept, and p = (1 + #{maximum of abs z as large or larger}) / 101. The nearest to a very
    large move are smaller (`as_large`), and p depends on how many are kept (`by_pool`). The 100
    was chosen on sessions of the sector funds, on which the published size was measured as well.
    z of the market has its variance from the rows of the securities only.

    A benchmark names the security that was hit more surely than the average of a few: there one
    that falls by δ lifts each of the N - 1 others by beta times δ/(N - 1).

    Securities are compared with those that are there: each with a return in every session of the
    window and a history before it. Others are listed in `dropped`. Sessions in which one of those
    compared has no return, or one of several sessions, are passed over.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, algorithm 2.8 (step-down max).

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> market = impact.log_returns(impact.load_prices())
    >>> study = impact.event_study(sectors, ["2025-04-03"], model="market", benchmark=market)
    >>> relative_moves(study).z.iloc[0].nsmallest(1).round(1).to_dict()
    {'XLE': -4.6}
    """
    check_study(study)
    if study.is_one_series or not study.has_common_dates:
        raise InferenceError(
            "relative moves need securities that share their event dates: give event_study() a "
            "table of securities and events without `security`"
        )
    tested = tested_window(start, end, study.settings.window)
    returns, market, of_what = _returns_and_market(study)
    units, names = study.alignment.index, returns.columns
    pairs, unit = study.fits.pairs, study.fits.unit
    position = pairs.position[np.unique(unit, return_index=True)[1]]
    studied = np.zeros((len(units), len(names)), dtype=bool)
    studied[unit, pairs.column] = True
    there = studied & _is_there(returns.to_numpy(), position, tested, study.settings.estimation)
    tables, facts, pools = {}, {}, {}
    notes: dict[str, None] = {}
    refused: dict[str, HistoryError] = {}
    for columns in np.unique(there, axis=0):
        which = np.flatnonzero((there == columns).all(axis=1))
        compared = returns.loc[:, columns].dropna()
        try:
            panel = BeyondBeta(
                compared,
                None if market is None else market.loc[compared.index, columns].to_numpy(),
                study.settings.estimation,
                study.settings.volatility or "gjr",
            )
            days = returns.index[position[which]]
            rows = compared.index.get_indexer(days)
            panel = panel.sound(rows.max() + max(tested.end, 0))
            found = panel.windows(tested)
        except HistoryError as error:
            refused |= dict.fromkeys(units[which], error)
            continue
        notes |= dict.fromkeys(panel.notes(days))
        if market is not None:
            notes[_whose_rows(compared.index)] = None
        for name, row in zip(units[which], rows, strict=True):
            try:
                tables[name], facts[name], pools[name] = _unit(panel, found, row, tested.length)
            except HistoryError as error:
                refused[name] = error
    if not tables:
        raise next(iter(refused.values()))
    wide = {
        name: pd.DataFrame({unit: found[name] for unit, found in tables.items()}, names).T.reindex(
            units
        )
        for name in NUMBERS
    }
    kept = sum(map(len, tables.values()))
    known = pd.DataFrame(facts).T.reindex(units)
    row, column = np.nonzero(studied & ~there)
    return RelativeMoves(
        **wide,
        **{name: known[name].rename(name) for name in known},
        by_pool=pd.DataFrame(pools, POOLS).T.reindex(units),
        window=tested,
        dropped=_dropped(study, units[row], names[column], refused, kept, tested),
        signature=study.signed(tested.start, tested.end, conditional=True),
        market=of_what,
        notes=tuple(notes),
        unit=study.settings.unit,
    )


def _returns_and_market(
    study: AbnormalReturns,
) -> tuple[pd.DataFrame, pd.DataFrame | None, str]:
    """Moves of one session, NaN where one is missing, those of the market, and what it is."""
    returns, layout, spans = study.returns, study.layout, study.fits.panel.spans
    if spans is not None:
        returns = returns.mask(spans.sessions.T > 1)
    market = layout.subtracted
    if layout.names == ("market",):
        market = layout.regressors[0]
        if layout.subtracted is not None:
            returns = returns.sub(layout.subtracted, axis=0)
    elif layout.name != "market-adjusted" or market is None:
        return returns, None, "the average of the others"
    by_row = np.broadcast_to(layout.by_row(market), returns.shape[::-1]).T
    frame = pd.DataFrame(by_row, returns.index, returns.columns)
    return returns.where(frame.notna()), frame, BENCHMARK


def _is_there(
    values: np.ndarray, position: np.ndarray, tested: Window, estimation: Window
) -> np.ndarray:
    """Which securities have a return in each window, and enough before it, (units, securities)."""
    known = np.vstack([np.zeros(values.shape[1]), np.cumsum(np.isfinite(values), axis=0)])
    # Session 0 belongs to the window here: loadings and rank are found by it.
    first, last = position + min(tested.start, 0), position + max(tested.end, 0)
    inside = known[last + 1] - known[first] == (last - first + 1)[:, None]
    needed = BURN_IN + MIN_POOL + tested.length - estimation.start
    # Where no security has a history, the step down says what is missing.
    return inside & (known[first] >= np.minimum(needed, known[first].max(axis=1, keepdims=True)))


def _whose_rows(rows: pd.DatetimeIndex) -> str:
    return (
        f"variance of the market's move: from the returns of the benchmark since {iso(rows[0])}, "
        "the first session with every security, also where the benchmark has a longer history"
    )


def _unit(
    panel: BeyondBeta, found: tuple[np.ndarray, ...], row: int, length: int
) -> tuple[pd.DataFrame, dict[str, float], np.ndarray]:
    """The numbers of the securities in one window, those of the window, and p by pool."""
    moves, z, market_z = found
    near = _nearest_first(z, market_z, row, length)
    size, past = np.abs(z[row]), np.abs(z[near])
    p = _step_down(size, past[:NEAREST])
    beta = panel.fit.beta[row + panel.estimation.start]
    numbers = dict(zip(NUMBERS, (moves[row], beta, z[row], p), strict=True))
    facts = {
        "p_max": p.min(),
        "market_z": market_z[row],
        "pool": len(near),
        "as_large": (np.abs(market_z[near]) >= abs(market_z[row])).sum(),
        "by_average": (panel.returns.index[near] < panel.since).sum(),
    }
    beyond = np.cumsum(past.max(axis=1) >= size.max())
    by_pool = [(1 + beyond[n - 1]) / (n + 1) if n <= len(near) else np.nan for n in POOLS]
    return pd.DataFrame(numbers, panel.returns.columns), facts, np.array(by_pool)


def _dropped(
    study: AbnormalReturns,
    units: pd.Index,
    names: pd.Index,
    refused: dict[str, HistoryError],
    kept: int,
    tested: Window,
) -> pd.DataFrame:
    """What the study left out, securities that were not there, and events without a history."""
    absent = dropped_rows(
        units,
        f"no return of one session in sessions {tested} or too short a history before them",
        names.astype("str"),
    )
    late = dropped_rows(list(refused), [str(error) for error in refused.values()])
    if absent.empty and late.empty:
        return study.dropped
    dropped = pd.concat([study.dropped, absent, late], ignore_index=True)
    return count_left_out(dropped, kept, study.rows_of_an_event)


@window_test("Westfall and Young (1993)", "no security moves by more than its beta explains")
def relative_max(sample: CheckedReturns) -> Found:
    """Test that no security moved by more than its beta explains, for the one unit of a study.

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
        "distribution": f"largest |z| of the {NEAREST} earlier sessions with the nearest market z",
        "n": moves.z.shape[1],
    }


def _nearest_first(z: np.ndarray, market_z: np.ndarray, row: int, length: int) -> np.ndarray:
    """Earlier sessions that can be ranked, the nearest in the size of the market's move first."""
    there = np.isfinite(z).all(axis=1) & np.isfinite(market_z)
    earlier = np.flatnonzero(there[: max(row - length + 1, 0)])
    if len(earlier) < MIN_POOL or not there[row]:
        raise HistoryError(
            f"an event is ranked among the {NEAREST} nearest of at least {MIN_POOL} earlier "
            f"sessions, and {counted(len(earlier), 'earlier session')} can be ranked: give "
            "event_study() a longer history of returns"
        )
    away = np.abs(np.abs(market_z[earlier]) - abs(market_z[row]))
    return earlier[np.argsort(away, kind="stable")]


def _step_down(size: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Step-down maximum p of the securities of one window among those of the pool."""
    order = np.argsort(-size)
    # Largest |z| among this security and all smaller ones, for every session of the pool.
    remaining = np.maximum.accumulate(pool[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (remaining >= size[order]).sum(axis=0)) / (len(pool) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted
