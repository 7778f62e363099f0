"""Refresh the committed prices: ``python -m impact data``, or ``make data``.

A close that is there stays as it is written; where Yahoo Finance says otherwise the difference is
shown. New closes follow the last one of their column. Funds and firms are continued by their
returns, because every dividend changes the adjusted closes before it.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import BadData, ChangedData, DataFileError, ImpactError, NoData
from impact.market import yahoo
from impact.market.files import data_path, replace_accepted
from impact.market.prices import INDEX, TABLES, VIX, read_committed
from impact.text.files import alone
from impact.text.formats import counted, iso, list_of, number, percent

#: What each file holds: closes of one ticker, or a table whose columns are named as theirs.
FILES = {"sp500.csv": INDEX, "vix.csv": VIX}
FILES |= {f"{table}.csv": table for table in TABLES}
#: Relative difference up to which two copies of a close agree, beyond the rounding of the file.
AGREEMENT = 2e-4
#: Differences of a file that are shown one by one.
SHOWN = 20
_SPAN = re.compile(r"\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}, [\d,]+ rows")


def refresh(directory: Path) -> list[str]:
    """Add to each data file what Yahoo has after its last closes, print what differs, name files.

    DataFileError when a file is not the one that was accepted, would break a rule of its own or
    cannot be written, or when another refresh works there; ChangedData when Yahoo contradicts the
    close that new ones would follow; another FetchError as from `ask`.
    """
    with alone(directory):
        return _refreshed(directory)


def _refreshed(directory: Path) -> list[str]:
    for name in [*FILES, *(path.name for path in sorted(directory.glob("*.csv")))]:
        data_path(name, directory)
    contents = {"README.md": (directory / "README.md").read_bytes()}
    client = yahoo.new_client(0.0)
    for name, held in FILES.items():
        path = data_path(name, directory)
        cells = pd.read_csv(path, index_col="date", dtype="str", keep_default_na=False)
        added, said = _added(held, cells, client)
        rows = cells.index.union(added.index)
        new = rows.difference(cells.index)
        cells = cells.reindex(rows, fill_value="")
        cells.update(added)
        contents[name] = cells.to_csv(lineterminator="\n").encode()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_bytes(contents[name])
            read_committed(held, Path(folder, name))
        span = f", {new[0]} to {new[-1]}" if len(new) else ""
        print(f"{name}: {counted(len(new), 'new row')}{span}; {counted(len(said), 'difference')}")
        said[SHOWN:] = [f"and {len(said) - SHOWN:,} more"] if len(said) > SHOWN else []
        print("".join(f"  {line}\n" for line in said), end="")
        contents["README.md"] = _dated(contents["README.md"], name, rows)
    return replace_accepted(directory, contents)


def _added(held: str, cells: pd.DataFrame, client: Any) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells that follow the last one of each column, and a line for each difference."""
    old = cells.replace("", "nan").astype(float).set_axis(pd.DatetimeIndex(cells.index))
    digits = max(len(cell.partition(".")[2]) for cell in cells.tail(1_000).to_numpy().flat)
    form = ("{:.5g}" if held == "firms" else f"{{:.{digits}f}}").format
    added, ends, said = {}, [], []
    for column in cells:
        ticker = column.replace("_", "-") if held in TABLES else held
        client.give_up_at = time.monotonic() + yahoo.SECONDS
        try:
            new, notes = _continued(ticker, old[column].dropna(), 0.5 * 10**-digits, client)
        except NoData as error:
            if held != "firms":
                raise
            said.append(f"{error}, or leave its column as it ends")  # it was bought, or renamed
            continue
        ends.append(max([*new.index, old.index[-1]]))
        added[column] = new.map(form).set_axis(new.index.strftime("%Y-%m-%d"))
        said += notes
    if not added:
        raise NoData(said[-1])
    # No column goes further than the others.
    return pd.DataFrame(added)[: iso(min(ends))], said


def _continued(
    ticker: str, old: pd.Series, rounding: float, client: Any
) -> tuple[pd.Series, list[str]]:
    """Return the closes after the last old one, on their level, and a line for each difference."""
    if ticker == INDEX:  # before, the typing errors of Yahoo are mended in the file
        old = old[yahoo.SOUND :]
    closes, adjusted = yahoo.ask(ticker, old.index[0], client)
    new = closes[(closes > 0) & ~closes.index.duplicated()].sort_index()
    both = old.index.intersection(new.index)
    if both.empty:
        raise BadData(f"Yahoo Finance has no session of {ticker!r} that the file has: look at both")
    here, there = old[both], new[both]
    apart, rounded = np.log(there / here), rounding / here
    if adjusted:
        apart, rounded = apart.diff(), rounded.rolling(2).sum()
        here, there = here.pct_change(), there.pct_change()
    show = percent if adjusted else number
    changed = both[apart.abs() > AGREEMENT + rounded]
    line = "{} {}: {}, not {} as Yahoo Finance has it".format
    said = [line(iso(day), ticker, show(here[day]), show(there[day])) for day in changed]
    if both[-1] in changed:
        fix = "nothing was added; where the file is wrong, correct it and run make data-accept"
        raise ChangedData(f"{said[-1]}: {fix}")
    level = old[both[-1]] / new[both[-1]] if adjusted else 1.0
    seam = pd.concat([old[-1:], level * closes[closes.index > old.index[-1]]])
    seam, lacks = yahoo.whole(ticker, seam, yahoo.finished_sessions(yahoo.present()))
    return seam[1:], [*said, *(f"{ticker}: {note}" for note in lacks)]


def _dated(readme: bytes, name: str, days: pd.Index) -> bytes:
    """Return the data dictionary with the span and the number of rows of one file as they are."""
    span = f"{days[0]}..{days[-1]}, {counted(len(days), 'row')}"
    rows = [row for row in readme.decode().split("\n") if row.startswith(f"| `{name}` |")]
    if len(_SPAN.findall("".join(rows))) != 1:
        raise DataFileError(f"README.md does not give the span of {name} once: write it {span!r}")
    return readme.replace(rows[0].encode(), _SPAN.sub(span, rows[0]).encode())


def main(directory: Path) -> int:
    """Refresh the committed prices, say what differs, and return the exit status."""
    try:
        replaced = refresh(directory)
    except (ImpactError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{counted(len(replaced), 'file')} replaced{': ' if replaced else ''}{list_of(replaced)}")
    return 0
