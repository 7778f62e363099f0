"""The variance known the evening before: one rule of refits, one number, what it may see."""

import io
import sys
from types import SimpleNamespace

import history
import numpy as np
import pandas as pd
import pytest

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.text import progress
from impact.volatility import forecast, garch
from impact.volatility.forecast import conditional_z, fit_variance, refits, variance_forecast

#: GARCH(1,1)-t fitted by arch 8 on the 2,000 log returns before April (May) 2025: σ in percent.
FACTS = {"2025-04-09": 2.84, "2025-04-10": 4.47, "2025-05-02": 1.64}


def slow_forecast(returns: pd.Series, at: int, model: str) -> tuple[float, float, float]:
    """z, σ and nu of one session, day by day from the first session of its month."""
    day = returns.index[at]
    first = at
    while first and returns.index[first - 1].month == day.month:
        first -= 1
    sample = returns.to_numpy()[max(0, first - 2_000) : first]
    fit = fit_variance(sample, model=model)
    variance = fit.omega + (fit.alpha + fit.gamma / 2 + fit.beta) * fit.start
    for value in returns.to_numpy()[max(0, first - 2_000) : at]:
        shock = value - fit.mu
        weight = fit.alpha + (fit.gamma if shock < 0 else 0.0)
        variance = fit.omega + weight * shock**2 + fit.beta * variance
    sigma = np.sqrt(variance)
    return (returns.iloc[at] - fit.mu) / sigma, sigma, fit.nu


def fails_on(monkeypatch, lengths) -> None:
    """Let the fits of samples that end at these rows fail."""
    original = forecast.fit_variance

    def fit(returns, *, model):
        if len(returns) in lengths:
            raise VolatilityError("no maximum was found")
        return original(returns, model=model)

    monkeypatch.setattr(forecast, "fit_variance", fit)
    # No folder: nothing is kept of what other fits made.
    monkeypatch.setenv("IMPACT_CACHE_DIR", __file__)


# -- known values --------------------------------------------------------------------------------


@pytest.mark.parametrize("day", FACTS)
def test_garch_sigma_of_the_sp500(day):
    known = variance_forecast(history.index_returns(), history.row(day), model="garch")
    assert 100 * known.sigma == pytest.approx(FACTS[day], abs=0.005)


@pytest.mark.parametrize("model", ["gjr", "garch", "ewma"])
@pytest.mark.parametrize("day", ["2025-04-01", "2025-04-30", "2020-03-16"])
def test_a_session_is_what_a_walk_through_its_month_gives(model, day):
    returns, at = history.index_returns(), history.row(day)
    known = variance_forecast(returns, at, model=model)
    z, sigma, nu = slow_forecast(returns, at, model)
    assert known.sigma == pytest.approx(sigma, rel=1e-10) and known.nu == nu
    assert (returns.iloc[at] - known.mean) / known.sigma == pytest.approx(z, rel=1e-10)


# -- one rule ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gjr", "garch", "ewma"])
def test_a_forecast_is_the_row_of_the_series_exactly(model):
    returns = history.index_returns().iloc[:1_400]
    z = conditional_z(returns, model=model)
    months = z.index.to_period("M")
    first = np.flatnonzero(months[1:] != months[:-1]) + 1
    for row in (0, len(z) - 1, *first[::3], *(first[::3] - 1), *range(40, len(z), 37)):
        at = returns.index.get_loc(z.index[row])
        known = variance_forecast(returns, at, model=model)
        mine = ((returns.iloc[at] - known.mean) / known.sigma, known.sigma, known.nu)
        assert mine == tuple(z.iloc[row])
        assert known.model == model and known.note == ""


def test_parameters_change_at_the_first_session_of_each_month_and_see_what_came_before():
    returns = history.dated(history.garch_path(2_200, seed=13))
    for month in refits(returns, model="ewma"):
        day = returns.index[month.first]
        assert day.month != returns.index[month.first - 1].month
        assert month.fit == fit_variance(returns.to_numpy()[: month.first], model="ewma")
        assert month.begin == max(0, month.first - 2_000)
    returns = returns.iloc[:1_400]
    nu = conditional_z(returns)["nu"]
    by_month = nu.groupby(nu.index.to_period("M"))
    assert (by_month.min() == by_month.max()).all()
    assert nu.index[0] == returns.index[1_000:][returns.index[1_000:].day < 4][0]


def test_a_huge_return_before_the_month_changes_parameters_and_within_it_only_sigma():
    returns = history.dated(history.garch_path(2_200, seed=11))
    at = returns.index.get_loc("2018-05-21")
    before = variance_forecast(returns, at)
    for planted, parameters, sigma in (
        ("2018-05-21", True, True),
        ("2018-06-01", True, True),
        ("2018-05-18", True, False),
        ("2018-05-01", True, False),
        ("2018-04-30", False, False),
    ):
        changed = returns.copy()
        changed[planted] -= 0.2
        after = variance_forecast(changed, at)
        assert (after.fit == before.fit) == parameters, planted
        assert (after.sigma == before.sigma) == sigma, planted
        assert np.array_equal(after.past_z, before.past_z) == sigma, planted


def test_past_z_are_the_last_thousand_innovations_of_the_same_parameters():
    returns = history.dated(history.garch_path(2_200, seed=12))
    at = returns.index.get_loc("2018-05-21")
    first = returns.index.get_loc("2018-05-01")
    known = variance_forecast(returns, at)
    values = returns.to_numpy()[first - 2_000 : at]
    fit = fit_variance(returns.to_numpy()[first - 2_000 : first])
    z = (values - fit.mu) / fit.filter(values)[:-1]
    np.testing.assert_array_equal(known.past_z, z[-1_000:])
    assert len(variance_forecast(returns, 300, model="ewma").past_z) == 300


@pytest.mark.parametrize("model", ["gjr", "ewma"])
def test_the_series_sees_the_past_only(model):
    returns = history.dated(history.garch_path(1_400, seed=13))
    planted = returns.copy()
    planted.iloc[1_250] = -0.4
    before, after = conditional_z(returns, model=model), conditional_z(planted, model=model)
    day = returns.index[1_250]
    pd.testing.assert_frame_equal(before[before.index < day], after[after.index < day])
    assert before.loc[day, "sigma"] == after.loc[day, "sigma"]
    later = before.index > day
    assert (after.loc[later, "sigma"].head(20) > before.loc[later, "sigma"].head(20)).all()


def test_the_series_is_standardised():
    returns = history.index_returns().iloc[-3_500:]
    z = conditional_z(returns)
    assert len(z) > 2_470 and z.attrs["notes"] == []
    assert z["z"].std() == pytest.approx(1.0, abs=0.06)
    assert z["z"].autocorr() == pytest.approx(0.0, abs=0.06)
    squares = z["z"] ** 2
    assert squares.autocorr() < 0.1 < (returns**2).autocorr()


def test_a_month_is_fitted_once_however_many_events_it_has(monkeypatch):
    returns = history.dated(history.garch_path(2_300, seed=41))
    calls, original = [], garch.most_likely
    monkeypatch.setattr(garch, "most_likely", lambda *args: calls.append(0) or original(*args))
    for at in range(1_100, 2_300):
        variance_forecast(returns, at, model="ewma")
    months = returns.index[1_100:].to_period("M").nunique()
    assert len(calls) == months
    conditional_z(returns.iloc[: 1_100 + 5], model="ewma")
    for at in range(1_100, 2_300):
        variance_forecast(returns, at, model="ewma")
    begun = returns.index[:1_105].to_period("M").nunique()
    assert len(calls) < months + begun


# -- short histories -----------------------------------------------------------------------------


def test_with_too_little_history_ewma_takes_the_place_of_garch_and_is_named():
    returns = history.dated(history.garch_path(1_200, seed=15))
    months = np.flatnonzero(np.diff(returns.index.month)) + 1
    first, last = months[months >= 250][0], months[months < 1_000][-1]
    for model in ("gjr", "garch"):
        for at in (first, last, last + 10):
            known = variance_forecast(returns, at, model=model)
            plain = variance_forecast(returns, at, model="ewma")
            assert known.model == "ewma" == known.fit.model
            assert (known.sigma, known.nu, plain.note) == (plain.sigma, plain.nu, "")
            assert "fewer than 1,000 returns" in known.note and "EWMA 0.94" in known.note
        after = variance_forecast(returns, months[months >= 1_000][0], model=model)
        assert (after.model, after.note) == (model, "")
        with pytest.raises(HistoryError, match=rf"needs 250 returns .* there are {first - 20}"):
            variance_forecast(returns.iloc[20:], first, model=model)


def test_the_series_begins_where_its_own_model_does():
    returns = history.dated(history.garch_path(1_100, seed=15))
    months = np.flatnonzero(np.diff(returns.index.month)) + 1
    assert conditional_z(returns).index[0] == returns.index[months[months >= 1_000][0]]
    early = conditional_z(returns, model="ewma").index[0]
    assert early == returns.index[months[months >= 250][0]]
    with pytest.raises(HistoryError, match=r"'gjr' .* 1,000 returns before it.* there are 1,000"):
        conditional_z(returns.iloc[:1_000])
    with pytest.raises(HistoryError, match=r"'ewma' .* 250 returns before it.* there are 200"):
        conditional_z(returns.iloc[:200], model="ewma")


@pytest.mark.parametrize(("least", "model", "other"), [(1_000, "gjr", "ewma"), (250, "ewma", None)])
def test_as_many_returns_before_the_month_as_a_model_needs_are_enough(least, model, other):
    before = pd.bdate_range(end="2023-12-29", periods=least)
    days = before.append(pd.bdate_range("2024-01-01", "2024-02-20"))
    returns = history.garch_path(len(days), seed=16)
    returns = pd.Series(np.asarray(returns), days)
    known = variance_forecast(returns, least + 5, model=model)
    assert known.model == model and "fewer than" not in known.note
    assert conditional_z(returns, model=model).index[0] == pd.Timestamp("2024-01-01")
    assert conditional_z(returns[1:], model=model).index[0] == pd.Timestamp("2024-02-01")
    if other:
        assert variance_forecast(returns[1:], least + 4, model=model).model == other
    else:
        with pytest.raises(HistoryError, match=r"month of 2024-01-01 and there are 249"):
            variance_forecast(returns[1:], least + 4, model=model)


# -- fits that fail ------------------------------------------------------------------------------


def test_a_failed_fit_keeps_the_last_good_parameters_and_says_so(monkeypatch):
    returns = history.dated(history.garch_path(1_300, seed=13))
    good = conditional_z(returns)
    months = [month.first for month in refits(returns)]
    fails_on(monkeypatch, set(months[4:6]))
    z = conditional_z(returns)
    assert z.index.equals(good.index) and not z.isna().any(axis=None)
    third, fourth, last, after = returns.index[[months[3], months[4], months[6] - 1, months[6]]]
    assert (z.loc[third:last, "nu"] == z.loc[third, "nu"]).all()
    pd.testing.assert_frame_equal(z[:fourth].iloc[:-1], good[:fourth].iloc[:-1])
    pd.testing.assert_frame_equal(z[after:], good[after:])
    assert z.attrs["notes"] == [
        f"{fourth:%Y-%m-%d} to {last:%Y-%m-%d}: the parameters of {third:%Y-%m-%d} are kept: "
        "no maximum was found"
    ]
    for at in (months[4], months[5] + 3, months[6] - 1):
        known = variance_forecast(returns, at)
        assert known.sigma == z.loc[returns.index[at], "sigma"]
        assert known.note in z.attrs["notes"][0] and "fewer than" not in known.note


def test_a_first_fit_that_fails_leaves_its_month_out_and_ewma_is_named_where_it_is_kept(
    monkeypatch,
):
    returns = history.dated(history.garch_path(1_300, seed=16))
    months = [month.first for month in refits(returns)]
    fails_on(monkeypatch, {months[0]})
    known = variance_forecast(returns, months[0] + 2)
    assert known.model == "ewma" and "(EWMA 0.94) are kept: no maximum was found" in known.note
    assert "fewer than" not in known.note
    fails_on(monkeypatch, set(range(months[3])))
    assert conditional_z(returns).index[0] == returns.index[months[3]]
    with pytest.raises(VolatilityError, match="no maximum was found"):
        variance_forecast(returns, months[2])
    fails_on(monkeypatch, set(range(1_300)))
    with pytest.raises(VolatilityError, match="no maximum was found"):
        conditional_z(returns)


# -- input ---------------------------------------------------------------------------------------


def test_rescaled_returns_have_the_same_z():
    returns = history.dated(history.garch_path(1_200, seed=17))
    z = conditional_z(returns)
    for factor in (1e-6, 1e6):
        scaled = conditional_z(returns * factor)
        np.testing.assert_allclose(scaled["z"], z["z"], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(scaled["sigma"] / factor, z["sigma"], rtol=1e-6)


@pytest.mark.parametrize("model", ["gjr", "garch", "ewma"])
def test_wild_and_sparse_returns_have_a_forecast(model):
    returns = history.dated(history.garch_path(1_200, seed=18))
    for at, wild in ((10, -0.99), (700, 4.6), (1_040, 0.5)):
        planted = returns.copy()
        planted.iloc[at] = wild
        assert np.isfinite(conditional_z(planted, model=model)).all(axis=None)
    sparse = returns.where(np.random.default_rng(2).random(1_200) < 0.6, 0.0)
    z = conditional_z(sparse, model=model)
    assert np.isfinite(z).all(axis=None)


def test_returns_that_stop_varying_keep_their_parameters_and_those_that_never_did_are_refused():
    returns = history.dated(np.r_[history.garch_path(1_100, seed=19), np.zeros(1_500)])
    z = conditional_z(returns)
    assert np.isfinite(z).all(axis=None)
    assert "are kept: more than half of the 2,000 returns" in z.attrs["notes"][-1]
    for value in (0.0, 0.001):
        flat = history.dated(np.full(1_300, value))
        with pytest.raises(VolatilityError, match="does not vary"):
            conditional_z(flat)
        with pytest.raises(VolatilityError, match="does not vary"):
            variance_forecast(flat, 1_250)


def test_what_is_wrong_is_named():
    returns = history.dated(history.garch_path(1_300, seed=14))
    for position in (-1, 1_300, 1_200.5, "1200", None):
        with pytest.raises(WindowError, match=f"position={position!r} is not a row of the 1,300"):
            variance_forecast(returns, position)
    with pytest.raises(HistoryError, match=r"needs 250 returns .* there are 0: give a longer"):
        variance_forecast(returns, 0)
    with pytest.raises(VolatilityError, match="'arma' is not known"):
        variance_forecast(returns, 1_200, model="arma")
    with pytest.raises(VolatilityError, match="'arma' is not known"):
        conditional_z(returns, model="arma")
    missing = returns.copy()
    missing.iloc[3] = np.nan
    for call in (lambda: conditional_z(missing), lambda: variance_forecast(missing, 1_200)):
        with pytest.raises(ReturnsError, match=r"1 of 1,\d+ are missing"):
            call()
    missing = returns.copy()
    missing.iloc[1_199] = np.inf
    with pytest.raises(ReturnsError, match="are missing or infinite"):
        variance_forecast(missing, 1_200)
    assert variance_forecast(missing, 1_199).sigma == variance_forecast(returns, 1_199).sigma
    with pytest.raises(ReturnsError, match="must be a Series by session, not ndarray"):
        variance_forecast(returns.to_numpy(), 1_200)
    with pytest.raises(ReturnsError, match="must be a Series by session, not DataFrame"):
        conditional_z(returns.to_frame())
    with pytest.raises(ReturnsError, match="not a DatetimeIndex"):
        conditional_z(returns.reset_index(drop=True))
    with pytest.raises(ReturnsError, match="comes after"):
        conditional_z(returns[::-1])
    with pytest.raises(ReturnsError, match="stands twice"):
        conditional_z(pd.concat([returns, returns.iloc[-1:]]))


def test_a_frame_is_new_each_time():
    returns = history.index_returns().iloc[:1_100]
    first = conditional_z(returns, model="ewma")
    first["z"] = 0.0
    assert not (conditional_z(returns, model="ewma")["z"] == 0).all()


def test_a_bar_shows_the_fits_that_take_long_and_those_alone(capsys, monkeypatch):
    returns = history.dated(history.garch_path(400, seed=14))
    monkeypatch.setattr(progress, "DELAY", 0.0)
    refits(returns, model="ewma")
    assert "conditional variance" not in capsys.readouterr().err
    monkeypatch.setattr(progress, "_is_watched", lambda: True)
    refits(returns, model="ewma")
    assert "conditional variance" in capsys.readouterr().err
    monkeypatch.setattr(progress, "DELAY", 3_600.0)
    refits(returns, model="ewma")
    assert "conditional variance" not in capsys.readouterr().err


def test_a_kernel_is_watched_and_a_module_that_was_imported_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    # The tests themselves may run in a process that works for another.
    monkeypatch.setattr("multiprocessing.parent_process", lambda: None)
    assert not progress._is_watched()
    shell.kernel = object()
    assert progress._is_watched()
    monkeypatch.setattr("multiprocessing.parent_process", object)
    assert not progress._is_watched()
