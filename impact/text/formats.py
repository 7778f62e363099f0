"""How a number, a p-value, a date and a list of words look in text.

Every text that people read (tables, titles, captions, cards, README) formats its numbers here,
so the same number looks the same wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

MINUS = "\N{MINUS SIGN}"
NOT_AVAILABLE = "not available"

_BREAK = re.compile(r"\s*[\t-\r\x1c-\x1e\x85\u2028\u2029]\s*")
#: Controls, marks that turn the direction of writing, and what is no letter.
_NO_LETTER = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)


def in_line(text: str) -> str:
    """Return a text as one line of letters that every kind of file can hold.

    Examples
    --------
    >>> in_line("two\\nlines"), in_line("\\x00=1+1")
    ('two lines', '�=1+1')
    """
    return _NO_LETTER.sub("\N{REPLACEMENT CHARACTER}", _BREAK.sub(" ", text))


def written_number(text: str) -> float:
    """Return the number that a text holds, as people write one; ValueError for any other.

    Python reads more as a number: underscores, digits of other scripts.

    Examples
    --------
    >>> written_number(" 5604.14 "), written_number("-1e-3")
    (5604.14, -0.001)
    """
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    return float(text)


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """Return `value` with `digits` decimals and a true minus sign.

    Examples
    --------
    >>> number(-1.236)
    '−1.24'
    >>> number(2.0, 1, signed=True)
    '+2.0'
    """
    if value is None or not np.isfinite(value):
        return NOT_AVAILABLE
    text = f"{abs(value):,.{digits}f}"
    if not float(text.replace(",", "")):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(fraction: float, digits: int = 2, *, signed: bool = True) -> str:
    """Return a decimal fraction as a percentage.

    Examples
    --------
    >>> percent(0.01473)
    '+1.47%'
    >>> percent(-0.0597, 1)
    '−6.0%'
    """
    text = number(100 * fraction if fraction is not None else np.nan, digits, signed=signed)
    return text if text == NOT_AVAILABLE else f"{text}%"


def amount(value: float, unit: str) -> str:
    """Return a return as a percentage, or a change in its own unit, with one digit more.

    Examples
    --------
    >>> amount(0.01473, ""), amount(0.0532, "percentage points")
    ('+1.47%', '+0.053 percentage points')
    """
    if not unit:
        return percent(value)
    text = number(value, 3, signed=True)
    return text if text == NOT_AVAILABLE else f"{text} {unit}"


def p_value(p: float) -> str:
    """Return a p-value: three decimals, two digits below .001, never zero.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00024), p_value(4e-21), p_value(0.9999)
    ('0.031', '0.00024', '4e-21', '> 0.999')
    """
    if p is None or not np.isfinite(p):
        return NOT_AVAILABLE
    if p > 0.999:
        return "> 0.999"
    if p >= 0.001:
        return f"{p:.3f}"
    if p >= 0.0001:
        return f"{p:.5f}"
    return f"{p:.0e}".replace("e-0", "e-")


def p_in_print(p: float) -> str:
    """Return a p-value as journals print it: three decimals, nothing finer.

    Examples
    --------
    >>> p_in_print(0.0312), p_in_print(4e-21)
    ('0.031', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else p_value(p)


def p_phrase(p: float) -> str:
    """Return a p-value with its letter, for running text: ``p = 0.031``.

    Examples
    --------
    >>> p_phrase(0.0312), p_phrase(0.9999), p_phrase(np.nan)
    ('p = 0.031', 'p > 0.999', 'p not available')
    """
    text = p_value(p)
    return f"p {text}" if text.startswith((">", NOT_AVAILABLE)) else f"p = {text}"


def date(day: pd.Timestamp) -> str:
    """Return a date as ``2 May 2025``.

    Examples
    --------
    >>> date(pd.Timestamp("2025-05-02"))
    '2 May 2025'
    """
    day = pd.Timestamp(day)
    return f"{day.day} {day:%B %Y}"


def iso(day: pd.Timestamp) -> str:
    """Return a date as ``2025-05-02``."""
    return f"{pd.Timestamp(day):%Y-%m-%d}"


def interval(low: float, high: float, unit: str = "") -> str:
    """Return an interval of decimal fractions in percent: ``−0.91% to +3.80%``."""
    return f"{amount(low, unit)} to {amount(high, unit)}"


def list_of(words: Iterable[str], conjunction: str = "and") -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> list_of(["CPI"]), list_of(["CPI", "payrolls"]), list_of(["a", "b", "c"])
    ('CPI', 'CPI and payrolls', 'a, b and c')
    """
    words = [str(word) for word in words]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def some_of(words: Sequence[str], total: int) -> str:
    """Join words that are the first of so many, and say how many more there are.

    Examples
    --------
    >>> some_of(["a", "b"], 4), some_of(["a", "b"], 2)
    ('a, b and 2 more', 'a and b')
    """
    rest = total - len(words)
    return list_of([*words, f"{rest:,} more"] if rest else words)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 session``, ``3 sessions``, ``4,797 sessions``."""
    word = noun if count == 1 else plural or f"{noun}s"
    return f"{count:,} {word}"


def spelt(count: int) -> str:
    """Return a number as a word up to ten, in figures beyond.

    Examples
    --------
    >>> spelt(5), spelt(1_296)
    ('five', '1,296')
    """
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count] if count < len(words) else f"{count:,}"


def out_of(count: int, total: int) -> str:
    """Return how many of how many, as running text has it.

    Examples
    --------
    >>> out_of(6, 59), out_of(0, 9), out_of(1, 10)
    ('six of 59', 'none of nine', 'one of ten')
    """
    return f"{spelt(count) if count else 'none'} of {spelt(total)}"


def ordinal(count: int) -> str:
    """Return ``1st``, ``2nd``, ``13th``.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    suffix = (
        "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    )
    return f"{count}{suffix}"
