"""Live prices kept on disk: one CSV per ticker, a JSON beside it, and the cool-down.

The JSON is what counts: it names its CSV and the CSV's sha256, and is replaced last, in one
step. A process that dies half-way leaves the old pair in place and at most a stray file.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from impact.errors import DataFileError, DateError
from impact.market.instants import parse_date

FIRST_COOL_DOWN = pd.Timedelta(minutes=30)
LONGEST_COOL_DOWN = pd.Timedelta(hours=6)


@dataclass(frozen=True)
class Stored:
    """Closes of one ticker as they were kept.

    Attributes
    ----------
    closes : Series
        Closes by session, without a gap.
    instrument : str
        What Yahoo calls it: INDEX, ETF, EQUITY.
    since : Timestamp
        First date that was asked for; the first close can be later.
    session : Timestamp
        The last session that had finished when Yahoo was asked.
    """

    closes: pd.Series
    instrument: str
    since: pd.Timestamp
    session: pd.Timestamp


def cache_folder() -> Path:
    """Return the folder of the cache: ``IMPACT_CACHE_DIR``, or the user's cache folder.

    Returns
    -------
    Path
        The folder; it need not exist.

    Examples
    --------
    >>> isinstance(cache_folder(), Path)
    True
    """
    chosen = os.environ.get("IMPACT_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("tariff-impact", appauthor=False))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step: readers see the old content or the new, never a part of it.

    Parameters
    ----------
    path : Path
        The file; its folder is made when missing.
    content : bytes
        The whole new content.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; the old file is then untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows cannot open folders and needs no such step."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_cache(folder: Path, ticker: str) -> Stored | None:
    """Return what is kept for a ticker, or None when nothing is.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    ticker : str
        Ticker as Yahoo writes it.

    Raises
    ------
    DataFileError
        When the files are there but are not what was written.
    """
    path = record_path(folder, ticker)
    try:
        return _read_pair(path, ticker)
    except FileNotFoundError:
        pass
    # Another process may have replaced the pair between our two reads: look once more.
    try:
        return _read_pair(path, ticker)
    except FileNotFoundError as error:
        if not path.exists():
            return None
        raise _broken(path, f"{Path(error.filename).name} is missing") from error


def _read_pair(path: Path, ticker: str) -> Stored:
    """Read a record and its CSV; DataFileError when one of them is not what was written."""
    text = path.read_bytes()
    try:
        record = json.loads(text)
        content = (path.parent / record["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != record["sha256"]:
            raise _broken(path, f"the content of {record['file']} does not fit its checksum")
        if record["ticker"] != ticker:
            raise _broken(path, f"it holds {record['ticker']!r}")
        closes = pd.read_csv(io.BytesIO(content), index_col="date", parse_dates=["date"])["close"]
        closes = closes.astype("float64").rename(ticker)
        if not _sound(closes):
            raise _broken(path, f"{record['file']} does not hold closes by session")
        dates = (parse_date(record[name]) for name in ("since", "session"))
        return Stored(closes, str(record["instrument"]), *dates)
    except (ValueError, LookupError, TypeError, DateError) as error:
        raise _broken(path, "it cannot be read") from error
    except IsADirectoryError as error:
        raise _broken(path, "it names a folder") from error


def _sound(closes: pd.Series) -> bool:
    index = closes.index
    dated = isinstance(index, pd.DatetimeIndex) and index.is_unique
    possible = np.isfinite(closes) & (closes > 0)
    return len(index) > 0 and dated and index.is_monotonic_increasing and possible.all()


def _broken(path: Path, reason: str) -> DataFileError:
    return DataFileError(f"the cached closes in {path} are left aside: {reason}")


def write_cache(folder: Path, ticker: str, stored: Stored, fetched_at: pd.Timestamp) -> None:
    """Keep the closes of a ticker.

    Parameters
    ----------
    folder : Path
        Folder of the cache; made when missing.
    ticker : str
        Ticker as Yahoo writes it.
    stored : Stored
        What to keep.
    fetched_at : Timestamp
        When Yahoo was asked, with a time zone.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written; what was kept stays as it was.
    """
    content = closes_csv(stored.closes)
    digest = hashlib.sha256(content).hexdigest()
    path = record_path(folder, ticker)
    # The name holds the checksum, so that the CSV of the record in force is never overwritten.
    csv_path = path.with_name(f"{path.stem}.{digest[:12]}.csv")
    record = {
        "ticker": ticker,
        "instrument": stored.instrument,
        "file": csv_path.name,
        "sha256": digest,
        "rows": len(stored.closes),
        "since": f"{stored.since:%Y-%m-%d}",
        "session": f"{stored.session:%Y-%m-%d}",
        "fetched_at": fetched_at.isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    write_atomically(csv_path, content)
    write_atomically(path, (json.dumps(record, indent=1) + "\n").encode())
    # Older closes, and what a process left behind that died while it wrote.
    for old in folder.glob(f"{path.stem}.*"):
        if old.suffix in (".csv", ".tmp") and old != csv_path:
            old.unlink(missing_ok=True)


def closes_csv(closes: pd.Series | pd.DataFrame) -> bytes:
    """Return closes as the bytes of a CSV; floats survive the round trip.

    Parameters
    ----------
    closes : Series or DataFrame
        Closes by session. Of a Series the columns are date, close.
    """
    table = closes.to_frame("close") if isinstance(closes, pd.Series) else closes
    text = table.rename_axis(index="date").to_csv(date_format="%Y-%m-%d", lineterminator="\n")
    return text.encode()


def record_path(folder: Path, ticker: str) -> Path:
    """Return where the record of a ticker is.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    ticker : str
        Ticker as Yahoo writes it.

    Examples
    --------
    >>> record_path(Path("cache"), "^GSPC").name
    'close-%5EGSPC.json'
    """
    # The prefix keeps Windows from reading a ticker such as CON as a device; a dot would let the
    # files of BRK.B pass for those of BRK.
    name = quote(ticker, safe="").replace(".", "%2E")
    return folder / f"close-{name}.json"


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("yfinance", "pandas")}


@contextlib.contextmanager
def refresh_lock(folder: Path, ticker: str, *, seconds: float) -> Iterator[bool]:
    """Hold the right to refresh a ticker; the lock of a process that died is free again.

    Parameters
    ----------
    folder : Path
        Folder of the cache; made when missing.
    ticker : str
        Ticker as Yahoo writes it.
    seconds : float
        How long to wait for another process.

    Yields
    ------
    bool
        Whether the right was had; False while another process refreshes the ticker.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(record_path(folder, ticker).with_suffix(".lock"))
    try:
        lock.acquire(timeout=seconds)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def cool_down_until(folder: Path, now: pd.Timestamp) -> pd.Timestamp | None:
    """Return until when Yahoo is to be left alone, or None when it may be asked.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    now : Timestamp
        The present, with a time zone.
    """
    until, _ = _read_cool_down(folder)
    # A clock that was set back must not make the wait longer than it could ever be.
    if until is None or not now < until <= now + LONGEST_COOL_DOWN:
        return None
    return until.tz_convert(now.tz)


def start_cool_down(folder: Path, now: pd.Timestamp) -> pd.Timestamp:
    """Note that Yahoo asked to be left alone: 30 minutes, twice as long each time, up to 6 hours.

    Parameters
    ----------
    folder : Path
        Folder of the cache; made when missing.
    now : Timestamp
        The present, with a time zone.

    Returns
    -------
    Timestamp
        The end of the cool-down.

    Raises
    ------
    OSError
        When it cannot be written down.
    """
    _, length = _read_cool_down(folder)
    length = FIRST_COOL_DOWN if length is None else min(2 * length, LONGEST_COOL_DOWN)
    until = now + length
    record = {"not_before": until.isoformat(), "minutes": length.total_seconds() / 60}
    write_atomically(_cool_down_path(folder), (json.dumps(record) + "\n").encode())
    return until


def end_cool_down(folder: Path) -> None:
    """Forget the cool-down: Yahoo has answered.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    """
    _cool_down_path(folder).unlink(missing_ok=True)


def _cool_down_path(folder: Path) -> Path:
    return folder / "cool-down.json"


def _read_cool_down(folder: Path) -> tuple[pd.Timestamp | None, pd.Timedelta | None]:
    """Return the end and the length of the last cool-down; an unreadable one never was."""
    try:
        record = json.loads(_cool_down_path(folder).read_bytes())
        until = pd.Timestamp(record["not_before"]).tz_convert("UTC")
        length = pd.Timedelta(minutes=record["minutes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, None
    if until is pd.NaT or not pd.Timedelta(0) < length <= LONGEST_COOL_DOWN:
        return None, None
    return until, length
