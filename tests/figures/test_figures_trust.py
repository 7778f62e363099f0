"""The figures of trust against the data, without the code that drew them."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns

from impact.figures import DIRECTORY
from impact.text.formats import percent


def table_of(name):
    return pd.read_csv(DIRECTORY / f"{name}.csv")


def words_of(name):
    return (DIRECTORY / f"{name}.txt").read_text(encoding="utf-8")


def test_rates_are_those_of_the_calibration():
    rates = pd.read_csv(DIRECTORY.parent / "data" / "calibration.csv", keep_default_na=False)
    rates = rates[(rates["experiment"] == "size") & (rates["level"] == "0.05")]
    rates = rates[rates["window"] == "(0, 0)"].set_index(["test", "model", "group"])
    drawn = table_of("can-you-trust-the-p").fillna({"model": ""})
    assert len(drawn) == 10
    for row in drawn.itertuples():
        for group in ("low", "middle", "high"):
            kept = rates.loc[(row.test, row.model, f"{group} volatility")]
            assert getattr(row, f"rate_{group}_volatility") == float(kept["rate"])
            assert getattr(row, f"error_{group}_volatility") == float(kept["error"])


def test_the_title_of_the_rates_says_the_worst_and_the_range():
    drawn = table_of("can-you-trust-the-p").fillna({"model": ""}).set_index(["test", "model"])
    title = words_of("can-you-trust-the-p").split(". Dots")[0]
    ours = drawn.loc[("conditional_fhs", "gjr")].filter(like="rate_").astype(float)
    textbook = drawn.loc[("prediction_t", ""), "rate_high_volatility"]
    for value in (textbook, ours.min(), ours.max()):
        assert f"{100 * value:.1f}%" in title
    assert ("stays near it" in title) == bool(ours.between(0.035, 0.065).all())


def test_detectable_moves_grow_with_volatility_and_the_medians_are_theirs():
    drawn = table_of("power")
    dots = drawn[drawn["event"].isna()]
    assert dots["volatility"].corr(dots["detectable"], method="spearman") > 0.8
    third = dots["volatility"].rank(method="first").sub(1).mul(3).floordiv(len(dots))
    for _, part in dots.groupby(third):
        assert percent(part["detectable"].median(), 1, signed=False) in words_of("power")
    days = pd.to_datetime(dots["session"])
    trailing = index_returns().rolling(22).std().shift(1) * np.sqrt(252)
    np.testing.assert_allclose(dots["volatility"], trailing[days], rtol=1e-5)


def test_marked_moves_are_those_of_the_index():
    marked = table_of("power").dropna(subset="event").set_index("event")
    assert len(marked) == 3
    for row in marked.itertuples():
        assert row.move == pytest.approx(abs(index_returns()[row.session]), abs=0.002)
    called = marked.loc["mofcom-evaluating"]
    small = "was too small to tell" in words_of("power")
    assert small == (called["move"] < called["detectable"])


def test_the_title_of_the_curve_counts_its_table():
    drawn = table_of("specification-curve")
    below = (drawn["estimate"] < 0).mean()
    found = ((drawn["statistic"] < 0) & (drawn["p_value"] <= 0.05)).mean()
    title = words_of("specification-curve").split(". Dots")[0]
    assert f"negative in {100 * below:.0f}% of {len(drawn):,} specifications" in title
    assert f"passes 5% in {100 * found:.0f}%" in title
    assert drawn["estimate"].is_monotonic_increasing
