"""The session of each announcement, typed from the sources; every column of the events is kept."""

import pandas as pd
import pytest

from impact.errors import DateError, WindowError
from impact.news.alignment import align
from impact.news.catalogue import load_events

# First session that could react, by hand from the exchange's hours.
REACTIONS = """
    smoot-hawley-approval-1930 1930-06-16
    smoot-hawley-signed-1930 1930-06-17
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


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


# -- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "session"), rows(REACTIONS))
def test_reaction_sessions(aligned, since_1927, event, session):
    if session < "2018":
        assert pd.isna(aligned.loc[event, "session"])
        aligned = align(load_events(included=None), since_1927)
    assert f"{aligned.loc[event, 'session']:%Y-%m-%d}" == session


def test_a_weekend_of_1930_has_a_saturday(since_1927):
    dates = {"Saturday": "1930-06-14", "Sunday": "1930-06-15", "after noon": "1930-06-14T12:30"}
    placed = align(dates, since_1927)["session"].dt.strftime("%Y-%m-%d").to_dict()
    assert placed == {"Saturday": "1930-06-14", "Sunday": "1930-06-16", "after noon": "1930-06-16"}


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


def test_what_is_dropped_and_why(aligned, sessions):
    dropped = aligned.loc[aligned["dropped"] != "", "dropped"]
    early = "before the first session 2018-01-02"
    assert dropped.value_counts().to_dict() == {"puts known news into force": 10, early: 2}
    assert dropped["smoot-hawley-approval-1930"] == early
    assert dropped["nixon-import-surcharge-1971"] == early
    assert dropped["smoot-hawley-signed-1930"] == "puts known news into force"
    late = align(load_events(), sessions[sessions < "2026"])["dropped"]
    assert late["canada-countertariffs"] == "after the last session 2025-12-31"
    # Announced on New Year's Eve after the close: its session is the next, which is not there.
    assert late["furniture-increase-delayed"] == "after the last session 2025-12-31"
    assert late["liberation-day"] == ""


def test_rows_that_are_not_those_of_the_exchange():
    every_day = pd.date_range("2025-01-01", "2025-06-30")
    events = load_events(since="2025-02-01", until="2025-05-31")
    with pytest.raises(DateError, match=r"has a time of day.*market= \(their nearest is '24/7'\)"):
        align(events, every_day)
    days = align(events, every_day, market="24/7")
    assert days.loc["ieepa-fentanyl-orders", "session"] == pd.Timestamp("2025-02-01")
    # 16:00 in New York is 20:00 UTC: the day of a market that never shuts is not over.
    assert days.loc["liberation-day", "session"] == pd.Timestamp("2025-04-02")
    # The pause for Canada came at 16:40 on the 3rd: in New York that is the session of the 4th.
    assert days.loc["china-10pct-effective", "shared_with"] == ()
    assert days.loc["mexico-pause-feb", "shared_with"] == ("canada-pause-feb",)


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["2017-12-29", "2026-09-01", "2026-08-31T16:00", "1971-08-15"])
def test_a_typed_date_outside_the_returns_raises_where_it_is_alone(sessions, date):
    with pytest.raises(DateError, match="2018-01-02 to 2026-08-31") as error:
        align({"mine": date}, sessions)
    assert f"{date} of event 'mine' lies outside" in str(error.value)
    beside = align({"mine": date, "fine": "2025-05-02"}, sessions)["dropped"]
    assert " the " in beside["mine"] and beside["fine"] == ""


def test_dates_that_all_lie_outside_are_counted_and_the_first_is_named(sessions):
    with pytest.raises(DateError, match=r"2017-12-29.* of event 'a' \(and 1 more\) lies outside"):
        align({"a": "2017-12-29", "b": "2026-09-01"}, sessions)


def test_an_id_that_is_none_has_a_row_beside_one_that_is(sessions):
    found = align(events=["liberation-day", "liberation-dya"], sessions=sessions)
    assert found.index.to_list() == ["liberation-day", "liberation-dya"]
    assert "liberation-day" in found.loc["liberation-dya", "dropped"]
    known, unknown = found.drop(columns=["label", "dropped"]).iloc
    assert known["session"] == pd.Timestamp("2025-04-03") and known["shared_with"] == ()
    assert unknown[[bool(pd.notna(value)) for value in unknown]].isin(["", False, 0]).all()
    assert not unknown[["after_close", "date_only", "mixed"]].any()


def test_a_session_must_be_a_row(sessions):
    frame = pd.DataFrame({"session": pd.to_datetime(["2025-04-04", "2025-04-05"])})
    with pytest.raises(DateError, match="event '2025-04-05': session 2025-04-05 is not a row"):
        align(frame[1:], sessions)
    sunday = pd.DataFrame({"session": pd.to_datetime(["2025-04-05", "2025-04-06"])})
    with pytest.raises(DateError, match="event '2025-04-05': session 2025-04-05 is not a row"):
        align(sunday, sessions)
    assert "2025-04-05 is not a row" in align(frame, sessions)["dropped"].iloc[1]
    assert align(frame[:1], sessions)["session"].item() == pd.Timestamp("2025-04-04")
    first = align(pd.DataFrame({"session": sessions[[0, 9]]}), sessions, window=(0, 1))
    assert first["session"].to_list() == [*sessions[[0, 9]]] and (first["dropped"] == "").all()
    assert first["date_only"].all() and not first["after_close"].any()


def test_a_reversed_window(sessions):
    with pytest.raises(WindowError, match="reversed"):
        align(["2025-05-02"], sessions, window=(5, -5))


# -- what comes out ------------------------------------------------------------------------------


def test_every_column_of_the_events_comes_out_as_it_was(sessions):
    frame = pd.DataFrame(
        {
            "announced_at": ["2025-05-02T16:00", "2025-04-03"],
            "label": ["b", "a"],
            "my_dose": [1.5, None],
            "counterparty": ["CN;EU", ""],
            "instrument": ["Section 301", None],
            "news": [True, False],
            "china_dose_pp": [10, 20],
            "when": pd.to_datetime(["2025-05-02", "2025-04-03"]),
            "kind": pd.Categorical(["x", "y"]),
            "list": [["p"], ["q", "r"]],
            7: [True, False],
        },
        index=["second", "first"],
    )
    aligned = align(frame, sessions)
    assert aligned.index.to_list() == ["second", "first"]
    pd.testing.assert_frame_equal(
        aligned[list(frame)], frame.rename_axis("id"), check_index_type=False
    )
    assert aligned["session"].dt.day.to_list() == [5, 3]


def test_an_index_that_is_no_id_comes_out_as_a_column(sessions):
    frame = pd.DataFrame({"announced_at": ["2025-05-02", "2025-04-03"], "id": ["b", "a"]})
    for index in (
        pd.Index([101, 102], name="permno"),
        pd.Index(["X", "Y"], name="firm"),
        pd.date_range("2025-01-01", periods=2, name="filed"),
    ):
        aligned = align(frame.set_axis(index), sessions)
        assert aligned[index.name].to_list() == index.to_list()
        assert aligned.index.to_list() == ["b", "a"]
    two = pd.MultiIndex.from_tuples([("X", 1), ("Y", 2)], names=["firm", None])
    aligned = align(frame.drop(columns="id").set_axis(two), sessions)
    assert aligned["firm"].to_list() == ["X", "Y"]
    assert aligned.index.to_list() == ["2025-05-02", "2025-04-03"]
    by_date = frame.assign(size=[1, 2]).set_index(pd.to_datetime(frame["announced_at"]))
    aligned = align(by_date.drop(columns=["announced_at", "id"]), sessions)
    assert aligned["size"].to_dict() == {"2025-05-02": 1, "2025-04-03": 2}


def test_a_time_decides_the_session(sessions):
    times = {"noon": "2025-04-02T12:00", "close": "2025-04-02T16:00", "utc": "2025-04-02T19:59Z"}
    expected = ["2025-04-02", "2025-04-03", "2025-04-02"]
    assert align(times, sessions)["session"].dt.strftime("%Y-%m-%d").to_list() == expected
    stamps = pd.DatetimeIndex(["2025-04-02 12:00", "2025-04-02 16:00"]) + pd.to_timedelta(
        [0, 1], "D"
    )
    moved = align(stamps, sessions)["session"].dt.strftime("%Y-%m-%d").to_list()
    assert moved == ["2025-04-02", "2025-04-04"]


def test_nothing_at_all(sessions):
    for nothing in ([], {}, pd.DatetimeIndex([]), load_events(since="2027-01-01")):
        assert align(nothing, sessions).empty


def test_neighbours_are_those_of_five_sessions_before_and_after(sessions):
    near = lambda *window: align(load_events(), sessions, window=window)["neighbours"]
    assert near(-5, 5).equals(align(load_events(), sessions)["neighbours"])
    for other in ((-4, 5), (-6, 5), (-5, 4), (-5, 6)):
        assert not near(*other).equals(near(-5, 5))


def test_what_came_out_can_go_in_again(sessions):
    events = load_events()
    aligned = align(events, sessions)
    assert aligned.attrs == events.attrs
    # On other returns too.
    shorter = sessions[sessions >= "2025-01-01"]
    pd.testing.assert_frame_equal(align(aligned, shorter), align(events, shorter))


def test_inputs_are_not_changed(sessions):
    frame = pd.DataFrame({"id": ["a"], "announced_at": ["2025-05-02"], "session": ["kept"]})
    for events in (frame, load_events(), pd.Series(["2025-04-03", "2025-05-02"], index=["a", "b"])):
        before = events.copy(deep=True)
        align(events, sessions)
        assert events.equals(before) and (events.index == before.index).all()


def test_results_cannot_reach_the_cache(sessions):
    first = align(load_events(), sessions)
    untouched = first.copy(deep=True)
    first["neighbours"] = [("changed",)] * len(first)
    first.loc[:, "releases"] = "changed"
    pd.testing.assert_frame_equal(align(load_events(), sessions), untouched)
