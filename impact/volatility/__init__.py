"""How nervous the market was the evening before."""

from impact.volatility.forecast import conditional_z, variance_forecast
from impact.volatility.garch import fit_variance
from impact.volatility.vix import implied_forecast

__all__ = ["conditional_z", "fit_variance", "implied_forecast", "variance_forecast"]
