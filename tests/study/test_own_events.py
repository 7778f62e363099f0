"""Columns of one's own events reach the study, and returns say of what kind they are."""

import numpy as np
import pandas as pd
import pytest
from history import index_returns
from scipy import stats

import impact
from impact.errors import ReturnsError


@pytest.fixture(scope="module")
def prices():
    return impact.load_prices()


@pytest.fixture(scope="module")
def events():
    dates = ["2025-04-03", "2025-04-04", "2025-04-04", "2025-05-12"]
    return pd.DataFrame(
        {
            "session": pd.to_datetime(dates),
            "id": list("abcd"),
            "size": [1.0, 2.0, 3.0, np.nan],
            "count": [1, 2, 3, 4],
            "ministry": ["trade", "trade", "finance", ""],
            "rumour": [False, True, False, False],
        }
    )


def test_groups_whose_windows_overlap_say_so_and_show_their_names():
    days = ["2025-04-03", "2025-04-04", "2025-05-12", "2025-05-13"]
    study = impact.event_study(index_returns(), days, volatility=None)
    assert study.portfolio() is study and study.table.equals(study.car(0))
    by = dict(zip(days, "aabb", strict=True))
    overlap = study.compare(by, 0, 1)
    assert repr(overlap) == "GroupComparison: a (2) and b (2)"
    assert "but 2 windows of 2 sessions overlap the next" in str(overlap.summary())
    assert "no two windows overlap" in str(study.compare(by).summary())


def test_securities_without_a_session_in_common_have_no_known_correlation():
    days = pd.bdate_range("2021-01-04", periods=420)
    returns = pd.DataFrame(np.random.default_rng(0).normal(0, 0.01, (420, 2)), days, ["A", "B"])
    returns.loc[days[275:392], "A"] = returns.loc[days[140:278], "B"] = np.nan
    study = impact.event_study(
        returns, [days[400]], volatility=None, min_observations=60, window=(-1, 1)
    )
    assert study.tests(0).loc["kp_bmp", "because"] == (
        "2 securities on one date with a mean correlation of unknown size are one observation"
    )


@pytest.mark.parametrize(
    ("rows", "securities", "units"),
    [
        ([380, 380, 380, 400], ["A", "B", "B", "A"], ["a A", "b B", "d A"]),
        ([380, 380, 400, 400], ["A", "B", "", "A"], ["a A", "b B", "c A", "c B"]),
    ],
)
def test_events_that_only_number_as_many_as_all_securities_stay_those_of_each(
    rows, securities, units
):
    days = pd.bdate_range("2021-01-04", periods=420)
    returns = pd.DataFrame(np.random.default_rng(0).normal(0, 0.01, (420, 2)), days, ["A", "B"])
    events = pd.DataFrame({"id": list("abcd"), "session": days[rows], "security": securities})
    study = impact.event_study(returns, events, volatility=None, window=(-1, 1))
    assert [" ".join(pair) for pair in study.abnormal.index] == units


def test_every_column_is_kept_and_members_of_a_unit_are_joined_by_kind(events):
    study = impact.event_study(index_returns(), events, volatility=None)
    units = study.alignment[["size", "count", "ministry", "rumour"]]
    assert units["size"].to_list()[:2] == [1.0, 5.0] and np.isnan(units["size"].iloc[2])
    assert units["count"].to_list() == [1, 5, 4]
    assert units["ministry"].to_list() == ["trade", "trade; finance", ""]
    assert units["rumour"].to_list() == [False, True, False]


def test_a_missing_number_counts_as_nothing_beside_one_and_stays_missing_alone(events):
    more = pd.concat([events, events.iloc[[3]].assign(id="e", session=pd.Timestamp("2025-04-03"))])
    units = impact.event_study(index_returns(), more, volatility=None).alignment
    assert units["size"].to_list()[0] == 1.0 and np.isnan(units.loc["d", "size"])


@pytest.mark.parametrize("column", ["counterparty", "instrument", "direction"])
def test_any_column_of_the_catalogue_can_be_compared(column):
    catalogue = impact.load_events(since="2025-01-01")
    study = impact.event_study(index_returns(), catalogue, volatility=None)
    found = study.compare(column)
    assert set(found.table.index) <= set(study.alignment[column])


def test_simple_returns_are_called_simple_and_bhar_is_the_price_ratio(prices):
    study = impact.event_study(impact.simple_returns(prices), ["2025-04-09"], volatility=None)
    assert "simple returns" in study.signature
    held = prices["2025-04-10"] / prices["2025-04-08"] - 1
    mean = study.fit["alpha"].iloc[0]
    normal = (1 + mean) ** 2 - 1
    assert study.bhar(0, 1)["estimate"].item() == pytest.approx(held - normal, abs=1e-12)


@pytest.mark.parametrize(("made", "said"), [("simple", "log"), ("log", "simple")])
def test_a_kind_that_contradicts_the_returns_is_refused(prices, made, said):
    returns = getattr(impact, f"{made}_returns")(prices)
    with pytest.raises(ReturnsError, match=rf"kind='{said}' contradicts.*{made}_returns\(\)"):
        impact.event_study(returns, ["2025-04-09"], kind=said)


def test_returns_that_say_nothing_are_log_returns_unless_told(prices):
    plain = impact.simple_returns(prices)
    plain.attrs = {}
    assert impact.event_study(plain, ["2025-04-09"], volatility=None).settings.kind == "log"
    told = impact.event_study(plain, ["2025-04-09"], volatility=None, kind="simple")
    assert told.settings.kind == "simple"


def test_the_signature_names_prices_and_catalogue():
    catalogue = impact.load_events(since="2025-01-01")
    study = impact.event_study(impact.log_returns(impact.load_prices()), catalogue)
    for frame in (study.returns, catalogue):
        assert frame.attrs["hash"] in study.signature


@pytest.fixture(scope="module")
def directions():
    catalogue = impact.load_events(since="2025-01-01", counterparty="CN")
    study = impact.event_study(impact.log_returns(impact.load_prices()), catalogue)
    return study, study.compare("direction")


def test_groups_on_one_series_are_compared_by_scaled_returns(directions):
    study, found = directions
    z = study.car(0)["z_conditional"].to_numpy()
    direction = study.alignment["direction"].to_numpy()
    for (first, second), row in found.differences.iterrows():
        one, other = z[direction == first], z[direction == second]
        if min(len(one), len(other)) < 8:
            assert np.isnan(row["p_value"]) and np.isfinite(row["p_textbook"])
            continue
        drawn = stats.permutation_test(
            (one, other),
            lambda a, b, axis: np.abs(stats.ttest_ind(a, b, axis=axis, equal_var=False).statistic),
            alternative="greater",
            vectorized=True,
            n_resamples=9_999,
            rng=1,
        )
        assert row["p_value"] == pytest.approx(drawn.pvalue, abs=0.02)


def test_a_comparison_shows_itself_and_what_it_left_out(directions):
    study, found = directions
    text = str(found.summary())
    assert "Mean cumulative abnormal returns by group" in text and study.signed(0) in text
    assert "no p below 8 sessions" in text and "Left out" in text
    for medium in (found.to_latex(), found._repr_html_(), found.to_csv()):
        assert "escalation" in medium
