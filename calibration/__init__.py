"""How often each test rejects where nothing happened, and how often where something did.

Brown and Warner's experiment on the real S&P 500, on earlier years and other series, and on
five-minute prices; sets of events with induced variance; simulated panels. It takes minutes, so
its results are committed as ``data/calibration.csv``: ``python -m calibration`` writes them
again, `impact.inference.size` reads them.

References
----------
Brown and Warner (1985), Using daily stock returns: the case of event studies, J. Financial
Economics 14.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration import firm_events, panels, sets
from calibration.experiments import (
    STEP,
    Sample,
    common_sample,
    outcome_jobs,
    power_jobs,
    power_rows,
    size_rows,
)
from calibration.intraday import intraday_rows
from calibration.news import news_rows
from calibration.news_minutes import minutes_rows
from calibration.others import other_jobs, other_rows
from calibration.overlap import overlap_rows
from calibration.rates import COLUMNS
from calibration.short import short_jobs, short_rows
from calibration.single import PATHS
from calibration.slopes import slope_jobs, slope_rows
from calibration.who_was_hit import hit_jobs, hit_rows
from impact.inference.size import EXPERIMENTS
from impact.market.files import data_directory, data_hash
from impact.market.prices import load_prices, load_vix
from impact.market.returns import log_returns
from impact.text.files import write_atomically
from impact.text.formats import iso
from impact.text.progress import in_processes
from impact.volatility.forecast import conditional_z

__all__ = ["calibrate", "write_calibration"]

#: The history ends here, so that later prices do not change committed results.
LAST = "2026-08-31"

SEED = 20_250_502

#: Panels in one piece of work.
_PIECE = 100

_LIBRARIES = ("numpy", "scipy", "pandas")


def calibrate(*, n_jobs: int = 1, seed: int = SEED, replications: int = 1) -> pd.DataFrame:
    """Run every experiment on the committed history.

    Parameters
    ----------
    n_jobs : int
        Processes, as joblib counts them. Draws do not depend on it; one process may use more
        threads of linear algebra than each of several, which rounds a variance fit otherwise.
    seed : int
    replications : int
        Replications of the simulated experiments are divided by this number, for a quick look.

    Returns
    -------
    DataFrame
        As `load_calibration`.
    """
    begun = time.perf_counter()
    returns = log_returns(load_prices(end=LAST))
    run = partial(_run, n_jobs=n_jobs)
    sample = common_sample(returns, load_vix(end=LAST))
    thinned = sample.thin(STEP)
    outcomes = _joined(run(outcome_jobs(sample, seed), "size"))
    power = _joined(run(power_jobs(thinned), "power"))
    of_sets = run(
        [
            partial(
                sets.set_rates,
                sample.z,
                size,
                seed=seed,
                replications=sets.REPLICATIONS // replications,
            )
            for size in sets.SIZES
        ]
        + [
            partial(
                sets.clustered_rates,
                sample.z,
                sizes,
                seed=seed,
                replications=sets.CLUSTERED_REPLICATIONS // replications,
            )
            for sizes in sets.CLUSTERED
        ],
        "sets",
    )
    parts = [
        size_rows(sample, outcomes, seed),
        power_rows(thinned, power, seed),
        other_rows(run(other_jobs(LAST), "other samples"), seed),
        intraday_rows(seed=seed),
        # Before the news of the catalogue.
        news_rows(conditional_z(returns).loc[:"2017", "z"].to_numpy(), seed=seed),
        minutes_rows(seed=seed),
        *of_sets,
        *_panels(run, seed, panels.REPLICATIONS // replications),
        hit_rows(run(hit_jobs(LAST), "who was hit"), seed),
        slope_rows(run(slope_jobs(LAST, seed), "slopes"), seed),
        *run(
            firm_events.firm_event_jobs(LAST, seed, firm_events.REPLICATIONS // replications),
            "firm events",
        ),
        overlap_rows(LAST, seed),
        short_rows(run(short_jobs(LAST, seed), "short histories"), seed),
    ]
    spent = time.perf_counter() - begun
    table = pd.concat([_meta(sample, seed, spent), *parts], ignore_index=True)
    order = table["experiment"].map(EXPERIMENTS.index)
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def write_calibration(table: pd.DataFrame, directory: Path | None = None) -> Path:
    """Write the table as ``calibration.csv``, whole or not at all, and return where."""
    directory = data_directory() if directory is None else directory
    target = directory / "calibration.csv"
    text = table.to_csv(index=False, float_format="%.5g", lineterminator="\n")
    write_atomically(target, text)
    return target


def _panels(run: Callable, seed: int, replications: int) -> list[pd.DataFrame]:
    cells = [(design, factor) for design in panels.DESIGNS for factor in panels.FACTORS]
    pieces = [range(at, min(at + _PIECE, replications)) for at in range(0, replications, _PIECE)]
    jobs = [
        partial(panels.panel_draws, *cell, piece, seed=seed) for cell in cells for piece in pieces
    ]
    drawn = run(jobs, "panels")
    return [
        panels.panel_rows(*cell, np.concatenate(drawn[at : at + len(pieces)]))
        for cell, at in zip(cells, range(0, len(drawn), len(pieces)), strict=True)
    ]


def _run(jobs: Sequence[Callable], what: str, *, n_jobs: int) -> list:
    return list(in_processes(_call, [(job,) for job in jobs], what, n_jobs))


def _call(job: Callable) -> Any:
    return job()


def _joined(parts: Sequence[Sequence]) -> list:
    return [item for part in parts for item in part]


def _meta(sample: Sample, seed: int, seconds: float) -> pd.DataFrame:
    days = sample.returns.index[sample.rows]
    facts = {
        "seed": str(seed),
        "first session": iso(days[0]),
        "last session": iso(days[-1]),
        "sessions": str(len(days)),
        "variance fitted": "at the first session of each month",
        "simulated paths": str(PATHS),
        "prices": load_prices().attrs["hash"],
        "volatility index": data_hash("vix.csv"),
        "five-minute prices": data_hash("spy_5min.csv"),
        "duration": f"{seconds:.0f} seconds",
        "Python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }
    rows = pd.DataFrame({"test": facts.keys(), "note": facts.values()})
    return rows.assign(experiment="meta").reindex(columns=list(COLUMNS))
