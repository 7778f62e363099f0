"""The committed figures are what the code draws, from the data that are there."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from pictures import DIRECTORY, assert_words_are_clear, texts_of

from impact import figures
from impact.charts.page import INK, png, svg
from impact.errors import FigureError
from impact.figures import exhibit
from impact.figures.common import short_day
from impact.figures.exhibit import same_table
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.news.kinds import MARKS
from impact.text.formats import date

HERE = Path(__file__).parents[2] / "figures"
NAMES = figures.FIGURES


def test_every_figure_has_its_files_and_every_file_its_figure():
    expected = {f"{name}.{end}" for name in NAMES for end in ("png", "svg", "csv", "txt")}
    # The verdicts of the register of hypotheses are a table without a picture.
    others = {"hypotheses.csv", "README.md"}
    shown = {path.name for path in HERE.iterdir() if not path.name.startswith(".")}
    assert shown - others == expected


def test_every_figure_is_one_module_and_every_module_one_figure():
    parts = ("data", "title", "words", "draw", "table", "alt")
    room = {path.stem for path in Path(figures.__file__).parent.glob("*.py")}
    shared = {"__init__", "__main__", "common", "contact_sheet", "exhibit", "inputs"}
    assert room - shared == {name.replace("-", "_") for name in NAMES}
    for name in room - shared:
        module = import_module(f"impact.figures.{name}")
        assert all(callable(getattr(module, part)) for part in parts), name


@pytest.mark.parametrize("name", NAMES)
def test_committed_numbers_and_words_are_those_of_the_code(name, made):
    drawn = made(name)
    assert drawn.name == name
    committed = (HERE / f"{name}.csv").read_text(encoding="utf-8")
    assert exhibit.same_table(committed, exhibit.as_csv(drawn.table))
    assert (HERE / f"{name}.txt").read_text(encoding="utf-8") == drawn.alt + "\n"


def test_files_have_the_same_bytes_on_any_number_of_threads(tmp_path):
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    said = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-m", "impact", "figures", "reaction-days"],
            env=os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": str(HERE.parent)},
            cwd=folder,
            capture_output=True,
            check=True,
        )
        files = sorted((folder / "figures").glob("[!.]*"))
        said.append({path.name: path.read_bytes() for path in files})
    assert len(said[0]) == 4 and said[0] == said[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_picture_belongs_to_the_committed_numbers(name):
    texts = exhibit.png_texts(HERE / f"{name}.png")
    for key, end in ((exhibit.TABLE_KEY, "csv"), (exhibit.DRAWING_KEY, "svg")):
        assert texts[key] == exhibit.checksum((HERE / f"{name}.{end}").read_bytes().decode())
    alt = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    assert texts[exhibit.ALT_KEY] == alt.strip()
    assert "Software" not in texts


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_drawing_is_what_the_code_draws(name, made):
    committed = (HERE / f"{name}.svg").read_bytes().decode()
    drawn = svg(made(name).figure, Description=made(name).alt)
    drawn_by = re.compile("matplotlib [^<]*")
    if drawn_by.search(committed).group() != drawn_by.search(drawn).group():
        pytest.skip("drawn by another matplotlib, which may set letters elsewhere")
    assert exhibit.same_drawing(committed, drawn)
    assert len(committed) < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_no_words_collide_or_leave_the_picture(name, made):
    figure = made(name).figure
    assert figure.get_size_inches()[0] * figure.dpi == 1600
    assert_words_are_clear(figure)


@pytest.mark.parametrize("name", NAMES)
def test_the_title_opens_the_alternative_text(name, made):
    drawn = made(name)
    title = max(texts_of(drawn.figure), key=lambda text: text.get_fontsize()).get_text()
    assert drawn.alt.startswith(title.replace("\n", " ") + ".")


def test_dates_in_the_words_are_dates_of_the_data(made):
    days = set(load_prices().index)
    starts = set(
        pd.read_csv(data_path("tariff_rates.csv"), parse_dates=["effective_from"])["effective_from"]
    )
    spelled = {said for day in days | starts for said in (date(day), f"{short_day(day)} {day:%Y}")}
    for name in NAMES:
        texts = [made(name).alt, *(text.get_text() for text in texts_of(made(name).figure))]
        for text in texts:
            words = text.replace("\n", " ")
            for found in re.findall(r"\b\d{1,2} [A-Z][a-z]{2,8} \d{4}\b", words):
                assert found in spelled, f"{name}: {found}"


@pytest.mark.parametrize("name", ["timeline", "reaction-days"])
def test_a_named_figure_is_drawn_the_same_twice(name, made):
    again = exhibit.make_exhibit(name)
    assert png(made(name).figure) == png(again.figure)
    assert svg(made(name).figure) == svg(again.figure)


def test_kinds_differ_by_marker_and_have_contrast_on_white():
    assert len({mark.marker for mark in MARKS.values()}) == len(MARKS)
    # Colours of the page, whose contrast is tested there.
    assert {mark.colour for mark in MARKS.values()} <= {"#C8501B", "#14709E", "#5A626C", INK}


# -- names ---------------------------------------------------------------------------------------


def test_an_unknown_name_lists_the_known_ones(capsys):
    assert figures.main(["time-line"], DIRECTORY) == 2
    said = capsys.readouterr().err
    assert "'time-line'" in said and all(name in said for name in NAMES)
    with pytest.raises(FigureError, match=r"'time-line'.*timeline"):
        figures.figure("time-line")


def test_a_figure_is_had_by_its_name():
    figure = figures.figure("can-you-trust-the-p")
    title = max(texts_of(figure), key=lambda text: text.get_fontsize()).get_text()
    assert title.startswith("In turbulent markets the textbook test calls")


@pytest.mark.parametrize("name", NAMES)
def test_a_title_has_at_most_two_lines(name, made):
    title = max(texts_of(made(name).figure), key=lambda text: text.get_fontsize()).get_text()
    assert title.count("\n") <= 1 and len(title.split("\n")[-1].split()) > 1


def test_the_verdicts_are_a_table_without_a_picture(tmp_path, capsys):
    assert figures.main([figures.VERDICTS], tmp_path / "figures") == 0
    assert "hypotheses" in capsys.readouterr().out
    assert not [*tmp_path.rglob("*.png"), *tmp_path.rglob("*.svg")]
    written = (tmp_path / "figures" / "hypotheses.csv").read_text("utf-8")
    assert same_table(written, (DIRECTORY / "hypotheses.csv").read_text("utf-8"))
