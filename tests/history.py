"""The long S&P 500 and VIX history, read without impact: what its variance tests start from."""

import functools
from pathlib import Path

import arch.data.wti
import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "data"


def _closes(name: str) -> pd.Series:
    return pd.read_csv(DATA / name, index_col="date", parse_dates=True)["close"]


@functools.cache
def index_returns() -> pd.Series:
    """Log returns of the S&P 500, 1999-01-05 to 2026-08-31."""
    return np.log(_closes("sp500.csv")["1999":]).diff().dropna()


@functools.cache
def vix() -> pd.Series:
    """Closes of the VIX, 1990-01-02 to 2026-08-28."""
    return _closes("vix.csv")


def row(day: str) -> int:
    """Position of a session in `index_returns`."""
    return int(index_returns().index.get_loc(pd.Timestamp(day)))


def garch_path(n: int, seed: int, *, nu: float = 6.0, gamma: float = 0.1) -> np.ndarray:
    """Simulate a GJR-GARCH(1,1) with unit-variance Student t, step by step."""
    rng = np.random.default_rng(seed)
    variance, path = 1e-4, np.empty(n)
    z = rng.standard_t(nu, n) * np.sqrt((nu - 2) / nu)
    for t in range(n):
        shock = np.sqrt(variance) * z[t]
        path[t] = 0.0003 + shock
        variance = 2e-6 + (0.05 + gamma * (shock < 0)) * shock**2 + 0.88 * variance
    return path


def dated(values: np.ndarray, begin: str = "2010-01-01") -> pd.Series:
    """Values on the weekdays from a first day on."""
    return pd.Series(values, pd.bdate_range(begin, periods=len(values), name="date"))


@functools.cache
def oil_returns() -> np.ndarray:
    """Log returns of crude oil, 1986 to 2019, with the fall of 41% on 17 January 1991."""
    return np.log(arch.data.wti.load()["DCOILWTICO"].dropna()).diff().dropna().to_numpy()
