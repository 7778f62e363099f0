"""evaluate_register(): every registered hypothesis, three times, corrected for their number.

The register was written by people who knew how the index had moved. Nothing here undoes that;
what can be done is to report all of it, failures included, on three readings of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from impact.analysis.dose import FEWEST, DoseResponse, dose_response, dosed_sessions
from impact.errors import HypothesisError
from impact.hypotheses.register import AGAINST, FILTERS, load_register
from impact.hypotheses.selection import ROW_SETS, Group, catalogue_rows, select_group
from impact.inference.equivalence import EquivalenceTest, equivalence_test
from impact.inference.event_sets import (
    MIN_SESSIONS,
    DifferenceTest,
    ShiftTest,
    difference_test,
    extremity,
    shift_test,
    window_z,
)
from impact.inference.multiplicity import holm, romano_wolf
from impact.study.event_study import event_study
from impact.text.formats import counted, iso, list_of
from impact.text.nearest import suggestion
from impact.volatility.forecast import conditional_z

LEVEL = 0.05

SUPPORTED = "supported"
BEFORE_CORRECTION = "only before correction"
CHANCE = "cannot be told from chance"
NOT_RULED_OUT = "a larger effect is not ruled out"
TOO_FEW = f"no verdict below {MIN_SESSIONS} sessions"

#: So many sessions without effect are tried before it is said that they would not undo a verdict.
_MOST_ADDED = 500
_DOSE = "china_dose_pp"


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What became of every hypothesis of the register.

    Attributes
    ----------
    table : DataFrame
        Index = (hypothesis, rows). ``claim``, ``statistic``, ``side``, ``start``, ``end``,
        ``margin``; ``n``, ``n_against`` (sessions); ``estimate``, ``ci_low``, ``ci_high`` (95%):
        mean abnormal return, difference of two, or slope per percentage point, decimal
        fractions; ``p_mean`` and ``p_value`` under the two nulls of `impact.inference.event_sets`
        (for a slope and for equivalence, their own ``p_value``); ``p_holm`` over the whole
        register; ``p_romano_wolf`` over the means; ``undone_by``, the announcements without
        effect that would change the verdict; ``verdict``; ``chosen``.
    funnel : DataFrame
        Index = (hypothesis, rows, group): what is left of the catalogue after each step.
    groups : dict
        (hypothesis, rows) -> the `Group` objects: one, or two where two are compared.
    tests : dict
        (hypothesis, rows) -> what was computed; None below 8 sessions.
    signature : str
        What it was computed with.
    """

    table: pd.DataFrame
    funnel: pd.DataFrame
    groups: dict[tuple[str, str], tuple[Group, ...]]
    tests: dict[tuple[str, str], ShiftTest | DifferenceTest | EquivalenceTest | DoseResponse | None]
    signature: str

    def __getitem__(self, hypothesis: str) -> pd.DataFrame:
        """Return the verdicts on one hypothesis, a row for each reading of the catalogue.

        Raises
        ------
        HypothesisError
            If it is not in the register.
        """
        if hypothesis not in self.table.index.levels[0]:
            raise HypothesisError(_not_registered(hypothesis, self.table.index.levels[0]))
        return self.table.loc[hypothesis]

    def __repr__(self) -> str:
        main = self.table.xs(ROW_SETS[0], level="rows")["verdict"].value_counts()
        found = list_of(f"{count} {verdict}" for verdict, count in main.items())
        return f"Verdicts on {counted(main.sum(), 'hypothesis', 'hypotheses')}: {found}"

    def summary(self, rows: str = ROW_SETS[0]):
        """Return the verdicts on one reading of the catalogue in the look of a journal."""
        from impact.text.formats import number, p_value
        from impact.text.table import KNOWN, Column, Table

        def whole(value: float) -> str:
            return number(value, 0)

        columns = (
            Column("claim", "claim", is_text=True),
            Column("n", "n", whole),
            KNOWN["estimate"],
            KNOWN["ci_low"],
            KNOWN["ci_high"],
            Column("p_mean", "p (mean)", p_value),
            KNOWN["p_value"],
            Column("p_holm", "p (Holm)", p_value),
            Column("p_romano_wolf", "p (Romano-Wolf)", p_value),
            Column("undone_by", "undone by", whole),
            Column("verdict", "verdict", is_text=True),
        )
        notes = (
            "Every hypothesis was chosen after the events. Verdicts rest on p (Holm).",
            "p (mean): these sessions are like any other; p: their mean is zero, whatever their "
            "variance. The estimate of a dose is for one percentage point.",
            "undone by: announcements without effect that would change the verdict.",
        )
        frame = self.table.xs(rows, level="rows").reset_index()
        title = f"The register of hypotheses, {rows} announcements"
        return Table(frame, title, columns, notes, self.signature)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def _not_registered(name: object, known) -> str:
    nearest = suggestion(name, known)
    return (
        f"{name!r} is not in the register, so it is not evaluated: register it in "
        f"data/hypotheses.csv first, or use {nearest}"
    )


def evaluate_register(
    returns: pd.Series, register: pd.DataFrame | None = None, *, rng: int = 0
) -> Verdicts:
    """Evaluate every hypothesis of the register on three readings of the catalogue.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal log returns of the S&P 500 by session.
    register : DataFrame, optional
        `load_register()` by default. The order of its rows is free; a row that is not registered
        as it stands, or one that is missing, is refused.
    rng : int
        Seed of the permutations and sign flips.

    Returns
    -------
    Verdicts

    Raises
    ------
    HypothesisError
        If `register` is not the committed register: the family cannot be shrunk or grown here.
    ReturnsError, HistoryError, VolatilityError
        As `impact.volatility.forecast.conditional_z`.

    Notes
    -----
    Effects are in returns; p-values are of conditional z, so that a session counts by what was
    known of its variance the evening before. An announcement without effect adds a session of
    z with mean zero and variance one, to each group where two are compared.

    References
    ----------
    Holm (1979); Romano and Wolf (2005); Janssen (1997); Schuirmann (1987).
    """
    committed = load_register()
    register = committed if register is None else register
    _check_family(register, committed)
    series = conditional_z(returns)
    facts, funnels, groups, tests, values = {}, {}, {}, {}, {}
    for name, claim in register.iterrows():
        for rows in ROW_SETS:
            key = (name, rows)
            found = _evaluate(returns, series, claim, rows, rng)
            facts[key], groups[key], tests[key], values[key] = found
            for group, label in zip(groups[key], ("group", "against"), strict=False):
                funnels[(*key, label)] = group.funnel
    table = pd.DataFrame.from_dict(facts, orient="index")
    table.index = pd.MultiIndex.from_tuples(facts, names=["hypothesis", "rows"])
    table = table.join(register, on="hypothesis")
    table = _corrected(table, tests, values)
    table["chosen"] = _chosen(table, groups)
    funnel = pd.DataFrame.from_dict(funnels, orient="index")
    funnel.index = pd.MultiIndex.from_tuples(funnels, names=["hypothesis", "rows", "group"])
    return Verdicts(table[list(_SHOWN)], funnel, groups, tests, _signature(returns, register))


_SHOWN = (
    "claim",
    "statistic",
    "side",
    "start",
    "end",
    "margin",
    "n",
    "n_against",
    "estimate",
    "ci_low",
    "ci_high",
    "p_mean",
    "p_value",
    "p_holm",
    "p_romano_wolf",
    "undone_by",
    "verdict",
    "chosen",
)


def _check_family(register: pd.DataFrame, committed: pd.DataFrame) -> None:
    for name in register.index:
        if name not in committed.index:
            raise HypothesisError(_not_registered(name, committed.index))
        if not register.loc[name].equals(committed.loc[name]):
            raise HypothesisError(
                f"{name!r} stands otherwise in the register: evaluate it as it was registered"
            )
    missing = committed.index.difference(register.index)
    if len(missing):
        raise HypothesisError(
            f"{missing[0]!r} is registered and left out: evaluate the whole register, because "
            "it is the family that is corrected for"
        )


def _signature(returns: pd.Series, register: pd.DataFrame) -> str:
    parts = [
        f"{counted(len(register), 'hypothesis', 'hypotheses')}, registered to "
        f"{max(register['registered'])} ({register.attrs.get('hash', 'unsaved')})",
        f"returns {iso(returns.index[0])} to {iso(returns.index[-1])}",
        "conditional variance gjr, refit every 21 sessions",
    ]
    if "hash" in returns.attrs:
        parts.append(f"data {returns.attrs['hash']}")
    return "; ".join(parts)


# -- one hypothesis on one reading of the catalogue ----------------------------------------------


def _evaluate(returns, series: pd.DataFrame, claim: pd.Series, rows: str, rng: int):
    """Facts, groups, test and conditional z of the groups."""
    if claim["statistic"] == "slope":
        return _slope(returns, series, claim, rows, rng)
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
    facts = dict(zip(("estimate", "ci_low", "ci_high"), mean_interval(*samples), strict=True))
    facts |= {"n": len(groups[0]), "n_against": len(groups[1]) if len(groups) > 1 else pd.NA}
    if min(map(len, groups)) < MIN_SESSIONS:
        return facts, groups, None, values
    if claim["statistic"] == "equivalence":
        test = equivalence_test(samples[0], claim["margin"])
        return facts | {"p_value": test.p_value}, groups, test, values
    if claim["statistic"] == "difference":
        test = difference_test(*values, side=claim["side"], rng=rng)
        return facts | {"p_mean": test.p_mean, "p_value": test.p_value}, groups, test, values
    test = shift_test(z, groups[0].sessions, side=claim["side"])
    return facts | {"p_mean": test.p_mean, "p_value": test.p_studentised}, groups, test, values


def _filters(claim: pd.Series, prefix: str) -> dict[str, object]:
    given = {name: claim[f"{prefix}{name}"] for name in FILTERS if claim[f"{prefix}{name}"]}
    return {
        name: cell if name in ("since", "until") else cell.split(";")
        for name, cell in given.items()
    }


def mean_interval(first: np.ndarray, second: np.ndarray | None = None):
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
    reach = stdtrit(dof, 1 - LEVEL / 2) * np.sqrt(shares.sum())
    mean = first.mean() - (0.0 if second is None else second.mean())
    return float(mean), float(mean - reach), float(mean + reach)


def _slope(returns, series: pd.DataFrame, claim: pd.Series, rows: str, rng: int):
    filters = _filters(claim, "")
    group = select_group(series.index, rows, filters)
    dosed = catalogue_rows(rows, **filters)
    dosed = dosed[dosed[_DOSE].notna()]
    study = event_study(returns, dosed, window=(min(claim["start"], 0), max(claim["end"], 0)))
    window = {"start": claim["start"], "end": claim["end"]}
    points, _ = dosed_sessions(study, _DOSE, **window)
    group = _dosed_group(group, dosed, study, points["session"])
    facts = {"n": len(points), "n_against": pd.NA}
    if len(points) < FEWEST:
        return facts, (group,), None, []
    dose = dose_response(study, _DOSE, **window, side=claim["side"], rng=rng)
    slope = dose.table.loc["dose"]
    facts |= slope[["estimate", "ci_low", "ci_high"]].to_dict()
    if dose.nobs < MIN_SESSIONS:
        return facts, (group,), None, []
    return facts | {"p_value": slope["p_value"]}, (group,), dose, []


def _dosed_group(group: Group, dosed: pd.DataFrame, study, sessions) -> Group:
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


# -- all hypotheses together ---------------------------------------------------------------------


def _corrected(table: pd.DataFrame, tests: dict, values: dict) -> pd.DataFrame:
    """Corrected p-values, verdicts and how easily they are undone, for each reading."""
    parts = []
    for rows in ROW_SETS:
        part = table[table.index.get_level_values("rows") == rows].copy()
        # A claim without a verdict was asked too: it stays in the family as one that found nothing.
        family = part["p_value"].fillna(1.0)
        part["p_holm"] = holm(family).where(part["p_value"].notna())
        draws = {key: _draws(tests[key]) for key in part.index if isinstance(tests[key], ShiftTest)}
        part["p_romano_wolf"] = (
            romano_wolf(pd.DataFrame(draws)).reindex(part.index) if draws else np.nan
        )
        part["verdict"] = [_verdict(row) for _, row in part.iterrows()]
        part["undone_by"] = pd.array(
            [
                _undone_by(key, family, part.loc[key, "verdict"], tests[key], values[key])
                for key in part.index
            ],
            dtype="Int64",
        )
        parts.append(part)
    return pd.concat(parts).loc[table.index].astype({"n": int, "n_against": "Int64"})


def _draws(test: ShiftTest | DifferenceTest) -> np.ndarray:
    """Extremity of the studentised statistic: row 0 as observed, then under the null."""
    if isinstance(test, ShiftTest):
        return extremity(np.append(test.studentised, test.shifted_studentised), test.side)
    return extremity(np.append(test.welch_t, test.permuted), test.side)


def _verdict(row: pd.Series) -> str:
    if np.isnan(row["p_value"]):
        return TOO_FEW
    if row["p_holm"] <= LEVEL:
        return SUPPORTED
    if row["p_value"] <= LEVEL:
        return BEFORE_CORRECTION
    return NOT_RULED_OUT if row["statistic"] == "equivalence" else CHANCE


def _undone_by(key, p: pd.Series, verdict: str, test, values) -> int | None:
    """How many announcements without effect, in each group, would change the verdict."""
    if verdict not in (SUPPORTED, BEFORE_CORRECTION) or isinstance(test, EquivalenceTest):
        return None
    draws = _draws(test)[1:]
    for added in range(1, _MOST_ADDED + 1):
        statistic = extremity(diluted(values, added), test.side)
        diluted_p = (1 + int((draws >= statistic).sum())) / (len(draws) + 1)
        if verdict == SUPPORTED:
            changed = p.copy()
            changed[key] = diluted_p
            diluted_p = holm(changed)[key]
        if diluted_p > LEVEL:
            return added
    return None


def diluted(values: list[np.ndarray], added: int) -> float:
    """Studentised mean, or Welch's t, with `added` sessions of mean zero and variance one.

    Parameters
    ----------
    values : list of one or two ndarray
        Conditional z of each group.
    added : int
        Sessions added to each group.

    Examples
    --------
    >>> round(diluted([np.array([1.0, 2.0, 3.0])], 0), 3)
    3.464
    """
    means, shares = [], []
    for z in values:
        n = len(z) + added
        mean = z.sum() / n
        variance = (np.sum(z**2) + added - n * mean**2) / (n - 1)
        means.append(mean)
        shares.append(variance / n)
    return float((means[0] - sum(means[1:])) / np.sqrt(sum(shares)))


def _chosen(table: pd.DataFrame, groups: dict) -> list[str]:
    """Whether each hypothesis was registered after the last session that it is about."""
    return [
        "chosen after the event"
        if all((group.sessions < pd.Timestamp(registered)).all() for group in groups[key])
        else "registered before the last event"
        for key, registered in table["registered"].items()
    ]
