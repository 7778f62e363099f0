"""The variance of the eve: what it may see, known S&P 500 values, the series of conditional z."""

import history
import numpy as np
import pandas as pd
import pytest

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.volatility.forecast import conditional_z, fit_variance, variance_forecast

#: GARCH(1,1)-t on the 2,000 log returns that end 6 sessions before: σ in percent, z. Optimisers
#: differ in the second decimal: arch 8 itself stops at 1.6746 on 2 May.
FACTS = {"2025-04-09": (2.84, 3.16), "2025-04-10": (4.48, None), "2025-05-02": (1.68, None)}


@pytest.mark.parametrize("day", FACTS)
def test_garch_sigma_of_the_sp500(day):
    at, (sigma, z) = history.row(day), FACTS[day]
    returns = history.index_returns()
    known = variance_forecast(returns, at - 5, at - 1, model="garch")
    assert 100 * known.sigma == pytest.approx(sigma, abs=0.008)
    if z is not None:
        assert round((returns.iloc[at] - known.mean) / known.sigma, 2) == z


def test_a_huge_return_from_the_tested_session_on_changes_nothing():
    returns = history.garch_path(2_200, seed=11)
    planted = returns.copy()
    planted[2_100:] += 0.5
    before, after = (
        variance_forecast(returns, 2_095, 2_099),
        variance_forecast(planted, 2_095, 2_099),
    )
    assert (before.sigma, before.fit) == (after.sigma, after.fit)
    np.testing.assert_array_equal(before.past_z, after.past_z)


def test_a_huge_return_in_the_gap_changes_sigma_and_not_the_parameters():
    returns = history.garch_path(2_200, seed=11)
    for at in (2_095, 2_099):
        planted = returns.copy()
        planted[at] -= 0.2
        before, after = (
            variance_forecast(returns, 2_095, 2_099),
            variance_forecast(planted, 2_095, 2_099),
        )
        assert before.fit == after.fit
        assert after.sigma > 2 * before.sigma


def test_a_huge_return_in_the_fitted_sample_changes_the_parameters():
    returns = history.garch_path(2_200, seed=11)
    planted = returns.copy()
    planted[2_094] -= 0.2
    assert (
        variance_forecast(returns, 2_095, 2_099).fit != variance_forecast(planted, 2_095, 2_099).fit
    )


def test_past_z_are_the_last_thousand_innovations_up_to_the_eve():
    returns = history.garch_path(2_200, seed=12)
    known = variance_forecast(returns, 2_095, 2_099)
    fit = fit_variance(returns[95:2_095])
    sigma = fit.filter(returns[95:2_100])
    z = (returns[95:2_100] - fit.mu) / sigma[:-1]
    np.testing.assert_array_equal(known.past_z, z[-1_000:])
    assert len(variance_forecast(returns, 300, 304, model="ewma").past_z) == 305


@pytest.mark.parametrize(("fit_end", "eve"), [(-1, 5), (7, 5), (5, 2_200)])
def test_positions_that_do_not_fit_are_refused(fit_end, eve):
    with pytest.raises(WindowError, match=f"fit_end={fit_end} and eve={eve}"):
        variance_forecast(history.garch_path(2_200, seed=11), fit_end, eve)


def test_too_little_history_names_needed_and_available():
    with pytest.raises(HistoryError, match=r"1,000 returns .* 995"):
        variance_forecast(history.garch_path(1_100, seed=11), 995, 999)


def test_conditional_z_equals_a_forecast_at_each_refit():
    returns = history.index_returns().iloc[:1_300]
    z = conditional_z(returns, model="garch", refit=100)
    assert z.index.equals(returns.index[1_000:])
    for at in (1_000, 1_100, 1_150):
        known = variance_forecast(returns, at - at % 100, at - 1, model="garch")
        row = z.loc[returns.index[at]]
        assert row["sigma"] == pytest.approx(known.sigma, rel=1e-3)
        assert row["z"] == pytest.approx((returns.iloc[at] - known.mean) / known.sigma, rel=5e-3)
        assert row["nu"] == pytest.approx(known.nu, rel=2e-2)


@pytest.mark.parametrize("model", ["gjr", "ewma"])
def test_conditional_z_sees_the_past_only(model):
    returns = pd.Series(
        history.garch_path(1_400, seed=13), pd.bdate_range("2015-01-01", periods=1_400)
    )
    planted = returns.copy()
    planted.iloc[1_250] = -0.4
    before, after = conditional_z(returns, model=model), conditional_z(planted, model=model)
    day = returns.index[1_250]
    pd.testing.assert_frame_equal(before[before.index < day], after[after.index < day])
    assert before.loc[day, "sigma"] == after.loc[day, "sigma"]
    assert (
        after.loc[after.index > day, "sigma"].head(20)
        > before.loc[before.index > day, "sigma"].head(20)
    ).all()


def test_conditional_z_is_standardised():
    returns = history.index_returns().iloc[-3_500:]
    z = conditional_z(returns)
    assert len(z) == 2_500 and z.attrs["notes"] == []
    assert z["z"].std() == pytest.approx(1.0, abs=0.06)
    assert z["z"].autocorr() == pytest.approx(0.0, abs=0.06)
    squares = z["z"] ** 2
    assert squares.autocorr() < 0.1 < (returns**2).autocorr()


def test_conditional_z_is_a_new_frame_each_time():
    returns = history.index_returns().iloc[:1_100]
    first = conditional_z(returns, model="ewma")
    first["z"] = 0.0
    assert not (conditional_z(returns, model="ewma")["z"] == 0).all()


def test_conditional_z_names_what_is_wrong():
    returns = pd.Series(
        history.garch_path(1_300, seed=14), pd.bdate_range("2015-01-01", periods=1_300)
    )
    with pytest.raises(HistoryError, match=r"after 1,000 returns and there are 1,000"):
        conditional_z(returns.iloc[:1_000])
    with pytest.raises(VolatilityError, match="refit=0"):
        conditional_z(returns, refit=0)
    with pytest.raises(VolatilityError, match="before return number 1,001"):
        conditional_z(returns * 0)
    missing = returns.copy()
    missing.iloc[3] = np.nan
    with pytest.raises(ReturnsError, match="1 of 1,300"):
        conditional_z(missing)
