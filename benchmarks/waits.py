"""How long a user of a notebook waits, in a fresh process: ``python -m benchmarks.waits NAME``.

With ``where`` behind it: which of our functions are at work in that time.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.process import places, timed


def first_card(impact: Any) -> object:
    return impact.event_card("wsj-fentanyl-overture")


def first_study(impact: Any) -> object:
    returns = impact.log_returns(impact.load_prices())
    events = impact.load_events(counterparty="CN", since="2025-01-01")
    study = impact.event_study(returns, events)
    return study.summary(), study.tests()


def one_day(impact: Any) -> object:
    return impact.day("2025-05-02")


def half_hours(impact: Any) -> object:
    return impact.intraday_study(impact.load_bars(), impact.load_events())


def register(impact: Any) -> object:
    return impact.evaluate_register()


#: What is asked for first, after the import.
WAITS: dict[str, Callable[[Any], object]] = {
    "first card": first_card,
    "first study: summary and tests()": first_study,
    "day()": one_day,
    "intraday_study of the catalogue": half_hours,
    "evaluate_register": register,
}

#: The wait for the import itself, on top of that for pandas.
IMPORT = "import impact"


def main(name: str, look: bool) -> dict[str, Any]:
    """Import pandas, then the library, then do one thing; return how long each took."""
    import_module("pandas")
    if look and name == IMPORT:
        return {"where": places(lambda: import_module("impact"))}
    start = time.perf_counter()
    impact = import_module("impact")
    took = time.perf_counter() - start
    if name == IMPORT:
        return {"import": took}
    run = WAITS[name]
    if look:
        return {"where": places(lambda: run(impact))}
    return {"import": took, "wait": timed(lambda: run(impact))[0]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], "where" in sys.argv[2:])))
