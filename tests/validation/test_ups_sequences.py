"""Supplies through dips, exact to the step of the engine, against what their delays add up to.

| sequence | expected | tolerance | source |
|---|---|---|---|
| dip of 55 ms to 0.30 pu at 10 s | battery 10.0, walk-in 20.05, whole 35.05 s | a step an action | delays |
| six such dips in 82 s | locked out at the third, 38.0 s, 0 MW until reset | two steps | dip counter, NERC |
| reset by hand at 300 s | whole at 315.0 s | two steps | walk-in of 15 s |
| no voltage for 20 ms | nothing drops on the ITIC curve | none | ITIC (published, secondary) |
| no voltage, full load | capacitors carry 12 ms | two steps | hold-up of a supply, closed form |

An action begins at the end of the step in which its delay ends: a chain of three is up to three steps late.
"""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from datacenters.psu import Psu
from datacenters.ride_through import ride_through
from datacenters.supply_offer import MARGIN_PU
from datacenters.ups import Ups
from grids.case import load_case
from grids.dynamics import BusFault, Run, begin
from grids.dynamics.kernels.electronic_load_rows import ElectronicLoadParams
from grids.dynamics.tables import Unit

STEP_S = 0.005
HALL_MW = 100.0
SMIB = load_case("smib")
BASE = float(SMIB.net.sn_mva)


def session(device, *events, p_mw=HALL_MW, step_s=STEP_S):
    """Return a hall at the end of a line that an infinite bus feeds."""
    net = copy.deepcopy(SMIB.net)
    bus = int(net.bus.index[net.bus.name == "high"][0])
    pp.create_load(net, bus, p_mw, 0.0, name="hall")
    machines = [
        {"name": "gen", "sn_mva": 2220.0, "h_s": 100.0, "d_pu": 20.0, "xd1_pu": 0.3},
        {"name": "infinite", "sn_mva": 2220.0, "h_s": 1e9, "xd1_pu": 2e-5},
    ]
    net["gencls"] = pd.DataFrame(machines)
    case = dataclasses.replace(SMIB, net=net, folder=None)
    units = [Unit("electronic_load", "hall", ElectronicLoadParams(**device))]
    return begin(case, events, units=units, step_s=step_s)


def dip(at_s, for_s=0.055, x_pu=0.088):
    return BusFault(bus="high", at_s=at_s, clear_after_s=for_s, x_pu=x_pu)


def said(run, word):
    return [t_s for t_s, text in run.log if word in text]


def supply(**changes):
    """Return the device of a hall's only group."""
    ups = Ups(**changes)
    curve = None if ups.ride_through is None else ride_through(ups.ride_through)
    return ups.device(ups.settings(np.random.default_rng(0))[0], MARGIN_PU * HALL_MW, curve)


def played(until_s, device, *events, every=1, **more):
    ours = session(device, *events, **more)
    ours.advance(until_s, every=every)
    return Run(ours)


def connected(run):
    return run.signal("connected_pu")["hall"]


def test_one_dip_to_a_third_takes_ten_seconds_of_battery_and_fifteen_of_walk_in():
    run = played(36.0, supply(), dip(10.0))
    part, t_s = connected(run).to_numpy(), np.asarray(run.t_s)
    assert 0.25 < run.vm_pu["high"].min() < 0.35
    on_battery_s, walk_in_s = t_s[np.flatnonzero(part == 0.0)[0]], t_s[np.flatnonzero(np.diff(part) > 0.0)[0]]
    whole_s = t_s[np.flatnonzero(part < 1.0)[-1] + 1]
    assert [on_battery_s, walk_in_s, whole_s] == pytest.approx([10.005, 20.055, 35.055], abs=3 * STEP_S)
    assert run.signal("p_load_pu")["hall"].iloc[-1] * BASE == pytest.approx(HALL_MW, rel=1e-3)
    assert run.signal("ceased_count")["hall"].iloc[[0, -1]].tolist() == [0.0, 1.0]


def test_six_dips_lock_out_at_the_third_and_a_reset_by_hand_takes_a_walk_in():
    at_s = (5.0, 21.0, 38.0, 54.0, 70.0, 87.0)
    ours = session(supply(), *(dip(t) for t in at_s))
    ours.advance(300.0, every=1)
    ours.set_input("hall", "reset", 1.0)
    ours.advance(316.0, every=1)
    run = Run(ours)
    part, t_s = connected(run).to_numpy(), np.asarray(run.t_s)
    (locked_s,) = said(run, "locked out")
    assert locked_s == pytest.approx(38.0, abs=2 * STEP_S)
    assert part[(t_s > 38.01) & (t_s < 300.0)].max() == 0.0
    assert run.signal("p_load_pu")["hall"][(t_s > 38.01) & (t_s < 300.0)].max() == 0.0
    assert t_s[np.flatnonzero(part < 1.0)[-1] + 1] == pytest.approx(315.0, abs=2 * STEP_S)


@pytest.mark.parametrize(("for_s", "ceases"), [(0.02, False), (0.03, True)])
def test_a_supply_on_the_itic_curve_rides_through_twenty_milliseconds_of_nothing(for_s, ceases):
    run = played(1.0, supply(ride_through="itic"), dip(0.1, for_s, x_pu=1e-7))
    assert run.vm_pu["high"].min() < 0.01
    assert bool(said(run, "ceased")) is ceases


@pytest.mark.parametrize(
    ("x_pu", "lasts_s"),
    [(0.35, 0.2), (1.0, 0.5)],  # leave about 0.64 and 0.80 pu: within 0.02 s and 0.5 s, and 10 s
)
def test_deeper_steps_of_the_curve_end_sooner(x_pu, lasts_s):
    run = played(1.5, supply(ride_through="itic"), dip(0.1, 1.0, x_pu=x_pu))
    low = run.vm_pu["high"].min()
    limit_s = next(t for v, t in ride_through("itic").low_stages() if low < v)
    times = said(run, "ceased")
    assert (limit_s, bool(times)) in {(0.02, True), (0.5, True), (10.0, False)}
    if times:
        assert times[0] == pytest.approx(0.1 + limit_s, abs=2 * STEP_S)


FINE_S = 0.001


@pytest.mark.parametrize(("p_mw", "holds_s"), [(HALL_MW, 0.012), (0.5 * HALL_MW, 0.024)])
def test_capacitors_of_supplies_carry_the_racks_for_their_hold_up(p_mw, holds_s):
    device = Psu(hold_s=0.012).device(HALL_MW, MARGIN_PU * HALL_MW, None)
    run = played(0.3, device, dip(0.1, 0.1, x_pu=1e-7), p_mw=p_mw, step_s=FINE_S)
    (ceased_s,) = said(run, "ceased")
    assert ceased_s == pytest.approx(0.1 + holds_s, abs=2 * FINE_S)
    assert connected(run).iloc[-1] == 0.0


def test_a_dip_shorter_than_the_hold_up_takes_nothing_away_and_its_energy_is_drawn_afterwards():
    device = Psu(hold_s=0.02).device(HALL_MW, MARGIN_PU * HALL_MW, None)
    run = played(0.5, device, dip(0.1, 0.015, x_pu=1e-7), step_s=FINE_S)
    p_mw, t_s = BASE * run.signal("p_load_pu")["hall"].to_numpy(), np.asarray(run.t_s)
    assert said(run, "ceased") == []
    short_mj = np.trapezoid(np.maximum(HALL_MW - p_mw, 0.0), t_s)
    later_mj = np.trapezoid(np.maximum(p_mw - HALL_MW, 0.0), t_s)
    assert short_mj == pytest.approx(HALL_MW * 0.015, rel=0.1)
    assert later_mj == pytest.approx(short_mj, rel=0.1)


def test_a_sag_above_the_edge_of_the_current_limit_is_borne_for_ever_and_below_it_for_a_closed_form():
    device = Psu(hold_s=0.02).device(HALL_MW, MARGIN_PU * HALL_MW, None) | {"ti_s": 0.0}
    shallow = played(2.1, device, dip(0.1, 2.0, x_pu=2.0), step_s=FINE_S)
    assert shallow.vm_pu["high"].min() > 0.8
    assert said(shallow, "ceased") == []
    deep = played(1.0, device, dip(0.1, 0.9, x_pu=0.3), step_s=FINE_S)
    low = float(np.interp(0.11, deep.t_s, deep.vm_pu["high"]))
    assert 0.4 < low < 0.75
    (ceased_s,) = said(deep, "ceased")
    assert ceased_s - 0.1 == pytest.approx(0.02 / (1.0 - 1.25 * low), rel=0.05)


def test_halving_the_step_moves_no_instant_by_more_than_a_step():
    device = Psu(hold_s=0.012).device(HALL_MW, MARGIN_PU * HALL_MW, None)
    times = [
        said(played(0.2, device, dip(0.1, 0.05), step_s=step_s), "ceased")[0] for step_s in (0.002, 0.001)
    ]
    assert times[0] == pytest.approx(times[1], abs=0.002)
