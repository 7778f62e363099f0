"""NewsShare: the share of the variance that came with news, with what makes it uncertain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.errors import EventError, InferenceError
from impact.inference.measured_sizes import choice_in_words, share_misses_in_words
from impact.inference.tests import LEVEL, HypothesisTest
from impact.inference.yardsticks import NAMES
from impact.news.events import unknown_id_error
from impact.text.formats import counted, iso, list_of, number, p_phrase, percent
from impact.text.result import Result
from impact.text.table import KNOWN, Column

#: News sessions or windows with the largest moves that the share is also given without.
LARGEST = 3
WITHOUT_LARGEST = "without the three largest days"
WITHOUT_LARGEST_WINDOWS = "without the three largest windows"

_FROM = Column("from", "from", lambda time: f"{time:%H:%M}", is_text=True)

_COLUMNS = (
    *(KNOWN[name] for name in ("event", "label", "session")),
    _FROM,
    *(KNOWN[name] for name in ("estimate", "sigma")),
    Column("z", "z", number),
    Column("news", "with news", KNOWN["estimate"].show),
    KNOWN["ci_low"],
    KNOWN["ci_high"],
)


@dataclass(frozen=True, eq=False, repr=False)
class NewsShare(Result):
    """How much of the variance of news sessions came with news, and how much of each move.

    Attributes
    ----------
    table : DataFrame
        One row an event: `label`, `session`, `estimate` (abnormal return, or log return of the
        minutes after it `from` a bar), `sigma` (known before), `z`, `news` (the part of the
        estimate that came with news: best guess), `ci_low`, `ci_high` (range of that part).
        Decimal fractions.
    dropped : DataFrame
        event, security, reason of every event left out, here or by the study.
    signature : str
    checks : DataFrame
        Index: "GARCH", "EWMA" (other forecasts of the variance), "without the three largest days"
        (of news, which leave the period); of minutes "z² not cut", "approximate minutes taken for
        exact", "without the three largest windows". `share`, `ci_low`, `ci_high`, `p_value`; NaN
        where there is too little left.
    largest : float
        Part of the sum of z² of the news sessions or windows that the three largest hold.
    test : HypothesisTest
        See `impact.analysis.news_variance`; its p is that of a share of zero.
    period : tuple of Timestamp
        First and last session that is compared.
    unit : str
        What the estimates are in, where they are no returns.
    minutes : int, optional
        Length of the windows after announcements, where these and no sessions are compared.
    missing : str
        What the windows are compared with, and how many of those have no bars, in words.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    checks: pd.DataFrame
    largest: float
    test: HypothesisTest
    period: tuple[pd.Timestamp, pd.Timestamp]
    unit: str = ""
    minutes: int | None = None
    missing: str = ""

    @property
    def share(self) -> float:
        """Share of the variance of these news sessions that came with news of any kind."""
        return float(self.test.detail["share"])

    def conf_int(self) -> tuple[float, float]:
        """Return the 95% interval of the share."""
        return self.test.detail["ci_low"], self.test.detail["ci_high"]

    @property
    def p_value(self) -> float:
        """p of no share at all, by circular shifts within the period."""
        return self.test.p_value

    @property
    def could_be_none(self) -> bool:
        """Whether no share at all fits too: its interval reaches zero, or p is above 5%."""
        return self.conf_int()[0] == 0 or self.p_value > LEVEL

    @property
    def nobs(self) -> int:
        """News sessions, or windows after news."""
        return self.test.n

    def effect(self, event: str) -> pd.Series:
        """Return the row of an event, found by its id or the label of its session.

        Raises
        ------
        EventError
            If the id is unknown (the nearest are named) or was dropped (the reason is given).
        """
        return self.table.loc[self._row(event)]

    def _row(self, event: str) -> str:
        members = self.table["announcements"]
        labels = self.table["label"]
        for name in self.table.index:
            if event in members[name] or event in (labels[name], *labels[name].split("; ")):
                return str(name)
        for row in self.dropped[self.dropped["event"] == str(event)].itertuples():
            raise EventError(f"{event!r} is not in this result: {row.reason}")
        raise unknown_id_error(event, [name for names in members for name in names])

    @property
    def verdict(self) -> str:
        """The result in one sentence, of these sessions or windows and no others."""
        what = f"windows of {self.minutes} minutes" if self.minutes else "sessions"
        return (
            f"{_percent(self.share)} of the variance of those {self.nobs} {what} came with news "
            f"of any kind ({in_short(self.share, *self.conf_int(), self.p_value)})"
        )

    def __repr__(self) -> str:
        return f"NewsShare: {self.verdict}"

    def _title(self) -> str:
        return f"What came with news, {iso(self.period[0])} to {iso(self.period[1])}"

    def _columns(self) -> tuple[Column, ...]:
        return tuple(column for column in _COLUMNS if column != _FROM or self.minutes)

    def _notes(self) -> tuple[str, ...]:
        detail = self.test.detail
        what, cut = ("windows", " (cut at 25)") if self.minutes else ("days", "")
        return (
            f"{self.verdict}.",
            f"Mean z²{cut}: {number(self.test.statistic)} times that of "
            f"{counted(detail['others'], 'other session')} ({number(detail['ordinary'])}); "
            f"{counted(detail['clusters'], 'cluster')}. News of any kind is counted: other news "
            f"that came {'in' if self.minutes else 'on'} the same {what} is in the share.",
            self.missing,
            f"The three largest {what} hold {_percent(self.largest)} of the sum of z². "
            f"Share {list_of(map(self._checked, self.checks.index))}.",
            share_misses_in_words(self.minutes),
            CHOSEN,
            choice_in_words(self.minutes),
        )

    def _checked(self, name: str) -> str:
        share, low, high, p = self.checks.loc[name]
        how = f"by {name}" if name in NAMES.values() else name
        if pd.isna(share):
            return f"{how}: too few {'windows' if self.minutes else 'sessions'} are left"
        return f"{how} {_percent(share)} ({in_short(share, low, high, p)})"


def checks_table(shares: Mapping[str, Callable[[], HypothesisTest]]) -> pd.DataFrame:
    """Return `share`, `ci_low`, `ci_high`, `p_value` by name; NaN where a test is refused."""
    rows = {}
    for name, test in shares.items():
        try:
            found = test()
        except InferenceError:
            rows[name] = [np.nan] * (len(_SHARE) + 1)
        else:
            rows[name] = [*(found.detail[key] for key in _SHARE), found.p_value]
    return pd.DataFrame.from_dict(rows, "index", columns=[*_SHARE, "p_value"])


_SHARE = ("share", "ci_low", "ci_high")


def _percent(value: float) -> str:
    return percent(value, 0, signed=False)


def in_short(share: float, low: float, high: float, p: float) -> str:
    """Interval and p, and whether the share may be zero.

    Examples
    --------
    >>> in_short(0.4, 0.0, 0.67, 0.082)
    '95% interval 0% to 67%, p = 0.082; it could be none'
    """
    doubt = "; it could be none" if low == 0 or p > LEVEL else ""
    return f"95% interval {_percent(low)} to {_percent(high)}, {p_phrase(p)}{doubt}"


#: What has to be said wherever a share is shown.
CHOSEN = (
    "The list of events was made by people who knew the moves; choosing days by their moves "
    "raises the share even where no news mattered."
)
