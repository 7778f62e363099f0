"""Reusable charts: results in, a matplotlib Figure out. No statistic is computed here.

`style` holds the colours, the type and the page; `labels` finds places for words; `series` draws
what moves in time, `sets` many sessions at once, `panels` many securities, `groups` groups of
events and doses, `trust` how often tests err and every way to have done it.
"""

from impact.charts.series import (
    average_path,
    card_plot,
    index_and_rate,
    path_panels,
    study_paths,
)
from impact.charts.sets import forest, marked_distribution

__all__ = [
    "average_path",
    "card_plot",
    "forest",
    "index_and_rate",
    "marked_distribution",
    "path_panels",
    "study_paths",
]
