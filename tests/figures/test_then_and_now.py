"""Both groups are those of the register, and so is what is said of them."""

from dataclasses import replace

import pytest
from pictures import texts_of

from impact.figures import then_and_now
from impact.figures.common import verdict
from impact.hypotheses.verdicts import CHANCE, SUPPORTED, chance
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.text.formats import percent


def test_it_draws_the_sessions_of_the_register(made):
    dots = made("then-and-now").table
    row = verdict("china-then-and-now-differ")
    assert dots["group"].value_counts().to_dict() == {
        "2018 and 2019": row["n_against"],
        "2025": row["n"],
    }
    means = dots.groupby("group")["estimate"].mean()
    assert means["2025"] - means["2018 and 2019"] == pytest.approx(row["estimate"])
    words = " ".join(text.get_text() for text in texts_of(made("then-and-now").figure))
    assert percent(means["2025"]) in words
    returns = log_returns(load_prices())
    gap = dots.set_index("session")["estimate"] - returns.reindex(dots["session"])
    assert gap.abs().max() < 1e-3


def test_the_title_follows_the_verdicts():
    data = then_and_now.data()
    then, now, both = (row.copy() for row in (data.then, data.now, data.both))
    data = replace(data, then=then, now=now, both=both)
    both["verdict"] = SUPPORTED
    assert then_and_now.title(data).endswith("that the two differ is supported")
    then["verdict"] = now["verdict"] = CHANCE
    assert f"escalations {CHANCE}, in 2018-19 as in 2025" in then_and_now.title(data)
    then["verdict"] = SUPPORTED
    assert f"is {SUPPORTED} for 2018-19, and {CHANCE} for 2025" in then_and_now.title(data)
    then["verdict"] = CHANCE
    assert CHANCE in then_and_now.title(data)
    then["verdict"] = now["verdict"] = SUPPORTED
    both["verdict"] = CHANCE
    assert then_and_now.title(data) == (
        f"The index fell on China escalations in 2018 and 2019 as in 2025; a difference {CHANCE}"
    )


def test_the_power_is_said_before_and_after_correction():
    data = then_and_now.data()
    assert data.both["power"] == pytest.approx(0.12, abs=0.005) and data.both["power_holm"] < 0.005
    told = then_and_now.words(data).subtitle
    assert "would be found 12% of the time, after correction" in told
    assert f"after correction {chance(data.both['power_holm'])}." in told
