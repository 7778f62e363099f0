"""`make data`: new rows are added, the others stay byte for byte, and what differs is shown."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from replica import bars, reply, yahoo_on_loopback

from impact.market.calendar import nyse_sessions
from impact.market.files import data_directory, data_path
from impact.market.refresh import FILES, main

TODAY = "2026-11-24"
#: A dividend after the committed rows took this much from each adjusted close before it.
PAID = 0.9875


table = lambda folder, name: pd.read_csv(folder / name, index_col="date", parse_dates=True)
contents = lambda folder: {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def data(tmp_path):
    return shutil.copytree(data_directory(), tmp_path / "data")


@pytest.fixture
def replica(tmp_path, data):
    """Yahoo has the committed closes and a made-up path after them."""
    with yahoo_on_loopback(tmp_path, f"{TODAY} 18:00") as replica:
        for name, tickers in FILES.items():
            for column, ticker in tickers.items():
                old = table(data, name)[column].dropna()
                days = nyse_sessions(old.index[-1], TODAY)[1:]
                path = old.iloc[-1] * np.exp(0.01 * np.sin(np.arange(1, len(days) + 1)))
                new = pd.Series(path, days)
                replica.rows[ticker] = bars(pd.concat([old, new]), pd.concat([PAID * old, new]))
                replica.meta[ticker] = {"instrumentType": "ETF" if column == ticker else "INDEX"}
        yield replica


def change(replica, ticker, row, factor):
    replica.rows[ticker][row][1:] = [factor * close for close in replica.rows[ticker][row][1:]]


def test_new_rows_are_added_and_the_others_stay_byte_for_byte(data, replica, capsys):
    before, old = contents(data), table(data, "sectors.csv")
    # Nothing is written before the last answer.
    replica.script = lambda asked: None if contents(data) == before else reply("too early", 500)
    assert main(data) == 0
    after, said, replica.script = contents(data), capsys.readouterr().out, lambda asked: None
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {*FILES, "README.md", "SHA256SUMS"}
    for name in FILES:
        rows = table(data, name)
        assert after[name].startswith(before[name]) and data_path(name, data)
        span = f"| {rows.index[0]:%Y-%m-%d}..{TODAY}, {len(rows):,} rows |"
        assert span in after["README.md"].decode()
        assert re.search(rf"{name}: \d+ new rows, [\d-]+ to {TODAY}; 0 differences\n", said)
    expected = [round(close, 2) for _, close, _ in replica.rows["^GSPC"]]
    np.testing.assert_array_equal(table(data, "sp500.csv")["close"], expected)
    # The funds paid: their total return is larger than the change of their prices.
    moved = table(data, "sectors.csv").iloc[len(old)] / old.iloc[-1] - 1
    rounded = 0.01 / old.iloc[-1].min()
    np.testing.assert_allclose(moved, np.exp(0.01 * np.sin(1)) / PAID - 1, atol=rounded)
    assert main(data) == 0 and contents(data) == after
    assert "vix.csv: 0 new rows; 0 differences\n0 files replaced" in capsys.readouterr().out


def test_what_differs_is_shown_and_not_taken(data, replica, capsys):
    before = contents(data)
    change(replica, "^GSPC", 100, 1.01)
    change(replica, "XLK", 100, 1.01)
    change(replica, "^VIX", 100, 1 + 0.004 / replica.rows["^VIX"][100][1])  # less than a cent
    del replica.rows["^GSPC"][200], replica.rows["^GSPC"][-3]
    assert main(data) == 0
    after, said = contents(data), capsys.readouterr().out
    assert all(after[name].startswith(before[name]) for name in FILES)
    assert re.search(r"\n  \d{4}-\d\d-\d\d \^GSPC: [\d,.]+, not [\d,.]+ as Yahoo", said)
    assert said.count("XLK: ") == 2 and "^VIX: " not in said
    assert "^GSPC: Yahoo Finance lacks the close of 2026-11-20, so the closes end before" in said
    assert table(data, "sp500.csv").index[-1] == pd.Timestamp("2026-11-19")


def spoil(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new))


LIMIT = lambda asked: reply("no", 429) if asked.symbol == "^VIX" else None
AT = {name: len(table(data_directory(), name)) - 1 for name in FILES}
LAST = "as Yahoo Finance has it: nothing was added; where the file is wrong"
WRONG = {
    "a last close": (lambda data, it: change(it, "^GSPC", AT["sp500.csv"], 1.01), LAST),
    "that of a fund": (lambda data, it: change(it, "XLY", AT["sectors.csv"], 1.01), LAST),
    "a limit": (lambda data, it: setattr(it, "script", LIMIT), "asked to be left alone"),
    "a level": (lambda data, it: change(it, "^VIX", -1, 0.3), "as close of '^VIX' on 2026-11-24"),
    "a jump": (lambda data, it: change(it, "XLB", -1, 3.0), "closes of 'XLB' that jump"),
    "no old session": (lambda data, it: it.rows["XLB"].__delitem__(slice(-9)), "no session of"),
    "a file": (lambda data, it: spoil(data / "events.csv", b"\n", b"\n\n"), "events.csv in"),
    "no span": (lambda data, it: spoil(data / "README.md", b" rows |", b"|"), "span of sp500.csv"),
    "no file": (lambda data, it: (data / "vix.csv").unlink(), "vix.csv cannot be read"),
    "no README": (lambda data, it: (data / "README.md").unlink(), "README.md"),
    "no sums": (lambda data, it: (data / "SHA256SUMS").unlink(), "SHA256SUMS cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_when_anything_is_wrong_nothing_is_replaced(name, data, replica, capsys):
    fault, says = WRONG[name]
    fault(data, replica)
    before = contents(data)
    assert main(data) == 1
    assert contents(data) == before
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
