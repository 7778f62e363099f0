"""The hour of the news: published moves, a slow second implementation, no look-ahead."""

import csv
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from slow_intraday import SlowIntraday

import impact
from impact.analysis.intraday import intraday_study
from impact.analysis.intraday_result import IntradayStudy
from impact.errors import (
    BarsError,
    DateError,
    EventError,
    HistoryError,
    InferenceError,
    WindowError,
)
from impact.market.files import data_path

TIMES = (
    "06:30",
    "07:41",
    "09:05",
    "09:30",
    "11:02",
    "12:40",
    "14:10",
    "15:50",
    "16:30",
    "19:10",
    "22:00",
)
HALF_DAYS = ["2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28", "2025-12-24"]


@pytest.fixture(scope="module")
def bars():
    return impact.load_bars()


@pytest.fixture(scope="module")
def everything(bars):
    """Every announcement of the catalogue, candidates too."""
    return intraday_study(bars, impact.load_events(included=None))


@pytest.fixture(scope="module")
def table(everything):
    return everything.table


def rows_of(name):
    with data_path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown(time):
    return f"{time:%m-%d %H:%M}"


# -- published moves -----------------------------------------------------------------------------

#: id, from, to, move and sigma in percent, z, p, as they were printed before this code was written.
EXACT = [
    ("usmca-exemption", "03-06 11:25", "03-06 12:00", -0.70, 0.34, -2.1, 0.057),
    ("false-pause-headline", "04-07 10:10", "04-07 10:45", 1.11, 1.29, 0.9, 0.36),
    ("extra-50-threat-china", "04-07 11:10", "04-07 11:45", 0.25, 1.95, 0.1, 0.94),
    ("ninety-day-pause", "04-09 13:15", "04-09 13:50", 5.47, 1.00, 5.5, 0.0009),
    ("uk-deal", "05-08 10:55", "05-08 11:30", 0.61, 0.29, 2.1, 0.019),
    ("eu-50-threat", "05-23 07:40", "05-23 08:15", -1.31, 0.18, -7.1, 0.0011),
    ("massive-increase-post", "10-10 10:55", "10-10 11:30", -1.56, 0.11, -14.2, 0.0006),
    ("greenland-tariffs-dropped", "01-21 14:25", "01-21 15:00", 1.12, 0.18, 6.2, 0.0006),
]


@pytest.mark.parametrize(
    ("event", "begin", "end", "move", "sigma", "z", "p"), EXACT, ids=[row[0] for row in EXACT]
)
def test_the_moves_of_the_half_hour_are_the_published_ones(
    table, event, begin, end, move, sigma, z, p
):
    row = table.loc[event]
    assert (shown(row["from"]), shown(row["to"])) == (begin, end)
    assert 100 * row["move"] == pytest.approx(move, abs=0.02)
    # Printed with two digits, so half a unit of the last one is added.
    assert 100 * row["sigma"] == pytest.approx(sigma, abs=0.1 * sigma + 0.005)
    assert row["z"] == pytest.approx(z, abs=0.1 * abs(z) + 0.05)
    for level in (0.05, 0.01):
        assert (row["p_value"] <= level) == (p <= level)
    assert row["simple_change"] == pytest.approx(np.exp(row["move"]) - 1)
    assert row["minute"] == "exact"


@pytest.mark.parametrize(
    ("event", "p"), [("japan-deal", 0.008), ("july-7-letters", 0.012), ("china-100-threat", 0.003)]
)
def test_minutes_pinned_from_sources_stand_out(table, event, p):
    assert table.loc[event, "p_value"] == pytest.approx(p, abs=0.0015)


def test_the_exact_announcements_are_counted_as_published(table):
    included = impact.load_events().index
    exact = table[(table["minute"] == "exact") & table["sigma"].notna()]
    early = exact[exact["from"] < "2025-10-18"]
    assert len(early) == 26
    p = early.loc[early.index.isin(included), "p_value"]
    assert (len(p), p.notna().sum(), (p <= 0.05).sum(), (p <= 0.01).sum()) == (21, 20, 8, 6)
    p = exact.loc[exact.index.isin(included), "p_value"]
    assert (len(p), p.notna().sum(), (p <= 0.05).sum(), (p <= 0.01).sum()) == (23, 22, 9, 7)
    assert not (exact["hour_before_p"] <= 0.05).any() and exact["hour_before_p"].notna().sum() == 22


def test_the_answer_of_the_morning_and_the_pause_are_told_apart(bars):
    two = {"the answer": "2025-04-09T07:00", "the pause": "2025-04-09T13:18:40"}
    found = intraday_study(bars, two).table
    assert found.loc["the answer", "p_value"] > 0.1 > 0.01 > found.loc["the pause", "p_value"]
    assert found["part"].to_list() == ["pre-open", "trading"]


# -- a second implementation ---------------------------------------------------------------------


#: A stretch that holds whole sessions, half days and sessions of regular hours.
SPAN = ("2025-05-15", "2025-12-31")

#: Announcements of all kinds, beside those of the catalogue: time, basis, bounds.
MADE_UP = [
    *[(f"2025-09-{day:02d}T{time}", "", "", "") for day in (3, 17, 25) for time in TIMES],
    *[(f"2025-11-{day:02d}T{time}", "", "", "") for day in (5, 20, 28) for time in TIMES],
    ("2025-08-28T10:40", "approximate", "", ""),
    ("2025-08-28T12:00", "approximate", "2025-08-28T11:48", "2025-08-28T12:10"),
    ("2025-09-11T08:10", "approximate", "2025-09-11T08:05", "2025-09-11T08:20"),
    ("2025-10-14", "date-only", "2025-10-14T05:02", "2025-10-14T05:20"),
    ("2025-10-14", "date-only", "2025-10-14T17:02", "2025-10-14T17:20"),
    ("2025-11-18", "date-only", "2025-11-18T09:40", "2025-11-18T10:05"),
]


@pytest.fixture(scope="module")
def slow():
    prices = [
        (datetime.fromisoformat(row["time"]), float(row["close"]))
        for row in rows_of("spy_5min.csv")
        if SPAN[0] <= row["time"][:10] <= SPAN[1]
    ]
    releases = [
        (datetime.fromisoformat(row["released_at"]), row["release"])
        for row in rows_of("macro_releases.csv")
    ]
    return SlowIntraday(prices, set(map(date.fromisoformat, HALF_DAYS)), releases)


@pytest.fixture(scope="module")
def compared(bars):
    """The same stretch through the library: the catalogue's announcements and made-up ones."""
    columns = ["announced_at", "time_basis", "not_before", "not_after"]
    made_up = pd.DataFrame(MADE_UP, [f"made up {i}" for i in range(len(MADE_UP))], columns)
    catalogue = impact.load_events(included=None, since=SPAN[0], until=SPAN[1])
    events = pd.concat([made_up, catalogue[columns]]).rename_axis("id")
    return intraday_study(bars[SPAN[0] : SPAN[1]], events).table


def _slow_row(slow, row):
    """move, sigma, z and p of a row; NaN for what it does not have."""
    begin = row["from"]
    minutes = int((row["to"] - begin).total_seconds() // 60)
    day, minute = begin.date(), 60 * begin.hour + begin.minute
    if row["part"] == "closed hours":
        move, p = slow.night(day)
        return move, np.nan, np.nan, p
    move, sigma, part, _ = slow.windows(minutes)[day, minute]
    assert part == row["part"]
    if row["minute"] == "bounded":
        p = slow.largest_p(day, minute, minute + minutes, 30)
    else:
        p = slow.p_value(day, minute, minutes)
    return move, sigma, move / sigma, p


def test_loops_over_bars_give_the_same_numbers(slow, compared):
    kinds = []
    for event, row in compared.iterrows():
        minutes = (row["to"] - row["from"]).total_seconds() / 60
        night = row["part"] == "closed hours" and "trading is closed" not in row["note"]
        if not night and minutes > 70:
            continue  # each length takes the loops a second
        if "51 earlier sessions" in row["note"]:
            assert np.isnan(row["sigma"]) and np.isnan(row["p_value"])
            continue
        expected = _slow_row(slow, row)
        if night and np.isnan(row["p_value"]):
            assert "macro release" in row["note"] and np.isnan(expected[-1])
            continue
        found = row[["move", "sigma", "z", "p_value"]].to_list()
        assert found == pytest.approx(expected, abs=1e-10, nan_ok=True), event
        kinds.append((row["part"], row["minute"]))
    assert len(kinds) > 60
    assert {part for part, _ in kinds} >= {"pre-open", "trading", "after hours", "closed hours"}
    assert {minute for _, minute in kinds} == {"exact", "bounded", "approximate"}


def test_the_hour_before_is_the_window_that_ends_where_the_other_begins(slow, compared):
    rows = compared[compared["hour_before_p"].notna()].iloc[::6]
    assert len(rows) > 5
    for _, row in rows.iterrows():
        begin = row["from"]
        day, minute = begin.date(), 60 * begin.hour + begin.minute - 60
        assert row["hour_before_move"] == pytest.approx(slow.windows(60)[day, minute][0], abs=1e-12)
        assert row["hour_before_p"] == pytest.approx(slow.p_value(day, minute, 60), abs=1e-10)


# -- no look-ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", ["mexico-pause-feb", "eu-50-threat", "japan-deal", "ninety-day-pause"]
)
def test_every_bar_after_the_window_may_be_noise(bars, table, event):
    row = table.loc[event]
    noisy = bars.copy()
    noisy.attrs = {"security": "noise"}
    later = noisy.index > row["to"]
    steps = np.random.default_rng(1).normal(0, 0.003, later.sum())
    noisy[later] = bars[row["to"]] * np.exp(np.clip(steps.cumsum(), -1, 1))
    again = intraday_study(noisy, {event: row["announced_at"]}).table.loc[event]
    for column in ("move", "sigma", "z", "hour_before_move"):
        assert again[column] == row[column]


# -- where an announcement is measured -----------------------------------------------------------


def measured(bars, announced_at, **columns):
    frame = pd.DataFrame(
        {"id": ["x"], "announced_at": [announced_at]} | {k: [v] for k, v in columns.items()}
    )
    return intraday_study(bars, frame).table.loc["x"]


@pytest.mark.parametrize(
    ("announced_at", "begin", "end", "part", "has_p"),
    [
        ("2025-06-17T10:30", "06-17 10:30", "06-17 11:00", "trading", True),
        ("2025-06-17T10:30:01", "06-17 10:30", "06-17 11:05", "trading", True),
        ("2025-06-17T09:00", "06-17 09:00", "06-17 09:30", "pre-open", True),
        ("2025-06-17T09:10", "06-17 09:10", "06-17 09:40", "across 09:30", False),
        ("2025-06-17T09:30", "06-17 09:30", "06-17 10:00", "trading", True),
        ("2025-06-17T15:30", "06-17 15:30", "06-17 16:00", "trading", True),
        ("2025-06-17T15:45", "06-17 15:45", "06-17 16:15", "across the close", False),
        ("2025-06-17T16:00", "06-17 16:00", "06-17 16:30", "after hours", True),
        ("2025-06-17T19:30", "06-17 19:30", "06-17 20:00", "after hours", True),
        ("2025-06-17T19:45", "06-17 19:45", "06-18 04:05", "closed hours", False),
        ("2025-06-17T20:00", "06-17 20:00", "06-18 04:30", "closed hours", True),
        ("2025-06-18T04:04", "06-17 20:00", "06-18 04:30", "closed hours", True),
        ("2025-06-18T04:05", "06-18 04:05", "06-18 04:35", "pre-open", True),
        ("2025-06-21T12:00", "06-20 20:00", "06-23 04:30", "closed hours", True),
        ("2025-07-03T12:40", "07-03 12:40", "07-03 13:10", "across the close", False),
        ("2025-07-03T13:00", "07-03 13:00", "07-03 13:30", "after hours", True),
        ("2025-07-03T18:00", "07-03 17:00", "07-07 04:30", "closed hours", True),
        ("2025-12-03T15:30", "12-03 15:30", "12-03 16:00", "trading", True),
        ("2025-12-03T15:45", "12-03 15:45", "12-04 09:30", "closed hours", False),
        ("2025-12-03T16:00", "12-03 16:00", "12-04 09:30", "closed hours", True),
        ("2025-12-04T09:29", "12-03 16:00", "12-04 09:30", "closed hours", True),
        ("2025-11-28T13:00", "11-28 13:00", "12-01 09:30", "closed hours", True),
        ("2025-06-18T18:00Z", "06-18 14:00", "06-18 14:30", "trading", False),
    ],
)
def test_the_minute_decides_between_which_prices(bars, announced_at, begin, end, part, has_p):
    row = measured(bars, announced_at)
    assert (shown(row["from"]), shown(row["to"]), row["part"]) == (begin, end, part)
    assert np.isfinite(row["p_value"]) == has_p
    assert np.isfinite(row[["ci_low", "ci_high", "smallest_detectable"]].to_list()).all() == has_p
    assert ("no p" in row["note"]) != has_p
    assert row["move"] == pytest.approx(np.log(bars[row["to"]] / bars[row["from"]]), abs=1e-12)


def test_closed_hours_are_one_number_a_night_in_words(table):
    row = table.loc["colombia-threat"]
    assert row["part"] == "closed hours" and row["p_value"] == pytest.approx(2 / 195)
    assert row["note"] == (
        "the largest of 195 nights, allowing for how nervous the market was; it includes "
        "everything since the last price"
    )
    assert np.isnan(row["sigma"]) and np.isnan(row["z"])
    night = table[table["part"] == "closed hours"]["p_value"].dropna()
    assert night.min() >= 2 / 293


def test_a_night_with_a_release_in_it_gets_no_p(table):
    row = table.loc["canada-talks-ended-october"]
    assert "CPI 08:30" in row["others"] and np.isnan(row["p_value"])
    assert "no p: a macro release" in row["note"]
    # Measured to 04:30, the night before payrolls holds none.
    row = table.loc["mofcom-evaluating"]
    assert row["others"] == () and np.isfinite(row["p_value"])


@pytest.mark.parametrize(
    ("announced_at", "others"),
    [("2025-06-11T08:04:07", "CPI 08:30"), ("2025-07-30T14:20", ""), ("2025-05-02T08:40", "")],
)
def test_no_p_over_a_release_or_just_after_it(bars, announced_at, others):
    row = measured(bars, announced_at)
    assert np.isnan(row["p_value"]) and np.isfinite(row["z"])
    assert "no p: a macro release moves prices in this window" in row["note"]
    assert others in row["others"] or not others


def test_bounds_decide_also_on_the_evening_before(table):
    ministry, story = table.loc["mofcom-evaluating"], table.loc["wsj-fentanyl-overture"]
    assert (shown(ministry["from"]), shown(ministry["to"])) == ("05-01 20:00", "05-02 04:30")
    assert (shown(story["from"]), shown(story["to"])) == ("05-02 08:55", "05-02 16:30")
    assert story["part"] == "across 09:30" and np.isnan(story["p_value"])
    assert "none is reliable across the opening" in story["note"]
    assert {ministry["minute"], story["minute"]} == {"bounded"}


def test_a_bounded_announcement_is_tested_by_its_largest_half_hour(bars, table):
    row = table.loc["china-104-confirmed"]
    assert (shown(row["from"]), shown(row["to"])) == ("04-08 12:00", "04-08 14:05")
    assert "p is that of its largest 30 minutes, 12:15 to 12:45 (z = −2.2)" in row["note"]
    largest = measured(bars, "2025-04-08T12:15")
    assert largest["z"] == pytest.approx(-2.2, abs=0.05)
    assert row["p_value"] > largest["p_value"]  # the largest of many is less unusual


def test_other_approximate_minutes_are_shown_with_their_condition(table):
    row = table.loc["china-34-retaliation"]
    assert row["minute"] == "approximate" and shown(row["from"]) == "04-04 06:05"
    assert row["note"].startswith("if the minute is right within 30")


@pytest.mark.parametrize(
    ("announced_at", "words"),
    [
        ("2025-06-17T09:40", "in the first half hour of trading this test rejects 8%, not 5%"),
        ("2025-11-18T09:40", "in the first half hour of trading this test rejects 9%, not 5%"),
        (
            "2025-04-09T13:45",
            "the market was already moving, and this test then rejects 10%, not 5%",
        ),
        ("2024-11-13T11:00", "no σ and no p: 51 earlier sessions with these hours are needed"),
        ("2024-11-13T22:00", "no σ and no p: 51 earlier sessions with these hours are needed"),
    ],
)
def test_a_row_says_where_its_test_is_weaker(bars, announced_at, words):
    assert words in measured(bars, announced_at)["note"]


@pytest.fixture(scope="module")
def fewest(bars):
    """The fewest sessions that a study takes: only of the last one is the variance known."""
    last = bars.index.normalize().unique()[51]
    return bars[: last + pd.Timedelta(days=1)], f"{last:%Y-%m-%d}T"


@pytest.mark.parametrize("minute", ["exact", "bounded"])
def test_the_only_day_of_which_the_variance_is_known_has_no_p(fewest, minute):
    some, day = fewest
    asked = pd.DataFrame({"id": ["x"], "announced_at": [f"{day}10:00"]})
    if minute == "bounded":
        asked = asked.assign(
            time_basis="approximate", not_before=f"{day}10:00", not_after=f"{day}11:00"
        )
    study = intraday_study(some, asked)
    row = study.table.loc["x"]
    assert row["minute"] == minute and row["sigma"] > 0 and np.isfinite(row["z"])
    assert row["note"] == "no p: there is no other day to rank it among"
    assert row[["p_value", "ci_low", "ci_high", "smallest_detectable"]].isna().all()
    assert study.path("x")[["low", "high"]].drop(0).isna().all(axis=None)
    with pytest.raises(InferenceError, match="no announcement has an exact minute and a p"):
        study.set_test()


def test_the_only_night_before_which_the_volatility_is_known_has_no_p(bars, fewest):
    some, _ = fewest
    evening = f"{some.index.normalize().unique()[50]:%Y-%m-%d}T21:00"
    row = measured(some, evening)
    assert row["note"] == "no σ and no p: 51 earlier sessions with these hours are needed"
    assert row[["p_value", "ci_low", "ci_high", "smallest_detectable"]].isna().all()


def test_a_band_of_too_few_windows_is_not_drawn(bars):
    """After the close an hour ahead has 36 others on the one other day: no 95% of them is known."""
    days = bars.index.normalize().unique()
    study = intraday_study(
        bars[: days[52] + pd.Timedelta(days=1)], {"x": f"{days[52]:%Y-%m-%d}T16:10"}
    )
    band = study.path("x")["high"].loc[5:]
    assert np.isfinite(band[10]) and band.loc[60:].isna().all()


def test_a_day_whose_releases_are_not_known_says_so(bars):
    """The file of releases skips 2022, so a window there may hold one."""
    days = impact.nyse_sessions("2022-01-03", "2022-06-30")
    clock = pd.timedelta_range("9h35min", "16h", freq="5min")
    index = pd.DatetimeIndex([day + time for day in days for time in clock])
    rng = np.random.default_rng(0)
    prices = 400 * np.exp(rng.normal(0, 0.0008, len(index)).cumsum())
    mine = pd.Series(prices, index.tz_localize("America/New_York"), name="mine")
    row = intraday_study(mine, {"x": "2022-06-10T11:00"}).table.loc["x"]
    assert row["note"] == "macro releases of this day are not known"
    assert np.isfinite(row["p_value"])


def test_others_within_the_window_are_named(bars, table):
    assert table.loc["canada-plus-10", "others"] == ("kuala-lumpur-framework",)
    assert table.loc["uk-deal", "others"] == ()
    mine = {"one": "2025-06-17T10:30", "two": "2025-06-17T10:50", "three": "2025-06-17T11:00"}
    others = intraday_study(bars, mine).table["others"]
    assert others.to_dict() == {"one": ("two",), "two": ("three",), "three": ()}
    # What comes with the announcement is within its window, what comes at the end is not.
    mine = {"a": "2025-06-17T10:30", "b": "2025-06-17T10:30", "c": "2025-05-02T08:30"}
    others = intraday_study(bars, events=mine | {"d": "2025-05-02T08:00"}).table["others"]
    both = ("wsj-fentanyl-overture", "payrolls 08:30")
    assert others.to_dict() == {"a": ("b",), "b": ("a",), "c": both, "d": ()}


# -- several windows -----------------------------------------------------------------------------


def test_several_windows_are_rows_of_their_own(bars):
    pause = {"pause": "2025-04-09T13:18:40"}
    many = intraday_study(bars, pause, window=[5, 60, "close"])
    assert many.table.index.to_list() == [("pause", 5), ("pause", 60), ("pause", "close")]
    ends = [shown(time) for time in many.table["to"]]
    assert ends == ["04-09 13:25", "04-09 14:20", "04-09 16:00"]
    close = many.table.loc[("pause", "close")]
    assert close["move"] == pytest.approx(
        np.log(bars["2025-04-09 16:00"] / bars["2025-04-09 13:15"])
    )
    assert np.isnan(close["p_value"]) and "windows to the close are not tested" in close["note"]
    two = intraday_study(bars, pause, window=[5, 120])
    assert two.table.index.to_list() == [("pause", 5), ("pause", 120)]
    assert two.set_test().index.unique("window").to_list() == [5, 120]
    assert "{llllrrrrrrrlll}" in two.to_latex()  # texts to the left, numbers to the right
    assert str(many).startswith("SPY from each announcement to 5 or 60 minutes later or the close")
    assert many.signature.startswith(
        "five-minute prices 2024-10-24 to 2026-04-21; window 5 minutes, 60 minutes and close; "
        "1 announcement; clock pattern x averages of 6 and 96 bars; data "
    )
    alone = intraday_study(bars, pause, window=60).table.loc["pause"]
    pd.testing.assert_series_equal(
        alone, many.table.loc[("pause", 60)], check_names=False, check_dtype=False
    )
    assert many.set_test().index.to_list() == [
        (5, "p_below_5"),
        (5, "mean_abs_z"),
        (60, "p_below_5"),
        (60, "mean_abs_z"),
    ]


@pytest.mark.parametrize(
    ("announced_at", "end"),
    [
        ("2025-06-17T07:00", "06-17 16:00"),
        ("2025-06-17T15:59", "06-17 16:00"),
        ("2025-06-17T16:00", "06-18 16:00"),
        ("2025-06-17T22:00", "06-18 16:00"),
        ("2025-07-03T10:00", "07-03 13:00"),
        ("2025-07-03T14:00", "07-07 16:00"),
    ],
)
def test_to_the_close_ends_with_the_first_close_that_can_react(bars, announced_at, end):
    study = intraday_study(bars, {"x": announced_at}, window="close")
    row = study.table.loc["x"]
    assert shown(row["to"]) == end and np.isnan(row["p_value"])
    assert "SPY from each announcement to the close\n" in str(study)


def test_to_the_close_needs_a_close_that_the_bars_reach(bars):
    late = intraday_study(bars, {"x": "2026-04-21T15:00", "y": "2026-04-21T16:30"}, window="close")
    assert late.table.index.to_list() == ["x"]
    assert late.dropped.to_numpy().tolist() == [
        ["y", "its window ends after the bars, whose last session is 2026-04-21"]
    ]
    with pytest.raises(InferenceError, match="windows to the close have no p: ask for a window in"):
        late.set_test()


@pytest.mark.parametrize("window", [0, 7, 125, 30.0, True, "half", [], [30, 30], None, [30, "x"]])
def test_other_windows_are_refused(bars, window):
    said = "minutes from 5 to 120 in steps of 5, or 'close'|at least one window, each once"
    with pytest.raises(WindowError, match=f"window=.*: give ({said})"):
        intraday_study(bars, {"x": "2025-06-17T10:30"}, window=window)


# -- paths and sets ------------------------------------------------------------------------------


def test_a_path_shows_an_hour_before_and_three_after(bars, everything):
    path = everything.path("uk-deal")
    assert path.index.to_list() == list(range(-60, 181, 5))
    assert shown(path.loc[0, "time"]) == "05-08 10:55" and path.loc[0, "move"] == 0
    for minute in (-60, -5, 35, 180):
        ratio = bars[path.loc[minute, "time"]] / bars[path.loc[0, "time"]]
        assert path.loc[minute, "move"] == pytest.approx(np.log(ratio))
    row = everything.table.loc["uk-deal"]
    # The interval of the effect is what the band leaves of the move.
    band = path.loc[35]
    assert row["move"] - band["high"] == pytest.approx(row["ci_low"])
    assert row["move"] - band["low"] == pytest.approx(row["ci_high"])
    assert (path["low"] <= 0).all() and (path["high"] >= 0).all()


def test_a_path_ends_with_its_session_and_has_no_band_where_no_test_is_valid(everything):
    path = everything.path("greenland-tariffs-dropped")
    assert shown(path["time"].iloc[-1]) == "01-21 16:00"
    path = everything.path("ninety-day-pause")
    after = path["time"] > "2025-04-09 16:00-04:00"
    assert path.loc[after, "low"].isna().all() and path.loc[~after, "low"].notna().all()


def test_the_band_holds_what_it_says(bars):
    """On a hundred days without news, 95% of the path lies within the band."""
    days = bars.index.normalize().unique()[60:240:2]
    quiet = {f"{day:%Y-%m-%d}": f"{day:%Y-%m-%d}T11:02" for day in days}
    study = intraday_study(bars, quiet)
    inside = [
        (path["move"] >= path["low"]) & (path["move"] <= path["high"])
        for path in (study.path(event) for event in list(quiet)[::9])
    ]
    assert 0.85 < np.mean(np.concatenate(inside)) <= 1


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ("uk-deel", EventError, "no event 'uk-deel': the nearest are 'uk-deal'"),
        ("chips-301-deferred", EventError, "not in this study: its hour is not known"),
        ("geneva-truce", InferenceError, "trading was closed when 'geneva-truce' came out"),
    ],
)
def test_an_announcement_without_a_path_is_refused(everything, event, error, message):
    with pytest.raises(error, match=message):
        everything.path(event)


def test_the_set_is_ranked_among_all_its_shifts(bars):
    early = impact.load_events(since="2025-01-20", until="2025-10-17")
    study = intraday_study(bars, early)
    found = study.set_test()
    exact = study.table[(study.table["minute"] == "exact") & study.table["sigma"].notna()]
    z = exact.loc[exact["p_value"].notna(), "z"]
    assert found["statistic"].to_list() == pytest.approx([8, z.abs().mean()])
    assert found["expected"].to_list() == pytest.approx([1, 0.75], abs=0.15)
    assert found["p_value"].to_list() == pytest.approx([1 / 195] * 2)
    assert (found["n"] == 20).all() and (found["shifts"] == 194).all()


def test_a_set_of_ordinary_moments_is_ordinary(bars):
    days = bars.index.normalize().unique()[60:370:13]
    quiet = {f"{day:%Y-%m-%d}": f"{day:%Y-%m-%d}T14:02" for day in days}
    found = intraday_study(bars, quiet).set_test()
    assert (found["p_value"] > 0.05).all()


def test_two_announcements_in_one_window_are_one_observation(bars):
    first, second = {"a": "2025-06-17T10:30"}, {"b": "2025-06-17T10:58"}
    third = {"c": "2025-06-17T11:00"}
    alone = intraday_study(bars, first).set_test()
    both = intraday_study(bars, first | second).set_test()
    pd.testing.assert_frame_equal(alone, both)
    assert (intraday_study(bars, first | third).set_test()["n"] == 2).all()


def test_approximate_and_bounded_minutes_are_in_no_set(bars):
    frame = pd.DataFrame(
        {
            "announced_at": ["2025-06-17T10:30", "2025-06-18T10:30"],
            "time_basis": ["approximate", "approximate"],
            "not_before": ["", "2025-06-18T10:00"],
            "not_after": ["", "2025-06-18T11:00"],
        },
        index=pd.Index(["a", "b"], name="id"),
    )
    with pytest.raises(InferenceError, match="no announcement has an exact minute and a p"):
        intraday_study(bars, frame).set_test()


# -- what is left out, and how it shows itself ---------------------------------------------------


def test_every_announcement_is_measured_or_left_out_with_its_reason(everything):
    catalogue = impact.load_events(included=None)
    assert set(everything.table.index) | set(everything.dropped["event"]) == set(catalogue.index)
    reasons = everything.dropped.set_index("event")["reason"]
    assert reasons["chips-301-deferred"] == "its hour is not known"
    assert reasons["geneva-effective"] == "puts known news into force"
    assert reasons["beijing-summit"] == "after the bars, which end on 2026-04-21"
    assert reasons["buenos-aires-truce-2018"] == "its hour is not known"
    assert reasons["may-5-tweets-2019"] == "before the bars, which begin on 2024-10-24"
    assert "Left out: " in str(everything.summary())


def test_an_announcement_in_a_session_without_bars_is_left_out(bars):
    gap = bars[bars.index.strftime("%Y-%m-%d") != "2025-06-17"]
    times = {"in": "2025-06-17T11:00", "night": "2025-06-16T22:00", "far": "2025-06-20T11:00"}
    study = intraday_study(gap, times)
    assert study.table.index.to_list() == ["far"]
    reason = "no bars of the session 2025-06-17"
    assert study.dropped.to_numpy().tolist() == [["in", reason], ["night", reason]]
    with pytest.raises(EventError, match=r"none of .* measured. Left out: 1 \(in: no bars"):
        intraday_study(gap, {"in": "2025-06-17T11:00"})


def test_another_security_is_left_out(bars):
    frame = pd.DataFrame({"announced_at": ["2025-06-17T11:00"] * 2, "security": ["SPY", "XLK"]})
    frame["id"] = ["mine", "other"]
    study = intraday_study(bars, frame)
    assert study.table.index.to_list() == ["mine"]
    assert study.dropped["reason"].to_list() == ["concerns another security than SPY"]


@pytest.mark.parametrize("column", ["security", "ticker", "Symbol"])
def test_a_ticker_is_read_as_the_daily_study_reads_it_and_said(bars, column):
    frame = pd.DataFrame({"announced_at": ["2025-06-17T11:00"] * 2, column: ["spy ", "QQQ"]})
    study = intraday_study(bars, frame.assign(id=["mine", "other"]))
    assert study.table.index.to_list() == ["mine"]
    assert study.dropped["reason"].to_list() == ["concerns another security than SPY"]
    said = f"column '{column}' was read as 'security'" in str(study.summary())
    assert said == (column != "security")
    if column != "security":
        study = intraday_study(bars, frame.iloc[1:])
        assert "names no column: each event is read as one of SPY" in str(study.summary())


def test_an_announcement_of_the_last_afternoon_is_left_out_for_its_window(bars):
    times = {"last": "2026-04-21T15:45", "after": "2026-04-22T10:00", "in": "2026-04-21T11:00"}
    study = intraday_study(bars, times)
    assert study.dropped.set_index("event")["reason"].to_dict() == {
        "last": "its window ends after the bars, whose last session is 2026-04-21",
        "after": "after the bars, which end on 2026-04-21",
    }


def test_the_result_shows_itself_and_keeps_its_times(bars, tmp_path):
    study = intraday_study(bars, {"pause": "2025-04-09T13:18:40"})
    assert isinstance(study, IntradayStudy)
    shown_as = str(study)
    assert "SPY from each announcement to 30 minutes later" in shown_as
    assert "+5.47%" in shown_as and "data d067fb73daeb" in shown_as
    assert "2025-04-09 13:15" in study._repr_html_() and "pause" in study.to_latex()
    study.to_csv(tmp_path / "study.csv")
    again = pd.read_csv(tmp_path / "study.csv")
    assert pd.Timestamp(again["from"].item()) == study.table["from"].item()
    assert again["move"].item() == pytest.approx(study.table["move"].item(), rel=1e-9)
    assert "p_value" not in repr(study)[:30]


def test_regular_hours_alone_give_a_study_of_their_own(bars):
    clock = bars.index.strftime("%H:%M")
    regular = bars[(clock >= "09:30") & (clock <= "16:00")]
    table = intraday_study(regular, impact.load_events()).table
    assert set(table["part"]) <= {"trading", "closed hours", "across the close"}
    pause = table.loc["ninety-day-pause"]
    assert 100 * pause["move"] == pytest.approx(5.47, abs=0.01) and pause["p_value"] <= 0.01
    assert shown(table.loc["eu-50-threat", "from"]) == "05-22 16:00"


@pytest.mark.parametrize(
    ("events", "error", "message"),
    [
        ({"x": "02/05/2025"}, DateError, "2 May 2025"),
        (["2025-05-02"], EventError, r"none .* \(2025-05-02: its hour is not known\)"),
        (7, EventError, "cannot be read"),
    ],
)
def test_bad_events_get_a_clear_error(bars, events, error, message):
    with pytest.raises(error, match=message):
        intraday_study(bars, events)


def test_bad_bars_get_a_clear_error(bars):
    pause = {"x": "2025-04-09T13:18:40"}
    for wrong, error, message in (
        (impact.load_prices(), BarsError, "no time zone"),
        (impact.load_prices().tz_localize("America/New_York"), BarsError, "these are daily prices"),
        (bars.tz_localize(None), BarsError, "no time zone"),
        (
            bars.drop(bars.index[bars.index == "2025-04-09 11:00-04:00"]),
            BarsError,
            "11:00 is missing",
        ),
        (bars.to_list(), BarsError, "must be a Series"),
        (bars[:"2024-12-05"], HistoryError, "needs 30 sessions"),
    ):
        with pytest.raises(error, match=message):
            intraday_study(wrong, pause)


def test_the_same_times_without_a_zone_are_not_taken_for_those_that_were_read(bars):
    """The second call must not find the first one's result."""
    utc = bars.tz_convert("UTC")
    intraday_study(utc, {"x": "2025-04-09T13:18:40"})
    with pytest.raises(BarsError, match="no time zone"):
        intraday_study(utc.tz_localize(None), {"x": "2025-04-09T13:18:40"})
