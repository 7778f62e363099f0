"""Half hours and days side by side, against the studies that they come from."""

import pandas as pd
import pytest

import impact
from impact.figures import half_hours


@pytest.fixture(scope="module")
def drawn(made):
    return made("half-hours").table.set_index("event")


def test_published_half_hours_stand_in_their_row(drawn):
    assert 100 * drawn.loc["ninety-day-pause", "half_hour"] == pytest.approx(5.47, abs=0.02)
    assert 100 * drawn.loc["eu-50-threat", "half_hour"] == pytest.approx(-1.31, abs=0.02)
    assert drawn.loc["ninety-day-pause", "announced"] == "2025-04-09 13:18"
    assert drawn["announced"].is_monotonic_increasing


def test_the_day_is_that_of_the_announcement_with_the_interval_of_its_study(drawn):
    returns = impact.log_returns(impact.load_prices(start="1927-12-30"))
    # After the close of a Friday: the day is Monday.
    event = "china-100-threat"
    car = impact.event_study(returns, event).car(0).iloc[0]
    assert pd.Timestamp(drawn.loc[event, "session"]) == pd.Timestamp("2025-10-13")
    ours = drawn.loc[event, ["day", "day_low", "day_high", "day_p"]].to_list()
    theirs = ["estimate", "ci_low_conditional", "ci_high_conditional", "p_conditional"]
    assert ours == pytest.approx(car[theirs].to_list(), rel=1e-9)


def test_intervals_hold_their_estimates(drawn):
    for span in half_hours.SPANS:
        assert drawn[span].between(drawn[f"{span}_low"], drawn[f"{span}_high"]).all()


@pytest.mark.parametrize(
    ("half", "day", "words"),
    [
        (0.01, -0.01, "after two of two announcements, the whole day on none of one"),
        (-0.01, 0.01, "after none of two announcements, the whole day on one of one"),
    ],
)
def test_the_title_counts_both_and_a_day_once(half, day, words):
    rows = pd.DataFrame({"session": ["2025-04-07"] * 2})
    rows = rows.assign(half_hour_low=half, half_hour_high=0.02, day_low=day, day_high=0.1)
    assert words in half_hours.title(rows)
