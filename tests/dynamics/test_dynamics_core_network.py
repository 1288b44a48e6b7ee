"""Factors in blocks solve what the full matrix says, topologies come back for nothing, islands meet again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.errors import SolveError
from grids.case import load_case
from grids.dynamics import (
    IMPEDANCE,
    POWER,
    BusFault,
    GeneratorTrip,
    LineTrip,
    LoadStep,
    Run,
    begin,
    network,
    simulate,
)
from grids.dynamics import start as start_module
from grids.dynamics.factors import factors, find_pattern
from grids.dynamics.kernels.network import Net, solve
from grids.dynamics.network import KEPT, pair_matrix

KUNDUR = load_case("kundur")
TIES = ("line_8_9", "line_8_9b")


@settings(deadline=None, max_examples=25)
@given(st.integers(min_value=2, max_value=60), st.integers(min_value=0, max_value=10**6))
def test_the_factors_solve_the_matrix_with_its_jacobian(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, t = np.arange(size - 1), np.arange(1, size)  # a chain, so that all hang together
    f, t = np.append(f, rng.integers(0, size, size)), np.append(t, rng.integers(0, size, size))
    row, column = np.concatenate([f, t, np.arange(size)]), np.concatenate([t, f, np.arange(size)])
    value = rng.normal(size=row.size) + 1j * rng.normal(size=row.size)
    value[-size:] += 40.0 * size  # dominant: a well-posed system whatever the seed
    value[: size // 2] = 0.0  # open branches stay in the pattern
    jacobian = rng.normal(size=(size, 2, 2))
    pattern = find_pattern(size, row, column)
    lower, upper, pivot = factors(pattern, value, jacobian)
    none = np.zeros((0, 0))
    net = Net(none, jacobian, pattern.place, pattern.start, pattern.row, lower, upper, pivot)
    current = rng.normal(size=size) + 1j * rng.normal(size=size)
    v = np.empty(size, dtype=np.complex128)
    solve(net, current, v, np.empty(2 * size))
    full = np.zeros((size, size), dtype=np.complex128)
    np.add.at(full, (row, column), value)
    real = pair_matrix(full)
    for k in range(size):
        real[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] -= jacobian[k]
    expected = np.linalg.solve(real, current.view(np.float64)).view(np.complex128)
    assert np.abs(v - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("dense_ports", [60, 0], ids=["dense", "sparse"])
def test_a_network_without_a_solution_is_refused(monkeypatch, dense_ports: int) -> None:
    monkeypatch.setattr(network, "DENSE_PORTS", dense_ports)
    monkeypatch.setattr(start_module, "DENSE_PORTS", dense_ports)
    session = begin(KUNDUR)
    net, bus = session.solution.network, 6
    y, source = session.solution._at_bus()
    at_bus = (net.model.branch_from == bus) | (net.model.branch_to == bus)
    net.switching.open_branches.update(np.flatnonzero(at_bus).tolist())
    y[bus], source[bus] = -net.model.bus_y[bus], True  # nothing left at a bus that counts as alive
    with pytest.raises(SolveError, match="singular"):
        net.configure(y, source, session.system.ports, np.zeros((0, 2, 2)))


def test_what_comes_back_is_not_factorised_again() -> None:
    faults = [BusFault(bus=8, at_s=0.1 * k, clear_after_s=0.02) for k in range(1, 7)]
    trips = [LineTrip("line_5_6", at_s=0.8, close_after_s=0.1)]
    session = begin(KUNDUR, [*faults, *trips], step_s=0.01)
    session.advance(1.0)
    assert session.refactored_count == 3  # intact, with the fault, without the line
    assert session.solves_per_stage == 1.0


def test_what_is_remembered_is_bounded() -> None:
    session = begin(KUNDUR, step_s=0.01)
    for k in range(3 * KEPT):
        session.advance(0.01 * (k + 1) * (1.0 + 1e-9 * k), {"load_7": 967.0 + 0.1 * k + 100j})
    assert session.refactored_count > 3 * KEPT - 2
    held = session.solution.network
    assert len(held._configurations) <= KEPT
    assert len(held._topologies) <= KEPT
    assert len(session._schemes) <= 16
    assert session.segments == []
    assert session.log == []


def test_islands_that_meet_again_stand_apart_as_they_did() -> None:
    events = [LineTrip(name, 0.1, close_after_s=0.3) for name in TIES]
    run = simulate(KUNDUR, events, until_s=0.6, step_s=0.01)
    assert run.f_bus_hz.loc[0.39].nunique() == 2  # they had drifted apart
    assert run.f_bus_hz.iloc[-1].nunique() == 1
    delta = run.delta_degree
    for at_s in (0.1, 0.4):
        before, *_, after = delta.loc[at_s].to_numpy()
        assert np.abs(after - before).max() < 1e-9
    apart = delta["gen_3"] - delta["gen_1"]
    assert abs(apart.loc[0.4].iloc[-1] - apart.loc[0.0]) > 20.0


def test_a_fork_while_islanded_continues_bit_by_bit() -> None:
    session = begin(KUNDUR, [LineTrip(name, 0.1, close_after_s=0.3) for name in TIES], step_s=0.01)
    session.advance(0.25)
    fork = session.state()
    session.advance(0.6)
    x, v = session.system.x.copy(), session.v_pu
    session.restore(fork)  # from one island back into two
    session.advance(0.6)
    assert np.array_equal(session.system.x, x)
    assert np.array_equal(session.v_pu, v)


@pytest.mark.parametrize("loads", [IMPEDANCE, POWER], ids=["impedance", "power"])
def test_a_dead_part_is_dark_and_comes_back(loads) -> None:
    names = ("trafo_3_9", "trafo_4_10", *TIES)
    session = begin(KUNDUR, [LineTrip(name, 0.1, close_after_s=0.05) for name in names], loads=loads)
    session.advance(0.3, every=1)
    run = Run(session)
    assert (run.vm_pu.loc[0.11:0.14, ["bus_9", "bus_10"]] == 0.0).all(axis=None)
    assert run.vm_pu["bus_9"].iloc[-1] > 0.3
    assert run.f_bus_hz["bus_9"].iloc[-1] == run.f_bus_hz["bus_1"].iloc[-1]


@pytest.mark.parametrize("loads", [IMPEDANCE, POWER], ids=["impedance", "power"])
def test_without_any_source_all_is_dark(loads) -> None:
    trips = [GeneratorTrip(f"gen_{k}", 0.1) for k in (1, 2, 3, 4)]
    run = simulate(KUNDUR, [*trips, LoadStep(10.0, 0.15, bus=7)], until_s=0.2, step_s=0.01, loads=loads)
    assert (run.vm_pu.iloc[-1] == 0.0).all()
    assert np.isnan(run.f_coi_hz.iloc[-1])
    assert (run.p_mw.iloc[-1] == 0.0).all()
