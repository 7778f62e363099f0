"""From announcements to units: what shares a session (and security) is one unit, tested once.

A unit that names no security applies to every column of the returns. A pair is one unit in one
column; the engine works on pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.formats import counted, iso
from impact.estimation import Pairs
from impact.windows import Window

#: Columns of a table of what was left out.
DROPPED_COLUMNS = ("event", "security", "reason")

#: What a unit keeps of each of its announcements, if the events have it.
_FACTS = ("announced_at", "session", "moved", "after_close", "date_only", "direction", "mixed",
          "shared_with", "neighbours", "releases", "china_dose_pp")  # fmt: skip


@dataclass(frozen=True)
class Units:
    """Units of a study and where their pairs stand.

    Attributes
    ----------
    table : DataFrame
        One row a unit, index = id of its first announcement: label, announcements (tuple of ids)
        and the facts of the alignment.
    pairs : Pairs
        M pairs of unit and column.
    unit : ndarray of int, shape (M,)
        Row of `table` of each pair.
    dropped : DataFrame
        event, security ("" for all), reason.
    """

    table: pd.DataFrame
    pairs: Pairs
    unit: np.ndarray
    dropped: pd.DataFrame


def dropped_rows(events, reasons, securities="") -> pd.DataFrame:
    """Return a table of what was left out and why."""
    frame = pd.DataFrame({"event": list(events), "security": securities, "reason": reasons})
    return frame.astype("str")[list(DROPPED_COLUMNS)]


def form_units(
    aligned: pd.DataFrame, returns: pd.DataFrame, estimation: Window, window: Window
) -> Units:
    """Group aligned announcements into units and lay them over the columns of the returns.

    Parameters
    ----------
    aligned : DataFrame
        One row an announcement, as `impact.alignment.align` gives it, with `label` and, for firm
        events, `security`.
    returns : DataFrame, shape (T, N)
        Decimal returns by session.
    estimation, window : Window
        A unit whose windows do not fit into the rows is dropped, with the reason.
    """
    dropped = [dropped_rows(aligned.index[aligned["dropped"] != ""],
                            aligned.loc[aligned["dropped"] != "", "dropped"].to_list())]  # fmt: skip
    events = aligned[(aligned["dropped"] == "").to_numpy()]
    security = _securities(events)
    known = (security == "") | pd.Index(security).isin(returns.columns.astype("str"))
    dropped.append(dropped_rows(
        events.index[~known],
        [f"security {name!r} is not a column of the returns" for name in security[~known]],
        security[~known],
    ))  # fmt: skip
    events, security = events[known], security[known]
    position = returns.index.get_indexer(pd.DatetimeIndex(events["session"]))
    reasons = _no_room(position, events["session"], returns.index, estimation, window)
    fits = reasons == ""
    dropped.append(dropped_rows(events.index[~fits], reasons[~fits], security[~fits]))
    events, security, position = events[fits], security[fits], position[fits]
    table, unit_security, unit_position = _group(events, security, position)
    pairs, unit, covered = _over_columns(table, unit_security, unit_position, returns.columns)
    dropped.append(covered)
    return Units(table, pairs, unit, pd.concat(dropped, ignore_index=True))


def _securities(events: pd.DataFrame) -> np.ndarray:
    if "security" not in events:
        return np.full(len(events), "", dtype=object)
    return events["security"].astype("object").where(events["security"].notna(), "").to_numpy()


def _no_room(position, sessions, index, estimation: Window, window: Window) -> np.ndarray:
    """Why a unit's windows do not fit into the rows; "" where they do."""
    short = -(position + estimation.start)
    over = position + window.end - (len(index) - 1)
    reasons = np.full(len(position), "", dtype=object)
    for i in np.flatnonzero((short > 0) | (over > 0)):
        session = iso(sessions.iloc[i])
        if short[i] > 0:
            reasons[i] = (
                f"the estimation window {estimation} of session {session} needs "
                f"{-estimation.start} earlier sessions, the returns have {position[i]} "
                f"(first: {iso(index[0])})"
            )
        else:
            reasons[i] = (
                f"the event window {window} of session {session} ends "
                f"{counted(over[i], 'session')} after the last return ({iso(index[-1])}): "
                f"use a window that ends at {window.end - over[i]}"
            )
    return reasons


def _group(events: pd.DataFrame, security: np.ndarray, position: np.ndarray):
    """One row for each (session, security), in the order of first appearance."""
    key = pd.MultiIndex.from_arrays([position, security])
    codes, _ = pd.factorize(key)
    first = np.flatnonzero(~key.duplicated())
    table = events.iloc[first][[name for name in ("label", *_FACTS) if name in events]].copy()
    ids, labels = events.index.to_numpy(), events["label"].to_numpy()
    announcements = [(name,) for name in ids[first]]
    if len(first) < len(events):
        _merge_shared(table, announcements, codes, ids, labels, events)
    table.insert(1, "announcements", announcements)
    table.index.name = "event"
    return table, security[first], position[first]


def _merge_shared(table, announcements, codes, ids, labels, events) -> None:
    """Give units of several announcements all their ids, labels, directions and reasons."""
    counts = np.bincount(codes)
    for code in np.flatnonzero(counts > 1):
        members = np.flatnonzero(codes == code)
        announcements[code] = tuple(ids[members])
        table.iloc[code, table.columns.get_loc("label")] = "; ".join(labels[members])
        for name in ("direction", "announced_at", "moved"):
            if name in table:
                values = dict.fromkeys(map(str, events[name].iloc[members]))
                held = ";".join(value for value in values if value)
                table.iloc[code, table.columns.get_loc(name)] = held
        for name in ("after_close", "mixed"):
            held = bool(events[name].iloc[members].any())
            table.iloc[code, table.columns.get_loc(name)] = held
        if "china_dose_pp" in table:
            doses = events["china_dose_pp"].iloc[members]
            table.iloc[code, table.columns.get_loc("china_dose_pp")] = doses.sum(min_count=1)


def _over_columns(table, security, position, columns):
    """Pairs of unit and column; a firm event already covered by a common one is dropped."""
    names = columns.astype("str")
    common = np.flatnonzero(security == "")
    firm = np.flatnonzero(security != "")
    column = names.get_indexer(security[firm])
    covered = np.isin(position[firm], position[common])
    reason = "a common event in the same session already covers this security"
    dropped = dropped_rows(table.index[firm[covered]], reason, security[firm[covered]])
    firm, column = firm[~covered], column[~covered]
    unit = np.concatenate([np.repeat(common, len(columns)), firm])
    column = np.concatenate([np.tile(np.arange(len(columns)), len(common)), column])
    order = np.argsort(unit, kind="stable")
    unit, column = unit[order], column[order]
    return Pairs(position[unit], column.astype(int)), unit.astype(int), dropped
