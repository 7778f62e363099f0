"""Notes on where the intraday test errs quote the calibration, and nothing else."""

import numpy as np
import pytest

import impact
from impact.analysis import weak_spots
from impact.analysis.intraday import intraday_study
from impact.analysis.window_ranks import TESTED, known_variance, ranked_windows
from impact.inference.size import intraday_size, thirds
from impact.market.bars import Bar

RATES = {
    ("starts 09:30 to 09:55, pre-open trading", 30): 0.0761,
    ("starts 09:30 to 09:55, no pre-open trading", 30): 0.0913,
    ("starts 10:00", 30): 0.0748,
    ("after |z| > 3 in the half hour before", 30): 0.1016,
    ("after hours, high volatility", 120): 0.0708,
    ("after hours, middle volatility", 120): 0.0394,
}


@pytest.fixture
def measured(monkeypatch):
    """The note of one announcement, by made-up rates."""
    monkeypatch.setattr(weak_spots, "intraday_size", lambda *key: RATES.get(key))
    bars = impact.load_bars()

    def note(announced_at, window=30):
        return intraday_study(bars, {"x": announced_at}, window=window).table["note"].iloc[0]

    return note


@pytest.mark.parametrize(
    ("announced_at", "words"),
    [
        ("2025-06-17T09:40", "in the first half hour of trading this test rejects 8%, not 5%"),
        ("2025-11-18T09:40", "in the first half hour of trading this test rejects 9%, not 5%"),
        ("2025-06-17T10:00", "other releases come at 10:00, when this test rejects 7%, not 5%"),
        (
            "2025-04-09T13:45",
            "the market was already moving, and this test then rejects 10%, not 5%",
        ),
        ("2025-06-17T11:02", ""),
    ],
)
def test_a_note_quotes_the_rate_of_its_group(measured, announced_at, words):
    assert measured(announced_at) == words


def test_what_was_not_measured_has_no_number(measured):
    assert measured("2025-06-17T09:40", 60) == (
        "in the first half hour of trading this test rejects more often than 5%"
    )


def test_two_hours_after_hours_are_noted_in_turbulence_alone(measured):
    told = {measured(f"2025-{day}T17:00", 120) for day in ("04-08", "04-10", "08-12", "06-24")}
    noted = "after hours, high volatility: this test rejects 7%, not 5%"
    assert {noted, ""} <= told


def test_the_third_of_a_window_is_that_of_the_calibration():
    ranks = ranked_windows(known_variance(impact.load_bars()), 6)
    windows = ranks.windows
    for part, name in enumerate(TESTED):
        held = ranks.reference & (windows.part == part)
        where = np.argwhere(held)[::997]
        groups = thirds(windows.level[held], "volatility")
        for third, chosen in groups.items():
            inside = np.zeros(held.shape, dtype=bool)
            inside[held] = chosen
            ours = [weak_spots._third(ranks, Bar(*map(int, at))) for at in where]
            theirs = inside[tuple(where.T)]
            assert [group == f"{name}, {third}" for group in ours] == theirs.tolist()


def test_the_rates_are_rows_of_the_committed_table():
    table = impact.load_calibration()
    table = table[(table["level"] == 0.05) & (table["tail"] == "two-sided")]
    rows = table[(table["test"] == "window_rank") & (table["effect"] == 0)]
    for row in rows.itertuples():
        assert intraday_size(row.group, int(row.window.split()[0])) == row.rate
