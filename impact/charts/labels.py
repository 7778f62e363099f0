"""Words beside what they name: places for labels that cover neither data nor each other.

A box is left, bottom, right, top in pixels, and boxes are an array with one a row; a point to
keep clear of is a box without size.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from impact.charts.page import GROUND, SMALL, extent, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

#: Nothing to keep clear of.
NOTHING = np.empty((0, 4))


def place(
    boxes: np.ndarray,
    taken: np.ndarray,
    bounds: np.ndarray | None = None,
    lines: np.ndarray = NOTHING,
) -> int:
    """Return which of some boxes to take: the first that lies over nothing, inside the bounds.

    Parameters
    ----------
    boxes : ndarray, shape (k, 4)
        Possible places, the best first.
    taken : ndarray, shape (m, 4)
        What must stay clear.
    bounds : ndarray, shape (4,), optional
        What must not be left.
    lines : ndarray, shape (l, 4)
        What is better kept clear: of the boxes that will do, the first over the least of it.

    Returns
    -------
    int
        If no box will do, one inside the bounds; if there is none, the first.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 4, 2], [5, 0, 9, 2], [5, 3, 9, 5]])
    >>> place(boxes, np.array([[1, 1, 1, 1]])), place(boxes, np.array([[1, 1, 6, 1]]))
    (1, 2)
    """
    least, most = (-np.inf, np.inf) if bounds is None else (bounds[:2], bounds[2:])
    inside = ((boxes[:, :2] >= least) & (boxes[:, 2:] <= most)).all(axis=1)
    crossed = met(boxes, lines)
    for fits in (inside & clear(boxes, taken), inside):
        if fits.any():
            return int(np.where(fits, crossed, np.inf).argmin())
    return 0


def clear(boxes: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return which of some boxes lie over nothing taken, shape (k,)."""
    return met(boxes, taken) == 0


def met(boxes: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return over how many of the boxes taken each of some boxes lies, shape (k,)."""
    left, bottom, right, top = boxes.T[:, :, None]
    meets = (left < taken[:, 2]) & (taken[:, 0] < right)
    meets &= (bottom < taken[:, 3]) & (taken[:, 1] < top)
    return meets.sum(axis=1)


def around(
    text: Text,
    lefts: float | np.ndarray,
    middles: np.ndarray,
    across: float = 0,
    along: float = 0,
) -> np.ndarray:
    """Return the boxes of a text at some places, with room around it, shape (k, 4).

    Parameters
    ----------
    text : Text
    lefts, middles : ndarray, shape (k,), or one left end for all
        Left end and height of the middle of the text.
    across, along : float
        Room beside it, and above and below it.
    """
    _, _, width, tall = extent(text)
    lefts, middles = np.broadcast_arrays(lefts, middles)
    reach = tall / 2 + along
    return np.column_stack(
        [lefts - across, middles - reach, lefts + width + across, middles + reach]
    )


def move(text: Text, box: np.ndarray, across: float = 0) -> None:
    """Set a text of the data into its box, left end first, around the middle."""
    back = text.axes.transData.inverted()
    text.set(position=back.transform((box[0] + across, box[1::2].mean())), ha="left", va="center")


def points_on(ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return points as boxes to keep clear of, shape (n, 4); data coordinates."""
    return np.tile(ax.transData.transform(np.column_stack([x, y])), 2)


def points_along(ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return points a few pixels apart along a line as boxes to keep clear of, shape (n, 4)."""
    parts = np.linspace(0, 1, 200)[:, None]
    steps = pairwise(points_on(ax, x, y))
    return np.concatenate([start + parts * (stop - start) for start, stop in steps])


def letters(colour: str, zorder: float, size: float = SMALL) -> dict[str, Any]:
    """Return the look of words over the data, with a rim that keeps rules and bands away."""
    from matplotlib.patheffects import withStroke

    rim = [withStroke(linewidth=points(7), foreground=GROUND)]
    return {"color": colour, "fontsize": points(size), "zorder": zorder, "path_effects": rim}
