"""The intraday test keeps its size, and where it does not, its rows say so."""

import pytest

from calibration.intraday import intraday_rows
from calibration.rates import COLUMNS
from impact.analysis.weak_spots import rejects

PARTS = ("pre-open", "trading", "after hours")
THIRDS = ("low volatility", "middle volatility", "high volatility")


@pytest.fixture(scope="module")
def rows():
    return intraday_rows()


@pytest.fixture(scope="module")
def rate(rows):
    """Two-sided rates in percent, by level, window or test, and group."""
    table = rows[rows["tail"] == "two-sided"].query("effect == 0")
    keys = zip(table["level"], table["window"], table["test"], table["group"], strict=True)
    return dict(zip(keys, 100 * table["rate"], strict=True))


def test_the_rows_are_those_of_the_calibration_table(rows):
    assert (*rows.columns,) == COLUMNS
    assert rows[["rate", "error"]].notna().all(axis=None) and rows["rate"].between(0, 1).all()
    assert set(rows["experiment"]) == {"intraday", "intraday-miss", "intraday-power"}
    assert not rows.duplicated(
        ["experiment", "test", "window", "group", "effect", "level", "tail"]
    ).any()


@pytest.mark.parametrize("window", ["5 minutes", "30 minutes", "60 minutes"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_and_third_keeps_its_size(rate, window, part):
    for third in THIRDS:
        assert 3.5 <= rate[0.05, window, "window_rank", f"{part}, {third}"] <= 6.5


def test_the_sizes_of_half_hours_are_the_published_ones(rate):
    published = {
        0.05: ((5.3, 4.6, 5.1), (4.9, 5.5, 4.7), (5.4, 3.9, 5.7)),
        0.01: ((0.9, 1.0, 1.2), (1.1, 0.9, 1.0), (1.0, 0.5, 1.7)),
    }
    for level, parts in published.items():
        for part, sizes in zip(PARTS, parts, strict=True):
            found = [
                rate[level, "30 minutes", "window_rank", f"{part}, {third}"] for third in THIRDS
            ]
            assert found == pytest.approx(sizes, abs=0.15)


def test_a_stretch_and_a_night_keep_their_size(rate):
    stretch = "two hours of trading, a jump of 0 sigma in it"
    assert rate[0.05, "120 minutes", "largest_window", stretch] == pytest.approx(5, abs=1.5)
    for night in ("20:00 to 04:30", "16:00 to 09:30"):
        assert rate[0.05, "night", "night_rank", night] == pytest.approx(5, abs=1.5)


def test_the_notes_of_the_rows_print_the_measured_rates(rate):
    def half_hours(group):
        return rate[0.05, "30 minutes", "window_rank", group]

    for group in (
        "starts 09:30 to 09:55, pre-open trading",
        "starts 09:30 to 09:55, no pre-open trading",
        "starts 10:00",
        "after |z| > 3 in the half hour before",
    ):
        assert rejects(group, 30) == f"rejects {half_hours(group):.0f}%, not 5%"
    # What gets no p at all would err by more.
    assert half_hours("over a release at 08:30") > 30
    assert half_hours("starts 08:35 to 08:55 after a release") > 10
    assert half_hours("starts 14:25 to 14:45 on days of the Fed") > 40
    across = [half_hours(f"across 09:30, {third}") for third in THIRDS]
    assert across[0] > 8 and across[2] < 2


def test_a_jump_of_four_sigma_is_found_as_often_as_published(rows):
    power = rows[(rows["effect"] == 4)].set_index("test")["rate"]
    assert power["largest_window"] == pytest.approx(0.88, abs=0.03)
    assert power["window_rank, minute known"] == pytest.approx(0.97, abs=0.02)
    assert power["window_rank, whole stretch"] < 0.7
