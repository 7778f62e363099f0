"""Events of any shape as one frame, a row an announcement: what `align` and the study read."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from impact.errors import DateError, EventError
from impact.market.instants import (
    NEW_YORK,
    is_date,
    is_iso,
    midnights_as_dates,
    read_instants,
)
from impact.news.catalogue import DIRECTIONS, load_events, unknown_direction
from impact.news.own_columns import (
    refuse_lost_times,
    renamed,
    said,
    security_columns,
    security_texts,
)
from impact.text.formats import in_line, list_of
from impact.text.nearest import suggested, suggestion

#: Columns that `align` fills in.
ALIGNED = (
    "session",
    "moved",
    "after_close",
    "date_only",
    "neighbours",
    "shared_with",
    "mixed",
    "releases",
    "dropped",
)


def unknown_id_error(unknown: object, known: Iterable[str]) -> EventError:
    """Return the error for an id that is none, naming the nearest ids.

    Examples
    --------
    >>> unknown_id_error("liberation", ["geneva-truce", "liberation-day"]).args[0]
    "there is no event 'liberation': the nearest are 'liberation-day' or 'geneva-truce'"
    """
    known = list(known)
    named = suggested(unknown, known) if known else "there are none"
    return EventError(f"there is no event {unknown!r}: {named}")


def as_events(obj: Any) -> pd.DataFrame:
    """Read events of any shape as a frame with one row an announcement.

    Parameters
    ----------
    obj : DataFrame, Series, dict, list, tuple, array, Index, or one date
        A catalogue from `load_events`; dates, or ids and labels of the committed catalogue;
        label -> date; a Series of dates whose index holds the labels; or a DataFrame with
        ``announced_at`` (dates or times) or, without it, ``session`` (rows of the returns, taken
        as they are), and optionally ``id``, ``security``, ``label``, ``direction`` and columns of
        your own; ``date`` and ``event`` are read as ``announced_at`` and ``id``, which
        ``attrs["notes"]`` says. Dates are ISO texts, texts with a written month, or timestamps;
        a naive midnight is a date without a time, and so are the midnights of a column that
        holds nothing else.

    Returns
    -------
    DataFrame, shape (events, columns)
        Indexed by ``id``: every column that was given, with ``announced_at`` (str), ``label`` and
        ``from_catalogue`` (bool: the row came from `load_events`). Without ids an event is called
        after its New York date, followed by its security. What `align` has found before is left
        out, to be found anew.

    Raises
    ------
    EventError
        If `obj` is not such a shape, an id comes twice, a direction is unknown, or a column has
        the name of one that `align` fills in.
    DateError
        If a date cannot be read in one way only.

    Examples
    --------
    >>> as_events({"Liberation Day": "2025-04-02T16:00"})["announced_at"].to_dict()
    {'Liberation Day': '2025-04-02T16:00'}
    >>> as_events("geneva-truce")["label"].item()
    'Geneva truce: 145 to 30%'
    """
    frame, unknown = read_events(obj)
    for reason in unknown.values():
        raise DateError(reason)
    return frame


def read_events(obj: Any) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read events as `as_events` does, and say why of ids beside good events that are none.

    Examples
    --------
    >>> events, unknown = read_events(["geneva-truce", "liberation"])
    >>> events.index.to_list(), list(unknown)
    (['geneva-truce'], ['liberation'])
    """
    found = _of_the_catalogue(obj)
    return (_as_frame(obj), {}) if found is None else found


def _as_frame(obj: Any) -> pd.DataFrame:
    if isinstance(obj, pd.DataFrame):
        return obj.copy() if _was_read(obj) else _from_frame(_as_dates(obj))
    if isinstance(obj, pd.Series):
        return _from_frame(_as_dates(obj.rename("announced_at").to_frame()))
    if isinstance(obj, str | dt.date | np.datetime64):
        obj = [obj]
    if isinstance(obj, Mapping):
        names = pd.Index([str(name) for name in obj], dtype="str", name="id")
        obj = pd.Series(list(obj.values()), names, dtype=object)
    elif isinstance(obj, list | tuple):
        # A list of objects stays one, so that a text among timestamps is still read as a text.
        obj = pd.Series(obj, dtype=object)
    elif isinstance(obj, pd.Index | np.ndarray):
        if obj.ndim != 1:
            raise EventError(f"events of shape {obj.shape} cannot be read: give one row of dates")
        obj = pd.Series(obj)
    if not isinstance(obj, pd.Series):
        raise EventError(
            f"events of type {type(obj).__name__} cannot be read: give load_events(), a list of "
            "dates, a dict label -> date, a Series, or a DataFrame with announced_at"
        )
    return _from_frame(obj.rename("announced_at").to_frame())


def _was_read(frame: pd.DataFrame) -> bool:
    """Whether a table is one that `as_events` has returned."""
    if "from_catalogue" not in frame:
        return False
    known = ["announced_at", "label"]
    if frame["from_catalogue"].any():
        known += ["news", "included"]
    if frame.index.name != "id" or not set(known) <= set(frame.columns):
        raise EventError(
            "a study fills in the column 'from_catalogue': call that of the events otherwise"
        )
    return True


def _of_the_catalogue(obj: Any) -> tuple[pd.DataFrame, dict[str, str]] | None:
    """Events of which some are named by an id or a label, and the names that are none.

    None where all are dates.
    """
    listed = _listed(obj)
    words = [value for value in listed if isinstance(value, str) and not is_iso(value)]
    if not words:
        return None
    catalogue = load_events(included=None)
    ids = dict(zip([*catalogue["label"], *catalogue.index], [*catalogue.index] * 2, strict=True))
    # A date with a written month begins with a digit or reads as a date; no id does.
    unknown = {
        word: f"{word!r} is not an ISO date, nor an id or a label of the catalogue, of which the "
        f"nearest are {suggestion(word, ids)}"
        for word in words
        if word not in ids and not word[:1].isdigit() and not is_date(word)
    }
    good = [value for value in listed if not (isinstance(value, str) and value in unknown)]
    named = [ids.get(value, value) if isinstance(value, str) else value for value in good]
    is_id = [isinstance(name, str) and name in catalogue.index for name in named]
    if not good:
        raise DateError(next(iter(unknown.values())))
    dates = [value for value, known in zip(named, is_id, strict=True) if not known]
    if not any(is_id):
        return (_as_frame(dates), unknown) if unknown else None
    rows = _from_frame(catalogue.loc[[*itertools.compress(named, is_id)]])
    if not dates:
        return rows, unknown
    beside = _from_frame(pd.DataFrame({"announced_at": pd.Series(dates, dtype=object)}))
    joined = pd.concat([rows, beside]).fillna({"news": True, "included": True})
    texts = catalogue.columns[catalogue.dtypes == "str"]
    joined = joined.fillna(dict.fromkeys(texts, "")).astype({"news": bool, "included": bool})
    order = iter(beside.index), iter(rows.index)
    joined = joined.loc[[next(order[known]) for known in is_id]]
    joined.attrs = dict(rows.attrs)
    return joined, unknown


def _listed(obj: Any) -> list:
    """What may be ids: one text, a list of values, or a Series that names its values by number."""
    if isinstance(obj, str):
        return [obj]
    numbered = isinstance(obj, pd.Series) and is_numeric_dtype(obj.index)
    return list(obj) if numbered or isinstance(obj, list | tuple | pd.Index | np.ndarray) else []


def _as_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Read a table's columns under the names that events have, and its bare midnights as dates."""
    plain = is_numeric_dtype(frame.index)
    names = {old: new for old, new in renamed(frame.columns).items() if new != "id" or plain}
    if "session" in frame:
        names = {old: new for old, new in names.items() if new != "announced_at"}
    if names and {"announced_at", "session"} & {*frame.columns, *names.values()}:
        frame = frame.rename(columns=names)
        frame.attrs["notes"] = (said(names),)
    if "announced_at" in frame and not frame.columns.has_duplicates:
        frame = frame.assign(announced_at=midnights_as_dates(frame["announced_at"]))
    return frame


def _from_frame(obj: pd.DataFrame) -> pd.DataFrame:
    if obj.columns.has_duplicates:
        twice = obj.columns[obj.columns.duplicated()][0]
        raise EventError(f"two columns of the events are called {twice!r}: rename one")
    frame = _not_aligned(_index_as_columns(obj))
    when = next((name for name in ("announced_at", "session") if name in frame), None)
    if when is None:
        columns = list_of(map(repr, frame.columns)) or "none"
        raise EventError(
            f"the events have neither a column 'announced_at' nor 'session'; they have {columns}"
        )
    wall, date_only = read_instants(frame[when])
    refuse_lost_times(frame, when, date_only)
    days = np.datetime_as_string(wall.to_numpy(), unit="D").astype(object)
    text = days.copy()
    if not date_only.all():
        text[~date_only] = [_iso(value) for value in frame.loc[~date_only, when]]
    if when == "session":
        if not date_only.all():
            raise DateError(
                f"session {text[int(date_only.argmin())]} has a time of day: give the date, or "
                "call the column announced_at to have it placed"
            )
        frame["session"] = wall
    frame["announced_at"] = pd.array(text, dtype="str")
    if "security" in frame:
        frame["security"] = security_texts(frame["security"])
    frame.index = _ids(frame, days)
    if "id" in frame:
        frame = frame.drop(columns="id")
    _check_directions(frame)
    labels = frame.get("label", pd.Series("", frame.index))
    texts = labels.astype("str")
    named = texts.where(labels.notna() & (texts != ""), frame.index.astype("str"))
    # Labels are drawn, and a picture holds no more letters than a file does.
    frame["label"] = named.map(in_line)
    frame["from_catalogue"] = _is_catalogue(frame)
    return frame


def _index_as_columns(obj: pd.DataFrame) -> pd.DataFrame:
    """Keep the named levels of an index that does not hold the ids as columns."""
    index = obj.index
    numbered = isinstance(index, pd.DatetimeIndex | pd.MultiIndex) or is_numeric_dtype(index)
    if index.name == "id" or not (numbered or "id" in obj):
        return obj.copy()
    frame = obj.reset_index(drop=True)
    for name in index.names:
        if name is not None and name not in frame:
            frame[name] = index.get_level_values(name)
    return frame


def _not_aligned(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out what `align` has found: an aligned frame is placed anew, on other returns."""
    found = [name for name in (*ALIGNED, "announcements") if name in frame]
    own = [name for name in found if name != "session"]
    if own and not set(ALIGNED) <= set(found):
        raise EventError(
            f"a study fills in the column {own[0]!r}: call that of the events otherwise"
        )
    return frame.drop(columns=found if "announced_at" in frame else own)


def _iso(value: Any) -> str:
    """Return a time as ISO text, in New York if it has a zone; a text is left as it is."""
    if isinstance(value, str):
        return value
    stamp = pd.Timestamp(value)
    return (stamp if stamp.tz is None else stamp.tz_convert(NEW_YORK)).isoformat()


def _ids(frame: pd.DataFrame, days: np.ndarray) -> pd.Index:
    """Ids from the column, else from the index, else the dates (and securities)."""
    ids = frame.get("id", frame.index)
    if isinstance(ids, pd.RangeIndex) and ids.name is None:
        ids = days
        whose: list[Hashable] = ["security"] if "security" in frame else []
        if not whose and len(set(days)) < len(days):
            whose = security_columns(frame)[:1]
        for name in whose:
            texts = security_texts(frame[name])
            ids = [f"{day} {text}".rstrip() for day, text in zip(days, texts, strict=True)]
    index = pd.Index(ids).astype("str").rename("id")
    if (missing := index.isna() | (index == "")).any():
        raise EventError(f"the event in row {int(missing.argmax()) + 1} has no id")
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise EventError(
            f"two events have the id {twice!r}: give each an id of its own, as a dict "
            "label -> date does, or merge them"
        )
    return index


def _check_directions(frame: pd.DataFrame) -> None:
    if "direction" in frame:
        known = frame["direction"].isna() | frame["direction"].isin(["", *DIRECTIONS])
        for name, direction in frame.loc[~known, "direction"].items():
            raise EventError(f"event {name!r}: {unknown_direction(direction)}")


def _is_catalogue(frame: pd.DataFrame) -> bool:
    if not {"news", "included"} <= set(frame.columns):
        return False
    if frame["news"].dtype != bool or frame["included"].dtype != bool:
        raise EventError("the columns news and included are not bool: use load_events(path)")
    return True
