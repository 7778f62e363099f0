"""The share of half hours: no p too small without news, planted shares in most intervals."""

import numpy as np
import pytest

from calibration import news_minutes
from calibration.news import LAWS
from calibration.news_minutes import HALF_HOUR, RATIOS, minutes_rows, planted
from calibration.rates import COLUMNS
from impact.inference.size import EXPERIMENTS


@pytest.fixture(scope="module")
def rows():
    return minutes_rows(replications=10)


def test_every_row_is_one_of_the_table_of_the_half_hours(rows):
    assert (*rows.columns,) == COLUMNS
    assert set(rows["experiment"]) == {"news-share", "news-choice"} <= set(EXPERIMENTS)
    assert (rows["window"] == HALF_HOUR).all() and rows["rate"].between(0, 1).all()
    assert rows["group"].str.match(r"\d+ half hours").all()


def test_half_hours_moved_to_days_without_news_reject_as_often_as_they_should(rows):
    size = rows[(rows["test"] == "news_share") & (rows["experiment"] == "news-share")]
    assert len(size) == 1 and size["rate"].item() < 0.2


def test_planted_shares_are_missed_more_often_where_few_windows_carry_them(rows):
    miss = rows[rows["test"] == "share interval"].set_index(["variance", "group"])["rate"]
    few, normal = (
        np.mean([miss[ratio].filter(like=law).item() for ratio in RATIOS])
        for law in ("effects in one window in ten", "normal effects")
    )
    assert normal < 0.17 and few > normal
    ranges = rows[rows["test"] == "range"]
    assert (ranges["rate"] < 0.10).all()


def test_choice_alone_raises_the_ratio(rows):
    ratio = rows[rows["experiment"] == "news-choice"].set_index("effect")["variance"]
    assert ratio[1.0] == pytest.approx(1, abs=0.5) and ratio[20.0] > 2.5


def test_what_the_interval_misses_lies_above_it(monkeypatch):
    found = []
    test = news_minutes.clock_share_of
    monkeypatch.setattr(
        news_minutes, "clock_share_of", lambda *given: found.append(test(*given)) or found[-1]
    )
    rng = np.random.default_rng(1)
    z, rows = rng.standard_normal((250, 22)), np.arange(5, 225, 10)
    missed = [planted(z, rows, rng, 10.0, LAWS["effects on one day in ten"])[0] for _ in range(60)]
    above = [one.detail["ci_high"] < 0.9 for one in found]
    assert sum(above) == sum(missed) > 10
