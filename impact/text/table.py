"""Results as text, HTML, LaTeX, Markdown, CSV, Word and Excel, in the look of a journal table.

A table signs itself: what it was computed with stands below it. It holds no clock time, so a
rerun shows no difference. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from impact.errors import TableError
from impact.text import formats
from impact.text.files import as_path, write_atomically
from impact.text.formats import in_line
from impact.text.office import as_docx, as_xlsx
from impact.text.typeset import (
    NONE,
    Column,
    Sheet,
    as_html,
    as_latex,
    as_markdown,
    as_text,
    html_document,
    no_formula,
)

#: A table shown on screen stops after this many rows; its CSV and LaTeX hold all.
SHOWN_ROWS = 60

#: Decimals of a change that is in a unit of its own.
_DIGITS = 3

_STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"


percentage = partial(formats.percent, signed=False)
_share = partial(percentage, digits=0)
_change = partial(formats.percent)


def _words(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


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
        Column("power", "power", _share),
        Column("power_holm", "power (Holm)", _share),
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
    stars : dict
        Columns of estimates that have stars -> the column of p-values that says how many.
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
    stars: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        """What stands under the table: the notes, then the signature."""
        stars = "* p < 0.10, ** p < 0.05, *** p < 0.01." if self.stars else ""
        unit = f"In {self.unit}." if self.unit else ""
        return tuple(line for line in (unit, *self.notes, stars, self.signature) if line)

    @property
    def _shown(self) -> list[Column]:
        return [_in_unit(column) if self.unit else column for column in self.columns]

    def cells(self, rows: int | None = None) -> list[list[str]]:
        """Return the texts of the first `rows` rows (of all if None).

        Examples
        --------
        >>> shown = table(pd.DataFrame({"p": [0.2]}), "One p")
        >>> shown.cells()
        [['0.200']]
        """
        part = self.frame if rows is None else self.frame.iloc[:rows]
        shown = [[_cell(column, value) for value in part[column.name]] for column in self._shown]
        for i, column in enumerate(self.columns):
            if column.name in self.stars:
                marks = [_stars(p) for p in part[self.stars[column.name]]]
                shown[i] = [a + b.ljust(3) for a, b in zip(shown[i], marks, strict=True)]
        return [list(row) for row in zip(*shown, strict=True)]

    def sheet(self, rows: int | None = None) -> Sheet:
        """Return the first `rows` rows (all if None) as every medium lays them out.

        Examples
        --------
        >>> shown = table(pd.DataFrame({"p": [0.2]}), "One p")
        >>> shown.sheet().rows
        [['0.200']]
        """
        left = 0 if rows is None else max(len(self.frame) - rows, 0)
        more = (f"… and {formats.counted(left, 'more row')}: see to_csv()",) if left else ()
        frame = self.frame if rows is None else self.frame.iloc[:rows]
        held = zip(*(frame[column.name] for column in self.columns), strict=True)
        values = [list(row) for row in held]
        shown = tuple(
            replace(column, heading=in_line(column.heading), group=in_line(column.group))
            for column in self._shown
        )
        below = tuple(map(in_line, self.below))
        return Sheet(in_line(self.title), shown, self.cells(rows), values, more, below)

    @property
    def in_print(self) -> Table:
        """The table as a journal prints it: labels without ids, and p-values of three decimals."""
        named = {column.name for column in self.columns}
        columns = tuple(
            replace(column, show=formats.p_in_print) if column.show is formats.p_value else column
            for column in self.columns
            if not (column.name == "event" and "label" in named)
        )
        return replace(self, columns=columns)

    def __repr__(self) -> str:
        return as_text(self.sheet(SHOWN_ROWS))

    def _repr_html_(self) -> str:
        return as_html(self.sheet(SHOWN_ROWS))

    def to_latex(self) -> str:
        """Return a LaTeX table no wider than the text, for the packages booktabs and graphicx.

        Examples
        --------
        >>> shown = table(pd.DataFrame({"p": [0.2]}), "One p")
        >>> print(shown.to_latex().splitlines()[3])
        \\label{tab:one-p}
        """
        return as_latex(self.in_print.sheet())

    def to_markdown(self) -> str:
        """Return a Markdown table, of the kind with pipes.

        Examples
        --------
        >>> shown = table(pd.DataFrame({"p": [0.2]}), "One p")
        >>> print(shown.to_markdown().splitlines()[4])
        | 0.200 |
        """
        return as_markdown(self.sheet())

    def save(self, path: str | Path) -> None:
        """Write the table to a file of the kind that its name ends with, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Ends with .docx or .xlsx (these need the extra ``office``), .tex, .html, .md or .csv.
            Word and LaTeX show the table as journals print it; Excel and CSV hold the numbers
            unrounded.

        Raises
        ------
        TableError
            If the name ends otherwise, a package is missing or the file cannot be written.

        Examples
        --------
        >>> table(pd.DataFrame({"p": [0.2]}), "One p").save("one.jpg")
        Traceback (most recent call last):
        impact.errors.TableError: 'one.jpg' ends with '.jpg': a table is saved as .docx, .xlsx,
        .tex, .html, .md or .csv
        """
        path = as_path(path)
        if (make := _KINDS.get(path.suffix.lower())) is None:
            raise TableError(
                f"{str(path)!r} ends with {path.suffix!r}: a table is saved as "
                f"{formats.list_of(_KINDS, 'or')}"
            )
        write_atomically(path, make(self), TableError)

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write every number unrounded, with the signature as the last column.

        A text that begins with =, +, - or @ has an apostrophe before it: a spreadsheet would take
        it for a formula.

        Parameters
        ----------
        path : str or Path, optional
            File to write; without it the text is returned.

        Examples
        --------
        >>> shown = table(pd.DataFrame({"p": [0.2]}), "One p")
        >>> shown.to_csv()
        'p,signature\\n0.2,\\n'
        """
        frame = self.frame.copy()
        for name in frame.columns[[pd.api.types.is_object_dtype(kind) for kind in frame.dtypes]]:
            frame[name] = [_words(value) for value in frame[name]]
        frame["signature"] = self.signature
        for name in frame.select_dtypes(["object", "str", "category"]):
            frame[name] = frame[name].astype("object").map(no_formula)
        frame.columns = [no_formula(name) for name in frame.columns]
        # pandas writes midnights as dates, and other times whole.
        text = frame.to_csv(index=False, lineterminator="\n")
        if path is None:
            return text
        write_atomically(as_path(path), text, TableError)
        return None


#: What a table is saved as, by the end of the file's name.
_KINDS: dict[str, Callable[[Table], str | bytes]] = {
    ".docx": lambda table: as_docx(table.in_print.sheet()),
    ".xlsx": lambda table: as_xlsx(table.sheet()),
    ".tex": Table.to_latex,
    ".html": lambda table: html_document(table.sheet()),
    ".md": Table.to_markdown,
    ".csv": lambda table: table.to_csv() or "",
}


def _in_unit(column: Column) -> Column:
    """Show as a number in its own unit what else is shown in percent."""
    signed = column.show is _change
    if not (signed or column.show is percentage):
        return column
    return replace(column, show=partial(formats.number, digits=_DIGITS, signed=signed))


def _cell(column: Column, value: object) -> str:
    missing = pd.api.types.is_scalar(value) and pd.isna(value)
    return NONE if missing else in_line(column.show(value))


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
        Decimal fractions, p-values and so on as the library returns them. An index becomes the
        first column, unless it has no name and only numbers the rows.
    title : str
    percent, p : names of columns
        Columns of one's own that hold decimal fractions, shown in percent (with a sign where one
        of them is negative), or p-values.
    notes, signature
        See `Table`; without `signature` the frame's ``attrs["signature"]`` is used.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        If `frame` is none or has no name for each column, or `percent` or `p` names no numbers.

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
        fix = ": use .to_frame()" if isinstance(frame, pd.Series) else ""
        raise TableError(
            f"table() lays out a DataFrame under a title, not a {type(frame).__name__} under "
            f"{title!r}{fix}"
        )
    if frame.index.names == [None] and not pd.api.types.is_integer_dtype(frame.index):
        frame = frame.rename_axis("index")
    names = pd.Index([*filter(None, frame.index.names), *frame.columns])
    if names.has_duplicates or frame.columns.nlevels > 1:
        wrong = [*names[names.duplicated()], names[0]][0]
        raise TableError(f"a table has one column of each name, a text: rename {wrong!r}")
    percent, p, notes = ([each] if isinstance(each, str) else each for each in (percent, p, notes))
    named = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame
    _check_named(named, [*percent, *p])
    shown: dict[str, Callable[[float], str]] = {
        name: partial(_change, signed=bool((named[name] < 0).any())) for name in percent
    }
    shown |= dict.fromkeys(p, formats.p_value)
    columns = tuple(_column(name, named[name], shown.get(name)) for name in named.columns)
    signature = signature or frame.attrs.get("signature", "")
    return Table(named, title, columns, tuple(notes), signature)


def _check_named(frame: pd.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name not in frame or not pd.api.types.is_numeric_dtype(frame[name]):
            known = [str(other) for other in frame if pd.api.types.is_numeric_dtype(frame[other])]
            raise TableError(
                f"{name!r} is not a column of numbers of this table: it has "
                f"{formats.list_of(map(repr, known)) or 'none'}"
            )


def _column(name: str, values: pd.Series, show: Callable[[float], str] | None) -> Column:
    heading = str(name).replace("_", " ")
    if show is not None:
        return Column(name, heading, show)
    if name in KNOWN:
        return KNOWN[name]
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
