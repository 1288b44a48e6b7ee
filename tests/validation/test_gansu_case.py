"""What is particular to Gansu: the Hexi corridor, the Qingyang pocket and its park."""

from itertools import pairwise

import networkx as nx
import pandapower as pp
import pytest

from grids.case import load_case

PLANTS_MW = {
    "Guazhou Changle power station": 6000,
    "Zhangye power station": 2650,
    "Pingliang power station": 2520,
    "Gansu Zhengning power station": 2000,
    "Lingtai power station": 2000,
    "Jiayuguan Aluminum power station": 1400,
    "Gansu Chongxin power station": 1320,
    "Jingtai power station": 1320,
    "Jingyuan-2 power station": 1240,
}
"""Plants of at least 1000 MW: Global Energy Monitor, coal 2023-07, built and under construction."""
CORRIDOR = ["Dunhuang 750", "Mogao 750", "Jiuquan 750", "Hexi 750", "Wusheng 750", "Baiyin 750"]


def test_large_plants_have_their_published_rating_and_a_bus_of_their_own() -> None:
    net = load_case("gansu").net
    plant = net.gen["name"].str.split(", ").str[0]
    rating_mw = net.gen.groupby(plant)["max_p_mw"].sum()
    assert rating_mw[list(PLANTS_MW)].to_dict() == pytest.approx(PLANTS_MW, abs=1)
    buses = net.gen[plant.isin(list(PLANTS_MW))].groupby(plant)["bus"]
    assert (buses.nunique() == 1).all()
    assert buses.first().nunique() == len(PLANTS_MW)


def test_the_corridor_runs_from_dunhuang_to_baiyin_and_carries_wind_and_sun_east_at_noon() -> None:
    net = load_case("gansu", "spring_noon").net
    pp.runpp(net, init="flat")
    bus = dict(zip(net.bus["name"], net.bus.index, strict=True))
    for one, other in pairwise(CORRIDOR):
        here = net.line[net.line["from_bus"].isin([bus[one]]) & net.line["to_bus"].isin([bus[other]])]
        assert len(here) >= 2, (one, other)
        assert (net.res_line.loc[here.index, "p_from_mw"] > 0).all(), (one, other)


def test_the_plants_of_the_longdong_link_stand_at_its_converter() -> None:
    net = load_case("gansu").net
    graph = nx.Graph(zip(net.line["from_bus"], net.line["to_bus"], strict=True))
    bus = dict(zip(net.bus["name"], net.bus.index, strict=True))
    for plant in ("Zhengning plant", "Lingtai plant"):
        assert list(graph[bus[plant]]) == [bus["Qingyang converter 750"]]
    beside = net.sgen[(net.sgen["bus"] == bus["Qingyang 330"]) & net.sgen["type"].isin(["wind", "pv"])]
    assert beside["sn_mva"].sum() == pytest.approx(10_500, rel=0.02)


@pytest.mark.parametrize("more_mw", [0, 200])
def test_the_park_is_fed_when_a_line_and_a_unit_of_its_supply_are_out(more_mw: float) -> None:
    case = load_case("gansu", "winter_evening_peak")
    net = case.net
    pp.create_load(net, case.points["qingyang_park"], p_mw=more_mw, q_mvar=0.2 * more_mw)
    net.line.loc[net.line["name"] == "Qingyang 330 - Deshang 330 1", "in_service"] = False
    net.trafo.loc[net.trafo["name"].str.startswith("Qingyang park"), "parallel"] -= 1
    pp.runpp(net, init="flat")
    assert net.res_trafo["loading_percent"].max() < 100
    assert net.res_line["loading_percent"].max() < 100
    assert net.res_bus.at[case.points["qingyang_park"], "vm_pu"] > 0.93
