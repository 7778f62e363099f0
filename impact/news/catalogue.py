"""load_events(): the catalogue of announcements, validated row by row, and selections from it."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DateError, EventError
from impact.market.files import data_hash, data_path
from impact.market.instants import parse_announced_at
from impact.news.catalogue_rows import Rows, read_rows
from impact.news.own_columns import as_iso, renamed, said, without_empty_columns
from impact.text.formats import counted, iso, list_of, written_number
from impact.text.nearest import nearest, suggestion

#: Columns of a catalogue; only the first two are needed, the others have defaults.
COLUMNS = (
    "id",
    "announced_at",
    "time_basis",
    "not_before",
    "not_after",
    "label",
    "title",
    "summary",
    "direction",
    "counterparty",
    "instrument",
    "rate_before",
    "rate_after",
    "china_dose_pp",
    "status",
    "news",
    "included",
    "primary_source",
    "source_title",
    "source_url",
    "confidence",
    "confounders",
    "tags",
)

#: Directions that raise the tension, that lower it, and that do neither or both.
ESCALATION = ("escalation", "retaliation")
EASING = ("de-escalation", "talks")
DIRECTIONS = (*ESCALATION, *EASING, "legal", "mixed")

TIME_BASES = ("exact", "approximate", "date-only")
LONGEST_LABEL = 28

_FILE = "events.csv"
_NEEDED = ("id", "announced_at")
_RATES = ("rate_before", "rate_after")
_NUMBERS = (*_RATES, "china_dose_pp")
_FLAGS = ("news", "included")
_BOUNDS = ("not_before", "not_after")


def load_events(
    path: str | Path | None = None,
    *,
    counterparty: str | Iterable[str] | None = None,
    direction: str | Iterable[str] | None = None,
    instrument: str | Iterable[str] | None = None,
    status: str | Iterable[str] | None = None,
    tags: str | Iterable[str] | None = None,
    since: str | pd.Timestamp | None = None,
    until: str | pd.Timestamp | None = None,
    included: bool | None = True,
) -> pd.DataFrame:
    """Load a catalogue of announcements, check every row, and select from it.

    Parameters
    ----------
    path : str or Path, optional
        A file of your own with a header: a CSV in UTF-8, or an Excel workbook, whose first sheet
        is read (extra ``office``). It needs the columns ``id`` and ``announced_at`` alone
        (``event`` and ``date`` are read as these, and ``attrs["notes"]`` says so); the others may
        be left out or blank: ``label`` then is the id, ``time_basis`` follows from
        ``announced_at``, ``news`` and ``included`` are yes, rates and dose are NaN, texts are
        blank. ``not_before`` and ``not_after`` bound an announcement whose minute is not known.
        Columns that the catalogue does not have (``security``, for one) are kept as text. By
        default the committed catalogue.
    counterparty, direction, instrument, status, tags : str or list of str, optional
        Keep the rows that hold one of these values; a cell can hold several, joined by ``;``.
    since, until : str or Timestamp, optional
        First and last New York date of the announcements to keep, both included.
    included : bool or None, default True
        True keeps the rows of the main selection, False the candidates that were left out of it,
        None all rows.

    Returns
    -------
    DataFrame, shape (events, 22)
        Indexed by ``id``, in the order of the file. Rates are fractions (0.54 is 54%),
        ``china_dose_pp`` percentage points, ``news`` and ``included`` bool, ``announced_at`` as
        it stands in the file, the rest str ("" for blank). ``attrs`` holds ``source`` and
        ``hash``.

    Raises
    ------
    EventError
        If the file cannot be read, if rows of it break a rule (all are listed, with their
        lines), or if a filter names a value that no row has.
    DateError
        If `since` or `until` cannot be read in one way only.
    DataFileError
        If the committed catalogue has changed.

    Examples
    --------
    >>> events = load_events(counterparty="CN", since="2025-05-01", until="2025-05-05")
    >>> events["label"].to_list()
    ['MOFCOM "evaluating" talks', 'Fentanyl overture (WSJ)']
    """
    if not isinstance(path, str | Path | None):
        raise EventError(f"path={path!r} is not a path: name a CSV or Excel file of events")
    catalogue = _committed(data_hash(_FILE)) if path is None else read_catalogue(Path(path))
    wanted = {
        "counterparty": counterparty,
        "direction": direction,
        "instrument": instrument,
        "status": status,
        "tags": tags,
    }
    keep = _by_included(catalogue, included) & _by_date(catalogue, since, until)
    for column, values in wanted.items():
        if values is not None:
            keep &= _by_member(catalogue[column], values)
    # Selecting copies, attributes included: no caller reaches the cache.
    return catalogue[keep]


@lru_cache(maxsize=2)
def _committed(digest: str) -> pd.DataFrame:
    """Return the committed catalogue; the key makes a changed file read again."""
    catalogue = read_catalogue(data_path(_FILE))
    catalogue.attrs["hash"] = digest
    return catalogue


# -- selecting -----------------------------------------------------------------------------------


def _by_included(catalogue: pd.DataFrame, included: bool | None) -> pd.Series:
    if included is None:
        return pd.Series(True, index=catalogue.index)
    if not isinstance(included, bool | np.bool_):
        raise EventError(
            f"included={included!r} is not known: True for the main selection, False for the "
            "candidates left out of it, None for all"
        )
    return catalogue["included"] == included


def _by_date(catalogue: pd.DataFrame, since: Any, until: Any) -> pd.Series:
    # Every row carries the offset of New York, so its first ten characters are the date there.
    days = catalogue["announced_at"].str[:10]
    first = days.min() if since is None else iso(parse_announced_at(since)[0])
    last = days.max() if until is None else iso(parse_announced_at(until)[0])
    if since is not None and until is not None and first > last:
        raise DateError(f"since={first} lies after until={last}: exchange the two")
    return days.between(first, last)


def _members(cell: str) -> set[str]:
    return {member.strip() for member in cell.split(";")} - {""}


def _by_member(column: pd.Series, values: str | Iterable[str]) -> pd.Series:
    if not isinstance(values, str | Iterable):
        raise EventError(f"{column.name}={values!r} is not a text or a list of texts")
    wanted = [values] if isinstance(values, str) else list(values)
    if not wanted:
        raise EventError(f"{column.name}=[] selects nothing: leave it out for all rows")
    members = column.map(_members)
    known = sorted(set().union(*members))
    for value in wanted:
        if value not in known:
            fix = f"use {suggestion(value, known, len(known))}" if known else "the column is blank"
            raise EventError(f"no event has {column.name}={value!r}: {fix}")
    return members.map(lambda cell: not cell.isdisjoint(wanted)).astype(bool)


# -- reading and checking ------------------------------------------------------------------------


def read_catalogue(path: Path) -> pd.DataFrame:
    """Read a catalogue file and check every row; all problems are reported at once."""
    content, rows = read_rows(path)
    header, rows, notes = _split(rows, path.name)
    wrong = [(line, each) for line, fields in rows for each in _row_problems(header, fields)]
    wrong = sorted([*wrong, *_repeated_ids(header, rows)], key=itemgetter(0))
    if wrong:
        listed = "\n  ".join(f"line {line}: {problem}" for line, problem in wrong)
        raise EventError(f"{path.name} has {counted(len(wrong), 'problem')}:\n  {listed}")
    catalogue = _typed(header, [fields for _, fields in rows])
    catalogue.attrs = {"source": path.name, "hash": hashlib.sha256(content).hexdigest()[:12]}
    if notes:
        catalogue.attrs["notes"] = notes
    return catalogue


def _split(rows: Rows, name: str) -> tuple[list[str], Rows, tuple[str, ...]]:
    """Return the header, the rows below it, and what was renamed."""
    if not rows:
        raise EventError(f"{name} is empty: it needs the columns {list_of(_NEEDED)}")
    rows = without_empty_columns(rows)
    header = rows.pop(0)[1]
    names = renamed(header)
    header = [names.get(column, column) for column in header]
    _check_header(header, name)
    if not rows:
        raise EventError(f"{name} has a header and no events")
    _write_dates_in_iso(header, rows)
    return header, rows, (said(names),) if names else ()


def _write_dates_in_iso(header: list[str], rows: Rows) -> None:
    """Turn written months, and the midnights that a spreadsheet adds, into dates, in place."""
    where = header.index("announced_at")
    whole = [fields for _, fields in rows if len(fields) == len(header)]
    basis = header.index("time_basis") if "time_basis" in header else None
    if basis is not None and any(fields[basis] in TIME_BASES[:2] for fields in whole):
        return
    for fields, text in zip(whole, as_iso([fields[where] for fields in whole]), strict=True):
        fields[where] = text


def _check_header(header: list[str], name: str) -> None:
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        hint = ": separate the columns by commas" if header[0].count(";") else ""
        raise EventError(
            f"{name} has no column {list_of(map(repr, missing), 'or')}; "
            f"its header is {', '.join(header)}{hint}"
        )
    if len(set(header)) < len(header):
        twice = next(column for column in header if header.count(column) > 1)
        raise EventError(f"{name} has two columns {twice!r}: keep one")
    if "" in header:
        raise EventError(f"column {header.index('') + 1} of {name} has no name in the header")
    for column in set(header) - set(COLUMNS):
        # A misspelt column would otherwise be kept as an extra one, and the default be used.
        for meant in nearest(column, COLUMNS, 1, cutoff=0.8):
            if meant not in header:
                raise EventError(f"{name} has a column {column!r}: did you mean {meant!r}?")


def _repeated_ids(header: list[str], rows: Rows) -> list[tuple[int, str]]:
    where = header.index("id")
    first: dict[str, int] = {}
    problems = []
    for line, fields in rows:
        name = fields[where] if where < len(fields) else ""
        if name and first.setdefault(name, line) != line:
            problems.append((line, f"the id {name!r} already stands on line {first[name]}"))
    return problems


def _row_problems(header: list[str], fields: list[str]) -> list[str]:
    if len(fields) != len(header):
        return [
            f"{counted(len(fields), 'field')} where the header has {len(header)}: "
            "put texts with a comma in quotation marks"
        ]
    row = dict(zip(header, fields, strict=True))
    problems = [] if row["id"] else ["the id is empty"]
    problems += _time_problems(row["announced_at"], row.get("time_basis", ""))
    problems += _bound_problems(row)
    if len(label := row.get("label", "")) > LONGEST_LABEL:
        problems.append(
            f"the label {label!r} has {len(label)} characters, {LONGEST_LABEL} are allowed"
        )
    if (direction := row.get("direction", "")) and direction not in DIRECTIONS:
        problems.append(unknown_direction(direction))
    for column in _NUMBERS:
        problems += _number_problems(column, row.get(column, ""))
    for column in _FLAGS:
        if row.get(column, "") not in ("", "yes", "no"):
            problems.append(f"{column} is {row[column]!r}: write yes or no")
    return problems


def unknown_direction(direction: object) -> str:
    """Return what is wrong with a direction that is none, and the known ones."""
    return f"the direction {direction!r} is unknown: use {list_of(DIRECTIONS, 'or')}"


def _time_problems(text: str, basis: str) -> list[str]:
    problems = []
    if basis and basis not in TIME_BASES:
        problems.append(f"time_basis is {basis!r}: use {list_of(TIME_BASES, 'or')}")
    try:
        instant, date_only = parse_announced_at(text)
    except DateError as error:
        return [*problems, str(error)]
    given = pd.Timestamp(text).utcoffset()
    if given is not None and given != instant.utcoffset():
        problems.append(f"{text} does not have New York's offset: write {instant.isoformat()}")
    if basis in TIME_BASES and (basis == "date-only") != date_only:
        has = "no time of day" if date_only else "a time of day"
        fits = "date-only" if date_only else "exact or approximate"
        problems.append(
            f"{text} has {has}, yet time_basis is {basis!r}: write {fits}, or change the time"
        )
    return problems


def _bound_problems(row: dict[str, str]) -> list[str]:
    """What is wrong with the instants between which an announcement came out."""
    problems, read = [], {}
    given = {name: row[name] for name in _BOUNDS if row.get(name, "")}
    for name, text in given.items():
        try:
            instant, date_only = parse_announced_at(text)
        except DateError as error:
            problems.append(f"{name}: {error}")
            continue
        if date_only:
            problems.append(
                f"{name} {text} has no time of day: write {text}T09:30, or leave it out"
            )
            continue
        read[name] = instant
    with contextlib.suppress(DateError):  # it is reported by itself
        instant, date_only = parse_announced_at(row["announced_at"])
        if not date_only and row.get("time_basis", "") != "date-only":
            read["announced_at"] = instant
    order = [name for name in ("not_before", "announced_at", "not_after") if name in read]
    for early, late in itertools.pairwise(order):
        if read[early] > read[late]:
            problems.append(f"{early} {row[early]} lies after {late} {row[late]}: exchange them")
    return problems


def _number_problems(column: str, text: str) -> list[str]:
    try:
        value = written_number(text or "0")
    except ValueError:
        return [f"{column} is {text!r}, which is not a number"]
    if not np.isfinite(value):
        return [f"{column} is {text!r}, which is not a finite number: leave it blank"]
    if column in _RATES and not 0 <= value < 10:
        return [f"{column} is {text!r}, which is not a fraction: 145% is 1.45"]
    return []


def _typed(header: list[str], rows: list[list[str]]) -> pd.DataFrame:
    """Return the checked rows with the dtypes of a catalogue, blanks filled with defaults."""
    given = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    blank = [""] * len(rows)
    cells = {column: given.get(column, blank) for column in (*COLUMNS, *given)}
    labels = zip(cells["id"], cells["label"], strict=True)
    cells["label"] = [label or _short(name) for name, label in labels]
    bounds = zip(cells["not_before"], cells["not_after"], strict=True)
    bases = zip(cells["announced_at"], cells["time_basis"], map(all, bounds), strict=True)
    cells["time_basis"] = [basis or _basis(time, bounded) for time, basis, bounded in bases]
    frame = pd.DataFrame(cells, dtype="str")
    for column in _NUMBERS:
        frame[column] = [float(text) if text else np.nan for text in cells[column]]
    for column in _FLAGS:
        frame[column] = [text != "no" for text in cells[column]]
    return frame.set_index("id")


def _basis(announced_at: str, bounded: bool) -> str:
    if len(announced_at) == len("2025-04-02"):
        return "date-only"
    return "approximate" if bounded else "exact"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"
