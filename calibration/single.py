"""One event on one series: the p-value of every test on every session of a real history.

Nothing happened on most sessions, so a test at 5% should reject on 5% of them (Brown and Warner
1985). The tests are those of `impact.inference`, run on one session after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impact.inference import conformal, placebo_session, prediction_t, sample_quantile
from impact.inference.conditional import conditional_tests, unit_student_p
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.volatility.forecast import conditional_z
from impact.volatility.garch import FIT_SESSIONS, VARIANCE_MODELS
from impact.volatility.vix import implied_z

#: Variance models whose conditional tests are calibrated.
MODELS = VARIANCE_MODELS

#: Tested windows, relative sessions; the estimation window of the tests of constant variance.
WINDOWS = ((0, 0), (0, 1), (-1, 1), (0, 5))
ESTIMATION = (-260, -11)

#: From the first to the last session that a tested window holds.
REACH = (min(start for start, _ in WINDOWS), max(end for _, end in WINDOWS))

#: Tests that take the variance as constant, and those that know it the evening before.
UNCONDITIONAL = (prediction_t, sample_quantile, conformal, placebo_session)
CONDITIONAL = ("conditional_t", "conditional_fhs")

#: Simulated paths of a window of two sessions or more.
PATHS = 2_000


@dataclass(frozen=True, eq=False)
class Outcome:
    """The p-values of one test on one sample.

    Attributes
    ----------
    test, model : str
        Name of the test as in `EventStudy.tests`; its variance model or "".
    window : pair of int
    effect : float
        What was added to the return of session 0, decimal fraction.
    p : ndarray, shape (n,)
        Two-sided; NaN where the test is not available.
    rise : ndarray of bool, shape (n,)
        Whether the window's sum lies above what was expected.
    """

    test: str
    model: str
    window: tuple[int, int]
    effect: float
    p: np.ndarray
    rise: np.ndarray


def sample_rows(total: int) -> np.ndarray:
    """Rows of session 0 on which every test and every window has what it needs."""
    return np.arange(FIT_SESSIONS - REACH[0], total - REACH[1])


def series_z(returns: pd.Series, model: str = MODELS[0]) -> np.ndarray:
    """Return of every row from `FIT_SESSIONS` on in units of the σ known the evening before."""
    z = conditional_z(returns, model=model)["z"]
    return z[returns.index[FIT_SESSIONS] :].to_numpy()


# -- tests that take the variance as constant ----------------------------------------------------


def unconditional_outcomes(
    returns: pd.Series,
    rows: np.ndarray,
    window: tuple[int, int],
    effects: Sequence[float] = (0.0,),
) -> list[Outcome]:
    """Test every row by each of the four tests of constant variance.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    rows : ndarray of int, shape (n,)
        Rows of session 0, increasing.
    window : pair of int
    effects : sequence of float
        Added to the return of session 0, one at a time.
    """
    p = np.empty((len(UNCONDITIONAL), len(effects), len(rows)))
    rise = np.empty((len(effects), len(rows)), dtype=bool)
    for column, effect in enumerate(effects):
        for i, study in enumerate(_studies(returns, rows, effect)):
            p[:, column, i] = [test(study, *window).p_value for test in UNCONDITIONAL]
            rise[column, i] = study.over(*window).car[0] > 0
    names = [test.__name__ for test in UNCONDITIONAL]
    return _outcomes(names, "", window, effects, p, rise)


def _studies(returns: pd.Series, rows: np.ndarray, effect: float) -> Iterator[EventStudy]:
    """A study of each row alone, with the effect on its session 0."""
    if not effect:
        whole = _study(returns, rows)
        yield from (whole.take(np.array([i])) for i in range(len(rows)))
        return
    for row in rows:
        # An effect that another session received would be part of this one's history.
        yield _study(returns + planted(len(returns), row, effect), [row])


def _study(returns: pd.Series, rows: Sequence[int] | np.ndarray) -> EventStudy:
    return event_study(
        returns,
        pd.DataFrame({"session": returns.index[rows]}),
        estimation=ESTIMATION,
        window=REACH,
        volatility=None,
    )


def planted(total: int, row: int, effect: float) -> np.ndarray:
    """Return `effect` on one row and zero on the others, shape (total,)."""
    added = np.zeros(total)
    added[row] = effect
    return added


# -- tests that know the variance of the evening before -------------------------------------------


def conditional_outcomes(
    returns: pd.Series,
    model: str,
    rows: np.ndarray,
    window: tuple[int, int],
    effects: Sequence[float] = (0.0,),
    *,
    seed: int = 0,
    paths: int = PATHS,
) -> list[Outcome]:
    """Test every row against the variance known the evening before its window.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns by session.
    model : {"gjr", "garch", "ewma"}
    rows, window, effects
        As for `unconditional_outcomes`.
    seed, paths : int
        Of windows of two sessions or more, as in `impact.inference.conditional.conditional_tests`.

    Returns
    -------
    list of Outcome
        "conditional_t" and "conditional_fhs" for each effect.
    """
    p = np.empty((len(CONDITIONAL), len(effects), len(rows)))
    rise = np.empty((len(effects), len(rows)), dtype=bool)
    for i, row in enumerate(rows):
        first, last = row + window[0], row + window[1]
        for column, effect in enumerate(effects):
            by_past, by_t = conditional_tests(
                returns + planted(len(returns), row, effect),
                first=first,
                last=last,
                model=model,
                seed=seed,
                paths=paths,
            )
            p[:, column, i] = by_t["p_value"], by_past["p_value"]
            rise[column, i] = by_t["statistic"] > 0
    return _outcomes(CONDITIONAL, model, window, effects, p, rise)


def _outcomes(
    tests: Sequence[str],
    model: str,
    window: tuple[int, int],
    effects: Sequence[float],
    p: np.ndarray,
    rise: np.ndarray,
) -> list[Outcome]:
    return [
        Outcome(name, model, window, effect, p[row, column], rise[column])
        for row, name in enumerate(tests)
        for column, effect in enumerate(effects)
    ]


def implied_outcomes(
    returns: pd.Series, implied: pd.Series, rows: np.ndarray, effects: Sequence[float] = (0.0,)
) -> list[Outcome]:
    """Test session 0 of every row against the volatility index of the evening before.

    Rows without enough of the index before them have no p.
    """
    found = implied_z(returns, implied).reindex(returns.index[rows])
    z, sigma, nu = (found[name].to_numpy() for name in ("z", "sigma", "nu"))
    shifted = [z + effect / sigma for effect in effects]
    return [
        Outcome("implied_t", "vix", (0, 0), effect, unit_student_p(moved, nu), moved > 0)
        for effect, moved in zip(effects, shifted, strict=True)
    ]
