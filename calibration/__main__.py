"""``python -m calibration [PROCESSES]``: run every experiment and write its table."""

import sys
from collections.abc import Sequence

from calibration import calibrate, write_calibration


def main(arguments: Sequence[str]) -> int:
    """Write ``data/calibration.csv``; return the exit status."""
    table = calibrate(n_jobs=int(arguments[0]) if arguments else -1)
    print(f"{len(table):,} rows written to {write_calibration(table)}")
    print("accept them with make data-accept")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
