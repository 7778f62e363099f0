"""Pairs are taken some at a time: as many as fit into the processor's cache, at least one."""

import numpy as np
import pytest

from impact.estimation.pairs import CHUNK_NUMBERS, Pairs


@pytest.mark.parametrize(
    ("row_length", "sizes"),
    [
        (CHUNK_NUMBERS // 3, [3, 3, 1]),
        (CHUNK_NUMBERS // 2 + 1, [1] * 7),
        (2 * CHUNK_NUMBERS, [1] * 7),
        (1, [7]),
    ],
)
def test_chunks_hold_what_fits_and_every_pair_once(row_length, sizes):
    pairs = Pairs(np.arange(7), np.zeros(7, int))
    parts = [pairs[chunk].position for chunk in pairs.chunks(row_length)]
    assert [len(part) for part in parts] == sizes
    assert np.concatenate(parts).tolist() == list(range(7))
