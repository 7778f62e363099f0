"""Placement of announcements, against facts from the exchange and the press."""

import csv
import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import DateError
from impact.market.calendar import exchange, market_of, nyse_sessions, session_closes
from impact.market.files import data_path
from impact.market.placement import missing_around, place, reaction_session
from impact.market.windows import Window

NEW_YORK = ZoneInfo("America/New_York")

# -- named announcements -------------------------------------------------------------------------

#: (announced, session that reacts, why that is not the date itself)
NAMED = {
    "liberation day, at the close": ("2025-04-02T16:00", "2025-04-03", "after the close"),
    "one second before the close": ("2025-04-02T15:59:59", "2025-04-02", ""),
    "ninety-day pause, in the session": ("2025-04-09T13:18", "2025-04-09", ""),
    "before the open": ("2025-04-04T06:05", "2025-04-04", ""),
    "midnight begins the day": ("2025-04-09T00:00", "2025-04-09", ""),
    "Saturday orders": ("2025-02-01", "2025-02-03", "weekend"),
    "Saturday 23:50": ("2025-02-01T23:50", "2025-02-03", "weekend"),
    "Friday evening": ("2025-04-11T22:30", "2025-04-14", "after the close"),
    "Sunday before Memorial Day": ("2025-05-25T18:15", "2025-05-27", "weekend"),
    "Friday evening before Labor Day": ("2025-08-29T17:30", "2025-09-02", "after the close"),
    "inauguration on King Day": ("2025-01-20", "2025-01-21", "holiday"),
    "early close after Thanksgiving": ("2024-11-29T13:30", "2024-12-02", "early close"),
    "at an early close": ("2024-11-29T13:00", "2024-12-02", "early close"),
    "before an early close": ("2024-07-03T12:59", "2024-07-03", ""),
    "after an early close and a holiday": ("2024-07-03T13:00", "2024-07-05", "early close"),
    "day of mourning for Carter": ("2025-01-09T10:00", "2025-01-10", "holiday"),
    "day of mourning for Bush": ("2018-12-05", "2018-12-06", "holiday"),
    "eve of the day of mourning": ("2025-01-08T16:30", "2025-01-10", "after the close"),
    "morning of the attacks": ("2001-09-11T08:46", "2001-09-17", "holiday"),
    "hurricane Sandy": ("2012-10-29T12:00", "2012-10-31", "holiday"),
    "Juneteenth 2026": ("2026-06-19", "2026-06-22", "holiday"),
    "New Year's Eve 18:00": ("2025-12-31T18:00", "2026-01-02", "after the close"),
    "Good Friday payrolls": ("2026-04-03T08:30", "2026-04-06", "holiday"),
    "20:30 UTC in winter is 15:30": ("2025-03-07T20:30Z", "2025-03-07", ""),
    "20:30 UTC in summer is 16:30": ("2025-03-10T20:30Z", "2025-03-11", "after the close"),
    "20:30 UTC on the last summer Friday": ("2025-10-31T20:30Z", "2025-11-03", "after the close"),
    "20:30 UTC on the first winter Monday": ("2025-11-03T20:30Z", "2025-11-03", ""),
    "Beijing morning is the eve in New York": (
        "2025-05-02T08:00+08:00",
        "2025-05-02",
        "after the close",
    ),
    "Nixon's Sunday": ("1971-08-15", "1971-08-16", "weekend"),
    "Smoot-Hawley": ("1930-06-17", "1930-06-17", ""),
    "Saturday session of 1930": ("1930-06-14T11:00", "1930-06-14", ""),
    "Saturday afternoon of 1930": ("1930-06-14T12:00", "1930-06-16", "after the close"),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_announcement(name):
    announced, session, why = NAMED[name]
    placed = place([announced], nyse_sessions("1928-01-01", "2026-12-31")).iloc[0]
    assert str(placed["session"].date()) == str(reaction_session(announced).date()) == session
    assert placed["announced_at"] == announced and placed["date_only"] == (len(announced) == 10)
    in_beijing = announced.endswith("+08:00")  # 20:00 on 1 May in New York
    assert placed["moved"] == why and (bool(why) == (session != announced[:10]) or in_beijing)


#: Announcements outside trading hours, worked out by hand from the exchange's calendar.
OUTSIDE_HOURS = {
    "nixon-import-surcharge-1971": "1971-08-16",
    "ustr-50bn-list-2018": "2018-04-04",
    "trump-100bn-more-2018": "2018-04-06",
    "mnuchin-on-hold-2018": "2018-05-21",
    "trump-200bn-threat-2018": "2018-06-19",
    "list-1-effective-2018": "2018-07-06",
    "ustr-200bn-list-2018": "2018-07-11",
    "juncker-rose-garden-2018": "2018-07-26",
    "list-3-announced-2018": "2018-09-18",
    "buenos-aires-truce-2018": "2018-12-03",
    "march-1-increase-delayed-2019": "2019-02-25",
    "may-5-tweets-2019": "2019-05-06",
    "list-3-25pct-effective-2019": "2019-05-10",
    "china-60bn-retaliation-2019": "2019-05-13",
    "mexico-5pct-threat-2019": "2019-05-31",
    "mexico-tariff-suspended-2019": "2019-06-10",
    "osaka-truce-2019": "2019-07-01",
    "yuan-breaks-seven-2019": "2019-08-05",
    "currency-manipulator-label-2019": "2019-08-06",
    "aug-23-rate-increases-2019": "2019-08-26",
    "inauguration-no-day-one-tariffs": "2025-01-21",
    "colombia-threat": "2025-01-27",
    "ieepa-fentanyl-orders": "2025-02-03",
    "canada-pause-feb": "2025-02-04",
    "china-10pct-effective": "2025-02-04",
    "steel-aluminium-2025-announced": "2025-02-10",
    "march-4-confirmed": "2025-02-27",
    "march-4-effective": "2025-03-04",
    "metals-25-effective": "2025-03-12",
    "autos-25": "2025-03-27",
    "liberation-day": "2025-04-03",
    "china-34-retaliation": "2025-04-04",
    "baseline-10-effective": "2025-04-07",
    "country-rates-effective": "2025-04-09",
    "china-84-retaliation": "2025-04-09",
    "china-125-retaliation": "2025-04-11",
    "electronics-exemption": "2025-04-14",
    "no-exception-post": "2025-04-14",
    "geneva-meeting-announced": "2025-05-07",
    "geneva-truce": "2025-05-12",
    "geneva-effective": "2025-05-14",
    "eu-50-threat": "2025-05-23",
    "eu-50-delayed": "2025-05-27",
    "cit-ruling": "2025-05-29",
    "steel-50": "2025-06-02",
    "steel-50-effective": "2025-06-04",
    "london-framework": "2025-06-11",
    "china-deal-done-post": "2025-06-11",
    "brazil-50-letter": "2025-07-10",
    "copper-50-confirmed": "2025-07-10",
    "canada-35-letter": "2025-07-11",
    "eu-mexico-30-letters": "2025-07-14",
    "japan-deal": "2025-07-23",
    "eu-deal": "2025-07-28",
    "korea-deal": "2025-07-31",
    "new-rates-order": "2025-08-01",
    "truce-extended-august": "2025-08-12",
    "cafc-ruling": "2025-09-02",
    "pharma-trucks-furniture": "2025-09-26",
    "china-rare-earth-controls": "2025-10-09",
    "china-100-threat": "2025-10-13",
    "softer-tone-sunday": "2025-10-13",
    "canada-talks-ended-october": "2025-10-24",
    "canada-plus-10": "2025-10-27",
    "kuala-lumpur-framework": "2025-10-27",
    "busan-summit": "2025-10-30",
    "china-20-effective": "2025-11-10",
    "food-exemptions": "2025-11-17",
    "furniture-increase-delayed": "2026-01-02",
    "iran-trade-25": "2026-01-13",
}


@pytest.fixture(scope="module")
def catalogue():
    with data_path("events.csv").open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("event", OUTSIDE_HOURS)
def test_catalogue_outside_hours(event, catalogue):
    session = reaction_session(catalogue[event]["announced_at"])
    assert str(session.date()) == OUTSIDE_HOURS[event]


def test_the_rest_of_the_catalogue_to_2025_stays_on_its_date(catalogue):
    rest = {
        row["id"]: (row["announced_at"][:10], str(reaction_session(row["announced_at"]).date()))
        for row in catalogue.values()
        if row["id"] not in OUTSIDE_HOURS
        and row["included"] == "yes"
        and row["announced_at"] < "2026-01-13"
    }
    assert len(rest) > 40
    assert {name: days for name, days in rest.items() if days[0] != days[1]} == {}


# -- properties ----------------------------------------------------------------------------------

INSTANTS = st.datetimes(
    dt.datetime(1928, 1, 3), dt.datetime(2026, 12, 30), timezones=st.just(dt.UTC)
)


def slow_reaction(instant, sessions, closes):
    """The definition, word by word: the first session that closes after the instant."""
    return next(s for s, close in zip(sessions, closes, strict=True) if close > instant)


@settings(max_examples=200, deadline=None)
@given(instant=INSTANTS)
def test_reaction_is_the_first_session_that_closes_later(instant):
    local = instant.astimezone(NEW_YORK)
    near = nyse_sessions(local.date(), local.date() + dt.timedelta(days=14))
    expected = slow_reaction(instant, near, list(session_closes(near)))
    assert reaction_session(instant) == expected
    assert reaction_session(local) == expected
    assert reaction_session(instant.isoformat()) == expected


@settings(max_examples=40, deadline=None)
@given(instants=st.lists(INSTANTS, min_size=2, max_size=20))
def test_reaction_never_runs_backwards(instants):
    placed = place(sorted(instants), nyse_sessions("1927-12-30", "2027-01-31"))
    assert placed["session"].is_monotonic_increasing
    assert (placed["session"] == [reaction_session(instant) for instant in sorted(instants)]).all()


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2026, 12, 31)), max_size=12),
    gaps=st.sets(st.integers(0, 2000), max_size=300),
)
def test_place_is_the_same_at_once_and_one_by_one(values, gaps):
    rows = nyse_sessions("2018-06-01", "2026-06-30")
    rows = rows.delete([gap for gap in gaps if gap < len(rows)])
    utc = [value.replace(tzinfo=dt.UTC) for value in values]
    together = place(pd.DatetimeIndex(utc, dtype="M8[us, UTC]"), rows)
    for i, value in enumerate(utc):
        alone = place([value.isoformat()], rows).iloc[0]
        assert alone["moved"] == together["moved"].iloc[i]
        assert alone["session"] is together["session"].iloc[i] or (
            alone["session"] == together["session"].iloc[i]
        )


# -- rows of any calendar ------------------------------------------------------------------------


def test_an_announcement_never_slides_past_a_session_that_the_rows_lack():
    rows = nyse_sessions("2025-04-01", "2025-04-30").drop("2025-04-03")
    placed = place(["2025-04-02T16:00", "2025-04-03", "2025-04-02", "2025-04-18"], rows)
    assert placed["session"].isna().to_list() == [True, True, False, False]
    assert placed["lost"].to_list() == [
        *["its session 2025-04-03 is not a row of the returns"] * 2,
        "",
        "",
    ]
    assert placed["session"].dt.day.to_list()[2:] == [2, 21]
    assert placed["moved"].to_list() == ["", "", "", "holiday"]


def test_rows_on_every_day_of_the_week():
    days = pd.date_range("2025-01-31", "2025-02-04")
    times = ["2025-01-31T17:00", "2025-01-31T19:00", "2025-02-01T17:42", "2025-02-01"]
    placed = place(times, days, "24/7")  # in winter a day in UTC ends at 19:00 New York time
    assert placed["session"].dt.strftime("%m-%d").to_list() == ["01-31", "02-01", "02-01", "02-01"]
    assert (placed["moved"] == "").all()


def test_dates_outside_the_rows_have_no_session():
    rows = nyse_sessions("2025-01-02", "2025-12-31")
    placed = place(["2024-12-31", "2025-12-31", "2025-12-31T18:00", "2026-01-02"], rows)
    assert placed["session"].isna().to_list() == [True, False, True, True]
    assert (placed["moved"] == "").all()
    assert placed["lost"].to_list() == ["before", "", "after", "after"]
    assert place([], rows).shape == (0, 5)


def test_the_order_and_the_inputs_are_kept():
    rows = nyse_sessions("2025-01-02", "2025-12-31")
    given_dates = ["2025-05-02", "2025-04-02T16:00", dt.date(2025, 4, 9)]
    kept, labels = list(given_dates), rows.copy()
    placed = place(given_dates, rows)
    assert placed["announced_at"].to_list() == kept == given_dates
    assert placed["date_only"].to_list() == [True, False, True]
    assert rows.equals(labels)


@pytest.mark.parametrize("kind", ["text", "date", "Timestamp", "index", "datetime64", "Series"])
def test_five_thousand_bare_dates_take_milliseconds(kind):
    days = pd.date_range("2005-01-03", periods=5000)
    rows = nyse_sessions("2000-01-03", "2026-08-31")
    values = {
        "text": [str(day.date()) for day in days],
        "date": [day.date() for day in days],
        "Timestamp": list(days),
        "index": days,
        "datetime64": days.to_numpy(),
        "Series": pd.Series(days, index=range(7, 5007)),
    }[kind]
    placed = place(values, rows)
    assert placed["date_only"].all()
    expected = rows[rows.searchsorted(days)]
    assert (placed["session"].to_numpy() == expected.to_numpy()).all()


# -- other markets -------------------------------------------------------------------------------

#: What was announced in New York time, and the session that could react elsewhere, worked out by
#: hand from the local clock.
ABROAD = {
    "pause, 19:18 in Frankfurt, shut since 17:30": ("XETR", "2025-04-09T13:18", "2025-04-10"),
    "17:29 in Frankfurt": ("XETR", "2025-04-09T11:29", "2025-04-09"),
    "17:30 in Frankfurt": ("XETR", "2025-04-09T11:30", "2025-04-10"),
    "clocks apart: 17:00 in Frankfurt is noon in March": ("XETR", "2025-03-12T12:00", "2025-03-12"),
    "Frankfurt's half day ends at 14:00": ("XETR", "2024-12-30T08:00", "2025-01-02"),
    "labour day in Frankfurt": ("XETR", "2025-05-01T05:00", "2025-05-02"),
    "23:00 in Tokyo": ("XTKS", "2025-04-03T10:00", "2025-04-04"),
    "05:10 of the next day in Tokyo": ("XTKS", "2025-04-02T16:10", "2025-04-03"),
    "15:10 in Tokyo, when it shut at 15:00": ("XTKS", "2024-10-31T02:10", "2024-11-01"),
    "15:10 in Tokyo, when it shuts at 15:30": ("XTKS", "2024-11-06T01:10", "2024-11-06"),
    "Showa day in Tokyo": ("XTKS", "2025-04-28T09:00", "2025-04-30"),
    "18:30 in London, a day after Thanksgiving": ("XLON", "2024-11-29T13:30", "2024-12-02"),
    "London's half day ends at 12:30": ("XLON", "2024-12-24T07:30", "2024-12-27"),
    "Hong Kong's half day ends at noon": ("XHKG", "2024-12-23T23:00", "2024-12-27"),
    "the plain name of Hong Kong is the same": ("HKEX", "2024-12-23T23:00", "2024-12-27"),
    "03:18 of the next day in Sydney": ("XASX", "2025-04-09T13:18", "2025-04-10"),
    "Golden Week in Shanghai": ("XSHG", "2024-09-30T04:00", "2024-10-08"),
    "Friday evening, bitcoin": ("24/7", "2025-10-10T16:57", "2025-10-10"),
    "after 20:00 in summer, bitcoin": ("24/7", "2025-10-10T20:00", "2025-10-11"),
    "19:59 in winter is the next day, bitcoin": ("24/7", "2025-01-10T19:59", "2025-01-11"),
    "bare dates are that day's": ("XTKS", "2025-04-03", "2025-04-03"),
    "a bare date on a holiday": ("XETR", "2025-04-18", "2025-04-22"),
}


@pytest.mark.parametrize("name", ABROAD)
def test_the_clock_of_the_market_decides(name):
    market, announced, session = ABROAD[name]
    assert str(reaction_session(announced, market).date()) == session
    found = exchange(market)
    span = (found.sessions >= "2024-06-01") & (found.sessions <= "2025-12-31")
    rows = found.sessions[span]
    placed = place([announced], rows, market).iloc[0]
    assert str(placed["session"].date()) == session and placed["lost"] == ""


def test_why_an_announcement_moved_is_said_by_the_local_day():
    rows = exchange("XTKS").sessions
    rows = rows[(rows >= "2024-06-01") & (rows <= "2025-12-31")]
    times = ["2025-04-03T10:00", "2025-04-02T16:10", "2025-04-04T18:00", "2025-04-28T12:00"]
    moved = place(times, rows, "XTKS")["moved"].to_list()
    assert moved == ["after the close", "", "weekend", "holiday"]


@pytest.mark.parametrize("market", ["XETR", "XTKS", "XHKG", "XLON", "XSHG", "24/7"])
@settings(max_examples=25, deadline=None)
@given(
    instant=st.datetimes(
        dt.datetime(2015, 1, 5), dt.datetime(2025, 11, 1), timezones=st.just(dt.UTC)
    )
)
def test_abroad_too_it_is_the_first_session_that_closes_later(market, instant):
    found = exchange(market)
    near = np.flatnonzero(
        abs(found.sessions - pd.Timestamp(instant.date())) < pd.Timedelta(days=21)
    )
    closes = found.closes.tz_localize("UTC")[near]
    expected = next(
        s for s, close in zip(found.sessions[near], closes, strict=True) if close > instant
    )
    assert reaction_session(instant, market) == expected
    assert place([instant], found.sessions[near], market)["session"].item() == expected


def test_a_zone_and_a_close_take_the_rows_as_sessions():
    rows = exchange("XETR").sessions
    rows = rows[(rows >= "2025-01-01") & (rows <= "2025-12-31")]
    times = ["2025-04-09T13:18", "2025-04-09T11:29", "2025-04-12T09:00", "2025-04-04T18:00"]
    placed = place(times, rows, ("Europe/Berlin", "17:30"))
    assert placed["session"].dt.strftime("%m-%d").to_list() == ["04-10", "04-09", "04-14", "04-07"]
    assert placed["moved"].to_list() == ["after the close", "", "weekend", "weekend"]
    named = place(times, rows, "XETR")
    pd.testing.assert_frame_equal(placed.drop(columns="moved"), named.drop(columns="moved"))


def test_an_hour_that_new_york_has_twice_is_two_instants():
    # 2 November 2025 begins twice at 01:30; a close in between tells the two apart.
    rows = pd.date_range("2025-10-01", "2025-11-30")
    between = ("UTC", "06:00")
    times = ["2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-05:00"]
    assert place(times, rows, between)["session"].dt.day.to_list() == [2, 3]


WITHOUT_HOLIDAYS = pd.bdate_range("2025-01-01", "2025-12-31")


def test_without_a_market_dates_are_placed_on_rows_and_over_weekends_only():
    rows = WITHOUT_HOLIDAYS.drop(["2025-05-01", "2025-05-02"])
    placed = place(["2025-04-30", "2025-05-03", "2025-05-01", "2025-05-02", "2025-12-25"], rows)
    assert placed["session"].dt.strftime("%m-%d").to_list()[:2] == ["04-30", "05-05"]
    assert placed["session"].isna().to_list() == [False, False, True, True, False]
    assert placed["lost"].to_list()[2:4] == [
        "2025-05-01, a Thursday, is not a row of the returns: if its exchange was shut that day, "
        "name it with market=",
        "2025-05-02, a Friday, is not a row of the returns: if its exchange was shut that day, "
        "name it with market=",
    ]
    assert place(["2025-05-01"], rows, "XETR")["lost"].item().startswith("its session 2025-05-02")
    assert place(
        ["2025-05-01"], rows.append(pd.DatetimeIndex(["2025-05-02"])).sort_values(), "XETR"
    )["session"].item() == pd.Timestamp("2025-05-02")


@pytest.mark.parametrize(
    ("rows", "likely"),
    [
        (WITHOUT_HOLIDAYS, "every weekday, holidays too: name that of the prices, such as 'NYSE'"),
        (exchange("XETR").sessions[8000:8300], "'XETR'"),
        (pd.date_range("2025-01-01", "2025-12-31"), "'24/7'"),
        (exchange("XTKS").sessions[8000:8300], "'XTKS'"),
        (exchange("XHKG").sessions[8000:8300], "'XHKG'"),
    ],
)
def test_a_clock_time_without_a_market_is_refused_and_the_likely_one_named(rows, likely):
    time = f"{rows[100]:%Y-%m-%d}T10:00"
    with pytest.raises(DateError, match=rf"{time} has a time of day.*market= .*{likely}"):
        place([time], rows)


# -- rows around an event ------------------------------------------------------------------------


def slow_missing(rows, position, window, sessions):
    """Every session between the close before the window and its end must be a row."""
    first = max(position + window.start - 1, 0)
    last = min(position + window.end, len(rows) - 1)
    return [day for day in sessions if rows[first] < day < rows[last] and day not in set(rows)]


@settings(max_examples=60, deadline=None)
@given(
    gone=st.sets(st.integers(1, 78), max_size=5),
    position=st.integers(0, 60),
    window=st.tuples(st.integers(-8, 0), st.integers(0, 8)).map(lambda pair: Window(*pair)),
)
def test_a_session_that_is_missing_around_an_event_is_found(gone, position, window):
    sessions = nyse_sessions("2025-01-02", "2025-12-31")[:80]
    rows = sessions.delete(sorted(gone))
    found = missing_around(np.array([position, -1]), rows, window, exchange("NYSE"))
    expected = slow_missing(rows, position, window, sessions)
    assert found[1] == "" and bool(found[0]) == bool(expected)
    if expected:
        assert f"the session {expected[0]:%Y-%m-%d}, in or just before its window" in found[0]


def test_without_a_calendar_a_long_stretch_without_rows_is_found():
    rows = WITHOUT_HOLIDAYS
    rows = rows[(rows < "2025-04-03") | (rows > "2025-04-11")]
    unknown = market_of(rows)
    position = rows.get_indexer(pd.to_datetime(["2025-04-02", "2025-04-14", "2025-06-02"]))
    found = missing_around(position, rows, Window(0, 1), unknown)
    assert all("no row from 2025-04-02 to 2025-04-14" in reason for reason in found[:2])
    assert found[2] == ""
    easter = WITHOUT_HOLIDAYS.drop(["2025-04-18", "2025-04-21"])
    assert (missing_around(np.arange(80), easter, Window(-5, 5), market_of(easter)) == "").all()


# -- refusals ------------------------------------------------------------------------------------

BAD_CALLS = {
    "too late": (lambda: reaction_session("2150-01-01"), "2150-01-01 lies outside"),
    "too early abroad": (
        lambda: reaction_session("1987-10-19T10:00", "XETR"),
        "1987-10-19 lies outside the XETR calendar: give a date from 1990-01-01",
    ),
    "rows before the calendar": (
        lambda: place(["1987-10-19"], pd.bdate_range("1985-01-01", "1992-12-31"), "XETR"),
        "1987-10-19 lies outside the XETR calendar",
    ),
    "a clock without a calendar": (
        lambda: reaction_session("2025-04-09T13:18", ("Europe/Berlin", "17:30")),
        "has no calendar: name an exchange, or use align",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(case):
    call, message = BAD_CALLS[case]
    with pytest.raises(DateError, match=message):
        call()
