"""Did you mean: names by likeness, against what a reader would pick."""

from impact.news.catalogue import load_events
from impact.text.nearest import nearest, suggested, suggestion


def test_the_nearest_ids():
    known = load_events().index
    assert nearest("Liberation-Day", known)[0] == "liberation-day"
    assert nearest("wsj-fentanil", known, 1) == ["wsj-fentanyl-overture"]
    assert len(nearest("zzz", known)) == 3
    assert nearest("zzz", []) == []


def test_ids_and_labels_stand_side_by_side():
    known = ["geneva-truce", "Geneva truce (90 days)", "liberation-day", "Liberation Day"]
    assert nearest("liberation day", known, 2) == ["Liberation Day", "liberation-day"]


def test_names_may_be_of_any_kind():
    assert nearest(10107.0, [10107, "MSFT", None], 1) == ["10107"]


def test_nothing_is_suggested_below_the_cutoff():
    assert nearest("directon", ["direction", "label"], cutoff=0.8) == ["direction"]
    assert nearest("size", ["direction", "label"], cutoff=0.8) == []


def test_one_name_is_the_nearest_and_several_are():
    assert suggested("alhpa", ["alpha"]) == "the nearest is 'alpha'"
    assert suggested("alhpa", ["alpha", "beta"]).startswith("the nearest are 'alpha' or ")


def test_a_suggestion_is_a_sentence_part():
    assert suggestion("b", ["a1", "b1", "b2"], 2) == "'b2' or 'b1'"
    assert suggestion("b", []) == ""
