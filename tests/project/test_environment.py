"""What a fresh machine is told: one list of dependencies, pinned, in every place the same."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def _plain(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


def test_conda_and_pip_install_the_same():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["name"] == PROJECT["project"]["name"]
    plain = [line for line in conda["dependencies"] if isinstance(line, str)]
    assert plain == [f"python{PROJECT['project']['requires-python']}", "pip"]
    (pip,) = [line["pip"] for line in conda["dependencies"] if isinstance(line, dict)]
    assert pip == ["-c constraints.txt", "-e .[docs,notebooks,test]"]
    assert '-c constraints.txt -e ".[docs,notebooks,test]"' in MAKEFILE
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"docs", "notebooks", "test"} <= set(extras)
    assert {*extras["dask"], *extras["office"]} <= set(extras["test"])


def test_every_dependency_is_pinned_to_the_version_that_passed():
    pins = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    extras = PROJECT["project"]["optional-dependencies"].values()
    listed = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    from importlib.metadata import version

    for requirement in listed:
        name = _plain(requirement)
        assert name in pins, name
        assert version(name) == pins[name], name


def test_versions_agree():
    import impact  # noqa: F401

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]


def test_bare_make_prints_each_target_with_a_sentence():
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M).group(1).split()
    for target in phony:
        assert re.search(rf"^ *{target} +\w.{{10,}}$", said, re.M), target


def test_the_makefile_needs_nothing_newer_than_make_3_81():
    for newer in (".ONESHELL", "!=", "&:", "$(file ", "::="):
        assert newer not in MAKEFILE
