"""How every picture looks: colours, type, the page with its title and footer, labels.

Pixels are those of the finished picture, 1600 wide; at half size the smallest letters still
have ten. The fonts are those that matplotlib ships, so that every machine draws the same.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from impact.news.catalogue import EASING, ESCALATION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH, DPI = 1600, 200
MARGIN = 40

#: Height of letters in pixels.
TITLE, SUBTITLE, LABEL, SMALL = 36, 24, 22, 20

#: Greys from letters to ground.
INK, MUTED, STONE, RULE = "#22262B", "#5A626C", "#B9C0C8", "#D3D8DE"
BAND, PAPER, GROUND = "#E1E6EB", "#F3F5F7", "#FFFFFF"


@dataclass(frozen=True)
class Mark:
    """How one kind of session looks: never colour alone."""

    word: str
    colour: str
    marker: str


#: Vermilion and blue keep apart for every common kind of colour blindness, and in grey.
MARKS = {
    "escalation": Mark("escalation", "#C8501B", "v"),
    "easing": Mark("easing or talks", "#14709E", "^"),
    "both": Mark("both in one session", "#5A626C", "D"),
    "neither": Mark("court or law", "#5A626C", "s"),
    "plain": Mark("session 0", "#22262B", "o"),
}


def kind_of(direction: str, mixed: bool = False) -> str:
    """Return the key of `MARKS` for the direction of an announcement or a session.

    Parameters
    ----------
    direction : str
        Directions of the session's announcements, joined by ``;``.
    mixed : bool
        Whether the session is known to hold both directions.

    Examples
    --------
    >>> kind_of("retaliation"), kind_of("talks"), kind_of("escalation;talks"), kind_of("legal")
    ('escalation', 'easing', 'both', 'neither')
    """
    words = {word.strip() for word in direction.split(";")}
    up, down = words & set(ESCALATION), words & set(EASING)
    if mixed or "mixed" in words or (up and down):
        return "both"
    return "escalation" if up else "easing" if down else "neither"


@dataclass(frozen=True)
class Words:
    """What is written around a picture: the finding, what is drawn, where it comes from."""

    title: str
    subtitle: str
    source: str


def points(pixels: float) -> float:
    """Return a size in pixels as typographic points."""
    return pixels * 72 / DPI


def drawing() -> AbstractContextManager:
    """Return the context in which pictures are drawn and written: our type, nobody's settings."""
    import matplotlib

    own = {
        "font.family": "DejaVu Sans",
        "font.size": points(SMALL),
        "text.color": INK,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": MUTED,
        "axes.linewidth": points(2),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.major.width": points(2),
        "xtick.major.size": points(8),
        "ytick.major.size": 0,
        "lines.solid_capstyle": "butt",
        "svg.hashsalt": "impact",
    }
    defaults = {
        key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key
    }
    return matplotlib.rc_context({**defaults, **own})


# -- the page ------------------------------------------------------------------------------------


@cache
def _picture_class() -> type[Figure]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook shows without pyplot."""

        def __init__(self, **kw) -> None:
            super().__init__(**kw)
            # This canvas keeps its renderer: measuring a text takes no new one.
            FigureCanvasAgg(self)

        def _repr_png_(self) -> bytes:
            return png(self)

    return Picture


def png(figure: Figure, **metadata: str) -> bytes:
    """Return the figure as a PNG without clock time or program name: same figure, same bytes."""
    held = io.BytesIO()
    with drawing():
        figure.savefig(held, format="png", metadata={"Software": None, **metadata})
    return held.getvalue()


@dataclass(frozen=True)
class Page:
    """A figure with its words, and the box that is left for the data, in pixels from the top."""

    figure: Figure
    height: int
    top: int
    bottom: int

    def axes(self, left: float, top: float, width: float, height: float, **kw) -> Axes:
        """Add axes at a box given in pixels from the top left corner of the page."""
        box = (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(box, **kw)

    def text(self, left: float, top: float, words: str, size: float = SMALL, **kw) -> Text:
        """Write text whose top left corner is given in pixels."""
        kw = {"va": "top", "ha": "left", "color": INK, "linespacing": 1.25, **kw}
        return self.figure.text(
            left / WIDTH, 1 - top / self.height, words, fontsize=points(size), **kw
        )


def page(words: Words, body: int) -> Page:
    """Start a picture: title, subtitle and source around `body` pixels of height for the data."""
    probe = Page(_picture_class()(figsize=(WIDTH / DPI, 10), dpi=DPI), 10 * DPI, 0, 0)
    width = WIDTH - 2 * MARGIN
    title = wrapped(probe, words.title, TITLE, width, weight="bold")
    subtitle = wrapped(probe, words.subtitle, SUBTITLE, width)
    source = wrapped(probe, words.source, SMALL, width)
    below_title = 34 + _height(title, TITLE)
    top = below_title + 16 + _height(subtitle, SUBTITLE) + 26
    bottom = top + body
    height = bottom + 30 + _height(source, SMALL) + 26
    figure = _picture_class()(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=GROUND)
    done = Page(figure, height, top, bottom)
    done.text(MARGIN, 34, title, TITLE, weight="bold")
    done.text(MARGIN, below_title + 16, subtitle, SUBTITLE, color=MUTED)
    done.text(MARGIN, bottom + 30, source, SMALL, color=MUTED)
    return done


def _height(text: str, size: float) -> int:
    return round(1.42 * size * (text.count("\n") + 1))


def wrapped(page: Page, text: str, size: float, width: float, **kw) -> str:
    """Break lines so that the text fits `width` pixels; existing line breaks stay."""
    probe = page.text(0, 0, text, size, **kw)
    lines = []
    for line in text.split("\n"):
        characters = len(line)
        while True:
            pieces = textwrap.wrap(line, max(characters, 8), break_long_words=False) or [""]
            probe.set_text("\n".join(pieces))
            if extent(probe)[2] <= width or characters <= 8:
                break
            characters -= 1
        lines += pieces
    probe.remove()
    return "\n".join(lines)


def extent(text: Text) -> tuple[float, float, float, float]:
    """Return left, bottom, width, height of a text in pixels, from the bottom left corner."""
    with drawing():
        return text.get_window_extent().bounds


# -- axes and labels -----------------------------------------------------------------------------


def percent_axis(axis, ticks: Sequence[float], digits: int = 0, *, signed: bool = True) -> None:
    """Put percentages at the given decimal fractions, with light rules through the picture."""
    from impact.text.formats import percent

    axis.set_ticks(ticks, [percent(tick, digits, signed=signed) for tick in ticks])
    axis.grid(True, color=RULE, linewidth=points(1.5))
    axis.axes.set_axisbelow(True)


def round_ticks(low: float, high: float, count: int = 6) -> np.ndarray:
    """Return round tick positions inside (low, high).

    Examples
    --------
    >>> [round(float(tick), 2) for tick in round_ticks(-0.053, 0.1)]
    [-0.04, 0.0, 0.04, 0.08]
    """
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(count, steps=[1, 2, 4, 5, 10]).tick_values(low, high)
    reach = 1e-9 * (high - low)
    return ticks[(ticks >= low - reach) & (ticks <= high + reach)]


def key(page: Page, top: float, entries: Sequence[tuple[dict, str]], left: float = MARGIN) -> None:
    """Explain symbols in one line: each entry has the look of a line or marker, and words."""
    from matplotlib.lines import Line2D

    for look, word in entries:
        if not look:
            left += 56 + extent(page.text(left, top + 12, word, SMALL, va="center_baseline"))[2]
            continue
        style = {"markersize": points(17), "linewidth": points(5), **look}
        middle = 1 - (top + 12) / page.height
        page.figure.add_artist(
            Line2D([left / WIDTH, (left + 44) / WIDTH], [middle, middle], markevery=[0], **style)
            if not style.get("marker")
            else Line2D([(left + 30) / WIDTH], [middle], **style)
        )
        text = page.text(left + 56, top + 12, word, SMALL, va="center_baseline")
        left += 56 + extent(text)[2] + 36


def mark_entry(kind: str) -> tuple[dict, str]:
    """Return the entry of `key` that explains a kind of session."""
    mark = MARKS[kind]
    return {"marker": mark.marker, "color": mark.colour, "linestyle": ""}, mark.word
