"""Sample quantile, conformal and single-event placebo tests against slow loops."""

import history
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import impact
from impact import inference
from impact.errors import HistoryError, InferenceError, WindowError
from impact.inference.unconditional import (
    among_cyclic_shifts,
    among_earlier_windows,
    among_residuals,
)


@pytest.mark.parametrize("k", [1, 3])
def test_sample_quantile_by_counting(k):
    rng = np.random.default_rng(k)
    residuals, ar = rng.standard_normal(250), rng.standard_normal(k) + 0.8
    sums = [residuals[t : t + k].sum() for t in range(250 - k + 1)]
    up, down = sum(s >= ar.sum() for s in sums), sum(s <= ar.sum() for s in sums)
    test = among_residuals(residuals, ar)
    assert test["n"] == 250 - k + 1
    assert test["p_value"] == pytest.approx(min(1, 2 * (1 + min(up, down)) / (len(sums) + 1)))


@pytest.mark.parametrize("k", [1, 4])
def test_conformal_by_shifting_every_residual(k):
    rng = np.random.default_rng(10 + k)
    estimation, window = rng.standard_normal(120), rng.standard_normal(k) + 0.7
    joined = np.concatenate([estimation, window])
    residuals = joined - joined.mean()
    own = abs(residuals[-k:].sum()) / np.sqrt(k)
    shifted = [abs(np.roll(residuals, s)[-k:].sum()) / np.sqrt(k) for s in range(len(joined))]
    test = among_cyclic_shifts(estimation, window)
    assert test["statistic"] == pytest.approx(own, rel=1e-12)
    assert test["p_value"] == sum(s >= own - 1e-12 for s in shifted) / len(joined)


def test_conformal_p_of_the_largest_move_is_one_over_all():
    estimation = np.random.default_rng(0).standard_normal(99)
    assert among_cyclic_shifts(estimation, np.array([12.0]))["p_value"] == 0.01


@pytest.mark.parametrize("k", [1, 2, 5])
def test_placebo_by_a_loop_over_sessions(k):
    returns = history.index_returns().to_numpy()[:1_500]
    at = 1_400

    def z(first):
        past = returns[first - 260 : first - 10]
        error = past.std(ddof=1) * np.sqrt(k + k**2 / 250)
        return (returns[first : first + k].sum() - k * past.mean()) / error

    others = [abs(z(first)) for first in range(260, at - k + 1)]
    test = among_earlier_windows(returns, at, k)
    assert test["statistic"] == pytest.approx(z(at), rel=1e-10)
    assert test["n"] == len(others)
    assert test["p_value"] == (1 + sum(o >= abs(z(at)) for o in others)) / (len(others) + 1)


def test_placebo_z_is_the_prediction_t_of_the_sp500():
    returns = history.index_returns().to_numpy()
    facts = {"2025-04-09": 10.344, "2025-04-03": -5.744, "2025-05-02": 1.204}
    for day, t in facts.items():
        test = among_earlier_windows(returns, history.row(day))
        assert test["statistic"] == pytest.approx(t, abs=5e-4)


def test_placebo_sees_nothing_after_the_window():
    returns = history.garch_path(900, seed=1)
    planted = returns.copy()
    planted[802:] = np.nan
    assert among_earlier_windows(planted, 800, 2) == among_earlier_windows(returns, 800, 2)


def test_placebo_leaves_out_windows_whose_estimation_does_not_vary():
    returns = history.garch_path(900, seed=1)
    returns[:300] = 0.001
    test = among_earlier_windows(returns, 800)
    assert test["n"] < 800 - 260
    assert 0 < test["p_value"] <= 1


@pytest.mark.parametrize("name", ["quantile", "conformal", "placebo"])
def test_p_is_uniform_on_independent_returns(name):
    rng = np.random.default_rng(99)
    p = []
    for _ in range(400):
        returns = rng.standard_t(5, 700) * 0.01
        past, window = returns[429:679], returns[689:691]
        if name == "quantile":
            p.append(among_residuals(past - past.mean(), window[:1] - past.mean())["p_value"])
        elif name == "conformal":
            p.append(among_cyclic_shifts(past, window)["p_value"])
        else:
            p.append(among_earlier_windows(returns, 689, 2)["p_value"])
    assert stats.kstest(p, "uniform").pvalue > 0.05


@pytest.mark.parametrize("hole", [450, 700])
def test_a_return_across_a_missing_close_is_none_of_one_session(hole):
    days = impact.nyse_sessions("2018-01-02", "2021-12-31")
    moves = 0.01 * np.random.default_rng(12).standard_normal(len(days))
    prices = pd.Series(100 * np.exp(moves.cumsum()), days, name="S")
    prices.iloc[hole] = np.nan
    study = impact.event_study(impact.log_returns(prices.to_frame()), [days[790]], volatility=None)
    alone = np.delete(moves, [hole, hole + 1])
    if hole == 450:
        found = inference.placebo_session(study, 0, 1)
        expected = among_earlier_windows(moves[hole + 2 :], 790 - hole - 2, 2)
    else:
        found = inference.conformal(study, 0, 1)
        # Two rows of the estimation window are gone, the later ones lie two rows earlier.
        expected = among_cyclic_shifts(alone[530:778], moves[790:792])
    assert found.n == expected["n"] and found.p_value == expected["p_value"]
    assert found.statistic == pytest.approx(expected["statistic"], rel=1e-9)


def test_forty_values_are_just_enough_to_rank_among():
    values = 0.01 * np.random.default_rng(8).standard_normal(400)
    assert among_residuals(values[:42], values[:3])["n"] == 40
    assert among_cyclic_shifts(values[:39], values[39:40])["n"] == 40
    # Windows of two sessions from 260 on, the last of them 299 and 300.
    assert among_earlier_windows(values, 301, 2)["n"] == 40
    with pytest.raises(InferenceError, match="needs 40 sums"):
        among_residuals(values[:41], values[:3])
    with pytest.raises(InferenceError, match="needs 40 sessions and there are 39"):
        among_cyclic_shifts(values[:38], values[39:40])
    with pytest.raises(HistoryError, match="301 sessions in all, and 300 are available"):
        among_earlier_windows(values, 300, 2)


def test_bad_input_is_named():
    returns = history.garch_path(900, seed=1)
    with pytest.raises(InferenceError, match="needs 40 sums of 3 residuals"):
        among_residuals(returns[:41], returns[:3])
    with pytest.raises(InferenceError, match="needs 40 sessions and there are 31"):
        among_cyclic_shifts(returns[:30], returns[30:31])
    with pytest.raises(InferenceError, match="1 return of 1 missing"):
        among_cyclic_shifts(returns[:250], np.array([np.nan]))
    with pytest.raises(WindowError, match="k=0"):
        among_earlier_windows(returns, 800, 0)
    with pytest.raises(WindowError, match=r"estimation=\(-11, -260\)"):
        among_earlier_windows(returns, 800, estimation=(-11, -260))
    with pytest.raises(WindowError, match="position=900"):
        among_earlier_windows(returns, 900)
    with pytest.raises(HistoryError, match="300 sessions in all, and 290 are available"):
        among_earlier_windows(returns, 290)
    flat = returns.copy()
    flat[500:790] = 0.0
    with pytest.raises(InferenceError, match="do not vary"):
        among_earlier_windows(flat, 800)
