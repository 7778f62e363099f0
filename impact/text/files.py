"""Files of other people read; files written whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from impact.errors import DataFileError, ImpactError, TableError

#: Seconds after which an unfinished file is one of a process that was killed.
_LEFT = 3600.0
_FIX = "make room or ask for access"


def as_path(path: object) -> Path:
    """Return where a file is to be.

    Examples
    --------
    >>> as_path(3)
    Traceback (most recent call last):
    impact.errors.TableError: 3 is not a path: give the name of a file
    """
    if not isinstance(path, str | os.PathLike):
        raise TableError(f"{path!r} is not a path: give the name of a file")
    return Path(path)


def read_whole(path: Path, error: type[ImpactError], called: str = "") -> bytes:
    """Return the bytes of a file; where it cannot be read an error, which calls it so."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", problem)
        raise error(f"{called}{path} cannot be read: {why}") from problem


def decoded(content: bytes, name: str, error: type[ImpactError]) -> str:
    """Return the text of a file, without the mark that spreadsheets put in front of UTF-8.

    Examples
    --------
    >>> decoded("é".encode("latin-1"), "my.csv", DataFileError)
    Traceback (most recent call last):
    impact.errors.DataFileError: my.csv is not UTF-8 (line 1): save it as CSV UTF-8
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise error(f"{name} is not UTF-8 (line {line}): save it as CSV UTF-8") from problem


def write_atomically(
    path: Path, content: bytes | str, error: type[ImpactError] = DataFileError
) -> None:
    """Replace a file in one step: whoever reads it finds the old content or the new, whole.

    Its folder is made when missing. Text is written as UTF-8, its line ends as they are; what is no
    letter, half of a surrogate pair, becomes a question mark. If it cannot be written `error` is
    raised, and what was there before stays.
    """
    whole = content if isinstance(content, bytes) else content.encode(errors="replace")
    # The name may be as long as a file system takes, and this one is longer.
    start, temporary = f".{path.name[:40]}.", ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{glob.escape(start)}*.tmp"):
            with contextlib.suppress(OSError):  # somebody else may clear it just now
                if time.time() - left.stat().st_mtime > _LEFT:
                    left.unlink()
        handle, temporary = tempfile.mkstemp(".tmp", start, path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(handle)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as problem:
        fix = "shorten its name" if problem.errno == errno.ENAMETOOLONG else _FIX
        raise error(f"{path} cannot be written ({problem.strerror}): {fix}") from problem
    except ValueError as problem:  # NUL, or what is no letter
        raise error(f"{str(path)!r} is no name for a file: choose another") from problem
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


@contextlib.contextmanager
def alone(folder: Path, error: type[ImpactError] = DataFileError) -> Iterator[None]:
    """Let one process at a time work in a folder; the lock ends with it, however it ends.

    `error` is raised if another process works there, or the folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            base = sqlite3.connect(folder / ".lock", timeout=0, isolation_level=None)
            held.enter_context(contextlib.closing(base)).execute("BEGIN EXCLUSIVE")
        except (OSError, sqlite3.OperationalError) as problem:
            raise error(
                f"{folder} is not free ({problem}): wait until the same command has ended "
                "elsewhere, or ask for access"
            ) from problem
        yield
