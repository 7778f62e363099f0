"""The sizes beside the p-values are those of the committed experiment, read line by line."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from impact.errors import DataFileError, InferenceError
from impact.inference.size import (
    THIRDS,
    in_words,
    load_calibration,
    panel_in_words,
    rate_table,
    share_as_small,
    sizes,
    third_of,
    thirds,
    trailing_volatility,
)
from impact.market.files import accept_changes
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


def test_volatility_before_a_session_is_that_of_the_22_returns_before_it():
    values = np.random.default_rng(0).standard_normal(30)
    found = trailing_volatility(values)
    assert np.isnan(found[:22]).all()
    for row in range(22, 30):
        assert found[row] == pytest.approx(values[row - 22 : row].std(ddof=1), rel=1e-9)


def test_nine_sessions_that_get_rougher_lie_three_in_each_third():
    days = pd.bdate_range("2020-01-01", periods=31)  # 22 of them are in the first session's spread
    returns = pd.Series(np.arange(31.0) ** 2 * (-1) ** np.arange(31), days)
    found = [third_of(returns, day) for day in days[22:]]
    assert found == [third for third in THIRDS for _ in range(3)]


def test_the_words_name_all_three_thirds():
    low, middle, high = (100 * rate("prediction_t", "", "(0, 0)", third) for third in THIRDS)
    assert in_words("prediction_t") == (
        f"at 5% it rejects {low:.1f}, {middle:.1f} and {high:.1f}% of calm, middle and turbulent "
        "sessions of the S&P 500"
    )


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
    assert panel_in_words("bmp", "11 sectors on one date") == (
        f"at 5% it rejects {100 * rates[1.0]:.1f}% of simulated panels (11 sectors on one date), "
        f"{100 * rates[3.0]:.1f}% where events treble the variance"
    )


def test_a_test_without_a_variance_model_has_one_size_whatever_the_model_of_the_study():
    assert sizes("conformal", "gjr").equals(sizes("conformal"))
    assert not sizes("conditional_t", "gjr").equals(sizes("conditional_t", "ewma"))
    assert sizes("conditional_t") is None


def test_thirds_are_of_equal_size_in_the_order_of_the_values():
    values = np.random.default_rng(0).permutation(300) / 7
    found = thirds(values, "volatility")
    assert tuple(found) == THIRDS
    assert [group.sum() for group in found.values()] == [100, 100, 100]
    low, middle, high = (values[group] for group in found.values())
    assert low.max() < middle.min() and middle.max() < high.min()


def test_an_unknown_experiment_names_the_known_ones():
    with pytest.raises(InferenceError, match=r"'sizes'.*'size'.*'panel'"):
        load_calibration("sizes")


def test_a_laid_out_table_holds_the_rates():
    shown = rate_table("size", window="(0, 1)")
    kept = [
        row
        for row in ROWS
        if (row["experiment"], row["window"], row["tail"]) == ("size", "(0, 1)", "two-sided")
        and float(row["level"]) == 0.05
    ]
    assert shown.size == len(kept)
    for row in kept:
        text = f"{100 * float(row['rate']):.1f}%"
        assert shown.loc[(row["test"], row["model"]), row["group"]] == text


def test_a_table_of_two_columns_has_one_for_each_pair_of_their_values():
    shown = rate_table("size", columns=("window", "group"), test="conformal")
    assert shown.columns.names == ["window", "group"]
    for third in THIRDS:
        expected = 100 * rate("conformal", "", "(0, 1)", third)
        assert shown[("(0, 1)", third)].item() == f"{expected:.1f}%"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({}, "several rates"),
        ({"window": "(0, 9)"}, "no rate"),
        ({"windows": "(0, 1)"}, "no column 'windows': use 'experiment', 'test'"),
        ({"rows": ["tests"]}, "no column 'tests'"),
        ({"columns": ["thirds"]}, "no column 'thirds'"),
    ],
)
def test_a_table_without_one_rate_a_cell_is_refused(where, words):
    with pytest.raises(InferenceError, match=words):
        rate_table("size", **where)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "calibration.csv"
    path.write_text(TEXT, encoding="utf-8")
    accept_changes(tmp_path)
    monkeypatch.setattr("impact.market.files.data_directory", lambda: tmp_path)
    assert len(load_calibration()) == len(ROWS)
    path.write_text(TEXT.replace("0.05", "0.06"), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"calibration\.csv"):
        load_calibration()


def test_the_size_stands_beside_the_test():
    import impact

    returns = impact.log_returns(impact.load_prices())
    table = impact.event_study(returns, ["2025-05-02"]).tests()
    assert table.loc["prediction_t", "size"] == in_words("prediction_t")
    assert table.loc["conditional_fhs", "size"] == in_words("conditional_fhs", "gjr")
    assert table.loc["bmp", "size"] == ""


def test_how_often_so_small_a_p_occurs_is_measured_and_never_less_than_p():
    table = load_calibration("size")
    table = table[(table["test"] == "conditional_fhs") & (table["model"] == "gjr")]
    table = table[(table["window"] == "(0, 0)") & (table["tail"] == "two-sided")]
    for third in THIRDS:
        rates = table[table["group"] == third].set_index("level")["rate"]
        for level, rate in rates.items():
            assert share_as_small(level, third) == pytest.approx(max(level, rate))
        between = share_as_small(0.02, third)
        ends = np.log([max(0.01, rates[0.01]), max(0.05, rates[0.05])])
        assert 0.02 <= between <= max(np.exp(ends))
        # Nothing rarer than the lowest level was measured.
        lowest = rates[rates.index.min()]
        assert share_as_small(1e-9, third) == pytest.approx(lowest)
