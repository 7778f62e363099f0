"""Fits from running sums against the fits of the windows themselves, one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from impact.estimation import least_squares
from impact.study.event_study import event_study

MODELS = ["constant-mean", "market", "factors", "raw", "market-adjusted"]


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2015-01-01", periods=900)
    factors = pd.DataFrame(0.01 * rng.standard_normal((900, 2)) + 5e-4, days, ["mkt", "smb"])
    returns = pd.DataFrame(0.02 * rng.standard_normal((900, 6)) + 0.001, days, [*"ABCDEF"])
    returns += factors.to_numpy() @ rng.standard_normal((2, 6))
    returns.iloc[:250, 0] *= 30
    return returns, factors


def studied(given, model):
    returns, factors = given
    options = {"factors": factors} if model == "factors" else {}
    if model.startswith("market"):
        options["benchmark"] = factors["mkt"]
    events = pd.DataFrame({"session": returns.index[270:880:5]})
    return event_study(returns, events, model=model, volatility=None, kind="log", **options)


@pytest.mark.parametrize("model", MODELS)
def test_running_sums_give_the_fits_and_cars_of_the_windows(given, model, monkeypatch):
    windows = studied(given, model)
    assert windows.fits.estimates.abnormal is not None
    monkeypatch.setattr(least_squares, "MANY", 0)
    sums = studied(given, model)
    assert sums.fits.estimates.abnormal is None
    for start, end in ((0, 0), (-5, 5), (1, 3)):
        expected, found = windows.car(start, end), sums.car(start, end)
        assert (found["estimate"] - expected["estimate"]).abs().max() < 3e-14
        pd.testing.assert_frame_equal(found, expected, rtol=1e-10, atol=1e-11)
    # That is what they are for: a window of many pairs is read without a number for each session.
    assert "abnormal" not in vars(sums.fits) and windows.over(0).sums is None
    pd.testing.assert_frame_equal(sums.fit, windows.fit, rtol=1e-10, atol=3e-14)
    pd.testing.assert_frame_equal(sums.abnormal, windows.abnormal, rtol=1e-10, atol=3e-14)
    pd.testing.assert_frame_equal(sums.std_error, windows.std_error, rtol=1e-10)
    one = sums.take(np.array([5, 17]))
    pd.testing.assert_frame_equal(one.car(0, 1), windows.car(0, 1).iloc[[5, 17]], atol=1e-11)


def test_a_calm_window_after_a_wild_one_is_read_itself(given, monkeypatch):
    """Security A moved thirty times as much at first: its running sums have lost the later ones."""
    read = []
    chunk = least_squares._estimate_chunk
    monkeypatch.setattr(least_squares, "MANY", 0)
    monkeypatch.setattr(
        least_squares,
        "_estimate_chunk",
        lambda panel, pairs, *windows: (
            read.extend(pairs.column.tolist()) or chunk(panel, pairs, *windows)
        ),
    )
    sums = studied(given, "constant-mean")
    assert set(read) == {0}
    monkeypatch.undo()
    exact = studied(given, "constant-mean")
    worst = np.abs(sums.car(0)["std_error"] / exact.car(0)["std_error"] - 1).max()
    assert worst < 1e-12


def test_returns_with_gaps_are_read_by_their_windows(given, monkeypatch):
    returns, factors = given
    monkeypatch.setattr(least_squares, "MANY", 0)
    gaps = returns.copy()
    gaps.iloc[400, 2] = np.nan
    assert studied((gaps, factors), "market").fits.estimates.abnormal is not None


@pytest.mark.parametrize("what", ["neighbours", "a benchmark for each"])
def test_what_differs_by_security_or_event_is_read_by_its_windows(given, what, monkeypatch):
    returns, factors = given
    options = {"exclude_neighbours": True}
    if what != "neighbours":
        own = factors[["mkt"] * 6].set_axis(returns.columns, axis=1) * np.arange(1, 7)
        options = {"model": "market", "benchmark": own}
    events = pd.DataFrame({"session": returns.index[270:880:5]})
    study = lambda: event_study(
        returns, events, window=(0, 0), volatility=None, kind="log", **options
    )
    expected = study().fit
    monkeypatch.setattr(least_squares, "MANY", 0)
    pd.testing.assert_frame_equal(study().fit, expected)
    if what == "neighbours":  # two sessions in five are another event's
        assert (expected["observations"] == 150).mean() > 0.5
