"""What tests need to know of pictures: which words are drawn, and whether any collide."""

from itertools import combinations, product
from pathlib import Path

from matplotlib.text import Text

#: Where the committed pictures are.
DIRECTORY = Path(__file__).parents[1] / "figures"


def texts_of(artist) -> list[Text]:
    """Return every text that is drawn: visible, with visible parents, not empty."""
    if not artist.get_visible():
        return []
    found = [artist] if isinstance(artist, Text) and artist.get_text().strip() else []
    return found + [text for child in artist.get_children() for text in texts_of(child)]


def assert_words_are_clear(figure) -> None:
    """Assert that no text leaves the canvas or lies over another, and that none is tiny."""
    boxes = []
    for text in texts_of(figure):
        box = text.get_window_extent()
        words = text.get_text()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1, f"cut at a side: {words!r}"
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1, f"cut: {words!r}"
        # Twenty pixels at full size are ten at half size.
        assert text.get_fontsize() * figure.dpi / 72 >= 19.9, f"too small: {words!r}"
        boxes.append((words, box))
    panels = [("the data", ax.get_window_extent()) for ax in figure.axes]
    beside = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    for (one, a), (other, b) in [*combinations(boxes, 2), *product(beside, panels)]:
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        along = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Line boxes hold room for accents and descenders: three pixels are no collision.
        assert across <= 1 or along <= 3, f"{one!r} lies over {other!r}"
