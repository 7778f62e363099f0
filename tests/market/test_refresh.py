"""`make data`: new rows are added, the others stay byte for byte, and what differs is shown."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from replica import bars, reply, yahoo_on_loopback

from impact.errors import NoData
from impact.market import refresh
from impact.market.calendar import nyse_sessions
from impact.market.files import data_directory, data_path
from impact.market.prices import TABLES, read_committed
from impact.market.refresh import FILES, main
from impact.market.yahoo import SOUND
from impact.text.files import alone

TODAY = "2026-11-24"
#: A dividend after the committed rows took this much from each adjusted close before it.
PAID = 0.9875


tickers_of = lambda held, columns: (
    {column: column.replace("_", "-") for column in columns} if held in TABLES else {"close": held}
)
table = lambda folder, name: pd.read_csv(folder / name, index_col="date", parse_dates=True)
contents = lambda folder: {
    path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".lock")
}


@pytest.fixture
def data(tmp_path):
    return shutil.copytree(data_directory(), tmp_path / "data")


@pytest.fixture
def replica(tmp_path, data):
    """Yahoo has the committed closes and a made-up path after them."""
    with yahoo_on_loopback(tmp_path, f"{TODAY} 18:00") as replica:
        for name, held in refresh.FILES.items():  # a test may leave some out
            closes = table(data, name)
            for column, ticker in tickers_of(held, closes).items():
                old = closes[column].dropna()
                days = nyse_sessions(old.index[-1], TODAY)[1:]
                path = old.iloc[-1] * np.exp(0.01 * np.sin(np.arange(1, len(days) + 1)))
                new = pd.Series(path, days)
                replica.rows[ticker] = bars(pd.concat([old, new]), pd.concat([PAID * old, new]))
                replica.meta[ticker] = {"instrumentType": "ETF" if held in TABLES else "INDEX"}
        yield replica


def change(replica, ticker, row, factor):
    replica.rows[ticker][row][1:] = [factor * close for close in replica.rows[ticker][row][1:]]


def test_one_refresh_works_at_a_time(data, capsys):
    before = contents(data)
    with alone(data):
        assert main(data) == 1
    assert contents(data) == before
    assert "wait until the same command has ended elsewhere" in capsys.readouterr().err


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
        assert after[name].startswith(before[name]) or name == "funds.csv"
        assert data_path(name, data)
        span = f"| {rows.index[0]:%Y-%m-%d}..{TODAY}, {len(rows):,} rows |"
        assert span in after["README.md"].decode()
        assert re.search(rf"{name}: \d+ new rows, [\d-]+ to {TODAY}; 0 differences\n", said)
    expected = [round(close, 2) for _, close, _ in replica.rows["^GSPC"]]
    np.testing.assert_array_equal(table(data, "sp500.csv")["close"], expected)
    # Funds and firms paid: their total return is larger than the change of their prices.
    moved = table(data, "sectors.csv").iloc[len(old)] / old.iloc[-1] - 1
    rounded = 0.01 / old.iloc[-1].min()
    np.testing.assert_allclose(moved, np.exp(0.01 * np.sin(1)) / PAID - 1, atol=rounded)
    berkshire = table(data, "firms.csv")["BRK_B"].iloc[-2:]
    n = len(berkshire_days := replica.rows["BRK-B"])
    assert berkshire.iloc[1] == float(f"{berkshire_days[n - 1][1] / PAID:.5g}")
    assert main(data) == 0 and contents(data) == after
    assert "firms.csv: 0 new rows; 0 differences\n0 files replaced" in capsys.readouterr().out


@pytest.fixture
def few(monkeypatch):
    """Leave the firms alone: a hundred answers take a while."""
    files = {name: held for name, held in FILES.items() if name != "firms.csv"}
    monkeypatch.setattr("impact.market.refresh.FILES", files)


@pytest.mark.usefixtures("few")
def test_blanks_after_the_last_close_of_a_fund_are_filled_and_no_other_cell(data, replica):
    cells = lambda: pd.read_csv(data / "funds.csv", dtype="str", keep_default_na=False)
    old = cells()
    assert main(data) == 0
    new = cells()
    assert new[: len(old)].where(old != "", "").equals(old)
    filled = (new != "").loc[new["date"] > "2026-02-27"]
    assert filled.all(axis=None) and (new["MCHI"] == "").sum() == (old["date"] < "2021-03-01").sum()
    # The first new close has its return from the last old one.
    closes = table(data, "funds.csv")["MCHI"]["2026-02-27":]
    moved = np.log(closes.iloc[1] / closes.iloc[0])
    assert moved == pytest.approx(0.01 * np.sin(1) - np.log(PAID), abs=1e-4)


@pytest.mark.usefixtures("few")
def test_what_differs_is_shown_and_not_taken(data, replica, capsys):
    before = contents(data)
    change(replica, "^GSPC", -1000, 1.01)
    change(replica, "XLK", 100, 1.01)
    change(replica, "^VIX", 100, 1 + 0.004 / replica.rows["^VIX"][100][1])  # less than a cent
    del replica.rows["^GSPC"][-1100], replica.rows["^GSPC"][-3]
    assert main(data) == 0
    after, said = contents(data), capsys.readouterr().out
    assert all(after[name].startswith(before[name]) for name in FILES if name != "funds.csv")
    assert re.search(r"\n  \d{4}-\d\d-\d\d \^GSPC: [\d,.]+, not [\d,.]+ as Yahoo", said)
    assert said.count("XLK: ") == 2 and "^VIX: " not in said
    assert "^GSPC: Yahoo Finance lacks the close of 2026-11-20, so the closes end before" in said
    assert table(data, "sp500.csv").index[-1] == pd.Timestamp("2026-11-19")


@pytest.mark.usefixtures("few")
def test_typing_errors_and_saturdays_before_1976_are_no_differences(data, replica, capsys):
    since = bars(pd.Series(1.0, [SOUND]))[0][0]
    old = [row for row in replica.rows["^GSPC"] if row[0] < since]
    weekdays = nyse_sessions("1927-12-30", SOUND).day_of_week < 5
    saturdays = weekdays.size - weekdays.sum()
    assert saturdays > 1000
    for row in old[::400]:  # among them 48 and more of three times the close, or of none
        row[1:] = [3 * row[1], 0.0]
    replica.rows["^GSPC"] = [*old[::2], *replica.rows["^GSPC"][len(old) :]]
    assert main(data) == 0
    assert re.search(rf"sp500\.csv: \d+ new rows, [\d-]+ to {TODAY}; 0 d", capsys.readouterr().out)


DAYS = nyse_sessions("2026-11-09", "2026-11-17")


@pytest.fixture
def answered(monkeypatch):
    """Yahoo has the closes that a test gives it, of any ticker, and is asked nothing else."""
    held = {}
    monkeypatch.setattr("impact.market.yahoo.ask", lambda ticker, *_: held[ticker])
    monkeypatch.setattr("impact.market.yahoo.whole", lambda ticker, closes, _: (closes, []))
    return held


@pytest.mark.parametrize(
    ("adjusted", "limit"),
    # What two roundings of half a cent, or one, can do to ten dollars, and 0.02% beside it.
    [(True, 2 * 0.005 / 10 + 2e-4), (False, 0.005 / 10 + 2e-4)],
)
def test_closes_agree_as_far_as_the_rounding_of_the_file_allows(adjusted, limit, answered):
    old = pd.Series(10.0, DAYS[:5])
    for part, lines in ((0.99, 0), (1.01, 1), (-0.99, 0), (-1.01, 1)):
        away = np.exp(part * limit)
        # Adjusted closes keep the step: one return differs. Of others one close does.
        steps = [1, 1, away, *([away] * 4 if adjusted else [1, 1, 1.01, 1.02])]
        answered["XLB"] = pd.Series(10.0 * np.array(steps), DAYS), adjusted
        added, said = refresh._continued("XLB", old, 0.005, None)
        assert len(said) == lines and all(
            line.startswith(f"{DAYS[2]:%Y-%m-%d} XLB") for line in said
        )
        np.testing.assert_allclose(added, [10, 10] if adjusted else [10.1, 10.2])


@pytest.mark.parametrize(
    ("held", "cells", "closes", "written"),
    [
        # As many decimals as the file has; of firms five digits, as their closes are far apart.
        ("sectors", ["9.5", "9.75"], [9.5, 9.75, 9.876, 123.456], ["9.88", "123.46"]),
        ("sectors", ["9.5", "9.750"], [9.5, 9.75, 9.8764, 123.456], ["9.876", "123.456"]),
        ("firms", ["9.5", "9.75"], [9.5, 9.75, 9.87654, 1234.56], ["9.8765", "1234.6"]),
    ],
)
def test_new_closes_are_rounded_as_those_of_the_file(held, cells, closes, written, answered):
    answered["X-Y"] = pd.Series(closes, DAYS[:4]), True
    table = pd.DataFrame({"X_Y": cells}, DAYS[:2].strftime("%Y-%m-%d"))
    added, said = refresh._added(held, table, SimpleNamespace())
    assert added["X_Y"].to_dict() == dict(zip(DAYS[2:4].strftime("%Y-%m-%d"), written, strict=True))
    assert said == []


def test_a_firm_that_is_gone_stays_blank_and_the_others_go_on(data, replica, monkeypatch, capsys):
    monkeypatch.setattr("impact.market.refresh.FILES", {"firms.csv": "firms"})
    replica.script = gone("UBER")
    old = table(data, "firms.csv")
    for closing in ("; 1 difference\n", "firms.csv: 0 new rows; 1 difference\n"):
        assert main(data) == 0
        said = capsys.readouterr().out
        assert closing in said
        assert "no prices for 'UBER' (it says: No data found, symbol may be delisted)" in said
    new = read_committed("firms", data / "firms.csv")
    assert new.index[-1] == pd.Timestamp(TODAY)
    assert new["UBER"].last_valid_index() == old.index[-1]
    assert new.drop(columns="UBER").notna().all(axis=None)


def test_where_every_firm_is_gone_nothing_is_added(monkeypatch):
    def gone_too(ticker, *_):
        raise NoData(f"no prices for {ticker!r}")

    monkeypatch.setattr("impact.market.yahoo.ask", gone_too)
    held = pd.DataFrame({"A": ["9.5"], "B": ["8.5"]}, ["2026-11-20"])
    with pytest.raises(NoData, match="no prices for 'B', or leave its column as it ends"):
        refresh._added("firms", held, SimpleNamespace())


def spoil(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new))


def gone(ticker):
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    answer = reply({"chart": {"result": None, "error": error}}, 404)
    return lambda asked: answer if asked.symbol == ticker else None


LIMIT = lambda asked: reply("no", 429) if asked.symbol == "^VIX" else None
AT = {name: len(table(data_directory(), name)) - 1 for name in FILES}
LAST = "as Yahoo Finance has it: nothing was added; where the file is wrong"
WRONG = {
    "a last close": (lambda data, it: change(it, "^GSPC", AT["sp500.csv"], 1.01), LAST),
    "that of a fund": (lambda data, it: change(it, "XLY", AT["sectors.csv"], 1.01), LAST),
    "a limit": (lambda data, it: setattr(it, "script", LIMIT), "asked to be left alone"),
    "a level": (lambda data, it: change(it, "^VIX", -1, 0.3), "as close of '^VIX' on 2026-11-24"),
    "a jump": (lambda data, it: change(it, "XLB", -1, 3.0), "closes of 'XLB' that jump"),
    "a wild fund": (lambda data, it: change(it, "GLD", -1, 1.6), "in column 'GLD' follows"),
    "a fund gone": (lambda data, it: setattr(it, "script", gone("GLD")), "no prices for 'GLD'"),
    "no old session": (lambda data, it: it.rows["XLB"].__delitem__(slice(-9)), "no session of"),
    "a file": (lambda data, it: spoil(data / "events.csv", b"\n", b"\n\n"), "events.csv in"),
    "no span": (lambda data, it: spoil(data / "README.md", b" rows |", b"|"), "span of sp500.csv"),
    "no file": (lambda data, it: (data / "vix.csv").unlink(), "vix.csv cannot be read"),
    "no README": (lambda data, it: (data / "README.md").unlink(), "README.md"),
    "no sums": (lambda data, it: (data / "SHA256SUMS").unlink(), "SHA256SUMS cannot be read"),
}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", WRONG)
def test_when_anything_is_wrong_nothing_is_replaced(name, data, replica, capsys):
    fault, says = WRONG[name]
    fault(data, replica)
    before = contents(data)
    assert main(data) == 1
    assert contents(data) == before
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
