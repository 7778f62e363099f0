"""How much of the variance of the minutes after news came with it, of an IntradayStudy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

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
from impact.market.instants import read_instants
from impact.news.minutes import APPROXIMATE, EXACT
from impact.text.formats import counted, iso
from impact.text.result import count_left_out, signed


@dataclass(frozen=True, eq=False)
class Compared:
    """Windows after news of a period beside the same minutes of all its sessions.

    Attributes
    ----------
    sessions : DatetimeIndex, shape (T,)
    events : tuple of str
        Ids of the n windows after news, in order of time.
    z : ndarray, shape (T, n)
        Of every session in the minutes of each window; NaN where it has no such window.
    rows : ndarray of int, shape (n,)
        The session of each window.
    others : ndarray of bool, shape (T,)
        Sessions that no announcement of the study touches.
    reasons : dict
        Id -> why an announcement of the study is not among them.
    """

    sessions: pd.DatetimeIndex
    events: tuple[str, ...]
    z: np.ndarray
    rows: np.ndarray
    others: np.ndarray
    reasons: dict[str, str]

    @property
    def own(self) -> np.ndarray:
        """z of the windows after news, shape (n,)."""
        return self.z[self.rows, np.arange(len(self.rows))]

    def share(self, cut: float = CUT, without: np.ndarray | tuple[()] = ()) -> HypothesisTest:
        """The test, with z² cut somewhere, or without some of the windows."""
        square = np.minimum(np.delete(self.z, without, axis=1) ** 2, cut)
        return clock_share_of(square, np.delete(self.rows, without), self.others)


def minutes_share(study: IntradayStudy, first: pd.Timestamp, last: pd.Timestamp) -> NewsShare:
    """Measure how much of the variance of the minutes after announcements came with news.

    See `impact.analysis.news_share.news_share`.
    """
    found = compared(study, first, last)
    test = found.share()
    square = np.minimum(found.own**2, CUT)
    largest = np.argsort(np.abs(found.own))[-LARGEST:]
    reasons = [(event, found.reasons[event]) for event in study.table.index.drop([*found.events])]
    unused = pd.DataFrame(reasons, columns=["event", "reason"], dtype="str")
    dropped = pd.concat([study.dropped, unused], ignore_index=True)
    period = found.sessions[0], found.sessions[-1]
    about = compared(study, first, last, (EXACT, APPROXIMATE))
    checks: dict[str, Callable[[], HypothesisTest]] = {
        "z² not cut": partial(found.share, np.inf),
        "approximate minutes taken for exact": about.share,
        WITHOUT_LARGEST_WINDOWS: partial(found.share, without=largest),
    }
    there = np.isfinite(found.z[found.others])
    return NewsShare(
        table=_table(study, found, test),
        dropped=count_left_out(dropped, len(found.events)),
        signature=signed(study.signature, f"period {iso(period[0])} to {iso(period[1])}"),
        checks=checks_table(checks),
        largest=float(square[largest].sum() / square.sum()),
        test=test,
        period=period,
        minutes=int(study.windows[0]),
        missing=(
            f"Compared with {counted(int(there.sum()), 'window')} at the same clock times of "
            "sessions without any of these announcements; "
            f"{(~there).sum():,} more have no bars or hold a macro release."
        ),
    )


def compared(
    study: IntradayStudy,
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    minutes: Sequence[str] = (EXACT,),
) -> Compared:
    """Set the windows of a study beside the same minutes of the other sessions of a period.

    The period is all sessions that can be tested, where none is given; `minutes` are the kinds of
    minutes that count. InferenceError if the study has several windows, or one to the close.
    """
    if len(study.windows) > 1 or study.windows[0] == TO_CLOSE:
        raise InferenceError(
            "news_share needs one window in minutes: run intraday_study(bars, events, window=30)"
        )
    days = study.known.grid.sessions
    begin = days.searchsorted(first) if first is not None else 0
    end = days.searchsorted(last, side="right") if last is not None else len(days)
    inside = np.arange(max(begin, study.known.tested_from), end)
    others = ~days[inside].isin(_days(study))
    used, reasons = study.observations(study.windows[0], minutes)
    events, columns = [], []
    for event, one in used.items():
        ranks = ranked_windows(study.known, one.bars)
        like = ranks.like(one.begin)[inside]
        enough = int((like & others).sum())
        if one.begin.row not in inside:
            reasons[event] = "outside the period"
        elif enough < MIN_OTHERS:
            sessions = counted(enough, "other session")
            reasons[event] = f"{sessions} with these minutes: {MIN_OTHERS} are needed"
        else:
            events.append(event)
            columns.append(np.where(like, ranks.windows.z[inside, one.begin.column], np.nan))
    z = np.array(columns).reshape(len(events), len(inside)).T
    rows = inside.searchsorted([used[event].begin.row for event in events])
    return Compared(days[inside], tuple(events), z, rows, others, reasons)


def _days(study: IntradayStudy) -> pd.DatetimeIndex:
    """Sessions and dates that any announcement of a study touches, whatever its minute."""
    given, _ = read_instants(study.events["announced_at"])
    ends = (study.table[name].dt.tz_localize(None) for name in ("from", "to"))
    return pd.DatetimeIndex([*given, *chain(*ends)]).normalize()


def _table(study: IntradayStudy, found: Compared, test: HypothesisTest) -> pd.DataFrame:
    used = list(found.events)
    table = study.table.loc[used, ["from", "move", "sigma", "z"]].rename_axis("event")
    table = table.rename(columns={"move": "estimate"})
    table.insert(0, "label", study.events.loc[used, "label"])
    table.insert(1, "session", found.sessions[found.rows])
    table["announcements"] = [(event,) for event in used]
    moves = shrunken(table["estimate"].to_numpy(), table["sigma"].to_numpy(), test)
    table[["news", "ci_low", "ci_high"]] = np.column_stack(moves)
    return table
