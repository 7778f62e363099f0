"""The folder that the site goes to: what is in it that is not ours is never touched."""

from __future__ import annotations

import json
from pathlib import Path

from impact.errors import ReportError
from impact.text.files import write_atomically

#: Lists the files of the last build; a folder that has it is ours.
MARK = ".made-by-impact-report.json"


def cleared(folder: Path) -> set[Path]:
    """Make a folder ready for a new build; return what is in it that is not of a build.

    Raises
    ------
    ReportError
        If it holds files and no build was ever written there, or it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"{folder} is a file: name a folder for the site")
    there = {path for path in folder.rglob("*") if path.is_file()}
    mark = folder / MARK
    if there and mark not in there:
        raise ReportError(
            f"{folder} is not empty and holds no site made here: name an empty or a new folder"
        )
    ours = _listed(mark)
    write_atomically(mark, json.dumps([]), ReportError)
    for path in there & ours:
        path.unlink()
    return there - ours - {mark}


def sign(folder: Path, foreign: set[Path]) -> None:
    """Note which files the build wrote, for the next one to clear."""
    written = {path for path in folder.rglob("*") if path.is_file()} - foreign - {folder / MARK}
    names = sorted(path.relative_to(folder).as_posix() for path in written)
    write_atomically(folder / MARK, json.dumps(names, indent=0), ReportError)


def _listed(mark: Path) -> set[Path]:
    try:
        names = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or broken: nothing is known to be ours
        return set()
    return {mark.parent / name for name in names if isinstance(name, str) and ".." not in name}
