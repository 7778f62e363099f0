"""The panel engine against a floor in plain NumPy, the memory of ``tests()``, and forecasts.

``python -m benchmarks.panels pairs N``, ``tests N`` or ``forecasts N``. The floor is the same
arithmetic without labels, checks or missing returns, in chunks that stay in the processor's cache.
"""

import json
import sys
import tracemalloc

import numpy as np
import pandas as pd

from benchmarks.process import peak_memory, places, timed
from impact.market.windows import Window
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy

ESTIMATION, WINDOW = Window(-260, -11), Window(-10, 10)
SESSIONS, FIRST = 2_500, 300
REPEATS = 3

#: Events of the panel whose days are set beside their forecasts.
EVENTS = 50

#: Pairs that the floor takes at a time: the fastest of 64 to 8,192, 250 returns each are 0.5 MiB.
CHUNK = 256


def simulated(securities: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Returns of securities that load on one market, and the market's."""
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2000-01-03", periods=SESSIONS, name="date")
    market = 0.01 * rng.standard_normal(SESSIONS)
    returns = 0.02 * rng.standard_normal((SESSIONS, securities)) + market[:, None]
    columns = [f"S{i:04d}" for i in range(securities)]
    return pd.DataFrame(returns, index, columns), pd.Series(market, index, name="market")


def study_of(returns: pd.DataFrame, market: pd.Series, events: pd.DataFrame) -> EventStudy:
    """The study that is measured."""
    return event_study(
        returns,
        events,
        model="market",
        benchmark=market,
        volatility=None,
        estimation=(ESTIMATION.start, ESTIMATION.end),
        window=(WINDOW.start, WINDOW.end),
        kind="simple",
    )


def floor(
    returns: np.ndarray, market: np.ndarray, position: np.ndarray, column: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Market-model CARs of the whole window and their standard errors, shape (M,) each."""
    car, error = np.empty(len(position)), np.empty(len(position))
    by_security = np.ascontiguousarray(returns.T)
    for start in range(0, len(position), CHUNK):
        pick = slice(start, start + CHUNK)
        at, of = position[pick, None], column[pick, None]
        y, x = by_security[of, at + ESTIMATION.offsets], market[at + ESTIMATION.offsets]
        x_mean, y_mean = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
        x, y = x - x_mean, y - y_mean
        squares = np.einsum("ml,ml->m", x, x)
        beta = np.einsum("ml,ml->m", x, y) / squares
        residuals = y - beta[:, None] * x
        variance = np.einsum("ml,ml->m", residuals, residuals) / (ESTIMATION.length - 2)
        total = (market[at + WINDOW.offsets] - x_mean).sum(axis=1)
        moved = (by_security[of, at + WINDOW.offsets] - y_mean).sum(axis=1)
        factor = WINDOW.length + WINDOW.length**2 / ESTIMATION.length + total**2 / squares
        car[pick], error[pick] = moved - beta * total, np.sqrt(variance * factor)
    return car, error


def pairs(count: int) -> dict[str, object]:
    """So many pairs, common events on up to 500 securities, against the floor."""
    securities = min(count // 2, 500)
    returns, market = simulated(securities, seed=4)
    position = np.linspace(FIRST, SESSIONS - 20, count // securities).astype(int)
    events = pd.DataFrame({"session": returns.index[position]})
    before = peak_memory()

    def ours() -> pd.DataFrame:
        return study_of(returns, market, events).car(WINDOW.start, WINDOW.end)

    car = ours()
    peak = peak_memory()
    row, column = np.repeat(position, securities), np.tile(np.arange(securities), len(position))
    values, line = returns.to_numpy(), market.to_numpy()

    def plain() -> tuple[np.ndarray, np.ndarray]:
        return floor(values, line, row, column)

    expected, error = plain()
    np.testing.assert_allclose(car["estimate"], expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(car["std_error"], error, rtol=1e-9)
    del car, expected, error
    times = [(timed(ours)[0], timed(plain)[0]) for _ in range(REPEATS)]
    fastest, bottom = (min(one) for one in zip(*times, strict=True))
    return {
        "pairs": count,
        "seconds": fastest,
        "floor": bottom,
        "peak": peak,
        "before": before,
        "where": places(ours),
    }


def tests_memory(count: int) -> dict[str, object]:
    """What ``tests()`` takes beyond the study of so many firm events, at its peak."""
    securities = count // 20
    returns, market = simulated(securities, seed=5)
    row = np.repeat(np.linspace(FIRST, SESSIONS - 20, 20).astype(int), securities)
    column = np.tile(np.arange(securities), 20)
    row = row + np.random.default_rng(6).integers(-9, 10, count)
    events = pd.DataFrame({"session": returns.index[row], "security": returns.columns[column]})
    study = study_of(returns, market, events)
    # What is imported at the first call belongs to no pair.
    study.take(np.arange(20)).tests(0, 1)
    tracemalloc.start()
    study.tests(0, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    fresh = study_of(returns, market, events)
    return {
        "pairs": count,
        "KiB": peak / count / 1024,
        "where": places(lambda: fresh.tests(0, 1)),
    }


def forecasts(securities: int) -> dict[str, object]:
    """A day in units of its forecast for so many securities and common events, by two processes."""
    returns, market = simulated(securities, seed=7)
    calm_and_storm = np.exp(0.7 * np.sin(np.arange(SESSIONS) / 40))
    returns, market = returns.mul(calm_and_storm, axis=0), market * calm_and_storm
    rows = np.sort(np.random.default_rng(8).choice(np.arange(600, SESSIONS), EVENTS, replace=False))
    events = pd.DataFrame({"session": returns.index[rows]})

    def study(columns: slice, jobs: int) -> pd.DataFrame:
        panel = event_study(
            returns.iloc[:, columns],
            events,
            model="market",
            benchmark=market,
            window=(0, 0),
            kind="simple",
            n_jobs=jobs,
        )
        return panel.car(0, conditional=True)

    seconds, found = timed(lambda: study(slice(None), 2))
    return {
        "pairs": int(found["z_conditional"].count()),
        "seconds": seconds,
        "where": places(lambda: study(slice(2), 1)),
    }


if __name__ == "__main__":
    what, size = sys.argv[1:]
    measured = {"pairs": pairs, "tests": tests_memory, "forecasts": forecasts}
    print(json.dumps(measured[what](int(size))))
