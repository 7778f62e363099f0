"""Tests of abnormal returns, each a function of a study and a window of relative sessions.

They compute always; `impact.inference.choose` says which are valid for a design.
"""

from impact.inference.correlation import mean_correlation
from impact.inference.parametric import (
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
from impact.inference.rank import corrado, corrado_zivney, cowan_rank, grank_t, grank_z
from impact.inference.result import HypothesisTest
from impact.inference.signs import generalised_sign, sign, wilcoxon

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
    "sign",
    "wilcoxon",
]
