"""The long S&P 500 and VIX history, read without impact: what its variance tests start from."""

import functools
from pathlib import Path

import arch.data.sp500
import arch.data.vix
import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "data"


def _joined(older: pd.Series, name: str) -> pd.Series:
    recent = pd.read_csv(DATA / name, index_col="date", parse_dates=True)["close"]
    return pd.concat([older[older.index < recent.index[0]], recent])


@functools.cache
def index_returns() -> pd.Series:
    """Log returns of the S&P 500, 1999-01-05 to 2026-08-31."""
    closes = _joined(arch.data.sp500.load()["Adj Close"], "sp500.csv")
    return np.log(closes).diff().dropna()


@functools.cache
def vix() -> pd.Series:
    """Closes of the VIX, 2014-01-03 to 2026-08-28."""
    return _joined(arch.data.vix.load().iloc[:, 0], "vix.csv")


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
