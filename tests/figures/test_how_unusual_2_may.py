"""Twenty years of standardised moves: every one counted, the marked ones named."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear

from impact.figures import how_unusual_2_may
from impact.market.prices import load_prices
from impact.market.returns import simple_returns


def test_it_counts_what_its_table_holds(made):
    table = made("how-unusual-2-may").table.set_index("session")
    z = table.loc[table["z"].notna(), "z"]
    assert z.index[-1] - z.index[0] > pd.Timedelta(days=7300)
    share = (z >= z["2025-05-02"]).mean()
    assert f"on {100 * share:.0f}% of sessions" in made("how-unusual-2-may").alt
    assert set(z.index[table["marked"]].strftime("%Y-%m-%d")) == {
        "2025-04-09",
        "2025-05-02",
        "2025-10-10",
    }
    rises = simple_returns(load_prices())
    assert ((z > 0.5) <= (rises.reindex(z.index) > 0)).all()


@pytest.mark.parametrize(
    ("as_far", "words"),
    [(160, "an ordinary day: the index rose that far or farther on 16%"), (3, "only 3 of 1,000")],
)
def test_an_ordinary_day_and_an_unusual_one_have_their_sentences(as_far, words):
    day = {"session": pd.Timestamp("2025-05-02"), "value": 1.0, "as_far": as_far}
    data = how_unusual_2_may.Unusual(pd.Series(np.zeros(1_000)), pd.DataFrame([day]), 0.03, 0.01)
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
    figure = how_unusual_2_may.draw(how_unusual_2_may.Unusual(z, marks, 0.029, 0.01))
    assert sum(bar.get_height() for bar in figure.axes[0].containers[0]) == len(z)
    assert_words_are_clear(figure)
