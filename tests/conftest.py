"""What every test runs under: no cache of the user's, no screen."""

import os
import tempfile

import pytest

os.environ["MPLBACKEND"] = "agg"

# Scripts, not modules: they find one another beside them, and are run by tests/project.
collect_ignore_glob = ["reference/*"]


@pytest.fixture(scope="session", autouse=True)
def _own_cache():
    """Live prices and variances are kept in a folder of this test run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["IMPACT_CACHE_DIR"] = folder
        yield
