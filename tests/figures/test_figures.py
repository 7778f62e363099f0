"""The committed figures are what the code draws, from the data that are there."""

import io
import re
from pathlib import Path

import pandas as pd
import pytest
from pictures import assert_words_are_clear, texts_of

from impact import figures
from impact.figures import exhibits
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import simple_returns
from impact.news.catalogue import load_events
from impact.text.formats import MINUS, date

HERE = Path(__file__).parents[2] / "figures"
NAMES = list(figures.FIGURES)


@pytest.fixture(scope="session")
def made():
    """Each figure, made once."""
    held = {}

    def make(name):
        if name not in held:
            held[name] = figures.FIGURES[name]()
        return held[name]

    return make


def test_every_figure_has_its_files_and_every_file_its_figure():
    expected = {f"{name}.{end}" for name in NAMES for end in ("png", "csv", "txt")}
    # The verdicts of the register of hypotheses are a table without a picture.
    assert {path.name for path in HERE.iterdir()} - {"hypotheses.csv"} == expected


@pytest.mark.parametrize("name", NAMES)
def test_committed_numbers_and_words_are_those_of_the_code(name, made):
    exhibit = made(name)
    assert exhibit.name == name
    committed = (HERE / f"{name}.csv").read_text(encoding="utf-8")
    assert exhibits.same_table(committed, exhibit.csv())
    assert (HERE / f"{name}.txt").read_text(encoding="utf-8") == exhibit.alt + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_picture_belongs_to_the_committed_numbers(name):
    texts = exhibits.png_texts(HERE / f"{name}.png")
    table = (HERE / f"{name}.csv").read_bytes().decode()
    assert texts[exhibits.TABLE_KEY] == exhibits.checksum(table)
    alt = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    assert texts[exhibits.ALT_KEY] == alt.strip()
    # Drawn by the code as it is: else the next run would write it anew.
    code = figures.FIGURES[name].__module__
    assert texts[exhibits.STAMP_KEY] == exhibits.stamp(table, alt, code)
    assert "Software" not in texts


@pytest.mark.parametrize("name", NAMES)
def test_no_words_collide_or_leave_the_picture(name, made):
    figure = made(name).figure
    assert figure.get_size_inches()[0] * figure.dpi == 1600
    assert_words_are_clear(figure)


@pytest.mark.parametrize("name", NAMES)
def test_the_title_opens_the_alternative_text(name, made):
    exhibit = made(name)
    title = max(texts_of(exhibit.figure), key=lambda text: text.get_fontsize()).get_text()
    assert exhibit.alt.startswith(title.replace("\n", " ") + ".")


# -- each picture against the data, without the code that drew it --------------------------------


def test_timeline_holds_the_closes_and_rates_as_they_are(made):
    table = made("timeline").table
    sessions = table.dropna(subset="close").set_index("date")["close"]
    assert sessions.equals(load_prices(start="2024-12-01").rename_axis("date").rename("close"))
    rates = table.set_index("date")["tariff_on_china"]
    path = rates[rates.diff().fillna(0) != 0]
    assert path.to_list() == [0.1, 0.2, 0.3, 1.04, 1.45, 0.3, 0.2, 0.1, 0.125]
    legal = pd.read_csv(data_path("tariff_rates.csv"), parse_dates=["effective_from"])
    assert set(path.index) <= set(legal["effective_from"])


def test_timeline_labels_each_core_event_once_with_its_session(made):
    labels = load_events(tags="core")["label"]
    texts = [text.get_text() for text in texts_of(made("timeline").figure.axes[0])]
    drawn = "\n".join(texts)
    for label in labels:
        assert drawn.count(label) == 1, label
    # Published: -4.84% on 3 April, +9.52% on 9 April, +1.47% on 2 May, +3.26% on 12 May.
    for words in (
        f"3 Apr  Liberation Day  {MINUS}4.8%",
        "China 125%  +9.5%",
        "talks  +1.5%",
        "145 to 30%  +3.3%",
        f"{MINUS}2.7%",
    ):
        assert words in drawn


def test_timeline_title_says_how_far_and_how_long(made):
    # Closes of 2 April, 8 April and 2 May 2025: 5670.97, 4982.77, 5686.67.
    fall = f"{100 * (1 - 4982.77 / 5670.97):.1f}%"
    title = made("timeline").alt.split(". ")[0]
    assert f"fell {fall} in the 4 sessions" in title
    assert "back by 2 May 2025, with the tariff on China at 145%" in title


def test_dates_in_the_words_are_dates_of_the_data(made):
    days = set(load_prices().index)
    starts = set(
        pd.read_csv(data_path("tariff_rates.csv"), parse_dates=["effective_from"])["effective_from"]
    )
    spelled = {date(day) for day in days | starts}
    for name in NAMES:
        texts = [made(name).alt, *(text.get_text() for text in texts_of(made(name).figure))]
        for text in texts:
            words = text.replace("\n", " ")
            for found in re.findall(r"\b\d{1,2} [A-Z][a-z]{2,8} \d{4}\b", words):
                assert found in spelled, f"{name}: {found}"


def test_paths_pass_through_the_published_days(made):
    table = made("core-event-paths").table
    zero = table[table["relative_session"] == 0].set_index("session")["path"]
    # Abnormal log returns of the brief: 9 April +9.0488%, 3 April -4.9972%, 2 May +1.4422%.
    assert zero["2025-04-09"] == pytest.approx(0.090488, abs=5e-7)
    assert zero["2025-04-03"] == pytest.approx(-0.049972, abs=5e-7)
    assert zero["2025-05-02"] == pytest.approx(0.014422, abs=5e-7)
    assert (table.loc[table["relative_session"] == -1, "path"] == 0).all()
    assert table["event"].nunique() == 10


def test_reaction_days_has_every_news_session_of_2025(made):
    rows = made("reaction-days").table
    ids = {name for cell in rows["announcements"] for name in cell.split("; ")}
    known = load_events(since="2025-01-01", until="2025-12-31")
    # An announcement after the last close of the year reacts in the next one.
    assert ids == set(known.index[known["news"]]) - {"furniture-increase-delayed"}
    assert rows["session"].is_monotonic_increasing and rows["session"].is_unique
    assert rows.loc[rows["session"] == "2025-05-02", "beside"].item() == "payrolls"
    n, outside = len(rows), int(rows["outside"].sum())
    assert f"{outside} of {n} days" in made("reaction-days").alt


def test_how_unusual_counts_what_its_table_holds(made):
    table = made("how-unusual-2-may").table.set_index("session")
    z = table.loc[table["z"].notna(), "z"]
    assert z.index[-1] - z.index[0] > pd.Timedelta(days=7300)
    share = (z >= z["2025-05-02"]).mean()
    assert f"on {100 * share:.0f}% of sessions" in made("how-unusual-2-may").alt
    assert set(z.index[table["marked"]].strftime("%Y-%m-%d")) == {
        "2025-04-09",
        "2025-05-02",
        "2025-10-10",
    }
    rises = simple_returns(load_prices())
    assert ((z > 0.5) <= (rises.reindex(z.index) > 0)).all()


# -- writing -------------------------------------------------------------------------------------


def _exhibit(value: float, alt: str = "One bar."):
    from impact.charts.style import Words, page

    table = pd.DataFrame({"day": pd.to_datetime(["2025-05-02"]), "value": [value]})
    return exhibits.Exhibit("one", page(Words("t", "s", "n"), 100).figure, table, alt)


def _bytes(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_two_drawings_have_the_same_bytes(tmp_path):
    for place in ("a", "b"):
        exhibits.write_exhibit(_exhibit(1.5), tmp_path / place, code=__name__)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert sorted(_bytes(tmp_path / "a")) == ["one.csv", "one.png", "one.txt"]


@pytest.mark.parametrize("name", ["timeline", "reaction-days"])
def test_a_named_figure_is_drawn_the_same_twice(name, made):
    from impact.charts.style import png

    assert png(made(name).figure) == png(figures.FIGURES[name]().figure)


def test_a_picture_is_written_again_only_when_its_numbers_words_or_code_changed(tmp_path):
    def write(*args, code=__name__):
        return exhibits.write_exhibit(_exhibit(*args), tmp_path, code=code)

    assert write(1.5)
    first = _bytes(tmp_path)
    assert not write(1.5)
    # Another machine's arithmetic is not a change.
    assert not write(1.5 * (1 + 1e-9))
    assert _bytes(tmp_path) == first
    assert write(1.6)
    assert write(1.6, "Two bars.")
    assert write(1.6, "Two bars.", code="impact.figures.year")
    assert not write(1.6, "Two bars.", code="impact.figures.year")
    assert exhibits.png_texts(tmp_path / "one.png")[exhibits.ALT_KEY] == "Two bars."
    # A file that somebody edited is put right.
    (tmp_path / "one.txt").write_text("Three bars.\n")
    assert write(1.6, "Two bars.", code="impact.figures.year")
    assert (tmp_path / "one.txt").read_text() == "Two bars.\n"


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    exhibits.write_exhibit(_exhibit(1.5), tmp_path, code=__name__)
    before = _bytes(tmp_path)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(exhibits.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        exhibits.write_exhibit(_exhibit(2.5), tmp_path, code=__name__)
    assert _bytes(tmp_path) == before


def test_csv_reads_back(made):
    table = pd.read_csv(io.StringIO(made("timeline").csv()), parse_dates=["date"])
    assert len(table) == len(made("timeline").table)


def test_an_unknown_name_lists_the_known_ones(capsys):
    assert figures.main(["time-line"]) == 2
    said = capsys.readouterr().err
    assert "'time-line'" in said and all(name in said for name in NAMES)
