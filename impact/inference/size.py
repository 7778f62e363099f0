"""How often each test rejects when there is nothing to find, as `make calibration` measured it."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from impact.market.files import data_hash, data_path
from impact.market.windows import Window
from impact.text.formats import list_of, number

_FILE = "calibration.csv"

#: Groups of the experiment: thirds of the sessions by the volatility of the 22 before.
THIRDS = ("low volatility", "middle volatility", "high volatility")

ONE_SESSION = Window(0, 0)


@lru_cache(maxsize=2)
def _rates(digest: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sizes by third and by panel; the key is the hash of the file."""
    table = pd.read_csv(data_path(_FILE)).fillna({"model": ""})
    table = table[(table["level"] == 0.05) & (table["tail"] == "two-sided")]
    single = table[(table["experiment"] == "size") & table["group"].isin(THIRDS)]
    by_third = single.pivot_table(
        index=["test", "model", "window"], columns="group", values="rate"
    )[list(THIRDS)]
    panels = table[table["experiment"] == "panel"]
    by_panel = panels.pivot_table(index=["test", "group"], columns="variance", values="rate")
    return by_third, by_panel


def sizes(test: str, model: str = "", window: Window = ONE_SESSION) -> pd.Series | None:
    """Return the share of sessions of the S&P 500 on which a test rejects at 5%, by third.

    Parameters
    ----------
    test : str
        Name of a test of one event on one series.
    model : str
        Variance model, "" for tests without one.
    window : Window
        Tested window.

    Returns
    -------
    Series, indexed by `THIRDS`, or None
        None where the test was not measured.

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
    measured, _ = _rates(data_hash(_FILE))
    key = (test, model, str(window))
    return measured.loc[key] if key in measured.index else None


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
    thirds = list_of(number(100 * rate, 1) for rate in found)
    return f"at 5% it rejects {thirds}% of calm, middle and turbulent sessions of the S&P 500"


def panel_in_words(test: str, panel: str) -> str:
    """Return how often a test of a cross-section rejects simulated panels without an effect.

    Parameters
    ----------
    test : str
        Name of the test.
    panel : {"20 firms apart in time", "20 securities on one date", "11 sectors on one date"}

    Examples
    --------
    >>> panel_in_words("relative_max", "11 sectors on one date")
    ''
    """
    _, measured = _rates(data_hash(_FILE))
    if (test, panel) not in measured.index:
        return ""
    rates = measured.loc[(test, panel)]
    return (
        f"at 5% it rejects {number(100 * rates[1.0], 1)}% of simulated panels ({panel}), "
        f"{number(100 * rates[3.0], 1)}% where events treble the variance"
    )
