"""Paths around events: what is drawn stands where the numbers say, and no words collide."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.page import COOL, WARM, Mark, Words
from impact.charts.paths import Panel, average_path, path_panels
from impact.errors import FigureError

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")
DAYS = np.arange(-5, 6)


def paths_of(events: int, *, conditional: bool = True, seed: int = 4) -> pd.DataFrame:
    """Random walks that are zero on the eve, with bands that widen from there."""
    rng, parts = np.random.default_rng(seed), []
    for event in range(events):
        path = np.cumsum(rng.normal(0, 0.02, len(DAYS)))
        reach = np.where(DAYS >= 0, 0.02 * np.sqrt(DAYS.clip(0) + 1), np.nan)
        part = {"event": str(event), "relative_session": DAYS, "path": path - path[DAYS == -1]}
        part |= {"textbook_low": -reach, "textbook_high": reach}
        if conditional:
            part |= {"conditional_low": -1.5 * reach, "conditional_high": 1.4 * reach}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts)


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("events", [1, 2, 3, 4, 6, 11])
def test_each_event_has_a_panel_with_its_path_and_no_words_collide(events, conditional):
    paths = paths_of(events, conditional=conditional)
    names = paths["event"].unique()
    figure = path_panels(WORDS, paths, {name: Panel(name, "3 April 2025") for name in names})
    assert len(figure.axes) == events
    for ax, name in zip(figure.axes, names, strict=True):
        path = paths[paths["event"] == name].set_index("relative_session")
        drawn = [line.get_ydata() for line in ax.lines]
        assert any(np.array_equal(line, path["path"]) for line in drawn)
        # The bands open on the eve, where nothing has moved yet.
        for side in ("low", "high"):
            edge = [0, *path.loc[0:, f"textbook_{side}"]]
            assert any(np.array_equal(line, edge) for line in drawn)
        assert len(ax.collections) == conditional
    assert_words_are_clear(figure)


@pytest.mark.parametrize("seed", range(8))
def test_the_value_of_session_zero_lies_beside_the_line(seed):
    figure = path_panels(WORDS, paths_of(1, seed=seed), {"0": Panel("One", "3 April 2025")})
    (ax,) = figure.axes
    (label,) = ax.texts
    box = label.get_window_extent()
    line = next(line for line in ax.lines if len(line.get_xdata()) == len(DAYS))
    x, y = ax.transData.transform(np.column_stack(line.get_data())).T
    xs = np.linspace(x[0], x[-1], 2_000)
    ys = np.interp(xs, x, y)
    inside = (xs > box.x0) & (xs < box.x1) & (ys > box.y0 + 3) & (ys < box.y1 - 3)
    assert not inside.any()


def test_looks_of_events_are_explained_in_the_order_given():
    up, down = Mark("up", COOL, "^"), Mark("down", WARM, "v")
    panels = {"0": Panel("One", "a day", down), "1": Panel("Two", "a day", up)}
    figure = path_panels(WORDS, paths_of(2), panels, marks=[up, down])
    words = [text.get_text() for text in texts_of(figure)]
    assert words.index("session 0: up") < words.index("session 0: down")
    for ax, mark in zip(figure.axes, (down, up), strict=True):
        assert any(line.get_marker() == mark.marker for line in ax.lines)


def test_one_panel_goes_into_the_axes_that_somebody_brings():
    mine = matplotlib.figure.Figure()
    left, right = mine.subplots(1, 2)
    paths = paths_of(1)
    assert path_panels(WORDS, paths, {"0": Panel("One", "a day")}, ax=right) is mine
    assert not left.lines
    assert any(np.array_equal(line.get_ydata(), paths["path"]) for line in right.lines)
    assert mine.texts == []
    table = paths.set_index("relative_session").assign(estimate=0.01, ci_low=-0.01, ci_high=0.03)
    assert average_path(WORDS, table, ax=left) is mine
    assert any(np.array_equal(line.get_ydata(), table["estimate"]) for line in left.lines)


def test_several_panels_do_not_fit_into_one_axes():
    panels = {name: Panel(name, "a day") for name in "01"}
    with pytest.raises(FigureError, match="2 panels does not fit into ax"):
        path_panels(WORDS, paths_of(2), panels, ax=matplotlib.figure.Figure().subplots())
