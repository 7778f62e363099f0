"""news_share(): how much of the variance of news days came with the news, and of one move.

The variance of news sessions is set beside that of the other sessions of the same years, both in
units of the variance known the evening before. What is above one came with news, as far as the
days were not chosen for their moves.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from impact.analysis.news_share_result import LARGEST, WITHOUT_LARGEST, NewsShare
from impact.errors import DateError, InferenceError
from impact.estimation.observations import dropped_rows
from impact.inference.clusters import APART, clusters
from impact.inference.event_sets import enough_sessions, rank_p, shift_statistics
from impact.inference.tests import HypothesisTest
from impact.inference.yardsticks import NAMES
from impact.market.instants import parse_date
from impact.study.arguments import as_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, iso
from impact.text.result import count_left_out, signed
from impact.volatility.forecast import conditional_z
from impact.volatility.garch import VARIANCE_MODELS

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
    session v R, and s = 1 - 1 / R of it came with news. σ is forecast from all earlier sessions,
    those with news among them, so that the others vary less (a mean z² of .63 in 2025): with σ²
    itself, ordinary noise would count what news added, and the range be wider (2 May 2025: -1.4%
    to 3.8% instead of -0.9% to 3.3%). Given a move x under normality, the part that came with
    news has mean s x and variance s (1 - s) v R = s v. The range is the union of
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


def news_share(
    study: EventStudy, *, since: str | None = None, until: str | None = None
) -> NewsShare:
    """Measure how much of the variance of news sessions came with news.

    The sessions of the study are set beside all other sessions of a period. News that the study
    leaves out is among the others; other news of the same days is in the share.

    Parameters
    ----------
    study : EventStudy
        One series with a variance model; at least 8 sessions in 3 clusters.
    since, until : str, optional
        First and last day of the period; by default the calendar years of the dates of the
        announcements. Those whose session lies outside, as of news on the last evening of a year,
        are left out and named.

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
    >>> events = impact.load_events(since="2025-01-01", until="2025-12-31")
    >>> found = news_share(impact.event_study(returns, events))
    >>> round(found.share, 2), [round(end, 2) for end in found.conf_int()]
    (0.69, [0.44, 0.83])
    >>> found.effect("mofcom-evaluating")[["estimate", "news"]].astype(float).round(3).to_list()
    [0.014, 0.01]
    """
    _check_design(study)
    sessions = pd.DatetimeIndex(study.alignment["session"])
    first, last = _period(study.alignment["announced_at"], since, until)
    inside = (sessions >= first) & (sessions <= last)
    enough_sessions(int(inside.sum()))
    returns = study.returns.iloc[:, 0].loc[:last]
    model = str(study.settings.volatility)
    z = conditional_z(returns, model=model, since=first).loc[first:]
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
    checks, largest = _checks(returns, model, z, table["session"])
    return NewsShare(
        table=table,
        dropped=count_left_out(dropped, len(table)),
        signature=signed(study.signed(0), f"period {days}", events=[study.alignment]),
        checks=checks,
        largest=largest,
        test=found,
        period=(z.index[0], z.index[-1]),
        unit=study.unit,
    )


def _checks(
    returns: pd.Series, model: str, z: pd.DataFrame, news: pd.Series
) -> tuple[pd.DataFrame, float]:
    """The share by other forecasts and without the largest days, and what part those hold."""
    rows = {}
    for other in VARIANCE_MODELS:
        if other != model:
            known = conditional_z(returns, model=other, since=z.index[0]).loc[z.index[0] :]
            rows[NAMES[other]] = _short(known["z"].to_numpy(), known.index.get_indexer(news))
    values, at = z["z"].to_numpy(), z.index.get_indexer(news)
    square = values[at] ** 2
    largest = at[np.argsort(square)[-LARGEST:]]
    left = np.delete(np.arange(len(values)), largest)
    rows[WITHOUT_LARGEST] = _short(values[left], np.searchsorted(left, np.setdiff1d(at, largest)))
    part = float((values[largest] ** 2).sum() / square.sum())
    return pd.DataFrame.from_dict(rows, "index", columns=[*_SHORT, "p_value"]), part


_SHORT = ("share", "ci_low", "ci_high")


def _short(z: np.ndarray, positions: np.ndarray) -> list[float]:
    try:
        found = news_share_of(z, positions)
    except InferenceError:
        return [np.nan] * 4
    return [*(found.detail[name] for name in _SHORT), found.p_value]


def _period(
    announced: pd.Series, since: str | None, until: str | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    # Not the years of the sessions: news of 31 December may move the first session of January.
    years = [int(one[:4]) for dates in announced for one in dates.split("; ")]
    begin = pd.Timestamp(min(years), 1, 1) if since is None else parse_date(since)
    end = pd.Timestamp(max(years), 12, 31) if until is None else parse_date(until)
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
