"""Cases as networks of pandapower's short-circuit calculation."""

import math
from typing import Any

import pandapower as pp
import pandapower.shortcircuit as sc
import pandas as pd

from grids.case import Case
from grids.checks.short_circuit import C_MAX, rating_ka


def beside_pandapower(case: Case) -> Any:
    """Return pandapower's currents of a case whose machines are GENROU."""
    return currents(in_pandapower(case))


def currents(net: Any) -> Any:
    sc.calc_sc(net, fault="3ph", case="max", ip=False, ith=False)
    return net.res_bus_sc["ikss_ka"].to_numpy()


def in_pandapower(case: Case) -> Any:
    net = pp.create_empty_network(f_hz=case.net.f_hz, sn_mva=case.net.sn_mva)
    for table in ("bus", "line", "trafo"):
        net[table] = case.net[table].copy()
    net.line["endtemp_degree"] = 80.0
    net.trafo[["tap_pos", "shift_degree"]] = net.trafo[["tap_neutral", "shift_degree"]].fillna(0.0)
    data = pd.read_csv(case.folder / "genrou.csv").set_index("name")
    for row in case.net.gen.to_dict("records"):
        vn_kv = float(net.bus.at[row["bus"], "vn_kv"])
        pp.create_gen(net, row["bus"], row["p_mw"], vn_kv=vn_kv, sn_mva=data.sn_mva[row["name"]])
    net.gen["xdss_pu"] = [float(data.xd2_pu[name]) for name in case.net.gen["name"]]
    net.gen["cos_phi"] = [min(max(r, 0.8), 1.0) for r in case.net.gen["max_p_mw"] / case.net.gen["sn_mva"]]
    net.gen["rdss_ohm"] = 0.0
    for row in case.net.ext_grid.to_dict("records"):
        vn_kv = float(net.bus.at[row["bus"], "vn_kv"])
        strength = C_MAX * float(data.sn_mva[row["name"]]) / float(data.xd2_pu[row["name"]])
        pp.create_ext_grid(net, row["bus"], s_sc_max_mva=min(strength, limit_mva(vn_kv)), rx_max=0.0)
    return net


def limit_mva(vn_kv: float) -> float:
    return math.sqrt(3.0) * vn_kv * rating_ka(vn_kv)


def with_only_a_plant(case: Case) -> Case:
    case.net.ext_grid["in_service"] = False
    return case
