"""Refresh the committed prices: ``python -m impact.market.yahoo.snapshots [--force] [DIRECTORY]``.

Committed rows stay byte for byte; what Yahoo Finance has after them is added. Where it contradicts
them the difference is shown, and taken over with ``--force`` only. Every file is written and
checked in full before the first one takes its place.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import ChangedData, DataFileError, ImpactError
from impact.market.files import accept_changes, data_path
from impact.market.instants import NEW_YORK
from impact.market.prices import (
    ETF_JUMP,
    INDEX,
    INDEX_JUMP,
    SECTORS,
    VIX,
    VIX_JUMP,
    VIX_LEVELS,
    read_closes,
)
from impact.market.yahoo.cache import write_atomically
from impact.market.yahoo.merge import changed_sessions, complete
from impact.market.yahoo.refresh import ROUNDING, Request, ask_politely, new_request
from impact.text.formats import counted, iso, list_of, number, percent

#: Changed closes of a file that are shown one by one.
SHOWN = 20
_SPAN = re.compile(r"\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}, [\d,]+ rows")


@dataclass(frozen=True)
class Snapshot:
    """A committed file of closes: its name, the ticker behind each column, the rules of its rows.

    Attributes
    ----------
    name : str
        Name of the file.
    tickers : dict
        Ticker by column.
    jump : float
        Largest |log change| from one close to the next.
    limits : tuple of float or None
        Lowest and highest level.
    """

    name: str
    tickers: dict[str, str]
    jump: float
    limits: tuple[float, float] | None = None

    def read(self, directory: Path) -> pd.DataFrame:
        """Return the rows of the file in a directory; DataFileError when they break a rule."""
        path = directory / self.name
        return read_closes(path, list(self.tickers), jump=self.jump, limits=self.limits)


SNAPSHOTS = (
    Snapshot("sp500.csv", {"close": INDEX}, INDEX_JUMP),
    Snapshot("sectors.csv", {ticker: ticker for ticker in SECTORS}, ETF_JUMP),
    Snapshot("vix.csv", {"close": VIX}, VIX_JUMP, VIX_LEVELS),
)


@dataclass(frozen=True)
class Difference:
    """What a refresh makes of one file.

    Attributes
    ----------
    snapshot : Snapshot
        The file.
    table : DataFrame
        Its rows after the refresh.
    added : DatetimeIndex
        The new sessions.
    changed : list of str
        One line for each committed close that Yahoo contradicts.
    notes : list of str
        What else a person should know.
    """

    snapshot: Snapshot
    table: pd.DataFrame
    added: pd.DatetimeIndex
    changed: list[str]
    notes: list[str]

    def lines(self) -> list[str]:
        """Return the difference as people read it."""
        new = "no new row"
        if len(self.added):
            span = f"{iso(self.added[0])} to {iso(self.added[-1])}"
            new = f"{counted(len(self.added), 'new row')}, {span}"
        changed = counted(len(self.changed), "close") if self.changed else "no close"
        hidden = len(self.changed) - SHOWN
        return [
            f"{self.snapshot.name}: {new}; {changed} changed",
            *(f"  {line}" for line in self.changed[:SHOWN]),
            *([f"  and {hidden:,} more"] if hidden > 0 else []),
            *(f"  {note}" for note in self.notes),
        ]


def compare(directory: Path, *, now: pd.Timestamp, client: Any = None) -> list[Difference]:
    """Ask Yahoo for the closes of every snapshot and return what differs; writes nothing.

    Parameters
    ----------
    directory : Path
        Holds the data files.
    now : Timestamp
        The present, with a time zone.
    client : curl_cffi session, optional
        The connection; by default the one of the process.

    Raises
    ------
    DataFileError
        When a data file is not the one that was accepted.
    Offline, RateLimited, Refused, NoData, BadData
        When the closes of a ticker cannot be had, or cannot be right.
    """
    for path in sorted(directory.glob("*.csv")):
        data_path(path.name, directory)
    tables = [snapshot.read(directory) for snapshot in SNAPSHOTS]
    first = min(table.index[0] for table in tables)
    request = new_request(first, None, now=now, cache=False, client=client)
    return [
        _difference(snapshot, table, request)
        for snapshot, table in zip(SNAPSHOTS, tables, strict=True)
    ]


def _difference(snapshot: Snapshot, table: pd.DataFrame, request: Request) -> Difference:
    columns, changed, notes = {}, [], []
    for column, ticker in snapshot.tickers.items():
        old = table[column]
        quotes = ask_politely(ticker, old.index[0], request)
        days = changed_sessions(quotes.closes, old, adjusted=quotes.adjusted, rounding=ROUNDING)
        closes, said = complete(
            ticker, quotes.closes, old, request.sessions, adjusted=quotes.adjusted
        )
        changed += _changes(ticker, old, closes, days, quotes.adjusted)
        notes += [f"{ticker}: {note}" for note in said]
        columns[column] = closes if len(days) else _continued(old, closes, quotes.adjusted)
    after = pd.concat(columns, axis=1, join="inner").rename_axis("date").round(2)
    return Difference(snapshot, after, after.index.difference(table.index), changed, notes)


def _continued(old: pd.Series, closes: pd.Series, adjusted: bool) -> pd.Series:
    """Return the committed closes, then the new ones on their level.

    A dividend rescales every adjusted close of the past. Here it is the new ones that are
    rescaled, so that committed rows stay as they are and returns are the same.
    """
    last = old.index[-1]
    level = old[last] / closes[last] if adjusted else 1.0
    return pd.concat([old, level * closes[closes.index > last]])


def _changes(
    ticker: str, old: pd.Series, new: pd.Series, days: pd.DatetimeIndex, adjusted: bool
) -> list[str]:
    """Return a line for each changed close; of adjusted closes only the changes compare."""
    if adjusted:
        before, after = old.pct_change(), new.pct_change()
        return [
            f"{iso(day)} {ticker}: change of the day {percent(before[day])} -> "
            f"{percent(after[day])}"
            for day in days
        ]
    return [f"{iso(day)} {ticker}: {number(old[day])} -> {number(new[day])}" for day in days]


def replace(directory: Path, differences: Sequence[Difference], *, force: bool) -> list[str]:
    """Replace the files that a refresh changes, their checksums and their dates: all or none.

    Parameters
    ----------
    directory : Path
        Holds the data files.
    differences : sequence of Difference
        From `compare`.
    force : bool
        Take Yahoo's word where it contradicts committed closes.

    Returns
    -------
    list of str
        Names of the data files that were replaced.

    Raises
    ------
    ChangedData
        When committed closes would change and `force` is False.
    DataFileError
        When the new rows break a rule, or cannot be written.
    """
    contradicted = [one.snapshot.name for one in differences if one.changed]
    if contradicted and not force:
        raise ChangedData(
            f"Yahoo Finance contradicts committed closes in {list_of(contradicted)}: nothing was "
            "replaced; to take its word run make data FORCE=1"
        )
    due = [one for one in differences if one.changed or len(one.added)]
    if not due:
        return []
    try:
        with tempfile.TemporaryDirectory(prefix=".refresh-", dir=directory) as staging:
            _put_in_place(directory, Path(staging), _staged(directory, Path(staging), due))
    except OSError as error:
        raise DataFileError(
            f"{directory} cannot be written ({error.strerror}): make room or ask for access"
        ) from error
    return [one.snapshot.name for one in due]


def _staged(directory: Path, staging: Path, due: Sequence[Difference]) -> list[str]:
    """Write and check every file in full in `staging`, and return the names of those that changed.

    The checksums come last: a refresh that is killed between two renames is found out by them.
    """
    for path in directory.iterdir():
        if path.is_file():
            shutil.copy2(path, staging)
    readme = (staging / "README.md").read_text(encoding="utf-8")
    for one in due:
        name = one.snapshot.name
        text = one.table.to_csv(float_format="%.2f", date_format="%Y-%m-%d", lineterminator="\n")
        write_atomically(staging / name, text.encode())
        written = one.snapshot.read(staging)
        if not np.array_equal(written.to_numpy(), one.table.to_numpy()):
            raise DataFileError(f"{name} does not read as it was written: try again")
        readme = _dated(readme, name, written)
    write_atomically(staging / "README.md", readme.encode())
    accept_changes(staging)
    return [*(one.snapshot.name for one in due), "README.md", "SHA256SUMS"]


def _put_in_place(directory: Path, staging: Path, names: Sequence[str]) -> None:
    """Rename files out of `staging`; when one cannot be, put the old ones back."""
    old, done = staging / "old", []
    old.mkdir()
    # Copied beforehand: putting them back needs no room on the disk.
    for name in names:
        shutil.copy2(directory / name, old)
    try:
        for name in names:
            os.replace(staging / name, directory / name)
            done.append(name)
    except OSError:
        for name in done:
            os.replace(old / name, directory / name)
        raise


def _dated(readme: str, name: str, table: pd.DataFrame) -> str:
    """Return the data dictionary with the span and the number of rows of one file as they are."""
    lines = readme.split("\n")
    span = f"{iso(table.index[0])}..{iso(table.index[-1])}, {counted(len(table), 'row')}"
    rows = [i for i, line in enumerate(lines) if line.startswith(f"| `{name}` |")]
    if len(rows) != 1 or len(_SPAN.findall(lines[rows[0]])) != 1:
        raise DataFileError(
            f"README.md does not give the span of {name} once: write it like '{span}'"
        )
    lines[rows[0]] = _SPAN.sub(span, lines[rows[0]])
    return "\n".join(lines)


def main(arguments: Sequence[str], *, now: pd.Timestamp | None = None, client: Any = None) -> int:
    """Refresh the committed prices, say what differs, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m impact.market.yahoo.snapshots", description="Refresh the committed prices."
    )
    parser.add_argument("--force", action="store_true", help="take over changed closes as well")
    parser.add_argument(
        "directory", nargs="?", type=Path, default=Path(__file__).parents[3] / "data"
    )
    options = parser.parse_args(arguments)
    now = pd.Timestamp.now(NEW_YORK) if now is None else now
    try:
        differences = compare(options.directory, now=now, client=client)
        print("\n".join(line for one in differences for line in one.lines()))
        replaced = replace(options.directory, differences, force=options.force)
    except ImpactError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{counted(len(replaced), 'file')} replaced{': ' if replaced else ''}{list_of(replaced)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
