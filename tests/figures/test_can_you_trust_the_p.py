"""The rates are those of the calibration, without the code that drew them."""

import pandas as pd
import pytest
from pictures import DIRECTORY

from impact.figures import can_you_trust_the_p


@pytest.fixture(scope="module")
def drawn():
    return pd.read_csv(DIRECTORY / "can-you-trust-the-p.csv").fillna({"model": ""})


def test_rates_are_those_of_the_calibration(drawn):
    rates = pd.read_csv(DIRECTORY.parent / "data" / "calibration.csv", keep_default_na=False)
    rates = rates[(rates["window"] == "(0, 0)") & (rates["level"] == "0.05")]
    rates = rates.set_index(["experiment", "test", "model", "group"])
    assert len(drawn) == 15
    for row in drawn.itertuples():
        assert row.n == sum(
            int(rates.loc[(row.experiment, row.test, row.model, f"{third} volatility"), "n"])
            for third in ("low", "middle", "high")
        )
        for group in ("low", "middle", "high"):
            kept = rates.loc[(row.experiment, row.test, row.model, f"{group} volatility")]
            assert getattr(row, f"rate_{group}_volatility") == float(kept["rate"])
            assert getattr(row, f"error_{group}_volatility") == float(kept["error"])


def test_the_title_says_the_worst_and_the_range(drawn):
    rows = drawn[drawn["experiment"] == "size"].set_index(["test", "model"])
    words = (DIRECTORY / "can-you-trust-the-p.txt").read_text(encoding="utf-8")
    title = words.split(". Dots")[0]
    ours = rows.loc[("conditional_fhs", "gjr")].filter(like="rate_").astype(float)
    textbook = rows.loc[("prediction_t", ""), "rate_high_volatility"]
    for value in (textbook, ours.min(), ours.max()):
        assert f"{100 * value:.1f}%" in title
    assert ("stays near 5%" in title) == bool(ours.between(0.035, 0.065).all())


def test_a_test_that_misses_its_size_is_said_to_miss_it():
    data = can_you_trust_the_p.data()
    data.rows.loc[data.rows["kind"] == can_you_trust_the_p.KNOWING, "rate_low volatility"] = 0.07
    assert "misses 5% too" in can_you_trust_the_p.title(data)
