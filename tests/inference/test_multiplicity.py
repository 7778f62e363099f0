"""Corrections for many hypotheses, against hand computation, loops and known dependence."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from impact.errors import InferenceError
from impact.inference.multiplicity import benjamini_hochberg, holm, romano_wolf


def test_holm_by_hand_and_missing_do_not_count():
    p = pd.Series([0.01, np.nan, 0.04, 0.03], index=list("abcd"))
    got = holm(p)
    assert got["a"] == pytest.approx(0.03)
    assert got["d"] == pytest.approx(0.06)
    assert got["c"] == pytest.approx(0.06)
    assert np.isnan(got["b"])


def test_benjamini_hochberg_by_hand():
    got = benjamini_hochberg(pd.Series([0.01, 0.04, 0.03, 0.5]))
    np.testing.assert_allclose(got, [0.04, 4 / 3 * 0.04, 4 / 3 * 0.04, 0.5])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")], ids=["holm", "bh"]
)
def test_corrections_equal_those_of_statsmodels(ours, theirs, seed):
    rng = np.random.default_rng(seed)
    # Small, repeated, missing and large ones, in an index that is not sorted.
    p = pd.Series(np.r_[rng.beta(0.3, 2, 12), 0.01, 0.01, 0, 1, np.nan], rng.permutation(17))
    expected = multipletests(p.dropna(), method=theirs)[1]
    got = ours(p)
    assert got.index.equals(p.index)
    assert (got.isna() == p.isna()).all()
    np.testing.assert_allclose(got.dropna(), expected, rtol=1e-14)


def test_nothing_is_corrected_where_no_p_is_known():
    assert (
        holm(pd.Series([np.nan])).isna().all()
        and benjamini_hochberg(pd.Series([np.nan])).isna().all()
    )


def test_p_outside_the_unit_interval_is_named():
    with pytest.raises(InferenceError, match=r"1\.2 does not lie"):
        holm(pd.Series([0.1, 1.2]))
    with pytest.raises(InferenceError, match=r"-0\.1 does not lie"):
        holm(pd.Series([-0.1, 0.2]))
    assert holm(pd.Series([0.0, 1.0, 0.4])).to_list() == pytest.approx([0.0, 1.0, 0.8])
    assert holm(pd.Series([0.6, 0.7])).to_list() == [1.0, 1.0]


def slow_romano_wolf(values):
    """Loops over hypotheses and draws."""
    rows, columns = values.shape
    p = np.empty_like(values)
    for h in range(columns):
        for b in range(rows):
            p[b, h] = np.mean(values[:, h] >= values[b, h])
    order = np.argsort(p[0], kind="stable")
    corrected, floor = np.empty(columns), 0.0
    for step, h in enumerate(order):
        remaining = order[step:]
        count = sum(min(p[b, remaining]) <= p[0, h] for b in range(rows))
        floor = max(floor, count / rows)
        corrected[h] = floor
    return corrected


def draws(rng, rows=400, columns=5, correlation=0.6):
    common = rng.normal(size=(rows, 1))
    own = rng.normal(size=(rows, columns))
    return np.abs(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)


def test_romano_wolf_equals_the_slow_loops():
    values = draws(np.random.default_rng(0), rows=120)
    got = romano_wolf(pd.DataFrame(values))
    np.testing.assert_allclose(got, slow_romano_wolf(values))


@pytest.mark.parametrize("seed", range(20))
def test_romano_wolf_is_never_larger_than_holm_on_the_same_draws(seed):
    values = draws(np.random.default_rng(seed))
    values[0] += np.arange(5) / 2
    p = pd.Series([(values[:, h] >= values[0, h]).mean() for h in range(5)])
    assert (romano_wolf(pd.DataFrame(values)).to_numpy() <= holm(p).to_numpy() + 1e-12).all()


def test_romano_wolf_keeps_the_family_wise_error():
    rng = np.random.default_rng(8)
    wrong = [romano_wolf(pd.DataFrame(draws(rng))).min() <= 0.05 for _ in range(600)]
    assert 0.03 < np.mean(wrong) < 0.07


def test_perfect_dependence_needs_no_correction():
    one = draws(np.random.default_rng(1), columns=1)
    got = romano_wolf(pd.DataFrame(np.repeat(one, 4, axis=1)))
    np.testing.assert_allclose(got, (one >= one[0]).mean())


def test_draws_must_be_finite():
    values = draws(np.random.default_rng(1))
    values[3, 2] = np.nan
    with pytest.raises(InferenceError, match="not finite"):
        romano_wolf(pd.DataFrame(values))
