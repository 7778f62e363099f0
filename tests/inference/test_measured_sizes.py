"""Sentences about how often a test errs, against the rows of the file, read one by one."""

import csv
from pathlib import Path

import numpy as np
import pytest

from impact.inference import measured_sizes
from impact.market.windows import Window

FILE = Path(__file__).parents[2] / "data" / "calibration.csv"
ROWS = list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))
CALM, MIDDLE, WILD = "low volatility", "middle volatility", "high volatility"


def rows(experiment, **where):
    """Rows of an experiment at 5%, two-sided, without an effect unless one is asked for."""
    where = {"level": 0.05, "tail": "two-sided", "effect": 0.0} | where
    found = []
    for row in ROWS:
        if row["experiment"] == experiment and all(
            (float(row[k]) if isinstance(v, float) and row[k] else row[k]) == v
            for k, v in where.items()
        ):
            found.append(row)
    return found


def rate(experiment, group, **where):
    (found,) = rows(experiment, group=group, **where)
    return float(found["rate"])


def in_percent(*rates):
    first, second, third = (f"{100 * rate:.1f}" for rate in rates)
    return f"{first}, {second} and {third}%"


@pytest.mark.parametrize("test", sorted({row["test"] for row in rows("firm-events")}))
def test_firm_events_name_the_rates_of_twenty_firms(test):
    shown = in_percent(
        *(
            rate("firm-events", f"20 firms, {third}", test=test, model="market", window="(0, 0)")
            for third in (CALM, MIDDLE, WILD)
        )
    )
    assert f" {shown} of sets of 20 real firms" in measured_sizes.firm_events_in_words(test)


@pytest.mark.parametrize("test", ["conditional_fhs", "conditional_t"])
@pytest.mark.parametrize(
    ("before", "history"),
    [(250, "250 to 499"), (499, "250 to 499"), (500, "500 to 999"), (999, "500 to 999")],
)
def test_short_histories_name_the_rates_of_their_length(test, before, history):
    shown = in_percent(
        *(
            rate("size-short", f"firms, {history} returns, {third}", test=test, window="(0, 0)")
            for third in (CALM, MIDDLE, WILD)
        )
    )
    words = measured_sizes.short_in_words(test, before)
    assert f"rejects {shown} of calm" in words and f"{history} returns before" in words
    if test == "conditional_t":
        assert measured_sizes.too_short_for_t(before).endswith(words)


@pytest.mark.parametrize("sample", ["sectors", "sectors among themselves", "firms"])
def test_who_was_hit_names_the_rates_by_the_market_s_move(sample):
    where = {"test": "relative_max", "window": "(0, 0)"}
    shown = [
        rate("who-was-hit", f"{sample}: {size} market move", **where)
        for size in ("low", "middle", "high")
    ]
    words, seen = measured_sizes.hit_in_words(sample), set()
    assert in_percent(*shown) in words
    assert ("chosen on these sessions" in words) == (sample != "firms")
    for row in rows("who-was-hit", **where):
        for group, unit in (("", "standard deviations"), (" in percent", "percent")):
            if row["group"] == f"{sample}: largest 5% of market moves{group}":
                share, n = f"{100 * float(row['rate']):.1f}%", f"{int(row['n']):,}"
                assert f"{share} of the {n} with the largest moves in {unit}" in words
                seen.add(unit)
    assert "standard deviations" in seen and len(seen) == words.count("largest moves in")


def test_some_day_is_that_of_windows_up_to_five_days():
    (expected,) = [
        float(row["rate"])
        for row in rows("who-was-hit", window="(0, 5)")
        if row["group"].startswith("sectors: ") and "some" in row["group"]
    ]
    assert measured_sizes.some_day_rate() == expected


@pytest.mark.parametrize(
    ("minutes", "window", "measured"), [(None, "(0, 0)", 4), (30, "30 minutes", 2)]
)
def test_what_is_chosen_by_its_moves_gives_the_ratios_of_odds_from_8_to_12(
    minutes, window, measured
):
    ratios = [
        float(row["variance"])
        for odds in (8.0, 12.0)
        for row in rows("news-choice", effect=odds, window=window)
    ]
    assert len(ratios) == measured
    found = f"the ratio is {min(ratios):.1f} to {max(ratios):.1f}."
    assert f"8 to 12 times as likely to be listed, {found}" in measured_sizes.choice_in_words(
        minutes
    )


def test_misses_of_a_share_are_named_by_law_in_the_order_of_the_file():
    by_law = {}
    for row in rows("news-share", test="share interval", variance=3.0):
        law = row["group"].partition(", ")[2]
        if law:
            by_law.setdefault(law, []).append(100 * float(row["rate"]))
    assert len(by_law) >= 3 and all(len(rates) == 2 for rates in by_law.values())
    words = measured_sizes.share_misses_in_words()
    places = []
    for law, rates in by_law.items():
        low, high = (f"{np.round(rate):.0f}" for rate in (min(rates), max(rates)))
        shown = low if low == high else f"{low} to {high}"
        assert f"{shown}% with {law}" in words
        places.append(words.index(f"% with {law}"))
    assert places == sorted(places)


@pytest.mark.parametrize("model", ["constant-mean", "market"])
@pytest.mark.parametrize("test", ["ranked_slope", "ranked_slope_gls"])
def test_slopes_are_named_beside_those_of_hc3(test, model):
    words = measured_sizes.slope_in_words(test, model)
    for panel in ("sectors", "firms"):
        where = {"model": model, "window": "(0, 0)"}
        shown = [
            rate(f"slope-{panel}", third, test=test, **where) for third in (CALM, MIDDLE, WILD)
        ]
        robust = rate(f"slope-{panel}", "all", test="hc3", **where)
        assert f"{in_percent(*shown)} for {panel} (HC3 errors: {100 * robust:.1f}% of all)" in words


def test_overlapping_windows_name_every_number_of_events():
    lengths = {row["window"] for row in rows("overlap", test="caar")}
    assert lengths
    for window in lengths:
        start, end = map(int, window.strip("()").split(", "))
        words = measured_sizes.overlap_in_words(Window(start, end).length)
        for row in rows("overlap", test="caar", window=window):
            assert f"{100 * float(row['rate']):.0f}% with {row['group']}" in words
