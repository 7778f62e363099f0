"""Results as text, HTML, LaTeX and CSV, in the look of a journal table.

A table signs itself: what it was computed with stands below it. It holds no clock time, so a
rerun shows no difference. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from impact.text import formats
from impact.text.typeset import NONE, as_html, as_latex, as_text

#: A level of this size decides where two tests "disagree".
LEVEL = 0.05

#: So many rows on which the tests disagree are named; the others are counted.
_NAMED = 4

_STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_SERIES = {"^GSPC": "S&P 500"}


def series_name(name: object) -> str:
    """Return what a column of returns is called in a text.

    Examples
    --------
    >>> series_name("^GSPC"), series_name("XLK")
    ('S&P 500', 'XLK')
    """
    return _SERIES.get(str(name), str(name))


@dataclass(frozen=True)
class Column:
    """How one column of a table looks.

    Attributes
    ----------
    name : str
        Column of the frame.
    heading : str
        What stands above it.
    show : callable
        From a value to its text; missing values do not reach it.
    group : str
        Heading over several neighbouring columns, "" for none.
    is_text : bool
        Set to the left; numbers are set to the right.
    """

    name: str
    heading: str
    show: Callable[[object], str] = str
    group: str = ""
    is_text: bool = False


def _percent(value: float) -> str:
    return formats.percent(value, signed=False)


def _change(value: float) -> str:
    return formats.percent(value)


def _words(value) -> str:
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
        Column("std_error", "std. error", _percent),
        Column("sigma", SIGMA, _percent),
        Column("ci_low", "95% from", _change),
        Column("ci_high", "to", _change),
        Column("statistic", "statistic", formats.number),
        Column("p_value", "p", formats.p_value),
        Column("p", "p", formats.p_value),
        Column("smallest_detectable", "detectable", _percent),
    )
}

_TEXTBOOK = (
    Column("std_error", "std. error", _percent, "textbook"),
    Column("statistic", "t", formats.number, "textbook"),
    Column("p_textbook", "p", formats.p_value, "textbook"),
)
_CONDITIONAL = (
    Column("sigma_conditional", SIGMA, _percent, "conditional"),
    Column("z_conditional", "z", formats.number, "conditional"),
    Column("p_conditional", "p", formats.p_value, "conditional"),
)
_IMPLIED = (
    Column("sigma_implied", SIGMA, _percent, "implied"),
    Column("p_implied", "p", formats.p_value, "implied"),
)


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

    Examples
    --------
    >>> frame = pd.DataFrame({"test": ["sign"], "statistic": [1.2], "p_value": [0.23]})
    >>> print(frame_table(frame, "One test", signature="made up"))
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

    @property
    def below(self) -> tuple[str, ...]:
        """What stands under the table: the notes, then the signature."""
        stars = f"* p < 0.10, ** p < 0.05, *** p < 0.01, by {self.stars}." if self.stars else ""
        return tuple(line for line in (*self.notes, stars, self.signature) if line)

    def cells(self, rows: int | None = None) -> list[list[str]]:
        """Return the texts of the first `rows` rows (of all if None)."""
        part = self.frame if rows is None else self.frame.iloc[:rows]
        shown = [[_cell(column, value) for value in part[column.name]] for column in self.columns]
        if self.stars:
            first = next(i for i, column in enumerate(self.columns) if not column.is_text)
            marks = [_stars(p) for p in part[self.stars]]
            shown[first] = [a + b.ljust(3) for a, b in zip(shown[first], marks, strict=True)]
        return [list(row) for row in zip(*shown, strict=True)]

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def to_latex(self) -> str:
        """Return a LaTeX table for the booktabs package."""
        return as_latex(self)

    def to_csv(self, path: str | Path | None = None) -> str | None:
        """Write every number unrounded, with the signature as the last column.

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
        text = frame.to_csv(
            index=False, lineterminator="\n", float_format="%.10g", date_format="%Y-%m-%d"
        )
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8", newline="\n")
        return None


def _cell(column: Column, value) -> str:
    missing = not isinstance(value, tuple) and pd.isna(value)
    return NONE if missing else column.show(value)


def _stars(p: float) -> str:
    return next((mark for level, mark in _STARS if p < level), "")


# -- tables of results ---------------------------------------------------------------------------


def frame_table(
    frame: pd.DataFrame, title: str, *, notes: Iterable[str] = (), signature: str = ""
) -> Table:
    """Lay out any frame of this library, by the names of its columns.

    Parameters
    ----------
    frame : DataFrame
        Fractions, p-values and so on as the library returns them. A named index becomes the first
        column.
    title, notes, signature
        See `Table`; without `signature` the frame's ``attrs["signature"]`` is used.

    Returns
    -------
    Table
    """
    named = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame
    columns = tuple(KNOWN.get(name) or _guess(name, named[name]) for name in named.columns)
    signature = signature or frame.attrs.get("signature", "")
    return Table(named, title, columns, tuple(notes), signature)


def _guess(name: str, values: pd.Series) -> Column:
    heading = str(name).replace("_", " ")
    if pd.api.types.is_bool_dtype(values):
        return Column(name, heading, lambda value: "yes" if value else "no", is_text=True)
    if pd.api.types.is_datetime64_any_dtype(values):
        return Column(name, heading, formats.iso, is_text=True)
    if pd.api.types.is_integer_dtype(values):
        return Column(name, heading, lambda value: formats.number(value, 0))
    if str(name).startswith("p_"):
        return Column(name, heading, formats.p_value)
    if pd.api.types.is_numeric_dtype(values):
        return Column(name, heading, formats.number)
    return Column(name, heading, _words, is_text=True)


def study_table(study, start: int = 0, end: int | None = None, *, stars: bool = False) -> Table:
    """Lay out the cumulative abnormal returns of a study, textbook and conditional side by side.

    Parameters
    ----------
    study : EventStudy
    start, end : int
        Window, relative sessions, both included; `end` defaults to `start`.
    stars : bool
        Mark the estimates by the conditional p, or by the textbook p where there is none.

    Returns
    -------
    Table
        With a sentence on where the two tests disagree at 5%.

    Raises
    ------
    WindowError
        If the window is reversed or reaches outside the study's event window.
    """
    car = study.car(start, end)
    has = "p_conditional" in car
    columns = [KNOWN["label"], KNOWN["session"]]
    frame = car.reset_index()
    if "security" in frame:
        columns.insert(1, KNOWN["security"])
    columns += [KNOWN["estimate"], *_TEXTBOOK]
    if has:
        columns += _CONDITIONAL
        if car["p_implied"].notna().any():
            columns += _IMPLIED
        columns.append(KNOWN["smallest_detectable"])
    signature = study.signature(start, end)
    table = Table(
        frame, _study_title(study, start, end), tuple(columns), _study_notes(car, has), signature
    )
    return replace(table, stars="p_conditional" if has else "p_textbook") if stars else table


def _study_title(study, start: int, end: int | None) -> str:
    what = "Abnormal return" if end in (None, start) else "Cumulative abnormal return"
    when = f"session {start}" if end in (None, start) else f"sessions {start} to {end}"
    names = study.returns.columns
    if len(names) > 1:
        return f"{what}, {when}, {formats.counted(len(names), 'series', 'series')}"
    return f"{what}, {when}, {series_name(names[0])}"


def _study_notes(car: pd.DataFrame, has_conditional: bool) -> tuple[str, ...]:
    textbook = "Textbook: prediction t-test with the average variance of the estimation window."
    if not has_conditional:
        return (textbook,)
    notes = [
        textbook,
        "Conditional: variance forecast on the eve, equal-tailed p from past standardised returns;"
        " detectable: the smallest move found with 80% power at 5%.",
        disagreement(car),
    ]
    if car["p_implied"].notna().any():
        notes.insert(2, "Implied: variance from the volatility index of the eve, calibrated.")
    shown = ["p_conditional"]
    if car[shown].isna().any(axis=None):
        notes.append(f"{NONE} stands for: not available, the history before it is too short.")
    return tuple(notes)


def disagreement(car: pd.DataFrame) -> str:
    """Say in words where the textbook and the conditional test disagree at 5%.

    Parameters
    ----------
    car : DataFrame
        As `EventStudy.car` gives it, with `label`, `session`, `p_textbook`, `p_conditional`.

    Examples
    --------
    >>> car = pd.DataFrame({"label": ["Truce"], "session": [pd.Timestamp("2025-05-12")],
    ...                     "p_textbook": [0.2], "p_conditional": [0.2]})
    >>> disagreement(car)
    'The textbook and the conditional test agree at 5% in every row.'
    """
    known = car[car[["p_textbook", "p_conditional"]].notna().all(axis=1)]
    if known.empty:
        return ""
    apart = known[(known["p_textbook"] < LEVEL) != (known["p_conditional"] < LEVEL)]
    if apart.empty:
        return "The textbook and the conditional test agree at 5% in every row."
    size = np.abs(np.log(apart["p_textbook"] / apart["p_conditional"]))
    widest = apart.loc[size.sort_values(ascending=False, kind="stable").index[:_NAMED]]
    named = [
        f"{row.label} ({formats.date(row.session)}: textbook {formats.p_phrase(row.p_textbook)}, "
        f"conditional {formats.p_phrase(row.p_conditional)})"
        for row in widest.itertuples()
    ]
    if len(apart) == len(widest):
        return f"The two tests disagree at 5% on {formats.list_of(named)}."
    return (
        f"The two tests disagree at 5% on {len(apart)} of {len(known)} rows, most on "
        f"{formats.list_of(named)}."
    )
