"""Five-minute prices: the committed ones are what they are said to be, and each slip is named."""

import numpy as np
import pandas as pd
import pytest

from impact.errors import BarsError
from impact.market.bars import Bar, bar_grid, bars_hash, load_bars
from impact.market.files import data_path
from impact.market.prices import load_prices

HALF_DAYS = ["2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28", "2025-12-24"]


@pytest.fixture(scope="module")
def bars():
    return load_bars()


@pytest.fixture(scope="module")
def grid(bars):
    return bar_grid(bars)


@pytest.fixture(scope="module")
def rows():
    """The committed file as texts, some sessions of it."""
    table = pd.read_csv(data_path("spy_5min.csv"), dtype="str")
    return table[table["time"].between("2025-09-15", "2025-11-15")].reset_index(drop=True)


# -- the committed prices ------------------------------------------------------------------------


def test_the_committed_bars_carry_their_source_security_and_zone(bars):
    assert len(bars) == 56_868 and bars.name == "SPY"
    assert str(bars.index.tz) == "America/New_York"
    assert bars.attrs["security"] == "SPY" and len(bars.attrs["hash"]) == 12
    assert "data/spy_5min.csv" in bars.attrs["source"]
    # Clocks went forward on 9 March 2025: 16:00 is an hour earlier in UTC from then on.
    utc = bars.index.tz_convert("UTC")
    assert utc[bars.index == "2025-03-07 16:00-05:00"][0].hour == 21
    assert utc[bars.index == "2025-03-10 16:00-04:00"][0].hour == 20


def test_the_bars_that_are_handed_out_are_a_copy(bars):
    mine = load_bars()
    mine.iloc[0] = 1.0
    assert load_bars().iloc[0] == bars.iloc[0] != 1.0


def test_sessions_and_hours_are_those_that_the_file_is_said_to_hold(grid):
    there = np.isfinite(grid.log_price)
    assert len(grid.sessions) == 372
    extended = there[:, 0]
    assert extended.sum() == 246 and extended[:246].all()
    assert there.all(axis=1).sum() == 243
    assert [f"{day:%Y-%m-%d}" for day in grid.sessions[grid.half_day]] == HALF_DAYS
    regular = grid.sessions[~extended]
    assert (regular[0], regular[-1]) == (pd.Timestamp("2025-10-20"), pd.Timestamp("2026-04-21"))


def test_a_bar_without_a_trade_carries_the_last_price_inside_its_session_only(bars, grid):
    row = 3
    day = bars[bars.index.tz_localize(None).normalize() == grid.sessions[row]]
    expected, price = [], np.nan
    prices = {f"{time:%H:%M}": value for time, value in day.items()}
    for minute in range(245, 1201, 5):
        price = prices.get(f"{minute // 60:02d}:{minute % 60:02d}", price)
        expected.append(price)
    assert len(day) < 192
    assert np.exp(grid.log_price[row]) == pytest.approx(expected)
    late = grid.sessions.get_loc(pd.Timestamp("2025-11-28"))
    assert np.flatnonzero(np.isfinite(grid.log_price[late])).tolist() == list(range(65, 108))


def test_a_price_is_carried_from_the_first_bar_on_and_none_before_it(bars):
    day = bars["2025-04-09"]
    assert [f"{time:%H:%M}" for time in day.index[:3]] == ["04:05", "04:10", "04:15"]
    for left_out, expected in (
        ([1], [day.iloc[0], day.iloc[0], day.iloc[2]]),
        ([0], [np.nan, day.iloc[1], day.iloc[2]]),
        ([0, 1], [np.nan, np.nan, day.iloc[2]]),
    ):
        found = bar_grid(day.drop(day.index[left_out])).log_price[0, :3]
        assert np.exp(found) == pytest.approx(expected, nan_ok=True)


def test_regular_hours_begin_with_the_opening_price_where_every_session_has_one(bars):
    days = bars["2025-11-26":"2025-12-01"]
    late = bar_grid(days).regular_hours()
    assert np.isfinite(late.log_price).sum(axis=1).tolist() == [79, 43, 79]
    assert late.first.tolist() == [65] * 3 and late.last.tolist() == [143, 107, 143]
    without = days.drop(pd.Timestamp("2025-12-01 09:30", tz=days.index.tz))
    later = bar_grid(without).regular_hours()
    assert np.isfinite(later.log_price).sum(axis=1).tolist() == [78, 42, 78]
    assert later.half_day.tolist() == [False, True, False]


def test_which_sessions_came_next_on_the_exchange_is_known(bars):
    days = bars["2025-11-24":"2025-12-02"]
    assert bar_grid(days).follows.tolist() == [True] * 5
    cut = days[days.index.tz_localize(None).normalize() != pd.Timestamp("2025-11-26")]
    assert bar_grid(cut).follows.tolist() == [True, False, True, True]


def test_daily_changes_are_those_of_the_index_but_for_the_dividends(grid):
    last = grid.log_price[np.arange(372), grid.close]
    ours = pd.Series(last, grid.sessions).diff()
    apart = (ours - np.log(load_prices()).diff()[grid.sessions]).abs().dropna()
    assert 1e4 * apart[:"2025-10-17"].median() == pytest.approx(2.7, abs=0.05)
    assert 1e4 * apart.median() == pytest.approx(2.5, abs=0.05)
    ex_dividend = ["2024-12-20", "2025-03-21", "2025-06-20", "2025-09-19", "2025-12-19"]
    ex_dividend.append("2026-03-20")
    assert [f"{day:%Y-%m-%d}" for day in apart.index[apart > 0.0014]] == ex_dividend


def test_bars_are_found_on_either_side_of_a_time(grid):
    def shown(bar):
        return f"{grid.time(bar):%m-%d %H:%M}"

    at = pd.Timestamp
    assert shown(grid.last_bar(at("2025-04-09 13:18:40"))) == "04-09 13:15"
    assert shown(grid.first_bar(at("2025-04-09 13:48:40"))) == "04-09 13:50"
    assert shown(grid.last_bar(at("2025-04-09 13:15"))) == "04-09 13:15"
    assert shown(grid.first_bar(at("2025-04-09 13:15"))) == "04-09 13:15"
    assert shown(grid.last_bar(at("2025-04-12 12:00"))) == "04-11 20:00"
    assert shown(grid.first_bar(at("2025-04-12 12:00"))) == "04-14 04:05"
    assert grid.last_bar(at("2024-10-24 04:00")) is None
    assert grid.first_bar(at("2026-04-21 16:01")) is None
    assert grid.price(Bar(0, 0)) == pytest.approx(np.log(580.54))


# -- bars of one's own ---------------------------------------------------------------------------


def test_a_file_of_ones_own_is_read_in_new_york_time_or_with_an_offset(rows, bars, tmp_path):
    expected = bars["2025-09-15":"2025-11-14"]
    rows.to_csv(tmp_path / "naive.csv", index=False)
    zoned = rows.assign(
        time=[
            time.isoformat()
            for time in pd.to_datetime(rows["time"]).dt.tz_localize("America/New_York")
        ]
    )
    zoned.to_csv(tmp_path / "zoned.csv", index=False)
    utc = pd.to_datetime(zoned["time"], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    zoned.assign(time=utc).to_csv(tmp_path / "utc.csv", index=False)
    for name in ("naive.csv", "zoned.csv", "utc.csv"):
        mine = load_bars(tmp_path / name)
        pd.testing.assert_series_equal(mine, expected, check_freq=False)
        assert mine.attrs["source"] == name


def test_sessions_of_regular_hours_are_as_good_as_whole_ones(bars, tmp_path):
    regular = bars["2025-11-03":"2025-12-31"]
    frame = pd.DataFrame({"time": regular.index.strftime("%Y-%m-%dT%H:%M"), "close": regular})
    frame.to_csv(tmp_path / "regular.csv", index=False)
    assert load_bars(tmp_path / "regular.csv").to_list() == regular.to_list()
    without = frame[~frame["time"].str.endswith("09:30")]
    without.to_csv(tmp_path / "no_opening.csv", index=False)
    assert len(load_bars(tmp_path / "no_opening.csv")) == len(regular) - 41


def test_bars_in_memory_may_be_in_any_zone(bars, grid):
    moved = bar_grid(bars.tz_convert("Asia/Shanghai"))
    assert np.array_equal(moved.log_price, grid.log_price, equal_nan=True)


def test_the_hash_tells_prices_apart(bars):
    mine = bars.copy()
    mine.attrs = {}
    other = mine.copy()
    other.iloc[7] += 0.01
    assert bars_hash(bars) == bars.attrs["hash"]
    assert len({bars_hash(bars), bars_hash(mine), bars_hash(other)}) == 3
    assert bars_hash(mine) == bars_hash(mine.copy())


def _times(change):
    return lambda rows: rows.assign(
        time=change(pd.to_datetime(rows["time"])).dt.strftime("%Y-%m-%dT%H:%M")
    )


def _shift(**by):
    return _times(lambda time: time + pd.Timedelta(**by))


def _only(first, last):
    return lambda rows: rows[rows["time"].str[11:].between(first, last)]


def _both(one, other):
    return lambda rows: other(one(rows))


def _utc(rows):
    return _times(lambda t: t.dt.tz_localize("America/New_York").dt.tz_convert("UTC"))(rows)


def _hour_twice(rows):
    """As if the hour before clocks went back had been written once in each time."""
    day = rows["time"].str.startswith("2025-11-03T09")
    return pd.concat([rows, rows[day]]).sort_values("time", kind="stable")


def _every(minutes):
    return lambda rows: rows[rows["time"].str[14:16].astype(int) % minutes == 0]


def _without(time):
    return lambda rows: rows[rows["time"] != time]


def _price(time, price):
    return lambda rows: rows.assign(close=rows["close"].where(rows["time"] != time, price))


def _row(time):
    return lambda rows: pd.concat(
        [rows, pd.DataFrame({"time": [time], "close": ["670.00"]})]
    ).sort_values("time", kind="stable")


def _random_walk(rows):
    steps = np.random.default_rng(0).normal(0, 0.0006, len(rows)).cumsum()
    return rows.assign(close=np.round(600 * np.exp(steps), 2).astype(str))


REGULAR = _only("09:35", "16:00")
SPOILT = {
    "start labels, extended hours": (_shift(minutes=-5), "04:00:00 lies outside .* by their start"),
    "start labels, regular hours": (
        _both(REGULAR, _shift(minutes=-5)),
        "run from 09:30 to 15:55: they may be labelled by their start: add five minutes",
    ),
    "start labels, part of the extended hours": (
        _both(
            lambda rows: rows[rows["time"] < "2025-10-18"],
            _both(_only("08:05", "18:00"), _shift(minutes=-5)),
        ),
        r"more in the bar 09:30 than in 09:35.* labelled by their start",
    ),
    "UTC without a zone": (_utc, "outside 04:05 to 20:00.* another time zone: write the offset"),
    "UTC without a zone, a summer": (
        _both(lambda rows: rows[rows["time"] < "2025-10-31"], _both(REGULAR, _utc)),
        "2025-09-15 run from 13:35 to 20:00: they may be in another time zone",
    ),
    "winter time all year": (
        _both(
            REGULAR, _times(lambda t: t.dt.tz_localize("America/New_York").dt.tz_convert("-05:00"))
        ),
        "2025-09-15 run from 08:35 to 15:00: they may be in another time zone",
    ),
    "an hour twice": (_hour_twice, "2025-11-03 09:30:00 stands twice.*daylight-saving"),
    "out of order": (lambda rows: rows.iloc[[1, 0, *range(2, len(rows))]], "comes after .*: sort"),
    "one-minute bars": (
        lambda rows: _shift(minutes=1)(rows),
        "does not end five minutes: give bars of five minutes",
    ),
    "fifteen-minute bars": (_every(15), "the bars are 15 minutes long"),
    "hourly bars": (_every(60), "the bars are 60 minutes long"),
    "daily closes": (_only("16:00", "16:00"), "one price a day .*: these are daily prices"),
    "a missing regular bar": (
        _without("2025-10-21T11:05"),
        r"the bar 2025-10-21 11:05 is missing \(the bars of 2025-10-21 run from 09:30 to 16:00\)",
    ),
    "a session that is cut": (
        lambda rows: rows[rows["time"] < "2025-11-14T12"],
        "the bar 2025-11-14 12:00 is missing",
    ),
    "a Sunday": (_row("2025-10-19T10:00"), "2025-10-19, a Sunday, is not a session"),
    "a bar of the night": (_row("2025-10-21T02:00"), "02:00:00 lies outside 04:05 to 20:00"),
    "another security": (
        _random_walk,
        r"not prices of SPY: .* from its closes by \d\.\d\d% in the median, as on .*security='QQQ'",
    ),
    "a slip of the decimal point": (_price("2025-10-22T10:00", "67.1"), "67.1 at .* follows"),
    "zero": (
        _price("2025-10-22T10:00", "0"),
        "the price 0 at 2025-10-22 10:00:00 is not a positive",
    ),
    "no number": (
        _price("2025-10-22T10:00", "n/a"),
        r"line \d+ \(2025-10-22T10:00\): 'n/a' is not",
    ),
    "no price": (_price("2025-10-22T10:00", ""), "'' is not a price"),
    "another form of time": (
        lambda rows: rows.assign(
            time=rows["time"].str.replace("2025-10-02T04:05", "02/10/2025 4:05")
        ),
        r"line \d+: '02/10/2025 4:05' is not a time like",
    ),
    "an offset on some": (
        lambda rows: rows.assign(
            time=rows["time"].where(rows["time"] != "2025-10-02T10:00", "2025-10-02T10:00-04:00")
        ),
        "'2025-10-02T10:00-04:00' is not a time like .* all in one form",
    ),
    "other columns": (lambda rows: rows.rename(columns={"close": "price"}), "header 'time,price'"),
    "no rows": (lambda rows: rows.iloc[:0], "has 0 rows"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT)
def test_bad_bars_get_a_clear_error(rows, tmp_path, spoil, message):
    spoil(rows).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(BarsError, match=message):
        load_bars(tmp_path / "mine.csv")


def test_bars_of_another_security_are_taken_under_their_own_name(rows, tmp_path):
    _random_walk(rows).to_csv(tmp_path / "mine.csv", index=False)
    mine = load_bars(tmp_path / "mine.csv", security="ABC")
    assert mine.name == mine.attrs["security"] == "ABC"
    with pytest.raises(BarsError, match="committed bars are of SPY, not of 'ABC'"):
        load_bars(security="ABC")


def test_twenty_daily_changes_are_enough_to_know_another_security_by(rows, tmp_path):
    walk = _random_walk(rows)
    days = walk["time"].str[:10]
    for sessions in (20, 21):
        walk[days.isin(days.unique()[:sessions])].to_csv(tmp_path / f"{sessions}.csv", index=False)
    assert load_bars(tmp_path / "20.csv").attrs["security"] == "SPY"
    with pytest.raises(BarsError, match="in the median, as on 2025-"):
        load_bars(tmp_path / "21.csv")


def test_files_that_are_no_csv_are_refused(tmp_path):
    with pytest.raises(BarsError, match="cannot be read"):
        load_bars(tmp_path / "nowhere.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(BarsError, match=r"empty\.csv is not a CSV"):
        load_bars(tmp_path / "empty.csv")
    (tmp_path / "latin.csv").write_bytes("time,close\n2025-10-01T09:35,1\xe9".encode("latin-1"))
    with pytest.raises(BarsError, match="not UTF-8"):
        load_bars(tmp_path / "latin.csv")


def test_the_line_of_a_wrong_cell_is_the_one_an_editor_shows(tmp_path):
    for cells, wrong in (
        (["2025-10-01T09:35,1.5", "2025-10-01T09:40,n/a"], r"line 3 \(2025-10-01T09:40\): 'n/a'"),
        (["2025-10-01T09:35,1.5", "noon,1.5"], "line 3: 'noon' is not a time"),
    ):
        (tmp_path / "mine.csv").write_text("\n".join(["time,close", *cells]))
        with pytest.raises(BarsError, match=wrong):
            load_bars(tmp_path / "mine.csv", security="ABC")


def test_what_is_no_series_of_bars_is_refused(bars):
    day = bars["2025-10-21":"2025-10-22"]
    for wrong, message in (
        (bars.to_frame(), "must be a Series .* not DataFrame"),
        (day.reset_index(drop=True), "indexed by the time"),
        (day.tz_localize(None), r"no time zone: use \.tz_localize"),
        (day.astype("str").str.replace(".", ","), "other than numbers"),
        (day.iloc[:0], "there are no bars"),
        (load_prices().tz_localize("UTC"), "one price a day"),
    ):
        with pytest.raises(BarsError, match=message):
            bar_grid(wrong)
