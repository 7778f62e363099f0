"""What kind of news a session holds, and how each kind looks in every picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from impact.charts.page import COOL, MUTED, WARM, Mark
from impact.charts.paths import PLAIN
from impact.news.catalogue import DIRECTIONS, EASING, ESCALATION

#: How each kind of session looks, in the order of every key.
MARKS = {
    "escalation": Mark("escalation", WARM, "v"),
    "easing": Mark("easing or talks", COOL, "^"),
    "both": Mark("both in one session", MUTED, "D"),
    "neither": Mark("court or law", MUTED, "s"),
    "plain": PLAIN,
}


def kind_of(direction: str, mixed: bool = False) -> str:
    """Return the key of `MARKS` for the directions of a session's announcements, joined by ``;``.

    `mixed` says that the session is known to hold both directions.

    Examples
    --------
    >>> kind_of("retaliation"), kind_of("talks"), kind_of("escalation;talks"), kind_of("legal")
    ('escalation', 'easing', 'both', 'neither')
    >>> kind_of("")
    'plain'
    """
    words = {word.strip() for word in direction.split(";")}
    up, down = words & set(ESCALATION), words & set(EASING)
    if mixed or "mixed" in words or (up and down):
        return "both"
    if up or down:
        return "escalation" if up else "easing"
    return "neither" if words & set(DIRECTIONS) else "plain"


def look_of(unit: Any) -> Mark:
    """Return the look of a session; `unit` is its row of `EventStudy.alignment`.

    Examples
    --------
    >>> import pandas as pd
    >>> look_of(pd.Series({"direction": "talks", "mixed": False})).word
    'easing or talks'
    """
    told = getattr(unit, "direction", "")
    return MARKS[kind_of(told, bool(unit.mixed))] if told and isinstance(told, str) else PLAIN


def marks_of(kinds: Iterable[str]) -> list[Mark]:
    """Return the looks of some kinds in the order of every key, each once."""
    return in_order(MARKS[kind] for kind in kinds)


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    """Return some looks in the order of every key, each once."""
    shown = set(marks)
    return [mark for mark in MARKS.values() if mark in shown]
