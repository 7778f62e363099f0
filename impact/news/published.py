"""Published changes of the index beside ours: the same closes, read by others."""

from __future__ import annotations

import pandas as pd

from impact.market.files import data_hash, data_path
from impact.market.prices import load_prices

_FILE = "published_results.csv"


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
        rounds to what was published), `source`.

    Examples
    --------
    >>> table = published_beside_ours()
    >>> len(table), bool(table["agrees"].all())
    (27, True)
    """
    closes = load_prices() if prices is None else prices
    table = pd.read_csv(
        data_path(_FILE), index_col="id", parse_dates=["first_session", "last_session"]
    )
    before = closes.shift(1).reindex(table["first_session"]).to_numpy()
    ours = closes.reindex(table["last_session"]).to_numpy() / before - 1
    published = table["published_value"].to_numpy()
    # A published value may sit on the edge of its rounding, where only the last bit decides.
    agrees = abs(ours - published) <= table["rounding"].to_numpy() + 1e-12
    result = pd.DataFrame(
        {
            "first_session": table["first_session"],
            "last_session": table["last_session"],
            "published": published,
            "ours": ours,
            "rounding": table["rounding"],
            "agrees": agrees,
            "source": table["source"],
        }
    )
    result.attrs["signature"] = (
        f"simple changes; data {closes.attrs.get('hash', 'of the caller')}; "
        f"published numbers {data_hash(_FILE)}"
    )
    return result
