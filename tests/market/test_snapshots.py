"""`make data`: new rows are added, changed ones shown and refused; all files change or none."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from replica import Reply, bars, yahoo_on_loopback

from impact.market import files
from impact.market.calendar import nyse_sessions
from impact.market.prices import SECTORS
from impact.market.yahoo import snapshots

DATA = Path(__file__).parents[2] / "data"
NAMES = ("sp500.csv", "sectors.csv", "vix.csv")
NOW = pd.Timestamp("2026-11-24 18:00", tz="America/New_York")
#: A dividend after the committed rows took this much from each adjusted close before it.
PAID = 0.9875


def table(name, directory=DATA):
    return pd.read_csv(directory / name, index_col="date", parse_dates=True)


def followed(closes, until):
    """Committed closes and a made-up path after them."""
    days = nyse_sessions(closes.index[-1], until)[1:]
    path = closes.iloc[-1] * np.exp(0.01 * np.sin(np.arange(1, len(days) + 1)))
    return pd.concat([closes, pd.Series(path, index=days)])


def publish(replica, until="2026-11-24"):
    """Make the replica publish the committed closes and what follows them."""
    for name, ticker in (("sp500.csv", "^GSPC"), ("vix.csv", "^VIX")):
        replica.rows[ticker] = bars(followed(table(name)["close"], until))
    replica.meta["^VIX"] = {"exchangeTimezoneName": "America/Chicago"}
    sectors = table("sectors.csv")
    for ticker in SECTORS:
        closes = followed(sectors[ticker], until)
        adjusted = closes.where(closes.index > sectors.index[-1], PAID * closes)
        replica.rows[ticker] = bars(closes, adjusted)
        replica.meta[ticker] = {"instrumentType": "ETF"}


@pytest.fixture
def yahoo(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path / "cache"))
    with yahoo_on_loopback(tmp_path / "replica") as replica:
        publish(replica)
        yield replica


@pytest.fixture
def refresh(yahoo):
    client = yahoo.client()
    yield lambda *arguments: snapshots.main(
        [str(argument) for argument in arguments], now=NOW, client=client
    )
    client.close()


@pytest.fixture
def data(tmp_path):
    """A copy of the data directory that a test may change."""
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def change(replica, ticker, day, factor):
    """Publish another close of one session, and of it alone."""
    i = next(
        i
        for i, row in enumerate(replica.rows[ticker])
        if pd.Timestamp(row[0], unit="s").normalize() == pd.Timestamp(day)
    )
    row = replica.rows[ticker][i]
    replica.rows[ticker][i] = (row[0], *(factor * x for x in row[1:5]), row[5], factor * row[6])


def test_new_rows_are_added_and_the_others_stay_byte_for_byte(data, refresh, capsys):
    before = contents(data)
    assert refresh(data) == 0
    after = contents(data)
    for name in NAMES:
        assert after[name].startswith(before[name])
        assert len(after[name]) > len(before[name])
        assert table(name, data).index[-1] == pd.Timestamp("2026-11-24")
    assert set(after) == set(before)
    untouched = set(before) - {*NAMES, "README.md", "SHA256SUMS"}
    assert all(after[name] == before[name] for name in untouched)
    said = capsys.readouterr().out
    assert "sp500.csv: 60 new rows, 2026-09-01 to 2026-11-24; no close changed" in said
    assert said.endswith("3 files replaced: sp500.csv, sectors.csv and vix.csv\n")


def test_new_closes_are_those_that_were_published(data, refresh, yahoo):
    assert refresh(data) == 0
    expected = followed(table("sp500.csv")["close"], "2026-11-24").round(2)
    pd.testing.assert_series_equal(
        table("sp500.csv", data)["close"], expected, check_names=False, check_freq=False
    )


def test_a_dividend_is_part_of_the_return_and_no_change(data, refresh):
    assert refresh(data) == 0
    sectors = table("sectors.csv", data)
    last, first = pd.Timestamp("2025-12-30"), pd.Timestamp("2025-12-31")
    # The fund paid: its total return is larger than the change of its price.
    expected = np.exp(0.01 * np.sin(1)) / PAID - 1
    changes = sectors.loc[first] / sectors.loc[last] - 1
    np.testing.assert_allclose(changes, expected, atol=0.01 / sectors.loc[last].min())


def test_checksums_and_dates_follow(data, refresh):
    assert refresh(data) == 0
    for name in NAMES:
        assert files.data_path(name, data) == data / name
        row = next(
            line
            for line in (data / "README.md").read_text(encoding="utf-8").splitlines()
            if line.startswith(f"| `{name}` |")
        )
        rows = table(name, data)
        assert f"| {rows.index[0]:%Y-%m-%d}..2026-11-24, {len(rows):,} rows |" in row
    old, new = ((place / "README.md").read_text(encoding="utf-8") for place in (DATA, data))
    span = r"\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d, [\d,]+ rows"
    assert re.sub(span, "", new) == re.sub(span, "", old)


def test_a_second_refresh_finds_nothing(data, refresh, capsys):
    assert refresh(data) == 0
    before = contents(data)
    capsys.readouterr()
    assert refresh(data) == 0
    assert contents(data) == before
    said = capsys.readouterr().out.splitlines()
    assert said == [
        *(f"{name}: no new row; no close changed" for name in NAMES),
        "0 files replaced",
    ]


def test_changed_closes_are_shown_and_refused(data, refresh, yahoo, capsys):
    change(yahoo, "^GSPC", "2025-04-09", 1.01)
    change(yahoo, "XLK", "2025-06-12", 1.01)
    before = contents(data)
    assert refresh(data) == 1
    assert contents(data) == before
    said = capsys.readouterr()
    assert "sp500.csv: 60 new rows, 2026-09-01 to 2026-11-24; 1 close changed" in said.out
    assert "  2025-04-09 ^GSPC: 5,456.90 -> 5,511.47\n" in said.out
    # A close that moves alone moves two changes of a day.
    assert said.out.count("XLK: change of the day") == 2
    assert said.err == (
        "Yahoo Finance contradicts committed closes in sp500.csv and sectors.csv: nothing was "
        "replaced; to take its word run make data FORCE=1\n"
    )


def test_force_takes_them_over(data, refresh, yahoo):
    change(yahoo, "^GSPC", "2025-04-09", 1.01)
    assert refresh("--force", data) == 0
    assert table("sp500.csv", data)["close"]["2025-04-09"] == 5511.47
    assert files.data_path("sp500.csv", data)
    assert contents(data)["vix.csv"].startswith(contents(DATA)["vix.csv"])


@pytest.mark.parametrize(("cents", "status"), [(0.4, 0), (1.5, 1)])
def test_committed_closes_are_rounded_to_cents(cents, status, data, refresh, yahoo):
    vix = table("vix.csv")["close"]
    change(yahoo, "^VIX", vix.idxmin(), 1 + cents / 100 / vix.min())
    assert refresh(data) == status


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(Reply("<html>", 503, "text/html"), "something other than prices", id="503"),
        pytest.param(Reply("no", 429), "asked to be left alone", id="429"),
        pytest.param(Reply(cut=True), "the connection was cut", id="cut"),
    ],
)
def test_when_one_ticker_fails_nothing_is_replaced(fault, said, data, refresh, yahoo, capsys):
    # The last of the thirteen.
    yahoo.script = lambda asked: fault if asked.symbol == "^VIX" else None
    before = contents(data)
    assert refresh(data) == 1
    assert contents(data) == before
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_row_that_breaks_a_rule_replaces_nothing(data, refresh, yahoo, capsys):
    # No jump beyond what is allowed, but a level that the VIX has never had.
    rows = yahoo.rows["^VIX"]
    for i, factor in ((-3, 2.2), (-2, 4.8), (-1, 10.5)):
        level = factor * rows[-4][4]
        rows[i] = (rows[i][0], *[level] * 4, 1000, level)
    before = contents(data)
    assert refresh(data) == 1
    assert contents(data) == before
    assert "lies outside 5 to 150" in capsys.readouterr().err


def test_a_full_disk_replaces_nothing(data, refresh, monkeypatch, capsys):
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")

    before = contents(data)
    monkeypatch.setattr(os, "fsync", full)
    assert refresh(data) == 1
    assert contents(data) == before
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["sectors.csv", "README.md", "SHA256SUMS"])
def test_a_rename_that_fails_puts_the_others_back(at, data, refresh, monkeypatch, capsys):
    rename = os.replace

    def failing(old, new):
        if Path(new) == data / at:
            raise PermissionError(13, "Permission denied")
        rename(old, new)

    before = contents(data)
    monkeypatch.setattr(os, "replace", failing)
    assert refresh(data) == 1
    assert contents(data) == before
    assert "Permission denied" in capsys.readouterr().err


def test_a_file_that_changed_unnoticed_is_not_accepted_on_the_way(data, refresh, yahoo, capsys):
    events = data / "events.csv"
    events.write_bytes(events.read_bytes() + b"\n")
    before = contents(data)
    assert refresh(data) == 1
    assert contents(data) == before
    assert "events.csv" in capsys.readouterr().err
    assert not yahoo.asked


def test_a_dictionary_without_the_span_is_refused(data, refresh, capsys):
    path = data / "README.md"
    path.write_text(path.read_text(encoding="utf-8").replace("2,177 rows", ""), encoding="utf-8")
    before = contents(data)
    assert refresh(data) == 1
    assert contents(data) == before
    assert "README.md does not give the span of sp500.csv once" in capsys.readouterr().err


def test_a_session_that_is_lost_now_is_kept(data, refresh, yahoo, capsys):
    del yahoo.rows["^GSPC"][1_000]
    assert refresh(data) == 0
    assert contents(data)["sp500.csv"].startswith(contents(DATA)["sp500.csv"])
    assert "^GSPC: Yahoo Finance lacks the close of 2021-12-21" in capsys.readouterr().out


def test_the_command_runs_by_itself(data, yahoo, tmp_path):
    publish(yahoo, until=pd.Timestamp.now().normalize())
    run = subprocess.run(
        [sys.executable, "-m", "impact.market.yahoo.snapshots", str(data)],
        env={**os.environ, **yahoo.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("3 files replaced: sp500.csv, sectors.csv and vix.csv\n")
