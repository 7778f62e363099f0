"""One check of an index and one of numbers: the same words and class wherever they are asked."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import DataFileError, ImpactError, ReturnsError
from impact.market.checks import (
    check_index,
    check_labels,
    check_numbers,
    check_units,
    on_rows,
    refuse_values,
)
from impact.market.placement import place
from impact.market.prices import check_closes
from impact.market.returns import check_returns, log_returns, simple_returns
from impact.news.alignment import align
from impact.news.surroundings import releases_on

DAYS = pd.to_datetime(["2025-05-01", "2025-05-02", "2025-05-05"])
MONTH = pd.bdate_range("2025-04-01", "2025-05-30")

#: What is asked about an index, and the class of its refusal.
ASKED = {
    "check_index": (lambda index: check_index(index, "rows"), ReturnsError),
    "check_returns": (lambda index: check_returns(pd.Series(0.01, index)), ReturnsError),
    "a table": (lambda index: check_returns(pd.DataFrame(0.01, index, ["A", "B"])), ReturnsError),
    "log_returns": (lambda index: log_returns(pd.Series(10.0, index)), ReturnsError),
    "simple_returns": (lambda index: simple_returns(pd.Series(10.0, index)), ReturnsError),
    "place": (lambda index: place(["2025-05-02"], index), ReturnsError),
    "align": (lambda index: align(["2025-05-02"], index), ReturnsError),
    "releases_on": (releases_on, ReturnsError),
    "a file": (
        lambda index: check_closes(pd.Series(10.0, index), name="my.csv", jump=1),
        DataFileError,
    ),
}

BAD_INDEX = {
    "time zone": (
        DAYS.tz_localize("America/New_York"),
        r"time zone America/New_York: use \.tz_localize\(None\)",
    ),
    "another time zone": (pd.date_range("2025-05-01", periods=9, tz="UTC"), "time zone UTC: use"),
    "Tokyo's midnights in UTC": (
        MONTH.tz_localize("Asia/Tokyo").tz_convert("UTC"),
        r"time zone UTC: use \.tz_convert\('Asia/Tokyo'\)\.tz_localize\(None\), they are midn",
    ),
    "New York's midnights in Berlin": (
        MONTH.tz_localize("America/New_York").tz_convert("Europe/Berlin"),
        r"use \.tz_convert\('America/New_York'\)\.tz_localize\(None\)",
    ),
    "closes with a zone": (
        (MONTH + pd.Timedelta(hours=16)).tz_localize("America/New_York"),
        r"use \.tz_convert\(<zone of the exchange>\)\.tz_localize\(None\)\.normalize\(\)",
    ),
    "Tokyo's midnights, the zone dropped": (
        MONTH.tz_localize("Asia/Tokyo").tz_convert("UTC").tz_localize(None),
        r"15:00:00 has a time of day: use \.index\.tz_localize\('UTC'\)\.tz_convert\('Asia/Tok",
    ),
    "Berlin's midnights, the zone dropped": (
        MONTH.tz_localize("Europe/Berlin").tz_convert("UTC").tz_localize(None),
        r"22:00:00 has a time of day: use \.index\.tz_localize\('UTC'\)\.tz_convert\('Europe/Ber",
    ),
    "weekly bars": (
        pd.date_range("2024-01-05", periods=60, freq="7D"),
        r"the rows are 7 days apart \(2024-01-05, 2024-01-12, …\), so these are weekly bars",
    ),
    "weekly bars with a holiday": (
        pd.date_range("2024-01-05", periods=60, freq="7D").delete([7, 20]),
        "these are weekly bars",
    ),
    "monthly bars": (pd.date_range("2020-01-31", periods=60, freq="ME"), "these are monthly bars"),
    "ends of quarters": (pd.date_range("2015-01-01", periods=40, freq="QE"), "quarterly bars"),
    "years": (pd.date_range("1990-01-01", periods=30, freq="YE"), "yearly bars"),
    "unsorted": (DAYS[::-1], r"2025-05-02 comes after 2025-05-05: use \.sort_index"),
    "duplicate": (DAYS[[0, 1, 1]], "2025-05-02 stands twice: delete one of its rows"),
    "numbers": (pd.RangeIndex(3), "starts with 0 and is not a DatetimeIndex: use pd.to_datetime"),
    "texts": (pd.Index(["2025-05-01", "b"]), "starts with '2025-05-01' and is not a DatetimeIndex"),
    "periods": (
        pd.period_range("2025-05-01", periods=3),
        r"is not a DatetimeIndex: .* or \.to_timestamp\(\) on daily periods",
    ),
    "NaT": (pd.DatetimeIndex([DAYS[0], pd.NaT, DAYS[1]]), "row 1 of the index is NaT: give a date"),
    "time of day": (
        DAYS + pd.Timedelta(hours=16),
        r"2025-05-01 16:00:00 has a time of day: use \.index\.normalize",
    ),
    "empty": (pd.DatetimeIndex([]), "there is no session: give at least one"),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("case", BAD_INDEX)
def test_a_wrong_index_is_refused_in_the_same_words_everywhere(case, asked):
    index, message = BAD_INDEX[case]
    call, error = ASKED[asked]
    with pytest.raises(error, match=message) as caught:
        call(index)
    with pytest.raises(ReturnsError) as plain:
        check_index(index, "rows")
    assert str(caught.value).split(": ", 1)[1] == str(plain.value).split(": ", 1)[1]


@pytest.mark.parametrize("asked", ["check_index", "place", "align", "releases_on"])
@pytest.mark.parametrize(
    ("index", "message"),
    [
        (["2025-05-01", "2025-05-02"], "starts with '2025-05-01' and is not a DatetimeIndex: use"),
        ([], r"starts with \[\] and is not"),
        (pd.Series([0.01, 0.02, 0.03], DAYS), r"starts with 0\.01 and .*: give its \.index"),
        (pd.DataFrame({"A": [1, 2, 3]}, DAYS), r"starts with 'A' and .*: give its \.index"),
        (None, "starts with None and is not a DatetimeIndex"),
    ],
)
def test_what_is_no_index(index, message, asked):
    call, error = ASKED[asked]
    with pytest.raises(error, match=message):
        call(index)


@pytest.mark.parametrize("call", [check_returns, log_returns, simple_returns])
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0.1, 0.2], "must be a pandas Series or DataFrame, not list"),
        (np.array([0.1, 0.2]), "not ndarray"),
        (None, "not NoneType"),
        (pd.DataFrame(index=DAYS), "there is no column"),
        (pd.Series(dtype=float), "not a DatetimeIndex"),
    ],
)
def test_what_is_no_table(table, message, call):
    with pytest.raises(ReturnsError, match=message):
        call(table)


@pytest.mark.parametrize("dtype", ["float32", "int64", "Float64", "Int8"])
def test_real_numbers_of_any_kind_become_floats(dtype):
    frame = check_numbers(pd.Series([1, 2, 3], DAYS, dtype=dtype, name="X"), "prices")
    assert frame["X"].to_list() == [1.0, 2.0, 3.0]
    assert frame.dtypes.to_list() == [float] and frame.index.equals(DAYS)


def test_missing_values_become_nan_and_the_table_is_left_alone():
    table = pd.DataFrame({"A": [1.0, None, 2.0]}, DAYS, dtype="Float64")
    untouched = table.copy(deep=True)
    frame = check_numbers(table, "prices")
    assert np.isnan(frame.iat[1, 0])
    pd.testing.assert_frame_equal(table, untouched)


def test_the_first_bad_value_is_named_by_date_and_column():
    frame = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [4.0, -5.5, -6.0]}, DAYS)
    with pytest.raises(ImpactError, match=r"prices: -5\.5 on 2025-05-02 in column 'B' is low"):
        refuse_values(frame, frame.to_numpy() < 0, "prices", "is low")
    refuse_values(frame, frame.to_numpy() < -9, "prices", "is low")


def test_rows_are_daily_up_to_four_days_apart_on_the_median():
    """As many weeks as days between the rows: the median lies halfway."""
    days, weeks = (
        pd.bdate_range("2025-01-06", periods=4),
        pd.date_range("2025-01-09", freq="7D", periods=4),
    )
    apart = days.append(weeks[1:])
    assert np.median(np.diff(apart) // np.timedelta64(1, "D")) == 4
    check_index(apart, "returns")
    with pytest.raises(ReturnsError, match="the rows are 7 days apart"):
        check_index(apart.append(weeks[-1:] + pd.Timedelta(days=7)), "returns")


def test_afternoons_that_may_be_midnights_elsewhere_are_taken_as_they_stand():
    """15:00 from Monday to Thursday is midnight in Tokyo, or the close there: no weekend tells."""
    afternoons = pd.DatetimeIndex([f"2025-06-{day:02d} 15:00" for day in (2, 3, 4, 5, 9, 10, 11)])
    with pytest.raises(ReturnsError, match=r"has a time of day: use \.index\.normalize\(\)"):
        check_index(afternoons, "returns")


@pytest.mark.parametrize(
    "zone",
    [
        *("America/New_York", "Europe/London", "Europe/Berlin", "Asia/Tokyo", "Asia/Hong_Kong"),
        *("Australia/Sydney", "Asia/Kolkata"),
    ],
)
@pytest.mark.parametrize("dropped", [False, True])
def test_the_advice_about_midnights_gives_the_sessions_back(zone, dropped):
    year = pd.bdate_range("2025-01-01", "2025-12-31")
    labels = year.tz_localize(zone).tz_convert("UTC")
    labels = labels.tz_localize(None) if dropped else labels
    with pytest.raises(ReturnsError) as refused:
        check_index(labels, "benchmark")
    said = str(refused.value)
    advice = said[said.index(": use ") + 6 :].partition(", they are")[0].removeprefix(".index")
    back = eval(f"labels{advice}", {"labels": labels})
    assert said.startswith("benchmark: ") and (back == year).all()


def test_closing_times_are_normalised():
    year = pd.bdate_range("2025-01-01", "2025-12-31")
    for hour in (13, 16, 20):
        labels = year + pd.Timedelta(hours=hour)
        with pytest.raises(ReturnsError, match=r"use \.index\.normalize\(\)"):
            check_index(labels, "returns")
        assert (labels.normalize() == year).all()


def test_labels_of_another_zone_show_by_their_weekends():
    year = pd.bdate_range("2025-01-01", "2025-12-31")
    check_labels(year, "x")
    check_labels(pd.date_range("2025-01-01", "2025-12-31"), "x")
    six_days = pd.date_range("1930-01-01", "1930-12-31")
    check_labels(six_days[six_days.day_of_week != 6], "x")  # Saturdays in New York
    check_labels(six_days[six_days.day_of_week != 5], "x")  # currencies trade on Sunday evenings
    check_labels(year.append(pd.DatetimeIndex(["2025-02-01"])).sort_values(), "x")  # a budget
    for shift, day in ((-1, "2025-01-05 is a Sunday"), (1, "2025-01-04 is a Saturday")):
        with pytest.raises(ReturnsError, match=f"x: {day}"):
            check_labels(year + pd.Timedelta(days=shift), "x")


# -- columns as yfinance gives them --------------------------------------------------------------

FIELDS = ["Close", "High", "Low", "Open", "Volume"]


def downloaded(tickers, fields, by_ticker=False):
    """What `yf.download` returns: Price x Ticker, or Ticker x Price with group_by="ticker"."""
    rng = np.random.default_rng(7)
    columns = pd.MultiIndex.from_product([fields, tickers], names=["Price", "Ticker"])
    table = pd.DataFrame(rng.uniform(90, 110, (len(MONTH), len(columns))), MONTH, columns)
    table.loc[:, columns.get_level_values("Price") == "Volume"] = 0.0
    return table.swaplevel(axis=1).sort_index(axis=1) if by_ticker else table


@pytest.mark.parametrize("by_ticker", [False, True])
@pytest.mark.parametrize("tickers", [["SPY"], ["SPY", "QQQ"]])
@pytest.mark.parametrize("fields", [["Close"], FIELDS, [*FIELDS, "Adj Close"]])
def test_downloaded_columns_are_read_as_closes_by_ticker(tickers, fields, by_ticker):
    table = downloaded(tickers, fields, by_ticker)
    field = "Adj Close" if "Adj Close" in fields else "Close"
    plain = pd.DataFrame(
        {t: table[(t, field) if by_ticker else (field, t)] for t in sorted(tickers)}
    )
    read = check_numbers(table, "prices")
    assert sorted(read.columns) == sorted(tickers)
    pd.testing.assert_frame_equal(read[sorted(tickers)], plain, check_freq=False, check_names=False)
    returns = log_returns(table)
    assert returns.columns.nlevels == 2  # as given, so that returns["Close"] goes on working
    checked = check_returns(returns)
    np.testing.assert_allclose(checked[sorted(tickers)], np.log(plain).diff().iloc[1:])


def test_securities_with_names_like_fields_stay_securities():
    table = pd.DataFrame(100.0, MONTH, ["LOW", "OPEN", "HIGH"])
    assert check_numbers(table, "prices").columns.to_list() == ["LOW", "OPEN", "HIGH"]
    assert check_numbers(table.set_axis(["A", "Close", "B"], axis=1), "prices").shape[1] == 3


def test_a_series_named_by_field_and_ticker_is_called_after_the_ticker():
    table = downloaded(["SPY", "QQQ"], ["Close"])
    assert check_returns(log_returns(table[("Close", "SPY")])).name == "SPY"
    assert check_returns(log_returns(table["Close"]["QQQ"])).name == "QQQ"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            pd.MultiIndex.from_product([["Open", "High"], ["SPY"]]),
            r"prices: the columns have 2 lev",
        ),
        (pd.MultiIndex.from_product([["Close", "Yield"], ["SPY"]]), r"prices\.droplevel\(<level>"),
        (pd.MultiIndex.from_product([["Close"], ["SPY"], ["USD"]]), "have 3 levels"),
        (pd.Index(["Open", "High", "Low", "Close", "Volume"]), r"use prices\['Close'\]"),
        (pd.Index(["open", "high", "low", "close"]), r"use prices\['close'\]"),
        (pd.Index(["OPEN", "HIGH", "LOW", "CLOSE", "TRADES"]), r"use prices\['CLOSE'\]"),
        (pd.Index(["Close", "Volume"]), r"use prices\['Close'\]"),
        (pd.Index(["close", "adj_close"]), r"use prices\['adj_close'\]"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(columns, message):
    table = pd.DataFrame(100.0, MONTH, columns)
    with pytest.raises(ReturnsError, match=message):
        log_returns(table)


# -- units ---------------------------------------------------------------------------------------

RNG = np.random.default_rng(1)
FRACTIONS = pd.DataFrame(RNG.normal(0, 0.01, (60, 2)), pd.bdate_range("2025-01-01", periods=60))
LEVELS = 100 * np.exp(FRACTIONS.cumsum())
SWITCH = (FRACTIONS > -1).astype(float)


@pytest.mark.parametrize(
    ("table", "unit", "message"),
    [
        (LEVELS, "return", "factors: these look like prices .*: use log_returns"),
        (100 * FRACTIONS, "return", "factors: these look like percentages .*: divide by 100"),
        (1 + FRACTIONS, "return", "look like prices"),
        (SWITCH, "return", "look like prices"),
        (LEVELS, "control", "look like prices"),
        (100 * FRACTIONS, "control", "look like percentages"),
        (SWITCH.where(FRACTIONS < 0.02, np.inf), "control", "factors: inf on .* is not a number"),
        (abs(FRACTIONS), "rate", r"factors: 0\.\d+ on .*% in one session: give the rate of one"),
        (0 * FRACTIONS + 0.0198, "rate", r"is 2\.0% in one session"),  # 5% a year, in percent a day
        (0 * FRACTIONS + 0.05, "rate", r"is 5\.0% in one session"),  # a rate a year
        (0 * FRACTIONS + 4.3, "rate", r"is 430\.0% in one session"),
        (FRACTIONS, "points", "is not a volatility: give the index in points"),
        (0.16 + abs(FRACTIONS), "points", r"looks like a fraction .*: multiply by 100"),
    ],
)
def test_values_in_another_unit(table, unit, message):
    with pytest.raises(ReturnsError, match=message):
        check_units(table, "factors", unit)


@pytest.mark.parametrize(
    ("table", "unit"),
    [
        (FRACTIONS, "return"),
        (FRACTIONS.where(FRACTIONS > -0.01), "return"),
        (SWITCH, "control"),
        (SWITCH.where(FRACTIONS > 0, 0.0), "control"),
        (0 * FRACTIONS + 0.0002, "rate"),
        (0 * FRACTIONS - 0.00002, "rate"),  # below zero in the euro area and Japan
        (0 * FRACTIONS + 0.00063, "rate"),  # the highest of the United States, 17% a year
        (0 * FRACTIONS + 9.14, "points"),  # the lowest close of the VIX
        (16 + 100 * FRACTIONS, "points"),
    ],
)
def test_values_in_the_right_unit_pass(table, unit):
    check_units(table, "factors", unit)


@pytest.mark.parametrize("bad", [-1.0, -1.99, -99.0, -66.0])
def test_a_simple_return_of_minus_100_percent_and_less_is_refused(bad):
    table = FRACTIONS.copy()
    table.iloc[7, 1] = bad
    message = rf"returns: {bad:g} on 2025-01-10 in column 1 is a simple return of -100% or less"
    with pytest.raises(ReturnsError, match=message):
        check_returns(table, kind="simple")
    table.attrs["returns"] = "simple"
    with pytest.raises(ReturnsError, match=message):
        check_returns(table)
    table.attrs["returns"] = "log"
    check_returns(table)  # a log return has no such bound
    table.iloc[7, 1] = -0.999
    check_returns(table, kind="simple")


def test_an_argument_beside_the_returns_is_put_on_their_rows():
    rows = FRACTIONS.index[10:20]
    found = on_rows(FRACTIONS.iloc[12:50], "factors", rows)
    assert found.index.equals(rows) and found.isna().sum().to_list() == [2, 2]
    shifted = FRACTIONS.set_axis(FRACTIONS.index - pd.Timedelta(days=1))
    with pytest.raises(ReturnsError, match="factors: 2025-01-05 is a Sunday"):
        on_rows(shifted, "factors", rows)
    assert len(on_rows(shifted, "factors", shifted.index)) == 60  # a market that trades so


@pytest.mark.parametrize(("made", "kind"), [("simple", "log"), ("log", "simple")])
def test_an_argument_of_another_kind_of_return_is_refused(made, kind):
    table = FRACTIONS.copy()
    table.attrs["returns"] = made
    with pytest.raises(ReturnsError, match=rf"benchmark holds {made} returns and the returns are"):
        on_rows(table, "benchmark", table.index, kind=kind)
    assert len(on_rows(table, "benchmark", table.index, kind=made)) == 60
