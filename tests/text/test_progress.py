"""A bar over what takes long: never a reason to stop."""

import sys
from types import ModuleType

from impact.text.progress import with_bar


def test_a_package_that_another_thread_is_importing_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    assert list(with_bar(range(3), "adding")) == [0, 1, 2]
