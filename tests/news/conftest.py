"""The rows on which announcements are placed, and the committed catalogue placed on them."""

import pandas as pd
import pytest

from impact.market.files import data_path
from impact.news.alignment import align
from impact.news.catalogue import load_events


@pytest.fixture(scope="session")
def since_1927() -> pd.DatetimeIndex:
    """All sessions of the committed closes, Saturdays until 1952 among them."""
    return pd.DatetimeIndex(pd.read_csv(data_path("sp500.csv"), parse_dates=["date"])["date"])


@pytest.fixture(scope="session")
def sessions(since_1927) -> pd.DatetimeIndex:
    """The sessions of 2018 to August 2026, from the committed closes."""
    return since_1927[since_1927 >= "2018"]


@pytest.fixture(scope="session")
def aligned(sessions) -> pd.DataFrame:
    return align(load_events(included=None), sessions)
