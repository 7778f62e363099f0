"""Files of an exhibit: written whole, alike twice, and only when what they say has changed."""

import os
from pathlib import Path

import pandas as pd
import pytest

from impact.charts.page import INK, Words, page
from impact.errors import DataFileError
from impact.figures import exhibit
from impact.figures.exhibit import Exhibit, same_table, write_exhibit, write_table


def one(value: float = 1.5, alt: str = "One bar.", *, drawn: float | None = None) -> Exhibit:
    table = pd.DataFrame({"day": pd.to_datetime(["2025-05-02"]), "value": [value]})
    sheet = page(Words("t", "s", "n"), 100)
    sheet.axes(100, sheet.top, 400, 100).plot([0, 1], [0, drawn or 1.5], color=INK)
    sheet.figure.axes[0].set_ylim(0, 3)
    return Exhibit("one", sheet.figure, table, alt)


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_two_drawings_have_the_same_bytes(tmp_path):
    for place in ("a", "b"):
        write_exhibit(one(), tmp_path / place)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert sorted(bytes_of(tmp_path / "a")) == ["one.csv", "one.png", "one.svg", "one.txt"]


def test_files_are_written_again_only_when_they_say_something_else(tmp_path):
    assert write_exhibit(one(), tmp_path)
    first = bytes_of(tmp_path)
    assert not write_exhibit(one(), tmp_path)
    # Another machine's arithmetic is not a change, neither of numbers nor of the drawing.
    noise = 1 + 1e-9
    assert not write_exhibit(one(1.5 * noise, drawn=1.5 * noise), tmp_path)
    assert bytes_of(tmp_path) == first
    assert write_exhibit(one(1.6), tmp_path)
    assert write_exhibit(one(1.6, "Two bars."), tmp_path)
    texts = exhibit.png_texts(tmp_path / "one.png")
    assert texts[exhibit.ALT_KEY] == "Two bars."
    assert texts[exhibit.TABLE_KEY] == exhibit.checksum((tmp_path / "one.csv").read_text())


def test_a_picture_that_is_drawn_otherwise_is_written_though_its_numbers_are_the_same(tmp_path):
    write_exhibit(one(), tmp_path)
    before = bytes_of(tmp_path)
    assert write_exhibit(one(drawn=2.0), tmp_path)
    after = bytes_of(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"one.png", "one.svg"}


@pytest.mark.parametrize("end", ["csv", "txt", "svg", "png"])
@pytest.mark.parametrize("content", [b"", b"Three bars.\n", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_somebody_edited_is_put_right(tmp_path, end, content):
    write_exhibit(one(), tmp_path)
    before = bytes_of(tmp_path)
    (tmp_path / f"one.{end}").write_bytes(content)
    assert write_exhibit(one(), tmp_path)
    assert bytes_of(tmp_path) == before
    (tmp_path / f"one.{end}").unlink()
    assert write_exhibit(one(), tmp_path)
    assert bytes_of(tmp_path) == before


def test_a_failed_write_leaves_the_old_file_and_says_which_in_one_sentence(tmp_path, monkeypatch):
    write_exhibit(one(), tmp_path)
    before = bytes_of(tmp_path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(DataFileError, match=r"one\.csv cannot be written \(No space left"):
        write_exhibit(one(2.5), tmp_path)
    assert bytes_of(tmp_path) == before


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "figures").write_text("no folder")
    with pytest.raises(DataFileError, match="cannot be written"):
        write_table(tmp_path / "figures" / "a.csv", pd.DataFrame({"a": [1]}))


def test_a_table_is_written_once(tmp_path):
    path = tmp_path / "new" / "a.csv"
    assert write_table(path, pd.DataFrame({"a": [1 / 3], "b": ["x"]}))
    assert path.read_text() == "a,b\n0.33333333,x\n"
    assert not write_table(path, pd.DataFrame({"a": [1 / 3 + 1e-12], "b": ["x"]}))
    assert write_table(path, pd.DataFrame({"a": [1 / 3], "b": ["y"]}))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("M 1 2 L 3 4", "M 1.004 2 L 3 4", True),
        ("M 1 2 L 3 4", "M 1.2 2 L 3 4", False),
        ("M 1 2", "M 1 2 L 3 4", False),
        ("#c8501b", "#c8601b", False),
        ("<!-- +1.4% -->", "<!-- +1.5% -->", False),
        ("<!-- one -->", "<!-- two -->", False),
        ("", "M 1 2", False),
    ],
)
def test_drawings_are_the_same_to_a_fraction_of_a_pixel(one, other, same):
    assert exhibit.same_drawing(one, other) is same


def test_a_file_that_is_no_table_is_written_over(tmp_path):
    assert not same_table("a,b\n1,2\n", "a,b\n1,2\n1,2,3\n")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n1,2,3\n")
    assert write_table(tmp_path / "t.csv", pd.DataFrame({"a": [1]}))
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"
