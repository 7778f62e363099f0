"""Each figure is computed and drawn once for all tests of a worker."""

import functools

import pytest

from impact.figures.exhibit import make_exhibit


@pytest.fixture(scope="session")
def made():
    """Return a figure's exhibit by the name of its files."""
    return functools.cache(make_exhibit)
