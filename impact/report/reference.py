"""The reference: one page for each public name, written from its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from types import ModuleType

import impact
from impact.report.markup import Page

#: In the order of the page: what a name is, and the heading of its kind.
_KINDS = {"function": "Functions", "class": "Results and errors", "module": "Modules"}


def public_names() -> list[str]:
    """Return every name that users import, without the version."""
    return [name for name in impact.__all__ if name != "__version__"]


def reference_pages(names: Sequence[str]) -> Iterator[Page]:
    """Yield the list of names and the page of each."""
    kinds = {name: _kind(getattr(impact, name)) for name in names}
    lines = ["API", "===", "", "All of it is there after ``import impact``.", ""]
    for kind, title in _KINDS.items():
        listed = [f"   impact.{name}" for name, its in kinds.items() if its == kind]
        lines += [title, "-" * len(title), "", ".. autosummary::", "", *listed, ""]
    lines += [".. toctree::", "   :hidden:", "", *(f"   {name}" for name in names)]
    yield PurePosixPath("api/index.rst"), "\n".join(lines) + "\n"
    for name, kind in kinds.items():
        yield PurePosixPath("api", f"{name}.rst"), _page(name, kind)


def _kind(thing: object) -> str:
    if isinstance(thing, ModuleType):
        return "module"
    return "class" if inspect.isclass(thing) else "function"


def _page(name: str, kind: str) -> str:
    lines = [name, "=" * len(name), "", f".. auto{kind}:: impact.{name}"]
    if kind == "class":
        lines += ["   :members:", ""]
    if kind == "module":
        inside = getattr(impact, name)
        functions = [part for part in inside.__all__ if _kind(getattr(inside, part)) == "function"]
        lines += ["", *(f".. autofunction:: impact.{name}.{part}" for part in functions)]
    return "\n".join(lines) + "\n"
