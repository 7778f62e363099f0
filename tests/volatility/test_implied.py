"""The calibrated volatility index against scipy's Student t, and what it may see."""

import history
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.volatility.vix import implied_forecast, implied_z


def slow_calibration(returns: np.ndarray, points: np.ndarray) -> np.ndarray:
    """a, b, nu from scipy's density and a search without gradients."""
    log_index = np.log(points / (100 * np.sqrt(252)))

    def loss(theta):
        intercept, slope, nu = theta[0], theta[1], 2 + np.exp(theta[2])
        sigma = np.exp(intercept + slope * log_index)
        scale = sigma * np.sqrt((nu - 2) / nu)
        return -stats.t.logpdf((returns - returns.mean()) / scale, nu).sum() + np.log(scale).sum()

    found = optimize.minimize(
        loss,
        [0.0, 1.0, 1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 5_000},
    ).x
    return np.array([found[0], found[1], 2 + np.exp(found[2])])


def pairs_before(day: str, lag: int) -> tuple[np.ndarray, np.ndarray]:
    returns = history.index_returns()
    points = history.vix().reindex(returns.index).shift(lag)
    use = points.notna() & (returns.index < pd.Timestamp(day))
    return returns[use].to_numpy(), points[use].to_numpy()


@pytest.mark.parametrize("late", [False, True])
def test_calibration_equals_a_search_with_scipys_density(late):
    at, lag = history.row("2025-05-02"), 2 if late else 1
    known = implied_forecast(
        history.index_returns(), history.vix(), at, fit_end=at - 5, after_vix_close=late
    )
    returns, points = pairs_before("2025-04-01", lag)
    assert known.n == len(returns)
    expected = slow_calibration(returns, points)
    np.testing.assert_allclose([known.intercept, known.slope, known.nu], expected, rtol=1e-4)
    day = pd.Timestamp("2025-04-30" if late else "2025-05-01")
    assert known.index_session == day
    assert known.index_value == history.vix()[day]
    daily = history.vix()[day] / (100 * np.sqrt(252))
    assert known.sigma == pytest.approx(np.exp(expected[0]) * daily ** expected[1], rel=1e-4)


def test_calibration_ends_before_the_event_window_and_before_the_quarter():
    returns, vix = history.index_returns(), history.vix()
    at = history.row("2025-04-03")
    quarter_start = history.row("2025-04-01")
    by_window = implied_forecast(returns, vix, at, fit_end=at - 5)
    assert by_window.n == implied_forecast(returns, vix, at).n - (quarter_start - (at - 5))
    planted = returns.copy()
    planted.iloc[at - 5 :] = 0.3
    assert implied_forecast(planted, vix, at, fit_end=at - 5) == by_window


def test_true_parameters_come_back():
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2005-01-03", periods=5_000)
    points = pd.Series(20 * np.exp(0.4 * rng.standard_normal(5_000)), days)
    sigma = np.exp(0.5 + 1.2 * np.log(points.shift(1) / (100 * np.sqrt(252))))
    returns = (sigma * rng.standard_t(7, 5_000) * np.sqrt(5 / 7)).fillna(0.0)
    known = implied_forecast(returns, points, 4_999)
    assert known.slope == pytest.approx(1.2, abs=0.13)
    assert known.nu == pytest.approx(7, abs=1.5)
    assert known.sigma == pytest.approx(sigma.iloc[-1], rel=0.06)
    z = implied_z(returns, points)
    assert stats.kstest(z["z"] * np.sqrt(z["nu"] / (z["nu"] - 2)), stats.t(7).cdf).pvalue > 0.05


def test_series_equals_the_single_forecasts_and_sees_the_past_only():
    returns, vix = history.index_returns(), history.vix()
    z = implied_z(returns, vix)
    # 1,003 sessions to the end of 2002; the first has no eve, and the eve of 3 January 2000 no VIX.
    assert z.index[0] == pd.Timestamp("2003-01-02")
    assert pd.Timestamp("1999-12-31") not in vix.index
    assert not z.isna().to_numpy().any()
    for day in ("2003-01-02", "2018-01-02", "2020-03-16", "2025-04-09", "2026-08-31"):
        known = implied_forecast(returns, vix, history.row(day))
        assert z.loc[day, "sigma"] == pytest.approx(known.sigma, rel=1e-9)
        assert z.loc[day, "z"] == pytest.approx((returns[day] - known.mean) / known.sigma, rel=1e-9)
    planted = returns.copy()
    planted["2025-04-09"] = -0.5
    pd.testing.assert_frame_equal(z[:"2025-04-08"], implied_z(planted, vix)[:"2025-04-08"])


def test_what_is_not_available_says_why():
    returns, vix = history.index_returns(), history.vix()
    longer = pd.concat([returns, pd.Series([0.01], [pd.Timestamp("2026-09-01")])])
    with pytest.raises(VolatilityError, match=r"no value on 2026-08-31 .* to 2026-08-28"):
        implied_forecast(longer, vix, len(longer) - 1)
    with pytest.raises(HistoryError, match=r"1,000 earlier sessions .* there are"):
        implied_forecast(returns, vix, history.row("2001-09-17"))
    with pytest.raises(VolatilityError, match=r"no value on 1999-12-31 .* for 2000-01-03"):
        implied_forecast(returns, vix, history.row("2000-01-03"))
    with pytest.raises(HistoryError, match="1,000 earlier sessions"):
        implied_z(returns.loc[:"2002-12-30"], vix)
    with pytest.raises(WindowError, match="position=9000"):
        implied_forecast(returns, vix, 9_000)
    with pytest.raises(ReturnsError, match="it must be positive"):
        implied_forecast(returns, -vix, history.row("2025-05-02"))
    with pytest.raises(VolatilityError, match="more than half of the"):
        implied_z(returns * 0, vix)
    upside_down = 400 / vix
    with pytest.raises(VolatilityError, match="is it the index of this series"):
        implied_forecast(returns, upside_down, history.row("2025-05-02"))
