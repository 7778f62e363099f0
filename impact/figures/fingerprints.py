"""The fingerprint of a day: what Chinese shares, bonds and gold did when the S&P 500 moved.

News of China should move Chinese shares, news of jobs US bonds. Each series is tested for itself,
against its own variance as known the evening before.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from impact.charts.cells import cell_table
from impact.charts.page import Words
from impact.charts.paths import Panel
from impact.figures.common import (
    CHINA_CALLED,
    NEWS,
    brief_p,
    column_head,
    core_of,
    core_study,
    index_returns,
    model_of,
    source,
)
from impact.inference.tests import LEVEL
from impact.inference.yardsticks import yardsticks
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.news.kinds import in_order
from impact.study.event_study import event_study
from impact.text.formats import counted, date, list_of, number, p_phrase, p_value, percent

#: What each series is, in the order of the rows.
NAMES = {
    "^GSPC": "the S&P 500",
    "MCHI": "China (MCHI)",
    "FXI": "China's largest firms (FXI)",
    "EEM": "emerging markets (EEM)",
    "EFA": "developed markets (EFA)",
    "GLD": "gold (GLD)",
    "TLT": "long US Treasuries (TLT)",
}


@dataclass(frozen=True)
class Fingerprints:
    """Column heads by event, one row a session and series, and what to say of the variances.

    `by_forecast` has p of the day that China called, by series and forecast of volatility.
    """

    heads: dict[str, Panel]
    moves: pd.DataFrame
    by_forecast: pd.DataFrame
    notes: tuple[str, ...]


def data() -> Fingerprints:
    """Test the index and every fund in each core session, each against its own variance."""
    returns = log_returns(load_prices("funds"))
    funds = core_of(event_study(returns, load_events(since=NEWS))).car(0, conditional=True)
    index = core_study()
    there = funds.index.unique("event")
    heads = {
        unit.Index: column_head(unit)
        for unit in index.alignment.itertuples()
        if unit.Index in there
    }
    common = index.car(0).set_axis(index.alignment.index.rename("event"))
    moves = pd.concat([common.assign(security="^GSPC").reset_index(), funds.reset_index()])
    numbers = {"estimate": "estimate", "z_conditional": "z", "p_conditional": "p"}
    moves = moves[["event", "security", "session", *numbers]].rename(columns=numbers)
    moves["series"] = moves["security"].map(NAMES)
    moves["unusual"] = moves["p"] <= LEVEL
    moves = moves.sort_values("security", key=lambda names: names.map(list(NAMES).index))
    moves = moves.sort_values("session", kind="stable")
    moves = moves[moves["event"].isin(heads)].reset_index(drop=True)
    day = moves.loc[moves["event"] == CHINA_CALLED, "session"].iloc[0]
    series = {"^GSPC": index_returns(), **returns}
    by_forecast = {
        NAMES[name]: yardsticks(event_study(series[name].dropna(), [day]))["p_value"]
        for name in NAMES
    }
    table = pd.DataFrame(by_forecast).T.dropna(axis=1, how="all")
    return Fingerprints(heads, moves, table, tuple(funds.attrs["notes"]))


def title(data: Fingerprints) -> str:
    """Say which series moved unusually far on the day that China called by which forecasts."""
    day = data.moves[data.moves["event"] == CHINA_CALLED]
    when, p = date(day["session"].iloc[0]), data.by_forecast
    by_all = p.index[(p <= LEVEL).all(axis=1)]
    by_some = p.index[(p <= LEVEL).any(axis=1)].difference(by_all, sort=False)
    if not len(by_all) + len(by_some):
        return f"On {when} neither the S&P 500 nor any of {len(day) - 1} funds moved unusually far"
    clear = [f"{list_of(by_all)} moved unusually far"] if len(by_all) else []
    ranges = list_of(f"{name.split(' (')[0]} (p {_range(p.loc[name])})" for name in by_some)
    moved = "" if clear else "moved unusually far "
    open_ = [f"{ranges} {moved}by only some volatility forecasts"] if len(by_some) else []
    return f"On {when} {'; '.join([*clear, *open_])}"


def _range(p: pd.Series) -> str:
    return f"{p_value(p.min())} to {p_value(p.max())}"


def words(data: Fingerprints) -> Words:
    """Return what is written around the picture."""
    n = len(data.moves)
    early = sum("EWMA" in note for note in data.notes)
    said = f" {counted(early, 'cell')} of MCHI: EWMA 0.94, its history is short." if early else ""
    return Words(
        title(data),
        f"Abnormal log return of session 0 ({model_of(core_study())}), in %, and its conditional "
        "p; coloured by z, its size in standard deviations known the evening before (GJR-GARCH). "
        f"Each series is tested for itself: of {n} cells, {number(LEVEL * n, 1)} would be framed "
        f"by chance; {int(data.moves['unusual'].sum())} are. "
        f"n = {counted(len(data.heads), 'session')} of core events.{said}",
        source("fingerprints", "sp500.csv", "events.csv", "macro_releases.csv", prices="funds"),
    )


def table(data: Fingerprints) -> pd.DataFrame:
    """Return one row a session and series."""
    return data.moves


def alt(data: Fingerprints) -> str:
    """Tell the picture."""
    p, told = data.by_forecast, []
    by_forecast = "; ".join(f"{name} {', '.join(map(p_value, row))}" for name, row in p.T.items())
    for event, head in data.heads.items():
        rows = data.moves[data.moves["event"] == event].itertuples()
        moved = "; ".join(
            f"{row.series} {percent(row.estimate)} ({p_phrase(row.p)})" for row in rows
        )
        told.append(f"{head.heading}, {head.note.replace(chr(10), ', ')}: {moved}")
    return (
        f"{title(data)}. Of {len(data.moves)} cells {number(LEVEL * len(data.moves), 1)} would be "
        f"framed by chance, {int(data.moves['unusual'].sum())} are. p under {list_of(p.columns)} "
        f"on the day that China called: {by_forecast}. "
        "Table of coloured cells, one column a core session, the S&P 500 on top "
        f"and {len(NAMES) - 1} funds below, blue for a rise, vermilion for a fall. "
        f"{'. '.join(told)}."
    )


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Fingerprints) -> Figure:
    """Draw a table of coloured cells: one column a session, one row a series."""
    moves = data.moves
    written = moves["estimate"].map(lambda move: percent(move, 1)) + "\n" + moves["p"].map(brief_p)
    name, framed = moves["security"].map(_row_name), moves["unusual"]
    return cell_table(
        words(data),
        data.heads,
        moves.assign(name=name, written=written, framed=framed),
        flat=78,
        meaning=f"p at most {number(LEVEL)}, each series for itself",
        marks=in_order(head.mark for head in data.heads.values()),
    )


def _row_name(security: str) -> str:
    name = NAMES[security].removeprefix("the ")
    return name[0].upper() + name[1:].replace(" (", "\n(")
