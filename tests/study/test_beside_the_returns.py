"""What stands beside the returns: benchmark, factors, rate, controls, volatility index."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from history import vix

import impact
from impact.errors import ModelError, ReturnsError

DAYS = impact.nyse_sessions("2022-06-01", "2026-12-31")[:600]
RNG = np.random.default_rng(1)
MARKET = pd.Series(RNG.normal(0, 0.01, 600), DAYS, name="market")
FIRMS = pd.DataFrame(
    {f"S{i}": (1 + 0.1 * i) * MARKET + RNG.normal(0, 0.015, 600) for i in range(3)}, DAYS
)
EVENT = [str(DAYS[400].date())]
RATE = pd.Series(0.0002, DAYS)


def studied(**options):
    return impact.event_study(FIRMS, EVENT, volatility=None, **options)


def fitted(returns, market, rows=slice(140, 390)):
    """Alpha and beta of one firm by statsmodels, rows with a missing value left out."""
    both = pd.concat([returns, market], axis=1).iloc[rows].dropna().to_numpy()
    return sm.OLS(both[:, 0], sm.add_constant(both[:, 1])).fit()


# -- one check for every argument ----------------------------------------------------------------

FACTORS = MARKET.to_frame("mkt")
PRICES = 4000 * np.exp(MARKET.cumsum())

#: How each argument is given, by its name in the message.
ARGUMENTS = {
    "returns": lambda values: impact.event_study(values, EVENT, volatility=None),
    "benchmark": lambda values: studied(model="market", benchmark=values),
    "benchmark of the market-adjusted": lambda values: studied(
        model="market-adjusted", benchmark=values
    ),
    "factors": lambda values: studied(model="factors", factors=values),
    "factors of a portfolio": lambda values: impact.calendar_time_portfolio(
        FIRMS, EVENT, factors=values
    ),
    "controls": lambda values: impact.event_regression(
        FIRMS["S0"], EVENT, controls=values, volatility=None
    ),
    "prices": lambda values: impact.log_returns(values),
    "risk_free": lambda values: studied(model="market", benchmark=MARKET, risk_free=values),
    "implied": lambda values: impact.event_study(
        FIRMS["S0"], EVENT, implied=values, volatility="ewma"
    ),
}
GOOD = {"prices": PRICES, "risk_free": RATE, "implied": 16 + 0 * MARKET}
WEEKS = pd.date_range("2015-01-02", periods=600, freq="7D")
LABELS = {
    "a time zone": (DAYS.tz_localize("America/New_York"), r"use \.tz_localize\(None\)"),
    "midnights elsewhere": (
        DAYS.tz_localize("Asia/Tokyo").tz_convert("UTC"),
        r"use \.tz_convert\('Asia/Tokyo'\)\.tz_localize\(None\)",
    ),
    "texts": (DAYS.strftime("%Y-%m-%d"), "is not a DatetimeIndex: use pd.to_datetime"),
    "closing times": (DAYS + pd.Timedelta(hours=16), r"use \.index\.normalize\(\)"),
    "periods": (DAYS.to_period("D"), r"or \.to_timestamp\(\)"),
    "numbers": (pd.RangeIndex(600), "is not a DatetimeIndex"),
    "twice": (DAYS[[*range(599), 598]], "stands twice"),
    "unsorted": (DAYS[::-1], r"use \.sort_index\(\)"),
    "weekly bars": (WEEKS, "weekly bars"),
    "monthly bars": (pd.date_range("1975-01-31", periods=600, freq="ME"), "monthly bars"),
}


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("case", LABELS)
def test_rows_that_do_not_fit_are_refused_by_the_argument_s_name(argument, case):
    labels, message = LABELS[case]
    values = GOOD.get(argument, MARKET)
    with pytest.raises(ReturnsError, match=f"^{argument.split()[0]}: .*{message}"):
        ARGUMENTS[argument](values.set_axis(labels))


@pytest.mark.parametrize("argument", [name for name in ARGUMENTS if name != "prices"])
def test_labels_a_day_early_are_refused_by_the_argument_s_name(argument):
    values = GOOD.get(argument, MARKET)
    early = values.set_axis(DAYS - pd.Timedelta(days=1))
    with pytest.raises(ReturnsError, match=rf"^{argument.split()[0]}: 2022-06-05 is a Sunday"):
        ARGUMENTS[argument](early)


@pytest.mark.parametrize(
    "argument",
    [
        name
        for name in ARGUMENTS
        if name.split()[0] in ("returns", "benchmark", "factors", "controls")
    ],
)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (PRICES, "look like prices"),
        (100 * MARKET, "look like percentages"),
        (1 + MARKET, "look like prices"),
        (MARKET.astype(str), "not numbers: use pd.to_numeric"),
        (MARKET.where(MARKET.index != DAYS[7], np.inf), "inf on 2022-06-10"),
        ([0.01, 0.02], "must be a pandas Series or DataFrame"),
    ],
)
def test_other_units_are_refused_by_the_argument_s_name(argument, values, message):
    with pytest.raises(ReturnsError, match=f"^{argument.split()[0]}.*{message}"):
        ARGUMENTS[argument](values)


@pytest.mark.parametrize(
    ("argument", "values", "message"),
    [
        ("risk_free", 100 * RATE, "risk_free: 0.02 on .* is 2.0% in one session"),
        ("risk_free", 252 * RATE, "risk_free: 0.0504 on"),
        ("risk_free", PRICES, "in one session"),
        ("implied", MARKET, "implied: .* is not a volatility"),
        ("implied", 0.16 + 0 * MARKET, "implied: .* looks like a fraction"),
        ("implied", vix().to_frame().assign(other=1.0), "implied= has 2 columns"),
        ("implied", vix().astype(str), "implied: column 'close' holds '17.24', not numbers"),
        ("prices", MARKET, "is not a positive price"),
    ],
)
def test_other_units_of_rates_prices_and_the_volatility_index(argument, values, message):
    with pytest.raises(ReturnsError, match=message):
        ARGUMENTS[argument](values)


def test_the_calendar_time_portfolio_checks_its_risk_free_rate():
    events = [str(DAYS[i].date()) for i in range(300, 500, 7)]
    good = impact.calendar_time_portfolio(FIRMS, events, factors=FACTORS, risk_free=RATE)
    assert good.table.loc["alpha", "estimate"] > -0.01
    with pytest.raises(ReturnsError, match=r"risk_free: 0\.02 on .* is 2\.0% in one session"):
        impact.calendar_time_portfolio(FIRMS, events, factors=FACTORS, risk_free=100 * RATE)


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_control_may_be_a_series_or_a_switch(as_frame):
    later = (pd.Series(range(600), DAYS) >= 300).astype(float).rename("later")
    given = (later == 1).to_frame() if as_frame else later
    found = impact.event_regression(FIRMS["S0"], EVENT, controls=given, volatility=None).table
    design = np.column_stack([np.ones(600), np.arange(600) == 400, later])
    right = sm.OLS(FIRMS["S0"].to_numpy(), design).fit()
    assert found["estimate"].item() == pytest.approx(right.params[1], rel=1e-9)


def test_the_benchmark_says_of_which_kind_it_is_and_must_agree():
    prices = pd.Series(100 * np.exp(np.r_[0, MARKET].cumsum()[:600]), DAYS)
    firm = 50 * np.exp(FIRMS["S0"].cumsum())
    for ours, theirs in (("log", "simple"), ("simple", "log")):
        returns = getattr(impact, f"{ours}_returns")(firm)
        other = getattr(impact, f"{theirs}_returns")(prices)
        for options in (
            {"model": "market", "benchmark": other},
            {"model": "market-adjusted", "benchmark": other},
            {"model": "factors", "factors": other.to_frame("m")},
        ):
            with pytest.raises(ReturnsError, match=rf"holds {theirs} returns and .* are {ours} on"):
                impact.event_study(returns, EVENT, volatility=None, **options)
        with pytest.raises(ReturnsError, match=rf"kind='{theirs}' contradicts"):
            impact.event_study(returns, EVENT, kind=theirs, volatility=None)
    simple = impact.simple_returns(firm)
    study = impact.event_study(
        simple,
        EVENT,
        window=(0, 40),
        model="market-adjusted",
        benchmark=impact.simple_returns(prices),
        volatility=None,
    )
    held = firm.iloc[440] / firm.iloc[399] - prices.iloc[440] / prices.iloc[399]
    assert study.bhar(0, 40)["estimate"].item() == pytest.approx(held, abs=1e-12)


@pytest.mark.parametrize("bad", [-1.0, -1.99, -66.0, -99.0])
@pytest.mark.parametrize("row", [200, 400, 401])
def test_a_code_for_a_missing_return_is_refused(bad, row):
    table = FIRMS.copy()
    table.iloc[row, 1] = bad
    message = f"{bad:g} on {DAYS[row]:%Y-%m-%d} in column 'S1' is a simple return of -100%"
    with pytest.raises(ReturnsError, match=message):
        impact.event_study(table, EVENT, volatility=None, kind="simple")
    benchmark = MARKET.copy()
    benchmark.iloc[row] = bad
    with pytest.raises(ReturnsError, match=r"benchmark: .* is a simple return of -100%"):
        studied(model="market", benchmark=benchmark, kind="simple")


# -- notes under the table -----------------------------------------------------------------------


@pytest.mark.parametrize(("row", "shown"), [(400, True), (380, True), (200, True), (100, False)])
def test_a_split_in_the_stretch_that_is_read_is_named_under_every_table(row, shown):
    prices = 100 * np.exp(FIRMS.cumsum())
    prices.iloc[:row, 0] *= 4
    study = impact.event_study(impact.log_returns(prices), EVENT, volatility=None)
    said = f"S0 on {DAYS[row]:%Y-%m-%d}"
    assert (said in str(study.summary())) == shown == (said in study.summary().to_latex())
    assert not shown or "near 4 for 1" in study.notes[0]


def test_a_split_of_the_benchmark_is_named_too():
    prices = 100 * np.exp(MARKET.cumsum())
    prices.iloc[:300] *= 10
    study = studied(model="market", benchmark=impact.log_returns(prices))
    assert f"market on {DAYS[300]:%Y-%m-%d}" in str(study.summary())
    assert "near 10 for 1" in str(study.summary())


def test_quiet_returns_need_no_note():
    assert studied().notes == ()


# -- a benchmark with gaps, and one for each security --------------------------------------------


@pytest.mark.parametrize("row", [300, 375])
def test_a_session_without_a_benchmark_is_left_out_of_the_fit_and_named(row):
    gap = MARKET.copy()
    gap.iloc[row] = np.nan
    study = studied(model="market", benchmark=gap)
    for firm in FIRMS:
        right = fitted(FIRMS[firm], gap)
        row_of_fit = study.fit.loc[(EVENT[0], firm)]
        assert row_of_fit["observations"] == 249 == right.nobs
        np.testing.assert_allclose(
            row_of_fit[["alpha", "beta"]].astype(float), right.params, rtol=1e-9
        )
        assert row_of_fit["residual_variance"] == pytest.approx(right.mse_resid, rel=1e-9)
    day = f"{DAYS[row]:%Y-%m-%d}"
    assert f"Left out, as the market has no value there: 1 such session ({day})." in study.notes
    assert day in str(study.summary())
    assert studied(model="market", benchmark=gap.dropna()).notes == study.notes


def test_a_session_of_the_window_without_a_benchmark_has_no_abnormal_return():
    gap = MARKET.copy()
    gap.iloc[401] = np.nan
    for model in ("market", "market-adjusted"):
        study, whole = (studied(model=model, benchmark=one) for one in (gap, MARKET))
        assert study.abnormal[1].isna().all()
        kept = study.abnormal.columns != 1
        np.testing.assert_allclose(
            study.abnormal.loc[:, kept], whole.abnormal.loc[:, kept], rtol=1e-9, atol=1e-14
        )
        expected = whole.abnormal[0] + whole.abnormal[2]
        np.testing.assert_allclose(study.car(0, 2)["estimate"], expected, rtol=1e-9)
        assert f"{DAYS[401]:%Y-%m-%d}" in str(study.summary(0, 2))


@pytest.mark.parametrize(
    "options",
    [
        {"model": "market", "benchmark": MARKET, "risk_free": RATE},
        {"model": "factors", "factors": FACTORS.assign(other=MARKET.shift(1, fill_value=0))},
    ],
)
def test_gaps_of_factors_and_rates_leave_their_sessions_out_too(options):
    name = next(name for name in ("risk_free", "factors") if name in options)
    broken = options[name].copy()
    broken.iloc[250] = np.nan
    study = studied(**{**options, name: broken})
    assert (study.fit["observations"] == 249).all()
    assert len(study.notes) == 1  # a session is named once, whatever lacks there
    assert f"({DAYS[250]:%Y-%m-%d})" in study.notes[0]


def test_more_than_a_tenth_may_not_be_missing():
    gap = MARKET.copy()
    gap.iloc[200:226] = np.nan
    assert (studied(model="market", benchmark=gap).fit["observations"] == 224).all()
    gap.iloc[226] = np.nan
    with pytest.raises(
        ModelError, match=r"market has no value on 2023-03-20 \(27 such sessions of the 261"
    ):
        studied(model="market", benchmark=gap)


@pytest.mark.parametrize("model", ["market", "market-adjusted"])
@pytest.mark.parametrize("gaps", [False, True])
def test_one_benchmark_for_each_security(model, gaps):
    own = pd.DataFrame({name: MARKET + RNG.normal(0, 0.005, 600) for name in FIRMS}, DAYS)
    if gaps:
        own.iloc[390:402:5, 1] = np.nan
        own.iloc[150:160, 2] = np.nan
    study = studied(model=model, benchmark=own[["S2", "S0", "S1"]])
    for firm in FIRMS:
        alone = impact.event_study(
            FIRMS[[firm]], EVENT, volatility=None, model=model, benchmark=own[firm]
        )
        for ours, theirs in (
            (study.car(0, 2), alone.car(0, 2)),
            (study.bhar(-1, 2), alone.bhar(-1, 2)),
        ):
            columns = ["estimate", "std_error", "dof"]
            np.testing.assert_allclose(
                ours.loc[(EVENT[0], firm), columns].astype(float),
                theirs.iloc[0][columns].astype(float),
                rtol=1e-10,
            )
    portfolio = study.portfolio()
    mean = impact.event_study(
        FIRMS.mean(axis=1).to_frame("p"),
        EVENT,
        volatility=None,
        model=model,
        benchmark=own.where(FIRMS.notna()).mean(axis=1, skipna=False),
    )
    np.testing.assert_allclose(portfolio.abnormal, mean.abnormal, rtol=1e-9, atol=1e-14)


def test_a_frame_with_one_benchmark_serves_every_security():
    one, series = (studied(model="market", benchmark=b) for b in (MARKET.to_frame("x"), MARKET))
    pd.testing.assert_frame_equal(one.abnormal, series.abnormal)


def test_a_benchmark_of_its_own_that_is_the_security_itself_is_refused():
    own = FIRMS.assign(S0=MARKET, S1=MARKET)
    with pytest.raises(ModelError, match="is also the security 'S2'"):
        studied(model="market", benchmark=own)
