"""Parts of the site that the small one does not have, and what is said where none can be made."""

import sys
import types
from pathlib import PurePosixPath

import pytest
from sphinx.errors import ConfigError, SphinxError

from impact.errors import ReportError
from impact.news.catalogue import load_events
from impact.report import site
from impact.report.events import _facts
from impact.report.gallery import told
from impact.report.notebooks import executed
from impact.report.reference import public_names, reference_pages


def test_a_picture_that_was_never_made_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"power\.txt is missing: run make figures first"):
        told("power", tmp_path)


@pytest.mark.parametrize("package", ["furo", "myst_nb"])
def test_a_package_that_is_missing_is_named(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ReportError, match=rf"{package} is not installed: run make report"):
        site._check_ready()


@pytest.mark.parametrize(
    ("early", "late", "said", "sentence"),
    [
        (None, SphinxError("a page is broken"), "", "Sphinx stops: a page is broken"),
        (ConfigError("no conf.py"), None, "", "Sphinx stops: no conf.py"),
        (None, OSError(28, "No space left on device"), "", r"work cannot be written \(No space"),
        (None, OSError(13, "Permission denied", "x.html"), "", r"x\.html cannot be written"),
        (None, OSError("two files are one"), "", r"work cannot be written \(two files are one\)"),
        (None, None, "a.md:3: WARNING: unknown page", "the site is not whole: a.md:3: WARNING"),
    ],
)
def test_what_stops_sphinx_is_one_sentence(monkeypatch, tmp_path, early, late, said, sentence):
    class Application:
        def __init__(self, *, doctreedir, warning, **_):
            if early:
                raise early
            doctreedir.mkdir(parents=True)
            warning.write(said)

        def build(self):
            if late:
                raise late

    monkeypatch.setattr("sphinx.application.Sphinx", Application)
    with pytest.raises(ReportError, match=sentence):
        site._sphinx(tmp_path / "sources", tmp_path / "files", tmp_path / "work")
    # What Sphinx warned of would not be said again by a build that goes on from there.
    assert not (said and (tmp_path / "work" / "doctrees").exists())


def test_a_page_of_an_earlier_build_does_not_stay(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "page.html").write_text("x")
    site._write(tmp_path, [(PurePosixPath("new/page.html"), b"y")])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["page.html"]
    assert (tmp_path / "new" / "page.html").read_bytes() == b"y"


def test_a_day_is_drawn_again_only_where_something_that_decides_it_changed(monkeypatch, tmp_path):
    one = types.SimpleNamespace(card="card", day="day", drawing=PurePosixPath("day.svg"))
    none = types.SimpleNamespace(card=None, day=None, drawing=PurePosixPath("none.svg"))
    drawn = iter("abc")
    monkeypatch.setattr(site, "drawing_of", lambda day, card: next(drawn))
    files, found = tmp_path / "files", []
    for inputs in ("one", "one", "two"):
        found.append(dict(site._drawn([one, none], files, inputs)))
        site._write(files, list(found[-1].items()))
    assert found == [{one.drawing: content} for content in (b"a", b"a", b"b")]


def test_a_candidate_says_that_it_is_one():
    events = load_events(included=None)
    left_out = events[~events["included"]].iloc[0]
    assert _facts(left_out)[-1] == "a candidate that was left out of the main selection"
    assert "candidate" not in " ".join(_facts(load_events().iloc[0]))


def test_every_public_name_has_its_page_and_stands_in_the_list():
    index, *pages = reference_pages(public_names())
    assert [path.stem for path, _ in pages] == public_names()
    assert all(f"   impact.{name}\n" in index[1] for name in public_names())
    assert "__version__" not in index[1]


def test_the_last_line_says_where_the_site_is(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(site, "build_site", lambda folder, work: 7)
    assert site.main(tmp_path) == 0
    assert capsys.readouterr().out == f"7 pages: open {tmp_path / 'index.html'}\n"


@pytest.mark.parametrize(
    ("fails", "stream", "sentence"),
    [
        (True, "stdout", "stops: NameError: no x"),
        (False, "stderr", "cell 0 warns: hm"),
        (False, "stdout", ""),
    ],
)
def test_what_stops_a_notebook_is_one_sentence(monkeypatch, tmp_path, fails, stream, sentence):
    # They take seconds to import: not where tests are collected.
    import nbclient
    import nbformat
    from nbformat import v4

    outputs = [v4.new_output("stream", name=stream, text="hm")]

    class Client:
        def __init__(self, notebook, **_):
            self.notebook = notebook

        async def async_execute(self, **_):
            self.notebook.cells[0].outputs = outputs
            if fails:
                raise nbclient.exceptions.CellExecutionError("\x1b[31m...", "NameError", "no x")

    monkeypatch.setattr(nbclient, "NotebookClient", Client)
    path = tmp_path / "mine.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("1")]), path)
    if sentence:
        with pytest.raises(ReportError, match=rf"^mine\.ipynb.* {sentence}$"):
            executed(path)
    else:
        assert executed(path).cells[0].outputs == outputs
