"""Other packages of event studies, each in an environment of its own, on the data that we get.

Agreement comes first: a package whose numbers are not ours is not timed against us.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.process import BUILD, ROOT, Failed, answers, cpu_seconds, empty_folder

#: Firm events of the studies, the smallest first.
SIZES = (10, 100, 1_000, 5_000)

#: A study that would take longer than so many seconds is left out.
LIMIT = 20.0

#: CARs and CAARs that differ by less are the same numbers (decimal fractions).
TOLERANCE = 1e-10

#: The last revision of 0.1.0, whose figures are the measure of ours.
OLD_RELEASE = "cf1156a8fd5624bb49d67f17fbacd275f160b0df"

OLD_FIGURES = (
    "timeline",
    "core-event-paths",
    "reaction-days",
    "how-unusual-2-may",
    "sector-reactions",
    "sector-paths",
    "placebo",
    "dose-response",
    "then-and-now",
    "can-you-trust-the-p",
    "power",
    "specification-curve",
)


@dataclass(frozen=True)
class Peer:
    """A package: what pip installs, and what can be asked of it."""

    name: str
    requirements: tuple[str, ...]
    about: str


PEERS = (
    Peer(
        "eventstudy",
        ("eventstudy==0.1a12",),
        "AR, CAR, AAR, CAAR with t; its variance divides by L and leaves the error of alpha and "
        "beta out",
    ),
    Peer(
        "robust-eventstudy",
        ("robust-eventstudy==0.1.0",),
        "one event at a time, windows in calendar days; no average of its own (we average); its "
        "error, car / sar, divides by L - 1 and leaves the error of alpha and beta out",
    ),
    Peer(
        "easy-es",
        ("easy-es==0.1.2",),
        "CAR and mean CAR; reaches back by calendar days, so of the 250 sessions before a stock's "
        "event it finds about 180; its error is as that of robust-eventstudy",
    ),
    Peer(
        "EventStudySuite",
        # It names none of the packages that it imports.
        (
            "EventStudySuite==0.1.3.1",
            "ClickSQL==0.1.9.4",
            "aiohttp",
            "nest_asyncio",
            "pandas",
            "requests",
            "statsmodels",
        ),
        "AAR and CAAR; CARs are summed from its residuals; no error of one CAR. Does not start "
        "as installed: it declares no requirements",
    ),
)


@dataclass
class Outcome:
    """What came of a package: seconds by size, how far its CARs are from ours, or why not."""

    seconds: dict[int, float] = field(default_factory=dict)
    apart: float = np.nan
    error_ratio: float = np.nan
    why: str = ""

    @property
    def agrees(self) -> bool:
        """Whether its CARs and CAARs are ours, to rounding."""
        return self.apart <= TOLERANCE


def environment(name: str, *requirements: str) -> Path:
    """Make the environment of a package once; return its Python."""
    folder = BUILD / name
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp, wanted = folder / ".installed", "\n".join((sys.version, *requirements))
    if not stamp.exists() or stamp.read_text() != wanted:
        answers(sys.executable, "-m", "venv", "--without-pip", "--clear", folder)
        pip = ("-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check")
        answers(sys.executable, *pip, *requirements)
        stamp.write_text(wanted)
    return python


def write_panel(folder: Path) -> None:
    """Simulate 1,000 firms that load on one market, and where their 5,000 events are."""
    rng = np.random.default_rng(1)
    days, firms = 2_000, 1_000
    market = 0.01 * rng.standard_normal(days)
    returns = 0.02 * rng.standard_normal((days, firms)) + market[:, None]
    # Five events a firm, at least 30 days apart.
    turn = np.repeat(np.arange(5), firms)
    np.savez(
        folder / "panel.npz",
        returns=returns,
        market=market,
        firm=np.tile(np.arange(firms), 5),
        row=270 + 330 * turn + rng.integers(0, 300, 5 * firms),
        sizes=np.array(SIZES),
    )


def compare() -> tuple[list[dict[str, Any]], dict[str, Outcome]]:
    """Return our answers by size, and the outcome of each peer."""
    with empty_folder() as folder:
        write_panel(folder)
        ours = _run(sys.executable, "impact", folder)
        return ours, {peer.name: _outcome(peer, folder, ours) for peer in PEERS}


def _run(python: str | Path, package: str, folder: Path) -> list[dict[str, Any]]:
    return answers(python, "-m", "benchmarks.one_study", package, folder, LIMIT)


def _outcome(peer: Peer, folder: Path, ours: list[dict[str, Any]]) -> Outcome:
    try:
        found = _run(environment(peer.name, *peer.requirements), peer.name, folder)
    except Failed as error:
        return Outcome(why=str(error))
    pairs = [(theirs, own) for theirs, own in zip(found, ours, strict=True) if "car" in theirs]
    ratios = [
        np.divide(theirs["error"], own["error"]).mean() for theirs, own in pairs if theirs["error"]
    ]
    return Outcome(
        {theirs["events"]: theirs["seconds"] for theirs, _ in pairs},
        max(max(_differences(*pair)) for pair in pairs),
        float(np.mean(ratios)) if ratios else np.nan,
    )


def _differences(theirs: dict[str, Any], own: dict[str, Any]) -> Iterator[float]:
    yield abs(theirs["caar"] - own["caar"])
    yield float(np.abs(np.subtract(theirs["car"], own["car"])).max())


def figures() -> tuple[float, float]:
    """CPU time of the figures that 0.1.0 had, today and by 0.1.0 itself; nothing is kept."""
    with empty_folder() as folder:
        ours = cpu_seconds(
            *(sys.executable, "-m", "impact", "figures", *OLD_FIGURES),
            *("--to", folder / "figures"),
            env={"IMPACT_CACHE_DIR": str(folder / "cache")},
        )
    python = environment("impact-0.1.0", f"git+{ROOT.as_uri()}@{OLD_RELEASE}")
    # It writes into its own environment.
    for written in python.parents[1].rglob("site-packages/figures"):
        shutil.rmtree(written)
    with empty_folder() as folder:
        theirs = cpu_seconds(
            *(python, "-m", "impact.figures", *OLD_FIGURES),
            folder=folder,
            env={"PYTHONPATH": "", "IMPACT_CACHE_DIR": str(folder / "cache")},
        )
    return ours, theirs
