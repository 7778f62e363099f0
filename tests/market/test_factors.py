"""The factor returns: units and signs that the library is known for, and files that are wrong."""

import pandas as pd
import pytest

import impact
from impact.errors import DataFileError, ReturnsError
from impact.market import factors as module
from impact.market.factors import FACTORS, load_factors
from impact.market.files import data_path


def test_the_factors_are_decimal_fractions_of_every_session():
    factors = load_factors()
    assert tuple(factors.columns) == FACTORS and len(factors) == 5_261
    assert factors.index.equals(impact.nyse_sessions("2005-01-03", "2025-11-28"))
    market = factors["market_excess"]
    assert f"{market.idxmax():%Y-%m-%d} {market.idxmin():%Y-%m-%d}" == "2008-10-13 2020-03-16"
    assert market["2020-03-16"] < -0.11
    # Whole basis points: a bill that pays 5% a year shows 2 of them on 252 days.
    free = factors["risk_free"]
    assert set(free.mul(10_000).round(9)) == {0.0, 1.0, 2.0}
    assert free["2021"].max() == 0 and free["2024"].mean() * 252 == pytest.approx(0.05, abs=0.003)


def test_the_factors_explain_a_fund():
    technology = impact.simple_returns(impact.load_prices("XLK"))
    factors = load_factors()
    study = impact.event_study(
        technology,
        ["2025-04-03"],
        model="factors",
        factors=factors[["market_excess", "smb", "hml"]],
        risk_free=factors["risk_free"],
        volatility=None,
    )
    loadings = study.fit.iloc[0]
    assert 1.0 < loadings["market_excess"] < 1.6 and loadings["hml"] < 0  # growth shares
    assert study.car(0)["std_error"].item() < 0.008


@pytest.mark.parametrize(
    "take", [lambda f: f, lambda f: f[["market_excess"]], lambda f: f["2020":]]
)
def test_log_returns_beside_the_simple_factors_are_refused(take):
    factors = take(load_factors()).drop(columns="risk_free", errors="ignore")
    funds = impact.log_returns(impact.load_prices("sectors"))
    with pytest.raises(ReturnsError, match="holds simple returns and the returns are log ones"):
        impact.event_study(funds, ["2025-04-03"], model="factors", factors=factors)
    with pytest.raises(ReturnsError, match=r"holds simple returns .* or with simple_returns"):
        impact.calendar_time_portfolio(funds, ["2025-04-03"], factors=factors)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2005-01-04,", "2005-01-05,", "2005-01-05 stands twice"),
        ("2005-01-03,-0.0097", "2005-01-03,-0.97", r"factors\.csv: -0.97 on 2005-01-03 in column"),
        (
            "2005-01-03,-0.0097",
            "2005-01-03,nan",
            "nan on 2005-01-03 .* is not a daily return as a frac",
        ),
        ("2005-01-03,-0.0097", "2005-01-03,", r"line 2 \(2005-01-03\): '' is not a number"),
        ("market_excess", "mktrf", "the header is 'date,mktrf"),
    ],
)
def test_a_file_of_factors_that_is_wrong_is_refused(tmp_path, monkeypatch, old, new, message):
    text = data_path("factors.csv").read_text()
    assert text.count(old) == 1
    (tmp_path / "factors.csv").write_text(text.replace(old, new))
    monkeypatch.setattr(module, "data_path", lambda name: tmp_path / name)
    with pytest.raises(DataFileError, match=message):
        module._factors.__wrapped__("any")


def test_a_part_of_them_does_not_reach_the_cache():
    first = load_factors(start="2025-01-02", end="2025-01-31")
    untouched = first.copy(deep=True)
    first.iloc[:] = 0.0
    first.attrs["hash"] = "changed"
    pd.testing.assert_frame_equal(load_factors(start="2025-01-02", end="2025-01-31"), untouched)
    assert load_factors().attrs == untouched.attrs
