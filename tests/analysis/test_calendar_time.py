"""Calendar-time portfolios against a slow loop, and their errors against sums by hand."""

import numpy as np
import pandas as pd
import pytest
from panels import panel
from pictures import assert_words_are_clear
from scipy import stats

from impact.analysis.calendar_time import calendar_time_portfolio
from impact.errors import ImpactError, InferenceError, ModelError, ReturnsError
from impact.market.calendar import nyse_sessions
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events


def close(found, expected):
    assert np.asarray(found, float) == pytest.approx(np.asarray(expected, float), rel=1e-9)


@pytest.fixture(scope="module")
def firm_events():
    firms, market, pairs = panel("B")
    events = pd.DataFrame(
        {"session": firms.index[[row for _, row in pairs]], "security": [s for s, _ in pairs]}
    )
    return firms, market, pairs, events


def test_a_return_of_several_sessions_is_left_out_and_said():
    prices = load_prices(["XLK", "XLF"], start="2024-01-02", end="2025-12-31")
    prices.loc["2025-04-03", "XLK"] = np.nan
    returns = log_returns(prices)
    found = calendar_time_portfolio(returns, ["2025-04-02"], window=(0, 9))
    assert "1 return across several sessions, of XLK" in str(found.summary())
    assert found.members["2025-04-03":"2025-04-07"].to_list() == [1, 1, 2]
    close(found.returns["2025-04-04"], returns.loc["2025-04-04", "XLF"])


def test_calendar_time_portfolio_is_the_slow_loop(firm_events):
    firms, _, pairs, events = firm_events
    found = calendar_time_portfolio(firms, events, window=(1, 10))
    means, counts = {}, {}
    for t, session in enumerate(firms.index):
        held = {name for name, row in pairs if 1 <= t - row <= 10}
        counts[session] = len(held)
        if held:
            means[session] = np.mean([firms[name].iloc[t] for name in sorted(held)])
    close(found.returns, list(means.values()))
    assert found.members.tolist() == list(counts.values())
    assert found.returns.index.tolist() == list(means)
    assert found.members.max() > 1


def test_newey_west_and_white_errors_by_hand(firm_events):
    firms, market, _, events = firm_events
    factors = pd.DataFrame({"market": market, "square": market**2 - (market**2).mean()})
    free = pd.Series(0.0001, firms.index)
    found = calendar_time_portfolio(
        firms, events, window=(0, 9), factors=factors, risk_free=free, lags=3
    )
    y = found.returns.to_numpy()
    use = firms.index.isin(found.returns.index)
    x = np.column_stack([np.ones(len(y)), factors[use]])
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    score = x * (y - x @ beta)[:, None]
    meat = score.T @ score
    for lag in range(1, 4):
        cross = score[lag:].T @ score[:-lag]
        meat += (1 - lag / 4) * (cross + cross.T)
    inverse = np.linalg.inv(x.T @ x)
    error = np.sqrt(np.diag(inverse @ meat @ inverse) * len(y) / (len(y) - 3))
    close(found.params, beta)
    close(found.bse, error)
    close(found.pvalues, 2 * stats.t.sf(abs(beta / error), len(y) - 3))
    reach = stats.t.ppf(0.995, len(y) - 3) * error
    close(found.conf_int(0.99), np.column_stack([beta - reach, beta + reach]))
    assert (found.nobs, found.dof) == (len(y), len(y) - 3)
    assert "Newey-West errors with 3 lags" in repr(found)
    white = calendar_time_portfolio(
        firms, events, window=(0, 9), factors=factors, risk_free=free, covariance="HC1"
    )
    error = np.sqrt(np.diag(inverse @ score.T @ score @ inverse) * len(y) / (len(y) - 3))
    close(white.bse, error)


def test_a_drift_after_events_is_found_and_none_where_there_is_none():
    rng = np.random.default_rng(8)
    sessions = pd.bdate_range("2015-01-01", periods=1500)
    market = pd.Series(0.01 * rng.standard_normal(1500), sessions)
    values = 0.02 * rng.standard_normal((1500, 60)) + market.to_numpy()[:, None]
    rows, columns = rng.integers(10, 1400, 60), np.arange(60)
    events = pd.DataFrame({"session": sessions[rows], "security": [f"S{i}" for i in columns]})
    drift = values.copy()
    for row, column in zip(rows, columns, strict=True):
        drift[row + 1 : row + 31, column] += 0.002
    for moved, truth in [(values, 0.0), (drift, 0.002)]:
        returns = pd.DataFrame(moved, sessions, [f"S{i}" for i in columns])
        found = calendar_time_portfolio(
            returns, events, window=(1, 30), factors=market.to_frame("market")
        )
        low, high = found.table.loc["alpha", ["ci_low", "ci_high"]]
        assert low < truth < high
        assert (found.table.loc["alpha", "p_value"] < 0.05) == (truth > 0)


def test_calendar_time_events_of_all_columns_missing_returns_and_unknown_names():
    firms, _, _ = panel("C")
    events = pd.DataFrame(
        {
            "id": ["all", "one", "who"],
            "session": firms.index[[300, 320, 320]],
            "security": ["", "C01", "ZZZ"],
        }
    )
    found = calendar_time_portfolio(firms, events, window=(0, 4))
    assert found.members.iloc[300] == 10 == firms.iloc[300].notna().sum()
    assert found.members.iloc[320] == 1
    assert found.returns.iloc[0] == pytest.approx(firms.iloc[300].mean())
    assert found.dropped.to_numpy().tolist() == [
        ["who", "ZZZ", "security 'ZZZ' is not a column of the returns: the nearest is 'C12'"]
    ]
    assert "Left out: 1 of 3 (who ZZZ: security 'ZZZ' is not a column" in repr(found)
    wide = calendar_time_portfolio(firms, events, window=(0, 4), min_securities=2)
    assert wide.nobs == 5


def test_calendar_time_holds_returns_of_one_session_alone():
    prices = load_prices("sectors").loc["2025":]
    prices.loc["2025-03-05":"2025-03-06", "XLK"] = np.nan
    returns = log_returns(prices)
    found = calendar_time_portfolio(returns, ["2025-03-05"], window=(0, 4))
    assert found.members.loc["2025-03-05":"2025-03-11"].to_list() == [10, 10, 10, 11, 11]
    others = returns.drop(columns="XLK").loc["2025-03-07"].mean()
    assert found.returns["2025-03-07"] == pytest.approx(others, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"covariance": "HC9"}, InferenceError, "covariance='HC9'"),
        ({"window": (0, 0), "min_securities": 3}, InferenceError, "holds securities in 0 sessions"),
        ({"lags": 5000}, InferenceError, "lags=5000"),
        ({"lags": 2.5}, InferenceError, "lags=2.5 is not a whole number from 0"),
        ({"min_securities": 0}, InferenceError, "min_securities=0 is not a whole number from 1"),
        ({"factors": "gap"}, ModelError, "market has no value on"),
        ({"factors": "twice"}, ModelError, "collinear"),
        ({"factors": "alpha"}, ModelError, "'alpha' is what the constant is called"),
        ({"risk_free": "free"}, ModelError, "does not use risk_free"),
        ({"window": (5, 1)}, ImpactError, "reversed"),
    ],
)
def test_calendar_time_refuses_what_it_cannot_estimate(firm_events, options, error, message):
    firms, market, _, events = firm_events
    given = {
        "gap": pd.DataFrame({"market": market.where(np.arange(len(market)) != 300)}),
        "twice": pd.DataFrame({"market": market, "again": 2 * market}),
        "alpha": pd.DataFrame({"alpha": market}),
        "free": market,
    }
    options = {
        name: given[value] if name in ("factors", "risk_free") else value
        for name, value in options.items()
    }
    with pytest.raises(error, match=message):
        calendar_time_portfolio(firms, events, **options)


def test_one_series_is_refused_and_the_frame_is_named(firm_events):
    firms, _, _, events = firm_events
    with pytest.raises(ReturnsError, match=r"one column a security: use returns.to_frame\(\)"):
        calendar_time_portfolio(firms["B01"], events)


def test_a_portfolio_of_nothing_says_why(firm_events):
    firms, _, _, events = firm_events
    strangers = events.assign(security="ZZZ")
    with pytest.raises(InferenceError, match=r"in 0 sessions.*Left out: 40 .*'ZZZ' is not a col"):
        calendar_time_portfolio(firms, strangers)


def test_a_factor_that_leaves_nothing_over_is_refused(firm_events):
    firms, _, _, events = firm_events
    own = events[events["security"] == "B01"]
    with pytest.raises(InferenceError, match="'B01' has no standard error"):
        calendar_time_portfolio(firms, own, factors=firms[["B01"]])
    alone = pd.DataFrame({"news": (firms.index == own["session"].iloc[0]) * 1.0}, firms.index)
    with pytest.raises(InferenceError, match="a factor fits one session alone"):
        calendar_time_portfolio(firms, own, window=(0, 9), factors=alone, covariance="HC3")


def test_a_window_that_runs_past_the_returns_is_held_as_long_as_they_last(firm_events):
    firms, _, _, _ = firm_events
    event = pd.DataFrame({"session": firms.index[[-3]], "security": ["B01"]})
    found = calendar_time_portfolio(firms, event, window=(-4, 20))
    assert found.returns.index.tolist() == firms.index[-7:].tolist()


def test_an_event_of_all_columns_holds_what_a_firm_event_of_its_session_names(firm_events):
    firms, _, _, _ = firm_events
    events = pd.DataFrame(
        {"id": ["all", "one"], "session": firms.index[[300, 300]], "security": ["", "B01"]}
    )
    found = calendar_time_portfolio(firms, events, window=(0, 3))
    alone = calendar_time_portfolio(firms, events.iloc[:1], window=(0, 3))
    close(found.returns, alone.returns)
    assert found.dropped["event"].to_list() == ["one"]


def test_it_shows_itself_and_is_signed(firm_events):
    firms, market, _, events = firm_events
    marked = firms.copy()
    marked.attrs["hash"] = "0123456789ab"
    found = calendar_time_portfolio(marked, events, factors=market.to_frame("market"))
    text = repr(found)
    assert "held in sessions (1, 20) after an event" in text
    assert f"Alpha: {1e4 * found.params['alpha']:+.1f} basis".replace("-", "\N{MINUS SIGN}") in text
    assert "data 0123456789ab" in text and f"{found.nobs} sessions" in text
    assert "<table" in found._repr_html_() and r"\toprule" in found.to_latex()
    assert f"{found.params['alpha']}," in found.to_csv()
    assert_words_are_clear(found.plot())


def test_events_of_the_catalogue_sign_with_its_hash():
    events = load_events(counterparty="CN", since="2025-04-01", until="2025-04-14")
    days = nyse_sessions("2025-03-01", "2025-06-30")
    returns = pd.DataFrame(
        np.random.default_rng(0).normal(0, 0.01, (len(days), 3)), days, list("abc")
    )
    found = calendar_time_portfolio(returns, events)
    assert found.signature.count(f"catalogue {events.attrs['hash']}") == 1


def test_returns_across_several_sessions_are_left_out_and_said():
    prices = load_prices("sectors")["2024":].copy()
    whole = calendar_time_portfolio(log_returns(prices), ["2025-04-02"], window=(0, 5))
    prices.loc["2025-04-03", ["XLK", "XLF"]] = np.nan
    found = calendar_time_portfolio(log_returns(prices), ["2025-04-02"], window=(0, 5))
    assert "Left out: 2 returns across several sessions, of XLF and XLK." in str(found.summary())
    assert "across several" not in str(whole.summary())
    day = pd.Timestamp("2025-04-04")
    others = np.log(prices).diff().loc[day].drop(["XLF", "XLK"])
    close(found.returns[day], others.mean())
    assert found.members[day] == 9
    late = calendar_time_portfolio(log_returns(prices), ["2025-05-12"], window=(0, 5))
    assert "across several" not in str(late.summary())


def test_a_return_like_an_unadjusted_split_is_named_where_it_is_held():
    returns = log_returns(load_prices("sectors")["2024":])
    returns.loc["2025-04-04", "XLK"] -= np.log(2)
    held = calendar_time_portfolio(returns, ["2025-04-02"], window=(0, 5))
    later = calendar_time_portfolio(returns, ["2025-05-12"], window=(0, 5))
    assert "unadjusted split: XLK on 2025-04-04 (−" in str(held.summary())
    assert "split" not in str(later.summary())
