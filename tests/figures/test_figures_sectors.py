"""The figures of the sectors: their numbers against the data, their words against their numbers."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from pictures import assert_words_are_clear, texts_of

from impact.charts import panels
from impact.charts.series import Panel
from impact.charts.style import GROUND, INK, MARKS, Words
from impact.figures import sectors
from impact.inference.who_was_hit import relative_moves
from impact.market.prices import SECTORS, load_prices
from impact.market.returns import log_returns
from impact.text.formats import MINUS

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")


@pytest.fixture(scope="module")
def reactions():
    return sectors.sector_reactions()


@pytest.fixture(scope="module")
def paths():
    return sectors.sector_paths()


@pytest.fixture(scope="module")
def apart():
    """Log returns of the funds less their average, without the code that drew the pictures."""
    returns = log_returns(load_prices("sectors"))
    return returns.sub(returns.mean(axis=1), axis=0)


def drawn_texts(figure):
    return [text.get_text() for text in texts_of(figure)]


# -- sector-reactions ----------------------------------------------------------------------------


def test_every_core_session_within_the_data_has_the_portfolio_and_eleven_sectors(reactions):
    table = reactions.table
    days = [
        "2025-02-03",
        "2025-02-04",
        "2025-04-03",
        "2025-04-09",
        "2025-04-10",
        "2025-05-02",
        "2025-05-12",
        "2025-10-10",
        "2025-10-30",
    ]
    assert table["session"].drop_duplicates().dt.strftime("%Y-%m-%d").to_list() == days
    for _, rows in table.groupby("event"):
        assert rows["security"].iloc[0] == "portfolio"
        assert sorted(rows["security"].iloc[1:]) == list(SECTORS)


def test_sector_moves_are_returns_less_their_average(reactions, apart):
    for row in reactions.table.query("security != 'portfolio'").itertuples():
        assert row.estimate == pytest.approx(apart.loc[row.session, row.security], abs=1e-12)


def test_the_portfolio_is_the_average_less_its_mean_with_its_conditional_p(reactions):
    returns = log_returns(load_prices("sectors")).mean(axis=1)
    car = sectors.sector_study().portfolio().car(0).set_index("session")
    for row in reactions.table.query("security == 'portfolio'").itertuples():
        day = returns.index.get_loc(row.session)
        expected = returns.iloc[day] - returns.iloc[day - 260 : day - 10].mean()
        assert row.estimate == pytest.approx(expected, abs=1e-12)
        assert row.p == car.loc[row.session, "p_conditional"]


def test_cells_are_coloured_by_z_written_in_percent_and_framed_where_p_is_small(reactions):
    ax = reactions.figure.axes[0]
    texts = {text.get_text() for text in ax.texts}
    rows = reactions.table
    for move in rows.query("security != 'portfolio'")["estimate"]:
        sign = MINUS if move < 0 else "+"
        size = f"{100 * abs(move):.1f}%"
        assert size == "0.0%" or sign + size in texts
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    hatched = [box for box in boxes if box.get_hatch()]
    assert len(hatched) == (rows["p"] <= 0.05).sum() == rows["stands_out"].sum()
    filled = [box for box in boxes if box.get_facecolor()[3]]
    assert len(filled) == len(rows)
    # More blue than red ahead of the portfolio, more red behind it; cells lie row by row.
    lean = [box.get_facecolor()[2] - box.get_facecolor()[0] for box in filled]
    drawn = rows.assign(row=rows.groupby("event").cumcount()).sort_values(["row", "session"])
    assert all(np.sign(drawn["z"]).eq(np.sign(lean)) | (drawn["z"].abs() < 0.05))


def test_numbers_in_frames_stand_on_white(reactions):
    framed = [text for text in reactions.figure.axes[0].texts if text.get_bbox_patch()]
    assert len(framed) == reactions.table["stands_out"].sum()
    assert all(text.get_color() == INK and text.get_weight() == "bold" for text in framed)


def test_the_title_of_the_reactions_is_counted_from_the_table(reactions):
    single = reactions.table.query("security != 'portfolio'")
    found = single.groupby("event")["stands_out"].any()
    assert reactions.alt.startswith(f"Sectors stood out on {found.sum()} of {len(found)} core")
    named = set(single.loc[single["session"].eq("2025-04-03") & single["stands_out"], "sector"])
    title = reactions.alt.split(". ")[0]
    assert named == {name for name in single["sector"].unique() if name.lower() in title}


def test_a_cell_is_framed_by_its_own_step_down_p():
    moves = relative_moves(sectors.sector_study())
    p = moves.p_adjusted * 0 + 0.06
    p.loc["busan-summit", "XLB"] = 0.05
    cells = sectors._sector_cells(dataclasses.replace(moves, p_adjusted=p), p.columns)
    assert cells.apart.sum().sum() == 1 and cells.apart.loc["Materials", "busan-summit"]


def test_the_opposite_finding_has_its_own_sentence():
    study = sectors.sector_study()
    moves, sessions = relative_moves(study), study.alignment["session"]
    none = dataclasses.replace(moves, p_adjusted=moves.p_adjusted + 1, p_max=moves.p_max + 1)
    assert sectors._reactions_title(none, sessions).startswith("On none of 9 core sessions")


# -- sector-paths --------------------------------------------------------------------------------


def test_paths_are_running_sums_that_are_zero_on_the_eve(paths, apart):
    level = apart.cumsum()
    for (session, security), path in paths.table.groupby(["session", "security"]):
        day = apart.index.get_loc(session)
        around = level[security].iloc[day - 5 : day + 6] - level[security].iloc[day - 1]
        np.testing.assert_allclose(path["path"], around, atol=1e-12)
        assert path["relative_session"].to_list() == list(range(-5, 6))


def test_sectors_are_tested_from_session_zero_on_as_in_the_heat_map(paths, reactions):
    before = paths.table["relative_session"] < 0
    assert paths.table.loc[before, "p_adjusted"].isna().all()
    assert not paths.table.loc[before, "stands_out"].any()
    one = paths.table.query("relative_session == 0").set_index(["event", "security"])["p_adjusted"]
    other = reactions.table.query("security != 'portfolio'").set_index(["event", "security"])["p"]
    pd.testing.assert_series_equal(one.sort_index(), other.sort_index(), check_names=False)


def test_a_name_and_dots_for_each_sector_that_stands_out_and_grey_for_the_rest(paths):
    found = paths.table[paths.table["stands_out"]]
    axes = [ax for ax in paths.figure.axes if ax.lines]
    for ax, (event, rows) in zip(axes, paths.table.groupby("event", sort=False), strict=True):
        names = found.loc[found["event"] == event, "sector"].unique()
        short = {sectors.SHORT.get(name, name) for name in names}
        words = {text.get_text() for text in ax.texts}
        assert words == (short or {"none\nstands out"}), event
        dots = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o")
        assert dots == rows["stands_out"].sum()
        full = [line for line in ax.lines if len(line.get_xdata()) == 11]
        assert len(full) == 11
        hues = {MARKS["easing"].colour, MARKS["escalation"].colour}
        assert sum(line.get_color() in hues for line in full) == len(names)


def test_the_title_of_the_paths_counts_what_lasted(paths):
    by_day = {
        day: rows.set_index(["event", "security"])["stands_out"]
        for day, rows in paths.table.groupby("relative_session")
    }
    n, still = int(by_day[0].sum()), int((by_day[0] & by_day[5]).sum())
    assert re.match(rf"Of {n} sector moves .*, {still} still stood out 5 sessions", paths.alt)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(False, False, "No sector stood out"), (True, True, "all still"), (True, False, "none still")],
)
def test_each_outcome_of_the_paths_has_its_sentence(paths, first, last, words):
    table = paths.table.copy()
    table.loc[table["relative_session"] == 0, "stands_out"] = first
    table.loc[table["relative_session"] == 5, "stands_out"] = last
    assert words in sectors._paths_title(table)


def test_a_sector_that_stands_out_only_later_does_not_count_as_lasting(paths):
    table = paths.table.assign(stands_out=False)
    both = table["event"].eq("geneva-truce") & table["security"].isin(["XLE", "XLF"])
    table.loc[both & table["relative_session"].eq(0), "stands_out"] = True
    later = table["event"].eq("geneva-truce") & table["security"].isin(["XLF", "XLK", "XLV"])
    table.loc[later & table["relative_session"].eq(5), "stands_out"] = True
    assert "Of 2 sector moves" in sectors._paths_title(table)
    assert ", 1 still stood out" in sectors._paths_title(table)


# -- both ----------------------------------------------------------------------------------------


def test_words_are_clear_and_say_data_model_window_and_n(reactions, paths):
    for exhibit in (reactions, paths):
        assert exhibit.figure.get_size_inches()[0] * exhibit.figure.dpi == 1600
        assert_words_are_clear(exhibit.figure)
        words = " ".join(drawn_texts(exhibit.figure)).replace("\n", " ")
        assert "data/sectors.csv (" in words and "sp500.csv" not in words
        assert f"figures/{exhibit.name}.csv" in words
        assert "exponentially weighted" in words and "n = 9" in words


# -- the charts on other data --------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 4, 9])
def test_a_heat_map_of_other_data_stays_readable(columns):
    rng = np.random.default_rng(columns)
    heads = {
        f"e{i}": Panel("30 Sep", "A rather long label +2\nwith payrolls", "easing")
        for i in range(columns)
    }

    def cells(names):
        z = pd.DataFrame(rng.normal(0, 5, (len(names), columns)), names)
        return panels.Cells(z, z.map(lambda value: f"{value:+.1f}%"), z.abs() > 4)

    chart = panels.heat_map(
        WORDS,
        heads,
        cells(["All of\nthem"]),
        cells(list("abcdef")),
        ("p", ["0.123"] * columns),
        "p at most 0.05",
    )
    assert_words_are_clear(chart)


def test_letters_contrast_with_every_colour_of_the_scale():
    for share in np.linspace(0, 1, 41):
        ground = panels._colours()(share)
        assert max(panels._contrast(INK, ground), panels._contrast(GROUND, ground)) > 3.8
    assert panels._contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_names_at_the_ends_of_lines_never_touch_and_keep_their_order():
    rng = np.random.default_rng(5)
    for _ in range(200):
        wanted = np.sort(rng.uniform(0, 150, rng.integers(1, 9)))
        spread = panels._spread(wanted, 27)
        assert (np.diff(spread) >= 27 - 1e-9).all()
        assert spread.mean() == pytest.approx(wanted.mean())
    np.testing.assert_array_equal(panels._spread([0, 100, 200], 27), [0, 100, 200])
    # Three that touch: the middle one stays, the others give way by the same amount.
    np.testing.assert_allclose(panels._spread([9, 10, 11], 27), [-17, 10, 37])


def test_lines_that_all_stand_out_are_all_named():
    days, names = np.arange(-5, 6), [f"Sector {i}" for i in range(9)]
    rows = [
        {
            "event": event,
            "name": name,
            "relative_session": day,
            "path": 0.002 * i * (day + 1),
            "stands_out": event == "one" and day >= 0,
        }
        for event in ("one", "two")
        for i, name in enumerate(names)
        for day in days
    ]
    heads = {event: Panel(event, "3 April 2025", "plain") for event in ("one", "two")}
    chart = panels.line_panels(WORDS, pd.DataFrame(rows), heads)
    assert {text.get_text() for text in chart.axes[0].texts} == set(names)
    assert_words_are_clear(chart)
