"""pandapower nets and case folders hold the same grid, dynamic tables included."""

import pandapower as pp
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandapower import networks

from cosim.core.errors import CaseError
from grids.case import load_case, load_network
from grids.dynamics.tables import read_units
from grids.formats.importing import import_case
from grids.formats.pandapower_net import write_pandapower


def saved(net, folder):
    path = folder / "net.json"
    pp.to_json(net, str(path))
    return str(path)


def voltages(net):
    pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-9)
    return net.res_bus[["vm_pu", "va_degree"]].to_numpy()


@pytest.mark.parametrize("name", ["case9", "case30", "case118", "case39"])
def test_a_net_becomes_a_case_with_the_same_power_flow(tmp_path, name):
    net = getattr(networks, name)()
    import_case([saved(net, tmp_path)], tmp_path / "case")
    assert_allclose(voltages(load_case(str(tmp_path / "case")).net), voltages(net), atol=1e-9)


def test_a_case_goes_to_pandapower_and_back_with_its_dynamic_tables(tmp_path):
    case = load_case("kundur")
    write_pandapower(case, tmp_path / "k.json")
    there = load_network(str(tmp_path / "k.json"))
    import_case([str(tmp_path / "k.json")], tmp_path / "back")
    back = load_case(str(tmp_path / "back"))
    wanted = {(u.model, u.element): u.params for u in read_units(case)}
    for again in (there, back):
        assert {(u.model, u.element): u.params for u in read_units(again)} == wanted
        assert_allclose(voltages(again.net), voltages(case.net), atol=1e-9)
    assert list(back.net.line["name"]) == list(case.net.line["name"])


def test_scaling_shunt_voltage_and_a_slack_generator_keep_their_effect(tmp_path):
    net = networks.case9()
    net.load["scaling"] = 0.8
    pp.create_shunt(net, bus=4, q_mvar=-20.0, vn_kv=300.0)
    net.ext_grid = net.ext_grid.drop(net.ext_grid.index)
    net.gen.loc[0, "slack"] = True
    import_case([saved(net, tmp_path)], tmp_path / "case")
    assert_allclose(voltages(load_case(str(tmp_path / "case")).net), voltages(net), atol=1e-9)


def test_frames_of_dynamic_models_in_a_net_are_read(tmp_path):
    net = networks.case9()
    net["gencls"] = pd.DataFrame({"name": ["gen_0"], "sn_mva": [250.0], "h_s": [6.4], "xd1_pu": [0.12]})
    import_case([saved(net, tmp_path)], tmp_path / "case")
    (unit,) = read_units(load_case(str(tmp_path / "case")))
    assert (unit.model, unit.element, unit.params.h_s) == ("gencls", "gen_0", 6.4)


def test_elements_without_a_table_are_all_named(tmp_path):
    net = networks.case9()
    pp.create_ward(net, 4, 1.0, 0.0, 0.0, 0.0)
    pp.create_switch(net, 4, 5, et="b")
    net.load["const_z_p_percent"] = 40.0
    with pytest.raises(CaseError) as error:
        import_case([saved(net, tmp_path)], tmp_path / "case")
    for fragment in ("'ward'", "'switch'", "'const_z_p_percent'", "net.json"):
        assert fragment in str(error.value)
