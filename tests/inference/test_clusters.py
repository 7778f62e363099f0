"""Clusters of sessions, against connected pairs found one by one."""

import numpy as np

from impact.inference.clusters import APART, clusters


def test_sessions_are_in_one_cluster_when_a_chain_of_near_ones_joins_them():
    rng = np.random.default_rng(4)
    for _ in range(50):
        positions = rng.permutation(rng.choice(120, size=15, replace=False))
        linked = np.abs(positions[:, None] - positions[None, :]) < APART
        for _ in positions:
            linked = linked @ linked
        found = clusters(positions)
        assert ((found[:, None] == found[None, :]) == linked).all()
        earliest = [positions[found == number].min() for number in range(found.max() + 1)]
        assert earliest == sorted(earliest)


def test_six_sessions_apart_is_far_enough_and_five_is_not():
    assert clusters(np.array([0, 5, 11])).tolist() == [0, 0, 1]


def test_no_sessions_make_no_clusters():
    assert clusters(np.array([], dtype=int)).tolist() == []
