"""Live prices from Yahoo Finance: checked rows or one clear reason, and a history in reserve."""

from impact.market.yahoo.fetch import fetch_prices

__all__ = ["fetch_prices"]
