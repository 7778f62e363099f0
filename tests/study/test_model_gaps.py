"""Events that a benchmark or factor does not reach are left out, and the others studied."""

import numpy as np
import pandas as pd
import pytest

import impact
from impact.errors import ModelError

XLK = impact.simple_returns(impact.load_prices("XLK"))
FACTORS = impact.load_factors()
EVENTS = ["2025-04-03", "2025-11-24", "2026-02-20"]


def studied(events, returns=XLK, factors=FACTORS, **options):
    return impact.event_study(
        returns,
        events,
        model="factors",
        factors=factors[["market_excess", "smb"]],
        risk_free=factors["risk_free"],
        volatility=None,
        **options,
    )


def test_an_event_after_the_factors_is_left_out_and_the_others_are_as_alone():
    study, alone = studied(EVENTS), studied(EVENTS[:1])
    pd.testing.assert_frame_equal(study.abnormal, alone.abnormal)
    assert study.dropped["event"].to_list() == EVENTS[1:]
    said = str(study.summary())
    assert (
        "Left out: 2 of 3 (" in said and "ends on 2025-11-28, its event window 2025-12-02" in said
    )
    inside = studied(EVENTS[:2], window=(-5, 3))
    assert inside.dropped.empty


@pytest.mark.parametrize("events", [EVENTS[2:], EVENTS[1:]])
def test_where_no_event_is_left_the_study_is_refused(events):
    with pytest.raises(ModelError, match="risk-free rate ends on 2025-11-28"):
        studied(events)


def test_an_event_before_the_factors_is_left_out():
    later = FACTORS["2020-01-02":]
    study = studied(["2020-01-06", "2020-06-01", "2025-04-03"], factors=later)
    reasons = study.dropped.set_index("event")["reason"]
    assert reasons["2020-01-06"] == (
        "risk-free rate begins on 2020-01-02, its event window 2019-12-27"
    )
    assert (
        "has no value on" in reasons["2020-06-01"]
        and "of the 261 it needs" in (reasons["2020-06-01"])
    )
    pd.testing.assert_frame_equal(study.abnormal, studied(["2025-04-03"]).abnormal)


def test_a_benchmark_of_each_security_leaves_out_what_it_does_not_reach():
    funds = impact.log_returns(impact.load_prices("sectors"))[["XLK", "XLE"]]
    market = impact.log_returns(impact.load_prices())
    own = pd.DataFrame({"XLK": market, "XLE": market + 0.0}).reindex(funds.index)
    own.loc["2025-12-01":, "XLE"] = np.nan
    study = impact.event_study(funds, EVENTS[::2], model="market", benchmark=own, volatility=None)
    assert study.dropped[["event", "security"]].to_numpy().tolist() == [[EVENTS[2], "XLE"]]
    assert study.abnormal.index.to_list() == [
        (EVENTS[0], "XLK"),
        (EVENTS[0], "XLE"),
        (EVENTS[2], "XLK"),
    ]
    assert "Left out: 1 of 4 (2026-02-20 XLE: market ends on 2025-11-28" in str(study.summary())


def test_many_events_may_each_miss_a_tenth_and_no_more():
    gap = FACTORS.copy()
    row = FACTORS.index.get_loc(pd.Timestamp("2025-04-03"))
    gap.iloc[row - 100 : row - 74] = np.nan
    assert (studied(EVENTS[:1], factors=gap).fit["observations"] == 224).all()
    gap.iloc[row - 74] = np.nan
    study = studied([*EVENTS[:1], "2023-05-01"], factors=gap)
    assert study.dropped["event"].to_list() == EVENTS[:1]


def test_the_rate_in_a_table_of_factors_is_no_factor():
    with pytest.raises(ModelError, match="risk_free' is a rate, no factor"):
        impact.event_study(XLK, ["2020-08-04"], model="factors", factors=FACTORS)


def test_an_average_says_how_many_returns_stand_behind_each_session():
    prices = impact.load_prices("sectors", start="2024-01-02")
    prices.loc["2025-04-07":, "XLK"] = np.nan
    study = impact.event_study(impact.log_returns(prices), ["2025-04-03"], volatility=None)
    for table in (study.aar(), study.caar(0)):
        assert table["rows"].loc[[0, 1, 2]].to_list() == [11, 11, 10]
        assert (table["n"] == 1).all()
