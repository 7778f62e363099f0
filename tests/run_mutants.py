"""Change the code that decides, one place at a time, and count which changes the tests notice.

``python tests/run_mutants.py [SAMPLE [SEED [FILE ...]]]``: SAMPLE mutants of each file ("all" for
all), drawn with SEED. The mutants are cosmic-ray's, made in a copy of the tree below
build/; each runs the tests of its room, first the file's own, up to the first that fails.
"""

from __future__ import annotations

import ast
import difflib
import multiprocessing
import os
import random
import resource
import shutil
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build" / "mutants"
# What is changed, and the tests that concern it besides the file's own doctests and tests.
_PANEL = """tests/inference/test_panel_tests.py tests/inference/test_reference_statistics.py
tests/study/test_panel*.py"""
_ONE = """tests/inference/test_conditional.py tests/inference/test_yardsticks.py
tests/study/test_conditional_panel.py"""
ROOMS = {
    "estimation/*": f"""{_PANEL} tests/estimation tests/volatility/test_gaps.py
    tests/study/test_[bmnors]*.py""",
    "inference/panel inference/ranks inference/signs inference/correlation": _PANEL,
    "inference/tests inference/validity": _PANEL,
    "inference/beyond_beta inference/ranked_moves": "tests/inference/test_who_was_hit.py",
    "inference/cond* inference/equal_tails inference/yardsticks": _ONE,
    "inference/clust* inference/equivalence inference/event_sets inference/m* inference/size": "",
    "inference/slope inference/unconditional inference/who_was_hit": "",
    "volatility/*": "tests/volatility tests/inference/test_conditional.py",
    "market/calendar": "tests/market/test_[ip]*.py tests/news/test_[am]*.py",
    "market/bars": "tests/market/test_yahoo_bars.py",
    "news/alignment": "tests/news",
    "analysis/intraday*": """tests/analysis/test_day.py tests/analysis/test_intraday.py
    tests/analysis/test_plots.py""",
}
# Simulations of many seconds are left out, and no run of the tests takes the processor for longer.
_SLOW = """keeps_its_size or level_says or as_much_as_before or number_of_processes or may_be_noise
or hour_later or truth_is_known or number_of_threads or four_times_in_five
or slow_implementation_gives""".replace("\n", " ")
_SECONDS = 300
# Keywords that guard or speed up what is computed, and do not change it.
_NO_RULES = ("strict", "frozen", "maxsize")
# Names of cosmic-ray's operators. It has more; these swap for what is nearest.
_OPERATORS = {
    "ReplaceBinaryOperator_": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul "
    "BitOr_BitAnd BitAnd_BitOr",
    "ReplaceComparisonOperator_": "Lt_LtE LtE_Lt Gt_GtE GtE_Gt Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is",
    "ReplaceUnaryOperator_": "USub_UAdd Delete_Not Delete_Invert",
    "Replace": "TrueWithFalse FalseWithTrue AndWithOr OrWithAnd BreakWithContinue "
    "ContinueWithBreak",
    "": "AddNot ExceptionReplacer NumberReplacer ZeroIterationForLoop",
}
_LOADED_ONCE = ["pytest", "matplotlib.pyplot", "pandas_market_calendars"]
_LOADED_ONCE += ["scipy.stats", "statsmodels.api", "joblib", "yfinance"]


def _operators() -> list:
    import parso  # noqa: F401  (before cosmic-ray, which otherwise finds no operators)
    from cosmic_ray.plugins import get_operator

    names = [kind + name for kind, ends in _OPERATORS.items() for name in ends.split()]
    return [get_operator(f"core/{name}")() for name in names]


def _meaning(code: str) -> str:
    """The syntax tree without annotations and guards of the programmer's: no user meets them."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if hasattr(node, name):
                setattr(node, name, None)
        if isinstance(node, ast.Call):
            node.keywords = [one for one in node.keywords if one.arg not in _NO_RULES]
    return ast.dump(tree)


def mutants(code: str, order: random.Random) -> Iterator[str]:
    """Every mutant of a file's text, shuffled."""
    operators = _operators()
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    nodes = list(ast_nodes(get_ast(code)))
    counts = [sum(len(list(one.mutation_positions(n))) for n in nodes) for one in operators]
    places = [(i, place) for i, count in enumerate(counts) for place in range(count)]
    order.shuffle(places)
    for i, place in places:
        try:
            mutant = mutate_code(code, operators[i], place)
        except AttributeError:  # cosmic-ray cannot replace an exception with a dot in its name
            continue
        if _meaning(mutant) not in ("", _meaning(code)):
            yield mutant


def _pytest(tests: list[str]) -> None:
    """One run of the tests, in a process of its own that has loaded everything but impact."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    os.chdir(COPY)
    os.dup2(os.open("tests.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    import pytest

    # A module that is named is searched for tests too, and tested_window is none.
    options = ["-x", "-p", "no:cacheprovider", "-o", "python_functions=test_*"]
    os._exit(pytest.main([*tests, *options, "-k", f"not ({_SLOW})"]))


def _notices(tests: list[str]) -> bool:
    """Whether a test fails, or the run takes too long."""
    process = multiprocessing.get_context("forkserver").Process(target=_pytest, args=(tests,))
    process.start()
    process.join()
    return process.exitcode != 0


def _tests(patterns: str) -> list[str]:
    return [str(p.relative_to(COPY)) for one in patterns.split() for p in sorted(COPY.glob(one))]


def _place(code: str, mutant: str) -> str:
    """The changed lines, as a reader of a diff sees them."""
    lines = difflib.unified_diff(code.splitlines(), mutant.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in list(lines)[2:])


def _examined(path: Path, room: str, wanted: int | None, seed: str) -> str:
    """Try the mutants of a file, print those that survive, and return its row."""
    code = path.read_text(encoding="utf-8")
    name = path.relative_to(COPY).as_posix()
    tests = _tests(f"tests/{path.parent.name}/test_{path.name} {room} {name}")
    if _notices(tests):
        raise SystemExit(f"{tests} fail without any change: see {COPY / 'tests.log'}")
    count = survivors = 0
    for mutant in islice(mutants(code, random.Random(f"{seed} {name}")), wanted):
        path.write_text(mutant, encoding="utf-8")
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        count += 1
        if not _notices(tests):
            survivors += 1
            print(f"survived: {name}\n{_place(code, mutant)}", flush=True)
    path.write_text(code, encoding="utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)
    return f"{name:42} {count:7} {count - survivors:7} {survivors:9} {1 - survivors / count:7.0%}"


def main(wanted: str = "all", seed: str = "0", *files: str) -> int:
    """Run the mutants and print a line for each file."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT, COPY, ignore=shutil.ignore_patterns("build", ".*", "__pycache__"))
    multiprocessing.get_context("forkserver").set_forkserver_preload(_LOADED_ONCE)
    number = None if wanted == "all" else int(wanted)
    rows = [f"{'file':42} {'mutants':>7} {'killed':>7} {'survivors':>9} {'share':>7}"]
    for stems, room in ROOMS.items():
        for name in _tests(" ".join(f"impact/{stem}.py" for stem in stems.split())):
            if not name.endswith("__init__.py") and (not files or name in files):
                rows.append(_examined(COPY / name, room, number, seed))
                print(rows[-1], flush=True)
    print("", *rows, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
