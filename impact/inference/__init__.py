"""Tests of abnormal returns, each a function of a study and a window of relative sessions.

They compute always; `impact.inference.validity` says which are valid for a design.
"""

from impact.inference.correlation import mean_correlation
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
from impact.inference.who_was_hit import relative_max

__all__ = [
    "HypothesisTest",
    "bmp",
    "brown_warner_1980",
    "corrado",
    "corrado_zivney",
    "cowan_rank",
    "cross_sectional_t",
    "crude_dependence_t",
    "generalised_sign",
    "grank_t",
    "grank_z",
    "hall",
    "kp_bmp",
    "kp_patell",
    "mean_correlation",
    "patell",
    "portfolio_t",
    "relative_max",
    "sign",
    "wilcoxon",
]
