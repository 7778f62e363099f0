"""Trade-policy uncertainty in newspapers, by calendar day."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from history import index_returns

from impact.errors import DataFileError, DateError, EventError
from impact.market.files import data_path
from impact.news import uncertainty as module
from impact.news.catalogue import load_events
from impact.news.uncertainty import load_uncertainty, uncertainty_days
from impact.study.event_study import event_study


def test_every_calendar_day_has_a_value():
    index = load_uncertainty()
    assert (index.name, index.index.name, len(index)) == ("tpu", "date", 3_456)
    assert index.index.equals(
        pd.date_range("2017-01-01", "2026-06-18", unit="us", name="date", freq=None)
    )
    assert (index >= 0).all() and (index.index.day_of_week >= 5).any()
    plain = pd.read_csv(data_path("tpu.csv"), index_col="date", parse_dates=["date"])["tpu"]
    assert index.to_list() == plain.to_list()


def test_newspapers_wrote_most_of_it_when_the_tariffs_came():
    months = load_uncertainty().resample("MS").mean()
    assert f"{months.idxmax():%Y-%m}" == "2025-04"
    years = load_uncertainty().groupby(lambda day: day.year).mean()
    assert years.idxmax() == 2025 and years.idxmin() == 2017


def test_a_span_is_chosen_as_prices_are():
    part = load_uncertainty(start="2025-04-05", end="2025-04-06")  # a weekend
    assert len(part) == 2 and set(part.attrs) == {"source", "hash"}
    part.iloc[:] = -1.0
    assert load_uncertainty(start="2025-04-05", end="2025-04-06").min() >= 0
    with pytest.raises(DateError, match="no row from 2026-06-19: the rows run from 2017-01-01 to"):
        load_uncertainty(start="2026-06-19")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2017-01-02,189.51\n", "", r"tpu\.csv: the day 2017-01-02 is missing: add its row"),
        ("2017-01-02,189.51", "2017-01-02,-189.51", "-189.51 on 2017-01-02 in column 'tpu' is no"),
        ("2017-01-02,189.51", "2017-01-02,nan", "nan on 2017-01-02"),
        ("2017-01-02,", "2017-01-01,", "2017-01-01 stands twice"),
    ],
)
def test_a_file_of_it_that_is_wrong_is_refused(tmp_path, monkeypatch, old, new, message):
    text = data_path("tpu.csv").read_text()
    assert text.count(old) == 1
    (tmp_path / "tpu.csv").write_text(text.replace(old, new))
    monkeypatch.setattr(module, "data_path", lambda name: tmp_path / name)
    with pytest.raises(DataFileError, match=message):
        module._uncertainty.__wrapped__("any")


# -- the days of most uncertainty ----------------------------------------------------------------


@pytest.mark.parametrize("of", ["level", "rise"])
def test_the_days_are_the_largest_of_the_file(of):
    rows = [line.split(",") for line in data_path("tpu.csv").read_text().split()[1:]]
    values = {day: float(value) for day, value in rows}
    if of == "rise":
        values = {b: values[b] - values[a] for a, b in pairwise(values)}
    largest = sorted(values, key=values.get)[-50:]
    days = uncertainty_days(of=of)
    assert [f"{day:%Y-%m-%d}" for day in days["newspapers"]] == sorted(largest)
    np.testing.assert_allclose(days["tpu"], [values[day] for day in sorted(largest)])


@pytest.mark.parametrize("of", ["level", "rise"])
def test_the_session_is_the_first_after_the_newspaper_and_never_its_own_day(of):
    sessions = index_returns().index
    for row in uncertainty_days(of=of).itertuples():
        assert row.session == min(day for day in sessions if day > row.newspapers)


def test_papers_of_a_weekend_and_of_a_day_of_falls_are_followed_by_the_next_session():
    level = uncertainty_days()
    saturday = level[level["newspapers"] == "2025-04-05"].iloc[0]
    assert saturday["session"] == pd.Timestamp("2025-04-07")
    # A paper of Thursday, the day of the fall, is followed by Friday.
    thursday = level[level["newspapers"] == "2025-04-03"].iloc[0]
    assert thursday["session"] == pd.Timestamp("2025-04-04")


def test_the_catalogue_is_asked_for_the_day_and_the_day_before():
    events = load_events()
    news = events.loc[events["news"], "announced_at"].str[:10]
    for row in uncertainty_days().itertuples():
        near = {f"{row.newspapers - pd.Timedelta(days=back):%Y-%m-%d}" for back in (0, 1)}
        assert row.catalogue == ";".join(news.index[news.isin(near)])
    assert 0.3 < (uncertainty_days()["catalogue"] != "").mean() < 0.5


def test_the_first_day_of_a_span_rises_above_the_day_before_it():
    rise = load_uncertainty().diff()["2025-04-01":"2025-04-30"]
    found = uncertainty_days(5, of="rise", start="2025-04-01", end="2025-04-30")
    largest = rise.sort_values().index[-5:]
    assert set(found["newspapers"]) == set(largest) and rise.index[0] in largest
    assert found.set_index("newspapers")["tpu"].to_dict() == rise[largest].to_dict()


def test_a_study_takes_them_and_days_of_one_session_are_one():
    days = uncertainty_days(5, start="2025-04-01", end="2025-04-30")
    study = event_study(index_returns()["2020":], days)
    assert len(study.car(0)) == days["session"].nunique() < 5
    assert study.dropped.empty and {"tpu", "newspapers"} <= set(study.alignment)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"of": "fall"}, "of='fall' is not known: use 'level' or 'rise'"),
        ({"of": ["level"]}, r"of=\['level'\] is not known"),
        ({"n": 0}, "n=0: give a whole number of days from 1 to 3,456"),
        ({"n": 50.0}, "n=50.0: give a whole number"),
        ({"n": True}, "n=True: give"),
        ({"n": 31, "start": "2025-04-01", "end": "2025-04-30"}, "from 1 to 30"),
        ({"n": 31, "of": "rise", "start": "2025-04-01", "end": "2025-04-30"}, "from 1 to 30"),
        ({"n": 31, "of": "rise", "end": "2017-01-31"}, "from 1 to 30"),
    ],
)
def test_what_is_no_number_of_days_is_refused(given, message):
    with pytest.raises(EventError, match=message):
        uncertainty_days(**given)
