"""Tables kept on disk: the same bits, never those of other returns or other code."""

import json
import os
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from history import dated, garch_path

from impact.errors import HistoryError, ReturnsError
from impact.volatility import forecast, kept


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """Count the months that are fitted, with an empty folder of its own."""
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(tmp_path))
    calls = []
    fit = forecast.fit_variance
    monkeypatch.setattr(
        forecast, "fit_variance", lambda *args, **options: calls.append(1) or fit(*args, **options)
    )
    return calls


@pytest.fixture
def returns():
    return dated(garch_path(420, 3))


def files(tmp_path):
    return sorted(tmp_path.glob("volatility/*"))


def test_a_second_process_reads_the_same_bits(counted, returns, tmp_path):
    first = forecast.conditional_z(returns, model="ewma")
    fitted = len(counted)
    again = forecast.conditional_z(returns.copy(), model="ewma")
    assert fitted and len(counted) == fitted
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first.attrs == again.attrs and len(files(tmp_path)) == 1


def test_other_returns_dates_models_and_code_are_other_tables(
    counted, returns, tmp_path, monkeypatch
):
    forecast.conditional_z(returns, model="ewma")
    moved = returns.copy()
    moved.iloc[0] = np.nextafter(moved.iloc[0], 1)
    forecast.conditional_z(moved, model="ewma")
    later = returns.set_axis(returns.index + pd.Timedelta(days=7))
    assert forecast.conditional_z(later, model="ewma").index[-1] == later.index[-1]
    monkeypatch.setattr(kept, "_code", lambda: b"another rule")
    forecast.conditional_z(returns, model="ewma")
    assert len(files(tmp_path)) == 4


def test_what_cannot_be_kept_is_refused_by_the_function_itself(counted, returns, tmp_path):
    with pytest.raises(ReturnsError):
        forecast.conditional_z(returns.reset_index(drop=True), model="ewma")
    assert not files(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04K\x01.", None])
def test_a_broken_file_is_made_again(counted, returns, tmp_path, content):
    first = forecast.conditional_z(returns, model="ewma")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-30] if content is None else content)
    pd.testing.assert_frame_equal(forecast.conditional_z(returns, model="ewma"), first)
    assert len(files(tmp_path)) == 1
    fitted = len(counted)
    forecast.conditional_z(returns, model="ewma")
    assert len(counted) == fitted


def _zipped(**held):
    content = BytesIO()
    np.savez(content, **held)
    return content.getvalue()


ABOUT = json.dumps({"columns": ["z"], "attrs": {}})
ODD = {
    "more rows than there are": {"values": np.zeros((999, 1)), "about": ABOUT},
    "another number of columns": {"values": np.zeros((3, 2)), "about": ABOUT},
    "one number": {"values": np.array(5.0), "about": ABOUT},
    "no names": {"values": np.zeros((3, 1)), "about": "{}"},
    "a list": {"values": np.zeros((3, 1)), "about": "[]"},
    "objects": {"values": np.array([{}], dtype=object), "about": ABOUT},
}


@pytest.mark.parametrize("name", ODD)
def test_a_table_of_another_shape_is_none(name, returns, tmp_path):
    (tmp_path / "t.npz").write_bytes(_zipped(**ODD[name]))
    assert kept._read(tmp_path / "t.npz", returns.index) is None


@pytest.mark.parametrize("field", [8, 10], ids=["flags", "method"])
def test_a_bit_that_has_tipped_makes_no_other_table(field, returns, tmp_path):
    path = tmp_path / "t.npz"
    frame = pd.DataFrame({"z": np.arange(9.0)}, returns.index[-9:])
    kept._write(path, frame)
    whole = path.read_bytes()
    for bit in range(8):
        broken = bytearray(whole)
        broken[whole.index(b"PK\x01\x02") + field] ^= 1 << bit
        path.write_bytes(broken)
        found = kept._read(path, returns.index)
        assert found is None or found.equals(frame), bit


def test_a_folder_that_cannot_be_written_costs_time_alone(counted, returns, tmp_path, monkeypatch):
    first = forecast.conditional_z(returns, model="ewma")
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    monkeypatch.setenv("IMPACT_CACHE_DIR", str(occupied))
    pd.testing.assert_frame_equal(forecast.conditional_z(returns, model="ewma"), first)


def test_the_folder_does_not_grow_without_end(counted, returns, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 2)
    for days in range(4):
        forecast.conditional_z(returns.iloc[days:], model="ewma")
    assert len(files(tmp_path)) == 2


def test_what_a_killed_process_left_goes_with_the_oldest(counted, returns, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 2)
    left = tmp_path / "volatility" / ".a.npz.x.tmp"
    left.parent.mkdir()
    left.write_bytes(b"PK")
    os.utime(left, (0, 0))
    for days in range(2):
        forecast.conditional_z(returns.iloc[days:], model="ewma")
    assert not left.exists() and len(files(tmp_path)) == 2


def test_errors_are_not_kept(counted, returns, tmp_path):
    for _ in range(2):
        with pytest.raises(HistoryError):
            forecast.conditional_z(returns.iloc[:100], model="ewma")
    assert not files(tmp_path)
