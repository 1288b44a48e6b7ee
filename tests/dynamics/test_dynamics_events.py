"""Events reach every kind of element, in their order, and whatever else a session can do."""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pytest

from cosim.core.errors import ScenarioError
from grids.case import load_case
from grids.dynamics import BusFault, Custom, LineTrip, LoadStep, LoadTrip, Run, SetInput, begin, simulate
from grids.dynamics.kernels.electronic_load_rows import ElectronicLoadParams
from grids.dynamics.tables import Unit

KUNDUR = load_case("kundur")


def _case():
    """Return Kundur's system with a hall behind a three-winding transformer, a battery and a reactor."""
    net = copy.deepcopy(KUNDUR.net)
    at = dict(zip(net.bus["name"], net.bus.index, strict=True))
    mv = pp.create_bus(net, 110.0, name="bus_11")
    lv = pp.create_bus(net, 20.0, name="bus_12")
    pp.create_transformer3w_from_parameters(
        net, at["bus_7"], mv, lv, 230, 110, 20, 300, 200, 100, 12, 10, 8, 0.2, 0.2, 0.2, 10, 0.05, name="bank"
    )
    pp.create_load(net, mv, 50.0, 5.0, name="hall")
    pp.create_load(net, lv, 20.0, 5.0, name="town")
    pp.create_storage(net, at["bus_8"], p_mw=-40.0, max_e_mwh=80.0, name="battery")
    pp.create_impedance(net, at["bus_6"], at["bus_8"], 0.02, 0.3, sn_mva=900.0, name="reactor")
    return dataclasses.replace(KUNDUR, net=net)


CASE = _case()
HALL = [Unit("electronic_load", "hall", ElectronicLoadParams(vcease_pu=0.5, sn_mva=100.0))]


def _run(*events, until_s: float = 0.5) -> Run:
    return simulate(CASE, events, until_s=until_s, step_s=0.01, units=HALL)


def test_a_three_winding_transformer_opens_at_all_its_ends_and_closes() -> None:
    vm = _run(LineTrip("bank", 0.1, close_after_s=0.2)).vm_pu[["bus_7", "bus_11", "bus_12"]]
    apart = (vm.index > 0.1) & (vm.index < 0.3)
    assert vm[["bus_11", "bus_12"]][apart].to_numpy().max() == 0.0
    assert vm["bus_7"][apart].min() > 0.95
    assert vm.iloc[-1].min() > 0.9


def test_an_impedance_opens_as_a_line_does() -> None:
    run = _run(LineTrip("reactor", 0.1))
    angle = run.va_degree["bus_6"] - run.va_degree["bus_8"]
    assert angle.iloc[-1] > angle.iloc[0] + 1.0  # its power goes over the tie


def test_a_battery_trips_as_a_load_does() -> None:
    assert _run(LoadTrip("battery", 0.1)).f_coi_hz.iloc[-1] < 60.0  # it was discharging
    assert _run(LoadStep(40.0, 0.1, load="battery")).f_coi_hz.iloc[-1] < 60.0


def test_a_step_of_an_electronic_load_goes_through_its_set_point() -> None:
    run = _run(LoadStep(30.0, 0.1, load="hall"), until_s=1.0)
    assert run.session.signal("hall", "p_set_pu") == pytest.approx(0.8)
    assert run.signal("p_load_pu")["hall"].iloc[-1] == pytest.approx(0.8, abs=1e-4)  # at any voltage


def test_an_input_is_set_at_its_time_and_said() -> None:
    run = _run(SetInput("hall", "p_set_pu", 0.2, at_s=0.1), SetInput("gen_1", "paux", 0.01, at_s=0.1))
    power = run.signal("p_load_pu")["hall"]
    assert power[power.index < 0.1].min() == pytest.approx(0.5)
    assert power.iloc[-1] == pytest.approx(0.2, abs=1e-4)
    assert run.log == [(0.1, "hall: p_set_pu = 0.2"), (0.1, "gen_1: paux = 0.01")]


def test_a_function_of_ones_own_is_an_event() -> None:
    def halve(session) -> None:
        point = session.system.point
        town = next(e for e in point.elements if e.name == "town")
        session.set_loads({"town": -0.5 * town.s_pu * point.model.base_mva})

    ours = _run(Custom(0.1, "the town halves", halve))
    theirs = _run(LoadStep(-10.0, 0.1, load="town", q_mvar=-2.5))
    assert ours.log == [(0.1, "the town halves")]
    assert np.allclose(ours.f_coi_hz, theirs.f_coi_hz, rtol=0, atol=1e-9)


def test_a_fault_that_is_cleared_leaves_another_at_its_bus() -> None:
    run = _run(BusFault(8, 0.1, 0.1, x_pu=0.05), BusFault(8, 0.15, 0.1, x_pu=0.05))
    vm_pu = run.vm_pu["bus_8"].groupby(level=0).last()
    one, both, other, none = np.interp([0.12, 0.18, 0.22, 0.3], vm_pu.index, vm_pu)
    assert both < 0.8 * one
    assert other == pytest.approx(one, rel=0.1)  # the rotors have moved
    assert none > 0.9
    assert not run.session.solution.network.switching.fault_y


def test_events_of_one_instant_keep_their_order() -> None:
    seen: list[str] = []
    events = [
        Custom(at_s, name, lambda s, n=name: seen.append(n))
        for name, at_s in (
            ("late", 0.2),
            ("first", 0.1),
            ("second", 0.1 + 1e-17),
            ("third", 0.30000000000000004 - 0.2),
            ("fourth", 0.1),
        )
    ]
    _run(*events, until_s=0.3)
    assert seen == ["first", "second", "third", "fourth", "late"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (SetInput("hal", "p_set_pu", 0.1, 1.0), ["no element 'hal'", "Did you mean 'hall'"]),
        (SetInput("hall", "p_set", 0.1, 1.0), ["only p_set_pu, q_set_pu, reset", "Did you mean 'p_set_pu'"]),
        (LineTrip("ban", 1.0), ["no line, transformer or impedance 'ban'", "Did you mean 'bank'"]),
        (Custom(-1.0, "too early", print), ["too early", "before the start"]),
        (
            BusFault("bus_8", 1.0, 0.0, r_pu=-0.1, x_pu=np.inf),
            ["clear_after_s=0 (allowed: above 0)", "r_pu=-0.1 (allowed: 0 or more)", "x_pu=inf"],
        ),
        (BusFault("bus_8", 1.0, 0.1, x_pu=0.0), ["r_pu=0 and x_pu=0 (allowed: one of them above 0)"]),
    ],
)
def test_what_cannot_happen_is_refused_before_the_run(event, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        begin(CASE, [event, LineTrip("bunk", 1.0)], units=HALL)
    assert [word for word in [*words, "impedance 'bunk'"] if word not in str(error.value)] == []
