"""Committed prices against the press, and the rules of a price file."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import DataFileError, DateError
from impact.market import prices as module
from impact.market.files import data_path
from impact.market.prices import SECTORS, check_closes, load_prices, load_vix, read_closes
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
        ("2017-12-29", 2673.61),  # the last one that arch ships and we keep
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
    [("2015-08-24", 40.74), ("2018-02-05", 37.32), ("2020-03-16", 82.69), ("2025-04-08", 52.33)],
)
def test_vix_closes_of_record(session, level):
    assert load_vix()[session] == level


def test_vix_span():
    vix = load_vix()
    assert (vix.name, vix.index.name) == ("^VIX", "date")
    assert [str(day.date()) for day in vix.index[[0, -1]]] == ["2014-01-03", "2026-08-28"]
    assert vix.between(5, 150).all()
    # Where both cover it, the index and its volatility trade on the same sessions.
    assert vix.index.equals(load_prices(start=vix.index[0], end=vix.index[-1]).index)


def test_arch_agrees_where_both_have_closes():
    sp500 = pytest.importorskip("arch.data.sp500").load()["Adj Close"]
    both = pd.read_csv(data_path("sp500.csv"), parse_dates=["date"]).set_index("date")["close"]
    assert (sp500["2018":] - both[:"2018"]).abs().max() < 0.001
    assert load_prices(end="2017-12-31").to_list() == sp500[:"2017"].to_list()


# -- choosing ------------------------------------------------------------------------------------


def test_one_ticker_is_a_series_and_several_are_a_table():
    fund = load_prices("XLF", start="2024-01-02", end="2024-01-03")
    assert fund.name == "XLF" and fund.to_list() == [36.48, 36.17]
    funds = load_prices("sectors")
    assert tuple(funds.columns) == SECTORS and len(funds) == 501
    mixed = load_prices(["XLK", "^GSPC"])
    assert list(mixed.columns) == ["XLK", "^GSPC"] and mixed.notna().all(axis=None)
    assert mixed["^GSPC"].equals(load_prices(start="2024-01-02", end="2025-12-30"))
    assert list(load_prices(["XLU"]).columns) == ["XLU"]


def test_one_ticker_in_a_list_is_a_table():
    assert isinstance(load_prices(["^GSPC"]), pd.DataFrame)


def test_source_and_hash_travel_and_a_copy_protects_the_cache():
    for loaded in (
        load_prices(),
        load_prices("sectors"),
        load_prices(["^GSPC", "XLF"]),
        load_vix(),
        load_prices("XLF", start="2025-01-02"),
    ):
        assert set(loaded.attrs) == {"source", "hash"}
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
    "unknown": (lambda: load_prices("AAPL"), DataFileError, "no committed prices of 'AAPL'.*XLY"),
    "lower case": (lambda: load_prices("xlf"), DataFileError, "no committed prices of 'xlf'"),
    "vix": (lambda: load_prices("^VIX"), DataFileError, r"use load_vix\(\)"),
    "one unknown": (lambda: load_prices(["XLF", "SPY"]), DataFileError, "'SPY'"),
    "none": (lambda: load_prices([]), DataFileError, "at least one ticker"),
    "twice": (lambda: load_prices(["XLF", "XLF"]), DataFileError, "each once"),
    "a number": (lambda: load_prices(5), DataFileError, "no committed prices of 5"),
    "two readings": (lambda: load_prices(start="02/05/2025"), DateError, "2025-05-02 or 2025-02"),
    "a year": (lambda: load_prices(start=2025), DateError, "2025 is not a date"),
    "reversed": (lambda: load_prices(start="2025-05-02", end="2025-05-01"), DateError, "swap"),
    "before": (lambda: load_prices(end="1998-12-31"), DateError, "run from 1999-01-04 to 2026"),
    "after": (lambda: load_vix(start="2026-08-31"), DateError, "run from 2014-01-03 to 2026-08-28"),
    "a closed day": (
        lambda: load_prices(start="2025-01-09", end="2025-01-09"),
        DateError,
        "no close from 2025-01-09",
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
    "extra Saturday": (GOOD + b"2025-05-03,5686.67\n", "2025-05-03, a Saturday, is no session"),
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
    "blank": (change(b"5569.06", b""), r"line 4 \(2025-04-30\): '' is not a close"),
    "comma for point": (change(b"5569.06", b'"5569,06"'), "'5569,06' is not a close"),
    "word": (change(b"5569.06", b"n/a"), "'n/a' is not a close: give numbers"),
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


def test_a_wrong_overlap_is_refused(tmp_path, monkeypatch):
    text = data_path("sp500.csv").read_text().replace("2018-12-31,2506.85", "2018-12-31,2506.95")
    (tmp_path / "sp500.csv").write_text(text)
    monkeypatch.setattr(module, "data_path", lambda name: tmp_path / name)
    with pytest.raises(DataFileError, match=r"sp500\.csv: 2506\.95 on 2018-12-31 is not the 2506"):
        module._index.__wrapped__("any")
