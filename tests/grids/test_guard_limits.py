"""The guard's largest block: against closed forms, and against what the engine does with it."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cosim.core.component import Context, DeviceOffer
from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections, GridEvent
from grids.engine import PowerFlowGrid
from grids.guard.params import GuardParams
from grids.params import PowerFlowParams, RmsParams
from grids.rms import RmsGrid

WIDE = {
    "df_hz": 1e4,
    "rocof_hz_per_s": 1e4,
    "loading_percent": 1e4,
    "vm_min_pu": 0.5,
    "contingencies_count": 0,
}
"""Everything allowed, but what a test narrows."""
NEAR = 0.003  # the search ends within 0.2 % of a limit's width


class Run:
    """An engine with units at points, of which the last ones ask."""

    def __init__(self, case, points, guard, asking=1, **params):
        self.n = len(points)
        told = tuple(k >= self.n - asking for k in range(self.n))
        connections = Connections(
            units=tuple(f"u{k}" for k in range(self.n)), points=points, devices=(None,) * self.n, asking=told
        )
        self.events = []
        wanted = None if guard is None else GuardParams(**guard)
        self.grid = PowerFlowGrid(PowerFlowParams(case=case, guard=wanted, **params), connections)
        context = Context(
            emit=lambda t, unit, kind, text, data="": self.events.append((t, unit, kind, text, data))
        )
        self.grid.reset(context)
        self.t_s = 0.0

    def step(self, *, p_mw=0.0, ask_mw=0.0, coming_mw=0.0, q_mvar=0.0, dt_s=1.0, events=()):
        zero, full = np.zeros(self.n), lambda v: np.broadcast_to(np.asarray(v, dtype=float), self.n).copy()
        names = ("droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
        inputs = {
            "p_mw": full(p_mw),
            "q_mvar": full(q_mvar),
            "ask_mw": full(ask_mw),
            "coming_mw": full(coming_mw),
        }
        inputs |= {**dict.fromkeys(names, zero), "scale_pu": np.zeros(0)}
        tables = self.grid.step(self.t_s, dt_s, inputs, events)
        self.t_s += dt_s
        return tables

    def told(self):
        return [(unit, json.loads(data)) for _, unit, kind, _, data in self.events if kind == "guard"]


def largest(case, point, guard, ask_mw, **params):
    """Return the block granted beside nothing, why, and the run after it was asked for."""
    run = Run(case, (point,), guard, **params)
    run.step()
    room = run.step(ask_mw=ask_mw)["point"]["room_mw"][0]
    return room, run.told()[-1][1], run


def test_the_largest_block_at_the_end_of_a_line_brings_the_voltage_its_quadratic_gives():
    """Two buses: V^4 + V^2 (2 (RP + XQ) - 1) + (R^2 + X^2)(P^2 + Q^2) = 0 [pu], sending end 1 pu."""
    least = 0.96
    room, why, run = largest("two_bus", "b", WIDE | {"vm_min_pu": least, "power_factor_pu": 0.9}, 150.0)
    assert why["limit"] == "voltage"
    assert why["at"] == "b"
    tables = run.step(p_mw=room, q_mvar=room * np.tan(np.arccos(0.9)), dt_s=60.0)  # the horizon
    p, q = tables["bus"]["p_mw"][1] / 100.0, tables["bus"]["q_mvar"][1] / 100.0
    r, x = 2.0 * 100.0 / 220.0**2, 15.0 * 100.0 / 220.0**2
    b, c = 2.0 * (r * p + x * q) - 1.0, (r * r + x * x) * (p * p + q * q)
    vm = np.sqrt((-b + np.sqrt(b * b - 4.0 * c)) / 2.0)
    assert vm == pytest.approx(tables["bus"]["vm_pu"][1], abs=1e-9)
    assert least <= vm < least + NEAR * (1.08 - least)


def test_the_largest_step_has_the_rate_of_change_of_its_swing_equation():
    """Df(t) = B/D (1 - exp(-D t / M)) within the dead-band; the rate is the mean of half a second."""
    limit = 0.02
    room, why, run = largest("two_bus", "b", WIDE | {"rocof_hz_per_s": limit}, 10.0)
    assert why["limit"] == "rocof"
    response = run.grid.inside.response
    m = float((2.0 * response.fleet.h_s * response.fleet.sn_mva / 50.0).sum())
    d = 2.0 / 50.0 * 200.0  # load_damping_pu of the 200 MW of the case
    exact = limit * 0.5 * d / (1.0 - np.exp(-d * 0.5 / m))
    assert room == pytest.approx(exact, rel=NEAR)


def test_a_block_of_the_size_granted_keeps_the_frequency_limit_and_one_of_a_twentieth_more_breaks_it():
    limit = 0.05
    for factor, holds in ((1.0, True), (1.05, False)):
        room, why, run = largest("ningxia", "zhongwei_330", {"df_hz": limit}, 2000.0)
        assert why["limit"] == "frequency"
        lowest = run.step(p_mw=room * factor, dt_s=60.0)["area"]["f_min_hz"][0]
        assert (lowest >= 50.0 - limit) == holds


def test_the_ramp_told_keeps_the_frequency_limit_where_the_step_breaks_it():
    limit = 0.05
    _, why, run = largest("ningxia", "zhongwei_330", {"df_hz": limit}, 2000.0)
    for factor, holds in ((1.0, True), (1.5, False)):
        rising, t_s, lowest = Run("ningxia", ("zhongwei_330",), None), 0.0, 50.0
        rising.step()
        while t_s < 120.0 + 60.0:
            p_mw = min(2000.0, factor * why["ramp_mw_per_min"] * (t_s + 0.5) / 60.0)
            lowest = min(lowest, rising.step(p_mw=p_mw)["area"]["f_min_hz"][0])
            t_s += 1.0
        assert (lowest >= 50.0 - limit) == holds
    assert run.told()[-1][1]["granted_mw"] < 2000.0


def test_after_the_loss_the_guard_names_the_branch_left_carries_what_it_said():
    """The engine loses the element, and its own power flow tells."""
    limits = {"df_hz": 1.0, "after_loss": {"line_percent": 90.0}}
    room, why, run = largest("ningxia", "zhongwei_330", limits, 6000.0, tap_control=False)
    assert (why["limit"], why["unit"]) == ("loading", "%")
    assert why["without"] in run.grid.elements["line"]
    drawn = {"p_mw": room, "q_mvar": room * np.tan(np.arccos(0.98))}
    run.step(**drawn, dt_s=60.0)
    tables = run.step(**drawn, dt_s=0.01, events=[GridEvent(run.t_s, "trip", why["without"])])
    left = tables["line"]["loading_percent"][run.grid.elements["line"].index(why["at"])]
    assert left == pytest.approx(90.0, abs=0.5)


def test_nothing_of_the_run_moves_while_the_guard_looks():
    runs = [Run("anhui", ("hefei_220", "huaibei_220"), {}, asking=2) for _ in range(2)]
    for k in range(8):
        ask = np.array([[0.0, 0.0], [300.0 + k, 5000.0]])
        tables = [run.step(p_mw=10.0 * k, ask_mw=a) for run, a in zip(runs, ask, strict=True)]
        for table, columns in tables[0].items():
            for column in set(columns) - {"room_mw"}:
                assert_array_equal(tables[1][table][column], columns[column], err_msg=f"{table}.{column}")
    assert tables[1]["point"]["room_mw"][0] > 0.0


def test_what_was_let_in_and_is_not_drawn_yet_counts():
    limits = WIDE | {"rocof_hz_per_s": 0.02}
    room, _, run = largest("two_bus", "b", limits, 10.0)
    again = run.step(ask_mw=10.0, coming_mw=room / 2.0)["point"]["room_mw"][0]
    assert again == pytest.approx(room / 2.0, rel=2 * NEAR)


def test_who_waits_longest_is_served_first_and_together_they_hold_the_limit():
    run = Run("two_bus", ("b", "b"), WIDE | {"rocof_hz_per_s": 0.02, "again_s": 0.0}, asking=2)
    run.step()
    alone = run.step(ask_mw=np.array([0.0, 100.0]))["point"]["room_mw"]
    both = run.step(ask_mw=np.array([100.0, 100.0]))["point"]["room_mw"]
    assert alone[1] == pytest.approx(both[1], rel=NEAR)
    assert both[0] <= NEAR * both[1]


def test_a_request_that_did_not_fit_is_looked_at_again_after_its_time_and_told_once():
    run = Run("two_bus", ("b",), WIDE | {"rocof_hz_per_s": 0.02, "again_s": 5.0})
    rooms = [run.step(ask_mw=100.0)["point"]["room_mw"][0] > 0.0 for _ in range(11)]
    assert rooms == [True, False, False, False, False, True, False, False, False, False, True]
    assert len(run.told()) == 1


def test_what_is_beyond_its_limit_already_stops_only_those_who_make_it_worse():
    """The highest voltage of the province lies above this limit before anybody asks."""
    run = Run("ningxia", ("zhongwei_330",), {"vm_max_pu": 1.03})
    vm = run.step()["bus"]["vm_pu"]
    assert np.nanmax(vm) > 1.03
    assert run.step(ask_mw=200.0)["point"]["room_mw"][0] == 200.0


def test_a_request_beyond_any_solution_is_cut_to_what_has_one():
    room, why, run = largest("two_bus", "b", WIDE | {"vm_min_pu": 0.5}, 1e5)
    assert 0.0 < room < 1e4
    assert np.isfinite(run.step(p_mw=room, dt_s=60.0)["bus"]["vm_pu"]).all()
    assert why["granted_mw"] == room


def test_without_a_guard_all_is_allowed_and_said_to_be_unchecked():
    run = Run("two_bus", ("b",), None)
    assert run.step(ask_mw=100.0)["point"]["room_mw"][0] > 1e9
    assert [kind for _, _, kind, *_ in run.events] == ["unguarded"]


def test_in_the_rms_engine_the_guard_answers_from_the_power_flow_that_steps_along():
    connections = Connections(
        units=("hall", "site"),
        points=("bus_16", "bus_16"),
        devices=(None, None),
        hosted=(None, None),
        asking=(False, True),
    )
    params = RmsParams(case="ieee39", guard=GuardParams(df_hz=0.05, contingencies_count=0))
    grid = RmsGrid(params, connections)
    assert "room_mw" in grid.columns["point"]
    told = []
    grid.reset(Context(emit=lambda t, unit, kind, text, data="": told.append((unit, kind))))
    zero = np.zeros(2)
    names = ("q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "coming_mw")
    inputs = {**dict.fromkeys(names, zero), "p_mw": np.array([50.0, 0.0]), "scale_pu": np.zeros(0)}
    for step in range(3):
        tables = grid.step(float(step), 1.0, {**inputs, "ask_mw": np.array([0.0, 900.0])}, ())
        if step == 0:
            room = tables["point"]["room_mw"]
    assert room[0] == 0.0
    assert 10.0 < room[1] < 900.0
    assert tables["point"]["room_mw"][1] == 0.0  # an unchanged request is looked at again later
    assert told.count(("site", "guard")) == 1


def rms_grid(guard):
    """Return New England in the rms engine, a hall drawing at bus 16 and a site asking there."""
    sites = Connections(
        units=("hall", "site"),
        points=("bus_16", "bus_16"),
        devices=(None, None),
        hosted=(None, None),
        asking=(False, True),
    )
    params = RmsParams(case="ieee39", guard=guard, loads="power", inner_step_s=1 / 60)
    grid = RmsGrid(params, sites)
    grid.reset(Context())
    return grid


def hall_and_site(p_mw, ask_mw):
    zero, tan = np.zeros(2), np.tan(np.arccos(0.98))
    names = ("droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "coming_mw")
    powers = {"p_mw": np.array([p_mw, 0.0]), "q_mvar": np.array([p_mw * tan, 0.0])}
    return {
        **dict.fromkeys(names, zero),
        **powers,
        "ask_mw": np.array([0.0, ask_mw]),
        "scale_pu": np.zeros(0),
    }


SWINGS = {
    **WIDE,
    "vm_max_pu": 1.5,
    "rocof_hz_per_s": 2.0,
    "df_hz": 0.1,
    "frequency": "rms",
    "swings": {"horizon_s": 8.0, "inner_step_s": 1 / 60},
}


@pytest.mark.parametrize("engine", ["powerflow", "rms"])
def test_a_block_granted_on_the_fork_of_the_dynamic_model_holds_in_it_and_a_fifth_more_breaks(engine):
    if engine == "rms":
        asked = rms_grid(GuardParams(**SWINGS))
        asked.step(0.0, 1.0, hall_and_site(0.0, 0.0), ())
        room = asked.step(1.0, 1.0, hall_and_site(0.0, 2000.0), ())["point"]["room_mw"][1]
    else:
        room, why, _ = largest("ieee39", "bus_16", SWINGS, 2000.0)
        assert (why["limit"], why["bound"]) == ("frequency", -0.1)
    for factor, holds in ((1.0, True), (1.2, False)):
        grid, lowest = rms_grid(None), 60.0
        grid.step(0.0, 1.0, hall_and_site(0.0, 0.0), ())
        for k in range(8):
            tables = grid.step(1.0 + k, 1.0, hall_and_site(room * factor, 0.0), ())
            lowest = min(lowest, tables["area"]["f_min_hz"][0])
        assert (lowest >= 59.9) == holds


def test_the_dip_that_binds_is_the_one_the_rms_engine_goes_through():
    swings = {"horizon_s": 2.0, "vm_min_pu": 0.9, "inner_step_s": 1 / 60}
    room, why, _ = largest("ieee39", "bus_16", SWINGS | {"df_hz": 1e4, "swings": swings}, 3000.0)
    assert why["limit"] == "dip"
    assert why["value"] == pytest.approx(0.9, abs=0.0005)
    grid = rms_grid(None)
    grid.step(0.0, 1.0, hall_and_site(0.0, 0.0), ())
    place = grid.elements["bus"].index(why["at"])
    seen = [
        grid.step(1.0 + k / 20, 0.05, hall_and_site(room, 0.0), ())["bus"]["vm_pu"][place] for k in range(40)
    ]
    assert min(seen) == pytest.approx(why["value"], abs=0.002)


def test_a_unit_with_a_device_of_its_own_cannot_ask_a_guard_that_follows_rotors():
    site = Connections(
        units=("u",),
        points=("bus_16",),
        devices=(None,),
        hosted=(DeviceOffer({"zip": {}}),),
        asking=(True,),
    )
    with pytest.raises(ScenarioError, match="unit 'u' asks for leave and has a device of its own"):
        PowerFlowGrid(PowerFlowParams(case="ieee39", guard=GuardParams(frequency="rms")), site)


def test_nothing_of_a_dynamic_run_moves_while_its_fork_is_tried():
    grids = [
        rms_grid(GuardParams(**(SWINGS | {"again_s": 0.0, "swings": {"horizon_s": 1.0}}))) for _ in range(2)
    ]
    for k in range(4):
        asks = (0.0, 500.0)
        tables = [
            grid.step(k / 5, 0.2, hall_and_site(100.0 * k, ask), ())
            for grid, ask in zip(grids, asks, strict=True)
        ]
        for table, columns in tables[0].items():
            for column in set(columns) - {"room_mw"}:
                assert_array_equal(tables[1][table][column], columns[column], err_msg=f"{table}.{column}")
    assert tables[1]["point"]["room_mw"][1] > 0.0


def test_a_unit_without_supply_gets_nothing():
    run = Run("two_bus", ("b",), WIDE)
    run.step()
    tables = run.step(ask_mw=10.0, events=[GridEvent(1.0, "trip", "a_b")])
    assert tables["point"]["vm_pu"][0] == 0.0
    assert tables["point"]["room_mw"][0] == 0.0


def test_a_winding_of_three_binds_at_its_rating():
    """Any pandapower network; 140 %, as some of its lines carry 126 % of their rating already."""
    limits = WIDE | {"loading_percent": 140.0, "power_factor_pu": 1.0}
    room, why, run = largest(None, "Bus MV0 20kV", limits, 100.0, network="example_multivoltage")
    assert why["at"] == "HV-MV-MV-Trafo"
    loading = run.step(p_mw=room, dt_s=60.0)["trafo3w"]["loading_percent"][0]
    assert loading == pytest.approx(140.0, abs=0.5)
