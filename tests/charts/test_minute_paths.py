"""Paths within the day: drawn where the numbers say, no words over each other."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.minute_paths import MinutePanel, minute_paths
from impact.charts.page import COOL, WARM, Mark, Words
from impact.errors import FigureError

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")
MINUTES = np.arange(-60, 185, 5)


def paths_of(events: int, seed: int = 1) -> pd.DataFrame:
    rng, parts = np.random.default_rng(seed), []
    for event in range(events):
        walk = np.cumsum(rng.normal(0, 0.002, len(MINUTES)))
        reach = 0.001 * np.sqrt(np.abs(MINUTES))
        part = {"event": str(event), "minute": MINUTES, "path": walk - walk[MINUTES == 0]}
        parts.append(pd.DataFrame(part | {"band_low": -reach, "band_high": 1.2 * reach}))
    return pd.concat(parts)


@pytest.mark.parametrize("events", [1, 2, 4, 10])
def test_each_announcement_has_a_panel_with_its_path_and_no_words_collide(events):
    paths = paths_of(events)
    names = list(paths["event"].unique())
    panels = {name: MinutePanel(f"Event {name}", "3 April 2025, 11:29") for name in names}
    figure = minute_paths(WORDS, paths, panels)
    assert len(figure.axes) == events
    for ax, name in zip(figure.axes, names, strict=True):
        path = paths[paths["event"] == name].set_index("minute")["path"]
        assert any(np.array_equal(line.get_ydata(), path) for line in ax.lines)
        dots = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
        assert [list(dot) for dot in dots] == [[30, path[30]]]
        assert f"{100 * abs(path[30]):.2f}%" in [text.get_text()[1:] for text in ax.texts]
    assert_words_are_clear(figure)
    assert figure.get_size_inches()[1] * figure.dpi <= 2000


def test_panels_of_a_row_share_their_scale_and_looks_are_explained():
    up, down = Mark("up", COOL, "^"), Mark("down", WARM, "v")
    panels = {
        str(number): MinutePanel("One", "a day", down if number else up) for number in range(5)
    }
    figure = minute_paths(WORDS, paths_of(5), panels, marks=[up, down])
    limits = [ax.get_ylim() for ax in figure.axes]
    assert len(set(limits[:4])) == 1 and limits[4] != limits[0]
    words = [text.get_text() for text in texts_of(figure)]
    assert words.index("up") < words.index("down")


def test_no_dot_where_the_measured_minute_has_no_price():
    panels = {"0": MinutePanel("One", "a day", measured=500)}
    (ax,) = minute_paths(WORDS, paths_of(1), panels).axes
    assert not ax.texts and not [line for line in ax.lines if line.get_marker() == "o"]


def test_one_panel_goes_into_the_axes_that_somebody_brings_and_two_do_not():
    mine = matplotlib.figure.Figure()
    ax = mine.subplots()
    assert minute_paths(WORDS, paths_of(1), {"0": MinutePanel("One", "a day")}, ax=ax) is mine
    assert mine.texts == [] and ax.lines
    panels = {name: MinutePanel(name, "a day") for name in "01"}
    with pytest.raises(FigureError, match="2 panels does not fit into ax"):
        minute_paths(WORDS, paths_of(2), panels, ax=ax)
