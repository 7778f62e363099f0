"""news_share(): how much of the variance of news days came with the news, and of one move.

The variance of news sessions, or of the minutes after news, is set beside that of the others of the
same years, both in units of the variance known before. What is above one came with news, as far as
the days were not chosen for their moves.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from impact.analysis.intraday_result import IntradayStudy
from impact.analysis.news_share_minutes import minutes_share
from impact.analysis.news_share_result import LARGEST, WITHOUT_LARGEST, NewsShare, checks_table
from impact.analysis.news_variance import news_share_of, shrunken
from impact.errors import DateError, InferenceError
from impact.estimation.observations import dropped_rows
from impact.inference.event_sets import enough_sessions
from impact.inference.tests import check_study
from impact.inference.yardsticks import NAMES
from impact.market.instants import parse_date
from impact.study.event_study_result import EventStudy
from impact.text.formats import iso
from impact.text.result import count_left_out, signed
from impact.volatility.forecast import conditional_z
from impact.volatility.garch import VARIANCE_MODELS


def news_share(
    study: EventStudy | IntradayStudy, *, since: str | None = None, until: str | None = None
) -> NewsShare:
    """Measure how much of the variance of news sessions, or of minutes after news, came with it.

    The sessions of the study are set beside all other sessions of a period. News that the study
    leaves out is among the others; other news of the same days is in the share. Of an intraday
    study the minutes after each exact announcement are set beside the same minutes of sessions
    without any announcement of the study.

    Parameters
    ----------
    study : EventStudy or IntradayStudy
        One series with a variance model; at least 8 sessions in 3 clusters. Or one window in
        minutes, with at least 8 exact announcements in 3 clusters that have a p; two within one
        window count once, and z² is cut at 25 (``CUT`` of `impact.analysis.news_variance`).
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
        If an intraday study has several windows or one to the close, or too few announcements.
    DateError
        If the period cannot be read or is reversed.
    HistoryError, ReturnsError, VolatilityError
        As `impact.volatility.conditional_z`.

    Notes
    -----
    See `impact.analysis.news_variance`: `news_share_of` and `clock_share_of` for the share, and
    `shrunken` for the part of each move.

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
    if isinstance(study, IntradayStudy):
        return minutes_share(study, *_period(study.table["announced_at"], since, until))
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
    shares = {}
    for other in VARIANCE_MODELS:
        if other != model:
            known = conditional_z(returns, model=other, since=z.index[0]).loc[z.index[0] :]
            at = known.index.get_indexer(news)
            shares[NAMES[other]] = partial(news_share_of, known["z"].to_numpy(), at)
    values, at = z["z"].to_numpy(), z.index.get_indexer(news)
    square = values[at] ** 2
    largest = at[np.argsort(square)[-LARGEST:]]
    left = np.delete(np.arange(len(values)), largest)
    without = np.searchsorted(left, np.setdiff1d(at, largest))
    shares[WITHOUT_LARGEST] = partial(news_share_of, values[left], without)
    return checks_table(shares), float((values[largest] ** 2).sum() / square.sum())


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
    check_study(study)
    if not study.is_one_series or study.settings.volatility is None:
        raise InferenceError(
            "news_share needs one series and a variance model: take study.portfolio(), or run "
            "the study with volatility='gjr'"
        )
    if study.layout.names or study.layout.user is not None:
        raise InferenceError(
            "news_share compares sessions by the variance of the returns themselves, not less a "
            f"model ({study.layout.name}): run the study with model='constant-mean'"
        )
