"""The panels of tests/reference as studies, and studies of abnormal returns made by hand."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from impact.study.event_study import event_study

REFERENCE = Path(__file__).parent / "reference"
PANELS = ("A", "B", "C")
MODELS = {
    "constant_mean": "constant-mean",
    "market_model": "market",
    "market_adjusted": "market-adjusted",
}
ESTIMATION, WINDOW = (-210, -11), (-5, 5)


@functools.cache
def panel(name):
    """Returns by security, the market, and the events as (security, row)."""
    table = pd.read_csv(REFERENCE / f"panel_{name}.csv", index_col="date", parse_dates=True)
    events = pd.read_csv(REFERENCE / f"panel_{name}_events.csv")
    firms = table.drop(columns=["row", "market"])
    pairs = list(zip(events["security"], events["event_row"], strict=True))
    return firms, table["market"], pairs


@functools.cache
def reference_study(name, model):
    """The study of a reference panel, by the file's name of the model."""
    firms, market, pairs = panel(name)
    if name == "B":
        events = pd.DataFrame(
            {"session": firms.index[[row for _, row in pairs]], "security": [s for s, _ in pairs]}
        )
    else:
        events = pd.DataFrame({"session": [firms.index[pairs[0][1]]]})
    return event_study(
        firms,
        events,
        model=MODELS[model],
        kind="simple",
        volatility=None,
        benchmark=None if model == "constant_mean" else market,
        estimation=ESTIMATION,
        window=WINDOW,
    )


def given_study(residuals, abnormal):
    """Study whose abnormal returns are these, to the last bit.

    Rows are securities with one common date; the normal return is zero. The last columns of
    `abnormal` and the first count as sessions -h to h.
    """
    residuals, abnormal = np.asarray(residuals, float), np.asarray(abnormal, float)
    length, half = residuals.shape[1], abnormal.shape[1] // 2
    sessions = pd.bdate_range("2020-01-01", periods=length + abnormal.shape[1])
    columns = [f"S{i:02d}" for i in range(len(residuals))]
    returns = pd.DataFrame(np.hstack([residuals, abnormal]).T, sessions, columns)
    return event_study(
        returns,
        pd.DataFrame({"session": [sessions[length + half]]}),
        model="market-adjusted",
        benchmark=pd.Series(0.0, sessions),
        estimation=(-half - length, -half - 1),
        window=(-half, half),
        min_observations=2,
        volatility=None,
        kind="simple",
    )
