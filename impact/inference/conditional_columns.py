"""The conditional and implied tests of every row of a study, as columns of its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.estimation.abnormal import AbnormalReturns
from impact.inference.conditional import FOUND, NOT_AVAILABLE, implied_of_row, tests_of_row
from impact.inference.equal_tails import CONFIDENCE
from impact.inference.measured_sizes import too_short_for_t
from impact.inference.tests import Found
from impact.market.windows import Window
from impact.text.progress import in_processes

#: What `conditional_columns` holds, in order.
COLUMNS = (
    "sigma_conditional",
    "z_conditional",
    "p_conditional",
    "p_conditional_t",
    "ci_low_conditional",
    "ci_high_conditional",
    "sigma_implied",
    "z_implied",
    "p_implied",
    "smallest_detectable",
)

#: Fewest tasks that the securities are divided into: some take longer than others.
_TASKS = 16


def row_names(index: pd.Index) -> list[str]:
    """Return what rows of a study are called: the event, and whose it is in a panel.

    Examples
    --------
    >>> row_names(pd.Index(["truce"])), row_names(pd.MultiIndex.from_tuples([("truce", "XLK")]))
    (['truce'], ['XLK on truce'])
    """
    return [f"{name[1]} on {name[0]}" if isinstance(name, tuple) else str(name) for name in index]


def conditional_columns(
    study: AbnormalReturns, tested: Window, level: float = CONFIDENCE
) -> pd.DataFrame:
    """Conditional and implied tests of every row of a study that has a variance model.

    Of several securities, ``n_jobs`` of the study share the work.

    Returns
    -------
    DataFrame, shape (M, 10)
        Index as ``study.abnormal``; `sigma_conditional` (of the window's sum), `z_conditional`,
        `p_conditional` (filtered historical simulation, equal tails), `p_conditional_t`,
        `ci_low_conditional`, `ci_high_conditional`, `sigma_implied`, `z_implied`,
        `p_implied` (one session, and only with ``implied=``), `smallest_detectable`. NaN where a
        forecast is not available; ``.attrs["notes"]`` says why, by row.
    """
    _find_all(study, tested, level)
    rows, notes = [], []
    for i, name in enumerate(row_names(study.fit.index)):
        row, said = _row(study, i, tested, level)
        rows.append(row)
        notes += [f"{name}: {note}" for note in said if note]
    table = pd.DataFrame(rows, columns=COLUMNS, index=study.fit.index, dtype=float)
    table.attrs["notes"] = notes
    return table


def _find_all(study: AbnormalReturns, tested: Window, level: float) -> None:
    """Make the forecasts of a panel, those of a security in one process."""
    jobs, securities = study.settings.n_jobs, study.fits.pairs.column
    known = FOUND.setdefault(study, {})
    if study.is_one_series or (0, tested, level) in known:
        return
    from joblib import effective_n_jobs

    # Also of one process: joblib may have been told of a cluster.
    count = max(_TASKS, 4 * effective_n_jobs(jobs))
    tasks = np.array_split(np.unique(securities), count)
    rows = [np.flatnonzero(np.isin(securities, task)) for task in tasks if len(task)]
    asked = [(study.take(part), tested, level) for part in rows]
    found = in_processes(_found_in, asked, "conditional tests", jobs)
    for part, tests in zip(rows, found, strict=True):
        known |= {(i, tested, level): both for i, both in zip(part.tolist(), tests, strict=True)}


def _found_in(
    study: AbnormalReturns, tested: Window, level: float
) -> list[tuple[Found, Found] | Exception]:
    return [_attempt(study, i, tested, level) for i in range(len(study))]


def _attempt(
    study: AbnormalReturns, i: int, tested: Window, level: float
) -> tuple[Found, Found] | Exception:
    """Both tests of a row, or why there are none."""
    known = FOUND.get(study, {}).get((i, tested, level))
    if known is not None:
        return known
    try:
        return tests_of_row(study, i, tested, level)
    except NOT_AVAILABLE as error:
        return error


def _row(
    study: AbnormalReturns, i: int, tested: Window, level: float
) -> tuple[dict[str, float], list[str]]:
    """What there is of `COLUMNS`, and what the forecasts have to say."""
    row: dict[str, float] = {}
    notes = []
    tests = _attempt(study, i, tested, level)
    if isinstance(tests, Exception):
        notes.append(str(tests))
    else:
        by_past, by_t = tests
        detail = by_past["detail"]
        row |= _named(by_past, "conditional")
        if why := too_short_for_t(by_t["n"]):
            notes.append(why)
        else:
            row["p_conditional_t"] = by_t["p_value"]
        row["smallest_detectable"] = detail["smallest_detectable"]
        notes.append(detail["note"])
    if study.implied is not None and tested.length == 1:
        try:
            row |= _named(implied_of_row(study, i, tested), "implied")
        except NOT_AVAILABLE as error:
            notes.append(str(error))
    return row, notes


def _named(found: Found, kind: str) -> dict[str, float]:
    held = found["detail"] | {"z": found["statistic"], "p": found["p_value"]}
    return {f"{name}_{kind}": value for name, value in held.items()}
