"""The structure: data flows one way, nothing reaches back, heavy libraries load on first use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "impact"

HEAVY = (
    "matplotlib",
    "yfinance",
    "arch",
    "openpyxl",
    "pandas_market_calendars",
    "statsmodels",
    "joblib",
    "tqdm",
    "curl_cffi",
    "platformdirs",
)


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").removesuffix(".")


MODULES = {_name(path): path for path in PACKAGE.rglob("*.py")}


def test_data_flow_one_way_through_the_rooms():
    command = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([command], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_absolute_and_nothing_is_imported_whole(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}"
            assert all(alias.name != "*" for alias in node.names), f"line {node.lineno}"


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small_and_errors_are_not_swallowed(name):
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 420
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}"
            assert ast.unparse(node.type) != "Exception", f"line {node.lineno}"


def _loaded_after(code: str) -> set[str]:
    shown = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_impact_loads_nothing_heavy():
    loaded = _loaded_after("import impact")
    assert loaded.isdisjoint(HEAVY)
    assert "impact.study.event_study" in loaded


def test_reading_prices_and_events_draws_nothing():
    loaded = _loaded_after("import impact; impact.load_prices(); impact.load_events()")
    assert loaded.isdisjoint({"matplotlib", "yfinance", "statsmodels"})


def test_the_face_is_what_dir_shows_and_every_name_is_documented():
    import impact

    assert sorted(impact.__all__) == list(impact.__all__) == dir(impact)
    for name in set(impact.__all__) - {"__version__"}:
        assert getattr(impact, name).__doc__, name
