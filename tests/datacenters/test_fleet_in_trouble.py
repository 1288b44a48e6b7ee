"""Fleets where several things go wrong at once, and what waits for leave, room or its turn."""

from typing import Any

import numpy as np
import pytest
from made_fleet import Run, one_job

from cosim.core.errors import ScenarioError
from datacenters.fleet import FleetParams
from datacenters.kernels import jobs as k
from datacenters.service_params import ServiceParams
from datacenters.site import Fail, MoveJobs, Recover
from datacenters.traces import convert_trace
from datacenters.workload import Population


def equal_jobs(count: int, **changes: Any) -> Population:
    """Return jobs of one accelerator for two hours that come at once and load in no time."""
    job = {
        "name": "b", "jobs_count": count, "gpus_median_gpu": 1.0, "gpus_sigma_pu": 0.0,
        "duration_median_h": 2.0, "duration_sigma_pu": 0.0, "busy_pu": 1.0, "load_s": 0.0,
        "checkpoint_every_s": None,
    }  # fmt: skip
    return Population(**{**job, **changes})


def test_a_ramp_holds_while_jobs_load_and_draw_less() -> None:
    jobs = equal_jobs(200, gpus_median_gpu=1000.0, load_s=60.0)
    run = Run(FleetParams(jobs=(jobs,), jobs_over_h=1e-6), (300_000.0,), ramp_mw_per_min=10.0)
    run.go(600.0)
    power_mw = np.array([row["work_gpu"][0] * 1e-3 for row in run.rows])
    assert (power_mw[60:] - power_mw[:-60]).max() <= 10.0 + 1.0 + 1e-9  # one job is 1 MW
    assert power_mw[-1] > 80.0


def test_a_service_that_swings_does_not_use_up_the_ramp_of_jobs() -> None:
    chat = ServiceParams(
        name="c", users="hefei", mean_gpu=20_000.0, latency_bound_ms=20.0, requests="conversation"
    )
    jobs = equal_jobs(60, gpus_median_gpu=1000.0)
    fleet = FleetParams(services=(chat,), jobs=(jobs,), jobs_over_h=1e-6)
    run = Run(fleet, (300_000.0,), ramp_mw_per_min=10.0)
    assert run.go(500.0)["job_gpu"][0] == pytest.approx(60_000.0)


def test_small_jobs_do_not_take_the_ramp_a_large_one_saves_for(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    rows = ["large,0,20000,7200,1,0,0", *(f"s{i},0,1000,7200,1,0,0" for i in range(60))]
    file.write_text(
        "job,arrival_s,gpus_count,duration_s,busy_pu,load_s,checkpoint_every_s\n" + "\n".join(rows)
    )
    run = Run(FleetParams(jobs_file=str(file)), (100_000.0,), ramp_mw_per_min=10.0)
    run.go(600.0)
    f = run.sites.fleet
    assert f.life.begin_s[0] == pytest.approx(120.0, abs=2.0)  # 20 MW at 10 MW/min
    assert f.pool.used_gpu[0] == 80_000.0


@pytest.mark.parametrize("why", ["lost", "full"])
def test_jobs_whose_only_site_takes_none_do_not_keep_others_from_free_ones(why: str) -> None:
    jobs = (
        equal_jobs(350, only_at=("hefei",), home="hefei"),
        equal_jobs(10, only_at=("huaibei",), name="other"),
    )
    run = Run(FleetParams(jobs=jobs, jobs_over_h=1e-6), (100.0, 100.0))
    if why == "lost":
        run.sites.command(0.0, 0, "fail", Fail())
    assert list(run.go(60.0)["running_count"]) == [0.0 if why == "lost" else 100.0, 10.0]


def test_a_site_is_back_when_neither_its_hall_is_dark_nor_a_failure_lasts() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(10.0)
    run.go(20.0, capacity_gpu=[0, 1e12])
    run.sites.command(20.0, 0, "fail", Fail(for_s=10.0))
    assert run.go(60.0, capacity_gpu=[0, 1e12])["running_count"][0] == 0.0
    run.sites.command(60.0, 0, "recover", Recover())
    assert run.go(70.0, capacity_gpu=[0, 1e12])["running_count"][0] == 0.0
    run.sites.command(70.0, 0, "fail", Fail(for_s=100.0))
    assert run.go(160.0)["running_count"][0] == 0.0
    assert run.go(180.0)["running_count"][0] == 1.0


def test_a_lost_site_runs_nothing_twice() -> None:
    chat = ServiceParams(name="chat", users="hefei", mean_gpu=50.0, latency_bound_ms=20.0)
    run = Run(FleetParams(services=(chat,)), (100.0, 60.0))
    run.go(10.0)
    run.sites.command(10.0, 0, "fail", Fail())
    assert run.go(11.0)["work_gpu"][0] == 0.0


def test_a_copy_is_not_given_up_in_the_tick_it_sets_out() -> None:
    run = Run(one_job().model_copy(update={"tick_s": 60.0, "patience_s": 30.0}), (200.0, 200.0))
    run.go(1200.0, 60.0)
    run.sites.command(run.t_s, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0))
    run.go(1800.0, 60.0)
    assert run.sites.fleet.life.site[0] == 1


def test_a_job_that_waits_for_a_good_hour_leaves_time_for_its_checkpoints(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text(
        "job,arrival_s,gpus_count,duration_s,busy_pu,load_s,checkpoint_every_s,checkpoint_s,deadline_s\n"
        "a,120,10,7200,1,0,600,60,14400\n"
    )
    fleet = FleetParams(jobs_file=str(file), policy="price", policy_settings={"waits_share_pu": 0.1})
    run = Run(fleet, (100.0,))
    run.go(60.0, 60.0, price_cny_per_mwh=[200])
    run.go(15000.0, 60.0, price_cny_per_mwh=[500])
    life = run.sites.fleet.life
    assert life.begin_s[0] > 3600.0
    assert life.end_s[0] <= 14400.0


def test_a_throttled_hall_does_no_more_than_it_can() -> None:
    chat = ServiceParams(name="chat", users="hefei", mean_gpu=10.0, latency_bound_ms=20.0)
    run = Run(FleetParams(services=(chat,), jobs=(equal_jobs(40),), jobs_over_h=1e-6), (100.0,))
    run.go(60.0)
    out = run.go(70.0, capacity_gpu=[25.0])
    assert out["service_gpu"][0] == pytest.approx(10.0)  # answers go first
    assert out["work_gpu"][0] == pytest.approx(25.0)


def test_each_failure_tells_what_it_cost() -> None:
    run = Run(one_job(), (200.0, 200.0))
    for t_s in (500.0, 600.0):
        run.go(t_s)
        run.sites.command(t_s, 0, "fail", Fail(for_s=10.0))
    lost_gpu_h = [float(text.split(": ")[1].split(" GPU h")[0]) for text in run.told("job_failed")]
    assert sum(lost_gpu_h) * 3600.0 == pytest.approx(run.books()["lost_gpu_s"], rel=1e-3)
    assert lost_gpu_h[1] < lost_gpu_h[0]


def test_files_may_have_gaps_but_no_words_nobody_knows(tmp_path: Any) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({
        "job": ["a", "b"], "arrival_s": [0, 1], "gpus_count": [1, 1], "duration_s": [1, 1],
        "home": ["hefei", None], "deadline_s": [None, 5.0], "movable": [False, None],
    })  # fmt: skip
    frame.to_parquet(tmp_path / "gaps.parquet")
    jobs = Run(FleetParams(jobs_file=str(tmp_path / "gaps.parquet")), (10.0,)).sites.fleet.jobs
    assert list(jobs.home) == [0, k.NOWHERE]
    assert list(jobs.movable) == [False, True]
    assert list(jobs.deadline_s) == [np.inf, 5.0]
    frame.assign(movable="perhaps").to_csv(tmp_path / "words.csv", index=False)
    with pytest.raises(ScenarioError, match="row 2, column movable: 'perhaps' is unknown"):
        Run(FleetParams(jobs_file=str(tmp_path / "words.csv")), (10.0,))


def test_tasks_of_many_instances_keep_all_their_accelerators_and_gaps_are_left_out(tmp_path: Any) -> None:
    pd = pytest.importorskip("pandas")
    trace, made = tmp_path / "pai_task_table.csv", tmp_path / "jobs.csv"
    trace.write_text(
        "job_name,inst_num,start_time,end_time,plan_gpu\nj,4,10,20,100\nk,1,11,,50\nl,1,12,20,\nm,1,13,20,50\n"
    )
    assert convert_trace(trace, "alibaba_gpu_2020", made) == 2
    assert list(pd.read_csv(made)["gpus_count"]) == [4.0, 1.0]
