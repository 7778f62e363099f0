"""What several named figures share: the study behind them, and how they name their sources."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from impact.market.files import data_hash
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy

#: First day of announcements that are studied.
NEWS = "2025-01-01"


@cache
def index_returns() -> pd.Series:
    """Log returns of the S&P 500 over the whole history."""
    return log_returns(load_prices())


@cache
def news_study() -> EventStudy:
    """Every announcement since 2025 on the S&P 500: constant mean, GJR-GARCH variance."""
    return event_study(index_returns(), load_events(since=NEWS))


@cache
def core_study() -> EventStudy:
    """Return the sessions of the core events out of `news_study`."""
    return core_of(news_study())


def core_of(study: EventStudy) -> EventStudy:
    """Return the sessions that hold core events out of a study of the catalogue."""
    core = set(load_events(tags="core").index)
    holds = [not core.isdisjoint(members) for members in study.alignment["announcements"]]
    return study.take(np.flatnonzero(np.array(holds)[study.fits.unit]))


def core_labels(members: Sequence[str]) -> list[str]:
    """Return the labels of the core events among some announcements."""
    core = load_events(tags="core")
    return [core.loc[name, "label"] for name in members if name in core.index]


def core_directions(members: Sequence[str]) -> str:
    """Return the directions of the core events among some announcements, joined by ``;``."""
    core = load_events(tags="core")
    return ";".join(core.loc[name, "direction"] for name in members if name in core.index)


def source(name: str, *files: str, prices: str = "^GSPC") -> str:
    """Name the closes and further data files with their hashes, and the numbers of a figure."""
    closes = load_prices(prices)
    parts = [f"{closes.attrs['source']} ({closes.attrs['hash']})"]
    parts += [f"data/{name} ({data_hash(name)})" for name in files]
    return f"Source: {'; '.join(parts)}. Numbers: figures/{name}.csv"


def model_of(study: EventStudy) -> str:
    """Say with which normal returns a study was made."""
    settings = study.settings
    return f"{study.layout.name} estimated over sessions {settings.estimation}"


def short_day(session: pd.Timestamp) -> str:
    """Return a date as ``2 May``."""
    return f"{session.day} {session:%b}"
