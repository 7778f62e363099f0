"""The cumulative abnormal return around each session of the core events."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from impact.charts.page import Words
from impact.charts.paths import Panel, path_panels
from impact.figures.common import core_study, model_of, session_panel, source
from impact.news.kinds import in_order
from impact.study.event_paths import event_paths
from impact.text.formats import counted, out_of, percent, spelt


@dataclass(frozen=True)
class Paths:
    """Paths with their bands, and what stands over the picture of each session."""

    paths: pd.DataFrame
    panels: dict[str, Panel]


def data() -> Paths:
    """Compute the paths."""
    study = core_study()
    panels = {unit.Index: session_panel(unit) for unit in study.alignment.itertuples()}
    return Paths(event_paths(study), panels)


def title(data: Paths) -> str:
    """Say how many reactions are unusual under each variance."""
    day, n = data.paths[data.paths["relative_session"] == 0], len(data.panels)
    constant, known = (
        int(((day["path"] < day[f"{method}_low"]) | (day["path"] > day[f"{method}_high"])).sum())
        for method in ("textbook", "conditional")
    )
    if known < constant:
        return (
            f"Against an average day {out_of(constant, n)} core reactions look unusual; "
            f"allowing for current volatility, {spelt(known) if known else 'none'}"
        )
    if known > constant:
        return (
            f"Allowing for current volatility {out_of(known, n)} core reactions look unusual; "
            f"against an average day {spelt(constant) if constant else 'none'}"
        )
    return (
        f"{out_of(known, n).capitalize()} core reactions look unusual, against an average day as "
        "when allowing for current volatility"
    )


def words(data: Paths) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        f"Cumulative abnormal log return of the S&P 500 from the close before the event, in %, "
        f"{counted(len(data.panels), 'session')} of the core events; {model_of(core_study())}, "
        "variance GJR-GARCH known the evening before, or constant.",
        source("core-event-paths", "events.csv"),
    )


def draw(data: Paths) -> Figure:
    """Draw a panel for each session."""
    marks = in_order(panel.mark for panel in data.panels.values())
    return path_panels(words(data), data.paths, data.panels, marks=marks)


def table(data: Paths) -> pd.DataFrame:
    """Return the paths with their bands."""
    headings = [data.panels[event].heading for event in data.paths["event"]]
    return data.paths.assign(core_events=headings).rename(columns={"label": "announcements"})


def alt(data: Paths) -> str:
    """Tell the picture."""
    paths = data.paths.groupby("event", sort=False)
    told = [_sentence(panel, paths.get_group(event)) for event, panel in data.panels.items()]
    return " ".join([f"{title(data)}.", *told])


def _sentence(panel: Panel, path: pd.DataFrame) -> str:
    path = path.set_index("relative_session")
    day = path.loc[0]
    inside = day["conditional_low"] <= day["path"] <= day["conditional_high"]
    return (
        f"{panel.heading} ({panel.note}): {percent(day['path'])} in the session, "
        f"{'inside' if inside else 'outside'} the 95% band "
        f"({percent(day['conditional_low'])} to {percent(day['conditional_high'])}), "
        f"{percent(path['path'].iloc[-1])} after {path.index[-1]} sessions."
    )
