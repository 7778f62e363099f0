"""Events of any shape on the rows of the returns, and what else happened there.

`as_events` reads what a caller gives as events; `align` finds the session of each and adds the
flags of `impact.news.surroundings`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from impact.errors import DateError, EventError
from impact.market.calendar import parse_announced_at, place
from impact.market.windows import Window, as_window
from impact.news.catalogue import DIRECTIONS, closest_ids, unknown_direction
from impact.news.surroundings import NOT_CHECKED, check_sessions, mixed, others, releases_on
from impact.text.formats import counted, iso, list_of

NEW_YORK = "America/New_York"

_FLAGS = (
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

#: Reasons that say the news came out when the session of its date was over.
_AFTER_CLOSE = ("after the close", "early close")


def unknown_id_error(unknown: object, known: Iterable[str]) -> EventError:
    """Return the error for an id that is none, naming the nearest ids.

    Examples
    --------
    >>> unknown_id_error("liberation", ["geneva-truce", "liberation-day"]).args[0]
    "there is no event 'liberation': the nearest are 'liberation-day' or 'geneva-truce'"
    """
    nearest = closest_ids(unknown, known)
    named = f"the nearest are {list_of(map(repr, nearest), 'or')}" if nearest else "there are none"
    return EventError(f"there is no event {unknown!r}: {named}")


# -- events of any shape -------------------------------------------------------------------------


def as_events(obj) -> pd.DataFrame:
    """Read events of any shape as a frame with one row an announcement.

    Parameters
    ----------
    obj : DataFrame, Series, dict, list, tuple, array, Index, or one date
        A catalogue from `load_events`; dates; label -> date; a Series of dates whose index holds
        the labels; or a DataFrame with ``announced_at`` (dates or times) or, without it,
        ``session`` (rows of the returns, taken as they are), and optionally ``id``, ``security``,
        ``label``, ``direction`` and columns of your own. Dates are ISO texts or timestamps;
        a naive midnight is a date without a time.

    Returns
    -------
    DataFrame, shape (events, columns)
        Indexed by ``id``: what was given, with ``announced_at`` (str), ``label`` and
        ``from_catalogue`` (bool: the row came from `load_events`). Without ids an event is called
        after its New York date, followed by its security.

    Raises
    ------
    EventError
        If `obj` is not such a shape, an id comes twice, or a direction is unknown.
    DateError
        If a date cannot be read in one way only.

    Examples
    --------
    >>> as_events({"Liberation Day": "2025-04-02T16:00"})["announced_at"].to_dict()
    {'Liberation Day': '2025-04-02T16:00'}
    """
    if isinstance(obj, pd.DataFrame):
        return _from_frame(obj)
    if isinstance(obj, Mapping):
        return _from_frame(pd.DataFrame({"announced_at": list(obj.values())}, index=_names(obj)))
    if isinstance(obj, pd.Series):
        return _from_frame(obj.rename("announced_at").to_frame())
    if isinstance(obj, str | dt.date | np.datetime64):
        obj = [obj]
    if isinstance(obj, pd.Index | np.ndarray | list | tuple):
        return _from_frame(pd.DataFrame({"announced_at": _one_column(obj)}))
    raise EventError(
        f"events of type {type(obj).__name__} cannot be read: give load_events(), a list of "
        "dates, a dict label -> date, a Series, or a DataFrame with announced_at"
    )


def _names(labels: Iterable) -> pd.Index:
    return pd.Index([str(label) for label in labels], dtype="str", name="id")


def _one_column(values) -> Sequence:
    if np.ndim(values) != 1 and isinstance(values, np.ndarray):
        raise EventError(f"events of shape {values.shape} cannot be read: give one row of dates")
    # A list of objects stays one, so that a text among timestamps is still read as a text.
    return values if isinstance(values, pd.Index | np.ndarray) else pd.Series(values, dtype=object)


def _from_frame(obj: pd.DataFrame) -> pd.DataFrame:
    if "from_catalogue" in obj:
        return obj.copy()
    frame = obj.copy()
    if "announced_at" in frame:
        # An aligned frame is placed anew: its sessions belong to other returns.
        frame = frame.drop(columns=[name for name in _FLAGS if name in frame])
        text, days = _read_dates(frame["announced_at"])
    elif "session" in frame:
        text, days = _read_dates(frame["session"])
        frame["session"] = pd.to_datetime(pd.Series(days, index=frame.index), format="%Y-%m-%d")
    else:
        columns = list_of(map(repr, frame.columns)) or "none"
        raise EventError(
            f"the events have neither a column 'announced_at' nor 'session'; they have {columns}"
        )
    frame["announced_at"] = pd.array(text, dtype="str")
    if "security" in frame:
        frame["security"] = frame["security"].astype("str").fillna("")
    frame.index = _ids(frame, days)
    frame = frame.drop(columns="id", errors="ignore")
    _check_directions(frame)
    if "label" not in frame:
        frame["label"] = frame.index.astype("str")
    frame["from_catalogue"] = _is_catalogue(frame)
    return frame


def _is_catalogue(frame: pd.DataFrame) -> bool:
    if not {"announced_at", "news", "included"} <= set(frame.columns):
        return False
    if frame["news"].dtype != bool or frame["included"].dtype != bool:
        raise EventError("the columns news and included are not bool: use load_events(path)")
    return True


def _ids(frame: pd.DataFrame, days: np.ndarray) -> pd.Index:
    """Ids from the column, else from an index of texts, else the dates (and securities)."""
    if "id" in frame:
        ids = frame["id"]
    elif frame.index.name == "id" or not _is_number_or_date(frame.index):
        ids = frame.index
    else:
        ids = pd.Series(days, dtype="str")
        if "security" in frame:
            ids = (ids + " " + frame["security"].to_numpy()).str.rstrip()
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


def _is_number_or_date(index: pd.Index) -> bool:
    return pd.api.types.is_numeric_dtype(index) or isinstance(index, pd.DatetimeIndex)


def _check_directions(frame: pd.DataFrame) -> None:
    if "direction" in frame:
        known = frame["direction"].isna() | frame["direction"].isin(["", *DIRECTIONS])
        for name, direction in frame.loc[~known, "direction"].items():
            raise EventError(f"event {name!r}: {unknown_direction(direction)}")


def _read_dates(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return dates and times as ISO texts, and the New York date of each as a text."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return _read_stamps(pd.DatetimeIndex(values))
    text = np.array([_text(value) for value in values], dtype=object)
    days = text.copy()
    # Five thousand bare dates are read at once; what is not one is read, or refused, by itself.
    bare = pd.to_datetime(pd.Series(text, dtype="str"), format="%Y-%m-%d", errors="coerce")
    plain = bare.notna().to_numpy() & (np.char.str_len(text.astype(str)) == 10)
    for i in np.flatnonzero(~plain):
        instant, _ = parse_announced_at(text[i])
        days[i] = iso(instant)
    return text, days


def _read_stamps(stamps: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    if stamps.hasnans:
        raise DateError(f"the event in row {int(stamps.isna().argmax()) + 1} has no date")
    if stamps.tz is not None:
        stamps = stamps.tz_convert(NEW_YORK)
    days = np.datetime_as_string(stamps.tz_localize(None).to_numpy(), unit="D").astype(object)
    if stamps.tz is None and (stamps == stamps.normalize()).all():
        return days, days
    return np.array([_text(stamp) for stamp in stamps], dtype=object), days


def _text(value) -> str:
    """Return a date or time as ISO text; a naive midnight is a date."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dt.date | np.datetime64) or pd.isna(value):
        raise DateError(f"{value!r} is not a date: write it as '2025-04-02' or '2025-04-02T16:00'")
    stamp = pd.Timestamp(value)
    bare = stamp.tz is None and stamp == stamp.normalize()
    return iso(stamp) if bare else stamp.isoformat()


# -- alignment -----------------------------------------------------------------------------------


def align(
    events, sessions: pd.DatetimeIndex, *, window: Window | Sequence[int] = (-5, 5)
) -> pd.DataFrame:
    """Find the session of each announcement, and flag what else happened there.

    Parameters
    ----------
    events : DataFrame or what `as_events` reads
        Announcements.
    sessions : DatetimeIndex, shape (T,)
        Rows of the returns: tz-naive, sorted, none twice.
    window : Window or pair of int, default (-5, 5)
        Event window, in sessions, within which other sessions' announcements are neighbours.

    Returns
    -------
    DataFrame, shape (events, columns)
        What was given, and

        - ``session``: the first row whose close could reflect the announcement (NaT if none);
        - ``moved``: why it is not the announcement's own date ("" if it is); ``after_close``:
          whether it came out when that date's session was over; ``date_only``;
        - ``shared_with``, ``neighbours``: ids of the other included announcements of news in the
          committed catalogue, in the same session and in other sessions of the window;
        - ``mixed``: the session holds escalation and easing, or an announcement of both;
        - ``releases``: "", "CPI, FOMC" and so on, or "not checked";
        - ``dropped``: why the event is not to be studied ("" if it is).

    Raises
    ------
    DateError
        If a date that did not come from a catalogue lies outside `sessions`.
    EventError, ReturnsError, WindowError
        If the events, the sessions or the window cannot be read.

    Examples
    --------
    >>> sessions = pd.bdate_range("2025-04-28", "2025-05-09")
    >>> aligned = align(["2025-05-02"], sessions, window=(-1, 1))
    >>> aligned["shared_with"].item(), aligned["releases"].item()
    (('mofcom-evaluating', 'wsj-fentanyl-overture'), 'payrolls')
    """
    window = as_window(window)
    check_sessions(sessions)
    frame = as_events(events)
    placed = _place(frame, sessions)
    position = np.where(
        placed["session"].isna(), -1, sessions.get_indexer(pd.DatetimeIndex(placed["session"]))
    )
    dropped = _dropped(frame, position, sessions)
    shared, near = others(frame.index, position, sessions, window)
    flags = {
        "session": placed["session"].to_numpy(),
        "moved": placed["moved"].to_numpy(),
        "after_close": placed["moved"].isin(_AFTER_CLOSE).to_numpy(bool),
        "date_only": placed["date_only"].to_numpy(bool),
        "neighbours": near,
        "shared_with": shared,
        "mixed": mixed(frame, position, dropped, sessions),
        "releases": np.append(releases_on(sessions).to_numpy(object), NOT_CHECKED)[position],
        "dropped": dropped,
    }
    rest = frame.drop(columns=["from_catalogue", "session"], errors="ignore")
    aligned = pd.concat([rest, pd.DataFrame(flags, index=frame.index)], axis=1)
    aligned.attrs = dict(frame.attrs)
    return aligned.astype({"moved": "str", "releases": "str", "dropped": "str"})


def _place(frame: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    if "session" not in frame:
        return place(_fast(frame["announced_at"]), sessions)
    given = pd.DatetimeIndex(frame["session"])
    if not (known := given.isin(sessions)).all():
        i = int((~known).argmax())
        raise DateError(
            f"session {iso(given[i])} of event {frame.index[i]!r} is not a row of the returns "
            f"({_span(sessions)}): call the column announced_at to have it placed"
        )
    return pd.DataFrame({"session": given, "moved": "", "date_only": True})


def _fast(announced_at: pd.Series) -> Sequence:
    """Bare dates as one DatetimeIndex, which `place` reads at once; else the texts."""
    if (announced_at.str.len() == 10).all():
        return pd.DatetimeIndex(pd.to_datetime(announced_at, format="%Y-%m-%d"))
    return announced_at.to_list()


def _span(sessions: pd.DatetimeIndex) -> str:
    return f"{iso(sessions[0])} to {iso(sessions[-1])}"


def _dropped(frame: pd.DataFrame, position: np.ndarray, sessions: pd.DatetimeIndex) -> np.ndarray:
    """Why a row of the catalogue is left out; a date of the caller's own raises instead."""
    catalogue = frame["from_catalogue"].to_numpy(bool)
    outside = position < 0
    if (typed := outside & ~catalogue).any():
        i = int(typed.argmax())
        more = f" (and {counted(int(typed.sum()) - 1, 'more')})" if typed.sum() > 1 else ""
        raise DateError(
            f"{frame['announced_at'].iloc[i]} of event {frame.index[i]!r}{more} lies outside "
            f"the returns, which run from {_span(sessions)}: leave it out or bring longer returns"
        )
    reasons = np.full(len(frame), "", dtype=object)
    early = (frame["announced_at"].str[:10] < iso(sessions[0])).to_numpy(bool)
    reasons[outside & early] = f"before the first session {iso(sessions[0])}"
    reasons[outside & ~early] = f"after the last session {iso(sessions[-1])}"
    if catalogue.any():
        reasons[catalogue & ~frame["news"].to_numpy(bool)] = "puts known news into force"
    return reasons
