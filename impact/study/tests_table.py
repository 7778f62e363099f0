"""Every test of a study that fits its design, with how often it errs where that was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, VolatilityError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.correlation import mean_correlation
from impact.inference.size import in_words, panel_in_words
from impact.inference.validity import DESIGNS, MIN_COLUMNS, NO, TESTS, Design, validity
from impact.market.windows import Window, tested_window

#: Tests whose size depends on the variance model of the study.
_CONDITIONAL = ("conditional_fhs", "conditional_t")


def design_of(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, induced_variance: bool = True
) -> Design:
    """Return the design of a study for a test of the window (start, end).

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Tested window; firm events overlap where their tested windows share a session.
    induced_variance : bool
        Whether the events may raise the variance of the returns themselves.
    """
    tested = tested_window(start, end, study.settings.window)
    units, pairs = len(study.alignment), len(study)
    shares_dates = study.has_common_dates
    if study.is_one_series:
        kind = DESIGNS[0] if pairs == 1 else DESIGNS[1]
    elif units == 1 and pairs > 1:
        kind = DESIGNS[2]
    elif pairs == units * study.returns.shape[1] or _all_units_are_common(study):
        kind = DESIGNS[3]
    else:
        apart = np.diff(np.sort(study.fits.pairs.position))
        overlap = shares_dates or bool((apart < tested.length).any())
        kind = DESIGNS[5] if overlap else DESIGNS[4]
    return Design(
        kind,
        units,
        pairs,
        len(np.unique(study.fits.pairs.column)),
        _correlation(study) if kind == DESIGNS[2] else np.nan,
        induced_variance,
        study.settings.volatility is not None,
        study.implied is not None,
    )


def _all_units_are_common(study: AbnormalReturns) -> bool:
    return bool((np.bincount(study.fits.unit) > 1).all())


def _correlation(study: AbnormalReturns) -> float:
    """Mean correlation of the residuals; NaN where no two series have sessions in common."""
    try:
        return mean_correlation(study)
    except InferenceError:
        return np.nan


def tests_table(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, induced_variance: bool = True
) -> pd.DataFrame:
    """Compute every test that fits the study's design; see `EventStudy.tests`."""
    design = design_of(study, start, end, induced_variance=induced_variance)
    table = validity(design)
    found = {}
    for test in TESTS:
        if table.loc[test.name, "valid"] == NO:
            continue
        try:
            found[test.name] = test.compute(study, start, end)
        except (InferenceError, HistoryError, VolatilityError) as error:
            table.loc[test.name] = [NO, str(error)]
    for column, missing in (("statistic", np.nan), ("p_value", np.nan), ("n", 0), ("null", "")):
        table[column] = [
            getattr(found[name], column) if name in found else missing for name in table.index
        ]
    tested = tested_window(start, end, study.settings.window)
    volatility = study.settings.volatility
    table["size"] = [
        _size(name, design, volatility, tested) if name in found else "" for name in table.index
    ]
    table.attrs["signature"] = study.signed(start, end)
    return table[["statistic", "p_value", "n", "null", "valid", "because", "size"]]


def _size(name: str, design: Design, volatility: str | None, tested: Window) -> str:
    """How often a test errs in such a design, where `make calibration` measured it."""
    if design.kind == DESIGNS[0]:
        return in_words(name, volatility if name in _CONDITIONAL else "", tested)
    # Hall's test was measured with normal p-values, and is computed with Student t ones.
    if name == "hall" or design.kind not in (DESIGNS[2], DESIGNS[4]):
        return ""
    if design.kind == DESIGNS[4]:
        return panel_in_words(name, "20 firms apart in time")
    few = design.columns < MIN_COLUMNS
    return panel_in_words(name, f"{'11 sectors' if few else '20 securities'} on one date")
