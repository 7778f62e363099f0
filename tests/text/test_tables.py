"""Tables: the texts are right in every medium, the CSV gives the numbers back, nothing drifts."""

from __future__ import annotations

import html.parser
import io
import re

import numpy as np
import pandas as pd
import pytest
from history import index_returns

from impact.errors import TableError
from impact.market.prices import load_prices
from impact.market.returns import log_returns
from impact.news.catalogue import load_events
from impact.news.published import published_beside_ours
from impact.study import tables as study_tables
from impact.study.event_study import event_study
from impact.text import table as tables

SIGMA = tables.SIGMA


@pytest.fixture(scope="module")
def study():
    returns = log_returns(load_prices())
    return event_study(returns, load_events(since="2025-04-01", until="2025-04-12"))


@pytest.fixture(scope="module")
def table(study):
    return study_tables.study_table(study)


class _Rows(html.parser.HTMLParser):
    """Reads a table the way a browser does: rows of cells, entities resolved."""

    def __init__(self):
        super().__init__()
        self.rows, self.cell = [], None

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None


def test_text_holds_the_known_abnormal_returns(table):
    line = next(line for line in str(table).splitlines() if "2025-04-09" in line)
    assert "+9.05%" in line and "10.34" in line and "4e-21" in line
    line = next(line for line in str(table).splitlines() if line.startswith("Liberation Day"))
    assert "\N{MINUS SIGN}5.00%" in line and "\N{MINUS SIGN}5.74" in line


def test_every_text_row_is_as_wide_as_the_rule_allows(table):
    lines = str(table).splitlines()
    rule = len(lines[1])
    assert set(lines[1]) == {"-"}
    last = max(i for i, line in enumerate(lines) if line and set(line) == {"-"})
    assert max(len(line) for line in lines[1:last]) == rule
    ends = {len(line) for line in lines[3:last] if line and set(line) != {"-"}}
    assert ends == {rule}


def test_html_and_text_say_the_same(table):
    reader = _Rows()
    reader.feed(table._repr_html_())
    body = reader.rows[2:]
    assert body == table.cells()
    assert "color:" not in table._repr_html_().replace("color:inherit", "")
    assert "background" not in table._repr_html_()


def test_html_escapes_what_a_label_holds():
    frame = pd.DataFrame({"label": ["<b>&</b>"], "estimate": [0.01]})
    text = tables.table(frame, "<script>")._repr_html_()
    assert "<b>" not in text and "<script>" not in text and "&lt;b&gt;&amp;" in text


def test_latex_leaves_no_special_character_unescaped(table):
    text = table.to_latex()
    for mark in "%&#_$":
        assert not re.search(rf"(?<!\\)(?<!\$){re.escape(mark)}", _stripped(text)), mark
    assert text.isascii()
    for word in (r"\toprule", r"\midrule", r"\bottomrule", r"\cmidrule(lr)"):
        assert word in text
    rows = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    columns = len(table.columns)
    assert len(rows) == len(table.frame)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}


def _stripped(text: str) -> str:
    """LaTeX without its own column marks, commands' arguments and mathematics."""
    body = text.split(r"\midrule")[1]
    return re.sub(r"\$[^$]*\$", "", body).replace(" & ", " ")


def test_latex_stars_cannot_be_read_as_a_starred_line_break():
    frame = pd.DataFrame({"label": ["* odd", "[odd]"], "estimate": [0.01, 0.02]})
    text = tables.table(frame, "odd").to_latex()
    assert not re.search(r"\\\\\s*[*\[]", text)


def test_csv_gives_every_number_back(study, table, tmp_path):
    assert table.to_csv(tmp_path / "car.csv") is None
    content = (tmp_path / "car.csv").read_bytes()
    assert b"\r" not in content
    assert content.decode() == table.to_csv()
    back = pd.read_csv(io.StringIO(table.to_csv()), index_col="event", parse_dates=["session"])
    car = study.car(0)
    for name in ("estimate", "std_error", "statistic", "p_textbook", "p_conditional"):
        assert back[name].to_list() == car[name].to_list()
    assert list(back["session"]) == list(car["session"])
    assert set(back["signature"]) == {study.signed(0)}
    assert "china-84-retaliation;ninety-day-pause" in table.to_csv().replace("; ", ";")


def test_it_signs_itself_and_a_rerun_shows_no_difference(study, table):
    again = study_tables.study_table(study)
    for medium in (str, tables.Table._repr_html_, tables.Table.to_latex, tables.Table.to_csv):
        assert medium(table) == medium(again)
        assert "constant mean" in medium(table) and study.returns.attrs["hash"] in medium(table)
        assert not re.search(r"0x[0-9a-f]{6,}|\d\d:\d\d:\d\d", medium(table))


def test_stars_stand_only_on_request_and_match_the_p_beside_them(study, table):
    assert "***" not in str(table)
    starred = study_tables.study_table(study, stars=True)
    p = study.car(0)["p_conditional"]
    for cells, value in zip(starred.cells(), p, strict=True):
        count = sum(value < level for level in (0.01, 0.05, 0.10))
        assert cells[2].count("*") == count


def test_the_sentence_on_disagreement_names_exactly_the_rows_that_disagree(study, table):
    car = study.car(0)
    apart = car[(car["p_textbook"] < 0.05) ^ (car["p_conditional"] < 0.05)]
    note = next(note for note in table.notes if "disagree" in note)
    assert len(apart) and ("10 April 2025" in note)
    for label in apart["label"] if len(apart) <= 4 else []:
        assert label in note


@pytest.mark.parametrize(
    ("textbook", "conditional", "expected"),
    [
        ([0.2, 0.01], [0.3, 0.02], "agree at 5% in every row"),
        ([0.2, 0.01], [0.3, 0.06], "disagree at 5% on “B” (2 January 2025"),
        ([0.2, 0.01], [0.3, np.nan], "agree at 5% in every row"),
        ([0.01] * 6, [0.2] * 6, "disagree at 5% on 6 of 6 rows"),
    ],
)
def test_disagreement_in_words(textbook, conditional, expected):
    labels = list("ABCDEF")[: len(textbook)]
    car = pd.DataFrame(
        {
            "label": labels,
            "session": pd.Timestamp("2025-01-02"),
            "p_textbook": textbook,
            "p_conditional": conditional,
        }
    )
    assert expected in study_tables.disagreement(car)


def test_the_widest_disagreements_are_named_first():
    car = pd.DataFrame(
        {
            "label": list("ABCDEF"),
            "session": pd.Timestamp("2025-01-02"),
            "p_textbook": [0.04, 1e-3, 1e-4, 1e-5, 0.03, 1e-6],
            "p_conditional": 0.2,
        }
    )
    assert re.findall(r"“([A-F])” \(", study_tables.disagreement(car)) == list("FDCB")


def test_missing_values_show_as_a_dash_and_never_as_nan():
    frame = pd.DataFrame({"label": ["a"], "estimate": [np.nan], "p_value": [np.nan]})
    table = tables.table(frame, "gaps")
    for text in (str(table), table._repr_html_(), table.to_latex()):
        assert "nan" not in text.lower()


def test_a_long_table_is_cut_on_screen_and_whole_in_its_csv():
    frame = pd.DataFrame({"estimate": np.linspace(-1, 1, 500)})
    table = tables.table(frame, "long")
    assert "440 more rows" in str(table) and len(str(table).splitlines()) < 80
    assert len(table.to_csv().splitlines()) == 501
    assert table.to_latex().count(r" \\") == 501


def test_labels_without_a_name_stay_and_numbers_of_rows_do_not():
    frame = pd.DataFrame({"p": [0.2, 0.3]}, ["XLK", "XLE"])
    shown = tables.table(frame, "two")
    assert "XLE" in str(shown) and "XLE" in shown.to_latex()
    assert shown.to_csv().splitlines() == ["index,p,signature", "XLK,0.2,", "XLE,0.3,"]
    kept = tables.table(frame.reset_index(drop=True)[1:], "one")
    assert kept.to_csv().splitlines() == ["p,signature", "0.3,"]


def test_categories_of_any_kind_reach_the_csv():
    texts, numbers = pd.Categorical(["=x", None]), pd.Categorical([1, 2])
    shown = tables.table(pd.DataFrame({"text": texts, "number": numbers}), "kinds")
    assert shown.to_csv().splitlines()[1:] == ["'=x,1,", ",2,"]


def test_a_table_leaves_its_frame_alone(study):
    car = study.car(0)
    before = car.copy(deep=True)
    table = tables.table(car, "car")
    table.to_csv(), str(table), table.to_latex()
    pd.testing.assert_frame_equal(car, before)


def test_published_numbers_reproduce_and_a_wrong_close_is_noticed():
    table = published_beside_ours()
    assert len(table) == 27 and table["agrees"].all()
    assert round(table.loc["spx-2025-04-03-2-sessions", "ours"], 3) == -0.105
    wrong = load_prices().copy()
    wrong["2025-05-02"] += 5
    assert list(published_beside_ours(wrong).query("not agrees").index) == ["spx-2025-05-02"]


def test_a_cell_may_hold_anything(tmp_path):
    cells = [[1, 2], ("a", "b"), {"k": 1}, np.array([1.5, 2.5]), None, pd.NaT]
    shown = tables.table(pd.DataFrame({"what": pd.Series(cells, dtype=object)}), "Cells")
    assert [row for (row,) in shown.cells()] == ["1; 2", "a; b", "{'k': 1}", "[1.5 2.5]", "–", "–"]
    for ending in ("docx", "xlsx", "tex", "html", "md", "csv"):
        shown.save(tmp_path / f"cells.{ending}")


def test_one_note_is_one_line():
    shown = tables.table(pd.DataFrame({"p": [0.2]}), "One p", notes="One sentence.")
    assert shown.notes == ("One sentence.",) and "\nOne sentence." in str(shown)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"p": [0.2]}, index=pd.Index(["a"], name="p")),
        pd.DataFrame([[0.2]], columns=pd.MultiIndex.from_tuples([("p", "two-sided")])),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(frame):
    with pytest.raises(TableError, match="a table has one column of each name, a text: rename"):
        tables.table(frame, "One p")


def test_csv_keeps_dates_as_dates_and_times_whole():
    stamps = pd.to_datetime(["2025-04-09 13:15"]).tz_localize("America/New_York")
    frame = pd.DataFrame({"session": pd.to_datetime(["2025-04-09"]), "from": stamps})
    written = tables.table(frame, "Times").to_csv().splitlines()
    assert written[1].startswith("2025-04-09,2025-04-09 13:15:00-04:00")


# -- spreadsheets --------------------------------------------------------------------------------

FORMULAS = ['=HYPERLINK("http://x")', "+x", "-cmd", "@SUM(A1)", " =1+1", "=1,2"]


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_texts_that_a_spreadsheet_takes_for_formulas_are_escaped_and_numbers_are_not(dtype):
    plain = ["a", "−1.5%", "1-2", "", "'x"]
    frame = pd.DataFrame({"label": pd.Series([*FORMULAS, *plain], dtype=dtype)})
    frame["estimate"] = -np.arange(len(frame)) / 100
    frame["=name"] = [("-a", "b")] * len(frame)
    back = pd.read_csv(
        io.StringIO(tables.table(frame, "t", signature="s").to_csv()), keep_default_na=False
    )
    assert back["label"].to_list() == [*(f"'{text}" for text in FORMULAS), *plain]
    assert back["estimate"].to_list() == frame["estimate"].to_list()
    assert back["'=name"].to_list() == ["'-a; b"] * len(frame)


def test_a_text_that_is_a_number_stays_one():
    frame = pd.DataFrame({"label": ["-0.5", "+3", "-1e5"]})
    assert tables.table(frame, "t").to_csv().split() == ["label,signature", "-0.5,", "+3,", "-1e5,"]


def test_a_label_of_an_event_is_escaped_in_the_file_and_nowhere_else():
    study = event_study(index_returns(), {"=1+1": "2025-04-03"}, volatility=None)
    text = study.summary().to_csv()
    assert text.splitlines()[1].startswith("'=1+1,2025-04-03,'=1+1")
    assert study.car(0).index[0] == "=1+1" and "'=1" not in str(study.summary())
