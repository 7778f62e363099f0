"""The hours around the best-timed announcements: chosen without looking at moves."""

import numpy as np
import pandas as pd
import pytest

from impact.figures import hour_by_hour
from impact.figures.common import hour_study
from impact.market.bars import load_bars


@pytest.fixture(scope="module")
def data():
    return hour_by_hour.data()


def test_paths_are_those_of_the_bars(made):
    bars, paths = load_bars(), made("hour-by-hour").table
    assert paths["event"].nunique() == 10
    for _, path in paths.groupby("event"):
        path = path.set_index("minute")
        assert path.index[0] == -60 and path.index[-1] == 180 and path.loc[0, "path"] == 0
        ratio = bars[f"{path.loc[35, 'time']}"] / bars[f"{path.loc[0, 'time']}"]
        assert path.loc[35, "path"] == pytest.approx(np.log(ratio))


def test_they_are_chosen_by_how_long_they_can_be_followed(data):
    rows = hour_study().table
    exact = rows[(rows["minute"] == "exact") & rows["sigma"].notna() & rows["p_value"].notna()]
    assert data.of == len(exact)
    steps = data.paths.groupby("event")["band_low"].count()
    assert set(steps.index) <= set(exact.index)
    others = exact.drop(steps.index)
    others = others[others["hour_before_p"].notna()]
    most = [hour_study().path(event)["low"].count() for event in others.index]
    assert steps.min() > max(most)
    assert data.rows["sigma"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("low", "words"),
    [(0.001, "in two cases; chance gives one in twenty"), (-0.001, "in no cases, as chance")],
)
def test_the_title_counts_what_left_its_range(low, words):
    rows = pd.DataFrame({"ci_low": [low, low], "ci_high": [0.002, 0.002]})
    assert words in hour_by_hour.title(hour_by_hour.Hours(rows, pd.DataFrame(), 2))
