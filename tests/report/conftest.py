"""One small site for all tests of this folder, or the whole one that `make check-report` names."""

import os
import warnings
from pathlib import Path

import pytest

from impact.report.site import Scope, build_site

#: Three announcements (one in five-minute prices, one of 1930, one that put known news into force)
#: and one of each other kind.
SMALL = {
    "events": ["wsj-fentanyl-overture", "smoot-hawley-approval-1930", "steel-50-effective"],
    "notebooks": ["08-your-own-event"],
    "figures": ["the-day-china-called"],
    "names": ["event_card", "Table", "volatility"],
    "since": "2025-01-02",
}


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """Where the sources of the small site are kept."""
    return tmp_path_factory.mktemp("report-work")


@pytest.fixture(scope="session")
def site(tmp_path_factory, work):
    """The folder of the site: three announcements and one page of each other kind."""
    if named := os.environ.get("IMPACT_SITE"):
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("report")
    with warnings.catch_warnings():
        # What the packages that lay the site out think of each other's next version.
        warnings.filterwarnings("default", module="myst|sphinx|furo|docutils|numpydoc")
        build_site(folder, work, Scope(**SMALL))
    return folder
