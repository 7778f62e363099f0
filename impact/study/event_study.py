"""event_study(): the one place where events, returns, model and tests meet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, ModelError, ReturnsError, WindowError
from impact.estimation.abnormal import nothing_left
from impact.estimation.fits import Settings
from impact.estimation.least_squares import Pairs, Panel
from impact.estimation.models import Design, NormalReturnModel, design
from impact.estimation.observations import form_units
from impact.market.returns import check_returns
from impact.market.windows import study_windows
from impact.news.alignment import align
from impact.news.events import as_events
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, iso, list_of
from impact.volatility.forecast import VARIANCE_MODELS

#: What `kind` may say of the returns; the first where nothing is said.
KINDS = ("log", "simple")

#: Sessions that are compared first when a benchmark is looked for among the securities.
PROBE = 32


def event_study(
    returns: pd.Series | pd.DataFrame,
    events: object,
    *,
    model: str | NormalReturnModel = "constant-mean",
    benchmark: str | pd.Series | None = None,
    factors: pd.DataFrame | None = None,
    risk_free: pd.Series | None = None,
    estimation: tuple[int, int] = (-260, -11),
    window: tuple[int, int] = (-5, 5),
    min_observations: int = 150,
    exclude_neighbours: bool = False,
    volatility: str | None = "gjr",
    implied: pd.Series | None = None,
    kind: str | None = None,
    rng: int | np.random.Generator = 0,
) -> EventStudy:
    """Measure abnormal returns around dated announcements.

    Parameters
    ----------
    returns : Series or DataFrame, shape (T,) or (T, N)
        Decimal returns by session (tz-naive, increasing). NaN where a security has none.
    events : DataFrame, Series, dict or list
        The catalogue (`load_events`), dates, label -> date, or a frame with `announced_at` (or
        `session`) and optionally `id`, `security`. Without `security` an event applies to every
        column.
    model : {"constant-mean", "market-adjusted", "market", "factors"} or object with ``fit``
        Normal-return model, see `impact.estimation.models`.
    benchmark : str or Series, optional
        Market returns: a column of `returns` (then not a security) or a series of its own.
    factors : DataFrame, optional
        Factor returns, for ``model="factors"``.
    risk_free : Series, optional
        Risk-free return by session.
    estimation, window : pair of int
        Estimation and event window, relative sessions, both ends included.
    min_observations : int
        Returns that a security must have in the estimation window.
    exclude_neighbours : bool
        Leave sessions 0..1 of the other events out of estimation windows.
    volatility : {"gjr", "garch", "ewma"} or None
        Variance model of the conditional test for one series; None leaves it out.
    implied : Series, optional
        The volatility index in points (`load_vix`), for one series that is the S&P 500.
    kind : {"log", "simple"}, optional
        What the returns are: read from what `log_returns` and `simple_returns` wrote into
        ``attrs["returns"]``, log returns where nothing stands there.
    rng : int or Generator
        Seed of simulated windows. The same seed gives the same numbers, whatever else is studied.

    Returns
    -------
    EventStudy

    Raises
    ------
    ReturnsError, ModelError, WindowError, EventError, DateError, HistoryError
        For input that cannot be used; the message names the value and the fix.

    Notes
    -----
    Events that cannot be used (too little history, only executing known news, outside the
    returns) are listed in ``EventStudy.dropped`` with the reason; if none is left, HistoryError
    is raised with the reasons.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, chapter 4.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> study = impact.event_study(returns, {"Liberation Day": "2025-04-03"}, volatility=None)
    >>> round(study.car(0)["estimate"].item(), 6)
    -0.049972
    """
    check_returns(returns)
    kind = _kind(returns, kind)
    settings = _settings(
        estimation, window, min_observations, exclude_neighbours, volatility, kind, rng
    )
    frame = returns.to_frame() if isinstance(returns, pd.Series) else returns
    securities, market = _split_benchmark(frame, benchmark)
    layout = design(model, frame.index, benchmark=market, factors=factors, risk_free=risk_free)
    aligned = align(as_events(events), frame.index, window=settings.window)
    units = form_units(aligned, securities, settings.estimation, settings.window)
    _check_implied(implied, securities, model)
    if not len(units.pairs):
        raise HistoryError(nothing_left(units.dropped))
    _check_regressors(layout, frame.index, units.pairs, settings)
    _check_not_a_security(securities, layout)
    panel = Panel(
        securities.to_numpy(float), layout, _neighbour_sessions(securities, units.pairs, settings)
    )
    return EventStudy.estimated(securities, panel, units, settings, implied)


def _kind(returns: pd.Series | pd.DataFrame, kind: str | None) -> str:
    """The kind that is asked for, or what the returns say of themselves."""
    said = returns.attrs.get("returns")
    if kind not in (None, *KINDS):
        raise ReturnsError(f"kind={kind!r} is not known: say 'log' or 'simple'")
    if kind and said and kind != said:
        raise ReturnsError(
            f"kind={kind!r} contradicts the returns, which {said}_returns() made: leave kind= out, "
            f"or make them with {kind}_returns()"
        )
    return kind or said or KINDS[0]


def _settings(
    estimation: tuple[int, int],
    window: tuple[int, int],
    min_observations: int,
    exclude_neighbours: bool,
    volatility: str | None,
    kind: str,
    rng: int | np.random.Generator,
) -> Settings:
    past, tested = study_windows(estimation, window)
    if volatility is not None and volatility not in VARIANCE_MODELS:
        known = list_of(map(repr, VARIANCE_MODELS), "or")
        raise ModelError(f"volatility={volatility!r} is not known: use {known}, or None")
    if past.length < min_observations:
        raise WindowError(
            f"estimation={past} has {past.length} sessions, fewer than "
            f"min_observations={min_observations}: lengthen the one or lower the other"
        )
    seed = rng if isinstance(rng, int | np.integer) else int(rng.integers(2**32))
    return Settings(past, tested, min_observations, exclude_neighbours, volatility, kind, int(seed))


def _check_implied(
    implied: pd.Series | None, securities: pd.DataFrame, model: str | NormalReturnModel
) -> None:
    if implied is None:
        return
    if securities.shape[1] > 1:
        raise ReturnsError("implied= belongs to one series (the S&P 500), not to a panel")
    if model != "constant-mean":
        raise ModelError(
            "implied= is the variance of the returns, not of what a model leaves of them: leave "
            "it out, or use model='constant-mean'"
        )


def _split_benchmark(
    frame: pd.DataFrame, benchmark: str | pd.Series | None
) -> tuple[pd.DataFrame, pd.Series | None]:
    if not isinstance(benchmark, str):
        return frame, benchmark
    if benchmark not in frame.columns:
        columns = ", ".join(map(str, frame.columns[:8]))
        raise ModelError(f"benchmark={benchmark!r} is not a column of the returns ({columns}, …)")
    if frame.shape[1] == 1:
        raise ModelError(f"benchmark={benchmark!r} is the only column: no security is left")
    return frame.drop(columns=benchmark), frame[benchmark]


def _neighbour_sessions(
    securities: pd.DataFrame, pairs: Pairs, settings: Settings
) -> np.ndarray | None:
    """Sessions 0..1 of every event, by security, shape (T, N); None when they may stay."""
    if not settings.exclude_neighbours:
        return None
    excluded = np.zeros(securities.shape, dtype=bool)
    for offset in (0, 1):
        rows = np.minimum(pairs.position + offset, len(securities) - 1)
        excluded[rows, pairs.column] = True
    return excluded


def _check_regressors(
    layout: Design, index: pd.DatetimeIndex, pairs: Pairs, settings: Settings
) -> None:
    """Regressors must be there on every session that any pair uses."""
    rows = [*layout.regressors, *([] if layout.subtracted is None else [layout.subtracted])]
    names = [*layout.names, "market or risk-free rate"]
    used = np.zeros(len(index) + 1, dtype=int)
    for position in np.unique(pairs.position):
        for span in (settings.estimation, settings.window):
            used[position + span.start] += 1
            used[position + span.end + 1] -= 1
    needed = np.cumsum(used)[:-1] > 0
    for name, values in zip(names, rows, strict=False):
        missing = np.flatnonzero(needed & ~np.isfinite(values))
        if len(missing):
            raise ModelError(
                f"{name} has no value on {iso(index[missing[0]])}, a session that the study needs "
                f"({counted(len(missing), 'such session')}): fill it or shorten the study"
            )


def _check_not_a_security(securities: pd.DataFrame, layout: Design) -> None:
    values = securities.to_numpy(float)
    known = layout.regressors
    if layout.subtracted is not None:
        known = np.vstack([known, layout.subtracted])
    for row in known:
        # The first sessions tell almost all columns apart.
        candidates = np.flatnonzero(_same(values[:PROBE], row[:PROBE]))
        same = candidates[_same(values[:, candidates], row)]
        if len(same):
            raise ModelError(
                f"the benchmark is also the security {securities.columns[same[0]]!r}, whose "
                f"abnormal return is zero by construction: drop that column"
            )


def _same(values: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Whether each column equals `row`, missing values included."""
    return ((values == row[:, None]) | (np.isnan(values) & np.isnan(row)[:, None])).all(axis=0)
