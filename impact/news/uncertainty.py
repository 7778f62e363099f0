"""How much newspapers write of trade-policy uncertainty, day by day.

`load_uncertainty` never touches the network.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DataFileError
from impact.market.checks import check_numbers, refuse_values
from impact.market.daily_table import between, read_daily_table
from impact.market.files import data_hash, data_path
from impact.text.formats import iso

_FILE = "tpu.csv"


def load_uncertainty(*, start: Any = None, end: Any = None) -> pd.Series:
    """Return the committed daily index of US trade-policy uncertainty; no network.

    Parameters
    ----------
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form; 2017-01-01 to 2026-06-18 by default.

    Returns
    -------
    Series, shape (days,)
        Named "tpu", one value a calendar day, weekends and holidays included: how often
        newspapers wrote of uncertainty and trade policy together, as an index. Single days vary
        by chance; an average over a week or a month says more. The level rose in March 2020
        without trade news to match: compare days of one period. ``attrs`` holds ``source`` and
        ``hash``.

    Raises
    ------
    DataFileError
        When the file breaks one of its rules.
    DateError
        When a date cannot be read or no day lies between the two.

    References
    ----------
    Baker, Bloom and Davis (2016), Measuring economic policy uncertainty.

    Examples
    --------
    >>> uncertainty = load_uncertainty(start="2025-04-01", end="2025-04-30")
    >>> len(uncertainty), bool(uncertainty.mean() > load_uncertainty(end="2017-12-31").mean())
    (30, True)
    """
    return between(_uncertainty(data_hash(_FILE)), start, end)


@functools.cache
def _uncertainty(digest: str) -> pd.Series:
    """Return the index of the committed file; the key makes a changed one read again."""
    table = check_numbers(read_daily_table(data_path(_FILE), ["tpu"]), _FILE, DataFileError)
    days = pd.date_range(table.index[0], table.index[-1])
    if len(missing := days.difference(table.index)):
        raise DataFileError(f"{_FILE}: the day {iso(missing[0])} is missing: add its row")
    bad = ~(np.isfinite(table.to_numpy()) & (table.to_numpy() >= 0))
    refuse_values(table, bad, _FILE, "is no count of articles as an index", DataFileError)
    index = table["tpu"]
    index.attrs = {
        "source": f"trade policy uncertainty of Baker, Bloom and Davis: data/{_FILE}",
        "hash": digest,
    }
    return index
