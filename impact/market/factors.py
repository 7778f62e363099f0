"""The committed factor returns of Kenneth French: ``load_factors`` never touches the network."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from impact.errors import DataFileError
from impact.market.checks import check_numbers, refuse_values
from impact.market.daily_table import between, read_daily_table
from impact.market.files import data_hash, data_path
from impact.market.prices import check_sessions

FACTORS = ("market_excess", "smb", "hml", "rmw", "cma", "risk_free", "momentum")

_FILE = "factors.csv"
#: Largest believable daily return of a factor, as a fraction: the market fell by .174 in 1987.
_LARGEST = 0.25


def load_factors(*, start: Any = None, end: Any = None) -> pd.DataFrame:
    """Return the committed daily factor returns of Fama and French; no network.

    Parameters
    ----------
    start, end : str, date or Timestamp, optional
        First and last date wanted, ISO form; 2005-01-03 to 2025-11-28 by default.

    Returns
    -------
    DataFrame, shape (T, 7)
        Simple returns as decimal fractions, every NYSE session: `market_excess` (the market of
        all US shares less the risk-free rate), `smb`, `hml`, `rmw`, `cma` (size, value,
        profitability, investment), `risk_free`, `momentum`. `risk_free` is published in whole
        basis points a day: subtract it, but do not compound it. ``attrs`` holds ``source``,
        ``hash`` and ``returns``, "simple": log returns cannot stand beside them.

    Raises
    ------
    DataFileError
        When the file breaks one of its rules.
    DateError
        When a date cannot be read or no row lies between the two.

    References
    ----------
    Fama and French (2015), A five-factor asset pricing model. Carhart (1997), On persistence in
    mutual fund performance (momentum).

    Examples
    --------
    >>> factors = load_factors(start="2025-04-09", end="2025-04-09")
    >>> float(factors["market_excess"].iloc[0])
    0.0965
    """
    return between(_factors(data_hash(_FILE)), start, end)


@functools.cache
def _factors(digest: str) -> pd.DataFrame:
    """Return the factors of the committed file; the key makes a changed one read again."""
    factors = check_numbers(read_daily_table(data_path(_FILE), FACTORS), _FILE, DataFileError)
    check_sessions(factors.index, _FILE)
    bad = ~(np.abs(factors.to_numpy()) < _LARGEST)
    refuse_values(factors, bad, _FILE, "is not a daily return as a fraction", DataFileError)
    factors.attrs = {
        "source": f"factors of Kenneth French's data library, November 2025: data/{_FILE}",
        "hash": digest,
        "returns": "simple",
    }
    return factors
