"""What the figures are made of: as long as it is the same, they need not be computed again.

Inputs are the source of the whole package, every data file, and the version of Python and of
every installed library; content counts, never the time of a file. What they were when each figure
was last made is kept in a small file that is not committed, with the checksum of what was written:
a figure that somebody edited or deleted is made anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from impact.figures.exhibit import write_if_changed
from impact.market.files import data_directory

_RECORD = ".made.json"
_PACKAGE = Path(__file__).parents[1]


def inputs_hash(package: Path = _PACKAGE, data: Path | None = None) -> str:
    """Return the sha256 of all that can decide a figure."""
    data = data_directory() if data is None else data
    libraries = sorted(f"{held.name} {held.version}" for held in distributions())
    return _hash_of([*package.rglob("*.py"), *data.glob("[!.]*")], sys.version, *libraries)


def _hash_of(paths: Iterable[Path], *words: str) -> str:
    files = [part for path in sorted(paths) for part in (bytes(path), path.read_bytes())]
    parts = [*files, *(word.encode() for word in words)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


class Record:
    """For each figure, the inputs and the files of its last making.

    Parameters
    ----------
    directory : Path
        Where the figures are; a hidden file beside them holds the record.
    inputs : str
        The inputs as they are now.
    """

    def __init__(self, directory: Path, inputs: str) -> None:
        self.path, self.directory, self.inputs = directory / _RECORD, directory, inputs
        try:
            held = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or broken off: every figure is made
            held = None
        self.stamps: dict[str, str] = held if isinstance(held, dict) else {}

    def holds(self, name: str) -> bool:
        """Whether a figure was made of the inputs as they are, and its files are untouched."""
        return self.stamps.get(name) == self._stamp(name)

    def add(self, name: str) -> None:
        """Note that a figure has just been made."""
        self.stamps[name] = self._stamp(name)
        write_if_changed(self.path, json.dumps(self.stamps, indent=1).encode())

    def _stamp(self, name: str) -> str:
        return _hash_of(self.directory.glob(f"{name}.*"), self.inputs)
