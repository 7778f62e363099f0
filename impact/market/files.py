"""Where each committed data file is, and a refusal to read one that changed unnoticed.

In a source tree the files are in ``data/`` beside the package; in an installed one they are in
``impact/data``. ``SHA256SUMS`` beside them holds their checksums.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from impact.errors import DataFileError
from impact.text.files import write_atomically
from impact.text.formats import counted, list_of

_SUMS = "SHA256SUMS"
_SHOWN_DIGITS = 12


@cache
def data_directory() -> Path:
    """Return the directory of the committed data files; DataFileError if there is none."""
    package = Path(__file__).parents[1]
    places = (package / "data", package.parent / "data")
    for place in places:
        if (place / _SUMS).is_file():
            return place
    raise DataFileError(
        f"no data files are in {places[0]} or {places[1]}: install tariff-impact again"
    )


def data_path(name: str, directory: Path | None = None) -> Path:
    """Return where a committed data file is, once its checksum is the accepted one.

    DataFileError if there is no such file, or its content is not the one that was accepted.

    Examples
    --------
    >>> data_path("sp500.csv").name
    'sp500.csv'
    """
    directory = data_directory() if directory is None else directory
    _checked(name, directory)
    return directory / name


def data_hash(name: str) -> str:
    """Return the first twelve hexadecimal digits of the sha256 of a committed data file.

    DataFileError as for `data_path`.

    Examples
    --------
    >>> len(data_hash("sp500.csv"))
    12
    """
    return _checked(name, data_directory())[:_SHOWN_DIGITS]


def _checked(name: str, directory: Path) -> str:
    accepted = _accepted(directory)
    if name not in accepted:
        raise DataFileError(
            f"{name!r} is not one of the data files: use {list_of(sorted(accepted), 'or')}"
        )
    found = _digest(directory / name)
    if found not in accepted[name]:
        expected = list_of([f"{digest[:12]}…" for digest in accepted[name]], "or")
        raise DataFileError(
            f"{name} in {directory} is not the file that was accepted (sha256 {found[:12]}…, "
            f"expected {expected}): restore it, or accept a deliberate change with make data-accept"
        )
    return found


def _accepted(directory: Path) -> dict[str, list[str]]:
    """Return the accepted digests of each file: two while a refresh replaces it."""
    try:
        lines = (directory / _SUMS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataFileError(f"{directory / _SUMS} cannot be read: {error.strerror}") from error
    accepted: dict[str, list[str]] = {}
    for digest, _, name in (line.partition("  ") for line in lines):
        accepted.setdefault(name, []).append(digest)
    return accepted


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataFileError(f"{path} cannot be read ({error.strerror}): restore it") from error


def accept_changes(directory: Path) -> list[str]:
    """Take the CSV files of a directory as they are now, and return the names that changed."""
    before = _accepted(directory) if (directory / _SUMS).exists() else {}
    now = {path.name: [_digest(path)] for path in sorted(directory.glob("*.csv"))}
    if now != before:
        text = "".join(f"{digest}  {name}\n" for name, (digest,) in now.items())
        write_atomically(directory / _SUMS, text)
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def replace_accepted(directory: Path, contents: dict[str, bytes]) -> list[str]:
    """Replace data files, and their checksums with them; return the names of those that changed.

    `contents` is all that each file will hold, by name. A process that is killed on the way leaves
    files that are each whole and accepted. DataFileError if one cannot be written; those that were
    are then accepted, and so are the others.
    """
    for left in directory.glob(".*.tmp"):
        left.unlink(missing_ok=True)
    due = {name: new for name, new in contents.items() if (directory / name).read_bytes() != new}
    sums = (directory / _SUMS).read_bytes()
    for name, new in due.items():
        sums += f"{hashlib.sha256(new).hexdigest()}  {name}\n".encode()
    # Until all are in place, the new content of each is accepted beside the old.
    for name, new in ({_SUMS: sums} | due if due else {}).items():
        write_atomically(directory / name, new)
    accept_changes(directory)
    return list(due)


def cache_directory() -> Path:
    """Return where answers are kept: ``IMPACT_CACHE_DIR``, or the user's cache folder."""
    import platformdirs

    usual = platformdirs.user_cache_dir("tariff-impact", appauthor=False)
    return Path(os.environ.get("IMPACT_CACHE_DIR") or usual)


def main(arguments: Sequence[str]) -> int:
    """Accept the data files of the source tree as they are; return the exit status."""
    directory = Path(arguments[0]) if arguments else Path(__file__).parents[2] / "data"
    changed = accept_changes(directory)
    print(f"{counted(len(changed), 'file')} accepted{': ' if changed else ''}{list_of(changed)}")
    return 0
