"""What else happened, typed from the sources, and the flags against slow loops."""

import pandas as pd

from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.surroundings import covered_spans, releases_on

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


# -- facts ---------------------------------------------------------------------------------------


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


def test_a_release_after_the_last_day_that_is_known_leaves_the_next_one_unknown():
    """Prices of 12 August 2026 came out when Tokyo had closed: it reacts a day later."""
    days = pd.bdate_range("2026-08-06", "2026-08-14")
    found = releases_on(days, ("Asia/Tokyo", "15:30"))
    assert found.to_list() == ["", "", "payrolls", "", "", "not checked", "not checked"]


def test_releases_cannot_reach_the_cache(sessions):
    releases = releases_on(sessions)
    untouched = releases.copy(deep=True)
    releases.iloc[:] = "changed"
    pd.testing.assert_series_equal(releases_on(sessions), untouched)


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
