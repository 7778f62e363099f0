"""Who was hit, beyond beta: securities on common dates, each against its usual share of the market.

In a fall the securities with high betas fall most, and that is no news. So each one's return is
compared with alpha and beta times the market's, and divided by its own standard deviation as known
the evening before. The largest of these is ranked among earlier sessions on which the market moved
about as far: it keeps the correlation of the securities and needs no normal distribution, and
residuals are larger when the market moves far. The step-down form says which securities stand out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.observations import dropped_rows
from impact.inference.beyond_beta import BURN_IN, BeyondBeta
from impact.inference.measured_sizes import hit_in_words
from impact.inference.tests import CheckedReturns, Found, window_test
from impact.market.windows import Window, tested_window
from impact.text.formats import counted, number, p_value
from impact.text.result import Result, count_left_out
from impact.text.table import KNOWN, Column

#: Earlier sessions, nearest in the size of the market's move, that an event is ranked among. With
#: 250 too many of the sessions with the largest moves of the market were rejected.
NEAREST = 100

#: What the market is called where the study has one.
BENCHMARK = "the benchmark"

#: Fewest earlier sessions to choose those from.
MIN_POOL = 200


#: Numbers of each event and security, in the order of the table.
_NUMBERS = ("estimate", "beta", "z", "p_adjusted")


@dataclass(frozen=True, eq=False, repr=False)
class RelativeMoves(Result):
    """Moves of each security beyond beta, by unit.

    Attributes
    ----------
    estimate : DataFrame, units x securities
        Cumulative return less alpha and beta times the market's, decimal fractions; NaN where the
        security is not there.
    beta : DataFrame, units x securities
        Loading on the market in the estimation window.
    z : DataFrame, units x securities
        `estimate` over its own conditional standard deviation, the error of beta counted.
    p_adjusted : DataFrame, units x securities
        Step-down maximum p-values: each allows for all securities of its unit.
    p_max : Series
        p of the largest |z| of each unit: the test that no security stands out.
    market_z : Series
        The market's move in its own conditional standard deviations.
    pool : Series
        Number of earlier sessions that the nearest 100 in |market_z| were chosen from.
    window : Window
        Relative sessions that were summed.
    dropped : DataFrame
        event, security, reason of everything that was left out.
    signature : str
        What it was computed with.
    market : str
        What the market is, in words.
    notes : tuple of str
        What a reader should know of the variances.
    """

    estimate: pd.DataFrame
    beta: pd.DataFrame
    z: pd.DataFrame
    p_adjusted: pd.DataFrame
    p_max: pd.Series
    market_z: pd.Series
    pool: pd.Series
    window: Window
    dropped: pd.DataFrame
    signature: str
    market: str
    notes: tuple[str, ...] = ()
    unit: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """`estimate`, `beta`, `z` and `p_adjusted`, one row an event and security."""
        named = {name: getattr(self, name).stack() for name in _NUMBERS}
        return pd.DataFrame(named).rename_axis(["event", "security"]).dropna()

    def by_group(self, groups: pd.Series) -> pd.DataFrame:
        """Return, by event and group, how many there are, their average, and who went farthest.

        Parameters
        ----------
        groups : Series, indexed by security
            Such as the ``sector`` of firms.

        Returns
        -------
        DataFrame, rows (event, group)
            `securities`, `estimate` (their average, decimal fraction), `security` (the one with
            the largest z in size) and its `z` and `p_adjusted`, which allows for all securities.

        Raises
        ------
        InferenceError
            If a security has no group.
        """
        unknown = self.z.columns.difference(groups.dropna().index)
        if len(unknown):
            raise InferenceError(
                f"groups has no group for {unknown[0]!r}: give one for every security"
            )
        rows = self.table.reset_index()
        rows["group"] = rows["security"].map(groups)
        parts = rows.groupby(["event", "group"], sort=False)
        farthest = rows.loc[rows["z"].abs().groupby([rows["event"], rows["group"]]).idxmax()]
        found = farthest.set_index(["event", "group"])[["security", "z", "p_adjusted"]]
        found.insert(0, "securities", parts.size())
        found.insert(1, "estimate", parts["estimate"].mean())
        return found

    def __repr__(self) -> str:
        events, securities = self.z.shape
        shown = counted(securities, "security", "securities")
        return f"RelativeMoves: {shown} at {counted(events, 'event')}"

    def _title(self) -> str:
        what = "Change" if self.unit else "Return"
        return f"{what} beyond beta times {self.market}, sessions {self.window}"

    def _notes(self) -> tuple[str, ...]:
        sample = "sectors" if self.market == BENCHMARK else "sectors among themselves"
        return (*self.notes, hit_in_words(sample, self.window))

    def _columns(self) -> tuple[Column, ...]:
        return (
            KNOWN["event"],
            KNOWN["security"],
            KNOWN["estimate"],
            Column("beta", "beta", number),
            Column("z", "z", number),
            Column("p_adjusted", "p, for all securities", p_value),
        )


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
    size are kept, and p = (1 + #{maximum of abs z as large or larger}) / 101.

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
    if not isinstance(study, AbnormalReturns):
        raise InferenceError(f"study= is a {type(study).__name__}: give what event_study() returns")
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
    tables, facts = {}, {}
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
            found = panel.windows(tested)
        except HistoryError as error:
            refused |= dict.fromkeys(units[which], error)
            continue
        days = returns.index[position[which]]
        notes |= dict.fromkeys(panel.notes(days))
        for name, row in zip(units[which], compared.index.get_indexer(days), strict=True):
            try:
                tables[name], facts[name] = _unit(panel, found, row, tested.length)
            except HistoryError as error:
                refused[name] = error
    if not tables:
        raise next(iter(refused.values()))
    wide = {
        name: pd.DataFrame({unit: found[name] for unit, found in tables.items()}, names).T.reindex(
            units
        )
        for name in _NUMBERS
    }
    kept = sum(map(len, tables.values()))
    known = pd.DataFrame(facts, ["p_max", "market_z", "pool"]).T.reindex(units)
    row, column = np.nonzero(studied & ~there)
    return RelativeMoves(
        **wide,
        **{name: known[name].rename(name) for name in known},
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


def _unit(
    panel: BeyondBeta, found: tuple[np.ndarray, ...], row: int, length: int
) -> tuple[pd.DataFrame, tuple[float, float, int]]:
    """The numbers of the securities in one window, and those of the window."""
    moves, z, market_z = found
    p, pool = _step_down(z, market_z, row, length)
    beta = panel.fit.beta[row + panel.estimation.start]
    numbers = dict(zip(_NUMBERS, (moves[row], beta, z[row], p), strict=True))
    return pd.DataFrame(numbers, panel.returns.columns), (p.min(), market_z[row], pool)


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
        "distribution": f"largest |z| of {NEAREST} earlier sessions with a like move of the market",
        "n": moves.z.shape[1],
    }


def _step_down(
    z: np.ndarray, market_z: np.ndarray, row: int, length: int
) -> tuple[np.ndarray, int]:
    """Step-down maximum p of the securities in one window, and the number of earlier ones."""
    there = np.isfinite(z).all(axis=1) & np.isfinite(market_z)
    earlier = np.flatnonzero(there[: max(row - length + 1, 0)])
    if len(earlier) < MIN_POOL or not there[row]:
        raise HistoryError(
            f"an event is ranked among the {NEAREST} nearest of at least {MIN_POOL} earlier "
            f"sessions, and {counted(len(earlier), 'earlier session')} can be ranked: give "
            "event_study() a longer history of returns"
        )
    away = np.abs(np.abs(market_z[earlier]) - abs(market_z[row]))
    pool = np.abs(z[earlier[np.argsort(away, kind="stable")[:NEAREST]]])
    size = np.abs(z[row])
    order = np.argsort(-size)
    # Largest |z| among this security and all smaller ones, for every session of the pool.
    remaining = np.maximum.accumulate(pool[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (remaining >= size[order]).sum(axis=0)) / (NEAREST + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted, len(earlier)
