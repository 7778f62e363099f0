"""Notebooks tell the story and call the library: thin, without outputs, and they run."""

import ast
import re

import pytest
from run_notebooks import NOTEBOOKS, executed

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def _read(path):
    import nbformat  # what checks its form takes seconds to import, and one process needs it

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def _code(path):
    return [cell for cell in _read(path).cells if cell.cell_type == "code"]


def test_they_are_numbered_without_a_gap():
    numbers = [int(path.name[:2]) for path in PATHS]
    assert numbers == list(range(1, len(PATHS) + 1))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_is_thin_and_holds_no_outputs(path):
    assert len(_read(path).cells) <= 25
    for cell in _code(path):
        assert cell.outputs == [] and cell.execution_count is None
        kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
        assert kinds.isdisjoint(
            {
                ast.FunctionDef,
                ast.ClassDef,
                ast.Lambda,
                ast.For,
                ast.While,
                ast.ListComp,
                ast.DictComp,
                ast.GeneratorExp,
            }
        )


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_imports_the_face_and_nothing_from_inside(path):
    trees = [ast.parse(cell.source) for cell in _code(path)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = [
        f"{getattr(node, 'module', '') or ''}.{alias.name}".strip(".")
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert "impact" in imported
    assert not [name for name in imported if name.startswith("impact.")]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_result_is_typed_by_hand(path):
    """Percentages and p-values in the text come from the code, or they go stale."""
    cells = _read(path).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.findall(r"[+\N{MINUS SIGN}-]?\d+\.\d+\s?%|p\s*[=<]\s*0?\.\d", text)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path):
    outputs = [cell.outputs for cell in executed(path).cells if cell.cell_type == "code"]
    assert sum(map(len, outputs)) > 2
