"""The one placer of labels: against a slow loop, and where nothing is free."""

import numpy as np
import pytest

from impact.charts.labels import NOTHING, clear, met, place


def overlap(one, other) -> bool:
    """Whether two boxes share more than an edge; a point inside a box counts."""
    across = one[0] < other[2] and other[0] < one[2]
    return bool(across and one[1] < other[3] and other[1] < one[3])


def boxes_of(rng, n: int, size: float) -> np.ndarray:
    corner = rng.uniform(0, 100, (n, 2))
    return np.hstack([corner, corner + rng.uniform(0, size, (n, 2))])


@pytest.mark.parametrize("seed", range(20))
def test_the_first_free_box_is_taken(seed):
    rng = np.random.default_rng(seed)
    boxes, taken = boxes_of(rng, 12, 30), boxes_of(rng, 8, 20)
    taken = np.vstack([taken, np.tile(rng.uniform(0, 100, (10, 2)), 2)])  # points
    bounds = np.array([5, 5, 95, 95])
    free = [not any(overlap(box, other) for other in taken) for box in boxes]
    assert clear(boxes, taken).tolist() == free
    inside = [bool(box[0] >= 5 and box[1] >= 5 and box[2] <= 95 and box[3] <= 95) for box in boxes]
    both = [a and b for a, b in zip(free, inside, strict=True)]
    wanted = next((found.index(True) for found in (both, inside) if any(found)), 0)
    assert place(boxes, taken, bounds) == wanted
    assert place(boxes, taken) == (free.index(True) if any(free) else 0)


def test_boxes_that_touch_do_not_overlap():
    boxes = np.array([[0, 0, 4, 2]])
    assert clear(boxes, np.array([[4, 0, 8, 2], [0, 2, 4, 4]])).all()
    assert not clear(boxes, np.array([[3.9, 0, 8, 2]])).any()
    assert clear(boxes, NOTHING).all()


def test_without_a_free_box_the_first_inside_the_bounds_is_taken():
    boxes = np.array([[-1, 0, 3, 2], [0, 0, 4, 2], [1, 0, 5, 2]])
    everywhere = np.array([[-9, -9, 9, 9]])
    assert place(boxes, everywhere, np.array([0, 0, 9, 9])) == 1
    assert place(boxes, everywhere, np.array([20, 20, 30, 30])) == 0


def test_of_places_that_will_do_the_one_over_fewest_lines_is_taken():
    boxes = np.array([[0, 0, 4, 2], [5, 0, 9, 2], [5, 3, 9, 5]])
    lines = np.array([[1, 1, 1, 1], [2, 1, 2, 1], [6, 1, 6, 1]])
    assert place(boxes, NOTHING, None, lines) == 2
    assert place(boxes, np.array([[5, 3, 9, 5]]), None, lines) == 1
    assert met(boxes, lines).tolist() == [2, 1, 0]
