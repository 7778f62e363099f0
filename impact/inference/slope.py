"""The cross-section of one date: abnormal returns on characteristics, ranked among earlier slopes.

Securities of one date move together, so their number says little about the error of a slope. But
a slope is the return of a portfolio: long what has much of the characteristic, short what has
little. So it is judged as a return is, by the slopes of earlier sessions, each in units of its
own volatility of the evening before and of the move of all securities on its day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy

from impact.errors import HistoryError, InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.equal_tails import CONFIDENCE, equal_tails, inverted
from impact.market.windows import Window, tested_window
from impact.volatility.garch import DECAY

#: Securities on one date below which a slope is of single securities.
MIN_SECURITIES = 5

#: Most and fewest earlier sessions to rank a slope among, and those that start the variances.
POOL, MIN_POOL, BURN_IN = 500, 200, 60

#: Parts of the earlier sessions; the covariance for the slopes of one is that of the others.
FOLDS = 5

#: Least weight of the identity in a correlation matrix, so that it inverts whatever it is of.
LEAST_SHRINKAGE = 0.01

#: The scale of a day on which nothing moved, as a share of the average one.
FLOOR = 0.1


@dataclass(frozen=True, eq=False)
class RankedSlopes:
    """Slopes of one date and of earlier sessions.

    Attributes
    ----------
    estimate, std_error : ndarray, shape (K,)
        Slopes, and their standard deviation as it was to be expected on such a day.
    past : ndarray, shape (n, K)
        Slopes of earlier sessions, each over its own such deviation.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    past: np.ndarray

    def interval(self, level: float = CONFIDENCE) -> np.ndarray:
        """Return the effects that the test does not reject , at a confidence, shape (K, 2)."""
        z = self.estimate / self.std_error
        ends = [inverted(past, value, level) for past, value in zip(self.past.T, z, strict=True)]
        return np.array(ends) * self.std_error[:, None]

    def table(self, index: pd.Index) -> pd.DataFrame:
        """Return the columns of `impact.analysis.coefficients.coefficients`."""
        z, ends = self.estimate / self.std_error, self.interval()
        return pd.DataFrame(
            {
                "estimate": self.estimate,
                "std_error": self.std_error,
                "statistic": z,
                "p_value": [equal_tails(*pair) for pair in zip(self.past.T, z, strict=True)],
                "ci_low": ends[:, 0],
                "ci_high": ends[:, 1],
            },
            index,
        )


def ranked_slopes(
    study: AbnormalReturns,
    design: np.ndarray,
    start: int = 0,
    end: int | None = None,
    *,
    gls: bool = False,
) -> RankedSlopes:
    """Rank the slopes of one date among those of earlier sessions.

    The study has M securities on one date, `MIN_SECURITIES` or more, each with a return in every
    session of the window. The design holds the characteristics of each of its rows and a column of
    ones, shape (M, K). With `gls` securities are weighted by the inverse covariance of their
    earlier abnormal returns.

    InferenceError if a return of the tested window is missing; HistoryError if fewer than 260
    earlier sessions have a return of every security, or the model says nothing of sessions outside
    its windows.

    Notes
    -----
    With W = (X'X)⁻¹X' the slopes of session t are b_t = W AR_t, the abnormal returns of all
    sessions by the event's own loadings. σ²_t = 0.94 σ²_t-1 + 0.06 b²_t-1, and z_t = b_t / σ_t, of
    k sessions Σ b / (σ √k). The scale of a day is fitted to the earlier ones: |z_t| on a constant
    and |m_t| (least squares, neither negative), m the return of the equal-weighted portfolio in its
    own units. z over its scale is ranked with equal tails among up to 500 earlier sessions; the
    error of the loadings widens that of the event.

    GLS: W = (X'V⁻¹X)⁻¹X'V⁻¹. V is the covariance of the earlier abnormal returns, its
    correlations shrunk towards zero; for the slopes of each fifth of the earlier sessions it is
    that of the other four, as the event's own is of sessions without it.

    References
    ----------
    Sefcik and Thompson (1986), J. of Accounting Research 24, for slopes as portfolios; Schäfer and
    Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4, for V.

    Examples
    --------
    >>> import impact
    >>> sectors = impact.log_returns(impact.load_prices("sectors"))
    >>> study = impact.event_study(sectors, ["2025-04-03"], volatility=None)
    >>> design = np.column_stack([np.ones(11), sectors.loc[:"2025-03"].std()])
    >>> ranked_slopes(study, design).past.shape
    (500, 2)
    """
    tested = tested_window(start, end, study.settings.window)
    abnormal, market = _earlier(study, tested)
    length, past = tested.length, len(abnormal) - tested.length
    slopes = _slopes(abnormal, design, past, gls)
    z, sigma = _standardised(slopes, length)
    moves = np.abs(_standardised(market[:, None] - market[:past].mean(), length)[0][:, 0])
    scale = np.column_stack([_scale(column, moves) for column in np.abs(z).T])
    over = study.over(tested.start, tested.end)
    wider = np.sqrt((over.c / length).mean())
    return RankedSlopes(
        estimate=slopes[past:].sum(axis=0),
        std_error=np.sqrt(length) * sigma[-1] * scale[-1] * wider,
        past=(z / scale)[:-1],
    )


def _earlier(study: AbnormalReturns, tested: Window) -> tuple[np.ndarray, np.ndarray]:
    """Abnormal returns of earlier sessions and, in the last rows, of the window; the portfolio.

    Shapes (T, M) and (T,). Sessions before in which a security has no return are passed over.
    """
    fits = study.fits
    if study.layout.user is not None:
        raise HistoryError(
            f"the model {study.layout.name} says nothing of sessions outside its windows, so "
            "there are no earlier slopes to rank this one among"
        )
    panel, pairs, at = fits.panel, fits.pairs, int(fits.pairs.position[0])
    window = Window(max(tested.start - POOL - BURN_IN - tested.length + 1, -at), tested.end)
    settings = replace(fits.settings, window=window)
    estimates = replace(fits.estimates, abnormal=None)
    abnormal = replace(fits, settings=settings, estimates=estimates).abnormal.T.copy()
    past = len(abnormal) - tested.length
    spans = panel.sessions_in(pairs, window)
    if spans is not None:
        abnormal[spans.T > 1] = np.nan
    rows = at + window.offsets
    if panel.excluded is not None:
        abnormal[:past][panel.excluded[pairs.column][:, rows[:past]].T] = np.nan
    known = np.isfinite(abnormal)
    if not known[past:].all():
        raise InferenceError("a return of the tested window is missing: leave that security out")
    use = known.all(axis=1)
    if use[:past].sum() < MIN_POOL + BURN_IN + tested.length - 1:
        names = study.returns.columns[pairs.column]
        fewest = int(known[:past].sum(axis=0).argmin())
        raise HistoryError(
            f"a slope is ranked among {MIN_POOL} earlier sessions and needs {BURN_IN} before "
            f"these, each with a return of every security; there are {use[:past].sum():,}: "
            f"leave out what is short, first {names[fewest]!r}, or give a longer history"
        )
    market = study.returns.to_numpy(float)[np.ix_(rows, pairs.column)].mean(axis=1)
    return abnormal[use], market[use]


def _slopes(abnormal: np.ndarray, design: np.ndarray, past: int, gls: bool) -> np.ndarray:
    """Slopes of every session, shape (T, K); the first `past` rows lie before the window."""
    if not gls:
        return abnormal @ np.linalg.pinv(design).T
    slopes = np.empty((len(abnormal), design.shape[1]))
    parts = [*np.array_split(np.arange(past), FOLDS), np.arange(past, len(abnormal))]
    for part in parts:
        others = abnormal[np.setdiff1d(np.arange(past), part)]
        weighted = np.linalg.solve(shrunk_covariance(others), design)
        slopes[part] = abnormal[part] @ np.linalg.solve(design.T @ weighted, weighted.T).T
    return slopes


def shrunk_covariance(values: np.ndarray) -> np.ndarray:
    """Covariance whose correlations are shrunk towards zero, so that it inverts.

    Notes
    -----
    The weight of zero is Σ Var(r_ij) / Σ r²_ij over all pairs, between 0.01 and 1.

    References
    ----------
    Schäfer and Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4.

    Examples
    --------
    >>> values = np.random.default_rng(0).standard_normal((30, 40))
    >>> bool(np.linalg.eigvalsh(shrunk_covariance(values)).min() > 0.1)
    True
    """
    spread = values.std(axis=0, ddof=1)
    z = (values - values.mean(axis=0)) / spread
    n = len(z)
    products, squares = z.T @ z / n, np.square(z).T @ np.square(z) / n
    correlation = products * n / (n - 1)
    variance = (squares - products**2) * n**2 / (n - 1) ** 3
    apart = ~np.eye(len(spread), dtype=bool)
    weight = variance[apart].sum() / max(np.square(correlation[apart]).sum(), LEAST_SHRINKAGE**2)
    correlation[apart] *= 1 - np.clip(weight, LEAST_SHRINKAGE, 1.0)
    return spread[:, None] * correlation * spread


def _standardised(moves: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of windows in units of σ √k as known the evening before, and σ, by first session.

    Shapes (n, K): every window after the first sessions, the last one last. Those in between
    that would overlap the last are not among them.
    """
    start = np.square(moves[:BURN_IN]).mean(axis=0, keepdims=True)
    later, _ = scipy.signal.lfilter(
        [1 - DECAY], [1, -DECAY], np.square(moves[BURN_IN:]), axis=0, zi=DECAY * start
    )
    sigma = np.sqrt(np.vstack([start, later])[: len(later)])
    total = np.cumsum(np.vstack([np.zeros_like(start), moves[BURN_IN:]]), axis=0)
    sums = total[length:] - total[:-length]
    kept = np.r_[0 : len(sums) - length, len(sums) - 1]
    return sums[kept] / (np.sqrt(length) * sigma[kept]), sigma[kept]


def _scale(size: np.ndarray, market: np.ndarray) -> np.ndarray:
    """How large |z| is to be expected by the market's |z|, over its average; the last is tested."""
    design = np.column_stack([np.ones(len(market)), market])
    fitted, _ = scipy.optimize.nnls(design[:-1], size[:-1])
    return np.fmax(design @ fitted / size[:-1].mean(), FLOOR)
