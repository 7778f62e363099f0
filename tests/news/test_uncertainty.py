"""Trade-policy uncertainty in newspapers, by calendar day."""

import pandas as pd
import pytest

from impact.errors import DataFileError, DateError
from impact.market.files import data_path
from impact.news import uncertainty as module
from impact.news.uncertainty import load_uncertainty


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
