"""Tap changers, switched shunts and reactive limits act when they should and only then."""

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams

NONE = np.zeros(0)


def radial(tmp_path, **trafo):
    """Write a net with one OLTC transformer from 110 kV to 20 kV and one load; return its file."""
    net = pp.create_empty_network(sn_mva=100.0)
    high, low, end = (
        pp.create_bus(net, kv, name=name) for kv, name in ((110, "hv"), (20, "lv"), (20, "end"))
    )
    pp.create_ext_grid(net, high, vm_pu=1.0, name="grid")
    pp.create_transformer(net, high, low, "40 MVA 110/20 kV", name="t")
    pp.create_line(net, low, end, 5.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="l")
    pp.create_load(net, end, 1.0, 0.3, name="town")
    settings = {"tap_control": "lv", "vm_set_pu": 1.0, "vm_deadband_pu": 0.02, "delay_s": 30.0}
    for column, value in {**settings, **trafo}.items():
        net.trafo[column] = value
    path = tmp_path / "radial.json"
    pp.to_json(net, str(path))
    return path


def run(path, powers, dt_s=10.0, point="end", q_share=0.3, **params):
    """Step a grid with one unit; return what happened and the tables of every step."""
    events = []
    connections = Connections(("unit",), (point,), (None,))
    grid = PowerFlowGrid(PowerFlowParams(network=str(path), **params), connections)
    grid.reset(Context(emit=lambda *event: events.append(event)))
    tables = []
    for k, p_mw in enumerate(powers):
        zero = np.zeros(1)
        inputs = {"p_mw": np.array([p_mw]), "q_mvar": np.array([q_share * p_mw]), "scale_pu": NONE}
        inputs |= dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), zero)
        tables.append(grid.step(k * dt_s, dt_s, inputs, ()))
    return tables, [event for event in events if event[2] != "dispatch_limit"], grid


def taps(tables):
    return [float(t["trafo"]["tap_pos"][0]) for t in tables]


def vm_lv(tables):
    return np.array([t["bus"]["vm_pu"][1] for t in tables])


def test_no_tap_moves_while_the_voltage_is_inside_the_dead_band(tmp_path):
    tables, events, _ = run(radial(tmp_path, vm_deadband_pu=0.2), [0.0, 10.0, 20.0, 5.0] * 3)
    assert set(taps(tables)) == {0.0}
    assert events == []


def test_a_tap_waits_for_its_delay_and_then_moves_one_step_towards_the_band(tmp_path):
    # outside from the second interval on: 30 s are full at the end of the fourth
    tables, events, _ = run(radial(tmp_path), [0.0] + [18.0] * 11)
    moves = np.flatnonzero(np.diff(taps(tables)))
    assert taps(tables)[:3] == [0.0, 0.0, 0.0]
    assert moves[0] == 2
    assert np.all(np.diff(moves) == 3)  # one step per delay
    assert set(np.diff(taps(tables))) == {0.0, -1.0}  # fewer turns on the high side raise the low side
    assert vm_lv(tables)[2] < 0.98 <= vm_lv(tables)[-1]
    assert [event[2] for event in events] == ["tap_move"] * moves.size


def test_a_voltage_that_comes_back_in_time_resets_the_clock(tmp_path):
    tables, events, _ = run(radial(tmp_path), [18.0, 18.0, 0.0] * 5)
    assert set(taps(tables)) == {0.0}
    assert events == []


def test_taps_act_on_simulated_time_not_on_the_number_of_exchanges(tmp_path):
    coarse, _, _ = run(radial(tmp_path), [18.0] * 4, dt_s=60.0)
    fine, _, _ = run(radial(tmp_path), [18.0] * 24, dt_s=10.0)
    np.testing.assert_array_equal(taps(coarse), taps(fine)[5::6])


def test_a_tap_stops_at_its_last_position(tmp_path):
    tables, _, _ = run(radial(tmp_path, tap_min=-1.0, delay_s=0.0), [25.0] * 6)
    assert min(taps(tables)) == -1.0
    assert vm_lv(tables)[-1] < 0.98


def test_tap_control_can_be_switched_off(tmp_path):
    tables, events, _ = run(radial(tmp_path), [18.0] * 8, tap_control=False)
    assert set(taps(tables)) == {0.0}
    assert events == []


def test_a_moved_tap_gives_the_voltages_pandapower_finds_at_that_position(tmp_path):
    path = radial(tmp_path, delay_s=0.0)
    tables, _, grid = run(path, [18.0] * 3)
    net = pp.from_json(str(path))
    net.trafo["tap_pos"] = taps(tables)[-1]
    assert taps(tables)[-1] != 0.0
    pp.create_load(net, 2, 18.0, 5.4)
    pp.runpp(net)
    np.testing.assert_allclose(tables[-1]["bus"]["vm_pu"], net.res_bus["vm_pu"], rtol=0, atol=1e-8)
    assert grid.cross_check() < 1e-8


def step_once(grid, k, p_mw, events=()):
    zero = np.zeros(1)
    inputs = {"p_mw": np.array([p_mw]), "q_mvar": np.array([0.3 * p_mw]), "scale_pu": NONE}
    inputs |= dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), zero)
    return grid.step(10.0 * k, 10.0, inputs, events)


def test_a_tripped_transformer_does_not_tap_while_its_parallel_neighbour_does(tmp_path):
    path = radial(tmp_path)
    net = pp.from_json(str(path))
    net.trafo = pd.concat([net.trafo, net.trafo.assign(name="t2")], ignore_index=True)
    pp.to_json(net, str(path))
    events = []
    grid = PowerFlowGrid(PowerFlowParams(network=str(path)), Connections(("unit",), ("end",), (None,)))
    grid.reset(Context(emit=lambda *event: events.append(event)))
    step_once(grid, 0, 18.0, [GridEvent(0.0, "trip", "t2")])
    away = [step_once(grid, k, 18.0)["trafo"]["tap_pos"] for k in range(1, 12)]
    assert {tap[1] for tap in away} == {0.0}
    assert away[-1][0] < 0.0
    assert {event[1] for event in events if event[2] == "tap_move"} == {"t"}
    assert grid.cross_check() < 1e-8
    step_once(grid, 12, 25.0, [GridEvent(120.0, "close", "t2")])
    back = [step_once(grid, k, 25.0 * 2)["trafo"]["tap_pos"] for k in range(13, 24)]
    assert back[-1][1] < 0.0  # in service again, it acts again
    assert grid.cross_check() < 1e-8


def test_a_shunt_out_of_service_is_not_switched(tmp_path):
    path = with_shunt(tmp_path, -2.0)
    net = pp.from_json(str(path))
    net.shunt["in_service"] = False
    pp.to_json(net, str(path))
    tables, events, grid = run(path, [0.0, 26.0, 26.0, 26.0])
    assert vm_lv(tables)[-1] < 0.97
    assert events == []
    assert float(grid._state.net.shunt["step"].iloc[0]) == 1.0


def with_shunt(tmp_path, q_mvar):
    path = radial(tmp_path, tap_control="")
    net = pp.from_json(str(path))
    pp.create_shunt(net, 1, q_mvar=q_mvar, step=1, max_step=3, name="bank")
    for column, value in {
        "control": "voltage",
        "vm_low_pu": 0.97,
        "vm_high_pu": 1.03,
        "delay_s": 20.0,
    }.items():
        net.shunt[column] = value
    pp.to_json(net, str(path))
    return path


@pytest.mark.parametrize(("q_mvar", "step"), [(-2.0, 2.0), (2.0, 0.0)])
def test_a_low_voltage_adds_capacitors_and_takes_reactors_away(tmp_path, q_mvar, step):
    tables, events, grid = run(with_shunt(tmp_path, q_mvar), [0.0, 26.0, 26.0, 26.0])
    assert [event[2] for event in events] == ["step_move"]
    assert float(grid._state.net.shunt["step"].iloc[0]) == step
    assert vm_lv(tables)[3] > vm_lv(tables)[1]
    assert grid.cross_check() < 1e-8


def held(tmp_path, limit_mvar):
    """Write a net whose gen holds the far end of a line within a reactive limit."""
    net = pp.create_empty_network(sn_mva=100.0)
    a, b = pp.create_bus(net, 110, name="a"), pp.create_bus(net, 110, name="b")
    pp.create_ext_grid(net, a, vm_pu=1.0, name="grid")
    pp.create_line_from_parameters(net, a, b, 40.0, 0.06, 0.4, 9.0, 1.0, name="ab")
    pp.create_gen(net, b, 20.0, vm_pu=1.0, min_q_mvar=-limit_mvar, max_q_mvar=limit_mvar, name="g")
    path = tmp_path / "held.json"
    pp.to_json(net, str(path))
    return path


def test_a_machine_leaves_its_set_point_at_its_limit_and_takes_it_up_again(tmp_path):
    path = held(tmp_path, 15.0)
    tables, events, grid = run(path, [10.0, 60.0, 60.0, 10.0], dt_s=0.1, point="b", q_share=0.5)
    q = np.array([t["gen"]["q_mvar"][0] for t in tables])
    vm = np.array([t["bus"]["vm_pu"][1] for t in tables])
    assert vm[0] == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(q[1:3], 15.0, rtol=0, atol=1e-6)
    assert np.all(vm[1:3] < 1.0 - 1e-4)
    assert vm[3] == pytest.approx(1.0, abs=1e-9)
    assert abs(q[3]) < 15.0
    assert [event[2] for event in events] == ["q_limit", "q_limit"]
    assert "upper reactive limit 15 Mvar" in events[0][3]
    assert grid.cross_check() < 1e-8


def test_reactive_limits_equal_pandapowers(tmp_path):
    path = held(tmp_path, 15.0)
    net = pp.from_json(str(path))
    pp.create_load(net, 1, 60.0, 30.0)
    pp.to_json(net, str(path))
    grid = PowerFlowGrid(PowerFlowParams(network=str(path)), Connections())
    tables = grid.reset(Context())
    pp.runpp(net, enforce_q_lims=True)
    np.testing.assert_allclose(tables["bus"]["vm_pu"], net.res_bus["vm_pu"], rtol=0, atol=1e-8)


def test_limits_can_be_left_out(tmp_path):
    path = held(tmp_path, 15.0)
    tables, events, _ = run(path, [60.0], dt_s=0.1, point="b", q_share=0.5, q_limits=False)
    assert tables[0]["bus"]["vm_pu"][1] == pytest.approx(1.0, abs=1e-9)
    assert tables[0]["gen"]["q_mvar"][0] > 15.0
    assert events == []
