"""The windows that are tested, p-values, and how a file of answers is written."""

import sys
from pathlib import Path

import pandas as pd
from scipy import stats

HERE = Path(__file__).parent

Window = tuple[int, int]

ESTIMATION: Window = (-210, -11)
EVENT: Window = (-5, 5)
SINGLE_DAYS: list[Window] = [(t, t) for t in range(EVENT[0], EVENT[1] + 1)]
LONGER: list[Window] = [(-5, 5), (0, 1), (-1, 1), (0, 5), (-5, -1)]


def label(window: Window) -> str:
    return f"[{window[0]},{window[1]}]"


def two_sided(statistic: float, distribution: str) -> float:
    """P-value under "norm" or "t(dof)"."""
    if distribution == "norm":
        return 2 * stats.norm.sf(abs(statistic))
    dof = int(distribution.removeprefix("t(").removesuffix(")"))
    return 2 * stats.t.sf(abs(statistic), dof)


def write(table: pd.DataFrame, name: str) -> None:
    """Write into the folder named on the command line, or beside the scripts."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    table.to_csv(folder / name, index=False, float_format="%.15g", lineterminator="\n")
