"""How often each test rejects when there is nothing to find, as `make calibration` measured it.

The one reader of ``data/calibration.csv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from impact.errors import InferenceError
from impact.inference.tests import LEVEL
from impact.market.files import data_hash, data_path
from impact.market.windows import Window
from impact.text.formats import list_of, number, percent

_FILE = "calibration.csv"

#: The experiments, in the order of the table; "meta" says how they were made.
EXPERIMENTS = (
    *("meta", "size", "size-1936", "size-1994", "size-sectors", "size-firms", "size-funds"),
    "power",
    *("intraday", "intraday-miss", "intraday-power", "set", "set-power", "panel", "who-was-hit"),
    *("slope-sectors", "slope-firms", "slope-simulated", "firm-events", "overlap", "size-short"),
    *("news-share", "news-choice"),
)

_WORDS = ("low", "middle", "high")

#: Groups of the experiment: thirds of the sessions by the volatility of the 22 before.
THIRDS = tuple(f"{word} volatility" for word in _WORDS)

#: The sessions of "who-was-hit" on which the market moved farthest.
LARGEST = "largest 5% of market moves"

#: The same by their size in percent: `LARGEST` is by their size in standard deviations.
LARGEST_IN_PERCENT = f"{LARGEST} in percent"

#: Sessions of "who-was-hit" with a p of 5% or less in a window up to some of the five days after.
SOME_DAY = "some of days 1 to 5"

#: Sessions whose spread makes the thirds.
TRAILING = 22

#: Sizes at 5% that are as good as they say.
KEPT = (0.035, 0.065)

ONE_SESSION = Window(0, 0)


def thirds(values: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Cut a sample into three groups of equal size by some values, shape (n,) each.

    Examples
    --------
    >>> [list(map(int, group)) for group in thirds(np.array([5.0, 1.0, 3.0]), "x").values()]
    [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    """
    rank = np.empty(len(values), dtype=int)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    third = 3 * rank // len(values)
    return {f"{word} {name}": third == number for number, word in enumerate(_WORDS)}


def trailing_volatility(values: np.ndarray) -> np.ndarray:
    """Standard deviation of the 22 returns before each row, shape (T,); NaN at the start."""
    return pd.Series(values).rolling(TRAILING).std().shift(1).to_numpy()


def third_of(returns: pd.Series, session: pd.Timestamp) -> str:
    """Return which of `THIRDS` of the returns a session lies in.

    The calm third where that is not known: there small p-values occur most often.

    Examples
    --------
    >>> days = pd.bdate_range("2020-01-01", periods=300)
    >>> returns = pd.Series(np.linspace(0.001, 0.03, 300) * (-1) ** np.arange(300), days)
    >>> third_of(returns, days[40]), third_of(returns, days[290])
    ('low volatility', 'high volatility')
    """
    spread = trailing_volatility(returns.to_numpy(float))
    calmer = spread < spread[returns.index.get_loc(session)]
    share = calmer.sum() / max(np.isfinite(spread).sum(), 1)
    return THIRDS[int(3 * share)]


# -- the table -----------------------------------------------------------------------------------


def load_calibration(experiment: str | None = None) -> pd.DataFrame:
    """Return the committed rejection rates.

    Parameters
    ----------
    experiment : str, optional
        One of "size" (real S&P 500 sessions on which nothing is supposed to have happened),
        "power" (a move was added), "size-1936" (to 1998), "size-1994" (by the VIX alone),
        "size-sectors", "size-firms" and "size-funds" (years and series that no choice was made
        on), "intraday", "intraday-miss" (where the size is not kept) and "intraday-power", "set"
        and "set-power" (random sets, by circular shifts and by clusters), "panel" (simulated
        securities),
        "who-was-hit" (every session of sectors and firms, by the size of the market's move),
        "slope-sectors", "slope-firms" and "slope-simulated" (slopes on one date), "firm-events"
        (real firms on dates of their own), "overlap" (averages of overlapping windows),
        "size-short" (histories under 500 sessions), "news-share" (how often the share and the
        range of an effect miss what was planted, by the ratio in `variance`, in days or half
        hours), "news-choice" (the ratio in `variance` that choosing the largest tenth of them with
        odds of `effect` gives),
        "meta" (seed, versions, duration). All by default.

    Returns
    -------
    DataFrame
        `experiment`, `test`, `model` (variance model), `window`, `group`, `variance` (of event
        sessions over that of others), `effect` (decimal fraction; in "set-power" in σ), `level`,
        `tail`, `rate`, `error` (Monte Carlo standard error of `rate`), `n`, `note`.

    Raises
    ------
    InferenceError
        If there is no such experiment.
    DataFileError
        If the file changed.

    Examples
    --------
    >>> size = load_calibration("size").query("window == '(0, 0)' and level == 0.05")
    >>> rate = size.set_index(["test", "model", "group"])["rate"]
    >>> bool(rate["prediction_t", "", "high volatility"] > 0.1)
    True
    """
    if experiment is not None and not (isinstance(experiment, str) and experiment in EXPERIMENTS):
        raise InferenceError(
            f"there is no experiment {experiment!r}: use {list_of(map(repr, EXPERIMENTS), 'or')}"
        )
    words = {"model": "str", "note": "str", "test": "str", "window": "str", "group": "str"}
    table = pd.read_csv(data_path(_FILE), dtype=words)
    table[list(words)] = table[list(words)].fillna("")
    if experiment is None:
        return table
    return table[table["experiment"] == experiment].reset_index(drop=True)


def rate_table(
    experiment: str | Sequence[str],
    *,
    rows: Sequence[str] = ("test", "model"),
    columns: Sequence[str] = ("group",),
    level: float = LEVEL,
    **where: object,
) -> pd.DataFrame:
    """Lay out committed rejection rates for reading.

    Parameters
    ----------
    experiment : str or sequence of str
        As for `load_calibration`; several are distinguished with "experiment" among the rows.
    rows, columns : sequence of str
        Columns of `load_calibration` that name the rows and the columns of the table.
    level : float
        Nominal size: 0.01, 0.05, 0.10, or 0.025 for the tails.
    **where
        Values that further columns must have.

    Returns
    -------
    DataFrame of str
        Rates in percent.

    Raises
    ------
    InferenceError
        If no rate is left, or several for one cell.
    DataFileError
        If the file changed.

    Examples
    --------
    >>> table = rate_table("set", columns=["variance"], group="15 sessions anywhere")
    >>> table.loc[("shift_studentised", "gjr")].to_list()
    ['4.5%', '5.5%', '4.4%']
    """
    names = experiment if isinstance(experiment, list | tuple) else [experiment]
    if not names:
        raise InferenceError("experiment= is empty: name one, such as 'size'")
    table = pd.concat(map(load_calibration, names), ignore_index=True)
    where, rows, columns = {"level": level, **where}, list(rows), list(columns)
    if unknown := [name for name in (*where, *rows, *columns) if name not in table]:
        raise InferenceError(
            f"the rates have no column {unknown[0]!r}: use {list_of(map(repr, table), 'or')}"
        )
    for column, value in where.items():
        table = table[table[column] == value]
    if table.empty or table.duplicated([*rows, *columns]).any():
        raise InferenceError(
            f"{experiment!r} has {'no rate' if table.empty else 'several rates'} for a cell with "
            f"{where}: name other values, or more rows and columns"
        )
    shown = table.assign(rate=[percent(rate, 1, signed=False) for rate in table["rate"]])
    return shown.pivot_table(
        index=rows,
        columns=columns if len(columns) > 1 else columns[0],
        values="rate",
        aggfunc="first",
        sort=False,
    )


# -- one test ------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _by_group(digest: str) -> dict[tuple[str, ...], pd.Series]:
    """Sizes at 5% by experiment, test, model and window; the key is the hash of the file."""
    table = load_calibration()
    kept = (table["level"] == LEVEL) & (table["tail"] == "two-sided") & (table["effect"] == 0)
    rates = table[kept].set_index("group").groupby(["experiment", "test", "model", "window"])
    return dict(list(rates["rate"]))


def group_rates(
    experiment: str, test: str, model: str = "", window: Window | str = ONE_SESSION
) -> pd.Series:
    """Return how often a test rejects at 5% where nothing happened, by group of an experiment.

    The Series is empty where this was not measured.

    Examples
    --------
    >>> group_rates("size-firms", "conditional_fhs", "gjr").index[0]
    'all'
    """
    measured = _by_group(data_hash(_FILE))
    return measured.get((experiment, test, model, str(window)), pd.Series(dtype=float))


def sizes(test: str, model: str = "", window: Window = ONE_SESSION) -> pd.Series | None:
    """Return the share of sessions of the S&P 500 on which a test rejects at 5%, by `THIRDS`.

    The test is of one event on one series; one that uses no variance model has one size whatever
    the model of the study is. None where the test was not measured.

    References
    ----------
    Brown and Warner (1985) for the experiment.

    Examples
    --------
    >>> sizes("bmp") is None
    True
    >>> bool(sizes("prediction_t")["high volatility"] > 0.1)
    True
    """
    for used in (model, ""):
        if len(found := group_rates("size", test, used, window)):
            return found[list(THIRDS)]
    return None


@lru_cache(maxsize=2)
def _headline(digest: str) -> pd.DataFrame:
    """Shares of sessions with a p of the headline test at or below each level, by third."""
    table = load_calibration("size")
    headline = (table["test"] == "conditional_fhs") & (table["model"] == "gjr")
    one = (table["window"] == str(ONE_SESSION)) & (table["tail"] == "two-sided")
    table = table[headline & one & table["group"].isin(THIRDS)]
    return table.pivot_table(index="level", columns="group", values="rate")[list(THIRDS)]


def share_as_small(p: float, third: str) -> float:
    """Return how often the headline test gives so small a p on sessions of the S&P 500, at least.

    It is measured for a p of at most 0.1, by the third of the volatility of the 22 sessions before,
    at the levels of ``data/calibration.csv``: between them by a line through the logarithms, below
    the lowest its own share, as nothing rarer was measured. Never less than p itself: a handful of
    rejections cannot show that a test errs less than it says.

    Examples
    --------
    >>> share_as_small(0.01, "low volatility") > 0.01
    True
    """
    measured = _headline(data_hash(_FILE))[third]
    levels, rates = np.log(measured.index), np.log(measured)
    return max(p, float(np.exp(np.interp(np.log(p), levels, rates))))


def in_words(test: str, model: str = "", window: Window = ONE_SESSION) -> str:
    """Return the sizes as text, "" where the test was not measured.

    Examples
    --------
    >>> in_words("bmp")
    ''
    """
    found = sizes(test, model, window)
    if found is None:
        return ""
    rates = list_of(number(100 * rate, 1) for rate in found)
    return f"at 5% it rejects {rates}% of calm, middle and turbulent sessions of the S&P 500"


@lru_cache(maxsize=2)
def _by_panel(digest: str) -> pd.DataFrame:
    """Sizes at 5% by test and kind of panel, a column for each variance of the events."""
    table = load_calibration("panel")
    kept = (table["level"] == LEVEL) & (table["tail"] == "two-sided")
    return table[kept].pivot_table(index=["test", "group"], columns="variance", values="rate")


def panel_in_words(test: str, panel: str) -> str:
    """Say how often a test of a cross-section rejects simulated panels without an effect.

    Panels are "20 firms apart in time", "20 securities on one date", "11 sectors on one date".

    Examples
    --------
    >>> panel_in_words("relative_max", "11 sectors on one date")
    ''
    """
    measured = _by_panel(data_hash(_FILE))
    if (test, panel) not in measured.index:
        return ""
    rates = measured.loc[(test, panel)]
    return (
        f"at 5% it rejects {number(100 * rates[1.0], 1)}% of simulated panels ({panel}), "
        f"{number(100 * rates[3.0], 1)}% where events treble the variance"
    )


# -- the intraday test ---------------------------------------------------------------------------


def intraday_size(group: str, minutes: int) -> float | None:
    """Return the share of windows of so many minutes on which the intraday test rejects at 5%.

    The group is one of the experiments "intraday" and "intraday-miss" of `load_calibration`; None
    where this was not measured.

    Examples
    --------
    >>> intraday_size("over lunch", 30) is None
    True
    """
    for experiment in ("intraday", "intraday-miss"):
        rates = group_rates(experiment, "window_rank", "clock", f"{minutes} minutes")
        if group in rates.index:
            return float(rates[group])
    return None
