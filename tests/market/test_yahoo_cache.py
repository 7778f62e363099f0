"""Live prices on disk: exact after a round trip, whole or absent, and one writer at a time."""

import hashlib
import json
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from impact.errors import DataFileError
from impact.market.calendar import nyse_sessions
from impact.market.yahoo import cache
from impact.market.yahoo.cache import Stored, read_cache, record_path, write_cache

SESSIONS = nyse_sessions("2026-06-01", "2026-11-24")
NOW = pd.Timestamp("2026-11-24 18:00", tz="America/New_York")


def stored(seed=0):
    steps = np.random.default_rng(seed).normal(0, 0.01, len(SESSIONS))
    closes = pd.Series(100 * np.exp(steps.cumsum()), SESSIONS, name="^IDX")
    return Stored(closes, "INDEX", SESSIONS[0], SESSIONS[-1])


def record(folder, ticker="^IDX"):
    return json.loads(record_path(folder, ticker).read_bytes())


def test_closes_survive_the_round_trip_to_the_last_bit(tmp_path):
    write_cache(tmp_path, "^IDX", stored(), NOW)
    read = read_cache(tmp_path, "^IDX")
    pd.testing.assert_series_equal(read.closes, stored().closes, check_exact=True, check_freq=False)
    assert (read.instrument, read.since, read.session) == ("INDEX", SESSIONS[0], SESSIONS[-1])


def test_the_record_says_what_it_is(tmp_path):
    write_cache(tmp_path, "^IDX", stored(), NOW)
    said = record(tmp_path)
    content = (tmp_path / said["file"]).read_bytes()
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert said["fetched_at"] == "2026-11-24T18:00:00-05:00"
    assert said["rows"] == len(SESSIONS) == content.count(b"\n") - 1
    assert set(said["versions"]) == {"yfinance", "pandas"}


def test_nothing_is_held_of_a_ticker_that_was_never_fetched(tmp_path):
    assert read_cache(tmp_path, "^IDX") is None
    assert read_cache(tmp_path / "no folder", "^IDX") is None


def test_a_new_answer_takes_the_place_of_the_old_one(tmp_path):
    for seed in (0, 1):
        write_cache(tmp_path, "^IDX", stored(seed), NOW)
    assert read_cache(tmp_path, "^IDX").closes.equals(stored(1).closes)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [("BRK", "BRK.B"), ("BRK-B", "BRK"), ("^X", "X"), ("A/B", "A"), ("CON", "NUL")],
)
def test_files_of_two_tickers_do_not_meet(one, other, tmp_path):
    write_cache(tmp_path, one, stored(0), NOW)
    write_cache(tmp_path, other, stored(1), NOW)
    write_cache(tmp_path, one, stored(2), NOW)
    write_cache(tmp_path, other, stored(3), NOW)
    assert read_cache(tmp_path, one).closes.to_list() == stored(2).closes.to_list()
    assert read_cache(tmp_path, other).closes.to_list() == stored(3).closes.to_list()
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))
    assert not any(path.stem.split(".")[0].upper() in ("CON", "NUL") for path in tmp_path.iterdir())


# -- broken files --------------------------------------------------------------------------------


def rewrite(folder, content):
    """Replace the closes and keep the record in order."""
    said = record(folder)
    (folder / said["file"]).write_bytes(content)
    said["sha256"] = hashlib.sha256(content).hexdigest()
    record_path(folder, "^IDX").write_text(json.dumps(said))


def edit_closes(change):
    def spoil(folder):
        path = folder / record(folder)["file"]
        path.write_bytes(change(path.read_bytes()))

    return spoil


def edit_record(change):
    def spoil(folder):
        said = record(folder)
        change(said)
        record_path(folder, "^IDX").write_text(json.dumps(said))

    return spoil


BROKEN = {
    "closes cut short": edit_closes(lambda content: content[:-200]),
    "one digit of a close": edit_closes(lambda content: content.replace(b"1", b"2", 1)),
    "last digit of the last close": edit_closes(
        lambda content: content[:-2] + (b"2" if content[-2:-1] == b"1" else b"1") + b"\n"
    ),
    "closes empty": edit_closes(lambda content: b""),
    "closes missing": lambda folder: (folder / record(folder)["file"]).unlink(),
    "record cut short": lambda folder: record_path(folder, "^IDX").write_text('{"ticker": "^ID'),
    "record empty": lambda folder: record_path(folder, "^IDX").write_text(""),
    "record of another kind": lambda folder: record_path(folder, "^IDX").write_text("[1, 2]"),
    "record is no text": lambda folder: record_path(folder, "^IDX").write_bytes(b"\xff\xfe\x00"),
    "record of another ticker": edit_record(lambda said: said.update(ticker="AAPL")),
    "record without a date": edit_record(lambda said: said.pop("since")),
    "record with a word as date": edit_record(lambda said: said.update(session="yesterday")),
    "record names a folder": edit_record(lambda said: said.update(file=".")),
    "a row twice": lambda folder: rewrite(folder, b"date,close\n2026-06-01,1.0\n2026-06-01,1.0\n"),
    "rows out of order": lambda folder: rewrite(
        folder, b"date,close\n2026-06-02,1.0\n2026-06-01,1.0\n"
    ),
    "a negative close": lambda folder: rewrite(folder, b"date,close\n2026-06-01,-1.0\n"),
    "a close that lacks": lambda folder: rewrite(folder, b"date,close\n2026-06-01,\n"),
    "no row": lambda folder: rewrite(folder, b"date,close\n"),
    "another column": lambda folder: rewrite(folder, b"date,price\n2026-06-01,1.0\n"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_files_are_named_and_a_new_answer_mends_them(fault, tmp_path):
    write_cache(tmp_path, "^IDX", stored(), NOW)
    BROKEN[fault](tmp_path)
    with pytest.raises(DataFileError, match=r"close-%5EIDX\.json are left aside: "):
        read_cache(tmp_path, "^IDX")
    write_cache(tmp_path, "^IDX", stored(1), NOW)
    assert read_cache(tmp_path, "^IDX").closes.equals(stored(1).closes)


def test_a_reader_sees_one_answer_or_the_other(tmp_path):
    """Files change under a reader forty times; each time it gets one whole series."""
    write_cache(tmp_path, "^IDX", stored(0), NOW)
    whole = [stored(0).closes, stored(1).closes]

    def write():
        for i in range(40):
            write_cache(tmp_path, "^IDX", stored(i % 2), NOW)

    writer = threading.Thread(target=write)
    writer.start()
    read = []
    while writer.is_alive():
        read.append(read_cache(tmp_path, "^IDX").closes)
    writer.join()
    assert read
    assert all(any(closes.equals(one) for one in whole) for closes in read)


# -- writing -------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    cache.write_atomically(path, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            cache.write_atomically(path, b"new")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.txt": b"old"}
    cache.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_stay_as_they_were(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o644)
    cache.write_atomically(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_folder_is_the_one_that_was_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.setenv("IMPACT_CACHE_DIR", "~/prices")
    assert cache.cache_folder() == Path.home() / "prices"
    monkeypatch.delenv("IMPACT_CACHE_DIR")
    assert cache.cache_folder().name == "tariff-impact"


def test_one_at_a_time(tmp_path):
    with cache.refresh_lock(tmp_path, "^IDX", seconds=0) as first:
        with cache.refresh_lock(tmp_path, "^IDX", seconds=0) as second:
            assert (first, second) == (True, False)
        with cache.refresh_lock(tmp_path, "SPY", seconds=0) as other:
            assert other
    with cache.refresh_lock(tmp_path, "^IDX", seconds=0) as again:
        assert again


# -- the cool-down -------------------------------------------------------------------------------


def test_each_cool_down_is_twice_as_long_up_to_six_hours(tmp_path):
    now, minutes = NOW, []
    for _ in range(6):
        until = cache.start_cool_down(tmp_path, now)
        assert cache.cool_down_until(tmp_path, until - pd.Timedelta(seconds=1)) == until
        assert cache.cool_down_until(tmp_path, until) is None
        minutes.append((until - now) / pd.Timedelta(minutes=1))
        now = until
    assert minutes == [30, 60, 120, 240, 360, 360]
    cache.end_cool_down(tmp_path)
    assert cache.cool_down_until(tmp_path, now) is None
    assert cache.start_cool_down(tmp_path, now) == now + pd.Timedelta(minutes=30)


def test_a_clock_that_was_set_back_does_not_prolong_it(tmp_path):
    cache.start_cool_down(tmp_path, NOW)
    assert cache.cool_down_until(tmp_path, NOW - pd.Timedelta(days=1)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"not_before": "soon", "minutes": 30}',
        '{"not_before": "2026-11-24T23:30:00+00:00"}',
        '{"not_before": "2026-11-24T23:30:00+00:00", "minutes": -1}',
        '{"not_before": null, "minutes": null}',
    ],
)
def test_an_unreadable_cool_down_never_was(text, tmp_path):
    (tmp_path / "cool-down.json").write_text(text)
    assert cache.cool_down_until(tmp_path, NOW) is None
    assert cache.start_cool_down(tmp_path, NOW) == NOW + pd.Timedelta(minutes=30)
