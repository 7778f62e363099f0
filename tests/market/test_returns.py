"""Returns by hand, and the check that what was given are returns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import ReturnsError
from impact.market.prices import load_prices, load_vix
from impact.market.returns import check_returns, log_returns, simple_returns, split_like

DAYS = pd.to_datetime(["2025-04-30", "2025-05-01", "2025-05-02", "2025-05-05"])
PRICES = pd.Series([100.0, 110.0, 99.0, 99.0], index=DAYS, name="X")


def test_returns_by_hand():
    simple, log = simple_returns(PRICES), log_returns(PRICES)
    np.testing.assert_allclose(simple, [0.10, -0.10, 0.0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(log, [0.0953101798, -0.1053605157, 0.0], rtol=1e-9, atol=1e-15)
    assert simple.name == log.name == "X" and log.index.equals(DAYS[1:])
    assert (simple.attrs["returns"], log.attrs["returns"]) == ("simple", "log")
    assert PRICES.attrs == {}
    assert log_returns(load_prices()).attrs["hash"] == load_prices().attrs["hash"]


def test_the_move_across_missing_prices_stands_where_a_price_returns():
    table = pd.DataFrame({"A": [np.nan, 100, 110, 121], "B": [10, np.nan, 12, 9]}, index=DAYS)
    untouched = table.copy(deep=True)
    result = simple_returns(table)
    np.testing.assert_allclose(result["A"], [np.nan, 0.1, 0.1])
    np.testing.assert_allclose(result["B"], [np.nan, 0.2, -0.25])
    np.testing.assert_allclose(log_returns(table)["B"], [np.nan, np.log(1.2), np.log(0.75)])
    assert result.attrs["gaps"] == "trade-to-trade"
    pd.testing.assert_frame_equal(table, untouched)
    check_returns(result.iloc[1:])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(10, 1000), min_size=2, max_size=40))
def test_the_two_returns_say_the_same(levels):
    prices = pd.Series(levels, index=pd.date_range("2000-01-03", periods=len(levels)))
    simple, log = simple_returns(prices), log_returns(prices)
    np.testing.assert_allclose(np.log1p(simple), log, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(log.sum(), np.log(levels[-1] / levels[0]), atol=1e-9)
    np.testing.assert_allclose((1 + simple).prod(), levels[-1] / levels[0], rtol=1e-9)


@pytest.mark.filterwarnings("error")
def test_a_change_that_no_number_holds_is_refused():
    with pytest.raises(ReturnsError, match="inf on 2025-05-02 in column 'X' is their change"):
        simple_returns(pd.Series([1.0, 1e-300, 1e300, 1.0], DAYS, name="X"))
    assert np.isfinite(log_returns(pd.Series([1.0, 1e-300, 1e300, 1.0], DAYS))).all()


def replaced(value):
    return PRICES.where(PRICES != 99.0, value)


BAD_PRICES = {
    "zero": (replaced(0.0), "prices: 0 on 2025-05-02 in column 'X' is not a positive price"),
    "negative": (replaced(-99.0), "prices: -99 on 2025-05-02"),
    "missing": (replaced(np.nan), "prices: nan on 2025-05-02"),
    "infinite": (replaced(np.inf), "prices: inf on 2025-05-02"),
    "zero in a table": (replaced(0.0).to_frame(), "prices: 0 on 2025-05-02 in column 'X'"),
    "infinite in a table": (replaced(np.inf).to_frame(), "prices: inf on 2025-05-02"),
    "a column of nothing": (PRICES.to_frame().assign(Y=np.nan), "column 'Y' holds no value"),
    "text": (PRICES.astype(str), "column 'X' holds '100.0', not numbers: use pd.to_numeric"),
    "one session": (PRICES[:1], "one session, 2025-04-30, gives no return"),
    "columns twice": (pd.concat([PRICES, PRICES], axis=1), "column 'X' stands twice"),
}


@pytest.mark.parametrize("to_returns", [log_returns, simple_returns])
@pytest.mark.parametrize("case", BAD_PRICES)
def test_bad_prices(case, to_returns):
    prices, message = BAD_PRICES[case]
    with pytest.raises(ReturnsError, match=message):
        to_returns(prices)


RETURNS = log_returns(PRICES)
LONG = log_returns(load_prices())

BAD_RETURNS = {
    "prices": (load_prices(), r"look like prices \(\^GSPC is 1228.1 on 1999-01-04\): use log_ret"),
    "prices of funds": (load_prices("sectors"), r"look like prices \(XLB is 24.885"),
    "one column of prices": (LONG.to_frame().assign(P=load_prices()), r"prices \(P is"),
    "volatility": (load_vix(), "look like prices"),
    "gross": (1 + LONG, "look like prices"),
    "percentages": (
        100 * LONG,
        r"look like percentages .*: divide by 100, returns are decimal .*event_study.kind='change'",
    ),
    "calm percentages": (100 * LONG["2017"], "look like percentages"),
    "infinite": (LONG.where(LONG.index != "2025-05-02", -np.inf), "-inf on 2025-05-02"),
    "missing": (load_prices(start="2025-04-01").pct_change(), "nan on 2025-04-01"),
    "infinite in a table": (LONG.to_frame().where(LONG.to_frame() < 0.09, np.inf), "inf on 2008"),
    "three prices": (PRICES[:3], "look like prices"),
    "text": (LONG.astype(str), "not numbers"),
    "truth": (LONG > 0, "not numbers"),
    "complex": (LONG.astype(complex), "not numbers"),
    "a column of nothing": (LONG.to_frame().assign(Y=np.nan), "column 'Y' holds no value"),
    "columns twice": (
        pd.concat([LONG, LONG], axis=1),
        "column '^GSPC' stands twice".replace("^", r"\^"),
    ),
}


@pytest.mark.parametrize("case", BAD_RETURNS)
def test_bad_returns(case):
    returns, message = BAD_RETURNS[case]
    with pytest.raises(ReturnsError, match=message):
        check_returns(returns)


def test_good_returns_pass():
    check_returns(LONG)
    check_returns(simple_returns(load_prices("sectors")))
    check_returns(log_returns(load_vix()))  # the most restless series that we have
    check_returns(RETURNS.iloc[:2])
    rng = np.random.default_rng(7)
    days = pd.date_range("2015-01-01", periods=500)
    check_returns(pd.Series(rng.standard_t(3, 500) * 0.06, index=days))  # a wild small company
    table = pd.DataFrame(rng.normal(0, 0.02, (500, 3)), index=days, columns=list("ABC"))
    check_returns(table.mask(rng.random(table.shape) < 0.3))
    check_returns(table.astype("Float64").mask(table > 0.05))


def test_every_run_of_the_index_in_percent_is_found():
    """No stretch of 60 sessions since 1999 is calm enough to pass for decimal fractions."""
    assert (100 * LONG).abs().rolling(60).median().min() > 0.1
    assert LONG.abs().rolling(20).median().max() < 0.1


# -- unadjusted splits ---------------------------------------------------------------------------

QUIET = pd.DataFrame(
    np.random.default_rng(3).normal(0, 0.015, (300, 2)),
    pd.bdate_range("2024-01-01", periods=300),
    ["A", "B"],
)


@pytest.mark.parametrize(
    ("factor", "near"),
    [
        (1 / 4, "near 4 for 1"),
        (1 / 2, "near 2 for 1"),
        (1 / 10, "near 10 for 1"),
        (3, "near 1 for 3"),
        (100, "near 1 for 100"),
        (1 / 1.8, ""),
        (7, ""),
    ],
)
@pytest.mark.parametrize("kind", ["log", "simple"])
def test_a_price_that_was_not_adjusted_is_named_with_its_day(factor, near, kind):
    prices = 100 * np.exp(QUIET.cumsum())
    prices.iloc[200:, 0] *= factor
    made = log_returns(prices) if kind == "log" else simple_returns(prices)
    said = split_like(made, kind)
    move = prices["A"].iloc[200] / prices["A"].iloc[199] - 1
    size = f"{abs(move):.1%}".replace(",", "")
    assert f"A on {prices.index[200]:%Y-%m-%d} (" in said and "B on" not in said
    assert size.rstrip("%") in said.replace(",", "") and said.count("near") == bool(near)
    assert near in said


def test_moves_of_half_and_less_are_none():
    assert split_like(QUIET, "log") == ""
    edge = QUIET.copy()
    edge.iloc[5, 0], edge.iloc[6, 1] = 0.5, -0.5
    assert split_like(edge, "log") == ""
    edge.iloc[5, 0] = 0.5001
    assert "A on 2024-01-08 (+64.9%)" in split_like(edge, "log")
    # Half in logs: a fall of 39.3%, a rise of 64.9%.
    simple = QUIET.copy()
    simple.iloc[5, 0], simple.iloc[6, 1] = -0.393, 0.648
    assert split_like(simple, "simple") == ""
    simple.iloc[5, 0], simple.iloc[6, 1] = -0.394, 0.649
    assert split_like(simple, "simple").count(" on 2024") == 2


def test_three_are_named_and_the_others_counted():
    many = QUIET.copy()
    many.iloc[10:30, 0] = 0.7
    said = split_like(many, "log")
    assert said.count(" on ") == 3 and said.endswith("and 17 more.")
    assert split_like(many * np.nan, "log") == "" == split_like(many.iloc[:, :0], "log")
