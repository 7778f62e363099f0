"""The days of tariff news in 2025: all of them, each at its estimate."""

import re

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

from impact.charts.page import GROUND, drawing
from impact.figures import reaction_days
from impact.inference.size import sizes
from impact.news.catalogue import load_events
from impact.news.kinds import MARKS
from impact.text.formats import out_of


def test_it_has_every_news_session_of_2025(made):
    rows = made("reaction-days").table
    ids = {name for cell in rows["announcements"] for name in cell.split("; ")}
    known = load_events(since="2025-01-01", until="2025-12-31")
    # An announcement after the last close of the year reacts in the next one.
    assert ids == set(known.index[known["news"]]) - {"furniture-increase-delayed"}
    assert rows["session"].is_monotonic_increasing and rows["session"].is_unique
    assert rows.loc[rows["session"] == "2025-05-02", "releases"].item() == "payrolls"
    n, outside = len(rows), int(rows["outside"].sum())
    assert f"{out_of(outside, n)} days" in made("reaction-days").alt


def rows_of(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    estimate = rng.normal(0, 0.02, n)
    return pd.DataFrame(
        {
            "session": pd.bdate_range("2025-01-27", periods=n, freq="6B"),
            "text": ["A label of twenty-eight chars"[:28]] * n,
            "releases": [["", "payrolls, FOMC"][i % 2] for i in range(n)],
            "kind": [list(MARKS)[i % 4] for i in range(n)],
            "confounded": rng.random(n) > 0.5,
            "outside": rng.random(n) > 0.5,
            "estimate": estimate,
            "ci_low_textbook": estimate - 0.02,
            "ci_high_textbook": estimate + 0.02,
            "ci_low_conditional": estimate - 0.03,
            "ci_high_conditional": estimate + 0.01,
        }
    )


@pytest.mark.parametrize("n", [1, 8, 60])
def test_a_row_has_one_marker_at_its_estimate(n):
    rows = rows_of(n)
    with drawing():
        figure = reaction_days.draw(rows)
    markers = {mark.marker for mark in MARKS.values()}
    lines = [line for ax in figure.axes for line in ax.lines]
    drawn = [line for line in lines if line.get_marker() in markers]
    assert [line.get_xdata()[0] for line in drawn] == rows["estimate"].to_list()
    hollow = [line.get_markerfacecolor() == GROUND for line in drawn]
    assert hollow == rows["confounded"].to_list()
    assert_words_are_clear(figure)


def test_the_columns_part_where_a_month_begins_and_hold_every_day_in_order(made):
    rows, figure = made("reaction-days").table, made("reaction-days").figure
    left, right = (round(ax.get_ylim()[0] + 0.5) for ax in figure.axes)
    assert left + right == len(rows) and abs(left - right) <= 10
    months = rows["session"].dt.month
    assert months[left - 1 : left + 1].nunique() == 2
    assert figure.get_size_inches()[1] <= 1.3 * figure.get_size_inches()[0]


def test_a_release_is_named_off_the_intervals_of_its_day(made):
    rows = made("reaction-days").table.reset_index(drop=True)
    named = [(ax, text) for ax in made("reaction-days").figure.axes for text in ax.texts]
    assert [text.get_text() for _, text in named] == rows.loc[
        rows["releases"] != "", "releases"
    ].to_list()
    for (ax, text), row in zip(named, rows[rows["releases"] != ""].itertuples(), strict=True):
        low = min(row.ci_low_textbook, row.ci_low_conditional)
        high = max(row.ci_high_textbook, row.ci_high_conditional)
        left, right = ax.transData.transform([(low, 0), (high, 0)])[:, 0]
        box = text.get_window_extent()
        assert box.x0 > right or box.x1 < left, row.text


@pytest.mark.parametrize(
    ("outside", "words"), [(1, "On only one of 40 days"), (5, "On five of 40")]
)
def test_no_more_than_chance_has_its_own_sentence(outside, words):
    rows = rows_of(40)
    rows["outside"] = np.arange(40) < outside
    title = reaction_days.title(rows)
    assert words in title and ("no more often than by chance (two)" in title) == (outside == 1)


def test_more_than_chance_is_said_with_its_p():
    rows = rows_of(59)
    rows["outside"] = np.arange(59) < 6
    rate = sizes("conditional_fhs", "gjr").mean()
    draws = np.random.default_rng(0).binomial(59, rate, 400_000)
    (said,) = re.findall(r"p = (0\.\d+)\)", reaction_days.title(rows))
    assert float(said) == pytest.approx((draws >= 6).mean(), abs=0.002)
    assert 0.06 < float(said) < 0.11
