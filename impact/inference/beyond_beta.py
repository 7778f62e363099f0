"""Returns beyond beta: what is left of a security after its usual share in the market's move.

Arrays of a panel without gaps. Loadings come from a window before each session, by prefix sums;
the variance is each security's own, as known the evening before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from impact.errors import HistoryError, InferenceError
from impact.market.windows import Window
from impact.text.formats import counted, iso, some_of
from impact.text.progress import with_bar
from impact.volatility.forecast import EWMA, conditional_z
from impact.volatility.garch import MIN_SESSIONS, fit_variance

#: A variance below this share of that of the whole history is rounding.
ROUNDING = 1e-12

#: Residuals before the first variance.
BURN_IN = MIN_SESSIONS["ewma"]


@dataclass(frozen=True, eq=False)
class Loadings:
    """Least squares of each security on its market in a window before each session.

    Attributes
    ----------
    alpha, beta, variance : ndarray, shape (n, N)
        Intercept, slope, and residual variance with L - 2 degrees of freedom.
    centre, spread : ndarray, shape (n, N)
        Mean of the market in that window, and its sum of squares about it.
    length : int
        Sessions L of the window.
    """

    alpha: np.ndarray
    beta: np.ndarray
    variance: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    length: int

    def beyond(
        self, moves: np.ndarray, market: np.ndarray, sessions: int, rows: slice
    ) -> tuple[np.ndarray, np.ndarray]:
        """Moves less alpha and beta times the market's, and the variance of what was taken off."""
        alpha, beta, variance, centre, spread = (
            part[rows] for part in (self.alpha, self.beta, self.variance, self.centre, self.spread)
        )
        away = market - sessions * centre
        error = variance * (sessions**2 / self.length + away**2 / spread)
        return moves - sessions * alpha - beta * market, error


def loadings(returns: np.ndarray, market: np.ndarray, estimation: Window) -> Loadings:
    """Fit every security at every session that has a whole estimation window before it.

    `returns` and `market` have shape (T, N), none missing: each security has its own column of the
    market. Row 0 of what is returned is that of session ``-estimation.start``; beta is NaN where
    the market stands still.

    Examples
    --------
    >>> market = np.random.default_rng(0).normal(0, 0.01, (300, 1))
    >>> fit = loadings(0.001 + 1.5 * market, market, Window(-260, -11))
    >>> fit.beta.shape, round(float(fit.beta[0, 0]), 6)
    ((40, 1), 1.5)
    """
    length, n = estimation.length, len(returns) + estimation.start
    level, middle = returns.mean(axis=0), market.mean(axis=0)
    y, x = returns - level, market - middle
    of_x, of_y, xx, xy, yy = (_running(part, length)[:n] for part in (x, y, x * x, x * y, y * y))
    spread = xx - of_x**2 / length
    still = spread <= length * ROUNDING * market.var(axis=0)
    beta = (xy - of_x * of_y / length) / np.where(still, np.nan, spread)
    centre = middle + of_x / length
    alpha = level + of_y / length - beta * centre
    variance = (yy - of_y**2 / length - beta**2 * spread) / (length - 2)
    return Loadings(alpha, beta, variance, centre, spread, length)


def _running(values: np.ndarray, length: int) -> np.ndarray:
    """Sums of every run of so many rows, shape (T - length + 1, N)."""
    total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    return total[length:] - total[:-length]


@dataclass(frozen=True, eq=False)
class BeyondBeta:
    """A panel without gaps, with the loadings and the variance of each session.

    Parameters
    ----------
    returns : DataFrame, shape (T, N)
        Decimal fractions, none missing.
    market : ndarray, shape (T,) or (T, N), or None
        Market returns, one for all or one a security; None: for each security the average of the
        others.
    estimation : Window
        Of the loadings, before session 0.
    model : {"gjr", "garch", "ewma"}
        Of the variances; with fewer than 1,000 residuals before a month EWMA 0.94 takes the place
        of the others.

    Raises
    ------
    InferenceError
        If there are fewer than two securities.
    HistoryError
        If the returns are too few for loadings and a variance.
    """

    returns: pd.DataFrame
    market: np.ndarray | None
    estimation: Window
    model: str

    def __post_init__(self) -> None:
        names, rows = self.returns.columns, len(self.returns)
        if len(names) < 2:
            raise InferenceError(
                "relative moves compare securities, and at an event "
                f"{' and '.join(map(repr, names)) or 'none'} alone is there: bring more columns"
            )
        if rows < BURN_IN - self.estimation.start or self.estimation.length < 3:
            raise HistoryError(
                f"a move beyond beta needs an estimation window of three sessions or more and "
                f"{BURN_IN - self.estimation.start} sessions with a return of every security: "
                f"{rows:,} of them and estimation {self.estimation} were given"
            )

    def sound(self, last: int) -> BeyondBeta:
        """Return the panel up to the first row without a move beyond beta.

        InferenceError if, up to the last row of the last tested window, the market is constant in
        an estimation window, or a security is constant or nothing but a multiple of the market.
        """
        unknown = np.isnan(self.fit.beta).any(axis=1)
        still = self.fit.variance <= ROUNDING * self.returns.to_numpy(float).var(axis=0)
        if not (bad := unknown | still.any(axis=1)).any():
            return self
        first = int(bad.argmax())
        row = first - self.estimation.start
        if row > last:
            market = None if self.market is None else self.market[:row]
            return BeyondBeta(self.returns[:row], market, self.estimation, self.model)
        day = iso(self.returns.index[row])
        if unknown[first]:
            raise InferenceError(
                f"the market stands still in the estimation window of {day}, so no beta can be "
                "estimated: give a benchmark that moves"
            )
        raise InferenceError(
            f"{self.returns.columns[still[first].argmax()]!r} is constant or a multiple of the "
            f"market in the estimation window of {day}, so it has no move beyond beta: drop the "
            "column"
        )

    @cached_property
    def by_security(self) -> np.ndarray:
        """The market of each security, shape (T, N)."""
        values = self.returns.to_numpy(float)
        if self.market is None:
            return (values.sum(axis=1, keepdims=True) - values) / (values.shape[1] - 1)
        return np.broadcast_to(self.market.reshape(len(values), -1), values.shape)

    @cached_property
    def common(self) -> pd.Series:
        """The one market move of a session: the average of the securities where none was given."""
        whole = self.returns if self.market is None else pd.DataFrame(self.by_security)
        return pd.Series(whole.to_numpy(float).mean(axis=1), self.returns.index)

    @cached_property
    def fit(self) -> Loadings:
        """The loadings of each session from ``-estimation.start`` on."""
        return loadings(self.returns.to_numpy(float), self.by_security, self.estimation)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """What each session left beyond beta, from ``-estimation.start`` on."""
        begin = -self.estimation.start
        values, market = self.returns.to_numpy(float)[begin:], self.by_security[begin:]
        left, _ = self.fit.beyond(values, market, 1, slice(None))
        return pd.DataFrame(left, self.returns.index[begin:], self.returns.columns)

    @cached_property
    def sigma(self) -> list[pd.Series]:
        """σ of each security's residuals as known the evening before, and last of the market."""
        series = [self.residuals[name] for name in self.returns]
        each = with_bar([*series, self.common], "variance of each security")
        return [_sigma(one, self.model) for one in each]

    @property
    def since(self) -> pd.Timestamp:
        """First session whose variances are all by the model, not by EWMA in its place."""
        return max(sigma.attrs["since"] for sigma in self.sigma)

    def notes(self, days: pd.DatetimeIndex) -> list[str]:
        """What there is to say of the variances of some sessions."""
        said: dict[str, list[str]] = {}
        for name, sigma in zip([*self.returns, "the market"], self.sigma, strict=True):
            for note in sigma.attrs["notes"]:
                begin, end, text = note[:10], note[14:24], note[26:]
                if any(begin <= iso(day) <= end for day in days):
                    said.setdefault(text, []).append(str(name))
        notes = [f"{some_of(names[:3], len(names))}: {text}" for text, names in said.items()]
        early = days[days < self.since]
        if len(early):
            notes.append(
                f"variance of {counted(len(early), 'event')} up to {iso(early.max())}: {EWMA}, as "
                f"fewer than {MIN_SESSIONS[self.model]:,} residuals came before the month"
            )
        return notes

    def windows(self, tested: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Moves beyond beta of every window, their z, and the z of the market's.

        Shapes (T, N), (T, N) and (T,), by the row of session 0; NaN where not defined.
        """
        rows, length = len(self.returns), tested.length
        first = max(-self.estimation.start, -tested.start)
        last = rows - max(tested.end, 0)
        here = slice(first + tested.start, last + tested.start)
        moves, z = (np.full(self.returns.shape, np.nan) for _ in range(2))
        market_z = np.full(rows, np.nan)
        total, market = (
            _running(values, length)[here]
            for values in (self.returns.to_numpy(float), self.by_security)
        )
        *sigma, of_market = (
            known.reindex(self.returns.index).to_numpy()[here] for known in self.sigma
        )
        loaded = slice(first + self.estimation.start, last + self.estimation.start)
        left, error = self.fit.beyond(total, market, length, loaded)
        moves[first:last] = left
        z[first:last] = left / np.sqrt(length * np.column_stack(sigma) ** 2 + error)
        common = _running(self.common.to_numpy()[:, None], length)[here, 0]
        market_z[first:last] = common / (of_market * np.sqrt(length))
        return moves, z, market_z


def _sigma(residuals: pd.Series, model: str) -> pd.Series:
    """σ by `conditional_z`; by EWMA, whose weights are given, in the months too early for it."""
    values = residuals.to_numpy()
    early = fit_variance(values[:BURN_IN], model="ewma").filter(values)[BURN_IN:-1]
    sigma = pd.Series(early, residuals.index[BURN_IN:])
    since, notes = residuals.index[0], []
    if model != "ewma":
        try:
            later = conditional_z(residuals, model=model)
        except HistoryError:
            since = pd.Timestamp.max
        else:
            since, notes = later.index[0], later.attrs["notes"]
            sigma[later.index] = later["sigma"]
    sigma.attrs = {"since": since, "notes": notes}
    return sigma
