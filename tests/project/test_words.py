"""Words for readers: those that only this project used stay out of everything that is read."""

import json
import re
from pathlib import Path

import pytest

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
