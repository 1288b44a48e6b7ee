"""What is special in the Sichuan and Chongqing case: hydro at the converters, water at the peak."""

import pytest

from grids.case import load_case

CASE = "sichuan_chongqing"


def test_half_of_the_summer_peak_and_more_is_carried_by_water() -> None:
    net = load_case(CASE, "summer_evening_peak").net
    water_mw = net.gen.loc[net.gen["plant_type"] == "hydro", "p_mw"].sum()
    water_mw += net.sgen.loc[net.sgen["type"] == "hydro", "p_mw"].sum()
    assert water_mw > 0.5 * net.load["p_mw"].sum()


@pytest.mark.parametrize(
    ("link", "plant"),
    [
        ("Jinping-Sunan DC", "Jinping Stage 1 hydroelectric plant"),
        ("Xiangjiaba-Shanghai DC", "Xiangjiaba hydroelectric plant"),
        ("Xiluodu-Zhejiang DC", "Xiluodu left bank hydroelectric plant"),
        ("Baihetan-Jiangsu DC", "Baihetan hydroelectric plant"),
        ("Baihetan-Zhejiang DC", "Baihetan hydroelectric plant"),
    ],
)
def test_a_link_starts_where_the_plant_is_whose_name_it_bears(link: str, plant: str) -> None:
    net = load_case(CASE).net
    assert net.sgen.set_index("name")["bus"][link] == net.gen.set_index("name")["bus"][plant]
