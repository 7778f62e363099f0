"""Where the time of the figures goes: ``python -m benchmarks.pictures FOLDER NAME ...``."""

import json
import sys
from pathlib import Path

from benchmarks.process import places
from impact.figures import write_figure


def draw(folder: Path, names: list[str]) -> None:
    """Make figures and write them, as the command line does."""
    for name in names:
        write_figure(name, folder)


if __name__ == "__main__":
    print(json.dumps({"where": places(lambda: draw(Path(sys.argv[1]), sys.argv[2:]))}))
