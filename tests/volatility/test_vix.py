"""The calibrated volatility index against scipy's Student t, and what it may see."""

import history
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.volatility import vix
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
    known = implied_forecast(history.index_returns(), history.vix(), at, after_vix_close=late)
    returns, points = pairs_before("2025-04-01", lag)
    assert known.n == len(returns)
    expected = slow_calibration(returns, points)
    np.testing.assert_allclose([known.intercept, known.slope, known.nu], expected, rtol=1e-4)
    day = pd.Timestamp("2025-04-30" if late else "2025-05-01")
    assert known.index_session == day
    assert known.index_value == history.vix()[day]
    daily = history.vix()[day] / (100 * np.sqrt(252))
    assert known.sigma == pytest.approx(np.exp(expected[0]) * daily ** expected[1], rel=1e-4)


def test_calibration_ends_before_the_quarter_of_the_session():
    returns, points = history.index_returns(), history.vix()
    start = history.row("2025-04-01")
    last, first = (implied_forecast(returns, points, at) for at in (start - 1, start))
    assert first.n == len(pairs_before("2025-04-01", 1)[0])
    assert last.n == len(pairs_before("2025-01-01", 1)[0])
    for at in (start, start + 30, history.row("2025-06-30")):
        planted = returns.copy()
        planted.iloc[start:] = 0.3
        known = implied_forecast(planted, points, at)
        assert (known.intercept, known.slope, known.n) == (first.intercept, first.slope, first.n)
        assert known == implied_forecast(returns, points, at)


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
    returns, points = history.index_returns(), history.vix()
    z = implied_z(returns, points)
    # 1,003 sessions to the end of 2002; the first has no eve, and the eve of 3 January 2000 no VIX.
    assert z.index[0] == pd.Timestamp("2003-01-02")
    assert pd.Timestamp("1999-12-31") not in points.index
    assert not z.isna().to_numpy().any()
    for day in (
        "2003-01-02",
        "2018-01-02",
        "2020-03-16",
        "2025-03-31",
        "2025-04-01",
        "2025-04-09",
        "2026-08-31",
    ):
        known = implied_forecast(returns, points, history.row(day))
        mine = (returns[day] - known.mean) / known.sigma, known.sigma, known.nu
        assert tuple(z.loc[day]) == mine
    planted = returns.copy()
    planted["2025-04-09"] = -0.5
    pd.testing.assert_frame_equal(z[:"2025-04-08"], implied_z(planted, points)[:"2025-04-08"])


def test_a_thousand_pairs_before_a_quarter_are_enough_and_one_less_is_not():
    before = pd.bdate_range(end="2023-12-29", periods=1_001)
    days = before.append(pd.bdate_range("2024-01-01", "2024-05-31"))
    rng = np.random.default_rng(3)
    points = pd.Series(20 * np.exp(0.3 * rng.standard_normal(len(days))), days)
    daily = points.shift(fill_value=20.0) / (100 * np.sqrt(252))
    returns = daily * rng.standard_normal(len(days))
    assert implied_z(returns, points).index[0] == days[1_001]
    assert implied_forecast(returns, points, 1_001).n == 1_000
    assert implied_z(returns[1:], points).index[0] == pd.Timestamp("2024-04-01")
    with pytest.raises(HistoryError, match="there are 999:"):
        implied_forecast(returns[1:], points, 1_000)


@pytest.mark.parametrize(
    ("left", "slope", "log_nu", "fits"),
    [
        (0.9e-4, 1.0, 1.0, True),
        (1.1e-4, 1.0, 1.0, False),
        (0.0, vix._LOW[1], 1.0, False),
        (0.0, vix._HIGH[1], 1.0, False),
        (0.0, 1.0, vix._LOW[2], False),
    ],
)
def test_a_search_that_ends_on_a_slope_or_a_border_is_no_calibration(
    left, slope, log_nu, fits, monkeypatch
):
    ended = (0.0, np.array([-4.0, slope, log_nu]), left)
    monkeypatch.setattr(vix, "descend", lambda *_: ended)
    rng = np.random.default_rng([int(1e6 * left), int(1e3 * abs(slope)), int(1e3 * abs(log_nu))])
    returns, log_index = 0.01 * rng.standard_normal((2, 1_000))  # none that is remembered
    if fits:
        assert vix._calibrate(returns, log_index).nu == pytest.approx(2 + np.exp(log_nu))
    else:
        with pytest.raises(VolatilityError, match=r"could not be calibrated on 1,000 sessions"):
            vix._calibrate(returns, log_index)


def test_a_quarter_is_calibrated_once_however_many_events_it_has(monkeypatch):
    returns, points = history.index_returns() * 1.01, history.vix()
    calls, original = [], vix.descend
    monkeypatch.setattr(vix, "descend", lambda *args: calls.append(0) or original(*args))
    z = implied_z(returns, points)
    quarters = z.index.to_period("Q").nunique()
    assert len(calls) == quarters
    for at in range(history.row("2024-12-02"), history.row("2025-06-30")):
        implied_forecast(returns, points, at)
    # Prices that came later change nothing that was known before.
    implied_z(returns[:"2025-08-29"], points[:"2025-08-29"])
    assert len(calls) == quarters


def test_a_calibration_that_fails_keeps_the_last_good_one_and_says_so(monkeypatch):
    returns, points = history.index_returns() * 0.99, history.vix()
    good, original = implied_z(returns, points), vix._calibrate

    def fails_in(days):
        lengths = {len(pairs_before(day, 1)[0]) for day in days}

        def calibrate(values, log_index):
            if len(values) in lengths:
                raise VolatilityError("no maximum was found")
            return original(values, log_index)

        monkeypatch.setattr(vix, "_calibrate", calibrate)

    fails_in(["2025-04-01", "2025-07-01"])
    z = implied_z(returns, points)
    assert z.index.equals(good.index)
    assert (z.loc["2025-01":"2025-09", "nu"] == z.loc["2025-01-02", "nu"]).all()
    pd.testing.assert_frame_equal(z["2025-10":], good["2025-10":])
    kept = "the calibration of 2025-01-02 is kept: no maximum was found"
    assert z.attrs["notes"] == [
        f"2025-04-01 to 2025-06-30: {kept}",
        f"2025-07-01 to 2025-09-30: {kept}",
    ]
    known = implied_forecast(returns, points, history.row("2025-05-02"))
    assert (known.sigma, known.note) == (z.loc["2025-05-02", "sigma"], kept)
    fails_in(["2003-01-02"])
    assert implied_z(returns, points).index[0] == pd.Timestamp("2003-04-01")
    with pytest.raises(VolatilityError, match="no maximum was found"):
        implied_forecast(returns, points, history.row("2003-02-05"))


def test_rescaled_and_wild_returns_are_calibrated():
    returns, points = history.index_returns(), history.vix()
    z = implied_z(returns, points)
    for factor in (1e-6, 1e6):
        scaled = implied_z(factor * returns, points)
        np.testing.assert_allclose(scaled["z"], z["z"], rtol=1e-6)
    planted = returns.copy()
    planted["2016-06-24"] = -4.6
    assert np.isfinite(implied_z(planted, points)).all(axis=None)


def test_what_is_not_available_says_why():
    returns, points = history.index_returns(), history.vix()
    for position in (0, -1, 20.5, "20", None, len(returns)):
        with pytest.raises(WindowError, match=f"position={position!r} is not a session"):
            implied_forecast(returns, points, position)
    with pytest.raises(WindowError, match="position=1 is not a session"):
        implied_forecast(returns, points, 1, after_vix_close=True)
    longer = pd.concat([returns, pd.Series([0.01], [pd.Timestamp("2026-09-01")])])
    with pytest.raises(VolatilityError, match=r"no value on 2026-08-31 .* to 2026-08-28"):
        implied_forecast(longer, points, len(longer) - 1)
    with pytest.raises(HistoryError, match=r"1,000 earlier sessions .* there are"):
        implied_forecast(returns, points, history.row("2001-09-17"))
    with pytest.raises(VolatilityError, match=r"no value on 1999-12-31 .* for 2000-01-03"):
        implied_forecast(returns, points, history.row("2000-01-03"))
    short = returns.loc[:"2002-12-30"]
    # A thousand by its last day; a calibration is made on the first day of a quarter.
    pairs = int(points.reindex(short.loc[:"2002-09-30"].index)[:-1].notna().sum())
    assert pairs < 1_000
    with pytest.raises(HistoryError, match=f"1,000 earlier sessions .* there are {pairs}:"):
        implied_z(short, points)
    with pytest.raises(WindowError, match="position=9000"):
        implied_forecast(returns, points, 9_000)
    for wrong, said in (
        (-points, "give the index in points, all positive"),
        (points / 100, "looks like a fraction .*: multiply by 100"),
        (points.tz_localize("UTC"), "implied: the index has time zone UTC"),
        (points[::-1], "implied: .* comes after"),
        (points.to_numpy(), "implied must be a pandas Series"),
    ):
        with pytest.raises(ReturnsError, match=said):
            implied_forecast(returns, wrong, history.row("2025-05-02"))
    with pytest.raises(VolatilityError, match="more than half of the"):
        implied_z(returns * 0, points)
    upside_down = 400 / points
    with pytest.raises(VolatilityError, match="is it the index of this series"):
        implied_forecast(returns, upside_down, history.row("2025-05-02"))
