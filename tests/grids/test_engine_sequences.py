"""Trips, closings, profiles and shortages, one after another: the books of an area still balance."""

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.balance import Balance
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams
from grids.response import rest_load_mw

RESIDUAL_MW = 1e-6  # 1e-8 MVA of mismatch at each of a hundred buses
DAMPING_PU, F0_HZ = 1.5, 60.0  # of ieee39


class Run:
    """A grid stepped with little ceremony."""

    def __init__(self, points=(), drivers=(), **params):
        units = tuple(f"unit_{k}" for k in range(len(points)))
        names = tuple(f"day_{what}" for what in drivers)
        connections = Connections(units, tuple(points), (None,) * len(units), drivers=names, driven=drivers)
        self.grid = PowerFlowGrid(PowerFlowParams(**params), connections)
        self.reset()

    def reset(self):
        self.t_s, self.events = 0.0, []
        self.start = self.grid.reset(Context(emit=lambda *event: self.events.append(event)))

    def step(self, dt_s=1.0, p_mw=(), scale=(), **actions):
        p, zero = np.asarray(p_mw, dtype=float), np.zeros(len(p_mw))
        names = ("q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
        inputs = {**dict.fromkeys(names, zero), "p_mw": p, "scale_pu": np.asarray(scale, dtype=float)}
        events = [GridEvent(self.t_s, do, what) for do, names in actions.items() for what in names]
        tables = self.grid.step(self.t_s, dt_s, inputs, events)
        self.t_s += dt_s
        return tables

    def kinds(self):
        return [event[2] for event in self.events]


def of(tables, table, column):
    return float(tables[table][column][0])


def residual(tables):
    return abs(of(tables, "grid", "slack_residual_mw"))


def network(path, shares=0.0, idle=True):
    """Fourteen buses: loads of one type, one machine out of service at the start."""
    net = pn.case14()
    net.load["type"] = "town"
    net.load["name"] = [f"load_{k}" for k in range(len(net.load))]
    net.gen["name"] = [f"gen_{k}" for k in range(len(net.gen))]
    net.gen["p_mw"] = [40.0, 20.0, 25.0, 15.0]
    if idle:
        net.gen.loc[net.gen.index[1], "in_service"] = False
    net.load["const_z_p_percent"] = 100.0 * shares
    pp.to_json(net, str(path))
    return str(path)


@pytest.fixture(scope="module")
def fourteen(tmp_path_factory):
    return Run(["1"], ("town",), network=network(tmp_path_factory.mktemp("net") / "net.json"))


NAMES = ("gen_0", "gen_1", "gen_2", "load_3", "load_5")
moves = st.lists(
    st.tuples(st.sampled_from(["trip", "close"]), st.sampled_from(NAMES), st.floats(0.7, 1.5)),
    min_size=3,
    max_size=10,
)


@settings(deadline=None, max_examples=15)
@given(moves, st.sampled_from([1.0, 20.0]))
def test_no_sequence_of_trips_closings_and_profiles_counts_a_megawatt_twice(fourteen, sequence, dt_s):
    fourteen.reset()
    fourteen.step(dt_s, [2.0], [1.0])
    for action, name, scale in sequence:
        tables = fourteen.step(dt_s, [3.0], [scale], **{action: [name]})
        assert of(tables, "grid", "converged_pu") == 1.0
        assert residual(tables) < RESIDUAL_MW


def test_a_machine_closed_after_the_start_is_not_dispatched_for_the_plan(fourteen):
    """What it brings is surplus against the plan, so it cannot also take part of the plan's changes."""
    fourteen.reset()
    fourteen.step(20.0, [0.0], [1.0])
    fourteen.step(20.0, [0.0], [1.0], close=["gen_1"])
    for _ in range(12):
        before = fourteen.step(60.0, [0.0], [1.0])
    after = fourteen.step(1.0, [0.0], [1.2])
    assert of(before, "area", "p_imbalance_mw") == pytest.approx(-20.0, abs=1e-9)
    assert of(after, "area", "p_imbalance_mw") == pytest.approx(-20.0, abs=1e-9)
    assert residual(after) < RESIDUAL_MW


def test_every_living_load_is_damped_by_the_same_share_whatever_else_is_dead():
    """Behind trafo_6_31 only 9.2 MW of load stay alive: damping has nothing else to act on."""
    run = Run(case="ieee39")
    run.step()
    tables = run.step(trip=["trafo_6_31"])
    for _ in range(3):
        shift_hz = of(tables, "area", "f_hz") - F0_HZ
        assert of(tables, "grid", "load_mw") == pytest.approx(9.2 * (1 + DAMPING_PU * shift_hz / F0_HZ), 1e-9)
        damping = -DAMPING_PU * 9.2 * shift_hz / F0_HZ
        assert of(tables, "area", "p_damping_mw") == pytest.approx(damping, rel=1e-9)
        tables = run.step()


@settings(deadline=None, max_examples=5)
@given(st.lists(st.sampled_from([f"load_{k}" for k in (3, 4, 8, 20)]), unique=True), st.floats(0.9, 1.1))
def test_damping_follows_living_load_and_its_profile(names, scale):
    run = Run(["bus_20"], ("load_39",), case="ieee39")
    run.step(1.0, [0.0], [1.0])
    tables = run.step(5.0, [200.0], [scale], trip=names)
    shift_hz = of(tables, "area", "f_hz") - F0_HZ
    planned = float(run.grid._schedule.loads_mw[0])
    drawn = of(tables, "grid", "load_mw") - 200.0
    assert drawn == pytest.approx(planned * (1 + DAMPING_PU * shift_hz / F0_HZ), abs=1e-6)
    given_mw = tables["gen"]["p_response_mw"].sum() + of(tables, "area", "p_damping_mw")
    assert given_mw == pytest.approx(of(tables, "area", "p_imbalance_mw"), abs=1e-6)


@pytest.mark.parametrize("tripped", [(), ("Jiangsu 500 kV interchange",), ("Shanghai interchange",)])
def test_the_rest_of_the_area_comes_in_over_living_ties_by_share(tripped):
    run = Run(["hefei_220"], case="anhui")
    e, state = run.grid._elements, run.grid._state
    run.step(1.0, [10.0])
    run.step(1.0, [10.0], trip=tripped)
    before = -e.p_mw[e.section["tie"]].copy()
    tables = run.step(5.0, [310.0])
    brought = -e.p_mw[e.section["tie"]]
    ties = run.grid._case.net["ties"]
    living = ~ties["element"].isin(tripped).to_numpy()
    share = ties["share_pu"].to_numpy() * living
    np.testing.assert_allclose(brought, share / share.sum() * brought.sum(), rtol=1e-9)
    own = tables["gen"]["p_response_mw"].sum() - sum(
        brought[k] for k, tie in enumerate(run.grid._ties) if tie.table != "sgen"
    )
    loads = of(tables, "grid", "load_mw") - 310.0
    damped = float(run.grid._schedule.loads_mw[0]) - loads
    imbalance = of(tables, "area", "p_imbalance_mw")
    assert own + damped + brought.sum() == pytest.approx(imbalance, abs=1e-5)
    assert np.all(brought[~living] == 0.0)
    assert np.all(brought[living] > before[living])
    assert residual(tables) < 2 * RESIDUAL_MW
    gens = state.elements.names["gen"]
    for k, tie in enumerate(run.grid._ties):
        if tie.table == "gen" and not living[k]:
            assert tables["gen"]["p_mw"][gens.index(ties["element"][k])] == 0.0


def test_an_island_without_plants_left_misses_the_planned_change():
    """The plant has 118 MW of room; of 200 MW more load 82 MW stay unbalanced, and frequency shows it."""
    run = Run(["b"], ("prefecture",), case="two_bus")
    assert np.all(rest_load_mw(run.grid._case.net) == 0.0)
    tables = run.step(1.0, [0.0], [1.0])
    assert of(tables, "area", "p_imbalance_mw") == 0.0
    tables = run.step(1.0, [0.0], [2.0])
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(82.0, abs=1e-9)
    assert of(tables, "area", "f_hz") < 50.0
    assert residual(tables) < RESIDUAL_MW
    tables = run.step(1.0, [0.0], [1.0])
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(0.0, abs=1e-9)
    assert run.kinds().count("dispatch_limit") == 1


def test_the_first_exchange_knows_shortage_too():
    run = Run(["b"], case="two_bus")
    tables = run.step(1.0, [150.0])
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(32.0, abs=1e-9)
    assert of(tables, "area", "f_hz") < 50.0
    assert residual(tables) < RESIDUAL_MW
    assert "dispatch_limit" in run.kinds()


def test_the_rest_of_an_area_delivers_what_no_plant_can_over_its_ties():
    run = Run(["hefei_220"], case="anhui")
    schedule, e = run.grid._schedule, run.grid._elements
    schedule._participation[:] = 0.0  # nobody left to dispatch
    tables = run.step(1.0, [300.0])
    share = run.grid._case.net["ties"]["share_pu"].to_numpy()
    np.testing.assert_allclose(-e.p_mw[e.section["tie"]], 300.0 * share / share.sum(), rtol=1e-9)
    assert of(tables, "area", "f_hz") == 50.0
    assert residual(tables) < RESIDUAL_MW
    assert "dispatch_limit" in run.kinds()


@settings(deadline=None, max_examples=5)
@given(st.lists(st.floats(0.3, 1.5), min_size=1, max_size=4), st.floats(0.8, 1.2))
def test_what_has_tripped_is_missing_with_its_last_plan_whatever_its_profile_does(profile, last):
    run = Run(["bus_20"], ("load_39",), case="ieee39")
    run.step(1.0, [0.0], [1.0])
    start = float(run.grid._schedule.loads_mw[0])
    run.step(1.0, [0.0], [0.9])
    imbalance = of(run.step(1.0, [0.0], [0.9], trip=["load_39"]), "area", "p_imbalance_mw")
    gone = start - float(run.grid._schedule.loads_mw[0])
    assert gone == pytest.approx(1104.0)
    assert imbalance == pytest.approx(-0.9 * 1104.0)
    for scale in profile:
        tables = run.step(1.0, [0.0], [scale])
        assert of(tables, "area", "p_imbalance_mw") == pytest.approx(imbalance, abs=1e-9)
        assert residual(tables) < RESIDUAL_MW
    tables = run.step(1.0, [0.0], [last], close=["load_39"])
    left = run.grid._schedule.missing_mw[0]
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(left, abs=1e-9)
    assert residual(tables) < RESIDUAL_MW


def test_a_closed_machine_starts_near_its_minimum_and_ramps_to_its_plan():
    run = Run(case="ieee39")
    run.step()
    at = run.grid.elements["gen"].index("gen_38")
    fleet = run.grid._response.fleet
    plan = fleet.p0_mw[at]
    rate = fleet.agc_rate_pu_per_s[at] * fleet.p_rated_mw[at]
    tables = run.step(1.0, trip=["gen_38"])
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(plan)
    tables = run.step(30.0, close=["gen_38"])
    assert of(tables, "area", "p_imbalance_mw") == pytest.approx(plan - max(fleet.min_p_mw[at], 0.0))
    assert "synchronised" in run.kinds()
    missing = of(tables, "area", "p_imbalance_mw")
    for _ in range(110):
        tables = run.step(30.0)
        expected = max(missing - 30.0 * rate, 0.0)
        missing = of(tables, "area", "p_imbalance_mw")
        assert missing == pytest.approx(expected, abs=1e-6)
        assert residual(tables) < RESIDUAL_MW
    assert missing == 0.0


def test_planned_changes_leave_machines_within_their_range_with_what_they_already_deliver():
    run = Run(["bus_20"], ("load_39",), case="ieee39")
    run.step(1.0, [0.0], [1.0])
    for _ in range(8):
        run.step(60.0, [500.0], [1.0])
    fleet, response = run.grid._response.fleet, run.grid._response
    for scale in (1.1, 1.2, 1.3, 1.5):
        before = response.delivered_mw.copy()
        run.step(1.0, [500.0], [scale])
        room = fleet.max_p_mw[: before.size] - run.grid._schedule.gens_mw() - np.maximum(before, 0.0)
        assert np.all(room >= -1e-6)


@pytest.mark.parametrize("shares", [0.5, 1.0])
def test_what_loads_draw_more_with_voltage_is_an_imbalance_one_exchange_late(tmp_path, shares):
    run = Run(["4"], network=network(tmp_path / "net.json", shares=shares))
    first = run.step(1.0, [1.0])
    for _ in range(3):
        tables = run.step(1.0, [1.0])
        assert of(tables, "area", "f_hz") == pytest.approx(of(first, "area", "f_hz"), abs=1e-9)
        assert residual(tables) < RESIDUAL_MW
    for _ in range(5):
        tables = run.step(1.0, [21.0])
        assert residual(tables) < RESIDUAL_MW
    assert of(tables, "area", "p_imbalance_mw") < 20.0 - 1e-3  # lower voltage, less drawn


def test_fixed_elements_count_in_their_own_area(tmp_path):
    net = pp.from_json(network(tmp_path / "net.json"))
    pp.create_storage(net, net.bus.index[13], p_mw=7.0, max_e_mwh=1.0)
    pp.to_json(net, str(tmp_path / "net.json"))
    run = Run(network=str(tmp_path / "net.json"))
    state, row_area = run.grid._state, np.zeros(14, dtype=np.int64)
    row_area[13] = 1
    balance = Balance(state, row_area, 2)
    lines = run.grid._elements.names["line"]
    at = net.bus.index[13]
    ends = np.flatnonzero((net.line["from_bus"] == at) | (net.line["to_bus"] == at))
    state.switch([("line", int(k), False) for k in ends])
    balance.attach()
    np.testing.assert_allclose(balance.beyond_mw(), [0.0, -7.0], atol=1e-12)
    assert len(lines) > len(ends)
