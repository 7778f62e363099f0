"""The contact sheet: every picture with its finding, every link to a file that is there."""

import re
from pathlib import Path

from impact.figures import FIGURES
from impact.figures.contact_sheet import contact_sheet

HERE = Path(__file__).parents[2] / "figures"


def test_the_committed_sheet_is_that_of_the_committed_pictures():
    assert (HERE / "README.md").read_text(encoding="utf-8") == contact_sheet(FIGURES, HERE)


def test_it_shows_every_picture_once_in_order_and_links_to_files_that_are_there():
    page = contact_sheet(FIGURES, HERE)
    assert re.findall(r'<img src="(.*?)\.png"', page) == list(FIGURES)
    links = re.findall(r'\]\((.*?)\)|href="(.*?)"', page)
    assert len(links) == 4 * len(FIGURES)
    assert all((HERE / (one or other)).is_file() for one, other in links)


def test_a_finding_with_signs_of_a_table_of_html_or_of_formulas_stays_one_cell(tmp_path):
    (tmp_path / "one.txt").write_text('A "rise" | of $200bn to $300bn & <b>. More.\n')
    row = contact_sheet(["one", "not drawn yet"], tmp_path).strip().split("\n")[-1]
    assert row.count("|") == 2 and "$" not in row
    assert "A &quot;rise&quot; &#124; of &#36;200bn to &#36;300bn &amp; &lt;b&gt;.**" in row
