"""GJR-GARCH fits a second on one core, against the arch package on the same windows.

``python -m benchmarks.fits``. Whoever finds the higher likelihood, both valued by arch, is right.
"""

import json
import warnings
from functools import partial

import numpy as np
from arch import arch_model

from benchmarks.process import timed
from impact import load_prices, log_returns
from impact.volatility.garch import FIT_SESSIONS, VarianceFit, fit_variance

WINDOWS = 24


def in_percent(fit: VarianceFit) -> np.ndarray:
    """Return the parameters in the order and the unit that the model of arch has."""
    return np.array([100 * fit.mu, 1e4 * fit.omega, fit.alpha, fit.gamma, fit.beta, fit.nu])


def main() -> None:
    """Fit windows of the S&P 500, spread over its history, by turns."""
    returns = log_returns(load_prices()).to_numpy()
    ends = np.linspace(FIT_SESSIONS, len(returns), WINDOWS).astype(int)
    # The first fit of each loads code and is not counted.
    times, short = [], []
    for end in (ends[0] + 1, *ends):
        window = returns[end - FIT_SESSIONS : end]
        model = arch_model(100 * window, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # arch says where its search had not converged
            theirs, known = timed(partial(model.fit, disp="off"))
        ours, fit = timed(partial(fit_variance, window))
        times.append((ours, theirs))
        mine = model.fix(in_percent(fit)).loglikelihood
        short.append(known.loglikelihood - mine)
    ours, theirs = np.sum(times[1:], axis=0)
    print(
        json.dumps(
            {
                "windows": WINDOWS,
                "ours": WINDOWS / ours,
                "arch": WINDOWS / theirs,
                "shortfall": max(short),
                "gain": -min(short),
            }
        )
    )


if __name__ == "__main__":
    main()
