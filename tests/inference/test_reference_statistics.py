"""Every number of tests/reference, from the slow implementation and from the engine.

The files come from an implementation that shares nothing with impact. Panel A has one date for
all, B a date for each, C one date and missing returns.
"""

import csv

import numpy as np
import pandas as pd
import pytest
from panels import ESTIMATION, MODELS, PANELS, REFERENCE, WINDOW, panel
from panels import reference_study as fast
from statistics_by_name import OURS, RANKS, SLOW, WHOLE, slow

import impact.inference as tests
from impact.study.event_study import event_study

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
        (s.over(0).estimation_ar > 0).sum(axis=1) / s.over(0).n_estimation
    ),
    "sd_aar_estimation_bw85": lambda s: np.nanmean(s.over(0).estimation_ar, axis=0).std(ddof=1),
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
            close(ARRAYS[row["statistic"]](study.over(*bounds(row["window"]))), row)
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
        other = test(study, *bounds(row["window"]), **(options | alternative))
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
        sample, pair = study.over(*w), ours[order.index(row["security"])]
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
OTHER_TESTS = (
    "ols_single_dummy",
    "ols_k_dummies_HC0",
    "ols_k_dummies_HC1",
    "ols_k_dummies_sum_gap_rows_in_estimation",
    "naive_ddof0",
    "naive_no_forecast_term",
)


def test_prediction_t_is_that_of_the_file_and_of_dummy_regressions():
    series = pd.read_csv(REFERENCE / "series_S.csv", index_col="date", parse_dates=True)["ret"]
    study = event_study(
        series,
        pd.DataFrame({"session": [series.index[300]]}),
        kind="simple",
        volatility=None,
        estimation=ESTIMATION,
        window=WINDOW,
    )
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
