"""The folder that the site goes to: what is in it that is not ours is never touched."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from impact.errors import ReportError
from impact.text.files import write_atomically

#: Lists the files of the last build; a folder that has it is ours.
MARK = ".made-by-impact-report.json"


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds files and no site made here, or that cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"{folder} is a file: name a folder for the site")
    mark = folder / MARK
    if not mark.exists() and any(path.is_file() for path in folder.rglob("*")):
        raise ReportError(
            f"{folder} is not empty and holds no site made here: name an empty or a new folder"
        )
    _sign(folder, _listed(mark))


def put(site: Path, folder: Path) -> None:
    """Put a finished site where it goes, in place of the one before: at any moment files are whole.

    If a file cannot be written, the others are those of the old site or of the new.
    """
    new = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    old = _listed(folder / MARK)
    _sign(folder, old | new)
    for name in sorted(new):
        content, path = (site / name).read_bytes(), folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content, ReportError)
    for name in old - new:
        (folder / name).unlink(missing_ok=True)
    _sign(folder, new)


def _sign(folder: Path, names: set[str]) -> None:
    """Note which files are of a build, for the next one to replace."""
    write_atomically(folder / MARK, json.dumps(sorted(names), indent=0), ReportError)


def _listed(mark: Path) -> set[str]:
    try:
        names = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or broken: nothing is known to be ours
        return set()
    return {name for name in names if isinstance(name, str) and _inside(PurePath(name))}


def _inside(path: PurePath) -> bool:
    """Whether a path stays in the folder that it begins in."""
    return not path.anchor and ".." not in path.parts
