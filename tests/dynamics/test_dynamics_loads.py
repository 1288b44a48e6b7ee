"""Motors stall and recover; electronic loads hold their power, cease in dips, come back and lock out."""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.errors import CaseError, ScenarioError
from grids.case import load_case
from grids.dynamics import BusFault, Custom, LoadTrip, Run, begin
from grids.dynamics.devices.electronic_load import ElectronicLoad
from grids.dynamics.devices.motor3 import Motor3Params
from grids.dynamics.kernels.electronic_load_rows import ElectronicLoadParams
from grids.dynamics.linear import linearise
from grids.dynamics.tables import Unit

SMIB = load_case("smib")
BASE = float(SMIB.net.sn_mva)
PUMPS = Motor3Params(
    sn_mva=130, rs_pu=0.013, xs_pu=0.067, xm_pu=3.8, rr_pu=0.009, xr_pu=0.17, h_s=0.7, a_pu=1
)
HALL = ElectronicLoadParams(sn_mva=330, ti_s=0)
HALL_MW, HALL_MVAR, IMAX = 300.0, 40.0, HALL.imax_pu * HALL.sn_mva / BASE


def session(*events, hall: ElectronicLoadParams = HALL, pumps: Motor3Params = PUMPS, **more):
    """Return a hall, pumps and a town between a well damped machine and an infinite bus."""
    net = copy.deepcopy(SMIB.net)
    bus = int(net.bus.index[net.bus.name == "high"][0])
    for name, p_mw, q_mvar in (("hall", HALL_MW, HALL_MVAR), ("pumps", 100.0, 60.0), ("town", 100.0, 0.0)):
        pp.create_load(net, bus, p_mw, q_mvar, name=name)
    machines = [
        {"name": "gen", "sn_mva": 2220.0, "h_s": 10.0, "d_pu": 20.0, "xd1_pu": 0.3},
        {"name": "infinite", "sn_mva": 2220.0, "h_s": 1e9, "xd1_pu": 2e-5},
    ]
    net["gencls"] = pd.DataFrame(machines)
    units = [Unit("electronic_load", "hall", hall), Unit("motor3", "pumps", pumps)]
    case = dataclasses.replace(SMIB, net=net, folder=None)
    return begin(case, events, units=units, **more)


def dip(at_s: float, for_s: float = 0.055, x_pu: float = 0.15) -> BusFault:
    """Return a fault that leaves about 0.4 pu at the loads."""
    return BusFault(bus="high", at_s=at_s, clear_after_s=for_s, x_pu=x_pu)


def play(until_s: float, *events, every: int = 1, **more) -> Run:
    """Return a run to its end."""
    ours = session(*events, **more)
    ours.advance(until_s, every=every)
    return Run(ours)


def said(run: Run, word: str) -> list[float]:
    """Return when the log has a word."""
    return [t_s for t_s, text in run.log if word in text]


def test_nothing_moves_where_nothing_happens() -> None:
    ours = session()
    assert np.abs(ours.derivatives).max() < 1e-8
    ours.advance(5.0, every=10)
    run = Run(ours)
    assert np.ptp(run.signal("p_load_pu")["hall"]) < 1e-9
    assert np.ptp(run.signal("slip_pu")["pumps"]) < 1e-9


def test_the_motor_draws_what_its_circuit_does_at_its_slip() -> None:
    ours = session()
    group = ours.system.group("motor3")
    slip, vm = ours.system.x[group.state("slip")][0], abs(ours.v_pu[group.bus[0]])
    rotor = 1 / (1 / (PUMPS.rr_pu / slip + 1j * PUMPS.xr_pu) + 1 / (1j * PUMPS.xm_pu))
    drawn = PUMPS.sn_mva * vm**2 / np.conj(PUMPS.rs_pu + 1j * PUMPS.xs_pu + rotor)
    assert drawn.real == pytest.approx(100.0, rel=1e-9)
    assert 0.0 < slip < 0.02
    shunt_mvar = -group.parameter("b_comp")[0] * vm**2 * BASE
    assert drawn.imag + shunt_mvar == pytest.approx(60.0, rel=1e-9)


def test_a_motor_asked_for_more_than_it_can_pull_is_refused_by_name() -> None:
    with pytest.raises(CaseError, match=r"pumps \(motor3\) sn_mva=40 cannot draw 100 MW at .* pulls out at"):
        session(pumps=PUMPS.model_copy(update={"sn_mva": 40.0}))


PATIENT = HALL.model_copy(update={"tcease_s": 60.0, "nmax_count": 0})
STIFF = PUMPS.model_copy(update={"a_pu": 0.0, "c_pu": 1.0, "rr_pu": 0.02, "sn_mva": 115.0})


@pytest.mark.parametrize(("for_s", "stalls"), [(0.1, False), (0.3, True)])
def test_a_motor_recovers_from_a_short_dip_and_stalls_in_a_long_one(for_s: float, stalls: bool) -> None:
    run = play(4.0, dip(0.1, for_s, x_pu=0.02), pumps=STIFF, hall=PATIENT)
    slip = run.signal("slip_pu")["pumps"]
    assert slip.iloc[-1] == pytest.approx(1.0 if stalls else slip.iloc[0], rel=0.01)
    if stalls:  # it draws the current of its locked rotor
        y = 1 / (1 / (1 / (STIFF.rr_pu + 1j * STIFF.xr_pu) + 1 / (1j * STIFF.xm_pu)) + STIFF.rs_pu + 0.067j)
        expected = STIFF.sn_mva * y.real * run.vm_pu["high"].iloc[-1] ** 2
        assert BASE * run.signal("p_load_pu")["pumps"].iloc[-1] == pytest.approx(expected, rel=0.01)


def test_a_stalling_motor_is_followed_alike_with_long_and_short_steps() -> None:
    def slip(step_s: float) -> "pd.Series[float]":
        run = play(1.5, dip(0.1, 0.3, x_pu=0.02), pumps=STIFF, hall=PATIENT, step_s=step_s)
        return run.signal("slip_pu")["pumps"]

    long, short = slip(1 / 120), slip(1 / 1000)
    late = np.interp(long.index, short.index, short) - long
    assert np.abs(late).max() < 5e-3


def test_a_small_change_of_voltage_leaves_the_power_of_a_hall_as_it_is() -> None:
    run = play(1.0, LoadTrip("pumps", 0.1))
    assert np.ptp(run.vm_pu["high"]) > 0.005
    assert np.ptp(run.signal("p_load_pu")["hall"]) < 1e-9


def test_the_current_stays_at_its_limit_and_the_power_factor_at_its_value() -> None:
    run = play(0.3, dip(0.1), hall=PATIENT)
    p, q, vm = run.signal("p_load_pu")["hall"], run.signal("q_load_pu")["hall"], run.vm_pu["high"]
    current = np.hypot(p, q) / vm
    inside = (run.t_s > 0.101) & (run.t_s < 0.154)
    assert current.max() <= IMAX * (1 + 1e-6)
    assert np.abs(current[inside] - IMAX).max() <= 1e-6 * IMAX
    assert q.to_numpy() / p.to_numpy() == pytest.approx(HALL_MVAR / HALL_MW, rel=1e-9)


def test_the_current_control_holds_the_power_after_its_lag() -> None:
    run = play(0.3, dip(0.1, 0.1, x_pu=2.0), hall=HALL.model_copy(update={"ti_s": 0.02}))
    p, vm = BASE * run.signal("p_load_pu")["hall"], run.vm_pu["high"]
    before, at_once = vm[0.1]
    first_mw = p[0.1].iloc[1]
    assert first_mw == pytest.approx(HALL_MW * at_once / before, rel=1e-9)  # the current has not moved
    assert np.interp(0.2 - 1e-6, run.t_s, p) == pytest.approx(HALL_MW, rel=2e-3)
    assert np.interp(0.12, run.t_s, HALL_MW - p) == pytest.approx((HALL_MW - first_mw) / np.e, rel=0.1)


def test_a_voltage_that_sags_through_the_edge_of_the_limit_has_a_solution() -> None:
    big = PATIENT.model_copy(update={"sn_mva": 7000.0, "tset_s": 0.3, "ti_s": 0.02})
    ours = session(hall=big)
    ours.set_loads({"hall": 9000.0 + 0j})
    ours.advance(2.0, every=1)
    run = Run(ours)
    current = BASE * run.signal("p_load_pu")["hall"] / run.vm_pu["high"]
    assert current.max() == pytest.approx(7000.0 * big.imax_pu, rel=1e-6)
    assert run.vm_pu["high"].min() < 0.75
    assert ours.solves_per_stage < 4.0


def test_a_bolted_fault_at_its_bus_takes_nothing_out_of_it() -> None:
    run = play(0.3, dip(0.1, 0.05, x_pu=1e-7), hall=PATIENT)
    inside = (run.t_s > 0.101) & (run.t_s < 0.149)
    assert run.signal("p_load_pu")["hall"][inside].abs().max() < 1e-6
    assert run.signal("p_load_pu")["hall"].iloc[-1] == pytest.approx(HALL_MW / BASE)


def test_a_hall_ceases_when_its_measured_voltage_was_low_for_long_enough() -> None:
    run = play(0.3, dip(0.1, 0.15))
    before, low = run.vm_pu["high"][0.1]
    crosses_s = 0.1 + HALL.tv_s * np.log((before - low) / (HALL.vcease_pu - low))
    (ceased_s,) = said(run, "ceased")
    assert crosses_s + HALL.tcease_s - 1e-3 <= ceased_s <= crosses_s + HALL.tcease_s + 0.006
    part = run.signal("connected_pu")["hall"]
    assert np.interp(ceased_s + HALL.tdrop_s / 2, run.t_s, part) == pytest.approx(0.5, abs=1e-6)
    assert part.iloc[-1] == 0.0


def test_part_of_what_ceased_comes_back_at_its_rate() -> None:
    hall = HALL.model_copy(update={"fcease_pu": 0.8, "frecon_pu": 0.5, "rrecon_pu_per_s": 1.0})
    run = play(3.0, dip(0.1), hall=hall)
    part, (back_s,) = run.signal("connected_pu")["hall"], said(run, "comes back")
    assert part.min() == pytest.approx(0.2)
    assert np.interp(back_s + 0.1, run.t_s, part) == pytest.approx(0.3, abs=1e-6)
    assert part.iloc[-1] == pytest.approx(0.2 + 0.5 * 0.8)  # 1 - Fcease + Frecon Fcease
    assert run.signal("p_load_pu")["hall"].iloc[-1] == pytest.approx(0.6 * HALL_MW / BASE)


def test_a_reset_brings_the_rest_back_once() -> None:
    hall = HALL.model_copy(update={"fcease_pu": 0.8, "frecon_pu": 0.5, "rrecon_pu_per_s": 5.0})
    ours = session(dip(0.1), dip(3.1), hall=hall)
    part = []
    for to_s in (2.0, 3.0, 5.0):
        ours.advance(to_s)
        part.append(ours.signal("hall", "connected_pu"))
        ours.set_input("hall", "reset", 1.0 if to_s == 2.0 else 0.0)
    assert part == pytest.approx([0.6, 1.0, 0.6])


def test_six_dips_in_82_s_lock_a_hall_out_at_the_third_until_it_is_reset() -> None:
    at_s = [5.0 + 16.4 * i for i in range(6)]
    ours = session(*(dip(t) for t in at_s))
    ours.advance(100.0, every=20)
    ours.set_input("hall", "reset", 1.0)
    ours.advance(110.0, every=20)
    run = Run(ours)
    (locked_s,) = said(run, "locked out")
    assert at_s[2] < locked_s < at_s[2] + 0.055
    assert len(said(run, "ceased")) == 3
    part = run.signal("connected_pu")["hall"]
    assert np.interp(at_s[1] + 10.0, run.t_s, part) == 1.0  # back after the first two
    assert part[(run.t_s > locked_s + 0.1) & (run.t_s < 100.0)].max() == 0.0
    assert np.interp(99.0, run.t_s, run.signal("locked_out")["hall"]) == 1.0
    assert np.interp(at_s[2] + 1.0, run.t_s, run.signal("dips_count")["hall"]) == 3.0
    assert part.iloc[-1] == 1.0
    assert said(run, "reset by hand") == [pytest.approx(100.0, abs=0.01)]


def test_dips_farther_apart_than_the_window_do_not_lock_out() -> None:
    hall = HALL.model_copy(update={"twin_s": 1.9, "trecon_s": 0.2, "rrecon_pu_per_s": 5.0})
    run = play(5.0, *(dip(0.1 + i) for i in range(4)), hall=hall, every=5)
    assert said(run, "locked out") == []
    assert run.signal("dips_count")["hall"].max() == 2.0
    assert run.signal("connected_pu")["hall"].iloc[-1] == 1.0


def test_a_hall_ceases_at_a_voltage_too_high() -> None:
    hall = HALL.model_copy(update={"vhigh_pu": 1.05, "vhrecon_pu": 1.02})
    ours = session(hall=hall)
    ours.set_loads({"town": 100.0 - 2000.0j})
    ours.advance(1.0, every=1)
    run = Run(ours)
    assert run.vm_pu["high"].iloc[1:].min() > 1.05
    (ceased_s,) = said(run, "ceased")
    assert 0.5 < ceased_s < 0.55


def test_a_hall_follows_its_orders_through_its_lag() -> None:
    ours = session()
    ours.advance(0.1)
    ours.set_input("hall", "p_set_pu", 200.0 / BASE)
    ours.advance(0.2, every=1)
    ours.advance(0.3, {"hall": 250.0 + 10.0j})
    run = Run(ours)
    expected = 200.0 + 100.0 * np.exp(-(run.t_s - 0.1) / HALL.tset_s)
    assert (
        np.abs(BASE * run.signal("p_load_pu")["hall"].to_numpy() - expected).max() < 5e-3
    )  # a lag of four steps
    assert ours.signal("hall", "p_load_pu") * BASE == pytest.approx(250.0, abs=0.5)
    assert ours.signal("hall", "q_load_pu") * BASE == pytest.approx(10.0, abs=0.5)
    with pytest.raises(ScenarioError, match=r"no load 'hal' that takes orders.*Did you mean 'hall'"):
        ours.set_loads({"hal": 1.0 + 0j})


def test_a_hall_answers_the_frequency_beyond_its_dead_band() -> None:
    ours = session(hall=HALL.model_copy(update={"kfp_pu": 10.0}))
    group = ours.system.group("gencls")
    ours.system.x[group.state("omega")] = 0.99
    ours.advance(25.0)  # until the swing this starts has died away
    expected = HALL_MW * (1 + 10.0 * (-0.01 - HALL.dbfl_pu))
    assert BASE * ours.signal("hall", "p_load_pu") == pytest.approx(expected, rel=1e-5)


def test_a_washout_lets_the_power_dip_with_the_voltage_and_return() -> None:
    run = play(3.0, LoadTrip("pumps", 0.1), hall=HALL.model_copy(update={"kvp_pu": 2.0, "tvp_s": 0.2}))
    p = BASE * run.signal("p_load_pu")["hall"]
    rise = np.ptp(run.vm_pu["high"])
    assert p.max() - HALL_MW == pytest.approx(2.0 * rise * HALL_MW, rel=0.25)  # the filter takes some of it
    assert p.iloc[-1] == pytest.approx(HALL_MW, rel=1e-3)


def test_what_is_shed_is_gone_whatever_the_kind_of_load_and_stays_away() -> None:
    ours = session()
    ours.shed({"hall": 0.25, "pumps": 0.25, "town": 0.25})
    ours.advance(3.0, every=1)
    run, vm = Run(ours), abs(ours.v_pu[ours.system.group("zip").bus[0]])
    power = BASE * run.signal("p_load_pu")
    assert power["hall"].iloc[0] == pytest.approx(225.0)
    assert power["pumps"].iloc[-1] == pytest.approx(75.0, rel=0.01)  # the rest turns on as before
    town = ours.system.group("zip")
    before_pu = town.parameter("v0")[0]
    drawn = town.cls.admittance(town.block)[0].real * vm**2 * BASE
    assert drawn == pytest.approx(75.0 * (vm / before_pu) ** 2)
    ours.set_loads({"town": 200.0 + 0j})
    assert town.cls.admittance(town.block)[0].real * before_pu**2 * BASE == pytest.approx(150.0)
    with pytest.raises(ScenarioError, match="'gen' has no load that can be shed"):
        ours.shed({"gen": 0.1})


@settings(deadline=None, max_examples=4)
@given(st.floats(min_value=0.11, max_value=1.5))
def test_a_fork_within_the_logic_continues_bit_by_bit(fork_s: float) -> None:
    hall = HALL.model_copy(update={"trecon_s": 0.3, "nmax_count": 2})
    ours = session(dip(0.1), dip(1.3), hall=hall)
    ours.advance(fork_s)
    fork = ours.state()
    ours.advance(2.0)
    x, v, s, log = ours.system.x.copy(), ours.v_pu, ours.system.s.copy(), list(ours.log)
    ours.restore(fork)
    ours.advance(2.0)
    assert np.array_equal(ours.system.x, x)
    assert np.array_equal(ours.v_pu, v)
    assert np.array_equal(ours.system.s, s)
    assert ours.log == log


def test_the_linearised_system_has_the_modes_of_motor_and_hall() -> None:
    found = linearise(session(hall=HALL.model_copy(update={"ti_s": 0.02})))
    names = {name for name in found.states if "motor3" in name}
    assert names == {"pumps (motor3) slip", "pumps (motor3) e1d", "pumps (motor3) e1q"}
    assert found.eigenvalue_per_s.real.max() < 1e-6
    fast = found.participation[[name.endswith(" vi") for name in found.states]][0].argmax()
    assert found.eigenvalue_per_s[fast].real == pytest.approx(-1 / 0.02, rel=0.1)


def test_halving_the_step_converges_at_fourth_order() -> None:
    hall = PATIENT.model_copy(update={"kvp_pu": 1.0, "tvp_s": 0.3, "tap_s": 0.1, "tbp_s": 0.2, "kfp_pu": 1.0})

    def end(step_s: float) -> np.ndarray:
        ours = session(dip(0.1, 0.1, x_pu=2.0), hall=hall, step_s=step_s, tolerance_pu=1e-13)
        ours.advance(1.0)
        return ours.system.x.copy()

    exact = end(1 / 1600)
    errors = [np.abs(end(h) - exact).max() for h in (1 / 100, 1 / 200, 1 / 400)]
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(rates > 3.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sn_mva": 200.0}, r"hall \(electronic_load\) draws 302.7 MVA .*imax_pu allows 217.9"),
        ({"vcease_pu": 0.96, "vrecon_pu": 0.98}, r"hall .* would cease at .* 0.947 pu \(allowed: 0.96 to"),
    ],
)
def test_an_operating_point_beyond_the_limits_is_refused(changes, words: str) -> None:
    with pytest.raises(CaseError, match=words):
        session(hall=HALL.model_copy(update=changes))


def test_thresholds_a_hall_cannot_rest_between_are_found() -> None:
    from grids.dynamics.devices.electronic_load import ElectronicLoad

    wrong = HALL.model_copy(update={"vcease_pu": 0.95, "vhrecon_pu": 1.3})
    assert list(ElectronicLoad.findings(wrong)) == [
        "vcease_pu=0.95 is not below vrecon_pu=0.9",
        "vhrecon_pu=1.3 is above vhigh_pu=1.2",
    ]


@pytest.mark.parametrize("tdrop_s", [0.0, 0.003, 0.02])
def test_a_longer_step_after_a_short_one_takes_no_more_of_the_load_away(tdrop_s: float) -> None:
    half = HALL.model_copy(update={"fcease_pu": 0.5, "tdrop_s": tdrop_s})
    stops = [Custom(at_s, "stop", lambda _session: None) for at_s in (0.127, 0.1275, 0.128)]
    part = play(0.3, dip(0.1), *stops, hall=half).signal("connected_pu")["hall"]
    assert part.min() == pytest.approx(0.5, abs=1e-9)


def test_a_washout_without_a_time_constant_is_refused() -> None:
    wrong = HALL.model_copy(update={"kvp_pu": 1.0})
    assert ElectronicLoad.findings(wrong) == ["tvp_s=0 leaves kvp_pu=1 without a washout to act on"]
