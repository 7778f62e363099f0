"""The smallest moves against the study's own columns."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns

import impact
from impact.figures import how_small_a_move as picture
from impact.text.formats import percent


@pytest.fixture(scope="module")
def data():
    return picture.data()


def test_one_close_is_what_a_study_of_that_day_says(data):
    returns = impact.log_returns(impact.load_prices(start="1927-12-30"))
    for session in ("2025-04-09", "2025-08-19"):
        car = impact.event_study(returns, [session]).car(0).iloc[0]
        assert data.sessions.loc[session, "close"] == pytest.approx(car["smallest_detectable"])


def test_half_an_hour_is_the_median_of_what_intraday_studies_of_that_day_say(data):
    session = "2025-08-19"
    times = pd.date_range(f"{session} 09:30", f"{session} 15:30", freq="5min")
    events = {f"{time:%H:%M}": f"{time:%Y-%m-%dT%H:%M}" for time in times}
    table = impact.intraday_study(impact.load_bars(), events).table
    smallest = table["smallest_detectable"]
    assert smallest.notna().all()
    assert data.sessions.loc[session, "half_hour"] == pytest.approx(smallest.median())


def test_medians_are_those_of_the_thirds_and_stand_in_the_words(data, made):
    volatility = index_returns().rolling(22).std().shift(1) * np.sqrt(252)
    np.testing.assert_allclose(data.sessions["volatility"], volatility[data.sessions.index])
    third = data.sessions["volatility"].rank(method="first").sub(1).mul(3) // len(data.sessions)
    for number, part in data.sessions.groupby(third):
        for way in picture.WAYS:
            median = part[way].median()
            assert data.medians.loc[int(number), way] == pytest.approx(median)
            assert percent(median, 2, signed=False) in made("how-small-a-move").alt


def test_the_title_says_which_is_smaller(data):
    assert picture.title(data).startswith(
        "Since 2025 half an hour shows smaller moves than one close"
    )
    turned = data.medians.rename(columns={"close": "half_hour", "half_hour": "close"})
    title = picture.title(picture.Smallest(data.sessions, turned))
    assert title.startswith("Since 2025 half an hour shows no smaller moves than one close")
