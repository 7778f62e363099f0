"""Which test is valid for which design, and why not.

A design is what the events and the returns are, not what the numbers turn out to be: one series,
securities that share their dates, or firms with dates of their own. Every test is also a function
that computes always; `impact.study.tests_table` runs those that fit a study.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.estimation.abnormal import AbnormalReturns
from impact.inference import one_series, panel, ranks, signs, who_was_hit
from impact.inference.event_sets import MIN_SESSIONS
from impact.inference.tests import HypothesisTest
from impact.text.formats import counted, number

#: Securities on one date that a cross-sectional test needs, and the mean correlation of their
#: residuals that it stands.
MIN_COLUMNS, MAX_CORRELATION = 20, 0.3

#: Pairs of firm events below which the size of cross-sectional tests has not been measured.
MIN_PAIRS = 20

#: Pairs from which Hall's test holds its size with fat tails: at 5%, Student t CARs with four
#: degrees of freedom are rejected in 7.1% of samples of 20, 6.7% of 50, 6.2% of 100.
MIN_PAIRS_HALL = 100

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
        Securities that the study has rows of.
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
class Test:
    """A test with what its validity turns on."""

    name: str
    compute: Callable[..., HypothesisTest]
    judge: Callable[[Design], tuple[str, str]]


# -- one sentence for each test and design -------------------------------------------------------


def _fits(kind: str, *kinds: str) -> bool:
    return kind in kinds


_ONE, _SET, _DATE, _DATES, _FIRMS, _OVERLAP = DESIGNS
_SERIES_ONLY = "it tests events on one series"
_ONE_SERIES = "one series: there is no cross-section to take a spread from"
_FIRMS_APART = "it tests one common date, and firm events have dates of their own"
_NOT_ONE_DATE = {
    _DATES: "it tests one common date: pick one with study['id']",
    _FIRMS: _FIRMS_APART,
    _OVERLAP: _FIRMS_APART,
}


def _single(design: Design) -> tuple[str, str] | None:
    """What keeps a test of one event on one series from this design, if anything."""
    if design.kind == _SET:
        return NO, (
            f"it tests one session and the study has {counted(design.units, 'unit')}: see car(), "
            "or pick one with study['id']"
        )
    return _not_a_series(design)


def _not_a_series(design: Design) -> tuple[str, str] | None:
    if _fits(design.kind, _ONE, _SET):
        return None
    if _fits(design.kind, _DATE, _DATES):
        return NO, f"{_SERIES_ONLY}: take study.portfolio()"
    return NO, f"{_SERIES_ONLY}: give event_study() the one column"


def _unconditional(design: Design) -> tuple[str, str]:
    return _single(design) or (
        CALM,
        "it takes the variance as constant: in turbulent times it rejects far too often",
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
    if reason := _not_a_series(design):
        return reason
    if design.units < MIN_SESSIONS:
        return NO, (f"{counted(design.units, 'session')}: no verdict on fewer than {MIN_SESSIONS}")
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
        return NO, _NOT_ONE_DATE[design.kind]
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
        return NO, _NOT_ONE_DATE[design.kind]
    if design.induced_variance:
        return NO, "induced variance, and a variance that is taken as constant"
    return CALM, "it takes the variance as constant: in turbulent times it rejects far too often"


def _over_time(design: Design) -> tuple[str, str]:
    """A test whose spread comes from the average over securities, session by session."""
    if design.kind == _DATE and not design.induced_variance:
        return CALM, "correlation is inside the spread of the average; its variance is constant"
    return _cross_section(design, robust=False, correlated=False)


def _hall(design: Design) -> tuple[str, str]:
    valid, because = _cross_section(design, robust=True, correlated=False)
    if valid == YES and design.pairs < MIN_PAIRS_HALL:
        return NOT_KNOWN, (
            f"n too small: with fat tails and {counted(design.pairs, 'event')} it rejects too "
            f"often, from {MIN_PAIRS_HALL} on it does not"
        )
    return valid, because


# -- the tests -----------------------------------------------------------------------------------


def _of_portfolio(compute):
    return lambda study, start, end: compute(study.portfolio(), start, end)


def _adjusted_grank_t(study: AbnormalReturns, start: int, end: int | None) -> HypothesisTest:
    return ranks.grank_t(study, start, end, correlation_adjusted=True)


def _hall_t(study: AbnormalReturns, start: int, end: int | None) -> HypothesisTest:
    # Its normal p-values reject 6.6% of true nulls with 20 normal CARs, Student t ones 5.2%.
    return panel.hall(study, start, end, distribution="t")


TESTS = (
    Test("conditional_fhs", one_series.conditional_fhs, _conditional),
    Test("conditional_t", one_series.conditional_t, _conditional),
    Test("implied_t", one_series.implied_t, _implied),
    Test("prediction_t", one_series.prediction_t, _unconditional),
    Test("sample_quantile", one_series.sample_quantile, _unconditional),
    Test("conformal", one_series.conformal, _unconditional),
    Test("placebo_session", one_series.placebo_session, _unconditional),
    Test("shift_studentised", one_series.shift_studentised, _shift_studentised),
    Test("shift_mean", one_series.shift_mean, _shift_mean),
    Test(
        "portfolio_conditional", _of_portfolio(one_series.conditional_fhs), _portfolio_conditional
    ),
    Test("relative_max", who_was_hit.relative_max, _relative),
    Test("portfolio_t", panel.portfolio_t, _portfolio_t),
    Test("crude_dependence_t", panel.crude_dependence_t, _over_time),
    Test("brown_warner_1980", panel.brown_warner_1980, _judge(robust=False)),
    Test("cross_sectional_t", panel.cross_sectional_t, _judge(robust=True)),
    Test("patell", panel.patell, _judge(robust=False)),
    Test("bmp", panel.bmp, _judge(robust=True)),
    Test("kp_patell", panel.kp_patell, _judge(robust=False, correlated=True)),
    Test("kp_bmp", panel.kp_bmp, _judge(robust=True, correlated=True)),
    Test("hall", _hall_t, _hall),
    Test("corrado", ranks.corrado, _over_time),
    Test("corrado_zivney", ranks.corrado_zivney, _over_time),
    Test("cowan_rank", ranks.cowan_rank, _over_time),
    Test("grank_t", _adjusted_grank_t, _judge(robust=True, correlated=True)),
    Test("grank_z", ranks.grank_z, _judge(robust=True)),
    Test("sign", signs.sign, _judge(robust=True)),
    Test("generalised_sign", signs.generalised_sign, _judge(robust=True)),
    Test("wilcoxon", signs.wilcoxon, _judge(robust=True)),
)


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
    rows = {test.name: test.judge(design) for test in TESTS}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["valid", "because"]).rename_axis(
        "test"
    )


#: What a smaller design of each kind lacks, in words.
_SIZES = {
    _SET: f"from {MIN_SESSIONS} sessions",
    _DATE: f"from {MIN_COLUMNS} securities with r̄ < {MAX_CORRELATION}",
}


def design_table() -> pd.DataFrame:
    """Which test fits which design, in words.

    Returns
    -------
    DataFrame, tests x `DESIGNS`
        "yes", "no", "not known" or "in calm markets", with the condition where there is one; of
        studies that have a variance model and a volatility index.

    Examples
    --------
    >>> design_table().loc["kp_bmp", "securities on one date"]
    'yes, from 20 securities with r̄ < 0.3'
    >>> design_table().loc["patell", "firm events"]
    'yes, from 20 events, if they leave the variance alone'
    """
    cells = {kind: [_in_words(test, kind) for test in TESTS] for kind in DESIGNS}
    return pd.DataFrame(cells, index=pd.Index([test.name for test in TESTS], name="test"))


def _in_words(test: Test, kind: str) -> str:
    """Validity in the largest design of a kind, and what it takes for granted."""
    sizes = (1,) if kind == _ONE else (1, MIN_SESSIONS, MIN_COLUMNS, MIN_PAIRS, MIN_PAIRS_HALL)
    for induced in (True, False):
        judged = {
            n: test.judge(Design(kind, n, n, n, 0.0, induced_variance=induced, implied=True))[0]
            for n in sizes
        }
        valid = judged[sizes[-1]]
        if valid == NO:
            continue
        least = min(n for n, word in judged.items() if word == valid)
        words = [valid]
        if least > 1:
            words.append(_SIZES.get(kind, f"from {least} events"))
        if not induced:
            words.append("if they leave the variance alone")
        return ", ".join(words)
    if kind == _DATES and _in_words(test, _SET) != NO:
        return f"{NO}, but of study.portfolio()"
    return NO
