"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from impact.errors import DataFileError, ImpactError


def as_path(path: object, error: type[ImpactError] = DataFileError) -> Path:
    """Return where a file is, or is to be.

    Examples
    --------
    >>> as_path(3)
    Traceback (most recent call last):
    impact.errors.DataFileError: 3 is no path: give the name of a file
    """
    if not isinstance(path, str | os.PathLike):
        raise error(f"{path!r} is no path: give the name of a file")
    return Path(path)


def write_atomically(
    path: Path, content: bytes | str, error: type[ImpactError] = DataFileError
) -> None:
    """Replace a file in one step: whoever reads it finds the old content or the new, whole.

    Parameters
    ----------
    path : Path
        The file; its folder is made when missing.
    content : bytes or str
        All that it will hold; text is written as UTF-8, its line ends as they are.
    error : type
        What is raised if it cannot be written; what was there before then stays.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(".tmp", f".{path.name}.", path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(handle)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as problem:
        raise error(
            f"{path} cannot be written ({problem.strerror}): make room or ask for access"
        ) from problem
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
