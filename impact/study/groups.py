"""Groups of events or of securities compared: mean CARs and their differences.

Rows that share a session are one observation, so CARs are first averaged within a session, and
the spread is measured over sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from impact.charts.effects import effects, leaving_out_zero
from impact.charts.page import Words
from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.observations import dropped_rows
from impact.inference.conditional_columns import conditional_columns
from impact.inference.event_sets import MIN_SESSIONS, difference_test
from impact.inference.multiplicity import holm
from impact.inference.tests import check_study
from impact.market.windows import Window
from impact.text.formats import amount, counted, interval, list_of, p_phrase
from impact.text.result import Result, count_left_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class GroupComparison(Result):
    """Mean CARs of groups and the differences between them.

    Attributes
    ----------
    table : DataFrame, one row a group
        `estimate`, `std_error`, `statistic`, `dof`, `p_value`, `ci_low`, `ci_high` (95%, t over
        sessions), `n` (sessions), `rows` (pairs of event and security).
    differences : DataFrame, index (first, second)
        First minus second: `estimate`, `std_error`, `statistic`, `dof`, `ci_low`, `ci_high`,
        `shared` (sessions that both groups have), `p_textbook` (Welch's t), `p_value` and
        `p_holm` over all pairs of groups. On one series with a variance model `p_value` is that
        of `impact.inference.event_sets.difference_test` on returns scaled by the variance known
        the evening before, NaN below 8 sessions; elsewhere it is `p_textbook`.
    dropped : DataFrame
        event, security, reason.
    signature, note : str
        What it was computed with, and what the intervals take for granted.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    note: str
    unit: str = ""

    def __repr__(self) -> str:
        names = list_of(f"{name} ({n})" for name, n in self.table["n"].items())
        return f"GroupComparison: {names}"

    def plot(self, ax: Axes | None = None) -> Figure:
        """Draw the mean of each group with its 95% interval.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.
        """
        names = [f"{name}, {counted(n, 'session')}" for name, n in self.table["n"].items()]
        what = f"{self._title()}, in {self.unit or '%'}, with 95% intervals."
        words = Words(leaving_out_zero(self.table, "means"), what, self.signature, self.unit)
        return effects(words, self.table.assign(text=names), ax=ax)

    def _title(self) -> str:
        return f"Mean cumulative abnormal {'change' if self.unit else 'return'}s by group"

    def _notes(self) -> tuple[str, ...]:
        told = [_in_words(row, self.unit) for _, row in self.differences.iterrows()]
        return (*told[:_NAMED], f"{self.note[0].upper()}{self.note[1:]}.")


#: So many differences are told under the table; `differences` holds all.
_NAMED = 6


def _in_words(row: pd.Series, unit: str) -> str:
    first, second = row.name
    p = row["p_value"]
    said = f"no p below {MIN_SESSIONS} sessions" if np.isnan(p) else p_phrase(p)
    if said.startswith("p"):
        said += f", {p_phrase(row['p_holm']).replace('p', 'Holm p', 1)}"
    return (
        f"{first} less {second}: {amount(row['estimate'], unit)} "
        f"(95% interval {interval(row['ci_low'], row['ci_high'], unit=unit)}; {said})."
    )


def compare_groups(
    study: AbnormalReturns, by: str | Mapping | pd.Series, start: int = 0, end: int | None = None
) -> GroupComparison:
    """Compare the mean CARs of groups.

    Parameters
    ----------
    study : AbnormalReturns
        Such as an `EventStudy`.
    by : str, dict or Series
        A column of ``study.alignment`` (``"direction"``, or any column of one's own events), or
        id or label of an event -> group, or security -> group. Rows without a group are left out.
    start, end : int
        Relative sessions that are summed, both included.

    Returns
    -------
    GroupComparison

    Raises
    ------
    InferenceError
        If `by` names nothing in the study, or fewer than two groups have two sessions.

    Notes
    -----
    m_gs is the mean CAR of group g in session s. Each mean has t(n_g - 1). A difference has the
    variance v_1/n_1 + v_2/n_2 - 2 c h/(n_1 n_2), c the covariance over the h sessions that both
    have. Without shared sessions that is Welch's test with Satterthwaite's degrees of freedom;
    if all are shared it is the t test of paired differences; dof is then min(n_1, n_2) - 1.

    References
    ----------
    Welch (1947), The generalization of Student's problem, Biometrika 34; Janssen (1997) for the
    permutation of scaled returns.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> events = impact.load_events(counterparty="CN", since="2025-01-01")
    >>> study = impact.event_study(returns, events, volatility=None)
    >>> bool(compare_groups(study, "direction").table["n"].ge(2).all())
    True
    """
    check_study(study)
    window = study.over(start, end)
    group = _groups(study, by)
    if any(isinstance(value, tuple | list | set | dict) for value in group):
        raise InferenceError("by= holds lists of values: give one group for each, a text or number")
    # pandas takes yes and no, as labels, for a choice of columns.
    flags = {True: "yes", False: "no"}
    group = np.array(
        [flags[bool(one)] if isinstance(one, bool | np.bool_) else one for one in group], object
    )
    reasons = np.where(pd.isna(group), "no group", "").astype(object)
    reasons = np.where(window.days > 0, reasons, window.left_out)
    use = reasons == ""
    rows = pd.DataFrame(
        {"group": group[use], "session": window.position[use], "car": window.car[use]}
    )
    by_session = rows.pivot_table("car", "session", "group", aggfunc="mean")
    sessions = by_session.notna().sum()
    kept = list(sessions.index[sessions >= 2])
    if len(kept) < 2:
        had = [f"{name!r} with {counted(n, 'session')}" for name, n in sessions.items()] or ["none"]
        raise InferenceError(
            f"a comparison needs two groups of at least two sessions each and there is "
            f"{list_of(had)}: securities on one date are compared by impact.relative_moves(study)"
        )
    alone = use & ~pd.Series(group).isin(kept).to_numpy()
    reasons[alone] = "one session of its group has no spread"
    counts = rows["group"].value_counts()
    means = pd.DataFrame({name: _mean(by_session[name].dropna()) for name in kept}).T
    means["n"], means["rows"] = sessions[kept], counts[kept]
    return GroupComparison(
        _tested(means.rename_axis("group")).rename(columns={"p_textbook": "p_value"}),
        _differences(study, by_session[kept], start, end),
        _dropped(study, reasons),
        study.signed(start, end),
        _note(by_session.index.to_numpy(), window.tested),
        study.settings.unit,
    )


def _differences(
    study: AbnormalReturns, by_session: pd.DataFrame, start: int, end: int | None
) -> pd.DataFrame:
    """Every pair of groups compared, with the p that fits the design."""
    pairs = list(combinations(by_session.columns, 2))
    found = [_difference(by_session[first], by_session[second]) for first, second in pairs]
    index = pd.MultiIndex.from_tuples(pairs, names=["first", "second"])
    table = _tested(pd.DataFrame(found, index=index)).astype({"shared": int})
    table["p_value"] = table["p_textbook"]
    if study.is_one_series and study.settings.volatility is not None:
        z = _scaled(study, start, end)
        table["p_value"] = [_scaled_p(z, by_session, *pair) for pair in pairs]
    table["p_holm"] = holm(table["p_value"]).to_numpy()
    return table


def _scaled(study: AbnormalReturns, start: int, end: int | None) -> pd.Series:
    """Conditional z of the window of each unit, by the row of its session."""
    window = study.over(start, end)
    z = conditional_columns(study, window.tested)["z_conditional"]
    return pd.Series(z.to_numpy(), window.position)


def _scaled_p(z: pd.Series, by_session: pd.DataFrame, first: object, second: object) -> float:
    groups = [z.reindex(by_session[name].dropna().index).dropna() for name in (first, second)]
    if min(map(len, groups)) < MIN_SESSIONS:
        return np.nan
    return difference_test(*(group.to_numpy() for group in groups)).p_value


def _dropped(study: AbnormalReturns, reasons: np.ndarray) -> pd.DataFrame:
    out = np.flatnonzero(reasons != "")
    if not len(out):
        return study.dropped
    names = names_of_rows(study)
    securities = "" if study.is_one_series else names["security"][out]
    mine = dropped_rows(names["event"][out], reasons[out], securities)
    dropped = pd.concat([study.dropped, mine], ignore_index=True)
    return count_left_out(dropped, len(study) - len(out), study.rows_of_an_event)


def names_of_rows(study: AbnormalReturns) -> dict[str, np.ndarray]:
    """What each row of a study can be called by: its event, the label of that, its security."""
    return {
        "event": study.units.index.to_numpy(),
        "label": study.units["label"].to_numpy(),
        "security": study.returns.columns.astype(str).to_numpy()[study.fits.pairs.column],
    }


def _groups(study: AbnormalReturns, by: str | Mapping | pd.Series) -> np.ndarray:
    """Group of each row, missing where it has none."""
    if isinstance(by, str):
        if by not in study.alignment:
            known = list_of(list(map(repr, study.alignment.columns)), "or")
            raise InferenceError(f"by={by!r} is not a column of the alignment: use {known}")
        values = study.alignment[by]
        return values.where(values.ne("")).to_numpy(object)[study.fits.unit]
    if not isinstance(by, Mapping | pd.Series):
        raise InferenceError(
            f"by= is a {type(by).__name__}: name a column, or give a dict or Series id -> group"
        )
    labels = pd.Series(by)
    labels.index = labels.index.astype(str)
    if labels.index.has_duplicates:
        twice = labels.index[labels.index.duplicated()][0]
        raise InferenceError(f"by= names {twice!r} twice: give each its group once")
    for keys in names_of_rows(study).values():
        if labels.index.isin(keys).any():
            return labels.reindex(keys).to_numpy(object)
    raise InferenceError(
        f"by= names {list_of(list(map(repr, labels.index[:3])))}, which are neither events nor "
        "securities of the study: use ids or columns as keys"
    )


def _mean(values: pd.Series) -> dict:
    n = len(values)
    return {"estimate": values.mean(), "std_error": values.std() / np.sqrt(n), "dof": n - 1}


def _difference(first: pd.Series, second: pd.Series) -> dict:
    both = (first.notna() & second.notna()).to_numpy()
    n1, n2, shared = first.count(), second.count(), int(both.sum())
    parts = first.var() / n1, second.var() / n2
    covariance = first[both].cov(second[both]) if shared >= 2 else 0.0
    if shared:
        dof = min(n1, n2) - 1
    else:
        dof = sum(parts) ** 2 / (parts[0] ** 2 / (n1 - 1) + parts[1] ** 2 / (n2 - 1))
    variance = max(sum(parts) - 2 * covariance * shared / (n1 * n2), 0.0)
    return {
        "estimate": first.mean() - second.mean(),
        "std_error": np.sqrt(variance),
        "dof": dof,
        "shared": shared,
    }


def _tested(table: pd.DataFrame) -> pd.DataFrame:
    """Add t, p and 95% intervals to estimates and their errors."""
    if not (table["std_error"] > 0).all():
        name = table.index[~(table["std_error"] > 0)][0]
        raise InferenceError(f"the CARs of {name!r} do not vary over sessions: no error is defined")
    statistic = table["estimate"] / table["std_error"]
    reach = scipy.special.stdtrit(table["dof"], 0.975) * table["std_error"]
    named = {
        "statistic": statistic,
        "p_textbook": 2 * scipy.special.stdtr(table["dof"], -statistic.abs()),
        "ci_low": table["estimate"] - reach,
        "ci_high": table["estimate"] + reach,
    }
    return table.assign(**named)


def _note(sessions: np.ndarray, tested: Window) -> str:
    close = int((np.diff(np.sort(sessions)) < tested.length).sum())
    if not close:
        return "sessions are taken as independent; no two windows overlap"
    return (
        f"sessions are taken as independent, but {counted(close, 'window')} of {tested.length} "
        "sessions overlap the next: intervals are then too narrow"
    )
