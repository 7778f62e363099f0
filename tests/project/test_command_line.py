"""The command line: one sentence for what is wrong, and nothing written outside the folder here."""

import os
import subprocess
import sys

import pytest

from impact.__main__ import main


def test_a_card_is_printed_with_its_table(capsys):
    assert main(["card", "geneva-truce"]) == 0
    said = capsys.readouterr().out
    assert "12 May 2025" in said and "textbook t" in said


def test_an_unknown_event_is_one_sentence_with_the_nearest_ids(capsys):
    assert main(["card", "geneva-trus"]) == 1
    said = capsys.readouterr()
    assert "geneva-truce" in said.err and len(said.err.splitlines()) == 1 and not said.out


@pytest.mark.parametrize("command", [["figures"], ["card"], ["data"], []])
def test_help_helps(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0 and "usage: python -m impact" in said
    if command == ["figures"]:
        assert "sector-paths" in said


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["report-card"])
    assert "invalid choice" in capsys.readouterr().err


def test_pictures_go_below_the_working_directory(tmp_path):
    command = [sys.executable, "-m", "impact", "figures", "can-you-trust-the-p"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    written = {path.name for path in (tmp_path / "figures").glob("[!.]*")}
    assert written == {f"can-you-trust-the-p.{end}" for end in ("csv", "txt", "png", "svg")}


def test_data_without_the_files_is_one_sentence(tmp_path, capsys):
    assert main(["data", "--in", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named(monkeypatch, capsys):
    def gone(event):
        raise PermissionError(13, "Permission denied", "data/events.csv")

    monkeypatch.setattr("impact.__main__.event_card", gone)
    assert main(["card", "geneva-truce"]) == 1
    said = capsys.readouterr()
    assert said.err == "data/events.csv cannot be read or written: Permission denied\n"
    print("and what is printed later is seen")
    assert capsys.readouterr().out == "and what is printed later is seen\n"


#: A card that costs nothing, printed by the command.
CARD = """
import runpy, sys, types
import impact.cards.card
impact.cards.card.event_card = lambda event: types.SimpleNamespace(table="−0.76%")
sys.argv = ["impact", "card", "any"]
runpy.run_module("impact", run_name="__main__")
"""


def test_a_file_takes_a_card_whatever_the_signs_of_the_machine():
    windows = os.environ | {"PYTHONIOENCODING": "cp1252"}
    run = subprocess.run([sys.executable, "-c", CARD], capture_output=True, env=windows, check=True)
    assert run.stdout.decode("utf-8").endswith("−0.76%\n") and not run.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_output_that_a_full_disk_does_not_take_is_one_sentence():
    command = [sys.executable, "-c", CARD]
    with open("/dev/full", "wb") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert run.stderr == b"the output cannot be read or written: No space left on device\n"
    assert run.returncode == 1


def test_whoever_reads_may_stop_reading():
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-c", CARD], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert run.returncode == 1 and run.stderr == b""


#: The process is asked to end while it writes its first file.
STOP = """
import os, runpy, signal, sys
stop = getattr(signal, sys.argv[1])
# A shell's background job is born deaf to SIGINT, and so would this process be.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.fsync = lambda handle: os.kill(os.getpid(), stop)
sys.argv = ["impact", "figures", "can-you-trust-the-p"]
runpy.run_module("impact", run_name="__main__")
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
@pytest.mark.parametrize("stop", ["SIGTERM", "SIGINT"])
def test_a_process_that_is_stopped_leaves_nothing_behind(stop, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", STOP, stop],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 130 and run.stderr == "stopped: every file is whole\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
