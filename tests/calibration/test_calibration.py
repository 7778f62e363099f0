"""The committed rejection rates: a small part made again, and the sizes against their bar."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns, vix
from scipy import stats

import calibration
from calibration import experiments, panels, rates, sets, single
from impact.hypotheses.register import load_register
from impact.inference.clusters import clusters
from impact.inference.conditional import conditional_tests
from impact.inference.size import load_calibration
from impact.market.files import accept_changes
from impact.volatility.forecast import conditional_z, variance_forecast

SEED = calibration.SEED

#: Thirds of a group, and the tests that answer for them in reports.
THIRDS = ["low volatility", "middle volatility", "high volatility"]
VIX_THIRDS = ["low VIX", "middle VIX", "high VIX"]

#: Hypotheses in the register, by which Holm multiplies the smallest p.
CLAIMS = len(load_register())

#: Ends the groups of sets whose clusters share effects.
SHARED = ", shared effects"


@pytest.fixture(scope="module")
def values():
    return index_returns().to_numpy()


@pytest.fixture(scope="module")
def rows(values):
    return single.sample_rows(len(values))


def committed(experiment, **where):
    table = load_calibration(experiment)
    for column, value in where.items():
        table = table[table[column] == value]
    return table


# -- a small part made again ---------------------------------------------------------------------


def test_textbook_rates_by_volatility_without_impact(values, rows):
    spread = pd.Series(values).rolling(22).std().shift(1).to_numpy()[rows]
    third = pd.Series(spread).rank(method="first").sub(1).mul(3).floordiv(len(rows))
    past = np.lib.stride_tricks.sliding_window_view(values, 250)[rows - 260]
    error = past.std(axis=1, ddof=1) * np.sqrt(1 + 1 / 250)
    p = 2 * stats.t.sf(np.abs(values[rows] - past.mean(axis=1)) / error, 249)
    table = committed("size", test="prediction_t", window="(0, 0)", level=0.05).set_index("group")
    for number, group in enumerate(THIRDS):
        assert table.loc[group, "rate"] == pytest.approx(
            (p[third == number] <= 0.05).mean(), rel=1e-4
        )


def test_the_common_sample_is_the_one_that_is_named(rows):
    meta = load_calibration("meta").set_index("test")["note"]
    days = index_returns().index[rows]
    assert meta["first session"] == f"{days[0]:%Y-%m-%d}"
    assert meta["last session"] == f"{days[-1]:%Y-%m-%d}"
    assert int(meta["sessions"]) == len(rows)
    assert int(meta["seed"]) == SEED and meta["duration"].endswith(" seconds")
    assert {"Python", "numpy", "scipy", "pandas"} <= set(meta.index)


def test_conditional_p_are_those_of_another_walk_through_the_history(values):
    """`conditional_z` ranks nothing: its t-test must be ours."""
    z = conditional_z(index_returns(), model="garch")
    some = np.arange(2_063, len(values), 40)
    z = z.reindex(index_returns().index[some])
    nu = z["nu"].to_numpy()
    p = 2 * stats.t.sf(np.abs(z["z"]) * np.sqrt(nu / (nu - 2)), nu)
    by_t, by_past = single.conditional_outcomes(index_returns(), "garch", some, (0, 0))
    np.testing.assert_allclose(by_t.p, p, rtol=1e-9)
    np.testing.assert_array_equal(by_t.rise, z["z"] > 0)
    assert np.corrcoef(by_past.p, p)[0, 1] > 0.99


@pytest.mark.parametrize("window", [(0, 0), (0, 1)])
def test_sessions_against_the_library_one_at_a_time(window):
    first = single.FIT_SESSIONS + 63 * 40
    some, effect = np.arange(first + 2, first + 60, 9), 0.01
    ours = single.conditional_outcomes(index_returns(), "gjr", some, window, [effect], seed=3)
    for i, row in enumerate(some):
        moved = index_returns().copy()
        moved.iloc[row] += effect
        by_past, by_t = conditional_tests(
            moved,
            first=row + window[0],
            last=row + window[1],
            seed=3,
            paths=single.PATHS,
        )
        assert ours[0].p[i] == by_t["p_value"]
        assert ours[1].p[i] == by_past["p_value"]
        assert ours[0].rise[i] == (by_past["statistic"] > 0)


def test_a_fit_knows_nothing_of_the_sessions_it_serves():
    returns = index_returns()
    first = returns.index.get_loc("2007-06-01")
    known = variance_forecast(returns, first)
    for factor in (1, -3):
        changed = returns.iloc[: first + 20].copy()
        changed.iloc[first:] *= factor
        z = (changed.iloc[first] - known.mean) / known.sigma
        assert single.series_z(changed)[-20] == pytest.approx(z, rel=1e-12)


@pytest.mark.parametrize("window", single.WINDOWS)
def test_constant_variance_p_are_those_of_formulas_without_a_study(values, rows, window):
    some, effect = rows[100::1_200], 0.02
    found = {
        outcome.test: outcome
        for outcome in single.unconditional_outcomes(index_returns(), some, window, [effect])
    }
    for i, row in enumerate(some):
        moved = values.copy()
        moved[row] += effect
        past, inside = moved[row - 260 : row - 10], moved[row + window[0] : row + window[1] + 1]
        k, ar = len(inside), inside.sum() - len(inside) * past.mean()
        t = ar / (past.std(ddof=1) * np.sqrt(k + k**2 / 250))
        sums = [(past[at : at + k] - past.mean()).sum() for at in range(251 - k)]
        tail = min(sum(x >= ar for x in sums), sum(x <= ar for x in sums))
        joined = np.concatenate([past, inside])
        joined = np.abs([np.roll(joined - joined.mean(), -at)[:k].sum() for at in range(250 + k)])
        expected = {
            "prediction_t": 2 * stats.t.sf(abs(t), 249),
            "sample_quantile": min(1, 2 * (1 + tail) / (len(sums) + 1)),
            "conformal": np.mean(joined >= joined[250] - 1e-12),
            "placebo_session": _placebo(moved, row, window, abs(t)),
        }
        for name, p in expected.items():
            assert found[name].p[i] == pytest.approx(p, rel=1e-9), name
            assert found[name].rise[i] == (ar > 0)


def _placebo(moved, row, window, own):
    """Share of days until the window whose |z|, each with its own year before, is as large."""
    k = window[1] - window[0] + 1
    days = np.arange(260, row - k + 1)
    past = np.lib.stride_tricks.sliding_window_view(moved, 250)[days - 260]
    inside = np.lib.stride_tricks.sliding_window_view(moved, k)[days + window[0]].sum(axis=1)
    z = (inside - k * past.mean(axis=1)) / (past.std(axis=1, ddof=1) * np.sqrt(k + k**2 / 250))
    return (1 + np.count_nonzero(np.abs(z) >= own)) / (len(days) + 1)


def test_a_set_made_again_and_the_panel_of_one_piece():
    z = np.random.default_rng(0).standard_normal(600)
    drawn = sets.set_rates(z, 8, seed=5, replications=30)
    again = sets.set_rates(z, 8, seed=5, replications=30)
    pd.testing.assert_frame_equal(drawn, again)
    whole = panels.panel_draws(panels.DESIGNS[0], 2.0, range(4), seed=5)
    parts = [panels.panel_draws(panels.DESIGNS[0], 2.0, [i], seed=5) for i in range(4)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_sets_in_clusters_are_made_again_and_lie_apart():
    z = np.random.default_rng(0).standard_normal(900)
    one, again = (sets.clustered_rates(z, (3, 1, 2), seed=5, replications=20) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    assert f"6 sessions in 3 clusters, first of {CLAIMS}" in set(one["group"])
    rng = np.random.default_rng(1)
    for _ in range(50):
        positions = np.concatenate(sets.draw_clusters(900, (3, 5, 2), rng))
        assert sorted(np.bincount(clusters(positions))) == [2, 3, 5] and positions.max() < 900


def test_a_cluster_can_begin_at_any_session():
    rng = np.random.default_rng(1)
    drawn = [sets.draw_clusters(200, (3, 1, 2), rng)[0][0] for _ in range(5_000)]
    begun = np.bincount(drawn, minlength=200)
    # All but the last ones, which a cluster would run out of; no session much oftener than others.
    assert (begun[:186] > 0).all() and begun.max() < 3 * begun[:186].mean()


def test_the_error_of_sets_of_one_series_counts_the_series():
    """Rates on many series of 630 sessions scatter as their errors say, not as binomial ones do."""
    rng = np.random.default_rng(0)
    found, errors, binomial = [], [], []
    for _ in range(150):
        z = rng.standard_normal(630)
        positions = rng.random((2_000, 630)).argpartition(4, axis=1)[:, :4]
        rejected = np.abs(z[positions].mean(axis=1)) * 2 > 1.96
        p, blocks = np.where(rejected, 0.02, 1.0), rates.blocks_of(positions, 630)
        rows = rates.replicated_rows(
            p, rejected, blocks, experiment="", test="", window="", group=""
        )
        row = rows[(rows["level"] == 0.05) & (rows["tail"] == "two-sided")].iloc[0]
        found.append(row["rate"])
        errors.append(row["error"])
        binomial.append(np.sqrt(row["rate"] * (1 - row["rate"]) / 2_000))
    scatter = np.std(found)
    assert np.mean(binomial) < 0.7 * scatter
    assert 0.85 * scatter < np.sqrt(np.mean(np.square(errors))) < 1.4 * scatter


def test_shifts_take_what_a_cluster_shares_for_evidence_and_the_verdicts_test_does_not():
    z = single.series_z(index_returns())
    rates = sets.clustered_rates(z, sets.CLUSTERED[0], seed=SEED, replications=400)
    rates = rates[(rates["level"] == 0.05) & (rates["tail"] == "two-sided")]
    rate = rates.set_index(["group", "test", "variance", "effect"])["rate"]
    for variance in (1.0, 2.0, 3.0):
        for name in ("10 sessions in 3 clusters", "10 sessions in 3 clusters, shared effects"):
            assert rate[name, "cluster_t", variance, 0.0] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert rate["10 sessions in 3 clusters, shared effects", "shift_studentised", 1.0, 0.0] > 0.15
    # Three clusters find a mean of one σ about one time in three, and hardly ever after Holm.
    assert 0.28 < rate["10 sessions in 3 clusters", "cluster_t", 1.0, -1.0] < 0.45
    assert rate[f"10 sessions in 3 clusters, first of {CLAIMS}", "cluster_t", 1.0, -1.0] < 0.06


def test_committed_implied_rates_are_those_of_the_index(values, rows):
    found = single.implied_outcomes(index_returns(), vix(), rows)[0]
    there = np.isfinite(found.p)
    table = committed("size", test="implied_t", group="all", level=0.05)
    assert there.all() and table["n"].item() == there.sum()
    assert table["rate"].item() == pytest.approx((found.p[there] <= 0.05).mean(), rel=1e-4)


def test_committed_sets_are_made_again(values):
    z = single.series_z(index_returns())
    few = sets.set_rates(z, 15, seed=SEED, replications=300)
    whole = load_calibration()
    keys = ["experiment", "test", "group", "variance", "effect", "level", "tail"]
    both = few.merge(whole, on=keys, suffixes=("", "_committed"))
    assert len(both) == len(few)
    spread = np.sqrt(both["rate_committed"] * (1 - both["rate_committed"]) / 300)
    assert (np.abs(both["rate"] - both["rate_committed"]) < 4 * spread + 0.005).all()


def test_a_simulated_return_may_lie_below_minus_one():
    """A fat tail times the factor on the variance of session 0: no price, and no refusal."""
    study = panels.simulated_study(panels.DESIGNS[1], 10_000.0, np.random.default_rng(0))
    assert study.returns.to_numpy().min() < -1


def test_a_committed_panel_is_made_again():
    design = panels.DESIGNS[2]
    drawn = panels.panel_draws(design, 3.0, range(40), seed=SEED)
    few = panels.panel_rows(design, 3.0, drawn)
    keys = ["experiment", "test", "group", "variance", "level", "tail"]
    both = few.merge(load_calibration("panel"), on=keys, suffixes=("", "_committed"))
    assert len(both) == len(few)
    spread = np.sqrt(both["rate_committed"] * (1 - both["rate_committed"]) / 40)
    assert (np.abs(both["rate"] - both["rate_committed"]) < 4 * spread + 0.02).all()


# -- the parts -----------------------------------------------------------------------------------


def test_two_processes_find_what_one_does():
    jobs = [_square_later(i) for i in range(4)]
    one, two = (calibration._run(jobs, "test", n_jobs=n) for n in (1, 2))
    assert one == two == [0, 1, 4, 9]


def _square_later(i):
    from functools import partial

    return partial(pow, i, 2)


def test_rates_and_errors_of_independent_rejections():
    rng = np.random.default_rng(1)
    n = 4_000
    outcome = single.Outcome("t", "", (0, 0), 0.0, rng.uniform(size=n), rng.random(n) < 0.5)
    groups = {(0, 0): {"all": np.ones(n, dtype=bool), "half": np.arange(n) < n // 2}}
    table = rates.outcome_rows([outcome], groups, "size", rates.resampling_weights(n, 63, 0))
    table = table.set_index(["group", "level", "tail"])
    for group, count in (("all", n), ("half", n // 2)):
        row = table.loc[(group, 0.05, "two-sided")]
        assert row["n"] == count
        assert row["rate"] == (outcome.p[:count] <= 0.05).mean()
        assert row["error"] == pytest.approx(np.sqrt(0.05 * 0.95 / count), rel=0.3)
    up, down = (table.loc[("all", 0.025, tail), "rate"] for tail in ("upper", "lower"))
    assert up + down == pytest.approx(table.loc[("all", 0.05, "two-sided"), "rate"])


def test_the_smallest_p_is_counted_by_third_for_the_headline_alone():
    days = pd.bdate_range("2000-01-01", periods=2_400)
    rng = np.random.default_rng(4)
    returns = pd.Series(0.01 * rng.standard_normal(2_400), days)
    rows = single.sample_rows(2_400)
    sample = experiments.Sample(returns, pd.Series(20.0, days), np.zeros(400), rows)
    p = np.where(rng.random(len(rows)) < 0.1, 2 / 1_001, 0.5)
    outcomes = [
        single.Outcome(test, "gjr", window, 0.0, p, p > 0)
        for test, window in (
            ("conditional_fhs", (0, 0)),
            ("conditional_fhs", (0, 1)),
            ("conditional_t", (0, 0)),
        )
    ]
    table = experiments.size_rows(sample, outcomes, 0)
    rare = table[table["level"] == 0.002]
    assert set(zip(rare["test"], rare["window"], strict=True)) == {("conditional_fhs", "(0, 0)")}
    rare = rare.set_index("group")["rate"]
    spread = returns.rolling(22).std().shift(1).to_numpy()[rows]
    calm = np.argsort(spread)[: -(-len(rows) // 3)]
    assert rare["low volatility"] == (p[calm] <= 0.002).mean()
    assert rare["all"] == (p <= 0.002).mean()


def test_blocks_make_the_error_of_clustered_rejections_larger():
    n = 3_150
    p = np.repeat(np.random.default_rng(2).uniform(size=n // 21), 21)
    outcome = single.Outcome("t", "", (0, 0), 0.0, p, np.ones(n, dtype=bool))
    groups = {(0, 0): {"all": np.ones(n, dtype=bool)}}
    error = [
        rates.outcome_rows(
            [outcome], groups, "size", rates.resampling_weights(n, block, 0)
        ).set_index("level")["error"][0.10]
        for block in (1, 63)
    ]
    # Runs of 21: the variance of the mean is about 21 times that of independent sessions.
    assert 3 < error[1] / error[0] < 6


def test_induced_variance_leaves_the_mean_and_the_other_sessions_alone():
    z = np.random.default_rng(3).standard_normal(50_000) + 0.2
    chosen = np.arange(0, 50_000, 2)
    changed = sets.induced(z, chosen, 3.0, 0.5)
    assert changed[chosen].var() == pytest.approx(3 * z[chosen].var())
    assert changed[chosen].mean() == pytest.approx(0.5 + z.mean(), abs=0.02)
    np.testing.assert_array_equal(changed[1::2], z[1::2])


def test_a_table_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    table = load_calibration()
    path = calibration.write_calibration(table, tmp_path)
    accept_changes(tmp_path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(KeyboardInterrupt):
        calibration.write_calibration(table.head(3), tmp_path)
    assert path.read_bytes() == before
    assert sorted(x.name for x in tmp_path.iterdir()) == ["SHA256SUMS", "calibration.csv"]


# -- the sizes against the bar -------------------------------------------------------------------

#: Conditional tests and groups that miss the bar, with the committed rate in percent.
MISSES = {
    "size conditional_t gjr (0, 5)": {
        "middle volatility": 3.3,
        "high volatility": 3.0,
        "middle VIX": 3.2,
    },
    "size conditional_fhs gjr (0, 5)": {
        "middle volatility": 3.0,
        "high volatility": 3.3,
        "middle VIX": 3.4,
    },
    "size conditional_t gjr (-1, 1)": {"high volatility": 3.0, "low VIX": 3.2},
    "size conditional_fhs gjr (-1, 1)": {
        "middle volatility": 3.2,
        "high volatility": 3.2,
        "low VIX": 2.8,
    },
    "size conditional_t gjr (0, 1)": {"high volatility": 3.3, "low VIX": 3.1},
    "size conditional_fhs gjr (0, 1)": {"high volatility": 3.2, "low VIX": 3.4},
    "size conditional_t garch (0, 5)": {"high volatility": 2.6, "high VIX": 3.4},
    "size conditional_fhs garch (0, 5)": {
        "middle volatility": 3.5,
        "high volatility": 2.7,
        "middle VIX": 3.1,
    },
    "size conditional_t garch (-1, 1)": {"low VIX": 3.2},
    "size conditional_fhs garch (-1, 1)": {
        "middle volatility": 3.3,
        "high volatility": 3.3,
        "low VIX": 2.8,
    },
    "size conditional_t garch (0, 1)": {"low VIX": 3.1},
    "size conditional_fhs garch (0, 1)": {"high volatility": 3.5, "low VIX": 3.2},
    "size conditional_t garch (0, 0)": {"low VIX": 3.4, "high VIX": 6.7},
    "size conditional_fhs garch (0, 0)": {"low VIX": 3.3, "high VIX": 6.8},
    "size conditional_t ewma (0, 5)": {"low volatility": 8.0, "high volatility": 2.8},
    "size conditional_fhs ewma (0, 5)": {"high volatility": 1.9, "high VIX": 3.2},
    "size conditional_t ewma (-1, 1)": {"low volatility": 7.6, "high volatility": 3.5},
    "size conditional_fhs ewma (-1, 1)": {"high volatility": 2.3, "low VIX": 3.3},
    "size conditional_t ewma (0, 1)": {"low volatility": 7.6},
    "size conditional_fhs ewma (0, 1)": {"high volatility": 2.5, "low VIX": 3.5},
    "size conditional_t ewma (0, 0)": {"low volatility": 7.0, "high VIX": 7.3},
    "size conditional_fhs ewma (0, 0)": {"low volatility": 6.5},
}

#: Tails that miss 1.5 to 3.5%.
TAIL_MISSES = {
    "conditional_t gjr all": {"upper": 1.4, "lower": 3.7},
    "conditional_t gjr low volatility": {"upper": 1.3, "lower": 4.5},
    "conditional_t gjr middle volatility": {"upper": 1.0},
    "conditional_fhs gjr low volatility": {"lower": 3.7},
    "conditional_t garch all": {"upper": 1.3, "lower": 3.7},
    "conditional_t garch low volatility": {"upper": 1.3, "lower": 4.5},
    "conditional_t garch middle volatility": {"upper": 1.0},
    "conditional_fhs garch low volatility": {"lower": 3.8},
    "conditional_t ewma all": {"lower": 4.3},
    "conditional_t ewma low volatility": {"lower": 5.4},
    "conditional_t ewma middle volatility": {"upper": 1.5, "lower": 3.9},
    "conditional_t ewma high volatility": {"lower": 3.5},
    "conditional_fhs ewma low volatility": {"lower": 3.7},
    "implied_t vix all": {"upper": 1.4, "lower": 3.6},
    "implied_t vix low volatility": {"upper": 1.0, "lower": 3.9},
    "implied_t vix middle volatility": {"upper": 1.2},
    "implied_t vix high volatility": {"lower": 4.1},
}


def _misses(table):
    low, high = (table["rate"] - 1.96 * table["error"], table["rate"] + 1.96 * table["error"])
    held = (low <= 0.05) & (high >= 0.05)
    near = table["rate"].between(0.035, 0.065)
    return _named(table[~(held | near)], ["experiment", "test", "model", "window"], "group")


def _named(table, keys, last):
    """Rates in percent: "size conditional_t gjr (0, 5)" -> {"high volatility": 3.0}."""
    found = {}
    for _, row in table.iterrows():
        name = " ".join(row[key] for key in keys if row[key])
        found.setdefault(name, {})[row[last]] = round(100 * row["rate"], 1)
    return found


def _answering(table):
    return table[table["test"].isin(["conditional_fhs", "conditional_t", "implied_t"])]


def test_conditional_tests_hold_five_per_cent_in_each_third():
    table = load_calibration()
    table = _answering(table[table["group"].isin(THIRDS + VIX_THIRDS) & (table["level"] == 0.05)])
    assert _misses(table[table["experiment"] == "size"]) == MISSES


def test_conditional_tests_hold_each_tail():
    table = _answering(load_calibration("size"))
    table = table[(table["window"] == "(0, 0)") & (table["level"] == 0.025)]
    table = table[table["group"].isin(["all", *THIRDS]) & ~table["rate"].between(0.015, 0.035)]
    assert _named(table, ["test", "model", "group"], "tail") == TAIL_MISSES


def test_tests_of_constant_variance_reject_too_often_in_turbulence():
    table = committed("size", group="high volatility", level=0.05, window="(0, 0)")
    constant = table[table["model"] == ""].set_index("test")["rate"]
    assert len(constant) == 4 and (constant > 0.10).all()


def test_studentised_shifts_hold_five_per_cent_whatever_the_variance():
    table = committed("set", level=0.05)
    table = table[~table["group"].str.endswith(SHARED)]
    table = table.set_index(["test", "group", "variance"])["rate"]
    assert table["shift_studentised"].between(0.04, 0.065).all()
    assert (table["shift_mean"][:, 3.0] > 0.20).all()


def test_what_clusters_share_is_an_excess_of_shifts_and_not_of_the_verdicts_test():
    table = committed("set", level=0.05)
    table = table[table["group"].str.endswith(SHARED)]
    rate = table.set_index(["test", "group", "variance"])["rate"]
    assert len(rate) == 2 * len(sets.CLUSTERED) * len(sets.FACTORS)
    assert (rate["shift_studentised"] > 0.07).all()
    assert rate["shift_studentised"].max() > 0.20
    assert rate["cluster_t"].between(0.04, 0.06).all()


def test_panel_tests_called_valid_hold_their_size():
    table = committed("panel", level=0.05).set_index(["group", "test"])["rate"]
    apart = table["20 firms apart in time"]
    robust = ("cross_sectional_t", "bmp", "grank_z", "sign", "generalised_sign", "wilcoxon")
    for name in robust:
        assert apart[name].between(0.035, 0.065).all(), name
    for name in ("kp_bmp", "grank_t"):
        assert table["20 securities on one date", name].between(0.035, 0.07).all(), name
    # Skewness is badly estimated from 20 values: this one misses, and says so here.
    assert apart["hall"].max() > 0.07
    assert (table["20 securities on one date", "bmp"] > 0.4).all()
