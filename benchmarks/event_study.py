"""Speed and memory of the panel engine, on simulated returns: `make bench`.

The floor is the same arithmetic in plain NumPy, without labels, checks or missing returns.
"""

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from impact.inference import grank_t, kp_bmp
from impact.inference.event_sets import shift_test
from impact.market.windows import Window
from impact.study.event_study import event_study

ESTIMATION, WINDOW = Window(-260, -11), Window(-10, 10)
REPEATS = 7

#: What the design asks for.
RATIO_BAR, MEMORY_BAR, SHIFT_BAR = 3.0, 2.0, 0.2


def simulated(sessions: int, securities: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Returns of securities that load on one market, and the market's."""
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2000-01-03", periods=sessions, name="date")
    market = 0.01 * rng.standard_normal(sessions)
    returns = 0.02 * rng.standard_normal((sessions, securities)) + market[:, None]
    columns = [f"S{i:04d}" for i in range(securities)]
    return pd.DataFrame(returns, index, columns), pd.Series(market, index, name="market")


def best(run) -> float:
    """Shortest of some runs, in seconds."""
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return min(took)


def floor(returns, market, position, column) -> tuple[np.ndarray, ...]:
    """Market-model fits, abnormal returns, CARs and standard errors of the whole window."""
    rows = position[:, None] + ESTIMATION.offsets
    y, x = returns[rows, column[:, None]], market[rows]
    x_mean, y_mean = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
    x, y = x - x_mean, y - y_mean
    squares = np.einsum("ml,ml->m", x, x)[:, None]
    beta = np.einsum("ml,ml->m", x, y)[:, None] / squares
    alpha = y_mean - beta * x_mean
    residuals = y - beta * x
    variance = np.einsum("ml,ml->m", residuals, residuals) / (ESTIMATION.length - 2)
    rows = position[:, None] + WINDOW.offsets
    ahead = market[rows]
    abnormal = returns[rows, column[:, None]] - alpha - beta * ahead
    total = (ahead - x_mean).sum(axis=1)
    factor = WINDOW.length + WINDOW.length**2 / ESTIMATION.length + total**2 / squares[:, 0]
    car = abnormal.sum(axis=1)
    return alpha, beta, abnormal, car, np.sqrt(variance * factor)


def firm_events() -> None:
    """5,000 firm events against the floor; both must give the same numbers."""
    returns, market = simulated(2_500, 1_000, seed=1)
    rng = np.random.default_rng(2)
    cells = rng.choice(1_000 * 2_200, size=5_000, replace=False)
    column, position = cells // 2_200, 275 + cells % 2_200
    events = pd.DataFrame(
        {
            "id": [f"e{i}" for i in range(5_000)],
            "session": returns.index[position],
            "security": returns.columns[column],
        }
    )
    values, line = returns.to_numpy(), market.to_numpy()

    def ours():
        return event_study(
            returns,
            events,
            model="market",
            benchmark=market,
            volatility=None,
            estimation=(-260, -11),
            window=(-10, 10),
            kind="simple",
        )

    car = ours().car(-10, 10)
    *_, expected, error = floor(values, line, position, column)
    np.testing.assert_allclose(car["estimate"], expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(car["std_error"], error, rtol=1e-9)
    study, plain = best(ours), best(lambda: floor(values, line, position, column))
    print(
        f"5,000 firm events: {1e3 * study:.0f} ms, NumPy floor {1e3 * plain:.0f} ms, "
        f"ratio {study / plain:.1f} (bar {RATIO_BAR:.0f})"
    )


def sectors() -> None:
    """11 sectors x 80 events, with CARs and two tests of one window."""
    returns, market = simulated(1_500, 11, seed=3)
    sessions = returns.index[np.linspace(280, 1_480, 80).astype(int)]

    def ours():
        return event_study(
            returns,
            pd.DataFrame({"session": sessions}),
            model="market",
            benchmark=market,
            volatility=None,
            kind="simple",
        )

    def with_tests():
        study = ours()
        return study.car(0, 1), kp_bmp(study, 0, 1), grank_t(study, 0, 1)

    print(
        f"11 sectors x 80 events ({len(ours())} pairs): study {1e3 * best(ours):.0f} ms, with "
        f"CARs, Kolari-Pynnonen and GRANK-T {1e3 * best(with_tests):.0f} ms"
    )


def a_million_pairs() -> None:
    """1,000,000 pairs through the public call, in a process of its own."""
    run = subprocess.run(
        [sys.executable, __file__, "--pairs"], capture_output=True, text=True, check=True
    )
    print(run.stdout.strip())


def measure_pairs() -> None:
    """Study 2,000 common events on 500 securities, and print time and peak memory."""
    returns, market = simulated(2_500, 500, seed=4)
    sessions = returns.index[300:2_300]
    start = time.perf_counter()
    study = event_study(
        returns,
        pd.DataFrame({"session": sessions}),
        model="market",
        benchmark=market,
        volatility=None,
        estimation=(-260, -11),
        window=(-10, 10),
        kind="simple",
    )
    car = study.car(-10, 10)
    took = time.perf_counter() - start
    # Linux counts in KiB, macOS in bytes.
    unit = 2**30 if sys.platform == "darwin" else 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(
        f"{len(car):,} pairs with their CARs: {took:.1f} s, peak memory {peak:.2f} GiB "
        f"(bar {MEMORY_BAR:.0f} GiB)"
    )


def shifts() -> None:
    """All circular shifts of a set of 30 events on 5,000 sessions."""
    rng = np.random.default_rng(5)
    z = pd.Series(rng.standard_normal(5_000), pd.bdate_range("2000-01-03", periods=5_000))
    sessions = z.index[np.sort(rng.choice(5_000, size=30, replace=False))]
    took = best(lambda: shift_test(z, sessions))
    print(f"all 4,999 shifts of 30 events: {took:.3f} s (bar {SHIFT_BAR} s)")


if __name__ == "__main__":
    if sys.argv[1:] == ["--pairs"]:
        measure_pairs()
    else:
        firm_events()
        sectors()
        a_million_pairs()
        shifts()
