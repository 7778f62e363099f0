"""Events that a benchmark or factor does not reach: left out, so that the others can be studied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from impact.errors import ModelError
from impact.estimation.fits import Settings
from impact.estimation.models import Design
from impact.estimation.observations import Units, dropped_rows
from impact.estimation.pairs import Pairs
from impact.text.formats import counted, iso

#: The share of the sessions of an event's windows that a benchmark or factor may lack.
MAY_MISS = 0.1


def without_model(units: Units, layout: Design, settings: Settings, returns: pd.DataFrame) -> Units:
    """Leave out the pairs whose windows the model's own data do not reach, or reach in part.

    Those are the pairs whose event window begins before the first value of a benchmark, factor or
    rate or ends after its last, and those of whose sessions more than a tenth have none. ModelError
    if no pair is left.
    """
    pairs = units.pairs
    reasons = np.full(len(pairs), "", dtype=object)
    for name, values in layout.arguments.items():
        absent = np.atleast_2d(~np.isfinite(values))
        if absent.any():
            short = _not_reached(name, absent, pairs, settings, returns.index)
            reasons = np.where(reasons == "", short, reasons)
    lost = reasons != ""
    if not lost.any():
        return units
    if lost.all():
        raise ModelError(f"{reasons[0]}: fill it, or study other events")
    ids = units.table.index.to_numpy()[units.unit]
    names = returns.columns.astype("str").to_numpy()[pairs.column]
    # What is true of an event in every security is said once.
    alike = pd.DataFrame({"event": ids, "reason": reasons, "security": names})
    whole = alike.groupby("event")["reason"].transform(lambda of: (of == of.iloc[0]).all())
    alike.loc[whole, "security"] = ""
    gone = alike[lost].drop_duplicates()
    more = dropped_rows(gone["event"], gone["reason"], gone["security"])
    return replace(
        units,
        pairs=pairs[~lost],
        unit=units.unit[~lost],
        dropped=pd.concat([units.dropped, more], ignore_index=True),
    )


def _not_reached(
    name: str, absent: np.ndarray, pairs: Pairs, settings: Settings, index: pd.DatetimeIndex
) -> np.ndarray:
    """Why each pair cannot be fitted; `absent` of all securities (1, T) or of each (N, T)."""
    row = pairs.column if len(absent) > 1 else np.zeros(len(pairs), dtype=int)
    before = np.cumsum(np.pad(absent, ((0, 0), (1, 0))), axis=1)
    first = absent.argmin(axis=1)[row]
    last = len(index) - 1 - absent[:, ::-1].argmin(axis=1)[row]
    begin, end = (pairs.position + at for at in (settings.window.start, settings.window.end))
    missing = sum(
        before[row, pairs.position + window.end + 1] - before[row, pairs.position + window.start]
        for window in (settings.estimation, settings.window)
    )
    needed = settings.estimation.length + settings.window.length
    reasons = np.full(len(pairs), "", dtype=object)
    for i in np.flatnonzero(missing > MAY_MISS * needed):
        since = pairs.position[i] + settings.estimation.start
        day = index[since + absent[row[i], since:].argmax()]
        such = counted(int(missing[i]), "such session")
        reasons[i] = f"{name} has no value on {iso(day)} ({such} of the {needed} it needs)"
    for i in np.flatnonzero(end > last):
        reasons[i] = f"{name} ends on {iso(index[last[i]])}, its event window {iso(index[end[i]])}"
    for i in np.flatnonzero(begin < first):
        reasons[i] = (
            f"{name} begins on {iso(index[first[i]])}, its event window {iso(index[begin[i]])}"
        )
    return reasons
