"""When within the day something came out: exact, between two instants, about then, or unknown."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import DateError, EventError
from impact.news.catalogue import load_events
from impact.news.events import as_events
from impact.news.minutes import (
    announcement_minutes,
    known_minutes,
    release_minutes,
    release_words,
)


def read(**columns):
    return announcement_minutes(as_events(pd.DataFrame({k: [v] for k, v in columns.items()}))).iloc[
        0
    ]


def at(text):
    return pd.Timestamp(f"2025-05-{text}")


@pytest.mark.parametrize(
    ("row", "minute", "earliest", "latest"),
    [
        ({"announced_at": "2025-05-08T10:59"}, "exact", "08 10:59", "08 10:59"),
        ({"announced_at": "2025-05-08T14:59Z"}, "exact", "08 10:59", "08 10:59"),
        (
            {
                "announced_at": "2025-05-08T10:59",
                "time_basis": "exact",
                "not_after": "2025-05-08T11:30",
            },
            "exact",
            "08 10:59",
            "08 10:59",
        ),
        (
            {"announced_at": "2025-05-08T10:59", "time_basis": "approximate"},
            "approximate",
            "08 10:29",
            "08 11:29",
        ),
        (
            {
                "announced_at": "2025-05-08T10:59",
                "time_basis": "approximate",
                "not_before": "",
                "not_after": "2025-05-08T11:05-04:00",
            },
            "approximate",
            "08 10:29",
            "08 11:05",
        ),
        (
            {
                "announced_at": "2025-05-08T10:59",
                "time_basis": "approximate",
                "not_before": "2025-05-08T09:00",
                "not_after": "2025-05-08T11:05",
            },
            "bounded",
            "08 09:00",
            "08 11:05",
        ),
        (
            {
                "announced_at": "2025-05-02",
                "not_before": "2025-05-01T20:00-04:00",
                "not_after": "2025-05-01T22:55-04:00",
            },
            "bounded",
            "01 20:00",
            "01 22:55",
        ),
        (
            {
                "announced_at": "2025-05-08T10:59",
                "not_before": "2025-05-08T09:00",
                "not_after": "2025-05-08T11:05",
            },
            "bounded",
            "08 09:00",
            "08 11:05",
        ),
    ],
)
def test_the_basis_and_the_bounds_decide(row, minute, earliest, latest):
    found = read(**row)
    assert found["minute"] == minute
    assert (found["earliest"], found["latest"]) == (at(earliest), at(latest))


def test_a_date_alone_has_no_hour():
    for row in ({}, {"not_before": "2025-05-02T08:55"}, {"not_before": None, "not_after": None}):
        found = read(announced_at="2025-05-02", **row)
        assert found["minute"] == "" and pd.isna(found["earliest"]) and pd.isna(found["at"])


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"not_before": "02/05/2025 09:00"}, DateError, "event '2025-05-02': .* 2025-05-02"),
        ({"not_before": "2025-05-02"}, DateError, "bound 2025-05-02 has no time of day"),
        (
            {"not_before": "2025-05-02T10:00", "not_after": "2025-05-02T09:00"},
            EventError,
            "not_before lies after not_after: exchange them",
        ),
        ({"time_basis": "roughly"}, EventError, "time_basis is 'roughly': use exact, approximate"),
    ],
)
def test_bounds_that_cannot_be_read_are_named(row, error, message):
    with pytest.raises(error, match=message):
        read(announced_at="2025-05-02", **row)


@pytest.mark.parametrize("basis", ["exact", "approximate", ""])
@pytest.mark.parametrize(
    "bound", [{"not_before": "2025-05-02T11:00"}, {"not_after": "2025-05-02T09:00"}]
)
def test_a_time_outside_its_own_bounds_is_refused(basis, bound):
    with pytest.raises(EventError, match="T10:00 lies outside not_before and not_after"):
        read(announced_at="2025-05-02T10:00", time_basis=basis, **bound)


def test_the_catalogue_bounds_the_two_announcements_of_2_may():
    known = known_minutes()
    story = known.loc["wsj-fentanyl-overture"]
    assert story["minute"] == known.loc["mofcom-evaluating", "minute"] == "bounded"
    assert (story["earliest"], story["latest"]) == (at("02 08:55"), at("02 15:59:59"))
    counts = announcement_minutes(load_events(included=None))["minute"].value_counts()
    assert counts["exact"] == 62


def test_releases_stand_at_their_minute():
    table = release_minutes()
    assert table["at"].is_monotonic_increasing
    day = table[table["at"].dt.normalize() == pd.Timestamp("2025-07-30")]
    assert day["release"].to_list() == ["FOMC"] and day["at"].item().hour == 14
    assert set(table.loc[table["release"] != "FOMC", "at"].dt.strftime("%H:%M")) == {"08:30"}


@pytest.mark.parametrize(
    ("release", "day", "words"),
    [
        ("payrolls", "2025-05-02", "payrolls (177 thousand; 138 expected)"),
        ("payrolls", "2026-03-06", "payrolls (−92 thousand; 58 expected)"),
        (
            "payrolls",
            "2025-12-16",
            "payrolls (64 thousand; 40 expected); payrolls (−105 thousand)",
        ),
        ("payrolls", "2018-01-05", "payrolls (148 thousand; 190 expected, as printed afterwards)"),
        ("CPI", "2025-04-10", "consumer prices (2.4% on the year; 2.5 expected)"),
        ("FOMC", "2025-12-10", "Fed rate (3.75%; 3.75 expected)"),
        ("CPI", "2019-05-10", "consumer prices"),
        ("ISM", "2025-05-01", "ISM"),
    ],
)
def test_a_release_says_what_it_brought_and_what_was_expected(release, day, words):
    assert release_words(release, pd.Timestamp(day)) == words


def test_a_release_whose_figure_is_not_known_has_its_name_alone(monkeypatch):
    """The forecast of a month may be kept before its figure is out."""
    index = pd.MultiIndex.from_tuples([("2025-05-02", "payrolls", "payrolls")])
    known = {"actual": [np.nan], "consensus": [138.0], "consensus_known_before": ["yes"]}
    table = pd.DataFrame(known, index)
    monkeypatch.setattr("impact.news.minutes._surprises", lambda digest: table)
    assert release_words("payrolls", pd.Timestamp("2025-05-02")) == "payrolls"
