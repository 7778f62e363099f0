"""The picture of a day: prices, parts and news stand where their times and moves say."""

from itertools import pairwise

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D
from pictures import assert_words_are_clear, texts_of

from impact.charts.day_picture import CLOSED_HOURS, LEAST_HOURS, day_picture
from impact.charts.page import INK, MARGIN, MUTED, WIDTH, Words

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")


def parts_of(rows) -> pd.DataFrame:
    """Frame of rows (name, begin, end, move, closed)."""
    frame = pd.DataFrame(rows, columns=["part", "begin", "end", "move", "closed"])
    return frame.assign(
        begin=pd.to_datetime(frame["begin"]), end=pd.to_datetime(frame["end"])
    ).set_index("part")


PARTS = parts_of(
    [
        ("evening before", "2025-05-01 16:00", "2025-05-01 20:00", -0.002, False),
        ("closed hours", "2025-05-01 20:00", "2025-05-02 04:05", 0.006, True),
        ("04:05-08:30", "2025-05-02 04:05", "2025-05-02 08:30", 0.001, False),
        ("08:30-09:00", "2025-05-02 08:30", "2025-05-02 09:00", 0.007, False),
        ("09:00-09:30", "2025-05-02 09:00", "2025-05-02 09:30", -0.001, False),
        ("09:30-16:00", "2025-05-02 09:30", "2025-05-02 16:00", 0.003, False),
    ]
)
TIMES = pd.DatetimeIndex([PARTS["begin"].iloc[0], *PARTS["end"]])
PRICE = pd.Series(np.concatenate([[0], PARTS["move"].cumsum()]), TIMES)


def news_of(*rows) -> pd.DataFrame:
    """Frame of rows (text, clock, earliest, latest, kind, colour), all with one marker."""
    columns = ["text", "clock", "earliest", "latest", "kind", "colour"]
    frame = pd.DataFrame(rows, columns=columns)
    times = {name: pd.to_datetime(frame[name]) for name in ("earliest", "latest")}
    return frame.assign(**times, marker="s")


NEWS = news_of(
    ("jobs", "at 08:30", "2025-05-02 08:30", "2025-05-02 08:30", "release", MUTED),
    ("a story", "some time", "2025-05-02 09:30", "2025-05-02 16:00", "announcement", INK),
)


def place(hours: float) -> float:
    """Where a time of the last part stands: hours after 09:30."""
    return 4 + CLOSED_HOURS + (4 + 25 / 60) + 2 * LEAST_HOURS + hours


def test_prices_stand_at_their_place_and_closed_hours_are_dashed():
    (ax,) = day_picture(WORDS, PRICE, PARTS, NEWS).axes
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_zorder() == 3]
    assert len(drawn) == len(PARTS)
    assert [line.is_dashed() for line in drawn] == PARTS["closed"].to_list()
    for line, (one, other) in zip(drawn, pairwise(PRICE), strict=True):
        assert list(line.get_ydata()) == [one, other]
    assert list(drawn[-1].get_xdata()) == pytest.approx([place(0), place(6.5)])
    assert ax.get_xlim()[1] == pytest.approx(place(6.5))


def test_every_part_has_its_move_above_it_and_the_largest_is_bold():
    figure = day_picture(WORDS, PRICE, PARTS, NEWS)
    (ax,) = figure.axes
    words = {text.get_text(): text for text in figure.texts}
    for name, move in PARTS["move"].items():
        over = words[f"{'+' if move > 0 else '−'}{100 * abs(move):.2f}%"]
        below = words[name]
        assert over.get_position()[0] == below.get_position()[0]
        assert over.get_window_extent().y0 > below.get_window_extent().y0
        assert below.get_window_extent().y0 > ax.get_window_extent().y1
        assert (over.get_weight() == "bold") == (name == "08:30-09:00")


def test_a_minute_is_a_line_and_a_stretch_is_shaded():
    (ax,) = day_picture(WORDS, PRICE, PARTS, NEWS).axes
    (span,) = ax.patches
    assert [span.get_x(), span.get_x() + span.get_width()] == pytest.approx([place(0), place(6.5)])
    lines = [line for line in ax.lines if line.get_color() == MUTED and line.get_zorder() == 1.6]
    assert [list(line.get_xdata()) for line in lines] == [
        pytest.approx([place(-2 * LEAST_HOURS)] * 2)
    ]


def test_a_row_of_news_lies_below_its_time_with_words_where_there_is_room():
    figure = day_picture(WORDS, PRICE, PARTS, NEWS)
    (ax,) = figure.axes
    words = {text.get_text(): text.get_window_extent() for text in figure.texts}
    at = ax.transData.transform((place(0), 0))[0]
    assert words["a story, some time"].x1 < at
    assert words["jobs, at 08:30"].x0 > ax.transData.transform((place(-2 * LEAST_HOURS), 0))[0]
    bars = [line for line in figure.get_children() if isinstance(line, Line2D)]
    wide = [line for line in bars if line.get_color() == INK and line.get_linewidth() > 5]
    assert wide[0].get_xdata()[0] * WIDTH == pytest.approx(at - 4)
    assert wide[0].get_xdata()[1] * WIDTH == pytest.approx(WIDTH - MARGIN + 4)


@pytest.mark.parametrize(
    "parts",
    [
        PARTS,
        PARTS.iloc[1:],
        parts_of(
            [
                ("closed hours", "2025-10-29 16:00", "2025-10-30 09:30", 0.002, True),
                ("09:30-13:00", "2025-10-30 09:30", "2025-10-30 13:00", -0.04, False),
            ]
        ),
    ],
    ids=["whole", "no evening", "regular hours"],
)
@pytest.mark.parametrize("news", [NEWS, NEWS.iloc[:1], NEWS.iloc[:0]], ids=len)
def test_no_words_collide(parts, news):
    edges = pd.DatetimeIndex([parts["begin"].iloc[0], *parts["end"]])
    price = pd.Series(np.concatenate([[0], parts["move"].cumsum()]), edges)
    inside = news[news["earliest"].between(edges[0], edges[-1])]
    assert_words_are_clear(day_picture(WORDS, price, parts, inside))


def test_the_first_label_of_each_day_has_its_date_and_labels_are_apart():
    (ax,) = day_picture(WORDS, PRICE, PARTS, NEWS).axes
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "16:00\n1 May" and "04:05\n2 May" in labels and labels[-1] == "16:00"
    assert [label for label in labels if "\n" in label] == ["16:00\n1 May", "04:05\n2 May"]
    assert all(edge in labels for edge in ("20:00", "08:30", "09:00", "09:30", "12:00"))
    assert np.diff(ax.get_xticks()).min() >= 0.9


def test_the_key_explains_what_is_there():
    words = {text.get_text() for text in texts_of(day_picture(WORDS, PRICE, PARTS, NEWS))}
    shaded = "came out in here, minute not known"
    assert {"release", "announcement", "trading closed", shaded} <= words
    words = {text.get_text() for text in texts_of(day_picture(WORDS, PRICE, PARTS, NEWS[:1]))}
    assert not {"announcement", shaded} & words


def test_the_price_goes_into_the_axes_that_somebody_brings():
    mine = matplotlib.figure.Figure()
    ax = mine.subplots()
    assert day_picture(WORDS, PRICE, PARTS, NEWS, ax=ax) is mine
    assert mine.texts == [] and len(ax.lines) > len(PARTS)
