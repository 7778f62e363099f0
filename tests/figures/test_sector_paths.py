"""The paths of the sectors: numbers against the data, words against the numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

from impact.charts.page import COOL, WARM, drawing
from impact.charts.paths import Panel
from impact.figures import sector_paths
from impact.market.prices import load_prices
from impact.market.returns import log_returns


@pytest.fixture(scope="module")
def paths(made):
    return made("sector-paths")


@pytest.fixture(scope="module")
def data():
    return sector_paths.data()


def test_paths_are_running_sums_beyond_beta_that_are_zero_the_evening_before(paths):
    returns, index = (log_returns(load_prices(name)) for name in ("sectors", "^GSPC"))
    index = index[returns.index]
    for (session, security), path in paths.table.groupby(["session", "security"]):
        day, own = returns.index.get_loc(session), returns[security]
        past = slice(day - 260, day - 10)
        slope, level = np.polyfit(index.iloc[past], own.iloc[past], 1)
        around = (own - level - slope * index).iloc[day - 5 : day + 6].cumsum()
        np.testing.assert_allclose(path["path"], around - around.iloc[4], atol=1e-12)
        assert path["relative_session"].to_list() == list(range(-5, 6))


def test_sectors_are_tested_from_session_zero_on_as_in_the_heat_map(paths, made):
    before = paths.table["relative_session"] < 0
    assert paths.table.loc[before, "p_adjusted"].isna().all()
    assert not paths.table.loc[before, "stands_out"].any()
    keys = ["event", "security"]
    one = paths.table.query("relative_session == 0").set_index(keys)["p_adjusted"]
    table = made("sector-reactions").table
    other = table.query("security != 'portfolio'").set_index(keys)["p"]
    pd.testing.assert_series_equal(one.sort_index(), other.sort_index(), check_names=False)


def test_a_name_and_dots_for_each_sector_that_stands_out_and_grey_for_the_rest(paths):
    found = paths.table[paths.table["stands_out"]]
    parts = list(paths.table.groupby("event", sort=False))
    # Those in which something stands out are drawn first, and larger.
    parts.sort(key=lambda part: part[0] not in set(found["event"]))
    for ax, (event, rows) in zip(paths.figure.axes, parts, strict=True):
        names = found.loc[found["event"] == event, "sector"].unique()
        short = {sector_paths.SHORT.get(name, name) for name in names}
        words = {text.get_text() for text in ax.texts}
        assert words == short, event
        looks = {(line.get_color(), line.get_marker()) for line in ax.lines} - {(None, "None")}
        dots = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() in "^v")
        # Ahead and behind differ by more than the hue.
        assert {look for look in looks if look[1] != "None"} <= {(COOL, "^"), (WARM, "v")}
        assert dots == rows["stands_out"].sum()
        full = [line for line in ax.lines if len(line.get_xdata()) == 11]
        assert len(full) == 11
        coloured = [line for line in full if line.get_color() in (WARM, COOL)]
        assert len(coloured) == len(names)
        ahead = rows.set_index(["sector", "relative_session"])["path"]
        last = found[found["event"] == event].groupby("sector")["relative_session"].max()
        for name, day in last.items():
            (line,) = (line for line in coloured if np.array_equal(line.get_ydata(), ahead[name]))
            assert line.get_color() == (COOL if ahead[name, day] >= 0 else WARM), name


def test_the_title_counts_what_stood_out_later(paths):
    found = paths.table[paths.table["stands_out"]]
    assert found["relative_session"].min() > 0
    assert set(found["event"]) == {"liberation-day"}
    assert paths.alt.startswith("No sector stood out beyond its beta on the day of a core event")
    assert "; counting the days after, some did in one of ten." in paths.alt


def test_the_subtitle_counts_events_with_a_triangle_and_those_due_by_chance(data, monkeypatch):
    monkeypatch.setattr(sector_paths, "some_day_rate", lambda: 0.15)
    said = sector_paths.words(data).subtitle
    assert "0.5 of the 10 would have one on any one day, 1.5 on some of days 1 to 5" in said
    assert "(15.0%); here 1 has (3 April 2025)." in said
    monkeypatch.setattr(sector_paths, "some_day_rate", lambda: float("nan"))
    assert "on any one day; here 1 has" in sector_paths.words(data).subtitle
    none = replace(data, paths=data.paths.assign(stands_out=False))
    assert "here 0 have." in sector_paths.words(none).subtitle


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (False, False, "No sector stood out"),
        (True, True, "all also did"),
        (True, False, "none also did"),
    ],
)
def test_each_outcome_has_its_sentence(data, first, last, words):
    table = data.paths.copy()
    table.loc[table["relative_session"] == 0, "stands_out"] = first
    table.loc[table["relative_session"] == 5, "stands_out"] = last
    assert words in sector_paths.title(replace(data, paths=table))


def test_a_sector_that_stands_out_only_later_does_not_count_as_lasting(data):
    table = data.paths.assign(stands_out=False)
    both = table["event"].eq("geneva-truce") & table["security"].isin(["XLE", "XLF"])
    table.loc[both & table["relative_session"].eq(0), "stands_out"] = True
    later = table["event"].eq("geneva-truce") & table["security"].isin(["XLF", "XLK", "XLV"])
    table.loc[later & table["relative_session"].eq(5), "stands_out"] = True
    title = sector_paths.title(replace(data, paths=table))
    assert "Of two sector moves" in title and ", one also did so" in title


# -- the chart on other data ---------------------------------------------------------------------


def test_names_at_the_ends_of_lines_never_touch_and_keep_their_order():
    rng = np.random.default_rng(5)
    for _ in range(200):
        wanted = np.sort(rng.uniform(0, 150, rng.integers(1, 9)))
        spread = sector_paths.spread(wanted, 27)
        assert (np.diff(spread) >= 27 - 1e-9).all()
        assert spread.mean() == pytest.approx(wanted.mean())
    np.testing.assert_allclose(sector_paths.spread([0, 100, 200], 27), [0, 100, 200])
    # Three that touch: the middle one stays, the others give way by the same amount.
    np.testing.assert_allclose(sector_paths.spread([9, 10, 11], 27), [-17, 10, 37])


def test_lines_that_all_stand_out_are_all_named():
    days, names = np.arange(-5, 6), [f"Sector {i}" for i in range(9)]
    rows = [
        {
            "event": event,
            "sector": name,
            "security": name,
            "relative_session": day,
            "path": 0.002 * i * (day + 1),
            "stands_out": event == "one" and day >= 0,
        }
        for event in ("one", "two")
        for i, name in enumerate(names)
        for day in days
    ]
    heads = {event: Panel(event, "3 April 2025") for event in ("one", "two")}
    with drawing():
        chart = sector_paths.draw(sector_paths.Paths(pd.DataFrame(rows), heads, 100))
    assert {text.get_text() for text in chart.axes[0].texts} == set(names)
    assert_words_are_clear(chart)
