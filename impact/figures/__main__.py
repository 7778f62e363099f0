"""Draw the named figures: ``python -m impact.figures [NAME ...]``."""

import sys

from impact.figures import main

sys.exit(main(sys.argv[1:]))
