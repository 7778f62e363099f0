"""Dates and times: read one way only, or an error that shows how to write what was meant.

A date is a tz-naive midnight, an instant is New York time.
"""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from impact.errors import DateError
from impact.text.formats import date as in_words
from impact.text.formats import iso

NEW_YORK = "America/New_York"

_DAY = pd.Timedelta(days=1)
#: Outside these a year is a slip of the pen, and time zones lose their meaning.
_YEARS = (1800, 2200)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_TWO_READINGS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?!\d).*", re.ASCII)
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
#: "9 May 2025", "9-May-2025" and "May 9, 2025": no reader can take the day for the month.
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[ -](?P<month>[a-z]+)\.?,?[ -](?P<year>\d{4})", re.ASCII)
_MONTH_FIRST = re.compile(r"(?P<month>[a-z]+)\.? (?P<day>\d{1,2}),? (?P<year>\d{4})", re.ASCII)


def parse_date(value: Any) -> pd.Timestamp:
    """Return a date without a time of day as a tz-naive midnight.

    Text is in ISO form, such as "2025-05-02", or has a written month, "2 May 2025". DateError when
    it is not a date, can be read in two ways, or has a time of day.

    Examples
    --------
    >>> parse_date("2025-05-02")
    Timestamp('2025-05-02 00:00:00')
    """
    day, date_only = parse_announced_at(value)
    if not date_only:
        raise DateError(f"{value} has a time of day: give a date such as {iso(day)}")
    return day


def parse_announced_at(value: Any) -> tuple[pd.Timestamp, bool]:
    """Read when something was announced.

    Parameters
    ----------
    value : str, date, datetime, Timestamp or datetime64
        Text in ISO form: "2025-05-02", "2025-04-09T13:18" (New York time),
        "2025-04-09T17:18Z"; or a date with a written month: "2 May 2025". Without a time zone a
        time is New York time, and an object at midnight is a bare date.

    Returns
    -------
    tuple of Timestamp and bool
        New York time, or a tz-naive midnight for a bare date; whether it is a bare date.

    Raises
    ------
    DateError
        When it is neither, or can be read in two ways: 02/05/2025, or a New York time that
        the change of the clocks repeats or leaves out.

    Examples
    --------
    >>> parse_announced_at("2025-04-09T17:18Z")
    (Timestamp('2025-04-09 13:18:00-0400', tz='America/New_York'), False)
    >>> parse_announced_at("2025-05-02")
    (Timestamp('2025-05-02 00:00:00'), True)
    """
    moment, has_time = _read_text(value) if isinstance(value, str) else _read_object(value)
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise DateError(f"{value} is not in the years {_YEARS[0]} to {_YEARS[1]}: correct the year")
    if moment.tz is not None:
        return moment.tz_convert(NEW_YORK), False
    if has_time:
        return _in_new_york(moment), False
    return moment, True


def _read_text(value: str) -> tuple[pd.Timestamp, bool]:
    has_time = _ISO_TIME.fullmatch(value) is not None
    text = value if has_time else _iso_date(value)
    if text is None:
        _refuse_text(value)
    try:
        return pd.Timestamp(datetime.fromisoformat(text)).as_unit("us"), has_time
    except (ValueError, OverflowError) as error:
        raise DateError(
            f"{value!r} is not a date that exists: check month, day and time ({error})"
        ) from None


def _iso_date(text: str) -> str | None:
    """An ISO date, or one with a written month in ISO form; None for anything else."""
    if _ISO_DATE.fullmatch(text):
        return text
    found = _DAY_FIRST.fullmatch(text.lower()) or _MONTH_FIRST.fullmatch(text.lower())
    if found is None:
        return None
    for number, month in enumerate(_MONTHS, start=1):
        if found["month"] in (month, month[:3], "sept" if month == "september" else month):
            return f"{found['year']}-{number:02d}-{int(found['day']):02d}"
    return None


def is_iso(text: str) -> bool:
    """Whether a text is an ISO date or time, whatever it says."""
    return bool(_ISO_DATE.fullmatch(text) or _ISO_TIME.fullmatch(text))


def is_date(text: str) -> bool:
    """Whether a text reads as a date or time."""
    with contextlib.suppress(DateError):
        parse_announced_at(text)
        return True
    return False


def _read_object(value: Any) -> tuple[pd.Timestamp, bool]:
    if isinstance(value, date | np.datetime64):
        try:
            moment = pd.Timestamp(value).as_unit("us")
        except (ValueError, OverflowError):
            moment = pd.NaT
        if moment is not pd.NaT:
            return moment, moment != moment.normalize()
    raise DateError(f"{value!r} is not a date: write it like '2025-05-02' or '2025-04-09T13:18'")


def _refuse_text(value: str) -> NoReturn:
    """Raise with the ISO form of what `value` may mean."""
    found = _TWO_READINGS.fullmatch(value.strip())
    readings = []
    if found:
        one, _, two, year = found.groups()
        for day, month in dict.fromkeys([(int(one), int(two)), (int(two), int(one))]):
            try:
                readings.append(pd.Timestamp(int(year), month, day))
            except ValueError:
                continue
    if not readings:
        raise DateError(
            f"{value!r} is not an ISO date, nor one with a written month such as '2 May 2025': "
            "write it like '2025-05-02' or '2025-04-09T13:18'"
        )
    raise DateError(
        f"{value!r} can be read as {' or '.join(map(in_words, readings))}: "
        f"write {' or '.join(map(iso, readings))}"
    )


def _in_new_york(moment: pd.Timestamp) -> pd.Timestamp:
    try:
        return moment.tz_localize(NEW_YORK)
    except ValueError:
        # Read with the offset of the day before and with that of the day after.
        offsets = [(moment + shift).tz_localize(NEW_YORK).utcoffset() for shift in (-_DAY, _DAY)]
        meant = [(moment - offset).tz_localize("UTC").tz_convert(NEW_YORK) for offset in offsets]
        when = "happens twice" if meant[0] < meant[1] else "does not exist"
        raise DateError(
            f"{moment.isoformat()} {when} in New York, where the clocks change that day: write "
            f"{min(meant).isoformat()} or {max(meant).isoformat()}"
        ) from None


def midnights_as_dates(column: Any) -> Any:
    """Return a column of texts or timestamps as dates where every one of them is midnight.

    A spreadsheet and `to_csv` write the midnight that no one meant. The midnight is that of the
    column's own time zone; bare dates may stand among the times.

    Examples
    --------
    >>> midnights_as_dates(pd.Series(["2025-04-02 00:00:00", "2025-04-03"])).to_list()
    ['2025-04-02', '2025-04-03']
    >>> midnights_as_dates(pd.Series(["2025-04-02 00:00:00", "2025-04-03 09:30:00"])).to_list()
    ['2025-04-02 00:00:00', '2025-04-03 09:30:00']
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        wall = column.dt.tz_localize(None)
        return wall if (wall == wall.dt.normalize()).all() else column
    texts = column.to_list()
    if not all(isinstance(text, str) for text in texts) or not any("00:00" in t for t in texts):
        return column
    midnights = [_MIDNIGHT.fullmatch(text) for text in texts]
    if all(m or _iso_date(text) for m, text in zip(midnights, texts, strict=True)):
        dates = [m[1] if m else text for m, text in zip(midnights, texts, strict=True)]
        return pd.Series(dates, column.index, dtype=column.dtype, name=column.name)
    return column


def read_instants(announced_at: Any) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Read a list of dates and times as wall-clock times in New York, tz-naive.

    See `zoned_instants`.
    """
    instants, bare = zoned_instants(announced_at)
    return instants.tz_localize(None), bare


def zoned_instants(announced_at: Any) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Read a list of dates and times, at once where all are of one kind: see `parse_announced_at`.

    Returned are New York times, a bare date as its midnight there, and which are bare dates.
    """
    if isinstance(announced_at, str) or not hasattr(announced_at, "__len__"):
        raise DateError(f"announced_at must be a list of dates, not {announced_at!r}")
    times = _of_one_kind(announced_at)
    if times is not None and times.year.isin(range(_YEARS[0], _YEARS[1] + 1)).all():
        bare = np.full(len(times), times.tz is None) & np.asarray(times == times.normalize())
        with contextlib.suppress(ValueError):  # the slow way names a time that the clocks skip
            new_york = times.tz_convert(NEW_YORK) if times.tz else times.tz_localize(NEW_YORK)
            return new_york.as_unit("us"), bare
    read = [parse_announced_at(value) for value in announced_at]
    instants = [
        moment if moment.tz is not None else moment.tz_localize(NEW_YORK) for moment, _ in read
    ]
    bare = np.array([date_only for _, date_only in read], dtype=bool)
    return pd.DatetimeIndex(instants, dtype=f"M8[us, {NEW_YORK}]"), bare


def _of_one_kind(values: Any) -> pd.DatetimeIndex | None:
    """The values as one index where they are stamps, ISO dates or date objects, else None."""
    if pd.api.types.is_datetime64_any_dtype(getattr(values, "dtype", None)):
        stamps = pd.DatetimeIndex(values)
        if stamps.hasnans:
            raise DateError(f"row {int(stamps.isna().argmax()) + 1} has no date: give one")
        return stamps
    values = list(values)
    kinds = set(map(type, values))
    with contextlib.suppress(ValueError, TypeError):  # the slow way names the value
        if kinds == {str} and all(map(_ISO_DATE.fullmatch, values)):
            return pd.to_datetime(pd.Index(values), format="%Y-%m-%d")
        if kinds and kinds <= {pd.Timestamp, date}:
            return pd.DatetimeIndex(values)
    return None
