"""The sizes beside the p-values are those of the committed experiment, read line by line."""

import csv
from pathlib import Path

import pytest

from impact.inference.size import THIRDS, in_words, panel_in_words, sizes
from impact.market.windows import Window

TEXT = (Path(__file__).parents[2] / "data" / "calibration.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TEXT.splitlines()))


def rate(test, model, window, group):
    (found,) = [
        float(row["rate"])
        for row in ROWS
        if (row["experiment"], row["test"], row["model"], row["window"], row["group"])
        == ("size", test, model, window, group)
        and float(row["level"]) == 0.05
        and row["tail"] == "two-sided"
    ]
    return found


@pytest.mark.parametrize(
    ("test", "model"),
    [
        ("prediction_t", ""),
        ("conditional_fhs", "gjr"),
        ("conditional_t", "garch"),
        ("conformal", ""),
    ],
)
@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(0, 5)])
def test_sizes_are_those_of_the_file(test, model, window):
    found = sizes(test, model, window)
    for third in THIRDS:
        assert found[third] == rate(test, model, str(window), third)


def test_the_words_name_all_three_thirds():
    rates = [100 * rate("prediction_t", "", "(0, 0)", third) for third in THIRDS]
    words = in_words("prediction_t")
    assert all(f"{value:.1f}" in words for value in rates)


def test_what_was_not_measured_has_no_size():
    assert sizes("prediction_t", "", Window(0, 3)) is None
    assert in_words("bmp") == ""


def test_panels_are_those_of_the_file():
    rates = {
        float(row["variance"]): float(row["rate"])
        for row in ROWS
        if (row["experiment"], row["test"], row["group"])
        == ("panel", "bmp", "11 sectors on one date")
        and float(row["level"]) == 0.05
        and row["tail"] == "two-sided"
    }
    words = panel_in_words("bmp", "11 sectors on one date")
    assert f"{100 * rates[1.0]:.1f}%" in words and f"{100 * rates[3.0]:.1f}%" in words


def test_the_size_stands_beside_the_test():
    import impact

    returns = impact.log_returns(impact.load_prices())
    table = impact.event_study(returns, ["2025-05-02"]).tests()
    assert table.loc["prediction_t", "size"] == in_words("prediction_t")
    assert table.loc["conditional_fhs", "size"] == in_words("conditional_fhs", "gjr")
    assert table.loc["bmp", "size"] == ""
