"""What every result of this library can do: show itself as a table and say what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from impact.text.formats import some_of
from impact.text.table import Column, Table, table

#: So many names are given for one reason; the others are counted.
_NAMED = 3


class Result:
    """A frozen result: its numbers, what was left out, and what they were computed with.

    A subclass is a frozen dataclass that has the three attributes and says in `_title`,
    `_columns` and `_notes` how its table looks.

    Attributes
    ----------
    table : DataFrame
        The numbers, unrounded; returns are decimal fractions.
    dropped : DataFrame
        event, security, reason of everything that was left out.
    signature : str
        One line: model, windows, n, hashes of the data and the catalogue.
    unit : str
        What the estimates are in, where they are no returns.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    unit: str = ""

    def _title(self) -> str:
        return type(self).__name__

    def _columns(self) -> tuple[Column, ...] | None:
        """Columns of the table, in order; None shows all that the frame has."""
        return None

    def _notes(self) -> tuple[str, ...]:
        return ()

    def summary(self) -> Table:
        """Return the result in the look of a journal table."""
        columns, notes = self._columns(), (*self._notes(), left_out(self.dropped))
        notes = tuple(note for note in notes if note)
        if columns is None:
            shown = table(self.table, self._title(), notes=notes, signature=self.signature)
            return replace(shown, unit=self.unit)
        frame = self.table.reset_index()
        return Table(frame, self._title(), columns, notes, self.signature, unit=self.unit)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the numbers behind the table."""
        return self.table.copy()

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write the table unrounded, signed; return the text where no path is given."""
        return self.summary().to_csv(path)

    def to_latex(self) -> str:
        """Return the table in LaTeX, for the booktabs package."""
        return self.summary().to_latex()

    def save(self, path: str | Path) -> None:
        """Write the table to a file of the kind that its name ends with: see `Table.save`."""
        self.summary().save(path)

    def __repr__(self) -> str:
        return repr(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def left_out(dropped: pd.DataFrame) -> str:
    """Say in one line what was left out and why; "" where nothing was.

    `dropped` has the columns `event` and `reason`, and `security` where one was named.

    Examples
    --------
    >>> rows = {"event": ["a", "b", "c"], "security": ["", "XLK", ""], "reason": ["no price"] * 3}
    >>> left_out(pd.DataFrame(rows))
    'Left out: 3 (a, b XLK and c: no price).'
    """
    if dropped.empty:
        return ""
    names = dropped["event"].astype(str)
    if "security" in dropped:
        names = (names + " " + dropped["security"].astype(str)).str.strip()
    reasons = [
        f"{some_of(list(group)[:_NAMED], len(group))}: {reason}"
        for reason, group in names.groupby(dropped["reason"], sort=False)
    ]
    count = dropped.attrs.get("count", f"{len(dropped):,}")
    return f"Left out: {count} ({'; '.join(reasons)})."


def count_left_out(dropped: pd.DataFrame, kept: int, rows: int = 1) -> pd.DataFrame:
    """Write into a table of what was left out how much that is of what was asked for.

    An event of all securities that was left out counts for so many `rows`.

    Examples
    --------
    >>> dropped = pd.DataFrame({"event": ["a"], "reason": ["no price"]})
    >>> left_out(count_left_out(dropped, 13))
    'Left out: 1 of 14 (a: no price).'
    """
    whole = int((dropped["security"] == "").sum()) if rows > 1 else 0
    left = len(dropped) + (rows - 1) * whole
    dropped.attrs["count"] = f"{left:,} of {left + kept:,}"
    return dropped


def signed(
    *parts: str,
    prices: pd.Series | pd.DataFrame | None = None,
    events: Iterable[pd.DataFrame] = (),
) -> str:
    """Join what a result was computed with, and the hashes of its prices and its catalogue.

    Empty parts are left out. The ``attrs["hash"]`` of prices or events names the file that they
    come from, if one does.

    Examples
    --------
    >>> returns, events = pd.Series([0.01]), pd.DataFrame()
    >>> returns.attrs["hash"], events.attrs["hash"] = "155a8b0e5d47", "3055ff0d0948"
    >>> signed("window (0, 1)", prices=returns, events=[events])
    'window (0, 1); data 155a8b0e5d47; catalogue 3055ff0d0948'
    """
    held = [("data", {} if prices is None else prices.attrs)]
    held += [("catalogue", frame.attrs) for frame in events]
    hashes = [f"{what} {attrs['hash']}" for what, attrs in held if "hash" in attrs]
    # A study's own signature may hold a hash already.
    said = "; ".join([*filter(None, parts), *hashes]).split("; ")
    return "; ".join(dict.fromkeys(said))
