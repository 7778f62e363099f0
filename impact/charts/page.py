"""How every picture looks: colours, type, the page with its title and footer, axes and keys.

Pixels are those of the finished picture, 1600 wide; at half size the smallest letters still
have ten. The fonts are those that matplotlib ships, so that every machine draws the same; what
they lack, such as Chinese, is drawn with a font of the machine.
"""

from __future__ import annotations

import io
import re
import textwrap
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from impact.errors import FigureError
from impact.text.formats import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH, DPI = 1600, 200
MARGIN = 40

#: Height of letters in pixels.
TITLE, SUBTITLE, LABEL, SMALL = 36, 25, 23, 22

#: Greys from letters to ground.
INK, MUTED, STONE, RULE = "#22262B", "#5A626C", "#B9C0C8", "#D3D8DE"
BAND, PAPER, GROUND = "#E1E6EB", "#F3F5F7", "#FFFFFF"

#: Vermilion and blue keep apart for every common kind of colour blindness, and in grey.
WARM, COOL = "#C8501B", "#14709E"

#: The look of a line or symbol, and the words that explain it.
Entry = tuple[Mapping[str, Any], str]

Numbers = Sequence[float] | np.ndarray

#: Spaces at which no line ends: in ``p = 0.05``, ``n = 10`` and ``(-260, -11)``.
_BOUND = re.compile(r"(?<=\b[pn]) (?==)|(?<=\b[pn] =) (?=\d)|(?<=\d,) (?=-?\d+\))")


@dataclass(frozen=True)
class Mark:
    """How one kind of thing looks: never colour alone."""

    word: str
    colour: str
    marker: str

    @property
    def entry(self) -> Entry:
        """The entry of `Page.key` that explains it."""
        return self.sized(17), self.word

    def sized(self, pixels: float) -> dict[str, Any]:
        """Return the look of its symbol at a size in pixels."""
        look = {"marker": self.marker, "color": self.colour, "linestyle": ""}
        return {**look, "markersize": points(pixels)}


@dataclass(frozen=True)
class Words:
    """What is written around a picture: the finding, what is drawn, where it comes from."""

    title: str
    subtitle: str
    source: str
    unit: str = ""  # of what is drawn, where it is no return


def points(pixels: float) -> float:
    """Return a size in pixels as typographic points."""
    return pixels * 72 / DPI


def stroke(colour: str, width: float, zorder: float | None = None) -> dict[str, Any]:
    """Return the look of a line: its colour, its width in pixels, what it lies over."""
    over = {} if zorder is None else {"zorder": zorder}
    return {"color": colour, "linewidth": points(width), **over}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw and write with our type and nobody's settings; also a decorator."""
    import matplotlib

    with matplotlib.rc_context(_settings()):
        yield


@cache
def _settings() -> dict[str, Any]:
    import matplotlib

    defaults = matplotlib.rcParamsDefault.items()
    return {name: value for name, value in defaults if "backend" not in name} | {
        "font.family": [_type(), *_fallbacks()],
        "font.size": points(SMALL),
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": MUTED,
        "axes.linewidth": points(2),
        "axes.spines.left": False,
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
        # Whole letters, not drawings of them: printers and journals ask for it.
        "pdf.fonttype": 42,
    }


@cache
def _type() -> str:
    """Name the letters that matplotlib ships: an installed font of their name may be another."""
    from matplotlib import font_manager, get_data_path

    name = "impact DejaVu Sans"
    for path in sorted(Path(get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf")):
        entry = font_manager.ttfFontProperty(font_manager.get_font(path))
        if entry.name == "DejaVu Sans":
            font_manager.fontManager.ttflist.append(replace(entry, name=name))
    return name


#: Fonts of the common systems that have Chinese, Japanese and Korean letters.
_EAST_ASIAN = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei"),
    *("PingFang SC", "Hiragino Sans GB", "Arial Unicode MS", "Microsoft YaHei", "SimHei"),
)


@cache
def _fallbacks() -> list[str]:
    """Name a font of the machine for the letters that matplotlib's own lack, if it has one."""
    from matplotlib import font_manager

    name = "impact East Asian"
    known = font_manager.fontManager.ttflist
    for font in _EAST_ASIAN:
        if found := next((entry for entry in known if entry.name == font), None):
            # One entry for each weight we use, or matplotlib says that it took another.
            known += [replace(found, name=name, weight=weight) for weight in (400, 700)]
            return [name]
    return []


# -- the page ------------------------------------------------------------------------------------


@cache
def _picture_class() -> type[Figure]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook shows without pyplot."""

        def __init__(self, **kw: Any) -> None:
            super().__init__(**kw)
            # This canvas keeps its renderer: measuring a text takes no new one.
            FigureCanvasAgg(self)

        @drawing()
        def savefig(self, *args: Any, **kw: Any) -> None:
            """Write the picture with its own type, whatever the settings are."""
            super().savefig(*args, **kw)

        def _repr_png_(self) -> bytes:
            return png(self)

        def __repr__(self) -> str:
            """Say the finding: the title is the first text of the page."""
            told = " ".join(self.texts[0].get_text().split()) if self.texts else "nothing yet"
            return f"<Picture: {told}>"

    return Picture


def png(figure: Figure, **metadata: str) -> bytes:
    """Return the figure as a PNG without clock time or program name: same figure, same bytes."""
    return _written(figure, "png", {"Software": None, **metadata})


def svg(figure: Figure, **metadata: str) -> str:
    """Return the figure as an SVG without clock time, letters drawn as shapes: same bytes too."""
    from matplotlib import __version__, ft2font

    drawn_by = f"matplotlib {__version__}, FreeType {ft2font.__freetype_version__}"
    return _written(figure, "svg", {"Date": None, "Creator": drawn_by, **metadata}).decode()


def _written(figure: Figure, kind: str, metadata: Mapping[str, str | None]) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format=kind, metadata=metadata)
    return held.getvalue()


@dataclass(frozen=True)
class Page:
    """A figure with its words, and the box left for the data, in pixels from the top left."""

    figure: Figure
    height: int
    top: int
    bottom: int
    left: ClassVar[int] = MARGIN
    right: ClassVar[int] = WIDTH - MARGIN

    def across(self, indent: float, top: float, height: float) -> Axes:
        """Add axes over the width of the page, less the margins and room on the left."""
        return self.axes(self.left + indent, top, self.right - self.left - indent, height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes at a box given in pixels from the top left corner of the page."""
        box = (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(box)

    def text(self, left: float, top: float, words: str, size: float = SMALL, **kw: Any) -> Text:
        """Write text whose top left corner is given in pixels."""
        kw = {"va": "top", "ha": "left", "color": INK, "linespacing": 1.25, **kw}
        return self.figure.text(
            left / WIDTH, 1 - top / self.height, words, fontsize=points(size), **kw
        )

    def heading(self, left: float, top: float, words: str, **kw: Any) -> Text:
        """Write what a part of the picture shows."""
        return self.text(left, top, words, LABEL, **{"weight": "bold", **kw})

    def note(self, left: float, top: float, words: str, **kw: Any) -> Text:
        """Write small grey words, such as what an axis measures."""
        return self.text(left, top, words, **{"color": MUTED, **kw})

    def row(self, left: float, middle: float, words: str, **kw: Any) -> Text:
        """Write one small line of text around the height of its middle."""
        return self.text(left, middle, words, SMALL, va="center_baseline", **kw)

    def line(self, x: Numbers, middle: float, **look: Any) -> None:
        """Draw a level line, or a symbol, at places given in pixels from the top left corner."""
        from matplotlib.lines import Line2D

        level = np.full(len(x), 1 - middle / self.height)
        self.figure.add_artist(Line2D(np.divide(x, WIDTH), level, **look))

    def key(self, top: float, entries: Sequence[Entry], left: float = MARGIN) -> None:
        """Explain symbols: each entry has the look of a line or marker, and words.

        They stand in one line, and in another under it where the page ends.
        """
        begin = left
        for look, word in entries:
            text = self.row(left + 56, top + 12, word)
            wide = 56 + extent(text)[2] + 36
            if left > begin and left + wide - 36 > self.right:
                left, top = begin, top + 40
                text.set_position(((left + 56) / WIDTH, 1 - (top + 12) / self.height))
            across = [left + 30] if "marker" in look else [left, left + 44]
            style = {"markersize": points(17), "linewidth": points(5), **look}
            self.line(across, top + 12, **style)
            left += wide


@drawing()
def page(words: Words, body: int) -> Page:
    """Start a picture: title, subtitle and source around `body` pixels of height for the data."""
    probe = Page(_picture_class()(figsize=(WIDTH / DPI, 10), dpi=DPI), 10 * DPI, 0, 0)
    width = WIDTH - 2 * MARGIN
    title = wrapped(probe, words.title, TITLE, width, even=True, weight="bold")
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


def wrapped(
    page: Page, text: str, size: float, width: float, *, even: bool = False, **kw: Any
) -> str:
    """Break lines so that the text fits `width` pixels; existing line breaks stay.

    With `even`, or where a word or two would be left alone, the lines are as equal as can be;
    there are no more of them. A window or ``p = 0.05`` is not broken.
    """
    probe = page.text(0, 0, text, size, **kw)

    def broken(line: str, characters: int) -> list[str]:
        return textwrap.wrap(line, characters, break_long_words=False, break_on_hyphens=False)

    def fitted(line: str) -> list[str]:
        def too_wide(characters: int) -> bool:
            probe.set_text("\n".join(broken(line, characters)))
            return extent(probe)[2] > width

        most = 8 + bisect_left(range(9, len(line) + 1), True, key=too_wide)
        lines = broken(line, most)
        if len(lines) > 1 and (even or len(lines[-1].split()) < 3):
            tries = (broken(line, characters) for characters in range(1, most + 1))
            lines = next(tried for tried in tries if len(tried) == len(lines))
        return lines

    bound = _BOUND.sub("\N{NO-BREAK SPACE}", text)
    lines = [part for line in bound.split("\n") for part in fitted(line) or [""]]
    probe.remove()
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def extent(text: Text) -> tuple[float, float, float, float]:
    """Return left, bottom, width, height of a text in pixels, from the bottom left corner."""
    return text.get_window_extent().bounds


def check_axes(ax: Any, panels: int = 1) -> None:
    """Refuse to draw into what is no axes, or several panels into the one that somebody brings."""
    from matplotlib.axes import Axes

    if ax is None:
        return
    if not isinstance(ax, Axes):
        raise FigureError(
            f"ax={ax!r} is not a matplotlib Axes: give one that plt.subplots() returns, or leave "
            "ax out"
        )
    if panels != 1:
        raise FigureError(
            f"a picture of {panels} panels does not fit into ax: leave ax out, or take one event"
        )


# -- axes and symbols ----------------------------------------------------------------------------


def number_axis(axis: Axis, ticks: Numbers, digits: int = 0, *, signed: bool = True) -> None:
    """Put numbers at the given places."""
    axis.set_ticks(ticks, labels=[number(tick, digits, signed=signed) for tick in ticks])


def percent_axis(axis: Axis, ticks: Numbers, digits: int = 0, *, signed: bool = True) -> None:
    """Put percentages at the given decimal fractions, with light rules through the picture."""
    axis.set_ticks(ticks, labels=[percent(tick, digits, signed=signed) for tick in ticks])
    rules(axis)


def amount_axis(axis: Axis, ticks: Numbers, unit: str = "", digits: int = 0) -> None:
    """Put percentages at the given places, or plain numbers of changes that have a unit."""
    if not unit:
        percent_axis(axis, ticks, digits)
        return
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else 1.0
    number_axis(axis, ticks, max(0, -int(np.floor(np.log10(step) + 1e-9))))
    rules(axis)


def rules(axis: Axis) -> None:
    """Draw light rules through the picture, under the data."""
    axis.grid(True, **stroke(RULE, 1.5))
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


def symbol(ax: Axes, x: Any, y: Any, mark: Mark, size: float = 17, **kw: Any) -> None:
    """Draw symbols with a white rim, so that they part from lines and from each other."""
    rim = {"markeredgecolor": GROUND, "markeredgewidth": points(2)}
    ax.plot(x, y, **{**mark.sized(size), **rim, "zorder": 4, **kw})
