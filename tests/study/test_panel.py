"""The panel engine on random panels, against slow loops, statsmodels and models of one's own."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from panels import MODELS, PANELS, reference_study
from slow_event_study import SlowStudy
from statistics_by_name import BESIDES, OURS, SLOW, slow

import impact.estimation.pairs
import impact.inference as tests
from impact.errors import HistoryError, InferenceError, ModelError
from impact.study.event_study import event_study

WORDS = {ours: theirs for theirs, ours in MODELS.items()}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A random panel, its events and what the engine is asked."""

    returns: pd.DataFrame
    market: pd.Series
    events: pd.DataFrame
    pairs: list
    model: str
    estimation: tuple
    window: tuple
    min_observations: int
    exclude: bool

    def study(self):
        return event_study(
            self.returns,
            self.events,
            model=self.model,
            volatility=None,
            kind="simple",
            benchmark=None if self.model == "constant-mean" else self.market,
            estimation=self.estimation,
            window=self.window,
            min_observations=self.min_observations,
            exclude_neighbours=self.exclude,
        )

    def slow(self):
        """The usable pairs in loops, in the order of the engine, with their keys; the others."""
        named, places, kept, lost = {}, [], [], []
        for event, security, row in self.pairs:
            values = self.returns[security].tolist()
            if self.exclude:
                for _, other, at in self.pairs:
                    for t in (at, at + 1):
                        if other == security and t - row <= self.estimation[1]:
                            values[t] = math.nan
            past = values[row + self.estimation[0] : row + self.estimation[1] + 1]
            ahead = values[row + self.window[0] : row + self.window[1] + 1]
            enough = sum(not math.isnan(v) for v in past) >= self.min_observations
            if enough and not all(map(math.isnan, ahead)):
                named[event, security] = values
                places.append(((event, security), row))
                kept.append((event, security))
            else:
                lost.append((event, security))
        return (
            kept,
            lost,
            lambda: SlowStudy(
                named, self.market.tolist(), places, WORDS[self.model], self.estimation, self.window
            ),
        )


@st.composite
def panels(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, length = draw(st.integers(3, 7)), draw(st.integers(14, 30))
    before, after, gap = (draw(st.integers(0, 3)) for _ in range(3))
    size = 120
    sessions = pd.bdate_range("2020-01-01", periods=size)
    market = pd.Series(0.01 * rng.standard_normal(size), sessions)
    values = 0.02 * rng.standard_t(5, (size, count)) + np.outer(market, rng.uniform(0, 2, count))
    values[rng.random((size, count)) < draw(st.sampled_from([0.0, 0.05, 0.25]))] = np.nan
    names = [f"S{i}" for i in range(count)]
    first, last = length + gap + before, size - after - 2
    common = rng.choice(np.arange(first, last), draw(st.integers(0, 2)), replace=False)
    cells = {
        (int(rng.integers(first, last)), names[rng.integers(count)])
        for _ in range(draw(st.integers(0 if len(common) else 4, 9)))
    }
    cells = [cell for cell in sorted(cells) if cell[0] not in common]
    pairs = [(f"c{row}", name, int(row)) for row in common for name in names]
    pairs += [(f"f{row} {name}", name, row) for row, name in cells]
    rows = [(f"c{row}", sessions[row], "") for row in common]
    rows += [(f"f{row} {name}", sessions[row], name) for row, name in cells]
    return Drawn(
        pd.DataFrame(values, sessions, names),
        market,
        pd.DataFrame(rows, columns=["id", "session", "security"]),
        pairs,
        draw(st.sampled_from(list(WORDS))),
        (-length - gap - before, -gap - before - 1),
        (-before, after),
        draw(st.integers(8, length)),
        draw(st.booleans()),
    )


def close(found, expected):
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def same_or_refused(ours, theirs):
    """Both give the same number, or the loops have none and ours is refused in words."""
    try:
        expected = theirs()
    except (ValueError, ZeroDivisionError):
        with pytest.raises(InferenceError):
            ours()
        return
    close(ours().statistic, expected)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(panels(), st.data())
def test_random_panels_agree_with_slow_loops(drawn, data):
    kept, lost, loops = drawn.slow()
    if not kept:
        with pytest.raises(HistoryError, match="min_observations"):
            drawn.study()
        return
    study, loops = drawn.study(), loops()
    found = list(study.abnormal.index)
    assert sorted(found) == sorted(kept)
    assert sorted(zip(study.dropped["event"], study.dropped["security"], strict=True)) == sorted(
        lost
    )
    start = data.draw(st.integers(*drawn.window))
    window = (start, data.draw(st.integers(start, drawn.window[1])))
    sample = study.over(*window)
    for pair in loops.pairs:
        i = found.index(pair.name)
        assert (sample.n_estimation[i], sample.dof[i]) == (pair.L, pair.dof)
        assert sample.days[i] == len(pair.days(window))
        close(study.fit.iloc[i].iloc[: len(pair.parameters)].to_numpy(), pair.parameters)
        close(sample.s[i], pair.s)
        if sample.days[i]:
            close(
                [sample.c[i], sample.car[i], sample.scar[i]],
                [pair.c(window), pair.car(window), pair.scar(window)],
            )
    assume(len(loops.here(window)) >= 3)
    for name, (test, options, _) in OURS.items():
        if name in SLOW and not name.endswith("calendar"):
            same_or_refused(
                lambda t=test, o=options: t(study, *window, **o),
                lambda n=name: SLOW[n](loops, window),
            )
    for test, options, theirs in BESIDES.values():
        same_or_refused(
            lambda t=test, o=options: t(study, *window, **o), lambda f=theirs: f(loops, window)
        )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_options_that_the_file_does_not_hold_agree_with_slow_loops(name, model):
    study, loops = reference_study(name, model), slow(name, model)
    for window in [(0, 0), (-5, 5), (0, 1)]:
        for test, options, theirs in BESIDES.values():
            close(test(study, *window, **options).statistic, theirs(loops, window))


# -- regressions with one dummy a session --------------------------------------------------------


def small_panel(seed, count=4, size=160, missing=0.05):
    rng = np.random.default_rng(seed)
    sessions = pd.bdate_range("2021-01-01", periods=size)
    factors = pd.DataFrame(
        0.01 * rng.standard_normal((size, 3)), sessions, ["market", "small", "value"]
    )
    noise = 0.015 * rng.standard_normal((size, count))
    values = noise + factors.to_numpy() @ rng.uniform(-1, 2, (3, count))
    values[rng.random(values.shape) < missing] = np.nan
    columns = [f"S{i}" for i in range(count)]
    free = pd.Series(0.0001 + 0.0001 * rng.random(size), sessions, name="free")
    return pd.DataFrame(values, sessions, columns), factors, free


CASES = {
    "constant-mean": ({"model": "constant-mean"}, lambda f, free: f[[]], False),
    "market": ({"model": "market", "benchmark": "market"}, lambda f, free: f[["market"]], False),
    "excess market": (
        {"model": "market", "benchmark": "market", "risk_free": "free"},
        lambda f, free: f[["market"]].sub(free, axis=0),
        True,
    ),
    "three factors": ({"model": "factors", "factors": "all"}, lambda f, free: f, False),
    "excess factors": (
        {"model": "factors", "factors": "all", "risk_free": "free"},
        lambda f, free: f,
        True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_t_of_a_car_is_that_of_a_regression_with_one_dummy_per_session(case):
    returns, factors, free = small_panel(3)
    options, regressors, excess = CASES[case]
    given_data = {"market": factors["market"], "all": factors, "free": free}
    options = {
        name: given_data.get(value, value) if name != "model" else value
        for name, value in options.items()
    }
    rows = [90, 120, 121]
    study = event_study(
        returns,
        pd.DataFrame({"session": returns.index[rows]}),
        estimation=(-80, -6),
        window=(-3, 4),
        min_observations=40,
        volatility=None,
        kind="simple",
        **options,
    )
    car, x = study.car(-1, 3), regressors(factors, free)
    assert len(car) == 12
    for (event, name), row in car.iterrows():
        at = returns.index.get_loc(pd.Timestamp(event))
        use = [*range(at - 80, at - 5), *range(at - 1, at + 4)]
        y = (returns[name] - (free if excess else 0.0)).iloc[use]
        dummies = np.vstack([np.zeros((75, 5)), np.eye(5)])
        design = np.column_stack([np.ones(80), x.iloc[use].to_numpy(), dummies])[y.notna()]
        there = y.notna().to_numpy()[75:]
        weights = np.zeros(design.shape[1])
        weights[-5:] = there
        keep = np.r_[np.ones(design.shape[1] - 5, bool), there]
        found = sm.OLS(y.dropna().to_numpy(), design[:, keep]).fit().t_test(weights[keep])
        assert row["dof"] == found.df_denom
        close(
            [row["estimate"], row["std_error"], row["statistic"], row["p_textbook"]],
            [found.effect.item(), found.sd.item(), found.tvalue.item(), found.pvalue.item()],
        )


@pytest.mark.parametrize("excess", [False, True])
def test_factor_parameters_are_those_of_statsmodels(excess):
    returns, factors, free = small_panel(5)
    study = event_study(
        returns,
        pd.DataFrame({"session": returns.index[[100]]}),
        model="factors",
        factors=factors,
        risk_free=free if excess else None,
        estimation=(-90, -6),
        window=(-3, 3),
        min_observations=40,
        volatility=None,
        kind="simple",
    )
    for (_, name), row in study.fit.iterrows():
        y = (returns[name] - (free if excess else 0.0)).iloc[10:95]
        found = sm.OLS(y, sm.add_constant(factors.iloc[10:95]), missing="drop").fit()
        close(row[["alpha", "market", "small", "value"]].to_numpy(float), found.params.to_numpy())
        close(row["residual_variance"], found.mse_resid)
        assert (row["dof"], row["observations"]) == (found.df_resid, found.nobs)


# -- a model of one's own ------------------------------------------------------------------------


class OwnMarketModel:
    """Least squares on a constant and the regressors, through statsmodels."""

    def __init__(self):
        self.lengths = []

    def fit(self, returns, regressors):
        self.lengths.append(len(returns))
        return OwnFit(sm.OLS(returns, self.design(regressors)).fit())

    @staticmethod
    def design(regressors):
        return np.column_stack([np.ones(len(regressors)), regressors])


@dataclasses.dataclass
class OwnFit:
    found: object

    @property
    def dof(self):
        return int(self.found.df_resid)

    def predict(self, regressors):
        return self.found.predict(OwnMarketModel.design(regressors))

    def prediction_covariance(self, regressors):
        x = OwnMarketModel.design(regressors)
        return self.found.mse_resid * np.eye(len(x)) + x @ self.found.cov_params() @ x.T


def study_of_one_day(model):
    returns, factors, _ = small_panel(7, missing=0.1)
    return event_study(
        returns,
        pd.DataFrame({"session": returns.index[[120]]}),
        model=model,
        factors=factors[["market"]],
        estimation=(-80, -6),
        min_observations=40,
        volatility=None,
    )


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        (lambda one: 3, r"fit\(\) of the model returned a int: it must have dof, predict"),
        (lambda one: None, "returned a NoneType"),
        (lambda one: one.found, "returned a RegressionResultsWrapper: it must have dof"),
    ],
)
def test_a_model_of_ones_own_that_fits_nothing_is_told(fitted, message):
    class Wrong(OwnMarketModel):
        def fit(self, returns, regressors):
            return fitted(super().fit(returns, regressors))

    with pytest.raises(ModelError, match=message):
        study_of_one_day(Wrong())


def test_a_prediction_of_another_length_is_told(monkeypatch):
    monkeypatch.setattr(OwnFit, "predict", lambda self, regressors: np.zeros(3))
    with pytest.raises(
        ModelError, match=r"predict\(\) of the model gives \(3,\) for \d\d rows: give \(\d\d,\)"
    ):
        study_of_one_day(OwnMarketModel())


def test_a_model_of_ones_own_that_does_the_same_gives_the_same():
    returns, factors, _ = small_panel(7, missing=0.1)
    options = {
        "estimation": (-80, -6),
        "window": (-3, 3),
        "min_observations": 40,
        "volatility": None,
        "kind": "simple",
        "exclude_neighbours": True,
    }
    events = pd.DataFrame({"session": returns.index[[90, 120]]})
    own = event_study(
        returns, events, model=OwnMarketModel(), factors=factors[["market"]], **options
    )
    built_in = event_study(returns, events, model="market", benchmark=factors["market"], **options)
    assert own.layout.name == "OwnMarketModel"
    for mine, theirs in [
        (own.abnormal, built_in.abnormal),
        (own.std_error, built_in.std_error),
        (own.residuals, built_in.residuals),
        (
            own.car(-3, 3).drop(columns="announcements"),
            built_in.car(-3, 3).drop(columns="announcements"),
        ),
    ]:
        pd.testing.assert_frame_equal(mine, theirs, rtol=1e-9, atol=1e-14)
    for test in (tests.patell, tests.bmp, tests.kp_bmp, tests.grank_t, tests.corrado):
        close(test(own, 0, 2).statistic, test(built_in, 0, 2).statistic)


def test_a_model_of_ones_own_is_not_asked_to_fit_too_few_returns():
    returns, factors, _ = small_panel(8, missing=0.0)
    returns.iloc[:88, 0] = np.nan
    model = OwnMarketModel()
    study = event_study(
        returns,
        pd.DataFrame({"session": returns.index[[90]]}),
        model=model,
        factors=factors[["market"]],
        estimation=(-80, -6),
        window=(-1, 1),
        min_observations=40,
        volatility=None,
        kind="simple",
    )
    assert study.dropped["security"].tolist() == ["S0"]
    assert study.dropped["reason"].item().startswith("0 returns in the estimation window")
    assert set(model.lengths) == {75}


# -- chunks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_small_chunks_give_the_same(name, model, monkeypatch):
    whole = reference_study(name, model)
    expected = [whole.residuals, tests.kp_bmp(whole, 0, 3), tests.grank_t(whole, 0, 3)]
    monkeypatch.setattr(impact.estimation.pairs, "CHUNK_NUMBERS", 650)
    small = reference_study.__wrapped__(name, model)
    pd.testing.assert_frame_equal(small.abnormal, whole.abnormal, rtol=1e-12, atol=1e-16)
    pd.testing.assert_frame_equal(small.fit, whole.fit, rtol=1e-12, atol=1e-16)
    pd.testing.assert_frame_equal(small.residuals, expected[0], rtol=1e-12, atol=1e-16)
    close(tests.kp_bmp(small, 0, 3).statistic, expected[1].statistic)
    close(tests.grank_t(small, 0, 3).statistic, expected[2].statistic)
