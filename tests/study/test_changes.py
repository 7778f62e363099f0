"""Changes of yields, spreads and volatility indices: in their unit, and never compounded."""

import numpy as np
import pandas as pd
import pytest

import impact
from impact.errors import ImpactError, InferenceError, ReturnsError

VIX = impact.load_vix().diff().dropna()
EVENTS = ["2025-04-03", "2025-04-09", "2025-05-12"]
UNIT = {"kind": "change", "unit": "points"}


def studied(values=VIX, events=EVENTS, volatility="ewma", **options):
    return impact.event_study(values, events, volatility=volatility, **(UNIT | options))


@pytest.fixture(scope="module")
def study():
    return studied()


def test_the_abnormal_change_is_that_of_the_levels(study):
    levels = impact.load_vix()
    row = levels.index.get_loc(pd.Timestamp("2025-04-03"))
    change = levels.iloc[row] - levels.iloc[row - 1]
    mean = (levels.iloc[row - 11] - levels.iloc[row - 261]) / 250
    first = study.car(0).iloc[0]
    assert first["estimate"] == pytest.approx(change - mean, abs=1e-12)
    whole = levels.iloc[row + 2] - levels.iloc[row - 1] - 3 * mean
    assert study.car(0, 2)["estimate"].iloc[0] == pytest.approx(whole, abs=1e-12)


def test_tests_do_not_know_the_unit(study):
    """The same changes in other units, and as returns, have the same p."""
    hundredth = impact.event_study(VIX / 100, EVENTS, volatility="ewma")
    for name in ("p_textbook", "p_conditional", "z_conditional", "statistic"):
        np.testing.assert_allclose(study.car(0, 1)[name], hundredth.car(0, 1)[name], rtol=1e-6)
    for name in ("estimate", "std_error", "smallest_detectable", "ci_low_conditional"):
        np.testing.assert_allclose(
            study.car(0, 1)[name], 100 * hundredth.car(0, 1)[name], rtol=1e-6
        )


def test_a_column_of_few_values_is_not_taken_for_levels():
    both = pd.DataFrame({"VIX": VIX, "new": VIX.abs().add(20)[-10:]})
    assert studied(both, EVENTS[:1]).dropped["security"].to_list() == ["new"]
    with pytest.raises(ReturnsError, match="these look like levels, not changes"):
        studied(both.assign(new=VIX.abs().add(20)), EVENTS[:1])


def test_what_is_shown_is_in_the_unit_and_not_in_percent(study):
    for shown in (study.summary(), study["2025-04-03"].summary(0, 2)):
        text = str(shown)
        assert "bnormal change, session" in text and "\nIn points.\n" in text
        assert "changes in points 1990-01-03" in text and "%" not in text.replace("5%", "").replace(
            "80%", ""
        )
    assert "+8.486" in str(study.summary()) and "+8.486" in study.summary().to_latex()
    assert "In points." in study.summary().to_latex() and "In points." in study._repr_html_()
    assert ",8.48" in study.summary().to_csv() and "changes in points" in study.to_csv()
    assert study.car(0).attrs["signature"].count("changes in points") == 1


def test_an_interval_that_is_asked_for_is_in_the_unit(study):
    for conditional, test in ((True, "conditional"), (False, "textbook")):
        shown = study.summary(level=0.9, conditional=conditional)
        low = study.car(0, level=0.9, conditional=conditional)[f"ci_low_{test}"].iloc[0]
        assert f"{low:+.3f}".replace("-", "\N{MINUS SIGN}") in str(shown)
        for held, sign in ((str(shown), "%"), (shown.to_latex(), r"\%")):
            assert sign not in held.split("In points.")[0].replace(f"90{sign}", "")


def test_pictures_write_the_unit(study):
    for figure in (study["2025-04-03"].plot(), study.plot()):
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        assert any(text.endswith("points") for text in texts)
        ticks = [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
        assert not any("%" in text for text in (*ticks, *texts))
    written = [text.get_text() for text in study.plot().texts]
    assert any("abnormal change from the close before, in points" in text for text in written)


def test_small_changes_keep_their_digits():
    days = impact.nyse_sessions("2023-01-03", "2025-12-31")
    rng = np.random.default_rng(4)
    yields = pd.Series(4 + np.cumsum(rng.normal(0, 0.05, len(days))), days, name="10-year")
    study = studied(yields.diff().dropna(), ["2025-04-03"], unit="percentage points")
    shown = study.car(0)["estimate"].item()
    assert f"{abs(shown):.3f}" in str(study.summary()) and "In percentage points." in str(
        study.summary()
    )
    ticks = [tick.get_text() for tick in study.plot().axes[0].get_yticklabels()]
    assert all("." in tick for tick in ticks if tick != "0") and len(set(ticks)) == len(ticks)


def test_groups_averages_and_tests_carry_the_unit():
    catalogue = impact.load_events(counterparty="CN", since="2025-01-01")
    study = studied(events=catalogue)
    groups = study.compare("direction")
    text = str(groups.summary())
    assert "Mean cumulative abnormal changes" in text and "In points." in text
    assert " points (95% interval" in text
    assert any("in points" in words.get_text().lower() for words in groups.plot().texts)
    title, said, *_ = (text.get_text().replace("\n", " ") for text in study.plot().texts)
    assert " points on average over sessions" in title
    assert "Average cumulative abnormal change, in points" in said
    test = impact.inference.conditional_t(study["geneva-truce"])
    assert "In points." in str(test.summary()) and test.unit == "points"
    assert "%" not in str(test.summary()).split("In points.")[0].replace("95%", "")


def test_a_panel_of_changes_is_compared_with_the_average_of_the_others():
    days = impact.nyse_sessions("2018-01-03", "2025-12-31")
    values = np.random.default_rng(5).normal(0, 0.05, (len(days), 3))
    study = studied(pd.DataFrame(values, days, ["2y", "10y", "30y"]), ["2025-04-03"])
    moves = impact.relative_moves(study)
    text = str(moves.summary())
    assert "Change beyond beta times the average of the others" in text and "In points." in text
    assert "%" not in text.split("In points.")[0]
    assert "In points." in str(study.portfolio().summary())


def test_no_note_of_a_split_and_no_compounding(study):
    assert study.notes == ()
    with pytest.raises(InferenceError, match=r"changes in points do not compound: use car\(\)"):
        study.bhar(0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "change"}, "kind='change' needs unit=, such as 'points'"),
        ({"kind": "change", "unit": " "}, "needs unit="),
        ({"kind": "change", "unit": 3}, "needs unit="),
        ({"unit": "points"}, "unit='points' has no effect on log returns"),
        ({"kind": "simple", "unit": "points"}, "unit='points' has no effect on simple returns"),
        ({"kind": "diff"}, "say 'log', 'simple' or 'change'"),
        (UNIT | {"implied": impact.load_vix()}, "for returns, not for kind='change'"),
    ],
)
def test_a_unit_and_its_kind_belong_together(options, message):
    with pytest.raises(ReturnsError, match=message):
        impact.event_study(VIX, EVENTS, **options)


@pytest.mark.parametrize(
    "levels",
    {
        "index": impact.load_vix(),
        "negative": -impact.load_vix(),
        "around zero": impact.load_vix() - 19,
        "walk": pd.Series(np.random.default_rng(1).normal(0, 1, 3000).cumsum(), VIX.index[-3000:]),
    }.values(),
)
def test_levels_are_refused(levels):
    with pytest.raises(ReturnsError, match=r"look like levels, not changes .*\.diff\(\)\.dropna"):
        studied(levels)


def test_a_benchmark_of_changes_is_changes_too():
    other = VIX * 0.5 + np.random.default_rng(2).normal(0, 0.5, len(VIX))
    study = studied(model="market", benchmark=other)
    assert 1 < study.fit["beta"].iloc[0] < 3
    with pytest.raises(ReturnsError, match=r"benchmark holds log returns .*levels\.diff\(\)"):
        studied(model="market", benchmark=impact.log_returns(impact.load_prices()))
    with pytest.raises(ReturnsError, match="benchmark: these look like levels"):
        studied(model="market", benchmark=impact.load_vix())


def test_percentages_called_returns_are_still_refused():
    with pytest.raises(ReturnsError, match="percentages"):
        impact.event_study(VIX, EVENTS)


def test_dose_response_says_that_it_writes_in_percent():
    events = pd.DataFrame({"announced_at": EVENTS, "dose": [1.0, 2.0, 3.0]})
    with pytest.raises(ImpactError, match="no changes in points: use cross_section"):
        impact.dose_response(studied(events=events), "dose")


def test_the_funds_are_studied_with_what_is_missing_said():
    funds = impact.log_returns(impact.load_prices("funds"))
    study = impact.event_study(funds, ["2025-04-03", "2026-06-01"], volatility=None)
    assert len(study) == 10 and set(study.dropped["security"]) == {"MCHI", "FXI"}
    assert "Left out: 2 of 12 (" in str(study.summary())
    gold = impact.log_returns(impact.load_prices("GLD"))
    alone = impact.event_study(gold, ["2025-04-03"], volatility=None)
    ours, theirs = (study.car(0, 1), alone.car(0, 1))
    assert ours.loc[("2025-04-03", "GLD"), "estimate"] == theirs["estimate"].item()
