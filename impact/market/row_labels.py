"""Labels of rows that are midnights of another time zone, and how to make them sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import ReturnsError
from impact.market.instants import NEW_YORK
from impact.text.formats import iso

_DAY = pd.Timedelta(days=1)
_FRIDAY, _SUNDAY = 4, 6
#: Day of the week of 1970-01-01.
_FIRST_DAY = 3

#: Zones whose midnights a label may be, one for each offset with a large exchange.
_ZONES = (
    *(NEW_YORK, "Europe/London", "Europe/Berlin", "Asia/Tokyo", "Asia/Hong_Kong"),
    *("Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo", "Pacific/Auckland"),
)


def without_zone(index: pd.DatetimeIndex) -> str:
    """How to turn labels with a zone into sessions, by the zone whose midnights they are."""
    zone = _midnights_of(index)
    if zone == str(index.tz):
        return ".tz_localize(None)"
    if zone is None:
        return ".tz_convert(<zone of the exchange>).tz_localize(None).normalize()"
    return f".tz_convert({zone!r}).tz_localize(None), they are midnights there"


def without_time(index: pd.DatetimeIndex) -> str:
    """How to turn labels with a time of day into sessions: a midnight elsewhere is no close."""
    zone = _midnights_of(index.tz_localize("UTC"))
    if zone is not None:
        there = index.tz_localize("UTC").tz_convert(zone).tz_localize(None)
        if _has_weekends(index) or (there == index.normalize()).all():
            return (
                f".tz_localize('UTC').tz_convert({zone!r}).tz_localize(None), "
                "they are midnights there"
            )
    return ".normalize()"


def _midnights_of(index: pd.DatetimeIndex) -> str | None:
    """The zone in which every label is a midnight, its own first."""
    for zone in (str(index.tz), *_ZONES):
        local = index.tz_convert(zone).tz_localize(None)
        moved_to_weekends = _has_weekends(local) and not _has_weekends(index)
        if (local == local.normalize()).all() and not moved_to_weekends:
            return zone
    return None


def _has_weekends(index: pd.DatetimeIndex) -> bool:
    return bool((index.day_of_week > _FRIDAY).any())


def has_shifted_labels(index: pd.DatetimeIndex) -> bool:
    """Whether weekend rows show that the labels are a day off, as another zone's midnights are.

    A market that trades on Sundays all week long has Fridays too, a Saturday session has its
    Monday; a week that begins on Sunday and ends on Thursday is a week moved by a day.

    Examples
    --------
    >>> week = pd.bdate_range("2025-04-28", "2025-05-16")
    >>> has_shifted_labels(week), has_shifted_labels(week - pd.Timedelta(days=1))
    (False, True)
    """
    days = index.asi8 // (_DAY // pd.Timedelta(1, index.unit))
    day_of_week = (days + _FIRST_DAY) % 7
    for weekend, other_end in ((_SUNDAY, 5), (_SUNDAY - 1, -5)):
        ends = days[day_of_week == weekend] + other_end
        if len(ends) > 1:
            at = np.minimum(days.searchsorted(ends), len(days) - 1)
            if not (days[at] == ends).any():
                return True
    return False


def check_labels(index: pd.DatetimeIndex, name: str) -> None:
    """Raise where weekend rows show that the labels are midnights of another time zone."""
    if has_shifted_labels(index):
        weekend = index[index.day_of_week > _FRIDAY][0]
        raise ReturnsError(
            f"{name}: {iso(weekend)} is a {weekend:%A}, and the week of such a row is a day short "
            "at its other end, so the labels look like midnights of another time zone: before "
            "the zone is dropped use .tz_convert(<zone of the exchange>).tz_localize(None); an "
            "exchange that trades on Sundays is named with market="
        )
