"""What must hold for every panel: invariances, traps of the literature, bad input."""

import numpy as np
import pandas as pd
import pytest
from panels import MODELS, PANELS, given_study, panel, reference_study
from slow_event_study import Pair, mid_ranks
from statistics_by_name import OURS

import impact.inference as tests
from impact.errors import (
    EventError,
    HistoryError,
    ImpactError,
    InferenceError,
    ModelError,
    ReturnsError,
)
from impact.study.event_study import event_study

WINDOWS = [(0, 0), (-5, 5), (-1, 2)]


def again(name, model, returns=None, market=None, events=None, **options):
    """The study of a reference panel with something changed."""
    firms, index, pairs = panel(name)
    returns = firms if returns is None else returns
    if events is None and name == "B":
        events = pd.DataFrame(
            {"session": firms.index[[row for _, row in pairs]], "security": [s for s, _ in pairs]}
        )
    elif events is None:
        events = pd.DataFrame({"session": [firms.index[pairs[0][1]]]})
    options = {"estimation": (-210, -11), "window": (-5, 5)} | options
    return event_study(
        returns,
        events,
        model=MODELS[model],
        kind="simple",
        volatility=None,
        benchmark=None if model == "constant_mean" else index if market is None else market,
        **options,
    )


def every_statistic(study):
    found = {}
    for name, (test, options, _) in OURS.items():
        if name == "portfolio_prediction_t" and len(study.alignment) > 1:
            continue
        for window in WINDOWS:
            found[name, window] = test(study, *window, **options).statistic
    return pd.Series(found)


def assert_same(found, expected):
    pd.testing.assert_series_equal(found, expected, rtol=1e-8, atol=1e-10)


# -- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_scaling_returns_scales_abnormal_returns_and_leaves_every_statistic(name, model):
    firms, market, _ = panel(name)
    study, scaled = reference_study(name, model), again(name, model, 0.3 * firms, 0.3 * market)
    pd.testing.assert_frame_equal(scaled.abnormal, 0.3 * study.abnormal, rtol=1e-9, atol=1e-15)
    pd.testing.assert_frame_equal(scaled.std_error, 0.3 * study.std_error, rtol=1e-9)
    assert_same(every_statistic(scaled), every_statistic(study))


@pytest.mark.parametrize("name", PANELS)
def test_shuffling_securities_changes_nothing(name):
    firms, _, _ = panel(name)
    shuffled = firms[np.random.default_rng(1).permutation(firms.columns)]
    study, other = reference_study(name, "market_model"), again(name, "market_model", shuffled)
    assert list(shuffled.columns) != list(firms.columns)
    assert_same(every_statistic(other), every_statistic(study))
    pd.testing.assert_frame_equal(
        other.abnormal.sort_index(), study.abnormal.sort_index(), rtol=1e-10, atol=1e-15
    )


def test_shuffling_events_changes_nothing():
    firms, _, pairs = panel("B")
    pairs = [pairs[i] for i in np.random.default_rng(2).permutation(len(pairs))]
    events = pd.DataFrame(
        {"session": firms.index[[row for _, row in pairs]], "security": [s for s, _ in pairs]}
    )
    study, other = reference_study("B", "market_model"), again("B", "market_model", events=events)
    assert_same(every_statistic(other), every_statistic(study))


@pytest.mark.parametrize("name", PANELS)
def test_a_constant_added_to_all_returns_leaves_the_constant_mean_abnormal_returns(name):
    firms, _, _ = panel(name)
    study, moved = (
        reference_study(name, "constant_mean"),
        again(name, "constant_mean", firms + 0.004),
    )
    pd.testing.assert_frame_equal(moved.abnormal, study.abnormal, rtol=1e-9, atol=1e-14)
    pd.testing.assert_series_equal(moved.fit["alpha"], study.fit["alpha"] + 0.004, rtol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_a_security_without_returns_in_the_windows_changes_only_the_list_of_dropped(model):
    firms, _, _ = panel("C")
    empty = firms.assign(EMPTY=np.nan)
    # A column without a single value is refused when returns are checked.
    empty.iloc[0, -1] = 0.01
    study, other = reference_study("C", model), again("C", model, empty)
    pd.testing.assert_frame_equal(other.abnormal, study.abnormal)
    assert_same(every_statistic(other), every_statistic(study))
    assert study.dropped.empty
    assert other.dropped[["security", "reason"]].to_numpy().tolist() == [
        ["EMPTY", "0 returns in the estimation window (-210, -11), min_observations=150"]
    ]


def test_several_events_of_one_security_are_rows_of_their_own():
    firms, _, _ = panel("B")
    rows = [250, 290, 330]
    events = pd.DataFrame({"session": firms.index[rows], "security": "B07"})
    study = again("B", "market_model", events=events)
    for i, row in enumerate(rows):
        alone = again(
            "B",
            "market_model",
            events=pd.DataFrame({"session": firms.index[[row]], "security": "B07"}),
        )
        np.testing.assert_allclose(study.abnormal.iloc[i], alone.abnormal.iloc[0], rtol=1e-10)
    assert len(study) == 3


def test_one_event_of_a_study_keeps_the_sessions_that_its_fit_left_out():
    firms, _, _ = panel("A")
    events = pd.DataFrame({"id": ["first", "second"], "session": firms.index[[260, 300]]})
    study = again("A", "market_model", events=events, exclude_neighbours=True)
    one = study["second"]
    assert (one.fit["observations"] == 198).all()
    assert (one.residuals.notna().sum(axis=1) == 198).all()
    squares = one.residuals.pow(2).sum(axis=1) / one.fit["dof"]
    np.testing.assert_allclose(squares, one.fit["residual_variance"], rtol=1e-10)
    assert one.portfolio().fit["observations"].tolist() == [198]


# -- traps ---------------------------------------------------------------------------------------


def test_trap_windows_take_the_squared_sum_of_market_deviations_not_the_sum_of_squares():
    _, market, _ = panel("A")
    past, ahead = market.iloc[90:290], market.iloc[295:306] - market.iloc[90:290].mean()
    spread = ((past - past.mean()) ** 2).sum()
    right = 11 + 121 / 200 + ahead.sum() ** 2 / spread
    wrong = 11 + 121 / 200 + (ahead**2).sum() / spread
    found = reference_study("A", "market_model").over(-5, 5).c
    np.testing.assert_allclose(found, right, rtol=1e-10)
    assert abs(right - wrong) > 1e-3


@pytest.mark.parametrize(("name", "seen"), [("A", False), ("B", True), ("C", True)])
def test_trap_panel_a_cannot_see_a_wrong_window_covariance_in_bmp(name, seen):
    study = reference_study(name, "market_model")
    sample = study.over(-5, 5)
    wrong = (sample.car / (sample.s * np.sqrt(sample.days)))[sample.days > 0]
    t = np.sqrt(len(wrong)) * wrong.mean() / wrong.std(ddof=1)
    off = abs(t / tests.bmp(study, -5, 5).statistic - 1)
    assert off > 1e-5 if seen else off < 1e-10


def opposed(noise):
    """Residuals of three securities, correlated with -1/2 each but for the noise."""
    rng = np.random.default_rng(4)
    two = rng.standard_normal((60, 2))
    x, y = np.linalg.qr(two - two.mean(axis=0))[0].T
    residuals = np.vstack([x, -x / 2 + np.sqrt(0.75) * y, -x / 2 - np.sqrt(0.75) * y]) / 10
    residuals += noise * rng.standard_normal(residuals.shape)
    return residuals, 0.01 * rng.standard_normal((3, 3)) + 0.01


def test_trap_a_negative_mean_correlation_inflates_unless_truncated():
    study = given_study(*opposed(0.01))
    mean = tests.mean_correlation(study)
    plain, adjusted = tests.bmp(study, 0), tests.kp_bmp(study, 0)
    assert -0.5 < mean < -0.05
    assert abs(adjusted.statistic) > abs(plain.statistic)
    assert adjusted.statistic == pytest.approx(
        plain.statistic * np.sqrt((1 - mean) / (1 + 2 * mean))
    )
    assert tests.kp_bmp(study, 0, truncate=True).statistic == pytest.approx(plain.statistic)
    assert tests.kp_patell(study, 0, truncate=True).statistic == pytest.approx(
        tests.patell(study, 0).statistic
    )


@pytest.mark.parametrize("test", [tests.kp_bmp, tests.kp_patell])
def test_trap_kolari_pynnonen_is_not_defined_when_residuals_add_up_to_zero(test):
    with pytest.raises(InferenceError, match=r"not defined: 1 \+ \(n - 1\) r̄"):
        test(given_study(*opposed(0.0)), 0)
    # Securities measured against their own mean do so by construction.
    firms, _, _ = panel("A")
    relative = firms.sub(firms.mean(axis=1), axis=0)
    study = again("A", "constant_mean", relative)
    assert -1 / 29 < tests.mean_correlation(study) < -0.03


def test_trap_ties_share_their_mean_rank():
    residuals = np.round(np.random.default_rng(5).standard_normal((4, 40)), 0) / 100
    abnormal = np.array([[0, 0.01, 0], [0.01, 0.01, 0], [0, 0, 0], [0.02, 0.01, -0.01]])
    study = given_study(residuals, abnormal)
    scores = []
    for past, ahead in zip(residuals, abnormal, strict=True):
        ranks = mid_ranks([*past, *ahead])
        assert len(set(ranks)) < 10
        scores.append([rank - 22 for rank in ranks])
    by_session = np.mean(scores, axis=0)
    expected = by_session[41] / np.sqrt((by_session**2).mean())
    assert tests.corrado(study, 0).statistic == pytest.approx(expected, rel=1e-12)


def test_trap_rank_tests_do_not_repeat_the_first_session():
    study = reference_study("B", "market_model")
    for test in (tests.corrado, tests.corrado_zivney, tests.cowan_rank, tests.grank_t):
        found = {round(test(study, day).statistic, 10) for day in range(-5, 6)}
        assert len(found) == 11, test


def test_trap_zero_variance_is_dropped_or_refused():
    firms, _, _ = panel("A")
    flat = firms.assign(FLAT=0.001)
    study = again("A", "constant_mean", flat)
    assert study.dropped[["security", "reason"]].to_numpy().tolist() == [
        ["FLAT", "no variance is left in the estimation window"]
    ]
    residuals, _ = opposed(0.01)
    alike = given_study(np.tile(residuals[0], (3, 1)), np.full((3, 3), 0.01))
    for test in (tests.cross_sectional_t, tests.bmp, tests.kp_bmp, tests.hall, tests.grank_t):
        with pytest.raises(InferenceError):
            test(alike, 0)


def test_trap_fewer_observations_than_parameters_are_dropped():
    firms, market, _ = panel("A")
    rng = np.random.default_rng(6)
    factors = pd.DataFrame(
        rng.standard_normal((len(firms), 6)) / 100, firms.index, list("abcdef")
    ).assign(market=market)
    gaps = firms.copy()
    gaps.iloc[:292, :2] = np.nan
    gaps.iloc[280:288, :2] = 0.01 * rng.standard_normal((8, 2))
    study = event_study(
        gaps,
        pd.DataFrame({"session": firms.index[[300]]}),
        model="factors",
        factors=factors,
        estimation=(-210, -11),
        window=(-5, 5),
        min_observations=5,
        volatility=None,
        kind="simple",
    )
    assert study.dropped["reason"].tolist() == ["fewer observations than parameters"] * 2
    assert study.dropped["security"].tolist() == ["A01", "A02"]
    assert len(study) == 28


def test_trap_sums_are_not_blown_up_where_returns_are_missing():
    firms, market, pairs = panel("C")
    study = reference_study("C", "market_model")
    found = study.over(-5, 5)
    assert found.days.min() < 11
    for security, row in pairs:
        loop = Pair(
            security,
            firms[security].tolist(),
            market.tolist(),
            row,
            "market_model",
            (-210, -11),
            (-5, 5),
        )
        i = study.abnormal.index.get_level_values("security").get_loc(security)
        assert found.car[i] == pytest.approx(sum(loop.ar.values()), rel=1e-10)


# -- bad input -----------------------------------------------------------------------------------


def bad_inputs():
    firms, market, _ = panel("A")
    factors = pd.DataFrame({"market": market, "other": market.shift(1, fill_value=0.0) ** 2})
    session = firms.index[[300]]
    return {
        "benchmark of every other session": (
            {"model": "market", "benchmark": market[::2]},
            ModelError,
            "market has no value on 2018-05-08",
        ),
        "benchmark too short": (
            {"model": "market", "benchmark": market.iloc[120:]},
            ModelError,
            "30 such sessions",
        ),
        "benchmark equal to a security": (
            {"model": "market", "benchmark": firms["A03"].rename("x")},
            ModelError,
            "also the security 'A03'",
        ),
        "market-adjusted by a security": (
            {"model": "market-adjusted", "benchmark": firms["A03"].rename("x")},
            ModelError,
            "also the security 'A03'",
        ),
        "benchmark that is no column": (
            {"model": "market", "benchmark": "SPX"},
            ModelError,
            "benchmark='SPX' is not a column",
        ),
        "benchmark that is an array": (
            {"model": "market", "benchmark": market.to_numpy()},
            ReturnsError,
            "benchmark must be a pandas Series or DataFrame, not ndarray",
        ),
        "benchmark with a session twice": (
            {"model": "market", "benchmark": pd.concat([market, market.iloc[:1]])},
            ReturnsError,
            "benchmark: 2018-01-01 stands twice: delete one of its rows",
        ),
        "benchmark of texts": (
            {"model": "market", "benchmark": market.astype(str)},
            ReturnsError,
            "benchmark: column 'market' holds",
        ),
        "a benchmark for some of the securities": (
            {"model": "market", "benchmark": firms.iloc[:, :2].add_suffix("x")},
            ModelError,
            "benchmark= has several columns and none for 'A01', 'A02' and 'A03'",
        ),
        "factors of every other session": (
            {"model": "factors", "factors": factors[::2]},
            ModelError,
            "market has no value on 2018-05-08",
        ),
        "factors as an array": (
            {"model": "factors", "factors": factors.to_numpy()},
            ReturnsError,
            "factors must be a pandas Series or DataFrame",
        ),
        "a short risk-free rate": (
            {"model": "market", "benchmark": market, "risk_free": 0 * market[150:]},
            ModelError,
            "risk-free rate has no value on 2018-05-07",
        ),
        "two risk-free rates": (
            {"model": "market", "benchmark": market, "risk_free": 0 * factors},
            ModelError,
            "risk_free= has 2 columns: give one, as a Series",
        ),
        "collinear factors": (
            {"model": "factors", "factors": factors.assign(twice=2 * market)},
            HistoryError,
            "collinear",
        ),
        "constant benchmark": (
            {"model": "market", "benchmark": market * 0 + 0.001},
            HistoryError,
            "constant",
        ),
        "own model with a benchmark": (
            {"model": type("Own", (), {"fit": None})(), "benchmark": market},
            ModelError,
            "give it as factors=",
        ),
        "unknown model": ({"model": "capm"}, ModelError, "model='capm' is not known"),
        "unknown security": (
            {"events": pd.DataFrame({"session": session, "security": "ZZZ"})},
            HistoryError,
            "security 'ZZZ' is not a column",
        ),
        "the same event twice": (
            {"events": pd.DataFrame({"session": session.append(session)})},
            EventError,
            "two events have the id",
        ),
        "no usable event": (
            {"events": pd.DataFrame({"session": firms.index[[10, 398]]})},
            HistoryError,
            "no event can be studied",
        ),
        "no event": ({"events": pd.DataFrame({"session": session[:0]})}, HistoryError, "is empty"),
        "more observations asked than there are": (
            {"min_observations": 201},
            ImpactError,
            "min_observations=201",
        ),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_input_is_one_clear_error(case):
    options, error, message = bad_inputs()[case]
    firms, _, _ = panel("A")
    events = pd.DataFrame({"session": firms.index[[300]]})
    options = {"events": events, "estimation": (-210, -11), "window": (-5, 5)} | options
    with pytest.raises(error, match=message.replace("(", r"\(")):
        event_study(firms, volatility=None, kind="simple", **options)


def test_an_unknown_security_and_a_repeated_row_are_listed_beside_what_can_be_studied():
    firms, _, _ = panel("A")
    events = pd.DataFrame(
        {
            "id": ["known", "unknown", "again", "common", "covered"],
            "session": firms.index[[300, 300, 300, 320, 320]],
            "security": ["A01", "ZZZ", "A01", "", "A02"],
        }
    )
    study = again("A", "market_model", events=events)
    assert study.alignment["announcements"].tolist() == [("known", "again"), ("common",)]
    assert len(study) == 1 + 30
    assert study.dropped[["event", "security"]].to_numpy().tolist() == [
        ["unknown", "ZZZ"],
        ["covered", "A02"],
    ]
    assert study.abnormal.notna().all(axis=None)
