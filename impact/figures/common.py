"""What several named figures share: the studies behind them, and how they name things."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from impact.analysis.intraday import intraday_study
from impact.analysis.intraday_result import IntradayStudy
from impact.charts.paths import Panel
from impact.hypotheses.selection import ROW_SETS
from impact.hypotheses.verdicts import (
    BEFORE_CORRECTION,
    CHANCE,
    NOT_RULED_OUT,
    Verdicts,
    evaluate_register,
)
from impact.inference.ranked_moves import RelativeMoves
from impact.inference.size import thirds, trailing_volatility
from impact.inference.who_was_hit import relative_moves
from impact.market.bars import load_bars
from impact.market.files import data_hash
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.news.kinds import MARKS, kind_of
from impact.news.minutes import EXACT
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, date, p_phrase

#: First day of announcements that are studied.
NEWS = "2025-01-01"

#: The sessions around which a story of 2 May 2025 turns.
CHINA_CALLED = "mofcom-evaluating"

#: The reading of the catalogue that the pictures show.
MAIN = ROW_SETS[0]

#: Groups of sessions by the volatility before them, with their headings.
THIRDS = (
    ("low volatility", "calm third"),
    ("middle volatility", "middle third"),
    ("high volatility", "turbulent third"),
)

#: Five-minute prices, where `source` takes the name of closes.
BARS = "five minutes"


# -- studies -------------------------------------------------------------------------------------


@cache
def index_returns() -> pd.Series:
    """Log returns of the S&P 500 over the whole history."""
    return log_returns(load_prices())


@cache
def volatility_before() -> pd.Series:
    """Volatility of the S&P 500 in the 22 sessions before each, a year."""
    returns = index_returns()
    return pd.Series(trailing_volatility(returns.to_numpy()) * np.sqrt(252), returns.index)


def by_third(sessions: pd.DataFrame) -> DataFrameGroupBy:
    """Group sessions by the thirds of their `volatility`, named as in the pictures."""
    groups = thirds(sessions["volatility"].to_numpy(), "volatility")
    parts = {heading: sessions[groups[name]] for name, heading in THIRDS}
    return pd.concat(parts, names=["heading"]).groupby("heading", sort=False)


@cache
def core_events() -> pd.DataFrame:
    """The core events of the catalogue."""
    return load_events(tags="core")


@cache
def news_study() -> EventStudy:
    """Every announcement since 2025 on the S&P 500: constant mean, GJR-GARCH variance."""
    return event_study(index_returns(), load_events(since=NEWS))


@cache
def core_study() -> EventStudy:
    """Return the sessions of the core events out of `news_study`."""
    return core_of(news_study())


def core_sessions(names: Sequence[str]) -> pd.DataFrame:
    """Return the reaction to some core events, a row each, with the kind of its session."""
    study = core_study()
    rows = pd.concat([study[name].car(0) for name in names])
    units = study.alignment.loc[rows.index]
    return rows.assign(kind=list(map(kind_of, units["direction"], units["mixed"])))


@cache
def hour_study() -> IntradayStudy:
    """Every announcement since 2025 in the half hour after it."""
    return intraday_study(load_bars(), load_events(since=NEWS))


def timed() -> pd.DataFrame:
    """Return the rows of `hour_study` whose minute is exact and tested, with label and kind."""
    rows = hour_study().table
    rows = rows[(rows["minute"] == EXACT) & rows["sigma"].notna() & rows["p_value"].notna()]
    events = load_events().loc[rows.index]
    return rows.assign(label=events["label"], kind=events["direction"].map(kind_of))


@cache
def sector_study() -> EventStudy:
    """Sessions of the core events on the eleven sector funds, from the session that has all."""
    return core_of(event_study(log_returns(load_prices("sectors")), load_events(since=NEWS)))


@cache
def sector_moves(start: int = 0, end: int | None = None) -> RelativeMoves:
    """Return what the S&P 500's move times their betas leaves of the sectors in those sessions."""
    returns, market = log_returns(load_prices("sectors")), index_returns()
    study = event_study(returns, load_events(since=NEWS), model="market", benchmark=market)
    return relative_moves(core_of(study), start, end)


def core_of(study: EventStudy) -> EventStudy:
    """Return the sessions that hold core events out of a study of the catalogue."""
    core = set(core_events().index)
    holds = [not core.isdisjoint(members) for members in study.alignment["announcements"]]
    return study.take(np.flatnonzero(np.array(holds)[study.fits.unit]))


@cache
def verdicts() -> Verdicts:
    """Every hypothesis of the register, evaluated once."""
    return evaluate_register()


def verdict(hypothesis: str, rows: str = MAIN) -> pd.Series:
    """Return what became of one hypothesis, on the main reading of the catalogue or another."""
    return verdicts().table.loc[(hypothesis, rows)]


# -- words ---------------------------------------------------------------------------------------


def core_labels(members: Sequence[str]) -> list[str]:
    """Return the labels of the core events among some announcements."""
    labels = core_events()["label"]
    return [labels[name] for name in members if name in labels]


def core_kind(unit: Any) -> str:
    """Return the kind of a session by its core events; `unit` is a row of the alignment."""
    directions = core_events()["direction"]
    told = ";".join(directions[name] for name in unit.announcements if name in directions)
    return kind_of(told, unit.mixed)


def and_more(label: str, unit: Any) -> str:
    """Return a label with the number of other announcements in its session: ``Pause +1``."""
    others = len(unit.announcements) - 1
    return label + (f" +{others}" if others else "")


def column_head(unit: Any) -> Panel:
    """Return what stands over the column of a session: its day, its news, releases, its look."""
    note = and_more(core_labels(unit.announcements)[0], unit)
    if unit.releases:
        note += f"\nwith {unit.releases}"
    return Panel(short_day(unit.session), note, MARKS[core_kind(unit)])


def session_panel(unit: Any) -> Panel:
    """Return what stands over the picture of a session: core events, its day with the rest of it.

    The rest are releases, and events that are not core.
    """
    labels = core_labels(unit.announcements)
    others = len(unit.announcements) - len(labels)
    more = counted(others, "more event") if others else ""
    note = ", ".join(filter(None, [date(unit.session), unit.releases, more]))
    return Panel("; ".join(labels), note, MARKS[core_kind(unit)])


def brief_p(p: float) -> str:
    """Return a p as a narrow cell has room for: ``p 0.012``, ``p < 0.001``."""
    return p_phrase(p).replace("= ", "")


def short_day(session: pd.Timestamp) -> str:
    """Return a date as ``2 May``."""
    return f"{session.day} {session:%b}"


def judged(row: pd.Series) -> str:
    """Return a verdict as the end of a sentence."""
    if row["verdict"] in (CHANCE, NOT_RULED_OUT):
        return row["verdict"]
    if row["verdict"] == BEFORE_CORRECTION:
        return f"is found {BEFORE_CORRECTION}"
    return f"gets {row['verdict']}" if np.isnan(row["p_value"]) else f"is {row['verdict']}"


def model_of(study: EventStudy) -> str:
    """Say with which normal returns a study was made."""
    return f"{study.layout.name} estimated over sessions {study.settings.estimation}"


def source(name: str, *files: str, prices: str = "^GSPC") -> str:
    """Name the prices and further data files with their hashes, and the numbers of a figure."""
    facts = (load_bars() if prices == BARS else load_prices(prices)).attrs
    parts = [f"{facts['source']} ({facts['hash']})"]
    parts += [f"data/{name} ({data_hash(name)})" for name in files]
    return f"Source: {'; '.join(parts)}. Numbers: figures/{name}.csv"
