"""Refresh the committed prices: ``python -m impact.market.refresh [DIRECTORY]``, or ``make data``.

Rows that are there stay byte for byte; where Yahoo Finance says otherwise the difference is shown.
New rows follow the last one. Funds are continued by their returns, because every dividend changes
the adjusted closes before it.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from impact.errors import BadData, ChangedData, DataFileError, ImpactError
from impact.market import yahoo
from impact.market.files import data_path, replace_accepted
from impact.market.prices import INDEX, SECTORS, VIX
from impact.text.formats import counted, iso, list_of, number, percent

#: The ticker behind each column of each file.
FILES = {"sp500.csv": {"close": INDEX}, "sectors.csv": {fund: fund for fund in SECTORS}}
FILES["vix.csv"] = {"close": VIX}
#: Relative difference up to which two copies of a close agree, beyond the rounding of the file.
AGREEMENT = 2e-4
#: Differences of a file that are shown one by one.
SHOWN = 20
_SPAN = re.compile(r"\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}, [\d,]+ rows")


def refresh(directory: Path) -> list[str]:
    """Add to each data file what Yahoo has after its last row, print what differs, name the files.

    DataFileError when a file is not the one that was accepted or cannot be written, ChangedData
    when Yahoo contradicts the close that new ones would follow, another FetchError as from `ask`.
    """
    for path in sorted(directory.glob("*.csv")):
        data_path(path.name, directory)
    contents = {"README.md": (directory / "README.md").read_bytes()}
    for name, tickers in FILES.items():
        contents[name] = data_path(name, directory).read_bytes()
        old = pd.read_csv(directory / name, index_col="date", parse_dates=["date"])
        digits = max(map(len, re.findall(rb"\.(\d+)", contents[name])), default=0)
        columns, said = [], []
        for column, ticker in tickers.items():
            closes, notes = _continued(ticker, old[column].dropna(), 0.5 * 10**-digits)
            columns.append(closes.rename(column))
            said += notes
        added = pd.concat(columns, axis=1, join="inner")
        span = f", {iso(added.index[0])} to {iso(added.index[-1])}" if len(added) else ""
        print(f"{name}: {counted(len(added), 'new row')}{span}; {counted(len(said), 'difference')}")
        said[SHOWN:] = [f"and {len(said) - SHOWN:,} more"] if len(said) > SHOWN else []
        print("".join(f"  {line}\n" for line in said), end="")
        contents[name] += added.to_csv(
            header=False, float_format=f"%.{digits}f", **yahoo.CSV
        ).encode()
        contents["README.md"] = _dated(contents["README.md"], name, old.index.append(added.index))
    return replace_accepted(directory, contents)


def _continued(ticker: str, old: pd.Series, rounding: float) -> tuple[pd.Series, list[str]]:
    """Return the closes after the last old one, on their level, and a line for each difference."""
    client = yahoo.new_client(time.monotonic() + yahoo.SECONDS)
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


def _dated(readme: bytes, name: str, index: pd.DatetimeIndex) -> bytes:
    """Return the data dictionary with the span and the number of rows of one file as they are."""
    span = f"{iso(index[0])}..{iso(index[-1])}, {counted(len(index), 'row')}"
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
