"""The figures of how far a p-value can be trusted: size, power, and other ways to have done it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impact.analysis import specification
from impact.charts.style import Words, kind_of
from impact.charts.trust import detectable_moves, size_rows, specification_plot
from impact.figures.common import core_labels, core_study, index_returns, source
from impact.figures.exhibits import Exhibit
from impact.hypotheses.selection import select_group
from impact.inference.conditional import POWER, detectable
from impact.inference.size import load_calibration, thirds
from impact.market.files import data_hash
from impact.news.catalogue import load_events
from impact.text.formats import counted, date, list_of, p_phrase, percent
from impact.volatility.forecast import PAST_SESSIONS, conditional_z

#: Groups of sessions with their headings, and the tests with their words: (test, model, text).
GROUPS = (
    ("low volatility", "calm third"),
    ("middle volatility", "middle third"),
    ("high volatility", "turbulent third"),
)
CONSTANT = (
    ("prediction_t", "", "textbook t (250 sessions)"),
    ("sample_quantile", "", "sample quantile"),
    ("conformal", "", "conformal"),
    ("placebo_session", "", "rank among earlier sessions"),
)
KNOWING = (
    ("conditional_fhs", "gjr", "GJR-GARCH, past shocks (headline)"),
    ("conditional_t", "gjr", "GJR-GARCH, Student t"),
    ("conditional_fhs", "garch", "GARCH, past shocks"),
    ("conditional_t", "garch", "GARCH, Student t"),
    ("conditional_fhs", "ewma", "exponential weights, past shocks"),
    ("conditional_t", "ewma", "exponential weights, Student t"),
)
TEXTBOOK, HEADLINE = CONSTANT[0][2], KNOWING[0][2]

#: Core events whose moves are shown beside the smallest detectable one.
SHOWN = ("liberation-day", "mofcom-evaluating", "massive-increase-post")

#: The escalations of the specification curve.
CHINA = {
    "counterparty": "CN",
    "direction": ["escalation", "retaliation"],
    "since": "2025-01-01",
    "until": "2025-12-31",
}

#: Every so many sessions is a dot; sessions in a year.
STEP, YEAR = 5, 252


# -- can-you-trust-the-p -------------------------------------------------------------------------


def can_you_trust_the_p() -> Exhibit:
    """Draw how often each test rejects at 5%, by the volatility of the sessions before."""
    table = load_calibration("size").query("window == '(0, 0)' and level == 0.05")
    rates = table.set_index(["test", "model", "group"])
    rows = pd.DataFrame(
        [
            {"kind": kind, "text": text, "test": test, "model": model, "knows": tests is KNOWING}
            | {
                f"{what}_{group}": rates.loc[(test, model, group), what]
                for what in ("rate", "error")
                for group, _ in GROUPS
            }
            for kind, tests in (("constant variance", CONSTANT), ("variance of the eve", KNOWING))
            for test, model, text in tests
        ]
    )
    meta = load_calibration("meta").set_index("test")["note"]
    first, last = pd.Timestamp(meta["first session"]), pd.Timestamp(meta["last session"])
    title = _size_title(rows.set_index("text"))
    words = Words(
        title,
        f"Each test at 5%, two-sided, on {counted(int(meta['sessions']), 'session')} of the "
        f"S&P 500 from {date(first)} to {date(last)}, sorted into thirds by the volatility of "
        "the 22 sessions before. A test that can be trusted rejects on 5% in each third "
        f"(shaded: 3.5 to 6.5%). Variance fitted every {meta['sessions between two fits']} "
        "sessions on what was known.",
        f"Source: data/calibration.csv ({data_hash('calibration.csv')}), seed {meta['seed']}; "
        "S&P 500 closes. Numbers: figures/can-you-trust-the-p.csv",
    )
    shown = rows.drop(columns="knows").rename(columns=lambda name: name.replace(" ", "_"))
    return Exhibit(
        "can-you-trust-the-p", size_rows(words, rows, GROUPS), shown, _size_alt(title, rows)
    )


def _size_title(rows: pd.DataFrame) -> str:
    textbook, ours = (
        [rows.loc[name, f"rate_{group}"] for group, _ in GROUPS] for name in (TEXTBOOK, HEADLINE)
    )
    turbulent, low, high = (
        percent(rate, 1, signed=False) for rate in (textbook[-1], min(ours), max(ours))
    )
    verdict = "stays near it" if _near(ours) else "misses it too"
    return (
        f"At 5% the textbook test rejects {turbulent} of turbulent sessions; the headline test, "
        f"which knows the variance of the eve, {verdict}: {low} to {high} by third"
    )


def _near(rates) -> bool:
    return min(rates) >= 0.035 and max(rates) <= 0.065


def _size_alt(title: str, rows: pd.DataFrame) -> str:
    told = "; ".join(
        f"{row['text']}: "
        + ", ".join(percent(row[f"rate_{group}"], 1, signed=False) for group, _ in GROUPS)
        for row in rows.to_dict("records")
    )
    headings = list_of(heading for _, heading in GROUPS)
    return (
        f"{title}. Dots with Monte Carlo intervals in three panels, {headings} of the sessions "
        f"by volatility, beside a line at 5%. Rejection rates: {told}."
    )


# -- power ---------------------------------------------------------------------------------------


def power() -> Exhibit:
    """Draw the smallest move that the headline test finds, by volatility."""
    sessions = _detectable_by_session()
    medians = _medians(sessions)
    marks = _marks()
    title = _power_title(medians, marks)
    last = sessions.index[-1]
    words = Words(
        title,
        f"The move of one session that the 5% test finds in {percent(POWER, 0, signed=False)} of "
        f"cases, in its harder direction, on every fifth session of the S&P 500 from "
        f"{date(sessions.index[0])} to {date(last)}; GJR-GARCH variance of the eve, past shocks. "
        "An announcement whose move is smaller than that can be real without being found.",
        source("power", "events.csv"),
    )
    figure = detectable_moves(words, sessions, medians, marks)
    dots = sessions.reset_index(names="session").assign(event="", move=np.nan)
    named = marks[["session", "volatility", "detectable", "event", "move"]]
    table = pd.concat([dots, named], ignore_index=True)
    return Exhibit("power", figure, table, _power_alt(title, medians, marks))


def _trailing() -> pd.Series:
    """Volatility of the 22 sessions before each session, a year."""
    return index_returns().rolling(22).std().shift(1) * np.sqrt(YEAR)


def _detectable_by_session() -> pd.DataFrame:
    z = conditional_z(index_returns())
    values, sigma = z["z"].to_numpy(), z["sigma"].to_numpy()
    rows = np.arange(PAST_SESSIONS, len(z), STEP)
    found = [sigma[row] * detectable(values[row - PAST_SESSIONS : row]) for row in rows]
    days = z.index[rows]
    return pd.DataFrame({"volatility": _trailing()[days], "detectable": found}, days)


def _medians(sessions: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (name, chosen), (_, heading) in zip(
        thirds(sessions["volatility"].to_numpy(), "volatility").items(), GROUPS, strict=True
    ):
        part = sessions[chosen]
        middle = part["detectable"].median()
        rows.append(
            {
                "group": name,
                "low": part["volatility"].min(),
                "high": part["volatility"].max(),
                "detectable": middle,
                "heading": heading,
                "text": f"{heading}\nmedian {percent(middle, 1, signed=False)}",
            }
        )
    return pd.DataFrame(rows)


def _marks() -> pd.DataFrame:
    study, rows = core_study(), []
    volatility = _trailing()
    for name in SHOWN:
        unit = study[name]
        car = unit.car(0).iloc[0]
        session, label = car["session"], list_of(core_labels(car["announcements"]))
        rows.append(
            {
                "session": session,
                "event": name,
                "label": label,
                "volatility": volatility[session],
                "detectable": car["smallest_detectable"],
                "move": abs(car["estimate"]),
                "p": car["p_conditional"],
                "kind": kind_of(unit.alignment["direction"].iloc[0]),
                "text": f"{date(session)}  {label}\n"
                f"moved {percent(car['estimate'], 1)}, "
                f"found from {percent(car['smallest_detectable'], 1, signed=False)}",
            }
        )
    return pd.DataFrame(rows)


def _power_title(medians: pd.DataFrame, marks: pd.DataFrame) -> str:
    calm, turbulent = (percent(x, 1, signed=False) for x in medians["detectable"].iloc[[0, -1]])
    start = (
        f"In calm markets a move of {calm} is found in four cases of five, in turbulent ones it "
        f"takes {turbulent}"
    )
    called = marks[marks["event"] == "mofcom-evaluating"].iloc[0]
    moved = percent(called["move"], 1, signed=False)
    verdict = "was too small to tell" if called["move"] < called["detectable"] else "was enough"
    return f"{start}; the {moved} of {date(called['session'])} {verdict}"


def _power_alt(title: str, medians: pd.DataFrame, marks: pd.DataFrame) -> str:
    by_third = ", ".join(
        f"{row.heading} {percent(row.detectable, 1, signed=False)}" for row in medians.itertuples()
    )
    told = "; ".join(
        f"{date(row.session)}, {row.label}: moved by {percent(row.move, 1, signed=False)}, "
        f"smallest detectable {percent(row.detectable, 1, signed=False)}"
        for row in marks.itertuples()
    )
    return (
        f"{title}. One dot a session: the smallest detectable move against the volatility of the "
        f"22 sessions before, both on logarithmic scales; the dots rise from left to right. "
        f"Medians by third: {by_third}. Marked events: {told}."
    )


# -- specification-curve -------------------------------------------------------------------------


def escalation_curve() -> specification.SpecificationCurve:
    """Judge the mean CAR of the China escalations of 2025 in every reasonable way."""
    returns = index_returns()
    one_way, wider = (
        pd.DataFrame({"session": select_group(returns.index, rows, CHINA).sessions})
        for rows in ("included", "all")
    )
    subsets = {
        "one direction only": one_way,
        "candidates too": wider,
        "mixed sessions too": load_events(**CHINA),
    }
    return specification.specification_curve(
        returns, subsets, variances=("constant", "gjr", "ewma")
    )


def specification_curve() -> Exhibit:
    """Draw the specification curve of the China escalations of 2025."""
    curve = escalation_curve()
    title = _curve_title(curve)
    sizes = curve.table["n"]
    words = Words(
        title,
        f"Mean cumulative abnormal return of the S&P 500 over {sizes.min()} to {sizes.max()} "
        "sessions with US escalations against China or Chinese retaliation in 2025, under "
        f"{counted(len(curve), 'specification')} from left to right by rising estimate. p: "
        f"studentised mean among {counted(curve.shifts, 'circular shift')} of the set."
        f"{_never(curve)} Chosen after the events.",
        source("specification-curve", "events.csv"),
    )
    figure = specification_plot(words, curve.table, curve.options)
    return Exhibit("specification-curve", figure, curve.table, _curve_alt(title, curve))


def _never(curve: specification.SpecificationCurve) -> str:
    """Name the options with which no specification passes 5%."""
    never = [
        f"{choice} “{option}”"
        for choice in curve.options["choice"].unique()
        for option, p in curve.table.groupby(choice)["p_value"].min().items()
        if p > specification.LEVEL
    ]
    return f" None passes with {list_of(never, 'or')}." if never else ""


def _curve_title(curve: specification.SpecificationCurve) -> str:
    side = "below" if curve.shares["below zero"] >= curve.shares["above zero"] else "above"
    word = "negative" if side == "below" else "positive"
    share = percent(curve.shares[f"{side} zero"], 0, signed=False)
    found = percent(curve.shares[f"{side} zero, p <= 5%"], 0, signed=False)
    p = curve.joint["share significant"]
    verdict = (
        "more than chance gives" if p <= specification.LEVEL else "not enough to rule out chance"
    )
    return (
        f"The reaction to the China escalations of 2025 is {word} in {share} of "
        f"{counted(len(curve), 'specification')} and passes 5% in {found}: {verdict} "
        f"(joint {p_phrase(p)})"
    )


def _curve_alt(title: str, curve: specification.SpecificationCurve) -> str:
    low, high = curve.table["estimate"].iloc[[0, -1]]
    told = "; ".join(
        f"{choice}: "
        + ", ".join(f"{row.option} {percent(row.estimate, 1)}" for row in group.itertuples())
        for choice, group in curve.options.groupby("choice", sort=False)
    )
    by_median = p_phrase(curve.joint["median statistic"])
    return (
        f"{title}. Dots of mean cumulative abnormal returns rising from {percent(low, 1)} to "
        f"{percent(high, 1)}, above one row of ticks for each option of each choice. Median "
        f"estimate by option: {told}. By the median statistic the joint {by_median}."
    )
