"""What is special in the Greater Bay case: much comes over direct current, Guizhou joins it at Guilin."""

import pandapower as pp
import pandapower.topology as top
import pytest

from grids.case import load_case, load_cases

CASE = "greater_bay"


def test_a_sixth_of_the_summer_peak_and_more_comes_over_direct_current() -> None:
    net = load_case(CASE, "summer_evening_peak").net
    links_mw = net.sgen.loc[net.sgen["type"] == "dc", "p_mw"]
    assert links_mw.clip(lower=0.0).sum() > net.load["p_mw"].sum() / 6.0


@pytest.mark.parametrize("converter", ["Suidong", "Conghua", "Longmen", "Dongfang", "Qiaoxiang", "Zhaoqing"])
def test_any_converter_can_be_lost(converter: str) -> None:
    net = load_case(CASE, "summer_evening_peak").net
    there = net.bus.index[net.bus["name"] == f"{converter} converter 500"][0]
    lost = (net.sgen["bus"] == there) & (net.sgen["type"] == "dc")
    assert lost.sum() == 1
    net.sgen.loc[lost, "in_service"] = False
    pp.runpp(net, init="flat")
    assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100.0
    assert net.res_bus["vm_pu"].between(0.95, 1.08).all()


@pytest.mark.parametrize("point", ["summer_evening_peak", "spring_noon"])
def test_guizhou_and_guangdong_are_one_network(point: str) -> None:
    net = load_cases(["guizhou", CASE], point).net
    pp.runpp(net, init="flat")
    assert not top.unsupplied_buses(net)
    assert len(net.bus) == 59
    assert abs(net.res_ext_grid["p_mw"].sum()) < 0.01 * net.load["p_mw"].sum()
    assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100.0
