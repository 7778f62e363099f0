"""The fingerprint of a day: numbers against the single series, words against the numbers."""

from dataclasses import replace

import numpy as np
import pytest

from impact.figures import fingerprints
from impact.market.prices import FUNDS, load_prices
from impact.market.returns import log_returns
from impact.study.event_study import event_study


@pytest.fixture(scope="module")
def drawn(made):
    return made("fingerprints")


def test_each_fund_is_tested_as_it_is_alone_and_the_index_as_on_its_card(drawn):
    rows = drawn.table.set_index(["event", "security"])
    assert len(rows) == 70 and rows["p"].notna().all()
    days = {"mofcom-evaluating": "2025-05-02", "liberation-day": "2025-04-03"}
    for name in ("^GSPC", "MCHI", "TLT"):
        returns = log_returns(load_prices(name))
        for event, day in days.items():
            alone = event_study(returns, [day]).car(0).iloc[0]
            row = rows.loc[(event, name)]
            for ours, theirs in (("estimate", "estimate"), ("p", "p_conditional")):
                assert row[ours] == pytest.approx(alone[theirs], rel=1e-6), (name, event)


def test_the_cells_of_2_may_that_are_framed_are_those_of_the_garch_forecast(drawn):
    """Log returns as published beside the question: +3.5, +2.8 and -1.1%."""
    day = drawn.table.query("event == 'mofcom-evaluating'").set_index("security")
    returns = 100 * log_returns(load_prices("funds")).loc["2025-05-02"]
    assert returns[["MCHI", "EEM", "TLT"]].round(1).to_list() == [3.5, 2.8, -1.1]
    assert day.index[day["unusual"]].to_list() == ["MCHI", "EEM"]
    assert day.index.to_list() == ["^GSPC", "MCHI", "FXI", "EEM", "EFA", "GLD", "TLT"]
    assert set(FUNDS) == set(day.index[1:])


def test_the_title_gives_the_range_where_forecasts_of_volatility_disagree(drawn):
    """A referee's p of 2 May by GJR-GARCH, GARCH and EWMA; those of the picture are the first."""
    found = fingerprints.data().by_forecast
    assert found.columns.to_list() == ["GJR-GARCH", "GARCH", "EWMA"]
    referee = {
        "China (MCHI)": [0.036, 0.042, 0.118],
        "emerging markets (EEM)": [0.014, 0.012, 0.104],
    }
    for name, p in referee.items():
        np.testing.assert_allclose(found.loc[name], p, atol=6e-4)
    day = drawn.table.query("event == 'mofcom-evaluating'").set_index("series")["p"]
    np.testing.assert_allclose(found["GJR-GARCH"], day[found.index], rtol=1e-6)
    assert drawn.alt.startswith(
        "On 2 May 2025 China (p 0.036 to 0.118) and emerging markets (p 0.012 to 0.104) moved "
        "unusually far by only some volatility forecasts. Of 70 cells 3.5 would be framed by "
        f"chance, {drawn.table['unusual'].sum()} are."
    )


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ([0.2, 0.2, 0.2], "neither the S&P 500 nor any of 6 funds moved unusually far"),
        ([0.01, 0.02, 0.03], "gold (GLD) moved unusually far"),
        ([0.01, 0.02, 0.3], "gold (p 0.010 to 0.300) moved unusually far by only some"),
    ],
)
def test_each_outcome_has_its_sentence(p, words):
    data = fingerprints.data()
    by_forecast = data.by_forecast * 0 + 0.5
    by_forecast.loc["gold (GLD)"] = p
    title = fingerprints.title(replace(data, by_forecast=by_forecast))
    assert title == f"On 2 May 2025 {words}" + (" volatility forecasts" if max(p) == 0.3 else "")


def test_what_some_forecasts_call_unusual_stands_after_what_all_do():
    data = fingerprints.data()
    by_forecast = data.by_forecast * 0 + 0.5
    by_forecast.loc["gold (GLD)"] = 0.01
    by_forecast.loc["the S&P 500"] = [0.01, 0.01, 0.2]
    title = fingerprints.title(replace(data, by_forecast=by_forecast))
    assert "gold (GLD) moved unusually far; the S&P 500 (p 0.010 to 0.200) by only some" in title
