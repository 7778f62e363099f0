"""Published changes of the index beside ours: the same closes, read by others."""

from __future__ import annotations

import pandas as pd

from impact.errors import ReturnsError
from impact.market.checks import check_numbers, refuse_values
from impact.market.files import data_hash, data_path
from impact.market.prices import load_prices
from impact.text.formats import iso

_FILE = "published_results.csv"
_SPAN = ["first_session", "last_session"]
_COLUMNS = [*_SPAN, "published", "ours", "rounding", "agrees", "source"]


def published_beside_ours(prices: pd.Series | None = None) -> pd.DataFrame:
    """Compare changes of the S&P 500 that the press printed with the same changes of our closes.

    Both are simple changes, compounded from the close before the first session to the close of
    the last.

    Parameters
    ----------
    prices : Series, shape (T,), optional
        Closes by session; by default `load_prices`.

    Returns
    -------
    DataFrame
        Index = id of the published number; `first_session`, `last_session`, `published`, `ours`
        (decimal fractions), `rounding` (half a unit of the last printed digit), `agrees` (ours
        rounds to what was published), `source`. Numbers of sessions that the prices do not have
        are left out and listed in ``.attrs["missing"]``.

    Raises
    ------
    ReturnsError
        If `prices` are returns, several columns, or have none of the sessions.

    Examples
    --------
    >>> table = published_beside_ours()
    >>> len(table), bool(table["agrees"].all())
    (27, True)
    """
    closes = _closes(load_prices() if prices is None else prices)
    table = pd.read_csv(data_path(_FILE), index_col="id", parse_dates=_SPAN)
    table = table.rename(columns={"published_value": "published"})
    held = table[_SPAN].isin(closes.index[1:]).all(axis=1)
    if not held.any():
        raise ReturnsError(
            f"prices: no published number is about the days from {iso(closes.index[0])} to "
            f"{iso(closes.index[-1])}: bring more closes"
        )
    missing, table = table.index[~held], table[held]
    before = closes.shift(1).reindex(table["first_session"]).to_numpy()
    ours = closes.reindex(table["last_session"]).to_numpy() / before - 1
    # A published value may sit on the edge of its rounding, where only the last bit decides.
    agrees = abs(ours - table["published"]) <= table["rounding"] + 1e-12
    result = table.assign(ours=ours, agrees=agrees)[_COLUMNS]
    result.attrs["signature"] = (
        f"simple changes; data {closes.attrs.get('hash', 'of the caller')}; "
        f"published numbers {data_hash(_FILE)}"
    )
    result.attrs["missing"] = missing.to_list()
    return result


def _closes(prices: pd.Series) -> pd.Series:
    frame = check_numbers(prices, "prices")
    if frame.shape[1] > 1:
        raise ReturnsError(
            f"prices: {frame.shape[1]} columns: give the closes of the S&P 500 alone"
        )
    bad = ~(frame.to_numpy() > 0)
    refuse_values(
        frame, bad, "prices", "is not a close of the S&P 500: give load_prices(), not returns"
    )
    return frame.iloc[:, 0]
