"""A run starts from any solved net: pandapower's tables are elements, and nothing is solved twice."""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pytest

from cosim.core.errors import CaseError
from grids.build import build_model
from grids.case import Case, load_case
from grids.dynamics import POWER, begin
from grids.dynamics.operating import Element, point_of, solve_operating_point
from grids.dynamics.tables import Unit

KUNDUR = load_case("kundur")


def _case(change) -> Case:
    net = copy.deepcopy(KUNDUR.net)
    change(net)
    return dataclasses.replace(KUNDUR, net=net)


def _at(name: str) -> int:
    return int(KUNDUR.net.bus.index[KUNDUR.net.bus["name"] == name][0])


def _every_table(net) -> None:
    pp.create_storage(net, _at("bus_7"), p_mw=-40.0, q_mvar=5.0, max_e_mwh=80.0, name="battery")
    pp.create_motor(net, _at("bus_8"), pn_mech_mw=30.0, cos_phi=0.85, name="pumps")
    pp.create_ward(net, _at("bus_7"), 20.0, 5.0, 15.0, -8.0, name="district")
    pp.create_impedance(net, _at("bus_6"), _at("bus_8"), 0.02, 0.3, sn_mva=900.0, name="reactor")
    pp.create_dcline(
        net, _at("bus_7"), _at("bus_8"), 60.0, 2.0, 0.5, 1.0, 1.0, name="backup", in_service=False
    )


def test_storage_motor_ward_and_impedance_start_flat_and_keep_their_power() -> None:
    session = begin(_case(_every_table))
    assert np.abs(session.derivatives).max() < 1e-8
    mva = {e.name: e.s_pu * session.system.point.model.base_mva for e in session.system.point.elements}
    assert mva["battery"] == pytest.approx(40.0 - 5.0j)
    assert mva["pumps"].real == pytest.approx(-30.0)
    assert mva["district"] == pytest.approx(-20.0 - 5.0j)  # its impedance part is in the network
    assert mva["backup_from"] == mva["backup_to"] == 0.0


def test_tables_without_a_model_are_refused_by_name() -> None:
    case = _case(
        lambda net: pp.create_xward(net, _at("bus_7"), 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0, name="abroad")
    )
    with pytest.raises(CaseError, match="xward 'abroad': give its voltage source as a gen"):
        begin(case)


def test_two_elements_of_one_name_are_refused() -> None:
    case = _case(lambda net: pp.create_sgen(net, _at("bus_7"), p_mw=1.0, name="load_8"))
    with pytest.raises(CaseError, match="'load_8' names a sgen and a load"):
        begin(case)


def test_a_changed_net_enters_at_its_own_voltages_without_a_second_power_flow(monkeypatch) -> None:
    net = copy.deepcopy(KUNDUR.net)
    net.load.loc[0, "p_mw"] *= 0.9  # what a day has changed: load, dispatch, topology
    net.gen.loc[0, "p_mw"] += 30.0
    net.line.loc[net.line["name"] == "line_5_6b", "in_service"] = False
    hall = 25.0 + 4.0j
    pp.create_load(net, _at("bus_8"), hall.real, hall.imag, name="hall")
    pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-9, trafo_model="t", numba=False)
    v_pu = np.asarray(net["_ppc"]["internal"]["V"])
    net.load.drop(net.load.index[net.load["name"] == "hall"], inplace=True)
    monkeypatch.setattr(pp, "runpp", lambda *_, **__: pytest.fail("solved again"))
    model = build_model(copy.deepcopy(net))
    bus = int(model.row_bus[net.bus.index.get_loc(_at("bus_8"))])
    unit = Element("unit", -1, "hall", bus, -hall / model.base_mva)
    point = point_of(net, v_pu, 60.0, model=model, extra=[unit])
    case = dataclasses.replace(KUNDUR, net=net)
    session = begin(case, point=point, units=[Unit("zip", "hall", POWER)])
    assert np.abs(session.derivatives).max() < 1e-8
    assert np.abs(session.v_pu - v_pu).max() < 1e-9
    session.advance(1.0)
    assert np.abs(np.abs(session.v_pu) - np.abs(v_pu)).max() < 1e-8


def test_voltages_of_another_network_are_refused() -> None:
    with pytest.raises(CaseError, match="3 voltages for a network of"):
        point_of(KUNDUR.net, np.ones(3, dtype=np.complex128), 60.0)


def test_powers_no_table_states_must_be_given() -> None:
    case = _case(_every_table)
    v_pu = solve_operating_point(case).v_pu
    with pytest.raises(CaseError, match=r"dcline_from elements deliver: give it in delivered_mva"):
        point_of(case.net, v_pu, 60.0)


def test_makers_at_one_bus_share_what_it_asks_for() -> None:
    case = _case(lambda net: pp.create_gen(net, _at("bus_2"), p_mw=100.0, vm_pu=1.0, name="second"))
    point = solve_operating_point(case)
    mva = {e.name: e.s_pu.real * point.model.base_mva for e in point.elements}
    assert mva["second"] == pytest.approx(100.0, abs=1e-4)
    assert mva["gen_2"] == pytest.approx(700.0, abs=1e-4)


def test_a_unit_the_case_does_not_have_stands_at_a_bus_by_name() -> None:
    session = begin(KUNDUR, units=[Unit("zip", "later", POWER, bus="bus_7")])
    point = session.system.point
    there = point.row_bus[point.bus_names.index("bus_7")]
    group = session.system.group("zip")
    assert group.bus[group.elements.index("later")] == there
    assert np.abs(session.derivatives).max() < 1e-8
