"""Where textbook errors do not hold: overlapping windows, firm events, short histories."""

import numpy as np
import pytest
from scipy import stats

import calibration
from calibration import firm_events, overlap, short
from impact.inference.conditional import conditional_tests
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


def test_with_a_short_history_the_student_t_rejects_too_often_in_calm_markets():
    asset = short.simulated_asset(np.random.default_rng(4), 9_000)
    rows = short.short_rows([short.tested("coin", asset, short.LENGTH)], 0)
    found = rates(rows, "test", "group")
    for history in short.HISTORIES:
        calm, turbulent = (f"coin, {history}, {third} volatility" for third in ("low", "high"))
        assert found["conditional_t", calm] > max(0.065, found["conditional_t", turbulent])
        assert found["conditional_fhs", calm] < found["conditional_t", calm]
        assert found["conditional_fhs", f"coin, {history}, all"] < 0.065


def test_short_histories_are_tested_as_a_study_tests_them():
    asset = short.simulated_asset(np.random.default_rng(4), 1_000)
    found = short.tested("coin", asset, 1_000)
    for row in (300, 640, 999):
        fhs, t = conditional_tests(asset, first=row, last=row)
        day = asset.index[row]
        assert found.loc[day, "conditional_fhs"] == fhs["p_value"]
        assert found.loc[day, "conditional_t"] == pytest.approx(t["p_value"], rel=1e-12)
        assert found.loc[day, "before"] == fhs["n"]


def test_real_firm_events_are_drawn_on_sessions_of_their_own():
    job = firm_events.firm_event_jobs(calibration.LAST, calibration.SEED, 40)[2]
    found = rates(job(), "test")
    assert list(found.index) == list(firm_events.TESTS)
    assert found["bmp"] < 0.2 and (found >= 0).all()
