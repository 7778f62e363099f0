"""The named figures of this project: ``python -m impact.figures [NAME ...]``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impact.errors import FigureError, ImpactError
from impact.figures import sectors, sets, trust, year
from impact.figures.exhibits import Exhibit, write_exhibit
from impact.text.formats import list_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Where the committed figures are, in a source tree.
DIRECTORY = Path(__file__).parents[2] / "figures"

#: Name of the files -> function that makes the exhibit.
FIGURES: dict[str, Callable[[], Exhibit]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        year.timeline,
        year.core_event_paths,
        year.reaction_days,
        year.how_unusual_2_may,
        sectors.sector_reactions,
        sectors.sector_paths,
        sets.placebo,
        sets.dose_response,
        sets.then_and_now,
        trust.can_you_trust_the_p,
        trust.power,
        trust.specification_curve,
    )
}

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
    if name not in FIGURES:
        raise FigureError(f"there is no figure {name!r}; known: {list_of(FIGURES)}")
    return FIGURES[name]().figure


def write_figure(name: str, directory: Path = DIRECTORY) -> bool:
    """Make one named figure (or the verdicts) and write it; return whether anything changed."""
    if name == VERDICTS:
        return sets.write_verdicts(directory)
    make = FIGURES[name]
    return write_exhibit(make(), directory, code=make.__module__)


def main(names: Sequence[str]) -> int:
    """Write the named figures, or all of them; return the exit status."""
    known = [*FIGURES, VERDICTS]
    if unknown := [name for name in names if name not in known]:
        print(f"there is no figure {unknown[0]!r}; known: {list_of(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        start = time.perf_counter()
        try:
            written = write_figure(name)
        except ImpactError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        state = "written" if written else "unchanged"
        print(f"{name:<20} {state:<10} {time.perf_counter() - start:5.1f} s", flush=True)
    return 0
