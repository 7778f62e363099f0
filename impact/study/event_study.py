"""event_study(): the one place where events, returns, model and tests meet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, ModelError, ReturnsError, WindowError
from impact.estimation.abnormal import nothing_left
from impact.estimation.fits import Settings
from impact.estimation.models import Design, NormalReturnModel, design
from impact.estimation.observations import form_units
from impact.estimation.pairs import Pairs
from impact.estimation.panel_windows import Panel
from impact.estimation.spans import gap_notes, read_spans
from impact.market.calendar import Market, MarketLike, market_of
from impact.market.checks import check_numbers, on_rows
from impact.market.returns import check_returns, split_like
from impact.market.windows import Window, study_windows
from impact.news.alignment import align
from impact.news.security_names import with_securities
from impact.study.arguments import is_whole, processes, seed
from impact.study.event_study_result import EventStudy
from impact.study.model_gaps import without_model
from impact.text.formats import counted, iso, list_of, some_of
from impact.text.result import count_left_out
from impact.volatility.garch import VARIANCE_MODELS

#: What `kind` may say of the returns; the first where nothing is said.
KINDS = ("log", "simple", "change")

#: Sessions that are compared first when a benchmark is looked for among the securities.
PROBE = 32

#: So many sessions that a benchmark or factor lacks are named.
NAMED = 3


def event_study(
    returns: pd.Series | pd.DataFrame,
    events: object,
    *,
    model: str | NormalReturnModel = "constant-mean",
    benchmark: str | pd.Series | pd.DataFrame | None = None,
    factors: pd.DataFrame | None = None,
    risk_free: pd.Series | None = None,
    estimation: tuple[int, int] = (-260, -11),
    window: tuple[int, int] = (-5, 5),
    min_observations: int = 150,
    exclude_neighbours: bool = False,
    volatility: str | None = "gjr",
    implied: pd.Series | None = None,
    kind: str | None = None,
    unit: str | None = None,
    market: MarketLike = None,
    n_jobs: int = 1,
    rng: int | np.random.Generator = 0,
) -> EventStudy:
    """Measure abnormal returns around dated announcements.

    Parameters
    ----------
    returns : Series or DataFrame, shape (T,) or (T, N)
        Decimal returns by session (tz-naive, increasing). NaN where a security has none; the next
        return is that of all sessions since its last price if `log_returns` or `simple_returns`
        made it, which ``attrs["gaps"]`` says, and of one session otherwise.
    events : str, DataFrame, Series, dict or list
        The catalogue (`load_events`), ids or labels of it, dates, label -> date, or a frame with
        `announced_at` (or `session`) and optionally `id`, `security`. Without `security` an event
        applies to every column.
    model : {"constant-mean", "market-adjusted", "market", "factors", "raw"} or object with ``fit``
        Normal-return model, see `impact.estimation.models`; "raw" takes the returns themselves,
        no mean removed, as abnormal.
    benchmark : str, Series or DataFrame, optional
        Market returns: a column of `returns` (then not a security), a series of its own, or a
        frame with a column for each security. A session without its value is left out.
    factors : DataFrame, optional
        Factor returns, for ``model="factors"``.
    risk_free : Series, optional
        Risk-free return by session.
    estimation, window : pair of int
        Estimation and event window, relative sessions, both ends included. Sessions are rows; in
        the estimation window, days on which a security's exchange was shut do not count.
    min_observations : int
        Returns that a security must have in the estimation window.
    exclude_neighbours : bool
        Leave sessions 0..1 of the other events out of estimation windows.
    volatility : {"gjr", "garch", "ewma"} or None
        Variance model of the conditional test, which `car` makes for one series, and for several
        if asked; None leaves it out.
    implied : Series, optional
        The volatility index in points (`load_vix`), for one series that is the S&P 500.
    kind : {"log", "simple", "change"}, optional
        What the returns are: read from what `log_returns` and `simple_returns` wrote into
        ``attrs["returns"]``, log returns where nothing stands there. "change" is for yields,
        spreads and volatility indices, ``levels.diff().dropna()``: tables and pictures are then
        in `unit`, and nothing is compounded.
    unit : str, optional
        What changes are in: "percentage points", "points".
    market : str or (zone, close), optional
        Whose clock closes the rows: an exchange of pandas_market_calendars ("XETR", "XTKS"),
        "24/7" (a day ends at 00:00 UTC), or a time zone and a close ("Europe/Berlin", "17:30").
        Left out, rows that all are sessions of the NYSE are the NYSE's; on any others only dates
        can be studied.
    n_jobs : int
        Processes, as joblib counts them, that share the variance forecasts of several securities
        (``car(0, conditional=True)``); the numbers do not depend on it.
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
    returns, a session around them that is no row, a benchmark or factor that does not reach them)
    are listed in ``EventStudy.dropped`` with the reason; if none is left, an error gives it.
    ``EventStudy.notes``, under every table, names returns that look like unadjusted splits, and
    sessions left out because the benchmark has no value there.

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
    kind, unit = _kind(returns, kind, unit)
    checked = check_returns(returns, kind=kind)
    frame = checked.to_frame() if isinstance(checked, pd.Series) else checked
    clock = market_of(frame.index, market, "returns")
    settings = Settings(
        *_settings(estimation, window, min_observations, exclude_neighbours, volatility, kind, rng),
        clock.name,
        unit,
        processes(n_jobs, ModelError),
    )
    securities, beside = _split_benchmark(frame, benchmark)
    layout = design(
        model,
        frame.index,
        benchmark=beside,
        factors=factors,
        risk_free=risk_free,
        securities=securities.columns,
        kind=kind,
    )
    aligned = align(events, frame.index, window=settings.window, market=clock)
    aligned = with_securities(aligned, securities.columns)
    units = form_units(aligned, securities, settings.estimation, settings.window)
    implied = _implied(implied, securities, model, volatility)
    if unit and (implied is not None or risk_free is not None):
        raise ReturnsError("implied= and risk_free= are for returns, not for kind='change'")
    if not len(units.pairs):
        raise HistoryError(nothing_left(units.dropped))
    units = without_model(units, layout, settings, securities)
    needed = _needed(units.pairs, settings, len(frame))
    notes = (
        *aligned.attrs.get("notes", ()),
        *(_rows_of_no_session(frame.index, clock) if market is not None else ()),
        *_sessions_left_out(layout, frame.index, needed),
        *_splits(securities, layout, needed, kind),
        *gap_notes(securities, clock, needed, own_model=layout.user is not None),
    )
    _check_not_a_security(securities, layout)
    near = _neighbour_sessions(securities, units.pairs, settings)
    spans = read_spans(securities, clock)
    kept = (settings.estimation, near, spans, kind == "simple")
    panel = Panel(securities.to_numpy(float), layout, *kept)
    study = EventStudy.estimated(securities, panel, units, settings, implied, notes)
    _count_left_out(study)
    return study


def _count_left_out(study: EventStudy) -> None:
    """Write into the table of what was left out how much that is of what was asked for."""
    members = np.array([len(ids) for ids in study.alignment["announcements"]])
    if (study.dropped["security"] == "").all():
        count_left_out(study.dropped, int(members.sum()))
        return
    count_left_out(study.dropped, int(members[study.fits.unit].sum()), study.rows_of_an_event)


def _kind(returns: pd.Series | pd.DataFrame, kind: str | None, unit: str | None) -> tuple[str, str]:
    """The kind that is asked for, or what the returns say of themselves; the unit of changes."""
    said = getattr(returns, "attrs", {}).get("returns")
    if kind not in (None, *KINDS):
        raise ReturnsError(f"kind={kind!r} is not known: say {list_of(map(repr, KINDS), 'or')}")
    if kind and said and kind != said:
        made = "levels.diff().dropna()" if kind == "change" else f"{kind}_returns()"
        raise ReturnsError(
            f"kind={kind!r} contradicts the returns, which {said}_returns() made: leave kind= out, "
            f"or make them with {made}"
        )
    kind = kind or said or KINDS[0]
    if kind != "change" and unit is not None:
        raise ReturnsError(f"unit={unit!r} has no effect on {kind} returns: say kind='change'")
    if kind == "change" and not (isinstance(unit, str) and unit.strip()):
        raise ReturnsError("kind='change' needs unit=, such as 'points' or 'percentage points'")
    return kind, unit.strip() if unit else ""


def _settings(
    estimation: tuple[int, int],
    window: tuple[int, int],
    min_observations: int,
    exclude_neighbours: bool,
    volatility: str | None,
    kind: str,
    rng: int | np.random.Generator,
) -> tuple[Window, Window, int, bool, str | None, str, int]:
    past, tested = study_windows(estimation, window)
    if volatility is not None and volatility not in tuple(VARIANCE_MODELS):
        known = list_of(map(repr, VARIANCE_MODELS), "or")
        raise ModelError(f"volatility={volatility!r} is not known: use {known}, or None")
    if not isinstance(exclude_neighbours, bool | np.bool_):
        raise ModelError(f"exclude_neighbours={exclude_neighbours!r}: say True or False")
    if not is_whole(min_observations) or min_observations < 1:
        raise WindowError(f"min_observations={min_observations!r}: give a whole number from 1")
    if past.length < min_observations:
        raise WindowError(
            f"estimation={past} has {past.length} sessions, fewer than "
            f"min_observations={min_observations}: lengthen the one or lower the other"
        )
    least, apart = int(min_observations), bool(exclude_neighbours)
    return past, tested, least, apart, volatility, kind, seed(rng, ModelError)


def _implied(
    implied: pd.Series | None,
    securities: pd.DataFrame,
    model: str | NormalReturnModel,
    volatility: str | None,
) -> pd.Series | None:
    """The volatility index, checked."""
    if implied is None:
        return None
    if volatility is None:
        raise ModelError("implied= has no effect with volatility=None: leave out one of the two")
    if securities.shape[1] > 1:
        raise ReturnsError("implied= belongs to one series (the S&P 500), not to a panel")
    if model not in ("constant-mean", "raw"):
        raise ModelError(
            "implied= is the variance of the returns, not of what a model leaves of them: leave "
            "it out, or use model='constant-mean'"
        )
    if isinstance(implied, pd.DataFrame) and implied.shape[1] > 1:
        raise ReturnsError(f"implied= has {implied.shape[1]} columns: give one, as a Series")
    on_rows(implied, "implied", securities.index, "points")
    return check_numbers(implied, "implied").iloc[:, 0]


def _split_benchmark(
    frame: pd.DataFrame, benchmark: str | pd.Series | pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.Series | pd.DataFrame | None]:
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


def _needed(pairs: Pairs, settings: Settings, rows: int) -> np.ndarray:
    """Which rows lie in a window of any pair, shape (T,)."""
    used = np.zeros(rows + 1, dtype=int)
    for position in np.unique(pairs.position):
        for span in (settings.estimation, settings.window):
            used[position + span.start] += 1
            used[position + span.end + 1] -= 1
    return np.cumsum(used)[:-1] > 0


def _rows_of_no_session(index: pd.DatetimeIndex, market: Market) -> list[str]:
    strange = index[(market.sessions.get_indexer(index) < 0) & (index >= market.sessions[0])]
    if strange.empty:
        return []
    rows = counted(len(strange), "row is not a session", "rows are not sessions")
    return [f"{rows} of {market.name} (first: {iso(strange[0])}), yet counted as such."]


def _sessions_left_out(layout: Design, index: pd.DatetimeIndex, needed: np.ndarray) -> list[str]:
    """Say on which sessions of the study something of the model is missing."""
    notes = []
    known = needed
    for name, values in layout.arguments.items():
        absent = ~np.isfinite(layout.by_row(values))
        lacks = known & (absent if absent.ndim == 1 else absent.any(axis=0))
        missing, known = index[lacks], known & ~lacks
        if missing.empty:
            continue
        dates = some_of([*map(iso, missing[:NAMED])], len(missing))
        sessions = counted(len(missing), "such session")
        notes.append(f"Left out, as the {name} has no value there: {sessions} ({dates}).")
    return notes


def _splits(securities: pd.DataFrame, layout: Design, needed: np.ndarray, kind: str) -> list[str]:
    """Say what looks like an unadjusted split in the stretch of rows that the study reads."""
    rows = slice(int(needed.argmax()), len(needed) - int(needed[::-1].argmax()))
    if kind == "change":
        return []
    beside = {name: values for name, values in layout.arguments.items() if values.ndim == 1}
    tables = [securities, pd.DataFrame(beside, securities.index)]
    return [note for table in tables if (note := split_like(table.iloc[rows], kind))]


def _check_not_a_security(securities: pd.DataFrame, layout: Design) -> None:
    values = securities.to_numpy(float)
    for row in layout.arguments.values():
        known = row[:, None] if row.ndim == 1 else row.T
        # The first sessions tell almost all columns apart.
        candidates = np.flatnonzero(_same(values[:PROBE], known[:PROBE]))
        own = known if row.ndim == 1 else known[:, candidates]
        same = candidates[_same(values[:, candidates], own)]
        if len(same):
            raise ModelError(
                f"the benchmark is also the security {securities.columns[same[0]]!r}, whose "
                f"abnormal return is zero by construction: drop that column"
            )


def _same(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether each column equals that of `known`, missing values included."""
    return ((values == known) | (np.isnan(values) & np.isnan(known))).all(axis=0)
