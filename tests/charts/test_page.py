"""The page: words fit, hues stay apart, and nobody's settings are touched."""

import dataclasses
import io
import re
import textwrap
from pathlib import Path

import matplotlib
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts import page
from impact.charts.day_picture import day_picture
from impact.charts.effects import dose_line, effects, scaled_effects
from impact.charts.minute_paths import minute_paths
from impact.charts.page import COOL, INK, MUTED, SMALL, TITLE, WARM, Words, png, svg
from impact.charts.paths import average_path, path_panels
from impact.errors import FigureError

WORDS = Words("A finding in words", "what, unit, window, model, n", "Source: somewhere")
NO_PATHS = pd.DataFrame({"event": []})
LONG = Words("A very long title " * 12, "and a long subtitle " * 20, "source " * 60)


def test_long_words_are_wrapped_into_the_page():
    figure = page.page(LONG, 200).figure
    assert_words_are_clear(figure)
    assert [" ".join(text.get_text().split("\n")) for text in texts_of(figure)] == [
        words.strip() for words in (LONG.title, LONG.subtitle, LONG.source)
    ]


@pytest.mark.parametrize("size", [SMALL, TITLE])
@pytest.mark.parametrize("width", [200, 400, 1520])
@pytest.mark.parametrize("even", [True, False])
def test_lines_are_as_long_as_they_can_be_or_even_where_a_word_would_stand_alone(size, width, even):
    text = "Whether the index falls by more when the tariff on China rises by more: no.\nSecond"
    sheet = page.page(WORDS, 100)
    probe = sheet.text(0, 0, "", size)

    def slowly(line: str) -> str:
        for characters in range(len(line), 0, -1):
            probe.set_text(textwrap.fill(line, characters, break_long_words=False))
            if page.extent(probe)[2] <= width:
                break
        lines = probe.get_text().split("\n")
        if len(lines) > 1 and (even or len(lines[-1].split()) < 3):
            # As narrow as so many lines can be.
            while len(textwrap.wrap(line, characters - 1, break_long_words=False)) == len(lines):
                characters -= 1
            lines = textwrap.wrap(line, characters, break_long_words=False)
        return "\n".join(lines)

    expected = "\n".join(slowly(line) for line in text.split("\n"))
    assert page.wrapped(sheet, text, size, width, even=even) == expected


@pytest.mark.parametrize("bound", ["p = 0.05", "n = 10", "(-260, -11)", "(0, 1)"])
def test_a_value_a_count_and_a_window_are_never_broken(bound):
    sheet = page.page(WORDS, 100)
    for letters in range(12, 30):
        text = f"{'x' * letters} {bound} and so on, until the line is full"
        wrapped = page.wrapped(sheet, text, SMALL, 400)
        assert bound in wrapped and wrapped.replace("\n", " ") == text


def test_a_dollar_is_a_letter():
    sheet = page.page(Words("From $200bn to $300bn", "$\\frac{", "n"), 100)
    plain = sheet.text(0, 0, "From 200bn to 300bn", TITLE, weight="bold")
    title = sheet.figure.texts[0]
    assert page.extent(title)[2] > page.extent(plain)[2]
    assert png(sheet.figure)


def test_a_word_that_is_too_long_stands_alone():
    sheet = page.page(WORDS, 100)
    assert page.wrapped(sheet, f"a {'b' * 200} c", SMALL, 100) == f"a\n{'b' * 200}\nc"


def test_a_pdf_holds_its_letters_whatever_the_settings():
    sheet, held = page.page(WORDS, 100), io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 3, "savefig.facecolor": "pink"}):
        sheet.figure.savefig(held, format="pdf")
    fonts = re.findall(rb"/BaseFont /(\S+)", held.getvalue())
    assert fonts and all(b"DejaVu" in font for font in fonts)
    assert held.getvalue().count(b"/FontFile2") == len(set(fonts))
    assert b"/Type3" not in held.getvalue()


def test_the_hues_stay_apart_without_colour_vision():
    # Machado, Oliveira and Fernandes (2009), severity 1: protanopia, deuteranopia, tritanopia.
    simulated = {
        "protan": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deutan": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "tritan": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }
    for name, matrix in simulated.items():
        apart = np.linalg.norm(np.array(matrix) @ (_rgb(WARM) - _rgb(COOL)))
        assert apart > 0.3, name


@pytest.mark.parametrize("colour", [INK, MUTED, WARM, COOL])
def test_letters_have_contrast_on_white(colour):
    luminance = _rgb(colour) @ [0.2126, 0.7152, 0.0722]
    # WCAG 2 asks for 4.5, for letters of any size.
    assert 1.05 / (luminance + 0.05) >= 4.5


def _rgb(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_drawing_leaves_other_peoples_settings_alone():
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "pink", "svg.fonttype": "none"}):
        mine = png(page.page(WORDS, 200).figure), svg(page.page(WORDS, 200).figure)
        assert matplotlib.rcParams["font.size"] == 31
    assert (png(page.page(WORDS, 200).figure), svg(page.page(WORDS, 200).figure)) == mine


def test_a_notebook_gets_a_png():
    assert page.page(WORDS, 200).figure._repr_png_().startswith(b"\x89PNG")


def test_an_svg_draws_its_letters_and_names_no_day():
    drawn = svg(page.page(WORDS, 200).figure, Description="One line.")
    assert "<text" not in drawn and "dc:date" not in drawn
    assert "One line." in drawn and f"matplotlib {matplotlib.__version__}" in drawn


def test_letters_are_those_that_matplotlib_ships_whatever_is_installed(monkeypatch):
    manager = matplotlib.font_manager.fontManager
    other = next(font for font in manager.ttflist if font.name == "DejaVu Serif")
    installed = [dataclasses.replace(other, name="DejaVu Sans")] * 3
    monkeypatch.setattr(manager, "ttflist", [*installed, *manager.ttflist])
    with page.drawing():
        found = Path(matplotlib.font_manager.findfont("impact DejaVu Sans"))
    assert found.name == "DejaVuSans.ttf" and found.is_relative_to(matplotlib.get_data_path())


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: average_path(None, None, ax=ax),
        lambda ax: day_picture(None, None, None, None, ax=ax),
        lambda ax: dose_line(None, None, None, None, unit="", ax=ax),
        lambda ax: effects(None, None, ax=ax),
        lambda ax: scaled_effects(None, None, ax=ax),
        lambda ax: path_panels(None, NO_PATHS, {}, marks=[], ax=ax),
        lambda ax: minute_paths(None, NO_PATHS, {}, marks=[], ax=ax),
    ],
)
@pytest.mark.parametrize("ax", ["x", matplotlib.figure.Figure()])
def test_what_is_no_axes_is_refused_in_words(draw, ax):
    with pytest.raises(FigureError, match="is not a matplotlib Axes: give one"):
        draw(ax)


def test_letters_that_the_own_font_lacks_are_drawn_with_one_of_the_machine(monkeypatch):
    from matplotlib import font_manager

    known = font_manager.fontManager.ttflist
    # Any font of the machine stands for one with Chinese letters.
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*known])
    fallbacks = page._fallbacks.__wrapped__
    font_manager.fontManager.ttflist.append(dataclasses.replace(known[0], name="SimHei"))
    (name,) = fallbacks()
    weights = {entry.weight for entry in font_manager.fontManager.ttflist if entry.name == name}
    assert weights == {400, 700}
