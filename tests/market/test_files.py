"""Committed data: every file is listed with its checksum, and a changed one is refused."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from impact.errors import DataFileError
from impact.market import files
from impact.text.files import alone

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def copy(tmp_path):
    """A copy of the data directory that a test may spoil."""
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def test_sums_are_those_that_sha256sum_would_write():
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    expected = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(DATA.glob("*.csv"))
    ]
    assert lines == expected


def test_a_package_without_its_data_says_where_they_should_be(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "__file__", str(tmp_path / "impact" / "market" / "files.py"))
    with pytest.raises(DataFileError, match=r"no data files are in .*impact.data or .*: install t"):
        files.data_directory.__wrapped__()


def test_the_source_tree_reads_its_own_files():
    assert files.data_directory() == DATA
    assert files.data_path("sp500.csv") == DATA / "sp500.csv"
    digest = hashlib.sha256((DATA / "sp500.csv").read_bytes()).hexdigest()
    assert files.data_hash("sp500.csv") == digest[:12]


def test_a_changed_file_is_refused_and_named_with_the_way_out(copy):
    path = copy / "sp500.csv"
    path.write_bytes(path.read_bytes().replace(b"5686.67", b"5686.68"))
    spoiled = path.read_bytes()
    with pytest.raises(DataFileError, match=r"sp500\.csv .* make data-accept"):
        files.data_path("sp500.csv", copy)
    assert path.read_bytes() == spoiled
    assert files.data_path("vix.csv", copy) == copy / "vix.csv"


def test_a_deliberate_change_is_accepted_by_name(copy):
    assert files.accept_changes(copy) == []
    path = copy / "sp500.csv"
    path.write_bytes(path.read_bytes().replace(b"5686.67", b"5686.68"))
    (copy / "extra.csv").write_text("a\n1\n")
    (copy / "vix.csv").unlink()
    assert files.accept_changes(copy) == ["extra.csv", "sp500.csv", "vix.csv"]
    assert files.data_path("sp500.csv", copy) == path
    assert files.accept_changes(copy) == []


def test_the_command_says_what_it_accepted(copy, capsys):
    (copy / "extra.csv").write_text("a\n1\n")
    assert files.main([str(copy)]) == 0
    assert capsys.readouterr().out == "1 file accepted: extra.csv\n"


def test_unknown_and_missing_files_are_named(copy):
    with pytest.raises(DataFileError, match=r"'prices\.csv' is not one of .* 'sp500\.csv'|sp500"):
        files.data_path("prices.csv", copy)
    (copy / "vix.csv").unlink()
    with pytest.raises(DataFileError, match=r"vix\.csv cannot be read .*: restore it"):
        files.data_path("vix.csv", copy)
    (copy / "SHA256SUMS").unlink()
    with pytest.raises(DataFileError, match="SHA256SUMS cannot be read"):
        files.data_path("sp500.csv", copy)


# -- writing -------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_readable_by_all(tmp_path):
    path = tmp_path / "new" / "a.csv"
    for content, expected in (("é\n", b"\xc3\xa9\n"), ("a\r\n", b"a\r\n"), (b"\xff", b"\xff")):
        files.write_atomically(path, content)
        assert path.read_bytes() == expected
        assert path.stat().st_mode & 0o777 == 0o644 or os.name == "nt"
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(step, tmp_path, monkeypatch):
    def fail(*args):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.csv"
    path.write_text("old")
    monkeypatch.setattr(f"{'tempfile' if step == 'mkstemp' else 'os'}.{step}", fail)
    with pytest.raises(
        DataFileError, match=r"a\.csv cannot be written \(Permission denied\): make"
    ):
        files.write_atomically(path, "new")
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "old"


def test_what_a_killed_process_left_goes_and_the_work_of_a_living_one_stays(tmp_path):
    left, living, other = (tmp_path / f".{name}.tmp" for name in ("a.csv.x1", "a.csv.x2", "b.csv"))
    for path in (left, living, other):
        path.write_text("half a")
    for path in (left, other):
        os.utime(path, (0, 0))
    files.write_atomically(tmp_path / "a.csv", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", living.name, other.name}


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(DataFileError, match=r"a\.csv cannot be written"):
        files.write_atomically(tmp_path / "folder" / "a.csv", "new")


#: Dies by kill -9 before the last of so many calls of a function of os.
DIE = """
import os, signal, sys
from pathlib import Path
from impact.market.files import replace_accepted
name, left = sys.argv[2], [int(sys.argv[3])]
usual = getattr(os, name)
def dying(*args):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*args)
setattr(os, name, dying)
replace_accepted(Path(sys.argv[1]), {"sp500.csv": b"a,b\\n", "README.md": b"text"})
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("die", ["fsync 2", "replace 1", "replace 2", "replace 3", "replace 4"])
def test_kill_9_at_any_moment_leaves_whole_and_accepted_files(die, copy):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    new = {"sp500.csv": b"a,b\n", "README.md": b"text"}
    run = subprocess.run([sys.executable, "-c", DIE, copy, *die.split()], check=False)
    assert run.returncode == -signal.SIGKILL
    for name in before.keys() - {"SHA256SUMS"}:
        assert (copy / name).read_bytes() in (before[name], new.get(name))
        assert name == "README.md" or files.data_path(name, copy)
    # The next time finishes the work and clears up.
    files.replace_accepted(copy, new)
    assert {path.name for path in copy.iterdir()} == before.keys()
    assert all((copy / name).read_bytes() == new[name] for name in new)
    assert files.accept_changes(copy) == []


# -- the data dictionary -------------------------------------------------------------------------

README = (DATA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.name)
def test_every_file_and_column_is_in_the_dictionary(path):
    section = README.split("## File by file")[1]
    heading = next(part for part in section.split("\n### ") if f"`{path.name}`" in part[:60])
    for column in path.read_text(encoding="utf-8").splitlines()[0].split(","):
        assert f"`{column}`" in heading, column
    row = next(line for line in README.splitlines() if line.startswith(f"| `{path.name}` |"))
    assert row


@pytest.mark.parametrize(
    "name",
    [
        "sp500.csv",
        "sectors.csv",
        "vix.csv",
        "funds.csv",
        "firms.csv",
        "firms_about.csv",
        "factors.csv",
        "spy_5min.csv",
        "tpu.csv",
        "tariff_rates.csv",
        "events.csv",
        "macro_releases.csv",
        "macro_surprises.csv",
        "published_results.csv",
        "hypotheses.csv",
        "calibration.csv",
    ],
)
def test_counts_and_spans_in_the_table_are_those_of_the_files(name):
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
    table = pd.read_csv(DATA / name)
    assert f" {len(table):,} rows" in row
    for column in {"date", "time"} & set(table):
        first, last = table[column].iloc[[0, -1]]
        assert f"{first}.." in row and f"..{last}" in row
    if "effective_from" in table:
        assert f"{table['effective_from'].iloc[0]}.." in row


def test_no_file_is_larger_than_a_person_can_open():
    assert max(path.stat().st_size for path in DATA.glob("*.csv")) < 2_000_000


def test_each_file_says_how_it_is_kept_and_on_what_terms():
    for path in DATA.glob("*.csv"):
        section = README.split(f"### `{path.name}`\n")[1].split("\n### ")[0]
        assert re.search("Refreshed by|Changed by hand|Written by", section), path.name
        assert "terms" in section.lower(), path.name
    five_minutes = README.split("### `spy_5min.csv`\n")[1].split("\n### ")[0]
    assert "without stated terms: replace it with bars of your own by" in " ".join(
        five_minutes.replace("**", "").split()
    )


@pytest.mark.parametrize(
    "column",
    [
        "time_basis",
        "direction",
        "counterparty",
        "instrument",
        "status",
        "primary_source",
        "confidence",
    ],
)
def test_allowed_values_of_the_catalogue_are_those_that_occur(column):
    from impact.news.catalogue import load_events

    line = next(line for line in README.splitlines() if line.startswith(f"| `{column}` |"))
    listed = set(re.findall(r"`([^`]+)`", line.split("|")[3]))
    cells = load_events(included=None)[column]
    assert {member.strip() for cell in cells for member in cell.split(";")} == listed


def test_one_process_at_a_time_works_in_a_folder(tmp_path):
    work = tmp_path / "work"
    with alone(work), pytest.raises(DataFileError, match="wait until"), alone(work):
        pass
    with alone(work):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFileError, match="ask for"), alone(tmp_path / "file" / "work"):
        pass
