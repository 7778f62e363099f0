"""Which test is valid for which design, and why not.

A design is what the events and the returns are, not what the numbers turn out to be: one series,
securities that share their dates, or firms with dates of their own. `tests_table` gives numbers
only for tests that fit the design; each test is also a function that computes always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, VolatilityError
from impact.formats import counted, number
from impact.inference import one_series, parametric, rank, relative, signs
from impact.inference.correlation import mean_correlation
from impact.inference.placebo import MIN_SESSIONS
from impact.inference.result import HypothesisTest
from impact.windows import tested_window

if TYPE_CHECKING:
    from impact.results import EventStudy

#: Securities on one date that a cross-sectional test needs, and the mean correlation of their
#: residuals that it stands.
MIN_COLUMNS, MAX_CORRELATION = 20, 0.3

#: Pairs of firm events below which the size of cross-sectional tests has not been measured.
MIN_PAIRS = 20

YES, NO, NOT_KNOWN, CALM = "yes", "no", "not known", "in calm markets"

#: Kinds of designs, in the order of the README's table.
DESIGNS = (
    "one event, one series",
    "events on one series",
    "securities on one date",
    "securities on common dates",
    "firm events",
    "firm events that overlap",
)


@dataclass(frozen=True)
class Design:
    """What decides which tests are valid.

    Attributes
    ----------
    kind : str
        One of `DESIGNS`.
    units : int
        Sessions that hold events.
    pairs : int
        Pairs of event and security.
    columns : int
        Securities.
    correlation : float
        Mean correlation of the estimation residuals; NaN where it was not asked for.
    induced_variance : bool
        Whether the events may raise the variance of the returns themselves.
    variance : bool
        Whether the study has a variance model for conditional tests.
    implied : bool
        Whether the study has a volatility index.
    """

    kind: str
    units: int
    pairs: int
    columns: int
    correlation: float = np.nan
    induced_variance: bool = True
    variance: bool = True
    implied: bool = False


@dataclass(frozen=True)
class _Test:
    """A test with what its validity turns on."""

    name: str
    compute: Callable[..., HypothesisTest]
    judge: Callable[[Design], tuple[str, str]]


def design_of(study: EventStudy, start: int = 0, end: int | None = None, *,
              induced_variance: bool = True) -> Design:  # fmt: skip
    """Return the design of a study for a test of the window (start, end).

    Parameters
    ----------
    study : EventStudy
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
        apart = np.diff(np.sort(study.pairs.position))
        overlap = shares_dates or bool((apart < tested.length).any())
        kind = DESIGNS[5] if overlap else DESIGNS[4]
    return Design(
        kind, units, pairs, study.returns.shape[1],
        mean_correlation(study) if kind == DESIGNS[2] else np.nan,
        induced_variance, study.settings.volatility is not None, study.implied is not None,
    )  # fmt: skip


def _all_units_are_common(study: EventStudy) -> bool:
    return bool((np.bincount(study.unit) > 1).all())


# -- one sentence for each test and design -------------------------------------------------------


def _fits(kind: str, *kinds: str) -> bool:
    return kind in kinds


_ONE, _SET, _DATE, _DATES, _FIRMS, _OVERLAP = DESIGNS
_SERIES_ONLY = "it tests events on one series"
_ONE_SERIES = "one series: there is no cross-section to take a spread from"


def _single(design: Design) -> tuple[str, str] | None:
    """What keeps a test of one event on one series from this design, if anything."""
    if design.kind == _SET:
        return NO, (
            f"it tests one session and the study has {counted(design.units, 'unit')}: see car(), "
            "or pick one with study['id']"
        )
    if design.kind != _ONE:
        return NO, f"{_SERIES_ONLY}: take study.portfolio()"
    return None


def _unconditional(design: Design) -> tuple[str, str]:
    return _single(design) or (
        CALM, "it takes the variance as constant: in turbulent times it rejects far too often"
    )


def _conditional(design: Design) -> tuple[str, str]:
    reason = _single(design)
    if reason or design.variance:
        return reason or (YES, "its yardstick is the variance known on the eve")
    return NO, "the study has no variance model: run it with volatility='gjr'"


def _implied(design: Design) -> tuple[str, str]:
    reason = _single(design)
    if reason or design.implied:
        return reason or (YES, "its yardstick is the volatility index of the eve, calibrated")
    return NO, "the study has no volatility index: for the S&P 500, run it with implied=load_vix()"


def _shift_studentised(design: Design) -> tuple[str, str]:
    if not _fits(design.kind, _ONE, _SET):
        return NO, f"{_SERIES_ONLY}: take study.portfolio()"
    if design.units < MIN_SESSIONS:
        return NO, (
            f"{counted(design.units, 'session')}: no verdict on fewer than {MIN_SESSIONS}"
        )
    if not design.variance:
        return NO, "the study has no variance model: run it with volatility='gjr'"
    return YES, "the set is compared with all its circular shifts, its variance left free"


def _shift_mean(design: Design) -> tuple[str, str]:
    valid, because = _shift_studentised(design)
    if valid == YES and design.induced_variance:
        return NO, "a larger variance on event days alone makes it reject"
    return valid, because


def _portfolio_conditional(design: Design) -> tuple[str, str]:
    if _fits(design.kind, _ONE, _SET):
        return NO, "one series: use conditional_fhs"
    if design.kind != _DATE:
        return NO, "it tests one common date: pick one with study['id']"
    if not design.variance:
        return NO, "the study has no variance model: run it with volatility='gjr'"
    return YES, "the common move is one observation, tested against the variance of its eve"


def _relative(design: Design) -> tuple[str, str]:
    if design.kind != _DATE:
        return NO, "it asks which security stands out on one common date"
    return YES, "it ranks the largest relative move among all other sessions"


def _cross_section(design: Design, *, robust: bool, correlated: bool) -> tuple[str, str]:
    """A test whose spread comes from the securities.

    `robust` to variance that events induce; `correlated`: adjusted for clustering.
    """
    if _fits(design.kind, _ONE, _SET):
        return NO, _ONE_SERIES
    if design.kind == _DATES:
        return NO, (
            "clustering: securities that share their dates are one observation a date; use "
            "tests() of study.portfolio()"
        )
    if design.induced_variance and not robust:
        return NO, "induced variance: events that raise the variance make it reject"
    if design.kind == _DATE:
        return _one_date(design, correlated)
    if design.kind == _OVERLAP:
        if correlated:
            return NOT_KNOWN, "its size for firm events that overlap in part was not measured"
        return NO, "clustering: firm events whose windows overlap are not independent"
    if design.pairs < MIN_PAIRS:
        return NOT_KNOWN, (
            f"n too small: {counted(design.pairs, 'event')}, its size was measured from {MIN_PAIRS}"
        )
    return YES, "the events are apart in time, so their abnormal returns are independent"


def _one_date(design: Design, correlated: bool) -> tuple[str, str]:
    if not correlated:
        return NO, "clustering: securities on one date move together"
    if design.columns < MIN_COLUMNS or not design.correlation < MAX_CORRELATION:
        return NO, (
            f"{counted(design.columns, 'security', 'securities')} on one date with a mean "
            f"correlation of {number(design.correlation)} are one observation"
        )
    return YES, (
        f"{counted(design.columns, 'security', 'securities')} with a mean correlation of "
        f"{number(design.correlation)}, which it adjusts for"
    )


def _judge(*, robust: bool, correlated: bool = False) -> Callable[[Design], tuple[str, str]]:
    return lambda design: _cross_section(design, robust=robust, correlated=correlated)


def _portfolio_t(design: Design) -> tuple[str, str]:
    if _fits(design.kind, _ONE, _SET):
        return NO, "one series: use prediction_t"
    if design.kind != _DATE:
        return NO, "it tests one common date: pick one with study['id']"
    if design.induced_variance:
        return NO, "induced variance, and a variance that is taken as constant"
    return CALM, "it takes the variance as constant: in turbulent times it rejects far too often"


def _crude(design: Design) -> tuple[str, str]:
    if design.kind == _DATE and not design.induced_variance:
        return CALM, "correlation is inside the spread of the average; its variance is constant"
    return _cross_section(design, robust=False, correlated=False)


# -- the tests -----------------------------------------------------------------------------------


def _of_portfolio(compute):
    return lambda study, start, end: compute(study.portfolio(), start, end)


def _adjusted_grank_t(study: EventStudy, start: int, end: int | None) -> HypothesisTest:
    return rank.grank_t(study, start, end, correlation_adjusted=True)


_TESTS = (
    _Test("conditional_fhs", one_series.conditional_fhs, _conditional),
    _Test("conditional_t", one_series.conditional_t, _conditional),
    _Test("implied_t", one_series.implied_t, _implied),
    _Test("prediction_t", one_series.prediction_t, _unconditional),
    _Test("sample_quantile", one_series.sample_quantile, _unconditional),
    _Test("conformal", one_series.conformal, _unconditional),
    _Test("placebo_session", one_series.placebo_session, _unconditional),
    _Test("shift_studentised", one_series.shift_studentised, _shift_studentised),
    _Test("shift_mean", one_series.shift_mean, _shift_mean),
    _Test("portfolio_conditional", _of_portfolio(one_series.conditional_fhs),
          _portfolio_conditional),
    _Test("relative_max", relative.relative_max, _relative),
    _Test("portfolio_t", parametric.portfolio_t, _portfolio_t),
    _Test("crude_dependence_t", parametric.crude_dependence_t, _crude),
    _Test("brown_warner_1980", parametric.brown_warner_1980, _judge(robust=False)),
    _Test("cross_sectional_t", parametric.cross_sectional_t, _judge(robust=True)),
    _Test("patell", parametric.patell, _judge(robust=False)),
    _Test("bmp", parametric.bmp, _judge(robust=True)),
    _Test("kp_patell", parametric.kp_patell, _judge(robust=False, correlated=True)),
    _Test("kp_bmp", parametric.kp_bmp, _judge(robust=True, correlated=True)),
    _Test("hall", parametric.hall, _judge(robust=True)),
    _Test("corrado", rank.corrado, _judge(robust=False)),
    _Test("corrado_zivney", rank.corrado_zivney, _judge(robust=False)),
    _Test("cowan_rank", rank.cowan_rank, _judge(robust=False)),
    _Test("grank_t", _adjusted_grank_t, _judge(robust=True, correlated=True)),
    _Test("grank_z", rank.grank_z, _judge(robust=True)),
    _Test("sign", signs.sign, _judge(robust=True)),
    _Test("generalised_sign", signs.generalised_sign, _judge(robust=True)),
    _Test("wilcoxon", signs.wilcoxon, _judge(robust=True)),
)  # fmt: skip


def validity(design: Design) -> pd.DataFrame:
    """Say for each test whether it is valid for a design, and why.

    Returns
    -------
    DataFrame
        Index = name of the test; `valid` ("yes", "no", "not known", "in calm markets") and
        `because`, one sentence.

    Examples
    --------
    >>> eleven = Design("securities on one date", units=1, pairs=11, columns=11, correlation=0.47)
    >>> validity(eleven).loc["kp_bmp", "because"]
    '11 securities on one date with a mean correlation of 0.47 are one observation'
    """
    rows = {test.name: test.judge(design) for test in _TESTS}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["valid", "because"]).rename_axis(
        "test"
    )


def tests_table(
    study: EventStudy, start: int = 0, end: int | None = None, *, induced_variance: bool = True
) -> pd.DataFrame:
    """Compute every test that fits the study's design; see `EventStudy.tests`."""
    design = design_of(study, start, end, induced_variance=induced_variance)
    table = validity(design)
    found = {}
    for test in _TESTS:
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
    table.attrs["signature"] = study.signature(start, end)
    return table[["statistic", "p_value", "n", "null", "valid", "because"]]
