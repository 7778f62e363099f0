"""What a model of one's own says wrongly is told, and no number is made of it."""

import types

import numpy as np
import pandas as pd
import pytest

from impact.errors import HistoryError, ModelError
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2021-01-04", periods=120, name="date")
RETURNS = pd.Series(0.01 * np.random.default_rng(0).standard_normal(120), DAYS, name="X")
DESIGN = {"estimation": (-80, -6), "window": (-1, 1), "min_observations": 40}
DESIGN |= {"volatility": None, "kind": "simple"}


def study(**answers):
    """A study with a model of the mean, and in its place what is said wrongly."""

    class Mean:
        def fit(self, returns, regressors):
            size, mean, variance = len(returns), returns.mean(), returns.var(ddof=1)
            said = {
                "dof": size - 1,
                "predict": lambda rows: np.full(len(rows), mean),
                "prediction_covariance": lambda rows: (
                    variance * (np.eye(len(rows)) + np.ones((len(rows), len(rows))) / size)
                ),
            }
            return types.SimpleNamespace(**(said | answers))

    return event_study(RETURNS, [DAYS[100]], model=Mean(), **DESIGN)


def test_a_model_of_the_mean_is_the_constant_mean_model():
    same = event_study(RETURNS, [DAYS[100]], **DESIGN)
    pd.testing.assert_frame_equal(study().car(-1, 1), same.car(-1, 1))


def by_rows(answer):
    return lambda regressors: answer(len(regressors))


#: What is said wrongly -> the part of the fit, what it says there, a part of the sentence.
WRONG = {
    "half a degree of freedom": ("dof", 38.5, "dof of the model is 38.5: give a whole number"),
    "endless freedom": ("dof", np.inf, "dof of the model is inf: give a whole number"),
    "freedom in words": ("dof", "many", "dof of the model is 'many': give numbers"),
    "the mean of the estimation window": (
        "predict",
        by_rows(lambda n: np.zeros(75)),
        r"predict\(\) of the model gives \(75,\) for 3 rows: give \(3,\)",
    ),
    "a prediction that is missing": (
        "predict",
        by_rows(lambda n: np.r_[np.zeros(n - 1), np.nan]),
        r"predict\(\) of the model gives values that are not finite",
    ),
    **{
        case: ("prediction_covariance", by_rows(answer), sentence)
        for case, answer, sentence in [
            (
                "variances alone",
                lambda n: np.full(n, 1e-4),
                r"gives \(3,\) for 3 rows: give \(3, 3",
            ),
            ("one variance", lambda n: 1e-4, r"gives \(\) for 3 rows: give \(3, 3\)"),
            ("no covariance", lambda n: None, r"gives \(\) for 3 rows: give \(3, 3\)"),
            ("a covariance in words", lambda n: "small", "is 'small': give numbers"),
            ("one that is missing", lambda n: np.full((n, n), np.nan), "that are not finite"),
            ("returns known before", lambda n: np.zeros((n, n)), "eigenvalue is 0, its largest 0"),
            ("variances below zero", lambda n: -np.eye(n), "include the variance of each return"),
            ("a sum known before", lambda n: np.eye(n) - 1 / n, "include the variance of each"),
        ]
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_fit_says_wrongly_is_told(case):
    part, said, sentence = WRONG[case]
    with pytest.raises(ModelError, match=sentence):
        study(**{part: said})


@pytest.mark.parametrize(
    ("part", "said", "reason"),
    [
        ("dof", 0, "fewer observations than parameters"),
        ("predict", lambda rows: RETURNS.to_numpy()[20:95][: len(rows)], "no variance is left in"),
    ],
)
def test_a_fit_that_leaves_nothing_over_drops_the_event(part, said, reason):
    with pytest.raises(HistoryError, match=reason):
        study(**{part: said})
