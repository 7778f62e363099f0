"""The site: sources from results, notebooks and figures, and one run of Sphinx over them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from impact.cards.card import FIRST_CLOSE
from impact.errors import ReportError
from impact.figures import FIGURES
from impact.figures.exhibit import write_if_changed
from impact.figures.inputs import inputs_hash
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.report.events import Told, drawing_of, event_pages, told
from impact.report.every_day import as_json, every_day
from impact.report.folder import check_folder, put
from impact.report.gallery import gallery, gallery_files
from impact.report.home import home_page
from impact.report.markup import Page
from impact.report.notebooks import notebook_list, notebook_page
from impact.report.reference import public_names, reference_pages
from impact.text.files import alone
from impact.text.formats import counted, date, iso
from impact.text.progress import with_bar

#: The checkout: pages written by hand, notebooks and figures are no part of the package.
_CHECKOUT = Path(__file__).parents[2]

#: Pages that the side bar lists, where they are there.
_CHAPTERS = (
    "events/index",
    "notebooks/index",
    "figures/index",
    "guide/index",
    "methods/index",
    "api/index",
    "data",
)


@dataclass(frozen=True)
class Scope:
    """What a site holds; None is all. `since` is the first day that a reader can pick."""

    events: Sequence[str] | None = None
    notebooks: Sequence[str] | None = None
    figures: Sequence[str] | None = None
    names: Sequence[str] | None = None
    since: str = "1999-01-04"


def build_site(folder: Path, work: Path, scope: Scope = Scope()) -> int:
    """Build the site; return how many pages it has.

    The folder is new or empty, or holds an earlier site; sources and executed notebooks are kept in
    `work` for the next build.
    """
    _check_ready()
    check_folder(folder)
    with alone(work, ReportError):
        pages = _made(work, scope)
        put(work / "site", folder)
    return pages


def _made(work: Path, scope: Scope) -> int:
    """Make the site in ``work / "site"``; return how many pages it has."""
    sources, files = work / "sources", work / "files"
    inputs = inputs_hash()
    paths = _notebooks(scope)
    with ThreadPoolExecutor(1) as beside, ExitStack() as after:
        # Whatever stops the build, no other notebook is begun.
        after.callback(beside.shutdown, cancel_futures=True)
        # Kernels compute in processes of their own: they take the second core.
        runs = [beside.submit(notebook_page, path, work / "notebooks", inputs) for path in paths]
        events = _events(scope)
        rows = with_bar(events.iterrows(), "announcements", len(events))
        all_told = [told(event) for _, event in rows]
        figures = _CHECKOUT / "figures"
        shown = FIGURES if scope.figures is None else scope.figures
        pages = [
            *_by_hand(),
            *event_pages(all_told, _picker(all_told, scope.since)),
            *gallery(shown, figures),
            *reference_pages(public_names() if scope.names is None else scope.names),
        ]
        drawings = {one.drawing: one for one in all_told}
        _write(files, [*gallery_files(shown, figures), *_drawn(drawings.values(), files, inputs)])
        pages += [notebook_list(paths), *(run.result() for run in runs)]
    there = {str(path.with_suffix("")) for path, _ in pages}
    pages += home_page([name for name in _CHAPTERS if name in there], figures)
    _write(sources, [(path, text.encode()) for path, text in pages])
    _sphinx(sources, files, work)
    return len(pages)


def main(folder: Path, work: Path = Path("build/report-work")) -> int:
    """Build the whole site and say where it is; return the exit status."""
    pages = build_site(folder, work)
    print(f"{counted(pages, 'page')}: open {folder / 'index.html'}")
    return 0


def _check_ready() -> None:
    if not (_CHECKOUT / "docs" / "conf.py").exists():
        raise ReportError(
            "the site is made from a checkout of the project, which has docs/, notebooks/ and "
            "figures/: run make report there"
        )
    try:
        import furo  # noqa: F401
        import myst_nb  # noqa: F401
    except ImportError as problem:
        raise ReportError(
            f'{problem.name} is not installed: run make report, or pip install -e ".[docs]"'
        ) from problem


def _events(scope: Scope) -> pd.DataFrame:
    events = load_events(included=None)
    return events if scope.events is None else events.loc[list(scope.events)]


def _notebooks(scope: Scope) -> list[Path]:
    paths = sorted((_CHECKOUT / "notebooks").glob("*.ipynb"))
    return [path for path in paths if scope.notebooks is None or path.stem in scope.notebooks]


def _by_hand() -> Iterator[Page]:
    docs = _CHECKOUT / "docs"
    for path in sorted(docs.rglob("*.md")):
        yield PurePosixPath(path.relative_to(docs)), path.read_text(encoding="utf-8")
    yield PurePosixPath("data.md"), (_CHECKOUT / "data" / "README.md").read_text(encoding="utf-8")


def _picker(all_told: Sequence[Told], since: str) -> str:
    # They are tested with all the history before them, as cards are.
    days = every_day(log_returns(load_prices(start=FIRST_CLOSE)), pd.Timestamp(since))
    news: dict = {}
    for one in all_told:
        if one.session is not None:
            news.setdefault(one.session, []).append((one.name, one.event["label"]))
    first, last = iso(days.index[0]), iso(days.index[-1])
    return (
        '<p><label for="day">A date</label> '
        f'<input id="day" type="date" min="{first}" max="{last}"> since {date(days.index[0])}: '
        "its move, how unusual it was, and what could have been found.</p>\n"
        '<output id="answer" for="day"></output>\n'
        f'<script type="application/json" id="days">{as_json(days, news)}</script>'
    )


def _drawn(
    all_told: Iterable[Told], files: Path, inputs: str
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Pictures of the days; those of the last build where nothing that decides them changed."""
    stamp = files.parent / "inputs.txt"
    same = stamp.exists() and stamp.read_text(encoding="utf-8") == inputs
    for one in with_bar(all_told, "pictures of days"):
        held = files / one.drawing
        if one.card is not None and not (same and held.exists()):
            yield one.drawing, drawing_of(one.day, one.card).encode()
        elif one.card is not None:
            yield one.drawing, held.read_bytes()
    write_if_changed(stamp, inputs.encode())


def _write(folder: Path, contents: Sequence[tuple[PurePosixPath, bytes]]) -> None:
    """Make a folder hold these files and no others; what is the same stays as it is."""
    for path, content in contents:
        write_if_changed(folder / path, content)
    kept = {folder / path for path, _ in contents}
    for old in list(folder.rglob("*")):
        if old.is_file() and old not in kept:
            old.unlink()


def _sphinx(sources: Path, files: Path, work: Path) -> None:
    """Run Sphinx; what it warns of is an error, which names all of it."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError

    said = io.StringIO()
    try:
        # Of a build that was broken off, Sphinx would keep the page that it was writing.
        shutil.rmtree(work / "site", ignore_errors=True)
        app = Sphinx(
            srcdir=sources,
            confdir=_CHECKOUT / "docs",
            outdir=work / "site",
            doctreedir=work / "doctrees",
            buildername="html",
            confoverrides={"html_extra_path": [str(files.resolve())]},
            status=None,
            warning=said,
        )
        app.build()
    except SphinxError as problem:
        raise ReportError(f"Sphinx stops: {problem}") from problem
    except OSError as problem:
        what = problem.filename or work
        fix = "make room or ask for access"
        why = problem.strerror or problem
        raise ReportError(f"{what} cannot be written ({why}): {fix}") from problem
    if said.getvalue():
        shutil.rmtree(work / "doctrees")
        raise ReportError(f"the site is not whole: {said.getvalue().strip()}")
