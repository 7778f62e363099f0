"""The figures of sets of announcements: against placebos, against a dose, then against now.

All of them show verdicts of the register of hypotheses; none tests anything of its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from impact.analysis import dose as doses
from impact.charts.groups import dose_line, group_strips, placebo_panels
from impact.charts.style import Words
from impact.figures.common import NEWS, index_returns, source
from impact.figures.exhibits import Exhibit, write_table
from impact.hypotheses.evaluation import mean_interval
from impact.hypotheses.selection import ROW_SETS
from impact.hypotheses.verdicts import CHANCE, SUPPORTED, Verdicts, evaluate_register
from impact.news.catalogue import load_events
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, date, interval, number, p_phrase, percent
from impact.volatility.forecast import conditional_z

#: The reading of the catalogue that the pictures show.
MAIN = ROW_SETS[0]

ESCALATION, EASING = "china-escalation-2025", "china-easing-2025"
THEN, NOW, BOTH = "china-escalation-2018-2019", "china-escalation-2025", "china-then-and-now-differ"
DOSE = "reaction-grows-with-dose"

_NULLS = {
    "mean": "mean z; null: these sessions are like any other",
    "studentised": "mean z over its standard error; null: their mean is zero",
}


@cache
def verdicts() -> Verdicts:
    """Every hypothesis of the register, evaluated once."""
    return evaluate_register()


def write_verdicts(directory: Path) -> bool:
    """Write the verdicts as ``hypotheses.csv``; return whether anything changed."""
    text = (
        verdicts().table.reset_index().to_csv(index=False, float_format="%.8g", lineterminator="\n")
    )
    return write_table(directory / "hypotheses.csv", text)


def _verdict(hypothesis: str) -> pd.Series:
    return verdicts().table.loc[(hypothesis, MAIN)]


# -- placebo -------------------------------------------------------------------------------------


def placebo() -> Exhibit:
    """Draw the China announcements of 2025 among all circular shifts of themselves."""
    shown = {
        ESCALATION: ("escalation", "China escalations"),
        EASING: ("easing", "China de-escalations and talks"),
    }
    bars, sets = [], []
    for name, (kind, what) in shown.items():
        tests, row = verdicts().tests[name, MAIN], _verdict(name)
        for statistic, p in (("mean", "p_mean"), ("studentised", "p_value")):
            shifted, value = tests[p].detail["draws"], tests[p].statistic
            less = tests[p].alternative == "less"
            as_far = int(np.sum(shifted <= value) if less else np.sum(shifted >= value))
            counts, edges = np.histogram(shifted, bins=41)
            bars.append(
                pd.DataFrame(
                    {
                        "set": name,
                        "statistic": statistic,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "shifts": counts,
                    }
                )
            )
            sets.append(
                {
                    "set": name,
                    "heading": f"{what} of 2025, {counted(row['n'], 'session')}",
                    "kind": kind,
                    "statistic": statistic,
                    "value": value,
                    "p": row[p],
                    "p_holm": row["p_holm"] if statistic == "studentised" else np.nan,
                    "shifts": len(shifted),
                    "as_far": as_far,
                    "told": f"{number(value, 2, signed=True)}\nas far on {as_far:,} of "
                    f"{len(shifted):,} shifts\n{p_phrase(row[p])}",
                }
            )
    bars, sets = pd.concat(bars, ignore_index=True), pd.DataFrame(sets)
    up, down = _verdict(ESCALATION), _verdict(EASING)
    title = _placebo_title(up, down)
    words = Words(
        title,
        "Conditional z of the S&P 500 (GJR-GARCH, refit every 21 sessions) averaged over the "
        f"sessions of a set, among {sets['shifts'].iloc[0]:,} circular shifts of the whole set. "
        "One-sided p; sessions with news of both directions are in neither set. All of it was "
        "chosen after the events.",
        source("placebo", "events.csv", "hypotheses.csv"),
    )
    told = " ".join(
        f"{row.heading}, {_NULLS[row.statistic]}: {number(row.value, 2, signed=True)}, "
        f"as far on {row.as_far:,} of {row.shifts:,} shifts, {p_phrase(row.p)}."
        for row in sets.itertuples()
    )
    table = bars.merge(
        sets[["set", "statistic", "value", "p", "p_holm", "as_far"]], on=["set", "statistic"]
    )
    alt = (
        f"{title}. Four histograms of shifted sets, with the real set marked; p one-sided, "
        f"sessions with news of both directions left out. {told}"
    )
    return Exhibit("placebo", placebo_panels(words, bars, sets, _NULLS), table, alt)


def _placebo_title(up: pd.Series, down: pd.Series) -> str:
    corrected = f"corrected {p_phrase(up['p_holm'])}"
    if up["verdict"] == SUPPORTED:
        first = f"The index fell on China escalations of 2025 as hardly any shifted set did ({corrected})"  # noqa: E501
    else:
        first = f"That the index fell on China escalations of 2025 {_words(up)} ({corrected})"
    return f"{first}; that it rose on de-escalations {_words(down)}"


def _words(row: pd.Series) -> str:
    """A verdict as the end of a sentence."""
    return row["verdict"] if row["verdict"] == CHANCE else f"is {row['verdict']}"


# -- dose-response -------------------------------------------------------------------------------


@cache
def dose_study() -> EventStudy:
    """Every announcement with a change of the rate on China, as the register reads them."""
    events = load_events(since=NEWS)
    return event_study(index_returns(), events[events["china_dose_pp"].notna()], window=(0, 0))


def dose_response() -> Exhibit:
    """Draw the reaction of the index against the change of the tariff on China."""
    study = dose_study()
    dose = doses.dose_response(study, "china_dose_pp", side=_verdict(DOSE)["side"])
    fitted = dose.table.loc["dose"]
    aside = _left_out(study, dose)
    title = _dose_title(dose)
    slope = (
        f"Slope for 10 points: {percent(10 * fitted['estimate'])}, 95% interval "
        f"{interval(10 * fitted['ci_low'], 10 * fitted['ci_high'])}"
    )
    lowest, highest = 10 * dose.leave_one_out["slope"].agg(["min", "max"])
    words = Words(
        title,
        f"Abnormal log return of session 0, in %, against the first announcement of each change. "
        f"{slope}; without one session {interval(lowest, highest)}. Weighted least squares by the "
        f"variance of the eve (GJR-GARCH); n = {counted(dose.nobs, 'session')}.",
        source("dose-response", "events.csv", "hypotheses.csv"),
    )
    points = dose.points.assign(used=True, slope_without=dose.leave_one_out["slope"])
    table = pd.concat([points, aside.assign(used=False)]).rename_axis("event").reset_index()
    table = table.assign(
        slope=fitted["estimate"],
        intercept=dose.params["constant"],
        ci_low=fitted["ci_low"],
        ci_high=fitted["ci_high"],
    )
    told = "; ".join(
        f"{row.label}, {number(row.dose, 1, signed=True)} points: {percent(row.estimate)}"
        for row in dose.points.itertuples()
    )
    alt = (
        f"{title}. Scatter of {counted(dose.nobs, 'session')}: {told}. {slope}. Left out because "
        f"other news shared the session: {'; '.join(aside['label'])}."
    )
    return Exhibit("dose-response", dose_line(words, dose, aside), table, alt)


def _left_out(study: EventStudy, dose: doses.DoseResponse) -> pd.DataFrame:
    car = study.car(0)
    rows = car.loc[car.index.isin(dose.dropped["event"]), ["label", "session", "estimate"]]
    return rows.assign(
        dose=study.alignment.loc[rows.index, "china_dose_pp"],
        sigma=car.loc[rows.index, "sigma_conditional"],
    )


def _dose_title(dose: doses.DoseResponse) -> str:
    if not dose.identified:
        return (
            f"Whether the index falls by more when the tariff on China rises by more "
            f"cannot be told from {counted(dose.nobs, 'session')}"
        )
    slope = dose.params["dose"]
    moved = "fell" if slope < 0 else "rose"
    return (
        f"The index {moved} {percent(abs(10 * slope), signed=False)} for each 10 points of "
        f"tariff on China, with or without any one of {counted(dose.nobs, 'session')}"
    )


# -- then-and-now --------------------------------------------------------------------------------


def then_and_now() -> Exhibit:
    """Draw the China escalations of 2018 and 2019 beside those of 2025."""
    series = conditional_z(index_returns())
    now, then = verdicts().groups[BOTH, MAIN]
    groups = {"2018 and 2019": then, "2025": now}
    dots = (
        pd.concat(
            [
                pd.DataFrame(
                    {
                        "group": name,
                        "announcements": group.labels,
                        "estimate": (series["z"] * series["sigma"])[group.sessions],
                        "z": series.loc[group.sessions, "z"],
                    }
                )
                for name, group in groups.items()
            ]
        )
        .rename_axis("session")
        .reset_index()
    )
    dots["label"] = [
        f"{row.announcements.split('; ')[0]}, {row.session:%b %Y}" for row in dots.itertuples()
    ]
    means = _group_means(dots)
    title = _then_title(_verdict(THEN), _verdict(NOW), _verdict(BOTH))
    row = _verdict(BOTH)
    words = Words(
        title,
        f"Return of the S&P 500 less its mean, in the sessions with China escalations or "
        f"retaliation and no news of the other direction: {row['n_against']} in 2018 and 2019, "
        f"{row['n']} in 2025. Difference of mean z: {p_phrase(row['p_value'])} by permuting the "
        "labels (Welch t). Variance of the eve: GJR-GARCH, refit every 21 sessions.",
        source("then-and-now", "events.csv", "hypotheses.csv"),
    )
    measures = {
        "estimate": "Abnormal log return, in %",
        "z": "The same in standard deviations known the evening before",
    }
    told = " ".join(
        f"{fact.group}, mean {'return' if fact.measure == 'estimate' else 'z'} {fact.told}, 95% "
        f"interval {_bounds(fact)}."
        for fact in means.itertuples()
    )
    alt = (
        f"{title}. Two pictures of the same sessions as dots, {len(then)} from "
        f"{date(then.sessions[0])} to {date(then.sessions[-1])} and {len(now)} from "
        f"{date(now.sessions[0])} to {date(now.sessions[-1])}. {told}"
    )
    return Exhibit(
        "then-and-now", group_strips(words, dots, means, measures), dots.drop(columns="label"), alt
    )


def _bounds(fact) -> str:
    if fact.measure == "estimate":
        return interval(fact.ci_low, fact.ci_high)
    return f"{number(fact.ci_low, signed=True)} to {number(fact.ci_high, signed=True)}"


def _group_means(dots: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for measure in ("estimate", "z"):
        for group, part in dots.groupby("group", sort=False):
            mean, low, high = mean_interval(part[measure].to_numpy())
            told = percent(mean) if measure == "estimate" else number(mean, signed=True)
            rows.append((group, measure, mean, low, high, told))
    names = ["group", "measure", "estimate", "ci_low", "ci_high", "told"]
    return pd.DataFrame(rows, columns=names)


def _then_title(then: pd.Series, now: pd.Series, both: pd.Series) -> str:
    if then["verdict"] == now["verdict"] == SUPPORTED:
        first = "The index fell on China escalations in 2018 and 2019 as in 2025"
    else:
        first = (
            f"That the index fell on China escalations {_words(then)} for 2018 and 2019, and "
            f"{_words(now)} for 2025"
        )
    if both["verdict"] == CHANCE:
        return f"{first}; given the volatility of each time, a difference {CHANCE}"
    return f"{first}; that the two differ {_words(both)}"
