"""Sessions, shared sessions and releases typed from the sources, flags against slow loops."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from impact.errors import DateError, EventError, ReturnsError, WindowError
from impact.market.files import data_path
from impact.news.alignment import align, as_events, unknown_id_error
from impact.news.catalogue import load_events
from impact.news.surroundings import covered_spans, releases_on

# First session that could react, by hand from the exchange's hours (1971 lies before the closes).
REACTIONS = """
    nixon-import-surcharge-1971 1971-08-16
    ustr-50bn-list-2018 2018-04-04
    trump-100bn-more-2018 2018-04-06
    mnuchin-on-hold-2018 2018-05-21
    trump-200bn-threat-2018 2018-06-19
    list-1-effective-2018 2018-07-06
    ustr-200bn-list-2018 2018-07-11
    juncker-rose-garden-2018 2018-07-26
    list-3-announced-2018 2018-09-18
    buenos-aires-truce-2018 2018-12-03
    march-1-increase-delayed-2019 2019-02-25
    may-5-tweets-2019 2019-05-06
    list-3-25pct-effective-2019 2019-05-10
    china-60bn-retaliation-2019 2019-05-13
    mexico-5pct-threat-2019 2019-05-31
    mexico-tariff-suspended-2019 2019-06-10
    osaka-truce-2019 2019-07-01
    yuan-breaks-seven-2019 2019-08-05
    currency-manipulator-label-2019 2019-08-06
    aug-23-rate-increases-2019 2019-08-26
    inauguration-no-day-one-tariffs 2025-01-21
    colombia-threat 2025-01-27
    ieepa-fentanyl-orders 2025-02-03
    canada-pause-feb 2025-02-04
    china-10pct-effective 2025-02-04
    steel-aluminium-2025-announced 2025-02-10
    march-4-confirmed 2025-02-27
    march-4-effective 2025-03-04
    metals-25-effective 2025-03-12
    autos-25 2025-03-27
    liberation-day 2025-04-03
    china-34-retaliation 2025-04-04
    baseline-10-effective 2025-04-07
    country-rates-effective 2025-04-09
    china-84-retaliation 2025-04-09
    china-125-retaliation 2025-04-11
    electronics-exemption 2025-04-14
    no-exception-post 2025-04-14
    geneva-meeting-announced 2025-05-07
    geneva-truce 2025-05-12
    geneva-effective 2025-05-14
    eu-50-threat 2025-05-23
    eu-50-delayed 2025-05-27
    cit-ruling 2025-05-29
    steel-50 2025-06-02
    steel-50-effective 2025-06-04
    london-framework 2025-06-11
    china-deal-done-post 2025-06-11
    brazil-50-letter 2025-07-10
    copper-50-confirmed 2025-07-10
    canada-35-letter 2025-07-11
    eu-mexico-30-letters 2025-07-14
    japan-deal 2025-07-23
    eu-deal 2025-07-28
    korea-deal 2025-07-31
    new-rates-order 2025-08-01
    truce-extended-august 2025-08-12
    cafc-ruling 2025-09-02
    pharma-trucks-furniture 2025-09-26
    china-rare-earth-controls 2025-10-09
    china-100-threat 2025-10-13
    softer-tone-sunday 2025-10-13
    canada-talks-ended-october 2025-10-24
    canada-plus-10 2025-10-27
    kuala-lumpur-framework 2025-10-27
    busan-summit 2025-10-30
    china-20-effective 2025-11-10
    food-exemptions 2025-11-17
    furniture-increase-delayed 2026-01-02
    iran-trade-25 2026-01-13
"""

SHARED = """
    2018-04-04 ustr-50bn-list-2018 china-mirror-list-2018
    2025-02-03 ieepa-fentanyl-orders mexico-pause-feb
    2025-02-04 canada-pause-feb china-10pct-effective
    2025-04-07 baseline-10-effective false-pause-headline extra-50-threat-china
    2025-04-09 country-rates-effective china-84-retaliation ninety-day-pause
    2025-04-14 electronics-exemption no-exception-post
    2025-05-02 mofcom-evaluating wsj-fentanyl-overture
    2025-05-29 cit-ruling cafc-stay
    2025-06-11 london-framework china-deal-done-post
    2025-07-10 brazil-50-letter copper-50-confirmed
    2025-07-31 korea-deal mexico-90-day-extension
    2025-10-13 china-100-threat softer-tone-sunday
    2025-10-27 canada-plus-10 kuala-lumpur-framework
"""
# These only put known news into force: they stand in the session, and share it with nobody.
NO_NEWS = {"baseline-10-effective", "country-rates-effective"}

RELEASES = """
    2025-03-12 CPI metals-25-effective
    2025-04-04 payrolls china-34-retaliation
    2025-04-10 CPI china-145-clarified
    2025-05-02 payrolls mofcom-evaluating wsj-fentanyl-overture
    2025-05-07 FOMC geneva-meeting-announced
    2025-06-11 CPI london-framework china-deal-done-post
    2025-07-30 FOMC copper-refined-exempt
    2025-08-01 payrolls new-rates-order
    2025-08-12 CPI truce-extended-august
    2025-10-24 CPI canada-talks-ended-october
    2026-01-09 payrolls scotus-no-decision-jan-9
    2026-01-13 CPI iran-trade-25
"""

UP, DOWN = {"escalation", "retaliation"}, {"de-escalation", "talks"}


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


@pytest.fixture(scope="module")
def sessions() -> pd.DatetimeIndex:
    """The sessions of 2018 to August 2026, from the committed closes."""
    return pd.DatetimeIndex(pd.read_csv(data_path("sp500.csv"), parse_dates=["date"])["date"])


@pytest.fixture(scope="module")
def aligned(sessions) -> pd.DataFrame:
    return align(load_events(included=None), sessions)


# -- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "session"), rows(REACTIONS))
def test_reaction_sessions(aligned, event, session):
    if session < "2018":
        assert pd.isna(aligned.loc[event, "session"])
    else:
        assert f"{aligned.loc[event, 'session']:%Y-%m-%d}" == session


def test_why_events_moved(aligned):
    why = {
        "liberation-day": "after the close",
        "ieepa-fentanyl-orders": "weekend",
        "inauguration-no-day-one-tariffs": "holiday",
        "ninety-day-pause": "",
        "mofcom-evaluating": "",
    }
    assert aligned.loc[list(why), "moved"].to_dict() == why
    assert aligned.loc["mofcom-evaluating", "date_only"]
    assert not aligned.loc["liberation-day", "date_only"]


def test_shared_sessions(aligned):
    for session, *events in rows(SHARED):
        news = [event for event in events if event not in NO_NEWS]
        for event in events:
            assert aligned.loc[event, "session"] == pd.Timestamp(session)
            assert sorted(aligned.loc[event, "shared_with"]) == sorted(set(news) - {event})
    listed = {event for _, *events in rows(SHARED) for event in events}
    in_period = aligned["session"].between("2018", "2026-01-13") & aligned["included"]
    assert set(aligned.index[in_period & (aligned["shared_with"].map(len) > 0)]) == listed


def test_releases_of_2025(aligned):
    listed = {}
    for session, release, *events in rows(RELEASES):
        for event in events:
            listed[event] = release
            assert aligned.loc[event, "session"] == pd.Timestamp(session)
    period = aligned[aligned["session"].between("2025", "2026-01-13") & aligned["included"]]
    assert period.loc[period["releases"] != "", "releases"].to_dict() == listed


def test_releases_are_not_checked_outside_their_file(sessions):
    assert [tuple(f"{day:%Y-%m-%d}" for day in span) for span in covered_spans()] == [
        ("2018-01-05", "2020-02-07"),
        ("2024-01-05", "2026-08-12"),
    ]
    dates = {
        "2018-01-04": "not checked",
        "2018-01-05": "payrolls",
        "2020-02-07": "payrolls",
        "2020-02-10": "not checked",
        "2022-06-15": "not checked",
        "2024-01-04": "not checked",
        "2024-06-12": "CPI, FOMC",
        "2025-10-15": "",  # the shutdown put the report off, it did not end the file
        "2026-04-06": "payrolls",  # published on Good Friday, when the exchange was closed
        "2026-08-12": "CPI",
        "2026-08-13": "not checked",
    }
    assert releases_on(sessions)[list(dates)].to_list() == list(dates.values())
    assert align(list(dates), sessions)["releases"].to_list() == list(dates.values())


def test_what_is_dropped_and_why(aligned, sessions):
    dropped = aligned.loc[aligned["dropped"] != "", "dropped"]
    early = "before the first session 2018-01-02"
    assert dropped.value_counts().to_dict() == {"puts known news into force": 9, early: 2}
    assert dropped["smoot-hawley-signed-1930"] == early
    late = align(load_events(), sessions[sessions < "2026"])["dropped"]
    assert late["canada-countertariffs"] == "after the last session 2025-12-31"
    # Announced on New Year's Eve after the close: its session is the next, which is not there.
    assert late["furniture-increase-delayed"] == "after the last session 2025-12-31"
    assert late["liberation-day"] == ""


# -- flags ---------------------------------------------------------------------------------------


def test_flags_do_not_depend_on_the_selection(aligned, sessions):
    flags = ["session", "neighbours", "shared_with", "mixed", "releases"]
    everything = aligned[aligned["included"]]
    for selection in (
        load_events(counterparty="CN"),
        load_events(direction="legal"),
        load_events().iloc[::-7],
    ):
        chosen = align(selection, sessions)
        pd.testing.assert_frame_equal(chosen[flags], everything.loc[chosen.index, flags])


def test_china_alone_would_look_one_sided(sessions):
    china = align(load_events(counterparty="CN"), sessions)
    china = china[china["dropped"] == ""]
    one_sided = []
    for session, unit in china.groupby("session"):
        directions = set(unit["direction"])
        if unit["mixed"].all() and not (directions & UP and directions & DOWN):
            one_sided += [f"{session:%Y-%m-%d}"] if "mixed" not in directions else []
    # Three hold easing towards Canada or Mexico (or the reverse); on 7 April the false headline
    # about all countries went both ways by itself.
    assert one_sided == ["2025-02-03", "2025-02-04", "2025-04-07", "2025-10-27"]


def test_flags_against_a_slow_loop(aligned, sessions):
    known = aligned[aligned["included"] & aligned["news"] & aligned["session"].notna()]
    row_of = {session: row for row, session in enumerate(sessions)}
    again = align(
        aligned[["announced_at", "news", "included", "direction"]], sessions, window=(-3, 8)
    )
    for event, facts in again[again["session"].notna()].iterrows():
        here = row_of[facts["session"]]
        shared, near, directions = [], [], {facts["direction"]}
        for other, row in known.iterrows():
            gap = row_of[row["session"]] - here
            if gap == 0:
                directions.add(row["direction"])
            if gap == 0 and other != event:
                shared.append(other)
            if gap != 0 and -3 <= gap <= 8:
                near.append(other)
        mixed = bool("mixed" in directions or (directions & UP and directions & DOWN))
        if facts["dropped"] == "" and event in known.index:
            assert facts["mixed"] == mixed, event
        assert sorted(facts["shared_with"]) == sorted(shared), event
        assert sorted(facts["neighbours"]) == sorted(near), event


def test_a_window_beside_the_session(sessions):
    after = align(["2025-04-03"], sessions, window=(1, 1))
    assert after["neighbours"].item() == ("china-34-retaliation",)
    assert after["shared_with"].item() == ("liberation-day",)
    before = align(["2025-04-04"], sessions, window=(-1, -1))
    assert before["neighbours"].item() == ("liberation-day",)


def test_dates_of_ones_own_are_flagged_too(sessions):
    own = align({"the call": "2025-05-02", "quiet": "2023-06-01"}, sessions)
    assert own.loc["the call", "shared_with"] == ("mofcom-evaluating", "wsj-fentanyl-overture")
    assert own.loc["the call", "releases"] == "payrolls"
    assert own["shared_with"]["quiet"] == own["neighbours"]["quiet"] == ()
    assert own["mixed"].to_list() == [False, False]


def test_directions_of_ones_own_make_a_session_mixed(sessions):
    frame = pd.DataFrame(
        {
            "id": list("abcd"),
            "announced_at": ["2025-05-02", "2023-06-01", "2023-06-01", "2023-06-02"],
            "direction": ["escalation", "escalation", "talks", "mixed"],
        }
    )
    assert align(frame, sessions)["mixed"].to_list() == [True, True, True, True]
    by_firm = frame.assign(security=["", "X", "Y", "Z"])
    assert align(by_firm, sessions)["mixed"].to_list() == [True, False, False, True]


def test_rows_that_are_not_those_of_the_exchange():
    every_day = pd.date_range("2025-01-01", "2025-06-30")
    days = align(load_events(since="2025-02-01", until="2025-05-31"), every_day)
    assert days.loc["ieepa-fentanyl-orders", "session"] == pd.Timestamp("2025-02-01")
    assert days.loc["liberation-day", "session"] == pd.Timestamp("2025-04-03")
    assert days.loc["china-10pct-effective", "shared_with"] == ("canada-pause-feb",)
    assert days.loc["mexico-pause-feb", "shared_with"] == ()


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["2017-12-29", "2026-09-01", "2026-08-31T16:00", "1971-08-15"])
def test_a_typed_date_outside_the_returns_raises(sessions, date):
    with pytest.raises(DateError, match="2018-01-02 to 2026-08-31") as error:
        align({"mine": date, "fine": "2025-05-02"}, sessions)
    assert date in str(error.value) and "'mine'" in str(error.value)


def test_a_session_must_be_a_row(sessions):
    frame = pd.DataFrame({"session": pd.to_datetime(["2025-04-04", "2025-04-05"])})
    with pytest.raises(DateError, match="session 2025-04-05 of event '2025-04-05' is not a row"):
        align(frame, sessions)
    assert align(frame[:1], sessions)["session"].item() == pd.Timestamp("2025-04-04")


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (pd.DatetimeIndex([]), ReturnsError),
        (pd.RangeIndex(5), ReturnsError),
        (pd.DatetimeIndex(["2025-05-02", "2025-05-01"]), ReturnsError),
        (pd.DatetimeIndex(["2025-05-02", "2025-05-02"]), ReturnsError),
        (pd.date_range("2025-05-01", periods=9, tz="UTC"), ReturnsError),
        (["2025-05-01", "2025-05-02"], ReturnsError),
    ],
)
def test_sessions_that_are_none(index, error):
    with pytest.raises(error, match="sorted DatetimeIndex without time zone"):
        align(["2025-05-02"], index)


def test_a_reversed_window(sessions):
    with pytest.raises(WindowError, match="reversed"):
        align(["2025-05-02"], sessions, window=(5, -5))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (["02/05/2025"], "02/05/2025"),
        (["2025-05-02", "soon"], "soon"),
        ("liberation-day", "liberation-day"),
        ([20250502], "20250502 is not a date"),
        ([None], "None is not a date"),
        ([pd.NaT], "NaT is not a date"),
        ({"a": ["2025-05-02"]}, "is not a date"),
        (pd.DatetimeIndex(["2025-05-02", None]), "row 2 has no date"),
        (pd.Series([0.01, 0.02], pd.to_datetime(["2025-05-02", "2025-05-05"])), "0.01 is not"),
        (["2025-05-02", "2025-05-02"], "two events have the id '2025-05-02'"),
        (["2025-05-02T10:00", "2025-05-02T18:00"], "two events have the id '2025-05-02'"),
        ({1: "2025-05-02", "1": "2025-05-05"}, "two events have the id '1'"),
        (pd.DataFrame({"when": ["2025-05-02"]}), "neither a column 'announced_at' nor 'session'"),
        (pd.DataFrame({"id": [""], "announced_at": ["2025-05-02"]}), "row 1 has no id"),
        (pd.DataFrame({"id": ["a", None], "announced_at": ["2025-05-02"] * 2}), "row 2 has no"),
        (
            pd.DataFrame({"announced_at": ["2025-05-02"], "direction": ["up"]}),
            "event '2025-05-02': the direction 'up' is unknown",
        ),
        (
            pd.DataFrame({"announced_at": ["2025-05-02"], "news": ["no"], "included": ["yes"]}),
            r"use load_events\(path\)",
        ),
        (pd.concat([load_events(), load_events(tags="core")]), "two events have the id"),
        (np.array([["2025-05-02"]]), "shape"),
        ({"2025-05-02"}, "type set cannot be read"),
        (None, "type NoneType cannot be read"),
        (20250502, "type int cannot be read"),
    ],
)
def test_what_cannot_be_read_as_events(events, message):
    with pytest.raises(EventError, match=message):
        as_events(events)


# -- shapes --------------------------------------------------------------------------------------

DATES = ["2025-04-03", "2025-05-02"]


@pytest.mark.parametrize(
    "events",
    [
        DATES,
        tuple(DATES),
        np.array(DATES),
        np.array(DATES, dtype="datetime64[D]"),
        pd.DatetimeIndex(DATES),
        pd.Index(DATES),
        pd.Series(DATES),
        pd.Series(pd.to_datetime(DATES)),
        [dt.date(2025, 4, 3), pd.Timestamp("2025-05-02")],
        [dt.datetime(2025, 4, 3), np.datetime64("2025-05-02")],
        {date: date for date in DATES},
        pd.Series(DATES, index=DATES),
        pd.DataFrame({"announced_at": DATES}),
        pd.DataFrame({"session": DATES}),
        pd.DataFrame({"session": pd.to_datetime(DATES)}, index=[7, 9]),
        pd.DataFrame({"announced_at": DATES, "id": DATES}),
        pd.DataFrame({"announced_at": DATES}, index=pd.Index(DATES, name="id")),
    ],
)
def test_every_shape_of_two_dates_is_the_same(events, sessions):
    frame = as_events(events)
    assert frame.index.to_list() == frame["announced_at"].to_list() == DATES
    assert frame.index.name == "id"
    assert frame["label"].to_list() == DATES
    assert not frame["from_catalogue"].any()
    aligned = align(events, sessions)
    assert (aligned["session"] == pd.to_datetime(DATES)).all()
    assert aligned["date_only"].all() and (aligned["moved"] == "").all()


@pytest.mark.parametrize(
    ("event", "announced_at", "name"),
    [
        ("2025-05-02", "2025-05-02", "2025-05-02"),
        (dt.date(2025, 5, 2), "2025-05-02", "2025-05-02"),
        (pd.Timestamp("2025-05-02 09:00"), "2025-05-02T09:00:00", "2025-05-02"),
        ("2025-05-02T03:00:00+02:00", "2025-05-02T03:00:00+02:00", "2025-05-01"),
        (
            pd.DatetimeIndex(["2025-05-02 01:00"], tz="UTC"),
            "2025-05-01T21:00:00-04:00",
            "2025-05-01",
        ),
    ],
)
def test_one_event_and_its_new_york_date(event, announced_at, name):
    frame = as_events(event)
    assert frame["announced_at"].to_dict() == {name: announced_at}


def test_a_time_decides_the_session(sessions):
    times = {"noon": "2025-04-02T12:00", "close": "2025-04-02T16:00", "utc": "2025-04-02T19:59Z"}
    expected = ["2025-04-02", "2025-04-03", "2025-04-02"]
    assert align(times, sessions)["session"].dt.strftime("%Y-%m-%d").to_list() == expected
    stamps = pd.DatetimeIndex(["2025-04-02 12:00", "2025-04-02 16:00"]) + pd.to_timedelta(
        [0, 1], "D"
    )
    moved = align(stamps, sessions)["session"].dt.strftime("%Y-%m-%d").to_list()
    assert moved == ["2025-04-02", "2025-04-04"]


def test_the_catalogue_stays_itself(sessions):
    events = load_events()
    frame = as_events(events)
    assert frame["from_catalogue"].all()
    pd.testing.assert_frame_equal(frame.drop(columns="from_catalogue"), events)
    pd.testing.assert_frame_equal(as_events(frame), frame)
    aligned = align(events, sessions)
    assert aligned.attrs == events.attrs
    # What came out can go in again, on other returns too.
    shorter = sessions[sessions >= "2025-01-01"]
    pd.testing.assert_frame_equal(align(aligned, shorter), align(events, shorter))


def test_firm_events(sessions):
    frame = pd.DataFrame(
        {
            "announced_at": ["2025-04-03", "2025-04-03", "2025-05-02"],
            "security": ["XLK", "XLF", None],
            "size": [1.0, 2.0, 3.0],
        }
    )
    aligned = align(frame, sessions)
    assert aligned.index.to_list() == ["2025-04-03 XLK", "2025-04-03 XLF", "2025-05-02"]
    assert aligned["security"].to_list() == ["XLK", "XLF", ""]
    assert aligned["size"].to_list() == [1, 2, 3]
    with pytest.raises(EventError, match="two events have the id '2025-04-03 XLK'"):
        as_events(frame.assign(security="XLK"))


def test_nothing_at_all(sessions):
    for nothing in ([], {}, pd.DatetimeIndex([]), load_events(since="2027-01-01")):
        assert align(nothing, sessions).empty


# -- manners -------------------------------------------------------------------------------------


def test_inputs_are_not_changed(sessions):
    frame = pd.DataFrame({"id": ["a"], "announced_at": ["2025-05-02"], "session": ["kept"]})
    for events in (frame, load_events(), pd.Series(DATES, index=["a", "b"])):
        before = events.copy(deep=True)
        align(events, sessions)
        assert events.equals(before) and (events.index == before.index).all()


def test_results_cannot_reach_the_cache(sessions):
    first = align(load_events(), sessions)
    untouched = first.copy(deep=True)
    first["neighbours"] = [("changed",)] * len(first)
    first.loc[:, "releases"] = "changed"
    releases = releases_on(sessions)
    releases.iloc[:] = "changed"
    pd.testing.assert_frame_equal(align(load_events(), sessions), untouched)


def test_an_unknown_id_names_the_nearest():
    error = unknown_id_error("wsj-fentanyl", load_events().index)
    assert isinstance(error, EventError)
    assert "'wsj-fentanyl': the nearest are 'wsj-fentanyl-overture'" in str(error)
    assert "there are none" in str(unknown_id_error("x", []))
