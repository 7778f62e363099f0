"""IntradayStudy: the minutes after announcements with everything that can be asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from impact.analysis.announcement_set import observations, set_test_table
from impact.analysis.price_path import PATH_SAYS, price_path
from impact.analysis.reaction import TO_CLOSE, Stretch
from impact.charts.minute_paths import PLAIN, MinutePanel, minute_paths
from impact.charts.page import Words
from impact.errors import EventError, InferenceError
from impact.market.clock_time import MINUTES
from impact.news.events import unknown_id_error
from impact.news.kinds import MARKS, kind_of
from impact.news.minutes import EXACT
from impact.text import formats
from impact.text.formats import list_of
from impact.text.result import Result
from impact.text.table import KNOWN, SIGMA, Column, percentage
from impact.volatility.clock import ClockVariance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _time(value: pd.Timestamp) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


_COLUMNS = (
    Column("from", "from", _time, is_text=True),
    Column("to", "to", _time, is_text=True),
    Column("move", "move", formats.percent),
    Column("sigma", SIGMA, percentage),
    Column("z", "z", formats.number),
    KNOWN["p_value"],
    KNOWN["ci_low"],
    KNOWN["ci_high"],
    KNOWN["smallest_detectable"],
    Column("part", "part", is_text=True),
    Column("minute", "minute", is_text=True),
    Column("note", "note", is_text=True),
)


@dataclass(frozen=True, eq=False, repr=False)
class IntradayStudy(Result):
    """How far prices moved after each announcement, and how unusual that was for the hour.

    Attributes
    ----------
    table : DataFrame
        One row an announcement, index ``id`` (and ``window`` where several were asked for):

        - `announced_at`: as given; `from`, `to`: ends of the bars whose prices are compared;
        - `move`: log return, decimal fraction; `simple_change`; `sigma`: its standard deviation
          as known before; `z`; `p_value`: rank of z among the same windows of other days, NaN
          where no test is valid; `ci_low`, `ci_high`: 95% interval of the effect;
          `smallest_detectable`: the effect found with 80% power at 5%. Of a bounded
          announcement the p is that of its largest window, and the effect found is one within a
          window; the interval is that of the whole stretch, up to two hours;
        - `part`: "pre-open", "trading", "after hours", "across 09:30", "across the close" or
          "closed hours"; `minute`: "exact", "bounded" or "approximate";
        - `hour_before_move`, `hour_before_p`: the 60 minutes before `from`;
        - `others`: other announcements of the catalogue, and releases, that came or may have
          come within the window; `note`: what else a reader must know.
    dropped : DataFrame
        event, reason.
    signature : str
    windows : tuple of int or "close"
        Minutes after the announcement.
    known : ClockVariance
        The prices, and what was known of their variance before each bar.
    events : DataFrame
        All announcements that were asked for.

    Examples
    --------
    >>> import impact
    >>> study = impact.intraday_study(impact.load_bars(), "ninety-day-pause")
    >>> study.table[["part", "minute"]].iloc[0].to_list()
    ['trading', 'exact']
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    signature: str
    windows: tuple[int | str, ...]
    known: ClockVariance
    _stretches: dict[tuple[str, int | str], Stretch]
    _security: str
    events: pd.DataFrame

    def _title(self) -> str:
        minutes = [str(window) for window in self.windows if window != TO_CLOSE]
        ends = [f"{list_of(minutes, 'or')} minutes later"] if minutes else []
        ends += ["the close"] if TO_CLOSE in self.windows else []
        return f"{self._security} from each announcement to {list_of(ends, 'or')}"

    def _columns(self) -> tuple[Column, ...]:
        names = [Column(name, str(name), is_text=True) for name in self.table.index.names]
        return (*names, *_COLUMNS)

    def _notes(self) -> tuple[str, ...]:
        return (
            "σ: clock pattern times the level of the last hours, known before the window; p: "
            "equal-tailed rank of z among the same windows of all other days.",
            *self.events.attrs.get("notes", ()),
        )

    def path(self, event: str) -> pd.DataFrame:
        """Return the move around an announcement, every five minutes.

        Parameters
        ----------
        event : str
            Id of an announcement whose window lies inside one session.

        Returns
        -------
        DataFrame
            Index `minute`: minutes from the last price before the announcement, -60 to +180, as
            far as the session has bars. `time`; `move`: log price above that of minute 0; `low`,
            `high`: band that holds 95% of what the same windows did on other days, NaN where no
            test is valid.

        Raises
        ------
        EventError
            If the id is unknown or was dropped.
        InferenceError
            If trading was closed when it came out.

        Examples
        --------
        >>> import impact
        >>> study = impact.intraday_study(impact.load_bars(), "wsj-fentanyl-overture")
        >>> study.path("wsj-fentanyl-overture").loc[30, "move"].round(4).item()
        0.0006
        """
        return price_path(self.known, self._stretch(event).begin)

    def plot(self, event: str, *, ax: Axes | None = None) -> Figure:
        """Draw the move around an announcement with its band, as `path` gives it.

        Parameters
        ----------
        event : str
            Id of an announcement whose window lies inside one session.
        ax : matplotlib Axes, optional
            Where to draw, without the page around it.

        Raises
        ------
        EventError, InferenceError
            As `path`.

        Examples
        --------
        >>> import impact
        >>> study = impact.intraday_study(impact.load_bars(), "wsj-fentanyl-overture")
        >>> type(study.plot("wsj-fentanyl-overture")).__name__
        'Picture'
        """
        found = self._stretch(event)
        begin, end = (self.known.grid.time(bar) for bar in (found.begin, found.end))
        move = self.known.grid.price(found.end) - self.known.grid.price(found.begin)
        words = Words(
            f"{self._security} {formats.percent(move)} from {begin:%H:%M} to {end:%H:%M} on "
            f"{formats.date(begin)}",
            f"{self.events.loc[event, 'label']}. {PATH_SAYS}.",
            self.signature,
        )
        measured = MINUTES * found.bars
        kind = kind_of(str(self.events.loc[event].get("direction") or ""))
        look = PLAIN if kind == "plain" else MARKS[kind]
        panel = MinutePanel(self.events.loc[event, "label"], formats.date(begin), look, measured)
        return minute_paths(words, self.drawn_path(event), {event: panel}, ax=ax)

    def drawn_path(self, event: str) -> pd.DataFrame:
        """Return `path` as `impact.charts.minute_paths.minute_paths` takes it.

        Examples
        --------
        >>> import impact
        >>> study = impact.intraday_study(impact.load_bars(), "wsj-fentanyl-overture")
        >>> "band_low" in study.drawn_path("wsj-fentanyl-overture")
        True
        """
        names = {"move": "path", "low": "band_low", "high": "band_high"}
        return self.path(event).reset_index().rename(columns=names).assign(event=event)

    def _stretch(self, event: str) -> Stretch:
        for window in self.windows:
            if (event, window) in self._stretches:
                found = self._stretches[event, window]
                break
        else:
            for row in self.dropped[self.dropped["event"] == str(event)].itertuples():
                raise EventError(f"{event!r} is not in this study: {row.reason}")
            raise unknown_id_error(event, list(dict.fromkeys(name for name, _ in self._stretches)))
        if found.closed:
            raise InferenceError(
                f"trading was closed when {event!r} came out, or before its window was over: "
                "there is no path; see its row of the table"
            )
        return found

    def set_test(self) -> pd.DataFrame:
        """Compare the exact announcements, as a set, with the same clock times of other days.

        Two announcements within one window are one observation; approximate and bounded minutes
        are in no set.

        Returns
        -------
        DataFrame
            See `impact.analysis.announcement_set.set_test_table`; with several windows one such
            frame for each, below one another.

        Raises
        ------
        InferenceError
            If no announcement has an exact minute and a p.

        Examples
        --------
        >>> import impact
        >>> study = impact.intraday_study(impact.load_bars(), impact.load_events())
        >>> study.set_test().shape
        (2, 6)
        """
        minutes = [window for window in self.windows if window != TO_CLOSE]
        frames = [
            set_test_table(self.known, [*self.observations(window)[0].values()])
            for window in minutes
        ]
        if not frames:
            raise InferenceError("windows to the close have no p: ask for a window in minutes")
        if len(self.windows) == 1:
            return frames[0]
        return pd.concat(frames, keys=minutes, names=["window"])

    def observations(
        self, window: int | str, minutes: Sequence[str] = (EXACT,)
    ) -> tuple[dict[str, Stretch], dict[str, str]]:
        """Return the announcements that a set counts, and why it does not count the others.

        See `impact.analysis.announcement_set.observations`.

        Examples
        --------
        >>> import impact
        >>> study = impact.intraday_study(impact.load_bars(), "ninety-day-pause")
        >>> study.observations(30)[0]["ninety-day-pause"].bars
        7
        """
        table = self.table
        if len(self.windows) > 1:
            table = table.xs(window, level="window")
        where = {event: self._stretches[event, window] for event in table.index}
        return observations(table, where, minutes)
