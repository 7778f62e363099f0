"""The command line: ``python -m impact card ID``, ``figures``, ``report``, ``data``."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from impact.cards.card import event_card
from impact.errors import ImpactError
from impact.figures import FIGURES, VERDICTS
from impact.figures import main as write_figures
from impact.market.refresh import main as refresh
from impact.report.site import main as write_site
from impact.text.formats import list_of


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m impact",
        description="How much did the S&P 500 move because of an announcement, and how sure can we "
        "be?",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    card = commands.add_parser("card", help="describe one event in plain English, with its table")
    card.add_argument("event", help="an id of data/events.csv, or a date such as 2025-05-02")
    card.set_defaults(run=lambda given: _card(given.event))

    figures = commands.add_parser("figures", help="draw the pictures whose inputs have changed")
    figures.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"any of {list_of([*FIGURES, VERDICTS])}; all without one",
    )
    figures.add_argument(
        "--to",
        type=Path,
        default=Path("figures"),
        metavar="FOLDER",
        help="where they go (default: figures/ here)",
    )
    figures.set_defaults(run=lambda given: write_figures(given.names, given.to))

    report = commands.add_parser("report", help="make the site out of a copy of the project")
    report.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("build/report"),
        metavar="FOLDER",
        help="where to write it: a new folder, or an earlier site (default: build/report/ here)",
    )
    report.set_defaults(run=lambda given: write_site(given.folder))

    data = commands.add_parser("data", help="append newer closes to the data files")
    data.add_argument(
        "--in",
        dest="folder",
        type=Path,
        default=Path("data"),
        metavar="FOLDER",
        help="where the files are (default: data/ here)",
    )
    data.set_defaults(run=lambda given: refresh(given.folder))
    return parser


def _card(event: str) -> int:
    card = event_card(event)
    print(f"{card}\n\n{card.table}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        status = given.run(given)
        print(end="", flush=True)
        return status
    except ImpactError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.filename is None:  # what is printed has nowhere to go, as with `head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            what = error.filename or "the output"
            print(f"{what} cannot be read or written: {error.strerror}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    # Whoever ends the process politely leaves nothing half written behind, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A pipe or a file takes every sign, whatever the language of the machine.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped: every file is whole", file=sys.stderr)
        sys.exit(130)
