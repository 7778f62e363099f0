"""Who was hit, every session an event: which sessions are counted together."""

import numpy as np
import pandas as pd
import pytest

from calibration.who_was_hit import hit_rows
from impact.inference.size import LARGEST, LARGEST_IN_PERCENT, SOME_DAY


def sessions(seed, windows):
    """p falls below 5% on the ten of 200 sessions with the largest move in percent, and never else.

    Volatility is 1 or 5: by z the largest moves are others.
    """
    rng = np.random.default_rng(seed)
    z, spread = rng.normal(size=200), np.repeat([0.01, 0.05], 100)
    frame = pd.DataFrame({"market_z": z, "market": z * spread, "sample": "sectors"})
    far = frame["market"].abs().rank(ascending=False) <= 10
    return frame.assign(p=np.where(far, 0.01, 0.5), window="(0, 5)", windows=windows)


def test_the_largest_moves_are_counted_by_both_of_their_sizes():
    frame = sessions(1, 1)
    rows = hit_rows([frame], 1).query("level == 0.05").set_index("group")
    assert rows.loc[f"sectors: {LARGEST_IN_PERCENT}", "rate"] == 1
    by_z = frame["market_z"].abs().rank(ascending=False) <= 10
    expected = (frame["p"] <= 0.05)[by_z].mean()
    assert rows.loc[f"sectors: {LARGEST}", "rate"] == pytest.approx(expected) and expected < 1
    assert rows.loc["sectors: all", "rate"] == pytest.approx(0.05)
    assert rows["n"][[f"sectors: {LARGEST}", f"sectors: {LARGEST_IN_PERCENT}"]].to_list() == [
        10,
        10,
    ]


def test_of_several_windows_only_the_share_of_all_sessions_is_counted():
    rows = hit_rows([sessions(2, 5)], 1)
    assert set(rows["group"]) == {f"sectors: {SOME_DAY}"}
    assert rows.set_index("level").loc[0.05, "rate"] == pytest.approx(0.05)
