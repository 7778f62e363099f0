"""The securities of panels A to C around their events: normal returns, abnormal returns, CARs.

Day t of a security is its row less the row of its event. A missing return is left out
everywhere: of the fit, of the sums, and of the number of days.
"""

import math

import pandas as pd
from answers import ESTIMATION, EVENT, HERE, Window

PANELS = ("A", "B", "C")
#: Model -> number of parameters that are estimated.
MODELS = {"constant_mean": 1, "market_adjusted": 0, "market_model": 2}


class Security:
    """One security around its event, under one model of the normal return."""

    def __init__(self, model: str, returns: pd.Series, market: pd.Series, event_row: int) -> None:
        """Returns of the security and of the market are indexed by row."""
        self.model, self.event_row = model, event_row
        returns = returns.set_axis(returns.index - event_row)
        self.market = market.set_axis(market.index - event_row)

        past = returns.loc[ESTIMATION[0] : ESTIMATION[1]].dropna()
        self.past_market = self.market.loc[past.index]
        self.mean_market = self.past_market.mean()
        self.sum_of_squares = ((self.past_market - self.mean_market) ** 2).sum()
        self.L = len(past)
        self.dof = self.L - MODELS[model]

        if model == "constant_mean":
            self.alpha, self.beta = past.mean(), 0.0
        elif model == "market_adjusted":
            self.alpha, self.beta = 0.0, 1.0
        else:
            together = ((self.past_market - self.mean_market) * (past - past.mean())).sum()
            self.beta = together / self.sum_of_squares
            self.alpha = past.mean() - self.beta * self.mean_market

        abnormal = (returns - self.alpha - self.beta * self.market).dropna()
        self.estimation_ar = abnormal.loc[ESTIMATION[0] : ESTIMATION[1]]
        self.event_ar = abnormal.loc[EVENT[0] : EVENT[1]]
        self.s = math.sqrt((self.estimation_ar**2).sum() / self.dof)

    def parameter_error(self, k: int, market: pd.Series | float) -> pd.Series | float:
        """What the estimated parameters add to the variance of a sum over k days.

        In units of s squared; `market` is the sum of the market's returns on these days.
        """
        if self.model == "market_adjusted":
            return 0.0
        if self.model == "constant_mean":
            return k**2 / self.L
        return k**2 / self.L + (market - k * self.mean_market) ** 2 / self.sum_of_squares

    def leverage(self) -> pd.Series | float:
        """Leverage of each estimation day (one number where it is the same for all)."""
        return self.parameter_error(1, self.past_market)

    def days(self, window: Window) -> pd.Series:
        """Abnormal returns of those days of the window that have one."""
        return self.event_ar.loc[window[0] : window[1]]

    def car(self, window: Window) -> float:
        return self.days(window).sum()

    def c(self, window: Window) -> float:
        """Variance of the CAR's prediction error, in units of s squared."""
        days = self.days(window).index
        return len(days) + self.parameter_error(len(days), self.market.loc[days].sum())

    def scar(self, window: Window) -> float:
        """CAR over its standard error: Student t with `dof` degrees of freedom."""
        return self.car(window) / (self.s * math.sqrt(self.c(window)))


def read_panel(name: str) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Returns of the securities and of the market by row, and the event row of each security."""
    table = pd.read_csv(HERE / f"panel_{name}.csv", index_col="row").drop(columns="date")
    events = pd.read_csv(HERE / f"panel_{name}_events.csv", index_col="security")
    return table.drop(columns="market"), table["market"], events["event_row"]


def securities(panel: str, model: str) -> dict[str, Security]:
    """Name -> security, in the order of the file of events."""
    returns, market, event_rows = read_panel(panel)
    return {name: Security(model, returns[name], market, row) for name, row in event_rows.items()}


def portfolio(panel: str, model: str) -> Security:
    """The equally weighted portfolio of a panel with one common event, as one security."""
    returns, market, event_rows = read_panel(panel)
    (row,) = event_rows.unique()
    return Security(model, returns.mean(axis=1), market, row)
