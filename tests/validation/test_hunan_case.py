"""What is particular to Hunan: it lives on two links, and its 1000 kV lines carry what one of them lacks."""

import pandapower as pp
import pytest

from grids.case import load_case


@pytest.mark.parametrize("link", ["Jiuquan-Hunan DC", "Ningxia-Hunan DC"])
@pytest.mark.parametrize("lost_pu", [0.5, 1.0])
def test_a_pole_and_a_whole_link_can_be_lost_at_the_peak_with_the_rest_of_the_area_filling_in(
    link: str, lost_pu: float
) -> None:
    net = load_case("hunan", "summer_evening_peak").net
    lost_mw = lost_pu * float(net.sgen.loc[net.sgen["name"] == link, "p_mw"].iloc[0])
    net.sgen.loc[net.sgen["name"] == link, "p_mw"] *= 1.0 - lost_pu
    pp.runpp(net, init="flat")
    assert float(net.res_ext_grid["p_mw"].sum()) == pytest.approx(lost_mw, rel=0.1)
    assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100.0
    assert net.res_bus["vm_pu"].between(0.95, 1.08).all()


def test_links_end_at_their_converters_and_lines_have_their_published_length() -> None:
    net = load_case("hunan").net
    ends = net.sgen[net.sgen["type"] == "dc"].set_index("name")["bus"].map(net.bus["name"])
    assert ends.to_dict() == {
        "Jiuquan-Hunan DC": "Shaoshan converter 500",
        "Ningxia-Hunan DC": "Hengyang converter 500",
    }
    km = net.line.set_index("name")["length_km"]
    assert km[["Changsha 1000 - Nanchang 1000 1", "Changsha 1000 - Nanchang 1000 2"]].tolist() == [345.2] * 2
