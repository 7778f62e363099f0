"""Words beside what they name: places for labels that cover neither data nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from impact.charts.style import GROUND, LABEL, SMALL, extent, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds_any(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Whether a point lies inside."""
        inside = (x > self.left) & (x < self.right) & (y > self.bottom) & (y < self.top)
        return bool(inside.any())


@dataclass(frozen=True)
class Label:
    """A text that belongs to a point, to be led there by a line; data coordinates."""

    x: float
    y: float
    text: str
    colour: str
    above: bool


def lead_labels(ax: Axes, labels: Sequence[Label], curve: tuple[np.ndarray, np.ndarray]) -> None:
    """Write labels above and below a curve, each led to its point, none over another.

    From right to left each label takes the place nearest to its point that is free of the curve,
    of other labels and of their leaders; so leaders never cross a text.
    """
    curve_x, curve_y = ax.transData.transform(np.column_stack(curve)).T
    back = ax.transData.inverted()
    right = ax.get_window_extent().x1
    texts, leaders = [], []
    for label in sorted(labels, key=lambda label: -label.x):
        x, y = ax.transData.transform((label.x, label.y))
        text = ax.text(
            label.x,
            label.y,
            label.text,
            fontsize=points(SMALL),
            color=label.colour,
            va="center",
            linespacing=1.2,
        )
        _, _, width, height = extent(text)
        flipped = x + width + 10 > right
        start = x - width - 8 if flipped else x + 8
        sign = 1 if label.above else -1
        for distance in range(34, 1200, 4):
            middle = y + sign * distance
            reach = height / 2 + 4
            box = Box(start - 6, middle - reach, start + width + 6, middle + reach)
            ends = sorted((y + sign * 14, middle))
            leader = Box(x - 3, ends[0], x + 3, ends[1])
            free = not box.holds_any(curve_x, curve_y)
            free &= not any(box.meets(other) for other in (*texts, *leaders))
            if free and not any(leader.meets(other) for other in texts):
                break
        texts.append(box)
        leaders.append(leader)
        _, data_y = back.transform((x, middle))
        data_x, _ = back.transform((start, middle))
        text.set_position((data_x, data_y))
        ax.plot(
            [label.x, label.x],
            [label.y, data_y],
            color=label.colour,
            linewidth=points(1.5),
            zorder=1.5,
        )


def label_steps(ax: Axes, x: np.ndarray, y: np.ndarray, texts: Sequence[str], end: float) -> None:
    """Write the value of each step beside it, where it is free.

    Places are tried in turn: above the middle of the step, left of its riser, below it, right.
    """
    edges = np.append(x, end)
    line = _dense(ax, np.repeat(edges, 2)[1:-1], np.repeat(y, 2))
    taken: list[Box] = []
    for i in sorted(range(len(x)), key=lambda i: edges[i] - edges[i + 1]):
        text = ax.text(
            x[i], y[i], texts[i], fontsize=points(LABEL), weight="bold", va="center", ha="center"
        )
        left, level = ax.transData.transform((x[i], y[i]))
        right = ax.transData.transform((edges[i + 1], y[i]))[0]
        _, _, width, height = extent(text)
        aside, up = width / 2 + 10, height / 2 + 6
        places = [
            ((left + right) / 2, level + up),
            (left - aside, level),
            ((left + right) / 2, level - up),
            (left - aside, level + up),
            (right + aside, level),
        ]
        taken.append(_put(text, places, line, taken))


def label_beside(ax: Axes, text: str, at: tuple[float, float], line: np.ndarray, **kw) -> None:
    """Write a text near a point: above, below or to a side, whichever is free of the line.

    Parameters
    ----------
    at : pair of float
        The point, in data coordinates.
    line : ndarray, shape (n, 2)
        Corners of the line to keep clear of, in data coordinates.
    """
    drawn = ax.text(*at, text, va="center", ha="center", path_effects=halo(), **kw)
    x, y = ax.transData.transform(at)
    _, _, width, height = extent(drawn)
    up, aside = height / 2 + 20, width / 2 + 20
    up = up if at[1] >= 0 else -up
    places = [
        (x, y + up),
        (x + aside, y + up),
        (x - aside, y + up),
        (x, y - up),
        (x - aside, y),
        (x + aside, y),
        (x + aside, y - up),
        (x, y + 2 * up),
    ]
    _put(drawn, places, _dense(ax, *line.T), [])


def halo() -> list:
    """Return the effect that keeps letters readable over rules and bands."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=points(7), foreground=GROUND)]


def _dense(ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points a few pixels apart along a line, in pixels, shape (n, 2)."""
    corners = ax.transData.transform(np.column_stack([x, y]))
    parts = np.linspace(0, 1, 200)[:, None]
    steps = pairwise(corners)
    return np.concatenate([start + parts * (stop - start) for start, stop in steps])


def _put(text: Text, places, line: np.ndarray, taken: Sequence[Box]) -> Box:
    """Move a centred text to the first free of the places (the first of all, if none is)."""
    _, _, width, height = extent(text)
    boxes = [
        Box(x - width / 2 - 2, y - height / 2 - 1, x + width / 2 + 2, y + height / 2 + 1)
        for x, y in places
    ]
    free = [
        not any(box.meets(other) for other in taken) and not box.holds_any(*line.T) for box in boxes
    ]
    best = free.index(True) if any(free) else 0
    text.set_position(text.axes.transData.inverted().transform(places[best]))
    return boxes[best]
