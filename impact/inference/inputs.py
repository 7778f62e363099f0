"""What the tests take from a sample, checked, and how they name it."""

from __future__ import annotations

import numpy as np

from impact.errors import InferenceError
from impact.estimation.fits import WindowReturns
from impact.text.formats import counted

#: A spread below this fraction of the values themselves is rounding.
ROUNDING = 1e-13


def what(sample: WindowReturns) -> str:
    """Name the tested quantity: "abnormal return of session 0"."""
    window = sample.tested
    if window.length == 1:
        return f"abnormal return of session {window.start}"
    return f"cumulative abnormal return of sessions {window.start} to {window.end}"


def mean_null(sample: WindowReturns) -> str:
    """Null hypothesis of a test of the mean."""
    return f"the mean {what(sample)} is zero"


def cars(sample: WindowReturns, name: str, at_least: int) -> np.ndarray:
    """CARs of the pairs with a return in the window.

    Raises
    ------
    InferenceError
        If there are fewer than `at_least`.
    """
    return _enough(sample, sample.car, name, at_least)


def scars(sample: WindowReturns, name: str, at_least: int) -> np.ndarray:
    """As `cars`, standardised."""
    values = _enough(sample, sample.scar, name, at_least)
    if not np.isfinite(values).all():
        raise InferenceError(
            f"{name} divides by a residual standard deviation, and "
            f"{counted(int((~np.isfinite(values)).sum()), 'security', 'securities')} have none"
        )
    return values


def _enough(sample: WindowReturns, values: np.ndarray, name: str, at_least: int) -> np.ndarray:
    values = values[sample.days > 0]
    if len(values) < at_least:
        raise InferenceError(
            f"{name} needs {counted(at_least, 'security', 'securities')} with a return in "
            f"sessions {sample.tested}, and the study has {len(values)}"
        )
    return values


def varying(name: str, values: np.ndarray, noun: str, scale: float = 0.0) -> float:
    """Standard deviation (n - 1) of values that differ by more than rounding.

    `scale` is the size of what they were computed from, where that is larger than they are.

    Raises
    ------
    InferenceError
        If they do not.
    """
    spread = values.std(ddof=1)
    if not spread > ROUNDING * max(np.abs(values).max(), scale):
        raise InferenceError(f"{name} divides by the spread of the {noun}, and it is zero")
    return float(spread)


def mean_over_error(name: str, values: np.ndarray) -> tuple[float, int]:
    """Mean over its standard error, and n."""
    spread = varying(name, values, "CARs" if name == "cross_sectional_t" else "SCARs")
    return float(np.sqrt(len(values)) * values.mean() / spread), len(values)


def average_by_session(ar: np.ndarray) -> np.ndarray:
    """Means of the columns that hold a number, shape (at most columns,)."""
    present = (~np.isnan(ar)).sum(axis=0)
    kept = present > 0
    return np.nansum(ar[:, kept], axis=0) / present[kept]
