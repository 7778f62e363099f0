"""Who was hit: relative moves against a slow loop, and how often they reject where they should."""

import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import HistoryError, InferenceError, WindowError
from impact.inference.who_was_hit import relative_max, relative_moves
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.study.event_study import event_study

#: Sessions of a trailing volatility, and of a block in the Monte Carlo error of a rate.
MONTH = 22


@functools.cache
def sectors():
    return log_returns(load_prices("sectors"))


def made(returns, sessions, window=(0, 0)):
    """A study whose estimation window asks for little: relative moves do not use it."""
    return event_study(
        returns,
        pd.DataFrame({"session": sessions}),
        estimation=(-40, -11),
        window=window,
        min_observations=20,
        volatility=None,
    )


def table(values):
    columns = [f"S{i:02d}" for i in range(values.shape[1])]
    return pd.DataFrame(values, pd.bdate_range("2015-01-01", periods=len(values)), columns)


def clustered(seed, sessions=1200, columns=11):
    """Securities with a common factor, a common and an own volatility, all of them clustered."""
    rng = np.random.default_rng(seed)
    log_vol = np.zeros((sessions, columns + 1))
    for t in range(1, sessions):
        shock = 0.10 * rng.standard_normal() + 0.05 * rng.standard_normal(columns + 1)
        log_vol[t] = 0.97 * log_vol[t - 1] + shock
    z = rng.standard_t(5, (sessions, columns + 1)) * np.sqrt(3 / 5)
    moves = 0.01 * np.exp(log_vol) * z
    return table(moves[:, :1] + 0.6 * moves[:, 1:])


# -- against a loop ------------------------------------------------------------------------------


def slow_z(returns, length):
    """Cumulated relative moves and z of every window, one number at a time."""
    values = returns.to_numpy().tolist()
    apart = [[x - sum(row) / len(row) for x in row] for row in values]
    found = {}
    for j in range(len(apart[0])):
        variance = sum(row[j] ** 2 for row in apart[:60]) / 60
        for first in range(60, len(apart) - length + 1):
            if first > 60:
                variance = 0.94 * variance + 0.06 * apart[first - 1][j] ** 2
            move = sum(apart[t][j] for t in range(first, first + length))
            found[first, j] = move, move / (length * variance) ** 0.5
    return found


def slow_step_down(z, row, length, columns):
    """Step down from the largest: the hypotheses that are left are tested by their maximum."""
    others = [t for t, j in z if j == 0 and abs(t - row) >= length]
    left, adjusted, running = set(range(columns)), {}, 0.0
    while left:
        top = max(left, key=lambda j: abs(z[row, j][1]))
        beyond = sum(max(abs(z[t, j][1]) for j in left) >= abs(z[row, top][1]) for t in others)
        running = max(running, (1 + beyond) / (1 + len(others)))
        adjusted[top] = running
        left.remove(top)
    return [adjusted[j] for j in range(columns)], len(others)


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (-1, 2), (3, 5)])
def test_moves_z_and_p_are_those_of_a_slow_loop(start, end):
    returns = sectors()
    rows = [150, 312, 487]
    study = made(returns, returns.index[rows], window=(-5, 5))
    moves = relative_moves(study, start, end)
    length = (start if end is None else end) - start + 1
    z = slow_z(returns, length)
    for place, row in enumerate(rows):
        first = row + start
        expected, others = slow_step_down(z, first, length, 11)
        np.testing.assert_allclose(
            moves.estimate.iloc[place], [z[first, j][0] for j in range(11)], rtol=1e-9, atol=1e-15
        )
        np.testing.assert_allclose(
            moves.z.iloc[place], [z[first, j][1] for j in range(11)], rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(moves.p_adjusted.iloc[place], expected, rtol=1e-12)
        assert moves.pool.iloc[place] == others
    assert moves.window.length == length


def test_one_event_is_tested_as_it_is_among_many():
    returns = sectors()
    days = returns.index[[200, 315, 400]]
    together = relative_moves(made(returns, days))
    alone = relative_max(made(returns, days[1:2]))
    assert alone.p_value == together.p_max.iloc[1]
    assert alone.statistic == together.z.iloc[1].abs().max()
    assert (alone.n, alone.distribution) == (11, "largest |z| of 1,992 other sessions")


def test_the_table_holds_every_cell_and_shows_itself():
    returns = sectors()
    moves = relative_moves(made(returns, returns.index[[200, 315]]))
    table = moves.to_frame()
    assert table.shape == (22, 3)
    event, security = table.index[13]
    for name in ("estimate", "z", "p_adjusted"):
        assert table[name].iloc[13] == getattr(moves, name).loc[event, security]
    shown = str(moves.summary())
    assert all(name in shown for name in returns.columns)
    assert moves.signature in shown and moves.signature in moves.to_csv()
    assert "<table" in moves._repr_html_()


# -- properties ----------------------------------------------------------------------------------


def test_the_moves_of_a_session_sum_to_zero_and_a_common_move_changes_nothing():
    returns = sectors()
    days = returns.index[[100, 320]]
    before = relative_moves(made(returns, days))
    np.testing.assert_allclose(before.estimate.sum(axis=1), 0, atol=1e-15)
    common = np.random.default_rng(1).normal(0, 0.03, (len(returns), 1))
    after = relative_moves(made(returns + common, days))
    np.testing.assert_allclose(after.z, before.z, rtol=1e-9)
    pd.testing.assert_frame_equal(after.p_adjusted, before.p_adjusted)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), columns=st.integers(2, 7), row=st.integers(70, 330))
def test_step_down_p_follow_the_size_of_z_and_allow_for_all(seed, columns, row):
    returns = clustered(seed, 340, columns)
    moves = relative_moves(made(returns, returns.index[[row]]))
    size, p = moves.z.iloc[0].abs(), moves.p_adjusted.iloc[0]
    order = size.sort_values(ascending=False).index
    assert p[order].is_monotonic_increasing
    assert p[order[0]] == moves.p_max.iloc[0]
    assert (p >= 1 / (1 + moves.pool.iloc[0])).all() and (p <= 1).all()
    # Scale and order of the columns are no part of the question.
    again = relative_moves(made(7 * returns[returns.columns[::-1]], returns.index[[row]]))
    np.testing.assert_allclose(again.p_adjusted.iloc[0][returns.columns], p)


def test_step_down_finds_more_than_the_maximum_alone_and_never_less():
    returns = sectors()
    moves = relative_moves(made(returns, returns.index[60:]))
    z = moves.z.abs().to_numpy()
    largest = z.max(axis=1)
    # Single step: every security against the maximum over all of them.
    single = np.array(
        [
            [(1 + (np.delete(largest, t) >= value).sum()) / len(z) for value in z[t]]
            for t in range(len(z))
        ]
    )
    stepped = moves.p_adjusted.to_numpy()
    assert (stepped <= single + 1e-12).all()
    assert (stepped <= 0.05).sum() > (single <= 0.05).sum()


def test_a_security_that_falls_alone_is_the_one_that_is_found():
    returns = clustered(3)
    row = 700
    quiet = returns.iloc[row] * 0 + returns.iloc[row].mean()
    returns.iloc[row] = quiet
    returns.iloc[row, 4] -= 0.20
    moves = relative_moves(made(returns, returns.index[[row]]))
    p = moves.p_adjusted.iloc[0]
    assert p.index[p <= 0.05].to_list() == ["S04"]
    # It carries a tenth of its fall over to each of the ten others through the average.
    np.testing.assert_allclose(moves.estimate.iloc[0].drop("S04"), 0.20 / 11, atol=1e-12)


def test_what_comes_later_does_not_change_z():
    returns = sectors()
    days = returns.index[[300]]
    z = relative_moves(made(returns, days)).z
    np.testing.assert_array_equal(relative_moves(made(returns.iloc[:320], days)).z, z)


# -- missing returns -----------------------------------------------------------------------------


def test_each_event_compares_the_securities_that_were_there():
    """XLRE began in October 2015 and XLC in June 2018."""
    prices = load_prices("sectors", start="2005-01-03")
    returns = log_returns(prices)
    # On 15 August 2018 XLC had been there for forty sessions: enough for a fit, not for a z.
    days = pd.to_datetime(["2011-08-08", "2016-06-24", "2018-08-15", "2025-04-03"])
    moves = relative_moves(made(returns, days))
    absent = [["XLC", "XLRE"], ["XLC"], ["XLC"], []]
    for day, missing in zip(moves.z.index, absent, strict=True):
        assert sorted(moves.z.columns[moves.z.loc[day].isna()]) == missing
        there = returns.drop(columns=missing).dropna()
        alone = relative_moves(made(there, pd.to_datetime([day])))
        for name in ("estimate", "z", "p_adjusted"):
            found = getattr(moves, name).loc[day].dropna()
            pd.testing.assert_series_equal(found, getattr(alone, name).loc[day], rtol=1e-9)
        assert moves.pool[day] == alone.pool[day] and moves.p_max[day] == alone.p_max[day]
    assert len(moves.table) == 9 + 10 + 10 + 11
    text = str(moves.summary())
    assert "Left out: 4 of 44 (" in text and "2011-08-08 XLC" in text


def test_a_session_with_a_missing_return_is_passed_over():
    returns = sectors()
    gap = returns.copy()
    del gap.attrs["gaps"]  # returns are blanked, no prices: the next one is of one session
    gap.iloc[[10, 150], 3] = np.nan
    gap.iloc[600, 5] = np.nan
    days = returns.index[[300, 700]]
    ours = relative_moves(made(gap, days))
    shorter = relative_moves(made(gap.dropna(), days))
    np.testing.assert_allclose(ours.z, shorter.z, rtol=1e-9)
    pd.testing.assert_frame_equal(ours.p_adjusted, shorter.p_adjusted)


def test_no_window_reaches_over_a_missing_return():
    gap = sectors().copy()
    del gap.attrs["gaps"]
    gap.iloc[500, 3] = np.nan
    days = gap.index[[300]]
    whole, holed = (relative_moves(made(one, days, (0, 4)), 0, 4) for one in (sectors(), gap))
    assert (whole.pool - holed.pool).item() == 5
    here = relative_moves(made(gap, gap.index[[498]], (0, 4)), 0, 4)
    assert here.dropped["security"].to_list() == ["XLF"] and here.z["XLF"].isna().all()


def test_one_security_alone_is_compared_with_nothing():
    returns = sectors().iloc[:, :2].copy()
    returns.iloc[295:, 1] = np.nan
    with pytest.raises(InferenceError, match="'XLB' alone is there"):
        relative_moves(made(returns, returns.index[[290, 300]]))


# -- size ----------------------------------------------------------------------------------------


def rates(returns, length=1):
    """Rejection rate at 5% in the calm and in the turbulent half, with its block Monte Carlo error.

    Every session is an event. Halves by the volatility of the portfolio over the 22 sessions
    before, which no test uses.
    """
    trailing = returns.mean(axis=1).rolling(MONTH).std().shift(1)
    sessions = returns.index[60 : len(returns) - length + 1]
    study = made(returns, sessions, window=(0, length - 1))
    moves = relative_moves(study, 0, length - 1)
    rejects = (moves.p_max <= 0.05).to_numpy()
    known = trailing[sessions].to_numpy()
    turbulent = known > np.median(known)
    starts = np.random.default_rng(0).integers(0, len(rejects), (2000, -(-len(rejects) // MONTH)))
    drawn = (starts[:, :, None] + np.arange(MONTH)).reshape(2000, -1) % len(rejects)
    return {
        half: (
            rejects[inside].mean(),
            ((rejects & inside)[drawn].sum(axis=1) / inside[drawn].sum(axis=1)).std(),
        )
        for half, inside in (("calm", ~turbulent), ("turbulent", turbulent))
    }


def test_size_on_the_real_funds_in_the_calm_and_in_the_turbulent_half():
    found = rates(sectors())
    for half, (rate, error) in found.items():
        assert 0.035 <= rate <= 0.065, f"{half}: {rate:.3f} ({error:.3f})"
        assert error < 0.02
    # Measured: 5.9% (1.7) and 4.1% (1.3).
    assert abs(found["calm"][0] - found["turbulent"][0]) < 0.03


@pytest.mark.parametrize("length", [2, 5])
def test_size_of_windows_on_the_real_funds(length):
    for half, (rate, error) in rates(sectors(), length).items():
        assert 0.035 - error <= rate <= 0.065 + error, f"{half}: {rate:.3f} ({error:.3f})"


def test_size_under_simulated_clustered_variances():
    found = [rates(clustered(seed)) for seed in range(4)]
    for half in ("calm", "turbulent"):
        rate = np.mean([each[half][0] for each in found])
        assert 0.035 <= rate <= 0.065, f"{half}: {rate:.3f}"


def test_the_experiment_sees_a_variance_that_is_taken_as_constant():
    """On the same simulated returns a rank without the variance of the eve misses that bar."""
    found = []
    for seed in range(4):
        returns = clustered(seed)
        apart = returns.sub(returns.mean(axis=1), axis=0)
        largest = (apart / apart.std()).abs().max(axis=1).iloc[60:]
        rejects = largest.rank(ascending=False) <= 0.05 * len(largest)
        trailing = returns.mean(axis=1).rolling(MONTH).std().shift(1)[largest.index]
        found.append(rejects[trailing > trailing.median()].mean())
    assert np.mean(found) > 0.065


# -- bad input -----------------------------------------------------------------------------------


def test_what_cannot_be_tested_is_refused_with_the_reason():
    returns = sectors()
    days = returns.index[[300, 400]]
    with pytest.raises(InferenceError, match="share their event dates"):
        relative_moves(made(returns["XLK"], days))
    firms = pd.DataFrame({"session": days, "security": ["XLK", "XLE"]})
    with pytest.raises(InferenceError, match="without `security`"):
        relative_moves(event_study(returns, firms, volatility=None))
    with pytest.raises(WindowError, match="0, 3"):
        relative_moves(made(returns, days), 0, 3)
    with pytest.raises(InferenceError, match=r"study\['id'\]"):
        relative_max(made(returns, days))


def test_short_histories_and_twins_are_refused_by_name():
    returns = sectors()
    days = returns.index[[300]]
    with pytest.raises(HistoryError, match=r"189 other sessions can be ranked: give .* longer"):
        relative_moves(made(returns.iloc[:250], returns.index[[200]]))
    with pytest.raises(HistoryError, match="needs 60 sessions before it"):
        relative_moves(made(returns, returns.index[[50]]))
    twins = pd.DataFrame({"a": returns["XLK"], "b": returns["XLK"]})
    with pytest.raises(InferenceError, match="'a' always moves as the average"):
        relative_moves(made(twins, days))


def test_a_return_of_several_sessions_is_no_move_of_one():
    prices = load_prices("sectors")
    prices.loc["2025-04-02", "XLK"] = np.nan
    returns = log_returns(prices)
    moves = relative_moves(event_study(returns, ["2025-04-03"], volatility="ewma"))
    (left,) = moves.dropped.to_dict("records")
    assert left["security"] == "XLK" and "no return of one session" in left["reason"]
    others = returns.drop(columns="XLK").loc["2025-04-03"]
    expected = others - others.mean()
    np.testing.assert_allclose(moves.estimate.iloc[0].drop("XLK"), expected, rtol=1e-12)
