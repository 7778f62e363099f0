"""Two one-sided tests: is an effect small enough to be called none?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from impact.errors import InferenceError
from impact.inference.event_sets import MIN_SESSIONS
from impact.text.formats import counted, percent


@dataclass(frozen=True)
class EquivalenceTest:
    """A mean against a margin on either side of zero.

    Attributes
    ----------
    mean, std_error : float
        Decimal fractions.
    ci_low, ci_high : float
        95% interval of the mean, t with n - 1 degrees of freedom.
    p_value : float
        Of "the mean lies outside the margin": the larger of the two one-sided p-values.
    margin : float
    n : int
    """

    mean: float
    std_error: float
    ci_low: float
    ci_high: float
    p_value: float
    margin: float
    n: int


def equivalence_test(values: np.ndarray, margin: float) -> EquivalenceTest:
    """Test whether a mean lies within ±margin, by two one-sided t-tests.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a session, decimal fractions; windows must not overlap.
    margin : float
        Effects smaller than this count as none.

    Returns
    -------
    EquivalenceTest

    Raises
    ------
    InferenceError
        If there are fewer than 8 values, or the margin is not positive.

    References
    ----------
    Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach.

    Examples
    --------
    >>> moves = np.array([0.001, -0.002, 0.003, 0.0, -0.001, 0.002, -0.003, 0.001])
    >>> equivalence_test(moves, 0.01).p_value < 0.001
    True
    """
    values = np.asarray(values, float)
    n = len(values)
    if n < MIN_SESSIONS:
        raise InferenceError(
            f"a set of {counted(n, 'session')} gets no verdict: at least {MIN_SESSIONS} are needed"
        )
    if not margin > 0:
        raise InferenceError(f"a margin of {percent(margin)} is none: give a positive one")
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
    reach = stdtrit(n - 1, 0.975) * error
    p = max(stdtr(n - 1, (mean - margin) / error), stdtr(n - 1, -(mean + margin) / error))
    return EquivalenceTest(
        float(mean), float(error), float(mean - reach), float(mean + reach), float(p), margin, n
    )
