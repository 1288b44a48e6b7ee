"""The compiled solver and our tables say what pandapower says, on very different nets."""

import copy

import numpy as np
import pandapower as pp
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.case import load_network
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams

AGREEMENT_PU = 1e-8  # what the engine promises; both solvers stop at 1e-8 MVA
FLOW_MW = 1e-4  # 1e-8 pu over the stiffest branches of these nets
LOADING_PERCENT = 1e-5

NETS = (
    "case14",
    "case39",
    "case118",
    "create_cigre_network_mv",
    "create_cigre_network_hv",
    "example_multivoltage",
    "mv_oberrhein",
    "GBnetwork",
)


def grid_of(name, **more):
    return PowerFlowGrid(PowerFlowParams(network=name, q_limits=False, **more), Connections())


def solved(net):
    pp.runpp(net, calculate_voltage_angles=True, lightsim2grid=False)
    return net


def assert_same(tables, net):
    bus, line, trafo = tables["bus"], tables["line"], tables["trafo"]
    np.testing.assert_array_equal(np.isnan(bus["vm_pu"]), np.isnan(net.res_bus["vm_pu"]))
    v = bus["vm_pu"] * np.exp(1j * np.deg2rad(bus["va_degree"]))
    w = net.res_bus["vm_pu"].to_numpy() * np.exp(1j * np.deg2rad(net.res_bus["va_degree"].to_numpy()))
    np.testing.assert_allclose(v, w, rtol=0, atol=AGREEMENT_PU)
    alive = np.isfinite(bus["vm_pu"])
    for column in ("p_mw", "q_mvar"):
        np.testing.assert_allclose(bus[column][alive], net.res_bus[column][alive], rtol=0, atol=FLOW_MW)
    for table, result, columns in (
        (line, net.res_line, ("p_from_mw", "q_from_mvar", "pl_mw", "i_ka")),
        (trafo, net.res_trafo, ("p_hv_mw", "q_hv_mvar", "pl_mw")),
    ):
        for column in columns:
            np.testing.assert_allclose(
                table[column], result[column].fillna(0.0), rtol=0, atol=FLOW_MW, err_msg=column
            )
        theirs = result["loading_percent"].fillna(0.0)
        np.testing.assert_allclose(table["loading_percent"], theirs, rtol=1e-7, atol=LOADING_PERCENT)
    p = np.concatenate([net.res_gen["p_mw"].fillna(0.0), net.res_ext_grid["p_mw"].fillna(0.0)])
    q = np.concatenate([net.res_gen["q_mvar"].fillna(0.0), net.res_ext_grid["q_mvar"].fillna(0.0)])
    np.testing.assert_allclose(tables["gen"]["p_mw"], p, rtol=0, atol=FLOW_MW)
    np.testing.assert_allclose(tables["gen"]["q_mvar"], q, rtol=0, atol=FLOW_MW)


@pytest.mark.parametrize("name", NETS)
def test_every_table_equals_pandapowers(name):
    tables = grid_of(name).reset(Context())
    assert tables["grid"]["converged_pu"][0] == 1.0
    assert_same(tables, solved(load_network(name).net))


def test_three_winding_transformers_are_solved_and_reported():
    tables = grid_of("example_multivoltage").reset(Context())
    result = solved(load_network("example_multivoltage").net).res_trafo3w
    for column in ("loading_percent", "p_hv_mw", "q_mv_mvar", "p_lv_mw", "pl_mw"):
        np.testing.assert_allclose(tables["trafo3w"][column], result[column], rtol=0, atol=1e-6)


def test_voltage_dependent_loads_are_solved_as_pandapower_does(tmp_path):
    net = load_network("case14").net
    net.load["const_z_p_percent"], net.load["const_i_p_percent"] = 30.0, 20.0
    net.load["const_z_q_percent"], net.load["const_i_q_percent"] = 50.0, 10.0
    pp.to_json(net, str(tmp_path / "zip.json"))
    tables = grid_of(str(tmp_path / "zip.json")).reset(Context())
    pp.runpp(net, calculate_voltage_angles=True)
    np.testing.assert_allclose(tables["bus"]["vm_pu"], net.res_bus["vm_pu"], rtol=0, atol=AGREEMENT_PU)
    np.testing.assert_allclose(tables["grid"]["load_mw"], net.res_load["p_mw"].sum(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("network", "table", "row"),
    [
        ("case39", "line", 4),
        ("case14", "trafo", 1),
        ("create_cigre_network_hv", "line", 0),
        ("case118", "line", 50),
    ],
)
def test_a_trip_equals_the_net_with_the_element_out_of_service(network, table, row):
    grid = PowerFlowGrid(PowerFlowParams(network=network, q_limits=False), Connections())
    before = grid.reset(Context())
    name = grid.elements[table][row]
    inputs = {key: np.zeros(0) for key in INPUTS}
    tables = grid.step(0.0, 1.0, inputs, [GridEvent(0.0, "trip", name)])
    net = load_network(network).net
    net[table].loc[net[table].index[row], "in_service"] = False
    assert_same(tables, solved(net))
    again = grid.step(1.0, 1.0, inputs, [GridEvent(1.0, "close", name)])
    np.testing.assert_allclose(again["bus"]["vm_pu"], before["bus"]["vm_pu"], rtol=0, atol=AGREEMENT_PU)


INPUTS = ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu")


def test_units_weigh_on_the_grid_like_loads_of_pandapower():
    connections = Connections(units=("a", "b"), points=("20", "4"), devices=(None, None))
    grid = PowerFlowGrid(PowerFlowParams(network="case39", q_limits=False), connections)
    grid.reset(Context())
    inputs = {key: np.zeros(2) for key in INPUTS[:-1]} | {"scale_pu": np.zeros(0)}
    inputs |= {"p_mw": np.array([80.0, 30.0]), "q_mvar": np.array([20.0, -5.0])}
    tables = grid.step(0.0, 1.0, inputs, ())
    net = copy.deepcopy(load_network("case39").net)
    for name, p_mw, q_mvar in (("20", 80.0, 20.0), ("4", 30.0, -5.0)):
        pp.create_load(net, int(net.bus.index[net.bus["name"] == name][0]), p_mw, q_mvar)
    gens = tables["gen"]["p_mw"][: len(net.gen)]
    assert gens.sum() == pytest.approx(net.gen["p_mw"].sum() + 110.0, abs=1e-6)  # the plan covers the units
    net.gen["p_mw"] = gens
    assert_same(tables, solved(net))
    np.testing.assert_array_equal(tables["point"]["p_mw"], [80.0, 30.0])
