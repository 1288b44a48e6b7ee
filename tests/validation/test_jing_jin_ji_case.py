"""What is particular to Beijing, Tianjin and Hebei: a region that imports, with neighbours that are cases."""

import pandapower as pp
import pytest

from grids.case import case_folder, load_case, operating_points

POINTS = operating_points(case_folder("jing_jin_ji"))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("link", ["Gaoling B2B DC", "Zhangbei 4-terminal VSC DC, Yanqing"])
def test_either_link_can_be_lost_to_the_neighbours(link: str, point: str) -> None:
    net = load_case("jing_jin_ji", point).net
    net.sgen.loc[net.sgen["name"] == link, "p_mw"] = 0.0
    pp.runpp(net, init="flat")
    assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100
    assert net.res_bus["vm_pu"].between(0.95, 1.08).all()


@pytest.mark.parametrize("point", POINTS)
def test_what_passes_to_and_from_neighbours_is_what_their_cases_say(point: str) -> None:
    here = load_case("jing_jin_ji", point).net.sgen.set_index("name")["p_mw"]
    for case, neighbour in (("shandong", "Shandong"), ("mengxi", "West Inner Mongolia")):
        net = load_case(case, point).net
        there_mw = net.sgen.loc[net.sgen["type"] == "rest", "p_mw"].sum()
        there_mw += net.gen.loc[~net.gen["dispatchable"], "p_mw"].sum()
        assert here[here.index.str.startswith(f"{neighbour} interchange")].sum() == pytest.approx(-there_mw)


def test_beijing_draws_two_thirds_of_its_peak_through_no_more_than_the_published_capacity() -> None:
    net = load_case("jing_jin_ji", "summer_evening_peak").net
    beijing = net.bus.index[net.bus["zone"] == "Beijing"]
    load_mw = net.load["p_mw"][net.load["bus"].isin(beijing)].sum()
    made_mw = net.gen["p_mw"][net.gen["bus"].isin(beijing) & net.gen["in_service"]].sum()
    own = net.sgen["bus"].isin(beijing) & ~net.sgen["type"].isin(["dc", "rest"])
    drawn_mw = load_mw - made_mw - net.sgen.loc[own, "p_mw"].sum()
    assert 0.6 * load_mw < drawn_mw < 0.7 * load_mw
    assert drawn_mw < 22_600 + 1_500 + 3_000  # UCSD 2025: from Hebei, Tianjin, Shanxi


def test_shijiazhuang_uses_its_published_share_of_hebei() -> None:
    load = load_case("jing_jin_ji").net.load.set_index("name")["p_mw"]
    hebei = load[~load.index.str.contains("Beijing|Tianjin|pumping")]
    assert load["Shijiazhuang load"] / hebei.sum() == pytest.approx(71.674 / 495.7, rel=0.02)
