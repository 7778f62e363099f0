"""evaluate_register(): every registered hypothesis, three times, corrected for their number.

The register was written by people who knew how the index had moved. Nothing here undoes that;
what can be done is to report all of it, failures included, on three readings of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from impact.analysis.dose import DoseResponse
from impact.analysis.news_share_result import CHOSEN
from impact.errors import HypothesisError, ReturnsError
from impact.estimation.observations import dropped_rows
from impact.hypotheses.evaluation import Evaluated, evaluated
from impact.hypotheses.register import not_registered, whole_register
from impact.hypotheses.selection import ROW_SETS, Group, catalogue_rows
from impact.inference.cluster_test import MIN_CLUSTERS
from impact.inference.event_sets import MIN_SESSIONS
from impact.inference.measured_sizes import choice_in_words
from impact.inference.multiplicity import holm
from impact.inference.tests import LEVEL, HypothesisTest
from impact.market.files import data_hash
from impact.market.prices import load_prices
from impact.market.returns import check_returns, log_returns
from impact.news.alignment import align
from impact.text.formats import counted, iso, list_of, number, p_value, percent
from impact.text.result import Result, left_out
from impact.text.table import KNOWN, Column, Table
from impact.volatility.forecast import conditional_z

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
BEFORE_CORRECTION = "only before correction"
CHANCE = "could be chance"
NOT_RULED_OUT = "a larger effect is not ruled out"
TOO_FEW = f"no verdict below {MIN_SESSIONS} sessions"
TOO_FEW_CLUSTERS = f"no verdict below {MIN_CLUSTERS} clusters"

#: Sessions of a year, about.
_YEAR = 250

#: Side of a claim -> direction that speaks against it.
_AGAINST = {"less": "up", "greater": "down"}

#: What `chosen` says of a hypothesis that was written down when its events had happened.
AFTER = "chosen after the event"


@dataclass(frozen=True, eq=False, repr=False)
class Verdicts(Result):
    """What became of every hypothesis of the register.

    Attributes
    ----------
    table : DataFrame
        Index = (hypothesis, rows). ``claim``, ``statistic``, ``side``, ``start``, ``end``,
        ``margin``; ``n``, ``clusters`` of a group and ``n_against``, ``clusters_against`` of
        the other (sessions, and clusters of sessions fewer than six apart); ``estimate``,
        ``ci_low``, ``ci_high`` (95%, by clusters): mean abnormal return, difference of two,
        slope per percentage point, or of a variance the share that came with news, decimal
        fractions; ``direction``, "down" or "up", of the statistic behind p, which is of z and may
        point elsewhere than a mean return ("" for equivalence, a variance and without a verdict);
        ``p_value`` of `impact.inference.cluster_test` (a slope and equivalence have
        their own), two-sided whatever side the claim names, or of a variance the share of
        circular shifts within the period with as large a one; ``p_holm`` over the whole
        register, which decides;
        ``power`` and ``power_holm``, the chance of finding a mean of one σ a session (for
        equivalence, a mean of zero within the margin) at 5% and where Holm divides 5% by the
        number of hypotheses, none for a slope and a variance; beside it, and never deciding,
        ``p_shift`` among circular shifts (NaN for a variance, whose own p is of shifts),
        ``p_without_one``, the largest ``p_value`` without one session, and ``undone_by_one``, the
        sessions each of which alone would undo a finding;
        ``verdict``; ``chosen``.
    dropped : DataFrame
        event, security, reason of every announcement of the catalogue that has no session.
    signature : str
        What it was computed with.
    source : str
        File of the register, which is the family that was corrected for.
    committed : bool
        Whether that is the register that is kept with the library.
    funnel : DataFrame
        Index = (hypothesis, rows, group): what is left of the catalogue after each step.
    groups : dict
        (hypothesis, rows) -> the `Group` objects: one, or two where two are compared.
    tests : dict
        (hypothesis, rows) -> column of p -> the test behind it; none where there is no verdict.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    source: str
    committed: bool
    funnel: pd.DataFrame
    groups: dict[tuple[str, str], tuple[Group, ...]]
    tests: dict[tuple[str, str], Mapping[str, HypothesisTest | DoseResponse]]

    def __getitem__(self, hypothesis: str) -> pd.DataFrame:
        """Return the verdicts on one hypothesis, a row for each reading of the catalogue.

        Raises
        ------
        HypothesisError
            If it is not in the register.
        """
        known = self.table.index.unique("hypothesis")
        if hypothesis not in known:
            raise HypothesisError(not_registered(hypothesis, known, self.source))
        return self.table.loc[hypothesis]

    def __repr__(self) -> str:
        main = self.table.xs(ROW_SETS[0], level="rows")["verdict"].value_counts()
        found = list_of(f"{count} {verdict}" for verdict, count in main.items())
        return f"Verdicts on {counted(main.sum(), 'hypothesis', 'hypotheses')}: {found}"

    def summary(self, rows: str = ROW_SETS[0]) -> Table:
        """Return the verdicts on one reading of the catalogue in the look of a journal.

        Parameters
        ----------
        rows : {"included", "all", "documented"}
            See `impact.hypotheses.selection.catalogue_rows`.

        Raises
        ------
        HypothesisError
            For any other word.
        """
        if rows not in ROW_SETS:
            known = list_of(map(repr, ROW_SETS), "or")
            raise HypothesisError(f"rows={rows!r} is not known: use {known}")
        frame = self.table.xs(rows, level="rows").reset_index()
        register = "The register of hypotheses" if self.committed else f"The register {self.source}"
        notes = (
            f"{_how_chosen(frame['chosen'])} Verdicts rest on p (Holm) alone. p is two-sided, "
            "because no side was fixed before the events; of “no trace” it is the larger of two "
            "one-sided p.",
            "Estimates and intervals are of returns, p of means and differences is of z: a session "
            f"counts by its variance known before. {_opposed(frame)}",
            "p: sessions fewer than six apart are one observation, a cluster. The estimate of a "
            "dose is for one percentage point.",
            f"power: at best the chance of finding a mean of one σ, known the evening before; "
            f"or no trace within its margin; after correction, as the first of {len(frame)}.",
            "p (shifts): among shifts of the whole set, which take what a cluster shares for "
            "evidence. p (less one): the largest p without one session; undone by: sessions each "
            "of which alone would undo what was found.",
            *_of_variances(frame["statistic"]),
            "" if self.committed else _OWN,
            left_out(self.dropped),
        )
        title = f"{register}, {rows} announcements"
        return Table(frame, title, _COLUMNS, tuple(filter(None, notes)), self.signature)

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write the verdicts on every reading, unrounded; return the text without a path."""
        return Table(self.table.reset_index(), "", (), (), self.signature).to_csv(path)


def _whole(value: float) -> str:
    return number(value, 0)


def chance(value: float) -> str:
    """Write a power, which is neither never nor always unless it is that exactly."""
    if 0.995 <= value < 1 or 0 <= value < 0.005:
        return "> 99%" if value > 0.5 else "< 1%"
    return percent(value, 0, signed=False)


_COLUMNS = (
    Column("claim", "claim", is_text=True),
    Column("n", "n", _whole),
    Column("clusters", "clusters", _whole),
    KNOWN["estimate"],
    KNOWN["ci_low"],
    KNOWN["ci_high"],
    KNOWN["p_value"],
    Column("p_holm", "p (Holm)", p_value),
    Column("verdict", "verdict", is_text=True),
    Column("power", "power", chance),
    Column("power_holm", "after correction", chance),
    Column("p_shift", "p (shifts)", p_value),
    Column("p_without_one", "p (less one)", p_value),
    Column("undone_by_one", "undone by", _whole),
)

_OWN = (
    "This is a register of your own, corrected for the number of its own hypotheses; it is not "
    "the committed register."
)


def _opposed(frame: pd.DataFrame) -> str:
    """Name the claims whose mean return points elsewhere than the z that decides."""
    way = np.where(frame["direction"] == "up", 1.0, -1.0)
    tested = frame["statistic"].isin(["mean", "difference"]) & (frame["direction"] != "")
    claims = frame.loc[tested & (np.sign(frame["estimate"]) != way), ["claim", "direction"]]
    said = (
        f"“{claim}” points {direction} by z, which counts, and the other way by the return."
        for claim, direction in claims.itertuples(index=False)
    )
    return " ".join(said)


def _how_chosen(chosen: pd.Series) -> str:
    after = int((chosen == AFTER).sum())
    if after == len(chosen):
        return "Every hypothesis was chosen after the events."
    return f"Chosen after the events: {after} of {len(chosen)}."


def _of_variances(statistic: pd.Series) -> tuple[str, ...]:
    """What has to be known of the claims on a variance, where there are any."""
    if "variance" not in set(statistic):
        return ()
    return (
        "News days that moved more: the estimate is the share of their variance that came with "
        "news, never below zero. Its p is the share of shifts within the period with as large a "
        "variance; no power is given.",
        "Such a p cannot be below one over the days of the period: 0.004 in a year. "
        f"{_out_of_reach(len(statistic))}",
        CHOSEN,
        choice_in_words(),
    )


def _out_of_reach(claims: int) -> str:
    """Say it where a claim on one year cannot be supported whatever the year held."""
    if claims <= LEVEL * _YEAR:
        return ""
    return f"A claim on one year cannot be supported as the first of {claims}, whatever happened."


def evaluate_register(
    register: str | Path | pd.DataFrame | None = None,
    *,
    returns: pd.Series | None = None,
    rng: int = 0,
) -> Verdicts:
    """Evaluate every hypothesis of the register on three readings of the catalogue.

    Parameters
    ----------
    register : str, Path or DataFrame, optional
        The committed register by default. The path of a register of one's own, a CSV with the
        same columns (see `load_register`), or ``load_register(path)``: all of its hypotheses are
        then the family that is corrected for. The order of its rows is free.
    returns : Series, shape (T,), optional
        Decimal log returns by session; those of the S&P 500 by default.
    rng : int
        Seed of the sign flips of a slope.

    Returns
    -------
    Verdicts

    Raises
    ------
    HypothesisError
        If a file cannot be read or breaks a rule, a hypothesis cannot be evaluated, or a frame is
        not all of its register as it was registered: the family cannot be shrunk or grown here.
    ReturnsError, HistoryError, VolatilityError
        As `impact.volatility.forecast.conditional_z`.

    Notes
    -----
    Effects are in returns; p-values are of conditional z, so that a session counts by what was
    known of its variance the evening before. p is two-sided (of equivalence the larger of two
    one-sided p); a statistic on the other side than the claim's contradicts it. A set needs
    eight sessions in three clusters.

    References
    ----------
    Ibragimov and Müller (2010, 2016); Holm (1979); Schuirmann (1987).

    Examples
    --------
    >>> verdicts = evaluate_register()
    >>> verdicts["china-escalation-2025"].loc["included", "verdict"]
    'only before correction'
    """
    family = whole_register(register)
    returns = log_returns(load_prices()) if returns is None else check_returns(returns)
    if returns.attrs.get("returns", "log") != "log":
        raise ReturnsError("the register is evaluated on log returns: use log_returns(prices)")
    series = conditional_z(returns)
    found = {
        (name, rows): evaluated(returns, series, claim, rows, rng)
        for name, claim in family.iterrows()
        for rows in ROW_SETS
    }
    index = pd.MultiIndex.from_tuples(found, names=["hypothesis", "rows"])
    table = pd.DataFrame([one.facts for one in found.values()], index, _FACTS)
    table = table.astype(dict.fromkeys(_FACTS[4:], float)).join(family, on="hypothesis")
    table = _corrected(table, found)
    table["chosen"] = _chosen(table, found)
    funnels = {
        (*key, label): group.funnel
        for key, one in found.items()
        for group, label in zip(one.groups, ("group", "against"), strict=False)
    }
    funnel = pd.DataFrame.from_dict(funnels, orient="index")
    funnel.index = pd.MultiIndex.from_tuples(funnels, names=["hypothesis", "rows", "group"])
    placed = align(catalogue_rows("all"), series.index)["dropped"]
    lost = placed[placed != ""]
    return Verdicts(
        table[list(_SHOWN)],
        dropped_rows(lost.index, lost),
        _signature(returns, family),
        family.attrs["source"],
        "path" not in family.attrs,
        funnel,
        {key: one.groups for key, one in found.items()},
        {key: one.tests for key, one in found.items()},
    )


#: What is found of each hypothesis, and the columns of the table.
_FACTS = (
    *("n", "clusters", "n_against", "clusters_against"),
    *("estimate", "ci_low", "ci_high", "p_value", "p_shift", "p_without_one"),
)
_SHOWN = (
    "claim",
    "statistic",
    "side",
    "start",
    "end",
    "margin",
    *_FACTS[:-2],
    "direction",
    *("p_holm", "power", "power_holm", *_FACTS[-2:], "undone_by_one", "verdict", "chosen"),
)


def _signature(returns: pd.Series, register: pd.DataFrame) -> str:
    committed = "path" not in register.attrs
    whose = "" if committed else f" of {register.attrs['source']}, not the committed register"
    parts = [
        f"{counted(len(register), 'hypothesis', 'hypotheses')}{whose}, registered to "
        f"{max(register['registered'])} ({register.attrs['hash']})",
        f"returns {iso(returns.index[0])} to {iso(returns.index[-1])}",
        "conditional variance gjr, refit every month",
    ]
    if "hash" in returns.attrs:
        parts.append(f"data {returns.attrs['hash']}")
    return "; ".join([*parts, f"events {data_hash('events.csv')}"])


# -- all hypotheses together ---------------------------------------------------------------------


def _corrected(table: pd.DataFrame, found: Mapping[tuple[str, str], Evaluated]) -> pd.DataFrame:
    """Corrected p-values, verdicts, their power and how easily they are undone, by reading."""
    parts = []
    for rows in ROW_SETS:
        part = table[table.index.get_level_values("rows") == rows].copy()
        # A claim without a verdict was asked too: it stays in the family as one that found nothing.
        family = part["p_value"].fillna(1.0)
        part["p_holm"] = holm(family).where(part["p_value"].notna())
        for name, level in (("power", LEVEL), ("power_holm", LEVEL / len(part))):
            part[name] = [found[key].power(level) for key in part.index]
        part["direction"] = [_direction(row, found[row.name]) for _, row in part.iterrows()]
        part["verdict"] = [_verdict(row, found[row.name]) for _, row in part.iterrows()]
        undone = [_undone_by_one(row, family, found[row.name]) for _, row in part.iterrows()]
        part["undone_by_one"] = pd.array(undone, dtype="Int64")
        parts.append(part)
    counts = {"n": int} | dict.fromkeys(_FACTS[1:4], "Int64")
    return pd.concat(parts).loc[table.index].astype(counts)


def _direction(row: pd.Series, one: Evaluated) -> str:
    """Where the statistic behind p points: that of every verdict on a side."""
    if np.isnan(row["p_value"]) or row["statistic"] in ("equivalence", "variance"):
        return ""
    return "up" if one.sign > 0 else "down"


def _verdict(row: pd.Series, one: Evaluated) -> str:
    if np.isnan(row["p_value"]):
        enough = min(map(len, one.groups)) >= MIN_SESSIONS
        return TOO_FEW_CLUSTERS if enough else TOO_FEW
    opposite = row["direction"] == _AGAINST.get(row["side"])
    if row["p_holm"] <= LEVEL:
        return CONTRADICTED if opposite else SUPPORTED
    if row["p_value"] <= LEVEL:
        return f"{CONTRADICTED}, {BEFORE_CORRECTION}" if opposite else BEFORE_CORRECTION
    return NOT_RULED_OUT if row["statistic"] == "equivalence" else CHANCE


def _undone_by_one(row: pd.Series, family: pd.Series, one: Evaluated) -> int | None:
    """How many sessions would each alone undo what was found, with the others still there."""
    if not len(one.without) or not row["p_value"] <= LEVEL:
        return None
    if row["p_holm"] > LEVEL:
        return int((one.without > LEVEL).sum())
    alone = (holm(family.mask(family.index == row.name, p))[row.name] for p in one.without)
    return sum(p > LEVEL for p in alone)


def _chosen(table: pd.DataFrame, found: Mapping[tuple[str, str], Evaluated]) -> list[str]:
    """Whether each hypothesis was registered after the last session that it is about."""
    said = []
    for key, day in table["registered"].items():
        last = [group.sessions[-1] for group in found[key].groups if len(group)]
        if not last:
            said.append("no event yet")
        else:
            early = max(last) >= pd.Timestamp(day)
            said.append("registered before the last event" if early else AFTER)
    return said
