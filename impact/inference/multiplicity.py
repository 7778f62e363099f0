"""Many hypotheses at once: Holm, Benjamini-Hochberg and Romano-Wolf."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from impact.errors import InferenceError


def holm(p_values: pd.Series) -> pd.Series:
    """Holm's step-down correction, which controls the family-wise error under any dependence.

    Missing p-values (no verdict) stay missing and do not count.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm(pd.Series([0.01, 0.04])).tolist()
    [0.02, 0.04]
    """
    return _corrected(p_values, "holm", _holm)


def benjamini_hochberg(p_values: pd.Series) -> pd.Series:
    """Benjamini and Hochberg's correction, which controls the false discovery rate.

    Missing p-values stay missing and do not count.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate.
    """
    from scipy.stats import false_discovery_control

    return _corrected(p_values, "benjamini_hochberg", false_discovery_control)


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    corrected = np.empty(len(p))
    # The smallest counts all hypotheses, the next one fewer, and none passes one before it.
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(corrected, 1)


def _corrected(
    p_values: pd.Series, name: str, correct: Callable[[np.ndarray], np.ndarray]
) -> pd.Series:
    known = p_values.dropna().astype(float)
    if len(bad := known[(known < 0) | (known > 1)]):
        raise InferenceError(f"p-value {bad.iloc[0]} does not lie between 0 and 1")
    corrected = np.full(len(p_values), np.nan)
    corrected[p_values.notna()] = correct(known.to_numpy())
    return pd.Series(corrected, index=p_values.index, name=name)


def romano_wolf(draws: pd.DataFrame) -> pd.Series:
    """Romano and Wolf's step-down correction on the smallest p (min-P).

    The draws have shape (B + 1, H): the extremity of each of H statistics (larger speaks against
    the null), row 0 as observed, the other rows under the null, drawn jointly for all hypotheses.
    The corrected p of a column is never larger than Holm's on the same draws, because the
    dependence between the hypotheses is kept. InferenceError if a draw is missing.

    References
    ----------
    Romano and Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing;
    Westfall and Young (1993).
    """
    from scipy.stats import rankdata

    values = draws.to_numpy(float)
    if not np.isfinite(values).all():
        name = draws.columns[~np.isfinite(values).all(axis=0)][0]
        raise InferenceError(f"hypothesis {name!r} has draws that are not finite")
    # Share of draws at least as extreme: the p-value that each draw would have had.
    p = rankdata(-values, method="max", axis=0) / len(values)
    order = np.argsort(p[0], kind="stable")
    smallest = np.minimum.accumulate(p[:, order[::-1]], axis=1)[:, ::-1]
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate((smallest <= p[0, order]).mean(axis=0))
    return pd.Series(corrected, index=draws.columns, name="romano_wolf")
