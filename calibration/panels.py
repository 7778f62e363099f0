"""Panels of simulated securities: size of the cross-sectional tests, with the truth known.

Nothing happens to the mean of any security. What varies is what breaks tests: correlation of
securities that share a date, and variance that the event itself raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from calibration.rates import replicated_rows
from impact.errors import InferenceError
from impact.inference import panel, ranks, signs
from impact.inference.tests import HypothesisTest
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy

#: Independent panels of each design, and the factors on the variance of session 0.
REPLICATIONS, FACTORS = 1_000, (1.0, 2.0, 3.0)

#: Windows of a simulated study; its sessions are just those.
ESTIMATION, WINDOW = (-110, -11), (-1, 1)

#: Degrees of freedom of the simulated returns.
NU = 5


@dataclass(frozen=True)
class PanelDesign:
    """How many securities, and how correlated they are on one date."""

    name: str
    securities: int
    correlation: float


#: Without correlation, securities on one date are as good as firms with dates of their own. The
#: second design is on the border of what `impact.inference.validity` accepts.
DESIGNS = (
    PanelDesign("20 firms apart in time", 20, 0.0),
    PanelDesign("20 securities on one date", 20, 0.3),
    PanelDesign("11 sectors on one date", 11, 0.47),
)


#: Name as in `EventStudy.tests` -> the test.
PANEL_TESTS: dict[str, Callable[..., HypothesisTest]] = {
    "portfolio_t": panel.portfolio_t,
    "crude_dependence_t": panel.crude_dependence_t,
    "brown_warner_1980": panel.brown_warner_1980,
    "cross_sectional_t": panel.cross_sectional_t,
    "patell": panel.patell,
    "bmp": panel.bmp,
    "kp_patell": panel.kp_patell,
    "kp_bmp": panel.kp_bmp,
    "hall": panel.hall,
    "corrado": ranks.corrado,
    "corrado_zivney": ranks.corrado_zivney,
    "cowan_rank": ranks.cowan_rank,
    "grank_t": ranks.grank_t,
    "grank_z": ranks.grank_z,
    "sign": signs.sign,
    "generalised_sign": signs.generalised_sign,
    "wilcoxon": signs.wilcoxon,
}


def simulated_study(design: PanelDesign, factor: float, rng: np.random.Generator) -> EventStudy:
    """Study a panel without any effect: correlated Student-t returns, one common date.

    Parameters
    ----------
    design : PanelDesign
    factor : float
        The variance of session 0 over that of the other sessions.
    rng : Generator
    """
    sessions = pd.bdate_range("2020-01-01", periods=WINDOW[1] - ESTIMATION[0] + 1)
    event = -ESTIMATION[0]
    shape = (len(sessions), design.securities)
    unit = np.sqrt((NU - 2) / NU)
    common = rng.standard_t(NU, (shape[0], 1)) * unit
    own = rng.standard_t(NU, shape) * unit
    moves = np.sqrt(design.correlation) * common + np.sqrt(1 - design.correlation) * own
    moves[event] *= np.sqrt(factor)
    spread = 0.02 * np.exp(0.3 * rng.standard_normal(design.securities))
    returns = pd.DataFrame(
        0.0005 + spread * moves, sessions, [f"S{i:02d}" for i in range(shape[1])]
    )
    return event_study(
        returns,
        pd.DataFrame({"session": [sessions[event]]}),
        estimation=ESTIMATION,
        window=WINDOW,
        min_observations=100,
        volatility=None,
        kind="log",
    )


def panel_draws(
    design: PanelDesign, factor: float, numbers: Sequence[int], *, seed: int = 0
) -> np.ndarray:
    """p of every panel test on some simulated studies, and whether it points up.

    Parameters
    ----------
    design : PanelDesign
    factor : float
        Factor on the variance of session 0.
    numbers : sequence of int
        Panel number i is drawn by a generator that depends on (seed, design, factor, i) alone.
    seed : int

    Returns
    -------
    ndarray, shape (len(numbers), 2, tests)
        NaN where a test cannot be computed.
    """
    key = [seed, design.securities, round(100 * design.correlation), round(100 * factor)]
    p = np.full((len(numbers), 2, len(PANEL_TESTS)), np.nan)
    for row, number in enumerate(numbers):
        study = simulated_study(design, factor, np.random.default_rng([*key, number]))
        for column, test in enumerate(PANEL_TESTS.values()):
            try:
                found = test(study, 0)
            except InferenceError:
                continue
            greater, less = np.array([found.p_greater, found.p_less], float)
            p[row, :, column] = found.p_value, greater < less
    return p


def panel_rows(design: PanelDesign, factor: float, drawn: np.ndarray) -> pd.DataFrame:
    """Rejection rates of every panel test over the studies of `panel_draws`.

    Returns
    -------
    DataFrame
        Experiment "panel", as `calibration.rates.COLUMNS`.
    """
    return pd.concat(
        [
            replicated_rows(
                drawn[:, 0, column],
                drawn[:, 1, column] == 1,
                experiment="panel",
                test=name,
                window="(0, 0)",
                group=design.name,
                variance=factor,
            )
            for column, name in enumerate(PANEL_TESTS)
        ],
        ignore_index=True,
    )
