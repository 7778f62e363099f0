"""The site without a browser: what a page says, what is escaped, what is refused."""

import errno
import io
import json
import os
import re
import threading
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from run_notebooks import NOTEBOOKS

import impact
from impact.__main__ import main
from impact.charts.page import Words
from impact.charts.page import page as plain_page
from impact.errors import ReportError
from impact.report.events import Told, event_page, event_pages, told
from impact.report.every_day import as_json, every_day
from impact.report.folder import MARK, check_folder, put
from impact.report.markup import escaped, raw
from impact.report.notebooks import _folded
from impact.report.site import build_site
from impact.text.files import alone
from impact.text.formats import percent


class _Links(HTMLParser):
    """Addresses of links, pictures, scripts and styles; alternative texts; ids."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.alts, self.ids = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.add(found.get("id"))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img":
            self.alts.append(found.get("alt"))
        if tag in ("img", "script") and "src" in found:
            self.loaded.append(found["src"])
        if tag == "link" and found.get("rel") != "canonical":
            self.loaded.append(found["href"])


@pytest.fixture(scope="module")
def pages(site):
    return {path: _Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_kind_of_page_is_there(site):
    for name in (
        "index",
        "data",
        "events/index",
        "events/wsj-fentanyl-overture",
        "events/smoot-hawley-approval-1930",
        "events/steel-50-effective",
        "notebooks/06-can-you-trust-the-p",
        "figures/index",
        "api/event_card",
        "api/Table",
        "api/volatility",
        "search",
    ):
        assert (site / f"{name}.html").exists(), name


def test_every_link_leads_to_a_page_and_nothing_is_loaded_from_elsewhere(pages):
    for path, page in pages.items():
        for address in page.loaded:
            assert not urlsplit(address).netloc, (path, address)
        for address in [*page.links, *page.loaded]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), (path, address)
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, (path, address)


def test_every_picture_has_words(pages):
    alts = [alt for page in pages.values() for alt in page.alts]
    assert len(alts) > 3 and all(alt and alt.strip() for alt in alts)
    assert not [alt for alt in alts if alt.endswith((".png", ".svg"))]


def test_the_first_page_says_what_happened_and_how_sure_that_is(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    card = impact.event_card("wsj-fentanyl-overture")
    assert percent(card.facts["simple_change"]) in text
    assert f"p = {card.facts['p_conditional']:.3f}" in text
    for move in impact.day("2025-05-02").brief["move"][["closed hours", "09:30-16:00"]]:
        assert percent(move) in text
    assert all(claim in text for claim in impact.load_register()["claim"])


def test_a_page_of_an_announcement_holds_its_card_and_its_picture(site):
    text = (site / "events/wsj-fentanyl-overture.html").read_text(encoding="utf-8")
    card = impact.event_card("wsj-fentanyl-overture")
    assert "The S&amp;P 500 rose 1.47% on Friday 2 May 2025" in text
    assert f">{card.facts['z_conditional']:.2f}<" in text
    assert 'src="pictures/2025-05-02.svg"' in text and "Around the minute of the news" in text
    drawn = (site / "events/pictures/2025-05-02.svg").read_text(encoding="utf-8")
    assert "scale(0.015625)" in drawn, "letters are as large as matplotlib draws them"
    assert len(drawn) < 80_000
    assert impact.load_events().loc["wsj-fentanyl-overture", "source_url"] in text


def test_an_announcement_without_a_card_says_why(site):
    text = (site / "events/steel-50-effective.html").read_text(encoding="utf-8")
    assert "puts known news into force" in text


def test_code_is_folded_and_results_are_shown(site):
    text = (site / "notebooks/06-can-you-trust-the-p.html").read_text(encoding="utf-8")
    assert text.count("<details") >= 3 and "cell_output" in text and "Traceback" not in text


def test_a_progress_bar_stays_out_of_the_page():
    import nbformat.v4 as v4

    view = "application/vnd.jupyter.widget-view+json"
    outputs = [v4.new_output("display_data", data={view: {}}), v4.new_output("stream", text="kept")]
    cell = v4.new_code_cell("", outputs=outputs)
    shown = _folded(v4.new_notebook(cells=[cell], metadata={"widgets": {}}))
    assert [output.text for output in shown.cells[0].outputs] == ["kept"]
    assert "widgets" not in shown.metadata


def test_a_picture_of_a_notebook_is_told_by_its_title_and_keeps_its_look():
    import nbformat.v4 as v4
    from PIL import Image

    figure = plain_page(Words("Calm days: p > 5%", "what", "where from"), 300).figure
    png = figure._repr_png_()
    data = {"image/png": b64encode(png).decode(), "text/plain": repr(figure)}
    cell = v4.new_code_cell("", outputs=[v4.new_output("display_data", data=data)])
    (shown,) = _folded(v4.new_notebook(cells=[cell])).cells
    assert shown.metadata["mystnb"] == {"image": {"alt": "Calm days: p > 5%"}}
    lighter = b64decode(shown.outputs[0].data["image/png"])
    before, after = (
        np.asarray(Image.open(io.BytesIO(held)).convert("RGB"), int) for held in (png, lighter)
    )
    assert abs(before - after).max() <= 8
    assert len(lighter) < len(png) / 2


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_notebook_says_where_its_page_is_and_the_page_does_not(path):
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    page = f"build/report/notebooks/{path.stem}.html"
    assert page in notebook.cells[0].source
    shown = _folded(notebook).cells[0].source
    assert shown.startswith("# ") and page not in shown and "pip install" not in shown


# -- any day -------------------------------------------------------------------------------------


HISTORY = impact.log_returns(impact.load_prices(start="1980-01-02"))


@pytest.mark.parametrize(
    "date", ["1999-01-04", "1999-03-31", "2001-09-17", "2008-10-13", "2025-04-09", "2026-08-31"]
)
def test_a_picked_day_has_the_numbers_of_its_card(date):
    facts = impact.event_card(date).facts
    expected = facts[["simple_change", "sigma_conditional", "p_conditional", "smallest_detectable"]]
    picked = every_day(HISTORY[:date], pd.Timestamp(date)).loc[date]
    np.testing.assert_allclose(picked, expected.astype(float), rtol=1e-12)


@pytest.fixture(scope="module")
def days():
    return every_day(HISTORY, pd.Timestamp("2025-01-02"))


def test_every_day_is_there(days):
    assert list(days.index) == list(HISTORY["2025-01-02":].index)
    assert np.isfinite(days).all(axis=None)


def test_what_the_picker_says_is_formatted_here_and_ends_no_script(days):
    news = {pd.Timestamp("2025-05-02"): [("an-id", "</script><b>")]}
    text = as_json(days.loc[["2025-05-02"]], news)
    assert "<" not in text
    held = json.loads(text)
    assert held["days"]["2025-05-02"] == ["rose 1.47%", "1.45%", "p = 0.310", 0, "4.41%"]
    assert held["news"]["2025-05-02"] == [["an-id", "</script><b>"]]


# -- words that are markup -----------------------------------------------------------------------

HTML = "<b>5%</b> & </script> ``` $1 {x} | [a](b)"


def test_a_title_with_html_is_shown_as_it_is():
    event = impact.load_events().loc["wsj-fentanyl-overture"].copy()
    for name in ("label", "title", "summary", "source_title", "confounders", "direction"):
        event[name] = HTML
    event.name = "own"
    text = event_page(Told(event, None, HTML))
    assert "<b>" not in text and "</script>" not in text
    assert text.count("&lt;b&gt;5%&lt;/b&gt; &amp;") >= 5
    assert escaped(HTML) in text
    ((_, table), _) = event_pages([Told(event, None)], "")
    assert "<b>5%" not in table


def test_escaped_words_come_out_of_markdown_as_they_went_in():
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    shown = create_md_parser(MdParserConfig(), RendererHTML).render(f"# {escaped(HTML)}")
    assert re.search("<h1>(.*)</h1>", shown)[1] == (
        "&lt;b&gt;5%&lt;/b&gt; &amp; &lt;/script&gt; ``` $1 {x} | [a](b)"
    )


def test_html_stays_within_its_fence():
    assert raw("<p>```</p>").count("\n") == 2


# -- the folder ----------------------------------------------------------------------------------


def test_a_folder_that_is_somebody_elses_is_refused_and_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.docx").write_text("years of work")
    assert main(["report", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "not empty" in said and str(tmp_path) in said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "site").write_text("")
    with pytest.raises(ReportError, match="is a file"):
        check_folder(tmp_path / "site")


@pytest.mark.skipif(os.name == "nt", reason="a folder that cannot be written is made otherwise")
def test_a_folder_that_cannot_be_written_is_one_sentence():
    with pytest.raises(ReportError, match=r"cannot be written \("):
        check_folder(Path("/proc/site"))


def made(folder, **pages):
    """A finished site of pages, by name."""
    folder.mkdir()
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return folder


def test_a_second_site_takes_the_place_of_the_first_and_of_nothing_else(tmp_path):
    folder = tmp_path / "site"
    check_folder(folder)
    put(made(tmp_path / "one", index="1", old="1"), folder)
    (folder / "mine.txt").write_text("")
    check_folder(folder)
    put(made(tmp_path / "two", index="2", new="2"), folder)
    held = {path.name: path.read_text() for path in folder.iterdir() if path.name != MARK}
    assert held == {"index.html": "2", "new.html": "2", "mine.txt": ""}
    assert json.loads((folder / MARK).read_text()) == ["index.html", "new.html"]


def test_a_disk_that_fills_up_leaves_whole_files_and_the_next_build_finishes(tmp_path, monkeypatch):
    folder, usual, left = tmp_path / "site", os.fsync, [2]
    put(made(tmp_path / "one", a="1", b="1", old="1"), folder)
    two = made(tmp_path / "two", a="2", b="2", new="2")

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        usual(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match=r"b\.html cannot be written \(No space left on device\)"):
        put(two, folder)
    held = {path.name: path.read_text() for path in folder.iterdir() if path.name != MARK}
    assert held == {"a.html": "2", "b.html": "1", "old.html": "1"}
    monkeypatch.setattr(os, "fsync", usual)
    check_folder(folder)
    put(two, folder)
    assert {path.name for path in folder.iterdir()} == {"a.html", "b.html", "new.html", MARK}


def test_a_list_of_files_that_somebody_wrote_leads_nowhere_else(tmp_path):
    folder = tmp_path / "site"
    put(made(tmp_path / "one", a="1"), folder)
    mine = tmp_path / "mine.txt"
    mine.write_text("")
    (folder / MARK).write_text(json.dumps(["../mine.txt", str(mine), "a/../../mine.txt", 5]))
    put(tmp_path / "one", folder)
    assert mine.exists() and json.loads((folder / MARK).read_text()) == ["a.html"]


def test_a_build_that_fails_leaves_the_site_of_the_one_before(tmp_path, monkeypatch):
    put(made(tmp_path / "one", index="1"), tmp_path / "site")

    def fails(work, scope):
        raise ReportError("a notebook stops")

    monkeypatch.setattr("impact.report.site._made", fails)
    with pytest.raises(ReportError, match="a notebook stops"):
        build_site(tmp_path / "site", tmp_path / "work")
    assert (tmp_path / "site" / "index.html").read_text() == "1"


def test_a_build_that_is_stopped_begins_no_other_notebook(monkeypatch, tmp_path):
    begun, stopped = [], threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(False, cancel_futures=cancel_futures)
            stopped.set()
            super().shutdown(wait)

    def run(path, *_):
        begun.append(path)
        stopped.wait()

    def stop(_):
        raise KeyboardInterrupt

    for name, double in (
        ("ThreadPoolExecutor", Pool),
        ("notebook_page", run),
        ("_events", stop),
    ):
        monkeypatch.setattr(f"impact.report.site.{name}", double)
    with pytest.raises(KeyboardInterrupt):
        build_site(tmp_path / "site", tmp_path / "work")
    assert len(begun) <= 1


def test_one_build_works_at_a_time(tmp_path):
    with alone(tmp_path / "work"), pytest.raises(ReportError, match="wait until the same command"):
        build_site(tmp_path / "site", tmp_path / "work")


def test_without_the_checkout_it_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("impact.report.site._CHECKOUT", tmp_path)
    with pytest.raises(ReportError, match="from a checkout"):
        build_site(tmp_path / "site", tmp_path / "work")


def test_an_older_announcement_takes_longer_returns():
    event = impact.load_events(included=None).loc["nixon-import-surcharge-1971"]
    assert told(event).session == pd.Timestamp("1971-08-16")
