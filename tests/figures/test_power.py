"""Smallest detectable moves against the data, without the code that drew them."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns
from pictures import DIRECTORY

from impact.text.formats import percent


@pytest.fixture(scope="module")
def drawn():
    return pd.read_csv(DIRECTORY / "power.csv")


@pytest.fixture(scope="module")
def words():
    return (DIRECTORY / "power.txt").read_text(encoding="utf-8")


def test_detectable_moves_grow_with_volatility_and_the_medians_are_theirs(drawn, words):
    dots = drawn[drawn["event"].isna()]
    assert dots["volatility"].corr(dots["detectable"], method="spearman") > 0.8
    third = dots["volatility"].rank(method="first").sub(1).mul(3).floordiv(len(dots))
    for _, part in dots.groupby(third):
        assert percent(part["detectable"].median(), 1, signed=False) in words
    days = pd.to_datetime(dots["session"])
    trailing = index_returns().rolling(22).std().shift(1) * np.sqrt(252)
    np.testing.assert_allclose(dots["volatility"], trailing[days], rtol=1e-5)


def test_marked_moves_are_those_of_the_index(drawn, words):
    marked = drawn.dropna(subset="event").set_index("event")
    assert len(marked) == 3
    for row in marked.itertuples():
        assert row.move == pytest.approx(abs(index_returns()[row.session]), abs=0.002)
    called = marked.loc["mofcom-evaluating"]
    small = "was too small to tell" in words
    assert small == (called["move"] < called["detectable"])
