"""Who was hit, beyond beta: against a slow loop, and how often it rejects where it should."""

import functools
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import HistoryError, InferenceError, WindowError
from impact.inference import measured_sizes, ranked_moves
from impact.inference.size import LARGEST, LARGEST_IN_PERCENT, SOME_DAY
from impact.inference.who_was_hit import relative_max, relative_moves
from impact.market.prices import firms_about, load_prices
from impact.market.returns import log_returns
from impact.market.windows import Window
from impact.study.event_study import event_study
from impact.volatility.forecast import conditional_z, variance_forecast
from impact.volatility.garch import fit_variance

#: Sessions before the first z: those of the loadings, and those of the variance.
LOADED, KNOWN = 260, 510


@functools.cache
def sectors():
    return log_returns(load_prices("sectors"))


@functools.cache
def index():
    return log_returns(load_prices())


def made(returns, sessions, window=(0, 0), benchmark=None, volatility="ewma"):
    market = {} if benchmark is None else {"model": "market", "benchmark": benchmark}
    events = pd.DataFrame({"session": sessions})
    return event_study(returns, events, window=window, volatility=volatility, **market)


def table(values, names="S"):
    columns = [f"{names}{i:02d}" for i in range(values.shape[1])]
    return pd.DataFrame(values, pd.bdate_range("2015-01-01", periods=len(values)), columns)


def factor_panel(seed, sessions=1_300, columns=11):
    """Betas from 0.4 to 1.6 on a market with clustered volatility, own moves of their own size."""
    rng = np.random.default_rng(seed)
    log_vol = np.zeros((sessions, columns + 1))
    for t in range(1, sessions):
        shock = 0.10 * rng.standard_normal() + 0.05 * rng.standard_normal(columns + 1)
        log_vol[t] = 0.97 * log_vol[t - 1] + shock
    z = rng.standard_t(5, (sessions, columns + 1)) * np.sqrt(3 / 5)
    moves = 0.01 * np.exp(log_vol) * z
    beta = np.linspace(0.4, 1.6, columns)
    returns = table(0.0002 + moves[:, :1] * beta + 0.5 * moves[:, 1:])
    return returns, pd.Series(moves[:, 0], returns.index, name="market")


# -- what the market is --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beside():
    """Returns, their market, a rate that varies, and a date."""
    returns, market = factor_panel(3, sessions=900, columns=4)
    rate = pd.Series(np.linspace(0, 0.0019, 900) ** 2 / 0.0019, returns.index, name="rate")
    return returns, market, rate, returns.index[[850]]


def test_a_rate_comes_off_the_returns_and_off_the_market(beside):
    returns, market, rate, day = beside
    events = pd.DataFrame({"session": day})
    options = {"model": "market", "benchmark": market, "volatility": "ewma"}
    found = relative_moves(event_study(returns, events, risk_free=rate, **options))
    excess = relative_moves(made(returns.sub(rate, axis=0), day, benchmark=market - rate))
    for name in ("estimate", "beta", "z", "p_adjusted"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(excess, name))
    assert not np.allclose(found.z, relative_moves(event_study(returns, events, **options)).z)


def test_a_study_that_takes_the_market_off_whole_has_the_betas_of_the_market_model(beside):
    returns, market, _, day = beside
    events = pd.DataFrame({"session": day})
    whole = event_study(
        returns, events, model="market-adjusted", benchmark=market, volatility="ewma"
    )
    found, fitted = relative_moves(whole), relative_moves(made(returns, day, benchmark=market))
    pd.testing.assert_frame_equal(found.z, fitted.z)
    assert found.market == fitted.market
    assert repr(found) == "RelativeMoves: 4 securities at 1 event"


def test_parameters_that_were_kept_are_said_of_the_events_that_they_serve(beside, monkeypatch):
    returns, _, _, day = beside
    said = f"{returns.index[840]:%Y-%m-%d} to {returns.index[860]:%Y-%m-%d}: parameters are kept"

    def failed(residuals, model):
        found = conditional_z(residuals, model="ewma")
        found.attrs["notes"] = [said] if residuals.name in ("S00", "S02") else []
        return found

    monkeypatch.setattr("impact.inference.beyond_beta.conditional_z", failed)
    for session, told in ((day, True), (returns.index[[830]], False)):
        notes = relative_moves(made(returns, session, volatility="gjr")).notes
        assert ("S00 and S02: parameters are kept" in notes) is told


# -- against a loop ------------------------------------------------------------------------------


def slow_moves(returns, market, tested):
    """Moves beyond beta, beta and z of every window, by the row of session 0.

    `market` has a column for each security.
    """
    first, last = tested
    k, found = last - first + 1, {}
    for j, name in enumerate(returns):
        y, x = returns[name].to_numpy(), market[name].to_numpy()
        fits = {}
        for row in range(LOADED, len(y)):
            past = slice(row - 260, row - 10)
            design = np.column_stack([np.ones(250), x[past]])
            solved, squares, *_ = np.linalg.lstsq(design, y[past], rcond=None)
            inverse = np.linalg.inv(design.T @ design)
            fits[row] = solved, squares[0] / 248, inverse
        left = [y[row] - solved[0] - solved[1] * x[row] for row, (solved, _, _) in fits.items()]
        begun = fit_variance(np.array(left[:250]), model="ewma")
        variances = [begun.start]
        for value in left:
            variances.append(0.94 * variances[-1] + 0.06 * (value - begun.mu) ** 2)
        for row in range(KNOWN - first, len(y) - max(last, 0)):
            solved, squares, inverse = fits[row]
            total = np.array([k, x[row + first : row + last + 1].sum()])
            move = y[row + first : row + last + 1].sum() - total @ solved
            error = squares * total @ inverse @ total
            at = row + first - LOADED
            z = move / (k * variances[at] + error) ** 0.5
            found[row, j] = move, solved[1], z
    return found


def slow_market_z(common, tested):
    first, last = tested
    begun = fit_variance(common[:250], model="ewma")
    variances = [begun.start]
    for value in common:
        variances.append(0.94 * variances[-1] + 0.06 * (value - begun.mu) ** 2)
    k = last - first + 1
    return {
        row: sum(common[row + first : row + last + 1]) / (k * variances[row + first]) ** 0.5
        for row in range(KNOWN - first, len(common) - max(last, 0))
    }


def slow_step_down(found, market_z, row, length, columns):
    """Step down from the largest: the hypotheses that are left are tested by their maximum."""
    earlier = [t for t in market_z if (t, 0) in found and t <= row - length]
    near = sorted(earlier, key=lambda t: abs(abs(market_z[t]) - abs(market_z[row])))[:100]
    left, adjusted, running = set(range(columns)), {}, 0.0
    while left:
        top = max(left, key=lambda j: abs(found[row, j][2]))
        bar = abs(found[row, top][2])
        beyond = sum(max(abs(found[t, j][2]) for j in left) >= bar for t in near)
        running = max(running, (1 + beyond) / 101)
        adjusted[top] = running
        left.remove(top)
    return [adjusted[j] for j in range(columns)], len(earlier)


def slow_largest(found, market_z, row, ranked, n):
    """p of the largest |z| of four securities among the n sessions nearest in the market's z."""
    if len(ranked) < n:
        return np.nan
    near = sorted(ranked, key=lambda t: abs(abs(market_z[t]) - abs(market_z[row])))[:n]
    largest = {t: max(abs(found[t, j][2]) for j in range(4)) for t in (*near, row)}
    return (1 + sum(largest[t] >= largest[row] for t in near)) / (n + 1)


@pytest.mark.parametrize("benchmark", [True, False])
@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (-1, 2), (3, 5)])
def test_moves_z_and_p_are_those_of_a_slow_loop(start, end, benchmark):
    returns, rows = sectors().iloc[:900, :4], [760, 812, 880]
    others = pd.DataFrame({name: returns.drop(columns=name).mean(axis=1) for name in returns})
    given_market = index().loc[returns.index]
    market = pd.DataFrame(dict.fromkeys(returns, given_market)) if benchmark else others
    study = made(returns, returns.index[rows], (-5, 5), given_market if benchmark else None)
    moves = relative_moves(study, start, end)
    tested = start, start if end is None else end
    found = slow_moves(returns, market, tested)
    common = (given_market if benchmark else returns.mean(axis=1)).to_numpy()
    of_market = slow_market_z(common, tested)
    length = tested[1] - start + 1
    for place, row in enumerate(rows):
        ours = (getattr(moves, name).iloc[place] for name in ("estimate", "beta", "z"))
        for number, numbers in enumerate(ours):
            expected = [found[row, j][number] for j in range(4)]
            np.testing.assert_allclose(numbers, expected, rtol=1e-8, atol=1e-12)
        p, earlier = slow_step_down(found, of_market, row, length, 4)
        np.testing.assert_allclose(moves.p_adjusted.iloc[place], p, rtol=1e-12)
        assert moves.market_z.iloc[place] == pytest.approx(of_market[row], rel=1e-9)
        assert moves.pool.iloc[place] == earlier
        ranked = [t for t in of_market if (t, 0) in found and t <= row - length]
        large = [t for t in ranked if abs(of_market[t]) >= abs(of_market[row])]
        assert moves.as_large.iloc[place] == len(large)
        by_pool = [slow_largest(found, of_market, row, ranked, n) for n in moves.by_pool]
        np.testing.assert_allclose(moves.by_pool.iloc[place], by_pool, rtol=1e-12)
    assert moves.window.length == length


def test_moves_are_the_abnormal_returns_of_the_market_model():
    returns = sectors()
    study = made(returns, returns.index[[1_000, 1_712]], (0, 3), index())
    moves = relative_moves(study, 0, 3)
    found = moves.table.rename_axis(study.fit.index.names)
    assert found.index.equals(study.fit.index)
    np.testing.assert_allclose(found["estimate"], study.abnormal.sum(axis=1), rtol=1e-9)
    np.testing.assert_allclose(found["beta"], study.fit["beta"], rtol=1e-9)


def test_sigma_is_the_one_step_forecast_of_the_residuals_and_the_error_of_beta_is_counted():
    returns = sectors()[["XLE", "XLK"]]
    day, market = pd.Timestamp("2025-04-09"), index().loc[returns.index]
    row = returns.index.get_loc(day)
    study = made(returns, [day], benchmark=market, volatility="gjr")
    moves = relative_moves(study)
    left = slow_residuals(returns["XLE"], market)
    known = variance_forecast(left, row - LOADED, model="gjr")
    past = market.iloc[row - 260 : row - 10]
    away = (market.iloc[row] - past.mean()) ** 2 / ((past - past.mean()) ** 2).sum()
    s2 = study.fit["residual_variance"].xs("XLE", level=1).item()
    sigma = (known.sigma**2 + s2 * (1 / 250 + away)) ** 0.5
    assert moves.z["XLE"].item() == pytest.approx(moves.estimate["XLE"].item() / sigma, rel=1e-6)
    assert not any("EWMA" in note for note in moves.notes)
    # On that day, with the market up by 9%, the error of beta is a part that is seen.
    assert sigma / known.sigma > 1.005


def slow_residuals(returns, market):
    left = {}
    for row in range(LOADED, len(returns)):
        x, y = market.iloc[row - 260 : row - 10], returns.iloc[row - 260 : row - 10]
        slope, level = np.polyfit(x, y, 1)
        left[returns.index[row]] = returns.iloc[row] - level - slope * market.iloc[row]
    return pd.Series(left)


def test_one_event_is_tested_as_it_is_among_many():
    returns = sectors()
    days = returns.index[[900, 1_315, 1_400]]
    together = relative_moves(made(returns, days))
    alone = relative_max(made(returns, days[1:2]))
    assert alone.p_value == together.p_max.iloc[1]
    assert alone.statistic == together.z.iloc[1].abs().max()
    words = "largest |z| of the 100 earlier sessions with the nearest market z"
    assert (alone.n, alone.distribution) == (11, words)


def test_the_table_holds_every_cell_and_shows_itself():
    returns = sectors()
    moves = relative_moves(made(returns, returns.index[[900, 1_315]], benchmark=index()))
    table = moves.to_frame()
    assert table.shape == (22, 4)
    event, security = table.index[13]
    for name in ("estimate", "beta", "z", "p_adjusted"):
        assert table[name].iloc[13] == getattr(moves, name).loc[event, security]
    shown = str(moves.summary())
    assert all(name in shown for name in returns.columns)
    assert "beyond beta times the benchmark" in shown
    assert moves.signature in shown and moves.signature in moves.to_csv()
    assert "<table" in moves._repr_html_()


def test_the_firms_of_each_group_are_counted_and_the_farthest_is_named():
    returns = log_returns(load_prices("firms"))
    moves = relative_moves(made(returns, ["2025-10-30"], benchmark=index()))
    sector = firms_about()["sector"]
    found = moves.by_group(sector)
    (event,) = moves.z.index
    assert found["securities"].sum() == 99 and len(found) == sector.nunique()
    assert found.columns[:3].to_list() == ["securities", "estimate", "security"]
    for name, members in sector.groupby(sector):
        row, z = found.loc[(event, name)], moves.z.loc[event, members.index]
        assert row["estimate"] == pytest.approx(moves.estimate.loc[event, members.index].mean())
        assert row["security"] == z.abs().idxmax() and row["z"] == z[row["security"]]
        assert row["p_adjusted"] == moves.p_adjusted.loc[event, row["security"]]
    with pytest.raises(InferenceError, match="no group for 'AAPL'"):
        moves.by_group(sector.drop(["AAPL", "XOM", "WMT"]))


# -- properties ----------------------------------------------------------------------------------


def test_a_move_in_line_with_beta_is_no_move_and_another_unit_changes_nothing():
    returns, market = factor_panel(1)
    days = returns.index[[800, 1_200]]
    before = relative_moves(made(returns, days, benchmark=market))
    more = returns.add(0.7 * market, axis=0)
    after = relative_moves(made(more, days, benchmark=market))
    np.testing.assert_allclose(after.z, before.z, rtol=1e-7)
    np.testing.assert_allclose(after.beta, before.beta + 0.7)
    pd.testing.assert_frame_equal(after.p_adjusted, before.p_adjusted)
    again = relative_moves(made(7 * returns[returns.columns[::-1]], days, benchmark=market))
    np.testing.assert_allclose(again.p_adjusted[returns.columns], before.p_adjusted)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), columns=st.integers(2, 7), row=st.integers(715, 730))
def test_step_down_p_follow_the_size_of_z_and_allow_for_all(seed, columns, row):
    returns, _ = factor_panel(seed, 740, columns)
    moves = relative_moves(made(returns, returns.index[[row]]))
    size, p = moves.z.iloc[0].abs(), moves.p_adjusted.iloc[0]
    order = size.sort_values(ascending=False).index
    assert p[order].is_monotonic_increasing
    assert p[order[0]] == moves.p_max.iloc[0]
    assert (p >= 1 / 101).all() and (p <= 1).all()


def test_step_down_finds_more_than_the_maximum_alone_and_never_less():
    returns, market = factor_panel(4)
    returns.iloc[1_000:, 4] += 0.05
    returns.iloc[1_000:, 7] -= 0.02
    days = returns.index[1_000:1_005]
    both = relative_moves(made(returns, days, benchmark=market)).p_adjusted["S07"]
    # Single step: the second is tested against the maximum over all, as the first one is.
    alone = returns.copy()
    alone.iloc[1_000:, 4] -= 0.05
    first = relative_moves(made(alone, days, benchmark=market)).p_adjusted["S07"]
    assert (both <= first).all() and (both < first).any()


def test_what_comes_later_changes_nothing():
    returns = sectors()
    days = returns.index[[1_300]]
    whole, early = (relative_moves(made(each, days)) for each in (returns, returns.iloc[:1_320]))
    np.testing.assert_allclose(whole.z, early.z, rtol=1e-9)
    pd.testing.assert_frame_equal(whole.p_adjusted, early.p_adjusted)
    assert whole.pool.item() == early.pool.item() == 1_300 - KNOWN


# -- missing returns -----------------------------------------------------------------------------


def test_each_event_compares_the_securities_that_were_there():
    """XLRE began in October 2015 and XLC in June 2018."""
    prices = load_prices("sectors", start="2005-01-03")
    returns = log_returns(prices)
    days = pd.to_datetime(["2011-08-08", "2020-06-24", "2025-04-03"])
    moves = relative_moves(made(returns, days))
    absent = [["XLC", "XLRE"], ["XLC"], []]
    for day, missing in zip(moves.z.index, absent, strict=True):
        assert sorted(moves.z.columns[moves.z.loc[day].isna()]) == missing
        there = returns.drop(columns=missing).dropna()
        alone = relative_moves(made(there, pd.to_datetime([day])))
        for name in ("estimate", "z", "p_adjusted"):
            found = getattr(moves, name).loc[day].dropna()
            pd.testing.assert_series_equal(found, getattr(alone, name).loc[day], rtol=1e-9)
        assert moves.pool[day] == alone.pool[day] and moves.p_max[day] == alone.p_max[day]
    assert len(moves.table) == 9 + 10 + 11
    text = str(moves.summary())
    assert "Left out: 3 of 33 (" in text and "2011-08-08 XLC" in text


def test_an_event_without_a_history_is_listed_and_the_others_are_tested():
    returns = sectors()
    days = returns.index[[600, 1_000]]
    moves = relative_moves(made(returns, days))
    assert moves.p_max.isna().tolist() == [True, False]
    (late,) = moves.dropped.to_dict("records")
    assert late["event"] == moves.z.index[0]
    assert "90 earlier sessions can be ranked: give" in late["reason"]
    assert "Left out: 11 of 22 (" in str(moves.summary())
    assert len(moves.table) == 11


def test_a_session_with_a_missing_return_is_passed_over():
    returns = sectors()
    gap = returns.copy()
    del gap.attrs["gaps"]  # returns are blanked, no prices: the next one is of one session
    gap.iloc[[10, 150], 3] = np.nan
    gap.iloc[600, 5] = np.nan
    days = returns.index[[900, 1_000]]
    ours = relative_moves(made(gap, days))
    shorter = relative_moves(made(gap.dropna(), days))
    np.testing.assert_allclose(ours.z, shorter.z, rtol=1e-9)
    pd.testing.assert_frame_equal(ours.p_adjusted, shorter.p_adjusted)


def test_a_security_with_a_missing_return_in_the_window_is_left_out():
    gap = sectors().copy()
    del gap.attrs["gaps"]
    gap.iloc[1_000, 3] = np.nan
    here = relative_moves(made(gap, gap.index[[998]], (0, 4)), 0, 4)
    assert here.dropped["security"].to_list() == ["XLF"] and here.z["XLF"].isna().all()


def test_a_return_of_several_sessions_is_no_move_of_one():
    prices = load_prices("sectors")
    prices.loc["2025-04-02", "XLK"] = np.nan
    returns = log_returns(prices)
    moves = relative_moves(made(returns, ["2025-04-03"]))
    (left,) = moves.dropped.to_dict("records")
    assert left["security"] == "XLK" and "no return of one session" in left["reason"]
    rest = relative_moves(made(returns.drop(columns="XLK"), ["2025-04-03"]))
    pd.testing.assert_series_equal(moves.z.iloc[0].dropna(), rest.z.iloc[0], rtol=1e-3)


# -- size and power ------------------------------------------------------------------------------


def sizes(returns, market=None):
    """Share of sessions that are rejected at 5%: all, and the 10% with the largest market moves."""
    moves = relative_moves(made(returns, returns.index[KNOWN + 200 :], benchmark=market))
    rejects, size = moves.p_max <= 0.05, moves.market_z.abs()
    return rejects.mean(), rejects[size >= size.quantile(0.9)].mean()


@pytest.mark.parametrize("benchmark", [True, False])
def test_size_where_betas_differ_and_the_market_moves_far(benchmark):
    panels = [factor_panel(seed) for seed in range(4)]
    found = [sizes(returns, market if benchmark else None) for returns, market in panels]
    all_, far = np.mean(found, axis=0)
    assert 0.035 <= all_ <= 0.065
    # 236 sessions: the Monte Carlo error is 1.4 points.
    assert 0.02 <= far <= 0.09


def test_the_experiment_sees_moves_that_are_only_beta():
    """On the same panels returns less the average miss that bar where the market moves far."""
    found = []
    for seed in range(4):
        returns, market = factor_panel(seed)
        apart = returns.sub(returns.mean(axis=1), axis=0)
        spread = apart.pow(2).ewm(alpha=0.06).mean().shift(1) ** 0.5
        largest = (apart / spread).abs().max(axis=1).iloc[KNOWN + 200 :]
        far = market.abs()[largest.index] >= market.abs()[largest.index].quantile(0.9)
        found.append((largest.rank(ascending=False) <= 0.05 * len(largest))[far].mean())
    assert np.mean(found) > 0.09


@pytest.mark.parametrize("benchmark", [True, False])
def test_the_security_that_is_shocked_is_found_and_hardly_another(benchmark):
    """On a session on which the market falls by 5% and all follow their betas."""
    hits, others = [], []
    for seed in range(12):
        returns, market = factor_panel(seed, 1_001)
        own = returns.iloc[1_000] - np.linspace(0.4, 1.6, 11) * market.iloc[1_000]
        market.iloc[1_000] = -0.05
        returns.iloc[1_000] = own - 0.05 * np.linspace(0.4, 1.6, 11)
        returns.iloc[1_000, 2] -= 0.08
        study = made(returns, returns.index[[1_000]], benchmark=market if benchmark else None)
        found = relative_moves(study).p_adjusted.iloc[0] <= 0.05
        hits.append(found["S02"])
        others.append(found.drop("S02").any())
    assert np.mean(hits) >= 0.75
    assert np.mean(others) <= (0.2 if benchmark else 0.4)


# -- bad input -----------------------------------------------------------------------------------


def test_what_cannot_be_tested_is_refused_with_the_reason():
    returns = sectors()
    days = returns.index[[900, 1_000]]
    with pytest.raises(InferenceError, match="share their event dates"):
        relative_moves(made(returns["XLK"], days))
    firms = pd.DataFrame({"session": days, "security": ["XLK", "XLE"]})
    with pytest.raises(InferenceError, match="without `security`"):
        relative_moves(event_study(returns, firms, volatility=None))
    with pytest.raises(WindowError, match="0, 3"):
        relative_moves(made(returns, days), 0, 3)
    with pytest.raises(InferenceError, match=r"study\['id'\]"):
        relative_max(made(returns, days))


def test_one_security_alone_is_compared_with_nothing():
    returns = sectors().iloc[:, :2].copy()
    returns.iloc[895:, 1] = np.nan
    with pytest.raises(InferenceError, match="'XLB' alone is there"):
        relative_moves(made(returns, returns.index[[890, 900]]))


def test_short_histories_are_refused_with_what_is_missing():
    returns = sectors()
    with pytest.raises(HistoryError, match=r"90 earlier sessions can be ranked: give .* longer"):
        relative_moves(made(returns, returns.index[[600]]))
    with pytest.raises(HistoryError, match="510 sessions with a return of every security: 400"):
        relative_moves(made(returns.iloc[:400], returns.index[[300]]))


def test_what_has_no_beta_or_nothing_beyond_it_is_named():
    returns = sectors().iloc[:1_000]
    days = returns.index[[900]]
    twins = pd.DataFrame({"a": returns["XLK"], "b": returns["XLK"]})
    with pytest.raises(InferenceError, match="'a' is constant or a multiple of the market"):
        relative_moves(made(twins, days))
    double = returns.assign(double=2 * index())
    (left,) = relative_moves(made(double, days, benchmark=index())).dropped.to_dict("records")
    assert left["security"] == "double" and "no variance is left" in left["reason"]
    still = returns.copy()
    still.iloc[300:600, 2] = 0.0
    with pytest.raises(InferenceError, match=r"'XLE' is constant .* window of \d{4}-\d\d-\d\d"):
        relative_moves(made(still, days))
    flat = index().loc[returns.index].copy()
    flat.iloc[300:600] = 0.001
    with pytest.raises(InferenceError, match="market stands still in the estimation window"):
        relative_moves(made(returns, days, benchmark=flat))


def test_a_history_too_short_for_a_garch_model_is_said():
    returns = sectors()
    moves = relative_moves(made(returns, returns.index[[900, 1_700]], volatility="gjr"))
    (note,) = moves.notes
    assert note.startswith("variance of 1 event up to") and "EWMA 0.94" in note
    shown = str(moves.summary()).replace("\n", " ")
    assert note[1:] in shown
    # The later one is by GJR, and is ranked among days that are not: 260 of loadings, 250 of the
    # first variance, and those until the first month with 1,000 residuals before it.
    month = returns.index.to_period("M")
    begins = np.flatnonzero(month[1:] != month[:-1]) + 1
    until = begins[begins >= LOADED + 1_000][0]
    assert moves.by_average.iloc[1] == until - KNOWN
    assert f"{until - KNOWN} have the variance of EWMA 0.94" in shown


# -- what p depends on ---------------------------------------------------------------------------


@functools.cache
def liberation_day():
    days = ["2025-04-03", "2025-04-09", "2025-05-02", "2025-10-10"]
    return relative_moves(made(sectors(), days, benchmark=index(), volatility="gjr"))


def test_energy_on_3_april_is_at_the_border_and_the_table_says_by_what():
    """A referee's p by the number of days that it is ranked among."""
    moves = liberation_day()
    event = moves.z.index[0]
    referee = {50: 0.078, 75: 0.079, 100: 0.059, 150: 0.046, 250: 0.036, 400: 0.025}
    assert moves.by_pool.columns.to_list() == list(referee)
    np.testing.assert_allclose(moves.by_pool.loc[event], pd.Series(referee), atol=6e-4)
    assert moves.by_pool.loc[event, 100] == moves.p_max[event]
    assert moves.at_the_border.to_list() == [True, False, False, False]
    assert moves.p_range.loc[event].round(3).to_list() == [0.025, 0.079]
    shown = str(moves.summary()).replace("\n", " ")
    assert f"50 to 400 earlier sessions in place of 100: {event} 0.025 to 0.079" in shown
    alone = str(moves.summary())
    assert "chosen on these sessions" in alone.replace("\n", " ")


def test_a_p_of_exactly_five_percent_is_on_the_side_of_those_below():
    moves = liberation_day()
    for low, high, expected in ((0.04, 0.05, False), (0.05, 0.06, True), (0.06, 0.07, False)):
        ends = moves.by_pool * 0 + [low, *[high] * 5]
        assert (replace(moves, by_pool=ends).at_the_border == expected).all()


def test_where_few_earlier_days_had_so_large_a_market_move_it_is_said():
    moves = liberation_day()
    assert moves.as_large.to_list()[::3] == [3, 0] and moves.as_large.iloc[2] > 25
    shown = str(moves.summary()).replace("\n", " ")
    first, last = moves.z.index[[0, 3]]
    assert f"{last} 0 of 1,327, {first} 3 of 1,196 and" in shown
    some = replace(moves, as_large=moves.as_large * 0 + [24, 25, 26, 24])
    assert some._of_the_ranks()[1].endswith(f": {first} 24 of 1,196 and {last} 24 of 1,327")
    assert all(re.match("p |[A-Z]", note) and note.endswith(".") for note in moves._notes())
    assert any(note.startswith("Earlier sessions") for note in moves._notes())


def test_a_p_that_no_number_of_days_moves_across_the_level_is_said_too():
    returns = sectors()
    moves = relative_moves(made(returns, returns.index[[900, 1_000]]))
    assert not moves.at_the_border.any()
    assert "lies on the same side of 0.05" in str(moves.summary()).replace("\n", " ")
    # Of one event alone the range is always shown.
    alone = relative_moves(made(returns, returns.index[[900]]))
    day = f"{returns.index[900]:%Y-%m-%d}"
    assert not alone.at_the_border.any() and f"in place of 100: {day} 0." in alone._notes()[0]


def test_many_events_at_the_border_are_not_all_named():
    moves = liberation_day()
    border = replace(moves, by_pool=moves.by_pool * 0 + [0.01, 0.02, 0.03, 0.04, 0.06, 0.07])
    several = pd.concat([border.by_pool] * 3).set_axis([f"e{i}" for i in range(12)])
    wide = replace(border, by_pool=several, pool=several[50] * 0 + 1_000, as_large=several[50])
    assert "e3 0.010 to 0.070 and 8 more" in wide._of_the_ranks()[0]
    assert len(wide._of_the_ranks()[0]) < 250


def test_the_variance_of_the_market_is_said_to_be_from_the_rows_of_the_securities():
    (note,) = (each for each in liberation_day().notes if "market's move" in each)
    assert "since 2018-06-20" in note
    assert not any(
        "market's move" in note for note in relative_moves(made(sectors(), ["2025-04-03"])).notes
    )


def test_the_size_that_is_printed_is_that_of_the_kind_of_security(monkeypatch):
    monkeypatch.setattr(ranked_moves, "hit_in_words", lambda kind, window: kind)
    moves = liberation_day()
    among = replace(moves, market="the average of the others")
    firms = replace(moves, z=moves.z.rename(columns={"XLE": "XOM"}))
    neither = replace(firms, market="the average of the others")
    for made_, kind in ((moves, "sectors"), (among, "sectors among themselves"), (firms, "firms")):
        assert made_._notes()[-1].lower() == f"{kind}."
    assert not re.search("[Ss]ectors|[Ff]irms", neither._notes()[-1])


def test_what_happens_after_the_last_tested_window_refuses_nothing():
    """Energy stands still for 300 sessions from 10 April 2025: nothing to 3 April."""
    returns = sectors()
    still = returns.copy()
    row = still.index.get_loc("2025-04-10")
    still.iloc[row : row + 300, still.columns.get_loc("XLE")] = 0.0
    day = ["2025-04-03"]
    moves = relative_moves(made(still, day))
    whole = relative_moves(made(returns, day))
    np.testing.assert_allclose(moves.z, whole.z, rtol=1e-6)
    pd.testing.assert_frame_equal(moves.p_adjusted, whole.p_adjusted)
    # Loadings and rank are found by session 0, also where the window ends before it.
    twins = returns[["XLK", "XLE"]].copy()
    twins.iloc[row : row + 300, 1] = twins["XLK"].iloc[row : row + 300]
    before, at = (made(twins, twins.index[[row + n]], (-3, -1)) for n in (259, 260))
    assert relative_moves(before, -3, -1).z.notna().all(axis=None)
    with pytest.raises(InferenceError, match=f"'XLK' .* window of {twins.index[row + 260]:%F}"):
        relative_moves(at, -3, -1)
    # The market that stands still later.
    flat = index().loc[returns.index].copy()
    flat.iloc[row : row + 300] = 0.001
    before = relative_moves(made(returns, day, benchmark=flat))
    np.testing.assert_allclose(before.z, relative_moves(made(returns, day, benchmark=index())).z)
    with pytest.raises(InferenceError, match=r"'XLE' is constant .* window of 2026-0\d-\d\d"):
        relative_moves(made(still, still.index[[row + 320]]))


def test_the_printed_size_is_by_both_sizes_of_the_market_move(monkeypatch):
    groups = {"low": 0.049, "middle": 0.044, "high": 0.055}
    rows = {f"sectors: {third} market move": rate for third, rate in groups.items()}
    rows |= {f"sectors: {LARGEST}": 0.0591, f"sectors: {LARGEST_IN_PERCENT}": 0.0970}
    rows |= {f"firms: {third} market move": 0.03 for third in groups}
    rows |= {f"firms: {LARGEST}": 0.0, f"sectors: {SOME_DAY}": 0.133}
    made_ = pd.DataFrame({"group": rows.keys(), "rate": rows.values(), "n": 237, "level": 0.05})
    monkeypatch.setattr(measured_sizes, "load_calibration", lambda _: made_.assign(window="(0, 5)"))
    said = measured_sizes.hit_in_words("sectors", Window(0, 5))
    assert "4.9, 4.4 and 5.5% of sessions of the sector funds" in said
    assert "5.9% of the 237 with the largest moves in standard deviations and 9.7% of the" in said
    assert "chosen on these sessions" in said
    firms = measured_sizes.hit_in_words("firms", Window(0, 5))
    assert "0.0% of the 237" in firms and "percent" not in firms and "chosen" not in firms
    assert measured_sizes.some_day_rate() == 0.133
    assert measured_sizes.hit_in_words("sectors", Window(0, 1)) == ""
