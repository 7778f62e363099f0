"""How often each test rejects at 5%, by the volatility of the sessions before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impact.charts.curve import rows_in_groups
from impact.charts.labels import letters
from impact.charts.page import BAND, GROUND, INK, MUTED, Words, page, percent_axis, points, stroke
from impact.figures.common import THIRDS
from impact.inference.size import KEPT, load_calibration
from impact.market.files import data_hash
from impact.text.formats import counted, date, list_of, percent

#: The tests with their words, by what they know or are tried on: (experiment, test, model, text).
CONSTANT, KNOWING = "constant variance", "variance of the evening before"
ELSEWHERE = "the same on data that no choice was made on"
TESTS = {
    CONSTANT: (
        ("size", "prediction_t", "", "textbook t (250 sessions)"),
        ("size", "sample_quantile", "", "sample quantile"),
        ("size", "conformal", "", "conformal"),
        ("size", "placebo_session", "", "rank among earlier sessions"),
    ),
    KNOWING: (
        ("size", "conditional_fhs", "gjr", "GJR-GARCH, past shocks (headline)"),
        ("size", "conditional_t", "gjr", "GJR-GARCH, Student t"),
        ("size", "conditional_fhs", "garch", "GARCH, past shocks"),
        ("size", "conditional_t", "garch", "GARCH, Student t"),
        ("size", "conditional_fhs", "ewma", "exponential weights, past shocks"),
        ("size", "conditional_t", "ewma", "exponential weights, Student t"),
    ),
    ELSEWHERE: (
        ("size-1936", "conditional_fhs", "gjr", "headline, S&P 500 of 1936 to 1998"),
        ("size-sectors", "conditional_fhs", "gjr", "headline, sector funds"),
        ("size-firms", "conditional_fhs", "gjr", "headline, single large firms"),
        ("size-funds", "conditional_fhs", "gjr", "headline, gold, bonds, markets abroad"),
        ("size-1994", "implied_t", "vix", "by the VIX, S&P 500 from 1994"),
    ),
}


@dataclass(frozen=True)
class Size:
    """One row a test, with `rate_G` and `error_G` for each group G; and what was run."""

    rows: pd.DataFrame
    meta: pd.Series


def data() -> Size:
    """Read the published size of each test."""
    table = load_calibration().query("window == '(0, 0)' and level == 0.05")
    rates = table.set_index(["experiment", "test", "model", "group"])
    rows = [
        {"kind": kind, "text": text, "experiment": key[0], "test": key[1], "model": key[2]}
        | {
            f"{what}_{group}": rates.loc[(*key, group), what]
            for what in ("rate", "error")
            for group, _ in THIRDS
        }
        | {"n": sum(rates.loc[(*key, group), "n"] for group, _ in THIRDS)}
        for kind, tests in TESTS.items()
        for *key, text in tests
    ]
    return Size(pd.DataFrame(rows), load_calibration("meta").set_index("test")["note"])


def title(data: Size) -> str:
    """Say how the textbook test errs when it is turbulent, and whether the headline test does."""
    tests = data.rows.groupby("kind").first()
    textbook, ours = (
        tests.loc[kind, [f"rate_{group}" for group, _ in THIRDS]] for kind in (CONSTANT, KNOWING)
    )
    turbulent, low, high = (
        percent(rate, 1, signed=False) for rate in (textbook.iloc[-1], ours.min(), ours.max())
    )
    near = KEPT[0] <= ours.min() and ours.max() <= KEPT[1]
    return (
        f"In turbulent markets the textbook test calls {turbulent} of days unusual, not 5%; "
        f"ours {'stays near 5%' if near else 'misses 5% too'}: {low} to {high}"
    )


def words(data: Size) -> Words:
    """Return what is written around the picture."""
    meta = data.meta
    first, last = (date(pd.Timestamp(meta[f"{end} session"])) for end in ("first", "last"))
    return Words(
        title(data),
        f"Each test at 5%, two-sided, on every day: {counted(int(meta['sessions']), 'day')} of the "
        f"S&P 500 from {first} to {last}, or as named. Days are sorted into thirds by the "
        "volatility of the 22 before. A test that can be trusted rejects on 5% in each third "
        "(shaded: 3.5 to 6.5%). Variances are fitted at the start of each month on what was known.",
        f"Source: data/calibration.csv ({data_hash('calibration.csv')}), seed {meta['seed']}; "
        "S&P 500 closes. Numbers: figures/can-you-trust-the-p.csv",
    )


def table(data: Size) -> pd.DataFrame:
    """Return the rates."""
    return data.rows.rename(columns=lambda name: name.replace(" ", "_"))


def alt(data: Size) -> str:
    """Tell the picture."""
    told = "; ".join(
        f"{row['text']}: "
        + ", ".join(percent(row[f"rate_{group}"], 1, signed=False) for group, _ in THIRDS)
        for row in data.rows.to_dict("records")
    )
    headings = list_of(heading for _, heading in THIRDS)
    return (
        f"{title(data)}. Dots with 95% intervals in three panels, {headings} of the "
        f"sessions by volatility, beside a line at 5%. Rejection rates: {told}."
    )


# -- the picture ---------------------------------------------------------------------------------


def draw(data: Size) -> Figure:
    """Draw the rates of all tests side by side for the three groups."""
    rows, step, left, gap = data.rows, 46, 630, 30
    places = rows_in_groups(rows["kind"])
    height = step * (max(places) + 2)
    sheet = page(words(data), 84 + height + 150)
    width = (sheet.right - left - gap * (len(THIRDS) - 1)) / len(THIRDS)
    top = sheet.top + 66
    heading = {"weight": "bold", "color": MUTED}
    for place, row, first in zip(
        places, rows.itertuples(), ~rows["kind"].duplicated(), strict=True
    ):
        if first:
            sheet.row(sheet.left, top + step * (place + 0.5), row.kind, **heading)
        sheet.row(sheet.left + 24, top + step * (place + 1.5), row.text)
    high = max((rows[f"rate_{g}"] + 1.96 * rows[f"error_{g}"]).max() for g, _ in THIRDS) * 1.45
    for number, (group, name) in enumerate(THIRDS):
        box = left + number * (width + gap)
        sheet.heading(box, sheet.top + 4, name)
        ax = sheet.axes(box, top, width, height)
        ax.set(xlim=(0, high), ylim=(max(places) + 0.5, min(places) - 1.5), yticks=[])
        _panel(ax, rows, places, group)
    what = "share of days on which the test rejects at 5%"
    sheet.note(left, top + height + 50, what)
    hollow = {"marker": "o", "markerfacecolor": GROUND, "color": MUTED}
    sheet.key(
        sheet.bottom - 36,
        [
            ({"marker": "o", "color": INK}, "knows the variance of the evening before"),
            (hollow, "takes the variance as constant"),
            (stroke(MUTED, 4), "95% sampling interval"),
        ],
    )
    return sheet.figure


def _panel(ax: Axes, rows: pd.DataFrame, places: Sequence[int], group: str) -> None:
    ax.axvspan(*KEPT, color=BAND, zorder=0)
    ax.axvline(0.05, **stroke(INK, 3, 1))
    percent_axis(ax.xaxis, [0, 0.05, 0.10, 0.15], signed=False)
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        rate, reach = row[f"rate_{group}"], 1.96 * row[f"error_{group}"]
        colour, face = (MUTED, GROUND) if row["kind"] == CONSTANT else (INK, INK)
        ax.plot([max(rate - reach, 0), rate + reach], [place, place], **stroke(colour, 4, 2))
        dot = {"markersize": points(17), "markerfacecolor": face, "markeredgewidth": points(4)}
        ax.plot(rate, place, "o", color=colour, zorder=3, **dot)
        told = percent(rate, 1, signed=False)
        edge = ax.get_xlim()[1]
        ax.text(edge, place, told, ha="right", va="center_baseline", **letters(colour, 4))
