"""event_card(): one event in plain English, with its table and its picture.

Every number in the sentences comes from the study. They say what the index did in the first
session that could react; they never say that the announcement caused it.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from impact.cards.hours import hours_of
from impact.cards.sentences import headline, paragraphs
from impact.charts.page import Words, svg
from impact.charts.paths import path_panels
from impact.errors import EventError, ReturnsError
from impact.inference.size import third_of
from impact.inference.yardsticks import INDEX, yardsticks
from impact.market.bars import load_bars
from impact.market.calendar import Market, MarketLike, market_of
from impact.market.prices import load_prices, load_vix
from impact.market.returns import check_returns, log_returns
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.events import as_events
from impact.study.event_paths import event_paths, unit_panel
from impact.study.event_study import event_study
from impact.study.event_study_result import EventStudy
from impact.study.report import table_and_citation
from impact.study.tables import series_name
from impact.text import formats
from impact.text.document import Part, picture, write_page
from impact.text.table import KNOWN, Column, Table
from impact.volatility.garch import FIT_SESSIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Sessions before and after the reaction session that a card's picture shows.
_REACH = 5

#: Letters in a printed line.
_LINE = 95

#: First close of the index, and the most sessions that a month has.
FIRST_CLOSE, MONTH = "1927-12-30", 27

#: When the index began to hold 500 stocks.
_FIVE_HUNDRED = pd.Timestamp("1957-03-04")


@dataclass(frozen=True, eq=False, repr=False)
class Card:
    """One event on one series; made by `event_card`.

    Attributes
    ----------
    event : str
        Id of the event.
    sentence : str
        Plain English: a headline, then short paragraphs, each with its label, a blank line apart.
    table : Table
        The tests behind the sentences, one a row.
    study : EventStudy
        The study of this one event.
    facts : Series
        The row of ``study.car(0)``, with `title`, `simple_change`, what else happened, in
        `yardsticks` the test by each forecast of volatility (`impact.inference.yardsticks`), and
        in `hours` what five-minute prices show (`impact.cards.hours.Hours`; None without them).
    """

    event: str
    sentence: str
    table: Table
    study: EventStudy
    facts: pd.Series

    def plot(self, *, ax: Axes | None = None) -> Figure:
        """Draw the path of the cumulative abnormal return around the event.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.
        """
        row = self.study.car(0).iloc[0]
        what = (
            "Abnormal return of that day (less the mean of earlier days): "
            f"{formats.percent(row['estimate'])}"
        )
        low, high = (row.get(f"ci_{side}_conditional", np.nan) for side in ("low", "high"))
        if np.isfinite(low):
            what += f", 95% interval {formats.interval(low, high)}"
        what += ". Line: cumulative, from the close before, in %."
        panel = unit_panel(next(self.study.units.itertuples()))
        return path_panels(
            Words(headline(self.facts), what, self.study.signature),
            event_paths(self.study),
            {self.study.fit.index[0]: panel},
            marks=[panel.mark],
            ax=ax,
        )

    def report(self, path: str | Path) -> None:
        """Write the card as one HTML page that can be sent: words, picture, tests, citation.

        Parameters
        ----------
        path : str or Path
            A file that ends with .html; it needs no other file and no connection.

        Raises
        ------
        TableError
            If the name ends otherwise or the file cannot be written; no half of it stays.

        Examples
        --------
        >>> event_card("liberation-day").report("card.html")  # doctest: +SKIP
        """
        title, *others = self.sentence.split("\n\n")
        path_of_it = picture(svg(self.plot()), f"{title}; the tests are in the table.")
        parts = Part("The path", path_of_it), *table_and_citation(self.study, self.table)
        write_page(path, title, others, parts)

    def __repr__(self) -> str:
        fill = textwrap.TextWrapper(_LINE, break_on_hyphens=False).fill
        return "\n".join(fill(line) for line in self.sentence.split("\n"))

    def _repr_html_(self) -> str:
        told = [f"<b>{html.escape(headline(self.facts))}</b>"]
        told += [
            f"<b>{label}:</b> {html.escape(' '.join(group))}"
            for label, group in paragraphs(self.facts).items()
        ]
        words = "".join(f'<p style="max-width:45em">{text}</p>' for text in told)
        return words + self.table._repr_html_()


def event_card(
    event: Any,
    returns: pd.Series | pd.DataFrame | None = None,
    *,
    market: MarketLike = None,
    bars: pd.Series | None = None,
) -> Card:
    """Describe one event: what moved, how unusual that was, and what cannot be known.

    Parameters
    ----------
    event : str, dict, DataFrame or date
        Id or label of the catalogue, or anything that `impact.news.events.as_events` reads with
        one date.
    returns : Series, shape (T,), optional
        Decimal returns by session, log returns unless ``attrs["returns"]`` says "simple". By
        default log returns of the S&P 500 from as early as the event needs, with the volatility
        that the VIX implies beside the forecast. With fewer than 1,000 sessions before the event
        window the forecast is an exponentially weighted variance, and the table says so.
    market : str or (zone, close), optional
        Whose clock closes the rows, as in `event_study`.
    bars : Series, optional
        Five-minute prices, as `impact.load_bars` returns them; those of SPY where the returns are
        the default ones, else none.

    Returns
    -------
    Card

    Raises
    ------
    EventError
        If the id is unknown (the nearest are named), the event is no news or lies outside the
        returns or on a session without a return, or there is more than one event.
    ReturnsError
        If `returns` are not one clean series of decimal returns.
    BarsError
        If `bars` break a rule of `impact.load_bars`.
    HistoryError
        If there are too few sessions before the event, or in `bars`.

    Examples
    --------
    >>> card = event_card("wsj-fentanyl-overture")
    >>> print(card.sentence.splitlines()[0])
    The S&P 500 rose 1.47% on Friday 2 May 2025
    >>> "From 08:30 to 09:00 SPY moved +0.74%" in card.sentence
    True
    >>> print(event_card("liberation-day").sentence.splitlines()[0])
    The S&P 500 fell 4.84% on Thursday 3 April 2025
    """
    implied = load_vix() if returns is None else None
    bars = load_bars() if returns is None and bars is None else bars
    row = _one_event(event)
    series = _one_series(_history(row) if returns is None else returns)
    clock = market_of(series.index, market, "returns")
    placed = align(row, series.index, window=(-_REACH, _REACH), market=clock).iloc[0]
    _check_usable(placed)
    position = series.index.get_loc(placed["session"])
    study = event_study(
        series,
        row,
        window=(-_REACH, min(_REACH, len(series) - 1 - position)),
        implied=implied,
        market=clock,
    )
    facts = _facts(study, placed, float(series[placed["session"]]), clock)
    facts["hours"] = None if bars is None else hours_of(row, placed["session"], bars)
    told = [f"{label}: {' '.join(group)}" for label, group in paragraphs(facts).items()]
    words = "\n\n".join([headline(facts), *told])
    return Card(str(placed.name), words, _table(study, facts), study, facts)


# -- what the card is about ----------------------------------------------------------------------


def _history(row: pd.DataFrame) -> pd.Series:
    """Returns of the index with enough sessions before the event to fit a variance on."""
    returns = log_returns(load_prices())
    # The date as it is written is near enough to count the sessions before it.
    before = returns.index.searchsorted(pd.Timestamp(row["announced_at"].iloc[0][:10]))
    if before >= FIT_SESSIONS + MONTH:
        return returns
    return log_returns(load_prices(start=FIRST_CLOSE))


def _one_series(returns: pd.Series | pd.DataFrame) -> pd.Series:
    checked = check_returns(returns)
    if isinstance(checked, pd.Series):
        return checked
    if checked.shape[1] > 1:
        raise ReturnsError(
            f"a card is about one series, the returns have {checked.shape[1]} columns: "
            f"pass one, such as returns[{checked.columns[0]!r}]"
        )
    series = checked.iloc[:, 0]
    series.attrs = dict(checked.attrs)
    return series


def _one_event(event: Any) -> pd.DataFrame:
    row = as_events(event)
    if len(row) != 1:
        raise EventError(
            f"a card is about one event, not {len(row)}: pass one id, or use event_study"
        )
    return row


def _check_usable(placed: pd.Series) -> None:
    if reason := placed["dropped"]:
        if reason.startswith(("before", "after")):
            reason = f"it lies {reason}; bring longer returns"
        elif reason.startswith("puts"):
            reason = f"it {reason}; take the announcement that made it known"
        raise EventError(
            f"there is no card for {placed.name!r}, announced {placed['announced_at'][:10]}: "
            f"{reason}"
        )


def _facts(study: EventStudy, placed: pd.Series, move: float, market: Market) -> pd.Series:
    """The row of the study, with all that the sentences need beside it."""
    titles = load_events(included=None)["title"]
    car = study.car(0)
    facts = car.iloc[0].copy()
    facts["forecast_notes"] = [note.removeprefix(f"{facts.name}: ") for note in car.attrs["notes"]]
    for name in ("announced_at", "moved", "date_only", "mixed", "releases", "neighbours"):
        facts[name] = placed[name]
    facts["direction"] = placed.get("direction", "")
    facts["approximate"] = placed.get("time_basis") == "approximate"
    facts["label"] = placed["label"]
    facts["title"] = placed["title"] if placed.get("title") else placed["label"]
    facts["confounders"] = placed.get("confounders") or ""
    facts["others"] = [titles[name] for name in placed["shared_with"]]
    facts["market"], facts["zone"] = market.name, market.zone
    facts["kind"] = study.settings.kind
    facts["simple_change"] = np.expm1(move) if facts["kind"] == "log" else move
    facts["series"] = series_name(study.returns.columns[0])
    facts["yardsticks"] = yardsticks(study)
    facts["third"] = third_of(study.returns.iloc[:, 0], facts["session"])
    facts["sigma_textbook"] = np.sqrt(study.fit["residual_variance"].iloc[0])
    facts["observations"] = int(study.fit["observations"].iloc[0])
    return facts


# -- the table -----------------------------------------------------------------------------------


def _table(study: EventStudy, facts: pd.Series) -> Table:
    """One row a yardstick; what a yardstick does not give is left blank."""
    rows = [_test(facts, "textbook t", "std_error", "statistic", "p_textbook", "textbook")]
    found = facts["yardsticks"].dropna(subset="p_value")
    if np.isfinite(facts["p_conditional"]):
        name, z = found.index[0], ("sigma_conditional", "z_conditional")
        rows += [
            _test(facts, f"{name}, past sessions", *z, "p_conditional", "conditional"),
            _test(facts, f"{name}, Student t", *z, "p_conditional_t"),
        ]
    rows += [
        {"test": f"{row.Index}, {'Student t' if row.Index == INDEX else 'past sessions'}"}
        | {"sigma": row.sigma, "statistic": row.statistic, "p": row.p_value}
        for row in found.iloc[1:].itertuples()
    ]
    about = {name: facts[name] for name in ("session", "simple_change", "estimate")}
    frame = pd.DataFrame([{"event": facts.name, **about, **row} for row in rows])
    names = ["test", "sigma", "statistic", "p", "ci_low", "ci_high", "smallest_detectable"]
    title = (
        f"{facts['label']}, {formats.date(facts['session'])}: {facts['series']} "
        f"{formats.percent(facts['simple_change'])} (simple change), abnormal return "
        f"{formats.percent(facts['estimate'])}"
    )
    columns: tuple[Column, ...] = tuple(KNOWN[name] for name in names if name in frame)
    return Table(frame, title, columns, _notes(facts, study), study.signed(0))


def _test(
    facts: pd.Series, test: str, sigma: str, statistic: str, p: str, interval: str = ""
) -> dict[str, Any]:
    """One row of the table, from the names of its facts."""
    row = {"test": test, "sigma": facts[sigma], "statistic": facts[statistic], "p": facts[p]}
    row |= {f"ci_{end}": facts.get(f"ci_{end}_{interval}", np.nan) for end in ("low", "high")}
    if interval == "conditional":
        row["smallest_detectable"] = facts["smallest_detectable"]
    return row


def _notes(facts: pd.Series, study: EventStudy) -> tuple[str, ...]:
    notes = []
    if np.isfinite(facts["smallest_detectable"]):
        notes.append("Detectable: the smallest move that the test at 5% finds four times in five.")
    notes += [f"{note[0].upper()}{note[1:]}." for note in facts["forecast_notes"]]
    if facts["series"] == "S&P 500" and facts["session"] < _FIVE_HUNDRED:
        notes.append("Before March 1957 the index held 90 stocks.")
    if facts["neighbours"]:
        labels = load_events(included=None)["label"]
        near = formats.list_of(labels[name] for name in facts["neighbours"])
        notes.append(f"Announcements in the {_REACH} days before and after: {near}.")
    notes += [*study.notes, "Chosen after the event."]
    return tuple(notes)
