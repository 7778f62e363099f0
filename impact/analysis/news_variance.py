"""How much more sessions with news, or the minutes after it, vary than others: arrays in, test out.

Everything is in units of the variance known before: the mean z² of the news over that of the
others is R, and 1 - 1 / R of the variance of the news came with it.
"""

from __future__ import annotations

import numpy as np
import scipy

from impact.analysis.announcement_set import moved_rows
from impact.errors import InferenceError
from impact.inference.clusters import APART, clusters
from impact.inference.event_sets import MIN_SESSIONS, enough_sessions, rank_p, shift_statistics
from impact.inference.tests import HypothesisTest
from impact.text.formats import counted

#: No error is given on fewer clusters of news sessions, nor on fewer other sessions.
MIN_CLUSTERS, MIN_OTHERS = 3, 10 * APART

#: z² of minutes are cut here before they are averaged: one window would else be most of the mean.
CUT = 25.0

#: Two-sided 95%: of the interval of the share, and of the range of an effect given the share.
_UPPER = 0.975
_REACH = 1.96


def news_share_of(z: np.ndarray, positions: np.ndarray) -> HypothesisTest:
    """Test whether some sessions of a period vary more than its others, and by how much.

    `z` is the conditional z of every session of the period, none missing; `positions` are rows of
    the news sessions, each once. InferenceError if there are fewer than 8 news sessions, 3 clusters
    of them or 60 other sessions, or they do not vary.

    Returns
    -------
    HypothesisTest
        `statistic` is R, the mean z² of the news sessions over that of the others. ``detail``
        holds `share`, `ci_low`, `ci_high` (95%), `ordinary` (mean z² of the others), `clusters`
        and `others` (their numbers).

    Notes
    -----
    share = max(0, 1 - 1 / R). Interval: log R ± t(G - 1) times its standard error, by the jackknife
    over the G clusters of the news sessions and over blocks of six of the others. p: R among those
    of all circular shifts of the set within the period, one-sided.

    References
    ----------
    Rigobon and Sack (2004), J. of Monetary Economics 51, for effects found by the variance of event
    days; Efron and Stein (1981), Annals of Statistics 9, for the jackknife.

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
    _enough(len(positions), group, others)
    square = z**2
    return _found(
        _log_mean(square[news], group),
        _log_mean(square[~news], np.arange(others) // APART),
        group[-1],
        shift_statistics(square, np.flatnonzero(news))[0],
        null="the variance of these sessions, as known before, is that of the others",
        n=len(positions),
        others=others,
    )


def clock_share_of(square: np.ndarray, rows: np.ndarray, others: np.ndarray) -> HypothesisTest:
    """Test whether the minutes after news vary more than the same minutes of other sessions.

    `square` is z² of every session of the period in the minutes of each of n news windows, shape
    (T, n), cut at 25; NaN where a session has no such window. `rows` are the sessions of the news
    windows, in order, and `others` says which sessions are without news. InferenceError if there
    are fewer than 8 news windows, 3 clusters of them or 60 other sessions with one of the windows,
    or they do not vary.

    Returns
    -------
    HypothesisTest
        As `news_share_of`: each news window is set beside the mean of its own minutes over the
        others, and R is the sum of the former over the sum of the latter.

    Notes
    -----
    As `news_share_of`, with the clusters of the sessions of the news windows. p: their mean among
    those of all shifts of the set by the same number of sessions, every window at its own minutes
    and in the circle of the sessions that have it.

    Examples
    --------
    >>> z = np.random.default_rng(0).standard_normal((300, 15))
    >>> rows = np.arange(0, 300, 20)
    >>> z[rows, np.arange(15)] *= 2
    >>> found = clock_share_of(np.minimum(z**2, 25), rows, ~np.isin(np.arange(300), rows))
    >>> round(found.detail["share"], 2), round(found.p_value, 3)
    (0.8, 0.003)
    """
    n, there = len(rows), np.isfinite(square)
    if n < MIN_SESSIONS:
        raise InferenceError(
            f"a set of {counted(n, 'window')} gets no verdict: at least {MIN_SESSIONS} are needed"
        )
    group = clusters(rows)
    _enough(n, group, int((there & others[:, None]).sum(axis=0).min()))
    circles = [np.flatnonzero(column) for column in there.T]
    shifted = square[moved_rows(circles, rows), np.arange(n)]
    return _found(
        _log_mean(square[rows, np.arange(n)], group),
        _log_mean(square[others], np.arange(others.sum()) // APART),
        group[-1],
        shifted.mean(axis=1),
        null="the variance of these windows, as known before, is that of others at the same times",
        n=n,
        others=int(others.sum()),
    )


def _enough(n: int, group: np.ndarray, others: int) -> None:
    if group[-1] + 1 < MIN_CLUSTERS:
        raise InferenceError(
            f"the {n} news sessions form {counted(int(group[-1]) + 1, 'cluster')} "
            f"(fewer than {APART} sessions apart): at least {MIN_CLUSTERS} are needed for an error"
        )
    if others < MIN_OTHERS:
        raise InferenceError(
            f"the period has {counted(others, 'session')} without news: at least {MIN_OTHERS} are "
            "needed to compare with"
        )


def _log_mean(values: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Log of a mean, or of the mean of several columns' means, and its standard error.

    By leaving out one group of rows at a time; groups are numbered from 0 in the order of rows.
    """
    values = values.reshape(len(values), -1)
    there, starts = np.isfinite(values), np.flatnonzero(np.diff(group, prepend=-1))
    total, count = (
        np.add.reduceat(part, starts, axis=0, dtype=float)
        for part in (np.where(there, values, 0.0), there)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (total.sum(axis=0) - total) / (count.sum(axis=0) - count)
        variance = (len(total) - 1) * np.log(left.mean(axis=1)).var()
        mean = (total.sum(axis=0) / count.sum(axis=0)).mean()
        found = float(np.log(mean)), float(np.sqrt(variance))
    if not np.isfinite(found).all():
        raise InferenceError("the returns of the news sessions, or of the others, do not vary")
    return found


def _found(
    ours: tuple[float, float],
    theirs: tuple[float, float],
    freedom: int,
    shifted: np.ndarray,
    *,
    null: str,
    n: int,
    others: int,
) -> HypothesisTest:
    """The test from the log means of news and of others with their errors, and from all shifts."""
    middle, error = ours[0] - theirs[0], np.hypot(ours[1], theirs[1])
    reach = scipy.special.stdtrit(freedom, _UPPER) * error
    share, low, high = (
        max(0.0, float(-np.expm1(-log_ratio)))
        for log_ratio in (middle, middle - reach, middle + reach)
    )
    return HypothesisTest(
        name="news_share",
        null=null,
        statistic=float(np.exp(middle)),
        p_value=rank_p(shifted),
        distribution=f"{counted(len(shifted) - 1, 'circular shift')} of the set within the period",
        n=n,
        reference="Rigobon and Sack (2004)",
        alternative="greater",
        detail={
            "share": share,
            "ci_low": low,
            "ci_high": high,
            "ordinary": float(np.exp(theirs[0])),
            "clusters": int(freedom) + 1,
            "others": others,
        },
    )


def shrunken(
    move: np.ndarray, sigma: np.ndarray, found: HypothesisTest
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What came with the news in each of some moves: best guess, and the ends of its range.

    `move` and `sigma` are abnormal returns and their σ known the evening before, `found` is a test
    of `news_share_of` or `clock_share_of`.

    Notes
    -----
    The variance of an ordinary session is v = σ² times the mean z² of the others, that of a news
    session v R, and s = 1 - 1 / R of it came with news. σ is forecast from all earlier sessions,
    those with news among them, so that the others vary less (a mean z² of .63 in 2025): with σ²
    itself, ordinary noise would count what news added, and the range be wider (2 May 2025: -1.4% to
    3.8% instead of -0.9% to 3.3%). Given a move x under normality, the part that came with news has
    mean s x and variance s (1 - s) v R = s v. The range is the union of s x ± 1.96 √(s v) over all
    s in the interval of the share: its ends are reached at the ends of that interval, or where √s =
    0.98 √v / |x|.

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
