"""What is special in the Sichuan and Chongqing case: hydro at the converters, one link's published energy."""

import pytest
import yaml

from grids.case import case_folder, load_case, operating_points

CASE = "sichuan_chongqing"


def test_hami_chongqing_carries_its_energy_of_2025_within_two_percent() -> None:
    carried_mwh = 0.0
    for point in operating_points(case_folder(CASE)):
        path = case_folder(CASE) / "operating_points" / point / "point.yaml"
        hours = yaml.safe_load(path.read_text(encoding="utf-8"))["stands_for_h"]
        links = load_case(CASE, point).net.sgen.set_index("name")["p_mw"]
        carried_mwh += hours * links["Hami-Chongqing DC"]
    assert carried_mwh / 1e6 == pytest.approx(11.751, rel=0.02)


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
