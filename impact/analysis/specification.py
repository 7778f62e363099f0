"""The specification curve: one question about a set of events, asked in every reasonable way.

Every combination of the choices that a researcher makes gets an estimate and a p-value. All are
then judged together: the whole set of events is moved round the sample, and each shift is put
through all specifications as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, ModelError, WindowError
from impact.inference.event_sets import MIN_SESSIONS, extremity, rank_p
from impact.market.returns import check_returns
from impact.study.event_study import event_study
from impact.text.formats import counted, list_of, p_value, percent
from impact.volatility.forecast import conditional_z
from impact.volatility.garch import VARIANCE_MODELS

#: Normal returns: the mean of the estimation window, or none.
MEAN_MODELS = ("constant-mean", "zero-mean")

#: Yardsticks: the spread of the estimation window, or the variance of the eve.
YARDSTICKS = ("constant", *VARIANCE_MODELS)

#: The choices, in the order of the table.
CHOICES = ("subset", "returns", "window", "length", "gap", "mean", "neighbours", "variance")

#: Two-sided level at which a specification counts as significant.
LEVEL = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class SpecificationCurve:
    """Result of `specification_curve`; frozen.

    Attributes
    ----------
    table : DataFrame
        One row a specification, by rising estimate: the choices `CHOICES`, `n` (sessions),
        `estimate` (mean CAR, decimal fraction), `statistic` (studentised mean z) and `p_value`
        (two-sided, among the shifts).
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

    def summary(self):
        """Return the table of `options`, with the shares and the joint p below it."""
        from impact.text.table import table

        shown = self.options
        shown = shown[shown.groupby("choice")["option"].transform("size") > 1].assign(
            share=shown["share"].map(partial(percent, digits=0, signed=False))
        )
        shares = list_of(
            f"{percent(share, 0, signed=False)} {name}" for name, share in self.shares.items()
        )
        joint = list_of(f"by {name} {p_value(p)}" for name, p in self.joint.items())
        return table(
            shown.rename(columns={"share": "with p <= 5%"}),
            "Specification curve: mean CAR by choice",
            notes=(f"Of {counted(len(self), 'specification')}: {shares}.", f"Joint p: {joint}."),
            signature=f"{counted(self.shifts, 'circular shift')} of the set",
        )

    def plot(self):
        """Draw the sorted estimates above the choices behind them."""
        from impact.charts.style import Words
        from impact.charts.trust import specification_plot

        words = Words(
            f"The mean CAR lies between {percent(self.table['estimate'].min())} and "
            f"{percent(self.table['estimate'].max())}",
            f"{counted(len(self), 'specification')} by rising estimate; "
            f"joint p = {p_value(self.joint['share significant'])}",
            f"{counted(self.shifts, 'circular shift')} of the set",
        )
        return specification_plot(words, self.table, self.options)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def specification_curve(
    returns: pd.Series,
    events,
    *,
    lengths: Sequence[int] = (120, 250, 500),
    gaps: Sequence[int] = (10, 30),
    windows: Sequence[tuple[int, int]] = ((0, 0), (0, 1), (-1, 1)),
    means: Sequence[str] = MEAN_MODELS,
    kinds: Sequence[str] = ("log", "simple"),
    neighbours: Sequence[str] = ("in", "out"),
    variances: Sequence[str] = YARDSTICKS,
    kind: str = "log",
    refit: int = 21,
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
        Returns that are cumulated.
    neighbours : sequence of {"in", "out"}
        Whether sessions 0..1 of the other events of the subset stay in estimation windows.
    variances : sequence of {"constant", "gjr", "garch", "ewma"}
        Yardstick of each CAR: the estimation window's spread, or the variance of the eve.
    kind : {"log", "simple"}
        What `returns` are.
    refit : int
        Sessions between two fits of a variance model.
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
        If a mean model, kind, yardstick or treatment of neighbours is not known.
    InferenceError
        If a subset has fewer than 8 sessions, or there are not so many shifts.
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
    options = _checked(lengths, gaps, windows, means, kinds, neighbours, variances, kind)
    by_kind = _by_kind(returns, kind)
    subsets = events if _is_subsets(events) else {"all": events}
    sigma = {
        name: conditional_z(returns, model=name, refit=refit, progress=progress)["sigma"]
        .reindex(returns.index)
        .to_numpy()
        for name in options["variance"]
        if name != "constant"
    }
    first, last = _common_rows(options, sigma, len(returns))
    rows = {
        name: _event_rows(returns, members, options, (first, last), name)
        for name, members in subsets.items()
    }
    if not 1 <= shifts < last - first:
        raise InferenceError(
            f"shifts={shifts}: there are {last - first - 1:,} circular shifts to choose from"
        )
    drawn = np.random.default_rng(rng).choice(last - first - 1, shifts, replace=False)
    jobs = [
        partial(
            _evaluate,
            by_kind[shown],
            rows[name],
            (first, last),
            np.r_[0, 1 + drawn],
            window,
            options,
            sigma,
            {"subset": name, "returns": shown},
        )
        for name, shown, window in product(subsets, options["returns"], options["window"])
    ]
    found = _run(jobs, n_jobs, progress)
    table = pd.concat([part for part, _ in found], ignore_index=True)
    return _judged(table, np.concatenate([statistics for _, statistics in found]), shifts)


def _checked(lengths, gaps, windows, means, kinds, neighbours, variances, kind) -> dict:
    known = {
        "means": (means, MEAN_MODELS),
        "kinds": ([*kinds, kind], ("log", "simple")),
        "neighbours": (neighbours, ("in", "out")),
        "variances": (variances, YARDSTICKS),
    }
    for name, (given, accepted) in known.items():
        for value in given:
            if value not in accepted:
                raise ModelError(
                    f"{name}: {value!r} is not known: use {list_of(map(repr, accepted), 'or')}"
                )
    for start, end in windows:
        if end < start or -start > min(gaps):
            raise WindowError(
                f"the window ({start}, {end}) is reversed or begins before the gap of "
                f"{counted(min(gaps), 'session')} ends: shorten it or widen the gap"
            )
    if min(lengths) < 2 or min(gaps) < 0:
        raise WindowError(
            f"lengths={tuple(lengths)} and gaps={tuple(gaps)}: an estimation window has two "
            "sessions or more and ends before session 0"
        )
    return {
        "returns": kinds,
        "window": windows,
        "length": lengths,
        "gap": gaps,
        "mean": means,
        "neighbours": neighbours,
        "variance": variances,
    }


def _is_subsets(events) -> bool:
    return isinstance(events, Mapping) and all(
        isinstance(members, pd.DataFrame) for members in events.values()
    )


def _by_kind(returns: pd.Series, kind: str) -> dict[str, np.ndarray]:
    values = returns.to_numpy(float)
    if kind == "log":
        return {"log": values, "simple": np.expm1(values)}
    return {"log": np.log1p(values), "simple": values}


def _common_rows(options: dict, sigma: Mapping[str, np.ndarray], total: int) -> tuple[int, int]:
    """First row that every specification can use, and the row after the last."""
    before = -min(start for start, _ in options["window"])
    known = [int(np.flatnonzero(np.isfinite(values))[0]) for values in sigma.values()]
    first = max(max(options["length"]) + max(options["gap"]), *(row + before for row in known), 0)
    return first, total - max(0, *(end for _, end in options["window"]))


def _event_rows(returns, events, options: dict, rows: tuple[int, int], name: str) -> np.ndarray:
    """Rows of the sessions of a subset, each once."""
    length, gap = max(options["length"]), max(options["gap"])
    starts, ends = zip(*options["window"], strict=True)
    study = event_study(
        returns,
        events,
        estimation=(-gap - length, -gap - 1),
        volatility=None,
        window=(min(starts), max(ends)),
        min_observations=length,
    )
    found = np.unique(study.fits.pairs.position)
    if len(found) < MIN_SESSIONS:
        raise InferenceError(
            f"the subset {name!r} has {counted(len(found), 'session')}: at least {MIN_SESSIONS} "
            "are needed"
        )
    if found[0] < rows[0] or found[-1] >= rows[1]:
        raise HistoryError(
            f"the subset {name!r} reaches outside the sessions that every specification can use, "
            f"{returns.index[rows[0]]:%Y-%m-%d} to {returns.index[rows[1] - 1]:%Y-%m-%d}: leave "
            "those events out or shorten the longest choice"
        )
    return found


# -- one window of one subset --------------------------------------------------------------------


def _evaluate(values, rows, common, moved, window, options, sigma, about):
    """All specifications of one subset, kind of returns and window, under every shift.

    Returns
    -------
    tuple of DataFrame and ndarray of shape (specifications, shifts + 1)
        Column 0 of the statistics is the set itself.
    """
    first, last = common
    at = first + (rows[:, None] - first + moved) % (last - first)
    start, end = window
    k = end - start + 1
    totals = np.r_[0.0, np.cumsum(values)], np.r_[0.0, np.cumsum(values**2)]
    move = totals[0][at + end + 1] - totals[0][at + start]
    rows_of_table, statistics = [], []
    estimation = product(*(options[name] for name in ("length", "gap", "neighbours")))
    for length, gap, treated in estimation:
        n, total, squares = _estimation_sums(values, totals, rows, at, length, gap, treated)
        for mean in options["mean"]:
            centre = total / n if mean == "constant-mean" else np.zeros_like(total)
            fitted = int(mean == "constant-mean")
            spread = np.sqrt((squares - fitted * n * centre**2) / (n - fitted))
            car = move - k * centre
            for variance in options["variance"]:
                if variance == "constant":
                    error = spread * np.sqrt(k + fitted * k**2 / n)
                else:
                    error = sigma[variance][at + start] * np.sqrt(k)
                z = car / error
                statistics.append(z.mean(axis=0) / (z.std(axis=0, ddof=1) / np.sqrt(len(rows))))
                rows_of_table.append(
                    about
                    | {
                        "window": f"({start}, {end})",
                        "length": length,
                        "gap": gap,
                        "mean": mean,
                        "neighbours": treated,
                        "variance": variance,
                        "n": len(rows),
                        "estimate": car[:, 0].mean(),
                    }
                )
    return pd.DataFrame(rows_of_table), np.array(statistics)


def _estimation_sums(values, totals, rows, at, length: int, gap: int, treated: str):
    """Number, sum and sum of squares of each estimation window; shapes (n, 1), (n, B + 1) twice."""
    total, squares = (cumulated[at - gap] - cumulated[at - gap - length] for cumulated in totals)
    count = np.full((len(rows), 1), float(length))
    if treated == "out":
        for i, row in enumerate(rows):
            near = np.unique(np.delete(rows, i)[:, None] + [0, 1]) - row
            near = near[(near >= -gap - length) & (near <= -gap - 1)]
            left_out = values[at[i] + near[:, None]]
            total[i] -= left_out.sum(axis=0)
            squares[i] -= (left_out**2).sum(axis=0)
            count[i] -= len(near)
    return count, total, squares


def _run(jobs: Sequence[Callable], n_jobs: int, progress: bool) -> list:
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    results = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_call)(job) for job in jobs)
    return list(tqdm(results, desc="specifications", total=len(jobs), disable=not progress))


def _call(job: Callable):
    return job()


# -- all together --------------------------------------------------------------------------------


def _judged(table: pd.DataFrame, statistics: np.ndarray, shifts: int) -> SpecificationCurve:
    size = extremity(statistics, "two-sided")
    table = table.assign(statistic=statistics[:, 0], p_value=[rank_p(row) for row in size])
    # p of every shift among all: how many statistics are at least as large.
    ordered = np.sort(size, axis=1)
    below = np.stack(
        [
            np.searchsorted(row, values, side="left")
            for row, values in zip(ordered, size, strict=True)
        ]
    )
    significant = (size.shape[1] - below) / size.shape[1] <= LEVEL
    by_shift = np.maximum(
        (significant & (statistics < 0)).mean(axis=0), (significant & (statistics > 0)).mean(axis=0)
    )
    middle = np.abs(np.median(statistics, axis=0))
    estimate, small = table["estimate"], table["p_value"] <= LEVEL
    shares = {
        "below zero": (estimate < 0).mean(),
        "above zero": (estimate > 0).mean(),
        "below zero, p <= 5%": ((table["statistic"] < 0) & small).mean(),
        "above zero, p <= 5%": ((table["statistic"] > 0) & small).mean(),
    }
    joint = {"share significant": rank_p(by_shift), "median statistic": rank_p(middle)}
    table = table[[*CHOICES, "n", "estimate", "statistic", "p_value"]]
    options = _by_option(table)
    # Estimates that agree but for rounding stay in the order of the choices, on any machine.
    order = np.argsort(table["estimate"].round(12).to_numpy(), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    return SpecificationCurve(
        table, options, pd.Series(shares, name="share"), pd.Series(joint, name="p"), shifts
    )


def _by_option(table: pd.DataFrame) -> pd.DataFrame:
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
