"""news_share(): how much of the variance of news days came with the news, and of one move.

The variance of news sessions is set beside that of the other sessions of the same years, both in
units of the variance known the evening before. What is above one came with news, as far as the
days were not chosen for their moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from impact.errors import DateError, EventError, InferenceError
from impact.estimation.observations import dropped_rows
from impact.inference.clusters import APART, clusters
from impact.inference.event_sets import enough_sessions, rank_p, shift_statistics
from impact.inference.measured_sizes import choice_in_words
from impact.inference.tests import HypothesisTest
from impact.market.instants import parse_date
from impact.news.events import unknown_id_error
from impact.study.arguments import as_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, iso, number, p_phrase, percent
from impact.text.result import Result, count_left_out, signed
from impact.text.table import KNOWN, Column
from impact.volatility.forecast import conditional_z

#: No error is given on fewer clusters of news sessions, nor on fewer other sessions.
MIN_CLUSTERS, MIN_OTHERS = 3, 10 * APART

#: Two-sided 95%: of the interval of the share, and of the range of an effect given the share.
_UPPER = 0.975
_REACH = 1.96


# -- arrays --------------------------------------------------------------------------------------


def news_share_of(z: np.ndarray, positions: np.ndarray) -> HypothesisTest:
    """Test whether some sessions of a period vary more than its others, and by how much.

    Parameters
    ----------
    z : ndarray, shape (T,)
        Conditional z of every session of the period, none missing.
    positions : ndarray of int, shape (n,)
        Rows of the news sessions, each once.

    Returns
    -------
    HypothesisTest
        `statistic` is R, the mean z² of the news sessions over that of the others. ``detail``
        holds `share`, `ci_low`, `ci_high` (95%), `ordinary` (mean z² of the others), `clusters`
        and `others` (their numbers).

    Raises
    ------
    InferenceError
        If there are fewer than 8 news sessions, 3 clusters of them or 60 other sessions, or they
        do not vary.

    Notes
    -----
    share = max(0, 1 - 1 / R). Interval: log R ± t(G - 1) times its standard error, by the
    jackknife over the G clusters of the news sessions and over blocks of six of the others. p:
    R among those of all circular shifts of the set within the period, one-sided.

    References
    ----------
    Rigobon and Sack (2004), J. of Monetary Economics 51, for effects found by the variance of
    event days; Efron and Stein (1981), Annals of Statistics 9, for the jackknife.

    Examples
    --------
    >>> z = np.random.default_rng(0).standard_normal(500)
    >>> z[::20] *= 2
    >>> found = news_share_of(z, np.arange(0, 500, 20))
    >>> round(found.detail["share"], 2), found.p_value
    (0.61, 0.05)
    """
    enough_sessions(len(positions))
    news = np.zeros(len(z), dtype=bool)
    news[positions] = True
    group, others = clusters(np.flatnonzero(news)), int((~news).sum())
    if group[-1] + 1 < MIN_CLUSTERS:
        raise InferenceError(
            f"the {len(positions)} news sessions form {counted(int(group[-1]) + 1, 'cluster')} "
            f"(fewer than {APART} sessions apart): at least {MIN_CLUSTERS} are needed for an error"
        )
    if others < MIN_OTHERS:
        raise InferenceError(
            f"the period has {counted(others, 'session')} without news: at least {MIN_OTHERS} are "
            "needed to compare with"
        )
    square = z**2
    ours, error = _log_mean(square[news], group)
    theirs, other_error = _log_mean(square[~news], np.arange(others) // APART)
    middle = ours - theirs
    if not np.isfinite(middle + error + other_error):
        raise InferenceError("the returns of the news sessions, or of the others, do not vary")
    reach = scipy.special.stdtrit(group[-1], _UPPER) * np.hypot(error, other_error)
    share, low, high = (
        max(0.0, float(-np.expm1(-log_ratio)))
        for log_ratio in (middle, middle - reach, middle + reach)
    )
    return HypothesisTest(
        name="news_share",
        null="the variance of these sessions, as known before, is that of the others",
        statistic=float(np.exp(middle)),
        p_value=rank_p(shift_statistics(square, np.flatnonzero(news))[0]),
        distribution=f"{counted(len(z) - 1, 'circular shift')} of the set within the period",
        n=len(positions),
        reference="Rigobon and Sack (2004)",
        alternative="greater",
        detail={
            "share": share,
            "ci_low": low,
            "ci_high": high,
            "ordinary": float(np.exp(theirs)),
            "clusters": int(group[-1]) + 1,
            "others": others,
        },
    )


def _log_mean(values: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Log of a mean and its standard error, by leaving out one group at a time."""
    total, count = np.bincount(group, values), np.bincount(group)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.log((total.sum() - total) / (count.sum() - count))
        variance = (len(total) - 1) * without.var()
        return float(np.log(values.mean())), float(np.sqrt(variance))


def shrunken(
    move: np.ndarray, sigma: np.ndarray, found: HypothesisTest
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What came with the news in each of some moves: best guess, and the ends of its range.

    Parameters
    ----------
    move, sigma : ndarray, shape (n,)
        Abnormal returns, and their σ known the evening before.
    found : HypothesisTest
        By `news_share_of`.

    Returns
    -------
    tuple of ndarray, each of shape (n,)

    Notes
    -----
    The variance of an ordinary session is v = σ² times the mean z² of the others, that of a news
    session v R, and s = 1 - 1 / R of it came with news. Given a move x under normality, the part
    that came with news has mean s x and variance s (1 - s) v R = s v. The range is the union of
    s x ± 1.96 √(s v) over all s in the interval of the share: its ends are reached at the ends of
    that interval, or where √s = 0.98 √v / |x|.

    Examples
    --------
    >>> z = np.random.default_rng(0).standard_normal(500)
    >>> z[::20] *= 2
    >>> found = news_share_of(z, np.arange(0, 500, 20))
    >>> [float(part[0].round(3)) for part in shrunken(np.array([0.02]), np.array([0.01]), found)]
    [0.012, -0.005, 0.032]
    """
    size, spread = np.abs(move), sigma * np.sqrt(found.detail["ordinary"])
    ends = np.sqrt([found.detail["ci_low"], found.detail["ci_high"]])
    # In √s one end rises throughout and the other is convex.
    far = ends[1] ** 2 * size + _REACH * spread * ends[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.clip(np.nan_to_num(_REACH / 2 * spread / size, nan=0.0), *ends)
    near = turn**2 * size - _REACH * spread * turn
    low, high = np.where(move < 0, -far, near), np.where(move < 0, -near, far)
    return found.detail["share"] * move, low, high


# -- a study -------------------------------------------------------------------------------------

_COLUMNS = (
    *(KNOWN[name] for name in ("event", "label", "session", "estimate", "sigma")),
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
        One row an event: `label`, `session`, `estimate` (abnormal return), `sigma` (known the
        evening before), `z`, `news` (the part of the estimate that came with news: best guess),
        `ci_low`, `ci_high` (range of that part). Decimal fractions.
    dropped : DataFrame
        event, security, reason of every event left out, here or by the study.
    signature : str
    test : HypothesisTest
        See `news_share_of`; its p is that of a share of zero.
    period : tuple of Timestamp
        First and last session that is compared.
    unit : str
        What the estimates are in, where they are no returns.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    test: HypothesisTest
    period: tuple[pd.Timestamp, pd.Timestamp]
    unit: str = ""

    @property
    def share(self) -> float:
        """Share of the variance of the news sessions that came with news."""
        return float(self.test.detail["share"])

    def conf_int(self) -> tuple[float, float]:
        """Return the 95% interval of the share."""
        return self.test.detail["ci_low"], self.test.detail["ci_high"]

    @property
    def p_value(self) -> float:
        """p of no share at all, by circular shifts within the period."""
        return self.test.p_value

    @property
    def nobs(self) -> int:
        """News sessions."""
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
        """The result in one sentence."""
        low, high = self.conf_int()
        return (
            f"{percent(self.share, 0, signed=False)} of the variance of the {self.nobs} news "
            f"sessions came with news (95% interval {percent(low, 0, signed=False)} to "
            f"{percent(high, 0, signed=False)}, {p_phrase(self.p_value)})"
        )

    def __repr__(self) -> str:
        return f"NewsShare: {self.verdict}"

    def _title(self) -> str:
        return f"What came with news, {iso(self.period[0])} to {iso(self.period[1])}"

    def _columns(self) -> tuple[Column, ...]:
        return _COLUMNS

    def _notes(self) -> tuple[str, ...]:
        detail = self.test.detail
        return (
            f"{self.verdict}.",
            f"Mean z²: {number(self.test.statistic)} times that of "
            f"{counted(detail['others'], 'other session')} ({number(detail['ordinary'])}); "
            f"{counted(detail['clusters'], 'cluster')}.",
            CHOSEN,
            choice_in_words(),
        )


#: What has to be said wherever a share is shown.
CHOSEN = (
    "The list of events was made by people who knew the moves; choosing days by their moves "
    "raises the share even where no news mattered."
)


def news_share(
    study: EventStudy, *, since: str | None = None, until: str | None = None
) -> NewsShare:
    """Measure how much of the variance of news sessions came with news.

    The sessions of the study are set beside all other sessions of a period. News that the study
    leaves out is among the others.

    Parameters
    ----------
    study : EventStudy
        One series with a variance model; at least 8 sessions in 3 clusters.
    since, until : str, optional
        First and last day of the period; by default the calendar years from the first session of
        the study to its last. Events outside are left out.

    Returns
    -------
    NewsShare

    Raises
    ------
    InferenceError
        If the study has several series, no variance model or a model with loadings, or the
        period has too few sessions of it with a conditional variance (1,000 are needed before).
    DateError
        If the period cannot be read or is reversed.
    HistoryError, ReturnsError, VolatilityError
        As `impact.volatility.conditional_z`.

    Notes
    -----
    See `news_share_of` for the share, and `shrunken` for the part of each move.

    References
    ----------
    Rigobon and Sack (2004), J. of Monetary Economics 51.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> study = impact.event_study(returns, impact.load_events(since="2025-01-01"))
    >>> found = news_share(study, since="2025-01-01", until="2025-12-31")
    >>> round(found.share, 2), [round(end, 2) for end in found.conf_int()]
    (0.69, [0.44, 0.83])
    >>> found.effect("mofcom-evaluating")[["estimate", "news"]].astype(float).round(3).to_list()
    [0.014, 0.01]
    """
    _check_design(study)
    sessions = pd.DatetimeIndex(study.alignment["session"])
    first, last = _period(sessions, since, until)
    inside = (sessions >= first) & (sessions <= last)
    enough_sessions(int(inside.sum()))
    returns = study.returns.iloc[:, 0].loc[:last]
    z = conditional_z(returns, model=str(study.settings.volatility), since=first).loc[first:]
    at = z.index.get_indexer(sessions)
    used = at >= 0
    why = np.where(
        inside, "no conditional variance: 1,000 sessions are needed before it", "outside the period"
    )
    dropped = dropped_rows(study.alignment.index[~used], why[~used])
    dropped = pd.concat([study.dropped, dropped], ignore_index=True)
    enough_sessions(int(used.sum()), "set with a conditional variance (1,000 sessions before it)")
    found = news_share_of(z["z"].to_numpy(), at[used])
    table = study.alignment.loc[used, ["label", "session", "announcements"]].rename_axis("event")
    table["estimate"] = study.over(0).car[used]
    table[["sigma", "z"]] = z[["sigma", "z"]].to_numpy()[at[used]]
    moves = shrunken(table["estimate"].to_numpy(), table["sigma"].to_numpy(), found)
    table[["news", "ci_low", "ci_high"]] = np.column_stack(moves)
    days = f"{iso(z.index[0])} to {iso(z.index[-1])}"
    return NewsShare(
        table=table,
        dropped=count_left_out(dropped, len(table)),
        signature=signed(study.signed(0), f"period {days}", events=[study.alignment]),
        test=found,
        period=(z.index[0], z.index[-1]),
        unit=study.unit,
    )


def _period(
    sessions: pd.DatetimeIndex, since: str | None, until: str | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = sessions.min(), sessions.max()
    begin = pd.Timestamp(first.year, 1, 1) if since is None else parse_date(since)
    end = pd.Timestamp(last.year, 12, 31) if until is None else parse_date(until)
    if begin > end:
        raise DateError(f"since={iso(begin)} lies after until={iso(end)}: exchange the two")
    return begin, end


def _check_design(study: EventStudy) -> None:
    if not as_study(study).is_one_series or study.settings.volatility is None:
        raise InferenceError(
            "news_share needs one series and a variance model: take study.portfolio(), or run "
            "the study with volatility='gjr'"
        )
    if study.layout.names or study.layout.user is not None:
        raise InferenceError(
            "news_share compares sessions by the variance of the returns themselves, not less a "
            f"model ({study.layout.name}): run the study with model='constant-mean'"
        )
