"""What is particular to Shandong: in-feeds as large as 8 GW, the 1000 kV ring, pumped storage."""

from itertools import pairwise

import pytest
from lost_poles import assert_either_pole_can_be_lost

from grids.case import case_folder, load_case, operating_points

RING = ["Changle 1000", "Gaoxiang 1000", "Weishanhu 1000", "Caozhou 1000", "Xingtai 1000"]
POINTS = operating_points(case_folder("shandong"))


@pytest.mark.parametrize("point", POINTS)
def test_either_pole_of_each_link_can_be_lost_to_the_neighbours(point: str) -> None:
    assert_either_pole_can_be_lost("shandong", point, links_count=4)


def test_the_ring_by_rule_is_as_long_as_published() -> None:
    line = load_case("shandong").net.line
    km = [line.loc[line["name"] == f"{a} - {b} 1", "length_km"].sum() for a, b in pairwise(RING)]
    assert sum(km) == pytest.approx(816, rel=0.02)


@pytest.mark.parametrize("point", ["spring_noon", "night_valley"])
def test_pumped_storage_pumps_at_noon_and_at_night_with_its_machines_out(point: str) -> None:
    net = load_case("shandong", point).net
    assert net.load.loc[net.load["type"] == "pumping", "p_mw"].sum() == pytest.approx(4000)
    assert not net.gen.loc[net.gen["plant_type"] == "pumped_storage", "in_service"].any()
