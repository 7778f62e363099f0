"""One hypothesis on one reading of the catalogue: its sessions, its estimate and its tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import scipy

from impact.analysis.dose import FEWEST, dose_response, dosed_sessions
from impact.errors import HypothesisError, ImpactError
from impact.hypotheses.register import AGAINST, FILTERS
from impact.hypotheses.selection import Group, catalogue_rows, select_group
from impact.inference.equivalence import equivalence_test
from impact.inference.event_sets import MIN_SESSIONS, difference_test, shift_test, window_z
from impact.inference.tests import LEVEL
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy

#: Column of p -> whether its test is studentised: the two nulls of `impact.inference.event_sets`.
_NULLS = {"p_mean": False, "p_value": True}
_DOSE = "china_dose_pp"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Facts for the table, groups of sessions, their conditional z, and tests by column of p."""

    facts: dict[str, object]
    groups: tuple[Group, ...]
    values: list[np.ndarray] = field(default_factory=list)
    tests: Mapping[str, Any] = field(default_factory=dict)


def evaluated(
    returns: pd.Series, series: pd.DataFrame, claim: pd.Series, rows: str, rng: int
) -> Evaluated:
    """Evaluate one hypothesis on one reading of the catalogue.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal log returns by session.
    series : DataFrame
        Their conditional z, as `impact.volatility.forecast.conditional_z` gives it.
    claim : Series
        A row of the register, its id as name.
    rows : {"included", "all", "documented"}
    rng : int

    Raises
    ------
    HypothesisError
        With the id, if the catalogue has no such announcements or a test cannot be computed.
    """
    try:
        if claim["statistic"] == "slope":
            return _slope(returns, series, claim, rows, rng)
        return _means(series, claim, rows, rng)
    except ImpactError as error:
        raise HypothesisError(f"{claim.name!r} cannot be evaluated: {error}") from error


def _means(series: pd.DataFrame, claim: pd.Series, rows: str, rng: int) -> Evaluated:
    """A mean, a difference of two, or equivalence."""
    z = window_z(series, claim["start"], claim["end"])
    length = claim["end"] - claim["start"] + 1
    sigma = series["sigma"].shift(-claim["start"]).reindex(z.index)
    moves = z * sigma * np.sqrt(length)
    groups = tuple(
        select_group(
            z.index,
            rows,
            _filters(claim, prefix),
            length=length,
            taken_back=not prefix and claim["taken_back"] == "yes",
        )
        for prefix in (("", AGAINST) if claim["statistic"] == "difference" else ("",))
    )
    samples = [moves[group.sessions].to_numpy() for group in groups]
    values = [z[group.sessions].to_numpy() for group in groups]
    facts: dict[str, object] = dict(
        zip(("estimate", "ci_low", "ci_high"), mean_interval(*samples), strict=True)
    )
    facts |= {"n": len(groups[0]), "n_against": len(groups[1]) if len(groups) > 1 else pd.NA}
    if min(map(len, groups)) < MIN_SESSIONS:
        return Evaluated(facts, groups, values)
    side = claim["side"]
    if claim["statistic"] == "equivalence":
        tests = {"p_value": equivalence_test(samples[0], claim["margin"])}
    elif claim["statistic"] == "difference":
        tests = {
            column: difference_test(*values, side=side, studentised=studentised, rng=rng)
            for column, studentised in _NULLS.items()
        }
    else:
        tests = {
            column: shift_test(z, groups[0].sessions, side=side, studentised=studentised)
            for column, studentised in _NULLS.items()
        }
    facts |= {column: test.p_value for column, test in tests.items()}
    return Evaluated(facts, groups, values, tests)


def _filters(claim: pd.Series, prefix: str) -> dict[str, object]:
    given = {name: claim[f"{prefix}{name}"] for name in FILTERS if claim[f"{prefix}{name}"]}
    return {
        name: cell if name in ("since", "until") else cell.split(";")
        for name, cell in given.items()
    }


def mean_interval(
    first: np.ndarray, second: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Mean of a sample, or difference of two, with its 95% interval (Student, Welch).

    Examples
    --------
    >>> [round(float(value), 3) for value in mean_interval(np.array([0.01, 0.02, 0.03]))]
    [0.02, -0.005, 0.045]
    """
    samples = [first] if second is None else [first, second]
    if min(map(len, samples)) < 2:
        return (float(first.mean()) if second is None and len(first) else np.nan), np.nan, np.nan
    shares = np.array([sample.var(ddof=1) / len(sample) for sample in samples])
    dof = shares.sum() ** 2 / np.sum(shares**2 / [len(sample) - 1 for sample in samples])
    reach = scipy.special.stdtrit(dof, 1 - LEVEL / 2) * np.sqrt(shares.sum())
    mean = first.mean() - (0.0 if second is None else second.mean())
    return float(mean), float(mean - reach), float(mean + reach)


def _slope(
    returns: pd.Series, series: pd.DataFrame, claim: pd.Series, rows: str, rng: int
) -> Evaluated:
    filters = _filters(claim, "")
    group = select_group(series.index, rows, filters)
    dosed = catalogue_rows(rows, **filters)
    dosed = dosed[dosed[_DOSE].notna()]
    study = event_study(returns, dosed, window=(min(claim["start"], 0), max(claim["end"], 0)))
    window = {"start": claim["start"], "end": claim["end"]}
    points, _ = dosed_sessions(study, _DOSE, **window)
    group = _dosed_group(group, dosed, study, points["session"])
    facts: dict[str, object] = {"n": len(points), "n_against": pd.NA}
    if len(points) < FEWEST:
        return Evaluated(facts, (group,))
    dose = dose_response(study, _DOSE, **window, side=claim["side"], rng=rng)
    slope = dose.table.loc["dose"]
    facts |= slope[["estimate", "ci_low", "ci_high"]].to_dict()
    if dose.nobs < MIN_SESSIONS:
        return Evaluated(facts, (group,))
    return Evaluated(facts | {"p_value": slope["p_value"]}, (group,), tests={"p_value": dose})


def _dosed_group(
    group: Group, dosed: pd.DataFrame, study: EventStudy, sessions: pd.Series
) -> Group:
    """The group of a slope: sessions with one dose of their own."""
    news = dosed[dosed["news"]]
    counts = {
        "of the group": len(dosed),
        "taken back where asked": len(dosed),
        "news": len(news),
        "in the sample": sum(map(len, study.alignment["announcements"])),
        "sessions": len(study.alignment),
        "one direction": len(sessions),
        "windows apart": len(sessions),
    }
    days = pd.DatetimeIndex(sessions)
    labels = study.alignment.set_index("session")["label"].reindex(days)
    return Group(days, labels, pd.Series({**group.funnel, **counts}, name="left"))
