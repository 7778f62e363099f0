"""What is no fitting input anywhere on the face is answered in one sentence of ours."""

import numpy as np
import pandas as pd
import pytest

import impact
from impact.errors import (
    EventError,
    HypothesisError,
    InferenceError,
    ModelError,
    ReturnsError,
    TableError,
    WindowError,
)

INDEX = impact.log_returns(impact.load_prices())
SECTORS = impact.log_returns(impact.load_prices("sectors"))
VIX = impact.load_vix()
EVENTS = [f"{day:%Y-%m-%d}" for day in INDEX.index[-900:-200:60]]
STUDY = impact.event_study(INDEX, EVENTS, volatility="ewma")
PANEL = impact.event_study(SECTORS, EVENTS[:2], volatility=None)
EXPOSURE = pd.DataFrame({"exposure": np.arange(11.0)}, SECTORS.columns)


def studied(**options):
    return impact.event_study(INDEX, EVENTS, **({"volatility": None} | options))


def curve(**options):
    usual = {"lengths": (250,), "gaps": (10,), "windows": ((0, 1),), "variances": ("constant",)}
    usual |= {"shifts": 9, "n_jobs": 1}
    return impact.specification_curve(INDEX, EVENTS, **(usual | options))


def one_value(table, value):
    changed = table.copy()
    changed.iloc[-5] = value
    return changed


#: What is called -> the class of the error and a part of its sentence.
WRONG = {
    "rng None": (lambda: studied(rng=None), ModelError, "rng=None is not a seed"),
    "rng float": (lambda: studied(rng=1.5), ModelError, "rng=1.5 is not a seed"),
    "rng below zero": (lambda: studied(rng=-1), ModelError, "rng=-1 is not a seed"),
    "rng yes": (lambda: studied(rng=True), ModelError, "rng=True is not a seed"),
    "rng text": (lambda: studied(rng="x"), ModelError, "rng='x' is not a seed"),
    "rng of a curve": (lambda: curve(rng=None), InferenceError, "rng=None is not a seed"),
    "no process": (lambda: curve(n_jobs=0), InferenceError, "n_jobs=0 is not a number"),
    "half a process": (lambda: curve(n_jobs=0.5), InferenceError, "n_jobs=0.5 is not a number"),
    "no process named": (lambda: curve(n_jobs=None), InferenceError, "n_jobs=None is not a number"),
    **{
        f"no {axis}": (lambda axis=axis: curve(**{axis: ()}), ModelError, f"{axis} has no option")
        for axis in ("lengths", "gaps", "windows", "variances", "means", "kinds", "neighbours")
    },
    "no shift": (lambda: curve(shifts=0), InferenceError, "shifts=0 is not a whole number"),
    "no such register": (
        lambda: impact.load_register("typo"),
        HypothesisError,
        "the register typo cannot be read",
    ),
    "register 3": (lambda: impact.load_register(3), HypothesisError, "path=3 is not a path"),
    "events 3": (lambda: impact.load_events(3), EventError, "path=3 is not a path"),
    "events of a list": (lambda: impact.load_events(["a"]), EventError, "is not a path: name"),
    "portfolio of a series": (
        lambda: impact.calendar_time_portfolio(INDEX, EVENTS),
        ReturnsError,
        r"use returns\.to_frame\(\)",
    ),
    "portfolio of an endless return": (
        lambda: impact.calendar_time_portfolio(one_value(SECTORS, 1e300), EVENTS),
        ReturnsError,
        r"returns: 1e\+300 on .* is too large for a return",
    ),
    "portfolio of an endless factor": (
        lambda: impact.calendar_time_portfolio(
            SECTORS, EVENTS, factors=one_value(INDEX, 1e300).to_frame("f")
        ),
        ReturnsError,
        r"factors: 1e\+300 on .* in column 'f' is too large",
    ),
    "study of an endless return": (
        lambda: impact.event_study(one_value(INDEX, -1e200), EVENTS),
        ReturnsError,
        "is too large for a return",
    ),
    "regression of an endless return": (
        lambda: impact.event_regression(one_value(INDEX, 1e300), EVENTS, volatility=None),
        ReturnsError,
        "is too large for a return",
    ),
    "implied of nothing": (
        lambda: studied(volatility="ewma", implied=VIX * np.nan),
        ReturnsError,
        "implied: column .* holds no value",
    ),
    "implied twice": (
        lambda: studied(volatility="ewma", implied=pd.concat([VIX, VIX]).sort_index()),
        ReturnsError,
        "implied: 1990-01-02 stands twice",
    ),
    "implied of two columns": (
        lambda: studied(volatility="ewma", implied=pd.concat([VIX, VIX.rename("b")], axis=1)),
        ReturnsError,
        "implied= has 2 columns",
    ),
    "controls without a value": (
        lambda: impact.event_regression(
            INDEX, EVENTS, controls=SECTORS[["XLK"]] * np.nan, volatility=None
        ),
        ReturnsError,
        "controls: column 'XLK' holds no value",
    ),
    "controls of an array": (
        lambda: impact.event_regression(INDEX, EVENTS, controls=INDEX.to_numpy(), volatility=None),
        ReturnsError,
        "controls must be a pandas Series or DataFrame",
    ),
    "an infinite characteristic": (
        lambda: impact.cross_section(PANEL, EXPOSURE.replace(3.0, np.inf)),
        InferenceError,
        "'exposure' of 'XLF' is infinite",
    ),
    "a characteristic called car": (
        lambda: impact.cross_section(PANEL, EXPOSURE.rename(columns={"exposure": "car"})),
        InferenceError,
        "cannot be called 'car'",
    ),
    "published beside returns": (
        lambda: impact.published_beside_ours(INDEX),
        ReturnsError,
        "is not a close of the S&P 500: give load_prices",
    ),
    "published beside many": (
        lambda: impact.published_beside_ours(impact.load_prices("sectors")),
        ReturnsError,
        "prices: 11 columns",
    ),
    "published beside another time": (
        lambda: impact.published_beside_ours(impact.load_prices(end="2005-01-31")),
        ReturnsError,
        "no published number is about the days from 1999-01-04 to 2005-01-31",
    ),
    **{
        f"neighbours {value!r}": (
            lambda value=value: studied(exclude_neighbours=value),
            ModelError,
            f"exclude_neighbours={value!r}: say True or False",
        )
        for value in ("x", 1, None)
    },
    **{
        f"observations {value!r}": (
            lambda value=value: studied(min_observations=value),
            WindowError,
            f"min_observations={value!r}: give a whole number",
        )
        for value in (None, "9", 10.5, 0, -5)
    },
    "dose of a panel": (
        lambda: impact.dose_response(PANEL, "size"),
        InferenceError,
        "takes one series with a conditional variance and the study has 11 series",
    ),
    "a window of texts": (lambda: STUDY.car("0", "1"), WindowError, "not two whole numbers"),
    "a window of yes": (lambda: STUDY.car(True), WindowError, "not two whole numbers"),
    "groups of tuples": (lambda: STUDY.compare("neighbours"), InferenceError, "lists of values"),
    "groups of lists": (
        lambda: STUDY.compare({EVENTS[0]: [1], EVENTS[1]: [2]}),
        InferenceError,
        "lists of values",
    ),
    "groups of a frame": (lambda: STUDY.compare(EXPOSURE), InferenceError, "by= is a DataFrame"),
    "groups of nothing": (lambda: STUDY.compare(None), InferenceError, "by= is a NoneType"),
    "groups twice": (
        lambda: STUDY.compare(pd.Series(["a", "b"], [EVENTS[0]] * 2)),
        InferenceError,
        "by= names '20.*' twice",
    ),
    "groups of no study": (
        lambda: impact.compare_groups(INDEX, "label"),
        InferenceError,
        "study= is a Series",
    ),
    "relative moves of no study": (
        lambda: impact.relative_moves(None),
        InferenceError,
        "study= is a NoneType",
    ),
    "an interval of a text": (
        lambda: impact.event_regression(INDEX, EVENTS, volatility=None).conf_int("x"),
        InferenceError,
        "level='x' is not between 0 and 1",
    ),
    "a table of nothing": (lambda: impact.table(None, "t"), TableError, "not a NoneType under 't'"),
    "a table of a series": (lambda: impact.table(INDEX, "t"), TableError, r"use \.to_frame\(\)"),
    "a table without a title": (lambda: impact.table(EXPOSURE, None), TableError, "under None"),
    "a table of no such column": (
        lambda: impact.table(EXPOSURE, "t", percent="size"),
        TableError,
        "'size' is not a column of numbers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_a_sentence(case):
    run, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        run()


def test_what_looks_wrong_and_is_right_is_answered():
    frame = impact.event_study(INDEX, EVENTS, volatility="ewma", implied=VIX.to_frame())
    series = impact.event_study(INDEX, EVENTS, volatility="ewma", implied=VIX)
    pd.testing.assert_frame_equal(frame.car(0), series.car(0))
    control = SECTORS["XLF"]
    plain, table = (
        impact.event_regression(SECTORS["XLK"], EVENTS[-3:], controls=one, volatility=None)
        for one in (control, control.to_frame())
    )
    pd.testing.assert_frame_equal(plain.table, table.table)
    assert " 3.00%" in str(impact.table(EXPOSURE / 100, "t", percent="exposure"))
    seeded = studied(rng=np.random.default_rng(3)), studied(rng=np.random.default_rng(3))
    assert seeded[0].settings.seed == seeded[1].settings.seed


def test_published_numbers_that_the_prices_do_not_reach_are_listed():
    whole = impact.published_beside_ours()
    some = impact.published_beside_ours(impact.load_prices(end="2025-04-30"))
    assert 0 < len(some) < len(whole) and some["ours"].notna().all()
    assert {*some.index, *some.attrs["missing"]} == {*whole.index}
    assert whole.attrs["missing"] == [] and some["agrees"].all()
