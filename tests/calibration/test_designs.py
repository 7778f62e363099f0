"""Where textbook errors do not hold: overlapping windows, firms in turbulent times, short histories."""

import numpy as np
import pytest
from scipy import stats

import calibration
from calibration import overlap
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.alignment import align
from impact.news.catalogue import load_events


def rates(rows, *keys):
    kept = rows[(rows["level"] == 0.05) & (rows["tail"] == "two-sided")]
    return kept.set_index(list(keys))["rate"]


@pytest.fixture(scope="module")
def overlapping():
    return overlap.overlap_rows(calibration.LAST, calibration.SEED)


def test_the_t_of_an_average_rejects_too_often_where_windows_overlap(overlapping):
    found = rates(overlapping, "group", "window")
    for group in overlap.SETS:
        assert 0.03 < found[group, "(0, 0)"] < 0.065
        assert found[group, "(0, 0)"] < found[group, "(0, 5)"] < found[group, "(0, 10)"]
    assert 0.15 < found["sessions of 2025", "(0, 5)"] < 0.25


def test_its_rate_is_that_of_a_loop_over_the_history(overlapping):
    returns = log_returns(load_prices(end=calibration.LAST))
    values = returns.to_numpy()
    days = align(load_events(), returns.index, market="NYSE")["session"].dropna().unique()
    rows = np.sort(returns.index.get_indexer(days[days.year == 2025]))
    total = len(values) - 259
    p = []
    for shift in range(0, total, 40):
        at = 259 + (rows - 259 + shift) % total
        if at.max() + 6 > len(values):
            continue
        cars = [
            values[t : t + 6].sum() - sum(values[s - 260 : s - 10].mean() for s in range(t, t + 6))
            for t in at
            if t >= 260
        ]
        p.append(stats.ttest_1samp(cars, 0).pvalue)
    rate = (np.array(p) <= 0.05).mean()
    committed = rates(overlapping, "group", "window")["sessions of 2025", "(0, 5)"]
    assert rate == pytest.approx(committed, abs=0.06)
