"""Which test is valid for which design: the words, the reasons, and numbers only where valid."""

import functools

import numpy as np
import pandas as pd
import pytest
from panels import panel, reference_study
from scipy import special
from statistics_by_name import slow

import impact
from impact import inference
from impact.inference.validity import (
    MIN_PAIRS_HALL,
    TESTS,
    Kind,
    StudyDesign,
    design_table,
    validity,
)
from impact.study.event_study import event_study
from impact.study.tests_table import design_of

YES, NO, NOT_KNOWN, CALM = "yes", "no", "not known", "in calm markets"

SERIES = (
    "conditional_fhs",
    "conditional_t",
    "implied_t",
    "prediction_t",
    "sample_quantile",
    "conformal",
    "placebo_session",
    "cluster_t",
    "shift_studentised",
    "shift_mean",
)
PANEL = (
    "portfolio_conditional",
    "relative_max",
    "portfolio_t",
    "crude_dependence_t",
    "brown_warner_1980",
    "cross_sectional_t",
    "patell",
    "bmp",
    "kp_patell",
    "kp_bmp",
    "hall",
    "corrado",
    "corrado_zivney",
    "cowan_rank",
    "grank_t",
    "grank_z",
    "sign",
    "generalised_sign",
    "wilcoxon",
)

#: Tests that stand variance that events induce, if the securities are independent.
ROBUST = (
    "cross_sectional_t",
    "bmp",
    "kp_bmp",
    "grank_t",
    "grank_z",
    "sign",
    "generalised_sign",
    "wilcoxon",
)
NOT_ROBUST = (
    "crude_dependence_t",
    "brown_warner_1980",
    "patell",
    "kp_patell",
    "corrado",
    "corrado_zivney",
    "cowan_rank",
)


def simulated(columns, correlation, seed=1, size=700):
    """Returns of securities with a common factor, on dates that hold no announcement."""
    rng = np.random.default_rng(seed)
    common = np.sqrt(correlation) * rng.standard_normal((size, 1))
    values = 0.01 * (common + np.sqrt(1 - correlation) * rng.standard_normal((size, columns)))
    return pd.DataFrame(
        values, pd.bdate_range("2010-01-01", periods=size), [f"S{i:02d}" for i in range(columns)]
    )


def on(returns, rows, volatility="ewma"):
    events = pd.DataFrame({"session": returns.index[rows]})
    return event_study(returns, events, volatility=volatility, kind="simple")


@functools.cache
def study_of(kind):
    if kind == "eleven sectors on one date":
        sectors = impact.log_returns(impact.load_prices("sectors"))
        return impact.event_study(sectors, ["2025-04-03"], volatility="ewma")
    if kind == "25 columns on one date":
        return on(simulated(25, 0.1, size=900), [800])
    if kind == "25 strongly correlated columns":
        return on(simulated(25, 0.5, size=900), [800])
    if kind == "columns on ten dates":
        return on(simulated(25, 0.1), list(range(300, 600, 30)))
    if kind == "one event":
        return on(simulated(1, 0.0, size=1_400)["S00"], [1_200])
    if kind == "seven events":
        return on(simulated(1, 0.0)["S00"], list(range(300, 510, 30)))
    if kind == "ten events":
        return on(simulated(1, 0.0)["S00"], list(range(300, 600, 30)))
    if kind == "ten events in four clusters":
        return on(simulated(1, 0.0)["S00"], [300, 301, 305, 350, 400, 402, 404, 450, 451, 452])
    if kind == "ten events in two clusters":
        return on(simulated(1, 0.0)["S00"], [*range(300, 305), *range(400, 405)])
    return firms(40 if kind == "40 firms" else 12)


def firms(count):
    """Events of panel B, each on a date of its own, four sessions apart."""
    returns, _, pairs = panel("B")
    pairs = sorted(pairs, key=lambda pair: pair[1])[:count]
    events = pd.DataFrame(
        {"session": returns.index[[row for _, row in pairs]], "security": [s for s, _ in pairs]}
    )
    return event_study(returns, events, estimation=(-210, -11), volatility="ewma", kind="simple")


def words(**valid):
    return dict.fromkeys((*SERIES, *PANEL), NO) | valid


def each(names, word):
    return dict.fromkeys(names, word)


ONE_DATE = {"portfolio_conditional": YES, "relative_max": YES}
UNCONDITIONAL = each(("prediction_t", "sample_quantile", "conformal", "placebo_session"), CALM)

#: Study, window, whether variance may be induced, kind of design, what is valid.
CASES = {
    "one event": (
        "one event",
        (0, 0),
        True,
        Kind.ONE_EVENT,
        words(conditional_fhs=YES, conditional_t=YES, **UNCONDITIONAL),
    ),
    "seven events": ("seven events", (0, 0), True, Kind.EVENTS, words()),
    "ten events": (
        "ten events",
        (0, 0),
        True,
        Kind.EVENTS,
        words(cluster_t=YES, shift_studentised=YES),
    ),
    "ten events in four clusters": (
        "ten events in four clusters",
        (0, 0),
        True,
        Kind.EVENTS,
        words(cluster_t=YES),
    ),
    "ten events in two clusters": (
        "ten events in two clusters",
        (0, 0),
        True,
        Kind.EVENTS,
        words(),
    ),
    "ten events, calm": (
        "ten events",
        (0, 0),
        False,
        Kind.EVENTS,
        words(cluster_t=YES, shift_studentised=YES, shift_mean=YES),
    ),
    "eleven sectors": (
        "eleven sectors on one date",
        (0, 0),
        True,
        Kind.ONE_DATE,
        words(**ONE_DATE),
    ),
    "eleven sectors, calm": (
        "eleven sectors on one date",
        (0, 0),
        False,
        Kind.ONE_DATE,
        words(
            **ONE_DATE,
            **each(
                ("portfolio_t", "crude_dependence_t", "corrado", "corrado_zivney", "cowan_rank"),
                CALM,
            ),
        ),
    ),
    "25 columns": (
        "25 columns on one date",
        (0, 1),
        True,
        Kind.ONE_DATE,
        words(**ONE_DATE, kp_bmp=YES, grank_t=YES),
    ),
    "25 columns, calm": (
        "25 columns on one date",
        (0, 1),
        False,
        Kind.ONE_DATE,
        words(
            **ONE_DATE,
            kp_bmp=YES,
            grank_t=YES,
            kp_patell=YES,
            **each(
                ("portfolio_t", "crude_dependence_t", "corrado", "corrado_zivney", "cowan_rank"),
                CALM,
            ),
        ),
    ),
    "25 correlated columns": (
        "25 strongly correlated columns",
        (0, 1),
        True,
        Kind.ONE_DATE,
        words(**ONE_DATE),
    ),
    "columns on ten dates": ("columns on ten dates", (0, 0), True, Kind.COMMON_DATES, words()),
    "40 firms": ("40 firms", (0, 0), True, Kind.FIRMS, words(**each(ROBUST, YES), hall=NOT_KNOWN)),
    "40 firms, calm": (
        "40 firms",
        (0, 0),
        False,
        Kind.FIRMS,
        words(
            **each((*ROBUST, *NOT_ROBUST), YES)
            | each(("patell", "kp_patell", "brown_warner_1980"), CALM),
            hall=NOT_KNOWN,
        ),
    ),
    "12 firms": ("12 firms", (0, 0), True, Kind.FIRMS, words(**each((*ROBUST, "hall"), NOT_KNOWN))),
    "40 firms that overlap": (
        "40 firms",
        (-5, 5),
        True,
        Kind.OVERLAP,
        words(kp_bmp=NOT_KNOWN, grank_t=NOT_KNOWN),
    ),
    "40 firms that overlap, calm": (
        "40 firms",
        (-5, 5),
        False,
        Kind.OVERLAP,
        words(kp_bmp=NOT_KNOWN, grank_t=NOT_KNOWN, kp_patell=NOT_KNOWN),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_valid_for_a_design(case):
    name, window, induced, kind, expected = CASES[case]
    study = study_of(name)
    design = design_of(study, *window, induced_variance=induced)
    assert design.kind == kind
    assert validity(design)["valid"].to_dict() == expected


@pytest.mark.parametrize("case", CASES)
def test_a_number_stands_only_where_a_test_is_not_refused(case):
    name, window, induced, _, expected = CASES[case]
    table = study_of(name).tests(*window, induced_variance=induced)
    assert table["valid"].to_dict() == expected
    shown = table["valid"] != NO
    assert table["statistic"].notna().equals(shown)
    assert table["p_value"].notna().equals(shown)
    assert (table["n"] > 0).equals(shown)
    assert table["null"].ne("").equals(shown)
    assert table["because"].str.len().gt(20).all()
    assert not table["because"].str.contains("nan").any()


@pytest.mark.parametrize(
    ("case", "test", "reason"),
    [
        ("one event", "bmp", "one series"),
        ("one event", "portfolio_t", "one series"),
        ("seven events", "shift_studentised", "no verdict on fewer than 8"),
        ("ten events", "shift_mean", "larger variance on event days"),
        ("ten events in four clusters", "shift_studentised", "10 sessions in 4 clusters: it takes"),
        ("ten events in two clusters", "cluster_t", "2 clusters of sessions fewer than six apart"),
        ("seven events", "cluster_t", "no verdict on fewer than 8"),
        ("ten events", "prediction_t", "one session and the study has 10 units"),
        (
            "eleven sectors",
            "kp_bmp",
            "11 securities on one date with a mean correlation of 0.42 are one observation",
        ),
        ("eleven sectors", "grank_t", "are one observation"),
        ("eleven sectors", "bmp", "clustering"),
        ("eleven sectors", "corrado", "induced variance"),
        ("eleven sectors", "patell", "induced variance"),
        ("eleven sectors", "portfolio_t", "induced variance"),
        ("eleven sectors", "conditional_fhs", "study.portfolio()"),
        ("25 columns", "kp_bmp", "which it adjusts for"),
        ("25 correlated columns", "kp_bmp", "are one observation"),
        ("columns on ten dates", "kp_bmp", "clustering"),
        ("40 firms", "bmp", "apart in time"),
        ("40 firms", "hall", "n too small"),
        ("40 firms", "conditional_fhs", "the one column"),
        ("12 firms", "bmp", "n too small"),
        ("40 firms that overlap", "bmp", "clustering"),
        ("40 firms that overlap", "kp_bmp", "not measured"),
    ],
)
def test_the_reason_is_named(case, test, reason):
    name, window, induced, _, _ = CASES[case]
    table = validity(design_of(study_of(name), *window, induced_variance=induced))
    assert reason in table.loc[test, "because"]


def test_without_a_variance_model_nothing_conditional_is_offered():
    study = on(simulated(11, 0.4, size=900), [800], volatility=None)
    table = study.tests(0)
    assert table["valid"].to_dict() == words(relative_max=YES)
    assert "volatility='gjr'" in table.loc["portfolio_conditional", "because"]


def test_securities_that_were_dropped_do_not_count_as_columns():
    returns = simulated(25, 0.1)
    returns.iloc[:590, :10] = np.nan
    study = on(returns, [600])
    assert design_of(study).columns == 15
    assert validity(design_of(study)).loc["kp_bmp", "valid"] == NO
    assert study.tests(0).loc["kp_bmp", "because"].startswith("15 securities on one date")


def test_one_firm_of_a_panel_is_told_to_be_studied_as_one_series():
    study = firms(12)
    table = study[study.alignment.index[0]].tests(0)
    assert set(table.index[table["valid"] != NO]) == {"sign", "generalised_sign", "wilcoxon"}
    assert set(table["valid"]) == {NO, NOT_KNOWN}
    assert "the one column" in table.loc["conditional_fhs", "because"]
    assert "2 securities" in table.loc["bmp", "because"]


# -- Hall's test ---------------------------------------------------------------------------------


def hall_of(samples):
    """Hall's statistic of each row, as in `impact.inference.hall`."""
    n = samples.shape[1]
    mean, spread = samples.mean(axis=1), samples.std(axis=1, ddof=1)
    ratio = mean / spread
    cubes = (((samples - mean[:, None]) / spread[:, None]) ** 3).sum(axis=1)
    g = n / ((n - 1) * (n - 2)) * cubes
    return np.sqrt(n) * (ratio + g * ratio**2 / 3 + g**2 * ratio**3 / 27 + g / (6 * n))


def test_hall_is_taken_with_student_t_and_from_100_because_of_its_size():
    rng = np.random.default_rng(1)
    normal = hall_of(rng.standard_normal((40_000, 20)))
    assert (2 * special.ndtr(-abs(normal)) < 0.05).mean() > 0.062
    assert 0.048 < (2 * special.stdtr(19, -abs(normal)) < 0.05).mean() < 0.056
    sizes = {}
    for n in (20, 50, 100):
        fat = hall_of(rng.standard_t(4, (40_000, n)))
        sizes[n] = (2 * special.stdtr(n - 1, -abs(fat)) < 0.05).mean()
    assert sizes[20] > 0.065 and sizes[50] > 0.065
    assert sizes[MIN_PAIRS_HALL] < 0.065


def test_the_hall_of_the_table_has_student_t_p_values():
    study = reference_study("B", "market_model")
    table = study.tests(0)
    statistic = hall_of(study.abnormal[[0]].to_numpy().T)
    assert table.loc["hall", "statistic"] == statistic
    expected = 2 * special.stdtr(len(study) - 1, -abs(statistic))
    assert table.loc["hall", "p_value"] == pytest.approx(expected, rel=1e-12)
    assert inference.hall(study, 0, distribution="normal").p_value < table.loc["hall", "p_value"]


def test_the_grank_of_the_table_is_adjusted_for_correlation():
    study, loops = reference_study("A", "constant_mean"), slow("A", "constant_mean")
    assert loops.rbar() > 0.05
    found = inference.grank_t(study, 0, 1)
    assert found.statistic == pytest.approx(loops.grank_t((0, 1), rbar=loops.rbar()), rel=1e-9)
    plain = inference.grank_t(study, 0, 1, correlation_adjusted=False)
    assert plain.statistic == pytest.approx(loops.grank_t((0, 1)), rel=1e-9)
    assert abs(plain.statistic) > abs(found.statistic)


# -- one default per name ------------------------------------------------------------------------


def test_every_test_of_the_table_is_a_function_of_impact_inference():
    functions = {name for name in inference.__all__ if name not in ("HypothesisTest",)}
    assert list(TESTS) == list(study_of("one event").tests().index) == [*SERIES, *PANEL]
    # A number behind tests, and four of them beside each other.
    assert functions - set(TESTS) == {"mean_correlation", "yardsticks"} and set(TESTS) <= functions
    for name, test in TESTS.items():
        assert getattr(inference, name) is test


@pytest.mark.parametrize("case", CASES)
def test_the_function_gives_the_number_of_the_row(case):
    name, window, induced, _, _ = CASES[case]
    study = study_of(name)
    table = study.tests(*window, induced_variance=induced)
    shown = table[table["valid"] != NO]
    for name, row in shown.iterrows():
        found = getattr(inference, name)(study, *window)
        assert found.name == name
        assert (found.statistic, found.p_value, found.n, found.null) == tuple(row[:4])
        assert found.signature == table.attrs["signature"] or name.startswith("portfolio")


# -- the table of the README ---------------------------------------------------------------------


def test_the_design_table_has_every_test_and_design():
    table = design_table()
    assert list(table.index) == [*SERIES, *PANEL]
    assert list(table.columns) == list(Kind)
    first = table.apply(lambda column: column.str.split(",").str[0])
    assert set(first.to_numpy().ravel()) == {YES, NO, NOT_KNOWN, CALM}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("conditional_fhs", [YES, NO, NO, NO, NO, NO]),
        ("prediction_t", [CALM, NO, NO, NO, NO, NO]),
        (
            "shift_studentised",
            [
                *(NO, "yes, from 8 sessions, if they are six sessions apart", NO),
                *("no, but of study.portfolio()", NO, NO),
            ],
        ),
        (
            "cluster_t",
            [NO, "yes, from 8 sessions", NO, "no, but of study.portfolio()", NO, NO],
        ),
        ("portfolio_conditional", [NO, NO, YES, NO, NO, NO]),
        ("portfolio_t", [NO, NO, "in calm markets, if they leave the variance alone", NO, NO, NO]),
        (
            "kp_bmp",
            [NO, NO, "yes, from 20 securities with r̄ < 0.3", NO, "yes, from 20 events", NOT_KNOWN],
        ),
        ("bmp", [NO, NO, NO, NO, "yes, from 20 events", NO]),
        ("hall", [NO, NO, NO, NO, "yes, from 100 events", NO]),
        (
            "patell",
            [
                *[NO] * 4,
                "in calm markets, from 20 events, if they leave the variance alone",
                NO,
            ],
        ),
    ],
)
def test_the_design_table_says_what_validity_says(test, expected):
    assert design_table().loc[test].tolist() == expected


def test_the_design_table_agrees_with_designs_one_by_one():
    table = design_table()
    for kind in Kind:
        units = 1 if kind == Kind.ONE_EVENT else 100
        large = StudyDesign(kind, units, 100, 100, 0.1, True, True, True, units)
        for test, word in validity(large)["valid"].items():
            cell = table.loc[test, kind]
            assert cell.startswith(word) or (word == NO and "leave the variance" in cell), (
                test,
                kind,
                cell,
            )
