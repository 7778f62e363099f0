"""Long work moves to a Dask cluster unchanged: the same answer as one process gives."""

from functools import partial

import distributed
import joblib
import numpy as np
import pandas as pd
import pytest

import calibration
from calibration import panels
from impact.analysis.specification import specification_curve
from impact.study.event_study import event_study


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def cluster(request):
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=request.param,
            dashboard_address=None,
            host="127.0.0.1",
            protocol="tcp://",
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


def steps(cluster):
    """How many steps the tasks of a cluster have gone so far: none more if it was not used."""
    return cluster.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)


def test_a_specification_curve_is_the_same_on_a_cluster(cluster):
    days = pd.bdate_range("2020-01-01", periods=600)
    returns = pd.Series(0.01 * np.random.default_rng(5).standard_t(5, 600), days)
    options = {"lengths": (120,), "gaps": (10,), "variances": ("constant", "ewma"), "shifts": 99}
    alone = specification_curve(returns, days[300:560:26], rng=1, **options)
    before = steps(cluster)
    with joblib.parallel_config("dask"):
        spread = specification_curve(returns, days[300:560:26], rng=1, **options)
    pd.testing.assert_frame_equal(spread.table, alone.table)
    pd.testing.assert_series_equal(spread.joint, alone.joint)
    assert steps(cluster) > before


def test_the_forecasts_of_a_panel_are_the_same_on_a_cluster(cluster):
    days = pd.bdate_range("2020-01-01", periods=600)
    draws = 0.01 * np.random.default_rng(6).standard_t(5, (600, 3))
    returns = pd.DataFrame(draws, days, ["A", "B", "C"])
    studies = [event_study(returns, days[[400, 550]], volatility="ewma") for _ in range(2)]
    alone = studies[0].car(0, conditional=True)
    before = steps(cluster)
    with joblib.parallel_config("dask"):
        spread = studies[1].car(0, conditional=True)
    pd.testing.assert_frame_equal(spread, alone)
    assert steps(cluster) > before


def test_the_calibration_is_the_same_on_a_cluster(cluster):
    jobs = [
        partial(panels.panel_draws, design, 1.0, range(at, at + 2), seed=3)
        for design in panels.DESIGNS
        for at in (0, 2)
    ]
    alone = calibration._run(jobs, "panels", n_jobs=1)
    before = steps(cluster)
    with joblib.parallel_config("dask"):
        spread = calibration._run(jobs, "panels", n_jobs=-1)
    assert len(alone) == len(spread)
    for one, other in zip(alone, spread, strict=True):
        np.testing.assert_array_equal(other, one)
    assert steps(cluster) > before
