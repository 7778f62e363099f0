"""Events as people give them: every shape reads as the same frame, or is refused in words."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from impact.errors import EventError
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.events import ALIGNED, as_events, unknown_id_error

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


def test_the_catalogue_stays_itself():
    events = load_events()
    frame = as_events(events)
    assert frame["from_catalogue"].all()
    pd.testing.assert_frame_equal(frame.drop(columns="from_catalogue"), events)
    pd.testing.assert_frame_equal(as_events(frame), frame)


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


def test_an_aligned_frame_is_read_as_the_events_it_came_from(sessions):
    own = pd.DataFrame({"id": ["a"], "announced_at": ["2025-05-02T16:00"], "size": [2.0]})
    aligned = align(own, sessions)
    assert set(ALIGNED) <= set(aligned)
    pd.testing.assert_frame_equal(as_events(aligned), as_events(own), check_like=True)


def test_times_with_a_zone_are_written_in_new_york():
    one = dt.datetime(2025, 5, 2, 1, tzinfo=dt.UTC)
    for events in ([one], pd.DatetimeIndex([one]), {"2025-05-01": pd.Timestamp(one)}):
        assert as_events(events)["announced_at"].to_dict() == {
            "2025-05-01": "2025-05-01T21:00:00-04:00"
        }


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (["02/05/2025"], "02/05/2025"),
        (["2025-05-02", "soon"], "soon"),
        ("liberation", "nor an id or a label of the catalogue, of which the nearest are 'liberat"),
        (["geneva-truce", "Genva truce"], "'Genva truce' is not an ISO date, nor an id"),
        ("china-145-clarifed", "nearest are 'china-145-clarified'"),
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
        (
            pd.DataFrame([["2025-05-02", 1, 2]], columns=["announced_at", "size", "size"]),
            "two columns of the events are called 'size': rename one",
        ),
        (
            pd.DataFrame({"announced_at": ["2025-05-02"], "moved": [0.01]}),
            "a study fills in the column 'moved': call that of the events otherwise",
        ),
        (
            pd.DataFrame({"announced_at": ["2025-05-02"], "announcements": [3]}),
            "a study fills in the column 'announcements'",
        ),
        (pd.DataFrame({"session": ["2025-05-02"], "mixed": ["no"]}), "fills in the column 'mixed'"),
        (
            pd.DataFrame({"announced_at": ["2025-05-02"], "from_catalogue": [True]}),
            "a study fills in the column 'from_catalogue': call that of the events otherwise",
        ),
        (
            pd.DataFrame(
                {"announced_at": ["2025-05-02"], "label": ["x"], "from_catalogue": [True]},
                index=pd.Index(["x"], name="id"),
            ),
            "a study fills in the column 'from_catalogue': call that of the events otherwise",
        ),
        (
            pd.DataFrame({"session": ["2025-05-02", "2025-05-05T16:00"]}),
            "session 2025-05-05T16:00 has a time of day: give the date, or call the column anno",
        ),
        # Midnight in London is the evening before in New York: another session, without a word.
        (
            pd.DataFrame({"session": pd.DatetimeIndex(["2025-05-02"], tz="Europe/London")}),
            "session 2025-05-01T19:00:00-04:00 has a time of day",
        ),
    ],
)
def test_what_cannot_be_read_as_events(events, message):
    with pytest.raises(EventError, match=message):
        as_events(events)


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ([1.5, 2], ["1.5", "2.0"]),
        ([None, "x"], ["a", "x"]),
        (["", np.nan], ["a", "b"]),
        (pd.Categorical(["x", None]), ["x", "b"]),
        (pd.array([3, None], dtype="Int64"), ["3", "b"]),
    ],
)
def test_labels_are_texts_and_a_blank_one_is_the_id(labels, read):
    dates = ["2025-05-02", "2025-05-05"]
    events = as_events(pd.DataFrame({"id": ["a", "b"], "announced_at": dates, "label": labels}))
    assert events["label"].to_list() == read and events["label"].dtype == "str"


def test_an_unknown_id_names_the_nearest():
    error = unknown_id_error("wsj-fentanyl", load_events().index)
    assert isinstance(error, EventError)
    assert "'wsj-fentanyl': the nearest are 'wsj-fentanyl-overture'" in str(error)
    assert "there are none" in str(unknown_id_error("x", []))


def test_a_label_is_one_line_of_letters_that_can_be_drawn():
    given = {"two\nlines": "2025-05-02", "NUL\x00": "2025-05-05", "half \ud800": "2025-05-06"}
    labels = as_events(given)["label"]
    assert labels.to_list() == ["two lines", "NUL\ufffd", "half \ufffd"]
    assert labels.index.to_list() == list(given)
