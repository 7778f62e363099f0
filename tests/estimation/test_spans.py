"""Returns that span several sessions, against generalised least squares in loops from prices."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from slow_spans import SpannedPair, spanned_study
from statistics_by_name import BESIDES, OURS, SLOW

import impact
from impact.errors import ImpactError
from impact.estimation.spans import gap_notes
from impact.market.calendar import exchange, market_of

ESTIMATION, WINDOW = (-70, -8), (-4, 4)
NYSE = impact.nyse_sessions("2023-01-03", "2023-10-31")
#: Days on which New York was shut and Frankfurt open.
HOLIDAYS = pd.to_datetime(["2023-02-20", "2023-05-29", "2023-06-19", "2023-07-04", "2023-09-04"])
ROWS = NYSE.union(HOLIDAYS)
NAMES = ["S0", "S1", "S2", "S3", "S4", "EU"]
DATE = pd.Timestamp("2023-05-30")
AT = ROWS.get_loc(DATE)
CHANGES = {"log": lambda a, b: math.log(b / a), "simple": lambda a, b: b / a - 1}
TO_RETURNS = {"log": impact.log_returns, "simple": impact.simple_returns}


def priced(seed):
    """Complete prices of five firms of New York and one of Frankfurt, and of two factors."""
    rng = np.random.default_rng(seed)
    factors = 0.01 * rng.standard_normal((len(ROWS), 2))
    values = 0.015 * rng.standard_t(5, (len(ROWS), 6)) + factors @ rng.uniform(0, 1.5, (2, 6))
    prices = pd.DataFrame(100 * np.exp(values.cumsum(axis=0)), ROWS, NAMES)
    prices.loc[HOLIDAYS, NAMES[:5]] = np.nan
    return prices, pd.DataFrame(50 * np.exp(factors.cumsum(axis=0)), ROWS, ["market", "small"])


def blank(prices, column, first, last=None):
    """Take the closes of rows first..last away, relative to the event."""
    last = first if last is None else last
    prices.iloc[AT + first : AT + last + 1, prices.columns.get_loc(column)] = np.nan


def one_close(prices, rng):
    blank(prices, "S0", 0)


def long_halts(prices, rng):
    blank(prices, "S0", -40, -25)
    blank(prices, "S1", -2, 1)
    blank(prices, "EU", 1, 2)


def across_the_edges(prices, rng):
    blank(prices, "S0", -72, -69)
    blank(prices, "S1", -9, -5)
    blank(prices, "S2", 3, 6)
    blank(prices, "S3", -6, -4)
    blank(prices, "EU", -8, -7)


def listed_and_delisted(prices, rng):
    prices.iloc[: AT - 60, 0] = np.nan
    prices.iloc[AT + 2 :, 1] = np.nan
    blank(prices, "S0", -1)


def thin(prices, rng):
    holes = rng.random(prices.shape) < 0.15
    holes[0] = False
    prices[holes] = np.nan


def closed_together(prices, rng):
    prices.iloc[AT + 1 : AT + 3] = np.nan
    prices.iloc[AT - 30 : AT - 28] = np.nan


GAPS = [one_close, long_halts, across_the_edges, listed_and_delisted, thin, closed_together]
MODELS = {
    "constant-mean": [],
    "raw": [],
    "market": ["market"],
    "market-adjusted": ["market"],
    "factors": ["market", "small"],
}


def options(model, levels, kind):
    """What event_study takes; factors have no gaps and so no mark."""
    if not MODELS[model]:
        return {}
    moves = TO_RETURNS[kind](levels[MODELS[model]])
    if model == "factors":
        moves.attrs.pop("gaps")
        return {"factors": moves}
    return {"benchmark": moves["market"].to_frame()}


def both(gaps, model, kind="log", holes_of_market=(), seed=3):
    """The study of prices with gaps, and its pairs in loops (made anew at each call)."""
    prices, levels = priced(seed)
    gaps(prices, np.random.default_rng(seed))
    levels.iloc[list(holes_of_market), 0] = np.nan
    study = impact.event_study(
        TO_RETURNS[kind](prices),
        [str(DATE.date())],
        model=model,
        estimation=ESTIMATION,
        window=WINDOW,
        min_observations=20,
        volatility=None,
        **options(model, levels, kind),
    )
    open_on = {name: (ROWS.isin(NYSE) | prices[name].notna()).tolist() for name in NAMES}
    open_on["EU"] = [True] * len(ROWS)

    def pairs():
        markets = [levels[name].tolist() for name in MODELS[model]]
        return [
            SpannedPair(
                name,
                prices[name].tolist(),
                markets,
                open_on[name],
                AT,
                model,
                ESTIMATION,
                WINDOW,
                CHANGES[kind],
            )
            for name in NAMES
        ]

    return study, pairs


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-13)


#: Every third window.
WINDOWS = list(itertools.combinations_with_replacement(range(WINDOW[0], WINDOW[1] + 1), 2))[::3]


@pytest.mark.parametrize("kind", TO_RETURNS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gaps", GAPS)
def test_fits_and_windows_are_those_of_generalised_least_squares(gaps, model, kind):
    study, pairs = both(gaps, model, kind)
    slow = pairs()
    for i, pair in enumerate(slow):
        close(study.fit.iloc[i].to_numpy(float)[: len(pair.parameters)], pair.parameters)
        assert tuple(study.fit.iloc[i][["dof", "observations"]]) == (pair.dof, pair.L)
        close(study.fit["residual_variance"].iloc[i], pair.s**2)
        residuals = study.residuals.iloc[i].dropna()
        close(residuals.to_numpy(), [pair.residual[t] for t in residuals.index])
        leverage = study.fits.residuals_and_leverage[1][i]
        close(leverage[~np.isnan(leverage)], [pair.leverage[t] for t in residuals.index])
    for window in WINDOWS:
        table, sample = study.car(*window), study.over(*window)
        there = [pair for pair in slow if pair.days(window)]
        assert [name for _, name in table.index] == [pair.name for pair in there]
        close(table["estimate"], [pair.car(window) for pair in there])
        close(table["std_error"], [pair.s * math.sqrt(pair.c(window)) for pair in there])
        asked, sessions = ([getattr(p, f)(window) for p in slow] for f in ("asked", "sessions"))
        assert sample.asked.tolist() == asked and sample.sessions.tolist() == sessions
        length = window[1] - window[0] + 1
        partial = any(pair.sessions(window) < length for pair in there)
        assert ("days" in table) == partial
        if partial:
            assert table["days"].to_list() == [pair.sessions(window) for pair in there]


#: Every panel test: ours with its options, and the slow loops.
TESTS = {
    name: (test, chosen, SLOW[name])
    for name, (test, chosen, _) in OURS.items()
    if name in SLOW and not name.endswith("calendar")
} | BESIDES


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gaps", GAPS)
def test_every_panel_test_agrees_with_slow_loops(gaps, model):
    study, pairs = both(gaps, model)
    computed = 0
    for window in [(0, 0), (-4, 4), (0, 1), (-1, 2), (2, 3), (-3, -2)]:
        loops = spanned_study([pair.without(window) for pair in pairs()], ESTIMATION, WINDOW)
        for name, (test, chosen, slow) in TESTS.items():
            try:
                found = test(study, *window, **chosen).statistic
            except ImpactError:
                continue
            assert np.isclose(found, slow(loops, window), rtol=1e-9), (name, window)
            computed += 1
    assert computed > 130


@pytest.mark.parametrize("seed", range(6))
def test_closes_missing_at_random_on_one_day_in_seven_are_no_matter(seed):
    for kind, model in itertools.product(TO_RETURNS, ["market", "factors"]):
        study, pairs = both(thin, model, kind, seed=seed)
        for window in [(-4, 4), (0, 0), (0, 2), (-2, -1)]:
            table = study.car(*window)
            there = [pair for pair in pairs() if pair.days(window)]
            close(table["estimate"], [pair.car(window) for pair in there])
            close(table["std_error"], [pair.s * math.sqrt(pair.c(window)) for pair in there])


# -- what stands beside the returns ---------------------------------------------------------------


@pytest.mark.parametrize("kind", TO_RETURNS)
@pytest.mark.parametrize("model", ["market", "market-adjusted"])
@pytest.mark.parametrize("gaps", [one_close, thin])
def test_a_benchmark_with_gaps_counts_where_it_has_a_price_at_both_ends(gaps, model, kind):
    holes = [AT - 40, AT - 39, AT - 1]
    study, pairs = both(gaps, model, kind, holes)
    for window in [(-4, 4), (-1, 2), (0, 0), (1, 4)]:
        table = study.car(*window)
        there = [pair for pair in pairs() if pair.days(window)]
        assert [name for _, name in table.index] == [pair.name for pair in there]
        close(table["estimate"], [pair.car(window) for pair in there])
        close(table["std_error"], [pair.s * math.sqrt(pair.c(window)) for pair in there])
    assert any(note.startswith("Left out, as the market has no value") for note in study.notes)


def study_of(returns, **asked):
    asked = {"estimation": ESTIMATION, "window": WINDOW, "min_observations": 20} | asked
    return impact.event_study(returns, [str(DATE.date())], volatility=None, **asked)


def test_a_factor_that_is_missing_inside_a_span_leaves_the_return_out():
    prices, levels = priced(5)
    blank(prices, "S0", 1, 2)
    factors = impact.log_returns(levels)
    factors.attrs.pop("gaps")
    factors.iloc[AT + 1 - 1] = np.nan
    study = study_of(impact.log_returns(prices), model="factors", factors=factors)
    assert np.isnan(study.abnormal.loc[(str(DATE.date()), "S0"), 1:3]).all()
    assert study.abnormal.loc[(str(DATE.date()), "S1"), 2:3].notna().all()


def test_a_session_of_a_neighbour_takes_the_span_that_holds_it_along():
    prices, _ = priced(5)
    blank(prices, "S0", -20, -18)
    returns = impact.log_returns(prices)[["S0", "S1"]]
    near = ROWS[AT - 19]
    asked = {"estimation": ESTIMATION, "window": (0, 1), "min_observations": 20}
    study = impact.event_study(
        returns,
        {"near": near, "here": DATE},
        volatility=None,
        exclude_neighbours=True,
        **asked,
    )
    residuals = study.residuals.loc["here"]
    assert np.isnan(residuals.loc["S0", -17]) and not np.isnan(residuals.loc["S1", -17])
    assert residuals.loc["S1", [-19, -18]].isna().all()


class Mean:
    """A user's model: the mean."""

    dof = 0

    def fit(self, returns, regressors):
        self.dof, self.mean, self.s2 = len(returns) - 1, returns.mean(), returns.var(ddof=1)
        self.L = len(returns)
        return self

    def predict(self, regressors):
        return np.full(len(regressors), self.mean)

    def prediction_covariance(self, regressors):
        n = len(regressors)
        return self.s2 * (np.eye(n) + np.full((n, n), 1 / self.L))


def test_a_model_of_one_s_own_takes_returns_of_one_session_and_says_so():
    prices, _ = priced(5)
    blank(prices, "S0", 1, 2)
    study = study_of(impact.log_returns(prices[NAMES[:2]].loc[NYSE]), model=Mean())
    assert np.isnan(study.abnormal.loc[(str(DATE.date()), "S0"), 1:3]).all()
    assert study.notes == (
        "Left out, as a model of your own takes one session a return: gaps of S0 "
        "(first: 2023-05-31).",
    )


# -- whose sessions ------------------------------------------------------------------------------


def test_a_holiday_of_one_market_loses_no_move_of_the_others():
    """cases/case_05: a row of 29 May 2023 on which only Frankfurt traded."""
    days = impact.nyse_sessions("2022-01-03", "2026-12-31")[:600]
    rng = np.random.default_rng(1)
    prices = pd.DataFrame(
        100 * np.exp(np.cumsum(rng.normal(0, 0.015, (600, 3)), 0)), days, ["S0", "S1", "S2"]
    )
    mixed = prices.reindex(days.union([pd.Timestamp("2023-05-29")]))
    mixed["EU"] = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 601)))
    asked = {"events": ["2023-05-30"], "window": (-2, 2), "volatility": None}
    right = impact.event_study(impact.log_returns(prices), **asked)
    study = impact.event_study(impact.log_returns(mixed), **asked)
    assert study.car(0)["estimate"].round(4).to_list()[:3] == [-0.0085, 0.013, 0.0054]
    for window in [(0, 0), (0, 1), (0, 2)]:
        ours, theirs = (found.car(*window).iloc[:3] for found in (study, right))
        for column in ("estimate", "std_error"):
            np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-12)
    assert study.notes == () and len(study.car(0)) == 4 and "days" not in study.car(0, 1)
    assert study.car(-1, 1)["days"].to_list() == [2, 2, 2, 3]
    shut = "Shut for part of the window: S0 (2 of 3 sessions), S1 (2 of 3 sessions) and S2"
    assert any(line.startswith(shut) for line in study.summary(-1, 1).notes)


def test_where_no_earlier_rows_are_left_the_estimation_window_is_so_much_shorter():
    prices, _ = priced(5)
    returns = impact.log_returns(prices)
    asked = {"estimation": ESTIMATION, "window": WINDOW, "min_observations": 20}
    for at, of_new_york in ((70, 62), (71, 63)):
        assert returns.index[at - 70 : at - 7].isin(HOLIDAYS).sum() == 1
        study = impact.event_study(returns, [returns.index[at]], volatility=None, **asked)
        assert study.fit["observations"].to_list() == [of_new_york] * 5 + [63]


def test_without_a_known_market_every_row_counts_and_a_line_says_so():
    prices, _ = priced(5)
    blank(prices, "EU", 1)
    study = study_of(impact.log_returns(prices))
    assert study.over(0, 2).sessions[-1] == 3
    note = (
        "Every row without a price counts as a session of EU (first: 2023-05-31): if its exchange "
        "was shut, name it with market=."
    )
    assert study.notes == (note,) and note in repr(study.summary())
    days = pd.bdate_range("2024-01-01", periods=9)
    for count, who in ((3, "S0, S1 and S2"), (4, "S0, S1, S2 and 1 more")):
        values = np.full((9, count), 0.01)
        values[4] = np.nan
        returns = pd.DataFrame(values, days, [f"S{i}" for i in range(count)])
        for needed, expected in ((np.ones(9, bool), 1), (np.arange(9) != 4, 0)):
            lines = gap_notes(returns, market_of(days, None), needed, own_model=False)
            assert len(lines) == expected and all(f"inside {who} (f" in line for line in lines)
    shut = prices.drop(index=HOLIDAYS)
    named = study_of(impact.log_returns(shut), market=("Europe/Berlin", "17:30"))
    assert named.notes == () and named.over(0, 2).sessions[-1] == 3


def test_a_named_market_says_which_rows_are_sessions():
    """Rows of every weekday: Zurich was shut on some of them, Whit Monday among others."""
    weekdays = pd.bdate_range("2023-01-03", "2023-10-31")
    rng = np.random.default_rng(2)
    prices = pd.DataFrame(
        np.exp(0.01 * rng.standard_normal((len(weekdays), 2)).cumsum(axis=0)), weekdays, ["A", "B"]
    )
    sessions = exchange("XSWX").sessions
    shut = weekdays.difference(sessions)
    assert pd.Timestamp("2023-05-29") in shut
    prices.loc[shut] = np.nan
    prices.loc["2023-06-01", "A"] = prices.loc["2023-04-18":"2023-04-20", "B"] = np.nan
    study = study_of(impact.log_returns(prices), market="XSWX")
    open_on = weekdays.isin(sessions).tolist()
    at = weekdays.get_loc(DATE)
    for name, row in (("A", 0), ("B", 1)):
        pair = SpannedPair(
            name,
            prices[name].tolist(),
            [],
            open_on,
            at,
            "constant-mean",
            ESTIMATION,
            WINDOW,
            CHANGES["log"],
        )
        for window in [(0, 0), (0, 3), (-1, 1), (1, 3), (-4, 4)]:
            sample = study.over(*window)
            assert sample.sessions[row] == pair.sessions(window)
            close(sample.car[row], pair.car(window) if pair.days(window) else np.nan)
            if pair.days(window):
                close(sample.std_error[row], pair.s * math.sqrt(pair.c(window)))
    assert study.over(0, 3).sessions.tolist() == [4, 4]
    assert study.over(-1, 1).asked.tolist() == [2, 2]


# -- what the reader is told ---------------------------------------------------------------------

SECTORS = impact.load_prices("sectors")


def test_one_missing_close_in_the_crash_changes_no_sum():
    gap = SECTORS.copy()
    gap.loc["2025-04-03", "XLK"] = np.nan
    complete, study = (
        impact.event_study(impact.log_returns(prices), ["2025-04-03"], volatility=None)
        for prices in (SECTORS, gap)
    )
    assert round(study.car(-1, 2).xs("XLK", level=1)["estimate"].item(), 3) == -0.126
    for column in ("estimate", "std_error"):
        close(study.car(-1, 2)[column], complete.car(-1, 2)[column])
        close(study.caar(-1)[column].loc[1:], complete.caar(-1)[column].loc[1:])
    assert "XLK" not in study.car(0).index.get_level_values(1)
    assert "No return in the window: XLK." in study.summary().notes
    left = "Left out, as its first return is partly of sessions before the window: XLK."
    assert left in study.summary(1).notes
    across = "Returns across sessions without a price: XLK (3 returns for 4 sessions)."
    assert across in study.summary(-1, 2).notes
    # The other columns do not notice: not a bit of them moves.
    for ours, theirs in ((study.abnormal, complete.abnormal), (study.fit, complete.fit)):
        pd.testing.assert_frame_equal(
            ours.drop(index="XLK", level=1), theirs.drop(index="XLK", level=1), check_exact=True
        )


def test_averages_take_moves_of_one_session_and_sums_lose_none():
    gap = SECTORS.copy()
    gap.loc["2025-04-03", "XLK"] = np.nan
    study = impact.event_study(impact.log_returns(gap), ["2025-04-03"], volatility=None)
    ars = study.abnormal.droplevel(0)
    others = ars.drop(index="XLK")
    close(study.aar()["estimate"].loc[[0, 1]], others[[0, 1]].mean())
    close(study.aar().loc[2, "estimate"], ars[2].mean())
    close(study.caar(0).loc[1, "estimate"], study.car(0, 1)["estimate"].mean())
    # The portfolio's own sum is that of its securities too: the others stand in on 3 April.
    portfolio = study.portfolio()
    tidy = study.to_frame().set_index(["security", "relative_session"])["spans"]
    assert tidy["XLK", 1] == 2 and tidy.sum() == len(tidy) + 1
    close(portfolio.over(0, 1).car[0], study.car(0, 1)["estimate"].mean())


def test_a_window_that_is_partly_empty_says_so():
    days = NYSE
    prices = priced(5)[0].loc[days, NAMES[:3]]
    prices.loc[days[days.get_loc(DATE) + 2] :, "S1"] = np.nan
    study = study_of(impact.log_returns(prices), window=(-5, 5))
    table = study.car(0, 5)
    assert table["days"].to_list() == [6, 2, 6]
    said = "Returns for part of the window: S1 (2 of 6 sessions)."
    assert said in study.summary(0, 5).notes and "days" in repr(study.summary(0, 5))
    assert "days" not in study.car(0, 1) and said not in study.summary(0, 1).notes
    assert study.notes == ()
    assert study.over(1, 5).left_out.tolist() == ["", "", ""]
    assert study.over(2, 5).left_out.tolist() == ["", "no return in the window", ""]


def test_returns_with_gaps_that_are_not_trade_to_trade_are_said_to_lose_moves():
    prices = priced(5)[0].loc[NYSE, NAMES[:2]]
    prices.loc[DATE, "S0"] = np.nan
    study = study_of(np.log(prices).diff().iloc[1:])
    assert study.notes == (
        "Returns are missing inside S0 (first: 2023-05-30), and a move across a gap may be lost: "
        "log_returns(prices) keeps it.",
    )
    assert study.over(-1, 2).sessions.tolist() == [2, 4]
    assert "days" in study.car(-1, 2)


# -- the raw model -------------------------------------------------------------------------------


def test_raw_takes_the_return_itself_with_as_many_degrees_of_freedom_as_returns():
    returns = impact.log_returns(priced(5)[0].loc[NYSE, NAMES[:2]])
    study = study_of(returns, model="raw")
    at = returns.index.get_loc(DATE)
    np.testing.assert_array_equal(study.abnormal.to_numpy(), returns.iloc[at - 4 : at + 5].T)
    past = returns.iloc[at + ESTIMATION[0] : at + ESTIMATION[1] + 1]
    table = study.car(0, 1)
    close(table["std_error"], np.sqrt(2 * (past**2).mean()))
    assert table["dof"].to_list() == [63, 63]
    assert study.signature.startswith("raw returns; ")
    assert "model='raw' does not use benchmark" in refused(returns, benchmark=returns["S0"])


def refused(returns, **asked):
    with pytest.raises(ImpactError) as caught:
        study_of(returns, model="raw", **asked)
    return str(caught.value)
