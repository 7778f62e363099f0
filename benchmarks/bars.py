"""The bars of the design, and the page that says which are met: ``benchmarks/RESULTS.md``."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "arch")


@dataclass(frozen=True)
class Bar:
    """One bar: what is measured, what the design asks and what was found, in words and as a ratio.

    Attributes
    ----------
    short : float
        How many times too slow or too large it is; 1 or less is met, NaN is not measured.
    where : sequence of str
        Functions of ours that are at work in that time.
    """

    what: str
    asked: str
    found: str
    short: float
    where: Sequence[str] = ()

    @property
    def verdict(self) -> str:
        """Whether the bar is met, or by how much it is missed."""
        if self.short != self.short:
            return "not measured"
        return "met" if self.short <= 1 else f"missed by a factor of {self.short:.1f}"

    def row(self) -> tuple[str, ...]:
        """Its row in the table; where the time goes matters where the bar is missed."""
        return self.what, self.asked, self.found, self.verdict, self._places()

    def _places(self) -> str:
        return "" if self.short <= 1 else ", ".join(self.where)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table in Markdown; after the first, so many columns hold numbers."""
    rule = ["---:" if 0 < place <= numbers else "---" for place in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    Examples
    --------
    >>> duration(0.0123), duration(3.21), duration(45.6)
    ('12 ms', '3.2 s', '46 s')
    """
    if seconds < 1:
        return f"{1e3 * seconds:.{0 if seconds >= 0.01 else 1}f} ms"
    return f"{seconds:.{1 if seconds < 10 else 0}f} s"


def times(ratio: float) -> str:
    """Return how many times faster (over 1) or slower something is.

    Examples
    --------
    >>> times(21.0), times(0.5)
    ('21x faster', '2.0x slower')
    """
    word, size = ("faster", ratio) if ratio >= 1 else ("slower", 1 / ratio)
    return f"{size:.{0 if size >= 10 else 1}f}x {word}"


def machine() -> str:
    """Say what this ran on, and how busy that was."""
    cpu = platform.processor() or platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        named = [line for line in about.read_text().splitlines() if line.startswith("model name")]
        cpu = named[0].partition(":")[2].strip() if named else cpu
    busy = f"; load before it began: {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores{busy}. {platform.system()}, "
        f"Python {platform.python_version()}, impact {version('tariff-impact')}, {versions}."
    )
