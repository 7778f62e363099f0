"""The specification curve against one event study at a time, and its joint p under the null."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns
from pictures import assert_words_are_clear
from scipy import stats

from impact.analysis.shifted_set import CHOICES, judged
from impact.analysis.specification import specification_curve
from impact.errors import (
    EventError,
    HistoryError,
    InferenceError,
    ModelError,
    ReturnsError,
    WindowError,
)
from impact.inference.cluster_test import cluster_test
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.volatility.forecast import conditional_z

EVENTS = [
    "2025-02-03",
    "2025-03-04",
    "2025-03-11",
    "2025-03-26",
    "2025-04-03",
    "2025-04-04",
    "2025-04-10",
    "2025-05-23",
    "2025-10-10",
    "2025-11-03",
]


@pytest.fixture(scope="module")
def returns():
    return index_returns()["2019":]


@pytest.fixture(scope="module")
def curve(returns):
    return specification_curve(
        returns,
        EVENTS,
        lengths=(120, 250),
        gaps=(10, 30),
        windows=((0, 0), (-1, 1)),
        variances=("constant", "ewma"),
        shifts=199,
        rng=4,
    )


def noise(seed, n=500):
    days = pd.bdate_range("2020-01-01", periods=n)
    return pd.Series(0.01 * np.random.default_rng(seed).standard_t(5, n), days)


def test_every_combination_is_there_once(curve):
    assert len(curve.table) == 2 * 2 * 2 * 2 * 2 * 2 * 2
    assert not curve.table[list(CHOICES)].duplicated().any()
    assert curve.table["estimate"].round(12).is_monotonic_increasing
    assert (curve.table["n"] == len(EVENTS)).all()


def test_each_specification_is_an_event_study(curve, returns):
    sigma = conditional_z(returns, model="ewma")["sigma"].reindex(returns.index).to_numpy()
    for row in curve.table.itertuples():
        start, end = (int(part) for part in row.window.strip("()").split(","))
        shown = returns if row.returns == "log" else np.exp(returns) - 1
        zero = row.mean == "zero-mean"
        study = event_study(
            shown,
            EVENTS,
            estimation=(-row.gap - row.length, -row.gap - 1),
            window=(start, end),
            min_observations=20,
            exclude_neighbours=row.neighbours == "out",
            volatility=None,
            model="market-adjusted" if zero else "constant-mean",
            kind=row.returns,
            benchmark=pd.Series(0.0, returns.index) if zero else None,
        )
        car = study.car(start, end)
        assert row.estimate == pytest.approx(car["estimate"].mean(), rel=1e-10)
        if row.variance == "constant":
            z = car["statistic"].to_numpy()
        else:
            at = study.fits.pairs.position + start
            z = car["estimate"].to_numpy() / (sigma[at] * np.sqrt(end - start + 1))
        rows = study.fits.pairs.position
        groups = np.split(z, np.flatnonzero(np.diff(rows) >= 6) + 1)
        expected = stats.ttest_1samp([one.sum() / len(one) ** 0.5 for one in groups], 0)
        assert row.statistic == pytest.approx(expected.statistic, rel=1e-9)
        assert row.p_value == pytest.approx(expected.pvalue, rel=1e-8)
        assert row.clusters == len(groups)


def test_p_is_that_of_the_cluster_test(returns):
    """One specification: zero mean and σ of the evening before, so z is a plain series."""
    sigma = conditional_z(returns, model="ewma")["sigma"]
    z = (returns / sigma).iloc[250:].dropna()
    found = specification_curve(
        returns,
        EVENTS,
        lengths=[240],
        gaps=[10],
        windows=[(0, 0)],
        means=["zero-mean"],
        kinds=["log"],
        neighbours=["in"],
        variances=["ewma"],
        shifts=len(z) - 1,
    )
    test = cluster_test(z, pd.DatetimeIndex(EVENTS))
    row = found.table.iloc[0]
    assert row["statistic"] == pytest.approx(test.statistic, rel=1e-10)
    assert row["p_value"] == pytest.approx(test.p_value, rel=1e-10)
    # A single specification: the joint p is the rank of its own among the shifts.
    values, rows = z.to_numpy(), z.index.get_indexer(EVENTS)
    numbers = np.r_[0, np.cumsum(np.diff(rows) >= 6)]
    sizes, smaller = np.bincount(numbers), 0
    for shift in range(1, len(z)):
        sums = np.bincount(numbers, values[(rows + shift) % len(z)]) / np.sqrt(sizes)
        smaller += stats.ttest_1samp(sums, 0).pvalue <= row["p_value"]
    assert found.joint["median p"] == pytest.approx((1 + smaller) / len(z))


def test_questions_and_choices_are_those_of_a_loop_over_the_table(curve):
    table = curve.table
    assert len(curve) == 2 and curve.questions["window"].to_list() == ["(0, 0)", "(-1, 1)"]
    for row in curve.questions.itertuples():
        part = table[(table["subset"] == row.subset) & (table["window"] == row.window)]
        estimate, p = part["estimate"], part["p_value"]
        assert (row.low, row.high, row.estimate) == (
            estimate.min(),
            estimate.max(),
            estimate.median(),
        )
        assert (row.p_low, row.p_high, row.n) == (p.min(), p.max(), 10)
    assert "subset" not in curve.choices.index and len(curve.choices) == 7
    for choice, row in curve.choices.iterrows():
        apart, turned = [], []
        others = [name for name in CHOICES if name != choice]
        for _, part in table.groupby(others):
            apart.append(part["estimate"].max() - part["estimate"].min())
            turned.append(len(set(part["p_value"] <= 0.05)) > 1)
        assert row["moves"] == pytest.approx(np.median(apart), abs=1e-15)
        assert row["turns"] == np.mean(turned)
        assert row["decides"] == (row["turns"] > 0.05)


def test_a_window_says_how_often_it_holds_other_news(returns):
    days = ["2022-05-03", "2023-05-03", "2023-06-14", *EVENTS[:6]]
    curve = specification_curve(
        returns, days, windows=((0, 0), (-1, 1)), variances=["constant"], shifts=9
    )
    catalogue = load_events()
    news = align(catalogue[catalogue["news"]], returns.index)["session"].dropna().unique()
    held = set(returns.index.get_indexer(news))
    rows = returns.index.get_indexer(days)
    expected = sum(bool({row - 1, row + 1} & held) for row in rows)
    assert curve.questions["neighbours"].to_list() == [0, expected] and 0 < expected < 9


def test_sets_in_fewer_than_three_clusters_get_no_verdict(returns):
    days = [*returns.index[900:906], *returns.index[1000:1004]]
    with pytest.raises(InferenceError, match="falls into 2 clusters of sessions fewer than six"):
        specification_curve(returns, days, variances=["constant"], shifts=9)


def test_the_joint_p_is_that_of_a_slow_loop():
    rng = np.random.default_rng(11)
    sign = np.where(np.arange(12) % 2, 1, -1)[:, None]
    statistics = rng.standard_normal((12, 60)) + sign * rng.standard_t(2, 60)
    statistics[:7, 0] = 50
    columns = dict.fromkeys(CHOICES, "x")
    facts = {"n": 9, "clusters": 5}
    table = pd.DataFrame([columns | facts | {"estimate": x} for x in statistics[:, 0]])
    p_values = 2 * stats.t.sf(np.abs(statistics), 4)
    _, joint = judged(table, statistics, p_values)
    by_shift, middles = [], []
    for b in range(60):
        up = down = 0
        for t, p in zip(statistics[:, b], p_values[:, b], strict=True):
            up += p <= 0.05 and t > 0
            down += p <= 0.05 and t < 0
        by_shift.append(max(up, down) / 12)
        middles.append(np.median(p_values[:, b]))
    assert max(by_shift) < 1 and by_shift[0] > 0
    assert joint["share significant"] == sum(x >= by_shift[0] for x in by_shift) / 60
    assert joint["median p"] == sum(x <= middles[0] for x in middles) / 60


def test_the_joint_p_is_uniform_where_nothing_happened():
    found = []
    for seed in range(150):
        returns = noise(seed)
        rows = np.random.default_rng(1_000 + seed).choice(np.arange(160, 490), 10, replace=False)
        curve = specification_curve(
            returns,
            returns.index[np.sort(rows)],
            lengths=(60, 120),
            gaps=(5,),
            shifts=99,
            windows=((0, 0), (0, 1)),
            kinds=("log",),
            variances=("constant",),
            rng=seed,
        )
        found.append(curve.joint)
    joint = pd.DataFrame(found)
    assert stats.kstest(joint["median p"], "uniform").pvalue > 0.01
    # The share of significant specifications is often zero, and p then large: never too small.
    for name in joint:
        assert (joint[name] <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(joint))


def test_a_planted_effect_is_found_by_all_specifications_together():
    returns = noise(7)
    days = returns.index[170:490:25]
    returns[days] -= 0.012
    curve = specification_curve(
        returns,
        days,
        lengths=(60, 120),
        windows=((0, 0), (0, 1)),
        variances=("constant",),
        shifts=199,
    )
    assert (curve.table["estimate"] < 0).all()
    assert (curve.joint <= 0.02).all()


def test_processes_change_nothing_and_the_seed_does(returns):
    small = {"lengths": (120,), "gaps": (10,), "variances": ("constant",), "shifts": 99}
    one, two = (specification_curve(returns, EVENTS, n_jobs=n, rng=2, **small) for n in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_series_equal(one.joint, two.joint)
    other = specification_curve(returns, EVENTS, rng=3, **small)
    assert not one.joint.equals(other.joint)


def test_subsets_have_their_own_sessions(returns):
    subsets = {
        "all": pd.DataFrame({"session": pd.DatetimeIndex(EVENTS)}),
        "later": pd.DataFrame({"session": pd.DatetimeIndex(EVENTS[2:])}),
    }
    curve = specification_curve(returns, subsets, variances=["constant"], shifts=49)
    assert curve.table.groupby("subset")["n"].first().to_dict() == {"all": 10, "later": 8}


def test_it_shows_itself(curve):
    told = "SpecificationCurve: 2 questions (1 set of events in 2 windows), mean CAR "
    assert repr(curve).startswith(told)
    text = repr(curve.summary())
    assert "neighbours" in text and "Joint p" in text and "199 circular shifts" in text
    assert "2 questions (1 set of events in 2 windows): " in text and "128" not in text
    assert "turns 0% of answers" in text or "Changes next to nothing" in text
    assert curve.signature in text and "all: 10 sessions" in curve.signature
    assert "<table" in curve._repr_html_() and r"\toprule" in curve.to_latex()
    lines = curve.to_csv().splitlines()
    assert len(lines) == 129 and lines[0].startswith("subset,returns,window,")
    assert f"{curve.table['estimate'].iloc[0]}," in lines[1] and curve.signature in lines[1]
    pd.testing.assert_frame_equal(curve.to_frame(), curve.table)
    assert_words_are_clear(curve.plot())


def test_what_is_left_out_and_where_the_data_come_from_stand_below(returns):
    events = load_events(counterparty="CN", since="2025-01-01", until="2025-12-31")
    subsets = {"all": events, "later": events[events["announced_at"] > "2025-03"]}
    marked = returns.copy()
    marked.attrs["hash"] = "0123456789ab"
    small = {"lengths": (120,), "gaps": (10,), "variances": ("constant",), "shifts": 49}
    curve = specification_curve(marked, subsets, **small)
    text = repr(curve.summary())
    assert set(curve.dropped["reason"]) == {"puts known news into force"}
    assert not curve.dropped.duplicated().any()
    assert f"Left out: {len(curve.dropped)} (" in text
    assert curve.signature.endswith(f"; data 0123456789ab; catalogue {events.attrs['hash']}")


def test_returns_are_not_changed(returns):
    before = returns.copy()
    specification_curve(returns, EVENTS, variances=["constant"], shifts=9)
    pd.testing.assert_series_equal(returns, before)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"means": ["market"]}, ModelError, "means: 'market' is not known"),
        ({"kinds": ["gross"]}, ModelError, "kinds: 'gross'"),
        ({"neighbours": [True]}, ModelError, "neighbours: True"),
        ({"variances": ["egarch"]}, ModelError, "variances: 'egarch'"),
        ({"windows": [(1, 0)]}, WindowError, r"\(1, 0\) is reversed"),
        ({"windows": [(-11, 0)]}, WindowError, "gap of 10 sessions"),
        ({"lengths": [1]}, WindowError, r"lengths=\(1,\)"),
        ({"shifts": 10_000}, InferenceError, "circular shifts to choose from"),
        ({"lengths": [1_900]}, HistoryError, "estimation"),
        ({"lengths": []}, ModelError, "lengths has no option"),
        ({"gaps": ()}, ModelError, "gaps has no option"),
        ({"windows": []}, ModelError, "windows has no option"),
        ({"means": []}, ModelError, "means has no option"),
        ({"kinds": []}, ModelError, "kinds has no option"),
        ({"neighbours": []}, ModelError, "neighbours has no option"),
        ({"variances": []}, ModelError, "variances has no option"),
        ({"kinds": "log"}, ModelError, r"write kinds=\['log'\]"),
        ({"lengths": 120}, ModelError, r"write lengths=\[120\]"),
        ({"gaps": None}, ModelError, "gaps=None is not a list"),
        ({"lengths": [120, 120]}, ModelError, "lengths: 120 and 120 holds an option twice"),
        ({"windows": (0, 1)}, WindowError, r"write windows=\[\(0, 1\)\]"),
        ({"windows": [(0, 0), [0, 0]]}, ModelError, "windows: .* holds an option twice"),
        ({"gaps": [True]}, WindowError, r"gaps=\(True,\)"),
        ({"windows": [(0, 0.5)]}, WindowError, "not two whole numbers"),
        ({"lengths": [120.5]}, WindowError, "give whole numbers"),
        ({"gaps": [-1]}, WindowError, r"gaps=\(-1,\)"),
        ({"kind": "gross"}, ModelError, "kind='gross'"),
        ({"shifts": 0}, InferenceError, "shifts=0 is not a whole number from 1"),
        ({"shifts": 99.5}, InferenceError, "shifts=99.5 is not a whole number"),
        ({"rng": None}, InferenceError, "rng=None is not a seed"),
        ({"rng": 1.5}, InferenceError, "rng=1.5 is not a seed"),
        ({"rng": -1}, InferenceError, "rng=-1 is not a seed"),
        ({"n_jobs": 0}, InferenceError, "n_jobs=0 is not a number of processes"),
        ({"n_jobs": 1.5}, InferenceError, "n_jobs=1.5"),
        ({"n_jobs": None}, InferenceError, "n_jobs=None"),
    ],
)
def test_bad_input_is_named(returns, wrong, error, words):
    with pytest.raises(error, match=words):
        specification_curve(returns, EVENTS, **{"variances": ["constant"], **wrong})


def test_returns_that_cannot_be_read_are_refused(returns):
    with pytest.raises(ReturnsError, match="pick a column"):
        specification_curve(returns.to_frame(), EVENTS)
    lost = np.expm1(returns)
    lost.iloc[7] = -1.0
    with pytest.raises(ReturnsError, match=f"{returns.index[7]:%Y-%m-%d} is -1: one of -100%"):
        specification_curve(lost, EVENTS, kind="simple")
    mixed = {"all": pd.DataFrame({"session": EVENTS}), "one": "2025-04-03"}
    with pytest.raises(EventError, match="give a DataFrame for each subset"):
        specification_curve(returns, mixed)
    with pytest.raises(HistoryError, match="the list of events is empty"):
        specification_curve(returns, {}, variances=["constant"])


def test_the_kind_is_read_from_the_returns_and_a_contradiction_is_refused(returns):
    small = {"lengths": (120,), "gaps": (10,), "variances": ("constant",), "shifts": 49}
    expected = specification_curve(returns, EVENTS, **small)
    simple = np.expm1(returns)
    simple.attrs["returns"] = "simple"
    found = specification_curve(simple, EVENTS, **small)
    pd.testing.assert_frame_equal(found.table, expected.table, rtol=1e-9)
    with pytest.raises(ReturnsError, match="kind='log', but these are simple returns"):
        specification_curve(simple, EVENTS, kind="log", **small)


def test_returns_that_do_not_vary_are_refused():
    still = noise(3)
    days = still.index[300:480:20]
    still.iloc[170:240] = 0.0
    with pytest.raises(InferenceError, match="do not vary in an estimation window of 60 sessions"):
        specification_curve(
            still, days, lengths=(60,), gaps=(5,), variances=["constant"], shifts=99
        )


def test_a_small_set_gets_no_verdict(returns):
    with pytest.raises(InferenceError, match=r"7 sessions: at least 8 are needed\.$"):
        specification_curve(returns, EVENTS[:7], variances=["constant"])


def test_an_event_before_the_variance_begins_is_named(returns):
    early = [f"{day:%Y-%m-%d}" for day in returns.index[600:700:10]]
    with pytest.raises(HistoryError, match="leave those events out"):
        specification_curve(returns, early, variances=["gjr"])
