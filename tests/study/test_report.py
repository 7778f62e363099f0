"""A study as one page: whole, self-contained, and honest about what is not in it."""

import base64
import re
import types
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from impact.errors import TableError, WindowError
from impact.study.event_study import event_study

DAYS = pd.bdate_range("2019-01-01", periods=900, name="date")


@pytest.fixture(scope="module")
def series():
    return pd.Series(0.01 * np.random.default_rng(9).standard_t(5, 900), DAYS, name="X")


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.headings, self.images, self.links, self.tags, self.text = [], [], [], set(), ""
        self._heading = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        given = dict(attrs)
        self._heading = tag in ("h1", "h2")
        if self._heading:
            self.headings.append("")
        if tag == "img":
            self.images.append(given)
        self.links += [given[name] for name in ("src", "href") if name in given]

    def handle_endtag(self, tag):
        self._heading = False

    def handle_data(self, data):
        self.text += data
        if self._heading:
            self.headings[-1] += data


def written(study, path, *window):
    study.report(path, *window)
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def test_the_page_holds_every_part_and_asks_for_nothing(series, tmp_path):
    events = {"first": DAYS[700], "late": DAYS[-2], "second": DAYS[800]}
    study = event_study(series, events, volatility=None)
    page = written(study, tmp_path / "study.html")
    assert page.headings == [
        "2 events, X",
        "Abnormal return, session 0, X",
        "The paths",
        "Which tests fit, and what they say",
        "What the estimation windows look like",
        "What was left out",
        "How to cite",
    ]
    assert "script" not in page.tags and "link" not in page.tags
    assert all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    (image,) = page.images
    assert "Cumulative paths of X around 2 events" in image["alt"]
    assert b"<svg" in base64.b64decode(image["src"].split(",")[1])
    left_out = page.text[page.text.index("What was left out") :]
    assert "late" in left_out and "ends 4 sessions after the last return" in left_out
    assert "Nothing: every event" not in left_out
    assert study.signed(0) in page.text
    for number in study.summary().cells():
        assert all(cell.strip() in page.text for cell in number)


def test_what_a_label_holds_is_text(series, tmp_path):
    study = event_study(series, {"<script>alert(1)</script>": DAYS[700]}, volatility=None)
    page = written(study, tmp_path / "study.html")
    assert "script" not in page.tags and "<script>alert(1)</script>" in page.text


def test_a_model_of_ones_own_shows_its_residuals_and_that_it_has_no_forecast(series, tmp_path):
    class Mean:
        def fit(self, returns, regressors):
            mean, variance = returns.mean(), returns.var(ddof=1)
            return types.SimpleNamespace(
                dof=len(returns) - 1,
                predict=lambda rows: np.full(len(rows), mean),
                prediction_covariance=lambda rows: (
                    variance * (np.eye(len(rows)) + 1 / len(returns))
                ),
            )

    own = event_study(series, [DAYS[700]], model=Mean(), volatility="ewma")
    same = event_study(series, [DAYS[700]], volatility=None)
    page = written(own, tmp_path / "study.html")
    assert "What the estimation windows look like" in page.headings
    pd.testing.assert_frame_equal(own.diagnostics(), same.diagnostics())
    told = "the model Mean says nothing of sessions outside its windows"
    assert told in page.text and told in own.tests(0).loc["conditional_fhs", "because"]


def test_a_panel_shows_every_row_and_says_that_no_test_fits(tmp_path):
    draws = 0.01 * np.random.default_rng(1).standard_normal((900, 40))
    table = pd.DataFrame(draws, DAYS, [f"F{i:02d}" for i in range(40)])
    study = event_study(table, DAYS[[700, 800]], volatility=None)
    page = written(study, tmp_path / "study.html", 0, 1)
    assert page.headings[1] == "Cumulative abnormal return, sessions 0 to 1, 40 series"
    assert page.text.count("F39") >= 4
    assert re.search(r"None of the \d+ tests fits a study of this design", page.text)
    assert "Nothing: every event that was given is in the tables." in page.text


def test_changes_and_windows_without_a_path_have_a_page_too(series, tmp_path):
    changes = event_study(
        series, [DAYS[700]], kind="change", unit="points", volatility=None, window=(0, 2)
    )
    page = written(changes, tmp_path / "study.html")
    assert not page.images and "so there is no path" in page.text and "In points." in page.text


@pytest.mark.parametrize("name", ["study.pdf", "study"])
def test_a_page_has_the_name_of_one(series, name, tmp_path):
    study = event_study(series, [DAYS[700]], volatility=None)
    with pytest.raises(TableError, match=r"give it a name that ends with \.html"):
        study.report(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_what_cannot_be_written_or_tested_leaves_nothing(series, tmp_path):
    study = event_study(series, [DAYS[700]], volatility=None)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TableError, match="cannot be written"):
        study.report(tmp_path / "file" / "study.html")
    with pytest.raises(WindowError):
        study.report(tmp_path / "study.html", 0, 99)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
