"""A table of coloured cells: letters are read on every colour, frames stand where they should."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from pictures import assert_words_are_clear

from impact.charts.cells import cell_table, colours, contrast
from impact.charts.page import GROUND, INK, WARM, Mark, Words
from impact.charts.paths import Panel


def cells(names: list[str], columns: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [(str(i), name, rng.normal(0, 3)) for i in range(columns) for name in names]
    table = pd.DataFrame(rows, columns=["event", "name", "z"])
    return table.assign(written=table["z"].map("{:+.1f}%".format), framed=table["z"].abs() > 3)


@pytest.mark.parametrize("columns", [1, 5, 10])
def test_every_cell_is_drawn_and_those_of_a_frame_are_framed(columns):
    table = cells(["On top", "One", "Another", "Third"], columns)
    heads = {str(i): Panel("2 May", "A label", Mark("fall", WARM, "v")) for i in range(columns)}
    words = Words("A finding", "what, unit, n", "Source: somewhere")
    below = ("Under it", [f"{i}" for i in range(columns)])
    figure = cell_table(words, heads, table, flat=60, meaning="so and so", below=below)
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    framed = [box for box in boxes if not box.get_facecolor()[3]]
    assert len(framed) == table["framed"].sum()
    assert len(boxes) - len(framed) == 4 * columns
    assert_words_are_clear(figure)


def test_letters_contrast_with_every_colour_of_the_scale():
    for share in np.linspace(0, 1, 41):
        ground = colours()(share)
        assert max(contrast(INK, ground), contrast(GROUND, ground)) > 3.8
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
