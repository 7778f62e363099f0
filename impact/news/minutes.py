"""When within the day something was announced or released, as far as that is known.

All times are New York wall-clock times, tz-naive.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd

from impact.errors import DateError, EventError
from impact.market.files import data_hash, data_path
from impact.market.instants import parse_announced_at
from impact.news.catalogue import TIME_BASES, load_events
from impact.news.surroundings import macro_releases
from impact.text.formats import list_of, number

EXACT, BOUNDED, APPROXIMATE = "exact", "bounded", "approximate"

#: An approximate minute is taken to be right within this.
ABOUT = pd.Timedelta(minutes=30)

_SURPRISES, _CATALOGUE = "macro_surprises.csv", "events.csv"

#: What is said of each release: the item of the file, and how its number is shown.
_HEADLINES = {
    "payrolls": ("payrolls", "payrolls", " thousand"),
    "CPI": ("cpi_yoy", "consumer prices", "% on the year"),
    "FOMC": ("fed_rate", "Fed rate", "%"),
}


def announcement_minutes(events: pd.DataFrame) -> pd.DataFrame:
    """Say when each announcement came out: at a minute, between two, about then, or unknown.

    Of the events `announced_at` is read and, where there are, `time_basis`, `not_before` and
    `not_after`; DateError or EventError if a bound cannot be read, is a date alone, the two are
    reversed, or the time given lies outside them.

    Returns
    -------
    DataFrame, shape (events, 4)
        `minute`: "exact"; "bounded", where both bounds are given and the time is not called exact;
        "approximate"; "" where not even the hour is known. `at`: the time (NaT for a date alone);
        `earliest`, `latest`: between which it came out, an approximate time taken to be right
        within 30 minutes (NaT where nothing is known).

    Examples
    --------
    >>> from impact.news.events import as_events
    >>> frame = as_events({"the pause": "2025-04-09T13:18:40", "a date": "2025-05-02"})
    >>> announcement_minutes(frame)["minute"].to_list()
    ['exact', '']
    """
    given = events.reindex(columns=["announced_at", "time_basis", "not_before", "not_after"])
    rows = [_minute(str(event), *row) for event, *row in given.itertuples(name=None)]
    frame = pd.DataFrame(rows, events.index, ["minute", "at", "earliest", "latest"])
    return frame.astype(dict.fromkeys(["at", "earliest", "latest"], "datetime64[us]"))


def _minute(event: str, announced_at: str, basis: Any, *bounds: Any) -> tuple[str, Any, Any, Any]:
    moment, date_only = parse_announced_at(announced_at)
    at = pd.NaT if date_only else moment.tz_localize(None)
    earliest, latest = (_bound(event, bound) for bound in bounds)
    basis = "" if pd.isna(basis) else basis
    if basis and basis not in TIME_BASES:
        raise EventError(
            f"event {event!r}: time_basis is {basis!r}: use {list_of(TIME_BASES, 'or')}"
        )
    if earliest > latest:
        raise EventError(f"event {event!r}: not_before lies after not_after: exchange them")
    if basis != "date-only" and (at < earliest or at > latest):
        raise EventError(
            f"event {event!r}: {announced_at} lies outside not_before and not_after: correct one"
        )
    both = earliest is not pd.NaT and latest is not pd.NaT
    if not date_only and (basis == "exact" or (not basis and not both)):
        return EXACT, at, at, at
    if both:
        return BOUNDED, at, earliest, latest
    if date_only:
        return "", at, pd.NaT, pd.NaT
    # No time is later or earlier than NaT: where a bound is not known the first of two is taken.
    return APPROXIMATE, at, max(at - ABOUT, earliest), min(at + ABOUT, latest)


def _bound(event: str, value: Any) -> Any:
    if pd.isna(value) or value == "":
        return pd.NaT
    try:
        moment, date_only = parse_announced_at(value)
    except DateError as error:
        raise DateError(f"event {event!r}: {error}") from None
    if date_only:
        raise DateError(f"event {event!r}: the bound {value} has no time of day: add one")
    return moment.tz_localize(None)


@lru_cache(maxsize=2)
def _known(digest: str) -> pd.DataFrame:
    """Minutes of the included announcements of news of the catalogue; the key is its hash."""
    catalogue = load_events()
    return announcement_minutes(catalogue[catalogue["news"]])


def known_minutes() -> pd.DataFrame:
    """Return `announcement_minutes` of the committed catalogue's included announcements of news."""
    return _known(data_hash(_CATALOGUE))


def release_minutes() -> pd.DataFrame:
    """Return when (`at`) each macro `release` of the committed file came out, in order.

    Examples
    --------
    >>> table = release_minutes().set_index("at")
    >>> table["release"]["2025-05-02 08:30"]
    'payrolls'
    """
    releases = macro_releases()
    return pd.DataFrame({"at": releases.index.tz_localize(None), "release": releases.array})


@lru_cache(maxsize=2)
def _surprises(digest: str) -> pd.DataFrame:
    table = pd.read_csv(data_path(_SURPRISES), dtype={"date": "str"})
    return table.set_index(["date", "release", "item"]).sort_index(kind="stable")


def release_words(release: str, day: pd.Timestamp) -> str:
    """Say what a release (payrolls, CPI or FOMC) brought and what had been expected.

    It is the bare name where the figures are not in the committed file.

    Examples
    --------
    >>> release_words("payrolls", pd.Timestamp("2025-05-02"))
    'payrolls (177 thousand; 138 expected)'
    >>> release_words("CPI", pd.Timestamp("2025-12-18"))
    'consumer prices (2.7% on the year; 3.1 expected)'
    >>> release_words("FOMC", pd.Timestamp("2025-09-17"))
    'Fed rate (4.25%; 4.25 expected)'
    """
    if release not in _HEADLINES:
        return release
    item, name, unit = _HEADLINES[release]
    table = _surprises(data_hash(_SURPRISES))
    key = (f"{day:%Y-%m-%d}", release, item)
    if key not in table.index:
        return name
    rows = table.loc[[key]].sort_values("consensus", kind="stable")
    return "; ".join([_figures(row, name, unit) for row in rows.itertuples()])


def _figures(row: Any, name: str, unit: str) -> str:
    if pd.isna(row.actual):
        return name
    said = f"{_short(row.actual)}{unit}"
    if pd.notna(row.consensus):
        known = "" if row.consensus_known_before == "yes" else ", as printed afterwards"
        said = f"{said}; {_short(row.consensus)} expected{known}"
    return f"{name} ({said})"


def _short(value: float) -> str:
    """A figure without trailing zeros."""
    return number(value, 2).rstrip("0").rstrip(".")
