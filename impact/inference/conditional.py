"""One event on one series, tested against the variance known the evening before.

`conditional_tests` is a function of arrays; the tests of a study and a window share its answer.

Examples
--------
>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> study = impact.event_study(returns, ["2025-05-02"])
>>> round(conditional_fhs(study).p_value, 3), round(conditional_t(study).p_value, 3)
(0.31, 0.285)
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import scipy

from impact.errors import HistoryError, ReturnsError, VolatilityError, WindowError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.equal_tails import CONFIDENCE, detectable, equal_tails, inverted
from impact.inference.measured_sizes import short_in_words, too_short_for_t
from impact.inference.tests import CheckedReturns, Found, window_test
from impact.market.returns import TRADE_TO_TRADE
from impact.market.windows import Window
from impact.volatility.fitting import refit_rows
from impact.volatility.forecast import Forecast, variance_forecast
from impact.volatility.garch import FIT_SESSIONS
from impact.volatility.vix import implied_forecast

#: What can keep a forecast from one event without being wrong for the others.
NOT_AVAILABLE = (HistoryError, VolatilityError, ReturnsError)

# -- arrays --------------------------------------------------------------------------------------


def conditional_tests(
    returns: pd.Series,
    *,
    first: int,
    last: int,
    model: str = "gjr",
    seed: int = 0,
    paths: int = 10_000,
    estimate: float | None = None,
    error: float = 0.0,
    level: float = CONFIDENCE,
) -> tuple[Found, Found]:
    """Test that the returns of a window sum to what their mean and the variance known before allow.

    Parameters
    ----------
    returns : Series, shape (T,)
        Decimal returns or abnormal returns by session; the fit removes their own mean. NaN as
        for `impact.volatility.forecast.variance_forecast`.
    first, last : int
        Positions of the tested sessions, both included; the evening before is ``first - 1``.
    model : {"gjr", "garch", "ewma"}
    seed, paths : int
        Of windows of two or more sessions, which are simulated; the generator depends on
        (seed, first, last) alone, whatever else is tested.
    estimate : float, optional
        The sum that is tested where it is another than that of these returns less their mean:
        the CAR of a model with loadings.
    error : float
        Variance of what the estimate takes off the returns. The draws are widened by it.
    level : float
        Confidence of the intervals.

    Returns
    -------
    tuple of dict
        What `conditional_fhs` and `conditional_t` find. `detail` holds `estimate` (Σ (r - mu)),
        `sigma` (of that sum), `ci_low`, `ci_high` (the effects that the test does not reject),
        `mean` and `nu` of the fit, its `note` and the `model` that was fitted; the first also
        `smallest_detectable`, the effect that it finds at 5% in 80% of cases, in its harder
        direction.

    Raises
    ------
    WindowError
        If the window is reversed or leaves the returns.
    HistoryError, ReturnsError, VolatilityError
        As `impact.volatility.forecast.variance_forecast`.

    Notes
    -----
    One session: z = (r - mu) / σ is ranked among the last 1,000 past z, and the second p is from
    the Student t scaled to unit variance. Windows: past z (or Student-t draws) are drawn with
    replacement and run forward through the variance equation, and Σ (r - mu) is ranked among the
    simulated sums. Equal tails: p = min(1, 2 min(1 + #{x* >= x}, 1 + #{x* <= x}) / (B + 1)). The
    interval inverts that test. With q the quantiles under the null, a rise is found with 80% from
    q_.975 - q_.2 and a fall from q_.8 - q_.025; `smallest_detectable` is the larger.

    Examples
    --------
    >>> days = pd.bdate_range("2020-01-01", periods=1_500)
    >>> returns = pd.Series(0.01 * np.random.default_rng(0).standard_t(6, 1_500), days)
    >>> returns.iloc[1_400] = 0.09
    >>> found, _ = conditional_tests(returns, first=1_400, last=1_400)
    >>> found["p_value"] < 0.01, found["detail"]["ci_low"] > 0
    (True, True)
    """
    values = np.asarray(returns, float)
    if not 0 < first <= last < len(values):
        raise WindowError(
            f"first={first} and last={last} do not fit {len(values):,} returns: "
            "0 < first <= last < their number"
        )
    window = values[first : last + 1]
    closes = getattr(returns, "attrs", {}).get("gaps") == TRADE_TO_TRADE
    # A gap inside loses nothing of trade-to-trade returns; one across either end does.
    if not np.isfinite(values[[first - 1, last]] if closes else window).all():
        raise ReturnsError("a return of the tested window is missing: test a window without gaps")
    known = variance_forecast(returns, first, model=model)
    # A return after missing ones is the move of their sessions too, and has their means.
    car = float(np.nansum(window - known.mean) - np.isnan(window).sum() * known.mean)
    car = car if estimate is None else estimate
    variance = float(known.fit.variances(known.sigma, len(window)).sum())
    sigma, wider = float(np.sqrt(variance + error)), float(np.sqrt(1 + error / variance))
    if len(window) == 1:
        sums = wider * known.sigma * known.past_z
        unit = np.sqrt((known.nu - 2) / known.nu)
        reach = float(scipy.special.stdtrit(known.nu, (1 + level) / 2) * unit * sigma)
        p_t, ends_t = float(unit_student_p(car / sigma, known.nu)), (car - reach, car + reach)
    else:
        generator = np.random.default_rng([seed, first, last])
        sums, sums_t = (
            wider * drawn for drawn in simulated_sums(known, len(window), generator, paths)
        )
        p_t, ends_t = equal_tails(sums_t, car), inverted(sums_t, car, level)
    detail: Found = {"estimate": car, "sigma": sigma, "mean": known.mean, "nu": known.nu}
    size = short_in_words("conditional_fhs", len(known.past_z))
    note = "; ".join(filter(None, [known.note, size]))
    detail |= {"note": note, "model": known.model}
    both = {"statistic": car / sigma, "n": len(known.past_z)}
    by_past = both | {
        "p_value": equal_tails(sums, car),
        "distribution": f"filtered historical simulation ({known.model}), equal tails",
        "detail": detail
        | _interval(inverted(sums, car, level))
        | {"smallest_detectable": detectable(sums)},
    }
    by_t = both | {
        "p_value": p_t,
        "distribution": f"Student t of unit variance ({known.model})",
        "detail": detail | _interval(ends_t),
    }
    return by_past, by_t


def _interval(ends: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("ci_low", "ci_high"), ends, strict=True))


def simulated_sums(
    known: Forecast, k: int, rng: np.random.Generator, paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of k demeaned returns of each simulated path, by past z and by Student-t draws."""
    drawn = rng.choice(known.past_z, (paths, k))
    student = rng.standard_t(known.nu, (paths, k)) * np.sqrt((known.nu - 2) / known.nu)
    by_past = known.fit.simulate(known.sigma, drawn).sum(axis=1)
    return by_past, known.fit.simulate(known.sigma, student).sum(axis=1)


def unit_student_p(z: float | np.ndarray, nu: float | np.ndarray) -> np.ndarray:
    """Two-sided p of z under the Student t scaled to unit variance.

    Examples
    --------
    >>> round(float(unit_student_p(3.164, 5.745)), 4)
    0.0085
    """
    return 2 * scipy.special.stdtr(nu, -np.abs(z) * np.sqrt(nu / (nu - 2)))


# -- a study -------------------------------------------------------------------------------------

_FHS = "Barone-Adesi, Giannopoulos and Vosper (1999)"
_GIVEN = "the {} is zero in expectation, given the variance known the evening before"


@window_test(_FHS, _GIVEN, one_event=True)
def conditional_fhs(sample: CheckedReturns) -> Found:
    """Filtered historical simulation, equal tails: see `conditional_tests`.

    Raises
    ------
    InferenceError
        If the study has several units or series, or no variance model.
    HistoryError, VolatilityError
        If there is no history to fit the variance on.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for portfolios of
    derivative securities.
    """
    return _of_event(sample)[0]


@window_test("Bollerslev (1987)", _GIVEN, one_event=True)
def conditional_t(sample: CheckedReturns) -> Found:
    """As `conditional_fhs`, with Student-t innovations of unit variance.

    Raises
    ------
    HistoryError
        Also with fewer than 1,000 returns before the event: see
        `impact.inference.measured_sizes.too_short_for_t`.

    References
    ----------
    Bollerslev (1987), A conditionally heteroskedastic time series model for speculative prices
    and rates of return.
    """
    found = _of_event(sample)[1]
    if why := too_short_for_t(found["n"]):
        raise HistoryError(f"conditional_t: {why}")
    return found


@window_test(_FHS, _GIVEN, one_event=True, of_portfolio=True)
def portfolio_conditional(sample: CheckedReturns) -> Found:
    """`conditional_fhs` of the equal-weighted portfolio: the common move of one date.

    Raises
    ------
    ModelError
        If the study has firm events, whose securities do not share their dates.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999).
    """
    return _of_event(sample)[0]


@window_test(
    "Poon and Granger (2003)",
    "the {} is zero in expectation, given the volatility index of the evening before",
    one_event=True,
)
def implied_t(sample: CheckedReturns) -> Found:
    """Test one session against the variance that the volatility index implied the evening before.

    Raises
    ------
    InferenceError
        If the study has several units or series, no ``implied=``, or the window several sessions.
    HistoryError, VolatilityError
        If the index does not reach back far enough.

    References
    ----------
    Poon and Granger (2003), Forecasting volatility in financial markets: a review.
    """
    if sample.study.implied is None or sample.tested.length > 1:
        raise sample.refusal(
            "tests one session of a study made with implied=load_vix(), for the S&P 500 alone"
        )
    return implied_of_row(sample.study, 0, sample.tested)


def _of_event(sample: CheckedReturns) -> tuple[Found, Found]:
    if sample.study.settings.volatility is None:
        raise sample.refusal("needs a variance model: run the study with volatility='gjr'")
    return tests_of_row(sample.study, 0, sample.tested)


#: What was found of a study, by row and window: two tests and a table share one forecast.
FOUND: WeakKeyDictionary[AbnormalReturns, dict] = WeakKeyDictionary()


def tests_of_row(
    study: AbnormalReturns,
    i: int,
    tested: Window,
    level: float = CONFIDENCE,
    *,
    model: str | None = None,
) -> tuple[Found, Found]:
    """Test one row of a study against its own variance forecast; remembered as long as the study.

    `i` is the position of the row in ``study.abnormal``, `level` the confidence of the intervals,
    `model` the variance model, that of the study by default. Returned is what `conditional_tests`
    returns.

    Notes
    -----
    The variance is that of the security's returns less what the model explains. The loadings are
    then those of the returns that the parameters of the month are fitted on, so all events of a
    security in a month share one fit. What is tested is the CAR by the row's own loadings, and the
    error of these counts: Var = Σ σ² + s² (C - S), with s² C the variance of the CAR and S the
    number of its sessions.
    """
    found = FOUND.setdefault(study, {})
    own = model is None or model == study.settings.volatility
    key = (i, tested, level) if own else (i, tested, level, model)
    if key not in found:
        rows, at = study.returns.index, int(study.fits.pairs.position[i])
        months = refit_rows(rows, 1)
        estimate, error = None, 0.0
        if study.layout.names:
            window = found.setdefault(tested, study.over(tested.start, tested.end))
            estimate = float(window.car[i])
            error = float(window.s[i] ** 2 * (window.c[i] - window.sessions[i]))
        month = int(months[months <= at + tested.start][-1])
        history = study.history(i, slice(max(month - FIT_SESSIONS, 0), month))
        first = int(history.index.searchsorted(rows[at + tested.start]))
        last = int(history.index.searchsorted(rows[at + tested.end], side="right")) - 1
        if last < first:
            raise ReturnsError("the exchange was shut on every session of the tested window")
        found[key] = conditional_tests(
            history,
            first=first,
            last=last,
            model=str(study.settings.volatility if own else model),
            seed=study.settings.seed,
            estimate=estimate,
            error=error,
            level=level,
        )
    return found[key]


def implied_of_row(study: AbnormalReturns, i: int, tested: Window) -> Found:
    """Test the session of one row against the variance that the volatility index implied."""
    position = int(study.fits.pairs.position[i])
    if study.over(tested.start).begins_inside[i]:
        raise ReturnsError("the return of the tested session spans several")
    returns = study.returns.iloc[:, 0]
    if study.fits.panel.spans is not None:
        returns = returns.where(study.fits.panel.spans.sessions[0] == 1)
    move = float(returns.iloc[position + tested.start])
    if np.isnan(move):
        raise ReturnsError("the return of the tested session is missing")
    known = implied_forecast(
        returns,
        study.implied,
        position + tested.start,
        # The index closes at 16:15: after 16:00 its close of the evening before may hold the news.
        after_vix_close=tested.start == 0
        and bool(study.alignment["after_close"].iloc[study.fits.unit[i]]),
    )
    z = (move - known.mean) / known.sigma
    return {
        "statistic": z,
        "p_value": float(unit_student_p(z, known.nu)),
        "n": known.n,
        "distribution": "Student t of unit variance, calibrated on earlier sessions",
        "detail": {"sigma": known.sigma},
    }
