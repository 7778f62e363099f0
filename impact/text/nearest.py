"""Did you mean: the known names that are spelt most like one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from impact.text.formats import list_of


def nearest(name: object, known: Iterable[object], n: int = 3, *, cutoff: float = 0.0) -> list[str]:
    """Return at most `n` known names that are spelt most like `name`, nearest first.

    `cutoff` is the least likeness, from 0 to 1, of a name that is returned.

    Examples
    --------
    >>> nearest("Liberation", ["geneva-truce", "liberation-day"], 1)
    ['liberation-day']
    """
    by_fold = {str(one).casefold(): str(one) for one in known}
    close = difflib.get_close_matches(str(name).casefold(), by_fold, n, cutoff)
    return [by_fold[fold] for fold in close]


def suggested(name: object, known: Iterable[object]) -> str:
    """Return the nearest known names with their verb.

    Examples
    --------
    >>> suggested("alhpa", ["alpha"]), suggested("alhpa", ["alpha", "beta"])
    ("the nearest is 'alpha'", "the nearest are 'alpha' or 'beta'")
    """
    found = nearest(name, known)
    verb = "is" if len(found) == 1 else "are"
    return f"the nearest {verb} {list_of(map(repr, found), 'or')}"


def suggestion(name: object, known: Iterable[object], n: int = 3) -> str:
    """Return the nearest known names as a sentence holds them; "" when none is known.

    Examples
    --------
    >>> suggestion("liberation", ["geneva-truce", "liberation-day"])
    "'liberation-day' or 'geneva-truce'"
    """
    return list_of(map(repr, nearest(name, known, n)), "or")
