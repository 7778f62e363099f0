"""The fingerprint of a day: numbers against the single series, words against the numbers."""

from dataclasses import replace

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


def test_on_2_may_china_and_emerging_markets_moved_unusually_far_and_bonds_did_not(drawn):
    """Log returns as published beside the question: +3.5, +2.8 and -1.1%."""
    day = drawn.table.query("event == 'mofcom-evaluating'").set_index("security")
    returns = 100 * log_returns(load_prices("funds")).loc["2025-05-02"]
    assert returns[["MCHI", "EEM", "TLT"]].round(1).to_list() == [3.5, 2.8, -1.1]
    assert day.index[day["unusual"]].to_list() == ["MCHI", "EEM"]
    assert day.index.to_list() == ["^GSPC", "MCHI", "FXI", "EEM", "EFA", "GLD", "TLT"]
    assert set(FUNDS) == set(day.index[1:])
    assert "the S&P 500 and long US Treasuries (TLT) did not" in drawn.alt


@pytest.mark.parametrize(
    ("unusual", "words"), [(False, "neither the S&P 500 nor any of 6"), (True, "moved unusually")]
)
def test_each_outcome_has_its_sentence(unusual, words):
    data = fingerprints.data()
    title = fingerprints.title(replace(data, moves=data.moves.assign(unusual=unusual)))
    assert words in title and "did not" not in title
