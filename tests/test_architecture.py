"""The structure: data flows one way, nothing reaches back, heavy libraries load on first use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "impact"

#: The order in which data flows: a module imports only from those above it.
ORDER = (
    "errors", "formats", "files", "windows", "dates", "sessions", "closes", "returns", "prices",
    "yahoo.cache", "yahoo.quotes", "yahoo.merge", "yahoo.refresh", "yahoo.fetch", "yahoo",
    "yahoo.snapshots",
    "events", "flags", "alignment", "models", "estimation", "units",
    "variance", "volatility", "implied",
    "inference.result", "inference.inputs", "inference.sample", "inference.correlation",
    "inference.parametric", "inference.rank", "inference.signs", "inference.average",
    "inference.conditional", "inference.unconditional", "inference.placebo",
    "inference.equivalence", "inference.multiplicity", "inference.one_series",
    "inference.cumulative",
    "inference.relative", "inference.diagnostics", "inference.groups", "inference.choose",
    "inference.sizes", "inference.report",
    "inference",
    "results", "study", "cross_section", "calendar_time", "paths", "published", "regression",
    "dose", "register", "groups", "hypotheses", "specification",
    "calibration.single", "calibration.rates", "calibration.sets", "calibration.panels",
    "calibration.experiments", "calibration", "calibration.__main__",
    "typeset", "tables",
    "charts.style", "charts.labels", "charts.series", "charts.sets", "charts.panels",
    "charts.groups", "charts.trust", "charts",
    "sentences", "cards",
    "figures.exhibits", "figures.common", "figures.year", "figures.sectors", "figures.sets",
    "figures.trust", "figures", "figures.__main__",
    "",
)  # fmt: skip

#: Methods that display a result may reach down, by lazy import.
DISPLAY = {"plot", "summary", "_repr_html_", "to_latex"}

HEAVY = ("matplotlib", "yfinance", "arch", "pandas_market_calendars", "statsmodels", "joblib",
         "tqdm", "curl_cffi", "stamina", "filelock", "platformdirs")  # fmt: skip


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").removesuffix(".")


MODULES = {_name(path): path for path in PACKAGE.rglob("*.py")}


def _imports(tree: ast.AST, *, lazily_from_display: bool = False):
    """Names of impact's modules that a syntax tree imports, with the line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in DISPLAY and not lazily_from_display:
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "impact":
            base = node.module.removeprefix("impact").removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".removeprefix(".")
                yield (inner if inner in MODULES else base), node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "impact":
                    yield alias.name.removeprefix("impact").removeprefix("."), node.lineno
        yield from _imports(node, lazily_from_display=lazily_from_display)


def test_the_order_lists_every_module_once():
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_those_above_it(name):
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for used, line in _imports(tree):
        assert used in ORDER, f"{name} line {line}: {used!r} is no module"
        assert ORDER.index(used) < ORDER.index(name), f"{name} line {line} imports {used}"


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_absolute_and_nothing_is_imported_whole(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}"
            assert all(alias.name != "*" for alias in node.names), f"line {node.lineno}"


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small_and_errors_are_not_swallowed(name):
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450
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
    assert "impact.study" in loaded


def test_reading_prices_and_events_draws_nothing():
    loaded = _loaded_after("import impact; impact.load_prices(); impact.load_events()")
    assert loaded.isdisjoint({"matplotlib", "yfinance", "statsmodels"})


def test_public_names_are_listed_and_documented():
    import impact

    assert sorted(impact.__all__) == list(impact.__all__)
    for name in impact.__all__:
        assert getattr(impact, name).__doc__, name
    others = {name for name in vars(impact) if not name.startswith("_")} - set(impact.__all__)
    assert {name for name in others if name not in MODULES and f"{name}" != "impact"} == set()
