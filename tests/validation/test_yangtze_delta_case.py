"""What is particular to the Yangtze delta: twelve links into one region, neighbours that are cases."""

import pytest
from lost_poles import assert_either_pole_can_be_lost

from grids.case import case_folder, load_case, operating_points

POINTS = operating_points(case_folder("yangtze_delta"))


@pytest.mark.parametrize("point", POINTS)
def test_either_pole_of_each_link_can_be_lost_to_the_neighbours(point: str) -> None:
    assert_either_pole_can_be_lost("yangtze_delta", point, links_count=12)


@pytest.mark.parametrize("point", POINTS)
def test_what_anhui_sends_is_what_arrives(point: str) -> None:
    here = load_case("yangtze_delta", point).net.sgen.set_index("name")["p_mw"]
    net = load_case("anhui", point).net
    there_mw = net.sgen.loc[net.sgen["name"].str.endswith("interchange"), "p_mw"].sum()
    there_mw += net.gen.loc[~net.gen["dispatchable"], "p_mw"].sum()
    assert here[here.index.str.startswith("Anhui interchange")].sum() == pytest.approx(-there_mw)


def test_a_year_of_the_points_is_what_the_three_grids_used() -> None:
    used_mwh = 0.0
    for point in POINTS:
        case = load_case("yangtze_delta", point)
        load = case.net.load.query("type != 'pumping'")
        used_mwh += float(case.meta["operating_point"]["stands_for_h"]) * load["p_mw"].sum()
    assert used_mwh / 1e6 == pytest.approx(889.541 + 726.65 + 208.888, rel=0.02)


def test_zhejiang_draws_no_more_than_it_can_at_the_peak() -> None:
    net = load_case("yangtze_delta", "summer_evening_peak").net
    zhejiang = net.bus.index[net.bus["zone"] == "Zhejiang"]
    own = net.sgen["bus"].isin(zhejiang) & ~net.sgen["type"].isin(["dc", "rest"])
    made_mw = net.gen["p_mw"][net.gen["bus"].isin(zhejiang) & net.gen["in_service"]].sum()
    drawn_mw = (
        net.load["p_mw"][net.load["bus"].isin(zhejiang)].sum() - made_mw - net.sgen.loc[own, "p_mw"].sum()
    )
    assert 0.0 < drawn_mw < 39_000
