"""Relays operate when closed forms say, name what they did, and keep still in a fault."""

import math

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from cosim.core.errors import CaseError, ScenarioError
from grids.case import Case
from grids.dynamics import BusFault, GeneratorTrip, LoadTrip, Run, Session, begin
from grids.dynamics.devices.gen_frequency_trip import GenFrequencyTrip, GenFrequencyTripParams
from grids.dynamics.devices.rocof_relay import RocofRelayParams
from grids.dynamics.devices.ufls import Ufls, UflsParams
from grids.dynamics.devices.uvls import UvlsParams
from grids.dynamics.events import Event
from grids.dynamics.tables import Unit

H, XD1, STEP = 5.0, 0.2, 0.005
"""Of the machine that stays, and the inner step [s]."""
OFF = {f"share{n}_pu": 0.0 for n in (1, 2, 3, 4, 5)}
SHED = UflsParams(
    **{**OFF, "f1_hz": 49.0, "t1_s": 0.2, "share1_pu": 0.1, "f2_hz": 48.5, "t2_s": 0.3, "share2_pu": 0.2}
)
FREE = GenFrequencyTripParams(tu4_s=1e3, tu5_s=1e3, to3_s=1e3, fu3_hz=0.0, fu2_hz=0.0)
RATE = RocofRelayParams(rocof_hz_per_s=99.0, window_s=0.5, delay_s=0.0)
UNIT_TRIP = GeneratorTrip("unit", at_s=1.0)


def net_of(rest: float, machines: dict[str, float], loads: dict[str, float]):
    """Return a net: `rest` balances at bus a, `machines` and `loads` [MW] stand at bus b."""
    net = pp.create_empty_network(f_hz=50.0, sn_mva=rest)
    a, b = (pp.create_bus(net, 400.0, name=name) for name in "ab")
    pp.create_line_from_parameters(net, a, b, 1.0, 0.0, 0.01 * 160e3 / rest, 0.0, 100.0, name="line")
    pp.create_ext_grid(net, a, 1.0, name="rest")
    for name, p_mw in machines.items():
        pp.create_gen(net, b, p_mw, vm_pu=1.0, name=name)
    for name, p_mw in loads.items():
        pp.create_load(net, b, p_mw, 0.0, name=name)
    return net


def session(
    *events: Event,
    ufls: UflsParams = SHED,
    trip: GenFrequencyTripParams = FREE,
    rate: RocofRelayParams = RATE,
    uvls: UvlsParams | None = None,
    step_s: float = STEP,
) -> Session:
    """Return 1000 MW of impedances fed by two machines, of which `unit` (200 MW) may trip."""
    net = net_of(1000.0, {"unit": 200.0}, {"town": 700.0, "works": 300.0})
    net["gencls"] = pd.DataFrame(
        [
            {"name": "rest", "sn_mva": 1000.0, "h_s": H, "xd1_pu": XD1},
            {"name": "unit", "sn_mva": 250.0, "h_s": 4.0, "xd1_pu": 0.25},
        ]
    )
    units = [
        *(Unit("ufls", name, ufls) for name in ("town", "works")),
        Unit("uvls", "works", uvls or UvlsParams()),
        Unit("gen_frequency_trip", "rest", trip),
        Unit("rocof_relay", "unit", rate),
        Unit("rocof_relay", "rest", rate),
    ]
    case = Case("two_machines", None, net, {}, None, {"f_nominal_hz": 50.0})
    return begin(case, events, units=units, step_s=step_s)


def play(until_s: float, *events: Event, **more) -> Run:
    """Return a run to its end."""
    ours = session(*events, **more)
    ours.advance(until_s, every=1)
    return Run(ours)


def said(run: Run, word: str) -> list[float]:
    """Return when the log has a word."""
    return [t_s for t_s, text in run.log if word in text]


def slope_hz_per_s(load_mw: float) -> float:
    """Return how fast the machine that stays changes, alone with loads of so many MW at 1 pu."""
    ours = session()
    group = ours.system.group("gencls")
    e, tm = group.parameter("vf_pu")[0], ours.signal("rest", "tm")
    te = e**2 * (1.0 / (1j * (XD1 + 0.01) + 1000.0 / load_mw)).real
    return 50.0 * (tm - te) / (2.0 * H)


def within_a_step(found_s: float, exact_s: float, step_s: float = STEP) -> bool:
    """Say whether a relay operated at the end of the step in which its time was over."""
    return -1e-4 <= found_s - exact_s <= step_s + 1e-4


def test_nothing_moves_and_no_relay_acts_where_nothing_happens() -> None:
    ours = session()
    assert np.abs(ours.derivatives).max() < 1e-8
    ours.advance(2.0, every=10)
    assert ours.log == []
    assert Run(ours).signal("ufls_f_pu").to_numpy() == pytest.approx(1.0, abs=1e-12)


def test_load_is_shed_when_an_even_fall_of_frequency_says() -> None:
    run = play(5.0, UNIT_TRIP)
    first, second = slope_hz_per_s(1000.0), slope_hz_per_s(900.0)
    assert first < second < -0.3
    stage1_s = 1.0 + (49.0 - 50.0) / first + SHED.tf_s + SHED.t1_s
    found1_s, found2_s = sorted(set(said(run, "ufls stage")))
    assert within_a_step(found1_s, stage1_s)
    then_hz = 50.0 + first * (found1_s - 1.0)  # load goes at the end of the step
    stage2_s = found1_s + (48.5 - then_hz) / second + SHED.tf_s + SHED.t2_s
    assert within_a_step(found2_s, stage2_s)
    assert run.f_coi_hz.iloc[-1] - run.f_coi_hz.iloc[-201] == pytest.approx(slope_hz_per_s(700.0), rel=1e-3)
    assert run.signal("ufls_shed_pu")["town"].iloc[-1] == pytest.approx(0.3)
    (text,) = {text for t_s, text in run.log if t_s == found1_s and "town" in text}
    assert text.startswith("town: ufls stage 1 shed 10 % at 48.8")


@pytest.mark.parametrize("step_s", [0.02, 0.01, 0.0025, 0.001])
def test_a_shorter_step_brings_the_instant_closer(step_s: float) -> None:
    run = play(2.5, UNIT_TRIP, step_s=step_s)
    exact_s = 1.0 - 1.0 / slope_hz_per_s(1000.0) + SHED.tf_s + SHED.t1_s
    (found_s,) = set(said(run, "ufls stage"))
    assert within_a_step(found_s, exact_s, step_s)


def test_the_special_stage_sheds_after_its_long_delay() -> None:
    slow = UflsParams(**{**OFF, "fspecial_hz": 49.5, "tspecial_s": 1.5, "sharespecial_pu": 0.3})
    run = play(4.0, UNIT_TRIP, ufls=slow)
    exact_s = 1.0 - 0.5 / slope_hz_per_s(1000.0) + slow.tf_s + 1.5
    (found_s,) = set(said(run, "ufls special stage"))
    assert within_a_step(found_s, exact_s)


def test_a_bolted_fault_sheds_nothing() -> None:
    quick = SHED.model_copy(update={"t1_s": 0.05, "t2_s": 0.05})
    run = play(1.0, BusFault(bus="b", at_s=0.1, clear_after_s=0.2), ufls=quick)
    assert said(run, "ufls") == []


def test_a_machine_trips_where_its_time_frequency_curve_ends() -> None:
    none = UflsParams(**OFF)
    curve = FREE.model_copy(update={"fu1_hz": 49.0, "tu1_s": 1.0, "fu2_hz": 48.5, "tu2_s": 0.2})
    run = play(4.0, UNIT_TRIP, ufls=none, trip=curve)
    exact_s = 1.0 - 1.5 / slope_hz_per_s(1000.0) + curve.tf_s + 0.2
    (found_s,) = said(run, "rest tripped: under-frequency stage 2 at 48.3")
    assert within_a_step(found_s, exact_s)
    assert (run.vm_pu.iloc[-1] == 0.0).all()  # the last machine


def test_a_machine_trips_at_high_frequency() -> None:
    over = FREE.model_copy(update={"fo1_hz": 50.5, "to1_s": 0.3})
    run = play(4.0, UNIT_TRIP, LoadTrip("works", at_s=1.0), trip=over)
    exact_s = 1.0 + 0.5 / slope_hz_per_s(700.0) + over.tf_s + 0.3
    (found_s,) = said(run, "rest tripped: over-frequency stage 1")
    assert within_a_step(found_s, exact_s)


def test_a_rocof_relay_measures_the_slope_over_its_window() -> None:
    steep, none = -slope_hz_per_s(1000.0), UflsParams(**OFF)
    run = play(2.0, UNIT_TRIP, ufls=none)
    assert run.signal("rocof_hz_per_s")["rest"].iloc[-1] == pytest.approx(-steep, rel=1e-4)
    half = RATE.model_copy(update={"rocof_hz_per_s": steep / 2})
    tripped = play(2.0, UNIT_TRIP, ufls=none, rate=half)
    exact_s = 1.0 + half.tf_s + half.window_s / 2  # half of the window has the slope
    (found_s,) = said(tripped, "rest tripped: rocof relay at -")
    assert found_s == pytest.approx(exact_s + STEP / 2, abs=STEP / 2 + 2e-3)  # the angle's jump dies away


def test_a_rocof_relay_as_it_comes_keeps_still_in_a_fault_and_one_without_delay_does_not() -> None:
    fault = BusFault(bus="b", at_s=1.0, clear_after_s=0.1, x_pu=0.1)
    assert not said(play(2.0, fault, rate=RocofRelayParams()), "rocof")
    assert said(play(2.0, fault, rate=RocofRelayParams(delay_s=0.0)), "rocof")


def test_a_relay_at_a_dead_bus_measures_no_frequency() -> None:
    eager = SHED.model_copy(update={"vblock_pu": 0.0, "t1_s": 0.0, "t2_s": 0.0})
    ours = session(ufls=eager)
    block, kept = ours.system.group("ufls").block, np.full((1, 2), 0.5)
    dead, w = np.zeros(ours.system.ports.size, np.complex128), np.ones(ours.system.ports.size)
    for k in range(20):
        assert not Ufls.after(block, kept, dead, w, ours.system.s, k * STEP, STEP)


def test_load_is_shed_when_the_voltage_stays_low() -> None:
    uvls = UvlsParams(v1_pu=0.95, t1_s=1.0, share1_pu=0.2, v2_pu=0.5, v3_pu=0.4)
    ours = session(uvls=uvls)
    before = abs(ours.v_pu[1])
    ours.set_loads({"works": 300.0 + 800.0j})
    ours.advance(2.0, every=1)
    run = Run(ours)
    low = run.vm_pu["b"].iloc[0]
    exact_s = uvls.tv_s * math.log((before - low) / (0.95 - low)) + 1.0
    (found_s,) = said(run, "works: uvls stage 1 shed 20 % at")
    assert found_s == pytest.approx(exact_s + STEP / 2, abs=STEP / 2 + 1e-3)
    assert run.vm_pu["b"].iloc[-1] > low + 0.01


def test_a_fork_while_relays_count_continues_bit_by_bit() -> None:
    ours = session(UNIT_TRIP)
    ours.advance(2.2)  # stage 1 counts
    fork = ours.state()
    ours.advance(4.0)
    x, log = ours.system.x.copy(), list(ours.log)
    ours.restore(fork)
    ours.advance(4.0)
    assert np.array_equal(ours.system.x, x)
    assert ours.log == log
    assert len(log) == 5


def test_settings_of_another_frequency_are_refused() -> None:
    american = UflsParams(**{**OFF, "f1_hz": 59.3, "share1_pu": 0.1})
    with pytest.raises(CaseError, match=r"town \(ufls\) f1_hz=59.3 does not fit 50 Hz \(allowed: 45 to 50\)"):
        session(ufls=american)
    with pytest.raises(CaseError, match=r"rest \(gen_frequency_trip\) fo1_hz=49 .*allowed: 50 to 55"):
        session(trip=FREE.model_copy(update={"fo1_hz": 49.0}))


def test_stages_out_of_order_are_found() -> None:
    assert list(Ufls.findings(SHED.model_copy(update={"f2_hz": 49.1}))) == [
        "f2_hz=49.1 is not below f1_hz=49"
    ]
    assert list(Ufls.findings(SHED.model_copy(update={"share1_pu": 0.9}))) == [
        "the shares sum to 1.1, more than 1"
    ]
    late = GenFrequencyTripParams(fo2_hz=50.2)
    assert list(GenFrequencyTrip.findings(late)) == ["fo2_hz=50.2 is not above fo1_hz=50.5"]


def test_a_load_without_a_model_that_sheds_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"'twon' has no load that can be shed. Did you mean 'town'"):
        session().shed({"twon": 0.1})


def test_a_system_as_great_britain_on_9_august_2019_is_caught_by_its_first_stage() -> None:
    """210 GVA s, 29 GW; the response is lumped into a damping that holds the first loss above 49 Hz.

    1131 MW go at once, embedded generation with old RoCoF relays follows, 397 MW later the frequency
    passes 48.8 Hz and 3.2 % of the load go (figures (unconfirmed): NGESO technical report, 2019).
    """
    small = {"lost": 1131.0, "embedded": 350.0, "later": 397.0}
    net = net_of(29000.0, small, {"demand": 29000.0})
    rest = {"name": "rest", "sn_mva": 29000.0, "h_s": 210.0 / 29.0, "d_pu": 2.6, "xd1_pu": 0.02}
    light = {"h_s": 0.5, "d_pu": 5.0, "xd1_pu": 0.25}
    net["gencls"] = pd.DataFrame([rest, *({"name": n, "sn_mva": 1.1 * p, **light} for n, p in small.items())])
    stages = {"f1_hz": 48.8, "share1_pu": 0.032, "f2_hz": 48.7, "share2_pu": 0.05, "t1_s": 0.2, "t2_s": 0.2}
    units = [
        Unit("ufls", "demand", UflsParams(**{**OFF, **stages})),
        Unit("uvls", "demand", UvlsParams()),
        Unit("gen_frequency_trip", "rest", FREE),
        Unit("rocof_relay", "embedded", RocofRelayParams(rocof_hz_per_s=0.125, window_s=0.2, delay_s=0.0)),
    ]
    case = Case("island", None, net, {}, None, {"f_nominal_hz": 50.0})
    events = [GeneratorTrip("lost", at_s=1.0), GeneratorTrip("later", at_s=60.0)]
    ours = begin(case, events, units=units, step_s=0.01)
    ours.advance(120.0, every=10)
    run = Run(ours)
    (embedded_s,) = said(run, "embedded tripped: rocof relay at -0.1")
    assert 1.2 < embedded_s < 1.6
    assert np.interp(59.0, run.t_s, run.f_coi_hz) == pytest.approx(49.03, abs=0.05)
    (shed_s,) = said(run, "ufls stage 1")
    assert shed_s > 60.0
    assert 48.7 < run.f_coi_hz.min() < 48.8
    assert run.f_coi_hz.iloc[-1] > 49.2
