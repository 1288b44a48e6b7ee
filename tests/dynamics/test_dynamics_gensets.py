"""Engines that are synchronised in mid-run: no jolt, a dead bus energised, loads taken at the droop."""

import numpy as np
import pandapower as pp
import pytest
from scipy.signal import TransferFunction, lsim

from cosim.core.errors import CaseError
from grids.case import Case
from grids.dynamics import GeneratorTrip, LoadStep, Run, SetInput, begin, simulate
from grids.dynamics.device import Block, Site
from grids.dynamics.devices.degov1 import Degov1, Degov1Params
from grids.dynamics.devices.gencls import GenclsParams
from grids.dynamics.devices.gensal import GensalParams
from grids.dynamics.devices.regfm_a1 import RegfmA1Params
from grids.dynamics.devices.sexs import SexsParams
from grids.dynamics.devices.synchroniser import SynchroniserParams
from grids.dynamics.tables import Unit

F_HZ = 50.0
MVA = 5.0
ALTERNATOR = GensalParams(
    sn_mva=MVA, h_s=1.0, ra_pu=0.01, xl_pu=0.1, xd_pu=2.0, xq_pu=1.0, xd1_pu=0.25, xd2_pu=0.18,
    td10_s=2.0, td20_s=0.03, tq20_s=0.03,
)  # fmt: skip
ENGINE = Degov1Params(
    sn_mva=4.0, r_pu=0.04, t1_s=0.01, t2_s=0.02, t3_s=0.2, k_per_s=8.0, t4_s=0.25, t5_s=0.009, t6_s=0.0384,
    td_s=0.024, tmax_pu=1.1, tmin_pu=0.0,
)  # fmt: skip
EXCITER = SexsParams(ta_tb_pu=0.1, tb_s=10.0, k_pu=100.0, te_s=0.1, emin_pu=0.0, emax_pu=5.0)


@pytest.fixture(scope="module")
def island() -> Case:
    """Return a bus that a converter forms, with 3 MW of load and room for an engine at the end of a cable."""
    net = pp.create_empty_network(f_hz=F_HZ, sn_mva=10.0)
    buses = [pp.create_bus(net, 10.0, name=name) for name in ("main", "engines")]
    pp.create_line_from_parameters(net, *buses, 0.2, 0.1, 0.1, 0.0, 1.0, name="cable")
    pp.create_ext_grid(net, buses[0], vm_pu=1.0, name="converter")
    pp.create_load(net, buses[0], p_mw=3.0, q_mvar=0.5, name="load")
    return Case("campus", None, net, {}, None, {"f_nominal_hz": F_HZ})


def units(**breaker: int) -> list[Unit]:
    """Return converter and engine."""
    models = {
        "gensal": ALTERNATOR, "degov1": ENGINE, "sexs": EXCITER, "synchroniser": SynchroniserParams(**breaker)
    }  # fmt: skip
    engine = [Unit(model, "engine", params, bus="engines") for model, params in models.items()]
    return [Unit("regfm_a1", "converter", RegfmA1Params(sn_mva=6.0)), *engine]


def test_an_open_breaker_starts_flat_and_delivers_nothing(island: Case) -> None:
    session = begin(island, units=units())
    assert np.abs(session.derivatives).max() < 1e-8
    session.advance(1.0, every=1)
    assert np.abs(Run(session).p_mw["engine"]).max() == 0.0


def test_an_engine_is_synchronised_without_a_jolt(island: Case) -> None:
    """Off nominal frequency and voltage, after the converter's load has risen."""
    events = [
        LoadStep(load="load", p_mw=1.0, q_mvar=0.5, at_s=0.1),
        SetInput("engine", "close", 1.0, at_s=3.0),
    ]
    run = simulate(island, events, until_s=20.0, units=units())
    at = run.t_s > 3.0
    assert run.vm_pu["engines"][at].iloc[0] < 0.998
    assert abs(run.p_mw["engine"][at].iloc[0]) < 1e-3
    jump = np.abs(np.diff(run.vm_pu["main"].to_numpy()))[np.asarray(run.t_s)[1:] > 2.0]
    assert jump.max() < 2e-4
    share_mw = run.p_mw["engine"].iloc[-1]
    fall_hz = F_HZ - run.f_coi_hz.iloc[-1]
    assert share_mw == pytest.approx(4.0 * fall_hz / F_HZ / 0.04, rel=1e-2)  # its droop line; losses
    assert share_mw > 0.2


def test_an_engine_energises_a_dead_bus_and_carries_it_alone(island: Case) -> None:
    events = [GeneratorTrip(generator="converter", at_s=0.1), SetInput("engine", "close", 1.0, at_s=1.0)]
    run = simulate(island, events, until_s=20.0, units=units(dead_bus_code=1))
    t_s = np.asarray(run.t_s)
    dark = (t_s > 0.2) & (t_s < 0.9)
    assert run.vm_pu["main"].to_numpy()[dark].max() == 0.0
    assert run.p_mw["engine"].iloc[-1] == pytest.approx(3.0, rel=0.06)  # an impedance below nominal voltage
    throttle = run.p_mw["engine"].iloc[-1] / 4.0
    assert run.f_coi_hz.iloc[-1] == pytest.approx(F_HZ * (1.0 - 0.04 * throttle), abs=0.1)


def test_a_machine_that_cannot_be_synchronised_is_refused_a_synchroniser(island: Case) -> None:
    machine = Unit("gencls", "engine", GenclsParams(sn_mva=MVA, h_s=1.0, xd1_pu=0.2), bus="engines")
    others = [unit for unit in units() if unit.model in {"regfm_a1", "synchroniser"}]
    with pytest.raises(CaseError, match=r"engine \(synchroniser\) has no machine that can be synchronised"):
        begin(island, units=[*others, machine])


def test_without_leave_a_dead_bus_stays_dead(island: Case) -> None:
    events = [GeneratorTrip(generator="converter", at_s=0.1), SetInput("engine", "close", 1.0, at_s=0.5)]
    run = simulate(island, events, until_s=1.0, units=units())
    assert run.vm_pu["main"].iloc[-1] == 0.0


def test_a_ceiling_holds_the_torque_whatever_the_speed(island: Case) -> None:
    events = [
        SetInput("engine", "close", 1.0, at_s=0.1),
        SetInput("engine", "paux", 0.04, at_s=1.0),  # full load wanted
        SetInput("engine", "ceiling", 0.16 * 4.0 / 10.0, at_s=0.0),
    ]
    run = simulate(island, events, until_s=15.0, units=units())
    assert run.p_mw["engine"].iloc[-1] == pytest.approx(0.16 * 4.0, rel=0.02)  # stator losses
    assert run.signal("tm")["engine"].max() * 10.0 < 0.16 * 4.0 + 1e-6


def test_degov1_is_its_diagram() -> None:
    """Against the published transfer function: torque after the speed has fallen by 0.1 %."""
    p = ENGINE
    fields = [float(getattr(p, name)) for name in Degov1Params.model_fields]
    values = np.array([*fields, 0.0, 0.0])[:, None]
    u = Block(values, np.zeros(1, np.int64), np.arange(4)[:, None], np.zeros((0, 1)), np.ones(1, bool))
    x, s, dx = np.zeros((6, 1)), np.zeros(4), np.zeros((6, 1))
    v, w = np.ones(1, complex), np.ones(1)
    site = Site(v, np.zeros(1, complex), np.full(1, MVA), 10.0, 2 * np.pi * F_HZ, ("engine",), (p,))
    s[3] = 0.2
    Degov1.start(u, x, s, site)
    s[0], h_s, torque = 0.999, 1e-4, []
    for _ in range(20_000):  # Euler's method at a step far below every time constant
        Degov1.rhs(u, x, v, w, s, dx)
        torque.append(s[3])
        x += h_s * dx
    poly, lead, box = np.polymul, [p.t4_s, 1.0], [p.t1_s * p.t2_s, p.t1_s, 1.0]
    above = p.k_per_s * poly([p.t3_s, 1.0], lead)
    below = poly(poly(box, [1.0, 0.0]), poly([p.t5_s, 1.0], [p.t6_s, 1.0]))
    closed = TransferFunction(above, poly(np.polyadd(below, p.r_pu * above), [p.td_s, 1.0]))
    t_s = h_s * np.arange(20_000)
    expected = 0.2 + lsim(closed, np.full(t_s.size, 0.001), t_s)[1] * p.sn_mva / 10.0
    assert np.abs(np.array(torque) - expected).max() < 0.005 * (expected[-1] - 0.2)


def test_halving_the_step_converges(island: Case) -> None:
    events = [SetInput("engine", "close", 1.0, at_s=0.1), LoadStep(load="load", p_mw=1.0, at_s=1.0)]
    f_hz = [
        simulate(island, events, until_s=4.0, step_s=step_s, units=units()).f_coi_hz.min()
        for step_s in (0.005, 0.0025, 0.00125)
    ]
    assert abs(f_hz[1] - f_hz[2]) < 0.5 * abs(f_hz[0] - f_hz[1]) + 1e-7
