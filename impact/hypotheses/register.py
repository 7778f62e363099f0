"""load_register(): the hypotheses that are tested, checked row by row.

The register is the family over which multiple testing is corrected: what is not in it is not
evaluated, and what is in it is reported whatever comes out.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from datetime import date as calendar_date
from pathlib import Path

import numpy as np
import pandas as pd

from impact.errors import HypothesisError
from impact.inference.event_sets import SIDES
from impact.market.files import data_hash, data_path
from impact.news.catalogue import DIRECTIONS, EASING, ESCALATION
from impact.news.uncertainty import RANKED_BY
from impact.text.files import read_whole
from impact.text.formats import counted, list_of
from impact.text.nearest import suggestion

#: What is done with the sessions of a group (and of the one it is held against).
STATISTICS = ("mean", "difference", "equivalence", "slope", "variance")

#: Where the events come from: the catalogue, or days chosen by `impact.uncertainty_days`.
CATALOGUE = "catalogue"
SOURCES = (CATALOGUE, *(f"uncertainty-{of}" for of in RANKED_BY))

#: Columns that select a group's announcements; with ``against_`` before them, the second group's.
FILTERS = ("direction", "counterparty", "status", "since", "until")
AGAINST = "against_"

COLUMNS = (
    "id",
    "claim",
    "statistic",
    "side",
    "start",
    "end",
    "margin",
    "events",
    "direction",
    "counterparty",
    "status",
    "taken_back",
    "since",
    "until",
    *(f"{AGAINST}{name}" for name in FILTERS),
    "registered",
)

#: Which way an announcement points.
POINTS = {
    **dict.fromkeys(ESCALATION, "up"),
    **dict.fromkeys(EASING, "down"),
    "legal": "law",
    "mixed": "both",
}

_FILE = "hypotheses.csv"
_DATES = ("since", "until", f"{AGAINST}since", f"{AGAINST}until", "registered")


def load_register(path: str | Path | None = None) -> pd.DataFrame:
    """Load the register of hypotheses and check every row.

    Parameters
    ----------
    path : str or Path, optional
        A CSV with the columns of the committed register, which is read by default.

    Returns
    -------
    DataFrame, shape (hypotheses, 19)
        Indexed by ``id``. ``claim`` is one sentence; ``statistic`` "mean", "difference",
        "equivalence", "slope" or "variance"; ``side`` what speaks for the claim; ``start``,
        ``end`` the window in relative sessions; ``margin`` a decimal fraction (equivalence alone);
        ``events`` "catalogue", or "uncertainty-level" and "uncertainty-rise" for the fifty days
        of `impact.uncertainty_days`, from ``since`` to ``until`` and without other filters;
        ``direction``, ``counterparty``, ``status`` (``;``-separated), ``since``, ``until`` and
        ``taken_back`` ("yes") select the group, the columns with ``against_`` the group that it
        is compared with; ``registered`` is an ISO date. "" stands for no restriction.
        ``.attrs`` holds `source` and `hash`, and the `path` of a register of one's own.

    Raises
    ------
    HypothesisError
        If the file cannot be read or rows break a rule; all are named.
    DataFileError
        If the committed register has changed.

    Examples
    --------
    >>> load_register().loc["talks-raise", "claim"]
    'Talks with China raised the index.'
    """
    if not isinstance(path, str | Path | None):
        raise HypothesisError(f"path={path!r} is not a path: name the CSV of a register")
    source = data_path(_FILE) if path is None else Path(path)
    text, digest = _read(source)
    problems = [
        f"{row['id'] or 'a row without id'}: {problem}"
        for _, row in text.iterrows()
        for problem in _problems(row)
    ]
    problems += [f"{name}: the id comes twice" for name in text["id"][text["id"].duplicated()]]
    if problems:
        raise HypothesisError(
            f"{source.name} has {counted(len(problems), 'problem')}: {'; '.join(problems)}"
        )
    register = text.set_index("id")
    register["margin"] = [float(cell) if cell else np.nan for cell in register["margin"]]
    register = register.astype({"start": int, "end": int})
    register.attrs = {"source": source.name, "hash": digest}
    if path is not None and digest != data_hash(_FILE):
        register.attrs["path"] = str(source.resolve())
    return register


def whole_register(register: str | Path | pd.DataFrame | None) -> pd.DataFrame:
    """Return the register of a file, or a frame of `load_register` that is still all of it.

    HypothesisError as `load_register`, and if rows of the frame are not those of its file: the
    register is the family that is corrected for, and cannot be shrunk or grown after it was
    written.
    """
    if register is None or isinstance(register, str | Path):
        return load_register(register)
    if not isinstance(register, pd.DataFrame):
        raise HypothesisError(
            f"a register of type {type(register).__name__} cannot be read: give the path of a "
            "file, or load_register(path); returns are given by name, returns="
        )
    whole = load_register(register.attrs.get("path"))
    for name in register.index:
        if name not in whole.index:
            raise HypothesisError(not_registered(name, whole.index, whole.attrs["source"]))
        if not register.loc[name].equals(whole.loc[name]):
            raise HypothesisError(
                f"{name!r} stands otherwise in the register: evaluate it as it was registered"
            )
    missing = whole.index.difference(register.index)
    if len(missing):
        raise HypothesisError(
            f"{missing[0]!r} is registered and left out: evaluate the whole register, because "
            "it is the family that is corrected for"
        )
    return whole.loc[register.index]


def not_registered(name: object, known: Iterable[str], source: str) -> str:
    """Say that a hypothesis is not in the register, and which are spelt like it."""
    return (
        f"{name!r} is not in the register, so it is not evaluated: register it in "
        f"{source} first, or use {suggestion(name, known)}"
    )


def _read(source: Path) -> tuple[pd.DataFrame, str]:
    """Return the cells of a register as text, and the hash of its file."""
    content = read_whole(source, HypothesisError, "the register ")
    try:
        # Spreadsheets put a byte order mark in front of UTF-8.
        text = pd.read_csv(
            io.StringIO(content.decode("utf-8-sig")), dtype="str", keep_default_na=False
        )
    except ValueError as error:
        raise HypothesisError(f"{source.name} is not CSV in UTF-8: {error}") from error
    if tuple(text.columns) != COLUMNS:
        raise HypothesisError(
            f"the header of {source.name} is {', '.join(text.columns)}: write {', '.join(COLUMNS)}"
        )
    if not isinstance(text.index, pd.RangeIndex):
        raise HypothesisError(f"rows of {source.name} have more fields than its header")
    if text.empty:
        raise HypothesisError(f"{source.name} has a header and no hypotheses")
    return text.fillna(""), hashlib.sha256(content).hexdigest()[:12]


def _problems(row: pd.Series) -> list[str]:
    found = [f"{name} is blank" for name in ("id", "claim") if not row[name]]
    words = {"statistic": STATISTICS, "side": SIDES, "events": SOURCES, "taken_back": ("", "yes")}
    for name, known in words.items():
        if row[name] not in known:
            found.append(f"{name} is {row[name]!r}: write {list_of(map(repr, known), 'or')}")
    if not row["claim"].endswith("."):
        found.append("the claim is not a sentence: end it with a full stop")
    for name in _DATES:
        if row[name] and not _is_date(row[name]):
            found.append(f"{name} is {row[name]!r}: write an ISO date such as 2025-01-01")
    if not row["registered"]:
        found.append("registered is blank: write the day on which it was registered")
    return found + _window_problems(row) + _group_problems(row)


def _is_date(text: str) -> bool:
    try:
        return calendar_date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _window_problems(row: pd.Series) -> list[str]:
    found = []
    try:
        start, end = int(row["start"]), int(row["end"])
    except ValueError:
        return [f"the window {row['start']!r} to {row['end']!r} is not two whole numbers"]
    if start > end:
        found.append(f"the window {start} to {end} is reversed")
    if row["statistic"] in ("mean", "difference", "variance") and (start, end) != (0, 0):
        # Windows of several sessions overlap, and then clusters share returns.
        found.append(f"the window {start} to {end} is not 0 to 0, which clusters need")
    if (row["statistic"] == "equivalence") != bool(row["margin"]):
        found.append("a margin belongs to equivalence, and equivalence to a margin")
    elif row["margin"] and not _is_positive(row["margin"]):
        found.append(f"margin is {row['margin']!r}: write a positive decimal fraction")
    return found


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < np.inf
    except ValueError:
        return False


def _group_problems(row: pd.Series) -> list[str]:
    if row["events"] != CATALOGUE:
        return _uncertainty_problems(row)
    found = []
    against = any(row[f"{AGAINST}{name}"] for name in FILTERS)
    if against != (row["statistic"] == "difference"):
        found.append("a second group belongs to a difference, and a difference to a second group")
    for name in ("direction", f"{AGAINST}direction"):
        words = row[name].split(";") if row[name] else []
        unknown = [word for word in words if word not in DIRECTIONS]
        if unknown:
            found.append(f"{name} is {unknown[0]!r}: write {list_of(DIRECTIONS, 'or')}")
        elif len({POINTS[word] for word in words}) > 1:
            found.append(f"{name} is {row[name]!r}, which points more than one way")
    if row["statistic"] == "variance":
        return found + _variance_problems(row)
    if not row["direction"] and row["statistic"] != "slope":
        found.append("direction is blank: a slope and a variance alone take every direction")
    return found


def _variance_problems(row: pd.Series) -> list[str]:
    found = [
        f"{name} is blank: a variance is compared within a period"
        for name in ("since", "until")
        if not row[name]
    ]
    if row["side"] != "greater":
        found.append(f"side is {row['side']!r}: news adds to a variance, write 'greater'")
    for name in ("direction", "taken_back"):
        if row[name]:
            found.append(f"{name} is {row[name]!r}: a variance has no direction, leave it blank")
    return found


def _uncertainty_problems(row: pd.Series) -> list[str]:
    found = []
    if row["statistic"] != "mean":
        found.append("days chosen by uncertainty have a mean and nothing else: write 'mean'")
    filters = ("direction", "counterparty", "status", "taken_back")
    for name in (*filters, *(f"{AGAINST}{name}" for name in FILTERS)):
        if row[name]:
            found.append(f"{name} is {row[name]!r}, a filter of the catalogue: leave it blank")
    return found
