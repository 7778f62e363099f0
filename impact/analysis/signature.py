"""The line under a result: what it was computed with, down to the data."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd


def signed(
    *parts: str,
    prices: pd.Series | pd.DataFrame | None = None,
    events: Iterable[pd.DataFrame] = (),
) -> str:
    """Join what a result was computed with, and the hashes of its prices and its catalogue.

    Parameters
    ----------
    parts : str
        Model, windows, n; empty ones are left out.
    prices : Series or DataFrame, optional
        Returns whose ``attrs["hash"]`` names the file that they come from, if one does.
    events : frames
        Events, the same for their catalogues.

    Examples
    --------
    >>> returns, events = pd.Series([0.01]), pd.DataFrame()
    >>> returns.attrs["hash"], events.attrs["hash"] = "155a8b0e5d47", "3055ff0d0948"
    >>> signed("window (0, 1)", prices=returns, events=[events])
    'window (0, 1); data 155a8b0e5d47; catalogue 3055ff0d0948'
    """
    held = [("data", {} if prices is None else prices.attrs)]
    held += [("catalogue", frame.attrs) for frame in events]
    hashes = [f"{what} {attrs['hash']}" for what, attrs in held if "hash" in attrs]
    # A study's own signature may hold a hash already.
    said = "; ".join([*filter(None, parts), *hashes]).split("; ")
    return "; ".join(dict.fromkeys(said))
