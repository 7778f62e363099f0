"""Which test is valid for which design, and why not.

A design is what the events and the returns are, not what the numbers turn out to be: one series,
securities that share their dates, or firms with dates of their own. Each test states below, for
each kind of design, what it is there and what it needs; verdict, reason and the table of the
README are read from that. Every test is also a function that computes always;
`impact.study.tests_table` runs those that fit a study.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from impact.inference import (
    cluster_test,
    conditional,
    event_sets,
    panel,
    ranks,
    signs,
    unconditional,
    who_was_hit,
)
from impact.inference.cluster_test import MIN_CLUSTERS
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


class Kind(StrEnum):
    """Kinds of designs, in the order of the table in docs/methods/designs.md."""

    ONE_EVENT = "one event, one series"
    EVENTS = "events on one series"
    ONE_DATE = "securities on one date"
    COMMON_DATES = "securities on common dates"
    FIRMS = "firm events"
    OVERLAP = "firm events that overlap"


@dataclass(frozen=True)
class StudyDesign:
    """What decides which tests are valid.

    Attributes
    ----------
    kind : Kind
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
    clusters : int
        Clusters of sessions fewer than six apart.
    """

    kind: Kind
    units: int
    pairs: int
    columns: int
    correlation: float
    induced_variance: bool
    variance: bool
    implied: bool
    clusters: int

    def say(self, reason: str) -> str:
        """Fill what a reason names of the design."""
        return reason.format(
            units=counted(self.units, "unit"),
            sessions=counted(self.units, "session"),
            clusters=counted(self.clusters, "cluster"),
            events=counted(self.pairs, "event"),
            securities=counted(self.columns, "security", "securities"),
            correlation="unknown size" if np.isnan(self.correlation) else number(self.correlation),
        )


# -- what a test can need ------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """One thing that a test needs of a design.

    Attributes
    ----------
    met : callable
        Whether a design has it.
    without : str
        What is said where it is missing.
    word : str
        What the test then is.
    least, condition : str
        How the table in docs/methods/designs.md names it: a size, or what is taken for granted.
    """

    met: Callable[[StudyDesign], bool]
    without: str
    word: str = NO
    least: str = ""
    condition: str = ""


def calm_events(reason: str) -> Need:
    """Need events that leave the variance alone."""
    return Need(
        lambda design: not design.induced_variance,
        reason,
        condition="if they leave the variance alone",
    )


def firm_events(least: int, reason: str) -> Need:
    """Need that many pairs; with fewer, the size of the test is not known."""
    return Need(
        lambda design: design.pairs >= least,
        f"n too small: {reason}",
        NOT_KNOWN,
        least=f"from {least} events",
    )


VARIANCE = Need(
    lambda design: design.variance,
    "the study has no variance model: run it with volatility='gjr'",
)
IMPLIED = Need(
    lambda design: design.implied,
    "the study has no volatility index: for the S&P 500, run it with implied=load_vix()",
)
SESSIONS = Need(
    lambda design: design.units >= MIN_SESSIONS,
    f"{{sessions}}: no verdict on fewer than {MIN_SESSIONS}",
    least=f"from {MIN_SESSIONS} sessions",
)
CLUSTERS = Need(
    lambda design: design.clusters >= MIN_CLUSTERS,
    f"{{clusters}} of sessions fewer than six apart: no verdict on fewer than {MIN_CLUSTERS}",
)
SIX_APART = Need(
    lambda design: design.clusters == design.units,
    "{sessions} in {clusters}: it takes what a cluster shares for evidence, cluster_t does not",
    condition="if they are six sessions apart",
)
SECURITIES = Need(
    lambda design: design.columns >= MIN_COLUMNS and design.correlation < MAX_CORRELATION,
    "{securities} on one date with a mean correlation of {correlation} are one observation",
    least=f"from {MIN_COLUMNS} securities with r̄ < {MAX_CORRELATION}",
)
MEASURED = firm_events(MIN_PAIRS, f"{{events}}, its size was measured from {MIN_PAIRS}")
MANY = firm_events(
    MIN_PAIRS_HALL,
    f"with fat tails and {{events}} it rejects too often, from {MIN_PAIRS_HALL} on it does not",
)
NO_INDUCED = calm_events("induced variance: events that raise the variance make it reject")


@dataclass(frozen=True)
class Needs:
    """What a test is in one kind of design, why, and what it needs there, in order."""

    word: str
    because: str
    needs: tuple[Need, ...] = ()

    def verdict(self, design: StudyDesign) -> tuple[str, str]:
        """Whether the test is valid, and why: the first need that is missing decides."""
        for need in self.needs:
            if not need.met(design):
                return need.word, design.say(need.without)
        return self.word, design.say(self.because)

    def in_words(self) -> str:
        """The test in the largest design of the kind, and what it takes for granted."""
        if self.word == NO:
            return NO
        least = [need.least for need in self.needs if need.least][-1:]
        conditions = [need.condition for need in self.needs if need.condition]
        return ", ".join([self.word, *least, *conditions])


# -- what each test states -----------------------------------------------------------------------

ByKind = dict[Kind, Needs]

_SERIES_ONLY = "it tests events on one series"
_FIRMS_APART = "it tests one common date, and firm events have dates of their own"
_CONSTANT = "it takes the variance as constant: in turbulent times it rejects far too often"


def _no(reasons: dict[Kind, str]) -> ByKind:
    return {kind: Needs(NO, reason) for kind, reason in reasons.items()}


def _on_a_series(states: ByKind) -> ByKind:
    """A test of events on one series."""
    panel = f"{_SERIES_ONLY}: take study.portfolio()"
    firms = f"{_SERIES_ONLY}: give event_study() the one column"
    others = {Kind.ONE_DATE: panel, Kind.COMMON_DATES: panel, Kind.FIRMS: firms}
    return states | _no(others | {Kind.OVERLAP: firms})


def _one_event(word: str, because: str, *needs: Need) -> ByKind:
    """A test of one event on one series."""
    several = (
        "it tests one session and the study has {units}: see car(), or pick one with study['id']"
    )
    one = Needs(word, because, needs)
    return _on_a_series({Kind.ONE_EVENT: one, Kind.EVENTS: Needs(NO, several)})


def _shifts(*more: Need) -> ByKind:
    """A test of the whole set of events on one series by its circular shifts."""
    because = "the set is compared with all its circular shifts, its variance left free"
    return _of_a_set(because, SIX_APART, *more)


def _of_a_set(because: str, *more: Need) -> ByKind:
    needs = (SESSIONS, VARIANCE, *more)
    return _on_a_series(
        {Kind.ONE_EVENT: Needs(NO, SESSIONS.without), Kind.EVENTS: Needs(YES, because, needs)}
    )


def _one_date(instead: str, word: str, because: str, *needs: Need) -> ByKind:
    """A test of the portfolio of securities on one date."""
    series = f"one series: use {instead}"
    several = "it tests one common date: pick one with study['id']"
    reasons = {Kind.ONE_EVENT: series, Kind.EVENTS: series, Kind.COMMON_DATES: several}
    states = {Kind.ONE_DATE: Needs(word, because, needs)}
    return states | _no(reasons | {Kind.FIRMS: _FIRMS_APART, Kind.OVERLAP: _FIRMS_APART})


def _stands_out() -> ByKind:
    """A test of which security stands out on one date."""
    other = "it asks which security stands out on one common date"
    because = "it ranks the largest move beyond beta among the earlier days nearest in market move"
    return _no(dict.fromkeys(Kind, other)) | {Kind.ONE_DATE: Needs(YES, because)}


def _cross_section(
    *sizes: Need, robust: bool, correlated: bool = False, over_time: bool = False
) -> ByKind:
    """A test whose spread comes from the securities.

    `sizes` are what it needs beyond `MEASURED`. `robust` to variance that events induce;
    `correlated`: adjusted for clustering; `over_time`: with a spread from the average over
    securities, session by session.
    """
    series = Needs(NO, "one series: there is no cross-section to take a spread from")
    dates = Needs(
        NO,
        "clustering: securities that share their dates are one observation a date; use "
        "tests() of study.portfolio()",
    )
    calm = () if robust else (NO_INDUCED,)
    apart = "the events are apart in time, so their abnormal returns are independent"
    if correlated:
        adjusts = "{securities} with a mean correlation of {correlation}, which it adjusts for"
        date = Needs(YES, adjusts, (*calm, SECURITIES))
        unknown = "its size for firm events that overlap in part was not measured"
        overlap = Needs(NOT_KNOWN, unknown, calm)
    else:
        together = "clustering: securities on one date move together"
        date = Needs(NO, together, calm)
        related = "clustering: firm events whose windows overlap are not independent"
        overlap = Needs(NO, related, calm)
    if over_time:
        inside = "correlation is inside the spread of the average; its variance is constant"
        date = Needs(CALM, inside, calm)
    return {
        Kind.ONE_EVENT: series,
        Kind.EVENTS: series,
        Kind.ONE_DATE: date,
        Kind.COMMON_DATES: dates,
        Kind.FIRMS: Needs(YES, apart, (*calm, MEASURED, *sizes)),
        Kind.OVERLAP: overlap,
    }


#: Firm events of tests that standardise by the variance of the estimation window.
_ESTIMATED = "it takes the variance of the estimation window for that of the event"


def _before(test: ByKind) -> ByKind:
    """A cross-sectional test that is valid for firm events only in calm markets."""
    firms = test[Kind.FIRMS]
    return test | {Kind.FIRMS: Needs(CALM, _ESTIMATED, firms.needs)}


_KNOWN = "its yardstick is the variance known the evening before"
_INDEX = "its yardstick is the volatility index of the evening before, calibrated"
_COMMON = "the common move is one observation, tested against the variance known the evening before"
_RAISED = calm_events("a larger variance on event days alone makes it reject")
_BOTH = calm_events("induced variance, and a variance that is taken as constant")

#: What each test states, in the order of `EventStudy.tests`.
STATED: dict[Callable[..., HypothesisTest], ByKind] = {
    conditional.conditional_fhs: _one_event(YES, _KNOWN, VARIANCE),
    conditional.conditional_t: _one_event(YES, _KNOWN, VARIANCE),
    conditional.implied_t: _one_event(YES, _INDEX, IMPLIED),
    unconditional.prediction_t: _one_event(CALM, _CONSTANT),
    unconditional.sample_quantile: _one_event(CALM, _CONSTANT),
    unconditional.conformal: _one_event(CALM, _CONSTANT),
    unconditional.placebo_session: _one_event(CALM, _CONSTANT),
    cluster_test.cluster_t: _of_a_set("clusters of sessions are its observations", CLUSTERS),
    event_sets.shift_studentised: _shifts(),
    event_sets.shift_mean: _shifts(_RAISED),
    conditional.portfolio_conditional: _one_date("conditional_fhs", YES, _COMMON, VARIANCE),
    who_was_hit.relative_max: _stands_out(),
    panel.portfolio_t: _one_date("prediction_t", CALM, _CONSTANT, _BOTH),
    panel.crude_dependence_t: _cross_section(robust=False, over_time=True),
    panel.brown_warner_1980: _before(_cross_section(robust=False)),
    panel.cross_sectional_t: _cross_section(robust=True),
    panel.patell: _before(_cross_section(robust=False)),
    panel.bmp: _cross_section(robust=True),
    panel.kp_patell: _before(_cross_section(robust=False, correlated=True)),
    panel.kp_bmp: _cross_section(robust=True, correlated=True),
    panel.hall: _cross_section(MANY, robust=True),
    ranks.corrado: _cross_section(robust=False, over_time=True),
    ranks.corrado_zivney: _cross_section(robust=False, over_time=True),
    ranks.cowan_rank: _cross_section(robust=False, over_time=True),
    ranks.grank_t: _cross_section(robust=True, correlated=True),
    ranks.grank_z: _cross_section(robust=True),
    signs.sign: _cross_section(robust=True),
    signs.generalised_sign: _cross_section(robust=True),
    signs.wilcoxon: _cross_section(robust=True),
}

#: Name -> test, in that order.
TESTS = {test.__name__: test for test in STATED}


def validity(design: StudyDesign) -> pd.DataFrame:
    """Say for each test whether it is valid for a design, and why, in one sentence.

    Examples
    --------
    >>> alone = {"induced_variance": True, "variance": True, "implied": False, "clusters": 1}
    >>> eleven = StudyDesign(Kind.ONE_DATE, 1, 11, 11, correlation=0.47, **alone)
    >>> validity(eleven).loc["kp_bmp", "because"]
    '11 securities on one date with a mean correlation of 0.47 are one observation'
    """
    rows = [stated[design.kind].verdict(design) for stated in STATED.values()]
    return pd.DataFrame(rows, pd.Index(TESTS, name="test"), ["valid", "because"])


def design_table() -> pd.DataFrame:
    """Which test fits which design, in words.

    Returns
    -------
    DataFrame, tests x kinds of design
        "yes", "no", "not known" or "in calm markets", with the condition where there is one; of
        studies that have a variance model and a volatility index.

    Examples
    --------
    >>> design_table().loc["kp_bmp", "securities on one date"]
    'yes, from 20 securities with r̄ < 0.3'
    >>> design_table().loc["patell", "firm events"]
    'in calm markets, from 20 events, if they leave the variance alone'
    """
    cells = {str(kind): [stated[kind].in_words() for stated in STATED.values()] for kind in Kind}
    table = pd.DataFrame(cells, index=pd.Index(TESTS, name="test"))
    of_sets = table[Kind.EVENTS] != NO
    table.loc[of_sets, Kind.COMMON_DATES] = f"{NO}, but of study.portfolio()"
    return table
