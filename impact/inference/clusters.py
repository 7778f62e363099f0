"""Which sessions of a set count as one observation: those that follow each other closely.

An announcement, the answer to it and its repair within a week share their effect and their
calm or turbulence; taken one by one they would pass for as many independent observations.
"""

from __future__ import annotations

import numpy as np

#: Sessions at least so far apart are in different clusters.
APART = 6


def clusters(positions: np.ndarray) -> np.ndarray:
    """Number the clusters that sessions fall into, from 0 in order of time.

    `positions` are rows of the sessions in the returns, in any order. Two sessions fewer than six
    rows apart are in one cluster, and so is a chain of such.

    Examples
    --------
    >>> clusters(np.array([10, 31, 15, 37, 20])).tolist()
    [0, 1, 0, 2, 0]
    """
    order = np.argsort(positions, kind="stable")
    numbers = np.empty(len(order), dtype=int)
    numbers[order] = np.cumsum(np.diff(positions[order], prepend=positions[order][:1]) >= APART)
    return numbers
