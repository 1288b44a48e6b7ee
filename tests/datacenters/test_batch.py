"""Batch jobs: nothing is lost, however the run is cut; held jobs wait, and not for ever."""

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.streams import Streams
from cosim.testing import check_component
from datacenters.batch import Batch, BatchParams, Hold, Job, JobClass, Release

KIND = {"arrivals_per_h": 30.0, "size_median_gpu": 100.0, "duration_median_h": 0.5, "duration_most_h": 3.0}


def made(gpus=1000.0, seed=2, warm_up_h=6.0, **kind):
    pool = Batch([BatchParams(gpus_count=gpus, classes=(JobClass(**{**KIND, **kind}),), warm_up_h=warm_up_h)])
    pool.reset(Context(streams=Streams(seed), names=("pool",)))
    return pool


def played(pool, dt_s, until_s, from_s=0.0):
    times = from_s + dt_s * np.arange(round((until_s - from_s) / dt_s))
    rows = [pool.step(t, dt_s, {}) for t in times]
    return {name: np.array([row[name][0] for row in rows]) for name in rows[0]}


def test_the_contract_holds():
    kinds = [JobClass(**{**KIND, "arrivals_per_h": rate}) for rate in (1e-9, 0.0)]
    pools = [BatchParams(gpus_count=1000.0, classes=(kind,)) for kind in kinds]
    assert list(check_component(Batch, pools, dt_s=60.0)) == []


def test_means_do_not_depend_on_how_the_run_is_cut():
    fine, coarse = (played(made(declines_pu=0.5), dt_s, 7200.0) for dt_s in (7.5, 900.0))
    for name in ("work_gpu", "arriving_gpu"):
        assert fine[name].mean() == pytest.approx(coarse[name].mean(), rel=1e-9)
    assert fine["backlog_gpu_h"][-1] == pytest.approx(coarse["backlog_gpu_h"][-1], rel=1e-9)


def test_all_work_that_comes_is_done_or_still_there():
    pool = made(declines_pu=0.5)
    before = pool.step(0.0, 60.0, {})["backlog_gpu_h"][0]
    out = played(pool, 60.0, 36_000.0, from_s=60.0)
    flows = (out["arriving_gpu"] - out["work_gpu"]).sum() / 60.0
    assert out["backlog_gpu_h"][-1] - before == pytest.approx(flows, rel=1e-9, abs=1e-6)
    assert (out["reserved_gpu"] <= 1000.0 + 1e-6).all()
    assert (out["work_gpu"] <= out["reserved_gpu"].max()).all()


def test_a_pool_with_room_does_what_comes_on_average():
    out = played(made(gpus=1e5, size_sigma_pu=0.3, duration_sigma_pu=0.3, warm_up_h=20.0), 600.0, 864_000.0)
    size, hours = 100.0 * np.exp(0.045), 0.5 * np.exp(0.045)  # means of lognormal variables
    ramps_h = 60.0 / 3600.0  # half a start-up and half an end
    expected = 30.0 * size * 0.7 * (hours - ramps_h)
    assert out["work_gpu"].mean() == pytest.approx(expected, rel=0.03)  # 7,200 jobs: 1 % of chance


def test_held_jobs_wait_until_released_or_until_they_may_not():
    kind = {"may_wait_h": 2.0, "duration_median_h": 0.1, "duration_sigma_pu": 0.1}
    pool = made(gpus=1e5, **kind)
    pool.command(0.0, 0, "hold", Hold())
    first = played(pool, 60.0, 7000.0)
    assert first["running_count"][-1] == 0.0
    assert first["waiting_count"][-1] > 30.0
    later = played(pool, 60.0, 10_800.0, from_s=6960.0)
    assert later["work_gpu"][-1] > 0.0  # those of the first hour may wait no longer
    assert later["late_count"][-1] == 0.0
    pool.command(10_800.0, 0, "release", Release())
    assert played(pool, 60.0, 10_860.0, from_s=10_800.0)["waiting_count"][-1] == 0.0


def test_a_job_that_declines_does_two_thirds_of_its_decline():
    job = Job(0.0, 10.0, 1000.0, 8.0, 100.0, 300.0, 0.0, 0.0)
    assert job.done_gpu_s(1e9) == pytest.approx(8.0 * (50.0 + 600.0 + 200.0))
    assert job.done_gpu_s(50.0) == pytest.approx(8.0 * 12.5)


def test_jobs_wider_than_the_pool_are_refused_with_their_numbers():
    with pytest.raises(ValidationError, match="size_median_gpu=100 is more than gpus_count=50"):
        BatchParams(gpus_count=50.0, classes=(JobClass(**KIND),))
