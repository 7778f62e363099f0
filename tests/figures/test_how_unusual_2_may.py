"""Twenty years of standardised moves: every one counted, the marked ones named."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

from impact.charts.page import drawing
from impact.figures import how_unusual_2_may
from impact.figures.common import index_returns
from impact.inference import conditional_fhs, implied_t
from impact.market.prices import load_prices, load_vix
from impact.market.returns import simple_returns
from impact.news.alignment import align
from impact.study.event_study import event_study


def test_it_counts_what_its_table_holds(made):
    table = made("how-unusual-2-may").table.set_index("session")
    z = table.loc[table["z"].notna(), "z"]
    assert z.index[-1] - z.index[0] > pd.Timedelta(days=7300)
    share = (z >= z["2025-05-02"]).mean()
    assert f"on {100 * share:.0f}% of days" in made("how-unusual-2-may").alt
    assert set(z.index[table["marked"]].strftime("%Y-%m-%d")) == {
        "2025-04-09",
        "2025-05-02",
        "2025-10-10",
    }
    rises = simple_returns(load_prices())
    moves = rises[z.index]
    in_percent = (moves >= moves["2025-05-02"]).mean()
    assert f"in percent, {100 * in_percent:.1f}% did" in made("how-unusual-2-may").alt
    assert ((z > 0.5) <= (rises.reindex(z.index) > 0)).all()


@pytest.mark.parametrize(
    ("as_far", "words"),
    [
        (
            160,
            "ordinary day: by that measure 16% of days saw as large a rise; in percent, 6.9% did",
        ),
        (3, "only 3 of 1,000"),
    ],
)
def test_an_ordinary_day_and_an_unusual_one_have_their_sentences(as_far, words):
    day = {"session": pd.Timestamp("2025-05-02"), "value": 1.0, "as_far": as_far}
    marks = pd.DataFrame([day | {"in_percent": 0.069}])
    z, p = pd.Series(np.zeros(1_000)), pd.DataFrame()
    data = how_unusual_2_may.Unusual(z, marks, p, 0.03, 0.01)
    assert words in how_unusual_2_may.title(data)


@pytest.mark.parametrize("values", [(0.9, 2.5, -5.1), (0.1, 0.2, 0.15), (-3.9, -4.0, 3.9)])
def test_every_value_is_counted_and_the_texts_stay_apart(values):
    days = pd.bdate_range("2009-01-01", periods=4000)
    z = pd.Series(np.random.default_rng(1).standard_t(5, 4000).clip(-6, 6), days)
    marks = pd.DataFrame(
        {
            "session": days[-3:],
            "as_far": [1, 2, 3],
            "value": values,
            "kind": ["easing", "both", "escalation"],
            "text": [f"{value}: a label\nof two lines" for value in values],
        }
    )
    p = pd.DataFrame(
        np.linspace(0.001, 1, 12).reshape(3, 4), marks.index, ["GJR-GARCH", "GARCH", "EWMA", "VIX"]
    )
    data = how_unusual_2_may.Unusual(z, marks.assign(in_percent=0.069), p, 0.029, 0.01)
    with drawing():
        figure = how_unusual_2_may.draw(data)
    dots = [line for line in figure.axes[1].lines if line.get_marker() in how_unusual_2_may.MARKERS]
    assert [line.get_xdata()[0] for line in dots] == p.to_numpy().ravel().tolist()
    assert sum(bar.get_height() for bar in figure.axes[0].containers[0]) == len(z)
    assert_words_are_clear(figure)


@pytest.mark.parametrize("day", ["2025-05-02", "2025-04-09", "2025-10-10"])
def test_the_four_p_of_a_day_are_those_of_its_studies(made, day):
    (event,) = [
        name
        for name in how_unusual_2_may.SHOWN
        if align(name, index_returns().index)["session"].item() == pd.Timestamp(day)
    ]
    row = made("how-unusual-2-may").table.set_index("session").loc[day]
    for model, name in (("gjr", "GJR-GARCH"), ("garch", "GARCH"), ("ewma", "EWMA")):
        study = event_study(index_returns(), [event], volatility=model)
        assert row[f"p by {name}"] == conditional_fhs(study).p_value
    study = event_study(index_returns(), [event], implied=load_vix())
    assert row["p by VIX"] == implied_t(study).p_value
