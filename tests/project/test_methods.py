"""The methods: no test is without its formula and source. Their numbers: see test_readme."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from impact import design_table
from impact.inference.validity import TESTS

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "methods").glob("*.md"))
#: Each test's own section of a page.
SECTIONS = {
    name: text
    for page in PAGES
    for name, text in re.findall(
        r"^### `(\w+)`\n(.*?)(?=^##|\Z)", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
}


def test_every_test_has_a_section_and_every_section_is_a_test():
    assert sorted(SECTIONS) == sorted(design_table().index)


@pytest.mark.parametrize("name", TESTS)
def test_each_section_says_source_and_assumption_or_design(name):
    section = SECTIONS[name]
    assert "*Source:*" in section
    assert "*Assumes*" in section or "*Fits*" in section


@pytest.mark.parametrize("name", TESTS)
def test_each_section_cites_the_papers_of_the_docstring(name):
    _, _, references = (inspect.getdoc(TESTS[name]) or "").partition("References\n")
    years = re.findall(r"\b(?:19|20)\d\d\b", references)
    assert years, f"the docstring of {name} cites nothing"
    assert [year for year in years if year not in SECTIONS[name]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_is_in_the_index_and_says_first_what_it_is_about(page):
    text = page.read_text(encoding="utf-8")
    heading, _, after = text.partition("\n\n")
    assert heading.startswith("# ") and re.match(r"[A-Z][^`#|]", after)
    index = (page.parent / "index.md").read_text(encoding="utf-8")
    assert page.name == "index.md" or f"({page.name})" in index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_dollars_and_braces_of_formulas_are_in_pairs(page):
    text = re.sub(r"<!-- \[\[\[.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    blocks = text.split("$$")
    assert len(blocks) % 2
    formulas = blocks[1::2]
    for prose in blocks[::2]:
        parts = re.sub(r"`[^`]*`", "", prose).split("$")
        assert len(parts) % 2, prose
        formulas += parts[1::2]
    for formula in formulas:
        bare = re.sub(r"\\[{}]", "", formula)
        assert bare.count("{") == bare.count("}"), formula
