"""Tables in files: what another program reads back is what the table holds."""

import re
import sys
from html.parser import HTMLParser

import docx
import numpy as np
import openpyxl
import pandas as pd
import pytest

from impact.errors import TableError
from impact.study.event_study import event_study
from impact.text.document import write_page
from impact.text.table import table


@pytest.fixture(scope="module")
def summary():
    days = pd.bdate_range("2020-01-01", periods=400)
    draws = pd.Series(0.01 * np.random.default_rng(2).standard_normal(400), days, name="X")
    draws.iloc[320] = -0.08
    events = {"=cmd & <b> 50% $_x": days[320], "calm | day": days[340]}
    return event_study(draws, events, volatility=None).summary(stars=True)


def odd(**columns):
    return table(pd.DataFrame(columns), "A & B: 50% <of> $1 | =x")


def test_word_shows_the_table_as_it_is_printed(summary, tmp_path):
    summary.save(tmp_path / "t.docx")
    document = docx.Document(str(tmp_path / "t.docx"))
    (read,) = document.tables
    rows = [[cell.text for cell in row.cells] for row in read.rows]
    assert rows[1] == [column.heading for column in summary.columns]
    assert rows[2:] == summary.in_print.cells()
    said = [paragraph.text for paragraph in document.paragraphs]
    assert said == [summary.title, *summary.below]


def test_in_word_no_number_is_broken_over_two_lines(summary, tmp_path):
    summary.save(tmp_path / "t.docx")
    (read,) = docx.Document(str(tmp_path / "t.docx")).tables
    look = [child.tag.rpartition("}")[2] for child in read._tbl.tblPr]
    assert look.index("tblCellMar") < look.index("tblLook")
    (margin, *_) = read._tbl.xpath("./w:tblPr/w:tblCellMar/w:left/@w:w")
    for number, column in enumerate(summary.columns):
        longest = max(len(cells[number]) for cells in summary.in_print.cells())
        # Half of 8 points is a wide digit.
        room = read.columns[number].width.pt - 2 * int(margin) / 20
        assert column.is_text or room >= 4.5 * longest, column.heading


def test_excel_holds_the_numbers_unrounded_and_texts_as_texts(summary, tmp_path):
    summary.save(tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    heads, *rows = book["Table"].iter_rows()
    by_name = {column.name: i for i, column in enumerate(summary.columns)}
    for name in ("estimate", "p_textbook"):
        column = [row[by_name[name]] for row in rows]
        assert [cell.value for cell in column] == summary.frame[name].to_list()
        assert all(cell.data_type == "n" for cell in column)
    assert rows[0][by_name["estimate"]].number_format.startswith("+0.00%;")
    assert rows[0][by_name["p_textbook"]].number_format.startswith("0.000;")
    label = rows[0][by_name["label"]]
    assert (label.value, label.data_type) == ("=cmd & <b> 50% $_x", "s")
    assert heads[by_name["p_textbook"]].value == "textbook: p"
    about = [row[0].value for row in book["About"].iter_rows()]
    assert about == [summary.title, *summary.below]


#: What is no letter, as it stands in every file, and as one line.
ODD = {
    "two\nlines": "two lines",
    "two\r=1+1": "two =1+1",
    "two \r\n\n lines": "two lines",
    "two\u2028lines": "two lines",
    "\x00=1+1": "�=1+1",
    "\ufeff=1+1": "�=1+1",
    "bell\a, \x1b[31mred": "bell�, �[31mred",
    "half a letter \ud800": "half a letter �",
    "+1%\u202e−2%": "'+1%�−2%",
    "＝1+1": "'＝1+1",
}


@pytest.mark.parametrize("text", ODD)
def test_a_text_stays_in_its_cell_whatever_signs_it_holds(text, tmp_path):
    plain = ODD[text].removeprefix("'")
    shown = table(pd.DataFrame({"name": [text], text: [0.5]}), text, notes=[text])
    for ending in ("docx", "xlsx", "tex", "html", "md", "csv"):
        shown.save(tmp_path / f"t.{ending}")
    (words,) = docx.Document(str(tmp_path / "t.docx")).tables
    assert words.rows[1].cells[0].text == plain
    rows = [*openpyxl.load_workbook(tmp_path / "t.xlsx")["Table"].values]
    assert rows == [("name", plain), (plain, 0.5)]
    read = pd.read_csv(tmp_path / "t.csv")
    assert read.shape == (1, 3) and read["name"][0] == read.columns[1] == ODD[text]
    lines = (tmp_path / "t.md").read_text("utf-8").splitlines()
    assert sum(line.startswith("| ") for line in lines) == 3
    assert f'<td style="text-align:left;padding:2px 8px">{plain}</td>' in shown._repr_html_()
    assert len(str(shown).splitlines()) == 7 and plain in str(shown)


def test_what_excel_cannot_hold_is_cut_where_it_shows(tmp_path):
    odd(label=["x" * 40_000]).save(tmp_path / "t.xlsx")
    held = openpyxl.load_workbook(tmp_path / "t.xlsx")["Table"]["A2"].value
    assert held == "x" * 32_766 + "…"


def test_no_entity_formula_or_strike_out_comes_out_of_markdown(tmp_path):
    odd(label=["&lt;i&gt; $x$ ~~y~~"]).save(tmp_path / "t.md")
    assert r"\&lt;i\&gt; \$x\$ \~\~y\~\~" in (tmp_path / "t.md").read_text("utf-8")


@pytest.mark.parametrize("start", list("=+-@"))
def test_no_text_becomes_a_formula(start, tmp_path):
    odd(label=[f"{start}1+1"], number=[-0.5]).save(tmp_path / "t.xlsx")
    odd(label=[f"{start}1+1"], number=[-0.5]).save(tmp_path / "t.csv")
    (row,) = openpyxl.load_workbook(tmp_path / "t.xlsx")["Table"].iter_rows(min_row=2)
    assert (row[0].value, row[0].data_type) == (f"{start}1+1", "s")
    assert (row[1].value, row[1].data_type) == (-0.5, "n")
    written = (tmp_path / "t.csv").read_text().splitlines()
    assert written[1] == f"'{start}1+1,-0.5,"


def test_excel_leaves_a_missing_number_empty(tmp_path):
    odd(label=["a", "b"], p=[0.2, np.nan]).save(tmp_path / "t.xlsx")
    column = openpyxl.load_workbook(tmp_path / "t.xlsx")["Table"]["B"]
    assert [cell.value for cell in column] == ["p", 0.2, None]


def test_latex_has_a_label_fits_the_text_and_prints_small_p_as_people_do(summary):
    text = summary.to_latex()
    assert r"\label{tab:abnormal-return-session-0-x}" in text
    assert r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}" in text
    assert text.count("{") == text.count("}") and r"=cmd \& $<$b$>$ 50\% \$\_x" in text
    shown = table(pd.DataFrame({"p": [4e-21, 0.0312]}), "Two")
    assert "$<$ 0.001" in shown.to_latex() and "4e-21" in str(shown)


def test_print_shows_labels_without_ids():
    both = odd(event=["geneva-truce"], label=["Geneva truce"], p=[0.2])
    assert "geneva-truce" not in both.to_latex() and "Geneva truce" in both.to_latex()
    assert "geneva-truce" in odd(event=["geneva-truce"], p=[0.2]).to_latex()


def test_markdown_and_html_escape_what_is_markup(summary, tmp_path):
    summary.save(tmp_path / "t.md")
    lines = (tmp_path / "t.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert cells == {len(summary.columns) + 1}
    assert r"calm \| day" in rows[3] and r"\<b\>" in rows[2]
    odd(p=[0.1]).save(tmp_path / "t.html")
    reader = _Title()
    reader.feed((tmp_path / "t.html").read_text("utf-8"))
    assert reader.title == "A & B: 50% <of> $1 | =x"


class _Title(HTMLParser):
    title, _inside = "", False

    def handle_starttag(self, tag, attrs):
        self._inside = tag == "title"

    def handle_data(self, data):
        self.title += data if self._inside else ""

    def handle_endtag(self, tag):
        self._inside = False


@pytest.mark.parametrize("name", ["t.jpg", "t", "t.doc", ".docx"])
def test_an_unknown_ending_is_named(name, tmp_path):
    with pytest.raises(TableError, match=r"a table is saved as \.docx, .* or \.csv"):
        odd(p=[0.1]).save(tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("path", [None, 3, b"t.csv", ["t.csv"]])
def test_what_is_no_path_is_one_sentence(path):
    shown = odd(p=[0.1])
    calls = [shown.save, lambda path: write_page(path, "A page", [], [])]
    for call in calls + [shown.to_csv] * (path is not None):
        with pytest.raises(TableError, match="is not a path: give the name of a file"):
            call(path)


@pytest.mark.parametrize("ending", ["docx", "xlsx", "tex", "html", "md", "csv"])
def test_a_file_that_cannot_be_written_is_one_sentence(ending, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TableError, match=r"cannot be written .*: make room or ask for access"):
        odd(p=[0.1]).save(tmp_path / "file" / f"t.{ending}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["a\0b.csv", "\ud800.csv"])
def test_a_name_that_is_none_is_one_sentence(name, tmp_path):
    with pytest.raises(TableError, match="is no name for a file: choose another"):
        odd(p=[0.1]).save(tmp_path / name)


def test_a_name_is_as_long_as_the_disk_takes(tmp_path):
    odd(p=[0.1]).save(tmp_path / f"{'x' * 240}.csv")
    with pytest.raises(TableError, match="shorten its name"):
        odd(p=[0.1]).save(tmp_path / f"{'x' * 300}.csv")
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize(("ending", "package"), [("docx", "docx"), ("xlsx", "openpyxl")])
def test_a_missing_extra_is_one_sentence(ending, package, tmp_path, monkeypatch):
    for name in {package, *sys.modules}:
        if name.split(".")[0] == package:
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TableError, match=r"is not installed: .*\[office\]"):
        odd(p=[0.1]).save(tmp_path / f"t.{ending}")


def test_a_result_saves_its_table(tmp_path):
    days = pd.bdate_range("2020-01-01", periods=400)
    draws = pd.Series(0.01 * np.random.default_rng(2).standard_normal(400), days, name="X")
    study = event_study(draws, [days[320]], volatility=None)
    study.save(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == study.summary().to_csv()
