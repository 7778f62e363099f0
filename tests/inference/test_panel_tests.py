"""What the statistics of tests/reference leave open: degrees of freedom, n, guards, options."""

import inspect
import itertools

import numpy as np
import pytest
from panels import MODELS, given_study, panel, reference_study
from scipy import stats
from statistics_by_name import slow

from impact import inference
from impact.errors import InferenceError
from impact.inference.validity import TESTS

#: Tests of a whole panel, by what they count: the securities with a return in the window.
_NAMED = """cross_sectional_t crude_dependence_t brown_warner_1980 patell bmp kp_patell kp_bmp hall
corrado corrado_zivney cowan_rank grank_t grank_z sign generalised_sign wilcoxon"""
OF_SECURITIES = _NAMED.split()


@pytest.fixture(scope="module")
def with_gaps():
    """A study of panel C, the slow one of the same, and a window in which a security is absent."""
    study, loops = reference_study("C", "market_model"), slow("C", "market_model")
    windows = [(k, m) for k in range(-5, 6) for m in range(k, 6) if loops.n((k, m)) < len(study)]
    return study, loops, windows[0]


@pytest.mark.parametrize("name", OF_SECURITIES)
def test_n_is_the_number_of_securities_with_a_return_in_the_window(with_gaps, name):
    study, loops, window = with_gaps
    assert getattr(inference, name)(study, *window).n == loops.n(window) < len(study)


@pytest.mark.parametrize("model", MODELS)
def test_brown_warner_1980_has_the_mean_length_less_one_as_degrees_of_freedom(model):
    study, loops = reference_study("C", model), slow("C", model)
    lengths = [len(pair.residual) for pair in loops.pairs]
    assert len(set(lengths)) > 1
    for window in ((0, 0), (-1, 1), (-5, 5)):
        found = inference.brown_warner_1980(study, *window)
        law = stats.t(np.mean(lengths) - 1)
        assert found.p_value == pytest.approx(2 * law.sf(abs(loops.bw80_t(window))), rel=1e-9)
        assert found.distribution.startswith(f"Student t with {np.mean(lengths) - 1:.1f}")


def test_portfolio_t_is_one_observation_with_its_own_degrees_of_freedom():
    firms, market, pairs = panel("A")
    found = inference.portfolio_t(reference_study("A", "market_model"), 0)
    rows = slice(pairs[0][1] - 210, pairs[0][1] - 10)
    y, x = firms.mean(axis=1).to_numpy(), np.column_stack([np.ones(len(firms)), market])
    beta, left, *_ = np.linalg.lstsq(x[rows], y[rows], rcond=None)
    day = x[pairs[0][1]]
    variance = left[0] / 198 * (1 + day @ np.linalg.solve(x[rows].T @ x[rows], day))
    t = (y[pairs[0][1]] - day @ beta) / np.sqrt(variance)
    assert found.n == 1 and found.distribution == "Student t with 198 degrees of freedom"
    assert found.p_value == pytest.approx(2 * stats.t(198).sf(abs(t)), rel=1e-9)


def test_crude_dependence_takes_two_estimation_sessions_and_no_fewer():
    past = np.array([[0.01, -0.02], [0.02, -0.05], [0.0, 0.03]])
    ahead = 0.01 * np.array([[1, 4, 2], [3, -1, 5], [2, 6, -3]])
    found = inference.crude_dependence_t(given_study(past, ahead), 0)
    expected = ahead[:, 1].mean() / past.mean(axis=0).std(ddof=1)
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.distribution == "Student t with 1 degrees of freedom"
    ahead[:, 1] = np.nan
    with pytest.raises(InferenceError, match=r"needs a return in \(0, 0\) and two estimation"):
        inference.crude_dependence_t(given_study(past, ahead), 0)


#: Securities that a test needs at least; one where it is not named.
LEAST = {"cross_sectional_t": 2, "bmp": 2, "kp_bmp": 2, "kp_patell": 2, "hall": 3}
LEAST |= {"grank_t": 2, "grank_z": 2}


@pytest.mark.parametrize("name", OF_SECURITIES)
def test_a_test_takes_as_few_securities_as_its_spread_needs(name):
    test, least = getattr(inference, name), LEAST.get(name, 1)
    rng = np.random.default_rng(3)
    past, ahead = 0.01 * rng.standard_normal((least, 60)), 0.01 * rng.standard_normal((least, 3))
    found = test(given_study(past, ahead))
    assert found.n == least and found.p_value == test(given_study(past, ahead), 0, 0).p_value
    # One return fewer in the session; kp_patell needs two for the correlation alone.
    ahead[slice(None) if name == "kp_patell" else -1, 1] = np.nan
    with pytest.raises(InferenceError, match="return"):
        test(given_study(past, ahead), 0)


def test_patell_needs_more_than_two_degrees_of_freedom():
    rng = np.random.default_rng(0)
    past, ahead = 0.01 * rng.standard_normal((2, 3, 3))
    with pytest.raises(InferenceError, match="a fit has 2: lengthen the estimation window"):
        inference.patell(given_study(past[:, :2], ahead), 0)
    # With nothing estimated, three residuals are three degrees of freedom: variance 3/(3 - 2).
    z = sum(ahead[:, 1] / np.sqrt((past**2).sum(axis=1) / 3)) / np.sqrt(3 * 3)
    found = inference.patell(given_study(past, ahead), 0)
    assert found.statistic == pytest.approx(z, rel=1e-12)


@pytest.mark.parametrize("seed", [9, 12, 13, 20])
def test_securities_that_move_as_one_leave_nothing_to_test(seed):
    # Their mean correlation is one but for rounding, here a last bit below it.
    rng = np.random.default_rng(seed)
    alike = 0.01 * rng.standard_normal(60)
    n = int(rng.integers(3, 12))
    study = given_study(np.outer(rng.uniform(0.5, 2, n), alike), 0.01 * rng.standard_normal((n, 3)))
    assert inference.mean_correlation(study) < 1
    for test in (inference.kp_bmp, inference.grank_t):
        with pytest.raises(InferenceError, match="the securities are perfectly correlated"):
            test(study, 0)


def test_securities_that_add_up_to_nothing_have_no_adjusted_test_but_a_truncated_one():
    rng = np.random.default_rng(5)
    past, ahead = 0.01 * rng.standard_normal((2, 60)), 0.01 * rng.standard_normal((2, 3))
    past[1] = -past[0]
    study = given_study(past, ahead)
    said = r"1 \+ \(n - 1\) r̄ is 0.0000 with n = 2 and a mean correlation r̄ of -1.0000; truncate"
    for test in (inference.kp_bmp, inference.kp_patell):
        with pytest.raises(InferenceError, match=said.replace("-1", "[-−]1")):
            test(study, 0)
    plain = inference.bmp(study, 0)
    assert inference.kp_bmp(study, 0, truncate=True).statistic == pytest.approx(plain.statistic)


def test_a_correlation_is_of_three_common_returns_and_no_fewer():
    rng = np.random.default_rng(6)
    past, ahead = 0.01 * rng.standard_normal((3, 60)), 0.01 * rng.standard_normal((3, 3))
    past[0, 30:] = np.nan
    past[1, :27] = np.nan  # three sessions with the first, and all of the third's from there on
    past[2, :28] = np.nan  # two with the first
    pairs = [np.corrcoef(past[0, 27:30], past[1, 27:30])[0, 1]]
    pairs += [np.corrcoef(past[1, 28:], past[2, 28:])[0, 1]]
    study = given_study(past, ahead)
    assert inference.mean_correlation(study) == pytest.approx(np.mean(pairs), rel=1e-10)


def test_the_share_of_positive_residuals_is_told_and_must_lie_between_none_and_all():
    past, ahead = 0.01 * np.ones((2, 8)), 0.01 * np.array([[1, 4, 2], [3, -1, 5]])
    for sign in (1, -1):
        with pytest.raises(InferenceError, match="all residuals have the same sign"):
            inference.generalised_sign(given_study(sign * past, ahead), 0)
    past[0, :3] *= -1
    found = inference.generalised_sign(given_study(past, ahead), 0)
    assert found.null.endswith("is as often positive as the residuals are (81.2%)")  # 13 of 16
    z = (1 - 2 * 13 / 16) / np.sqrt(2 * 13 / 16 * 3 / 16)
    assert found.statistic == pytest.approx(z, rel=1e-12)


@pytest.mark.parametrize("n", [1, 5, 8])
def test_exact_signed_ranks_are_those_of_every_assignment_of_signs(n):
    rng = np.random.default_rng(n)
    # Two returns of the same size share their rank.
    moves = np.round(rng.standard_normal(n), 1) / 100 + 0.0023
    moves[-1] = -moves[0] if n > 1 else moves[0]
    ahead = np.column_stack([moves, moves, moves])
    found = inference.wilcoxon(given_study(0.01 * rng.standard_normal((n, 30)), ahead), 0)
    ranks = stats.rankdata(np.abs(moves))
    sums = [ranks @ signs for signs in itertools.product((0, 1), repeat=n)]
    own = ranks[moves > 0].sum()
    assert found.statistic == own and found.distribution == "exact, signed ranks"
    assert found.p_greater == pytest.approx(np.mean([one >= own for one in sums]), rel=1e-12)
    assert found.p_less == pytest.approx(np.mean([one <= own for one in sums]), rel=1e-12)


def worded_options():
    for name, test in TESTS.items():
        for option in inspect.signature(test).parameters.values():
            if isinstance(option.default, str):
                yield pytest.param(name, option.name, id=f"{name}-{option.name}")


@pytest.mark.parametrize(("name", "option"), list(worded_options()))
def test_a_word_that_no_option_knows_is_refused_by_its_name(name, option):
    study = reference_study("A", "market_model")
    if name not in OF_SECURITIES:
        study = study.portfolio()
    with pytest.raises(InferenceError, match=f"{option}='nonsense' is not known: say '"):
        TESTS[name](study, 0, **{option: "nonsense"})
