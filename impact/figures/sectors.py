"""The figures of who was hit: eleven sector funds around the core events.

On one date eleven sectors are one observation of the common move, so their average, the
equal-weighted portfolio, is tested first; then each sector against that portfolio.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from impact.charts.panels import Cells, heat_map, line_panels
from impact.charts.series import Panel
from impact.charts.style import Words, kind_of
from impact.figures.common import (
    NEWS,
    core_directions,
    core_labels,
    core_of,
    model_of,
    short_day,
    source,
)
from impact.figures.exhibits import Exhibit
from impact.inference.who_was_hit import RelativeMoves, relative_moves
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, date, list_of, number, p_phrase, p_value, percent

#: What the funds hold; each is called by its sector in a picture.
NAMES = {
    "XLB": "Materials",
    "XLC": "Communication",
    "XLE": "Energy",
    "XLF": "Financials",
    "XLI": "Industrials",
    "XLK": "Technology",
    "XLP": "Consumer staples",
    "XLRE": "Real estate",
    "XLU": "Utilities",
    "XLV": "Health care",
    "XLY": "Consumer discretionary",
}

#: Names for the end of a line.
SHORT = {"Consumer staples": "Staples", "Consumer discretionary": "Discretionary"}

PORTFOLIO = "portfolio"
LEVEL = 0.05
EVE, LAST = -1, 5
FILES = ("events.csv", "macro_releases.csv")


@cache
def sector_study() -> EventStudy:
    """Sessions of the core events on the eleven sector funds.

    The funds have two years of closes: enough for an exponentially weighted variance, which needs
    250 sessions, not for the GJR-GARCH of the index, which needs 1,000.
    """
    returns = log_returns(load_prices("sectors"))
    return core_of(event_study(returns, load_events(since=NEWS), volatility="ewma"))


# -- sector-reactions ----------------------------------------------------------------------------


def sector_reactions() -> Exhibit:
    """Draw the move of the portfolio and of each sector against it in the core sessions."""
    study = sector_study()
    moves = relative_moves(study)
    car = study.portfolio().car(0)
    car.index = study.alignment.index
    widest = moves.p_max.idxmin()
    order = moves.z.loc[widest].sort_values(ascending=False, kind="stable").index
    heads = {event: _head(unit) for event, unit in _units(study)}
    title = _reactions_title(moves, study.alignment["session"])
    words = Words(
        title,
        "Top row: abnormal log return of the equal-weighted portfolio of eleven sector funds in "
        f"session 0 ({model_of(study)}) and its conditional p. Below: log return of each "
        "sector less the portfolio's, in %, coloured by z, its size in standard deviations known "
        f"on the eve. n = {counted(len(car), 'session')} of core events, 2024-2025 data: too few "
        "for GARCH, so both variances are exponentially weighted (0.94).",
        source("sector-reactions", *FILES, prices="sectors"),
    )
    figure = heat_map(
        words,
        heads,
        _common(car),
        _sector_cells(moves, order),
        ("p of the largest move", [p_value(p) for p in moves.p_max]),
        f"p at most {number(LEVEL)}; for sectors the step-down maximum test over all "
        f"eleven, ranked among {counted(int(moves.pool.min()), 'other session')}",
    )
    table = _reactions_table(study, car, moves, order)
    return Exhibit("sector-reactions", figure, table, _reactions_alt(title, heads, car, moves))


def _units(study: EventStudy) -> zip:
    """Pairs of event id and row of the alignment."""
    return zip(study.alignment.index, study.alignment.itertuples(), strict=True)


def _head(unit) -> Panel:
    label, *_ = core_labels(unit.announcements)
    others = len(unit.announcements) - 1
    note = label + (f" +{others}" if others else "")
    if unit.releases:
        note += f"\nwith {unit.releases}"
    kind = kind_of(core_directions(unit.announcements), unit.mixed)
    return Panel(short_day(unit.session), note, kind)


def _common(car: pd.DataFrame) -> Cells:
    text = [
        f"{percent(row.estimate, 1)}\np {_short(row.p_conditional)}" for row in car.itertuples()
    ]
    name = ["Portfolio of the eleven\nand its conditional p"]
    return Cells(
        pd.DataFrame([car["z_conditional"].to_numpy()], name),
        pd.DataFrame([text], name),
        pd.DataFrame([(car["p_conditional"] <= LEVEL).to_numpy()], name),
    )


def _short(p: float) -> str:
    return p_phrase(p).removeprefix("p ")


def _sector_cells(moves: RelativeMoves, order: pd.Index) -> Cells:
    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[order].T.rename(index=NAMES)

    text = moves.estimate.map(lambda move: percent(move, 1))
    return Cells(rows(moves.z), rows(text), rows(moves.p_adjusted <= LEVEL))


def _reactions_title(moves: RelativeMoves, sessions: pd.Series) -> str:
    found, n = int((moves.p_max <= LEVEL).sum()), len(moves.p_max)
    chance = number(LEVEL * n, 1)
    if not found:
        return (
            f"On none of {n} core sessions did a sector stand out from the rest: the news moved "
            "the sectors together"
        )
    event = moves.p_max.idxmin()
    start = (
        f"Sectors stood out on {found} of {n} core sessions (by chance: {chance}); most on "
        f"{date(sessions[event])}: "
    )
    return start + _sides(moves, event)


def _sides(moves: RelativeMoves, event: str) -> str:
    """Say which sectors stand out ahead of the portfolio and which behind it."""
    z = moves.z.loc[event, (moves.p_adjusted.loc[event] <= LEVEL).to_numpy()]
    ahead, behind = (
        list_of(NAMES[name].lower() for name in side.sort_values(key=abs, ascending=False).index)
        for side in (z[z > 0], z[z < 0])
    )
    parts = [*([f"{ahead} ahead"] if ahead else []), *([f"{behind} behind"] if behind else [])]
    return ", ".join(parts)


def _reactions_table(
    study: EventStudy, car: pd.DataFrame, moves: RelativeMoves, order: pd.Index
) -> pd.DataFrame:
    """One row a session and security: the portfolio, then the sectors as they are drawn."""
    common = pd.DataFrame(
        {
            "security": PORTFOLIO,
            "sector": "equal-weighted average",
            "estimate": car["estimate"],
            "z": car["z_conditional"],
            "p": car["p_conditional"],
        }
    )
    single = [
        pd.DataFrame(
            {
                "security": name,
                "sector": NAMES[name],
                "estimate": moves.estimate[name],
                "z": moves.z[name],
                "p": moves.p_adjusted[name],
            }
        )
        for name in order
    ]
    table = pd.concat([common, *single]).rename_axis("event").reset_index()
    table.insert(1, "session", table["event"].map(study.alignment["session"]))
    table["stands_out"] = table["p"] <= LEVEL
    return table.sort_values("session", kind="stable", ignore_index=True)


def _reactions_alt(
    title: str, heads: dict[str, Panel], car: pd.DataFrame, moves: RelativeMoves
) -> str:
    told = []
    for event, head in heads.items():
        row = car.loc[event]
        sides = _sides(moves, event) or "no sector stands out"
        note = head.note.replace("\n", ", ")
        told.append(
            f"{head.heading}, {note}: portfolio {percent(row['estimate'])} "
            f"({p_phrase(row['p_conditional'])}), {sides} "
            f"(maximum test {p_phrase(moves.p_max[event])})"
        )
    return (
        f"{title}. Table of coloured cells, one column a core session, the portfolio on top and "
        f"eleven sectors below, blue ahead of the portfolio, vermilion behind. {'; '.join(told)}."
    )


# -- sector-paths --------------------------------------------------------------------------------


def sector_paths() -> Exhibit:
    """Draw the cumulated moves of the sectors against the portfolio around the core sessions."""
    study = sector_study()
    paths = _paths(study)
    panels = {
        event: Panel("; ".join(core_labels(unit.announcements)), _note(unit), "plain")
        for event, unit in _units(study)
    }
    title = _paths_title(paths)
    pool = int(relative_moves(study, 0, LAST).pool.min())
    words = Words(
        title,
        "Cumulated log return of eleven sector funds less their average, in %, from the close on "
        f"the eve; n = {counted(len(panels), 'core session')}. Dots: the move from the eve to "
        "there stands out at 5%, by the step-down maximum test over the eleven, ranked among at "
        f"least {pool} other windows; variance of the eve, exponentially weighted (0.94), times "
        "the number of sessions. Each row has its own scale.",
        source("sector-paths", *FILES, prices="sectors"),
    )
    drawn = paths.assign(name=paths["sector"].replace(SHORT))
    told = [
        _paths_sentence(panels[event], part) for event, part in paths.groupby("event", sort=False)
    ]
    alt = " ".join([f"{title}.", *told])
    return Exhibit("sector-paths", line_panels(words, drawn, panels), paths, alt)


def _note(unit) -> str:
    others = len(unit.announcements) - len(core_labels(unit.announcements))
    more = [counted(others, "more event")] if others else []
    return ", ".join([date(unit.session), *([unit.releases] if unit.releases else []), *more])


def _paths(study: EventStudy) -> pd.DataFrame:
    """One row an event, sector and relative session; p from session 0 on, zero on the eve."""
    parts = []
    for day in range(study.settings.window.start, LAST + 1):
        if day > EVE:
            moves = relative_moves(study, 0, day)
            path, p = moves.estimate, moves.p_adjusted
        else:
            # Before the eve: minus what was still to come.
            path = -relative_moves(study, min(day + 1, EVE), EVE).estimate * (day < EVE)
            p = path * np.nan
        long = pd.DataFrame(
            {"path": path.stack(future_stack=True), "p_adjusted": p.stack(future_stack=True)}
        )
        parts.append(long.rename_axis(["event", "security"]).assign(relative_session=day))
    table = pd.concat(parts).reset_index()
    table.insert(1, "session", table["event"].map(study.alignment["session"]))
    table.insert(3, "sector", table["security"].map(NAMES))
    table["stands_out"] = table["p_adjusted"] <= LEVEL
    return table.sort_values(["session", "security", "relative_session"], ignore_index=True)


def _paths_title(paths: pd.DataFrame) -> str:
    found = paths[paths["stands_out"]].groupby("relative_session")
    pairs = {day: set(zip(rows["event"], rows["security"], strict=True)) for day, rows in found}
    first = pairs.get(0, set())
    n, still = len(first), len(first & pairs.get(LAST, set()))
    if not n:
        return "No sector stood out from the rest in the session of a core event"
    start = f"Of {counted(n, 'sector move')} that stood out in the session of a core event"
    if still == n:
        return f"{start}, all still stood out {counted(LAST, 'session')} later"
    return f"{start}, {still or 'none'} still stood out {counted(LAST, 'session')} later"


def _paths_sentence(panel: Panel, paths: pd.DataFrame) -> str:
    by_day = paths.pivot_table(index="sector", columns="relative_session", values="path")
    apart = paths.loc[paths["stands_out"]].groupby("sector")["relative_session"].agg(list)
    told = [
        f"{name} {percent(by_day.loc[name, 0])} in the session, {percent(by_day.loc[name, LAST])} "
        f"after {LAST} (stands out over sessions 0 to {list_of(days)})"
        for name, days in apart.items()
    ]
    said = "; ".join(told) or (
        f"no sector stands out, between {percent(by_day[0].min())} and "
        f"{percent(by_day[0].max())} in the session"
    )
    return f"{panel.heading} ({panel.note}): {said}."
