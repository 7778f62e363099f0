"""Sentences that no other test reads: each is met the way a user meets it."""

import functools
import re

import numpy as np
import pandas as pd
import pytest
from panels import given_study

import impact
from impact import inference
from impact.analysis.news_share import news_share_of
from impact.errors import ImpactError
from impact.inference.event_sets import shift_test
from impact.report.folder import check_folder

DAYS = pd.bdate_range("2021-01-04", periods=420, name="date")


@functools.cache
def returns(columns=6):
    values = 0.01 * np.random.default_rng(0).standard_normal((len(DAYS), columns))
    return pd.DataFrame(values, DAYS, [f"S{i}" for i in range(columns)])


def with_a_gap():
    frame = returns(2).copy()
    frame.loc[DAYS[400], "S1"] = np.nan
    return frame


def study(frame=None, **options):
    options = {"volatility": None, "kind": "simple", "window": (-1, 1)} | options
    return impact.event_study(returns() if frame is None else frame, [DAYS[400]], **options)


def characteristics(**columns):
    return pd.DataFrame(columns, [f"S{i}" for i in range(6)])


def written(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def firm_events():
    events = pd.DataFrame({"session": DAYS[[380, 400]], "security": ["S0", "S1"]})
    return impact.event_study(returns(), events, volatility=None, window=(-1, 1))


def after_a_session_without_prices():
    """A study of returns that all span two sessions."""
    prices = 100 * np.exp(returns().cumsum())
    prices.loc[DAYS[399]] = np.nan
    return impact.event_study(impact.log_returns(prices), [DAYS[400]], volatility=None)


SMALL = 1e-200 * returns(2)
NOISE = np.random.default_rng(2).standard_normal((2, 60)) / 100
SIZE = np.arange(6.0)
CASES = {
    "characteristics in two levels": (
        lambda _: impact.cross_section(
            study(), pd.concat({"a": characteristics(size=SIZE)}, axis=1)
        ),
        "the characteristics have 2 levels of columns: keep one",
    ),
    "a security twice among the characteristics": (
        lambda _: impact.cross_section(
            study(), pd.concat([characteristics(size=SIZE), characteristics(size=SIZE)[:1]])
        ),
        "the characteristics have 'S0' twice: keep one row each",
    ),
    "characteristics that tell the same": (
        lambda _: impact.cross_section(study(), characteristics(size=SIZE, twice=2 * SIZE + 1)),
        "'size' and 'twice' are collinear: leave one out",
    ),
    "news in two clusters": (
        lambda _: news_share_of(
            np.random.default_rng(1).standard_normal(500), np.r_[100:108, 300:308]
        ),
        "the 16 news sessions form 2 clusters (fewer than 6 sessions apart): at least 3",
    ),
    "a card of two series": (
        lambda _: impact.event_card(str(DAYS[400].date()), returns=returns(2)),
        "a card is about one series, the returns have 2 columns: pass one, such as returns['S0']",
    ),
    "a model that cannot fit": (
        lambda _: study(model=3),
        "model=3 has no fit(returns, regressors) method",
    ),
    "a market model without a market": (
        lambda _: study(model="market"),
        "model='market' needs benchmark=",
    ),
    "a control in another unit": (
        lambda _: impact.event_regression(
            returns()["S0"], [DAYS[400]], controls=SMALL[["S1"]], volatility=None
        ),
        "the control 'S1' is too large or small: scale it",
    ),
    "a factor in another unit": (
        lambda _: impact.calendar_time_portfolio(
            returns(),
            pd.DataFrame({"session": DAYS[[380, 400]], "security": ["S0", "S1"]}),
            factors=SMALL[["S1"]].set_axis(["size"], axis=1),
            min_securities=1,
        ),
        "size is too large or small: correct or scale it",
    ),
    "a portfolio of events of firms": (
        lambda _: firm_events().portfolio(),
        "a portfolio of all columns needs events that apply to every column",
    ),
    "a portfolio's t of two dates": (
        lambda _: inference.portfolio_t(
            impact.event_study(returns(), DAYS[[380, 400]], volatility=None, window=(-1, 1))
        ),
        "tests one date and the study has 2: pick one with study['id']",
    ),
    "a conditional test without a variance": (
        lambda _: inference.conditional_fhs(study(returns(1))),
        "conditional_fhs needs a variance model: run the study with volatility='gjr'",
    ),
    "an implied test without an index": (
        lambda _: inference.implied_t(study(returns(1))),
        "implied_t tests one session of a study made with implied=load_vix()",
    ),
    "an average of returns of several sessions": (
        lambda _: inference.brown_warner_1980(after_a_session_without_prices(), -1, 0),
        "brown_warner_1980 needs a return of one session in (-1, 0)",
    ),
    "residuals of one sign": (
        lambda _: inference.generalised_sign(given_study(abs(NOISE), NOISE[:, :3])),
        "generalised_sign is not defined: all residuals have the same sign",
    ),
    "CARs of zero": (
        lambda _: inference.wilcoxon(given_study(NOISE, 0 * NOISE[:, :3])),
        "wilcoxon ranks the CARs that differ from zero, and there are none",
    ),
    "ranks that cancel": (
        lambda _: inference.corrado(
            given_study(NOISE[0] * [[1], [-1]], NOISE[0, :3] * [[1], [-1]])
        ),
        "corrado divides by the spread of the rank scores, and it is zero",
    ),
    "ranks that leave nothing over": (
        lambda _: inference.grank_t(
            given_study([[-0.01, 0.005], [0.005, -0.01]], [[0, 0.03, 0], [0, 0.04, 0]]),
            correlation_adjusted=False,
        ),
        "has 3 ranked sessions and Z = 1.41, which leaves no degrees of freedom",
    ),
    "groups without a spread": (
        lambda _: impact.event_study(
            returns(1).assign(S0=lambda frame: frame["S0"].mask(frame.index >= DAYS[370], 0.02)),
            DAYS[[375, 385, 395, 405]],
            model="raw",
            volatility=None,
            window=(0, 0),
        ).compare(dict(zip(map(str, DAYS[[375, 385, 395, 405]].date), "aabb", strict=True))),
        "the CARs of 'a' do not vary over sessions: no error is defined",
    ),
    "one security to compare": (
        lambda _: impact.relative_moves(study(with_a_gap())),
        "relative moves compare securities, and at an event 'S0' alone is there",
    ),
    "two events for one session's test": (
        lambda _: inference.relative_max(
            impact.event_study(returns(), DAYS[[380, 400]], volatility=None, window=(-1, 1))
        ),
        "tests one session: pick the event with study['id']",
    ),
    "a Student t after a short history": (
        lambda _: inference.conditional_t(study(returns(1), volatility="gjr")),
        "conditional_t: no Student t p with fewer than 1,000 returns before",
    ),
    "a z that is missing": (
        lambda _: shift_test(pd.Series(np.nan, DAYS), DAYS[::30]),
        "z is missing on 2021-01-04: drop that session",
    ),
    "rates of nothing": (
        lambda _: impact.rate_table([]),
        "experiment= is empty: name one, such as 'size'",
    ),
    "a quantile of another model": (
        lambda _: inference.placebo_session(
            study(returns(1), model="market", benchmark=returns(2)["S1"].rename("market"))
        ),
        "use model='constant-mean'",
    ),
    "a bar without a time": (
        lambda _: impact.intraday_study(
            pd.Series(
                [1.0, 2.0], pd.DatetimeIndex(["2025-05-01 09:35", None], tz="America/New_York")
            ),
            ["2025-05-01 10:00"],
        ),
        "row 2 of the bars has no time: give it one",
    ),
    "a date that is missing": (
        lambda _: impact.event_study(returns(), pd.Series([DAYS[400], pd.NaT]), volatility=None),
        "row 2 has no date: give one",
    ),
    "a column twice in a file of prices": (
        lambda folder: impact.load_prices(
            written(folder, "mine.csv", "date,SPY,SPY\n2025-05-01,1,2\n2025-05-02,1,2\n")
        ),
        "mine.csv has two columns 'SPY': keep one",
    ),
    "the VIX as a price": (
        lambda _: impact.load_prices("^VIX"),
        "'^VIX' is a volatility, not a price: use load_vix()",
    ),
    "events of no counterparty": (
        lambda _: impact.load_events(counterparty=[]),
        "counterparty=[] selects nothing: leave it out for all rows",
    ),
    "a column twice in a file of events": (
        lambda folder: impact.load_events(
            path=written(folder, "mine.csv", "id,announced_at,label,label\na,2025-05-02,b,c\n")
        ),
        "mine.csv has two columns 'label': keep one",
    ),
    "a file of events with an open quote": (
        lambda folder: impact.load_events(
            path=written(folder, "mine.csv", 'id,announced_at,label\na,2025-05-02,"b\n')
        ),
        "line 2 of mine.csv is not CSV",
    ),
    "texts where truth is meant": (
        lambda _: impact.align(
            impact.load_events(counterparty="CN").assign(news="yes"), DAYS, market="NYSE"
        ),
        "the columns news and included are not bool: use load_events(path)",
    ),
    "simple returns called log": (
        lambda _: impact.event_study(
            impact.simple_returns(impact.load_prices()), ["2025-05-02"], kind="log"
        ),
        "kind='log' contradicts the returns, which simple_returns() made: leave kind= out",
    ),
    "a benchmark and nothing else": (
        lambda _: study(returns(1), model="market", benchmark="S0"),
        "benchmark='S0' is the only column: no security is left",
    ),
    "a table of a series": (
        lambda _: impact.table(returns()["S0"], "One series"),
        "table() lays out a DataFrame under a title, not a Series under 'One series'",
    ),
    "a site in a file": (
        lambda folder: check_folder(written(folder, "site", "")),
        "is a file: name a folder for the site",
    ),
    "a site over somebody's files": (
        lambda folder: check_folder(written(folder, "mine.txt", "").parent),
        "is not empty and holds no site made here: name an empty or a new folder",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_rare_mistake_gets_its_sentence(case, tmp_path):
    call, sentence = CASES[case]
    with pytest.raises(ImpactError, match=re.escape(sentence)):
        call(tmp_path)
