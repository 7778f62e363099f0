"""How much of the variance of the minutes after news came with it: the share of an IntradayStudy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from impact.analysis.announcement_set import Observation
from impact.analysis.intraday_result import IntradayStudy
from impact.analysis.news_share_result import (
    LARGEST,
    WITHOUT_LARGEST_WINDOWS,
    NewsShare,
    checks_table,
)
from impact.analysis.news_variance import CUT, MIN_OTHERS, clock_share_of, shrunken
from impact.analysis.reaction import TO_CLOSE
from impact.analysis.window_ranks import ranked_windows
from impact.errors import InferenceError
from impact.inference.tests import HypothesisTest
from impact.market.instants import parse_announced_at
from impact.news.minutes import APPROXIMATE, EXACT
from impact.text.formats import counted, iso
from impact.text.result import count_left_out, signed
from impact.volatility.clock import ClockVariance

_NOT_CUT, _ABOUT = "z² not cut", "approximate minutes taken for exact"


def minutes_share(study: IntradayStudy, first: pd.Timestamp, last: pd.Timestamp) -> NewsShare:
    """Measure how much of the variance of the minutes after announcements came with news.

    Parameters
    ----------
    study : IntradayStudy
    first, last : Timestamp
        The period.

    Returns
    -------
    NewsShare
        See `impact.analysis.news_share.news_share`.
    """
    if len(study.windows) > 1 or study.windows[0] == TO_CLOSE:
        raise InferenceError(
            "news_share needs one window in minutes: run intraday_study(bars, events, window=30)"
        )
    days = study.known.grid.sessions
    inside = np.flatnonzero(
        (np.arange(len(days)) >= study.known.tested_from) & (days >= first) & (days <= last)
    )
    others = ~days[inside].isin(_days(study))
    exact, why = study.observations(study.windows[0])
    about, _ = study.observations(study.windows[0], (EXACT, APPROXIMATE))
    used, z, rows, short = _compared(study.known, exact, inside, others)
    _, about_z, about_rows, _ = _compared(study.known, about, inside, others)
    found = _share(z, rows, others)
    size = np.abs(z[rows, np.arange(len(rows))])
    largest = np.argsort(size)[-LARGEST:]
    square = np.minimum(size, np.sqrt(CUT)) ** 2
    left = np.delete(z, largest, axis=1), np.delete(rows, largest)
    reasons = why | short
    unused = [(event, reasons[event]) for event in study.table.index if event in reasons]
    unused = pd.DataFrame(unused, columns=["event", "reason"], dtype="str")
    dropped = pd.concat([study.dropped, unused], ignore_index=True)
    period = days[inside[0]], days[inside[-1]]
    compared = z[others]
    there = int(np.isfinite(compared).sum())
    return NewsShare(
        table=_table(study, used, found),
        dropped=count_left_out(dropped, len(used)),
        signature=signed(study.signature, f"period {iso(period[0])} to {iso(period[1])}"),
        checks=checks_table(
            {
                _NOT_CUT: partial(_share, z, rows, others, cut=np.inf),
                _ABOUT: partial(_share, about_z, about_rows, others),
                WITHOUT_LARGEST_WINDOWS: partial(_share, *left, others),
            }
        ),
        largest=float(square[largest].sum() / square.sum()),
        test=found,
        period=period,
        minutes=int(study.windows[0]),
        missing=(
            f"Compared with {counted(there, 'window')} at the same clock times of sessions without "
            f"any of these announcements; {compared.size - there:,} more have no bars or hold a "
            "macro release."
        ),
    )


def half_hours_without_news(study: IntradayStudy) -> tuple[np.ndarray, np.ndarray]:
    """Return z at the clock times of the announcements of a study, on sessions without any.

    Parameters
    ----------
    study : IntradayStudy
        With one window in minutes.

    Returns
    -------
    z : ndarray, shape (T, n)
        All sessions that can be tested; NaN where a session has an announcement or no such window.
    rows : ndarray of int, shape (n,)
        Sessions of the announcements, in order.
    """
    days = study.known.grid.sessions
    inside = np.arange(study.known.tested_from, len(days))
    others = ~days[inside].isin(_days(study))
    used, _ = study.observations(study.windows[0])
    _, z, rows, _ = _compared(study.known, used, inside, others)
    return np.where(others[:, None], z, np.nan), rows


def _share(
    z: np.ndarray, rows: np.ndarray, others: np.ndarray, *, cut: float = CUT
) -> HypothesisTest:
    return clock_share_of(np.minimum(z**2, cut), rows, others)


def _days(study: IntradayStudy) -> pd.DatetimeIndex:
    """Sessions and dates that any announcement of a study touches, whatever its minute."""
    given = [parse_announced_at(text)[0].tz_localize(None) for text in study.events["announced_at"]]
    ends = [study.table[name].dt.tz_localize(None) for name in ("from", "to")]
    return pd.DatetimeIndex([*given, *ends[0], *ends[1]]).normalize()


def _compared(
    known: ClockVariance, used: Mapping[str, Observation], inside: np.ndarray, others: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray, dict[str, str]]:
    """Observations of a period, z of its sessions in their minutes, their rows, and who is missing.

    `inside` are the sessions of the period, `others` those of them without news; z is of shape
    (sessions, observations), NaN where a session has no such window.
    """
    kept, columns, short = [], [], {}
    for event, one in used.items():
        ranks, column = ranked_windows(known, one.bars), one.begin.column
        same = ranks.windows.part[inside, column] == ranks.windows.part[one.begin]
        same &= ranks.reference[inside, column]
        enough = int((same & others).sum())
        if one.begin.row not in inside:
            short[event] = "outside the period"
        elif enough < MIN_OTHERS:
            short[event] = (
                f"{counted(enough, 'other session')} with these minutes: {MIN_OTHERS} are needed"
            )
        else:
            kept.append(event)
            columns.append(np.where(same, ranks.windows.z[inside, column], np.nan))
    rows = inside.searchsorted([used[event].begin.row for event in kept])
    return kept, np.array(columns).reshape(len(kept), len(inside)).T, rows, short


def _table(study: IntradayStudy, used: list[str], found: HypothesisTest) -> pd.DataFrame:
    table = study.table.loc[used, ["from", "move", "sigma", "z"]].rename_axis("event")
    table = table.rename(columns={"move": "estimate"})
    table.insert(0, "label", study.events.loc[used, "label"])
    table.insert(1, "session", table["from"].dt.tz_localize(None).dt.normalize())
    table["announcements"] = [(event,) for event in used]
    moves = shrunken(table["estimate"].to_numpy(), table["sigma"].to_numpy(), found)
    table[["news", "ci_low", "ci_high"]] = np.column_stack(moves)
    return table
