"""Mean correlation of abnormal returns across pairs, from their estimation residuals."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import Fits, WindowReturns
from impact.inference.tests import (
    ROUNDING,
    CheckedReturns,
    check_option,
    check_study,
    check_switches,
)
from impact.text.formats import number

#: Two residual series need this many common sessions: with two their correlation is ±1.
MIN_COMMON = 3

#: Rows of the correlation matrix taken at once.
BLOCK = 256


def mean_correlation(
    study: AbnormalReturns, *, correlation: str = "event-time", truncate: bool = False
) -> float:
    """Mean pairwise correlation r̄ of the estimation residuals.

    Parameters
    ----------
    study : AbnormalReturns
    correlation : {"event-time", "calendar"}
        Residuals are matched by relative session, or by session of the calendar. The two are
        the same for one common date. With several dates event time is right for the variance of
        an average: securities of one event are correlated, those of events on other dates not.
    truncate : bool
        Replace a negative mean by zero (a negative one inflates Kolari-Pynnönen statistics).

    Returns
    -------
    float
        Mean over pairs with at least three common sessions, each correlation from the sessions
        that both have. In calendar time a security is not paired with itself.

    Raises
    ------
    InferenceError
        If no two residual series have three sessions in common.

    References
    ----------
    Kolari and Pynnönen (2010), Event study testing with cross-sectional correlation of abnormal
    returns, Review of Financial Studies 23.

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
    >>> round(mean_correlation(study), 2)
    0.42
    """
    check_study(study)
    check_switches(truncate=truncate)
    sample = study.over(study.settings.window.start)
    return correlation_of(sample, correlation, truncate)


#: Sum and number of the correlations of a study: one for all its tests.
_FOUND: WeakKeyDictionary[Fits, dict[bool, tuple[float, int]]] = WeakKeyDictionary()


def correlation_of(sample: WindowReturns, correlation: str, truncate: bool) -> float:
    """As `mean_correlation`, for a sample."""
    check_option("correlation", correlation, ("event-time", "calendar"))
    fits, calendar = sample.fits, bool(correlation == "calendar" and np.ptp(sample.position))
    found = _FOUND.setdefault(fits, {})
    if calendar not in found:
        found[calendar] = _summed(fits, calendar=calendar)
    total, count = found[calendar]
    if not count:
        raise InferenceError(
            f"the mean correlation needs two residual series with {MIN_COMMON} common sessions, "
            f"and none of the {len(fits.pairs)} series share as many"
        )
    mean = total / count
    return max(mean, 0.0) if truncate else mean


def clustering(
    sample: CheckedReturns, n: int, correlation: str, truncate: bool
) -> tuple[float, float]:
    """Mean correlation r̄ and 1 + (n - 1) r̄.

    InferenceError if the latter is not positive, as when abnormal returns add up to zero across
    securities.
    """
    mean = correlation_of(sample, correlation, truncate)
    inflation = 1 + (n - 1) * mean
    if inflation <= ROUNDING * n:
        raise sample.refusal(
            f"is not defined: 1 + (n - 1) r̄ is {number(inflation, 4)} with n = {n} and a "
            f"mean correlation r̄ of {number(mean, 4)}; truncate=True takes r̄ as 0"
        )
    return mean, inflation


def own_share(sample: CheckedReturns, mean: float) -> float:
    """1 - r̄, the part of the variance that securities do not have in common.

    InferenceError if nothing but rounding is left.
    """
    if 1 - mean <= ROUNDING:
        raise sample.refusal("is not defined: the securities are perfectly correlated")
    return 1 - mean


def _summed(fits: Fits, *, calendar: bool) -> tuple[float, int]:
    """Sum and number of the correlations, some rows at a time where none has a gap."""
    if not calendar:
        total, series = np.zeros(fits.past.length), 0
        for _, residuals, _ in fits.estimation_chunks():
            if np.isnan(residuals).any():
                break
            scaled = _scaled(residuals, np.ones_like(residuals, dtype=bool))[0]
            total += scaled.sum(axis=0)
            series += len(scaled)
        else:
            # Σ_{i≠j} r_ij = |Σ z_i|² - n.
            return (float(np.square(total).sum()) - series) / 2, series * (series - 1) // 2
    residuals, owner = fits.residuals_and_leverage[0], None
    if calendar:
        owner = fits.pairs.column
        residuals = _on_calendar(residuals, fits.pairs.position)
    return _sum_of_correlations(residuals, owner)


def _scaled(residuals: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that vary, centred and of length one so that sums do not cancel, and which they are."""
    days = observed.sum(axis=1, keepdims=True)
    filled = np.where(observed, residuals, 0.0)
    filled = np.where(observed, filled - filled.sum(axis=1, keepdims=True) / np.fmax(days, 1), 0.0)
    size = np.sqrt(np.square(filled).sum(axis=1, keepdims=True))
    varies = ((days >= MIN_COMMON) & (size > 0)).ravel()
    return filled[varies] / size[varies], varies


def _on_calendar(residuals: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Move each row to its own place in the calendar, NaN elsewhere."""
    shift = position - position.min()
    spread = np.full((len(residuals), residuals.shape[1] + shift.max()), np.nan)
    rows = np.arange(len(residuals))[:, None]
    spread[rows, shift[:, None] + np.arange(residuals.shape[1])] = residuals
    return spread


def _sum_of_correlations(residuals: np.ndarray, owner: np.ndarray | None) -> tuple[float, int]:
    """Sum and number of the pairwise-complete correlations; rows of one owner are not paired."""
    observed = ~np.isnan(residuals)
    scaled, varies = _scaled(residuals, observed)
    observed = observed[varies]
    complete = observed.all(axis=1)
    if owner is not None:
        owner, complete = owner[varies], np.zeros(len(scaled), dtype=bool)
    # Complete rows among themselves need no matrix: Σ_{i≠j} r_ij = |Σ z_i|² - n.
    whole = int(complete.sum())
    total = (np.square(scaled[complete].sum(axis=0)).sum() - whole) / 2
    count = whole * (whole - 1) // 2
    order = np.argsort(complete, kind="stable")
    scaled, observed = scaled[order], observed[order].astype(float)
    owner = None if owner is None else owner[order]
    for first in range(0, len(scaled) - whole, BLOCK):
        last = min(first + BLOCK, len(scaled) - whole)
        part, number = _block(scaled, observed, owner, first, last)
        total, count = total + part, count + number
    return float(total), count


def _block(
    values: np.ndarray, observed: np.ndarray, owner: np.ndarray | None, first: int, last: int
) -> tuple[float, int]:
    """Sum and number of the correlations of rows first..last with all later rows."""
    x, seen_x = values[first:last], observed[first:last]
    y, seen_y = values[first:], observed[first:]
    days = seen_x @ seen_y.T
    common = np.fmax(days, 1)
    sum_x, sum_y = x @ seen_y.T, seen_x @ y.T
    covariance = x @ y.T - sum_x * sum_y / common
    variance_x = np.square(x) @ seen_y.T - sum_x**2 / common
    variance_y = seen_x @ np.square(y).T - sum_y**2 / common
    use = np.arange(last - first)[:, None] < np.arange(len(y))
    use &= (days >= MIN_COMMON) & (variance_x > 1e-14) & (variance_y > 1e-14)
    if owner is not None:
        use &= owner[first:last, None] != owner[first:]
    r = covariance[use] / np.sqrt(variance_x[use] * variance_y[use])
    return float(r.sum()), int(use.sum())
