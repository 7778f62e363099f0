"""Change the code that decides, one place at a time, and count which changes the tests notice.

``python tests/run_mutants.py [SAMPLE [SEED]]``: SAMPLE mutants of each file (all of them if it
is left out), drawn with SEED. The mutants are cosmic-ray's, made in a copy of the tree below
build/; each runs the tests of its room, first the file's own, up to the first that fails.
"""

from __future__ import annotations

import ast
import difflib
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build" / "mutants"
# What is changed, and the tests that concern it: first those that notice most in little time.
ROOMS = {
    "impact/estimation/*.py": "tests/estimation tests/study",
    "impact/inference/*.py": "tests/inference tests/study/test_study.py tests/study/test_panel*.py",
    "impact/volatility/*.py": "tests/volatility tests/inference/test_conditional.py",
    "impact/market/calendar.py": "tests/market/test_[cip]*.py tests/news/test_[am]*.py",
    "impact/market/bars.py": "tests/market/test_*bars.py",
    "impact/news/alignment.py": "tests/news",
    "impact/analysis/intraday*.py": "tests/analysis/test_intraday.py tests/analysis/test_day.py",
}
_SLOW = 2.0  # seconds: a test that takes longer is left out
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
    """The syntax tree without annotations: a change of those is no change."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if hasattr(node, name):
                setattr(node, name, None)
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
        mutant = mutate_code(code, operators[i], place)
        if _meaning(mutant) not in ("", _meaning(code)):
            yield mutant


def _pytest(arguments: list[str]) -> None:
    """One run of the tests, in a process of its own that has loaded everything but impact."""
    os.setsid()
    os.chdir(COPY)
    os.dup2(os.open("tests.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    import pytest

    os._exit(pytest.main([*arguments, "-x", "-p", "no:cacheprovider"]))


def _notices(tests: list[str], limit: float | None) -> bool:
    """Whether a test fails, or the time limit is passed."""
    process = multiprocessing.get_context("forkserver").Process(target=_pytest, args=(tests,))
    process.start()
    process.join(limit)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
    return process.exitcode != 0


def _tests(patterns: str) -> tuple[list[str], float]:
    """The tests of a room without the slow ones, and a time limit for them."""
    files = [str(p.relative_to(COPY)) for one in patterns.split() for p in sorted(COPY.glob(one))]
    if _notices([*files, "--durations=0", "--durations-min=0.1"], None):
        raise SystemExit(f"{patterns} fail without any change: {COPY / 'tests.log'} says why")
    log = (COPY / "tests.log").read_text(encoding="utf-8")
    took = re.findall(r"^([\d.]+)s (?:call|setup) +(.+?) *$", log, re.M)
    slow = [f"--deselect={name}" for seconds, name in took if float(seconds) > _SLOW]
    return [*files, *slow], 60 + 4 * sum(min(float(seconds), _SLOW) for seconds, _ in took)


def _place(code: str, mutant: str) -> str:
    """The changed lines, as a reader of a diff sees them."""
    lines = difflib.unified_diff(code.splitlines(), mutant.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in list(lines)[2:])


def _examined(path: Path, tests: list[str], limit: float, wanted: int | None, seed: str) -> str:
    code = path.read_text(encoding="utf-8")
    name = path.relative_to(COPY).as_posix()
    own = COPY / "tests" / path.relative_to(COPY / "impact").with_name(f"test_{path.name}")
    first = [name, *([str(own.relative_to(COPY))] if own.exists() else [])]
    count = survivors = 0
    for mutant in islice(mutants(code, random.Random(f"{seed} {name}")), wanted):
        path.write_text(mutant, encoding="utf-8")
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        count += 1
        if not _notices([*first, *tests], limit):
            survivors += 1
            print(f"survived: {name}\n{_place(code, mutant)}", flush=True)
    path.write_text(code, encoding="utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)
    share = f"{1 - survivors / count:.0%}" if count else ""
    return f"{name:42} {count:7} {count - survivors:7} {survivors:9} {share:>6}"


def main(wanted: str = "all", seed: str = "0", *files: str) -> int:
    """Run the mutants and print a line for each file."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT, COPY, ignore=shutil.ignore_patterns("build", ".*", "__pycache__"))
    multiprocessing.get_context("forkserver").set_forkserver_preload(_LOADED_ONCE)
    number = None if wanted == "all" else int(wanted)
    rows = [f"{'file':42} {'mutants':>7} {'killed':>7} {'survivors':>9} {'share':>6}"]
    for pattern, patterns in ROOMS.items():
        tests: list[str] = []
        for path in sorted(COPY.glob(pattern)):
            if files and path.relative_to(COPY).as_posix() not in files:
                continue
            if not tests:
                tests, limit = _tests(patterns)
            rows.append(_examined(path, tests, limit, number, seed))
            print(rows[-1], flush=True)
    print("", *rows, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
