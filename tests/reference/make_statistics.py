"""Make statistics.csv: each test of each panel, model and window, with its p-value."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from answers import ESTIMATION, LONGER, SINGLE_DAYS, Window, label, two_sided, write
from normal_returns import MODELS, PANELS, portfolio, securities
from scipy import stats

#: Statistic, value, distribution of its p-value, distribution of the alternative p-value.
Row = tuple[str, float, str, str]


class Panel:
    """The securities of one panel under one model, and what does not depend on the window.

    Rows of a frame are days relative to the event, columns are securities, NaN is a missing
    return.
    """

    def __init__(self, name: str, model: str) -> None:
        self.name, self.model = name, model
        self.firms = securities(name, model)
        self.estimation = pd.DataFrame({n: f.estimation_ar for n, f in self.firms.items()})
        self.event = pd.DataFrame({n: f.event_ar for n, f in self.firms.items()})
        self.rbar = mean_correlations(self)
        self.share_of_positive = (self.estimation > 0).sum().div(self.estimation.count()).mean()
        self.sd_of_estimation_aar = self.estimation.mean(axis=1).std(ddof=1)
        ranked = pd.concat([self.estimation, self.event])
        self.centred_ranks = ranked.rank() - (ranked.count() + 1) / 2
        self.ranks = standardised_ranks(ranked)
        self.signs = np.sign(ranked - ranked.median())
        self.sar = {kind: standardised(self, kind) for kind in ("", "_pe", "_stud")}
        # The file has the portfolio's exact test where all share a date and there is a regression.
        self.portfolio = portfolio(name, model) if name == "A" and MODELS[model] else None


class Tested:
    """The abnormal returns of one window, of the securities that have at least one day in it."""

    def __init__(self, panel: Panel, window: Window) -> None:
        self.firms = {n: f for n, f in panel.firms.items() if len(f.days(window)) > 0}
        self.n = len(self.firms)
        self.cars = pd.Series({n: f.car(window) for n, f in self.firms.items()})
        self.scars = pd.Series({n: f.scar(window) for n, f in self.firms.items()})
        self.aars = panel.event.loc[window[0] : window[1]].mean(axis=1)


# -- numbers of a panel ---------------------------------------------------------------------------


def mean_correlations(panel: Panel) -> dict[str, float]:
    """Ending of the statistic's name -> mean correlation of the securities before the event.

    Panel B has a date for each security: returns are put side by side by the day relative to the
    event, or by the row of the calendar.
    """
    by_event_time = mean_of_pairs(panel.estimation)
    if panel.name != "B":
        return {"": by_event_time}
    by_row = {
        name: firm.estimation_ar.set_axis(firm.estimation_ar.index + firm.event_row)
        for name, firm in panel.firms.items()
    }
    return {"_eventtime": by_event_time, "_calendar": mean_of_pairs(pd.DataFrame(by_row))}


def mean_of_pairs(abnormal: pd.DataFrame) -> float:
    """Mean of the correlations of all pairs of columns, each over the rows that both have."""
    correlations = abnormal.corr().to_numpy()
    return correlations[np.triu_indices(len(correlations), k=1)].mean()


def standardised(panel: Panel, kind: str) -> pd.DataFrame:
    """Estimation abnormal returns over s, or over the spread of a prediction or of a residual."""
    sign_of_leverage = {"": 0, "_pe": 1, "_stud": -1}[kind]
    return pd.DataFrame(
        {
            name: firm.estimation_ar / (firm.s * np.sqrt(1 + sign_of_leverage * firm.leverage()))
            for name, firm in panel.firms.items()
        }
    )


# -- tests of the mean ----------------------------------------------------------------------------


def t_of_mean(x: pd.Series) -> float:
    """The cross-sectional t, if x are CARs; the t of Boehmer, Musumeci and Poulsen, if SCARs."""
    return math.sqrt(len(x)) * x.mean() / x.std(ddof=1)


def patell_z(tested: Tested) -> float:
    variance = sum(f.dof / (f.dof - 2) for f in tested.firms.values())
    return tested.scars.sum() / math.sqrt(variance)


def hall_t(x: pd.Series) -> float:
    """Hall's transformation of the t of the mean for skewed data."""
    n = len(x)
    S = x.mean() / x.std(ddof=1)
    g = n / ((n - 1) * (n - 2)) * (((x - x.mean()) / x.std(ddof=1)) ** 3).sum()
    return math.sqrt(n) * (S + g * S**2 / 3 + g**2 * S**3 / 27 + g / (6 * n))


# -- tests of ranks and signs ---------------------------------------------------------------------


def standardised_ranks(abnormal: pd.DataFrame) -> pd.DataFrame:
    """Rank over one more than the number of ranks, less one half."""
    return abnormal.rank() / (abnormal.count() + 1) - 0.5


def over_window(by_day: pd.Series, window: Window) -> float:
    """Sum over the d days of the window, over sqrt(d) times the root mean square of all days."""
    inside = by_day.loc[window[0] : window[1]]
    return inside.sum() / math.sqrt(len(inside)) / math.sqrt((by_day**2).mean())


def corrado(centred_ranks: pd.DataFrame, window: Window) -> float:
    """Corrado's rank test: ranks less their middle, averaged over the securities of a day."""
    return over_window(centred_ranks.mean(axis=1), window)


def corrado_zivney(scores: pd.DataFrame, window: Window) -> float:
    """Sum of a day's scores over the root of their number; ranks or signs are the scores."""
    return over_window(scores.sum(axis=1) / np.sqrt(scores.count(axis=1)), window)


def cowan(ranks: pd.DataFrame, window: Window) -> float:
    """Cowan's rank test: the mean rank of all security-days of the window."""
    inside = ranks.loc[window[0] : window[1]]
    mean = inside.sum().sum() / inside.count().sum()
    return math.sqrt(len(inside)) * mean / math.sqrt((ranks.mean(axis=1) ** 2).mean())


def grank(estimation: pd.DataFrame, scars: pd.Series) -> tuple[float, float]:
    """The generalised rank t and z of Kolari and Pynnönen.

    Day 0 stands for the whole window: its value is the SCAR over the spread of all SCARs.
    """
    values = estimation.copy()
    values.loc[0] = scars / scars.std(ddof=1)
    U = standardised_ranks(values)
    T, N = U.shape
    mean, n = U.mean(axis=1), U.count(axis=1)
    Z = mean[0] / math.sqrt((n / N * mean**2).mean())
    M = U.count()[scars.index]
    variance = ((M - 1) / (12 * (M + 1))).sum()
    return Z * math.sqrt((T - 2) / (T - 1 - Z**2)), U.loc[0].sum() / math.sqrt(variance)


def sign_z(cars: pd.Series, p: float) -> float:
    """Number of positive CARs against a binomial with probability p."""
    n = len(cars)
    return ((cars > 0).sum() - n * p) / math.sqrt(n * p * (1 - p))


def wilcoxon_z(cars: pd.Series) -> float:
    """Sum of the ranks of the positive CARs, zeros dropped, without a continuity correction."""
    cars = cars[cars != 0]
    n = len(cars)
    W = cars.abs().rank()[cars > 0].sum()
    return (W - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24)


# -- the rows of the file -------------------------------------------------------------------------


def rows_of_panel(panel: Panel) -> Iterator[Row]:
    for ending, r in panel.rbar.items():
        yield f"rbar{ending}", r, "", ""
    yield "gsign_phat", panel.share_of_positive, "", ""
    yield "sd_aar_estimation_bw85", panel.sd_of_estimation_aar, "", ""


def rows_of_window(panel: Panel, tested: Tested, window: Window) -> Iterator[Row]:
    yield "n", tested.n, "", ""
    if window in SINGLE_DAYS:
        yield "aar", tested.aars[window[0]], "", ""
    else:
        yield "caar_mean_car", tested.cars.mean(), "", ""
        yield "caar_sum_aar", tested.aars.sum(), "", ""
    yield from rows_of_means(panel, tested)
    yield from rows_of_ranks(panel, tested, window)
    yield "sign_z", sign_z(tested.cars, 0.5), "norm", "binom"
    yield "gsign_z", sign_z(tested.cars, panel.share_of_positive), "norm", ""
    yield "wilcoxon_z", wilcoxon_z(tested.cars), "norm", ""
    if panel.portfolio:
        dof = panel.portfolio.dof
        yield "portfolio_prediction_t", panel.portfolio.scar(window), f"t({dof})", ""


def rows_of_means(panel: Panel, tested: Tested) -> Iterator[Row]:
    n = tested.n
    across, before = f"t({n - 1})", f"t({len(panel.estimation) - 1})"
    patell, bmp = patell_z(tested), t_of_mean(tested.scars)
    spread = math.sqrt(len(tested.aars)) * panel.sd_of_estimation_aar
    yield "cs_t", t_of_mean(tested.cars), across, "norm"
    yield "bw85_crude_dependence_t", tested.aars.sum() / spread, before, "norm"
    yield "patell_z", patell, "norm", ""
    yield "bmp_t", bmp, across, "norm"
    for ending, r in panel.rbar.items():
        inflation = 1 + (n - 1) * r
        yield f"kp_adj_patell_z{ending}", patell / math.sqrt(inflation), "norm", ""
        yield f"kp_adj_bmp_t{ending}", bmp * math.sqrt((1 - r) / inflation), across, "norm"
    yield "hall_skew_t", hall_t(tested.cars), "norm", across


def rows_of_ranks(panel: Panel, tested: Tested, window: Window) -> Iterator[Row]:
    yield "corrado_rank_1989", corrado(panel.centred_ranks, window), "norm", ""
    yield "corrado_zivney_rank", corrado_zivney(panel.ranks, window), "norm", ""
    yield "cowan_rank_z", cowan(panel.ranks, window), "norm", ""
    yield "corrado_zivney_sign", corrado_zivney(panel.signs, window), "norm", ""
    for kind, estimation in panel.sar.items():
        t, z = grank(estimation, tested.scars)
        yield f"grank_t{kind}", t, f"t({len(estimation) - 1})", ""
        yield f"grank_z{kind}", z, "norm", ""


def p_value(value: float, distribution: str, cars: pd.Series) -> float:
    """Two-sided p-value; "binom" is the exact one of the number of positive CARs."""
    if distribution == "":
        return math.nan
    if distribution == "binom":
        return stats.binomtest(int((cars > 0).sum()), len(cars), 0.5).pvalue
    return two_sided(value, distribution)


def main() -> None:
    table = []
    for name in PANELS:
        for model in MODELS:
            panel = Panel(name, model)
            for statistic, value, _, _ in rows_of_panel(panel):
                row = (statistic, label(ESTIMATION), value, math.nan, "", math.nan, "")
                table.append((name, model, *row))
            for window in SINGLE_DAYS + LONGER:
                tested = Tested(panel, window)
                for statistic, value, dist, other in rows_of_window(panel, tested, window):
                    p, p_alt = (p_value(value, d, tested.cars) for d in (dist, other))
                    row = (statistic, label(window), value, p, dist, p_alt, other)
                    table.append((name, model, *row))
    keys = ["panel", "model", "statistic", "window"]
    numbers = ["value", "p_value", "dist", "p_value_alt", "dist_alt"]
    write(pd.DataFrame(table, columns=keys + numbers), "statistics.csv")


if __name__ == "__main__":
    main()
