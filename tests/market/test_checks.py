"""One check of an index and one of numbers: the same words and class wherever they are asked."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import DataFileError, ImpactError, ReturnsError
from impact.market.checks import check_index, check_numbers, refuse_values
from impact.market.placement import place
from impact.market.prices import check_closes
from impact.market.returns import check_returns, log_returns, simple_returns
from impact.news.alignment import align
from impact.news.surroundings import releases_on

DAYS = pd.to_datetime(["2025-05-01", "2025-05-02", "2025-05-05"])

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
    "unsorted": (DAYS[::-1], r"2025-05-02 comes after 2025-05-05: use \.sort_index"),
    "duplicate": (DAYS[[0, 1, 1]], "2025-05-02 stands twice: delete one of its rows"),
    "numbers": (pd.RangeIndex(3), "starts with 0 and is no DatetimeIndex: use pd.to_datetime"),
    "texts": (pd.Index(["2025-05-01", "b"]), "starts with '2025-05-01' and is no DatetimeIndex"),
    "periods": (pd.period_range("2025-05-01", periods=3), "is no DatetimeIndex"),
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
        (["2025-05-01", "2025-05-02"], "starts with '2025-05-01' and is no DatetimeIndex: use pd."),
        ([], r"starts with \[\] and is no"),
        (pd.Series([0.01, 0.02, 0.03], DAYS), r"starts with 0\.01 and .*: give its \.index"),
        (pd.DataFrame({"A": [1, 2, 3]}, DAYS), r"starts with 'A' and .*: give its \.index"),
        (None, "starts with None and is no DatetimeIndex"),
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
        (pd.Series(dtype=float), "no DatetimeIndex"),
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
