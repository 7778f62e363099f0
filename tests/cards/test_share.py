"""What came with news on a card: no more certain than the share behind it."""

import pandas as pd
import pytest

from impact.cards.share import came_with_news


def said(session, move=0.0144, sigma=0.0145):
    facts = {"sigma_conditional": sigma, "forecast_notes": [], "series": "S&P 500", "kind": "log"}
    when = {"session": pd.Timestamp(session), "estimate": move}
    return came_with_news(pd.Series(facts | when))


def test_a_guess_is_of_news_of_any_kind_and_names_the_share_behind_it():
    (guess, list_of_days), (rests,) = said("2025-05-02")
    assert guess == (
        "if 2 May was like the other news days of 2025, our best guess is that +1.0% came with "
        "news of any kind; anything from −0.9% to +3.3% fits"
    )
    assert rests == (
        "we estimate that 69% of the variance on the 59 news days of 2025 came with news; without "
        "the three largest days, 48%"
    )
    assert "people who knew the moves" in list_of_days


def test_a_share_that_could_be_none_says_so():
    assert said("2026-02-20")[0][1] == (
        "it could be none: news days did not clearly vary more than other days (p = 0.205)"
    )
    assert "none" not in str(said("2025-05-02"))


def test_a_share_that_rests_on_three_days_says_so():
    _, (rests,) = said("2018-03-22")
    assert rests.endswith("; without the three largest days, 7%, which could be none")


@pytest.mark.parametrize("session", ["2018-03-22", "2019-08-05", "2024-08-05", "2026-02-20"])
def test_every_sentence_is_short(session):
    guess, basis = said(session)
    assert all(len(sentence.split()) < 30 for sentence in [*guess, *basis])
