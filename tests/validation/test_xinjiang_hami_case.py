"""What is particular to eastern Xinjiang: three links with their plants, and the cluster at Yiwu."""

import pandapower as pp
import pytest
import yaml

from grids.case import case_folder, load_case, operating_points

GWH_2025 = {"Hami South-Zhengzhou DC": 45_924, "Hami-Chongqing DC": 11_751, "Changji-Guquan DC": 69_871}
AT_THE_CONVERTERS_MW = {
    "Shenhua Guoneng Hami power station": 2640,
    "Dananhu power station": 1320,
    "Guodian Dananhu power station": 1320,
    "XPCC Hongxing power station": 1320,
    "Hami-Chongqing power station": 4000,
    "Tianchi Energy Zhundong Wucaiwan power station": 2640,
    "Wucaiwan Bei'er power station": 2640,
}
"""Global Energy Monitor, coal 2023-07."""


@pytest.mark.parametrize("link", GWH_2025)
def test_each_link_carries_its_energy_of_2025_within_two_percent(link: str) -> None:
    folder, mwh = case_folder("xinjiang_hami"), 0.0
    for point in operating_points(folder):
        told = yaml.safe_load(
            (folder / "operating_points" / point / "point.yaml").read_text(encoding="utf-8")
        )
        sgen = load_case("xinjiang_hami", point).net.sgen.set_index("name")
        mwh -= told["stands_for_h"] * sgen.at[link, "p_mw"]
    assert mwh / 1e3 == pytest.approx(GWH_2025[link], rel=0.02)


def test_plants_of_the_links_have_their_published_rating_and_a_bus_of_their_own() -> None:
    gen = load_case("xinjiang_hami").net.gen
    plant = gen["name"].str.split(", ").str[0]
    rating_mw = gen.groupby(plant)["max_p_mw"].sum()
    assert rating_mw[list(AT_THE_CONVERTERS_MW)].to_dict() == pytest.approx(AT_THE_CONVERTERS_MW, abs=1)
    assert gen[plant.isin(list(AT_THE_CONVERTERS_MW))].groupby(plant)["bus"].first().is_unique


def test_the_cluster_at_yiwu_carries_a_hundred_megawatt_more_with_one_unit_out() -> None:
    case = load_case("xinjiang_hami", "winter_evening_peak")
    pp.create_load(case.net, case.points["yiwu_park"], p_mw=100, q_mvar=20)
    case.net.trafo.loc[case.net.trafo["name"].str.startswith("Yiwu park"), "parallel"] -= 1
    pp.runpp(case.net, init="flat")
    assert case.net.res_trafo["loading_percent"].max() < 100
    assert case.net.res_bus.at[case.points["yiwu_park"], "vm_pu"] > 0.93
