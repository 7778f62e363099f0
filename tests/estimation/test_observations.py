"""Which events have room for their windows, and what is said of those that have none."""

import numpy as np
import pandas as pd

from impact.study.event_study import event_study

DAYS = pd.bdate_range("2024-01-01", periods=100)
RETURNS = pd.DataFrame(
    0.01 * np.random.default_rng(0).standard_normal((100, 2)), DAYS, ["S0", "S1"]
)


def studied(rows, **columns):
    """The study of events in some rows; one in the row of another before it is called later."""
    ids = [f"{'later' if row in rows[:i] else 'row'} {row}" for i, row in enumerate(rows)]
    events = pd.DataFrame({"session": DAYS[rows], "id": ids, **columns})
    return event_study(
        RETURNS,
        events,
        estimation=(-30, -6),
        window=(-2, 2),
        min_observations=20,
        volatility=None,
        kind="simple",
    )


def test_windows_may_reach_the_first_and_the_last_return_and_not_beyond():
    study = studied([29, 30, 97, 98, 99])
    assert study.alignment.index.to_list() == ["row 30", "row 97"]
    assert study.dropped.set_index("event")["reason"].to_dict() == {
        "row 29": f"the estimation window (-30, -6) of session {DAYS[29]:%Y-%m-%d} needs 30 "
        "earlier sessions, the returns have 29 (first: 2024-01-01)",
        "row 98": f"the event window (-2, 2) of session {DAYS[98]:%Y-%m-%d} ends 1 session after "
        f"the last return ({DAYS[99]:%Y-%m-%d}): use a window that ends at 1",
        "row 99": f"the event window (-2, 2) of session {DAYS[99]:%Y-%m-%d} ends 2 sessions after "
        f"the last return ({DAYS[99]:%Y-%m-%d}): use a window that ends at 0",
    }


def test_announcements_of_one_session_are_one_unit_that_keeps_what_each_says():
    units = studied(
        [50, 60, 50],
        label=["first", "alone", "second"],
        note=["a", "b", "c"],
        remark=["d", None, None],
        dose=[1.0, 5.0, 2.5],
        part=[np.nan, 5.0, 2.5],
        sure=[False, False, True],
    ).alignment
    assert units.columns[:2].to_list() == ["label", "announcements"]
    assert units["announcements"].to_list() == [("row 50", "later 50"), ("row 60",)]
    assert units["label"].to_list() == ["first; second", "alone"]
    assert units["note"].to_list() == ["a; c", "b"]
    assert units["dose"].to_list() == [3.5, 5.0] and units["part"].to_list() == [2.5, 5.0]
    assert units["remark"].iloc[0] == "d" and pd.isna(units["remark"].iloc[1])
    assert units["sure"].to_list() == [True, False]


def test_a_text_that_two_announcements_share_stands_once():
    units = studied([50, 50], note=["a", "a"], dose=[np.nan, np.nan]).alignment
    assert units["note"].item() == "a" and np.isnan(units["dose"].item())


def test_what_can_be_neither_added_nor_joined_is_that_of_the_first_announcement():
    units = studied(
        [60, 50, 50],
        sector=pd.Categorical(["z", "x", "y"]),
        published=pd.to_datetime(["2024-03-01", "2024-03-02", "2024-03-03"]),
        sources=[["r"], ["p"], ["q"]],
    ).alignment
    assert units["sector"].to_list() == ["z", "x"]
    assert units["published"].dt.day.to_list() == [1, 2]
    assert units["sources"].to_list() == [["r"], ["p"]]


def test_each_row_that_is_left_out_stands_with_its_own_id_and_security():
    study = studied([50, 2, 60], security=["S0", "S1", "S1"])
    assert study.dropped[["event", "security"]].values.tolist() == [["row 2", "S1"]]
    lost = event_study(
        RETURNS,
        pd.DataFrame({"announced_at": ["2024-03-11", "2031-01-06"], "id": ["in", "late"]}),
        estimation=(-30, -6),
        min_observations=20,
        volatility=None,
        kind="simple",
        market="NYSE",
    ).dropped
    assert lost["event"].to_list() == ["late"]


def test_events_of_other_sessions_and_securities_are_other_units():
    for rows, security, expected in (
        ([49, 50], ["S1", None], [("row 49", "S1"), ("row 50", "S0"), ("row 50", "S1")]),
        ([50, 53], ["S1", "S0"], [("row 50", "S1"), ("row 53", "S0")]),
    ):
        study = studied(rows, security=pd.array(security, dtype="str"))
        assert study.alignment["announcements"].map(len).to_list() == [1, 1]
        assert study.fit.index.to_list() == expected
