"""Measurements in processes of their own: time, CPU time, peak memory, where the time goes.

The process that asks imports nothing heavy, so that the peak memory of the one that answers is its
own: Linux hands that of the parent on.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"


class Failed(Exception):
    """A measurement that could not be made; the message is the last line of its error."""


def answers(
    *command: object, folder: Path = ROOT, env: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Run a command in a folder; return the lines of JSON that it printed."""
    run = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | (env or {}),
    )
    if run.returncode:
        raise Failed((run.stderr.strip().splitlines() or ["it stopped without a word"])[-1])
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def ask(module: str, *arguments: object, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run ``python -m benchmarks.MODULE ARGUMENTS``; return the last line of JSON it printed."""
    return answers(sys.executable, "-m", f"benchmarks.{module}", *arguments, env=env)[-1]


def cpu_seconds(*command: object, folder: Path = ROOT, env: dict[str, str] | None = None) -> float:
    """Run a command in a folder; return the CPU time of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answers(*command, folder=folder, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A new folder below build/bench/, deleted afterwards."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        yield Path(folder)


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds one run takes, and what comes of it."""
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def peak_memory() -> float:
    """Peak memory of this process so far, in GiB."""
    # Linux counts in KiB, macOS in bytes.
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def places(run: Callable[[], Any], most: int = 5) -> list[str]:
    """Name the functions of ours that are at work most of the time while something runs.

    Whatever another package does counts for the function of ours that called it.
    """
    found: Counter[str] = Counter()
    main, done = threading.get_ident(), threading.Event()

    def look() -> None:
        while not done.wait(0.002):
            frame = sys._current_frames().get(main)
            while frame and str(ROOT / "impact") not in frame.f_code.co_filename:
                frame = frame.f_back
            if frame:
                path = Path(frame.f_code.co_filename).relative_to(ROOT / "impact")
                name = frame.f_code.co_name
                what = "imports" if name == "<module>" else name
                found[f"{path.with_suffix('')} {what}"] += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    total = max(found.total(), 1)
    return [f"{name} {100 * count / total:.0f}%" for name, count in found.most_common(most)]
