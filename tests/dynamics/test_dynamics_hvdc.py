"""Direct-current links: the bridge equations, what both ends balance to, blocks, failures and recovery."""

import copy
import dataclasses
import math

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from scipy.optimize import brentq

from cosim.core.errors import CaseError, ScenarioError
from grids.case import load_case
from grids.dynamics import (
    BusFault,
    Custom,
    DcBlock,
    DcRamp,
    DcRunback,
    LoadStep,
    Run,
    SetInput,
    begin,
    simulate,
)
from grids.dynamics.devices.hvdc_lcc import HvdcLcc
from grids.dynamics.devices.hvdc_vsc import HvdcVscParams
from grids.dynamics.kernels.hvdc import bridge, current_limit
from grids.dynamics.kernels.hvdc_lcc_rows import HvdcLccParams
from grids.dynamics.tables import Unit

KUNDUR = load_case("kundur")
BASE_MW = 100.0
H_S = 1 / 120
SENDING = HvdcLccParams(p_rated_mw=250.0, kf_pu=10.0, f_band_pu=0.0, kf_max_pu=0.2)
RECEIVING = HvdcLccParams(p_rated_mw=200.0)


def _case():
    """Return Kundur's system with a sending and a receiving end, and two links beside its tie."""
    net = copy.deepcopy(KUNDUR.net)
    at = dict(zip(net.bus["name"], net.bus.index, strict=True))
    pp.create_load(net, at["bus_7"], 200.0, 0.0, name="sending")
    pp.create_sgen(net, at["bus_8"], 150.0, 0.0, name="receiving")
    pp.create_dcline(net, at["bus_7"], at["bus_8"], 150.0, 4.0, 0.0, 0.97, 0.98, name="thyristor")
    pp.create_dcline(net, at["bus_6"], at["bus_9"], 80.0, 2.0, 0.0, 0.9746, 0.9812, name="flexible")
    return dataclasses.replace(KUNDUR, net=net)


CASE = _case()


def _units(**receiving):
    ends = ("thyristor_from", "thyristor_to")
    linked = [Unit("hvdc_lcc", a, HvdcLccParams(p_rated_mw=200.0, partner=b)) for a, b in (ends, ends[::-1])]
    return [
        Unit("hvdc_lcc", "sending", SENDING),
        Unit("hvdc_lcc", "receiving", RECEIVING.model_copy(update=receiving)),
        *linked,
    ]


def _run(events, until_s: float, step_s: float = H_S, **receiving) -> Run:
    return simulate(CASE, events, until_s=until_s, step_s=step_s, units=_units(**receiving))


def _after(run: Run, t_s: float) -> int:
    """Return the row just after an event."""
    return int(np.flatnonzero(np.isclose(run.t_s, t_s, atol=1e-9))[-1])


def _waveform(alpha: float, delta: float) -> tuple[float, complex]:
    """Return direct over no-load voltage, and the fundamental phase current over the direct one.

    Ideal three-phase bridge with instantaneous valve currents: cos(alpha) - cos(wt) during commutation.
    """
    degrees = np.linspace(0.0, 2.0 * np.pi, 720_001)[:-1]
    edge = math.cos(alpha) - math.cos(delta)

    def valve(x):  # conducts 120 degrees, commutating from alpha on against the voltage that ignites it
        x = np.mod(x, 2.0 * np.pi)
        rise = (math.cos(alpha) - np.cos(np.clip(x, alpha, delta))) / edge
        late = x - 2.0 * np.pi / 3.0
        fall = 1.0 - (math.cos(alpha) - np.cos(np.clip(late, alpha, delta))) / edge
        return np.where(x < alpha, 0.0, np.where(late < alpha, rise, np.where(late < delta, fall, 0.0)))

    # ignition angle counts from where e_a = e_c: 30 degrees into phase a's sine
    current = valve(degrees - np.pi / 6.0) - valve(degrees - np.pi / 6.0 - np.pi)
    fundamental = 2.0 * np.mean(current * np.exp(-1j * (degrees - np.pi / 2.0)))
    return 0.5 * (math.cos(alpha) + math.cos(delta)), fundamental


@pytest.mark.parametrize(
    ("alpha_degree", "e", "i"), [(15, 1.0, 1.0), (5, 1.05, 0.4), (40, 0.8, 1.1), (140, 1.0, 0.9)]
)
def test_the_bridge_draws_what_its_waveforms_say(alpha_degree: float, e: float, i: float) -> None:
    x, alpha = 0.18, math.radians(alpha_degree)
    delta = math.acos(math.cos(alpha) - x * i / e)
    vd, current = _waveform(alpha, delta)
    # a current in blocks of 120 degrees has the fundamental 2 sqrt(3)/pi: it carries e i at no delay
    apparent = e * i * np.conj(current) / (2.0 * math.sqrt(3.0) / math.pi)
    found = bridge(e, math.cos(alpha), i, x, 1.0)
    assert found.real == pytest.approx(e * vd * i, rel=1e-12)
    assert found.real == pytest.approx(apparent.real, rel=1e-6)
    assert found.imag == pytest.approx(apparent.imag, rel=1e-6)


def test_without_overlap_reactive_power_is_that_of_the_firing_angle() -> None:
    found = bridge(1.0, math.cos(0.5), 1.0, 1e-6, 1.0)
    assert found.imag / found.real == pytest.approx(math.tan(0.5), rel=1e-5)


def test_the_no_load_voltage_is_that_of_the_cigre_benchmark() -> None:
    # M. O. Faruque et al. 2006: 500 kV, 2 kA, 345/213.4557 kV, 603.73 MVA, 0.18 pu, tap 1.01, two bridges
    no_load_kv = 2 * 3 * math.sqrt(2) / math.pi * 213.4557 / 1.01
    x = 0.18 * (math.sqrt(2) * 213.4557 * 2.0) / 603.73
    assert x == pytest.approx(0.18, rel=1e-3)
    drawn = bridge(1.0, math.cos(math.radians(15.0)), 1.0, 0.18, no_load_kv / 500.0)
    assert drawn.real * 1000.0 == pytest.approx(1000.0, rel=2e-3)


def test_the_current_limit_follows_the_direct_voltage() -> None:
    assert [current_limit(vd, 0.4, 0.9, 0.55, 1.1) for vd in (0.2, 0.4, 0.65, 0.9, 1.1)] == pytest.approx(
        [0.55, 0.55, 0.825, 1.1, 1.1]
    )


def test_links_start_flat_with_the_powers_of_the_operating_point() -> None:
    session = begin(CASE, units=_units())
    assert np.abs(session.derivatives).max() < 1e-8
    mw = {e.name: e.s_pu for e in session.system.point.elements}
    for end in ("sending", "receiving", "thyristor_from", "thyristor_to", "flexible_from", "flexible_to"):
        delivered = complex(session.signal(end, "p"), session.signal(end, "q"))
        assert delivered == pytest.approx(mw[end], abs=1e-9)
    session.advance(5.0)
    assert np.abs(session.derivatives).max() < 1e-6


@pytest.fixture(scope="module")
def raised():
    """Return a run in which both links of the case got another power and came to rest."""
    events = [DcRamp("thyristor", 180.0, 0.5, over_s=0.5), DcRamp("flexible", -40.0, 0.5, over_s=0.5)]
    return _run(events, 30.0, step_s=1 / 60)


def test_both_ends_balance_to_the_loss_of_the_line(raised: Run) -> None:
    p, current = raised.signal("p").iloc[-1], raised.signal("id").iloc[-1]
    r_pu = raised.session.system.group("hvdc_lcc").parameter("line")[2]
    assert r_pu * 0.75**2 == pytest.approx(0.04 * 0.75, rel=1e-9)  # 4 % of 150 MW at the start
    loss = -(p["thyristor_from"] + p["thyristor_to"])
    assert loss == pytest.approx(r_pu * current["thyristor_from"] ** 2 * 2.0, rel=1e-3)
    sent = p["flexible_to"]  # reversed: what one end draws arrives at the other less the loss
    line = raised.session.system.group("hvdc_vsc").parameter("line")[0]
    ratio = raised.session.system.group("hvdc_vsc").parameter("ratio")[0]
    assert -p["flexible_from"] == pytest.approx(-0.4, abs=1e-3)
    assert -sent == pytest.approx(0.4 + line * (0.4 / ratio) ** 2 * ratio, rel=1e-3)


def test_a_loaded_link_stands_where_kundurs_equations_do(raised: Run) -> None:
    # section 10.3 in kV, kA and ohm: 200 MW at 100 kV, one six-pulse bridge, 180 MW ordered at the rectifier
    group, vm = raised.session.system.group("hvdc_lcc"), raised.vm_pu.iloc[-1]
    ends = (("thyristor_from", "bus_7"), ("thyristor_to", "bus_8"))
    places = [group.elements.index(name) for name, _ in ends]
    e = [vm[bus] / group.parameter("v0")[k] for k, (_, bus) in zip(places, ends, strict=True)]
    no_load_kv = [100.0 * group.parameter("no_load")[k] for k in places]
    line_ohm = group.parameter("line")[places[0]] * 100.0 / 2.0
    rc_ohm = [0.5 * 0.18 * v / 2.0 for v in no_load_kv]  # 3 X_c/pi: half the reactance is lost at 2 kA
    gamma = math.radians(17.0)

    def far_kv(i_ka: float) -> float:
        return no_load_kv[1] * e[1] * math.cos(gamma) - rc_ohm[1] * i_ka

    i_ka = brentq(lambda i: (far_kv(i) + line_ohm * i) * i - 180.0, 0.1, 3.0)
    near_kv = far_kv(i_ka) + line_ohm * i_ka
    alpha = math.acos((near_kv + rc_ohm[0] * i_ka) / (no_load_kv[0] * e[0]))
    last = {name: raised.signal(name).iloc[-1] for name in ("id", "vd", "angle", "p", "q")}
    assert last["id"]["thyristor_from"] * 2.0 == pytest.approx(i_ka, rel=2e-3)
    assert last["vd"]["thyristor_from"] * 100.0 == pytest.approx(near_kv, rel=2e-3)
    assert last["vd"]["thyristor_to"] * 100.0 == pytest.approx(far_kv(i_ka), rel=2e-3)
    assert last["angle"]["thyristor_from"] == pytest.approx(math.degrees(alpha), abs=0.3)
    for side, angle, kv in ((0, alpha, near_kv), (1, gamma, far_kv(i_ka))):
        # at the inverter the extinction angle stands for the firing angle
        end = math.acos(math.cos(angle) - 2.0 * rc_ohm[side] * i_ka / (no_load_kv[side] * e[side]))
        mu = end - angle
        tangent = 2.0 * mu + math.sin(2.0 * angle) - math.sin(2.0 * end)
        tangent /= math.cos(2.0 * angle) - math.cos(2.0 * end)
        name, bus = ends[side]
        k = places[side]
        filters_mvar = group.parameter("filter_b")[k] * vm[bus] ** 2 * BASE_MW
        assert abs(last["p"][name]) * BASE_MW == pytest.approx(kv * i_ka, rel=2e-3)
        consumed_mvar = filters_mvar - last["q"][name] * BASE_MW
        assert consumed_mvar == pytest.approx(kv * i_ka * tangent, rel=5e-3)


def test_a_ramp_is_straight_and_ends_on_time(raised: Run) -> None:
    order = raised.session.system.group("hvdc_lcc")
    trace = raised.state("hvdc_lcc", "order")["thyristor_from"]
    assert order.elements[2] == "thyristor_from"
    assert trace[0.75].item() == pytest.approx(0.75 + 0.5 * 0.15, abs=1e-3)
    assert trace.iloc[-1] == pytest.approx(0.9, abs=1e-9)
    p = raised.signal("p")["thyristor_from"]
    assert -p.iloc[-1] * BASE_MW == pytest.approx(180.0, abs=0.5)


@pytest.fixture(scope="module")
def block():
    """Return the sending end blocked at 0.1 s and restarted a second later."""
    return _run([DcBlock("sending", 0.1, restart_after_s=1.0)], 2.5)


def test_a_block_takes_the_power_at_once_and_leaves_the_filters(block: Run) -> None:
    row, p, q = _after(block, 0.1), block.signal("p")["sending"], block.signal("q")["sending"]
    assert p.iloc[row - 1] == pytest.approx(-2.0, abs=1e-8)
    assert p.iloc[row] == 0.0
    filter_b = block.session.system.group("hvdc_lcc").parameter("filter_b")[0]
    vm = block.vm_pu["bus_7"]
    assert q.iloc[row] == pytest.approx(filter_b * vm.iloc[row] ** 2, rel=1e-9)
    assert vm.iloc[row] > vm.iloc[row - 1] + 0.02  # the surplus raises the voltage
    switched = _after(block, 0.3) + 1
    assert q.iloc[switched] == 0.0
    assert vm.iloc[switched] < vm.iloc[switched - 2] - 0.02
    assert [text for _, text in block.log][:2] == [
        "sending: 100% of the poles blocked",
        "sending: filters switched",
    ]
    assert block.log[1][0] == pytest.approx(0.3)


def test_a_restart_ramps_the_current_up(block: Run) -> None:
    current = block.signal("id")["sending"]
    assert current[current.index < 1.1].iloc[-1] < 0.01
    ramp = current[(current.index > 1.15) & (current.index < 1.25)]
    assert np.diff(ramp).mean() / H_S == pytest.approx(1.1 / 0.3, rel=0.02)  # i_max over t_recover
    supported = 0.8 + SENDING.kf_pu * (block.f_coi_hz.iloc[-1] / 60.0 - 1.0)
    assert -block.signal("p")["sending"].iloc[-1] / 2.5 == pytest.approx(supported, abs=2e-3)


def test_the_frequency_rises_by_the_power_that_is_left_over(block: Run) -> None:
    run = block
    m = run.session.solution.wiring.rotor_m_s.sum()
    row = _after(run, 0.1)
    rate = (run.f_coi_hz.iloc[row + 3] - run.f_coi_hz.iloc[row]) / (run.t_s[row + 3] - run.t_s[row])
    made = run.signal("p")[[f"gen_{i}" for i in range(1, 5)]].sum(axis=1)
    surplus = made.iloc[row - 1] - made.iloc[row : row + 4].mean()  # turbines have not moved yet
    assert rate == pytest.approx(60.0 * surplus / m, rel=0.05)


def test_halving_the_step_changes_nothing_through_a_block() -> None:
    def end(step_s: float):
        run = _run([DcBlock("sending", 0.1)], 1.0, step_s=step_s)
        return run.f_coi_hz.iloc[-1], run.vm_pu.iloc[-1].to_numpy(), run.f_coi_hz.max()

    coarse, fine, finest = end(1 / 120), end(1 / 240), end(1 / 480)
    assert abs(coarse[0] - fine[0]) < 1e-6
    assert np.abs(coarse[1] - fine[1]).max() < 1e-6
    assert np.abs(fine[1] - finest[1]).max() < 0.5 * np.abs(coarse[1] - fine[1]).max()


def test_one_pole_of_two_carries_on_within_current_and_firing_angle() -> None:
    run = _run([DcBlock("sending", 0.1, pole_share=0.5)], 1.0)
    current, vd = run.signal("id")["sending"].iloc[-1], run.signal("vd")["sending"].iloc[-1]
    assert 1.0 < current <= 1.1
    assert run.signal("angle")["sending"].iloc[-1] == pytest.approx(5.0, abs=1e-6)  # taps of before
    assert -run.signal("p")["sending"].iloc[-1] == pytest.approx(0.5 * 2.5 * current * vd, rel=1e-3)


def test_commutation_fails_where_thio_davies_and_kent_say() -> None:
    current = begin(CASE, units=_units()).signal("receiving", "id")
    x = RECEIVING.xc_pu * current
    room = math.cos(math.radians(RECEIVING.gamma_fail_degree)) - math.cos(
        math.radians(RECEIVING.gamma_degree)
    )
    critical = x / (x + room)  # 1 - dV, with the current of before
    seen = []
    for x_pu in (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3):
        run = _run([BusFault(8, 0.01, clear_after_s=1.0, x_pu=x_pu)], 0.012, step_s=0.001)
        e = run.vm_pu["bus_8"].iloc[_after(run, 0.01)] / run.vm_pu["bus_8"].iloc[0]
        failed = run.session.signal("receiving", "failing") > 0.0
        if abs(e / critical - 1.0) > 0.01:  # the angle control and the flux move a little in the first step
            assert failed == (e < critical), f"e={e:.4f}, critical {critical:.4f}"
            seen.append(failed)
    assert set(seen) == {True, False}


@pytest.fixture(scope="module")
def failure():
    """Return a fault near the receiving ends."""
    return _run([BusFault(8, 0.1, clear_after_s=0.1, x_pu=0.02)], 1.5)


def test_a_failure_stops_the_inverter_and_the_rectifier_sees_it(failure: Run) -> None:
    failing = failure.signal("failing")
    during = (failure.t_s > 0.15) & (failure.t_s < 0.2)
    assert failing[["receiving", "thyristor_to"]][during].to_numpy().min() == 1.0
    p = failure.signal("p")
    assert p[["receiving", "thyristor_to"]][during].abs().to_numpy().max() < 1e-12
    assert p["thyristor_from"][during].iloc[-1] > -0.25  # of -1.5: the direct voltage has collapsed
    angle = failure.signal("angle")["thyristor_from"]
    assert angle[during].iloc[-1] > 75.0  # what still flows is nearly reactive
    assert failure.signal("id")["thyristor_from"][during].iloc[-1] < 0.56  # current limit by voltage
    texts = [text for _, text in failure.log]
    assert "thyristor_to: commutation failed" in texts
    assert "thyristor_to: commutation resumed" in texts
    assert p["thyristor_to"].iloc[-1] == pytest.approx(1.44, abs=0.03)


def test_a_failure_at_the_far_end_is_seen_by_a_lone_rectifier() -> None:
    events = [SetInput("sending", "vfar", 0.0, 0.1), SetInput("sending", "vfar", 1.0, 0.2)]
    run = _run(events, 1.5)
    p = run.signal("p")["sending"]
    assert p[(p.index > 0.18) & (p.index < 0.2)].iloc[-1] > -0.3
    assert p.iloc[-1] == pytest.approx(-2.0, abs=0.01)


def test_a_dip_at_the_rectifier_hands_the_current_to_the_inverter() -> None:
    run = _run([BusFault(7, 0.1, clear_after_s=0.3, x_pu=0.1)], 0.39)
    last = {name: run.signal(name).iloc[-1] for name in ("angle", "id", "vd")}
    assert last["angle"]["thyristor_from"] == pytest.approx(5.0, abs=1e-6)
    assert last["angle"]["thyristor_to"] > 30.0  # the inverter lowers its voltage
    vd = last["vd"]["thyristor_from"]
    ordered = min(0.75 / vd, current_limit(vd, 0.4, 0.9, 0.55, 1.1))
    assert last["id"]["thyristor_from"] == pytest.approx(ordered - 0.1, abs=5e-3)


def test_a_bolted_fault_at_either_end_stays_solvable() -> None:
    for bus in (7, 8):
        run = _run([BusFault(bus, 0.1, clear_after_s=0.1)], 0.5)
        row = _after(run, 0.1)
        ends = ["sending", "thyristor_from"] if bus == 7 else ["receiving", "thyristor_to"]
        assert run.signal("p")[ends].iloc[row].abs().max() < 1e-3


def test_banks_of_filters_hold_the_reactive_power_through_a_runback() -> None:
    events = [DcRunback("receiving", to_mw=60.0, at_s=0.1)]
    fixed, switched = (_run(events, 4.0, filter_count=count) for count in (0, 6))
    bank = switched.session.system.group("hvdc_lcc").parameter("filter_b")[1] / 6
    surplus = [run.signal("q")["receiving"].iloc[-1] for run in (fixed, switched)]
    assert surplus[0] > 2 * bank
    assert abs(surplus[1]) < 0.8 * bank
    times = [t for t, text in switched.log if text == "receiving: filters switched"]
    assert len(times) >= 2
    assert np.diff(times).min() > 0.2 - 1e-9
    assert switched.vm_pu["bus_8"].iloc[-1] < fixed.vm_pu["bus_8"].iloc[-1] - 0.005


def test_an_idle_link_stands_ready_for_its_rated_power() -> None:
    net = copy.deepcopy(CASE.net)
    net.dcline.loc[:, "p_mw"] = 0.0
    net.load.loc[net.load["name"] == "sending", "p_mw"] = 0.0
    events = [
        DcRamp(name, mw, 0.1, over_s=1.0)
        for name, mw in (("thyristor", 180.0), ("sending", 150.0), ("flexible", 30.0))
    ]
    session = begin(dataclasses.replace(CASE, net=net), events, step_s=H_S, units=_units())
    assert np.abs(session.derivatives).max() < 1e-8
    session.advance(4.0)
    support = SENDING.kf_pu * (session.solution.work.coi[0] - 1.0)
    assert -session.signal("thyristor_from", "p") == pytest.approx(1.8, abs=0.01)
    assert -session.signal("sending", "p") == pytest.approx(1.5 + 2.5 * support, abs=0.01)
    assert -session.signal("flexible_from", "p") == pytest.approx(0.3, abs=0.01)


def test_frequency_support_is_a_droop() -> None:
    run = _run([LoadStep(100.0, 0.1, bus=9)], 40.0, step_s=1 / 60)
    w = run.f_coi_hz.iloc[-1] / 60.0
    drawn = -run.signal("p")["sending"].iloc[-1] / 2.5
    assert w < 1.0 - 2e-4
    assert drawn == pytest.approx(0.8 + SENDING.kf_pu * (w - 1.0), abs=5e-4)


def test_a_runback_cuts_and_does_not_raise() -> None:
    run = _run([DcRunback(bus=8, to_mw=60.0, at_s=0.1, link="receiving")], 1.5)
    assert run.signal("p")["receiving"].iloc[-1] == pytest.approx(0.6, abs=0.01)
    with pytest.raises(ScenarioError, match="runback of receiving to 190 MW: it carries 150 MW"):
        _run([DcRunback("receiving", to_mw=190.0, at_s=0.1)], 0.2)


def test_a_step_of_a_sending_end_moves_its_schedule() -> None:
    run = _run([LoadStep(-5.0, 0.1, load="sending")], 3.0)
    support = SENDING.kf_pu * (run.f_coi_hz.iloc[-1] / 60.0 - 1.0)
    assert run.session.signal("sending", "pref") == pytest.approx(0.78, rel=1e-12)
    assert -run.signal("p")["sending"].iloc[-1] == pytest.approx(2.5 * (0.78 + support), abs=2e-3)


def test_a_table_beside_the_case_names_stations_and_partners() -> None:
    net = copy.deepcopy(CASE.net)
    net["hvdc_lcc"] = pd.DataFrame([{"name": u.element, **u.params.model_dump()} for u in _units()])
    tabled = begin(dataclasses.replace(CASE, net=net)).system.group("hvdc_lcc")
    given = begin(CASE, units=_units()).system.group("hvdc_lcc")
    assert tabled.elements == given.elements
    assert np.array_equal(tabled.block.p, given.block.p)


@pytest.mark.parametrize("lost", ["thyristor_to", "thyristor_from", "flexible_to", "flexible_from"])
def test_a_link_that_loses_one_end_stops_at_the_other(lost: str) -> None:
    run = _run([Custom(0.1, "lost", lambda s: s.trip(lost))], 0.6)
    ends = [f"{lost.split('_', maxsplit=1)[0]}_{side}" for side in ("from", "to")]
    assert run.signal("p")[ends].iloc[-1].abs().max() < 1e-6


def test_a_voltage_sourced_station_keeps_its_current_and_burns_what_cannot_leave() -> None:
    run = _run([BusFault(9, 0.1, clear_after_s=0.1, x_pu=0.01)], 1.0)
    group = run.session.system.group("hvdc_vsc")
    s = run.signal("p")["flexible_to"].to_numpy() + 1j * run.signal("q")["flexible_to"].to_numpy()
    current = np.abs(s) / run.vm_pu["bus_9"].to_numpy() / group.parameter("ratio")[1]
    assert current.max() <= 1.1 + 1e-6
    assert current.max() > 1.09
    during = (run.t_s > 0.15) & (run.t_s < 0.2)
    burnt = run.signal("chopper")["flexible_to"][during]
    arrives = -run.signal("p")["flexible_from"][during] * 0.98
    assert np.allclose(burnt, arrives - s.real[during], atol=0.02)
    assert run.signal("p")["flexible_to"].iloc[-1] == pytest.approx(0.784, abs=0.01)


def test_a_fork_within_a_failure_continues_bit_by_bit() -> None:
    events = [BusFault(8, 0.1, clear_after_s=0.1, x_pu=0.02), DcBlock("sending", 0.3)]
    session = begin(CASE, events, step_s=H_S, units=_units())
    session.advance(0.16)
    fork = session.state()
    session.advance(0.8)
    x, v = session.system.x.copy(), session.v_pu
    session.restore(fork)
    session.advance(0.8)
    assert np.array_equal(session.system.x, x)
    assert np.array_equal(session.v_pu, v)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DcBlock("sendin", 1.0), ["'sendin'", "Did you mean 'sending'"]),
        (DcBlock(bus=7, at_s=1.0), ["at bus 7", "thyristor_from, sending"]),
        (DcBlock(bus=1, at_s=1.0), ["at bus 1", "none"]),
        (DcBlock(at_s=1.0), ["or by bus="]),
        (DcBlock("sending", 1.0, pole_share=1.5), ["pole_share=1.5", "up to 1"]),
        (DcRamp("sending", 10.0, 1.0, over_s=0.0), ["over_s=0"]),
    ],
)
def test_a_link_that_is_not_there_is_refused(event, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        begin(CASE, [event], units=_units())
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("end", "params", "words"),
    [
        (
            "thyristor_to",
            HvdcLccParams(p_rated_mw=200.0, partner="sending"),
            ["partner='sending' has partner=''"],
        ),
        (
            "thyristor_to",
            HvdcLccParams(p_rated_mw=200.0, partner="thyristor"),
            ["no other terminal", "Did you mean"],
        ),
        (
            "thyristor_to",
            HvdcLccParams(p_rated_mw=100.0, partner="thyristor_from"),
            ["200 and 100", "differ"],
        ),
        ("sending", HvdcLccParams(p_rated_mw=150.0), ["sending carries 200 MW (allowed: 165)"]),
        ("receiving", HvdcVscParams(p_rated_mw=100.0), ["receiving carries 1.53", "i_max_pu=1.1"]),
    ],
)
def test_stations_that_do_not_fit_are_refused(end: str, params, words: list[str]) -> None:
    model = "hvdc_vsc" if isinstance(params, HvdcVscParams) else "hvdc_lcc"
    units = [u for u in _units() if u.element != end] + [Unit(model, end, params)]
    with pytest.raises(CaseError) as error:
        begin(CASE, units=units)
    assert [word for word in words if word not in str(error.value)] == []


def test_angles_without_room_are_found() -> None:
    params = HvdcLccParams(p_rated_mw=100.0, alpha_min_degree=20.0, gamma_degree=6.0, gamma_fail_degree=7.0)
    found = HvdcLcc.findings(params)
    assert [line.split("=")[0] for line in found] == ["alpha_min_degree", "gamma_fail_degree"]


def test_a_station_whose_partner_is_tripped_ends_its_current_and_switches_its_filters_off() -> None:
    gone = Custom(0.5, "thyristor_from tripped", lambda session: session.trip("thyristor_from"))
    run = _run([gone], 1.0)
    q = run.signal("q")["thyristor_to"]
    assert abs(run.signal("id")["thyristor_to"].iloc[-1]) < 1e-6
    assert q[q.index < 0.65].max() > 0.5
    assert abs(q.iloc[-1]) < 1e-5
