"""A study as one page: what moved, how unusual that was, by which tests, and what was left out."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from impact.charts.page import svg
from impact.estimation.abnormal import AbnormalReturns
from impact.inference.validity import NO
from impact.study.diagnostics import diagnostics_table
from impact.study.event_paths import study_paths
from impact.study.tables import study_table, whose
from impact.study.tests_table import tests_table
from impact.text.document import Part, folded, paragraphs, picture, whole_table, write_page
from impact.text.formats import counted, date, list_of
from impact.text.table import Table, table


def study_report(
    study: AbnormalReturns, path: str | Path, start: int = 0, end: int | None = None
) -> None:
    """Write a study as one HTML file that can be sent; see `EventStudy.report`."""
    summary = study_table(study, start, end)
    title = f"{counted(len(study.alignment), 'event')}, {whose(study)}"
    numbers, citation = table_and_citation(study, summary)
    parts = (
        numbers,
        Part("The paths", _paths(study)),
        Part("Which tests fit, and what they say", _tests(study, start, end)),
        Part("What the estimation windows look like", _diagnostics(study)),
        Part("What was left out", _left_out(study)),
        citation,
    )
    write_page(path, title, [_lead(study)], parts)


def _lead(study: AbnormalReturns) -> str:
    sessions, settings = study.alignment["session"], study.settings
    span = list_of(dict.fromkeys([date(sessions.min()), date(sessions.max())]), "to")
    what = f"Abnormal {'changes' if settings.unit else 'returns'} around {span}"
    return f"{what}, by the model {study.layout.name} of sessions {settings.estimation}."


def _paths(study: AbnormalReturns) -> str:
    if study.is_one_series and study.settings.window.start > -1:
        return paragraphs(["The window starts on the event's own session, so there is no path."])
    if study.is_one_series:
        events = counted(len(study.alignment), "event")
        alt = f"Cumulative paths of {whose(study)} around {events}"
    else:
        alt = f"Average cumulative path of {counted(len(study), 'row')} with its 95% interval"
    return picture(svg(study_paths(study)), f"{alt}; the numbers are in the table above.")


def _tests(study: AbnormalReturns, start: int, end: int | None) -> str:
    found = tests_table(study, start, end).rename_axis("test").reset_index()
    fits = found["valid"] != NO
    kept = found.loc[fits, ["test", "statistic", "p_value", "n", "valid", "because", "size"]]
    others = found.loc[~fits, ["test", "because"]]
    if kept.empty:
        lead = f"None of the {len(found)} tests fits a study of this design."
        return paragraphs([lead]) + whole_table(table(others, "Tests that do not fit, and why"))
    lead = (
        f"Of {len(found)} tests, {len(kept)} fit{'s' * (len(kept) == 1)} a study of this design. "
        "All ask about the same events: choose the one to quote before you look at its p."
    )
    why = f"The {len(others)} that do not fit, and why"
    return "\n".join(
        (
            paragraphs([lead]),
            whole_table(table(kept, "Tests that fit")),
            folded(why, whole_table(table(others, why))),
        )
    )


def _diagnostics(study: AbnormalReturns) -> str:
    found = diagnostics_table(study)
    p = [name for name in found if name.startswith("p_")]
    shown = found[["residuals", "verdict", *p]].reset_index()
    shown["event"] = study.units["label"].to_numpy()
    return whole_table(table(shown.rename(columns={"event": "label"}), "Residuals", p=p))


def _left_out(study: AbnormalReturns) -> str:
    if study.dropped.empty:
        return paragraphs(["Nothing: every event that was given is in the tables."])
    empty = study.dropped.columns[(study.dropped == "").all()]
    return whole_table(table(study.dropped.drop(columns=empty), "Left out"))


def table_and_citation(study: AbnormalReturns, shown: Table) -> tuple[Part, Part]:
    """Return the parts that every page of a study has: its table, and how to cite it."""
    source = study.returns.attrs.get("source", "")
    cited = [
        f"tariff-impact {version('tariff-impact')}: event studies of trade-policy announcements.",
        f"Computed with: {shown.signature}.",
        *([f"Data: {source}."] if source else []),
        "An event study shows what prices did around an announcement, not what caused it.",
    ]
    return Part(shown.title, whole_table(shown)), Part("How to cite", paragraphs(cited))
