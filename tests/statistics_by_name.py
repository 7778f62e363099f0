"""The statistics of tests/reference by the file's names: of the slow study, and of impact."""

import functools

from panels import ESTIMATION, WINDOW, panel
from slow_event_study import SlowStudy

import impact.inference as tests

RANKS = ("corrado", "cowan", "grank", "wilcoxon")

#: The file's names that are whole-study numbers, and those of one window.
WHOLE = {
    "rbar": lambda s: s.rbar(),
    "rbar_eventtime": lambda s: s.rbar(),
    "rbar_calendar": lambda s: s.rbar("calendar"),
    "gsign_phat": lambda s: s.gsign_phat(),
    "sd_aar_estimation_bw85": lambda s: s.sd_aar_estimation_bw85(),
}
SLOW = {
    "aar": lambda s, w: s.aar(w[0]),
    "kp_adj_patell_z_eventtime": lambda s, w: s.kp_adj_patell_z(w),
    "kp_adj_patell_z_calendar": lambda s, w: s.kp_adj_patell_z(w, "calendar"),
    "kp_adj_bmp_t_eventtime": lambda s, w: s.kp_adj_bmp_t(w),
    "kp_adj_bmp_t_calendar": lambda s, w: s.kp_adj_bmp_t(w, "calendar"),
    "grank_t_pe": lambda s, w: s.grank_t(w, "pe"),
    "grank_z_pe": lambda s, w: s.grank_z(w, "pe"),
    "grank_t_stud": lambda s, w: s.grank_t(w, "stud"),
    "grank_z_stud": lambda s, w: s.grank_z(w, "stud"),
} | {
    name: lambda s, w, name=name: getattr(s, name)(w)
    for name in (
        "caar_mean_car",
        "caar_sum_aar",
        "n",
        "cs_t",
        "patell_z",
        "bmp_t",
        "kp_adj_patell_z",
        "kp_adj_bmp_t",
        "bw85_crude_dependence_t",
        "hall_skew_t",
        "corrado_rank_1989",
        "corrado_zivney_rank",
        "corrado_zivney_sign",
        "cowan_rank_z",
        "grank_t",
        "grank_z",
        "sign_z",
        "gsign_z",
        "wilcoxon_z",
    )
}

#: The file has GRANK without the adjustment for correlation.
PLAIN = {"correlation_adjusted": False}

#: The file's name -> our test, its options, and the option of the alternative p-value.
OURS = {
    "cs_t": (tests.cross_sectional_t, {}, {"distribution": "normal"}),
    "patell_z": (tests.patell, {}, None),
    "bmp_t": (tests.bmp, {}, {"distribution": "normal"}),
    "kp_adj_patell_z": (tests.kp_patell, {}, None),
    "kp_adj_patell_z_eventtime": (tests.kp_patell, {}, None),
    "kp_adj_patell_z_calendar": (tests.kp_patell, {"correlation": "calendar"}, None),
    "kp_adj_bmp_t": (tests.kp_bmp, {}, {"distribution": "normal"}),
    "kp_adj_bmp_t_eventtime": (tests.kp_bmp, {}, {"distribution": "normal"}),
    "kp_adj_bmp_t_calendar": (
        tests.kp_bmp,
        {"correlation": "calendar"},
        {"distribution": "normal"},
    ),
    "bw85_crude_dependence_t": (tests.crude_dependence_t, {}, {"distribution": "normal"}),
    "hall_skew_t": (tests.hall, {"distribution": "normal"}, {"distribution": "t"}),
    "corrado_rank_1989": (tests.corrado, {}, None),
    "corrado_zivney_rank": (tests.corrado_zivney, {}, None),
    "corrado_zivney_sign": (tests.corrado_zivney, {"scores": "sign"}, None),
    "cowan_rank_z": (tests.cowan_rank, {}, None),
    "grank_t": (tests.grank_t, PLAIN, None),
    "grank_t_pe": (tests.grank_t, PLAIN | {"standardisation": "prediction"}, None),
    "grank_t_stud": (tests.grank_t, PLAIN | {"standardisation": "studentised"}, None),
    "grank_z": (tests.grank_z, {}, None),
    "grank_z_pe": (tests.grank_z, {"standardisation": "prediction"}, None),
    "grank_z_stud": (tests.grank_z, {"standardisation": "studentised"}, None),
    "sign_z": (tests.sign, {}, {"exact": True}),
    "gsign_z": (tests.generalised_sign, {}, None),
    "wilcoxon_z": (tests.wilcoxon, {"method": "normal"}, None),
    "portfolio_prediction_t": (tests.portfolio_t, {}, None),
}

#: Options that the reference file does not hold: our test, its options, the slow loops.
BESIDES = {
    "patell by day": (tests.patell, {"days": "independent"}, lambda s, w: s.patell_z_indep_days(w)),
    "brown_warner_1980": (tests.brown_warner_1980, {}, lambda s, w: s.bw80_t(w)),
    "johnson": (tests.hall, {"form": "johnson"}, lambda s, w: s.johnson_skew_t(w)),
    "corrado, window": (
        tests.corrado,
        {"ranking": "tested window"},
        lambda s, w: s.corrado_rank_1989(w, winonly=True),
    ),
    "corrado_zivney, window": (
        tests.corrado_zivney,
        {"ranking": "tested window"},
        lambda s, w: s.corrado_zivney_rank(w, winonly=True),
    ),
    "corrado_zivney signs, window": (
        tests.corrado_zivney,
        {"ranking": "tested window", "scores": "sign"},
        lambda s, w: s.corrado_zivney_sign(w, winonly=True),
    ),
    "cowan_rank, window": (
        tests.cowan_rank,
        {"ranking": "tested window"},
        lambda s, w: s.cowan_rank_z(w, winonly=True),
    ),
    "cowan_rank, weighted": (
        tests.cowan_rank,
        {"weighted": True},
        lambda s, w: s.rank_z_ntN_weighted(w),
    ),
    "generalised_sign, pooled": (
        tests.generalised_sign,
        {"pooled": True},
        lambda s, w: s.gsign_z_pooled(w),
    ),
    "grank_t, adjusted": (
        tests.grank_t,
        {"correlation_adjusted": True},
        lambda s, w: s.grank_t(w, rbar=max(s.rbar(), 0.0)),
    ),
}


@functools.cache
def slow(name, model):
    firms, market, pairs = panel(name)
    series = {security: firms[security].tolist() for security in firms}
    return SlowStudy(series, market.tolist(), pairs, model, ESTIMATION, WINDOW)
