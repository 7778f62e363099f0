"""The reaction of the index against the change of the tariff on China."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from impact.analysis import dose as doses
from impact.charts.effects import dose_line
from impact.charts.page import Words
from impact.figures.common import NEWS, index_returns, source
from impact.news.catalogue import load_events
from impact.news.kinds import MARKS
from impact.study.event_study import event_study
from impact.text.formats import counted, interval, number, percent, spelt


@dataclass(frozen=True)
class Response:
    """The slope, and the sessions with a dose that it leaves out."""

    dose: doses.DoseResponse
    aside: pd.DataFrame


def data() -> Response:
    """Estimate the slope over announcements that change the rate on China, as the register does."""
    events = load_events(since=NEWS)
    events = events[events["china_dose_pp"].notna()]
    study = event_study(index_returns(), events, window=(0, 0))
    dose = doses.dose_response(study, "china_dose_pp")
    car = study.car(0)
    left_out = car.loc[car.index.isin(dose.dropped["event"])]
    aside = left_out[["label", "session", "estimate"]].assign(
        dose=study.alignment.loc[left_out.index, "china_dose_pp"],
        sigma=left_out["sigma_conditional"],
    )
    return Response(dose, aside)


def title(data: Response) -> str:
    """Say the slope, or that there are too few days for one."""
    dose = data.dose
    if not dose.identified:
        return (
            f"{spelt(dose.nobs).capitalize()} days are too few to tell whether bigger tariff "
            "rises bring bigger falls"
        )
    slope = dose.params["dose"]
    moved = "fell" if slope < 0 else "rose"
    return (
        f"The index {moved} {percent(abs(10 * slope), signed=False)} for each 10 points of "
        f"tariff on China, with or without any one of {counted(dose.nobs, 'session')}"
    )


def _slope(dose: doses.DoseResponse) -> str:
    fitted = 10 * dose.table.loc["dose", ["estimate", "ci_low", "ci_high"]]
    bounds = interval(fitted["ci_low"], fitted["ci_high"])
    return f"Slope for 10 points: {percent(fitted['estimate'])}, 95% interval {bounds}"


def words(data: Response) -> Words:
    """Return what is written around the picture."""
    dose = data.dose
    lowest, highest = 10 * dose.leave_one_out["slope"].agg(["min", "max"])
    return Words(
        title(data),
        f"Abnormal log return of session 0, in %, against the first announcement of each change. "
        f"{_slope(dose)}; without one session {interval(lowest, highest)}. Weighted least squares "
        "by the variance forecast the evening before (GJR-GARCH); "
        f"n = {counted(dose.nobs, 'session')}.",
        source("dose-response", "events.csv", "hypotheses.csv"),
    )


def draw(data: Response) -> Figure:
    """Draw the sessions with the line."""
    dose = data.dose
    return dose_line(
        words(data),
        dose.points,
        dose.line(np.array([0.0, 1.0])),
        dose.leave_one_out,
        unit="change of the announced tariff rate, percentage points",
        marks=(
            replace(MARKS["escalation"], word="tariff raised"),
            replace(MARKS["easing"], word="lowered"),
        ),
        aside=("left out: news of both directions, or other news, in the session", data.aside),
    )


def table(data: Response) -> pd.DataFrame:
    """Return the sessions, used or not, with the line."""
    dose = data.dose
    points = dose.points.assign(used=True, slope_without=dose.leave_one_out["slope"])
    table = pd.concat([points, data.aside.assign(used=False)]).rename_axis("event").reset_index()
    fitted = dose.table.loc["dose"]
    return table.assign(
        slope=fitted["estimate"],
        intercept=dose.params["constant"],
        ci_low=fitted["ci_low"],
        ci_high=fitted["ci_high"],
    )


def alt(data: Response) -> str:
    """Tell the picture."""
    dose = data.dose
    told = "; ".join(
        f"{row.label}, {number(row.dose, 1, signed=True)} points: {percent(row.estimate)}"
        for row in dose.points.itertuples()
    )
    return (
        f"{title(data)}. Scatter of {counted(dose.nobs, 'session')}: {told}. {_slope(dose)}. Left "
        f"out because other news shared the session: {'; '.join(data.aside['label'])}."
    )
