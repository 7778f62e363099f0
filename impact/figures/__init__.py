"""The named figures of this project: one module each, named as its files in ``figures/``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impact.errors import FigureError, ImpactError
from impact.figures import common
from impact.figures.contact_sheet import contact_sheet
from impact.figures.exhibit import make_exhibit, write_exhibit, write_if_changed, write_table
from impact.figures.inputs import Record, inputs_hash
from impact.text.formats import list_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The figures, by the name of their files.
FIGURES = (
    "the-day-china-called",
    "hour-by-hour",
    "half-hours",
    "how-small-a-move",
    "timeline",
    "core-event-paths",
    "reaction-days",
    "how-unusual-2-may",
    "sector-reactions",
    "sector-paths",
    "fingerprints",
    "placebo",
    "dose-response",
    "then-and-now",
    "can-you-trust-the-p",
    "power",
    "specification-curve",
)

#: The verdicts of the register of hypotheses: a table without a picture.
VERDICTS = "hypotheses"


def figure(name: str) -> Figure:
    """Draw one of this project's pictures, by the name of its files in figures/.

    Raises
    ------
    FigureError
        If there is no figure of that name.

    Examples
    --------
    >>> figure("can-you-trust-the-p").get_size_inches()[0].item()
    8.0
    """
    if not isinstance(name, str) or name not in FIGURES:
        raise FigureError(f"there is no figure {name!r}; known: {list_of(FIGURES)}")
    return make_exhibit(name).figure


def write_figure(name: str, directory: Path) -> bool:
    """Make one named figure (or the verdicts) and write it; return whether anything changed."""
    if name == VERDICTS:
        return write_table(directory / f"{VERDICTS}.csv", common.verdicts().table.reset_index())
    return write_exhibit(make_exhibit(name), directory)


def main(names: Sequence[str], directory: Path) -> int:
    """Write the named figures, or all and their contact sheet, where their inputs changed.

    Returns the status for the shell.
    """
    known = [*FIGURES, VERDICTS]
    if unknown := [name for name in names if name not in known]:
        print(f"there is no figure {unknown[0]!r}; known: {list_of(known)}", file=sys.stderr)
        return 2
    record = Record(directory, inputs_hash())
    due = [name for name in names or known if not record.holds(name)]
    if not due:
        print("the figures are up to date")
    for name in due:
        start = time.perf_counter()
        try:
            state = "written" if write_figure(name, directory) else "unchanged"
            record.add(name)
        except ImpactError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(f"{name:<20} {state:<10} {time.perf_counter() - start:5.1f} s", flush=True)
    if not names:
        write_if_changed(directory / "README.md", contact_sheet(FIGURES, directory).encode())
    return 0
