"""What is particular to Ningxia: plants, links and the park with its own power station."""

import pandapower as pp
import pytest

from grids.case import load_case

PLANTS_MW = {
    "Yuanyang Lake power station": 3520,
    "Ningxia Lingwu power station": 3320,
    "Daba power station": 3180,
    "Shizuishan power station": 2020,
    "Ningdong Fangjiazhuang power station": 2000,
    "Ningdong power station": 1980,
    "Ningxia Zaoquan power station": 1320,
    "Pingluo power station": 1320,
    "Yinxing power station": 1320,
    "Shuidonggou power station": 1200,
    "Xixia Ningxia power station": 1100,
    "Linhe power station": 1050,
}
"""Plants of at least 1000 MW: Global Energy Monitor, coal 2023-07; Daba less its units of 1991 and 1992."""


def test_large_plants_have_their_published_rating_and_a_bus_of_their_own() -> None:
    net = load_case("ningxia").net
    plant = net.gen["name"].str.split(", ").str[0]
    rating_mw = net.gen.groupby(plant)["max_p_mw"].sum()
    assert rating_mw[list(PLANTS_MW)].to_dict() == pytest.approx(PLANTS_MW, abs=1)
    buses = net.gen[plant.isin(list(PLANTS_MW))].groupby(plant)["bus"]
    assert (buses.nunique() == 1).all()
    assert buses.first().nunique() == len(PLANTS_MW)


def test_three_links_leave_with_twenty_gigawatt() -> None:
    sgen = load_case("ningxia").net.sgen
    links = sgen[sgen["type"] == "dc"]
    assert links.set_index("name")["sn_mva"].to_dict() == {
        "Ningdong-Shandong DC": 4000,
        "Ningdong-Zhejiang DC": 8000,
        "Ningxia-Hunan DC": 8000,
    }


@pytest.mark.parametrize("out", [False, True])
def test_four_lines_bring_the_station_of_500_mw_to_the_park(out: bool) -> None:
    net = load_case("ningxia", "spring_noon").net
    lines = net.line.index[net.line["name"].str.startswith("Zhongwei PV 110 - ")]
    assert len(lines) == 4
    net.sgen.loc[net.sgen["name"] == "Zhongwei direct-supply PV", "p_mw"] = 500.0
    net.line.loc[lines[:1], "in_service"] = not out
    pp.runpp(net, init="flat")
    assert net.res_line.loc[lines, "p_from_mw"].sum() == pytest.approx(500, abs=0.1)
    assert net.res_line.loc[lines, "loading_percent"].max() < 100


@pytest.mark.parametrize("table", ["line", "trafo"])
def test_the_park_is_fed_when_a_unit_of_its_supply_is_out_at_night(table: str) -> None:
    net = load_case("ningxia", "winter_evening_peak").net
    if table == "line":
        net.line.loc[net.line["name"].str.startswith("Zhongwei PV 110 - "), "in_service"] = False
    else:
        net.trafo.loc[net.trafo["name"].str.startswith("Zhongwei park"), "parallel"] -= 1
    net.bus.loc[net.bus["name"] == "Zhongwei PV 110", "in_service"] = table != "line"
    pp.runpp(net, init="flat")
    assert net.res_trafo["loading_percent"].max() < 100
    assert 0.95 < net.res_bus["vm_pu"][net.bus["name"] == "Zhongwei park 10"].item() < 1.07
