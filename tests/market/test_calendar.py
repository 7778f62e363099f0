"""Placement of announcements, against facts from the exchange and the press."""

import csv
import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.errors import DateError
from impact.market.calendar import nyse_sessions, session_close
from impact.market.files import data_path
from impact.market.placement import place, reaction_session

NEW_YORK = ZoneInfo("America/New_York")

# -- the calendar --------------------------------------------------------------------------------

#: Days on which the exchange stayed shut outside its regular holidays.
ONE_OFF_CLOSURES = {
    "1929-11-01": "after the crash",
    "1933-03-06": "bank holiday",
    "1945-08-15": "victory over Japan",
    "1963-11-25": "funeral of Kennedy",
    "1969-07-21": "first landing on the moon",
    "1977-07-14": "blackout",
    "1985-09-27": "hurricane Gloria",
    "1994-04-27": "funeral of Nixon",
    "2001-09-11": "attacks",
    "2001-09-14": "attacks",
    "2004-06-11": "funeral of Reagan",
    "2007-01-02": "funeral of Ford",
    "2012-10-29": "hurricane Sandy",
    "2012-10-30": "hurricane Sandy",
    "2018-12-05": "funeral of the elder Bush",
    "2025-01-09": "funeral of Carter",
    "2022-06-20": "first Juneteenth",
    "2026-06-19": "Juneteenth",
    "2025-04-18": "Good Friday",
    "1968-06-12": "paperwork Wednesday",
}


@pytest.mark.parametrize("day", ONE_OFF_CLOSURES, ids=ONE_OFF_CLOSURES.get)
def test_the_exchange_was_shut(day):
    assert nyse_sessions(day, day).empty


def test_the_exchange_reopened_after_the_attacks_on_17_september_2001():
    sessions = nyse_sessions("2001-09-10", "2001-09-17").strftime("%Y-%m-%d").to_list()
    assert sessions == ["2001-09-10", "2001-09-17"]


def test_session_counts():
    sessions = nyse_sessions("1927-12-30", "2026-12-31")
    saturdays = sessions[sessions.day_of_week == 5]
    assert len(sessions) - len(saturdays) == 24_868
    assert len(saturdays) == 1_085
    assert saturdays[-1] == pd.Timestamp("1952-05-24")
    assert (sessions.year == 2026).sum() == 251
    assert (sessions.year == 2025).sum() == 250
    assert sessions.tz is None and sessions.is_monotonic_increasing and sessions.is_unique
    assert (sessions == sessions.normalize()).all() and sessions.name == "date"


@pytest.mark.parametrize(
    ("session", "close"),
    [
        ("2025-05-02", "2025-05-02T16:00:00-04:00"),
        ("2025-01-10", "2025-01-10T16:00:00-05:00"),
        ("2024-11-29", "2024-11-29T13:00:00-05:00"),  # day after Thanksgiving
        ("2024-07-03", "2024-07-03T13:00:00-04:00"),  # eve of Independence Day
        ("2025-12-24", "2025-12-24T13:00:00-05:00"),  # Christmas Eve
        ("2025-12-31", "2025-12-31T16:00:00-05:00"),  # New Year's Eve is a full day
        ("1987-10-19", "1987-10-19T16:00:00-04:00"),
        ("1987-10-23", "1987-10-23T14:00:00-04:00"),  # two hours less after the crash
        ("1960-03-01", "1960-03-01T15:30:00-05:00"),  # 15:30 until the seventies
        ("1935-03-01", "1935-03-01T15:00:00-05:00"),  # 15:00 until 1952
        ("1935-03-02", "1935-03-02T12:00:00-05:00"),  # Saturdays ended at noon
    ],
)
def test_closing_times(session, close):
    assert session_close(session).isoformat() == close


def test_a_close_needs_a_session():
    with pytest.raises(DateError, match="no session on Thursday, 9 January 2025: give a trading"):
        session_close("2025-01-09")


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
    expected = slow_reaction(instant, near, [session_close(s) for s in near])
    assert reaction_session(instant) == expected
    assert reaction_session(local) == expected
    assert reaction_session(instant.isoformat()) == expected


@settings(max_examples=40, deadline=None)
@given(instants=st.lists(INSTANTS, min_size=2, max_size=20))
def test_reaction_never_runs_backwards(instants):
    placed = place(sorted(instants), nyse_sessions("1928-01-01", "2027-01-31"))
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


def test_rows_that_lack_a_session_of_the_exchange():
    rows = nyse_sessions("2025-04-01", "2025-04-30").drop("2025-04-03")
    placed = place(["2025-04-02T16:00", "2025-04-03", "2025-04-02"], rows)
    assert placed["session"].dt.day.to_list() == [4, 4, 2]
    assert placed["moved"].to_list() == ["no row", "no row", ""]


def test_rows_on_every_day_of_the_week():
    days = pd.date_range("2025-01-31", "2025-02-04")
    placed = place(["2025-01-31T17:00", "2025-02-01T17:42", "2025-02-01"], days)
    assert placed["session"].dt.strftime("%m-%d").to_list() == ["02-01", "02-01", "02-01"]
    assert placed["moved"].to_list() == ["after the close", "", ""]


def test_dates_outside_the_rows_have_no_session():
    rows = nyse_sessions("2025-01-02", "2025-12-31")
    placed = place(["2024-12-31", "2025-12-31", "2025-12-31T18:00", "2026-01-02"], rows)
    assert placed["session"].isna().to_list() == [True, False, True, True]
    assert (placed["moved"] == "").all()
    assert place([], rows).shape == (0, 4)


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


# -- refusals ------------------------------------------------------------------------------------

BAD_CALLS = {
    "reversed": (lambda: nyse_sessions("2025-05-02", "2025-05-01"), "comes before start=2025-05"),
    "too early": (lambda: nyse_sessions("1850-01-01", "2025-05-01"), "1850-01-01 lies outside"),
    "too late": (lambda: reaction_session("2150-01-01"), "2150-01-01 lies outside"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(case):
    call, message = BAD_CALLS[case]
    with pytest.raises(DateError, match=message):
        call()
