"""The specification curve: one question about a set of events, asked in every reasonable way.

Every combination of the choices that a researcher makes gets an estimate and a p-value. All are
then judged together: the whole set of events is moved round the sample, and each shift is put
through all specifications as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.analysis.choices import KINDS, by_subset, known, returns_by_kind, sizes, tested_windows
from impact.analysis.shifted_set import (
    ShiftedSet,
    Specification,
    by_choice,
    by_question,
    evaluate,
    judged,
)
from impact.charts.curve import question_ranges
from impact.charts.page import Words
from impact.errors import HistoryError, InferenceError
from impact.inference.cluster_test import enough_clusters
from impact.inference.event_sets import MIN_SESSIONS
from impact.inference.tests import LEVEL
from impact.market.returns import check_returns
from impact.market.windows import Window
from impact.news.alignment import align
from impact.study.arguments import generator, processes, whole
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, iso, list_of, number, p_value, percent
from impact.text.progress import in_processes
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
        `clusters`, `estimate` (mean CAR, decimal fraction), `statistic` (t of the clusters) and
        `p_value` (two-sided), as `impact.inference.cluster_test` gives them.
    dropped : DataFrame
        event, security, reason.
    signature : str
    questions : DataFrame
        A row for each subset in each window: `subset`, `window`, `n`, `clusters`, `estimate` (the
        median), `low`, `high`, `p_low`, `p_high` over all other choices, and `neighbours`, how
        many of its windows hold news of the catalogue on another session than the event's.
    choices : DataFrame
        By choice of several options: `options`, `moves` (how far apart it sets the estimates),
        `turns` (how often p is at most 5% with some options and not with others) and `decides`.
    joint : Series
        p of all specifications together, by "share significant" (in the more frequent
        direction) and by "median p".
    shifts : int
        Shifted sets behind the joint p.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    questions: pd.DataFrame
    choices: pd.DataFrame
    joint: pd.Series
    shifts: int

    def __len__(self) -> int:
        return len(self.questions)

    def __repr__(self) -> str:
        low, high = self.table["estimate"].min(), self.table["estimate"].max()
        return (
            f"SpecificationCurve: {self.asked}, mean CAR {percent(low)} to {percent(high)}; "
            f"{self.answered}; joint p = {p_value(self.joint['share significant'])}"
        )

    @property
    def asked(self) -> str:
        """The number of questions, in words."""
        subsets, windows = (self.questions[name].nunique() for name in ("subset", "window"))
        return (
            f"{counted(len(self), 'question')} ({counted(subsets, 'set')} of events in "
            f"{counted(windows, 'window')})"
        )

    @property
    def answered(self) -> str:
        """How many questions pass 5%, in words."""
        always = int((self.questions["p_high"] <= LEVEL).sum())
        sometimes = int((self.questions["p_low"] <= LEVEL).sum()) - always
        under = f", {sometimes} more under some" if sometimes else ""
        return f"{always} of {len(self)} at 5% under every other choice{under}"

    def summary(self) -> Table:
        """Return the questions with the range of their answers, and which choices decide."""
        rows = list(self.questions.itertuples())
        shown = self.questions.assign(
            low=[f"{percent(row.low)} to {percent(row.high)}" for row in rows],
            p_low=[f"{p_value(row.p_low)} to {p_value(row.p_high)}" for row in rows],
        ).drop(columns=["high", "p_high"])
        names = {
            "estimate": "median",
            "low": "mean CAR",
            "p_low": "range of p",
            "neighbours": "other news",
        }
        joint = list_of(f"by {name} {p_value(p)}" for name, p in self.joint.items())
        notes = (
            f"{self.asked.capitalize()}: {self.answered}.",
            *self.changed(),
            "p: t of clusters of sessions fewer than six apart. other news: windows that hold news "
            "of the catalogue on another session.",
            f"Joint p of all: {joint}.",
            left_out(self.dropped),
        )
        return table(
            shown.rename(columns=names),
            "One question in every reasonable way",
            notes=filter(None, notes),
            signature=self.signature,
        )

    def changed(self) -> list[str]:
        """Say which choices decide at 5%, and what the others move."""
        said = []
        for head, decides in (("Decides at 5%", True), ("Changes next to nothing", False)):
            told = [
                f"{row.Index} ({row.options}) moves the mean CAR by {number(100 * row.moves)} "
                f"points and turns {percent(row.turns, 0, signed=False)} of answers"
                for row in self.choices[self.choices["decides"] == decides].itertuples()
            ]
            said += [f"{head}: {'; '.join(told)}."] if told else []
        return said

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write every specification unrounded, signed; return the text where no path is given."""
        return table(self.table, "Specifications", signature=self.signature).to_csv(path)

    def plot(self) -> Figure:
        """Draw the questions with the range of their answers, above what each choice changes."""
        words = Words(
            f"The mean CAR lies between {percent(self.table['estimate'].min())} and "
            f"{percent(self.table['estimate'].max())}",
            f"{self.asked.capitalize()}: {self.answered}; "
            f"joint p = {p_value(self.joint['share significant'])}",
            self.signature,
        )
        return question_ranges(words, self.questions, self.choices)


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
        If a subset has fewer than 8 sessions or 3 clusters, there are not so many shifts,
        `n_jobs` or `rng` cannot be used, or returns do not vary in an estimation window.
    HistoryError
        If an event has too little history for the longest choice.
    WindowError
        If a window or length cannot be used.

    Notes
    -----
    z of an event is CAR/(s √C) or CAR/(σ √k); the p of a specification is the t of the clusters
    of its sessions, as in `impact.inference.cluster_test`. The whole set is moved round the
    sample too, and the share of specifications with p <= 5% in the more frequent direction is
    ranked among those of the shifts, p = (1 + #)/(B + 1); so is the median p. Sessions left out
    of an estimation window keep their distance to the event under a shift.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human Behaviour 4.

    Examples
    --------
    >>> days = pd.bdate_range("2018-01-01", periods=900)
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_normal(900), days)
    >>> curve = specification_curve(
    ...     returns, days[500:900:40], lengths=(120, 250), variances=["constant"], shifts=99)
    >>> len(curve), bool((curve.joint > 0.05).all())
    (3, True)
    """
    returns = check_returns(returns)
    by_kind = returns_by_kind(returns, kind)
    subsets = by_subset(events)
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
    sigma = _sigma(returns, options["variance"])
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
    found, *drawn = zip(
        *in_processes(evaluate, jobs, "specifications", processes(n_jobs)), strict=True
    )
    ranked, joint = judged(pd.concat(found, ignore_index=True), *map(np.concatenate, drawn))
    questions = by_question(ranked)
    return SpecificationCurve(
        # Estimates that agree but for rounding stay in the order of the choices, on any machine.
        table=ranked.sort_values(
            "estimate", key=lambda estimate: estimate.round(12), kind="stable", ignore_index=True
        ),
        dropped=pd.concat([study.dropped for study in studies.values()]).drop_duplicates(
            ignore_index=True
        ),
        signature=signed(
            "mean CAR under every combination of choices",
            f"windows {list_of(options['window'])}",
            *(f"{name}: {counted(len(sessions), 'session')}" for name, sessions in at.items()),
            f"{counted(shifts, 'circular shift')} of the set",
            prices=returns,
            events=[study.alignment for study in studies.values()],
        ),
        questions=questions.assign(
            neighbours=[
                _with_neighbours(returns.index, at[name][:, 0], window)
                for name, window in product(subsets, options["window"])
            ]
        ),
        choices=by_choice(ranked),
        joint=joint,
        shifts=shifts,
    )


def _sigma(returns: pd.Series, yardsticks: Sequence[str]) -> dict[str, np.ndarray]:
    """σ known the evening before, along the returns, by variance model."""
    models = [name for name in yardsticks if name != "constant"]
    found = {name: conditional_z(returns, model=name) for name in models}
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
    enough_clusters(found)
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


def _with_neighbours(sessions: pd.DatetimeIndex, at: np.ndarray, window: Window) -> int:
    """How many windows hold news of the catalogue on another session than the event's."""
    return int(align(sessions[at], sessions, window=window)["neighbours"].map(bool).sum())
