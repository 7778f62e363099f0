"""From announcements to units: what shares a session (and security) is one unit, tested once.

A unit that names no security applies to every column of the returns. A pair is one unit in one
column; the engine works on pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from impact.estimation.pairs import Pairs
from impact.market.windows import Window
from impact.text.formats import counted, iso

#: Columns of a table of what was left out.
DROPPED_COLUMNS = ("event", "security", "reason")

#: Column number of an event that applies to all columns.
EVERY = -1


@dataclass(frozen=True)
class Units:
    """Units of a study and where their pairs stand.

    Attributes
    ----------
    table : DataFrame
        One row a unit, index = id of its first announcement: label, announcements (tuple of ids)
        and the facts of the alignment.
    unit : ndarray of int, shape (M,)
        Row of `table` of each of the M `pairs`.
    dropped : DataFrame
        event, security ("" for all), reason.
    """

    table: pd.DataFrame
    pairs: Pairs
    unit: np.ndarray
    dropped: pd.DataFrame


def dropped_rows(
    events: Iterable[object], reasons: Iterable[str] | str, securities: Iterable[str] | str = ""
) -> pd.DataFrame:
    """Return a table of what was left out and why."""
    ids = list(events)
    told = ([said] * len(ids) if isinstance(said, str) else said for said in (securities, reasons))
    columns = [pd.array([*map(str, texts)], dtype="str") for texts in (ids, *told)]
    return pd.DataFrame(dict(zip(DROPPED_COLUMNS, columns, strict=True)))


def form_units(
    aligned: pd.DataFrame, returns: pd.DataFrame, estimation: Window, window: Window
) -> Units:
    """Group aligned announcements into units and lay them over the columns of the returns.

    `aligned` is what `impact.align` gives; the `security` of firm events is a column of the
    returns. A unit whose windows do not fit into the rows is dropped, with the reason.
    """
    reasons, security = aligned["dropped"].to_numpy(object), _securities(aligned)
    kept = reasons == ""
    dropped = [(aligned.index[~kept], reasons[~kept], security[~kept])]
    events = aligned if kept.all() else aligned[kept]
    security = security[kept]
    column = _columns(security, returns.columns)
    position = returns.index.get_indexer(pd.DatetimeIndex(events["session"]))
    reasons = _no_room(position, events["session"], returns.index, estimation, window)
    fits = reasons == ""
    dropped.append((events.index[~fits], reasons[~fits], security[~fits]))
    table, first = _group(events if fits.all() else events[fits], column[fits], position[fits])
    column, position = column[fits][first], position[fits][first]
    pairs, unit, covered = _over_columns(table, column, position, returns.columns)
    dropped.append(covered)
    joined = (
        np.concatenate([np.asarray(part, dtype=object) for part in parts])
        for parts in zip(*dropped, strict=True)
    )
    return Units(table, pairs, unit, dropped_rows(*joined))


def _securities(events: pd.DataFrame) -> np.ndarray:
    if "security" not in events:
        return np.full(len(events), "", dtype=object)
    named = events["security"].to_numpy(object)
    return np.where(pd.isna(named), "", named)


def _columns(security: np.ndarray, columns: pd.Index) -> np.ndarray:
    """Column of each event's security, `EVERY` where it names none."""
    column = np.full(len(security), EVERY)
    named = security != ""
    if named.any():
        column[named] = columns.astype("str").get_indexer(security[named])
    return column


def _no_room(
    position: np.ndarray,
    sessions: pd.Series,
    index: pd.DatetimeIndex,
    estimation: Window,
    window: Window,
) -> np.ndarray:
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


def _group(
    events: pd.DataFrame, column: np.ndarray, position: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """One row for each (session, security), in the order of first appearance."""
    codes = pd.factorize(position * (column.max(initial=0) + 2) + column)[0]
    first = np.unique(codes, return_index=True)[1]
    facts = [name for name in events if name not in ("label", "dropped", "security")]
    table = events[["label", *facts]]
    table = table.copy() if len(first) == len(table) else table.iloc[first].copy()
    announcements = list(zip(events.index.to_numpy()[first], strict=True))
    shared = np.flatnonzero(np.bincount(codes) > 1)
    members = [np.flatnonzero(codes == code) for code in shared]
    labels = events["label"].to_numpy(object)
    for code, rows in zip(shared, members, strict=True):
        announcements[code] = tuple(events.index[rows])
        table.loc[table.index[code], "label"] = "; ".join(labels[rows])
    for name in facts if len(shared) else ():
        values, join = table[name].to_numpy(copy=True), _how_joined(events[name].dtype)
        for code, rows in zip(shared, members, strict=True):
            values[code] = join(events[name].array[rows])
        table[name] = values
    table.insert(1, "announcements", announcements)
    table.index.name = "event"
    return table, first


def _how_joined(dtype: object) -> Callable[[ExtensionArray], object]:
    """How the announcements of a unit become one value of a column of that kind."""
    if pd.api.types.is_bool_dtype(dtype):
        return lambda values: bool(pd.Series(values).any())
    if pd.api.types.is_numeric_dtype(dtype):
        return lambda values: pd.Series(values).sum(min_count=1)
    if pd.api.types.is_string_dtype(dtype):
        return lambda values: (
            "; ".join(dict.fromkeys(text for text in values.dropna() if text))
            if pd.api.types.is_string_dtype(values)
            else values[0]
        )
    return lambda values: values[0]


def _over_columns(
    table: pd.DataFrame, column: np.ndarray, position: np.ndarray, columns: pd.Index
) -> tuple[Pairs, np.ndarray, tuple]:
    """Pairs of unit and column; a firm event already covered by a common one is dropped."""
    common, firm = np.flatnonzero(column == EVERY), np.flatnonzero(column != EVERY)
    covered = np.isin(position[firm], position[common])
    reason = "a common event in the same session already covers this security"
    dropped = (
        table.index[firm[covered]],
        np.full(covered.sum(), reason),
        columns.astype("str")[column[firm[covered]]],
    )
    firm = firm[~covered]
    unit = np.concatenate([np.repeat(common, len(columns)), firm])
    column = np.concatenate([np.tile(np.arange(len(columns)), len(common)), column[firm]])
    order = np.argsort(unit, kind="stable")
    return Pairs(position[unit[order]], column[order]), unit[order], dropped
