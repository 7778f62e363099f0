"""The share of the news in half hours: slow loops, simulations with a known share, bad input."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy

import impact
from impact.analysis.announcement_set import moved_rows
from impact.analysis.news_share_minutes import compared
from impact.analysis.news_variance import CUT, clock_share_of
from impact.analysis.window_ranks import ranked_windows
from impact.errors import EventError, InferenceError
from impact.inference.clusters import clusters
from impact.inference.measured_sizes import choice_in_words, share_misses_in_words

#: Minutes of 2025 that sources gave after the first list was made.
PINNED = ["china-deal-done-post", "july-7-letters", "brazil-50-letter", "japan-deal"]
PINNED += ["china-100-threat"]


@pytest.fixture(scope="module")
def study():
    return impact.intraday_study(impact.load_bars(), impact.load_events(since="2025-01-01"))


@pytest.fixture(scope="module")
def found(study):
    return impact.news_share(study)


def simulated(rng, ratio, sessions=250, n=22, missing=0.1):
    """z with holes, of variance .8; that of one session in each column is larger by `ratio`."""
    z = np.sqrt(0.8) * rng.standard_normal((sessions, n))
    rows = np.sort(rng.choice(sessions, n, replace=False))
    z[rows, np.arange(n)] *= np.sqrt(ratio)
    holes = rng.random(z.shape) < missing
    holes[rows, np.arange(n)] = False
    z[holes] = np.nan
    return z, rows, ~np.isin(np.arange(sessions), rows)


# -- arrays --------------------------------------------------------------------------------------


def test_share_interval_and_p_are_those_of_slow_loops():
    z, rows, others = simulated(np.random.default_rng(3), 4.0, sessions=120, n=12)
    test = clock_share_of(np.minimum(z**2, CUT), rows, others)

    def square(row, column):
        return min(z[row, column] ** 2, CUT)

    def ordinary(days):
        """Mean over the windows of the mean over the days that have each."""
        of_each = [
            [square(day, column) for day in days if not np.isnan(z[day, column])]
            for column in range(len(rows))
        ]
        return np.mean([np.mean(values) for values in of_each])

    days = [day for day in range(len(z)) if others[day]]
    own = [square(row, column) for column, row in enumerate(rows)]
    ratio = np.mean(own) / ordinary(days)
    assert test.statistic == pytest.approx(ratio, rel=1e-12)
    assert test.detail["share"] == pytest.approx(1 - 1 / ratio, rel=1e-12)

    def jackknife(logs):
        return (len(logs) - 1) / len(logs) * sum((one - np.mean(logs)) ** 2 for one in logs)

    group = clusters(rows).tolist()
    ours = [
        np.log(np.mean([one for one, g in zip(own, group, strict=True) if g != left]))
        for left in range(max(group) + 1)
    ]
    blocks = [days[at : at + 6] for at in range(0, len(days), 6)]
    theirs = [np.log(ordinary([day for day in days if day not in left])) for left in blocks]
    error = np.sqrt(jackknife(ours) + jackknife(theirs))
    reach = scipy.stats.t.ppf(0.975, max(group)) * error
    for end, sign in (("ci_low", -1), ("ci_high", 1)):
        share = max(0, 1 - np.exp(-np.log(ratio) - sign * reach))
        assert test.detail[end] == pytest.approx(share, rel=1e-10)
    circles = [[day for day in range(len(z)) if not np.isnan(z[day, c])] for c in range(len(rows))]
    means = []
    for shift in range(max(map(len, circles))):
        if shift and any(shift % len(circle) == 0 for circle in circles):
            continue
        places = [
            circle[(circle.index(row) + shift) % len(circle)]
            for circle, row in zip(circles, rows, strict=True)
        ]
        means.append(np.mean([square(day, column) for column, day in enumerate(places)]))
    assert test.p_value == (1 + sum(one >= means[0] for one in means[1:])) / len(means)


def test_the_interval_holds_a_known_share_and_p_is_small_only_by_chance():
    rng = np.random.default_rng(4)
    held, small = [], []
    for _ in range(250):
        z, rows, others = simulated(rng, 4.0, n=15)
        detail = clock_share_of(np.minimum(z**2, CUT), rows, others).detail
        held.append(detail["ci_low"] <= 0.75 <= detail["ci_high"])
        z, rows, others = simulated(rng, 1.0, n=15)
        small.append(clock_share_of(np.minimum(z**2, CUT), rows, others).p_value <= 0.05)
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)
    assert np.mean(small) == pytest.approx(0.05, abs=0.035)


def test_minutes_that_are_always_wild_make_no_news():
    """The comparison is by the clock: a column that varies ten times as much raises nothing."""
    rng = np.random.default_rng(5)
    z, rows, others = simulated(rng, 1.0)
    z[:, :4] *= np.sqrt(10)
    test = clock_share_of(np.minimum(z**2, CUT), rows, others)
    assert test.statistic < 2 and test.p_value > 0.05


def test_a_set_is_moved_round_circles_of_different_length_and_never_home():
    moved = moved_rows([np.arange(4), np.array([1, 3, 6, 7, 9])], np.array([2, 7]))
    assert moved[:3].tolist() == [[2, 7], [3, 9], [0, 1]]
    assert len(moved) == 4 and not (moved[1:] == moved[0]).any()


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (7, "a set of 7 windows gets no verdict: at least 8"),
        (10, "59 sessions without news: at least 60"),
    ],
)
def test_what_is_too_little_gets_words(n, words):
    z, rows = np.random.default_rng(6).standard_normal((69, n)), 6 * np.arange(n)
    with pytest.raises(InferenceError, match=words):
        clock_share_of(z**2, rows, ~np.isin(np.arange(69), rows))


def test_one_cluster_has_no_error_and_windows_that_stand_still_no_ratio():
    z = np.random.default_rng(7).standard_normal((250, 10))
    rows = np.arange(10)
    others = ~np.isin(np.arange(250), rows)
    with pytest.raises(InferenceError, match="form 1 cluster"):
        clock_share_of(z**2, rows, others)
    rows = 20 * rows
    z[rows] = 0
    with pytest.raises(InferenceError, match="do not vary"):
        clock_share_of(z**2, rows, ~np.isin(np.arange(250), rows))


# -- studies -------------------------------------------------------------------------------------


def test_the_half_hours_of_the_catalogue(found):
    assert found.nobs == 22 and found.test.detail["clusters"] == 13
    assert (found.share, *found.conf_int()) == pytest.approx((0.90, 0.80, 0.95), abs=0.006)
    assert found.p_value == pytest.approx(1 / 316)
    without = found.checks.loc["without the three largest windows"]
    assert without.to_list()[:3] == pytest.approx((0.85, 0.71, 0.93), abs=0.006)
    assert found.checks.loc["approximate minutes taken for exact", "share"] == pytest.approx(
        0.848, abs=0.001
    )


def test_the_referee_had_sixteen_minutes_and_compared_with_all_sessions():
    events = impact.load_events(since="2025-01-01", until="2025-12-31").drop(index=PINNED)
    study = impact.intraday_study(impact.load_bars(), events)
    year = compared(study, None, pd.Timestamp("2025-12-31"))
    everything = dataclasses.replace(year, others=np.ones(len(year.sessions), dtype=bool))
    largest = np.argsort(np.abs(everything.own))[-3:]
    shares = [one.detail["share"] for one in (everything.share(), everything.share(CUT, largest))]
    assert len(year.events) == 16
    assert shares == pytest.approx([0.85, 0.60], abs=0.01)


def test_each_window_is_set_beside_the_same_minutes_of_days_without_announcements(study, found):
    known = study.known
    touched = {str(day)[:10] for name in ("from", "to") for day in study.table[name]}
    touched |= {text[:10] for text in study.events["announced_at"]}
    days = [str(day)[:10] for day in known.grid.sessions]
    means, sizes = [], 0
    for event, row in found.table.iterrows():
        ranks = ranked_windows(known, study.observations(30)[0][event].bars)
        at = days.index(str(row["session"])[:10])
        column = int((row["from"].hour * 60 + row["from"].minute - 245) / 5)
        assert ranks.windows.z[at, column] == row["z"]
        values = [
            min(ranks.windows.z[other, column] ** 2, 25)
            for other, day in enumerate(days)
            if day not in touched
            and ranks.reference[other, column]
            and ranks.windows.part[other, column] == ranks.windows.part[at, column]
        ]
        means.append(np.mean(values))
        sizes += len(values)
    assert found.test.detail["ordinary"] == pytest.approx(np.mean(means), rel=1e-12)
    ratio = np.minimum(found.table["z"].astype(float) ** 2, 25).mean() / np.mean(means)
    assert found.test.statistic == pytest.approx(ratio, rel=1e-12)
    assert f"Compared with {sizes:,} windows at the same clock times" in str(found.summary())


def test_every_announcement_is_in_the_table_or_left_out_with_a_reason(study, found):
    assert len(found.table) + len(found.dropped) == len(study.table) + len(study.dropped)
    assert not set(found.table.index) & set(found.dropped["event"])
    reason = found.dropped.set_index("event")["reason"]
    assert reason["liberation-day"] == "its minute is bounded"
    assert reason["china-deal-done-post"].startswith("no p: a macro release")
    assert reason["colombia-threat"].startswith("trading is closed")
    with pytest.raises(EventError, match="its minute is bounded"):
        found.effect("liberation-day")


def test_two_announcements_within_one_window_count_once():
    times = [f"2025-{month:02d}-{day}T11:02" for month in range(2, 10) for day in (11, 23)]
    near = {"again": "2025-02-11T11:20", **{f"day {i}": time for i, time in enumerate(times)}}
    weekend = [name for name, day in near.items() if pd.Timestamp(day).weekday() > 4]
    near = {name: day for name, day in near.items() if name not in weekend}
    share = impact.news_share(impact.intraday_study(impact.load_bars(), near))
    reason = share.dropped.set_index("event")["reason"]
    assert reason["again"] == "in the window of day 0"
    assert share.nobs == len(near) - 1


def test_what_came_with_news_of_one_move_is_a_part_of_it(found):
    row = found.effect("ninety-day-pause")
    assert row["estimate"] == pytest.approx(0.0547, abs=1e-4)
    assert row["news"] == pytest.approx(found.share * row["estimate"])
    assert 0 < row["ci_low"] < row["news"] < row["ci_high"]


def test_it_says_what_is_compared_and_where_z_is_cut(found):
    words = str(found.summary())
    assert repr(found).startswith(
        "NewsShare: 90% of the variance of those 22 windows of 30 minutes"
    )
    assert "Mean z² (cut at 25)" in words and "hold a macro release" in words
    assert "13:15" in words and "2025-01-08 to 2026-04-21" in words
    assert "made by people who knew the moves" in words


def test_its_misses_are_those_of_half_hours_and_not_of_days(found, monkeypatch):
    rows = pd.DataFrame(
        {
            "test": "share interval",
            "window": ["(0, 0)", "30 minutes"],
            "group": ["a, normal effects", "b, effects of t(3)"],
            "variance": [3.0, 10.0],
            "effect": 8.0,
            "rate": [0.9, 0.3],
        }
    )
    monkeypatch.setattr("impact.inference.measured_sizes.load_calibration", lambda _: rows)
    assert "misses it in 30% with effects of t(3), not in 5%" in share_misses_in_words(30)
    assert "the ratio is 10.0 to 10.0" in choice_in_words(30)
    assert share_misses_in_words(30) in str(found.summary())
    assert share_misses_in_words(60) == choice_in_words(60) == ""


def test_a_period_leaves_out_what_lies_outside_and_says_so(study):
    found = impact.news_share(study, until="2025-12-31")
    reason = found.dropped.set_index("event")["reason"]
    assert reason["greenland-tariffs-dropped"] == "outside the period"
    assert found.nobs == 20 and found.period[1] == pd.Timestamp("2025-12-31")


@pytest.mark.parametrize("window", [[5, 30], "close"])
def test_one_window_in_minutes_is_needed(window):
    study = impact.intraday_study(impact.load_bars(), "uk-deal", window=window)
    with pytest.raises(InferenceError, match="one window in minutes"):
        impact.news_share(study)


def test_few_announcements_and_short_periods_are_refused_in_words(study):
    few = impact.intraday_study(impact.load_bars(), ["uk-deal", "ninety-day-pause"])
    for one, until, words in (
        (few, None, "a set of 2 windows gets no verdict"),
        (study, "2025-02-28", "a set of 0 windows gets no verdict"),
        (study, "2020-01-01", "lies after until"),
    ):
        with pytest.raises(impact.ImpactError, match=words):
            impact.news_share(one, until=until)
