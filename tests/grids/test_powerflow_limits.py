"""Reactive limits on whole nets: who holds, who cannot, what the witness says, why a step has no solution."""

import numpy as np
import pandapower as pp
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections
from grids.case import load_case, load_network
from grids.elements import Elements
from grids.engine import PowerFlowGrid
from grids.network_state import NetworkState
from grids.params import PowerFlowParams
from grids.sources import GEN
from grids.witness import Witness, explain

WITHIN_MVAR = 1e-5  # ten times the tolerance of a limit, which is ten times the solver's
WITHIN_PU = 1e-6  # ten times the tolerance of a set-point
AGREEMENT_PU = 1e-8

NETS = ("case24_ieee_rts", "case118", "anhui")
NONE = np.zeros(0, dtype=np.int64)


def net_of(name):
    return load_case(name).net if name == "anhui" else load_network(name).net


def state_of(net):
    elements = Elements(net, NONE, NONE)
    return NetworkState(net, elements, q_limits=True, tap_control=False, tolerance_mva=1e-8)


def load(state, factor):
    """Scale all loads of the operating point; return the demand."""
    e = state.elements
    e.reset()
    here = e.section["load"]
    e.p_mw[here] *= factor
    e.q_mvar[here] *= factor
    return state.demand()


def solve(state, factor):
    found, _ = state.solve(load(state, factor))
    assert found.converged
    return found


def assert_complementary(state):
    """Every machine is within its range, and off its set-point only on the side its limit explains."""
    s, net = state.sources, state.net
    nothing = np.zeros((2, 0))
    block = s.table(state.flow.needed, state.flow.vm_pu, np.zeros(s.gens), nothing, nothing)
    table = dict(zip(GEN, block, strict=True))
    free = s.alive[: s.gens] & state.reactive.switchable[s.bus[: s.gens]]
    q, vm = table["q_mvar"][: s.gens], table["vm_pu"][: s.gens]
    low = net.gen["min_q_mvar"].fillna(-np.inf).to_numpy()
    high = net.gen["max_q_mvar"].fillna(np.inf).to_numpy()
    off_pu = vm - net.gen["vm_pu"].to_numpy()
    assert free.sum() >= 10
    assert np.all(q[free] <= high[free] + WITHIN_MVAR)
    assert np.all(q[free] >= low[free] - WITHIN_MVAR)
    assert np.all(off_pu[free & (q < high - WITHIN_MVAR)] > -WITHIN_PU)
    assert np.all(off_pu[free & (q > low + WITHIN_MVAR)] < WITHIN_PU)
    return int(np.sum(np.abs(off_pu[free]) > WITHIN_PU))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("path", [(1.1,), (0.7,), (0.7, 1.1), (1.0, 1.15, 0.9)])
def test_a_machine_leaves_its_set_point_only_at_the_limit_that_explains_it(name, path):
    state = state_of(net_of(name))
    for factor in path:
        solve(state, factor)
        off = assert_complementary(state)
    if path[-1] == 1.1:
        assert off > 0  # else the law would say nothing here


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("path", [(0.7, 1.1), (1.1, 0.9)])
def test_the_limits_of_a_former_demand_do_not_change_the_solution(name, path):
    # not a theorem, admissible sets may differ: it holds on these nets
    one, two = state_of(net_of(name)), state_of(net_of(name))
    for factor in path:
        solve(one, factor)
    solve(two, path[-1])
    np.testing.assert_allclose(one.v, two.v, rtol=0, atol=AGREEMENT_PU)


@pytest.mark.parametrize(("name", "factor"), [("case118", 1.0), ("case39", 1.1), ("anhui", 1.1)])
def test_pandapower_with_its_own_limits_finds_the_same_voltages(name, factor):
    state = state_of(net_of(name))
    solve(state, factor)
    assert state.reactive.any_limited
    net = net_of(name)
    for column in ("p_mw", "q_mvar"):
        net.load[column] *= factor
    pp.runpp(net, calculate_voltage_angles=True, enforce_q_lims=True, lightsim2grid=False)
    np.testing.assert_allclose(np.abs(state.v_rows()), net.res_bus["vm_pu"], rtol=0, atol=AGREEMENT_PU)


@pytest.mark.parametrize("name", NETS)
def test_the_witness_finds_the_limits_itself_or_proves_that_ours_are_a_solution(name):
    state = state_of(net_of(name))
    witness = Witness(state, 1)
    for factor in (1.0, 1.1, 0.7):
        solve(state, factor)
        assert witness.difference_pu() < AGREEMENT_PU
    assert witness.record.disagreements == []
    # pandapower never gives a machine its voltage back, so on two of the nets it ends with others at limits
    assert (witness.record.other_limits > 0) == (name != "anhui")


def test_the_witness_is_not_talked_into_a_limit_that_nobody_is_at():
    state = state_of(net_of("case118"))
    witness = Witness(state, 1)
    demand = load(state, 1.0)
    solve(state, 1.0)
    side = state.reactive.side.copy()
    side[np.flatnonzero(state.reactive.switchable & (side == 0))[0]] = 1
    state.flow.restore(side)
    state.reactive.review = lambda q_mvar, vm_pu: []  # a solver that believes what it is told
    assert state.solve(demand)[0].converged
    assert witness.difference_pu() > AGREEMENT_PU
    assert "not a solution within reactive limits" in witness.record.disagreements[0]


def test_a_disagreement_stands_in_the_provenance_also_when_only_the_end_is_checked():
    grid = PowerFlowGrid(PowerFlowParams(network="case14", cross_check_every_count=0), Connections())
    grid.reset(Context())
    names = ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu")
    nothing = {name: np.zeros(0) for name in names}
    grid.step(0.0, 1.0, nothing, ())
    assert grid.provenance()["cross_check"]["disagreements"] == []
    grid._state.model.branch_y *= 1.0 + 1e-5
    grid._state.flow.refresh()
    grid.step(1.0, 1.0, nothing, ())
    grid.finish()
    found = grid.provenance()["cross_check"]["disagreements"]
    assert len(found) == 1
    assert "exchange 2: voltages differ from pandapower's by" in found[0]
    grid.reset(Context())
    assert grid.provenance()["cross_check"]["disagreements"] == []


def test_a_collapse_at_reactive_limits_names_the_machines_and_where_power_is_missing():
    state = state_of(net_of("anhui"))
    solve(state, 1.0)
    before = state.reactive.side.copy()
    demand = load(state, 1.2)
    assert not state.solve(demand)[0].converged
    told = explain(state, demand)
    assert told.mismatch_mva > 1.0
    assert len(told.limited) >= 5
    assert {name.rsplit(" (", 1)[0] for name in told.limited} <= set(state.sources.names)
    assert told.free is True
    assert 0.0 < told.solvable_pu < 1.0
    text = told.text()
    assert "(upper)" in text
    assert "; solvable without reactive limits; largest mismatch" in text
    np.testing.assert_array_equal(state.reactive.side, before)
    # what it says about limits is so: without them the same demand has a solution
    net = net_of("anhui")
    free = NetworkState(net, Elements(net, NONE, NONE), q_limits=False, tap_control=False, tolerance_mva=1e-8)
    solve(free, 1.2)


def test_a_collapse_that_has_nothing_to_do_with_limits_says_so():
    state = state_of(net_of("anhui"))
    solve(state, 1.0)
    demand = load(state, 6.0)
    assert not state.solve(demand)[0].converged
    told = explain(state, demand)
    assert told.free is not True
    assert told.mismatch_mva > 1.0
