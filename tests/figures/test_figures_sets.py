"""The figures of sets say what the register says, and draw what its tests hold."""

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.analysis.dose import dose_response
from impact.analysis.regression import event_regression
from impact.charts.groups import regression_effects
from impact.figures import sets
from impact.hypotheses.verdicts import CHANCE, SUPPORTED
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.text.formats import p_phrase, percent


def words(exhibit) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in texts_of(exhibit.figure))


@pytest.fixture(scope="module")
def exhibits():
    return {"placebo": sets.placebo(), "dose": sets.dose_response(), "then": sets.then_and_now()}


@pytest.fixture(scope="module")
def table():
    return sets.verdicts().table.xs("included", level="rows")


# -- placebo -------------------------------------------------------------------------------------


def test_every_shift_is_in_a_bar(exhibits):
    bars = exhibits["placebo"].table
    counted = bars.groupby(["set", "statistic"])["shifts"].sum()
    for (name, statistic), total in counted.items():
        column = {"mean": "p_mean", "studentised": "p_value"}[statistic]
        test = sets.verdicts().tests[name, "included"][column]
        assert total == len(test.detail["draws"])


def test_the_marks_and_p_are_those_of_the_register(exhibits, table):
    bars = exhibits["placebo"].table.drop_duplicates(["set", "statistic"])
    for row in bars.itertuples():
        name = {"mean": "p_mean", "studentised": "p_value"}[row.statistic]
        assert row.p == table.loc[row.set, name]
        # One-sided p counts itself: (1 + as far) / (1 + shifts).
        total = exhibits["placebo"].table.query("set == @row.set and statistic == @row.statistic")
        assert row.p == pytest.approx((1 + row.as_far) / (1 + total["shifts"].sum()))
        assert p_phrase(row.p) in words(exhibits["placebo"])


def test_titles_follow_the_verdicts(table):
    up, down = table.loc["china-escalation-2025"].copy(), table.loc["china-easing-2025"].copy()
    up["verdict"], down["verdict"] = SUPPORTED, CHANCE
    told = sets._placebo_title(up, down)
    assert "as hardly any shifted set did" in told and told.endswith(CHANCE)
    up["verdict"] = CHANCE
    assert sets._placebo_title(up, down).count(CHANCE) == 2
    down["verdict"] = SUPPORTED
    assert sets._placebo_title(up, down).endswith("is supported")


# -- dose-response -------------------------------------------------------------------------------


def test_dose_points_are_sessions_with_one_dose(exhibits):
    rows = exhibits["dose"].table
    used = rows[rows["used"]].set_index("event")["dose"]
    assert used.to_dict() == {
        "march-4-confirmed": 10.0,
        "liberation-day": 34.0,
        "geneva-truce": -115.0,
        "busan-summit": -10.0,
        "section-122-to-15": 5.0,
        "forced-labour-301-proposal": 2.5,
    }
    # 9 April raised China and spared the rest: both directions, so it does not decide a slope.
    assert "ninety-day-pause" in set(rows.loc[~rows["used"], "event"])


def test_dose_words_hold_the_slope_of_the_register(exhibits, table):
    slope = table.loc["reaction-grows-with-dose", "estimate"]
    assert exhibits["dose"].table["slope"].iloc[0] == pytest.approx(slope, rel=1e-9)
    assert f"Slope for 10 points: {percent(10 * slope)}" in words(exhibits["dose"])


def test_a_slope_that_is_not_identified_is_called_that(exhibits):
    dose = dose_response(sets.dose_study(), "china_dose_pp")
    low, high = dose.conf_int().loc["dose"]
    held = low <= 0 <= high
    assert ("cannot be told" in sets._dose_title(dose)) is not dose.identified
    assert dose.identified is False or not held


# -- then-and-now --------------------------------------------------------------------------------


def test_then_and_now_draws_the_sessions_of_the_register(exhibits, table):
    dots = exhibits["then"].table
    row = table.loc["china-then-and-now-differ"]
    assert dots["group"].value_counts().to_dict() == {
        "2018 and 2019": row["n_against"],
        "2025": row["n"],
    }
    means = dots.groupby("group")["estimate"].mean()
    assert means["2025"] - means["2018 and 2019"] == pytest.approx(row["estimate"])
    assert percent(means["2025"]) in words(exhibits["then"])
    returns = log_returns(load_prices())
    gap = dots.set_index("session")["estimate"] - returns.reindex(dots["session"])
    assert gap.abs().max() < 1e-3


def test_then_and_now_title_follows_the_verdicts(table):
    then, now, both = (table.loc[name].copy() for name in (sets.THEN, sets.NOW, sets.BOTH))
    both["verdict"] = SUPPORTED
    assert sets._then_title(then, now, both).endswith("that the two differ is supported")
    then["verdict"] = CHANCE
    assert CHANCE in sets._then_title(then, now, both)


# -- all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["placebo", "dose", "then"])
def test_no_words_collide_or_leave_the_picture(exhibits, name):
    assert_words_are_clear(exhibits[name].figure)


def test_verdicts_are_written_once(tmp_path):
    assert sets.write_verdicts(tmp_path)
    assert not sets.write_verdicts(tmp_path)
    written = pd.read_csv(tmp_path / "hypotheses.csv")
    assert len(written) == len(sets.verdicts().table)


def test_results_plot_themselves():
    returns = log_returns(load_prices(start="2023-01-01"))
    joint = event_regression(
        returns, {"Liberation Day": "2025-04-03", "Pause": "2025-04-09"}, volatility=None
    )
    figure = regression_effects(joint)
    assert_words_are_clear(figure)
    drawn = figure.axes[0].lines[-1].get_xdata()
    np.testing.assert_allclose(drawn, joint.table["estimate"])
    assert_words_are_clear(dose_response(sets.dose_study(), "china_dose_pp").plot())
