"""Online services: where they are answered, how they change sites, and what is told of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_fleet import Run

from cosim.core.errors import ScenarioError
from datacenters.fleet import FleetParams
from datacenters.network import NetworkParams, RouteParams
from datacenters.service_params import MoveService, ServiceParams, Surge
from datacenters.service_sharing import preferred, shares
from datacenters.site import Cut, Fail, MoveJobs
from datacenters.workload import Population


def test_services_stay_within_their_bound_and_what_is_too_far_is_refused() -> None:
    near = ServiceParams(name="chat", users="shanghai", mean_gpu=50.0, latency_bound_ms=3.0)
    run = Run(FleetParams(services=(near,)), (100.0, 100.0, 100.0))
    out = run.go(100.0)
    assert list(out["service_gpu"] > 0.0) == [False, False, True]
    assert out["latency_ms"].max() <= 3.0
    run.sites.command(100.0, 0, "fail", Fail())
    refusal = run.sites.refusal(0, MoveService(service="chat"))
    assert refusal is not None
    assert "3.1 ms from users in shanghai, bound 3 ms" in refusal
    far = ServiceParams(name="chat", users="shenzhen", mean_gpu=50.0, latency_bound_ms=3.0)
    with pytest.raises(ScenarioError, match=r"no site answers users in shenzhen within 3 ms \(hefei \d"):
        Run(FleetParams(services=(far,)), (100.0,))


def test_a_surge_goes_to_the_next_site_and_beyond_it_requests_wait_and_are_lost() -> None:
    chat = ServiceParams(
        name="chat", users="hefei", mean_gpu=50.0, latency_bound_ms=20.0, session_s=0.2, patience_s=10.0
    )
    run = Run(FleetParams(services=(chat,)), (100.0, 60.0))
    run.go(60.0)
    run.sites.command(60.0, 0, "surge", Surge(service="chat", factor_pu=4.2, ramp_s=10.0, hold_s=120.0))
    out = run.go(130.0)
    assert out["service_gpu"].sum() == pytest.approx(160.0)
    assert out["unanswered_gpu"].sum() == pytest.approx(4.2 * 50.0 - 160.0)
    run.go(400.0)
    asked = sum(row["wanted_gpu"].sum() for row in run.rows)
    got = sum(row["service_gpu"].sum() + row["unanswered_gpu"].sum() for row in run.rows)
    assert got == pytest.approx(asked, rel=1e-9)


def test_a_service_with_one_site_is_not_crowded_out_by_one_with_two() -> None:
    wide, narrow = (
        ServiceParams(name=n, users="hefei", mean_gpu=80.0, latency_bound_ms=20.0, staged_at=at)
        for n, at in (("wide", ()), ("narrow", ("hefei",)))
    )
    out = Run(FleetParams(services=(wide, narrow)), (100.0, 100.0)).go(10.0)
    assert list(out["service_gpu"]) == pytest.approx([100.0, 60.0])
    assert out["requests_waiting_gpu_h"].sum() == 0.0


def test_services_that_compete_share_by_weight() -> None:
    services = tuple(
        ServiceParams(
            name=name, users="hefei", mean_gpu=100.0, latency_bound_ms=20.0, weight_pu=weight, patience_s=0
        )
        for name, weight in (("gold", 3.0), ("plain", 1.0))
    )
    out = Run(FleetParams(services=services), (100.0,)).go(10.0)
    assert out["service_gpu"][0] == pytest.approx(100.0)
    assert shares(np.array([[100.0], [100.0]]), np.array([3.0, 1.0]), np.array([100.0]))[:, 0] == (
        pytest.approx([75.0, 25.0])
    )


def chat(**changes: Any) -> ServiceParams:
    """Return a steady service of 50 accelerators for users at hefei."""
    said = {"name": "chat", "users": "hefei", "mean_gpu": 50.0, "latency_bound_ms": 20.0}
    return ServiceParams(**{**said, **changes})


def fleet_of(*services: ServiceParams, **changes: Any) -> FleetParams:
    """Return a fleet whose line from hefei to huaibei carries 100 Gbit/s."""
    routes = (RouteParams(between=("hefei", "huaibei"), bandwidth_gbit_per_s=100.0),)
    return FleetParams(services=services, network=NetworkParams(routes=routes), **changes)


def moved(run: Run, dt_s: float = 1.0, **order: Any) -> None:
    """Let a run begin at hefei and send its service to huaibei at 60 s."""
    run.go(60.0, dt_s)
    run.sites.command(60.0, 1, "move_service", MoveService(service="chat", **order))


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 10.0])
def test_drained_sessions_end_at_random_and_run_twice_for_the_same_work_at_any_step(dt_s: float) -> None:
    run = Run(fleet_of(chat(session_s=60.0, double_pu=0.2, double_s=15.0)), (100.0, 100.0))
    moved(run, dt_s)
    out = run.go(120.0, dt_s)
    assert out["service_gpu"][0] == pytest.approx(50.0 * np.exp(-1.0), rel=1e-6)
    run.go(600.0, dt_s)
    twice_gpu_s = sum(row["double_gpu"].sum() for row in run.rows) * dt_s
    assert twice_gpu_s == pytest.approx(0.2 * 50.0 * 15.0, rel=1e-3)
    assert sum(row["unanswered_gpu"].sum() for row in run.rows) == 0.0
    (leaves,), (comes,) = run.told("service_leaves"), run.told("service_moved")
    assert (
        "goes to huaibei instead of hefei, sessions end where they are: move_service ordered at 60 s"
        in leaves
    )
    assert comes == "service chat (50 accelerators) is answered at huaibei instead of hefei"


def test_the_state_of_sessions_travels_before_they_go_on_elsewhere() -> None:
    p = chat(moves_by="state", session_s=1e9, session_gb_per_gpu=10.0, cut_over_s=2.0)
    run = Run(fleet_of(p), (100.0, 100.0))
    moved(run)
    run.go(80.0)
    row = run.rows[-1]
    assert list(row["service_gpu"]) == pytest.approx([50.0, 0.0], abs=1e-3)
    assert list(row["double_gpu"]) == pytest.approx(
        [0.0, 10.0], abs=1e-3
    )  # both ends run until the copy has come
    run.go(200.0)
    at_b = [t for t, row in enumerate(run.rows) if row["service_gpu"][1] > 1.0]
    assert at_b[0] == pytest.approx(60 + 8.0 * 500.0 / 100.0 + 2.0, abs=2.0)  # 500 GB at 100 Gbit/s, cut-over
    assert sum(row["sent_gbit_per_s"][0] for row in run.rows) / 8.0 == pytest.approx(500.0)
    most_gpu_s = max(row["requests_waiting_gpu_h"].sum() for row in run.rows) * 3600.0
    assert most_gpu_s == pytest.approx(2.0 * 50.0, rel=1e-6)
    answered = sum(row["service_gpu"].sum() for row in run.rows)
    assert answered == pytest.approx(200.0 * 50.0)
    assert run.told("service_leaves")[0].startswith(
        "service chat (50 accelerators) goes to huaibei instead of hefei, 500 GB of state are copied"
    )


def test_states_of_sessions_and_of_jobs_share_a_line_fairly() -> None:
    job = Population(
        name="job", kind="batch", jobs_count=1, home="hefei", gpus_median_gpu=20.0, gpus_sigma_pu=0.0,
        duration_median_h=5.0, duration_sigma_pu=0.0, state_gb_per_gpu=50.0, checkpoint_s=0.0, load_s=0.0,
    )  # fmt: skip
    p = chat(moves_by="state", session_s=1e9, session_gb_per_gpu=10.0)
    run = Run(fleet_of(p, jobs=(job,), jobs_over_h=1e-6), (100.0, 100.0))
    run.go(59.0)
    run.sites.command(59.0, 0, "move", MoveJobs(to="huaibei", gpus_count=20.0, over_s=600.0))
    moved(run)
    run.go(70.0)
    assert run.sites.fleet.life.rate_gbit_per_s[0] == pytest.approx(50.0)
    run.go(300.0)
    assert max(row["sent_gbit_per_s"][0] for row in run.rows) <= 100.0 * (1 + 1e-9)
    assert run.sites.fleet.life.site[0] == 1
    at_b = [t for t, row in enumerate(run.rows) if row["service_gpu"][1] > 1.0]
    assert at_b[0] == pytest.approx(60 + 8.0 * 500.0 / 50.0, abs=4.0)


@pytest.mark.parametrize(
    ("what", "at", "told"),
    [("line", 0, "the copy does not come on"), ("target", 0, "the site is lost"), ("source", 1, "lost")],
)
def test_sessions_whose_copy_is_interrupted_stay_where_they_were(what: str, at: int, told: str) -> None:
    p = chat(moves_by="state", session_s=1e9, session_gb_per_gpu=10.0)
    run = Run(fleet_of(p), (100.0, 100.0))
    moved(run)
    run.go(70.0)
    if what == "line":
        run.sites.command(70.0, 0, "cut", Cut(to="huaibei", for_s=500.0))
    else:
        run.sites.command(70.0, 0 if what == "source" else 1, "fail", Fail(for_s=500.0))
    run.go(300.0)
    assert run.rows[-1]["service_gpu"][at] == pytest.approx(50.0)
    assert told in run.told("service_rolled_back")[0]
    assert run.rows[-1]["double_gpu"].sum() == pytest.approx(0.0, abs=1e-6)
    assert len(run.told("service_restarted")) == (1 if what == "source" else 0)
    run.go(1000.0)
    assert run.rows[-1]["service_gpu"].sum() == pytest.approx(50.0)


def test_users_of_a_lost_site_begin_again_elsewhere_when_checks_have_failed() -> None:
    run = Run(fleet_of(chat(failover_s=30.0, patience_s=10.0)), (100.0, 100.0))
    run.go(60.0)
    run.sites.command(60.0, 0, "fail", Fail())
    run.go(88.0)
    assert run.rows[-1]["service_gpu"].sum() < 25.0
    run.go(130.0)
    assert run.rows[-1]["service_gpu"][1] == pytest.approx(50.0)
    lost_gpu_s = sum(row["unanswered_gpu"].sum() for row in run.rows)
    assert lost_gpu_s == pytest.approx(50.0 * 30.0 - 10.0 * 50.0, rel=1e-3)
    assert run.told("service_restarted")[0].endswith("its users begin again at huaibei")


def test_a_noisy_price_does_not_swing_a_service_and_a_lower_one_moves_it_once() -> None:
    settings_ = {"away_cny_per_mwh": 20.0}
    fleet = fleet_of(chat(), policy="price", policy_settings=settings_)
    run = Run(fleet, (100.0, 100.0))
    noise = np.random.default_rng(1).uniform(-9.9, 9.9, (240, 2))
    for step in range(240):
        run.go(run.t_s + 60.0, 60.0, price_cny_per_mwh=300.0 + noise[step])
    assert [row["service_gpu"][0] > 49.9 for row in run.rows] == [True] * 240
    for step in range(240):
        run.go(run.t_s + 60.0, 60.0, price_cny_per_mwh=[300.0 + noise[step, 0], 250.0 + noise[step, 1]])
    (told,) = run.told("service_leaves")
    assert "the policy scores it 2" in told
    assert len(run.told("service_moved")) == 1
    assert run.rows[-1]["service_gpu"][1] == pytest.approx(50.0)


def test_a_service_does_not_run_after_its_own_load() -> None:
    run = Run(fleet_of(chat(mean_gpu=50_000.0, calm_s=0.0), policy="green"), (1e5, 1e5))
    run.go(60.0, 60.0, green_mw=[140.0, 100.0])
    run.go(7200.0, 60.0, green_mw=[100.0, 140.0])
    assert len(run.told("service_leaves")) == 0  # 50 MW that goes there would be wanted back
    run.go(14400.0, 60.0, green_mw=[100.0, 210.0])
    assert len(run.told("service_leaves")) == 1


def test_one_site_passes_another_only_by_more_than_the_margin() -> None:
    assert preferred([0, 1, 2], np.array([3.0, 2.5, 1.0]), 1.0) == [2, 0, 1]
    assert preferred([0, 1, 2], np.array([3.0, 2.5, 1.0]), 5.0) == [0, 1, 2]


def test_double_running_takes_no_accelerators_of_jobs_and_tells_what_it_lacks() -> None:
    job = Population(
        name="job", jobs_count=1, home="hefei", gpus_median_gpu=50.0, gpus_sigma_pu=0.0, only_at=("hefei",),
        duration_median_h=5.0, duration_sigma_pu=0.0, busy_pu=1.0, load_s=0.0, checkpoint_every_s=None,
    )  # fmt: skip
    p = chat(mean_gpu=20.0, double_pu=1.0, double_s=300.0)
    code = chat(name="code", mean_gpu=20.0, staged_at=("hefei",))
    fleet = fleet_of(p, code, jobs=(job,), jobs_over_h=1e-6)
    run = Run(fleet, (100.0, 100.0), services_gpu=50.0)
    moved(run)
    run.sites.command(60.0, 0, "surge", Surge(service="code", factor_pu=2.5))
    run.go(400.0)
    assert run.rows[-1]["running_count"][0] == 1.0
    assert run.told("job_leaves") == []
    assert max(row["service_gpu"][0] + row["double_gpu"][0] for row in run.rows) <= 50.0 + 1e-9
    (told,) = run.told("double_short")
    assert told.endswith("accelerators: no more are free")
    assert run.rows[-1]["double_gpu"][0] == pytest.approx(0.0, abs=1e-6)


def test_what_cannot_be_in_time_is_refused_with_what_it_needs() -> None:
    run = Run(fleet_of(chat(session_s=60.0)), (100.0, 100.0))
    refusal = run.sites.refusal(1, MoveService(service="chat", over_s=180.0))
    needs = "234.7 s are needed until 98% of its sessions of 60 s have ended"
    assert refusal == f"service chat cannot have moved in 180 s: {needs}"
    assert run.sites.refusal(1, MoveService(service="chat", over_s=240.0)) is None
    run = Run(fleet_of(chat(moves_by="state", session_gb_per_gpu=100.0)), (100.0, 100.0))
    moved(run, over_s=180.0)
    needs = "401.0 s are needed: copy 400.0 s (5000 GB at 100 Gbit/s), cut-over 1 s"
    assert run.told("refused") == [f"service chat cannot go to huaibei in 180 s: {needs}"]


@settings(max_examples=40, deadline=None)
@given(
    moves_by=st.sampled_from(["drain", "state"]),
    events=st.lists(
        st.tuples(
            st.integers(1, 60),
            st.integers(0, 2),
            st.one_of(
                st.builds(MoveService, service=st.just("chat"), share_pu=st.floats(0.1, 1)),
                st.builds(Fail, for_s=st.floats(5, 200)),
                st.builds(Surge, service=st.just("chat"), factor_pu=st.floats(0.0, 6.0)),
            ),
        ),
        max_size=6,
    ),
    dt_s=st.sampled_from([1.0, 7.0, 30.0]),
)
def test_requests_are_answered_wait_or_are_lost_and_bounds_hold_whatever_happens(
    moves_by: str, events: list[Any], dt_s: float
) -> None:
    common = {"moves_by": moves_by, "session_gb_per_gpu": 20.0, "patience_s": 20.0}
    other = ServiceParams(name="code", users="shanghai", mean_gpu=30.0, latency_bound_ms=3.0)
    run = Run(fleet_of(chat(requests="conversation", **common), other), (100.0, 60.0, 50.0))
    waiting = 0.0
    for step in range(60):
        for at, unit, order in events:
            if at == step:
                run.sites.command(run.t_s, unit, "order", order)
        out = run.go(run.t_s + dt_s, dt_s)
        waits = float(out["requests_waiting_gpu_h"].sum()) * 3600.0
        done = float((out["service_gpu"] + out["unanswered_gpu"]).sum()) * dt_s
        assert done + waits - waiting == pytest.approx(
            float(out["wanted_gpu"].sum()) * dt_s, rel=1e-9, abs=1e-6
        )
        waiting = waits
        assert (out["service_gpu"] + out["double_gpu"] <= np.array([100.0, 60.0, 50.0]) + 1e-9).all()
        assert all(r.sessions.load_gpu.min() >= 0.0 for r in run.sites.fleet.services.runs)
        answered_ms = np.where(out["service_gpu"] > 0.0, out["latency_ms"], 0.0)
        assert (answered_ms <= 20.0).all()
