"""Whatever somebody can call has a docstring with an example; doctest runs them."""

import inspect

import pytest

import impact

FACE = [
    name
    for name in impact.__all__
    if inspect.isfunction(getattr(impact, name))
    or (inspect.isclass(getattr(impact, name)) and name != "ImpactError")
]
CLASSES = [impact.EventStudy, impact.Table, impact.IntradayStudy, impact.HypothesisTest]
METHODS = [
    pytest.param(member, id=f"{kind.__name__}.{name}")
    for kind in CLASSES
    for name, member in vars(kind).items()
    if inspect.isfunction(member) and not name.startswith("_")
]


@pytest.mark.parametrize("name", FACE)
def test_what_the_face_shows_has_an_example(name):
    assert ">>>" in (inspect.getdoc(getattr(impact, name)) or "")


@pytest.mark.parametrize("method", METHODS)
def test_what_a_result_can_do_has_an_example(method):
    assert ">>>" in (inspect.getdoc(method) or "")
