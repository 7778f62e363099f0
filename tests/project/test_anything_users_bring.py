"""Whatever users bring: one or two things about valid input change, and every function answers.

The answer is right (that of the slow implementation, or of the unchanged input), or it is a
sentence of ours: no raw traceback, no warning (they are errors here), nothing missing without a
line that says so. At least a third of all must reach an answer, or the test would test nothing.
"""

import datetime as dt
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import slow_event_study as slow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import impact
from impact.errors import ImpactError

ROWS, LONG = 330, "long " * 2_000
DAYS = impact.nyse_sessions("2023-09-01", "2024-12-31")[:ROWS]
RNG = np.random.default_rng(7)
MARKET = pd.Series(RNG.normal(0, 0.01, ROWS), DAYS, name="MKT")
FIRMS = pd.DataFrame(
    {name: 0.9 * MARKET + RNG.normal(0, 0.012, ROWS) for name in ("AAPL", "MSFT", "HON")}, DAYS
)
PRICES = 100 * np.exp(FIRMS.cumsum())
FACTORS = pd.DataFrame({"size": RNG.normal(0, 0.01, ROWS), "value": MARKET.shift(1).fillna(0)})
RATE = pd.Series(0.0002, DAYS, name="rf")
AT = (275, 290, 305, 318)
DATES = [f"{DAYS[row]:%Y-%m-%d}" for row in AT]
EVENTS = pd.DataFrame(
    {
        "id": ["e1", "e2", "e3", "e4"],
        "announced_at": DATES,
        "security": ["AAPL", "MSFT", "HON", "AAPL"],
        "size": [1.0, -2.0, 3.0, 5.0],
        "group": ["a", "b", "a", "b"],
    }
)
WINDOWS = {"estimation": (-130, -11), "window": (-3, 3), "min_observations": 60}


# -- what is changed -----------------------------------------------------------------------------


def frame_of(table):
    return table.to_frame() if isinstance(table, pd.Series) else table


def kept(table, which):
    """Which values stay, by the number of their row."""
    rows = which(np.arange(len(table)))
    return rows if table.ndim == 1 else np.tile(rows[:, None], table.shape[1])


def with_index(make):
    return lambda table: table.set_axis(make(table.index), axis=0)


def with_labels(make):
    def change(table):
        if isinstance(table, pd.Series):
            return table.rename(make(["x"])[0])
        return table.set_axis(make(list(table.columns)), axis=1)

    return change


def with_value(value, *, everywhere=False):
    def change(table):
        changed = table.astype(object if isinstance(value, str) else float)
        changed.iloc[slice(None) if everywhere else 200 % len(table)] = value
        return changed

    return change


#: Changes that leave what a table says as it is, but for rounding.
HARMLESS = {
    "float32": lambda table: table.astype("float32"),
    "Float64": lambda table: table.astype("Float64"),
    "Float32": lambda table: table.astype("Float32"),
    "a frame": frame_of,
    "seconds": with_index(lambda index: index.as_unit("s")),
    "nanoseconds": with_index(lambda index: index.as_unit("ns")),
    "an index with a name": with_index(lambda index: index.rename("when")),
    "a copy with attributes": lambda table: table.copy().__finalize__(table),
}
#: Changes of the values, the dtype, the rows and the names.
OTHERS = {
    "object": lambda table: table.astype(object),
    "Decimal": lambda table: table.astype(object).map(lambda value: Decimal(str(value))),
    "texts": lambda table: table.astype(str),
    "whole numbers": lambda table: (1000 * table).round().astype(int),
    "yes and no": lambda table: table > 0,
    "complex": lambda table: table.astype(complex),
    "an array": lambda table: table.to_numpy(),
    "New York": with_index(lambda index: index.tz_localize("America/New_York")),
    "UTC": with_index(lambda index: index.tz_localize("UTC")),
    "Tokyo from UTC": with_index(lambda index: index.tz_localize("UTC").tz_convert("Asia/Tokyo")),
    "four o'clock": with_index(lambda index: index + pd.Timedelta(hours=16)),
    "backwards": lambda table: table.iloc[::-1],
    "shuffled": lambda table: table.sample(frac=1, random_state=1),
    "doubled": lambda table: pd.concat([table, table.iloc[-1:]]),
    "doubled whole": lambda table: pd.concat([table, table]).sort_index(kind="stable"),
    "periods": with_index(lambda index: index.to_period("D")),
    "numbered": lambda table: table.reset_index(drop=True),
    "dates of Python": with_index(lambda index: pd.Index([day.date() for day in index])),
    "texts as dates": with_index(lambda index: index.strftime("%Y-%m-%d")),
    "a missing date": with_index(lambda index: pd.DatetimeIndex([*index[:-1], pd.NaT])),
    "two levels of rows": with_index(lambda index: pd.MultiIndex.from_product([["a"], index])),
    "weekly": lambda table: table.iloc[::5],
    "shifted by a day": with_index(lambda index: index - pd.Timedelta(days=1)),
    "business days": with_index(lambda index: pd.bdate_range("2023-09-01", periods=len(index))),
    "every day": with_index(lambda index: pd.date_range("2023-12-01", periods=len(index))),
    "one row": lambda table: table.iloc[-1:],
    "two rows": lambda table: table.iloc[-2:],
    "no row": lambda table: table.iloc[:0],
    "short": lambda table: table.iloc[200:],
    "ends early": lambda table: table.iloc[:300],
    "a hole": lambda table: table.drop(table.index[280 % len(table)]),
    "one column": lambda table: frame_of(table).iloc[:, :1],
    "no column": lambda table: frame_of(table).iloc[:, :0],
    "one missing": with_value(np.nan),
    "all missing": with_value(np.nan, everywhere=True),
    "a stretch missing": lambda table: table.where(kept(table, lambda row: row % 60 >= 12)),
    "the end missing": lambda table: table.where(kept(table, lambda row: row <= 303)),
    "one column missing": lambda table: frame_of(table).assign(extra=np.nan),
    "infinite": with_value(np.inf),
    "minus infinite": with_value(-np.inf),
    "huge": with_value(1e300),
    "large": with_value(2.5),
    "a text": with_value("n/a"),
    "zero": with_value(0.0, everywhere=True),
    "constant": with_value(0.001, everywhere=True),
    "tiny": lambda table: table * 1e-12,
    "vanishing": lambda table: table * 1e-300,
    "percent": lambda table: table * 100,
    "negative": lambda table: -table,
    "numbers as names": with_labels(lambda names: [*range(len(names))]),
    "fractions as names": with_labels(lambda names: [10107.0 + i for i in range(len(names))]),
    "a name missing": with_labels(lambda names: [None, *names[1:]]),
    "NaN as a name": with_labels(lambda names: [np.nan, *names[1:]]),
    "an empty name": with_labels(lambda names: ["", *names[1:]]),
    "a long name": with_labels(lambda names: [LONG, *names[1:]]),
    "one name twice": with_labels(lambda names: [names[0]] * len(names)),
    "tuples as names": with_labels(lambda names: [("Close", name) for name in names]),
    "dates as names": with_labels(lambda names: list(DAYS[: len(names)])),
    "yes as a name": with_labels(lambda names: [True, *names[1:]]),
    "our own names": with_labels(lambda names: ["session", "car", "event"][: len(names)]),
    "dollars": with_labels(lambda names: [f"${name}_$^&%#" for name in names]),
    "lower case": with_labels(lambda names: [str(name).lower() for name in names]),
}
TABLES = HARMLESS | OTHERS


def cell(column, value):
    def change(events):
        changed = events.astype({column: object})
        changed.loc[1, column] = value
        return changed

    return change


def column(name, values):
    return lambda events: events.assign(**{name: values})


DATED = {
    "a list": lambda events: events["announced_at"].to_list(),
    "an array": lambda events: events["announced_at"].to_numpy(),
    "an index": lambda events: pd.DatetimeIndex(events["announced_at"]),
    "dates": lambda events: [dt.date.fromisoformat(day) for day in events["announced_at"]],
    "timestamps": lambda events: events.assign(announced_at=pd.to_datetime(events["announced_at"])),
    "a dict": lambda events: dict(zip(events["id"], events["announced_at"], strict=True)),
    "a series": lambda events: events.set_index("id")["announced_at"],
    "an index of ids": lambda events: events.set_index("id"),
    "sessions": lambda events: events.rename(columns={"announced_at": "session"}),
    "date and event": lambda events: events.rename(columns={"announced_at": "Date", "id": "Event"}),
    "categories": lambda events: events.astype("category"),
    "backwards": lambda events: events.iloc[::-1],
}
EVENT_CHANGES = DATED | {
    "none": lambda events: events.iloc[:0],
    "one": lambda events: events.iloc[:1],
    "twice": lambda events: pd.concat([events, events]),
    "a date of no calendar": cell("announced_at", "2024-13-45"),
    "a date read two ways": cell("announced_at", "03/04/2024"),
    "a written month": cell("announced_at", "9 September 2024"),
    "a missing date": cell("announced_at", None),
    "NaT": cell("announced_at", pd.NaT),
    "a number": cell("announced_at", 45000),
    "the past": cell("announced_at", "1950-01-03"),
    "the future": cell("announced_at", "2150-01-04"),
    "too early": cell("announced_at", f"{DAYS[40]:%Y-%m-%d}"),
    "too late": cell("announced_at", f"{DAYS[-1]:%Y-%m-%d}"),
    "a weekend": cell("announced_at", "2024-10-12"),
    "after the close": cell("announced_at", "2024-10-10T17:00"),
    "Berlin": cell("announced_at", pd.Timestamp("2024-10-10 16:00", tz="Europe/Berlin")),
    "an id missing": cell("id", None),
    "an id twice": cell("id", "e1"),
    "a long id": cell("id", LONG),
    "ids of numbers": column("id", [1, 2, 3, 4]),
    "dollars": cell("id", "$x$ & \\y_%"),
    "a formula": cell("id", "=1+1"),
    "a strange security": cell("security", "TSLA"),
    "spaces": cell("security", " msft "),
    "no security": cell("security", None),
    "no securities": lambda events: events.drop(columns="security"),
    "a ticker": lambda events: events.rename(columns={"security": "ticker"}),
    "a company of ours": lambda events: events.rename(columns={"security": "who"}),
    "one date for all": lambda events: events.iloc[:3].assign(announced_at=DATES[0]),
    "one date": lambda events: events.assign(announced_at=DATES[0]),
    "an unknown id": lambda events: [*events["announced_at"], "libration-day"],
    "unknown ids": lambda events: ["libration-day", "geneva"],
    "a size missing": cell("size", np.nan),
    "an endless size": cell("size", np.inf),
    "a size of text": cell("size", "big"),
    "lists": column("size", [[1], [2], [3], [4]]),
    "one group": column("group", "a"),
    "groups of numbers": column("group", [1, 2, 1, 2]),
    "a group missing": cell("group", None),
    "our own column": column("neighbours", 1),
    "a direction": column("direction", "escalation"),
    "an unknown direction": column("direction", "sideways"),
    "a column twice": lambda events: pd.concat([events, events[["size"]]], axis=1),
    "no column": lambda events: events[[]],
    "None": lambda events: None,
    "a number alone": lambda events: 3,
    "a set": lambda events: set(events["announced_at"]),
}
OPTIONS = {
    "market model": {"model": "market", "benchmark": MARKET},
    "market-adjusted": {"model": "market-adjusted", "benchmark": MARKET},
    "factors": {"model": "factors", "factors": FACTORS},
    "excess": {"model": "market", "benchmark": MARKET, "risk_free": RATE},
    "a column as benchmark": {"model": "market", "benchmark": "HON"},
    "one benchmark each": {"model": "market", "benchmark": FIRMS * 0.5 + 0.001},
    "simple": {"kind": "simple"},
    "change": {"kind": "change", "unit": "points"},
    "a unit alone": {"unit": "points"},
    "neighbours out": {"exclude_neighbours": True},
    "XETR": {"market": "XETR"},
    "a clock": {"market": ("Europe/Berlin", "17:30")},
    "no market": {"market": "nowhere"},
    "a long window": {"window": (-10, 40)},
    "one session": {"window": (0, 0)},
    "a reversed window": {"window": (3, -3)},
    "a window of halves": {"window": (0, 0.5)},
    "an estimation of days": {"estimation": (130, 11)},
    "few": {"min_observations": 1},
    "many": {"min_observations": 10_000},
    "a generator": {"rng": np.random.default_rng(1)},
    "no seed": {"rng": None},
    "ewma": {"volatility": "ewma"},
    "an unknown model": {"model": "capm"},
    "an unknown option of variance": {"volatility": "arch"},
    "implied": {"implied": 20 + 100 * MARKET.abs()},
}


def changed(draw_from, value, names):
    for name in names:
        value = draw_from[name](value)
    return value


# -- running -------------------------------------------------------------------------------------


class Runs:
    """Runs examples and counts which reached an answer."""

    def __init__(self):
        self.counts = Counter()

    def answer(self, call):
        """The answer of a call, or None where it is a sentence of ours."""
        self.counts["all"] += 1
        try:
            found = call()
        except ImpactError as error:
            said = str(error)
            assert len(said) > 20 and "Traceback" not in said
            return None
        self.counts["answered"] += 1
        return found

    def check(self, least):
        assert self.counts["all"] >= least
        assert 3 * self.counts["answered"] >= self.counts["all"], self.counts


def examples(count):
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def some_of(changes, most=2):
    return st.lists(st.sampled_from(list(changes)), min_size=0, max_size=most, unique=True)


def is_right(study):
    """Every number is that of the slow loops, on what the study says that it studied."""
    window, past = study.settings.window, study.settings.estimation
    model = {
        "constant mean": "constant_mean",
        "market model": "market_model",
        "market-adjusted": "market_adjusted",
    }.get(study.layout.name)
    taken = study.layout.arguments
    if study.settings.exclude_neighbours or model is None or "risk-free rate" in taken:
        return
    first, last = max(0, window.start), min(1, window.end)
    table = study.car(first, last)
    market = taken.get("market", np.zeros(len(study.returns)))
    names = study.returns.columns.astype(str)
    for label, row in table.iterrows():
        name = label[1] if isinstance(label, tuple) else names[0]
        column = list(names).index(name)
        along = market if market.ndim == 1 else market[column]
        if model == "market_model":  # a slope takes up any unit
            along = along / np.nanmax(np.abs(along))
        values = study.returns.iloc[:, column].where(np.isfinite(along)).to_list()
        pair = slow.Pair(
            name,
            values,
            np.nan_to_num(along),
            study.returns.index.get_loc(row["session"]),
            model,
            (past.start, past.end),
            (window.start, window.end),
        )
        size = max(abs(value) for value in values if value == value)
        assert abs(row["estimate"] - pair.car((first, last))) <= 1e-8 * size
        if "alpha" in study.fit:
            assert abs(study.fit.loc[label, "alpha"] - pair.parameters[0]) <= 1e-8 * size
        error = pair.s * pair.c((first, last)) ** 0.5
        np.testing.assert_allclose(row["std_error"], error, rtol=1e-6)


def leaves_nothing_unsaid(study, events=None, market=None):
    """No NaN in a row, and a line under the table for whatever is not there."""
    window = study.settings.window
    at = 0 if window.start <= 0 <= window.end else window.start
    table, text = study.car(at), str(study.summary(at))
    held = table[["estimate", "std_error", "statistic", "p_textbook"]]
    assert np.isfinite(held.to_numpy(float)).all()
    assert ("Left out: " in text) == bool(len(study.dropped))
    assert ("No return in the window: " in text) == bool(len(table) < len(study))
    assert (study.dropped["reason"].str.len() > 5).all()
    if events is not None:
        placed = impact.align(events, study.returns.index, market=market)
        there = placed["session"].isin(study.alignment["session"])
        assert (there | placed.index.isin(study.dropped["event"])).all()


METHODS = {
    "car": lambda study: study.car(0, 1),
    "bhar": lambda study: study.bhar(0, 1),
    "aar": lambda study: study.aar(),
    "caar": lambda study: study.caar(0),
    "tests": lambda study: study.tests(0, 1),
    "diagnostics": lambda study: study.diagnostics(),
    "groups": lambda study: study.compare("group").summary(),
    "groups of securities": lambda study: study.compare({"AAPL": 1, "MSFT": 2, "HON": 2}).summary(),
    "portfolio": lambda study: study.portfolio().summary(),
    "relative": lambda study: impact.relative_moves(study).summary(),
    "dose": lambda study: impact.dose_response(study, "size").summary(),
    "cross-section": lambda study: impact.cross_section(
        study, pd.DataFrame({"x": [1.0, 2.0, 5.0, 3.0]}, ["e1", "e2", "e3", "e4"])
    ).summary(),
    "frame": lambda study: study.to_frame(),
    "csv": lambda study: study.to_csv(),
    "latex": lambda study: study.to_latex(),
    "html": lambda study: study._repr_html_(),
    "one": lambda study: study["e2"].summary(),
    "words": repr,
}


# -- the properties ------------------------------------------------------------------------------


def test_a_study_of_anything_is_right_or_a_sentence():
    runs = Runs()

    def try_out(tables=(), events=(), options=(), methods=(), one_series=False):
        returns = changed(TABLES, FIRMS["AAPL"] if one_series else FIRMS, tables)
        given_events = changed(EVENT_CHANGES, EVENTS, events)
        asked = {"volatility": None} | WINDOWS
        for name in options:
            asked |= OPTIONS[name]
        study = runs.answer(lambda: impact.event_study(returns, given_events, **asked))
        if study is None:
            return
        is_right(study)
        leaves_nothing_unsaid(study, given_events, asked.get("market"))
        for name in methods:
            runs.answer(lambda name=name: METHODS[name](study))

    for what, changes in {"tables": TABLES, "events": EVENT_CHANGES, "options": OPTIONS}.items():
        for name in changes:
            try_out(**{what: [name]})

    @examples(100)
    @given(
        tables=some_of(TABLES, 1),
        events=some_of(EVENT_CHANGES, 1),
        options=some_of(OPTIONS, 1),
        methods=some_of(METHODS, 2),
        one_series=st.booleans(),
    )
    def run(tables, events, options, methods, one_series):
        try_out(tables, events, options, methods, one_series)

    run()
    runs.check(200)


def test_harmless_changes_change_nothing():
    @examples(20)
    @given(tables=some_of(HARMLESS), events=some_of(DATED, 1), benchmark=some_of(HARMLESS))
    def run(tables, events, benchmark):
        plain = changed(EVENT_CHANGES, EVENTS.drop(columns="security"), events)
        options = {"volatility": None, "model": "market"} | WINDOWS
        ours = impact.event_study(
            changed(TABLES, FIRMS, tables),
            plain,
            benchmark=changed(TABLES, MARKET, benchmark),
            **options,
        )
        right = impact.event_study(FIRMS, DATES, benchmark=MARKET, **options)
        assert list(ours.units["session"].sort_values()) == list(right.units["session"])
        rows = ["session", "estimate", "std_error"]
        ours, right = (
            study.car(0, 1)[rows].reset_index("security").sort_values(["session", "security"])
            for study in (ours, right)
        )
        np.testing.assert_allclose(
            ours[rows[1:]].to_numpy(), right[rows[1:]].to_numpy(), rtol=1e-4, atol=1e-8
        )

    run()


#: What stands beside the returns -> how it is given to a function.
BESIDE = {
    "benchmark": lambda table: impact.event_study(
        FIRMS, DATES, model="market", benchmark=table, volatility=None, **WINDOWS
    ),
    "factors": lambda table: impact.event_study(
        FIRMS, DATES, model="factors", factors=table, volatility=None, **WINDOWS
    ),
    "risk_free": lambda table: impact.event_study(
        FIRMS,
        DATES,
        model="market",
        benchmark=MARKET,
        risk_free=table,
        volatility=None,
        **WINDOWS,
    ),
    "implied": lambda table: impact.event_study(
        FIRMS["AAPL"], DATES, implied=table, volatility="ewma", **WINDOWS
    ),
    "controls": lambda table: impact.event_regression(
        FIRMS["AAPL"], DATES, controls=table, volatility=None
    ),
    "regression": lambda table: impact.event_regression(table, DATES, volatility=None),
    "portfolio": lambda table: impact.calendar_time_portfolio(table, EVENTS, window=(0, 20)),
    "portfolio factors": lambda table: impact.calendar_time_portfolio(
        FIRMS, EVENTS, window=(0, 20), factors=table
    ),
    "curve": lambda table: impact.specification_curve(
        table,
        list(DAYS[200:320:13]),
        lengths=(60,),
        gaps=(5,),
        windows=((0, 1),),
        variances=("constant",),
        shifts=9,
    ),
    "rows": lambda table: impact.align(DATES, getattr(table, "index", table)),
    "log returns": lambda table: impact.log_returns(table),
    "simple returns": lambda table: impact.simple_returns(table),
    "published": lambda table: impact.published_beside_ours(table),
    "table": lambda table: str(impact.table(table, "t")) and impact.table(table, "t").to_csv(),
    "characteristics": lambda table: impact.cross_section(
        impact.event_study(FIRMS, EVENTS, volatility=None, **WINDOWS), table
    ),
}


#: What is changed, where it is not one series or three of returns.
BROUGHT = {
    "factors": FACTORS,
    "portfolio": FIRMS,
    "portfolio factors": FACTORS,
    "risk_free": RATE,
    "log returns": PRICES,
    "simple returns": PRICES["HON"],
}


def shown(found):
    """Look at an answer in every medium; nothing that it says may be a raw missing value."""
    if isinstance(found, impact.EventStudy):
        leaves_nothing_unsaid(found)
        is_right(found)
    elif hasattr(found, "summary"):
        text = str(found.summary())
        assert "nan" not in text.lower().replace("finance", "") and found.to_csv()
        assert np.isfinite(found.table["estimate"].to_numpy(float)).all()
        assert ("Left out: " in text) == bool(len(found.dropped))


def test_anything_beside_the_returns_is_right_or_a_sentence():
    runs = Runs()

    @examples(110)
    @given(what=st.sampled_from(list(BESIDE)), tables=some_of(TABLES, 2), many=st.booleans())
    def run(what, tables, many):
        table = BROUGHT.get(what, FIRMS * 1.1 if many else MARKET)
        if what in ("implied", "published"):
            table = 20 + 100 * table.abs()
        try:
            table = changed(TABLES, table, tables)
        except (TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError):
            return  # two changes that do not go together
        found = runs.answer(lambda: BESIDE[what](table))
        if found is not None:
            shown(found)

    run()
    runs.check(80)


#: Calls with one plain argument, and values that fit; it gets any other as well.
PLAIN = {
    "load_prices": (impact.load_prices, ["XLK", ["XLK", "GLD"], "funds"]),
    "load_prices from": (lambda value: impact.load_prices(start=value), ["2025-01-02", DAYS[9]]),
    "load_vix": (lambda value: impact.load_vix(end=value), ["2025-01-02", None, DAYS[9]]),
    "load_factors": (lambda value: impact.load_factors(start=value), ["2025-01-02", None, DAYS[9]]),
    "load_uncertainty": (lambda value: impact.load_uncertainty(start=value), ["2025-01-02", None]),
    "uncertainty_days": (impact.uncertainty_days, [1, 50]),
    "uncertainty_days of": (lambda value: impact.uncertainty_days(of=value), ["level", "rise"]),
    "load_events": (impact.load_events, [None]),
    "load_events since": (
        lambda value: impact.load_events(since=value),
        ["2025-01-02", None, "9 May 2025"],
    ),
    "load_events of": (
        lambda value: impact.load_events(direction=value),
        ["escalation", ["legal"]],
    ),
    "load_register": (impact.load_register, [None]),
    "load_calibration": (impact.load_calibration, [None, "size", "panel"]),
    "load_bars": (lambda value: impact.load_bars("x" if value is None else value), []),
    "fetch_prices": (
        lambda value: impact.fetch_prices(value, offline=True, cache=False),
        ["XLK", ["XLK", "^VIX"]],
    ),
    "fetch_prices of": (
        lambda value: impact.fetch_prices("XLK", market=value, offline=True, cache=False),
        ["NYSE", "nyse"],
    ),
    "nyse_sessions": (
        lambda value: impact.nyse_sessions(value, "2025-01-31"),
        ["2025-01-02", DAYS[9]],
    ),
    "reaction_session": (impact.reaction_session, ["2025-04-02T16:10", "9 May 2025", DAYS[3]]),
    "reaction_session of": (
        lambda value: impact.reaction_session("2025-04-02", value),
        ["XETR", "24/7"],
    ),
    "align": (lambda value: impact.align(value, DAYS), [DATES, DAYS[:2], {"a": DATES[0]}]),
    "align window": (lambda value: impact.align(DATES, DAYS, window=value), [(0, 1), (-5, 5)]),
    "figure": (lambda value: impact.figure(value) if not isinstance(value, str) else None, []),
    "card": (lambda value: impact.event_card(value, FIRMS["AAPL"]), ["2024-10-10"]),
    "card of": (lambda value: impact.event_card("2024-10-10", value), [FIRMS["HON"]]),
    "bars": (lambda value: impact.intraday_study(value, DATES), []),
    "bars of a day": (
        lambda value: impact.day("2025-05-02", bars=0 if value is None else value),
        [],
    ),
    "study": (lambda value: STUDY[value], ["e1", "e4"]),
    "car": (lambda value: STUDY.car(value), [0, 1, -3, np.int64(2)]),
    "car to": (lambda value: STUDY.car(0, value), [1, None]),
    "caar": (lambda value: STUDY.caar(value), [0, None]),
    "compare": (lambda value: STUDY.compare(value), []),
    "dose": (lambda value: impact.dose_response(STUDY, value), []),
    "interval": (lambda value: REGRESSION.conf_int(value), [0.95, 0.9, 0.5]),
    "rates": (impact.rate_table, []),
    "relative": (impact.relative_moves, []),
    "groups": (lambda value: impact.compare_groups(value, "group"), []),
}
STUDY = impact.event_study(FIRMS["AAPL"], EVENTS.iloc[[0, 3]], volatility="ewma", **WINDOWS)
REGRESSION = impact.event_regression(FIRMS["AAPL"], DATES, volatility=None)
VALUES = [
    *("e1", "2024-10-10", "2024-10-10T12:00Z", "liberation-day", "Liberation Day", "XLK", "size"),
    *("", "zzz", LONG, "\0", "03/04/2025", "escalation", "group", "label", "XETR", "NYSE"),
    *(None, True, 0, 1, -1, 10**12, 0.5, 0.95, np.nan, np.inf, 1j, b"2024-10-10"),
    *([], (), {}, [None], [[]], (0, 1), (1, 0), (0, 1, 2), (np.nan, 1), {"a": "2024-10-10"}),
    *(pd.Timestamp("2024-10-10"), pd.NaT, dt.date(2024, 10, 10), np.datetime64("2024-10-10")),
    *(["2024-10-10"], ["XLK", "GLD"], ["e1"], object(), DAYS, MARKET, FIRMS, np.arange(3), len),
]


def test_any_plain_argument_is_answered_or_a_sentence():
    runs = Runs()
    fitting = [(what, value) for what, (_, good) in PLAIN.items() for value in good]

    def ask(what, value):
        found = runs.answer(lambda: PLAIN[what][0](value))
        if isinstance(found, pd.DataFrame | pd.Series):
            assert len(found) or len(value) == 0
        return found

    @examples(100)
    @given(what=st.sampled_from(list(PLAIN)), value=st.sampled_from(VALUES))
    def run(what, value):
        ask(what, value)

    assert all(ask(what, value) is not None for what, value in fitting)
    run()
    runs.check(100)
