"""Every number of tests/reference, from the slow implementation and from the engine.

The files come from an implementation that shares nothing with impact. Panel A has one date for
all, B a date for each, C one date and missing returns.
"""

import csv
import functools

import numpy as np
import pandas as pd
import pytest
from panels import ESTIMATION, MODELS, PANELS, REFERENCE, WINDOW, panel
from panels import reference_study as fast
from slow_event_study import SlowStudy

import impact.inference as tests
from impact.study import event_study

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
        "caar_mean_car", "caar_sum_aar", "n", "cs_t", "patell_z", "bmp_t", "kp_adj_patell_z",
        "kp_adj_bmp_t", "bw85_crude_dependence_t", "hall_skew_t", "corrado_rank_1989",
        "corrado_zivney_rank", "corrado_zivney_sign", "cowan_rank_z", "grank_t", "grank_z",
        "sign_z", "gsign_z", "wilcoxon_z",
    )
}  # fmt: skip

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
        tests.kp_bmp, {"correlation": "calendar"}, {"distribution": "normal"}),
    "bw85_crude_dependence_t": (tests.crude_dependence_t, {}, {"distribution": "normal"}),
    "hall_skew_t": (tests.hall, {}, {"distribution": "t"}),
    "corrado_rank_1989": (tests.corrado, {}, None),
    "corrado_zivney_rank": (tests.corrado_zivney, {}, None),
    "corrado_zivney_sign": (tests.corrado_zivney, {"scores": "sign"}, None),
    "cowan_rank_z": (tests.cowan_rank, {}, None),
    "grank_t": (tests.grank_t, {}, None),
    "grank_t_pe": (tests.grank_t, {"standardisation": "prediction"}, None),
    "grank_t_stud": (tests.grank_t, {"standardisation": "studentised"}, None),
    "grank_z": (tests.grank_z, {}, None),
    "grank_z_pe": (tests.grank_z, {"standardisation": "prediction"}, None),
    "grank_z_stud": (tests.grank_z, {"standardisation": "studentised"}, None),
    "sign_z": (tests.sign, {}, {"exact": True}),
    "gsign_z": (tests.generalised_sign, {}, None),
    "wilcoxon_z": (tests.wilcoxon, {"method": "normal"}, None),
    "portfolio_prediction_t": (tests.portfolio_t, {}, None),
}  # fmt: skip

#: The file's averages and counts, from the arrays of our sample.
ARRAYS = {
    "aar": lambda s: np.nanmean(s.ar[:, s.inside]),
    "caar_mean_car": lambda s: np.nanmean(s.car),
    "caar_sum_aar": lambda s: np.nanmean(s.ar[:, s.inside], axis=0).sum(),
    "n": lambda s: (s.days > 0).sum(),
}
WHOLE_OURS = {
    "rbar": tests.mean_correlation,
    "rbar_eventtime": tests.mean_correlation,
    "rbar_calendar": lambda s: tests.mean_correlation(s, correlation="calendar"),
    "gsign_phat": lambda s: np.nanmean(
        (s.sample(0).estimation_ar > 0).sum(axis=1) / s.sample(0).n_estimation
    ),
    "sd_aar_estimation_bw85": lambda s: np.nanmean(s.sample(0).estimation_ar, axis=0).std(ddof=1),
}
#: What the file holds and impact does not compute.
NOT_OURS: set[str] = set()
#: The slow implementation knows no portfolio regression.
NOT_SLOW = {"portfolio_prediction_t"}


#: Rows of each panel by model: value, p-value and alternative p-value are compared.
COUNTS = {"A": (376, 376, 360), "B": (393, 393, 393), "C": (360, 360, 360)}


def rows(name):
    with open(REFERENCE / name, newline="") as file:
        return list(csv.DictReader(file))


def bounds(window):
    start, end = window.strip("[]").split(",")
    return int(start), int(end)


@functools.cache
def slow(name, model):
    firms, market, pairs = panel(name)
    series = {security: firms[security].tolist() for security in firms}
    return SlowStudy(series, market.tolist(), pairs, model, ESTIMATION, WINDOW)


def close(found, row, column="value"):
    """Assert one number of the file; ranks may differ in the ninth digit."""
    expected = float(row[column])
    relative = 1e-8 if row["statistic"].startswith(RANKS) else 1e-10
    assert found == pytest.approx(expected, rel=relative, abs=1e-12), row


def of_panel(name, model):
    return [r for r in rows("statistics.csv") if (r["panel"], r["model"]) == (name, model)]


def test_every_statistic_of_the_file_is_accounted_for():
    named = {row["statistic"] for row in rows("statistics.csv")}
    assert named == set(OURS) | set(ARRAYS) | set(WHOLE_OURS) | NOT_OURS
    assert named == set(SLOW) | set(WHOLE) | NOT_SLOW
    assert len(rows("statistics.csv")) == 3371


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_slow_implementation_gives_the_statistics_of_the_file(name, model):
    study, compared = slow(name, model), 0
    for row in of_panel(name, model):
        compared += row["statistic"] not in NOT_SLOW
        if row["statistic"] in WHOLE:
            close(WHOLE[row["statistic"]](study), row)
        elif row["statistic"] not in NOT_SLOW:
            close(SLOW[row["statistic"]](study, bounds(row["window"])), row)
    # Panel A has sixteen portfolio regressions, for each of the two models that are regressions.
    portfolios = 16 if name == "A" and model != "market_adjusted" else 0
    assert compared == COUNTS[name][list(MODELS).index(model)] - portfolios


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_engine_gives_the_statistics_of_the_file(name, model):
    study, compared = fast(name, model), 0
    for row in of_panel(name, model):
        compared += 1
        if row["statistic"] in WHOLE_OURS:
            close(WHOLE_OURS[row["statistic"]](study), row)
        elif row["statistic"] in ARRAYS:
            close(ARRAYS[row["statistic"]](study.sample(*bounds(row["window"]))), row)
        else:
            _compare_test(study, row)
    assert compared == COUNTS[name][list(MODELS).index(model)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["A", "B"])
def test_tables_of_averages_hold_the_averages_of_the_file(name, model):
    study = fast(name, model)
    aar, from_event, whole = study.aar(), study.caar(0), study.caar()
    for row in of_panel(name, model):
        start, end = bounds(row["window"])
        if row["statistic"] == "aar":
            close(aar.loc[start, "estimate"], row)
        elif row["statistic"] == "caar_mean_car" and start in (0, -5):
            close((from_event if start == 0 else whole).loc[end, "estimate"], row)
        elif row["statistic"] == "cs_t" and start == end and name == "B":
            close(aar.loc[start, "statistic"], row)


def _compare_test(study, row):
    test, options, alternative = OURS[row["statistic"]]
    found = test(study, *bounds(row["window"]), **options)
    close(found.statistic, row)
    close(found.p_value, row, "p_value")
    assert found.distribution == _in_words(row["dist"])
    assert bool(row["p_value_alt"]) == (alternative is not None)
    if alternative:
        other = test(study, *bounds(row["window"]), **options, **alternative)
        close(other.p_value, row, "p_value_alt")


def _in_words(dist):
    if dist == "norm":
        return "standard normal"
    return f"Student t with {dist[2:-1]} degrees of freedom"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_fits_are_those_of_the_file(name, model):
    expected = [r for r in rows("fits.csv") if (r["panel"], r["model"]) == (name, model)]
    fit, ours = fast(name, model).fit, slow(name, model).pairs
    index = _securities(name, fit)
    assert len(expected) == len(fit) == len(panel(name)[2])
    for row in expected:
        one = fit.iloc[index[row["security"]]]
        pair = ours[[s for s, _ in panel(name)[2]].index(row["security"])]
        assert one["observations"] == pair.L == int(row["L"])
        assert one["dof"] == pair.dof == int(row["dof"])
        assert [np.sqrt(one["residual_variance"]), pair.s] == pytest.approx(
            [float(row["s"])] * 2, rel=1e-10
        )
        for column, value in zip(("alpha", "beta"), pair.parameters, strict=False):
            assert [one[column], value] == pytest.approx(
                [float(row[column])] * 2, rel=1e-10, abs=1e-12
            )


def _securities(name, table):
    """Security -> row of the table."""
    return {security: i for i, security in enumerate(table.index.get_level_values("security"))}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_cars_are_those_of_the_file(name, model):
    expected = [r for r in rows("cars.csv") if (r["panel"], r["model"]) == (name, model)]
    study, ours = fast(name, model), slow(name, model).pairs
    index, order = _securities(name, study.abnormal), [s for s, _ in panel(name)[2]]
    assert len(expected) == {"A": 150, "B": 200, "C": 60}[name]
    for row in expected:
        w, i = bounds(row["window"]), index[row["security"]]
        sample, pair = study.sample(*w), ours[order.index(row["security"])]
        assert sample.days[i] == len(pair.days(w)) == int(row["k"])
        if row["k"] == "0":
            assert np.isnan([sample.car[i], sample.scar[i]]).all()
            continue
        for column in ("car", "scar", "C"):
            found = [getattr(sample, column.lower())[i], getattr(pair, column.lower())(w)]
            value = float(row[column])
            assert found == pytest.approx([value] * 2, rel=1e-10, abs=1e-12), (row, column)


def test_every_fit_and_car_is_compared():
    assert len(rows("fits.csv")) == 3 * (30 + 40 + 12)
    assert len(rows("cars.csv")) == 1230
    assert {r["panel"] for r in rows("cars.csv")} == set(PANELS)


#: Methods of prediction_t.csv that are the exact prediction t, whatever way they are computed.
EXACT = ("prediction_t", "ols_k_dummies_sum", "ols_11_dummies_sum_subwindow")
#: Those that are other tests, or wrong on purpose: impact computes none of them.
OTHER_TESTS = ("ols_single_dummy", "ols_k_dummies_HC0", "ols_k_dummies_HC1",
               "ols_k_dummies_sum_gap_rows_in_estimation", "naive_ddof0",
               "naive_no_forecast_term")  # fmt: skip


def test_prediction_t_is_that_of_the_file_and_of_dummy_regressions():
    series = pd.read_csv(REFERENCE / "series_S.csv", index_col="date", parse_dates=True)["ret"]
    study = event_study(
        series, pd.DataFrame({"session": [series.index[300]]}), kind="simple", volatility=None,
        estimation=ESTIMATION, window=WINDOW,
    )  # fmt: skip
    expected = [row for row in rows("prediction_t.csv") if row["method"] in EXACT]
    assert len(expected) == 48
    assert {row["method"] for row in rows("prediction_t.csv")} == {*EXACT, *OTHER_TESTS}
    for row in expected:
        table = study.car(*bounds(row["window"])).iloc[0]
        found = table[["estimate", "std_error", "statistic", "dof", "p_textbook"]].tolist()
        columns = ("effect", "se", "t", "dof", "p_value")
        for ours, column in zip(found, columns, strict=True):
            if row[column]:
                assert ours == pytest.approx(float(row[column]), rel=1e-10), (row, column)
