"""What is left out, and why, in words; parts of a study; the portfolio of its columns."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import EventError, HistoryError, ModelError
from impact.estimation import fits
from impact.estimation.abnormal import nothing_left
from impact.estimation.observations import dropped_rows
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2024-01-01", periods=100)
VALUES = 0.01 * np.random.default_rng(1).standard_normal((100, 3))


def studied(returns, least=20, **columns):
    events = pd.DataFrame({"session": DAYS[[50, 80]], "id": ["early", "late"], **columns})
    return event_study(
        returns,
        events,
        estimation=(-30, -6),
        window=(-2, 2),
        min_observations=least,
        volatility=None,
        kind="simple",
    )


def frame(values=VALUES):
    return pd.DataFrame(values, DAYS, ["S0", "S1", "S2"])


def test_as_many_returns_as_asked_for_are_enough_and_one_less_is_not():
    holes = VALUES.copy()
    holes[30:34, 1] = np.nan  # in the estimation window of the first event: 21 of 25 are left
    for least, lost in ((21, []), (22, [("early", "S1")])):
        dropped = studied(frame(holes), least).dropped
        assert list(zip(dropped["event"], dropped["security"], strict=True)) == lost
    assert dropped["reason"].item() == (
        "21 returns in the estimation window (-30, -6), min_observations=22"
    )


def test_a_mean_needs_two_returns():
    holes = np.full((100, 3), np.nan)
    holes[48:] = VALUES[48:]
    holes[[25, 26], 0] = 0.01, 0.02
    holes[25, 1] = 0.01
    dropped = studied(frame(holes), 1).dropped.query("event == 'early'")
    assert dropped.set_index("security")["reason"].to_dict() == {
        "S1": "fewer observations than parameters",
        "S2": "0 returns in the estimation window (-30, -6), min_observations=1",
    }


@pytest.mark.parametrize(("n", "more"), [(1, False), (3, False), (4, True)])
def test_the_first_three_reasons_are_named_where_nothing_is_left(n, more):
    reasons = [f"because {i}" for i in range(n)]
    said = nothing_left(dropped_rows(["a"] * n, reasons))
    head = f"no event can be studied ({n} dropped event{'s' * (n > 1)}): "
    assert said == head + "; ".join(reasons[:3]) + "; …" * more
    still = frame(0 * VALUES)
    with pytest.raises(HistoryError, match=r"\(6 dropped events\): no variance is left in the est"):
        studied(still)


def test_a_security_without_a_return_in_the_window_is_left_out_and_one_with_a_single_one_is_not():
    holes = VALUES.copy()
    holes[48:53, 1] = np.nan
    holes[[48, 49, 50, 51], 2] = np.nan
    dropped = studied(frame(holes)).dropped
    assert dropped.values.tolist() == [["early", "S1", "no return in the event window"]]


def test_a_part_of_a_study_is_found_by_id_or_label_and_keeps_its_numbers():
    study = studied(frame(), label=["one; two", "three"])
    for name in ("early", "one", "two", "one; two"):
        part = study[name]
        pd.testing.assert_frame_equal(part.abnormal, study.abnormal.loc[["early"]])
        assert part.alignment.index.to_list() == ["early"] and len(part) == 3
    for name, why in (("lat", "nearest.*'late'"), (3, "named by the text of its id or label")):
        with pytest.raises(EventError, match=why):
            study[name]


def test_the_portfolio_of_two_or_three_columns_is_their_mean_and_firm_events_have_none():
    for count in (2, 3):
        study = studied(frame().iloc[:, :count])
        expected = study.abnormal.groupby("event").mean()
        np.testing.assert_allclose(study.portfolio().abnormal, expected, atol=1e-15)
    with pytest.raises(ModelError, match="events that apply to every column"):
        studied(frame(), security=["S0", "S1"]).portfolio()


def test_a_signature_says_what_was_studied_and_over_which_days():
    study = studied(frame())
    head = "constant mean; estimation (-30, -6); window (-2, 2); simple returns "
    head += "2024-01-01 to 2024-05-17; 2 units; sessions of no market that was named"
    assert study.signature.startswith(head) and "conditional" not in study.signature
    assert "window (0, 0)" in study.signed(0) and "window (0, 1)" in study.signed(start=0, end=1)
    one = event_study(
        frame()["S0"],
        DAYS[[80]],
        estimation=(-60, -11),
        min_observations=40,
        kind="simple",
        market=("Europe/Berlin", "17:30"),
    )
    assert "; sessions of Europe/Berlin 17:30; conditional variance gjr" in one.signature
    assert "conditional" not in one.signed(0, conditional=False)


def test_the_benchmark_of_a_portfolio_is_the_mean_of_those_of_its_columns():
    rng = np.random.default_rng(2)
    own = frame(0.01 * rng.standard_normal((100, 3)))
    values = VALUES + own.to_numpy()
    values[:, 2] = np.nan
    values[20:, 2] = VALUES[20:, 2]
    returns, asked = frame(values), {"estimation": (-40, -6), "window": (0, 0)}
    asked |= {"min_observations": 15, "volatility": None, "kind": "simple"}
    for model in ("market", "market-adjusted"):
        study = event_study(returns, DAYS[[50, 70]], model=model, benchmark=own, **asked)
        there = returns.notna()
        mean = own.where(there).mean(axis=1)
        alone = event_study(
            returns.mean(axis=1), DAYS[[50, 70]], model=model, benchmark=mean, **asked
        )
        np.testing.assert_allclose(study.portfolio().abnormal, alone.abnormal, atol=1e-15)
    assert study.portfolio().fit["observations"].tolist() == [35, 35]


def test_residuals_are_kept_up_to_a_number_of_them_and_made_anew_beyond(monkeypatch):
    numbers = 6 * 25
    for kept, expected in ((numbers, True), (numbers - 1, False)):
        monkeypatch.setattr(fits, "KEPT_NUMBERS", kept)
        study = studied(frame())
        parts = [residuals for _, residuals, _ in study.fits.estimation_chunks()]
        assert ("residuals_and_leverage" in vars(study.fits)) == expected
        np.testing.assert_array_equal(np.concatenate(parts), study.residuals)
