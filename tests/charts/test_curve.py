"""The curve of all specifications: every estimate and every tick stands where it belongs."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.curve import estimate_curve
from impact.charts.page import INK, STONE, Words

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")


def curve_of(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(n)
    table = pd.DataFrame(
        {
            "estimate": np.sort(rng.normal(-0.01, 0.02, n)),
            "p_value": rng.uniform(0, 0.2, n),
            "length": rng.choice([120, 250, 500], n),
            "window": rng.choice(["(0, 0)", "(0, 1)"], n),
            "mean": "constant-mean",
        }
    )
    options = pd.concat(
        table.groupby(table[choice].astype("str"))["estimate"]
        .median()
        .rename_axis("option")
        .reset_index()
        .assign(choice=choice)
        for choice in ("length", "window", "mean")
    )
    return table, options


@pytest.mark.parametrize("n", [12, 400])
def test_estimates_and_ticks_are_those_of_the_table(n):
    table, options = curve_of(n)
    figure = estimate_curve(WORDS, table, options, "among the shifted sets")
    assert_words_are_clear(figure)
    above, below = figure.axes
    dots = {line.get_color(): line for line in above.lines if line.get_marker() == "o"}
    found = (table["p_value"] <= 0.05).to_numpy()
    for colour, chosen in ((INK, found), (STONE, ~found)):
        np.testing.assert_array_equal(dots[colour].get_ydata(), table["estimate"][chosen])
        np.testing.assert_array_equal(dots[colour].get_xdata(), np.flatnonzero(chosen))
    # One row an option, those without significance first; a choice with one option has none.
    drawn = [np.unique(line.get_xdata()[::3]).astype(int) for line in below.lines]
    assert len(drawn) == 2 * (3 + 2)
    for place, option in enumerate(options[options["choice"] != "mean"].itertuples()):
        uses = (table[option.choice].astype("str") == option.option).to_numpy()
        assert drawn[2 * place].tolist() == np.flatnonzero(uses & ~found).tolist()
        assert drawn[2 * place + 1].tolist() == np.flatnonzero(uses & found).tolist()
    words = [text.get_text() for text in texts_of(figure)]
    assert "p ≤ 5% among the shifted sets" in words and "constant-mean" not in words
