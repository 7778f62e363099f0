"""Returns over a window: sums of abnormal returns, buy-and-hold, and averages over events.

Securities that share a session are one observation, so averages are first taken within a unit
and the spread is measured over units. A single unit has no spread: its interval is the exact
prediction interval of its equal-weighted portfolio.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.estimation.fits import BEGINS_INSIDE, WindowReturns
from impact.inference.conditional_columns import conditional_columns
from impact.inference.equal_tails import CONFIDENCE
from impact.inference.tests import check_switches
from impact.market.windows import tested_window
from impact.text.formats import counted, some_of

#: So many rows are named in a sentence.
_NAMED = 8

#: What stands in place of an interval where the windows of one series overlap.
WITHHELD = "windows overlap: test the set by shifts, as tests() does"


def car_table(
    study: AbnormalReturns,
    start: int,
    end: int | None = None,
    *,
    conditional: bool | None = None,
    level: float = CONFIDENCE,
) -> pd.DataFrame:
    """Cumulative abnormal return of every row of a study, with its exact prediction t.

    See `EventStudy.car` for what it takes. The conditional test of many securities takes some ten
    milliseconds a security and month.

    Returns
    -------
    DataFrame, decimal fractions
        Index as ``study.abnormal``; `session`, `label`, `announcements`, `estimate`,
        `std_error`, `statistic`, `dof`, `p_textbook`, `ci_low_textbook`, `ci_high_textbook`
        (exact prediction t, and interval). Where the returns of a row do not cover every session
        of the window, `days` counts those that they cover. With the conditional test also the
        columns of `impact.inference.conditional_columns.conditional_columns`. Rows without a
        return in the window, or with a first one that is partly of sessions before it, are left
        out and listed in ``.attrs["missing"]``; ``.attrs["gaps"]`` says all that in sentences,
        and ``.attrs["notes"]`` what a forecast had to say, by row.

    References
    ----------
    Salkever (1976) for the prediction error; Campbell, Lo and MacKinlay (1997), chapter 4.
    """
    sample, confidence = study.over(start, end), checked_level(level)
    error = sample.std_error
    reach = _reach(sample.dof, confidence) * error
    units, at = study.alignment, study.fits.unit
    table = pd.DataFrame(
        {
            "session": units["session"].to_numpy()[at],
            "label": units["label"].array[at],
            "announcements": units["announcements"].to_numpy()[at],
            "estimate": sample.car,
            "std_error": error,
            "statistic": sample.scar,
            "dof": sample.dof,
            "p_textbook": 2 * scipy.special.stdtr(sample.dof, -np.abs(sample.scar)),
            "ci_low_textbook": sample.car - reach,
            "ci_high_textbook": sample.car + reach,
        },
        index=study.fit.index,
    )
    notes = []
    model = study.settings.volatility
    if conditional is not None:
        check_switches(conditional=conditional)
    if conditional and model is None:
        raise InferenceError("conditional=True needs a variance model: say volatility='gjr'")
    if conditional is None:
        conditional = study.is_one_series and model is not None
    if conditional:
        columns = conditional_columns(study, sample.tested, confidence)
        notes = columns.attrs["notes"]
        table = pd.concat([table, columns.set_axis(table.index)], axis=1)
    if (sample.sessions < sample.tested.length)[sample.days > 0].any():
        table.insert(table.columns.get_loc("estimate"), "days", sample.sessions)
    empty = sample.days == 0
    if empty.any():
        table = table[~empty]
    table.attrs["missing"] = [str(study.fit.index[i]) for i in np.flatnonzero(empty)]
    table.attrs["gaps"] = gap_sentences(study, sample)
    table.attrs["notes"] = notes
    table.attrs["signature"] = study.signed(start, end, conditional=conditional)
    return table


def checked_level(level: object) -> float:
    """Return a confidence, a share such as 0.95.

    Examples
    --------
    >>> checked_level(90)
    Traceback (most recent call last):
    impact.errors.InferenceError: level=90 is not a confidence level: give a share such as 0.95
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise InferenceError(
            f"level={level!r} is not a confidence level: give a share such as 0.95"
        )
    return float(level)


def _reach(dof: np.ndarray, level: float = CONFIDENCE) -> np.ndarray:
    """Half-width of an interval in standard errors; most rows share their degrees of freedom."""
    values, row = np.unique(dof, return_inverse=True)
    return scipy.special.stdtrit(values, (1 + level) / 2)[row]


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
        if named:
            lines.append(f"{what}: {some_of(named, len(found))}.")
    return lines


def _row_name(study: AbnormalReturns, row: int) -> str:
    """The security of a row, or its event, or both where there are several of both."""
    name = study.fit.index[row]
    if not isinstance(name, tuple):
        return str(name)
    return str(name[1]) if len(study.alignment) == 1 else f"{name[1]} on {name[0]}"


def bhar_table(study: AbnormalReturns, start: int, end: int | None = None) -> pd.DataFrame:
    """Buy-and-hold abnormal return of every row: the compounded actual less normal return.

    Returns
    -------
    DataFrame
        Index as ``study.abnormal``; `session`, `label`, `estimate` (a simple return, decimal
        fraction), `std_error`, `dof`, `ci_low`, `ci_high` (95%), `days` (sessions that the
        returns cover). Rows without a return, or with one that is partly of sessions before the
        window, are left out.

    Notes
    -----
    The standard error is that of the CAR times the growth that a return of the window meets: 1 +
    the compounded return for log returns, the mean over sessions of the growth in all other
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
    held, expected = (
        compounded(np.where(use, values, 0.0), study.settings.kind) for values in (actual, normal)
    )
    error = sample.std_error * _growth(study.settings.kind, held, actual, use)
    reach = _reach(sample.dof) * error
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
        index=study.fit.index,
    )
    return table[sample.days > 0]


def _growth(kind: str, held: np.ndarray, actual: np.ndarray, use: np.ndarray) -> np.ndarray:
    """What a return of one session becomes by the end of the window, on average over it."""
    if kind == "log":
        return 1 + held
    others = (1 + held[:, None]) / np.where(use, 1 + actual, 1.0)
    return np.where(use, others, 0.0).sum(axis=1) / np.fmax(use.sum(axis=1), 1)


def compounded(returns: np.ndarray, kind: str) -> np.ndarray:
    """Compound rows of returns of that kind into a simple return.

    Examples
    --------
    >>> compounded(np.array([[0.1, 0.1]]), "simple")
    array([0.21])
    """
    return np.expm1(returns.sum(axis=1)) if kind == "log" else np.prod(1 + returns, axis=1) - 1


# -- averages over events --------------------------------------------------------------------------


def average_path(
    study: AbnormalReturns, *, cumulative: bool, start: int | None = None
) -> pd.DataFrame:
    """Average abnormal return by relative session, or summed from `start`.

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
        `ci_low`, `ci_high` (95%), `n` (units), and `rows`, the returns of that session: fewer
        than elsewhere where a security has none. ``.attrs["method"]`` says where the interval
        comes from: the spread over units (t with n - 1 dof; it takes them as independent), or
        for one unit the exact prediction error. Where the windows of units that all columns
        share overlap, their sums share returns: there is no interval, and the column `withheld`
        says so.
    """
    window = study.settings.window
    first = window.start if start is None else start
    first = tested_window(first, window.end, window).start
    days = range(first, window.end + 1)
    cars = _cars(study, days, cumulative=cumulative)
    if len(study.alignment) == 1:
        found = _one_unit(study, cars, days, cumulative=cumulative)
        method = "exact prediction error of the one unit"
    else:
        found = _over_units(cars, study.fits.unit)
        method = "spread over units, taken as independent"
    statistic = found["estimate"] / found["std_error"]
    reach = _reach(found["dof"]) * found["std_error"]
    there = ~np.isnan(study.fits.abnormal[:, window.offsets >= first])
    table = pd.DataFrame(
        {
            "estimate": found["estimate"],
            "std_error": found["std_error"],
            "statistic": statistic,
            "dof": found["dof"],
            "p_value": 2 * scipy.special.stdtr(found["dof"], -np.abs(statistic)),
            "ci_low": found["estimate"] - reach,
            "ci_high": found["estimate"] + reach,
            "n": found["n"],
            "rows": there.sum(axis=0),
        },
        pd.Index(days, name="relative_session"),
    )
    table.attrs.update(method=method, signature=study.signed(first, window.end))
    shared = cumulative & (np.arange(len(days)) >= _room(study))
    table.loc[shared, ["std_error", "statistic", "p_value", "ci_low", "ci_high"]] = np.nan
    if shared.any():
        table["withheld"] = np.where(shared, WITHHELD, "")
    return table


def _room(study: AbnormalReturns) -> float:
    """Sessions from one unit to the next of all columns; so many sums share no return."""
    first = np.unique(study.fits.unit, return_index=True)[1]
    of_all = study.is_one_series or (np.bincount(study.fits.unit) > 1).all()
    if len(first) == 1 or not of_all:
        return np.inf
    return float(np.diff(np.sort(study.fits.pairs.position[first])).min())


def _cars(study: AbnormalReturns, days: range, *, cumulative: bool) -> np.ndarray:
    """Returns of each row by session, or their sums from the first one, shape (M, days)."""
    if study.fits.panel.spans is not None:
        # A window that begins inside a span lacks its first return, one by one.
        windows = [study.over(days[0] if cumulative else day, day) for day in days]
        return np.column_stack([window.car for window in windows])
    returns = study.fits.abnormal[:, study.settings.window.offsets >= days[0]]
    if not cumulative:
        return returns
    there = ~np.isnan(returns)
    sums = np.where(there, returns, 0.0).cumsum(axis=1)
    return np.where(np.maximum.accumulate(there, axis=1), sums, np.nan)


def _one_unit(
    study: AbnormalReturns, cars: np.ndarray, days: range, *, cumulative: bool
) -> dict[str, np.ndarray]:
    portfolio = study.portfolio()
    windows = [portfolio.over(days[0] if cumulative else day, day) for day in days]
    # The portfolio has no price of what is shut; each security's sum loses no move.
    spans = study.fits.panel.spans is not None
    means = _nan_mean(cars)[0] if spans else np.array([one.car[0] for one in windows])
    errors, dof = ([getattr(one, name)[0] for one in windows] for name in ("std_error", "dof"))
    found = {"estimate": means, "std_error": np.array(errors), "dof": np.array(dof)}
    return found | {"n": np.ones(len(windows), dtype=int)}


def _over_units(cars: np.ndarray, unit: np.ndarray) -> dict[str, np.ndarray]:
    order = np.argsort(unit, kind="stable")
    first = np.flatnonzero(np.diff(unit[order], prepend=-1))
    if len(first) < len(unit):
        there = ~np.isnan(cars[order])
        sums = np.add.reduceat(np.where(there, cars[order], 0.0), first)
        count = np.add.reduceat(there, first, dtype=int)
        cars = np.where(count, sums / np.fmax(count, 1), np.nan)
    mean, n = _nan_mean(cars)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.nansum((cars - mean) ** 2, axis=0) / (n - 1)
        return {"estimate": mean, "std_error": np.sqrt(variance / n), "dof": n - 1, "n": n}


def _nan_mean(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the columns, NaN where all is missing, and the numbers that they are of."""
    n = (~np.isnan(values)).sum(axis=0)
    return np.where(n, np.nansum(values, axis=0) / np.fmax(n, 1), np.nan), n
