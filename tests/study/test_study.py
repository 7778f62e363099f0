"""One series from returns to result: published facts, alignment, what is dropped, bad input."""

import dataclasses
import math

import history
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm

import impact
from impact.errors import (
    DateError,
    EventError,
    HistoryError,
    ImpactError,
    ModelError,
    ReturnsError,
    WindowError,
)
from impact.volatility.vix import implied_forecast

NAMED = [
    "ieepa-fentanyl-orders",
    "liberation-day",
    "ninety-day-pause",
    "china-145-clarified",
    "mofcom-evaluating",
    "wsj-fentanyl-overture",
    "geneva-truce",
]


@pytest.fixture(scope="module")
def returns():
    return impact.log_returns(impact.load_prices())


@pytest.fixture(scope="module")
def events():
    return impact.load_events(since="2025-01-01")


@pytest.fixture(scope="module")
def study(returns, events):
    return impact.event_study(returns, events, implied=impact.load_vix())


def one(study, event, start=0, end=None):
    return study[event].car(start, end).iloc[0]


# -- facts from the press and the exchange -------------------------------------------------------


def test_closes_and_simple_changes_are_those_of_the_press():
    closes = impact.load_prices()
    for day, close in {
        "2025-04-02": 5670.97,
        "2025-04-08": 4982.77,
        "2025-04-09": 5456.90,
        "2025-05-01": 5604.14,
        "2025-05-02": 5686.67,
    }.items():
        assert closes[day] == close
    changes = impact.simple_returns(closes)
    for day, change in {
        "2025-04-03": -0.0484,
        "2025-04-04": -0.0597,
        "2025-04-09": 0.0952,
        "2025-05-02": 0.0147,
        "2025-05-12": 0.0326,
        "2025-10-10": -0.0271,
    }.items():
        assert round(float(changes[day]), 4) == change
    two = (1 + changes["2025-04-03":"2025-04-04"]).prod() - 1
    assert round(float(two), 3) == -0.105
    assert changes["2025-04-09"] == changes["2008-10-29":].max()
    assert (changes["2025-04-22":"2025-05-02"] > 0).sum() == 9
    assert changes["2025-04-21"] < 0


def test_named_events_react_where_they_did(study):
    sessions = {name: str(study[name].alignment["session"].iloc[0].date()) for name in NAMED}
    assert sessions == {
        "ieepa-fentanyl-orders": "2025-02-03",
        "liberation-day": "2025-04-03",
        "ninety-day-pause": "2025-04-09",
        "china-145-clarified": "2025-04-10",
        "mofcom-evaluating": "2025-05-02",
        "wsj-fentanyl-overture": "2025-05-02",
        "geneva-truce": "2025-05-12",
    }


@pytest.mark.parametrize(
    ("event", "estimate", "t"),
    [
        ("ninety-day-pause", 0.090488, 10.344),
        ("liberation-day", -0.049972, -5.744),
        ("wsj-fentanyl-overture", 0.014422, 1.204),
    ],
)
def test_prediction_t_of_the_three_days(study, event, estimate, t):
    row = one(study, event)
    assert row["estimate"] == pytest.approx(estimate, abs=5e-7)
    assert row["statistic"] == pytest.approx(t, abs=5e-4)
    assert row["dof"] == 249


def test_prediction_t_is_the_regression_with_one_dummy_per_session(returns, study):
    """No formula of ours: statsmodels, with the gap left out."""
    at = returns.index.get_loc("2025-04-09")
    for start, end in ((0, 0), (0, 1), (-5, 5)):
        rows = np.r_[at - 260 : at - 10, at + start : at + end + 1]
        k = end - start + 1
        dummies = np.vstack([np.zeros((250, k)), np.eye(k)])
        fit = sm.OLS(returns.to_numpy()[rows], np.column_stack([np.ones(250 + k), dummies])).fit()
        expected = fit.t_test(np.r_[0.0, np.ones(k)])
        row = study["ninety-day-pause"].car(start, end).iloc[0]
        assert row["statistic"] == pytest.approx(expected.tvalue.item(), rel=1e-10)
        assert row["p_textbook"] == pytest.approx(expected.pvalue.item(), rel=1e-8)
        low, high = expected.conf_int()[0]
        np.testing.assert_allclose(
            row[["ci_low_textbook", "ci_high_textbook"]].astype(float), [low, high], rtol=1e-9
        )


def test_conditional_p_by_gjr_lies_where_it_was_found(study):
    # Refit quarterly elsewhere, before each window here: near, not equal.
    assert one(study, "ninety-day-pause")["p_conditional_t"] == pytest.approx(0.022, abs=0.004)
    assert one(study, "china-145-clarified")["p_conditional_t"] == pytest.approx(0.25, abs=0.03)
    assert one(study, "geneva-truce")["p_conditional"] == pytest.approx(0.004, abs=0.002)
    assert one(study, "massive-increase-post")["p_conditional"] == pytest.approx(0.003, abs=0.002)


# -- the conditional test, step by step ----------------------------------------------------------


@pytest.mark.parametrize("model", ["gjr", "garch"])
@pytest.mark.parametrize("day", ["2025-04-09", "2025-04-10", "2025-05-02"])
def test_one_session_by_hand(returns, day, model):
    """arch's own fit up to the month before and its filter, then a rank among past values."""
    from arch import arch_model

    at = returns.index.get_loc(day)
    month = int((returns.index < day[:8] + "01").sum())
    sample = 100 * returns.to_numpy()[month - 2000 : at]
    order = {"p": 1, "o": int(model == "gjr"), "q": 1}
    process = arch_model(sample, mean="Constant", vol="GARCH", **order, dist="t", rescale=False)
    # This month's sessions are filtered, not fitted.
    fit = process.fit(disp="off", last_obs=2000, tol=1e-10)
    fixed = process.fix(fit.params)
    sigma = np.sqrt(fixed.forecast(horizon=1, reindex=False).variance.iloc[-1, 0]) / 100
    row = impact.event_study(returns, [day], volatility=model).car(0).iloc[0]
    assert row["sigma_conditional"] == pytest.approx(sigma, rel=2e-3)
    z = (returns.iloc[at] - fit.params["mu"] / 100) / sigma
    past = fixed.std_resid[-1000:]
    tails = min((past >= z).sum(), (past <= z).sum())
    nu = fit.params["nu"]
    by_t = 2 * scipy.stats.t.sf(abs(z) * np.sqrt(nu / (nu - 2)), nu)
    assert row["z_conditional"] == pytest.approx(z, rel=2e-3)
    assert row["p_conditional"] == pytest.approx(2 * (1 + tails) / 1001, abs=0.006)
    assert row["p_conditional_t"] == pytest.approx(by_t, rel=0.02)


def test_nothing_after_the_eve_is_seen_and_the_eve_is(returns):
    at = returns.index.get_loc("2025-05-02")
    before = impact.event_study(returns, ["2025-05-02"]).car(0).iloc[0]
    later = returns.copy()
    later.iloc[at + 1] += 0.20
    after = impact.event_study(later, ["2025-05-02"]).car(0).iloc[0]
    names = ["sigma_conditional", "p_conditional", "p_conditional_t", "smallest_detectable"]
    assert after[names].equals(before[names])
    eve = returns.copy()
    eve.iloc[at - 1] -= 0.05
    shaken = impact.event_study(eve, ["2025-05-02"]).car(0).iloc[0]
    assert shaken["sigma_conditional"] > 1.3 * before["sigma_conditional"]


def test_a_cluster_is_one_sum_from_its_eve(study, returns):
    row = one(study, "liberation-day", 0, 4)
    at = returns.index.get_loc("2025-04-03")
    mean = returns.iloc[at - 260 : at - 10].mean()
    assert row["estimate"] == pytest.approx((returns.iloc[at : at + 5] - mean).sum(), rel=1e-12)
    assert row["sigma_conditional"] > 2 * one(study, "liberation-day")["sigma_conditional"]
    # The same seed gives the same simulated sums, whatever else is in the study.
    alone = impact.event_study(returns, {"x": "2025-04-03"}).car(0, 4).iloc[0]
    assert alone["p_conditional"] == row["p_conditional"]
    other = impact.event_study(returns, {"x": "2025-04-03"}, rng=1).car(0, 4).iloc[0]
    assert other["p_conditional"] == pytest.approx(row["p_conditional"], abs=0.02)


def test_news_after_the_close_takes_the_index_of_the_session_before(study, returns):
    row = study["liberation-day"]
    assert bool(row.alignment["after_close"].iloc[0])
    at = returns.index.get_loc("2025-04-03")
    known = implied_forecast(returns, impact.load_vix(), at, after_vix_close=True)
    assert str(known.index_session.date()) == "2025-04-01"
    assert row.car(0)["sigma_implied"].iloc[0] == known.sigma
    at = returns.index.get_loc("2025-04-09")
    known = implied_forecast(returns, impact.load_vix(), at)
    assert str(known.index_session.date()) == "2025-04-08"
    assert study["ninety-day-pause"].car(0)["sigma_implied"].iloc[0] == known.sigma


def test_smallest_detectable_is_found_four_times_in_five():
    """Plant a move of that size on simulated days; the test finds it at its own rate."""
    path = history.garch_path(2_600, seed=3)
    days = pd.bdate_range("2010-01-01", periods=len(path))
    found, tried = 0, 0
    for at in range(2_000, 2_590, 7):
        series = pd.Series(path, days)
        row = impact.event_study(series, [days[at]], window=(0, 0)).car(0).iloc[0]
        series.iloc[at] -= row["smallest_detectable"]
        planted = impact.event_study(series, [days[at]], window=(0, 0)).car(0).iloc[0]
        found, tried = found + (planted["p_conditional"] < 0.05), tried + 1
    # Falls are the easier direction of these skewed shocks; binomial error is four points.
    assert 0.70 <= found / tried <= 0.97


# -- units, flags, what is dropped ---------------------------------------------------------------


def test_announcements_that_share_a_session_are_one_unit(study):
    assert len(study["mofcom-evaluating"]) == 1
    row = study["wsj-fentanyl-overture"].car(0)
    assert row.index.to_list() == ["mofcom-evaluating"]
    assert row["announcements"].iloc[0] == ("mofcom-evaluating", "wsj-fentanyl-overture")
    assert study.alignment["session"].is_unique


def test_flags_come_from_the_whole_catalogue(returns):
    only_china = impact.event_study(
        returns, impact.load_events(counterparty="CN", since="2025-01-01"), volatility=None
    )
    everything = impact.event_study(
        returns, impact.load_events(since="2025-01-01"), volatility=None
    )
    mixed = everything.alignment.set_index("session")["mixed"]
    mine = only_china.alignment.set_index("session")["mixed"]
    assert mine.equals(mixed[mine.index])
    assert mine.sum() >= 3
    payrolls = only_china.alignment.set_index("session").loc["2025-05-02", "releases"]
    assert payrolls == "payrolls"


def test_rows_that_are_no_news_or_lie_outside_are_listed(returns):
    study = impact.event_study(returns, impact.load_events(), volatility=None)
    reasons = study.dropped.set_index("event")["reason"]
    catalogue = impact.load_events()
    for name in catalogue.index[~catalogue["news"]]:
        assert reasons[name] == "puts known news into force"
    assert "before the first session" in reasons["smoot-hawley-approval-1930"]
    assert "before the first session" in reasons["nixon-import-surcharge-1971"]
    ids = {name for held in study.alignment["announcements"] for name in held}
    assert ids | set(reasons.index) == set(catalogue.index)
    assert ids.isdisjoint(reasons.index)


def test_announcements_of_1930_and_1971_are_studied_on_the_closes_since_1927():
    closes = impact.load_prices(start="1927-12-30")
    study = impact.event_study(
        impact.log_returns(closes), impact.load_events(until="1971-12-31"), volatility=None
    )
    car = study.car(0)
    assert car["session"].dt.strftime("%Y-%m-%d").to_dict() == {
        "smoot-hawley-approval-1930": "1930-06-16",
        "nixon-import-surcharge-1971": "1971-08-16",  # announced on a Sunday evening
    }
    for event, row in car.iterrows():
        at = closes.index.get_loc(row["session"])
        moves = [math.log(closes.iloc[t] / closes.iloc[t - 1]) for t in range(at - 260, at + 1)]
        normal = sum(moves[:250]) / 250
        assert row["estimate"] == pytest.approx(moves[-1] - normal, abs=1e-12), event
    assert study.dropped.set_index("event")["reason"].to_dict() == {
        "smoot-hawley-signed-1930": "puts known news into force"
    }
    assert "log returns 1927-12-31 to 2026-08-31" in study.signature


def test_the_signature_says_from_when_the_returns_are(returns):
    study = impact.event_study(returns, ["2025-05-02"], volatility=None)
    assert "log returns 1999-01-05 to 2026-08-31" in study.signature


def test_a_fund_that_did_not_exist_is_dropped_and_the_portfolio_averages_those_that_did():
    prices = impact.load_prices("sectors", start="2005-01-03")
    study = impact.event_study(impact.log_returns(prices), ["2010-05-10"], volatility=None)
    assert study.car(0).index.get_level_values("security").to_list() == [
        fund for fund in prices if fund not in ("XLC", "XLRE")
    ]
    reasons = study.dropped.set_index("security")["reason"]
    assert sorted(reasons.index) == ["XLC", "XLRE"]
    assert reasons.str.contains(r"0 returns in the estimation window \(-260, -11\)").all()
    nine = prices.drop(columns=["XLC", "XLRE"])
    average = np.log(nine / nine.shift(1)).mean(axis=1)
    at = prices.index.get_loc("2010-05-10")
    expected = average.iloc[at] - average.iloc[at - 260 : at - 10].mean()
    found = study.portfolio().car(0)["estimate"].item()
    assert found == pytest.approx(expected, abs=1e-12)


def test_every_shape_of_events_gives_the_same(returns):
    shapes = [
        ["2025-05-02"],
        "2025-05-02",
        {"x": "2025-05-02"},
        pd.Series(["2025-05-02"]),
        pd.DataFrame({"announced_at": ["2025-05-02"]}),
        pd.to_datetime(["2025-05-02"]),
        pd.DataFrame({"session": ["2025-05-02"]}),
    ]
    found = {
        impact.event_study(returns, shape, volatility=None).car(0)["estimate"].item()
        for shape in shapes
    }
    assert len(found) == 1


def test_inputs_are_left_alone_and_the_result_is_frozen(returns, events):
    before, rows = returns.copy(deep=True), events.copy(deep=True)
    study = impact.event_study(returns, events, volatility=None)
    pd.testing.assert_series_equal(returns, before)
    pd.testing.assert_frame_equal(events, rows)
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.abnormal = None
    table = study.car(0)
    table["estimate"] = 0.0
    assert (study.car(0)["estimate"] != 0).any()


def test_columns_of_a_car_are_those_that_are_promised(study):
    assert list(study.car(0, 1).columns) == [
        "session",
        "label",
        "announcements",
        "estimate",
        "std_error",
        "statistic",
        "dof",
        "p_textbook",
        "ci_low_textbook",
        "ci_high_textbook",
        "sigma_conditional",
        "z_conditional",
        "p_conditional",
        "p_conditional_t",
        "ci_low_conditional",
        "ci_high_conditional",
        "sigma_implied",
        "z_implied",
        "p_implied",
        "smallest_detectable",
    ]
    assert study.car(0, 1)["p_implied"].isna().all()


def test_a_short_history_takes_weights_and_says_so_and_a_shorter_one_has_no_test(returns):
    study = impact.event_study(returns["2022":], ["2025-05-02"])
    short = study.car(0).iloc[0]
    known = impact.volatility.variance_forecast(
        returns["2022":], returns["2022":].index.get_loc("2025-05-02"), model="ewma"
    )
    assert short["sigma_conditional"] == known.sigma
    assert "EWMA 0.94" in " ".join(study.car(0).attrs["notes"])
    study = impact.event_study(returns["2024-05-10":], ["2025-05-02"], estimation=(-160, -11))
    table = study.car(0)
    assert table["p_conditional"].isna().all() and table["p_textbook"].notna().all()
    (note,) = table.attrs["notes"]
    assert "needs 250 returns" in note
    assert "not available" in str(study.summary())
    assert study.tests().loc["conditional_fhs", "valid"] == "no"


# -- what tests() says of one series -------------------------------------------------------------


def test_a_cross_sectional_test_is_refused_in_words(study):
    table = study["wsj-fentanyl-overture"].tests()
    for name in ("bmp", "patell", "corrado", "sign", "cross_sectional_t", "wilcoxon", "grank_t"):
        assert table.loc[name, "valid"] == "no" and "one series" in table.loc[name, "because"]
        assert np.isnan(table.loc[name, "p_value"])
    row = one(study, "wsj-fentanyl-overture")
    assert table.loc["conditional_fhs", "p_value"] == row["p_conditional"]
    assert table.loc["conditional_t", "p_value"] == row["p_conditional_t"]
    assert table.loc["implied_t", "p_value"] == row["p_implied"]
    assert table.loc["prediction_t", "p_value"] == pytest.approx(row["p_textbook"], rel=1e-12)
    for name in ("prediction_t", "sample_quantile", "conformal", "placebo_session"):
        assert table.loc[name, "valid"] == "in calm markets"
        assert 0 < table.loc[name, "p_value"] <= 1


def test_rank_tests_of_one_event_against_slow_loops(returns, study):
    single = study["wsj-fentanyl-overture"]
    table = single.tests()
    at = returns.index.get_loc("2025-05-02")
    past, now = returns.to_numpy()[at - 260 : at - 10], returns.to_numpy()[at]
    residuals, ar = past - past.mean(), now - past.mean()
    tails = min(sum(r >= ar for r in residuals), sum(r <= ar for r in residuals))
    assert table.loc["sample_quantile", "p_value"] == pytest.approx(2 * (1 + tails) / 251)
    joined = np.append(past, now)
    centred = np.abs(joined - joined.mean())
    assert table.loc["conformal", "p_value"] == pytest.approx((centred >= centred[-1]).mean())
    values = returns.to_numpy()
    z = [
        abs(values[t] - values[t - 260 : t - 10].mean())
        / values[t - 260 : t - 10].std(ddof=1)
        / np.sqrt(1 + 1 / 250)
        for t in range(260, at + 1)
    ]
    expected = (1 + sum(other >= z[-1] for other in z[:-1])) / len(z)
    assert table.loc["placebo_session", "p_value"] == pytest.approx(expected, rel=1e-12)


def test_a_set_of_events_is_tested_by_clusters_and_each_one_in_its_row(study, returns):
    from impact.inference.cluster_test import cluster_test
    from impact.inference.event_sets import shift_test, window_z
    from impact.volatility.forecast import conditional_z

    table = study.tests()
    assert table.loc["conditional_fhs", "valid"] == "no"
    assert "see car()" in table.loc["conditional_fhs", "because"]
    z = window_z(conditional_z(study.returns.iloc[:, 0]))
    sessions = study.alignment["session"]
    assert table.loc["cluster_t", "valid"] == "yes"
    assert table.loc["cluster_t", "p_value"] == cluster_test(z, sessions).p_value
    # Sessions of one week are one observation, and shifts count each.
    assert table.loc["shift_studentised", "valid"] == "no"
    days = returns.index[5_000:5_400:40]
    apart = impact.event_study(returns, days)
    table = apart.tests()
    assert table.loc["shift_studentised", "valid"] == "yes"
    assert table.loc["shift_studentised", "p_value"] == shift_test(z, days).p_value
    assert table.loc["shift_mean", "valid"] == "no"
    calm = apart.tests(induced_variance=False)
    by_mean = shift_test(z, days, studentised=False)
    assert calm.loc["shift_mean", "p_value"] == by_mean.p_value


def test_fewer_than_eight_sessions_get_no_verdict(returns):
    study = impact.event_study(returns, ["2025-04-03", "2025-05-02"])
    table = study.tests()
    assert table.loc["shift_studentised", "valid"] == "no"
    assert "fewer than 8" in table.loc["shift_studentised", "because"]


# -- displays ------------------------------------------------------------------------------------


def test_the_tidy_frame_holds_every_session_once(study):
    tidy = study.to_frame()
    assert len(tidy) == study.abnormal.size
    row = tidy[(tidy["event"] == "liberation-day") & (tidy["relative_session"] == 1)]
    assert str(row["session"].item().date()) == "2025-04-04"
    assert row["abnormal"].item() == study.abnormal.loc["liberation-day", 1]


def test_the_result_names_itself(study):
    assert "units on 1 series, constant mean" in repr(study)
    assert repr(study).startswith(f"EventStudy: {len(study.alignment)} units")
    assert "<table" in study["geneva-truce"]._repr_html_()
    assert study["geneva-truce"].plot().get_axes()


def test_standardised_is_abnormal_over_its_error(study, returns):
    at = returns.index.get_loc("2025-04-09")
    s = returns.iloc[at - 260 : at - 10].std(ddof=1)
    error = study.std_error.loc["china-84-retaliation"]
    np.testing.assert_allclose(error, s * np.sqrt(1 + 1 / 250), rtol=1e-12)
    residuals = study.residuals.loc["china-84-retaliation"]
    assert residuals.sum() == pytest.approx(0, abs=1e-12) and len(residuals) == 250
    fit = study.fit.loc["china-84-retaliation"]
    assert fit["residual_variance"] == pytest.approx(s**2, rel=1e-12)
    assert (fit["dof"], fit["observations"]) == (249, 250)


def test_buy_and_hold_compounds_what_the_sum_adds(returns):
    simple = impact.simple_returns(impact.load_prices())
    study = impact.event_study(simple, ["2025-04-03"], kind="simple", volatility=None)
    at = simple.index.get_loc("2025-04-03")
    mean = simple.iloc[at - 260 : at - 10].mean()
    expected = (1 + simple.iloc[at : at + 3]).prod() - (1 + mean) ** 3
    assert study.bhar(0, 2)["estimate"].item() == pytest.approx(expected, rel=1e-12)
    logs = impact.event_study(returns, ["2025-04-03"], volatility=None)
    mean = returns.iloc[at - 260 : at - 10].mean()
    expected = np.exp(returns.iloc[at : at + 3].sum()) - np.exp(3 * mean)
    assert logs.bhar(0, 2)["estimate"].item() == pytest.approx(expected, rel=1e-12)


def test_neighbours_can_be_left_out_of_estimation_windows(returns, events):
    china = impact.load_events(counterparty="CN", since="2025-01-01")
    study = impact.event_study(returns, china, exclude_neighbours=True, volatility=None)
    session = study["geneva-truce"].alignment["session"].iloc[0]
    at = returns.index.get_loc(session)
    out = set()
    for other in study.alignment["session"]:
        first = returns.index.get_loc(other)
        out |= {first, first + 1}
    rows = [t for t in range(at - 260, at - 10) if t not in out]
    assert study.fit.loc["geneva-truce", "observations"] == len(rows) < 250
    expected = returns.iloc[at] - returns.iloc[rows].mean()
    assert study.car(0).loc["geneva-truce", "estimate"] == pytest.approx(expected, rel=1e-12)


# -- bad input -----------------------------------------------------------------------------------


def _bad(returns):
    daily = ["2025-05-02"]
    return {
        "date before the prices": (returns, ["1998-05-01"], {}, DateError, "1998-05-01"),
        "date after the prices": (returns, ["2026-12-01"], {}, DateError, "2026-12-01"),
        "two readings": (returns, ["02/05/2025"], {}, DateError, "2 May 2025 or 5 February 2025"),
        "no date": (returns, ["soon"], {}, DateError, "'soon' is not an ISO date"),
        "unknown direction": (
            returns,
            pd.DataFrame({"announced_at": daily, "direction": ["up"]}),
            {},
            EventError,
            "'up' is unknown",
        ),
        "one id twice": (
            returns,
            pd.DataFrame({"announced_at": daily * 2, "id": ["a", "a"]}),
            {},
            EventError,
            "two events have the id 'a'",
        ),
        "too little history": (returns["2025-01":], daily, {}, HistoryError, "250 earlier|260"),
        "windows that overlap": (
            returns,
            daily,
            {"estimation": (-260, -3)},
            WindowError,
            "does not end before",
        ),
        "reversed window": (returns, daily, {"window": (5, -5)}, WindowError, "reversed"),
        "short estimation": (
            returns,
            daily,
            {"estimation": (-60, -11)},
            WindowError,
            "fewer than min_observations=150",
        ),
        "time zone": (returns.tz_localize("UTC"), daily, {}, ReturnsError, "tz_localize"),
        "unsorted": (returns[::-1], daily, {}, ReturnsError, "sort_index"),
        "prices": (impact.load_prices(), daily, {}, ReturnsError, "look like prices"),
        "percentages": (100 * returns, daily, {}, ReturnsError, "look like percentages"),
        "a missing return": (
            returns.where(returns.index != "2025-05-02"),
            daily,
            {},
            ReturnsError,
            "nan on 2025-05-02",
        ),
        "unknown model": (returns, daily, {"model": "capm"}, ModelError, "'capm' is not known"),
        "unknown variance": (returns, daily, {"volatility": "arch"}, ModelError, "'arch'"),
        "no benchmark": (returns, daily, {"model": "market"}, ModelError, "needs benchmark="),
        "unknown kind": (returns, daily, {"kind": "percent"}, ReturnsError, "'percent'"),
        "no events": (returns, [], {}, ImpactError, "list of events is empty"),
    }


CASES = list(_bad(impact.log_returns(impact.load_prices())))


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_error(case, returns):
    series, dates, options, kind, message = _bad(returns)[case]
    with pytest.raises(kind, match=message) as caught:
        impact.event_study(series, dates, **options)
    assert "\n" not in str(caught.value)


def test_an_unknown_id_lists_the_nearest(study):
    with pytest.raises(EventError, match="wsj-fentanyl-overture"):
        study["wsj-fentanyl"]
    with pytest.raises(EventError, match="puts known news into force"):
        study["geneva-effective"]


@pytest.mark.parametrize(("start", "end"), [(-6, 0), (0, 6), (2, 1)])
def test_a_tested_window_must_lie_in_the_event_window(study, start, end):
    with pytest.raises(WindowError):
        study.car(start, end)


def test_an_index_of_volatility_is_for_one_series_and_a_constant_mean(returns):
    sectors = impact.log_returns(impact.load_prices("sectors"))
    with pytest.raises(ReturnsError, match="belongs to one series"):
        impact.event_study(sectors, ["2025-05-02"], implied=impact.load_vix())
    with pytest.raises(ModelError, match="implied= "):
        impact.event_study(
            sectors["XLK"],
            ["2025-05-02"],
            model="market",
            benchmark=sectors.mean(axis=1),
            implied=impact.load_vix(),
        )
