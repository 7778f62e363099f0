"""The catalogue: counts and facts counted by hand, filters against plain loops, bad files."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from impact.errors import DateError, EventError
from impact.market.files import data_path
from impact.news.catalogue import COLUMNS, load_events

GOOD = {
    "id": "liberation-day",
    "announced_at": "2025-04-02T16:00:00-04:00",
    "time_basis": "approximate",
    "not_before": "",
    "not_after": "",
    "label": "Liberation Day",
    "direction": "escalation",
    "counterparty": "CN;ALL",
    "rate_before": "0.20",
    "rate_after": "0.54",
    "china_dose_pp": "34",
    "news": "yes",
    "included": "yes",
}


def write(folder: Path, *rows: dict, header=tuple(GOOD)) -> Path:
    path = folder / "own.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def plain() -> list[dict]:
    """The committed file through the csv module alone."""
    with data_path("events.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- the committed catalogue ---------------------------------------------------------------------


def test_counts_of_the_committed_catalogue():
    everything = load_events(included=None)
    assert len(everything) == 156
    assert len(load_events()) == everything["included"].sum() == 143
    assert len(load_events(included=False)) == 13
    assert (~everything["news"]).sum() == 10
    assert everything["time_basis"].value_counts().to_dict() == {
        "approximate": 69,
        "exact": 62,
        "date-only": 25,
    }
    assert (everything["announced_at"] < "2018").sum() == 3
    assert (
        load_events(tags="core").index
        == [
            "ieepa-fentanyl-orders",
            "china-10pct-effective",
            "liberation-day",
            "ninety-day-pause",
            "china-145-clarified",
            "mofcom-evaluating",
            "wsj-fentanyl-overture",
            "geneva-truce",
            "massive-increase-post",
            "busan-summit",
            "scotus-ieepa-ruling",
        ]
    ).all()


def test_values_and_dtypes():
    events = load_events()
    row = events.loc["liberation-day"]
    assert row["announced_at"] == "2025-04-02T16:26:00-04:00"
    assert (row["rate_before"], row["rate_after"], row["china_dose_pp"]) == (0.20, 0.54, 34)
    assert (*events.columns,) == COLUMNS[1:]
    assert events.index.name == "id"
    floats = {"rate_before", "rate_after", "china_dose_pp"}
    for name, dtype in events.dtypes.items():
        expected = float if name in floats else bool if name in {"news", "included"} else "str"
        assert dtype == expected, name
    assert not events.drop(columns=list(floats)).isna().any().any()
    assert np.isnan(events.loc["smoot-hawley-signed-1930", "rate_after"])
    assert events["label"].str.len().max() <= 28


def test_bounds_enclose_the_announcements_whose_minute_is_not_known():
    events = load_events(included=None)
    bounded = events[(events["not_before"] != "") | (events["not_after"] != "")]
    assert (
        len(bounded) == 28
        and ((bounded["not_before"] != "") & (bounded["not_after"] != "")).sum() == 14
    )
    ministry = events.loc["mofcom-evaluating"]
    assert (ministry["announced_at"], ministry["time_basis"]) == ("2025-05-02", "date-only")
    assert ministry["not_before"] == "2025-05-01T20:00:00-04:00"  # the evening before in New York
    assert ministry["not_after"] == "2025-05-01T22:55:00-04:00"
    timed = bounded[bounded["time_basis"] != "date-only"]
    at = pd.to_datetime(timed["announced_at"], utc=True)
    for bound, sign in (("not_before", 1), ("not_after", -1)):
        given = timed[bound] != ""
        apart = sign * (at - pd.to_datetime(timed[bound].where(given), utc=True))
        assert (apart[given] >= pd.Timedelta(0)).all()


def test_source_and_hash_are_those_of_the_file():
    content = data_path("events.csv").read_bytes()
    assert load_events(counterparty="EU").attrs == {
        "source": "events.csv",
        "hash": hashlib.sha256(content).hexdigest()[:12],
    }


def test_callers_cannot_reach_the_cache():
    first = load_events(included=None)
    untouched = first.copy(deep=True)
    first.loc["liberation-day", "label"] = "changed"
    first["news"] = False
    first.loc[:, "rate_after"] = 9.0
    first.attrs["hash"] = "changed"
    pd.testing.assert_frame_equal(load_events(included=None), untouched)
    assert load_events().attrs == untouched.attrs


# -- filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("counterparty", "CN"),
        ("counterparty", ["EU", "MX"]),
        ("direction", "talks"),
        ("instrument", ["IEEPA", "Section 232"]),
        ("status", ("ruling",)),
        ("tags", "core"),
    ],
)
def test_a_filter_keeps_the_rows_that_hold_a_member(plain, column, values):
    wanted = [values] if isinstance(values, str) else values
    expected = [
        row["id"]
        for row in plain
        if row["included"] == "yes" and any(value in row[column].split(";") for value in wanted)
    ]
    assert 0 < len(expected) < 143
    assert load_events(**{column: values}).index.to_list() == expected


def test_since_and_until_are_new_york_dates_both_included():
    chosen = load_events(since="2025-04-02", until=pd.Timestamp("2025-04-04"))
    assert chosen.index.to_list() == ["liberation-day", "china-34-retaliation"]
    assert load_events(since="2027-01-01").empty


def test_filters_are_joined_by_and():
    chosen = load_events(
        counterparty="CN", direction="talks", until="2025-05-02", since="2025-05-01"
    )
    assert chosen.index.to_list() == ["mofcom-evaluating", "wsj-fentanyl-overture"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"counterparty": "cn"}, r"no event has counterparty='cn': use 'CN', "),
        ({"counterparty": ["CN", "China"]}, "counterparty='China'"),
        ({"direction": "escalate"}, "use 'escalation', 'de-escalation'"),
        ({"instrument": "section 301"}, "use 'Section 301'"),
        ({"status": ""}, "no event has status=''"),
        ({"tags": "main"}, "tags='main': use 'core'"),
        ({"tags": []}, "selects nothing"),
        ({"direction": 7}, "is not a text or a list"),
        ({"direction": [7]}, "direction=7"),
        ({"included": "yes"}, "included='yes' is not known: True"),
        ({"since": "2025-05-02", "until": "2025-05-01"}, "lies after until=2025-05-01: exchange"),
        ({"since": "02/05/2025"}, "02/05/2025"),
        ({"until": "soon"}, "soon"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(filters, message):
    with pytest.raises(EventError, match=message):
        load_events(**filters)


def test_an_unknown_filter_value_lists_every_known_one(plain):
    with pytest.raises(EventError) as error:
        load_events(status="anounced")
    for value in {row["status"] for row in plain}:
        assert repr(value) in str(error.value)
    assert str(error.value).index("'announced'") < str(error.value).index("'ruling'")


# -- rows that break a rule ----------------------------------------------------------------------


def test_a_good_row_is_read(tmp_path):
    assert load_events(write(tmp_path, GOOD)).index.to_list() == ["liberation-day"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "the id is empty"),
        ({"announced_at": ""}, ""),
        ({"announced_at": "tomorrow"}, "tomorrow"),
        ({"announced_at": "02/05/2025", "time_basis": "date-only"}, "02/05/2025"),
        ({"announced_at": "2025-02-30", "time_basis": "date-only"}, "2025-02-30"),
        ({"announced_at": "2025-04-02T16:00:00-05:00"}, "write 2025-04-02T17:00:00-04:00"),
        ({"announced_at": "2025-04-02T20:00:00+00:00"}, "write 2025-04-02T16:00:00-04:00"),
        ({"announced_at": "2025-01-02T16:00:00-04:00"}, "New York's offset"),
        ({"announced_at": "2025-04-02"}, "has no time of day, yet time_basis is 'approximate'"),
        ({"time_basis": "date-only"}, "has a time of day, yet time_basis is 'date-only'"),
        ({"not_before": "noon"}, "not_before: 'noon' is not an ISO date"),
        ({"not_after": "2025-04-02"}, "not_after 2025-04-02 has no time of day"),
        (
            {
                "announced_at": "2025-04-02",
                "time_basis": "date-only",
                "not_before": "2025-04-02T16:30",
                "not_after": "2025-04-02T16:10",
            },
            "lies after not_after 2025-04-02T16:10: exchange them",
        ),
        ({"not_before": "2025-04-02T17:00"}, "lies after announced_at"),
        ({"not_after": "2025-04-02T15:00"}, "lies after not_after 2025-04-02T15:00"),
        ({"time_basis": "roughly"}, "time_basis is 'roughly': use exact, approximate or"),
        ({"label": "L" * 29}, "has 29 characters, 28 are allowed"),
        ({"direction": "escalate"}, "the direction 'escalate' is unknown: use escalation, "),
        ({"rate_before": "20%"}, "rate_before is '20%', which is not a number"),
        ({"rate_after": "54"}, "rate_after is '54', which is not a fraction: 145% is 1.45"),
        ({"rate_after": "10"}, "rate_after is '10', which is not a fraction: 145% is 1.45"),
        ({"rate_before": "10.0"}, "not a fraction"),
        ({"rate_after": "-0.1"}, "not a fraction"),
        ({"rate_after": "nan"}, "not a finite number"),
        ({"china_dose_pp": "1_000"}, "china_dose_pp is '1_000', which is not a number"),
        ({"china_dose_pp": "１０"}, "china_dose_pp is '１０', which is not a number"),
        ({"china_dose_pp": "inf"}, "not a finite number"),
        ({"news": "True"}, "news is 'True': write yes or no"),
        ({"included": "maybe"}, "included is 'maybe': write yes or no"),
        (
            {"not_before": "2025-04-02"},
            "not_before 2025-04-02 has no time of day: write 2025-04-02T",
        ),
        ({"not_after": "four"}, "not_after: 'four' is not an ISO date"),
        (
            {"not_before": "2025-04-02T16:30-04:00"},
            "not_before 2025-04-02T16:30-04:00 lies after announced_at 2025-04-02T16:00:00-04:00",
        ),
        (
            {"not_after": "2025-04-02T15:30-04:00"},
            "announced_at 2025-04-02T16:00:00-04:00 lies after not_after 2025-04-02T15:30-04:00",
        ),
        (
            {
                "announced_at": "2025-04-02",
                "time_basis": "date-only",
                "not_before": "2025-04-02T17:00-04:00",
                "not_after": "2025-04-02T16:00-04:00",
            },
            "not_before 2025-04-02T17:00-04:00 lies after not_after 2025-04-02T16:00-04:00",
        ),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_with_its_line(tmp_path, change, message):
    second = {**GOOD, "id": "second", **change}
    with pytest.raises(EventError, match=r"own\.csv has 1 problem:\n  line 3: ") as error:
        load_events(write(tmp_path, GOOD, second))
    assert message in str(error.value)


def test_all_problems_are_reported_at_once_in_the_order_of_the_lines(tmp_path):
    rows = [
        {**GOOD, "direction": "up", "news": "1"},
        {**GOOD, "id": "spread", "label": "over\ntwo lines"},
        GOOD,
        {**GOOD, "id": "late", "announced_at": "9 April"},
    ]
    with pytest.raises(EventError) as error:
        load_events(write(tmp_path, *rows))
    first, *rest = str(error.value).splitlines()
    assert first == "own.csv has 4 problems:"
    assert [line.strip()[:7] for line in rest] == ["line 2:", "line 2:", "line 5:", "line 6:"]
    assert rest[2].endswith("the id 'liberation-day' already stands on line 2")


def test_a_row_with_too_few_fields(tmp_path):
    path = write(tmp_path, GOOD)
    path.write_text(path.read_text() + "short,2025-04-02\n")
    with pytest.raises(EventError, match="line 3: 2 fields where the header has 13"):
        load_events(path)


# -- files that are no catalogue -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: it needs the columns id and announced_at"),
        (b"\n \n", "is empty"),
        (b"id,announced_at\n", "has a header and no events"),
        (b"id,when\na,2025-04-02\n", "has no column 'announced_at'; its header is id, when"),
        (b"a,2025-04-02\n", "has no column 'id' or 'announced_at'"),
        (b"id;announced_at\na;2025-04-02\n", "separate the columns by commas"),
        (b"id,announced_at,id\na,2025-04-02,b\n", "two columns 'id'"),
        (b"id,announced_at,\na,2025-04-02,b\n", "column 3 of own.csv has no name"),
        (b"id,announced_at,directon\na,2025-04-02,talks\n", "did you mean 'direction'"),
        (b"id,announced_at\na,2025-04-02\n\xe9,2025-04-03\n", r"not UTF-8 \(line 3\)"),
        ("id,announced_at\na,2025-04-02\n".encode("utf-16"), "not UTF-8"),
        (b'id,announced_at\n"a,2025-04-02\n', "line 2 of own.csv is not CSV"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, content, message):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(EventError, match=message):
        load_events(path)
    assert path.read_bytes() == content


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(EventError, match=r"nowhere\.csv cannot be read"):
        load_events(tmp_path / "nowhere.csv")
    with pytest.raises(EventError, match="cannot be read"):
        load_events(tmp_path)


# -- a file of one's own -------------------------------------------------------------------------


def test_a_column_of_ones_own_may_be_named_nearly_as_one_that_is_there(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("id,announced_at,title,titles\na,2025-04-02,one,two\n")
    assert load_events(path).loc["a", ["title", "titles"]].to_list() == ["one", "two"]


def test_two_columns_are_enough(tmp_path):
    path = tmp_path / "own.csv"
    # A byte order mark, Windows line ends and a blank line, as spreadsheets write them.
    path.write_bytes(
        b"\xef\xbb\xbfid,announced_at,security\r\n"
        b"a-name-that-is-far-too-long-for-a-chart,2025-04-02,XLK\r\n\r\nb,2025-04-03T08:30,\r\n"
    )
    events = load_events(str(path))
    assert events["time_basis"].to_list() == ["date-only", "exact"]
    assert events["label"].to_list() == ["a-name-that-is-far-too-long…", "b"]
    assert events["news"].all() and events["included"].all()
    assert events[["rate_before", "rate_after", "china_dose_pp"]].isna().all().all()
    assert (events[["direction", "counterparty", "tags", "summary"]] == "").all().all()
    assert events["security"].to_list() == ["XLK", ""]
    assert events.attrs["source"] == "own.csv"
    with pytest.raises(EventError, match="tags='core': the column is blank"):
        load_events(path, tags="core")


def test_own_file_is_read_anew_each_time(tmp_path):
    path = write(tmp_path, GOOD)
    load_events(path)
    write(tmp_path, {**GOOD, "id": "another"})
    assert load_events(path).index.to_list() == ["another"]


def test_dates_are_refused_with_the_error_of_dates():
    with pytest.raises(DateError):
        load_events(since="04/02/2025")
