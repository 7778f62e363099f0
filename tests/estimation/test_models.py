"""What a model of normal returns is given and does not use is named, with the one that does."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import ModelError
from impact.estimation.models import design

DAYS = pd.bdate_range("2024-01-01", periods=20)
MOVES = pd.Series(0.01 * np.random.default_rng(0).standard_normal(20), DAYS, name="moves")


@pytest.mark.parametrize("model", ["constant-mean", "raw"])
@pytest.mark.parametrize(("name", "fits"), [("benchmark", "market"), ("factors", "factors")])
def test_what_a_model_does_not_use_is_named_with_the_model_that_does(model, name, fits):
    said = f"model='{model}' does not use {name}=: leave it out, or say model='{fits}'"
    with pytest.raises(ModelError, match=f"^{said}$"):
        design(model, DAYS, **{name: MOVES})
    with pytest.raises(ModelError, match=f"^model='{fits}' needs {name}=$"):
        design(fits, DAYS)


def test_a_model_is_laid_out_with_its_name_its_regressors_and_what_is_taken_off():
    rate = pd.Series(0.0001, DAYS)
    market = design("market", DAYS, benchmark=MOVES, risk_free=rate)
    assert (market.name, market.parameters) == ("market model", ("alpha", "beta"))
    np.testing.assert_array_equal(market.regressors, [MOVES - rate])
    np.testing.assert_array_equal(market.subtracted, rate)
    assert list(market.arguments) == ["risk-free rate", "market"]
    factors = design("factors", DAYS, factors=pd.DataFrame({"a": MOVES, "b": -MOVES}))
    assert (factors.name, factors.parameters) == ("factors a, b", ("alpha", "a", "b"))
    adjusted = design("market-adjusted", DAYS, benchmark=MOVES)
    assert adjusted.parameters == () and list(adjusted.arguments) == ["market"]
    np.testing.assert_array_equal(adjusted.subtracted, MOVES)
    plain = design("constant-mean", DAYS)
    assert (plain.parameters, plain.arguments, plain.regressors.shape) == (("alpha",), {}, (0, 20))
