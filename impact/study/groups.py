"""Groups of events or of securities compared: mean CARs and their differences.

Rows that share a session are one observation, so CARs are first averaged within a session, and
the spread is measured over sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.multiplicity import holm
from impact.market.windows import Window
from impact.text.formats import counted, list_of


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """Mean CARs of groups and the differences between them.

    Attributes
    ----------
    means : DataFrame, one row a group
        `estimate`, `std_error`, `statistic`, `dof`, `p_value`, `ci_low`, `ci_high` (95%), `n`
        (sessions), `rows` (pairs of event and security).
    differences : DataFrame, index (first, second)
        The same for first minus second, with `p_holm` over all pairs of groups and `shared`, the
        sessions that both groups have.
    left_out : DataFrame
        group, sessions, reason.
    window : Window
    note : str
        What the intervals take for granted.
    """

    means: pd.DataFrame
    differences: pd.DataFrame
    left_out: pd.DataFrame
    window: Window
    note: str


def compare_groups(
    study: AbnormalReturns, by: str | Mapping | pd.Series, start: int = 0, end: int | None = None
) -> GroupComparison:
    """Compare the mean CARs of groups.

    Parameters
    ----------
    study : AbnormalReturns
    by : str, dict or Series
        A column of ``study.alignment`` (such as ``"direction"``), or event id -> group, or
        security -> group. Rows without a group are left out.
    start, end : int
        Relative sessions that are cumulated, both included.

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
    Welch (1947), The generalization of Student's problem, Biometrika 34.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> events = impact.load_events(counterparty="CN", since="2025-01-01")
    >>> study = impact.event_study(returns, events, volatility=None)
    >>> compare_groups(study, "direction").means["n"].ge(2).all()
    np.True_
    """
    sample = study.over(start, end)
    use = (sample.days > 0) & ~pd.isna(group := _groups(study, by))
    rows = pd.DataFrame(
        {"group": group[use], "session": sample.position[use], "car": sample.car[use]}
    )
    by_session = rows.pivot_table("car", "session", "group", aggfunc="mean")
    sessions = by_session.notna().sum()
    kept = list(sessions.index[sessions >= 2])
    if len(kept) < 2:
        had = [f"{name!r} {counted(n, 'session')}" for name, n in sessions.items()] or ["none"]
        raise InferenceError(
            f"a comparison needs two groups of at least two sessions each and there is "
            f"{list_of(had)}: securities on one date are compared by impact.inference.who_was_hit"
        )
    counts = rows["group"].value_counts()
    means = pd.DataFrame({name: _mean(by_session[name].dropna()) for name in kept}).T
    means["n"], means["rows"] = sessions[kept], counts[kept]
    pairs = list(combinations(kept, 2))
    found = [_difference(by_session[first], by_session[second]) for first, second in pairs]
    index = pd.MultiIndex.from_tuples(pairs, names=["first", "second"])
    differences = _tested(pd.DataFrame(found, index=index))
    differences["p_holm"] = holm(differences["p_value"]).to_numpy()
    lone = sessions[sessions < 2]
    left_out = pd.DataFrame(
        {"group": lone.index, "sessions": lone.to_numpy(), "reason": "one session has no spread"}
    )
    return GroupComparison(
        _tested(means.rename_axis("group")),
        differences.astype({"shared": int}),
        left_out,
        sample.tested,
        _note(by_session.index.to_numpy(), sample.tested),
    )


def _groups(study: AbnormalReturns, by) -> np.ndarray:
    """Group of each row, missing where it has none."""
    if isinstance(by, str):
        if by not in study.alignment:
            known = list_of(list(map(repr, study.alignment.columns)), "or")
            raise InferenceError(f"by={by!r} is not a column of the alignment: use {known}")
        values = study.alignment[by]
        return values.where(values.ne("")).to_numpy(object)[study.fits.unit]
    labels = pd.Series(by)
    labels.index = labels.index.astype(str)
    names = {
        "events": study.alignment.index.to_numpy()[study.fits.unit],
        "securities": study.returns.columns.astype(str).to_numpy()[study.fits.pairs.column],
    }
    for keys in names.values():
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
    reach = stdtrit(table["dof"], 0.975) * table["std_error"]
    named = {
        "statistic": statistic,
        "p_value": 2 * stdtr(table["dof"], -statistic.abs()),
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
