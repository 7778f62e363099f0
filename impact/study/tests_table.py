"""Every test of a study that fits its design, with how often it errs where that was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, VolatilityError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.clusters import clusters
from impact.inference.correlation import mean_correlation
from impact.inference.measured_sizes import firm_events_in_words, short_in_words
from impact.inference.size import in_words, panel_in_words
from impact.inference.tests import check_switches
from impact.inference.validity import MIN_COLUMNS, NO, TESTS, Kind, StudyDesign, validity
from impact.market.windows import Window, tested_window


def design_of(
    study: AbnormalReturns, start: int = 0, end: int | None = None, *, induced_variance: bool = True
) -> StudyDesign:
    """Return the design of a study for a test of the window (start, end).

    Firm events overlap where their tested windows share a session. `induced_variance` says whether
    the events may raise the variance of the returns themselves.
    """
    kind = _kind(study, tested_window(start, end, study.settings.window))
    return StudyDesign(
        kind,
        len(study.alignment),
        len(study),
        len(np.unique(study.fits.pairs.column)),
        _correlation(study) if kind is Kind.ONE_DATE else np.nan,
        induced_variance,
        study.settings.volatility is not None,
        study.implied is not None,
        int(clusters(np.unique(study.fits.pairs.position)).max()) + 1,
    )


def _kind(study: AbnormalReturns, tested: Window) -> Kind:
    units, pairs = len(study.alignment), len(study)
    if study.is_one_series:
        return Kind.ONE_EVENT if pairs == 1 else Kind.EVENTS
    if units == 1 and pairs > 1:
        return Kind.ONE_DATE
    every_unit_is_common = bool((np.bincount(study.fits.unit) > 1).all())
    if pairs == units * study.returns.shape[1] or every_unit_is_common:
        return Kind.COMMON_DATES
    apart = np.diff(np.sort(study.fits.pairs.position))
    overlap = study.has_common_dates or bool((apart < tested.length).any())
    return Kind.OVERLAP if overlap else Kind.FIRMS


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
    check_switches(induced_variance=induced_variance)
    design = design_of(study, start, end, induced_variance=induced_variance)
    table = validity(design)
    found = {}
    for name, test in TESTS.items():
        if table.loc[name, "valid"] == NO:
            continue
        try:
            found[name] = test(study, start, end)
        except (InferenceError, HistoryError, VolatilityError) as error:
            table.loc[name] = [NO, str(error)]
    for column, missing in (("statistic", np.nan), ("p_value", np.nan), ("n", 0), ("null", "")):
        table[column] = [
            getattr(found[name], column) if name in found else missing for name in table.index
        ]
    tested = tested_window(start, end, study.settings.window)
    model = study.settings.volatility or ""
    table["size"] = [
        _size(name, design, model, tested, found[name].n) if name in found else ""
        for name in table.index
    ]
    table.attrs["signature"] = study.signed(start, end)
    return table[["statistic", "p_value", "n", "null", "valid", "because", "size"]]


def _size(name: str, design: StudyDesign, model: str, tested: Window, n: int) -> str:
    """How often a test errs in such a design, where `make calibration` measured it."""
    few = design.columns < MIN_COLUMNS
    panels = {
        Kind.FIRMS: "20 firms apart in time",
        Kind.ONE_DATE: f"{'11 sectors' if few else '20 securities'} on one date",
    }
    if design.kind is Kind.ONE_EVENT:
        short = short_in_words(name, n) if name == "conditional_fhs" else ""
        return short or in_words(name, model, tested)
    said = [panel_in_words(name, panels[design.kind]) if design.kind in panels else ""]
    if design.kind is Kind.FIRMS:
        said.append(firm_events_in_words(name))
    return ", ".join(filter(None, said))
