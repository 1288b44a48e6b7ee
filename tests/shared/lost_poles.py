"""What is left of a case when one pole of a link is lost and nobody but the slack answers."""

from typing import Any

import pandapower as pp

from grids.case import load_case


def assert_either_pole_can_be_lost(case: str, point: str, links_count: int) -> None:
    """Halve each link in turn: no branch above its rating, no voltage outside 0.95 to 1.08 pu."""
    net: Any = load_case(case, point).net
    link = net.sgen["name"].str.split(",").str[0].where(net.sgen["type"] == "dc")
    assert link.nunique() == links_count
    for name in link.dropna().unique():
        before_mw = net.sgen["p_mw"].copy()
        net.sgen.loc[link == name, "p_mw"] /= 2
        pp.runpp(net, init="flat")
        net.sgen["p_mw"] = before_mw
        assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100
        assert net.res_bus["vm_pu"].between(0.95, 1.08).all()
