"""One event against four forecasts of its volatility: how much of a p is the choice of one.

Examples
--------
>>> import impact
>>> returns = impact.log_returns(impact.load_prices())
>>> study = impact.event_study(returns, ["2025-05-12"], implied=impact.load_vix())
>>> found = yardsticks(study)
>>> found.index.to_list(), disagree(found)
(['GJR-GARCH', 'GARCH', 'EWMA', 'VIX'], True)
"""

from __future__ import annotations

import pandas as pd

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.conditional import NOT_AVAILABLE, implied_of_row, tests_of_row
from impact.inference.tests import LEVEL, Found, check_study
from impact.volatility.garch import VARIANCE_MODELS

#: What readers call the variance models, the headline's first, and the volatility index.
NAMES = dict(zip(VARIANCE_MODELS, ("GJR-GARCH", "GARCH", "EWMA"), strict=True))
INDEX = "VIX"


def yardsticks(study: AbnormalReturns, start: int = 0, end: int | None = None) -> pd.DataFrame:
    """Test one event by each forecast of its volatility.

    Parameters
    ----------
    study : AbnormalReturns
        Of one event on one series; with ``implied=`` for the volatility index.
    start, end : int
        Relative sessions, both included; `end` defaults to `start`.

    Returns
    -------
    DataFrame, shape (4, 4)
        Indexed by `yardstick` ("GJR-GARCH", "GARCH", "EWMA", "VIX"): `sigma` (decimal fraction),
        `statistic` (z), `p_value`, `note`. The first three are those of `conditional_fhs` in a
        study with that variance model, the last is that of `implied_t`. NaN where a yardstick is
        not available, and `note` says why.

    Raises
    ------
    InferenceError
        If the study has several rows.
    WindowError
        If the window is reversed or reaches outside the study's event window.
    """
    check_study(study)
    if len(study) != 1:
        raise InferenceError(
            f"yardsticks are compared for one event on one series, and the study has {len(study)} "
            "rows: take one, such as study['geneva-truce']"
        )
    tested = study.over(start, end).tested
    rows: dict[str, Found] = {}
    for model, name in NAMES.items():
        try:
            found, _ = tests_of_row(study, 0, tested, model=model)
        except NOT_AVAILABLE as error:
            rows[name] = {"note": str(error)}
            continue
        # A short history is tested by EWMA under every name: that is one yardstick, not three.
        fitted = found["detail"]["model"] == model
        rows[name] = _row(found) if fitted else {"note": found["detail"]["note"]}
    if study.implied is None or tested.length > 1:
        rows[INDEX] = {"note": "of one session, in a study with implied=load_vix()"}
    else:
        try:
            rows[INDEX] = _row(implied_of_row(study, 0, tested))
        except NOT_AVAILABLE as error:
            rows[INDEX] = {"note": str(error)}
    columns = ["sigma", "statistic", "p_value", "note"]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    numbers = dict.fromkeys(columns[:3], float)
    return table.astype(numbers).rename_axis("yardstick")


def _row(found: Found) -> Found:
    detail = found["detail"]
    kept = {name: found[name] for name in ("statistic", "p_value")}
    return {"sigma": detail["sigma"], "note": detail.get("note", ""), **kept}


def disagree(found: pd.DataFrame) -> bool:
    """Return whether the p-values of `yardsticks` lie on both sides of 5%.

    Examples
    --------
    >>> disagree(pd.DataFrame({"p_value": [0.01, float('nan')]}))
    False
    """
    rejected = found["p_value"].dropna() < LEVEL
    return bool(rejected.any() and not rejected.all())
