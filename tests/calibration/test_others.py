"""The sizes on earlier years and other series: made again in part, and without the library."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import calibration
from calibration import others
from impact.inference.conditional import conditional_tests
from impact.inference.size import THIRDS, load_calibration
from impact.market.prices import load_prices
from impact.market.returns import log_returns

#: Groups that miss 3.5 to 6.5% at 5%, with the committed rate in percent.
MISSES = {
    "size-firms conditional_fhs": {"low volatility": 6.6, "middle volatility": 6.8},
    "size-firms conditional_t": {"middle volatility": 6.7},
}


@pytest.fixture(scope="module")
def early():
    return log_returns(load_prices(start=others.ALL, end="1940-12-31"))


def rates(experiment, test, level=0.05, tail="two-sided"):
    table = load_calibration(experiment)
    table = table[(table["test"] == test) & (table["level"] == level) & (table["tail"] == tail)]
    return table.set_index("group")


def test_textbook_rates_of_1936_to_1998_without_impact():
    prices = load_prices(start=others.ALL, end=calibration.LAST)
    values = np.diff(np.log(prices))
    year = prices.index[1:].year
    rows = np.flatnonzero((year >= 1936) & (year <= 1998))
    past = np.lib.stride_tricks.sliding_window_view(values, 250)[rows - 260]
    error = past.std(axis=1, ddof=1) * np.sqrt(1 + 1 / 250)
    p = 2 * stats.t.sf(np.abs(values[rows] - past.mean(axis=1)) / error, 249)
    spread = pd.Series(values).rolling(22).std().shift(1).to_numpy()[rows]
    third = pd.Series(spread).rank(method="first").sub(1).mul(3).floordiv(len(rows))
    committed = rates("size-1936", "prediction_t")
    assert committed.loc["all", "n"] == len(rows)
    for number, group in enumerate(THIRDS):
        expected = (p[third == number] <= 0.05).mean()
        assert committed.loc[group, "rate"] == pytest.approx(expected, rel=1e-4)
    large = np.abs(values[rows - 1]) > 0.04
    assert committed.loc["after a move over 4%", "n"] == large.sum()


def test_the_tests_are_those_that_a_study_runs(early):
    found = others._tested(early, slice("1936", "1937"), "any")
    for day in found.index[[0, 20, 21, 200]]:
        row = early.index.get_loc(day)
        by_past, by_t = conditional_tests(early, first=row, last=row)
        assert found.loc[day, "conditional_fhs"] == by_past["p_value"]
        assert found.loc[day, "conditional_t"] == pytest.approx(by_t["p_value"], rel=1e-12)
        assert found.loc[day, "rise"] == (by_past["statistic"] > 0)


def test_committed_rates_of_the_funds_are_made_again():
    jobs = [job for job in others.other_jobs(calibration.LAST) if job.args[-1] == "size-funds"]
    again = others.other_rows([job() for job in jobs], calibration.SEED)
    committed = load_calibration("size-funds")
    keys = ["test", "group", "level", "tail"]
    pd.testing.assert_frame_equal(
        again.set_index(keys)[["rate", "error", "n"]],
        committed.set_index(keys)[["rate", "error", "n"]],
        rtol=1e-4,
        check_dtype=False,
    )


def test_the_headline_keeps_its_size_where_nothing_was_chosen():
    found = {}
    for experiment in others.SAMPLES:
        for test in ("conditional_fhs", "conditional_t"):
            for group, rate in rates(experiment, test)["rate"][list(THIRDS)].items():
                if not 0.035 <= rate <= 0.065:
                    found.setdefault(f"{experiment} {test}", {})[group] = round(100 * rate, 1)
    assert found == MISSES
    assert (rates("size-1936", "prediction_t")["rate"]["high volatility"]) > 0.08


def test_securities_of_one_day_are_drawn_together():
    rng = np.random.default_rng(0)
    n, copies = 2_000, 9
    days = pd.bdate_range("2000-01-03", periods=n)
    one = pd.DataFrame(
        {"conditional_fhs": rng.uniform(size=n), "rise": True, "large": False, "third": THIRDS[0]},
        days,
    ).assign(experiment="any")
    alone, same = (
        others.other_rows(frames, 1).set_index(["group", "level", "tail"]).loc["all"]
        for frames in ([one], [one] * copies)
    )
    np.testing.assert_allclose(same["rate"], alone["rate"])
    np.testing.assert_allclose(same["error"], alone["error"])
    assert (same["n"] == copies * alone["n"]).all()
