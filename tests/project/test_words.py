"""Words for readers: those that only this project used stay out of everything that is read."""

import inspect
import json
import re
from pathlib import Path

import pytest

import impact

ROOT = Path(__file__).parents[2]

#: What a native editor struck out; "Christmas Eve" is a day.
STRUCK = re.compile(
    r"(?<!Christmas )(?<!Year's )\beves?\b|\bcumulated\b|told from|same breath"
    r"|who cannot see|as hardly any|is not little"
    r"|four cases of five|says nothing about whether",
    re.IGNORECASE,
)

READ = [
    *ROOT.glob("*.md"),
    *ROOT.glob("data/*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("docs/_static/*.js"),
    *ROOT.glob("notebooks/*.ipynb"),
    *ROOT.glob("figures/*.txt"),
    *ROOT.glob("figures/hypotheses.csv"),
    *ROOT.glob("impact/**/*.py"),
    *ROOT.glob("calibration/*.py"),
]


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


@pytest.mark.parametrize("path", READ, ids=lambda path: path.name)
def test_no_word_that_only_we_use(path):
    # A sentence may be broken over lines, and over the strings of a program.
    text = re.sub(r'["\']?\s*\n\s*f?["\']?', " ", _text(path))
    assert STRUCK.findall(text) == []


def test_what_is_struck_out_is_found_across_lines():
    broken = 'f"variance forecast on the "\n        f"eve, that cannot be told"\n    "from chance"'
    assert STRUCK.findall(re.sub(r'["\']?\s*\n\s*f?["\']?', " ", broken)) == ["eve", "told from"]


# -- how long a sentence is -----------------------------------------------------------------------

#: The most words of a sentence. In a caption, which lists what is drawn, a semicolon ends one.
LONGEST = 40


def _markdown(path: Path) -> str:
    """The prose of a page or a notebook, without its code and its tables."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    text = re.sub(r"<!--.*?-->|```.*?```", "\n\n", text, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


def _long(text: str, ends: str = ".?!:") -> list[str]:
    """Sentences of more than so many words; a blank line, a heading and a bullet end one too."""
    parts = re.split(rf"(?<=[{ends}])[\"”*)]*\s|\n\s*\n|\n- |\n#", text)
    return [part for part in parts if len(part.split()) > LONGEST]


PROSE = [ROOT / "README.md", *ROOT.glob("notebooks/*.ipynb")]


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_no_sentence_of_a_page_or_a_notebook_is_too_long(path):
    assert _long(_markdown(path)) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("figures/*.txt")), ids=lambda path: path.name)
def test_no_sentence_of_a_caption_is_too_long(path):
    assert _long(path.read_text(encoding="utf-8"), ".?!:;") == []


def test_no_summary_of_the_face_is_too_long():
    docs = {name: inspect.getdoc(getattr(impact, name)) or "" for name in impact.__all__}
    assert {name: _long(doc.partition("\n\n")[0]) for name, doc in docs.items()} == {
        name: [] for name in docs
    }


def test_a_long_sentence_is_found():
    assert len(_long("A word. " + "word " * 41 + "end. Another.")) == 1
    assert len(_long("word; " * 41)) == 1 and not _long("word; " * 41, ".;")
