"""The search against SciPy's, the memory of fits, the sessions of refits."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from impact.errors import ReturnsError, VolatilityError
from impact.volatility import fitting
from impact.volatility.fitting import descend, refit_rows, remembered


def banana(x):
    return optimize.rosen(x), optimize.rosen_der(x)


@pytest.mark.parametrize(
    ("low", "high"), [(-5.0, 5.0), (-5.0, 0.5), (1.2, 5.0), ([0.0, -5, 0, 1.5], [0.3, 5, 5, 5])]
)
@pytest.mark.parametrize("start", [(-1.2, 1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 1.6)])
def test_the_search_ends_where_scipys_does(low, high, start):
    low, high = np.broadcast_to(low, 4).astype(float), np.broadcast_to(high, 4).astype(float)
    start = np.clip(np.array(start), low, high)
    theirs = optimize.minimize(
        optimize.rosen,
        start,
        jac=optimize.rosen_der,
        method="trust-constr",
        bounds=list(zip(low, high, strict=True)),
        options={"gtol": 1e-10, "xtol": 1e-12, "maxiter": 3_000},
    )
    value, x, slope = descend(banana, start, low, high)
    np.testing.assert_allclose(x, theirs.x, atol=1e-4)
    assert value <= theirs.fun + 1e-9 and slope < 1e-6
    assert ((low <= x) & (x <= high)).all()


def test_a_search_that_cannot_end_on_a_minimum_says_so():
    free = np.full(2, -np.inf), np.full(2, np.inf)
    upside_down = descend(lambda x: ((x**2).sum(), -2 * x), np.ones(2), *free)
    assert upside_down[2] > 1
    lost = descend(lambda x: (np.nan, np.full(2, np.nan)), np.ones(2), *free)
    assert not lost[2] < 1
    assert descend(banana, np.full(2, -3.0), *free, steps=3)[2] > 1
    # Beyond one there are no numbers.
    edge = descend(
        lambda x: (-np.log(1 - x).sum() - 9 * x.sum(), 1 / (1 - x) - 9), np.zeros(2), *free
    )
    np.testing.assert_allclose(edge[1], 8 / 9, rtol=1e-7)


def test_the_curvature_learns_from_turns_that_are_more_than_rounding():
    flat, moved = np.eye(2), np.array([1.0, 0.0])
    for turned in ([-1.0, 0.0], [0.0, 0.0], [1e-9, 100.0]):
        assert fitting._learn(flat, moved, np.array(turned)) is flat
    # The inverse curvature takes what the slope turned back to how far the search moved.
    turned = np.array([3.0, 1.0])
    np.testing.assert_allclose(fitting._learn(flat, moved, turned) @ turned, moved, atol=1e-15)


def test_answers_and_refusals_are_remembered_by_value(monkeypatch):
    monkeypatch.setattr(fitting, "REMEMBERED", 3)
    calls = []

    @remembered
    def half(values, name):
        calls.append(name)
        if name == "no":
            raise VolatilityError("cannot be halved")
        return values.sum() / 2

    values = np.arange(4.0)
    assert half(values, "a") == half(values.copy(), "a") == 3.0 and calls == ["a"]
    assert half(values + 1, "a") == 5.0 and half(values, "b") == 3.0 and len(calls) == 3
    for _ in range(2):
        with pytest.raises(VolatilityError, match="cannot be halved"):
            half(values, "no")
    assert calls.count("no") == 1
    # The fourth answer drove out the first.
    half(values, "a")
    assert len(calls) == 5
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: half(values + i % 7, "c"), range(2_000)))
    assert found == [3.0 + 2 * (i % 7) for i in range(2_000)]


def test_refits_are_on_the_first_session_of_each_month_or_quarter():
    days = pd.bdate_range("1968-11-15", "1970-05-08")
    for months, period in ((1, "M"), (3, "Q")):
        number = days.to_period(period)
        slow = [i for i in range(len(days)) if i == 0 or number[i] != number[i - 1]]
        assert refit_rows(days, months).tolist() == slow
    for index in (pd.RangeIndex(3), days[::-1], days.tz_localize("UTC"), days[[0, 0]]):
        with pytest.raises(ReturnsError, match="returns: "):
            refit_rows(index, 1)
