"""The tests of one session on samples that no choice was made on: earlier years, other series.

The S&P 500 of 1936 to 1998, the VIX test from 1994 on, sector funds, single firms, and funds of
other assets. The sessions of one date are drawn together for the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from calibration.experiments import AFTER_LARGE, LARGE
from calibration.rates import BLOCK, Pooled, pooled_rows, resampling_weights, window_name
from calibration.single import ESTIMATION, implied_outcomes
from impact.inference.conditional import unit_student_p
from impact.inference.equal_tails import equal_tails
from impact.inference.size import THIRDS, thirds, trailing_volatility
from impact.market.prices import INDEX, load_prices, load_vix
from impact.market.returns import log_returns
from impact.study.event_study import event_study
from impact.volatility.forecast import refits

#: Experiment -> name of the prices, and the years that are tested (all that can be: None).
SAMPLES = {
    "size-1936": (INDEX, slice("1936", "1998")),
    "size-sectors": ("sectors", slice(None)),
    "size-firms": ("firms", slice(None)),
    "size-funds": ("funds", slice(None)),
}

#: Before the first price of every file.
ALL = "1927-12-30"

#: The volatility index begins in 1990, and its test after 1,000 sessions.
SINCE_VIX, FROM_VIX = "1990-01-02", "1994"

#: Columns of the tests of one session, each with its variance model.
TESTS = {"conditional_fhs": "gjr", "conditional_t": "gjr", "prediction_t": ""}


def other_jobs(last: str) -> list[Callable[[], pd.DataFrame]]:
    """Work that gives the rows of each sample, series by series; see `other_rows`."""
    jobs = []
    for experiment, (name, years) in SAMPLES.items():
        prices = pd.DataFrame(load_prices(name, start=ALL, end=last))
        jobs += [
            partial(_tested, log_returns(prices[column].dropna()), years, experiment)
            for column in prices
        ]
    return [*jobs, partial(_by_index, last)]


def other_rows(tested: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Rejection rates of each sample from what `other_jobs` gave, with `COLUMNS`."""
    frame = pd.concat(tested)
    parts = [
        part
        for experiment, sample in frame.groupby("experiment", sort=False)
        for part in _rates(sample, str(experiment), seed)
    ]
    return pd.concat(parts, ignore_index=True)


def _rates(sample: pd.DataFrame, experiment: str, seed: int) -> Iterator[pd.DataFrame]:
    session, dates = pd.factorize(sample.index, sort=True)
    weights = resampling_weights(len(dates), BLOCK, seed)
    groups: dict[str, np.ndarray | slice] = {"all": slice(None)}
    groups |= {third: (sample["third"] == third).to_numpy() for third in THIRDS}
    groups[AFTER_LARGE] = sample["large"].to_numpy(bool)
    for test, model in (*TESTS.items(), ("implied_t", "vix")):
        if test not in sample or sample[test].isna().all():
            continue
        tests = Pooled(session, sample[test].to_numpy(float), sample["rise"].to_numpy(bool))
        yield pooled_rows(
            tests,
            groups,
            weights,
            experiment=experiment,
            test=test,
            model=model,
            window=window_name((0, 0)),
        )


def _tested(returns: pd.Series, years: slice, experiment: str) -> pd.DataFrame:
    """p of every test on every session of one series that has the history for all of them."""
    rows = []
    for month in refits(returns):
        for at in range(month.served.start, month.served.stop):
            z, past = month.z[at], month.forecast(month.begin + at).past_z
            rows.append((equal_tails(past, z), unit_student_p(z, month.fit.nu), z > 0))
    days = returns.index[-len(rows) :]
    frame = pd.DataFrame(rows, days, ["conditional_fhs", "conditional_t", "rise"])
    frame = frame.astype({"rise": bool}).loc[years]
    study = event_study(
        returns,
        pd.DataFrame({"session": frame.index}),
        estimation=ESTIMATION,
        window=(0, 0),
        volatility=None,
    )
    frame["prediction_t"] = study.car(0)["p_textbook"].to_numpy()
    return _grouped(frame, returns, experiment)


def _by_index(last: str) -> pd.DataFrame:
    """The test by the volatility index on every session that it can be calibrated for."""
    returns = log_returns(load_prices(start=SINCE_VIX, end=last))
    rows = np.flatnonzero(returns.index >= FROM_VIX)
    (found,) = implied_outcomes(returns, load_vix(end=last), rows)
    frame = pd.DataFrame({"implied_t": found.p, "rise": found.rise}, returns.index[rows])
    return _grouped(frame[np.isfinite(found.p)], returns, "size-1994")


def _grouped(frame: pd.DataFrame, returns: pd.Series, experiment: str) -> pd.DataFrame:
    """Add the third of the series' own volatility, and whether its last move was large."""
    spread = pd.Series(trailing_volatility(returns.to_numpy(float)), returns.index)
    third = pd.Series("", frame.index)
    for name, chosen in thirds(spread[frame.index].to_numpy(), "volatility").items():
        third[chosen] = name
    large = (returns.abs() > LARGE).shift(1, fill_value=False)[frame.index]
    return frame.assign(experiment=experiment, third=third, large=large)
