"""A figure is computed again when one of its inputs or files changed, and only then."""

import os
from importlib.metadata import Distribution
from pathlib import Path

import pandas as pd
import pytest

from impact import figures
from impact.errors import FigureError
from impact.figures import inputs
from impact.figures.inputs import Record, inputs_hash


@pytest.fixture
def tree(tmp_path):
    package, data = tmp_path / "impact", tmp_path / "data"
    (package / "room").mkdir(parents=True)
    data.mkdir()
    for path in (package / "__init__.py", package / "room" / "a.py", data / "sp500.csv"):
        path.write_text(f"# {path.name}\n")
    return package, data


def test_a_touched_source_is_no_change(tree):
    before = inputs_hash(*tree)
    for path in Path(tree[0]).rglob("*.py"):
        os.utime(path, (1, 1))
    assert inputs_hash(*tree) == before


@pytest.mark.parametrize("change", ["source", "new source", "renamed", "data", "removed"])
def test_other_content_is_a_change(tree, change):
    package, data = tree
    before = inputs_hash(package, data)
    {
        "source": lambda: (package / "room" / "a.py").write_text("# b.py\n"),
        "new source": lambda: (package / "room" / "b.py").write_text(""),
        "renamed": lambda: (package / "room" / "a.py").rename(package / "a.py"),
        "data": lambda: (data / "sp500.csv").write_text("1"),
        "removed": lambda: (data / "sp500.csv").unlink(),
    }[change]()
    assert inputs_hash(package, data) != before


def test_another_version_of_a_library_is_a_change(tree, monkeypatch):
    class Held(Distribution):
        def __init__(self, version):
            self.held = version

        def read_text(self, filename):
            return f"Name: matplotlib\nVersion: {self.held}\n" if filename == "METADATA" else None

        def locate_file(self, path):
            return path

    found = []
    for version in ("3.11.0", "3.11.1"):
        monkeypatch.setattr(inputs, "distributions", lambda version=version: [Held(version)])
        found.append(inputs_hash(*tree))
    assert found[0] != found[1]


def test_a_record_holds_until_inputs_or_files_change(tmp_path):
    directory = tmp_path
    (directory / "one.csv").write_text("a\n")
    record = Record(directory, "inputs")
    assert not record.holds("one")
    record.add("one")
    assert record.holds("one") and not record.holds("two")
    assert Record(directory, "inputs").holds("one")
    assert not Record(directory, "other inputs").holds("one")
    (directory / "one.csv").write_text("b\n")
    assert not record.holds("one")
    (directory / "one.csv").write_text("a\n")
    assert record.holds("one")
    (directory / "one.csv").unlink()
    assert not record.holds("one")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"one": 1}', "\x00"])
def test_a_record_that_was_broken_off_holds_nothing(tmp_path, content):
    (tmp_path / ".made.json").write_text(content)
    record = Record(tmp_path, "inputs")
    assert not record.holds("one")
    record.add("one")
    assert Record(tmp_path, "inputs").holds("one")


def test_a_second_run_computes_nothing(tmp_path, monkeypatch, capsys):
    asked = []

    def write(name, directory):
        asked.append(name)
        directory.mkdir(exist_ok=True)
        return figures.write_table(directory / f"{name}.csv", pd.DataFrame({"a": [1]}))

    monkeypatch.setattr(figures, "write_figure", write)
    directory = tmp_path / "figures"
    assert figures.main([], directory) == 0
    everything = [*figures.FIGURES, "hypotheses"]
    assert asked == everything
    assert "written" in capsys.readouterr().out
    assert figures.main([], directory) == 0
    assert capsys.readouterr().out == "the figures are up to date\n"
    assert asked == everything
    # One that is gone is made again, and only that one.
    (directory / "power.csv").unlink()
    assert figures.main([], directory) == 0
    assert asked == [*everything, "power"]
    assert "power" in capsys.readouterr().out
    monkeypatch.setattr(figures, "inputs_hash", lambda: "other inputs")
    assert figures.main(["timeline"], directory) == 0
    assert asked == [*everything, "power", "timeline"] and "unchanged" in capsys.readouterr().out


def test_a_figure_that_fails_is_named_and_made_the_next_time(tmp_path, monkeypatch, capsys):
    def fail(name, directory):
        raise FigureError("a.csv cannot be written: No space left on device")

    monkeypatch.setattr(figures, "write_figure", fail)
    for _ in range(2):
        assert figures.main(["power"], tmp_path / "figures") == 1
        assert capsys.readouterr().err.startswith("power: a.csv cannot be written")
