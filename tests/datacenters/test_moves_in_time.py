"""Orders to move with a time they must keep, limits that not every job can follow, and what is told of it."""

from typing import Any

import numpy as np
import pytest
from made_fleet import Run, one_job

from datacenters.fleet import FleetParams
from datacenters.kernels import jobs as k
from datacenters.network import NetworkParams, RouteParams
from datacenters.site import Cut, Fail, LimitJobs, MoveJobs

HEAD = "job,arrival_s,gpus_count,duration_s,busy_pu,load_s,checkpoint_every_s,checkpoint_s,state_gb"


def fleet_of(tmp_path: Any, *rows: str, more: str = "", **fleet: Any) -> FleetParams:
    """Return a fleet with jobs of a file and 100 Gbit/s between hefei and huaibei."""
    file = tmp_path / "jobs.csv"
    file.write_text(f"{HEAD}{more}\n" + "\n".join(rows) + "\n")
    network = NetworkParams(routes=(RouteParams(between=("hefei", "huaibei"), bandwidth_gbit_per_s=100.0),))
    return FleetParams(jobs_file=str(file), network=network, **fleet)


def arrivals(run: Run) -> list[float]:
    return [t for t, _, kind, _ in run.events if kind == "job_moved"]


def test_what_has_not_arrived_in_time_goes_on_where_it_was() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1000.0)
    run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=140.0))
    run.go(1050.0)
    run.sites.command(1050.0, 0, "cut", Cut(to="huaibei", for_s=40.0))  # back before patience ends
    run.go(1300.0)
    assert run.sites.fleet.life.site[0] == 0
    assert run.told("job_expired") == ["job 0 cannot be at huaibei in the time the order gives"]
    (told,) = run.told("move_short")
    assert told == (
        "jobs of 0 accelerators have come from hefei to huaibei, 100 less than ordered; "
        "100 set out and came back; what is left would not be there in time"
    )
    assert run.rows[-1]["came_count"].sum() == 0.0
    assert run.sites.fleet.pool.used_gpu[1] == 0.0


def test_jobs_held_up_by_a_ramp_do_not_set_out_when_they_cannot_arrive(tmp_path: Any) -> None:
    rows = [f"j{i},0,1000,7200,1,30,0,10,1,hefei" for i in range(6)]
    run = Run(fleet_of(tmp_path, *rows, more=",home"), (10_000.0, 10_000.0), ramp_mw_per_min=1.0)
    run.go(500.0)
    run.sites.command(500.0, 0, "move", MoveJobs(to="huaibei", gpus_count=3000.0, over_s=110.0))
    run.go(800.0)
    came = arrivals(run)
    assert len(came) == 2  # one a minute, and 45 s to save, copy and load
    assert max(came) <= 610.0
    assert not run.told("job_expired")
    (told,) = run.told("move_short")
    assert "jobs of 2000 accelerators have come from hefei to huaibei, 1000 less than ordered" in told
    assert "would not be there in time" in told


def test_an_order_waits_behind_what_is_under_way_on_its_line(tmp_path: Any) -> None:
    rows = [f"j{i},0,10,7200,1,0,0,0,500" for i in range(3)]  # 40 s each on the line
    run = Run(fleet_of(tmp_path, *rows), (100.0, 100.0))
    run.go(60.0)
    held = run.sites.fleet.roster.held_gpu(0)
    run.sites.command(60.0, 0, "move", MoveJobs(to="huaibei", gpus_count=held, over_s=200.0))
    run.go(70.0)
    assert run.told("refused") == []
    run.sites.command(70.0, 0, "move", MoveJobs(to="huaibei", gpus_count=10.0, over_s=50.0))
    assert "no running job" in run.told("refused")[0]  # all have left already
    run.go(400.0)
    assert max(arrivals(run)) <= 260.0
    (told,) = run.told("move_done")
    assert told == f"jobs of {held:g} accelerators have come from hefei to huaibei"


def test_an_order_outlives_a_cut_that_ends_in_time() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1000.0)
    run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=300.0))
    run.go(1005.0)
    run.sites.command(1005.0, 0, "cut", Cut(to="huaibei", for_s=100.0))  # longer than patience
    run.go(1400.0)
    assert len(run.told("job_leaves")) == 2
    (told,) = run.told("move_done")
    assert told == "jobs of 100 accelerators have come from hefei to huaibei; 100 set out and came back"
    assert max(arrivals(run)) <= 1300.0


def test_an_order_is_over_when_its_job_ends_while_it_is_copied_live() -> None:
    job = one_job(dirty_gbit_per_s=20.0, kind="batch", checkpoint_every_s=None, duration_median_h=0.2)
    run = Run(job, (200.0, 200.0))
    run.go(690.0)
    run.sites.command(690.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0))
    run.go(900.0)
    assert run.sites.fleet.life.state[0] == k.DONE
    assert run.sites.fleet.moves.open == []
    (told,) = run.told("move_done") + run.told("move_short")
    assert told.startswith("jobs of 0 accelerators have come from hefei to huaibei, 100 less than ordered")


def test_two_orders_between_the_same_sites_count_no_job_twice(tmp_path: Any) -> None:
    rows = [f"j{i},0,100,7200,1,30,0,10,1000,hefei" for i in range(2)]
    run = Run(fleet_of(tmp_path, *rows, more=",home"), (200.0, 100.0))
    run.go(1000.0)
    for over_s in (400.0, 140.0):
        run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=over_s))
    run.sites.fleet.moves.open.reverse()  # a job leaves for the second and does not arrive in its time
    run.go(1001.0)
    run.sites.fleet.moves.open.reverse()
    run.go(1050.0)
    run.sites.command(1050.0, 0, "cut", Cut(to="huaibei", for_s=40.0))
    run.go(1500.0)  # it leaves again, for the first
    assert len(arrivals(run)) == 1
    told = run.told("move_done") + run.told("move_short")
    assert sorted(text.split(" have")[0] for text in told) == [
        "jobs of 0 accelerators",
        "jobs of 100 accelerators",
    ]


def test_waiting_jobs_keep_their_order_when_a_site_is_lost(tmp_path: Any) -> None:
    rows = [f"j{i},{i},10,3600,1,0,0,0,0" for i in range(6)]
    run = Run(fleet_of(tmp_path, *rows), (60.0, 1.0))
    run.go(100.0)
    run.sites.command(100.0, 0, "fail", Fail(for_s=50.0))
    run.go(120.0)
    queue = run.sites.fleet.pool.queue[: run.sites.fleet.pool.tally[k.N_QUEUE]]
    assert list(queue) == [0, 1, 2, 3, 4, 5]


def test_a_limit_tells_which_jobs_it_could_not_save(tmp_path: Any) -> None:
    rows = ["fixed,0,40,3600,1,0,0,0,0,0", "free,0,40,3600,1,0,0,0,0,1", "new,50,20,3600,1,600,0,0,0,1"]
    run = Run(fleet_of(tmp_path, *rows, more=",movable"), (100.0, 1.0))
    run.go(60.0)
    run.sites.command(60.0, 0, "limit_jobs", LimitJobs(gpus_count=30.0))
    run.go(200.0)
    (told,) = run.told("not_shed")
    assert told.startswith("hefei holds 30 accelerators more than it may; not saved now: ")
    assert told.endswith("fixed (it may not be moved), new (it loads)")
    run.go(700.0)
    assert run.rows[-1]["reserved_gpu"][0] == 40.0  # the new one went once it ran


def test_a_job_far_from_its_data_starts_early_enough_to_fetch_them(tmp_path: Any) -> None:
    row = "a,120,10,3600,1,0,0,0,10000,14400,hefei"  # 10 TB at 100 Gbit/s: 800 s
    fleet = fleet_of(
        tmp_path, row, more=",deadline_s,home", policy="price", policy_settings={"waits_share_pu": 0.1}
    )
    run = Run(fleet, (1.0, 100.0, 1.0))  # only huaibei has room
    run.go(60.0, 60.0, price_cny_per_mwh=[200, 200, 200])
    run.go(15000.0, 60.0, price_cny_per_mwh=[500, 500, 500])
    life = run.sites.fleet.life
    assert life.begin_s[0] > 3600.0  # it waited for a better hour
    assert life.end_s[0] <= 14400.0


def test_jobs_whose_data_lie_nowhere_wait_at_all_sites_they_may_run_at(tmp_path: Any) -> None:
    rows = ["big,0,100,100,1,0,0,0,0", "next,1,100,100,1,0,0,0,0"]
    run = Run(fleet_of(tmp_path, *rows), (100.0, 100.0))
    run.sites.command(0.0, 0, "fail", Fail())
    run.sites.command(0.0, 1, "fail", Fail())
    out = run.go(10.0)
    assert list(out["waiting_count"]) == [1.0, 1.0]
    assert list(out["backlog_gpu_h"] * 3600.0) == pytest.approx([10_000.0, 10_000.0])


@pytest.mark.parametrize("accident", ["site", "line"])
def test_what_happens_to_each_job_of_an_accident_is_told(accident: str) -> None:
    run = Run(one_job(duration_median_h=0.5), (200.0, 200.0))
    run.go(1000.0)
    if accident == "site":
        run.sites.command(1000.0, 0, "fail", Fail(for_s=60.0))
        expected = ["job_failed", "job_begins", "job_ends"]
    else:
        run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0))
        run.go(1050.0)
        run.sites.command(1050.0, 0, "cut", Cut(to="huaibei"))
        expected = ["job_leaves", "job_travels", "job_stalled", "job_rolled_back", "job_ends"]
    run.go(4000.0)
    told = [kind for _, _, kind, _ in run.events if kind.startswith("job_")]
    assert told == expected
    assert run.sites.fleet.life.state[0] == k.DONE


def test_waiting_time_counts_every_wait(tmp_path: Any) -> None:
    run = Run(fleet_of(tmp_path, "a,0,10,600,1,0,0,0,0"), (100.0, 1.0))
    run.go(100.0)
    run.sites.command(100.0, 0, "limit_jobs", LimitJobs(gpus_count=0.0))
    run.go(200.0)
    run.sites.command(200.0, 0, "limit_jobs", LimitJobs())
    run.go(1000.0)
    life = run.sites.fleet.life
    assert life.waited_s[0] == pytest.approx(100.0, abs=2.0)
    assert life.end_s[0] == pytest.approx(600.0 + life.waited_s[0], abs=2.0)
    assert np.isfinite(life.begin_s[0])


def test_batch_inference_writes_tokens_at_the_rate_of_its_model() -> None:
    run = Run(one_job(kind="batch_inference", model="llama31_8b", duration_median_h=0.1), (200.0, 1.0))
    run.go(600.0)
    written = sum(row["tokens_per_s"].sum() for row in run.rows)
    # 771.3 + 9383.5 at the top of the measured curve (H100, batch of 1024)
    assert written == pytest.approx(360.0 * 100.0 * 10_000.0, rel=0.05)
