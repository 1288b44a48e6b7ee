"""Cases reproduce published numbers, carry everything through JSON, and any pandapower net is a case."""

import csv

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import list_cases, load_case, load_network
from grids.fleet import areas_from_case, fleet_from_case

TABLES = ("bus", "line", "trafo", "load", "gen", "sgen", "shunt", "ext_grid")
OWN = ("points", "areas", "rest_fleet", "ties")


def test_our_cases_are_listed():
    assert {"two_bus", "ieee39"} <= set(list_cases())


@pytest.mark.parametrize("name", ["two_bus", "ieee39"])
def test_a_case_reproduces_its_expected_numbers(name):
    """two_bus: roots of its quadratic equation; ieee39: the power flow of tops."""
    case = load_case(name)
    pp.runpp(case.net, tolerance_mva=1e-9)
    bus = {str(name): index for index, name in zip(case.net.bus.index, case.net.bus["name"], strict=True)}
    with (case.folder / "expected" / "base.csv").open() as file:
        rows = list(csv.DictReader(file))
    voltages = [row for row in rows if row["quantity"] in {"vm_pu", "va_degree"}]
    assert voltages
    for row in voltages:
        value = case.net.res_bus.loc[bus[row["element"]], row["quantity"]]
        assert_allclose(value, float(row["value"]), rtol=0, atol=float(row["tolerance"]))


@pytest.mark.parametrize("name", ["two_bus", "ieee39"])
def test_json_carries_the_whole_case(name, tmp_path):
    case = load_case(name)
    pp.to_json(case.net, str(tmp_path / "net.json"))
    back = load_network(str(tmp_path / "net.json"))
    for table in (*TABLES, *OWN):
        pd.testing.assert_frame_equal(case.net[table], back.net[table])
    assert back.points == case.points
    assert_allclose(fleet_from_case(back).h_s, fleet_from_case(case).h_s, rtol=0)
    assert_allclose(areas_from_case(back).damping_mw_per_hz, areas_from_case(case).damping_mw_per_hz, rtol=0)


def test_two_loads_of_one_case_share_nothing():
    one, two = load_case("two_bus").net, load_case("two_bus").net
    one.load["p_mw"] = 0.0
    one.bus.loc[0, "vn_kv"] = 1.0
    assert two.load["p_mw"].iloc[0] == 200.0
    assert load_case("two_bus").net.bus["vn_kv"].iloc[0] == 220.0


def test_a_distribution_net_gets_a_system_behind_its_ext_grids():
    """A plain net has no machine at all; the assumption is written down."""
    case = load_network("mv_oberrhein")
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    assert (fleet.h_s * fleet.sn_mva).sum() > 0.0
    assert areas.damping_mw_per_hz[0] > 0.0
    assert "times that of the net" in case.meta["assumptions"]["rest"]
    assert_allclose(case.net["ties"]["share_pu"].sum(), 1.0)
    assert len(case.points) == len(case.net.bus)


def test_names_of_a_plain_net_are_made_unique():
    net = load_network("case9").net
    for table in TABLES:
        names = list(net[table]["name"])
        assert len(set(names)) == len(names)
        assert all(names)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("case_39", "Did you mean 'case39'"),
        ("nowhere.json", "no such file"),
    ],
)
def test_a_network_that_is_not_there_is_named(name, message):
    with pytest.raises(CaseError, match=message):
        load_network(name)


def test_a_file_that_is_no_net_is_refused(tmp_path):
    (tmp_path / "net.json").write_text('{"a": 1}')
    with pytest.raises(CaseError, match=r"net\.json: (cannot be read|is not) "):
        load_network(str(tmp_path / "net.json"))


def test_a_net_through_excel_gives_the_same_flow(tmp_path):
    net = load_network("case9").net
    pp.runpp(net)
    with pd.ExcelWriter(tmp_path / "net.xlsx", engine="openpyxl") as writer:
        for name, table in pp.to_dict_of_dfs(net, include_results=False).items():
            table.to_excel(writer, sheet_name=name)
    back = load_network(str(tmp_path / "net.xlsx")).net
    pp.runpp(back)
    assert_allclose(back.res_bus["vm_pu"], net.res_bus["vm_pu"], rtol=0, atol=1e-9)


def test_machines_follow_gens_then_the_rest():
    fleet = fleet_from_case(load_case("ieee39"))
    assert fleet.name[:2] == ("gen_30", "gen_32")
    assert fleet.name[-1] == "ne/rest_coal"
    assert np.all(fleet.online)


def test_a_pump_has_inertia_but_no_governor():
    case = load_case("two_bus")
    case.net.gen.loc[0, ["plant_type", "p_mw", "min_p_mw"]] = ["pumped_storage", -200.0, -300.0]
    fleet = fleet_from_case(case)
    assert fleet.h_s[0] > 0.0
    assert fleet.responding_pu[0] == fleet.agc_share_pu[0] == 0.0
