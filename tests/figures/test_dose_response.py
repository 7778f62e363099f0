"""The slope is that of the register, over sessions with one dose."""

from dataclasses import replace

import pytest
from pictures import texts_of

from impact.figures import dose_response
from impact.figures.common import verdict
from impact.text.formats import percent


@pytest.fixture(scope="module")
def exhibit(made):
    return made("dose-response")


def test_points_are_sessions_with_one_dose(exhibit):
    rows = exhibit.table
    used = rows[rows["used"]].set_index("event")["dose"]
    assert used.to_dict() == {
        "march-4-confirmed": 10.0,
        "liberation-day": 34.0,
        "geneva-truce": -115.0,
        "busan-summit": -10.0,
        "forced-labour-301-proposal": 2.5,
    }
    # 9 April raised China and spared the rest: both directions, so it does not decide a slope.
    assert "ninety-day-pause" in set(rows.loc[~rows["used"], "event"])


def test_words_hold_the_slope_of_the_register(exhibit):
    slope = verdict("reaction-grows-with-dose")["estimate"]
    assert exhibit.table["slope"].iloc[0] == pytest.approx(slope, rel=1e-9)
    words = " ".join(text.get_text().replace("\n", " ") for text in texts_of(exhibit.figure))
    assert f"Slope for 10 points: {percent(10 * slope)}" in words


def test_a_slope_that_is_not_identified_is_called_that():
    data = dose_response.data()
    dose = data.dose
    low, high = dose.table.loc["dose", ["ci_low", "ci_high"]]
    held = low <= 0 <= high
    assert ("too few to tell" in dose_response.title(data)) is not dose.identified
    assert dose.identified is False or not held
    table = dose.table.copy()
    table.loc["dose", ["estimate", "ci_low", "ci_high"]] = -0.0012, -0.002, -0.0004
    sure = replace(dose, table=table, leave_one_out=dose.leave_one_out.assign(slope=-0.0012))
    found = replace(data, dose=sure)
    assert dose_response.title(found).startswith("The index fell 1.20% for each 10 points")
