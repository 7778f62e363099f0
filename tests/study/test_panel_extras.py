"""Diagnostics and groups of a study, against other arithmetic."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from panels import given_study, panel, reference_study
from scipy import stats

import impact
from impact import inference
from impact.errors import InferenceError
from impact.estimation import fits, pairs
from impact.study.event_study import event_study
from impact.study.groups import compare_groups


def close(found, expected):
    assert np.asarray(found, float) == pytest.approx(np.asarray(expected, float), rel=1e-9)


def diagnosed(residuals, abnormal=None):
    """Diagnostics of one series of residuals, and of three others beside it."""
    rows = np.vstack([residuals, np.random.default_rng(0).standard_normal((3, len(residuals)))])
    study = given_study(0.01 * rows, np.full((4, 3), 0.01))
    return study.diagnostics().iloc[0]


# -- diagnostics ---------------------------------------------------------------------------------


def test_diagnostics_are_the_textbook_formulas():
    study = reference_study("C", "market_model")
    found = study.diagnostics()
    assert found["residuals"].tolist() == study.fit["observations"].tolist()
    assert found["residuals"].min() < 200
    for row, values in zip(found.itertuples(), study.residuals.to_numpy(), strict=True):
        e = values[~np.isnan(values)]
        n, centred = len(e), e - e.mean()
        jb = n / 6 * (stats.skew(e) ** 2 + stats.kurtosis(e) ** 2 / 4)
        r = [(centred[k:] @ centred[:-k]) / (centred @ centred) for k in range(1, 11)]
        lb = n * (n + 2) * sum(r[k - 1] ** 2 / (n - k) for k in range(1, 11))
        y = e[5:] ** 2
        x = np.column_stack([np.ones(n - 5)] + [e[5 - k : n - k] ** 2 for k in range(1, 6)])
        left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        lm = (n - 5) * (1 - left @ left / ((y - y.mean()) ** 2).sum())
        close([row.jarque_bera, row.ljung_box, row.arch_lm], [jb, lb, lm])
        close(
            [row.p_jarque_bera, row.p_ljung_box, row.p_arch_lm],
            [stats.chi2.sf(jb, 2), stats.chi2.sf(lb, 10), stats.chi2.sf(lm, 5)],
        )


def test_diagnostics_see_what_was_put_in_and_say_it_in_words():
    rng = np.random.default_rng(3)
    calm = stats.norm.ppf((rng.permutation(400) + 0.5) / 400)
    assert diagnosed(calm)["verdict"] == "nothing against independent normal residuals"
    loud = calm * np.repeat([0.3, 3.0, 0.3, 3.0], 100)
    assert diagnosed(loud)["verdict"].startswith("variance clusters: prefer the conditional test")
    drifting = np.convolve(calm, [1, 0.8], mode="same")
    assert "autocorrelated" in diagnosed(drifting)["verdict"]
    skewed = stats.expon.ppf((rng.permutation(400) + 0.5) / 400)
    assert diagnosed(skewed)["verdict"] == (
        "tails are not normal: prefer a rank test or simulated quantiles"
    )


def test_diagnostics_reject_true_nulls_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    study = given_study(0.01 * rng.standard_normal((400, 250)), np.full((400, 3), 0.01))
    found = study.diagnostics()
    for name in ("p_jarque_bera", "p_ljung_box", "p_arch_lm"):
        assert 0.015 < (found[name] < 0.05).mean() < 0.08, name


def test_few_residuals_have_no_diagnostics_and_say_so():
    found = diagnosed(np.random.default_rng(5).standard_normal(30))
    assert found["verdict"] == "too few residuals to tell: 30, at least 50 needed"
    assert np.isnan(found["p_arch_lm"])


# -- buy and hold --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["log", "simple"])
def test_buy_and_hold_intervals_hold_the_truth_as_often_as_they_say(kind):
    rng = np.random.default_rng(9)
    size = 4_000
    values = 0.0005 + 0.01 * rng.standard_normal((120, size))
    values[110:115] += 0.01
    sessions = pd.bdate_range("2010-01-01", periods=120)
    returns = pd.DataFrame(values, sessions, [f"S{i}" for i in range(size)])
    study = event_study(
        returns,
        pd.DataFrame({"session": sessions[[110]]}),
        estimation=(-105, -6),
        window=(-2, 5),
        min_observations=50,
        volatility=None,
        kind=kind,
    )
    truth = (1.0105**5 - 1.0005**5) if kind == "simple" else np.exp(5 * 0.0105) - np.exp(5 * 0.0005)
    found = study.bhar(0, 4)
    covered = (found["ci_low"] < truth) & (truth < found["ci_high"])
    assert 0.94 < covered.mean() < 0.96
    # One session of simple returns compounds nothing.
    if kind == "simple":
        one, car = study.bhar(0), study.car(0)
        close(
            one[["estimate", "std_error", "ci_low", "ci_high"]],
            car[["estimate", "std_error", "ci_low_textbook", "ci_high_textbook"]],
        )


# -- groups --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dates():
    """Panel A on eight dates, four of them called up."""
    firms, market, _ = panel("A")
    events = pd.DataFrame(
        {
            "id": [f"e{i}" for i in range(8)],
            "session": firms.index[215:390:22],
            "direction": ["escalation", "de-escalation"] * 4,
        }
    )
    return event_study(
        firms,
        events,
        model="market",
        benchmark=market,
        estimation=(-210, -11),
        window=(-5, 5),
        volatility=None,
        kind="simple",
    )


def test_groups_of_events_are_compared_by_welch_over_sessions(dates):
    found = dates.compare("direction", 0, 1)
    cars = dates.car(0, 1)["estimate"].groupby("event").mean()
    up, down = cars.iloc[::2], cars.iloc[1::2]
    welch = stats.ttest_ind(down, up, equal_var=False)
    row = found.differences.loc[("de-escalation", "escalation")]
    close(
        row[["estimate", "statistic", "dof", "p_value"]],
        [down.mean() - up.mean(), welch.statistic, welch.df, welch.pvalue],
    )
    close(row[["ci_low", "ci_high"]], welch.confidence_interval())
    assert (row["shared"], row["p_holm"]) == (0, row["p_value"])
    one = stats.ttest_1samp(up, 0)
    close(found.table.loc["escalation", ["statistic", "p_value"]], [one.statistic, one.pvalue])
    close(found.table.loc["escalation", ["ci_low", "ci_high"]], one.confidence_interval())
    assert found.table[["n", "rows"]].to_numpy().tolist() == [[4, 120], [4, 120]]
    assert found.note == "sessions are taken as independent; no two windows overlap"


def test_groups_may_be_yes_and_no_and_of_any_kind(dates):
    ids = [f"e{i}" for i in range(8)]
    named = dates.compare(dict(zip(ids, ["no", "yes"] * 4, strict=True)))
    for flags in (
        [False, True] * 4,
        pd.array([False, True] * 4, dtype="boolean"),
        pd.Categorical([False, True] * 4),
    ):
        column = replace(dates, alignment=dates.alignment.assign(flag=flags))
        for found in (dates.compare(pd.Series(flags, ids)), column.compare("flag")):
            pd.testing.assert_frame_equal(found.table, named.table)
            pd.testing.assert_frame_equal(found.differences, named.differences)
    for values in ([1, 2] * 4, [1.5, 2.5] * 4, pd.array([1, 2] * 4, dtype="Int64")):
        column = replace(dates, alignment=dates.alignment.assign(of=values))
        for found in (dates.compare(pd.Series(values, ids)), column.compare("of")):
            np.testing.assert_array_equal(found.table["estimate"], named.table["estimate"])


def test_groups_of_securities_on_shared_sessions_are_paired(dates):
    names = list(dates.returns.columns)
    groups = dict.fromkeys(names[:10], "first") | dict.fromkeys(names[10:15], "second")
    found = dates.compare(groups, 0)
    table = dates.car(0)["estimate"].reset_index().pivot_table("estimate", "event", "security")
    first, second = table[names[:10]].mean(axis=1), table[names[10:15]].mean(axis=1)
    paired = stats.ttest_rel(first, second)
    row = found.differences.loc[("first", "second")]
    close(row[["statistic", "dof", "p_value"]], [paired.statistic, paired.df, paired.pvalue])
    assert (row["shared"], found.table.loc["first", "rows"]) == (8, 80)


def test_groups_that_share_some_sessions_have_their_covariance_in_the_error():
    firms, _, _ = panel("A")
    rows = {"A01": range(215, 335, 10), "A02": range(275, 385, 10)}
    events = pd.DataFrame(
        [(firms.index[row], name) for name, at in rows.items() for row in at],
        columns=["session", "security"],
    )
    study = event_study(firms, events, estimation=(-210, -11), volatility=None, kind="simple")
    row = study.compare({"A01": "x", "A02": "y"}, 0).differences.iloc[0]
    cars = study.car(0).reset_index().pivot_table("estimate", "session", "security")
    x, y = cars["A01"].dropna(), cars["A02"].dropna()
    both = cars.dropna()
    # The variance of the whole vector of session means, weighted by +1/12 and -1/11.
    matrix = np.diag([x.var()] * 12 + [y.var()] * 11)
    for session in both.index:
        i, j = x.index.get_loc(session), 12 + y.index.get_loc(session)
        matrix[i, j] = matrix[j, i] = np.cov(both["A01"], both["A02"])[0, 1]
    weights = np.array([1 / 12] * 12 + [-1 / 11] * 11)
    assert (row["shared"], row["dof"]) == (len(both), 10) == (6, 10)
    close(
        row[["estimate", "std_error"]], [x.mean() - y.mean(), np.sqrt(weights @ matrix @ weights)]
    )


def test_three_groups_are_corrected_together_and_a_lone_session_is_listed(dates):
    groups = dict(zip(dates.alignment.index, "aabbccd", strict=False))
    found = compare_groups(dates, groups, 0)
    p = found.differences["p_value"].sort_values()
    assert found.differences.loc[p.index[0], "p_holm"] == pytest.approx(min(1, 3 * p.iloc[0]))
    assert set(found.dropped["reason"]) <= {"one session of its group has no spread", "no group"}
    lone = found.dropped[found.dropped["reason"].str.startswith("one")]
    assert set(lone["event"]) == {dates.alignment.index[6]} and len(lone) == 30
    assert list(found.table.index) == ["a", "b", "c"]


def test_clustered_rows_do_not_narrow_an_interval():
    # One hundred copies of a security are one security.
    firms, market, _ = panel("A")
    alone, copies = firms[["A01"]], pd.DataFrame({f"x{i}": firms["A01"] for i in range(100)})
    events = pd.DataFrame(
        {"id": list("abcdef"), "session": firms.index[[220, 240, 260, 280, 300, 320]]}
    )
    groups = dict(zip("abcdef", "uvuvuv", strict=True))
    found = [
        event_study(
            returns,
            events,
            model="market",
            benchmark=market,
            estimation=(-210, -11),
            volatility=None,
            kind="simple",
        )
        .compare(groups, 0)
        .differences
        for returns in (alone, copies)
    ]
    pd.testing.assert_frame_equal(*found, rtol=1e-9)


@pytest.mark.parametrize(
    ("by", "message"),
    [("colour", "not a column"), ({"Z": "a"}, "neither events nor"), ({"e1": "a"}, "two groups")],
)
def test_groups_that_cannot_be_compared_are_refused(dates, by, message):
    with pytest.raises(InferenceError, match=message):
        dates.compare(by)
    with pytest.raises(InferenceError, match="two groups of at least two sessions"):
        dates["e1"].compare(
            dict.fromkeys(dates.returns.columns[:9], "a")
            | dict.fromkeys(dates.returns.columns[9:], "b")
        )


# -- tests of many rows ----------------------------------------------------------------------------


@pytest.mark.parametrize("gaps", ["none", "lost", "spanned"])
def test_tests_are_the_same_where_residuals_are_made_some_rows_at_a_time(monkeypatch, gaps):
    prices = impact.load_prices("sectors")
    if gaps != "none":
        prices = prices.mask(np.random.default_rng(3).random(prices.shape) < 0.01)
    returns = impact.log_returns(prices)
    returns.attrs = {} if gaps == "lost" else returns.attrs
    days = prices.index[700:1900:15]
    security = [returns.columns[i % 11] for i in range(len(days))]
    firms = pd.DataFrame({"session": days, "security": security})
    for events in (firms, ["2025-04-03"]):
        whole = _statistics(impact.event_study(returns, events, volatility=None))
        with monkeypatch.context() as patched:
            patched.setattr(fits, "KEPT_NUMBERS", 0)
            patched.setattr(pairs, "CHUNK_NUMBERS", 1_000)
            parts = _statistics(impact.event_study(returns, events, volatility=None))
        np.testing.assert_allclose(parts, whole, rtol=1e-11)


def _statistics(study):
    names = (
        "crude_dependence_t brown_warner_1980 kp_bmp kp_patell corrado corrado_zivney cowan_rank"
    )
    tests = [getattr(inference, name) for name in (*names.split(), "grank_t", "generalised_sign")]
    return [test(study, 0, 2).statistic for test in tests]
