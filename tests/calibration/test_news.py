"""The range of an effect holds what was planted; choosing days by their moves raises the ratio."""

import numpy as np
import pytest

from calibration.news import LAWS, PERIODS, news_rows, real_spacing
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.volatility.forecast import conditional_z


@pytest.fixture(scope="module")
def rows():
    z = conditional_z(log_returns(load_prices())).loc[:"2017", "z"].to_numpy()
    return news_rows(z, replications=60)


def test_ranges_miss_at_most_one_in_twenty(rows):
    ranges = rows[(rows["test"] == "range") & rows["group"].isin(PERIODS)]
    assert len(ranges) == 6 and (ranges["rate"] <= 0.05).all()


def test_choice_alone_makes_a_ratio_of_three(rows):
    ratio = rows[rows["experiment"] == "news-choice"].set_index(["group", "effect"])["variance"]
    for group in ("59 of 250 sessions", "27 of 502 sessions"):
        assert ratio[group, 1.0] == pytest.approx(1, abs=0.25)
        assert ratio[group, 8.0] > 2.2 and ratio[group, 20.0] > 3.2


def test_a_few_large_effects_make_the_interval_of_the_share_too_narrow(rows):
    shares = rows[(rows["test"] == "share interval") & (rows["variance"] == 3.0)]
    miss = shares.set_index("group")["rate"]
    for period in PERIODS:
        assert miss[f"{period}, normal effects"] < 0.09
        assert miss[f"{period}, effects on one day in ten"] > 0.09
    assert miss["27 of 502 sessions, effects of t(3)"] > 0.10


@pytest.mark.parametrize("law", LAWS)
def test_planted_effects_have_mean_zero_and_variance_one(law):
    at = np.arange(0, 400_000, 8)
    drawn = LAWS[law](at, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(0, abs=0.03)
    assert drawn.var() == pytest.approx(1, abs=0.08)


def test_effects_lie_where_the_news_of_the_catalogue_did():
    for first, last, (n, length) in (
        ("2025-01-01", "2025-12-31", (59, 250)),
        ("2018-01-01", "2019-12-31", (27, 503)),
    ):
        at, sessions = real_spacing(first, last)
        assert (len(at), sessions) == (n, length)
