"""Long work moves to a Dask cluster unchanged: the same answer as one process gives."""

import distributed
import joblib
import numpy as np
import pandas as pd
import pytest

from impact.analysis.specification import specification_curve


@pytest.fixture
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            host="127.0.0.1",
            protocol="tcp://",
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


def test_a_specification_curve_is_the_same_on_a_cluster(cluster):
    days = pd.bdate_range("2020-01-01", periods=600)
    returns = pd.Series(0.01 * np.random.default_rng(5).standard_t(5, 600), days)
    options = {"lengths": (120,), "gaps": (10,), "variances": ("constant", "ewma"), "shifts": 99}
    alone = specification_curve(returns, days[300:560:26], rng=1, **options)
    with joblib.parallel_config("dask"):
        spread = specification_curve(returns, days[300:560:26], rng=1, **options)
    pd.testing.assert_frame_equal(spread.table, alone.table)
    pd.testing.assert_series_equal(spread.joint, alone.joint)
    ran = cluster.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.task_prefixes))
    assert ran > 0
