"""The likelihood against loops and densities, its optimum against the arch package."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import history
import numpy as np
import pytest
from arch.univariate import GARCH, ConstantMean, EWMAVariance, StudentsT
from scipy import optimize, stats

from impact.volatility import likelihood
from impact.volatility.garch import VARIANCE_MODELS, VarianceFit, fit_variance
from impact.volatility.likelihood import log_likelihood

SOME = np.array([0.02, 0.05, 0.04, 0.09, 0.86, 6.5])

SERIES = {
    "S&P 500": lambda: history.index_returns().to_numpy(),
    "oil": history.oil_returns,
    "simulated": lambda: history.garch_path(6_000, seed=77),
}


def vector(fit: VarianceFit) -> np.ndarray:
    return np.array([fit.mu, fit.omega, fit.alpha, fit.gamma, fit.beta, fit.nu])


def reached(fit: VarianceFit, sample: np.ndarray) -> float:
    return log_likelihood(vector(fit), sample, fit.start)[0]


def arch_model(sample: np.ndarray, model: str) -> ConstantMean:
    """The arch package's own model, of returns divided by their standard deviation."""
    process = EWMAVariance(0.94) if model == "ewma" else GARCH(1, int(model == "gjr"), 1)
    scaled = sample / sample.std()
    return ConstantMean(scaled, volatility=process, distribution=StudentsT(), rescale=False)


def in_arch(fit: VarianceFit, scale: float) -> np.ndarray:
    """Parameters in the order and the units of `arch_model`."""
    variance = {
        "gjr": [fit.omega / scale**2, fit.alpha, fit.gamma, fit.beta],
        "garch": [fit.omega / scale**2, fit.alpha, fit.beta],
        "ewma": [],
    }[fit.model]
    return np.array([fit.mu / scale, *variance, fit.nu])


def test_arch_is_the_answer_of_the_tests_and_nothing_of_the_package():
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "arch>=8" in project["optional-dependencies"]["test"]
    assert not any(name.startswith("arch") for name in project["dependencies"])
    for path in (root / "impact").rglob("*.py"):
        found = re.search(r"^\s*(import|from) arch\b", path.read_text(encoding="utf-8"), re.M)
        assert found is None, path


# -- the function --------------------------------------------------------------------------------


def test_value_is_the_sum_of_log_densities_in_a_loop():
    returns, start = history.garch_path(300, seed=1) * 100, 1.3
    mu, omega, alpha, gamma, beta, nu = SOME
    variance, total = omega + (alpha + gamma / 2 + beta) * start, 0.0
    for value in returns:
        scale = np.sqrt(variance * (nu - 2) / nu)
        total += stats.t.logpdf(value, nu, mu, scale)
        shock = value - mu
        variance = omega + (alpha + (gamma if shock < 0 else 0)) * shock**2 + beta * variance
    assert log_likelihood(SOME, returns, start)[0] == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        SOME,
        np.array([0.0, 0.02, 0.06, 0.0, 0.94, 4.0]),
        np.array([-0.1, 1.5, 0.0, 0.3, 0.0, 2.3]),
        np.array([0.05, 0.3, 0.2, -0.2, 0.7, 60.0]),
    ],
)
def test_gradient_is_that_of_differences(parameters):
    returns = history.garch_path(500, seed=2) * 100
    gradient = log_likelihood(parameters, returns, 0.8)[1]
    for i in range(6):
        numbers = optimize.approx_fprime(
            parameters[[i]],
            lambda x, i=i: log_likelihood(
                np.r_[parameters[:i], x, parameters[i + 1 :]], returns, 0.8
            )[0],
            1e-7,
        )
        assert gradient[i] == pytest.approx(numbers[0], rel=1e-4, abs=1e-3), i


# -- the optimum ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERIES)
def test_fifty_windows_reach_the_likelihood_parameters_and_forecasts_of_arch(name):
    returns = SERIES[name]()
    agreed = 0
    for i, end in enumerate(np.linspace(2_000, len(returns), 50).astype(int)):
        sample, model = returns[end - 2_000 : end], VARIANCE_MODELS[i % 3]
        fit, scale = fit_variance(sample, model=model), returns[end - 2_000 : end].std()
        reference = arch_model(sample, model)
        theirs = reference.fit(disp="off", show_warning=False, tol=1e-10)
        ours = reached(fit, sample) + len(sample) * np.log(scale)
        assert ours > theirs.loglikelihood - 5e-7, (end, model)
        fixed = reference.fix(in_arch(fit, scale))
        assert fixed.loglikelihood == pytest.approx(ours, abs=5e-8)
        sigma = fit.filter(sample)[-1] / scale
        ahead = fixed.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0]
        assert sigma == pytest.approx(np.sqrt(ahead), rel=1e-9)
        if ours < theirs.loglikelihood + 5e-7:
            agreed += 1
            near = {"rel": 2e-2, "abs": 2e-4}
            assert in_arch(fit, scale) == pytest.approx(theirs.params.to_numpy(), **near)
            theirs_ahead = theirs.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0]
            assert sigma == pytest.approx(np.sqrt(theirs_ahead), rel=1e-3)
    assert agreed >= 40


#: Series, row, return and model: the first six hide the optimum from the two usual starts.
WILD = [
    ("oil", 45, 4.6, "gjr"),
    ("oil", 723, -4.6, "gjr"),
    ("simulated", 1_230, -4.6, "gjr"),
    ("simulated", 1_583, -0.99, "gjr"),
    ("simulated", 537, 2.3, "garch"),
    ("simulated", 339, 4.6, "garch"),
    ("S&P 500", 120, 0.3, "garch"),
    ("S&P 500", 1_990, -0.99, "gjr"),
    ("S&P 500", 30, -4.6, "gjr"),
    ("oil", 60, 0.5, "garch"),
]


@pytest.mark.parametrize(("name", "row", "wild", "model"), WILD)
def test_one_wild_return_does_not_hide_the_optimum(name, row, wild, model):
    """A price off by a factor of up to a hundred, against searches by arch from twelve starts."""
    sample = SERIES[name]()[-2_000:].copy()
    sample[row] = wild
    fit, scale = fit_variance(sample, model=model), sample.std()
    reference = arch_model(sample, model)
    usual = np.median(np.abs(sample)) / 0.6745 / scale
    found = []
    for alpha, gamma, beta in (
        (0.05, 0.0, 0.9),
        (0.001, 0.0, 0.99),
        (0.2, 0.0, 0.0),
        (0.1, 0.0, 0.6),
        (0.0, 0.06, 0.95),
        (0.06, -0.06, 0.95),
    ):
        variance = [alpha, gamma, beta] if model == "gjr" else [alpha + gamma / 2, beta]
        for nu in (3.0, 8.0):
            omega = usual**2 * (1 - alpha - gamma / 2 - beta)
            result = reference.fit(
                starting_values=np.array([0.0, omega, *variance, nu]),
                disp="off",
                show_warning=False,
                tol=1e-10,
            )
            # What did not converge may lie outside the constraints.
            if result.convergence_flag == 0:
                found.append(result.loglikelihood)
    ours = reached(fit, sample) + len(sample) * np.log(scale)
    assert ours > max(found) - 1e-5


@pytest.mark.parametrize("model", VARIANCE_MODELS)
def test_parameters_are_those_of_the_rescaled_returns(model):
    sample = history.index_returns().to_numpy()[-2_000:]
    fit = fit_variance(sample, model=model)
    for factor in (1e-6, 1e-3, 7.0, 1e6):
        scaled = fit_variance(factor * sample, model=model)
        back = vector(scaled) / [factor, factor**2, 1, 1, 1, 1]
        np.testing.assert_allclose(back, vector(fit), rtol=1e-5, atol=1e-9)
        assert scaled.note == fit.note
        np.testing.assert_allclose(
            scaled.filter(factor * sample) / factor, fit.filter(sample), rtol=1e-6
        )


def test_a_fit_has_the_same_bits_on_any_number_of_threads():
    code = (
        "import history\n"
        "from impact.volatility.garch import VARIANCE_MODELS, fit_variance\n"
        "from impact.volatility.vix import implied_forecast\n"
        "returns = history.index_returns()\n"
        "for model in VARIANCE_MODELS:\n"
        "    print(fit_variance(returns.to_numpy()[-2_000:], model=model))\n"
        "print(implied_forecast(returns, history.vix(), len(returns) - 1))\n"
    )
    root = Path(__file__).parents[2]
    said = set()
    for threads in ("1", "2"):
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        paths = os.pathsep.join([str(root), str(root / "tests")])
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": paths},
            capture_output=True,
            check=True,
        )
        said.add(run.stdout)
    assert len(said) == 1 and said.pop().count(b"VarianceFit") == 3


def test_every_start_of_a_search_lies_within_its_bounds():
    for omega, *shares in (likelihood._SLOW, likelihood._QUICK, *likelihood._MORE):
        assert omega > np.exp(likelihood._LOW[1])
        assert all(0 <= share <= 1 for share in shares)
