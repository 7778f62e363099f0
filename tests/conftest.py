"""What every test runs under: no cache of the user's, no screen."""

import gc
import os

import pytest
from xdist.scheduler import LoadFileScheduling

os.environ["MPLBACKEND"] = "agg"

# Scripts, not modules: they find one another beside them, and are run by tests/project.
collect_ignore_glob = ["reference/*"]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Live prices and variances are kept in a folder of this test run, for all its processes."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    os.environ["IMPACT_CACHE_DIR"] = str(folder / "cache")


#: Folders whose tests share what is costly: the site, notebooks that have run, cards.
_WHOLE = ("report", "project", "cards")


class _WholeFolders(LoadFileScheduling):
    """A process gets whole files, and these folders whole."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1] if nodeid.startswith("tests/") else ""
        return folder if folder in _WHOLE else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return _WholeFolders(config, log)


def pytest_collection_modifyitems(items):
    """What takes longest comes first, or one process would wait for the other at the end."""
    items.sort(key=lambda item: item.path.parent.name not in _WHOLE)


def pytest_collection_finish():
    """What was imported stays: a search for garbage need not go through it each time."""
    gc.collect()
    gc.freeze()
