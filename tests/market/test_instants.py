"""Dates and times as people write them: read in one way, or refused in words."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import DateError
from impact.market.calendar import nyse_sessions
from impact.market.instants import (
    midnights_as_dates,
    parse_announced_at,
    parse_date,
    read_instants,
)
from impact.market.placement import place, reaction_session


@pytest.mark.parametrize(
    "value",
    [
        "2025-05-02",
        dt.date(2025, 5, 2),
        dt.datetime(2025, 5, 2),
        pd.Timestamp("2025-05-02"),
        np.datetime64("2025-05-02"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bare_dates(value):
    assert parse_announced_at(value) == (pd.Timestamp("2025-05-02"), True)
    assert parse_date(value) == pd.Timestamp("2025-05-02")


@pytest.mark.parametrize(
    "value",
    [
        "2025-04-09T13:18",
        "2025-04-09 13:18:00",
        "2025-04-09T13:18:00-04:00",
        "2025-04-09T17:18Z",
        "2025-04-10T01:18:00+08:00",
        dt.datetime(2025, 4, 9, 13, 18),
        dt.datetime(2025, 4, 9, 17, 18, tzinfo=dt.UTC),
        pd.Timestamp("2025-04-09 13:18"),
        pd.Timestamp("2025-04-09 19:18", tz="Europe/Paris"),
        np.datetime64("2025-04-09T13:18"),
    ],
    ids=str,
)
def test_one_instant_in_many_forms(value):
    instant, date_only = parse_announced_at(value)
    assert instant.isoformat() == "2025-04-09T13:18:00-04:00" and not date_only


@pytest.mark.parametrize(
    "text",
    [
        *("9 May 2025", "9 may 2025", "09 May 2025", "9-May-2025", "9 May, 2025"),
        *("May 9, 2025", "May 9 2025"),
    ],
)
def test_a_date_with_a_written_month(text):
    assert parse_announced_at(text) == (pd.Timestamp("2025-05-09"), True)


def test_every_month_in_full_and_in_short():
    for day in pd.date_range("2025-01-15", periods=12, freq="MS") + pd.Timedelta(days=4):
        for form in ("%d %B %Y", "%d %b %Y", "%b. %d, %Y", "%d-%b-%Y"):
            assert parse_date(day.strftime(form)) == day
    assert parse_date("5 Sept 2025") == pd.Timestamp("2025-09-05")


@pytest.mark.parametrize(
    ("column", "dates"),
    [
        (["2025-04-02 00:00:00", "2025-04-03 00:00:00"], True),
        (["2025-04-02T00:00", "2025-04-03"], True),
        (["2025-04-02T00:00:00-04:00"], True),
        (["2025-04-02T00:00Z"], True),
        (["2025-04-02 00:00:00", "2025-04-03 09:30:00"], False),
        (["2025-04-02 00:00:00", "soon"], False),
        (["2025-04-02", "2025-04-03"], False),
    ],
)
def test_midnights_are_dates_where_a_column_holds_nothing_else(column, dates):
    given = pd.Series(column)
    expected = [text[:10] for text in column] if dates else column
    assert midnights_as_dates(given).to_list() == expected
    assert given.to_list() == column


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_midnights_with_a_zone_are_dates_there(zone):
    days = pd.Series(pd.to_datetime(["2025-04-02", "2025-07-03"]))
    assert midnights_as_dates(days.dt.tz_localize(zone)).to_list() == days.to_list()
    other = (days + pd.Timedelta(hours=1)).dt.tz_localize(zone)
    assert midnights_as_dates(other) is other


BAD_TIMES = [
    ("02/05/2025", "2 May 2025 or 5 February 2025: write 2025-05-02 or 2025-02-05"),
    ("2.5.2025 16:00", "2 May 2025 or 5 February 2025"),
    ("05-05-2025", "can be read as 5 May 2025: write 2025-05-05"),
    ("12/25/2025", "can be read as 25 December 2025: write 2025-12-25"),
    ("13/13/2025", "is not an ISO date"),
    ("2025-13-01", "'2025-13-01' is not a date that exists"),
    ("2025-02-30", "is not a date that exists"),
    ("2025-04-09T25:00", "is not a date that exists"),
    ("2025-5-2", "write it like '2025-05-02'"),
    ("2 May 25", "is not an ISO date, nor one with a written month such as '2 May 2025'"),
    ("2 Mai 2025", "nor one with a written month"),
    ("2 May 2025 10:00", "nor one with a written month"),
    ("31 February 2025", "is not a date that exists"),
    ("20250502", "is not an ISO date"),
    ("2025-05-02 16:00 ET", "is not an ISO date"),
    (" 2025-05-02", "is not an ISO date"),
    ("", "'' is not an ISO date"),
    ("0025-05-02", "not in the years 1800 to 2200"),
    ("9999-12-31T23:59-05:00", "not in the years 1800 to 2200"),
    (None, "None is not a date"),
    (float("nan"), "nan is not a date"),
    (pd.NaT, "NaT is not a date"),
    (np.datetime64("NaT", "us"), "is not a date"),
    (np.datetime64("300000-01-01"), "'300000-01-01'.* is not a date"),
    (np.datetime64(2**62, "D"), "is not a date: write it like"),
    (20250502, "20250502 is not a date"),
    (True, "True is not a date"),
    (["2025-05-02"], "is not a date"),
    (
        "2025-03-09T02:30",
        "does not exist in New York.*2025-03-09T01:30:00-05:00 or 2025-03-09T03:30:00-04:00",
    ),
    (
        "2025-11-02T01:30",
        "happens twice in New York.*2025-11-02T01:30:00-04:00 or 2025-11-02T01:30:00-05:00",
    ),
]


@pytest.mark.parametrize(("value", "message"), BAD_TIMES, ids=lambda value: repr(value)[:30])
def test_bad_times(value, message):
    with pytest.raises(DateError, match=message):
        parse_announced_at(value)
    with pytest.raises(DateError, match=message):
        reaction_session(value)
    with pytest.raises(DateError, match=message):
        place(["2025-05-02", value], nyse_sessions("2025-01-02", "2025-12-31"))


@settings(max_examples=300, deadline=None)
@given(
    value=st.one_of(
        st.text(max_size=30),
        st.integers(),
        st.floats(),
        st.binary(),
        st.from_regex(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", fullmatch=True),
        st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}Z", fullmatch=True),
    )
)
def test_anything_is_read_or_refused_in_words(value):
    try:
        moment, date_only = parse_announced_at(value)
    except DateError as error:
        refusal = str(error)
    else:
        refusal = "" if (moment.tz is None) == date_only else None
        moment.isoformat()
    assert refusal is not None


def test_a_naive_index_at_a_skipped_time_names_it():
    with pytest.raises(DateError, match="2025-03-09T02:30:00 does not exist"):
        place(
            pd.DatetimeIndex(["2025-03-07 02:30", "2025-03-09 02:30"]),
            nyse_sessions("2025-01-02", "2025-12-31"),
        )


@pytest.mark.parametrize(
    "values",
    [
        pd.DatetimeIndex(["2025-05-02", None]),
        pd.Series(pd.to_datetime(["2025-05-02", None])),
        pd.DatetimeIndex(["2025-05-02", None], tz="UTC"),
    ],
)
def test_a_missing_date_is_named_by_its_row(values):
    with pytest.raises(DateError, match="row 2 has no date"):
        read_instants(values)


BAD_LISTS = {
    "time of day": (lambda: parse_date("2025-05-02T10:00"), "has a time of day"),
    "one text": (lambda: read_instants("2025-05-02"), "must be a list of dates, not '2025-05-02'"),
    "one date": (lambda: read_instants(dt.date(2025, 5, 2)), "must be a list of dates"),
    "one text to place": (lambda: place("2025-05-02", ROWS), "must be a list of dates, not '2025"),
    "one date to place": (lambda: place(dt.date(2025, 5, 2), ROWS), "must be a list of dates"),
}
ROWS = pd.DatetimeIndex(["2025-05-01", "2025-05-02"])


@pytest.mark.parametrize("case", BAD_LISTS)
def test_bad_lists(case):
    call, message = BAD_LISTS[case]
    with pytest.raises(DateError, match=message):
        call()
