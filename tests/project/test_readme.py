"""The README: its numbers are the library's, its code runs, its links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
METHODS = sorted(map(str, (ROOT / "docs" / "methods").glob("*.md")))
#: What a reader sees: without the programs that fill in the numbers.
SHOWN = re.sub(r"<!-- \[\[\[.*?-->", "", TEXT, flags=re.S)
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)\n```", SHOWN, flags=re.S)


@pytest.mark.parametrize("pages", [["README.md"], METHODS], ids=["README", "methods"])
def test_the_numbers_are_what_the_library_gives(pages):
    check = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", *pages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert check.returncode == 0, f"run make readme\n{check.stdout}{check.stderr}"


def test_there_are_two_examples():
    assert len(EXAMPLES) == 2
    assert all(len(code.strip().splitlines()) == 3 for code, _ in EXAMPLES)


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_the_code_prints_what_stands_below_it(code, output):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})
    assert " ".join(said.getvalue().split()) == " ".join(output.split())


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http|#)([^)]+)\)", SHOWN))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_every_directory_is_in_the_table():
    tracked = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and path.name not in ("build", "dist")
        and not path.name.endswith(".egg-info")
        and path.name != "__pycache__"
    }
    listed = set(re.findall(r"^\| \[`(\w+)/`\]", SHOWN, flags=re.M))
    assert tracked == listed


def test_every_command_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", SHOWN, flags=re.M))
    assert named and named <= targets
    environment = re.search(r"^name: (.*)$", (ROOT / "environment.yml").read_text("utf-8"), re.M)
    assert f"conda activate {environment.group(1)}\n" in SHOWN


def test_every_picture_has_a_text_for_who_cannot_see_it():
    pictures = re.findall(r"!\[([^\]]*)\]", SHOWN)
    assert pictures and all(len(text) > 40 for text in pictures)
