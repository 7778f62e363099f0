"""What a fresh machine is told: one list of dependencies, pinned, in every place the same."""

import re
import subprocess
import tomllib
from importlib.metadata import metadata, packages_distributions, requires
from pathlib import Path

import yaml
from packaging.requirements import Requirement

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


OWNERS = packages_distributions()
#: What is imported because a declared package hands it over, or takes it.
BROUGHT = {
    "curl-cffi": "yfinance",
    "docutils": "sphinx",
    "exchange-calendars": "pandas-market-calendars",
    "markdown-it-py": "myst-parser",
    "myst-parser": "myst-nb",
    "nbformat": "nbclient",
    "packaging": "matplotlib",
    "pillow": "matplotlib",
}
#: What is declared and not imported: the file that runs it, and by which word.
RUN = {
    "cogapp": ("Makefile", "-m cogapp"),
    "hatchling": ("pyproject.toml", 'build-backend = "hatchling.build"'),
    "import-linter": ("Makefile", "lint-imports"),
    "ipykernel": ("impact/report/notebooks.py", "IPKernelApp"),
    "jupyter": ("Makefile", "-m jupyter"),
    "mypy": ("Makefile", "-m mypy"),
    "nbstripout": (".pre-commit-config.yaml", "nbstripout"),
    "numpydoc": ("docs/conf.py", "numpydoc"),
    "pytest-socket": ("pyproject.toml", "--disable-socket"),
    "ruff": ("Makefile", "-m ruff"),
}


_STATEMENT = r"^\s*(?:import (\w+)|from (\w+)[\w.]* import )"
_CALL = r"(?:import_module|importorskip|_library|__import__)\(\s*\"(\w+)"
_IMPORT = re.compile(f"{_STATEMENT}|{_CALL}", re.M)


def _imported(*folders: str) -> set[str]:
    """Distributions that are imported; run_mutants has cosmic-ray in a folder of its own."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    texts = [p.read_text(encoding="utf-8") for p in paths if p.name != "run_mutants.py"]
    names = {name for text in texts for found in _IMPORT.findall(text) for name in found}
    return {_plain(owner) for name in names for owner in OWNERS.get(name, ())}


def test_what_is_imported_is_declared_and_what_is_declared_is_used():
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    always = {*map(_plain, project["dependencies"])}
    declared = always | {_plain(name) for extra in extras.values() for name in extra}
    ours = {_plain(project["name"])}
    everywhere = _imported("impact", "calibration", "tests", "docs")
    assert everywhere - declared - ours == BROUGHT.keys()
    for name, owner in BROUGHT.items():
        assert owner in declared | BROUGHT.keys(), name
        assert name in {*map(_plain, requires(owner) or ())}, name
    assert declared - everywhere == RUN.keys()
    for name, (path, word) in RUN.items():
        assert word in (ROOT / path).read_text(encoding="utf-8"), name
    # What an installed package imports comes with it, or with an extra that its error names.
    lazy = {_plain(name) for extra in ("docs", "notebooks", "office") for name in extras[extra]}
    assert _imported("impact") - always - lazy - ours <= BROUGHT.keys()


def _needed(name: str, known: set[str]) -> set[str]:
    """A distribution and all that it needs, without extras."""
    if name in known:
        return known
    known.add(name)
    for each in map(Requirement, requires(name) or ()):
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            _needed(_plain(each.name), known)
    return known


def test_every_licence_is_one_that_the_guide_names():
    named = {"peewee": "MIT"}  # it names none in its metadata
    free, bound = re.compile(r"MIT|BSD|Apache|PSF|Python Software"), set()
    for name in _needed(PROJECT["project"]["name"], set()):
        about = metadata(name)
        kinds = [line for line in about.get_all("Classifier", []) if line.startswith("License")]
        told = [about.get("License-Expression"), (about.get("License") or "")[:200], *kinds]
        text = " ".join(filter(None, told)) or named.get(name, "")
        assert free.search(text) or "MPL" in text, (name, text)
        assert "GPL" not in text, (name, text)
        bound |= {name} if "MPL" in text else set()
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert bound == {"certifi", "tqdm"} and "certifi and tqdm are under MPL" in guide


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
