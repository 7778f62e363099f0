"""Results as text, HTML, LaTeX and CSV, in the look of a journal table.

A table signs itself: what it was computed with stands below it. It holds no clock time, so a
rerun shows no difference. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from impact.errors import TableError
from impact.text import formats
from impact.text.typeset import NONE, Column, Sheet, as_html, as_latex, as_text

#: A table shown on screen stops after this many rows; its CSV and LaTeX hold all.
SHOWN_ROWS = 60

#: Decimals of a change that is in a unit of its own.
_DIGITS = 3

_STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"


def percentage(value: float) -> str:
    return formats.percent(value, signed=False)


def _change(value: float) -> str:
    return formats.percent(value)


def _words(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(name: str, heading: str) -> Column:
    return Column(name, heading, _words, is_text=True)


#: Columns that the frames of this library share.
KNOWN = {
    column.name: column
    for column in (
        _text("event", "id"),
        _text("label", "event"),
        _text("test", "test"),
        _text("security", "security"),
        _text("announcements", "announcements"),
        _text("null", "null hypothesis"),
        _text("valid", "valid"),
        _text("because", "because"),
        _text("source", "source"),
        Column("session", "session", formats.iso, is_text=True),
        Column("first_session", "first session", formats.iso, is_text=True),
        Column("last_session", "last session", formats.iso, is_text=True),
        Column("estimate", "estimate", _change),
        Column("simple_change", "simple change", _change),
        Column("published", "published", _change),
        Column("ours", "ours", _change),
        Column("rounding", "rounding", lambda value: formats.percent(value, 3, signed=False)),
        Column("std_error", "std. error", percentage),
        Column("sigma", SIGMA, percentage),
        Column("ci_low", "95% from", _change),
        Column("ci_high", "to", _change),
        Column("statistic", "statistic", formats.number),
        Column("p_value", "p", formats.p_value),
        Column("p", "p", formats.p_value),
        Column("smallest_detectable", "detectable", percentage),
        Column("power", "power", lambda value: formats.percent(value, 0, signed=False)),
    )
}


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A frame with its title, its notes and its signature, ready to be shown.

    Attributes
    ----------
    frame : DataFrame
        The numbers, unrounded; `to_csv` writes these.
    title : str
        What the table says it is.
    columns : tuple of Column
        What is shown, in order.
    notes : tuple of str
        Sentences below the table.
    signature : str
        Model, windows, n, variance and data that the numbers come from.
    stars : str
        Column of p-values that put stars on the first column of numbers; "" for none.
    unit : str
        What the estimates are in, where they are no returns; "" shows them in percent.

    Examples
    --------
    >>> frame = pd.DataFrame({"test": ["sign"], "statistic": [1.2], "p_value": [0.23]})
    >>> print(table(frame, "One test", signature="made up"))
    One test
    ----------------------
    test  statistic      p
    ----------------------
    sign       1.20  0.230
    ----------------------
    made up
    """

    frame: pd.DataFrame
    title: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    signature: str = ""
    stars: str = ""
    unit: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        """What stands under the table: the notes, then the signature."""
        stars = f"* p < 0.10, ** p < 0.05, *** p < 0.01, by {self.stars}." if self.stars else ""
        unit = f"In {self.unit}." if self.unit else ""
        return tuple(line for line in (unit, *self.notes, stars, self.signature) if line)

    def cells(self, rows: int | None = None) -> list[list[str]]:
        """Return the texts of the first `rows` rows (of all if None)."""
        part = self.frame if rows is None else self.frame.iloc[:rows]
        ways = [_in_unit(column) if self.unit else column for column in self.columns]
        shown = [[_cell(column, value) for value in part[column.name]] for column in ways]
        if self.stars:
            first = next(i for i, column in enumerate(self.columns) if not column.is_text)
            marks = [_stars(p) for p in part[self.stars]]
            shown[first] = [a + b.ljust(3) for a, b in zip(shown[first], marks, strict=True)]
        return [list(row) for row in zip(*shown, strict=True)]

    def _sheet(self, rows: int | None = None) -> Sheet:
        left = 0 if rows is None else max(len(self.frame) - rows, 0)
        more = (f"… and {formats.counted(left, 'more row')}: see to_csv()",) if left else ()
        return Sheet(self.title, self.columns, self.cells(rows), more, self.below)

    def __repr__(self) -> str:
        return as_text(self._sheet(SHOWN_ROWS))

    def _repr_html_(self) -> str:
        return as_html(self._sheet(SHOWN_ROWS))

    def to_latex(self) -> str:
        """Return a LaTeX table for the booktabs package."""
        return as_latex(self._sheet())

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write every number unrounded, with the signature as the last column.

        A text that begins with =, +, - or @ has an apostrophe before it: a spreadsheet would take
        it for a formula.

        Parameters
        ----------
        path : str or Path, optional
            File to write; without it the text is returned.
        """
        frame = self.frame.copy()
        if not isinstance(frame.index, pd.RangeIndex):
            held = [name for name in frame.index.names if name in frame.columns]
            frame = frame.drop(columns=held).reset_index()
        for name in frame.columns[[pd.api.types.is_object_dtype(kind) for kind in frame.dtypes]]:
            frame[name] = [_words(value) for value in frame[name]]
        frame["signature"] = self.signature
        for name in frame.select_dtypes(["object", "str", "category"]):
            frame[name] = frame[name].astype("object").map(_no_formula)
        frame.columns = [_no_formula(name) for name in frame.columns]
        # pandas writes midnights as dates, and other times whole.
        text = frame.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8", newline="\n")
        return None


def _in_unit(column: Column) -> Column:
    """Show as a number in its own unit what else is shown in percent."""
    signed = column.show is _change
    if not (signed or column.show is percentage):
        return column
    return replace(column, show=partial(formats.number, digits=_DIGITS, signed=signed))


def _cell(column: Column, value: object) -> str:
    missing = not isinstance(value, tuple) and pd.isna(value)
    return NONE if missing else column.show(value)


def _no_formula(text: object) -> object:
    """Keep a spreadsheet from reading a text as a formula; what is a number is one.

    Examples
    --------
    >>> _no_formula("=1+1"), _no_formula("-0.5"), _no_formula("+x")
    ("'=1+1", '-0.5', "'+x")
    """
    if not isinstance(text, str) or not text.lstrip().startswith(("=", "+", "-", "@")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _stars(p: float) -> str:
    return next((mark for level, mark in _STARS if p < level), "")


# -- any frame -----------------------------------------------------------------------------------


def table(
    frame: pd.DataFrame,
    title: str,
    *,
    percent: Iterable[str] = (),
    p: Iterable[str] = (),
    notes: Iterable[str] = (),
    signature: str = "",
) -> Table:
    """Lay out any frame, by the names of its columns.

    Parameters
    ----------
    frame : DataFrame
        Decimal fractions, p-values and so on as the library returns them. A named index becomes
        the first column.
    title : str
    percent, p : names of columns
        Columns of one's own that hold decimal fractions, shown in percent, or p-values.
    notes, signature
        See `Table`; without `signature` the frame's ``attrs["signature"]`` is used.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        If `frame` is none, or `percent` or `p` names no column of numbers.

    Examples
    --------
    >>> frame = pd.DataFrame({"sector": ["XLE"], "change": [-0.021], "chance": [0.012]})
    >>> print(table(frame, "One sector", percent=["change"], p=["chance"]))
    One sector
    ----------------------
    sector  change  chance
    ----------------------
    XLE     −2.10%   0.012
    ----------------------
    """
    if not isinstance(frame, pd.DataFrame) or not isinstance(title, str):
        raise TableError(
            f"table() lays out a DataFrame under a title, not a {type(frame).__name__} under "
            f"{title!r}: use .to_frame()"
        )
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise TableError(f"two columns of the table are called {twice!r}: rename one")
    percent, p = ([each] if isinstance(each, str) else each for each in (percent, p))
    named = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame
    shown = dict.fromkeys(percent, _change) | dict.fromkeys(p, formats.p_value)
    _check_named(named, shown)
    columns = tuple(_column(name, named[name], shown.get(name)) for name in named.columns)
    signature = signature or frame.attrs.get("signature", "")
    return Table(named, title, columns, tuple(notes), signature)


def _check_named(frame: pd.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name not in frame or not pd.api.types.is_numeric_dtype(frame[name]):
            known = [str(other) for other in frame if pd.api.types.is_numeric_dtype(frame[other])]
            raise TableError(
                f"{name!r} is no column of numbers of this table: it has "
                f"{formats.list_of(map(repr, known)) or 'none'}"
            )


def _column(name: str, values: pd.Series, show: Callable[[float], str] | None) -> Column:
    if show is not None:
        return Column(name, _heading(name), show)
    return KNOWN.get(name) or _guess(name, values)


def _heading(name: str) -> str:
    return str(name).replace("_", " ")


def _guess(name: str, values: pd.Series) -> Column:
    heading = _heading(name)
    if pd.api.types.is_bool_dtype(values):
        return Column(name, heading, lambda value: "yes" if value else "no", is_text=True)
    if pd.api.types.is_datetime64_any_dtype(values):
        return Column(name, heading, formats.iso, is_text=True)
    if pd.api.types.is_integer_dtype(values):
        return Column(name, heading, lambda value: formats.number(value, 0))
    if str(name).startswith("p_"):
        return Column(name, heading, formats.p_value)
    if pd.api.types.is_any_real_numeric_dtype(values):
        return Column(name, heading, formats.number)
    return Column(name, heading, _words, is_text=True)
