"""EventStudy: abnormal returns with everything that can be asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from impact.errors import InferenceError
from impact.estimation.abnormal import AbnormalReturns
from impact.study import cumulative, diagnostics, event_paths, groups, tests_table
from impact.study.report import study_report
from impact.study.tables import study_table, windows_table
from impact.text.result import Result
from impact.text.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class EventStudy(AbnormalReturns, Result):  # type: ignore[override]  # table is computed
    """What `event_study` found: abnormal returns, and everything that can be asked of them.

    Ask it ``car(0, 1)`` (each event, or each security at it), ``aar()``, ``caar()``, ``bhar(0, 5)``
    (averages, buy and hold), ``tests()`` (every test that fits, and why the others do not),
    ``diagnostics()``, ``compare("column")`` (groups), ``portfolio()`` (securities as one series)
    and ``study["label"]`` (one event). Show it with ``summary()`` and ``plot()``, keep it with
    ``save("table.docx")``, ``report("study.html")``, ``to_frame()`` and ``to_csv()``. See
    `AbnormalReturns` for its tables: ``abnormal``, ``alignment``, ``dropped`` and so on.

    Examples
    --------
    >>> import impact
    >>> returns = impact.log_returns(impact.load_prices())
    >>> impact.event_study(returns, {"Liberation Day": "2025-04-03"}, volatility=None)
    EventStudy: 1 unit on 1 series, constant mean, estimation (-260, -11), window (-5, 5), 0 dropped
    """

    @property
    def table(self) -> pd.DataFrame:
        """Abnormal returns of session 0, as `car` gives them."""
        return self.car(0)

    @property
    def unit(self) -> str:  # type: ignore[override]  # read, not stored
        """What changes are in; "" for returns."""
        return self.settings.unit

    # -- windows ---------------------------------------------------------------------------------

    def car(
        self,
        start: int,
        end: int | None = None,
        *,
        conditional: bool | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Cumulative abnormal returns of every row over the window (start, end).

        Parameters
        ----------
        start, end : int
            Relative sessions, both included; `end` defaults to `start`.
        conditional : bool, optional
            Whether each row is also tested against the variance forecast of its own security; by
            default of one series only.
        level : float
            Confidence of the intervals.

        Returns
        -------
        DataFrame
            See `impact.study.cumulative.car_table`.

        Raises
        ------
        WindowError
            If the window is reversed or reaches outside the study's event window.
        InferenceError
            If the conditional test is asked for and the study has no variance model.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.car(0, 1)["estimate"].round(4).to_list()
        [-0.1119, 0.0549]
        """
        return cumulative.car_table(self, start, end, conditional=conditional, level=level)

    def bhar(self, start: int, end: int | None = None) -> pd.DataFrame:
        """Buy-and-hold abnormal returns over (start, end): compounded actual minus normal.

        See `impact.study.cumulative.bhar_table`.

        Raises
        ------
        WindowError
            If the window is reversed or reaches outside the study's event window.
        InferenceError
            For changes, which do not compound.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.bhar(0, 1)["estimate"].round(4).to_list()
        [-0.106, 0.0564]
        """
        if self.unit:
            raise InferenceError(f"changes in {self.unit} do not compound: use car()")
        return cumulative.bhar_table(self, start, end)

    def aar(self) -> pd.DataFrame:
        """Average abnormal return of each relative session, with 95% intervals.

        See `impact.study.cumulative.average_path`.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.aar().loc[0, ["estimate", "n"]].round(4).to_list()
        [0.0203, 2.0]
        """
        return cumulative.average_path(self, cumulative=False)

    def caar(self, start: int | None = None) -> pd.DataFrame:
        """Cumulative average abnormal return from `start` to each later session.

        See `impact.study.cumulative.average_path`.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.caar(0)["estimate"].round(4).to_list()[:2]
        [0.0203, -0.0285]
        """
        return cumulative.average_path(self, cumulative=True, start=start)

    def tests(
        self, start: int = 0, end: int | None = None, *, induced_variance: bool = True
    ) -> pd.DataFrame:
        """Every test of the window, with what is valid for this design and why.

        Parameters
        ----------
        start, end : int
            Tested window, relative sessions, both included; `end` defaults to `start`.
        induced_variance : bool
            Whether the events may raise the variance of the returns, as news does; tests that
            do not stand it are then not valid.

        Returns
        -------
        DataFrame
            Index = name; `statistic`, `p_value`, `n`, `null`, `valid` ("yes", "no", "not known"
            or "in calm markets"), `because`, and `size`: how often it rejects at 5% when there is
            nothing to find, where that was measured. A test that does not fit has no number.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study["2025-04-03"].tests().loc["prediction_t", "valid"]
        'in calm markets'
        """
        return tests_table.tests_table(self, start, end, induced_variance=induced_variance)

    def diagnostics(self) -> pd.DataFrame:
        """What the estimation residuals of each row say about the tests.

        See `impact.study.diagnostics.diagnostics_table`.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.diagnostics()["verdict"].iloc[0].split(";")[0]
        'variance clusters: prefer the conditional test'
        """
        return diagnostics.diagnostics_table(self)

    def compare(
        self, by: str | Mapping | pd.Series, start: int = 0, end: int | None = None
    ) -> groups.GroupComparison:
        """Compare the mean CARs of groups of events or securities.

        See `impact.study.groups.compare_groups`.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> events = impact.load_events(counterparty="CN", since="2025-01-01", until="2025-12-31")
        >>> study = impact.event_study(returns, events, volatility=None)
        >>> study.compare("direction").table["estimate"].round(3)[["escalation", "talks"]].to_list()
        [-0.022, 0.004]
        """
        return groups.compare_groups(self, by, start, end)

    # -- display ---------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return the study in tidy form: one row a pair and relative session.

        Where prices are missing, `spans` counts the sessions that each return covers.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> study.to_frame().shape
        (22, 6)
        """
        tidy = pd.DataFrame(
            {
                "abnormal": self.abnormal.stack(future_stack=True),
                "std_error": self.std_error.stack(future_stack=True),
                "standardised": self.standardised.stack(future_stack=True),
            }
        ).reset_index()
        sessions = self.returns.index[
            (self.fits.pairs.position[:, None] + self.settings.window.offsets).ravel()
        ]
        tidy.insert(tidy.columns.get_loc("relative_session") + 1, "session", sessions)
        if self.fits.estimates.span is not None:
            tidy["spans"] = self.fits.estimates.span.ravel()
        return tidy

    def summary(
        self,
        start: int = 0,
        end: int | None = None,
        *,
        windows: Sequence[tuple[int, int]] | None = None,
        conditional: bool | None = None,
        stars: bool = False,
        level: float | None = None,
    ) -> Table:
        """Return the table of `car` in the look of a journal.

        Parameters
        ----------
        start, end : int
            Window, relative sessions, both included; `end` defaults to `start`.
        windows : sequence of pairs of int, optional
            Several windows beside each other instead, each with its estimate and p.
        conditional : bool, optional
            As for `car`.
        stars : bool
            Put stars on the estimates: by the conditional p, or the textbook p where that is all.
        level : float, optional
            Also show intervals of that confidence.

        Returns
        -------
        Table
            ``.save("table.docx")`` writes it for Word, Excel, LaTeX, a page or a spreadsheet.

        Raises
        ------
        WindowError
            If a window is reversed or reaches outside the study's event window.
        InferenceError
            If `level` is not a confidence level, or is asked for with `windows`.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, "liberation-day")
        >>> study.summary(windows=[(0, 0), (0, 1)]).frame["estimate (0, 1)"].round(4).to_list()
        [-0.1119]
        """
        if windows is None:
            return study_table(self, start, end, conditional=conditional, stars=stars, level=level)
        if level is not None:
            raise InferenceError("level= is for one window: leave it out, or leave out windows=")
        return windows_table(self, windows, conditional=conditional, stars=stars)

    def report(self, path: str | Path, start: int = 0, end: int | None = None) -> None:
        """Write the study as one HTML page that can be sent: tables, picture, tests, citation.

        Parameters
        ----------
        path : str or Path
            A file that ends with .html; it needs no other file and no connection.
        start, end : int
            Tested window, relative sessions, both included; `end` defaults to `start`.

        Raises
        ------
        TableError
            If the name ends otherwise or the file cannot be written; no half of it stays.
        WindowError
            If the window is reversed or reaches outside the study's event window.

        Examples
        --------
        >>> study.report("study.html")  # doctest: +SKIP
        """
        study_report(self, path, start, end)

    def plot(self, event: str | None = None, *, ax: Axes | None = None) -> Figure:
        """Draw the cumulative paths of the units with their bands.

        Parameters
        ----------
        event : str, optional
            Draw this unit only.
        ax : matplotlib Axes, optional
            Where to draw a picture of one panel, without the page around it.

        Returns
        -------
        matplotlib Figure
            ``.savefig("paths.pdf")`` writes it for print.

        Raises
        ------
        EventError
            If there is no such event.
        FigureError
            If there is an `ax` and the picture has several panels.

        Examples
        --------
        >>> import impact
        >>> returns = impact.log_returns(impact.load_prices())
        >>> study = impact.event_study(returns, ["2025-04-03", "2025-04-09"], volatility=None)
        >>> type(study.plot()).__name__
        'Picture'
        """
        return event_paths.study_paths(self if event is None else self[event], ax=ax)
