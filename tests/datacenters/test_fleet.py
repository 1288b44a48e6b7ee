"""Jobs and services on sites: what a fleet keeps whatever happens, and what it does in single cases."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_fleet import PLACES, Run, one_job

from cosim.core.component import Context
from cosim.core.errors import ComponentError, ScenarioError
from cosim.testing import check_component
from datacenters.fleet import FleetParams
from datacenters.kernels import jobs as k
from datacenters.kernels.job_transfers import STANDSTILL_S
from datacenters.network import NetworkParams, RouteParams, precopy
from datacenters.site import Cut, Fail, LimitJobs, MoveJobs, Site, SiteParams
from datacenters.workload import Population

populations = st.builds(
    Population,
    name=st.just("batch"),
    kind=st.sampled_from(["training", "batch", "batch_inference"]),
    jobs_count=st.integers(1, 60),
    gpus_median_gpu=st.floats(1, 20),
    gpus_most_gpu=st.just(40.0),
    duration_median_h=st.floats(0.01, 0.3),
    slack_h=st.one_of(st.none(), st.floats(0.1, 1)),
    busy_pu=st.floats(0.2, 1),
    home=st.sampled_from([None, "hefei", "shanghai"]),
    state_gb_per_gpu=st.floats(0, 50),
    checkpoint_every_s=st.one_of(st.none(), st.floats(60, 600)),
    dirty_gbit_per_s=st.sampled_from([0.0, 1.0]),
)
orders = st.lists(
    st.tuples(
        st.integers(1, 50),
        st.integers(0, 2),
        st.one_of(
            st.builds(
                MoveJobs, to=st.sampled_from(PLACES), share_pu=st.floats(0.1, 1), over_s=st.floats(60, 900)
            ),
            st.builds(Fail, for_s=st.floats(10, 600)),
            st.builds(Cut, to=st.sampled_from(PLACES), for_s=st.floats(10, 300)),
            st.builds(LimitJobs, gpus_count=st.floats(0, 60)),
        ),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(population=populations, orders=orders, policy=st.sampled_from(["first_come", "backfill", "price"]))
def test_work_is_conserved_and_no_job_is_twice_whatever_happens(
    population: Population, orders: list[Any], policy: str
) -> None:
    fleet = FleetParams(
        jobs=(population,), jobs_over_h=0.2, policy=policy, tick_s=5.0, network=NetworkParams()
    )
    run = Run(fleet, (50.0, 40.0, 45.0))
    f = run.sites.fleet
    for step in range(60):
        for at, unit, order in orders:
            if at == step:
                run.sites.command(run.t_s, unit, "order", order)
        before = run.sites.fleet.backlog_gpu_s.copy()
        out = run.go(run.t_s + 20.0, 20.0, price_cny_per_mwh=[300 + step, 200, 400 - step])
        flow = (out["arriving_gpu"] + out["lost_gpu"] + out["transferred_gpu"] - out["job_gpu"]) * 20.0
        assert np.allclose(f.backlog_gpu_s - before, flow, atol=1e-6 * max(1.0, f.jobs.work_gpu_s.sum()))
        state, life = f.life.state, f.life
        left = np.where((state != k.FUTURE), f.jobs.work_gpu_s - life.done_gpu_s, 0.0)
        assert left.sum() == pytest.approx(f.backlog_gpu_s.sum(), rel=1e-6, abs=1e-3)
        active = f.pool.active[: f.pool.tally[k.N_ACTIVE]]
        queue = f.pool.queue[: f.pool.tally[k.N_QUEUE]]
        assert len({*active, *queue}) == active.size + queue.size  # nobody is in two places
        held = np.zeros(3)
        for j in active:
            held[life.site[j]] += f.jobs.gpus[j]
            if life.target[j] >= 0:
                held[life.target[j]] += f.jobs.gpus[j]  # declared double holding of a move
        assert np.allclose(held, f.pool.used_gpu)
        under_way = active[life.target[active] >= 0]
        assert (life.due_s[under_way] > run.t_s - 5.0 - 1e-9).all()  # what is late is back after a tick
        assert (f.pool.used_gpu <= f.gpus + 1e-9).all()
        assert (out["sent_gbit_per_s"] <= f.access_gbit_per_s * (1 + 1e-9)).all()
        assert (life.done_gpu_s <= f.jobs.work_gpu_s * (1 + 1e-9)).all()
    books = run.books()
    total = sum(books[name] for name in ("done_count", "waiting_count", "future_count", "on_site_count"))
    assert total == len(f.set)
    worked = sum(row["job_gpu"].sum() for row in run.rows) * 20.0
    assert worked == pytest.approx(books["done_gpu_s"] + books["lost_gpu_s"], rel=1e-9, abs=1e-6)
    rate = population.writes_per_gpu_s()
    assert (rate > 0.0) == (population.kind == "batch_inference")
    written, lost = (
        sum(row[name].sum() for row in run.rows) * 20.0 for name in ("tokens_per_s", "tokens_lost_per_s")
    )
    assert written - lost == pytest.approx(rate * books["done_gpu_s"], rel=1e-9, abs=1e-3)
    assert lost == pytest.approx(rate * books["lost_gpu_s"], rel=1e-9, abs=1e-3)
    assert run.rows[-1]["waiting_count"].sum() == pytest.approx(books["waiting_count"])


def test_same_seed_same_result_at_any_exchange_step() -> None:
    fleet = FleetParams(jobs=(Population(name="b", jobs_count=40, duration_median_h=0.1),), jobs_over_h=0.5)
    books = []
    for dt_s in (1.0, 10.0, 60.0):
        run = Run(fleet, (64.0, 64.0, 64.0))
        run.go(3600.0, dt_s)
        books.append(run.books())
    assert books[0] == pytest.approx(books[1])
    assert books[0] == pytest.approx(books[2])


def test_a_site_keeps_the_contract_of_components(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text("job,arrival_s,gpus_count,duration_s,load_s\na,0,100,15,0\nb,0,150,3600,0\n")
    fleet = FleetParams(jobs_file=str(file))
    params = [
        SiteParams(place="hefei", gpus_count=200, fleet=fleet),
        SiteParams(place="huaibei", gpus_count=200),
    ]
    assert list(check_component(Site, params, levels={"capacity_gpu": 1e6})) == []


def test_a_training_job_stops_travels_and_goes_on_where_it_was() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1000.0)
    run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=180.0))
    run.go(1300.0)
    life, jobs = run.sites.fleet.life, run.sites.fleet.jobs
    assert life.site[0] == 1
    assert run.told("job_moved") == ["job 0 goes on at huaibei, hefei is free"]
    took_s = next(t for t, _, kind, _ in run.events if kind == "job_moved") - 1000.0
    needed_s = 10.0 + 8.0 * 1000.0 / 100.0 + 30.0  # saved, 1000 GB at 100 Gbit/s, loaded
    assert took_s == pytest.approx(needed_s, abs=3.0)
    run.go(4500.0)
    assert life.state[0] == k.DONE
    assert life.done_gpu_s[0] == jobs.work_gpu_s[0]
    stood_s = life.end_s[0] - life.begin_s[0] - 3600.0 - 30.0  # beyond its work and its first loading
    saves = 5  # one in 600 s of running, beside that of the move
    assert stood_s == pytest.approx(took_s + saves * 10.0, abs=15.0)


def test_a_state_too_large_for_the_line_is_refused_with_the_time_it_needs() -> None:
    run = Run(one_job(state_gb_per_gpu=64.94), (200.0, 200.0))  # 6.494 TB: 405B parameters at 16 byte
    run.go(100.0)
    run.sites.command(100.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=180.0))
    assert run.told("refused")[0] == (
        "1 jobs cannot go from hefei to huaibei in 180 s: 563.5 s are needed: saving 10 s, copy 519.5 s "
        "(6494 GB at 100 Gbit/s), loading 30 s, rounding to ticks 4 s"
    )
    run.go(300.0)
    assert run.sites.fleet.life.site[0] == 0


@pytest.mark.parametrize("phase", ["saving", "travelling", "loading"])
@pytest.mark.parametrize("what", ["source", "target", "line", "hall"])
def test_a_move_interrupted_in_any_phase_loses_and_doubles_nothing(phase: str, what: str) -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1000.0)
    run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=180.0))
    run.go({"saving": 1005.0, "travelling": 1050.0, "loading": 1105.0}[phase])
    assert (
        run.sites.fleet.life.state[0]
        == {"saving": k.DRAINING, "travelling": k.MOVING, "loading": k.STARTING}[phase]
    )
    dark: dict[str, Any] = {}
    if what == "line":
        run.sites.command(run.t_s, 0, "cut", Cut(to="huaibei", for_s=300.0))
    elif what == "hall":
        dark = {"capacity_gpu": [0.0, 1e12]}
    else:
        run.sites.command(run.t_s, 0 if what == "source" else 1, "fail", Fail(for_s=300.0))
    run.go(run.t_s + 200.0, **dark)
    life, f = run.sites.fleet.life, run.sites.fleet
    at = {("source", "loading"): 1, ("hall", "loading"): 1, ("line", "loading"): 1}.get((what, phase), 0)
    if what in {"target", "line"} or at == 1:
        assert life.site[0] == at
        assert life.state[0] in {k.RUNNING, k.SAVING}
        assert life.lost_gpu_s[0] == 0.0
    else:
        assert life.state[0] == k.WAITING  # its last checkpoint lies at the site that is gone
        assert life.lost_gpu_s[0] >= 0.0
        assert run.told("job_failed")
    run.go(6500.0)
    assert life.state[0] == k.DONE
    assert f.roster.books()["done_gpu_s"] == pytest.approx(100.0 * 3600.0)
    assert f.pool.used_gpu.max() == 0.0
    worked = sum(row["job_gpu"].sum() for row in run.rows)
    assert worked == pytest.approx(100.0 * 3600.0 + life.lost_gpu_s[0])


def test_a_live_copy_follows_the_rounds_of_precopy() -> None:
    run = Run(one_job(dirty_gbit_per_s=20.0, kind="batch", checkpoint_every_s=None), (200.0, 200.0))
    run.go(100.0)
    run.sites.command(100.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=600.0))
    worked = run.go(180.0)["job_gpu"]
    assert worked[0] == 100.0  # it runs while it is copied
    run.go(400.0)
    took_s = next(t for t, _, kind, _ in run.events if kind == "job_moved") - 100.0
    copy_s, stands_s = precopy(1000.0, 100.0, 20.0, 100.0 * STANDSTILL_S / 8.0)
    assert stands_s < STANDSTILL_S
    assert took_s == pytest.approx(copy_s, abs=5.0)  # loaded beside the copy
    idle = [row for row in run.rows if row["job_gpu"].sum() < 50.0 and row["overhead_gpu"].sum() == 0.0]
    assert len(idle) <= 2  # it stands still for a tick or two
    assert sum(row["overhead_gpu"][1] for row in run.rows) == pytest.approx(0.35 * 100.0 * 30.0, rel=0.1)
    assert precopy(1000.0, 100.0, 100.0, 1.0)[0] == np.inf


def test_backfilling_uses_gaps_without_delaying_the_first(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text(
        "job,arrival_s,gpus_count,duration_s,busy_pu,load_s,checkpoint_every_s\n"
        "long,0,80,1000,1,0,0\nwide,1,100,500,1,0,0\nshort,2,20,900,1,0,0\ntoo_long,3,20,2000,1,0,0\n"
    )
    begins = {}
    for policy in ("first_come", "backfill"):
        run = Run(FleetParams(jobs_file=str(file), policy=policy), (100.0,))
        run.go(4500.0)
        begins[policy] = [round(float(t)) for t in run.sites.fleet.life.begin_s]
    assert begins["first_come"] == [0, 1000, 1500, 1500]
    assert begins["backfill"] == [0, 1000, 2, 1500]


def test_jobs_that_may_wait_start_in_cheap_hours_and_still_end_in_time(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    rows = [f"j{i},0,10,600,1,0,0,{7200}" for i in range(4)]
    file.write_text(
        "job,arrival_s,gpus_count,duration_s,busy_pu,load_s,checkpoint_every_s,deadline_s\n" + "\n".join(rows)
    )
    settings_ = {"waits_share_pu": 0.3, "memory_h": 2.0}
    run = Run(FleetParams(jobs_file=str(file), policy="price", policy_settings=settings_), (100.0,))
    run.go(60.0, 60.0, price_cny_per_mwh=[200])  # what is cheap becomes known
    run.go(3600.0, 60.0, price_cny_per_mwh=[500])
    run.go(9000.0, 60.0, price_cny_per_mwh=[600])
    assert (run.sites.fleet.life.end_s <= 7200.0).all()


def test_a_site_that_is_lost_gives_its_jobs_back_to_their_checkpoints() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1500.0)
    done = run.sites.fleet.life.done_gpu_s[0]
    run.sites.command(1500.0, 0, "fail", Fail(for_s=100.0))
    out = run.go(1501.0)
    safe = run.sites.fleet.life.safe_gpu_s[0]
    assert out["lost_gpu"][0] == pytest.approx(done - safe)
    assert 0.0 < safe < done
    run.go(1605.0)
    assert run.sites.fleet.life.site[0] == 0


def test_a_cut_line_that_comes_back_in_time_only_delays_a_move() -> None:
    run = Run(one_job(), (200.0, 200.0))
    run.go(1000.0)
    run.sites.command(1000.0, 0, "move", MoveJobs(to="huaibei", gpus_count=100.0, over_s=180.0))
    run.go(1050.0)
    run.sites.command(1050.0, 0, "cut", Cut(to="huaibei", for_s=40.0))
    run.go(1200.0)
    took_s = next(t for t, _, kind, _ in run.events if kind == "job_moved") - 1000.0
    assert took_s == pytest.approx(120.0 + 40.0, abs=4.0)


def test_a_limit_saves_the_newest_jobs_and_lets_them_wait() -> None:
    jobs = Population(
        name="b", jobs_count=5, gpus_median_gpu=20, gpus_sigma_pu=0, duration_median_h=2, duration_sigma_pu=0
    )
    run = Run(FleetParams(jobs=(jobs,), jobs_over_h=0.01), (100.0,))
    run.go(200.0)
    assert run.rows[-1]["reserved_gpu"][0] == 100.0
    run.sites.command(200.0, 0, "limit_jobs", LimitJobs(gpus_count=45.0))
    run.go(240.0)
    assert run.rows[-1]["reserved_gpu"][0] == 40.0
    assert run.rows[-1]["waiting_count"][0] == 3.0
    assert run.rows[-1]["lost_gpu"][0] == 0.0
    run.sites.command(240.0, 0, "limit_jobs", LimitJobs())
    run.go(320.0)
    assert run.rows[-1]["reserved_gpu"][0] == 100.0


def test_a_ramp_and_a_block_limit_what_starts() -> None:
    jobs = Population(
        name="b", jobs_count=100, gpus_median_gpu=1000, gpus_sigma_pu=0, duration_median_h=2,
        duration_sigma_pu=0, busy_pu=1, load_s=0, checkpoint_every_s=None,
    )  # fmt: skip
    run = Run(FleetParams(jobs=(jobs,), jobs_over_h=1e-6), (200_000.0,), ramp_mw_per_min=10.0)
    run.go(600.0)
    power = np.array([row["work_gpu"][0] * 1e-3 for row in run.rows])
    rise = power[60:] - power[:-60]
    assert rise.max() <= 10.0 + 1.0 + 1e-9  # one job is 1 MW
    assert power[-1] == pytest.approx(100.0, rel=0.05)


def test_what_cannot_be_is_named_before_a_run() -> None:
    for fleet, text in (
        (one_job(gpus_median_gpu=500.0), "job 0 wants 500 accelerators; .* at most 200"),
        (one_job(home="nowhere"), "'nowhere' is no site"),
        (FleetParams(policy="clever"), "'clever' is not one of the installed suandian.policies"),
        (FleetParams(policy_settings={"x_pu": 1}), "x_pu"),
        (FleetParams(jobs_file="none.csv"), "none.csv: no such file"),
    ):
        with pytest.raises(ScenarioError, match=text):
            Run(fleet, (200.0, 200.0))
    with pytest.raises(ValueError, match="greater than 0"):
        RouteParams(between=("a", "b"), bandwidth_gbit_per_s=-1.0)
    with pytest.raises(ScenarioError, match="one site must carry `fleet`"):
        Site([SiteParams(place="hefei", gpus_count=1)])
    sites = Site([SiteParams(place="hefie", gpus_count=1, fleet=FleetParams())])
    with pytest.raises(ScenarioError, match=r"place 'hefie' is unknown .* Did you mean 'hefei'"):
        sites.reset(Context(names=("a",)))


def test_a_signal_that_is_no_number_is_told_and_places_nothing() -> None:
    run = Run(one_job().model_copy(update={"policy": "price"}), (200.0, 200.0))
    with pytest.raises(
        ComponentError, match=r"t=0 s: policy price has no score for huaibei: a signal is no number"
    ):
        run.go(1.0, price_cny_per_mwh=[200, np.nan])


def test_running_work_follows_a_cheaper_site_only_where_it_may_go() -> None:
    settings_ = {"moves": True, "moves_above_cny_per_mwh": 100.0}
    for only_at, at in (((), 1), (("hefei",), 0)):
        fleet = one_job(only_at=only_at).model_copy(update={"policy": "price", "policy_settings": settings_})
        run = Run(fleet, (200.0, 200.0))
        run.go(60.0, price_cny_per_mwh=[200, 200])
        run.go(400.0, price_cny_per_mwh=[500, 200])
        assert run.sites.fleet.life.site[0] == at
        assert len(run.told("move_done")) == at


def test_as_much_work_follows_the_wind_as_makes_both_sites_equal() -> None:
    policy = {
        "policy": "green",
        "policy_settings": {"moves": True, "moves_above_mw": 20, "waits_share_pu": 1},
    }
    fleet = one_job(jobs_count=10, gpus_median_gpu=10.0).model_copy(update=policy)
    run = Run(fleet, (200.0, 200.0), gpu_kw=1000.0)
    run.go(60.0, green_mw=[200, 0])
    assert run.sites.fleet.pool.used_gpu.tolist() == [100.0, 0.0]
    run.go(
        1200.0, green_mw=[100, 60]
    )  # 100 MW where 100 blow, none where 60 do: 30 MW go, 30 are left over at each
    assert run.sites.fleet.pool.used_gpu.tolist() == [70.0, 30.0]


def test_a_file_of_jobs_tells_every_wrong_cell(tmp_path: Any) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text("job,arrival_s,gpus_count,duration_s,kind,deadline_s\na,x,1,1,batch,\nb,9,1,1,bach,5\n")
    with pytest.raises(ScenarioError) as error:
        Run(FleetParams(jobs_file=str(file)), (10.0,))
    assert "row 2, column arrival_s: 'x' is no number" in str(error.value)
    assert "row 3, column kind: 'bach' is unknown" in str(error.value)
    file.write_text("job,arrival_s,gpus_count,duration_s,deadline_s\nb,9,1,1,5\n")
    with pytest.raises(ScenarioError, match="b has its deadline at 5 s, before it arrives at 9 s"):
        Run(FleetParams(jobs_file=str(file)), (10.0,))
