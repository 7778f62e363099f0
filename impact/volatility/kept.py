"""Tables of this room kept on disk, so that fresh processes need not fit them again.

A table is found by a hash of all that it depends on: the returns and their dates, the arguments,
the code of this room and the version of numpy. What cannot be read or written is computed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from impact.errors import DataFileError
from impact.market.files import cache_directory
from impact.text.files import write_atomically

#: Tables that are kept; those that were read longest ago go first.
KEPT = 256

_FOLDER = "volatility"

#: What reading a file that is not whole, or is another's, can raise.
_BROKEN = (OSError, LookupError, ValueError, TypeError, RuntimeError, EOFError, BadZipFile)


def kept(compute: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Keep what a function makes of a series of returns: floats by session, and ``.attrs``.

    The rows of the frame must be the last of those of the returns, and its ``attrs`` JSON.
    """

    @functools.wraps(compute)
    def answer(returns: pd.Series, **options: Any) -> pd.DataFrame:
        if not _can_be_kept(returns):
            return compute(returns, **options)
        path = cache_directory() / _FOLDER / f"{_key(compute.__name__, returns, options)}.npz"
        found = _read(path, returns.index)
        if found is None:
            found = compute(returns, **options)
            _write(path, found)
        return found

    return answer


def _can_be_kept(returns: Any) -> bool:
    """Whether the returns are floats by date; all else is for the function to refuse."""
    return (
        isinstance(returns, pd.Series)
        and isinstance(returns.index, pd.DatetimeIndex)
        and returns.dtype == float
    )


def _key(name: str, returns: pd.Series, asked: dict[str, Any]) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for part in (
        returns.to_numpy().tobytes(),
        returns.index.as_unit("ns").asi8.tobytes(),
        repr((name, sorted(asked.items()), np.__version__)).encode(),
        _code(),
    ):
        digest.update(part)
    return digest.hexdigest()


@functools.cache
def _code() -> bytes:
    """The code of this room: a number of an older rule is never shown for a newer one."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _read(path: Path, index: pd.DatetimeIndex) -> pd.DataFrame | None:
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
            values, about = file["values"], json.loads(str(file["about"]))
        frame = pd.DataFrame(values, index[-len(values) :], about["columns"])
        frame.attrs = about["attrs"]
        path.touch()
    except _BROKEN:
        return None
    return frame


def _write(path: Path, frame: pd.DataFrame) -> None:
    about = json.dumps({"columns": [*frame.columns], "attrs": frame.attrs})
    content = BytesIO()
    np.savez(content, values=frame.to_numpy(float), about=np.array(about))
    try:
        write_atomically(path, content.getvalue())
        tables = sorted(path.parent.iterdir(), key=lambda table: table.stat().st_mtime)
        # Files that a killed process left unfinished go with the oldest tables.
        for table in tables[:-KEPT]:
            table.unlink(missing_ok=True)
    except (DataFileError, OSError):
        # A home that cannot be written to costs time, not the answer.
        return
