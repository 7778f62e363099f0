"""Nothing is left out in silence: strange securities, ids and dates, and options without effect."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from history import index_returns

import impact
from impact.errors import DateError, EventError, HistoryError, ImpactError, ModelError, WindowError

DAYS = impact.nyse_sessions("2022-06-01", "2024-12-31")[:600]
FIRST, SECOND = (str(DAYS[row].date()) for row in (400, 430))


def panel(names=("AAPL", "MSFT", "HON")):
    values = np.random.default_rng(1).normal(0, 0.015, (600, len(names)))
    return pd.DataFrame(values, DAYS, list(names))


def own(securities, column="security", dates=None):
    dates = dates or [FIRST, SECOND, FIRST][: len(securities)]
    return pd.DataFrame(
        {"id": list("abc")[: len(securities)], "announced_at": dates, column: securities}
    )


def studied(events, returns=None, **options):
    return impact.event_study(
        panel() if returns is None else returns, events, volatility=None, **options
    )


def by_hand(returns, name, date):
    """The abnormal return of one security: its return less its mean over (-260, -11)."""
    row = returns.index.get_loc(pd.Timestamp(date))
    return returns[name].iloc[row] - returns[name].iloc[row - 260 : row - 10].mean()


# -- securities ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "typed", "meant"),
    [
        ((10107, 10145), 10107.0, 10107),
        ((10107, 10145), "10107.0", 10107),
        ((10107, 10145), Decimal(10107), 10107),
        (("10107", "10145"), 10107, "10107"),
        ((10107.0, 10145.0), "10107", 10107.0),
        (("AAPL", "MSFT"), "msft ", "MSFT"),
        (("AAPL", "MSFT"), " MSFT", "MSFT"),
        (("aapl", "msft"), "MSFT", "msft"),
        (("A ", "B"), "A", "A "),
        (("a", "A"), "A", "A"),
    ],
)
def test_a_security_is_found_however_it_is_written(names, typed, meant):
    returns = panel(names)
    study = studied(own([typed, np.nan]), returns)
    assert study.dropped.empty
    assert study.car(0).loc[("a", str(meant)), "estimate"] == pytest.approx(
        by_hand(returns, meant, FIRST), abs=1e-15
    )
    assert len(study.car(0).loc["b"]) == 2


@pytest.mark.parametrize(
    ("typed", "nearest"), [("BRK.B", ""), ("MSTF", "'MSFT'"), ("HONE", "'HON'"), (7, "")]
)
def test_a_strange_security_beside_good_ones_is_left_out_with_the_nearest(typed, nearest):
    study = studied(own(["AAPL", typed]))
    assert study.dropped["security"].to_list() == [str(typed)]
    said = str(study.summary())
    assert f"Left out: 1 of 2 (b {typed}: security '{typed}' is not a column of the returns" in said
    assert f"the nearest is {nearest}" in said
    with pytest.raises(HistoryError, match=f"'{typed}' is not a column of the returns: the near"):
        studied(own([typed]))


def test_a_name_that_two_columns_share_but_for_case_is_neither():
    with pytest.raises(HistoryError, match="'Ab' is not a column"):
        studied(own(["Ab"]), panel(("AB", "ab")))


@pytest.mark.parametrize("column", ["ticker", "Symbol", "firm", "PERMNO", "Security", "SECURITY"])
def test_a_column_of_securities_under_another_name_is_read_and_said(column):
    study = studied(own(["aapl", "HON"], column))
    assert study.car(0).index.to_list() == [("a", "AAPL"), ("b", "HON")]
    assert f"column {column!r} was read as 'security'" in str(study.summary())


def test_permnos_in_a_column_of_their_own_are_read():
    study = studied(own([10107.0, 10145.0], "permno"), panel((10107, 10145, 11308)))
    assert study.car(0).index.to_list() == [("a", "10107"), ("b", "10145")]


def test_two_firms_on_one_date_need_no_id():
    events = own(["AAPL", "MSFT"], "ticker", [FIRST, FIRST]).drop(columns="id")
    assert studied(events).abnormal.index.to_list() == [
        (f"{FIRST} AAPL", "AAPL"),
        (f"{FIRST} MSFT", "MSFT"),
    ]


def test_any_other_column_of_securities_is_refused_with_the_rename():
    with pytest.raises(EventError, match=r"\.rename\(columns=\{'who': 'security'\}\)"):
        studied(own(["AAPL", "HON"], "who"))


@pytest.mark.parametrize("values", [["AAPL", "the rest"], ["good", "bad"]])
def test_a_column_that_names_some_securities_by_chance_is_kept(values):
    study = studied(own(values, "about"))
    assert study.alignment["about"].to_list() == values and len(study.abnormal) == 6


def test_a_ticker_that_names_no_column_is_said():
    study = studied(own(["AAPL US", "HON US"], "ticker"))
    assert len(study.abnormal) == 6
    assert "'ticker' of the events names no column: each event is of all" in str(study.summary())


def test_a_ticker_that_is_not_that_of_the_one_series_is_said():
    study = studied(own(["QQQ"], "ticker"), panel()["MSFT"])
    assert "'ticker' of the events names no column: each event is read as one of MSFT" in str(
        study.summary()
    )


@pytest.mark.parametrize("clock", ["16:10", "16:10:00", "4:10 PM", dt.time(16, 10)])
@pytest.mark.parametrize("name", ["time", "Time", "hour"])
def test_a_time_of_day_apart_from_its_date_is_refused(clock, name):
    events = pd.DataFrame({"date": [FIRST, SECOND], "event": ["a", "b"], name: [clock, None]})
    with pytest.raises(EventError, match=f"column '{name}' .* apart from their dates: write both"):
        studied(events, panel()["MSFT"])
    whole = events.assign(date=[f"{FIRST}T15:00", SECOND])
    assert len(studied(whole, panel()["MSFT"]).abnormal) == 2
    assert len(studied(events.assign(**{name: "morning"}), panel()["MSFT"]).abnormal) == 2


def test_naming_every_column_on_one_date_is_the_common_date_design():
    events = own(["HON", "AAPL", "msft"], dates=[FIRST] * 3).drop(columns="id")
    named, plain = studied(events.assign(size=2.0)), studied([FIRST])
    pd.testing.assert_frame_equal(named.car(0, 1), plain.car(0, 1))
    pd.testing.assert_frame_equal(named.portfolio().car(0), plain.portfolio().car(0))
    assert named.alignment["size"].to_list() == [2.0]


def test_what_differs_between_the_securities_of_a_date_is_said_to_be_left_out():
    study = studied(own(["AAPL", "MSFT", "HON"], dates=[FIRST] * 3).assign(size=[1, 2, 3]))
    assert study.alignment.index.to_list() == [FIRST]
    assert "left out: 'size', which differs between the securities" in str(study.summary())


def test_some_columns_on_one_date_stay_events_of_their_own():
    assert len(studied(own(["AAPL", "MSFT"], dates=[FIRST] * 2)).alignment) == 2


def test_the_calendar_time_portfolio_reads_securities_as_the_study_does():
    events = own([10107.0, "10145", "x"], "permno")
    found = impact.calendar_time_portfolio(panel((10107, 10145)), events, window=(0, 19))
    again = impact.calendar_time_portfolio(
        panel(("10107", "10145")), own(["10107", "10145"]), window=(0, 19)
    )
    pd.testing.assert_frame_equal(found.table, again.table)
    assert "Left out: 1 of 3 (c x: security 'x'" in repr(found)
    assert "'permno' was read as 'security'" in repr(found)


# -- ids and dates -------------------------------------------------------------------------------


def test_an_unknown_id_beside_good_ones_is_left_out_with_the_nearest():
    study = studied(["liberation-day", "geneva", "2025-05-02"], index_returns())
    assert study.abnormal.index.to_list() == ["liberation-day", "2025-05-02"]
    assert "Left out: 1 of 3 (geneva: 'geneva' is not an ISO date" in str(study.summary())
    assert "'geneva-truce'" in study.dropped["reason"].item()
    plain = studied(["liberation-day", "2025-05-02"], index_returns())
    pd.testing.assert_frame_equal(study.car(0), plain.car(0), check_like=True)


@pytest.mark.parametrize("events", [["geneva"], "geneva", ["geneva", "libertion"]])
def test_unknown_ids_alone_are_an_error(events):
    with pytest.raises(DateError, match=r"'geneva' is not an ISO date.*'geneva-truce'"):
        studied(events, index_returns())


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("1950-03-03", "before the first session"),
        ("2150-01-01", "after the last session"),
        ("2026-09-07", "after the last session"),
    ],
)
def test_a_date_outside_the_returns_beside_good_ones_is_left_out(date, reason):
    study = studied({"fine": "2025-05-02", "mine": date}, index_returns())
    assert study.dropped[["event"]].to_numpy().tolist() == [["mine"]]
    assert f"Left out: 1 of 2 (mine: {reason}" in str(study.summary())
    with pytest.raises(DateError, match="lies outside the returns"):
        studied({"mine": date}, index_returns())


def test_a_session_that_is_no_row_is_left_out_beside_good_ones():
    frame = pd.DataFrame({"session": pd.to_datetime(["2025-04-04", "2025-04-05"])})
    study = studied(frame, index_returns())
    assert "session 2025-04-05 is not a row" in study.dropped["reason"].item()
    with pytest.raises(DateError, match="session 2025-04-05 is not a row"):
        studied(frame[1:], index_returns())


def test_intraday_studies_leave_unknown_ids_out_too():
    study = impact.intraday_study(impact.load_bars(), ["ninety-day-pause", "ninty-day-pause"])
    assert study.dropped["event"].to_list() == ["ninty-day-pause"]
    assert "Left out: 1 of 2 (ninty-day-pause" in str(study.summary())


def test_what_is_left_out_of_a_panel_is_counted_in_rows():
    returns = panel()
    returns.iloc[:390, 0] = np.nan
    study = studied([FIRST, "1950-03-03"], returns)
    assert len(study.dropped) == 2 and len(study) == 2
    # Three rows of the date outside, and one of the security without history.
    assert "Left out: 4 of 6 (" in str(study.summary())


# -- options without effect ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    {
        "implied": lambda r: impact.event_study(
            r, ["2025-05-02"], volatility=None, implied=impact.load_vix()
        ),
        "benchmark": lambda r: studied(["2025-05-02"], r, benchmark=r),
        "factors": lambda r: studied(["2025-05-02"], r, factors=r.to_frame()),
        "risk_free": lambda r: studied(["2025-05-02"], r, risk_free=0 * r),
        "lags": lambda r: impact.calendar_time_portfolio(
            r.to_frame(), ["2025-05-02"], lags=3, covariance="HC1"
        ),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_an_option_without_effect_is_refused(call):
    name, run = call
    with pytest.raises(ImpactError, match=f"{name}="):
        run(index_returns())


def test_the_volatility_index_without_a_variance_model_says_which_to_leave_out():
    with pytest.raises(ModelError, match="implied= has no effect with volatility=None"):
        impact.event_study(
            index_returns(), ["2025-05-02"], volatility=None, implied=impact.load_vix()
        )


# -- labels and windows --------------------------------------------------------------------------


def test_labels_name_events_wherever_ids_do():
    dates = ["2025-04-03", "2025-04-09", "2025-05-12", "2025-06-02"]
    events = pd.DataFrame({"announced_at": dates, "id": list("abcd"), "label": list("WXYZ")})
    study = studied(events, index_returns())
    by_id, by_label = (
        {n: "up" if n in "abWX" else "down" for n in names} for names in ("abcd", "WXYZ")
    )
    pd.testing.assert_frame_equal(study.compare(by_label).table, study.compare(by_id).table)
    size = pd.DataFrame({"size": [1.0, 2.0, 4.0, 3.0]}, list("abcd"))
    found = impact.cross_section(study, size.set_axis(list("WXYZ")))
    pd.testing.assert_frame_equal(found.table, impact.cross_section(study, size).table)
    assert study["X"].abnormal.index.to_list() == ["b"]


def test_one_label_of_the_catalogue_is_a_study():
    by_id, by_label = (
        studied("liberation-day", index_returns()),
        studied("Liberation Day", index_returns()),
    )
    pd.testing.assert_frame_equal(by_id.abnormal, by_label.abnormal)
    series = studied(pd.Series(["Liberation Day", "geneva-truce"]), index_returns())
    assert series.abnormal.index.to_list() == ["liberation-day", "geneva-truce"]


def test_the_advice_on_a_reversed_window_works():
    with pytest.raises(WindowError, match=r"\(2, 0\) is reversed: write 0, 2$"):
        studied([FIRST]).car(2, 0)
    with pytest.raises(WindowError, match=r"reversed: write window=\(-5, 5\)$"):
        studied([FIRST], window=(5, -5))
    with pytest.raises(WindowError, match=r"write estimation=\(-250, -30\)"):
        studied([FIRST], estimation=(250, 30))
    assert len(studied([FIRST], estimation=(-250, -30)).car(0, 2)) == 3
