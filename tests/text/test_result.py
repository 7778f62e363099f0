"""A result shows itself in every medium and says under its table what was left out."""

from dataclasses import dataclass

import pandas as pd
import pytest

from impact.errors import TableError
from impact.text.result import Result, left_out
from impact.text.table import Column, table


@dataclass(frozen=True, eq=False, repr=False)
class Means(Result):
    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str

    def _title(self):
        return "Means"


class Named(Means):
    def _columns(self):
        return (Column("name", "who", is_text=True),)

    def _notes(self):
        return ("A note.", "")


def dropped(*rows):
    return pd.DataFrame(rows, columns=["event", "security", "reason"])


@pytest.fixture
def means():
    frame = pd.DataFrame({"estimate": [0.0123]}, index=pd.Index(["a"], name="name"))
    return Means(frame, dropped(("b", "XLK", "no price")), "made up")


def test_every_medium_holds_the_numbers_the_signature_and_what_was_left_out(means):
    shown = (str(means), str(means.summary()), means._repr_html_(), means.to_latex())
    for text in shown:
        assert "Means" in text and "1.23" in text and "made up" in text
        assert "Left out: 1 (b XLK: no price)." in text
    assert "0.0123" in means.to_csv() and "made up" in means.to_csv()


def test_the_frame_that_is_handed_out_is_a_copy(means):
    frame = means.to_frame()
    frame.loc["a", "estimate"] = 7
    assert means.table.loc["a", "estimate"] == 0.0123


def test_a_result_may_choose_its_columns_and_empty_notes_leave_no_line(means):
    shown = Named(means.table, dropped(), "").summary()
    assert [column.heading for column in shown.columns] == ["who"]
    assert shown.below == ("A note.",)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], ""),
        ([("a", "", "late")], "Left out: 1 (a: late)."),
        (
            [("a", "", "late"), ("b", "X", "no price"), ("c", "", "late")],
            "Left out: 3 (a and c: late; b X: no price).",
        ),
        (
            [(name, "", "late") for name in "abcdef"],
            "Left out: 6 (a, b, c and 3 more: late).",
        ),
    ],
)
def test_what_was_left_out_in_one_line(rows, line):
    assert left_out(dropped(*rows)) == line


@pytest.mark.parametrize("wrong", ["chance", "who"])
def test_a_column_that_holds_no_numbers_is_not_shown_in_percent(wrong):
    frame = pd.DataFrame({"who": ["a"], "size": [0.2]})
    with pytest.raises(TableError, match=f"'{wrong}' is not a column of numbers.*'size'"):
        table(frame, "t", percent=[wrong])


def test_a_share_has_no_sign_and_a_change_has():
    frame = pd.DataFrame({"share": [0.2, 0.0], "change": [0.2, -0.1]})
    shown = table(frame, "t", percent=["share", "change"])
    assert shown.cells() == [["20.00%", "+20.00%"], ["0.00%", "−10.00%"]]
