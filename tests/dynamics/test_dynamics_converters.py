"""Converters against closed forms: droop, inertia, current limits, lags, charge, primary response."""

import copy
import dataclasses
from collections.abc import Sequence

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from cosim.core.errors import CaseError
from grids.case import Case, load_case
from grids.dynamics import BusFault, GeneratorTrip, LoadStep, Run, Session, begin, simulate
from grids.dynamics.devices.reec_a import ReecAParams
from grids.dynamics.devices.reec_c import ReecCParams
from grids.dynamics.devices.regc_a import RegcAParams
from grids.dynamics.devices.regfm_a1 import RegfmA1Params
from grids.dynamics.devices.regfm_b1 import RegfmB1Params
from grids.dynamics.devices.repc_a import RepcAParams, gbt_40595_storage
from grids.dynamics.devices.statcom import StatcomParams
from grids.dynamics.events import Event, find_bus
from grids.dynamics.linear import linearise
from grids.dynamics.operating import solve_operating_point
from grids.dynamics.tables import Unit, read_units

F_HZ = 50.0
QUIET = RepcAParams(fflag_code=0, kp_pu=0.0, ki_per_s=0.0)
SN_MVA = 100.0


@pytest.fixture(scope="module")
def island() -> Case:
    """Return an island of 50 Hz that a droop converter and a virtual machine feed alone."""
    net = pp.create_empty_network(f_hz=F_HZ, sn_mva=100.0)
    buses = [pp.create_bus(net, 110.0, name=f"bus_{i}") for i in (1, 2, 3)]
    for k in (0, 1):
        pp.create_line_from_parameters(
            net, buses[k], buses[2], 10.0, 0.1, 0.4, 0.0, 1.0, name=f"line_{k + 1}"
        )
    pp.create_ext_grid(net, buses[0], vm_pu=1.0, name="droop")
    pp.create_gen(net, buses[1], p_mw=40.0, vm_pu=1.0, name="machine")
    pp.create_load(net, buses[2], p_mw=80.0, q_mvar=20.0, name="load")
    return Case("island", None, net, {}, None, {"f_nominal_hz": F_HZ})


def forming(droop: dict[str, float] | None = None, machine: dict[str, float] | None = None) -> list[Unit]:
    """Return the two converters of the island."""
    return [
        Unit("regfm_a1", "droop", RegfmA1Params(sn_mva=SN_MVA, **(droop or {}))),
        Unit("regfm_b1", "machine", RegfmB1Params(sn_mva=SN_MVA, **(machine or {}))),
    ]


def test_an_island_of_grid_forming_converters_starts_flat(island: Case) -> None:
    assert np.abs(begin(island, units=forming()).derivatives).max() < 1e-8


def test_droop_alone_holds_frequency_and_voltage_of_an_island(island: Case) -> None:
    run = simulate(island, [LoadStep(bus=3, p_mw=20.0, q_mvar=10.0, at_s=0.1)], until_s=15.0, units=forming())
    p_mw, q_mvar, vm_pu = run.p_mw.iloc[-1] - run.p_mw.iloc[0], run.q_mvar, run.vm_pu
    assert p_mw.sum() > 19.0
    for unit, bus in (("droop", "bus_1"), ("machine", "bus_2")):
        expected_hz = F_HZ * (1.0 - 0.02 * p_mw[unit] / SN_MVA)
        assert run.f_coi_hz.iloc[-1] == pytest.approx(expected_hz, abs=1e-6)
        expected_pu = 1.0 - 0.05 * (q_mvar[unit].iloc[-1] - q_mvar[unit].iloc[0]) / SN_MVA
        assert vm_pu[bus].iloc[-1] == pytest.approx(expected_pu, abs=1e-6)


def test_a_set_point_moves_power_between_converters_along_the_droop(island: Case) -> None:
    session = begin(island, units=forming())
    before_mw = session.signal("droop", "p") * 100.0
    session.set_input("droop", "p_set_mw", before_mw + 10.0)
    session.advance(20.0, every=10)
    run = Run(session)
    assert run.p_mw["droop"].iloc[-1] - before_mw == pytest.approx(5.0, abs=0.05)  # equal droops halve it
    assert run.f_coi_hz.iloc[-1] == pytest.approx(F_HZ * (1.0 + 0.02 * 0.05), abs=1e-3)


def test_the_virtual_machine_falls_at_the_rate_of_its_inertia(island: Case) -> None:
    machine = {"h_s": 5.0, "d1_pu": 1e-3, "d2_pu": 0.0, "fflag_code": 0, "tpf_s": 0.002}
    events = [GeneratorTrip("droop", at_s=0.1)]
    run = simulate(island, events, until_s=0.4, step_s=0.002, units=forming(machine=machine))
    t_s, speed = run.t_s, run.speed_pu["machine"].to_numpy()
    span = (t_s > 0.2) & (t_s < 0.4)  # ten filters of the power later
    slope = np.gradient(speed[span], t_s[span])
    expected = (0.4 - run.p_mw["machine"].to_numpy()[span] / SN_MVA) / (2 * 5.0)
    assert np.abs(slope[1:-1] - expected[1:-1]).max() < 0.005 * np.abs(expected).max()
    assert run.f_coi_hz.iloc[-1] < 49.5


@pytest.mark.parametrize("bus", [1, 3])
def test_a_bolted_fault_is_fed_with_the_current_limit_and_survived(island: Case, bus: int) -> None:
    fault = BusFault(bus=bus, at_s=0.1, clear_after_s=0.15, x_pu=1e-7)
    run = simulate(island, [fault], until_s=5.0, units=forming())
    i_pu = run.signal("i")
    during = (run.t_s > 0.1 + 1e-9) & (run.t_s < 0.25 - 1e-9)
    for unit, most in (("droop", 2.0), ("machine", 1.5)):
        assert i_pu[unit].max() <= most + 1e-6
        assert i_pu[unit][during].to_numpy() == pytest.approx(most, abs=1e-6)
    assert run.vm_pu.iloc[-1].min() > 0.98
    assert run.f_coi_hz.iloc[-1] == pytest.approx(F_HZ, abs=1e-3)


def test_a_limited_overload_comes_and_goes_without_an_event_of_its_own(island: Case) -> None:
    events = [
        LoadStep(bus=3, p_mw=300.0, q_mvar=100.0, at_s=0.1),
        LoadStep(bus=3, p_mw=-300.0, q_mvar=-100.0, at_s=0.4),
    ]
    run = simulate(island, events, until_s=6.0, units=forming())
    assert run.signal("i").max().to_numpy() == pytest.approx([2.0, 1.5], abs=1e-6)
    assert run.vm_pu.iloc[-1].min() > 0.98


def test_an_overloaded_converter_gives_its_excess_to_the_others(island: Case) -> None:
    units = forming({"pmax_pu": 0.45})
    run = simulate(island, [LoadStep(bus=3, p_mw=20.0, at_s=0.1)], until_s=30.0, units=units, every=10)
    assert run.p_mw["droop"].iloc[-1] == pytest.approx(45.0, abs=1e-3)
    excess_pu = (run.p_mw["machine"].iloc[-1] - 40.0) / SN_MVA
    assert run.f_coi_hz.iloc[-1] == pytest.approx(F_HZ * (1.0 - 0.02 * excess_pu), abs=1e-6)


def test_halving_the_step_converges_through_a_limited_fault(island: Case) -> None:
    def speeds(step_s: float) -> "np.ndarray":
        run = simulate(
            island,
            [BusFault(bus=3, at_s=0.1, clear_after_s=0.1)],
            until_s=1.0,
            step_s=step_s,
            units=forming(),
        )
        return np.interp(np.linspace(0.3, 1.0, 50), run.t_s, run.f_coi_hz)

    exact = speeds(0.0005)
    errors = [float(np.abs(speeds(step_s) - exact).max()) for step_s in (0.008, 0.004, 0.002)]
    assert errors[0] < 0.02
    assert errors[2] < 0.5 * errors[0]


def test_a_run_restored_in_a_limited_fault_goes_on_bit_by_bit(island: Case) -> None:
    session = begin(island, [BusFault(bus=3, at_s=0.1, clear_after_s=0.1)], units=forming())
    session.advance(0.15)
    state = session.state()
    session.advance(0.5)
    first = session.system.x.copy()
    session.restore(state)
    session.advance(0.5)
    assert np.array_equal(session.system.x, first)


def test_the_modes_of_the_island_are_damped(island: Case) -> None:
    modes = linearise(begin(island, units=forming()))
    rates = np.sort(modes.eigenvalue_per_s.real)
    assert np.abs(rates[-1]) < 1e-3  # the common angle
    assert rates[-2] < -0.1
    assert rates[0] > -1e3  # no limiter at rest is taken for a stiff mode


# --- grid-following converters and the static condenser, on an infinite bus ---------------------------


@pytest.fixture(scope="module")
def strong() -> Case:
    """Return the single machine on an infinite bus, with a solar plant and a battery beside the machine."""
    case = load_case("smib")
    net = copy.deepcopy(case.net)
    high = int(net.bus.index[net.bus["name"] == "high"][0])
    pp.create_sgen(net, high, p_mw=60.0, q_mvar=10.0, name="solar")
    pp.create_sgen(net, high, p_mw=20.0, q_mvar=0.0, name="bare")
    pp.create_storage(net, high, p_mw=-40.0, max_e_mwh=100.0, name="battery")
    machine = {"name": "gen", "sn_mva": 2220.0, "h_s": 3.5, "d_pu": 20.0, "xd1_pu": 0.3}  # damped
    infinite = {"name": "infinite", "sn_mva": 2220.0, "h_s": 1e9, "d_pu": 0.0, "xd1_pu": 2e-5}
    net["gencls"] = pd.DataFrame([machine, infinite])
    return dataclasses.replace(case, net=net, folder=None)


def following(
    solar: dict[str, float] | None = None,
    battery: dict[str, float] | None = None,
    plant: RepcAParams | None = None,
    condenser: dict[str, float] | None = None,
    bus: int = 0,
) -> list[Unit]:
    """Return a solar converter, a bare one, a battery with plant control, and a static condenser."""
    return [
        Unit("regc_a", "solar", RegcAParams(sn_mva=SN_MVA)),
        Unit("reec_a", "solar", ReecAParams(**(solar or {}))),
        Unit("regc_a", "bare", RegcAParams(sn_mva=SN_MVA)),
        Unit("regc_a", "battery", RegcAParams(sn_mva=SN_MVA)),
        Unit("reec_c", "battery", ReecCParams(**(battery or {}))),
        Unit("repc_a", "battery", plant or RepcAParams(fflag_code=0)),
        Unit("statcom", "condenser", StatcomParams(sn_mva=SN_MVA, **(condenser or {})), bus=bus),
    ]


def start(case: Case, events: Sequence[Event] = (), **parameters: object) -> Session:
    """Return a session with all of them; the condenser stands at the high bus."""
    bus = find_bus(solve_operating_point(case), "high")
    return begin(case, events, units=following(bus=bus, **parameters))  # type: ignore[arg-type]


def go(session: Session, until_s: float) -> Run:
    """Return the run to `until_s`, every step stored."""
    session.advance(until_s, every=1)
    return Run(session)


def set_frequency(session: Session, speed_pu: float) -> None:
    """Let the infinite bus, and the machine, turn at another speed from now on."""
    session.system.x[session.system.group("gencls").state("omega")] = speed_pu


def rating_current_pu(run: Run) -> np.ndarray:
    """Return the condenser's current per unit of its rating."""
    return run.signal("i")["condenser"].to_numpy() * run.session.system.point.model.base_mva / SN_MVA


def test_following_converters_start_flat_and_stay(strong: Case) -> None:
    session = start(strong)
    assert np.abs(session.derivatives).max() < 1e-8
    run = go(session, 5.0)
    assert np.abs(run.p_mw.iloc[-1] - run.p_mw.iloc[0]).max() < 1e-5


def test_a_converter_without_control_keeps_its_current(strong: Case) -> None:
    run = go(start(strong, [BusFault(bus="high", at_s=0.1, clear_after_s=0.1, x_pu=0.5)]), 3.0)
    current_pu = (run.p_mw["bare"] / run.vm_pu["high"]).to_numpy() / SN_MVA
    whole = (run.vm_pu["high"] > 0.9).to_numpy() & ((run.t_s < 0.1) | (run.t_s > 1.0))
    assert current_pu[whole] == pytest.approx(current_pu[0], rel=1e-9)
    assert run.p_mw["bare"].iloc[0] == pytest.approx(20.0, abs=1e-6)


def test_a_set_point_in_megawatts_comes_through_three_lags(strong: Case) -> None:
    session = start(strong, solar={"tpfilt_s": 0.2, "tpord_s": 0.05})
    session.set_input("solar", "p_set_mw", 80.0)
    run = go(session, 2.0)
    t_s = run.t_s
    slow, mid, fast = 0.2, 0.05, 0.02
    step = 1.0 - sum(
        a**2 * np.exp(-t_s / a) / ((a - b) * (a - c))
        for a, b, c in ((slow, mid, fast), (mid, slow, fast), (fast, slow, mid))
    )
    assert np.abs(run.p_mw["solar"] - (60.0 + 20.0 * step)).max() < 0.05  # the voltage moves by 0.1 %
    assert run.p_mw["solar"].iloc[-1] == pytest.approx(80.0, abs=1e-2)


def test_a_ramp_limit_holds_the_power_reference(strong: Case) -> None:
    session = start(strong, solar={"dpmax_pu_per_s": 0.1})
    session.set_input("solar", "p_set_mw", 90.0)
    run = go(session, 2.0)
    rate = np.diff(run.p_mw["solar"]) / np.diff(run.t_s)
    assert rate.max() < 10.0 * 1.001
    assert run.p_mw["solar"].iloc[-1] == pytest.approx(60.0 + 10.0 * 2.0, abs=1.0)


@pytest.mark.parametrize("active_first", [0, 1])
def test_a_dip_is_fed_within_the_current_limit_by_priority(strong: Case, active_first: int) -> None:
    solar = {"pqflag_code": active_first, "imax_pu": 1.1, "kqv_pu": 4.0, "pmax_pu": 1.0}
    fault = BusFault(bus="high", at_s=0.1, clear_after_s=0.3, x_pu=0.3)
    run = go(start(strong, [fault], solar=solar), 3.0)
    settled = (run.t_s > 0.3) & (run.t_s < 0.4 - 1e-9)
    vm = run.vm_pu["high"].to_numpy()
    delivered_pu = np.hypot(run.p_mw["solar"], run.q_mvar["solar"]) / vm / SN_MVA
    ip, iq = (run.signal(name)["solar"].to_numpy() for name in ("ipcmd", "iqcmd"))
    assert 0.4 < vm[settled].min() < 0.75
    assert delivered_pu.max() <= 1.1 + 1e-6
    assert np.hypot(ip, iq).max() <= 1.1 + 1e-9
    assert np.hypot(ip, iq)[settled] == pytest.approx(1.1, abs=1e-9)
    if active_first:
        assert ip[settled] == pytest.approx(np.minimum(0.6 / vm[settled], 1.1), rel=1e-6)
    else:
        assert iq[settled].min() > 1.04  # the injection's own limit is 1.05
    assert run.p_mw["solar"].iloc[-1] == pytest.approx(60.0, abs=0.1)


def test_a_voltage_dependent_limit_holds_the_active_current(strong: Case) -> None:
    table = {"vp1_pu": 0.3, "ip1_pu": 0.1, "vp2_pu": 0.5, "ip2_pu": 0.2, "vp3_pu": 0.8, "ip3_pu": 0.5}
    solar = {**table, "vp4_pu": 0.9, "ip4_pu": 1.0, "kqv_pu": 0.0}
    run = go(start(strong, [BusFault(bus="high", at_s=0.1, clear_after_s=0.3, x_pu=0.3)], solar=solar), 1.0)
    settled = (run.t_s > 0.3) & (run.t_s < 0.4 - 1e-9)
    vf = run.state("reec_a", "vf")["solar"].to_numpy()[settled]
    wanted = np.interp(vf, [0.3, 0.5, 0.8, 0.9], [0.1, 0.2, 0.5, 1.0])
    assert vf.max() < 0.75
    assert run.signal("ipcmd")["solar"].to_numpy()[settled] == pytest.approx(wanted, rel=1e-9)


def test_what_is_held_after_a_dip_is_held_for_its_time(strong: Case) -> None:
    solar = {"thld_s": 0.2, "iqfrz_pu": 0.3, "thld2_s": 0.5, "pqflag_code": 1, "imax_pu": 1.1}
    table = {f"vp{k}_pu": v for k, v in zip("1234", (0.2, 0.5, 0.8, 0.9), strict=True)}
    table |= {f"ip{k}_pu": i for k, i in zip("1234", (0.3, 0.3, 0.3, 1.1), strict=True)}
    fault = BusFault(bus="high", at_s=0.1, clear_after_s=0.2, x_pu=0.3)
    run = go(start(strong, [fault], solar={**solar, **table}), 1.5)
    t_s, ip, iq = run.t_s, run.signal("ipcmd")["solar"], run.signal("iqcmd")["solar"]
    rest = run.state("reec_a", "iq")["solar"]
    frozen, free = (t_s > 0.3 + 1e-9) & (t_s < 0.5 - 1e-9), (t_s > 0.5 + 0.01)
    assert (iq - rest)[frozen].to_numpy() == pytest.approx(0.3, abs=1e-9)
    assert (iq - rest)[free].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert ip[(t_s > 0.3 + 1e-9) & (t_s < 0.8 - 1e-9)].to_numpy() == pytest.approx(0.3, abs=1e-9)
    assert ip[t_s > 0.81].min() > 0.55


def test_a_constant_power_factor_is_kept(strong: Case) -> None:
    session = start(strong, solar={"pfflag_code": 1})
    session.set_input("solar", "p_set_mw", 90.0)
    run = go(session, 3.0)
    assert run.p_mw["solar"].iloc[-1] == pytest.approx(90.0, abs=0.05)
    assert (run.q_mvar["solar"] / run.p_mw["solar"]).iloc[-1] == pytest.approx(1.0 / 6.0, abs=1e-4)


def test_cascaded_control_brings_the_reactive_power_to_its_set_point(strong: Case) -> None:
    solar = {"qflag_code": 1, "vflag_code": 1, "kqi_per_s": 0.005, "kvi_per_s": 1000.0}  # 0.8 % of V per Q
    session = start(strong, solar=solar, plant=QUIET, condenser={"ki_per_s": 0.0})
    session.set_input("solar", "q_set_mvar", 25.0)
    run = go(session, 20.0)
    assert run.q_mvar["solar"].iloc[-1] == pytest.approx(25.0, abs=0.1)


def test_local_voltage_control_holds_the_voltage_with_its_set_point(strong: Case) -> None:
    solar = {"qflag_code": 1, "kvi_per_s": 1000.0}
    session = start(strong, solar=solar, plant=QUIET, condenser={"ki_per_s": 0.0})
    wanted = session.signal("solar", "v_set_pu") + 0.001
    session.set_input("solar", "v_set_pu", wanted)
    run = go(session, 10.0)
    assert run.vm_pu["high"].iloc[-1] == pytest.approx(wanted, abs=1e-6)


def test_the_active_current_returns_with_its_ramp(strong: Case) -> None:
    fault = BusFault(bus="high", at_s=0.1, clear_after_s=0.15, x_pu=0.05)
    units = following(bus=find_bus(solve_operating_point(strong), "high"))
    units[0] = Unit("regc_a", "solar", RegcAParams(sn_mva=SN_MVA, rrpwr_pu_per_s=1.0))
    session = begin(strong, [fault], units=units)
    run = go(session, 2.0)
    ip = run.state("regc_a", "ip")["solar"].to_numpy()
    assert ip[run.t_s < 0.25].min() < 0.2
    rate = np.diff(ip) / np.maximum(np.diff(run.t_s), 1e-9)
    assert rate[run.t_s[1:] > 0.25].max() <= 1.0 + 1e-9
    assert ip[-1] == pytest.approx(ip[0], abs=0.01)  # the voltage still swings


def test_a_battery_stops_when_its_charge_ends(strong: Case) -> None:
    battery = {"t_s": 4.0, "socini_pu": 0.5, "socmin_pu": 0.3}
    run = go(start(strong, battery=battery), 4.0)
    soc, p_mw = run.signal("soc_pu")["battery"], run.p_mw["battery"]
    emptied_s = float(run.t_s[np.argmax(soc.to_numpy() <= 0.3)])
    assert emptied_s == pytest.approx(0.2 * 4.0 / 0.4, abs=0.02)  # 0.4 pu drains 0.1 of it each second
    assert abs(p_mw.iloc[-1]) < 1e-3
    assert soc.min() > 0.3 - 0.1 * 0.03  # what flows until the current's lag is over


def test_primary_response_keeps_gbt_40595(strong: Case) -> None:
    plant = gbt_40595_storage(60.0, dead_band_hz=0.05, droop_percent=2.0)
    session = start(strong, plant=plant)
    set_frequency(session, 1.0 - 0.2 / 60.0)
    run = go(session, 10.0)
    response_pu = (run.p_mw["battery"].to_numpy() - 40.0) / SN_MVA
    wanted_pu = (0.2 - 0.05) / 60.0 / 0.02
    t_s = run.t_s
    assert response_pu[-1] == pytest.approx(wanted_pu, abs=1e-4)
    assert t_s[np.argmax(response_pu > 0.1 * wanted_pu)] < 1.0
    assert t_s[np.argmax(response_pu > 0.9 * wanted_pu)] < 3.0
    assert np.abs(response_pu - wanted_pu)[t_s > 4.0].max() < 0.01
    assert run.signal("f_bus")["battery"].iloc[-1] == pytest.approx(1.0 - 0.2 / 60.0, abs=1e-8)


@pytest.mark.parametrize(("deviation_hz", "wanted_pu"), [(0.04, 0.0), (0.6, -0.2), (-0.6, 0.2)])
def test_primary_response_has_a_dead_band_and_a_limit(
    strong: Case, deviation_hz: float, wanted_pu: float
) -> None:
    session = start(strong, plant=gbt_40595_storage(60.0))
    set_frequency(session, 1.0 + deviation_hz / 60.0)
    run = go(session, 4.0)
    response_pu = (run.p_mw["battery"].iloc[-1] - 40.0) / SN_MVA
    assert response_pu == pytest.approx(wanted_pu, abs=1e-3)


def test_plant_control_brings_the_voltage_to_its_set_point(strong: Case) -> None:
    plant = RepcAParams(fflag_code=0, kp_pu=1.0, ki_per_s=50.0, kc_pu=0.02)
    session = start(strong, plant=plant, condenser={"ki_per_s": 0.0})
    before = session.signal("battery", "v_set_pu")
    session.set_input("battery", "v_set_pu", before + 0.002)
    run = go(session, 20.0)
    vm, q_pu = run.vm_pu["high"], run.q_mvar["battery"] / SN_MVA
    moved = (vm + 0.02 * q_pu).iloc[-1] - (vm + 0.02 * q_pu).iloc[0]
    assert moved == pytest.approx(0.002, abs=1e-6)


def test_a_static_condenser_holds_the_voltage_along_its_droop(strong: Case) -> None:
    session = start(strong)
    reference = session.signal("condenser", "v_set_pu")
    session.set_input("condenser", "v_set_pu", reference + 0.01)
    run = go(session, 6.0)
    vm = run.vm_pu["high"].iloc[-1]
    iq = run.q_mvar["condenser"].iloc[-1] / SN_MVA / vm
    assert 0.05 < iq < 1.0
    assert vm + 0.02 * iq == pytest.approx(reference + 0.01, abs=2e-6)


def test_a_static_condenser_is_overloaded_for_a_while_only(strong: Case) -> None:
    session = start(strong, condenser={"tshort_s": 1.0})
    session.set_input("condenser", "v_set_pu", session.signal("condenser", "v_set_pu") + 0.2)
    run = go(session, 3.0)
    i_pu = rating_current_pu(run)
    assert i_pu.max() <= 1.2 + 1e-6
    assert i_pu[(run.t_s > 0.5) & (run.t_s < 1.0)] == pytest.approx(1.2, abs=1e-3)
    assert i_pu[run.t_s > 1.5] == pytest.approx(1.0, abs=1e-6)


def test_a_static_condenser_keeps_its_current_in_a_dip(strong: Case) -> None:
    fault = BusFault(bus="high", at_s=0.1, clear_after_s=0.3, x_pu=0.3)
    run = go(start(strong, [fault]), 1.0)
    settled = (run.t_s > 0.3) & (run.t_s < 0.4 - 1e-9)
    assert run.vm_pu["high"][settled].max() < 0.8
    assert rating_current_pu(run)[settled] == pytest.approx(1.2, abs=1e-3)


@pytest.mark.parametrize(
    ("params", "names"),
    [
        (RegcAParams(sn_mva=1, lvpnt0_pu=0.9), "lvpnt0_pu=0.9"),
        (ReecAParams(pmin_pu=2), "pmin_pu=2"),
        (ReecCParams(socmin_pu=0.95), "socmin_pu=0.95"),
        (RepcAParams(pmin_pu=2), "pmin_pu=2"),
        (RegfmA1Params(sn_mva=1, qmin_pu=3), "qmin_pu=3"),
        (RegfmB1Params(sn_mva=1, fflag_code=0), "d1_pu=0"),
        (StatcomParams(sn_mva=1, uv2_pu=0.6), "uv2_pu=0.6"),
    ],
)
def test_parameters_that_contradict_each_other_are_named(params: object, names: str) -> None:
    from grids.dynamics.registry import device

    model = type(params).__name__.removesuffix("Params")
    known = {"RegcA": "regc_a", "ReecA": "reec_a", "ReecC": "reec_c", "RepcA": "repc_a"}
    known |= {"RegfmA1": "regfm_a1", "RegfmB1": "regfm_b1", "Statcom": "statcom"}
    found = device(known[model]).findings(params)
    assert any(names in line for line in found)


@pytest.mark.parametrize(
    ("solar", "message"),
    [
        ({"pmax_pu": 0.5}, r"solar \(reec_a\) pord must be 0\.6 .*allowed: 0 to 0\.5"),
        ({"imax_pu": 0.5}, r"solar \(reec_a\) current \(imax_pu\) must be 0\.6\d* .*allowed: 0 to 0\.5"),
        ({"qmax_pu": 0.05}, r"Q reference \(qmin_pu, qmax_pu\) must be 0\.1 .*allowed: -0\.436 to 0\.05"),
        ({"vdip_pu": 0.99}, r"voltage \(vdip_pu, vup_pu\) must be 0\.9\d* .*allowed: 0\.99 to 1\.2"),
    ],
)
def test_limits_that_exclude_the_operating_point_are_named(
    strong: Case, solar: dict[str, float], message: str
) -> None:
    with pytest.raises(CaseError, match=message):
        start(strong, solar=solar)


def test_a_grid_forming_converter_above_its_current_is_named(island: Case) -> None:
    with pytest.raises(CaseError, match=r"droop \(regfm_a1\) current \(imax_pu\) must be 0\.4"):
        begin(island, units=forming({"imax_pu": 0.3}))


def test_halving_the_step_converges_for_following_converters(strong: Case) -> None:
    def trajectory(step_s: float) -> np.ndarray:
        bus = find_bus(solve_operating_point(strong), "high")
        fault = BusFault(bus="high", at_s=0.1, clear_after_s=0.1, x_pu=0.1)
        run = simulate(strong, [fault], until_s=1.0, step_s=step_s, units=following(bus=bus))
        return np.interp(np.linspace(0.3, 1.0, 50), run.t_s, run.speed_pu["gen"])

    exact = trajectory(0.0005)
    errors = [float(np.abs(trajectory(step_s) - exact).max()) for step_s in (0.008, 0.004, 0.002)]
    assert errors[0] < 1e-5
    assert errors[2] < 0.5 * errors[0]


def test_a_machine_with_exciter_and_no_governor_is_a_synchronous_condenser() -> None:
    case = load_case("kundur")
    net = copy.deepcopy(case.net)
    at = int(net.bus.index[net.bus["name"] == "bus_7"][0])
    pp.create_gen(net, at, p_mw=0.0, vm_pu=0.97, name="condenser")
    units = [
        dataclasses.replace(unit, element="condenser", where="given")
        for unit in read_units(case)
        if unit.element == "gen_2" and unit.model in {"genrou", "exdc2"}
    ]
    events = [LoadStep(bus=7, p_mw=137.0, q_mvar=50.0, at_s=0.5)]
    run = simulate(dataclasses.replace(case, net=net), events, until_s=20.0, step_s=1 / 120, units=units)
    without = simulate(case, events, until_s=20.0, step_s=1 / 120)
    p_mw, q_mvar, after = run.p_mw["condenser"], run.q_mvar["condenser"], run.t_s > 0.5

    def sag_pu(of: Run) -> float:
        return float(of.vm_pu["bus_7"].iloc[0] - of.vm_pu["bus_7"].iloc[-1])

    assert sag_pu(run) < 0.4 * sag_pu(without)
    assert q_mvar.iloc[-1] > q_mvar.iloc[0] + 50.0
    assert p_mw[after].iloc[:10].max() > 20.0  # its rotor slows down and gives what it stored
    assert abs(p_mw.iloc[-1]) < 3.0
    given_mw = (
        -2 * 6.5 * 900.0 * np.gradient(run.speed_pu["condenser"], run.t_s + 1e-12 * np.arange(len(run.t_s)))
    )
    smooth = run.t_s > 0.6
    assert np.abs(given_mw - p_mw)[smooth].max() < 0.02 * p_mw.max()
