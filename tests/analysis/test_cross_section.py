"""CARs on characteristics: HC3 by hand, what was put in is found, and what is left out is said."""

import numpy as np
import pandas as pd
import pytest
from panels import given_study, panel, reference_study
from pictures import assert_words_are_clear
from scipy import stats

from impact.analysis.cross_section import cross_section
from impact.errors import InferenceError
from impact.study.event_study import event_study


def close(found, expected):
    assert np.asarray(found, float) == pytest.approx(np.asarray(expected, float), rel=1e-9)


@pytest.fixture(scope="module")
def dates():
    """Panel A on eight dates."""
    firms, market, _ = panel("A")
    events = pd.DataFrame({"id": [f"e{i}" for i in range(8)], "session": firms.index[215:390:22]})
    return event_study(
        firms,
        events,
        model="market",
        benchmark=market,
        estimation=(-210, -11),
        volatility=None,
        kind="simple",
    )


@pytest.fixture(scope="module")
def firms():
    """Panel B, forty firms on dates of their own, with two characteristics."""
    study = reference_study("B", "market_model")
    rng = np.random.default_rng(6)
    traits = {"size": rng.standard_normal(40), "exports": rng.random(40)}
    return study, pd.DataFrame(traits, study.returns.columns)


def test_cross_section_is_least_squares_with_hc3_by_hand(firms):
    study, traits = firms
    found = cross_section(study, traits, -1, 1)
    y = study.car(-1, 1)["estimate"].to_numpy()
    x = np.column_stack([np.ones(40), traits.loc[study.abnormal.index.get_level_values(1)]])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    h = np.einsum("ij,jk,ik->i", x, inverse, x)
    meat = (x * ((y - x @ beta) / (1 - h))[:, None] ** 2).T @ x
    error = np.sqrt(np.diag(inverse @ meat @ inverse))
    close(found.params, beta)
    close(found.bse, error)
    close(found.tvalues, beta / error)
    close(found.pvalues, 2 * stats.t.sf(abs(beta / error), 37))
    reach = stats.t.ppf(0.95, 37) * error
    close(found.conf_int(0.90), np.column_stack([beta - reach, beta + reach]))
    close(found.conf_int(), found.table[["ci_low", "ci_high"]])
    close(found.r_squared, 1 - np.var(y - x @ beta) / np.var(y))
    assert (found.nobs, found.dof) == (40, 37)
    assert list(found.params.index) == ["constant", "size", "exports"]
    assert found.warning.startswith("tested windows overlap") == (
        np.diff(np.sort(study.fits.pairs.position)).min() < 3
    )
    assert cross_section(study, traits).warning == ""


def test_cross_section_finds_what_was_put_in_and_warns_of_clustered_dates():
    rng = np.random.default_rng(7)
    trait = rng.standard_normal(200)
    noise = 0.01 * rng.standard_normal((200, 103))
    noise[:, 101] += 0.02 + 0.005 * trait
    study = given_study(noise[:, :100], noise[:, 100:])
    found = cross_section(study, pd.DataFrame({"dependence": trait}, study.returns.columns))
    low, high = found.table.loc["dependence", ["ci_low", "ci_high"]]
    assert low < 0.005 < high and low > 0.002
    assert found.warning.startswith("200 rows share 1 session")
    assert "Warning: 200 rows share 1 session" in repr(found)


def test_cross_section_lists_what_it_leaves_out_and_reads_every_index():
    study = reference_study("C", "market_model")
    names = study.returns.columns
    traits = pd.DataFrame({"size": np.arange(12.0) ** 2}, names)
    absent = study.abnormal.index[study.abnormal[0].isna()].get_level_values("security")
    present = names[~names.isin(absent)]
    assert len(absent) == 2
    traits.loc[present[0]] = np.nan
    found = cross_section(study, traits, 0)
    assert set(found.dropped["security"]) == {present[0], *absent}
    assert set(found.dropped["reason"]) == {"no size", "no return in the window"}
    assert found.nobs == 9
    assert "Left out: 3 of 12 (" in repr(found) and f"{present[0]}: no size" in repr(found)
    both = traits.set_axis(study.abnormal.index)
    again = cross_section(study, both, 0)
    pd.testing.assert_frame_equal(again.table, found.table)


def test_what_the_study_left_out_stays_listed():
    firms, _, _ = panel("C")
    events = pd.DataFrame(
        {"id": ["kept", "early"], "session": firms.index[[300, 5]], "security": ["", "C01"]}
    )
    study = event_study(firms, events, estimation=(-210, -11), volatility=None, kind="simple")
    traits = pd.DataFrame({"size": np.arange(12.0) ** 2}, firms.columns)
    found = cross_section(study, traits, 0)
    assert found.dropped["event"].to_list()[0] == "early"
    assert "needs 210 earlier sessions" in found.dropped["reason"].iloc[0]


def test_cross_section_of_events_takes_their_ids(dates):
    traits = pd.DataFrame({"rate": np.arange(8.0)}, dates.alignment.index)
    found = cross_section(dates, traits, 0)
    assert found.nobs == 240
    assert "240 rows share 8 sessions" in found.warning


def test_securities_that_are_numbers_are_found_by_number():
    study = reference_study("B", "market_model")
    firms, market, pairs = panel("B")
    numbers = pd.RangeIndex(10_000, 10_000 + firms.shape[1])
    events = pd.DataFrame(
        {
            "session": firms.index[[row for _, row in pairs]],
            "security": [str(numbers[firms.columns.get_loc(name)]) for name, _ in pairs],
        }
    )
    by_number = event_study(
        firms.set_axis(numbers, axis=1),
        events,
        model="market",
        benchmark=market,
        estimation=(-210, -11),
        volatility=None,
        kind="simple",
    )
    size = np.arange(40.0) ** 1.5
    found = cross_section(by_number, pd.DataFrame({"size": size}, numbers))
    named = cross_section(study, pd.DataFrame({"size": size}, firms.columns))
    close(found.table, named.table)


def test_yes_and_no_and_missing_whole_numbers_are_numbers(firms):
    study, _ = firms
    names = study.returns.columns
    yes = pd.DataFrame({"listed": np.arange(40) % 3 == 0}, names)
    close(cross_section(study, yes).table, cross_section(study, yes.astype(float)).table)
    some = pd.DataFrame({"listed": pd.array([None, *yes["listed"][1:]], "boolean")}, names)
    assert cross_section(study, some).nobs == 39
    some = pd.DataFrame({"rank": pd.array([None, *range(1, 40)], dtype="Int64")}, names)
    assert cross_section(study, some).nobs == 39


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.assign(size="big"), "not a number"),
        (lambda x: x.assign(size=1j), "not a number"),
        (lambda x: x.assign(same=2 * x["size"] + 1), "collinear"),
        (lambda x: x.assign(alone=(np.arange(40) == 3) * 1.0), "alone has its value"),
        (lambda x: x.set_axis([f"Z{i}" for i in range(40)]), "neither securities nor events"),
        (lambda x: pd.concat([x, x.iloc[:1]]), "twice"),
        (lambda x: x.iloc[:2], "2 rows for 2 coefficients"),
        (lambda x: x["size"], "DataFrame"),
        (lambda x: x.assign(size=np.r_[np.inf, np.arange(39.0)]), "'size' of 'B01' is infinite"),
        (lambda x: x.rename(columns={"size": "car"}), "cannot be called 'car'"),
        (lambda x: x.rename(columns={"size": "constant"}), "cannot be called 'constant'"),
        (lambda x: pd.concat([x, x**2], axis=1), "cannot be called 'size'"),
        (lambda x: 1e300 * x, "'size' is too large or small"),
        (lambda x: 1e-200 * x, "'size' is too large or small"),
        (lambda x: pd.concat({"a": x}, axis=1), "2 levels of columns"),
        (lambda x: np.nan * x, "0 rows for 2 coefficients"),
    ],
)
def test_cross_section_refuses_what_it_cannot_estimate(change, message):
    study = reference_study("B", "market_model")
    traits = pd.DataFrame({"size": np.arange(40.0) ** 1.5}, study.returns.columns)
    with pytest.raises(InferenceError, match=message):
        cross_section(study, change(traits))


def test_what_is_no_study_is_refused():
    with pytest.raises(InferenceError, match="study= is a Series: give what event_study"):
        cross_section(pd.Series([0.01]), pd.DataFrame({"size": [1.0]}))


def test_it_shows_itself(firms):
    study, traits = firms
    found = cross_section(study, traits, -1, 1)
    text = repr(found)
    assert text.startswith("CAR (-1, 1) on size and exports\n")
    assert f"40 rows; R² {found.r_squared:.2f}" in text
    assert "window (-1, 1)" in found.signature and found.signature in text
    assert "<table" in found._repr_html_() and r"\toprule" in found.to_latex()
    assert f"{found.params['size']:.10g}," in found.to_csv()
    assert_words_are_clear(found.plot())


def test_changes_are_shown_in_their_unit(firms):
    study, traits = firms
    events = study.car(0).reset_index()[["session", "security"]]
    yields = event_study(study.returns, events, kind="change", unit="basis points", volatility=None)
    assert "In basis points." in str(cross_section(yields, traits).summary())
    assert "In " not in str(cross_section(study, traits).summary())
