"""Who was hit: numbers against the data, words against the numbers."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from pictures import assert_words_are_clear, texts_of

from impact.charts.paths import Panel
from impact.figures import sector_reactions
from impact.figures.common import sector_study
from impact.market.prices import SECTORS, load_prices
from impact.market.returns import log_returns
from impact.news.kinds import MARKS
from impact.text.formats import MINUS


@pytest.fixture(scope="module")
def reactions(made):
    return made("sector-reactions")


@pytest.fixture(scope="module")
def data():
    return sector_reactions.data()


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
        "2026-02-20",
    ]
    assert table["session"].drop_duplicates().dt.strftime("%Y-%m-%d").to_list() == days
    for _, rows in table.groupby("event"):
        assert rows["security"].iloc[0] == "portfolio"
        assert sorted(rows["security"].iloc[1:]) == list(SECTORS)


def test_sector_moves_are_what_beta_times_the_index_leaves(reactions):
    returns, index = (log_returns(load_prices(name)) for name in ("sectors", "^GSPC"))
    index = index[returns.index]
    for row in reactions.table.query("security != 'portfolio'").itertuples():
        day = returns.index.get_loc(row.session)
        past, own = index.iloc[day - 260 : day - 10], returns[row.security]
        slope, level = np.polyfit(past, own.iloc[day - 260 : day - 10], 1)
        expected = own.iloc[day] - level - slope * index.iloc[day]
        assert row.estimate == pytest.approx(expected, abs=1e-12)


def test_the_portfolio_is_the_average_less_its_mean_with_its_conditional_p(reactions):
    returns = log_returns(load_prices("sectors")).mean(axis=1)
    car = sector_study().portfolio().car(0).set_index("session")
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
    framed = [box for box in boxes if not box.get_facecolor()[3]]
    assert len(framed) == (rows["p"] <= 0.05).sum() == rows["stands_out"].sum()
    filled = [box for box in boxes if box.get_facecolor()[3]]
    assert len(filled) == len(rows)
    # More blue than red ahead of the portfolio, more red behind it; cells lie row by row.
    lean = [box.get_facecolor()[2] - box.get_facecolor()[0] for box in filled]
    drawn = rows.assign(row=rows.groupby("event").cumcount()).sort_values(["row", "session"])
    assert all(np.sign(drawn["z"]).eq(np.sign(lean)) | (drawn["z"].abs() < 0.05))


def test_the_title_is_counted_from_the_table(reactions):
    single = reactions.table.query("security != 'portfolio'")
    assert not single["stands_out"].any()
    nearest = single.loc[single["p"].idxmin()]
    assert (nearest["sector"], nearest["session"].isoformat()[:10]) == ("Energy", "2025-04-03")
    assert reactions.alt.startswith("On none of ten core days does a sector clearly stand out")
    low, high = nearest["largest_p_low"], nearest["largest_p_high"]
    assert low <= 0.05 < nearest["p"] < high
    border = f"energy on 3 April 2025 is at the border (p {low:.3f} to {high:.3f})."
    assert border in reactions.alt


def test_the_picture_says_where_few_earlier_days_had_such_a_market_move(data):
    subtitle = sector_reactions.words(data).subtitle
    assert "Fewer than 25 earlier days" in subtitle and "3 April 2025 (3)" in subtitle
    assert "50 to 400 earlier days in place of 100" in subtitle
    many = replace(data, moves=replace(data.moves, as_large=data.moves.as_large + 25))
    assert "Fewer than" not in sector_reactions.words(many).subtitle


def test_a_p_that_is_not_at_the_border_is_only_the_nearest(data):
    same = data.moves.by_pool.clip(lower=0.06)
    title = sector_reactions.title(replace(data, moves=replace(data.moves, by_pool=same)))
    assert "energy comes nearest, on 3 April 2025 (p = 0.059)" in title


def test_a_cell_is_framed_by_its_own_step_down_p(data):
    p = data.moves.p_adjusted * 0 + 0.06
    p.loc["busan-summit", "XLB"] = 0.05
    cells = sector_reactions.cells(replace(data, moves=replace(data.moves, p_adjusted=p)))
    framed = cells[cells["framed"] & (cells["security"] != "portfolio")]
    assert framed[["event", "name"]].to_numpy().tolist() == [["busan-summit", "Materials"]]


def test_the_opposite_finding_has_its_own_sentence(data):
    p, largest = data.moves.p_adjusted.copy(), data.moves.p_max.copy()
    p.loc["liberation-day", ["XLE", "XLP"]] = largest["liberation-day"] = 0.01
    other = replace(data, moves=replace(data.moves, p_adjusted=p, p_max=largest))
    title = sector_reactions.title(other)
    assert title.startswith("Sectors stand out beyond their betas on one of ten core days")
    assert title.endswith("on 3 April 2025: consumer staples ahead, energy behind")


@pytest.mark.parametrize("name", ["sector-reactions", "sector-paths"])
def test_words_say_data_model_window_and_n(name, made):
    words = " ".join(text.get_text() for text in texts_of(made(name).figure)).replace("\n", " ")
    assert "data/sectors.csv (" in words and "sp500.csv" not in words
    assert f"figures/{name}.csv" in words
    assert "GJR-GARCH" in words and "beta times the S&P 500" in words and "n = 10" in words


# -- the chart on other data ---------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 4, 9])
def test_a_table_of_other_data_stays_readable(data, columns):
    rng = np.random.default_rng(columns)
    shape = data.moves.z.shape
    moves = replace(
        data.moves,
        z=data.moves.z * 0 + rng.normal(0, 5, shape),
        estimate=data.moves.estimate * 0 + rng.normal(0, 0.05, shape),
        p_adjusted=data.moves.p_adjusted * 0 + rng.uniform(0, 0.1, shape),
    )
    shown = list(data.heads)[:columns]
    for name in ("z", "estimate", "p_adjusted", "p_max"):
        moves = replace(moves, **{name: getattr(moves, name).loc[shown]})
    note = "A rather long label +2\nwith payrolls"
    heads = {event: Panel("30 Sep", note, MARKS["easing"]) for event in shown}
    other = replace(data, heads=heads, car=data.car.loc[shown], moves=moves)
    assert_words_are_clear(sector_reactions.draw(other))
