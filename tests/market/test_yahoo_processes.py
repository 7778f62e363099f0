"""Live prices and the machine: processes that meet, die or run out of disk, and no network."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from replica import bars, yahoo_on_loopback

from impact.errors import Refused
from impact.market.calendar import nyse_sessions
from impact.market.yahoo import quotes
from impact.market.yahoo.cache import Stored, read_cache, refresh_lock, write_cache
from impact.market.yahoo.fetch import _fetch

TICKER, START = "^IDX", "2026-06-01"
SESSIONS = nyse_sessions(START, "2026-11-24")
CLOSES = pd.Series(6000 + 40 * np.sin(np.arange(len(SESSIONS))), SESSIONS, name=TICKER).round(2)
EVE = pd.Timestamp("2026-11-23 18:00", tz="America/New_York")
NOW = pd.Timestamp("2026-11-24 18:00", tz="America/New_York")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def yahoo(tmp_path, folder):
    with yahoo_on_loopback(tmp_path / "replica") as replica:
        replica.rows[TICKER] = bars(CLOSES)
        yield replica


@pytest.fixture
def client(yahoo):
    client = yahoo.client()
    yield client
    client.close()


def fetch(client, now=NOW):
    return _fetch(TICKER, START, None, now=now, client=client)


def assert_exact(prices, expected=CLOSES):
    pd.testing.assert_series_equal(prices, expected, check_freq=False)


def kept(folder):
    """The files of the cache, without the lock."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


# -- two processes -------------------------------------------------------------------------------

FETCH = """
import sys
import pandas as pd
from impact.market.yahoo.fetch import _fetch
print("ready", flush=True)
prices = _fetch("^IDX", "2026-06-01", None, now=pd.Timestamp("2026-11-24T23:00Z"))
print(len(prices), prices.attrs["hash"], prices.attrs["sessions_behind"])
"""


def test_two_processes_ask_once(yahoo, client, folder, tmp_path):
    # What other programs left of yfinance's own files does not matter.
    broken = tmp_path / "home" / "py-yfinance"
    broken.mkdir(parents=True)
    (broken / "tkr-tz.db").write_bytes(b"no database at all, " * 500)
    environment = {**os.environ, **yahoo.environment(), "XDG_CACHE_HOME": str(tmp_path / "home")}
    both_ready = threading.Event()

    def script(asked):
        if asked.symbol:
            both_ready.wait(10)

    yahoo.script = script
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([sys.executable, "-c", FETCH], env=environment, **pipes) for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    both_ready.set()
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert said[0] == said[1]
    assert said[0][0].split()[0] == str(len(CLOSES)) and said[0][1] == ""
    assert len(yahoo.charts_asked()) == 1
    yahoo.asked.clear()
    assert_exact(fetch(client))
    assert not yahoo.asked


def test_a_process_that_holds_closes_does_not_wait(yahoo, client, folder):
    fetch(client, EVE)
    asked = len(yahoo.asked)
    with refresh_lock(folder, TICKER, seconds=0) as mine:
        assert mine
        prices = fetch(client)
    assert_exact(prices, CLOSES[:-1])
    assert "another process is asking" in prices.attrs["notes"][0]
    assert len(yahoo.asked) == asked
    assert_exact(fetch(client))


# -- kill -9 -------------------------------------------------------------------------------------

DIE = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from impact.market.yahoo.cache import Stored, read_cache, write_cache
folder, last = Path(sys.argv[1]), int(sys.argv[2])
old = read_cache(folder, "^IDX")
day = pd.Timestamp("2026-11-24")
new = pd.concat([old.closes, pd.Series([float(sys.argv[3])], [day])]).rename_axis("date")
calls, fsync = [], os.fsync
def dying(handle):
    calls.append(handle)
    if len(calls) == last:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(handle)
os.fsync = dying
now = pd.Timestamp("2026-11-24T23:00Z")
write_cache(folder, "^IDX", Stored(new, "INDEX", old.since, day), now)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("step", "written"),
    [
        pytest.param(1, False, id="in the closes"),
        pytest.param(2, False, id="after the closes"),
        pytest.param(3, False, id="in the record"),
        pytest.param(4, True, id="after the record"),
    ],
)
def test_kill_9_during_a_write(step, written, yahoo, client, folder):
    fetch(client, EVE)
    run = subprocess.run(
        [sys.executable, "-c", DIE, folder, str(step), str(CLOSES.iloc[-1])], check=False
    )
    assert run.returncode == -signal.SIGKILL
    held = read_cache(folder, TICKER)
    assert_exact(held.closes, CLOSES if written else CLOSES[:-1])
    assert len(kept(folder)) > 2, "the dead process left something behind"
    # The next session: what was left is cleared away.
    tomorrow = pd.Series([6_000.0], [pd.Timestamp("2026-11-25")])
    yahoo.rows[TICKER] = bars(pd.concat([CLOSES, tomorrow]))
    prices = fetch(client, NOW + pd.Timedelta(days=1))
    assert_exact(prices[:-1])
    assert prices.iloc[-1] == 6_000.0
    assert len(kept(folder)) == 2


# -- the disk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [True, False], ids=["with a cache", "without"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_disk_full(call, held, yahoo, client, folder, monkeypatch):
    if held:
        fetch(client, EVE)
    before = read_cache(folder, TICKER)
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) >= call:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        prices = fetch(client)
    assert_exact(prices)
    assert prices.attrs["source"] == "Yahoo Finance"
    assert prices.attrs["notes"] == (
        f"{TICKER}: it could not be kept in {folder}: No space left on device",
    )
    after = read_cache(folder, TICKER)
    assert (after is None) == (before is None)
    if held:
        assert_exact(after.closes, CLOSES[:-1])
    assert not list(folder.glob("*.tmp"))
    assert_exact(fetch(client))
    assert_exact(read_cache(folder, TICKER).closes)


def test_folder_that_cannot_be_made(yahoo, client, folder):
    folder.write_text("a file stands in the way")
    prices = fetch(client)
    assert_exact(prices)
    assert "it could not be kept in" in prices.attrs["notes"][-1]


# -- the files of yfinance -----------------------------------------------------------------------


@pytest.fixture
def yfinance_files(tmp_path):
    """The folder of yfinance's own sqlite files, for a test to spoil."""
    import yfinance
    from yfinance import cache

    quotes._yfinance()
    usual = cache._TzDBManager.get_location()

    def move(folder):
        # The next question opens the files there: managers and caches hold on to what was open.
        yfinance.set_tz_cache_location(str(folder))
        cache._TzCacheManager._tz_cache = None

    folder = tmp_path / "yfinance"
    folder.mkdir()
    move(folder)
    yield folder
    move(usual)


def assert_kept_from_asking(yahoo, client, folder):
    """yfinance cannot work: what is stored answers, and a restart is proposed."""
    asked, before = len(yahoo.asked), kept(folder)
    prices = fetch(client)
    assert_exact(prices, CLOSES[:-1])
    assert "yfinance cannot use its own cache: restart Python" in prices.attrs["notes"][0]
    with pytest.raises(Refused, match="yfinance cannot use its own cache: restart Python"):
        _fetch(TICKER, START, None, now=NOW, client=client, cache=False)
    assert (len(yahoo.asked), kept(folder)) == (asked, before)


def test_sqlite_corrupt(yahoo, client, folder, yfinance_files):
    write_cache(folder, TICKER, Stored(CLOSES[:-1], "INDEX", SESSIONS[0], SESSIONS[-2]), EVE)
    (yfinance_files / "tkr-tz.db").write_bytes(b"no database at all, " * 500)
    assert_kept_from_asking(yahoo, client, folder)


def test_sqlite_locked(yahoo, client, folder, yfinance_files):
    from yfinance.cache import get_tz_cache

    fetch(client, EVE)
    # yfinance waits five seconds by itself.
    get_tz_cache().db.execute_sql("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(yfinance_files / "tkr-tz.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert_kept_from_asking(yahoo, client, folder)
    finally:
        other.close()


# -- no network ----------------------------------------------------------------------------------


def test_without_a_network_the_history_answers_and_says_so(folder):
    """One sentence on stderr, whether or not logging was set up."""
    environment = {
        **os.environ,
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "",
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
    }
    code = "import impact.market.yahoo; print(impact.market.yahoo.fetch_prices('^GSPC').tail())"
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "2026-08-31    7686.14" in run.stdout
    (sentence,) = run.stderr.splitlines()
    assert sentence.startswith("^GSPC: used committed history (4 January 1999 to 31 August 2026, ")
    assert "Yahoo Finance cannot be reached" in sentence and "HTTPS_PROXY" in sentence
