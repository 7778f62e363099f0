"""Two one-sided tests: is an effect small enough to be called none?"""

from __future__ import annotations

import functools

import numpy as np
import scipy

from impact.inference.event_sets import enough_sessions
from impact.inference.tests import LEVEL, HypothesisTest
from impact.text.formats import percent


def equivalence_test(values: np.ndarray, margin: float) -> HypothesisTest:
    """Test whether a mean lies within ±margin, a positive one, by two one-sided t-tests.

    There is one value a session, of windows that do not overlap; InferenceError if there are fewer
    than 8.

    Returns
    -------
    HypothesisTest
        Of "the mean lies outside the margin": `p_value` is the larger of the two one-sided
        p-values and `statistic` its t. `detail` holds `estimate` (the mean), `std_error`,
        `ci_low`, `ci_high` (95% interval of the mean, t with n - 1 degrees of freedom), `power`
        (how often it rejects at 5% where the mean is zero and the spread that of `values`) and
        `words`, which say so.

    References
    ----------
    Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach.

    Examples
    --------
    >>> moves = np.array([0.001, -0.002, 0.003, 0.0, -0.001, 0.002, -0.003, 0.001])
    >>> found = equivalence_test(moves, 0.01)
    >>> found.p_value < 0.001, round(found.detail["power"], 3)
    (True, 1.0)
    """
    values = np.asarray(values, float)
    n = len(values)
    enough_sessions(n)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(n))
    reach = float(scipy.special.stdtrit(n - 1, 0.975)) * error
    power = equivalence_power(n, error, margin)
    t = max((mean - margin) / error, -(mean + margin) / error)
    return HypothesisTest(
        name="equivalence_test",
        null=f"the mean lies {percent(margin, signed=False)} or more from zero",
        statistic=t,
        p_value=float(scipy.special.stdtr(n - 1, t)),
        distribution=f"Student t with {n - 1} degrees of freedom",
        n=n,
        reference="Schuirmann (1987)",
        alternative="inside the margin",
        detail={
            "estimate": mean,
            "std_error": error,
            "ci_low": mean - reach,
            "ci_high": mean + reach,
            "margin": margin,
            "power": power,
            "words": f"With {n} sessions as spread out as these, the test finds that there is "
            f"nothing in {percent(power, 0, signed=False)} of cases where there is nothing.",
        },
    )


def equivalence_power(n: int, std_error: float, margin: float, level: float = LEVEL) -> float:
    """Chance that `equivalence_test` finds a mean of zero within the margin, by a p up to `level`.

    The standard error of the mean of n values is taken as the true one.

    Notes
    -----
    For normal values: over the spreads that a sample may have, the chance that its mean lies at
    least t standard errors inside the margin.

    References
    ----------
    Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach.

    Examples
    --------
    >>> few, many = equivalence_power(17, 0.005, 0.01), equivalence_power(170, 0.0016, 0.01)
    >>> round(few, 2), round(many, 2)
    (0.24, 1.0)
    """
    inside = margin / std_error - scipy.special.stdtrit(n - 1, 1 - level) * _spreads(n)
    return float(np.mean(2 * scipy.special.ndtr(np.maximum(inside, 0)) - 1))


@functools.lru_cache(maxsize=16)
def _spreads(n: int) -> np.ndarray:
    """Sample spread over the true one, at the middles of 2,000 equally likely parts."""
    middles = (np.arange(2_000) + 0.5) / 2_000
    return np.sqrt(scipy.special.chdtri(n - 1, middles) / (n - 1))
