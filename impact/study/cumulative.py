"""Returns over a window: sums of abnormal returns, buy-and-hold, and averages over events.

Securities that share a session are one observation, so averages are first taken within a unit
and the spread is measured over units. A single unit has no spread: its interval is the exact
prediction interval of its equal-weighted portfolio.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy

from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import BEGINS_INSIDE, WindowReturns
from impact.inference.conditional import conditional_columns
from impact.market.windows import tested_window
from impact.text.formats import counted, list_of

#: So many rows are named in a sentence.
_NAMED = 8


def car_table(study: AbnormalReturns, start: int, end: int | None = None) -> pd.DataFrame:
    """Cumulative abnormal return of every row of a study, with its exact prediction t.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Relative sessions, both included; `end` defaults to `start`.

    Returns
    -------
    DataFrame, decimal fractions
        Index as ``study.abnormal``; `session`, `label`, `announcements`, `estimate`,
        `std_error`, `statistic`, `dof`, `p_textbook`, `ci_low_textbook`, `ci_high_textbook`
        (exact prediction t, 95% interval). Where the returns of a row do not cover every session
        of the window, `days` counts those that they cover. For one series with a variance model
        also the columns of `impact.inference.conditional.conditional_columns`. Rows without a
        return in the window, or with a first one that is partly of sessions before it, are left
        out and listed in ``.attrs["missing"]``; ``.attrs["gaps"]`` says all that in sentences,
        and ``.attrs["notes"]`` what a forecast had to say, by event.

    Raises
    ------
    WindowError
        If the window is reversed or reaches outside the study's event window.

    References
    ----------
    Salkever (1976) for the prediction error; Campbell, Lo and MacKinlay (1997), chapter 4.
    """
    sample = study.over(start, end)
    error = sample.std_error
    reach = scipy.special.stdtrit(sample.dof, 0.975) * error
    units = study.units
    table = pd.DataFrame(
        {
            "session": units["session"].to_numpy(),
            "label": units["label"].to_numpy(),
            "announcements": units["announcements"].to_numpy(),
            "estimate": sample.car,
            "std_error": error,
            "statistic": sample.scar,
            "dof": sample.dof,
            "p_textbook": 2 * scipy.special.stdtr(sample.dof, -np.abs(sample.scar)),
            "ci_low_textbook": sample.car - reach,
            "ci_high_textbook": sample.car + reach,
        },
        index=study.abnormal.index,
    )
    notes = []
    if study.is_one_series and study.settings.volatility is not None:
        columns = conditional_columns(study, sample.tested)
        notes = columns.attrs["notes"]
        table = pd.concat([table, columns.set_axis(table.index)], axis=1)
    if (sample.sessions < sample.tested.length)[sample.days > 0].any():
        table.insert(table.columns.get_loc("estimate"), "days", sample.sessions)
    empty = sample.days == 0
    table = table[~empty]
    table.attrs["missing"] = [str(name) for name in study.abnormal.index[empty]]
    table.attrs["gaps"] = gap_sentences(study, sample)
    table.attrs["notes"] = notes
    table.attrs["signature"] = study.signed(start, end)
    return table


def gap_sentences(study: AbnormalReturns, sample: WindowReturns) -> list[str]:
    """Say which rows have no return in the window, or not all, or returns over several sessions."""
    used, sessions, length = sample.days > 0, sample.sessions, sample.tested.length
    there = "({sessions} of {length} sessions)"
    kinds = [
        ("No return in the window", "", ~used & ~sample.begins_inside),
        (f"Left out, as {BEGINS_INSIDE}", "", sample.begins_inside),
        ("Returns for part of the window", there, used & (sessions < sample.asked)),
        (
            "Shut for part of the window",
            there,
            used & (sample.asked <= sessions) & (sessions < length),
        ),
        (
            "Returns across sessions without a price",
            "({returns} for {sessions} sessions)",
            used & (sessions > sample.days),
        ),
    ]
    lines = []
    for what, words, rows in kinds:
        found = np.flatnonzero(rows)
        named = []
        for i in found[:_NAMED]:
            returns = counted(int(sample.days[i]), "return")
            said = words.format(sessions=sessions[i], length=length, returns=returns)
            named.append(f"{_row_name(study, i)} {said}".rstrip())
        if len(found) > _NAMED:
            named.append(counted(len(found) - _NAMED, "more", "more"))
        if named:
            lines.append(f"{what}: {list_of(named)}.")
    return lines


def _row_name(study: AbnormalReturns, row: int) -> str:
    """The security of a row, or its event, or both where there are several of both."""
    name = study.abnormal.index[row]
    if not isinstance(name, tuple):
        return str(name)
    return str(name[1]) if len(study.alignment) == 1 else f"{name[1]} on {name[0]}"


def bhar_table(study: AbnormalReturns, start: int, end: int | None = None) -> pd.DataFrame:
    """Buy-and-hold abnormal return of every row: the compounded actual less normal return.

    Parameters
    ----------
    study : AbnormalReturns
    start, end : int
        Relative sessions, both included; `end` defaults to `start`.

    Returns
    -------
    DataFrame
        Index as ``study.abnormal``; `session`, `label`, `estimate` (a simple return, decimal
        fraction), `std_error`, `dof`, `ci_low`, `ci_high` (95%), `days` (sessions that the
        returns cover). Rows without a return, or with one that is partly of sessions before the
        window, are left out.

    Raises
    ------
    WindowError
        If the window is reversed or reaches outside the study's event window.

    Notes
    -----
    The standard error is that of the CAR times the growth that a return of the window meets:
    1 + the compounded return for log returns, the mean over sessions of the growth in all other
    sessions for simple ones. It is exact for one session of simple returns and first order
    elsewhere: compounding skews long windows, and the interval does not show it.

    References
    ----------
    Barber and Lyon (1997), Detecting long-run abnormal stock returns, J. Financial Economics 43.
    """
    sample = study.over(start, end)
    actual = study.fits.panel.returns_in(study.fits.pairs, study.settings.window)
    normal = actual - sample.ar
    back = study.fits.panel.subtracted_in(study.fits.pairs, study.settings.window)
    actual, normal = actual + back, normal + back
    use = sample.inside_pairs
    compound = compounded(study.settings.kind)
    held, expected = (compound(np.where(use, values, 0.0)) for values in (actual, normal))
    error = sample.std_error * _growth(study.settings.kind, held, actual, use)
    reach = scipy.special.stdtrit(sample.dof, 0.975) * error
    units = study.units
    table = pd.DataFrame(
        {
            "session": units["session"].to_numpy(),
            "label": units["label"].to_numpy(),
            "estimate": held - expected,
            "std_error": error,
            "dof": sample.dof,
            "ci_low": held - expected - reach,
            "ci_high": held - expected + reach,
            "days": sample.sessions,
        },
        index=study.abnormal.index,
    )
    return table[sample.days > 0]


def _growth(kind: str, held: np.ndarray, actual: np.ndarray, use: np.ndarray) -> np.ndarray:
    """What a return of one session becomes by the end of the window, on average over it."""
    if kind == "log":
        return 1 + held
    others = (1 + held[:, None]) / np.where(use, 1 + actual, 1.0)
    return np.where(use, others, 0.0).sum(axis=1) / np.fmax(use.sum(axis=1), 1)


# -- averages over events --------------------------------------------------------------------------


def compounded(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that compounds rows of returns of that kind into a simple return.

    Examples
    --------
    >>> compounded("simple")(np.array([[0.1, 0.1]]))
    array([0.21])
    """
    if kind == "log":
        return lambda returns: np.expm1(returns.sum(axis=1))
    return lambda returns: np.prod(1 + returns, axis=1) - 1


def average_path(
    study: AbnormalReturns, *, cumulative: bool, start: int | None = None
) -> pd.DataFrame:
    """Average abnormal return by relative session, or cumulated from `start`.

    Parameters
    ----------
    study : AbnormalReturns
    cumulative : bool
        False for AAR, True for CAAR (the mean of each row's sum of non-missing returns).
    start : int, optional
        First session of the sums; the start of the event window by default.

    Returns
    -------
    DataFrame
        Index relative session; `estimate`, `std_error`, `statistic`, `dof`, `p_value`,
        `ci_low`, `ci_high` (95%), `n` (units). ``.attrs["method"]`` says where the interval
        comes from: the spread over units (t with n - 1 dof; it takes them as independent), or
        for one unit the exact prediction error.
    """
    window = study.settings.window
    first = window.start if start is None else start
    first = tested_window(first, window.end, window).start
    days = range(first, window.end + 1)
    if len(study.alignment) == 1:
        rows = [_one_unit(study, first if cumulative else day, day) for day in days]
        method = "exact prediction error of the one unit"
    else:
        rows = [_over_units(study, first if cumulative else day, day) for day in days]
        method = "spread over units, taken as independent"
    names = ["estimate", "std_error", "dof", "n"]
    table = pd.DataFrame(rows, columns=names, index=pd.Index(days, name="relative_session"))
    table["statistic"] = table["estimate"] / table["std_error"]
    table["p_value"] = 2 * scipy.special.stdtr(table["dof"], -table["statistic"].abs())
    reach = scipy.special.stdtrit(table["dof"], 0.975) * table["std_error"]
    table["ci_low"], table["ci_high"] = table["estimate"] - reach, table["estimate"] + reach
    table["n"] = table["n"].astype(int)
    table.attrs.update(method=method, signature=study.signed(first, window.end))
    order = ["estimate", "std_error", "statistic", "dof", "p_value", "ci_low", "ci_high", "n"]
    return table[order]


def _one_unit(study: AbnormalReturns, start: int, end: int) -> tuple[float, float, float, int]:
    one = study.portfolio().over(start, end)
    car = one.car[0]
    if study.fits.panel.spans is not None:
        # The portfolio has no price of what is shut; each security's sum loses no move.
        cars = study.over(start, end).car
        car = np.nanmean(cars) if np.isfinite(cars).any() else np.nan
    return car, one.std_error[0], one.dof[0], 1


def _over_units(study: AbnormalReturns, start: int, end: int) -> tuple[float, float, float, int]:
    sample = study.over(start, end)
    cars = pd.Series(sample.car).groupby(sample.event).mean().dropna()
    n = len(cars)
    return cars.mean(), cars.std(ddof=1) / np.sqrt(n), n - 1, n
