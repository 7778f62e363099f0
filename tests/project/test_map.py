"""ARCHITECTURE.md names every room and every file of the package, in the order of the contract."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MAP = TEXT.split("## The rooms of `impact/`")[1].split("## Beside it")[0]


def _rooms():
    """Room -> the words in backticks that stand between its heading and the next."""
    parts = re.split(r"\*\*`(\w+)/?`\*\*(?=[ ,\n])|^- `(\w+)/`", MAP, flags=re.M)
    rooms = {}
    for at in range(1, len(parts), 3):
        name = parts[at] or parts[at + 1]
        rooms.setdefault(name, set()).update(re.findall(r"`(\w+)`", parts[at + 2]))
    return rooms


def test_the_map_lists_the_files_of_each_room_and_no_other():
    rooms = _rooms()
    tree = {
        folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in (ROOT / "impact").iterdir()
        if (folder / "__init__.py").exists()
    }
    alone = {path.stem for path in (ROOT / "impact").glob("*.py")} - {"__init__"}
    assert set(rooms) == set(tree) | alone
    for room, files in tree.items():
        assert rooms[room] == files, room


def test_the_rooms_stand_in_the_order_of_the_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    assert contract["exhaustive"] and "ignore_imports" not in contract
    layers = [set(layer.split(" | ")) for layer in reversed(contract["layers"])]
    order = list(_rooms())
    for layer in layers:
        assert set(order[: len(layer)]) == layer
        order = order[len(layer) :]
    assert not order


def test_it_fits_on_two_pages():
    assert len(TEXT.splitlines()) <= 120
