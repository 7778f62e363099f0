"""Paths around events, with the bands in which they would stay without one, and their picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.charts.page import Words
from impact.charts.paths import Panel, average_path, path_panels
from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.measured_sizes import overlap_in_words
from impact.news.kinds import in_order, look_of
from impact.study.cumulative import average_path as averages
from impact.study.cumulative import car_table
from impact.study.tables import whose
from impact.text.formats import amount, counted, date, interval, iso, out_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE = -1

#: More units than this are drawn as their average.
MOST_PANELS = 12


def event_paths(study: AbnormalReturns) -> pd.DataFrame:
    """Cumulative abnormal returns around each event on one series.

    Returns
    -------
    DataFrame
        One row an event and relative session: `event`, `label`, `session` (that of the event),
        `relative_session`, `path` (zero at the close before; earlier, minus what was to come),
        and from session 0 the 95% bands around zero in which the path would stay without an
        event: `textbook_low`, `textbook_high` (exact prediction t) and, if the study has a
        variance model, `conditional_low`, `conditional_high`. Decimal fractions.

    Raises
    ------
    InferenceError
        If the study has several series, or its window starts on session 0.

    Notes
    -----
    A band is the interval of `EventStudy.car` turned around: the estimate minus its interval. The
    path leaves the band exactly where the interval leaves zero out.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> study = impact.event_study(returns, ["2025-04-03"], volatility=None)
    >>> paths = event_paths(study).set_index("relative_session")
    >>> round(paths.loc[0, "path"].item(), 4), paths.loc[-1, "path"].item()
    (-0.05, 0.0)
    """
    window = study.settings.window
    if not study.is_one_series or window.start > BEFORE:
        raise InferenceError(
            "paths need events on one series and a window that starts before session 0: "
            "take study.portfolio(), or a window such as (-5, 5)"
        )
    parts = [_before(study, offset) for offset in range(window.start, BEFORE + 1)]
    parts += [_after(study, offset) for offset in range(window.end + 1)]
    order = {event: place for place, event in enumerate(study.fit.index)}
    paths = pd.concat(parts, ignore_index=True)
    ranks = paths["event"].map(order)
    return paths.iloc[np.lexsort((paths["relative_session"], ranks))].reset_index(drop=True)


def _frame(study: AbnormalReturns, offset: int, path: np.ndarray) -> pd.DataFrame:
    units = study.units
    return pd.DataFrame(
        {
            "event": study.fit.index,
            "label": units["label"].to_numpy(),
            "session": units["session"].to_numpy(),
            "relative_session": offset,
            "path": path,
        }
    )


def _before(study: AbnormalReturns, offset: int) -> pd.DataFrame:
    if offset == BEFORE:
        return _frame(study, offset, np.zeros(len(study)))
    return _frame(study, offset, -study.over(offset + 1, BEFORE).car)


def _after(study: AbnormalReturns, offset: int) -> pd.DataFrame:
    table = car_table(study, 0, offset).reindex(study.fit.index)
    frame = _frame(study, offset, table["estimate"].to_numpy())
    for method in ("textbook", "conditional"):
        if f"ci_low_{method}" in table:
            estimate = table["estimate"]
            frame[f"{method}_low"] = (estimate - table[f"ci_high_{method}"]).to_numpy()
            frame[f"{method}_high"] = (estimate - table[f"ci_low_{method}"]).to_numpy()
    return frame


def study_paths(study: AbnormalReturns, *, ax: Axes | None = None) -> Figure:
    """Draw a study: a panel for each unit of one series, else the average path.

    FigureError if there is an `ax` to draw on and the picture has several panels.
    """
    unit, noun = study.settings.unit, "change" if study.settings.unit else "return"
    data = study.returns.attrs.get("source", "")
    source = f"{data}; {study.signature}".removeprefix("; ")
    if not study.is_one_series or len(study) > MOST_PANELS:
        table = averages(study, cumulative=True)
        last = table.iloc[-1]
        title = f"{whose(study)}: {amount(last['estimate'], unit)} on average over sessions "
        title += f"{study.settings.window} of {counted(len(study.alignment), 'event')}"
        what = f"Average cumulative abnormal {noun}, in {unit or '%'}. "
        if "withheld" in table:
            table[["ci_low", "ci_high"]] = np.nan
            what += (
                "No interval: the windows of the events overlap, and their spread says too little "
                f"of the error. {overlap_in_words(len(table))} Test the set by shifts, as tests() "
                "does."
            ).replace("  ", " ")
        else:
            what += f"95% interval: {table.attrs['method']}."
            title += f" (95% interval {interval(last['ci_low'], last['ci_high'], unit=unit)})"
        return average_path(Words(title, what, source, unit), table, ax=ax)
    paths = event_paths(study)
    units = dict(zip(study.fit.index, study.units.itertuples(), strict=True))
    panels = {event: unit_panel(unit) for event, unit in units.items()}
    found = paths[paths["relative_session"] == 0]
    known = "conditional" if "conditional_low" in paths else "textbook"
    out = ~found["path"].between(found[f"{known}_low"], found[f"{known}_high"])
    variance = "variance of the evening before" if known == "conditional" else "constant variance"
    what = (
        f"Cumulative abnormal {noun} from the close before, in {unit or '%'}, and the 95% range in "
        f"which it would stay without news ({variance})."
    )
    title = f"{whose(study)}: {_found(found['path'], out, panels, known, unit)}"
    marks = in_order(panel.mark for panel in panels.values())
    return path_panels(Words(title, what, source, unit), paths, panels, marks=marks, ax=ax)


def unit_panel(unit: Any) -> Panel:
    """Return what stands over the path of an event; `unit` is its row of the alignment."""
    day = date(unit.session)
    named = unit.label != iso(unit.session)
    return Panel(unit.label if named else day, day if named else "", look_of(unit))


def _found(
    moves: pd.Series, out: pd.Series, panels: dict[str, Panel], known: str, unit: str
) -> str:
    """Say what the picture shows of session 0."""
    if len(moves) > 1:
        count = int(out.sum())
        lie = "lies outside its" if count < 2 else "lie outside their"
        # A constant variance errs more often than that in turbulent markets.
        chance = "; by chance one in twenty would" * (known == "conditional")
        return f"{out_of(count, len(out))} reactions {lie} 95% range{chance}"
    (panel,) = panels.values()
    where = "outside" if out.item() else "inside"
    return (
        f"abnormal {'change' if unit else 'return'} of {amount(moves.item(), unit)} on "
        f"{panel.note or panel.heading}, {where} its 95% range"
    )
