"""The figures of the tariff year: what the S&P 500 did, and how unusual it was.

Each function returns an `Exhibit`. Titles, captions and alternative texts are built from the
objects drawn: a title says the finding, and the sentence for the opposite finding is written
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from impact.charts.series import Panel, index_and_rate, path_panels
from impact.charts.sets import forest, marked_distribution
from impact.charts.style import Words, kind_of
from impact.figures.common import (
    core_directions,
    core_labels,
    core_study,
    index_returns,
    model_of,
    news_study,
    short_day,
    source,
)
from impact.figures.exhibits import Exhibit
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import simple_returns
from impact.news.catalogue import load_events
from impact.study.event_paths import event_paths
from impact.study.event_study_result import EventStudy
from impact.text.formats import counted, date, list_of, number, percent
from impact.volatility.forecast import conditional_z

#: Where the picture of the story begins, and where the year of its news ends.
STORY, NEXT_YEAR = "2024-12-01", "2026-01-01"
CHINA_CALLED = "mofcom-evaluating"
SHOWN = (CHINA_CALLED, "ninety-day-pause", "massive-increase-post")
YEARS = 20


# -- timeline ------------------------------------------------------------------------------------


def timeline() -> Exhibit:
    """Draw the S&P 500 with the core events, above the additional tariff on China."""
    closes = load_prices(start=STORY)
    rate = _china_rate()
    study = core_study()
    moves = simple_returns(load_prices())
    catalogue = load_events(tags="core")
    rows = [
        {
            "session": unit.session,
            "event": name,
            "kind": kind_of(catalogue.loc[name, "direction"]),
            "label": catalogue.loc[name, "label"],
            "change": moves[unit.session],
        }
        for unit in study.alignment.itertuples()
        for name in unit.announcements
        if name in catalogue.index
    ]
    events = pd.DataFrame(rows)
    first = ~events["session"].duplicated()
    events["text"] = [
        f"{short_day(row.session)}  {row.label}" + (f"  {percent(row.change, 1)}" if lead else "")
        for row, lead in zip(events.itertuples(), first, strict=True)
    ]
    title = _recovery(closes, rate, study["liberation-day"].alignment["session"].iloc[0])
    words = Words(
        title,
        f"Daily closes from {date(closes.index[0])} to {date(closes.index[-1])} and "
        f"{counted(len(events), 'core event')}, each at the first close that could reflect it, "
        "with the simple change of the index that day, whatever its cause.",
        source("timeline", "events.csv", "tariff_rates.csv"),
    )
    names = ("S&P 500, daily close", "Additional US tariff on goods from China, in force")
    figure = index_and_rate(words, closes, events, rate, names)
    return Exhibit(
        "timeline",
        figure,
        _timeline_table(closes, rate, events),
        _timeline_alt(title, closes, rate, events),
    )


def _china_rate() -> pd.Series:
    table = pd.read_csv(data_path("tariff_rates.csv"), parse_dates=["effective_from"])
    table = table[table["counterparty"] == "CN"]
    return table.set_index("effective_from")["total"]


def _recovery(closes: pd.Series, rate: pd.Series, session: pd.Timestamp) -> str:
    """Say how far the index fell after a session's eve, and when it was back there."""
    eve = closes[:session].index[-2]
    later = closes[session:]
    back = later.index[(later >= closes[eve]).to_numpy()]
    until = back[0] if len(back) else later.index[-1]
    bottom = later[:until].idxmin()
    if bottom == until and len(back):
        return f"The S&P 500 never closed below its level on the eve of Liberation Day, {date(eve)}"
    fall = percent(1 - closes[bottom] / closes[eve], 1, signed=False)
    sessions = counted(len(later[:bottom]), "session")
    start = f"The S&P 500 fell {fall} in the {sessions} after Liberation Day"
    level = percent(rate[:until].iloc[-1], 0, signed=False)
    if not len(back):
        return f"{start} and had not made it good by {date(until)}"
    return f"{start}; it was back by {date(until)}, with the tariff on China at {level}"


def _timeline_table(closes: pd.Series, rate: pd.Series, events: pd.DataFrame) -> pd.DataFrame:
    days = closes.index.union(rate.index[rate.index >= closes.index[0]]).rename("date")
    table = pd.DataFrame({"close": closes.reindex(days)})
    table["tariff_on_china"] = rate.reindex(days, method="ffill").fillna(0.0)
    labels = events.groupby("session")["label"].agg("; ".join)
    table["core_events"] = labels.reindex(days).fillna("")
    table["simple_change"] = events.groupby("session")["change"].first().reindex(days)
    return table.reset_index()


def _timeline_alt(title: str, closes, rate: pd.Series, events: pd.DataFrame) -> str:
    told = "; ".join(
        f"{date(session)}: {list_of(group['label'])}, {percent(group['change'].iloc[0])}"
        for session, group in events.groupby("session")
    )
    changed = rate[np.append(True, np.diff(rate) != 0)]
    steps = ", ".join(
        f"{percent(value, 1, signed=False).replace('.0%', '%')} from {date(day)}"
        for day, value in changed.items()
        if day >= closes.index[0]
    )
    return (
        f"{title}. Line of S&P 500 closes from {date(closes.index[0])} to "
        f"{date(closes.index[-1])}, between {number(closes.min(), 0)} and "
        f"{number(closes.max(), 0)}, with the core events and the change of the index in the "
        f"first session that could react: {told}. Below it the additional US tariff on China "
        f"in force: {steps}."
    )


# -- core-event-paths ----------------------------------------------------------------------------


def core_event_paths() -> Exhibit:
    """Draw the cumulated abnormal return around each session of the core events."""
    study = core_study()
    paths = event_paths(study)
    units = study.alignment
    panels = {
        event: Panel(
            "; ".join(core_labels(unit.announcements)),
            ", ".join([date(unit.session), *_besides(unit, core_labels(unit.announcements))]),
            kind_of(core_directions(unit.announcements), unit.mixed),
        )
        for event, unit in zip(units.index, units.itertuples(), strict=True)
    }
    outside = _outside(paths[paths["relative_session"] == 0])
    title = _bands_title(outside, len(panels))
    words = Words(
        title,
        f"Cumulated abnormal log return of the S&P 500 from the close on the eve, in %, "
        f"{counted(len(panels), 'session')} of the core events; {model_of(study)}, "
        "variance GJR-GARCH known on the eve, or constant.",
        source("core-event-paths", "events.csv"),
    )
    table = paths.assign(core_events=[panels[event].heading for event in paths["event"]]).rename(
        columns={"label": "announcements"}
    )
    alt = f"{title}. " + " ".join(
        _path_sentence(panels[e], paths[paths["event"] == e]) for e in panels
    )
    return Exhibit("core-event-paths", path_panels(words, paths, panels), table, alt)


def _besides(unit, core: Sequence[str]) -> list[str]:
    """What else the session held: macro releases, and announcements that are not core."""
    others = len(unit.announcements) - len(core)
    more = [counted(others, "more event")] if others else []
    return [*([unit.releases] if unit.releases else []), *more]


def _outside(rows: pd.DataFrame) -> dict[str, int]:
    """Count the rows whose path lies outside each band."""
    return {
        method: int(
            ((rows["path"] < rows[f"{method}_low"]) | (rows["path"] > rows[f"{method}_high"])).sum()
        )
        for method in ("textbook", "conditional")
    }


def _bands_title(outside: dict[str, int], n: int) -> str:
    constant, known = outside["textbook"], outside["conditional"]
    if known < constant:
        return (
            f"A constant variance calls {constant} of {n} core sessions unusual; the variance "
            f"known the evening before leaves {known}"
        )
    if known > constant:
        return (
            f"The variance known the evening before calls {known} of {n} core sessions unusual; "
            f"a constant one only {constant}"
        )
    return f"{known} of {n} core sessions were unusual, by the variance of the eve as by a constant"


def _path_sentence(panel: Panel, path: pd.DataFrame) -> str:
    path = path.set_index("relative_session")
    day = path.loc[0]
    inside = day["conditional_low"] <= day["path"] <= day["conditional_high"]
    return (
        f"{panel.heading} ({panel.note}): {percent(day['path'])} in the session, "
        f"{'inside' if inside else 'outside'} the 95% band of that eve's variance "
        f"({percent(day['conditional_low'])} to {percent(day['conditional_high'])}), "
        f"{percent(path['path'].iloc[-1])} after {path.index[-1]} sessions."
    )


# -- reaction-days -------------------------------------------------------------------------------


def reaction_days() -> Exhibit:
    """Draw the abnormal return of every news session of 2025 with two intervals."""
    study = news_study()
    in_year = (study.alignment["session"] < NEXT_YEAR).to_numpy()
    study = study.take(np.flatnonzero(in_year[study.fits.unit]))
    rows = _reaction_rows(study)
    n, known = len(rows), int(rows["outside"].sum())
    constant = int(_leaves_out_zero(rows, "textbook").sum())
    chance = number(0.05 * n, 0)
    title = (
        f"The S&P 500 left its usual range on {known} of {n} days of tariff news in 2025; "
        f"a constant variance says {constant}, chance alone {chance}"
    )
    if known <= 0.05 * n:
        title = (
            f"The S&P 500 left its usual range on only {known} of {n} days of tariff news in "
            f"2025, no more often than by chance ({chance}); a constant variance says {constant}"
        )
    confounded = int(rows["confounded"].sum())
    words = Words(
        title,
        f"Abnormal log return of session 0, in %, with 95% intervals; n = {n} sessions with "
        f"included announcements, {model_of(study)}. {confounded} are confounded (hollow): news of "
        "both directions or a macro release in the session; +1: one more announcement.",
        source("reaction-days", "events.csv", "macro_releases.csv"),
    )
    strongest = rows[rows["outside"]].sort_values("session")
    told = "; ".join(
        f"{date(row.session)}, {row.text}: {percent(row.estimate)}"
        for row in strongest.itertuples()
    )
    alt = (
        f"{title}. One row for each of {n} sessions from {date(rows['session'].iloc[0])} to "
        f"{date(rows['session'].iloc[-1])}. Outside their conditional interval: {told or 'none'}."
    )
    return Exhibit("reaction-days", forest(words, rows), rows, alt)


def _leaves_out_zero(rows: pd.DataFrame, method: str) -> pd.Series:
    return (rows[f"ci_low_{method}"] > 0) | (rows[f"ci_high_{method}"] < 0)


def _reaction_rows(study: EventStudy) -> pd.DataFrame:
    units, car = study.alignment, study.car(0)
    catalogue = load_events()
    texts, beside = [], []
    for unit in units.itertuples():
        labels = core_labels(unit.announcements) or list(
            catalogue.loc[list(unit.announcements), "label"]
        )
        others = len(unit.announcements) - 1
        texts.append(labels[0] + (f" +{others}" if others else ""))
        beside.append(
            ", ".join(
                [
                    *([unit.releases] if unit.releases else []),
                    *(["both ways"] if unit.mixed else []),
                ]
            )
        )
    rows = pd.DataFrame(
        {
            "session": car["session"],
            "text": texts,
            "announcements": ["; ".join(members) for members in units["announcements"]],
            "kind": [kind_of(unit.direction, unit.mixed) for unit in units.itertuples()],
            "beside": beside,
            "confounded": [bool(words) for words in beside],
        }
    ).join(
        car[
            [
                "estimate",
                "ci_low_textbook",
                "ci_high_textbook",
                "p_textbook",
                "sigma_conditional",
                "ci_low_conditional",
                "ci_high_conditional",
                "p_conditional",
                "smallest_detectable",
            ]
        ]
    )
    rows.insert(6, "outside", _leaves_out_zero(rows, "conditional"))
    return rows.sort_values("session")


# -- how-unusual-2-may ---------------------------------------------------------------------------


def how_unusual_2_may() -> Exhibit:
    """Draw twenty years of standardised moves with three sessions of 2025 marked."""
    z = _twenty_years_of_z()
    facts = core_study().car(0)
    names = {
        member: event for event, members in facts["announcements"].items() for member in members
    }
    shown = facts.loc[[names[name] for name in SHOWN]]
    units = core_study().alignment
    marks = pd.DataFrame(
        {
            "session": shown["session"],
            "estimate": shown["estimate"],
            "value": z[shown["session"]].to_numpy(),
            "kind": [
                kind_of(units.loc[e, "direction"], units.loc[e, "mixed"]) for e in shown.index
            ],
        }
    )
    marks["as_far"] = [
        int((z >= value).sum() if value >= 0 else (z <= value).sum()) for value in marks["value"]
    ]
    marks["text"] = [
        f"{date(row.session)}: {percent(row.estimate)}\nz = {number(row.value, 2, signed=True)}, "
        f"as {'high' if row.value >= 0 else 'low'}\non {_rank(row.as_far, len(z))}"
        for row in marks.itertuples()
    ]
    called, fact = marks.iloc[0], shown.iloc[0]
    smallest = fact["smallest_detectable"]
    half = smallest / fact["sigma_conditional"]
    title = _unusual_title(called, len(z))
    words = Words(
        title,
        "Log return of the S&P 500 less its mean, in standard deviations forecast the evening "
        f"before (GJR-GARCH, refit every 21 sessions); {counted(len(z), 'session')} from "
        f"{date(z.index[0])} to {date(z.index[-1])}. Ticks below: sessions beyond ±3.",
        source("how-unusual-2-may", "events.csv"),
    )
    size = percent(smallest, 1, signed=False)
    told = (
        f"On {short_day(called['session'])} a move had to reach ±{size}\nto be found 4 times in 5"
    )
    figure = marked_distribution(words, z, marks, (half, told), "z, standard deviations")
    table = z.rename("z").rename_axis("session").reset_index()
    table["marked"] = table["session"].isin(marks["session"])
    table["smallest_detectable_z"] = np.where(table["session"] == called["session"], half, np.nan)
    told = "; ".join(text.replace("\n", " ") for text in marks["text"])
    alt = (
        f"{title}. Histogram of {counted(len(z), 'standardised move')} between "
        f"{number(z.min(), 1)} and {number(z.max(), 1)}, {counted(len(marks), 'session')} marked: "
        f"{told}. "
        f"The smallest move that a test would find four times in five on {date(called['session'])}"
        f" was {percent(smallest, signed=False)}, or {number(half, 1)} standard deviations."
    )
    return Exhibit("how-unusual-2-may", figure, table, alt)


@cache
def _twenty_years_of_z() -> pd.Series:
    z = conditional_z(index_returns(), model="gjr", refit=21)["z"].dropna()
    return z[z.index > z.index[-1] - pd.DateOffset(years=YEARS)]


def _rank(as_far: int, n: int) -> str:
    if as_far >= 0.01 * n:
        return f"{percent(as_far / n, 0, signed=False)} of sessions"
    return f"{as_far} of {counted(n, 'session')}"


def _unusual_title(called: pd.Series, n: int) -> str:
    day, rank = date(called["session"]), _rank(called["as_far"], n)
    moved = "rose" if called["value"] >= 0 else "fell"
    if called["as_far"] > 0.025 * n:
        return (
            f"For the volatility of its time {day} was an ordinary day: the index {moved} that "
            f"far or farther on {rank} in {YEARS} years"
        )
    return (
        f"Even for the volatility of its time {day} was unusual: the index {moved} that far on "
        f"only {rank} in {YEARS} years"
    )
