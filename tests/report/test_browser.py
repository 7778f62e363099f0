"""The site in a real browser: every page is opened from disk, on a phone and on a desk."""

import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pytest

import impact
from impact.text.formats import percent

axe_runner = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason='pip install -e ".[test]" brings Playwright'
)
playwright = pytest.importorskip("playwright.sync_api")

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: see CONTRIBUTING.md, under The site in a browser"
)

_COMPLAINTS = ("error", "warning")
_INSIDE = ("file:", "data:", "blob:")

#: The costliest rule of axe-core by far, and the only one that asks which theme it is. The rows of
#: a table and the signs of a formula look alike: the first three rows stand for all.
_CONTRAST = "color-contrast"
_ALIKE = {"exclude": [["tbody tr:nth-child(n+4)"], ["math"]]}

PHONE = {"width": 375, "height": 800}
DESK = {"width": 1440, "height": 900}

#: What a page loads and leads to. Pictures that wait for the reader to scroll are asked for first.
_LOADED = """async () => {
  const pictures = [...document.images];
  for (const picture of pictures) picture.loading = "eager";
  await Promise.all(pictures.map(picture => picture.decode().catch(() => null)));
  const words = picture => picture.getAttribute("alt") || picture.getAttribute("aria-label") || "";
  return {
    broken: pictures.filter(picture => !picture.naturalWidth).map(picture => picture.src),
    wordless: [...document.querySelectorAll("img")].filter(one => !words(one).trim())
      .map(one => one.src),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href),
    ids: [...document.querySelectorAll("[id]")].map(part => part.id),
  };
}"""

#: Text that no scrolling brings to light: what hides its overflow, or the edge of the page, cuts
#: it. Drawers that are shut and words for screen readers (one pixel) are meant to be out of sight.
_CUT = """() => {
  const cut = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), edge = document.documentElement.clientWidth;
  const drawers = innerWidth < 1000 ? ".sidebar-drawer, .toc-drawer, " : "";
  while (words.nextNode()) {
    const text = words.currentNode, parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    if (parent.closest(drawers + `script, style, .visually-hidden, .skip-to-content,
      h2:has(+ figure.picture)`)) continue;
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    let whole = box.left > -1 && box.right < edge + 1;
    for (let part = parent; part && part !== document.body; part = part.parentElement) {
      const style = getComputedStyle(part), frame = part.getBoundingClientRect();
      if (style.display === "inline") continue;
      const wide = box.left < frame.left - 1 || box.right > frame.right + 1;
      const tall = box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
      if (/auto|scroll/.test(style.overflowX + style.overflowY)) { whole = true; break; }
      if (/hidden|clip/.test(style.overflowX) && wide) { whole = false; break; }
      if (/hidden|clip/.test(style.overflowY) && tall) { whole = false; break; }
    }
    if (!whole) cut.push(text.data.trim().slice(0, 60));
  }
  return cut;
}"""

#: How far the page, or whatever frame holds all of it, scrolls sideways: furo's own frame scrolls.
_OVERFLOW = """() => {
  let most = 0;
  for (let part = document.querySelector("h1"); part; part = part.parentElement) {
    if (getComputedStyle(part).overflowX === "visible" && part.parentElement) continue;
    most = Math.max(most, part.scrollWidth - part.clientWidth);
  }
  return most;
}"""


@dataclass(frozen=True)
class Visit:
    """What the browser found on one page."""

    said: list[str]
    outside: list[str]
    failed: list[str]
    loaded: dict[str, list[str]]
    overflow: int
    cut: list[str]
    barriers: dict[str, list[str]]


@pytest.fixture(scope="module")
def page(site):
    """One page of Chromium for all that follows: what starts a browser costs more than a look.

    The site is built before: notebooks and Playwright each want an event loop.
    """
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_page()
        chromium.close()


def _barriers(page, where=None, **options):
    """What axe-core finds serious or critical: the rule and the first place of each."""
    asked = {"preload": False, "resultTypes": ["violations"], **options}
    look = "([where, asked]) => axe.run(where ?? document, asked)"
    found = page.evaluate(look, [where, asked])
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])} places)"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def visited(page, path, barriers):
    """Open a page; look at it on a phone by day and on a desk by night, for barriers if wanted."""
    said, outside, failed = [], [], []
    heard = {
        "console": lambda line: said.append(line.text) if line.type in _COMPLAINTS else None,
        "pageerror": lambda error: said.append(str(error)),
        "request": lambda sent: None if sent.url.startswith(_INSIDE) else outside.append(sent.url),
        "requestfailed": lambda sent: failed.append(sent.url),
    }
    for event, hear in heard.items():
        page.on(event, hear)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    page.goto(path.as_uri())
    loaded, overflow, cut = page.evaluate(_LOADED), page.evaluate(_OVERFLOW), page.evaluate(_CUT)
    found = {}
    if barriers:
        page.evaluate(axe_runner.Axe().axe_script)
        found["light"] = _barriers(page, rules={_CONTRAST: {"enabled": False}})
        found["light"] += _barriers(page, _ALIKE, runOnly=[_CONTRAST])
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="dark")
    cut += page.evaluate(_CUT)
    if barriers:
        found["dark"] = _barriers(page, _ALIKE, runOnly=[_CONTRAST])
    for event, hear in heard.items():
        page.remove_listener(event, hear)
    return Visit(said, outside, failed, loaded, overflow, cut, found)


@pytest.fixture(scope="module")
def visits(page, site):
    """Every page of the site, opened once."""
    pages = sorted(site.rglob("*.html"))
    slow = set(pages) if "IMPACT_SITE" in os.environ else _one_of_each_kind(site, pages)
    return {path: visited(page, path, path in slow) for path in pages}


def _one_of_each_kind(site, pages):
    """All announcements, the first page and the search; the longest page of every other folder."""
    kinds = defaultdict(list)
    for path in pages:
        kinds[path.parent].append(path)
    longest = {max(paths, key=lambda path: path.stat().st_size) for paths in kinds.values()}
    return longest | {site / "index.html", site / "search.html"} | set(kinds[site / "events"])


def _found(visits, look):
    """What was found, by page; nothing is what all these tests want."""
    return {path.name: found for path, visit in visits.items() if (found := look(visit))}


def test_no_page_complains_in_the_console(visits):
    assert len(visits) > 10
    assert not _found(visits, lambda visit: visit.said)


def test_no_page_asks_for_anything_from_elsewhere(visits):
    assert not _found(visits, lambda visit: visit.outside)


def test_every_picture_and_file_that_a_page_loads_is_there(visits):
    assert not _found(visits, lambda visit: visit.failed + visit.loaded["broken"])


def test_every_picture_is_told_in_words(visits):
    assert not _found(visits, lambda visit: visit.loaded["wordless"])


def test_every_link_leads_somewhere(visits):
    ids = {path: set(visit.loaded["ids"]) for path, visit in visits.items()}

    def lost(address):
        parts = urlsplit(address)
        if parts.scheme != "file":
            return False
        target, place = Path(url2pathname(parts.path)), unquote(parts.fragment)
        return not target.is_file() or (place and target in ids and place not in ids[target])

    assert not _found(visits, lambda visit: [to for to in visit.loaded["links"] if lost(to)])


def test_no_page_scrolls_sideways_on_a_phone(visits):
    assert not _found(visits, lambda visit: visit.overflow)


def test_no_text_is_cut(visits):
    assert not _found(visits, lambda visit: visit.cut)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_barrier_stands_before_anybody(visits, theme):
    assert not _found(visits, lambda visit: visit.barriers.get(theme))


# -- what moves ----------------------------------------------------------------------------------


@pytest.fixture
def opened(page, site):
    """Open a page of the site by its name."""

    def open_page(name, query=""):
        page.set_viewport_size(DESK)
        page.goto((site / name).as_uri() + query)
        return page

    return open_page


def test_both_themes_are_there(opened):
    page = opened("index.html")
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == "rgb(255, 255, 255)" and grounds[0] != grounds[1]


def test_search_finds_the_announcement_from_disk(opened):
    page = opened("search.html", "?q=fentanyl")
    page.wait_for_selector("#search-results li a[href*='wsj-fentanyl-overture']")


def test_the_table_of_announcements_is_searched(opened):
    page = opened("events/index.html")
    rows = page.locator("#event-table tbody tr:visible")
    everything = rows.count()
    page.fill("#find", "FENTANYL overture")
    left = rows.count()
    assert 0 < left < everything
    assert all("fentanyl" in text.lower() for text in rows.all_text_contents())
    assert page.text_content("#count") == f"{left} of {everything}"
    page.fill("#find", "no such words")
    assert rows.count() == 0
    page.fill("#find", "")
    assert rows.count() == everything


@pytest.mark.parametrize(("column", "number"), [("event", False), ("move", True)])
def test_the_table_is_sorted_both_ways_and_what_is_empty_stays_last(opened, column, number):
    page = opened("events/index.html")
    head = page.locator("#event-table th", has=page.get_by_text(column, exact=True))
    place = 1 + head.evaluate("head => head.cellIndex")
    cells = page.locator(f"#event-table tbody tr td:nth-child({place})")
    for way in ("ascending", "descending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == way
        shown = cells.all_text_contents()
        filled = [text for text in shown if text]
        assert shown[: len(filled)] == filled and len(filled) > 1
        values = [_number(text) for text in filled] if number else [*map(str.lower, filled)]
        assert values == sorted(values, reverse=way == "descending")
    assert page.locator("#event-table th[aria-sort]").count() == 1


def _number(text):
    return float(text.replace("\N{MINUS SIGN}", "-").rstrip("%"))


def test_a_picked_day_says_its_move_and_leads_to_its_announcement(opened):
    page = opened("events/index.html")
    page.fill("#day", "2025-05-02")
    said = page.text_content("#answer")
    facts = impact.event_card("2025-05-02").facts
    assert f"On Friday 2 May 2025 the S&P 500 rose {percent(facts['simple_change'])[1:]}." in said
    assert f"p = {facts['p_conditional']:.3f}" in said
    page.click("#answer a >> nth=0")
    page.wait_for_url(lambda url: "index.html" not in url)
    assert Path(urlsplit(page.url).path).stem in impact.load_events(included=None).index
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-05-03", "no trading on Saturday"),
        ("1890-10-06", "The data run from"),
        ("2100-01-01", "The data run from"),
    ],
)
def test_a_day_without_trading_or_data_says_so(opened, day, expected):
    page = opened("events/index.html")
    page.fill("#day", day)
    assert expected in page.text_content("#answer")
