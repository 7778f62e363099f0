"""Pairs of event and security: where each stands in the returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Pairs are taken in chunks whose largest array has at most this many numbers (1 MiB: it then
#: stays in the processor's cache).
CHUNK_NUMBERS = 2**17


@dataclass(frozen=True)
class Pairs:
    """Where M (event, security) pairs stand in the returns.

    Attributes
    ----------
    position : ndarray of int, shape (M,)
        Row of relative session 0.
    column : ndarray of int, shape (M,)
        Column of the security.
    """

    position: np.ndarray
    column: np.ndarray

    def __len__(self) -> int:
        return len(self.position)

    def __getitem__(self, pick: slice | np.ndarray) -> Pairs:
        return Pairs(self.position[pick], self.column[pick])

    def chunks(self, row_length: int) -> Iterator[slice]:
        """Yield slices of pairs that keep arrays of `row_length` columns small."""
        step = max(1, CHUNK_NUMBERS // row_length)
        for first in range(0, len(self), step):
            yield slice(first, min(first + step, len(self)))
