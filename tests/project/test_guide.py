"""The guide: every block of every page runs, and prints what stands below it.

``python tests/project/test_guide.py`` writes what the blocks print into the pages again.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from impact import ImpactError, load_events
from impact.market.files import data_path, main

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
RECIPES = [page for page in PAGES if page.name != "index.md"]

#: A block of code, with what says that it is not run before it and what it prints below it.
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^>]+ -->\n)?```python\n(?P<code>.*?)```\n(?:\n```text\n.*?```\n)?",
    re.DOTALL,
)


def run(page: Path, folder: Path) -> str:
    """The page with what its blocks print, run from top to bottom in one namespace."""
    namespace: dict[str, object] = {"__name__": page.stem}

    def filled(block: re.Match[str]) -> str:
        if block["skip"]:
            return block[0]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(block["code"], page.name, "exec"), namespace)
        text = "\n".join(line.rstrip() for line in said.getvalue().rstrip().splitlines())
        below = f"\n```text\n{text}\n```\n" if text else ""
        return f"```python\n{block['code']}```\n{below}"

    with contextlib.chdir(folder):
        return BLOCK.sub(filled, page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_each_page_runs_and_prints_what_stands_there(page, tmp_path):
    assert run(page, tmp_path) == page.read_text(encoding="utf-8"), "run make readme"


def test_a_number_that_is_wrong_is_seen(tmp_path):
    page = tmp_path / "wrong.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", encoding="utf-8")
    assert run(page, tmp_path) == "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n"


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_each_page_is_in_the_index_and_has_a_first_sentence(page):
    text = page.read_text(encoding="utf-8")
    heading, _, after = text.partition("\n\n")
    assert heading.startswith("# ") and re.match(r"[A-Z][^`#|]", after)
    assert f"({page.name})" in (GUIDE / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/[gm]*/*.md")), ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_a_row_that_is_added_to_the_catalogue_is_refused_and_then_accepted(tmp_path):
    """The steps of add-an-event.md, on a copy of data/."""
    page = (GUIDE / "add-an-event.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"```text\n(my-[^\n]*)\n```", page)
    data = shutil.copytree(ROOT / "data", tmp_path / "data")
    with (data / "events.csv").open("a", encoding="utf-8", newline="") as file:
        file.write(row + "\n")
    with pytest.raises(ImpactError, match="data-accept"):
        data_path("events.csv", data)
    main([str(data)])
    added = load_events(data_path("events.csv", data))
    assert added.index[-1] == row.split(",")[0]


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    for recipe in RECIPES:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            recipe.write_text(run(recipe, Path(scratch)), encoding="utf-8", newline="\n")
    sys.exit(0)
