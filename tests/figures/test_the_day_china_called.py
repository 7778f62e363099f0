"""The day of 2 May 2025 against its published parts, and both readings of its title."""

from dataclasses import replace

import pandas as pd
import pytest

from impact.figures import the_day_china_called as picture
from impact.market.bars import load_bars


def test_parts_and_prices_are_those_of_the_bars(made):
    table = made("the-day-china-called").table
    parts = table[table["what"] == "part"].set_index("name")["move"]
    published = [-0.23, 0.62, 0.05, 0.74, -0.07, 0.34]
    assert [*(100 * parts)] == pytest.approx(published, abs=0.02)
    bars = load_bars()
    price = table[table["what"] == "price"].set_index("begin")["move"]
    assert len(price) == len(bars["2025-05-01 16:00":"2025-05-02 16:00"])
    assert price["2025-05-02 16:00"] == pytest.approx(parts.sum())
    news = table[table["what"] == "news"]
    assert news["begin"].to_list() == ["2025-05-01 20:00", "2025-05-02 08:30", "2025-05-02 08:55"]


def test_china_and_the_release_keep_their_looks(made):
    (ax,) = made("the-day-china-called").figure.axes
    assert len(ax.patches) == 2
    words = [text.get_text() for text in made("the-day-china-called").figure.texts]
    assert "easing or talks" in words and "economic release" in words
    assert any("payrolls (177 thousand; 138 expected)" in word for word in words)


def test_the_title_says_what_came_when():
    found = picture.data()
    title = picture.title(found)
    assert title.startswith("Of the S&P 500's +1.45% on 2 May 2025, +0.62% came overnight")
    fall = replace(found, table=found.table.assign(move=-found.table["move"]))
    title = picture.title(fall)
    assert title.startswith("The S&P 500 moved −1.45% on 2 May 2025: −0.62% overnight")
    assert pd.Series([title]).str.contains("−0.74% in the half hour after the jobs report").all()
