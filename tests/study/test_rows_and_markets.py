"""Whose sessions the rows are, which are missing, and how an event is named."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns

import impact
from impact.errors import DateError, EventError, HistoryError, ImpactError
from impact.market.calendar import exchange

DAYS = impact.nyse_sessions("2022-06-01", "2026-12-31")[:600]
FIRMS = pd.DataFrame(np.random.default_rng(1).normal(0, 0.015, (600, 3)), DAYS, ["S0", "S1", "S2"])
EVENT = [str(DAYS[400].date())]


# -- columns as yfinance gives them --------------------------------------------------------------


@pytest.mark.parametrize("by_ticker", [False, True])
def test_downloaded_columns_go_through_every_function(by_ticker):
    closes = 100 * np.exp(FIRMS.iloc[:, :2].cumsum()).set_axis(["SPY", "QQQ"], axis=1)
    table = pd.concat({"Close": closes, "Volume": 0 * closes}, axis=1, names=["Price", "Ticker"])
    returns = impact.log_returns(table.swaplevel(axis=1) if by_ticker else table)
    right = impact.event_study(impact.log_returns(closes), EVENT, volatility=None).car(0)
    found = impact.event_study(returns, EVENT, volatility=None).car(0)
    pd.testing.assert_frame_equal(found, right)
    one = returns["SPY"]["Close"] if by_ticker else returns[("Close", "SPY")]
    alone = impact.event_study(one, EVENT, volatility=None).car(0)
    assert alone["estimate"].item() == right["estimate"].iloc[0]
    assert f"{one.name if by_ticker else 'SPY'} " in impact.event_card(EVENT[0], one).sentence
    held = impact.calendar_time_portfolio(returns, EVENT)
    assert held.nobs == impact.calendar_time_portfolio(impact.log_returns(closes), EVENT).nobs == 20
    market = impact.event_study(FIRMS, EVENT, model="market", benchmark=one, volatility=None)
    assert (market.fit["observations"] == 250).all()


# -- a variance where there are gaps -------------------------------------------------------------


def test_a_security_whose_exchange_was_shut_has_no_conditional_test():
    """Two exchanges in one table: on Memorial Day only one of them was open."""
    rows = pd.bdate_range("2022-06-01", periods=600)
    prices = pd.DataFrame(
        100 * np.exp(np.random.default_rng(3).normal(0, 0.01, (600, 2)).cumsum(axis=0)),
        rows,
        ["home", "abroad"],
    )
    prices["home"] = prices["home"].where(rows.isin(impact.nyse_sessions(rows[0], rows[-1])))
    study = impact.event_study(
        impact.log_returns(prices), ["2024-05-27"], volatility="ewma", window=(-1, 1)
    )
    found = study.car(0, conditional=True)
    assert found.index.to_list() == [("2024-05-27", "abroad")]
    assert np.isfinite(found["p_conditional"]).all()
    assert found.attrs["notes"][0] == (
        "home on 2024-05-27: the exchange was shut on every session of the tested window"
    )


def test_a_gap_in_the_month_of_the_event_leaves_nothing_to_forecast_from():
    returns, market = FIRMS.copy(), FIRMS.mean(axis=1)
    assert DAYS[403].month == DAYS[410].month
    returns.loc[DAYS[403], "S0"] = np.nan
    study = impact.event_study(
        returns, [DAYS[410]], model="market", benchmark=market, volatility="ewma"
    )
    found = study.car(0, conditional=True).droplevel("event")["p_conditional"]
    assert np.isnan(found["S0"]) and found[["S1", "S2"]].notna().all()
    assert any(
        note.startswith("S0 on ") and "needs 250 returns before the month" in note
        for note in study.car(0, conditional=True).attrs["notes"]
    )


def test_the_history_of_a_row_is_what_the_market_does_not_explain():
    market = FIRMS.mean(axis=1)
    study = impact.event_study(FIRMS, EVENT, model="market", benchmark=market, volatility=None)
    expected = FIRMS["S1"] - study.fit["beta"].iloc[1] * market
    np.testing.assert_allclose(study.history(1), expected, rtol=1e-12)


# -- markets and missing rows --------------------------------------------------------------------

XETRA = pd.bdate_range("2023-01-02", "2025-12-31")
DAX = pd.Series(np.random.default_rng(2).normal(0, 0.01, len(XETRA)), XETRA, name="DAX")
DAX["2025-04-09"], DAX["2025-04-10"] = -0.030, 0.045
PAUSE = {"pause": pd.Timestamp("2025-04-09 19:18", tz="Europe/Berlin")}


@pytest.mark.parametrize("market", ["XETR", ("Europe/Berlin", "17:30")])
def test_news_after_the_close_abroad_is_a_reaction_of_the_next_day(market):
    study = impact.event_study(DAX, PAUSE, volatility=None, market=market)
    row = study.car(0).iloc[0]
    before = DAX.iloc[DAX.index.get_loc("2025-04-10") - 260 :][:250]
    assert str(row["session"].date()) == "2025-04-10"
    assert row["estimate"] == pytest.approx(0.045 - before.mean(), rel=1e-12)
    name = market if isinstance(market, str) else "Europe/Berlin 17:30"
    assert f"sessions of {name};" in f"{study.signature};"
    dated = impact.event_study(DAX, {"pause": "2025-04-10"}, volatility=None)
    assert dated.car(0)["estimate"].item() == row["estimate"]


def test_without_a_market_a_clock_time_abroad_is_refused():
    with pytest.raises(DateError, match=r"2025-04-09T13:18.* whose clock .*market= .*'XETR'"):
        impact.event_study(DAX, PAUSE, volatility=None)
    with pytest.raises(DateError, match="whose clock closes the rows is not known"):
        impact.event_card({"pause": "2025-04-09T13:18"}, DAX)


def test_rows_that_are_no_sessions_of_the_market_are_counted_under_the_table():
    study = impact.event_study(DAX, PAUSE, volatility=None, market="XETR")
    assert "rows are not sessions of XETR (first: 2023-04-07)" in str(study.summary())
    clean = DAX[DAX.index.isin(exchange("XETR").sessions)]
    assert impact.event_study(clean, PAUSE, volatility=None, market="XETR").notes == ()


INDEX = index_returns()
LIBERATION = {"Liberation Day": "2025-04-02T16:10"}


@pytest.mark.parametrize(
    ("gone", "window", "reason"),
    [
        (slice("2025-04-03", "2025-04-11"), (0, 0), "its session 2025-04-03 is not a row"),
        (["2025-04-03"], (-5, 5), "its session 2025-04-03 is not a row"),
        (["2025-04-04"], (0, 1), r"the session 2025-04-04, in or just before its window \(0, 1\)"),
        (["2025-04-02"], (0, 1), "the session 2025-04-02, in or just before"),
        (["2025-04-10"], (-5, 5), "the session 2025-04-10, in or just before"),
    ],
)
def test_a_missing_row_leaves_the_event_out_with_its_reason(gone, window, reason):
    lacking = INDEX.loc[gone].index if isinstance(gone, slice) else pd.to_datetime(gone)
    returns = INDEX.drop(lacking)
    with pytest.raises(HistoryError, match=reason):
        impact.event_study(returns, LIBERATION, window=window, volatility=None)
    both = impact.event_study(
        returns, LIBERATION | {"truce": "2025-05-12"}, window=window, volatility=None
    )
    assert (
        list(both.abnormal.index) == ["truce"] and both.dropped["event"].item() == "Liberation Day"
    )
    assert both.dropped["reason"].str.contains(reason).all()
    assert "Left out: 1 of 2 (Liberation Day" in str(both.summary())


def test_rows_missing_elsewhere_change_nothing_but_the_length_of_the_fit():
    gone = INDEX.drop(pd.to_datetime(["2024-09-03", "2025-04-16"]))
    study = impact.event_study(gone, LIBERATION, window=(-5, 5), volatility=None)
    row = study.car(0).iloc[0]
    assert str(row["session"].date()) == "2025-04-03"
    before = gone.iloc[gone.index.get_loc("2025-04-03") - 260 :][:250]
    assert row["estimate"] == pytest.approx(INDEX["2025-04-03"] - before.mean(), rel=1e-12)


def test_the_card_does_not_slide_either():
    gone = INDEX.drop(INDEX.loc["2025-04-03":"2025-04-11"].index)
    with pytest.raises(EventError, match=r"no card for 'liberation-day'.*2025-04-03 is not a row"):
        impact.event_card("liberation-day", gone)


# -- events by id, label, date -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["liberation-day", "Liberation Day", ["liberation-day"]])
def test_an_event_is_named_by_its_id_or_its_label(name):
    catalogue = impact.load_events()
    right = impact.event_study(INDEX, catalogue.loc[["liberation-day"]], volatility=None)
    found = impact.event_study(INDEX, name, volatility=None)
    pd.testing.assert_frame_equal(found.car(0, 1), right.car(0, 1))
    assert found.signature == right.signature and "catalogue " in found.signature
    label = "Liberation Day"
    assert len(found[label]) == len(found["liberation-day"]) == 1
    sentence = name if isinstance(name, str) else name[0]
    assert impact.event_card(sentence).event == "liberation-day"


def test_ids_labels_and_dates_stand_in_one_list_in_their_order():
    names = ["Geneva truce: 145 to 30%", "9 May 2025", "liberation-day", "2025-06-05"]
    study = impact.event_study(INDEX, names, volatility=None)
    assert list(study.abnormal.index) == [
        "geneva-truce",
        "2025-05-09",
        "liberation-day",
        "2025-06-05",
    ]
    alone = impact.event_study(INDEX, ["2025-05-09", "2025-06-05"], volatility=None)
    dates = ["2025-05-09", "2025-06-05"]
    pd.testing.assert_frame_equal(study.abnormal.loc[dates], alone.abnormal.loc[dates])


def test_the_rename_of_columns_is_said_under_the_table(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("Date,Event,note\n9 May 2025,talks,x\n2025-05-12,truce,y\n")
    for events in (impact.load_events(own), pd.read_csv(own)):
        study = impact.event_study(INDEX, events, volatility=None)
        assert list(study.abnormal.index) == ["talks", "truce"]
        assert study.alignment["note"].to_list() == ["x", "y"]
        assert "column 'Date' was read as 'announced_at' and 'Event' as 'id'" in str(
            study.summary()
        )


@pytest.mark.parametrize(
    ("estimation", "advice"),
    [
        ((250, 30), (-250, -30)),
        ((30, 250), (-250, -30)),
        ((-30, -250), (-250, -30)),
        ((260, -11), (-260, -11)),
        ((-260, -3), (-260, -6)),
        ((-260, 200), (-260, -200)),
    ],
)
def test_advice_about_a_window_can_be_followed(estimation, advice):
    with pytest.raises(ImpactError, match="write estimation=") as refused:
        impact.event_study(INDEX, EVENT, estimation=estimation, volatility=None)
    assert f"write estimation={advice}" in str(refused.value)
    study = impact.event_study(
        INDEX, EVENT, estimation=advice, volatility=None, min_observations=50
    )
    assert str(study.settings.estimation) == str(advice)
