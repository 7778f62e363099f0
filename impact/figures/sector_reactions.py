"""Who was hit: the move of eleven sector funds in the core sessions, together and apart.

On one date eleven sectors are one observation of the common move, so their average, the
equal-weighted portfolio, is tested first; then what each sector did beyond its beta.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from impact.charts.cells import cell_table
from impact.charts.page import Words
from impact.charts.paths import Panel
from impact.figures.common import brief_p, column_head, model_of, sector_moves, sector_study, source
from impact.inference.ranked_moves import FEW, NEAREST, POOLS, RelativeMoves
from impact.inference.tests import LEVEL
from impact.market.prices import SECTORS
from impact.news.kinds import in_order
from impact.text.formats import counted, date, list_of, number, out_of, p_phrase, p_value, percent


@dataclass(frozen=True)
class Reactions:
    """Column heads by event, the portfolio's CAR, the moves beyond beta, and rows in order."""

    heads: dict[str, Panel]
    sessions: pd.Series
    car: pd.DataFrame
    moves: RelativeMoves
    order: pd.Index


def data() -> Reactions:
    """Test the portfolio, then each sector beyond its beta."""
    study, moves = sector_study(), sector_moves()
    car = study.portfolio().car(0).set_axis(study.alignment.index)
    heads = {unit.Index: column_head(unit) for unit in study.alignment.itertuples()}
    widest = moves.z.loc[moves.p_max.idxmin()]
    order = widest.sort_values(ascending=False, kind="stable").index
    return Reactions(heads, study.alignment["session"], car, moves, order)


def title(data: Reactions) -> str:
    """Say on how many sessions a sector stood out, and which on the most unusual of them."""
    p, most = data.moves.p_max, data.moves.p_max.idxmin()
    found, n, day = int((p <= LEVEL).sum()), len(p), date(data.sessions[most])
    if not found:
        name = SECTORS[data.moves.p_adjusted.loc[most].idxmin()].lower()
        none = (
            f"On {out_of(0, n)} core days does a sector clearly stand out beyond its beta; {name} "
        )
        if data.moves.at_the_border[most]:
            return f"{none}on {day} is at the border (p {_range(data.moves, most)})"
        return f"{none}comes nearest, on {day} ({p_phrase(p[most])})"
    return (
        f"Sectors stand out beyond their betas on {out_of(found, n)} core days (by chance: "
        f"{number(LEVEL * n, 1)}); most on {day}: {_sides(data.moves, most)}"
    )


def _range(moves: RelativeMoves, event: str) -> str:
    low, high = moves.p_range.loc[event].map(p_value)
    return f"{low} to {high}"


def _few(data: Reactions) -> str:
    """Say on which days fewer earlier market moves were as large than are needed to rank among."""
    few = data.moves.as_large[data.moves.as_large < FEW].sort_values(kind="stable")
    if few.empty:
        return ""
    days = list_of(f"{date(data.sessions[event])} ({n:,.0f})" for event, n in few.items())
    return f" Fewer than {FEW} earlier days had as large a market move in these units: {days}."


def _sides(moves: RelativeMoves, event: str) -> str:
    """Say which sectors stand out ahead of their share of the market's move and which behind."""
    z = moves.z.loc[event, (moves.p_adjusted.loc[event] <= LEVEL).to_numpy()]
    parts = []
    for side, where in ((z[z > 0], "ahead"), (z[z < 0], "behind")):
        if len(side):
            names = side.sort_values(key=abs, ascending=False).index.map(SECTORS)
            parts.append(f"{list_of(name.lower() for name in names)} {where}")
    return ", ".join(parts)


def words(data: Reactions) -> Words:
    """Return what is written around the picture."""
    return Words(
        title(data),
        "Top row: abnormal log return of the equal-weighted portfolio of eleven sector funds in "
        f"session 0 ({model_of(sector_study())}) and its conditional p. Below: log return of each "
        "sector less alpha and beta times the S&P 500's, in %, coloured by z, its size in standard "
        "deviations known the evening before (GJR-GARCH; the error of beta counted). A range of p "
        f"is by {POOLS[0]} to {POOLS[-1]} earlier days in place of {NEAREST}.{_few(data)} "
        f"n = {counted(len(data.car), 'session')} of core events; closes since "
        f"{date(sector_study().returns.index[0])}.",
        source("sector-reactions", "events.csv", "macro_releases.csv", prices="sectors"),
    )


def table(data: Reactions) -> pd.DataFrame:
    """One row a session and security: the portfolio, then the sectors as they are drawn."""
    columns = {"estimate": "estimate", "z_conditional": "z", "p_conditional": "p"}
    common = data.car[list(columns)].rename(columns=columns)
    common = common.assign(security="portfolio", sector="equal-weighted average")
    moves = data.moves
    parts = {"estimate": moves.estimate, "z": moves.z, "p": moves.p_adjusted}
    single = pd.DataFrame({name: part[data.order].stack() for name, part in parts.items()})
    single = single.rename_axis(["event", "security"]).reset_index("security")
    single["sector"] = single["security"].map(SECTORS)
    table = pd.concat([common, single]).rename_axis("event").reset_index()
    table = table[["event", "security", "sector", *parts]]
    table.insert(1, "session", table["event"].map(data.sessions))
    table["stands_out"] = table["p"] <= LEVEL
    for side, p in moves.p_range.items():
        table[f"largest_p_{side}"] = table["event"].map(p)
    return table.sort_values("session", kind="stable", ignore_index=True)


def alt(data: Reactions) -> str:
    """Tell the picture."""
    told = []
    for event, head in data.heads.items():
        row = data.car.loc[event]
        sides = _sides(data.moves, event) or "no sector stands out"
        note = head.note.replace("\n", ", ")
        told.append(
            f"{head.heading}, {note}: portfolio {percent(row['estimate'])} "
            f"({p_phrase(row['p_conditional'])}), {sides} "
            f"(maximum test {p_phrase(data.moves.p_max[event])}, {_range(data.moves, event)} by "
            "the number of earlier days)"
        )
    return (
        f"{title(data)}. Table of coloured cells, one column a core session, the portfolio on top "
        "and eleven sectors below, blue ahead of what beta explains, vermilion behind. "
        f"{'; '.join(told)}."
    )


# -- the picture ---------------------------------------------------------------------------------


def cells(data: Reactions) -> pd.DataFrame:
    """Return what stands in each cell; the portfolio has its p beside it."""
    rows = table(data).rename(columns={"sector": "name", "stands_out": "framed"})
    common = rows["security"] == "portfolio"
    p = ("\n" + rows["p"].map(brief_p)).where(common, "")
    written = rows["estimate"].map(lambda move: percent(move, 1)) + p
    name = rows["name"].mask(common, "Average of the eleven\nand its conditional p")
    return rows.assign(name=name, written=written)


def draw(data: Reactions) -> Figure:
    """Draw a table of coloured cells: one column a session, one row a security."""
    return cell_table(
        words(data),
        data.heads,
        cells(data),
        flat=48,
        meaning=(
            f"p at most {number(LEVEL)}; for sectors the step-down maximum test over all eleven, "
            f"among the {NEAREST} of {data.moves.pool.min():,.0f} or more earlier sessions whose "
            "market moves were nearest, in standard deviations"
        ),
        marks=in_order(head.mark for head in data.heads.values()),
        below=("p of the largest move", [p_value(p) for p in data.moves.p_max]),
    )
