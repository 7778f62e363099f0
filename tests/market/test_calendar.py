"""Sessions and closing times, against facts from the exchanges and another package."""

import warnings

import exchange_calendars
import pandas as pd
import pytest

from impact.errors import DateError, ReturnsError
from impact.market import calendar
from impact.market.calendar import exchange, market_of, nyse_sessions, session_closes

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
    assert session_closes(pd.DatetimeIndex([session]))[0].isoformat() == close


def test_a_close_needs_a_session():
    with pytest.raises(DateError, match="no session on Thursday, 9 January 2025: give a trading"):
        session_closes(pd.DatetimeIndex(["2025-01-09"]))


# -- other markets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "session", "close"),
    [
        ("XETR", "2025-04-09", "2025-04-09 17:30 Europe/Berlin"),
        ("XETR", "2024-12-30", "2024-12-30 14:00 Europe/Berlin"),
        ("XLON", "2024-12-24", "2024-12-24 12:30 Europe/London"),
        ("XTKS", "2024-11-01", "2024-11-01 15:00 Asia/Tokyo"),
        ("XTKS", "2024-11-05", "2024-11-05 15:30 Asia/Tokyo"),
        ("XHKG", "2024-12-24", "2024-12-24 12:00 Asia/Hong_Kong"),
        ("XPAR", "2024-12-31", "2024-12-31 14:05 Europe/Paris"),
        ("24/7", "2025-04-12", "2025-04-13 00:00 UTC"),
        ("CME_Equity", "2025-04-10", "2025-04-10 16:00 America/Chicago"),
    ],
)
def test_closing_times_of_other_markets(market, session, close):
    found = exchange(market)
    when, _, zone = close.rpartition(" ")
    row = found.sessions.get_loc(session)
    assert found.closes[row].tz_localize("UTC") == pd.Timestamp(when, tz=zone)


@pytest.mark.parametrize("market", ["XETR", "XLON", "XTKS", "XHKG", "XSWX", "XASX", "XTSE"])
def test_sessions_and_closes_are_those_of_another_package(market):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that package warns of pandas' changes
        theirs = exchange_calendars.get_calendar(market, "2015-01-01", "2025-12-31").schedule
    found = exchange(market)
    span = (found.sessions >= "2015-01-01") & (found.sessions <= "2025-12-31")
    assert (found.sessions[span] == theirs.index).all()
    assert (found.closes[span].tz_localize("UTC") == pd.DatetimeIndex(theirs["close"])).all()


def test_plain_names_stand_for_the_better_calendar_and_case_does_not_matter():
    assert exchange("HKEX") is exchange("xhkg") and exchange("JPX") is exchange("XTKS")
    assert exchange("LSE") is exchange("XLON") and exchange("XNYS") is exchange("nyse")
    assert exchange("XHKG").early.any()


@pytest.mark.parametrize("market", ["XHKG", "NYSE"])
def test_calendars_of_other_packages_warn_no_one(market):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        calendar._exchange.__wrapped__(market)
    assert not said


# -- whose rows ----------------------------------------------------------------------------------

WEEKDAYS = pd.bdate_range("2023-01-02", "2025-12-31")
XETRA = exchange("XETR").sessions[8400:9000]
TEL_AVIV = calendar._exchange("TASE").sessions[7500:8100]


@pytest.mark.parametrize(
    ("rows", "market", "name"),
    [
        (nyse_sessions("2020-01-01", "2025-12-31"), None, "NYSE"),
        (nyse_sessions("2020-01-01", "2025-12-31")[::2][:3], None, "NYSE"),
        (nyse_sessions("1930-01-01", "1950-12-31"), None, "NYSE"),
        (nyse_sessions("1885-01-02", "1885-12-31"), None, "NYSE"),
        (WEEKDAYS, None, ""),
        (XETRA, None, ""),
        (TEL_AVIV, None, ""),
        (TEL_AVIV, "XTAE", "XTAE"),
        (pd.date_range("2025-01-01", "2025-12-31"), None, ""),
        (pd.date_range("2025-01-01", "2025-12-31"), "24/7", "24/7"),
        (XETRA, "XETR", "XETR"),
        (WEEKDAYS, "XETR", "XETR"),
        (WEEKDAYS, "XTKS", "XTKS"),
        (WEEKDAYS, ("Europe/Berlin", "17:30"), "Europe/Berlin 17:30"),
        (WEEKDAYS - pd.Timedelta(days=1), ("Africa/Cairo", "14:30"), "Africa/Cairo 14:30"),
    ],
)
def test_the_market_of_rows(rows, market, name):
    assert market_of(rows, market).name == name


@pytest.mark.parametrize(
    ("rows", "market", "error", "message"),
    [
        (WEEKDAYS, "XETRA", DateError, "market='XETRA' is not an exchange .*nearest are 'XETR'"),
        (WEEKDAYS, "", DateError, "market='' is not an exchange"),
        (
            WEEKDAYS,
            "XSGO",
            DateError,
            "names 'XSGO' and has no calendar for it: give its time zone",
        ),
        (WEEKDAYS, "XBEL", DateError, "names 'XBEL' and has no calendar for it"),
        (WEEKDAYS, ("Europe/Berln", "17:30"), DateError, "give an exchange such as 'XETR'"),
        (WEEKDAYS, ("Europe/Berlin", "half past five"), DateError, "is not a market"),
        (WEEKDAYS, ("Europe/Berlin",), DateError, "is not a market"),
        (WEEKDAYS, 17, DateError, "market=17 is not a market"),
        (
            pd.date_range("2025-01-01", "2025-12-31"),
            "XETR",
            ReturnsError,
            r"returns: 11\d rows of 365, such as 2025-01-01, a Wednesday, are not sessions of",
        ),
        (
            WEEKDAYS - pd.Timedelta(days=1),
            None,
            ReturnsError,
            r"returns: 2023-01-01 is a Sunday.*use \.tz_convert\(<zone of the exchange>\)"
            r"\.tz_localize\(None\)",
        ),
        (XETRA - pd.Timedelta(days=1), None, ReturnsError, "is a Sunday"),
        (XETRA - pd.Timedelta(days=1), "XETR", ReturnsError, "is a Sunday"),
        (XETRA + pd.Timedelta(days=1), None, ReturnsError, "is a Saturday"),
    ],
)
def test_rows_that_cannot_be_those_of_the_market(rows, market, error, message):
    with pytest.raises(error, match=message):
        market_of(rows, market, "returns")


def test_a_week_in_which_only_summer_is_moved_is_found():
    # Midnights of London in UTC: in summer the evening before, in winter the same day.
    london = XETRA.tz_localize("Europe/London").tz_convert("UTC").tz_localize(None).normalize()
    with pytest.raises(ReturnsError, match="is a Sunday"):
        market_of(london[~london.duplicated()], None, "returns")


def test_a_tenth_of_the_rows_may_be_no_sessions_and_not_more():
    shut = WEEKDAYS.difference(exchange("XETR").sessions)[:9]
    for sessions, refused in ((81, False), (80, True)):
        rows = XETRA[:sessions].union(shut)
        if refused:
            with pytest.raises(ReturnsError, match="9 rows of 89, such as 2023-0"):
                market_of(rows, "XETR", "returns")
        else:
            assert market_of(rows, "XETR").name == "XETR"


def test_weekend_rows_are_those_of_tel_aviv_where_two_in_a_hundred_are_not():
    week = pd.date_range(TEL_AVIV[0], TEL_AVIV[-1])
    shut = week[week.day_of_week.isin([6, 0, 1, 2, 3])].difference(TEL_AVIV)
    assert market_of(TEL_AVIV[100:198].union(shut[:2])).name == ""
    with pytest.raises(ReturnsError, match="is a Sunday"):
        market_of(TEL_AVIV[100:197].union(shut[:3]))


def test_the_nearest_exchanges_are_those_of_the_last_two_years():
    def sessions(name, first, last):
        every = exchange(name).sessions
        return every[(every >= first) & (every <= last)]

    # Paris and Frankfurt differ by four sessions in these two years.
    paris = sessions("XPAR", "2024-01-01", "2025-12-31")
    frankfurt = sessions("XETR", "2024-01-02", "2025-12-31")
    assert len(paris.symmetric_difference(frankfurt)) == 4
    assert calendar.likely_exchanges(paris) == "their nearest is 'XPAR' or 'XETR'"
    before = sessions("XTKS", "2019-01-01", "2023-12-31")
    assert calendar.likely_exchanges(before.union(paris)) == "their nearest is 'XPAR' or 'XETR'"
    # In two weeks without a holiday any would do.
    weeks = pd.bdate_range("2025-06-16", "2025-06-27")
    assert calendar.likely_exchanges(weeks) == "their nearest is 'XETR', 'XLON' or 'XPAR'"


def test_the_first_session_has_the_usual_close_too():
    nyse, tokyo = exchange("NYSE"), exchange("XTKS")
    assert (
        str(nyse.closes[0].tz_localize("UTC").tz_convert("America/New_York"))
        == "1885-01-02 15:00:00-05:00"
    )
    assert str(tokyo.closes[0].tz_localize("UTC").tz_convert("Asia/Tokyo"))[11:16] == "15:00"


def test_only_sessions_that_end_before_their_time_are_early():
    nyse = exchange("NYSE")
    early = {
        day: bool(nyse.early[nyse.sessions.get_loc(day)])
        for day in (
            "2024-11-27",
            "2024-11-29",
            "2025-07-03",
            "2025-07-07",
            "1950-05-20",
            "1950-05-19",
        )
    }
    assert [day for day, is_early in early.items() if is_early] == ["2024-11-29", "2025-07-03"]


def test_bad_calls():
    with pytest.raises(DateError, match="comes before start=2025-05"):
        nyse_sessions("2025-05-02", "2025-05-01")
    with pytest.raises(DateError, match="1850-01-01 lies outside"):
        nyse_sessions("1850-01-01", "2025-05-01")
