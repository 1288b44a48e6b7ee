"""Online services: where they are answered, how they change sites, and what is told of it."""

import json
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
