"""The variance known before a window: against a known truth, and blind to what comes after."""

import math

import numpy as np
import pandas as pd
import pytest

from impact.errors import HistoryError
from impact.market.bars import BarGrid, bar_grid, load_bars
from impact.market.calendar import nyse_sessions
from impact.volatility import clock
from impact.volatility.clock import PARTS, clock_variance, windows

CLOSE = 143


def simulated(sessions=250, *, pattern=None, level=0.01, seed=0, first=0, last=191):
    """A grid whose bars have a known variance: level² times the pattern."""
    days = nyse_sessions("2024-10-24", "2026-12-31")[:sessions]
    rng = np.random.default_rng(seed)
    pattern = np.full(191, 1 / 191) if pattern is None else pattern
    steps = rng.standard_normal((sessions, 191)) * np.sqrt(pattern) * level
    price = np.cumsum(np.column_stack([np.zeros(sessions), steps]), axis=1)
    price[:, :first] = np.nan
    price[:, last + 1 :] = np.nan
    return BarGrid(days, 5 + price, np.full(sessions, CLOSE))


@pytest.fixture(scope="module")
def known():
    return clock_variance(bar_grid(load_bars()))


def test_shares_of_a_session_sum_to_one_and_are_not_known_before_thirty_sessions(known):
    assert np.isnan(known.share[:30]).all() and np.isnan(known.share[:, 0]).all()
    assert known.share[30:, 1:].sum(axis=1) == pytest.approx(np.ones(342))
    assert (known.share[30:, 1:] > 0).all()


def test_what_was_known_can_be_a_key_of_what_is_remembered_of_it(known):
    assert {known: "ranks"}[known] == "ranks"


def test_the_first_windows_are_tested_on_8_january_2025(known):
    sigma = windows(known, 6).sigma
    first = np.flatnonzero(np.isfinite(sigma).any(axis=1))[0]
    assert first == known.tested_from == 51
    assert known.grid.sessions[first] == pd.Timestamp("2025-01-08")


def test_the_known_variance_of_simulated_prices_is_found_at_every_hour():
    pattern = np.linspace(1, 6, 191)
    pattern /= pattern.sum()
    grid = simulated(pattern=pattern, level=0.012)
    found = windows(clock_variance(grid), 6)
    share = np.convolve(pattern, np.ones(6), "valid")
    truth = 0.012 * np.sqrt(share)
    late = found.sigma[150:]
    assert np.median(late / truth, axis=0) == pytest.approx(np.ones(186), abs=0.12)
    assert np.median(late / truth) == pytest.approx(1, abs=0.03)
    z = found.z[60:]
    assert np.nanstd(z) == pytest.approx(1, abs=0.08)


def test_the_level_is_the_mean_of_two_averages_that_halve_in_half_an_hour_and_in_eight():
    grid = simulated(33, seed=4)
    known = clock_variance(grid)
    pace = np.square(np.diff(grid.log_price, axis=1)) / known.share[:, 1:]
    first = pace[30].mean()
    fast = slow = first
    for row in range(30, 33):
        for bar in range(191):
            level = known.level[row, bar + 1]
            assert level == pytest.approx(math.sqrt(fast * slow), rel=1e-12)
            fast += (1 - 0.5 ** (1 / 6)) * (pace[row, bar] - fast)
            slow += (1 - 0.5 ** (1 / 96)) * (pace[row, bar] - slow)


def test_the_pattern_is_the_smoothed_mean_of_earlier_shares_without_their_largest_hundredth():
    grid = simulated(40, seed=5)
    known = clock_variance(grid)
    squares = np.square(np.diff(grid.log_price, axis=1))
    for row in (30, 31, 39):
        past = squares[:row] / squares[:row].sum(axis=1, keepdims=True)
        mean = np.minimum(past, np.quantile(past, 0.99, axis=0)).mean(axis=0)
        around = np.concatenate([mean[:1], mean, mean[-1:]])
        smooth = (around[:-2] + around[1:-1] + around[2:]) / 3
        np.testing.assert_allclose(known.share[row, 1:], smooth / smooth.sum(), rtol=1e-12)


def test_the_scale_is_the_mean_of_all_earlier_ratios_without_their_largest_two_hundredth():
    rng = np.random.default_rng(6)
    sessions = [rng.chisquare(1, 37 * (row % 7 != 3)) for row in range(60)]
    found = clock._expanding_means(sessions)
    for row in range(60):
        earlier = [part for part in sessions[:row] if len(part)]
        if len(earlier) < 20:
            assert np.isnan(found[row])
        else:
            every = np.concatenate(earlier)
            expected = np.minimum(every, np.quantile(every, 0.995)).mean()
            assert found[row] == pytest.approx(expected, rel=1e-12)


def test_a_turbulent_afternoon_is_known_an_hour_later():
    grid = simulated()
    calm = windows(clock_variance(grid), 6).sigma[200, 120]
    price = grid.log_price.copy()
    shocks = np.zeros(192)
    shocks[90:108] = 0.004 * (-1) ** np.arange(18)
    price[200] += np.cumsum(shocks)
    turbulent = windows(clock_variance(BarGrid(grid.sessions, price, grid.close)), 6).sigma
    assert turbulent[200, 120] > 1.5 * calm
    # What came before the shocks knows nothing of them.
    before = windows(clock_variance(grid), 6).sigma
    assert np.array_equal(turbulent[:200], before[:200], equal_nan=True)
    assert np.array_equal(turbulent[200, :89], before[200, :89], equal_nan=True)


@pytest.mark.parametrize("bars", [1, 6, 7, 24])
def test_every_bar_after_a_window_may_be_noise(known, bars):
    grid = known.grid
    rng = np.random.default_rng(bars)
    found = windows(known, bars)
    for row, column in ((60, 10), (118, 110), (118, 165), (300, 70)):
        price = grid.log_price.copy()
        later = np.zeros(price.shape, dtype=bool)
        later[row, column + bars + 1 :] = True
        later[row + 1 :] = True
        price[later] = np.where(
            np.isfinite(price[later]), 6 + rng.normal(0, 0.1, later.sum()), np.nan
        )
        noisy = windows(clock_variance(BarGrid(grid.sessions, price, grid.close)), bars)
        assert np.isfinite(found.z[row, column])
        for name in ("move", "sigma", "z"):
            assert getattr(noisy, name)[row, column] == getattr(found, name)[row, column]


def test_parts_of_the_day_end_where_trading_ends(known):
    found = windows(known, 6)
    usual, half = 100, known.grid.sessions.get_loc(pd.Timestamp("2025-07-03"))
    names = np.array(PARTS)[found.part]
    column = {"09:00": 59, "09:05": 60, "09:30": 65, "12:30": 101, "13:00": 107, "15:30": 137}
    column |= {"15:35": 138, "16:00": 143}
    shown = {clock: names[usual, at] for clock, at in column.items()}
    assert shown == {
        "09:00": "pre-open",
        "09:05": "across 09:30",
        "09:30": "trading",
        "12:30": "trading",
        "13:00": "trading",
        "15:30": "trading",
        "15:35": "across the close",
        "16:00": "after hours",
    }
    assert names[half, 101] == "trading" and names[half, 102] == "across the close"
    assert names[half, 107] == "after hours"


def test_a_window_needs_all_its_bars(known):
    found = windows(known, 6)
    half = known.grid.sessions.get_loc(pd.Timestamp("2025-07-03"))
    late = known.grid.sessions.get_loc(pd.Timestamp("2025-11-03"))
    assert np.isfinite(found.move[half]).sum() == 156 - 6  # 04:05 to 17:00
    assert np.flatnonzero(np.isfinite(found.move[late])).tolist() == list(range(65, 138))


def test_regular_hours_alone_have_a_pattern_of_their_own():
    bars = load_bars()
    bars = bars[
        (bars.index.strftime("%H:%M") >= "09:30") & (bars.index.strftime("%H:%M") <= "16:00")
    ]
    known = clock_variance(bar_grid(bars))
    assert np.nansum(known.share[40]) == pytest.approx(1)
    there = np.flatnonzero(np.isfinite(known.share[40]))
    assert there.tolist() == list(range(66, 144))
    found = windows(known, 6)
    sigma = found.sigma[np.isfinite(found.sigma)]
    assert len(sigma) and set(found.part[np.isfinite(found.sigma)]) <= {1, 2, 4}
    assert np.nanstd(found.z) == pytest.approx(1, abs=0.05)


def test_where_the_opening_price_is_missing_the_first_bar_belongs_to_no_window():
    bars = load_bars()["2025-10-20":]
    without = bars[bars.index.strftime("%H:%M") != "09:30"]
    found = windows(clock_variance(bar_grid(without)), 6)
    assert np.isnan(found.move[:, 65]).all() and np.isfinite(found.sigma[-1, 66])


def test_too_few_sessions_and_prices_that_do_not_move_are_refused():
    with pytest.raises(HistoryError, match=r"needs 30 sessions .* the bars have 31: bring more"):
        clock_variance(simulated(31))
    assert clock_variance(simulated(32)).first == 31
    still = simulated(60)
    flat = still.log_price.copy()
    flat[30] = 5.0
    with pytest.raises(HistoryError, match="prices do not move on 2024-12-06"):
        clock_variance(BarGrid(still.sessions, flat, still.close))
