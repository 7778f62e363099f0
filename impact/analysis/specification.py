"""The specification curve: one question about a set of events, asked in every reasonable way.

Every combination of the choices that a researcher makes gets an estimate and a p-value. All are
then judged together: the whole set of events is moved round the sample, and each shift is put
through all specifications as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.analysis.choices import KINDS, known, returns_by_kind, sizes, tested_windows
from impact.analysis.shifted_set import CHOICES, LEVEL, ShiftedSet, Specification, evaluate, judged
from impact.charts.curve import estimate_curve
from impact.charts.page import Words
from impact.errors import EventError, HistoryError, InferenceError
from impact.inference.event_sets import MIN_SESSIONS
from impact.market.returns import check_returns
from impact.study.arguments import generator, processes, whole
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, iso, list_of, p_value, percent
from impact.text.result import Result, left_out, signed
from impact.text.table import Table, table
from impact.volatility.forecast import conditional_z
from impact.volatility.garch import VARIANCE_MODELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Normal returns: the mean of the estimation window, or none.
MEAN_MODELS = ("constant-mean", "zero-mean")

#: Yardsticks: the spread of the estimation window, or the variance known the evening before.
YARDSTICKS = ("constant", *VARIANCE_MODELS)


@dataclass(frozen=True, eq=False, repr=False)
class SpecificationCurve(Result):
    """Result of `specification_curve`; frozen.

    Attributes
    ----------
    table : DataFrame
        One row a specification, by rising estimate: the choices `CHOICES`, `n` (sessions),
        `estimate` (mean CAR, decimal fraction), `statistic` (studentised mean z) and `p_value`
        (two-sided, among the shifts).
    dropped : DataFrame
        event, security, reason.
    signature : str
    options : DataFrame
        What each option of each choice does, all others varied: `choice`, `option`,
        `specifications`, `estimate` (their median) and `share` (of them with p <= 5%).
    shares : Series
        Share of specifications "below zero", "above zero", "below zero, p <= 5%" and
        "above zero, p <= 5%".
    joint : Series
        p of all specifications together, by "share significant" (in the more frequent
        direction) and by "median statistic".
    shifts : int
        Shifted sets behind each p.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    options: pd.DataFrame
    shares: pd.Series
    joint: pd.Series
    shifts: int

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        low, middle, high = self.table["estimate"].quantile([0, 0.5, 1])
        return (
            f"SpecificationCurve: {counted(len(self), 'specification')}, mean CAR "
            f"{percent(low)} to {percent(high)}, median {percent(middle)}; "
            f"{percent(self.shares.iloc[2:].max(), 0, signed=False)} at 5% in one direction, "
            f"joint p = {p_value(self.joint['share significant'])}"
        )

    def summary(self) -> Table:
        """Return the table of `options`, with the shares and the joint p below it."""
        several = self.options.groupby("choice")["option"].transform("size") > 1
        shown = self.options[several]
        whole_percent = partial(percent, digits=0, signed=False)
        shares = list_of(f"{whole_percent(share)} {name}" for name, share in self.shares.items())
        joint = list_of(f"by {name} {p_value(p)}" for name, p in self.joint.items())
        notes = (
            f"Of {counted(len(self), 'specification')}: {shares}.",
            f"Joint p: {joint}.",
            left_out(self.dropped),
        )
        return table(
            shown.assign(share=shown["share"].map(whole_percent)).rename(
                columns={"share": "with p <= 5%"}
            ),
            "Specification curve: mean CAR by choice",
            notes=filter(None, notes),
            signature=self.signature,
        )

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write every specification unrounded, signed; return the text where no path is given."""
        return table(self.table, "Specifications", signature=self.signature).to_csv(path)

    def plot(self) -> Figure:
        """Draw the sorted estimates above the choices behind them."""
        words = Words(
            f"The mean CAR lies between {percent(self.table['estimate'].min())} and "
            f"{percent(self.table['estimate'].max())}",
            f"{counted(len(self), 'specification')} by rising estimate; "
            f"joint p = {p_value(self.joint['share significant'])}",
            self.signature,
        )
        return estimate_curve(words, self.table, self.options, "among the shifted sets")


def specification_curve(
    returns: pd.Series,
    events: Any,
    *,
    lengths: Sequence[int] = (120, 250, 500),
    gaps: Sequence[int] = (10, 30),
    windows: Sequence[tuple[int, int]] = ((0, 0), (0, 1), (-1, 1)),
    means: Sequence[str] = MEAN_MODELS,
    kinds: Sequence[str] = KINDS,
    neighbours: Sequence[str] = ("in", "out"),
    variances: Sequence[str] = YARDSTICKS,
    kind: str | None = None,
    shifts: int = 999,
    n_jobs: int = 1,
    rng: int | np.random.Generator = 0,
    progress: bool = False,
) -> SpecificationCurve:
    """Estimate a set's mean CAR under every combination of choices, and judge them together.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns of one series, none missing.
    events : events, or dict of str to events
        As for `event_study`; a dict whose values are catalogues (DataFrames) holds subsets by
        name.
    lengths, gaps : sequence of int
        Sessions in the estimation window, and between it and session 0.
    windows : sequence of pair of int
        Tested windows, relative sessions.
    means : sequence of {"constant-mean", "zero-mean"}
    kinds : sequence of {"log", "simple"}
        Returns that are summed.
    neighbours : sequence of {"in", "out"}
        Whether sessions 0..1 of the other events of the subset stay in estimation windows.
    variances : sequence of {"constant", "gjr", "garch", "ewma"}
        Yardstick of each CAR: the estimation window's spread, or the variance known the evening
        before.
    kind : {"log", "simple"}, optional
        What `returns` are; left out, what `log_returns` or `simple_returns` wrote into them, else
        log.
    shifts : int
        Circular shifts drawn without replacement, the same for all specifications.
    n_jobs : int
        Processes, as joblib counts them; the numbers do not depend on it.
    rng : int or Generator
        Draws the shifts.
    progress : bool
        Show a progress bar.

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    ModelError
        If a choice has no option or one twice, or a mean model, kind, yardstick or treatment of
        neighbours is not known.
    ReturnsError
        If the returns are no series without a gap, or of another kind than `kind`.
    InferenceError
        If a subset has fewer than 8 sessions, there are not so many shifts, `n_jobs` or `rng`
        cannot be used, or returns do not vary in an estimation window.
    HistoryError
        If an event has too little history for the longest choice.
    WindowError
        If a window or length cannot be used.

    Notes
    -----
    The statistic of a specification is √n mean(z)/sd(z) over the n sessions of its subset, with
    z = CAR/(s √C) or CAR/(σ √k). Its p ranks |statistic| among the same statistic of all shifts,
    p = (1 + #)/(B + 1). Then each shift gets a p in every specification too, and the share of
    specifications with p <= 5% in the more frequent direction is ranked among those of the
    shifts; so is the size of the median statistic. Sessions left out of an estimation window
    keep their distance to the event under a shift.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human Behaviour 4.

    Examples
    --------
    >>> days = pd.bdate_range("2018-01-01", periods=900)
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_normal(900), days)
    >>> curve = specification_curve(
    ...     returns, days[500:900:40], lengths=(120, 250), variances=["constant"], shifts=99)
    >>> len(curve), bool((curve.table["p_value"] >= 0.01).all())
    (96, True)
    """
    returns = check_returns(returns)
    by_kind = returns_by_kind(returns, kind)
    subsets = _subsets(events)
    # In the order in which specifications are listed.
    options: dict[str, list] = {
        "subset": list(subsets),
        "returns": known("kinds", kinds, KINDS),
        "window": tested_windows(windows, min(sizes("gaps", gaps, 0))),
        "length": sizes("lengths", lengths, 2),
        "gap": sizes("gaps", gaps, 0),
        "neighbours": known("neighbours", neighbours, ("in", "out")),
        "mean": known("means", means, MEAN_MODELS),
        "variance": known("variances", variances, YARDSTICKS),
    }
    sigma = _sigma(returns, options["variance"], progress)
    rows = _common_rows(options, sigma, len(returns))
    studies = {
        name: _studied(returns, members, options, rows, name) for name, members in subsets.items()
    }
    at = _shifted(studies, rows, shifts, rng)
    every = [
        Specification(**dict(zip(options, chosen, strict=True)))
        for chosen in product(*options.values())
    ]
    jobs = [
        (ShiftedSet(by_kind[shown], at[name], sigma), list(members))
        for (name, shown), members in groupby(every, key=lambda one: (one.subset, one.returns))
    ]
    found, statistics = zip(*_run(jobs, processes(n_jobs), progress), strict=True)
    ranked, shares, joint = judged(pd.concat(found, ignore_index=True), np.concatenate(statistics))
    return SpecificationCurve(
        # Estimates that agree but for rounding stay in the order of the choices, on any machine.
        table=ranked.sort_values(
            "estimate", key=lambda estimate: estimate.round(12), kind="stable", ignore_index=True
        ),
        dropped=pd.concat([study.dropped for study in studies.values()]).drop_duplicates(
            ignore_index=True
        ),
        signature=signed(
            f"mean CAR under {counted(len(every), 'specification')}",
            f"windows {list_of(options['window'])}",
            *(f"{name}: {counted(len(sessions), 'session')}" for name, sessions in at.items()),
            f"{counted(shifts, 'circular shift')} of the set",
            prices=returns,
            events=[study.alignment for study in studies.values()],
        ),
        options=_by_option(ranked),
        shares=shares,
        joint=joint,
        shifts=shifts,
    )


def _subsets(events: Any) -> Mapping[str, Any]:
    """Events by the name of their subset."""
    values = events.values() if isinstance(events, Mapping) else ()
    frames = [isinstance(members, pd.DataFrame) for members in values]
    if any(frames) and not all(frames):
        raise EventError(
            "events= is a dict of which some values are catalogues and some are not: give a "
            "DataFrame for each subset, or one date for each label"
        )
    return events if any(frames) else {"all": events}


def _sigma(returns: pd.Series, yardsticks: Sequence[str], progress: bool) -> dict[str, np.ndarray]:
    """σ known the evening before, along the returns, by variance model."""
    models = [name for name in yardsticks if name != "constant"]
    found = {name: conditional_z(returns, model=name, progress=progress) for name in models}
    return {name: z["sigma"].reindex(returns.index).to_numpy() for name, z in found.items()}


def _common_rows(
    options: Mapping[str, list], sigma: Mapping[str, np.ndarray], total: int
) -> tuple[int, int]:
    """First row that every specification can use, and the row after the last."""
    before = -min(window.start for window in options["window"])
    starts = [int(np.isfinite(values).argmax()) + before for values in sigma.values()]
    first = max(max(options["length"]) + max(options["gap"]), *starts, 0)
    return first, total - max(0, *(window.end for window in options["window"]))


def _studied(
    returns: pd.Series,
    events: Any,
    options: Mapping[str, list],
    rows: tuple[int, int],
    subset: str,
) -> EventStudy:
    """The study of a subset under the longest choices: which sessions it has, and what is out."""
    length, gap = max(options["length"]), max(options["gap"])
    windows = options["window"]
    study = event_study(
        returns,
        events,
        estimation=(-gap - length, -gap - 1),
        volatility=None,
        window=(min(window.start for window in windows), max(window.end for window in windows)),
        min_observations=length,
    )
    found = _sessions(study)
    if len(found) < MIN_SESSIONS:
        raise InferenceError(
            f"the subset {subset!r} has {counted(len(found), 'session')}: at least {MIN_SESSIONS} "
            f"are needed. {left_out(study.dropped)}".rstrip()
        )
    if found[0] < rows[0] or found[-1] >= rows[1]:
        raise HistoryError(
            f"the subset {subset!r} reaches outside the sessions that every specification can use, "
            f"{iso(returns.index[rows[0]])} to {iso(returns.index[rows[1] - 1])}: leave "
            "those events out or shorten the longest choice"
        )
    return study


def _sessions(study: EventStudy) -> np.ndarray:
    """Rows of the sessions of a study, each once."""
    return np.unique(study.fits.pairs.position)


def _shifted(
    studies: Mapping[str, EventStudy],
    rows: tuple[int, int],
    shifts: int,
    rng: int | np.random.Generator,
) -> dict[str, np.ndarray]:
    """Rows of session 0 of each subset, of itself and of every shift of it."""
    first, last = rows
    if whole("shifts", shifts, 1) >= last - first:
        raise InferenceError(
            f"shifts={shifts}: there are {last - first - 1:,} circular shifts to choose from"
        )
    moved = np.r_[0, 1 + generator(rng).choice(last - first - 1, shifts, replace=False)]
    return {
        name: first + (_sessions(study)[:, None] - first + moved) % (last - first)
        for name, study in studies.items()
    }


def _run(
    jobs: Sequence[tuple[ShiftedSet, list[Specification]]], n_jobs: int, progress: bool
) -> list[tuple[pd.DataFrame, np.ndarray]]:
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(evaluate)(*job) for job in jobs
    )
    return list(tqdm(results, desc="specifications", total=len(jobs), disable=not progress))


def _by_option(table: pd.DataFrame) -> pd.DataFrame:
    """What each option does, all other choices varied."""
    parts = []
    for choice in CHOICES:
        for option, group in table.groupby(choice, sort=False):
            parts.append(
                {
                    "choice": choice,
                    "option": str(option),
                    "specifications": len(group),
                    "estimate": group["estimate"].median(),
                    "share": (group["p_value"] <= LEVEL).mean(),
                }
            )
    return pd.DataFrame(parts)
