"""The range of an effect holds what was planted; choosing days by their moves raises the ratio."""

import pytest

from calibration.news import news_rows
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.volatility.forecast import conditional_z


@pytest.fixture(scope="module")
def rows():
    z = conditional_z(log_returns(load_prices())).loc[:"2017", "z"].to_numpy()
    return news_rows(z, replications=60)


def test_ranges_miss_at_most_one_in_twenty(rows):
    ranges = rows[rows["test"] == "range"]
    assert len(ranges) == 6 and (ranges["rate"] <= 0.05).all()


def test_choice_alone_makes_a_ratio_of_three(rows):
    ratio = rows[rows["experiment"] == "news-choice"].set_index(["group", "effect"])["variance"]
    for group in ("59 of 250 sessions", "27 of 502 sessions"):
        assert ratio[group, 1.0] == pytest.approx(1, abs=0.25)
        assert ratio[group, 8.0] > 2.2 and ratio[group, 20.0] > 3.2
