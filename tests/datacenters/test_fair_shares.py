"""Transfers share accesses and routes max-min fair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacenters.kernels.wan import fair_shares
from datacenters.network import NetworkParams, RouteParams, estimate_ms, network_of


@settings(max_examples=100, deadline=None)
@given(
    ends=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda e: e[0] != e[1]), min_size=1, max_size=8
    ),
    access=st.lists(st.floats(1, 400), min_size=4, max_size=4),
    route=st.floats(0, 400),
)
def test_no_line_carries_more_than_it_can_and_none_could_gain_alone(
    ends: list[tuple[int, int]], access: list[float], route: float
) -> None:
    source, target = (np.array([e[k] for e in ends], dtype=np.int64) for k in (0, 1))
    limits, routes = np.array(access), np.full((4, 4), route)
    rate = fair_shares(source, target, np.full(len(ends), 1e9), limits, routes)
    out, into = np.bincount(source, rate, minlength=4), np.bincount(target, rate, minlength=4)
    assert (out <= limits + 1e-6).all()
    assert (into <= limits + 1e-6).all()
    for a, b, mine in zip(source, target, rate, strict=True):
        on_route = rate[(source == a) & (target == b)]
        assert on_route.sum() <= route + 1e-6
        tight = (
            (on_route.sum() >= route - 1e-6, on_route),
            (out[a] >= limits[a] - 1e-6, rate[source == a]),
            (into[b] >= limits[b] - 1e-6, rate[target == b]),
        )
        assert any(full and mine >= others.max() - 1e-6 for full, others in tight)  # max-min fair


def test_latencies_are_listed_published_or_by_distance() -> None:
    params = NetworkParams(
        routes=(RouteParams(between=("a", "c"), one_way_ms=2.0, bandwidth_gbit_per_s=100.0),)
    )
    network = network_of(params, ("a", "b", "c"), ("zhongwei", "beijing", "shanghai"), (400.0, 400.0, 400.0))
    assert network.one_way_ms[0, 1] == 9.0  # published 8-10 ms
    assert network.one_way_ms[0, 2] == network.one_way_ms[2, 0] == 2.0
    assert network.bandwidth_gbit_per_s[0, 2] == 100.0
    km = network.one_way_ms[1, 2] * 200.0 / 1.5
    assert km == pytest.approx(1067.0, rel=0.01)  # Beijing to Shanghai
    assert network.from_users_ms("hefei")[2] == pytest.approx(
        estimate_ms((31.83, 117.13), (31.23, 121.47), params)
    )
