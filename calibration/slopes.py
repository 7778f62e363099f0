"""Slopes of one date on characteristics of the securities, on real sessions and simulated ones.

Sector funds and firms on sessions since 2006 and 2023, and a panel of factors with the truth
known. Nothing happens to the characteristic: what rejects more often than its level takes the
common moves of the securities for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from calibration.single import ESTIMATION
from impact.inference.size import thirds, trailing_volatility
from impact.inference.slope import BURN_IN, MIN_POOL, ranked_slopes
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy

#: Nine sector funds have prices since 1998.
SECTORS = ["XLB", "XLE", "XLF", "XLI", "XLK", "XLP", "XLU", "XLV", "XLY"]
CYCLICAL = {"XLB", "XLE", "XLF", "XLI", "XLK", "XLY"}

#: Every so many sessions are tested.
STEP = {"sectors": 4, "firms": 2, "simulated": 4}

MODELS = ("constant-mean", "market")

#: Sessions, securities and factors of the simulated panel; their GARCH(1,1).
SIMULATED, FACTORS = (4_000, 30), 4
GARCH = (0.03, 0.10, 0.87)

#: Groups of days beside thirds of the market's volatility before them.
MOVED, WITHOUT_NEWS = "largest 5% of market moves", "2025, no announcement"


def slope_jobs(last: str, seed: int) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the p of every session, panel and model; see `slope_rows`."""
    market = log_returns(load_prices(end=last))
    sectors = log_returns(load_prices("sectors", start="2005-01-01", end=last)[SECTORS].dropna())
    firms = log_returns(load_prices("firms", end=last))
    about = pd.read_csv(data_path("firms_about.csv"), index_col="ticker").reindex(firms.columns)
    exposure = about["china_escalation_ar_2018_2019"]
    exposed = exposure.notna().to_numpy()
    fixed = {
        "sectors": {
            "cyclical": np.array([name in CYCLICAL for name in SECTORS], float),
            "energy": np.array([name == "XLE" for name in SECTORS], float),
        },
        "firms": {
            "exposure": exposure[exposed].to_numpy(),
            "technology": (about["sector"] == "Information Technology").to_numpy(float)[exposed],
        },
    }
    made, factor, traits = simulated_panel(np.random.default_rng(seed), *SIMULATED)
    panels = [
        ("sectors", sectors, market, fixed["sectors"]),
        ("firms", firms.loc[:, exposed], market, fixed["firms"]),
        ("simulated", made, factor, traits),
    ]
    return [partial(tested, *panel, model) for panel in panels for model in MODELS]


def simulated_panel(
    rng: np.random.Generator, sessions: int, securities: int
) -> tuple[pd.DataFrame, pd.Series, dict[str, np.ndarray]]:
    """Return returns of securities, the market, and characteristics that explain nothing.

    The market and three further factors, each with a GARCH(1,1) of its own, and own moves with
    Student t tails; one characteristic is noise, the other is near the loading of a factor.
    """
    shocks = rng.standard_t(6, (sessions, FACTORS)) * np.sqrt(4 / 6)
    variance, factors = np.ones(FACTORS), np.empty_like(shocks)
    omega, alpha, beta = GARCH
    for t, shock in enumerate(shocks):
        factors[t] = np.sqrt(variance) * shock
        variance = omega + alpha * factors[t] ** 2 + beta * variance
    loadings = 0.5 * rng.standard_normal((FACTORS, securities))
    loadings[0] += 1
    own = 0.8 * rng.standard_t(5, (sessions, securities))
    days = pd.bdate_range("2000-01-03", periods=sessions)
    names = [f"S{i:02d}" for i in range(securities)]
    returns = pd.DataFrame(0.01 * (factors @ loadings + own), days, names)
    market = pd.Series(0.01 * factors[:, 0], days, name="market")
    near = loadings[1] + 0.3 * rng.standard_normal(securities)
    traits = {"noise": rng.standard_normal(securities), "near a factor": near}
    return returns, market, traits


def tested(
    panel: str,
    returns: pd.DataFrame,
    market: pd.Series,
    traits: dict[str, np.ndarray],
    model: str,
) -> pd.DataFrame:
    """p of every test and characteristic on some sessions; one of these is the market beta."""
    rows = np.arange(MIN_POOL + BURN_IN + 1, len(returns), STEP[panel])
    study = event_study(
        returns,
        pd.DataFrame({"session": returns.index[rows]}),
        model=model,
        benchmark=None if model == "constant-mean" else market,
        estimation=ESTIMATION,
        window=(0, 0),
        volatility=None,
        kind="log",
        market="NYSE" if panel != "simulated" else None,
    )
    betas = _betas(returns, market, study)
    found = [
        (study.alignment["session"].iloc[unit], test, p, rise)
        for unit in range(len(study.alignment))
        for characteristic in [betas[unit], *traits.values()]
        for test, p, rise in _p(study, unit, characteristic)
    ]
    frame = pd.DataFrame(found, columns=["session", "test", "p", "rise"])
    frame = frame.dropna(subset="p", ignore_index=True)
    spread = pd.Series(trailing_volatility(market.to_numpy()), market.index)
    frame["spread"] = spread[frame["session"]].to_numpy()
    frame["moved"] = market[frame["session"]].abs().to_numpy() / frame["spread"]
    return frame.assign(panel=panel, model=model)


def _betas(returns: pd.DataFrame, market: pd.Series, study: EventStudy) -> np.ndarray:
    """Market betas of the estimation windows, (units, securities)."""
    values, index = returns.to_numpy(), market[returns.index].to_numpy()
    at = returns.index.get_indexer(study.alignment["session"])
    betas = []
    for row in at:
        window = slice(row + ESTIMATION[0], row + ESTIMATION[1] + 1)
        apart = index[window] - index[window].mean()
        betas.append(apart @ values[window] / (apart @ apart))
    return np.array(betas)


def _p(
    study: EventStudy, unit: int, characteristic: np.ndarray
) -> Iterator[tuple[str, float, bool]]:
    one = study.take(np.flatnonzero(study.fits.unit == unit))
    design = np.column_stack([np.ones(len(one)), characteristic])
    for test, gls in (("ranked_slope", False), ("ranked_slope_gls", True)):
        ranked = ranked_slopes(one, design, gls=gls)
        table = ranked.table(pd.RangeIndex(2))
        yield test, table["p_value"].iloc[1], bool(ranked.estimate[1] > 0)
    slope, p = hc3(one.over(0).car, design)
    yield "hc3", p, slope > 0


def hc3(car: np.ndarray, design: np.ndarray) -> tuple[float, float]:
    """Slope and p of the test that takes the securities as independent.

    p is NaN where a security is fitted by a column of its own and has no error.
    """
    weights = np.linalg.pinv(design)
    leverage = np.einsum("ij,ji->i", design, weights)
    estimate = weights @ car
    if leverage.max() > 1 - 1e-9:
        return float(estimate[1]), np.nan
    left = (car - design @ estimate) / (1 - leverage)
    error = np.sqrt(np.square(weights[1] * left).sum())
    dof = len(car) - design.shape[1]
    return float(estimate[1]), float(2 * stats.t.sf(abs(estimate[1]) / error, dof))


def slope_rows(found: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Rejection rates by test and model; the characteristics of one session drawn together."""
    parts = []
    index = pd.DatetimeIndex(load_prices().index)
    news = align(load_events(), index, market="NYSE")["session"].dropna()
    for sample in found:
        days = pd.DatetimeIndex(sample["session"])
        session, dates = pd.factorize(days, sort=True)
        weights = resampling_weights(len(dates), BLOCK, seed)
        for test, rows in sample.groupby("test", sort=False):
            at = rows.index
            spread = rows["spread"].to_numpy()
            quiet = (days[at].year == 2025) & ~days[at].isin(news)
            groups = {
                "all": np.ones(len(rows), bool),
                **thirds(spread, "volatility"),
                MOVED: (rows["moved"] >= rows["moved"].quantile(0.95)).to_numpy(),
            }
            if sample["panel"].iloc[0] != "simulated":
                groups[WITHOUT_NEWS] = quiet
            tests = Pooled(session[at], rows["p"].to_numpy(), rows["rise"].to_numpy(bool))
            parts.append(
                pooled_rows(
                    tests,
                    groups,
                    weights,
                    experiment=f"slope-{sample['panel'].iloc[0]}",
                    test=test,
                    model=sample["model"].iloc[0],
                    window=window_name((0, 0)),
                )
            )
    return pd.concat(parts, ignore_index=True)
