"""Did you mean: the known names that are spelt most like an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, known: Iterable[object], n: int = 3) -> list[str]:
    """Return the known names that are spelt most like an unknown one, nearest first.

    Examples
    --------
    >>> nearest("Liberation", ["geneva-truce", "liberation-day"], 1)
    ['liberation-day']
    """
    by_fold = {str(other).casefold(): str(other) for other in known}
    close = difflib.get_close_matches(str(name).casefold(), by_fold, n, cutoff=0)
    return [by_fold[fold] for fold in close]
