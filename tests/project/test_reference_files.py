"""The answers in tests/reference can be made again, each by the script beside it."""

import ast
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"
SCRIPTS = sorted(path.name for path in REFERENCE.glob("make_*.py"))
MODULES = sorted(REFERENCE.glob("*.py"))
ALLOWED = {"numpy", "pandas", "scipy", "collections", "math", "pathlib", "sys"}

#: File -> its rows, and the columns that name one.
ANSWERS = {
    "fits.csv": (246, ["panel", "model", "security"]),
    "cars.csv": (1230, ["panel", "model", "security", "window"]),
    "statistics.csv": (3371, ["panel", "model", "statistic", "window"]),
    "prediction_t.csv": (144, ["series", "method", "window"]),
}
GIVEN = {
    *(f"panel_{name}.csv" for name in "ABC"),
    *(f"panel_{name}_events.csv" for name in "ABC"),
    "series_S.csv",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder with what the scripts write."""
    folder = tmp_path_factory.mktemp("answers")
    for script in SCRIPTS:
        command = [sys.executable, "-B", "-W", "error", REFERENCE / script, folder]
        subprocess.run(command, check=True)
    return folder


def test_scripts_make_every_file_that_is_not_given(made):
    assert {path.name for path in REFERENCE.glob("*.csv")} == GIVEN | set(ANSWERS)
    assert {path.name for path in made.iterdir()} == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_scripts_give_every_row_again(made, name):
    rows, keys = ANSWERS[name]
    ours, committed = (pd.read_csv(folder / name).set_index(keys) for folder in (made, REFERENCE))
    assert len(committed) == rows and committed.index.is_unique
    # Relative only: p-values go down to 1e-139. Zeros are exact, empty cells are empty in both.
    pd.testing.assert_frame_equal(ours, committed, rtol=1e-11, atol=0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_answers_never_come_from_impact(path):
    own = {module.stem for module in MODULES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            named = [node.module]
        assert {name.split(".")[0] for name in named} <= ALLOWED | own, f"line {node.lineno}"


def test_readme_names_every_file():
    said = (REFERENCE / "README.md").read_text(encoding="utf-8")
    for path in REFERENCE.glob("*.*"):
        assert path.name == "README.md" or f"`{path.name}`" in said, path.name
