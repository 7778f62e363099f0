"""``python -m benchmarks``: measure everything and write ``benchmarks/RESULTS.md``."""

import math
import sys
import time
from pathlib import Path

from benchmarks.bars import Bar, duration, machine, table, times
from benchmarks.peers import OLD_FIGURES, PEERS, SIZES, TOLERANCE, Outcome, compare, figures
from benchmarks.process import Failed, ask, empty_folder
from benchmarks.waits import IMPORT, WAITS

RESULTS = Path(__file__).parent / "RESULTS.md"

#: How many times faster than the fastest peer a study of so many firm events is to be.
FASTER = dict(zip(SIZES, (1 / 1.5, 4, 25, 60), strict=True))

PAIRS = (1_000, 10_000, 100_000, 1_000_000)
FLOOR_SHARE = 0.3
FITS_RATIO = 3.0
FIGURES_SHARE = 0.4
CARD_SECONDS = 1.0
IMPORT_SECONDS, IMPORTS = 0.25, 9
TESTS_PAIRS, TESTS_KIB = 10_000, 2.0
PANEL, PANEL_SECONDS = 500, 180.0

Part = tuple[list[Bar], str]


def firm_events() -> Part:
    """Study, CARs and CAAR of firm events, beside the other packages."""
    ours, outcomes = compare()
    bars, rows = [], []
    for found in ours:
        size, took = found["events"], found["seconds"]
        known = {
            name: outcome.seconds[size]
            for name, outcome in outcomes.items()
            if outcome.agrees and size in outcome.seconds
        }
        rows.append((f"{size:,}", duration(took), *(_time(outcomes[p.name], size) for p in PEERS)))
        name = min(known, key=known.__getitem__, default="no other package")
        ratio = known[name] / took if known else math.nan
        bars.append(
            Bar(
                f"study + car + caar, {size:,} firm events, against the fastest ({name})",
                f"{times(FASTER[size])}" if size > SIZES[0] else "1.5x slower at most",
                f"{times(ratio)} ({duration(took)})" if known else duration(took),
                FASTER[size] / ratio,
                found["where"],
            )
        )
    head = ("events", "impact", *(peer.name for peer in PEERS))
    agreement = table(
        ("package", "CARs and CAAR", "its error of a CAR over ours", "what it can do"),
        (
            (peer.requirements[0].replace("==", " "), *_agreement(outcomes[peer.name]), peer.about)
            for peer in PEERS
        ),
    )
    words = (
        "Market model on 250 days, CARs of (-10, 10); simulated returns without gaps, so that "
        "packages that count calendar days mean the same windows; events on as many firms, 1,000 "
        "at most. Best of up to seven runs, without reading the data."
    )
    return (
        bars,
        f"## Beside other packages\n\n{words}\n\n{table(head, rows, len(head))}\n\n{agreement}",
    )


def _time(outcome: Outcome, size: int) -> str:
    if outcome.why:
        return "not run"
    if not outcome.agrees:
        return "disagrees"
    return duration(outcome.seconds[size]) if size in outcome.seconds else "too slow"


def _agreement(outcome: Outcome) -> tuple[str, str]:
    if outcome.why:
        return f"not run: {outcome.why}", ""
    verdict = f"agree to {outcome.apart:.0e}" if outcome.agrees else "disagree by "
    if not outcome.agrees:
        verdict += f"{outcome.apart:.1e} (allowed: {TOLERANCE:.0e})"
    return verdict, "" if math.isnan(outcome.error_ratio) else f"{outcome.error_ratio:.3f}"


def pairs() -> Part:
    """CARs and errors of many pairs against a floor in plain NumPy."""
    found = [ask("panels", "pairs", count) for count in PAIRS]
    rows = [
        (
            f"{one['pairs']:,}",
            duration(one["seconds"]),
            duration(one["floor"]),
            f"{one['seconds'] / one['floor']:.2f}",
            f"{one['peak']:.2f} GiB",
            f"{one['before']:.2f} GiB",
        )
        for one in found
    ]
    last = found[-1]
    share = last["seconds"] / last["floor"]
    bar = Bar(
        "1,000,000 pairs, CAR and error, against the chunked floor in NumPy",
        f"{FLOOR_SHARE}x its time",
        f"{share:.2f}x ({duration(last['seconds'])}, {last['peak']:.2f} GiB)",
        share / FLOOR_SHARE,
        last["where"],
    )
    words = (
        "Up to 500 securities, common dates, each size in a process of its own; CARs and errors "
        "equal those of the floor to 1e-9. The floor has no labels, checks or missing returns."
    )
    head = ("pairs", "impact", "floor", "ratio", "peak memory", "before the study")
    return [bar], f"## Many pairs\n\n{words}\n\n{table(head, rows, len(head))}"


def tests_memory() -> Part:
    """Peak memory of every test of a panel."""
    found = ask("panels", "tests", TESTS_PAIRS)
    bar = Bar(
        f"tests() of {TESTS_PAIRS:,} firm events, peak memory per pair",
        f"{TESTS_KIB:.0f} KiB",
        f"{found['KiB']:.1f} KiB",
        found["KiB"] / TESTS_KIB,
        found["where"],
    )
    return [bar], ""


def forecasts() -> Part:
    """Every security's forecast for every event of a panel."""
    with empty_folder() as folder:
        found = ask("panels", "forecasts", PANEL, env={"IMPACT_CACHE_DIR": str(folder)})
    bar = Bar(
        f"car(conditional=True) of {found['pairs']:,} pairs, {PANEL} securities, two processes",
        duration(PANEL_SECONDS),
        duration(found["seconds"]),
        found["seconds"] / PANEL_SECONDS,
        found["where"],
    )
    return [bar], ""


def fits() -> Part:
    """Variance fits against arch, on one core."""
    one_core = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found = ask("fits", env=one_core)
    ratio = found["ours"] / found["arch"]
    bar = Bar(
        "GJR-GARCH-t fits a second, one core, against arch",
        f"{FITS_RATIO:.0f}x",
        f"{ratio:.1f}x ({found['ours']:.0f} and {found['arch']:.0f} a second)",
        FITS_RATIO / ratio,
    )
    below = f"at most {found['shortfall']:.0e}" if found["shortfall"] > 0 else "nowhere"
    words = (
        f"{found['windows']} windows of 2,000 returns of the S&P 500, 1999 to 2026, by turns, each "
        f"at its own default tolerance. Valued by arch, our log-likelihood is {below} below that "
        f"of arch, and above it by up to {found['gain']:.0e}."
    )
    return [bar], f"## Variance fits\n\n{words}"


def pictures() -> Part:
    """CPU time of the figures of 0.1.0, today and then."""
    what = "`make figures`, CPU, the twelve figures of 0.1.0 (now as SVG too), against 0.1.0"
    asked = f"{FIGURES_SHARE}x"
    try:
        ours, theirs = figures()
        with empty_folder() as folder:
            env = {"IMPACT_CACHE_DIR": str(folder / "cache")}
            where = ask("pictures", folder / "figures", *OLD_FIGURES, env=env)["where"]
    except Failed as error:
        return [Bar(what, asked, f"0.1.0 could not be run: {error}", math.nan)], ""
    share = ours / theirs
    found = f"{share:.2f}x ({duration(ours)} and {duration(theirs)})"
    return [Bar(what, asked, found, share / FIGURES_SHARE, where)], ""


def waiting() -> Part:
    """What a user of a notebook waits for, in fresh processes."""
    rows, first = [], {}
    for name in WAITS:
        with empty_folder() as folder, empty_folder() as other:
            env = {"IMPACT_CACHE_DIR": str(folder)}
            first[name], again = (ask("waits", name, env=env) for _ in range(2))
            env = {"IMPACT_CACHE_DIR": str(other)}
            first[name] |= ask("waits", name, "where", env=env)
        waits = (duration(first[name]["wait"]), duration(again["wait"]))
        rows.append((name, *waits, ", ".join(first[name]["where"])))
    card = first["first card"]
    imports = min(ask("waits", IMPORT)["import"] for _ in range(IMPORTS))
    bars = [
        Bar(
            "fresh process to the first card, after the import",
            duration(CARD_SECONDS),
            duration(card["wait"]),
            card["wait"] / CARD_SECONDS,
            card["where"],
        ),
        Bar(
            "`import impact` beyond `import pandas`",
            duration(IMPORT_SECONDS),
            duration(imports),
            imports / IMPORT_SECONDS,
            ask("waits", IMPORT, "where")["where"],
        ),
    ]
    words = (
        "Each in a fresh process, after the import: the first time on a machine, and again when "
        "the variance tables are on disk."
    )
    head = ("wait", "first time", "again", "where the first time goes")
    return bars, f"## Waits in a notebook\n\n{words}\n\n{table(head, rows, 2)}"


def main() -> int:
    """Measure, write the page and print it; return the exit status."""
    about, bars, parts = machine(), [], []
    for measure in (firm_events, pairs, fits, forecasts, tests_memory, pictures, waiting):
        start = time.perf_counter()
        found, part = measure()
        bars += found
        parts += [part] if part else []
        print(f"{measure.__name__}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    head = ("bar", "asked", "found", "verdict", "where the time goes")
    page = [
        "# Speed\n\nWritten by `make bench`; ratios are of one run.\n\n" + about,
        "## Bars\n\n" + table(head, (bar.row() for bar in bars)),
        *parts,
    ]
    RESULTS.write_text("\n\n".join(page) + "\n", encoding="utf-8")
    print("\n\n".join(page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
