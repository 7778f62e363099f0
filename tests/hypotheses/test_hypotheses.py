"""The register, the sessions of its groups, and what is concluded from them."""

import ast
import csv
import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from history import DATA, index_returns
from scipy import stats

from impact.analysis.news_share import news_share
from impact.errors import EventError, HypothesisError, ReturnsError
from impact.hypotheses import verdicts as hypotheses
from impact.hypotheses.evaluation import evaluated, mean_interval
from impact.hypotheses.register import COLUMNS, load_register, whole_register
from impact.hypotheses.selection import ROW_SETS, catalogue_rows, is_taken_back, select_group
from impact.hypotheses.verdicts import (
    BEFORE_CORRECTION,
    CHANCE,
    CONTRADICTED,
    NOT_RULED_OUT,
    SUPPORTED,
    TOO_FEW,
    TOO_FEW_CLUSTERS,
    _verdict,
    evaluate_register,
)
from impact.inference.event_sets import shift_test
from impact.market.files import data_path
from impact.market.prices import load_prices
from impact.market.returns import log_returns, simple_returns
from impact.news.alignment import align
from impact.news.catalogue import load_events
from impact.news.uncertainty import uncertainty_days
from impact.study.event_study import event_study
from impact.volatility.forecast import conditional_z

ROOT = DATA.parent

P = ("p_value", "p_shift", "p_without_one")


@pytest.fixture(scope="module")
def verdicts():
    return evaluate_register()


@pytest.fixture(scope="module")
def z():
    return conditional_z(index_returns())["z"]


# -- the register --------------------------------------------------------------------------------


def test_the_committed_register_is_written_after_the_events_and_says_so(verdicts):
    register = load_register()
    late = (register["events"] != "catalogue") | (register["statistic"] == "variance")
    assert set(register.loc[~late, "registered"]) == {"2026-11-25"}
    assert set(register.loc[late, "registered"]) == {"2026-11-26"}
    assert max(load_events(included=None)["announced_at"].str[:10]) < "2026-11-25"
    assert set(verdicts.table["chosen"]) == {"chosen after the event"}


def changed(**cells) -> str:
    """Return the first row of the register with some cells changed, as a file."""
    rows = list(csv.DictReader(data_path("hypotheses.csv").read_text("utf-8").splitlines()))
    return write([rows[0] | cells])


def write(rows) -> str:
    held = io.StringIO()
    writer = csv.DictWriter(held, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"statistic": "median"}, "statistic is 'median': write 'mean', 'difference'"),
        ({"side": "up"}, "side is 'up'"),
        ({"claim": "Shares fell"}, "end it with a full stop"),
        ({"claim": ""}, "claim is blank"),
        ({"since": "1/2/2025"}, "write an ISO date"),
        ({"registered": ""}, "registered is blank"),
        ({"start": "x"}, "not two whole numbers"),
        ({"start": "1", "end": "0"}, "is reversed"),
        ({"end": "3"}, "not 0 to 0, which clusters need"),
        ({"margin": "0.01"}, "a margin belongs to equivalence"),
        ({"statistic": "equivalence", "margin": "-1"}, "write a positive decimal fraction"),
        ({"statistic": "equivalence", "margin": "1%"}, "margin is '1%': write a positive decimal"),
        ({"statistic": "difference"}, "a second group belongs to a difference"),
        ({"direction": "up"}, "direction is 'up'"),
        ({"direction": "escalation;talks"}, "points more than one way"),
        ({"direction": ""}, "direction is blank"),
        ({"taken_back": "no"}, "taken_back is 'no'"),
        ({"events": ""}, "events is '': write 'catalogue', 'uncertainty-level' or"),
        ({"events": "tweets"}, "events is 'tweets': write 'catalogue'"),
        (
            {"events": "uncertainty-rise"},
            "direction is 'escalation;retaliation', a filter of the catalogue: leave it blank",
        ),
        ({"events": "uncertainty-level", "against_counterparty": "CN"}, "against_counterparty is"),
        (
            {"events": "uncertainty-level", "statistic": "slope"},
            "a mean and nothing else: write 'mean'",
        ),
        ({"statistic": "variance"}, "side is 'less': news adds to a variance, write 'greater'"),
        ({"statistic": "variance"}, "direction is 'escalation;retaliation': a variance has no"),
        ({"statistic": "variance", "until": ""}, "until is blank: a variance is compared within"),
        ({"statistic": "variance", "taken_back": "yes"}, "taken_back is 'yes': a variance has no"),
        ({"statistic": "variance", "end": "1"}, "not 0 to 0, which clusters need"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(tmp_path, cells, message):
    path = tmp_path / "register.csv"
    path.write_text(changed(**cells), encoding="utf-8")
    with pytest.raises(HypothesisError, match=message):
        load_register(path)


def test_a_wrong_header_and_repeated_ids_are_named(tmp_path):
    path = tmp_path / "register.csv"
    path.write_text("id,claim\na,b.\n", encoding="utf-8")
    with pytest.raises(HypothesisError, match=r"the header of register.csv is id, claim"):
        load_register(path)
    text = changed()
    path.write_text(text + text.split("\n")[1] + "\n", encoding="utf-8")
    with pytest.raises(HypothesisError, match="the id comes twice"):
        load_register(path)


# -- the family ----------------------------------------------------------------------------------


def test_what_is_not_registered_is_not_evaluated(verdicts):
    register = load_register()
    extra = pd.concat([register, register.iloc[:1].rename(index=lambda _: "my-new-idea")])
    with pytest.raises(HypothesisError, match="'my-new-idea' is not in the register"):
        evaluate_register(extra)
    with pytest.raises(HypothesisError, match="'rises-on-tuesdays' is not in the register"):
        verdicts["rises-on-tuesdays"]


def test_the_family_cannot_be_shrunk_or_changed():
    register = load_register()
    with pytest.raises(HypothesisError, match="is registered and left out"):
        evaluate_register(register.iloc[1:])
    other = register.copy()
    other.loc["retaliation-adds", "side"] = "two-sided"
    with pytest.raises(HypothesisError, match="'retaliation-adds' stands otherwise"):
        evaluate_register(other)


def test_every_registered_hypothesis_is_evaluated_three_times(verdicts):
    expected = [(name, rows) for name in load_register().index for rows in ROW_SETS]
    assert list(verdicts.table.index) == expected


def test_sets_are_tested_through_the_register_alone():
    """No other module, figure or notebook runs a test of a set on the committed data."""
    tests = {"shift_test", "difference_test", "equivalence_test"}
    compare = ROOT / "impact" / "study" / "groups.py"
    for path in (ROOT / "impact").rglob("*.py"):
        # A user compares groups of a study of their own by `study.compare`.
        if path.parent.name in ("inference", "hypotheses", "calibration") or path == compare:
            continue
        names = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert names.isdisjoint(tests), path.name
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert not any(name in path.read_text(encoding="utf-8") for name in tests), path.name


def test_the_committed_verdicts_are_those_of_the_register(verdicts):
    path = ROOT / "figures" / "hypotheses.csv"
    committed = pd.read_csv(path).set_index(["hypothesis", "rows"])
    assert list(committed.index) == list(verdicts.table.index)
    assert committed["verdict"].to_list() == verdicts.table["verdict"].to_list()
    for name in ("estimate", "ci_low", "ci_high", *P, "p_holm", "power", "power_holm"):
        np.testing.assert_allclose(committed[name], verdicts.table[name].astype(float), rtol=1e-5)


# -- a register of one's own ---------------------------------------------------------------------


def committed_rows(*names) -> list[dict]:
    rows = csv.DictReader(data_path("hypotheses.csv").read_text("utf-8").splitlines())
    return [row for row in rows if not names or row["id"] in names]


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.csv"
    rows = committed_rows("china-escalation-2025", "china-then-and-now-differ")
    path.write_text(write([*rows, rows[0] | {"id": "my-own", "side": "greater"}]), "utf-8")
    return path


def test_a_register_of_ones_own_is_its_own_family_and_says_so(own, verdicts):
    mine = evaluate_register(own)
    names = ["china-escalation-2025", "china-then-and-now-differ", "my-own"]
    assert list(mine.table.index.unique("hypothesis")) == names
    for name in names[:2]:
        columns = ["n", "clusters", "estimate", "ci_low", *P, "power"]
        pd.testing.assert_frame_equal(mine[name][columns], verdicts[name][columns])
    for rows in ROW_SETS:
        part = mine.table.xs(rows, level="rows")
        family = slow_holm(part["p_value"].fillna(1.0))
        np.testing.assert_allclose(part["p_holm"], family.where(part["p_value"].notna()))
    assert mine["china-escalation-2025"].loc["included", "p_holm"] == pytest.approx(
        3 * verdicts["china-escalation-2025"].loc["included", "p_value"]
    )
    digest = hashlib.sha256(own.read_bytes()).hexdigest()[:12]
    assert "3 hypotheses of mine.csv, not the committed register, registered to" in mine.signature
    assert f"({digest})" in mine.signature and digest not in verdicts.signature
    assert "not the committed register" in str(mine.summary())
    assert "The register mine.csv" in str(mine.summary("documented"))
    assert "not the committed" not in str(verdicts.summary()) + verdicts.signature
    with pytest.raises(HypothesisError, match=r"register it in mine\.csv first"):
        mine["talks-raise"]


def test_returns_that_are_no_decimal_log_returns_are_refused(own):
    returns, simple = log_returns(load_prices()), simple_returns(load_prices())
    for wrong, message in (
        (simple, "evaluated on log returns: use log_returns"),
        (100 * returns, "look like percentages"),
        (load_prices(), "look like prices"),
    ):
        with pytest.raises(ReturnsError, match=message):
            evaluate_register(own, returns=wrong)


def test_an_own_register_can_be_given_as_it_was_loaded_and_not_be_shrunk_either(own):
    loaded = load_register(own)
    pd.testing.assert_frame_equal(whole_register(loaded.iloc[::-1]), loaded.iloc[::-1])
    pd.testing.assert_frame_equal(whole_register(str(own)), loaded)
    with pytest.raises(HypothesisError, match="'china-escalation-2025' is registered and left out"):
        evaluate_register(loaded.iloc[1:])
    with pytest.raises(HypothesisError, match="'my-own' stands otherwise"):
        evaluate_register(loaded.replace({"side": {"greater": "less"}}))
    # A frame that says nothing of a file is held against the committed register.
    loaded.attrs = {}
    with pytest.raises(HypothesisError, match="'my-own' is not in the register"):
        evaluate_register(loaded)


def test_the_committed_file_given_as_a_path_is_the_committed_register(own):
    assert load_register(data_path("hypotheses.csv")).attrs == load_register().attrs
    assert load_register(own).attrs["path"] == str(own)


def test_a_hypothesis_says_when_it_was_chosen(tmp_path):
    path = tmp_path / "early.csv"
    row = committed_rows("talks-raise")[0] | {"registered": "2025-04-05"}
    later = row | {"id": "later", "since": "2026-08-01", "until": ""}
    path.write_text(write([row, later]), "utf-8")
    found = evaluate_register(path)
    assert set(found["talks-raise"]["chosen"]) == {"registered before the last event"}
    assert set(found["later"]["chosen"]) == {"no event yet"}
    assert (found["later"]["n"] == 0).all() and (found["later"]["verdict"] == TOO_FEW).all()
    assert "Chosen after the events: 0 of 2." in str(found.summary())


def test_a_register_without_a_verdict_is_shown(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text(write(committed_rows("talks-raise", "reaction-grows-with-dose")), "utf-8")
    found = evaluate_register(path)
    assert set(found.table["verdict"]) == {TOO_FEW}
    assert found.table[[*P, "p_holm", "power", "power_holm"]].isna().all(axis=None)
    assert set(map(len, found.tests.values())) == {0}
    assert TOO_FEW in str(found.summary())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"mine.csv is not CSV in UTF-8"),
        ("id,claim\né,b".encode("latin-1"), r"mine.csv is not CSV in UTF-8"),
        ((",".join(COLUMNS) + "\n").encode(), r"has a header and no hypotheses"),
        ((",".join(COLUMNS) + "\n" + "a," * 20 + "\n").encode(), "more fields than its header"),
        ((",".join(COLUMNS) + "\na,b.\n").encode(), "statistic is '': write 'mean'"),
        ((",".join(COLUMNS) + "\na,b\n" + "c," * 20 + "\n").encode(), "is not CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_register_is_refused_in_words(tmp_path, content, message):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(HypothesisError, match=message):
        evaluate_register(path)


def test_what_is_no_register_or_names_nothing_of_the_catalogue_is_refused(tmp_path):
    with pytest.raises(HypothesisError, match=r"none\.csv cannot be read"):
        evaluate_register(tmp_path / "none.csv")
    with pytest.raises(HypothesisError, match=r"of type Series .* returns="):
        evaluate_register(index_returns())
    path = tmp_path / "mine.csv"
    row = committed_rows("china-escalation-2025")[0]
    path.write_text(write([row | {"counterparty": "XX"}]), "utf-8")
    with pytest.raises(HypothesisError, match="'china-escalation-2025' cannot be evaluated: no ev"):
        evaluate_register(path)


# -- the sessions of a group ---------------------------------------------------------------------


def test_china_escalations_of_2025_are_these_sessions(verdicts):
    group = verdicts.groups["china-escalation-2025", "included"][0]
    # Read off the catalogue by eye. 3 and 4 February, 7, 9 April and 13 October also carry news
    # of the other direction: they are in no group.
    assert [f"{day:%m-%d}" for day in group.sessions] == [
        "02-27",
        "03-03",
        "03-04",
        "04-03",
        "04-04",
        "04-08",
        "04-10",
        "04-11",
        "10-09",
        "10-10",
    ]


def test_9_april_is_in_no_group(verdicts):
    register = load_register()
    catalogued = (register["events"] == "catalogue") & (register["statistic"] != "variance")
    for (name, _), groups in verdicts.groups.items():
        for group in groups if catalogued[name] else ():
            assert pd.Timestamp("2025-04-09") not in group.sessions


def test_the_funnel_counts_what_the_file_holds(verdicts):
    rows = list(csv.DictReader((DATA / "events.csv").read_text("utf-8").splitlines()))
    included = [row for row in rows if row["included"] == "yes"]
    group = [
        row
        for row in included
        if row["direction"] in ("escalation", "retaliation")
        and "CN" in row["counterparty"].split(";")
        and row["announced_at"][:4] == "2025"
    ]
    news = [row for row in group if row["news"] == "yes"]
    funnel = verdicts.funnel.loc["china-escalation-2025", "included", "group"]
    expected = [156, len(included), len(group), len(group), len(news), len(news)]
    assert funnel.to_list()[:6] == expected
    assert funnel["one direction"] == 10
    documented = [r for r in included if r["primary_source"] in ("document", "presidential post")]
    assert verdicts.funnel.loc["talks-raise", "documented", "group"]["read"] == len(documented)


def test_a_funnel_never_widens_and_ends_at_n(verdicts):
    for key, funnel in verdicts.funnel.iterrows():
        assert (np.diff(funnel.to_numpy()) <= 0).all(), key
        n = "n" if key[2] == "group" else "n_against"
        assert funnel.iloc[-1] == verdicts.table.loc[key[:2], n]


def test_windows_of_five_sessions_do_not_overlap(verdicts):
    index = index_returns().index
    for rows in ROW_SETS:
        sessions = verdicts.groups["threats-leave-no-trace", rows][0].sessions
        assert (np.diff(index.get_indexer(sessions)) >= 6).all()


def test_a_rate_that_went_back_is_taken_back():
    catalogue = load_events(included=None)
    back = is_taken_back(catalogue, catalogue)
    threats = catalogue[(catalogue["status"] == "threatened") & back]
    threats = threats[threats["direction"] == "escalation"]
    assert list(threats.index) == [
        "mexico-5pct-threat-2019",
        "eu-50-threat",
        "china-100-threat",
        "greenland-10-threat",
    ]
    assert not back["liberation-day"]


def test_an_unknown_reading_of_the_catalogue_lists_the_known():
    with pytest.raises(EventError, match="'included', 'all' or 'documented'"):
        catalogue_rows("some")
    with pytest.raises(EventError, match="no event has direction='up'"):
        select_group(index_returns().index, "all", {"direction": "up"})


# -- what is concluded ---------------------------------------------------------------------------


def test_no_verdict_below_eight_sessions(verdicts):
    table = verdicts.table
    few = table[["n", "n_against"]].astype("Float64").min(axis=1) < 8
    assert few.any() and not few.all()
    assert (table.loc[few, "verdict"] == TOO_FEW).all()
    assert table.loc[few, [*P, "p_holm", "power", "power_holm"]].isna().all(axis=None)
    assert (table.loc[~few, "verdict"] != TOO_FEW).all()
    for name in ("talks-raise", "rulings-raise"):
        assert (verdicts[name]["verdict"] == TOO_FEW).all()


def slow_clusters(rows) -> list[list[int]]:
    """Rows in groups: a new one begins six rows or more after the last."""
    held = [[sorted(rows)[0]]]
    for row in sorted(rows)[1:]:
        if row - held[-1][-1] < 6:
            held[-1].append(row)
        else:
            held.append([row])
    return held


def slow_p(z: pd.Series, days, against=None) -> float:
    """The verdict's p from scipy's one-sample t, or from Welch's t by hand."""
    values = z.to_numpy()
    groups = slow_clusters(z.index.get_indexer(days))
    if against is None:
        sums = [sum(values[row] for row in group) / len(group) ** 0.5 for group in groups]
        return stats.ttest_1samp(sums, 0).pvalue
    other = slow_clusters(z.index.get_indexer(against))
    one, two = ([np.mean(values[group]) for group in held] for held in (groups, other))
    t = stats.ttest_ind(one, two, equal_var=False).statistic
    return 2 * stats.t.sf(abs(t), min(len(one), len(two)) - 1)


def test_every_mean_and_difference_is_the_t_of_its_clusters(verdicts, z):
    found = 0
    for (name, rows), row in verdicts.table[verdicts.table["p_shift"].notna()].iterrows():
        days = [group.sessions for group in verdicts.groups[name, rows]]
        assert row["p_value"] == pytest.approx(slow_p(z, *days), rel=1e-10), (name, rows)
        assert row["p_shift"] == shift_test(z, *days).p_value
        counts = [len(slow_clusters(z.index.get_indexer(one))) for one in days]
        told = row[["clusters", "clusters_against"][: len(days)]]
        assert told.to_list() == counts and row["n"] == len(days[0])
        found += 1
    assert found > 20


def test_the_p_without_one_is_that_of_a_loop_over_sessions(verdicts, z):
    name = "china-escalation-2025"
    days = verdicts.groups[name, "included"][0].sessions
    row = verdicts.table.loc[name, "included"]
    alone = [slow_p(z, days.delete(i)) for i in range(len(days))]
    assert row["p_without_one"] == pytest.approx(max(alone))
    assert row["verdict"] == BEFORE_CORRECTION
    assert row["undone_by_one"] == sum(p > 0.05 for p in alone) > 0


def test_a_supported_claim_is_undone_where_its_corrected_p_is(tmp_path, z):
    """Alone in its register the claim on 2018 and 2019 is supported."""
    path = tmp_path / "one.csv"
    path.write_text(write(committed_rows("china-escalation-2018-2019", "talks-raise")), "utf-8")
    found = evaluate_register(path)
    row = found.table.loc["china-escalation-2018-2019", "included"]
    days = found.groups["china-escalation-2018-2019", "included"][0].sessions
    # Holm doubles the smaller of two.
    alone = [2 * slow_p(z, days.delete(i)) for i in range(len(days))]
    assert row["verdict"] == SUPPORTED and row["p_holm"] == pytest.approx(2 * slow_p(z, days))
    assert row["undone_by_one"] == sum(p > 0.05 for p in alone)


def test_a_finding_on_the_other_side_contradicts_the_claim(tmp_path):
    path = tmp_path / "other.csv"
    row = committed_rows("china-escalation-2018-2019")[0]
    path.write_text(write([row | {"side": "greater"}]), "utf-8")
    assert evaluate_register(path).table["verdict"].iloc[0] == CONTRADICTED
    path.write_text(write([row | {"side": "greater"}, *others()]), "utf-8")
    told = evaluate_register(path).table.loc[(row["id"], "included"), "verdict"]
    assert told == f"{CONTRADICTED}, {BEFORE_CORRECTION}"


def others() -> list[dict]:
    """Return the rows of the register but the one on 2018 and 2019."""
    return [row for row in committed_rows() if row["id"] != "china-escalation-2018-2019"]


def test_a_claim_on_a_dose_has_a_p_where_enough_sessions_have_one(monkeypatch):
    """The catalogue knows few doses: those of 2018 and 2019 are made up here."""

    def with_doses(rows, **filters):
        events = catalogue_rows(rows, **filters).copy()
        early = events.index[
            events["counterparty"].str.contains("CN") & (events["announced_at"] < "2020")
        ]
        events.loc[early, "china_dose_pp"] = np.linspace(-20, 40, len(early)).round(1)
        return events

    monkeypatch.setattr("impact.hypotheses.evaluation.catalogue_rows", with_doses)
    monkeypatch.setattr("impact.hypotheses.selection.catalogue_rows", with_doses)
    returns = index_returns()
    claim = load_register().loc["reaction-grows-with-dose"].copy()
    claim["since"] = ""
    found = evaluated(returns, returns.to_frame("z"), claim, "documented", 0)
    dose = found.tests["p_value"]
    assert found.facts["n"] == dose.nobs >= 8
    assert found.facts["p_value"] == dose.pvalues["dose"]
    assert found.facts["estimate"] == dose.params["dose"] < 0 and found.sign == -1
    assert np.isnan(found.power(0.05))


def test_no_verdict_below_three_clusters(tmp_path):
    """Escalations of one summer: eight sessions and more, in two clusters."""
    path = tmp_path / "summer.csv"
    row = committed_rows("all-escalation-2025")[0]
    path.write_text(write([row | {"since": "2025-05-20", "until": "2025-07-15"}]), "utf-8")
    found = evaluate_register(path)
    table = found.table.xs("all", level="rows")
    assert table["n"].item() == 9 and table["clusters"].item() == 2
    assert set(table["verdict"]) == {TOO_FEW_CLUSTERS}
    assert table[[*P, "p_holm", "power", "ci_low", "ci_high"]].isna().all(axis=None)
    assert TOO_FEW_CLUSTERS in str(found.summary("all"))


def test_days_chosen_by_newspapers_are_the_same_on_every_reading(verdicts):
    for name, of in (("uncertain-days-lower", "level"), ("rising-uncertainty-lowers", "rise")):
        days = pd.DatetimeIndex(uncertainty_days(of=of)["session"].unique())
        for rows in ROW_SETS:
            group = verdicts.groups[name, rows][0]
            assert group.sessions.equals(days) and len(group.labels) == len(days)
            assert verdicts.funnel.loc[(name, rows, "group"), "of the group"] == 50
        assert len(set(verdicts[name]["p_value"])) == 1


def test_days_of_uncertainty_of_one_period(tmp_path):
    path = tmp_path / "period.csv"
    row = committed_rows("uncertain-days-lower")[0]
    path.write_text(write([row | {"since": "2018-01-01", "until": "2019-12-31"}]), "utf-8")
    group = evaluate_register(path).groups["uncertain-days-lower", "included"][0]
    assert group.sessions[0].year == 2018 and group.sessions[-1] <= pd.Timestamp("2020-01-02")


def test_the_power_is_that_of_simulated_sets(verdicts):
    """Three clusters of 3, 5 and 2 sessions, each with a mean of minus one."""
    rng = np.random.default_rng(3)
    drawn = [rng.normal(-1, 1, (20_000, n)).sum(axis=1) / np.sqrt(n) for n in (3, 5, 2)]
    p = stats.ttest_1samp(np.array(drawn), 0).pvalue
    row = verdicts.table.loc["china-escalation-2025", "included"]
    assert row["power"] == pytest.approx((p <= 0.05).mean(), abs=0.015)
    assert row["power_holm"] == pytest.approx((p <= 0.05 / 19).mean(), abs=0.006)
    tested = verdicts.table[verdicts.table["p_value"].notna()]
    varying = tested["statistic"] == "variance"
    assert tested.loc[varying, ["power", "power_holm"]].isna().all(axis=None) and varying.any()
    tested = tested[~varying]
    assert tested["power"].between(0, 1).all() and (tested["power_holm"] < tested["power"]).all()


PERIODS = {"2018-2019": (2018, 2019), "2025": (2025, 2025), "2026": (2026, 2026)}


def news_days(years, index) -> set[pd.Timestamp]:
    """The sessions of a period's included news, read off the file with a day's own session."""
    placed = align(load_events(), index)
    news = placed[placed["news"] & (placed["dropped"] == "")]
    inside = news[news["announced_at"].str[:4].astype(int).between(*years)]
    return set(inside["session"])


@pytest.mark.parametrize("period", PERIODS)
def test_a_variance_is_that_of_a_slow_loop(verdicts, z, period):
    """Share, and p among the shifted sets, with and without each news day."""
    first, last = PERIODS[period]
    part = z[(z.index.year >= first) & (z.index.year <= last)]
    news = part.index.isin(news_days((first, last), z.index))
    square = part.to_numpy() ** 2

    def share_and_p(square, news):
        days = len(square)
        sums = [np.roll(square, -shift)[news].sum() for shift in range(days)]
        ours = sums[0] / sum(news)
        others = (sum(square) - sums[0]) / (days - sum(news))
        return max(0, 1 - others / ours), sum(one >= sums[0] - 1e-9 for one in sums) / days

    row = verdicts.table.loc[f"news-moved-{period}", "included"]
    assert row["n"] == sum(news)
    assert (row["estimate"], row["p_value"]) == pytest.approx(share_and_p(square, news))
    alone = []
    for i in np.flatnonzero(news):
        alone.append(share_and_p(np.delete(square, i), np.delete(news, i))[1])
    assert row["p_without_one"] == pytest.approx(max(alone))
    assert np.isnan(row["p_shift"]) and row["ci_low"] <= row["estimate"] <= row["ci_high"]


def test_the_share_of_a_claim_is_that_of_the_study(verdicts):
    for period, (first, last) in PERIODS.items():
        span = {"since": f"{first}-01-01", "until": f"{last}-12-31"}
        study = event_study(index_returns(), load_events(**span), window=(0, 0))
        found = news_share(study, **span)
        row = verdicts.table.loc[f"news-moved-{period}", "included"]
        assert row["estimate"] == pytest.approx(found.share, rel=1e-12)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(found.conf_int(), rel=1e-12)
        assert (row["p_value"], row["n"]) == (found.p_value, found.nobs)


def test_days_of_news_both_ways_count_for_a_variance(verdicts):
    days = verdicts.groups["news-moved-2025", "included"][0].sessions
    assert pd.Timestamp("2025-04-09") in days


def test_the_table_says_what_a_claim_on_a_variance_cannot_say(verdicts, own):
    text = " ".join(str(verdicts.summary()).split())
    assert "The list of events was made by people who knew the moves" in text
    assert "A claim on one year cannot be supported as the first of 19" in text
    assert "moved more" not in str(evaluate_register(own).summary())


def test_a_variance_of_few_sessions_has_no_verdict(tmp_path):
    path = tmp_path / "few.csv"
    row = committed_rows("news-moved-2026")[0]
    path.write_text(write([row | {"direction": "", "counterparty": "GB"}]), "utf-8")
    verdicts = evaluate_register(path)
    found = verdicts.table
    assert set(found["verdict"]) == {TOO_FEW} and found["estimate"].isna().all()
    text = str(verdicts.summary())
    assert "Such a p cannot be below" in text and "cannot be supported as the first" not in text


def test_intervals_without_clusters_are_students():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.01, 0.01, 11), rng.normal(0, 0.03, 17)
    one = stats.ttest_1samp(a, 0).confidence_interval(0.95)
    assert mean_interval([a], [np.arange(11)])[1:] == pytest.approx((one.low, one.high))
    mean, low, high = mean_interval([a, b], [np.arange(11), np.arange(17)])
    reach = stats.t.ppf(0.975, 10) * np.hypot(stats.sem(a), stats.sem(b))
    assert (mean, low, high) == pytest.approx((mean, mean - reach, mean + reach))
    assert mean == pytest.approx(a.mean() - b.mean())
    assert np.isnan(mean_interval([a], [np.repeat([0, 1], [5, 6])])[1:]).all()


def test_an_interval_by_clusters_leaves_each_out_in_turn():
    rng = np.random.default_rng(1)
    number = np.repeat([0, 1, 2, 3], [3, 1, 4, 2])
    values = rng.normal(0, 1, 10)
    left = np.array([values[number != g].mean() for g in range(4)])
    reach = stats.t.ppf(0.975, 3) * np.sqrt(3 / 4 * np.sum((left - left.mean()) ** 2))
    _, low, high = mean_interval([values], [number])
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_an_interval_by_clusters_covers_where_clusters_share_effects():
    rng = np.random.default_rng(7)
    number = np.repeat(np.arange(8), [1, 2, 3, 1, 4, 2, 1, 3])
    wrong = []
    for _ in range(2_000):
        values = rng.standard_normal(8)[number] + rng.standard_normal(len(number))
        bounds = [mean_interval([values], [by])[1:] for by in (number, np.arange(len(number)))]
        wrong.append([not low <= 0 <= high for low, high in bounds])
    by_cluster, by_session = np.mean(wrong, axis=0)
    # As documented: 5 to 7%, where Student's interval of the sessions misses 11 to 22%.
    assert 0.04 < by_cluster < 0.08 and 0.11 < by_session < 0.22


def slow_holm(p: pd.Series) -> pd.Series:
    ordered, held, floor = p.dropna().sort_values(), {}, 0.0
    for step, (name, value) in enumerate(ordered.items()):
        floor = max(floor, min(1.0, value * (len(ordered) - step)))
        held[name] = floor
    return pd.Series(held).reindex(p.index)


def test_the_correction_runs_over_the_whole_register_on_each_reading(verdicts):
    for rows in ROW_SETS:
        part = verdicts.table.xs(rows, level="rows")
        family = slow_holm(part["p_value"].fillna(1.0))
        np.testing.assert_allclose(part["p_holm"], family.where(part["p_value"].notna()))


def test_verdicts_follow_from_the_corrected_p(verdicts):
    for _, row in verdicts.table[verdicts.table["p_value"].notna()].iterrows():
        expected = {True: NOT_RULED_OUT, False: CHANCE}[row["statistic"] == "equivalence"]
        if row["p_value"] <= 0.05:
            expected = SUPPORTED if row["p_holm"] <= 0.05 else BEFORE_CORRECTION
        assert row["verdict"] == expected


def test_the_direction_is_that_of_the_statistic_behind_p(verdicts):
    row = verdicts["uncertain-days-lower"].loc["included"]
    test = verdicts.tests["uncertain-days-lower", "included"]["p_value"]
    assert row["estimate"] < 0 < test.statistic and row["direction"] == "up"
    for key, tests in verdicts.tests.items():
        said, test = verdicts.table.loc[key, "direction"], tests.get("p_value")
        if test is None or verdicts.table.loc[key, "statistic"] in ("equivalence", "variance"):
            assert said == ""
        else:
            assert said == ("up" if test.statistic > 0 else "down")


def test_a_mean_return_that_points_elsewhere_than_z_is_named_in_the_notes(verdicts):
    table = verdicts.table.xs("included", level="rows")
    sided = table[table["statistic"].isin(["mean", "difference"]) & (table["direction"] != "")]
    up = sided["direction"] == "up"
    opposed = sided[up != (sided["estimate"] > 0)]
    assert list(opposed.index) == ["uncertain-days-lower"]
    text = str(verdicts.summary())
    for claim in sided["claim"]:
        assert (f"“{claim}” points" in text) == (claim in set(opposed["claim"]))


@pytest.mark.parametrize(
    ("direction", "p", "expected"),
    [
        ("down", 0.01, SUPPORTED),
        ("up", 0.01, "contradicted"),
        ("up", 0.04, "contradicted, only before correction"),
        ("down", 0.04, BEFORE_CORRECTION),
        ("up", 0.5, CHANCE),
    ],
)
def test_a_statistic_on_the_other_side_contradicts_whatever_the_mean_return(direction, p, expected):
    facts = {"p_value": p, "p_holm": p if p < 0.02 else 1.0, "side": "less", "statistic": "mean"}
    estimate = -0.01 if direction == "up" else 0.01
    row = pd.Series(facts | {"direction": direction, "estimate": estimate})
    assert _verdict(row, None) == expected


def test_notes_say_what_intervals_and_p_are_of(verdicts):
    text = str(verdicts.summary())
    assert "intervals are of returns, p of means and differences is of z" in text
    assert "of “no trace” it is the larger of two one-sided p" in text
    assert "every p" not in text


def test_there_is_nothing_to_undo_where_nothing_was_found(verdicts):
    table = verdicts.table
    found = table["verdict"].isin([SUPPORTED, BEFORE_CORRECTION])
    assert table.loc[~found, "undone_by_one"].isna().all()


def test_the_same_seed_gives_the_same_table(verdicts):
    again = evaluate_register(load_register(), returns=index_returns())
    pd.testing.assert_frame_equal(again.table, verdicts.table)


# -- display -------------------------------------------------------------------------------------


def test_it_shows_every_claim_with_its_verdict(verdicts):
    text = repr(verdicts.summary())
    for claim in load_register()["claim"]:
        assert claim in text
    assert "chosen after the events" in text and "19 hypotheses" in text
    assert "<table" in verdicts._repr_html_()
    assert repr(verdicts).startswith("Verdicts on 19 hypotheses:")


def test_csv_and_latex_hold_the_verdicts(verdicts, tmp_path):
    rows = list(csv.DictReader(io.StringIO(verdicts.to_csv())))
    assert len(rows) == len(verdicts.table) and {row["rows"] for row in rows} == set(ROW_SETS)
    held = [float(row["p_value"]) if row["p_value"] else np.nan for row in rows]
    np.testing.assert_allclose(held, verdicts.table["p_value"], rtol=1e-9)
    assert {row["signature"] for row in rows} == {verdicts.signature}
    assert verdicts.to_csv(tmp_path / "verdicts.csv") is None
    assert "\\toprule" in verdicts.to_latex()
    pd.testing.assert_frame_equal(verdicts.to_frame(), verdicts.table)
    with pytest.raises(HypothesisError, match="rows='some' is not known: use 'included', 'all'"):
        verdicts.summary("some")


def test_it_signs_itself_with_prices_catalogue_and_register(verdicts):
    for name in ("sp500.csv", "events.csv", "hypotheses.csv"):
        digest = hashlib.sha256((DATA / name).read_bytes()).hexdigest()[:12]
        assert digest in verdicts.signature


def test_announcements_without_a_session_are_named_under_the_table(verdicts):
    assert {"smoot-hawley-signed-1930", "baseline-10-effective"} <= set(verdicts.dropped["event"])
    assert f"Left out: {len(verdicts.dropped)}" in str(verdicts.summary())


def test_data_and_paths_are_where_they_are_thought_to_be():
    assert data_path("hypotheses.csv") == DATA / "hypotheses.csv"
    assert Path(hypotheses.__file__).parent == ROOT / "impact" / "hypotheses"
