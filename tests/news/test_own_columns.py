"""Events as people keep them: date and event, written months, midnights, empty columns."""

import datetime as dt
import sys

import openpyxl
import pandas as pd
import pytest

from impact.errors import EventError
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.events import as_events
from impact.news.own_columns import as_iso, renamed, without_empty_columns


def own(folder, text):
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("id,announced_at\na,9 May 2025\nb,2025-05-12\n", ["2025-05-09", "2025-05-12"]),
        ('id,announced_at\na,"May 9, 2025"\n', ["2025-05-09"]),
        ("id,announced_at\na,2025-04-02 00:00:00\n", ["2025-04-02"]),
        ("id,announced_at\na,2025-04-02 00:00:00\nb,2025-04-03\n", ["2025-04-02", "2025-04-03"]),
        ("id,announced_at,,\na,2025-04-02,,\n,,,\nb,2025-04-03,,\n", ["2025-04-02", "2025-04-03"]),
        ("id,announced_at\na,2025-04-02,,\n", ["2025-04-02"]),
        ("date,event\n2025-04-02,a\n", ["2025-04-02"]),
        ("Event,Date,size\na,2 April 2025,7\n", ["2025-04-02"]),
    ],
)
def test_a_file_of_dates_is_read_as_dates(tmp_path, text, dates):
    events = load_events(own(tmp_path, text))
    assert events["announced_at"].to_list() == dates and events.index[0] == "a"
    assert (events["time_basis"] == "date-only").all()
    rows = pd.bdate_range("2025-04-01", "2025-05-16").drop("2025-04-18")
    assert align(events, rows)["date_only"].all()
    noted = "notes" in events.attrs
    assert noted == ("vent" in text) and (not noted or "'announced_at'" in events.attrs["notes"][0])


@pytest.mark.parametrize(
    "text",
    [
        "id,announced_at\na,2025-04-02 00:00:00\nb,2025-04-03T09:30:00\n",
        "id,announced_at,time_basis\na,2025-04-02T00:00:00-04:00,exact\n",
    ],
)
def test_a_midnight_among_hours_or_called_exact_is_an_hour(tmp_path, text):
    events = load_events(own(tmp_path, text))
    assert events.loc["a", "time_basis"] == "exact" and "00:00" in events.loc["a", "announced_at"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,announced_at,event\n2025-04-02,2025-04-03,a\n", "a"),
        ("date,Date,event\n2025-04-02,2025-04-02,a\n", "no column 'announced_at'"),
        ("id,announced_at,\na,2025-04-02,x\n", "column 3 of own.csv has no name"),
        (
            "id,announced_at\na,9 Mai 2025\n",
            "line 2: '9 Mai 2025' is not an ISO date, nor one with",
        ),
        ("id,announced_at\na,31 April 2025\n", "line 2: '31 April 2025'"),
    ],
)
def test_what_stays_unclear_is_refused_or_left_as_it_is(tmp_path, text, message):
    if message == "a":
        events = load_events(own(tmp_path, text))  # a column date beside announced_at is one's own
        assert events.loc["a", "announced_at"] == "2025-04-03"
        assert events.loc["a", "date"] == "2025-04-02"
        return
    with pytest.raises(EventError, match=message):
        load_events(own(tmp_path, text))


def test_a_frame_of_dates_and_events():
    frame = pd.DataFrame(
        {"Date": ["2025-05-02", "9 May 2025"], "event": ["a", "b"], "size": [1, 2]}
    )
    events = as_events(frame)
    assert events.index.to_list() == ["a", "b"] and events["size"].to_list() == [1, 2]
    assert events["announced_at"].to_list() == ["2025-05-02", "2025-05-09"]
    assert (
        "column 'Date' was read as 'announced_at' and 'event' as 'id'" in events.attrs["notes"][0]
    )
    # Where the index holds the ids, or sessions are given, a column of that name is one's own.
    named = as_events(frame.set_index(pd.Index(["x", "y"], name="id")))
    assert named.index.to_list() == ["x", "y"] and named["event"].to_list() == ["a", "b"]
    placed = as_events(frame.assign(session=["2025-05-02", "2025-05-05"]))
    assert placed["Date"].to_list() == ["2025-05-02", "9 May 2025"]
    assert "notes" not in frame.attrs


@pytest.mark.parametrize(
    "column",
    [
        ["2025-05-02 00:00:00", "2025-05-09 00:00:00"],
        pd.to_datetime(["2025-05-02", "2025-05-09"]).tz_localize("Asia/Tokyo"),
        pd.to_datetime(["2025-05-02", "2025-05-09"]).tz_localize("UTC"),
        pd.to_datetime(["2025-05-02", "2025-05-09"]),
    ],
)
def test_a_column_of_midnights_holds_dates(column):
    events = as_events(pd.DataFrame({"announced_at": column}))
    assert events["announced_at"].to_list() == ["2025-05-02", "2025-05-09"]
    series = as_events(pd.Series(column, index=["a", "b"]))
    assert series["announced_at"].to_dict() == {"a": "2025-05-02", "b": "2025-05-09"}


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("hour", [16, 9], r"times of day in column 'hour' of the events \(16\) are apart"),
        ("Hour", ["16:05", None], r"'Hour' of the events \(16:05\)"),
    ],
)
def test_an_hour_beside_a_date_is_refused_not_lost(column, values, said):
    frame = pd.DataFrame({"announced_at": ["2025-05-02", "2025-05-09"], column: values})
    with pytest.raises(EventError, match=said):
        as_events(frame)
    assert len(as_events(frame.assign(**{column: [2024, -1]}))) == 2


@pytest.mark.parametrize("column", ["timezone", "TZ", "Time zone"])
def test_a_zone_beside_a_clock_time_is_refused_not_lost(column):
    times = ["2025-05-02T22:05", "2025-05-09"]
    frame = pd.DataFrame({"announced_at": times, column: ["Europe/Berlin", "Europe/Berlin"]})
    with pytest.raises(
        EventError, match=rf"'{column}' of the events \(Europe/Berlin\) is not read"
    ):
        as_events(frame)
    for harmless in (
        frame.assign(**{column: ["America/New_York", "Europe/Berlin"]}),
        frame.assign(**{column: ["ET", None]}),
        frame.assign(announced_at=["2025-05-02T22:05+02:00", "2025-05-09"]),
        frame.assign(announced_at=["2025-05-02", "2025-05-09"]),
    ):
        assert as_events(harmless)["announced_at"].to_list() == harmless["announced_at"].to_list()
    aware = pd.to_datetime(["2025-05-02T22:05", "2025-05-09T12:00"]).tz_localize("Europe/Berlin")
    assert len(as_events(frame.assign(announced_at=aware))) == 2


def test_the_pieces():
    assert renamed(["date", "DATE", "event"]) == {"event": "id"}
    assert renamed(["event", "id", "announced_at"]) == {}
    assert without_empty_columns([(1, ["a", "", "b", ""]), (2, ["", "", "", ""])]) == [
        (1, ["a", "", "b"]),
        (2, ["", "", ""]),
    ]
    assert as_iso(["2025-04-02T13:18", "soon", ""]) == ["2025-04-02T13:18", "soon", ""]


def test_ids_labels_and_dates_are_one_list_of_events():
    names = ["Geneva truce: 145 to 30%", "2025-05-09", "liberation-day", "May 2, 2025"]
    events = as_events(names)
    assert events.index.to_list() == ["geneva-truce", "2025-05-09", "liberation-day", "2025-05-02"]
    assert events["from_catalogue"].to_list() == [True, False, True, False]
    assert events["news"].dtype == events["included"].dtype == bool
    assert events["direction"].to_list() == ["de-escalation", "", "escalation", ""]
    pd.testing.assert_frame_equal(
        as_events(names[::2]).drop(columns="from_catalogue"),
        load_events(included=None).loc[["geneva-truce", "liberation-day"]],
        check_index_type=False,
    )


# -- Excel ---------------------------------------------------------------------------------------


def workbook(folder, rows, name="own.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def test_a_workbook_of_events_is_read_as_the_same_csv(tmp_path):
    rows = [
        ["Date", "Event", "security", "size", "included", None],
        [dt.datetime(2025, 4, 2), "a", 10107, 1.5, True, None],
        [dt.datetime(2025, 4, 3), "b", 10145.0, None, "yes", None],
        [None] * 6,
        ["9 May 2025", "c", "AAPL ", -2, False, None],
    ]
    found = load_events(workbook(tmp_path, rows), included=None)
    text = (
        "Date,Event,security,size,included\n2025-04-02,a,10107,1.5,yes\n2025-04-03,b,10145,,yes\n"
        "2025-05-09,c,AAPL,-2,no\n"
    )
    expected = load_events(own(tmp_path, text), included=None)
    pd.testing.assert_frame_equal(found, expected)
    assert found.attrs["source"] == "own.xlsx" and found.attrs["notes"] == expected.attrs["notes"]


def test_times_of_a_workbook_are_new_york_times(tmp_path):
    rows = [["id", "announced_at"], ["a", dt.datetime(2025, 4, 2, 16, 5)], ["b", "2025-04-03"]]
    events = load_events(workbook(tmp_path, rows))
    assert events["announced_at"].to_list() == ["2025-04-02T16:05:00", "2025-04-03"]
    days = pd.bdate_range("2025-03-20", "2025-04-17")
    assert list(align(events, days, window=(0, 1))["session"].dt.day) == [3, 3]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty"),
        ([["id", "announced_at"]], "has a header and no events"),
        ([["id", "when"], ["a", "2025-04-02"]], "no column 'announced_at'"),
        ([["id", "announced_at"], ["a", 45749]], "line 2: '45749'|line 2: 45749"),
        ([["id", "announced_at"], ["a", "2025-04-02", "x"]], "column 3 of own.xlsx has no name"),
        ([["id", "announced_at"], [None, "2025-04-02"]], "line 2: the id is empty"),
    ],
)
def test_a_workbook_that_is_wrong_names_its_line(tmp_path, rows, message):
    with pytest.raises(EventError, match=message):
        load_events(workbook(tmp_path, rows))


def test_other_files_of_a_spreadsheet_are_refused(tmp_path, monkeypatch):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf")
    (tmp_path / "none.xlsx").write_bytes(b"no workbook")
    with pytest.raises(EventError, match=r"old\.xls is of the old Excel format: save it as \.xlsx"):
        load_events(tmp_path / "old.xls")
    with pytest.raises(EventError, match=r"none\.xlsx is not an Excel workbook"):
        load_events(tmp_path / "none.xlsx")
    with pytest.raises(EventError, match="cannot be read"):
        load_events(tmp_path / "away.xlsx")
    path = workbook(tmp_path, [["id", "announced_at"], ["a", "2025-04-02"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(EventError, match=r"pip install 'tariff-impact\[office\]'"):
        load_events(path)


def test_a_column_called_security_in_capitals_is_the_security(tmp_path):
    events = load_events(own(tmp_path, "id,announced_at,Security\na,2025-04-02,AAPL\n"))
    assert events["security"].to_list() == ["AAPL"]
    assert "column 'Security' was read as 'security'" in events.attrs["notes"][0]


def test_a_time_between_two_bounds_is_approximate_unless_it_is_called_exact(tmp_path):
    rows = "a,2025-05-08T10:59,2025-05-08T09:00,2025-05-08T11:05,{}\n"
    header = "id,announced_at,not_before,not_after,time_basis\n"
    for given, read in (("", "approximate"), ("exact", "exact")):
        events = load_events(own(tmp_path, header + rows.format(given)))
        assert events["time_basis"].item() == read
