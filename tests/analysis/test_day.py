"""Where in the day a move happened: published parts, sums, and what was placed in them."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

import impact
from impact.analysis.day import Day, day
from impact.errors import DateError
from impact.market.bars import bar_grid
from impact.text.formats import percent

#: Log changes in percent: evening before, closed hours, to 08:30, 09:00, 09:30, 16:00, and the sum.
PARTS = {
    "2025-05-02": (-0.23, 0.62, 0.05, 0.74, -0.07, 0.34, 1.45),
    "2025-04-03": (-3.57, 0.62, -0.43, -0.40, 0.25, -1.37, -4.90),
    "2025-04-04": (-0.23, -0.44, -2.07, 0.33, -0.23, -3.52, -6.16),
    "2025-04-09": (-1.23, 1.37, -2.08, 0.87, 0.42, 9.65, 8.99),
    "2025-04-10": (0.46, -1.99, -0.41, 0.04, -0.17, -1.42, -3.48),
    "2025-05-12": (0.13, 2.37, 0.69, -0.21, 0.03, 0.23, 3.23),
    "2025-10-10": (0.11, 0.01, 0.02, -0.07, 0.07, -2.87, -2.73),
}


@pytest.fixture(scope="module")
def second_of_may():
    return day("2025-05-02")


@pytest.mark.parametrize(("session", "expected"), PARTS.items(), ids=list(PARTS))
def test_the_parts_are_the_published_ones(session, expected):
    found = day(session)
    move = 100 * found.table["move"]
    early = ["evening before", "closed hours", "04:05-08:30", "08:30-09:00", "09:00-09:30"]
    trading = move.drop(early).sum()
    assert [*move[early], trading, move.sum()] == pytest.approx(expected, abs=0.02)


def test_the_parts_sum_to_the_change_of_the_close_on_every_session():
    bars = impact.load_bars()
    grid = bar_grid(bars)
    close = pd.Series(grid.log_price[np.arange(372), grid.close], grid.sessions).diff()
    for session in [*grid.sessions[52::40], *grid.sessions[grid.half_day]]:
        found = day(session)
        assert found.change == pytest.approx(close[session], abs=1e-12)
        table = found.table
        assert (table["from"].iloc[1:].to_numpy() == table["to"].iloc[:-1].to_numpy()).all()


def test_half_hours_end_where_trading_ends():
    assert day("2025-11-28").table.index.to_list() == [
        "closed hours",
        "09:30-10:00",
        "10:00-10:30",
        "10:30-11:00",
        "11:00-11:30",
        "11:30-12:00",
        "12:00-12:30",
        "12:30-13:00",
    ]
    evening = day("2025-07-07").table.loc["evening before"]
    assert f"{evening['from']:%m-%d %H:%M} {evening['to']:%H:%M}" == "07-03 13:00 17:00"
    assert "evening before" not in day("2025-10-21").table.index


def test_announcements_and_releases_stand_in_their_part(second_of_may):
    table = second_of_may.table
    assert table.loc["closed hours", "announcements"] == ("mofcom-evaluating",)
    assert table.loc["08:30-09:00", "releases"] == ("payrolls (177 thousand; 138 expected)",)
    perhaps = table["possible"].map(lambda ids: "wsj-fentanyl-overture" in ids)
    assert not perhaps.loc[:"04:05-08:30"].any() and perhaps.loc["08:30-09:00":].all()
    pause = day("2025-04-09").table
    assert pause.loc["13:00-13:30", "announcements"] == ("ninety-day-pause",)
    assert pause.loc["closed hours", "possible"] == ("china-84-retaliation",)
    # An approximate minute is never certain, even where its half hours lie inside one part.
    answer = day("2025-04-04").table.loc["04:05-08:30"]
    assert answer["possible"] == ("china-34-retaliation",) and answer["announcements"] == ()
    fed = day("2025-09-17").table
    assert fed.loc["14:00-14:30", "releases"] == ("Fed rate (4.25%; 4.25 expected)",)


def test_an_announcement_without_an_hour_is_left_out_and_named():
    found = day("2025-11-04")
    assert found.dropped.to_numpy().tolist() == [["china-orders-signed", "its hour is not known"]]
    assert "Left out: 1 (china-orders-signed: its hour is not known)." in str(found.summary())
    assert day("2025-11-05").dropped.empty


def test_the_z_of_a_part_is_that_of_its_window(second_of_may):
    table = second_of_may.table
    study = impact.intraday_study(impact.load_bars(), {"x": "2025-05-02T10:00"}).table.loc["x"]
    assert table.loc["10:00-10:30", "move"] == study["move"]
    assert table.loc["10:00-10:30", "z"] == study["z"]
    assert np.isnan(table.loc["closed hours", "z"])
    assert table.drop("closed hours")["z"].notna().all()
    assert day("2024-11-05").table["z"].isna().all()


def test_events_and_bars_may_be_ones_own():
    bars = impact.load_bars()["2024-10-24":"2025-06-30"]
    found = day("2025-06-17", bars=bars, events={"mine": "2025-06-17T11:02"})
    assert found.table.loc["11:00-11:30", "announcements"] == ("mine",)
    assert found.table["announcements"].map(len).sum() == 1


def test_the_day_shows_itself(second_of_may):
    assert isinstance(second_of_may, Day)
    shown = str(second_of_may)
    assert "SPY on 2 May 2025, from close to close" in shown
    assert "The parts add up to +1.45% (log return)" in shown
    assert "payrolls (177 thousand; 138 expected)" in shown and "data d067fb73daeb" in shown
    assert "2025-05-02 08:30:00-04:00" in second_of_may.to_csv()


@pytest.mark.parametrize(
    ("date", "message"),
    [
        (
            "2025-05-03",
            "no bars of Saturday, 3 May 2025: give a session of 2024-10-24 to 2026-04-21",
        ),
        ("2027-01-04", "no bars of Monday, 4 January 2027"),
        ("2024-10-24", "do not hold the session before 2024-10-24"),
        ("02/05/2025", "2 May 2025"),
        ("2025-05-02T10:00", "has a time of day"),
    ],
)
def test_days_that_cannot_be_shown_are_refused(date, message):
    with pytest.raises(DateError, match=message):
        day(date)


def test_a_missing_session_before_is_refused():
    bars = impact.load_bars()
    gap = bars[bars.index.strftime("%Y-%m-%d") != "2025-06-17"]
    with pytest.raises(DateError, match="do not hold the session before 2025-06-18"):
        day("2025-06-18", bars=gap)


# -- the picture ---------------------------------------------------------------------------------


def test_in_brief_all_half_hours_of_trading_are_one(second_of_may):
    brief = second_of_may.brief
    assert brief.index.to_list() == [*second_of_may.table.index[:5], "09:30-16:00"]
    assert [*(100 * brief["move"])] == pytest.approx(PARTS["2025-05-02"][:6], abs=0.02)
    assert brief["move"].sum() == pytest.approx(second_of_may.change, abs=1e-15)
    assert brief["closed"].to_list() == [False, True, False, False, False, False]
    assert f"{brief['begin'].iloc[-1]}" == "2025-05-02 09:30:00"
    assert day("2025-11-28").brief.index.to_list() == ["closed hours", "09:30-13:00"]


def test_the_price_runs_from_the_close_before_to_the_close(second_of_may):
    price, brief = second_of_may.price, second_of_may.brief
    assert price.iloc[0] == 0 and price.iloc[-1] == pytest.approx(second_of_may.change)
    assert price[brief["end"].iloc[1]] - price[brief["begin"].iloc[1]] == pytest.approx(
        brief["move"].iloc[1]
    )
    bars = impact.load_bars()
    assert price["2025-05-02 12:00"] == pytest.approx(
        np.log(bars["2025-05-02 12:00"] / bars["2025-05-01 16:00"])
    )


def test_news_stands_at_its_minute_or_between_its_bounds(second_of_may):
    news = second_of_may.news
    assert news.index.to_list() == ["mofcom-evaluating", "payrolls", "wsj-fentanyl-overture"]
    ends = news[["earliest", "latest"]].astype("str").to_numpy().tolist()
    assert ends == [
        ["2025-05-01 20:00:00", "2025-05-01 22:55:00"],
        ["2025-05-02 08:30:00", "2025-05-02 08:30:00"],
        ["2025-05-02 08:55:00", "2025-05-02 15:59:59"],
    ]
    assert news["release"].to_list() == [False, True, False]
    assert news["clock"].to_list() == [
        "between 20:00 and 22:55",
        "at 08:30",
        "between 08:55 and 15:59",
    ]
    assert news.loc["payrolls", "text"] == "payrolls (177 thousand; 138 expected)"
    pause = day("2025-04-09").news.loc["ninety-day-pause"]
    assert (pause["clock"], pause["text"]) == ("at 13:18", "90-day pause, China 125%")
    assert day("2025-05-12").news["clock"].iloc[0] == "about 03:15"
    # What ends after the close is drawn to the close, and the evening's news is not of this day.
    assert day("2025-04-02").news["latest"].le(pd.Timestamp("2025-04-02 16:00")).all()
    assert "liberation-day" in day("2025-04-03").news.index


@pytest.mark.parametrize(
    "session", ["2025-05-02", "2025-04-09", "2025-04-10", "2025-10-29", "2025-11-28", "2025-07-07"]
)
def test_the_day_draws_itself(session):
    found = day(session)
    figure = found.plot()
    assert_words_are_clear(figure)
    words = [text.get_text() for text in figure.texts]
    assert all(text in words for text in found.news["text"] + ", " + found.news["clock"])
    assert all(percent(move) in words for move in found.brief["move"])
    assert any(found.signature in word.replace("\n", " ") for word in words)
    mine = matplotlib.figure.Figure()
    assert found.plot(ax=mine.subplots()) is mine
