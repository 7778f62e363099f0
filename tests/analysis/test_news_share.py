"""The share of the news against slow loops, a grid, simulations with a known share, bad input."""

import numpy as np
import pandas as pd
import pytest
import scipy

import impact
from impact.analysis.news_variance import news_share_of, shrunken
from impact.errors import DateError, EventError, InferenceError
from impact.inference.clusters import clusters
from impact.inference.measured_sizes import share_misses_in_words
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.volatility.forecast import conditional_z

RETURNS = log_returns(load_prices())


def drawn(rng, sessions=250, news=30):
    return np.sort(rng.choice(sessions, news, replace=False))


def simulated(rng, at, ratio, sessions=250):
    """z of ordinary variance .8, the news of variance .8 (ratio - 1) on top, and that news."""
    effect = np.sqrt(0.8 * (ratio - 1)) * rng.standard_normal(len(at))
    z = np.sqrt(0.8) * rng.standard_normal(sessions)
    z[at] += effect
    return z, effect


@pytest.fixture(scope="module")
def study():
    return impact.event_study(RETURNS, impact.load_events(since="2018-01-01"), window=(0, 0))


@pytest.fixture(scope="module")
def year(study):
    return impact.news_share(study, since="2025-01-01", until="2025-12-31")


# -- arrays --------------------------------------------------------------------------------------


def test_share_interval_and_p_are_those_of_slow_loops():
    rng = np.random.default_rng(3)
    at = drawn(rng)
    z, _ = simulated(rng, at, 3.0)
    found = news_share_of(z, rng.permutation(at))
    others = [row for row in range(250) if row not in set(at)]
    ratio = np.mean([z[row] ** 2 for row in at]) / np.mean([z[row] ** 2 for row in others])
    assert found.statistic == pytest.approx(ratio, rel=1e-12)
    assert found.detail["share"] == pytest.approx(1 - 1 / ratio, rel=1e-12)

    def variance(rows, groups):
        without = [
            np.log(np.mean([z[row] ** 2 for row, g in zip(rows, groups, strict=True) if g != left]))
            for left in sorted(set(groups))
        ]
        n = len(without)
        return (n - 1) / n * sum((one - np.mean(without)) ** 2 for one in without)

    group = clusters(at).tolist()
    blocks = [place // 6 for place in range(len(others))]
    error = np.sqrt(variance(at, group) + variance(others, blocks))
    reach = scipy.stats.t.ppf(0.975, max(group)) * error
    for end, log_ratio in (("ci_low", -reach), ("ci_high", reach)):
        share = max(0, 1 - np.exp(-np.log(ratio) - log_ratio))
        assert found.detail[end] == pytest.approx(share, rel=1e-10)
    assert (found.detail["clusters"], found.detail["others"]) == (max(group) + 1, len(others))
    mean = [np.mean(z[(at + shift) % 250] ** 2) for shift in range(250)]
    assert found.p_value == (1 + sum(one >= mean[0] for one in mean[1:])) / 250


def test_a_range_is_the_union_over_all_shares_of_the_interval():
    rng = np.random.default_rng(4)
    at = drawn(rng)
    for ratio in (1.0, 2.0, 4.0):
        found = news_share_of(simulated(rng, at, ratio)[0], at)
        move = np.array([-0.05, -0.01, 0.0, 0.002, 0.01, 0.03])
        sigma = np.full(6, 0.01)
        best, low, high = shrunken(move, sigma, found)
        ends = found.detail["ci_low"], found.detail["ci_high"]
        share = np.linspace(*np.sqrt(ends), 20_001)[:, None] ** 2
        reach = 1.96 * sigma * np.sqrt(found.detail["ordinary"] * share)
        np.testing.assert_allclose(low, (share * move - reach).min(axis=0), atol=1e-9)
        np.testing.assert_allclose(high, (share * move + reach).max(axis=0), atol=1e-9)
        np.testing.assert_allclose(best, found.detail["share"] * move)


def test_given_a_move_the_news_in_it_has_mean_s_x_and_variance_s_v():
    rng = np.random.default_rng(5)
    ratio, v = 2.5, 0.8
    effect = np.sqrt(v * (ratio - 1)) * rng.standard_normal(400_000)
    move = effect + np.sqrt(v) * rng.standard_normal(400_000)
    near, share = np.abs(move - 2) < 0.05, 1 - 1 / ratio
    assert effect[near].mean() == pytest.approx(2 * share, abs=0.03)
    assert effect[near].var() == pytest.approx(share * v, abs=0.03)


def test_the_interval_holds_a_known_share_and_the_range_the_news_itself():
    rng = np.random.default_rng(6)
    shares, ranges, large = [], [], []
    for _ in range(600):
        at = drawn(rng)
        z, effect = simulated(rng, at, 3.0)
        found = news_share_of(z, at)
        shares.append(found.detail["ci_low"] <= 2 / 3 <= found.detail["ci_high"])
        _, low, high = shrunken(z[at], np.ones(len(at)), found)
        held = (low <= effect) & (effect <= high)
        ranges.append(held.mean())
        large.extend(held[np.abs(z[at]) > 2])
    assert np.mean(shares) == pytest.approx(0.95, abs=0.03)
    assert 0.95 <= np.mean(ranges) <= 0.985
    # A union over shares is wider than the range of any one of them.
    assert 0.93 <= np.mean(large) <= 0.995


def test_without_news_p_is_uniform():
    rng = np.random.default_rng(7)
    p = [news_share_of(rng.standard_t(5, 250), drawn(rng)).p_value for _ in range(1_000)]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(
    ("z", "at", "words"),
    [
        (np.ones(250), np.arange(7) * 10, "a set of 7 sessions gets no verdict"),
        (np.ones(250), np.arange(9), "form 1 cluster .* at least 3"),
        (np.ones(250), np.r_[0:6, 50:56], "form 2 clusters"),
        (np.ones(69), np.arange(0, 60, 6), "59 sessions without news: at least 60"),
        (np.where(np.arange(250) % 10, 1.0, 0.0), np.arange(0, 250, 10), "do not vary"),
        (np.where(np.arange(250) % 10, 0.0, 1.0), np.arange(0, 250, 10), "do not vary"),
    ],
)
def test_what_is_too_little_gets_words(z, at, words):
    with pytest.raises(InferenceError, match=words):
        news_share_of(z, at)


# -- studies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "share", "low", "high", "p"),
    [
        ("2018-01-01", "2019-12-31", 0.65, 0.38, 0.81, 0.002),
        ("2025-01-01", "2025-12-31", 0.69, 0.44, 0.83, 0.004),
    ],
)
def test_the_shares_of_the_trade_wars(study, since, until, share, low, high, p):
    found = impact.news_share(study, since=since, until=until)
    assert (found.share, *found.conf_int()) == pytest.approx((share, low, high), abs=0.006)
    assert found.p_value == pytest.approx(p, abs=0.0006)


def test_in_2026_no_share_at_all_fits_too(study):
    found = impact.news_share(study, since="2026-01-01", until="2026-12-31")
    assert found.conf_int()[0] == 0 < found.share < found.conf_int()[1]
    assert found.p_value > 0.05
    assert found.could_be_none and found.verdict.endswith("it could be none)")


def test_a_study_gives_what_its_whole_series_gives(study, year):
    z = conditional_z(RETURNS).loc["2025"]
    at = z.index.get_indexer(pd.DatetimeIndex(year.table["session"]))
    whole = news_share_of(z["z"].to_numpy(), at)
    assert (whole.statistic, whole.p_value) == (year.test.statistic, year.p_value)
    np.testing.assert_array_equal(year.table["sigma"], z["sigma"].to_numpy()[at])
    row = year.effect("mofcom-evaluating")
    of_study = study["mofcom-evaluating"].car(0).iloc[0]
    assert row["estimate"] == of_study["estimate"]
    assert row["sigma"] == pytest.approx(of_study["sigma_conditional"], rel=1e-12)
    assert row["news"] == pytest.approx(year.share * row["estimate"], rel=1e-12)
    assert row["ci_low"] < row["news"] < row["ci_high"]


def test_every_event_is_in_the_table_or_left_out_with_a_reason(study, year):
    assert len(year.table) + len(year.dropped) == len(study.alignment) + len(study.dropped)
    assert set(year.dropped["reason"]) >= {"outside the period"}
    assert "Left out: " in str(year.summary())


def test_the_period_is_the_years_of_the_announcements_unless_it_is_given(year):
    events = impact.load_events(since="2025-01-01", until="2025-12-31")
    study = impact.event_study(RETURNS, events)
    # Put off on New Year's Eve after the close: the session is 2 January 2026.
    assert study.alignment["session"].max() == pd.Timestamp("2026-01-02")
    found = impact.news_share(study)
    assert [f"{day:%Y-%m-%d}" for day in found.period] == ["2025-01-02", "2025-12-31"]
    assert found.test.statistic == year.test.statistic and found.share > 0.69
    reasons = found.dropped.set_index("event")["reason"]
    assert reasons["furniture-increase-delayed"] == "outside the period"
    assert "2025-01-02 to 2025-12-31" in str(found.summary()).splitlines()[0]


@pytest.mark.parametrize(
    ("since", "until", "part", "without", "by_ewma"),
    [
        ("2025-01-01", "2025-12-31", 0.444, (0.48, 0.23, 0.64, 0.004), 0.004),
        ("2018-01-01", "2019-12-31", 0.485, (0.40, 0.0, 0.67, 0.082), 0.054),
    ],
)
def test_the_share_without_its_largest_days_and_by_other_forecasts(
    study, since, until, part, without, by_ewma
):
    found = impact.news_share(study, since=since, until=until)
    checks = found.checks
    assert checks.index.to_list() == ["GARCH", "EWMA", "without the three largest days"]
    assert checks.iloc[-1].to_list() == pytest.approx(without, abs=0.006)
    assert checks.loc["EWMA", "p_value"] == pytest.approx(by_ewma, abs=0.0006)
    square = (found.table["z"].astype(float) ** 2).sort_values()
    assert found.largest == pytest.approx(square[-3:].sum() / square.sum())
    assert found.largest == pytest.approx(part, abs=0.001)
    # Again by hand: the three days are taken out of the whole series.
    z = conditional_z(RETURNS).loc[since:until, "z"]
    largest = found.table.loc[square.index[-3:], "session"]
    left = z.drop(pd.DatetimeIndex(largest))
    news = pd.DatetimeIndex(found.table["session"]).difference(pd.DatetimeIndex(largest))
    again = news_share_of(left.to_numpy(), left.index.get_indexer(news))
    assert checks.iloc[-1]["share"] == again.detail["share"]
    assert checks.iloc[-1]["p_value"] == again.p_value
    words = str(found.summary())
    assert f"hold {100 * part:.0f}% of the sum of z²" in words
    assert f"without the three largest days {100 * without[0]:.0f}% (95% interval" in words
    assert ("it could be none" in words) == (since < "2020")


def test_a_study_by_garch_is_checked_by_the_other_two():
    events = impact.load_events(since="2025-01-01", until="2025-12-31")
    found = impact.news_share(impact.event_study(RETURNS, events, volatility="garch"))
    assert found.checks.index.to_list()[:2] == ["GJR-GARCH", "EWMA"]
    assert found.share == pytest.approx(0.714, abs=0.001)


def test_too_few_days_without_the_largest_are_said_to_be_too_few():
    days = RETURNS.loc["2024"].index[5:180:20]
    found = impact.news_share(impact.event_study(RETURNS, list(days[:8]), window=(0, 0)))
    assert found.checks.iloc[-1].isna().all()
    assert "without the three largest days: too few sessions are left" in str(found.summary())


def test_what_the_interval_misses_by_is_read_from_the_measured_rows(year, monkeypatch):
    rows = pd.DataFrame(
        {
            "test": ["share interval", "share interval", "share interval", "share interval"],
            "group": ["a", "a, effects of t(3)", "b, effects of t(3)", "b, normal effects"],
            "window": "(0, 0)",
            "variance": 3.0,
            "effect": 0.0,
            "rate": [0.9, 0.10, 0.15, 0.06],
        }
    )
    monkeypatch.setattr("impact.inference.measured_sizes.load_calibration", lambda _: rows)
    said = share_misses_in_words()
    assert "misses it in 10 to 15% with effects of t(3) and 6% with normal effects, not in" in said
    assert said in str(year.summary())
    monkeypatch.setattr("impact.inference.measured_sizes.load_calibration", lambda _: rows[:1])
    assert share_misses_in_words() == ""


def test_it_says_that_the_list_was_made_by_people_who_knew(year):
    assert "made by people who knew the moves" in str(year.summary())
    assert repr(year).startswith("NewsShare: 69% of the variance of those 59 sessions came with")
    assert "news of any kind" in year.verdict and "none" not in year.verdict


def test_an_effect_is_named_by_id_or_label_and_an_unknown_one_lists_the_nearest(year):
    assert year.effect("Liberation Day").equals(year.effect("liberation-day"))
    with pytest.raises(EventError, match="liberation-day"):
        year.effect("liberation")
    with pytest.raises(EventError, match="outside the period"):
        year.effect(
            str(year.dropped["event"][year.dropped["reason"] == "outside the period"].iloc[0])
        )


def test_wrong_studies_and_periods_get_one_clear_sentence(study):
    events = impact.load_events(since="2025-01-01", until="2025-12-31")
    sectors = impact.log_returns(impact.load_prices("sectors"))[["XLK", "XLE"]]
    wrong = [
        (3, {}, "study= is a int"),
        (impact.event_study(sectors, events), {}, "needs one series and a variance model"),
        (impact.event_study(RETURNS, events, volatility=None), {}, "volatility='gjr'"),
        (
            impact.event_study(sectors[["XLK"]], events, model="market", benchmark=RETURNS),
            {},
            "run the study with model='constant-mean'",
        ),
        (study, {"since": "2020-01-01", "until": "2020-12-31"}, "at least 8"),
        (
            impact.event_study(RETURNS.loc["2021-12":], events),
            {},
            r"conditional variance \(1,000 sessions before it\) of 1 session",
        ),
        (
            impact.event_study(RETURNS.loc["2022-06":], events),
            {},
            "starts in a month with 1,000 returns before it, and there are 900",
        ),
    ]
    for one, period, words in wrong:
        with pytest.raises(impact.ImpactError, match=words):
            impact.news_share(one, **period)
    with pytest.raises(DateError, match="exchange the two"):
        impact.news_share(study, since="2025-05-01", until="2025-01-01")


def test_events_before_the_variance_begins_are_left_out_and_named():
    events = impact.load_events(since="2018-01-01", until="2019-12-31")
    found = impact.news_share(impact.event_study(RETURNS.loc["2014-06":], events))
    early = found.dropped[found.dropped["reason"].str.startswith("no conditional variance")]
    assert len(early) and found.period[0] > pd.Timestamp("2018-05-01")
