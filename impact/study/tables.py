"""The table of a study in the look of a journal, and where its tests disagree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import WindowError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.conditional_columns import row_names
from impact.inference.equal_tails import CONFIDENCE
from impact.inference.tests import LEVEL
from impact.market.windows import as_window, tested_window
from impact.study.cumulative import car_table
from impact.text import formats
from impact.text.result import left_out
from impact.text.table import KNOWN, SIGMA, Column, Table, percentage
from impact.text.typeset import NONE

#: So many rows on which the tests disagree are named; the others are counted.
_NAMED = 4

_DAYS = Column("days", "days", lambda value: formats.number(value, 0))
_TEXTBOOK = (
    Column("std_error", "std. error", percentage, "textbook"),
    Column("statistic", "t", formats.number, "textbook"),
    Column("p_textbook", "p", formats.p_value, "textbook"),
)
_CONDITIONAL = (
    Column("sigma_conditional", SIGMA, percentage, "conditional"),
    Column("z_conditional", "z", formats.number, "conditional"),
    Column("p_conditional", "p", formats.p_value, "conditional"),
)
_IMPLIED = (
    Column("sigma_implied", SIGMA, percentage, "implied"),
    Column("p_implied", "p", formats.p_value, "implied"),
)

#: What the two p are.
_P = {
    "textbook": "Textbook: prediction t-test with the average variance of the estimation window.",
    "conditional": "Conditional: against the volatility forecast the evening before; p ranks the "
    "move among past ones, each in units of its own forecast.",
}

#: What is said of a panel that could have the conditional test and was not asked for it.
_ASK = "Not tested against the variance of the evening before: summary(conditional=True) adds that."

#: What a forecast for what a market or factor model leaves does not know.
_MARKET = (
    "The forecast does not know how far the market moves that day: after a large move what the "
    "model leaves varies more, and the conditional p is too small."
)

#: What is known by another name; a Series without one has the column 0.
_SERIES = {"^GSPC": "S&P 500", "0": "the series", "": "the series"}


def series_name(name: object) -> str:
    """Return what a column of returns is called in a text.

    Examples
    --------
    >>> series_name("^GSPC"), series_name("XLK"), series_name(0)
    ('S&P 500', 'XLK', 'the series')
    """
    return _SERIES.get(str(name).strip(), str(name))


def whose(study: AbnormalReturns) -> str:
    """What a study is of, in words: its one series, or their number."""
    names = study.returns.columns
    if len(names) == 1:
        return series_name(names[0])
    return formats.counted(len(names), "series", "series")


def study_table(
    study: AbnormalReturns,
    start: int = 0,
    end: int | None = None,
    *,
    conditional: bool | None = None,
    stars: bool = False,
    level: float | None = None,
) -> Table:
    """Lay out the cumulative abnormal returns of a study, textbook and conditional side by side.

    See `EventStudy.summary` for the options. A sentence says where the two tests disagree at 5%;
    intervals are of the conditional test where there is one.
    """
    confidence = CONFIDENCE if level is None else level
    car = car_table(study, start, end, conditional=conditional, level=confidence)
    has = "p_conditional" in car
    columns = [KNOWN["label"], KNOWN["session"]]
    frame = car.reset_index()
    if "security" in frame:
        columns.insert(1, KNOWN["security"])
    if "days" in car:
        columns.append(_DAYS)
    columns += [KNOWN["estimate"], *_TEXTBOOK]
    if has:
        columns += _CONDITIONAL
        if car["p_implied"].notna().any():
            columns += _IMPLIED
        columns.append(KNOWN["smallest_detectable"])
    if level is not None:
        columns += _interval(level, "conditional" if has else "textbook")
    signature = car.attrs["signature"]
    asked = "" if has or study.settings.volatility is None else _ASK
    notes = (
        *_study_notes(car, has),
        asked,
        _MARKET if has and study.layout.names else "",
        *study.notes,
        *car.attrs["gaps"],
        left_out(study.dropped),
    )
    notes = tuple(note for note in notes if note)
    unit = study.settings.unit
    title = _study_title(study, start, end)
    table = Table(frame, title, tuple(columns), notes, signature, unit=unit)
    marked = {"estimate": "p_conditional" if has else "p_textbook"}
    return replace(table, stars=marked) if stars else table


def _interval(level: float, test: str) -> list[Column]:
    group = f"{formats.percent(level, 1, signed=False).replace('.0%', '%')} interval"
    return [
        replace(KNOWN[name], name=f"{name}_{test}", heading=heading, group=group)
        for name, heading in (("ci_low", "from"), ("ci_high", "to"))
    ]


def windows_table(
    study: AbnormalReturns,
    windows: Sequence[tuple[int, int]],
    *,
    conditional: bool | None = None,
    stars: bool = False,
) -> Table:
    """Lay out the cumulative abnormal returns of several windows beside each other.

    For each window there are the estimate and one p: conditional where there is such a test.
    WindowError if there is no window, one comes twice, is reversed or reaches outside the study's.
    """
    pairs = [as_window(window, "windows") for window in windows]
    asked = [tested_window(pair.start, pair.end, study.settings.window) for pair in pairs]
    if not asked or len(set(asked)) < len(asked):
        raise WindowError(
            f"windows={list(windows)!r}: give at least one window, each once, as in "
            "[(0, 0), (0, 1)]"
        )
    cars = [car_table(study, one.start, one.end, conditional=conditional) for one in asked]
    kind = "conditional" if "p_conditional" in cars[0] else "textbook"
    facts = pd.concat([car[["label", "session"]] for car in cars])
    frame = facts[~facts.index.duplicated()]
    columns = [KNOWN[name] for name in ("label", *frame.index.names[1:], "session")]
    marked: dict[str, str] = {}
    for window, car in zip(asked, cars, strict=True):
        estimate, p = f"estimate {window}", f"p {window}"
        frame = frame.assign(**{estimate: car["estimate"], p: car[f"p_{kind}"]})
        columns.append(replace(KNOWN["estimate"], name=estimate, group=f"{window}"))
        columns.append(Column(p, "p", formats.p_value, f"{window}"))
        marked |= {estimate: p} if stars else {}
    said = [line for car in cars for line in (*_of_forecasts(car), *car.attrs["gaps"])]
    notes = (_P[kind], *dict.fromkeys(said), *study.notes, left_out(study.dropped))
    unit = study.settings.unit
    title = f"Cumulative abnormal {'changes' if unit else 'returns'} by window"
    shown = tuple(note for note in notes if note)
    return Table(frame.reset_index(), title, tuple(columns), shown, study.signature, marked, unit)


def _study_title(study: AbnormalReturns, start: int, end: int | None) -> str:
    what = "abnormal change" if study.settings.unit else "abnormal return"
    what = what.capitalize() if end in (None, start) else f"Cumulative {what}"
    when = f"session {start}" if end in (None, start) else f"sessions {start} to {end}"
    return f"{what}, {when}, {whose(study)}"


def _study_notes(car: pd.DataFrame, has_conditional: bool) -> tuple[str, ...]:
    if not has_conditional:
        return (_P["textbook"],)
    notes = [
        *_P.values(),
        "Detectable: the smallest move that this test at 5% finds four times in five.",
        disagreement(car),
    ]
    if car["p_implied"].notna().any():
        notes.insert(
            3,
            "Implied: against the volatility that the index (VIX) implied the evening before.",
        )
    if car["p_conditional"].isna().any():
        notes.append(f"{NONE} stands for: not available.")
    return (*notes, *_of_forecasts(car))


def _of_forecasts(car: pd.DataFrame) -> list[str]:
    """What the forecasts have to say, each thing once with the events that it is true of."""
    events: dict[str, list[str]] = {}
    names = set(row_names(car.index))
    for note in car.attrs["notes"]:
        ends = [
            found.start() for found in re.finditer(": ", note) if note[: found.start()] in names
        ]
        for end in ends[:1]:
            events.setdefault(note[end + 2 :], []).append(note[:end])
    what = "row" if car.index.nlevels > 1 else "event"
    return [
        f"{formats.list_of(of) if len(of) < 8 else formats.counted(len(of), what)}: {said}."
        for said, of in events.items()
    ]


def _named(row: Any) -> str:
    return f"{row.Index[1]}, {row.label}" if isinstance(row.Index, tuple) else str(row.label)


def disagreement(car: pd.DataFrame) -> str:
    """Say in words where the textbook and the conditional test of a `car` table disagree at 5%.

    Examples
    --------
    >>> car = pd.DataFrame({"label": ["Truce"], "session": [pd.Timestamp("2025-05-12")],
    ...                     "p_textbook": [0.2], "p_conditional": [0.2]})
    >>> disagreement(car)
    'The textbook and the conditional test agree at 5% in every row.'
    """
    known = car[car[["p_textbook", "p_conditional"]].notna().all(axis=1)]
    if known.empty:
        return ""
    apart = known[(known["p_textbook"] < LEVEL) != (known["p_conditional"] < LEVEL)]
    if apart.empty:
        return "The textbook and the conditional test agree at 5% in every row."
    size = np.abs(np.log(apart["p_textbook"] / apart["p_conditional"]))
    widest = apart.loc[size.sort_values(ascending=False, kind="stable").index[:_NAMED]]
    named = [
        f"“{_named(row)}” ({formats.date(row.session)}: textbook "
        f"{formats.p_phrase(row.p_textbook)}, conditional {formats.p_phrase(row.p_conditional)})"
        for row in widest.itertuples()
    ]
    if len(apart) == len(widest):
        return f"The two tests disagree at 5% on {formats.list_of(named)}."
    return (
        f"The two tests disagree at 5% on {len(apart)} of {len(known)} rows, most on "
        f"{formats.list_of(named)}."
    )
