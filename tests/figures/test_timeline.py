"""The timeline against the data, without the code that drew it."""

import io

import numpy as np
import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact.charts.page import drawing
from impact.figures import reaction_days, timeline
from impact.figures.exhibit import as_csv
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.news.catalogue import load_events
from impact.text.formats import MINUS


@pytest.fixture(scope="module")
def exhibit(made):
    return made("timeline")


def test_it_holds_the_closes_and_rates_as_they_are(exhibit):
    sessions = exhibit.table.dropna(subset="close").set_index("date")["close"]
    assert sessions.equals(load_prices(start="2024-12-01").rename_axis("date").rename("close"))
    rates = exhibit.table.set_index("date")["tariff_on_china"]
    path = rates[rates.diff().fillna(0) != 0]
    assert path.to_list() == [0.1, 0.2, 0.3, 1.04, 1.45, 0.3, 0.2, 0.1, 0.125]
    legal = pd.read_csv(data_path("tariff_rates.csv"), parse_dates=["effective_from"])
    assert set(path.index) <= set(legal["effective_from"])


def test_each_core_event_is_labelled_once_with_its_session(exhibit):
    labels = load_events(tags="core")["label"]
    drawn = "\n".join(text.get_text() for text in texts_of(exhibit.figure.axes[0]))
    for label in labels:
        assert drawn.count(label) == 1, label
    # Published: -4.84% on 3 April, +9.52% on 9 April, +1.47% on 2 May, +3.26% on 12 May.
    for words in (
        f"3 Apr  Liberation Day  {MINUS}4.8%",
        "China 125%  +9.5%",
        "talks  +1.5%",
        "145 to 30%  +3.3%",
        f"{MINUS}2.7%",
    ):
        assert words in drawn


def test_the_title_says_how_far_and_how_long(exhibit):
    # Closes of 2 April, 8 April and 2 May 2025: 5670.97, 4982.77, 5686.67.
    fall = f"{100 * (1 - 4982.77 / 5670.97):.1f}%"
    title = exhibit.alt.split(". ")[0]
    assert f"fell {fall} in the four days" in title
    assert "recovered by 2 May 2025, with the tariff on China at 145%" in title


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ([100, 101, 102], "never closed below its level of 1 April 2025, before Liberation Day"),
        ([100, 90, 95], "had not recovered by 3 April 2025"),
        ([100, 90, 100], "in the day after Liberation Day; it had recovered by 3 April 2025"),
    ],
)
def test_each_outcome_has_its_sentence(path, words):
    days = pd.bdate_range("2025-04-01", periods=3)
    rate = pd.Series([0.1], [days[0]])
    data = timeline.Timeline(pd.Series(path, days, float), rate, pd.DataFrame(), days[1])
    assert words in timeline.title(data)


def test_the_csv_reads_back(exhibit):
    table = pd.read_csv(io.StringIO(as_csv(exhibit.table)), parse_dates=["date"])
    assert len(table) == len(exhibit.table)


def test_labels_stay_clear_when_events_crowd():
    days = pd.bdate_range("2024-12-02", "2026-08-31")
    rng = np.random.default_rng(3)
    closes = pd.Series(6000 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days)))), days)
    events = pd.DataFrame(
        {
            "session": days[[80, 81, 82, 83, 84, 85, -2]],
            "text": [f"{i} A label of medium length  +1.0%" for i in range(7)],
            "kind": ["escalation", "easing"] * 3 + ["neither"],
        }
    )
    rate = pd.Series([0.0, 0.5, 0.2], pd.DatetimeIndex(["2025-01-20", "2025-04-05", "2026-02-01"]))
    with drawing():
        figure = timeline.draw(timeline.Timeline(closes, rate, events, days[80]))
    assert_words_are_clear(figure)
    assert set(events["text"]) <= {text.get_text() for text in texts_of(figure)}


def test_an_event_has_one_colour_in_all_pictures():
    ids = timeline.data().events.set_index("event")["kind"]
    days = reaction_days.data()
    for names, kind in zip(days["announcements"], days["kind"], strict=True):
        for name in names.split("; "):
            assert ids.get(name, kind) == kind, name
