"""What was found of who was hit: moves beyond beta, their p, and what that p depends on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from impact.errors import InferenceError
from impact.inference.measured_sizes import hit_in_words
from impact.inference.tests import LEVEL
from impact.market.prices import SECTORS
from impact.market.windows import Window
from impact.text.formats import counted, number, p_value, some_of
from impact.text.result import Result
from impact.text.table import KNOWN, Column
from impact.volatility.forecast import EWMA

#: Earlier sessions, nearest in the size of the market's move, that an event is ranked among. With
#: 250 more of those with the largest moves of the market were rejected: 17 of 227, not 14 of 237.
#: That was seen on the sessions of the sector funds on which the published size was measured.
NEAREST = 100

#: Other numbers of them, by which p is given beside that one.
POOLS = (50, 75, NEAREST, 150, 250, 400)

#: With fewer earlier sessions than this on which the market moved as far, it is said.
FEW = 25

#: Events that a note names.
NAMED = 4

#: What the market is called where the study has one.
BENCHMARK = "the benchmark"

#: Numbers of each event and security, in the order of the table.
NUMBERS = ("estimate", "beta", "z", "p_adjusted")


@dataclass(frozen=True, eq=False, repr=False)
class RelativeMoves(Result):
    """Moves of each security beyond beta, by unit.

    Attributes
    ----------
    estimate : DataFrame, units x securities
        Cumulative return less alpha and beta times the market's, decimal fractions; NaN where the
        security is not there.
    beta : DataFrame, units x securities
        Loading on the market in the estimation window.
    z : DataFrame, units x securities
        `estimate` over its own conditional standard deviation, the error of beta counted.
    p_adjusted : DataFrame, units x securities
        Step-down maximum p-values: each allows for all securities of its unit.
    p_max : Series
        p of the largest |z| of each unit: the test that no security stands out.
    market_z : Series
        The market's move in its own conditional standard deviations.
    pool : Series
        Number of earlier sessions that the nearest 100 in |market_z| were chosen from.
    as_large : Series
        How many of these had a |market_z| as large as the event or larger.
    by_average : Series
        How many of these have the variance of EWMA 0.94 in place of the model's.
    by_pool : DataFrame, units x (50, 75, 100, 150, 250, 400)
        p of the largest |z| with so many earlier sessions in place of 100; NaN where there are
        not so many.
    window : Window
        Relative sessions that were summed.
    dropped : DataFrame
        event, security, reason of everything that was left out.
    signature : str
        What it was computed with.
    market : str
        What the market is, in words.
    notes : tuple of str
        What a reader should know of the variances.
    """

    estimate: pd.DataFrame
    beta: pd.DataFrame
    z: pd.DataFrame
    p_adjusted: pd.DataFrame
    p_max: pd.Series
    market_z: pd.Series
    pool: pd.Series
    as_large: pd.Series
    by_average: pd.Series
    by_pool: pd.DataFrame
    window: Window
    dropped: pd.DataFrame
    signature: str
    market: str
    notes: tuple[str, ...] = ()
    unit: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """`estimate`, `beta`, `z` and `p_adjusted`, one row an event and security."""
        named = {name: getattr(self, name).stack() for name in NUMBERS}
        return pd.DataFrame(named).rename_axis(["event", "security"]).dropna()

    def by_group(self, groups: pd.Series) -> pd.DataFrame:
        """Return, by event and group, how many there are, their average, and who went farthest.

        Parameters
        ----------
        groups : Series, indexed by security
            Such as the ``sector`` of firms.

        Returns
        -------
        DataFrame, rows (event, group)
            `securities`, `estimate` (their average, decimal fraction), `security` (the one with
            the largest z in size) and its `z` and `p_adjusted`, which allows for all securities.

        Raises
        ------
        InferenceError
            If a security has no group.
        """
        unknown = self.z.columns.difference(groups.dropna().index)
        if len(unknown):
            raise InferenceError(
                f"groups has no group for {unknown[0]!r}: give one for every security"
            )
        rows = self.table.reset_index()
        rows["group"] = rows["security"].map(groups)
        parts = rows.groupby(["event", "group"], sort=False)
        farthest = rows.loc[rows["z"].abs().groupby([rows["event"], rows["group"]]).idxmax()]
        found = farthest.set_index(["event", "group"])[["security", "z", "p_adjusted"]]
        found.insert(0, "securities", parts.size())
        found.insert(1, "estimate", parts["estimate"].mean())
        return found

    def __repr__(self) -> str:
        events, securities = self.z.shape
        shown = counted(securities, "security", "securities")
        return f"RelativeMoves: {shown} at {counted(events, 'event')}"

    def _title(self) -> str:
        what = "Change" if self.unit else "Return"
        return f"{what} beyond beta times {self.market}, sessions {self.window}"

    @property
    def p_range(self) -> pd.DataFrame:
        """Smallest and largest p of `by_pool`, columns `low` and `high`, by unit."""
        return pd.DataFrame({"low": self.by_pool.min(axis=1), "high": self.by_pool.max(axis=1)})

    @property
    def at_the_border(self) -> pd.Series:
        """Whether it depends on the number of earlier sessions if p is 5% or less, by unit."""
        return (self.p_range["low"] <= LEVEL) & (self.p_range["high"] > LEVEL)

    def _notes(self) -> tuple[str, ...]:
        kind = "sectors" if set(self.z.columns) <= set(SECTORS) else "firms"
        if self.market != BENCHMARK:
            # Firms were not measured among themselves.
            kind = "sectors among themselves" if kind == "sectors" else ""
        size = hit_in_words(kind, self.window)
        said = filter(None, (*self.notes, *self._of_the_ranks(), size))
        return tuple(
            f"{note if note.startswith('p ') else note[0].upper() + note[1:]}." for note in said
        )

    def _of_the_ranks(self) -> tuple[str, ...]:
        """What p depends on: how many sessions, how like the event, and their variances."""
        tested, least = self.pool.dropna().index, self.pool.min()
        shown = tested[self.at_the_border[tested]] if len(tested) > 1 else tested
        low, high = (self.p_range[side].map(p_value) for side in ("low", "high"))
        ranges = _named([f"{event} {low[event]} to {high[event]}" for event in shown])
        few = self.as_large[tested].pipe(lambda n: n[n < FEW]).sort_values(kind="stable")
        counts = [f"{event} {n:,.0f} of {self.pool[event]:,.0f}" for event, n in few.items()]
        pools = f"ranked among {POOLS[0]} to {POOLS[-1]} earlier sessions in place of {NEAREST}"
        average = self.by_average.max()
        return (
            f"p of the largest move, {pools}: {ranges}"
            if len(shown)
            else f"p of the largest move lies on the same side of {number(LEVEL)} {pools}",
            f"earlier sessions with a market move as large in its standard deviations, where fewer "
            f"than {FEW}: {_named(counts)}"
            if len(few)
            else "",
            f"of the {least:,.0f} or more earlier sessions {average:,.0f} have the variance of "
            f"{EWMA}, as too few residuals came before"
            if average
            else "",
        )

    def _columns(self) -> tuple[Column, ...]:
        return (
            KNOWN["event"],
            KNOWN["security"],
            KNOWN["estimate"],
            Column("beta", "beta", number),
            Column("z", "z", number),
            Column("p_adjusted", "p, for all securities", p_value),
        )


def _named(events: list[str]) -> str:
    return some_of(events[:NAMED], len(events))
