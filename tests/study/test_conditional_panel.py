"""The conditional test of several securities: one fit a security and month, all errors counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import impact
from impact.errors import InferenceError, ModelError
from impact.inference import conditional_columns
from impact.inference.conditional_columns import COLUMNS
from impact.volatility import garch
from impact.volatility.forecast import variance_forecast

DATES = ["2025-04-03", "2025-04-09", "2025-05-02"]


@pytest.fixture(scope="module")
def sectors():
    return impact.log_returns(impact.load_prices("sectors"))[["XLK", "XLE"]]


@pytest.fixture(scope="module")
def market():
    return impact.log_returns(impact.load_prices())


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("model", ["constant-mean", "market"])
def test_a_row_of_a_panel_is_that_of_its_own_series(sectors, market, model, end):
    options = {"model": model, "benchmark": market if model == "market" else None}
    panel = impact.event_study(sectors, DATES, **options).car(0, end, conditional=True)
    for name in sectors:
        alone = impact.event_study(sectors[name], DATES, **options).car(0, end)
        mine = panel.xs(name, level="security")
        pd.testing.assert_frame_equal(mine[[*COLUMNS]], alone[[*COLUMNS]])


def test_the_loadings_of_a_forecast_are_those_of_the_returns_before_its_month(sectors, market):
    returns, event = sectors["XLK"], sectors.index.get_loc("2026-08-12")
    month = sectors.index.get_loc("2026-08-03")
    past = slice(month - 2_000, month)
    same = market.reindex(returns.index)
    beta, _ = np.polyfit(same.iloc[past], returns.iloc[past], 1)
    study = impact.event_study(returns, ["2026-08-12"], model="market", benchmark=market)
    window = study.over(0, 1)
    # The error of the two loadings by which the move itself is measured, over two sessions.
    design = np.column_stack([np.ones(250), same.iloc[event - 260 : event - 10]])
    total = np.array([2.0, same.iloc[event : event + 2].sum()])
    error = window.s.item() ** 2 * total @ np.linalg.inv(design.T @ design) @ total
    known = variance_forecast(returns - beta * same, event, model="gjr")
    variance = known.fit.variances(known.sigma, 2).sum()
    sigma = study.car(0, 1)["sigma_conditional"].item()
    assert sigma == pytest.approx(np.sqrt(variance + error), rel=1e-7)


def test_the_common_move_of_a_panel_is_that_of_its_portfolio(sectors):
    study = impact.event_study(sectors, DATES[1:2], volatility="ewma")
    found = impact.inference.portfolio_conditional(study, 0, 1)
    alone = impact.inference.conditional_fhs(study.portfolio(), 0, 1)
    assert (found.statistic, found.p_value) == (alone.statistic, alone.p_value)
    mean = impact.event_study(sectors.mean(axis=1), DATES[1:2], volatility="ewma", kind="log")
    p = impact.inference.conditional_fhs(mean, 0, 1).p_value
    assert found.p_value == pytest.approx(p, abs=1e-9)


def test_the_numbers_do_not_depend_on_the_number_of_processes(sectors):
    one, two = (
        impact.event_study(sectors, DATES, volatility="ewma", n_jobs=jobs).car(0, conditional=True)
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)
    assert one.attrs == two.attrs


def test_the_forecasts_of_a_panel_are_made_in_tasks_and_once(sectors, monkeypatch):
    made = []
    found_in = conditional_columns._found_in
    monkeypatch.setattr(
        conditional_columns,
        "_found_in",
        lambda study, *rest: made.append(study.fit.index.unique(1)) or found_in(study, *rest),
    )
    study = impact.event_study(sectors, DATES, volatility="ewma")
    for _ in range(2):
        study.car(0, conditional=True)
        assert sorted(map(list, made)) == [["XLE"], ["XLK"]]
    impact.event_study(sectors["XLK"], DATES, volatility="ewma").car(0)
    assert len(made) == 2


def test_events_of_a_security_in_one_month_share_one_fit(sectors, market, monkeypatch):
    fitted = []
    fit = garch.most_likely
    monkeypatch.setattr(garch, "most_likely", lambda *args: fitted.append(1) or fit(*args))
    moved = sectors + 1e-9 * np.sin(np.arange(len(sectors)))[:, None]
    study = impact.event_study(
        moved, DATES, model="market", benchmark=market, volatility="ewma", kind="log"
    )
    study.car(0, conditional=True)
    assert len(fitted) == 2 * 2  # two securities, April and May
    study.car(0, 1, conditional=True)
    assert len(fitted) == 2 * 2


def test_a_short_history_is_said_and_costs_no_other_row(sectors):
    short = sectors.copy()
    short.loc[:"2024-06-30", "XLE"] = np.nan
    study = impact.event_study(short, DATES[:1], volatility="gjr")
    found = study.car(0, conditional=True)["p_conditional"].droplevel(0)
    assert found.notna().to_dict() == {"XLK": True, "XLE": False}
    said = str(study.summary(0, conditional=True))
    assert "XLE on 2025-04-03: a variance forecast needs 250 returns" in said
    assert "conditional variance gjr" in said


def test_a_panel_says_that_it_has_no_conditional_test(sectors):
    study = impact.event_study(sectors, DATES[:1])
    assert "p_conditional" not in study.car(0)
    assert "summary(conditional=True)" in str(study.summary())
    without = impact.event_study(sectors, DATES[:1], volatility=None)
    assert "conditional" not in str(without.summary())
    with pytest.raises(InferenceError, match="needs a variance model"):
        without.car(0, conditional=True)
    with pytest.raises(ModelError, match="n_jobs=0 is not a number of processes"):
        impact.event_study(sectors, DATES, n_jobs=0)


def test_size_holds_where_the_market_moves_ten_times_as_much_as_before():
    """With loadings from calm months their error is a third of the variance of such a day."""
    rng = np.random.default_rng(6)
    days = pd.bdate_range("2018-01-01", periods=700)
    market = pd.Series(0.004 * rng.standard_normal(700), days)
    event = days[pd.Index([650, 655])]
    market[event] = [-0.04, 0.035]
    loadings = rng.uniform(0.5, 1.5, 300)
    returns = pd.DataFrame(0.015 * rng.standard_normal((700, 300)), days).add_prefix("S")
    returns += market.to_numpy()[:, None] * loadings
    study = impact.event_study(
        returns,
        pd.DataFrame({"session": event}),
        model="market",
        benchmark=market,
        volatility="ewma",
        kind="simple",
    )
    found = study.car(0, conditional=True)
    assert 0.035 < (found["p_conditional"] < 0.05).mean() < 0.065
    assert found["p_conditional_t"].isna().all()
    words = "no Student t p with fewer than 1,000 returns before"
    assert any(words in note for note in found.attrs["notes"])
    # The same rows, were the loadings known: what the error of the loadings is for.
    window = study.over(0)
    error = window.s**2 * (window.c - window.sessions)
    alone = np.sqrt(found["sigma_conditional"] ** 2 - error)
    quantile = (found["ci_high_conditional"] - found["ci_low_conditional"]) / 2
    bare = quantile * alone / found["sigma_conditional"]
    assert (found["estimate"].abs() > bare).mean() > 0.08


def test_a_model_of_the_market_says_what_its_forecast_does_not_know(sectors, market):
    study = impact.event_study(sectors, DATES[:1], model="market", benchmark=market)
    plain = impact.event_study(sectors, DATES[:1])
    said = "does not know how far the market moves"
    assert said in str(study.summary(conditional=True))
    assert said not in str(study.summary()) + str(plain.summary(conditional=True))
