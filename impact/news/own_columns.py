"""Tables of events as people keep them: other column names, empty columns, written dates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from impact.errors import DateError, EventError
from impact.market.instants import midnights_as_dates, parse_announced_at
from impact.text.formats import iso, list_of

#: What people call the columns that events have.
_SAME = {"date": "announced_at", "event": "id", "security": "security"}

#: What people call a column with the times of day of a column of dates, and how such a time looks.
_TIMES = ("time", "hour", "clock", "time of day", "announcement_time", "time_of_day")
_CLOCK = r"\d{1,2}[:.h]\d{2}(:\d{2})?\s*([ap]\.?m\.?)?"
_HOUR = r"([01]?\d|2[0-3])(\.0)?"

#: What people call the column of the time zones of their clock times, and what says New York.
_ZONES = ("timezone", "time zone", "time_zone", "tz", "zone")
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_NEW_YORK = ("", "nan", "none", "america/new_york", "new york", "us/eastern", "et", "est", "edt")

#: A number that a spreadsheet wrote as one with decimals.
_WHOLE = re.compile(r"^(\d+)\.0+$")

#: What people call the column of securities beside that.
_SECURITIES = ("ticker", "symbol", "firm", "company", "permno", "permco", "isin", "cusip", "ric")


def renamed(columns: Iterable[object]) -> dict[object, str]:
    """Return which columns are read under another name: date as announced_at, event as id.

    Examples
    --------
    >>> renamed(["Date", "event"]), renamed(["date", "announced_at"])
    ({'Date': 'announced_at', 'event': 'id'}, {})
    """
    columns = list(columns)
    meant = {name: _SAME.get(str(name).lower(), "") for name in columns}
    return {
        name: column
        for name, column in meant.items()
        if column and column not in columns and list(meant.values()).count(column) == 1
    }


def said(names: dict[object, str]) -> str:
    """Say which columns were renamed, for the notes of a table.

    Examples
    --------
    >>> said({"date": "announced_at", "event": "id"})
    "Of the events, column 'date' was read as 'announced_at' and 'event' as 'id'."
    """
    read = list_of(
        f"{old!r} {'was read ' * (i == 0)}as {new!r}" for i, (old, new) in enumerate(names.items())
    )
    return f"Of the events, column {read}."


def refuse_lost_times(events: pd.DataFrame, when: str, date_only: np.ndarray) -> None:
    """Raise where a time of day, or its time zone, stands in a column beside, which is not read.

    Examples
    --------
    >>> told = pd.DataFrame({"announced_at": ["2025-04-02T16:10"], "time": ["16:10"]})
    >>> refuse_lost_times(told, "announced_at", np.array([False]))
    """
    for name in events.columns[[str(name).casefold() in _ZONES for name in events]]:
        zones = events[name].astype("str").str.strip()
        other = ~zones.str.casefold().isin(_NEW_YORK).to_numpy() & ~date_only
        other &= ~events[when].astype("str").str.contains(_OFFSET).to_numpy(bool)
        if other.any():
            raise EventError(
                f"column {name!r} of the events ({zones[other].iloc[0]}) is not read, and a time "
                "without a zone is New York time: write the offset into the time, as in "
                "2025-04-02T16:10+02:00"
            )
    for name in events.columns[[str(name).casefold() in _TIMES for name in events]]:
        texts = events[name].astype("str").str.strip()
        clock = rf"{_CLOCK}|{_HOUR}" if str(name).casefold() == "hour" else _CLOCK
        apart = texts.str.fullmatch(clock, case=False).to_numpy(bool) & date_only
        if apart.any():
            raise EventError(
                f"the times of day in column {name!r} of the events ({texts[apart].iloc[0]}) are "
                "apart from their dates: write both in one column, as in 2025-04-02T16:10"
            )


def without_empty_columns(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Leave out the columns at the right edge of a spreadsheet that hold nothing, header included.

    Examples
    --------
    >>> without_empty_columns([(1, ["id", "announced_at", ""]), (2, ["a", "2025-04-02", ""])])
    [(1, ['id', 'announced_at']), (2, ['a', '2025-04-02'])]
    """
    width = max(len(fields) for _, fields in rows)
    used = max(
        (i for i in range(width) if any(i < len(row) and row[i] for _, row in rows)), default=0
    )
    return [(line, fields[: used + 1]) for line, fields in rows]


def as_iso(texts: list[str]) -> list[str]:
    """Return times as ISO texts where they are dates in another guise; leave all others alone.

    Examples
    --------
    >>> as_iso(["9 May 2025", "2025-05-12"]), as_iso(["2025-05-09 00:00:00"])
    (['2025-05-09', '2025-05-12'], ['2025-05-09'])
    """
    column = midnights_as_dates(pd.Series(texts, dtype="str"))
    return [_as_iso(text) for text in column]


def _as_iso(text: str) -> str:
    try:
        moment, date_only = parse_announced_at(text)
    except DateError:
        return text
    return iso(moment) if date_only else text


def security_columns(columns: Iterable[Hashable]) -> list[Hashable]:
    """Return the columns that by their names may hold securities.

    Examples
    --------
    >>> security_columns(["announced_at", "Ticker", "size"])
    ['Ticker']
    """
    return [name for name in columns if str(name).casefold() in _SECURITIES]


def security_texts(values: pd.Series) -> pd.Series:
    """Return names of securities as texts: without spaces around them, whole numbers as such.

    Examples
    --------
    >>> security_texts(pd.Series([10107.0, None])).to_list()
    ['10107', '']
    """
    known = zip(values.tolist(), values.notna().tolist(), strict=True)
    texts = [str(value).strip() if there else "" for value, there in known]
    whole = [_WHOLE.sub(r"\1", text) if text[-2:] == ".0" else text for text in texts]
    return pd.Series(whole, values.index, dtype="str", name=values.name)
