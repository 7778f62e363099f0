"""CARs on characteristics: HC3 by hand, what was put in is found, and what is left out is said."""

import numpy as np
import pandas as pd
import pytest
from panels import given_study, panel, reference_study
from pictures import assert_words_are_clear
from scipy import stats

from impact.analysis.cross_section import cross_section
from impact.errors import HistoryError, InferenceError
from impact.inference import measured_sizes
from impact.inference.size import THIRDS
from impact.inference.slope import ranked_slopes
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
    close(found.rsquared, 1 - np.var(y - x @ beta) / np.var(y))
    assert (found.nobs, found.dof) == (40, 37)
    assert list(found.params.index) == ["constant", "size", "exports"]
    assert found.warning == "" and found.method == "HC3 standard errors"


def one_date(sessions=400, firms=60, effect=0.005):
    """Abnormal returns of one date, with an effect of a characteristic on session 0."""
    rng = np.random.default_rng(7)
    trait = rng.standard_normal(firms)
    noise = 0.01 * rng.standard_normal((firms, sessions + 3))
    noise[:, -2] += 0.001 + effect * trait
    study = given_study(noise[:, :sessions], noise[:, sessions:])
    return study, pd.DataFrame({"dependence": trait}, study.returns.columns)


@pytest.mark.parametrize("gls", [False, True])
def test_on_one_date_it_finds_what_was_put_in_by_rank(gls):
    study, traits = one_date()
    found = cross_section(study, traits, gls=gls)
    low, high = found.table.loc["dependence", ["ci_low", "ci_high"]]
    assert low < 0.005 < high and low > 0.002
    assert found.pvalues["dependence"] < 0.01 and found.warning == ""
    design = np.column_stack([np.ones(60), traits])
    ranked = ranked_slopes(study, design, gls=gls)
    pd.testing.assert_frame_equal(found.table, ranked.table(found.table.index))
    close(found.conf_int(0.9), ranked.interval(0.9))
    least = "Generalised" if gls else "Ordinary"
    assert f"{least} least squares, ranked among {len(ranked.past)} earlier" in repr(found)
    assert_words_are_clear(found.plot())
    if not gls:
        close(found.params, np.linalg.lstsq(design, study.over(0).car, rcond=None)[0])


def test_the_measured_size_stands_below_the_ranked_p(monkeypatch):
    rates = pd.Series([0.045, 0.061, 0.049, 0.042], ["all", *THIRDS])
    known = {("slope-firms", test, "constant-mean") for test in ("ranked_slope", "hc3")}
    monkeypatch.setattr(
        measured_sizes,
        "group_rates",
        lambda *keys: rates if keys in known else pd.Series(dtype=float),
    )
    rng = np.random.default_rng(2)
    days = pd.bdate_range("2020-01-01", periods=400)
    returns = pd.DataFrame(0.01 * rng.standard_normal((400, 8)), days, list("ABCDEFGH"))
    study = event_study(returns, [days[380]], volatility=None, kind="log")
    found = cross_section(study, pd.DataFrame({"size": np.arange(8.0) ** 2}, returns.columns))
    assert "6.1, 4.9 and 4.2% for firms (HC3 errors: 4.5% of all)" in found.size
    assert found.size in repr(found)


def test_hc3_is_not_offered_where_dates_cluster(dates):
    traits = pd.DataFrame({"size": np.arange(30.0) ** 2}, dates.returns.columns)
    found = cross_section(dates, traits)
    assert list(found.table) == ["estimate"]
    assert "No p: 240 rows share 8 sessions" in repr(found)
    for asked in (
        lambda: found.pvalues,
        lambda: found.bse,
        lambda: found.tvalues,
        found.conf_int,
        found.plot,
    ):
        with pytest.raises(InferenceError, match=r"estimates alone.*240 rows share 8 sessions"):
            asked()
    with pytest.raises(InferenceError, match="gls=True weights the securities of one date"):
        cross_section(dates, traits, gls=True)


def test_a_history_that_is_too_short_to_rank_leaves_the_estimates():
    study, traits = one_date(sessions=200)
    found = cross_section(study, traits)
    assert "No p: a slope is ranked among 200 earlier sessions" in repr(found)
    assert list(found.table) == ["estimate"] and "Left out" not in repr(found)
    with pytest.raises(HistoryError, match="give a longer history"):
        cross_section(study, traits, gls=True)


def test_tested_windows_that_overlap_have_no_p(firms):
    study, traits = firms
    apart = np.diff(np.sort(study.fits.pairs.position)).min()
    found = cross_section(study, traits, 0, int(apart))
    assert found.warning.startswith("tested windows overlap") and list(found.table) == ["estimate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.iloc[:4], "4 securities on one date: a slope across them says nothing"),
        (lambda x: 0 * x + 3, "the characteristic 'dependence' is 3.0000 of every row"),
        (lambda x: x.assign(other=-x["dependence"]), "'dependence' and 'other' are collinear"),
    ],
)
def test_on_one_date_what_says_nothing_is_refused(change, message):
    study, traits = one_date(firms=9)
    with pytest.raises(InferenceError, match=message):
        cross_section(study, change(traits))


def test_a_security_alone_in_its_group_is_compared_with_the_others():
    study, traits = one_date(firms=9)
    alone = pd.DataFrame({"first": (np.arange(9) == 0) * 1.0}, traits.index)
    car = study.over(0).car
    close(cross_section(study, alone).params["first"], car[0] - car[1:].mean())


def test_on_one_date_a_security_without_all_returns_is_left_out_by_name():
    rng = np.random.default_rng(2)
    sessions = pd.bdate_range("2020-01-01", periods=420)
    returns = pd.DataFrame(0.01 * rng.standard_normal((420, 8)), sessions, list("ABCDEFGH"))
    returns.loc[sessions[401], "C"] = np.nan
    study = event_study(returns, [sessions[400]], window=(0, 2), volatility=None, kind="log")
    traits = pd.DataFrame({"size": np.arange(8.0) ** 2}, returns.columns)
    traits.loc["E"] = np.nan
    found = cross_section(study, traits, 0, 2)
    reasons = dict(zip(found.dropped["security"], found.dropped["reason"], strict=True))
    assert reasons == {
        "C": "no return of one session in every session of the window",
        "E": "no size",
    }
    assert found.nobs == 6 and np.isfinite(found.table.to_numpy()).all()


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


def test_yes_or_no_is_not_a_text(firms):
    study, traits = reference_study("B", "market_model"), pd.DataFrame({"size": [1.0]}, ["B01"])
    with pytest.raises(InferenceError, match="gls='no' is not known: say True or False"):
        cross_section(study, traits, gls="no")


def test_what_is_no_study_is_refused():
    with pytest.raises(InferenceError, match="study= is a Series: give what event_study"):
        cross_section(pd.Series([0.01]), pd.DataFrame({"size": [1.0]}))


def test_it_shows_itself(firms):
    study, traits = firms
    found = cross_section(study, traits, -1, 1)
    text = repr(found)
    assert text.startswith("CAR (-1, 1) on size and exports\n")
    assert f"40 rows; R² {found.rsquared:.2f}" in text
    assert "window (-1, 1)" in found.signature and found.signature in text
    assert "<table" in found._repr_html_() and r"\toprule" in found.to_latex()
    assert f"{found.params['size']}," in found.to_csv()
    assert_words_are_clear(found.plot())


def test_changes_are_shown_in_their_unit(firms):
    study, traits = firms
    events = study.car(0).reset_index()[["session", "security"]]
    yields = event_study(study.returns, events, kind="change", unit="basis points", volatility=None)
    assert "In basis points." in str(cross_section(yields, traits).summary())
    assert "In " not in str(cross_section(study, traits).summary())
