"""A table of coloured cells: letters are read on every colour, frames stand where they should."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from pictures import assert_words_are_clear

from impact.charts.cells import Cells, cell_table, colours, contrast
from impact.charts.page import GROUND, INK, WARM, Mark, Words
from impact.charts.paths import Panel


def cells(rows: list[str], columns: int, seed: int) -> Cells:
    rng = np.random.default_rng(seed)
    z = pd.DataFrame(rng.normal(0, 3, (len(rows), columns)), rows)
    return Cells(z, z.map("{:+.1f}%".format), z.abs() > 3)


@pytest.mark.parametrize("columns", [1, 5, 10])
def test_every_cell_is_drawn_and_those_of_a_frame_are_framed(columns):
    first, rest = cells(["On top"], columns, 1), cells(["One", "Another", "Third"], columns, 2)
    heads = {str(i): Panel("2 May", "A label", Mark("fall", WARM, "v")) for i in range(columns)}
    words = Words("A finding", "what, unit, n", "Source: somewhere")
    below = ("Under it", [f"{i}" for i in range(columns)])
    figure = cell_table(words, heads, first, rest, flat=60, meaning="so and so", below=below)
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    framed = [box for box in boxes if not box.get_facecolor()[3]]
    assert len(framed) == first.framed.sum().sum() + rest.framed.sum().sum()
    assert len(boxes) - len(framed) == 4 * columns
    assert_words_are_clear(figure)


def test_letters_contrast_with_every_colour_of_the_scale():
    for share in np.linspace(0, 1, 41):
        ground = colours()(share)
        assert max(contrast(INK, ground), contrast(GROUND, ground)) > 3.8
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
