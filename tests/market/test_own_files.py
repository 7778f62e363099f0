"""A person's own file of closes: read as it was meant, or refused with its line."""

import builtins
import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest

import impact
from impact.errors import DataFileError, DateError
from impact.market.own_files import own_prices

DAYS = pd.to_datetime(["2025-05-01", "2025-05-02", "2025-05-05"])


def written(folder, text, name="mine.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


CLOSES = "date,close\n2025-05-01,101\n2025-05-02,102.5\n2025-05-05,99\n"
RIGHT = [101.0, 102.5, 99.0]

#: Files that all hold the same three closes.
SAME = {
    "as it is": CLOSES,
    "capitals": CLOSES.replace("date,close", "Date,Close"),
    "price": CLOSES.replace("close", "Price"),
    "newest first": "date,close\n2025-05-05,99\n2025-05-02,102.5\n2025-05-01,101\n",
    "written months": "date,close\n1 May 2025,101\n2 May 2025,102.5\n5 May 2025,99\n",
    "American months": 'date,close\n"May 1, 2025",101\n"May 2, 2025",102.5\n"May 5, 2025",99\n',
    "midnights": "date,close\n2025-05-01 00:00:00,101\n2025-05-02 00:00:00,102.5\n"
    "2025-05-05 00:00:00,99\n",
    "a mark in front": "\ufeff" + CLOSES,
    "other ends of lines": CLOSES.replace("\n", "\r\n"),
    "blanks": CLOSES.replace(",", " , "),
    "empty columns and rows": CLOSES.replace("\n", ",,\n") + ",,,\n",
    "written by pandas": ",close\n2025-05-01,101\n2025-05-02,102.5\n2025-05-05,99\n",
    "with what else a service has": "Date,Open,High,Low,Close,Volume\n2025-05-01,1,2,1,101,7\n"
    "2025-05-02,1,2,1,102.5,7\n2025-05-05,1,2,1,99,7\n",
    "adjusted closes": "Date,Close,Adj Close,Volume\n2025-05-01,1,101,7\n2025-05-02,1,102.5,7\n"
    "2025-05-05,1,99,7\n",
}


@pytest.mark.parametrize("case", SAME)
def test_one_security_in_many_forms(case, tmp_path):
    path = written(tmp_path, SAME[case])
    for given in (path, str(path)):
        closes = impact.load_prices(given)
        assert isinstance(closes, pd.Series) and closes.name == "mine"
        assert closes.to_list() == RIGHT and (closes.index == DAYS).all()
        assert closes.index.name == "date" and closes.attrs["source"] == "mine.csv"
    assert len(impact.log_returns(closes)) == 2


def test_several_securities_side_by_side(tmp_path):
    text = "date,DAX,N225\n2025-05-01,,300\n2025-05-02,100,301\n2025-05-05,101,302\n"
    closes = impact.load_prices(written(tmp_path, text))
    right = pd.DataFrame({"DAX": [np.nan, 100, 101], "N225": [300.0, 301, 302]}, DAYS)
    pd.testing.assert_frame_equal(closes, right, check_names=False, check_index_type=False)


def test_one_column_under_its_own_name(tmp_path):
    closes = impact.load_prices(written(tmp_path, CLOSES.replace("close", "DAX")))
    assert closes.name == "DAX" and closes.to_list() == RIGHT


@pytest.mark.parametrize("name", ["ticker", "Symbol", "permno"])
def test_several_securities_in_one_list(tmp_path, name):
    rows = ["2025-05-02,B,7,2", "2025-05-01,A,7,1", "2025-05-01,B,7,3", "2025-05-05,A,7,4"]
    text = "\n".join([f"date,{name},volume,close", *rows])
    closes = impact.load_prices(written(tmp_path, text))
    right = pd.DataFrame({"A": [1, np.nan, 4], "B": [3, 2, np.nan]}, DAYS)
    pd.testing.assert_frame_equal(closes, right, check_names=False, check_index_type=False)


def test_a_part_and_the_hash_of_the_content(tmp_path):
    path = written(tmp_path, CLOSES)
    assert impact.load_prices(path, start="2025-05-02").to_list() == RIGHT[1:]
    with pytest.raises(DateError, match="there is no"):
        impact.load_prices(path, start="2026-01-01", end="2026-02-01")
    first = impact.load_prices(path).attrs["hash"]
    written(tmp_path, CLOSES.replace("99", "98"))
    assert impact.load_prices(path).attrs["hash"] != first and len(first) == 12


WEEKS = "".join(
    f"{day:%Y-%m-%d},{i + 1}\n"
    for i, day in enumerate(pd.date_range("2025-01-03", periods=9, freq="7D"))
)

BAD = {
    "empty": ("", "mine.csv is empty"),
    "a header alone": ("date,close\n", "mine.csv is empty"),
    "no date": ("when,close\n2025-05-01,1\n", "no column 'date'; its header is when, close"),
    "semicolons": (CLOSES.replace(",", ";"), "separates its columns by semicolons: use commas"),
    "two readings": ("date,close\n05/02/2025,1\n", "line 2: '05/02/2025' can be read as"),
    "no date in a row": ("date,close\n2025-05-01,1\n,2\n", "line 3: '' is not an ISO date"),
    "closing times": ("date,close\n2025-05-01 16:00,1\n", "line 2: .* has a time of day"),
    "a comma for decimals": ('date,close\n2025-05-01,"5,1"\n', "line 2: '5,1' is not a price"),
    "a comma for thousands": ("date,close\n2025-05-01,5,604.1\n", "line 2 has 3 values where the"),
    "an underscore": ("date,close\n2025-05-01,5_604\n", "line 2: '5_604' is not a price"),
    "digits of another script": ("date,close\n2025-05-01,٥٦\n", "line 2: '٥٦' is not a price"),
    "a word": ("date,close\n2025-05-01,n/a\n", "line 2: 'n/a' is not a price"),
    "negative": (
        CLOSES.replace("99", "-99"),
        "-99 on 2025-05-05 in column 'mine' is not a positive",
    ),
    "zero": (CLOSES.replace("99", "0"), "0 on 2025-05-05"),
    "infinite": (CLOSES.replace("99", "inf"), "inf on 2025-05-05"),
    "no close": (CLOSES.replace("99", ""), "nan on 2025-05-05 .* or delete the row"),
    "a day twice": (CLOSES.replace("05-05", "05-02"), "2025-05-02 stands twice"),
    "weekly bars": (f"date,close\n{WEEKS}", "the rows are 7 days apart .* weekly bars"),
    "a close beside a security": (
        "date,close,SPY\n2025-05-01,1,2\n",
        "a column 'close' beside 'SPY': keep the date and the closes of one security",
    ),
    "a column without a name": ("date,A,\n2025-05-01,1,2\n", "column 3 of mine.csv has no name"),
    "a column twice": ("date,A,A\n2025-05-01,1,2\n", "two columns 'A'"),
    "an empty security": ("date,A,B\n2025-05-01,1,\n", "column 'B' holds no value"),
    "a list without closes": ("date,ticker\n2025-05-01,A\n", "no column 'close'"),
    "a list without a ticker": ("date,ticker,close\n2025-05-01,,1\n", "line 2 names no security"),
    "a second close": (
        "date,ticker,close\n2025-05-01,A,1\n2025-05-01,A,2\n",
        "line 3: A has a second close on 2025-05-01",
    ),
    "another encoding": ("date,close\n2025-05-01,1\n".encode("utf-16"), "is not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_meant_is_refused(case, tmp_path):
    text, message = BAD[case]
    with pytest.raises(DataFileError, match=message):
        impact.load_prices(written(tmp_path, text))


def test_a_file_that_is_not_there_and_formats_that_are_not_read(tmp_path):
    with pytest.raises(DataFileError, match=r"none\.csv cannot be read: No such file"):
        impact.load_prices(tmp_path / "none.csv")
    with pytest.raises(DataFileError, match=r"old Excel format: save it as \.xlsx or CSV"):
        impact.load_prices(written(tmp_path, "x", "old.xls"))
    with pytest.raises(DataFileError, match="is not an Excel workbook"):
        impact.load_prices(written(tmp_path, "x", "broken.xlsx"))


# -- Excel ---------------------------------------------------------------------------------------


def workbook(folder, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("notes").append(["not read"])
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def test_the_first_sheet_of_a_workbook(tmp_path):
    path = workbook(
        tmp_path,
        ["Date", "DAX", "N225", None],
        [dt.datetime(2025, 5, 2), 101.5, 200, None],
        [dt.datetime(2025, 5, 1), 100, None, None],
        [None, None, None, None],
    )
    closes = impact.load_prices(path)
    right = pd.DataFrame({"DAX": [100, 101.5], "N225": [np.nan, 200]}, DAYS[:2])
    pd.testing.assert_frame_equal(closes, right, check_names=False, check_index_type=False)
    listed = workbook(
        tmp_path,
        ["date", "permno", "close"],
        ["2025-05-01", 10107, 5],
        ["2 May 2025", 10107, 6.5],
    )
    assert impact.load_prices(listed)["10107"].to_list() == [5.0, 6.5]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["02/05/2025", 5], "line 3: '02/05/2025' can be read as"),
        ([45778, 5], "line 3: 45778 is not a date"),
        ([dt.datetime(2025, 5, 2, 16), 5], "line 3: 2025-05-02 16:00:00 has a time of day"),
        (["2025-05-02", "=A1"], "nan on 2025-05-02|is not a price"),
        (["2025-05-02", dt.datetime(2025, 5, 2)], "line 3: .* is not a price"),
        (["2025-05-02", True], "line 3: True is not a price"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_refused(tmp_path, row, message):
    path = workbook(tmp_path, ["date", "close"], ["2025-05-01", 4], row)
    with pytest.raises(DataFileError, match=message):
        own_prices(path)


def test_without_openpyxl_one_sentence_says_what_is_missing(tmp_path, monkeypatch):
    path = workbook(tmp_path, ["date", "close"], ["2025-05-01", 4], ["2025-05-02", 5])
    really = builtins.__import__

    def without(name, *rest):
        if name == "openpyxl":
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataFileError, match=r"pip install 'tariff-impact\[office\]', or save the"):
        own_prices(path)
