"""Tests of events on one series: one session (or window) at a time, and the whole set.

`conditional_columns` gives what `EventStudy.car` shows beside the textbook test. The other
functions take a study and a window of relative sessions and return a `HypothesisTest`; they
compute always. All but the shift tests need a study of one unit: pick it with ``study["id"]``.

Examples
--------
>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> study = impact.event_study(returns, ["2025-05-02"])
>>> prediction_t(study).distribution
'Student t with 249 degrees of freedom'
>>> conformal(study).n
251
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError, ReturnsError, VolatilityError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import WindowReturns
from impact.inference import conditional, unconditional
from impact.inference.event_sets import shift_test, window_z
from impact.inference.inputs import what
from impact.inference.tests import HypothesisTest, student_p
from impact.market.windows import Window
from impact.text.formats import counted, iso
from impact.volatility.forecast import conditional_z
from impact.volatility.vix import ImpliedForecast, implied_forecast

#: What `conditional_columns` holds, in order.
COLUMNS = (
    "sigma_conditional",
    "z_conditional",
    "p_conditional",
    "p_conditional_t",
    "ci_low_conditional",
    "ci_high_conditional",
    "sigma_implied",
    "z_implied",
    "p_implied",
    "smallest_detectable",
)

#: What can keep a forecast from one event without being wrong for the others.
_NOT_AVAILABLE = (HistoryError, VolatilityError, ReturnsError)


def conditional_columns(study: AbnormalReturns, tested: Window) -> pd.DataFrame:
    """Conditional and implied tests of every row of a study of one series.

    Parameters
    ----------
    study : AbnormalReturns
        On one series, with a variance model.
    tested : Window
        Tested window, relative sessions.

    Returns
    -------
    DataFrame, shape (M, 10)
        Index as ``study.abnormal``; `sigma_conditional` (of the window's sum), `z_conditional`,
        `p_conditional` (filtered historical simulation, equal tails), `p_conditional_t`,
        `ci_low_conditional`, `ci_high_conditional` (95%), `sigma_implied`, `z_implied`,
        `p_implied` (one session, and only with ``implied=``), `smallest_detectable`. NaN where a
        forecast is not available; ``.attrs["notes"]`` says why, by event.
    """
    rows, notes = [], []
    for i, event in enumerate(study.abnormal.index):
        row = {}
        for compute in (_conditional_row, _implied_row):
            try:
                values, note = compute(study, i, tested)
            except _NOT_AVAILABLE as error:
                values, note = {}, str(error)
            row |= values
            if note:
                notes.append(f"{event}: {note}")
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS, index=study.abnormal.index, dtype=float)
    table.attrs["notes"] = notes
    return table


def _conditional_row(study: AbnormalReturns, i: int, tested: Window) -> tuple[dict, str]:
    test = _conditional(study, i, tested)
    return {
        "sigma_conditional": test.sigma,
        "z_conditional": test.z,
        "p_conditional": test.p_fhs,
        "p_conditional_t": test.p_t,
        "ci_low_conditional": test.ci_low,
        "ci_high_conditional": test.ci_high,
        "smallest_detectable": test.smallest_detectable,
    }, test.note


def _conditional(study: AbnormalReturns, i: int, tested: Window) -> conditional.ConditionalTest:
    position = int(study.fits.pairs.position[i])
    values, cut = study.history(i)
    return conditional.conditional_test(
        values,
        fit_end=position + study.settings.window.start - cut,
        first=position + tested.start - cut,
        last=position + tested.end - cut,
        model=study.settings.volatility,
        seed=study.settings.seed,
    )


def _implied_row(study: AbnormalReturns, i: int, tested: Window) -> tuple[dict, str]:
    if study.implied is None or tested.length > 1:
        return {}, ""
    z, known = _implied(study, i, tested)
    p = conditional.student_p(z, known.nu)
    return {"sigma_implied": known.sigma, "z_implied": z, "p_implied": float(p)}, ""


def _implied(study: AbnormalReturns, i: int, tested: Window) -> tuple[float, ImpliedForecast]:
    position = int(study.fits.pairs.position[i])
    returns = study.returns.iloc[:, 0]
    known = implied_forecast(
        returns,
        study.implied,
        position + tested.start,
        fit_end=position + min(study.settings.window.start, tested.start),
        # The index closes at 16:15: after 16:00 its close on the eve may hold the news.
        after_vix_close=tested.start == 0
        and bool(study.alignment["after_close"].iloc[study.fits.unit[i]]),
    )
    return (float(returns.iloc[position + tested.start]) - known.mean) / known.sigma, known


# -- one event -----------------------------------------------------------------------------------


def prediction_t(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Exact prediction t of one event: CAR / (s √C), t with the model's degrees of freedom.

    The variance is that of the estimation window: exact for normal returns of constant variance.

    Raises
    ------
    InferenceError
        If the study has several units or several series.

    References
    ----------
    Salkever (1976); Campbell, Lo and MacKinlay (1997), chapter 4.
    """
    sample = _one_event(study, start, end, "prediction_t")
    return HypothesisTest(
        name="prediction_t",
        null=_zero(sample),
        n=int(sample.n_estimation[0]),
        reference="Campbell, Lo and MacKinlay (1997)",
        **student_p(sample.scar[0], sample.dof[0]),
    )


def conditional_fhs(
    study: AbnormalReturns, start: int = 0, end: int | None = None
) -> HypothesisTest:
    """Filtered historical simulation, equal tails: see `impact.inference.conditional`.

    Raises
    ------
    InferenceError
        If the study has several units or series, or no variance model.
    HistoryError, VolatilityError
        If the variance cannot be forecast.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999).
    """
    sample = _with_variance(study, start, end, "conditional_fhs")
    test = _conditional(study, 0, sample.tested)
    return HypothesisTest(
        name="conditional_fhs",
        null=f"{_zero(sample)}, given the variance known on the eve",
        statistic=test.z,
        p_value=test.p_fhs,
        n=test.n,
        distribution=f"filtered historical simulation ({test.model}), equal tails",
        reference="Barone-Adesi, Giannopoulos and Vosper (1999)",
    )


def conditional_t(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """As `conditional_fhs`, with Student-t innovations of unit variance.

    Raises
    ------
    InferenceError, HistoryError, VolatilityError
        As `conditional_fhs`.

    References
    ----------
    Bollerslev (1987).
    """
    sample = _with_variance(study, start, end, "conditional_t")
    test = _conditional(study, 0, sample.tested)
    return HypothesisTest(
        name="conditional_t",
        null=f"{_zero(sample)}, given the variance known on the eve",
        statistic=test.z,
        p_value=test.p_t,
        n=test.n,
        distribution=f"Student t of unit variance ({test.model})",
        reference="Bollerslev (1987)",
    )


def implied_t(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Test one session against the variance that the volatility index implied on its eve.

    Raises
    ------
    InferenceError
        If the study has several units or series, no ``implied=``, or the window several sessions.
    HistoryError, VolatilityError
        If the index does not reach back far enough.
    """
    sample = _one_event(study, start, end, "implied_t")
    if study.implied is None or sample.tested.length > 1:
        raise InferenceError(
            "implied_t tests one session of a study made with implied=load_vix(), for the "
            "S&P 500 alone"
        )
    z, known = _implied(study, 0, sample.tested)
    return HypothesisTest(
        name="implied_t",
        null=f"{_zero(sample)}, given the volatility index of the eve",
        statistic=z,
        p_value=float(conditional.student_p(z, known.nu)),
        n=known.n,
        distribution="Student t of unit variance, calibrated on earlier sessions",
        reference="Poon and Granger (2003)",
    )


def sample_quantile(
    study: AbnormalReturns, start: int = 0, end: int | None = None
) -> HypothesisTest:
    """Rank the window's sum among the estimation residuals; see `impact.inference.unconditional`.

    Raises
    ------
    InferenceError
        If the study has several units or series, or too few residuals.

    References
    ----------
    Gelbach, Helland and Klick (2013).
    """
    sample = _one_event(study, start, end, "sample_quantile")
    residuals = sample.estimation_ar[0]
    found = unconditional.sample_quantile_test(
        residuals[np.isfinite(residuals)], sample.ar[0, sample.inside]
    )
    return _ranked(
        "sample_quantile",
        sample,
        found,
        "estimation residuals",
        "Gelbach, Helland and Klick (2013)",
    )


def conformal(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Rank the window among all cyclic shifts of estimation window and window, mean re-estimated.

    Raises
    ------
    InferenceError
        If the study has several units or series, or its model is not the constant mean.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021).
    """
    sample = _one_event(study, start, end, "conformal")
    if study.layout.names or study.layout.subtracted is not None or study.layout.user is not None:
        raise InferenceError("conformal re-estimates a mean: use model='constant-mean'")
    past = study.fits.panel.estimation_returns(study.fits.pairs, study.settings.estimation)[0]
    now = study.fits.panel.returns_in(study.fits.pairs, sample.tested)[0]
    found = unconditional.conformal_test(past[np.isfinite(past)], now)
    return _ranked(
        "conformal", sample, found, "cyclic shifts", "Chernozhukov, Wüthrich and Zhu (2021)"
    )


def placebo_session(
    study: AbnormalReturns, start: int = 0, end: int | None = None
) -> HypothesisTest:
    """Rank |z| of the window among all earlier windows, each with its own estimation window.

    Raises
    ------
    InferenceError
        If the study has several units or series, or its model is not the constant mean.
    HistoryError
        If there are too few earlier windows.
    """
    sample = _one_event(study, start, end, "placebo_session")
    if study.layout.names or study.layout.subtracted is not None or study.layout.user is not None:
        raise InferenceError("placebo_session standardises by a mean: use model='constant-mean'")
    tested, estimation = sample.tested, study.settings.estimation
    values, cut = study.history(0)
    found = unconditional.placebo_test(
        values,
        int(study.fits.pairs.position[0]) + tested.start - cut,
        tested.length,
        estimation=(estimation.start - tested.start, estimation.end - tested.start),
    )
    return _ranked(
        "placebo_session", sample, found, "earlier windows", "Gelbach, Helland and Klick (2013)"
    )


def _ranked(
    name: str, sample: WindowReturns, found: unconditional.RankedTest, among: str, reference: str
) -> HypothesisTest:
    return HypothesisTest(
        name=name,
        null=f"the {what(sample)} is like any other",
        n=found.n,
        statistic=found.statistic,
        p_value=found.p_value,
        distribution=f"rank among {among}",
        reference=reference,
    )


def _one_event(study: AbnormalReturns, start: int, end: int | None, name: str) -> WindowReturns:
    if not study.is_one_series or len(study) != 1:
        raise InferenceError(
            f"{name} tests one event on one series; the study has "
            f"{counted(len(study.alignment), 'unit')} on "
            f"{counted(study.returns.shape[1], 'series', 'series')}: pick one with study['id'], "
            "or take study.portfolio()"
        )
    sample = study.over(start, end)
    if sample.days[0] < sample.tested.length:
        raise InferenceError(f"{name}: a return of sessions {sample.tested} is missing")
    return sample


def _with_variance(study: AbnormalReturns, start: int, end: int | None, name: str) -> WindowReturns:
    sample = _one_event(study, start, end, name)
    if study.settings.volatility is None:
        raise InferenceError(f"{name} needs a variance model: run the study with volatility='gjr'")
    return sample


def _zero(sample: WindowReturns) -> str:
    return f"the {what(sample)} is zero in expectation"


# -- a set of events -----------------------------------------------------------------------------


def shift_mean(study: AbnormalReturns, start: int = 0, end: int | None = None) -> HypothesisTest:
    """Test that the study's sessions are like any other: mean z against all circular shifts.

    It is also small when only their variance is larger; see `shift_studentised`.

    Raises
    ------
    InferenceError
        If there are fewer than 8 sessions, several series, or no variance model.
    HistoryError
        If an event lies before the conditional variance begins.
    """
    return _shift(study, start, end, "shift_mean")


def shift_studentised(
    study: AbnormalReturns, start: int = 0, end: int | None = None
) -> HypothesisTest:
    """Test that the mean of the study's sessions is zero, whatever their variance.

    The mean z over its own standard error is ranked among all circular shifts of the set.

    Raises
    ------
    InferenceError, HistoryError
        As `shift_mean`.
    """
    return _shift(study, start, end, "shift_studentised")


_NULLS = {
    "shift_mean": "these sessions are like any other",
    "shift_studentised": "the mean standardised return of these sessions is zero, "
    "whatever their variance",
}


def _shift(study: AbnormalReturns, start: int, end: int | None, name: str) -> HypothesisTest:
    if not study.is_one_series or study.settings.volatility is None:
        raise InferenceError(
            f"{name} needs one series and a variance model: take study.portfolio(), or run the "
            "study with volatility='gjr'"
        )
    tested = study.over(start, end).tested
    z = window_z(
        conditional_z(study.returns.iloc[:, 0], model=study.settings.volatility),
        tested.start,
        tested.end,
    )
    sessions = pd.DatetimeIndex(study.alignment["session"])
    early = sessions[sessions < z.index[0]]
    if len(early):
        raise HistoryError(
            f"the conditional variance begins on {iso(z.index[0])}, after the event of "
            f"{iso(early[0])}: leave that event out or bring a longer history"
        )
    found = shift_test(z, sessions)
    is_mean = name == "shift_mean"
    p = found.p_mean if is_mean else found.p_studentised
    return HypothesisTest(
        name=name,
        null=_NULLS[name],
        n=found.n,
        statistic=found.mean if is_mean else found.studentised,
        p_value=p,
        distribution=f"{counted(len(found.shifted_mean), 'circular shift')} of the set",
        reference="MacKinnon and Webb (2020)",
    )
