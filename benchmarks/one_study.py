"""One event study by one package: ``python -m benchmarks.one_study PACKAGE FOLDER LIMIT``.

This file runs in the environment of the package, where the library itself is not. Every package
gets the same firms, days and windows: market model, estimation (-260, -11), CARs of
(-10, 10) of each event and their average. Days have no gaps, so that packages that count calendar
days and packages that count rows mean the same windows. Getting the data into the shape that a
package reads is not timed.
"""

import contextlib
import io
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

FIRST, LAST, ESTIMATED = -10, 10, 250

#: A size is repeated so often or for so many seconds, whichever comes first.
REPEATS, ENOUGH = 7, 3.0


class Study(NamedTuple):
    """What every package is given: returns by day and firm, the market's, firm and day by event."""

    returns: pd.DataFrame
    market: pd.Series
    firm: list[str]
    day: pd.DatetimeIndex


#: What is timed, and how CARs, their errors (None if there are none) and the CAAR are read from it.
Job = tuple[Callable[[], Any], Callable[[Any], tuple[Any, Any, float]]]


def impact(study: Study) -> Job:
    from impact import event_study

    events = pd.DataFrame({"session": study.day, "security": study.firm})

    def run() -> tuple[pd.DataFrame, pd.DataFrame]:
        found = event_study(
            study.returns,
            events,
            model="market",
            benchmark=study.market,
            estimation=(-260, -11),
            window=(FIRST, LAST),
            volatility=None,
            kind="simple",
            market="24/7",
        )
        return found.car(FIRST, LAST), found.caar()

    return run, lambda found: (
        found[0]["estimate"],
        found[0]["std_error"],
        found[1].loc[LAST, "estimate"],
    )


def eventstudy(study: Study) -> Job:
    from eventstudy import Multiple, Single

    file = io.StringIO()
    study.returns.assign(market=study.market).to_csv(file, index_label="date")
    file.seek(0)
    Single.import_returns(file)
    events = [
        {"event_date": day, "security_ticker": firm, "market_ticker": "market"}
        for firm, day in zip(study.firm, study.day.to_numpy(), strict=True)
    ]

    def run() -> Any:
        found = Multiple.from_list(
            events, Single.market_model, (FIRST, LAST), ESTIMATED, 0, ignore_errors=False
        )
        found.results(asterisks=False)
        return found

    return run, lambda found: (
        found.CAR,
        [one.var_CAR[-1] ** 0.5 for one in found.sample],
        found.CAAR[-1],
    )


def robust_eventstudy(study: Study) -> Job:
    from robust_eventstudy import MarketModel

    # It counts calendar days, and both ends of the estimation window.
    model = MarketModel(estimation_window=ESTIMATED - 1, gap_window=-FIRST)
    model.set_market_returns(study.market)

    def run() -> tuple[list[dict], float]:
        found = [
            model.compute_abnormal_returns(study.returns[firm], day, (FIRST, LAST))
            for firm, day in zip(study.firm, study.day, strict=True)
        ]
        path = np.mean([one["abnormal_returns"].to_numpy() for one in found], axis=0).cumsum()
        return found, path[-1]

    return run, lambda found: (
        [one["car"] for one in found[0]],
        [one["car"] / one["sar"] for one in found[0]],
        found[1],
    )


def easy_es(study: Study) -> Job:
    from easy_es import EventStudy, calculate_car_stats

    long = study.returns.rename_axis(index="Date", columns="ticker").stack().rename("Ret")
    market = pd.DataFrame({"Date": study.market.index.date, "Mkt-RF": study.market.to_numpy()})
    events = pd.DataFrame({"ticker": study.firm, "event_date": study.day})
    model = EventStudy(ESTIMATED, 0, -FIRST, LAST, n_cores=1)
    model.add_returns(
        ret_df=long.reset_index().assign(Volume=1.0, Date=lambda x: x["Date"].dt.date)
    )
    model.add_factors(market.assign(RF=0.0))

    def run() -> tuple[pd.DataFrame, pd.DataFrame]:
        found = model.run_study(events)
        return found, calculate_car_stats(found)

    def read(found: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[Any, Any, float]:
        last = found[0][found[0]["Offset"] == LAST].sort_values("event_id")
        return last["car"], last["car"] / last["scar"], found[1].loc[LAST, "mean"]

    return run, read


def event_study_suite(study: Study) -> Job:
    from EventStudySuite.core.es_base import EventStudy
    from EventStudySuite.model.MarketModel import MarketModel

    frame = study.returns.assign(Mkt_RF=study.market).rename_axis("Date").reset_index()
    days: dict[str, list[str]] = {}
    for firm, day in zip(study.firm, study.day.strftime("%Y-%m-%d"), strict=True):
        days.setdefault(firm, []).append(day)
    # Rows before the event window and estimated; rows after its first; its first; gap.
    windows = (ESTIMATED - 1, LAST - FIRST, -FIRST, 1)

    names = [
        f"{firm}_{day}" for firm, day in zip(study.firm, study.day.strftime("%Y%m%d"), strict=True)
    ]

    def run() -> tuple[pd.Series, float]:
        found = EventStudy(frame, days, model=MarketModel, event_info=windows)
        # Its own `result` would compute the residuals again. They come without names, by day.
        by_day: dict[str, list[str]] = {}
        for name, day in found.event_dict.items():
            by_day.setdefault(day, []).append(name)
        residual = found.residual.set_axis(
            [name for one in by_day.values() for name in one], axis=1
        )
        return residual.sum(), residual.mean(axis=1).cumsum().iloc[-1]

    return run, lambda found: (found[0][names], None, found[1])


PACKAGES: dict[str, Callable[[Study], Job]] = {
    "impact": impact,
    "eventstudy": eventstudy,
    "robust-eventstudy": robust_eventstudy,
    "easy-es": easy_es,
    "EventStudySuite": event_study_suite,
}


def studies(folder: Path) -> Iterator[Study]:
    """Read the studies of a folder, the smallest first; each has the firms of its events only."""
    with np.load(folder / "panel.npz") as file:
        values, market, firm, row, sizes = (
            file[name] for name in ("returns", "market", "firm", "row", "sizes")
        )
    index = pd.date_range("2000-01-01", periods=len(values))
    for size in sizes.tolist():
        firms = min(size, values.shape[1])
        names = [f"S{number:04d}" for number in range(firms)]
        returns = pd.DataFrame(np.ascontiguousarray(values[:, :firms]), index, names)
        column = firm[:size] % firms
        yield Study(
            returns,
            pd.Series(market, index),
            [names[number] for number in column],
            index[row[:size]],
        )


def main(package: str, folder: Path, limit: float) -> None:
    """Print one line of JSON a size; stop before a size that would take longer than `limit`."""
    logging.disable()
    took, before = 0.0, 1
    for study in studies(folder):
        size = len(study.firm)
        if took and took * size / before > limit:
            print(json.dumps({"events": size, "skipped": True}), flush=True)
            continue
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run, read = PACKAGES[package](study)
            times: list[float] = []
            while len(times) < REPEATS and sum(times) < ENOUGH:
                start = time.perf_counter()
                found = run()
                times.append(time.perf_counter() - start)
        took, before = min(times), size
        car, error, caar = read(found)
        answer: dict[str, Any] = {"events": size, "seconds": took, "caar": float(caar)}
        answer["car"] = [float(value) for value in car]
        answer["error"] = None if error is None else [float(value) for value in error]
        if package == "impact":
            from benchmarks.process import places

            answer["where"] = places(run)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
