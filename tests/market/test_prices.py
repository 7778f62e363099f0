"""Committed prices against the press and other copies, and the rules of a price file."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import DataFileError, DateError
from impact.market.calendar import nyse_sessions
from impact.market.factors import load_factors
from impact.market.files import data_path
from impact.market.prices import (
    FUNDS,
    SECTORS,
    check_closes,
    firms_about,
    load_prices,
    load_vix,
    read_closes,
)
from impact.market.returns import log_returns, simple_returns

# -- facts from the press and the exchanges ------------------------------------------------------


def test_the_default_is_the_long_history():
    prices = load_prices()
    assert (len(prices), prices.name, prices.index.name) == (6957, "^GSPC", "date")
    assert str(prices.index[0].date()) == "1999-01-04"
    assert str(prices.index[-1].date()) == "2026-08-31"
    assert prices.notna().all() and prices.dtype == float and prices.index.tz is None


@pytest.mark.parametrize(
    ("session", "close"),
    [
        ("1999-01-04", 1228.10),
        ("2000-03-24", 1527.46),  # top of the dot-com years
        ("2008-10-13", 1003.35),
        ("2009-03-09", 676.53),  # bottom of the financial crisis
        ("2017-12-29", 2673.61),
        ("2018-01-02", 2695.81),
        ("2020-03-23", 2237.40),  # bottom of the pandemic
        ("2025-04-02", 5670.97),
        ("2025-04-08", 4982.77),
        ("2025-04-09", 5456.90),
        ("2025-05-01", 5604.14),
        ("2025-05-02", 5686.67),
    ],
)
def test_closes_of_record(session, close):
    assert round(float(load_prices()[session]), 2) == close


@pytest.mark.parametrize(
    ("session", "close"),
    [
        ("1929-09-07", 31.92),  # top before the crash, a Saturday
        ("1932-06-01", 4.40),  # bottom of the Depression
        ("1942-04-28", 7.47),  # bottom of the war
        ("1968-11-29", 108.37),
        ("1974-10-03", 62.28),
        ("1982-08-12", 102.42),
        ("1987-10-16", 282.70),
        ("1987-10-19", 224.84),
    ],
)
def test_older_closes_of_record(session, close):
    assert float(load_prices(start="1927-12-30")[session]) == close


@pytest.mark.parametrize(
    ("session", "change"),
    [
        ("2025-04-03", "-4.84%"),
        ("2025-04-04", "-5.97%"),
        ("2025-04-09", "+9.52%"),
        ("2025-05-02", "+1.47%"),
        ("2025-05-12", "+3.26%"),
        ("2025-10-10", "-2.71%"),
        ("2008-10-13", "+11.58%"),
        ("2020-03-16", "-11.98%"),
    ],
)
def test_simple_changes_of_record(session, change):
    assert f"{simple_returns(load_prices())[session]:+.2%}" == change


@pytest.mark.parametrize(
    ("session", "change"),
    [
        ("1933-03-15", "+16.61%"),  # the largest rise, after the bank holiday
        ("1955-09-26", "-6.62%"),  # the president's heart attack
        ("1962-05-28", "-6.68%"),
        ("1987-10-19", "-20.47%"),  # the largest fall
    ],
)
def test_older_changes_of_record(session, change):
    changes = simple_returns(load_prices(start="1927-12-30"))
    assert f"{changes[session]:+.2%}" == change
    assert f"{changes.idxmax():%Y-%m-%d} {changes.idxmin():%Y-%m-%d}" == "1933-03-15 1987-10-19"


def test_what_the_press_said_of_april_and_may_2025():
    changes = simple_returns(load_prices())
    since = changes["2008-10-29":"2025-04-08"]
    assert changes["2025-04-09"] > since.max()  # the largest since October 2008
    gains = changes[:"2025-05-02"] > 0
    assert gains.iloc[-9:].all() and not gains.iloc[-10]  # the ninth in a row
    two_days = load_prices()["2025-04-04"] / load_prices()["2025-04-02"] - 1
    assert round(two_days, 3) == -0.105


def published():
    with data_path("published_results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", published(), ids=lambda row: row["id"])
def test_published_change(row):
    changes = simple_returns(load_prices())[row["first_session"] : row["last_session"]]
    ours = (1 + changes).prod() - 1
    assert abs(ours - float(row["published_value"])) <= float(row["rounding"]) + 1e-12


def test_there_are_27_published_changes_and_log_returns_miss_most():
    returns = log_returns(load_prices())
    missed = []
    for row in published():
        ours = returns[row["first_session"] : row["last_session"]].sum()
        missed.append(abs(ours - float(row["published_value"])) > float(row["rounding"]))
    assert len(missed) == 27 and sum(missed) > 20


@pytest.mark.parametrize(
    ("session", "level"),
    [
        ("2008-11-20", 80.86),
        ("2015-08-24", 40.74),
        ("2018-02-05", 37.32),
        ("2020-03-16", 82.69),
        ("2025-04-08", 52.33),
    ],
)
def test_vix_closes_of_record(session, level):
    assert load_vix()[session] == level


def test_the_index_since_1927_has_every_session_and_no_other():
    prices = load_prices(start="1927-12-30")
    assert [str(day.date()) for day in prices.index[[0, -1]]] == ["1927-12-30", "2026-08-31"]
    assert len(prices) == 25_868 and prices.notna().all()
    assert prices.index.equals(nyse_sessions("1927-12-30", "2026-08-31"))
    saturdays = prices.index[prices.index.day_of_week == 5]
    assert len(saturdays) == 1_085 and str(saturdays[-1].date()) == "1952-05-24"
    pd.testing.assert_series_equal(prices["1999":], load_prices(), check_freq=False)


def test_vix_span():
    vix = load_vix()
    assert (vix.name, vix.index.name) == ("^VIX", "date")
    assert [str(day.date()) for day in vix.index[[0, -1]]] == ["1990-01-02", "2026-08-28"]
    assert vix.between(5, 150).all()
    # The index and its volatility trade on the same sessions, but for four that Cboe left out.
    sessions = load_prices(start=vix.index[0], end=vix.index[-1]).index
    absent = sessions.difference(vix.index)
    assert absent.equals(
        pd.DatetimeIndex(["1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"]).as_unit("us")
    )
    assert vix.index.isin(sessions).all()


@pytest.mark.parametrize("name", ["sp500", "vix"])
def test_the_arch_package_agrees_where_both_have_closes(name):
    ships = pytest.importorskip(f"arch.data.{name}").load()
    ours = load_prices() if name == "sp500" else load_vix()
    theirs = ships["Adj Close" if name == "sp500" else "vix"].dropna()
    both = theirs.index.intersection(ours.index)
    assert len(both) == len(theirs) == {"sp500": 5_031, "vix": 1_259}[name]
    apart = (theirs[both] / ours[both] - 1).abs()
    assert apart.max() < {"sp500": 6e-8, "vix": 1e-12}[name]


def test_the_market_factor_moves_as_the_index_does():
    factors = load_factors()
    market = factors["market_excess"] + factors["risk_free"]
    ours = simple_returns(load_prices())[market.index]
    # The whole market with its dividends against 500 firms without them.
    assert market.corr(ours) > 0.996
    assert 0.00005 < (market - ours).mean() < 0.00012


def test_a_fund_on_the_world_moves_with_the_index_at_the_same_close():
    returns = log_returns(load_prices(["EFA", "FXI", "^GSPC"]))
    # A close an hour off, or a day, would lose the correlation.
    assert returns["EFA"].corr(returns["^GSPC"]) > 0.8
    assert returns["EFA"].corr(returns["^GSPC"].shift(1)) < 0.0
    assert returns["FXI"].corr(returns["^GSPC"]) > 0.5


def test_the_firms_together_move_as_the_index_does():
    returns = log_returns(load_prices(["firms", "^GSPC"]))
    average = returns.drop(columns="^GSPC").mean(axis=1)
    assert average.corr(returns["^GSPC"]) > 0.95


# -- choosing ------------------------------------------------------------------------------------


def test_one_ticker_is_a_series_and_several_are_a_table():
    fund = load_prices("XLF", start="2024-01-02", end="2024-01-03")
    assert fund.name == "XLF" and fund.to_list() == raw("sectors.csv")["XLF"][fund.index].to_list()
    funds = load_prices("sectors")
    assert list(funds.columns) == list(SECTORS) and len(funds) == 2_054
    mixed = load_prices(["XLK", "^GSPC"])
    assert list(mixed.columns) == ["XLK", "^GSPC"] and mixed.notna().all(axis=None)
    assert mixed["^GSPC"].equals(load_prices(start="2005-01-03", end="2026-08-20"))
    assert list(load_prices(["XLU"]).columns) == ["XLU"]


def raw(name):
    """A data file as pandas reads it."""
    return pd.read_csv(data_path(name), index_col="date", parse_dates=["date"])


@pytest.mark.parametrize(
    ("table", "file", "first"),
    [
        ("sectors", "sectors.csv", "2018-06-19"),
        ("funds", "funds.csv", "2018-01-02"),
        ("firms", "firms.csv", "2020-12-31"),
    ],
)
def test_a_table_is_its_file_from_its_first_session(table, file, first):
    pd.testing.assert_frame_equal(
        load_prices(table), raw(file).loc[first:], check_freq=False, check_index_type=False
    )
    pd.testing.assert_frame_equal(
        load_prices(table, start="2005-01-03"), raw(file), check_freq=False, check_index_type=False
    )


def test_the_sectors_begin_when_all_eleven_have_a_close():
    assert load_prices("sectors").notna().all(axis=None)
    everything = load_prices("sectors", start="2005-01-03")
    begins = everything.apply(pd.Series.first_valid_index)
    late = begins[begins > pd.Timestamp("2005-01-03")].dt.strftime("%Y-%m-%d").to_dict()
    assert late == {"XLC": "2018-06-19", "XLRE": "2015-10-08"}
    assert everything.loc["2018-06-18"].isna().sum() == 1
    assert str(load_prices("XLC").index[0].date()) == "2018-06-19"
    assert str(load_prices(["XLC", "XLRE"]).index[0].date()) == "2015-10-08"


def test_one_fund_runs_from_its_first_close_to_its_last():
    china = load_prices("MCHI")
    assert [str(day.date()) for day in china.index[[0, -1]]] == ["2021-03-01", "2026-02-27"]
    assert china.notna().all() and len(china) == 1_256
    assert load_prices("funds").loc["2020-01-02"].isna().to_dict() == {
        fund: fund == "MCHI" for fund in FUNDS
    }


def test_tables_and_tickers_can_be_asked_for_together():
    both = load_prices(["sectors", "^GSPC"], start="2025-01-02")
    assert list(both.columns) == [*SECTORS, "^GSPC"]
    assert str(both.index[-1].date()) == "2026-08-20"  # where the sectors end
    assert set(both.attrs["hash"].split("+")) == {
        load_prices("sectors").attrs["hash"],
        load_prices().attrs["hash"],
    }


def test_the_firms_are_known():
    about = firms_about()
    assert list(about.index) == list(load_prices("firms").columns)
    assert about.loc["AAPL", ["name", "sector"]].to_list() == [
        "Apple Inc.",
        "Information Technology",
    ]
    exposure = about["china_escalation_ar_2018_2019"]
    assert exposure.index[exposure.isna()].to_list() == ["UBER"]
    assert exposure.abs().max() < 0.05
    about.loc["AAPL", "name"] = "changed"
    assert firms_about().loc["AAPL", "name"] == "Apple Inc."


def test_one_ticker_in_a_list_is_a_table():
    assert isinstance(load_prices(["^GSPC"]), pd.DataFrame)


def test_source_and_hash_travel_and_a_copy_protects_the_cache():
    for loaded in (
        load_prices(),
        load_prices("sectors"),
        load_prices(["^GSPC", "XLF"]),
        load_prices("funds"),
        load_prices("AAPL"),
        load_factors(end="2005-12-31"),
        firms_about(),
        load_vix(),
        load_prices("XLF", start="2025-01-02"),
    ):
        names = loaded.attrs.pop("names", {})
        assert list(names) == (list(SECTORS) if "XLB" in loaded and "XLY" in loaded else [])
        assert set(loaded.attrs) - {"returns"} == {"source", "hash"}
        assert all(isinstance(value, str) and value for value in loaded.attrs.values())
    first = load_prices()
    untouched = first.copy(deep=True)
    first.iloc[:] = 1.0
    first.attrs["hash"] = "changed"
    pd.testing.assert_series_equal(load_prices(), untouched)
    assert load_prices().attrs == untouched.attrs
    funds = load_prices("XLF")
    funds.iloc[0] = 1.0
    assert load_prices("XLF").iloc[0] != 1.0


@pytest.mark.parametrize(
    "start", ["2025-05-01", pd.Timestamp("2025-05-01"), np.datetime64("2025-05-01")]
)
def test_start_and_end_are_both_included(start):
    part = load_prices(start=start, end="2025-05-03")
    assert part.to_list() == [5604.14, 5686.67]


BAD_REQUESTS = {
    "unknown": (lambda: load_prices("TSM"), DataFileError, "no committed prices of 'TSM': .*firms"),
    "lower case": (
        lambda: load_prices("xlf"),
        DataFileError,
        "no committed prices of 'xlf': the nearest are 'XLF'",
    ),
    "in a list": (lambda: load_prices([["XLF"]]), DataFileError, r"no committed prices of \['XLF"),
    "inside a table": (lambda: load_prices(["XLF", "sectors"]), DataFileError, "each once"),
    "vix": (lambda: load_prices("^VIX"), DataFileError, r"use load_vix\(\)"),
    "one unknown": (lambda: load_prices(["XLF", "SPY"]), DataFileError, "'SPY'"),
    "none": (lambda: load_prices([]), DataFileError, "at least one ticker"),
    "twice": (lambda: load_prices(["XLF", "XLF"]), DataFileError, "each once"),
    "a number": (lambda: load_prices(5), DataFileError, "no committed prices of 5"),
    "two readings": (lambda: load_prices(start="02/05/2025"), DateError, "2025-05-02 or 2025-02"),
    "a year": (lambda: load_prices(start=2025), DateError, "2025 is not a date"),
    "reversed": (lambda: load_prices(start="2025-05-02", end="2025-05-01"), DateError, "swap"),
    "before the usual start": (
        lambda: load_prices(end="1998-12-31"),
        DateError,
        "end=1998-12-31 comes before 1999-01-04, .* give start='1927-12-30' or later",
    ),
    "sectors before theirs": (
        lambda: load_prices("sectors", end="2010-01-04"),
        DateError,
        "comes before 2018-06-19, where 'sectors' begins .* give start='2005-01-03'",
    ),
    "before": (
        lambda: load_prices("XLC", end="2010-01-04"),
        DateError,
        "no row to 2010-01-04: the rows run from 2018-06-19 to 2026-08-20",
    ),
    "after": (
        lambda: load_vix(start="2026-08-31"),
        DateError,
        "no row from 2026-08-31: the rows run from 1990-01-02 to 2026-08-28",
    ),
    "without a VIX": (
        lambda: load_vix(start="1999-12-31", end="1999-12-31"),
        DateError,
        "no row from 1999-12-31 to 1999-12-31",
    ),
    "factors of last week": (
        lambda: load_factors(start="2026-08-24"),
        DateError,
        "run from 2005-01-03 to 2025-11-28",
    ),
    "a closed day": (
        lambda: load_prices(start="2025-01-09", end="2025-01-09"),
        DateError,
        "no row from 2025-01-09 to 2025-01-09",
    ),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_bad_requests(case):
    call, error, message = BAD_REQUESTS[case]
    with pytest.raises(error, match=message):
        call()


# -- price files ---------------------------------------------------------------------------------

GOOD = b"""date,close
2025-04-28,5528.75
2025-04-29,5560.83
2025-04-30,5569.06
2025-05-01,5604.14
2025-05-02,5686.67
"""


def change(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


BAD_FILES = {
    "gap": (change(b"2025-04-30,5569.06\n", b""), "the session 2025-04-30 is missing"),
    "two gaps": (
        change(b"2025-04-29,5560.83\n2025-04-30,5569.06\n", b""),
        r"the session 2025-04-29 \(and 1 more\) is missing",
    ),
    "duplicate": (
        change(b"2025-05-02,", b"2025-05-01,5604.14\n2025-05-02,"),
        "2025-05-01 stands twice: delete",
    ),
    "unsorted": (
        change(b"2025-04-28,5528.75\n", b"") + b"2025-04-28,5528.75\n",
        "2025-04-28 comes after 2025-05-02: use .sort_index",
    ),
    "extra Saturday": (GOOD + b"2025-05-03,5686.67\n", "2025-05-03, a Saturday, is not a session"),
    "zero": (
        change(b"5569.06", b"0"),
        "0 on 2025-04-30 in column 'close' is not a positive number: put",
    ),
    "negative": (
        change(b"5569.06", b"-5569.06"),
        "-5569.06 on 2025-04-30 in column 'close' is not a positive",
    ),
    "NaN": (
        change(b"5569.06", b"NaN"),
        "nan on 2025-04-30 in column 'close' is not a positive number",
    ),
    "infinite": (
        change(b"5569.06", b"inf"),
        "inf on 2025-04-30 in column 'close' is not a positive number",
    ),
    "blank": (change(b"5569.06", b""), r"line 4 \(2025-04-30\): '' is not a number"),
    "comma for point": (change(b"5569.06", b'"5569,06"'), "'5569,06' is not a number"),
    "word": (change(b"5569.06", b"n/a"), "'n/a' is not a number: write it with a decimal point"),
    "10x jump": (
        change(b"5569.06", b"55690.6"),
        "55690.6 on 2025-04-30 in column 'close' follows 5560.83, a log change beyond ±0.26",
    ),
    "tenth": (
        change(b"5569.06", b"556.906"),
        "556.906 on 2025-04-30 in column 'close' follows 5560.83",
    ),
    "header": (change(b"date,close", b"Date,Close"), "the header is 'Date,Close': make it 'date,"),
    "no header": (change(b"date,close\n", b""), "the header is '2025-04-28,5528.75'"),
    "empty": (b"", "is empty"),
    "header alone": (b"date,close\n", "is empty"),
    "not UTF-8": ("date,close\n2025-04-28,é\n".encode("utf-16"), "not UTF-8 text"),
    "latin": (change(b"5569.06", b"\xe9"), "not UTF-8 text"),
    "unparsable": (change(b"2025-04-30", b"2025-04-31"), "line 4: '2025-04-31' is not a date"),
    "slashes": (
        change(b"2025-05-02", b"02/05/2025"),
        "line 6: '02/05/2025' can be read as 2 May 2025 or 5 February 2025",
    ),
    "short date": (change(b"2025-05-02", b"2025-5-2"), "line 6: '2025-5-2'"),
    "time of day": (
        change(b"2025-05-02", b"2025-05-02T16:00"),
        "line 6: 2025-05-02T16:00 has a time of day",
    ),
    "short row": (change(b"2025-04-30,5569.06", b"2025-04-30"), "line 4 has 1 value: give 2"),
    "long row": (change(b"5569.06", b"5569.06,1"), "line 4 has 3 values: give 2"),
    "blank line": (change(b"2025-04-30,", b"\n2025-04-30,"), "line 4 has 0 values: give 2"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_price_file(case, tmp_path):
    content, message = BAD_FILES[case]
    path = tmp_path / "closes.csv"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=message) as caught:
        read_closes(path, ["close"], jump=0.26)
    assert "closes.csv" in str(caught.value) and "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataFileError, match=r"none\.csv cannot be read"):
        read_closes(tmp_path / "none.csv", ["close"], jump=0.26)


def test_a_good_file_is_read_and_left_alone(tmp_path):
    path = tmp_path / "closes.csv"
    for content in (GOOD, b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n"), GOOD.rstrip()):
        path.write_bytes(content)
        closes = read_closes(path, ["close"], jump=0.26)
        assert closes["close"].to_list() == [5528.75, 5560.83, 5569.06, 5604.14, 5686.67]
        assert closes.index.name == "date" and path.read_bytes() == content


def test_volatility_has_limits(tmp_path):
    path = tmp_path / "vix.csv"
    for level in (b"4.9", b"150.1"):
        path.write_bytes(b"date,close\n2025-05-01,24.60\n2025-05-02," + level + b"\n")
        with pytest.raises(
            DataFileError, match="on 2025-05-02 in column 'close' lies outside 5 to 150"
        ):
            read_closes(path, ["close"], jump=9.0, limits=(5, 150))


@pytest.mark.parametrize(
    ("factor", "passes"), [(1.49, True), (0.672, True), (1.50, False), (0.66, False)]
)
def test_limit_of_the_funds(factor, passes):
    closes = pd.Series([100.0, 100 * factor], pd.to_datetime(["2025-05-01", "2025-05-02"]))
    if passes:
        check_closes(closes, name="XLF", jump=0.40)
    else:
        with pytest.raises(DataFileError, match=r"XLF: .* on 2025-05-02 in column 0 follows 100"):
            check_closes(closes, name="XLF", jump=0.40)


def test_a_fund_may_be_blank_before_its_first_and_after_its_last_close_only(tmp_path):
    path = tmp_path / "funds.csv"
    text = "date,A,B\n2025-04-28,,1\n2025-04-29,2,1\n2025-04-30,{},1\n2025-05-01,2,1\n"
    path.write_text(text.format(2) + "2025-05-02,,1\n")
    closes = read_closes(path, ["A", "B"], jump=0.4, blanks=True)
    assert closes["A"].isna().to_list() == [True, False, False, False, True]
    with pytest.raises(DataFileError, match=r"line 2 \(2025-04-28\): '' is not a number"):
        read_closes(path, ["A", "B"], jump=0.4)
    for bad, said in {"": "nan", "0": "0", "-2": "-2", "inf": "inf"}.items():
        path.write_text(text.format(bad))
        with pytest.raises(DataFileError, match=f"{said} on 2025-04-30 in column 'A' is not a pos"):
            read_closes(path, ["A", "B"], jump=0.4, blanks=True)


def test_sessions_without_a_close_are_no_rows(tmp_path):
    path, absent = tmp_path / "vix.csv", pd.DatetimeIndex(["2025-04-30"])
    path.write_bytes(change(b"2025-04-30,5569.06\n", b""))
    assert len(read_closes(path, ["close"], jump=0.26, absent=absent)) == 4
    path.write_bytes(GOOD)
    with pytest.raises(DataFileError, match="2025-04-30, a Wednesday, is not a session: delete"):
        read_closes(path, ["close"], jump=0.26, absent=absent)


def test_closes_of_another_calendar_pass_with_its_sessions():
    days = pd.date_range("2025-05-02", "2025-05-05")
    closes = pd.DataFrame({"BTC": [1.0, 1.1, 1.2, 1.1]}, index=days)
    check_closes(closes, name="BTC", jump=1, sessions=days)
    with pytest.raises(DataFileError, match="2025-05-03, a Saturday"):
        check_closes(closes, name="BTC", jump=1)
    with pytest.raises(DataFileError, match="2025-05-06 is missing"):
        check_closes(closes, name="BTC", jump=1, sessions=pd.date_range("2025-05-02", "2025-05-06"))


@settings(max_examples=60, deadline=None)
@given(row=st.integers(1, 2175), factor=st.sampled_from([0.1, 10.0, 0.0, -1.0, np.nan, np.inf]))
def test_one_bad_close_anywhere_is_found(row, factor):
    closes = load_prices(start="2018-01-02")
    closes.iloc[row] *= factor
    with pytest.raises(DataFileError, match=f"{closes.index[row]:%Y-%m-%d}"):
        check_closes(closes, name="closes", jump=0.26)


@settings(max_examples=60, deadline=None)
@given(row=st.integers(1, 2175))
def test_one_missing_session_anywhere_is_found(row):
    closes = load_prices(start="2018-01-02")
    with pytest.raises(DataFileError, match=f"session {closes.index[row]:%Y-%m-%d} is missing"):
        check_closes(closes.drop(closes.index[row]), name="closes", jump=0.26)
