"""The columns of a session: 192 bars of five minutes, which end from 04:05 to 20:00."""

from __future__ import annotations

#: Minutes of a bar, bars of a whole session, and the end of the first in minutes from midnight.
MINUTES, COLUMNS, FIRST_MINUTE = 5, 192, 245


def column_at(minute: int) -> int:
    """Return the column of the bar that ends at a minute of the day.

    Examples
    --------
    >>> column_at(9 * 60 + 35)
    66
    """
    return (minute - FIRST_MINUTE) // MINUTES


def clock(column: int) -> str:
    """Return when the bar of a column ends, as ``09:35``.

    Examples
    --------
    >>> clock(66), clock(OPEN), clock(CLOSE)
    ('09:35', '09:30', '16:00')
    """
    hour, minute = divmod(FIRST_MINUTE + MINUTES * column, 60)
    return f"{hour:02d}:{minute:02d}"


#: Columns whose bars end when regular trading begins, and when it usually ends.
OPEN, CLOSE = column_at(9 * 60 + 30), column_at(16 * 60)
