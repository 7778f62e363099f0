"""Tests of abnormal returns, each a function of a study and a window of relative sessions.

Both ends of the window are included, and `end` defaults to `start`; the parameters that a test
lists are options, given by keyword. Each computes always and returns a `HypothesisTest`;
`impact.inference.validity` says which are valid for a design. Every row of ``study.tests()`` is one
of them, with its defaults; `yardsticks` puts four of one event together.
"""

from impact.inference.cluster_test import cluster_t
from impact.inference.conditional import (
    conditional_fhs,
    conditional_t,
    implied_t,
    portfolio_conditional,
)
from impact.inference.correlation import mean_correlation
from impact.inference.event_sets import shift_mean, shift_studentised
from impact.inference.panel import (
    bmp,
    brown_warner_1980,
    cross_sectional_t,
    crude_dependence_t,
    hall,
    kp_bmp,
    kp_patell,
    patell,
    portfolio_t,
)
from impact.inference.ranks import corrado, corrado_zivney, cowan_rank, grank_t, grank_z
from impact.inference.signs import generalised_sign, sign, wilcoxon
from impact.inference.tests import HypothesisTest
from impact.inference.unconditional import (
    conformal,
    placebo_session,
    prediction_t,
    sample_quantile,
)
from impact.inference.who_was_hit import relative_max
from impact.inference.yardsticks import yardsticks

__all__ = [
    "HypothesisTest",
    "bmp",
    "brown_warner_1980",
    "cluster_t",
    "conditional_fhs",
    "conditional_t",
    "conformal",
    "corrado",
    "corrado_zivney",
    "cowan_rank",
    "cross_sectional_t",
    "crude_dependence_t",
    "generalised_sign",
    "grank_t",
    "grank_z",
    "hall",
    "implied_t",
    "kp_bmp",
    "kp_patell",
    "mean_correlation",
    "patell",
    "placebo_session",
    "portfolio_conditional",
    "portfolio_t",
    "prediction_t",
    "relative_max",
    "sample_quantile",
    "shift_mean",
    "shift_studentised",
    "sign",
    "wilcoxon",
    "yardsticks",
]
