"""One frame for every regression, with the names and the numbers of statsmodels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.figure import Figure
from scipy import stats

from impact.analysis.coefficients import (
    Coefficients,
    coefficients,
    is_collinear,
    is_fitted_alone,
)
from impact.errors import InferenceError
from impact.estimation.observations import dropped_rows
from impact.text.result import signed


@dataclass(frozen=True, eq=False, repr=False)
class Line(Coefficients):
    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    nobs: int
    dof: float | pd.Series


@pytest.fixture(scope="module")
def fitted():
    """A regression in statsmodels with robust errors, and the same as one of our results."""
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"const": 1.0, "size": rng.normal(0, 30, 50), "rate": rng.random(50)})
    y = pd.Series(0.01 + 0.0002 * x["size"] + rng.normal(0, 0.01, 50))
    fit = sm.OLS(y, x).fit(cov_type="HC3", use_t=True)
    table = coefficients(fit.params, fit.bse, fit.df_resid, x.columns.rename("coefficient"))
    return fit, Line(table, dropped_rows([], []), "made up", 50, fit.df_resid)


@pytest.mark.parametrize("name", ["params", "bse", "tvalues", "pvalues"])
def test_the_names_of_statsmodels_give_its_numbers(fitted, name):
    fit, line = fitted
    pd.testing.assert_series_equal(
        getattr(line, name), getattr(fit, name), rtol=1e-12, check_names=False
    )
    assert getattr(line, name).name is None


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_an_interval_of_any_level_has_the_shape_of_statsmodels(fitted, level):
    fit, line = fitted
    pd.testing.assert_frame_equal(
        line.conf_int(level), fit.conf_int(1 - level), rtol=1e-12, check_names=False
    )


def test_the_interval_of_the_table_is_that_of_95_percent(fitted):
    _, line = fitted
    np.testing.assert_array_equal(line.conf_int(), line.table[["ci_low", "ci_high"]])


def test_each_coefficient_may_have_degrees_of_freedom_of_its_own():
    names = pd.Index(["short", "long"], name="event")
    dof = pd.Series([4.0, 900.0], names)
    table = coefficients([0.02, 0.02], [0.01, 0.01], dof, names)
    np.testing.assert_allclose(table["p_value"], 2 * stats.t.sf(2, dof), rtol=1e-12)
    line = Line(table, dropped_rows([], []), "made up", 904, dof)
    expected = 0.02 + 0.01 * stats.t.ppf(0.95, dof)
    np.testing.assert_allclose(line.conf_int(0.9)[1], expected, rtol=1e-12)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, np.nan])
def test_a_level_that_is_no_share_is_refused(fitted, level):
    with pytest.raises(InferenceError, match=r"95% is level=0.95"):
        fitted[1].conf_int(level)


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_a_coefficient_without_an_error_is_named(error):
    with pytest.raises(InferenceError, match="'size' has no standard error"):
        coefficients([0.1, 0.2], [0.01, error], 10, pd.Index(["constant", "size"]))


def test_columns_are_collinear_whatever_their_units():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 2))
    assert not is_collinear(x) and not is_collinear(x * [1e-12, 1e12])
    assert is_collinear(np.column_stack([x, 1e-9 * (x[:, 0] - 3 * x[:, 1])]))
    assert is_collinear(np.column_stack([x, np.zeros(40)]))


def test_a_row_with_a_column_of_its_own_is_found():
    x = np.column_stack([np.ones(9), np.arange(9) == 4, np.arange(9.0) ** 2])
    assert is_fitted_alone(x).tolist() == [row == 4 for row in range(9)]


def test_a_table_shows_coefficients_of_any_size():
    names = pd.Index(["alpha", "market", "size"], name="coefficient")
    table = coefficients([0.00041239, 1.0876, -123456.0], [0.0001, 0.5, 9.0], 40, names)
    text = repr(Line(table, dropped_rows(["e1"], ["no price"]), "made up", 43, 40))
    assert "0.0004124" in text and "1.088" in text and "\N{MINUS SIGN}123,456" in text
    assert "Left out: 1 (e1: no price)." in text and text.endswith("made up")


def test_a_picture_goes_on_axes_that_are_given(fitted):
    line = fitted[1]
    ax = Figure().add_subplot()
    assert line.plot(ax) is ax.figure
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), line.tvalues)
    drawn = np.array([part[:, 0] for part in ax.collections[0].get_segments()])
    scaled = line.conf_int().div(line.bse, axis=0)
    np.testing.assert_allclose(drawn, scaled, rtol=1e-12)
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert words[1].startswith("size: ") and len(words) == 3


def test_a_signature_names_each_hash_once_and_no_empty_part():
    returns, events = pd.Series([0.01]), pd.DataFrame()
    returns.attrs["hash"], events.attrs["hash"] = "aaa", "bbb"
    study = "constant mean; data aaa; catalogue bbb"
    expected = f"{study}; 3 rows"
    assert signed(study, "", "3 rows", prices=returns, events=[events, events]) == expected
    assert signed("one", events=[pd.DataFrame()]) == "one"
