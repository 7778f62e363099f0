"""Long work: a bar over what takes more than two seconds, and processes that share it."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

#: Seconds before a bar is shown: what is over sooner shows none.
DELAY = 2.0


def with_bar(steps: Iterable[Any], what: str, total: int | None = None) -> Iterable[Any]:
    """Return the steps, with a bar over them if they take long; it goes when they are over.

    `total` is the number of steps, where they do not know it. A process that works for another
    shows nothing: the other has a bar of its own. Neither does one that nobody watches, as it
    writes into a file.

    Examples
    --------
    >>> sum(with_bar(range(4), "adding"))
    6
    """
    from tqdm.auto import tqdm

    quiet = {} if _is_watched() else {"disable": True}
    return tqdm(steps, desc=what, total=total, delay=DELAY, leave=False, **quiet)


def in_processes(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], what: str, n_jobs: int
) -> Iterable[Any]:
    """Return what a function makes of each job, in their order, with a bar over them.

    Processes are counted as joblib does; `joblib.parallel_config` moves them to a cluster.

    Examples
    --------
    >>> list(in_processes(max, [(1, 2), (4, 3)], "comparing", 1))
    [2, 4]
    """
    from joblib import Parallel, delayed

    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(function)(*job) for job in jobs
    )
    return with_bar(results, what, len(jobs))


def _is_watched() -> bool:
    helps = multiprocessing.parent_process() is not None
    # Another thread may be importing it just now.
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = ask() if ask else None
    return not helps and (sys.stderr.isatty() or hasattr(shell, "kernel"))
